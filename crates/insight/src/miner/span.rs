//! Which parts of a form could be a value, and what speaks for and against it.

use super::form::chunks;
use super::token::{CAPITAL, Kind, NAME, SAYS, Token, VERB};

/// A part of a form: tokens `from..to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) kind: SpanKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpanKind {
    /// A value already.
    Value,
    Word,
    /// Several tokens without a blank, punctuation at the end left out.
    Chunk,
    /// Several tokens after a `=`.
    Assigned,
    /// Several tokens in quotes.
    Quoted,
}

impl Span {
    pub(super) fn new(from: usize, to: usize, kind: SpanKind) -> Self {
        let index =
            |at: usize| u32::try_from(at).expect("a form has fewer tokens than a skeleton bytes");
        Self { from: index(from), to: index(to), kind }
    }

    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.from as usize..self.to as usize
    }
}

/// All parts of a form that may be a value.
pub(super) fn spans(tokens: &[Token]) -> Vec<Span> {
    let mut spans = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        if token.is_value() {
            spans.push(Span::new(at, at + 1, SpanKind::Value));
        } else if token.is_word() && !tokens.get(at + 1).is_some_and(|next| next.is_mark(b'=')) {
            spans.push(Span::new(at, at + 1, SpanKind::Word));
        }
    }
    for (from, mut to) in chunks(tokens) {
        while to > from && tokens[to - 1].is_any_mark(b".,;:") {
            to -= 1;
        }
        let chunk = &tokens[from..to];
        if chunk.len() > 1 && !chunk.iter().any(|token| token.is_mark(b'=')) {
            spans.push(Span::new(from, to, SpanKind::Chunk));
        }
    }
    for at in 0..tokens.len() {
        if tokens[at].is_mark(b'=') {
            assigned(tokens, at + 1, &mut spans);
        } else if tokens[at].is_any_mark(b"\"'") {
            quoted(tokens, at, &mut spans);
        }
    }
    spans
}

fn assigned(tokens: &[Token], from: usize, spans: &mut Vec<Span>) {
    let is_end = |token: &Token| token.kind == Kind::Blank || token.is_any_mark(b",;=\"'");
    let len = tokens[from..].iter().position(is_end).unwrap_or(tokens.len() - from);
    let mut to = from + len;
    if tokens.get(to).is_some_and(|end| end.is_any_mark(b"\"'")) {
        return;
    }
    while to > from && tokens[to - 1].is_any_mark(b".,;:)]}") {
        let is_own = tokens[to - 1].is_mark(b'}')
            && tokens[from..to].iter().any(|token| token.is_mark(b'{'));
        if is_own {
            break;
        }
        to -= 1;
    }
    if to > from + 1 {
        spans.push(Span::new(from, to, SpanKind::Assigned));
    }
}

fn quoted(tokens: &[Token], open: usize, spans: &mut Vec<Span>) {
    const QUOTED_TOKENS_MAX: usize = 16;
    let mark = tokens[open].traits;
    if open > 0 && (tokens[open - 1].is_word() || tokens[open - 1].is_value()) {
        return;
    }
    let inside = &tokens[open + 1..tokens.len().min(open + 2 + QUOTED_TOKENS_MAX)];
    let Some(len) = inside.iter().position(|token| token.is_mark(mark)) else { return };
    if len > 1 {
        spans.push(Span::new(open + 1, open + 1 + len, SpanKind::Quoted));
    }
}

/// The values of `key=value` pairs and what is quoted: the outermost, in order.
pub(super) fn settings(tokens: &[Token], spans: &[Span]) -> Vec<Span> {
    let is_mark =
        |at: Option<usize>, marks: &[u8]| at.is_some_and(|at| tokens[at].is_any_mark(marks));
    let is_setting = |span: &&Span| {
        let from = span.from as usize;
        let after_quote =
            is_mark(from.checked_sub(1), b"\"'") && is_mark(from.checked_sub(2), b"=");
        span.kind == SpanKind::Quoted
            || (span.kind != SpanKind::Chunk && (is_mark(from.checked_sub(1), b"=") || after_quote))
    };
    let mut settings: Vec<Span> = spans.iter().filter(is_setting).copied().collect();
    settings.sort_by_key(|span| (span.from, u32::MAX - span.to));
    let mut end = 0;
    settings.retain(|span| {
        let is_outermost = span.from >= end;
        end = end.max(span.to);
        is_outermost
    });
    settings
}

/// What a part of a form stands in, the same for all forms that differ in that part alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// Words that say something, outside the part.
    pub(super) words: usize,
    /// Whether none of them stands before it.
    pub(super) is_first: bool,
    /// Whether a `=` stands before it.
    pub(super) is_assigned: bool,
    /// Whether a `=`, a `:` or a quote stands before it.
    pub(super) is_marked: bool,
    /// Whether a value follows with nothing between, as in `eth<*>`.
    pub(super) is_glued: bool,
}

/// How many words that say something stand before each token, and, at the end, in all.
pub(super) fn says(tokens: &[Token]) -> Vec<u32> {
    let mut count = 0;
    let mut says = Vec::with_capacity(tokens.len() + 1);
    says.push(0);
    for token in tokens {
        count += u32::from(token.kind == Kind::Word && token.traits & SAYS != 0);
        says.push(count);
    }
    says
}

impl Context {
    /// `says` is what [`says`] gives for these tokens.
    pub(super) fn of(tokens: &[Token], says: &[u32], span: Span) -> Self {
        let range = span.range();
        let (before, after) = (&tokens[..range.start], &tokens[range.end..]);
        let (front, all) = (says[range.start] as usize, says[tokens.len()] as usize);
        let last = before.last();
        Self {
            words: all + front - says[range.end] as usize,
            is_first: front == 0,
            is_assigned: last.is_some_and(|last| last.is_mark(b'=')),
            is_marked: last.is_some_and(|last| last.is_any_mark(b"=:\"'")),
            is_glued: after.first().is_some_and(Token::is_value),
        }
    }
}

/// What the texts that alternate in one context are like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alternatives {
    /// How many differ, those that are [`SpanKind::Chunk`], or quoted with a value inside, left out.
    pub(super) plain: usize,
    /// Of those: made as names are.
    pub(super) names: usize,
    /// Of those: in capitals or with one in front, or verbs.
    pub(super) said: usize,
    pub(super) quoted: bool,
    /// Whether one is a value already.
    pub(super) has_value: bool,
    /// How many are neither a value nor known to be one elsewhere.
    pub(super) unknown: usize,
}

impl Alternatives {
    pub(super) fn add(&mut self, tokens: &[Token], span: Span, is_known: bool) {
        let text = &tokens[span.range()];
        self.unknown += usize::from(!is_known && span.kind != SpanKind::Value);
        self.has_value |= span.kind == SpanKind::Value;
        let holds_value = text.iter().any(Token::is_value);
        self.quoted |= span.kind == SpanKind::Quoted;
        if !counts(tokens, span) {
            return;
        }
        self.plain += 1;
        let is_name = holds_value
            || text.iter().any(|token| token.kind == Kind::Word && token.traits & NAME != 0);
        self.names += usize::from(is_name);
        self.said += usize::from(
            !is_name && text[0].kind == Kind::Word && text[0].traits & (CAPITAL | VERB) != 0,
        );
    }

    /// Whether the part is a value: the more words say the same around it, the fewer alternatives prove it.
    pub(super) fn are_values(&self, context: &Context) -> bool {
        if context.words == 0 {
            return false;
        }
        if self.has_value && (context.words >= 2 || context.is_marked) {
            // What a number can stand for is a value, not a word of the program's.
            return !context.is_first || context.words >= 3;
        }
        let may_be_unknown = usize::from(context.words >= 4 && !context.is_assigned);
        if self.unknown <= may_be_unknown && context.words >= 2 && !context.is_first {
            return true;
        }
        self.plain >= self.needed(context)
    }

    fn needed(&self, context: &Context) -> usize {
        // By how many words agree around it: with one alone (`removing <*>`) it takes many alternatives to tell
        // a value from a statement of its own. Measured on eight labelled logs: with a quarter fewer the accuracy
        // stays (0.994), with a quarter more it falls to 0.978, where four names are all that a log has.
        const NEEDED: [usize; 6] = [usize::MAX, 8, 6, 5, 4, 3];
        const NEEDED_FIRST: [usize; 5] = [usize::MAX, usize::MAX, usize::MAX, 8, 5];
        let by_words = |table: &[usize]| table[context.words.min(table.len() - 1)];
        let needed = match context {
            Context { is_first: true, .. } => by_words(&NEEDED_FIRST),
            _ if self.quoted || context.is_assigned => 4,
            _ => by_words(&NEEDED),
        };
        if needed == usize::MAX {
            needed
        } else if context.is_glued {
            needed.max(4)
        } else if self.said * 2 >= self.plain {
            // States, events and what is done are written like this.
            needed + 2
        } else if self.names * 2 > self.plain {
            let least = if context.words >= 4 && !context.is_first { 2 } else { 3 };
            needed.div_ceil(2).max(least) + usize::from(context.words <= 2 && !context.is_first)
        } else {
            needed
        }
    }
}

/// Whether a part speaks for a value where no number proves it.
pub(super) fn counts(tokens: &[Token], span: Span) -> bool {
    match span.kind {
        SpanKind::Value | SpanKind::Word | SpanKind::Assigned => true,
        SpanKind::Chunk => false,
        SpanKind::Quoted => !tokens[span.range()].iter().any(Token::is_value),
    }
}
