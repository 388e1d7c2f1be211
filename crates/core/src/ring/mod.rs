//! The ring: the recorder's memory, bounded in entries and in bytes, written by many threads at once.
//!
//! # How it works
//!
//! A ring is a set of **lanes** over one pool of **chunks**, as the per-CPU buffers of LTTng, ftrace
//! and perf. A writer takes a lane that is free (one compare-and-swap, on a cache line its thread has
//! to itself as a rule), copies its entry into the lane's open chunk, publishes it by storing the
//! chunk's count with release, and frees the lane. Two threads on two lanes share no cache line that
//! either writes. A lane that is busy is passed over for the next, so nobody waits for a thread that
//! was put to sleep in mid-copy, and such a thread harms nothing when it wakes: its chunk cannot be
//! taken while its lane is held.
//!
//! Why not one ring with a shared counter, the obvious design: on two cores a single contended
//! `fetch_add` brought two threads to 0.2 times the throughput of one; lanes bring them to 1.7
//! (docs/benchmarks.md).
//!
//! When a chunk is full the lane takes another: one whose entries all lie beyond `max_entries`, or
//! fresh memory, or the oldest. This is the only lock that writers share, held for some 50 ns once
//! in about a hundred entries, and tried: a writer that does not get it uses a lane that still has room.
//! Only when every lane is held, by threads that the system put to sleep in mid-copy, does a writer yield
//! and then sleep, for a tenth of a second at the most; then it drops its entry and counts it.
//!
//! Readers ([`Snapshot`]) take no lock. They read a chunk's state, copy, and read the state again
//! (the seqlock rule): if it changed, the chunk was reused meanwhile and the copy is thrown away.
//!
//! # Names and order
//!
//! Each lane numbers its entries from 0 without a gap; lane and number make a [`Seq`], which is never
//! used again. A reader that remembers a number a lane knows exactly what is new and how many entries
//! it missed. Across lanes entries are ordered by when they were recorded (`observed`).
//!
//! # Bounds
//!
//! `max_entries` is exact: readers see the newest that many. Bytes are bounded by the region, all of
//! it reserved when the ring is made; memory that a small load never needs is never touched.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words that become usize are positions within the region, which a usize can address"
)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a ring's words are 64 bits wide: build logrec for a 64-bit target");

mod exit;
mod file;
mod kept;
mod layout;
mod read;
mod region;
mod sync;
mod write;

use std::{fmt, sync::atomic::AtomicU32};

use layout::{BYTE_ORDER, Geometry, MAGIC, header, lane};
use region::Region;

pub use file::{CreateError, End, Folder, OpenError, Recording};
pub(crate) use kept::Kept;
pub use read::{ChunkCopy, ChunkInfo, Slot, Snapshot};

use crate::{Entry, Level, Timestamp, record::RecordWriter};

/// Entries a ring holds unless told otherwise.
pub const DEFAULT_MAX_ENTRIES: usize = 2000;
/// Bytes a ring may take unless told otherwise.
pub const DEFAULT_MAX_BYTES: usize = 4 << 20;

/// How large a ring is.
#[derive(Clone, Copy, Debug)]
pub struct RingOptions {
    /// Most entries kept, at least 1. Default 2000.
    pub max_entries: usize,
    /// Most bytes of memory, control blocks included. Default: 4 MiB, or 1 kB an entry where that is
    /// more. A ring is never smaller than its lanes need (about 800 kB on two processors).
    pub max_bytes: usize,
    /// Largest entry in bytes; a larger one is cut at a character and marked. Default 256 kB.
    pub max_entry_bytes: usize,
    /// So many of the newest entries of level WARNING and above are kept besides, in memory of their
    /// own (1 kB each, at least 800 kB), so that a flood of DEBUG does not push the one ERROR out before
    /// anyone looked. Default 0: none.
    pub keep_errors: usize,
}

impl RingOptions {
    /// The defaults for a ring of this many entries.
    #[must_use]
    pub const fn with_max_entries(max_entries: usize) -> Self {
        let max_entries = if max_entries == 0 { 1 } else { max_entries };
        let wanted = max_entries.saturating_mul(1024);
        Self {
            max_entries,
            max_bytes: if wanted > DEFAULT_MAX_BYTES { wanted } else { DEFAULT_MAX_BYTES },
            max_entry_bytes: crate::record::RECORD_BYTES_MAX,
            keep_errors: 0,
        }
    }
}

impl RingOptions {
    /// Those of the ring that keeps errors, if one is asked for.
    fn for_errors(&self) -> Option<Self> {
        let most = Self { max_bytes: self.keep_errors.saturating_mul(1024), ..*self };
        (self.keep_errors > 0).then_some(Self {
            max_entries: self.keep_errors,
            keep_errors: 0,
            ..most
        })
    }
}

impl Default for RingOptions {
    fn default() -> Self {
        Self::with_max_entries(DEFAULT_MAX_ENTRIES)
    }
}

/// Which recording an entry is in: random, made with the ring, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingId(pub u64);

/// Which entry of a ring: its lane and its number there. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    const LANE_BITS: u32 = 5;

    /// The entry of a lane (0 to 31) with this number.
    #[must_use]
    pub const fn new(lane: usize, ordinal: u64) -> Self {
        Self(ordinal << Self::LANE_BITS | lane as u64)
    }

    /// The number that [`Seq::from_raw`] takes back.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// From [`Seq::raw`]. Any number names an entry, if not one that exists.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The lane that took the entry.
    #[must_use]
    pub const fn lane(self) -> usize {
        (self.0 & ((1 << Self::LANE_BITS) - 1)) as usize
    }

    /// The entry's number in its lane, from 0.
    #[must_use]
    pub const fn ordinal(self) -> u64 {
        self.0 >> Self::LANE_BITS
    }
}

/// A place in a ring: for each lane the number of the first entry not yet read.
///
/// The default is the beginning. What a follower keeps between reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position(pub Vec<u64>);

impl Position {
    /// The first ordinal of `lane` that lies at or after this place.
    #[must_use]
    pub fn lane(&self, lane: usize) -> u64 {
        self.0.get(lane).copied().unwrap_or(0)
    }

    /// Whether the entry comes after this place.
    #[must_use]
    pub fn precedes(&self, seq: Seq) -> bool {
        seq.ordinal() >= self.lane(seq.lane())
    }
}

/// Figures of a ring at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStats {
    /// Entries a reader sees.
    pub entries: u64,
    /// Of those, by level, in the order of [`Level::ALL`]. Sums up to `entries`.
    pub levels: [u64; 6],
    /// Time of the earliest entry, by its own clock.
    pub oldest: Option<Timestamp>,
    /// Time of the latest entry, by its own clock.
    pub newest: Option<Timestamp>,
    /// Entries ever recorded.
    pub recorded: u64,
    /// Entries since the last clear that newer ones have pushed out.
    pub evicted: u64,
    /// Bytes of slots and records of the entries a reader sees; those of a chunk only partly in sight
    /// are taken in proportion.
    pub bytes: u64,
    /// Bytes of the whole region.
    pub max_bytes: u64,
    /// Most entries kept.
    pub max_entries: u64,
    /// Entries lost because every lane stayed busy for a tenth of a second. 0 on a machine that runs
    /// at all.
    pub dropped: u64,
    /// Entries ever cut because they were too large.
    pub truncated: u64,
}

/// The bounded, thread-safe buffer of entries. See the [module](self) for how it works.
///
/// ```
/// use logrec_core::{Entry, Level, Ring, RingOptions, Timestamp};
/// let ring = Ring::new(RingOptions::with_max_entries(2));
/// for text in ["one", "two", "three"] {
///     ring.push(&Entry::new(Timestamp::now(), Level::Info, text));
/// }
/// assert_eq!(ring.stats().entries, 2);
/// ```
pub struct Ring {
    region: Region,
    geometry: Geometry,
    max_entry_bytes: usize,
    /// Where it is recorded, with the lock that says its process lives.
    file: Option<file::Recorded>,
    /// Why it is not recorded in a file, where it should be.
    trouble: Option<Box<str>>,
    /// The second, small ring for WARNING and above. See [`kept`].
    errors: Option<Box<Self>>,
    /// The process whose threads may hold locks.
    process: AtomicU32,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("id", &self.id())
            .field("geometry", &self.geometry)
            .finish_non_exhaustive()
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new(RingOptions::default())
    }
}

impl Ring {
    /// Makes a ring in memory of this process. All of it is reserved now; a push never allocates.
    ///
    /// # Panics
    /// If the address space for `max_bytes` cannot be had.
    #[must_use]
    pub fn new(options: RingOptions) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_processors(options, processors)
    }

    /// A ring in a file (see [`Ring::create`]), or in memory where that cannot be had: standard error is
    /// told then, once in this process, and [`Ring::trouble`] says why.
    #[must_use]
    pub fn recording(folder: &std::path::Path, service: &str, options: RingOptions) -> Self {
        static TOLD: std::sync::Once = std::sync::Once::new();
        Self::create(folder, service, options).unwrap_or_else(|e| {
            TOLD.call_once(|| {
                use std::io::Write as _;
                let _ = writeln!(std::io::stderr(), "logrec: recording in memory only: {e}");
            });
            Self { trouble: Some(e.to_string().into()), ..Self::new(options) }
        })
    }

    /// Why this ring is in memory, where [`Ring::recording`] was to put it into a file.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    pub(crate) fn with_processors(options: RingOptions, processors: usize) -> Self {
        let geometry =
            Geometry::new(options.max_entries.max(1) as u64, options.max_bytes, processors);
        let region = Region::anonymous(geometry.words());
        let mut ring = Self::in_region(region, geometry, options.max_entry_bytes);
        if let Some(kept) = options.for_errors() {
            ring.errors = Some(Box::new(Self::with_processors(kept, processors)));
        }
        ring
    }

    /// One of any measure, for tests.
    #[cfg(test)]
    fn with_geometry(geometry: Geometry, max_entry_bytes: usize) -> Self {
        Self::in_region(Region::anonymous(geometry.words()), geometry, max_entry_bytes)
    }

    /// A new ring in a zeroed region of at least `geometry.words()`.
    fn in_region(region: Region, geometry: Geometry, max_entry_bytes: usize) -> Self {
        // An entry spreads over at most a quarter of the chunks.
        let most = (geometry.chunks / 4).max(1) * geometry.chunk_words * 8;
        // Not `clamp`: tests make rings that hold less than the least.
        let max_entry_bytes = max_entry_bytes.max(256).min(most);
        region.set(header::MAGIC, MAGIC);
        region.set(header::BYTE_ORDER, BYTE_ORDER);
        region.set(header::RING_ID, random_id());
        region.set(header::MAX_ENTRIES, geometry.max_entries);
        region.set(header::LANES, geometry.lanes as u64);
        region.set(header::CHUNKS, geometry.chunks as u64);
        region.set(header::CHUNK_WORDS, geometry.chunk_words as u64);
        region.set(header::MAX_ENTRY_BYTES, max_entry_bytes as u64);
        region.set(header::PROCESS, std::process::id().into());
        region.set(header::STARTED, Timestamp::now().0.cast_unsigned());
        let process = AtomicU32::new(std::process::id());
        Self { region, geometry, max_entry_bytes, file: None, trouble: None, errors: None, process }
    }

    /// Which recording this is.
    #[must_use]
    pub fn id(&self) -> RingId {
        RingId(self.region.get(header::RING_ID))
    }

    /// Most entries kept.
    #[must_use]
    pub const fn max_entries(&self) -> u64 {
        self.geometry.max_entries
    }

    /// The largest record in bytes, for a [`RecordWriter`].
    #[must_use]
    pub const fn max_entry_bytes(&self) -> usize {
        self.max_entry_bytes
    }

    /// Records an entry. Waits for nobody as a rule, and never fails: `None` only when every lane was
    /// held by a thread that the system had put to sleep in mid-copy and did not wake for a tenth of a
    /// second, which is counted as dropped.
    pub fn push(&self, entry: &Entry) -> Option<Seq> {
        self.record(entry.timestamp, Timestamp::now(), entry.level, |writer| writer.entry(entry))
    }

    /// Records what `write` writes. Allocates only until this thread's buffer has grown to the size
    /// of its entries. `write` may itself log into this ring.
    ///
    /// `observed` is the clock now; it orders the entry among the others.
    pub fn record(
        &self,
        timestamp: Timestamp,
        observed: Timestamp,
        level: Level,
        write: impl FnOnce(&mut RecordWriter<'_>),
    ) -> Option<Seq> {
        write::with_scratch(|buf| {
            let mut writer = RecordWriter::new(buf, self.max_entry_bytes);
            write(&mut writer);
            let truncated = writer.finish();
            self.push_record(timestamp, observed, level, buf, truncated)
        })
    }

    /// Removes all entries from what readers see, and says how many that were. Entries recorded
    /// meanwhile stay. O(chunks); writers notice nothing.
    ///
    /// A ring that may only be read forgets nothing here; [`Recording`] hides what was there instead.
    pub fn clear(&self) -> u64 {
        if !self.region.writable() {
            return 0;
        }
        let _lock = self.lock_clear();
        let snapshot = self.snapshot();
        for (index, next) in snapshot.end().0.iter().enumerate() {
            self.region.set(self.geometry.lane(index) + lane::FLOOR, *next);
        }
        snapshot.entries() + kept::Kept::of(&snapshot).map_or(0, |kept| kept.entries())
    }

    /// Figures at this moment. O(chunks).
    #[must_use]
    pub fn stats(&self) -> RingStats {
        self.stats_after(&Position::default())
    }

    fn stats_after(&self, cleared: &Position) -> RingStats {
        let snapshot = self.snapshot_after(cleared);
        let mut stats = RingStats {
            recorded: snapshot.recorded(),
            evicted: snapshot.missed_since(&Position::default()),
            max_bytes: (self.region.len() * 8) as u64,
            max_entries: self.geometry.max_entries,
            dropped: self.region.get(header::DROPPED),
            truncated: self.region.get(header::TRUNCATED),
            ..RingStats::default()
        };
        snapshot.count_into(&mut stats);
        if let Some(kept) = kept::Kept::of(&snapshot) {
            kept.count_into(&mut stats);
        }
        stats
    }
}

/// Random bits from the keys that the standard library seeds its hash maps with: 40 of them, since an
/// entry's id bears them and is read by assistants that pay by the character. Among a thousand
/// recordings the odds of two alike are one in two million.
fn random_id() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish() >> 24
}

#[cfg(test)]
#[cfg(loom)]
mod models;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;
