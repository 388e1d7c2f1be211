//! `/marks`: named moments.

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use logrec_reader::{Mark, MarkError, wire};
use serde::Deserialize;

use super::{App, body, fail, no_parameters, respond};

/// The body of `POST /marks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMark {
    name: String,
    #[serde(default)]
    note: String,
    /// When; the moment of the request if it is not given.
    #[serde(default)]
    time: Option<Time>,
}

/// Seconds since the epoch, or any form that `since` takes.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Time {
    Seconds(f64),
    Text(String),
}

pub(super) async fn get(State(app): State<App>, uri: Uri) -> Response {
    match no_parameters(&uri) {
        Ok(()) => {
            respond(StatusCode::OK, "application/json", wire::marks(&app.reader.marks().all()))
        }
        Err(message) => fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    }
}

pub(super) async fn post(State(app): State<App>, uri: Uri, body: Body) -> Response {
    if let Err(message) = no_parameters(&uri) {
        return fail(StatusCode::UNPROCESSABLE_ENTITY, &message);
    }
    let (body, _permit) = match body::read(body).await {
        Ok(body) => body,
        Err((status, message)) => return fail(status, &message),
    };
    let new: NewMark = match serde_json::from_slice(&body) {
        // A list of a mark's members reads as one.
        Ok(_) if !body.trim_ascii_start().starts_with(b"{") => {
            let message = format!("the body is no mark: it is no object; give {WANTED}");
            return fail(StatusCode::UNPROCESSABLE_ENTITY, &message);
        }
        Ok(new) => new,
        Err(e) if e.is_data() => {
            let message = format!("the body is no mark: {e}; give {WANTED}");
            return fail(StatusCode::UNPROCESSABLE_ENTITY, &message);
        }
        Err(e) => {
            let message = format!("the body cannot be read: {e}; give {WANTED}");
            return fail(StatusCode::BAD_REQUEST, &message);
        }
    };
    match set(&app, new) {
        Ok(mark) => respond(StatusCode::OK, "application/json", wire::mark_set(&mark)),
        Err((status, message)) => fail(status, &message),
    }
}

const WANTED: &str =
    r#"{"name":"before-fix","note":"optional","time":"optional, as since takes it"}"#;

fn set(app: &App, new: NewMark) -> Result<Mark, (StatusCode, String)> {
    let unprocessable = |message: String| (StatusCode::UNPROCESSABLE_ENTITY, message);
    let times = app.reader.times();
    let time = match new.time {
        None => times.now,
        Some(Time::Text(text)) => {
            times.parse(&text).map_err(|e| unprocessable(format!("`time` cannot be used: {e}")))?
        }
        Some(Time::Seconds(seconds)) => logrec_core::Timestamp::from_epoch_seconds(seconds)
            .map_err(|e| unprocessable(format!("`time` cannot be used: {e}")))?,
    };
    let mark = Mark::new(&new.name, time, &new.note).map_err(|e| unprocessable(e.to_string()))?;
    app.reader.marks().set(mark.clone()).map_err(|e| match e {
        MarkError::Io(_) => (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()),
        _ => unprocessable(e.to_string()),
    })?;
    Ok(mark)
}
