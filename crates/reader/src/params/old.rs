//! Names and values to a [`Request`]: the one place that knows the parameters of a reading endpoint.
//!
//! HTTP gives it the query string, the command line its flags; Python and MCP come with theirs. What
//! is wrong is named with what was given and what would be right.

use jiff::tz::TimeZone;
use logrec_core::{
    Cursor, Filter, Level, LevelSet, NS_PER_S, Order, Query, Timestamp,
    filter::{Comparison, Field, Pattern, Test},
    parse_span_ns,
};

use crate::shape::{EntryField, Format, Shape};

/// A question, ready to be answered.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which entries.
    pub query: Query,
    /// How the answer looks.
    pub shape: Shape,
    /// How long to wait for something new when nothing matches, in milliseconds; 0 is not at all.
    pub wait_ms: u64,
    /// What was given, for `filters_applied`, in the order given. Always holds `limit`.
    pub applied: Vec<(String, Applied)>,
}

/// The value of a parameter as it is echoed.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
}

/// A parameter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParamError {
    /// The parameter's name, as given.
    pub name: String,
    /// Which parameter, what is wrong, what would be right.
    pub message: String,
}

/// Most entries in one answer.
pub const LIMIT_MAX: usize = 1000;
/// Longest wait for something new, in seconds.
pub const WAIT_MAX_S: u64 = 60;
/// Smallest budget that still holds an answer's frame, in tokens of four bytes.
pub const TOKENS_MIN: u64 = 200;
/// Largest budget.
pub const TOKENS_MAX: u64 = 10_000_000;
/// Longest text to search for, in bytes.
pub const TEXT_BYTES_MAX: usize = 10_000;

const NAMES: [&str; 28] = [
    "limit",
    "level",
    "min_level",
    "logger_filter",
    "since_minutes",
    "since",
    "until",
    "search",
    "regex",
    "module",
    "function",
    "line",
    "thread_name",
    "service",
    "trace_id",
    "span_id",
    "file",
    "attr.NAME",
    "order",
    "after",
    "before",
    "wait",
    "fields",
    "format",
    "max_tokens",
    "source",
    "thread",
    "process",
];
/// Named in the contract, not built yet: said plainly, not ignored.
const LATER: [&str; 2] = ["q", "fold"];

impl Request {
    /// Reads parameters. `now` is what spans count back from, `zone` what times without one are in.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N, V>(
        params: impl IntoIterator<Item = (N, V)>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Self, ParamError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut parser = Parser { request: Self::default(), now, zone, seen: Vec::new() };
        for (name, value) in params {
            parser.param(name.as_ref(), value.as_ref())?;
        }
        let mut request = parser.request;
        if !request.applied.iter().any(|(name, _)| name == "limit") {
            #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
            let limit = Applied::Number(request.query.limit as f64);
            request.applied.push(("limit".to_owned(), limit));
        }
        Ok(request)
    }
}

struct Parser<'z> {
    request: Request,
    now: Timestamp,
    zone: &'z TimeZone,
    seen: Vec<String>,
}

fn err(name: &str, message: impl Into<String>) -> ParamError {
    ParamError { name: shown(name), message: message.into() }
}

/// What was given, quoted: cut at 80 characters, control characters made visible.
fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        cut.push('…');
    }
    cut
}

impl Parser<'_> {
    fn param(&mut self, name: &str, value: &str) -> Result<(), ParamError> {
        if self.seen.iter().any(|seen| seen == name) {
            return Err(err(name, format!("`{}` is given twice; give it once", shown(name))));
        }
        if value.contains('\0') {
            return Err(err(
                name,
                format!("`{}` contains a NUL character; leave it out", shown(name)),
            ));
        }
        if value.len() > TEXT_BYTES_MAX && !matches!(name, "after" | "before") {
            let most = format!("has {} bytes; give at most {TEXT_BYTES_MAX}", value.len());
            return Err(err(name, format!("`{}` {most}", shown(name))));
        }
        self.seen.push(name.to_owned());
        let applied = self.apply(name, value)?;
        self.request.applied.push((name.to_owned(), applied));
        Ok(())
    }

    fn apply(&mut self, name: &str, value: &str) -> Result<Applied, ParamError> {
        let text = || Ok(Applied::Text(value.to_owned()));
        match name {
            "limit" => {
                let limit = whole(name, value, 1, LIMIT_MAX as u64)?;
                self.request.query.limit = usize::try_from(limit).unwrap_or(LIMIT_MAX);
                Ok(number(limit))
            }
            "level" => self.levels(name, value),
            "min_level" => {
                let level = level(name, value)?;
                self.add(Filter::Levels(LevelSet::at_least(level)));
                Ok(Applied::Text(level.name().to_owned()))
            }
            "since_minutes" => self.since_minutes(name, value),
            "since" => {
                let since = self.time(name, value)?;
                self.add(Filter::Since(since));
                text()
            }
            "until" => {
                let until = self.time(name, value)?;
                // A time that was written down means all of its microsecond, which is as exactly as
                // an answer tells times: an entry's own timestamp finds that entry.
                let end = until.0.div_euclid(1000).saturating_mul(1000).saturating_add(999);
                self.add(Filter::Until(if is_span(value) { until } else { Timestamp(end) }));
                text()
            }
            "search" => self.contains(Field::Message, value),
            "logger_filter" => self.contains(Field::Logger, value),
            "regex" => {
                let pattern = Pattern::new(value)
                    .map_err(|e| err(name, format!("`regex` cannot be used: {e}")))?;
                self.add(Filter::Field(Field::Message, Test::Matches(pattern)));
                text()
            }
            "line" => self.line(name, value),
            "order" => {
                self.request.query.order = match value {
                    "desc" => Order::Descending,
                    "asc" => Order::Ascending,
                    _ => return Err(one_of(name, value, "desc (newest first) or asc")),
                };
                text()
            }
            "after" => {
                self.request.query.after = Some(cursor(name, value)?);
                text()
            }
            "before" => {
                self.request.query.before = Some(cursor(name, value)?);
                text()
            }
            "wait" => {
                let seconds = fraction(name, value, 0.0, WAIT_MAX_S as f64, "seconds")?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 60000"
                )]
                let wait_ms = (seconds * 1000.0) as u64;
                self.request.wait_ms = wait_ms;
                Ok(Applied::Number(seconds))
            }
            "fields" => {
                self.request.shape.fields = Some(fields(name, value)?);
                text()
            }
            "format" => {
                self.request.shape.format = Format::from_name(value)
                    .ok_or_else(|| one_of(name, value, "json, ndjson, text or markdown"))?;
                text()
            }
            "max_tokens" => {
                let tokens = whole(name, value, TOKENS_MIN, TOKENS_MAX)?;
                self.request.shape.max_bytes =
                    Some(usize::try_from(tokens * 4).unwrap_or(usize::MAX));
                Ok(number(tokens))
            }
            "source" => match value {
                "auto" | "buffer" => text(),
                "store" => Err(err(
                    name,
                    "`source` is `store`, but no store is configured; give auto or buffer",
                )),
                _ => Err(one_of(name, value, "auto or buffer")),
            },
            _ => self.exact(name, value),
        }
    }

    /// Fields compared as they are, attributes, and what is no parameter.
    fn exact(&mut self, name: &str, value: &str) -> Result<Applied, ParamError> {
        let field = match name {
            "module" => Field::Module,
            "function" => Field::Function,
            "file" => Field::File,
            "thread" => Field::Thread,
            "thread_name" => Field::ThreadName,
            "process" => Field::Process,
            "service" => Field::Service,
            "trace_id" => Field::TraceId,
            "span_id" => Field::SpanId,
            _ => match name.strip_prefix("attr.") {
                Some(attribute) if !attribute.is_empty() => Field::Attribute(attribute.to_owned()),
                _ => return Err(unknown(name)),
            },
        };
        self.add(Filter::Field(field, Test::Is(value.to_owned())));
        Ok(Applied::Text(value.to_owned()))
    }

    fn add(&mut self, filter: Filter) {
        let all = std::mem::take(&mut self.request.query.filter);
        self.request.query.filter = all.and(filter);
    }

    fn contains(&mut self, field: Field, value: &str) -> Result<Applied, ParamError> {
        // An empty box in a form filters nothing.
        if !value.is_empty() {
            self.add(Filter::Field(field, Test::Contains(value.to_owned())));
        }
        Ok(Applied::Text(value.to_owned()))
    }

    fn levels(&mut self, name: &str, value: &str) -> Result<Applied, ParamError> {
        let levels: Vec<Level> =
            value.split(',').map(|part| level(name, part.trim())).collect::<Result<_, _>>()?;
        self.add(Filter::Levels(levels.iter().copied().collect()));
        let names: Vec<_> = levels.iter().map(|level| level.name()).collect();
        Ok(Applied::Text(names.join(",")))
    }

    fn since_minutes(&mut self, name: &str, value: &str) -> Result<Applied, ParamError> {
        const HUNDRED_YEARS: f64 = 52_560_000.0;
        let minutes = fraction(name, value, 0.0, HUNDRED_YEARS, "minutes")?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 100 years of nanoseconds")]
        let span_ns = (minutes * 60.0 * NS_PER_S as f64) as i64;
        self.add(Filter::Since(self.now.minus_ns(span_ns)));
        Ok(Applied::Number(minutes))
    }

    fn time(&self, name: &str, value: &str) -> Result<Timestamp, ParamError> {
        if value.starts_with("mark:") {
            return Err(err(
                name,
                format!("`{name}` names a mark, and marks are not available yet; give a time"),
            ));
        }
        let mended = with_plus(value);
        Timestamp::parse(mended.as_deref().unwrap_or(value), self.now, self.zone)
            .map_err(|e| err(name, format!("`{name}` cannot be used: {e}")))
    }

    fn line(&mut self, name: &str, value: &str) -> Result<Applied, ParamError> {
        let wrong = || {
            err(
                name,
                format!("`line` is `{}`; give a line (245) or a range (200-300)", shown(value)),
            )
        };
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (from, to) = match value.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(value)?, number(value)?),
        };
        if from > to {
            return Err(wrong());
        }
        for (comparison, bound) in [(Comparison::AtLeast, from), (Comparison::AtMost, to)] {
            self.add(Filter::Field(Field::Line, Test::Compare(comparison, bound.into())));
        }
        Ok(if from == to { Applied::Number(from.into()) } else { Applied::Text(value.to_owned()) })
    }
}

/// Whether a time is given as a span back from now.
fn is_span(value: &str) -> bool {
    let value = value.trim();
    parse_span_ns(value.strip_prefix('-').unwrap_or(value)).is_some()
}

/// `2026-01-02T03:04:05 01:00` with its `+` back: unencoded in a URL it became a blank. A blank is
/// one if a time stands before it and an offset behind it, so that `2026-01-02 03:04` stays what it is.
fn with_plus(value: &str) -> Option<String> {
    let (moment, offset) = value.trim().rsplit_once(' ')?;
    let is_offset = match offset.as_bytes() {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => {
            [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit())
        }
        _ => false,
    };
    (is_offset && moment.contains(':')).then(|| format!("{}+{offset}", moment.trim_end()))
}

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
const fn number(n: u64) -> Applied {
    Applied::Number(n as f64)
}

fn level(name: &str, value: &str) -> Result<Level, ParamError> {
    value.parse().map_err(|_| {
        one_of(name, value, "TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case")
    })
}

fn one_of(name: &str, value: &str, right: &str) -> ParamError {
    err(name, format!("`{name}` is `{}`; give {right}", shown(value)))
}

fn whole(name: &str, value: &str, least: u64, most: u64) -> Result<u64, ParamError> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { value.parse().ok() } else { None };
    parsed.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        err(
            name,
            format!("`{name}` is `{}`; give a whole number from {least} to {most}", shown(value)),
        )
    })
}

fn fraction(name: &str, value: &str, least: f64, most: f64, unit: &str) -> Result<f64, ParamError> {
    let parsed = value.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= least && *n <= most);
    parsed.ok_or_else(|| {
        err(
            name,
            format!(
                "`{name}` is `{}`; give a number of {unit} from {least} to {most}",
                shown(value)
            ),
        )
    })
}

fn cursor(name: &str, value: &str) -> Result<Cursor, ParamError> {
    value.parse().map_err(|e| err(name, format!("`{name}` is `{}`: {e}", shown(value))))
}

fn fields(name: &str, value: &str) -> Result<Vec<EntryField>, ParamError> {
    let all = || EntryField::ALL.iter().map(|f| f.name()).collect::<Vec<_>>();
    if value.trim().is_empty() {
        let message = format!(
            "`fields` is empty; name one or several of {}, or leave it out for all",
            all().join(", ")
        );
        return Err(err(name, message));
    }
    let fields = value.split(',').map(|part| {
        EntryField::from_name(part.trim()).ok_or_else(|| {
            let known = all();
            let nearest = nearest(part.trim(), &known)
                .map_or_else(|| ".".to_owned(), |n| format!("; did you mean `{n}`?"));
            err(
                name,
                format!(
                    "`fields` names `{}`, which is no field{nearest} There are {}",
                    shown(part),
                    known.join(", ")
                ),
            )
        })
    });
    fields.collect()
}

fn unknown(name: &str) -> ParamError {
    if LATER.contains(&name) {
        return err(
            name,
            format!(
                "`{name}` is not available yet; use search, regex, level, since, attr.NAME and the others"
            ),
        );
    }
    let hint = nearest(name, &NAMES).map_or_else(
        || format!("there are {}", NAMES.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    err(name, format!("`{}` is no parameter; {hint}", shown(name)))
}

/// The known name that takes the fewest edits, if they are few.
fn nearest<'n>(given: &str, known: &[&'n str]) -> Option<&'n str> {
    let given: String = given.to_lowercase().chars().take(40).collect();
    let (distance, name) = known.iter().map(|name| (edits(&given, name), *name)).min()?;
    (distance <= 1 + given.chars().count() / 3).then_some(name)
}

/// Levenshtein's distance: insertions, deletions and replacements from one to the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
#[path = "params/tests.rs"]
mod tests;
