//! The query language: a [`Filter`] as text, both ways.
//!
//! ```text
//! or    := and {"OR" and}
//! and   := not {["AND"] not}
//! not   := ["NOT" | "-"] (term | "(" or ")")
//! term  := [field op] value | "*"
//! op    := ":" contains, in any case     "=" "!=" exactly     "~" "!~" matches     ">" ">=" "<" "<="
//! value := word | "quoted" | /regex/flags
//! field := a field of an entry, or an attribute's dotted name
//! ```
//!
//! ```text
//! level>=WARNING logger:engine "timed out" -module:ws line>=200 duration_ms>500 (a OR b) message~/re/i
//! ```
//!
//! - A bare value is looked for in message and exception, in any case. Keywords are in capitals.
//! - `level` takes names in any case, several with commas: `level=ERROR,CRITICAL`. `line` takes a range:
//!   `line=200-300`. `timestamp` takes what `since` takes: `timestamp>=15m`, `timestamp<mark:deploy`.
//!   `id` takes ids of entries, with commas.
//!   `ID~N` are N entries from that one on, as a folded row names them.
//! - Every other name is an attribute's; `attr.NAME` reaches one that is called like a field. A name that
//!   is nearly a field's is refused, since that is what was meant.
//! - `field:*` asks whether the field is there. `field!=value` and `-field…` match entries without it.
//! - A `/` begins a pattern where a closing `/` ends the word; `/api/users` is a word. `\/` is a `/` in it.
//!   Flags are `i` `m` `s` `x`. Patterns are Rust's `regex`, matched in time linear in the text.
//! - In quotes `\"`, `\\`, `\n`, `\r`, `\t` and `\u{1f600}` stand for characters.
//! - Spaces may stand around every operator but `:`. `==` and `=~` are read as `=` and `~`.
//!
//! [`Filter`]'s `Display` writes this language, and what it writes parses to the same filter.

mod fields;
mod parse;
mod print;

use super::Filter;
use crate::Times;

/// A text that is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {message}", at + 1)]
pub struct ParseFilterError {
    /// How many characters (not bytes) stand before the place.
    pub at: usize,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl Filter {
    /// Longest text that is read as a filter, in bytes.
    pub const TEXT_BYTES_MAX: usize = 10_000;
    /// Deepest nesting of parentheses.
    pub const DEPTH_MAX: usize = 50;
    /// Most patterns in one filter: each may take [`Pattern::COMPILED_BYTES_MAX`] and as much again to
    /// run.
    ///
    /// [`Pattern::COMPILED_BYTES_MAX`]: super::Pattern::COMPILED_BYTES_MAX
    pub const PATTERNS_MAX: usize = 16;

    /// Most ids in one term, runs counted out.
    pub const IDS_MAX: usize = 10_000;

    /// Reads the [query language](self). An empty text is every entry.
    ///
    /// ```
    /// # use logrec_core::{Filter, Times, Timestamp};
    /// # use jiff::tz::TimeZone;
    /// let zone = TimeZone::UTC;
    /// let times = Times::new(Timestamp::now(), &zone);
    /// let filter = Filter::parse(r#"level>=warning "timed out" -logger:ws"#, &times)?;
    /// assert_eq!(filter.to_string(), r#"level>=WARNING "timed out" -logger:ws"#);
    ///
    /// let error = Filter::parse("lvel=ERROR", &times).unwrap_err();
    /// assert!(error.to_string().starts_with("at character 1: `lvel` is no field; did you mean `level`?"));
    /// # Ok::<_, logrec_core::filter::language::ParseFilterError>(())
    /// ```
    ///
    /// # Errors
    /// The first place that cannot be read, with what was expected there.
    pub fn parse(text: &str, times: &Times<'_>) -> Result<Self, ParseFilterError> {
        parse::parse(text, times)
    }

    /// The text of a filter with every date and time that has no zone written with one, so that it means
    /// the same elsewhere. All else stays as it is written: marks and spans back from now are for who
    /// answers.
    ///
    /// ```
    /// # use logrec_core::{Filter, Times, Timestamp};
    /// # use jiff::tz::{TimeZone, offset};
    /// let zone = TimeZone::fixed(offset(2));
    /// let times = Times::new(Timestamp::now(), &zone);
    /// let text = Filter::with_zones("timestamp>=2026-01-02T03:04:05  timestamp<5m x", &times)?;
    /// assert_eq!(text, "timestamp>=2026-01-02T01:04:05Z  timestamp<5m x");
    /// # Ok::<_, logrec_core::filter::language::ParseFilterError>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn with_zones(text: &str, times: &Times<'_>) -> Result<String, ParseFilterError> {
        let mut zoned = String::with_capacity(text.len() + 8);
        let mut behind = 0;
        for (place, written) in parse::times(text, times)? {
            // A moment in UTC is a word: it needs no quotes.
            let Some(time) = times.with_zone(&written) else { continue };
            zoned.push_str(&text[behind..place.start]);
            zoned.push_str(&time);
            behind = place.end;
        }
        zoned.push_str(&text[behind..]);
        Ok(zoned)
    }
}
