//! Volume: how many entries over time, by the values of a field, and where that is out of the ordinary.
//!
//! Entries are counted in equal steps of a window. Each value's counts are then looked through for three
//! kinds of event, all against its own median step, so that neither a burst nor a trend moves the measure:
//!
//! - a **spike**: steps above the median by eight standard deviations and double it; of the deviation the
//!   larger counts of the scaled median absolute deviation (Hampel's identifier; Leys et al., "Detecting
//!   outliers", 2013) and of Poisson's square root;
//! - a **drop**: steps below the median by as much, and at less than a third of it;
//! - a **silence**: no entry at the end of the window for so long that twelve were to be expected, or of
//!   something regular that it should have come three times, and half as long again as ever before.
//!
//! Spikes that return at even distances, as of a job each five minutes, are how it always is: no event.
//!
//! Memory is bounded: of a field [`VALUES_MAX`] values are told apart, the others counted together.

use std::collections::HashMap;

use logrec_core::Timestamp;

use crate::patterns::Window;

/// Values told apart.
pub const VALUES_MAX: usize = 500;
/// Most steps.
pub const STEPS_MAX: usize = 1000;
/// Standard deviations from the median at which a step is out of the ordinary.
const DEVIATIONS: f64 = 8.0;
/// How many times something regular was to be expected in a silence.
const EXPECTED_MIN: f64 = 3.5;
/// Entries of something irregular that were to be expected: by chance none comes once in 160,000.
const EXPECTED_MIN_IRREGULAR: f64 = 12.0;
/// Steps with an entry before a silence.
const BUSY_MIN: usize = 6;

/// Counts of one value, step by step.
#[derive(Clone, Debug)]
pub struct Series {
    /// The value; `None` for all that are not told apart.
    pub value: Option<Box<str>>,
    /// Entries in the window.
    pub count: u64,
    /// Entries in each step.
    pub counts: Vec<u32>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the module says what they are")]
pub enum EventKind {
    Spike,
    Drop,
    Silence,
}

impl EventKind {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Drop => "drop",
            Self::Silence => "silence",
        }
    }
}

/// Steps of one series that are out of the ordinary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Which kind.
    pub kind: EventKind,
    /// The first step, and the step behind the last.
    pub steps: [usize; 2],
    /// Entries in a step, on average over these.
    pub per_step: f64,
    /// The median step; in a silence the average of those before.
    pub usual: f64,
}

/// Counts entries by step and value.
#[derive(Clone, Debug)]
pub struct Volume {
    window: Window,
    steps: usize,
    total: Vec<u32>,
    values: HashMap<Box<str>, Vec<u32>>,
    others: Vec<u32>,
}

impl Volume {
    /// Of a window in so many equal steps, at least 1 and at most [`STEPS_MAX`].
    #[must_use]
    pub fn new(window: Window, steps: usize) -> Self {
        let steps = steps.clamp(1, STEPS_MAX);
        let none = vec![0; steps];
        Self { window, steps, total: none.clone(), values: HashMap::new(), others: none }
    }

    /// Counts an entry; one outside of the window is passed over.
    pub fn add(&mut self, time: Timestamp, value: &str) {
        if !self.window.contains(time) {
            return;
        }
        let step = self.step(time);
        self.total[step] += 1;
        if let Some(counts) = self.values.get_mut(value) {
            counts[step] += 1;
        } else if self.values.len() < VALUES_MAX {
            let mut counts = vec![0; self.steps];
            counts[step] = 1;
            self.values.insert(value.into(), counts);
        } else {
            self.others[step] += 1;
        }
    }

    fn step(&self, time: Timestamp) -> usize {
        let span = i128::from(self.window.to.0) - i128::from(self.window.from.0) + 1;
        let at = i128::from(time.0) - i128::from(self.window.from.0);
        let step = at * self.steps as i128 / span.max(1);
        usize::try_from(step).unwrap_or(0).min(self.steps - 1)
    }

    /// When a step begins.
    #[must_use]
    pub fn begins(&self, step: usize) -> Timestamp {
        let span = i128::from(self.window.to.0) - i128::from(self.window.from.0) + 1;
        let offset = span * step as i128 / self.steps as i128;
        let at = i128::from(self.window.from.0) + offset;
        Timestamp(i64::try_from(at).unwrap_or(i64::MAX))
    }

    /// All entries, step by step.
    #[must_use]
    pub fn total(&self) -> &[u32] {
        &self.total
    }

    /// The values with their counts, most entries first; last what is not told apart, if there is any.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        let sum = |counts: &[u32]| counts.iter().map(|n| u64::from(*n)).sum();
        let of = |value: Option<&str>, counts: &[u32]| Series {
            value: value.map(Into::into),
            count: sum(counts),
            counts: counts.to_vec(),
        };
        let mut all: Vec<Series> = self.values.iter().map(|(v, c)| of(Some(v), c)).collect();
        all.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        if self.others.iter().any(|n| *n > 0) {
            all.push(of(None, &self.others));
        }
        all
    }
}

/// What is out of the ordinary in a series, in the order of time. O(steps log steps).
#[must_use]
pub fn events(counts: &[u32]) -> Vec<Event> {
    let mut events = Vec::new();
    let usual = median(counts.iter().map(|n| f64::from(*n)));
    let spread = 1.4826 * median(counts.iter().map(|n| (f64::from(*n) - usual).abs()));
    let deviation = spread.max(usual.sqrt()).max(0.5);
    let is_spike = |n: f64| n > usual + DEVIATIONS * deviation && n >= 2.0 * usual && n >= 5.0;
    let is_drop =
        |n: f64| n < usual - DEVIATIONS.min(4.0) * deviation.min(usual / 5.0) && n * 3.0 < usual;
    let spikes = runs(counts, is_spike);
    if !returns(&spikes) {
        events.extend(spikes.iter().map(|steps| event(EventKind::Spike, counts, *steps, usual)));
    }
    // Where little comes anyway an empty step says nothing.
    let drops = if usual >= 10.0 { runs(counts, is_drop) } else { Vec::new() };
    let silence = silence(counts);
    let drops = drops.iter().filter(|steps| silence.is_none_or(|s| s.steps[0] > steps[0]));
    events.extend(drops.map(|steps| event(EventKind::Drop, counts, *steps, usual)));
    events.extend(silence);
    events.sort_by_key(|event| event.steps);
    events
}

fn event(kind: EventKind, counts: &[u32], steps: [usize; 2], usual: f64) -> Event {
    let inside = &counts[steps[0]..steps[1]];
    Event { kind, steps, per_step: mean(inside), usual }
}

#[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
fn mean(counts: &[u32]) -> f64 {
    counts.iter().map(|n| f64::from(*n)).sum::<f64>() / counts.len().max(1) as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Runs of steps of which something holds.
fn runs(counts: &[u32], holds: impl Fn(f64) -> bool) -> Vec<[usize; 2]> {
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for (step, count) in counts.iter().enumerate() {
        if holds(f64::from(*count)) {
            match runs.last_mut() {
                Some(run) if run[1] == step => run[1] = step + 1,
                _ => runs.push([step, step + 1]),
            }
        }
    }
    runs
}

/// Whether runs come again and again at even distances: four or more, none of whose distances is more than a
/// third, or a step, off the median one.
#[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
fn returns(runs: &[[usize; 2]]) -> bool {
    let gaps: Vec<f64> = runs.windows(2).map(|pair| (pair[1][0] - pair[0][0]) as f64).collect();
    if gaps.len() < 3 {
        return false;
    }
    let usual = median(gaps.iter().copied());
    gaps.iter().all(|gap| (gap - usual).abs() <= (usual / 3.0).max(1.0))
}

/// The silence at the end, if there is one.
#[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
fn silence(counts: &[u32]) -> Option<Event> {
    let last = counts.iter().rposition(|n| *n > 0)?;
    let first = counts.iter().position(|n| *n > 0)?;
    let silent = counts.len() - 1 - last;
    let before = &counts[first..=last];
    let busy: Vec<usize> = (0..before.len()).filter(|step| before[*step] > 0).collect();
    if busy.len() < BUSY_MIN {
        return None;
    }
    let gaps: Vec<f64> = busy.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let (gap, longest) = (median(gaps.iter().copied()), gaps.iter().copied().fold(0.0, f64::max));
    let is_regular = longest <= gap * 1.5 + 1.0;
    let usual = mean(before);
    let expected = if is_regular { silent as f64 / gap } else { usual * silent as f64 };
    let least = if is_regular { EXPECTED_MIN } else { EXPECTED_MIN_IRREGULAR };
    let is_silence = expected >= least && silent as f64 > longest * 1.5;
    let steps = [last + 1, counts.len()];
    is_silence.then_some(Event { kind: EventKind::Silence, steps, per_step: 0.0, usual })
}

#[cfg(test)]
mod tests;
