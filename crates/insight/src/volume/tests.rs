use proptest::prelude::*;

use super::*;

/// Counts of a Poisson process of this rate a step, always the same for a seed.
fn noise(rate: f64, steps: usize, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..steps)
        .map(|_| {
            // Knuth's method.
            let (limit, mut product, mut n) = ((-rate).exp(), uniform(), 0);
            while product > limit {
                product *= uniform();
                n += 1;
            }
            n
        })
        .collect()
}

fn kinds(counts: &[u32]) -> Vec<(EventKind, [usize; 2])> {
    events(counts).iter().map(|event| (event.kind, event.steps)).collect()
}

#[test]
fn noise_has_no_events() {
    let mut seen = 0;
    for seed in 1..=300 {
        for rate in [0.1, 1.0, 5.0, 40.0, 300.0] {
            seen += events(&noise(rate, 60, seed)).len();
        }
    }
    assert!(seen <= 3, "{seen} events in 1500 series of noise");
}

#[test]
fn spikes_drops_and_silences() {
    for few in [1, 10, 200] {
        let (rate, high) = (f64::from(few), few * 10 + 20);
        let mut counts = noise(rate, 60, 7);
        counts[40..43].fill(high);
        assert_eq!(kinds(&counts), [(EventKind::Spike, [40, 43])], "{rate}");
        let found = events(&counts)[0];
        assert!(found.per_step == f64::from(high) && (found.usual - rate).abs() <= rate.max(1.0));
    }
    let mut counts = noise(50.0, 60, 9);
    counts[20..24].fill(2);
    assert_eq!(kinds(&counts), [(EventKind::Drop, [20, 24])]);
    let mut counts = noise(5.0, 60, 9);
    counts[50..].fill(0);
    assert_eq!(kinds(&counts), [(EventKind::Silence, [50, 60])]);
    // A job each tenth step that came six times and then no more.
    let counts: Vec<u32> = (0..120).map(|step| u32::from(step % 10 == 0 && step < 60)).collect();
    assert_eq!(kinds(&counts), [(EventKind::Silence, [51, 120])]);
}

#[test]
fn what_always_returns_is_no_event() {
    // A job each five steps that logs a lot, over little else.
    let counts: Vec<u32> = noise(2.0, 60, 3)
        .iter()
        .enumerate()
        .map(|(i, n)| n + if i % 5 == 0 { 80 } else { 0 })
        .collect();
    assert_eq!(kinds(&counts), []);
    // Few and far between, at the end too: no silence.
    let counts: Vec<u32> = (0..60).map(|step| u32::from(step % 20 == 0)).collect();
    assert_eq!(kinds(&counts), []);
}

#[test]
fn steps_cover_the_window() {
    let window = Window { from: Timestamp(1000), to: Timestamp(1999) };
    let mut volume = Volume::new(window, 10);
    for time in 900..2100 {
        volume.add(Timestamp(time), if time % 2 == 0 { "even" } else { "odd" });
    }
    assert_eq!(volume.total(), [100; 10]);
    assert_eq!((volume.begins(0), volume.begins(9)), (Timestamp(1000), Timestamp(1900)));
    let series = volume.series();
    assert_eq!(series.len(), 2);
    assert_eq!((series[0].value.as_deref(), series[0].count), (Some("even"), 500));
    let mut volume = Volume::new(window, 10);
    for time in 1000..2000 {
        volume.add(Timestamp(time), &time.to_string());
    }
    let series = volume.series();
    assert_eq!((series.len(), series[500].value.as_deref(), series[500].count), (501, None, 500));
}

proptest! {
    #[test]
    fn any_counts_are_looked_through(counts in prop::collection::vec(prop_oneof![0..5u32, any::<u32>()], 0..100)) {
        for event in events(&counts) {
            prop_assert!(event.steps[0] < event.steps[1] && event.steps[1] <= counts.len());
        }
    }

    #[test]
    fn no_time_falls_outside(from in any::<i64>(), len in 0..i64::MAX, at in any::<i64>(), steps in 0..2000usize) {
        let window = Window { from: Timestamp(from), to: Timestamp(from.saturating_add(len)) };
        let mut volume = Volume::new(window, steps);
        volume.add(Timestamp(at), "x");
        volume.add(window.to, "x");
        let expected = 1 + u32::from(window.contains(Timestamp(at)));
        prop_assert_eq!(volume.total().iter().sum::<u32>(), expected);
    }
}
