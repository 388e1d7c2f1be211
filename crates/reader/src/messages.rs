//! What a stream says, as JSON: one object a message, `type` first. Part of the published JSON, as
//! [`wire`] is; docs/api.md describes it.

use logrec_core::{Cursor, Timestamp};

use crate::{
    json::{self, Object},
    params::Applied,
    wire,
};

/// What `entries` begins with; entries with commas between and [`end_entries`] follow.
pub const ENTRIES: &[u8] = b"{\"type\":\"entries\",\"data\":[";

/// Ends a message that [`ENTRIES`] began.
pub fn end_entries(out: &mut Vec<u8>, count: usize, cursor: &Cursor) {
    out.extend_from_slice(b"],\"count\":");
    json::uint(out, count as u64);
    out.extend_from_slice(b",\"cursor\":");
    json::string(out, &cursor.to_string());
    out.push(b'}');
}

/// The first message.
#[must_use]
pub fn hello(applied: &[(String, Applied)], heartbeat_ms: u64, cursor: &Cursor) -> Vec<u8> {
    message("hello", |object| {
        object.uint("protocol", 1).string("version", env!("CARGO_PKG_VERSION"));
        #[expect(clippy::cast_precision_loss, reason = "at most 60000")]
        json::float(object.plain("heartbeat_s"), heartbeat_ms as f64 / 1000.0);
        wire::applied(object.plain("filters_applied"), applied, |_| true);
        object.string("cursor", &cursor.to_string());
    })
}

/// The answer to a message of the client, of the same type.
#[must_use]
pub fn done(kind: &'static str, applied: &[(String, Applied)], cursor: &Cursor) -> Vec<u8> {
    message(kind, |object| {
        wire::applied(object.plain("filters_applied"), applied, |_| true);
        object.string("cursor", &cursor.to_string());
    })
}

/// So many entries were overwritten before they could be read.
#[must_use]
pub fn gap(missed: u64, cursor: &Cursor) -> Vec<u8> {
    message("gap", |object| {
        object.uint("missed", missed).string("cursor", &cursor.to_string());
    })
}

/// Recordings that the cursor named are not here any more.
#[must_use]
pub fn note(gone: usize) -> Vec<u8> {
    message("note", |object| _ = object.string("note", &wire::gone_note(gone)))
}

/// Nothing was to be said for a while.
#[must_use]
pub fn heartbeat(now: Timestamp, cursor: &Cursor) -> Vec<u8> {
    message("heartbeat", |object| {
        json::epoch_seconds(object.plain("timestamp"), now);
        object.string("cursor", &cursor.to_string());
    })
}

/// What is wrong with a message of the client.
#[must_use]
pub fn error(error: &str) -> Vec<u8> {
    message("error", |object| _ = object.string("error", error))
}

fn message(kind: &'static str, write: impl FnOnce(&mut Object<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::new(&mut out);
    object.string("type", kind);
    write(&mut object);
    object.end();
    out
}
