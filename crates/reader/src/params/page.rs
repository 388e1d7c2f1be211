//! [`Request`]: the parameters of `GET /logs`.

use std::time::Duration;

use logrec_core::{Order, Query, Times};

use super::{
    Applied, FILTERS, LIMIT_MAX, PAGE, ParamError, Reading, SHAPE, WAIT_MAX_S,
    values::{cursor, fraction, number, one_of, whole},
};
use crate::shape::Shape;

/// Longest that one look at the entries may take before it is given up.
pub const QUERY_TIME_MAX: Duration = Duration::from_secs(10);

/// A question, ready to be answered.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which entries.
    pub query: Query,
    /// How the answer looks.
    pub shape: Shape,
    /// How long to wait for something new when nothing matches, in milliseconds; 0 is not at all.
    pub wait_ms: u64,
    /// What was given, for `filters_applied`, in the order given. Always holds `limit`.
    pub applied: Vec<(String, Applied)>,
}

impl Request {
    /// Reads parameters.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let mut query = Query { time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
        let mut wait_ms = 0;
        let tables = [FILTERS, PAGE, SHAPE];
        let reading = Reading::all(params, &tables, times, |name, value| {
            own(name, value, &mut query, &mut wait_ms)
        })?;
        let (shape, mut applied) = (reading.shape, reading.applied);
        query.filter = reading.filter;
        if !applied.iter().any(|(name, _)| name == "limit") {
            applied.push(("limit".to_owned(), number(query.limit as u64)));
        }
        Ok(Self { query, shape, wait_ms, applied })
    }
}

fn own(
    name: &str,
    value: &str,
    query: &mut Query,
    wait_ms: &mut u64,
) -> Result<Option<Applied>, ParamError> {
    let text = || Ok(Some(Applied::Text(value.to_owned())));
    match name {
        "limit" => {
            let limit = whole(name, value, 1, LIMIT_MAX as u64)?;
            query.limit = usize::try_from(limit).unwrap_or(LIMIT_MAX);
            Ok(Some(number(limit)))
        }
        "order" => {
            query.order = match value {
                "desc" => Order::Descending,
                "asc" => Order::Ascending,
                _ => return Err(one_of(name, value, "desc (newest first) or asc")),
            };
            text()
        }
        "after" => {
            query.after = Some(cursor(name, value)?);
            text()
        }
        "before" => {
            query.before = Some(cursor(name, value)?);
            text()
        }
        "wait" => {
            let seconds = fraction(name, value, 0.0, WAIT_MAX_S as f64, "seconds")?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 60000"
            )]
            let waited_ms = (seconds * 1000.0) as u64;
            *wait_ms = waited_ms;
            Ok(Some(Applied::Number(seconds)))
        }
        _ => Ok(None),
    }
}
