//! What stands around an entry, the story of an error, and facets: content, and budgets that hold.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Ring, RingOptions, Source, Times, Timestamp, Value};
use logrec_reader::{ContextError, ContextRequest, FacetsRequest, Reader};
use proptest::prelude::*;
use serde_json::Value as Json;

const TRACE: &str = "Traceback (most recent call last):
  File \"/app/engine/game.py\", line 245, in process
    self.pay(cost)
KeyError: 'gold'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File \"/app/api/play.py\", line 12, in play
    game.process(action)
  File \"/usr/lib/python3.11/site-packages/starlette/routing.py\", line 74, in app
    await func(request)
RuntimeError: action failed";

fn request(params: &[(&str, &str)]) -> Result<ContextRequest, String> {
    let zone = TimeZone::UTC;
    ContextRequest::parse(params.iter().copied(), &Times::new(Timestamp(0), &zone))
        .map_err(|e| e.message)
}

fn ask(reader: &Reader, params: &[(&str, &str)]) -> String {
    String::from_utf8(reader.context(&request(params).unwrap()).unwrap()).unwrap()
}

fn json(reader: &Reader, params: &[(&str, &str)]) -> Json {
    serde_json::from_str(&ask(reader, params)).unwrap()
}

fn messages(rows: &Json) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["message"].as_str().unwrap()).collect()
}

/// Forty entries a second apart of two threads and loggers in turn; the 20th is an error, as is the 30th.
fn reader() -> (Reader, Vec<String>) {
    let ring = Arc::new(Ring::default());
    let ids = (0..40).map(|i| {
        let is_even = i % 2 == 0;
        let is_error = i == 20 || i == 30;
        let entry = Entry {
            timestamp: Timestamp(i * 1_000_000_000),
            level: if is_error { Level::Error } else { Level::Info },
            logger: if is_even { "engine" } else { "web" }.into(),
            message: if is_error { format!("action {i} failed") } else { format!("message {i}") },
            thread: Some(if is_even { 7 } else { 8 }),
            process: Some(1),
            exception: is_error.then(|| TRACE.replace("245", &format!("{}", 245 + i))),
            trace_id: (15..=20).contains(&i).then(|| "aa".to_owned()),
            ..Entry::default()
        };
        let seq = ring.push(&entry).unwrap();
        logrec_core::EntryId { ring: ring.id(), seq }.to_string()
    });
    let ids = ids.collect();
    (Reader::new([ring as Arc<dyn Source>]), ids)
}

#[test]
fn before_and_after_by_count_time_and_what_they_share() {
    let (reader, ids) = reader();
    let id = ("id", ids[20].as_str());
    let answer = json(&reader, &[id]);
    assert_eq!((&answer["count"], &answer["id"]), (&21.into(), &ids[20].as_str().into()));
    assert_eq!(messages(&answer["data"])[..2], ["message 10", "message 11"]);
    assert_eq!((&answer["more_before"], &answer["more_after"]), (&true.into(), &true.into()));
    let shown = |params: &[(&str, &str)]| {
        let answer = json(&reader, &[&[id], params].concat());
        messages(&answer["data"])
            .iter()
            .map(|m| m.split(' ').nth(1).unwrap().parse().unwrap())
            .collect::<Vec<u32>>()
    };
    assert_eq!(shown(&[("before", "2"), ("after", "0")]), [18, 19, 20]);
    assert_eq!(shown(&[("before", "2500ms"), ("after", "1s")]), [18, 19, 20, 21]);
    assert_eq!(shown(&[("before", "2"), ("after", "2"), ("same", "thread")]), [16, 18, 20, 22, 24]);
    assert_eq!(shown(&[("before", "1"), ("after", "1"), ("same", "logger")]), [18, 20, 22]);
    assert_eq!(shown(&[("before", "9"), ("same", "trace")]), [15, 16, 17, 18, 19, 20]);
    assert_eq!(shown(&[("before", "9"), ("same", "trace,thread")]), [16, 18, 20]);
    assert_eq!(shown(&[("before", "9"), ("after", "9"), ("q", "logger=web line:*")]), [20]);
    assert_eq!(shown(&[("level", "ERROR")]), [20, 30]);
    // An entry of no trace shares it with none.
    let answer = json(&reader, &[("id", &ids[5]), ("same", "trace")]);
    assert_eq!(messages(&answer["data"]), ["message 5"]);
    let text = ask(&reader, &[id, ("before", "1"), ("after", "1"), ("format", "text")]);
    assert!(
        text.contains(
            "\n# the entry asked for:\n1970-01-01T00:00:20.000Z ERROR    engine action 20 failed trace_id=aa\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("# there are more before it\n# there are more after it\n"), "{text}");
}

#[test]
fn the_story_of_an_error() {
    let (reader, ids) = reader();
    let answer = json(&reader, &[("id", &ids[20]), ("mode", "story")]);
    let data = &answer["data"];
    assert_eq!(data["entry"]["message"], "action 20 failed");
    assert!(data["entry"].get("exception").is_none());
    assert_eq!(data["root_cause"], "caused by KeyError: 'gold'");
    // Another line, the same error.
    assert_eq!(data["occurrences"], serde_json::json!({"count": 2, "first": 20.0, "last": 30.0}));
    let stack: Vec<&str> =
        data["stack"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    assert_eq!(stack[0], "RuntimeError: action failed");
    assert!(stack.iter().any(|line| line.contains("1 library frame")), "{stack:?}");
    assert!(stack.iter().any(|line| line.contains("[root cause]")), "{stack:?}");
    assert_eq!(data["led_by"], "trace");
    assert_eq!(
        messages(&data["before"]),
        ["message 15", "message 16", "message 17", "message 18", "message 19"]
    );
    assert!(data.get("after").is_none());
    // Without a trace its thread; of a message its like.
    let answer =
        json(&reader, &[("id", &ids[31]), ("mode", "story"), ("before", "2"), ("after", "1")]);
    let data = &answer["data"];
    assert_eq!((&data["led_by"], &data["occurrences"]["count"]), (&"thread".into(), &20.into()));
    assert_eq!(messages(&data["before"]), ["message 27", "message 29"]);
    assert_eq!((messages(&data["after"]), &data["more_after"]), (vec!["message 33"], &true.into()));
    // An entry of no trace shares it with none.
    let answer =
        json(&reader, &[("id", &ids[31]), ("mode", "story"), ("same", "trace"), ("after", "3")]);
    assert_eq!((messages(&answer["data"]["before"]).len(), answer["data"].get("after")), (0, None));
    let text =
        ask(&reader, &[("id", &ids[20]), ("mode", "story"), ("format", "text"), ("before", "1")]);
    for line in [
        "# the root cause:\n    | caused by KeyError: 'gold'\n",
        "# the same exception came 2 times, first 1970-01-01T00:00:20.000Z, last 1970-01-01T00:00:30.000Z\n",
        "# what the same trace logged before it:\n1970-01-01T00:00:19.000Z",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_is_not_there_says_why() {
    let (reader, ids) = reader();
    let lost = |id: &str| reader.context(&request(&[("id", id)]).unwrap());
    assert!(matches!(lost("123-20"), Err(ContextError::Unknown(_))));
    let (ring, _) = ids[0].split_once('-').unwrap();
    assert!(matches!(lost(&format!("{ring}-fffe0")), Err(ContextError::Overwritten(_))));
    reader.clear();
    assert!(matches!(lost(&ids[0]), Err(ContextError::Overwritten(_))));
    for (params, expected) in [
        (&[][..], "`id` is missing"),
        (&[("id", "x")], "`x` is no id of an entry"),
        (&[("id", "1-2"), ("before", "501")], "give how many, 0 to 500, or how long, as 30s"),
        (&[("id", "1-2"), ("before", "-1")], "give how many"),
        (&[("id", "1-2"), ("same", "process")], "give logger, thread or trace"),
        (&[("id", "1-2"), ("mode", "tale")], "give lines or story"),
        (&[("id", "1-2"), ("limit", "5")], "`limit` is no parameter"),
    ] {
        let error = request(params).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,30}",
        "\\PC{0,200}",
        (0usize..4000).prop_map(|n| "é\n\"".repeat(n / 4)),
        Just(TRACE.to_owned()),
        (0usize..30).prop_map(|n| TRACE.repeat(n)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// No answer is larger than its budget, and none is broken.
    #[test]
    fn budgets_hold(
        entries in prop::collection::vec((odd_text(), odd_text(), any::<bool>()), 1..40), at: prop::sample::Index,
        tokens in 200u64..3000, format in prop::sample::select(vec!["json", "ndjson", "text", "markdown"]),
        mode in prop::sample::select(vec!["lines", "story"]), fold in prop::sample::select(vec!["true", "false"]),
        long in 0usize..3000,
    ) {
        let ring = Arc::new(Ring::new(RingOptions::default()));
        let ids: Vec<_> = entries.iter().enumerate().map(|(i, (message, exception, is_traced))| {
            let seq = ring.push(&Entry {
                exception: is_traced.then(|| exception.clone()),
                attributes: vec![("task_name".into(), "Task-1".into()), ("a".into(), Value::from(&*message.chars().take(50).collect::<String>()))],
                ..Entry::new(Timestamp(i as i64), Level::Info, message.clone())
            });
            logrec_core::EntryId { ring: ring.id(), seq: seq.unwrap() }.to_string()
        }).collect();
        let reader = Reader::new([ring as Arc<dyn Source>]);
        let (tokens_text, no_match) = (tokens.to_string(), "x".repeat(long));
        let id = at.get(&ids);
        for search in ["", &no_match] {
            let params = [
                ("id", id.as_str()), ("max_tokens", &tokens_text), ("format", format), ("mode", mode),
                ("fold", fold), ("search", search), ("after", "3"),
            ];
            let answer = ask(&reader, &params);
            prop_assert!(answer.len() as u64 <= tokens * 4, "{} of {}: {answer}", answer.len(), tokens * 4);
            if format == "json" {
                let answer: Json = serde_json::from_str(&answer).unwrap();
                prop_assert!(answer["success"] == true);
                if mode == "lines" {
                    let shown = answer["data"].as_array().unwrap();
                    let there = shown.iter().any(|row| row["id"] == id.as_str());
                    prop_assert!(there || answer["too_large"][0]["id"] == id.as_str());
                    prop_assert_eq!(answer["count"].as_u64().unwrap(), shown.len() as u64);
                }
            }
        }
        let zone = TimeZone::UTC;
        let params = [("max_tokens", tokens_text.as_str()), ("fields", "level,logger,module,function,thread,thread_name,process,service,attributes,file,line,trace_id,span_id"), ("search", &no_match[..])];
        for params in [&params[..], &params[..2], &params[..1]] {
            let request = FacetsRequest::parse(params.iter().copied(), &Times::new(Timestamp(0), &zone)).unwrap();
            let answer = reader.facets(&request).unwrap();
            prop_assert!(answer.len() as u64 <= tokens * 4, "{}", String::from_utf8_lossy(&answer));
            let answer: Json = serde_json::from_slice(&answer).unwrap();
            prop_assert!(answer["success"] == true);
        }
    }
}

#[test]
fn facets_count_what_matches() {
    let (reader, _) = reader();
    let ask = |params: &[(&str, &str)]| -> Json {
        let zone = TimeZone::UTC;
        let request =
            FacetsRequest::parse(params.iter().copied(), &Times::new(Timestamp(0), &zone)).unwrap();
        serde_json::from_slice(&reader.facets(&request).unwrap()).unwrap()
    };
    let answer = ask(&[]);
    assert_eq!(answer["entries"], 40);
    assert_eq!(
        answer["data"]["level"],
        serde_json::json!({
            "entries": 40, "distinct": 2, "complete": true, "other": 0,
            "values": [{"value": "INFO", "count": 38}, {"value": "ERROR", "count": 2}],
        })
    );
    assert!(answer["data"].get("thread").is_none(), "only what is counted by default");
    let answer = ask(&[("fields", "thread, trace_id"), ("q", "logger=engine"), ("top", "1")]);
    assert_eq!(answer["entries"], 20);
    assert_eq!(
        answer["data"]["thread"]["values"][0],
        serde_json::json!({"value": "7", "count": 20})
    );
    assert_eq!(answer["data"]["trace_id"]["entries"], 3);
    // A name given twice is a key once.
    let twice = [("fields", "level,attr.n,level,attr.n,attr.n"), ("max_tokens", "1000")];
    let request = FacetsRequest::parse(twice, &Times::new(Timestamp(0), &TimeZone::UTC)).unwrap();
    let answer = String::from_utf8(reader.facets(&request).unwrap()).unwrap();
    assert_eq!(answer.matches("\"level\":").count(), 1, "{answer}");
    assert!(answer.matches("\"n\":").count() <= 1, "{answer}");
    let zone = TimeZone::UTC;
    let times = Times::new(Timestamp(0), &zone);
    let error = FacetsRequest::parse([("fields", "levle")], &times).unwrap_err();
    assert!(error.message.contains("did you mean `level`?"), "{error}");
}
