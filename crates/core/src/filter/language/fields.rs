//! The names of fields in the query language, and what to say to names that are nearly theirs.

use crate::{filter::Field, nearest, shown};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Name {
    Level,
    Timestamp,
    Id,
    Field(Field),
}

/// The fields of an entry that a term can name. `Field::Text` has no name: it is a bare value's.
const FIELDS: [(&str, Field); 14] = [
    ("message", Field::Message),
    ("exception", Field::Exception),
    ("logger", Field::Logger),
    ("module", Field::Module),
    ("function", Field::Function),
    ("file", Field::File),
    ("line", Field::Line),
    ("thread", Field::Thread),
    ("thread_name", Field::ThreadName),
    ("process", Field::Process),
    ("service", Field::Service),
    ("trace_id", Field::TraceId),
    ("span_id", Field::SpanId),
    ("level", Field::Text),
];
const OTHERS: [&str; 2] = ["timestamp", "id"];

/// Names that mean a field elsewhere, and what to write here.
const ELSEWHERE: [(&str, &str); 20] = [
    ("since", "timestamp>=15m"),
    ("until", "timestamp<=5m"),
    ("since_minutes", "timestamp>=15m"),
    ("time", "timestamp>=15m"),
    ("ts", "timestamp>=15m"),
    ("@timestamp", "timestamp>=15m"),
    ("search", "message:TEXT"),
    ("text", "message:TEXT"),
    ("msg", "message:TEXT"),
    ("regex", "message~/REGEX/"),
    ("min_level", "level>=WARNING"),
    ("severity", "level>=WARNING"),
    ("severity_text", "level>=WARNING"),
    ("levelname", "level>=WARNING"),
    ("lvl", "level>=WARNING"),
    ("logger_filter", "logger:TEXT"),
    ("logger_name", "logger:TEXT"),
    ("traceback", "exception:TEXT"),
    ("attributes", "attr.NAME=VALUE"),
    ("attr", "attr.NAME=VALUE"),
];

/// Reads a name; the error is what to say of it.
pub(super) fn name(given: &str) -> Result<Name, String> {
    if let Some((name, field)) = FIELDS.iter().find(|(name, _)| *name == given) {
        return Ok(if *name == "level" { Name::Level } else { Name::Field(field.clone()) });
    }
    match given {
        "timestamp" => return Ok(Name::Timestamp),
        "id" => return Ok(Name::Id),
        _ => {}
    }
    let attribute = given.strip_prefix("attr.").or_else(|| given.strip_prefix("attributes."));
    if let Some(attribute) = attribute {
        if attribute.is_empty() {
            return Err(format!("`{given}` names no attribute; write attr.NAME"));
        }
        return Ok(Name::Field(Field::Attribute(attribute.to_owned())));
    }
    if let Some((name, right)) = ELSEWHERE.iter().find(|(name, _)| *name == given) {
        return Err(format!(
            "`{name}` is no field; write {right}, or attr.{name} for an attribute of that name"
        ));
    }
    match misspelt(given) {
        Some(near) => Err(format!(
            "`{given}` is no field; did you mean `{near}`? An attribute of that name is attr.{given}",
            given = shown(given)
        )),
        None => Ok(Name::Field(Field::Attribute(given.to_owned()))),
    }
}

/// The field that a name was meant to be: one edit or two letters exchanged away, or written in other
/// case or without its underscore. A plural is a name of its own.
fn misspelt(given: &str) -> Option<&'static str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let known: Vec<&'static str> = FIELDS.iter().map(|(name, _)| *name).chain(OTHERS).collect();
    let same = known.iter().find(|name| plain(name) == plain(given));
    if let Some(name) = same {
        return Some(name);
    }
    // Of short names too many others are one edit away.
    let long: Vec<&'static str> = known.into_iter().filter(|name| name.len() >= 5).collect();
    let near = nearest(given, &long)?;
    let is_plural = given.strip_suffix('s') == Some(near);
    (!is_plural && (edits_at_most_one(&given.to_lowercase(), near))).then_some(near)
}

/// Whether one letter more, less, other, or two exchanged make one of the other.
fn edits_at_most_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&a[..a.len() - end], &b[..b.len() - end]) {
        ([], _) => b.len() - end <= 1,
        (_, []) => a.len() - end <= 1,
        ([_], [_]) => true,
        ([a1, a2], [b1, b2]) => a1 == b2 && a2 == b1,
        _ => false,
    }
}

/// How a field is written; `None` for what a bare value looks at.
pub(super) fn written(field: &Field) -> Option<String> {
    match field {
        Field::Text => None,
        Field::Attribute(attribute) => Some(match name(attribute) {
            Ok(Name::Field(Field::Attribute(same))) if same == *attribute => attribute.clone(),
            _ => format!("attr.{attribute}"),
        }),
        field => {
            FIELDS.iter().find(|(_, known)| known == field).map(|(name, _)| (*name).to_owned())
        }
    }
}
