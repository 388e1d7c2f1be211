//! [`Lanes`]: one stream that several containers share, each joined by itself.
//!
//! A container may fall silent while others go on, and its last entry must not wait for ever: it
//! is taken for whole after a second, or [`PREFIX_LINES_MAX`] lines of others.

use logrec_core::{Entry, NS_PER_S, Timestamp, Value};

use crate::{
    Origin,
    context::Context,
    envelope::{self, Envelope, Kind},
    join::Joiner,
    limits::{LINE_BYTES_MAX, PREFIX_LINES_MAX, PREFIXES_MAX},
    line,
};

/// Lines between two looks for a silent container.
const LOOK_EVERY: u64 = 64;

/// The containers, or streams, of which something is held back.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    /// Lines so far.
    count: u64,
    bar: Option<usize>,
}

#[derive(Debug)]
struct Lane {
    kind: Kind,
    name: String,
    attributes: Vec<(String, Value)>,
    joiner: Joiner,
    /// A line whose end has not come.
    partial: String,
    partial_cut: usize,
    /// The time of its last line by the envelope, else the arrival.
    at: Timestamp,
    arrival: Timestamp,
    /// Number of its last line.
    touched: u64,
}

impl Lanes {
    /// The column of the bars of `docker compose`, once seen.
    pub(crate) fn bar(&self) -> Option<usize> {
        self.bar
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.lanes.iter().any(|lane| lane.joiner.is_pending() || !lane.partial.is_empty())
    }

    /// One line of a container.
    pub(crate) fn put(
        &mut self,
        envelope: &Envelope<'_>,
        cut: usize,
        origin: Origin,
        cx: Context<'_>,
        out: &mut Vec<Entry>,
    ) {
        self.count += 1;
        if self.count.is_multiple_of(LOOK_EVERY) {
            let silent = self.count.saturating_sub(PREFIX_LINES_MAX);
            self.give_up(|lane| lane.touched < silent, cx, out);
        }
        if envelope.kind == Kind::Compose {
            self.bar = Some(envelope.bar);
        }
        let known = self
            .lanes
            .iter()
            .position(|lane| lane.kind == envelope.kind && lane.name == envelope.name);
        let index = known.unwrap_or_else(|| {
            if self.lanes.len() >= PREFIXES_MAX {
                let oldest = self.lanes.iter().map(|lane| lane.touched).min();
                self.give_up(|lane| Some(lane.touched) == oldest, cx, out);
            }
            self.lanes.push(Lane::new(envelope, origin));
            self.lanes.len() - 1
        });
        let lane = &mut self.lanes[index];
        lane.touched = self.count;
        lane.arrival = cx.arrival;
        lane.put(envelope, cut, cx, out);
    }

    /// Containers silent for long have said all of their last entry.
    pub(crate) fn expire(&mut self, cx: Context<'_>, out: &mut Vec<Entry>) {
        if !self.lanes.is_empty() {
            let silent = cx.arrival.0.saturating_sub(NS_PER_S);
            self.give_up(|lane| lane.arrival.0 < silent, cx, out);
        }
    }

    /// Everything out.
    pub(crate) fn flush(&mut self, cx: Context<'_>, out: &mut Vec<Entry>) {
        self.give_up(|_| true, cx, out);
    }

    fn give_up(
        &mut self,
        mut which: impl FnMut(&Lane) -> bool,
        cx: Context<'_>,
        out: &mut Vec<Entry>,
    ) {
        let mut gone: Vec<Lane> = self.lanes.extract_if(.., |lane| which(lane)).collect();
        gone.sort_unstable_by_key(|lane| lane.touched);
        for mut lane in gone {
            lane.flush(cx, out);
        }
    }
}

impl Lane {
    fn new(envelope: &Envelope<'_>, origin: Origin) -> Self {
        Self {
            kind: envelope.kind,
            name: envelope.name.to_owned(),
            attributes: envelope.attributes.clone(),
            joiner: Joiner::new(envelope.origin.unwrap_or(origin)),
            partial: String::new(),
            partial_cut: 0,
            at: Timestamp::default(),
            arrival: Timestamp::default(),
            touched: 0,
        }
    }

    fn put(&mut self, envelope: &Envelope<'_>, cut: usize, cx: Context<'_>, out: &mut Vec<Entry>) {
        if self.attributes != envelope.attributes {
            self.flush(cx, out);
            self.attributes.clone_from(&envelope.attributes);
        }
        if self.partial.is_empty() {
            self.at = envelope.time.unwrap_or(cx.arrival);
        }
        let cx = cx.with_arrival(self.at);
        if self.partial.is_empty() && !envelope.is_partial() {
            self.line(&envelope.content, cut, cx, out);
            return;
        }
        let room = LINE_BYTES_MAX - self.partial.len();
        let kept = envelope.content.floor_char_boundary(room);
        self.partial.push_str(&envelope.content[..kept]);
        self.partial_cut += envelope.content.len() - kept + cut;
        if !envelope.is_partial() {
            self.end_partial(cx, out);
        }
    }

    fn end_partial(&mut self, cx: Context<'_>, out: &mut Vec<Entry>) {
        let partial = std::mem::take(&mut self.partial);
        let cut = std::mem::take(&mut self.partial_cut);
        self.line(&partial, cut, cx, out);
    }

    fn line(&mut self, content: &str, cut: usize, cx: Context<'_>, out: &mut Vec<Entry>) {
        let from = out.len();
        // Docker's JSON may hold several lines.
        let mut lines = content.split('\n').peekable();
        while let Some(text) = lines.next() {
            let cut = if lines.peek().is_none() { cut } else { 0 };
            self.joiner.line(&line::visible(text), cut, cx, out);
        }
        self.address(&mut out[from..]);
    }

    fn flush(&mut self, cx: Context<'_>, out: &mut Vec<Entry>) {
        let cx = cx.with_arrival(self.at);
        if !self.partial.is_empty() {
            self.end_partial(cx, out);
        }
        let from = out.len();
        self.joiner.flush(cx, out);
        self.address(&mut out[from..]);
    }

    fn address(&self, entries: &mut [Entry]) {
        for entry in entries {
            envelope::address(entry, self.kind, &self.name, &self.attributes);
        }
    }
}
