//! A digest as JSON: the same findings as the text's, what matters most first.

use logrec_core::{Level, Timestamp};
use logrec_insight::digest::{Change, Finding, Moved};

use super::{
    Answer,
    text::{Clock, FINDINGS_MAX, change},
};
use crate::json::{self, Object};

pub(super) fn render(answer: &Answer, max_bytes: usize) -> Vec<u8> {
    let findings = &answer.digest.findings;
    let mut told = findings.len().min(FINDINGS_MAX);
    let mut noise = answer.digest.noise.len();
    let mut next = answer.next();
    loop {
        let out = written(answer, told, noise, &next);
        if out.len() <= max_bytes {
            return out;
        }
        match (noise, told, next.len()) {
            (2.., ..) => noise -= 1,
            (_, 2.., _) => told -= (told / 8).max(1),
            (1, ..) => noise = 0,
            (.., 1..) => next.truncate(next.len() - 1),
            (_, 1, _) => told = 0,
            // A coverage of 200 tokens is not to be had: the numbers in it have twenty digits at most.
            _ => return out,
        }
    }
}

fn written(answer: &Answer, told: usize, noise: usize, next: &[String]) -> Vec<u8> {
    let digest = &answer.digest;
    let mut out = Vec::new();
    let mut body = Object::new(&mut out);
    body.bool("success", true);
    let mut verdict = Object::new(body.plain("verdict"));
    verdict.uint("anomalies", digest.anomalies as u64);
    if let Some(onset) = digest.onset {
        verdict.string("onset", &time(onset));
    }
    verdict.end();
    coverage(body.plain("coverage"), answer);
    let clock = Clock::new(digest);
    json::array(body.plain("findings"), &digest.findings[..told], |out, one| {
        finding(out, one, &change(one, digest, &clock));
    });
    json::array(body.plain("noise"), &digest.noise[..noise], |out, one| {
        let mut object = Object::new(out);
        object.string("level", one.level.name()).string("logger", &one.logger);
        object.string("template", &one.template).uint("count", one.count);
        object.end();
    });
    json::array(body.plain("next"), next, |out, path| json::string(out, path));
    body.uint("omitted", (digest.findings.len() - told) as u64);
    body.end();
    out
}

fn coverage(out: &mut Vec<u8>, answer: &Answer) {
    let (digest, health) = (&answer.digest, &answer.health);
    let mut coverage = Object::new(out);
    coverage.uint("entries", digest.entries);
    if let Some((from, until)) = digest.span {
        coverage.string("from", &time(from)).string("to", &time(until));
    }
    let mut levels = Object::new(coverage.plain("levels"));
    for level in Level::ALL {
        let count = digest.levels[usize::from(level.index())];
        if count > 0 {
            levels.uint(level.name(), count);
        }
    }
    levels.end();
    coverage
        .uint("loggers", digest.loggers as u64)
        .uint("patterns", digest.patterns as u64)
        .uint("sources", health.sources)
        .uint("overwritten", health.overwritten)
        .uint("dropped", health.dropped)
        .uint("untold", digest.untold);
    coverage.end();
}

fn finding(out: &mut Vec<u8>, finding: &Finding, what: &str) {
    let mut one = Object::new(out);
    one.string("at", &time(finding.at));
    if let Some(until) = finding.until {
        one.string("until", &time(until));
    }
    one.string("kind", kind(&finding.change)).bool("anomaly", finding.is_anomaly);
    one.bool("suspect", finding.is_suspect).string("what", what);
    one.string("level", finding.level.name()).string("logger", &finding.logger);
    one.string("message", &finding.sample.message);
    if let Some(exception) = &finding.sample.exception {
        one.string("exception", exception);
    }
    if !finding.sample.attributes.is_empty() {
        one.string("attributes", &finding.sample.attributes);
    }
    if let Some(value) = &finding.value {
        one.string("value", value);
    }
    one.uint("count", finding.count);
    match &finding.change {
        Change::More { per_hour, .. } | Change::Less { per_hour } => {
            json::float(one.plain("per_hour_before"), per_hour[0]);
            json::float(one.plain("per_hour_after"), per_hour[1]);
        }
        Change::Silent { period_ns } => {
            json::float(one.plain("expected_every_s"), *period_ns as f64 / 1e9);
        }
        Change::Shift { numbers } => json::array(one.plain("numbers"), numbers, number),
        Change::New { .. } | Change::Once => {}
    }
    if let Some(pattern) = finding.pattern {
        one.string("pattern", &pattern.to_string());
    }
    one.string("id", &finding.sample.id.to_string());
    one.end();
}

fn number(out: &mut Vec<u8>, moved: &Moved) {
    let mut one = Object::new(out);
    one.string("name", &moved.name).string("unit", moved.unit.name());
    for (key, value) in [
        ("p50_before", moved.p50[0]),
        ("p50_after", moved.p50[1]),
        ("p95_before", moved.p95[0]),
        ("p95_after", moved.p95[1]),
        ("chance", moved.chance),
    ] {
        json::float(one.plain(key), value);
    }
    one.end();
}

const fn kind(change: &Change) -> &'static str {
    match change {
        Change::New { .. } => "new",
        Change::More { .. } => "more",
        Change::Less { .. } => "less",
        Change::Silent { .. } => "silent",
        Change::Shift { .. } => "shift",
        Change::Once => "rare",
    }
}

fn time(at: Timestamp) -> String {
    format!("{:.3}", at.to_jiff())
}
