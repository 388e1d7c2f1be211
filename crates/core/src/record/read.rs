//! [`RecordRef`]: bytes to fields, borrowed.

use std::fmt;

use super::*;
use crate::{Entry, Level, Timestamp, Value};

/// One record, borrowed: cheap to make, nothing decoded until asked for.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    body: &'a [u8],
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordRef").field(&self.message()).finish()
    }
}

/// A field of a record other than message, exception and logger.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "they are the fields of `Entry`, documented there")]
pub enum FieldRef<'a> {
    Module(&'a str),
    Function(&'a str),
    File(&'a str),
    ThreadName(&'a str),
    Service(&'a str),
    TraceId(&'a str),
    SpanId(&'a str),
    Line(u64),
    Thread(u64),
    Process(u64),
    /// Bytes that did not fit.
    CutBytes(u64),
    Attribute(&'a str, ValueRef<'a>),
}

impl<'a> RecordRef<'a> {
    /// Wraps the bytes of a record. Any bytes will do.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { body }
    }

    /// What the entry says.
    #[must_use]
    pub fn message(&self) -> &'a str {
        self.text_at(0)
    }

    /// The stack trace; empty when there is none.
    #[must_use]
    pub fn exception(&self) -> &'a str {
        self.text_at(8)
    }

    /// Who says it; may be empty.
    #[must_use]
    pub fn logger(&self) -> &'a str {
        self.text_at(16)
    }

    /// The other fields in the order written. Ends at the first damaged byte.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields { raw: self.raw_fields() }
    }

    /// The other fields as they lie there.
    #[inline]
    #[must_use]
    pub fn raw_fields(&self) -> RawFields<'a> {
        RawFields { rest: Bytes(self.body.get(PREFIX_BYTES..).unwrap_or_default()) }
    }

    /// [`message`](Self::message) as it lies there, not yet checked to be UTF-8.
    #[inline]
    #[must_use]
    pub fn message_bytes(&self) -> &'a [u8] {
        self.bytes_at(0)
    }

    /// [`exception`](Self::exception) as it lies there.
    #[inline]
    #[must_use]
    pub fn exception_bytes(&self) -> &'a [u8] {
        self.bytes_at(8)
    }

    /// [`logger`](Self::logger) as it lies there.
    #[inline]
    #[must_use]
    pub fn logger_bytes(&self) -> &'a [u8] {
        self.bytes_at(16)
    }

    /// The first attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<ValueRef<'a>> {
        self.fields().find_map(|field| match field {
            FieldRef::Attribute(key, value) if key == name => Some(value),
            _ => None,
        })
    }

    /// The attribute of the whole name, or else the one that its dots lead to through maps.
    #[must_use]
    pub fn dotted_attribute(&self, name: &str) -> Option<ValueRef<'a>> {
        self.attribute(name).or_else(|| {
            name.match_indices('.')
                .find_map(|(dot, _)| step(self.attribute(&name[..dot])?, &name[dot + 1..]))
        })
    }

    fn text_at(&self, prefix_at: usize) -> &'a str {
        valid_utf8(self.bytes_at(prefix_at))
    }

    #[inline]
    fn bytes_at(&self, prefix_at: usize) -> &'a [u8] {
        let word = |at: usize| {
            let bytes = self.body.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
        };
        let (Some(start), Some(len)) = (word(prefix_at), word(prefix_at + 4)) else { return &[] };
        // Of a large entry the end may be gone already: what is there is shown.
        let text = self.body.get(start..).unwrap_or_default();
        &text[..len.min(text.len())]
    }

    /// An owned entry of it, with the time and level that are kept beside the record.
    #[must_use]
    pub fn to_entry(&self, timestamp: Timestamp, level: Level) -> Entry {
        let mut entry = Entry {
            timestamp,
            level,
            logger: self.logger().to_owned(),
            message: self.message().to_owned(),
            ..Entry::default()
        };
        if !self.exception().is_empty() {
            entry.exception = Some(self.exception().to_owned());
        }
        for field in self.fields() {
            match field {
                FieldRef::Module(v) => entry.module = Some(v.to_owned()),
                FieldRef::Function(v) => entry.function = Some(v.to_owned()),
                FieldRef::File(v) => entry.file = Some(v.to_owned()),
                FieldRef::ThreadName(v) => entry.thread_name = Some(v.to_owned()),
                FieldRef::Service(v) => entry.service = Some(v.to_owned()),
                FieldRef::TraceId(v) => entry.trace_id = Some(v.to_owned()),
                FieldRef::SpanId(v) => entry.span_id = Some(v.to_owned()),
                FieldRef::Line(v) => entry.line = u32::try_from(v).ok(),
                FieldRef::Thread(v) => entry.thread = Some(v),
                FieldRef::Process(v) => entry.process = Some(v),
                FieldRef::CutBytes(v) => entry.attributes.push((CUT_BYTES.to_owned(), v.into())),
                FieldRef::Attribute(name, value) => {
                    entry.attributes.push((name.to_owned(), value.to_value()));
                }
            }
        }
        entry
    }
}

/// What a dotted path leads to in a map.
fn step<'a>(value: ValueRef<'a>, path: &str) -> Option<ValueRef<'a>> {
    let ValueRef::Map(mut items) = value else { return None };
    items.find_map(|(key, value)| {
        if key == path {
            return Some(value);
        }
        step(value, path.strip_prefix(key)?.strip_prefix('.')?)
    })
}

/// Where the message of a record of `len` bytes lies, by the first eight of its prefix.
#[inline]
pub(crate) fn message_range(prefix: [u8; 8], len: usize) -> [usize; 2] {
    let [a, b, c, d, e, f, g, h] = prefix;
    let start = (u32::from_le_bytes([a, b, c, d]) as usize).min(len);
    let end = start.saturating_add(u32::from_le_bytes([e, f, g, h]) as usize).min(len);
    [start, end]
}

/// How many bytes of a record hold what a matcher needs, by its first [`PREFIX_BYTES`].
pub(crate) fn bytes_needed(prefix: &[u8; PREFIX_BYTES], needs: crate::filter::Needs) -> usize {
    if needs.others {
        return usize::MAX;
    }
    let end = |at: usize| {
        let word = |at: usize| {
            u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]])
                as usize
        };
        word(at).saturating_add(word(at + 4))
    };
    [(needs.message, 0), (needs.exception, 8), (needs.logger, 16)]
        .into_iter()
        .map(|(needed, at)| if needed { end(at) } else { 0 })
        .fold(PREFIX_BYTES, usize::max)
}

fn valid_utf8(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default(),
    }
}

/// Iterator over [`RecordRef::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    raw: RawFields<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldRef<'a>;

    fn next(&mut self) -> Option<FieldRef<'a>> {
        Some(match self.raw.next()? {
            RawField::Text(tag, text) => {
                let text = valid_utf8(text);
                match tag {
                    TextTag::Module => FieldRef::Module(text),
                    TextTag::Function => FieldRef::Function(text),
                    TextTag::File => FieldRef::File(text),
                    TextTag::ThreadName => FieldRef::ThreadName(text),
                    TextTag::Service => FieldRef::Service(text),
                    TextTag::TraceId => FieldRef::TraceId(text),
                    TextTag::SpanId => FieldRef::SpanId(text),
                }
            }
            RawField::Number(tag, number) => match tag {
                NumberTag::Line => FieldRef::Line(number),
                NumberTag::Thread => FieldRef::Thread(number),
                NumberTag::Process => FieldRef::Process(number),
                NumberTag::CutBytes => FieldRef::CutBytes(number),
            },
            RawField::Attribute(name, value) => FieldRef::Attribute(valid_utf8(name), value),
        })
    }
}

/// A field as it lies there: text not yet checked to be UTF-8, for who writes it out anyway.
#[derive(Clone, Copy, Debug)]
pub enum RawField<'a> {
    /// A text.
    Text(TextTag, &'a [u8]),
    /// A number.
    Number(NumberTag, u64),
    /// An attribute: name and value.
    Attribute(&'a [u8], ValueRef<'a>),
}

/// Which text a [`RawField`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of `Entry`, documented there")]
pub enum TextTag {
    Module,
    Function,
    File,
    ThreadName,
    Service,
    TraceId,
    SpanId,
}

/// Which number a [`RawField`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are fields of `Entry`, documented there")]
pub enum NumberTag {
    Line,
    Thread,
    Process,
    CutBytes,
}

/// Iterator over [`RecordRef::raw_fields`].
#[derive(Clone, Debug)]
pub struct RawFields<'a> {
    rest: Bytes<'a>,
}

impl<'a> Iterator for RawFields<'a> {
    type Item = RawField<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawField<'a>> {
        loop {
            let tag = match self.rest.u8()? {
                MESSAGE | EXCEPTION | LOGGER => {
                    let len = self.rest.u32()?;
                    self.rest.take(len)?;
                    continue;
                }
                ATTRIBUTE => {
                    let name = self.rest.name_bytes()?;
                    return Some(RawField::Attribute(name, self.rest.value(0)?));
                }
                LINE => return self.number(NumberTag::Line),
                THREAD => return self.number(NumberTag::Thread),
                PROCESS => return self.number(NumberTag::Process),
                CUT => return self.number(NumberTag::CutBytes),
                MODULE => TextTag::Module,
                FUNCTION => TextTag::Function,
                FILE => TextTag::File,
                THREAD_NAME => TextTag::ThreadName,
                SERVICE => TextTag::Service,
                TRACE_ID => TextTag::TraceId,
                SPAN_ID => TextTag::SpanId,
                _ => return None,
            };
            let len = self.rest.u32()?;
            return self.rest.take(len).map(|text| RawField::Text(tag, text));
        }
    }
}

impl<'a> RawFields<'a> {
    #[inline]
    fn number(&mut self, tag: NumberTag) -> Option<RawField<'a>> {
        self.rest.u64().map(|number| RawField::Number(tag, number))
    }
}

/// An attribute's value, borrowed from a record.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they are the variants of `Value`, documented there")]
pub enum ValueRef<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(&'a str),
    Array(Items<'a>),
    Map(Items<'a>),
}

impl ValueRef<'_> {
    /// The number this is, or `None`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers are compared as f64, as JSON does")]
    pub const fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Int(n) => Some(n as f64),
            Self::UInt(n) => Some(n as f64),
            Self::Float(n) => Some(n),
            _ => None,
        }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::UInt(v) => Value::UInt(v),
            Self::Float(v) => Value::Float(v),
            Self::Str(v) => Value::Str(v.to_owned()),
            Self::Array(items) => Value::Array(items.map(|(_, v)| v.to_value()).collect()),
            Self::Map(items) => {
                Value::Map(items.map(|(k, v)| (k.to_owned(), v.to_value())).collect())
            }
        }
    }
}

/// The items of a list or map; in a list the names are empty. Copy it to iterate twice.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    rest: Bytes<'a>,
    left: usize,
    named: bool,
    depth: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = if self.named { self.rest.name()? } else { "" };
        Some((name, self.rest.value(self.depth)?))
    }
}

/// A cursor over bytes that are not trusted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    #[inline]
    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<usize> {
        self.array().map(|b| u32::from_le_bytes(b) as usize)
    }

    #[inline]
    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.u32()?;
        self.take(len).map(valid_utf8)
    }

    #[inline]
    fn name_bytes(&mut self) -> Option<&'a [u8]> {
        let len = u16::from_le_bytes(self.array()?);
        self.take(len.into())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.name_bytes().map(valid_utf8)
    }

    /// Reads a value and moves past it.
    fn value(&mut self, depth: usize) -> Option<ValueRef<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match self.u8()? {
            0 => ValueRef::Null,
            1 => ValueRef::Bool(false),
            2 => ValueRef::Bool(true),
            3 => ValueRef::Int(i64::from_le_bytes(self.array()?)),
            4 => ValueRef::UInt(self.u64()?),
            5 => ValueRef::Float(f64::from_le_bytes(self.array()?)),
            6 => ValueRef::Str(self.text()?),
            kind @ (7 | 8) => {
                let left = self.u32()?;
                let items = Items { rest: *self, left, named: kind == 8, depth: depth + 1 };
                // Each item takes at least a byte, so a wrong count ends with the bytes.
                let mut skip = items;
                for _ in 0..left {
                    skip.next()?;
                }
                self.0 = skip.rest.0;
                if kind == 8 { ValueRef::Map(items) } else { ValueRef::Array(items) }
            }
            _ => return None,
        })
    }
}
