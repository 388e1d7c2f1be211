//! logfmt: a line of `key=value` pairs; logrus, Go slog's text handler, Grafana's services.
//!
//! A sentence with an `=` in it is no logfmt: the whole line must be pairs, at least two, and one
//! of them a level, message or time.

use logrec_core::Entry;

use crate::{
    context::Context,
    json::{fields, fields::Mode},
    kv,
};

const TELLING: [&str; 8] =
    ["level", "lvl", "msg", "message", "time", "ts", "timestamp", "severity"];

pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    let pairs = kv::all(text)?;
    let has = |wanted: &str| pairs.iter().any(|(name, _)| name == wanted);
    // Rails' lograge and Heroku's router write neither level nor message.
    let is_request = has("method") && has("status") && has("path");
    if pairs.len() < 2 || !(is_request || TELLING.into_iter().any(has)) {
        return None;
    }
    let built = fields::build(pairs, Mode::Line, cx).ok()?;
    let mut entry = built.entry;
    if !built.has_message {
        entry.message = text.to_owned();
    }
    Some(entry)
}
