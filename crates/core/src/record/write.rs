//! [`RecordWriter`]: fields to bytes, as a writer learns them.

use std::fmt::{self, Write as _};

use super::*;
use crate::{Entry, Value};

/// Longest logger, module, thread name and the like, in bytes.
const SHORT_TEXT_MAX: usize = 1024;
/// Longest attribute name, in bytes.
const NAME_MAX: usize = 128;
/// How far apart two attributes of one name are noticed.
const DUPLICATES_WITHIN: usize = 64;

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
        let mut bytes = super::read::Bytes(&buf);
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
