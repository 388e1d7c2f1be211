//! Trends: the numbers that entries tell of (durations, sizes, counts), over time, and where they shift.
//!
//! A number is known by the pattern of its message and its name there (`took`, `rss_mb`, the third `<*>`
//! has none), or by the pattern and its attribute. Numbers without a name or a unit, and whole ones that
//! are all different, name things rather than measure them, and are left out.
//!
//! Of each number all values are counted, and a sample of at most [`SAMPLE_MAX`] is kept (Vitter's algorithm
//! R, with a random sequence that is the same in every run), from which quantiles are told and shifts are
//! found by Pettitt's test ([`series::shift`]). Memory is bounded: [`NUMBERS_MAX`] numbers are told apart.

use std::collections::HashMap;

use logrec_core::{RowRef, Timestamp, record::FieldRef};

use crate::{
    miner::{Handle, Miner, Options, PatternId},
    numbers::{self, Unit},
    patterns::Window,
    series,
    template::Template,
};

/// Numbers told apart.
pub const NUMBERS_MAX: usize = 4000;
/// Values kept of each.
pub const SAMPLE_MAX: usize = 400;
/// Parts of the window that quantiles are told of.
pub const PARTS: usize = 12;
/// Values that a number must have to be told of.
const VALUES_MIN: u64 = 8;
/// Chance at most of a shift that is told.
const SHIFT_CHANCE: f64 = 1e-5;
/// Factor at least between the medians, or the 95th percentiles, of a shift that is told.
const SHIFT_RATIO: f64 = 1.3;

/// Where a number is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In the message, under this name, which may be empty; the how manieth of that name.
    Message(Box<str>, usize),
    /// An attribute.
    Attribute(Box<str>),
}

/// Quantiles of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Quantiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Quantiles {
    fn of(values: &[f64]) -> Self {
        let sorted = series::sorted(values);
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| series::quantile(&sorted, q));
        Self { p50, p95, p99 }
    }
}

/// Where a number's values shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The time of the first value after it.
    pub at: Timestamp,
    /// Quantiles before and after.
    pub quantiles: [Quantiles; 2],
    /// Chance of such a shift among values in random order, at most.
    pub chance: f64,
}

/// A number over time.
#[derive(Clone, Debug)]
pub struct Trend {
    /// The pattern of the messages that tell it.
    pub pattern: PatternId,
    /// Its template.
    pub template: Template,
    /// Where it is found.
    pub place: Place,
    /// What it measures: seconds, bytes, hundredths, or unknown.
    pub unit: Unit,
    /// How many values there are.
    pub count: u64,
    /// The least and the greatest.
    pub range: [f64; 2],
    /// Of all of them.
    pub quantiles: Quantiles,
    /// Of each twelfth of the window: values sampled, and their quantiles.
    pub parts: [(usize, Quantiles); PARTS],
    /// Where they shift, if they do beyond chance.
    pub shift: Option<Shift>,
}

/// Collects numbers, entry by entry.
#[derive(Debug)]
pub struct Collector {
    miner: Miner,
    window: Window,
    numbers: HashMap<(Handle, Place), Values>,
    /// Numbers beyond those told apart.
    pub untold: u64,
    random: u64,
}

#[derive(Clone, Debug)]
struct Values {
    unit: Unit,
    is_named: bool,
    count: u64,
    range: [f64; 2],
    all_whole: bool,
    sample: Vec<(Timestamp, f64)>,
}

impl Collector {
    /// Of the entries of a window.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self {
            miner: Miner::new(Options::default()),
            window,
            numbers: HashMap::new(),
            untold: 0,
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Takes an entry's numbers; one outside of the window is passed over.
    pub fn add(&mut self, row: &RowRef<'_>) {
        if !self.window.contains(row.time) {
            return;
        }
        let message = row.record.message();
        let handle = self.miner.add(message.as_bytes());
        let mut seen: Vec<&str> = Vec::new();
        let mut found: Vec<(Place, f64, Unit, bool)> = Vec::new();
        numbers::each(message, |number| {
            let nth = seen.iter().filter(|word| **word == number.word).count();
            seen.push(number.word);
            let place = Place::Message(number.word.into(), nth);
            found.push((place, number.value, number.unit, number.is_named));
        });
        for field in row.record.fields() {
            let FieldRef::Attribute(name, value) = field else { continue };
            if let Some(value) = value.as_f64() {
                let (factor, unit) = numbers::unit_of_name(name).unwrap_or((1.0, Unit::None));
                found.push((Place::Attribute(name.into()), value * factor, unit, true));
            }
        }
        for (place, value, unit, is_named) in found {
            if value.is_finite() {
                self.put((handle, place), row.time, value, unit, is_named);
            }
        }
    }

    fn put(
        &mut self,
        key: (Handle, Place),
        time: Timestamp,
        value: f64,
        unit: Unit,
        is_named: bool,
    ) {
        if self.numbers.len() >= NUMBERS_MAX && !self.numbers.contains_key(&key) {
            let miner = &self.miner;
            self.numbers.retain(|(handle, _), _| miner.holds(*handle));
            if self.numbers.len() >= NUMBERS_MAX {
                self.untold += 1;
                return;
            }
        }
        let values = self.numbers.entry(key).or_insert_with(|| Values {
            unit,
            is_named,
            count: 0,
            range: [value; 2],
            all_whole: true,
            sample: Vec::new(),
        });
        values.count += 1;
        values.range = [values.range[0].min(value), values.range[1].max(value)];
        values.all_whole &= value.fract() == 0.0;
        if values.unit != unit {
            values.unit = Unit::None;
        }
        if values.sample.len() < SAMPLE_MAX {
            values.sample.push((time, value));
            return;
        }
        // xorshift64 (Marsaglia, 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let at = usize::try_from(self.random % values.count).unwrap_or(usize::MAX);
        if let Some(place) = values.sample.get_mut(at) {
            *place = (time, value);
        }
    }

    /// The numbers over time: those that shift first, the surest before, then by how many values.
    #[must_use]
    pub fn finish(self) -> Vec<Trend> {
        let patterns = self.miner.patterns();
        let mut sums: HashMap<(usize, Place), Values> = HashMap::new();
        for ((handle, place), values) in self.numbers {
            let Some(at) = patterns.find(handle) else { continue };
            match sums.entry((at, place)) {
                std::collections::hash_map::Entry::Occupied(mut sum) => sum.get_mut().join(&values),
                std::collections::hash_map::Entry::Vacant(empty) => _ = empty.insert(values),
            }
        }
        let mut trends: Vec<Trend> = sums
            .into_iter()
            .filter(|(_, values)| values.measures())
            .filter_map(|((at, place), values)| {
                let pattern = patterns.get(at)?;
                Some(values.trend(pattern.id(), pattern.template().clone(), place, self.window))
            })
            .collect();
        trends.sort_by(|a, b| {
            let key = |t: &Trend| (t.shift.is_none(), t.shift.map_or(0.0, |s| s.chance));
            let (a_key, b_key) = (key(a), key(b));
            a_key
                .0
                .cmp(&b_key.0)
                .then_with(|| a_key.1.total_cmp(&b_key.1))
                .then_with(|| (b.unit == Unit::Seconds).cmp(&(a.unit == Unit::Seconds)))
                .then_with(|| b.count.cmp(&a.count))
                .then_with(|| (a.pattern, &a.place).cmp(&(b.pattern, &b.place)))
        });
        trends
    }
}

impl Values {
    /// Values of another skeleton of the same pattern. The samples are thinned in proportion to what they
    /// stand for.
    fn join(&mut self, other: &Self) {
        let all = self.count + other.count;
        let most = self.sample.len().max(other.sample.len()).max(SAMPLE_MAX / 2);
        let share = |count: u64, len: usize| {
            let share = u128::from(count) * most as u128 / u128::from(all.max(1));
            usize::try_from(share).unwrap_or(len).clamp(len.min(1), len)
        };
        let (ours, theirs) =
            (share(self.count, self.sample.len()), share(other.count, other.sample.len()));
        let thin = |sample: &[(Timestamp, f64)], to: usize| -> Vec<(Timestamp, f64)> {
            (0..to).map(|i| sample[i * sample.len() / to]).collect()
        };
        let mut joined = thin(&self.sample, ours);
        joined.extend(thin(&other.sample, theirs));
        self.sample = joined;
        self.count = all;
        self.range = [self.range[0].min(other.range[0]), self.range[1].max(other.range[1])];
        self.all_whole &= other.all_whole;
        self.is_named |= other.is_named;
        if self.unit != other.unit {
            self.unit = Unit::None;
        }
    }

    /// Whether they measure something, rather than name it.
    fn measures(&self) -> bool {
        if self.count < VALUES_MIN || self.unit == Unit::None && !self.is_named {
            return false;
        }
        let sorted = series::sorted(&self.sample.iter().map(|(_, v)| *v).collect::<Vec<_>>());
        let distinct = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).count();
        let is_id = self.unit == Unit::None
            && self.all_whole
            && self.range[1] >= 1000.0
            && distinct * 10 > sorted.len() * 9;
        !is_id && distinct > 1
    }

    fn trend(
        mut self,
        pattern: PatternId,
        template: Template,
        place: Place,
        window: Window,
    ) -> Trend {
        self.sample.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let values: Vec<f64> = self.sample.iter().map(|(_, value)| *value).collect();
        let mut parts: [Vec<f64>; PARTS] = Default::default();
        for (time, value) in &self.sample {
            parts[window.part(*time)].push(*value);
        }
        let shift = series::shift(&values).filter(|s| s.chance <= SHIFT_CHANCE).and_then(|s| {
            let (before, after) = values.split_at(s.at);
            let quantiles = [Quantiles::of(before), Quantiles::of(after)];
            let [a, b] = quantiles;
            let far = |a: f64, b: f64| {
                let (low, high) = (a.abs().min(b.abs()), a.abs().max(b.abs()));
                high > low * SHIFT_RATIO
            };
            (far(a.p50, b.p50) || far(a.p95, b.p95)).then_some(Shift {
                at: self.sample[s.at].0,
                quantiles,
                chance: s.chance,
            })
        });
        Trend {
            pattern,
            template,
            place,
            unit: self.unit,
            count: self.count,
            range: self.range,
            quantiles: Quantiles::of(&values),
            parts: parts.map(|values| (values.len(), Quantiles::of(&values))),
            shift,
        }
    }
}

#[cfg(test)]
mod tests {
    use logrec_core::{Entry, Level, Query, Ring, RingOptions, Value};

    use super::*;

    const S: i64 = 1_000_000_000;

    fn trends(entries: impl IntoIterator<Item = Entry>) -> Vec<Trend> {
        let ring = Ring::new(RingOptions::with_max_entries(10_000));
        let mut last = 0;
        for entry in entries {
            last = entry.timestamp.0;
            ring.push(&entry);
        }
        let mut collector = Collector::new(Window { from: Timestamp(0), to: Timestamp(last) });
        let query = Query { limit: 10_000, ..Query::default() };
        ring.query(&query).rows().for_each(|row| collector.add(&row));
        collector.finish()
    }

    fn entry(i: i64, message: String) -> Entry {
        Entry::new(Timestamp(i * S), Level::Info, message)
    }

    #[test]
    fn a_duration_that_shifts() {
        let found = trends((0..1200).map(|i| {
            // 20 to 39 ms, from the 800th on 80 to 119 ms; of users whose numbers name them.
            let ms = if i < 800 { 20 + i * 7 % 20 } else { 80 + i * 7 % 40 };
            entry(i, format!("query for user id={} took {ms} ms in pool main", 10_000 + i))
        }));
        assert_eq!(found.len(), 1, "{found:?}");
        let took = &found[0];
        assert_eq!((took.unit, took.count), (Unit::Seconds, 1200));
        assert!((took.range[0] - 0.02).abs() + (took.range[1] - 0.119).abs() < 1e-9);
        assert!(
            matches!(&took.place, Place::Message(word, 0) if &**word == "took"),
            "{:?}",
            took.place
        );
        let shift = took.shift.unwrap();
        assert!((790..=810).contains(&(shift.at.0 / S)), "{:?}", shift.at);
        let [before, after] = shift.quantiles;
        assert!((0.025..0.035).contains(&before.p50) && (0.09..0.11).contains(&after.p50));
        assert!(took.parts[0].1.p50 < 0.04 && took.parts[11].1.p50 > 0.08);
        assert!(took.quantiles.p99 > took.quantiles.p95 && took.quantiles.p95 > took.quantiles.p50);
    }

    #[test]
    fn attributes_and_what_does_not_shift() {
        let found = trends((0..300).map(|i| Entry {
            attributes: vec![
                ("duration_ms".into(), Value::Float(5.0 + (i * 37 % 11) as f64)),
                ("rows".into(), Value::Int(i * 13 % 50)),
                ("room".into(), "r7".into()),
            ],
            ..entry(i, "request done".to_owned())
        }));
        let names: Vec<_> = found.iter().map(|t| (t.place.clone(), t.unit)).collect();
        assert_eq!(
            names,
            [
                (Place::Attribute("duration_ms".into()), Unit::Seconds),
                (Place::Attribute("rows".into()), Unit::None),
            ]
        );
        assert!(found.iter().all(|trend| trend.shift.is_none()));
        assert_eq!(found[0].range, [0.005, 0.015]);
    }

    #[test]
    fn few_or_unnamed_numbers_are_no_trend() {
        assert!(trends((0..7).map(|i| entry(i, format!("took {i} ms")))).is_empty());
        assert!(trends((0..100).map(|i| entry(i, format!("hand {} of {}", i % 7, i)))).is_empty());
        assert!(trends((0..100).map(|i| entry(i, "took 5 ms".to_owned()))).is_empty());
    }

    #[test]
    fn endless_numbers_stay_bounded() {
        let mut collector = Collector::new(Window { from: Timestamp(0), to: Timestamp(S) });
        let ring = Ring::default();
        for i in 0..600 {
            ring.clear();
            let attributes = (0..20).map(|j| (format!("n{i}_{j}"), Value::Int(j))).collect();
            ring.push(&Entry { attributes, ..entry(0, "same message".to_owned()) });
            ring.query(&Query::default()).rows().for_each(|row| collector.add(&row));
        }
        assert_eq!(
            (collector.numbers.len(), collector.untold),
            (NUMBERS_MAX, 12_000 - NUMBERS_MAX as u64)
        );
    }
}
