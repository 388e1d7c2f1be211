//! The usual record, whose attributes the Python half has read: there one costs a few nanoseconds, the
//! interpreter's caches being made for it, here ten times that. With nothing unusual about it and no
//! attribute added it becomes an entry straight; every other is read attribute by attribute by `capture`.

use logrec_core::{Level, Timestamp, record::Prepared};
use pyo3::{
    prelude::*,
    types::{PyFloat, PyInt, PyString},
};

use crate::{
    access,
    capture::{Settings, To},
    message,
    site::Key,
    value,
};

/// A record and what was read of it.
pub(crate) struct Given<'a, 'py> {
    pub(crate) record: &'a Bound<'py, PyAny>,
    pub(crate) name: &'a Bound<'py, PyAny>,
    pub(crate) msg: &'a Bound<'py, PyAny>,
    pub(crate) args: &'a Bound<'py, PyAny>,
    pub(crate) level: &'a Bound<'py, PyAny>,
    pub(crate) path: &'a Bound<'py, PyAny>,
    pub(crate) module: &'a Bound<'py, PyAny>,
    /// `exc_info or exc_text or stack_info`: with one of them it is not usual.
    pub(crate) trace: &'a Bound<'py, PyAny>,
    pub(crate) line: &'a Bound<'py, PyAny>,
    pub(crate) function: &'a Bound<'py, PyAny>,
    pub(crate) created: &'a Bound<'py, PyAny>,
    pub(crate) thread: &'a Bound<'py, PyAny>,
    pub(crate) thread_name: &'a Bound<'py, PyAny>,
    pub(crate) process_name: &'a Bound<'py, PyAny>,
    pub(crate) process: &'a Bound<'py, PyAny>,
    pub(crate) task_name: &'a Bound<'py, PyAny>,
    /// `LogRecord.getMessage`, as it is now.
    pub(crate) get_message: &'a Bound<'py, PyAny>,
}

impl<'py> Given<'_, 'py> {
    /// Records it, without running any code of Python's; `None` when anything about it is not as usual.
    pub(crate) fn record(&self, to: To<'_>) -> Option<()> {
        let level = int(self.level)?;
        if !self.trace.is_none()
            || !message::is_usual(self.record, self.get_message)
            // Another number has a name to be told.
            || !(10..=50).contains(&level)
            || level % 10 != 0
        {
            return None;
        }
        if level < to.settings.level {
            return Some(());
        }
        let thread = u64::try_from(int(self.thread)?).ok()?;
        let thread_name = text(self.thread_name)?;
        let process_name = text(self.process_name)?;
        let task_name = (!self.task_name.is_none()).then_some(self.task_name);
        let task_name = task_name.map(text).map_or(Some(None), |name| name.map(Some))?;
        let created = self.created.cast_exact::<PyFloat>().ok()?.value();
        message::with_written(self.msg, self.args, |message| {
            let key = self.key()?;
            let site = to.sites.find(&key, || self.encode(&key, to.settings))?;
            let observed = Timestamp::now();
            let created = Timestamp::from_epoch_seconds(created).unwrap_or(observed);
            to.ring.record(created, observed, Level::from_python(level), |writer| {
                site.write(writer);
                writer.thread(thread);
                writer.thread_name(thread_name);
                if let Some((trace, span)) = crate::capture::current_span(self.record.py()) {
                    writer.trace_id(&format!("{trace:032x}"));
                    writer.span_id(&format!("{span:016x}"));
                }
                if let Some(name) = task_name {
                    writer.attribute_str("task_name", name);
                }
                if process_name != value::MAIN_PROCESS {
                    writer.attribute_str("process_name", process_name);
                }
                writer.message_str(message);
            });
            Some(())
        })
    }

    fn key(&self) -> Option<Key<'_, 'py>> {
        Some(Key {
            logger: self.name.cast_exact::<PyString>().ok()?.as_borrowed(),
            file: self.path.cast_exact::<PyString>().ok()?.as_borrowed(),
            function: self.function.cast_exact::<PyString>().ok()?.as_borrowed(),
            module: text(self.module)?,
            line: u32::try_from(int(self.line)?).ok()?,
            process: u64::try_from(int(self.process)?).ok()?,
        })
    }

    /// What all records of its call have in common.
    fn encode(&self, key: &Key<'_, '_>, settings: &Settings) -> Option<Prepared> {
        let logger = text(self.name)?;
        let (file, function) = (text(self.path)?, text(self.function)?);
        // Of these `capture` looks at what they say.
        if access::is_logger(logger) || logger == access::WEBSOCKET_LOGGER {
            return None;
        }
        Some(Prepared::new(|writer| {
            writer.logger(logger);
            writer.module(key.module);
            writer.function(function);
            writer.file(file);
            if key.line > 0 {
                writer.line(key.line);
            }
            writer.process(key.process);
            if let Some(service) = &settings.service {
                writer.service(service);
            }
        }))
    }
}

/// `None` for what is no string, or has a lone surrogate.
fn text<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast_exact::<PyString>().ok()?.to_str().ok()
}

fn int(value: &Bound<'_, PyAny>) -> Option<i64> {
    value.cast_exact::<PyInt>().ok()?.extract().ok()
}
