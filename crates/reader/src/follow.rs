//! Following: a [`Follower`] reads what is recorded in bounded pieces, at its own pace.
//!
//! It holds a cursor and nothing else that could grow: the rings are its queue. What a piece holds comes in
//! the order of recording, with the place behind each entry, so that a client that is cut off anywhere
//! goes on there; and where entries were overwritten before they could be read, it says how many.
//!
//! What a follower may ask is what [`Request`] understands, without what makes no sense for an answer that
//! never ends, and with three parameters of its own: `tail`, `heartbeat`, and `after`.

use logrec_core::{Cursor, Filter, Order, Page, Query, RingId, RowRef, Times, Timestamp};

use crate::{
    params::{
        Applied, FILTERS, Kind, LIMIT_MAX, Param, ParamError, Reading, Request, cursor, err,
        fraction, number, whole,
    },
    reader::Reader,
    shape::Shape,
    wire,
};

/// Most entries read at once.
pub const BATCH_ENTRIES_MAX: usize = 500;
/// Records read at once take at most so many bytes together, the first excepted.
pub const BATCH_BYTES_MAX: usize = 128 << 10;
/// How long a stream says nothing unless asked otherwise, in milliseconds.
pub const HEARTBEAT_MS_DEFAULT: u64 = 15_000;
/// The longest and the shortest that may be asked for, in seconds.
const HEARTBEAT_S: [f64; 2] = [0.1, 60.0];

/// The parameters of `GET /logs/stream` beside the filters.
pub const STREAM: &[Param] = &[
    Param {
        name: "tail",
        kind: Kind::Whole(0, LIMIT_MAX as u64),
        example: "10",
        about: "begin with so many of the last entries that match, default 0",
    },
    Param {
        name: "after",
        kind: Kind::Text,
        example: "CURSOR",
        about: "go on behind this cursor of a stream, or the prev_cursor of an answer",
    },
    Param {
        name: "heartbeat",
        kind: Kind::Number(HEARTBEAT_S[0], HEARTBEAT_S[1]),
        example: "15",
        about: "say something at least every so many seconds, default 15",
    },
    Param {
        name: "fields",
        kind: Kind::Text,
        example: "timestamp,level,message",
        about: "only these fields of an entry, with commas",
    },
    Param {
        name: "format",
        kind: Kind::Choice(&["json"]),
        example: "json",
        about: "form of the entries",
    },
];

/// What is no parameter of a stream, and why.
const REFUSED: [(&str, &str); 6] = [
    ("limit", "a stream does not end; give `tail` for how much of what was it begins with"),
    ("order", "a stream is in the order of recording"),
    ("before", "a stream goes on from where it begins; GET /logs pages back"),
    ("wait", "a stream waits by itself"),
    ("max_tokens", "a stream does not end, so it cannot keep to a budget"),
    ("fold", "a stream shows each entry as it comes"),
];

/// What a client wants to follow.
#[derive(Clone, Debug)]
pub struct Subscription {
    request: Request,
    /// So many of the last entries that match come first.
    tail: usize,
    /// Longest time in which nothing is said, in milliseconds, if it was given.
    pub heartbeat_ms: Option<u64>,
}

impl Subscription {
    /// Reads parameters: the filters, [`STREAM`] and `fields`.
    ///
    /// # Errors
    /// The first that is unknown, given twice, cannot be used, or makes no sense here.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let (mut tail, mut heartbeat_ms, mut after) = (None, None, None);
        let tables = [STREAM, FILTERS];
        let reading = Reading::all(params, &tables, times, |name, value| {
            if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
                return Err(err(name, format!("`{name}` is no parameter here: {why}")));
            }
            Ok(Some(match name {
                "tail" => {
                    let entries = whole(name, value, 0, LIMIT_MAX as u64)?;
                    tail = Some(usize::try_from(entries).unwrap_or(LIMIT_MAX));
                    number(entries)
                }
                "heartbeat" => {
                    let [least, most] = HEARTBEAT_S;
                    let seconds = fraction(name, value, least, most, "seconds")?;
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "100 to 60000"
                    )]
                    let given_ms = (seconds * 1000.0) as u64;
                    heartbeat_ms = Some(given_ms);
                    Applied::Number(seconds)
                }
                "after" => {
                    after = Some(cursor(name, value)?);
                    Applied::Text(value.to_owned())
                }
                "format" if value != "json" => {
                    return Err(err(name, "`format` is always json on a stream; leave it out"));
                }
                _ => return Ok(None),
            }))
        })?;
        if after.as_ref().is_some_and(|cursor| cursor.place.is_some()) {
            let message = "`after` is a cursor that leads through time, and a stream goes by recording; give a cursor of a stream, or the `prev_cursor` of an answer without `after` and `before`";
            return Err(err("after", message));
        }
        if after.is_some() && tail.is_some_and(|n| n > 0) {
            let message =
                "`tail` is given with `after`, which says where to begin already; give one of them";
            return Err(err("tail", message));
        }
        let filter = reading.filter;
        let query = Query { filter, order: Order::Ascending, after, ..Query::default() };
        let request = Request { query, shape: reading.shape, wait_ms: 0, applied: reading.applied };
        Ok(Self { request, tail: tail.unwrap_or(0), heartbeat_ms })
    }

    /// Which entries.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.request.query.filter
    }

    /// Begins at this cursor, whatever was given: a client that comes back.
    pub fn resume(&mut self, cursor: Cursor) {
        self.tail = 0;
        self.request.query.after = Some(cursor);
    }

    /// Whether it says where to begin.
    #[must_use]
    pub const fn has_start(&self) -> bool {
        self.tail > 0 || self.request.query.after.is_some()
    }

    /// Where it begins, in what there is now: at the cursor that was given, or before the last `tail`
    /// entries that match, or behind all.
    fn start(&self, reader: &Reader) -> Cursor {
        match (&self.request.query.after, self.tail) {
            (Some(after), _) => after.clone(),
            (None, 0) => reader.end(),
            (None, tail) => {
                let query =
                    Query { limit: tail, last_recorded: true, ..self.request.query.clone() };
                let (page, _) = reader.page(&query);
                Steps::of(&page).start
            }
        }
    }
}

/// Reads on from where it was. Holds a cursor: constant memory, however far it is behind.
#[derive(Clone, Debug)]
pub struct Follower {
    request: Request,
    cursor: Cursor,
}

impl Follower {
    /// One that begins where the subscription says.
    #[must_use]
    pub fn new(reader: &Reader, subscription: Subscription) -> Self {
        let cursor = subscription.start(reader);
        let mut follower = Self { request: subscription.request, cursor };
        follower.settle();
        follower
    }

    /// Goes on by another subscription: from where it is, unless that says where.
    pub fn change(&mut self, reader: &Reader, subscription: Subscription) {
        if subscription.has_start() {
            self.cursor = subscription.start(reader);
        }
        self.request = subscription.request;
        self.settle();
    }

    fn settle(&mut self) {
        self.request.query.limit = BATCH_ENTRIES_MAX;
        self.request.query.bytes_max = BATCH_BYTES_MAX;
        self.request.query.after = None;
    }

    /// Which entries.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.request.query.filter
    }

    /// Up to where it has read.
    #[must_use]
    pub const fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Goes back to a place where it was.
    pub fn rewind(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// What it was asked for, for `filters_applied`.
    #[must_use]
    pub fn applied(&self) -> &[(String, Applied)] {
        &self.request.applied
    }

    /// The next entries that match, [`BATCH_ENTRIES_MAX`] and [`BATCH_BYTES_MAX`] at the most.
    #[must_use]
    pub fn read(&mut self, reader: &Reader) -> Batch {
        self.request.query.after = Some(std::mem::take(&mut self.cursor));
        let (page, gone) = reader.page(&self.request.query);
        self.cursor = Cursor::read(page.end.clone());
        Batch { steps: Steps::of(&page), page, gone, shape: self.request.shape.clone() }
    }
}

/// What a follower read at once.
#[derive(Debug)]
pub struct Batch {
    page: Page,
    steps: Steps,
    shape: Shape,
    /// Recordings that the cursor named and that are not here any more.
    pub gone: usize,
}

/// One thing that a batch tells.
#[derive(Debug)]
pub enum Step<'b> {
    /// So many entries were overwritten before they could be read. `before` is the place before them, where
    /// what was told before the gap ends.
    Gap {
        /// How many.
        missed: u64,
        /// The place before them.
        before: &'b Cursor,
    },
    /// An entry, for [`Batch::entry_json`].
    Entry(RowRef<'b>),
}

impl Batch {
    /// Whether there was nothing to tell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.page.is_empty() && self.page.missed == 0 && self.gone == 0
    }

    /// Whether it ends by its bounds, with more to read behind it.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.page.more
    }

    /// Writes an entry of it as JSON.
    pub fn entry_json(&self, out: &mut Vec<u8>, row: &RowRef<'_>) {
        wire::entry(out, row, &self.shape);
    }

    /// Everything in order, each with the place behind it: who goes on from there gets exactly the rest, and
    /// is told of the gaps that were not told yet.
    pub fn each(&self, mut tell: impl FnMut(Step<'_>, &Cursor)) {
        let mut cursor = self.steps.start.clone();
        let mut told = self.page.missed_until(&cursor.read);
        if told > 0 {
            // Nothing was told before it, so nothing ends there.
            tell(Step::Gap { missed: told, before: &cursor }, &cursor);
        }
        for (row, step) in self.page.rows().zip(&self.steps.moves) {
            let move_to = |cursor: &mut Cursor, next: u64| {
                let ring = cursor.read.get_mut(step.ring);
                if let Some(place) = ring.and_then(|(_, lanes)| lanes.0.get_mut(step.lane)) {
                    *place = next;
                }
            };
            if told == self.page.missed {
                move_to(&mut cursor, step.next);
                tell(Step::Entry(row), &cursor);
                continue;
            }
            // Somewhere entries were lost while they were read: perhaps behind this one.
            move_to(&mut cursor, step.next.min(row.seq.ordinal() + 1));
            tell(Step::Entry(row), &cursor);
            let before = cursor.clone();
            move_to(&mut cursor, step.next);
            let missed = self.page.missed_until(&cursor.read);
            if missed > told {
                tell(Step::Gap { missed: missed - told, before: &before }, &cursor);
                told = missed;
            }
        }
    }
}

/// How the place moves from entry to entry of a page.
#[derive(Debug)]
struct Steps {
    /// The place before the first.
    start: Cursor,
    moves: Vec<Move>,
}

/// The place behind an entry differs from that before it in one lane.
#[derive(Debug)]
struct Move {
    /// Which ring of the cursor.
    ring: usize,
    lane: usize,
    /// The next entry of that lane to be told, or the lane's end.
    next: u64,
}

impl Steps {
    fn of(page: &Page) -> Self {
        let mut start = page.end.clone();
        let ring_of = |id: RingId| page.end.iter().position(|(ring, _)| *ring == id).unwrap_or(0);
        let mut moves: Vec<Move> = Vec::with_capacity(page.len());
        // From the last to the first: what stands in `start` is where those behind begin. Of a kept error the
        // number may be lower than that of one before it, hence the least.
        for row in page.rows().rev() {
            let (ring, lane) = (ring_of(row.ring), row.seq.lane());
            let place = start.get_mut(ring).and_then(|(_, position)| position.0.get_mut(lane));
            let next =
                place.map_or(0, |place| std::mem::replace(place, (*place).min(row.seq.ordinal())));
            moves.push(Move { ring, lane, next });
        }
        moves.reverse();
        Self { start: Cursor::read(start), moves }
    }
}

/// Those that follow, for stats.
#[derive(Clone, Debug, Default)]
pub struct Followers {
    /// How many there are.
    pub count: usize,
    /// The first so many of them.
    pub shown: Vec<FollowerInfo>,
}

/// Figures of one that follows.
#[derive(Clone, Debug)]
pub struct FollowerInfo {
    /// `websocket` or `sse`.
    pub kind: &'static str,
    /// When it came.
    pub started: Timestamp,
    /// Entries it was sent.
    pub sent: u64,
    /// Entries it was told that it missed.
    pub missed: u64,
    /// Whether it asked for a pause.
    pub paused: bool,
    /// Up to where it was sent.
    pub cursor: Cursor,
}
