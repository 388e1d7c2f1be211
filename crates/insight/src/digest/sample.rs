//! An entry as a line: what of it a digest shows.

use std::fmt::Write as _;

use logrec_core::{
    EntryId, RowRef, Timestamp,
    record::{FieldRef, ValueRef},
};

use crate::stack;

/// Bytes kept of a message, of an exception's line, and of attributes.
const MESSAGE_BYTES_MAX: usize = 400;
const EXCEPTION_BYTES_MAX: usize = 320;
const ATTRIBUTES_BYTES_MAX: usize = 200;

/// One entry that stands for others.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its name.
    pub id: EntryId,
    /// When it happened.
    pub time: Timestamp,
    /// What it says, at most 400 bytes; any text.
    pub message: Box<str>,
    /// Its exception in a line, innermost cause first: `KeyError: 'x' at advance (turns.py:71): code`.
    pub exception: Option<Box<str>>,
    /// Its attributes as `name=value`, those that the message does not say itself. May be empty.
    pub attributes: Box<str>,
}

impl Sample {
    pub(super) fn of(row: &RowRef<'_>) -> Self {
        let message = row.record.message();
        let exception = row.record.exception();
        Self {
            id: row.id(),
            time: row.time,
            message: cut(message, MESSAGE_BYTES_MAX).into(),
            exception: (!exception.is_empty()).then(|| line(exception).into()),
            attributes: attributes(row).into(),
        }
    }
}

/// The beginning of a text, whole characters of at most so many bytes.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// An exception in a line: what began it, where, and what came of it.
fn line(exception: &str) -> String {
    let Some(stack) = stack::parse(exception) else {
        let last = exception.lines().rev().find(|line| !line.trim().is_empty());
        return cut(last.unwrap_or_default().trim(), EXCEPTION_BYTES_MAX).to_owned();
    };
    let root = stack.root();
    let mut out = root.kind.to_owned();
    let message = root.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if !message.is_empty() {
        let colon = if out.is_empty() { "" } else { ": " };
        let _ = write!(out, "{colon}{}", cut(&message, EXCEPTION_BYTES_MAX / 2));
    }
    let mut at = Some(root);
    while let Some(cause) = at {
        if let Some(frame) = cause.frames.iter().find(|frame| frame.is_app) {
            let file = frame.file.rsplit(['/', '\\']).next().unwrap_or_default();
            let _ = write!(out, " at {} ({file}", frame.function);
            if let Some(line) = frame.line {
                let _ = write!(out, ":{line}");
            }
            out.push(')');
            if let Some(code) = frame.code {
                let _ = write!(out, ": {}", cut(code, 80));
            }
            break;
        }
        at = cause.parent.map(|parent| &stack.causes[parent]);
    }
    let outer = stack.outermost();
    if outer.kind != root.kind {
        let _ = write!(
            out,
            " -> {}: {}",
            outer.kind,
            cut(outer.message.lines().next().unwrap_or_default(), 80)
        );
    }
    out.truncate(out.floor_char_boundary(EXCEPTION_BYTES_MAX));
    out
}

fn attributes(row: &RowRef<'_>) -> String {
    let mut out = String::new();
    for field in row.record.fields() {
        let FieldRef::Attribute(name, value) = field else { continue };
        let value = shown(value);
        if row.record.message().contains(&value) {
            continue;
        }
        let blank = if out.is_empty() { "" } else { " " };
        let _ = write!(out, "{blank}{name}={value}");
        if out.len() >= ATTRIBUTES_BYTES_MAX {
            out.truncate(out.floor_char_boundary(ATTRIBUTES_BYTES_MAX));
            break;
        }
    }
    out
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Bool(v) => v.to_string(),
        ValueRef::Int(v) => v.to_string(),
        ValueRef::UInt(v) => v.to_string(),
        ValueRef::Float(v) => v.to_string(),
        ValueRef::Str(v) => v.to_owned(),
        ValueRef::Array(_) | ValueRef::Map(_) => plain(&value.to_value(), 0),
    }
}

fn plain(value: &logrec_core::Value, depth: usize) -> String {
    use logrec_core::Value as V;
    match value {
        V::Null => "null".into(),
        V::Bool(v) => v.to_string(),
        V::Int(v) => v.to_string(),
        V::UInt(v) => v.to_string(),
        V::Float(v) => v.to_string(),
        V::Str(v) => v.clone(),
        V::Array(_) | V::Map(_) if depth > 3 => "…".into(),
        V::Array(all) => {
            let parts: Vec<String> = all.iter().take(8).map(|v| plain(v, depth + 1)).collect();
            format!("[{}]", parts.join(","))
        }
        V::Map(all) => {
            let part = |(k, v): &(String, V)| format!("{k}:{}", plain(v, depth + 1));
            let parts: Vec<String> = all.iter().take(8).map(part).collect();
            format!("{{{}}}", parts.join(","))
        }
    }
}
