//! The pieces of skeletons and of forms, and how a skeleton is kept.

use super::form::chunks;
use crate::skeleton::{self, BLANK, CONTROL, DIGIT, Sink, loose_bit};
use crate::template::{Extent, MANY};

/// A piece of a skeleton. Its text lies in the skeleton's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Of its text; of a value always [`Token::VALUE`]. Forms are equal if these are.
    pub(super) hash: u64,
    /// Of a word or a mark where its text is; of a value, which has none, its extent.
    start: u16,
    len: u16,
    pub(super) kind: Kind,
    /// Of a word what follows here, of a mark the mark itself, of a value its unit: 0, or its place in
    /// [`UNITS`] plus 1.
    pub(super) traits: u8,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Blank,
    Mark,
    Word,
    Value,
}

// Traits of words.
/// Two letters and more: it counts as something the program says.
pub(super) const SAYS: u8 = 1;
/// Made as names are, not as prose is: `a.b`, `root_domain`, a single letter.
pub(super) const NAME: u8 = 2;
pub(super) const CAPITAL: u8 = 4;
/// No letter and no digit.
pub(super) const SIGNS: u8 = 8;
/// Ends as English verbs do in what programs say: `started`, `closing`.
pub(super) const VERB: u8 = 16;
/// `null` and its kin: a value that is missing.
pub(super) const NULL: u8 = 32;
/// The abbreviation of a time zone.
pub(super) const ZONE: u8 = 64;

/// Units of time, size and rate, which can follow a value and do not tell statements apart.
#[rustfmt::skip]
pub(super) const UNITS: [&str; 46] = [
    "B", "KB", "MB", "GB", "TB", "kB", "KiB", "MiB", "GiB", "TiB", "byte", "bytes", "bps", "Kbps",
    "Mbps", "Gbps", "Hz", "kHz", "KHz", "MHz", "GHz", "ns", "us", "µs", "ms", "msec", "msecs",
    "millisecond", "milliseconds", "s", "sec", "secs", "second", "seconds", "min", "mins",
    "minute", "minutes", "h", "hr", "hrs", "hour", "hours", "d", "day", "days",
];

impl Token {
    const VALUE: u64 = 0x5bd1_e995_1b87_3593;

    pub(super) fn value(extent: Extent) -> Self {
        let mut value = Self { hash: Self::VALUE, start: 0, len: 0, kind: Kind::Value, traits: 0 };
        value.set_extent(extent);
        value
    }

    /// How much a value stands for, its unit left out.
    pub(super) fn extent(&self) -> Extent {
        let [min, max] = self.start.to_le_bytes();
        Extent { min, max, digits: self.len > 0 }
    }

    pub(super) fn set_extent(&mut self, extent: Extent) {
        debug_assert!(self.is_value());
        self.start = u16::from_le_bytes([extent.min, extent.max]);
        self.len = u16::from(extent.digits);
    }

    pub(super) fn blank() -> Self {
        Self { hash: 0x20, start: 0, len: 0, kind: Kind::Blank, traits: 0 }
    }

    pub(super) fn is_value(&self) -> bool {
        self.kind == Kind::Value
    }

    pub(super) fn is_word(&self) -> bool {
        self.kind == Kind::Word && self.traits & SIGNS == 0
    }

    /// The unit that all messages have after this value.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let at = usize::from(self.traits).checked_sub(1)?;
        if self.is_value() { UNITS.get(at).copied() } else { None }
    }

    /// Makes a value stand for another's texts too.
    pub(super) fn widen(&mut self, other: &Self) {
        if !self.is_value() {
            return;
        }
        let is_same = self.traits == other.traits;
        let extent = |value: &Self| if is_same { value.extent() } else { extent(&[*value]) };
        self.set_extent(extent(self).or(extent(other)));
        if !is_same {
            self.traits = 0;
        }
    }

    /// A word of one byte that is no letter and no digit.
    pub(super) fn is_sign(&self) -> bool {
        self.kind == Kind::Word && self.traits & SIGNS != 0 && self.len == 1
    }

    pub(super) fn text<'a>(&self, skeleton: &'a [u8]) -> &'a [u8] {
        match self.kind {
            Kind::Mark | Kind::Word => {
                &skeleton[usize::from(self.start)..][..usize::from(self.len)]
            }
            Kind::Blank | Kind::Value => &[],
        }
    }

    pub(super) fn is_mark(&self, mark: u8) -> bool {
        self.kind == Kind::Mark && self.traits == mark
    }

    pub(super) fn is_any_mark(&self, marks: &[u8]) -> bool {
        self.kind == Kind::Mark && marks.contains(&self.traits)
    }
}

// How a skeleton is kept: a tag and then the piece's text. Tags cannot occur in words or marks, whose
// control characters made them values.
const TAG_WORD: u8 = 1;
const TAG_MARK: u8 = 2;
const TAG_BLANK: u8 = 3;
const TAG_NUMBER: u8 = 4;
const TAG_VALUE: u8 = 5;
const TAG_ANY: u8 = 6;
/// With three bytes: an extent.
const TAG_EXTENT: u8 = 7;

/// Pieces of a skeleton that are kept; those beyond are one value, which may be anything.
pub(super) const PIECES_MAX: usize = 256;

/// The skeleton of a message as bytes, at most three times as many as were looked at, and how many pieces it
/// has.
pub(super) fn encode(message: &[u8]) -> (Box<[u8]>, usize) {
    struct Encoder {
        bytes: Vec<u8>,
        pieces: usize,
    }
    impl Encoder {
        fn add(&mut self, tag: u8, text: &[u8]) {
            self.pieces += 1;
            if self.pieces < PIECES_MAX {
                self.bytes.push(tag);
                self.bytes.extend_from_slice(text);
            } else if self.pieces == PIECES_MAX {
                self.bytes.push(TAG_ANY);
            }
        }
    }
    impl Sink for Encoder {
        fn blank(&mut self) {
            self.add(TAG_BLANK, b"");
        }
        fn mark(&mut self, mark: u8) {
            self.add(TAG_MARK, &[mark]);
        }
        fn word(&mut self, message: &[u8], start: usize, end: usize) {
            self.add(TAG_WORD, &message[start..end]);
        }
        fn value(&mut self, _: usize, _: usize, made_of: u8) {
            let tag = match made_of {
                BLANK => TAG_ANY,
                _ if made_of & CONTROL == DIGIT => TAG_NUMBER,
                _ => TAG_VALUE,
            };
            self.add(tag, b"");
        }
    }
    let mut encoder = Encoder { bytes: Vec::with_capacity(message.len().min(256)), pieces: 0 };
    skeleton::scan(message, &mut encoder);
    (encoder.bytes.into_boxed_slice(), encoder.pieces.min(PIECES_MAX))
}

/// The tokens of an encoded skeleton, as they stand in the message. `loose` says which of the values were
/// seen without a digit.
pub(super) fn tokens(skeleton: &[u8], loose: u64) -> Vec<Token> {
    let mut values = 0..;
    let mut is_loose = || values.next().is_none_or(|place| loose & loose_bit(place) != 0);
    let mut tokens = Vec::with_capacity(skeleton.len() / 3);
    let mut at = 0;
    while at < skeleton.len() {
        let tag = skeleton[at];
        at += 1;
        let len = match tag {
            TAG_WORD => skeleton[at..]
                .iter()
                .take_while(|&&byte| !(TAG_WORD..=TAG_EXTENT).contains(&byte))
                .count(),
            TAG_MARK => 1,
            TAG_EXTENT => 3,
            _ => 0,
        };
        let text = &skeleton[at..at + len];
        tokens.push(match tag {
            TAG_WORD => word(text, at),
            TAG_MARK => Token {
                hash: hash(text),
                start: index(at),
                len: 1,
                kind: Kind::Mark,
                traits: text[0],
            },
            TAG_BLANK => Token::blank(),
            _ => {
                let extent = match (tag, text) {
                    (TAG_NUMBER, _) => Extent::NUMBER,
                    (TAG_VALUE, _) => Extent::CHUNK,
                    (_, &[min, max, digits]) => Extent { min, max, digits: digits > 0 },
                    _ => Extent::ANY,
                };
                let is_loose = is_loose();
                Token::value(Extent { digits: extent.digits && !is_loose, ..extent })
            }
        });
        at += len;
    }
    tokens
}

/// A form as if it were a skeleton, and the hash that skeleton has.
pub(super) fn encode_tokens(tokens: &[Token], skeleton: &[u8]) -> (u64, Box<[u8]>) {
    let mut hasher = skeleton::Hasher::default();
    let mut bytes = Vec::new();
    for token in tokens {
        let text = token.text(skeleton);
        match token.kind {
            Kind::Blank => hasher.blank(),
            Kind::Mark => hasher.mark(token.traits),
            Kind::Word => hasher.word(text, 0, text.len()),
            Kind::Value => hasher.value(0, 0, DIGIT),
        }
        let unit = token.unit().unwrap_or_default().as_bytes();
        bytes.push(match token.kind {
            Kind::Blank => TAG_BLANK,
            Kind::Mark => TAG_MARK,
            Kind::Word => TAG_WORD,
            Kind::Value => TAG_EXTENT,
        });
        bytes.extend_from_slice(text);
        if token.is_value() {
            let Extent { min, max, digits } = token.extent();
            bytes.extend_from_slice(&[min, max, u8::from(digits)]);
        }
        if !unit.is_empty() {
            hasher.blank();
            hasher.word(unit, 0, unit.len());
            bytes.extend_from_slice(&[TAG_BLANK, TAG_WORD]);
            bytes.extend_from_slice(unit);
        }
    }
    (hasher.finish(), bytes.into_boxed_slice())
}

fn index(at: usize) -> u16 {
    u16::try_from(at).expect("a skeleton has less than 16 kB")
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = skeleton::Hasher::default();
    hasher.word(text, 0, text.len());
    hasher.finish()
}

fn word(text: &[u8], at: usize) -> Token {
    let letters = text.iter().filter(|&&byte| byte.is_ascii_alphabetic() || byte >= 0x80).count();
    let mut traits = 0;
    let mut add = |is: bool, this: u8| traits |= if is { this } else { 0 };
    let is_name = is_name(text);
    add(letters >= 2, SAYS);
    add(is_name, NAME);
    add(!is_name && text[0].is_ascii_uppercase(), CAPITAL);
    add(!text.iter().any(|&byte| byte.is_ascii_alphanumeric() || byte >= 0x80), SIGNS);
    add(matches!(text, b"null" | b"NULL" | b"nil" | b"None" | b"undefined" | b"NaN"), NULL);
    add(is_zone(text), ZONE);
    add(is_verb(text), VERB);
    let len = u16::try_from(text.len()).expect("a word is no longer than what is scanned");
    Token { hash: hash(text), start: index(at), len, kind: Kind::Word, traits }
}

/// Made as names are: with inner dots, slashes and the like. Of what ends in capitals (`action.SCREEN_ON`) only
/// few exist, as of all constants.
fn is_name(word: &[u8]) -> bool {
    let last = word.rsplit(|byte| matches!(byte, b'.' | b'/')).next().unwrap_or(word);
    let is_constant =
        last.len() > 1 && last.iter().all(|&byte| byte.is_ascii_uppercase() || byte == b'_');
    let joins = word.windows(2).any(|two| {
        matches!(two[0], b'.' | b'_' | b'/' | b'\\' | b'@')
            && (two[1].is_ascii_alphanumeric() || two[1] == b'_')
    });
    word.len() == 1 || (joins && !is_constant)
}

fn is_verb(word: &[u8]) -> bool {
    const LETTERS_LEAST: usize = 5;
    word.len() >= LETTERS_LEAST
        && (word.ends_with(b"ed") || word.ends_with(b"ing"))
        && word.iter().all(u8::is_ascii_alphabetic)
}

fn is_zone(word: &[u8]) -> bool {
    matches!(
        word,
        b"UTC"
            | b"GMT"
            | b"BST"
            | b"IST"
            | b"JST"
            | b"MSK"
            | b"AEST"
            | b"AEDT"
            | [b'E' | b'C' | b'M' | b'P', b'S' | b'D', b'T']
            | [b'C' | b'E' | b'W', b'E', b'T']
            | [b'C' | b'E' | b'W', b'E', b'S', b'T']
    )
}

pub(super) fn equal(a: &[Token], b: &[Token]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.hash == b.hash)
}

/// How much these tokens are as one value.
pub(super) fn extent(tokens: &[Token]) -> Extent {
    let values = || tokens.iter().filter(|token| token.is_value());
    if values().any(|value| value.extent() == Extent::ANY) {
        return Extent::ANY;
    }
    let unit = |value: &Token| usize::from(value.unit().is_some());
    let blanks = tokens.iter().filter(|token| token.kind == Kind::Blank).count();
    let (mut min, mut max) = (blanks + 1, blanks + 1);
    for value in values() {
        // A value of no chunk can take away the chunk it is in.
        min = (min + usize::from(value.extent().min) + unit(value)).saturating_sub(1);
        max = max + usize::from(value.extent().max) + unit(value) - 1;
    }
    if values().any(|value| value.extent().max == MANY) {
        max = usize::from(MANY);
    }
    let has_digits = |&(from, to): &(usize, usize)| {
        let mut values = tokens[from..to].iter().filter(|token| token.is_value());
        let is_whole = |value: &Token| value.extent().max == 1 || value.extent().digits;
        values.clone().any(|value| value.extent().digits && value.extent().min > 0)
            && values.all(|value| is_whole(value) && value.unit().is_none())
    };
    Extent::new(min, max, chunks(tokens).iter().all(has_digits))
}
