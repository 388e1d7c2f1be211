//! `GET /logs/digest`: what is wrong, since when, and what may have caused it, within a budget.
//!
//! [`Digester`] finds it; here the question is read and the answer written: [`text`] for people and
//! models, [`json`] for programs. A budget is kept by leaving findings out, those that matter least first.

mod json;
mod text;

use logrec_core::{Filter, NS_PER_S, Query, Times, Timestamp};
use logrec_insight::digest::{Digest, Digester};

use crate::{
    Reader,
    params::{
        Applied, FILTERS, Kind, Param, ParamError, QUERY_TIME_MAX, Reading, TOKENS_MAX, TOKENS_MIN,
        number, one_of, whole,
    },
    shape::Format,
};

/// Tokens of a digest unless asked for otherwise.
const TOKENS_DEFAULT: u64 = 2000;

/// The parameters of `GET /logs/digest` beside the filters.
pub const DIGEST: &[Param] = &[
    Param {
        name: "max_tokens",
        kind: Kind::Whole(TOKENS_MIN, TOKENS_MAX),
        example: "500",
        about: "the whole answer takes at most so many tokens of four bytes, default 2000; what matters least is left out",
    },
    Param {
        name: "format",
        kind: Kind::Choice(&["json", "text", "markdown"]),
        example: "text",
        about: "form of the answer, default json",
    },
];

/// A question for a digest.
#[derive(Clone, Debug)]
pub struct DigestRequest {
    max_bytes: usize,
    format: Format,
    filter: Filter,
}

impl DigestRequest {
    /// Reads parameters: [`DIGEST`] and the filters.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let (mut tokens, mut format) = (TOKENS_DEFAULT, Format::default());
        let tables = [DIGEST, FILTERS];
        let reading = Reading::all(params, &tables, times, |name, value| {
            Ok(Some(match name {
                "max_tokens" => {
                    tokens = whole(name, value, TOKENS_MIN, TOKENS_MAX)?;
                    number(tokens)
                }
                "format" => {
                    let known = Format::from_name(value).filter(|f| *f != Format::Ndjson);
                    format = known.ok_or_else(|| one_of(name, value, "json, text or markdown"))?;
                    Applied::Text(value.to_owned())
                }
                _ => return Ok(None),
            }))
        })?;
        let max_bytes = usize::try_from(tokens * 4).unwrap_or(usize::MAX);
        Ok(Self { max_bytes, format, filter: reading.filter })
    }

    /// The form of the answer.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }
}

impl Reader {
    /// Answers `GET /logs/digest`. Never larger than the request's budget. `None` when the search took
    /// too long.
    #[must_use]
    pub fn digest(&self, request: &DigestRequest) -> Option<Vec<u8>> {
        let filter = request.filter.clone();
        let query = Query { filter, time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
        let mut digester = Digester::new();
        if !self.visit(&query, &mut |row| digester.add(&row)) {
            return None;
        }
        let answer = Answer { digest: digester.finish(), health: self.health() };
        Some(match request.format {
            Format::Json | Format::Ndjson => json::render(&answer, request.max_bytes),
            Format::Text => text::render(&answer, request.max_bytes, false),
            Format::Markdown => text::render(&answer, request.max_bytes, true),
        })
    }

    /// What the rings among the sources could not keep. A file keeps all, and is not read again for this.
    fn health(&self) -> Health {
        let mut health = Health::default();
        for source in self.sources() {
            health.sources += 1;
            let info = source.info();
            if info.kind != "file" {
                let stats = source.stats();
                health.overwritten += stats.evicted;
                health.dropped += stats.dropped;
            }
            health.troubled += u64::from(info.trouble.is_some());
        }
        health
    }
}

/// What is rendered.
#[derive(Debug)]
struct Answer {
    digest: Digest,
    health: Health,
}

/// How whole the recording is.
#[derive(Debug, Default)]
struct Health {
    sources: u64,
    /// Entries that newer ones took the place of.
    overwritten: u64,
    /// Entries that were never recorded.
    dropped: u64,
    /// Sources that something is wrong with.
    troubled: u64,
}

impl Answer {
    /// What to ask next, most useful first: paths below the API.
    fn next(&self) -> Vec<String> {
        let findings = &self.digest.findings;
        let mut next = Vec::new();
        if let Some(worst) = findings.iter().find(|finding| finding.is_anomaly) {
            next.push(format!("logs/context?id={}&mode=story", worst.sample.id));
        }
        if let Some(suspect) = findings.iter().find(|finding| finding.is_suspect) {
            next.push(format!("logs/context?id={}&before=30s&after=30s", suspect.sample.id));
        }
        if let Some(onset) = self.digest.onset {
            let minute = 60 * NS_PER_S;
            let at = |ns: i64| format!("{:.0}", Timestamp(ns).to_jiff());
            let (from, until) = (at(onset.0 - minute), at(onset.0.saturating_add(minute)));
            next.push(format!(
                "logs?q=level>=WARNING&since={from}&until={until}&order=asc&fold=true"
            ));
        }
        next
    }
}

#[cfg(test)]
mod tests;
