//! Keys gathered into statements: messages of one pattern, level, logger and site of exception.

use super::collect::{Collected, Event, Key, Map, Slot};
use crate::miner::Patterns;

/// What one place of the program says.
#[derive(Debug)]
pub(super) struct Statement {
    /// Place of its pattern among the patterns.
    pub(super) pattern: usize,
    /// Its keys, as indexes of [`Collected::keys`]; more than one where words are values.
    pub(super) keys: Vec<usize>,
    pub(super) count: u64,
    /// Sorted by time; every `stride`-th.
    pub(super) times: Vec<i64>,
    pub(super) stride: u64,
}

/// Sorts what was collected, and groups it.
pub(super) fn statements(all: &mut Collected, patterns: &Patterns) -> Vec<Statement> {
    let mut by_name: Map<(usize, u8, u32, u64), usize> = Map::default();
    let mut statements: Vec<Statement> = Vec::new();
    for (at, key) in all.keys.iter_mut().enumerate() {
        sort(&mut key.events, |event| event.time);
        key.samples.sort_by_key(|sample| sample.time);
        key.places.sort();
        key.slots.iter_mut().for_each(|slot| sort(&mut slot.values, |value| value.0));
        let message = key.samples.first().map_or("", |sample| &sample.message);
        let pattern = patterns
            .find(key.name.handle)
            .or_else(|| patterns.of_message(message.as_bytes()))
            .unwrap_or(usize::MAX);
        let name = (pattern, key.name.level.index(), key.name.logger, key.name.site);
        // What has no pattern is a statement of its own.
        let next = statements.len();
        let place = if pattern == usize::MAX { next } else { *by_name.entry(name).or_insert(next) };
        if place == next {
            statements.push(Statement {
                pattern,
                keys: Vec::new(),
                count: 0,
                times: Vec::new(),
                stride: 1,
            });
        }
        let statement = &mut statements[place];
        statement.keys.push(at);
        statement.count += key.count;
        statement.stride = statement.stride.max(key.stride);
    }
    for statement in &mut statements {
        // All keys of a statement at the same rate of sampling.
        for &at in &statement.keys {
            let key = &all.keys[at];
            let step = usize::try_from(statement.stride / key.stride).unwrap_or(1);
            statement.times.extend(key.events.iter().step_by(step).map(|event| event.time));
        }
        statement.times.sort_unstable();
    }
    statements
}

/// Entries mostly come in the order of time: then nothing is moved.
fn sort<T>(all: &mut [T], time: impl Fn(&T) -> i64) {
    if !all.is_sorted_by_key(&time) {
        all.sort_by_key(time);
    }
}

impl Key {
    pub(super) fn times(&self) -> Vec<i64> {
        self.events.iter().map(|event| event.time).collect()
    }

    /// The event at this time or the first after it.
    pub(super) fn event_at(&self, time: i64) -> Option<Event> {
        self.events.get(self.events.partition_point(|event| event.time < time)).copied()
    }
}

/// A number of several keys as one: those of one name.
pub(super) fn merged(keys: &[&Key]) -> Vec<Slot> {
    let mut merged: Vec<Slot> = Vec::new();
    for slot in keys.iter().flat_map(|key| &key.slots) {
        let same = merged.iter().position(|one| one.id == slot.id && one.unit == slot.unit);
        match same {
            Some(at) => merged[at].values.extend_from_slice(&slot.values),
            None if merged.len() < 12 => merged.push(slot.clone()),
            None => {}
        }
    }
    merged.iter_mut().for_each(|slot| sort(&mut slot.values, |value| value.0));
    merged
}
