//! Numbers in a message, with their units made one: `took 2.3s`, `in 45 ms`, `duration_ms=45`,
//! `rss_mb=812`, `(12.5%)`, Go's `1m30.5s`.
//!
//! What looks like a number and measures nothing is left out: parts of addresses, dates, versions,
//! paths, hexadecimal ids. Whether a whole number without a unit is an id or a measure, only its values
//! can tell.

/// What a number measures, after its unit was made one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Unknown, or a count.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Hundredths.
    Percent,
}

impl Unit {
    /// The name in published JSON: `none`, `seconds`, `bytes`, `percent`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Percent => "percent",
        }
    }
}

/// A number of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number<'a> {
    /// Its value, in [`unit`](Self::unit).
    pub value: f64,
    /// What it measures.
    pub unit: Unit,
    /// The word before it: its name where it is written `name=1` or `name: 1`.
    pub word: &'a str,
    /// Whether [`word`](Self::word) is its name.
    pub is_named: bool,
    /// Where it begins in the message, in bytes.
    pub at: usize,
}

/// Bytes of a message that are looked at.
const SCANNED_BYTES_MAX: usize = 4096;

/// The names of units: what one is worth, and of what. Those of one letter count only right behind a number.
const UNITS: [(&str, f64, Unit); 44] = [
    ("ms", 1e-3, Unit::Seconds),
    ("s", 1.0, Unit::Seconds),
    ("us", 1e-6, Unit::Seconds),
    ("µs", 1e-6, Unit::Seconds),
    ("μs", 1e-6, Unit::Seconds),
    ("ns", 1e-9, Unit::Seconds),
    ("m", 60.0, Unit::Seconds),
    ("h", 3600.0, Unit::Seconds),
    ("sec", 1.0, Unit::Seconds),
    ("secs", 1.0, Unit::Seconds),
    ("second", 1.0, Unit::Seconds),
    ("seconds", 1.0, Unit::Seconds),
    ("min", 60.0, Unit::Seconds),
    ("mins", 60.0, Unit::Seconds),
    ("minute", 60.0, Unit::Seconds),
    ("minutes", 60.0, Unit::Seconds),
    ("hour", 3600.0, Unit::Seconds),
    ("hours", 3600.0, Unit::Seconds),
    ("msec", 1e-3, Unit::Seconds),
    ("msecs", 1e-3, Unit::Seconds),
    ("millis", 1e-3, Unit::Seconds),
    ("millisecond", 1e-3, Unit::Seconds),
    ("milliseconds", 1e-3, Unit::Seconds),
    ("micros", 1e-6, Unit::Seconds),
    ("microseconds", 1e-6, Unit::Seconds),
    ("nanos", 1e-9, Unit::Seconds),
    ("nanoseconds", 1e-9, Unit::Seconds),
    ("b", 1.0, Unit::Bytes),
    ("byte", 1.0, Unit::Bytes),
    ("bytes", 1.0, Unit::Bytes),
    ("kb", 1e3, Unit::Bytes),
    ("kib", 1024.0, Unit::Bytes),
    ("k", 1e3, Unit::Bytes),
    ("mb", 1e6, Unit::Bytes),
    ("mib", 1_048_576.0, Unit::Bytes),
    ("gb", 1e9, Unit::Bytes),
    ("gib", 1_073_741_824.0, Unit::Bytes),
    ("tb", 1e12, Unit::Bytes),
    ("tib", 1_099_511_627_776.0, Unit::Bytes),
    ("g", 1e9, Unit::Bytes),
    ("%", 1.0, Unit::Percent),
    ("pct", 1.0, Unit::Percent),
    ("percent", 1.0, Unit::Percent),
    ("x", 1.0, Unit::None),
];

/// The unit of a name that says one at its end: `duration_ms`, `rss_mb`, `elapsedMs`, `size.bytes`.
#[must_use]
pub fn unit_of_name(name: &str) -> Option<(f64, Unit)> {
    let cut = name.rfind(['_', '.', '-']).map_or_else(
        || name.rfind(|c: char| c.is_ascii_uppercase()).filter(|&at| at > 0),
        |at| Some(at + 1),
    )?;
    let end = name.get(cut..)?;
    if end.len() < 2 && end != "s" { None } else { unit(end) }
}

fn unit(word: &str) -> Option<(f64, Unit)> {
    if word.is_empty() || word.len() > 12 {
        return None;
    }
    let found = UNITS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(word));
    found.map(|&(_, worth, unit)| (worth, unit))
}

/// Tells each number of a message, in order.
///
/// O(its first 4096 bytes), allocates nothing.
pub fn each<'a>(message: &'a str, mut see: impl FnMut(Number<'a>)) {
    let message = &message[..message.floor_char_boundary(SCANNED_BYTES_MAX)];
    let bytes = message.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_digit() {
            at = match read(message, at) {
                Ok((number, end)) => {
                    see(number);
                    end
                }
                Err(end) => end,
            };
        } else if is_wordy(byte) {
            // Digits inside of a word are its own.
            at += bytes[at..].iter().take_while(|&&b| is_wordy(b) || b.is_ascii_digit()).count();
        } else {
            at += 1;
        }
    }
}

/// Bytes that a number is no number behind.
const fn is_wordy(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'/' | b'#' | b'@' | b'\\' | 0x80..)
}

/// Reads the number at `start`, or says where what is none ends.
fn read(message: &str, start: usize) -> Result<(Number<'_>, usize), usize> {
    let bytes = message.as_bytes();
    let peek = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let skip = |from: usize| {
        let inside =
            |&&b: &&u8| is_wordy(b) || b.is_ascii_digit() || matches!(b, b'-' | b':' | b'%');
        from + bytes[from..].iter().take_while(inside).count()
    };
    let before = start.checked_sub(1).map_or(b' ', peek);
    if before == b'-' && start > 1 && peek(start - 2).is_ascii_alphanumeric()
        || before == b':' && start > 1 && peek(start - 2).is_ascii_digit()
    {
        return Err(skip(start).max(start + 1));
    }
    let mut end = start + digits(&bytes[start..]);
    if peek(end) == b'.' && peek(end + 1).is_ascii_digit() {
        end += 1 + digits(&bytes[end + 1..]);
    }
    if end - start > 18
        || matches!(peek(end), b'.' | b':' | b'-' | b'/') && peek(end + 1).is_ascii_alphanumeric()
    {
        return Err(skip(end).max(end));
    }
    let Ok(plain) = message[start..end].parse::<f64>() else { return Err(end) };
    let (word, is_named) = word_before(message, start);
    let mut number = Number { value: plain, unit: Unit::None, word, is_named, at: start };
    let letters = |from: usize| {
        let rest = message.get(from..).unwrap_or_default();
        let len = rest.find(|c: char| !(c.is_alphabetic() || c == '%')).unwrap_or(rest.len());
        &rest[..len]
    };
    let behind = letters(end);
    if !behind.is_empty() {
        let mut after = end + behind.len();
        let Some((worth, kind)) = unit(behind) else { return Err(skip(end).max(end + 1)) };
        (number.value, number.unit) = (plain * worth, kind);
        // Hours, minutes and seconds in one.
        while kind == Unit::Seconds && peek(after).is_ascii_digit() {
            let more = after + digits(&bytes[after..]);
            let more = if peek(more) == b'.' {
                more + 1 + digits(&bytes[(more + 1).min(bytes.len())..])
            } else {
                more
            };
            let name = letters(more);
            let (Some((worth, Unit::Seconds)), Ok(part)) =
                (unit(name), message[after..more].parse::<f64>())
            else {
                return Err(skip(after).max(after + 1));
            };
            number.value += part * worth;
            after = more + name.len();
        }
        if peek(after).is_ascii_alphanumeric() || peek(after) == b'_' {
            return Err(skip(after).max(after));
        }
        return Ok((number, after));
    }
    if is_named && let Some((worth, kind)) = unit_of_name(word) {
        (number.value, number.unit) = (plain * worth, kind);
    } else if peek(end) == b' ' {
        let next = letters(end + 1);
        if next.len() > 1
            && let Some((worth, kind)) = unit(next)
        {
            (number.value, number.unit) = (plain * worth, kind);
        }
    }
    Ok((number, end))
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// The word that stands before a number, and whether `=` or `:` makes it the number's name.
fn word_before(message: &str, start: usize) -> (&str, bool) {
    let head =
        message[..start].trim_end_matches(['"', '\'', '(', '[', '-', '+', '~', '<', '>', '$']);
    let trimmed = head.trim_end();
    let bare = trimmed.trim_end_matches(['=', ':']).trim_end_matches(['"', '\'']);
    let is_named =
        bare.len() < trimmed.len() && (head.len() == trimmed.len() || trimmed.ends_with(':'));
    let begins = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let from =
        bare.char_indices().rev().find(|&(_, c)| begins(c)).map_or(0, |(at, c)| at + c.len_utf8());
    (&bare[from..], is_named)
}

#[cfg(test)]
mod tests;
