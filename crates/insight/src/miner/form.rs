//! The normal form of a skeleton: what two messages of one statement still have in common when one lists three
//! items and the other five, or one took milliseconds and the other seconds.

use super::merge::hash_of;
use super::token::{Kind, NULL, SIGNS, Token, UNITS, ZONE, extent};
use crate::template::Extent;

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
            let parts: Vec<Token> =
                front[done - back..done].iter().chain(&rest[..len]).copied().collect();
            done -= back;
            at += len - 1;
            // The value takes the place of the last token of what it replaces, and may grow.
            tokens[at] = Token::value(extent(&parts));
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
    let found =
        rest.len() >= 3 && rest[0].is_mark(b'<') && rest[1].is_sign() && rest[2].is_mark(b'>');
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
            tokens.insert(at + 1, Token::value(Extent { min: 0, ..Extent::CHUNK }));
        } else if before.is_some_and(|before| before.is_mark(b'=')) {
            if is_null(rest.first()) && ends(rest.get(1)) {
                tokens[at] = Token::value(Extent::CHUNK);
            } else if opens
                && is_null(rest.get(1))
                && rest.get(2).is_some_and(|next| next.is_mark(b')'))
                && ends(rest.get(3))
            {
                tokens.splice(at..at + 3, [Token::value(Extent::CHUNK)]);
            }
        }
        at += 1;
    }
}

/// Groups of up to four chunks with a value that come again and again are one group, whose first value stands
/// for all before its own.
fn repeats(tokens: &mut Vec<Token>) {
    const GROUP_CHUNKS_MAX: usize = 4;
    let chunks = chunks(tokens);
    let hashes: Vec<u64> = chunks.iter().map(|&(from, to)| hash_of(&tokens[from..to])).collect();
    // How often the group of `len` chunks at `at` comes in a row.
    let times = |at: usize, len: usize| {
        let group = &hashes[at..at + len];
        let again =
            |time: &usize| hashes.get(at + time * len..at + (time + 1) * len) == Some(group);
        1 + (1..).take_while(again).count()
    };
    let mut folded: Option<Vec<Token>> = None;
    let mut at = 0;
    while at < chunks.len() {
        let most = GROUP_CHUNKS_MAX.min((chunks.len() - at) / 2);
        // Two of a kind without a word can be two values: `17: 4: done`.
        let is_row = |&(len, times): &(usize, usize)| {
            let group = &tokens[chunks[at].0..chunks[at + len - 1].1];
            times > 2 || (times > 1 && group.iter().any(Token::is_word))
        };
        let found = (1..=most).map(|len| (len, times(at, len))).find(is_row);
        let (len, times) = found.unwrap_or((1, 1));
        let group = chunks[at].0..chunks[at + len - 1].1;
        let first = tokens[group.clone()].iter().position(Token::is_value);
        let (Some(first), true) = (first, times > 1) else {
            folded
                .iter_mut()
                .for_each(|folded| append(folded, &tokens[chunks[at].0..chunks[at].1]));
            at += 1;
            continue;
        };
        let folded = folded.get_or_insert_with(|| tokens[..group.start.saturating_sub(1)].to_vec());
        append(folded, &tokens[group.clone()]);
        let start = folded.len() - group.len();
        for time in 1..times {
            let other = chunks[at + time * len].0;
            folded[start..]
                .iter_mut()
                .zip(&tokens[other..])
                .for_each(|(kept, other)| kept.widen(other));
        }
        let value = &mut folded[start + first];
        let all = Extent { min: value.extent().min.min(1), ..Extent::CHUNKS };
        value.set_extent(if value.extent() == Extent::ANY { Extent::ANY } else { all });
        at += times * len;
    }
    if let Some(folded) = folded {
        *tokens = folded;
    }
}

/// Adds a chunk after a blank.
fn append(tokens: &mut Vec<Token>, chunk: &[Token]) {
    if !tokens.is_empty() {
        tokens.push(Token::blank());
    }
    tokens.extend_from_slice(chunk);
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
