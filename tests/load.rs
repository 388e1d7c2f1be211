//! Many at once, over HTTP. The ring's own stress test stands beside it, in core.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use crate::support::Logrec;

/// A message that proves by itself that it is whole.
fn message(n: u64) -> String {
    format!("{n}:{}", "abcdefghij".repeat((n % 60) as usize))
}

#[test]
fn sixteen_writers_and_eight_readers() {
    const WRITERS: u64 = 16;
    const BATCHES: u64 = 25;
    const BATCH: u64 = 40;
    let logrec = Logrec::serve();
    let writing = AtomicBool::new(true);
    let read = AtomicU64::new(0);
    let mut first_kb = 0;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while writing.load(Ordering::Relaxed) {
                    for message_read in logrec.messages("?limit=200") {
                        let n = message_read.split(':').next().unwrap().parse().unwrap();
                        assert_eq!(message_read, message(n), "torn");
                        read.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let writers: Vec<_> = (0..WRITERS)
            .map(|w| {
                let logrec = &logrec;
                scope.spawn(move || {
                    for b in 0..BATCHES {
                        let first = (w * BATCHES + b) * BATCH;
                        let batch: Vec<_> = (first..first + BATCH)
                            .map(|n| json!({"message": message(n)}))
                            .collect();
                        let answer = logrec.post(json!(batch).to_string().as_bytes()).json();
                        assert_eq!(answer["accepted"], BATCH);
                    }
                })
            })
            .collect();
        first_kb = logrec.resident_kb();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::Relaxed);
    });
    let data = &logrec.get("/logs/stats").json()["data"];
    assert_eq!(data["recorded"].as_u64().unwrap(), WRITERS * BATCHES * BATCH);
    assert_eq!((&data["dropped"], &data["total_entries"]), (&json!(0), &json!(2000)));
    assert!(read.load(Ordering::Relaxed) > 0);
    let grown_kb = logrec.resident_kb().saturating_sub(first_kb);
    assert!(grown_kb < 32_000, "{grown_kb} kB more than at the start");
}
