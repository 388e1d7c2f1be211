//! [`LineDecoder`]: a byte stream to entries. Cuts lines, recognises each, and joins what belongs
//! together: stack traces, and the indented lines of a message of several lines.
//!
//! Whether a line is the last of its entry is known only when the next one comes, so the last
//! entry is always held back; the caller flushes after a short quiet. The result depends on the
//! lines alone, never on how the bytes were cut.
//!
//! Memory is bounded: one line of [`LINE_BYTES_MAX`] and one entry of [`JOINED_BYTES_MAX`].

use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Timestamp, Value};

use crate::{
    Origin,
    context::Context,
    java,
    limits::{CONTINUED, CUT_BYTES, JOINED_BYTES_MAX, JOINED_LINES_MAX, LINE_BYTES_MAX},
    line, recognise,
    recognise::Shape,
    rust, trace,
    trace::Trace,
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
    held: Option<Held>,
    /// Arrival of the newest bytes, the time of a partial line that is given up.
    arrival: Timestamp,
}

/// An entry that may still grow.
#[derive(Debug)]
struct Held {
    entry: Entry,
    shape: Shape,
    trace: Option<Trace>,
    /// The entry is its trace: level and message come from there.
    is_own_trace: bool,
    /// A line that is a trace's head if the next is a frame.
    candidate: Option<String>,
    /// Blank lines since the last that was not.
    blanks: usize,
    bytes: usize,
    lines: usize,
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
            held: None,
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
    /// in the order of their lines.
    pub fn feed(&mut self, bytes: &[u8], arrival: Timestamp, out: &mut Vec<Entry>) {
        self.arrival = arrival;
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
        self.held.is_some() || !self.partial.is_empty()
    }

    /// Gives up what is held back because nothing came for a while. A line without its newline
    /// stays.
    pub fn flush(&mut self, out: &mut Vec<Entry>) {
        if let Some(held) = self.held.take() {
            self.emit(held, out);
        }
    }

    /// The end of the stream: everything out, a line without newline too. The decoder is as new.
    pub fn finish(&mut self, out: &mut Vec<Entry>) {
        if !self.partial.is_empty() {
            self.end_partial(out);
        }
        self.flush(out);
    }

    fn context(&self) -> Context<'_> {
        Context::new(self.arrival, &self.zone)
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
        let line = line::visible(&text);
        if line.is_empty() {
            if let Some(held) = &mut self.held {
                held.blanks += 1;
            }
            return;
        }
        if cut == 0 && self.joined(&line, out) {
            return;
        }
        self.flush(out);
        let held = self.begin(&line, cut);
        self.held = Some(held);
    }

    /// Tries to give the line to the held entry.
    fn joined(&mut self, line: &str, out: &mut Vec<Entry>) -> bool {
        let Some(mut held) = self.held.take() else { return false };
        let joins = held.place(line, self.context());
        let joined = match joins {
            Place::Nowhere => false,
            Place::Apart => {
                self.held = Some(held);
                self.split_candidate(out);
                return self.joined(line, out);
            }
            Place::Taken => true,
            place if held.has_room(line) => {
                held.put(place, line);
                true
            }
            place => {
                let next = held.continued(place, line);
                self.emit(held, out);
                self.held = Some(next);
                return true;
            }
        };
        self.held = Some(held);
        joined
    }

    /// The held entry's candidate was no head: it becomes an entry of its own.
    fn split_candidate(&mut self, out: &mut Vec<Entry>) {
        let Some(mut held) = self.held.take() else { return };
        let candidate = held.candidate.take();
        let blanks = std::mem::take(&mut held.blanks);
        self.emit(held, out);
        if let Some(candidate) = candidate {
            let mut next = self.begin(&candidate, 0);
            next.blanks = blanks;
            self.held = Some(next);
        }
    }

    /// The entry a line begins.
    fn begin(&self, line: &str, cut: usize) -> Held {
        let mut held = match recognise::recognise(line, self.context()) {
            Some(found) => Held::new(found.entry, found.shape),
            None => match trace::opens(line).or_else(|| trace::frame(line)) {
                Some(trace) => Held::own_trace(line, trace, self.arrival),
                None => Held::new(line::plain(line, self.origin, self.arrival), Shape::Plain),
            },
        };
        if cut > 0 {
            let cut = u64::try_from(cut).unwrap_or(u64::MAX);
            held.entry.attributes.push((CUT_BYTES.to_owned(), cut.into()));
        }
        held.bytes = line.len();
        held
    }

    fn emit(&self, mut held: Held, out: &mut Vec<Entry>) {
        held.rejoin_candidate();
        let candidate = held.candidate.take();
        if held.is_own_trace {
            held.tell();
        }
        out.push(held.entry);
        if let Some(candidate) = candidate {
            out.push(self.begin(&candidate, 0).finished());
        }
    }
}

/// Where a line goes in the held entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Not into this entry.
    Nowhere,
    /// Not into this entry, but perhaps to its candidate, which stands by itself now.
    Apart,
    /// It has been read already.
    Taken,
    /// Onto the exception.
    Exception,
    /// Onto the message.
    Message,
}

impl Held {
    fn new(entry: Entry, shape: Shape) -> Self {
        Self {
            entry,
            shape,
            trace: None,
            is_own_trace: false,
            candidate: None,
            blanks: 0,
            bytes: 0,
            lines: 1,
        }
    }

    fn own_trace(line: &str, trace: Trace, arrival: Timestamp) -> Self {
        let level = if trace.is_panic() { Level::Critical } else { Level::Error };
        let mut entry = Entry::new(arrival, level, "");
        entry.exception = Some(line.to_owned());
        Self { trace: Some(trace), is_own_trace: true, ..Self::new(entry, Shape::Plain) }
    }

    fn finished(mut self) -> Entry {
        if self.is_own_trace {
            self.tell();
        }
        self.entry
    }

    /// Level, message and place of an entry that is its trace.
    fn tell(&mut self) {
        let (Some(trace), Some(text)) = (&self.trace, &self.entry.exception) else { return };
        self.entry.message = trace::telling_line(trace.kind, text).to_owned();
        if let Some((thread, file, line)) = text.lines().next().and_then(trace::rust_place) {
            self.entry.thread_name = Some(thread.to_owned());
            self.entry.file = Some(file.to_owned());
            self.entry.line = Some(line);
        }
    }

    /// Decides where a line goes, and takes what changes no text.
    fn place(&mut self, line: &str, cx: Context<'_>) -> Place {
        let indented = line.starts_with([' ', '\t']);
        if let Some(trace) = &mut self.trace {
            let is_log = !trace.awaits_message() && recognise::recognise(line, cx).is_some();
            let takes = !is_log && trace.takes(line, self.blanks);
            return if takes { Place::Exception } else { Place::Nowhere };
        }
        if indented
            && self.shape == Shape::TracingPretty
            && rust::pretty_detail(&mut self.entry, line)
        {
            return Place::Taken;
        }
        if self.shape == Shape::JulHeader {
            self.shape = Shape::Lines;
            if java::jul_message(&mut self.entry, line) {
                return Place::Taken;
            }
        }
        if let Some(trace) = trace::frame(line) {
            return self.place_frame(trace);
        }
        self.rejoin_candidate();
        if self.candidate.is_some() {
            return Place::Apart;
        }
        if matches!(self.shape, Shape::Plain | Shape::Complete) || self.blanks > 0 {
            return Place::Nowhere;
        }
        self.place_after_header(line, indented, cx)
    }

    /// An indented candidate that headed no trace is a line of the message after all.
    fn rejoin_candidate(&mut self) {
        if let Some(candidate) = self.candidate.take_if(|line| line.starts_with([' ', '\t'])) {
            let blanks = std::mem::take(&mut self.blanks);
            self.put(Place::Message, &candidate);
            self.blanks = blanks;
        }
    }

    /// A frame: what stands before it was a trace's head.
    fn place_frame(&mut self, trace: Trace) -> Place {
        let adjoins = self.blanks == 0 || trace::spans_blanks(trace.kind);
        let is_structured = matches!(self.shape, Shape::Lines | Shape::TracingPretty);
        if !adjoins
            || self.shape == Shape::Complete
            || (is_structured && trace.is_panic() && self.entry.level < Level::Warning)
        {
            return if self.candidate.is_some() { Place::Apart } else { Place::Nowhere };
        }
        if is_structured {
            if self.candidate.is_some() && self.entry.level < Level::Warning {
                return Place::Apart;
            }
            if let Some(candidate) = self.candidate.take() {
                self.entry.exception = Some(candidate);
            }
        } else {
            self.entry.exception = Some(std::mem::take(&mut self.entry.message));
            self.entry.level = if trace.is_panic() { Level::Critical } else { Level::Error };
            self.is_own_trace = true;
        }
        self.trace = Some(trace);
        Place::Exception
    }

    /// A line after a header: a trace, a head of one perhaps, more of the message, or no part.
    fn place_after_header(&mut self, line: &str, indented: bool, cx: Context<'_>) -> Place {
        if let Some(trace) = trace::opens(line) {
            // What a process dies of is no part of what it said last, nor is a trace part of a
            // line that reports no trouble: it would be hidden from whoever asks for errors.
            if trace.is_death() || self.entry.level < Level::Warning {
                return Place::Nowhere;
            }
            self.trace = Some(trace);
            return Place::Exception;
        }
        let is_log = || recognise::recognise(line, cx).is_some();
        if trace::might_open(line.trim_start()) && !is_log() {
            self.candidate = Some(line.to_owned());
            self.bytes += line.len();
            return Place::Taken;
        }
        if indented && !is_log() { Place::Message } else { Place::Nowhere }
    }

    fn has_room(&self, line: &str) -> bool {
        self.lines + self.blanks < JOINED_LINES_MAX
            && self.bytes + self.blanks + line.len() < JOINED_BYTES_MAX
    }

    fn put(&mut self, place: Place, line: &str) {
        let is_first = self.entry.message.is_empty();
        let text = match place {
            Place::Exception => self.entry.exception.get_or_insert_default(),
            _ => &mut self.entry.message,
        };
        // .NET's console has the message on the line after its header.
        let line = if is_first && place == Place::Message { line.trim_start() } else { line };
        if !text.is_empty() {
            text.extend(std::iter::repeat_n('\n', self.blanks + 1));
        }
        text.push_str(line);
        self.lines += 1 + self.blanks;
        self.bytes += line.len() + 1 + self.blanks;
        self.blanks = 0;
    }

    /// A new entry that goes on with this one, which is full.
    fn continued(&self, place: Place, line: &str) -> Self {
        let mut entry = Entry::new(self.entry.timestamp, self.entry.level, "");
        entry.logger.clone_from(&self.entry.logger);
        entry.attributes.push((CONTINUED.to_owned(), Value::Bool(true)));
        let mut next = Self { trace: self.trace.clone(), ..Self::new(entry, self.shape) };
        next.put(place, line);
        if next.entry.message.is_empty() {
            next.entry.message = format!("(continued) {}", line.trim());
        }
        next
    }
}
