//! One line at a time: every file of `tests/lines` is a family of formats, every block of it a
//! line as some program writes it (after `> `) and the entry it must become.
//!
//! `UPDATE_GOLDEN=1 cargo test -p logrec-decode` rewrites the entries; read the difference.

mod common;

use std::fmt::Write as _;

use common::{ARRIVAL, check_golden, golden_files, show};
use jiff::tz::TimeZone;
use logrec_core::{Level, Value};
use logrec_decode::{LineDecoder, Origin, decode_line, decode_line_in};
use proptest::prelude::*;

#[test]
fn every_line_becomes_its_entry() {
    let mut count = 0;
    for path in golden_files("lines") {
        let given = std::fs::read_to_string(&path).unwrap();
        let mut found = String::new();
        for line in given.lines().filter_map(|line| line.strip_prefix("> ")) {
            let line = line.replace("\\e", "\x1b");
            let entry = decode_line(line.as_bytes(), Origin::Stdout, ARRIVAL);
            let _ = write!(found, "> {}\n{}\n", line.replace('\x1b', "\\e"), show(&entry));
            count += 1;
        }
        check_golden(&path, &given, &found);
    }
    assert!(count >= 130, "{count}");
}

fn golden_lines() -> Vec<String> {
    let texts = golden_files("lines")
        .into_iter()
        .map(|path| std::fs::read_to_string(path).expect("it can be read"));
    texts
        .flat_map(|text| {
            let lines = text.lines().filter_map(|line| line.strip_prefix("> "));
            lines.map(|line| line.replace("\\e", "\x1b")).collect::<Vec<_>>()
        })
        .collect()
}

/// A word put anywhere into a line of a known format is in the entry, whatever becomes of the
/// format; and every part of such a line is decoded without panic.
#[test]
fn no_word_is_lost_wherever_it_stands() {
    // Control sequences go, and of a name that repeats the last counts.
    let lines = golden_lines()
        .into_iter()
        .filter(|line| !line.contains(['\x1b']) && !line.contains("\"dup\""));
    for line in lines {
        for at in (0..=line.len()).filter(|&at| line.is_char_boundary(at)) {
            let (head, tail) = line.split_at(at);
            for word in ["qzx7word", " qzx7word ", " qzx7word: "] {
                let given = format!("{head}{word}{tail}");
                let entry = decode_line(given.as_bytes(), Origin::Stdout, ARRIVAL);
                let shown = show(&entry);
                assert!(shown.contains("qzx7word"), "{given:?} became\n{shown}");
            }
            let _ = decode_line(head.as_bytes(), Origin::Stderr, ARRIVAL);
            let _ = decode_line(tail.as_bytes(), Origin::Stderr, ARRIVAL);
        }
    }
}

/// The zone of the machine changes nothing of an entry but its time.
#[test]
fn a_zone_changes_the_time_only() {
    let zone = berlin();
    for line in golden_lines() {
        let by_default = decode_line(line.as_bytes(), Origin::Stdout, ARRIVAL);
        let mut entry = decode_line_in(line.as_bytes(), Origin::Stdout, ARRIVAL, &zone);
        let ahead_ns = by_default.timestamp.0 - entry.timestamp.0;
        assert!([0, 1, 2].contains(&(ahead_ns / 3_600_000_000_000)), "{line}");
        entry.timestamp = by_default.timestamp;
        assert_eq!(show(&entry), show(&by_default), "{line}");
    }
}

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone as POSIX writes it")
}

fn check_stderr(line: &str, level: Level) {
    assert_eq!(decode_line(line.as_bytes(), Origin::Stderr, ARRIVAL).level, level, "{line}");
    assert_eq!(decode_line(line.as_bytes(), Origin::Stdout, ARRIVAL).level, Level::Info, "{line}");
}

#[test]
fn words_decide_on_standard_error_only() {
    check_stderr("Error: no such file", Level::Error);
    check_stderr("ls: cannot access 'x': Error: gone", Level::Error);
    check_stderr("Traceback (most recent call last):", Level::Error);
    check_stderr("Fatal error: out of memory", Level::Critical);
    check_stderr("panic: oops", Level::Critical);
    check_stderr("Warning: deprecated", Level::Warning);
    check_stderr("npm warning: old lockfile", Level::Warning);
    check_stderr("errors were not found", Level::Info);
    check_stderr("compiling 12 files", Level::Info);
}

#[test]
fn bytes_that_are_no_text_are_shown() {
    let entry = decode_line(b"caf\xe9 \xff", Origin::File, ARRIVAL);
    assert_eq!(entry.message, "caf\u{fffd} \u{fffd}");
}

#[test]
fn a_giant_line_is_cut_and_counted() {
    let giant = vec![b'x'; logrec_decode::limits::LINE_BYTES_MAX + 7];
    let entry = decode_line(&giant, Origin::File, ARRIVAL);
    assert_eq!(entry.message.len(), logrec_decode::limits::LINE_BYTES_MAX);
    assert_eq!(entry.attribute("logrec.cut_bytes"), Some(&Value::Int(7)));
}

/// Pieces formats are made of, to come close to them from every side.
const PIECES: [&str; 54] = [
    "web-1  | ",
    "web_1 | ",
    "name    | ",
    "2026-01-02T03:04:05.678901234Z stdout F ",
    "2026-01-02T03:04:05.678901234Z stderr P ",
    "{\"log\":\"",
    "\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05Z\"}",
    "a='",
    "(Bar.java:5)",
    "WebSocket /ws",
    "2026-01-02 03:04:05,678",
    "2026-01-02T03:04:05Z",
    "2026/01/02 03:04:05",
    "03:04:05",
    "Jan  2 03:04:05",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "\"",
    "\\",
    "INFO",
    "ERROR",
    "[warning]",
    "[info     ]",
    "info:",
    ":",
    "::",
    " - ",
    " | ",
    " ",
    "\t",
    "=",
    "a=",
    "k=v",
    "level=info",
    "<34>1 ",
    "<13>",
    "I0102 03:04:05.678901 ",
    "at ",
    "GET / HTTP/1.1",
    " 200 ",
    "é",
    "\u{1f600}",
    "\x1b[1m",
    "\0",
    "ThreadId(",
    "{\"message\":",
    "\"@mt\":\"{",
    "--- [",
    "main",
    "-",
];

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_line(&bytes, Origin::Stderr, ARRIVAL);
        let _ = decode_line_in(&bytes, Origin::Stderr, ARRIVAL, &berlin());
        let _ = logrec_decode::decode_ingest(&bytes, ARRIVAL);
    }

    #[test]
    fn nor_are_pieces_of_formats(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)) {
        let line = pieces.concat();
        let _ = decode_line(line.as_bytes(), Origin::Stderr, ARRIVAL);
        let _ = decode_line_in(line.as_bytes(), Origin::Stderr, ARRIVAL, &berlin());
        let _ = logrec_decode::decode_ingest(line.as_bytes(), ARRIVAL);
    }

    /// A word of a line is in the entry, whatever format the pieces around make of it.
    #[test]
    fn words_are_kept(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12), at in 0usize..12) {
        let mut pieces = pieces;
        pieces.insert(at.min(pieces.len()), " qzx7word ");
        let line = pieces.concat();
        let entry = decode_line(line.as_bytes(), Origin::Stdout, ARRIVAL);
        prop_assert!(show(&entry).contains("qzx7word"), "{line:?} became {entry:?}");
        let mut decoder = LineDecoder::new(Origin::Stdout);
        let mut out = Vec::new();
        decoder.feed(line.as_bytes(), ARRIVAL, &mut out);
        decoder.finish(&mut out);
        prop_assert!(out.iter().any(|entry| show(entry).contains("qzx7word")));
    }
}
