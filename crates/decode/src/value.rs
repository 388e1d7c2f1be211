//! Attribute values as text, and text as attribute values.

use std::fmt::Write as _;

use logrec_core::Value;

/// A value typed as its text says: a whole number, a number, `true`, `false`, or else text.
pub(crate) fn typed(text: &str) -> Value {
    let first = text.bytes().next().unwrap_or_default();
    if first.is_ascii_digit() || first == b'-' {
        // `007` and `1_000` are names, not numbers: kept as written.
        let digits = text.trim_start_matches('-');
        let canonical = digits == "0" || !digits.starts_with('0') || digits.starts_with("0.");
        if canonical && let Ok(n) = text.parse::<i64>() {
            return Value::Int(n);
        }
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if canonical
            && plain
            && let Ok(n) = text.parse::<f64>()
            && n.is_finite()
            && text.len() <= 17
        {
            return Value::Float(n);
        }
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Str(text.to_owned()),
    }
}

/// A value as a message shows it: text bare, the rest as JSON.
pub(crate) fn scalar_text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        other => json_text(other),
    }
}

/// A value as JSON.
pub(crate) fn json_text(value: &Value) -> String {
    let mut out = String::new();
    write_json(&mut out, value);
    out
}

fn write_json(out: &mut String, value: &Value) {
    let _ = match value {
        Value::Null => write!(out, "null"),
        Value::Bool(b) => write!(out, "{b}"),
        Value::Int(n) => write!(out, "{n}"),
        Value::UInt(n) => write!(out, "{n}"),
        Value::Float(n) => write!(out, "{n:?}"),
        Value::Str(text) => {
            quote(out, text);
            Ok(())
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            write!(out, "]")
        }
        Value::Map(members) => {
            out.push('{');
            for (i, (name, item)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                quote(out, name);
                out.push(':');
                write_json(out, item);
            }
            write!(out, "}}")
        }
    };
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A value cut to `n` characters, for an error message.
pub(crate) fn shown_value(value: &Value, n: usize) -> String {
    crate::scan::shown(&scalar_text(value), n)
}

/// What a value is, with its article.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "the boolean",
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "the number",
        Value::Str(_) => "the string",
        Value::Array(_) => "the list",
        Value::Map(_) => "the object",
    }
}
