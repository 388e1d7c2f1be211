//! What may have caused it: rare entries right before an onset, of any level.
//!
//! An entry is the more suspicious the less likely it is that one as rare stands so close before the onset
//! by chance: with such entries coming at a rate λ over the whole recording, one within `d` of a given
//! moment has the chance 1 - exp(-λd). So the scale is the recording's own; no word of the message counts.
//! To this is added what the entry has in common with the symptoms: words that few others have.

use std::collections::{HashMap, HashSet};

use super::{Change, Finding, collect::Map, detect::View};
use logrec_core::Level;

/// Suspects told at most.
const SUSPECTS_MAX: usize = 24;
/// Entries of a key that can be a rarity.
const COUNT_MAX: u64 = 64;
/// Nats that words in common with symptoms are worth at most.
const IN_COMMON_MAX: f64 = 3.0;

struct Rare {
    statement: usize,
    /// Of a value in a place of few: what it is.
    value: Option<Box<str>>,
    key: usize,
    time: i64,
    /// How rare, in nats: greater is rarer.
    rarity: f64,
}

/// The suspects of anomalies that began at these moments, earliest first; the most suspicious first.
pub(super) fn suspects(view: &View<'_>, onsets: &[i64], anomalies: &[Finding]) -> Vec<Finding> {
    let (Some(&first), Some(&last)) = (onsets.first(), onsets.last()) else { return Vec::new() };
    let length = view.span.1 - view.span.0;
    let before = (length / 25).max(300_000_000_000).min(length);
    let after = (length / 200).max(5_000_000_000);
    let window = first.saturating_sub(before)..=last.saturating_add(after);
    let told: HashSet<usize> = anomalies.iter().map(|finding| finding.statement).collect();
    let rare = rare(view, length / 20);
    let mut background: Vec<f64> =
        rare.iter().filter(|one| !window.contains(&one.time)).map(|one| one.rarity).collect();
    background.sort_unstable_by(f64::total_cmp);
    let words = Words::of(view);
    let symptoms = Words::of_findings(anomalies);
    let mut found = Vec::new();
    for one in rare.iter().filter(|one| window.contains(&one.time)) {
        if told.contains(&one.statement) {
            continue;
        }
        let as_rare = background.len() - background.partition_point(|&rarity| rarity < one.rarity);
        let rate = (as_rare as f64).max(0.5) / length as f64;
        // After the first anomaly causes are less likely, even right before the next.
        let distance = if one.time <= first {
            first - one.time
        } else {
            let next = onsets
                .iter()
                .find(|&&onset| onset >= one.time)
                .map(|next| (next - first).saturating_mul(2));
            next.unwrap_or(i64::MAX).min((one.time - first).saturating_mul(3))
        };
        let distance = (distance as f64).max(1e9);
        let chance = -(-rate * distance).exp_m1();
        let key = &view.all.keys[one.key];
        if one.time > first && key.events.iter().filter(|event| event.time >= first).count() > 3 {
            // What keeps coming from then on is a symptom, if a seldom one.
            continue;
        }
        let Some(mut finding) = view.finding(one.statement, &[key], Change::Once, one.time) else {
            continue;
        };
        let common = words.in_common(&finding, &symptoms);
        finding.weight = -chance.max(1e-12).ln() + common;
        finding.is_suspect = true;
        finding.value = one.value.as_deref().map(str::to_owned);
        found.push(finding);
    }
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    found.truncate(SUSPECTS_MAX);
    found
}

/// Entries of keys that come seldom, each with its rarity. Of a key that came several times within `burst`
/// only the first.
fn rare(view: &View<'_>, burst: i64) -> Vec<Rare> {
    let mut rare = rare_values(view, burst);
    let mut of_logger: Map<u32, Vec<i64>> = Map::default();
    for statement in view.statements {
        let logger = view.all.keys[statement.keys[0]].name.logger;
        let times = of_logger.entry(logger).or_default();
        // Two suffice to know that a logger was heard before.
        times.extend(statement.times.first());
        times.extend(statement.times.last());
    }
    for (of, statement) in view.statements.iter().enumerate() {
        let mut counts: Vec<u64> =
            statement.keys.iter().map(|&key| view.all.keys[key].count).collect();
        counts.sort_unstable();
        for &at in &statement.keys {
            let key = &view.all.keys[at];
            if key.count > COUNT_MAX {
                continue;
            }
            // A statement whose values are often new says nothing by one more.
            let as_rare: u64 = if statement.keys.len() > 1 {
                counts.iter().take_while(|&&count| count <= key.count).sum::<u64>() - key.count
            } else {
                0
            };
            let level = match key.name.level {
                Level::Critical | Level::Error => 1.5,
                Level::Warning => 0.5,
                Level::Info => 0.3,
                Level::Debug | Level::Trace => 0.0,
            };
            let mut last = i64::MIN;
            for event in &key.events {
                let time = event.time;
                if last != i64::MIN && time - last < burst {
                    last = time;
                    continue;
                }
                last = time;
                let elsewhere = key.events.iter().filter(|e| (e.time - time).abs() > burst).count();
                // … and one of the loud ones says less than one that hardly speaks.
                let loud = ((statement.count - key.count) as f64).sqrt();
                // … and one of many values less than one of few.
                let many = (statement.keys.len() - 1) as f64;
                let others = elsewhere as f64 + as_rare as f64 + loud + many;
                let of_logger = &of_logger[&key.name.logger];
                let is_first_word = of_logger.iter().all(|&t| t >= time);
                let is_only = of_logger.iter().all(|&t| (t - time).abs() <= burst);
                let logger =
                    f64::from(u8::from(is_first_word)) * 0.5 + f64::from(u8::from(is_only)) * 1.0;
                let rarity = level + logger - (1.0 + others).ln();
                rare.push(Rare { statement: of, value: None, key: at, time, rarity });
            }
        }
    }
    rare
}

/// Values that come seldom in places of few values, of keys that are no rarity.
fn rare_values(view: &View<'_>, burst: i64) -> Vec<Rare> {
    let mut rare = Vec::new();
    for (of, statement) in view.statements.iter().enumerate() {
        for &at in &statement.keys {
            let key = &view.all.keys[at];
            if key.count <= COUNT_MAX {
                continue;
            }
            for place in key.places.told() {
                for value in place.values.iter().filter(|value| value.times.len() <= 3) {
                    let as_rare: usize = place
                        .values
                        .iter()
                        .map(|v| v.times.len())
                        .filter(|&n| n <= value.times.len())
                        .sum();
                    let time = value.times[0];
                    let together = value.times.iter().filter(|&&t| t - time <= burst).count();
                    let loud = (key.count as f64).sqrt();
                    let others = (as_rare - together) as f64 + loud;
                    let rarity = 0.3 - (1.0 + others).ln();
                    let value = Some(value.text.clone());
                    rare.push(Rare { statement: of, value, key: at, time, rarity });
                }
            }
        }
    }
    rare
}

/// In how many statements a word stands.
struct Words {
    in_statements: HashMap<Box<str>, u32>,
}

impl Words {
    fn of(view: &View<'_>) -> Self {
        let mut in_statements: HashMap<Box<str>, u32> = HashMap::new();
        for statement in view.statements {
            let mut seen: HashSet<&str> = HashSet::new();
            for &key in statement.keys.iter().take(4) {
                let key = &view.all.keys[key];
                let message = key.samples.first().map_or("", |sample| &sample.message);
                seen.extend(words(message));
            }
            for word in seen {
                match in_statements.get_mut(word) {
                    Some(count) => *count += 1,
                    None => _ = in_statements.insert(word.into(), 1),
                }
            }
        }
        Self { in_statements }
    }

    fn of_findings(findings: &[Finding]) -> HashSet<&str> {
        let heaviest = findings.iter().filter(|finding| finding.is_anomaly).take(8);
        heaviest.flat_map(|finding| words(&finding.sample.message)).collect()
    }

    fn in_common(&self, finding: &Finding, symptoms: &HashSet<&str>) -> f64 {
        let own: HashSet<&str> = words(&finding.sample.message).collect();
        // A word of the two alone is worth most, one of many nothing.
        let worth = |word: &&str| match self.in_statements.get(*word).copied().unwrap_or(1) {
            ..=2 => 1.5,
            3..=5 => 0.7,
            _ => 0.0,
        };
        let sum: f64 = own.iter().filter(|word| symptoms.contains(**word)).map(worth).sum();
        sum.min(IN_COMMON_MAX)
    }
}

/// Words of four letters or more, values among them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
        .filter(|word| word.len() >= 4)
}
