//! When it began, and in which order findings matter.

use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
};

use super::{Change, Finding};

/// When it began: the earliest time from which anomalies begin together that weigh half as much as the
/// heaviest such group. Of a logger the heaviest counts: twenty values of one statement are one witness.
///
/// Gives the moments at which the anomalies of that group began, earliest first; only of those whose beginning
/// is known best.
pub(super) fn onsets(changes: &[Finding], span: (i64, i64)) -> Vec<i64> {
    let together = ((span.1 - span.0) / 50).max(30_000_000_000);
    let anomalies = || changes.iter().filter(|change| change.is_anomaly);
    let group = |start: i64| {
        anomalies().filter(move |a| (start..=start.saturating_add(together)).contains(&a.at.0))
    };
    let weight = |start: i64| -> f64 {
        let mut heaviest: HashMap<&str, f64> = HashMap::new();
        for one in group(start) {
            let heavy = heaviest.entry(&one.logger).or_default();
            *heavy = heavy.max(one.weight);
        }
        heaviest.values().sum()
    };
    let groups: Vec<(i64, f64)> = anomalies().map(|a| (a.at.0, weight(a.at.0))).collect();
    let heaviest = groups.iter().map(|group| group.1).fold(0.0, f64::max);
    let Some(start) =
        groups.iter().filter(|group| group.1 >= heaviest / 2.0).map(|group| group.0).min()
    else {
        return Vec::new();
    };
    let sharpest = group(start).map(|one| sharpness(&one.change)).max();
    let is_sharp = |one: &&Finding| Some(sharpness(&one.change)) == sharpest;
    let mut moments: Vec<i64> = group(start).filter(is_sharp).map(|one| one.at.0).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// How well it is known when a change began: of what is new or fell silent exactly; of what grew, the first
/// event too many is not to be told from those before; least of numbers.
pub(super) fn sharpness(change: &Change) -> u8 {
    match change {
        Change::New { .. } | Change::Silent { .. } => 2,
        Change::More { .. } | Change::Less { .. } => 1,
        Change::Shift { .. } | Change::Once => 0,
    }
}

/// Puts what matters most first. Another finding of the same kind about the same logger says less than the
/// first, and is moved back.
pub(super) fn ranked(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut seen: HashMap<(Box<str>, Discriminant<Change>), u32> = HashMap::new();
    for finding in &mut findings {
        let before =
            seen.entry((finding.logger.clone(), discriminant(&finding.change))).or_default();
        finding.weight -= 3.0 * f64::from(*before);
        *before += 1;
    }
    findings.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    findings
}

/// In turn: the heaviest change, the first suspect, … Where it is not known well when it began, two changes for
/// each suspect.
pub(super) fn interleaved(changes: Vec<Finding>, suspects: Vec<Finding>) -> Vec<Finding> {
    let anomalies = changes.iter().filter(|change| change.is_anomaly);
    let is_sharp = anomalies.map(|one| sharpness(&one.change)).max() == Some(2);
    let changes_each = if is_sharp { 1 } else { 2 };
    let mut all = Vec::with_capacity(changes.len() + suspects.len());
    let (mut changes, mut suspects) = (changes.into_iter(), suspects.into_iter());
    loop {
        let before = all.len();
        all.extend(changes.by_ref().take(changes_each));
        all.extend(suspects.next());
        if all.len() == before {
            return all;
        }
    }
}
