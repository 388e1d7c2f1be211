//! Rust: what `tracing-subscriber`'s text formats (full, compact, pretty) put after the level.
//!
//! `main ThreadId(01) outer{a=1}:inner: my_crate::module: src/main.rs:12: message k=v`, every part
//! but the message optional. Without colours nothing marks where the message ends and the fields
//! begin: the fields are the pairs the line ends with.

use logrec_core::Entry;

use crate::{
    kv, leveled,
    scan::{self, Scan},
};

/// The rest after the level, cursor at its first byte.
pub(crate) fn traced(entry: &mut Entry, mut s: Scan<'_>) {
    thread(entry, &mut s);
    let names = spans(entry, &mut s);
    target(entry, &mut s, !names.is_empty());
    place(entry, &mut s);
    leveled::tail(entry, s.rest);
    leveled::put_spans(entry, names);
}

/// `main ThreadId(01) `: name and number, or the number alone.
fn thread(entry: &mut Entry, s: &mut Scan<'_>) {
    let mut next = *s;
    let mut name = None;
    if !next.rest.starts_with("ThreadId(") {
        name = next.token();
        next.skip_blanks();
    }
    if next.eat("ThreadId(").is_some()
        && let Some(number) = next.number()
        && next.eat(") ").is_some()
    {
        entry.thread = Some(number);
        entry.thread_name = name.map(str::to_owned);
        next.skip_blanks();
        *s = next;
    }
}

/// `outer{a=1}:inner: `: the spans' names; their fields become attributes.
fn spans<'a>(entry: &mut Entry, s: &mut Scan<'a>) -> Vec<&'a str> {
    let mut next = *s;
    let mut names = Vec::new();
    let mut fields = Vec::new();
    let mut has_fields = false;
    loop {
        let name = next
            .run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'<' | b'>'));
        if name.is_empty() {
            return Vec::new();
        }
        names.push(name);
        if next.peek() == Some(b'{') {
            has_fields = true;
            let Some(inner) = braced(&mut next) else { return Vec::new() };
            match kv::all(inner) {
                Some(pairs) => fields.extend(pairs),
                None => fields.push((name.to_owned(), inner.into())),
            }
        }
        if next.eat(":").is_none() || next.peek() == Some(b':') {
            return Vec::new();
        }
        if next.eat(" ").is_some() {
            break;
        }
    }
    // One name and a colon is a target, or the message's first word, unless a path follows.
    let is_span = has_fields
        || ((names.len() > 1 || next_is_path(next)) && names.iter().all(|n| !n.is_empty()));
    if !is_span {
        return Vec::new();
    }
    entry.attributes.extend(fields);
    *s = next;
    names
}

fn next_is_path(mut s: Scan<'_>) -> bool {
    s.token()
        .is_some_and(|token| token.contains("::") && token.ends_with(':') && scan::is_logger(token))
}

/// `{…}` with what brackets and quotes it holds, without the outer braces.
fn braced<'a>(s: &mut Scan<'a>) -> Option<&'a str> {
    let (mut depth, mut in_quotes, mut escaped) = (0usize, false, false);
    for (at, byte) in s.rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            b'{' if !in_quotes => depth += 1,
            b'}' if !in_quotes => {
                depth -= 1;
                if depth == 0 {
                    let inner = &s.rest[1..at];
                    s.rest = &s.rest[at + 1..];
                    return Some(inner);
                }
            }
            _ => {}
        }
    }
    None
}

/// `my_crate::module: `; after spans any name, otherwise one that begins small, as crates do.
fn target(entry: &mut Entry, s: &mut Scan<'_>, after_spans: bool) {
    let mut next = *s;
    let Some(token) = next.token() else { return };
    let Some(name) = token.strip_suffix(':') else { return };
    let small = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    if scan::is_logger(name)
        && (small || after_spans || name.contains("::"))
        && next.blanks().is_some()
    {
        name.clone_into(&mut entry.logger);
        *s = next;
    }
}

/// `src/main.rs:12: `, when the subscriber was told to say so.
fn place(entry: &mut Entry, s: &mut Scan<'_>) {
    let mut next = *s;
    if let Some(token) = next.token()
        && let Some((file, line)) = token.strip_suffix(':').and_then(scan::file_line)
        && file.ends_with(".rs")
    {
        entry.file = Some(file.to_owned());
        entry.line = Some(line);
        next.skip_blanks();
        *s = next;
    }
}

/// The lines below a line of the pretty form: `at src/main.rs:12 on main`, `in app::span with a: 1`.
/// False when the line is neither.
pub(crate) fn pretty_detail(entry: &mut Entry, line: &str) -> bool {
    let text = line.trim();
    if let Some(at) = text.strip_prefix("at ") {
        let place = at.split(" on ").next().unwrap_or(at);
        let Some((file, line)) = scan::file_line(place) else { return false };
        entry.file = Some(file.to_owned());
        entry.line = Some(line);
        entry.thread_name = at.split_once(" on ").map(|(_, thread)| thread.to_owned());
        return true;
    }
    let Some(span) = text.strip_prefix("in ") else { return false };
    let (name, fields) = span.split_once(" with ").unwrap_or((span, ""));
    if !scan::is_logger(name) {
        return false;
    }
    for field in fields.split(", ").filter(|field| !field.is_empty()) {
        let (key, value) = field.split_once(": ").unwrap_or((name, field));
        entry.attributes.push((key.to_owned(), crate::value::typed(value.trim_matches('"'))));
    }
    entry.attributes.push(("span".to_owned(), name.into()));
    true
}
