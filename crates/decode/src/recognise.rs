//! Which format a line is in: one dispatch on its first bytes, then a handful of parsers at most.
//!
//! A plain sentence must fall through every branch cheaply and untouched; a format that would
//! recognise `note: a=b` recognises too much.

use logrec_core::Entry;

use crate::{
    access, android, context::Context, dated, go, hadoop, java, json, leveled, logfmt, node,
    python, redis, ruby, scan::Scan, stamp, syslog,
};

/// What the lines after this one may be to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In no format: an indented line after it is a line of its own.
    Plain,
    /// Says everything in one line; nothing belongs to it.
    Complete,
    /// A header and a message; indented lines and traces belong to it.
    Lines,
    /// The first of `java.util.logging`'s two lines.
    JulHeader,
    /// `tracing`'s pretty form: place and spans are indented lines of their own.
    TracingPretty,
}

/// A line that is in a known format.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) entry: Entry,
    pub(crate) shape: Shape,
}

fn complete(entry: Entry) -> Found {
    Found { entry, shape: Shape::Complete }
}

fn lines(entry: Entry) -> Found {
    Found { entry, shape: Shape::Lines }
}

/// The entry of a line in a known format; the line has no colours and no end of line.
pub(crate) fn recognise(line: &str, cx: Context<'_>) -> Option<Found> {
    let mut found = dispatch(line, cx)?;
    json::fields::bound_attributes(&mut found.entry.attributes);
    Some(found)
}

fn dispatch(line: &str, cx: Context<'_>) -> Option<Found> {
    let text = line.trim();
    let indent = line.len() - line.trim_start().len();
    let first = text.bytes().next()?;
    if indent > 0 {
        return indented(text, indent, first, cx);
    }
    let found = match first {
        b'{' => json::line::recognise(text, cx).map(complete),
        b'[' => open_bracket(text, cx),
        b'<' => syslog::with_priority(text, cx).map(lines),
        b'0'..=b'9' => digit_first(text, cx),
        b'-' => syslog::with_epoch(text, cx).map(lines),
        b'A'..=b'Z' => capital_first(text, cx),
        b'a'..=b'z' | b'@' => small_first(text, cx),
        _ => None,
    };
    found.or_else(|| access::clf(text, cx).map(complete))
}

fn open_bracket(text: &str, cx: Context<'_>) -> Option<Found> {
    if text.starts_with("[Nest] ") {
        return node::nest(text, cx).map(lines);
    }
    if text.starts_with("[GIN] ") {
        return access::gin(text, cx).map(complete);
    }
    dated::bracketed(text, cx).map(lines)
}

/// Formats that pad their first column: `tracing`'s without time, and its pretty form.
fn indented(text: &str, indent: usize, first: u8, cx: Context<'_>) -> Option<Found> {
    if indent > 2 {
        return None;
    }
    match first {
        b'0'..=b'9' => {
            let entry = dated::recognise(text, cx)?;
            Some(Found { entry, shape: Shape::TracingPretty })
        }
        b'A'..=b'Z' => leveled::padded(text, cx.arrival).map(lines),
        _ => None,
    }
}

fn digit_first(text: &str, cx: Context<'_>) -> Option<Found> {
    let bytes = text.as_bytes();
    match (bytes.get(2), bytes.get(4), bytes.get(6)) {
        (_, Some(b'-' | b'/'), _) => dated::recognise(text, cx),
        (Some(b':'), _, _) => dated::time_only(text, cx.arrival),
        _ if bytes.get(1) == Some(&b':') && matches!(bytes.get(5), Some(b'M')) => {
            dated::time_only(text, cx.arrival)
        }
        (Some(b'-'), _, _) => android::recognise(text, cx).or_else(|| dated::day_first(text, cx)),
        (_, _, Some(b' ')) if bytes[..6].iter().all(u8::is_ascii_digit) => {
            hadoop::recognise(text, cx)
        }
        _ => redis::recognise(text, cx),
    }
    .map(lines)
}

fn capital_first(text: &str, cx: Context<'_>) -> Option<Found> {
    let bytes = text.as_bytes();
    match bytes.get(1)? {
        b',' => return ruby::logger(text, cx).map(lines),
        b'/' => return android::brief(text, cx.arrival).map(lines),
        b'0'..=b'9' => return go::klog(text, cx).map(lines),
        _ => {}
    }
    if bytes.get(3) == Some(&b' ') {
        if let Some(entry) = syslog::rfc3164(text, cx) {
            return Some(lines(entry));
        }
        if let Some(entry) = java::jul_header(text, cx) {
            return Some(Found { entry, shape: Shape::JulHeader });
        }
    }
    if let Some(found) = python::access(text, cx.arrival) {
        return Some(complete(found));
    }
    python::basic(text, cx.arrival)
        .or_else(|| leveled::recognise(text, cx))
        .or_else(|| ruby::request(text, cx))
        .map(lines)
        .or_else(|| logfmt::recognise(text, cx).map(complete))
        .or_else(|| access::morgan(text, cx.arrival).map(complete))
}

fn small_first(text: &str, cx: Context<'_>) -> Option<Found> {
    let head = text.split([' ', '\t']).next()?;
    if head.contains('=') {
        return logfmt::recognise(text, cx).map(complete);
    }
    if head.ends_with(':') {
        return leveled::small(head, text, cx.arrival).map(lines);
    }
    if head.contains(".log") {
        // Several files in one stream: `name.log 2026-01-02 03:04:05 …`.
        let s = Scan::new(text[head.len()..].trim_start());
        if stamp::iso(&mut { s }, cx).is_some() {
            let mut entry = dated::recognise(s.rest, cx)?;
            entry.attributes.push(("log.file.name".to_owned(), head.into()));
            return Some(lines(entry));
        }
    }
    java::logger_first(text, cx.arrival).map(lines)
}
