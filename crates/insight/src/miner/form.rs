//! Skeletons as tokens, and their normal form: what two messages of one statement still have in common
//! when one lists three items and the other five, or one took milliseconds and the other seconds.

use crate::skeleton::{self, BLANK, CONTROL, DIGIT, Sink, loose_bit};

/// A piece of a skeleton. Its text lies in the skeleton's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Of its text; of a value always [`Token::VALUE`]. Forms are equal if these are.
    pub(super) hash: u64,
    start: u32,
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
    /// A value without a blank in it that holds a digit.
    Number,
    /// A value without a blank in it.
    Value,
    /// A value that may be anything, nothing too.
    Any,
}

// Traits of words.
/// Two letters and more: it counts as something the program says.
pub(super) const SAYS: u8 = 1;
/// Made as names are, not as prose is: `a.b`, `root_domain`, a single letter.
pub(super) const NAME: u8 = 2;
pub(super) const CAPITAL: u8 = 4;
/// No letter and no digit.
pub(super) const SIGNS: u8 = 8;
/// `null` and its kin: a value that is missing.
pub(super) const NULL: u8 = 32;
/// The abbreviation of a time zone.
pub(super) const ZONE: u8 = 64;

/// Units of time, size and rate, which can follow a value and do not tell statements apart.
const UNITS: [&str; 46] = [
    "B",
    "KB",
    "MB",
    "GB",
    "TB",
    "kB",
    "KiB",
    "MiB",
    "GiB",
    "TiB",
    "byte",
    "bytes",
    "bps",
    "Kbps",
    "Mbps",
    "Gbps",
    "Hz",
    "kHz",
    "KHz",
    "MHz",
    "GHz",
    "ns",
    "us",
    "µs",
    "ms",
    "msec",
    "msecs",
    "millisecond",
    "milliseconds",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "d",
    "day",
    "days",
];

impl Token {
    const VALUE: u64 = 0x5bd1_e995_1b87_3593;

    pub(super) fn value(kind: Kind) -> Self {
        debug_assert!(kind >= Kind::Number);
        Self { hash: Self::VALUE, start: 0, len: 0, kind, traits: 0 }
    }

    pub(super) fn is_value(&self) -> bool {
        self.kind >= Kind::Number
    }

    pub(super) fn is_word(&self) -> bool {
        self.kind == Kind::Word && self.traits & SIGNS == 0
    }

    /// Whether it can hold a blank.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.kind, Kind::Blank | Kind::Any) || self.unit().is_some()
    }

    /// The unit that all messages have after this value.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let at = usize::from(self.traits).checked_sub(1)?;
        if self.is_value() { UNITS.get(at).copied() } else { None }
    }

    /// Makes a value stand for another's texts too.
    pub(super) fn widen(&mut self, other: &Self) {
        self.kind = self.kind.max(other.kind);
        if self.is_value() && self.traits != other.traits {
            self.kind = Kind::Any;
            self.traits = 0;
        }
    }

    pub(super) fn text<'a>(&self, skeleton: &'a [u8]) -> &'a [u8] {
        &skeleton[self.start as usize..self.start as usize + usize::from(self.len)]
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

/// The skeleton of a message as bytes, at most three times as many as were looked at.
pub(super) fn encode(message: &[u8]) -> Box<[u8]> {
    struct Encoder(Vec<u8>);
    impl Sink for Encoder {
        fn blank(&mut self) {
            self.0.push(TAG_BLANK);
        }
        fn mark(&mut self, mark: u8) {
            self.0.extend_from_slice(&[TAG_MARK, mark]);
        }
        fn word(&mut self, message: &[u8], start: usize, end: usize) {
            self.0.push(TAG_WORD);
            self.0.extend_from_slice(&message[start..end]);
        }
        fn value(&mut self, _: usize, _: usize, made_of: u8) {
            self.0.push(match made_of {
                BLANK => TAG_ANY,
                _ if made_of & CONTROL == DIGIT => TAG_NUMBER,
                _ => TAG_VALUE,
            });
        }
    }
    let mut encoder = Encoder(Vec::with_capacity(message.len().min(256)));
    skeleton::scan(message, &mut encoder);
    encoder.0.into_boxed_slice()
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
                .take_while(|&&byte| !(TAG_WORD..=TAG_ANY).contains(&byte))
                .count(),
            TAG_MARK => 1,
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
            TAG_BLANK => Token { hash: 0x20, start: 0, len: 0, kind: Kind::Blank, traits: 0 },
            TAG_NUMBER => Token::value(if is_loose() { Kind::Value } else { Kind::Number }),
            _ => {
                is_loose();
                Token::value(if tag == TAG_VALUE { Kind::Value } else { Kind::Any })
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
            Kind::Number | Kind::Value | Kind::Any => hasher.value(0, 0, DIGIT),
        }
        let unit = token.unit().unwrap_or_default().as_bytes();
        bytes.push(match token.kind {
            Kind::Blank => TAG_BLANK,
            Kind::Mark => TAG_MARK,
            Kind::Word => TAG_WORD,
            Kind::Number => TAG_NUMBER,
            Kind::Value => TAG_VALUE,
            Kind::Any => TAG_ANY,
        });
        bytes.extend_from_slice(text);
        if !unit.is_empty() {
            hasher.blank();
            hasher.word(unit, 0, unit.len());
            bytes.extend_from_slice(&[TAG_BLANK, TAG_WORD]);
            bytes.extend_from_slice(unit);
        }
    }
    (hasher.finish(), bytes.into_boxed_slice())
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a skeleton has less than 16 kB")
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
    let len = u16::try_from(text.len()).expect("a word is no longer than what is scanned");
    Token { hash: hash(text), start: index(at), len, kind: Kind::Word, traits }
}

fn is_name(word: &[u8]) -> bool {
    let is_constant = word.iter().all(|&byte| byte.is_ascii_uppercase() || byte == b'_');
    let joins = word.windows(2).any(|two| {
        matches!(two[0], b'.' | b'_' | b'/' | b'\\' | b'@')
            && (two[1].is_ascii_alphanumeric() || two[1] == b'_')
    });
    word.len() == 1 || (joins && !is_constant)
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

/// Brings tokens into their normal form, in place.
pub(super) fn normalise(tokens: &mut Vec<Token>, skeleton: &[u8]) {
    // Each rule can make room for another; a message that never settles is left as it is then.
    const ROUNDS_MAX: usize = 4;
    for _ in 0..ROUNDS_MAX {
        let before = tokens.len();
        empty_and_null(tokens);
        fold(tokens, joined);
        units(tokens, skeleton);
        fold(tokens, list);
        fold(tokens, placeholder);
        repeats(tokens);
        if tokens.len() == before {
            return;
        }
    }
}

/// Says what becomes one value, of the tokens before a place and those from there on: how many of the former,
/// and how many of the latter.
type FoldRule = fn(&[Token], &[Token]) -> Option<(usize, usize)>;

/// Replaces what `rule` finds by one value each.
fn fold(tokens: &mut Vec<Token>, rule: FoldRule) {
    let mut done = 0;
    let mut at = 0;
    // The folded tokens are written over the front of the same vector.
    while at < tokens.len() {
        let (front, rest) = tokens.split_at(at);
        if let Some((back, len)) = rule(&front[..done], rest) {
            let parts = front[done - back..done].iter().chain(&rest[..len]);
            let kind = if parts.clone().any(Token::is_open) {
                Kind::Any
            } else if parts.clone().any(|token| token.kind == Kind::Number) {
                Kind::Number
            } else {
                Kind::Value
            };
            done -= back;
            at += len - 1;
            // The value takes the place of the last token of what it replaces, and may grow.
            tokens[at] = Token::value(kind);
            continue;
        }
        tokens[done] = tokens[at];
        done += 1;
        at += 1;
    }
    tokens.truncate(done);
}

fn is_value(token: Option<&Token>) -> bool {
    token.is_some_and(Token::is_value)
}

fn is_blank(token: Option<&Token>) -> bool {
    token.is_none_or(|token| token.kind == Kind::Blank)
}

/// Values and marks without a blank between: `<*>|<*>`, `<*>->(<*>)`. Brackets go with their fellows.
fn joined(front: &[Token], rest: &[Token]) -> Option<(usize, usize)> {
    if !is_value(rest.first()) {
        return None;
    }
    let is_joint = |token: &&Token| match token.kind {
        Kind::Mark => !matches!(token.traits, b'"' | b'\'' | b'`' | b'='),
        Kind::Word => token.traits & SIGNS != 0,
        _ => false,
    };
    let joints = rest[1..].iter().take_while(is_joint).count();
    if !is_value(rest.get(1 + joints)) {
        return None;
    }
    let mut open = Vec::new();
    let mut back = 0;
    for token in &rest[1..=joints] {
        match token.traits {
            _ if token.kind == Kind::Word => {}
            b'(' | b'[' | b'{' | b'<' => open.push(token.traits),
            close @ (b')' | b']' | b'}' | b'>') => {
                let fellow = opening(close);
                if open.last() == Some(&fellow) {
                    open.pop();
                } else if front.len() > back && front[front.len() - 1 - back].is_mark(fellow) {
                    back += 1;
                }
            }
            _ => {}
        }
    }
    let mut len = joints + 2;
    while let (Some(fellow), Some(token)) = (open.pop(), rest.get(len)) {
        let closes = token.kind == Kind::Mark && opening(token.traits) == fellow;
        len += usize::from(closes);
    }
    Some((back, len))
}

fn opening(close: u8) -> u8 {
    match close {
        b')' => b'(',
        b']' => b'[',
        b'}' => b'{',
        b'>' => b'<',
        _ => 0,
    }
}

/// `<*> ms`, `<*> seconds`: the value takes its unit along.
fn units(tokens: &mut Vec<Token>, skeleton: &[u8]) {
    let unit_at = |tokens: &[Token], at: usize| {
        let [value, blank, word, ..] = tokens.get(at..)? else { return None };
        let may_be = value.is_value()
            && value.traits == 0
            && blank.kind == Kind::Blank
            && word.kind == Kind::Word;
        let ends = tokens
            .get(at + 3)
            .is_none_or(|next| next.kind == Kind::Blank || next.is_any_mark(b".,;:)]}"));
        let text = if may_be && ends { word.text(skeleton) } else { return None };
        UNITS.iter().position(|unit| unit.as_bytes() == text)
    };
    let mut at = 0;
    while at < tokens.len() {
        if let Some(unit) = unit_at(tokens, at) {
            tokens[at].traits = u8::try_from(unit + 1).expect("there are fewer units");
            tokens.drain(at + 1..at + 3);
        }
        at += 1;
    }
}

/// `<*> <*>`, `<*>, <*>`, and a date with its zone.
fn list(_: &[Token], rest: &[Token]) -> Option<(usize, usize)> {
    if !is_value(rest.first()) {
        return None;
    }
    let comma = usize::from(rest.get(1).is_some_and(|token| token.is_any_mark(b",;\\")));
    if rest.get(1 + comma).is_none_or(|token| token.kind != Kind::Blank) {
        return None;
    }
    if is_value(rest.get(2 + comma)) {
        return Some((0, 3 + comma));
    }
    let is_zone = comma == 0
        && rest.get(2).is_some_and(|token| token.kind == Kind::Word && token.traits & ZONE != 0)
        && rest.get(3).is_some_and(|token| token.kind == Kind::Blank)
        && is_value(rest.get(4));
    is_zone.then_some((0, 5))
}

/// `<*>` in the message itself reads as a value in a template, so it is one.
fn placeholder(_: &[Token], rest: &[Token]) -> Option<(usize, usize)> {
    let is_star =
        |token: &Token| token.kind == Kind::Word && token.traits & SIGNS != 0 && token.len == 1;
    let found =
        rest.len() >= 3 && rest[0].is_mark(b'<') && is_star(&rest[1]) && rest[2].is_mark(b'>');
    found.then_some((0, 3))
}

/// Values that are missing: `()` by itself, `=null`, `=(null)`.
fn empty_and_null(tokens: &mut Vec<Token>) {
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map(|before| tokens[before]);
        let rest = &tokens[at..];
        let is_null = |token: Option<&Token>| {
            token.is_some_and(|token| token.kind == Kind::Word && token.traits & NULL != 0)
        };
        let ends = |token: Option<&Token>| {
            is_blank(token) || token.is_some_and(|token| token.is_any_mark(b",;)]}"))
        };
        let opens = rest[0].is_mark(b'(');
        if opens
            && is_blank(before.as_ref())
            && rest.get(1).is_some_and(|next| next.is_mark(b')'))
            && is_blank(rest.get(2))
        {
            tokens.insert(at + 1, Token::value(Kind::Any));
        } else if before.is_some_and(|before| before.is_mark(b'=')) {
            if is_null(rest.first()) && ends(rest.get(1)) {
                tokens[at] = Token::value(Kind::Value);
            } else if opens
                && is_null(rest.get(1))
                && rest.get(2).is_some_and(|next| next.is_mark(b')'))
                && ends(rest.get(3))
            {
                tokens.splice(at..at + 3, [Token::value(Kind::Value)]);
            }
        }
        at += 1;
    }
}

/// Groups of up to [`GROUP_CHUNKS_MAX`] chunks with a value that come again and again are one group,
/// whose first value stands for all before its own.
fn repeats(tokens: &mut Vec<Token>) {
    const GROUP_CHUNKS_MAX: usize = 4;
    let mut chunks = chunks(tokens);
    let mut at = 0;
    while at < chunks.len() {
        let mut folded = false;
        for len in 1..=GROUP_CHUNKS_MAX.min((chunks.len() - at) / 2) {
            let group = tokens[chunks[at].0..chunks[at + len - 1].1].to_vec();
            let Some(first) = group.iter().position(Token::is_value) else { continue };
            let same = |from: usize| {
                chunks
                    .get(from + len - 1)
                    .is_some_and(|last| equal(&tokens[chunks[from].0..last.1], &group))
            };
            let mut end = at + len;
            while same(end) {
                end += len;
            }
            if end > at + len {
                let start = chunks[at].0;
                for from in (at + len..end).step_by(len) {
                    for part in 0..group.len() {
                        let other = tokens[chunks[from].0 + part];
                        tokens[start + part].widen(&other);
                    }
                }
                tokens.drain(chunks[at + len - 1].1..chunks[end - 1].1);
                tokens[start + first].kind = Kind::Any;
                chunks = self::chunks(tokens);
                folded = true;
                break;
            }
        }
        at += usize::from(!folded);
    }
}

/// The runs of tokens between blanks.
pub(super) fn chunks(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for at in 0..=tokens.len() {
        if tokens.get(at).is_none_or(|token| token.kind == Kind::Blank) {
            if at > start {
                chunks.push((start, at));
            }
            start = at + 1;
        }
    }
    chunks
}

pub(super) fn equal(a: &[Token], b: &[Token]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.hash == b.hash)
}
