//! Statements with several values that are plain words: no two messages of one agree in all but one part.
//!
//! Forms of one shape (all but their words is equal) that share most of their frequent words are of one
//! statement, and where many different words stand in them are its values. Frequent is meant as Brain (Yu et
//! al., 2023) means it: in comparison with the form's own most frequent word, so that it depends on the
//! statement and not on the log.

use std::collections::{HashMap, HashSet};

use super::merge::{Form, Prefix, mix};
use super::span::{Span, SpanKind};
use super::token::{SAYS, Token};

/// Forms that share their frequent words, at least.
const FORMS_NEEDED: usize = 12;
/// Frequent words that say something, at least.
const ANCHORS_NEEDED: usize = 3;
/// Different words in one place that are values.
const WORDS_NEEDED: usize = 8;
/// A word is frequent if the most frequent of its form occurs at most this many times as often.
const RARER_AT_MOST: u32 = 3;

/// Places in forms of one shape that hold values.
#[derive(Clone, Debug)]
pub(super) struct Holes {
    spans: Vec<Span>,
    /// Of what is around them.
    pub(super) key: u64,
}

impl Holes {
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }
}

/// A hash of all that is no word and no value, and of the names of settings.
pub(super) fn shape(tokens: &[Token]) -> u64 {
    let of_token = |at: usize| if may_vary(tokens, at) { 1 } else { tokens[at].hash };
    (0..tokens.len()).fold(0, |shape, at| mix(shape ^ of_token(at)))
}

fn may_vary(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    (token.is_word() || token.is_value())
        && !tokens.get(at + 1).is_some_and(|next| next.is_mark(b'='))
}

/// Finds the places of values, by shape.
pub(super) fn holes(forms: &[Form]) -> HashMap<u64, Vec<Holes>> {
    let mut by_shape: Vec<(u64, usize)> =
        forms.iter().enumerate().map(|(at, form)| (shape(&form.tokens), at)).collect();
    by_shape.sort_unstable();
    let mut found = HashMap::new();
    for class in by_shape.chunk_by(|a, b| a.0 == b.0) {
        if class.len() >= FORMS_NEEDED {
            let class: Vec<&[Token]> = class.iter().map(|&(_, at)| &forms[at].tokens[..]).collect();
            let holes = of_class(&class);
            if !holes.is_empty() {
                found.insert(shape(class[0]), holes);
            }
        }
    }
    found
}

/// The places of values in forms of one shape.
fn of_class(class: &[&[Token]]) -> Vec<Holes> {
    let places: Vec<usize> = (0..class[0].len()).filter(|&at| may_vary(class[0], at)).collect();
    let mut frequencies: HashMap<(usize, u64), u32> = HashMap::new();
    for tokens in class {
        for &place in &places {
            *frequencies.entry((place, tokens[place].hash)).or_default() += 1;
        }
    }
    let mut by_anchors: Vec<(u64, &[Token], Vec<usize>)> = Vec::new();
    for tokens in class {
        let frequency = |&place: &usize| frequencies[&(place, tokens[place].hash)];
        let most = places.iter().map(frequency).max().unwrap_or(0);
        let is_rare = |place: &usize| frequency(place).saturating_mul(RARER_AT_MOST) < most;
        let rare: Vec<usize> = places.iter().copied().filter(is_rare).collect();
        let anchors = places.iter().filter(|place| !is_rare(place));
        let says = anchors.clone().filter(|&&place| tokens[place].traits & SAYS != 0).count();
        if most as usize >= FORMS_NEEDED && says >= ANCHORS_NEEDED && !rare.is_empty() {
            let key =
                anchors.fold(0, |key, &place| mix(mix(key ^ place as u64) ^ tokens[place].hash));
            by_anchors.push((key, tokens, rare));
        }
    }
    by_anchors.sort_unstable_by_key(|(key, ..)| *key);
    let mut found: Vec<Holes> = Vec::new();
    for group in by_anchors.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() >= FORMS_NEEDED)
    {
        let is_value = |place: &&usize| {
            let different: HashSet<u64> =
                group.iter().map(|(_, tokens, _)| tokens[**place].hash).collect();
            different.len() >= WORDS_NEEDED
        };
        let span = |&place: &usize| Span::new(place, place + 1, SpanKind::Word);
        let spans: Vec<Span> = group[0].2.iter().filter(is_value).map(span).collect();
        let mut keys: Vec<u64> =
            group.iter().map(|(_, tokens, _)| Prefix::of(tokens).around(&spans)).collect();
        keys.sort_unstable();
        keys.dedup();
        if !spans.is_empty() {
            found.extend(keys.into_iter().map(|key| Holes { spans: spans.clone(), key }));
        }
    }
    found
}
