//! What a record says: `record.getMessage()`, and what is kept when that fails.

use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyString, PyTuple, PyType},
};

use crate::value::{describe, repr_of, type_name};

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
}

fn standard(py: Python<'_>) -> PyResult<&Standard> {
    static STANDARD: PyOnceLock<Standard> = PyOnceLock::new();
    STANDARD.get_or_try_init(py, || {
        let log_record = py.import("logging")?.getattr("LogRecord")?.cast_into::<PyType>()?;
        let get_message = log_record.getattr(intern!(py, "getMessage"))?;
        // One that was put in its place (for `{}` formats, say) is called, not imitated.
        let module: String = get_message.getattr("__module__")?.extract().unwrap_or_default();
        let get_message = (module == "logging").then(|| get_message.unbind());
        Ok(Standard { log_record: log_record.unbind(), get_message })
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

fn formatted<'py>(
    record: &Bound<'py, PyAny>,
    msg: Option<&Bound<'py, PyAny>>,
    args: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyString>> {
    let py = record.py();
    let standard = standard(py)?;
    let class = record.get_type();
    if let (Some(msg), Some(get_message)) = (msg, &standard.get_message)
        && class.is(&standard.log_record)
        && class.getattr(intern!(py, "getMessage"))?.is(get_message)
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
    record.call_method0(intern!(py, "getMessage"))?.str()
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
