//! The writing half: taking a lane, copying into its chunk, taking chunks.
//!
//! Locks here are words that are tried, never waited for. Who holds a lane may try for another lane
//! (to close its chunk) and for the allocator; who holds the allocator may try for lanes. Since
//! nobody waits, no order of taking them can deadlock.

use std::{cell::Cell, sync::atomic::AtomicUsize, time::Duration};

use super::{
    Ring, Seq,
    layout::{Kind, RECORD_WORDS_LEAST, SLOT_WORDS, State, chunk, header, lane},
    sync::{AtomicU64, Ordering, fence, spin_loop, thread_local, yield_now},
};
use crate::{Level, Timestamp};

/// Slot flag: the record lies in this chunk only in part; see [`Ring::store_split`].
pub(super) const FLAG_SPLIT: u64 = 1;
/// Slot flag: the entry was cut.
pub(super) const FLAG_TRUNCATED: u64 = 2;

/// Rounds over all lanes before an entry is dropped. After the first few a round begins with a yield,
/// and after more with a short sleep, which lets those run who hold the lanes: on a machine so busy the
/// system would put this thread to sleep anyway. In all about a tenth of a second.
const ROUNDS_MAX: usize = 1100;
const ROUNDS_WITHOUT_YIELD: usize = if cfg!(all(loom, test)) { 1 } else { 8 };
const ROUNDS_WITHOUT_SLEEP: usize = 100;
const SLEEP: Duration = Duration::from_micros(50);

thread_local! {
    /// The buffer a record is put together in. Taken while in use, so that logging within logging
    /// finds an empty one.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// The lane this thread used last, in any ring.
    pub(super) static LANE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// A buffer that grew beyond this for one entry is given back, not kept by its thread for ever.
const SCRATCH_KEPT_BYTES: usize = 64 << 10;

/// What a buffer begins with.
const SCRATCH_LEAST_BYTES: usize = 4 << 10;

pub(super) fn with_scratch<R>(f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    // While a thread ends its locals may be gone already; logging still works then.
    let mut buf = SCRATCH.try_with(Cell::take).unwrap_or_default();
    if buf.capacity() == 0 {
        // Not small: a small block may be one that another thread's allocator handed to this one, next
        // to that thread's own buffer, and two buffers in one cache line cost both threads half
        // their speed (measured: 26 or 70 ns a push, as the addresses fell).
        buf.reserve(SCRATCH_LEAST_BYTES);
    }
    let result = f(&mut buf);
    if buf.capacity() <= SCRATCH_KEPT_BYTES {
        let _ = SCRATCH.try_with(|scratch| scratch.set(buf));
    }
    result
}

fn own_lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    LANE.try_with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        own.get()
    })
    .unwrap_or(0)
}

/// A lock word that was taken; freed on drop.
#[derive(Debug)]
pub(super) struct Held<'r>(&'r AtomicU64);

impl<'r> Held<'r> {
    #[inline]
    fn try_take(word: &'r AtomicU64) -> Option<Self> {
        // A look first keeps a busy line shared.
        (word.load(Ordering::Relaxed) == 0
            && word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok())
        // Not `then_some`: a `Held` made and dropped would free another's lock.
        .then(|| Self(word))
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

/// Why a lane could not take an entry.
struct NoChunk;

impl Ring {
    /// Only one `clear` at a time, so that each counts what it removed. Waits for the other.
    pub(super) fn lock_clear(&self) -> Held<'_> {
        loop {
            if let Some(held) = Held::try_take(self.region.at(header::CLEAR_LOCK)) {
                return held;
            }
            self.free_locks_after_fork();
            yield_now();
        }
    }

    /// In a forked child, frees the locks of a ring in memory that threads of the parent held: they
    /// are not there to free them. Asked only by who finds nothing free. (A ring in a file is shared
    /// with the parent, whose threads do free theirs.)
    #[cold]
    fn free_locks_after_fork(&self) {
        let own = std::process::id();
        let made_by = self.process.load(Ordering::Relaxed);
        let is_first = made_by != own
            && self.file.is_none()
            && self
                .process
                .compare_exchange(made_by, own, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        if is_first {
            for index in 0..self.geometry.lanes {
                self.region.at(self.geometry.lane(index) + lane::LOCK).store(0, Ordering::Release);
            }
            for word in [header::ALLOC_LOCK, header::CLEAR_LOCK] {
                self.region.at(word).store(0, Ordering::Release);
            }
        }
    }

    pub(super) fn push_record(
        &self,
        timestamp: Timestamp,
        observed: Timestamp,
        level: Level,
        record: &[u8],
        truncated: bool,
    ) -> Option<Seq> {
        if !self.region.writable() {
            return None;
        }
        let seq = self.push_slot([timestamp, observed], level, record, truncated, 0)?;
        if let (Some(errors), true) = (&self.errors, level >= Level::Warning) {
            // Errors are few; an entry that is not kept is still in this ring.
            let _ =
                errors.push_slot([timestamp, observed], level, record, truncated, seq.raw() + 1);
        }
        Some(seq)
    }

    /// Records into this ring alone. `original` is the entry that this is a copy of, as a slot has it.
    fn push_slot(
        &self,
        [timestamp, observed]: [Timestamp; 2],
        level: Level,
        record: &[u8],
        truncated: bool,
        original: u64,
    ) -> Option<Seq> {
        if truncated {
            self.region.at(header::TRUNCATED).fetch_add(1, Ordering::Relaxed);
        }
        let lanes = self.geometry.lanes;
        let first = own_lane() % lanes;
        let flags = if truncated { FLAG_TRUNCATED } else { 0 };
        for round in 0..ROUNDS_MAX {
            if round == ROUNDS_WITHOUT_YIELD {
                self.free_locks_after_fork();
            }
            match round {
                ..ROUNDS_WITHOUT_YIELD => {}
                ROUNDS_WITHOUT_YIELD..ROUNDS_WITHOUT_SLEEP => yield_now(),
                _ => std::thread::sleep(SLEEP),
            }
            for step in 0..lanes {
                let index = (first + step) % lanes;
                let control = self.geometry.lane(index);
                let Some(held) = Held::try_take(self.region.at(control + lane::LOCK)) else {
                    continue;
                };
                // Another thread may have prepared the lane's chunk. A reader that sees what is stored
                // below must see that the chunk's state changed before, though it was not this thread
                // that changed it: the second half of the fence in `prepare`.
                fence(Ordering::Release);
                let slot = [timestamp.0.cast_unsigned(), observed.0.cast_unsigned()];
                let meta = u64::from(level.index()) | flags << 8 | original << 16;
                if let Ok(seq) = self.push_into(index, slot, meta, record) {
                    drop(held);
                    if step > 0 {
                        // The own lane was busy or full: two threads shared it. Move out.
                        let _ = LANE.try_with(|own| own.set(index));
                    }
                    return Some(seq);
                }
            }
        }
        self.region.at(header::DROPPED).fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Writes into a lane that the caller holds.
    #[inline]
    fn push_into(
        &self,
        index: usize,
        [time, observed]: [u64; 2],
        meta: u64,
        record: &[u8],
    ) -> Result<Seq, NoChunk> {
        let words = record.len().div_ceil(8).max(RECORD_WORDS_LEAST);
        if words > self.geometry.inline_words_max() {
            return self.store_split(index, [time, observed], meta, record);
        }
        let target = self.chunk_with_room(index, words)?;
        Ok(self.store(index, target, [time, observed], meta, record, record.len() as u64))
    }

    /// The lane's open chunk if the record fits, or else a new one.
    #[inline]
    fn chunk_with_room(&self, index: usize, words: usize) -> Result<usize, NoChunk> {
        let control = self.geometry.lane(index);
        let current = self.region.get(control + lane::CURRENT);
        if let Some(open) = (current as usize).checked_sub(1) {
            let at = self.geometry.control(open);
            let slots_end = (self.region.get(at + chunk::COUNT) as usize + 1) * SLOT_WORDS;
            if slots_end + words <= self.region.get(at + chunk::TAIL) as usize && !self.is_stale(at)
            {
                return Ok(open);
            }
        }
        let taken = self.take_chunk(index, Kind::Entries).ok_or(NoChunk)?;
        self.region.set(control + lane::CURRENT, taken as u64 + 1);
        Ok(taken)
    }

    /// Whether a chunk was opened so long ago that it is among the older half: a lane that is
    /// seldom used would else see its latest entry go with its earliest.
    #[inline]
    fn is_stale(&self, control: usize) -> bool {
        let opened = State(self.region.get(control + chunk::STATE)).allocation();
        let age = self.region.get(header::ALLOCATIONS).saturating_sub(opened);
        age > self.geometry.chunks as u64 / 2
    }

    /// Copies a record into a chunk with room for it and publishes it.
    #[inline]
    fn store(
        &self,
        index: usize,
        target: usize,
        [time, observed]: [u64; 2],
        meta: u64,
        record: &[u8],
        whole_len: u64,
    ) -> Seq {
        let region = &self.region;
        let (lane_at, at) = (self.geometry.lane(index), self.geometry.control(target));
        let data = self.geometry.data(target);
        let count = region.get(at + chunk::COUNT);
        let words = record.len().div_ceil(8).max(RECORD_WORDS_LEAST);
        let tail = region.get(at + chunk::TAIL) as usize - words;
        region.write(data + tail, record);

        // Order within a lane is the order of its entries, whatever the clock does.
        let before = region.get(lane_at + lane::OBSERVED).cast_signed();
        let observed = observed.cast_signed().max(before);
        region.set(lane_at + lane::OBSERVED, observed.cast_unsigned());
        let slot = data + count as usize * SLOT_WORDS;
        region.set(slot, time);
        region.set(slot + 1, observed.cast_unsigned());
        region.set(slot + 2, tail as u64 | (record.len() as u64) << 32);
        region.set(slot + 3, meta);

        let time = time.cast_signed();
        if time < region.get(at + chunk::TIME_MIN).cast_signed() {
            region.set(at + chunk::TIME_MIN, time.cast_unsigned());
        }
        if time > region.get(at + chunk::TIME_MAX).cast_signed() {
            region.set(at + chunk::TIME_MAX, time.cast_unsigned());
        }
        let level = (meta & 0xff) as usize;
        let levels = at + chunk::LEVELS + level / 2;
        region.set(levels, region.get(levels) + (1 << (32 * (level % 2))));
        region.set(at + chunk::BYTES, region.get(at + chunk::BYTES) + whole_len);
        region.set(at + chunk::TAIL, tail as u64);
        let ordinal = region.get(lane_at + lane::NEXT);
        // Publishes all of the above to a reader that loads the count with acquire.
        region.at(at + chunk::COUNT).store(count + 1, Ordering::Release);
        // After the count: a reader that loads this with acquire finds the entry in its chunk, or the
        // chunk reused.
        region.at(lane_at + lane::NEXT).store(ordinal + 1, Ordering::Release);
        Seq::new(index, ordinal)
    }

    /// Stores an entry that no chunk holds whole: its rest goes to chunks of its own, and its slot's
    /// record begins with where those are.
    ///
    /// ```text
    /// u64 length of the record · u64 number of rests · (u64 chunk, u64 state) each · first bytes
    /// ```
    ///
    /// When a rest has been reused by the time it is read, the entry reads as cut there.
    fn store_split(
        &self,
        index: usize,
        slot: [u64; 2],
        meta: u64,
        record: &[u8],
    ) -> Result<Seq, NoChunk> {
        let rest_bytes = self.geometry.chunk_words * 8;
        let head_most = self.geometry.inline_words_max() * 8 / 2;
        let rests = (record.len() - head_most).div_ceil(rest_bytes);
        let (head, rest) = record.split_at(head_most);
        let mut stored = Vec::with_capacity(16 * (rests + 1) + head.len());
        stored.extend_from_slice(&(record.len() as u64).to_le_bytes());
        stored.extend_from_slice(&(rests as u64).to_le_bytes());
        // The chunk of the slot comes first, so that it is reused before its rests.
        let words = (stored.len() + 16 * rests + head.len()).div_ceil(8);
        let target = self.chunk_with_room(index, words)?;
        for part in rest.chunks(rest_bytes) {
            let taken = self.take_chunk(index, Kind::Rest).ok_or(NoChunk)?;
            self.region.write(self.geometry.data(taken), part);
            let state = self.region.get(self.geometry.control(taken) + chunk::STATE);
            stored.extend_from_slice(&(taken as u64).to_le_bytes());
            stored.extend_from_slice(&state.to_le_bytes());
        }
        stored.extend_from_slice(head);
        let splits = self.geometry.control(target) + chunk::SPLIT;
        self.region.set(splits, self.region.get(splits) + 1);
        // The lane is held, so nobody else closed or filled its chunk meanwhile.
        Ok(self.store(index, target, slot, meta | FLAG_SPLIT << 8, &stored, record.len() as u64))
    }

    /// Takes a chunk for a lane that the caller holds; for `Entries` the lane's open chunk, if any,
    /// is closed first. `None` when another writer is taking one and stays at it.
    #[cold]
    fn take_chunk(&self, index: usize, kind: Kind) -> Option<usize> {
        const TRIES: usize = 64;
        let lock = self.region.at(header::ALLOC_LOCK);
        let _held = (0..TRIES).find_map(|_| {
            Held::try_take(lock).or_else(|| {
                spin_loop();
                None
            })
        })?;
        let lane_at = self.geometry.lane(index);
        if kind == Kind::Entries
            && let Some(open) = (self.region.get(lane_at + lane::CURRENT) as usize).checked_sub(1)
        {
            self.close(open);
            self.region.set(lane_at + lane::CURRENT, 0);
        }
        let taken = self.next_chunk(index)?;
        let head = self.region.get(header::QUEUE_HEAD);
        self.region.set(self.queue_at(head), taken as u64);
        self.region.set(header::QUEUE_HEAD, head + 1);
        self.prepare(taken, index, kind);
        Some(taken)
    }

    /// Which chunk to use next, taken off the queue. The caller holds the allocator.
    fn next_chunk(&self, index: usize) -> Option<usize> {
        let region = &self.region;
        let fresh = region.get(header::FRESH);
        let (head, tail) = (region.get(header::QUEUE_HEAD), region.get(header::QUEUE_TAIL));
        if fresh < self.geometry.chunks as u64 {
            // Reuse memory that is touched already where no entry in sight is lost by it.
            let lossless = tail < head && {
                let oldest = region.get(self.queue_at(tail)) as usize;
                self.try_close(oldest, index) && self.is_out_of_sight(oldest)
            };
            if !lossless {
                region.set(header::FRESH, fresh + 1);
                return Some(fresh as usize);
            }
        }
        // Of the chunks out of sight, rather one that this lane filled: its lines are in the cache
        // of the processor that runs it.
        for position in tail + 1..head.min(tail + 16) {
            let candidate = region.get(self.queue_at(tail)) as usize;
            if State(region.get(self.geometry.control(candidate) + chunk::STATE)).lane() == index {
                break;
            }
            let other = region.get(self.queue_at(position)) as usize;
            let at = self.geometry.control(other);
            if State(region.get(at + chunk::STATE)).lane() == index
                && region.get(at + chunk::CLOSED) != 0
                && self.is_out_of_sight(other)
            {
                region.set(self.queue_at(tail), other as u64);
                region.set(self.queue_at(position), candidate as u64);
                break;
            }
        }
        for position in tail..head {
            let oldest = region.get(self.queue_at(position)) as usize;
            region.set(header::QUEUE_TAIL, position + 1);
            if self.try_close(oldest, index) {
                return Some(oldest);
            }
            // A writer is in it at this moment: to the end of the queue with it.
            let head = region.get(header::QUEUE_HEAD);
            region.set(self.queue_at(head), oldest as u64);
            region.set(header::QUEUE_HEAD, head + 1);
        }
        None
    }

    const fn queue_at(&self, position: u64) -> usize {
        self.geometry.queue() + (position % self.geometry.chunks as u64) as usize
    }

    /// Whether nobody writes into a chunk any more, closing it if its lane is free. The caller holds
    /// the allocator and the lane `own`.
    ///
    /// A closed chunk of entries is written by nobody. The rest of a large entry is closed from the
    /// start and written afterwards, by whoever holds its lane: it may be taken once that lane could
    /// be. One's own are past entries' (or this one's, which then reads as cut there).
    fn try_close(&self, target: usize, own: usize) -> bool {
        let at = self.geometry.control(target);
        let state = State(self.region.get(at + chunk::STATE));
        let lane_at = self.geometry.lane(state.lane());
        if self.region.get(at + chunk::CLOSED) != 0 {
            return !state.is(Kind::Rest)
                || state.lane() == own
                || Held::try_take(self.region.at(lane_at + lane::LOCK)).is_some();
        }
        let Some(_held) = Held::try_take(self.region.at(lane_at + lane::LOCK)) else {
            return false;
        };
        self.region.set(lane_at + lane::CURRENT, 0);
        self.close(target);
        true
    }

    /// Notes how many entries had been recorded in closed chunks once this one was. The caller holds
    /// the allocator and the chunk's lane.
    fn close(&self, target: usize) {
        let at = self.geometry.control(target);
        if self.region.get(at + chunk::CLOSED) == 0 {
            let total = self.region.get(header::CLOSED_TOTAL) + self.region.get(at + chunk::COUNT);
            self.region.set(header::CLOSED_TOTAL, total);
            self.region.set(at + chunk::CLOSED, total + 1);
        }
    }

    /// Whether at least `max_entries` newer entries exist than any of a closed chunk. Errs on the
    /// side of no: entries of chunks that were open at the same time are not counted as newer.
    fn is_out_of_sight(&self, target: usize) -> bool {
        let at = self.geometry.control(target);
        let since = self.region.get(header::CLOSED_TOTAL) + 1 - self.region.get(at + chunk::CLOSED);
        let is_rest = State(self.region.get(at + chunk::STATE)).is(Kind::Rest);
        let lanes_in_use = self.region.get(header::LANES_IN_USE).min(self.geometry.lanes as u64);
        let overlapping = lanes_in_use.saturating_sub(1) + u64::from(is_rest);
        since >= self.geometry.max_entries + overlapping * self.geometry.entries_per_chunk_max()
    }

    /// Makes a chunk empty and a lane's. The caller holds the allocator and the lane.
    fn prepare(&self, target: usize, index: usize, kind: Kind) {
        let region = &self.region;
        let (lane_at, at) = (self.geometry.lane(index), self.geometry.control(target));
        let allocation = region.get(header::ALLOCATIONS) + 1;
        region.set(header::ALLOCATIONS, allocation);
        // A reader that sees any later write to this chunk also sees that its state changed.
        region.set(at + chunk::STATE, State::new(allocation, Kind::Free, index).0);
        fence(Ordering::Release);
        region.set(at + chunk::FIRST, region.get(lane_at + lane::NEXT));
        if region.get(lane_at + lane::NEXT) == 0 {
            // May count a lane twice, which errs on the safe side.
            region.set(header::LANES_IN_USE, region.get(header::LANES_IN_USE) + 1);
        }
        region.set(at + chunk::COUNT, 0);
        region.set(at + chunk::BYTES, 0);
        region.set(at + chunk::SPLIT, 0);
        region.set(at + chunk::TAIL, self.geometry.chunk_words as u64);
        region.set(at + chunk::TIME_MIN, i64::MAX.cast_unsigned());
        region.set(at + chunk::TIME_MAX, i64::MIN.cast_unsigned());
        for word in 0..3 {
            region.set(at + chunk::LEVELS + word, 0);
        }
        let closed = if kind == Kind::Rest { region.get(header::CLOSED_TOTAL) + 1 } else { 0 };
        region.set(at + chunk::CLOSED, closed);
        // Lanes keep step when the clock was set back: none goes on below what another has used.
        let observed = region
            .get(lane_at + lane::OBSERVED)
            .cast_signed()
            .max(region.get(header::OBSERVED_MAX).cast_signed());
        region.set(header::OBSERVED_MAX, observed.cast_unsigned());
        region.set(lane_at + lane::OBSERVED, observed.cast_unsigned());
        region
            .at(at + chunk::STATE)
            .store(State::new(allocation, kind, index).0, Ordering::Release);
    }
}
