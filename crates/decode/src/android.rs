//! Android's logcat: the `threadtime` form (the default) and the `brief` one.

use logrec_core::{Entry, Level, Timestamp};

use crate::{context::Context, scan::Scan, stamp};

fn level(s: &mut Scan<'_>) -> Option<Level> {
    let level = match s.peek()? {
        b'V' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' | b'A' => Level::Critical,
        _ => return None,
    };
    s.rest = &s.rest[1..];
    Some(level)
}

/// `03-17 16:13:38.811  1702  2395 D WindowManager: message`; the year is the arrival's.
pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let timestamp = stamp::logcat(&mut s, cx)?;
    s.blanks()?;
    let process = s.number()?;
    s.blanks()?;
    let thread = s.number()?;
    s.blanks()?;
    let level = level(&mut s)?;
    s.blanks()?;
    let (tag, message) =
        s.rest.split_once(": ").or_else(|| Some((s.rest.strip_suffix(':')?, "")))?;
    let mut entry = Entry::new(timestamp, level, message);
    tag.trim().clone_into(&mut entry.logger);
    entry.process = Some(process);
    entry.thread = Some(thread);
    Some(entry)
}

/// `D/WindowManager( 1702): message`.
pub(crate) fn brief(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    let level = level(&mut s)?;
    s.eat("/")?;
    let tag = s.until("(")?;
    s.skip_blanks();
    let process = s.number()?;
    s.eat("): ")?;
    let mut entry = Entry::new(arrival, level, s.rest);
    tag.trim().clone_into(&mut entry.logger);
    entry.process = Some(process);
    Some(entry)
}
