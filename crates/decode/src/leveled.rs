//! What follows a level: logger, thread, place, then the message. Shared by every format that
//! puts the level before these, and the lines that begin with a level themselves.

use logrec_core::{Entry, Level, Timestamp, Value};

use crate::{
    context::Context,
    dotnet, java, kv, node, python, rust,
    scan::{self, Scan},
    stamp,
};

/// A level ahead: `INFO`, `[info ]`, `INF`, and nothing glued to it but a colon.
pub(crate) fn level_ahead(s: &mut Scan<'_>) -> Option<Level> {
    let mut next = *s;
    let level = match next.bracketed_level() {
        Some(level) => level,
        None => next.upper_level()?,
    };
    let _ = next.eat(":");
    if !next.rest.is_empty() && !next.rest.starts_with([' ', '\t', '[']) {
        return None;
    }
    *s = next;
    Some(level)
}

/// Levels that stand alone before a message; `INFORMATION for you` is a sentence.
const COMMON: [&str; 9] =
    ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"];

/// `INFO message`, `INFO  [main] com.foo.Bar - message`, `INFO 2026-01-02 03:04:05,678 name …`.
pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let level = s.upper_level()?;
    let mut entry = Entry::new(cx.arrival, level, "");
    if s.eat(":").is_some() {
        // uvicorn pads `LEVEL:` to ten columns.
        let columns = text.len() - s.rest.trim_start_matches(' ').len();
        let padding = s.rest.len() - s.rest.trim_start_matches(' ').len();
        if padding == 0 {
            return None;
        }
        if columns == 10 && padding > 1 {
            "uvicorn".clone_into(&mut entry.logger);
            s.skip_blanks();
            s.rest.clone_into(&mut entry.message);
            return Some(entry);
        }
    } else {
        let word = &text[..text.len() - s.rest.len()];
        if !COMMON.contains(&word) {
            return None;
        }
        s.blanks()?;
    }
    finish_dated(&mut entry, s, cx)?;
    Some(entry)
}

/// The rest after a level, with a time first if there is one.
fn finish_dated(entry: &mut Entry, mut s: Scan<'_>, cx: Context<'_>) -> Option<()> {
    s.skip_blanks();
    let mut next = s;
    let bracket = next.eat("[").is_some();
    if let Some(timestamp) = stamp::iso(&mut next, cx).or_else(|| stamp::slashed(&mut next, cx)) {
        if bracket {
            next.eat("]")?;
        }
        entry.timestamp = timestamp;
        s = next;
    }
    if s.rest.trim().is_empty() && entry.level != Level::Info {
        return None;
    }
    rest(entry, s);
    Some(())
}

/// `  INFO target: message`: `tracing` without time, its level padded to five columns.
pub(crate) fn padded(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    let level = s.upper_level()?;
    s.eat(" ")?;
    let mut entry = Entry::new(arrival, level, "");
    traced(&mut entry, s);
    Some(entry)
}

/// `[INFO] …`, `[INFO  my_crate::module] …`, and what follows a time in the same brackets.
pub(crate) fn level_in_brackets(
    mut entry: Entry,
    mut within: Scan<'_>,
    s: Scan<'_>,
    cx: Context<'_>,
) -> Option<Entry> {
    entry.level = scan::any_level(within.run(|b| b.is_ascii_alphabetic()))?;
    within.skip_blanks();
    if within.rest.is_empty() {
        finish_dated(&mut entry, s, cx)?;
        return Some(entry);
    }
    if !scan::is_logger(within.rest) {
        return None;
    }
    within.rest.clone_into(&mut entry.logger);
    let mut s = s;
    s.skip_blanks();
    let (message, pairs) = kv::split_tail(s.rest);
    message.clone_into(&mut entry.message);
    entry.attributes.extend(pairs);
    Some(entry)
}

/// Lines that begin with a level in small letters and a colon: .NET's console, winston's simple.
pub(crate) fn small(head: &str, text: &str, arrival: Timestamp) -> Option<Entry> {
    let word = head.strip_suffix(':')?;
    let after = &text[head.len()..];
    if let Some(entry) = dotnet::console(word, after, arrival) {
        return Some(entry);
    }
    let level = match word {
        "debug" | "info" | "warn" | "warning" | "error" | "fatal" | "trace" => {
            scan::any_level(word)?
        }
        _ => return None,
    };
    let message = after.trim_start();
    (!message.is_empty()).then(|| Entry::new(arrival, level, message))
}

/// The rest after a level where `tracing` is the likely writer: spans, target, pairs.
pub(crate) fn traced(entry: &mut Entry, mut s: Scan<'_>) {
    s.skip_blanks();
    let known = java::spring(entry, s)
        .or_else(|| java::thread_logger(entry, s))
        .or_else(|| java::bracket_first(entry, s));
    if known.is_none() {
        rust::traced(entry, s);
    }
}

/// The rest after a level, in the first of the known arrangements.
pub(crate) fn rest(entry: &mut Entry, mut s: Scan<'_>) {
    s.skip_blanks();
    let known = python::flask(entry, s)
        .or_else(|| java::spring(entry, s))
        .or_else(|| node::pino_pretty(entry, s))
        .or_else(|| java::thread_logger(entry, s))
        .or_else(|| java::bracket_first(entry, s))
        .or_else(|| python::name_pid_tid(entry, s))
        .or_else(|| named(entry, s));
    if known.is_none() {
        let _ = s.eat("- ").or_else(|| s.eat(": "));
        java::trailing_logger(entry, s.rest);
    }
}

/// `name: message` and `name message`, where the name cannot be a word of the message.
fn named(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let token = s.token()?;
    match token.strip_suffix(':') {
        Some(name) => {
            let small = token.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
            if !scan::is_logger(name)
                || !(small || scan::is_telling_logger(name))
                || s.rest.is_empty()
            {
                return None;
            }
            if name.contains("::") {
                // Rust's: pairs at the end are fields.
                name.clone_into(&mut entry.logger);
                tail(entry, s.rest.trim_start());
                return Some(());
            }
            name.clone_into(&mut entry.logger);
        }
        None if scan::is_telling_logger(token) && !s.rest.is_empty() && !is_file(token) => {
            token.clone_into(&mut entry.logger);
        }
        None => return None,
    }
    s.skip_blanks();
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `main.py` at the start of a message is a file, not a logger.
fn is_file(token: &str) -> bool {
    let extension = token.rsplit('.').next().unwrap_or_default();
    [
        "py", "js", "ts", "go", "rs", "rb", "java", "com", "org", "io", "net", "txt", "log",
        "json", "yml", "yaml", "html",
    ]
    .contains(&extension)
}

/// structlog's console after its padded level: `event      [logger] key=value`.
pub(crate) fn structlog(entry: &mut Entry, text: &str) {
    tail(entry, text);
    if let Some((message, name)) = entry.message.strip_suffix(']').and_then(|t| t.rsplit_once(" ["))
        && scan::is_logger(name)
    {
        name.clone_into(&mut entry.logger);
        entry.message = message.trim_end().to_owned();
    }
}

/// A message and its pairs.
pub(crate) fn tail(entry: &mut Entry, text: &str) {
    let (message, pairs) = kv::split_tail(text);
    message.clone_into(&mut entry.message);
    entry.attributes.extend(pairs);
}

/// The names of spans as the attribute `spans`.
pub(crate) fn put_spans(entry: &mut Entry, names: Vec<&str>) {
    if !names.is_empty() {
        let names = names.into_iter().map(Value::from).collect();
        entry.attributes.push(("spans".to_owned(), Value::Array(names)));
    }
}
