//! How much a placeholder stands for.

use std::fmt::Write;

/// Of a value: how many chunks, which are runs of bytes without a blank, and whether each holds a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) min: u8,
    /// [`MANY`] for any number.
    pub(crate) max: u8,
    pub(crate) digits: bool,
}

/// More chunks than are counted.
pub(crate) const MANY: u8 = u8::MAX;
/// Chunks that are counted, at most: each makes a regular expression larger, of which there is a limit too.
const COUNTED_MAX: u8 = 4;

pub(super) const BLANKS: &str = r"[ \t-\r]";
const CHUNK: &str = r"[^ \t-\r]+";
const NUMBER: &str = r"[^ \t-\r]*[0-9][^ \t-\r]*";

impl Extent {
    /// A chunk with a digit.
    pub(crate) const NUMBER: Self = Self { min: 1, max: 1, digits: true };
    pub(crate) const CHUNK: Self = Self { min: 1, max: 1, digits: false };
    /// Any bytes, blanks in front and at the end too.
    pub(crate) const ANY: Self = Self { min: 0, max: MANY, digits: false };
    /// Chunks, at least one.
    pub(crate) const CHUNKS: Self = Self { min: 1, max: MANY, digits: false };

    /// From `min` to `max` chunks.
    pub(crate) fn new(min: usize, max: usize, digits: bool) -> Self {
        let counted =
            |chunks: usize| u8::try_from(chunks).ok().filter(|&chunks| chunks <= COUNTED_MAX);
        Self { min: counted(min).unwrap_or(COUNTED_MAX), max: counted(max).unwrap_or(MANY), digits }
    }

    /// What holds for both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            digits: self.digits && other.digits,
        }
    }

    /// As a regular expression.
    pub(super) fn regex(self) -> String {
        if self == Self::ANY {
            return ".*".into();
        }
        let chunk = if self.digits { NUMBER } else { CHUNK };
        let mut regex = chunk.to_owned();
        let least = self.min.max(1) - 1;
        let times = match self.max {
            1 => None,
            MANY if least == 0 => Some("*".into()),
            MANY => Some(format!("{{{least},}}")),
            max if max - 1 == least => Some(format!("{{{least}}}")),
            max => Some(format!("{{{least},{}}}", max - 1)),
        };
        if let Some(times) = times {
            let _ = write!(regex, "(?:{BLANKS}+{chunk}){times}");
        }
        if self.min == 0 { format!("(?:{regex})?") } else { regex }
    }
}
