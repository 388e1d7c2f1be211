//! Followers: every entry once and in order, or counted as missed; cut off anywhere, they go on there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use logrec_core::{Cursor, Entry, Level, Ring, RingOptions, Source, Timestamp};
use logrec_reader::{Batch, Follower, Reader, Step, Subscription};
use serde_json::Value as Json;

fn subscription(params: &[(&str, &str)]) -> Subscription {
    Subscription::parse(params.iter().copied(), &Reader::default().times()).unwrap()
}

fn push(ring: &Ring, message: &str) {
    ring.push(&Entry::new(Timestamp::now(), Level::Info, message)).unwrap();
}

/// What a batch tells, up to so many steps: messages, entries missed, and the place behind the last step.
fn told(batch: &Batch, steps: usize) -> (Vec<String>, u64, Option<Cursor>) {
    let (mut messages, mut missed, mut place, mut n) = (Vec::new(), 0, None, 0);
    batch.each(|step, cursor| {
        n += 1;
        if n > steps {
            return;
        }
        match step {
            Step::Gap { missed: gap, .. } => missed += gap,
            Step::Entry(row) => {
                let mut json = Vec::new();
                batch.entry_json(&mut json, &row);
                let entry: Json = serde_json::from_slice(&json).unwrap();
                messages.push(entry["message"].as_str().unwrap().to_owned());
            }
        }
        place = Some(cursor.clone());
    });
    (messages, missed, place)
}

fn all(follower: &mut Follower, reader: &Reader) -> Vec<String> {
    let mut messages = Vec::new();
    loop {
        let batch = follower.read(reader);
        let (more, missed, _) = told(&batch, usize::MAX);
        assert_eq!(missed, 0);
        messages.extend(more);
        if !batch.has_more() {
            return messages;
        }
    }
}

#[test]
fn history_then_what_follows() {
    let rings = [Arc::new(Ring::default()), Arc::new(Ring::default())];
    let reader = Reader::new(rings.clone().map(|ring| ring as Arc<dyn Source>));
    for n in 0..2000 {
        push(&rings[n % 2], &n.to_string());
    }
    let follower = |params: &[(&str, &str)]| Follower::new(&reader, subscription(params));
    let mut none = follower(&[]);
    let mut some = follower(&[("tail", "3")]);
    let mut filtered = follower(&[("tail", "2"), ("search", "99")]);
    let mut everything = follower(&[("tail", "1000")]);
    push(&rings[0], "2000, which makes 99");
    assert_eq!(all(&mut none, &reader), ["2000, which makes 99"]);
    let new = "2000, which makes 99";
    assert_eq!(all(&mut some, &reader), ["1997", "1998", "1999", new]);
    assert_eq!(all(&mut filtered, &reader), ["1998", "1999", new]);
    let expected: Vec<String> =
        (1000..2000).map(|n| n.to_string()).chain([new.to_owned()]).collect();
    assert_eq!(all(&mut everything, &reader), expected);
    assert!(all(&mut everything, &reader).is_empty());
}

#[test]
fn cut_off_anywhere_it_goes_on_there() {
    let ring = Arc::new(Ring::default());
    let reader = Reader::new([Arc::clone(&ring) as Arc<dyn Source>]);
    for n in 0..40 {
        std::thread::scope(|scope| _ = scope.spawn(|| push(&ring, &n.to_string())));
    }
    let from_the_start = || Follower::new(&reader, subscription(&[("after", "r")]));
    for steps in 1..40 {
        let batch = from_the_start().read(&reader);
        let (mut messages, _, place) = told(&batch, steps);
        let place = place.unwrap().to_string();
        let mut again = Follower::new(&reader, subscription(&[("after", &place)]));
        messages.extend(all(&mut again, &reader));
        let expected: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        assert_eq!(messages, expected, "cut after {steps}");
    }
}

/// Writers fill a small ring many times over; followers are cut off all the time, and some are slow.
#[test]
fn each_once_in_its_threads_order_or_counted() {
    const WRITERS: usize = 4;
    const EACH: usize = 20_000;
    let ring = Arc::new(Ring::new(RingOptions::with_max_entries(4000)));
    let reader = Reader::new([Arc::clone(&ring) as Arc<dyn Source>]);
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for w in 0..WRITERS {
            let (ring, done) = (&ring, &done);
            scope.spawn(move || {
                (0..EACH).for_each(|n| push(ring, &format!("{w}:{n}")));
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        for slowness in 0..3_usize {
            let (reader, done) = (&reader, &done);
            scope.spawn(move || {
                let mut follower = Follower::new(reader, subscription(&[("after", "r")]));
                let mut next = [0; WRITERS];
                let (mut got, mut missed, mut reads) = (0, 0, 0);
                loop {
                    let last = done.load(Ordering::SeqCst) == WRITERS;
                    let before = follower.cursor().clone();
                    let batch = follower.read(reader);
                    reads += 1;
                    // Every third time only a part of it arrives.
                    let steps = if reads % 3 == 0 { reads % 50 } else { usize::MAX };
                    let (messages, gap, place) = told(&batch, steps);
                    if let Some(place) = place {
                        follower.rewind(place);
                    } else if steps == 0 {
                        follower.rewind(before);
                    }
                    got += messages.len();
                    missed += gap;
                    for message in &messages {
                        let (w, n) = message.split_once(':').unwrap();
                        let (w, n): (usize, usize) = (w.parse().unwrap(), n.parse().unwrap());
                        assert!(n >= next[w], "{message} after {}", next[w]);
                        next[w] = n + 1;
                    }
                    if last && batch.is_empty() {
                        break;
                    }
                    for _ in 0..slowness * 20 {
                        std::thread::yield_now();
                    }
                }
                assert_eq!(got as u64 + missed, (WRITERS * EACH) as u64);
            });
        }
    });
}

#[test]
fn what_a_stream_does_not_take_says_why() {
    let wrong = |params: &[(&str, &str)]| {
        let parsed = Subscription::parse(params.iter().copied(), &Reader::default().times());
        parsed.unwrap_err().message
    };
    for (name, value) in
        [("limit", "5"), ("order", "asc"), ("before", "r"), ("wait", "5"), ("max_tokens", "900")]
    {
        let error = wrong(&[(name, value)]);
        assert!(error.starts_with(&format!("`{name}` is no parameter here: a stream")), "{error}");
    }
    for (params, error) in [
        (&[("tail", "1001")][..], "`tail` is `1001`; give a whole number from 0 to 1000"),
        (&[("tail", "x")], "`tail` is `x`; give a whole number from 0 to 1000"),
        (&[("tail", "1"), ("tail", "1")], "`tail` is given twice; give it once"),
        (&[("heartbeat", "0")], "`heartbeat` is `0`; give a number of seconds from 0.1 to 60"),
        (&[("format", "text")], "`format` is always json on a stream; leave it out"),
        (
            &[("tail", "1"), ("after", "r")],
            "`tail` is given with `after`, which says where to begin already; give one of them",
        ),
    ] {
        assert_eq!(wrong(params), error);
    }
    assert!(
        wrong(&[("after", "p1.1.1.1")]).starts_with("`after` is a cursor that leads through time")
    );
    assert!(wrong(&[("levl", "ERROR")]).contains("did you mean `level`?"));
}
