//! Cursors: where an answer ended, as an opaque text that a client hands back.
//!
//! Two kinds. A *place* is a point in the order of time, for paging through what was: entries that
//! arrive meanwhile do not shift it. A *position in each ring* is a point in the order of recording,
//! for following: whatever is recorded later is new to it, even when it bears an older time.
//!
//! ```text
//! p TIME . OBSERVED . RING . SEQ            a place
//! r RING . ORDINAL . ORDINAL …  ~ RING …    positions, trailing zeros left out
//! ```
//! Numbers are hexadecimal, times in two's complement. Clients must not look inside.

use std::{fmt, str::FromStr};

use crate::{Position, RingId, Seq, Timestamp};

/// A point in the order of time. `Ord` is that order: time, time of recording, ring, number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the fields of `RowRef`, documented there")]
pub struct Place {
    pub time: Timestamp,
    pub observed: Timestamp,
    pub ring: RingId,
    pub seq: Seq,
}

/// Where to go on. See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// A point in the order of time; excludes `read`.
    pub place: Option<Place>,
    /// What was read of each ring. A ring not named is read from its beginning.
    pub read: Vec<(RingId, Position)>,
}

impl Cursor {
    /// Longest text that is read as a cursor, in bytes; what a URL has room for. A ring takes some 14,
    /// and five a lane in use.
    pub const BYTES_MAX: usize = 15_000;

    /// A point in the order of time.
    #[must_use]
    pub const fn at(place: Place) -> Self {
        Self { place: Some(place), read: Vec::new() }
    }

    /// Entries recorded between this place and a later one, by their numbers: how far behind who is here is.
    /// 0 where either is a point in time. Rings that only one of the two names do not count.
    #[must_use]
    pub fn behind(&self, later: &Self) -> u64 {
        let of_ring = |(id, read): &(RingId, Position)| {
            let end = later.read.iter().find(|(ring, _)| ring == id);
            end.map_or(0, |(_, end)| {
                let lanes = (0..end.0.len()).map(|i| end.lane(i).saturating_sub(read.lane(i)));
                lanes.fold(0, u64::saturating_add)
            })
        };
        self.read.iter().map(of_ring).fold(0, u64::saturating_add)
    }

    /// A point in the order of recording.
    #[must_use]
    pub const fn read(read: Vec<(RingId, Position)>) -> Self {
        Self { place: None, read }
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no cursor of logrec; give `next_cursor` or `prev_cursor` of an answer as it stands"
)]
pub struct ParseCursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { time, observed, ring, seq }) = &self.place {
            return write!(f, "p{:x}.{:x}.{:x}.{:x}", time.0, observed.0, ring.0, seq.raw());
        }
        f.write_str("r")?;
        for (i, (ring, position)) in self.read.iter().enumerate() {
            let separator = if i > 0 { "~" } else { "" };
            write!(f, "{separator}{:x}", ring.0)?;
            let used = position.0.iter().rposition(|&n| n > 0).map_or(0, |last| last + 1);
            for ordinal in &position.0[..used] {
                write!(f, ".{ordinal:x}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| u64::from_str_radix(part, 16).map_err(|_| ParseCursorError);
        if text.len() > Self::BYTES_MAX {
            return Err(ParseCursorError);
        }
        if let Some(place) = text.strip_prefix('p') {
            let parts: Vec<u64> = place.split('.').map(number).collect::<Result<_, _>>()?;
            let [time, observed, ring, seq] = parts[..] else { return Err(ParseCursorError) };
            return Ok(Self::at(Place {
                time: Timestamp(time.cast_signed()),
                observed: Timestamp(observed.cast_signed()),
                ring: RingId(ring),
                seq: Seq::from_raw(seq),
            }));
        }
        let rings = text.strip_prefix('r').ok_or(ParseCursorError)?;
        let read = rings.split('~').filter(|part| !part.is_empty()).map(|part| {
            let mut numbers = part.split('.').map(number);
            let ring = RingId(numbers.next().ok_or(ParseCursorError)??);
            Ok((ring, Position(numbers.collect::<Result<_, _>>()?)))
        });
        Ok(Self::read(read.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_and_read_back() {
        let place = Place {
            time: Timestamp(-5),
            observed: Timestamp(i64::MAX),
            ring: RingId(u64::MAX),
            seq: Seq::from_raw(77),
        };
        let read = Cursor::read(vec![
            (RingId(1), Position(vec![0, 3, 0])),
            (RingId(2), Position::default()),
        ]);
        assert_eq!(Cursor::at(place).to_string().parse(), Ok(Cursor::at(place)));
        assert_eq!(read.to_string(), "r1.0.3~2");
        let again: Cursor = read.to_string().parse().unwrap();
        assert_eq!(again.read[0].1.lane(1), 3);
        let later =
            Cursor::read(vec![(RingId(1), Position(vec![2, 5])), (RingId(3), Position(vec![9]))]);
        assert_eq!((read.behind(&later), later.behind(&read)), (4, 0));
        assert_eq!(again.to_string(), read.to_string());
        for bad in ["", "x", "p1.2.3", "p1.2.3.4.5", "rz", "r1..2", "p-1.0.0.0", "日本"] {
            assert_eq!(bad.parse::<Cursor>(), Err(ParseCursorError), "{bad}");
        }
    }
}
