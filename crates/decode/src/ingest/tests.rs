use logrec_core::Level;

use super::*;

const ARRIVAL: Timestamp = Timestamp(1_700_000_000_000_000_000);

fn ingest(body: &str) -> Ingest {
    decode_ingest(body.as_bytes(), ARRIVAL).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn one(body: &str) -> Entry {
    let ingest = ingest(body);
    assert_eq!((ingest.entries.len(), ingest.rejected), (1, 0), "{body}: {:?}", ingest.problems);
    ingest.entries.into_iter().next().unwrap()
}

fn check_rejected(body: &str, expected: &str) {
    let ingest = ingest(body);
    assert_eq!((ingest.entries.len(), ingest.rejected), (0, 1), "{body}: {ingest:?}");
    let error = &ingest.problems[0].error;
    assert!(error.contains(expected), "{body}: {error}");
}

fn check_refused(body: &[u8], expected: &str) {
    let error = decode_ingest(body, ARRIVAL).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn every_field_by_its_name() {
    let entry = one(
        r#"{"timestamp":1703123456.789012,"level":"warn","logger":"game.engine","message":"hi",
        "module":"m","function":"f","line":245,"thread":140234567890,"thread_name":"T","exception":"Traceback",
        "file":"a.py","process":7,"service":"api","trace_id":"ab","span_id":"cd",
        "attributes":{"a":1,"b":{"c":[true,null]}},"extra":1.5,"id":"42"}"#,
    );
    assert_eq!(entry.timestamp, Timestamp(1_703_123_456_789_012_000));
    assert_eq!(entry.level, Level::Warning);
    assert_eq!((&*entry.logger, &*entry.message), ("game.engine", "hi"));
    assert_eq!(
        (entry.module.as_deref(), entry.function.as_deref(), entry.line),
        (Some("m"), Some("f"), Some(245))
    );
    assert_eq!((entry.thread, entry.thread_name.as_deref()), (Some(140_234_567_890), Some("T")));
    assert_eq!(
        (entry.exception.as_deref(), entry.file.as_deref()),
        (Some("Traceback"), Some("a.py"))
    );
    assert_eq!((entry.process, entry.service.as_deref()), (Some(7), Some("api")));
    assert_eq!((entry.trace_id.as_deref(), entry.span_id.as_deref()), (Some("ab"), Some("cd")));
    let names: Vec<&str> = entry.attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "extra", "id"]);
}

#[test]
fn only_the_message_is_needed() {
    let entry = one(r#"{"message":"x"}"#);
    assert_eq!(entry, Entry::new(ARRIVAL, Level::Info, "x"));
    assert_eq!(one(r#"{"message":5}"#).message, "5");
    assert_eq!(one(r#"{"msg":true}"#).message, "true");
    assert_eq!(one(r#"{"message":""}"#).message, "");
    assert_eq!(one(r#"{"message":"a","message":"b"}"#).message, "b");
    assert_eq!(
        one(r#"{"message":"x","level":null,"timestamp":null}"#),
        Entry::new(ARRIVAL, Level::Info, "x")
    );
}

#[test]
fn times_in_every_form() {
    let expected = Timestamp(1_767_323_045_000_000_000);
    for given in [
        "1767323045",
        "1767323045.0",
        "1767323045000",
        "1767323045000000",
        "1767323045000000000",
        "\"2026-01-02T03:04:05Z\"",
        "\"2026-01-02T04:04:05+01:00\"",
        "\"2026-01-02 03:04:05\"",
    ] {
        let body = format!(r#"{{"message":"x","timestamp":{given}}}"#);
        assert_eq!(one(&body).timestamp, expected, "{given}");
    }
    assert_eq!(one(r#"{"message":"x","timestamp":0}"#).timestamp, Timestamp(0));
    // What bears another logger's name for a time but is none, is an attribute.
    assert_eq!(one(r#"{"message":"x","time":12.5}"#).attribute("time"), Some(&Value::Float(12.5)));
    assert_eq!(
        one(r#"{"message":"x","ts":1767323045.5}"#).timestamp,
        Timestamp(1_767_323_045_500_000_000)
    );
    assert_eq!(one(r#"{"message":"x","time":"noon"}"#).attributes.len(), 1);
}

#[test]
fn levels_by_name_and_number() {
    for (given, level) in [
        ("\"Fatal\"", Level::Critical),
        ("30", Level::Warning),
        ("25", Level::Info),
        ("5", Level::Trace),
    ] {
        assert_eq!(one(&format!(r#"{{"message":"x","level":{given}}}"#)).level, level, "{given}");
    }
    assert_eq!(one(r#"{"message":"x","severity":"ERROR"}"#).level, Level::Error);
}

#[test]
fn bad_items_are_named() {
    check_rejected("{}", "`message` is missing");
    check_rejected(r#"{"message":null}"#, "`message` is missing");
    check_rejected(r#"{"message":{"a":1}}"#, "`message` is the object `{\"a\":1}`; give a string");
    check_rejected(
        r#"{"message":"x","level":"LOUD"}"#,
        "`level` is the string `LOUD`; give TRACE, DEBUG",
    );
    check_rejected(r#"{"message":"x","level":true}"#, "`level` is the boolean `true`");
    check_rejected(
        r#"{"message":"x","timestamp":"yesterday"}"#,
        "`timestamp` is the string `yesterday`; give seconds",
    );
    check_rejected(r#"{"message":"x","timestamp":"9999-01-01T00:00:00Z"}"#, "`timestamp`");
    check_rejected(
        r#"{"message":"x","line":"12"}"#,
        "`line` is the string `12`; give a whole number",
    );
    check_rejected(r#"{"message":"x","line":-1}"#, "`line` is the number `-1`");
    check_rejected(r#"{"message":"x","thread":"main"}"#, "goes into `thread_name`");
    check_rejected(r#"{"message":"x","logger":[1]}"#, "`logger` is the list `[1]`; give a string");
    check_rejected(
        r#"{"message":"x","attributes":[]}"#,
        "`attributes` is the list `[]`; give an object",
    );
    check_rejected(r#"{"message":"x","exception":{"a":1}}"#, "`exception` is the object");
    check_rejected(r#"{"message":"x","n":1e400}"#, "`1e400` is out of range");
    check_rejected(r#"[5]"#, "the number `5` is no entry");
    check_rejected("{\"message\" 1}", "byte 11 is `1`, where `:`");
    let long = format!(r#"{{"message":"x","level":"{}"}}"#, "y".repeat(1000));
    assert!(ingest(&long).problems[0].error.len() < 250);
}

#[test]
fn batches_keep_the_good() {
    let found = ingest("{\"message\":\"a\"}\r\n\r\n{bad\n{\"message\":\"b\"}\n");
    assert_eq!((found.entries.len(), found.rejected, found.problems[0].index), (2, 1, 1));
    let found =
        ingest("\u{feff}[{\"message\":\"a\"},{\"a\":[1,\"],\"]},{oops},,{\"message\":\"b\"}]");
    assert_eq!((found.entries.len(), found.rejected), (2, 3));
    assert_eq!(found.problems.iter().map(|p| p.index).collect::<Vec<_>>(), [1, 2, 3]);
    let found = ingest("garbage\n{\"message\":\"b\"}");
    assert_eq!((found.entries.len(), found.rejected), (1, 1));
    assert_eq!(ingest("[]"), Ingest::default());
    let many = "{}\n".repeat(50);
    let found = ingest(&many);
    assert_eq!((found.rejected, found.problems.len()), (50, 20));
}

#[test]
fn deep_nesting_is_an_items_error() {
    let deep = format!(r#"{{"message":"x","a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    check_rejected(&deep, "deeper than 128");
    let found = ingest(&format!("[{deep},{{\"message\":\"b\"}}]"));
    assert_eq!((found.entries.len(), found.rejected), (1, 1));
    check_refused("[".repeat(100_000).as_bytes(), "has no end");
}

#[test]
fn bodies_that_are_no_batch() {
    check_refused(b"", "empty");
    check_refused(b" \r\n", "empty");
    check_refused(b"5", "the number `5`; give a JSON object");
    check_refused(b"hello", "no JSON");
    check_refused(b"{\"message\":\"x\"", "ends at byte 14");
    check_refused(b"{\n\"message\":\n", "neither one whole object nor");
    check_refused(b"[{\"message\":\"x\"}", "has no end");
    check_refused(b"[{\"message\":\"x\"}] x", "follows the array, at byte 18");
    check_refused(b"{\"message\":\"\xff\"}", "not UTF-8 at byte 12");
}

#[test]
fn strange_text_is_kept() {
    assert_eq!(one(r#"{"message":"a\u0000b\ud800c"}"#).message, "a\0b\u{fffd}c");
    let found = decode_ingest(b"{\"message\":\"\xff\"}\n{\"message\":\"b\"}", ARRIVAL).unwrap();
    assert_eq!((found.entries.len(), found.rejected), (1, 1));
}

#[test]
fn too_many_and_too_long() {
    let members: Vec<String> = (0..2005).map(|i| format!("\"k{i}\":{i}")).collect();
    let entry =
        one(&format!("{{\"message\":\"x\",\"{}\":1,{}}}", "é".repeat(100), members.join(",")));
    assert_eq!(entry.attributes.len(), 2001);
    assert_eq!(entry.attributes[0].0.len(), 128);
    assert_eq!(entry.attribute("logrec.dropped_attributes"), Some(&Value::Int(6)));
}
