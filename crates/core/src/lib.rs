//! logrec's vocabulary: what an entry is, where it is kept, and how one asks for it.
//!
//! Deliberately not here: async, network, SQL, serialisation formats. The published JSON lives in
//! `logrec-reader`, the recognition of log lines in `logrec-decode`.

mod entry;
mod level;
pub mod record;
pub mod ring;
mod time;
mod value;

pub use entry::Entry;
pub use level::{Level, LevelSet, ParseLevelError};
pub use ring::{Position, Ring, RingId, RingOptions, RingStats, Seq};
pub use time::{NS_PER_S, ParseTimeError, Timestamp, parse_span_ns};
pub use value::Value;
