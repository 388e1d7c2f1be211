//! An answer: the page a query found, rendered in one of four forms and held to a budget.
//!
//! With `fold` a run of near-identical entries (see [`fold`](crate::fold)) is one item, else each entry is
//! one. A budget is kept by leaving out whole items, those that matter least first: the oldest, or for
//! a follower the last, which it gets with its next read. The answer says how many it left out, and
//! its cursor leads to them. An entry that alone is larger than the budget is passed over and named.

use std::ops::Range;

use logrec_core::{Cursor, Page, RowRef};

use crate::{fold, params::Request, shape::Format, text, wire};

/// What a request found.
#[derive(Debug)]
pub struct Answer<'r> {
    request: &'r Request,
    page: Page,
    /// Recordings that the request's cursor names and that are not here.
    gone: usize,
    /// Entries that earlier looks for the same request missed.
    carried: u64,
}

/// What a follower can no longer read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Entries overwritten before they were read.
    pub missed: u64,
    /// Recordings that the cursor names and that are not here.
    pub gone: usize,
}

/// What an answer is made of: rows, and which of them make an item each.
struct Items<'a> {
    rows: Vec<RowRef<'a>>,
    items: Vec<Range<usize>>,
}

/// Which items an answer shows.
#[derive(Debug, Default)]
struct Choice {
    /// Those dealt with; what comes behind is for the next answer.
    run: Range<usize>,
    /// Those of the run that are left out for good.
    skipped: Vec<usize>,
    /// How many are shown.
    kept: usize,
    /// How many entries those are.
    entries: usize,
    /// The first few that were left out for good: id and size.
    too_large: Vec<(String, usize)>,
}

impl Items<'_> {
    /// The rows of a run of items.
    fn rows(&self, run: &Range<usize>) -> Range<usize> {
        match self.items.get(run.clone()) {
            Some([first, .., last]) => first.start..last.end,
            Some([one]) => one.clone(),
            // Where nothing is dealt with: what was left out stands before it, or behind it.
            Some([]) | None if run.start > 0 => self.rows.len()..self.rows.len(),
            Some([]) | None => 0..0,
        }
    }
}

/// Most entries that an answer names as too large.
const NAMED_MAX: usize = 5;
/// What naming one takes besides its id, in bytes: the words, a size of 20 digits, and its share of
/// what stands around all of them.
const TOO_LARGE_FRAME: usize = 48;

impl<'r> Answer<'r> {
    pub(crate) const fn new(request: &'r Request, page: Page, gone: usize) -> Self {
        Self { request, page, gone, carried: 0 }
    }

    /// The entries, sorted as asked.
    #[must_use]
    pub const fn page(&self) -> &Page {
        &self.page
    }

    /// Adds what earlier looks for the same request could not read, for an answer after several.
    pub const fn carry(&mut self, unread: Unread) {
        self.carried += unread.missed;
        self.gone += unread.gone;
    }

    /// What could not be read.
    #[must_use]
    pub const fn unread(&self) -> Unread {
        Unread { missed: self.page.missed + self.carried, gone: self.gone }
    }

    /// Whether the time limit ended the search before all was looked at. Such an answer is none: render
    /// an error that says so.
    #[must_use]
    pub const fn gave_up(&self) -> bool {
        self.page.gave_up
    }

    /// Renders it. The result is UTF-8 and, where the request has a budget, never larger.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + self.page.bytes() + self.page.len() * 128);
        let rows: Vec<RowRef<'_>> = self.page.rows().collect();
        let items = match self.request.shape.fold {
            true => fold::runs(&rows, self.request.shape.max_bytes),
            false => (0..rows.len()).map(|i| i..i + 1).collect(),
        };
        let items = Items { rows, items };
        out.extend_from_slice(self.head());
        let start = out.len();
        let mut ends = Vec::with_capacity(items.items.len());
        for item in &items.items {
            self.item(&mut out, &items.rows[item.clone()], ends.is_empty());
            ends.push(out.len());
        }
        let all = Choice {
            run: 0..ends.len(),
            kept: ends.len(),
            entries: items.rows.len(),
            ..Choice::default()
        };
        let tail = self.tail(&items, &all, false);
        let budget = self.request.shape.max_bytes.unwrap_or(usize::MAX);
        if out.len() + tail.len() <= budget {
            out.extend_from_slice(&tail);
            return out;
        }
        // Where the echo of the request would take the room of entries, it is left out.
        let echo = tail.len() - self.tail(&items, &all, true).len();
        let brief = echo > budget / 4 || self.frame(&items.rows, false, self.gone) > budget / 2;
        let spans = |i: usize| {
            let begin = if i == 0 { start } else { ends[i - 1] };
            // In JSON the comma before a row that is not the first.
            let comma = usize::from(i > 0 && self.request.shape.format == Format::Json);
            begin + comma..ends[i]
        };
        let choice = self.choose(&items, &spans, budget, brief);
        let mut chosen = Vec::with_capacity(budget.min(out.len() + 1024));
        chosen.extend_from_slice(self.head());
        for i in choice.run.clone().filter(|i| !choice.skipped.contains(i)) {
            if chosen.len() > start && self.request.shape.format == Format::Json {
                chosen.push(b',');
            }
            chosen.extend_from_slice(&out[spans(i)]);
        }
        chosen.extend_from_slice(&self.tail(&items, &choice, brief));
        chosen
    }

    fn head(&self) -> &'static [u8] {
        match self.request.shape.format {
            Format::Json => wire::HEAD,
            Format::Markdown => text::MARKDOWN_HEAD,
            Format::Ndjson | Format::Text => b"",
        }
    }

    fn item(&self, out: &mut Vec<u8>, rows: &[RowRef<'_>], first: bool) {
        let shape = &self.request.shape;
        match shape.format {
            Format::Json => {
                if !first {
                    out.push(b',');
                }
                wire::entries(out, rows, shape);
            }
            Format::Ndjson => {
                wire::entries(out, rows, shape);
                out.push(b'\n');
            }
            Format::Text => text::lines(out, rows, shape),
            Format::Markdown => text::markdown(out, rows, shape),
        }
    }

    /// Which items to show within a budget: a run of them from the start, or from the end where the
    /// start is what matters least, without those that no answer of this budget could hold.
    fn choose(
        &self,
        items: &Items<'_>,
        spans: &dyn Fn(usize) -> Range<usize>,
        budget: usize,
        brief: bool,
    ) -> Choice {
        let frame = |gone| self.head().len() + self.frame(&items.rows, brief, gone);
        let room = budget.saturating_sub(frame(self.gone));
        // What cursors of other recordings are told comes once, so it makes no entry too large.
        let room_most = budget.saturating_sub(frame(0));
        let newest_last = self.newest_last();
        let mut choice = Choice::default();
        let (mut passed, mut used) = (0, 0);
        while passed < items.items.len() {
            let i = if newest_last { items.items.len() - 1 - passed } else { passed };
            let size = spans(i).len() + 1;
            if size <= room_most {
                if used + size > room {
                    break;
                }
                used += size;
                choice.kept += 1;
                choice.entries += items.items[i].len();
            } else {
                let named = (items.rows[items.items[i].start].id().to_string(), size - 1);
                let name_size = TOO_LARGE_FRAME + named.0.len();
                if self.request.shape.format != Format::Ndjson && choice.too_large.len() < NAMED_MAX
                {
                    if used + name_size <= room {
                        used += name_size;
                        choice.too_large.push(named);
                    } else if used > 0 {
                        // The next answer has room for its name.
                        break;
                    }
                }
                choice.skipped.push(i);
            }
            passed += 1;
        }
        let all = items.items.len();
        choice.run = if newest_last { all - passed..all } else { 0..passed };
        choice
    }

    /// Most bytes that the end of an answer with some of these rows takes, without names of entries
    /// that are too large.
    fn frame(&self, rows: &[RowRef<'_>], brief: bool, gone: usize) -> usize {
        let query = &self.request.query;
        let given = query.after.iter().chain(&query.before).map(Cursor::to_string);
        let places = rows.iter().map(|row| Cursor::at(row.place()).to_string());
        let place = places.chain(given).max_by_key(String::len);
        // A follower's cursor is never longer than the one behind all that there is.
        let end = Some(Cursor::read(self.page.end.clone()).to_string());
        let follows = query.after.as_ref().is_some_and(|cursor| cursor.place.is_none());
        let tail = wire::Tail {
            count: rows.len(),
            entries: self.request.shape.fold.then_some(rows.len()),
            omitted: rows.len(),
            too_large: Vec::new(),
            gone,
            missed: self.missed(rows, &(0..rows.len())),
            more: true,
            onwards: query.after.is_some(),
            next_cursor: if follows { end.clone() } else { place.clone() },
            prev_cursor: if query.after.is_some() || query.before.is_some() { place } else { end },
        };
        self.rendered(&tail, brief).len()
    }

    /// Whether the entries that matter most stand last: sorted upwards, and not a follower's.
    fn newest_last(&self) -> bool {
        let query = &self.request.query;
        (query.order == logrec_core::Order::Ascending) != query.after.is_some()
    }

    /// What is missed by who goes on from the answer's cursor: what the budget leaves to the next answer
    /// is told there. Known only where the request's cursor says what was read.
    fn missed(&self, rows: &[RowRef<'_>], run: &Range<usize>) -> Option<u64> {
        let after = self.request.query.after.as_ref()?;
        let missed = || self.page.missed_until(&self.read_cursor(rows, run).read) + self.carried;
        after.place.is_none().then(missed)
    }

    fn tail(&self, items: &Items<'_>, choice: &Choice, brief: bool) -> Vec<u8> {
        let (rows, run) = (&items.rows, items.rows(&choice.run));
        let more = self.page.more || choice.run.len() < items.items.len();
        let tail = wire::Tail {
            count: choice.kept,
            entries: self.request.shape.fold.then_some(choice.entries),
            omitted: rows.len() - choice.entries,
            too_large: choice.too_large.clone(),
            gone: self.gone,
            missed: self.missed(rows, &run),
            more,
            onwards: self.request.query.after.is_some(),
            next_cursor: self.next_cursor(rows, &run, more),
            prev_cursor: self.prev_cursor(rows, &run),
        };
        self.rendered(&tail, brief)
    }

    fn rendered(&self, tail: &wire::Tail, brief: bool) -> Vec<u8> {
        let mut out = Vec::new();
        match self.request.shape.format {
            Format::Json => wire::tail(&mut out, tail, self.request, brief),
            Format::Ndjson => {}
            Format::Text | Format::Markdown => text::tail(&mut out, tail),
        }
        out
    }

    /// Where to go on in the direction of the request: further back, or with `after` onwards. What was
    /// passed over as too large is behind.
    fn next_cursor(&self, rows: &[RowRef<'_>], run: &Range<usize>, more: bool) -> Option<String> {
        let query = &self.request.query;
        if let Some(after) = &query.after {
            if after.place.is_some() {
                let last = rows[run.clone()].iter().map(RowRef::place).max();
                return Some(last.map_or_else(|| after.to_string(), |p| Cursor::at(p).to_string()));
            }
            return Some(self.read_cursor(rows, run).to_string());
        }
        let oldest = rows[run.clone()].iter().map(RowRef::place).min();
        match (more, oldest) {
            (true, Some(place)) => Some(Cursor::at(place).to_string()),
            // Not one was passed: the same question again.
            (true, None) => query.before.as_ref().map(Cursor::to_string),
            (false, _) => None,
        }
    }

    /// Where to go on in the other direction.
    fn prev_cursor(&self, rows: &[RowRef<'_>], run: &Range<usize>) -> Option<String> {
        let query = &self.request.query;
        if query.after.is_some() {
            let first = rows[run.clone()].iter().map(RowRef::place).min()?;
            return Some(Cursor::at(first).to_string());
        }
        if query.before.is_some() {
            let newest = rows[run.clone()].iter().map(RowRef::place).max()?;
            return Some(Cursor::at(newest).to_string());
        }
        Some(Cursor::read(self.page.end.clone()).to_string())
    }

    /// What a follower has read: all up to the first row that the budget left out.
    fn read_cursor(&self, rows: &[RowRef<'_>], run: &Range<usize>) -> Cursor {
        let mut read = self.page.end.clone();
        for row in rows[..run.start].iter().chain(&rows[run.end..]) {
            for (_, position) in read.iter_mut().filter(|(ring, _)| *ring == row.ring) {
                if let Some(next) = position.0.get_mut(row.seq.lane()) {
                    *next = (*next).min(row.seq.ordinal());
                }
            }
        }
        Cursor::read(read)
    }
}
