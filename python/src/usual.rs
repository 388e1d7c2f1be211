//! The usual record: with nothing unusual about it and no attribute added it becomes an entry straight, its
//! attributes read as `extent` tells them. Every other is read attribute by attribute by `capture`.

use logrec_core::{Level, Timestamp, record::Prepared};
use pyo3::{
    Borrowed, intern,
    prelude::*,
    types::{PyFloat, PyInt, PyString},
};

use crate::{
    access,
    capture::{Settings, To},
    extent, message,
    site::Key,
    value,
};

macro_rules! attributes {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// What is read of a record.
        #[derive(Clone, Copy)]
        enum Attribute { $($variant),* }
        pub(crate) const ATTRIBUTES_COUNT: usize = [$(Attribute::$variant),*].len();
        pub(crate) const ATTRIBUTES: [&str; ATTRIBUTES_COUNT] = [$($name),*];
    };
}
attributes! {
    Name "name", Msg "msg", Args "args", Level "levelno", Path "pathname", Module "module",
    ExcInfo "exc_info", ExcText "exc_text", StackInfo "stack_info", Line "lineno",
    Function "funcName", Created "created", Thread "thread", ThreadName "threadName",
    ProcessName "processName", Process "process", TaskName "taskName",
}

/// The attributes of a record.
pub(crate) type Attributes<'a, 'py> = extent::Attributes<'a, 'py, ATTRIBUTES_COUNT>;

/// The one that a record gets last, which `_buffer.py` looks up.
pub(crate) fn last_attribute(py: Python<'_>) -> &'static str {
    if py.version_info() >= (3, 12) { "taskName" } else { "process" }
}

/// Records a usual record; `None` when anything about it is not as usual. The caller has looked up the record's
/// [`last_attribute`] and `LogRecord.getMessage`, as they are now: there that costs a few nanoseconds, the
/// interpreter's caches being made for it, here ten times that.
pub(crate) fn record<'py>(
    to: To<'_>,
    record: &Bound<'py, PyAny>,
    last: &Bound<'py, PyAny>,
    get_message: &Bound<'py, PyAny>,
) -> Option<()> {
    // Runs code of Python's, so before attributes are lent.
    let span = crate::capture::current_span(record.py());
    message::with_attributes(record, last, get_message, |attributes| {
        Given { attributes }.record(to, span)
    })
}

/// A record that may be usual. Nothing here runs code of Python's.
struct Given<'a, 'py> {
    attributes: Attributes<'a, 'py>,
}

impl<'a, 'py> Given<'a, 'py> {
    #[inline]
    fn get(&self, attribute: Attribute) -> Option<Borrowed<'a, 'py, PyAny>> {
        self.attributes.get(attribute as usize)
    }

    #[inline]
    fn is_none(&self, attribute: Attribute) -> bool {
        self.get(attribute).is_some_and(|value| value.is_none())
    }

    #[inline]
    fn string(&self, attribute: Attribute) -> Option<Borrowed<'a, 'py, PyString>> {
        self.get(attribute)?.cast_exact().ok()
    }

    /// `None` for what is no string, or has a lone surrogate.
    #[inline]
    fn text(&self, attribute: Attribute) -> Option<&'a str> {
        self.string(attribute)?;
        <&str>::extract(self.get(attribute)?).ok()
    }

    #[inline]
    fn int(&self, attribute: Attribute) -> Option<i64> {
        self.get(attribute)?.cast_exact::<PyInt>().ok()?.extract().ok()
    }

    fn record(&self, to: To<'_>, span: Option<(u128, u64)>) -> Option<()> {
        use Attribute as A;
        if !(self.is_none(A::ExcInfo) && self.is_none(A::ExcText) && self.is_none(A::StackInfo)) {
            return None;
        }
        let level = self.int(A::Level)?;
        // Another number has a name to be told.
        if !(10..=50).contains(&level) || level % 10 != 0 {
            return None;
        }
        if level < to.settings.level {
            return Some(());
        }
        let thread = u64::try_from(self.int(A::Thread)?).ok()?;
        let thread_name = self.text(A::ThreadName)?;
        let process_name = self.process_name()?;
        let task_name = match self.get(A::TaskName) {
            Some(name) if !name.is_none() => Some(self.text(A::TaskName)?),
            _ => None,
        };
        let created = self.get(A::Created)?.cast_exact::<PyFloat>().ok()?.value();
        let (msg, args) = (self.get(A::Msg)?, self.get(A::Args)?);
        message::with_written(&msg, &args, |message| {
            let key = self.key()?;
            let site = to.sites.find(&key, || self.encode(&key, to.settings))?;
            let observed = Timestamp::now();
            let created = Timestamp::from_epoch_seconds(created).unwrap_or(observed);
            to.ring.record(created, observed, Level::from_python(level), |writer| {
                site.write(writer);
                writer.thread(thread);
                writer.thread_name(thread_name);
                if let Some((trace, span)) = span {
                    writer.trace_id(&format!("{trace:032x}"));
                    writer.span_id(&format!("{span:016x}"));
                }
                if let Some(name) = task_name {
                    writer.attribute_str("task_name", name);
                }
                if let Some(name) = process_name {
                    writer.attribute_str("process_name", name);
                }
                writer.message_str(message);
            });
            Some(())
        })
    }

    /// The process's name, if it has one of its own. Where it has none it is as a rule the one string that
    /// logging's code has for that.
    #[inline]
    fn process_name(&self) -> Option<Option<&'a str>> {
        let name = self.string(Attribute::ProcessName)?;
        if name.as_ptr() == intern!(name.py(), value::MAIN_PROCESS).as_ptr() {
            return Some(None);
        }
        let name = self.text(Attribute::ProcessName)?;
        Some((name != value::MAIN_PROCESS).then_some(name))
    }

    #[inline]
    fn key(&self) -> Option<Key<'a, 'py>> {
        use Attribute as A;
        Some(Key {
            logger: self.string(A::Name)?,
            file: self.string(A::Path)?,
            function: self.string(A::Function)?,
            module: self.text(A::Module)?,
            line: u32::try_from(self.int(A::Line)?).ok()?,
            process: u64::try_from(self.int(A::Process)?).ok()?,
        })
    }

    /// What all records of its call have in common.
    fn encode(&self, key: &Key<'_, '_>, settings: &Settings) -> Option<Prepared> {
        use Attribute as A;
        let logger = self.text(A::Name)?;
        let (file, function) = (self.text(A::Path)?, self.text(A::Function)?);
        // Of these `capture` looks at what they say.
        if access::is_logger(logger) || logger == access::WEBSOCKET_LOGGER {
            return None;
        }
        Some(Prepared::new(|writer| {
            writer.logger(logger);
            writer.code(Some(key.module), Some(function), Some(file));
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
