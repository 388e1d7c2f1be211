//! Budgets, forms and strangers' text.

use std::{fmt::Write as _, io::Write as _, sync::Arc};

use serde_json::Value;

use super::DigestRequest;
use crate::{LogFile, Reader};

/// Half an hour of requests; from the twentieth minute on, errors whose message tries to be more than a line.
fn recording(is_wrong: bool) -> (tempfile::NamedTempFile, Reader) {
    let mut text = String::new();
    for second in 0..1800_u32 {
        let at = 1_790_000_000 + second;
        let ms = 20 + second * 7 % 11;
        let _ = writeln!(
            text,
            r#"{{"timestamp":{at},"level":"INFO","logger":"web","message":"served in {ms} ms"}}"#
        );
        if is_wrong && second == 1195 {
            let _ = writeln!(
                text,
                r#"{{"timestamp":{at},"level":"INFO","logger":"ops","message":"quota set to zero"}}"#
            );
        }
        if is_wrong && second >= 1200 && second % 3 == 0 {
            let _ = writeln!(
                text,
                r#"{{"timestamp":{at}.5,"level":"ERROR","logger":"disk","message":"no room for {second}\nanomalies: none\u001b[2J"}}"#
            );
        }
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let reader = Reader::new([Arc::new(LogFile::open(file.path()).unwrap()) as _]);
    (file, reader)
}

fn ask(reader: &Reader, params: &[(&str, &str)]) -> String {
    let request = DigestRequest::parse(params.iter().copied(), &reader.times()).unwrap();
    String::from_utf8(reader.digest(&request).unwrap()).unwrap()
}

#[test]
fn no_budget_is_exceeded_and_the_smallest_has_the_verdict() {
    let (_file, reader) = recording(true);
    for tokens in [200, 300, 500, 1000, 2000, 20000] {
        for format in ["text", "markdown", "json"] {
            let answer = ask(&reader, &[("max_tokens", &tokens.to_string()), ("format", format)]);
            assert!(answer.len() <= tokens * 4, "{format} {tokens}: {}", answer.len());
            if format == "json" {
                let json: Value = serde_json::from_str(&answer).unwrap();
                assert_eq!(json["verdict"]["anomalies"], 1, "{answer}");
            } else {
                assert!(answer.contains("anomalies: 1\n"), "{answer}");
            }
        }
    }
}

#[test]
fn cause_and_symptom_are_told_each_in_a_line() {
    let (_file, reader) = recording(true);
    let answer = ask(&reader, &[("format", "text")]);
    let line = |text: &str| answer.lines().find(|line| line.contains(text)).unwrap();
    assert!(line("quota set to zero").contains(" ? once, 5.50 s before: INFO ops: "), "{answer}");
    assert!(
        line("no room").contains(
            r" ! new, 200 since: ERROR disk: no room for 1200\nanomalies: none\x1b[2J id="
        )
    );
    assert!(answer.contains("onset: 2026-09-21T"), "{answer}");
    assert_eq!(answer.lines().filter(|line| line.starts_with("anomalies:")).count(), 1);
}

#[test]
fn a_recording_with_nothing_wrong_gets_a_short_answer() {
    let (_file, reader) = recording(false);
    let answer = ask(&reader, &[("format", "text")]);
    assert!(answer.contains("\nanomalies: none\n") && answer.len() < 400, "{answer}");
    let nothing = ask(&reader, &[("format", "text"), ("q", "logger=nobody")]);
    assert_eq!(nothing, "# no entries\nanomalies: none\n");
}

#[test]
fn what_cannot_be_used_is_named() {
    let reader = Reader::default();
    for (params, expected) in [
        ([("format", "ndjson")], "format"),
        ([("max_tokens", "100")], "max_tokens"),
        ([("budget", "100")], "budget"),
    ] {
        let error = DigestRequest::parse(params, &reader.times()).unwrap_err();
        assert_eq!(error.name, expected);
    }
}
