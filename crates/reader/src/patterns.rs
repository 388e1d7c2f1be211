//! `GET /logs/patterns`: the message templates of the entries that match, with counts, and how they compare
//! with another window.

use logrec_core::{Filter, Level, Query, Times, Timestamp};
use logrec_insight::patterns::{Change, Counter, Summary, Table, Window};

use crate::{
    Reader,
    json::{self, Object},
    params::{
        Applied, FILTERS, Kind, Param, ParamError, QUERY_TIME_MAX, Reading, TOKENS_MAX, TOKENS_MIN,
        budget, err, form, number, whole,
    },
    shape::Format,
    text,
    volume::between,
    wire,
};

/// Patterns shown unless asked for otherwise.
const TOP_DEFAULT: usize = 20;
/// Most patterns shown.
const TOP_MAX: u64 = 1000;

/// The parameters of `GET /logs/patterns` beside the filters.
pub const PATTERNS: &[Param] = &[
    Param {
        name: "compare_to",
        kind: Kind::Text,
        example: "1h..30m",
        about: "another window, FROM..TO in the forms of `since`, or a time or mark: then what was before it is compared with what came since",
    },
    Param {
        name: "top",
        kind: Kind::Whole(1, TOP_MAX),
        example: "20",
        about: "most patterns shown, default 20",
    },
    Param {
        name: "format",
        kind: Kind::Choice(&["json", "text", "markdown"]),
        example: "text",
        about: "form of the answer, default json",
    },
    Param {
        name: "max_tokens",
        kind: Kind::Whole(TOKENS_MIN, TOKENS_MAX),
        example: "2000",
        about: "the whole answer takes at most so many tokens of four bytes; it says what it left out",
    },
];

/// A question for patterns.
#[derive(Clone, Debug)]
pub struct PatternsRequest {
    compare_to: Option<[Timestamp; 2]>,
    /// Where the window begins if nothing else says: at the time that is compared with.
    since: Timestamp,
    top: usize,
    format: Format,
    max_bytes: Option<usize>,
    filter: Filter,
    applied: Vec<(String, Applied)>,
}

impl PatternsRequest {
    /// Reads parameters: [`PATTERNS`] and the filters.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let mut request = Self {
            compare_to: None,
            since: Timestamp::MIN,
            top: TOP_DEFAULT,
            format: Format::Json,
            max_bytes: None,
            filter: Filter::default(),
            applied: Vec::new(),
        };
        let tables = [PATTERNS, FILTERS];
        let reading = Reading::all(params, &tables, times, |name, value| {
            Ok(Some(match name {
                "compare_to" => {
                    let (window, since) = compared(name, value, times)?;
                    request.compare_to = Some(window);
                    request.since = since;
                    Applied::Text(value.to_owned())
                }
                "top" => {
                    let given = whole(name, value, 1, TOP_MAX)?;
                    request.top = usize::try_from(given).unwrap_or(TOP_DEFAULT);
                    number(given)
                }
                "format" => {
                    request.format = form(name, value)?;
                    Applied::Text(value.to_owned())
                }
                "max_tokens" => {
                    let (bytes, tokens) = budget(name, value)?;
                    request.max_bytes = Some(bytes);
                    tokens
                }
                _ => return Ok(None),
            }))
        })?;
        (request.filter, request.applied) = (reading.filter, reading.applied);
        Ok(request)
    }

    /// The form of the answer.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }
}

/// The window that is compared with, and where the other begins.
fn compared(
    name: &str,
    value: &str,
    times: &Times<'_>,
) -> Result<([Timestamp; 2], Timestamp), ParamError> {
    let read = |text: &str| {
        times.parse_bounds(text).map_err(|e| err(name, format!("`{name}` cannot be used: {e}")))
    };
    let Some((from, to)) = value.split_once("..") else {
        let [since, _] = read(value)?;
        return Ok(([Timestamp::MIN, Timestamp(since.0.saturating_sub(1))], since));
    };
    let ([from, _], [_, to]) = (read(from)?, read(to)?);
    if from > to {
        return Err(err(
            name,
            format!("`{name}` ends before it begins; give FROM..TO, as 1h..30m"),
        ));
    }
    Ok(([from, to], Timestamp::MIN))
}

impl Reader {
    /// Answers `GET /logs/patterns`, rendered. Never larger than the request's budget. `None` when the search
    /// took too long.
    #[must_use]
    pub fn patterns(&self, request: &PatternsRequest) -> Option<Vec<u8>> {
        let recorded = self.window(&Filter::default());
        let mut now = self.window(&request.filter);
        now = between(now.from.max(request.since), now.to);
        let clipped =
            |[from, to]: [Timestamp; 2]| between(from.max(recorded.from), to.min(recorded.to));
        let other = request.compare_to.map(clipped);
        // Of the filter's times the window is made; its other conditions hold in both.
        let filter =
            if other.is_some() { timeless(&request.filter) } else { request.filter.clone() };
        let query = Query { filter, time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
        let mut counter = Counter::new(now, other);
        if !self.visit(&query, &mut |row| counter.add(&row)) {
            return None;
        }
        let answer = PatternsAnswer { request, table: counter.finish(), now, other };
        Some(answer.render())
    }
}

/// A filter without what its outer conjunction says of time.
fn timeless(filter: &Filter) -> Filter {
    match filter {
        Filter::And(all) => Filter::And(all.iter().map(timeless).collect()),
        Filter::Since(_) | Filter::Until(_) => Filter::default(),
        other => other.clone(),
    }
}

struct PatternsAnswer<'r> {
    request: &'r PatternsRequest,
    table: Table,
    now: Window,
    other: Option<Window>,
}

impl PatternsAnswer<'_> {
    fn render(&self) -> Vec<u8> {
        let budget = self.request.max_bytes.unwrap_or(usize::MAX);
        let most = self.request.top.min(self.table.patterns.len());
        let written = |shown: usize, brief: bool| match self.request.format {
            Format::Json | Format::Ndjson => self.json(shown, brief),
            Format::Text | Format::Markdown => self.text(shown, brief),
        };
        let whole = written(most, false);
        if whole.len() <= budget {
            return whole;
        }
        let brief = written(0, false).len() > budget / 2;
        // The most patterns that fit.
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if written(middle, brief).len() <= budget { low = middle } else { high = middle - 1 }
        }
        written(low, brief)
    }

    /// Whether there is something to compare on both sides.
    fn compares(&self) -> Option<Window> {
        self.other.filter(|_| self.table.before > 0 && self.table.entries > 0)
    }

    /// How many patterns changed in which way.
    fn changes(&self, before: Window) -> [(Change, usize); 4] {
        [Change::New, Change::Gone, Change::Shifted, Change::Steady].map(|change| {
            let is_so = |p: &&Summary| p.change(self.now, before).0 == change;
            (change, self.table.patterns.iter().filter(is_so).count())
        })
    }

    /// Why nothing is compared though it was asked for.
    fn no_data(&self) -> Option<&'static str> {
        self.other?;
        match (self.table.before, self.table.entries) {
            (0, 0) => Some("no data: neither window holds an entry that matches"),
            (0, _) => Some(
                "no data: the window to compare with holds no entry that matches, so that nothing can be called new",
            ),
            (_, 0) => Some(
                "no data: the window holds no entry that matches, so that nothing can be called gone",
            ),
            _ => None,
        }
    }

    fn json(&self, shown: usize, brief: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut answer = Object::new(&mut out);
        answer.bool("success", true);
        json::array(answer.plain("data"), &self.table.patterns[..shown], |out, pattern| {
            self.pattern(out, pattern);
        });
        answer.uint("count", shown as u64);
        answer.uint("patterns", self.table.patterns.len() as u64);
        answer.uint("entries", self.table.entries);
        window(answer.plain("window"), self.now);
        if let Some(other) = self.other {
            let mut comparison = Object::new(answer.plain("compared_to"));
            json::epoch_seconds(comparison.plain("from"), other.from);
            json::epoch_seconds(comparison.plain("to"), other.to);
            comparison.uint("entries", self.table.before);
            if let Some(why) = self.no_data() {
                comparison.string("note", why);
            }
            if let Some(before) = self.compares() {
                for (change, count) in self.changes(before) {
                    comparison.uint(change.name(), count as u64);
                }
            }
            comparison.end();
        }
        if self.table.forgotten > 0 {
            answer.uint("forgotten", self.table.forgotten);
        }
        wire::applied(answer.plain("filters_applied"), &self.request.applied, |_| !brief);
        if self.request.max_bytes.is_some() {
            let most = self.request.top.min(self.table.patterns.len());
            answer.uint("omitted", (most - shown) as u64);
        }
        answer.end();
        out
    }

    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    fn pattern(&self, out: &mut Vec<u8>, pattern: &Summary) {
        let mut object = Object::new(out);
        object.string("id", &pattern.id.to_string());
        object.string("template", &pattern.template.to_string());
        object.uint("count", pattern.count);
        let share = pattern.count as f64 / (self.table.entries.max(1)) as f64;
        json::float(object.plain("share"), (share * 1e4).round() / 1e4);
        if let Some(before) = self.compares() {
            let (change, _) = pattern.change(self.now, before);
            object.string("change", change.name()).uint("before", pattern.before);
            let rate = |count: u64, window: Window| {
                (count as f64 / window.minutes() * 100.0).round() / 100.0
            };
            json::float(object.plain("per_minute"), rate(pattern.count, self.now));
            json::float(object.plain("per_minute_before"), rate(pattern.before, before));
        }
        let mut levels = Object::new(object.plain("levels"));
        for level in Level::ALL {
            let count = pattern.levels[usize::from(level.index())];
            if count > 0 {
                levels.uint(level.name(), count);
            }
        }
        levels.end();
        if let Some(logger) = pattern.logger.as_deref().filter(|logger| !logger.is_empty()) {
            object.string("logger", logger);
        }
        json::epoch_seconds(object.plain("first"), pattern.first.0);
        json::epoch_seconds(object.plain("last"), pattern.last.0);
        json::array(object.plain("trend"), pattern.trend, |out, n| json::uint(out, n.into()));
        let mut samples = vec![pattern.first.1];
        samples.extend((pattern.last.1 != pattern.first.1).then_some(pattern.last.1));
        json::array(object.plain("samples"), samples, |out, id| json::string(out, &id.to_string()));
        object.string("q", &query(pattern));
        object.end();
    }

    fn text(&self, shown: usize, brief: bool) -> Vec<u8> {
        let is_markdown = self.request.format == Format::Markdown;
        let mut out = Vec::new();
        if is_markdown {
            out.extend_from_slice(text::MARKDOWN_HEAD);
        }
        let ours = |out: &mut Vec<u8>, line: &str| text::ours(out, line, is_markdown);
        if !brief {
            let (table, now) = (&self.table, self.now);
            let line = format!(
                "{} patterns in {} entries, {:.3} to {:.3}",
                table.patterns.len(),
                table.entries,
                now.from.to_jiff(),
                now.to.to_jiff()
            );
            ours(&mut out, &line);
            if let Some(before) = self.compares() {
                let counts =
                    self.changes(before).map(|(change, n)| format!("{n} {}", change.name()));
                let (from, to) = (before.from.to_jiff(), before.to.to_jiff());
                let entries = table.before;
                ours(
                    &mut out,
                    &format!(
                        "against {entries} entries, {from:.3} to {to:.3}: {}",
                        counts.join(", ")
                    ),
                );
            }
        }
        if let Some(why) = self.no_data() {
            ours(&mut out, why);
        }
        for pattern in &self.table.patterns[..shown] {
            text::item(&mut out, &self.line(pattern), is_markdown);
        }
        let most = self.request.top.min(self.table.patterns.len());
        if most > shown {
            ours(&mut out, &format!("{} more did not fit the budget", most - shown));
        }
        let beyond = self.table.patterns.len() - most;
        if beyond > 0 && !brief {
            ours(
                &mut out,
                &format!("there are {beyond} more: top={}", self.table.patterns.len().min(1000)),
            );
        }
        if self.table.forgotten > 0 {
            let line = format!(
                "the patterns of {} entries were forgotten to make room for others",
                self.table.forgotten
            );
            ours(&mut out, &line);
        }
        if self.table.patterns.is_empty() {
            ours(&mut out, "nothing matched");
        }
        out
    }

    /// `   120  ERROR  backend.db  pool exhausted after <*> ms  ▁▁▁▁▁▁▁▂▅███`
    fn line(&self, pattern: &Summary) -> String {
        let change = self.compares().map_or_else(String::new, |before| {
            let (change, _) = pattern.change(self.now, before);
            format!("{:<8}{:>6} before ", change.name(), pattern.before)
        });
        let logger = match pattern.logger.as_deref() {
            None => "several loggers",
            Some("") => "-",
            Some(logger) => logger,
        };
        let level = pattern.level().name();
        let (count, template) = (pattern.count, &pattern.template);
        let sample = pattern.last.1;
        format!(
            "{change}{count:>6} {level:<8} {logger}: {template} {} {sample}",
            text::bars(&pattern.trend)
        )
    }
}

fn window(out: &mut Vec<u8>, window: Window) {
    let mut object = Object::new(out);
    json::epoch_seconds(object.plain("from"), window.from);
    json::epoch_seconds(object.plain("to"), window.to);
    object.end();
}

/// A query that selects a pattern's entries.
fn query(pattern: &Summary) -> String {
    let regex = pattern.template.regex();
    match logrec_core::filter::Pattern::new(&regex) {
        Ok(pattern) => Filter::Field(
            logrec_core::filter::Field::Message,
            logrec_core::filter::Test::Matches(pattern),
        )
        .to_string(),
        // Beyond the engine: by its last entry, which leads to the others.
        Err(_) => Filter::Ids(vec![pattern.last.1]).to_string(),
    }
}

#[cfg(test)]
mod tests;
