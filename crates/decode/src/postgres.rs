//! PostgreSQL's server log: `2026-01-02 03:04:05.678 UTC [123] user@db ERROR:  message`.

use logrec_core::{Entry, Level};

use crate::scan::Scan;

/// What follows the time, cursor at the bracket. Two blanks after the level's colon tell it from
/// others; `DETAIL`, `HINT` and `STATEMENT` keep their word, for they explain the line before.
pub(crate) fn recognise(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let inner = s.bracketed()?;
    // `%p`, or `%p-%l` with the line's number in the session.
    let (process, number) = inner.split_once('-').unwrap_or((inner, "0"));
    let process = process.parse().ok()?;
    let _: u64 = number.parse().ok()?;
    s.blanks()?;
    let (head, message) = s.rest.split_once(":  ")?;
    let (who, word) = head.rsplit_once(' ').unwrap_or(("", head));
    entry.level = match word {
        "LOG" | "NOTICE" | "INFO" | "DETAIL" | "HINT" | "CONTEXT" | "STATEMENT" | "QUERY"
        | "LOCATION" => Level::Info,
        "WARNING" => Level::Warning,
        "ERROR" => Level::Error,
        "FATAL" | "PANIC" => Level::Critical,
        _ if word.starts_with("DEBUG") => Level::Debug,
        _ => return None,
    };
    entry.process = Some(process);
    if !who.is_empty() {
        entry.attributes.push(("user".to_owned(), who.into()));
    }
    entry.message = match word {
        "DETAIL" | "HINT" | "CONTEXT" | "STATEMENT" | "QUERY" | "LOCATION" => {
            format!("{word}:  {message}")
        }
        _ => message.to_owned(),
    };
    Some(())
}
