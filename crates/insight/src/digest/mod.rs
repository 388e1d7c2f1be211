//! The digest: what is wrong, since when, and what may have caused it.
//!
//! Entries go in, in any order; out comes a [`Digest`] of findings, what matters most first. Everything is
//! measured against the same recording. There is no dictionary and no rule for any kind of program: what a
//! message says does not matter, only when it came, how often, with which values, and how rare it is.
//!
//! How data flows:
//!
//! 1. **Collect** (`collect`). An entry belongs to a *key*: skeleton of the message, level, logger, site of
//!    the exception (the innermost cause's type and place, see [`stack`](crate::stack)). Of a key are kept
//!    its times and ids, a few samples, the numbers in its messages and attributes
//!    ([`numbers`](crate::numbers)), and the values of places that have few (`places`: a status, a shard).
//!    All of it is bounded: beyond a million events the loud keys are sampled, the quiet ones never.
//! 2. **Gather** (`statement`). Keys of one mined pattern become a *statement*; each of its keys is then one
//!    value of its words, as the names of jobs are.
//! 3. **Detect** (`detect`), for each statement, for each of its values, for each value in a place of few:
//!    - *new*, *more*, *less*: Kulldorff's scan statistic, [`densest`](crate::series::densest) and
//!      [`thinnest`](crate::series::thinnest);
//!    - *silent*: [`Rhythm`](crate::series::Rhythm), gaps against their median;
//!    - *shift* of numbers: Pettitt's rank test, [`shift`](crate::series::shift), and back from there to
//!      where a slow growth began.
//!
//!    A change is an *anomaly* when it is surer than chance among thousands of series would be, and none of
//!    the things that go by themselves: a burst of what was known before and is over; a logger that says
//!    the same in new words, as after a release; a new INFO line.
//! 4. **Onset** (`onset`): anomalies that begin together are one event; it began where the first group of
//!    weight began.
//! 5. **Suspect** (`suspects`): entries of any level right before the onset, by how unlikely it is that one
//!    as rare stands there by chance.
//! 6. **Rank**: changes by level, sureness and newness, a second finding of one kind about a logger behind
//!    the firsts of others; then changes and suspects in turn, so that any budget has both.
//!
//! Deterministic; O(entries) and some milliseconds for each thousand statements.

mod collect;
mod detect;
mod onset;
mod places;
mod sample;
mod shifts;
mod statement;
mod suspects;

use std::{cmp::Reverse, collections::HashSet};

use logrec_core::{Level, RowRef, Timestamp};

pub use sample::Sample;

use crate::{miner::PatternId, numbers::Unit};
use collect::Collected;
use detect::{Traffic, View};
use onset::{interleaved, onsets, ranked};
use statement::Statement;

/// Gathers entries for a digest.
#[derive(Debug)]
pub struct Digester {
    all: Collected,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Digest {
    /// Entries looked at.
    pub entries: u64,
    /// Time of the first and of the last entry.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Entries of each level, by [`Level::index`].
    pub levels: [u64; 6],
    /// Different loggers.
    pub loggers: usize,
    /// Different patterns.
    pub patterns: usize,
    /// Entries of statements beyond those told apart: they are counted and not judged.
    pub untold: u64,
    /// How many of the findings are anomalies.
    pub anomalies: usize,
    /// When it began, if there are anomalies.
    pub onset: Option<Timestamp>,
    /// What changed, what matters most first.
    pub findings: Vec<Finding>,
    /// Warnings and errors that are as loud as ever, loudest first, at most eight.
    pub noise: Vec<Noise>,
}

/// What is loud and did not change.
#[derive(Clone, Debug)]
pub struct Noise {
    /// Its level.
    pub level: Level,
    /// Its logger, may be empty.
    pub logger: Box<str>,
    /// Text of its pattern.
    pub template: String,
    /// How many entries it has.
    pub count: u64,
}

/// A change, or an entry that stands out.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What changed.
    pub change: Change,
    /// Since when.
    pub at: Timestamp,
    /// Until when; `None` if it goes on to the end, or is of a moment.
    pub until: Option<Timestamp>,
    /// Whether something is wrong.
    pub is_anomaly: bool,
    /// Whether it may have caused what is wrong.
    pub is_suspect: bool,
    /// Orders findings: greater matters more.
    pub weight: f64,
    /// Its level.
    pub level: Level,
    /// Its logger, may be empty.
    pub logger: Box<str>,
    /// Its pattern, if it has one.
    pub pattern: Option<PatternId>,
    /// The text of the pattern.
    pub template: String,
    /// How many entries it has in all.
    pub count: u64,
    /// Of which value in a place of few values it speaks, if of one: `503`, `region=eu`.
    pub value: Option<String>,
    /// The entry that marks it.
    pub sample: Sample,
    statement: usize,
    /// How sure it is, if not sure by itself; else 0.
    weak: f64,
}

/// What changed about a statement.
#[derive(Clone, Debug)]
pub enum Change {
    /// It was never there before.
    New {
        /// How often since.
        inside: u64,
    },
    /// It came more often.
    More {
        /// Entries an hour outside and inside of that time.
        per_hour: [f64; 2],
        /// The one over the other.
        ratio: f64,
    },
    /// It came less often, or not at all.
    Less {
        /// Entries an hour outside and inside of that time.
        per_hour: [f64; 2],
    },
    /// It came regularly, and then did not. [`Finding::at`] is when it was last there.
    Silent {
        /// The usual gap between two, in nanoseconds.
        period_ns: i64,
    },
    /// Its numbers moved.
    Shift {
        /// Which, those that moved most first; never empty.
        numbers: Vec<Moved>,
    },
    /// It is rare and stands right before an onset.
    Once,
}

/// A number that moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The word before it.
    pub name: Box<str>,
    /// What it measures.
    pub unit: Unit,
    /// Medians before and after, in [`unit`](Self::unit).
    pub p50: [f64; 2],
    /// 95th percentiles before and after.
    pub p95: [f64; 2],
    /// Chance of such a move in random order, at most.
    pub chance: f64,
}

impl Moved {
    /// Whether it grew.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.p50[1] > self.p50[0]
    }

    /// The larger median over the smaller, at most a million.
    #[must_use]
    pub fn size(&self) -> f64 {
        let [before, after] = self.p50;
        (before.max(after) / before.min(after).max(1e-12)).min(1e6)
    }
}

impl Finding {
    /// Makes counts of every `stride`-th entry those of all.
    fn scale(&mut self, stride: u64) {
        let factor = stride as f64;
        match &mut self.change {
            Change::New { inside } => *inside *= stride,
            Change::More { per_hour, .. } | Change::Less { per_hour } => {
                *per_hour = per_hour.map(|rate| rate * factor);
            }
            Change::Silent { .. } | Change::Shift { .. } | Change::Once => {}
        }
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self::new()
    }
}

impl Digester {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { all: Collected::new() }
    }

    /// Adds an entry; the order does not matter.
    pub fn add(&mut self, row: &RowRef<'_>) {
        self.all.add(row);
    }

    /// The digest of all entries added.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        let mut digest = Digest {
            entries: self.all.entries,
            levels: self.all.levels,
            loggers: self.all.loggers.len(),
            untold: self.all.untold,
            ..Digest::default()
        };
        let Some(span) = self.all.span else { return digest };
        digest.span = Some((Timestamp(span.0), Timestamp(span.1)));
        let patterns = self.all.miner.patterns();
        digest.patterns = patterns.len();
        let statements = statement::statements(&mut self.all, &patterns);
        let traffic = Traffic::of(&statements, span);
        let (all, patterns, statements) = (&self.all, &patterns, &*statements);
        let view = View { all, patterns, statements, span, traffic };
        let changes = ranked(detect::changes(&view));
        digest.anomalies = changes.iter().filter(|change| change.is_anomaly).count();
        let onsets = onsets(&changes, span);
        digest.onset = onsets.first().copied().map(Timestamp);
        digest.noise = noise(&view, &changes);
        let suspects = suspects::suspects(&view, &onsets, &changes);
        digest.findings = interleaved(changes, suspects);
        digest
    }
}

/// Warnings and errors of which no change is told.
fn noise(view: &View<'_>, changes: &[Finding]) -> Vec<Noise> {
    const NOISE_MAX: usize = 8;
    let told: HashSet<usize> = changes.iter().map(|change| change.statement).collect();
    let is_loud = |(at, statement): &(usize, &Statement)| {
        view.level(statement) >= Level::Warning && statement.count >= 5 && !told.contains(at)
    };
    let mut loud: Vec<_> = view.statements.iter().enumerate().filter(is_loud).collect();
    loud.sort_by_key(|(_, statement)| Reverse(statement.count));
    loud.truncate(NOISE_MAX);
    let noise = |(_, statement): (usize, &Statement)| Noise {
        level: view.level(statement),
        logger: view.logger(statement).into(),
        template: view.template(statement),
        count: statement.count,
    };
    loud.into_iter().map(noise).collect()
}

#[cfg(test)]
mod tests;
