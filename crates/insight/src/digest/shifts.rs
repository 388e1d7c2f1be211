//! Numbers of statements that shift: durations, sizes, counts.

use super::{
    Change, Finding, Moved,
    collect::Key,
    detect::{VALUES_MAX, View},
    statement::merged,
};
use crate::{numbers::Unit, series};

/// Chance at most of a shift of numbers.
const CHANCE_MAX: f64 = 1e-6;
/// Values that a shift needs, and on each side.
const NUMBERS_MIN: usize = 14;
const NUMBERS_SIDE_MIN: usize = 6;
/// A leap is at least this factor, with so many values on each side.
const LEAP: f64 = 2.5;
const LEAP_SIDE_MIN: usize = 8;
/// Values of a number that are tested.
const NUMBERS_MAX: usize = 2000;
/// A median that moved less than this, as a factor, is not told.
const SHIFTED: f64 = 1.5;

/// Numbers that shifted: of the statement, or where only a few of its values did, as one job of many, of these.
pub(super) fn shifts(view: &View<'_>, of: usize, keys: &[&Key]) -> Vec<Finding> {
    let whole = numbers(view, of, keys);
    if !(2..=VALUES_MAX).contains(&keys.len()) {
        return whole.into_iter().collect();
    }
    let each: Vec<Finding> = keys.iter().filter_map(|key| numbers(view, of, &[key])).collect();
    let told = keys.iter().filter(|key| key.count >= NUMBERS_MIN as u64).count();
    let is_of_few = !each.is_empty() && each.len() * 2 <= told;
    match whole {
        Some(whole) if !is_of_few => vec![whole],
        _ => each,
    }
}

/// Numbers of a statement that shifted, as one finding.
fn numbers(view: &View<'_>, of: usize, keys: &[&Key]) -> Option<Finding> {
    let many = if keys.len() == 1 { None } else { Some(merged(keys)) };
    let slots = many.as_deref().unwrap_or_else(|| &keys[0].slots);
    let mut moved: Vec<(i64, Moved)> = slots
        .iter()
        .filter_map(|slot| {
            let (at, chance, p50, p95) = shifted(&slot.values, slot.unit)?;
            Some((at, Moved { name: slot.name.clone(), unit: slot.unit, p50, p95, chance }))
        })
        .collect();
    moved.sort_by(|a, b| b.1.size().total_cmp(&a.1.size()));
    moved.truncate(4);
    let at = moved.iter().map(|(at, _)| *at).min()?;
    let size = moved[0].1.size();
    // Of what fell a little nobody complains.
    let is_wrong = moved.iter().any(|(_, moved)| moved.is_up() || moved.size() > 3.0);
    let change = Change::Shift { numbers: moved.into_iter().map(|(_, moved)| moved).collect() };
    let mut finding = view.finding(of, keys, change, at)?;
    finding.is_anomaly = is_wrong;
    finding.weight = 10.0 + size.ln() * 3.0;
    Some(finding)
}

/// Where values shift: since when, how sure, medians and 95th percentiles before and after.
fn shifted(values: &[(i64, f64)], unit: Unit) -> Option<(i64, f64, [f64; 2], [f64; 2])> {
    // The same number again and again is somebody's, an id: of a burst it counts once.
    let mut once;
    let values = if unit == Unit::None {
        once = values.to_vec();
        once.dedup_by_key(|value| value.1);
        &once
    } else {
        values
    };
    if values.len() < NUMBERS_MIN {
        return None;
    }
    let step = values.len().div_ceil(NUMBERS_MAX);
    let sampled: Vec<(i64, f64)> = values.iter().step_by(step).copied().collect();
    let plain: Vec<f64> = sampled.iter().map(|value| value.1).collect();
    if is_counter(&plain) {
        return None;
    }
    let shift = series::shift(&plain)?;
    let is_far = |[before, after]: [f64; 2]| {
        let (low, high) = (before.min(after), before.max(after));
        high > 0.0 && low >= 0.0 && high >= SHIFTED * low
    };
    let sides = shift.at.min(plain.len() - shift.at);
    let is_sure = shift.chance <= CHANCE_MAX || unit != Unit::None && is_leap(&plain, shift.at);
    if !is_sure || sides < NUMBERS_SIDE_MIN || !is_far(shift.p50) {
        return None;
    }
    Some((sampled[begins(&plain, shift.at)].0, shift.chance, shift.p50, shift.p95))
}

/// Whether values rose at `at` so far that all but a tenth of those after lie above all before, where there
/// are too few for ranks to be sure.
fn is_leap(values: &[f64], at: usize) -> bool {
    let (before, after) = (series::sorted(&values[..at]), series::sorted(&values[at..]));
    let low = series::quantile(&after, 0.1);
    before.len().min(after.len()) >= LEAP_SIDE_MIN
        && low > series::quantile(&before, 1.0)
        && series::quantile(&after, 0.5) > LEAP * series::quantile(&before, 0.5)
}

/// Where the move begins that has its middle at `at`: a slow growth began before it is half done. Back from
/// there as long as what lies between is not as it was before: medians of seven against the ninth decile
/// of the first half.
fn begins(values: &[f64], at: usize) -> usize {
    let calm = series::sorted(&values[..at.div_ceil(2)]);
    let (low, high) = (series::quantile(&calm, 0.2), series::quantile(&calm, 0.8));
    let median = |i: usize| {
        series::quantile(
            &series::sorted(&values[i.saturating_sub(3)..(i + 4).min(values.len())]),
            0.5,
        )
    };
    let mut begin = at;
    while begin > 1 && !(low..=high).contains(&median(begin - 1)) {
        begin -= 1;
    }
    begin
}

/// Whether values only ever grow: a total, a sequence number, a time.
fn is_counter(values: &[f64]) -> bool {
    let rises = values.windows(2).filter(|pair| pair[1] > pair[0]).count();
    rises * 20 >= (values.len() - 1) * 19
}
