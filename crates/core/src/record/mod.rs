//! The bytes of one entry: what a writer puts into a ring and a reader borrows from.
//!
//! A record is a prefix and a run of tagged fields in any order, so that a writer streams them as it
//! learns them: it formats a message straight into the buffer and never needs a second one. The
//! prefix says where message, exception and logger lie, so that a search touches nothing else.
//!
//! ```text
//! prefix, 24 bytes, little endian:
//!   u32 message at   u32 message length   u32 exception at   u32 exception length
//!   u32 logger at    u32 logger length
//! field:  u8 tag, then
//!   text       u32 length, UTF-8                      number     u64
//!   attribute  u16 length, name, value                cut        u64 bytes left out
//! value:  u8 type, then  0 null · 1 false · 2 true · 3 i64 · 4 u64 · 5 f64 · 6 u32 length, UTF-8
//!   · 7 u32 count, values · 8 u32 count, then u16 length, name, value each
//! ```
//!
//! Reading trusts nothing: a length that points outside ends the record, text that is not UTF-8 ends
//! where it stops being so. A record that came from a damaged file decodes to less, never to a panic.

mod read;
mod write;

pub use read::{
    FieldRef, Fields, Items, NumberTag, RawField, RawFields, RecordRef, TextTag, ValueRef,
};
pub(crate) use read::{bytes_needed, message_range};
pub use write::{Prepared, RecordWriter};

/// Bytes before the first field.
pub(crate) const PREFIX_BYTES: usize = 24;
/// Longest record by default; what is longer is cut at a character and marked.
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Attribute that says how many bytes of an entry were cut away.
pub const CUT_BYTES: &str = "logrec.cut_bytes";
/// Deepest nesting of a value kept.
const DEPTH_MAX: usize = 128;

macro_rules! tags {
    ($($name:ident = $n:literal),* $(,)?) => { $(const $name: u8 = $n;)* };
}
tags! {
    MESSAGE = 1, EXCEPTION = 2, LOGGER = 3, MODULE = 4, FUNCTION = 5, FILE = 6, THREAD_NAME = 7,
    SERVICE = 8, TRACE_ID = 9, SPAN_ID = 10, LINE = 16, THREAD = 17, PROCESS = 18, CUT = 19,
    ATTRIBUTE = 32,
}

#[cfg(test)]
mod tests;
