use super::*;

fn found(message: &str) -> Vec<(f64, Unit, &str)> {
    let mut all = Vec::new();
    each(message, |n| {
        all.push(((n.value * 1e9).round() / 1e9, n.unit, if n.is_named { n.word } else { "" }))
    });
    all
}

#[test]
fn units_are_made_one() {
    use Unit::{Bytes, None, Percent, Seconds};
    for (message, expected) in [
        ("took 2.3s", vec![(2.3, Seconds, "")]),
        ("done in 45 ms", vec![(0.045, Seconds, "")]),
        ("request duration_ms=45", vec![(0.045, Seconds, "duration_ms")]),
        ("elapsedMs: 12", vec![(0.012, Seconds, "elapsedMs")]),
        ("rss_mb=812 tasks=7", vec![(812e6, Bytes, "rss_mb"), (7.0, None, "tasks")]),
        ("flushed 3 KiB (12.5%)", vec![(3072.0, Bytes, ""), (12.5, Percent, "")]),
        ("after 1m30.5s", vec![(90.5, Seconds, "")]),
        ("after 850µs", vec![(0.00085, Seconds, "")]),
        (
            "Completed 200 OK in 35ms (Views: 20.1ms | ActiveRecord: 3ms)",
            vec![
                (200.0, None, ""),
                (0.035, Seconds, ""),
                (0.0201, Seconds, "Views"),
                (0.003, Seconds, "ActiveRecord"),
            ],
        ),
        (
            r#""GET / HTTP/1.1" 200 612 rt=0.013"#,
            vec![(200.0, None, ""), (612.0, None, ""), (0.013, None, "rt")],
        ),
        (r#"{"size": 7, "took": 1.5}"#, vec![(7.0, None, "size"), (1.5, None, "took")]),
    ] {
        assert_eq!(found(message), expected, "{message}");
    }
}

#[test]
fn what_measures_nothing_is_no_number() {
    for message in [
        "10.0.0.1:5050",
        "at 2025-01-02T10:11:12.5Z",
        "v1.2.3",
        "id 3f2a",
        "a1b2c3",
        "/api/v1/rooms/17",
        "shard-3",
        "x86_64",
        "12:30:01",
        "550e8400-e29b-41d4-a716-446655440000",
        "#12",
        "",
    ] {
        assert_eq!(found(message), [], "{message}");
    }
}

#[test]
fn any_text_is_fine() {
    for message in [
        "9",
        "9.",
        "9..9",
        "1e999",
        "=9",
        "9µ",
        "9日本",
        "日本9",
        "9m9",
        "9m9q",
        "-9",
        "(9",
        "99999999999999999999 s",
        "9s_",
    ] {
        found(message);
    }
}
