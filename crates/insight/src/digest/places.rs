//! Values of few kinds inside of messages and attributes: a status, a shard, a region, a version.
//!
//! A pattern hides its values. Where a place in it has only few different ones, each is followed like a
//! statement of its own: it may be new, come more often, or fall silent. A place with many different values
//! (ids, durations) is given up for good.

use logrec_core::{
    RowRef,
    record::{FieldRef, ValueRef},
};

use super::collect::{every_second, of_name, safe};
use crate::skeleton::{Sink, scan};

/// Places of a key that are followed.
const PLACES_MAX: usize = 8;
/// Different values of a place; with more it is given up.
const VALUES_MAX: usize = 24;
/// Bytes of a value; with a longer one the place is given up.
const VALUE_BYTES_MAX: usize = 40;
/// Times kept of a place; beyond that every second.
const TIMES_MAX: usize = 4096;

/// The places of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<Place>);

/// A place and its values.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Where: an ordinal in the message, or a hash of an attribute's name.
    id: u64,
    /// Of an attribute its name, else empty.
    pub(super) name: Box<str>,
    /// None of a place that was given up.
    pub(super) values: Vec<Value>,
    total: usize,
    is_given_up: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: Box<str>,
    /// When it came, not sorted until all were seen.
    pub(super) times: Vec<i64>,
}

impl Places {
    /// Those that are not given up and have more than one value.
    pub(super) fn told(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter(|place| !place.is_given_up && place.values.len() > 1)
    }

    /// Notes the values of an entry. True when every second time should be forgotten.
    pub(super) fn add(&mut self, row: &RowRef<'_>, is_first: bool) -> bool {
        let is_over = !is_first && self.0.iter().all(|place| place.is_given_up);
        if is_over {
            return false;
        }
        let time = safe(row.time);
        let message = row.record.message();
        let mut found = Found { message, ordinal: 0, time, places: self };
        scan(message.as_bytes(), &mut found);
        for field in row.record.fields() {
            let FieldRef::Attribute(name, value) = field else { continue };
            match value {
                ValueRef::Str(text) => self.value(of_name(name), name, text, time),
                ValueRef::Bool(v) => {
                    self.value(of_name(name), name, if v { "true" } else { "false" }, time)
                }
                ValueRef::Int(v) => self.value(of_name(name), name, &v.to_string(), time),
                _ => {}
            }
        }
        self.0.iter().any(|place| place.total > TIMES_MAX)
    }

    fn value(&mut self, id: u64, name: &str, text: &str, time: i64) {
        let at = match self.0.iter().position(|place| place.id == id) {
            Some(at) => at,
            None if self.0.len() < PLACES_MAX => {
                let name = name[..name.floor_char_boundary(VALUE_BYTES_MAX)].into();
                self.0.push(Place { id, name, values: Vec::new(), total: 0, is_given_up: false });
                self.0.len() - 1
            }
            None => return,
        };
        self.0[at].add(text, time);
    }

    pub(super) fn halve(&mut self) {
        for place in &mut self.0 {
            // Of what is rare every one counts.
            place.values.iter_mut().filter(|value| value.times.len() > 8).for_each(|value| {
                every_second(&mut value.times);
            });
            place.total = place.values.iter().map(|value| value.times.len()).sum();
        }
    }

    pub(super) fn sort(&mut self) {
        self.0
            .iter_mut()
            .flat_map(|place| &mut place.values)
            .for_each(|value| value.times.sort_unstable());
    }
}

impl Place {
    fn add(&mut self, text: &str, time: i64) {
        if self.is_given_up {
            return;
        }
        if let Some(value) = self.values.iter_mut().find(|value| *value.text == *text) {
            value.times.push(time);
            self.total += 1;
        } else if self.values.len() < VALUES_MAX && text.len() <= VALUE_BYTES_MAX {
            self.values.push(Value { text: text.into(), times: vec![time] });
            self.total += 1;
        } else {
            self.values = Vec::new();
            (self.total, self.is_given_up) = (0, true);
        }
    }
}

struct Found<'a> {
    message: &'a str,
    ordinal: u64,
    time: i64,
    places: &'a mut Places,
}

impl Sink for Found<'_> {
    fn blank(&mut self) {}
    fn mark(&mut self, _mark: u8) {}
    fn word(&mut self, _message: &[u8], _start: usize, _end: usize) {}
    fn value(&mut self, start: usize, end: usize, _made_of: u8) {
        self.ordinal += 1;
        if let Some(text) = self.message.get(start..end) {
            self.places.value(self.ordinal, "", text, self.time);
        }
    }
}
