//! From a question to its answer: parameters to a [`Request`], a [`Reader`] over rings and files that
//! answers it, and the published JSON, text and Markdown an answer is rendered in.
//!
//! Every surface (HTTP, command line, later streams, MCP and Python) parses into a `Request`, asks
//! the `Reader` and renders; none filters, sorts or counts by itself. Knows no HTTP.

mod answer;
mod context;
mod digest;
mod facets;
mod file;
mod fold;
mod follow;
mod json;
mod marks;
pub mod messages;
mod params;
mod patterns;
mod reader;
mod shape;
pub mod text;
mod trends;
mod volume;
mod watched;
pub mod wire;

pub use answer::{Answer, Unread};
pub use context::{CONTEXT, ContextError, ContextRequest};
pub use digest::{DIGEST, DigestRequest};
pub use facets::{FACETS, FacetsRequest};
pub use file::LogFile;
pub use follow::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Batch, Follower, FollowerInfo, Followers,
    HEARTBEAT_MS_DEFAULT, STREAM, Step, Subscription,
};
pub use marks::{MARK_NAME_MAX, MARK_NOTE_MAX, MARKS_MAX, Mark, MarkError, MarkList};
pub use params::{
    Applied, FILTERS, Kind, LIMIT_MAX, PAGE, Param, ParamError, QUERY_TIME_MAX, Request, SHAPE,
    TEXT_BYTES_MAX, TOKENS_MAX, TOKENS_MIN, WAIT_MAX_S,
};
pub use patterns::{PATTERNS, PatternsRequest};
pub use reader::Reader;
pub use shape::{EntryField, FieldKind, Format, Shape};
pub use trends::{TRENDS, TrendsRequest};
pub use volume::{VOLUME, VolumeError, VolumeRequest};

/// What is said of a search that its time limit ended.
pub const TOO_SLOW: &str = "the search took longer than 10 s and was given up; narrow it with `since`, `level` or `logger_filter`, or use a simpler pattern";
