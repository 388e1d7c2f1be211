//! The reading half: a [`Snapshot`] of which entries exist, and copies of them.
//!
//! No lock is taken and no word written. What a writer reuses while it is being copied is noticed
//! by its changed state and left out; entries vanish from the old end only.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    Position, Ring, RingStats, Seq,
    layout::{Kind, SLOT_WORDS, State, chunk, lane},
    sync::{Ordering, fence},
    write::{FLAG_SPLIT, FLAG_TRUNCATED},
};
use crate::{
    Level, Timestamp,
    filter::{Needs, Prefilter, Scope},
    record::{PREFIX_BYTES, bytes_needed, message_range},
    source::Progress,
};

/// What a chunk held when it was looked at: enough to pass it over without reading it.
#[derive(Clone, Copy, Debug)]
pub struct ChunkInfo {
    index: usize,
    state: State,
    /// Its lane.
    pub lane: usize,
    /// Ordinal of its first entry.
    pub first: u64,
    /// Entries published.
    pub count: u64,
    /// Ordinal of the first entry that a reader may see; at most `first + count`.
    pub visible_from: u64,
    /// Earliest time of its entries. May be too early, never too late.
    pub time_min: Timestamp,
    /// Latest time of its entries. May be too late, never too early.
    pub time_max: Timestamp,
    levels: [u32; 6],
    has_split: bool,
}

impl ChunkInfo {
    const fn end(&self) -> u64 {
        self.first + self.count
    }

    /// Entries that a reader may see.
    #[must_use]
    pub const fn visible(&self) -> u64 {
        self.end() - self.visible_from
    }

    /// Which chunk was opened before which: larger is later.
    #[must_use]
    pub const fn opened(&self) -> u64 {
        self.state.allocation()
    }

    /// Whether it can hold an entry of this level. May say yes wrongly, never no.
    #[must_use]
    pub fn may_hold(&self, level: Level) -> bool {
        self.levels[usize::from(level.index())] > 0
    }

    fn whole(&self) -> bool {
        self.visible_from <= self.first
            && self.levels.iter().map(|&n| u64::from(n)).sum::<u64>() == self.count
    }
}

/// What is kept beside a record.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// When it happened, by its source's clock.
    pub time: Timestamp,
    /// When it was recorded. Does not fall from one entry of a lane to the next.
    pub observed: Timestamp,
    /// How severe.
    pub level: Level,
    /// Which entry.
    pub seq: Seq,
    /// Whether it was cut.
    pub truncated: bool,
    /// Of a kept error: the entry that it is a copy of.
    pub(super) original: Option<Seq>,
    split: bool,
    offset: usize,
    len: usize,
}

impl Slot {
    /// The same under another name.
    pub(super) fn named(self, seq: Seq) -> Self {
        Self { seq, ..self }
    }

    /// Bytes of slot and record, where the record lies whole in its chunk.
    pub(super) const fn bytes(&self) -> u64 {
        (SLOT_WORDS * 8 + self.len) as u64
    }
}

/// Slots of one chunk, copied. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub struct ChunkCopy {
    /// Those a reader may see, oldest first.
    pub slots: Vec<Slot>,
}

/// Which entries existed at one moment: chunks by lane and ordinal.
#[derive(Debug)]
pub struct Snapshot<'r> {
    pub(super) ring: &'r Ring,
    chunks: Vec<ChunkInfo>,
    cleared: Vec<u64>,
    end: Position,
}

impl Ring {
    /// Looks at what there is now. O(chunks in use), one allocation or two.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        self.snapshot_after(&Position::default())
    }

    /// As [`snapshot`](Self::snapshot), with what lies before `cleared` hidden as if it were cleared.
    ///
    /// Looks again when chunks were reused meanwhile. When they are reused as fast as they are looked at,
    /// the last look counts, without the chunks that are gone.
    pub(crate) fn snapshot_after(&self, cleared: &Position) -> Snapshot<'_> {
        const TRIES: usize = 4;
        let mut snapshot = self.look_once(cleared);
        for _ in 1..TRIES {
            if snapshot.hide_beyond(self.geometry.max_entries) {
                return snapshot;
            }
            snapshot = self.look_once(cleared);
        }
        if !snapshot.hide_beyond(self.geometry.max_entries) {
            let mut chunks = std::mem::take(&mut snapshot.chunks);
            chunks.retain(|c| snapshot.is_intact(c));
            snapshot.chunks = chunks;
        }
        snapshot
    }

    /// First ordinal of each lane that was not cleared, in the ring or by a reader for itself.
    fn floors(&self, cleared: &Position) -> Vec<u64> {
        let mut floors = self.lane_words(lane::FLOOR);
        for (i, floor) in floors.iter_mut().enumerate() {
            *floor = (*floor).max(cleared.lane(i));
        }
        floors
    }

    fn lane_words(&self, word: usize) -> Vec<u64> {
        (0..self.geometry.lanes)
            .map(|i| {
                self.region.at(self.geometry.lane(i) + word).load(Ordering::Acquire).min(1 << 57)
            })
            .collect()
    }

    /// How far recording has come. O(lanes).
    #[must_use]
    pub fn progress(&self) -> Progress {
        // Numbers before times: what is counted was observed no later than the time that is read.
        let recorded =
            self.lane_words(lane::NEXT).iter().fold(0, |sum: u64, n| sum.wrapping_add(*n));
        let observed = (0..self.geometry.lanes)
            .map(|i| self.region.get(self.geometry.lane(i) + lane::OBSERVED).cast_signed())
            .max();
        Progress { recorded, observed: Timestamp(observed.unwrap_or(i64::MIN)) }
    }

    /// Which chunks there are, all of them in sight.
    fn look_once(&self, cleared: &Position) -> Snapshot<'_> {
        let cleared = self.floors(cleared);
        // Before the chunks: what these count is in a chunk that is looked at below, or is gone. What comes
        // after them is left to the next look, even if seen: its chunk may be, and not the one before it,
        // which was opened and filled where this look had already been.
        let end = Position(self.lane_words(lane::NEXT));
        let in_use = self.region.get(super::header::FRESH) as usize;
        let mut chunks: Vec<ChunkInfo> =
            (0..in_use.min(self.geometry.chunks)).filter_map(|i| self.look(i)).collect();
        chunks.sort_unstable_by_key(|c| (c.lane, c.first, c.state.allocation()));
        for c in &mut chunks {
            c.count = c.count.min(end.lane(c.lane).saturating_sub(c.first));
            c.visible_from = c.first.max(cleared[c.lane]).min(c.end());
        }
        Snapshot { ring: self, chunks, cleared, end }
    }

    /// Reads a chunk's control block; `None` when it holds no entries or is changing hands.
    fn look(&self, index: usize) -> Option<ChunkInfo> {
        let at = self.geometry.control(index);
        let region = &self.region;
        let state = State(region.at(at + chunk::STATE).load(Ordering::Acquire));
        if !state.is(Kind::Entries) || state.lane() >= self.geometry.lanes {
            return None;
        }
        let count = region.at(at + chunk::COUNT).load(Ordering::Acquire);
        let count = count.min((self.geometry.chunk_words / SLOT_WORDS) as u64);
        // No ring ever counts so far; a damaged file may say it did.
        let first = region.get(at + chunk::FIRST).min(1 << 56);
        let mut levels = [0; 6];
        for (i, pair) in levels.chunks_exact_mut(2).enumerate() {
            let word = region.get(at + chunk::LEVELS + i);
            pair.copy_from_slice(&[low32(word), low32(word >> 32)]);
        }
        let info = ChunkInfo {
            index,
            state,
            lane: state.lane(),
            first,
            count,
            visible_from: first,
            time_min: Timestamp(region.get(at + chunk::TIME_MIN).cast_signed()),
            time_max: Timestamp(region.get(at + chunk::TIME_MAX).cast_signed()),
            levels,
            has_split: region.get(at + chunk::SPLIT) > 0,
        };
        self.unchanged(index, state).then_some(info)
    }

    /// The seqlock's second look: whether what was read before this call was whole.
    fn unchanged(&self, index: usize, state: State) -> bool {
        fence(Ordering::Acquire);
        self.region.get(self.geometry.control(index) + chunk::STATE) == state.0
    }
}

const fn level_of(meta: u64) -> Level {
    match Level::from_index((meta & 0xff) as u8) {
        Some(level) => level,
        // A damaged file may say anything.
        None => Level::Info,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
const fn low32(word: u64) -> u32 {
    word as u32
}

impl Snapshot<'_> {
    /// Chunks by lane, in each by ordinal.
    #[must_use]
    pub fn chunks(&self) -> &[ChunkInfo] {
        &self.chunks
    }

    /// The place after the last entry: what is recorded later is new to it.
    #[must_use]
    pub const fn end(&self) -> &Position {
        &self.end
    }

    /// Entries ever recorded.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.end.0.iter().fold(0, |sum, next| sum.saturating_add(*next))
    }

    /// Entries a reader may see.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.chunks.iter().map(ChunkInfo::visible).sum()
    }

    /// First ordinals that are new to who has read up to `position`: what was cleared is not.
    pub(crate) fn new_from(&self, position: &Position) -> Vec<u64> {
        self.cleared
            .iter()
            .enumerate()
            .map(|(lane, floor)| position.lane(lane).max(*floor))
            .collect()
    }

    /// Entries recorded since `position` that are gone, exactly. Cleared ones do not count: they
    /// were removed, not missed.
    #[must_use]
    pub fn missed_since(&self, position: &Position) -> u64 {
        let from = |lane: usize| position.lane(lane).max(self.cleared[lane]);
        let recorded = self
            .end
            .0
            .iter()
            .enumerate()
            .fold(0u64, |sum, (i, end)| sum.saturating_add(end.saturating_sub(from(i))));
        let there: u64 = self
            .chunks
            .iter()
            .map(|c| c.end() - c.visible_from.max(from(c.lane)).min(c.end()))
            .sum();
        recorded.saturating_sub(there)
    }

    /// Copies the slots that a reader may see. False, and nothing in `copy`, when the chunk was
    /// reused meanwhile.
    pub fn load(&self, info: &ChunkInfo, copy: &mut ChunkCopy) -> bool {
        self.load_if(info, copy, |_, _| true)
    }

    /// As [`load`](Self::load), only those of a time and level that are wanted.
    #[inline]
    pub(crate) fn load_if(
        &self,
        info: &ChunkInfo,
        copy: &mut ChunkCopy,
        wanted: impl Fn(Timestamp, Level) -> bool,
    ) -> bool {
        copy.slots.clear();
        let first = self.ring.geometry.data(info.index);
        let skipped = (info.visible_from - info.first) as usize;
        let words = (info.end() - info.first) as usize * SLOT_WORDS;
        let (slots, _) = self.ring.region.slice(first, words).as_chunks::<SLOT_WORDS>();
        for (n, slot) in (info.visible_from..).zip(slots.iter().skip(skipped)) {
            let [time, level] = [0, 3].map(|i| slot[i].load(Ordering::Relaxed));
            if wanted(Timestamp(time.cast_signed()), level_of(level)) {
                copy.slots.push(self.slot(info, n));
            }
        }
        let whole = self.is_intact(info);
        if !whole {
            copy.slots.clear();
        }
        whole
    }

    /// Appends the bytes of a slot's record to `out`, for a [`RecordRef`](crate::record::RecordRef).
    /// They are to be trusted only if the chunk [is intact](Self::is_intact) afterwards.
    pub fn read_record(&self, info: &ChunkInfo, slot: &Slot, out: &mut Vec<u8>) {
        let geometry = &self.ring.geometry;
        // A damaged file may say anything.
        if slot.offset + slot.len.div_ceil(8) > geometry.chunk_words {
            return;
        }
        let start = out.len();
        self.ring.region.read(geometry.data(info.index) + slot.offset, slot.len, out);
        if slot.split {
            self.join(start, out);
        }
    }

    /// Whether anything in a chunk may hold what a prefilter looks for; if not, no entry need be looked at.
    /// Reads all its records where they lie.
    #[inline]
    pub(crate) fn chunk_may_contain(&self, info: &ChunkInfo, wanted: &Prefilter) -> bool {
        let geometry = &self.ring.geometry;
        let tail = self.ring.region.get(geometry.control(info.index) + chunk::TAIL) as usize;
        let tail = tail.min(geometry.chunk_words);
        let records = geometry.chunk_words - tail;
        // The text of an entry over several chunks lies elsewhere too.
        info.has_split
            || wanted.is_in(self.ring.region.searched(geometry.data(info.index) + tail, records))
    }

    /// Whether a slot's record may hold what a prefilter looks for. Reads it where it lies.
    #[inline]
    pub(crate) fn may_contain(
        &self,
        info: &ChunkInfo,
        slot: &Slot,
        (wanted, scope): &(Prefilter, Scope),
    ) -> bool {
        let geometry = &self.ring.geometry;
        if slot.split
            || slot.len < PREFIX_BYTES
            || slot.offset + slot.len.div_ceil(8) > geometry.chunk_words
        {
            return true;
        }
        let at = geometry.data(info.index) + slot.offset;
        if *scope == Scope::Record {
            return wanted.is_in(self.ring.region.searched(at, slot.len.div_ceil(8)));
        }
        let prefix = self.ring.region.load::<PREFIX_BYTES>(at);
        let [start, end] = message_range(prefix, slot.len);
        wanted.is_in(self.ring.region.searched(at + start / 8, end.div_ceil(8) - start / 8))
    }

    /// As [`read_record`](Self::read_record), but perhaps only so much of it as a matcher needs.
    pub(crate) fn read_needed(
        &self,
        info: &ChunkInfo,
        slot: &Slot,
        needs: Needs,
        out: &mut Vec<u8>,
    ) {
        let geometry = &self.ring.geometry;
        if slot.split || slot.len < PREFIX_BYTES || needs.others {
            return self.read_record(info, slot, out);
        }
        if slot.offset + slot.len.div_ceil(8) > geometry.chunk_words {
            return;
        }
        let at = geometry.data(info.index) + slot.offset;
        let prefix = self.ring.region.load::<PREFIX_BYTES>(at);
        self.ring.region.read(at, bytes_needed(prefix, needs).min(slot.len), out);
    }

    /// Whether the chunk still holds what was read from it before this call.
    #[must_use]
    pub fn is_intact(&self, info: &ChunkInfo) -> bool {
        self.ring.unchanged(info.index, info.state)
    }

    /// An entry's slot. To be trusted only if the chunk [is intact](Self::is_intact) afterwards.
    pub(crate) fn slot(&self, info: &ChunkInfo, ordinal: u64) -> Slot {
        let at = self.ring.geometry.data(info.index) + (ordinal - info.first) as usize * SLOT_WORDS;
        let [time, observed, place, meta] = [0, 1, 2, 3].map(|i| self.ring.region.get(at + i));
        Slot {
            time: Timestamp(time.cast_signed()),
            observed: Timestamp(observed.cast_signed()),
            level: level_of(meta),
            seq: Seq::new(info.lane, ordinal),
            truncated: meta >> 8 & FLAG_TRUNCATED != 0,
            original: (meta >> 16).checked_sub(1).map(Seq::from_raw),
            split: meta >> 8 & FLAG_SPLIT != 0,
            offset: low32(place) as usize,
            len: low32(place >> 32) as usize,
        }
    }

    fn observed(&self, info: &ChunkInfo, ordinal: u64) -> i64 {
        let at = self.ring.geometry.data(info.index) + (ordinal - info.first) as usize * SLOT_WORDS;
        self.ring.region.get(at + 1).cast_signed()
    }

    /// Puts a split record together; see `store_split` for its form.
    fn join(&self, start: usize, out: &mut Vec<u8>) {
        let stored = out.split_off(start);
        let word = |i: usize| {
            let bytes = stored.get(i * 8..i * 8 + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?) as usize)
        };
        let (Some(len), Some(rests)) = (word(0), word(1)) else { return };
        let geometry = &self.ring.geometry;
        let head_at = rests.saturating_mul(16).saturating_add(16);
        let Some(head) = stored.get(head_at..) else { return };
        out.extend_from_slice(head);
        for i in 0..rests {
            let left = len.saturating_sub(out.len() - start);
            let (Some(index), Some(state)) = (word(2 + 2 * i), word(3 + 2 * i)) else { return };
            if index >= geometry.chunks || left == 0 {
                return;
            }
            let before = out.len();
            let part = left.min(geometry.chunk_words * 8);
            self.ring.region.read(geometry.data(index), part, out);
            if !self.ring.unchanged(index, State(state as u64)) {
                // Reused: the entry ends here.
                out.truncate(before);
                return;
            }
        }
    }

    /// Hides all but the newest `most` entries by the order of recording. False when a chunk it
    /// looked into was reused meanwhile.
    ///
    /// First all that was recorded up to a moment, found by halving over the moments at which chunks
    /// end: O(chunks × log chunks). Then, one by one, what is still too much: less than a chunk or two.
    fn hide_beyond(&mut self, most: u64) -> bool {
        let excess = self.entries().saturating_sub(most);
        if excess == 0 {
            return true;
        }
        if self.in_sight().zip(self.in_sight().skip(1)).all(|(a, b)| a.lane == b.lane) {
            self.hide_first(excess);
            return true;
        }
        let looked_into: Vec<bool> = self.chunks.iter().map(|c| c.visible() > 0).collect();
        let mut ends: Vec<i64> = self.in_sight().map(|c| self.observed(c, c.end() - 1)).collect();
        ends.sort_unstable();
        let beyond = ends.partition_point(|&moment| self.recorded_until(moment) <= excess);
        let mut left = excess;
        if let Some(&moment) = beyond.checked_sub(1).and_then(|i| ends.get(i)) {
            for i in 0..self.chunks.len() {
                let from = self.first_after(&self.chunks[i], moment);
                left = left.saturating_sub(from - self.chunks[i].visible_from);
                self.chunks[i].visible_from = from;
            }
        }
        self.hide_oldest(left);
        self.chunks
            .iter()
            .zip(looked_into)
            .all(|(c, looked_into)| !looked_into || self.is_intact(c))
    }

    /// Hides so many from the beginning: the oldest, where all are of one lane. Reads no entry.
    fn hide_first(&mut self, mut excess: u64) {
        for c in &mut self.chunks {
            let hidden = excess.min(c.visible());
            c.visible_from += hidden;
            excess -= hidden;
        }
    }

    fn in_sight(&self) -> impl Iterator<Item = &ChunkInfo> {
        self.chunks.iter().filter(|c| c.visible() > 0)
    }

    /// Entries in sight that were recorded at or before a moment.
    fn recorded_until(&self, moment: i64) -> u64 {
        self.in_sight().map(|c| self.first_after(c, moment) - c.visible_from).sum()
    }

    /// The first entry in sight of a chunk that was recorded after a moment, or its end.
    fn first_after(&self, info: &ChunkInfo, moment: i64) -> u64 {
        let (mut from, mut to) = (info.visible_from, info.end());
        // Mostly all or none of a chunk.
        if from == to || self.observed(info, to - 1) <= moment {
            return to;
        }
        while from < to {
            let middle = from + (to - from) / 2;
            if self.observed(info, middle) <= moment {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Hides the oldest entries one by one. Entries recorded in the same moment go by which chunk was
    /// opened first.
    fn hide_oldest(&mut self, mut excess: u64) {
        // The oldest chunk in sight of each lane; chunks are sorted by lane and ordinal.
        let next_in_sight = |chunks: &[ChunkInfo], from: usize, lane: usize| {
            (from..chunks.len())
                .take_while(|&i| chunks[i].lane == lane)
                .find(|&i| chunks[i].visible() > 0)
        };
        let mut heads = BinaryHeap::new();
        let mut lane = usize::MAX;
        for i in 0..self.chunks.len() {
            if self.chunks[i].lane != lane {
                lane = self.chunks[i].lane;
                if let Some(head) = next_in_sight(&self.chunks, i, lane) {
                    heads.push(Reverse(self.age(head)));
                }
            }
        }
        while let (1.., Some(Reverse((.., head)))) = (excess, heads.pop()) {
            self.chunks[head].visible_from += 1;
            excess -= 1;
            let lane = self.chunks[head].lane;
            if let Some(head) = next_in_sight(&self.chunks, head, lane) {
                heads.push(Reverse(self.age(head)));
            }
        }
    }

    /// What the oldest entry in sight of a chunk is ordered by.
    fn age(&self, chunk: usize) -> (i64, u64, usize) {
        let info = &self.chunks[chunk];
        (self.observed(info, info.visible_from), info.opened(), chunk)
    }

    /// Adds up what [`RingStats`] says of entries.
    pub(super) fn count_into(&self, stats: &mut RingStats) {
        let mut copy = ChunkCopy::default();
        for info in self.chunks.iter().filter(|c| c.visible() > 0) {
            let (oldest, newest);
            if info.whole() {
                for (sum, n) in stats.levels.iter_mut().zip(info.levels) {
                    *sum += u64::from(n);
                }
                stats.entries += info.count;
                (oldest, newest) = (info.time_min, info.time_max);
            } else if self.load(info, &mut copy) {
                for slot in &copy.slots {
                    stats.levels[usize::from(slot.level.index())] += 1;
                }
                stats.entries += copy.slots.len() as u64;
                let times = copy.slots.iter().map(|s| s.time);
                (oldest, newest) =
                    (times.clone().min().unwrap_or(info.time_min), times.max().unwrap_or_default());
            } else {
                continue;
            }
            stats.bytes += self.bytes_used(info);
            stats.oldest = Some(stats.oldest.map_or(oldest, |t| t.min(oldest)));
            stats.newest = Some(stats.newest.map_or(newest, |t| t.max(newest)));
        }
    }

    /// Whether an entry was there and has been pushed out: recorded before this snapshot, not cleared,
    /// and not in sight. O(log chunks).
    pub(super) fn has_lost(&self, seq: Seq) -> bool {
        let (lane, ordinal) = (seq.lane(), seq.ordinal());
        let recorded = self.end.0.get(lane).is_some_and(|end| ordinal < *end);
        let cleared = self.cleared.get(lane).is_some_and(|floor| ordinal < *floor);
        if !recorded || cleared {
            return false;
        }
        let after = self.chunks.partition_point(|c| (c.lane, c.first) <= (lane, ordinal));
        let holds = |c: &ChunkInfo| c.lane == lane && (c.visible_from..c.end()).contains(&ordinal);
        !after.checked_sub(1).is_some_and(|i| holds(&self.chunks[i]))
    }

    fn bytes_used(&self, info: &ChunkInfo) -> u64 {
        let records = self.ring.region.get(self.ring.geometry.control(info.index) + chunk::BYTES);
        let all = records.saturating_add(info.count * (SLOT_WORDS as u64) * 8);
        // In proportion, where only some are in sight.
        all / info.count.max(1) * info.visible()
    }
}
