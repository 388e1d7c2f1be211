//! logrec's vocabulary: what an entry is, where it is kept, and how one asks for it.
//!
//! Deliberately not here: async, network, SQL, serialisation formats. The published JSON lives in
//! `logrec-reader`, the recognition of log lines in `logrec-decode`.

pub mod cursor;
mod entry;
pub mod filter;
mod id;
mod level;
pub mod query;
pub mod record;
pub mod ring;
mod say;
pub mod source;
mod time;
mod value;

pub use cursor::{Cursor, Place};
pub use entry::Entry;
pub use filter::{Filter, Matcher};
pub use id::{EntryId, ParseIdError, Run};
pub use level::{Level, LevelSet, ParseLevelError};
pub use query::{Collector, Order, Page, Query, RowRef};
pub use ring::{Position, Ring, RingId, RingOptions, RingStats, Seq};
pub use say::{nearest, shown};
pub use source::{Progress, Source, SourceInfo};
pub use time::{Marks, NS_PER_S, ParseTimeError, Times, Timestamp, parse_span_ns};
pub use value::Value;
