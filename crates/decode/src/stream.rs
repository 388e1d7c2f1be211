//! [`LineDecoder`]: a byte stream to entries. Cuts lines, recognises each, and joins what belongs
//! together: stack traces, and the indented lines of a message of several lines.
//!
//! Whether a line is the last of its entry is known only when the next one comes, so the last
//! entry is always held back; the caller flushes after a short quiet. The result depends on the
//! lines alone, never on how the bytes were cut.
//!
//! Memory is bounded: one line of [`LINE_BYTES_MAX`] and one entry of [`JOINED_BYTES_MAX`]; of a
//! stream that containers share as many entries as [`crate::limits::PREFIXES_MAX`].

use jiff::tz::TimeZone;
use logrec_core::{Entry, Timestamp};

use crate::{
    Origin,
    context::Context,
    envelope,
    join::Joiner,
    lanes::Lanes,
    limits::{JOINED_BYTES_MAX, LINE_BYTES_MAX},
    line,
};

/// Splits a byte stream into lines, recognises each, and joins multi-line stack traces to the
/// entry they belong to.
///
/// A trace belongs to the line before it when that has a header (a time, a level, a logger) and is
/// WARNING or above; else it is an entry of its own, ERROR, or CRITICAL for a panic of Go or Rust,
/// with the line that says what failed as message. So a crash is never hidden in the INFO line
/// that came before it. Indented lines after a header join its message. JSON, logfmt and access
/// lines say everything in one line: nothing joins them. Blank lines outside of traces are dropped.
///
/// Lines under a container's name (`docker compose up`), of Kubernetes' CRI and of Docker's JSON
/// files are decoded as what they hold, and joined for each container and stream by itself.
///
/// The last entry is held back until the next line shows that it is whole: call
/// [`LineDecoder::flush`] after 100 to 200 ms of quiet.
#[derive(Debug)]
pub struct LineDecoder {
    origin: Origin,
    zone: TimeZone,
    /// The line that has no newline yet.
    partial: Vec<u8>,
    /// Bytes of it beyond the limit.
    partial_cut: usize,
    /// The lines that bear no container's name.
    own: Joiner,
    /// Those that do, of each container its own.
    lanes: Lanes,
    /// Arrival of the newest bytes, the time of a partial line that is given up.
    arrival: Timestamp,
}

impl LineDecoder {
    /// A decoder at the start of a stream; times without a zone are UTC.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            zone: TimeZone::UTC,
            partial: Vec::new(),
            partial_cut: 0,
            own: Joiner::new(origin),
            lanes: Lanes::default(),
            arrival: Timestamp::default(),
        }
    }

    /// Reads times that state no zone in this one: the local time of the machine that writes the
    /// stream, with [`TimeZone::system`] if it is this one. Times that state theirs keep it.
    #[must_use]
    pub fn with_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Feeds raw bytes as they came, cut anywhere. Entries that are complete are appended to `out`
    /// in the order of their lines; where containers share the stream, in that of each.
    pub fn feed(&mut self, bytes: &[u8], arrival: Timestamp, out: &mut Vec<Entry>) {
        self.arrival = arrival;
        self.lanes.expire(Context::new(arrival, &self.zone), out);
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, tail) = (&rest[..end], &rest[end + 1..]);
            rest = tail;
            if self.partial.is_empty() && line.len() <= LINE_BYTES_MAX {
                self.line(line, 0, out);
            } else {
                self.keep(line);
                self.end_partial(out);
            }
        }
        self.keep(rest);
    }

    /// True when an entry or a partial line is held back, waiting for more.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.own.is_pending() || self.lanes.is_pending() || !self.partial.is_empty()
    }

    /// Gives up what is held back because nothing came for a while. A line without its newline
    /// stays.
    pub fn flush(&mut self, out: &mut Vec<Entry>) {
        let cx = Context::new(self.arrival, &self.zone);
        // The other lines are newer: whatever a container says ends what they say.
        self.lanes.flush(cx, out);
        self.own.flush(cx, out);
    }

    /// The end of the stream: everything out, a line without newline too. The decoder is as new.
    pub fn finish(&mut self, out: &mut Vec<Entry>) {
        if !self.partial.is_empty() {
            self.end_partial(out);
        }
        self.flush(out);
        self.lanes = Lanes::default();
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES_MAX - self.partial.len();
        let kept = bytes.len().min(room);
        self.partial.extend_from_slice(&bytes[..kept]);
        self.partial_cut += bytes.len() - kept;
    }

    fn end_partial(&mut self, out: &mut Vec<Entry>) {
        let mut partial = std::mem::take(&mut self.partial);
        let cut = std::mem::take(&mut self.partial_cut);
        self.line(&partial, cut, out);
        // The allocation is kept for the next line, unless this one was a giant.
        if partial.capacity() <= JOINED_BYTES_MAX {
            partial.clear();
            self.partial = partial;
        }
    }

    /// One whole line.
    fn line(&mut self, bytes: &[u8], cut: usize, out: &mut Vec<Entry>) {
        let text = line::text(bytes);
        let cx = Context::new(self.arrival, &self.zone);
        if let Some(envelope) = envelope::raw(&text) {
            self.own.flush(cx, out);
            self.lanes.put(&envelope, cut, self.origin, cx, out);
            return;
        }
        let line = line::visible(&text);
        if let Some(envelope) = envelope::compose(&line, self.lanes.bar(), cx) {
            self.own.flush(cx, out);
            self.lanes.put(&envelope, cut, self.origin, cx, out);
            return;
        }
        self.own.line(&line, cut, cx, out);
    }
}
