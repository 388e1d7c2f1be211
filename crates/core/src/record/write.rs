//! [`RecordWriter`]: fields to bytes, as a writer learns them.

use std::fmt;

use super::*;
use crate::{Entry, Value};

/// Longest logger, module, thread name and the like, in bytes.
pub(super) const SHORT_TEXT_MAX: usize = 1024;
/// Most bytes of a text's field before the text.
pub(super) const TEXT_HEADER_MAX: usize = 7;
/// Bytes of a field whose text lies in another.
const ELSEWHERE_BYTES: usize = 4;
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
    pub(super) buf: &'a mut Vec<u8>,
    pub(super) limit: usize,
    pub(super) cut_bytes: u64,
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
    pub fn finish(mut self) -> bool {
        if self.cut_bytes > 0 {
            self.number(CUT, self.cut_bytes);
        }
        self.cut_bytes > 0
    }

    /// What the entry says.
    #[inline]
    pub fn message(&mut self, text: &impl fmt::Display) {
        let start = self.long_formatted(MESSAGE, text);
        self.note_message(start, self.buf.len() - start);
    }

    /// The message, already text.
    #[inline]
    pub fn message_str(&mut self, text: &str) {
        self.message_of(text, usize::MAX);
    }

    #[inline]
    fn message_of(&mut self, text: &str, most: usize) {
        let kept = self.long_text(MESSAGE, text, most);
        self.note_message(self.buf.len() - kept, kept);
    }

    /// The stack trace or chain of causes.
    #[inline]
    pub fn exception(&mut self, text: &impl fmt::Display) {
        let at = self.buf.len();
        self.long_formatted(EXCEPTION, text);
        self.note_exception(at);
    }

    /// Who says it.
    #[inline]
    pub fn logger(&mut self, name: &str) {
        let kept = self.text(LOGGER, name, SHORT_TEXT_MAX);
        self.note_logger(self.buf.len() - kept, kept);
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
        if let Some((at, len)) = prepared.logger {
            self.note_logger(start + at, len);
        }
        if let Some(at) = prepared.exception {
            self.note_exception(start + at);
        }
        if let Some((at, len)) = prepared.message {
            self.note_message(start + at, len);
        }
    }

    /// The code's module, function and file, as far as they are known. Rather than one by one: a module that
    /// bears the name of its file, as Python's do, then takes four bytes.
    pub fn code(&mut self, module: Option<&str>, function: Option<&str>, file: Option<&str>) {
        if let Some(module) = module
            && !self.module_of_file(module, function, file)
        {
            self.module(module);
        }
        if let Some(function) = function {
            self.function(function);
        }
        if let Some(file) = file {
            self.file(file);
        }
    }

    /// Notes that the module lies in the file's name, where all that is told of the code fits.
    fn module_of_file(&mut self, module: &str, function: Option<&str>, file: Option<&str>) -> bool {
        const SHORT: usize = LENGTH_FOLLOWS as usize;
        let (file, function_len) = (file.unwrap_or_default(), function.map_or(0, str::len));
        let stem = &file[..file.rfind('.').unwrap_or(file.len())];
        if module.is_empty()
            || !stem.ends_with(module)
            || function_len >= SHORT
            || file.len() >= SHORT
            || self.buf.len() + function_len + file.len() + 3 * TEXT_HEADER_MAX > self.limit
        {
            return false;
        }
        let function_bytes = function.map_or(0, |name| 2 + name.len());
        let stem_at = ELSEWHERE_BYTES + function_bytes + 2 + stem.len() - module.len();
        self.elsewhere(MODULE, self.buf.len() + stem_at, module.len())
    }

    /// A text that lies at a place of this record already, or will. False when it is too far.
    fn elsewhere(&mut self, tag: u8, at: usize, len: usize) -> bool {
        let distance = at.cast_signed() - self.buf.len().cast_signed();
        let (Ok(distance), Ok(len)) = (i16::try_from(distance), u8::try_from(len)) else {
            return false;
        };
        let [a, b] = distance.to_le_bytes();
        self.buf.extend_from_slice(&[tag + ELSEWHERE, a, b, len]);
        true
    }

    /// The code's module. Takes four bytes where it is the logger given before, as `tracing`'s targets are.
    #[inline]
    pub fn module(&mut self, name: &str) {
        let start = self.buf.len();
        let (at, len) = (usize::from(self.buf[6]), usize::from(self.buf[7]));
        let logger = self.buf.get(at..at + len).unwrap_or_default();
        let is_logger = at != usize::from(UNTOLD_LOGGER) && logger == name.as_bytes();
        if !name.is_empty() && is_logger && self.elsewhere(MODULE, at, len) {
            self.keep_or_undo(start);
        } else {
            self.short(MODULE, name);
        }
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
        match THREAD_NAMES.iter().zip(0..).find(|(known, _)| **known == name) {
            Some((_, index)) => self.buf.extend_from_slice(&[KNOWN_THREAD_NAME, index]),
            None => self.short(THREAD_NAME, name),
        }
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
        let start = self.buf.len();
        self.name(name);
        self.int(value);
        self.keep_or_undo(start);
    }

    /// A whole number that may exceed `i64`.
    #[inline]
    pub fn attribute_uint(&mut self, name: &str, value: u64) {
        let start = self.buf.len();
        self.name(name);
        self.number(WHOLE, value);
        self.keep_or_undo(start);
    }

    /// A number.
    #[inline]
    pub fn attribute_float(&mut self, name: &str, value: f64) {
        let start = self.buf.len();
        self.name(name);
        self.float(value);
        self.keep_or_undo(start);
    }

    /// True or false.
    #[inline]
    pub fn attribute_bool(&mut self, name: &str, value: bool) {
        let start = self.buf.len();
        self.name(name);
        self.buf.push(FALSE + u8::from(value));
        self.keep_or_undo(start);
    }

    /// Text, formatted in place.
    #[inline]
    pub fn attribute_display(&mut self, name: &str, value: &impl fmt::Display) {
        let start = self.buf.len();
        self.name(name);
        self.buf.extend_from_slice(&[TEXT, 0]);
        let at = self.buf.len();
        // With room for a longer length.
        self.limit = self.limit.saturating_sub(4);
        self.format_into(value);
        self.limit = self.limit.saturating_add(4);
        match u8::try_from(self.buf.len() - at) {
            Ok(len) if len < LENGTH_FOLLOWS => self.buf[at - 1] = len,
            _ => {
                self.buf[at - 1] = LENGTH_FOLLOWS;
                self.insert_len(at);
            }
        }
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
        self.counted(LIST, texts.len());
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

    /// A field that went over the limit goes as a whole; the record stays well formed. Numbers and
    /// names of a cut text may exceed the limit by a few bytes, which the ring has room for.
    #[inline]
    pub(super) fn keep_or_undo(&mut self, start: usize) {
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
        // The logger first: near the start the prefix has room to tell where it lies.
        self.logger(&entry.logger);
        self.message_of(&entry.message, message_most);
        if entry.exception.is_some() {
            let at = self.buf.len();
            self.long_text(EXCEPTION, exception, usize::MAX);
            self.note_exception(at);
        }
        self.code(entry.module.as_deref(), entry.function.as_deref(), entry.file.as_deref());
        if let Some(name) = &entry.thread_name {
            self.thread_name(name);
        }
        for (tag, text) in
            [(SERVICE, &entry.service), (TRACE_ID, &entry.trace_id), (SPAN_ID, &entry.span_id)]
        {
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
