//! Changes of single statements: what came, grew, fell, fell silent, and whose numbers shifted.

use logrec_core::{Level, Timestamp};

use super::{
    Change, Finding,
    collect::{Collected, Key, Map},
    places::Value,
    shifts::shifts,
    statement::Statement,
};
use crate::{
    miner::Patterns,
    series::{self, Rhythm, Window, densest, thinnest},
};

/// Nats by which a window must beat chance, of a statement and of one value of a statement: of these there
/// are more.
const SURE: f64 = 14.0;
const SURE_OF_VALUE: f64 = 18.0;
/// … and of what is no warning.
const SURE_OF_INFO: f64 = 30.0;
/// What is less sure than that counts when others that began at the same time bear it out: it must be this
/// sure itself, with so many events, and all together as sure as this.
const WEAK: f64 = 6.5;
const WEAK_EVENTS_MIN: usize = 5;
const TOGETHER_SURE: f64 = 19.0;
/// A rate that grew this much is no wave of the day and no good evening.
const GROWN: f64 = 3.0;
/// Events that a change has at least.
const EVENTS_MIN: usize = 8;
/// What took a smaller share of the span than this and was known before is a burst, and is over.
const BURST: f64 = 0.03;
/// … or took less time than this, in nanoseconds, if that is not an eighth of all.
const BURST_NS: f64 = 90e9;
/// Statements whose values are looked at one by one have at most so many.
pub(super) const VALUES_MAX: usize = 64;
/// Events of what is taken for clockwork.
const RHYTHM_MAX: usize = 100_000;
/// What times are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Statement,
    /// One value of a statement's words.
    Value,
    /// One value in a place of few.
    Place,
}

/// What all detectors look at.
pub(super) struct View<'a> {
    pub(super) all: &'a Collected,
    pub(super) patterns: &'a Patterns,
    pub(super) statements: &'a [Statement],
    pub(super) span: (i64, i64),
    pub(super) traffic: Traffic,
}

/// How many entries there were in all, by the time.
pub(super) struct Traffic {
    /// Entries before each of equal parts of the span, and at its end.
    before: Vec<u64>,
}

impl Traffic {
    const PARTS: usize = 512;

    pub(super) fn of(statements: &[Statement], span: (i64, i64)) -> Self {
        let mut counts = vec![0; Self::PARTS + 1];
        for statement in statements {
            for &time in &statement.times {
                counts[1 + Self::part(time, span)] += statement.stride;
            }
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        Self { before: counts }
    }

    fn part(time: i64, span: (i64, i64)) -> usize {
        let length = i128::from((span.1 - span.0).max(1));
        let part = i128::from(time - span.0) * Self::PARTS as i128 / length;
        usize::try_from(part).unwrap_or(0).min(Self::PARTS - 1)
    }

    /// The share of all entries that came from then till then.
    fn share(&self, from: i64, until: i64, span: (i64, i64)) -> f64 {
        let [from, until] = [Self::part(from, span), Self::part(until, span) + 1];
        let all = self.before[Self::PARTS].max(1);
        (self.before[until] - self.before[from]) as f64 / all as f64
    }
}

impl View<'_> {
    fn keys(&self, statement: &Statement) -> Vec<&Key> {
        statement.keys.iter().map(|&key| &self.all.keys[key]).collect()
    }

    fn length(&self) -> f64 {
        (self.span.1 - self.span.0) as f64
    }

    /// Nanoseconds that a burst takes at most.
    fn burst(&self) -> f64 {
        (BURST * self.length()).max(BURST_NS.min(self.length() / 8.0))
    }

    pub(super) fn level(&self, statement: &Statement) -> Level {
        self.all.keys[statement.keys[0]].name.level
    }

    pub(super) fn logger(&self, statement: &Statement) -> &str {
        let logger = self.all.keys[statement.keys[0]].name.logger as usize;
        self.all.loggers.get(logger).map_or("", |name| name)
    }

    /// The text of its pattern; of one without, its first message.
    pub(super) fn template(&self, statement: &Statement) -> String {
        let sample = self.all.keys[statement.keys[0]].samples.first();
        self.patterns.get(statement.pattern).map_or_else(
            || sample.map_or_else(String::new, |sample| sample.message.to_string()),
            |pattern| pattern.template().to_string(),
        )
    }

    /// A finding about a statement, or about some of its keys.
    pub(super) fn finding(
        &self,
        of: usize,
        keys: &[&Key],
        change: Change,
        at: i64,
    ) -> Option<Finding> {
        let statement = &self.statements[of];
        let marks = keys.iter().filter_map(|key| Some((key, key.event_at(at)?)));
        let (key, event) = match marks.min_by_key(|(_, event)| event.time) {
            Some(mark) => mark,
            // After its last entry there is none: that is the one.
            None => {
                let last = keys.iter().filter_map(|key| Some((key, *key.events.last()?)));
                last.max_by_key(|(_, event)| event.time)?
            }
        };
        let samples = keys.iter().flat_map(|key| &key.samples);
        let exact = samples.clone().find(|sample| sample.id == event.id);
        let mut sample = exact.or_else(|| key.samples.first())?.clone();
        (sample.id, sample.time) = (event.id, Timestamp(event.time));
        let pattern = self.patterns.get(statement.pattern);
        Some(Finding {
            change,
            at: Timestamp(at),
            until: None,
            is_anomaly: false,
            is_suspect: false,
            weight: 0.0,
            weak: 0.0,
            level: key.name.level,
            logger: self.logger(statement).into(),
            pattern: pattern.map(crate::miner::Pattern::id),
            template: self.template(statement),
            count: keys.iter().map(|key| key.count).sum(),
            value: None,
            sample,
            statement: of,
        })
    }
}

/// All changes, in no order.
pub(super) fn changes(view: &View<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (of, statement) in view.statements.iter().enumerate() {
        let keys = view.keys(statement);
        let before = found.len();
        found.extend(of_times(
            view,
            of,
            &keys,
            &statement.times,
            statement.stride,
            What::Statement,
        ));
        let is_told = found.len() > before;
        let is_new =
            matches!(found.last(), Some(Finding { change: Change::New { .. }, .. })) && is_told;
        // Of what was not there before, numbers have nothing to shift from.
        if !is_new {
            found.extend(shifts(view, of, &keys));
        }
        if is_told {
            continue;
        }
        for key in &keys {
            found.extend(places(view, of, key));
        }
        if (2..=VALUES_MAX).contains(&keys.len()) {
            for key in keys {
                found.extend(of_times(view, of, &[key], &key.times(), key.stride, What::Value));
            }
        }
    }
    found.extend(loggers(view, &found));
    corroborated(found, view.span)
}

/// What loggers as a whole no longer say, of which no statement tells: one that writes its node's name into
/// what it says has many statements, each of them rare.
fn loggers(view: &View<'_>, found: &[Finding]) -> Vec<Finding> {
    let mut by_logger: Map<u32, Vec<usize>> = Map::default();
    for (of, statement) in view.statements.iter().enumerate() {
        by_logger.entry(view.all.keys[statement.keys[0]].name.logger).or_default().push(of);
    }
    let mut silent = Vec::new();
    for statements in by_logger.into_values().filter(|all| (2..=VALUES_MAX).contains(&all.len())) {
        let is_told = found.iter().any(|finding| {
            let is_gone = matches!(finding.change, Change::Silent { .. } | Change::Less { .. });
            is_gone && statements.contains(&finding.statement)
        });
        let of_all = || statements.iter().map(|&of| &view.statements[of]);
        if is_told || of_all().any(|statement| statement.stride > 1) {
            continue;
        }
        let mut times: Vec<i64> = of_all().flat_map(|one| one.times.iter().copied()).collect();
        times.sort_unstable();
        let keys: Vec<&Key> = of_all().flat_map(|statement| view.keys(statement)).collect();
        let Some(&loudest) = statements.iter().max_by_key(|&&of| view.statements[of].count) else {
            continue;
        };
        silent.extend(
            silence(view, loudest, &keys, &times)
                .or_else(|| less(view, loudest, &keys, &times, What::Statement)),
        );
    }
    silent
}

/// Leaves out what is not sure by itself, unless others that began at the same time bear it out.
fn corroborated(mut found: Vec<Finding>, span: (i64, i64)) -> Vec<Finding> {
    let near = (span.1 - span.0) / 40;
    let is_together = |a: &Finding, b: &Finding| (a.at.0 - b.at.0).abs() <= near;
    let borne_out: Vec<bool> = found
        .iter()
        .map(|one| {
            let others = found
                .iter()
                .filter(|other| other.statement != one.statement && is_together(one, other));
            let sum: f64 =
                others.map(|other| if other.is_anomaly { SURE } else { other.weak }).sum();
            one.weak > 0.0 && one.weak + sum >= TOGETHER_SURE
        })
        .collect();
    let mut borne_out = borne_out.into_iter();
    found.retain_mut(|finding| {
        let is_borne_out = borne_out.next() == Some(true);
        finding.is_anomaly |= is_borne_out;
        finding.weak == 0.0 || is_borne_out
    });
    found
}

/// Values in places of few values that are new, come more often or fall silent. Of a key that itself came or
/// went nothing: then all of its values did.
fn places(view: &View<'_>, of: usize, key: &Key) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    if key.count < 20 {
        return found;
    }
    let times = key.times();
    let is_steady =
        |window: Window| window.sureness() < SURE || window.ratio < 2.0 || window.share > 0.9;
    if !densest(&times, view.span).is_none_or(is_steady) {
        return found;
    }
    for place in key.places.told() {
        let total: usize = place.values.iter().map(|value| value.times.len()).sum();
        for value in place.values.iter().filter(|v| v.times.len() >= 6 && v.times.len() * 2 < total)
        {
            let stride = key.slots_stride;
            let Some(mut finding) = of_times(view, of, &[key], &value.times, stride, What::Place)
            else {
                continue;
            };
            // One value in the place of another is a new name, as of a version.
            let near = (view.span.1 - view.span.0) / 50;
            let is_end_of = |other: &Value| {
                let edge =
                    |time: Option<&i64>| time.is_some_and(|t| (t - finding.at.0).abs() < near);
                let takes_over = other.times.len() * 4 > value.times.len();
                takes_over && (edge(other.times.last()) || edge(other.times.first()))
            };
            let others = place.values.iter().filter(|other| other.text != value.text);
            if others.clone().any(is_end_of) {
                finding.is_anomaly = false;
                finding.weight -= 8.0;
            }
            let is_same = |one: &Finding| (one.at.0 - finding.at.0).abs() < 1_000_000_000;
            if found.iter().any(is_same) {
                continue;
            }
            let equals = if place.name.is_empty() { "" } else { "=" };
            finding.value = Some(format!("{}{equals}{}", place.name, value.text));
            found.push(finding);
        }
    }
    found
}

fn of_times(
    view: &View<'_>,
    of: usize,
    keys: &[&Key],
    times: &[i64],
    stride: u64,
    what: What,
) -> Option<Finding> {
    silence(view, of, keys, times)
        .or_else(|| more(view, of, keys, times, what))
        .or_else(|| less(view, of, keys, times, what))
        .map(|mut finding| {
            finding.scale(stride);
            finding
        })
}

/// What came regularly and does no longer.
fn silence(view: &View<'_>, of: usize, keys: &[&Key], times: &[i64]) -> Option<Finding> {
    let rhythm = Rhythm::of(times)?;
    // A few that are missing of what comes by the thousand show in its rate, if at all.
    if times.len() > RHYTHM_MAX {
        return None;
    }
    let (from, until) = rhythm.silence(times, view.span.1)?;
    if is_replaced(view, of, from, rhythm.period) {
        return None;
    }
    let change = Change::Silent { period_ns: rhythm.period };
    let mut finding = view.finding(of, keys, change, from)?;
    finding.until = (until < view.span.1).then_some(Timestamp(until));
    finding.is_anomaly = true;
    let periods = (until - from) as f64 / rhythm.period as f64;
    finding.weight = 22.0 + periods.ln() * 2.0;
    Some(finding)
}

/// What came new, or came more often for a time.
fn more(view: &View<'_>, of: usize, keys: &[&Key], times: &[i64], what: What) -> Option<Finding> {
    let is_place = what == What::Place;
    let mut window = densest(times, view.span)?;
    if window.inside < times.len() {
        // What grows as all traffic does has not changed.
        let share = view.traffic.share(window.from, window.until, view.span);
        window = window.against(times.len(), share.max(window.share));
    }
    let least = if what == What::Statement { SURE } else { SURE_OF_VALUE };
    let is_sure = window.sureness() >= least && window.inside >= EVENTS_MIN;
    let may_be_weak = what == What::Statement
        && view.level(&view.statements[of]) >= Level::Warning
        && window.sureness() >= WEAK
        && window.inside >= WEAK_EVENTS_MIN;
    if !is_sure && !may_be_weak || window.ratio < GROWN {
        return None;
    }
    // What is dense from the beginning on did not come: it went, or is a burst.
    if window.from - view.span.0 < (view.span.1 - view.span.0) / 33 && window.share > 0.1 {
        return None;
    }
    let outside = times.len() - window.inside;
    // One that strayed before does not make it known.
    let is_new = outside * 20 <= window.inside;
    let change = if outside == 0 {
        Change::New { inside: window.inside as u64 }
    } else {
        Change::More { per_hour: per_hour(&window, times.len(), view), ratio: window.ratio }
    };
    let mut finding = view.finding(of, keys, change, window.from)?;
    // What goes on until the end, as far as its own rate can tell, has no end.
    let gap = (window.until - window.from) / i64::try_from(window.inside).unwrap_or(i64::MAX);
    finding.until =
        (view.span.1 - window.until > gap.saturating_mul(4)).then_some(Timestamp(window.until));
    let is_over = finding.until.is_some() || window.inside < 20;
    let is_long = (window.until - window.from) as f64 >= view.burst();
    let lasts = !is_over || is_long && series::is_spread(&times[window.first..][..window.inside]);
    finding.is_anomaly = match finding.level {
        Level::Critical | Level::Error => lasts || is_new && !is_known(view, of),
        Level::Warning => lasts,
        // A new line of this kind is somebody's new feature; a value that was not there before is not.
        Level::Info | Level::Debug | Level::Trace => {
            let is_sure = lasts && window.sureness() > SURE_OF_INFO;
            is_sure && (is_place || !is_new) && !is_replaced(view, of, window.from, gap)
        }
    };
    if !is_sure {
        if !finding.is_anomaly {
            return None;
        }
        (finding.is_anomaly, finding.weak) = (false, window.sureness());
    }
    let severity = f64::from(finding.level.index());
    finding.weight = severity * 4.0 + window.llr.ln() + if is_new { 3.0 } else { 0.0 }
        - if lasts { 0.0 } else { 4.0 };
    Some(finding)
}

/// What came much less for a time, or no more, and is no clockwork.
fn less(view: &View<'_>, of: usize, keys: &[&Key], times: &[i64], what: What) -> Option<Finding> {
    let window = thinnest(times, view.span)?;
    let is_thin = window.llr > if what == What::Statement { 22.0 } else { 30.0 }
        && window.ratio < 0.2
        && window.share > 0.03;
    // What was not yet there at the beginning did not stop.
    let was_there = window.first as f64 > 0.5 * (times.len() - window.inside) as f64 * window.share;
    let gap = (window.from - times[0]) / i64::try_from(window.first.max(1)).unwrap_or(1);
    if !is_thin || !was_there || window.first < 10 || is_replaced(view, of, window.from, gap) {
        return None;
    }
    let change = Change::Less { per_hour: per_hour(&window, times.len(), view) };
    let mut finding = view.finding(of, keys, change, window.from)?;
    finding.until = (window.until < view.span.1).then_some(Timestamp(window.until));
    finding.is_anomaly = true;
    finding.weight = 14.0 + window.llr.ln();
    Some(finding)
}

/// Events an hour outside and inside of a window.
fn per_hour(window: &Window, all: usize, view: &View<'_>) -> [f64; 2] {
    let hours = view.length() / 3.6e12;
    let outside = (all - window.inside) as f64 / (hours * (1.0 - window.share)).max(1e-9);
    [outside, window.inside as f64 / (hours * window.share).max(1e-9)]
}

/// Whether the statement's logger began to say other things at this time, half as often at least: then it was
/// reworded, as in a release, and neither fell silent nor rose.
///
/// `gap` is how long it usually is between two: so much later than the last of the old the new may begin.
fn is_replaced(view: &View<'_>, of: usize, at: i64, gap: i64) -> bool {
    let near = (view.span.1 - view.span.0) / 50;
    let late = (view.span.1 - view.span.0).div_euclid(10).max(gap.saturating_mul(6));
    let logger = |statement: &Statement| view.all.keys[statement.keys[0]].name.logger;
    let this = &view.statements[of];
    let others = view.statements.iter().enumerate();
    let newcomers = others.filter(|&(i, other)| {
        let begins = other.times.first().is_some_and(|&first| first >= at - near);
        i != of && begins && logger(other) == logger(this)
    });
    let (mut first, mut count) = (i64::MAX, 0);
    for (_, other) in newcomers {
        first = first.min(other.times[0]);
        count += other.count;
    }
    let [elapsed, left] = [at - view.span.0, view.span.1 - at].map(|part| part.max(1) as f64);
    let before = this.times.partition_point(|&time| time < at) as f64 * this.stride as f64;
    first <= at.saturating_add(late) && count as f64 * 2.0 > before / elapsed * left
}

/// Whether the same pattern came from the same logger in another way: with another exception, at another
/// level.
fn is_known(view: &View<'_>, of: usize) -> bool {
    let logger = |statement: &Statement| view.all.keys[statement.keys[0]].name.logger;
    let this = &view.statements[of];
    let first = this.times.first();
    view.statements.iter().any(|other| {
        other.pattern == this.pattern
            && this.pattern != usize::MAX
            && logger(other) == logger(this)
            && other.times.first() < first
    })
}
