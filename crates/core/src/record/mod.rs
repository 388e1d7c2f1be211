//! The bytes of one entry: what a writer puts into a ring and a reader borrows from.
//!
//! A record is a prefix and a run of tagged fields in any order, so that a writer streams them as it
//! learns them: it formats a message straight into the buffer and never needs a second one. The
//! prefix says where message, exception and logger lie, so that a search touches nothing else. Of a
//! record as Python's `logging` makes one, some 150 bytes, 30 are not text.
//!
//! ```text
//! prefix, 8 bytes, little endian; places count from the record's start, 0 is absent, all ones is not told here:
//!   u16 message at   u16 message length   u16 exception's field at   u8 logger at   u8 logger length
//! field:  u8 tag, then
//!   message, exception   u16 length (65535: u32 length follows), UTF-8
//!   other text           length, UTF-8
//!     the same with 64 added to the tag: i16 from the tag to where the text lies in another field, u8 length
//!   known thread name    u8, which of `THREAD_NAMES`
//!   number               as many bytes, 0 to 8, as the low four bits of the tag say
//!   attribute            u8 length, name, value
//! value:  u8 type, then  0 null · 1 false · 2 true · 5 f64 · 6 length, UTF-8
//!   · 7 length, so many values · 8 length, so many times: u8 length, name, value
//!   · 16 + n: a whole number in n bytes, 0 to 8 · 32 + n: -1 less a whole number in n bytes
//! length: u8; 255: u32 follows
//! ```
//!
//! Reading trusts nothing: a length that points outside ends the record, text that is not UTF-8 ends
//! where it stops being so. A record that came from a damaged file decodes to less, never to a panic.
//!
//! Whoever changes what is written here counts `VERSION` up.

mod bytes;
mod encode;
mod prepared;
mod read;
mod write;

pub use bytes::{Items, ValueRef};
pub use prepared::Prepared;
pub use read::{FieldRef, Fields, NumberTag, RawField, RawFields, RecordRef, TextTag};
pub(crate) use read::{bytes_needed, message_range};
pub use write::RecordWriter;

/// The version of this form. A recording of another is refused.
pub(crate) const VERSION: u8 = 2;
/// Bytes before the first field.
pub(crate) const PREFIX_BYTES: usize = 8;
/// Longest record by default; what is longer is cut at a character and marked.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Attribute that says how many bytes of an entry were cut away.
pub const CUT_BYTES: &str = "logrec.cut_bytes";
/// Deepest nesting of a value kept.
const DEPTH_MAX: usize = 128;

/// Names that threads have in many programs, told by their place here: new ones at the end.
pub(crate) const THREAD_NAMES: [&str; 5] =
    ["MainThread", "main", "AnyIO worker thread", "tokio-rt-worker", "tokio-runtime-worker"];

macro_rules! tags {
    ($($name:ident = $n:literal),* $(,)?) => { $(const $name: u8 = $n;)* };
}
tags! {
    MESSAGE = 1, EXCEPTION = 2, LOGGER = 3, MODULE = 4, FUNCTION = 5, FILE = 6, THREAD_NAME = 7,
    SERVICE = 8, TRACE_ID = 9, SPAN_ID = 10, KNOWN_THREAD_NAME = 16, ATTRIBUTE = 32,
    // Added to the tag of a text that lies in another field.
    ELSEWHERE = 64,
    // Numbers: the low four bits are for how many bytes follow.
    LINE = 0x80, THREAD = 0x90, PROCESS = 0xa0, CUT = 0xb0,
    // Types of values.
    NULL = 0, FALSE = 1, TRUE = 2, FLOAT = 5, TEXT = 6, LIST = 7, MAP = 8, WHOLE = 16, NEGATIVE = 32,
}

/// A `u8` length that says that a `u32` follows.
const LENGTH_FOLLOWS: u8 = u8::MAX;
/// The same of a `u16`.
const LONG_LENGTH_FOLLOWS: u16 = u16::MAX;
/// In the prefix, of a message or an exception: it is found among the fields.
const UNTOLD: u16 = u16::MAX;
/// The same of a logger.
const UNTOLD_LOGGER: u8 = u8::MAX;

#[cfg(test)]
mod tests;
