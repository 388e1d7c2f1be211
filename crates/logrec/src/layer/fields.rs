//! Visitors that write an event's fields into its record.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use logrec_core::record::RecordWriter;
use tracing_core::{
    Metadata,
    field::{Field, Visit},
};

use crate::error_chain::ErrorChain;

/// Which fields of an event were written, and what of the record they filled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    /// A bit for each field's index. Those of an event with more than 64 fields count as given.
    mask: u64,
    message: bool,
    exception: bool,
}

impl Given {
    /// Whether the event itself gave this field of its callsite.
    pub(super) fn has(&self, field: &Field) -> bool {
        bit(field).is_none_or(|bit| self.mask & bit != 0)
    }
}

/// Writes an event's fields, typed as they come.
pub(super) struct EventFields<'w, 'a> {
    writer: &'w mut RecordWriter<'a>,
    given: Given,
    bridged: bool,
}

impl<'w, 'a> EventFields<'w, 'a> {
    /// `bridged` leaves out the fields that [`BridgedFrom`] has seen to.
    #[inline]
    pub(super) fn new(writer: &'w mut RecordWriter<'a>, bridged: bool) -> Self {
        Self { writer, given: Given::default(), bridged }
    }

    /// Names an event that said nothing but was given a name.
    #[inline]
    pub(super) fn finish(self, metadata: &Metadata<'_>) -> Given {
        if !self.given.message && !metadata.name().starts_with("event ") {
            self.writer.message_str(metadata.name());
        }
        self.given
    }

    /// Notes that a field is given, and says its name.
    #[inline]
    fn give(&mut self, field: &Field) -> &'static str {
        if let Some(bit) = bit(field) {
            self.given.mask |= bit;
        }
        field.name()
    }
}

/// `None` from the 65th field on.
#[inline]
fn bit(field: &Field) -> Option<u64> {
    u32::try_from(field.index()).ok().and_then(|index| 1u64.checked_shl(index))
}

impl Visit for EventFields<'_, '_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        let name = self.give(field);
        self.writer.attribute_int(name, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let name = self.give(field);
        if !(self.bridged && name.starts_with(BridgedFrom::PREFIX)) {
            self.writer.attribute_uint(name, value);
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let name = self.give(field);
        self.writer.attribute_float(name, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let name = self.give(field);
        self.writer.attribute_bool(name, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let name = self.give(field);
        match name {
            "message" => {
                self.given.message = true;
                self.writer.message_str(value);
            }
            "exception" | "exception.stacktrace" => {
                self.given.exception = true;
                self.writer.exception(&value);
            }
            "trace_id" => {
                self.writer.trace_id(value);
            }
            "span_id" => {
                self.writer.span_id(value);
            }
            _ if self.bridged && name.starts_with(BridgedFrom::PREFIX) => {}
            _ => self.writer.attribute_str(name, value),
        }
    }

    /// Of several errors the first makes the exception.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let name = self.give(field);
        self.writer.attribute_display(name, &value);
        if !self.given.exception {
            self.given.exception = true;
            self.writer.exception(&ErrorChain(value));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = self.give(field);
        match name {
            "message" => {
                self.given.message = true;
                self.writer.message(&DebugText(value));
            }
            "exception" | "exception.stacktrace" => {
                self.given.exception = true;
                self.writer.exception(&DebugText(value));
            }
            "trace_id" | "span_id" => {
                let mut text = IdText::default();
                // An id that does not fit is cut, as the record would cut it.
                let _ = write!(text, "{value:?}");
                self.record_str(field, text.as_str());
            }
            _ => self.writer.attribute_display(name, &DebugText(value)),
        }
    }
}

/// Displays a value by its `Debug`, which is what tracing hands over for `?` and `%` alike.
struct DebugText<'a>(&'a dyn fmt::Debug);

impl fmt::Display for DebugText<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Room for an id that is formatted: 36 bytes are a UUID, 55 a W3C `traceparent`.
struct IdText {
    bytes: [u8; 64],
    len: usize,
}

impl Default for IdText {
    fn default() -> Self {
        Self { bytes: [0; 64], len: 0 }
    }
}

impl IdText {
    fn as_str(&self) -> &str {
        // Only whole characters are ever written.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl fmt::Write for IdText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let kept = &text[..text.floor_char_boundary(self.bytes.len() - self.len)];
        self.bytes[self.len..][..kept.len()].copy_from_slice(kept.as_bytes());
        self.len += kept.len();
        if kept.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Writes where an event comes from that `tracing-log` made of a record of the `log` crate: its own
/// callsite stands for all of them, and what is known of the record is in fields.
pub(super) struct BridgedFrom<'w, 'a> {
    writer: &'w mut RecordWriter<'a>,
}

impl<'w, 'a> BridgedFrom<'w, 'a> {
    const PREFIX: &'static str = "log.";

    /// Whether the callsite is one of `tracing-log`'s.
    #[inline]
    pub(super) fn is_likely(metadata: &Metadata<'_>) -> bool {
        metadata.target() == "log" && metadata.name() == "log event"
    }

    pub(super) fn new(writer: &'w mut RecordWriter<'a>, metadata: &Metadata<'_>) -> Self {
        // Stands unless the event says better: of a logger the last one counts.
        writer.logger(metadata.target());
        Self { writer }
    }
}

impl Visit for BridgedFrom<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "log.target" => self.writer.logger(value),
            "log.module_path" => self.writer.module(value),
            "log.file" => self.writer.file(value),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "log.line" {
            self.writer.line(u32::try_from(value).unwrap_or(u32::MAX));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
