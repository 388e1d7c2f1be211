//! A `logging.LogRecord` to an entry: one pass over its `__dict__`, then straight into the ring.
//!
//! Nothing of it raises into the application but what is not an `Exception` (`KeyboardInterrupt` while
//! an argument is being formatted), which logging lets through too.

use std::{
    borrow::Cow,
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use logrec_core::{Level, Ring, Timestamp, record::RecordWriter};
use pyo3::{
    Borrowed, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyFloat, PyString, PyTuple},
};

use crate::{
    access::{self, Access},
    message,
    site::Sites,
    value::{self, describe, text, text_of},
};

macro_rules! record_fields {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// What a `LogRecord` has of its own, in the order it gets them.
        #[derive(Clone, Copy)]
        enum Field { $($variant),* }
        const FIELD_NAMES: [&str; [$(Field::$variant),*].len()] = [$($name),*];
    };
}
record_fields! {
    Name "name", Msg "msg", Args "args", LevelName "levelname", LevelNo "levelno",
    PathName "pathname", FileName "filename", Module "module", ExcInfo "exc_info",
    ExcText "exc_text", StackInfo "stack_info", LineNo "lineno", FuncName "funcName",
    Created "created", Msecs "msecs", RelativeCreated "relativeCreated", Thread "thread",
    ThreadName "threadName", ProcessName "processName", Process "process", TaskName "taskName",
    // Formatters add these, and uvicorn the last.
    Message "message", AscTime "asctime", ColorMessage "color_message",
    OtelTrace "otelTraceID", OtelSpan "otelSpanID", OtelSampled "otelTraceSampled",
    OtelService "otelServiceName",
}

/// Records formatting which logs: so deep, no deeper.
const DEPTH_MAX: u32 = 4;
/// What logrec has to say about an entry that it could not read in full.
const PROBLEM: &str = "logrec.problem";

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

struct Deeper;

impl Deeper {
    fn enter() -> (Self, u32) {
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        (Self, depth)
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// What every entry bears, and what is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) service: Option<String>,
    /// Paths of logrec's own API, whose access lines are no news.
    pub(crate) own_paths: Vec<String>,
    /// Records below this number are left out.
    pub(crate) level: i64,
}

/// A record's attributes by name; the rest is `extra`.
struct Fields<'py> {
    known: [Option<Bound<'py, PyAny>>; FIELD_NAMES.len()],
    extra: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>,
}

impl<'py> Fields<'py> {
    fn of(dict: &Bound<'py, PyDict>) -> Self {
        let mut fields = Self { known: [const { None }; FIELD_NAMES.len()], extra: Vec::new() };
        let names = names(dict.py());
        let mut expected = 0;
        for (key, value) in dict.iter() {
            match position(names, key.as_borrowed(), expected) {
                Some(index) => {
                    fields.known[index] = Some(value);
                    expected = index + 1;
                }
                None => fields.extra.push((key, value)),
            }
        }
        fields
    }

    fn get(&self, field: Field) -> Option<&Bound<'py, PyAny>> {
        self.known[field as usize].as_ref().filter(|value| !value.is_none())
    }

    /// A text that says something.
    fn text(&self, field: Field) -> Option<Cow<'_, str>> {
        self.get(field).and_then(text_of).filter(|text| !text.is_empty())
    }

    fn number<'a, T: FromPyObject<'a, 'py>>(&'a self, field: Field) -> Option<T> {
        self.get(field).and_then(|number| number.extract().ok())
    }
}

/// Which of a record's own attributes a key names. Names of attributes are interned, and a record has them
/// in one order, so that as a rule it is the one expected.
#[inline]
fn position(names: &Names, key: Borrowed<'_, '_, PyAny>, expected: usize) -> Option<usize> {
    let is = |name: &Py<PyString>| name.as_ptr() == key.as_ptr();
    if names.get(expected).is_some_and(is) {
        return Some(expected);
    }
    unexpected(names, key)
}

#[inline(never)]
fn unexpected(names: &Names, key: Borrowed<'_, '_, PyAny>) -> Option<usize> {
    let is = |name: &Py<PyString>| name.as_ptr() == key.as_ptr();
    names.iter().position(is).or_else(|| {
        let name = key.cast_exact::<PyString>().ok()?;
        // Lone surrogates are in no name of ours; without a look nothing is raised.
        let name = name.len().is_ok_and(|len| len <= 32).then_some(name)?;
        FIELD_NAMES.iter().position(|known| name.as_any().eq(*known).unwrap_or(false))
    })
}

/// The interned names of a record's own attributes.
type Names = [Py<PyString>; FIELD_NAMES.len()];

fn names(py: Python<'_>) -> &Names {
    static NAMES: PyOnceLock<Names> = PyOnceLock::new();
    NAMES.get_or_init(py, || FIELD_NAMES.map(|name| PyString::intern(py, name).unbind()))
}

/// Looks up now what a record is read with.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    names(py);
    message::prepare(py)
}

/// Where records go, and what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) ring: &'a Ring,
    pub(crate) settings: &'a Settings,
    pub(crate) sites: &'a Sites,
}

/// Records one `LogRecord`.
///
/// # Errors
/// Only what is no `Exception`.
pub(crate) fn record(to: To<'_>, record: &Bound<'_, PyAny>) -> PyResult<()> {
    let (_deeper, depth) = Deeper::enter();
    let error = match try_record(to, record, depth) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let py = record.py();
    if !error.is_instance_of::<pyo3::exceptions::PyException>(py) {
        return Err(error);
    }
    let problem = format!("not read: {}", describe(&error, py));
    let now = Timestamp::now();
    to.ring.record(now, now, Level::Error, |writer| {
        writer.message_str("a log record could not be read");
        writer.logger("logrec");
        writer.attribute_str(PROBLEM, &problem);
    });
    Ok(())
}

fn try_record(to: To<'_>, record: &Bound<'_, PyAny>, depth: u32) -> PyResult<()> {
    let dict = record.getattr(intern!(record.py(), "__dict__"))?.cast_into::<PyDict>()?;
    let fields = Fields::of(&dict);
    let logger = fields.text(Field::Name);
    let texts = [
        Field::Module,
        Field::FuncName,
        Field::PathName,
        Field::ThreadName,
        Field::ProcessName,
        Field::TaskName,
        Field::LevelName,
        Field::StackInfo,
        Field::OtelService,
        Field::OtelTrace,
        Field::OtelSpan,
        Field::ExcText,
    ]
    .map(|field| fields.text(field));
    let [module, function, file, thread_name, process_name, task_name, level_name, ..] = &texts;
    let [.., stack, service, trace, span, exc_text] = &texts;
    let is_access = logger.as_deref().is_some_and(access::is_logger);
    let access = fields.get(Field::Args).filter(|_| is_access).and_then(Access::of);
    let created = fields.get(Field::Created).and_then(|time| time.cast::<PyFloat>().ok());
    Parts {
        logger: logger.as_deref(),
        module: module.as_deref(),
        function: function.as_deref(),
        file: file.as_deref(),
        thread_name: thread_name.as_deref(),
        process_name: process_name.as_deref(),
        task_name: task_name.as_deref(),
        level_name: level_name.as_deref(),
        stack: stack.as_deref(),
        service: service.as_deref(),
        trace: trace.as_deref().zip(span.as_deref()),
        exc_text: exc_text.as_deref(),
        level: fields.number(Field::LevelNo),
        line: fields.number(Field::LineNo),
        process: fields.number(Field::Process),
        thread: fields.number(Field::Thread),
        created: created.map(|created| created.value()),
        msg: fields.get(Field::Msg),
        args: fields.get(Field::Args),
        exc_info: fields.get(Field::ExcInfo),
        extra: &fields.extra,
        access: access.as_ref(),
    }
    .record(to, record, depth)
}

/// What a record says, read.
struct Parts<'a, 'py> {
    logger: Option<&'a str>,
    module: Option<&'a str>,
    function: Option<&'a str>,
    file: Option<&'a str>,
    thread_name: Option<&'a str>,
    process_name: Option<&'a str>,
    task_name: Option<&'a str>,
    level_name: Option<&'a str>,
    stack: Option<&'a str>,
    service: Option<&'a str>,
    trace: Option<(&'a str, &'a str)>,
    exc_text: Option<&'a str>,
    level: Option<i64>,
    line: Option<i64>,
    process: Option<i64>,
    thread: Option<u64>,
    created: Option<f64>,
    msg: Option<&'a Bound<'py, PyAny>>,
    args: Option<&'a Bound<'py, PyAny>>,
    exc_info: Option<&'a Bound<'py, PyAny>>,
    extra: &'a [(Bound<'py, PyAny>, Bound<'py, PyAny>)],
    access: Option<&'a Access>,
}

impl<'a, 'py> Parts<'a, 'py> {
    fn is_own_websocket(&self, settings: &Settings) -> bool {
        self.logger == Some(access::WEBSOCKET_LOGGER)
            && self
                .msg
                .zip(self.args)
                .is_some_and(|(msg, args)| access::is_own_websocket(msg, args, &settings.own_paths))
    }

    fn record(
        &self,
        To { ring, settings, .. }: To<'_>,
        record: &Bound<'_, PyAny>,
        depth: u32,
    ) -> PyResult<()> {
        if self.level.is_some_and(|number| number < settings.level)
            || self.access.is_some_and(|access| access.is_own(&settings.own_paths))
            || self.is_own_websocket(settings)
        {
            return Ok(());
        }
        let observed = Timestamp::now();
        let created = self.created.and_then(|time| Timestamp::from_epoch_seconds(time).ok());
        let level = self.level.map_or_else(
            || self.level_name.and_then(Level::from_name).unwrap_or_default(),
            Level::from_python,
        );
        let mut done = Ok(());
        let most = ring.max_entry_bytes();
        ring.record(created.unwrap_or(observed), observed, level, |writer| {
            // First what is lent, then what may run Python code.
            self.write_origin(writer, settings);
            done = self.write_rest(writer, record, most, depth);
        });
        done
    }

    fn write_origin(&self, writer: &mut RecordWriter<'_>, settings: &Settings) {
        writer.logger(self.logger.unwrap_or_default());
        writer.code(self.module, self.function, self.file);
        if let Some(line) = self.line.and_then(|line| u32::try_from(line).ok()).filter(|n| *n > 0) {
            writer.line(line);
        }
        if let Some(process) = self.process.and_then(|process| u64::try_from(process).ok()) {
            writer.process(process);
        }
        if let Some(service) = settings.service.as_deref().or(self.service) {
            writer.service(service);
        }
        if let Some(thread) = self.thread {
            writer.thread(thread);
        }
        if let Some(name) = self.thread_name {
            writer.thread_name(name);
        }
        if let Some((trace, span)) = self.trace.filter(|(id, _)| id.bytes().any(|b| b != b'0')) {
            writer.trace_id(trace);
            writer.span_id(span);
        }
        if let Some(access) = self.access {
            access.write(writer);
        }
        if let Some(task) = self.task_name {
            writer.attribute_str("task_name", task);
        }
        // The main process's name goes without saying.
        if let Some(name) = self.process_name.filter(|name| *name != value::MAIN_PROCESS) {
            writer.attribute_str("process_name", name);
        }
        let is_custom = |number: i64| number % 10 != 0 || !(10..=50).contains(&number);
        if let Some(name) = self.level_name.filter(|_| self.level.is_some_and(is_custom)) {
            writer.attribute_str("level_name", name);
        }
        if let Some(stack) = self.stack {
            writer.attribute_str("code.stacktrace", stack);
        }
    }

    fn write_rest(
        &self,
        writer: &mut RecordWriter<'_>,
        record: &Bound<'_, PyAny>,
        most: usize,
        depth: u32,
    ) -> PyResult<()> {
        if self.trace.is_none()
            && let Some((trace, span)) = current_span(record.py())
        {
            writer.trace_id(&format!("{trace:032x}"));
            writer.span_id(&format!("{span:016x}"));
        }
        for (name, value) in self.extra {
            value::write(writer, &value::key(name), value);
        }
        let formatted = if depth >= DEPTH_MAX {
            Err(message::too_deep(self.msg))
        } else {
            message::format(record, self.msg, self.args)?
        };
        if let Err(unformatted) = &formatted {
            writer.attribute_str(PROBLEM, &unformatted.problem);
            // The atoms of an access log are headers and environment.
            if !unformatted.args.is_empty() && self.access.is_none() {
                writer.attribute_strs("logrec.args", unformatted.args.iter().map(String::as_str));
            }
        }
        // The exception first: it is bounded, and the message takes what is left.
        if let Some(exception) = exception(self.exc_info, self.exc_text, most)? {
            writer.exception(&exception);
        }
        match &formatted {
            Ok(message) => writer.message_str(&text(message)),
            Err(unformatted) => writer.message_str(&unformatted.message),
        }
        Ok(())
    }
}

/// The stack trace with its causes, at most a third of an entry of `most` bytes.
fn exception(
    info: Option<&Bound<'_, PyAny>>,
    exc_text: Option<&str>,
    most: usize,
) -> PyResult<Option<String>> {
    let Some(info) = info else {
        // What a queue has carried is text already.
        return Ok(exc_text.map(|text| shortened(text.to_owned(), most / 3)));
    };
    let py = info.py();
    let traceback = match info.cast::<PyTuple>() {
        Ok(triple) if triple.len() == 3 => {
            if triple.get_item(1)?.is_none() {
                return Ok(None);
            }
            py.import(intern!(py, "traceback"))
                .and_then(|module| module.call_method1(intern!(py, "format_exception"), triple))
        }
        _ if info.is_instance_of::<pyo3::exceptions::PyBaseException>() => py
            .import(intern!(py, "traceback"))
            .and_then(|module| module.call_method1(intern!(py, "format_exception"), (info,))),
        _ => return Ok(None),
    };
    let lines = traceback.and_then(|lines| lines.extract::<Vec<Bound<'_, PyString>>>());
    match lines {
        Ok(lines) => {
            let mut all: String = lines.iter().map(text).collect();
            all.truncate(all.trim_end().len());
            Ok(Some(shortened(all, most / 3)))
        }
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyException>(py) => {
            let name =
                info.get_item(0).map_or_else(|_| "an exception".into(), |t| value::repr_of(&t));
            Ok(Some(format!("{name}, whose trace cannot be formatted: {}", describe(&error, py))))
        }
        Err(error) => Err(error),
    }
}

/// A trace's beginning and end: what it is about stands last.
fn shortened(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let head = text.floor_char_boundary(most / 3);
    let tail = text.ceil_char_boundary(text.len() - most / 2);
    format!("{}\n[… {} bytes left out …]\n{}", &text[..head], tail - head, &text[tail..])
}

/// Trace and span of OpenTelemetry's context, where its API is loaded and a span is active.
pub(crate) fn current_span(py: Python<'_>) -> Option<(u128, u64)> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    // How many modules there were when the API was last looked for and not there: looking for it in each
    // record costs more than counting.
    static LOOKED_AT: AtomicUsize = AtomicUsize::new(0);
    let modules = MODULES
        .get_or_try_init(py, || {
            let modules = py.import("sys")?.getattr("modules")?;
            modules.cast_into::<PyDict>().map(Bound::unbind).map_err(PyErr::from)
        })
        .ok()?
        .bind(py);
    let count = modules.len();
    if LOOKED_AT.load(Ordering::Relaxed) == count {
        return None;
    }
    let Some(trace) = modules.get_item(intern!(py, "opentelemetry.trace")).ok()? else {
        LOOKED_AT.store(count, Ordering::Relaxed);
        return None;
    };
    let span = trace.call_method0("get_current_span").ok()?;
    let context = span.call_method0("get_span_context").ok()?;
    let id: u128 = context.getattr("trace_id").ok()?.extract().ok()?;
    let span = context.getattr("span_id").ok()?.extract().ok()?;
    (id != 0).then_some((id, span))
}
