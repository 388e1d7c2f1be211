//! JSON text to a [`Value`], RFC 8259, with what a recorder needs beyond a general parser: names
//! that repeat are kept in order, whole numbers stay whole, a lone surrogate (`\ud800`, which
//! JavaScript writes when it cuts a string) becomes U+FFFD instead of losing the entry, and
//! nesting is bounded so that no input exhausts the stack.
//!
//! Deliberately not lenient otherwise: no comments, no trailing commas, no NaN. A line that is
//! almost JSON is a line of text.

use logrec_core::Value;

use crate::{limits::JSON_DEPTH_MAX, scan::shown};

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("nested deeper than {JSON_DEPTH_MAX}; give at most {JSON_DEPTH_MAX} levels")]
    TooDeep,
    #[error("the number `{0}` is out of range; give one that a 64-bit float can hold")]
    NumberRange(String),
    #[error("the text ends at byte {at}, where {expected} should follow")]
    Truncated { at: usize, expected: &'static str },
    #[error("byte {at} is `{}`, where {expected} should be", .found.escape_debug())]
    Unexpected { at: usize, found: char, expected: &'static str },
}

/// One value and nothing after it but white space.
pub(crate) fn parse(text: &str) -> Result<Value, JsonError> {
    let mut p = Parser { text, at: 0 };
    p.skip_space();
    let value = p.value(0)?;
    p.skip_space();
    if p.at < text.len() { Err(p.unexpected("the end of the text")) } else { Ok(value) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => JsonError::Unexpected { at: self.at, found, expected },
            None => JsonError::Truncated { at: self.at, expected },
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Str),
            Some(b'{' | b'[') if depth == JSON_DEPTH_MAX => Err(JsonError::TooDeep),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected("`true`, `false` or `null`"));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a name in quotes"));
            }
            let name = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.at += 1;
            self.skip_space();
            members.push((name, self.value(depth)?));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
        self.at += 1;
        Ok(Value::Map(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        number(&self.text[start..self.at], whole)
    }

    /// The string that begins at the quote under the cursor.
    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .bytes()
                .position(|b| b == b'"' || b == b'\\' || b < 0x20)
                .ok_or(JsonError::Truncated { at: self.text.len(), expected: "a closing quote" })?;
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                _ => {
                    return Err(self.unexpected(
                        "an escape such as \\n: control characters are not allowed in strings",
                    ));
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonError> {
        self.at += 1;
        let plain = match self.peek() {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'u') => {
                self.at += 1;
                out.push(self.unicode()?);
                return Ok(());
            }
            _ => return Err(self.unexpected("one of `\"\\/bfnrtu` after a backslash")),
        };
        out.push(plain);
        self.at += 1;
        Ok(())
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if let 0xD800..=0xDBFF = first
            && self.text[self.at..].starts_with("\\u")
        {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if let 0xDC00..=0xDFFF = second {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.unexpected("a hexadecimal digit"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

/// A number already known to be spelt well.
fn number(text: &str, whole: bool) -> Result<Value, JsonError> {
    if whole {
        if let Ok(n) = text.parse::<i64>() {
            return Ok(if n == 0 && text.starts_with('-') {
                Value::Float(-0.0)
            } else {
                Value::Int(n)
            });
        }
        if let Ok(n) = text.parse::<u64>() {
            return Ok(Value::UInt(n));
        }
    }
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(Value::Float(n)),
        _ => Err(JsonError::NumberRange(shown(text, 80))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_error(text: &str, expected: &str) {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }

    #[test]
    fn what_others_lose() {
        let str = |s: &str| Ok(Value::Str(s.to_owned()));
        assert_eq!(parse(r#""a\ud800b""#), str("a\u{fffd}b"));
        assert_eq!(parse(r#""\ud83d\ude00\ud83dA""#), str("\u{1f600}\u{fffd}A"));
        assert_eq!(parse(r#""\u0000""#), str("\0"));
        assert_eq!(parse("18446744073709551615"), Ok(Value::UInt(u64::MAX)));
        assert_eq!(parse("-9223372036854775808"), Ok(Value::Int(i64::MIN)));
        assert_eq!(
            parse(r#"{"a":1,"a":2}"#),
            Ok(Value::Map(vec![("a".into(), Value::Int(1)), ("a".into(), Value::Int(2))]))
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        check_error("1e400", "`1e400` is out of range");
        check_error(&"[".repeat(100_000), "deeper than 128");
        check_error("{\"a\":}", "byte 5 is `}`, where a value should be");
        check_error("{\"a\":1", "ends at byte 6, where `,` or `}`");
        check_error("\"\t\"", "control characters");
        check_error("01", "end of the text");
        check_error("{}é", "byte 2 is `é`");
    }

    #[test]
    fn depth_128_is_fine() {
        let text = format!("{}{}", "[".repeat(128), "]".repeat(128));
        assert!(parse(&text).is_ok());
    }
}
