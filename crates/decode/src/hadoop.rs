//! Hadoop's early log4j pattern: `081109 203615 148 INFO dfs.DataNode: message`.

use logrec_core::{Entry, Level};

use crate::{context::Context, leveled, scan::Scan, stamp};

pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    let timestamp = stamp::compact(&mut s, cx)?;
    s.blanks()?;
    let thread = s.number();
    if thread.is_some() {
        s.blanks()?;
    }
    let mut entry = Entry::new(timestamp, Level::Info, "");
    entry.level = leveled::level_ahead(&mut s)?;
    entry.thread = thread;
    leveled::rest(&mut entry, s);
    Some(entry)
}
