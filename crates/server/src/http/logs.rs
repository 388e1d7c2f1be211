//! `/logs`: read, ingest, clear.

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use jiff::tz::TimeZone;
use logrec_core::Timestamp;
use logrec_decode::decode_ingest;
use logrec_reader::{Request, wire};
use tokio::time::Instant;

use super::{App, body, fail, no_parameters, query_string, respond};

/// How often a long poll looks. A look at a ring of 2000 takes a few microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Rings with more entries than this are searched off the threads that serve connections.
const INLINE_ENTRIES_MAX: u64 = 20_000;

pub(super) async fn get(State(app): State<App>, uri: Uri) -> Response {
    let request = match parse(&uri) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.shape.format.media_type();
    let body =
        if request.wait_ms > 0 { wait(&app, request).await } else { answer(&app, request).await };
    respond(StatusCode::OK, media_type, body)
}

fn parse(uri: &Uri) -> Result<Request, String> {
    let params = query_string::parse(uri.query().unwrap_or_default())?;
    Request::parse(params, Timestamp::now(), &TimeZone::UTC).map_err(|e| e.message)
}

async fn answer(app: &App, request: Request) -> Vec<u8> {
    if app.reader.entries_at_most() <= INLINE_ENTRIES_MAX {
        return app.reader.answer(&request).render();
    }
    let reader = app.reader.clone();
    let work = tokio::task::spawn_blocking(move || reader.answer(&request).render());
    work.await.unwrap_or_else(|e| wire::error(&format!("the search was given up: {e}")))
}

/// Answers as soon as something new matches, or when the time is up. Without a cursor "new" is what
/// comes from now on.
async fn wait(app: &App, mut request: Request) -> Vec<u8> {
    let deadline = Instant::now() + Duration::from_millis(request.wait_ms);
    if request.query.after.is_none() {
        request.query.after = Some(app.reader.end());
    }
    loop {
        let answer = app.reader.answer(&request);
        let found = !answer.page().is_empty() || answer.page().missed > 0;
        if found || Instant::now() >= deadline {
            return answer.render();
        }
        drop(answer);
        tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_EVERY)).await;
    }
}

pub(super) async fn post(State(app): State<App>, uri: Uri, body: Body) -> Response {
    if let Err(message) = no_parameters(&uri) {
        return fail(StatusCode::UNPROCESSABLE_ENTITY, &message);
    }
    let body = match body::read(body).await {
        Ok(body) => body,
        Err((status, message)) => return fail(status, &message),
    };
    match decode_ingest(&body, Timestamp::now()) {
        Err(e) => fail(StatusCode::BAD_REQUEST, &e.to_string()),
        Ok(ingest) => {
            let accepted = ingest.entries.iter().filter(|e| app.ring.push(e).is_some()).count();
            let lost = ingest.entries.len() - accepted;
            let problems: Vec<_> =
                ingest.problems.into_iter().map(|p| (p.index, p.error)).collect();
            let status =
                if accepted > 0 { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            let answer = wire::ingested(accepted, ingest.rejected + lost, &problems);
            respond(status, "application/json", answer)
        }
    }
}

pub(super) async fn delete(State(app): State<App>, uri: Uri) -> Response {
    match no_parameters(&uri) {
        Ok(()) => respond(StatusCode::OK, "application/json", wire::cleared(app.reader.clear())),
        Err(message) => fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    }
}
