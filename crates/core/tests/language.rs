//! The query language from outside: what a fixed set of entries answers to a long list of queries, what
//! malformed ones are told, and that a filter's printed form is that filter.
//!
//! `UPDATE_GOLDEN=1` writes the two lists anew; read the difference like code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use jiff::tz::TimeZone;
use logrec_core::{
    Entry, EntryId, Filter, Level, LevelSet, Marks, Order, Query, Ring, RingId, RingOptions, Seq,
    Times, Timestamp, Value,
    filter::{Comparison, Field, Head, Pattern, Test},
    record::{RecordRef, RecordWriter},
};
use proptest::prelude::*;

/// 2026-01-02T03:04:00Z.
const START: i64 = 1_767_323_040_000_000_000;

struct Deploy;

impl Marks for Deploy {
    fn time(&self, name: &str) -> Option<Timestamp> {
        (name == "deploy").then_some(Timestamp(START + 12_000_000_000))
    }

    fn names(&self) -> Vec<String> {
        vec!["deploy".to_owned()]
    }
}

/// Now is 20 seconds after the first entry.
fn parse(text: &str) -> Result<Filter, String> {
    let zone = TimeZone::UTC;
    let times = Times::new(Timestamp(START + 20_000_000_000), &zone);
    Filter::parse(text, &times.with_marks(&Deploy)).map_err(|e| e.to_string())
}

/// One entry a second, a to t.
fn data_set() -> Vec<Entry> {
    let mut n = 0;
    let mut entry = |level: Level, logger: &str, message: &str| {
        n += 1;
        Entry {
            timestamp: Timestamp(START + (n - 1) * 1_000_000_000),
            level,
            logger: logger.into(),
            message: message.into(),
            process: Some(4242),
            ..Entry::default()
        }
    };
    let text = |text: &str| Some(text.to_owned());
    use Level::{Critical, Debug, Error, Info, Trace, Warning};
    let mut all = vec![
        /* a */
        entry(Info, "backend.main", "startup: listening on http://example.com/path?x=1"),
        /* b */ entry(Debug, "backend.engine.game", "Player Ada joined room abc123"),
        /* c */ entry(Warning, "backend.engine.game", "state mismatch in room xyz789"),
        /* d */
        entry(Error, "backend.api.routes.ws", "WebSocket connection failed for room abc123"),
        /* e */ entry(Error, "backend.engine.game", "Failed to process player action"),
        /* f */ entry(Info, "backend.api.access", "GET /api/users 200 in 12.5 ms"),
        /* g */ entry(Warning, "backend.db", "Database query timed out after 2.3s"),
        /* h */ entry(Critical, "backend.db", "connection pool exhausted at 100%"),
        /* i */ entry(Trace, "", "tick 12:34:56"),
        /* j */ entry(Info, "shop.mail", "sent to user@example.com: Größe XL"),
        /* k */ entry(Info, "shop.mail", "größe geändert 日本 🎴"),
        /* l */ entry(Warning, "shop.cart", "timeout waiting for OR"),
        /* m */
        entry(Debug, "shop.cart", "quote \" inside, back\\slash, tab\there, line\nbreak"),
        /* n */ entry(Info, "shop.cart", ""),
        /* o */ entry(Error, "shop.pay", "payment refused"),
        /* p */ entry(Info, "backend.engine.cards", "playing out a hand"),
        /* q */ entry(Info, "backend.engine.cards", "dealt 5 cards"),
        /* r */ entry(Debug, "backend.api.routes.ws", "ping websocket"),
        /* s */ entry(Info, "backend.api.access", "POST /api/rooms 404 took=2.3s"),
        /* t */ entry(Critical, "backend.main", "a fatal order of b"),
    ];
    let [a, b, c, d, e, f, g, h, i, j, k, _, m, n, o, p, q, _, s, t] = &mut all[..] else {
        unreachable!("there are twenty")
    };
    a.thread_name = text("MainThread");
    a.module = text("main");
    a.function = text("startup");
    a.line = Some(12);
    a.attributes = vec![("ok".into(), Value::Bool(true)), ("emoji".into(), "🎴".into())];
    b.service = text("cards");
    b.attributes = vec![("room".into(), "abc123".into()), ("name".into(), "Ada".into())];
    c.service = text("cards");
    c.module = text("game");
    c.function = text("validate_state");
    c.file = text("/app/backend/engine/game.py");
    c.line = Some(200);
    c.attributes = vec![("room".into(), "xyz789".into()), ("empty".into(), "".into())];
    d.module = text("ws");
    d.function = text("websocket_endpoint");
    d.line = Some(156);
    d.trace_id = text("4bf92f3577b34da6a3ce929d0e0e4736");
    d.span_id = text("00f067aa0ba902b7");
    d.attributes = vec![
        ("room".into(), "abc123".into()),
        ("http".into(), Value::Map(vec![("status".into(), Value::Int(500))])),
        ("http.route".into(), "/ws".into()),
    ];
    e.module = text("game");
    e.function = text("process_action");
    e.file = text("/app/backend/engine/game.py");
    e.line = Some(245);
    e.thread = Some(140_234_567_890);
    e.thread_name = text("worker-3");
    e.exception = text("Traceback (most recent call last):\n  File \"x\"\nKeyError: 'gold'");
    f.attributes = vec![
        ("http.status".into(), Value::Int(200)),
        ("http.route".into(), "/api/users".into()),
        ("duration_ms".into(), Value::Float(12.5)),
    ];
    g.attributes =
        vec![("duration_ms".into(), Value::Int(2300)), ("ok".into(), Value::Bool(false))];
    h.process = Some(5000);
    h.attributes =
        vec![("duration_ms".into(), "slow".into()), ("big".into(), Value::UInt(u64::MAX))];
    i.attributes = vec![("big".into(), Value::Float(1e20))];
    i.process = None;
    j.service = text("shop");
    j.attributes =
        vec![("user name".into(), "Ada Lovelace".into()), ("name".into(), "Müller".into())];
    // Of a microsecond, its later half.
    k.timestamp = Timestamp(k.timestamp.0 + 500);
    k.attributes = vec![("name".into(), "MÜLLER".into())];
    m.attributes = vec![("tags".into(), Value::Array(vec!["a".into(), "b".into()]))];
    n.attributes =
        vec![("level".into(), Value::Int(7)), ("message".into(), "the inner one".into())];
    o.exception = text("Traceback (most recent call last):\nValueError: bad card");
    o.attributes = vec![("x_forwarded.for".into(), "10.0.0.7".into())];
    p.attributes = vec![("duration_ms".into(), Value::Int(500))];
    q.attributes = vec![(
        "deep".into(),
        Value::Map(vec![(
            "a".into(),
            Value::Map(vec![("b".into(), Value::Map(vec![("c".into(), Value::Int(9))]))]),
        )]),
    )];
    s.attributes = vec![("http".into(), Value::Map(vec![("status".into(), Value::UInt(404))]))];
    t.thread_name = text("worker-12");
    all
}

/// Letters of the entries that a ring with the data set answers.
fn ask(ring: &Ring, names: &[(EntryId, char)], filter: Filter) -> String {
    let query = Query { filter, limit: 1000, order: Order::Ascending, ..Query::default() };
    let page = ring.query(&query);
    let name = |id| names.iter().find(|(known, _)| *known == id).map(|(_, letter)| *letter);
    page.rows().map(|row| name(row.id()).unwrap()).collect()
}

fn golden(file: &str, made: impl Fn(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/language").join(file);
    let there = fs::read_to_string(&path).unwrap();
    let made = made(&there);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &made).unwrap();
    }
    for (n, (made, there)) in made.lines().zip(there.lines()).enumerate() {
        assert_eq!(made, there, "{file} line {}", n + 1);
    }
    assert_eq!(made.lines().count(), there.lines().count());
}

#[test]
fn what_queries_find() {
    let ring = Ring::new(RingOptions::default());
    let ids: Vec<EntryId> = data_set()
        .iter()
        .map(|entry| EntryId { ring: ring.id(), seq: ring.push(entry).unwrap() })
        .collect();
    let names: Vec<(EntryId, char)> = ids.into_iter().zip('a'..='t').collect();
    let is_known =
        |text: &str| text.contains("id=1-") || text.contains("id!=1-") || text.contains("id:1-");
    golden("queries.txt", |list| {
        let mut made = String::new();
        for line in list.lines() {
            let Some((text, _)) = line.rsplit_once(" =>").filter(|_| !line.starts_with('#')) else {
                let _ = writeln!(made, "{line}");
                continue;
            };
            // Ids are random: 1-20 stands for the first entry's, 1-40 for the second's.
            let given = if is_known(text) {
                text.replace("1-20", &names[0].0.to_string())
                    .replace("1-40", &names[1].0.to_string())
            } else {
                text.to_owned()
            };
            let filter = parse(&given).unwrap_or_else(|e| panic!("`{text}`: {e}"));
            assert_eq!(
                parse(&filter.to_string()),
                Ok(filter.clone()),
                "`{text}` printed: `{filter}`"
            );
            let found = ask(&ring, &names, filter);
            let _ = writeln!(made, "{text} =>{}{found}", if found.is_empty() { "" } else { " " });
        }
        made
    });
}

#[test]
fn what_malformed_queries_are_told() {
    golden("malformed.txt", |list| {
        let mut made = String::new();
        for line in list.lines() {
            if let Some(text) = line.strip_prefix("> ") {
                let error = parse(text).err().unwrap_or_else(|| panic!("`{text}` is accepted"));
                let _ = writeln!(made, "{line}\n{error}");
            } else if line.starts_with('#') {
                let _ = writeln!(made, "{line}");
            }
        }
        made
    });
}

#[test]
fn times_get_a_zone_and_nothing_else_changes() {
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    let times = Times::new(Timestamp(START), &zone).with_marks(&Deploy);
    for (text, expected) in [
        ("", ""),
        ("a timestamp:*", "error"),
        (
            r#"timestamp>=mark:deploy  (timestamp < "2026-01-02 03:04:05" OR -größe)"#,
            r#"timestamp>=mark:deploy  (timestamp < 2026-01-02T02:04:05Z OR -größe)"#,
        ),
        (
            "timestamp=2026-01-02 attr.timestamp=2026-01-02 \"timestamp=2026-01-02\"",
            "timestamp=2026-01-01T23:00:00Z attr.timestamp=2026-01-02 \"timestamp=2026-01-02\"",
        ),
        ("timestamp>15m timestamp<2026-01-02T03:04:05Z", ""),
        (r#"level=error /a\/b/i id!=1-20 a"#, ""),
    ] {
        match Filter::with_zones(text, &times) {
            Ok(zoned) => {
                assert_eq!(zoned, if expected.is_empty() { text } else { expected });
                let utc = Times { zone: &TimeZone::UTC, ..times };
                assert_eq!(Filter::parse(&zoned, &utc), Filter::parse(text, &times));
            }
            Err(error) => assert_eq!(expected, "error", "{error}"),
        }
    }
}

#[test]
fn bounds_are_errors() {
    for (text, expected) in [
        ("a ".repeat(6000), "the query has 12000 bytes; give at most 10000"),
        ("(".repeat(51), "parentheses are nested deeper than 50"),
        ("/a/ ".repeat(17), "there are more than 16 patterns"),
        (
            format!("message~\"{}\"", "a".repeat(5000)),
            "the pattern has 5000 bytes; give at most 4096",
        ),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(parse(&format!("{}a{}", "(".repeat(50), ")".repeat(50))).is_ok());
}

/// What a filter means, said as plainly as possible: over an owned entry, without compiling anything.
fn model(filter: &Filter, id: EntryId, entry: &Entry) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|f| model(f, id, entry)),
        Filter::Or(any) => any.iter().any(|f| model(f, id, entry)),
        Filter::Not(f) => !model(f, id, entry),
        Filter::Levels(set) => set.contains(entry.level),
        Filter::Since(t) => entry.timestamp >= *t,
        Filter::Until(t) => entry.timestamp <= *t,
        Filter::Ids(ids) => ids.contains(&id),
        // None is found as such, and as nothing else.
        Filter::Field(Field::Logger, test) if entry.logger.is_empty() => {
            *test == Test::Is(String::new())
        }
        Filter::Field(field, test) => values(field, entry).iter().any(|value| passes(test, value)),
        other => panic!("no model of {other:?}"),
    }
}

fn values(field: &Field, entry: &Entry) -> Vec<Value> {
    let text = |text: &Option<String>| text.iter().map(|t| Value::from(&**t)).collect();
    let number = |n: Option<u64>| n.into_iter().map(Value::UInt).collect();
    match field {
        Field::Text => [values(&Field::Message, entry), values(&Field::Exception, entry)].concat(),
        Field::Message => vec![Value::from(&*entry.message)],
        Field::Logger => vec![Value::from(&*entry.logger)],
        Field::Exception => text(&entry.exception),
        Field::Module => text(&entry.module),
        Field::Function => text(&entry.function),
        Field::File => text(&entry.file),
        Field::ThreadName => text(&entry.thread_name),
        Field::Service => text(&entry.service),
        Field::TraceId => text(&entry.trace_id),
        Field::SpanId => text(&entry.span_id),
        Field::Line => number(entry.line.map(u64::from)),
        Field::Thread => number(entry.thread),
        Field::Process => number(entry.process),
        Field::Attribute(name) => {
            // Of dots, those of the data set: a whole name, or one step into a map.
            let of = |attributes: &[(String, Value)], name: &str| {
                attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
            };
            let found = of(&entry.attributes, name).or_else(|| {
                let (outer, inner) = name.split_once('.')?;
                let Value::Map(items) = of(&entry.attributes, outer)? else { return None };
                of(&items, inner)
            });
            match found {
                Some(Value::Array(items)) => items,
                other => other.into_iter().collect(),
            }
        }
        other => panic!("no model of {other:?}"),
    }
}

fn passes(test: &Test, value: &Value) -> bool {
    let printed = match value {
        Value::Str(text) => text.clone(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        other => panic!("no model of {other:?}"),
    };
    let number = printed.parse::<f64>().ok();
    match test {
        Test::Contains(text) => printed.to_lowercase().contains(&text.to_lowercase()),
        Test::Is(text) => {
            let is_number = match value {
                Value::Float(_) => true,
                // From 2^53 on not every whole number is a double.
                Value::Int(n) => n.unsigned_abs() < 1 << 53,
                Value::UInt(n) => *n < 1 << 53,
                _ => false,
            };
            printed == *text || (is_number && number.is_some() && number == text.parse().ok())
        }
        Test::Matches(pattern) => pattern.is_match(printed.as_bytes()),
        Test::Compare(comparison, n) => {
            !matches!(value, Value::Bool(_))
                && number.is_some_and(|number| comparison.holds(number, *n))
        }
        other => panic!("no model of {other:?}"),
    }
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "room",
            "ws",
            "a",
            "abc123",
            "Failed",
            "OR",
            "NOT",
            "-x",
            "*",
            "/x/",
            "größe",
            "",
            " ",
            "200-300",
            "500",
            "12.5",
            "a:b",
            "a=b",
            "\"",
            "\\",
            "\n",
            "(",
            "日本",
            "true",
            "http://x",
            "main",
            "cards",
            "KeyError",
            "1e20",
            "18446744073709551614",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

fn fields() -> impl Strategy<Value = Field> {
    let attributes = [
        "room",
        "name",
        "duration_ms",
        "ok",
        "level",
        "mesage",
        "user name",
        "attr.x",
        "",
        "tags",
        "big",
        "http.status",
    ];
    prop_oneof![
        prop::sample::select(vec![
            Field::Text,
            Field::Message,
            Field::Exception,
            Field::Logger,
            Field::Module,
            Field::Function,
            Field::File,
            Field::Line,
            Field::Thread,
            Field::ThreadName,
            Field::Process,
            Field::Service,
            Field::TraceId,
            Field::SpanId,
        ]),
        prop::sample::select(attributes.to_vec())
            .prop_map(|name| Field::Attribute(name.to_owned())),
    ]
}

fn tests() -> impl Strategy<Value = Test> {
    let patterns =
        ["room", "^P", r"a/b", r"a\/b", "", "(?i)ROOM", "[a-z]+\\d", "\\\\", "x|y", "\"", ")", "ö"];
    let comparisons =
        [Comparison::Less, Comparison::AtMost, Comparison::AtLeast, Comparison::Greater];
    prop_oneof![
        words().prop_map(Test::Contains),
        words().prop_map(Test::Is),
        prop::sample::select(patterns.to_vec())
            .prop_filter_map("a pattern", |p| Pattern::new(p).ok())
            .prop_map(Test::Matches),
        (prop::sample::select(comparisons.to_vec()), -300.0..3000.0)
            .prop_map(|(c, n)| Test::Compare(c, n)),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    let level = prop::sample::select(Level::ALL.to_vec());
    let times = (0..25_000_000_000i64).prop_map(|ns| Timestamp(START + ns));
    let on_the_second = (0..25i64).prop_map(|s| Timestamp(START + s * 1_000_000_000));
    let leaf = prop_oneof![
        1 => prop::collection::vec(level, 0..4).prop_map(|l| Filter::Levels(l.into_iter().collect::<LevelSet>())),
        1 => prop_oneof![times.clone(), on_the_second.clone()].prop_map(Filter::Since),
        1 => prop_oneof![times, on_the_second].prop_map(Filter::Until),
        1 => prop::collection::vec((1..3u64, 0..22u64), 1..4).prop_map(|ids| {
            Filter::Ids(ids.into_iter().map(|(r, s)| EntryId { ring: RingId(r), seq: Seq::from_raw(s) }).collect())
        }),
        8 => (fields(), tests())
            // What no text can say: a bare value is looked for, not compared.
            .prop_filter("sayable", |(f, t)| *f != Field::Text || matches!(t, Test::Contains(_)))
            .prop_map(|(field, test)| Filter::Field(field, test)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Filter::Or),
            inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_and_parsed_is_the_same(filter in filters()) {
        let printed = filter.to_string();
        prop_assume!(printed.len() <= Filter::TEXT_BYTES_MAX);
        let parsed = parse(&printed).map_err(|e| TestCaseError::fail(format!("`{printed}` {e}")))?;
        prop_assert_eq!(parsed, filter.normalized(), "{}", printed);
    }

    #[test]
    fn the_matcher_is_the_model(filter in filters()) {
        let matcher = filter.compile();
        let mut buf = Vec::new();
        for (n, entry) in (0..).zip(data_set()) {
            RecordWriter::new(&mut buf, 1 << 16).entry(&entry);
            let id = EntryId { ring: RingId(1), seq: Seq::from_raw(n) };
            let head = Head { id, time: entry.timestamp, level: entry.level };
            let matches = matcher.may_match(entry.timestamp, entry.level)
                && matcher.matches(&head, RecordRef::new(&buf));
            prop_assert_eq!(matches, model(&filter, id, &entry), "{} on {:?}", filter, entry);
        }
    }

    #[test]
    fn a_ring_answers_as_the_model(filter in filters()) {
        let ring = Ring::new(RingOptions::default());
        let entries = data_set();
        let ids: Vec<_> = entries.iter().map(|e| EntryId { ring: ring.id(), seq: ring.push(e).unwrap() }).collect();
        let expected: BTreeSet<_> =
            ids.iter().zip(&entries).filter(|(id, e)| model(&filter, **id, e)).map(|(id, _)| *id).collect();
        let query = Query { filter, limit: 100, ..Query::default() };
        let page = ring.query(&query);
        let found: BTreeSet<_> = page.rows().map(|row| row.id()).collect();
        prop_assert_eq!(found, expected);
    }

    /// No text makes the parser panic, and what it accepts it can say again.
    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![
        "\\PC{0,40}",
        "[a-z:=~<>!\"/()\\-* \\\\OR NOT AND 0-9.]{0,40}",
        prop::collection::vec(words(), 0..8).prop_map(|words| words.join(" ")),
    ]) {
        match parse(&text) {
            Ok(filter) => {
                let printed = filter.to_string();
                prop_assert_eq!(parse(&printed), Ok(filter), "{}", printed);
            }
            Err(message) => {
                let at: usize = message.strip_prefix("at character ").unwrap().split(':').next().unwrap().parse().unwrap();
                prop_assert!(at >= 1 && at <= text.chars().count() + 1, "{}", message);
            }
        }
    }
}

/// A fuzzer: queries of the two lists, cut, spliced and with bytes changed, for a second or as long as
/// `LOGREC_FUZZ_SECONDS` says (a sixth of it: others fuzz, too). None makes the parser panic, what it accepts it
/// can say again, and no matcher panics over an entry.
#[test]
fn mutated_queries_are_read_or_refused() {
    let seconds = std::env::var("LOGREC_FUZZ_SECONDS").ok().and_then(|s| s.parse::<u64>().ok());
    let until = std::time::Instant::now()
        + std::time::Duration::from_millis(seconds.map_or(1000, |s| s * 1000 / 6));
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let read = |file| fs::read_to_string(root.join(file)).unwrap();
    let lists = read("queries.txt") + &read("malformed.txt");
    let corpus: Vec<&str> = lists
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("at character"))
        .map(|line| line.strip_prefix("> ").unwrap_or(line).split(" =>").next().unwrap())
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let entries = data_set();
    let (mut tried, mut accepted, mut buf) = (0u64, 0u64, Vec::new());
    while std::time::Instant::now() < until {
        let mut bytes = corpus[random(corpus.len())].as_bytes().to_vec();
        for _ in 0..=random(4) {
            let at = random(bytes.len() + 1);
            match random(5) {
                0 => bytes.truncate(at),
                1 => bytes.extend(corpus[random(corpus.len())].bytes()),
                2 => bytes.insert(at, b" ()\"/\\:=~<>!-*~,.{}\x00\xffORNT09"[random(27)]),
                3 if at < bytes.len() => _ = bytes.remove(at),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << random(8);
                    }
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        tried += 1;
        if let Ok(filter) = parse(&text) {
            accepted += 1;
            let printed = filter.to_string();
            assert_eq!(parse(&printed), Ok(filter.clone()), "`{text}` printed: `{printed}`");
            let entry = &entries[random(entries.len())];
            RecordWriter::new(&mut buf, 1 << 16).entry(entry);
            let id = EntryId { ring: RingId(1), seq: Seq::from_raw(0) };
            let head = Head { id, time: entry.timestamp, level: entry.level };
            let _ = filter.compile().matches(&head, RecordRef::new(&buf));
        }
    }
    // The corpus is neither all good nor all bad.
    assert!(accepted * 20 > tried && accepted < tried, "{accepted} of {tried} accepted");
}
