//! [`Entry`]: one log record, owned.
//!
//! This is the form decoders make and callers hand in. Inside the ring an entry is bytes
//! ([`crate::record`]); a reader borrows from those and makes an `Entry` only when it must keep one.

use crate::{Level, Timestamp, Value};

/// One log record, as OpenTelemetry's `LogRecord` or Python's `logging.LogRecord`.
///
/// Only `message` is needed. What is not known is `None` or empty, and is left out on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// When it happened, by the source's clock.
    pub timestamp: Timestamp,
    /// How severe it is.
    pub level: Level,
    /// Who says it: logging name, tracing target, OTLP scope name. May be empty.
    pub logger: String,
    /// What it says. May be empty, may hold any text.
    pub message: String,
    /// Module of the code that logged.
    pub module: Option<String>,
    /// Function of the code that logged.
    pub function: Option<String>,
    /// Line of the code that logged, from 1.
    pub line: Option<u32>,
    /// Operating system's or runtime's number of the thread.
    pub thread: Option<u64>,
    /// Name of the thread.
    pub thread_name: Option<String>,
    /// The full stack trace, lines separated by `\n`, when there is one.
    pub exception: Option<String>,
    /// File of the code that logged.
    pub file: Option<String>,
    /// Operating system's number of the process.
    pub process: Option<u64>,
    /// Name of the service, as OpenTelemetry's `service.name`.
    pub service: Option<String>,
    /// W3C trace id, 32 hexadecimal digits as the source wrote them.
    pub trace_id: Option<String>,
    /// W3C span id, 16 hexadecimal digits as the source wrote them.
    pub span_id: Option<String>,
    /// Everything else, in the order given.
    pub attributes: Vec<(String, Value)>,
}

impl Entry {
    /// An entry with a message, at a time, everything else at its default.
    #[must_use]
    pub fn new(timestamp: Timestamp, level: Level, message: impl Into<String>) -> Self {
        Self { timestamp, level, message: message.into(), ..Self::default() }
    }

    /// The first attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}
