use jiff::tz::TimeZone;
use logrec_core::{NS_PER_S, Timestamp};

use super::*;

fn parse(params: &[(&str, &str)]) -> Result<Request, String> {
    let zone = TimeZone::UTC;
    let times = Times::new(Timestamp(1_700_000_000 * NS_PER_S), &zone);
    Request::parse(params.iter().copied(), &times).map_err(|e| e.message)
}

#[test]
fn the_requests_of_the_original_design() {
    for params in [
        &[("level", "ERROR"), ("limit", "50")][..],
        &[("search", "websocket"), ("since_minutes", "30")],
        &[("logger_filter", "engine"), ("limit", "100")],
        &[("limit", "200")],
        &[("logger_filter", "performance"), ("search", "slow"), ("since_minutes", "60")],
        &[("level", "CRITICAL"), ("since_minutes", "60")],
    ] {
        let request = parse(params).unwrap();
        for (name, _) in params {
            assert!(request.applied.iter().any(|(n, _)| n == name), "{name}");
        }
        assert!(request.applied.iter().any(|(n, _)| n == "limit"));
    }
}

#[test]
fn every_parameter_is_read() {
    let all = [
        ("limit", "7"),
        ("level", "warn, ERROR"),
        ("min_level", "info"),
        ("logger_filter", "ws"),
        ("since_minutes", "0.5"),
        ("since", "2h"),
        ("until", "2026-01-02T03:04:05Z"),
        ("search", "x"),
        ("regex", "a+"),
        ("module", "ws"),
        ("function", "f"),
        ("line", "200-300"),
        ("thread_name", "t"),
        ("service", "s"),
        ("trace_id", "ab"),
        ("q", "a OR b"),
        ("fold", "true"),
        ("span_id", "cd"),
        ("attr.http.status", "500"),
        ("order", "asc"),
        ("after", "r1.2"),
        ("wait", "1.5"),
        ("fields", "timestamp,message"),
        ("format", "ndjson"),
        ("max_tokens", "500"),
        ("source", "auto"),
    ];
    let request = parse(&all).unwrap();
    assert_eq!(request.applied.len(), all.len());
    assert_eq!(request.query.limit, 7);
    assert_eq!(request.wait_ms, 1500);
    assert_eq!(request.shape.max_bytes, Some(2000));
    assert_eq!(request.applied[1].1, Applied::Text("WARNING,ERROR".into()));
}

#[test]
fn what_is_wrong_is_named_with_what_is_right() {
    let limits = "give a whole number from 1 to 1000";
    for (name, value, expected) in [
        ("limit", "0", limits),
        ("limit", "-1", limits),
        ("limit", "1001", limits),
        ("limit", "abc", limits),
        ("limit", "1e3", limits),
        ("limit", "", limits),
        ("limit", "99999999999999999999999", limits),
        ("level", "LOUD", "`level` is `LOUD`; give TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("level", "", "give TRACE"),
        ("level", "ERROR,", "give TRACE"),
        ("since_minutes", "-5", "`since_minutes` is `-5`; give a number of minutes from 0"),
        ("since_minutes", "NaN", "give a number of minutes"),
        ("since_minutes", "inf", "give a number of minutes"),
        ("since_minutes", "1e300", "give a number of minutes"),
        ("since", "yesterday", "`yesterday` is no time; give RFC 3339"),
        ("until", "", "give RFC 3339"),
        ("regex", "(a", "`regex` cannot be used: the pattern cannot be read: unclosed group"),
        ("line", "300-200", "give a line (245) or a range (200-300)"),
        ("line", "-1", "give a line"),
        ("order", "up", "give desc (newest first) or asc"),
        ("after", "zz", "this is no cursor"),
        ("wait", "61", "give a number of seconds from 0 to 60"),
        ("fields", "mesage", "did you mean `message`?"),
        ("fields", "", "`fields` is empty; name one or several of timestamp, level"),
        ("fields", "zzzzzzzzzz", "which is no field. There are timestamp"),
        ("format", "xml", "give json, ndjson, text or markdown"),
        ("max_tokens", "5", "give a whole number from 200"),
        ("source", "store", "no store is configured"),
        ("limt", "5", "`limt` is no parameter; did you mean `limit`?"),
        ("attr.", "5", "`attr.` is no parameter"),
        ("zzzzzzzzzzzzzzzz", "5", "there are q, level"),
        ("q", "a lvel=1", "`q` cannot be read at character 3: `lvel` is no field"),
        ("since", "mark:x", "`since` cannot be used: `mark:x` names no mark; there is none yet"),
        ("fold", "yes", "give true or false"),
        ("search", "a\0b", "NUL"),
    ] {
        let error = parse(&[(name, value)]).expect_err(name);
        assert!(error.contains(expected), "{name}={value}: {error}");
    }
    let error = parse(&[("search", &"x".repeat(100_000))]).unwrap_err();
    assert_eq!(error, "`search` has 100000 bytes; give at most 10000");
    let error = parse(&[("limit", "5"), ("limit", "6")]).unwrap_err();
    assert_eq!(error, "`limit` is given twice; give it once");
    let error = parse(&[(&"\u{1b}x".repeat(100), "6")]).unwrap_err();
    assert!(error.len() < 1000 && !error.contains('\u{1b}'));
}

#[test]
fn a_plus_that_became_a_blank() {
    let since = |text: &str| match parse(&[("since", text)]).unwrap().query.filter {
        Filter::And(all) => match all[..] {
            [Filter::Since(since)] => since.0 / NS_PER_S,
            _ => panic!("{all:?}"),
        },
        other => panic!("{other:?}"),
    };
    let expected = since("2026-01-02T02:04:05Z");
    for text in
        ["2026-01-02T03:04:05 01:00", "2026-01-02 03:04:05 01:00", "2026-01-02T03:04:05 0100"]
    {
        assert_eq!(since(text), expected, "{text}");
    }
    assert_eq!(since("2026-01-02 03:04"), since("2026-01-02T03:04:00Z"));
    assert_eq!(since("2026-01-02T03:04:05+01:00"), expected);
}

#[test]
fn until_takes_in_its_whole_microsecond() {
    let until = |text: &str| match parse(&[("until", text)]).unwrap().query.filter {
        Filter::And(all) => match all[..] {
            [Filter::Until(until)] => until.0,
            _ => panic!("{all:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(until("1700000000.000001"), 1_700_000_000_000_001_999);
    assert_eq!(until("2023-11-14T22:13:20.000001Z"), 1_700_000_000_000_001_999);
    assert_eq!(until("0s"), 1_700_000_000 * NS_PER_S);
}
