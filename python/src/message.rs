//! What a record says: `record.getMessage()`, and what is kept when that fails.

use std::cell::Cell;

use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyString, PyTuple, PyType},
};

use crate::{
    extent::Extent,
    template, usual,
    value::{describe, repr_of, type_name},
};

/// Most arguments of a record that could not be formatted which are shown.
const ARGS_SHOWN_MAX: usize = 10;

/// A message that could not be formatted: what stands in for it, and why.
#[derive(Debug)]
pub(crate) struct Unformatted {
    pub(crate) message: String,
    pub(crate) problem: String,
    pub(crate) args: Vec<String>,
}

/// The class and function of the standard library, as they were when logrec was imported.
struct Standard {
    log_record: Py<PyType>,
    get_message: Option<Py<PyAny>>,
    /// Where a record tells its attributes, if it does.
    extent: Option<Extent<{ usual::ATTRIBUTES_COUNT }>>,
}

fn standard(py: Python<'_>) -> PyResult<&Standard> {
    static STANDARD: PyOnceLock<Standard> = PyOnceLock::new();
    STANDARD.get_or_try_init(py, || {
        let log_record = py.import("logging")?.getattr("LogRecord")?.cast_into::<PyType>()?;
        let get_message = log_record.getattr(intern!(py, "getMessage"))?;
        // One that was put in its place (for `{}` formats, say) is called, not imitated.
        let module: String = get_message.getattr("__module__")?.extract().unwrap_or_default();
        let get_message = (module == "logging").then(|| get_message.unbind());
        let sample = log_record.call1(("", 0, "", 0, "", py.None(), py.None()))?;
        let extent = Extent::learn(&sample, usual::ATTRIBUTES, usual::last_attribute(py))?;
        Ok(Standard { log_record: log_record.unbind(), get_message, extent })
    })
}

/// Looks up now what [`format`] compares with.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    standard(py).map(drop)
}

/// What the record says.
///
/// # Errors
/// An exception that is none of `Exception`, such as `KeyboardInterrupt`, is the application's.
pub(crate) fn format<'py>(
    record: &Bound<'py, PyAny>,
    msg: Option<&Bound<'py, PyAny>>,
    args: Option<&Bound<'py, PyAny>>,
) -> PyResult<Result<Bound<'py, PyString>, Unformatted>> {
    let error = match formatted(record, msg, args) {
        Ok(message) => return Ok(Ok(message)),
        Err(error) => error,
    };
    let py = record.py();
    if !error.is_instance_of::<pyo3::exceptions::PyException>(py) {
        return Err(error);
    }
    Ok(Err(unformatted(py, &error, msg, args)))
}

/// Whether a record is of logging's own class and says what it says in logging's own way.
pub(crate) fn is_standard(record: &Bound<'_, PyAny>) -> bool {
    let py = record.py();
    let Ok(standard) = standard(py) else { return false };
    let class = standard.log_record.bind(py);
    record.get_type().is(class)
        && class
            .getattr(intern!(py, "getMessage"))
            .is_ok_and(|now| standard.get_message.as_ref().is_some_and(|own| now.is(own)))
}

/// Calls `f` with the attributes of a record of which the same holds and that has those that logging gives
/// a record, and no other; `None` where that cannot be told, or `f` says so. The caller has looked up the last
/// of them and `LogRecord.getMessage`, as they are now. `f` must run no code of Python's.
#[inline]
pub(crate) fn with_attributes<'py, R>(
    record: &Bound<'py, PyAny>,
    last: &Bound<'py, PyAny>,
    get_message: &Bound<'py, PyAny>,
    f: impl FnOnce(usual::Attributes<'_, 'py>) -> Option<R>,
) -> Option<R> {
    let standard = standard(record.py()).ok()?;
    if record.get_type_ptr().cast() != standard.log_record.as_ptr()
        || standard.get_message.as_ref().is_none_or(|own| !get_message.is(own))
    {
        return None;
    }
    standard.extent.as_ref()?.with(record, last, f)
}

/// A message's buffer that grew beyond this is given back, not kept by its thread.
const SCRATCH_KEPT_BYTES: usize = 16 << 10;

thread_local! {
    /// What a message is put together in. Taken while in use.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Calls `f` with what a standard record says where that needs no code of Python's; `None` where it does,
/// or may, or `f` says so.
pub(crate) fn with_written(
    msg: &Bound<'_, PyAny>,
    args: &Bound<'_, PyAny>,
    f: impl FnOnce(&str) -> Option<()>,
) -> Option<()> {
    let template = msg.cast_exact::<PyString>().ok()?.to_str().ok()?;
    if args.is_none() {
        return f(template);
    }
    let args = args.cast_exact::<PyTuple>().ok()?;
    if args.is_empty() {
        return f(template);
    }
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let done = template::write(&mut scratch, template, args).and_then(|()| f(&scratch));
    if scratch.capacity() <= SCRATCH_KEPT_BYTES {
        SCRATCH.set(scratch);
    }
    done
}

fn formatted<'py>(
    record: &Bound<'py, PyAny>,
    msg: Option<&Bound<'py, PyAny>>,
    args: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyString>> {
    if let Some(msg) = msg
        && is_standard(record)
    {
        // What getMessage does, without a frame of the interpreter for it.
        let template = match msg.cast_exact::<PyString>() {
            Ok(template) => template.clone(),
            Err(_) => msg.str()?,
        };
        return match args {
            Some(args) if !args.is_none() && args.is_truthy()? => {
                template.as_any().rem(args)?.cast_into::<PyString>().map_err(Into::into)
            }
            _ => Ok(template),
        };
    }
    record.call_method0(intern!(record.py(), "getMessage"))?.str()
}

#[cold]
fn unformatted(
    py: Python<'_>,
    error: &PyErr,
    msg: Option<&Bound<'_, PyAny>>,
    args: Option<&Bound<'_, PyAny>>,
) -> Unformatted {
    let message = match msg {
        None => String::new(),
        Some(msg) => crate::value::text_of(msg)
            .map_or_else(|| format!("<{}>", type_name(msg)), std::borrow::Cow::into_owned),
    };
    let args = match args {
        None => Vec::new(),
        Some(args) => match args.cast::<PyTuple>() {
            Ok(tuple) => tuple.iter().take(ARGS_SHOWN_MAX).map(|arg| repr_of(&arg)).collect(),
            Err(_) if args.is_none() => Vec::new(),
            Err(_) => vec![repr_of(args)],
        },
    };
    Unformatted { message, problem: format!("not formatted: {}", describe(error, py)), args }
}

/// Stands in for a message that logs without end while it is formatted.
#[cold]
pub(crate) fn too_deep(msg: Option<&Bound<'_, PyAny>>) -> Unformatted {
    let message = msg.map_or_else(String::new, |msg| {
        crate::value::text_of(msg)
            .map_or_else(|| format!("<{}>", type_name(msg)), std::borrow::Cow::into_owned)
    });
    let problem = "not formatted: formatting log records logs, and that again".to_owned();
    Unformatted { message, problem, args: Vec::new() }
}
