//! syslog: RFC 5424, and RFC 3164 as it is found in files (no priority, no year).
//!
//! Own code, not a crate: with the time and the cursor at hand it is short, and a line that is
//! only nearly syslog must stay a line of text.

use logrec_core::{Entry, Level, Timestamp, Value};

use crate::{
    context::Context,
    scan::{self, Scan},
    stamp, words,
};

/// `<34>1 …` (RFC 5424) and `<34>Jan  2 03:04:05 …` (RFC 3164).
pub(crate) fn with_priority(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    s.eat("<")?;
    let priority = s.number().filter(|n| *n < 192)?;
    s.eat(">")?;
    let mut entry = match s.rest.strip_prefix("1 ") {
        Some(rest) => rfc5424(rest, cx)?,
        None => rfc3164(s.rest, cx).or_else(|| bare(s.rest, cx.arrival))?,
    };
    entry.level = Level::from_syslog(u8::try_from(priority % 8).unwrap_or(7));
    entry.attributes.push(("syslog.facility".to_owned(), (priority / 8).into()));
    Some(entry)
}

/// RFC 5424 section 6 after `<PRI>1 `: time, host, application, process, message id, data, text.
fn rfc5424(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let stamp_text = s.until(" ")?;
    let timestamp = if stamp_text == "-" { cx.arrival } else { stamp::iso_text(stamp_text, cx)? };
    let mut entry = Entry::new(timestamp, Level::Info, "");
    let (host, app) = (s.until(" ")?, s.until(" ")?);
    let (process, id) = (s.until(" ")?, s.until(" ")?);
    put(&mut entry, "host.name", host);
    if app != "-" {
        app.clone_into(&mut entry.logger);
    }
    match process.parse() {
        Ok(number) => entry.process = Some(number),
        Err(_) => put(&mut entry, "syslog.procid", process),
    }
    put(&mut entry, "syslog.msgid", id);
    structured_data(&mut entry, &mut s)?;
    let message = s.rest.strip_prefix(' ').unwrap_or(s.rest);
    message.trim_start_matches('\u{feff}').clone_into(&mut entry.message);
    Some(entry)
}

fn put(entry: &mut Entry, name: &str, text: &str) {
    if text != "-" && !text.is_empty() {
        entry.attributes.push((name.to_owned(), text.into()));
    }
}

/// `[id a="1" b="x\"y"][id2]` or `-`; parameters become attributes `id.a`.
fn structured_data(entry: &mut Entry, s: &mut Scan<'_>) -> Option<()> {
    if s.eat("-").is_some() {
        return Some(());
    }
    while s.eat("[").is_some() {
        let id = s.run(|b| b != b' ' && b != b']');
        while s.eat(" ").is_some() {
            let name = s.until("=\"")?;
            let value = parameter(s)?;
            entry.attributes.push((format!("{id}.{name}"), Value::Str(value)));
        }
        s.eat("]")?;
    }
    Some(())
}

/// The value of a parameter up to its closing quote; `\"`, `\\` and `\]` are escapes.
fn parameter(s: &mut Scan<'_>) -> Option<String> {
    let mut out = String::new();
    let mut chars = s.rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                s.rest = &s.rest[at + 1..];
                return Some(out);
            }
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\' | ']') => out.push(c),
                other => out.extend(['\\', other]),
            },
            c => out.push(c),
        }
    }
    None
}

/// `Jan  2 03:04:05 host tag[123]: message`, RFC 3164 section 4.1 without its priority.
pub(crate) fn rfc3164(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let timestamp = stamp::rfc3164(&mut s, cx)?;
    s.blanks()?;
    let host = s.token()?;
    s.skip_blanks();
    let mut entry = Entry::new(timestamp, Level::Info, "");
    put(&mut entry, "host.name", host);
    tag_and_message(&mut entry, s);
    Some(entry)
}

/// `tag[123]: message` with no time and no host, as a local program writes to `/dev/log`.
fn bare(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut entry = Entry::new(arrival, Level::Info, "");
    tag_and_message(&mut entry, Scan::new(text));
    (!entry.message.is_empty()).then_some(entry)
}

fn tag_and_message(entry: &mut Entry, mut s: Scan<'_>) {
    let mut next = s;
    if let Some(tag) = next.until(":").filter(|tag| is_tag(tag)) {
        let (name, process) = match tag.strip_suffix(']').and_then(|t| t.rsplit_once('[')) {
            Some((name, process)) => (name, process.parse().ok()),
            None => (tag, None),
        };
        entry.process = process;
        let whole = if process.is_some() { name } else { tag };
        whole.clone_into(&mut entry.logger);
        next.skip_blanks();
        s = next;
    }
    entry.level = words::at_start(s.rest).unwrap_or(Level::Info);
    s.rest.clone_into(&mut entry.message);
}

/// A program's name, perhaps with its service in parentheses and its process in brackets.
fn is_tag(tag: &str) -> bool {
    const TAG_BYTES_MAX: usize = 80;
    (1..=TAG_BYTES_MAX).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_graphic())
        && tag
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'-' | b'('))
}

/// `- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 …`: syslog as supercomputers collect it, an alert
/// tag and the seconds since the epoch before it.
pub(crate) fn with_epoch(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    s.eat("- ")?;
    let timestamp = stamp::epoch_text(s.token()?)?;
    s.blanks()?;
    let date = s.token().filter(|date| date.len() == 10)?;
    s.blanks()?;
    let node = s.token().filter(|node| scan::is_logger(node) || date.contains('.'))?;
    s.blanks()?;
    let mut entry = rfc3164(s.rest, cx)?;
    entry.timestamp = timestamp;
    put(&mut entry, "node", node);
    Some(entry)
}
