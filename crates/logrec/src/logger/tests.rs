use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use log::{Log, Record};
use logrec_core::Value;

use super::*;
use crate::testing::{entries, only};

fn record<'a>(level: log::Level, args: std::fmt::Arguments<'a>) -> Record<'a> {
    Record::builder()
        .level(level)
        .args(args)
        .target("shop::cart")
        .module_path(Some("shop"))
        .file(Some("src/cart.rs"))
        .line(Some(12))
        .build()
}

#[test]
fn a_record_is_an_entry() {
    let buffer = LogBuffer::new().service("shop");
    buffer.logger().log(&record(log::Level::Warn, format_args!("paid {}", 3)));
    let entry = only(&buffer);
    assert_eq!((entry.level, entry.message.as_str()), (Level::Warning, "paid 3"));
    assert_eq!((entry.logger.as_str(), entry.module.as_deref()), ("shop::cart", Some("shop")));
    assert_eq!((entry.file.as_deref(), entry.line), (Some("src/cart.rs"), Some(12)));
    assert_eq!(entry.service.as_deref(), Some("shop"));
    assert!(entry.thread > Some(0) && entry.attributes.is_empty());
}

#[test]
fn levels() {
    let buffer = LogBuffer::new();
    for level in log::Level::iter() {
        buffer.logger().log(&record(level, format_args!("fixed")));
    }
    let levels: Vec<_> = entries(&buffer).iter().map(|entry| entry.level).collect();
    assert_eq!(levels, [Level::Error, Level::Warning, Level::Info, Level::Debug, Level::Trace]);
}

#[test]
fn key_values_are_attributes_with_their_types() {
    let buffer = LogBuffer::new();
    let pairs: &[(&str, kv::Value<'_>)] = &[
        ("int", (-3).into()),
        ("uint", u64::MAX.into()),
        ("float", 0.5.into()),
        ("flag", true.into()),
        ("text", "a".into()),
        ("letter", 'b'.into()),
        ("none", kv::Value::null()),
        ("shown", kv::Value::from_debug(&[1, 2])),
        ("trace_id", "4bf92f".into()),
        ("span_id", "00f067".into()),
    ];
    buffer.logger().log(&Record::builder().args(format_args!("m")).key_values(&pairs).build());
    let entry = only(&buffer);
    let expected = [
        ("int", Value::Int(-3)),
        ("uint", Value::UInt(u64::MAX)),
        ("float", Value::Float(0.5)),
        ("flag", Value::Bool(true)),
        ("text", "a".into()),
        ("letter", "b".into()),
        ("none", Value::Null),
        ("shown", "[1, 2]".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    assert_eq!(entry.attributes, expected);
    assert_eq!(entry.trace_id.as_deref(), Some("4bf92f"));
    assert_eq!(entry.span_id.as_deref(), Some("00f067"));
}

struct OnlyWarnings {
    seen: Arc<AtomicUsize>,
}

impl Log for OnlyWarnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, _: &Record<'_>) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }

    fn flush(&self) {
        self.seen.fetch_add(100, Ordering::Relaxed);
    }
}

#[test]
fn a_tee_hands_on_what_the_other_wants() {
    let (buffer, seen) = (LogBuffer::new(), Arc::new(AtomicUsize::new(0)));
    let tee = buffer.tee(Box::new(OnlyWarnings { seen: seen.clone() }));
    tee.log(&record(log::Level::Debug, format_args!("detail")));
    tee.log(&record(log::Level::Error, format_args!("failure")));
    assert_eq!((buffer.stats().entries, seen.load(Ordering::Relaxed)), (2, 1));
    tee.flush();
    assert_eq!(seen.load(Ordering::Relaxed), 101);
    assert!(format!("{tee:?}").starts_with("LogrecLogger"));
}

/// The only test that may set the process's logger.
#[test]
fn the_programs_logger() {
    let buffer = LogBuffer::new();
    buffer.init_log().unwrap();
    log::trace!("from the macro");
    let entry = only(&buffer);
    assert_eq!((entry.level, entry.message.as_str()), (Level::Trace, "from the macro"));
    assert_eq!(entry.logger, module_path!());
    assert!(buffer.init_log().is_err());
}
