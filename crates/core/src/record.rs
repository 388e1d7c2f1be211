//! The bytes of one entry: what a writer puts into a ring and a reader borrows from.
//!
//! A record is a prefix and a run of tagged fields in any order, so that a writer streams them as it
//! learns them: it formats a message straight into the buffer and never needs a second one. The
//! prefix says where message, exception and logger lie, so that a search touches nothing else.
//!
//! ```text
//! prefix, 24 bytes, little endian:
//!   u32 message at   u32 message length   u32 exception at   u32 exception length
//!   u32 logger at    u32 logger length
//! field:  u8 tag, then
//!   text       u32 length, UTF-8                      number     u64
//!   attribute  u16 length, name, value                cut        u64 bytes left out
//! value:  u8 type, then  0 null · 1 false · 2 true · 3 i64 · 4 u64 · 5 f64 · 6 u32 length, UTF-8
//!   · 7 u32 count, values · 8 u32 count, then u16 length, name, value each
//! ```
//!
//! Reading trusts nothing: a length that points outside ends the record, text that is not UTF-8 ends
//! where it stops being so. A record that came from a damaged file decodes to less, never to a panic.

use std::fmt::{self, Write as _};

use crate::{Entry, Level, Timestamp, Value};

/// Bytes before the first field.
pub(crate) const PREFIX_BYTES: usize = 24;
/// Longest record by default; what is longer is cut at a character and marked.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Longest logger, module, thread name and the like, in bytes.
const SHORT_TEXT_MAX: usize = 1024;
/// Longest attribute name, in bytes.
const NAME_MAX: usize = 128;
/// How far apart two attributes of one name are noticed.
const DUPLICATES_WITHIN: usize = 64;
/// Deepest nesting of a value kept.
const DEPTH_MAX: usize = 128;

macro_rules! tags {
    ($($name:ident = $n:literal),* $(,)?) => { $(const $name: u8 = $n;)* };
}
tags! {
    MESSAGE = 1, EXCEPTION = 2, LOGGER = 3, MODULE = 4, FUNCTION = 5, FILE = 6, THREAD_NAME = 7,
    SERVICE = 8, TRACE_ID = 9, SPAN_ID = 10, LINE = 16, THREAD = 17, PROCESS = 18, CUT = 19,
    ATTRIBUTE = 32,
}

/// Writes one record into a buffer, which it clears first. Fields may come in any order; of
/// message, exception and logger the last one given counts.
///
/// ```
/// # use logrec_core::record::{RecordWriter, RecordRef};
/// let mut buf = Vec::new();
/// let mut writer = RecordWriter::new(&mut buf, 1 << 16);
/// writer.message(&format_args!("took {} ms", 7));
/// writer.attribute_int("rows", 3);
/// let record = RecordRef::new(&buf);
/// assert_eq!(record.message(), "took 7 ms");
/// ```
#[derive(Debug)]
pub struct RecordWriter<'a> {
    buf: &'a mut Vec<u8>,
    limit: usize,
    cut_bytes: u64,
}

impl<'a> RecordWriter<'a> {
    /// Starts a record of at most `limit` bytes.
    #[inline]
    pub fn new(buf: &'a mut Vec<u8>, limit: usize) -> Self {
        buf.clear();
        buf.extend_from_slice(&[0; PREFIX_BYTES]);
        Self { buf, limit, cut_bytes: 0 }
    }

    /// How many bytes did not fit.
    #[must_use]
    pub const fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Ends the record, noting in it how many bytes were left out, if any. True if some were.
    pub fn finish(self) -> bool {
        if self.cut_bytes > 0 {
            self.buf.push(CUT);
            self.buf.extend_from_slice(&self.cut_bytes.to_le_bytes());
        }
        self.cut_bytes > 0
    }

    /// What the entry says.
    #[inline]
    pub fn message(&mut self, text: &impl fmt::Display) {
        let start = self.begin(MESSAGE);
        let room = self.limit;
        self.format_into(text, room);
        self.end(start, 0);
    }

    /// The message, already text.
    #[inline]
    pub fn message_str(&mut self, text: &str) {
        self.prefixed(MESSAGE, 0, text, usize::MAX);
    }

    /// The stack trace or chain of causes.
    #[inline]
    pub fn exception(&mut self, text: &impl fmt::Display) {
        let start = self.begin(EXCEPTION);
        let room = self.limit;
        self.format_into(text, room);
        self.end(start, 8);
    }

    /// Who says it.
    #[inline]
    pub fn logger(&mut self, name: &str) {
        self.prefixed(LOGGER, 16, name, SHORT_TEXT_MAX);
    }

    /// Copies fields that were encoded before. All or, when they do not fit, none of them.
    #[inline]
    pub fn prepared(&mut self, prepared: &Prepared) {
        let start = self.buf.len();
        if start + prepared.fields.len() > self.limit {
            self.cut_bytes += prepared.fields.len() as u64;
            return;
        }
        self.buf.extend_from_slice(&prepared.fields);
        for (index, &(at, len)) in prepared.prefix.iter().enumerate() {
            if at > 0 {
                self.note(index * 8, start + at, len);
            }
        }
    }

    fn prefixed(&mut self, tag: u8, at: usize, text: &str, most: usize) {
        let kept = self.text(tag, text, most);
        self.note(at, self.buf.len() - kept, kept);
    }

    /// The code's module.
    #[inline]
    pub fn module(&mut self, name: &str) {
        self.short(MODULE, name);
    }

    /// The code's function.
    #[inline]
    pub fn function(&mut self, name: &str) {
        self.short(FUNCTION, name);
    }

    /// The code's file.
    #[inline]
    pub fn file(&mut self, name: &str) {
        self.short(FILE, name);
    }

    /// The code's line.
    #[inline]
    pub fn line(&mut self, line: u32) {
        self.number(LINE, line.into());
    }

    /// The thread's number.
    #[inline]
    pub fn thread(&mut self, id: u64) {
        self.number(THREAD, id);
    }

    /// The thread's name.
    #[inline]
    pub fn thread_name(&mut self, name: &str) {
        self.short(THREAD_NAME, name);
    }

    /// The process's number.
    #[inline]
    pub fn process(&mut self, id: u64) {
        self.number(PROCESS, id);
    }

    /// The service's name.
    #[inline]
    pub fn service(&mut self, name: &str) {
        self.short(SERVICE, name);
    }

    /// The trace's id.
    #[inline]
    pub fn trace_id(&mut self, id: &str) {
        self.short(TRACE_ID, id);
    }

    /// The span's id.
    #[inline]
    pub fn span_id(&mut self, id: &str) {
        self.short(SPAN_ID, id);
    }

    /// An attribute of any type.
    pub fn attribute(&mut self, name: &str, value: &Value) {
        let start = self.buf.len();
        self.name(name);
        self.value(value, 0);
        self.keep_or_undo(start);
    }

    /// A whole number.
    #[inline]
    pub fn attribute_int(&mut self, name: &str, value: i64) {
        self.fixed(name, 3, value.to_le_bytes());
    }

    /// A whole number that may exceed `i64`.
    #[inline]
    pub fn attribute_uint(&mut self, name: &str, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.attribute_int(name, value),
            Err(_) => self.fixed(name, 4, value.to_le_bytes()),
        }
    }

    /// A number.
    #[inline]
    pub fn attribute_float(&mut self, name: &str, value: f64) {
        self.fixed(name, 5, value.to_le_bytes());
    }

    /// True or false.
    #[inline]
    pub fn attribute_bool(&mut self, name: &str, value: bool) {
        self.fixed(name, 1 + u8::from(value), []);
    }

    /// Text, formatted in place.
    #[inline]
    pub fn attribute_display(&mut self, name: &str, value: &impl fmt::Display) {
        let start = self.buf.len();
        self.name(name);
        self.buf.push(6);
        let at = self.buf.len();
        self.buf.extend_from_slice(&[0; 4]);
        let room = self.limit;
        self.format_into(value, room);
        self.patch(at);
        self.keep_or_undo(start);
    }

    /// Text.
    #[inline]
    pub fn attribute_str(&mut self, name: &str, value: &str) {
        let start = self.buf.len();
        self.name(name);
        self.text_value(value);
        self.keep_or_undo(start);
    }

    /// A list of texts, in the order given.
    pub fn attribute_strs<'t>(
        &mut self,
        name: &str,
        texts: impl ExactSizeIterator<Item = &'t str>,
    ) {
        let start = self.buf.len();
        self.name(name);
        self.tagged(7, u32::try_from(texts.len()).unwrap_or(u32::MAX).to_le_bytes());
        for text in texts {
            self.text_value(text);
        }
        self.keep_or_undo(start);
    }

    /// An attribute copied from another record.
    pub fn attribute_ref(&mut self, name: &str, value: ValueRef<'_>) {
        match value {
            ValueRef::Bool(v) => self.attribute_bool(name, v),
            ValueRef::Int(v) => self.attribute_int(name, v),
            ValueRef::UInt(v) => self.attribute_uint(name, v),
            ValueRef::Float(v) => self.attribute_float(name, v),
            ValueRef::Str(v) => self.attribute_str(name, v),
            ValueRef::Null | ValueRef::Array(_) | ValueRef::Map(_) => {
                self.attribute(name, &value.to_value());
            }
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, name: &str, kind: u8, bytes: [u8; N]) {
        let start = self.buf.len();
        self.name(name);
        self.tagged(kind, bytes);
        self.keep_or_undo(start);
    }

    #[inline]
    fn begin(&mut self, tag: u8) -> usize {
        self.buf.push(tag);
        self.buf.extend_from_slice(&[0; 4]);
        self.buf.len()
    }

    /// Notes the length of the text that began at `start` before it, and both in the prefix.
    #[inline]
    fn end(&mut self, start: usize, prefix_at: usize) {
        self.patch(start - 4);
        self.note(prefix_at, start, self.buf.len() - start);
    }

    /// Notes in the prefix where a text lies.
    #[inline]
    fn note(&mut self, prefix_at: usize, start: usize, len: usize) {
        let both = u64::from(word(start)) | u64::from(word(len)) << 32;
        self.buf[prefix_at..prefix_at + 8].copy_from_slice(&both.to_le_bytes());
    }

    #[inline]
    fn patch(&mut self, at: usize) {
        let len = word(self.buf.len() - at - 4);
        self.buf[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// Appends a tag, a length and as much of a text as fits; says how many bytes that were.
    #[inline]
    fn text(&mut self, tag: u8, text: &str, most: usize) -> usize {
        // One write of five bytes: a tag, then zeros, then the length over them costs a third more.
        let room = self.limit.saturating_sub(self.buf.len() + 5).min(most);
        let kept = if text.len() <= room { text } else { self.cut(text, room) };
        let [a, b, c, d] = word(kept.len()).to_le_bytes();
        self.buf.extend_from_slice(&[tag, a, b, c, d]);
        self.buf.extend_from_slice(kept.as_bytes());
        kept.len()
    }

    /// What of a text fits into `room` bytes; the rest is counted.
    #[cold]
    fn cut<'t>(&mut self, text: &'t str, room: usize) -> &'t str {
        let kept = &text[..text.floor_char_boundary(room)];
        self.cut_bytes += (text.len() - kept.len()) as u64;
        kept
    }

    fn format_into(&mut self, text: &impl fmt::Display, most: usize) {
        let before = self.cut_bytes;
        let mut out = CutWriter { writer: self, most, before };
        if write!(out, "{text}").is_err() {
            // The value's own `Display` failed: what it wrote before stays, and says so.
            self.extend_cut(" [formatting failed]", usize::MAX);
        }
    }

    #[inline]
    fn extend_cut(&mut self, text: &str, most: usize) {
        let room = self.limit.saturating_sub(self.buf.len()).min(most);
        let kept = if text.len() <= room { text } else { self.cut(text, room) };
        self.buf.extend_from_slice(kept.as_bytes());
    }

    #[inline]
    fn short(&mut self, tag: u8, text: &str) {
        let start = self.buf.len();
        self.text(tag, text, SHORT_TEXT_MAX);
        self.keep_or_undo(start);
    }

    #[inline]
    fn number(&mut self, tag: u8, number: u64) {
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        self.buf.extend_from_slice(&[tag, a, b, c, d, e, f, g, h]);
    }

    #[inline]
    fn name(&mut self, name: &str) {
        let (kept, [a, b]) = self.named(name);
        self.buf.extend_from_slice(&[ATTRIBUTE, a, b]);
        self.buf.extend_from_slice(kept.as_bytes());
    }

    fn short_name(&mut self, name: &str) {
        let (kept, len) = self.named(name);
        self.buf.extend_from_slice(&len);
        self.buf.extend_from_slice(kept.as_bytes());
    }

    /// What is kept of a name, and the length of that.
    #[inline]
    fn named<'n>(&mut self, name: &'n str) -> (&'n str, [u8; 2]) {
        let kept = if name.len() <= NAME_MAX { name } else { self.cut(name, NAME_MAX) };
        (kept, u16::try_from(kept.len()).unwrap_or_default().to_le_bytes())
    }

    #[inline]
    fn text_value(&mut self, text: &str) {
        self.text(6, text, usize::MAX);
    }

    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.buf.push(0),
            Value::Bool(v) => self.buf.push(1 + u8::from(*v)),
            Value::Int(v) => self.tagged(3, v.to_le_bytes()),
            Value::UInt(v) => self.tagged(4, v.to_le_bytes()),
            Value::Float(v) => self.tagged(5, v.to_le_bytes()),
            Value::Str(v) => self.text_value(v),
            Value::Array(_) | Value::Map(_) if depth >= DEPTH_MAX => self.text_value("…"),
            Value::Array(items) => {
                self.tagged(7, u32::try_from(items.len()).unwrap_or(u32::MAX).to_le_bytes());
                for item in items {
                    self.value(item, depth + 1);
                }
            }
            Value::Map(items) => {
                self.tagged(8, u32::try_from(items.len()).unwrap_or(u32::MAX).to_le_bytes());
                for (name, item) in items {
                    self.short_name(name);
                    self.value(item, depth + 1);
                }
            }
        }
    }

    fn tagged<const N: usize>(&mut self, kind: u8, bytes: [u8; N]) {
        self.buf.push(kind);
        self.buf.extend_from_slice(&bytes);
    }

    /// A field that went over the limit goes as a whole; the record stays well formed. Numbers and
    /// names of a cut text may exceed the limit by a few bytes, which the ring has room for.
    #[inline]
    fn keep_or_undo(&mut self, start: usize) {
        if self.buf.len() > self.limit {
            self.cut_bytes += (self.buf.len() - start) as u64;
            self.buf.truncate(start);
        }
    }

    /// Writes all of an owned entry.
    pub fn entry(&mut self, entry: &Entry) {
        // A message and a trace that do not fit side by side share the room.
        let exception = entry.exception.as_deref().unwrap_or_default();
        let room = self.limit.saturating_sub(self.buf.len());
        let message_most = if entry.message.len() + exception.len() <= room {
            usize::MAX
        } else {
            room.saturating_sub(exception.len()).max(room / 2)
        };
        self.prefixed(MESSAGE, 0, &entry.message, message_most);
        self.logger(&entry.logger);
        if entry.exception.is_some() {
            self.prefixed(EXCEPTION, 8, exception, usize::MAX);
        }
        for (tag, text) in [
            (MODULE, &entry.module),
            (FUNCTION, &entry.function),
            (FILE, &entry.file),
            (THREAD_NAME, &entry.thread_name),
            (SERVICE, &entry.service),
            (TRACE_ID, &entry.trace_id),
            (SPAN_ID, &entry.span_id),
        ] {
            if let Some(text) = text {
                self.short(tag, text);
            }
        }
        for (tag, number) in
            [(LINE, entry.line.map(u64::from)), (THREAD, entry.thread), (PROCESS, entry.process)]
        {
            if let Some(number) = number {
                self.number(tag, number);
            }
        }
        for (i, (name, value)) in entry.attributes.iter().enumerate() {
            // A name given twice would be twice in an answer's JSON: the last counts. Looked for only
            // among the next few, which is where a duplicate of a person's making stands.
            let mut later = entry.attributes[i + 1..].iter().take(DUPLICATES_WITHIN);
            if !later.any(|(other, _)| other == name) {
                self.attribute(name, value);
            }
        }
    }
}

/// A length or position as a record holds it. Records are cut far below 4 GB.
#[inline]
fn word(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Fields encoded once, to be copied into many records with [`RecordWriter::prepared`]: what is the
/// same for all records of a callsite or of a thread.
///
/// ```
/// # use logrec_core::record::{Prepared, RecordRef, RecordWriter};
/// let origin = Prepared::new(|writer| writer.logger("shop::cart"));
/// let mut buf = Vec::new();
/// let mut writer = RecordWriter::new(&mut buf, 1 << 16);
/// writer.prepared(&origin);
/// writer.message_str("paid");
/// assert_eq!(RecordRef::new(&buf).logger(), "shop::cart");
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    fields: Box<[u8]>,
    /// Where in `fields` message, exception and logger lie, and how long they are; 0, 0 is absent.
    prefix: [(usize, usize); 3],
}

impl Prepared {
    /// Encodes what `write` writes, cut as a record of [`RECORD_BYTES_MAX`] would be.
    #[must_use]
    pub fn new(write: impl FnOnce(&mut RecordWriter<'_>)) -> Self {
        let mut buf = Vec::new();
        let mut writer = RecordWriter::new(&mut buf, RECORD_BYTES_MAX);
        write(&mut writer);
        writer.finish();
        let mut bytes = Bytes(&buf);
        let prefix = [(); 3].map(|()| {
            let at = bytes.u32().unwrap_or(0).saturating_sub(PREFIX_BYTES);
            (at, bytes.u32().unwrap_or(0))
        });
        Self { fields: buf.split_off(PREFIX_BYTES).into(), prefix }
    }
}

/// Cuts what is formatted at the record's limit, and counts what it cut.
struct CutWriter<'w, 'a> {
    writer: &'w mut RecordWriter<'a>,
    most: usize,
    /// What had been cut when this text began.
    before: u64,
}

impl fmt::Write for CutWriter<'_, '_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Once something of this text was cut nothing more may follow it.
        let most = if self.writer.cut_bytes > self.before { 0 } else { self.most };
        self.writer.extend_cut(text, most);
        Ok(())
    }
}

/// One record, borrowed: cheap to make, nothing decoded until asked for.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    body: &'a [u8],
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordRef").field(&self.message()).finish()
    }
}

/// A field of a record other than message, exception and logger.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "they are the fields of `Entry`, documented there")]
pub enum FieldRef<'a> {
    Module(&'a str),
    Function(&'a str),
    File(&'a str),
    ThreadName(&'a str),
    Service(&'a str),
    TraceId(&'a str),
    SpanId(&'a str),
    Line(u64),
    Thread(u64),
    Process(u64),
    /// Bytes that did not fit.
    CutBytes(u64),
    Attribute(&'a str, ValueRef<'a>),
}

impl<'a> RecordRef<'a> {
    /// Wraps the bytes of a record. Any bytes will do.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { body }
    }

    /// What the entry says.
    #[must_use]
    pub fn message(&self) -> &'a str {
        self.text_at(0)
    }

    /// The stack trace; empty when there is none.
    #[must_use]
    pub fn exception(&self) -> &'a str {
        self.text_at(8)
    }

    /// Who says it; may be empty.
    #[must_use]
    pub fn logger(&self) -> &'a str {
        self.text_at(16)
    }

    /// The other fields in the order written. Ends at the first damaged byte.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields { raw: self.raw_fields() }
    }

    /// The other fields as they lie there.
    #[inline]
    #[must_use]
    pub fn raw_fields(&self) -> RawFields<'a> {
        RawFields { rest: Bytes(self.body.get(PREFIX_BYTES..).unwrap_or_default()) }
    }

    /// [`message`](Self::message) as it lies there, not yet checked to be UTF-8.
    #[inline]
    #[must_use]
    pub fn message_bytes(&self) -> &'a [u8] {
        self.bytes_at(0)
    }

    /// [`exception`](Self::exception) as it lies there.
    #[inline]
    #[must_use]
    pub fn exception_bytes(&self) -> &'a [u8] {
        self.bytes_at(8)
    }

    /// [`logger`](Self::logger) as it lies there.
    #[inline]
    #[must_use]
    pub fn logger_bytes(&self) -> &'a [u8] {
        self.bytes_at(16)
    }

    /// The first attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<ValueRef<'a>> {
        self.fields().find_map(|field| match field {
            FieldRef::Attribute(key, value) if key == name => Some(value),
            _ => None,
        })
    }

    fn text_at(&self, prefix_at: usize) -> &'a str {
        valid_utf8(self.bytes_at(prefix_at))
    }

    #[inline]
    fn bytes_at(&self, prefix_at: usize) -> &'a [u8] {
        let word = |at: usize| {
            let bytes = self.body.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
        };
        let (Some(start), Some(len)) = (word(prefix_at), word(prefix_at + 4)) else { return &[] };
        // Of a large entry the end may be gone already: what is there is shown.
        let text = self.body.get(start..).unwrap_or_default();
        &text[..len.min(text.len())]
    }

    /// An owned entry of it, with the time and level that are kept beside the record.
    #[must_use]
    pub fn to_entry(&self, timestamp: Timestamp, level: Level) -> Entry {
        let mut entry = Entry {
            timestamp,
            level,
            logger: self.logger().to_owned(),
            message: self.message().to_owned(),
            ..Entry::default()
        };
        if !self.exception().is_empty() {
            entry.exception = Some(self.exception().to_owned());
        }
        for field in self.fields() {
            match field {
                FieldRef::Module(v) => entry.module = Some(v.to_owned()),
                FieldRef::Function(v) => entry.function = Some(v.to_owned()),
                FieldRef::File(v) => entry.file = Some(v.to_owned()),
                FieldRef::ThreadName(v) => entry.thread_name = Some(v.to_owned()),
                FieldRef::Service(v) => entry.service = Some(v.to_owned()),
                FieldRef::TraceId(v) => entry.trace_id = Some(v.to_owned()),
                FieldRef::SpanId(v) => entry.span_id = Some(v.to_owned()),
                FieldRef::Line(v) => entry.line = u32::try_from(v).ok(),
                FieldRef::Thread(v) => entry.thread = Some(v),
                FieldRef::Process(v) => entry.process = Some(v),
                FieldRef::CutBytes(v) => entry.attributes.push((CUT_BYTES.to_owned(), v.into())),
                FieldRef::Attribute(name, value) => {
                    entry.attributes.push((name.to_owned(), value.to_value()));
                }
            }
        }
        entry
    }
}

/// Where the message of a record of `len` bytes lies, by the first eight of its prefix.
#[inline]
pub(crate) fn message_range(prefix: [u8; 8], len: usize) -> [usize; 2] {
    let [a, b, c, d, e, f, g, h] = prefix;
    let start = (u32::from_le_bytes([a, b, c, d]) as usize).min(len);
    let end = start.saturating_add(u32::from_le_bytes([e, f, g, h]) as usize).min(len);
    [start, end]
}

/// How many bytes of a record hold what a matcher needs, by its first [`PREFIX_BYTES`].
pub(crate) fn bytes_needed(prefix: &[u8; PREFIX_BYTES], needs: crate::filter::Needs) -> usize {
    if needs.others {
        return usize::MAX;
    }
    let end = |at: usize| {
        let word = |at: usize| {
            u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]])
                as usize
        };
        word(at).saturating_add(word(at + 4))
    };
    [(needs.message, 0), (needs.exception, 8), (needs.logger, 16)]
        .into_iter()
        .map(|(needed, at)| if needed { end(at) } else { 0 })
        .fold(PREFIX_BYTES, usize::max)
}

/// Attribute that says how many bytes of an entry were cut away.
pub const CUT_BYTES: &str = "logrec.cut_bytes";

fn valid_utf8(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default(),
    }
}

/// Iterator over [`RecordRef::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    raw: RawFields<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldRef<'a>;

    fn next(&mut self) -> Option<FieldRef<'a>> {
        Some(match self.raw.next()? {
            RawField::Text(tag, text) => {
                let text = valid_utf8(text);
                match tag {
                    TextTag::Module => FieldRef::Module(text),
                    TextTag::Function => FieldRef::Function(text),
                    TextTag::File => FieldRef::File(text),
                    TextTag::ThreadName => FieldRef::ThreadName(text),
                    TextTag::Service => FieldRef::Service(text),
                    TextTag::TraceId => FieldRef::TraceId(text),
                    TextTag::SpanId => FieldRef::SpanId(text),
                }
            }
            RawField::Number(tag, number) => match tag {
                NumberTag::Line => FieldRef::Line(number),
                NumberTag::Thread => FieldRef::Thread(number),
                NumberTag::Process => FieldRef::Process(number),
                NumberTag::CutBytes => FieldRef::CutBytes(number),
            },
            RawField::Attribute(name, value) => FieldRef::Attribute(valid_utf8(name), value),
        })
    }
}

/// A field as it lies there: text not yet checked to be UTF-8, for who writes it out anyway.
#[derive(Clone, Copy, Debug)]
pub enum RawField<'a> {
    /// A text.
    Text(TextTag, &'a [u8]),
    /// A number.
    Number(NumberTag, u64),
    /// An attribute: name and value.
    Attribute(&'a [u8], ValueRef<'a>),
}

/// Which text a [`RawField`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of `Entry`, documented there")]
pub enum TextTag {
    Module,
    Function,
    File,
    ThreadName,
    Service,
    TraceId,
    SpanId,
}

/// Which number a [`RawField`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of `Entry`, documented there")]
pub enum NumberTag {
    Line,
    Thread,
    Process,
    CutBytes,
}

/// Iterator over [`RecordRef::raw_fields`].
#[derive(Clone, Debug)]
pub struct RawFields<'a> {
    rest: Bytes<'a>,
}

impl<'a> Iterator for RawFields<'a> {
    type Item = RawField<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawField<'a>> {
        loop {
            let tag = match self.rest.u8()? {
                MESSAGE | EXCEPTION | LOGGER => {
                    let len = self.rest.u32()?;
                    self.rest.take(len)?;
                    continue;
                }
                ATTRIBUTE => {
                    let name = self.rest.name_bytes()?;
                    return Some(RawField::Attribute(name, self.rest.value(0)?));
                }
                LINE => return self.number(NumberTag::Line),
                THREAD => return self.number(NumberTag::Thread),
                PROCESS => return self.number(NumberTag::Process),
                CUT => return self.number(NumberTag::CutBytes),
                MODULE => TextTag::Module,
                FUNCTION => TextTag::Function,
                FILE => TextTag::File,
                THREAD_NAME => TextTag::ThreadName,
                SERVICE => TextTag::Service,
                TRACE_ID => TextTag::TraceId,
                SPAN_ID => TextTag::SpanId,
                _ => return None,
            };
            let len = self.rest.u32()?;
            return self.rest.take(len).map(|text| RawField::Text(tag, text));
        }
    }
}

impl<'a> RawFields<'a> {
    #[inline]
    fn number(&mut self, tag: NumberTag) -> Option<RawField<'a>> {
        self.rest.u64().map(|number| RawField::Number(tag, number))
    }
}

/// An attribute's value, borrowed from a record.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they are the variants of `Value`, documented there")]
pub enum ValueRef<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(&'a str),
    Array(Items<'a>),
    Map(Items<'a>),
}

impl ValueRef<'_> {
    /// The number this is, or `None`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers are compared as f64, as JSON does")]
    pub const fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Int(n) => Some(n as f64),
            Self::UInt(n) => Some(n as f64),
            Self::Float(n) => Some(n),
            _ => None,
        }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::UInt(v) => Value::UInt(v),
            Self::Float(v) => Value::Float(v),
            Self::Str(v) => Value::Str(v.to_owned()),
            Self::Array(items) => Value::Array(items.map(|(_, v)| v.to_value()).collect()),
            Self::Map(items) => {
                Value::Map(items.map(|(k, v)| (k.to_owned(), v.to_value())).collect())
            }
        }
    }
}

/// The items of a list or map; in a list the names are empty. Copy it to iterate twice.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    rest: Bytes<'a>,
    left: usize,
    named: bool,
    depth: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = if self.named { self.rest.name()? } else { "" };
        Some((name, self.rest.value(self.depth)?))
    }
}

/// A cursor over bytes that are not trusted.
#[derive(Clone, Copy, Debug)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    #[inline]
    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    #[inline]
    fn u32(&mut self) -> Option<usize> {
        self.array().map(|b| u32::from_le_bytes(b) as usize)
    }

    #[inline]
    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.u32()?;
        self.take(len).map(valid_utf8)
    }

    #[inline]
    fn name_bytes(&mut self) -> Option<&'a [u8]> {
        let len = u16::from_le_bytes(self.array()?);
        self.take(len.into())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.name_bytes().map(valid_utf8)
    }

    /// Reads a value and moves past it.
    fn value(&mut self, depth: usize) -> Option<ValueRef<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match self.u8()? {
            0 => ValueRef::Null,
            1 => ValueRef::Bool(false),
            2 => ValueRef::Bool(true),
            3 => ValueRef::Int(i64::from_le_bytes(self.array()?)),
            4 => ValueRef::UInt(self.u64()?),
            5 => ValueRef::Float(f64::from_le_bytes(self.array()?)),
            6 => ValueRef::Str(self.text()?),
            kind @ (7 | 8) => {
                let left = self.u32()?;
                let items = Items { rest: *self, left, named: kind == 8, depth: depth + 1 };
                // Each item takes at least a byte, so a wrong count ends with the bytes.
                let mut skip = items;
                for _ in 0..left {
                    skip.next()?;
                }
                self.0 = skip.rest.0;
                if kind == 8 { ValueRef::Map(items) } else { ValueRef::Array(items) }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
#[path = "record/tests.rs"]
mod tests;
