use std::fmt;

use proptest::prelude::*;

use super::*;
use crate::{Entry, Level, Timestamp, Value};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::Float),
        ".{0,20}".prop_map(Value::Str),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((".{0,8}", inner), 0..6).prop_map(Value::Map),
        ]
    })
}

prop_compose! {
    fn entry()(
        message in ".{0,200}", logger in "[a-z.]{0,20}", module in prop::option::of("[a-z]{1,9}"),
        exception in prop::option::of("(?s).{1,300}"), line in any::<Option<u32>>(),
        thread in any::<Option<u64>>(), thread_name in prop::option::of(".{1,9}"),
        trace_id in prop::option::of("[0-9a-f]{32}"), process in any::<Option<u64>>(),
        attributes in prop::collection::btree_map(".{1,9}", value(), 0..6),
    ) -> Entry {
        Entry {
            message, logger, module, exception, line, thread, thread_name, trace_id, process,
            attributes: attributes.into_iter().collect(), function: Some("f".into()), file: None, service: Some("s".into()),
            ..Entry::default()
        }
    }
}

fn encode(entry: &Entry, limit: usize) -> Vec<u8> {
    let mut buf = Vec::new();
    let mut writer = RecordWriter::new(&mut buf, limit);
    writer.entry(entry);
    writer.finish();
    buf
}

proptest! {
    #[test]
    fn what_is_written_is_read(entry in entry()) {
        let buf = encode(&entry, RECORD_BYTES_MAX);
        prop_assert_eq!(RecordRef::new(&buf).to_entry(entry.timestamp, entry.level), entry);
    }

    #[test]
    fn a_cut_record_is_well_formed_and_counts(entry in entry(), limit in 64usize..600) {
        let buf = encode(&entry, limit);
        let read = RecordRef::new(&buf).to_entry(entry.timestamp, entry.level);
        prop_assert!(buf.len() <= limit + 160, "{} of {limit}", buf.len());
        prop_assert!(entry.message.starts_with(&read.message));
        let cut = read.attributes.iter().any(|(name, _)| name == CUT_BYTES);
        prop_assert_eq!(cut, encode(&entry, usize::MAX) != buf);
    }

    #[test]
    fn damaged_bytes_never_panic(entry in entry(), at in any::<prop::sample::Index>(), with: u8, keep in any::<prop::sample::Index>()) {
        let mut buf = encode(&entry, RECORD_BYTES_MAX);
        let i = at.index(buf.len());
        buf[i] = with;
        buf.truncate(keep.index(buf.len() + 1));
        let _ = RecordRef::new(&buf).to_entry(entry.timestamp, entry.level);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = RecordRef::new(&bytes).to_entry(Timestamp(0), Level::Info);
    }
}

#[test]
fn a_value_that_fails_to_format_keeps_the_rest() {
    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }
    let mut buf = Vec::new();
    let mut writer = RecordWriter::new(&mut buf, 1000);
    writer.message(&Fails);
    writer.logger("a.b");
    writer.finish();
    let record = RecordRef::new(&buf);
    assert_eq!(record.message(), "half [formatting failed]");
    assert_eq!(record.logger(), "a.b");
}

#[test]
fn deep_nesting_ends_in_an_ellipsis() {
    let mut deep = Value::Null;
    for _ in 0..1000 {
        deep = Value::Array(vec![deep]);
    }
    let entry = Entry { attributes: vec![("deep".into(), deep)], ..Entry::default() };
    let buf = encode(&entry, RECORD_BYTES_MAX);
    let mut at = RecordRef::new(&buf).attribute("deep").map(|v| v.to_value());
    while let Some(Value::Array(mut items)) = at {
        at = items.pop();
    }
    assert_eq!(at, Some(Value::Str("…".into())));
    // Dropping the entry itself recurses a thousand deep, which a stack bears.
}

#[test]
fn prepared_fields_are_as_if_written_in_place() {
    let write = |writer: &mut RecordWriter<'_>| {
        writer.logger("shop::cart");
        writer.line(7);
        writer.exception(&"boom");
        writer.attribute_strs("spans", ["a", "", "ü"].into_iter());
    };
    let prepared = Prepared::new(write);
    let (mut direct, mut copied) = (Vec::new(), Vec::new());
    for (buf, is_prepared) in [(&mut direct, false), (&mut copied, true)] {
        let mut writer = RecordWriter::new(buf, 1 << 16);
        writer.message_str("paid");
        if is_prepared {
            writer.prepared(&prepared)
        } else {
            write(&mut writer)
        }
        assert!(!writer.finish());
    }
    assert_eq!(direct, copied);
    let entry = RecordRef::new(&copied).to_entry(Timestamp(0), Level::Info);
    assert_eq!((entry.logger.as_str(), entry.message.as_str()), ("shop::cart", "paid"));
    assert_eq!(entry.exception.as_deref(), Some("boom"));
    let spans = Value::Array(vec!["a".into(), "".into(), "ü".into()]);
    assert_eq!(entry.attribute("spans"), Some(&spans));
}

#[test]
fn prepared_fields_that_do_not_fit_are_left_out_and_counted() {
    let prepared = Prepared::new(|writer| writer.logger(&"x".repeat(100)));
    let mut buf = Vec::new();
    let mut writer = RecordWriter::new(&mut buf, 64);
    writer.prepared(&prepared);
    writer.message_str("kept");
    assert_eq!(writer.cut_bytes(), 105);
    assert!(writer.finish());
    let record = RecordRef::new(&buf);
    assert_eq!((record.message(), record.logger()), ("kept", ""));
}

#[test]
fn of_an_attribute_given_twice_the_last_counts() {
    let attributes = [("a", 1), ("b", 2), ("a", 3)].map(|(n, v)| (n.to_owned(), Value::Int(v)));
    let entry = Entry { attributes: attributes.to_vec(), ..Entry::default() };
    let buf = encode(&entry, RECORD_BYTES_MAX);
    let read = RecordRef::new(&buf).to_entry(entry.timestamp, entry.level);
    assert_eq!(read.attributes, attributes[1..]);
}

#[test]
fn a_cut_name_cuts_nothing_else() {
    let mut buf = Vec::new();
    let mut writer = RecordWriter::new(&mut buf, 9000);
    writer.logger(&"l".repeat(2000));
    writer.message(&format_args!("all of {} is here", "it"));
    assert!(writer.finish());
    assert_eq!(RecordRef::new(&buf).message(), "all of it is here");
}
