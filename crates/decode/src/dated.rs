//! Lines that begin with a time: what follows it decides the format.
//!
//! Python, Java, Rust, Go, PostgreSQL, nginx and Spring all begin so; they differ in the order of
//! level, logger, thread and process, and in the punctuation between. Read in order of how telling
//! the next byte is.

use logrec_core::{Entry, Level, Timestamp, Value};

use crate::{
    context::Context,
    go, java, kv, leveled, node, postgres, python,
    scan::{self, Scan},
    stamp, web,
};

/// `2026-01-02 …` and `2026/01/02 …`.
pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let slashed = text.as_bytes().get(4) == Some(&b'/');
    let timestamp = if slashed { stamp::slashed(&mut s, cx)? } else { stamp::iso(&mut s, cx)? };
    let is_tracing = !slashed && text.as_bytes().get(10) == Some(&b'T');
    if s.rest.is_empty() {
        return None;
    }
    let mut entry = Entry::new(timestamp, Level::Info, "");
    if slashed && web::nginx(&mut entry, s).is_some() {
        return Some(entry);
    }
    let mut entry = after(entry, s, is_tracing)?;
    if slashed && is_slog(s) {
        let message = std::mem::take(&mut entry.message);
        leveled::tail(&mut entry, &message);
    }
    Some(entry)
}

/// ` INFO message`, slog's default handler: pairs at the end are attributes.
fn is_slog(mut s: Scan<'_>) -> bool {
    s.eat(" ").is_some() && s.upper_level().is_some() && s.peek() == Some(b' ')
}

/// `02-Jan-2026 03:04:05.678 …`, Tomcat's.
pub(crate) fn day_first(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let timestamp = stamp::day_name_year(&mut s, cx)?;
    after(Entry::new(timestamp, Level::Info, ""), s, false)
}

/// `03:04:05.678 …`, `3:04AM …`: recognised only when a level follows, for the time says little.
pub(crate) fn time_only(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    stamp::time_of_day(&mut s).or_else(|| stamp::kitchen(&mut s))?;
    let entry = after(Entry::new(arrival, Level::Info, ""), s, false)?;
    let has_header = entry.message.len() < s.rest.trim().len();
    has_header.then_some(entry)
}

/// `[…] …`: a time, a level, or `env_logger`'s both in brackets.
pub(crate) fn bracketed(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let inner = s.bracketed()?;
    let mut within = Scan::new(inner.trim());
    let mut entry = Entry::new(cx.arrival, Level::Info, "");
    if is_structlog(inner)
        && let Some(level) = scan::any_level(inner.trim())
    {
        entry.level = level;
        leveled::structlog(&mut entry, s.rest.trim_start());
        return Some(entry);
    }
    match within.peek()? {
        b'0'..=b'9' => stamp_in_brackets(entry, within, s, cx),
        b'A'..=b'Z' | b'a'..=b'z' => {
            if let Some(timestamp) =
                stamp::asctime(&mut within, cx).filter(|_| within.rest.is_empty())
            {
                return web::apache(Entry { timestamp, ..entry }, s);
            }
            if within.rest.as_bytes().get(1) == Some(&b' ') {
                return python::tornado(entry, within, s, cx);
            }
            leveled::level_in_brackets(entry, within, s, cx)
        }
        _ => None,
    }
}

fn stamp_in_brackets(
    mut entry: Entry,
    mut within: Scan<'_>,
    s: Scan<'_>,
    cx: Context<'_>,
) -> Option<Entry> {
    entry.timestamp = stamp::iso(&mut within, cx)
        .or_else(|| stamp::slashed(&mut within, cx))
        .or_else(|| stamp::clf(&mut within, cx))
        .or_else(|| stamp::day_name_year(&mut within, cx))
        .or_else(|| stamp::time_of_day(&mut within).map(|()| cx.arrival))?;
    if within.rest.is_empty() {
        return after(entry, s, false);
    }
    if within.eat(":").is_some() {
        return python::celery(entry, within, s);
    }
    within.blanks()?;
    leveled::level_in_brackets(entry, within, s, cx)
}

/// The rest of a line whose time has been read. Always an entry: the time alone is worth it.
fn after(mut entry: Entry, mut s: Scan<'_>, is_tracing: bool) -> Option<Entry> {
    let _ = s.eat(":");
    if s.peek() == Some(b'\t')
        && let Some(found) = go::zap_console(&entry, s)
    {
        return Some(found);
    }
    if !s.rest.is_empty() && s.peek() != Some(b'[') {
        s.blanks()?;
    }
    let read = match s.peek() {
        Some(b'-') => python::dashed(&mut entry, s),
        Some(b'|') => python::loguru(&mut entry, s),
        Some(b'{') => python::airflow(&mut entry, s),
        Some(b'[') => postgres::recognise(&mut entry, s).or_else(|| brackets(&mut entry, s)),
        Some(b'0'..=b'9') => process_first(&mut entry, s),
        Some(b'a'..=b'z') => {
            metadata_first(&mut entry, s).or_else(|| node::small_level(&mut entry, s))
        }
        _ => None,
    };
    if read.is_some() {
        return Some(entry);
    }
    let before = s.rest.len();
    if let Some(level) = leveled::level_ahead(&mut s) {
        entry.level = level;
        // zerolog's console writes levels of three letters, and pairs at the end.
        let is_short = before - s.rest.len() == 3;
        if is_tracing || is_short {
            leveled::traced(&mut entry, s);
        } else {
            leveled::rest(&mut entry, s);
        }
        return Some(entry);
    }
    python::name_level(&mut entry, s)
        .or_else(|| java::monolog(&mut entry, s))
        .or_else(|| web::php(&mut entry, s))
        .or_else(|| go::message(&mut entry, s))?;
    Some(entry)
}

/// `25746 INFO …` (oslo), `1702 2395 INFO …`, `0 [Warning] …` (MySQL).
fn process_first(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let first = s.number()?;
    s.blanks()?;
    let second = s.number();
    if second.is_some() {
        s.blanks()?;
    }
    if s.peek() == Some(b'[') {
        // MySQL: the number is the thread's.
        brackets(entry, s)?;
        entry.thread = Some(first);
        return Some(());
    }
    entry.level = leveled::level_ahead(&mut s)?;
    leveled::rest(entry, s);
    entry.process = entry.process.or(Some(first));
    entry.thread = entry.thread.or(second);
    Some(())
}

/// Groups in brackets, one of them a level: `[123] [INFO]`, `[main] INFO  com.foo.Bar - …`.
fn brackets(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let mut level = None;
    let mut names: Vec<&str> = Vec::new();
    let mut process = None;
    let mut is_structlog = false;
    loop {
        let mut next = s;
        let Some(padded) = next.bracketed() else { break };
        let inner = padded.trim();
        if level.is_none()
            && let Some(found) = bracket_level(inner)
        {
            is_structlog = self::is_structlog(padded);
            level = Some(found);
        } else if let Some((thread, found)) = inner.rsplit_once('/').filter(|_| level.is_none())
            && let Some(found) = scan::upper_level(found)
        {
            // Minecraft's `[Server thread/INFO]`.
            names.push(thread);
            level = Some(found);
        } else if process.is_none()
            && let Ok(number) = inner.parse::<u64>()
        {
            process = Some(number);
        } else if level.is_some() && !scan::is_telling_logger(inner) {
            // A request id or the like: it stays with the message.
            break;
        } else {
            names.push(inner);
        }
        let _ = next.eat(":");
        next.skip_blanks();
        s = next;
    }
    entry.level = match level {
        Some(level) => level,
        None => leveled::level_ahead(&mut s)?,
    };
    entry.process = process;
    place_names(entry, &names);
    if is_structlog {
        leveled::structlog(entry, s.rest);
    } else {
        leveled::rest(entry, s);
    }
    Some(())
}

/// `request_id=F1 [warning] message` (Elixir), `pid=1 tid=a class=B INFO: message` (Sidekiq).
fn metadata_first(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let mut pairs = Vec::new();
    while let Some(pair) = kv::pair(&mut s) {
        pairs.push(pair);
        s.blanks()?;
    }
    if pairs.is_empty() {
        return None;
    }
    entry.level = leveled::level_ahead(&mut s)?;
    for (name, value) in pairs {
        match value {
            Value::Int(process) if name == "pid" => entry.process = u64::try_from(process).ok(),
            value => entry.attributes.push((name, value)),
        }
    }
    s.skip_blanks();
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// structlog pads the level to nine columns.
fn is_structlog(inner: &str) -> bool {
    inner.len() == 9 && inner.bytes().all(|b| b == b' ' || b.is_ascii_lowercase())
}

fn bracket_level(inner: &str) -> Option<Level> {
    scan::any_level(inner).or(match inner {
        "Note" | "System" => Some(Level::Info),
        _ => None,
    })
}

/// The first name is a thread, the last a logger if it reads like one; more are an attribute.
fn place_names(entry: &mut Entry, names: &[&str]) {
    for name in names {
        if scan::is_telling_logger(name) && entry.logger.is_empty() {
            (*name).clone_into(&mut entry.logger);
        } else if entry.thread_name.is_none() {
            entry.thread_name = Some((*name).to_owned());
        } else {
            entry.attributes.push(("context".to_owned(), Value::from(*name)));
        }
    }
}
