//! Values that several parameters have in common.

use logrec_core::{Cursor, Level, nearest, shown};

use super::{Applied, ParamError, TOKENS_MAX, TOKENS_MIN, err};
use crate::shape::{EntryField, Format};

/// Bytes that a token of a budget stands for.
const TOKEN_BYTES: u64 = 4;

#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
pub(crate) const fn number(n: u64) -> Applied {
    Applied::Number(n as f64)
}

pub(crate) fn level(name: &str, value: &str) -> Result<Level, ParamError> {
    value.parse().map_err(|_| {
        one_of(name, value, "TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case")
    })
}

pub(crate) fn one_of(name: &str, value: &str, right: &str) -> ParamError {
    err(name, format!("`{name}` is `{}`; give {right}", shown(value)))
}

pub(crate) fn whole(name: &str, value: &str, least: u64, most: u64) -> Result<u64, ParamError> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { value.parse().ok() } else { None };
    parsed.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        err(
            name,
            format!("`{name}` is `{}`; give a whole number from {least} to {most}", shown(value)),
        )
    })
}

/// The form of an answer that is no list of entries, and so has no lines of them.
pub(crate) fn form(name: &str, value: &str) -> Result<Format, ParamError> {
    let form = Format::from_name(value).filter(|form| *form != Format::Ndjson);
    form.ok_or_else(|| one_of(name, value, "json, text or markdown"))
}

/// A budget: bytes, and what is said of the tokens that were given.
pub(crate) fn budget(name: &str, value: &str) -> Result<(usize, Applied), ParamError> {
    let tokens = whole(name, value, TOKENS_MIN, TOKENS_MAX)?;
    Ok((usize::try_from(tokens * TOKEN_BYTES).unwrap_or(usize::MAX), number(tokens)))
}

pub(crate) fn fraction(
    name: &str,
    value: &str,
    least: f64,
    most: f64,
    unit: &str,
) -> Result<f64, ParamError> {
    let parsed = value.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= least && *n <= most);
    parsed.ok_or_else(|| {
        err(
            name,
            format!(
                "`{name}` is `{}`; give a number of {unit} from {least} to {most}",
                shown(value)
            ),
        )
    })
}

pub(crate) fn cursor(name: &str, value: &str) -> Result<Cursor, ParamError> {
    value.parse().map_err(|e| err(name, format!("`{name}` is `{}`: {e}", shown(value))))
}

pub(crate) fn fields(name: &str, value: &str) -> Result<Vec<EntryField>, ParamError> {
    let all = || EntryField::ALL.iter().map(|f| f.name()).collect::<Vec<_>>();
    if value.trim().is_empty() {
        let message = format!(
            "`fields` is empty; name one or several of {}, or leave it out for all",
            all().join(", ")
        );
        return Err(err(name, message));
    }
    let fields = value.split(',').map(|part| {
        EntryField::from_name(part.trim()).ok_or_else(|| {
            let known = all();
            let nearest = nearest(part.trim(), &known)
                .map_or_else(|| ".".to_owned(), |n| format!("; did you mean `{n}`?"));
            err(
                name,
                format!(
                    "`fields` names `{}`, which is no field{nearest} There are {}",
                    shown(part),
                    known.join(", ")
                ),
            )
        })
    });
    fields.collect()
}

pub(crate) fn flag(name: &str, value: &str) -> Result<bool, ParamError> {
    match value {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(one_of(name, value, "true or false")),
    }
}
