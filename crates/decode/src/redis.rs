//! Redis and Valkey: `123:M 02 Jan 2026 03:04:05.678 * message`.

use logrec_core::{Entry, Level};

use crate::{context::Context, scan::Scan, stamp};

pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let process = s.number()?;
    s.eat(":")?;
    let role = match s.run(|b| b.is_ascii_uppercase()) {
        "M" => "master",
        "S" => "replica",
        "C" => "child",
        "X" => "sentinel",
        _ => return None,
    };
    s.blanks()?;
    let timestamp = stamp::day_month_year(&mut s, cx)?;
    s.blanks()?;
    let level = match s.token()? {
        "." | "-" => Level::Debug,
        "*" => Level::Info,
        "#" => Level::Warning,
        _ => return None,
    };
    s.skip_blanks();
    let mut entry = Entry::new(timestamp, level, s.rest);
    "redis".clone_into(&mut entry.logger);
    entry.process = Some(process);
    entry.attributes.push(("redis.role".to_owned(), role.into()));
    Some(entry)
}
