//! Where in a message the pieces of a template can end.

use std::ops::Range;

use memchr::memmem;

use super::extent::{Extent, MANY};
use crate::skeleton::{BLANK, class_of};

/// Positions in a message, as ranges in order that do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges(Vec<Range<usize>>);

fn is_blank(byte: u8) -> bool {
    class_of(byte) == BLANK
}

impl Ranges {
    pub(super) fn new(range: Range<usize>) -> Self {
        Self(vec![range])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one is at or beyond `from`.
    pub(super) fn reach(&self, from: usize) -> bool {
        self.0.last().is_some_and(|last| last.end > from)
    }

    /// Adds positions that begin no earlier than the last range does.
    fn add(&mut self, range: Range<usize>) {
        match self.0.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => self.0.push(range),
        }
    }

    fn or(self, other: Self) -> Self {
        let mut all: Vec<Range<usize>> = self.0.into_iter().chain(other.0).collect();
        all.sort_unstable_by_key(|range| range.start);
        let mut either = Self::default();
        all.into_iter().for_each(|range| either.add(range));
        either
    }

    pub(super) fn after_text(&self, message: &[u8], text: &[u8]) -> Self {
        let mut after = Self::default();
        let finder = memmem::Finder::new(text);
        for range in &self.0 {
            let mut from = range.start;
            let until = message.len().min(range.end - 1 + text.len());
            while from < until {
                let Some(at) = finder.find(&message[from..until]) else { break };
                let end = from + at + text.len();
                after.add(end..end + 1);
                from += at + 1;
            }
        }
        after
    }

    /// After one blank and more.
    pub(super) fn after_blanks(&self, message: &[u8]) -> Self {
        self.after_run(message, is_blank, |_| Some(0))
    }

    /// After two dots and more.
    pub(super) fn after_dots(&self, message: &[u8]) -> Self {
        self.after_run(message, |byte| byte == b'.', |run| (run.len() > 1).then_some(1))
    }

    /// After as much as a value takes.
    pub(super) fn after_value(&self, message: &[u8], extent: Extent) -> Self {
        if extent == Extent::ANY {
            return Self(
                self.0.first().map(|first| first.start..message.len() + 1).into_iter().collect(),
            );
        }
        let mut ends = self.after_chunk(message, extent.digits);
        for _ in 1..extent.min {
            ends = ends.after_blanks(message).after_chunk(message, extent.digits);
        }
        if extent.max == MANY {
            ends = ends.after_more_chunks(message, extent.digits);
        } else {
            let mut last = ends.clone();
            for _ in extent.min.max(1)..extent.max {
                last = last.after_blanks(message).after_chunk(message, extent.digits);
                ends = ends.or(last.clone());
            }
        }
        if extent.min == 0 { ends.or(self.clone()) } else { ends }
    }

    fn after_chunk(&self, message: &[u8], digits: bool) -> Self {
        let needed =
            |run: &[u8]| if digits { run.iter().position(u8::is_ascii_digit) } else { Some(0) };
        self.after_run(message, |byte| !is_blank(byte), needed)
    }

    /// After a run of bytes of a kind, from any position here; `needed` tells up to which byte it must go.
    fn after_run(
        &self,
        message: &[u8],
        is_kind: impl Fn(u8) -> bool,
        needed: impl Fn(&[u8]) -> Option<usize>,
    ) -> Self {
        let mut after = Self::default();
        for range in &self.0 {
            let mut at = range.start;
            while at < range.end {
                let len = message[at..].iter().take_while(|&&byte| is_kind(byte)).count();
                if len > 0
                    && let Some(needed) = needed(&message[at..at + len])
                {
                    after.add(at + needed + 1..at + len + 1);
                }
                // From inside the run no end is reached that is not from its start.
                at += len + 1;
            }
        }
        after
    }

    /// From ends of chunks: these, and those of the chunks that follow.
    fn after_more_chunks(self, message: &[u8], digits: bool) -> Self {
        let run = |at: usize, blank: bool| {
            message[at..].iter().take_while(|&&byte| is_blank(byte) == blank).count()
        };
        let mut own = self.0.iter().peekable();
        let mut is_own = |at: usize| {
            while own.next_if(|range| range.end <= at).is_some() {}
            own.peek().is_some_and(|range| range.start <= at)
        };
        let mut more = Self::default();
        let mut at = self.0.first().map_or(message.len(), |first| first.start);
        at += run(at, false);
        let mut goes_on = is_own(at);
        while at < message.len() {
            let start = at + run(at, true);
            at = start + run(start, false);
            let chunk = &message[start..at];
            let needed = if digits { chunk.iter().position(u8::is_ascii_digit) } else { Some(0) };
            let reached = needed.filter(|_| goes_on && !chunk.is_empty());
            reached.into_iter().for_each(|needed| more.add(start + needed + 1..at + 1));
            goes_on = reached.is_some() || is_own(at);
        }
        self.or(more)
    }
}
