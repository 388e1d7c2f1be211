//! What a client of a stream may say: one JSON object a message, with its `type`.

use logrec_core::{Value, shown};
use logrec_decode::parse_json;

/// A message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Go on with these parameters in place of those before.
    Filter(Vec<(String, String)>),
    /// Send nothing until `Resume`.
    Pause,
    /// Go on where it stopped.
    Resume,
}

const TYPES: &str = "filter, pause or resume";

impl Command {
    /// Reads a message.
    ///
    /// # Errors
    /// Says what is wrong with it and what would be right.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let value = parse_json(text).map_err(|e| format!("the message is no JSON: {e}"))?;
        let Value::Map(mut members) = value else {
            return Err(
                "the message is no JSON object; send {\"type\":\"pause\"}, for one".to_owned()
            );
        };
        let at = members.iter().position(|(name, _)| name == "type");
        let Some((_, kind)) = at.map(|at| members.remove(at)) else {
            return Err(format!("the message has no `type`; give {TYPES}"));
        };
        match kind {
            Value::Str(kind) if kind == "filter" => members
                .into_iter()
                .filter_map(parameter)
                .collect::<Result<_, _>>()
                .map(Self::Filter),
            Value::Str(kind) if kind == "pause" || kind == "resume" => match members.first() {
                Some((name, _)) => {
                    Err(format!("`{}` is no parameter of {kind}; it takes none", shown(name)))
                }
                None if kind == "pause" => Ok(Self::Pause),
                None => Ok(Self::Resume),
            },
            Value::Str(kind) => Err(format!("the `type` is `{}`; give {TYPES}", shown(&kind))),
            _ => Err(format!("the `type` is no text; give {TYPES}")),
        }
    }
}

/// A member as a parameter of a query string; null is one that is not given.
fn parameter((name, value): (String, Value)) -> Option<Result<(String, String), String>> {
    match value {
        Value::Null => return None,
        Value::Array(items) => {
            items.into_iter().map(scalar).collect::<Option<Vec<_>>>().map(|parts| parts.join(","))
        }
        value => scalar(value),
    }
    .map_or_else(
        || {
            let wanted = "a text, a number, true or false, or a list of such";
            Some(Err(format!(
                "`{}` is of a type that no parameter has; give {wanted}",
                shown(&name)
            )))
        },
        |text| Some(Ok((name.clone(), text))),
    )
}

fn scalar(value: Value) -> Option<String> {
    Some(match value {
        Value::Str(text) => text,
        Value::Bool(flag) => flag.to_string(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        Value::Null | Value::Array(_) | Value::Map(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood() {
        assert_eq!(Command::parse(r#" {"type":"pause"} "#), Ok(Command::Pause));
        assert_eq!(Command::parse(r#"{"type":"resume"}"#), Ok(Command::Resume));
        let filter = r#"{"level":["ERROR","warn"],"type":"filter","tail":5,"search":"ä","since":null,
            "attr.ok":true,"since_minutes":0.5}"#;
        let expected = [
            ("level", "ERROR,warn"),
            ("tail", "5"),
            ("search", "ä"),
            ("attr.ok", "true"),
            ("since_minutes", "0.5"),
        ];
        let expected = expected.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        assert_eq!(Command::parse(filter), Ok(Command::Filter(expected)));
        assert_eq!(Command::parse(r#"{"type":"filter"}"#), Ok(Command::Filter(Vec::new())));
    }

    #[test]
    fn what_is_not_says_what_would_be() {
        for (text, error) in [
            ("", "the message is no JSON: the text ends at byte 0, where a value should follow"),
            ("[]", "the message is no JSON object; send {\"type\":\"pause\"}, for one"),
            ("{}", "the message has no `type`; give filter, pause or resume"),
            (r#"{"type":1}"#, "the `type` is no text; give filter, pause or resume"),
            (r#"{"type":"stop"}"#, "the `type` is `stop`; give filter, pause or resume"),
            (r#"{"type":"pause","n":1}"#, "`n` is no parameter of pause; it takes none"),
            (
                r#"{"type":"filter","level":{"a":1}}"#,
                "`level` is of a type that no parameter has; give a text, a number, true or false, or a list of such",
            ),
        ] {
            assert_eq!(Command::parse(text), Err(error.to_owned()), "{text}");
        }
    }
}
