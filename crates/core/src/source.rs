//! [`Source`]: something entries are read from. A ring, a log file, later a store.

use crate::{Collector, Ring, RingId, RingStats, Timestamp, ring::End};

/// Something entries are read from.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Which recording it is; what entries' ids begin with.
    fn id(&self) -> RingId;

    /// What it is, for people.
    fn info(&self) -> SourceInfo;

    /// Shows all its entries that may matter to the query.
    fn scan(&self, collector: &mut Collector<'_>);

    /// An upper bound on its entries, without counting them.
    fn entries_at_most(&self) -> u64;

    /// How far recording has come. O(lanes) for a ring, and no lock: cheap enough to ask all the time
    /// whether there is something new.
    fn progress(&self) -> Progress;

    /// Figures at this moment.
    fn stats(&self) -> RingStats;

    /// Removes what a reader sees, and says how many entries that were.
    ///
    /// 0 where a source cannot forget, as a log file.
    fn clear(&self) -> u64;
}

/// How far recording into a source has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Grows with each entry: of a ring the entries ever recorded.
    pub recorded: u64,
    /// When the latest of them was recorded; `i64::MIN` where a source knows no such time.
    pub observed: Timestamp,
}

/// What a source is. What is not known, or goes without saying, is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// `ring`, `recording` or `file`.
    pub kind: &'static str,
    /// Distinguishes it from others of its kind.
    pub name: String,
    /// The service whose entries it holds.
    pub service: Option<String>,
    /// The process that records into it.
    pub process: Option<u64>,
    /// When recording began.
    pub started: Option<Timestamp>,
    /// Whether its process lives, and if not, how it ended.
    pub end: Option<End>,
    /// What is wrong with it, though it goes on.
    pub trouble: Option<String>,
}

impl SourceInfo {
    /// One of which no more is known.
    #[must_use]
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            service: None,
            process: None,
            started: None,
            end: None,
            trouble: None,
        }
    }
}

impl Source for Ring {
    fn id(&self) -> RingId {
        Self::id(self)
    }

    fn info(&self) -> SourceInfo {
        let trouble = self.trouble().map(str::to_owned);
        SourceInfo { trouble, ..SourceInfo::new("ring", format!("{:010x}", self.id().0)) }
    }

    fn scan(&self, collector: &mut Collector<'_>) {
        collector.ring(self);
    }

    fn entries_at_most(&self) -> u64 {
        self.max_entries()
    }

    fn progress(&self) -> Progress {
        Self::progress(self)
    }

    fn stats(&self) -> RingStats {
        Self::stats(self)
    }

    fn clear(&self) -> u64 {
        Self::clear(self)
    }
}

/// Adds up the figures of several sources.
#[must_use]
pub fn sum(all: impl IntoIterator<Item = RingStats>) -> RingStats {
    let pick = |a: Option<Timestamp>, b: Option<Timestamp>, first: bool| match (a, b) {
        (Some(a), Some(b)) => Some(if first { a.min(b) } else { a.max(b) }),
        (a, b) => a.or(b),
    };
    all.into_iter().fold(RingStats::default(), |mut sum, one| {
        sum.entries += one.entries;
        for (sum, one) in sum.levels.iter_mut().zip(one.levels) {
            *sum += one;
        }
        sum.oldest = pick(sum.oldest, one.oldest, true);
        sum.newest = pick(sum.newest, one.newest, false);
        sum.recorded += one.recorded;
        sum.evicted += one.evicted;
        sum.bytes += one.bytes;
        sum.max_bytes += one.max_bytes;
        sum.max_entries += one.max_entries;
        sum.dropped += one.dropped;
        sum.truncated += one.truncated;
        sum
    })
}
