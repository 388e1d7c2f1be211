//! Whole streams: every file of `tests/streams` is what some program wrote, a line of dashes, and
//! the entries it must become, however the bytes are cut.

mod common;

use common::{ARRIVAL, check_golden, golden_files, show};
use logrec_core::{Entry, Value};
use logrec_decode::{LineDecoder, Origin, limits};
use proptest::prelude::*;

const RULE: &str = "\n--------\n";

fn decode_cut(input: &[u8], cuts: impl Iterator<Item = usize>) -> Vec<Entry> {
    let mut decoder = LineDecoder::new(Origin::Stderr);
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.chain([input.len()]) {
        decoder.feed(&input[from..cut], ARRIVAL, &mut out);
        from = cut;
    }
    decoder.finish(&mut out);
    assert!(!decoder.is_pending());
    out
}

fn decode(input: &[u8]) -> Vec<Entry> {
    decode_cut(input, std::iter::empty())
}

#[test]
fn every_stream_becomes_its_entries_at_every_cut() {
    for path in golden_files("streams") {
        let given = std::fs::read_to_string(&path).unwrap();
        let (input, _) = given.split_once(RULE).unwrap();
        let input = &format!("{input}\n");
        let entries = decode(input.as_bytes());
        let shown: String = entries.iter().map(|entry| show(entry) + "\n").collect();
        check_golden(&path, &given, &format!("{}{RULE}{shown}", input.trim_end_matches('\n')));
        for cut in 0..input.len() {
            assert_eq!(
                decode_cut(input.as_bytes(), std::iter::once(cut)),
                entries,
                "{} cut at {cut}",
                path.display()
            );
        }
        assert_eq!(
            decode_cut(input.as_bytes(), 0..input.len()),
            entries,
            "{} byte by byte",
            path.display()
        );
        let crlf = input.replace('\n', "\r\n");
        assert_eq!(decode(crlf.as_bytes()), entries, "{} with CRLF", path.display());
    }
}

/// A word put at any place of a stream comes out in some entry.
#[test]
fn no_word_is_lost_wherever_it_stands() {
    for path in golden_files("streams") {
        let given = std::fs::read_to_string(&path).expect("it can be read");
        let (input, _) = given.split_once(RULE).expect("a line of dashes ends the input");
        for at in 0..=input.len() {
            for word in ["qzx7word", " qzx7word ", "\nqzx7word\n", "\n  qzx7word\n"] {
                let (head, tail) = input.split_at(at);
                let given = format!("{head}{word}{tail}");
                let shown: String = decode(given.as_bytes()).iter().map(show).collect();
                assert!(shown.contains("qzx7word"), "{head:?} before the word");
            }
        }
    }
}

#[test]
fn a_partial_line_waits_for_its_end() {
    let mut decoder = LineDecoder::new(Origin::Stdout);
    let mut out = Vec::new();
    decoder.feed(b"one\nINFO:root:tw", ARRIVAL, &mut out);
    assert!(decoder.is_pending() && out.is_empty());
    decoder.flush(&mut out);
    assert_eq!(out.len(), 1);
    assert!(decoder.is_pending());
    decoder.feed(b"o\n", ARRIVAL, &mut out);
    decoder.flush(&mut out);
    assert_eq!((out.len(), &*out[1].message), (2, "two"));
    assert!(!decoder.is_pending());
}

#[test]
fn a_quiet_moment_ends_an_entry() {
    let mut decoder = LineDecoder::new(Origin::Stdout);
    let mut out = Vec::new();
    decoder.feed(b"ERROR:root:x\n", ARRIVAL, &mut out);
    decoder.flush(&mut out);
    decoder.feed(
        b"Traceback (most recent call last):\n  File \"a\", line 1\nValueError: y\n",
        ARRIVAL,
        &mut out,
    );
    decoder.finish(&mut out);
    assert_eq!((out.len(), &*out[1].message), (2, "ValueError: y"));
}

#[test]
fn a_giant_line_is_cut_however_it_comes() {
    let mut input = vec![b'x'; limits::LINE_BYTES_MAX + 5];
    input.extend_from_slice(b"\nnext\n");
    for cuts in [vec![], vec![10, limits::LINE_BYTES_MAX + 2]] {
        let out = decode_cut(&input, cuts.into_iter());
        assert_eq!((out.len(), out[0].message.len()), (2, limits::LINE_BYTES_MAX));
        assert_eq!(out[0].attribute(limits::CUT_BYTES), Some(&Value::Int(5)));
    }
}

#[test]
fn a_trace_without_end_goes_on_in_further_entries() {
    let mut input = "ERROR:root:x\nTraceback (most recent call last):\n".to_owned();
    for i in 0..5000 {
        input.push_str(&format!("  File \"a.py\", line {i}, in f\n"));
    }
    let out = decode(input.as_bytes());
    assert_eq!(out.len(), 3);
    assert_eq!(out[1].attribute(limits::CONTINUED), Some(&Value::Bool(true)));
    let lines: usize = out.iter().map(|e| e.exception.as_ref().unwrap().lines().count()).sum();
    assert_eq!(lines, 5001);
    assert!(out.iter().all(|e| e.logger == "root" && e.level == logrec_core::Level::Error));
}

#[test]
fn containers_remembered_are_bounded_and_none_waits_for_ever() {
    let mut decoder = LineDecoder::new(Origin::Stdout);
    let mut out = Vec::new();
    for number in 0..200 {
        decoder.feed(format!("web-{number}  | ERROR:a:{number}\n").as_bytes(), ARRIVAL, &mut out);
    }
    assert_eq!(out.len(), 200 - limits::PREFIXES_MAX);
    assert!(out.iter().enumerate().all(|(at, entry)| entry.message == at.to_string()));
    decoder.finish(&mut out);
    assert_eq!(out.len(), 200);

    // Silent while another goes on, by lines and by time.
    out.clear();
    decoder.feed(b"db-1  | ERROR:a:last words\n", ARRIVAL, &mut out);
    for _ in 0..=limits::PREFIX_LINES_MAX + 64 {
        decoder.feed(b"web-1  | INFO:a:on\n", ARRIVAL, &mut out);
    }
    assert!(out.iter().any(|entry| entry.message == "last words"));
    decoder.finish(&mut out);
    out.clear();
    decoder.feed(b"db-1  | ERROR:a:last words\n", ARRIVAL, &mut out);
    let later = logrec_core::Timestamp(ARRIVAL.0 + 2_000_000_000);
    decoder.feed(b"web-1  | INFO:a:on\n", later, &mut out);
    assert_eq!((out.len(), &*out[0].message), (1, "last words"));
}

#[test]
fn the_colours_of_a_prefix_change_nothing() {
    let plain = "web-1  | ERROR:a:x\nweb-1  | Traceback (most recent call last):\nweb-1  |   File \"a\", line 1\nweb-1  | ValueError: y\n";
    for coloured in
        ["\x1b[36mweb-1  | \x1b[0m", "\x1b[36mweb-1  |\x1b[0m ", "\x1b[1;36mweb-1\x1b[m  | "]
    {
        assert_eq!(
            decode(plain.replace("web-1  | ", coloured).as_bytes()),
            decode(plain.as_bytes())
        );
    }
}

#[test]
fn blank_lines_of_a_container_are_its_own() {
    let input = "web-1  | panic: oops\nweb-1  |\nweb-1  | goroutine 1 [running]:\ndb-1   |\nweb-1  | main.main()\n";
    let out = decode(input.as_bytes());
    let exception = out[0].exception.as_deref();
    assert_eq!(
        (out.len(), exception),
        (1, Some("panic: oops\n\ngoroutine 1 [running]:\nmain.main()"))
    );
}

#[test]
fn the_origin_of_an_envelope_counts() {
    let mut decoder = LineDecoder::new(Origin::Stderr);
    let mut out = Vec::new();
    decoder.feed(b"2026-01-02T03:04:05Z stdout F Error: x\n2026-01-02T03:04:05Z stderr F Error: x\nweb-1  | Error: x\n", ARRIVAL, &mut out);
    decoder.finish(&mut out);
    let levels: Vec<_> = out.iter().map(|entry| entry.level).collect();
    use logrec_core::Level::{Error, Info};
    assert_eq!(levels, [Info, Error, Error]);
}

/// Lines of which some join and some do not.
const LINES: [&str; 46] = [
    "web-1  | ERROR:app:failed",
    "web-1  | Traceback (most recent call last):",
    "web-1  |   File \"a.py\", line 3, in f",
    "web-1  |",
    "db-1   | Traceback (most recent call last):",
    "db-1   |   File \"a.py\", line 3, in f",
    "2026-01-02T03:04:05.678901234Z stdout P half",
    "2026-01-02T03:04:05.678901234Z stdout F whole",
    "2026-01-02T03:04:05.678901234Z stderr F ERROR:app:failed",
    "2026-01-02T03:04:05.678901234Z stderr F   indented",
    "{\"log\":\"  indented\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05Z\"}",
    "Require stack:",
    "plain text",
    "",
    "INFO:root:hello",
    "ERROR:app:failed",
    "2026-01-02 03:04:05,678 - app - WARNING - careful",
    "Traceback (most recent call last):",
    "  File \"a.py\", line 3, in f",
    "    g()",
    "ValueError: bad",
    "During handling of the above exception, another exception occurred:",
    "\tat com.foo.Bar.a(Bar.java:5)",
    "java.lang.IllegalStateException: no",
    "Caused by: java.sql.SQLException: conn",
    "\t... 12 more",
    "Error: boom",
    "    at f (/app/index.js:5:11) {",
    "  code: 'E'",
    "}",
    "panic: oops",
    "goroutine 1 [running]:",
    "main.main()",
    "\t/app/main.go:5 +0x1d",
    "thread 'main' panicked at src/main.rs:5:9:",
    "note: run with `RUST_BACKTRACE=1`",
    "info: App.Worker[0]",
    "      message",
    "{\"level\":\"info\",\"msg\":\"json\"}",
    "  2026-01-02T03:04:05Z  INFO app: pretty",
    "    at src/main.rs:3",
    "    in app::span with a: 1",
    "  indented",
    "\x1b[31mcolour\x1b[0m",
    "caf\u{e9}",
    "Caused by:",
];

proptest! {
    #[test]
    fn the_cut_does_not_matter(
        lines in prop::collection::vec(prop::sample::select(&LINES[..]), 0..30),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let input = lines.join("\n");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = decode(input.as_bytes());
        prop_assert_eq!(&decode_cut(input.as_bytes(), cuts.into_iter()), &whole);
        prop_assert_eq!(&decode_cut(input.as_bytes(), 0..input.len()), &whole);
    }

    #[test]
    fn nothing_is_lost(lines in prop::collection::vec((prop::sample::select(&LINES[..]), any::<bool>()), 0..30)) {
        // Every other line bears a word of its own, which must come out, and in order.
        let mut input = String::new();
        for (number, (line, marked)) in lines.iter().enumerate() {
            let mark = if *marked && !line.is_empty() { format!(" qz{number}zq") } else { String::new() };
            input.push_str(&format!("{line}{mark}\n"));
        }
        let shown: String = decode(input.as_bytes()).iter().map(show).collect();
        let mut from = 0;
        for (number, (line, marked)) in lines.iter().enumerate() {
            if *marked && !line.is_empty() {
                let at = shown.find(&format!("qz{number}zq"));
                prop_assert!(at.is_some(), "{line:?} is lost from {input:?}");
                from = from.max(at.unwrap_or_default());
            }
        }
        prop_assert!(from <= shown.len());
    }

    #[test]
    fn no_bytes_are_a_panic(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..10)) {
        let mut decoder = LineDecoder::new(Origin::Stderr);
        let mut out = Vec::new();
        for chunk in &chunks {
            decoder.feed(chunk, ARRIVAL, &mut out);
        }
        decoder.finish(&mut out);
    }
}
