//! The text of a pattern, and which messages have it.

use std::fmt;
use std::ops::Range;

use memchr::memmem;

use crate::skeleton::{BLANK, class_of};

/// What stands for a value in a template's text.
pub const PLACEHOLDER: &str = "<*>";

/// Bytes of [`Template::regex`] at most.
pub const REGEX_BYTES_MAX: usize = 4096;

/// A message with placeholders: `user <*> logged in from <*>`.
///
/// A placeholder stands for a value, a list of them, a value with its unit, or several values with the
/// punctuation between; where a statement was seen with and without one, for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Vec<u8>),
    /// One blank or more.
    Blank,
    /// Two dots or more.
    Dots,
    /// Bytes without a blank, a digit among them.
    Number,
    /// One byte or more without a blank.
    Value,
    /// Anything, nothing too.
    Any,
}

impl Template {
    /// Of pieces in order; adjacent texts become one.
    pub(crate) fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut joined: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (Some(Piece::Text(text)), Piece::Text(more)) => text.extend(more),
                (_, piece) => joined.push(piece),
            }
        }
        Self { pieces: joined }
    }

    /// How many placeholders there are.
    pub fn values(&self) -> usize {
        self.pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Number | Piece::Value | Piece::Any))
            .count()
    }

    /// A regular expression for the whole message, in the syntax of the `regex` crate, at most
    /// [`REGEX_BYTES_MAX`] bytes: it matches what [`matches`](Self::matches) does (of a longer template, what
    /// begins in the same way).
    ///
    /// Bytes that are no UTF-8 stand in it as U+FFFD, as they do in text made of such a message.
    pub fn regex(&self) -> String {
        const BLANKS: &str = r"[ \t-\r]";
        const END: &str = r"[ \t-\r]*$";
        const REST: &str = ".*$";
        let mut regex = format!("(?s)^{BLANKS}*");
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(text) => escape(&String::from_utf8_lossy(text)),
                Piece::Blank => format!("{BLANKS}+"),
                Piece::Dots => r"\.{2,}".into(),
                Piece::Number => r"[^ \t-\r]*[0-9][^ \t-\r]*".into(),
                Piece::Value => r"[^ \t-\r]+".into(),
                Piece::Any => ".*".into(),
            };
            if regex.len() + part.len() + END.len().max(REST.len()) > REGEX_BYTES_MAX {
                regex.push_str(REST);
                return regex;
            }
            regex.push_str(&part);
        }
        regex.push_str(END);
        regex
    }

    /// Whether a message has this template. Blanks in front and at the end do not count.
    ///
    /// Takes time in proportion to the message and to the template's length.
    pub fn matches(&self, message: &[u8]) -> bool {
        // Where a match of the pieces so far can end: ranges in order that do not touch.
        let blanks =
            |at: usize| message[at..].iter().take_while(|&&byte| class_of(byte) == BLANK).count();
        let mut ends = Ranges::default();
        ends.add(0..blanks(0) + 1);
        for piece in &self.pieces {
            ends = match piece {
                Piece::Text(text) => ends.after_text(message, text),
                Piece::Blank => ends.after_run(message, 1, |byte| class_of(byte) == BLANK),
                Piece::Dots => ends.after_run(message, 2, |byte| byte == b'.'),
                Piece::Number => ends.after_number(message),
                Piece::Value => ends.after_run(message, 1, |byte| class_of(byte) != BLANK),
                Piece::Any => ends.after_any(message),
            };
            if ends.0.is_empty() {
                return false;
            }
        }
        let rest = message.iter().rev().take_while(|&&byte| class_of(byte) == BLANK).count();
        ends.0.iter().any(|range| range.end > message.len() - rest)
    }
}

/// The text, with [`PLACEHOLDER`] for values and one blank for blanks.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(&String::from_utf8_lossy(text))?,
                Piece::Blank => f.write_str(" ")?,
                Piece::Dots => f.write_str("..")?,
                Piece::Number | Piece::Value | Piece::Any => f.write_str(PLACEHOLDER)?,
            }
        }
        Ok(())
    }
}

/// The text so that a regular expression takes it as it is.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if matches!(letter, '!'..='/' | ':'..='@' | '['..='`' | '{'..='~')
            && !"_'\"`,;:/=%!@<>".contains(letter)
        {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Positions in a message, as ranges in order that do not overlap.
#[derive(Debug, Default)]
struct Ranges(Vec<Range<usize>>);

impl Ranges {
    /// Adds positions that begin no earlier than the last range does.
    fn add(&mut self, range: Range<usize>) {
        match self.0.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => self.0.push(range),
        }
    }

    fn after_text(&self, message: &[u8], text: &[u8]) -> Self {
        let mut after = Self::default();
        let finder = memmem::Finder::new(text);
        for range in &self.0 {
            let mut from = range.start;
            while from < range.end && from + text.len() <= message.len() {
                let until = message.len().min(range.end - 1 + text.len());
                let Some(at) = finder.find(&message[from..until]) else { break };
                let end = from + at + text.len();
                after.add(end..end + 1);
                from += at + 1;
            }
        }
        after
    }

    /// After `least` bytes of a kind or more.
    fn after_run(&self, message: &[u8], least: usize, is_kind: impl Fn(u8) -> bool) -> Self {
        let mut after = Self::default();
        for range in &self.0 {
            let mut at = range.start;
            while at < range.end {
                let len = message[at..].iter().take_while(|&&byte| is_kind(byte)).count();
                if len >= least {
                    after.add(at + least..at + len + 1);
                }
                // From inside the run nothing more is reached, save that it takes `least` from there too.
                at += len + 1;
            }
        }
        after
    }

    fn after_number(&self, message: &[u8]) -> Self {
        let mut after = Self::default();
        for range in &self.0 {
            let mut at = range.start;
            while at < range.end {
                let len = message[at..].iter().take_while(|&&byte| class_of(byte) != BLANK).count();
                if let Some(digit) = message[at..at + len].iter().position(u8::is_ascii_digit) {
                    after.add(at + digit + 1..at + len + 1);
                }
                at += len + 1;
            }
        }
        after
    }

    fn after_any(&self, message: &[u8]) -> Self {
        Self(self.0.first().map(|first| first.start..message.len() + 1).into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
