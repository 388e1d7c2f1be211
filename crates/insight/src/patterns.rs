//! Patterns with what is known of their entries: how many, at which levels, when, and how that changed
//! against another window.
//!
//! The [`miner`](crate::miner) says which messages belong together; here the entries are counted, by
//! skeleton while they come and by pattern once all have. Memory is bounded as the miner's is: some 300
//! bytes for each skeleton that is kept.

use std::collections::HashMap;

use logrec_core::{EntryId, Level, RowRef, Timestamp};

use crate::{
    miner::{Handle, Miner, Options, PatternId},
    template::Template,
};

/// Parts of the time that a trend has.
pub const TREND_PARTS: usize = 12;

/// A stretch of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        time >= self.from && time <= self.to
    }

    /// How long it is, in minutes; never 0, so that a rate can be told.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    pub fn minutes(&self) -> f64 {
        (self.to.0.saturating_sub(self.from.0) as f64 / 60e9).max(1.0 / 60.0)
    }

    /// Which of the parts of a trend a moment lies in.
    pub(crate) fn part(&self, time: Timestamp) -> usize {
        let span = i128::from(self.to.0) - i128::from(self.from.0) + 1;
        let at = i128::from(time.0) - i128::from(self.from.0);
        let part = at * TREND_PARTS as i128 / span.max(1);
        usize::try_from(part).unwrap_or(0).min(TREND_PARTS - 1)
    }
}

/// How a pattern's rate compares with that of another window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Not one entry in the other window.
    New,
    /// Not one entry in this window, though that many would have been expected.
    Gone,
    /// Another rate, beyond chance.
    Shifted,
    /// Nothing that chance would not explain.
    Steady,
}

impl Change {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Shifted => "shifted",
            Self::Steady => "steady",
        }
    }
}

/// One pattern and its entries.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its name, the same in every run.
    pub id: PatternId,
    /// What its messages have in common.
    pub template: Template,
    /// Entries in the window.
    pub count: u64,
    /// Of those, by level; where it has none of the other window's.
    pub levels: [u64; 6],
    /// Where all of them are of one logger, its name.
    pub logger: Option<Box<str>>,
    /// The first entry and the last, by time; of the window, or where it has none of the other.
    pub first: (Timestamp, EntryId),
    /// See `first`.
    pub last: (Timestamp, EntryId),
    /// Entries in each twelfth of the window.
    pub trend: [u32; TREND_PARTS],
    /// Entries in the window that it is compared with.
    pub before: u64,
}

/// All patterns of some entries.
#[derive(Clone, Debug)]
pub struct Table {
    /// Sorted: compared, what changed first and most; else the most frequent first.
    pub patterns: Vec<Summary>,
    /// Entries in the window.
    pub entries: u64,
    /// Entries in the window that it is compared with.
    pub before: u64,
    /// Entries whose patterns were forgotten to make room, of both windows together.
    pub forgotten: u64,
}

/// Counts entries, one by one.
#[derive(Debug)]
pub struct Counter {
    miner: Miner,
    stats: HashMap<Handle, Stats>,
    window: Window,
    other: Option<Window>,
    entries: u64,
    before: u64,
    forgotten: u64,
    /// Skeletons' figures kept before those of forgotten ones are dropped.
    stats_max: usize,
}

#[derive(Clone, Debug)]
struct Stats {
    count: u64,
    before: u64,
    levels: [u64; 6],
    logger: Option<Box<str>>,
    first: (Timestamp, EntryId),
    last: (Timestamp, EntryId),
    trend: [u32; TREND_PARTS],
}

impl Counter {
    /// For entries of a window, compared with another if one is given.
    #[must_use]
    pub fn new(window: Window, other: Option<Window>) -> Self {
        let options = Options::default();
        Self {
            miner: Miner::new(options),
            stats: HashMap::new(),
            window,
            other,
            entries: 0,
            before: 0,
            forgotten: 0,
            stats_max: options.skeletons_max.saturating_mul(2),
        }
    }

    /// Counts an entry; one of neither window is passed over.
    pub fn add(&mut self, row: &RowRef<'_>) {
        let is_now = self.window.contains(row.time);
        let is_before = self.other.is_some_and(|other| other.contains(row.time));
        if !is_now && !is_before {
            return;
        }
        self.entries += u64::from(is_now);
        self.before += u64::from(is_before);
        let handle = self.miner.add(row.record.message_bytes());
        if self.stats.len() >= self.stats_max && !self.stats.contains_key(&handle) {
            let (miner, forgotten) = (&self.miner, &mut self.forgotten);
            self.stats.retain(|handle, stats| {
                let is_kept = miner.holds(*handle);
                *forgotten += if is_kept { 0 } else { stats.count + stats.before };
                is_kept
            });
        }
        let this = (row.time, row.id());
        let logger = row.record.logger();
        let stats = self.stats.entry(handle).or_insert_with(|| Stats {
            count: 0,
            before: 0,
            levels: [0; 6],
            logger: Some(logger.into()),
            first: this,
            last: this,
            trend: [0; TREND_PARTS],
        });
        if stats.logger.as_deref().is_some_and(|known| known != logger) {
            stats.logger = None;
        }
        if is_now && stats.count == 0 {
            // What is told of the other window is told only where this has none.
            (stats.first, stats.last, stats.levels) = (this, this, [0; 6]);
        }
        stats.before += u64::from(is_before);
        stats.count += u64::from(is_now);
        if is_now || stats.count == 0 {
            stats.levels[usize::from(row.level.index())] += 1;
            stats.first = stats.first.min(this);
            stats.last = stats.last.max(this);
        }
        if is_now {
            stats.trend[self.window.part(row.time)] += 1;
        }
    }

    /// The patterns of all entries counted.
    #[must_use]
    pub fn finish(self) -> Table {
        let patterns = self.miner.patterns();
        let mut sums: Vec<Option<Summary>> = patterns.iter().map(|_| None).collect();
        let mut forgotten = self.forgotten;
        for (handle, stats) in self.stats {
            let Some(at) = patterns.find(handle) else {
                forgotten += stats.count + stats.before;
                continue;
            };
            let Some(pattern) = patterns.get(at) else { continue };
            match &mut sums[at] {
                Some(sum) => sum.add(&stats),
                empty => {
                    *empty = Some(Summary {
                        id: pattern.id(),
                        template: pattern.template().clone(),
                        count: stats.count,
                        levels: stats.levels,
                        logger: stats.logger,
                        first: stats.first,
                        last: stats.last,
                        trend: stats.trend,
                        before: stats.before,
                    });
                }
            }
        }
        let mut table = Table {
            patterns: sums.into_iter().flatten().collect(),
            entries: self.entries,
            before: self.before,
            forgotten,
        };
        let windows = self.other.map(|other| (self.window, other));
        table.patterns.sort_by(|a, b| {
            let key = |s: &Summary| {
                windows.map(|(now, before)| {
                    let (change, score) = s.change(now, before);
                    (change == Change::Steady, -score)
                })
            };
            let by_change = key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal);
            by_change
                .then_with(|| (b.count + b.before).cmp(&(a.count + a.before)))
                .then_with(|| a.id.cmp(&b.id))
        });
        table
    }
}

impl Summary {
    fn add(&mut self, stats: &Stats) {
        if stats.count > 0 && self.count == 0 {
            (self.first, self.last, self.levels) = (stats.first, stats.last, stats.levels);
        } else if (stats.count > 0) == (self.count > 0) {
            self.first = self.first.min(stats.first);
            self.last = self.last.max(stats.last);
            self.levels.iter_mut().zip(stats.levels).for_each(|(sum, one)| *sum += one);
        }
        self.count += stats.count;
        self.before += stats.before;
        if self.logger != stats.logger {
            self.logger = None;
        }
        self.trend.iter_mut().zip(stats.trend).for_each(|(sum, one)| *sum += one);
    }

    /// The level that most of its entries have, of equals the more severe.
    #[must_use]
    pub fn level(&self) -> Level {
        let most = self.levels.iter().enumerate().filter(|(_, n)| **n > 0).max_by_key(|(_, n)| **n);
        most.and_then(|(i, _)| Level::ALL.get(i).copied()).unwrap_or(Level::Info)
    }

    /// How its rate compares with that of the other window, and how sure that is: the greater, the less
    /// chance explains it.
    ///
    /// The measure is the signed root of the log-likelihood ratio of two Poisson rates (Dunning, "Accurate
    /// Methods for the Statistics of Surprise and Coincidence", 1993), about a number of standard
    /// deviations. From 4 on, and at a factor of 1.5 or more, it is a shift.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a measure need not be exact")]
    pub fn change(&self, now: Window, before: Window) -> (Change, f64) {
        let (a, b) = (self.count as f64, self.before as f64);
        let share = now.minutes() / (now.minutes() + before.minutes());
        let expected = (a + b) * share;
        let term =
            |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
        let likelihood = 2.0 * (term(a, expected) + term(b, (a + b) - expected));
        let score = likelihood.max(0.0).sqrt();
        let ratio = (a / now.minutes()) / (b / before.minutes()).max(f64::MIN_POSITIVE);
        let change = match () {
            () if self.before == 0 => Change::New,
            // Three that were to be expected and not one: chance in twenty.
            () if self.count == 0 && b / before.minutes() * now.minutes() >= 3.0 => Change::Gone,
            () if score >= 4.0 && !(1.0 / 1.5..1.5).contains(&ratio) => Change::Shifted,
            () => Change::Steady,
        };
        (change, score)
    }
}

#[cfg(test)]
mod tests {
    use logrec_core::{Entry, Query, Ring};

    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    fn table(entries: &[(i64, Level, &str, &str)], window: Window, other: Option<Window>) -> Table {
        let ring = Ring::default();
        for (time, level, logger, message) in entries {
            let entry = Entry::new(Timestamp(*time), *level, *message);
            ring.push(&Entry { logger: (*logger).to_owned(), ..entry });
        }
        let mut counter = Counter::new(window, other);
        let query = Query { limit: 10_000, ..Query::default() };
        ring.query(&query).rows().for_each(|row| counter.add(&row));
        counter.finish()
    }

    fn window(from: i64, to: i64) -> Window {
        Window { from: Timestamp(from * MINUTE), to: Timestamp(to * MINUTE) }
    }

    #[test]
    fn counts_levels_times_and_trend() {
        let texts: Vec<String> = (0..24).map(|i| format!("took {i} ms for user u{i}")).collect();
        let mut entries: Vec<(i64, Level, &str, &str)> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| (i as i64 * MINUTE, Level::Info, "web", &**text))
            .collect();
        entries[3].1 = Level::Error;
        entries.push((5 * MINUTE, Level::Warning, "db", "disk full"));
        entries.push((40 * MINUTE, Level::Warning, "db", "outside"));
        let table = table(&entries, window(0, 23), None);
        assert_eq!((table.entries, table.patterns.len(), table.forgotten), (25, 2, 0));
        let took = &table.patterns[0];
        assert_eq!((took.count, took.template.to_string().contains("took")), (24, true));
        assert_eq!((took.levels[3 - 1], took.levels[4], took.level()), (23, 1, Level::Info));
        assert_eq!(took.logger.as_deref(), Some("web"));
        assert_eq!((took.first.0, took.last.0), (Timestamp(0), Timestamp(23 * MINUTE)));
        assert_eq!(took.trend, [2; 12]);
        assert_eq!(table.patterns[1].count, 1);
    }

    #[test]
    fn new_gone_shifted_steady() {
        let mut entries = Vec::new();
        for minute in 0..60 {
            let at = minute * MINUTE;
            entries.push((at, Level::Info, "a", "heartbeat ok"));
            if minute < 30 {
                entries.push((at, Level::Info, "a", "rollup done"));
            } else {
                entries.push((at, Level::Error, "a", "no route to host"));
            }
            for _ in 0..if minute < 30 { 1 } else { 8 } {
                entries.push((at, Level::Info, "a", "retrying connection now"));
            }
        }
        entries.push((MINUTE, Level::Info, "a", "once upon a time"));
        let (now, before) = (window(30, 59), window(0, 29));
        let table = table(&entries, now, Some(before));
        let of = |text: &str| {
            let found = table.patterns.iter().find(|p| p.template.to_string() == text).unwrap();
            (found.change(now, before).0, found.before, found.count)
        };
        assert_eq!(of("no route to host"), (Change::New, 0, 30));
        assert_eq!(of("rollup done"), (Change::Gone, 30, 0));
        assert_eq!(of("retrying connection now"), (Change::Shifted, 30, 240));
        assert_eq!(of("heartbeat ok"), (Change::Steady, 30, 30));
        let gone = table.patterns.iter().find(|p| p.count == 0).unwrap();
        assert_eq!((gone.level(), gone.levels[2]), (Level::Info, 30));
        assert_eq!(of("once upon a time").0, Change::Steady, "once is not expected again");
        // What changed comes first, the surest of it before.
        assert_eq!(table.patterns[0].template.to_string(), "retrying connection now");
        assert_eq!((table.before, table.entries), (91, 300));
    }

    #[test]
    fn an_endless_stream_of_distinct_messages_stays_bounded() {
        let ring = Ring::default();
        let mut counter = Counter::new(window(0, 1), Some(window(-3, -2)));
        counter.stats_max = 200;
        counter.miner = Miner::new(Options { skeletons_max: 100, ..Options::default() });
        let words =
            ["alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta", "iota", "kappa"];
        for i in 0..2000usize {
            let text: Vec<&str> = (0..4).map(|d| words[i / 10usize.pow(d) % 10]).collect();
            let entry = Entry::new(
                Timestamp(if i % 2 == 0 { 0 } else { -2 * MINUTE }),
                Level::Info,
                text.join(&" ".repeat(1 + i % 3)).repeat(1 + i % 7),
            );
            ring.push(&entry);
            let query = Query { limit: 1, ..Query::default() };
            ring.query(&query).rows().for_each(|row| counter.add(&row));
            assert!(counter.stats.len() <= 201);
            ring.clear();
        }
        let table = counter.finish();
        let counted: u64 = table.patterns.iter().map(|p| p.count + p.before).sum();
        assert_eq!((table.entries, table.before), (1000, 1000));
        assert!(table.forgotten > 0);
        assert_eq!(counted + table.forgotten, table.entries + table.before);
    }
}
