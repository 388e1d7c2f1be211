//! Writing JSON into bytes: no tree, no allocation but the output's.
//!
//! An answer is mostly text that needs no escape, so strings are looked through eight bytes at a
//! time and copied in runs.

use logrec_core::{Timestamp, record::ValueRef};

/// Writes one object: commas, colons and quotes are its business.
#[derive(Debug)]
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Goes on with an object that has a member already.
    pub(crate) const fn continued(out: &'o mut Vec<u8>) -> Self {
        Self { out, first: false }
    }

    /// Writes a key and gives the place where its value goes.
    pub(crate) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        string(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// As [`key`](Self::key), for a key of ours that needs no escape.
    #[inline]
    pub(crate) fn plain(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.first { b"\"" } else { b",\"" });
        self.first = false;
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    #[inline]
    pub(crate) fn string(&mut self, key: &'static str, value: &str) -> &mut Self {
        string(self.plain(key), value);
        self
    }

    #[inline]
    pub(crate) fn uint(&mut self, key: &'static str, value: u64) -> &mut Self {
        uint(self.plain(key), value);
        self
    }

    pub(crate) fn bool(&mut self, key: &'static str, value: bool) -> &mut Self {
        self.plain(key).extend_from_slice(if value { b"true" } else { b"false" });
        self
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes items between brackets with commas.
pub(crate) fn array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

pub(crate) fn uint(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

pub(crate) fn int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// A number; what JSON has no number for becomes a string.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        string(out, &value.to_string());
    }
}

/// Seconds since the epoch with six digits after the point, trailing zeros left out but one.
///
/// Written from the integer: a double would print microseconds as their nearest neighbour.
pub(crate) fn epoch_seconds(out: &mut Vec<u8>, time: Timestamp) {
    let micros = time.0.div_euclid(1000);
    if micros < 0 {
        out.push(b'-');
    }
    let (seconds, mut fraction) =
        (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    uint(out, seconds);
    out.push(b'.');
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(fraction % 10).unwrap_or_default();
        fraction /= 10;
    }
    let kept = digits.iter().rposition(|&d| d != b'0').map_or(1, |last| last + 1);
    out.extend_from_slice(&digits[..kept]);
}

/// A string in quotes, escaped as RFC 8259 section 7 asks and no more.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    inner(out, text.as_bytes());
    out.push(b'"');
}

/// What stands between a string's quotes, from bytes that should be UTF-8 and are shown up to where
/// they stop being so. ASCII is copied without being looked at twice.
#[inline]
pub(crate) fn inner(out: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        out.extend_from_slice(text);
    } else {
        inner_checked(out, text);
    }
}

fn inner_checked(out: &mut Vec<u8>, text: &[u8]) {
    let text = match std::str::from_utf8(text) {
        Ok(_) => text,
        Err(e) => &text[..e.valid_up_to()],
    };
    let mut copied = 0;
    for (at, &byte) in text.iter().enumerate() {
        if matches!(byte, 0..0x20 | b'"' | b'\\') {
            out.extend_from_slice(&text[copied..at]);
            escape(out, byte);
            copied = at + 1;
        }
    }
    out.extend_from_slice(&text[copied..]);
}

/// Whether all of it is ASCII that needs no escape, eight bytes at a time.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The high bit of some byte is set if one is above 0x7f, below 0x20, or becomes zero by the xor
    // (Mycroft's test, which errs only beside a true hit).
    let hits = |word: u64| {
        let zero = |w: u64| w.wrapping_sub(ONES) & !w;
        (word
            | word.wrapping_sub(ONES * 0x20)
            | zero(word ^ (ONES * u64::from(b'"')))
            | zero(word ^ (ONES * u64::from(b'\\'))))
            & HIGHS
    };
    let load = |eight: &[u8]| eight.try_into().map_or(HIGHS, u64::from_le_bytes);
    if let Some(last) = text.last_chunk::<8>() {
        // The last eight once more, in place of a loop over the rest.
        let found = text.chunks_exact(8).fold(0, |found, eight| found | hits(load(eight)));
        return found | hits(u64::from_le_bytes(*last)) == 0;
    }
    text.iter().all(|&b| (0x20..0x80).contains(&b) && b != b'"' && b != b'\\')
}

#[cold]
fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// An attribute's value.
pub(crate) fn value(out: &mut Vec<u8>, value_ref: ValueRef<'_>) {
    match value_ref {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Bool(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        ValueRef::Int(v) => int(out, v),
        ValueRef::UInt(v) => uint(out, v),
        ValueRef::Float(v) => float(out, v),
        ValueRef::Str(v) => string(out, v),
        ValueRef::Array(items) => array(out, items, |out, (_, v)| value(out, v)),
        ValueRef::Map(items) => {
            let mut object = Object::new(out);
            for (name, v) in items {
                value(object.key(name), v);
            }
            object.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in "(?s).{0,80}") {
            prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).unwrap(), text);
        }

        #[test]
        fn microseconds_are_exact(ns: i64) {
            let mut out = Vec::new();
            epoch_seconds(&mut out, Timestamp(ns));
            let text = String::from_utf8(out).unwrap();
            let (seconds, fraction) = text.split_once('.').unwrap();
            let micros: i64 = format!("{seconds}{fraction:0<6}").parse().unwrap();
            prop_assert_eq!(micros, ns.div_euclid(1000));
            prop_assert!(serde_json::from_str::<f64>(&text).is_ok());
        }
    }

    #[test]
    fn escapes_are_the_shortest() {
        assert_eq!(written("a\"b\\c\n\u{1}é\u{7f}"), "\"a\\\"b\\\\c\\n\\u0001é\u{7f}\"");
        assert_eq!(written("0123456789\n0123456789\t"), "\"0123456789\\n0123456789\\t\"");
    }

    #[test]
    fn numbers_that_json_lacks_are_strings() {
        let mut out = Vec::new();
        float(&mut out, f64::NAN);
        float(&mut out, 1.5);
        assert_eq!(out, b"\"NaN\"1.5");
    }
}
