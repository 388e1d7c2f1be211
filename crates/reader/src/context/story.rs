//! The story of an error: its stack distilled, the chain of causes, what the same trace, task or thread
//! logged before it, and how often it came.
//!
//! What matters most comes first and stays longest within a budget: the entry, its root cause, how often,
//! the stack, then what led to it, the nearest first.

use logrec_core::{
    Filter, Level, LevelSet, Query, RowRef, Timestamp,
    filter::{Field, Test},
};
use logrec_insight::{skeleton, stack};

use super::{ContextError, ContextRequest, Same, never, shared};
use crate::{
    Reader,
    json::{self, Object},
    params::QUERY_TIME_MAX,
    shape::{EntryField, Format, Shape},
    text, wire,
};

/// Frames kept of each cause.
const FRAMES_MAX: usize = 20;

struct Story<'a> {
    row: RowRef<'a>,
    /// The distilled stack, line by line; empty without one.
    stack: Vec<String>,
    /// The root cause's line, where there is more than one cause.
    root: Option<String>,
    /// What entries that led to it have in common with it.
    led_by: &'static str,
    /// Those entries, oldest first.
    before: Vec<RowRef<'a>>,
    more_before: bool,
    /// Entries after it, oldest first.
    after: Vec<RowRef<'a>>,
    more_after: bool,
    times: Times,
}

/// How often the same came.
#[derive(Clone, Copy, Debug)]
struct Times {
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

pub(super) fn answer(
    reader: &Reader,
    request: &ContextRequest,
    row: &RowRef<'_>,
) -> Result<Vec<u8>, ContextError> {
    let (led_by, thread_of_events) = led_by(request, row);
    let filter = request.filter.clone().and(thread_of_events);
    let before = reader.beside(row, filter.clone(), request.before, true)?;
    let after = reader.beside(row, filter, request.after, false)?;
    let text = row.record.exception();
    let parsed = stack::parse(text);
    let distilled = parsed.as_ref().map(|parsed| parsed.distilled(FRAMES_MAX));
    let root = distilled
        .as_ref()
        .filter(|d| d.causes.len() > 1)
        .and_then(|d| d.causes.iter().find(|shown| shown.is_root).map(stack::Shown::headline));
    let stack = match &distilled {
        Some(distilled) => distilled.lines().collect(),
        None => text.lines().map(str::to_owned).collect(),
    };
    let story = Story {
        row: *row,
        stack,
        root,
        led_by,
        before: before.rows().collect(),
        more_before: before.more,
        after: after.rows().collect(),
        more_after: after.more,
        times: times(reader, row)?,
    };
    Ok(story.render(request))
}

/// What ties the events that led to an entry to it: the first that it has of trace, task and thread, unless
/// the request says.
fn led_by(request: &ContextRequest, row: &RowRef<'_>) -> (&'static str, Filter) {
    if let Some(first) = request.same.first() {
        let all = request.same.iter().map(|same| shared(*same, row).unwrap_or_else(never));
        let name = match first {
            Same::Logger => "logger",
            Same::Thread => "thread",
            Same::Trace => "trace",
        };
        return (name, all.fold(Filter::default(), Filter::and));
    }
    if let Some(filter) = shared(Same::Trace, row) {
        return ("trace", filter);
    }
    let entry = row.to_entry();
    let task = entry.attributes.iter().find(|(name, _)| name == "task_name");
    if let Some((_, logrec_core::Value::Str(task))) = task {
        let field = Field::Attribute("task_name".to_owned());
        let task = Filter::Field(field, Test::Is(task.clone()));
        let process = entry.process.map(|p| Filter::Field(Field::Process, Test::Is(p.to_string())));
        return ("task", process.into_iter().fold(task, Filter::and));
    }
    match shared(Same::Thread, row) {
        Some(filter) => ("thread", filter),
        None => ("time", Filter::default()),
    }
}

/// How often the same came: the same exception group, or without a trace the same level, logger and
/// skeleton of the message.
fn times(reader: &Reader, row: &RowRef<'_>) -> Result<Times, ContextError> {
    let mut times = Times { count: 0, first: row.time, last: row.time };
    let exception = row.record.exception();
    let is_traced = !exception.is_empty();
    let filter = if is_traced {
        Filter::Field(Field::Exception, Test::Contains(String::new()))
    } else {
        let logger = Test::Is(row.record.logger().to_owned());
        Filter::Levels(LevelSet::NONE.with(row.level)).and(Filter::Field(Field::Logger, logger))
    };
    let (group, message) = (stack::group(exception), skeleton::hash(row.record.message_bytes()));
    let query = Query { filter, time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
    let is_whole = reader.visit(&query, &mut |other| {
        let is_same = if is_traced {
            stack::group(other.record.exception()) == group
        } else {
            skeleton::hash(other.record.message_bytes()) == message
        };
        if is_same {
            times.count += 1;
            times.first = times.first.min(other.time);
            times.last = times.last.max(other.time);
        }
    });
    // It may have been overwritten since it was found.
    times.count = times.count.max(1);
    if is_whole { Ok(times) } else { Err(ContextError::TooSlow) }
}

/// What of a story an answer shows.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Lines of the stack.
    stack: usize,
    /// Entries before, the nearest.
    before: usize,
    /// Entries after, the nearest.
    after: usize,
    /// Bytes of the message.
    message: usize,
    brief: bool,
}

impl Story<'_> {
    /// The longest answer within the budget: what matters least is cut first.
    fn render(&self, request: &ContextRequest) -> Vec<u8> {
        let budget = request.shape.max_bytes.unwrap_or(usize::MAX);
        let mut cut = Cut {
            stack: self.stack.len(),
            before: self.before.len(),
            after: self.after.len(),
            message: usize::MAX,
            brief: false,
        };
        let fits = |cut: Cut| self.written(request, cut).len() <= budget;
        if !fits(cut) {
            cut.brief = true;
        }
        let least = Cut { stack: 0, before: 0, after: 0, ..cut };
        if !fits(cut) && fits(least) {
            // The last line that fits, of each in the order of what matters.
            cut = least;
            cut.stack = last_that(self.stack.len(), |stack| fits(Cut { stack, ..cut }));
            cut.before = last_that(self.before.len(), |before| fits(Cut { before, ..cut }));
            cut.after = last_that(self.after.len(), |after| fits(Cut { after, ..cut }));
        } else if !fits(cut) {
            cut = least;
            let len = self.row.record.message().len();
            cut.message = last_that(len, |message| fits(Cut { message, ..cut }));
        }
        self.written(request, cut)
    }

    fn written(&self, request: &ContextRequest, cut: Cut) -> Vec<u8> {
        match request.shape.format {
            Format::Json | Format::Ndjson => self.json(request, cut),
            Format::Text | Format::Markdown => self.text(request, cut),
        }
    }

    /// The entry as it is shown: without its trace, which is told distilled; cut where even that is too much.
    fn entry_shape(request: &ContextRequest, cut: Cut) -> Shape {
        let mut shape = Shape { format: request.shape.format, ..request.shape.clone() };
        let all = EntryField::ALL.iter().copied();
        let asked =
            |f: &EntryField| request.shape.fields.as_ref().is_none_or(|fields| fields.contains(f));
        let mut fields: Vec<EntryField> =
            all.filter(|f| asked(f) && *f != EntryField::Exception).collect();
        if cut.message < usize::MAX {
            fields.retain(|f| {
                matches!(f, EntryField::Timestamp | EntryField::Level | EntryField::Id)
            });
        }
        shape.fields = Some(fields);
        shape
    }

    /// What is left of the message where the entry is cut: its beginning, and how many bytes are missing.
    fn cut_message(&self, cut: Cut) -> Option<(&str, usize)> {
        let message = self.row.record.message();
        let kept = &message[..message.floor_char_boundary(cut.message.min(message.len()))];
        (cut.message < usize::MAX).then(|| (kept, message.len() - kept.len()))
    }

    fn json(&self, request: &ContextRequest, cut: Cut) -> Vec<u8> {
        let mut out = Vec::new();
        let mut answer = Object::new(&mut out);
        answer.bool("success", true);
        let mut data = Object::new(answer.plain("data"));
        wire::entry(data.plain("entry"), &self.row, &Self::entry_shape(request, cut));
        if let Some((kept, missing)) = self.cut_message(cut) {
            data.string("message", kept).uint("message_cut_bytes", missing as u64);
        }
        if let Some(root) = &self.root {
            data.string("root_cause", bounded(root, cut));
        }
        let mut times = Object::new(data.plain("occurrences"));
        times.uint("count", self.times.count);
        json::epoch_seconds(times.plain("first"), self.times.first);
        json::epoch_seconds(times.plain("last"), self.times.last);
        times.end();
        if !self.stack.is_empty() {
            let kept = &self.stack[..cut.stack];
            json::array(data.plain("stack"), kept, |out, line| json::string(out, line));
        }
        data.string("led_by", self.led_by);
        let before = &self.before[self.before.len() - cut.before..];
        let shape = Shape { fields: request.shape.fields.clone(), ..Shape::default() };
        json::array(data.plain("before"), before, |out, row| wire::entry(out, row, &shape));
        data.bool("more_before", self.more_before || cut.before < self.before.len());
        if !self.after.is_empty() {
            let after = &self.after[..cut.after];
            json::array(data.plain("after"), after, |out, row| wire::entry(out, row, &shape));
            data.bool("more_after", self.more_after || cut.after < self.after.len());
        }
        data.end();
        wire::applied(answer.plain("filters_applied"), &request.applied, |_| !cut.brief);
        if request.shape.max_bytes.is_some() {
            let mut omitted = Object::new(answer.plain("omitted"));
            omitted
                .uint("stack_lines", (self.stack.len() - cut.stack) as u64)
                .uint("before", (self.before.len() - cut.before) as u64)
                .uint("after", (self.after.len() - cut.after) as u64);
            omitted.end();
        }
        answer.end();
        if request.shape.format == Format::Ndjson {
            out.push(b'\n');
        }
        out
    }

    fn text(&self, request: &ContextRequest, cut: Cut) -> Vec<u8> {
        let is_markdown = request.shape.format == Format::Markdown;
        let mut out = Vec::new();
        if is_markdown {
            out.extend_from_slice(text::MARKDOWN_HEAD);
        }
        let ours = |out: &mut Vec<u8>, line: &str| text::ours(out, line, is_markdown);
        let shape = Shape { fields: request.shape.fields.clone(), ..Shape::default() };
        let rows = |out: &mut Vec<u8>, rows: &[RowRef<'_>], shape: &Shape| {
            for row in rows {
                if is_markdown {
                    text::markdown(out, &[*row], shape);
                } else {
                    text::lines(out, &[*row], shape);
                }
            }
        };
        rows(&mut out, &[self.row], &Self::entry_shape(request, cut));
        if let Some((kept, missing)) = self.cut_message(cut) {
            text::item(&mut out, kept, is_markdown);
            ours(&mut out, &format!("{missing} bytes of its message are cut"));
        }
        if let Some(root) = &self.root {
            ours(&mut out, "the root cause:");
            text::item(&mut out, bounded(root, cut), is_markdown);
        }
        ours(&mut out, &self.how_often());
        if !self.stack.is_empty() {
            ours(&mut out, "its stack, distilled, innermost first:");
            for line in &self.stack[..cut.stack] {
                text::item(&mut out, line, is_markdown);
            }
            left_out(&mut out, self.stack.len() - cut.stack, "lines of its stack", ours);
        }
        let before = &self.before[self.before.len() - cut.before..];
        if !self.before.is_empty() {
            ours(&mut out, &self.beside("before"));
            left_out(&mut out, self.before.len() - cut.before, "entries before these", ours);
            rows(&mut out, before, &shape);
        }
        if !self.after.is_empty() {
            ours(&mut out, &self.beside("after"));
            rows(&mut out, &self.after[..cut.after], &shape);
            left_out(&mut out, self.after.len() - cut.after, "entries after these", ours);
        }
        out
    }

    fn beside(&self, side: &str) -> String {
        match self.led_by {
            "time" => format!("what was logged {side} it:"),
            same => format!("what the same {same} logged {side} it:"),
        }
    }

    fn how_often(&self) -> String {
        let Times { count, first, last } = self.times;
        let what = if self.row.record.exception().is_empty() { "entry" } else { "exception" };
        let level = Level::name(self.row.level);
        if count == 1 {
            return format!("this {level} {what} came once in what is recorded");
        }
        format!(
            "the same {what} came {count} times, first {:.3}, last {:.3}",
            first.to_jiff(),
            last.to_jiff()
        )
    }
}

/// The root cause's line, cut where the message is.
fn bounded(root: &str, cut: Cut) -> &str {
    &root[..root.floor_char_boundary(cut.message.min(root.len()))]
}

fn left_out(out: &mut Vec<u8>, count: usize, what: &str, ours: impl Fn(&mut Vec<u8>, &str)) {
    if count > 0 {
        ours(out, &format!("{count} {what} did not fit the budget"));
    }
}

/// The largest number up to `most` of which `holds`, which holds of all below one of which it holds; 0
/// where it holds of none. O(log most) calls.
fn last_that(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}
