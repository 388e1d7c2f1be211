//! The entries around one, oldest first, held to a budget: those farthest from it are left out first.

use std::ops::Range;

use logrec_core::{Filter, RowRef};

use super::{ContextError, ContextRequest, never, shared};
use crate::{Reader, fold, json::Object, shape::Format, text, wire};

pub(super) fn answer(
    reader: &Reader,
    request: &ContextRequest,
    row: &RowRef<'_>,
) -> Result<Vec<u8>, ContextError> {
    let same = request.same.iter().map(|same| shared(*same, row).unwrap_or_else(never));
    let filter = same.fold(request.filter.clone(), Filter::and);
    let before = reader.beside(row, filter.clone(), request.before, true)?;
    let after = reader.beside(row, filter, request.after, false)?;
    let rows: Vec<RowRef<'_>> =
        before.rows().chain(std::iter::once(*row)).chain(after.rows()).collect();
    let target = before.len();
    let surroundings = Surroundings { request, rows: &rows, target };
    Ok(surroundings.render([before.more, after.more]))
}

struct Surroundings<'a> {
    request: &'a ContextRequest,
    rows: &'a [RowRef<'a>],
    /// Which of the rows was asked for.
    target: usize,
}

impl Surroundings<'_> {
    fn render(&self, more: [bool; 2]) -> Vec<u8> {
        let items = self.items();
        let rendered: Vec<Vec<u8>> = items.iter().map(|item| self.item(item)).collect();
        // The entry itself is an item of its own.
        let target = items.iter().position(|item| item.start == self.target).unwrap_or(0);
        let budget = self.request.shape.max_bytes.unwrap_or(usize::MAX);
        // Of the ends of all answers to this request, the longest.
        let frame = |brief| {
            let most = self.tail(&items, &(0..0), [true; 2], Some(usize::MAX), brief);
            self.head().len() + most.len() + 40
        };
        let brief = frame(false) > budget / 2;
        let room = budget.saturating_sub(frame(brief));
        let mut run = target..target;
        let mut used = 0;
        let mut take = |run: &mut Range<usize>, is_front: bool| {
            let at = if is_front { run.start.checked_sub(1) } else { Some(run.end) };
            let Some(item) = at.and_then(|at| rendered.get(at)) else { return false };
            if used + item.len() + 1 > room {
                return false;
            }
            used += item.len() + 1;
            if is_front {
                run.start -= 1
            } else {
                run.end += 1
            }
            true
        };
        // The entry first, then alternately what is next to it.
        let mut sides = [take(&mut run, false); 2];
        while sides[0] || sides[1] {
            for (side, is_front) in sides.iter_mut().zip([true, false]) {
                *side = *side && take(&mut run, is_front);
            }
        }
        let mut out = Vec::with_capacity(used + frame(brief));
        out.extend_from_slice(self.head());
        let is_json = self.request.shape.format == Format::Json;
        for (i, item) in rendered[run.clone()].iter().enumerate() {
            if i > 0 && is_json {
                out.push(b',');
            }
            out.extend_from_slice(item);
        }
        let too_large = run.is_empty().then(|| rendered[target].len());
        out.extend_from_slice(&self.tail(&items, &run, more, too_large, brief));
        out
    }

    /// Rows that make an item each; with `fold` runs, on each side of the entry for itself.
    fn items(&self) -> Vec<Range<usize>> {
        if !self.request.shape.fold {
            return (0..self.rows.len()).map(|i| i..i + 1).collect();
        }
        let runs = |from: usize, to: usize| {
            let runs = fold::runs(&self.rows[from..to], self.request.shape.max_bytes);
            runs.into_iter().map(move |run| from + run.start..from + run.end)
        };
        let entry = self.target..self.target + 1;
        let behind = runs(entry.end, self.rows.len());
        runs(0, entry.start).chain(std::iter::once(entry)).chain(behind).collect()
    }

    fn item(&self, item: &Range<usize>) -> Vec<u8> {
        let (rows, shape) = (&self.rows[item.clone()], &self.request.shape);
        let mut out = Vec::new();
        match shape.format {
            Format::Json => wire::entries(&mut out, rows, shape),
            Format::Ndjson => {
                wire::entries(&mut out, rows, shape);
                out.push(b'\n');
            }
            Format::Text => {
                if item.start == self.target {
                    out.extend_from_slice(b"# the entry asked for:\n");
                }
                text::lines(&mut out, rows, shape);
            }
            Format::Markdown => {
                if item.start == self.target {
                    out.extend_from_slice(b"\nThe entry asked for:\n\n");
                }
                text::markdown(&mut out, rows, shape);
                if item.start == self.target {
                    out.push(b'\n');
                }
            }
        }
        out
    }

    fn head(&self) -> &'static [u8] {
        match self.request.shape.format {
            Format::Json => wire::HEAD,
            Format::Markdown => text::MARKDOWN_HEAD,
            Format::Ndjson | Format::Text => b"",
        }
    }

    /// What stands behind the items of a run.
    fn tail(
        &self,
        items: &[Range<usize>],
        run: &Range<usize>,
        more: [bool; 2],
        too_large: Option<usize>,
        brief: bool,
    ) -> Vec<u8> {
        let entries =
            |items: &[Range<usize>]| items.iter().map(ExactSizeIterator::len).sum::<usize>();
        let (front, behind) = (entries(&items[..run.start]), entries(&items[run.end..]));
        let more = [more[0] || front > 0, more[1] || behind > 0];
        let mut out = Vec::new();
        match self.request.shape.format {
            Format::Json => {
                out.extend_from_slice(b"]");
                let mut object = Object::continued(&mut out);
                object.uint("count", run.len() as u64);
                if self.request.shape.fold {
                    object.uint("entries", entries(&items[run.clone()]) as u64);
                }
                object.string("id", &self.request.id.to_string());
                object.bool("more_before", more[0]).bool("more_after", more[1]);
                wire::applied(object.plain("filters_applied"), &self.request.applied, |_| !brief);
                if self.request.shape.max_bytes.is_some() {
                    object.uint("omitted", (front + behind) as u64);
                }
                if let Some(bytes) = too_large {
                    let entry = (self.request.id.to_string(), bytes);
                    wire::too_large(object.plain("too_large"), &[entry]);
                }
                object.end();
            }
            Format::Ndjson => {}
            Format::Text | Format::Markdown => {
                if let Some(bytes) = too_large {
                    let line = format!("# {} {bytes} bytes does not fit\n", self.request.id);
                    out.extend_from_slice(line.as_bytes());
                }
                for (is_more, left, side) in
                    [(more[0], front, "before"), (more[1], behind, "after")]
                {
                    if left > 0 {
                        out.extend_from_slice(
                            format!("# {left} more {side} it did not fit the budget\n").as_bytes(),
                        );
                    } else if is_more {
                        out.extend_from_slice(format!("# there are more {side} it\n").as_bytes());
                    }
                }
            }
        }
        out
    }
}
