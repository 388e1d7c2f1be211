//! HTTP access lines: Common and Combined Log Format (nginx, Apache, gunicorn, werkzeug), uvicorn's,
//! and the attributes they share, named as OpenTelemetry's semantic conventions name them.
//!
//! An access line that states no level is INFO, and ERROR from status 500: a client's 404 is no fault
//! of the server.

use logrec_core::{Entry, Level, Timestamp, Value};

use crate::{context::Context, scan::Scan, stamp};

/// The level of a response's status.
pub(crate) fn level(status: u32) -> Level {
    if status >= 500 { Level::Error } else { Level::Info }
}

fn put(entry: &mut Entry, name: &str, value: impl Into<Value>) {
    entry.attributes.push((name.to_owned(), value.into()));
}

fn put_text(entry: &mut Entry, name: &str, text: &str) {
    if !text.is_empty() && text != "-" {
        put(entry, name, text);
    }
}

/// The attributes of `GET /path?query HTTP/1.1`; none when it is nothing of the kind.
pub(crate) fn put_request(entry: &mut Entry, request: &str) {
    let mut words = request.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase()) {
        return;
    }
    put(entry, "http.request.method", method);
    put_target(entry, target);
    if let Some(version) = words.next().and_then(|word| word.strip_prefix("HTTP/")) {
        put(entry, "network.protocol.version", version);
    }
}

fn put_target(entry: &mut Entry, target: &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    put_text(entry, "url.path", path);
    put_text(entry, "url.query", query);
}

/// The attribute of a status, and the level it makes.
pub(crate) fn put_status(entry: &mut Entry, status: u32) {
    put(entry, "http.response.status_code", status);
    entry.level = level(status);
}

fn status(s: &mut Scan<'_>) -> Option<u32> {
    let status = s.digits(3)?;
    let ends = s.rest.is_empty() || s.rest.starts_with([' ', ',']);
    (ends && (100..600).contains(&status)).then_some(status)
}

/// A quoted string that may hold `\"`, without its quotes.
fn quoted<'a>(s: &mut Scan<'a>) -> Option<&'a str> {
    let mut next = *s;
    next.eat("\"")?;
    let bytes = next.rest.as_bytes();
    let mut from = 0;
    loop {
        let end = from + memchr::memchr(b'"', &bytes[from..])?;
        let escapes = bytes[..end].iter().rev().take_while(|&&b| b == b'\\').count();
        if escapes % 2 == 0 {
            s.rest = &next.rest[end + 1..];
            return Some(&next.rest[..end]);
        }
        from = end + 1;
    }
}

/// `host ident user [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 612 "referer" "agent" …`.
pub(crate) fn clf(text: &str, cx: Context<'_>) -> Option<Entry> {
    let open = memchr::memmem::find(text.as_bytes(), b" [")?;
    let mut s = Scan::new(&text[open + 2..]);
    let timestamp = stamp::clf(&mut s, cx)?;
    s.eat("]")?;
    s.blanks()?;
    let body = s.rest;
    let request = quoted(&mut s)?;
    s.blanks()?;
    let status = status(&mut s)?;
    s.skip_blanks();
    let size = s.token();
    let body_len = body.len() - s.rest.len();
    let mut who = text[..open].split(' ');
    let client = who.next().filter(|c| !c.is_empty())?;

    let mut entry = Entry::new(timestamp, Level::Info, body[..body_len].trim_end());
    put_text(&mut entry, "client.address", client);
    put_text(&mut entry, "client.ident", who.next()?);
    put_text(&mut entry, "user.name", &who.collect::<Vec<_>>().join(" "));
    put_request(&mut entry, request);
    put_status(&mut entry, status);
    if let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) {
        put(&mut entry, "http.response.body.size", size);
    }
    put_headers(&mut entry, &mut s);
    Some(entry)
}

/// The combined format's referer and agent; what a custom format adds goes on the message.
fn put_headers(entry: &mut Entry, s: &mut Scan<'_>) {
    s.skip_blanks();
    let mut next = *s;
    if let Some(referer) = quoted(&mut next)
        && next.blanks().is_some()
        && let Some(agent) = quoted(&mut next)
    {
        put_text(entry, "http.request.header.referer", referer);
        put_text(entry, "user_agent.original", agent);
        *s = next;
    }
    let rest = s.rest.trim();
    if !rest.is_empty() {
        entry.message.push(' ');
        entry.message.push_str(rest);
    }
}

/// uvicorn's `127.0.0.1:51234 - "GET /x HTTP/1.1" 200 OK` and `… - "WebSocket /x" [accepted]`, after
/// its level.
pub(crate) fn uvicorn(message: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(message);
    let client = s.until(" - ")?;
    let (address, port) = client.rsplit_once(':').unwrap_or((client, ""));
    if client.contains(' ') || (!client.is_empty() && port.parse::<u16>().is_err()) {
        return None;
    }
    let request = quoted(&mut s)?;
    s.blanks()?;
    let upgraded = request.strip_prefix("WebSocket ");
    let status = match status(&mut s) {
        None if upgraded.is_some() && s.rest.starts_with('[') => None,
        status => Some(status?),
    };
    let mut entry = Entry::new(arrival, Level::Info, message);
    "uvicorn.access".clone_into(&mut entry.logger);
    put_text(&mut entry, "client.address", address);
    if let Ok(port) = port.parse::<u16>() {
        put(&mut entry, "client.port", u32::from(port));
    }
    match upgraded {
        Some(target) => {
            put_target(&mut entry, target);
            put(&mut entry, "network.protocol.name", "websocket");
        }
        None => put_request(&mut entry, request),
    }
    if let Some(status) = status {
        put_status(&mut entry, status);
    }
    Some(entry)
}

/// `[GIN] 2026/01/02 - 03:04:05 | 200 |  1.2ms |  127.0.0.1 | GET  "/ping"`.
pub(crate) fn gin(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    s.eat("[GIN] ")?;
    let (date, time) = s.until(" | ")?.split_once(" - ")?;
    let stamp_text = format!("{date} {}", time.trim());
    let mut stamp = Scan::new(&stamp_text);
    let timestamp = stamp::slashed(&mut stamp, cx).filter(|_| stamp.rest.is_empty())?;
    let message = s.rest;
    let mut columns = message.splitn(4, '|').map(str::trim);
    let status = columns.next()?.parse().ok().filter(|status| (100..600).contains(status))?;
    let (duration, client) = (columns.next()?, columns.next()?);
    let (method, path) = columns.next()?.split_once(' ')?;
    let mut entry = Entry::new(timestamp, Level::Info, message.trim());
    "gin".clone_into(&mut entry.logger);
    put_text(&mut entry, "client.address", client);
    put_request(&mut entry, &format!("{method} {}", path.trim().trim_matches('"')));
    put_text(&mut entry, "duration", duration);
    put_status(&mut entry, status);
    Some(entry)
}

/// `GET /x 200 1.234 ms - 12`, morgan's `dev` and `tiny`.
pub(crate) fn morgan(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    let method = s.run(|b| b.is_ascii_uppercase());
    s.eat(" ")?;
    let target = s.token().filter(|target| !method.is_empty() && target.starts_with('/'))?;
    s.eat(" ")?;
    let status = status(&mut s)?;
    s.eat(" ")?;
    // `tiny` has the size between; a response never sent has `- ms`.
    if !s.rest.contains(" ms") {
        return None;
    }
    let mut entry = Entry::new(arrival, Level::Info, text);
    put_request(&mut entry, &format!("{method} {target}"));
    put_status(&mut entry, status);
    Some(entry)
}
