//! JSON log lines: one object a line.

use logrec_core::{Entry, Value};

use crate::{
    context::Context,
    json::{fields, fields::Mode, parse},
};

/// An object that fills the line. One without a message has the line itself as message, so that
/// a search for any part of it finds it; its members are attributes all the same.
pub(crate) fn recognise(text: &str, cx: Context<'_>) -> Option<Entry> {
    if !(text.starts_with('{') && text.ends_with('}')) {
        return None;
    }
    let Ok(Value::Map(members)) = parse::parse(text) else { return None };
    let built = fields::build(members, Mode::Line, cx).ok()?;
    let mut entry = built.entry;
    if !built.has_message {
        entry.message = text.to_owned();
    }
    Some(entry)
}
