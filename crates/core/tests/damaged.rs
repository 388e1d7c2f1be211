//! A damaged recording reads as less or as nothing: no panic, nothing outside, no endless loop.
//!
//! Runs for `LOGREC_FUZZ_SECONDS` (default 5; `make test` gives it 60) over files damaged from one
//! seed after another; `LOGREC_FUZZ_SEED` starts at a seed that failed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use logrec_core::{
    Collector, Cursor, Entry, Filter, Level, Query, Ring, RingOptions, Source, Timestamp, Value,
    filter::{Field, Test},
    ring::Recording,
};

/// So that a failure can be run again from its seed: xorshift64* (Vigna, 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % most.max(1)
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    const NASTY: [u64; 8] = [0, 1, u64::MAX, i64::MAX as u64, 1 << 32, 0xffff_ffff, 1 << 56, 255];
    for _ in 0..=random.below(12) {
        // Control blocks are where it hurts: half of the damage goes there.
        let reach = if random.below(2) == 0 { bytes.len().min(12_000) } else { bytes.len() };
        let at = random.below(reach / 8) * 8;
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at..at + 8].copy_from_slice(&NASTY[random.below(8)].to_le_bytes()),
            2 => {
                let from = random.below(bytes.len() / 8) * 8;
                let word: [u8; 8] = bytes[from..from + 8].try_into().unwrap();
                bytes[at..at + 8].copy_from_slice(&word);
            }
            _ => {
                let end = (at + random.below(4000)).min(bytes.len());
                bytes[at..end].fill(u8::try_from(random.below(256)).unwrap());
            }
        }
    }
    if random.below(10) == 0 {
        bytes.truncate(random.below(bytes.len()));
    }
}

/// Reads everything that a surface would. True if the file was taken for a recording.
fn read_all(path: &Path) -> bool {
    let Ok(recording) = Recording::open(path) else { return false };
    let _ = (recording.stats(), recording.end(), recording.service().len());
    for after in [None, Some(Cursor::default())] {
        let searching = Filter::Field(Field::Attribute("a.b".into()), Test::Contains("x".into()));
        for filter in [Filter::default(), searching] {
            let query = Query { limit: 5000, after: after.clone(), filter, ..Query::default() };
            let mut collector = Collector::new(&query);
            recording.scan(&mut collector);
            let page = collector.finish();
            page.rows().for_each(|row| drop(row.to_entry()));
        }
    }
    recording.clear();
    let _ = recording.stats();
    true
}

/// A ring with every kind of content: several lanes, laps, attributes, traces, an entry over chunks.
fn whole(folder: &Path) -> Vec<u8> {
    let options = RingOptions { max_bytes: 1, ..RingOptions::with_max_entries(150) };
    let ring = Ring::create(folder, "app", options).unwrap();
    for n in 0..400usize {
        let nested = Value::Map(vec![("b".into(), Value::Array(vec!["x".into(), Value::Null]))]);
        let entry = Entry {
            exception: (n % 5 > 0).then(|| "trace\nx".repeat(n % 5)),
            attributes: vec![("a".into(), nested)],
            ..Entry::new(Timestamp::now(), Level::ALL[n % 6], "m".repeat(n))
        };
        // Each thread has a lane of its own.
        std::thread::scope(|s| _ = s.spawn(|| ring.push(&entry)));
    }
    ring.push(&Entry::new(Timestamp::now(), Level::Error, "y".repeat(90_000))).unwrap();
    fs::read(ring.path().unwrap()).unwrap()
}

#[test]
fn no_damage_harms_the_reader() {
    let variable = |name: &str| std::env::var(name).ok()?.parse().ok();
    let deadline =
        Instant::now() + Duration::from_secs(variable("LOGREC_FUZZ_SECONDS").unwrap_or(5));
    let dir = tempfile::tempdir().unwrap();
    let whole = whole(dir.path());
    let path = dir.path().join("damaged");
    let (mut tried, mut opened) = (0u64, 0u64);
    for seed in variable("LOGREC_FUZZ_SEED").unwrap_or(1).. {
        if Instant::now() >= deadline {
            break;
        }
        let mut bytes = whole.clone();
        damage(&mut bytes, &mut Random(seed));
        fs::write(&path, &bytes).unwrap();
        let start = Instant::now();
        match std::panic::catch_unwind(|| read_all(&path)) {
            Ok(as_recording) => opened += u64::from(as_recording),
            Err(_) => panic!("LOGREC_FUZZ_SEED={seed}"),
        }
        assert!(start.elapsed() < Duration::from_secs(5), "LOGREC_FUZZ_SEED={seed} is slow");
        tried += 1;
    }
    // Damage that is always found out by the header tests nothing behind it.
    assert!(tried > 20 && opened * 3 > tried, "{opened} of {tried} were read");
}
