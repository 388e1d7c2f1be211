//! The parameters that there are: name, what values they take, what they do. Errors, OpenAPI and the
//! documentation page all read these tables.

/// A parameter of the published API.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name in a query string.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it does, for people and models; without a full stop.
    pub about: &'static str,
    /// A value that works.
    pub example: &'static str,
}

/// What values a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number within bounds, both included.
    Whole(u64, u64),
    /// A number within bounds, both included.
    Number(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
}

const fn param(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Param {
    Param { name, kind, about, example }
}

/// Most entries in one answer.
pub const LIMIT_MAX: usize = 1000;
/// Longest wait for something new, in seconds.
pub const WAIT_MAX_S: u64 = 60;
/// Smallest budget that still holds an answer's frame, in tokens of four bytes.
pub const TOKENS_MIN: u64 = 200;
/// Largest budget.
pub const TOKENS_MAX: u64 = 10_000_000;
/// Longest value of a parameter, in bytes.
pub const TEXT_BYTES_MAX: usize = 10_000;
/// Longest span that `since_minutes` takes.
pub(super) const MINUTES_MAX: f64 = 52_560_000.0;

/// What a flag takes.
const FLAG: Kind = Kind::Choice(&["true", "false"]);

/// Which entries: taken by every endpoint that reads.
pub const FILTERS: &[Param] = &[
    param(
        "q",
        Kind::Text,
        "level>=WARNING logger:engine \"timed out\" -module:ws",
        "the query language: words, field:contains, field=exact, field~/regex/, > >= < <=, AND OR NOT - ( )",
    ),
    param(
        "level",
        Kind::Text,
        "ERROR,CRITICAL",
        "exactly this level, or one of several with commas; any case",
    ),
    param(
        "min_level",
        Kind::Choice(&["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        "WARNING",
        "this level and above",
    ),
    param("logger_filter", Kind::Text, "engine", "the logger contains this, in any case"),
    param("search", Kind::Text, "websocket", "the message contains this, in any case"),
    param(
        "regex",
        Kind::Text,
        "room [a-z]+\\d+",
        "the message matches this pattern; (?i) for any case",
    ),
    param("since_minutes", Kind::Number(0.0, MINUTES_MAX), "30", "the last so many minutes"),
    param(
        "since",
        Kind::Text,
        "15m",
        "from then on: a span back from now (90s, 15m, 2h, 1d), RFC 3339, seconds since the epoch, or mark:NAME",
    ),
    param("until", Kind::Text, "2026-01-02T03:04:05Z", "until then, in the same forms"),
    param("module", Kind::Text, "game", "module of the code, exactly"),
    param("function", Kind::Text, "process_action", "function of the code, exactly"),
    param("file", Kind::Text, "/app/game.py", "file of the code, exactly"),
    param("line", Kind::Text, "200-300", "line of the code: 245 or 200-300"),
    param("thread", Kind::Text, "140234567890", "number of the thread"),
    param("thread_name", Kind::Text, "MainThread", "name of the thread, exactly"),
    param("process", Kind::Text, "4242", "number of the process"),
    param("service", Kind::Text, "cards", "name of the service, exactly"),
    param(
        "trace_id",
        Kind::Text,
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "trace that the entry belongs to",
    ),
    param("span_id", Kind::Text, "00f067aa0ba902b7", "span that the entry belongs to"),
    param(
        "attr.NAME",
        Kind::Text,
        "500",
        "the attribute NAME is exactly this; dots reach into maps",
    ),
    param(
        "source",
        Kind::Choice(&["auto", "buffer", "store"]),
        "auto",
        "where to read: the buffer, then the store for what is older (auto), or one of them",
    ),
];

/// Which of the entries that match, of `GET /logs`.
pub const PAGE: &[Param] = &[
    param(
        "limit",
        Kind::Whole(1, LIMIT_MAX as u64),
        "50",
        "most entries in the answer, default 100; the newest are kept, with `after` the next",
    ),
    param(
        "order",
        Kind::Choice(&["desc", "asc"]),
        "asc",
        "newest first (desc, the default) or oldest first",
    ),
    param("after", Kind::Text, "CURSOR", "what comes after this cursor of an answer"),
    param("before", Kind::Text, "CURSOR", "what comes before this cursor of an answer"),
    param(
        "wait",
        Kind::Number(0.0, WAIT_MAX_S as f64),
        "30",
        "wait so many seconds for something new that matches",
    ),
];

/// How an answer looks.
pub const SHAPE: &[Param] = &[
    param(
        "fields",
        Kind::Text,
        "timestamp,level,message",
        "only these fields of an entry, with commas",
    ),
    param(
        "format",
        Kind::Choice(&["json", "ndjson", "text", "markdown"]),
        "text",
        "form of the answer, default json",
    ),
    param(
        "max_tokens",
        Kind::Whole(TOKENS_MIN, TOKENS_MAX),
        "2000",
        "the whole answer takes at most so many tokens of four bytes; it says what it left out",
    ),
    param(
        "fold",
        FLAG,
        "true",
        "runs of near-identical entries become one row with their count and ids",
    ),
];
