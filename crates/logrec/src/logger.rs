//! The bridge for programs that use the `log` crate.

use log::kv::{self, VisitSource, VisitValue};
use logrec_core::{Level, Timestamp, record::RecordWriter};

use crate::{LogBuffer, thread};

/// A [`log::Log`] that records into a [`LogBuffer`], and hands on to another logger if it was given
/// one. Made by [`LogBuffer::logger`] and [`LogBuffer::tee`].
pub struct LogrecLogger {
    buffer: LogBuffer,
    inner: Option<Box<dyn log::Log>>,
}

impl std::fmt::Debug for LogrecLogger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogrecLogger").field("buffer", &self.buffer).finish_non_exhaustive()
    }
}

impl LogBuffer {
    /// A logger that records all it is given into this buffer.
    #[must_use]
    pub fn logger(&self) -> LogrecLogger {
        LogrecLogger { buffer: self.clone(), inner: None }
    }

    /// A logger that records all it is given into this buffer, and hands on to `inner` what that is
    /// enabled for.
    ///
    /// ```
    /// # struct Printer;
    /// # impl log::Log for Printer {
    /// #     fn enabled(&self, _: &log::Metadata<'_>) -> bool { true }
    /// #     fn log(&self, _: &log::Record<'_>) {}
    /// #     fn flush(&self) {}
    /// # }
    /// let buffer = logrec::LogBuffer::new();
    /// log::set_boxed_logger(Box::new(buffer.tee(Box::new(Printer))))?;
    /// log::set_max_level(log::LevelFilter::Debug);
    /// log::info!("seen by both");
    /// assert_eq!(buffer.stats().entries, 1);
    /// # Ok::<(), log::SetLoggerError>(())
    /// ```
    #[must_use]
    pub fn tee(&self, inner: Box<dyn log::Log>) -> LogrecLogger {
        LogrecLogger { buffer: self.clone(), inner: Some(inner) }
    }

    /// Makes this buffer the program's logger, for all levels; less with [`log::set_max_level`]
    /// afterwards.
    ///
    /// # Errors
    /// If the program has a logger already. Then [`LogBuffer::tee`] takes that one in.
    pub fn init_log(&self) -> Result<(), log::SetLoggerError> {
        log::set_boxed_logger(Box::new(self.logger()))?;
        log::set_max_level(log::LevelFilter::Trace);
        Ok(())
    }
}

impl log::Log for LogrecLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let now = Timestamp::now();
        self.buffer.ring().record(now, now, level(record.level()), |writer| {
            writer.logger(record.target());
            if let Some(module) = record.module_path() {
                writer.module(module);
            }
            if let Some(file) = record.file() {
                writer.file(file);
            }
            if let Some(line) = record.line() {
                writer.line(line);
            }
            thread::write(writer);
            self.buffer.stamp(writer);
            match record.args().as_str() {
                Some(text) => writer.message_str(text),
                None => writer.message(record.args()),
            }
            // The visitor never fails.
            let _ = record.key_values().visit(&mut KeyValues { writer });
        });
        if let Some(inner) = &self.inner
            && inner.enabled(record.metadata())
        {
            inner.log(record);
        }
    }

    fn flush(&self) {
        if let Some(inner) = &self.inner {
            inner.flush();
        }
    }
}

const fn level(level: log::Level) -> Level {
    match level {
        log::Level::Trace => Level::Trace,
        log::Level::Debug => Level::Debug,
        log::Level::Info => Level::Info,
        log::Level::Warn => Level::Warning,
        log::Level::Error => Level::Error,
    }
}

struct KeyValues<'w, 'a> {
    writer: &'w mut RecordWriter<'a>,
}

impl<'kvs> VisitSource<'kvs> for KeyValues<'_, '_> {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        value.visit(KeyValue { name: key.as_str(), writer: self.writer })
    }
}

struct KeyValue<'n, 'w, 'a> {
    name: &'n str,
    writer: &'w mut RecordWriter<'a>,
}

impl<'v> VisitValue<'v> for KeyValue<'_, '_, '_> {
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.writer.attribute_display(self.name, &value);
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.writer.attribute(self.name, &logrec_core::Value::Null);
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.writer.attribute_uint(self.name, value);
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.writer.attribute_int(self.name, value);
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.writer.attribute_float(self.name, value);
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.writer.attribute_bool(self.name, value);
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        match self.name {
            "trace_id" => self.writer.trace_id(value),
            "span_id" => self.writer.span_id(value),
            name => self.writer.attribute_str(name, value),
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "logger/tests.rs"]
mod tests;
