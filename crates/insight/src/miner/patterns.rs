//! The result: patterns, and which of them a message belongs to.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::form::normalise;
use super::merge::{Form, Rules, hash_of, merge};
use super::token::{self, Kind, Token};
use super::{Handle, Slot};
use crate::skeleton;
use crate::template::{PLACEHOLDER, Piece, Template};

/// What a pattern is called: a hash of its template's text, the same in every run.
///
/// Units do not count: whether all of a pattern's messages were in milliseconds says nothing about which it is.
/// Written as 13 digits and letters (Crockford's base 32, in lower case).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternId(u64);

/// A template, and how many messages have it.
#[derive(Clone, Debug)]
pub struct Pattern {
    id: PatternId,
    template: Template,
    count: u64,
    skeletons: u32,
}

/// What [`Miner::patterns`](super::Miner::patterns) gives: the most frequent first, then by id.
#[derive(Debug)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    /// Of each slot: its generation, and its pattern.
    slots: Vec<(u32, Option<u32>)>,
    by_skeleton: HashMap<u64, u32>,
    by_form: HashMap<u64, u32>,
    rules: Rules,
}

impl Pattern {
    /// What it is called.
    pub fn id(&self) -> PatternId {
        self.id
    }

    /// What its messages have in common.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Messages that have it, as far as they were not forgotten.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Different skeletons it was made of.
    pub fn skeletons(&self) -> u32 {
        self.skeletons
    }
}

/// Skeletons, put together to what is one pattern.
pub(super) struct Merged {
    /// The slots that are kept, and of each its place in `forms`.
    pub(super) places: Vec<(u32, u32)>,
    pub(super) forms: Vec<Form>,
    rules: Rules,
}

impl Merged {
    pub(super) fn of(slots: &[Slot]) -> Self {
        let kept: Vec<u32> =
            (0..).zip(slots).filter(|(_, slot)| slot.count > 0).map(|(at, _)| at).collect();
        let skeleton = |slot: u32| &slots[slot as usize].skeleton[..];
        let form_of = |&slot: &u32| {
            let mut tokens = token::tokens(skeleton(slot), slots[slot as usize].loose);
            normalise(&mut tokens, skeleton(slot));
            Form { tokens, skeleton: slot }
        };
        let (forms, places, rules) = merge(kept.iter().map(form_of).collect(), skeleton);
        Self { places: kept.into_iter().zip(places).collect(), forms, rules }
    }
}

impl Patterns {
    pub(super) fn of(slots: &[Slot]) -> Self {
        let Merged { places, forms, rules } = Merged::of(slots);
        let mut counts = vec![(0, 0); forms.len()];
        for &(slot, place) in &places {
            let (count, skeletons) = &mut counts[place as usize];
            *count += slots[slot as usize].count;
            *skeletons += 1;
        }
        let pattern = |(form, (count, skeletons)): (&Form, (u64, u32))| {
            Pattern::new(form, &slots[form.skeleton as usize].skeleton, count, skeletons)
        };
        let mut patterns: Vec<(usize, Pattern)> =
            forms.iter().zip(counts).map(pattern).enumerate().collect();
        patterns.sort_unstable_by_key(|(_, pattern)| (Reverse(pattern.count), pattern.id));
        let mut ranks = vec![0; forms.len()];
        for (rank, (at, _)) in (0..).zip(&patterns) {
            ranks[*at] = rank;
        }
        let mut result = Self {
            by_form: forms
                .iter()
                .zip(&ranks)
                .map(|(form, &rank)| (hash_of(&form.tokens), rank))
                .collect(),
            by_skeleton: HashMap::with_capacity(places.len()),
            slots: slots.iter().map(|slot| (slot.generation, None)).collect(),
            patterns: patterns.into_iter().map(|(_, pattern)| pattern).collect(),
            rules,
        };
        for (slot, place) in places {
            let rank = ranks[place as usize];
            result.slots[slot as usize].1 = Some(rank);
            result.by_skeleton.insert(slots[slot as usize].hash, rank);
        }
        result
    }

    /// The patterns, most frequent first.
    pub fn iter(&self) -> std::slice::Iter<'_, Pattern> {
        self.patterns.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The pattern at a place that [`find`](Self::find) or [`of_message`](Self::of_message) gave.
    pub fn get(&self, at: usize) -> Option<&Pattern> {
        self.patterns.get(at)
    }

    /// The place of the pattern of a message, by what [`Miner::add`](super::Miner::add) gave for it: O(1).
    ///
    /// `None` if its skeleton is kept no longer, or was not there yet when these patterns were computed;
    /// [`of_message`](Self::of_message) then knows.
    pub fn find(&self, handle: Handle) -> Option<usize> {
        let (generation, pattern) = *self.slots.get(handle.slot as usize)?;
        (generation == handle.generation).then_some(pattern?).map(|rank| rank as usize)
    }

    /// The place of the pattern that a message belongs to, whether it was added or not. `None` if it is of no
    /// pattern known here.
    pub fn of_message(&self, message: &[u8]) -> Option<usize> {
        let rank = self
            .by_skeleton
            .get(&skeleton::hash(message))
            .or_else(|| self.by_form.get(&hash_of(&self.tokens(&token::encode(message).0))));
        rank.map(|&rank| rank as usize)
    }

    /// What the pattern of a message is called, by its handle or else by itself: always an answer.
    pub fn id_of(&self, handle: Handle, message: &[u8]) -> PatternId {
        match self.find(handle).or_else(|| self.of_message(message)) {
            Some(at) => self.patterns[at].id,
            None => {
                let (skeleton, _) = token::encode(message);
                PatternId::of(&self.tokens(&skeleton), &skeleton)
            }
        }
    }

    /// The tokens of a skeleton's final form.
    fn tokens(&self, skeleton: &[u8]) -> Vec<Token> {
        let mut tokens = token::tokens(skeleton, 0);
        normalise(&mut tokens, skeleton);
        self.rules.apply(&mut tokens, skeleton);
        tokens
    }
}

impl<'a> IntoIterator for &'a Patterns {
    type Item = &'a Pattern;
    type IntoIter = std::slice::Iter<'a, Pattern>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Pattern {
    fn new(form: &Form, skeleton: &[u8], count: u64, skeletons: u32) -> Self {
        let template = template(&form.tokens, skeleton);
        Self { id: PatternId::of(&form.tokens, skeleton), template, count, skeletons }
    }
}

fn template(tokens: &[Token], skeleton: &[u8]) -> Template {
    let unit = |unit: &str| [Piece::Blank, Piece::Text(unit.into())];
    Template::new(tokens.iter().flat_map(|token| {
        let piece = match token.kind {
            Kind::Blank => Piece::Blank,
            Kind::Mark => Piece::Text(token.text(skeleton).to_vec()),
            Kind::Word if token.text(skeleton) == b".." => Piece::Dots,
            Kind::Word => Piece::Text(token.text(skeleton).to_vec()),
            Kind::Value => Piece::Value(token.extent()),
        };
        [piece].into_iter().chain(token.unit().map(unit).into_iter().flatten())
    }))
}

const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_DIGITS: usize = 13;

impl PatternId {
    /// FNV-1a over the template's text without the units: what the id is must not change with anything else.
    fn of(tokens: &[Token], skeleton: &[u8]) -> Self {
        let add = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let text = |token: &Token| match token.kind {
            Kind::Blank => b" ",
            Kind::Mark | Kind::Word => token.text(skeleton),
            Kind::Value => PLACEHOLDER.as_bytes(),
        };
        Self(
            tokens
                .iter()
                .fold(0xcbf2_9ce4_8422_2325, |hash, token| text(token).iter().fold(hash, add)),
        )
    }
}

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |at: usize| char::from(DIGITS[(self.0 >> (5 * at) & 31) as usize]);
        let text: String = (0..ID_DIGITS).rev().map(digit).collect();
        f.pad(&text)
    }
}

/// Text that is no [`PatternId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pattern's id is {ID_DIGITS} digits and letters, without i, l, o and u")
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for PatternId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let value = |byte: &u8| DIGITS.iter().position(|digit| *digit == byte.to_ascii_lowercase());
        let add = |id: u64, byte: &u8| {
            let digit = value(byte).ok_or(ParseIdError)? as u64;
            if id >> 59 != 0 { Err(ParseIdError) } else { Ok(id << 5 | digit) }
        };
        if text.len() != ID_DIGITS {
            return Err(ParseIdError);
        }
        text.as_bytes().iter().try_fold(0, add).map(Self)
    }
}
