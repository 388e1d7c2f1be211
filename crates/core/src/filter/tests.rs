use super::*;
use crate::{
    Entry, Level, RingId, Seq, Value,
    record::{RecordRef, RecordWriter},
};

fn entry() -> Entry {
    Entry {
        timestamp: Timestamp(1000),
        level: Level::Error,
        logger: "backend.api.routes.ws".into(),
        message: "WebSocket connection failed for room abc123".into(),
        module: Some("ws".into()),
        line: Some(156),
        thread_name: Some("MainThread".into()),
        exception: Some("Traceback\nValueError: bad".into()),
        attributes: vec![
            ("room".into(), "abc123".into()),
            ("http".into(), Value::Map(vec![("status".into(), Value::Int(500))])),
            ("http.route".into(), "/ws".into()),
            ("took_ms".into(), Value::Float(12.5)),
            ("tags".into(), Value::Array(vec!["a".into(), "b".into()])),
            ("big".into(), Value::UInt(u64::MAX)),
            ("whole".into(), Value::Int(-(1 << 53) - 1)),
            ("huge".into(), Value::Float(1e20)),
        ],
        ..Entry::default()
    }
}

fn head(entry: &Entry) -> Head {
    let id = EntryId { ring: RingId(1), seq: Seq::from_raw(7) };
    Head { id, time: entry.timestamp, level: entry.level }
}

fn matches(filter: &Filter) -> bool {
    let entry = entry();
    let mut buf = Vec::new();
    RecordWriter::new(&mut buf, 1 << 16).entry(&entry);
    let matcher = filter.compile();
    matcher.may_match(entry.timestamp, entry.level)
        && matcher.matches(&head(&entry), RecordRef::new(&buf))
}

fn is(field: Field, text: &str) -> Filter {
    Filter::Field(field, Test::Is(text.into()))
}

fn has(field: Field, text: &str) -> Filter {
    Filter::Field(field, Test::Contains(text.into()))
}

fn attr(name: &str) -> Field {
    Field::Attribute(name.into())
}

#[test]
fn fields_and_tests() {
    for (filter, expected) in [
        (Filter::default(), true),
        (Filter::Or(vec![]), false),
        (has(Field::Message, "WEBSOCKET"), true),
        (has(Field::Message, "valueerror"), false),
        (has(Field::Text, "valueerror"), true),
        (has(Field::Logger, "ROUTES"), true),
        (is(Field::Module, "ws"), true),
        (is(Field::Module, "w"), false),
        (is(Field::Function, ""), false),
        (is(Field::Line, "156"), true),
        (Filter::Field(Field::Line, Test::Compare(Comparison::AtLeast, 156.0)), true),
        (Filter::Field(Field::Line, Test::Compare(Comparison::Greater, 156.0)), false),
        (is(attr("room"), "abc123"), true),
        (is(attr("http.status"), "500"), true),
        (is(attr("http.status"), "500.0"), true),
        (is(attr("http.route"), "/ws"), true),
        (is(attr("http.nothing"), "1"), false),
        (is(attr("tags"), "b"), true),
        (is(attr("big"), "18446744073709551615"), true),
        (is(attr("big"), "18446744073709551614"), false),
        (is(attr("whole"), "-9007199254740993"), true),
        (is(attr("whole"), "-9007199254740992"), false),
        (is(attr("huge"), "1e20"), true),
        (is(attr("huge"), "100000000000000000000"), true),
        (is(attr("huge"), "1.1e20"), false),
        (has(attr("http"), ""), true),
        (has(attr("http"), "…"), false),
        (is(attr("http"), "{…}"), false),
        (is(attr("http"), ""), false),
        (Filter::Field(attr("http"), Test::Matches(Pattern::new("").unwrap())), false),
        (Filter::Field(attr("took_ms"), Test::Compare(Comparison::Less, 13.0)), true),
        (Filter::Field(attr("room"), Test::Compare(Comparison::Less, 13.0)), false),
        (Filter::Field(Field::Message, Test::Matches(Pattern::new(r"room \w+$").unwrap())), true),
        (Filter::Levels(LevelSet::at_least(Level::Critical)), false),
        (Filter::Since(Timestamp(1000)).and(Filter::Until(Timestamp(1000))), true),
        (Filter::Since(Timestamp(1001)), false),
        (Filter::Not(Box::new(Filter::Since(Timestamp(1001)))), true),
        (Filter::Not(Box::new(has(Field::Exception, "KeyError"))), true),
        (Filter::Or(vec![is(Field::Module, "x"), is(Field::ThreadName, "MainThread")]), true),
    ] {
        assert_eq!(matches(&filter), expected, "{filter:?}");
    }
}

#[test]
fn an_absent_exception_contains_nothing() {
    let mut buf = Vec::new();
    RecordWriter::new(&mut buf, 1 << 16).entry(&Entry::default());
    let matcher = has(Field::Exception, "").compile();
    assert!(!matcher.matches(&head(&Entry::default()), RecordRef::new(&buf)));
}
