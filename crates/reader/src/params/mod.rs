//! Names and values to a question: the one place that knows the parameters of a reading endpoint.
//!
//! HTTP gives it the query string, the command line its flags; Python and MCP come with theirs. What
//! is wrong is named with what was given and what would be right. [`table`] lists them, [`filters`]
//! reads those that every endpoint takes, [`page`] those of `GET /logs`; other endpoints read theirs
//! where they are answered, by [`Reading`].

mod filters;
mod page;
mod table;
mod values;

use logrec_core::{Filter, Times, nearest, shown};

pub use page::{QUERY_TIME_MAX, Request};
pub use table::{
    FILTERS, Kind, LIMIT_MAX, PAGE, Param, SHAPE, TEXT_BYTES_MAX, TOKENS_MAX, TOKENS_MIN,
    WAIT_MAX_S,
};
pub(crate) use values::{budget, cursor, form, fraction, number, one_of, whole};

use crate::shape::Shape;

/// The value of a parameter as it is echoed.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
}

/// A parameter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParamError {
    /// The parameter's name, as given.
    pub name: String,
    /// Which parameter, what is wrong, what would be right.
    pub message: String,
}

pub(crate) fn err(name: &str, message: impl Into<String>) -> ParamError {
    ParamError { name: shown(name), message: message.into() }
}

/// Parameters while they are read: what all endpoints have in common.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    pub(crate) times: &'t Times<'t>,
    /// What this endpoint takes.
    tables: &'t [&'t [Param]],
    pub(crate) filter: Filter,
    pub(crate) shape: Shape,
    pub(crate) applied: Vec<(String, Applied)>,
}

impl<'t> Reading<'t> {
    /// Reads all parameters. `own` reads what is the endpoint's alone: `None` for what is not.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub(crate) fn all<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        tables: &'t [&'t [Param]],
        times: &'t Times<'t>,
        mut own: impl FnMut(&str, &str) -> Result<Option<Applied>, ParamError>,
    ) -> Result<Self, ParamError> {
        let (filter, shape) = (Filter::default(), Shape::default());
        let mut reading = Self { times, tables, filter, shape, applied: Vec::new() };
        for (name, value) in params {
            let (name, value) = (name.as_ref(), value.as_ref());
            reading.check(name, value)?;
            let applied = match own(name, value)? {
                Some(applied) => applied,
                None if reading.takes(name) => reading.common(name, value)?,
                None => return Err(reading.unknown(name)),
            };
            reading.applied.push((name.to_owned(), applied));
        }
        Ok(reading)
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.tables.iter().flat_map(|table| table.iter()).map(|param| param.name)
    }

    fn takes(&self, name: &str) -> bool {
        let is_attribute =
            name.strip_prefix("attr.").is_some_and(|attribute| !attribute.is_empty());
        self.names().any(|known| known == name || (known == "attr.NAME" && is_attribute))
    }

    fn check(&self, name: &str, value: &str) -> Result<(), ParamError> {
        if self.applied.iter().any(|(seen, _)| seen == name) {
            return Err(err(name, format!("`{}` is given twice; give it once", shown(name))));
        }
        if value.contains('\0') {
            return Err(err(
                name,
                format!("`{}` contains a NUL character; leave it out", shown(name)),
            ));
        }
        if value.len() > TEXT_BYTES_MAX && !matches!(name, "after" | "before") {
            let most = format!("has {} bytes; give at most {TEXT_BYTES_MAX}", value.len());
            return Err(err(name, format!("`{}` {most}", shown(name))));
        }
        Ok(())
    }

    fn unknown(&self, name: &str) -> ParamError {
        let names: Vec<&str> = self.names().collect();
        let hint = nearest(name, &names).map_or_else(
            || format!("there are {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        err(name, format!("`{}` is no parameter; {hint}", shown(name)))
    }
}

#[cfg(test)]
mod tests;
