//! Forms that differ in a value become one: by how many alternatives there are for a part of a form while
//! all the rest stays the same.
//!
//! In the manner of Brain (Yu et al., 2023), constants are what others agree on; but alternatives are
//! counted for every part of every form by itself, with all the rest as its context, so that no order of
//! reading, depth or similarity is chosen. A round finds the parts that are values in all forms at once and
//! puts values in their place; then forms that became equal are one, and the next round sees wider
//! contexts. What was found is kept as [`Rules`], so that a message seen later is put where it belongs.

use std::collections::{HashMap, HashSet};

use super::anchor::{Holes, holes, shape};
use super::form::normalise;
use super::span::{Alternatives, Context, Span, SpanKind, counts, says, settings, spans};
use super::token::{Token, equal, extent};

/// Rounds until nothing changes; rarely more than four.
const ROUNDS_MAX: usize = 8;
/// Different values of one setting of a statement, whatever the others are, that make it a value.
const SETTINGS_NEEDED: usize = 5;
/// Pairs of alternatives that show two parts to vary freely.
const PAIRS_NEEDED: usize = 5;
/// Words of a form beyond these are not tried in pairs.
const PAIRED_WORDS_MAX: usize = 8;

/// A form of one skeleton or of many.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) tokens: Vec<Token>,
    /// The skeleton its texts lie in.
    pub(super) skeleton: u32,
}

/// What the rounds found.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    rounds: Vec<Found>,
}

/// What one round found.
#[derive(Clone, Debug, Default)]
struct Found {
    /// Of parts that are values: what is around them, as [`Parts::key`] and others tell.
    keys: HashSet<u64>,
    /// Of shapes: words that are values together.
    holes: HashMap<u64, Vec<Holes>>,
}

/// Merges forms. Gives what is left of them, in no order, for each of the given its place among those,
/// and how it was found.
pub(super) fn merge<'a>(
    forms: Vec<Form>,
    skeleton: impl Fn(u32) -> &'a [u8],
) -> (Vec<Form>, Vec<u32>, Rules) {
    let mut place: Vec<u32> = Vec::new();
    let mut rules = Rules::default();
    let mut known = HashSet::new();
    let mut forms = unite(forms, &mut place);
    for _ in 0..ROUNDS_MAX {
        let parts: Vec<Parts> = forms.iter().map(|form| Parts::of(&form.tokens)).collect();
        let mut found = Found { keys: HashSet::new(), holes: holes(&forms) };
        single(&forms, &parts, &mut known, &mut found.keys);
        setting(&forms, &parts, &mut found.keys);
        paired(&forms, &parts, &mut found.keys);
        let mut changed = false;
        for (form, parts) in forms.iter_mut().zip(&parts) {
            changed |= parts.replace(&mut form.tokens, skeleton(form.skeleton), &found);
        }
        if !changed {
            break;
        }
        rules.rounds.push(found);
        forms = unite(forms, &mut place);
    }
    (forms, place, rules)
}

impl Rules {
    /// What merging would have made of these tokens.
    pub(super) fn apply(&self, tokens: &mut Vec<Token>, skeleton: &[u8]) {
        for round in &self.rounds {
            Parts::of(tokens).replace(tokens, skeleton, round);
        }
    }
}

/// Makes equal forms one, and follows it in `place`, which is empty at first.
fn unite(forms: Vec<Form>, place: &mut Vec<u32>) -> Vec<Form> {
    let mut united: Vec<Form> = Vec::with_capacity(forms.len());
    let mut by_hash: HashMap<u64, u32> = HashMap::with_capacity(forms.len());
    let mut moved = Vec::with_capacity(forms.len());
    for form in forms {
        let hash = hash_of(&form.tokens);
        let next = u32::try_from(united.len()).expect("no more forms than skeletons");
        let at = *by_hash.entry(hash).or_insert(next);
        match united.get_mut(at as usize) {
            Some(same) if equal(&same.tokens, &form.tokens) => {
                for (kept, other) in same.tokens.iter_mut().zip(&form.tokens) {
                    kept.widen(other);
                }
                // Of the texts either would do; the same one in any order of reading.
                moved.push(at);
            }
            Some(_) => {
                // Two forms of one hash: the second stays by itself.
                moved.push(next);
                united.push(form);
            }
            None => {
                moved.push(at);
                united.push(form);
            }
        }
    }
    if place.is_empty() {
        *place = moved;
    } else {
        place.iter_mut().for_each(|at| *at = moved[*at as usize]);
    }
    united
}

/// The parts of a form, and the hashes of what is around them.
struct Parts {
    spans: Vec<Span>,
    settings: Vec<Span>,
    /// What is around all settings; `None` for fewer than two.
    around_settings: Option<u64>,
    says: Vec<u32>,
    prefix: Prefix,
}

impl Parts {
    fn of(tokens: &[Token]) -> Self {
        let spans = spans(tokens);
        let settings = settings(tokens, &spans);
        let prefix = Prefix::of(tokens);
        let around_settings = (settings.len() > 1).then(|| prefix.around(&settings));
        Self { spans, settings, around_settings, says: says(tokens), prefix }
    }

    fn key(&self, span: Span) -> u64 {
        self.prefix.around(&[span])
    }

    fn context(&self, tokens: &[Token], span: Span) -> Context {
        Context::of(tokens, &self.says, span)
    }

    /// The words that may vary in pairs.
    fn words<'a>(&'a self, tokens: &'a [Token]) -> impl Iterator<Item = Span> + 'a {
        let may_vary = |span: &&Span| {
            let context = self.context(tokens, **span);
            span.kind == SpanKind::Word && !context.is_first && !context.is_glued
        };
        self.spans.iter().filter(may_vary).copied()
    }

    /// Puts values where `found` says, and tells whether it did.
    fn replace(&self, tokens: &mut Vec<Token>, skeleton: &[u8], found: &Found) -> bool {
        let is_found = |span: &&Span| {
            let key = self.key(**span);
            span.kind != SpanKind::Value
                && (found.keys.contains(&key)
                    || (counts(tokens, **span) && found.keys.contains(&(key ^ PLAIN))))
        };
        let mut chosen: Vec<Span> = self.spans.iter().filter(is_found).copied().collect();
        if let Some(around) = self.around_settings {
            let is_found = |&(at, span): &(usize, &Span)| {
                span.kind != SpanKind::Value && found.keys.contains(&setting_key(around, at))
            };
            chosen.extend(self.settings.iter().enumerate().filter(is_found).map(|(_, span)| *span));
        }
        if !found.holes.is_empty() {
            let of_shape = found.holes.get(&shape(tokens)).into_iter().flatten();
            let holds = |holes: &&Holes| self.prefix.around(holes.spans()) == holes.key;
            let spans = of_shape.filter(holds).flat_map(Holes::spans);
            chosen.extend(spans.filter(|span| !tokens[span.from as usize].is_value()));
        }
        if chosen.is_empty() {
            return false;
        }
        // Of those that overlap the shortest; then from the back, so that positions stay.
        chosen.sort_by_key(|span| (span.to - span.from, span.from));
        let mut taken: Vec<Span> = Vec::new();
        for span in chosen {
            if taken.iter().all(|other| span.to <= other.from || span.from >= other.to) {
                taken.push(span);
            }
        }
        taken.sort_by_key(|span| std::cmp::Reverse(span.from));
        for span in taken {
            let value = Token::value(extent(&tokens[span.range()]));
            tokens.splice(span.range(), [value]);
        }
        normalise(tokens, skeleton);
        true
    }
}

/// The golden ratio as a fraction of 2^64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Marks a key that holds only for parts that speak for a value by themselves.
const PLAIN: u64 = 0x0f0f_5555_3333_c3c3;

/// The key of one of the settings.
fn setting_key(around: u64, at: usize) -> u64 {
    mix(around ^ (at as u64 + 1).wrapping_mul(GOLDEN))
}

/// Values by the alternatives for one part.
fn single(forms: &[Form], parts: &[Parts], known: &mut HashSet<u64>, found: &mut HashSet<u64>) {
    let mut all: Vec<(u64, u32, u32)> = Vec::new();
    for (at, parts) in parts.iter().enumerate() {
        for (index, span) in parts.spans.iter().enumerate() {
            all.push((parts.key(*span), narrow(at), narrow(index)));
        }
    }
    all.sort_unstable();
    let mut learned = Vec::new();
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        if group.len() < 2 {
            continue;
        }
        let at = |&(_, form, index): &(u64, u32, u32)| {
            (&forms[form as usize].tokens[..], parts[form as usize].spans[index as usize])
        };
        let text = |member| {
            let (tokens, span) = at(member);
            hash_of(&tokens[span.range()])
        };
        let (tokens, span) = at(&group[0]);
        let context = parts[group[0].1 as usize].context(tokens, span);
        let mut alternatives = Alternatives::default();
        for member in group {
            let (tokens, span) = at(member);
            alternatives.add(tokens, span, known.contains(&text(member)));
        }
        if !alternatives.are_values(&context) {
            continue;
        }
        // A number proves it for chunks too: `local(3)` where others have an address.
        let holds_for_all = alternatives.has_value && (context.words >= 2 || context.is_marked);
        found.insert(if holds_for_all { group[0].0 } else { group[0].0 ^ PLAIN });
        for member in group {
            let (tokens, span) = at(member);
            if !tokens[span.range()].iter().any(Token::is_value) {
                learned.push(text(member));
            }
        }
    }
    known.extend(learned);
}

/// Values by how many different ones a setting has while the others vary too.
fn setting(forms: &[Form], parts: &[Parts], found: &mut HashSet<u64>) {
    let mut all: Vec<(u64, u32)> = Vec::new();
    for (at, parts) in parts.iter().enumerate() {
        all.extend(parts.around_settings.map(|around| (around, narrow(at))));
    }
    all.sort_unstable();
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        if group.len() < SETTINGS_NEEDED {
            continue;
        }
        for at in 0..parts[group[0].1 as usize].settings.len() {
            let text = |&(_, form): &(u64, u32)| {
                let span = parts[form as usize].settings.get(at)?;
                Some(hash_of(&forms[form as usize].tokens[span.range()]))
            };
            let different: HashSet<u64> = group.iter().filter_map(text).collect();
            if different.len() >= SETTINGS_NEEDED {
                found.insert(setting_key(group[0].0, at));
            }
        }
    }
}

/// Values by two words of one kind that vary freely: of what the program says itself, not every combination
/// occurs.
fn paired(forms: &[Form], parts: &[Parts], found: &mut HashSet<u64>) {
    let mut alternating: HashMap<u64, u32> = HashMap::new();
    for (form, parts) in forms.iter().zip(parts) {
        for span in parts.words(&form.tokens) {
            *alternating.entry(parts.key(span)).or_default() += 1;
        }
    }
    let mut all: Vec<(u64, u64, u64, u64, u64)> = Vec::new();
    for (form, parts) in forms.iter().zip(parts) {
        let varies =
            |span: &Span| alternating.get(&parts.key(*span)).is_some_and(|&count| count > 1);
        let words: Vec<Span> =
            parts.words(&form.tokens).filter(varies).take(PAIRED_WORDS_MAX).collect();
        for (at, one) in words.iter().enumerate() {
            for other in &words[at + 1..] {
                let text = |span: &Span| form.tokens[span.from as usize].hash;
                let words = parts.context(&form.tokens, *one).words;
                if words > 4 {
                    all.push((
                        parts.prefix.around(&[*one, *other]),
                        text(one),
                        text(other),
                        parts.key(*one),
                        parts.key(*other),
                    ));
                }
            }
        }
    }
    all.sort_unstable();
    for group in all.chunk_by(|a, b| a.0 == b.0) {
        let ones: HashSet<u64> = group.iter().map(|pair| pair.1).collect();
        let others: HashSet<u64> = group.iter().map(|pair| pair.2).collect();
        // A verb and a name vary freely too; but two names have their values in common.
        let common = ones.intersection(&others).count();
        let is_alike = common >= 2 && common * 2 >= ones.len().min(others.len());
        let is_free = is_alike && group.len() * 5 >= ones.len() * others.len() * 3;
        if group.len() >= PAIRS_NEEDED && is_free {
            found.extend(group.iter().flat_map(|pair| [pair.3 ^ PLAIN, pair.4 ^ PLAIN]));
        }
    }
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).expect("fewer forms and parts than 2^32")
}

/// A form's hash.
pub(super) fn hash_of(tokens: &[Token]) -> u64 {
    Prefix::of(tokens).whole()
}

/// Hashes of every prefix of a form, from which that of any part of it follows: a polynomial of its tokens.
pub(super) struct Prefix {
    hashes: Vec<u64>,
}

const BASE: u64 = 0x2127_599b_f432_5c37;

impl Prefix {
    pub(super) fn of(tokens: &[Token]) -> Self {
        let mut hashes = Vec::with_capacity(tokens.len() + 1);
        let mut hash = 0_u64;
        hashes.push(hash);
        for token in tokens {
            hash = hash.wrapping_mul(BASE).wrapping_add(token.hash);
            hashes.push(hash);
        }
        Self { hashes }
    }

    fn whole(&self) -> u64 {
        self.part(0, self.hashes.len() - 1)
    }

    fn part(&self, from: usize, to: usize) -> u64 {
        let power = BASE.wrapping_pow(u32::try_from(to - from).unwrap_or(u32::MAX));
        self.hashes[to].wrapping_sub(self.hashes[from].wrapping_mul(power))
    }

    /// Of what is around these parts, which are in order and do not overlap.
    pub(super) fn around(&self, spans: &[Span]) -> u64 {
        let mut key = 0_u64;
        let mut from = 0;
        for span in spans {
            key = mix(key ^ self.part(from, span.from as usize));
            from = span.to as usize;
        }
        mix(key ^ self.part(from, self.hashes.len() - 1))
    }
}

pub(super) fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ GOLDEN) * u128::from(0xd6e8_feb8_6659_fd93_u64);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}
