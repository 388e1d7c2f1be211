//! What a series of times or of numbers says: where it is denser than elsewhere, where it falls
//! silent, where its values shift.
//!
//! Named methods, each robust against what logs are like (bursts, skewed durations, a daily wave):
//!
//! - [`densest`] and [`thinnest`]: Kulldorff's scan statistic for a Poisson process. Of all windows the
//!   one whose count is least likely, given the series' rate outside of it. One method for a series that
//!   begins late, a spike, a rise that stays, and for a drop.
//! - [`Rhythm`]: a series is periodic when most gaps between its events lie near their median.
//! - [`shift`]: Pettitt's rank test for one change point. No distribution is assumed; one outlier counts as
//!   one value, however large.
//!
//! All times are nanoseconds, sorted, and so near each other that differences are no overflow. Nothing allocates more than the input's size.

/// A window of a series of times in which it is denser, or thinner, than in the rest of a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Time of its first event, or where it begins when it has none.
    pub from: i64,
    /// Time of its last event; where it ends when it has none.
    pub until: i64,
    /// Index of its first event.
    pub first: usize,
    /// Events in it.
    pub inside: usize,
    /// Its share of the span, above 0, at most 1.
    pub share: f64,
    /// Logarithm of the likelihood ratio against an even rate, in nats.
    pub llr: f64,
    /// Rate inside over rate outside; infinite when nothing is outside.
    pub ratio: f64,
}

impl Window {
    /// How sure it is, in nats: the likelihood ratio less what choosing the window could have given by
    /// chance. Above 14 or so one in a million series of even rate has such a window.
    #[must_use]
    pub fn sureness(&self) -> f64 {
        self.llr + self.share.ln() - (self.inside.max(1) as f64).ln()
    }
}

impl Window {
    /// The same window if it had this share of what happens, as of all traffic rather than of time; `all` are the
    /// series' events.
    #[must_use]
    pub fn against(self, all: usize, share: f64) -> Self {
        let share = share.clamp(1e-7, 1.0 - 1e-7);
        let llr = ratio_of(self.inside as f64, all as f64, share);
        Self { share, llr, ratio: rates(self.inside, all, share), ..self }
    }
}

/// Windows are looked for between so many places of a span.
const PLACES: usize = 96;

/// The time at a share of a span.
#[expect(clippy::cast_possible_truncation, reason = "a part of the span, which is an i64")]
fn at_share(span: (i64, i64), share: f64) -> i64 {
    span.0 + ((span.1 - span.0) as f64 * share) as i64
}

/// Poisson log likelihood ratio of `inside` of `all` events in `share` of the span.
fn ratio_of(inside: f64, all: f64, share: f64) -> f64 {
    let part = |events: f64, expected: f64| {
        if events > 0.0 { events * (events / expected).ln() } else { 0.0 }
    };
    part(inside, all * share) + part(all - inside, all * (1.0 - share))
}

fn rates(inside: usize, all: usize, share: f64) -> f64 {
    let outside = (all - inside) as f64;
    if outside == 0.0 {
        return f64::INFINITY;
    }
    inside as f64 / share / (outside / (1.0 - share).max(f64::EPSILON))
}

/// The window that is denser than the rest with the largest likelihood ratio; `None` with fewer than two
/// events or a span of no length.
///
/// With up to 96 events exact to the event; beyond that to a 96th of the events, then made exact at its
/// beginning. O(n + 96²).
#[must_use]
pub fn densest(times: &[i64], span: (i64, i64)) -> Option<Window> {
    let length = (span.1 - span.0) as f64;
    if times.len() < 2 || length <= 0.0 {
        return None;
    }
    let all = times.len() as f64;
    let measure = |first: usize, last: usize| {
        // An event stands for the gap to the next as well: a single moment has a length.
        let long = (times[last] - times[first]) as f64;
        let inside = (last - first + 1) as f64;
        let share = (long / length * inside / (inside - 1.0).max(1.0)).clamp(1e-7, 1.0 - 1e-7);
        let llr = if inside / all > share { ratio_of(inside, all, share) } else { 0.0 };
        (llr, share)
    };
    // Where windows may begin and end: by events and by time, as a flood hides all else of the first.
    let mut places: Vec<usize> = if times.len() <= PLACES {
        (0..times.len()).collect()
    } else {
        let even = |i: usize| i * (times.len() - 1) / (PLACES / 2);
        let timed = |i: usize| {
            let at = at_share(span, i as f64 / (PLACES / 2) as f64);
            times.partition_point(|&t| t < at).min(times.len() - 1)
        };
        (0..=PLACES / 2).flat_map(|i| [even(i), timed(i), timed(i).saturating_sub(1)]).collect()
    };
    places.sort_unstable();
    places.dedup();
    let mut best = (0.0, 0.0, 0, 0);
    for (i, &first) in places.iter().enumerate() {
        for &last in &places[i + 1..] {
            let (llr, share) = measure(first, last);
            if llr > best.0 {
                best = (llr, share, first, last);
            }
        }
    }
    // Made exact: each edge moved to the best event near.
    let step = times.len() / (PLACES / 2) + 1;
    for _ in 0..2 {
        let (_, _, first, last) = best;
        for edge in first.saturating_sub(step)..(first + step).min(last) {
            let (llr, share) = measure(edge, last);
            if llr > best.0 {
                best = (llr, share, edge, last);
            }
        }
        let first = best.2;
        for edge in (last.saturating_sub(step)).max(first + 1)..(last + step).min(times.len()) {
            let (llr, share) = measure(first, edge);
            if llr > best.0 {
                best = (llr, share, first, edge);
            }
        }
        if times.len() <= PLACES {
            break;
        }
    }
    let (llr, share, first, last) = best;
    let inside = last - first + 1;
    (llr > 0.0).then(|| Window {
        from: times[first],
        until: times[last],
        first,
        inside,
        share,
        llr,
        ratio: rates(inside, times.len(), share),
    })
}

/// The window that is thinner than the rest with the largest likelihood ratio, to a 96th of the span.
///
/// `None` with fewer than eight events, or where none is thinner. It begins at the last event before it
/// grew thin. O(n + 96²).
#[must_use]
pub fn thinnest(times: &[i64], span: (i64, i64)) -> Option<Window> {
    let length = (span.1 - span.0) as f64;
    if times.len() < 8 || length <= 0.0 {
        return None;
    }
    let edge = |i: usize| at_share(span, i as f64 / PLACES as f64);
    let before: Vec<usize> =
        (0..=PLACES).map(|i| times.partition_point(|&t| t < edge(i))).collect();
    let all = times.len() as f64;
    let mut best = (0.0, 0, 0);
    for from in 0..PLACES {
        for until in from + 1..=PLACES {
            let share = ((until - from) as f64 / PLACES as f64).min(1.0 - 1e-7);
            let inside = (before[until] - before[from]) as f64;
            if inside / all < share {
                let llr = ratio_of(inside, all, share);
                if llr > best.0 {
                    best = (llr, from, until);
                }
            }
        }
    }
    let (llr, from, until) = best;
    let (first, inside) = (before[from], before[until] - before[from]);
    let share = (until - from) as f64 / PLACES as f64;
    (llr > 0.0).then(|| Window {
        from: if inside == 0 && first > 0 { times[first - 1] } else { edge(from) },
        until: edge(until),
        first,
        inside,
        share,
        llr,
        ratio: rates(inside, times.len(), share),
    })
}

/// Something periodic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// The usual gap between two events, in nanoseconds.
    pub period: i64,
    /// Share of gaps that lie within a fifth of it.
    pub regular: f64,
}

/// The share of gaps between events at random that lies within a fifth of their median.
const NEAR_BY_CHANCE: f64 = 0.14;
/// Chance at most that events at random look periodic.
const RHYTHM_CHANCE: f64 = 1e-6;

impl Rhythm {
    /// The rhythm of a series of which more gaps are near their median than chance could bring about (one
    /// series of random times in a million); so at least seven. `None` of others.
    #[must_use]
    pub fn of(times: &[i64]) -> Option<Self> {
        let mut gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if gaps.len() < 7 {
            return None;
        }
        let middle = gaps.len() / 2;
        let (_, &mut period, _) = gaps.select_nth_unstable(middle);
        let near = gaps.iter().filter(|&&gap| (gap - period).abs() <= period / 5).count();
        let regular = near as f64 / gaps.len() as f64;
        // Chernoff's bound of the binomial tail.
        let part = |share: f64, of: f64| if share > 0.0 { share * (share / of).ln() } else { 0.0 };
        let divergence = part(regular, NEAR_BY_CHANCE) + part(1.0 - regular, 1.0 - NEAR_BY_CHANCE);
        let chance = (-divergence * gaps.len() as f64).exp();
        (period > 0 && regular > 0.6 && chance < RHYTHM_CHANCE).then_some(Self { period, regular })
    }

    /// The longest time without an event from one of `times` to the next or to `end`, if it is at least
    /// three and a half periods and half as long again as every other: the last event before, and the next
    /// or `end`.
    #[must_use]
    pub fn silence(&self, times: &[i64], end: i64) -> Option<(i64, i64)> {
        let gaps = times.iter().copied().zip(times.iter().copied().skip(1).chain([end]));
        let (from, until) = gaps.clone().max_by_key(|(from, until)| until - from)?;
        let next = gaps.filter(|gap| *gap != (from, until)).map(|(from, until)| until - from).max();
        let least =
            (self.period.saturating_mul(7) / 2).max(next.unwrap_or(0).saturating_mul(3) / 2);
        (until - from >= least).then_some((from, until))
    }
}

/// Whether the events of a window come all through it, and are not a burst or two with stragglers: of up to
/// eight equal parts of it, six in ten hold at least half of what each would hold.
///
/// Of sorted times. False of fewer than six. O(n).
#[must_use]
pub fn is_spread(times: &[i64]) -> bool {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return false };
    let parts = (times.len() / 2).clamp(3, 8);
    let length = last - first;
    if times.len() < 6 || length <= 0 {
        return false;
    }
    let mut counts = [0_usize; 8];
    for time in times {
        let part = i128::from(time - first) * parts as i128 / i128::from(length);
        counts[usize::try_from(part).unwrap_or(0).min(parts - 1)] += 1;
    }
    let full = counts[..parts].iter().filter(|&&count| count * parts * 2 >= times.len()).count();
    full * 10 >= parts * 6
}

/// A shift of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Index of the first value after it.
    pub at: usize,
    /// Chance of such a shift among values in random order, at most; 0 when it is smaller than can be told.
    pub chance: f64,
    /// Medians before and after.
    pub p50: [f64; 2],
    /// 95th percentiles before and after.
    pub p95: [f64; 2],
}

/// The one place at which values shift most, by Pettitt's rank test; `None` with fewer than eight values
/// or when all are the same. O(n log n).
#[must_use]
pub fn shift(values: &[f64]) -> Option<Shift> {
    let n = values.len();
    if n < 8 {
        return None;
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    // Twice the mid-rank, so that ties stay whole numbers.
    let mut ranks = vec![0_i64; n];
    let mut start = 0;
    while start < n {
        let same =
            order[start..].iter().take_while(|&&i| values[i] == values[order[start]]).count();
        let rank = i64::try_from(2 * start + same + 1).unwrap_or(i64::MAX);
        order[start..start + same].iter().for_each(|&i| ranks[i] = rank);
        start += same;
    }
    let (mut sum, mut best, mut at) = (0_i64, 0_i64, 0);
    for (i, rank) in ranks.iter().enumerate() {
        sum += rank - i64::try_from(n + 1).unwrap_or(i64::MAX);
        if sum.abs() > best {
            (best, at) = (sum.abs(), i + 1);
        }
    }
    if best == 0 || at == n {
        return None;
    }
    let (k, n) = (best as f64, n as f64);
    let chance = (2.0 * (-6.0 * k * k / (n * n * n + n * n)).exp()).min(1.0);
    let (before, after) = (sorted(&values[..at]), sorted(&values[at..]));
    Some(Shift {
        at,
        chance,
        p50: [quantile(&before, 0.5), quantile(&after, 0.5)],
        p95: [quantile(&before, 0.95), quantile(&after, 0.95)],
    })
}

/// The values in ascending order.
#[must_use]
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The quantile (0 to 1) of values in ascending order, the nearest rank; not a number of none.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index of the slice"
)]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(at.max(1) - 1).or(sorted.last()).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
