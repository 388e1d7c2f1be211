//! Folding: runs of near-identical entries, to be shown as one.
//!
//! Near-identical are neighbours in the answer of one logger and level whose messages differ in values
//! only, and so their traces: see [`skeleton`]. Nothing is lost by it, since the one that is shown names
//! all the others.

use std::ops::Range;

use logrec_core::{Level, RowRef, Timestamp};
use logrec_insight::skeleton;

/// What a run's names take in an answer at the worst, in bytes an entry.
const NAME_BYTES: usize = 24;

/// Which neighbours make a run each; every row is in one. A run is no longer than its names have room for
/// in a tenth of a budget.
pub(crate) fn runs(rows: &[RowRef<'_>], budget: Option<usize>) -> Vec<Range<usize>> {
    let most = budget.map_or(usize::MAX, |bytes| (bytes / 10 / NAME_BYTES).max(2));
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut last = None;
    for (i, row) in rows.iter().enumerate() {
        let key = key(row);
        match runs.last_mut() {
            Some(run) if last == Some(key) && run.len() < most => run.end = i + 1,
            _ => runs.push(i..i + 1),
        }
        last = Some(key);
    }
    runs
}

fn key<'a>(row: &RowRef<'a>) -> (Level, &'a [u8], u64, u64) {
    let record = row.record;
    let (message, exception) = (record.message_bytes(), record.exception_bytes());
    (row.level, record.logger_bytes(), skeleton::hash(message), skeleton::hash(exception))
}

/// The first and the last time of some rows; of none the epoch.
pub(crate) fn times(rows: &[RowRef<'_>]) -> [Timestamp; 2] {
    let times = || rows.iter().map(|row| row.time);
    [times().min().unwrap_or_default(), times().max().unwrap_or_default()]
}
