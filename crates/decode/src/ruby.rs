//! Ruby: the standard `Logger`, and the lines Rails frames a request with.

use logrec_core::{Entry, Level};

use crate::{
    access,
    context::Context,
    scan::{self, Scan},
    stamp,
};

/// `I, [2026-01-02T03:04:05.678901 #123]  INFO -- progname: message`.
pub(crate) fn logger(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text.get(1..)?);
    s.eat(", [")?;
    let timestamp = stamp::iso(&mut s, cx)?;
    s.skip_blanks();
    s.eat("#")?;
    let process = s.number()?;
    s.eat("]")?;
    s.blanks()?;
    let word = s.token()?;
    let level = if word == "ANY" { Level::Info } else { scan::upper_level(word)? };
    s.eat(" -- ")?;
    // No name is `-- :`.
    let (name, message) = s.rest.split_once(':')?;
    let mut entry = Entry::new(timestamp, level, message.trim_start());
    entry.process = Some(process);
    name.trim().clone_into(&mut entry.logger);
    put_request(&mut entry, cx);
    entry.level = entry.level.max(level);
    Some(entry)
}

/// `Started GET "/x" for …` and `Completed 200 OK in 45ms (…)` without a header.
pub(crate) fn request(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut entry = Entry::new(cx.arrival, Level::Info, text);
    put_request(&mut entry, cx).then_some(entry)
}

/// The attributes of a request's first or last line; false when the message is neither.
fn put_request(entry: &mut Entry, cx: Context<'_>) -> bool {
    let message = std::mem::take(&mut entry.message);
    let known = completed(entry, &message).or_else(|| started(entry, &message, cx)).is_some();
    entry.message = message;
    known
}

fn completed(entry: &mut Entry, message: &str) -> Option<()> {
    let mut s = Scan::new(message);
    s.eat("Completed ")?;
    let status = s.digits(3)?;
    s.until(" in ")?;
    let duration = s.number()?;
    s.eat("ms")?;
    access::put_status(entry, status);
    entry.attributes.push(("duration_ms".to_owned(), duration.into()));
    Some(())
}

fn started(entry: &mut Entry, message: &str, cx: Context<'_>) -> Option<()> {
    let mut s = Scan::new(message);
    s.eat("Started ")?;
    let method = s.token()?;
    s.eat(" \"")?;
    let target = s.until("\" for ")?;
    let client = s.token()?;
    s.eat(" at ")?;
    entry.timestamp = stamp::iso(&mut s, cx)?;
    access::put_request(entry, &format!("{method} {target}"));
    entry.attributes.push(("client.address".to_owned(), client.into()));
    Some(())
}
