//! `GET /logs/trends`: the numbers that entries tell of, over time, and where they shift.

use logrec_core::{Filter, Query, Times};
use logrec_insight::{
    numbers::Unit,
    patterns::Window,
    trends::{Collector, Place, Quantiles, Trend},
};

use crate::{
    Reader,
    json::{self, Object},
    params::{
        Applied, FILTERS, Kind, Param, ParamError, QUERY_TIME_MAX, Reading, TOKENS_MAX, TOKENS_MIN,
        budget, form, number, whole,
    },
    shape::Format,
    text, wire,
};

/// Numbers shown unless asked for otherwise.
const TOP_DEFAULT: usize = 10;
/// Most numbers shown.
const TOP_MAX: u64 = 200;

/// The parameters of `GET /logs/trends` beside the filters.
pub const TRENDS: &[Param] = &[
    Param {
        name: "top",
        kind: Kind::Whole(1, TOP_MAX),
        example: "10",
        about: "most numbers shown, default 10; those that shift come first",
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
        example: "1000",
        about: "the whole answer takes at most so many tokens of four bytes; it says what it left out",
    },
];

/// A question for trends.
#[derive(Clone, Debug)]
pub struct TrendsRequest {
    top: usize,
    format: Format,
    max_bytes: Option<usize>,
    filter: Filter,
    applied: Vec<(String, Applied)>,
}

impl TrendsRequest {
    /// Reads parameters: [`TRENDS`] and the filters.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let mut request = Self {
            top: TOP_DEFAULT,
            format: Format::Json,
            max_bytes: None,
            filter: Filter::default(),
            applied: Vec::new(),
        };
        let tables = [TRENDS, FILTERS];
        let reading = Reading::all(params, &tables, times, |name, value| {
            Ok(Some(match name {
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

impl Reader {
    /// Answers `GET /logs/trends`, rendered. Never larger than the request's budget. `None` when the search
    /// took too long.
    #[must_use]
    pub fn trends(&self, request: &TrendsRequest) -> Option<Vec<u8>> {
        let window = self.window(&request.filter);
        let mut collector = Collector::new(window);
        let filter = request.filter.clone();
        let query = Query { filter, time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
        let mut entries = 0;
        let is_whole = self.visit(&query, &mut |row| {
            entries += 1;
            collector.add(&row);
        });
        let untold = collector.untold;
        is_whole.then(|| {
            let trends = collector.finish();
            TrendsAnswer { request, trends, window, entries, untold }.render()
        })
    }
}

struct TrendsAnswer<'r> {
    request: &'r TrendsRequest,
    trends: Vec<Trend>,
    window: Window,
    entries: u64,
    untold: u64,
}

impl TrendsAnswer<'_> {
    fn render(&self) -> Vec<u8> {
        let budget = self.request.max_bytes.unwrap_or(usize::MAX);
        let most = self.request.top.min(self.trends.len());
        let written = |shown: usize, brief: bool| match self.request.format {
            Format::Json | Format::Ndjson => self.json(shown, brief),
            Format::Text | Format::Markdown => self.text(shown),
        };
        let whole = written(most, false);
        if whole.len() <= budget {
            return whole;
        }
        let brief = written(0, false).len() > budget / 2;
        // The most numbers that fit.
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if written(middle, brief).len() <= budget { low = middle } else { high = middle - 1 }
        }
        written(low, brief)
    }

    fn shifts(&self) -> usize {
        self.trends.iter().filter(|trend| trend.shift.is_some()).count()
    }

    fn json(&self, shown: usize, brief: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut answer = Object::new(&mut out);
        answer.bool("success", true);
        json::array(answer.plain("data"), &self.trends[..shown], trend);
        answer.uint("count", shown as u64).uint("numbers", self.trends.len() as u64);
        answer.uint("shifts", self.shifts() as u64).uint("entries", self.entries);
        let mut window = Object::new(answer.plain("window"));
        json::epoch_seconds(window.plain("from"), self.window.from);
        json::epoch_seconds(window.plain("to"), self.window.to);
        window.end();
        if self.untold > 0 {
            answer.uint("untold", self.untold);
        }
        wire::applied(answer.plain("filters_applied"), &self.request.applied, |_| !brief);
        if self.request.max_bytes.is_some() {
            let most = self.request.top.min(self.trends.len());
            answer.uint("omitted", (most - shown) as u64);
        }
        answer.end();
        out
    }

    fn text(&self, shown: usize) -> Vec<u8> {
        let is_markdown = self.request.format == Format::Markdown;
        let mut out = Vec::new();
        if is_markdown {
            out.extend_from_slice(text::MARKDOWN_HEAD);
        }
        let ours = |out: &mut Vec<u8>, line: &str| text::ours(out, line, is_markdown);
        let (from, to) = (self.window.from.to_jiff(), self.window.to.to_jiff());
        let (numbers, shifts) = (self.trends.len(), self.shifts());
        ours(
            &mut out,
            &format!(
                "{numbers} numbers, {shifts} of them shift, in {} entries, {from:.3} to {to:.3}",
                self.entries
            ),
        );
        for trend in &self.trends[..shown] {
            text::item(&mut out, &line(trend), is_markdown);
        }
        let most = self.request.top.min(numbers);
        if most > shown {
            ours(&mut out, &format!("{} more did not fit the budget", most - shown));
        }
        out
    }
}

fn trend(out: &mut Vec<u8>, trend: &Trend) {
    let mut object = Object::new(out);
    object.string("pattern", &trend.pattern.to_string());
    object.string("template", &trend.template.to_string());
    match &trend.place {
        Place::Message(name, nth) => _ = object.string("name", name).uint("nth", *nth as u64),
        Place::Attribute(name) => _ = object.string("attribute", name),
    }
    object.string("unit", unit(trend.unit)).uint("count", trend.count);
    float(object.plain("min"), trend.range[0]);
    quantiles(&mut object, trend.quantiles);
    float(object.plain("max"), trend.range[1]);
    json::array(object.plain("parts"), &trend.parts, |out, (sampled, part)| {
        let mut one = Object::new(out);
        one.uint("sampled", *sampled as u64);
        if *sampled > 0 {
            quantiles(&mut one, *part);
        }
        one.end();
    });
    if let Some(shift) = trend.shift {
        let mut one = Object::new(object.plain("shift"));
        json::epoch_seconds(one.plain("at"), shift.at);
        for (key, of) in [("before", shift.quantiles[0]), ("after", shift.quantiles[1])] {
            let mut side = Object::new(one.plain(key));
            quantiles(&mut side, of);
            side.end();
        }
        json::float(one.plain("chance"), shift.chance);
        one.end();
    }
    object.end();
}

fn quantiles(object: &mut Object<'_>, quantiles: Quantiles) {
    float(object.plain("p50"), quantiles.p50);
    float(object.plain("p95"), quantiles.p95);
    float(object.plain("p99"), quantiles.p99);
}

/// To six digits: what a sample can tell.
fn float(out: &mut Vec<u8>, number: f64) {
    json::float(out, six_digits(number));
}

fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Bytes => "bytes",
        Unit::Percent => "percent",
        _ => "",
    }
}

/// `took of query <*>: p50 30 ms -> 100 ms, p95 39 ms -> 118 ms at 10:13:20Z (800 values)`
fn line(trend: &Trend) -> String {
    let name = match &trend.place {
        Place::Message(name, _) if name.is_empty() => "a number",
        Place::Message(name, _) | Place::Attribute(name) => name,
    };
    let (template, count, of) = (&trend.template, trend.count, trend.unit);
    let show = |n: f64| shown(n, of);
    match trend.shift {
        Some(shift) => {
            let [a, b] = shift.quantiles;
            format!(
                "{name} of {template}: p50 {} -> {}, p95 {} -> {} at {:.3} ({count} values)",
                show(a.p50),
                show(b.p50),
                show(a.p95),
                show(b.p95),
                shift.at.to_jiff()
            )
        }
        None => {
            let q = trend.quantiles;
            let (p50, p95, p99) = (show(q.p50), show(q.p95), show(q.p99));
            format!("{name} of {template}: p50 {p50}, p95 {p95}, p99 {p99} ({count} values)")
        }
    }
}

/// A value as people write it.
fn shown(value: f64, unit: Unit) -> String {
    let three = |n: f64| format!("{}", format!("{n:.2e}").parse::<f64>().unwrap_or(n));
    match unit {
        Unit::Seconds if value.abs() >= 1.0 => format!("{} s", three(value)),
        Unit::Seconds if value.abs() >= 1e-3 => format!("{} ms", three(value * 1e3)),
        Unit::Seconds => format!("{} µs", three(value * 1e6)),
        Unit::Bytes if value.abs() >= 1e6 => format!("{} MB", three(value / 1e6)),
        Unit::Bytes if value.abs() >= 1e3 => format!("{} kB", three(value / 1e3)),
        Unit::Bytes => format!("{} B", three(value)),
        Unit::Percent => format!("{} %", three(value)),
        _ => three(value),
    }
}

#[cfg(test)]
mod tests;
