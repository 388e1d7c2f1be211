//! `/logs`: read, ingest, clear.

use std::time::Duration;

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
};
use logrec_core::{Cursor, Timestamp};
use logrec_decode::decode_ingest;
use logrec_reader::{Answer, Reader, Request, TOO_SLOW, Unread, wire};
use tokio::time::Instant;

use super::{App, Cost, body, fail, no_parameters, query_string, respond};
use crate::stream::Ending;

pub(super) async fn get(
    State(app): State<App>,
    uri: Uri,
    ending: Option<Extension<Ending>>,
) -> Response {
    let request = match parse(&app, &uri) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.shape.format.media_type();
    let body = if request.wait_ms > 0 {
        wait(&app, request, ending.map(|Extension(ending)| ending)).await
    } else {
        let cost = Cost::of(&request.query.filter);
        app.search(cost, move |reader| rendered(&reader.answer(&request))).await
    };
    match body {
        Ok(Some(body)) => respond(StatusCode::OK, media_type, body),
        Ok(None) => fail(StatusCode::UNPROCESSABLE_ENTITY, TOO_SLOW),
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

/// The answer as bytes; `None` when its time was up.
fn rendered(answer: &Answer<'_>) -> Option<Vec<u8>> {
    (!answer.gave_up()).then(|| answer.render())
}

fn parse(app: &App, uri: &Uri) -> Result<Request, String> {
    let params = query_string::parse(uri.query().unwrap_or_default())?;
    app.reader.request(params).map_err(|e| e.message)
}

/// Answers as soon as something new matches, or when the time is up. Without a cursor "new" is what
/// comes from now on.
async fn wait(
    app: &App,
    request: Request,
    mut ending: Option<Ending>,
) -> Result<Option<Vec<u8>>, String> {
    let cost = Cost::of(&request.query.filter);
    let deadline = Instant::now() + Duration::from_millis(request.wait_ms);
    let mut look = Look { request, unread: Unread::default(), answer: None };
    loop {
        let mut ticket = app.streams.pulse.ticket();
        let last = Instant::now() >= deadline || ending.as_ref().is_some_and(Ending::has_begun);
        look = app.search(cost, move |reader| look.again(reader, last)).await?;
        if let Some(answer) = look.answer {
            return Ok(answer);
        }
        tokio::select! {
            () = tokio::time::sleep_until(deadline) => {}
            () = app.streams.pulse.beat(&mut ticket) => {}
            // A server that ends answers first.
            () = begins(&mut ending) => {}
        }
    }
}

/// Waits for the server's end to begin; for ever where none is told.
async fn begins(ending: &mut Option<Ending>) {
    match ending {
        Some(ending) => ending.begins().await,
        None => std::future::pending().await,
    }
}

/// A long poll between two looks.
struct Look {
    request: Request,
    /// What was lost on the way here.
    unread: Unread,
    answer: Option<Option<Vec<u8>>>,
}

impl Look {
    /// Looks from where the last look ended, so that entries that do not match may come and go.
    fn again(mut self, reader: &Reader, last: bool) -> Self {
        self.request.query.after.get_or_insert_with(|| reader.end());
        let mut answer = reader.answer(&self.request);
        answer.carry(self.unread);
        if last || answer.gave_up() || !answer.page().is_empty() {
            self.answer = Some(rendered(&answer));
            return self;
        }
        self.unread = answer.unread();
        let end = Cursor::read(answer.page().end.clone());
        // A place in time stays where it is, since what is recorded later may bear an older time; but what
        // was looked at need not be looked at again.
        if let Some(after) = &mut self.request.query.after {
            if after.place.is_some() {
                self.unread = Unread::default();
            }
            after.read = end.read;
        }
        self
    }
}

pub(super) async fn post(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if uri.query() == Some("durable=true") {
        let message = "no store is configured, so nothing can be durable; leave `durable` out";
        return fail(StatusCode::UNPROCESSABLE_ENTITY, message);
    }
    if let Err(message) = no_parameters(&uri) {
        return fail(StatusCode::UNPROCESSABLE_ENTITY, &message);
    }
    if let Some(message) = encoded(&headers) {
        return fail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
    }
    // Held until the entries are recorded: the bytes count as long as they are there.
    let (body, _permit) = match body::read(body).await {
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
            let rejected = ingest.rejected + lost;
            let status = if accepted > 0 || rejected == 0 {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            let answer = wire::ingested(accepted, rejected, &problems);
            respond(status, "application/json", answer)
        }
    }
}

/// What is wrong with how a body is packed, if anything.
fn encoded(headers: &HeaderMap) -> Option<String> {
    let other = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .find(|value| !value.trim().eq_ignore_ascii_case("identity"))?;
    let shown: String = other.chars().take(80).flat_map(char::escape_debug).collect();
    Some(format!(
        "the Content-Encoding is `{shown}`, which is not read here; send the body as it is"
    ))
}

pub(super) async fn delete(State(app): State<App>, uri: Uri) -> Response {
    match no_parameters(&uri) {
        Ok(()) => respond(StatusCode::OK, "application/json", wire::cleared(app.reader.clear())),
        Err(message) => fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    }
}
