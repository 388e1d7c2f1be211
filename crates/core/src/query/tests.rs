use proptest::prelude::*;

use super::*;
use crate::{
    LevelSet, RingOptions,
    filter::{Field, Test},
};

fn ring(times: &[i64], lanes: u64) -> Ring {
    let ring = Ring::with_processors(RingOptions::default(), 4);
    for (n, time) in times.iter().enumerate() {
        // Several lanes, without threads: a lane is found busy while another entry is written.
        let nested = lanes > 1 && n as u64 % lanes == 1;
        let level = Level::ALL[n % 6];
        let mut entry = Entry::new(Timestamp(*time), level, format!("m{n} {}", n % 3));
        entry.logger = if nested { "nested".into() } else { String::new() };
        std::thread::scope(|s| {
            if nested {
                s.spawn(|| ring.push(&entry));
            } else {
                ring.push(&entry);
            }
        });
    }
    ring
}

fn messages(page: &Page) -> Vec<String> {
    page.rows().map(|r| r.record.message().to_owned()).collect()
}

fn expected(times: &[i64], keep: impl Fn(usize) -> bool) -> Vec<String> {
    let mut all: Vec<usize> = (0..times.len()).filter(|&n| keep(n)).collect();
    all.sort_by_key(|&n| std::cmp::Reverse((times[n], n)));
    all.into_iter().map(|n| format!("m{n} {}", n % 3)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The newest by time, exactly, whatever order they came in; pages neither repeat nor skip.
    #[test]
    fn pages_of_the_newest(times in prop::collection::vec(0i64..50, 0..80), limit in 1usize..20) {
        let ring = ring(&times, 3);
        let wanted = expected(&times, |n| n % 6 >= 3 && n % 3 == 0);
        let mut query = Query {
            filter: Filter::Levels(LevelSet::at_least(Level::Warning))
                .and(Filter::Field(Field::Message, Test::Contains(" 0".into()))),
            limit,
            ..Query::default()
        };
        let mut got = Vec::new();
        loop {
            let page = ring.query(&query);
            got.extend(messages(&page));
            // An entry that arrives between two pages is newer than both.
            ring.push(&Entry::new(Timestamp(1000), Level::Error, "late 0"));
            match page.rows().last() {
                Some(last) if page.more => query.before = Some(Cursor::at(last.place())),
                _ => break,
            }
        }
        // Ties in time go by recording, which a test with threads may order by nanoseconds.
        prop_assert_eq!(got, wanted);
    }

    /// A follower gets everything once, in order, in pieces of any size, and knows where to go on.
    #[test]
    fn following(batches in prop::collection::vec(0usize..40, 1..8), limit in 1usize..20) {
        let ring = Ring::default();
        let mut query = Query { limit, order: Order::Ascending, ..Query::default() };
        query.filter = Filter::Not(Box::new(Filter::Field(Field::Message, Test::Contains("7".into()))));
        query.after = Some(Cursor::default());
        let (mut n, mut got) = (0u64, Vec::new());
        for batch in batches {
            for _ in 0..batch {
                // Older and older by its own time: the order of recording is what counts.
                ring.push(&Entry::new(Timestamp(1_000_000 - n.cast_signed()), Level::Info, format!("{n}")));
                n += 1;
            }
            let page = ring.query(&query);
            prop_assert!(page.len() <= limit);
            prop_assert_eq!(page.missed, 0);
            got.extend(messages(&page));
            query.after = Some(Cursor::read(page.end.clone()).to_string().parse().unwrap());
        }
        loop {
            let page = ring.query(&query);
            if page.is_empty() {
                break;
            }
            got.extend(messages(&page));
            query.after = Some(Cursor::read(page.end));
        }
        let wanted: Vec<_> = (0..n).map(|n| n.to_string()).filter(|m| !m.contains('7')).collect();
        prop_assert_eq!(got, wanted);
    }
}

#[test]
fn a_lapped_follower_is_told_exactly() {
    let ring = Ring::new(RingOptions::with_max_entries(100));
    let push = |n: i64| ring.push(&Entry::new(Timestamp(n), Level::Info, n.to_string()));
    (0..10).for_each(|n| {
        push(n);
    });
    let first = ring.query(&Query { after: Some(Cursor::default()), ..Query::default() });
    assert_eq!((first.len(), first.missed), (10, 0));
    (10..500).for_each(|n| {
        push(n);
    });
    let query = Query { after: Some(Cursor::read(first.end)), limit: 1000, ..Query::default() };
    let second = ring.query(&query);
    assert_eq!((second.len(), second.missed), (100, 390));
    ring.clear();
    let third = ring.query(&Query { after: Some(Cursor::read(second.end)), ..Query::default() });
    assert_eq!((third.len(), third.missed), (0, 0));
}

#[test]
fn rings_are_merged_by_time() {
    let (a, b) = (ring(&[1, 3, 5], 1), ring(&[2, 4, 6], 1));
    let query = Query { limit: 4, order: Order::Ascending, ..Query::default() };
    let mut collector = Collector::new(&query);
    collector.ring(&a);
    collector.ring(&b);
    let page = collector.finish();
    assert_eq!(page.rows().map(|r| r.time.0).collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert!(page.more);
}

#[test]
fn a_followers_answer_ends_by_bytes_and_loses_nothing() {
    let ring = Ring::default();
    let text = |n: usize| format!("{n}:{}", "x".repeat(n * 37 % 3000));
    let pushed: Vec<String> = (0..300).map(text).collect();
    for message in &pushed {
        ring.push(&Entry::new(Timestamp::now(), Level::Info, message.as_str()));
    }
    for (limit, bytes_max) in [(1000, 4096), (3, 100_000), (7, 4096), (1000, 1), (1000, 0)] {
        let mut query = Query {
            after: Some(Cursor::default()),
            order: Order::Ascending,
            limit,
            bytes_max,
            ..Query::default()
        };
        let mut got = Vec::new();
        loop {
            let page = ring.query(&query);
            assert!(page.len() <= limit && (page.len() <= 1 || page.bytes() <= bytes_max));
            assert_eq!(page.missed, 0);
            got.extend(page.rows().map(|row| row.record.message().to_owned()));
            assert_eq!(page.more, got.len() < pushed.len());
            if page.is_empty() {
                break;
            }
            query.after = Some(Cursor::read(page.end));
        }
        assert_eq!(got, pushed, "{limit} {bytes_max}");
    }
}

#[test]
fn the_last_recorded_whatever_their_time() {
    let ring = Ring::default();
    for n in 0..100_i64 {
        // What is recorded later is older.
        let level = if n % 10 == 0 { Level::Error } else { Level::Info };
        ring.push(&Entry::new(Timestamp(1_000_000 - n), level, n.to_string()));
    }
    let query = |filter, limit| Query {
        filter,
        limit,
        order: Order::Ascending,
        last_recorded: true,
        ..Query::default()
    };
    let found = |query: &Query| -> Vec<String> {
        ring.query(query).rows().map(|row| row.record.message().to_owned()).collect()
    };
    assert_eq!(found(&query(Filter::default(), 3)), ["97", "98", "99"]);
    let errors = Filter::Levels(crate::LevelSet::at_least(Level::Error));
    assert_eq!(found(&query(errors, 2)), ["80", "90"]);
}

#[test]
fn nothing_recorded_after_the_given_moment() {
    let ring = Ring::default();
    let push = |text: &str| ring.push(&Entry::new(Timestamp::now(), Level::Info, text));
    push("before");
    let progress = ring.progress();
    push("after");
    let mut query =
        Query { after: Some(Cursor::default()), order: Order::Ascending, ..Query::default() };
    let mut collector = Collector::new(&query);
    collector.recorded_until(progress.observed);
    collector.ring(&ring);
    let page = collector.finish();
    let messages = |page: &Page| -> Vec<String> {
        page.rows().map(|row| row.record.message().to_owned()).collect()
    };
    assert_eq!(messages(&page), ["before"]);
    query.after = Some(Cursor::read(page.end));
    assert_eq!(messages(&ring.query(&query)), ["after"]);
    assert_eq!((progress.recorded, ring.progress().recorded), (1, 2));
}

#[test]
fn the_time_limit_ends_a_search_and_says_so() {
    use crate::filter::{Field, Pattern, Test};
    let ring = Ring::default();
    for i in 0..10 {
        ring.push(&Entry::new(Timestamp(i), Level::Info, "message"));
    }
    let contains = Filter::Field(Field::Message, Test::Matches(Pattern::new("mes+age").unwrap()));
    let now = Some(std::time::Duration::ZERO);
    for (filter, time_limit, gave_up) in [
        (contains.clone(), now, true),
        (contains, None, false),
        // Level and time alone take no time worth limiting.
        (Filter::default(), now, false),
    ] {
        let query = Query { filter, time_limit, ..Query::default() };
        let page = ring.query(&query);
        assert_eq!((page.gave_up, page.is_empty()), (gave_up, gave_up));
        let mut seen = 0;
        let mut count = |_: RowRef<'_>| seen += 1;
        let mut collector = Collector::visiting(&query, &mut count);
        collector.ring(&ring);
        // What the visitor does takes time, whatever the filter.
        assert_eq!(collector.finish().gave_up, time_limit.is_some());
        assert_eq!(seen, if time_limit.is_some() { 0 } else { 10 });
    }
}

/// The name is told by a number there, so its text is nowhere in the chunk.
#[test]
fn a_known_thread_name_is_found() {
    let ring = Ring::with_processors(RingOptions::default(), 1);
    for name in ["MainThread", "main", "worker"] {
        let entry = Entry::new(Timestamp(0), Level::Info, name);
        ring.push(&Entry { thread_name: Some(name.to_owned()), ..entry });
    }
    for (test, found) in [
        (Test::Is("MainThread".into()), &["MainThread"][..]),
        (Test::Is("worker".into()), &["worker"]),
        (Test::Contains("MAIN".into()), &["main", "MainThread"]),
        (Test::Contains("in".into()), &["main", "MainThread"]),
        (Test::Contains("k".into()), &["worker"]),
        (Test::Is("Main".into()), &[]),
    ] {
        let filter = Filter::Field(Field::ThreadName, test);
        assert_eq!(messages(&ring.query(&Query { filter, ..Query::default() })), found);
    }
}
