//! Which format a line is in: one dispatch on its first bytes, then a handful of parsers at most.
//!
//! A plain sentence must fall through every branch cheaply and untouched; a format that would
//! recognise `note: a=b` recognises too much.

use logrec_core::{Entry, Timestamp};

use crate::{
    access, android, dated, go, hadoop, java, json, leveled, logfmt, node, python, redis, ruby,
    scan::Scan, stamp, syslog,
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
pub(crate) fn recognise(line: &str, arrival: Timestamp) -> Option<Found> {
    let mut found = dispatch(line, arrival)?;
    json::fields::bound_attributes(&mut found.entry.attributes);
    Some(found)
}

fn dispatch(line: &str, arrival: Timestamp) -> Option<Found> {
    let text = line.trim();
    let indent = line.len() - line.trim_start().len();
    let first = text.bytes().next()?;
    if indent > 0 {
        return indented(text, indent, first, arrival);
    }
    let found = match first {
        b'{' => json::line::recognise(text, arrival).map(complete),
        b'[' => open_bracket(text, arrival),
        b'<' => syslog::with_priority(text, arrival).map(lines),
        b'0'..=b'9' => digit_first(text, arrival),
        b'-' => syslog::with_epoch(text, arrival).map(lines),
        b'A'..=b'Z' => capital_first(text, arrival),
        b'a'..=b'z' | b'@' => small_first(text, arrival),
        _ => None,
    };
    found.or_else(|| access::clf(text).map(complete))
}

fn open_bracket(text: &str, arrival: Timestamp) -> Option<Found> {
    if text.starts_with("[Nest] ") {
        return node::nest(text).map(lines);
    }
    if text.starts_with("[GIN] ") {
        return access::gin(text).map(complete);
    }
    dated::bracketed(text, arrival).map(lines)
}

/// Formats that pad their first column: `tracing`'s without time, and its pretty form.
fn indented(text: &str, indent: usize, first: u8, arrival: Timestamp) -> Option<Found> {
    if indent > 2 {
        return None;
    }
    match first {
        b'0'..=b'9' => {
            let entry = dated::recognise(text)?;
            Some(Found { entry, shape: Shape::TracingPretty })
        }
        b'A'..=b'Z' => leveled::padded(text, arrival).map(lines),
        _ => None,
    }
}

fn digit_first(text: &str, arrival: Timestamp) -> Option<Found> {
    let bytes = text.as_bytes();
    match (bytes.get(2), bytes.get(4), bytes.get(6)) {
        (_, Some(b'-' | b'/'), _) => dated::recognise(text),
        (Some(b':'), _, _) => dated::time_only(text, arrival),
        _ if bytes.get(1) == Some(&b':') && matches!(bytes.get(5), Some(b'M')) => {
            dated::time_only(text, arrival)
        }
        (Some(b'-'), _, _) => android::recognise(text, arrival).or_else(|| dated::day_first(text)),
        (_, _, Some(b' ')) if bytes[..6].iter().all(u8::is_ascii_digit) => hadoop::recognise(text),
        _ => redis::recognise(text),
    }
    .map(lines)
}

fn capital_first(text: &str, arrival: Timestamp) -> Option<Found> {
    let bytes = text.as_bytes();
    match bytes.get(1)? {
        b',' => return ruby::logger(text).map(lines),
        b'/' => return android::brief(text, arrival).map(lines),
        b'0'..=b'9' => return go::klog(text, arrival).map(lines),
        _ => {}
    }
    if bytes.get(3) == Some(&b' ') {
        if let Some(entry) = syslog::rfc3164(text, arrival) {
            return Some(lines(entry));
        }
        if let Some(entry) = java::jul_header(text) {
            return Some(Found { entry, shape: Shape::JulHeader });
        }
    }
    if let Some(found) = python::access(text, arrival) {
        return Some(complete(found));
    }
    python::basic(text, arrival)
        .or_else(|| leveled::recognise(text, arrival))
        .or_else(|| ruby::request(text, arrival))
        .map(lines)
        .or_else(|| logfmt::recognise(text, arrival).map(complete))
        .or_else(|| access::morgan(text, arrival).map(complete))
}

fn small_first(text: &str, arrival: Timestamp) -> Option<Found> {
    let head = text.split([' ', '\t']).next()?;
    if head.contains('=') {
        return logfmt::recognise(text, arrival).map(complete);
    }
    if head.ends_with(':') {
        return leveled::small(head, text, arrival).map(lines);
    }
    if head.contains(".log") {
        // Several files in one stream: `name.log 2026-01-02 03:04:05 …`.
        let s = Scan::new(text[head.len()..].trim_start());
        if stamp::iso(&mut { s }).is_some() {
            let mut entry = dated::recognise(s.rest)?;
            entry.attributes.push(("log.file.name".to_owned(), head.into()));
            return Some(lines(entry));
        }
    }
    java::logger_first(text, arrival).map(lines)
}
