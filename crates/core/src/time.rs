//! Time: nanoseconds since the epoch in an `i64`, and every way people write it.
//!
//! The range of an `i64` is 1677-09-21 to 2262-04-11; what lies outside is refused, not wrapped.

use std::fmt;

use jiff::tz::TimeZone;

use crate::nearest;

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Nanoseconds in a second.
pub const NS_PER_S: i64 = 1_000_000_000;

/// A text or number that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTimeError {
    /// Neither of the accepted forms.
    #[error(
        "`{0}` is no time; give RFC 3339 (2026-01-02T03:04:05Z), seconds since the epoch, or a span back from now (90s, 15m, 2h, 1d)"
    )]
    Unrecognised(String),
    /// `mark:NAME` of a mark that is not there; the second text says which there are.
    #[error("`mark:{0}` names no mark; {1}")]
    UnknownMark(String, String),
    /// A time that nanoseconds in an `i64` cannot hold.
    #[error("`{0}` is out of range; a time lies in the years 1678 to 2261")]
    OutOfRange(String),
}

/// How written times are read.
#[derive(Clone, Copy)]
pub struct Times<'a> {
    /// What a span such as `15m` counts back from.
    pub now: Timestamp,
    /// Where a date and time without a zone is.
    pub zone: &'a TimeZone,
    /// The moments that have a name.
    pub marks: &'a dyn Marks,
}

/// Moments that have a name: what `mark:NAME` means wherever a time goes.
pub trait Marks {
    /// When the mark was set; `None` if there is none of this name.
    fn time(&self, name: &str) -> Option<Timestamp>;

    /// The names there are, latest first.
    fn names(&self) -> Vec<String>;
}

/// No marks.
impl Marks for () {
    fn time(&self, _: &str) -> Option<Timestamp> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl fmt::Debug for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Times").field("now", &self.now).field("zone", &self.zone).finish()
    }
}

impl<'a> Times<'a> {
    /// Without marks.
    #[must_use]
    pub const fn new(now: Timestamp, zone: &'a TimeZone) -> Self {
        Self { now, zone, marks: &() }
    }

    /// With these marks.
    #[must_use]
    pub const fn with_marks(self, marks: &'a dyn Marks) -> Self {
        Self { marks, ..self }
    }

    /// Reads `mark:NAME`, or what [`Timestamp::parse`] reads.
    ///
    /// # Errors
    /// Says what was given and what would be right.
    pub fn parse(&self, text: &str) -> Result<Timestamp, ParseTimeError> {
        let Some(name) = text.trim().strip_prefix("mark:") else {
            return Timestamp::parse(text, self.now, self.zone);
        };
        self.marks.time(name).ok_or_else(|| {
            let names = self.marks.names();
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            let right = match (nearest(name, &known), &*known) {
                (_, []) => "there is none yet; POST /marks sets one".to_owned(),
                (Some(near), _) => format!("did you mean `mark:{near}`?"),
                (None, known) => {
                    format!("the latest are {}", known[..known.len().min(5)].join(", "))
                }
            };
            ParseTimeError::UnknownMark(name.chars().take(80).collect(), right)
        })
    }

    /// A date and time that has no zone as the same moment in UTC, as RFC 3339; `None` of every other text.
    #[must_use]
    pub fn with_zone(&self, text: &str) -> Option<String> {
        let text = text.trim();
        let is_zoned = text.parse::<jiff::Timestamp>().is_ok();
        let is_local = !is_zoned && text.parse::<jiff::civil::DateTime>().is_ok();
        let time = Timestamp::parse(text, self.now, self.zone).ok().filter(|_| is_local)?;
        Some(time.to_jiff().to_string())
    }

    /// The first and the last moment that a written time means. A moment written to the microsecond or
    /// coarser means all of that microsecond, which is as exactly as an answer tells times: an entry's
    /// own timestamp finds that entry. A span back from now means a single moment, as does a mark.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_bounds(&self, text: &str) -> Result<[Timestamp; 2], ParseTimeError> {
        let first = self.parse(text)?;
        let text = text.trim();
        let is_span = parse_span_ns(text.strip_prefix('-').unwrap_or(text)).is_some();
        let is_exact = is_span || text.starts_with("mark:") || first.0 % 1000 != 0;
        let last = if is_exact { first } else { Timestamp(first.0.saturating_add(999)) };
        Ok([first, last])
    }
}

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment.
    pub const MAX: Self = Self(i64::MAX);

    /// The system's clock, now. About 20 ns; no system call where the kernel offers a vDSO.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn now() -> Self {
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => Self(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)),
            Err(before) => {
                Self(i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns))
            }
        }
    }

    /// From seconds since the epoch, rounded to the microsecond a double of today can hold.
    ///
    /// # Errors
    /// [`ParseTimeError::OutOfRange`] for NaN, infinities and years outside 1678 to 2261.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    pub fn from_epoch_seconds(seconds: f64) -> Result<Self, ParseTimeError> {
        const LIMIT_S: f64 = 9.2e9;
        if seconds.abs() < LIMIT_S {
            Ok(Self(((seconds * 1e6).round() as i64).saturating_mul(1000)))
        } else {
            Err(ParseTimeError::OutOfRange(format!("{seconds}")))
        }
    }

    /// Seconds since the epoch, as the wire's `timestamp`. Exact to about a microsecond.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a double holds microseconds until 2255")]
    pub fn as_epoch_seconds(self) -> f64 {
        (self.0 / 1000) as f64 / 1e6
    }

    /// This moment less a span; stops at the ends of the range.
    #[must_use]
    pub const fn minus_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_sub(ns))
    }

    /// Reads RFC 3339 or ISO 8601 (without a zone it is `zone`'s local time), seconds since the
    /// epoch, or a span back from `now`: a number with `ms`, `s`, `m`, `h`, `d` or `w`, several in
    /// a row (`1h30m`), a leading `-` allowed.
    ///
    /// # Errors
    /// Says what was given and what would be right.
    pub fn parse(text: &str, now: Self, zone: &TimeZone) -> Result<Self, ParseTimeError> {
        let given = || text.chars().take(80).collect::<String>();
        let trimmed = text.trim();
        if let Some(span_ns) = parse_span_ns(trimmed.strip_prefix('-').unwrap_or(trimmed)) {
            return Ok(now.minus_ns(span_ns));
        }
        if trimmed.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && let Ok(seconds) = trimmed.parse::<f64>()
        {
            return Self::from_epoch_seconds(seconds)
                .map_err(|_| ParseTimeError::OutOfRange(given()));
        }
        if let Ok(moment) = trimmed.parse::<jiff::Timestamp>() {
            return Self::from_jiff(moment).ok_or_else(|| ParseTimeError::OutOfRange(given()));
        }
        let local = trimmed
            .parse::<jiff::civil::DateTime>()
            .map_err(|_| ParseTimeError::Unrecognised(given()))?;
        let moment = zone.to_timestamp(local).map_err(|_| ParseTimeError::OutOfRange(given()))?;
        Self::from_jiff(moment).ok_or_else(|| ParseTimeError::OutOfRange(given()))
    }

    /// From jiff's type; `None` outside the range of an `i64` of nanoseconds.
    #[must_use]
    pub fn from_jiff(moment: jiff::Timestamp) -> Option<Self> {
        i64::try_from(moment.as_nanosecond()).ok().map(Self)
    }

    /// As jiff's type.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        // An i64 of nanoseconds spans 1677 to 2262, jiff's type the years -9999 to 9999.
        jiff::Timestamp::from_nanosecond(self.0.into()).unwrap_or_default()
    }
}

/// RFC 3339 in UTC with microseconds: `2026-01-02T03:04:05.678901Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.to_jiff())
    }
}

/// Reads a span such as `90s`, `1h30m` or `2.5h` as nanoseconds; `None` when it is none.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, which is meant")]
pub fn parse_span_ns(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0.0f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .map_or(rest.len(), |n| digits + n);
        let unit_s = match &rest[digits..unit_end] {
            "ms" => 1e-3,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        total += number * unit_s;
        rest = &rest[unit_end..];
    }
    Some((total * 1e9).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<i64, ParseTimeError> {
        Timestamp::parse(text, Timestamp(1_700_000_000 * NS_PER_S), &TimeZone::UTC).map(|t| t.0)
    }

    #[test]
    fn every_written_form() {
        let now = 1_700_000_000 * NS_PER_S;
        assert_eq!(parse("90s"), Ok(now - 90 * NS_PER_S));
        assert_eq!(parse("-15m"), Ok(now - 900 * NS_PER_S));
        assert_eq!(parse("1h30m"), Ok(now - 5400 * NS_PER_S));
        assert_eq!(parse("1700000000.25"), Ok(now + NS_PER_S / 4));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Ok(now));
        assert_eq!(parse("2023-11-14T23:13:20.5+01:00"), Ok(now + NS_PER_S / 2));
        assert_eq!(parse("2023-11-14 22:13:20"), Ok(now));
        for bad in ["", "soon", "12q", "1e5", "..", "2023-13-01T00:00:00Z"] {
            assert!(matches!(parse(bad), Err(ParseTimeError::Unrecognised(_))), "{bad}");
        }
        assert!(matches!(parse("99999999999999"), Err(ParseTimeError::OutOfRange(_))));
        assert!(matches!(parse("9999-01-01T00:00:00Z"), Err(ParseTimeError::OutOfRange(_))));
    }

    #[test]
    fn a_zone_is_added_where_there_is_none() {
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let times = Times::new(Timestamp(0), &zone);
        let utc = Times { zone: &TimeZone::UTC, ..times };
        for (text, expected) in [
            ("2026-01-02T03:04:05", Some("2026-01-02T08:04:05Z")),
            (" 2026-01-02 03:04 ", Some("2026-01-02T08:04:00Z")),
            ("2026-01-02", Some("2026-01-02T05:00:00Z")),
            ("2026-01-02T03:04:05.123456789", Some("2026-01-02T08:04:05.123456789Z")),
            ("2026-01-02T03:04:05Z", None),
            ("2026-01-02T03:04:05+01:00", None),
            ("1700000000", None),
            ("15m", None),
            ("mark:2026-01-02", None),
            ("soon", None),
        ] {
            assert_eq!(times.with_zone(text).as_deref(), expected, "{text}");
            if let Some(zoned) = expected {
                assert_eq!(times.parse_bounds(text), utc.parse_bounds(zoned));
            }
        }
    }

    #[test]
    fn microseconds_are_kept() {
        let t = Timestamp::from_epoch_seconds(1_703_123_456.789_012).unwrap();
        assert_eq!(t.0, 1_703_123_456_789_012_000);
        assert_eq!(t.to_string(), "2023-12-21T01:50:56.789012Z");
        assert!(Timestamp::from_epoch_seconds(f64::NAN).is_err());
        assert!(Timestamp::from_epoch_seconds(1e300).is_err());
    }
}
