//! A digest as text: a line a finding, earliest first.
//!
//! What matters most is chosen first, as much as the budget holds; then it is put into the order of time.

use std::{fmt::Write as _, io::Write as _};

use logrec_core::{Level, NS_PER_S, Timestamp};
use logrec_insight::{
    digest::{Change, Digest, Finding, Moved, Noise, Sample},
    numbers::Unit,
};

use super::{Answer, Health};
use crate::text::{MARKDOWN_HEAD, item, visible};

/// Bytes of a message shown, with a small budget and with a large one.
const MESSAGE_BYTES: [usize; 2] = [140, 220];
/// Below so many bytes a budget is small; from so many on it is large.
const SMALL: usize = 1800;
const LARGE: usize = 4000;
/// Findings told at most.
pub(super) const FINDINGS_MAX: usize = 40;

const WHAT_CHANGED: &str = "# what changed, earliest first (! is wrong, ? is rare and came right before: a possible cause)\n";
const LEFT_OUT: &str = " more that matter less were left out";

pub(super) fn render(answer: &Answer, max_bytes: usize, is_markdown: bool) -> Vec<u8> {
    let digest = &answer.digest;
    let mut out = if is_markdown { MARKDOWN_HEAD.to_vec() } else { Vec::new() };
    out.extend_from_slice(head(answer).as_bytes());
    let clock = Clock::new(digest);
    // A small budget is for what changed.
    let [asked, loud] = match max_bytes {
        ..SMALL => [1, 0],
        SMALL..LARGE => [3, 2],
        _ => [3, 6],
    };
    let (next, noise) = (next(answer, asked), noise(digest, loud));
    let cut = MESSAGE_BYTES[usize::from(max_bytes >= LARGE)];
    let mut room =
        max_bytes.saturating_sub(out.len() + next.len() + noise.len() + LEFT_OUT.len() + 8);
    room = room.saturating_sub(WHAT_CHANGED.len());
    let mut chosen: Vec<(Timestamp, Vec<u8>)> = Vec::new();
    let mut left_out = digest.findings.len().saturating_sub(FINDINGS_MAX);
    for finding in digest.findings.iter().take(FINDINGS_MAX) {
        let line = line(finding, digest, &clock, cut);
        let mut written = Vec::new();
        if is_markdown {
            item(&mut written, &line, true);
        } else {
            written.extend_from_slice(line.as_bytes());
            written.push(b'\n');
        }
        if written.len() <= room {
            room -= written.len();
            chosen.push((finding.at, written));
        } else {
            left_out += 1;
        }
    }
    chosen.sort_by_key(|(at, _)| *at);
    if !chosen.is_empty() {
        out.extend_from_slice(WHAT_CHANGED.as_bytes());
    }
    chosen.iter().for_each(|(_, line)| out.extend_from_slice(line));
    if left_out > 0 {
        let _ = writeln!(out, "# {left_out}{LEFT_OUT}");
    }
    for part in [noise, next] {
        if out.len() + part.len() <= max_bytes {
            out.extend_from_slice(part.as_bytes());
        }
    }
    out
}

fn head(answer: &Answer) -> String {
    let digest = &answer.digest;
    let Some((from, until)) = digest.span else {
        return "# no entries\nanomalies: none\n".into();
    };
    let levels: Vec<String> = Level::ALL
        .iter()
        .rev()
        .map(|level| (level, digest.levels[usize::from(level.index())]))
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| format!("{level} {count}"))
        .collect();
    let mut out = format!(
        "# {} entries, {:.0} to {:.0}; {}; {} loggers, {} patterns",
        digest.entries,
        from.to_jiff(),
        until.to_jiff(),
        levels.join(" "),
        digest.loggers,
        digest.patterns
    );
    let Health { sources, overwritten, dropped, troubled } = &answer.health;
    for (count, what) in [
        (u64::from(*sources > 1) * sources, "sources"),
        (*overwritten, "older ones overwritten"),
        (*dropped, "dropped"),
        (*troubled, "sources in trouble"),
        (digest.untold, "not told apart"),
    ] {
        if count > 0 {
            let _ = write!(out, ", {count} {what}");
        }
    }
    match digest.onset {
        Some(onset) => {
            let _ =
                writeln!(out, "\nanomalies: {}\nonset: {:.0}", digest.anomalies, onset.to_jiff());
        }
        None => out.push_str("\nanomalies: none\n"),
    }
    out
}

/// What is loud and always was, in one line.
fn noise(digest: &Digest, most: usize) -> String {
    let one = |noise: &Noise| {
        format!(
            "{} {} {}: {}",
            noise.count,
            noise.level,
            shown(&noise.logger, 40),
            shown(&noise.template, 60)
        )
    };
    let all: Vec<String> = digest.noise.iter().take(most).map(one).collect();
    if all.is_empty() { String::new() } else { format!("# loud as ever: {}\n", all.join("; ")) }
}

fn next(answer: &Answer, most: usize) -> String {
    let mut all = answer.next();
    all.truncate(most);
    if all.is_empty() { String::new() } else { format!("# next: {}\n", all.join("  ")) }
}

pub(super) struct Clock {
    with_date: bool,
}

impl Clock {
    pub(super) fn new(digest: &Digest) -> Self {
        let day = 86_400 * NS_PER_S;
        Self { with_date: digest.span.is_some_and(|(from, until)| until.0 - from.0 >= day) }
    }

    fn of(&self, time: Timestamp) -> String {
        let time = time.to_jiff();
        if self.with_date { format!("{time:.0}") } else { time.strftime("%H:%M:%S").to_string() }
    }
}

fn line(finding: &Finding, digest: &Digest, clock: &Clock, cut: usize) -> String {
    let mark = match (finding.is_anomaly, finding.is_suspect) {
        (true, _) => '!',
        (_, true) => '?',
        (false, false) => ' ',
    };
    let what = change(finding, digest, clock);
    let mut out = format!("{} {mark} {what}: {} ", clock.of(finding.at), finding.level);
    if !finding.logger.is_empty() {
        out.push_str(&shown(&finding.logger, 80));
        out.push_str(": ");
    }
    out.push_str(&sample(&finding.sample, cut));
    let _ = write!(out, " id={}", finding.sample.id);
    out
}

fn sample(sample: &Sample, cut: usize) -> String {
    let mut out = shown(&sample.message, cut);
    if !sample.attributes.is_empty() {
        let _ = write!(out, " {{{}}}", shown(&sample.attributes, cut));
    }
    if let Some(exception) = &sample.exception {
        let _ = write!(out, " | {}", shown(exception, cut + 40));
    }
    out
}

/// A stranger's text in a line, cut with how much is missing.
pub(super) fn shown(text: &str, most: usize) -> String {
    let kept = &text[..text.floor_char_boundary(most)];
    let mut bytes = Vec::new();
    visible(&mut bytes, kept);
    let mut out = String::from_utf8_lossy(&bytes).into_owned();
    if kept.len() < text.len() {
        let _ = write!(out, "…+{}", text.len() - kept.len());
    }
    out
}

pub(super) fn change(finding: &Finding, digest: &Digest, clock: &Clock) -> String {
    let what = plain_change(finding, digest, clock);
    finding
        .value
        .as_ref()
        .map_or_else(|| what.clone(), |value| format!("{what}, of {}", shown(value, 60)))
}

fn plain_change(finding: &Finding, digest: &Digest, clock: &Clock) -> String {
    let until = finding.until.map_or(String::new(), |until| format!(" until {}", clock.of(until)));
    match &finding.change {
        Change::New { inside } => format!("new, {inside} since{until}"),
        Change::More { per_hour: [before, after], ratio } => {
            format!("{ratio:.1}x more{until} ({} -> {}/h)", rounded(*before), rounded(*after))
        }
        Change::Less { per_hour: [before, after] } => {
            format!("dropped{until} ({} -> {}/h)", rounded(*before), rounded(*after))
        }
        Change::Silent { period_ns } => format!(
            "silent since {}{until}, expected every {}",
            clock.of(finding.at),
            seconds(*period_ns as f64 / 1e9)
        ),
        Change::Shift { numbers } => numbers.iter().map(moved).collect::<Vec<_>>().join("; "),
        Change::Once => {
            let count = if finding.count == 1 {
                "once".into()
            } else {
                format!("{} in all", finding.count)
            };
            match digest.onset {
                Some(onset) if finding.at <= onset => {
                    format!("{count}, {} before", seconds((onset.0 - finding.at.0) as f64 / 1e9))
                }
                _ => count,
            }
        }
    }
}

fn moved(moved: &Moved) -> String {
    let way = if moved.is_up() { "rising" } else { "falling" };
    let factor = if moved.is_up() { format!(" ({:.1}x)", moved.size()) } else { String::new() };
    let [p50, p95] = [pair(moved.p50, moved.unit), pair(moved.p95, moved.unit)];
    format!("{} {way} p50 {p50}{factor} p95 {p95}", shown(&moved.name, 40))
}

/// Two values in the same unit: `35 -> 310 ms`.
fn pair([before, after]: [f64; 2], unit: Unit) -> String {
    let (worth, name) = match unit {
        Unit::Seconds if before.max(after) < 1e-3 => (1e-6, " µs"),
        Unit::Seconds if before.min(after) < 1.0 => (1e-3, " ms"),
        Unit::Seconds => (1.0, " s"),
        Unit::Bytes if before.min(after) < 1e3 => (1.0, " B"),
        Unit::Bytes if before.min(after) < 1e6 => (1e3, " kB"),
        Unit::Bytes if before.min(after) < 1e9 => (1e6, " MB"),
        Unit::Bytes => (1e9, " GB"),
        Unit::Percent => (1.0, " %"),
        _ => (1.0, ""),
    };
    format!("{} -> {}{name}", rounded(before / worth), rounded(after / worth))
}

/// Three digits that count.
fn rounded(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{} s", rounded(s)),
        s if s < 7200.0 => format!("{} min", rounded(s / 60.0)),
        s => format!("{} h", rounded(s / 3600.0)),
    }
}
