//! Answers over rings and files: what a client reads, cursors, budgets, forms.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

use std::sync::Arc;

use jiff::tz::TimeZone;
use logrec_core::{Entry, EntryId, Level, Ring, RingOptions, Source, Times, Timestamp, Value};
use logrec_reader::{LogFile, Reader, Request};
use proptest::prelude::*;
use serde_json::Value as Json;

fn request(params: &[(&str, &str)]) -> Request {
    Request::parse(params.iter().copied(), &Times::new(Timestamp(0), &TimeZone::UTC)).unwrap()
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
fn a_note_makes_no_entry_too_large() {
    let (old, _) = reader_of(5);
    let cursor = json(&old, &[])["prev_cursor"].as_str().unwrap().to_owned();
    let ring = Arc::new(Ring::default());
    ring.push(&Entry::new(Timestamp(0), Level::Info, "x".repeat(370)));
    let new = Reader::new([ring as Arc<dyn Source>]);
    let first = json(&new, &[("after", &cursor), ("max_tokens", "200")]);
    assert!(first["count"] == 0 && first["omitted"] == 1 && first["note"].is_string(), "{first}");
    assert!(first.get("too_large").is_none(), "{first}");
    let next = first["next_cursor"].as_str().unwrap();
    let second = json(&new, &[("after", next), ("max_tokens", "200")]);
    assert!(second["count"] == 1 && second.get("note").is_none(), "{second}");
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
    /// gives every entry once but for those that no answer can hold, and those are named.
    #[test]
    fn budgets_hold_and_lose_nothing(
        sizes in prop::collection::vec(0usize..1500, 0..40), tokens in 200u64..3000,
        format in prop::sample::select(vec!["json", "ndjson", "text", "markdown"]), ascending: bool, follow: bool,
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
        let all: Vec<usize> = if follow { (0..sizes.len()).collect() } else { (0..sizes.len()).rev().collect() };
        // The i-th recorded: its name as the answers have it.
        let unbudgeted = json(&reader, &[("order", "asc")]);
        let ids: Vec<&str> = unbudgeted["data"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect();
        let mut cursor = follow.then(|| "r".to_owned());
        let (mut seen, mut named, mut unread) = (Vec::new(), Vec::new(), sizes.len());
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
            if ascending != follow { page.reverse(); }
            let next = answer["next_cursor"].as_str();
            prop_assert_eq!(answer["omitted"].as_u64().unwrap() as usize, unread - page.len());
            let large = answer.get("too_large").and_then(Json::as_array).cloned().unwrap_or_default();
            prop_assert!(large.len() <= 5);
            for entry in &large {
                let i = ids.iter().position(|id| *id == entry["id"]).unwrap();
                let bytes = entry["bytes"].as_u64().unwrap();
                prop_assert_eq!(bytes as usize, unbudgeted["data"][i].to_string().len());
                named.push(i);
            }
            seen.extend(page);
            let Some(next) = next else { break };
            cursor = Some(next.to_owned());
            let way = if follow { "after" } else { "before" };
            let left = json(&reader, &[(way, next)])["count"].as_u64().unwrap() as usize;
            prop_assert!(left < unread || unread == 0, "stands still before {unread}");
            unread = left;
            if unread == 0 {
                break;
            }
        }
        // In order, each once, and whatever is missing is too large and, of the first few, named.
        let wanted: Vec<usize> = all.iter().copied().filter(|i| seen.contains(i)).collect();
        prop_assert_eq!(&seen, &wanted);
        let missing: Vec<usize> = all.iter().copied().filter(|i| !seen.contains(i)).collect();
        for &i in &missing {
            prop_assert!(unbudgeted["data"][i].to_string().len() + 300 > tokens as usize * 4);
        }
        prop_assert!(missing.len() > 5 || missing == named, "{missing:?} {named:?}");
    }
}

#[test]
fn a_run_of_near_identical_entries_is_one_row() {
    let ring = Arc::new(Ring::default());
    for i in 0..12 {
        let text =
            if i == 5 { "started".to_owned() } else { format!("took {i}.5 ms for user u{i}") };
        ring.push(&Entry::new(Timestamp(i * 1_000_000_000), Level::Info, text));
    }
    let reader = Reader::new([ring as Arc<dyn Source>]);
    let answer = json(&reader, &[("fold", "true")]);
    assert_eq!((&answer["count"], &answer["entries"]), (&3.into(), &12.into()));
    assert_eq!(
        messages(&answer),
        ["took 11.5 ms for user u11", "started", "took 4.5 ms for user u4"]
    );
    let fold = &answer["data"][0]["fold"];
    assert_eq!(
        (&fold["count"], &fold["first"], &fold["last"]),
        (&6.into(), &6.0.into(), &11.0.into())
    );
    assert!(answer["data"][1].get("fold").is_none());
    // One thread recorded them one after the other, so that they are one run.
    let ids = fold["ids"].as_array().unwrap();
    assert_eq!(ids.len(), 1);
    let found = json(&reader, &[("q", &format!("id={}", ids[0].as_str().unwrap()))]);
    assert_eq!(found["count"], 6);
    let text = ask(&reader, &[("fold", "true"), ("format", "text")]);
    let run = text.lines().find(|line| line.starts_with("    × ")).unwrap();
    assert!(
        run.starts_with(
            "    × 6 like this, 1970-01-01T00:00:06.000Z to 1970-01-01T00:00:11.000Z, id="
        ),
        "{text}"
    );
    assert_eq!(json(&reader, &[("fold", "true"), ("limit", "7")])["entries"], 7);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Folded or not, every entry is named once, in every page and within every budget.
    #[test]
    fn folding_loses_nothing(
        kinds in prop::collection::vec(0..3usize, 0..60), tokens in 300u64..3000, ascending: bool, follow: bool,
    ) {
        let ring = Arc::new(Ring::new(RingOptions::default()));
        for (i, kind) in kinds.iter().enumerate() {
            let text = ["request {} done", "retry number {} now", "slow: {} ms, a bit longer than the others"][*kind];
            ring.push(&Entry::new(Timestamp(i as i64), Level::Info, text.replace("{}", &i.to_string())));
        }
        let reader = Reader::new([ring as Arc<dyn Source>]);
        let tokens = tokens.to_string();
        let mut cursor = follow.then(|| "r".to_owned());
        let mut named: Vec<String> = Vec::new();
        for _ in 0..100 {
            let order = if ascending { "asc" } else { "desc" };
            let mut params = vec![("fold", "true"), ("max_tokens", tokens.as_str()), ("order", order), ("limit", "25")];
            if let Some(cursor) = &cursor {
                params.push((if follow { "after" } else { "before" }, cursor.as_str()));
            }
            let rendered = ask(&reader, &params);
            prop_assert!(rendered.len() as u64 <= tokens.parse::<u64>().unwrap() * 4);
            let answer: Json = serde_json::from_str(&rendered).unwrap();
            prop_assert!(answer.get("too_large").is_none());
            let data = answer["data"].as_array().unwrap();
            let mut entries = 0;
            for row in data {
                let ids = match row.get("fold") {
                    None => vec![row["id"].as_str().unwrap().to_owned()],
                    Some(fold) => {
                        let ids = fold["ids"].as_array().unwrap().iter().flat_map(|run| {
                            EntryId::parse_run(run.as_str().unwrap()).unwrap().map(|id| id.to_string())
                        });
                        ids.collect()
                    }
                };
                prop_assert_eq!(ids.len() as u64, row.get("fold").map_or(1, |fold| fold["count"].as_u64().unwrap()));
                entries += ids.len();
                named.extend(ids);
            }
            prop_assert_eq!(answer["entries"].as_u64().unwrap() as usize, entries);
            prop_assert_eq!(answer["count"].as_u64().unwrap() as usize, data.len());
            match answer["next_cursor"].as_str() {
                Some(next) if entries > 0 => cursor = Some(next.to_owned()),
                _ => break,
            }
        }
        let mut all: Vec<String> = reader
            .answer(&request(&[("limit", "1000")])).page().rows().map(|row| row.id().to_string()).collect();
        named.sort();
        all.sort();
        prop_assert_eq!(named, all);
    }
}

#[test]
fn an_entry_beyond_the_budget_is_passed_over_and_named() {
    let (reader, ring) = reader_of(3);
    ring.push(&Entry::new(Timestamp(9_000_000_000), Level::Error, "x".repeat(50_000)));
    let id = json(&reader, &[("limit", "1"), ("fields", "id")])["data"][0]["id"].clone();
    let answer = json(&reader, &[("max_tokens", "300")]);
    assert_eq!(messages(&answer)[0], "message 2", "{answer}");
    assert_eq!(
        (answer["too_large"].as_array().unwrap().len(), &answer["too_large"][0]["id"]),
        (1, &id)
    );
    assert!(answer["too_large"][0]["bytes"].as_u64().unwrap() > 50_000);
    for format in ["text", "markdown"] {
        let text = ask(&reader, &[("max_tokens", "300"), ("format", format)]);
        let line = format!("# {} 50", id.as_str().unwrap());
        assert!(text.contains(&line) && text.contains(" bytes does not fit\n"), "{text}");
        assert!(text.contains("message 2"), "{text}");
    }
    let lines = ask(&reader, &[("max_tokens", "300"), ("format", "ndjson")]);
    assert!(lines.lines().count() == 3 && lines.len() <= 1200, "{lines}");
    // A follower does not stand still before it.
    let mut after = "r".to_owned();
    let mut seen = Vec::new();
    ring.push(&Entry::new(Timestamp(0), Level::Info, "last"));
    for _ in 0..5 {
        let answer = json(&reader, &[("max_tokens", "200"), ("after", &after)]);
        seen.extend(messages(&answer).into_iter().rev());
        answer["next_cursor"].as_str().unwrap().clone_into(&mut after);
    }
    assert_eq!(seen, ["message 0", "message 1", "message 2", "last"]);
}

#[test]
fn no_line_of_content_begins_with_a_hash() {
    let ring = Arc::new(Ring::default());
    ring.push(&Entry {
        logger: "#logger".into(),
        ..Entry::new(Timestamp(0), Level::Info, "# nothing matched")
    });
    let reader = Reader::new([ring as Arc<dyn Source>]);
    let text = |fields| ask(&reader, &[("format", "text"), ("fields", fields)]);
    assert_eq!(text("message"), "\\# nothing matched\n");
    assert_eq!(text("logger,message"), "\\#logger # nothing matched\n");
    assert_eq!(text("level,message"), "INFO     # nothing matched\n");
}

#[test]
fn missed_is_told_only_where_it_is_known() {
    let (reader, _) = reader_of(5);
    let first = json(&reader, &[("limit", "2")]);
    let back = json(&reader, &[("after", first["next_cursor"].as_str().unwrap())]);
    assert!(back["count"] == 1 && back.get("missed").is_none(), "{back}");
    let onwards = json(&reader, &[("after", first["prev_cursor"].as_str().unwrap())]);
    assert_eq!(onwards["missed"], 0);
}

#[test]
fn until_an_entrys_own_timestamp_finds_it() {
    let ring = Arc::new(Ring::default());
    ring.push(&Entry::new(Timestamp(1_703_123_456_789_012_345), Level::Info, "it"));
    let reader = Reader::new([ring as Arc<dyn Source>]);
    let time = json(&reader, &[])["data"][0]["timestamp"].to_string();
    assert_eq!(json(&reader, &[("until", &time), ("since", &time)])["count"], 1, "{time}");
    assert_eq!(json(&reader, &[("until", "1703123456.789011")])["count"], 0);
}

#[test]
fn what_a_budget_leaves_for_later_is_not_missed_twice() {
    let ring =
        Arc::new(Ring::new(RingOptions { keep_errors: 30, ..RingOptions::with_max_entries(20) }));
    for i in 0..300 {
        let level = if i % 7 == 0 { Level::Error } else { Level::Debug };
        ring.push(&Entry::new(Timestamp(i), level, format!("entry {i} {}", "x".repeat(60))));
    }
    let reader = Reader::new([ring as Arc<dyn Source>]);
    let (mut cursor, mut got, mut missed) = ("r".to_owned(), 0, 0);
    loop {
        let answer = json(&reader, &[("after", &cursor), ("max_tokens", "300"), ("order", "asc")]);
        got += answer["count"].as_u64().unwrap();
        missed += answer["missed"].as_u64().unwrap();
        cursor = answer["next_cursor"].as_str().unwrap().to_owned();
        if answer["count"] == 0 {
            break;
        }
    }
    assert_eq!(got + missed, 300);
    assert!(got > 40, "{got}");
}

/// A log file alone has no clock that would say up to when all is recorded; what is appended is new.
#[test]
fn a_log_file_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    std::fs::write(&path, "2026-01-02 03:04:05 INFO first\n").unwrap();
    let reader = Reader::new([Arc::new(LogFile::open(&path).unwrap()) as Arc<dyn Source>]);
    let answer = json(&reader, &[]);
    let cursor = answer["prev_cursor"].as_str().unwrap().to_owned();
    assert_eq!(json(&reader, &[("after", &cursor)])["count"], 0);
    std::fs::write(&path, "2026-01-02 03:04:05 INFO first\n2026-01-02 03:04:06 INFO second\n")
        .unwrap();
    let answer = json(&reader, &[("after", &cursor)]);
    assert_eq!((answer["count"].as_u64(), answer["missed"].as_u64()), (Some(1), Some(0)));
}
