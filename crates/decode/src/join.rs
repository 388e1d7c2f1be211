//! [`Joiner`]: the lines of one source to entries, what belongs together joined.
//!
//! The last entry is always held back, for only the next line shows that it is whole. Of a stream
//! that several containers share, each has a joiner of its own.

use logrec_core::{Entry, Level, Timestamp, Value};

use crate::{
    Origin,
    context::Context,
    java,
    limits::{CONTINUED, CUT_BYTES, JOINED_BYTES_MAX, JOINED_LINES_MAX},
    line, recognise,
    recognise::Shape,
    rust, trace,
    trace::Trace,
};

/// Lines of an exception's text before its first frame.
const CANDIDATE_LINES_MAX: usize = 16;

/// Joins the lines of one source.
#[derive(Debug)]
pub(crate) struct Joiner {
    origin: Origin,
    held: Option<Held>,
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
    /// When it came.
    candidate_at: Timestamp,
    /// Blank lines since the last that was not.
    blanks: usize,
    bytes: usize,
    lines: usize,
}

impl Joiner {
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, held: None }
    }

    /// True when an entry is held back.
    pub(crate) fn is_pending(&self) -> bool {
        self.held.is_some()
    }

    /// One whole line as [`line::visible`] shows it.
    pub(crate) fn line(&mut self, line: &str, cut: usize, cx: Context<'_>, out: &mut Vec<Entry>) {
        if line.is_empty() {
            if let Some(held) = &mut self.held {
                held.blanks += 1;
            }
            return;
        }
        if cut == 0 && self.joined(line, cx, out) {
            return;
        }
        self.flush(cx, out);
        let held = self.begin(line, cut, cx);
        self.held = Some(held);
    }

    /// The held entry out.
    pub(crate) fn flush(&mut self, cx: Context<'_>, out: &mut Vec<Entry>) {
        if let Some(held) = self.held.take() {
            self.emit(held, cx, out);
        }
    }

    /// Tries to give the line to the held entry.
    fn joined(&mut self, line: &str, cx: Context<'_>, out: &mut Vec<Entry>) -> bool {
        let Some(mut held) = self.held.take() else { return false };
        let joins = held.place(line, cx);
        let joined = match joins {
            Place::Nowhere => false,
            Place::Apart => {
                self.held = Some(held);
                self.split_candidate(cx, out);
                return self.joined(line, cx, out);
            }
            Place::Taken => true,
            place if held.has_room(line) => {
                held.put(place, line);
                true
            }
            place => {
                let next = held.continued(place, line);
                self.emit(held, cx, out);
                self.held = Some(next);
                return true;
            }
        };
        self.held = Some(held);
        joined
    }

    /// The held entry's candidate was no head: it becomes an entry of its own.
    fn split_candidate(&mut self, cx: Context<'_>, out: &mut Vec<Entry>) {
        let Some(mut held) = self.held.take() else { return };
        let candidate = held.candidate.take();
        let cx_then = cx.with_arrival(held.candidate_at);
        let blanks = std::mem::take(&mut held.blanks);
        self.emit(held, cx, out);
        if let Some(candidate) = candidate {
            let mut next = self.begin(&candidate, 0, cx_then);
            next.blanks = blanks;
            self.held = Some(next);
        }
    }

    /// The entry a line begins.
    fn begin(&self, line: &str, cut: usize, cx: Context<'_>) -> Held {
        let mut held = match recognise::recognise(line, cx) {
            Some(found) => Held::new(found.entry, found.shape),
            None => match trace::opens(line).or_else(|| trace::frame(line)) {
                Some(trace) => Held::own_trace(line, trace, cx.arrival),
                None => Held::new(line::plain(line, self.origin, cx.arrival), Shape::Plain),
            },
        };
        if cut > 0 {
            let cut = u64::try_from(cut).unwrap_or(u64::MAX);
            held.entry.attributes.push((CUT_BYTES.to_owned(), cut.into()));
        }
        held.bytes = line.len();
        held
    }

    fn emit(&self, mut held: Held, cx: Context<'_>, out: &mut Vec<Entry>) {
        held.rejoin_candidate();
        let candidate = held.candidate.take();
        if held.is_own_trace {
            held.tell();
        }
        let candidate_at = held.candidate_at;
        out.push(held.entry);
        if let Some(candidate) = candidate {
            out.push(self.begin(&candidate, 0, cx.with_arrival(candidate_at)).finished());
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
            candidate_at: Timestamp::default(),
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
        if indented && self.extend_candidate(line, cx) {
            return Place::Taken;
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

    /// An indented candidate may be the first line of an exception's text of several.
    fn extend_candidate(&mut self, line: &str, cx: Context<'_>) -> bool {
        let blanks = self.blanks;
        let has_room = self.has_room(line);
        let Some(candidate) = self.candidate.as_mut().filter(|head| head.starts_with([' ', '\t']))
        else {
            return false;
        };
        if !has_room
            || candidate.lines().count() + blanks >= CANDIDATE_LINES_MAX
            || trace::opens(line).is_some()
            || recognise::recognise(line, cx).is_some()
        {
            return false;
        }
        candidate.extend(std::iter::repeat_n('\n', blanks + 1));
        candidate.push_str(line);
        self.blanks = 0;
        self.bytes += line.len() + 1 + blanks;
        true
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
                if self.entry.message.is_empty() {
                    let first = candidate.lines().next().unwrap_or_default();
                    first.trim().clone_into(&mut self.entry.message);
                }
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
            self.candidate_at = cx.arrival;
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
