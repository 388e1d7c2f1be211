//! Dates and times of day as a calendar and a clock on the wall show them: arithmetic only.
//!
//! Of which zone the clock is, a line says or does not; [`crate::context`] knows the rest. Own code
//! rather than jiff's: it is a few additions a line, and needs no range but ours.

use logrec_core::{NS_PER_S, Timestamp};

const DAY_S: i64 = 86_400;

/// A day of the proleptic Gregorian calendar, perhaps one that does not exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

impl Date {
    /// Days from 1970-01-01 (Howard Hinnant's `days_from_civil`).
    fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let month = i64::from(self.month);
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5
            + i64::from(self.day)
            - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn is_valid(self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let last = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return false,
        };
        (1..=last).contains(&self.day)
    }
}

/// The year of a moment in UTC, by the inverse of [`Date::days`].
pub(crate) fn year_of(moment: Timestamp) -> i64 {
    let days = moment.0.div_euclid(NS_PER_S).div_euclid(DAY_S) + 719_468;
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // March is the first month of this reckoning: January begins on its day 306.
    year + days.div_euclid(146_097) * 400 + i64::from(of_year >= 306)
}

/// A date and a time of day: nanoseconds since 1970-01-01 00:00 on the same clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Civil(i64);

impl Civil {
    /// `None` for a day that does not exist, or outside the range of a [`Timestamp`].
    pub(crate) fn new(date: Date, of_day_ns: i64) -> Option<Self> {
        if !date.is_valid() {
            return None;
        }
        let seconds = date.days() * DAY_S;
        seconds.checked_mul(NS_PER_S)?.checked_add(of_day_ns).map(Self)
    }

    /// The moment, where the clock is this far ahead of UTC.
    pub(crate) fn at_offset(self, offset_s: i64) -> Option<Timestamp> {
        offset_s.checked_mul(NS_PER_S).and_then(|ns| self.0.checked_sub(ns)).map(Timestamp)
    }

    /// As jiff's type. A leap second is the next minute's first, as it is in a [`Timestamp`].
    pub(crate) fn to_jiff(self) -> jiff::civil::DateTime {
        jiff::tz::Offset::UTC.to_datetime(Timestamp(self.0).to_jiff())
    }
}
