//! The parameters that every reading endpoint takes: filters, and the shape of the answer.

use logrec_core::{
    Filter, Level, LevelSet, NS_PER_S, Timestamp,
    filter::{Comparison, Field, Pattern, Test},
    shown,
};

use super::{
    Applied, ParamError, Reading, err,
    table::MINUTES_MAX,
    values::{budget, fields, flag, fraction, level, one_of},
};
use crate::shape::Format;

impl Reading<'_> {
    /// Reads a parameter that the tables name.
    pub(super) fn common(&mut self, name: &str, value: &str) -> Result<Applied, ParamError> {
        let text = || Ok(Applied::Text(value.to_owned()));
        match name {
            "q" => {
                let filter = Filter::parse(value, self.times)
                    .map_err(|e| err(name, format!("`q` cannot be read {e}")))?;
                self.add(filter);
                text()
            }
            "level" => self.levels(name, value),
            "min_level" => {
                let level = level(name, value)?;
                self.add(Filter::Levels(LevelSet::at_least(level)));
                Ok(Applied::Text(level.name().to_owned()))
            }
            "since_minutes" => self.since_minutes(name, value),
            "since" => {
                let [since, _] = self.time(name, value)?;
                self.add(Filter::Since(since));
                text()
            }
            "until" => {
                let [_, until] = self.time(name, value)?;
                self.add(Filter::Until(until));
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
            "fields" => {
                self.shape.fields = Some(fields(name, value)?);
                text()
            }
            "format" => {
                self.shape.format = Format::from_name(value)
                    .ok_or_else(|| one_of(name, value, "json, ndjson, text or markdown"))?;
                text()
            }
            "max_tokens" => {
                let (bytes, tokens) = budget(name, value)?;
                self.shape.max_bytes = Some(bytes);
                Ok(tokens)
            }
            "fold" => {
                self.shape.fold = flag(name, value)?;
                Ok(Applied::Flag(self.shape.fold))
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

    /// Fields compared as they are, and attributes.
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
                Some(attribute) => Field::Attribute(attribute.to_owned()),
                None => return Err(self.unknown(name)),
            },
        };
        self.add(Filter::Field(field, Test::Is(value.to_owned())));
        Ok(Applied::Text(value.to_owned()))
    }

    fn add(&mut self, filter: Filter) {
        self.filter = std::mem::take(&mut self.filter).and(filter);
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
        let minutes = fraction(name, value, 0.0, MINUTES_MAX, "minutes")?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 100 years of nanoseconds")]
        let span_ns = (minutes * 60.0 * NS_PER_S as f64) as i64;
        self.add(Filter::Since(self.times.now.minus_ns(span_ns)));
        Ok(Applied::Number(minutes))
    }

    /// The first and the last moment that is meant.
    pub(crate) fn time(&self, name: &str, value: &str) -> Result<[Timestamp; 2], ParamError> {
        let mended = with_plus(value);
        self.times
            .parse_bounds(mended.as_deref().unwrap_or(value))
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
