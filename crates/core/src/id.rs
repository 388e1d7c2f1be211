//! [`EntryId`]: the name of one entry, unique among all recordings there ever were.

use std::{fmt, str::FromStr};

use crate::{RingId, Seq};

/// Which entry of which recording. Opaque to clients: `8f2c01ab34-1c0`, recording and number, both
/// hexadecimal. Sorted by recording, then lane and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EntryId {
    pub ring: RingId,
    pub seq: Seq,
}

/// A text that is no entry's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id of an entry; give `id` of an entry as it stands")]
pub struct ParseIdError(String);

impl EntryId {
    /// Most entries that one run names.
    pub const RUN_MAX: u64 = 1000;

    /// The entry that its lane recorded next, if there is one.
    #[must_use]
    pub const fn next(self) -> Self {
        let seq = Seq::new(self.seq.lane(), self.seq.ordinal().wrapping_add(1));
        Self { ring: self.ring, seq }
    }

    /// Reads one id, or a run `ID~N`: N entries of one lane, the first of them named.
    ///
    /// # Errors
    /// When it is neither, or a run of none or more than [`RUN_MAX`](Self::RUN_MAX).
    pub fn parse_run(text: &str) -> Result<impl Iterator<Item = Self> + use<>, ParseIdError> {
        let (first, count) = text.split_once('~').unwrap_or((text, "1"));
        let given = || ParseIdError(text.chars().take(80).collect());
        let first: Self = first.parse().map_err(|_| given())?;
        let is_number = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        let count = if is_number { count.parse::<u64>().ok() } else { None };
        let count = count.filter(|n| (1..=Self::RUN_MAX).contains(n)).ok_or_else(given)?;
        let all = std::iter::successors(Some(first), |id| Some(id.next()));
        Ok(all.zip(0..count).map(|(id, _)| id))
    }

    /// Ids as runs: each the first id and how many, in the order of lane and number.
    #[must_use]
    pub fn runs(ids: impl IntoIterator<Item = Self>) -> Vec<Run> {
        let mut ids: Vec<Self> = ids.into_iter().collect();
        ids.sort_unstable_by_key(|id| (id.ring, id.seq.lane(), id.seq.ordinal()));
        let mut runs: Vec<Run> = Vec::new();
        for id in ids {
            match runs.last_mut() {
                Some(run) if run.next == id && run.count < Self::RUN_MAX => {
                    run.count += 1;
                    run.next = id.next();
                }
                _ => runs.push(Run { first: id, count: 1, next: id.next() }),
            }
        }
        runs
    }
}

/// Entries that one lane recorded one after the other. Displays as `ID`, or `ID~N` for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    first: EntryId,
    count: u64,
    next: EntryId,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "{}", self.first),
            count => write!(f, "{}~{count}", self.first),
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.ring.0, self.seq.raw())
    }
}

impl FromStr for EntryId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| {
            let is_hex = !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
            is_hex.then(|| u64::from_str_radix(part, 16).ok()).flatten()
        };
        text.split_once('-')
            .and_then(|(ring, seq)| Some((number(ring)?, number(seq)?)))
            .map(|(ring, seq)| Self { ring: RingId(ring), seq: Seq::from_raw(seq) })
            .ok_or_else(|| ParseIdError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_and_read_back() {
        let id = EntryId { ring: RingId(0xabc), seq: Seq::new(3, 7) };
        assert_eq!(id.to_string(), "abc-e3");
        assert_eq!("abc-e3".parse(), Ok(id));
        for bad in ["", "-", "abc", "abc-", "-1", "x-1", "1-+2", "1-2-3", "1-11111111111111111"] {
            assert!(bad.parse::<EntryId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn runs_name_each_entry() {
        let id = |lane, ordinal| EntryId { ring: RingId(1), seq: Seq::new(lane, ordinal) };
        let ids = [id(1, 5), id(0, 1), id(1, 4), id(1, 6), id(0, 3)];
        let runs: Vec<String> = EntryId::runs(ids).iter().map(ToString::to_string).collect();
        assert_eq!(runs, ["1-20", "1-60", "1-81~3"]);
        let mut read: Vec<EntryId> =
            runs.iter().flat_map(|run| EntryId::parse_run(run).unwrap()).collect();
        let mut ids = ids.to_vec();
        read.sort_unstable();
        ids.sort_unstable();
        assert_eq!(read, ids);
        for bad in ["1-20~", "1-20~0", "1-20~1001", "1-20~-1", "~3", "1-20~3~3"] {
            assert!(EntryId::parse_run(bad).is_err(), "{bad}");
        }
    }
}
