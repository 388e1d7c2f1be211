//! The ring's protocol, checked by [loom](https://docs.rs/loom): the real code of this folder on loom's
//! atomics (see `sync.rs`), in rings of one to four chunks of two entries. `scripts/proofs.sh loom` runs it, as
//! `make test` does; docs/proofs.md has a table of what was broken on purpose and which model failed for it.
//!
//! Loom runs a model in every order of its threads' steps with at most as many preemptions as
//! [`check`] is told (`LOOM_MAX_PREEMPTIONS` overrides it), and in each with every value that the C11
//! memory model lets a load return: also those that no x86 processor ever shows.
//!
//! # What it does not show
//!
//! What needs more threads, more chunks or more preemptions than the models have is for the stress test.
//! Files, forks and searches are not modelled.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use loom::{
    model::Builder,
    thread::{self, JoinHandle},
};

use super::{
    layout::{Kind, RECORD_WORDS_LEAST, SLOT_WORDS, State, chunk},
    write::LANE,
    *,
};

const RECORD_WORDS: usize = RECORD_WORDS_LEAST;
/// A record that does not fit into a chunk.
const LARGE_WORDS: usize = 11;
const ENTRIES_PER_CHUNK: usize = 2;
/// No bound but that of the chunks.
const MANY: u64 = 1000;

/// Runs `f` in every order of its threads' steps with so many preemptions at most.
fn check(preemptions: usize, f: impl Fn() + Send + Sync + 'static) {
    const STEPS_MAX: usize = 10_000;
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = STEPS_MAX;
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        f();
    });
    // One order only: loom has not been told what the threads share.
    assert!(runs.load(Ordering::Relaxed) > 1);
}

fn ring(lanes: usize, chunks: usize, max_entries: u64) -> Arc<Ring> {
    let chunk_words = ENTRIES_PER_CHUNK * (SLOT_WORDS + RECORD_WORDS);
    Arc::new(Ring::with_geometry(Geometry { max_entries, lanes, chunks, chunk_words }, 0))
}

/// Numbers of entries, each with what the ring calls the entry.
type Rows = Vec<(Seq, u64)>;

/// Pushes entry `n`, all of which follows from `n`.
fn push(ring: &Ring, lane: usize, n: u64, words: usize) -> Option<(Seq, u64)> {
    LANE.with(|own| own.set(lane));
    let time = Timestamp(n.cast_signed());
    let seq = ring.push_record(time, time, level(n), &n.to_ne_bytes().repeat(words), false)?;
    Some((seq, n))
}

fn level(n: u64) -> Level {
    Level::ALL[n as usize % 6]
}

fn push_all(ring: &Ring, lane: usize, numbers: Range<u64>) -> Rows {
    numbers.filter_map(|n| push(ring, lane, n, RECORD_WORDS)).collect()
}

/// One that goes into two chunks.
fn push_large(ring: &Ring, lane: usize, n: u64) -> Rows {
    push(ring, lane, n, LARGE_WORDS).into_iter().collect()
}

fn writer(ring: &Arc<Ring>, lane: usize, numbers: Range<u64>) -> JoinHandle<Rows> {
    let ring = ring.clone();
    thread::spawn(move || push_all(&ring, lane, numbers))
}

/// Reads on and on, and counts.
#[derive(Default)]
struct Follower {
    position: Position,
    got: Rows,
    missed: u64,
}

impl Follower {
    /// One that reads what a snapshot saw.
    fn of(snapshot: &Snapshot<'_>) -> Self {
        let mut this = Self::default();
        this.read(snapshot);
        this.position = snapshot.end().clone();
        this
    }

    /// Reads what is new. Returns how many entries had been recorded by then.
    fn follow(&mut self, ring: &Ring) -> u64 {
        let snapshot = ring.snapshot();
        assert!(snapshot.entries() <= ring.max_entries());
        self.missed += snapshot.missed_since(&self.position);
        self.read(&snapshot);
        for (lane, &end) in snapshot.end().0.iter().enumerate() {
            assert!(self.position.lane(lane) <= end, "lane {lane} went back");
        }
        self.position = snapshot.end().clone();
        snapshot.recorded()
    }

    /// As surfaces do: what is reused while it is read was missed.
    fn read(&mut self, snapshot: &Snapshot<'_>) {
        let mut copy = ChunkCopy::default();
        for info in snapshot.chunks().iter().filter(|info| info.visible() > 0) {
            let end = info.visible_from + info.visible();
            let new = end - self.position.lane(info.lane).clamp(info.visible_from, end);
            let before = self.got.len();
            if snapshot.load(info, &mut copy) {
                for slot in copy.slots.iter().filter(|slot| self.position.precedes(slot.seq)) {
                    let mut record = Vec::new();
                    snapshot.read_record(info, slot, &mut record);
                    if !snapshot.is_intact(info) {
                        self.got.truncate(before);
                        break;
                    }
                    self.got.push((slot.seq, number(slot, &record)));
                }
            }
            self.missed += new - (self.got.len() - before) as u64;
        }
    }
}

/// Which entry this is, all of it.
fn number(slot: &Slot, record: &[u8]) -> u64 {
    let n = slot.time.0.cast_unsigned();
    let whole = record.chunks(8).all(|word| word == n.to_ne_bytes());
    assert!(whole && !record.is_empty(), "torn: {record:?} of {n}");
    assert_eq!(slot.level, level(n), "level of another entry");
    assert!(slot.observed.0 >= slot.time.0, "observed of another entry");
    n
}

/// Once all threads are done: `tried` pushes are those that `pushed` names and those dropped; every
/// follower got or missed each; and what is in the chunks is what is seen.
fn settle<const N: usize>(
    ring: &Ring,
    tried: u64,
    pushed: impl IntoIterator<Item = Rows>,
    followers: [Follower; N],
) {
    let pushed: Rows = pushed.into_iter().flatten().collect();
    let names: BTreeMap<Seq, u64> = pushed.iter().copied().collect();
    assert_eq!(names.len(), pushed.len(), "two entries of one name");
    let stats = ring.stats();
    assert_eq!(stats.recorded, pushed.len() as u64);
    assert_eq!(stats.recorded + stats.dropped, tried);
    assert_eq!(stats.levels.iter().sum::<u64>(), stats.entries);
    if ring.max_entries() == MANY {
        assert_eq!(stats.entries, stored(ring), "entries nobody sees");
    }
    for mut follower in followers.into_iter().chain([Follower::default()]) {
        follower.follow(ring);
        assert_eq!(follower.got.len() as u64 + follower.missed, stats.recorded);
        for (seq, n) in follower.got {
            assert_eq!(names.get(&seq), Some(&n), "another entry is called {seq:?}");
        }
    }
}

/// Entries in all chunks, by their counts.
fn stored(ring: &Ring) -> u64 {
    (0..ring.geometry.chunks)
        .map(|index| ring.geometry.control(index))
        .filter(|at| State(ring.region.get(at + chunk::STATE)).is(Kind::Entries))
        .map(|at| ring.region.get(at + chunk::COUNT))
        .sum()
}

/// A reader has looked at a chunk; while it reads it, a writer reuses it.
#[test]
fn a_chunk_reused_while_it_is_read() {
    check(2, || {
        let ring = ring(1, 1, MANY);
        let before = push_all(&ring, 0, 0..2);
        let snapshot = ring.snapshot();
        let writer = writer(&ring, 0, 2..4);
        let follower = Follower::of(&snapshot);
        settle(&ring, 4, [before, writer.join().unwrap()], [follower]);
    });
}

/// The same, where one writer may take the chunk and another go on in it.
#[test]
fn a_chunk_reused_by_two_writers_while_it_is_read() {
    check(2, || {
        let ring = ring(1, 1, MANY);
        let before = push_all(&ring, 0, 0..2);
        let snapshot = ring.snapshot();
        let [one, other] = [2..3, 3..4].map(|numbers| writer(&ring, 0, numbers));
        let follower = Follower::of(&snapshot);
        settle(&ring, 4, [before, one.join().unwrap(), other.join().unwrap()], [follower]);
    });
}

/// A large entry is read while another writer takes its chunk, and that of its rest.
#[test]
fn a_rest_reused_while_it_is_read() {
    check(1, || {
        let ring = ring(2, 2, MANY);
        let before = push_large(&ring, 1, 0);
        let snapshot = ring.snapshot();
        let writer = writer(&ring, 0, 1..4);
        let follower = Follower::of(&snapshot);
        settle(&ring, 4, [before, writer.join().unwrap()], [follower]);
    });
}

/// A writer takes the oldest chunk while a follower looks and reads.
#[test]
fn a_follower_of_a_writer_that_wraps() {
    check(2, || {
        let ring = ring(1, 2, MANY);
        let before = push_all(&ring, 0, 0..4);
        let writer = writer(&ring, 0, 4..5);
        let mut follower = Follower::default();
        follower.follow(&ring);
        settle(&ring, 5, [before, writer.join().unwrap()], [follower]);
    });
}

/// A lane takes its first entries, in two chunks, while a follower looks: none is missed.
#[test]
fn a_follower_of_a_lane_that_begins() {
    check(3, || {
        let ring = ring(1, 2, MANY);
        let writer = writer(&ring, 0, 0..3);
        let mut follower = Follower::default();
        follower.follow(&ring);
        let pushed = writer.join().unwrap();
        follower.follow(&ring);
        assert_eq!(follower.missed, 0);
        settle(&ring, 3, [pushed], [follower]);
    });
}

/// An idle lane's only chunk is taken by another while a follower looks: its place does not go back.
#[test]
fn a_follower_of_a_lane_that_ends() {
    check(2, || {
        let ring = ring(2, 2, MANY);
        let before = [push_all(&ring, 0, 0..1), push_all(&ring, 1, 1..3)];
        let mut follower = Follower::default();
        follower.follow(&ring);
        let writer = writer(&ring, 1, 3..4);
        follower.follow(&ring);
        settle(&ring, 4, before.into_iter().chain([writer.join().unwrap()]), [follower]);
    });
}

/// Whatever is recorded meanwhile, a reader sees the newest `max_entries` and no others: of entry 3,
/// which is among them before and after, it is never deprived.
#[test]
fn no_more_than_max_entries() {
    check(2, || {
        let ring = ring(2, 2, 2);
        let before = [push_all(&ring, 0, 0..2), push_all(&ring, 1, 2..4)];
        let writer = writer(&ring, 1, 4..5);
        let mut follower = Follower::default();
        let recorded = follower.follow(&ring);
        assert!(follower.got.iter().all(|&(_, n)| n + ring.max_entries() >= recorded));
        assert!(follower.got.iter().any(|&(_, n)| n == 3));
        settle(&ring, 5, before.into_iter().chain([writer.join().unwrap()]), [follower]);
    });
}

/// The oldest chunk is reused, twice written, while a reader works out which entries are the newest: it does
/// not hide others for what it found there. Entry 3 lies in a chunk that nobody touches.
#[test]
fn reused_while_the_newest_are_sought() {
    check(1, || {
        let ring = ring(2, 2, 2);
        let before = [push_all(&ring, 0, 0..2), push_all(&ring, 1, 2..4)];
        let writer = writer(&ring, 1, 4..6);
        let mut follower = Follower::default();
        let recorded = follower.follow(&ring);
        assert!(recorded == 6 || follower.got.iter().any(|&(_, n)| n == 3));
        settle(&ring, 6, before.into_iter().chain([writer.join().unwrap()]), [follower]);
    });
}

/// What comes while the ring is cleared stays, or is counted as cleared.
#[test]
fn cleared_while_a_lane_begins() {
    check(3, || {
        let ring = ring(1, 2, MANY);
        let writer = writer(&ring, 0, 0..3);
        let cleared = ring.clear();
        assert_eq!(writer.join().unwrap().len(), 3);
        let mut follower = Follower::default();
        follower.follow(&ring);
        assert_eq!(follower.missed, 0);
        assert_eq!(cleared + follower.got.len() as u64, 3);
    });
}

/// What two remove at once is counted by one of them.
#[test]
fn cleared_twice_at_once() {
    check(3, || {
        let ring = ring(1, 2, MANY);
        push_all(&ring, 0, 0..3);
        let other = thread::spawn({
            let ring = ring.clone();
            move || ring.clear()
        });
        assert_eq!(ring.clear() + other.join().unwrap(), 3);
    });
}

/// No more than one writer is in a lane.
#[test]
fn two_writers_of_one_lane() {
    check(4, || {
        let ring = ring(1, 2, MANY);
        let writers = [0..2, 2..4].map(|numbers| writer(&ring, 0, numbers));
        settle(&ring, 4, writers.map(|writer| writer.join().unwrap()), []);
    });
}

/// Two lanes that take chunks from each other.
#[test]
fn two_writers_of_two_lanes() {
    check(2, || {
        let ring = ring(2, 3, MANY);
        let writers = [(0, 0..3), (1, 3..6)].map(|(lane, numbers)| writer(&ring, lane, numbers));
        settle(&ring, 6, writers.map(|writer| writer.join().unwrap()), []);
    });
}

/// The oldest chunk is the open one of an idle lane: another takes it, or its owner goes on in it.
#[test]
fn an_idle_lanes_chunk_is_taken() {
    check(5, || {
        let ring = ring(2, 2, MANY);
        let before = [(0, 0..1), (1, 1..2), (0, 2..3), (1, 3..6)]
            .map(|(lane, numbers)| push_all(&ring, lane, numbers));
        let writers = [(0, 6..7), (1, 7..8)].map(|(lane, numbers)| writer(&ring, lane, numbers));
        let pushed = writers.map(|writer| writer.join().unwrap());
        settle(&ring, 8, before.into_iter().chain(pushed), []);
    });
}

/// The same where the chunk has room: its owner does not go on in what is another's now.
#[test]
fn an_idle_lanes_chunk_with_room_is_taken() {
    check(3, || {
        let ring = ring(2, 2, MANY);
        let before = [(0, 0..1), (1, 1..3)].map(|(lane, numbers)| push_all(&ring, lane, numbers));
        let writers = [(0, 3..4), (1, 4..5)].map(|(lane, numbers)| writer(&ring, lane, numbers));
        let pushed = writers.map(|writer| writer.join().unwrap());
        settle(&ring, 5, before.into_iter().chain(pushed), []);
    });
}

/// While one writer is in the middle of a large entry, another laps it.
#[test]
fn a_large_entry_written_while_another_laps_it() {
    check(2, || {
        let ring = ring(2, 4, MANY);
        let writer = writer(&ring, 0, 0..7);
        let large = push_large(&ring, 1, 7);
        settle(&ring, 8, [large, writer.join().unwrap()], []);
    });
}
