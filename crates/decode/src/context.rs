//! What a line itself does not say: when it came, and the zone of times that state none.
//!
//! A parameter of every recogniser that reads a time, so that two decoders of two zones can live
//! in one process; the zone is the caller's, nothing here looks it up.

use jiff::tz::TimeZone;
use logrec_core::{NS_PER_S, Timestamp};

use crate::civil::{Civil, Date, year_of};

/// How far a clock may run ahead of the arrival before a date without year is last year's: a day.
const AHEAD_NS: i64 = 86_400 * NS_PER_S;

/// No zone of jiff's is further ahead of UTC.
const OFFSET_S_MAX: i64 = 26 * 3600;

/// The arrival and the zone a line is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The time of lines that have none.
    pub(crate) arrival: Timestamp,
    /// `None` is UTC, which needs no jiff.
    zone: Option<&'a TimeZone>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(arrival: Timestamp, zone: &'a TimeZone) -> Self {
        // jiff's unknown zone, of a machine that has none set, behaves as UTC.
        let is_utc = *zone == TimeZone::UTC || zone.is_unknown();
        Self { arrival, zone: (!is_utc).then_some(zone) }
    }

    /// The same zone, another arrival.
    pub(crate) fn with_arrival(self, arrival: Timestamp) -> Self {
        Self { arrival, ..self }
    }

    pub(crate) fn utc(arrival: Timestamp) -> Self {
        Self { arrival, zone: None }
    }

    /// The moment of a time that states no zone.
    ///
    /// Where the clock is set forward, a time it skips is read with the offset from before (02:30
    /// is 03:30); where it is set back, a time it shows twice is the first: RFC 5545's rule, which
    /// jiff calls compatible.
    pub(crate) fn moment(self, civil: Civil) -> Option<Timestamp> {
        match self.zone {
            None => civil.at_offset(0),
            Some(zone) => Timestamp::from_jiff(zone.to_timestamp(civil.to_jiff()).ok()?),
        }
    }

    /// The moment of a date without a year: the latest year not after the arrival.
    pub(crate) fn moment_without_year(
        self,
        month: u32,
        day: u32,
        of_day_ns: i64,
    ) -> Option<Timestamp> {
        // In the zone it may be a year earlier or later: a candidate either way.
        let this_year = year_of(self.arrival);
        let limit = self.arrival.0.saturating_add(AHEAD_NS);
        // Nine years back, because 29 February may be eight years ago (1896 to 1904).
        (this_year - 8..=this_year + 1)
            .rev()
            .filter_map(|year| Civil::new(Date { year, month, day }, of_day_ns))
            // Next year's mostly: spares asking the zone.
            .filter(|civil| civil.at_offset(OFFSET_S_MAX).is_some_and(|first| first.0 <= limit))
            .filter_map(|civil| self.moment(civil))
            .find(|found| found.0 <= limit)
    }

    /// The moment of a time that states the zone by a name of this context's zone: the database's
    /// (`Europe/Berlin`) or the abbreviation in use at that time, so that `CST` is China's in
    /// China. `None` for every other name.
    pub(crate) fn moment_named(self, civil: Civil, name: &str) -> Option<Timestamp> {
        let zone = self.zone?;
        if zone.iana_name() == Some(name) {
            return self.moment(civil);
        }
        // The abbreviation tells the two times apart that a clock set back shows alike.
        let readings = zone.to_ambiguous_timestamp(civil.to_jiff());
        [readings.earlier(), readings.later()]
            .into_iter()
            .flatten()
            .find(|moment| zone.to_offset_info(*moment).abbreviation() == name)
            .and_then(Timestamp::from_jiff)
    }
}
