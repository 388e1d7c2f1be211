//! The skeleton of a message: what is left when everything that looks like a value is masked.
//!
//! One pass over the bytes cuts a message into words, marks (punctuation) and blanks, and decides for
//! every word by what it is made of, not by what it says, whether it is a value: numbers and whatever
//! holds a digit, addresses, paths, URLs, `user@host`, long hexadecimal, `host:port`, dates. No
//! dictionary (the abbreviations of days and months excepted), no regex, no state. Two messages of one
//! statement in the program mostly have one skeleton; that a plain word was a value, only statistics can
//! tell.
//!
//! At most the first [`SCANNED_BYTES_MAX`] of a message are looked at; the rest counts as one value.
//! So a message of a megabyte costs what one of a few kilobytes costs. Any bytes are fine: UTF-8, broken
//! UTF-8, binary, nothing at all.
//!
//! ```
//! use logrec_insight::skeleton;
//!
//! let one = skeleton::hash(b"user 17 logged in from 10.0.0.1:5050");
//! assert_eq!(one, skeleton::hash(b"user 4  logged in from 192.168.7.9:80"));
//! assert_ne!(one, skeleton::hash(b"user 17 logged out from 10.0.0.1:5050"));
//! ```

mod class;

use std::ops::Range;

pub(crate) use class::{BLANK, CONTROL, DIGIT, DOT, HEX, INNER, LETTER, SIGN, SLASH, class_of};

/// Bytes of a message that are looked at. What follows is one value.
pub const SCANNED_BYTES_MAX: usize = 4096;

/// A hash of the message's skeleton: equal for messages that differ only in their values and in how wide
/// their blanks are.
///
/// Allocates nothing; about a nanosecond for each three bytes. The same in every run and on every machine,
/// but not promised from one version to the next. Not keyed: who can choose messages can make two skeletons
/// collide, so use it to fold what is shown, not to decide what is secret.
pub fn hash(message: &[u8]) -> u64 {
    let mut hasher = Hasher::default();
    scan(message, &mut hasher);
    hasher.finish()
}

/// Tells where the values of a message lie, in order: bytes `range` of it, never empty.
///
/// Messages of one skeleton have as many, each in its place: the third value of one is what the third is of
/// another. A value can be compound (`10.0.0.1:80`), and does not include its unit (`45` of `45 ms`; but `45ms` is one
/// word). Allocates nothing.
pub fn values(message: &[u8], each: impl FnMut(Range<usize>)) {
    struct Values<F>(F);
    impl<F: FnMut(Range<usize>)> Sink for Values<F> {
        fn blank(&mut self) {}
        fn mark(&mut self, _: u8) {}
        fn word(&mut self, _: &[u8], _: usize, _: usize) {}
        fn value(&mut self, start: usize, end: usize, _: u8) {
            self.0(start..end);
        }
    }
    scan(message, &mut Values(each));
}

/// What [`scan`] tells, in the order of the message. Positions are bytes of the message.
pub(crate) trait Sink {
    /// A run of blanks between two pieces; never the first or the last piece.
    fn blank(&mut self);
    /// One byte of punctuation.
    fn mark(&mut self, mark: u8);
    /// A word that is no value. A row of dots is told as two, whatever its length.
    fn word(&mut self, message: &[u8], start: usize, end: usize);
    /// A value. `made_of` is the union of the classes of its bytes, or [`BLANK`] alone for what was not looked at.
    fn value(&mut self, start: usize, end: usize, made_of: u8);
}

/// Cuts a message into pieces and gives them to `sink`.
pub(crate) fn scan(message: &[u8], sink: &mut impl Sink) {
    let scanned = &message[..cut(message)];
    let mut at = 0;
    let mut started = false;
    let mut blank = false;
    while let Some(&byte) = scanned.get(at) {
        let class = class_of(byte);
        if class == BLANK {
            blank = started;
            at += 1;
            continue;
        }
        if blank {
            sink.blank();
            blank = false;
        }
        started = true;
        let before = at.checked_sub(1).map_or(b' ', |before| scanned[before]);
        if class == 0 {
            if matches!(byte, b'<' | b'>')
                && class_of(before) == BLANK
                && scanned.get(at + 1).is_some_and(u8::is_ascii_digit)
            {
                let (end, made_of) = run(scanned, at + 1);
                if class_of(scanned.get(end).copied().unwrap_or(b' ')) == BLANK {
                    sink.value(at, end, made_of | SIGN);
                    at = end;
                    continue;
                }
            }
            if byte == b':' && class_of(before) <= BLANK {
                let (end, made_of) = colons(scanned, at);
                if end > 0 {
                    sink.value(at, end, made_of);
                    at = end;
                    continue;
                }
            }
            sink.mark(byte);
            at += 1;
            continue;
        }
        at = word(scanned, at, before, sink);
    }
    if scanned.len() < message.len() {
        sink.value(scanned.len(), message.len(), BLANK);
    }
}

/// Where to stop looking: at the end, or where a character begins at or before [`SCANNED_BYTES_MAX`].
fn cut(message: &[u8]) -> usize {
    if message.len() <= SCANNED_BYTES_MAX {
        return message.len();
    }
    let is_inside = |at: &usize| message[*at] & 0xc0 == 0x80;
    (SCANNED_BYTES_MAX - 3..=SCANNED_BYTES_MAX)
        .rev()
        .find(|at| !is_inside(at))
        .unwrap_or(SCANNED_BYTES_MAX)
}

/// Tells the word that starts at `start`, and gives where it ends.
fn word(scanned: &[u8], start: usize, before: u8, sink: &mut impl Sink) -> usize {
    let (mut end, mut made_of) = run(scanned, start);
    if made_of & DOT != 0 {
        (end, made_of) = until_leader(scanned, start, end, made_of);
    }
    if made_of & DIGIT != 0
        && made_of & LETTER != 0
        && let Some(border) = script_border(&scanned[start..end])
    {
        end = start + border;
        made_of = classes_of(&scanned[start..end]);
    }
    if made_of & (DIGIT | HEX | LETTER) == 0 {
        // Rules and bullets are one piece. How many dots a row has depends on what stands before it.
        let is_row = made_of == DOT && end - start > 1;
        sink.word(scanned, start, if is_row { start + 2 } else { end });
        return end;
    }
    let mut stop = end;
    while matches!(scanned[stop - 1], b'.' | b'!' | b'?' | b'\\') {
        stop -= 1;
    }
    if stop < end && stop > start {
        made_of = classes_of(&scanned[start..stop]);
    }
    if let Some(digits) = numbered(&scanned[start..stop], made_of, &scanned[end..]) {
        sink.word(scanned, start, start + digits);
        sink.value(start + digits, stop, DIGIT);
    } else if is_value(scanned, start, stop, made_of, before) {
        let joined = value_end(scanned, start, stop, &mut made_of);
        if joined != stop {
            end = joined;
            stop = joined;
        }
        sink.value(start, stop, made_of);
    } else {
        sink.word(scanned, start, stop);
    }
    for &mark in &scanned[stop..end] {
        sink.mark(mark);
    }
    end
}

/// Cuts a word before or after a row of dots, which leads the eye from a name to its value: `enable.....1`.
fn until_leader(scanned: &[u8], start: usize, end: usize, made_of: u8) -> (usize, u8) {
    let word = &scanned[start..end];
    let Some(leader) = word.windows(2).position(|two| two == b"..") else { return (end, made_of) };
    let leader =
        if leader == 0 { word.iter().take_while(|&&byte| byte == b'.').count() } else { leader };
    (start + leader, classes_of(&word[..leader]))
}

/// Where a word goes over to ASCII or from it, if it has characters of scripts that leave no blanks between
/// words: `用户17登录`. These begin with 0xE0 and above in UTF-8.
fn script_border(word: &[u8]) -> Option<usize> {
    let is_wide = word.iter().any(|&byte| byte >= 0xe0);
    let border = || word.iter().position(|byte| byte.is_ascii() != word[0].is_ascii());
    if is_wide { border() } else { None }
}

fn classes_of(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |all, &byte| all | class_of(byte))
}

/// Where the number begins in the name of one of a few things: `eth0`, `cpu12`, `IRQ5`. The name counts.
fn numbered(word: &[u8], made_of: u8, after: &[u8]) -> Option<usize> {
    if made_of & DIGIT == 0
        || made_of & !(DIGIT | HEX | LETTER) != 0
        || !(3..=10).contains(&word.len())
    {
        return None;
    }
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let digits = word.len() - letters;
    let is_numbered = letters >= 2 && digits <= 2 && word[letters..].iter().all(u8::is_ascii_digit);
    let may_be_hex = made_of & LETTER == 0 && (digits > 1 || letters > 3);
    let goes_on = match after {
        [b':' | b',', next, ..] => class_of(*next) > BLANK,
        [next, ..] => *next == b'=',
        [] => false,
    };
    (is_numbered && !may_be_hex && !goes_on).then_some(letters)
}

/// Where the run of word bytes from `start` ends, and what it is made of.
fn run(scanned: &[u8], start: usize) -> (usize, u8) {
    let mut made_of = 0;
    for (at, &byte) in scanned.iter().enumerate().skip(start) {
        let class = class_of(byte);
        if class <= BLANK {
            return (at, made_of);
        }
        made_of |= class;
    }
    (scanned.len(), made_of)
}

/// Words longer than this are values: no one writes them.
const WORD_BYTES_MAX: usize = 120;

/// Whether the word is a value by what it is made of.
fn is_value(scanned: &[u8], start: usize, end: usize, made_of: u8, before: u8) -> bool {
    if made_of & DIGIT != 0 {
        return true;
    }
    let word = &scanned[start..end];
    let after = scanned.get(end).copied().unwrap_or(b' ');
    let next = scanned.get(end + 1).copied().unwrap_or(b' ');
    if made_of & (SLASH | INNER) != 0 && is_path(word, before) {
        return true;
    }
    if after == b':' {
        let is_drive = word.len() == 1 && matches!(next, b'\\' | b'/');
        let is_url = next == b'/' && scanned.get(end + 2) == Some(&b'/');
        let is_port = made_of & DOT != 0
            && is_place(word)
            && scanned[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count() >= 2;
        if is_drive || is_url || is_port || (made_of == HEX && colons(scanned, start).0 > 0) {
            return true;
        }
    }
    (made_of == HEX && word.len() >= 8)
        || (before == b'=' && made_of & DOT != 0)
        || word.len() > WORD_BYTES_MAX
        || (word.len() == 3 && is_date(scanned, start))
}

/// Whether a dotted word can be a host or a file, of which a port or a line follows: `db.example.org`,
/// `main.rs`, and not `view.clipAmount`.
fn is_place(word: &[u8]) -> bool {
    let label = word.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    let dots = word.iter().filter(|&&byte| byte == b'.').count();
    dots > 1 || (dots == 1 && label.iter().all(u8::is_ascii_lowercase))
}

/// Paths, `user@host`, `DOMAIN\user`; `read/write` and `n/a` are words, but not as `kind=read/write`.
fn is_path(word: &[u8], before: u8) -> bool {
    let inside = word.get(1..word.len() - 1).unwrap_or_default();
    let slashes = word.iter().filter(|&&byte| byte == b'/').count();
    (word[0] == b'/' && word.len() > 1)
        || slashes > 1
        || (slashes > 0 && (before == b'=' || word.contains(&b'.')))
        || inside.iter().any(|&byte| class_of(byte) == INNER)
}

/// Whether the three letters at `at` name a day or a month, and a number or another such name follows.
fn is_date(scanned: &[u8], mut at: usize) -> bool {
    loop {
        let Some(name) = scanned.get(at..at + 3) else { return false };
        let known = matches!(
            name,
            b"Mon"
                | b"Tue"
                | b"Wed"
                | b"Thu"
                | b"Fri"
                | b"Sat"
                | b"Sun"
                | b"Jan"
                | b"Feb"
                | b"Mar"
                | b"Apr"
                | b"May"
                | b"Jun"
                | b"Jul"
                | b"Aug"
                | b"Sep"
                | b"Oct"
                | b"Nov"
                | b"Dec"
        );
        if !known {
            return false;
        }
        at += 3;
        let gap = scanned[at..].iter().take_while(|&&byte| matches!(byte, b' ' | b',')).count();
        at += gap;
        if gap == 0 || scanned.get(at).is_none_or(u8::is_ascii_digit) {
            return gap > 0 && at < scanned.len();
        }
    }
}

/// Where a value ends that goes on beyond its word: `10.0.0.1:80`, `12:30:45,123`, a URL, `C:\dir`.
fn value_end(scanned: &[u8], start: usize, mut end: usize, made_of: &mut u8) -> usize {
    let after = scanned.get(end).copied().unwrap_or(b' ');
    if matches!(after, b'[' | b'=') && *made_of & SLASH != 0 && scanned[start] == b'/' {
        // A query, or a name in brackets: `/search?q=rust`, `/tmp/[one]/x`.
        *made_of |= SIGN;
        return link_end(scanned, end);
    }
    if !matches!(after, b':' | b',') {
        return end;
    }
    let (by_colons, made_of_colons) = colons(scanned, start);
    if by_colons > end {
        *made_of |= made_of_colons;
        return by_colons;
    }
    if scanned[end] == b':' && matches!(scanned.get(end + 1), Some(b'/' | b'\\')) {
        *made_of |= SIGN | SLASH;
        return link_end(scanned, end);
    }
    while matches!(scanned.get(end), Some(b':' | b',')) {
        let (stop, classes) = run(scanned, end + 1);
        let is_hex = classes == HEX && stop == end + 5 && scanned[end] == b':';
        if classes & DIGIT == 0 && !is_hex {
            break;
        }
        *made_of |= SIGN | classes;
        end = stop;
        while matches!(scanned[end - 1], b'.' | b'!' | b'?') {
            end -= 1;
        }
        if end != stop {
            break;
        }
    }
    end
}

/// Where a URL or a path ends: at a blank, a quote, or a closing bracket that was not opened in it.
fn link_end(scanned: &[u8], from: usize) -> usize {
    let mut open = 0;
    let is_end = |byte: &u8| match byte {
        b'"' | b'\'' | b'`' | b'<' | b'>' => true,
        b'(' | b'[' | b'{' => {
            open += 1;
            false
        }
        b')' | b']' | b'}' => {
            open -= 1;
            open < 0
        }
        _ => class_of(*byte) == BLANK,
    };
    let mut end = scanned[from..].iter().position(is_end).map_or(scanned.len(), |len| from + len);
    while matches!(scanned[end - 1], b'.' | b',' | b';' | b':') && end > from + 1 {
        end -= 1;
    }
    end
}

/// The end of an IPv6 or MAC address that starts at `start`, or 0 if none does.
fn colons(scanned: &[u8], start: usize) -> (usize, u8) {
    const ADDRESS_BYTES_MAX: usize = 45;
    let (mut colons, mut double, mut group, mut made_of) = (0, false, 0, SIGN);
    let window = &scanned[start..scanned.len().min(start + ADDRESS_BYTES_MAX)];
    let mut len = 0;
    for &byte in window {
        let class = class_of(byte);
        if byte == b':' {
            colons += 1;
            double |= group == 0 && len > 0;
            group = 0;
        } else if class & (DIGIT | HEX | DOT) != 0 && byte > b' ' {
            group += 1;
            if group > 4 && class & DOT == 0 && made_of & DOT == 0 {
                return (0, 0);
            }
            made_of |= class;
        } else if class > BLANK && byte != b'/' && byte != b'%' {
            return (0, 0);
        } else {
            break;
        }
        len += 1;
    }
    let is_address = colons >= 5 || (double && colons >= 2 && made_of & DIGIT != 0);
    if !is_address || window[len - 1] == b':' {
        return (0, 0);
    }
    if window[len - 1] == b'.' {
        return (start + len - 1, made_of);
    }
    // A zone or the length of a prefix: `fe80::1%eth0`, `2001:db8::/32`.
    let (end, rest) = run(scanned, start + len);
    (end, made_of | rest)
}

/// Hashes a skeleton as it is told.
#[derive(Debug, Default)]
pub(crate) struct Hasher {
    hash: u64,
    values: u32,
    /// Which values hold no digit, by their place; the last bit is for all from there on. Not in the hash: a
    /// path without a digit and one with are values of one skeleton.
    pub(crate) loose: u64,
}

/// The bit of [`Hasher::loose`] for the value at a place.
pub(crate) fn loose_bit(place: u32) -> u64 {
    1 << place.min(63)
}

impl Hasher {
    fn mix(&mut self, value: u64) {
        // A folded multiplication, as in wyhash: two products of 64 bits make one.
        let product = u128::from(self.hash ^ 0x9e37_79b9_7f4a_7c15)
            * u128::from(value ^ 0xe703_7ed1_a0b4_28db);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
        let folded = product as u64 ^ (product >> 64) as u64;
        self.hash = folded;
    }

    pub(crate) fn finish(&self) -> u64 {
        let mut end = Self { hash: self.hash, ..Self::default() };
        end.mix(1);
        end.hash
    }
}

/// The eight bytes at `at`, those beyond `end` as zeros.
fn eight(bytes: &[u8], at: usize, end: usize) -> u64 {
    if let Some(Ok(chunk)) = bytes.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let chunk = u64::from_le_bytes(chunk);
        return if end - at >= 8 { chunk } else { chunk & ((1 << (8 * (end - at))) - 1) };
    }
    bytes[at..end].iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte))
}

impl Sink for Hasher {
    fn blank(&mut self) {
        self.hash = self.hash.rotate_left(23) ^ 0x20;
    }

    fn mark(&mut self, mark: u8) {
        self.mix(u64::from(mark));
    }

    fn word(&mut self, message: &[u8], start: usize, end: usize) {
        let mut at = start;
        while at < end {
            self.mix(eight(message, at, end.min(at + 8)));
            at += 8;
        }
        self.mix(0x100 + (end - start) as u64);
    }

    fn value(&mut self, _: usize, _: usize, made_of: u8) {
        // What was not looked at is no value of one word.
        self.mix(if made_of == BLANK { u64::MAX - 1 } else { u64::MAX });
        if made_of & CONTROL != DIGIT {
            self.loose |= loose_bit(self.values);
        }
        self.values += 1;
    }
}

#[cfg(test)]
mod tests;
