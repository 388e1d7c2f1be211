//! An answer: the page a query found, rendered in one of four forms and held to a budget.
//!
//! A budget is kept by leaving out whole entries, those that matter least first: the oldest, or for
//! a follower the last, which it gets with its next read. The answer says how many it left out, and
//! its cursor leads to them.

use logrec_core::{Cursor, Page, RowRef};

use crate::{params::Request, shape::Format, text, wire};

/// What a request found.
#[derive(Debug)]
pub struct Answer<'r> {
    request: &'r Request,
    page: Page,
    /// Recordings that the request's cursor names and that are not here.
    gone: usize,
}

impl<'r> Answer<'r> {
    pub(crate) const fn new(request: &'r Request, page: Page, gone: usize) -> Self {
        Self { request, page, gone }
    }

    /// The entries, sorted as asked.
    #[must_use]
    pub const fn page(&self) -> &Page {
        &self.page
    }

    /// Renders it. The result is UTF-8 and, where the request has a budget, never larger.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + self.page.bytes() + self.page.len() * 128);
        let rows: Vec<RowRef<'_>> = self.page.rows().collect();
        out.extend_from_slice(self.head());
        let start = out.len();
        let mut ends = Vec::with_capacity(rows.len());
        for row in &rows {
            self.row(&mut out, row, ends.is_empty());
            ends.push(out.len() - start);
        }
        let budget = self.request.shape.max_bytes.unwrap_or(usize::MAX);
        let kept = self.kept(&rows, &ends, budget);
        if kept.len() < rows.len() {
            self.cut(&mut out, start, &ends, &kept);
        }
        let rest = self.tail(&rows, &kept, false);
        let fits = out.len() + rest.len() <= budget;
        out.extend_from_slice(&if fits { rest } else { self.tail(&rows, &kept, true) });
        out
    }

    fn head(&self) -> &'static [u8] {
        match self.request.shape.format {
            Format::Json => wire::HEAD,
            Format::Markdown => text::MARKDOWN_HEAD,
            Format::Ndjson | Format::Text => b"",
        }
    }

    fn row(&self, out: &mut Vec<u8>, row: &RowRef<'_>, first: bool) {
        let shape = &self.request.shape;
        match shape.format {
            Format::Json => {
                if !first {
                    out.push(b',');
                }
                wire::entry(out, row, shape);
            }
            Format::Ndjson => {
                wire::entry(out, row, shape);
                out.push(b'\n');
            }
            Format::Text => text::line(out, row, shape),
            Format::Markdown => text::markdown(out, row, shape),
        }
    }

    /// Which rows fit: a run from the start, or from the end where the start is what matters least.
    fn kept(&self, rows: &[RowRef<'_>], ends: &[usize], budget: usize) -> std::ops::Range<usize> {
        let all = 0..rows.len();
        let size = |kept: &std::ops::Range<usize>| {
            if kept.is_empty() {
                return self.head().len() + self.tail(rows, kept, true).len();
            }
            let begin = kept.start.checked_sub(1).map_or(0, |i| ends[i]);
            self.head().len() + ends[kept.end - 1] - begin + self.tail(rows, kept, false).len()
        };
        if budget == usize::MAX || size(&all) <= budget {
            return all;
        }
        let newest_last = self.newest_last();
        let run = |n: usize| if newest_last { rows.len() - n..rows.len() } else { 0..n };
        // The size grows with the number of rows but for a few digits, so halving nears it and a
        // few steps down make it exact.
        let (mut least, mut most) = (0, rows.len());
        while least < most {
            let middle = (least + most).div_ceil(2);
            if size(&run(middle)) <= budget {
                least = middle;
            } else {
                most = middle - 1;
            }
        }
        run(least)
    }

    /// Whether the entries that matter most stand last: sorted upwards, and not a follower's.
    fn newest_last(&self) -> bool {
        let query = &self.request.query;
        (query.order == logrec_core::Order::Ascending) != query.after.is_some()
    }

    fn cut(&self, out: &mut Vec<u8>, start: usize, ends: &[usize], kept: &std::ops::Range<usize>) {
        if kept.is_empty() {
            out.truncate(start);
            return;
        }
        out.truncate(start + ends[kept.end - 1]);
        if let Some(before) = kept.start.checked_sub(1) {
            // In JSON the comma before the first row that stays goes too.
            let comma = usize::from(self.request.shape.format == Format::Json);
            out.drain(start..start + ends[before] + comma);
        }
    }

    fn tail(&self, rows: &[RowRef<'_>], kept: &std::ops::Range<usize>, brief: bool) -> Vec<u8> {
        let tail = wire::Tail {
            count: kept.len(),
            omitted: rows.len() - kept.len(),
            gone: self.gone,
            missed: self.request.query.after.is_some().then_some(self.page.missed),
            next_cursor: self.next_cursor(rows, kept),
            prev_cursor: self.prev_cursor(rows, kept),
        };
        let mut out = Vec::new();
        match self.request.shape.format {
            Format::Json => wire::tail(&mut out, &tail, self.request, brief),
            Format::Ndjson => {}
            Format::Text | Format::Markdown => text::tail(&mut out, &tail, self.page.more),
        }
        out
    }

    /// Where to go on in the direction of the request: further back, or with `after` onwards.
    fn next_cursor(&self, rows: &[RowRef<'_>], kept: &std::ops::Range<usize>) -> Option<String> {
        let query = &self.request.query;
        if let Some(after) = &query.after {
            if after.place.is_some() {
                let last = rows[kept.clone()].iter().map(RowRef::place).max();
                return Some(last.map_or_else(|| after.to_string(), |p| Cursor::at(p).to_string()));
            }
            return Some(self.read_cursor(rows, kept).to_string());
        }
        let more = self.page.more || kept.len() < rows.len();
        let oldest = rows[kept.clone()].iter().map(RowRef::place).min();
        match (more, oldest) {
            (true, Some(place)) => Some(Cursor::at(place).to_string()),
            // Not one fitted: the same question again, with a larger budget.
            (true, None) => query.before.as_ref().map(Cursor::to_string),
            (false, _) => None,
        }
    }

    /// Where to go on in the other direction.
    fn prev_cursor(&self, rows: &[RowRef<'_>], kept: &std::ops::Range<usize>) -> Option<String> {
        let query = &self.request.query;
        if query.after.is_some() {
            let first = rows[kept.clone()].iter().map(RowRef::place).min()?;
            return Some(Cursor::at(first).to_string());
        }
        if query.before.is_some() {
            let newest = rows[kept.clone()].iter().map(RowRef::place).max()?;
            return Some(Cursor::at(newest).to_string());
        }
        Some(Cursor::read(self.page.end.clone()).to_string())
    }

    /// What a follower has read: all up to the first row that the budget left out.
    fn read_cursor(&self, rows: &[RowRef<'_>], kept: &std::ops::Range<usize>) -> Cursor {
        let mut read = self.page.end.clone();
        for row in rows[..kept.start].iter().chain(&rows[kept.end..]) {
            for (_, position) in read.iter_mut().filter(|(ring, _)| *ring == row.ring) {
                if let Some(next) = position.0.get_mut(row.seq.lane()) {
                    *next = (*next).min(row.seq.ordinal());
                }
            }
        }
        Cursor::read(read)
    }
}
