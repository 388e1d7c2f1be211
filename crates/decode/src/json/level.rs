//! Levels and times as JSON loggers write them, Serilog's templates and structlog's tracebacks.

use std::fmt::Write as _;

use logrec_core::{Level, Timestamp, Value};

use crate::{
    context::Context,
    json::shape::Numbers,
    limits::{ATTRIBUTES_MAX, JOINED_BYTES_MAX},
    stamp,
    value::scalar_text,
};

/// Bytes of a template beyond which its holes are left as they are.
const TEMPLATE_BYTES_MAX: usize = 16 << 10;

/// Below this a number under a time's name is a duration or a count, not a moment (1973).
const EPOCH_LEAST: f64 = 1e8;

/// The level of a name or a number.
pub(super) fn level(value: &Value, numbers: Numbers, lenient: bool) -> Result<Level, &'static str> {
    const EXPECTED: &str =
        "TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL (any case), or Python's number of one";
    match value {
        Value::Str(name) => {
            let name = name.trim();
            if let Some(level) = named(name) {
                return Ok(level);
            }
            let number = name.parse().ok().filter(|_| lenient).ok_or(EXPECTED)?;
            Ok(numbers.level(number))
        }
        Value::Int(number) => Ok(numbers.level(*number)),
        _ => Err(EXPECTED),
    }
}

/// A name, .NET's and log15's short ones too, or slog's with an offset: `INFO+2`, `DEBUG-4`.
fn named(name: &str) -> Option<Level> {
    match name {
        "dbug" => return Some(Level::Debug),
        "trce" => return Some(Level::Trace),
        "fail" => return Some(Level::Error),
        _ => {}
    }
    Level::from_name(name).or_else(|| {
        let at = name.find(['+', '-'])?;
        let _: i32 = name[at..].parse().ok()?;
        Level::from_name(&name[..at])
    })
}

/// A moment from seconds, milliseconds, microseconds or nanoseconds since the epoch, or from
/// RFC 3339 text, which may lack the zone. Lenient: numbers too small to be meant as one are
/// refused, numbers in text and MongoDB's `{"$date": …}` are read.
pub(super) fn timestamp(
    value: &Value,
    lenient: bool,
    cx: Context<'_>,
) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str =
        "seconds since the epoch, or RFC 3339 (2026-01-02T03:04:05Z), in the years 1678 to 2261";
    if lenient && value.as_f64().is_some_and(|n| n.abs() < EPOCH_LEAST) {
        return Err(EXPECTED);
    }
    let found = match value {
        Value::Int(n) => stamp::epoch_int(*n),
        Value::UInt(_) => None,
        Value::Float(n) => stamp::epoch_float(*n),
        Value::Str(text) => {
            stamp::iso_text(text, cx).or_else(|| stamp::epoch_text(text).filter(|_| lenient))
        }
        Value::Map(members) if lenient => match members.as_slice() {
            [(name, Value::Str(text))] if name == "$date" => stamp::iso_text(text, cx),
            _ => None,
        },
        _ => None,
    };
    found.ok_or(EXPECTED)
}

/// Fills the holes of a message template, `{Name}`, `{@Name}`, `{$Name}` and `{Name:format}`, with
/// the attributes' values; a hole without attribute stays as it is.
pub(super) fn render_template(template: &str, attributes: &[(String, Value)]) -> String {
    if template.len() > TEMPLATE_BYTES_MAX {
        return template.to_owned();
    }
    let attributes = &attributes[..attributes.len().min(ATTRIBUTES_MAX)];
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once('{') {
        out.push_str(text);
        if let Some(tail) = tail.strip_prefix('{') {
            out.push('{');
            rest = tail;
            continue;
        }
        let Some((hole, tail)) = tail.split_once('}') else {
            out.push('{');
            rest = tail;
            continue;
        };
        let name = hole.trim_start_matches(['@', '$']).split([':', ',']).next().unwrap_or_default();
        match attributes.iter().find(|(key, _)| key == name) {
            // A hole repeated over a giant value multiplies it: the template must do.
            Some(_) if out.len() > JOINED_BYTES_MAX => return template.to_owned(),
            Some((_, value)) => out.push_str(&scalar_text(value)),
            None => {
                let _ = write!(out, "{{{hole}}}");
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// structlog's `dict_tracebacks` as Python prints a traceback; `None` if it is something else.
pub(super) fn render_exceptions(chain: &[Value]) -> Option<String> {
    let mut out = String::new();
    // The list begins with the last exception, Python prints the first cause first.
    for exception in chain.iter().rev() {
        let kind = member(exception, "exc_type")?.as_str()?;
        if !out.is_empty() {
            out.push_str(
                "\n\nDuring handling of the above exception, another exception occurred:\n\n",
            );
        }
        out.push_str("Traceback (most recent call last):\n");
        if let Some(Value::Array(frames)) = member(exception, "frames") {
            for frame in frames {
                render_frame(&mut out, frame);
            }
        }
        let value = member(exception, "exc_value").map(scalar_text).unwrap_or_default();
        let _ = write!(out, "{kind}: {value}");
    }
    Some(out)
}

/// Whether exceptions hold more than [`render_exceptions`] shows: locals, groups, notes.
pub(super) fn says_more(chain: &[Value]) -> bool {
    let has_other = |value: &Value, shown: &[&str]| match value {
        Value::Map(members) => members.iter().any(|(name, value)| {
            let is_empty = match value {
                Value::Null | Value::Bool(_) => true,
                Value::Array(items) => items.is_empty(),
                Value::Map(members) => members.is_empty(),
                _ => false,
            };
            let is_known =
                ["syntax_error", "is_cause", "is_group", "exceptions", "exc_notes", "locals"]
                    .contains(&name.as_str());
            !(shown.contains(&name.as_str()) || is_known && is_empty)
        }),
        _ => true,
    };
    chain.iter().any(|exception| {
        has_other(exception, &["exc_type", "exc_value", "frames"])
            || match member(exception, "frames") {
                Some(Value::Array(frames)) => frames
                    .iter()
                    .any(|frame| has_other(frame, &["filename", "lineno", "name", "line"])),
                _ => false,
            }
    })
}

fn render_frame(out: &mut String, frame: &Value) {
    let text = |name| member(frame, name).map(scalar_text).unwrap_or_default();
    let _ = writeln!(
        out,
        "  File \"{}\", line {}, in {}",
        text("filename"),
        text("lineno"),
        text("name")
    );
    let line = text("line");
    if !line.is_empty() {
        let _ = writeln!(out, "    {line}");
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, v)| v),
        _ => None,
    }
}
