use std::sync::Arc;

use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Ring, Source};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

const S: i64 = 1_000_000_000;

fn request(params: &[(&str, &str)]) -> Result<VolumeRequest, String> {
    let zone = TimeZone::UTC;
    let times = Times::new(Timestamp(600 * S), &zone);
    VolumeRequest::parse(params.iter().copied(), &times).map_err(|e| e.message)
}

fn answer(reader: &Reader, params: &[(&str, &str)]) -> Json {
    serde_json::from_slice(&reader.volume(&request(params).unwrap()).unwrap()).unwrap()
}

/// Ten minutes: two entries of one logger a second, and for half a minute twenty errors of another.
fn reader() -> Reader {
    let ring = Arc::new(Ring::new(logrec_core::RingOptions::with_max_entries(10_000)));
    let push = |s: i64, level, logger: &str| {
        let entry = Entry::new(Timestamp(s * S), level, "x");
        ring.push(&Entry { logger: logger.to_owned(), ..entry });
    };
    for s in 0..600 {
        push(s, Level::Info, "web");
        push(s, Level::Info, "web");
        if (300..330).contains(&s) {
            (0..20).for_each(|_| push(s, Level::Error, "db"));
        }
    }
    Reader::new([ring as Arc<dyn Source>])
}

#[test]
fn counts_by_step_and_value_and_what_stands_out() {
    let reader = reader();
    let by_level = answer(&reader, &[("step", "10s")]);
    let data = &by_level["data"];
    assert_eq!(
        (&data["step"], &data["from"], &by_level["entries"]),
        (&10.0.into(), &0.0.into(), &1800.into())
    );
    assert_eq!(data["total"].as_array().unwrap().len(), 60);
    assert_eq!(
        (&data["series"][0]["value"], &data["series"][0]["counts"][0]),
        (&"INFO".into(), &20.into())
    );
    assert_eq!(
        (&data["series"][1]["value"], &data["series"][1]["counts"][30]),
        (&"ERROR".into(), &200.into())
    );
    let events: Vec<(&str, &str, f64)> = by_level["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (e["kind"].as_str().unwrap(), e["value"].as_str().unwrap(), e["from"].as_f64().unwrap())
        })
        .collect();
    assert_eq!(events, [("spike", "all", 300.0), ("spike", "ERROR", 300.0)]);
    let by_logger = answer(&reader, &[("by", "logger"), ("level", "ERROR"), ("top", "1")]);
    assert_eq!(
        by_logger["data"]["series"][0],
        serde_json::json!({
            "value": "db", "count": 600, "counts": by_logger["data"]["total"],
        })
    );
    let text = String::from_utf8(
        reader.volume(&request(&[("format", "text"), ("step", "10s")]).unwrap()).unwrap(),
    )
    .unwrap();
    assert!(text.contains("# 2 events out of the ordinary:\n    | spike of all: 220 a step, usually 20, 1970-01-01T00:05:00.000Z to 1970-01-01T00:05:30.000Z"), "{text}");
    // A window without a moment has one step, and no length.
    let none = answer(&reader, &[("since", "1s"), ("until", "5m"), ("step", "10s")]);
    assert_eq!((&none["entries"], none["data"]["step"].as_f64()), (&0.into(), Some(10.0)));
    let quiet = answer(&reader, &[("level", "INFO")]);
    assert_eq!(quiet["events"], serde_json::json!([]));
    assert!(matches!(
        reader.volume(&request(&[("step", "1ms")]).unwrap()),
        Err(VolumeError::Step(_))
    ));
    for (name, value, expected) in [
        ("by", "levle", "give level, logger"),
        ("step", "0s", "give how long a step is"),
        ("step", "fast", "give how long a step is"),
    ] {
        let error = request(&[(name, value)]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn budgets_hold(
        entries in prop::collection::vec((0..600i64, "\\PC{0,300}"), 0..80), tokens in 200u64..2000,
        format in prop::sample::select(vec!["json", "text", "markdown"]), step in prop::sample::select(vec!["", "1s", "7s", "1h"]),
        long in 0usize..2000,
    ) {
        let ring = Arc::new(Ring::default());
        for (s, logger) in &entries {
            for _ in 0..s % 7 {
                ring.push(&Entry { logger: logger.clone(), ..Entry::new(Timestamp(s * S), Level::Info, "x") });
            }
        }
        let reader = Reader::new([ring as Arc<dyn Source>]);
        let (tokens_text, search) = (tokens.to_string(), "x".repeat(long));
        for search in ["", &search] {
            let mut params = vec![("by", "logger"), ("max_tokens", tokens_text.as_str()), ("format", format), ("search", search)];
            if !step.is_empty() {
                params.push(("step", step));
            }
            let answer = reader.volume(&request(&params).unwrap()).unwrap();
            prop_assert!(answer.len() as u64 <= tokens * 4, "{}", String::from_utf8_lossy(&answer));
            if format == "json" {
                let answer: Json = serde_json::from_slice(&answer).unwrap();
                prop_assert!(answer["success"] == true);
            }
        }
    }
}
