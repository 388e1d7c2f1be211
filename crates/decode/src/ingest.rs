//! Bodies of `POST /api/debug/logs`: one JSON object, an array of objects, or NDJSON.
//!
//! Good items are kept and bad ones named, so that one wrong line of a batch does not cost the
//! others. Only a body that is no batch at all is refused as a whole. The fields are those of the
//! published entry; other loggers' names for them (`msg`, `severity`, `@timestamp`, …) are read
//! too, and keys that are no field become attributes.

use logrec_core::{Entry, Timestamp, Value};

use crate::{
    context::Context,
    json::{fields, fields::Mode, parse},
    limits::PROBLEMS_MAX,
    scan::shown,
    value::type_name,
};

/// The good items of a body in the order given, and what was wrong with the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ingest {
    /// The good items, in order.
    pub entries: Vec<Entry>,
    /// How many items were bad; `problems` names the first 20 of them.
    pub rejected: usize,
    /// The first 20 bad items, in order.
    pub problems: Vec<Problem>,
}

/// One bad item of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Position among the batch's items (array elements, or lines that are not blank), from 0.
    pub index: usize,
    /// What was given, what is wrong, what would be right.
    pub error: String,
}

/// Why a body as a whole cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// Nothing, or white space only.
    #[error("the body is empty; give {WANTED}")]
    Empty,
    /// Bytes that are no text, in a body that is one document.
    #[error("the body is not UTF-8 at byte {at}; give {WANTED} in UTF-8")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// A single value that is no object and no array, or no JSON at all.
    #[error("the body is {found}; give {WANTED}")]
    NotABatch {
        /// What it is.
        found: String,
    },
    /// One object or array that has no end, or goes on after it.
    #[error("the body cannot be read: {reason}; give {WANTED}")]
    Broken {
        /// What is wrong, and at which byte.
        reason: String,
    },
}

const WANTED: &str = "a JSON object, a JSON array of objects, or one object a line (NDJSON)";

/// Reads a body into entries; what has no timestamp is stamped with the arrival, and a timestamp
/// without a zone is UTC: it comes from a machine of which nothing is known.
///
/// # Errors
/// Only when the body is no batch at all: empty, a scalar, one object or array that is truncated
/// or has something after it, or one document that is not UTF-8. Problems of single items are in
/// the result.
pub fn decode_ingest(body: &[u8], arrival: Timestamp) -> Result<Ingest, IngestError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let body = body.trim_ascii();
    match body.first() {
        None => Err(IngestError::Empty),
        Some(b'[') => array(body, arrival),
        Some(b'{') => objects(body, arrival),
        Some(_) if memchr::memchr(b'\n', body).is_some() => Ok(lines(body, arrival)),
        Some(_) => Err(not_a_batch(body)),
    }
}

fn not_a_batch(body: &[u8]) -> IngestError {
    let text = match utf8(body) {
        Ok(text) => text,
        Err(error) => return error,
    };
    let found = match parse::parse(text) {
        Ok(value) => format!("{} `{}`", type_name(&value), shown(text, 80)),
        Err(error) => format!("no JSON: {error}"),
    };
    IngestError::NotABatch { found }
}

fn utf8(bytes: &[u8]) -> Result<&str, IngestError> {
    std::str::from_utf8(bytes).map_err(|error| IngestError::NotUtf8 { at: error.valid_up_to() })
}

/// One object over any number of lines, or one a line.
fn objects(body: &[u8], arrival: Timestamp) -> Result<Ingest, IngestError> {
    let mut ingest = Ingest::default();
    let end = end_of_value(body);
    if end == Some(body.len()) || (end.is_none() && memchr::memchr(b'\n', body).is_none()) {
        let text = utf8(body)?;
        if end.is_none() {
            let reason = parse::parse(text).err().map(|error| error.to_string());
            return Err(IngestError::Broken { reason: reason.unwrap_or_default() });
        }
        ingest.take(0, text, arrival);
        return Ok(ingest);
    }
    let ingest = lines(body, arrival);
    if ingest.entries.is_empty() && end.is_none() {
        let reason = "it is neither one whole object nor one object a line".to_owned();
        return Err(IngestError::Broken { reason });
    }
    Ok(ingest)
}

fn lines(body: &[u8], arrival: Timestamp) -> Ingest {
    let mut ingest = Ingest::default();
    let items = body.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    for (index, line) in items.enumerate() {
        match std::str::from_utf8(line) {
            Ok(text) => ingest.take(index, text, arrival),
            Err(error) => ingest.reject(
                index,
                format!("not UTF-8 at byte {} of the line; give UTF-8", error.valid_up_to()),
            ),
        }
    }
    ingest
}

/// An array: cut at its commas first, so that one bad element does not cost the others.
fn array(body: &[u8], arrival: Timestamp) -> Result<Ingest, IngestError> {
    let broken = |reason: String| Err(IngestError::Broken { reason });
    let Some(end) = end_of_value(body) else {
        return broken(format!(
            "the array that begins it has no end (`]` is missing after byte {})",
            body.len()
        ));
    };
    if end < body.len() {
        let at =
            end + body[end..].iter().position(|b| !b.is_ascii_whitespace()).unwrap_or_default();
        return broken(format!("something follows the array, at byte {at}"));
    }
    let inner = utf8(body)?[1..end - 1].trim();
    let mut ingest = Ingest::default();
    if inner.is_empty() {
        return Ok(ingest);
    }
    let mut index = 0;
    let mut rest = inner;
    while let Some((element, tail)) = next_element(rest) {
        if element.is_empty() {
            ingest.reject(index, "nothing between two commas; give a JSON object".to_owned());
        } else {
            ingest.take(index, element, arrival);
        }
        index += 1;
        match tail {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    Ok(ingest)
}

/// The text before the next comma outside of strings and brackets, and the text after it.
fn next_element(text: &str) -> Option<(&str, Option<&str>)> {
    let mut skip = Skip::default();
    for (at, byte) in text.bytes().enumerate() {
        if byte == b',' && skip.is_outside() {
            return Some((text[..at].trim(), Some(&text[at + 1..])));
        }
        skip.step(byte);
    }
    Some((text.trim(), None))
}

/// Where the object or array that begins `bytes` ends; `None` when it does not. Does not recurse.
fn end_of_value(bytes: &[u8]) -> Option<usize> {
    let mut skip = Skip::default();
    for (at, &byte) in bytes.iter().enumerate() {
        skip.step(byte);
        if skip.is_outside() {
            return Some(at + 1);
        }
    }
    None
}

/// Counts brackets outside of strings.
#[derive(Default)]
struct Skip {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Skip {
    fn is_outside(&self) -> bool {
        self.depth == 0 && !self.in_string
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

impl Ingest {
    fn take(&mut self, index: usize, text: &str, arrival: Timestamp) {
        match item(text, arrival) {
            Ok(entry) => self.entries.push(entry),
            Err(error) => self.reject(index, error),
        }
    }

    fn reject(&mut self, index: usize, error: String) {
        self.rejected += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { index, error });
        }
    }
}

fn item(text: &str, arrival: Timestamp) -> Result<Entry, String> {
    let members = match parse::parse(text) {
        Ok(Value::Map(members)) => members,
        Ok(other) => {
            let found = type_name(&other);
            return Err(format!("{found} `{}` is no entry; give a JSON object", shown(text, 80)));
        }
        Err(error) => return Err(format!("not JSON: {error}; given `{}`", shown(text, 80))),
    };
    let mut built =
        fields::build(members, Mode::Ingest, Context::utc(arrival)).map_err(|error| error.0)?;
    fields::bound_attributes(&mut built.entry.attributes);
    if built.has_message {
        Ok(built.entry)
    } else {
        Err("`message` is missing; give a string".to_owned())
    }
}

#[cfg(test)]
mod tests;
