use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use proptest::prelude::*;

use super::*;
use crate::record::{CUT_BYTES, RecordRef};

/// Everything a reader sees, oldest first by the order of recording.
fn all(ring: &Ring) -> Vec<(Seq, Entry)> {
    let snapshot = ring.snapshot();
    let mut rows = Vec::new();
    let mut copy = ChunkCopy::default();
    let mut buf = Vec::new();
    for info in snapshot.chunks() {
        if !snapshot.load(info, &mut copy) {
            continue;
        }
        for slot in &copy.slots {
            buf.clear();
            snapshot.read_record(info, slot, &mut buf);
            let entry = RecordRef::new(&buf).to_entry(slot.time, slot.level);
            if snapshot.is_intact(info) {
                rows.push((slot.observed, info.opened(), slot.seq, entry));
            }
        }
    }
    rows.sort_by_key(|&(observed, opened, seq, _)| (observed, opened, seq));
    rows.into_iter().map(|(_, _, seq, entry)| (seq, entry)).collect()
}

fn entry(n: u64, len: usize) -> Entry {
    let mut message = format!("{n}:");
    message.extend((0..len).map(|i| char::from(b'a' + (i as u64 + n) as u8 % 26)));
    Entry::new(Timestamp(n.cast_signed()), Level::ALL[n as usize % 6], message)
}

/// The smallest ring there is: 24 chunks of 32 kB.
fn small(max_entries: usize) -> Ring {
    Ring::with_processors(
        RingOptions { max_bytes: 1, ..RingOptions::with_max_entries(max_entries) },
        1,
    )
}

/// So many cases of a property, or as many as `PROPTEST_CASES` says: fewer, under valgrind.
fn cases(most: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if is_set { default.cases } else { most }, ..default }
}

#[derive(Clone, Debug)]
enum Op {
    Push(usize),
    Burst(usize, usize),
    Clear,
    Follow,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => (0usize..600).prop_map(Op::Push),
        2 => (0usize..60_000).prop_map(Op::Push),
        2 => (0usize..600, 0usize..900).prop_map(|(n, len)| Op::Burst(n, len)),
        1 => Just(Op::Clear),
        3 => Just(Op::Follow),
    ];
    prop::collection::vec(op, 0..60)
}

proptest! {
    #![proptest_config(cases(200))]

    /// One thread: the ring is a `VecDeque` of the newest `max_entries`, from whose old end bytes
    /// may have taken more; what a follower got and what it missed add up to what was recorded.
    #[test]
    fn behaves_as_a_queue(max_entries in 1usize..700, ops in ops()) {
        let ring = small(max_entries);
        let mut model: VecDeque<(Seq, Entry)> = VecDeque::new();
        let mut recorded = 0u64;
        let mut position = Position::default();
        let (mut got, mut missed, mut cleared_unread) = (0u64, 0u64, 0u64);
        let mut unread_from = 0u64;
        let push = |model: &mut VecDeque<_>, recorded: &mut u64, len| {
            let entry = entry(*recorded, len);
            let seq = ring.push(&entry).expect("a lane is free");
            *recorded += 1;
            model.push_back((seq, entry));
            if model.len() > max_entries {
                model.pop_front();
            }
        };
        for op in ops {
            match op {
                Op::Push(len) => push(&mut model, &mut recorded, len),
                Op::Burst(n, len) => (0..n).for_each(|_| push(&mut model, &mut recorded, len)),
                Op::Clear => {
                    let seen = ring.stats().entries;
                    prop_assert_eq!(ring.clear(), seen);
                    cleared_unread += recorded - unread_from;
                    unread_from = recorded;
                    model.clear();
                }
                Op::Follow => {
                    let snapshot = ring.snapshot();
                    missed += snapshot.missed_since(&position);
                    got += all(&ring).iter().filter(|(seq, _)| position.precedes(*seq)).count() as u64;
                    position = snapshot.end().clone();
                    unread_from = recorded;
                    prop_assert_eq!(got + missed + cleared_unread, recorded);
                }
            }
            let seen = all(&ring);
            let kept = model.len() - seen.len();
            prop_assert!(seen.iter().eq(model.iter().skip(kept)), "not the newest {}", seen.len());
            if kept > 0 {
                // Bytes are the bound: most of them are in use.
                let stats = ring.stats();
                prop_assert!(stats.bytes * 2 > 16 * 32 * 1024, "{stats:?}");
            }
            let stats = ring.stats();
            prop_assert_eq!(stats.entries, seen.len() as u64);
            prop_assert_eq!(stats.levels.iter().sum::<u64>(), stats.entries);
            prop_assert_eq!(stats.recorded, recorded);
            prop_assert_eq!(stats.oldest, seen.iter().map(|(_, e)| e.timestamp).min());
            prop_assert_eq!(stats.newest, seen.iter().map(|(_, e)| e.timestamp).max());
            model.drain(..kept);
        }
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// With `keep_errors` a reader sees the newest entries and the newest errors, each once, under the
    /// same name whether or not the main ring still holds it; and a follower misses fewer.
    #[test]
    fn errors_are_kept(max_entries in 1usize..60, kept in 1usize..40, batches in prop::collection::vec((0u64..80, any::<bool>()), 1..8)) {
        let ring = Ring::new(RingOptions { keep_errors: kept, ..RingOptions::with_max_entries(max_entries) });
        let (mut n, mut floor, mut names) = (0u64, 0u64, Vec::new());
        for (batch, clear) in batches {
            for _ in 0..batch {
                let seq = ring.push(&entry(n, 5)).unwrap();
                names.push(seq);
                n += 1;
            }
            let is_error = |n: &u64| n % 6 >= 3;
            let newest = (0..n).rev().take(max_entries);
            let mut wanted: Vec<u64> = newest.chain((0..n).rev().filter(is_error).take(kept)).collect();
            wanted.sort_unstable();
            wanted.dedup();
            wanted.retain(|n| *n >= floor);
            let query = crate::Query { limit: usize::MAX, order: crate::Order::Ascending, ..Default::default() };
            let page = ring.query(&query);
            let seen: Vec<u64> = page.rows().map(|row| row.time.0.cast_unsigned()).collect();
            prop_assert_eq!(&seen, &wanted);
            prop_assert!(page.rows().all(|row| row.seq == names[row.time.0 as usize]));
            let follower = crate::Query { after: Some(crate::Cursor::default()), ..query };
            let page = ring.query(&follower);
            let unseen = n - floor - wanted.len() as u64;
            prop_assert_eq!((page.len(), page.missed), (wanted.len(), unseen));
            let stats = ring.stats();
            prop_assert_eq!((stats.entries, stats.evicted), (wanted.len() as u64, unseen));
            prop_assert_eq!(stats.levels.iter().sum::<u64>(), stats.entries);
            if clear {
                prop_assert_eq!(ring.clear(), wanted.len() as u64);
                floor = n;
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(40))]

    /// However entries spread over lanes, those in sight are the newest by the order of recording.
    #[test]
    fn the_bound_holds_across_lanes(max_entries in 1usize..400, runs in prop::collection::vec((0usize..6, 1u64..120), 1..40)) {
        let ring = Ring::with_processors(RingOptions::with_max_entries(max_entries), 2);
        let mut n = 0u64;
        let (send, receive): (Vec<_>, Vec<_>) =
            (0..6).map(|_| std::sync::mpsc::sync_channel::<std::ops::Range<u64>>(0)).unzip();
        std::thread::scope(|scope| {
            let (done, finished) = std::sync::mpsc::sync_channel(0);
            // Each thread keeps to a lane of its own.
            for jobs in receive {
                let (ring, done) = (&ring, done.clone());
                scope.spawn(move || {
                    for job in jobs {
                        for n in job {
                            let observed = Timestamp(n.cast_signed());
                            ring.record(Timestamp(0), observed, Level::Info, |w| w.message(&n));
                        }
                        done.send(()).unwrap();
                    }
                });
            }
            for (thread, run) in runs {
                send[thread].send(n..n + run).unwrap();
                finished.recv().unwrap();
                n += run;
            }
            drop(send);
        });
        let seen: Vec<u64> = all(&ring).iter().map(|(_, e)| e.message.parse().unwrap()).collect();
        let wanted: Vec<u64> = (n.saturating_sub(max_entries as u64)..n).collect();
        prop_assert_eq!(seen, wanted);
    }
}

#[test]
fn an_entry_of_many_chunks_comes_back_whole_or_marked() {
    let ring = Ring::default();
    let large = entry(1, 250_000);
    ring.push(&large);
    assert_eq!(all(&ring)[0].1, large);
    ring.push(&entry(2, 400_000));
    let seen = all(&ring);
    assert!(seen[1].1.message.len() > 200_000);
    let cut = seen[1].1.attribute(CUT_BYTES).and_then(crate::Value::as_f64);
    assert_eq!(cut, Some((400_002 - seen[1].1.message.len()) as f64));
    assert_eq!(ring.stats().truncated, 1);
}

#[test]
fn a_cut_falls_between_characters() {
    let ring = Ring::new(RingOptions { max_entry_bytes: 1000, ..RingOptions::default() });
    ring.push(&Entry::new(Timestamp(0), Level::Info, "ä".repeat(2000)));
    let message = &all(&ring)[0].1.message;
    assert!(message.len() > 900 && message.chars().all(|c| c == 'ä'));
}

#[test]
fn order_of_recording_survives_a_clock_set_back() {
    let ring = Ring::default();
    for (n, observed) in [(0, 100), (1, 50), (2, 20), (3, 101)] {
        ring.record(Timestamp(0), Timestamp(observed), Level::Info, |w| w.message(&n));
    }
    let messages: Vec<_> = all(&ring).into_iter().map(|(_, e)| e.message).collect();
    assert_eq!(messages, ["0", "1", "2", "3"]);
}

#[test]
fn a_small_load_touches_little_memory() {
    let ring = Ring::default();
    for n in 0..50_000 {
        ring.push(&entry(n, 250));
    }
    assert_eq!(ring.stats().entries, 2000);
    let touched = ring.region.get(header::FRESH) as usize * ring.geometry.chunk_words * 8;
    assert!(touched < 900_000, "{touched} bytes for 2000 entries of 250");
}

#[test]
fn logging_while_formatting_is_no_deadlock() {
    struct Logs<'r>(&'r Ring);
    impl fmt::Display for Logs<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.push(&entry(7, 10));
            f.write_str("outer")
        }
    }
    let ring = Ring::default();
    ring.record(Timestamp(0), Timestamp(0), Level::Info, |w| w.message(&Logs(&ring)));
    assert_eq!(ring.stats().entries, 2);
}

/// The length of the stress test's entry `n`: now and then one that goes into two chunks.
const fn stress_len(n: u64) -> usize {
    if n.is_multiple_of(97) { 5000 } else { n as usize % 700 }
}

/// A message proves by itself that it is whole: a number, and text that follows from it. Of a large one
/// the end may be gone.
fn is_whole(message: &str) -> bool {
    let Some((n, _)) = message.split_once(':') else { return false };
    let n: u64 = n.parse().unwrap();
    let whole = entry(n, stress_len(n)).message;
    message == whole || stress_len(n) > 700 && whole.starts_with(message)
}

/// Reads on, and counts what it got and what it missed.
#[derive(Default)]
struct Follower {
    position: Position,
    got: u64,
    missed: u64,
}

impl Follower {
    fn follow(&mut self, ring: &Ring) {
        let snapshot = ring.snapshot();
        assert!(snapshot.entries() <= ring.max_entries());
        self.missed += snapshot.missed_since(&self.position);
        for info in snapshot.chunks() {
            let end = info.visible_from + info.visible();
            let new = end - self.position.lane(info.lane).clamp(info.visible_from, end);
            let got = self.read(&snapshot, info).unwrap_or_default();
            self.got += got;
            // What was there at the snapshot and is gone now was missed.
            self.missed += new - got;
        }
        self.position = snapshot.end().clone();
    }

    /// How many entries of a chunk were new; `None` if it was reused meanwhile.
    fn read(&self, snapshot: &Snapshot<'_>, info: &ChunkInfo) -> Option<u64> {
        let (mut copy, mut buf, mut got) = (ChunkCopy::default(), Vec::new(), 0);
        if !snapshot.load(info, &mut copy) {
            return None;
        }
        assert!(copy.slots.is_sorted_by_key(|slot| slot.observed), "a lane out of order");
        for slot in &copy.slots {
            buf.clear();
            snapshot.read_record(info, slot, &mut buf);
            let message = RecordRef::new(&buf).message();
            if !snapshot.is_intact(info) {
                return None;
            }
            assert!(is_whole(message), "torn: {message:?}");
            got += u64::from(self.position.precedes(slot.seq));
        }
        Some(got)
    }
}

/// 16 writers and 8 readers on a small ring, for a thousand laps (or `LOGREC_STRESS_LAPS`): no entry
/// torn, none uncounted, none that a follower neither got nor was told it missed, each lane in order.
#[test]
fn many_writers_many_readers() {
    const WRITERS: u64 = 16;
    const READERS: usize = 8;
    const CHUNKS: usize = 24;
    let laps = std::env::var("LOGREC_STRESS_LAPS").map_or(1000, |laps| laps.parse().unwrap());
    let geometry = Geometry { max_entries: 150, lanes: 8, chunks: CHUNKS, chunk_words: 512 };
    let ring = Ring::with_geometry(geometry, 8192);
    // By the ring's own count of chunks taken.
    let lap = || ring.region.get(header::ALLOCATIONS) / CHUNKS as u64;
    let (done, tried, pushed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let reader = || {
            let mut follower = Follower::default();
            loop {
                let last = done.load(Ordering::SeqCst);
                follower.follow(&ring);
                if last {
                    return follower.got + follower.missed;
                }
            }
        };
        let writer = || {
            while lap() < laps {
                let n = tried.fetch_add(1, Ordering::Relaxed);
                if ring.push(&entry(n, stress_len(n))).is_some() {
                    pushed.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(reader)).collect();
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(writer)).collect();
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        let stats = ring.stats();
        assert!(lap() >= laps);
        assert_eq!(stats.recorded, pushed.load(Ordering::Relaxed));
        assert_eq!(stats.recorded + stats.dropped, tried.load(Ordering::Relaxed));
        assert_eq!(stats.dropped, 0);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), stats.recorded);
        }
    });
}
