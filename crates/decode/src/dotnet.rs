//! .NET: `Microsoft.Extensions.Logging`'s simple console.

use logrec_core::{Entry, Level, Timestamp, Value};

use crate::scan::{self, Scan};

/// `info: Category[0]`, the message on the next, indented line or after it.
pub(crate) fn console(word: &str, after: &str, arrival: Timestamp) -> Option<Entry> {
    let level = match word {
        "trce" => Level::Trace,
        "dbug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warning,
        "fail" => Level::Error,
        "crit" => Level::Critical,
        _ => return None,
    };
    let mut s = Scan::new(after);
    s.eat(" ")?;
    let category = s.until("[").filter(|name| scan::is_logger(name))?;
    let event = s.until("]")?.parse::<i64>().ok()?;
    if !s.rest.is_empty() {
        s.blanks()?;
    }
    let mut entry = Entry::new(arrival, level, s.rest);
    category.clone_into(&mut entry.logger);
    if event != 0 {
        entry.attributes.push(("event_id".to_owned(), Value::Int(event)));
    }
    Some(entry)
}
