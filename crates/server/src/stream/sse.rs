//! Server-sent events (WHATWG HTML, 9.2). Backpressure is the body's: hyper asks for the next piece when
//! the socket has taken the last.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use futures_util::stream;

use super::Session;
use crate::http::respond;

const MEDIA_TYPE: &str = "text/event-stream";

/// Whether the client takes events: it says so, or does not care.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).into_iter().peekable();
    if accepted.peek().is_none() {
        return true;
    }
    let kinds = accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    kinds.map(|kind| kind.split(';').next().unwrap_or_default().trim()).any(|kind| {
        ["*/*", "text/*", MEDIA_TYPE].iter().any(|ours| kind.eq_ignore_ascii_case(ours))
    })
}

pub(super) fn answer(session: Session) -> Response {
    let pieces = stream::unfold(session, |mut session| async {
        let piece = session.next().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(piece)), session))
    });
    let mut response = respond(axum::http::StatusCode::OK, MEDIA_TYPE, Vec::new());
    // nginx keeps what it is answered to itself until it has a page of it, unless told otherwise.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    *response.body_mut() = Body::from_stream(pieces);
    response
}
