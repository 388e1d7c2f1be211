//! Answers over rings and files: what a client reads, cursors, budgets, forms.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

use std::sync::Arc;

use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Ring, RingOptions, Source, Timestamp, Value};
use logrec_reader::{LogFile, Reader, Request};
use proptest::prelude::*;
use serde_json::Value as Json;

fn request(params: &[(&str, &str)]) -> Request {
    Request::parse(params.iter().copied(), Timestamp(0), &TimeZone::UTC).unwrap()
}

fn ask(reader: &Reader, params: &[(&str, &str)]) -> String {
    String::from_utf8(reader.answer(&request(params)).render()).unwrap()
}

fn json(reader: &Reader, params: &[(&str, &str)]) -> Json {
    serde_json::from_str(&ask(reader, params)).unwrap()
}

fn messages(answer: &Json) -> Vec<String> {
    let data = answer["data"].as_array().unwrap();
    data.iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
}

fn reader_of(n: i64) -> (Reader, Arc<Ring>) {
    let ring = Arc::new(Ring::default());
    for i in 0..n {
        ring.push(&Entry {
            logger: "backend.engine".into(),
            ..Entry::new(Timestamp(i * 1_000_000), Level::Info, format!("message {i}"))
        });
    }
    (Reader::new([ring.clone() as Arc<dyn Source>]), ring)
}

#[test]
fn every_field_stands_on_the_wire_as_the_contract_has_it() {
    let ring = Arc::new(Ring::default());
    ring.push(&Entry {
        timestamp: Timestamp(1_703_123_456_789_000_000),
        level: Level::Error,
        logger: "backend.engine.game".into(),
        message: "Failed \"quoted\"\n".into(),
        module: Some("game".into()),
        function: Some("process_action".into()),
        line: Some(245),
        thread: Some(140_234_567_890),
        thread_name: Some("MainThread".into()),
        exception: Some("Traceback".into()),
        file: Some("game.py".into()),
        process: Some(7),
        service: Some("cards".into()),
        trace_id: Some("aa".into()),
        span_id: Some("bb".into()),
        attributes: vec![
            ("n".into(), Value::Int(-1)),
            ("f".into(), Value::Float(0.5)),
            (
                "deep".into(),
                Value::Map(vec![("a".into(), Value::Array(vec![Value::Null, true.into()]))]),
            ),
        ],
    });
    let reader = Reader::new([ring as Arc<dyn Source>]);
    let answer = json(&reader, &[]);
    let mut entry = answer["data"][0].clone();
    assert!(entry["id"].take().is_string());
    assert_eq!(
        entry,
        serde_json::json!({
            "timestamp": 1_703_123_456.789, "level": "ERROR", "logger": "backend.engine.game",
            "message": "Failed \"quoted\"\n", "module": "game", "function": "process_action",
            "line": 245, "thread": 140_234_567_890_u64, "thread_name": "MainThread",
            "exception": "Traceback", "id": null, "file": "game.py", "process": 7,
            "service": "cards", "trace_id": "aa", "span_id": "bb",
            "attributes": {"n": -1, "f": 0.5, "deep": {"a": [null, true]}}
        })
    );
    assert_eq!(answer["count"], 1);
    assert_eq!(answer["filters_applied"], serde_json::json!({"limit": 100}));
    let few = json(&reader, &[("fields", "message,line")]);
    assert_eq!(few["data"][0], serde_json::json!({"message": "Failed \"quoted\"\n", "line": 245}));
}

#[test]
fn pages_lead_back_and_forth() {
    let (reader, ring) = reader_of(25);
    let first = json(&reader, &[("limit", "10")]);
    assert_eq!(messages(&first)[0], "message 24");
    let second =
        json(&reader, &[("limit", "10"), ("before", first["next_cursor"].as_str().unwrap())]);
    assert_eq!(
        messages(&second),
        (5..15).rev().map(|i| format!("message {i}")).collect::<Vec<_>>()
    );
    let third =
        json(&reader, &[("limit", "10"), ("before", second["next_cursor"].as_str().unwrap())]);
    assert_eq!(messages(&third).len(), 5);
    assert!(third.get("next_cursor").is_none());
    // Back from the third page: the second again.
    let back = json(&reader, &[("limit", "10"), ("after", third["prev_cursor"].as_str().unwrap())]);
    assert_eq!(messages(&back), messages(&second));
    // And on from the first: only what is new.
    let newer = first["prev_cursor"].as_str().unwrap();
    assert_eq!(messages(&json(&reader, &[("after", newer)])).len(), 0);
    ring.push(&Entry::new(Timestamp(1), Level::Info, "old by its clock, new here"));
    let new = json(&reader, &[("after", newer)]);
    assert_eq!(messages(&new), ["old by its clock, new here"]);
    assert_eq!(new["missed"], 0);
    let after = new["next_cursor"].as_str().unwrap();
    assert_eq!(json(&reader, &[("after", after)])["count"], 0);
}

#[test]
fn a_cursor_of_another_recording_is_told_so() {
    let (old, _) = reader_of(5);
    let cursor = json(&old, &[])["prev_cursor"].as_str().unwrap().to_owned();
    let (new, _) = reader_of(3);
    let answer = json(&new, &[("after", &cursor)]);
    assert_eq!((&answer["count"], &answer["missed"]), (&Json::from(3), &Json::from(0)));
    assert!(
        answer["note"].as_str().unwrap().starts_with("the cursor names 1 recording"),
        "{answer}"
    );
    let next = answer["next_cursor"].as_str().unwrap();
    let answer = json(&new, &[("after", next)]);
    assert!(answer["count"] == 0 && answer.get("note").is_none(), "{answer}");
    assert!(ask(&new, &[("after", &cursor), ("format", "text")]).contains("# the cursor names"));
}

#[test]
fn files_answer_like_rings() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    std::fs::write(
        &path,
        "2026-01-02 03:04:05,678 - backend.api - ERROR - Failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: bad\n2026-01-02 03:04:06,000 - backend.api - INFO - fine\n",
    )
    .unwrap();
    let file = LogFile::open(&path).unwrap();
    let (_, ring) = reader_of(3);
    let reader = Reader::new([Arc::new(file) as Arc<dyn Source>, ring]);
    let answer = json(&reader, &[("min_level", "error")]);
    assert_eq!(messages(&answer), ["Failed"]);
    assert!(answer["data"][0]["exception"].as_str().unwrap().ends_with("ValueError: bad"));
    assert_eq!(json(&reader, &[])["count"], 5);
    let stats: Json = serde_json::from_slice(&reader.stats_json()).unwrap();
    assert_eq!(stats["data"]["total_entries"], 5);
    assert_eq!(stats["data"]["level_counts"]["ERROR"], 1);
    assert_eq!(reader.clear(), 3);
    assert!(LogFile::open(dir.path()).is_err());
}

#[test]
fn stats_of_an_empty_ring() {
    let (reader, _) = reader_of(0);
    let stats: Json = serde_json::from_slice(&reader.stats_json()).unwrap();
    let data = &stats["data"];
    assert_eq!(data["oldest_entry"], Json::Null);
    assert_eq!(
        data["level_counts"],
        serde_json::json!({"DEBUG": 0, "INFO": 0, "WARNING": 0, "ERROR": 0, "CRITICAL": 0})
    );
    assert_eq!(data["max_size"], 2000);
}

#[test]
fn text_is_a_line_an_entry() {
    let ring = Arc::new(Ring::default());
    ring.push(&Entry {
        logger: "a.b".into(),
        exception: Some("Traceback\n  \x1b[31mred".into()),
        attributes: vec![("n".into(), Value::Int(1)), ("s".into(), "two words".into())],
        ..Entry::new(Timestamp(1_700_000_000_123_456_789), Level::Warning, "one\n2026 ERROR forged")
    });
    let reader = Reader::new([ring as Arc<dyn Source>]);
    assert_eq!(
        ask(&reader, &[("format", "text")]),
        "2023-11-14T22:13:20.123Z WARNING  a.b one\\n2026 ERROR forged n=1 s=\"two words\"\n    | Traceback\n    |   \\x1b[31mred\n"
    );
    assert!(
        ask(&reader, &[("format", "markdown")])
            .contains("- `2023-11-14T22:13:20.123Z WARNING  a.b one")
    );
    assert_eq!(ask(&reader, &[("format", "text"), ("search", "nowhere")]), "# nothing matched\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// No answer is larger than its budget, what it leaves out is counted, and following its cursors
    /// gives every entry once.
    #[test]
    fn budgets_hold_and_lose_nothing(
        sizes in prop::collection::vec(0usize..1500, 0..40), tokens in 200u64..3000,
        format in prop::sample::select(vec!["json", "text", "markdown"]), ascending: bool, follow: bool,
        long in 0usize..3000,
    ) {
        let ring = Arc::new(Ring::new(RingOptions::default()));
        for (i, size) in sizes.iter().enumerate() {
            let text = format!("#{i} {}", "é\n\"".repeat(size / 3));
            ring.push(&Entry::new(Timestamp(i as i64), Level::Info, text));
        }
        let reader = Reader::new([ring as Arc<dyn Source>]);
        let tokens_text = tokens.to_string();
        let no_match = "x".repeat(long);
        let mut params = vec![("max_tokens", tokens_text.as_str()), ("format", format)];
        if ascending {
            params.push(("order", "asc"));
        }
        let mut searching = params.clone();
        searching.push(("search", &no_match));
        let rendered = ask(&reader, &searching);
        prop_assert!(rendered.len() as u64 <= tokens * 4, "{} of {}: {rendered}", rendered.len(), tokens * 4);
        let mut cursor = follow.then(|| "r".to_owned());
        let mut seen = Vec::new();
        for _ in 0..100 {
            let mut params = params.clone();
            if let Some(cursor) = &cursor {
                params.push((if follow { "after" } else { "before" }, cursor.as_str()));
            }
            let rendered = ask(&reader, &params);
            prop_assert!(rendered.len() as u64 <= tokens * 4, "{} of {}", rendered.len(), tokens * 4);
            if format != "json" {
                return Ok(());
            }
            let answer: Json = serde_json::from_str(&rendered).unwrap();
            let mut page: Vec<usize> = messages(&answer).iter().map(|m| {
                m[1..].split_once(' ').unwrap().0.parse().unwrap()
            }).collect();
            let unread = sizes.len() - seen.len();
            prop_assert_eq!(answer["omitted"].as_u64().unwrap() as usize, unread - page.len());
            if ascending == follow { /* in the order of reading */ } else { page.reverse(); }
            if page.is_empty() {
                // The next entry alone is larger than the budget, or all are read.
                let next = if follow { seen.len() } else { unread.saturating_sub(1) };
                prop_assert!(unread == 0 || sizes[next] * 2 + 600 > tokens as usize * 4);
                return Ok(());
            }
            seen.extend(page);
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        let wanted: Vec<usize> = if follow { (0..sizes.len()).collect() } else { (0..sizes.len()).rev().collect() };
        prop_assert_eq!(seen, wanted);
    }
}
