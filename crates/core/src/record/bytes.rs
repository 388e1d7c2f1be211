//! [`ValueRef`], and the cursor over bytes that all reading is made of.

use super::*;
use crate::Value;

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
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// So many bytes, or those that are there.
    #[inline]
    pub(super) fn take_most(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    #[inline]
    fn u32(&mut self) -> Option<usize> {
        self.array().map(|b| u32::from_le_bytes(b) as usize)
    }

    /// A length of one byte, or of those that follow it.
    #[inline]
    pub(super) fn len(&mut self) -> Option<usize> {
        match self.u8()? {
            LENGTH_FOLLOWS => self.u32(),
            len => Some(len.into()),
        }
    }

    /// The length of a message or an exception.
    #[inline]
    pub(super) fn long_len(&mut self) -> Option<usize> {
        match u16::from_le_bytes(self.array()?) {
            LONG_LENGTH_FOLLOWS => self.u32(),
            len => Some(len.into()),
        }
    }

    /// A number of `len` bytes, at most 8.
    #[inline]
    pub(super) fn number(&mut self, len: u8) -> Option<u64> {
        let bytes = self.take(len.into()).filter(|bytes| bytes.len() <= 8)?;
        Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.len()?;
        self.take(len).map(valid_utf8)
    }

    #[inline]
    pub(super) fn name_bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.take(len.into())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.name_bytes().map(valid_utf8)
    }

    /// Reads a value and moves past it.
    pub(super) fn value(&mut self, depth: usize) -> Option<ValueRef<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match self.u8()? {
            NULL => ValueRef::Null,
            FALSE => ValueRef::Bool(false),
            TRUE => ValueRef::Bool(true),
            FLOAT => ValueRef::Float(f64::from_le_bytes(self.array()?)),
            TEXT => ValueRef::Str(self.text()?),
            kind @ WHOLE..NEGATIVE => {
                let number = self.number(kind - WHOLE)?;
                i64::try_from(number).map_or(ValueRef::UInt(number), ValueRef::Int)
            }
            kind @ NEGATIVE..ELSEWHERE => {
                ValueRef::Int(!self.number(kind - NEGATIVE)?.cast_signed())
            }
            kind @ (LIST | MAP) => {
                let left = self.len()?;
                let items = Items { rest: *self, left, named: kind == MAP, depth: depth + 1 };
                // Each item takes at least a byte, so a wrong count ends with the bytes.
                let mut skip = items;
                for _ in 0..left {
                    skip.next()?;
                }
                self.0 = skip.rest.0;
                if kind == MAP { ValueRef::Map(items) } else { ValueRef::Array(items) }
            }
            _ => return None,
        })
    }
}

/// As much of a text as is UTF-8.
pub(super) fn valid_utf8(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default(),
    }
}
