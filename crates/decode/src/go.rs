//! Go: the standard `log`, klog and glog, zap's console.

use logrec_core::{Entry, Level, Value};

use crate::{
    context::Context,
    json::parse,
    leveled,
    scan::{self, Scan},
    stamp,
};

/// `I0102 03:04:05.678901   123 file.go:12] message`; glog writes a whole date, `I20260102`.
pub(crate) fn klog(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let level = match s.peek()? {
        b'I' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' => Level::Critical,
        b'D' => Level::Debug,
        _ => return None,
    };
    s.rest = &s.rest[1..];
    // The year of glog's date is dropped for the arrival's nearest: a log is never years old here.
    if s.rest.bytes().take_while(u8::is_ascii_digit).count() == 8 {
        s.rest = &s.rest[4..];
    }
    let timestamp = stamp::klog(&mut s, cx)?;
    s.blanks()?;
    let thread = s.number()?;
    s.blanks()?;
    let place = s.until("]")?;
    let mut entry = Entry::new(timestamp, level, "");
    entry.thread = Some(thread);
    let (file, line) = scan::file_line(place)?;
    entry.file = Some(file.to_owned());
    entry.line = Some(line);
    let message = s.rest.trim_start();
    if message.starts_with('"') {
        // klog's structured form: `"message" key="value"`.
        leveled::tail(&mut entry, message);
        entry.message = entry.message.trim_matches('"').to_owned();
    } else {
        message.clone_into(&mut entry.message);
    }
    Some(entry)
}

/// What follows the time in lines of `log`: perhaps `file.go:12: `, perhaps a level, the message.
pub(crate) fn message(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let mut next = s;
    if let Some(token) = next.token()
        && let Some((file, line)) = token.strip_suffix(':').and_then(scan::file_line)
    {
        entry.file = Some(file.to_owned());
        entry.line = Some(line);
        next.skip_blanks();
        s = next;
        let is_slog = s.peek() != Some(b'[');
        if let Some(level) = leveled::level_ahead(&mut s) {
            entry.level = level;
            s.skip_blanks();
            if is_slog {
                // slog's default handler: pairs at the end are attributes.
                leveled::tail(entry, s.rest);
                return Some(());
            }
        }
    }
    if s.rest.starts_with("http: panic serving") {
        // net/http recovered from a handler's panic; its stack follows.
        entry.level = Level::Error;
    }
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `\tINFO\tlogger\tpkg/file.go:12\tmessage\t{"k": 1}`, zap's console; after the time.
pub(crate) fn zap_console(entry: &Entry, s: Scan<'_>) -> Option<Entry> {
    let mut parts = s.rest.split('\t').skip(1).peekable();
    let mut entry = Entry { level: scan::any_level(parts.next()?.trim())?, ..entry.clone() };
    let is_place = |part: &str| scan::file_line(part).is_some();
    let first = parts.next()?;
    let place = if is_place(first) {
        Some(first)
    } else if parts.peek().is_some_and(|part| is_place(part)) {
        first.clone_into(&mut entry.logger);
        parts.next()
    } else {
        None
    };
    if let Some((file, line)) = place.and_then(scan::file_line) {
        entry.file = Some(file.to_owned());
        entry.line = Some(line);
    }
    let mut message = match place {
        Some(_) => parts.collect::<Vec<_>>(),
        None => std::iter::once(first).chain(parts).collect(),
    };
    if let Some(Ok(Value::Map(members))) =
        message.last().filter(|last| last.starts_with('{')).map(|last| parse::parse(last))
    {
        entry.attributes.extend(members);
        message.pop();
    }
    entry.message = message.join("\t");
    Some(entry)
}
