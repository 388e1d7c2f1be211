//! Timestamps as log lines write them, to nanoseconds since the epoch.
//!
//! A stated zone is used. A time without one is local to the machine that wrote it: what zone that
//! is, the [`Context`] says; UTC unless the decoder was told otherwise, for a container's clock is
//! UTC and a wrong guess is worse than a known convention. Where a format leaves out the year, it
//! is the one that puts the time nearest before the arrival, in that zone. Formats that state no
//! date at all (a bare `03:04:05`) are stamped with the arrival.
//!
//! Abbreviations are ambiguous: the zone's own come first (`CST` in Shanghai), then what one means
//! to most people. `UTC` and `GMT` are never anything else.
//!
//! Not here: RFC 3339 for people's queries, which is [`Timestamp::parse`].

use logrec_core::{NS_PER_S, Timestamp};

use crate::{
    civil::{Civil, Date},
    context::Context,
    scan::{self, Scan},
};

/// `HH:MM:SS` with `.frac` or `,frac` of any length; nanoseconds into the day.
fn clock(s: &mut Scan<'_>) -> Option<i64> {
    let hour = s.digits(2)?;
    s.eat(":")?;
    let minute = s.digits(2)?;
    s.eat(":")?;
    let second = s.digits(2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let whole = i64::from(hour * 3600 + minute * 60 + second) * NS_PER_S;
    Some(whole + fraction(s))
}

/// `.123` or `,123` in nanoseconds; 0 and nothing taken when there is none.
fn fraction(s: &mut Scan<'_>) -> i64 {
    let mut next = *s;
    if next.eat(".").or_else(|| next.eat(",")).is_none() {
        return 0;
    }
    let digits = next.run(|b| b.is_ascii_digit());
    if digits.is_empty() {
        return 0;
    }
    *s = next;
    let padded = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

/// `Z`, `+01:00`, `+0100`, `+01`: the offset in seconds.
fn offset(s: &mut Scan<'_>) -> Option<i64> {
    let mut next = *s;
    if next.eat("Z").or_else(|| next.eat("z")).is_some() {
        *s = next;
        return Some(0);
    }
    let sign = if next.eat("+").is_some() {
        1
    } else {
        next.eat("-").or_else(|| next.eat("\u{2212}"))?;
        -1
    };
    let hours = next.digits(2)?;
    let colon = next.eat(":").is_some();
    let minutes = match next.digits(2) {
        Some(minutes) => minutes,
        None if colon => return None,
        None => 0,
    };
    if hours > 23 || minutes > 59 || next.peek().is_some_and(|b| b.is_ascii_digit()) {
        return None;
    }
    *s = next;
    Some(sign * i64::from(hours * 3600 + minutes * 60))
}

/// The moment of a time, with the zone after it: an offset directly or after one blank, or a blank
/// and a name. Nothing more is taken when there is none.
fn zoned(s: &mut Scan<'_>, civil: Civil, cx: Context<'_>) -> Option<Timestamp> {
    if let Some(offset_s) = offset(s) {
        return civil.at_offset(offset_s);
    }
    let mut next = *s;
    let found = next.eat(" ").and_then(|()| zone_after_blank(&mut next, civil, cx));
    if found.is_some() {
        *s = next;
        return found;
    }
    cx.moment(civil)
}

/// The moment of a time whose zone begins here. The cursor is anywhere when there is none.
fn zone_after_blank(s: &mut Scan<'_>, civil: Civil, cx: Context<'_>) -> Option<Timestamp> {
    let is_digit = |b: u8| b.is_ascii_digit() || b == b':';
    match s.peek()? {
        // A number is an offset only with all its digits: `- 12` is not.
        b'+' | b'-' if s.rest.get(1..5).is_some_and(|digits| digits.bytes().all(is_digit)) => {
            return civil.at_offset(offset(s)?);
        }
        // Zones without letters of their own are abbreviated as `-03`.
        b'+' | b'-' | b'A'..=b'Z' => {}
        _ => return None,
    }
    let mut local = *s;
    let name = local.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'+' | b'-'));
    if is_own_zone_perhaps(name)
        && let Some(found) = cx.moment_named(civil, name)
    {
        *s = local;
        return Some(found);
    }
    civil.at_offset(abbreviation(s.run(|b| b.is_ascii_alphabetic()))?)
}

/// Cheaper than asking the zone: what mostly follows a time is a dash or a level.
fn is_own_zone_perhaps(name: &str) -> bool {
    name.len() >= 3 && !is_utc(name) && scan::any_level(name).is_none()
}

fn is_utc(name: &str) -> bool {
    matches!(name, "UTC" | "GMT" | "Z")
}

fn abbreviation(name: &str) -> Option<i64> {
    let half_hours = match name {
        _ if is_utc(name) => 0,
        "WET" => 0,
        "CET" | "BST" | "WEST" => 2,
        "CEST" | "EET" | "SAST" => 4,
        "EEST" | "MSK" => 6,
        "IST" => 11,
        "JST" | "KST" => 18,
        "AEST" => 20,
        "AEDT" => 22,
        "EDT" => -8,
        "EST" | "CDT" => -10,
        "CST" | "MDT" => -12,
        "MST" | "PDT" => -14,
        "PST" => -16,
        _ => return None,
    };
    Some(half_hours * 1800)
}

fn ymd(s: &mut Scan<'_>, separator: &str) -> Option<Date> {
    let year = s.digits(4)?;
    s.eat(separator)?;
    let month = s.digits(2)?;
    s.eat(separator)?;
    let day = s.digits(2)?;
    Some(Date { year: i64::from(year), month, day })
}

/// `2026-01-02T03:04:05.678Z`, with a blank for the `T`, a comma for the point, any zone.
pub(crate) fn iso(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    stamped(s, "-", cx)
}

/// `2026/01/02 03:04:05`, Go's and nginx's, with a fraction if Go was told to.
pub(crate) fn slashed(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    stamped(s, "/", cx)
}

fn stamped(s: &mut Scan<'_>, separator: &str, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let date = ymd(&mut next, separator)?;
    next.eat(" ").or_else(|| next.eat("T")).or_else(|| next.eat("t")).or_else(|| next.eat("_"))?;
    let of_day_ns = clock(&mut next)?;
    let found = zoned(&mut next, Civil::new(date, of_day_ns)?, cx)?;
    *s = next;
    Some(found)
}

/// `03:04:05.678`: a time of day, which says nothing of the date.
pub(crate) fn time_of_day(s: &mut Scan<'_>) -> Option<()> {
    let mut next = *s;
    clock(&mut next)?;
    *s = next;
    Some(())
}

fn month(name: &str) -> Option<u32> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = MONTHS.iter().position(|m| *m == name)?;
    u32::try_from(at + 1).ok()
}

fn month_name(s: &mut Scan<'_>) -> Option<u32> {
    let found = month(s.rest.get(..3)?)?;
    s.rest = &s.rest[3..];
    Some(found)
}

/// One or two digits: a day, a month, an hour.
fn one_or_two(s: &mut Scan<'_>) -> Option<u32> {
    let digits = s.run(|b| b.is_ascii_digit());
    if digits.len() > 2 { None } else { digits.parse().ok() }
}

/// `02/Jan/2026:03:04:05 +0000`, the Common Log Format's.
pub(crate) fn clf(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let day = next.digits(2)?;
    next.eat("/")?;
    let month = month_name(&mut next)?;
    next.eat("/")?;
    let year = i64::from(next.digits(4)?);
    // werkzeug has a blank here.
    next.eat(":").or_else(|| next.eat(" "))?;
    let of_day_ns = clock(&mut next)?;
    let found = zoned(&mut next, Civil::new(Date { year, month, day }, of_day_ns)?, cx)?;
    *s = next;
    Some(found)
}

/// `Sun Dec 04 04:47:44.123456 2005`, C's `asctime`, Apache's error log.
pub(crate) fn asctime(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    if next.run(|b| b.is_ascii_alphabetic()).len() != 3 {
        return None;
    }
    next.blanks()?;
    let month = month_name(&mut next)?;
    next.blanks()?;
    let day = one_or_two(&mut next)?;
    next.blanks()?;
    let of_day_ns = clock(&mut next)?;
    next.blanks()?;
    let year = i64::from(next.digits(4)?);
    *s = next;
    cx.moment(Civil::new(Date { year, month, day }, of_day_ns)?)
}

/// `Jan  2 03:04:05`, RFC 3164's; `Jan  2 2026 03:04:05` as some devices send.
pub(crate) fn rfc3164(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let month = month_name(&mut next)?;
    next.blanks()?;
    let day = one_or_two(&mut next)?;
    next.blanks()?;
    let mut dated = next;
    let year = dated.digits(4).filter(|_| dated.eat(" ").is_some());
    if year.is_some() {
        next = dated;
    }
    let of_day_ns = clock(&mut next)?;
    *s = next;
    match year {
        Some(year) => cx.moment(Civil::new(Date { year: i64::from(year), month, day }, of_day_ns)?),
        None => cx.moment_without_year(month, day, of_day_ns),
    }
}

/// `02 Jan 2026 03:04:05.678`, redis'.
pub(crate) fn day_month_year(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let day = one_or_two(&mut next)?;
    next.eat(" ")?;
    let month = month_name(&mut next)?;
    next.eat(" ")?;
    let year = i64::from(next.digits(4)?);
    next.eat(" ")?;
    let of_day_ns = clock(&mut next)?;
    *s = next;
    cx.moment(Civil::new(Date { year, month, day }, of_day_ns)?)
}

/// `01/02/2026, 3:04:05 AM`, American, as JavaScript's `toLocaleString` writes it.
pub(crate) fn american(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let month = one_or_two(&mut next)?;
    next.eat("/")?;
    let day = one_or_two(&mut next)?;
    next.eat("/")?;
    let year = i64::from(next.digits(4)?);
    next.eat(", ")?;
    let of_day_ns = half_day_clock(&mut next)?;
    *s = next;
    cx.moment(Civil::new(Date { year, month, day }, of_day_ns)?)
}

/// `Jan 02, 2026 3:04:05 AM`, `java.util.logging`'s.
pub(crate) fn month_day_year(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let month = month_name(&mut next)?;
    next.eat(" ")?;
    let day = one_or_two(&mut next)?;
    next.eat(", ")?;
    let year = i64::from(next.digits(4)?);
    next.eat(" ")?;
    let of_day_ns = half_day_clock(&mut next)?;
    *s = next;
    cx.moment(Civil::new(Date { year, month, day }, of_day_ns)?)
}

/// `3:04:05 AM`; nanoseconds into the day.
fn half_day_clock(s: &mut Scan<'_>) -> Option<i64> {
    let hour = i64::from(one_or_two(s)?);
    s.eat(":")?;
    let minute = i64::from(s.digits(2)?);
    s.eat(":")?;
    let second = i64::from(s.digits(2)?);
    // Java has a narrow no-break space here.
    s.eat(" ").or_else(|| s.eat("\u{202f}"))?;
    let past_noon = s.eat("PM").map(|()| 12).or_else(|| s.eat("AM").map(|()| 0))?;
    if !(1..=12).contains(&hour) || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour % 12 + past_noon) * 3600 + minute * 60 + second) * NS_PER_S)
}

/// `3:04AM`, Go's kitchen time, zerolog's default.
pub(crate) fn kitchen(s: &mut Scan<'_>) -> Option<()> {
    let mut next = *s;
    let hour = one_or_two(&mut next)?;
    next.eat(":")?;
    let minute = next.digits(2)?;
    next.eat("AM").or_else(|| next.eat("PM"))?;
    if hour > 12 || minute > 59 {
        return None;
    }
    *s = next;
    Some(())
}

/// `02-Jan-2026 03:04:05.678`, Tomcat's and PHP's.
pub(crate) fn day_name_year(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let day = next.digits(2)?;
    next.eat("-")?;
    let month = month_name(&mut next)?;
    next.eat("-")?;
    let year = i64::from(next.digits(4)?);
    next.eat(" ")?;
    let of_day_ns = clock(&mut next)?;
    let found = zoned(&mut next, Civil::new(Date { year, month, day }, of_day_ns)?, cx)?;
    *s = next;
    Some(found)
}

/// `260102 03:04:05`, Tornado's.
pub(crate) fn short_date(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let year = 2000 + i64::from(next.digits(2)?);
    let (month, day) = (next.digits(2)?, next.digits(2)?);
    next.eat(" ")?;
    let of_day_ns = clock(&mut next)?;
    *s = next;
    cx.moment(Civil::new(Date { year, month, day }, of_day_ns)?)
}

/// `0102 03:04:05.678901`, klog's.
pub(crate) fn klog(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let month = next.digits(2)?;
    let day = next.digits(2)?;
    next.blanks()?;
    let of_day_ns = clock(&mut next)?;
    *s = next;
    cx.moment_without_year(month, day, of_day_ns)
}

/// `01-02 03:04:05.678`, Android's.
pub(crate) fn logcat(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let month = next.digits(2)?;
    next.eat("-")?;
    let day = next.digits(2)?;
    next.eat(" ")?;
    let of_day_ns = clock(&mut next)?;
    *s = next;
    cx.moment_without_year(month, day, of_day_ns)
}

/// `081109 203615`: two digits each of year, month, day, hour, minute, second; Hadoop's.
pub(crate) fn compact(s: &mut Scan<'_>, cx: Context<'_>) -> Option<Timestamp> {
    let mut next = *s;
    let year = 2000 + i64::from(next.digits(2)?);
    let (month, day) = (next.digits(2)?, next.digits(2)?);
    next.eat(" ")?;
    let (hour, minute, second) = (next.digits(2)?, next.digits(2)?, next.digits(2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    *s = next;
    let of_day_s = i64::from(hour * 3600 + minute * 60 + second);
    cx.moment(Civil::new(Date { year, month, day }, of_day_s * NS_PER_S)?)
}

/// A whole text as ISO 8601 or RFC 3339, `None` when anything is left over.
pub(crate) fn iso_text(text: &str, cx: Context<'_>) -> Option<Timestamp> {
    let mut s = Scan::new(text.trim());
    let found = iso(&mut s, cx)?;
    s.rest.is_empty().then_some(found)
}

/// A number since the epoch: seconds, milliseconds, microseconds or nanoseconds by its magnitude
/// (below 1e11 seconds, which reaches the year 5138; then each a thousandfold).
pub(crate) fn epoch_int(number: i64) -> Option<Timestamp> {
    let ns_each = match number.unsigned_abs() {
        0..100_000_000_000 => NS_PER_S,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1000,
        100_000_000_000_000_000.. => 1,
    };
    number.checked_mul(ns_each).map(Timestamp)
}

/// As [`epoch_int`], for a number with a fraction; exact to about a microsecond.
pub(crate) fn epoch_float(number: f64) -> Option<Timestamp> {
    let per_s = match number.abs() {
        size if size < 1e11 => 1.0,
        size if size < 1e14 => 1e3,
        size if size < 1e17 => 1e6,
        _ => 1e9,
    };
    Timestamp::from_epoch_seconds(number / per_s).ok()
}

/// `1700000000.123` in text, at least nine digits before the point; without going through a float.
pub(crate) fn epoch_text(text: &str) -> Option<Timestamp> {
    let mut s = Scan::new(text);
    let whole = s.run(|b| b.is_ascii_digit());
    if !(9..=19).contains(&whole.len()) {
        return None;
    }
    let base = epoch_int(whole.parse().ok()?)?;
    let fraction = if whole.len() <= 11 { fraction(&mut s) } else { fraction(&mut s).min(0) };
    if !s.rest.is_empty() {
        return None;
    }
    base.0.checked_add(fraction).map(Timestamp)
}

#[cfg(test)]
mod tests;
