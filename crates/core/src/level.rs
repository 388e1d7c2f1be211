//! Severity: the five names of Python's `logging`, plus `TRACE` where a source has it.
//!
//! Every other convention maps onto these six: OpenTelemetry severity numbers, syslog severities,
//! Python level numbers, and the names other libraries use (`warn`, `fatal`, `err`, `notice`, …).

use std::{fmt, str::FromStr};

/// How severe an entry is, least first; `Ord` follows severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Finer than debug; only from sources that have it.
    Trace = 0,
    /// Detail for a developer.
    Debug = 1,
    /// Ordinary operation. What an entry without a level is.
    #[default]
    Info = 2,
    /// Something unexpected that was coped with.
    Warning = 3,
    /// Something failed.
    Error = 4,
    /// The process, or a large part of it, cannot go on.
    Critical = 5,
}

/// A name that is no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no level; give TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL")]
pub struct ParseLevelError {
    /// What was given, cut to 80 characters.
    pub given: String,
}

impl Level {
    /// All six, least severe first.
    pub const ALL: [Self; 6] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name on the wire: `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The level with this number in its `repr`, 0 to 5; `None` above.
    #[must_use]
    pub const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Trace),
            1 => Some(Self::Debug),
            2 => Some(Self::Info),
            3 => Some(Self::Warning),
            4 => Some(Self::Error),
            5 => Some(Self::Critical),
            _ => None,
        }
    }

    /// 0 for [`Level::Trace`] to 5 for [`Level::Critical`].
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// The level of a name, in any case: the six names and the synonyms of syslog, log4j, zap,
    /// winston, glog, Ruby, PostgreSQL and .NET. Also one-letter forms (`I`, `W`, `E`, …).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        // The longest synonym is `informational`.
        let mut lower = [0u8; 16];
        let bytes = name.as_bytes();
        let lower = lower.get_mut(..bytes.len())?;
        lower.copy_from_slice(bytes);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"t" | b"silly" | b"finest" | b"finer" | b"verbose" | b"v" | b"trc" => {
                Self::Trace
            }
            b"debug" | b"d" | b"dbg" | b"fine" | b"debug1" | b"debug2" | b"debug3" | b"debug4"
            | b"debug5" => Self::Debug,
            b"info" | b"i" | b"inf" | b"information" | b"informational" | b"notice"
            | b"success" | b"log" | b"config" | b"http" | b"n" => Self::Info,
            b"warning" | b"warn" | b"w" | b"wrn" => Self::Warning,
            b"error" | b"err" | b"e" | b"eror" | b"severe" => Self::Error,
            b"critical" | b"crit" | b"c" | b"fatal" | b"f" | b"ftl" | b"alert" | b"emerg"
            | b"emergency" | b"panic" | b"dpanic" => Self::Critical,
            _ => return None,
        })
    }

    /// The level at or below a Python level number (25 is INFO, 35 WARNING, 5 TRACE).
    #[must_use]
    pub const fn from_python(number: i64) -> Self {
        match number {
            ..10 => Self::Trace,
            10..20 => Self::Debug,
            20..30 => Self::Info,
            30..40 => Self::Warning,
            40..50 => Self::Error,
            50.. => Self::Critical,
        }
    }

    /// The level of an OpenTelemetry `SeverityNumber` (1 to 24); 0 and below, unspecified, is INFO.
    #[must_use]
    pub const fn from_severity_number(number: i32) -> Self {
        match number {
            ..=0 => Self::Info,
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9..=12 => Self::Info,
            13..=16 => Self::Warning,
            17..=20 => Self::Error,
            21.. => Self::Critical,
        }
    }

    /// The level of a syslog severity, RFC 5424 section 6.2.1 (0 emergency to 7 debug).
    #[must_use]
    pub const fn from_syslog(severity: u8) -> Self {
        match severity {
            0..=2 => Self::Critical,
            3 => Self::Error,
            4 => Self::Warning,
            5 | 6 => Self::Info,
            7.. => Self::Debug,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::from_name(s).ok_or_else(|| ParseLevelError { given: s.chars().take(80).collect() })
    }
}

/// A set of levels, as a filter on exact levels holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LevelSet(u8);

impl LevelSet {
    /// No level.
    pub const NONE: Self = Self(0);
    /// Every level.
    pub const ALL: Self = Self(0b11_1111);

    /// This level and all above.
    #[must_use]
    pub const fn at_least(level: Level) -> Self {
        Self(Self::ALL.0 & !((1 << level.index()) - 1))
    }

    /// The set with `level` added.
    #[must_use]
    pub const fn with(self, level: Level) -> Self {
        Self(self.0 | 1 << level.index())
    }

    /// Whether `level` is in the set.
    #[must_use]
    pub const fn contains(self, level: Level) -> bool {
        self.0 & 1 << level.index() != 0
    }

    /// The levels in both.
    #[must_use]
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The levels that are not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ALL.0 & !self.0)
    }

    /// The levels of the set, least severe first.
    pub fn iter(self) -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(move |&level| self.contains(level))
    }
}

impl FromIterator<Level> for LevelSet {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Self {
        levels.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_other_conventions() {
        for (name, level) in [
            ("warn", Level::Warning),
            ("Fatal", Level::Critical),
            ("ERR", Level::Error),
            ("informational", Level::Info),
            ("NOTICE", Level::Info),
            ("trace", Level::Trace),
        ] {
            assert_eq!(name.parse(), Ok(level), "{name}");
        }
        for name in ["LOUD", "", "errorerrorerrorerrorerror", "\u{130}nfo"] {
            assert!(name.parse::<Level>().is_err(), "{name}");
        }
    }

    #[test]
    fn numbers_of_other_systems() {
        assert_eq!(
            [5, 10, 25, 30, 45, 99].map(Level::from_python),
            [
                Level::Trace,
                Level::Debug,
                Level::Info,
                Level::Warning,
                Level::Error,
                Level::Critical
            ]
        );
        assert_eq!(Level::from_severity_number(0), Level::Info);
        assert_eq!(Level::from_severity_number(17), Level::Error);
        assert_eq!(Level::from_syslog(1), Level::Critical);
    }

    #[test]
    fn sets() {
        let set = LevelSet::at_least(Level::Warning);
        assert!(set.contains(Level::Critical) && !set.contains(Level::Info));
        assert_eq!(set.iter().count(), 3);
        assert_eq!(LevelSet::at_least(Level::Trace), LevelSet::ALL);
    }
}
