//! The published JSON: entries, answers, figures, errors. What users' programs read; change it with
//! care. Written by hand from core's types, so that renaming one of those cannot break a client.

use logrec_core::{
    Cursor, EntryId, Level, RingId, RingStats, RowRef, Seq, SourceInfo,
    record::{CUT_BYTES, NumberTag, RawField, RawFields, TextTag},
    ring::End,
};

use crate::{
    fold,
    follow::{FollowerInfo, Followers},
    json::{self, Object},
    marks::Mark,
    params::{Applied, Request},
    shape::{EntryField as F, Shape},
};

/// Writes the opaque, unique name of an entry: recording and number, both hexadecimal.
pub(crate) fn entry_id(out: &mut Vec<u8>, ring: RingId, seq: Seq) {
    hex(out, ring.0);
    out.push(b'-');
    hex(out, seq.raw());
}

/// Hexadecimal, without leading zeros but one digit at the least.
fn hex(out: &mut Vec<u8>, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut buf = [0; 16];
    let mut rest = number;
    let mut at = buf.len();
    loop {
        at -= 1;
        buf[at] = DIGITS[(rest & 15) as usize];
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&buf[at..]);
}

/// Appends `,"NAME":` or what a value begins with after it, in one piece.
macro_rules! key {
    ($out:expr, $name:literal) => {
        $out.extend_from_slice(concat!(",\"", $name, "\":").as_bytes())
    };
    ($out:expr, $name:literal, $quoted:expr) => {{
        $out.extend_from_slice(concat!(",\"", $name, "\":\"").as_bytes());
        json::inner($out, $quoted);
        $out.push(b'"');
    }};
}

/// One entry: fields that are known, in the order of the contract.
pub(crate) fn entry(out: &mut Vec<u8>, row: &RowRef<'_>, shape: &Shape) {
    let start = out.len();
    let record = &row.record;
    if shape.shows(F::Timestamp) {
        key!(out, "timestamp");
        json::epoch_seconds(out, row.time);
    }
    if shape.shows(F::Level) {
        key!(out, "level", row.level.name().as_bytes());
    }
    if shape.shows(F::Logger) {
        key!(out, "logger", record.logger_bytes());
    }
    if shape.shows(F::Message) {
        key!(out, "message", record.message_bytes());
    }
    // Attributes stand last on the wire, and as a rule in the record: one pass finds where they begin.
    let mut fields = record.raw_fields();
    let mut attributes = None;
    loop {
        let before = fields.clone();
        match fields.next() {
            None => break,
            Some(RawField::Attribute(..) | RawField::Number(NumberTag::CutBytes, _)) => {
                attributes.get_or_insert(before);
            }
            Some(field) => known(out, &field, shape),
        }
    }
    let exception = record.exception_bytes();
    if shape.shows(F::Exception) && !exception.is_empty() {
        key!(out, "exception", exception);
    }
    if shape.shows(F::Id) {
        out.extend_from_slice(b",\"id\":\"");
        entry_id(out, row.ring, row.seq);
        out.push(b'"');
    }
    if let Some(fields) = attributes.filter(|_| shape.shows(F::Attributes)) {
        key!(out, "attributes");
        self::attributes(out, fields);
    }
    match out.get_mut(start) {
        // The first comma.
        Some(first) => *first = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// One entry, or a run of several as its first with what the others are: `fold`, always shown.
pub(crate) fn entries(out: &mut Vec<u8>, rows: &[RowRef<'_>], shape: &Shape) {
    let [first, others @ ..] = rows else { return };
    entry(out, first, shape);
    if others.is_empty() {
        return;
    }
    // Into the entry's object, before its brace.
    out.pop();
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    let [oldest, newest] = fold::times(rows);
    out.extend_from_slice(b"\"fold\":{\"count\":");
    json::uint(out, rows.len() as u64);
    key!(out, "first");
    json::epoch_seconds(out, oldest);
    key!(out, "last");
    json::epoch_seconds(out, newest);
    key!(out, "ids");
    json::array(out, EntryId::runs(rows.iter().map(RowRef::id)), |out, run| {
        json::string(out, &run.to_string());
    });
    out.extend_from_slice(b"}}");
}

fn known(out: &mut Vec<u8>, field: &RawField<'_>, shape: &Shape) {
    match *field {
        RawField::Text(tag, text) => match tag {
            TextTag::Module if shape.shows(F::Module) => key!(out, "module", text),
            TextTag::Function if shape.shows(F::Function) => key!(out, "function", text),
            TextTag::File if shape.shows(F::File) => key!(out, "file", text),
            TextTag::ThreadName if shape.shows(F::ThreadName) => key!(out, "thread_name", text),
            TextTag::Service if shape.shows(F::Service) => key!(out, "service", text),
            TextTag::TraceId if shape.shows(F::TraceId) => key!(out, "trace_id", text),
            TextTag::SpanId if shape.shows(F::SpanId) => key!(out, "span_id", text),
            _ => {}
        },
        RawField::Number(tag, number) => {
            match tag {
                NumberTag::Line if shape.shows(F::Line) => key!(out, "line"),
                NumberTag::Thread if shape.shows(F::Thread) => key!(out, "thread"),
                NumberTag::Process if shape.shows(F::Process) => key!(out, "process"),
                _ => return,
            }
            json::uint(out, number);
        }
        RawField::Attribute(..) => {}
    }
}

fn attributes(out: &mut Vec<u8>, fields: RawFields<'_>) {
    let start = out.len();
    for field in fields {
        match field {
            RawField::Attribute(name, value) => {
                out.extend_from_slice(b",\"");
                json::inner(out, name);
                out.extend_from_slice(b"\":");
                json::value(out, value);
            }
            RawField::Number(NumberTag::CutBytes, bytes) => {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(CUT_BYTES.as_bytes());
                out.extend_from_slice(b"\":");
                json::uint(out, bytes);
            }
            RawField::Text(..) | RawField::Number(..) => {}
        }
    }
    // There is at least one, so this is the first comma.
    out[start] = b'{';
    out.push(b'}');
}

/// What stands behind an answer's entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    /// Items shown.
    pub(crate) count: usize,
    /// Entries that those stand for, where they are folded.
    pub(crate) entries: Option<usize>,
    pub(crate) omitted: usize,
    /// Of those the first few that no answer of this budget can hold: id and size as rendered.
    pub(crate) too_large: Vec<(String, usize)>,
    /// Recordings that the cursor names and that are not here.
    pub(crate) gone: usize,
    pub(crate) missed: Option<u64>,
    /// Whether there are more in the direction of the request.
    pub(crate) more: bool,
    /// Whether that direction is onwards, with `after`.
    pub(crate) onwards: bool,
    pub(crate) next_cursor: Option<String>,
    pub(crate) prev_cursor: Option<String>,
}

pub(crate) const HEAD: &[u8] = b"{\"success\":true,\"data\":[";

/// Ends the answer that [`HEAD`] and entries began.
pub(crate) fn tail(out: &mut Vec<u8>, tail: &Tail, request: &Request, brief: bool) {
    out.extend_from_slice(b"],\"count\":");
    json::uint(out, tail.count as u64);
    if let Some(entries) = tail.entries {
        out.extend_from_slice(b",\"entries\":");
        json::uint(out, entries as u64);
    }
    out.extend_from_slice(b",\"filters_applied\":");
    applied(out, &request.applied, |name| !brief || name == "limit");
    if let Some(cursor) = &tail.next_cursor {
        out.extend_from_slice(b",\"next_cursor\":");
        json::string(out, cursor);
    }
    if let Some(cursor) = &tail.prev_cursor {
        out.extend_from_slice(b",\"prev_cursor\":");
        json::string(out, cursor);
    }
    if let Some(missed) = tail.missed {
        out.extend_from_slice(b",\"missed\":");
        json::uint(out, missed);
    }
    if tail.gone > 0 {
        out.extend_from_slice(b",\"note\":");
        json::string(out, &gone_note(tail.gone));
    }
    if request.shape.max_bytes.is_some() {
        out.extend_from_slice(b",\"omitted\":");
        json::uint(out, tail.omitted as u64);
    }
    if !tail.too_large.is_empty() {
        out.extend_from_slice(b",\"too_large\":");
        too_large(out, &tail.too_large);
    }
    out.push(b'}');
}

/// Entries that no answer of the budget can hold: id and size.
pub(crate) fn too_large(out: &mut Vec<u8>, entries: &[(String, usize)]) {
    json::array(out, entries, |out, (id, bytes)| {
        let mut entry = Object::new(out);
        entry.string("id", id).uint("bytes", *bytes as u64);
        entry.end();
    });
}

/// What a client is told whose cursor names recordings that are not here.
pub(crate) fn gone_note(gone: usize) -> String {
    format!(
        "the cursor names {gone} recording(s) not here any more: the process restarted, or its recording was removed; what there is now is read from its beginning, and what those held is not in `missed`"
    )
}

/// What was given. Where the echo would burst a budget, only some of it is kept.
pub(crate) fn applied(
    out: &mut Vec<u8>,
    applied: &[(String, Applied)],
    keeps: impl Fn(&str) -> bool,
) {
    let mut object = Object::new(out);
    for (name, value) in applied.iter().filter(|(name, _)| keeps(name)) {
        let out = object.key(name);
        match value {
            #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
            Applied::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => json::int(out, *n as i64),
            Applied::Number(n) => json::float(out, *n),
            Applied::Text(text) => json::string(out, text),
            Applied::Flag(flag) => {
                out.extend_from_slice(if *flag { b"true" } else { b"false" });
            }
        }
    }
    object.end();
}

/// `GET /logs/stats`.
pub(crate) fn stats(
    out: &mut Vec<u8>,
    sum: &RingStats,
    sources: &[(SourceInfo, RingStats)],
    followers: &Followers,
    end: &Cursor,
) {
    let mut object = Object::new(out);
    object.bool("success", true);
    let out = object.plain("data");
    let mut data = Object::new(out);
    figures(&mut data, sum);
    json::array(data.plain("sources"), sources, |out, (info, stats)| source(out, info, stats));
    json::array(data.plain("followers"), &followers.shown, |out, one| follower(out, one, end));
    data.uint("followers_total", followers.count as u64);
    // Stores come with their issue; the key is part of the contract.
    data.plain("store").extend_from_slice(b"{\"enabled\":false}");
    data.end();
    object.end();
}

fn source(out: &mut Vec<u8>, info: &SourceInfo, stats: &RingStats) {
    let mut source = Object::new(out);
    source.string("kind", info.kind).string("name", &info.name);
    if let Some(service) = &info.service {
        source.string("service", service);
    }
    if let Some(process) = info.process {
        source.uint("process", process);
    }
    if let Some(started) = info.started {
        json::epoch_seconds(source.plain("started"), started);
    }
    match info.end {
        None => {}
        Some(End::Running) => _ = source.string("state", "running"),
        Some(End::Unclean) => _ = source.string("state", "ended: killed, crashed or lost power"),
        Some(End::Clean(then)) => {
            source.string("state", "ended: exited");
            json::epoch_seconds(source.plain("ended"), then);
        }
    }
    if let Some(trouble) = &info.trouble {
        source.string("trouble", trouble);
    }
    figures(&mut source, stats);
    source.end();
}

fn follower(out: &mut Vec<u8>, one: &FollowerInfo, end: &Cursor) {
    let mut object = Object::new(out);
    object.string("kind", one.kind);
    json::epoch_seconds(object.plain("started"), one.started);
    object.uint("sent", one.sent).uint("missed", one.missed);
    object.uint("lag", one.cursor.behind(end)).bool("paused", one.paused);
    object.end();
}

fn figures(data: &mut Object<'_>, stats: &RingStats) {
    data.uint("total_entries", stats.entries);
    for (key, time) in [("oldest_entry", stats.oldest), ("newest_entry", stats.newest)] {
        match time {
            Some(time) => json::epoch_seconds(data.plain(key), time),
            None => data.plain(key).extend_from_slice(b"null"),
        }
    }
    data.uint("max_size", stats.max_entries);
    let mut levels = Object::new(data.plain("level_counts"));
    for level in Level::ALL {
        let count = stats.levels[usize::from(level.index())];
        if level != Level::Trace || count > 0 {
            levels.uint(level.name(), count);
        }
    }
    levels.end();
    data.uint("bytes", stats.bytes)
        .uint("max_bytes", stats.max_bytes)
        .uint("recorded", stats.recorded)
        .uint("evicted", stats.evicted)
        .uint("dropped", stats.dropped)
        .uint("truncated", stats.truncated);
}

/// `GET /marks`.
#[must_use]
pub fn marks(marks: &[Mark]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.bool("success", true);
    json::array(object.plain("data"), marks, mark);
    object.uint("count", marks.len() as u64);
    object.end();
    out
}

/// `POST /marks`.
#[must_use]
pub fn mark_set(set: &Mark) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.bool("success", true);
    mark(object.plain("data"), set);
    object.end();
    out
}

fn mark(out: &mut Vec<u8>, mark: &Mark) {
    let mut object = Object::new(out);
    object.string("name", &mark.name);
    json::epoch_seconds(object.plain("timestamp"), mark.time);
    if !mark.note.is_empty() {
        object.string("note", &mark.note);
    }
    object.end();
}

/// `DELETE /logs`.
#[must_use]
pub fn cleared(entries_removed: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.bool("success", true);
    object.string("message", "Log buffer cleared").uint("entries_removed", entries_removed);
    object.end();
    out
}

/// `POST /logs`. `problems` are index and error of the first bad items.
#[must_use]
pub fn ingested(accepted: usize, rejected: usize, problems: &[(usize, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.bool("success", accepted > 0 || rejected == 0);
    object.uint("accepted", accepted as u64).uint("rejected", rejected as u64);
    if accepted == 0 && rejected > 0 {
        object.string("error", "no item of the body could be used; `errors` says why");
    }
    json::array(object.plain("errors"), problems, |out, (index, error)| {
        let mut problem = Object::new(out);
        problem.uint("index", *index as u64).string("error", error);
        problem.end();
    });
    object.end();
    out
}

/// Any failure: `{"success":false,"error":…}`.
#[must_use]
pub fn error(message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.bool("success", false).string("error", message);
    object.end();
    out
}
