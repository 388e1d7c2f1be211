//! One line: bytes to text, text to an entry.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Timestamp};

use crate::{
    Origin, ansi,
    context::Context,
    envelope::{self, Envelope},
    limits, recognise, words,
};

/// Recognises one complete line; no joining, no trailing newline needed. Never fails: a line in no
/// known format is an INFO entry with the line as message, and on standard error the level its
/// words claim. Beyond 4 MB it is cut, and the rest counted in the attribute `logrec.cut_bytes`.
///
/// A time without a zone is UTC; [`decode_line_in`] reads it in another.
#[must_use]
pub fn decode_line(line: &[u8], origin: Origin, arrival: Timestamp) -> Entry {
    decode_line_in(line, origin, arrival, &TimeZone::UTC)
}

/// As [`decode_line`], for a line written by a machine whose local time is `zone`'s: a time that
/// states no zone is read in it, and so is the year of one that states no year.
///
/// A time the zone's clock skips when set forward is read with the offset from before, one that it
/// shows twice when set back is the first. Allocates nothing for the zone.
#[must_use]
pub fn decode_line_in(line: &[u8], origin: Origin, arrival: Timestamp, zone: &TimeZone) -> Entry {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let cut = line.len().saturating_sub(limits::LINE_BYTES_MAX);
    let text = text(&line[..line.len() - cut]);
    let cx = Context::new(arrival, zone);
    let mut entry = match envelope::raw(&text) {
        Some(envelope) => enclosed(&envelope, origin, cx),
        None => {
            let visible = visible(&text);
            match envelope::compose(&visible, None, cx) {
                Some(envelope) => enclosed(&envelope, origin, cx),
                None => bare(&visible, origin, cx),
            }
        }
    };
    if cut > 0 {
        let cut = u64::try_from(cut).unwrap_or(u64::MAX);
        entry.attributes.push((limits::CUT_BYTES.to_owned(), cut.into()));
    }
    entry
}

/// The entry of what an envelope holds.
fn enclosed(envelope: &Envelope<'_>, origin: Origin, cx: Context<'_>) -> Entry {
    let cx = cx.with_arrival(envelope.time.unwrap_or(cx.arrival));
    let content = visible(&envelope.content);
    let mut entry = bare(&content, envelope.origin.unwrap_or(origin), cx);
    envelope::address(&mut entry, envelope.kind, envelope.name, &envelope.attributes);
    entry
}

fn bare(line: &str, origin: Origin, cx: Context<'_>) -> Entry {
    match recognise::recognise(line, cx) {
        Some(found) => found.entry,
        None => plain(line, origin, cx.arrival),
    }
}

/// The entry of a line in no known format.
pub(crate) fn plain(line: &str, origin: Origin, arrival: Timestamp) -> Entry {
    let level = match origin {
        Origin::Stderr => words::level(line),
        Origin::Stdout | Origin::File => Level::Info,
    };
    Entry::new(arrival, level, line)
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The line as a person sees it: no colours, no end of line, no padding of NULs as a truncated
/// file has before its first line, no byte order mark.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    fn trim(line: &str) -> &str {
        line.trim_start_matches(['\0', '\u{feff}']).trim_end()
    }
    match ansi::strip(text) {
        Cow::Borrowed(line) => Cow::Borrowed(trim(line)),
        Cow::Owned(line) => Cow::Owned(trim(&line).to_owned()),
    }
}
