use std::sync::Arc;

use jiff::tz::TimeZone;
use logrec_core::{Entry, Ring, Source};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

const S: i64 = 1_000_000_000;

fn request(params: &[(&str, &str)]) -> Result<PatternsRequest, String> {
    let zone = TimeZone::UTC;
    let times = Times::new(Timestamp(3600 * S), &zone);
    PatternsRequest::parse(params.iter().copied(), &times).map_err(|e| e.message)
}

fn json_of(reader: &Reader, params: &[(&str, &str)]) -> Json {
    serde_json::from_slice(&reader.patterns(&request(params).unwrap()).unwrap()).unwrap()
}

/// An hour: a heartbeat each 10 s, until the 30th minute a job each minute, then errors each 5 s.
fn reader() -> Reader {
    let ring = Arc::new(Ring::default());
    for s in (0..3600).step_by(5) {
        let push = |level, logger: &str, message: String| {
            let entry = Entry::new(Timestamp(s * S), level, message);
            ring.push(&Entry { logger: logger.to_owned(), ..entry });
        };
        if s % 10 == 0 {
            push(Level::Info, "app.beat", format!("heartbeat {s} took {} ms", s % 7));
        }
        if s < 1800 && s % 60 == 0 {
            push(Level::Info, "app.jobs", format!("rollup of {} games done", s / 60));
        }
        if s >= 1800 {
            push(Level::Error, "app.db", format!("no connection for request {s}"));
        }
    }
    Reader::new([ring as Arc<dyn Source>])
}

#[test]
fn patterns_with_what_is_known_of_them() {
    let reader = reader();
    let answer = json_of(&reader, &[]);
    assert_eq!(
        (&answer["count"], &answer["patterns"], &answer["entries"]),
        (&3.into(), &3.into(), &750.into())
    );
    let errors =
        answer["data"].as_array().unwrap().iter().find(|p| p["logger"] == "app.db").unwrap();
    assert_eq!((&errors["count"], &errors["levels"]["ERROR"]), (&360.into(), &360.into()));
    assert_eq!((&errors["first"], &errors["last"]), (&1800.0.into(), &3595.0.into()));
    let trend: Vec<u64> =
        errors["trend"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    assert_eq!((trend[..5].iter().sum::<u64>(), trend.iter().sum::<u64>()), (0, 360));
    // Its query selects exactly its entries.
    for pattern in answer["data"].as_array().unwrap() {
        let q = pattern["q"].as_str().unwrap();
        let found = reader.request([("q", q), ("limit", "1000")]).unwrap();
        assert_eq!(Json::from(reader.answer(&found).page().len()), pattern["count"], "{q}");
        let sample = reader
            .request([("q", format!("id={}", pattern["samples"][0].as_str().unwrap()))])
            .unwrap();
        assert_eq!(reader.answer(&sample).page().len(), 1);
    }
    let some = json_of(&reader, &[("level", "INFO"), ("top", "1"), ("since", "40m")]);
    assert_eq!(
        (&some["count"], &some["patterns"], &some["data"][0]["count"]),
        (&1.into(), &2.into(), &240.into())
    );
}

#[test]
fn every_form_tells_what_was_forgotten() {
    let window = Window { from: Timestamp(0), to: Timestamp(S) };
    let patterns = Vec::new();
    let table = Table { patterns, entries: 9, before: 0, forgotten: 7 };
    for (format, told) in [
        ("json", "\"forgotten\":7"),
        ("text", "# the patterns of 7 entries were forgotten"),
        ("markdown", "\nthe patterns of 7 entries were forgotten"),
    ] {
        let request = request(&[("format", format)]).unwrap();
        let table = table.clone();
        let answer = PatternsAnswer { request: &request, table, now: window, other: None };
        let answer = String::from_utf8(answer.render()).unwrap();
        assert!(answer.contains(told), "{answer}");
    }
}

#[test]
fn compared_with_another_window() {
    let reader = reader();
    for params in [&[("compare_to", "30m")][..], &[("compare_to", "1h..1801s"), ("since", "30m")]] {
        let answer = json_of(&reader, params);
        let changes: Vec<(&str, &str)> = answer["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["logger"].as_str().unwrap(), p["change"].as_str().unwrap()))
            .collect();
        assert_eq!(
            changes,
            [("app.db", "new"), ("app.jobs", "gone"), ("app.beat", "steady")],
            "{params:?}"
        );
        let compared = &answer["compared_to"];
        assert_eq!(
            (&compared["new"], &compared["gone"], &compared["entries"]),
            (&1.into(), &1.into(), &210.into())
        );
        assert_eq!(answer["data"][1]["per_minute_before"], 1.0);
    }
    // Nothing came since the mark that was set at the end, though entries of its moment count as before.
    let answer = json_of(&reader, &[("compare_to", "0s")]);
    assert_eq!((&answer["entries"], &answer["count"]), (&0.into(), &3.into()));
    assert!(
        answer["compared_to"]["note"]
            .as_str()
            .unwrap()
            .starts_with("no data: the window holds no entry")
    );
    let answer = json_of(&reader, &[("compare_to", "30s"), ("until", "5m")]);
    assert_eq!(answer["entries"].as_u64(), Some(0), "a window that ends before it begins");
    // Nothing was recorded before.
    let answer = json_of(&reader, &[("compare_to", "3h..2h")]);
    assert!(
        answer["compared_to"]["note"]
            .as_str()
            .unwrap()
            .starts_with("no data: the window to compare with")
    );
    assert!(answer["data"][0].get("change").is_none());
    let text = String::from_utf8(
        reader.patterns(&request(&[("compare_to", "30m"), ("format", "text")]).unwrap()).unwrap(),
    )
    .unwrap();
    assert!(text.starts_with("# 3 patterns in 540 entries, 1970-01-01T00:30:00.000Z to 1970-01-01T00:59:55.000Z\n# against 210 entries"), "{text}");
    assert!(
        text.contains(
            "    | new          0 before    360 ERROR    app.db: no connection for request <*>"
        ),
        "{text}"
    );
    for (value, expected) in [
        ("soon", "`soon` is no time"),
        ("10m..20m", "ends before it begins"),
        ("mark:x", "names no mark"),
    ] {
        let error = request(&[("compare_to", value)]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn budgets_hold(
        messages in prop::collection::vec(prop_oneof!["\\PC{0,60}", "[a-c]{1,3} [0-9]{1,3} [a-c]{1,3}", (0usize..9000).prop_map(|n| "é\n".repeat(n / 3))], 0..60),
        tokens in 200u64..3000, format in prop::sample::select(vec!["json", "text", "markdown"]),
        compare in prop::sample::select(vec!["", "59m", "2h..1h"]), long in 0usize..3000,
    ) {
        let ring = Arc::new(Ring::default());
        for (i, message) in messages.iter().enumerate() {
            ring.push(&Entry::new(Timestamp(i64::try_from(i).unwrap() * S), Level::Info, message.clone()));
        }
        let reader = Reader::new([ring as Arc<dyn Source>]);
        let (tokens_text, search) = (tokens.to_string(), "x".repeat(long));
        let mut params = vec![("max_tokens", tokens_text.as_str()), ("format", format)];
        if !compare.is_empty() {
            params.push(("compare_to", compare));
        }
        for search in ["", &search] {
            let mut params = params.clone();
            params.push(("search", search));
            let answer = reader.patterns(&request(&params).unwrap()).unwrap();
            prop_assert!(answer.len() as u64 <= tokens * 4, "{}", String::from_utf8_lossy(&answer));
            if format == "json" {
                let answer: Json = serde_json::from_slice(&answer).unwrap();
                prop_assert_eq!(answer["count"].as_u64().unwrap(), answer["data"].as_array().unwrap().len() as u64);
            }
        }
    }
}
