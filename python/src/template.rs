//! `template % args` for the usual templates, without the interpreter: `%s`, `%d`, `%i` and `%.2f` with
//! texts, small ints and floats. Half of what a log call costs beyond the record is formatting, and
//! most of that is not needed here. Whatever is less usual is left to Python, so that nothing of
//! Python's rules is told twice that could be told differently.

use std::fmt::Write as _;

use pyo3::{
    Borrowed,
    prelude::*,
    types::{PyFloat, PyInt, PyString, PyTuple},
};

/// Longest argument written here, in characters. Python keeps the UTF-8 of a string that is asked for it
/// as long as the string lives.
const TEXT_CHARS_MAX: usize = 4096;

/// Writes what `template % args` says; `None` when Python is to say it, and `out` is then of no use.
///
/// No code of Python's runs, and nothing is left raised.
pub(crate) fn write(out: &mut String, template: &str, args: &Bound<'_, PyTuple>) -> Option<()> {
    let mut args = args.iter_borrowed();
    let mut rest = template;
    while let Some(at) = memchr(rest) {
        out.push_str(&rest[..at]);
        let spec = &rest.as_bytes()[at + 1..];
        let used = match *spec {
            [b'%', ..] => {
                out.push('%');
                1
            }
            [b's', ..] => {
                let arg = args.next()?;
                if let Ok(text) = arg.cast_exact::<PyString>() {
                    if text.len().ok()? > TEXT_CHARS_MAX {
                        return None;
                    }
                    out.push_str(<&str>::extract(arg).ok()?);
                } else if arg.is_none() {
                    out.push_str("None");
                } else {
                    int(out, arg)?;
                }
                1
            }
            [b'd' | b'i', ..] => {
                int(out, args.next()?)?;
                1
            }
            [b'.', digit @ b'0'..=b'9', b'f', ..] => {
                let number = args.next()?.cast_exact::<PyFloat>().ok()?.value();
                if !number.is_finite() {
                    return None;
                }
                write!(out, "{number:.*}", usize::from(digit - b'0')).ok()?;
                3
            }
            _ => return None,
        };
        rest = &rest[at + 1 + used..];
    }
    out.push_str(rest);
    args.next().is_none().then_some(())
}

/// A template is short: no need of more.
fn memchr(text: &str) -> Option<usize> {
    text.bytes().position(|byte| byte == b'%')
}

fn int(out: &mut String, arg: Borrowed<'_, '_, PyAny>) -> Option<()> {
    // Not a subclass, which may print otherwise: True is one.
    let number: i64 = arg.cast_exact::<PyInt>().ok()?.extract().ok()?;
    out.push_str(itoa::Buffer::new().format(number));
    Some(())
}
