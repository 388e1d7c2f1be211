//! What stands around an entry: the entries before and after it, or the story of an error.
//!
//! [`ContextRequest`] reads the parameters, [`lines`] answers with the surroundings, [`story`] with what
//! led to an error. An entry that is not there is an error that says why it may be gone.

mod lines;
mod story;

use logrec_core::{
    Cursor, EntryId, Filter, Order, Page, Query, RowRef, Times, Timestamp,
    filter::{Field, Test},
    parse_span_ns, shown,
};

use crate::{
    Reader,
    params::{
        Applied, FILTERS, Kind, LIMIT_MAX, Param, ParamError, QUERY_TIME_MAX, Reading, SHAPE, err,
        number, one_of,
    },
    shape::Shape,
};

/// Entries shown on each side unless asked for otherwise.
const SIDE_DEFAULT: usize = 10;
/// Most entries shown on a side.
const SIDE_MAX: usize = LIMIT_MAX / 2;

/// The parameters of `GET /logs/context` beside the filters and the shape.
pub const CONTEXT: &[Param] = &[
    Param {
        name: "id",
        kind: Kind::Text,
        example: "8f2c01ab34-1c0",
        about: "the entry, by its `id`; required",
    },
    Param {
        name: "before",
        kind: Kind::Text,
        example: "10",
        about: "how many entries before it, 0 to 500, or how long: 30s, 5m; default 10",
    },
    Param {
        name: "after",
        kind: Kind::Text,
        example: "30s",
        about: "how many entries after it, or how long; default 10, in a story 0",
    },
    Param {
        name: "same",
        kind: Kind::Text,
        example: "thread",
        about: "only entries of the same logger, thread or trace, several with commas",
    },
    Param {
        name: "mode",
        kind: Kind::Choice(&["lines", "story"]),
        example: "story",
        about: "lines: what stands around it (default); story: its stack distilled, what led to it, how often it came",
    },
];

/// A question for an entry's surroundings.
#[derive(Clone, Debug)]
pub struct ContextRequest {
    id: EntryId,
    before: Side,
    after: Side,
    same: Vec<Same>,
    mode: Mode,
    filter: Filter,
    shape: Shape,
    applied: Vec<(String, Applied)>,
}

/// How far a side reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Entries(usize),
    /// Nanoseconds; at most [`SIDE_MAX`] entries.
    Span(i64),
}

/// What the surroundings have in common with the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Same {
    Logger,
    Thread,
    Trace,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Lines,
    Story,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// Its recording is there, the entry is not.
    #[error(
        "`{0}` is not there any more: it was overwritten by newer entries, or cleared; what there is begins later"
    )]
    Overwritten(EntryId),
    /// Its recording is not there.
    #[error(
        "`{0}` is of a recording that is not here: the process restarted, or its recording was removed"
    )]
    Unknown(EntryId),
    /// The time limit ended the search.
    #[error("{}", crate::TOO_SLOW)]
    TooSlow,
}

impl ContextRequest {
    /// Reads parameters: [`CONTEXT`], the filters, which apply to the surroundings, and the shape.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used; a missing
    /// `id`.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let mut id = None;
        let (mut before, mut after) = (Side::Entries(SIDE_DEFAULT), None);
        let (mut same, mut mode) = (Vec::new(), Mode::default());
        let tables = [CONTEXT, FILTERS, SHAPE];
        let reading = Reading::all(params, &tables, times, |name, value| {
            match name {
                "id" => {
                    id = Some(
                        value
                            .parse()
                            .map_err(|e| err(name, format!("`id` cannot be used: {e}")))?,
                    )
                }
                "before" => before = side(name, value)?,
                "after" => after = Some(side(name, value)?),
                "same" => {
                    same = value
                        .split(',')
                        .map(|part| kind(name, part.trim()))
                        .collect::<Result<_, _>>()?
                }
                "mode" => {
                    mode = match value {
                        "lines" => Mode::Lines,
                        "story" => Mode::Story,
                        _ => return Err(one_of(name, value, "lines or story")),
                    }
                }
                _ => return Ok(None),
            }
            Ok(Some(value.parse().map_or_else(|_| Applied::Text(value.to_owned()), number)))
        })?;
        let id = id.ok_or_else(|| err("id", "`id` is missing; give the `id` of an entry"))?;
        let after = after.unwrap_or(match mode {
            Mode::Lines => Side::Entries(SIDE_DEFAULT),
            Mode::Story => Side::Entries(0),
        });
        let (filter, shape, applied) = (reading.filter, reading.shape, reading.applied);
        Ok(Self { id, before, after, same, mode, filter, shape, applied })
    }

    /// The look of the answer.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }
}

fn side(name: &str, value: &str) -> Result<Side, ParamError> {
    if let Some(span) = parse_span_ns(value) {
        return Ok(Side::Span(span));
    }
    let count = value.parse::<usize>().ok().filter(|n| *n <= SIDE_MAX);
    count.map(Side::Entries).ok_or_else(|| {
        let given = shown(value);
        err(
            name,
            format!("`{name}` is `{given}`; give how many, 0 to {SIDE_MAX}, or how long, as 30s"),
        )
    })
}

fn kind(name: &str, value: &str) -> Result<Same, ParamError> {
    Ok(match value {
        "logger" => Same::Logger,
        "thread" => Same::Thread,
        "trace" => Same::Trace,
        _ => return Err(one_of(name, value, "logger, thread or trace, several with commas")),
    })
}

impl Reader {
    /// Answers `GET /logs/context`, rendered. Never larger than the request's budget.
    ///
    /// # Errors
    /// When the entry is not there, or the search took too long.
    pub fn context(&self, request: &ContextRequest) -> Result<Vec<u8>, ContextError> {
        let page = self.entry(request.id);
        let Some(row) = page.rows().next() else {
            return Err(if self.has(request.id.ring) {
                ContextError::Overwritten(request.id)
            } else {
                ContextError::Unknown(request.id)
            });
        };
        match request.mode {
            Mode::Lines => lines::answer(self, request, &row),
            Mode::Story => story::answer(self, request, &row),
        }
    }

    /// The entries next to a place on one side, oldest first, and whether there are more.
    fn beside(
        &self,
        row: &RowRef<'_>,
        filter: Filter,
        side: Side,
        is_before: bool,
    ) -> Result<Page, ContextError> {
        let (limit, filter) = match side {
            Side::Entries(count) => (count, filter),
            Side::Span(ns) if is_before => {
                (SIDE_MAX, filter.and(Filter::Since(row.time.minus_ns(ns))))
            }
            Side::Span(ns) => {
                (SIDE_MAX, filter.and(Filter::Until(Timestamp(row.time.0.saturating_add(ns)))))
            }
        };
        let place = Some(Cursor::at(row.place()));
        let (before, after) = if is_before { (place, None) } else { (None, place) };
        let order = Order::Ascending;
        let time_limit = Some(QUERY_TIME_MAX);
        let query = Query { filter, limit, order, after, before, time_limit, ..Query::default() };
        let (page, _) = self.page(&query);
        if page.gave_up { Err(ContextError::TooSlow) } else { Ok(page) }
    }
}

/// What an entry cannot share: no other has it either.
fn never() -> Filter {
    Filter::Or(Vec::new())
}

/// What an entry shares with those of the same logger, thread or trace; `None` where it lacks that.
fn shared(same: Same, row: &RowRef<'_>) -> Option<Filter> {
    let is = |field, value: String| Filter::Field(field, Test::Is(value));
    let entry = row.to_entry();
    match same {
        Same::Logger => Some(is(Field::Logger, entry.logger)),
        Same::Trace => entry.trace_id.map(|id| is(Field::TraceId, id)),
        Same::Thread => {
            let thread = match (entry.thread, entry.thread_name) {
                (Some(number), _) => is(Field::Thread, number.to_string()),
                (None, Some(name)) => is(Field::ThreadName, name),
                (None, None) => return None,
            };
            // Threads of two processes may bear one number.
            let process = entry.process.map(|process| is(Field::Process, process.to_string()));
            Some(process.into_iter().fold(thread, Filter::and))
        }
    }
}
