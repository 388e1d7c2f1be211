//! Followers and writers at once: what a follower got and what it is told it missed is, to the entry,
//! what was recorded; nothing is told as missed that was there; no entry is torn, large ones included.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use logrec_core::{Cursor, Entry, Level, Order, Query, Ring, RingOptions, Timestamp};

/// A message that proves by itself that it is whole.
fn message(n: usize, len: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("{n}:{}", letter.to_string().repeat(len))
}

/// Of a large entry the end may be gone; what there is must be its own.
fn assert_whole(text: &str) {
    let (n, letters) = text.split_once(':').unwrap();
    let n: usize = n.parse().unwrap();
    assert!(text == message(n, letters.len()), "torn: {}", &text[..text.len().min(200)]);
}

fn push(ring: &Ring, n: usize, len: usize) {
    let level = if n.is_multiple_of(9) { Level::Error } else { Level::Debug };
    ring.push(&Entry::new(Timestamp::now(), level, message(n, len))).unwrap();
}

/// Writers push, followers read with a limit; each follower's sum is returned.
fn follow(
    ring: &Ring,
    writers: usize,
    each: usize,
    limit: usize,
    len: impl Fn(usize) -> usize + Sync,
) -> Vec<(u64, u64)> {
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for w in 0..writers {
            let (done, len) = (&done, &len);
            scope.spawn(move || {
                (0..each).for_each(|i| push(ring, w * each + i, len(i)));
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        let followers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let after = Some(Cursor::default());
                    let mut query =
                        Query { after, limit, order: Order::Ascending, ..Query::default() };
                    let (mut got, mut missed) = (0, 0);
                    loop {
                        let last = done.load(Ordering::SeqCst) == writers;
                        let page = ring.query(&query);
                        got += page.len() as u64;
                        missed += page.missed;
                        for row in page.rows() {
                            assert_whole(row.record.message());
                        }
                        if last && page.is_empty() && !page.more {
                            return (got, missed);
                        }
                        query.after = Some(Cursor::read(page.end));
                    }
                })
            })
            .collect();
        followers.into_iter().map(|f| f.join().unwrap()).collect()
    })
}

#[test]
fn what_was_never_overwritten_is_never_missed() {
    for _ in 0..200 {
        let ring = Ring::new(RingOptions::default());
        for sums in follow(&ring, 4, 25, 1000, |i| i % 90) {
            assert_eq!(sums, (100, 0));
        }
    }
}

#[test]
fn got_and_missed_add_up() {
    for keep_errors in [0, 60] {
        for limit in [7, 100_000] {
            let options =
                RingOptions { max_bytes: 1, keep_errors, ..RingOptions::with_max_entries(1500) };
            let ring = Ring::new(options);
            for (got, missed) in follow(&ring, 8, 4000, limit, |i| i * 7 % 300) {
                assert_eq!(got + missed, 32_000, "keep_errors {keep_errors}, limit {limit}");
            }
        }
    }
}

#[test]
fn large_entries_harm_no_others() {
    let ring = Ring::new(RingOptions { max_bytes: 1, ..RingOptions::with_max_entries(20) });
    for (got, missed) in follow(&ring, 8, 400, 50, |i| if i % 3 == 0 { 90_000 } else { 50 }) {
        assert_eq!(got + missed, 3200);
    }
}
