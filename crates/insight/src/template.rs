//! The text of a pattern, and which messages have it.

mod extent;
mod ranges;

use std::fmt;

use extent::BLANKS;
pub(crate) use extent::{Extent, MANY};
use ranges::Ranges;

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
    Value(Extent),
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
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Value(_))).count()
    }

    /// A regular expression for the whole message, in the syntax of the `regex` crate, at most
    /// [`REGEX_BYTES_MAX`] bytes: it matches what [`matches`](Self::matches) does (of a longer template, what
    /// begins in the same way).
    ///
    /// It compiles within 1 MiB, the `size_limit` of the query language.
    ///
    /// Bytes that are no UTF-8 stand in it as U+FFFD, as they do in text made of such a message.
    pub fn regex(&self) -> String {
        const END: &str = r"[ \t-\r]*$";
        const REST: &str = ".*$";
        let mut regex = format!("(?s)^{BLANKS}*");
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(text) => escape(&String::from_utf8_lossy(text)),
                Piece::Blank => format!("{BLANKS}+"),
                Piece::Dots => r"\.{2,}".into(),
                Piece::Value(extent) => extent.regex(),
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
        let is_blank = |byte: &&u8| class_of(**byte) == BLANK;
        let blanks = message.iter().take_while(is_blank).count();
        let mut ends = Ranges::new(0..blanks + 1);
        for piece in &self.pieces {
            ends = match piece {
                Piece::Text(text) => ends.after_text(message, text),
                Piece::Blank => ends.after_blanks(message),
                Piece::Dots => ends.after_dots(message),
                Piece::Value(extent) => ends.after_value(message, *extent),
            };
            if ends.is_empty() {
                return false;
            }
        }
        ends.reach(message.len() - message.iter().rev().take_while(is_blank).count())
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
                Piece::Value(_) => f.write_str(PLACEHOLDER)?,
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

#[cfg(test)]
mod tests;
