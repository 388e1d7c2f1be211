use std::fmt;

use proptest::prelude::*;

use super::*;
use crate::{Entry, Level, Timestamp, Value, filter::Needs};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(|n| Value::Int(n.cast_signed())),
        number().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::Float),
        ".{0,20}".prop_map(Value::Str),
        "[a-z]{250,260}".prop_map(Value::Str),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((".{0,8}", inner), 0..6).prop_map(Value::Map),
        ]
    })
}

/// Numbers of every length in bytes, and those at which it changes.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64, 0u64..3)
        .prop_map(|(n, shift, less)| (n >> shift).max(1 << shift).wrapping_sub(less))
}

/// Texts around the lengths at which another form of a length is needed.
fn long_text() -> impl Strategy<Value = String> {
    let around = |len: usize| len - 3..len + 3;
    prop_oneof![
        20 => (0usize..200).boxed(),
        4 => around(255).boxed(),
        2 => around(65_535).boxed(),
        1 => (0usize..90_000).boxed(),
    ]
    .prop_flat_map(|len| "[a-zü]".prop_map(move |letter| letter.repeat(len)))
}

/// Logger, module and file, which may be one another's.
fn names() -> impl Strategy<Value = (String, Option<String>, Option<String>)> {
    let part = || prop_oneof![9 => "[a-zü.]{0,20}", 1 => "[a-z.]{240,270}"];
    (part(), part(), part(), 0u8..7).prop_map(|(a, b, folder, kind)| match kind {
        0 => (a.clone(), Some(a), Some(b)),
        1 => (a, Some(b.clone()), Some(format!("/{folder}/{b}.py"))),
        2 => (a.clone(), Some(a.clone()), Some(format!("{folder}{a}.pyc"))),
        3 => (a, Some(b.clone()), Some(format!("/{folder}.d/{b}"))),
        4 => (a, None, Some(b)),
        5 => (a, Some(b), None),
        _ => (a, Some(b), Some(folder)),
    })
}

fn thread_name() -> impl Strategy<Value = Option<String>> {
    let known = prop::sample::select(&THREAD_NAMES[..]).prop_map(str::to_owned);
    prop_oneof![Just(None), known.prop_map(Some), ".{1,9}".prop_map(Some)]
}

prop_compose! {
    fn entry()(
        message in prop_oneof![".{0,200}", long_text()], (logger, module, file) in names(),
        exception in prop::option::of(prop_oneof!["(?s).{1,300}", long_text()]), line in any::<Option<u32>>(),
        thread in prop::option::of(number()), thread_name in thread_name(),
        trace_id in prop::option::of("[0-9a-f]{32}"), process in prop::option::of(number()),
        function in prop::option::of(prop_oneof!["[a-z]{0,9}", "[a-z]{250,260}"]),
        attributes in prop::collection::btree_map(".{1,9}", value(), 0..6),
    ) -> Entry {
        Entry {
            message, logger, module, line, thread, thread_name, trace_id, process, function, file,
            exception: exception.filter(|text| !text.is_empty()),
            attributes: attributes.into_iter().collect(), service: Some("s".into()),
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
        let buf = encode(&entry, usize::MAX);
        prop_assert_eq!(RecordRef::new(&buf).to_entry(entry.timestamp, entry.level), entry);
    }

    /// As a layer does: a message after the rest, formatted in place, here in pieces.
    #[test]
    fn what_is_formatted_is_as_what_is_copied(message in long_text(), exception in long_text(), value in long_text(), before in long_text()) {
        struct Pieces<'a>(&'a str);
        impl fmt::Display for Pieces<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (a, b) = self.0.split_at(self.0.floor_char_boundary(self.0.len() / 2));
                f.write_str(a).and_then(|()| f.write_str(b))
            }
        }
        let mut formatted = Vec::new();
        let mut writer = RecordWriter::new(&mut formatted, usize::MAX);
        writer.attribute_display("before", &Pieces(&before));
        writer.exception(&Pieces(&exception));
        writer.message(&Pieces(&message));
        writer.attribute_display("value", &Pieces(&value));
        prop_assert!(!writer.finish());
        let mut copied = Vec::new();
        let mut writer = RecordWriter::new(&mut copied, usize::MAX);
        writer.attribute_str("before", &before);
        writer.exception(&exception);
        writer.message_str(&message);
        writer.attribute_str("value", &value);
        prop_assert!(formatted == copied);
        let read = RecordRef::new(&formatted);
        prop_assert!(read.message() == message && read.exception() == exception);
        prop_assert!(matches!(read.attribute("value"), Some(ValueRef::Str(text)) if text == value));
    }

    /// What the prefix tells is what the fields tell, and enough of a record for a search to begin with.
    #[test]
    fn a_search_finds_its_texts_by_the_prefix(entry in entry()) {
        let buf = encode(&entry, usize::MAX);
        let record = RecordRef::new(&buf);
        let prefix = *buf.first_chunk().unwrap();
        let [start, end] = message_range(prefix, buf.len());
        let message = record.message_bytes();
        let told = prefix[..2] != [255, 255];
        let is_there = &buf[start..end] == message;
        let is_anywhere = (start, end) == (0, buf.len());
        prop_assert!(is_there && told || is_anywhere && !told);
        for needs in 1u8..8 {
            let needs = Needs { message: needs & 1 > 0, exception: needs & 2 > 0, logger: needs & 4 > 0, others: false };
            let part = RecordRef::new(&buf[..bytes_needed(prefix, needs).min(buf.len())]);
            prop_assert!(!needs.message || part.message() == entry.message);
            prop_assert!(!needs.logger || part.logger() == entry.logger);
            prop_assert!(!needs.exception || part.exception() == entry.exception.as_deref().unwrap_or_default());
        }
    }

    /// Wherever a record ends, what is read of it is what was written, or a part.
    #[test]
    fn every_beginning_reads_as_less(entry in entry()) {
        let entry = Entry { message: entry.message.chars().take(300).collect(), exception: None, ..entry };
        let buf = encode(&entry, usize::MAX);
        for len in 0..buf.len().min(2000) {
            let read = RecordRef::new(&buf[..len]).to_entry(entry.timestamp, entry.level);
            prop_assert!(entry.message.starts_with(&read.message) && entry.logger.starts_with(&read.logger));
            prop_assert!(read.attributes.len() <= entry.attributes.len());
            for (read, whole) in [
                (read.module, &entry.module), (read.file, &entry.file), (read.function, &entry.function),
                (read.thread_name, &entry.thread_name), (read.service, &entry.service),
            ] {
                prop_assert!(read.is_none() || read == *whole);
            }
            prop_assert!(read.line.is_none() || read.line == entry.line);
            prop_assert!(read.thread.is_none() || read.thread == entry.thread);
        }
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
        let mut buf = encode(&entry, usize::MAX);
        let i = at.index(buf.len());
        buf[i] = with;
        buf.truncate(keep.index(buf.len() + 1));
        let _ = RecordRef::new(&buf).to_entry(entry.timestamp, entry.level);
    }

    /// Every tag and type, before whatever may follow.
    #[test]
    fn no_tag_panics(rest in prop::collection::vec(any::<u8>(), 0..40), at in 0u8..40) {
        for tag in 0..=u8::MAX {
            let mut buf = vec![at, 0, 3, 0, at, 0, at, 3, tag];
            buf.extend_from_slice(&rest);
            let _ = RecordRef::new(&buf).to_entry(Timestamp(0), Level::Info);
            buf.splice(8..8, [ATTRIBUTE, 1, b'a']);
            let _ = RecordRef::new(&buf).to_entry(Timestamp(0), Level::Info);
        }
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
    let buf = encode(&entry, usize::MAX);
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
    assert_eq!(writer.cut_bytes(), 102);
    assert!(writer.finish());
    let record = RecordRef::new(&buf);
    assert_eq!((record.message(), record.logger()), ("kept", ""));
}

#[test]
fn of_an_attribute_given_twice_the_last_counts() {
    let attributes = [("a", 1), ("b", 2), ("a", 3)].map(|(n, v)| (n.to_owned(), Value::Int(v)));
    let entry = Entry { attributes: attributes.to_vec(), ..Entry::default() };
    let buf = encode(&entry, usize::MAX);
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

#[test]
fn what_python_logs_takes_little() {
    let entry = Entry {
        logger: "shop.cart".into(),
        message: "paid".into(),
        module: Some("cart".into()),
        function: Some("pay".into()),
        file: Some("/app/shop/cart.py".into()),
        line: Some(300),
        thread: Some(0x7f00_1122_3344),
        thread_name: Some("MainThread".into()),
        process: Some(70_000),
        ..Entry::default()
    };
    let buf = encode(&entry, usize::MAX);
    assert_eq!(RecordRef::new(&buf).to_entry(entry.timestamp, entry.level), entry);
    let texts = "shop.cart".len() + "paid".len() + "pay".len() + "/app/shop/cart.py".len();
    let others = PREFIX_BYTES + 2 + 3 + 4 + 2 + 2 + 3 + 7 + 2 + 4;
    assert_eq!(buf.len(), texts + others);
}

#[test]
fn a_module_named_as_its_logger_takes_four_bytes() {
    let mut buf = Vec::new();
    let mut writer = RecordWriter::new(&mut buf, 1000);
    writer.logger("shop::cart");
    let before = writer.buf.len();
    writer.module("shop::cart");
    assert_eq!(writer.buf.len() - before, 4);
    // The module stays what it was when another logger is given.
    writer.logger("other");
    writer.finish();
    let entry = RecordRef::new(&buf).to_entry(Timestamp(0), Level::Info);
    assert_eq!((entry.logger.as_str(), entry.module.as_deref()), ("other", Some("shop::cart")));
}

#[test]
fn a_prepared_text_beyond_the_prefix_is_found() {
    let long = "x".repeat(70_000);
    let prepared = Prepared::new(|writer| {
        writer.attribute_str("a", &long);
        writer.logger("late");
        writer.message_str("paid");
        writer.exception(&"boom");
    });
    let mut buf = Vec::new();
    let mut writer = RecordWriter::new(&mut buf, usize::MAX);
    writer.line(1);
    writer.prepared(&prepared);
    writer.finish();
    let record = RecordRef::new(&buf);
    assert_eq!((record.logger(), record.message(), record.exception()), ("late", "paid", "boom"));
}
