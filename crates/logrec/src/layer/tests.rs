use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use logrec_core::{Entry, Value};
use proptest::prelude::*;
use tracing::{debug, error, field, info, info_span, trace, warn};
use tracing_subscriber::{Layer as _, filter::LevelFilter, prelude::*};

use super::*;
use crate::{
    RingOptions,
    testing::{entries, only},
};

/// Everything that `log` logs, recorded by a layer alone in its subscriber.
fn recorded(log: impl FnOnce()) -> Vec<Entry> {
    let buffer = LogBuffer::new();
    let subscriber = tracing_subscriber::registry().with(buffer.layer());
    tracing::subscriber::with_default(subscriber, log);
    entries(&buffer)
}

fn one(log: impl FnOnce()) -> Entry {
    let mut entries = recorded(log);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

/// The attributes as `name=value`, in order.
fn attributes(entry: &Entry) -> Vec<String> {
    entry.attributes.iter().map(|(name, value)| format!("{name}={value:?}")).collect()
}

#[derive(Debug)]
struct Failure(&'static str, Option<Box<Self>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

#[test]
fn an_event_says_where_when_and_by_whom_it_was_logged() {
    let before = Timestamp::now();
    let entry = one(|| info!(target: "shop::cart", "paid {} of {}", 3, 4));
    assert_eq!((entry.message.as_str(), entry.logger.as_str()), ("paid 3 of 4", "shop::cart"));
    assert_eq!(entry.module.as_deref(), Some(module_path!()));
    assert!(entry.file.unwrap().ends_with("layer/tests.rs"));
    assert!(entry.line > Some(50));
    assert!((before..=Timestamp::now()).contains(&entry.timestamp));
    assert!(entry.thread > Some(0));
    assert_eq!(entry.thread_name.as_deref(), std::thread::current().name());
    assert_eq!((entry.exception, entry.trace_id, entry.service), (None, None, None));
    assert!(entry.attributes.is_empty());
}

#[test]
fn levels() {
    let entries = recorded(|| {
        trace!("t");
        debug!("d");
        info!("i");
        warn!("w");
        error!("e");
    });
    let levels: Vec<_> = entries.iter().map(|entry| entry.level).collect();
    assert_eq!(levels, &Level::ALL[..5]);
}

#[test]
fn fields_keep_their_types() {
    let entry = one(|| {
        info!(
            int = -3,
            byte = 7u8,
            huge = u64::MAX,
            float = 0.5f32,
            flag = true,
            text = "a\"b",
            debug = ?Some("x"),
            display = %'c',
            wide = i128::from(i64::MIN),
            wider = u128::MAX,
            nothing = field::Empty,
            maybe = Some(5),
            missing = None::<i32>,
            http.status = 200,
            "typed"
        );
    });
    let expected: Vec<(String, Value)> = [
        ("int", Value::Int(-3)),
        ("byte", Value::Int(7)),
        ("huge", Value::UInt(u64::MAX)),
        ("float", Value::Float(0.5)),
        ("flag", Value::Bool(true)),
        ("text", "a\"b".into()),
        ("debug", "Some(\"x\")".into()),
        ("display", "c".into()),
        ("wide", Value::Int(i64::MIN)),
        ("wider", u128::MAX.to_string().into()),
        ("maybe", Value::Int(5)),
        ("http.status", Value::Int(200)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    assert_eq!(entry.attributes, expected);
    assert_eq!(entry.message, "typed");
}

proptest! {
    #[test]
    fn typed_fields_round_trip(
        int in any::<i64>(), uint in any::<u64>(), flag in any::<bool>(),
        float in prop::num::f64::ANY.prop_filter("NaN is not itself", |n| !n.is_nan()),
        text in "(?s).{0,300}", shown in any::<Vec<String>>(), message in "(?s).{0,300}",
    ) {
        let log = || info!(int, uint, flag, float, text, ?shown, "{message}");
        let spanned = || info_span!("s", int, uint, flag, float, text, ?shown).in_scope(|| info!("{message}"));
        let expected = [
            ("int", Value::Int(int)), ("uint", uint.into()), ("flag", flag.into()),
            ("float", float.into()), ("text", text.as_str().into()),
            ("shown", format!("{shown:?}").into()),
        ];
        for entry in [one(log), one(spanned)] {
            for (name, value) in &expected {
                prop_assert_eq!(entry.attribute(name), Some(value));
            }
            prop_assert_eq!(&entry.message, &message);
        }
    }
}

#[test]
fn an_event_without_a_message_says_its_name_if_it_has_one() {
    let entries = recorded(|| {
        info!(user = 1);
        info!(name: "order.created", order = 2);
        info!(name: "order.paid", message = "thanks");
    });
    let messages: Vec<_> = entries.iter().map(|entry| entry.message.as_str()).collect();
    assert_eq!(messages, ["", "order.created", "thanks"]);
}

#[test]
fn an_error_is_an_exception_with_its_causes() {
    let failure = Failure(
        "cannot deal",
        Some(Box::new(Failure("deck empty", Some(Box::new(Failure("nobody shuffled", None)))))),
    );
    let second = Failure("second", None);
    let entry = one(|| {
        error!(
            error = &failure as &dyn Error,
            also = &second as &(dyn Error + 'static),
            "round stopped"
        );
    });
    assert_eq!(
        entry.exception.as_deref(),
        Some("cannot deal\nCaused by: deck empty\nCaused by: nobody shuffled")
    );
    assert_eq!(attributes(&entry), [r#"error=Str("cannot deal")"#, r#"also=Str("second")"#]);
}

#[test]
fn text_named_exception_is_one() {
    let trace = "Traceback:\n  at a\n  at b";
    let by_display = one(|| error!(exception = %trace, "failed"));
    let by_name = one(|| error!(exception.stacktrace = trace, "failed"));
    for entry in [by_display, by_name] {
        assert_eq!(entry.exception.as_deref(), Some(trace));
        assert!(entry.attributes.is_empty());
    }
}

#[test]
fn spans_give_their_names_and_fields() {
    let entry = one(|| {
        let _request = info_span!("request", id = 1, path = "/play", user = "ann").entered();
        let _bare = info_span!("bare").entered();
        let _play = info_span!("play", id = 2, card = ?Some(7)).entered();
        info!(user = "bob", "played");
    });
    assert_eq!(
        attributes(&entry),
        [
            r#"user=Str("bob")"#,
            "id=Int(2)",
            r#"card=Str("Some(7)")"#,
            r#"path=Str("/play")"#,
            r#"spans=Array([Str("request"), Str("bare"), Str("play")])"#,
        ]
    );
}

#[test]
fn spans_take_fields_later_and_a_field_left_empty_hides_nothing() {
    let entries = recorded(|| {
        let outer = info_span!("outer", late = field::Empty, never = field::Empty, id = 1);
        let _entered = outer.enter();
        info!("before");
        outer.record("late", 4.5);
        outer.record("id", 2u64);
        info!(id = field::Empty, "after");
        let explicit = info_span!(parent: None, "apart", x = true);
        info!(parent: &explicit, "elsewhere");
        info!(parent: None, "nowhere");
    });
    let attributes: Vec<_> = entries.iter().map(attributes).collect();
    assert_eq!(attributes[0], ["id=Int(1)", r#"spans=Array([Str("outer")])"#]);
    assert_eq!(attributes[1], ["id=Int(2)", "late=Float(4.5)", r#"spans=Array([Str("outer")])"#]);
    assert_eq!(attributes[2], ["x=Bool(true)", r#"spans=Array([Str("apart")])"#]);
    assert!(attributes[3].is_empty());
}

#[test]
fn a_field_named_spans_is_the_events_own() {
    let entry = one(|| info_span!("outer", spans = 3).in_scope(|| info!(spans = 2, "bridges")));
    assert_eq!(attributes(&entry), ["spans=Int(2)"]);
    let entry = one(|| info_span!("outer", spans = 3).in_scope(|| info!("bridges")));
    assert_eq!(attributes(&entry), [r#"spans=Array([Str("outer")])"#]);
}

#[test]
fn trace_and_span_ids_come_from_the_event_or_the_nearest_span() {
    let entries = recorded(|| {
        info!(trace_id = "4bf92f", span_id = %"00f067", "own");
        let _outer = info_span!("outer", trace_id = "outer", span_id = %"o").entered();
        let _inner = info_span!("inner", span_id = "inner").entered();
        info!("spans'");
        info!(span_id = "own", "mixed");
        info!(trace_id = 5, "a number");
        info!(trace_id = %"x".repeat(100), "long");
    });
    let ids: Vec<_> = entries
        .iter()
        .map(|e| (e.trace_id.as_deref().unwrap_or(""), e.span_id.as_deref().unwrap_or("")))
        .collect();
    let long = "x".repeat(64);
    assert_eq!(
        ids,
        [
            ("4bf92f", "00f067"),
            ("outer", "inner"),
            ("outer", "own"),
            ("", "inner"),
            (&*long, "inner")
        ]
    );
    assert_eq!(entries[3].attribute("trace_id"), Some(&Value::Int(5)));
    assert!(entries[0].attributes.is_empty());
}

#[test]
fn records_of_the_log_crate_by_way_of_tracing_log() {
    let entry = one(|| {
        let _span = info_span!("request", id = 1).entered();
        use tracing_log::log;
        log::Log::log(
            &tracing_log::LogTracer::new(),
            &log::Record::builder()
                .args(format_args!("from {}", "log"))
                .level(log::Level::Warn)
                .target("hyper::proto")
                .module_path(Some("hyper::proto::h1"))
                .file(Some("src/h1.rs"))
                .line(Some(99))
                .build(),
        );
    });
    assert_eq!(entry.level, Level::Warning);
    assert_eq!((entry.message.as_str(), entry.logger.as_str()), ("from log", "hyper::proto"));
    assert_eq!(entry.module.as_deref(), Some("hyper::proto::h1"));
    assert_eq!((entry.file.as_deref(), entry.line), (Some("src/h1.rs"), Some(99)));
    assert_eq!(attributes(&entry), ["id=Int(1)", r#"spans=Array([Str("request")])"#]);

    // An event of the program's own that only looks alike.
    let entry = one(|| info!(target: "log", { log.target = "x" }, "mine"));
    assert_eq!(entry.logger, "log");
    assert_eq!(attributes(&entry), [r#"log.target=Str("x")"#]);
}

#[test]
fn filters_and_other_layers_work_as_ever() {
    let (all, some) = (LogBuffer::new(), LogBuffer::new().service("shop"));
    let subscriber = tracing_subscriber::registry()
        .with(all.layer())
        .with(some.layer().with_filter(LevelFilter::INFO))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::sink));
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("both", n = 1, m = field::Empty);
        span.record("m", 2);
        span.in_scope(|| {
            debug!("one");
            info!("two");
        });
    });
    assert_eq!(all.stats().entries, 2);
    let entry = only(&some);
    assert_eq!(entry.service.as_deref(), Some("shop"));
    assert_eq!(attributes(&entry), ["n=Int(1)", "m=Int(2)", r#"spans=Array([Str("both")])"#]);
}

/// Cannot be shown.
struct Grenade;

impl fmt::Debug for Grenade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tick")?;
        panic!("a Debug that panics")
    }
}

/// Says that it cannot be shown.
struct Shy;

impl fmt::Debug for Shy {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[test]
fn a_value_that_panics_costs_its_own_event_only() {
    let entries = recorded(|| {
        for _ in 0..100 {
            let log = || info!(n = 1, value = ?Grenade, "never said");
            assert!(catch_unwind(AssertUnwindSafe(log)).is_err());
            let span = || info_span!("never made", value = ?Grenade);
            assert!(catch_unwind(AssertUnwindSafe(span)).is_err());
            let late = info_span!("s", v = field::Empty);
            let record = || late.record("v", field::debug(Grenade)).id();
            assert!(catch_unwind(AssertUnwindSafe(record)).is_err());
            late.in_scope(|| info!(value = ?Shy, "goes on"));
        }
    });
    assert_eq!(entries.len(), 100);
    for entry in entries {
        assert_eq!(entry.message, "goes on");
        assert_eq!(entry.attribute("value").unwrap().as_str(), Some(" [formatting failed]"));
    }
}

#[test]
fn many_threads_lose_and_tear_nothing() {
    const THREADS: usize = 8;
    const EVENTS: usize = 10_000;
    let max_entries = THREADS * EVENTS;
    let buffer = LogBuffer::with_options(RingOptions::with_max_entries(max_entries));
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(buffer.layer()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _span = info_span!("worker", thread).entered();
                    for n in 0..EVENTS {
                        info!(n, text = %"x".repeat(n % 50), "thread {thread} event {n}");
                    }
                });
            });
        }
    });
    let entries = entries(&buffer);
    assert_eq!((entries.len(), buffer.stats().dropped), (max_entries, 0));
    let mut next = [0; THREADS];
    for entry in entries {
        let number = |name| match entry.attribute(name) {
            Some(&Value::Int(n)) => usize::try_from(n).unwrap(),
            other => panic!("{name} is {other:?}"),
        };
        let (thread, n) = (number("thread"), number("n"));
        assert_eq!(n, next[thread]);
        next[thread] += 1;
        assert_eq!(entry.message, format!("thread {thread} event {n}"));
        let text = entry.attribute("text").unwrap().as_str().unwrap();
        assert!(text.len() == n % 50 && text.bytes().all(|b| b == b'x'), "{entry:?}");
    }
    assert_eq!(next, [EVENTS; THREADS]);
}

#[test]
fn a_thread_that_ends_may_log_from_its_locals() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            info!(n = 1, "last words");
        }
    }
    thread_local!(static LAST: Last = const { Last });
    let buffer = LogBuffer::new();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(buffer.layer()));
    let thread = std::thread::spawn(move || {
        let guard = tracing::dispatcher::set_default(&dispatch);
        info!("first words");
        LAST.with(|_| ());
        std::mem::forget(guard);
    });
    assert!(thread.join().is_ok());
    let entries = entries(&buffer);
    assert_eq!(entries[0].message, "first words");
    // Whether tracing itself still delivers the second depends on the order of the locals' ends.
    assert!(entries.len() <= 2);
}

#[test]
fn an_event_with_many_fields_is_whole() {
    let entry = one(|| {
        let _span = info_span!("s", a = 1, f0 = 2, z = 3).entered();
        info!(
            f0 = 0,
            f1 = 1,
            f2 = 2,
            f3 = 3,
            f4 = 4,
            f5 = 5,
            f6 = 6,
            f7 = 7,
            f8 = 8,
            f9 = 9,
            g0 = 0,
            g1 = 1,
            g2 = 2,
            g3 = 3,
            g4 = 4,
            g5 = 5,
            g6 = 6,
            g7 = 7,
            g8 = 8,
            g9 = 9,
            "m"
        );
    });
    assert_eq!(entry.attributes.len(), 23, "{:?}", attributes(&entry));
    assert_eq!(entry.attribute("f0"), Some(&Value::Int(0)));
}
