use super::*;

fn utc() -> Context<'static> {
    Context::utc(Timestamp(0))
}

fn check(
    parse: impl Fn(&mut Scan<'_>, Context<'_>) -> Option<Timestamp>,
    text: &str,
    expected: &str,
) {
    let mut s = Scan::new(text);
    let found = parse(&mut s, utc()).map(|t| format!("{t}|{}", s.rest));
    assert_eq!(found.as_deref(), Some(expected), "{text}");
}

#[test]
fn dates_with_and_without_zone() {
    check(iso, "2026-01-02T03:04:05Z x", "2026-01-02T03:04:05.000000Z| x");
    check(iso, "2026-01-02 03:04:05,678 - a", "2026-01-02T03:04:05.678000Z| - a");
    check(iso, "2026-01-02T03:04:05.678901+01:00", "2026-01-02T02:04:05.678901Z|");
    check(iso, "2026-01-02 03:04:05 +0530] x", "2026-01-01T21:34:05.000000Z|] x");
    check(iso, "2026-01-02 03:04:05.678 CET [1]", "2026-01-02T02:04:05.678000Z| [1]");
    check(iso, "2026-01-02 03:04:05 INFO x", "2026-01-02T03:04:05.000000Z| INFO x");
    check(iso, "2000-02-29T00:00:00-0800", "2000-02-29T08:00:00.000000Z|");
    check(clf, "02/Jan/2026:03:04:05 +0000]", "2026-01-02T03:04:05.000000Z|]");
    check(asctime, "Sun Dec 04 04:47:44.5 2005]", "2005-12-04T04:47:44.500000Z|]");
    check(compact, "081109 203615 148", "2008-11-09T20:36:15.000000Z| 148");
    assert!(iso(&mut Scan::new("2026-02-29 00:00:00"), utc()).is_none());
    assert!(iso(&mut Scan::new("9999-01-01 00:00:00"), utc()).is_none());
    assert!(iso(&mut Scan::new("2026-01-02 24:00:00"), utc()).is_none());
}

#[test]
fn the_year_is_the_arrivals() {
    let arrival = iso_text("2026-01-01T12:00:00Z", utc()).unwrap();
    let at = |text: &str| rfc3164(&mut Scan::new(text), Context::utc(arrival)).unwrap().to_string();
    assert_eq!(at("Jan  1 03:04:05"), "2026-01-01T03:04:05.000000Z");
    assert_eq!(at("Jan  2 03:04:05"), "2026-01-02T03:04:05.000000Z");
    assert_eq!(at("Dec 31 23:59:59"), "2025-12-31T23:59:59.000000Z");
    assert_eq!(at("Feb 29 00:00:00"), "2024-02-29T00:00:00.000000Z");
}

#[test]
fn epochs_by_magnitude() {
    let expected = Timestamp(1_700_000_000_123_000_000);
    assert_eq!(epoch_int(1_700_000_000_123), Some(expected));
    assert_eq!(epoch_int(1_700_000_000_123_000), Some(expected));
    assert_eq!(epoch_int(1_700_000_000_123_000_000), Some(expected));
    assert_eq!(epoch_float(1_700_000_000.123), Some(expected));
    assert_eq!(epoch_text("1700000000.123"), Some(expected));
}
