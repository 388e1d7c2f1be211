//! [`RecordRef`]: bytes to fields, borrowed.

use std::fmt;

use super::{
    bytes::{Bytes, valid_utf8},
    *,
};
use crate::{Entry, Level, Timestamp};

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
        valid_utf8(self.message_bytes())
    }

    /// The stack trace; empty when there is none.
    #[must_use]
    pub fn exception(&self) -> &'a str {
        valid_utf8(self.exception_bytes())
    }

    /// Who says it; may be empty.
    #[must_use]
    pub fn logger(&self) -> &'a str {
        valid_utf8(self.logger_bytes())
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
        RawFields {
            body: self.body,
            rest: Bytes(self.body.get(PREFIX_BYTES..).unwrap_or_default()),
        }
    }

    /// [`message`](Self::message) as it lies there, not yet checked to be UTF-8.
    #[inline]
    #[must_use]
    pub fn message_bytes(&self) -> &'a [u8] {
        let Some(prefix) = self.prefix() else { return &[] };
        match prefix.message() {
            Some((at, len)) => self.text_at(at, len),
            None => self.found(MESSAGE),
        }
    }

    /// [`exception`](Self::exception) as it lies there.
    #[inline]
    #[must_use]
    pub fn exception_bytes(&self) -> &'a [u8] {
        let Some(prefix) = self.prefix() else { return &[] };
        match prefix.exception() {
            Some(0) => &[],
            Some(at) => {
                let mut field = Bytes(self.body.get(at..).unwrap_or_default());
                let len = field.u8().and_then(|_| field.long_len());
                len.map_or(&[], |len| field.take_most(len))
            }
            None => self.found(EXCEPTION),
        }
    }

    /// [`logger`](Self::logger) as it lies there.
    #[inline]
    #[must_use]
    pub fn logger_bytes(&self) -> &'a [u8] {
        let Some(prefix) = self.prefix() else { return &[] };
        match prefix.logger() {
            Some((at, len)) => self.text_at(at, len),
            None => self.found(LOGGER),
        }
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

    #[inline]
    fn prefix(&self) -> Option<Prefix> {
        self.body.first_chunk().copied().map(Prefix)
    }

    /// Of a large entry the end may be gone already: what is there is shown.
    #[inline]
    fn text_at(&self, at: usize, len: usize) -> &'a [u8] {
        Bytes(self.body.get(at..).unwrap_or_default()).take_most(len)
    }

    /// The last text of this tag among the fields.
    #[cold]
    fn found(&self, tag: u8) -> &'a [u8] {
        let mut fields = self.raw_fields();
        let mut last: &[u8] = &[];
        while let Some(piece) = fields.piece() {
            match piece {
                Piece::Main(found, text) if found == tag => last = text,
                Piece::Main(..) | Piece::Field(_) => {}
            }
        }
        last
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

/// What a record begins with; see the module.
#[derive(Clone, Copy)]
struct Prefix([u8; PREFIX_BYTES]);

/// Each is `None` where the text is to be looked for among the fields.
impl Prefix {
    /// Where the message lies, and its length.
    #[inline]
    fn message(self) -> Option<(usize, usize)> {
        let [a, b, c, d, ..] = self.0;
        let (at, len) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        (at != UNTOLD).then_some((at.into(), len.into()))
    }

    /// Where the exception's field begins; 0 where there is none.
    #[inline]
    fn exception(self) -> Option<usize> {
        let [.., a, b, _, _] = self.0;
        let at = u16::from_le_bytes([a, b]);
        (at != UNTOLD).then_some(at.into())
    }

    /// Where the logger lies, and its length.
    #[inline]
    fn logger(self) -> Option<(usize, usize)> {
        let [.., at, len] = self.0;
        (at != UNTOLD_LOGGER).then_some((at.into(), len.into()))
    }
}

/// Where the message of a record of `len` bytes lies, by the record's prefix; all of the record where the
/// prefix does not tell.
#[inline]
pub(crate) fn message_range(prefix: [u8; PREFIX_BYTES], len: usize) -> [usize; 2] {
    let (start, message_len) = Prefix(prefix).message().unwrap_or((0, len));
    let start = start.min(len);
    [start, (start + message_len).min(len)]
}

/// How many bytes of a record hold what a matcher needs, by the record's prefix; `usize::MAX` is all.
pub(crate) fn bytes_needed(prefix: [u8; PREFIX_BYTES], needs: crate::filter::Needs) -> usize {
    let prefix = Prefix(prefix);
    let end = |text: Option<(usize, usize)>| text.map_or(usize::MAX, |(at, len)| at + len);
    if needs.others || (needs.exception && prefix.exception() != Some(0)) {
        return usize::MAX;
    }
    let message = if needs.message { end(prefix.message()) } else { 0 };
    let logger = if needs.logger { end(prefix.logger()) } else { 0 };
    PREFIX_BYTES.max(message).max(logger)
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
    /// All of the record, for texts that lie in another field.
    body: &'a [u8],
    rest: Bytes<'a>,
}

/// A field of any kind.
enum Piece<'a> {
    /// Message, exception or logger.
    Main(u8, &'a [u8]),
    Field(RawField<'a>),
}

impl<'a> Iterator for RawFields<'a> {
    type Item = RawField<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawField<'a>> {
        loop {
            if let Piece::Field(field) = self.piece()? {
                return Some(field);
            }
        }
    }
}

impl<'a> RawFields<'a> {
    #[inline]
    fn piece(&mut self) -> Option<Piece<'a>> {
        let at = self.body.len() - self.rest.0.len();
        let tag = self.rest.u8()?;
        Some(match tag {
            LINE.. => {
                let number = self.rest.number(tag & 0xf)?;
                Piece::Field(RawField::Number(number_tag(tag)?, number))
            }
            MESSAGE | EXCEPTION => {
                let len = self.rest.long_len()?;
                Piece::Main(tag, self.rest.take_most(len))
            }
            LOGGER => {
                let len = self.rest.len()?;
                Piece::Main(tag, self.rest.take_most(len))
            }
            ATTRIBUTE => {
                let name = self.rest.name_bytes()?;
                Piece::Field(RawField::Attribute(name, self.rest.value(0)?))
            }
            KNOWN_THREAD_NAME => {
                let name = THREAD_NAMES.get(usize::from(self.rest.u8()?))?;
                Piece::Field(RawField::Text(TextTag::ThreadName, name.as_bytes()))
            }
            ELSEWHERE.. => {
                let start = at.checked_add_signed(i16::from_le_bytes(self.rest.array()?).into())?;
                let end = start + usize::from(self.rest.u8()?);
                let text = self.body.get(start..end)?;
                Piece::Field(RawField::Text(text_tag(tag - ELSEWHERE)?, text))
            }
            _ => {
                let tag = text_tag(tag)?;
                let len = self.rest.len()?;
                Piece::Field(RawField::Text(tag, self.rest.take(len)?))
            }
        })
    }
}

#[inline]
const fn text_tag(tag: u8) -> Option<TextTag> {
    Some(match tag {
        MODULE => TextTag::Module,
        FUNCTION => TextTag::Function,
        FILE => TextTag::File,
        THREAD_NAME => TextTag::ThreadName,
        SERVICE => TextTag::Service,
        TRACE_ID => TextTag::TraceId,
        SPAN_ID => TextTag::SpanId,
        _ => return None,
    })
}

#[inline]
const fn number_tag(tag: u8) -> Option<NumberTag> {
    Some(match tag & 0xf0 {
        LINE => NumberTag::Line,
        THREAD => NumberTag::Thread,
        PROCESS => NumberTag::Process,
        CUT => NumberTag::CutBytes,
        _ => return None,
    })
}
