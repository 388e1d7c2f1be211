//! What carries the lines of containers: `docker compose`'s prefix, Kubernetes' CRI, Docker's JSON
//! files. Taken off here; what is inside is decoded as if it stood alone.
//!
//! A bar makes no prefix: tables of Markdown and psql are full of them.

use std::borrow::Cow;

use logrec_core::{Entry, Timestamp, Value};

use crate::{
    Origin,
    context::Context,
    json::parse,
    recognise,
    scan::{self, Scan},
    stamp,
};

/// No container's name is longer.
const NAME_BYTES_MAX: usize = 128;

/// Who carries the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Compose,
    Cri,
    Docker,
}

/// A line's outside and inside.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind,
    /// The container of [`Kind::Compose`], else the stream.
    pub(crate) name: &'a str,
    /// [`Kind::Compose`] does not tell.
    pub(crate) origin: Option<Origin>,
    pub(crate) time: Option<Timestamp>,
    /// The rest of the line is in the next of this stream.
    is_partial: bool,
    /// Docker's labels.
    pub(crate) attributes: Vec<(String, Value)>,
    pub(crate) content: Cow<'a, str>,
    /// Where the bar stands.
    pub(crate) bar: usize,
}

impl Envelope<'_> {
    pub(crate) fn is_partial(&self) -> bool {
        self.is_partial
    }
}

/// The envelopes of files, which no colours are around: CRI and Docker's JSON.
pub(crate) fn raw(text: &str) -> Option<Envelope<'_>> {
    match text.bytes().next()? {
        b'0'..=b'9' => cri(text),
        b'{' => docker(text),
        _ => None,
    }
}

/// `2026-01-02T03:04:05.678901234Z stdout F message`.
fn cri(text: &str) -> Option<Envelope<'_>> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let (time, rest) = text.split_once(' ')?;
    let mut s = Scan::new(rest);
    let (name, origin) = stream(s.until(" ")?)?;
    let is_partial = match s.peek()? {
        b'F' => false,
        b'P' => true,
        _ => return None,
    };
    s.rest = &s.rest[1..];
    s.rest = s.rest.trim_end_matches('\r');
    if !s.rest.is_empty() {
        s.eat(" ")?;
    }
    Some(Envelope {
        kind: Kind::Cri,
        name,
        origin: Some(origin),
        time: Some(time_of(time)?),
        is_partial,
        attributes: Vec::new(),
        content: Cow::Borrowed(s.rest),
        bar: 0,
    })
}

/// `{"log":"message\n","stream":"stderr","time":"…"}`, and Docker's labels as `attrs`.
fn docker(text: &str) -> Option<Envelope<'_>> {
    if !text.starts_with("{\"log\":\"") {
        return None;
    }
    let Ok(Value::Map(members)) = parse::parse(text.trim_end()) else { return None };
    let (mut log, mut source, mut time) = (None, None, None);
    let mut attributes = Vec::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("log", Value::Str(text)) if log.is_none() => log = Some(text),
            ("stream", Value::Str(name)) if source.is_none() => source = Some(stream(&name)?),
            ("time", Value::Str(text)) if time.is_none() => time = Some(time_of(&text)?),
            ("attrs", Value::Map(labels)) => attributes.extend(labels),
            _ => return None,
        }
    }
    let (mut log, (name, origin)) = (log?, source?);
    let is_partial = !log.ends_with('\n');
    if !is_partial {
        log.pop();
    }
    Some(Envelope {
        kind: Kind::Docker,
        name,
        origin: Some(origin),
        time: Some(time?),
        is_partial,
        attributes,
        content: Cow::Owned(log),
        bar: 0,
    })
}

fn stream(name: &str) -> Option<(&'static str, Origin)> {
    match name {
        "stdout" => Some(("stdout", Origin::Stdout)),
        "stderr" => Some(("stderr", Origin::Stderr)),
        _ => None,
    }
}

/// Both write a time with its zone.
fn time_of(text: &str) -> Option<Timestamp> {
    stamp::iso_text(text, Context::utc(Timestamp::default()))
}

/// `web-1  | message`; the line has no colours. `bar` is the column where the bars of this stream
/// stand, if it is known to be of `docker compose`.
///
/// Two blanks between a name with a number and a bar are `docker compose`'s own. Less than that
/// counts where the bar stands in its column, or what follows is in a known format.
pub(crate) fn compose<'a>(
    line: &'a str,
    bar: Option<usize>,
    cx: Context<'_>,
) -> Option<Envelope<'a>> {
    if !line.bytes().next()?.is_ascii_alphabetic() {
        return None;
    }
    let mut s = Scan::new(line);
    let name = s.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let before = s.rest.len();
    s.rest = s.rest.trim_start_matches(' ');
    let blanks = before - s.rest.len();
    s.eat("|")?;
    if blanks == 0 || name.len() > NAME_BYTES_MAX || scan::any_level(name).is_some() {
        return None;
    }
    if !s.rest.is_empty() {
        s.eat(" ")?;
    }
    let column = name.len() + blanks;
    let is_numbered = service(name).len() < name.len();
    let is_sure = bar == Some(column)
        || (is_numbered && blanks > 1 && !s.rest.contains(" | ") && !s.rest.ends_with(" |"));
    if !is_sure && !((is_numbered || blanks > 1) && recognise::recognise(s.rest, cx).is_some()) {
        return None;
    }
    Some(Envelope {
        kind: Kind::Compose,
        name,
        origin: None,
        time: None,
        is_partial: false,
        attributes: Vec::new(),
        content: Cow::Borrowed(s.rest),
        bar: column,
    })
}

/// The container's name without its number.
fn service(container: &str) -> &str {
    let stem = container.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == container.len() {
        return container;
    }
    stem.strip_suffix(['-', '_']).filter(|stem| !stem.is_empty()).unwrap_or(container)
}

/// Puts what the envelope says on an entry that was inside.
pub(crate) fn address(entry: &mut Entry, kind: Kind, name: &str, attributes: &[(String, Value)]) {
    if kind == Kind::Compose {
        entry.service.get_or_insert_with(|| service(name).to_owned());
        entry.attributes.push(("container.name".to_owned(), name.into()));
    } else {
        entry.attributes.push(("log.iostream".to_owned(), name.into()));
    }
    entry.attributes.extend_from_slice(attributes);
}
