//! The JVM and its followers: log4j, logback, Spring Boot, JBoss; Monolog's channel.

use logrec_core::{Entry, Level, Timestamp};

use crate::{
    context::Context,
    scan::{self, Scan},
    stamp,
};

/// `123 --- [app] [main] c.f.Bar : message`, Spring Boot's; after the level.
pub(crate) fn spring(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let process = s.number()?;
    s.eat(" --- ")?;
    let mut groups = Vec::new();
    while let Some(group) = s.bracketed() {
        groups.push(group.trim());
        s.skip_blanks();
    }
    let (logger, message) =
        s.rest.split_once(" : ").or_else(|| Some((s.rest.strip_suffix(" :")?, "")))?;
    entry.process = Some(process);
    // Spring Boot 3.2 and later put the application's name before the thread; a trace may follow.
    match groups.as_slice() {
        [thread] => entry.thread_name = Some((*thread).to_owned()),
        [app, thread, more @ ..] => {
            entry.service = Some((*app).to_owned());
            entry.thread_name = Some((*thread).to_owned());
            entry.attributes.extend(more.iter().map(|m| ("context".to_owned(), (*m).into())));
        }
        [] => {}
    }
    logger.trim().clone_into(&mut entry.logger);
    message.clone_into(&mut entry.message);
    Some(())
}

/// `[com.foo] (main) message` (JBoss, Quarkus), or any of [`dashed`]; after the level.
pub(crate) fn thread_logger(entry: &mut Entry, s: Scan<'_>) -> Option<()> {
    jboss(entry, s).or_else(|| dashed(entry, s))
}

fn jboss(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let name = s.bracketed()?;
    s.skip_blanks();
    s.eat("(")?;
    let thread = s.until(") ").filter(|thread| scan::file_line(thread).is_none())?;
    name.trim().clone_into(&mut entry.logger);
    entry.thread_name = Some(thread.to_owned());
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `com.foo.Bar - message` or ` -- `, the place before it as `(Bar.java:12)`, a thread before it as `[main]` or `main`, a context after it
/// as `[id]`.
fn dashed(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let bracket = s.bracketed().map(str::trim);
    s.skip_blanks();
    let (head, message) = split_dash(s.rest)?;
    let words: Vec<&str> = head.split(' ').filter(|word| !word.is_empty()).take(4).collect();
    // `(Bar.java:12)`, log4j's `(%F:%L)`.
    let place = words.last().copied().and_then(place_of);
    let words = if place.is_some() { &words[..words.len() - 1] } else { &words[..] };
    let (thread, logger, context) = match (bracket, words) {
        (_, [logger]) => (bracket, *logger, None),
        (_, [logger, last]) if last.starts_with('[') && last.ends_with(']') => {
            (bracket, *logger, Some(*last))
        }
        (_, []) if place.is_some() => (bracket, "", None),
        (None, [thread, logger]) if scan::is_telling_logger(logger) => {
            (Some(*thread), *logger, None)
        }
        _ => return None,
    };
    let logger = logger.trim_end_matches(':');
    let is_class =
        scan::is_telling_logger(logger) || logger.starts_with(|c: char| c.is_ascii_uppercase());
    let is_bare = words.is_empty();
    if !is_bare && !scan::is_logger(logger) || (bracket.is_some() && !is_class && !is_bare) {
        return None;
    }
    logger.clone_into(&mut entry.logger);
    entry.thread_name = thread.map(str::to_owned).or(entry.thread_name.take());
    if let Some((file, line)) = place {
        entry.file = Some(file.to_owned());
        entry.line = Some(line);
    }
    if let Some(context) = context {
        entry.attributes.push(("context".to_owned(), context.trim_matches(['[', ']']).into()));
    }
    message.clone_into(&mut entry.message);
    Some(())
}

/// `[main] org.apache.catalina.startup.Catalina.start message`, Tomcat's, and `[my_crate::module]
/// message`; after the level.
pub(crate) fn bracket_first(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let inner = s.bracketed()?.trim();
    s.blanks()?;
    if scan::is_telling_logger(inner) {
        inner.clone_into(&mut entry.logger);
    } else {
        let name =
            s.token().filter(|name| scan::is_dotted(name) && scan::is_telling_logger(name))?;
        s.blanks()?;
        entry.thread_name = Some(inner.to_owned());
        name.clone_into(&mut entry.logger);
    }
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `Jan 02, 2026 3:04:05 AM com.foo.Bar main`: the first of `java.util.logging`'s two lines; the
/// message is the line itself until the second comes.
pub(crate) fn jul_header(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let timestamp = stamp::month_day_year(&mut s, cx)?;
    s.blanks()?;
    let logger = s.token().filter(|name| scan::is_logger(name))?;
    let function = s.rest.trim();
    if function.contains(' ') {
        return None;
    }
    let mut entry = Entry::new(timestamp, Level::Info, text);
    logger.clone_into(&mut entry.logger);
    entry.function = Some(function.to_owned()).filter(|function| !function.is_empty());
    Some(entry)
}

/// `SEVERE: message`, the second of them; false when the line is no such.
pub(crate) fn jul_message(entry: &mut Entry, line: &str) -> bool {
    let Some((word, message)) = line.split_once(": ") else { return false };
    let capitals = word.bytes().all(|b| b.is_ascii_uppercase());
    let Some(level) = Level::from_name(word).filter(|_| capitals && word.len() > 3) else {
        return false;
    };
    entry.level = level;
    message.clone_into(&mut entry.message);
    true
}

fn place_of(word: &str) -> Option<(&str, u32)> {
    scan::file_line(word.strip_prefix('(')?.strip_suffix(')')?)
}

/// Cuts at the first ` - ` or ` -- `, within the first few words.
fn split_dash(text: &str) -> Option<(&str, &str)> {
    const HEAD_BYTES_MAX: usize = 256;
    let window = &text[..text.floor_char_boundary(HEAD_BYTES_MAX)];
    let single = window.find(" - ").map(|at| (at, 3));
    let double = window.find(" -- ").map(|at| (at, 4));
    let (at, len) = match (single, double) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    Some((&text[..at], &text[at + len..]))
}

/// `message (kafka.server.KafkaServer)`: log4j's `%m (%c)`; the message is all of it otherwise.
pub(crate) fn trailing_logger(entry: &mut Entry, text: &str) {
    if entry.logger.is_empty()
        && let Some((message, name)) = text.strip_suffix(')').and_then(|t| t.rsplit_once(" ("))
        && scan::is_dotted(name)
        && scan::is_logger(name)
        && name.matches('.').count() >= 2
    {
        name.clone_into(&mut entry.logger);
        message.clone_into(&mut entry.message);
    } else {
        text.clone_into(&mut entry.message);
    }
}

/// `production.ERROR: message`, Monolog's and Laravel's; after the time.
pub(crate) fn monolog(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let (channel, level) = s.token()?.strip_suffix(':')?.rsplit_once('.')?;
    entry.level = scan::upper_level(level)?;
    channel.clone_into(&mut entry.logger);
    s.skip_blanks();
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `com.foo.Bar INFO message` without any time: too rare to be worth its false positives, except
/// with a level in capitals right after a dotted name.
pub(crate) fn logger_first(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    let name = s.token().filter(|name| scan::is_dotted(name) && scan::is_logger(name))?;
    s.blanks()?;
    let mut next = s;
    if let Some((file, line)) = next.token().and_then(place_of)
        && next.eat(" - ").is_some()
    {
        // log4j's `%c (%F:%L) - %m`.
        let mut entry = Entry::new(arrival, Level::Info, next.rest);
        name.clone_into(&mut entry.logger);
        entry.file = Some(file.to_owned());
        entry.line = Some(line);
        return Some(entry);
    }
    let level = s.upper_level()?;
    let _ = s.eat(":");
    s.blanks()?;
    let mut entry = Entry::new(arrival, level, s.rest);
    name.clone_into(&mut entry.logger);
    Some(entry)
}
