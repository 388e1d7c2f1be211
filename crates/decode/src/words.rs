//! The level a plain line's own words claim, for lines in no known format.
//!
//! Only standard error is read this way: there `error: no such file` is a program's complaint,
//! while on standard output it may be anything.

use logrec_core::Level;

/// Words that begin a complaint when a colon, a blank or the end follows.
const OPENERS: [(&str, Level); 14] = [
    ("fatal error", Level::Critical),
    ("fatal", Level::Critical),
    ("panic", Level::Critical),
    ("critical", Level::Critical),
    ("traceback (most recent call last)", Level::Error),
    ("segmentation fault", Level::Critical),
    ("exception", Level::Error),
    ("unhandled", Level::Error),
    ("uncaught", Level::Error),
    ("error", Level::Error),
    ("failed", Level::Error),
    ("deprecationwarning", Level::Warning),
    ("warning", Level::Warning),
    ("warn", Level::Warning),
];

/// Words that are a complaint anywhere in the line, colon included.
const ANYWHERE: [(&str, Level); 6] = [
    ("fatal:", Level::Critical),
    ("panicked at", Level::Critical),
    ("error:", Level::Error),
    ("exception:", Level::Error),
    ("failed:", Level::Error),
    ("warning:", Level::Warning),
];

/// Bytes of a line in which words are looked for.
const LOOKED_AT_MAX: usize = 200;

/// The level of a line on standard error; INFO when its words claim none.
pub(crate) fn level(line: &str) -> Level {
    at_start(line).or_else(|| anywhere(line)).unwrap_or(Level::Info)
}

/// The level of the words a line begins with.
pub(crate) fn at_start(line: &str) -> Option<Level> {
    let line = line.trim_start().as_bytes();
    let begins = |word: &str| {
        line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            && matches!(line.get(word.len()), None | Some(b':' | b' ' | b'!' | b'[' | b']'))
    };
    OPENERS.iter().find(|(word, _)| begins(word)).map(|&(_, level)| level)
}

fn anywhere(line: &str) -> Option<Level> {
    let cut = line.floor_char_boundary(LOOKED_AT_MAX);
    let lower = line[..cut].to_ascii_lowercase();
    ANYWHERE.iter().find(|(word, _)| lower.contains(word)).map(|&(_, level)| level)
}
