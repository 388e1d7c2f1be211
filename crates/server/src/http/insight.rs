//! What entries mean: `/logs/context` (what stands around one), `/logs/fields` (values), `/logs/patterns`
//! (templates), `/logs/volume` (how many when), `/logs/trends` (numbers), `/logs/digest` (what is wrong).

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use logrec_reader::{
    ContextError, ContextRequest, DigestRequest, FacetsRequest, PatternsRequest, Reader, TOO_SLOW,
    TrendsRequest, VolumeRequest,
};

use super::{App, Cost, fail, query_string, respond};

pub(super) async fn context(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, ContextRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.shape().format.media_type();
    match app.search(Cost::Much, move |reader| reader.context(&request)).await {
        Ok(Ok(body)) => respond(StatusCode::OK, media_type, body),
        Ok(Err(error)) => {
            let status = match error {
                ContextError::TooSlow => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::NOT_FOUND,
            };
            fail(status, &error.to_string())
        }
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

pub(super) async fn fields(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, FacetsRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    match app.search(Cost::Much, move |reader: &Reader| reader.facets(&request)).await {
        Ok(Some(body)) => respond(StatusCode::OK, "application/json", body),
        Ok(None) => fail(StatusCode::UNPROCESSABLE_ENTITY, TOO_SLOW),
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

pub(super) async fn digest(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, DigestRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.format().media_type();
    match app.search(Cost::Much, move |reader: &Reader| reader.digest(&request)).await {
        Ok(Some(body)) => respond(StatusCode::OK, media_type, body),
        Ok(None) => fail(StatusCode::UNPROCESSABLE_ENTITY, TOO_SLOW),
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

pub(super) async fn patterns(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, PatternsRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.format().media_type();
    match app.search(Cost::Much, move |reader: &Reader| reader.patterns(&request)).await {
        Ok(Some(body)) => respond(StatusCode::OK, media_type, body),
        Ok(None) => fail(StatusCode::UNPROCESSABLE_ENTITY, TOO_SLOW),
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

pub(super) async fn trends(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, TrendsRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.format().media_type();
    match app.search(Cost::Much, move |reader: &Reader| reader.trends(&request)).await {
        Ok(Some(body)) => respond(StatusCode::OK, media_type, body),
        Ok(None) => fail(StatusCode::UNPROCESSABLE_ENTITY, TOO_SLOW),
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

pub(super) async fn volume(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, VolumeRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.format().media_type();
    match app.search(Cost::Much, move |reader: &Reader| reader.volume(&request)).await {
        Ok(Ok(body)) => respond(StatusCode::OK, media_type, body),
        Ok(Err(error)) => fail(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        Err(message) => fail(StatusCode::INTERNAL_SERVER_ERROR, &message),
    }
}

/// Reads the query string into a request of an endpoint.
fn params<R>(
    app: &App,
    uri: &Uri,
    parse: impl FnOnce(
        Vec<(String, String)>,
        &logrec_core::Times<'_>,
    ) -> Result<R, logrec_reader::ParamError>,
) -> Result<R, String> {
    let params = query_string::parse(uri.query().unwrap_or_default())?;
    parse(params, &app.reader.times()).map_err(|e| e.message)
}
