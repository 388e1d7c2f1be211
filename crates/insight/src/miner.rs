//! Online template mining: messages in, patterns out, one setting for every system.
//!
//! Two steps, as far apart in cost as in frequency. [`Miner::add`] cuts a message into its
//! [`skeleton`] and counts that in a hash table: some two hundred nanoseconds, nothing
//! allocated unless the skeleton is new. [`Miner::patterns`] takes the skeletons seen so far, brings them
//! into a normal form (lists of any length, units), and finds by statistics which of their words are values
//! after all (`form`, `span`, `merge`). It costs some microseconds for each different skeleton, whatever
//! the number of messages.
//!
//! What comes out depends on which messages there were and not on their order, as long as nothing had to
//! be forgotten. A pattern's [`id`](PatternId) is a hash of its template's text: the same template has the same id in
//! every run.
//!
//! **Memory is bounded** by [`Options::skeletons_max`] and [`Options::text_bytes_max`]: at the defaults 8 MiB are
//! kept at most, and up to 64 MiB more taken for as long as patterns are computed. When a bound is reached, patterns are computed:
//! of one with many skeletons only the newest are kept, with one that stands for the others and bears their
//! count; if that is not enough, whole patterns go, least recently seen first, until half the room is
//! free. So no pattern is lost that is still being seen, unless more than that many are.
//!
//! ```
//! use logrec_insight::miner::{Miner, Options};
//!
//! let mut miner = Miner::new(Options::default());
//! let messages = ["user ann logged in after 3 ms", "user bob logged in after 17 ms", "disk full"];
//! let handles = messages.map(|message| miner.add(message.as_bytes()));
//! for user in ["cyd", "dan", "eve"] {
//!     miner.add(format!("user {user} logged in after 5 ms").as_bytes());
//! }
//! let patterns = miner.patterns();
//! let texts: Vec<String> = patterns.iter().map(|pattern| pattern.template().to_string()).collect();
//! assert_eq!(texts, ["user <*> logged in after <*> ms", "disk full"]);
//! assert_eq!(patterns.find(handles[0]), patterns.find(handles[1]));
//! ```

mod anchor;
mod form;
mod merge;
mod patterns;
mod span;
mod token;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use patterns::Merged;
pub use patterns::{ParseIdError, Pattern, PatternId, Patterns};

use crate::skeleton::{self, scan};

/// Bounds of a [`Miner`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Different skeletons kept at most, at least 64.
    pub skeletons_max: usize,
    /// Bytes of their texts at most, at least 64 kB.
    pub text_bytes_max: usize,
}

impl Default for Options {
    /// 16,384 skeletons and 4 MiB.
    fn default() -> Self {
        Self { skeletons_max: 16_384, text_bytes_max: 4 << 20 }
    }
}

/// Pieces that a skeleton has on average, at most.
const PIECES_A_SKELETON: usize = 32;

/// Skeletons of one pattern that are kept when room is made.
const EVIDENCE_MAX: usize = 16;

/// Collects messages into skeletons. See the [module](self).
#[derive(Debug)]
pub struct Miner {
    options: Options,
    by_hash: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    text_bytes: usize,
    pieces: usize,
    messages: u64,
    forgotten: u64,
}

/// A skeleton that is kept, or a place for one.
#[derive(Clone, Debug)]
struct Slot {
    hash: u64,
    /// Encoded; empty in a free slot, and in that of the empty message.
    skeleton: Box<[u8]>,
    /// Words, marks, blanks and values in it.
    pieces: usize,
    /// Which of its values were seen without a digit.
    loose: u64,
    /// Messages that had it; 0 in a free slot.
    count: u64,
    /// The number of the last message that had it.
    last: u64,
    /// Counts the skeletons that were here, so that a handle knows its own.
    generation: u32,
}

/// Which skeleton a message had. Good as long as the skeleton is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    slot: u32,
    generation: u32,
}

impl Miner {
    /// An empty one.
    pub fn new(options: Options) -> Self {
        let options =
            Options { skeletons_max: options.skeletons_max.clamp(64, 1 << 24), ..options };
        Self {
            options,
            by_hash: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            text_bytes: 0,
            pieces: 0,
            messages: 0,
            forgotten: 0,
        }
    }

    /// Counts a message, any bytes.
    ///
    /// The handle finds its pattern later, in [`Patterns::find`].
    pub fn add(&mut self, message: &[u8]) -> Handle {
        let mut hasher = skeleton::Hasher::default();
        scan(message, &mut hasher);
        let (hash, loose) = (hasher.finish(), hasher.loose);
        self.messages += 1;
        if let Some(&slot) = self.by_hash.get(&hash) {
            let kept = &mut self.slots[slot as usize];
            kept.count += 1;
            kept.last = self.messages;
            kept.loose |= loose;
            return Handle { slot, generation: kept.generation };
        }
        let (skeleton, pieces) = token::encode(message);
        let is_full = self.by_hash.len() >= self.options.skeletons_max
            || self.pieces + pieces > self.options.skeletons_max * PIECES_A_SKELETON
            || self.text_bytes + skeleton.len() > self.options.text_bytes_max;
        if is_full {
            self.make_room();
        }
        self.put(Slot {
            hash,
            skeleton,
            pieces,
            loose,
            count: 1,
            last: self.messages,
            generation: 0,
        })
    }

    /// Whether a handle's skeleton is still kept.
    pub fn holds(&self, handle: Handle) -> bool {
        let slot = self.slots.get(handle.slot as usize);
        slot.is_some_and(|slot| slot.generation == handle.generation && slot.count > 0)
    }

    /// Messages added.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Messages whose patterns were forgotten to make room: they are in no pattern's count.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The patterns of all messages so far, most frequent first.
    pub fn patterns(&self) -> Patterns {
        Patterns::of(&self.slots)
    }

    /// Keeps a skeleton, in a place of its own.
    fn put(&mut self, new: Slot) -> Handle {
        self.text_bytes += new.skeleton.len();
        self.pieces += new.pieces;
        let next = u32::try_from(self.slots.len()).expect("skeletons_max is less than 2^24");
        let slot = self.free.pop().unwrap_or(next);
        self.by_hash.insert(new.hash, slot);
        let Some(place) = self.slots.get_mut(slot as usize) else {
            self.slots.push(new);
            return Handle { slot, generation: 0 };
        };
        let generation = place.generation;
        *place = Slot { generation, ..new };
        Handle { slot, generation }
    }

    fn remove(&mut self, slot: u32) -> u64 {
        let kept = &mut self.slots[slot as usize];
        let count = std::mem::take(&mut kept.count);
        self.text_bytes -= kept.skeleton.len();
        self.pieces -= kept.pieces;
        kept.skeleton = Box::default();
        kept.generation = kept.generation.wrapping_add(1);
        self.by_hash.remove(&kept.hash);
        self.free.push(slot);
        count
    }

    /// Keeps of each pattern its newest skeletons, and of the patterns, if need be, the newest.
    fn make_room(&mut self) {
        let merged = Merged::of(&self.slots);
        let mut members = vec![Vec::new(); merged.forms.len()];
        for (slot, place) in merged.places {
            members[place as usize].push(slot);
        }
        for (slots, form) in members.iter_mut().zip(&merged.forms) {
            slots.sort_unstable_by_key(|&slot| Reverse(self.slots[slot as usize].last));
            if slots.len() > EVIDENCE_MAX {
                let text = &self.slots[form.skeleton as usize].skeleton;
                let (hash, skeleton) = token::encode_tokens(&form.tokens, text);
                let last = self.slots[slots[0] as usize].last;
                let count = slots.drain(EVIDENCE_MAX..).map(|slot| self.remove(slot)).sum();
                let stand_in = Slot {
                    hash,
                    skeleton,
                    pieces: form.tokens.len(),
                    loose: 0,
                    count,
                    last,
                    generation: 0,
                };
                slots.extend(self.stand_in(stand_in));
            }
        }
        if self.has_room(3) {
            return;
        }
        members.sort_unstable_by_key(|slots| self.slots[slots[0] as usize].last);
        for slots in members {
            if self.has_room(2) {
                break;
            }
            self.forgotten += slots.into_iter().map(|slot| self.remove(slot)).sum::<u64>();
        }
    }

    /// Whether no more than so many quarters of the room are taken.
    fn has_room(&self, quarters: usize) -> bool {
        let is_within = |taken: usize, max: usize| taken <= max / 4 * quarters;
        is_within(self.by_hash.len(), self.options.skeletons_max)
            && is_within(self.pieces, self.options.skeletons_max * PIECES_A_SKELETON)
            && is_within(self.text_bytes, self.options.text_bytes_max)
    }

    /// Keeps a pattern's template in the place of skeletons that were removed, and tells where if that is new.
    fn stand_in(&mut self, stand_in: Slot) -> Option<u32> {
        let Some(&slot) = self.by_hash.get(&stand_in.hash) else {
            return Some(self.put(stand_in).slot);
        };
        // One of its own: what it stands for may be wider now.
        let kept = &mut self.slots[slot as usize];
        self.text_bytes = self.text_bytes + stand_in.skeleton.len() - kept.skeleton.len();
        kept.skeleton = stand_in.skeleton;
        kept.count += stand_in.count;
        None
    }
}

/// Skeletons are hashed already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests;
