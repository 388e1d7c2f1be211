//! Python objects to attributes: typed where JSON has the type, text otherwise. Never fails; what
//! cannot be read says so in its place.

use std::borrow::Cow;

use logrec_core::{Value, record::RecordWriter};
use pyo3::{
    prelude::*,
    types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySet, PyString, PyTuple},
};

/// Deepest nesting kept with its structure; below it is text.
const DEPTH_MAX: usize = 6;
/// Most items of a list or dict that are kept.
const ITEMS_MAX: usize = 200;
/// Longest text of an attribute, in bytes: one must not take the room of the others.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// The name of a process that has none of its own, which goes without saying.
pub(crate) const MAIN_PROCESS: &str = "MainProcess";

/// A string's text. Lone surrogates, which UTF-8 does not have, become `\udXXX`.
pub(crate) fn text<'a>(string: &'a Bound<'_, PyString>) -> Cow<'a, str> {
    match string.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(escaped(string)),
    }
}

#[cold]
fn escaped(string: &Bound<'_, PyString>) -> String {
    let encoded = string.call_method1("encode", ("utf-8", "backslashreplace"));
    encoded
        .ok()
        .and_then(|bytes| {
            let bytes = bytes.cast_into::<PyBytes>().ok()?;
            Some(String::from_utf8_lossy(bytes.as_bytes()).into_owned())
        })
        .unwrap_or_else(|| string.to_string_lossy().into_owned())
}

/// The text of an object that should be a string.
pub(crate) fn text_of<'a>(object: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    object.cast::<PyString>().ok().map(text)
}

/// `str(object)`, or what went wrong with it.
pub(crate) fn str_of(object: &Bound<'_, PyAny>) -> Result<String, String> {
    match object.str() {
        Ok(string) => Ok(bounded(text(&string)).into_owned()),
        Err(error) => {
            Err(format!("{}.__str__ raised {}", type_name(object), describe(&error, object.py())))
        }
    }
}

/// `repr(object)`, cut, or what went wrong with it.
pub(crate) fn repr_of(object: &Bound<'_, PyAny>) -> String {
    const REPR_BYTES_MAX: usize = 1000;
    match object.repr() {
        Ok(string) => {
            let text = text(&string);
            text[..text.floor_char_boundary(REPR_BYTES_MAX)].to_owned()
        }
        Err(error) => {
            format!("<{}: __repr__ raised {}>", type_name(object), describe(&error, object.py()))
        }
    }
}

pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".to_owned(), |name| text(&name).into_owned())
}

/// `TypeError: what it says`, for an exception that may itself fail to print.
pub(crate) fn describe(error: &PyErr, py: Python<'_>) -> String {
    let value = error.value(py);
    let name = type_name(value);
    match value.str() {
        Ok(says) if says.is_empty().unwrap_or(true) => name,
        Ok(says) => format!("{name}: {}", text(&says)),
        Err(_) => name,
    }
}

/// As much of a text as an attribute has room for.
fn bounded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let kept = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    format!("{kept}[… {} bytes left out]", text.len() - kept.len()).into()
}

/// Writes an attribute, the usual types without a copy.
pub(crate) fn write(writer: &mut RecordWriter<'_>, name: &str, object: &Bound<'_, PyAny>) {
    if let Ok(string) = object.cast::<PyString>() {
        writer.attribute_str(name, &bounded(text(string)));
    } else if let Ok(flag) = object.cast::<PyBool>() {
        writer.attribute_bool(name, flag.is_true());
    } else if object.is_instance_of::<PyInt>()
        && let Ok(number) = object.extract::<i64>()
    {
        writer.attribute_int(name, number);
    } else if let Ok(number) = object.cast::<PyFloat>() {
        writer.attribute_float(name, number.value());
    } else {
        writer.attribute(name, &value(object, 0));
    }
}

/// An owned copy of an object.
fn value(object: &Bound<'_, PyAny>, depth: usize) -> Value {
    if object.is_none() {
        return Value::Null;
    }
    if let Ok(string) = object.cast::<PyString>() {
        return Value::Str(bounded(text(string)).into_owned());
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Value::Bool(flag.is_true());
    }
    if object.is_instance_of::<PyInt>() {
        if let Ok(number) = object.extract::<i64>() {
            return Value::Int(number);
        }
        if let Ok(number) = object.extract::<u64>() {
            return Value::UInt(number);
        }
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return Value::Float(number.value());
    }
    if depth < DEPTH_MAX {
        if let Ok(dict) = object.cast::<PyDict>() {
            let items = dict.iter().take(ITEMS_MAX);
            return Value::Map(items.map(|(k, v)| (key(&k), value(&v, depth + 1))).collect());
        }
        if let Ok(list) = object.cast::<PyList>() {
            return Value::Array(
                list.iter().take(ITEMS_MAX).map(|v| value(&v, depth + 1)).collect(),
            );
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return Value::Array(
                tuple.iter().take(ITEMS_MAX).map(|v| value(&v, depth + 1)).collect(),
            );
        }
        if let Ok(set) = object.cast::<PySet>() {
            return Value::Array(
                set.iter().take(ITEMS_MAX).map(|v| value(&v, depth + 1)).collect(),
            );
        }
    }
    Value::Str(str_of(object).unwrap_or_else(|problem| format!("<{problem}>")))
}

pub(crate) fn key(object: &Bound<'_, PyAny>) -> String {
    match text_of(object) {
        Some(text) => text.into_owned(),
        None => str_of(object).unwrap_or_else(|problem| format!("<{problem}>")),
    }
}
