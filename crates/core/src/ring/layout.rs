//! Where everything lies in a ring's region, in 64-bit words. The same for memory and for a file.
//!
//! ```text
//! words                what
//! 0 .. 512             header: what never changes, then words that writers share, a line each
//! 512 .. +16 a lane    lane control: lock, current chunk, ordinals, floor
//!     .. +16 a chunk   chunk control: state, counts, times
//!     .. + 1 a chunk   queue: chunk numbers in the order they were taken
//!     .. chunk_words   data of each chunk: slots grow up from its start, records down from its end
//! ```
//!
//! A control block is 16 words, 128 bytes: two cache lines, since processors fetch lines in pairs.
//!
//! ```text
//! slot, 4 words:   0  time, ns since the epoch (i64)
//!                  1  observed, ns since the epoch (i64); never falls within a lane
//!                  2  low 32 bits: where the record starts, in words from the chunk's start;
//!                     high 32 bits: its length in bytes
//!                  3  bits 0..8 level, 8..16 flags; 16..64 of a kept error: its seq in the ring that it
//!                     is kept for, plus one
//! ```

/// First word of a region: `logrec`, readable in a hex dump, and the version of all that is told here and in
/// `record`.
pub(super) const MAGIC: u64 =
    u64::from_le_bytes([b'l', b'o', b'g', b'r', b'e', b'c', 0, crate::record::VERSION]);

/// Whether a word that is not [`MAGIC`] is that of another version.
pub(super) const fn is_other_version(word: u64) -> bool {
    const VERSION: u64 = 0xff << 56;
    word & !VERSION == MAGIC & !VERSION
}

/// Read back as anything else, it was written by a machine of the other byte order.
pub(super) const BYTE_ORDER: u64 = 0x0102_0304_0506_0708;

/// Few where loom checks the ring, which keeps a history of each word.
pub(super) const HEADER_WORDS: usize = if cfg!(all(loom, test)) { 96 } else { 512 };
pub(super) const CONTROL_WORDS: usize = 16;
pub(super) const SLOT_WORDS: usize = 4;
/// What a record takes at the least, so that there is a bound to how many a chunk holds.
pub(super) const RECORD_WORDS_LEAST: usize = 3;

/// Words of the header.
pub(super) mod header {
    pub(in crate::ring) const MAGIC: usize = 0;
    pub(in crate::ring) const RING_ID: usize = 1;
    pub(in crate::ring) const MAX_ENTRIES: usize = 2;
    pub(in crate::ring) const LANES: usize = 3;
    pub(in crate::ring) const CHUNKS: usize = 4;
    pub(in crate::ring) const CHUNK_WORDS: usize = 5;
    /// [`BYTE_ORDER`](super::BYTE_ORDER) as this machine stores it.
    pub(in crate::ring) const BYTE_ORDER: usize = 6;
    pub(in crate::ring) const MAX_ENTRY_BYTES: usize = 7;
    /// The recording process, and when it made the ring, ns since the epoch.
    pub(in crate::ring) const PROCESS: usize = 8;
    pub(in crate::ring) const STARTED: usize = 9;
    /// Two words that differ from one start of the machine to the next; 0 where that is not known.
    pub(in crate::ring) const BOOT_ID: usize = 10;
    /// When the recording was ended in good order, ns since the epoch; 0 until then.
    pub(in crate::ring) const ENDED: usize = 12;
    /// Where the region of kept errors begins, in words; 0 where none are kept.
    pub(in crate::ring) const ERRORS_AT: usize = 13;
    /// Length of the service's name in bytes, and the name in the words after it.
    pub(in crate::ring) const SERVICE_LEN: usize = 15;
    pub(in crate::ring) const SERVICE: usize = 16;
    pub(in crate::ring) const SERVICE_BYTES_MAX: usize = 128;

    /// Lock of the allocator: held by a writer while it takes a chunk, never by a reader.
    pub(in crate::ring) const ALLOC_LOCK: usize = 32;
    /// Chunks that were ever used; those from here on are untouched memory.
    pub(in crate::ring) const FRESH: usize = 33;
    /// Positions of the queue of chunks; both only grow.
    pub(in crate::ring) const QUEUE_HEAD: usize = 34;
    pub(in crate::ring) const QUEUE_TAIL: usize = 35;
    /// Entries in all chunks closed so far.
    pub(in crate::ring) const CLOSED_TOTAL: usize = 36;
    /// The latest `observed` any lane had when it took a chunk.
    pub(in crate::ring) const OBSERVED_MAX: usize = 37;

    /// Lanes that ever took a chunk.
    pub(in crate::ring) const LANES_IN_USE: usize = 38;

    /// How often a chunk was taken. Read by every push, written once a chunk.
    pub(in crate::ring) const ALLOCATIONS: usize = 64;

    /// Entries that found every lane busy for too long. Rare.
    pub(in crate::ring) const DROPPED: usize = 80;
    pub(in crate::ring) const TRUNCATED: usize = 81;
    /// Lock of `clear`.
    pub(in crate::ring) const CLEAR_LOCK: usize = 82;
}

/// Words of a lane's control block.
pub(super) mod lane {
    /// 0 free, 1 held by the writer that is pushing.
    pub(in crate::ring) const LOCK: usize = 0;
    /// The open chunk plus one; 0 is none. Only touched under the lock.
    pub(in crate::ring) const CURRENT: usize = 1;
    pub(in crate::ring) const OBSERVED: usize = 2;
    /// Ordinal of the lane's next entry: how many it ever took.
    pub(in crate::ring) const NEXT: usize = 3;
    /// Entries below this ordinal were cleared.
    pub(in crate::ring) const FLOOR: usize = 4;
}

/// Words of a chunk's control block.
pub(super) mod chunk {
    /// See [`State`](super::State).
    pub(in crate::ring) const STATE: usize = 0;
    /// Ordinal, in its lane, of the chunk's first entry.
    pub(in crate::ring) const FIRST: usize = 1;
    /// Entries published. Stored with release after everything else of an entry.
    pub(in crate::ring) const COUNT: usize = 2;
    /// Word where the lowest record starts.
    pub(in crate::ring) const TAIL: usize = 3;
    pub(in crate::ring) const TIME_MIN: usize = 4;
    pub(in crate::ring) const TIME_MAX: usize = 5;
    /// Entries of each level: six 32-bit counts in three words.
    pub(in crate::ring) const LEVELS: usize = 7;
    /// 0 while open; then one more than the `CLOSED_TOTAL` that included it.
    pub(in crate::ring) const CLOSED: usize = 10;
    /// Sum of the lengths of its records, what lies in other chunks included.
    pub(in crate::ring) const BYTES: usize = 11;
    /// Entries of which a part lies in other chunks.
    pub(in crate::ring) const SPLIT: usize = 12;
}

/// A chunk's state word: which taking this is (48 bits), what for (8), and whose (8).
///
/// It changes before anything else of the chunk does, so a reader that finds it unchanged after
/// copying knows that what it copied was not being reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub(super) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Being handed from one use to the next.
    Free = 0,
    /// Holds slots and records of a lane.
    Entries = 1,
    /// Holds the rest of one large entry.
    Rest = 2,
}

impl State {
    pub(super) const fn new(allocation: u64, kind: Kind, lane: usize) -> Self {
        Self(allocation << 16 | (kind as u64) << 8 | lane as u64 & 0xff)
    }

    pub(super) const fn allocation(self) -> u64 {
        self.0 >> 16
    }

    pub(super) const fn is(self, kind: Kind) -> bool {
        self.0 >> 8 & 0xff == kind as u64
    }

    pub(super) const fn lane(self) -> usize {
        (self.0 & 0xff) as usize
    }
}

/// The measures of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) max_entries: u64,
    pub(super) lanes: usize,
    pub(super) chunks: usize,
    pub(super) chunk_words: usize,
}

impl Geometry {
    /// Chunks of 32 kB, or of 64 kB for a ring above 64 MB: small ones waste less; taking one costs some
    /// 1.5 µs while two processors do, and large ones scan faster. Lanes: four a processor, 8 to 32, so
    /// that threads put to sleep while they hold one leave some to the others. At least two chunks a lane
    /// and 8 besides.
    pub(super) fn new(max_entries: u64, max_bytes: usize, processors: usize) -> Self {
        const MIB: usize = 1 << 20;
        let chunk_bytes: usize = if max_bytes > 64 * MIB { 64 << 10 } else { 32 << 10 };
        let lanes = (processors * 4).next_power_of_two().clamp(8, 32);
        let chunk_words = chunk_bytes / 8;
        let fixed = HEADER_WORDS + lanes * CONTROL_WORDS;
        let per_chunk = chunk_words + CONTROL_WORDS + 1;
        let chunks = ((max_bytes / 8).saturating_sub(fixed) / per_chunk).max(2 * lanes + 8);
        Self { max_entries, lanes, chunks, chunk_words }
    }

    /// What a header says, if a region of `words` can be of that measure. Trusts nothing.
    pub(super) fn of_header(word: impl Fn(usize) -> u64, words: usize) -> Option<Self> {
        let small = |at: usize, least: u64, most: u64| {
            let value = word(at);
            (least..=most).contains(&value).then_some(value as usize)
        };
        let found = Self {
            max_entries: word(header::MAX_ENTRIES).clamp(1, 1 << 40),
            lanes: small(header::LANES, 1, 32)?,
            chunks: small(header::CHUNKS, 1, words as u64)?,
            chunk_words: small(header::CHUNK_WORDS, 64, 1 << 24)?,
        };
        // Below 2^24 by 2^40 nothing here overflows.
        (words < 1 << 40 && found.words() <= words).then_some(found)
    }

    pub(super) const fn words(&self) -> usize {
        self.data(self.chunks)
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours, which need it")]
    pub(super) const fn lane(&self, lane: usize) -> usize {
        HEADER_WORDS + lane * CONTROL_WORDS
    }

    pub(super) const fn control(&self, chunk: usize) -> usize {
        self.lane(self.lanes) + chunk * CONTROL_WORDS
    }

    pub(super) const fn queue(&self) -> usize {
        self.control(self.chunks)
    }

    pub(super) const fn data(&self, chunk: usize) -> usize {
        self.queue() + self.chunks + chunk * self.chunk_words
    }

    /// The most words a record may take and still lie whole in a chunk.
    pub(super) const fn inline_words_max(&self) -> usize {
        self.chunk_words - SLOT_WORDS
    }

    /// No chunk holds more entries than this.
    pub(super) const fn entries_per_chunk_max(&self) -> u64 {
        (self.chunk_words / (SLOT_WORDS + RECORD_WORDS_LEAST)) as u64
    }
}
