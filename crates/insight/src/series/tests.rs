use super::*;

const SPAN: (i64, i64) = (0, 1_000_000);

/// Times with gaps between half and three halves of `gap`.
fn uneven(from: i64, until: i64, gap: i64) -> Vec<i64> {
    let (mut state, mut at, mut times) = (88_172_645_463_325_252_u64, from, Vec::new());
    while at < until {
        times.push(at);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        at += gap / 2 + i64::try_from(state % u64::try_from(gap).unwrap()).unwrap();
    }
    times
}

#[test]
fn what_begins_late_is_dense_from_its_first_event() {
    let window = densest(&uneven(600_000, 1_000_000, 5_000), SPAN).unwrap();
    assert_eq!((window.first, window.from), (0, 600_000));
    assert!(window.ratio.is_infinite() && window.sureness() > 30.0, "{window:?}");
}

#[test]
fn a_rise_begins_where_it_does_also_among_many() {
    for gap in [20_000, 400] {
        let mut times = uneven(0, 1_000_000, gap);
        times.extend(uneven(500_000, 700_000, gap / 5));
        times.sort_unstable();
        let window = densest(&times, SPAN).unwrap();
        assert!(
            (window.from - 500_000).abs() < 6_000 && (window.until - 700_000).abs() < 6_000,
            "{window:?}"
        );
        assert!((4.5..8.0).contains(&window.ratio), "{window:?}");
    }
}

#[test]
fn an_even_series_is_sure_of_nothing() {
    assert!(densest(&uneven(0, 1_000_000, 3_000), SPAN).unwrap().sureness() < 3.0);
    assert!(densest(&[5], SPAN).is_none());
    assert!(densest(&[5, 6], (5, 5)).is_none());
}

#[test]
fn a_drop_is_thin_from_the_last_event() {
    let times = uneven(0, 640_000, 4_000);
    let window = thinnest(&times, SPAN).unwrap();
    assert_eq!((window.inside, window.from), (0, *times.last().unwrap()));
    assert!(window.llr > 30.0 && window.ratio == 0.0);
}

#[test]
fn what_is_periodic_falls_silent() {
    let mut times: Vec<i64> = (0..12).map(|i| i * 60 + i % 3).collect();
    let rhythm = Rhythm::of(&times).unwrap();
    assert!((59..=61).contains(&rhythm.period));
    assert_eq!(rhythm.silence(&times, 700), None);
    assert_eq!(rhythm.silence(&times, 1000), Some((662, 1000)));
    times.push(930);
    assert_eq!(Rhythm::of(&times).unwrap().silence(&times, 1000), Some((662, 930)));
    assert_eq!(Rhythm::of(&[0, 1, 9, 10, 40, 41, 90, 200]), None);
}

#[test]
fn values_shift_once_and_outliers_do_not() {
    let mut values: Vec<f64> = (0..40_u32).map(|i| f64::from(i % 7) + 30.0).collect();
    assert!(shift(&values).unwrap().chance > 0.1);
    values[11] = 1e9;
    assert!(shift(&values).unwrap().chance > 0.1);
    values.extend((0..20_u32).map(|i| f64::from(i % 7) * 9.0 + 300.0));
    let shift = shift(&values).unwrap();
    assert!(shift.at == 40 && shift.chance < 1e-6, "{shift:?}");
    assert_eq!(shift.p50, [33.0, 327.0]);
}

#[test]
fn the_same_value_never_shifts() {
    assert_eq!(shift(&[4.0; 30]), None);
    assert!(quantile(&[], 0.5).is_nan());
}
