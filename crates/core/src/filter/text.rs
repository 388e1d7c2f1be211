//! Looking for text: substrings in any case, and patterns with bounds.

use std::fmt;

use memchr::{memchr, memchr2};
use regex::bytes::{Regex, RegexBuilder};

use super::Prefilter;

/// A regular expression in Rust's syntax, compiled with bounds on its size and nesting, and matched
/// in time linear in the text whatever it is (no backtracking).
#[derive(Clone)]
pub struct Pattern {
    regex: Regex,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Longer than [`Pattern::SOURCE_BYTES_MAX`].
    #[error("the pattern has {0} bytes; give at most {max}", max = Pattern::SOURCE_BYTES_MAX)]
    TooLong(usize),
    /// Compiled, it would take more than [`Pattern::COMPILED_BYTES_MAX`].
    #[error("the pattern is too large once compiled; make its repetitions smaller")]
    TooLarge,
    /// It is not one; the text says where and why.
    #[error("the pattern cannot be read: {0}")]
    Syntax(String),
}

impl Pattern {
    /// Longest pattern, in bytes.
    pub const SOURCE_BYTES_MAX: usize = 4096;
    /// Largest compiled pattern, and largest cache of its automaton, in bytes.
    pub const COMPILED_BYTES_MAX: usize = 1 << 20;

    /// Compiles a pattern. `(?i)` in it makes it match in any case.
    ///
    /// # Errors
    /// When it is too long, too large or not one.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        if source.len() > Self::SOURCE_BYTES_MAX {
            return Err(PatternError::TooLong(source.len()));
        }
        let source = &plain_slashes(source);
        let built = RegexBuilder::new(source)
            .size_limit(Self::COMPILED_BYTES_MAX)
            .dfa_size_limit(Self::COMPILED_BYTES_MAX)
            .nest_limit(50)
            .build();
        match built {
            Ok(regex) => Ok(Self { regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooLarge),
            Err(e) => Err(PatternError::Syntax(one_line(&e.to_string()))),
        }
    }

    /// The pattern as given, but for slashes that were escaped without need.
    #[must_use]
    pub fn source(&self) -> &str {
        self.regex.as_str()
    }

    /// What can be looked for first, where the pattern is a text without operators, `(?i)` before it or
    /// not.
    pub(super) fn prefilter(&self) -> Option<Prefilter> {
        let source = self.source();
        let text = source.strip_prefix("(?i)").unwrap_or(source);
        if text.contains(|c: char| r"\.+*?()|[]{}^$".contains(c)) {
            return None;
        }
        if text.len() < source.len() {
            return Prefilter::new(plain_part(text), commonness);
        }
        Prefilter::exact(text.as_bytes(), commonness)
    }

    /// Whether it matches somewhere in `text`.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

/// A pattern with `/` for `\/`: the same to the engine, and one way to write it.
fn plain_slashes(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('/')) => {}
            ('\\', Some(_)) => {
                plain.push(c);
                plain.extend(chars.next());
            }
            _ => plain.push(c),
        }
    }
    plain
}

/// The parser draws its error on several lines; the last says what is wrong.
fn one_line(error: &str) -> String {
    let last = error.lines().last().unwrap_or(error).trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Finds a text in any case.
///
/// A needle of ASCII matches ASCII letters only, so that no `k` finds a Kelvin sign; any other needle
/// matches by Unicode's simple case folding, so `ÄRGER` finds `ärger`.
#[derive(Debug)]
pub(super) enum Finder {
    Empty,
    Ascii {
        /// In lower case.
        needle: Box<[u8]>,
        /// The needle's rarest byte: where it stands, and both its cases.
        rare_at: usize,
        rare: [u8; 2],
    },
    /// With what its longest part of plain ASCII gives to look for first.
    Folded(Regex, Option<Prefilter>),
    /// A needle too large for the regex engine: compared in lower case, at the price of a copy.
    Lowered(String),
}

impl Finder {
    pub(super) fn new(needle: &str) -> Self {
        if needle.is_empty() {
            return Self::Empty;
        }
        if !needle.is_ascii() {
            let folded = RegexBuilder::new(&regex::escape(needle)).case_insensitive(true).build();
            return folded.map_or_else(
                |_| Self::Lowered(needle.to_lowercase()),
                |regex| Self::Folded(regex, Prefilter::new(plain_part(needle), commonness)),
            );
        }
        let needle = needle.to_ascii_lowercase().into_bytes().into_boxed_slice();
        let rare_at = (0..needle.len()).min_by_key(|&i| commonness(needle[i])).unwrap_or(0);
        let rare = [needle[rare_at], needle[rare_at].to_ascii_uppercase()];
        Self::Ascii { needle, rare_at, rare }
    }

    /// What can be looked for without copying the text; `None` where only a closer look tells.
    pub(super) fn prefilter(&self) -> Option<Prefilter> {
        match self {
            Self::Ascii { needle, .. } => Prefilter::new(needle, commonness),
            Self::Folded(_, prefilter) => prefilter.clone(),
            Self::Empty | Self::Lowered(_) => None,
        }
    }

    #[inline]
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Empty => true,
            Self::Folded(regex, _) => regex.is_match(text),
            Self::Lowered(needle) => {
                String::from_utf8_lossy(text).to_lowercase().contains(needle.as_str())
            }
            Self::Ascii { needle, rare_at, rare } => find_ascii(text, needle, *rare_at, *rare),
        }
    }
}

/// The longest part of a needle that only ASCII of its own length matches: without `k` and `s`, which
/// fold together with the Kelvin sign and the long s.
fn plain_part(needle: &str) -> &[u8] {
    let varies = |b: &u8| !b.is_ascii() || matches!(b.to_ascii_lowercase(), b'k' | b's');
    needle.as_bytes().split(varies).max_by_key(|part| part.len()).unwrap_or_default()
}

#[inline]
fn find_ascii(text: &[u8], needle: &[u8], rare_at: usize, rare: [u8; 2]) -> bool {
    // The rare byte lies `rare_at` after a match's start, so nearer to the ends it cannot be.
    let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
    let mut from = rare_at;
    let end = last_start + rare_at + 1;
    while from < end {
        let found = if rare[0] == rare[1] {
            memchr(rare[0], &text[from..end])
        } else {
            memchr2(rare[0], rare[1], &text[from..end])
        };
        let Some(offset) = found else { return false };
        let start = from + offset - rare_at;
        if text[start..start + needle.len()].eq_ignore_ascii_case(needle) {
            return true;
        }
        from += offset + 1;
    }
    false
}

/// How common a byte is in log text, roughly: digits and frequent letters high, the rest low.
pub(super) fn commonness(byte: u8) -> u8 {
    const FREQUENT: &[u8] = b" etaoinsrlcdpumhgfb0123456789wyvk.=:-_/\"'x";
    let rank = FREQUENT.iter().position(|&b| b == byte).unwrap_or(FREQUENT.len());
    u8::MAX - u8::try_from(rank).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_case_as_a_user_expects() {
        for (needle, text, found) in [
            ("websocket", "the WebSocket closed", true),
            ("ÄRGER", "großer ärger", true),
            ("ärger", "ÄRGER!", true),
            ("σ", "ΟΔΟΣ", true),
            ("k", "273 \u{212a}", false),
            ("", "", true),
            ("a", "", false),
            ("timeout", "timeou", false),
            ("100%", "at 100% now", true),
            ("日本", "こんにちは日本", true),
        ] {
            assert_eq!(Finder::new(needle).is_in(text.as_bytes()), found, "{needle:?} in {text:?}");
        }
    }

    proptest! {
        #[test]
        fn ascii_agrees_with_lower_case(needle in "[ -~]{0,6}", text in "[ -~]{0,60}") {
            let expected = text.to_ascii_lowercase().contains(&needle.to_ascii_lowercase());
            prop_assert_eq!(Finder::new(&needle).is_in(text.as_bytes()), expected);
        }

        #[test]
        fn a_prefilter_never_hides_a_match(needle in "[a-zäKksS\u{212a}ſÄß]{1,8}", before in "\\PC{0,9}", upper: bool) {
            let finder = Finder::new(&needle);
            let there = if upper { needle.to_uppercase() } else { needle.to_lowercase() };
            let text = format!("{before}{there}");
            let mut words = text.into_bytes();
            let is_match = finder.is_in(&words);
            words.resize(words.len().next_multiple_of(8), 0);
            let words: Vec<_> = words.chunks_exact(8).map(|w| {
                std::sync::atomic::AtomicU64::new(u64::from_ne_bytes(w.try_into().unwrap()))
            }).collect();
            prop_assert!(!is_match || finder.prefilter().is_none_or(|p| p.is_in(&words)));
        }

        #[test]
        fn a_part_is_found_in_either_case(text in "\\PC{1,40}", a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
            let (a, b) = (a.index(text.len() + 1), b.index(text.len() + 1));
            let part = &text[text.floor_char_boundary(a.min(b))..text.floor_char_boundary(a.max(b))];
            prop_assert!(Finder::new(part).is_in(text.as_bytes()));
        }
    }

    #[test]
    fn a_needle_beyond_the_engine_is_still_found() {
        let needle = "ä".repeat(400_000);
        assert!(Finder::new(&needle).is_in(format!("x{}x", "Ä".repeat(400_000)).as_bytes()));
    }

    #[test]
    fn patterns_are_bounded() {
        assert!(matches!(Pattern::new(&"a".repeat(5000)), Err(PatternError::TooLong(5000))));
        assert_eq!(Pattern::new("a{1000}{1000}"), Err(PatternError::TooLarge));
        let Err(PatternError::Syntax(why)) = Pattern::new("(a") else { panic!("accepted") };
        assert_eq!(why, "unclosed group");
        assert!(Pattern::new("(?i)x.z").unwrap().is_match(b"aXyZ"));
    }
}
