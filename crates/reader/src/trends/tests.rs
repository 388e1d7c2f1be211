use std::sync::Arc;

use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Ring, Source, Timestamp, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

const S: i64 = 1_000_000_000;

fn request(params: &[(&str, &str)]) -> Result<TrendsRequest, String> {
    let zone = TimeZone::UTC;
    let times = Times::new(Timestamp(600 * S), &zone);
    TrendsRequest::parse(params.iter().copied(), &times).map_err(|e| e.message)
}

fn rendered(reader: &Reader, params: &[(&str, &str)]) -> String {
    String::from_utf8(reader.trends(&request(params).unwrap()).unwrap()).unwrap()
}

/// Queries that become slower at the 300th second, and requests that do not.
fn reader() -> Reader {
    let ring = Arc::new(Ring::default());
    for s in 0..600 {
        let ms = if s < 300 { 20 + s * 7 % 20 } else { 80 + s * 7 % 40 };
        ring.push(&Entry::new(Timestamp(s * S), Level::Info, format!("query took {ms} ms")));
        let entry = Entry::new(Timestamp(s * S), Level::Info, "request done");
        let attributes = vec![("duration_ms".into(), Value::Int(3 + s * 5 % 7))];
        ring.push(&Entry { attributes, ..entry });
    }
    Reader::new([ring as Arc<dyn Source>])
}

#[test]
fn shifts_come_first_with_when_and_from_what_to_what() {
    let reader = reader();
    let answer: Json = serde_json::from_str(&rendered(&reader, &[])).unwrap();
    let counts = ["count", "numbers", "shifts", "entries"].map(|key| answer[key].as_u64().unwrap());
    assert_eq!(counts, [2, 2, 1, 1200]);
    let took = &answer["data"][0];
    assert_eq!(
        (&took["name"], &took["unit"], &took["count"]),
        (&"took".into(), &"s".into(), &600.into())
    );
    let shift = &took["shift"];
    assert!((290.0..310.0).contains(&shift["at"].as_f64().unwrap()), "{shift}");
    assert!(
        shift["before"]["p50"].as_f64().unwrap() < 0.035
            && shift["after"]["p50"].as_f64().unwrap() > 0.09
    );
    assert_eq!(took["parts"].as_array().unwrap().len(), 12);
    assert_eq!(
        (&answer["data"][1]["attribute"], answer["data"][1].get("shift")),
        (&"duration_ms".into(), None)
    );
    let text = rendered(&reader, &[("format", "text")]);
    assert!(text.starts_with("# 2 numbers, 1 of them shift, in 1200 entries"), "{text}");
    assert!(
        text.contains("    | took of query took <*> ms: p50 ") && text.contains(" ms -> "),
        "{text}"
    );
    assert!(
        text.contains(
            "    | duration_ms of request done: p50 6 ms, p95 9 ms, p99 9 ms (600 values)"
        ),
        "{text}"
    );
    let later: Json =
        serde_json::from_str(&rendered(&reader, &[("since", "5m"), ("top", "1")])).unwrap();
    assert_eq!(
        (&later["shifts"], &later["count"], &later["numbers"]),
        (&0.into(), &1.into(), &2.into())
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn budgets_hold(
        messages in prop::collection::vec(prop_oneof!["[a-c]{1,3}=[0-9]{1,9} \\PC{0,40}", "took [0-9.]{1,12}(ms|s|MB|%)"], 0..200),
        values in prop::collection::vec(any::<f64>(), 0..200), tokens in 200u64..2000,
        format in prop::sample::select(vec!["json", "text", "markdown"]), long in 0usize..2000,
    ) {
        let ring = Arc::new(Ring::default());
        for (i, message) in messages.iter().enumerate() {
            let attributes = values.get(i).map(|v| ("v_ms".to_owned(), Value::Float(*v))).into_iter().collect();
            ring.push(&Entry { attributes, ..Entry::new(Timestamp(i64::try_from(i).unwrap()), Level::Info, message.clone()) });
        }
        let reader = Reader::new([ring as Arc<dyn Source>]);
        let (tokens_text, search) = (tokens.to_string(), "x".repeat(long));
        for search in ["", &search] {
            let answer = rendered(&reader, &[("max_tokens", &tokens_text), ("format", format), ("search", search)]);
            prop_assert!(answer.len() as u64 <= tokens * 4, "{answer}");
            if format == "json" {
                let answer: Json = serde_json::from_str(&answer).unwrap();
                prop_assert!(answer["success"] == true);
            }
        }
    }
}
