//! JSON: a reader of its own, and the field names of other people's loggers.
//!
//! `parse` turns text into a [`Value`](logrec_core::Value); `fields` turns the members of an
//! object into an [`Entry`](logrec_core::Entry); `line` is the recogniser of JSON log lines.

pub(crate) mod fields;
mod level;
pub(crate) mod line;
pub(crate) mod parse;
mod shape;
