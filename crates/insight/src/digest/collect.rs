//! What is kept of entries until all were seen: of each key its times, samples and numbers.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
};

use logrec_core::{
    EntryId, Level, RowRef, Timestamp,
    record::{FieldRef, ValueRef},
};

use super::{Sample, places::Places};
use crate::{
    miner::{Handle, Miner, Options},
    numbers::{self, Unit},
    stack,
};

/// Keys that are told apart.
const KEYS_MAX: usize = 16_384;
/// Events kept; beyond that the loud keys keep every second.
const EVENTS_MAX: usize = 1 << 20;
/// Keys with so few events keep all of them.
const QUIET: usize = 64;
/// Samples kept of a key.
pub(super) const SAMPLES_MAX: usize = 4;
/// Numbers of a key that are followed.
const SLOTS_MAX: usize = 12;
/// Values kept of a number; beyond that every second.
const VALUES_MAX: usize = 4096;
/// Loggers told apart.
const LOGGERS_MAX: usize = 4096;
/// Traces whose site is remembered.
const SITES_MAX: usize = 4096;

/// A fast hasher for keys that are made of hashes and small numbers (after rustc's `FxHasher`). Whoever
/// makes its keys collide slows one answer down, by no more than [`KEYS_MAX`] comparisons an entry.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }
    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }
    fn write_u8(&mut self, word: u8) {
        self.write_u64(word.into());
    }
}

pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Messages of one skeleton, level, logger and site of exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) handle: Handle,
    pub(super) level: Level,
    pub(super) logger: u32,
    /// Site of the exception; 0 without one.
    pub(super) site: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) time: i64,
    pub(super) id: EntryId,
}

/// A number that the messages of a key, or their attributes, have.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) name: Box<str>,
    pub(super) unit: Unit,
    /// Time and value.
    pub(super) values: Vec<(i64, f64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: Name,
    pub(super) count: u64,
    /// Every so many-th event is kept.
    pub(super) stride: u64,
    pub(super) events: Vec<Event>,
    pub(super) samples: Vec<Sample>,
    pub(super) slots_stride: u64,
    pub(super) slots: Vec<Slot>,
    pub(super) places: Places,
}

/// Gathers entries.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) miner: Miner,
    pub(super) keys: Vec<Key>,
    by_name: Map<Name, u32>,
    pub(super) loggers: Vec<Box<str>>,
    by_logger: Map<Box<str>, u32>,
    sites: Map<u64, u64>,
    events: usize,
    pub(super) entries: u64,
    pub(super) levels: [u64; 6],
    pub(super) span: Option<(i64, i64)>,
    /// Entries of keys beyond those told apart.
    pub(super) untold: u64,
    pub(super) exceptions: u64,
}

impl Collected {
    pub(super) fn new() -> Self {
        Self {
            miner: Miner::new(Options::default()),
            keys: Vec::new(),
            by_name: Map::default(),
            loggers: Vec::new(),
            by_logger: Map::default(),
            sites: Map::default(),
            events: 0,
            entries: 0,
            levels: [0; 6],
            span: None,
            untold: 0,
            exceptions: 0,
        }
    }

    pub(super) fn add(&mut self, row: &RowRef<'_>) {
        let time = safe(row.time);
        self.entries += 1;
        self.levels[usize::from(row.level.index())] += 1;
        let (from, until) = self.span.unwrap_or((time, time));
        self.span = Some((from.min(time), until.max(time)));
        let handle = self.miner.add(row.record.message_bytes());
        let logger = self.logger(row.record.logger());
        let site = self.site(row.record.exception());
        let name = Name { handle, level: row.level, logger, site };
        let Some(key) = self.key(name) else { return };
        let key = &mut self.keys[key];
        key.count += 1;
        if key.samples.len() < SAMPLES_MAX {
            key.samples.push(Sample::of(row));
        }
        if (key.count - 1).is_multiple_of(key.slots_stride) {
            key.numbers(row);
        }
        if (key.count - 1).is_multiple_of(key.stride) {
            key.events.push(Event { time, id: row.id() });
            self.events += 1;
            if self.events > EVENTS_MAX {
                self.thin();
            }
        }
    }

    fn key(&mut self, name: Name) -> Option<usize> {
        if let Some(&key) = self.by_name.get(&name) {
            return Some(key as usize);
        }
        if self.keys.len() >= KEYS_MAX {
            self.untold += 1;
            return None;
        }
        let at = self.keys.len();
        self.by_name.insert(name, u32::try_from(at).ok()?);
        self.keys.push(Key {
            name,
            count: 0,
            stride: 1,
            events: Vec::new(),
            samples: Vec::new(),
            slots_stride: 1,
            slots: Vec::new(),
            places: Places::default(),
        });
        Some(at)
    }

    fn logger(&mut self, name: &str) -> u32 {
        if let Some(&logger) = self.by_logger.get(name) {
            return logger;
        }
        if self.loggers.len() >= LOGGERS_MAX {
            return 0;
        }
        let logger = u32::try_from(self.loggers.len()).unwrap_or(0);
        self.loggers.push(name.into());
        self.by_logger.insert(name.into(), logger);
        logger
    }

    fn site(&mut self, exception: &str) -> u64 {
        if exception.is_empty() {
            return 0;
        }
        self.exceptions += 1;
        let mut hasher = DefaultHasher::new();
        exception.hash(&mut hasher);
        let text = hasher.finish();
        if let Some(&site) = self.sites.get(&text) {
            return site;
        }
        let site =
            stack::parse(exception).map_or_else(|| stack::group(exception), |stack| stack.site());
        if self.sites.len() < SITES_MAX {
            self.sites.insert(text, site.0);
        }
        site.0
    }

    /// Leaves every second event of the loud keys away.
    fn thin(&mut self) {
        for key in &mut self.keys {
            if key.events.len() > QUIET {
                key.halve();
            }
        }
        self.events = self.keys.iter().map(|key| key.events.len()).sum();
    }
}

impl Key {
    pub(super) fn halve(&mut self) {
        every_second(&mut self.events);
        self.stride *= 2;
    }

    fn numbers(&mut self, row: &RowRef<'_>) {
        let time = safe(row.time);
        let mut ordinal = 0;
        numbers::each(row.record.message(), |number| {
            ordinal += 1;
            let id = if number.is_named { of_name(number.word) } else { ordinal };
            // A value before it is no name for it.
            let is_word = !number.word.bytes().any(|byte| byte.is_ascii_digit());
            let word = if is_word { number.word } else { "" };
            self.value(id, word, number.unit, time, number.value);
        });
        for field in row.record.fields() {
            let FieldRef::Attribute(name, value) = field else { continue };
            #[expect(clippy::cast_precision_loss, reason = "statistics of large numbers")]
            let value = match value {
                ValueRef::Int(v) => v as f64,
                ValueRef::UInt(v) => v as f64,
                ValueRef::Float(v) => v,
                _ => continue,
            };
            let (worth, unit) = numbers::unit_of_name(name).unwrap_or((1.0, Unit::None));
            self.value(of_name(name), name, unit, time, value * worth);
        }
        let is_full = self.places.add(row, self.count == 1);
        if is_full || self.slots.iter().any(|slot| slot.values.len() >= VALUES_MAX) {
            self.places.halve();
            self.slots.iter_mut().for_each(|slot| every_second(&mut slot.values));
            self.slots_stride *= 2;
        }
    }

    fn value(&mut self, id: u64, name: &str, unit: Unit, time: i64, value: f64) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.id == id && slot.unit == unit) {
            // An attribute that repeats what the message says counts once.
            if slot.values.last() != Some(&(time, value)) {
                slot.values.push((time, value));
            }
        } else if self.slots.len() < SLOTS_MAX {
            let name = name[..name.floor_char_boundary(60)].into();
            self.slots.push(Slot { id, name, unit, values: vec![(time, value)] });
        }
    }
}

/// A time of which no two are so far apart that their difference is no `i64`: until the year 2116.
pub(super) fn safe(time: Timestamp) -> i64 {
    time.0.clamp(-i64::MAX / 2, i64::MAX / 2)
}

pub(super) fn of_name(name: &str) -> u64 {
    let mut hasher = Mix::default();
    hasher.write(name.as_bytes());
    // Ordinals are small.
    hasher.finish() | 1 << 63
}

pub(super) fn every_second<T>(all: &mut Vec<T>) {
    let mut keep = false;
    all.retain(|_| {
        keep = !keep;
        keep
    });
}
