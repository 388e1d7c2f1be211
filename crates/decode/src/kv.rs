//! `key=value` pairs as `tracing`, logfmt and structlog print them.
//!
//! A value is a quoted string, or runs to the next blank outside of quotes and brackets, so that
//! Rust's debug form (`Some("a b")`, `Point { x: 1 }`) is one value.

use logrec_core::Value;

use crate::{scan::Scan, value::typed};

/// Text longer than this is not searched for pairs: the search is quadratic at worst.
const SEARCHED_BYTES_MAX: usize = 16 << 10;

/// A pair in the order and with the type written.
pub(crate) type Pair = (String, Value);

/// One pair, the cursor at its name.
pub(crate) fn pair(s: &mut Scan<'_>) -> Option<Pair> {
    let mut next = *s;
    let name = key(&mut next)?;
    let value = value(&mut next)?;
    *s = next;
    Some((name.to_owned(), value))
}

/// A name and its `=`.
fn key<'a>(s: &mut Scan<'a>) -> Option<&'a str> {
    let _ = s.eat("r#");
    if !s.peek()?.is_ascii_alphabetic() && !matches!(s.peek()?, b'_' | b'@') {
        return None;
    }
    let name =
        s.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'@' | b'/'));
    s.eat("=")?;
    (s.peek() != Some(b'=')).then_some(name)
}

fn value(s: &mut Scan<'_>) -> Option<Value> {
    let found = match s.peek() {
        Some(b'"') => Some(quoted(s.rest)?),
        // Python's repr; an apostrophe may stand alone.
        Some(b'\'') => quoted(s.rest),
        _ => None,
    };
    if let Some((text, len)) = found {
        let after = &s.rest[len..];
        if after.is_empty() || after.starts_with([' ', '\t', ',', '}']) {
            s.rest = after;
            return Some(Value::Str(text));
        }
    }
    let value = typed(bare(s)?);
    Some(match value {
        // tower-http prints durations as `latency=0 ms`.
        Value::Int(number) => match unit(s) {
            Some(unit) => Value::Str(format!("{number} {unit}")),
            None => value,
        },
        _ => value,
    })
}

/// A unit after a number and a blank.
fn unit<'a>(s: &mut Scan<'a>) -> Option<&'a str> {
    let mut next = *s;
    next.eat(" ")?;
    let unit = next
        .token()
        .filter(|unit| ["ns", "us", "\u{b5}s", "\u{3bc}s", "ms", "s"].contains(unit))?;
    *s = next;
    Some(unit)
}

/// The text of a quoted string and how many bytes it took; escapes resolved.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    let quote = chars.next()?.1;
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((out, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                c @ ('"' | '\\' | '\'') => out.push(c),
                other => out.extend(['\\', other]),
            },
            c => out.push(c),
        }
    }
    None
}

/// Up to the next blank outside of quotes and brackets; `None` when one is left open.
fn bare<'a>(s: &mut Scan<'a>) -> Option<&'a str> {
    let bytes = s.rest.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at += quoted(&s.rest[at..])?.1 - 1,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => break,
            b')' | b']' | b'}' => depth -= 1,
            b' ' | b'\t' if depth == 0 && !bytes[at..].starts_with(b" { ") => break,
            _ => {}
        }
        at += 1;
    }
    if depth > 0 {
        return None;
    }
    let (head, tail) = s.rest.split_at(at);
    s.rest = tail;
    Some(head.trim_end_matches(','))
}

/// A whole text of pairs between blanks (or commas), `None` if anything else is in it.
pub(crate) fn all(text: &str) -> Option<Vec<Pair>> {
    let mut s = Scan::new(text.trim());
    let mut pairs = Vec::new();
    while !s.rest.is_empty() {
        pairs.push(pair(&mut s)?);
        let _ = s.eat(",");
        if !s.rest.is_empty() {
            s.blanks()?;
        }
    }
    Some(pairs)
}

/// A message and the pairs it ends with. A value with blanks and no quotes ends the pairs, unless
/// its name says it is an error's text.
pub(crate) fn split_tail(text: &str) -> (&str, Vec<Pair>) {
    let mut pairs = Vec::new();
    if text.len() > SEARCHED_BYTES_MAX || memchr::memchr(b'=', text.as_bytes()).is_none() {
        return (text, pairs);
    }
    let mut s = Scan::new(text);
    let mut tail_start = text.len();
    while !s.rest.is_empty() {
        let start = text.len() - s.rest.len();
        if let Some(mut found) = pair(&mut s).filter(|_| ends_word(&s)) {
            if is_error_name(&found.0) {
                extend(&mut found, &mut s);
            }
            if pairs.is_empty() {
                tail_start = start;
            }
            pairs.push(found);
            let _ = s.eat(",");
        } else {
            pairs.clear();
            tail_start = text.len();
            s.rest = &text[start..];
            let _ = s.token();
        }
        s.skip_blanks();
    }
    (text[..tail_start].trim_end(), pairs)
}

fn ends_word(s: &Scan<'_>) -> bool {
    s.rest.is_empty() || s.rest.starts_with([' ', '\t', ','])
}

fn is_error_name(name: &str) -> bool {
    ["error", "err", "e", "cause", "reason"].contains(&name)
}

/// Words that follow an unquoted error, up to the next pair, are part of it.
fn extend(found: &mut Pair, s: &mut Scan<'_>) {
    let Value::Str(text) = &mut found.1 else { return };
    loop {
        let mut next = *s;
        next.skip_blanks();
        if next.rest.is_empty() || key(&mut { next }).is_some() {
            return;
        }
        let Some(word) = next.token() else { return };
        text.push(' ');
        text.push_str(word);
        *s = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, message: &str, expected: &[(&str, Value)]) {
        let (found, pairs) = split_tail(text);
        assert_eq!(found, message, "{text}");
        let pairs: Vec<(&str, Value)> =
            pairs.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        assert_eq!(pairs, expected, "{text}");
    }

    #[test]
    fn pairs_at_the_end() {
        check(
            "hello a=1 b=\"x y\" c=true",
            "hello",
            &[("a", 1i64.into()), ("b", "x y".into()), ("c", true.into())],
        );
        check(
            "x p=Point { x: 1, y: 2 } o=Some(\"a b\")",
            "x",
            &[("p", "Point { x: 1, y: 2 }".into()), ("o", "Some(\"a b\")".into())],
        );
        check(
            "failed error=connection refused by peer code=5",
            "failed",
            &[("error", "connection refused by peer".into()), ("code", 5i64.into())],
        );
        check("where a=1 is text", "where a=1 is text", &[]);
        check("if a==b", "if a==b", &[]);
        check("open a=(b", "open a=(b", &[]);
        check("a=1", "", &[("a", 1i64.into())]);
    }
}
