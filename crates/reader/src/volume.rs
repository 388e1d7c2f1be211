//! `GET /logs/volume`: how many entries over time, by the values of a field, and where that is out of the
//! ordinary.

use logrec_core::{Filter, NS_PER_S, Query, Times, Timestamp, parse_span_ns};
use logrec_insight::{
    facets::{By, Facet},
    patterns::Window,
    volume::{Event, STEPS_MAX, Series, Volume, events},
};

use crate::{
    Reader,
    json::{self, Object},
    params::{
        Applied, FILTERS, Kind, Param, ParamError, QUERY_TIME_MAX, Reading, TOKENS_MAX, TOKENS_MIN,
        budget, err, form, number, one_of, whole,
    },
    shape::Format,
    text::{self, bars},
    wire,
};

/// Steps unless asked for otherwise.
const STEPS_DEFAULT: usize = 60;
/// Values shown unless asked for otherwise.
const TOP_DEFAULT: usize = 8;
/// Most values shown.
const TOP_MAX: u64 = 100;

/// The parameters of `GET /logs/volume` beside the filters.
pub const VOLUME: &[Param] = &[
    Param {
        name: "by",
        kind: Kind::Text,
        example: "logger",
        about: "the field whose values are told apart: level (default), logger, module, service, …, attr.NAME",
    },
    Param {
        name: "step",
        kind: Kind::Text,
        example: "30s",
        about: "how long a step is: 10s, 5m, 1h; default a sixtieth of the window",
    },
    Param {
        name: "top",
        kind: Kind::Whole(1, TOP_MAX),
        example: "8",
        about: "most values shown, default 8",
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

/// A question for volume.
#[derive(Clone, Debug)]
pub struct VolumeRequest {
    by: By,
    step_ns: Option<i64>,
    top: usize,
    format: Format,
    max_bytes: Option<usize>,
    filter: Filter,
    applied: Vec<(String, Applied)>,
}

impl VolumeRequest {
    /// Reads parameters: [`VOLUME`] and the filters.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let mut request = Self {
            by: By::Field(Facet::Level),
            step_ns: None,
            top: TOP_DEFAULT,
            format: Format::Json,
            max_bytes: None,
            filter: Filter::default(),
            applied: Vec::new(),
        };
        let tables = [VOLUME, FILTERS];
        let reading = Reading::all(params, &tables, times, |name, value| {
            Ok(Some(match name {
                "by" => {
                    request.by = By::from_name(value).ok_or_else(|| {
                        let names = Facet::ALL.map(Facet::name).join(", ");
                        one_of(name, value, &format!("{names} or attr.NAME"))
                    })?;
                    Applied::Text(value.to_owned())
                }
                "step" => {
                    let span = parse_span_ns(value).filter(|ns| *ns >= NS_PER_S / 1000);
                    let wrong =
                        || one_of(name, value, "how long a step is, 1ms or more: 10s, 5m, 1h");
                    request.step_ns = Some(span.ok_or_else(wrong)?);
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

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    /// The step cuts the window into too many.
    #[error("{0}")]
    Step(ParamError),
    /// The time limit ended the search.
    #[error("{}", crate::TOO_SLOW)]
    TooSlow,
}

impl Reader {
    /// Answers `GET /logs/volume`, rendered. Never larger than the request's budget.
    ///
    /// # Errors
    /// When the steps are too many, or the search took too long.
    pub fn volume(&self, request: &VolumeRequest) -> Result<Vec<u8>, VolumeError> {
        let mut window = self.window(&request.filter);
        let span = i128::from(window.to.0) - i128::from(window.from.0) + 1;
        let steps = match request.step_ns {
            None => STEPS_DEFAULT,
            Some(step_ns) => {
                let steps = (span + i128::from(step_ns) - 1) / i128::from(step_ns);
                let steps = usize::try_from(steps.max(1)).ok().filter(|n| *n <= STEPS_MAX);
                let steps = steps.ok_or_else(|| {
                    let message = format!(
                        "`step` cuts the {} s there are into more than {STEPS_MAX} steps; give a longer one, or a later `since`",
                        span / i128::from(NS_PER_S)
                    );
                    VolumeError::Step(err("step", message))
                })?;
                // The last step is whole: the window reaches to its end.
                let end = i128::from(window.from.0) + i128::from(step_ns) * steps as i128 - 1;
                window.to = Timestamp(i64::try_from(end).unwrap_or(i64::MAX));
                steps
            }
        };
        let mut volume = Volume::new(window, steps);
        let filter = request.filter.clone();
        let query = Query { filter, time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
        let is_whole = self.visit(&query, &mut |row| {
            let value = request.by.value(&row);
            volume.add(row.time, value.as_deref().unwrap_or_default());
        });
        if !is_whole {
            return Err(VolumeError::TooSlow);
        }
        Ok(VolumeAnswer::new(request, volume, window, steps).render())
    }

    /// The time that a filter lets through, of what is recorded; one that holds no moment where it lets
    /// none of that through.
    pub(crate) fn window(&self, filter: &Filter) -> Window {
        let sum = logrec_core::source::sum(self.source_stats().into_iter().map(|(_, stats)| stats));
        let matcher = filter.compile();
        let from = matcher.since().max(sum.oldest.unwrap_or_default());
        let to = matcher.until().min(sum.newest.unwrap_or(Timestamp(-1)));
        between(from, to)
    }
}

/// A window; where it ends before it begins one that holds no moment.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Window {
    Window { from, to: to.max(Timestamp(from.0.saturating_sub(1))) }
}

struct VolumeAnswer<'r> {
    request: &'r VolumeRequest,
    volume: Volume,
    window: Window,
    series: Vec<Series>,
    /// Which series, and what: `None` is all together.
    events: Vec<(Option<usize>, Event)>,
    steps: usize,
}

/// What of an answer is shown.
#[derive(Clone, Copy, Debug)]
struct Cut {
    series: usize,
    events: usize,
    counts: bool,
    brief: bool,
}

impl<'r> VolumeAnswer<'r> {
    fn new(request: &'r VolumeRequest, volume: Volume, window: Window, steps: usize) -> Self {
        let series = volume.series();
        let mut found: Vec<(Option<usize>, Event)> =
            events(volume.total()).into_iter().map(|event| (None, event)).collect();
        for (i, one) in series.iter().enumerate() {
            found.extend(events(&one.counts).into_iter().map(|event| (Some(i), event)));
        }
        found.sort_by_key(|(series, event)| (event.steps, *series));
        Self { request, volume, window, series, events: found, steps }
    }

    fn render(&self) -> Vec<u8> {
        let budget = self.request.max_bytes.unwrap_or(usize::MAX);
        let series = self.series.len().min(self.request.top);
        let mut cut = Cut { series, events: self.events.len(), counts: true, brief: false };
        let written = |cut: Cut| match self.request.format {
            Format::Json | Format::Ndjson => self.json(cut),
            Format::Text | Format::Markdown => self.text(cut),
        };
        loop {
            let out = written(cut);
            if out.len() <= budget {
                return out;
            }
            // Events say more than counts, the largest series more than the others.
            match cut {
                Cut { series: 2.., .. } => cut.series -= 1,
                Cut { brief: false, .. } => cut.brief = true,
                Cut { counts: true, .. } => cut.counts = false,
                Cut { events: 1.., .. } => cut.events /= 2,
                Cut { series: 1.., .. } => cut.series = 0,
                Cut { .. } => return out,
            }
        }
    }

    /// What a series is of.
    fn name(&self, series: Option<usize>) -> &str {
        match series.map(|i| &self.series[i].value) {
            None => "all",
            Some(None) => "others",
            Some(Some(value)) if value.is_empty() => "none",
            Some(Some(value)) => &value[..value.floor_char_boundary(100)],
        }
    }

    fn begins(&self, step: usize) -> Timestamp {
        if step >= self.steps { self.window.to } else { self.volume.begins(step) }
    }

    fn json(&self, cut: Cut) -> Vec<u8> {
        let mut out = Vec::new();
        let mut answer = Object::new(&mut out);
        answer.bool("success", true);
        let mut data = Object::new(answer.plain("data"));
        json::epoch_seconds(data.plain("from"), self.window.from);
        json::epoch_seconds(data.plain("to"), self.window.to);
        json::float(data.plain("step"), self.step_s());
        let counts = |out: &mut Vec<u8>, counts: &[u32]| {
            json::array(out, counts, |out, n| json::uint(out, u64::from(*n)));
        };
        if cut.counts {
            counts(data.plain("total"), self.volume.total());
        }
        json::array(data.plain("series"), 0..cut.series, |out, i| {
            let mut series = Object::new(out);
            series.string("value", self.name(Some(i))).uint("count", self.series[i].count);
            if cut.counts {
                counts(series.plain("counts"), &self.series[i].counts);
            }
            series.end();
        });
        data.end();
        json::array(answer.plain("events"), &self.events[..cut.events], |out, (series, event)| {
            let mut object = Object::new(out);
            object.string("kind", event.kind.name()).string("value", self.name(*series));
            json::epoch_seconds(object.plain("from"), self.begins(event.steps[0]));
            json::epoch_seconds(object.plain("to"), self.begins(event.steps[1]));
            json::float(object.plain("per_step"), rounded(event.per_step));
            json::float(object.plain("usual"), rounded(event.usual));
            object.end();
        });
        answer.uint("entries", self.volume.total().iter().map(|n| u64::from(*n)).sum());
        wire::applied(answer.plain("filters_applied"), &self.request.applied, |_| !cut.brief);
        if self.request.max_bytes.is_some() {
            let mut omitted = Object::new(answer.plain("omitted"));
            omitted.uint("series", (self.series.len().min(self.request.top) - cut.series) as u64);
            omitted.uint("events", (self.events.len() - cut.events) as u64);
            omitted.bool("counts", !cut.counts);
            omitted.end();
        }
        answer.end();
        out
    }

    #[expect(clippy::cast_precision_loss, reason = "a step's length need not be exact")]
    fn step_s(&self) -> f64 {
        let span = i128::from(self.window.to.0) - i128::from(self.window.from.0) + 1;
        rounded(span as f64 / self.steps as f64 / NS_PER_S as f64)
    }

    fn text(&self, cut: Cut) -> Vec<u8> {
        let is_markdown = self.request.format == Format::Markdown;
        let mut out = Vec::new();
        if is_markdown {
            out.extend_from_slice(text::MARKDOWN_HEAD);
        }
        let ours = |out: &mut Vec<u8>, line: &str| text::ours(out, line, is_markdown);
        let (from, to) = (self.window.from.to_jiff(), self.window.to.to_jiff());
        let all: u64 = self.volume.total().iter().map(|n| u64::from(*n)).sum();
        ours(
            &mut out,
            &format!(
                "{all} entries, {from:.3} to {to:.3}, {} steps of {} s",
                self.steps,
                self.step_s()
            ),
        );
        let line = |name: &str, count: u64, counts: &[u32]| {
            let bars = if cut.counts { bars(&squeezed(counts)) } else { String::new() };
            format!("{count:>8} {bars} {name}")
        };
        text::item(&mut out, &line("all", all, self.volume.total()), is_markdown);
        for (i, series) in self.series[..cut.series].iter().enumerate() {
            text::item(
                &mut out,
                &line(self.name(Some(i)), series.count, &series.counts),
                is_markdown,
            );
        }
        let hidden = self.series.len().min(self.request.top) - cut.series;
        if hidden > 0 {
            ours(&mut out, &format!("{hidden} more values did not fit the budget"));
        }
        let found = self.events.len();
        let (s, these) = if found == 1 { ("", "") } else { ("s", ":") };
        ours(
            &mut out,
            &if found == 0 {
                "nothing out of the ordinary".to_owned()
            } else {
                format!("{found} event{s} out of the ordinary{these}")
            },
        );
        for (series, event) in &self.events[..cut.events] {
            let (from, to) =
                (self.begins(event.steps[0]).to_jiff(), self.begins(event.steps[1]).to_jiff());
            let (name, per, usual) =
                (self.name(*series), rounded(event.per_step), rounded(event.usual));
            let kind = event.kind.name();
            text::item(
                &mut out,
                &format!("{kind} of {name}: {per} a step, usually {usual}, {from:.3} to {to:.3}"),
                is_markdown,
            );
        }
        if cut.events < found {
            ours(&mut out, &format!("{} more events did not fit the budget", found - cut.events));
        }
        out
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Counts in at most sixty parts, to be drawn.
fn squeezed(counts: &[u32]) -> Vec<u32> {
    let size = counts.len().div_ceil(STEPS_DEFAULT).max(1);
    counts
        .chunks(size)
        .map(|part| part.iter().fold(0, |sum: u32, n| sum.saturating_add(*n)))
        .collect()
}

#[cfg(test)]
mod tests;
