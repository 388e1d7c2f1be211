//! How a [`RecordWriter`] lays down each kind of thing: texts with their lengths, numbers, values, and what
//! the prefix tells. What an entry is made of is told in `write`.

use std::fmt::{self, Write as _};

use super::{
    write::{SHORT_TEXT_MAX, TEXT_HEADER_MAX},
    *,
};
use crate::Value;

/// Longest attribute name, in bytes.
const NAME_MAX: usize = 128;

impl RecordWriter<'_> {
    /// Formats a message or an exception in place; where its text begins.
    #[inline]
    pub(super) fn long_formatted(&mut self, tag: u8, text: &impl fmt::Display) -> usize {
        self.buf.extend_from_slice(&[tag, 0, 0]);
        let start = self.buf.len();
        self.format_into(text);
        match u16::try_from(self.buf.len() - start) {
            Ok(len) if len < LONG_LENGTH_FOLLOWS => {
                self.buf[start - 2..start].copy_from_slice(&len.to_le_bytes());
                start
            }
            _ => {
                self.buf[start - 2..start].copy_from_slice(&LONG_LENGTH_FOLLOWS.to_le_bytes());
                self.insert_len(start);
                start + 4
            }
        }
    }

    /// Inserts the length of the text that began at `start` before it.
    #[cold]
    pub(super) fn insert_len(&mut self, start: usize) {
        let end = self.buf.len();
        self.buf.extend_from_slice(&[0; 4]);
        self.buf.copy_within(start..end, start + 4);
        self.buf[start..start + 4].copy_from_slice(&word(end - start).to_le_bytes());
    }

    /// Notes in the prefix where the message lies.
    #[inline]
    pub(super) fn note_message(&mut self, start: usize, len: usize) {
        let both = match (u16::try_from(start), u16::try_from(len)) {
            (Ok(start), Ok(len)) if start < UNTOLD => u32::from(start) | u32::from(len) << 16,
            _ => UNTOLD.into(),
        };
        self.buf[..4].copy_from_slice(&both.to_le_bytes());
    }

    /// Notes in the prefix where the exception's field begins.
    #[inline]
    pub(super) fn note_exception(&mut self, at: usize) {
        let at = u16::try_from(at).unwrap_or(UNTOLD);
        self.buf[4..6].copy_from_slice(&at.to_le_bytes());
    }

    /// Notes in the prefix where the logger lies.
    #[inline]
    pub(super) fn note_logger(&mut self, start: usize, len: usize) {
        let both = match (u8::try_from(start), u8::try_from(len)) {
            (Ok(start), Ok(len)) if start < UNTOLD_LOGGER => [start, len],
            _ => [UNTOLD_LOGGER, 0],
        };
        self.buf[6..8].copy_from_slice(&both);
    }

    /// Appends a tag, a length and as much of a text as fits; says how many bytes that were.
    #[inline]
    pub(super) fn text(&mut self, tag: u8, text: &str, most: usize) -> usize {
        let kept = self.fitting(text, most);
        self.counted(tag, kept.len());
        self.buf.extend_from_slice(kept.as_bytes());
        kept.len()
    }

    /// The same for a message or an exception.
    #[inline]
    pub(super) fn long_text(&mut self, tag: u8, text: &str, most: usize) -> usize {
        let kept = self.fitting(text, most);
        let len = u16::try_from(kept.len()).unwrap_or(LONG_LENGTH_FOLLOWS);
        let [a, b] = len.to_le_bytes();
        // One write of them: a tag, then zeros, then the length over them costs a third more.
        self.buf.extend_from_slice(&[tag, a, b]);
        if len == LONG_LENGTH_FOLLOWS {
            self.buf.extend_from_slice(&word(kept.len()).to_le_bytes());
        }
        self.buf.extend_from_slice(kept.as_bytes());
        kept.len()
    }

    /// A tag or type, and a length.
    #[inline]
    pub(super) fn counted(&mut self, tag: u8, len: usize) {
        let short = u8::try_from(len).unwrap_or(LENGTH_FOLLOWS);
        self.buf.extend_from_slice(&[tag, short]);
        if short == LENGTH_FOLLOWS {
            self.buf.extend_from_slice(&word(len).to_le_bytes());
        }
    }

    /// As much of a text as there is room for after its tag and length.
    #[inline]
    pub(super) fn fitting<'t>(&mut self, text: &'t str, most: usize) -> &'t str {
        let room = self.limit.saturating_sub(self.buf.len() + TEXT_HEADER_MAX).min(most);
        if text.len() <= room { text } else { self.cut(text, room) }
    }

    /// What of a text fits into `room` bytes; the rest is counted.
    #[cold]
    pub(super) fn cut<'t>(&mut self, text: &'t str, room: usize) -> &'t str {
        let kept = &text[..text.floor_char_boundary(room)];
        self.cut_bytes += (text.len() - kept.len()) as u64;
        kept
    }

    pub(super) fn format_into(&mut self, text: &impl fmt::Display) {
        let before = self.cut_bytes;
        let mut out = CutWriter { writer: self, before };
        if write!(out, "{text}").is_err() {
            // The value's own `Display` failed: what it wrote before stays, and says so.
            self.extend_cut(" [formatting failed]", usize::MAX);
        }
    }

    #[inline]
    pub(super) fn extend_cut(&mut self, text: &str, most: usize) {
        let room = self.limit.saturating_sub(self.buf.len()).min(most);
        let kept = if text.len() <= room { text } else { self.cut(text, room) };
        self.buf.extend_from_slice(kept.as_bytes());
    }

    #[inline]
    pub(super) fn short(&mut self, tag: u8, text: &str) {
        let start = self.buf.len();
        self.text(tag, text, SHORT_TEXT_MAX);
        self.keep_or_undo(start);
    }

    /// A tag or type with the number of bytes that follow, and a number in so many.
    #[inline]
    pub(super) fn number(&mut self, tag: u8, number: u64) {
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        let [unused, ..] = (number.leading_zeros() / 8).to_le_bytes();
        // All of them, then back over the zeros: a copy whose length is not known beforehand costs more.
        self.buf.extend_from_slice(&[tag + 8 - unused, a, b, c, d, e, f, g, h]);
        self.buf.truncate(self.buf.len() - usize::from(unused));
    }

    #[inline]
    pub(super) fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.number(WHOLE, value),
            Err(_) => self.number(NEGATIVE, !value.cast_unsigned()),
        }
    }

    #[inline]
    pub(super) fn float(&mut self, value: f64) {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        self.buf.extend_from_slice(&[FLOAT, a, b, c, d, e, f, g, h]);
    }

    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        let (kept, len) = self.named(name);
        self.buf.extend_from_slice(&[ATTRIBUTE, len]);
        self.buf.extend_from_slice(kept.as_bytes());
    }

    pub(super) fn short_name(&mut self, name: &str) {
        let (kept, len) = self.named(name);
        self.buf.push(len);
        self.buf.extend_from_slice(kept.as_bytes());
    }

    /// What is kept of a name, and the length of that.
    #[inline]
    pub(super) fn named<'n>(&mut self, name: &'n str) -> (&'n str, u8) {
        let kept = if name.len() <= NAME_MAX { name } else { self.cut(name, NAME_MAX) };
        (kept, u8::try_from(kept.len()).unwrap_or_default())
    }

    #[inline]
    pub(super) fn text_value(&mut self, text: &str) {
        self.text(TEXT, text, usize::MAX);
    }

    pub(super) fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.buf.push(NULL),
            Value::Bool(v) => self.buf.push(FALSE + u8::from(*v)),
            Value::Int(v) => self.int(*v),
            Value::UInt(v) => self.number(WHOLE, *v),
            Value::Float(v) => self.float(*v),
            Value::Str(v) => self.text_value(v),
            Value::Array(_) | Value::Map(_) if depth >= DEPTH_MAX => self.text_value("…"),
            Value::Array(items) => {
                self.counted(LIST, items.len());
                for item in items {
                    self.value(item, depth + 1);
                }
            }
            Value::Map(items) => {
                self.counted(MAP, items.len());
                for (name, item) in items {
                    self.short_name(name);
                    self.value(item, depth + 1);
                }
            }
        }
    }
}

/// A length or position as a record holds it. Records are cut far below 4 GB.
#[inline]
fn word(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Cuts what is formatted at the record's limit, and counts what it cut.
struct CutWriter<'w, 'a> {
    writer: &'w mut RecordWriter<'a>,
    /// What had been cut when this text began.
    before: u64,
}

impl fmt::Write for CutWriter<'_, '_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Once something of this text was cut nothing more may follow it.
        let most = if self.writer.cut_bytes > self.before { 0 } else { usize::MAX };
        self.writer.extend_cut(text, most);
        Ok(())
    }
}
