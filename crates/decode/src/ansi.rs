//! Terminal colours out of a line: ECMA-48 control sequences, and whatever else begins with ESC.
//!
//! Only the sequence goes, never text beside it. A lone ESC is dropped too, so that what is stored
//! cannot act on the terminal of whoever reads it.

use std::borrow::Cow;

const ESC: u8 = 0x1b;

/// The line without control sequences; borrowed when there are none.
pub(crate) fn strip(line: &str) -> Cow<'_, str> {
    if memchr::memchr(ESC, line.as_bytes()).is_none() {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(ESC, rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        rest = &after[sequence_len(after.as_bytes())..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Bytes after ESC that belong to its sequence; all of them ASCII, or none.
fn sequence_len(after: &[u8]) -> usize {
    match after {
        [b'[', tail @ ..] => {
            let parameters = tail.iter().take_while(|b| (0x20..=0x3f).contains(*b)).count();
            let last = tail.get(parameters).is_some_and(|b| (0x40..=0x7e).contains(b));
            1 + parameters + usize::from(last)
        }
        // An operating system command (a title, a link) ends with BEL or ESC \.
        [b']', tail @ ..] => match tail.iter().position(|&b| b == 0x07 || b == ESC) {
            Some(end) if tail[end] == 0x07 => end + 2,
            Some(end) if tail.get(end + 1) == Some(&b'\\') => end + 3,
            _ => 1,
        },
        [b'(' | b')', b'0' | b'A' | b'B', ..] => 2,
        [b'7' | b'8' | b'=' | b'>' | b'M', ..] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sequence_goes() {
        for (given, expected) in [
            ("plain", "plain"),
            ("\x1b[2m2026\x1b[0m \x1b[32m INFO\x1b[0m é", "2026  INFO é"),
            ("\x1b[38;5;196mred\x1b[m", "red"),
            ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x07!", "link!"),
            ("\x1b(Ba\x1bé\x1b", "aé"),
            ("\x1b[", ""),
        ] {
            assert_eq!(strip(given), expected);
        }
    }
}
