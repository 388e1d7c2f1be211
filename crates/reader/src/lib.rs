//! From a question to its answer: parameters to a [`Request`], a [`Reader`] over rings and files that
//! answers it, and the published JSON, text and Markdown an answer is rendered in.
//!
//! Every surface (HTTP, command line, later streams, MCP and Python) parses into a `Request`, asks
//! the `Reader` and renders; none filters, sorts or counts by itself. Knows no HTTP.

mod answer;
mod file;
mod follow;
mod json;
pub mod messages;
mod params;
mod reader;
mod shape;
pub mod text;
mod watched;
pub mod wire;

pub use answer::{Answer, Unread};
pub use file::LogFile;
pub use follow::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Batch, Follower, FollowerInfo, Followers,
    HEARTBEAT_MS_DEFAULT, Step, Subscription,
};
pub use params::{
    Applied, LIMIT_MAX, ParamError, Request, TEXT_BYTES_MAX, TOKENS_MAX, TOKENS_MIN, WAIT_MAX_S,
};
pub use reader::Reader;
pub use shape::{EntryField, Format, Shape};
