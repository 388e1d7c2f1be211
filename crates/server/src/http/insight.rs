//! `/logs/context`, `/logs/fields` and `/logs/digest`: what stands around an entry, which values fields
//! have, and what is wrong.

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use logrec_reader::{ContextError, ContextRequest, DigestRequest, FacetsRequest, Reader, TOO_SLOW};

use super::{App, fail, logs::search, query_string, respond};

pub(super) async fn context(State(app): State<App>, uri: Uri) -> Response {
    let request = match params(&app, &uri, ContextRequest::parse) {
        Ok(request) => request,
        Err(message) => return fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    };
    let media_type = request.shape().format.media_type();
    match search(&app, move |reader| reader.context(&request)).await {
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
    match search(&app, move |reader: &Reader| reader.facets(&request)).await {
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
    match search(&app, move |reader: &Reader| reader.digest(&request)).await {
        Ok(Some(body)) => respond(StatusCode::OK, media_type, body),
        Ok(None) => fail(StatusCode::UNPROCESSABLE_ENTITY, TOO_SLOW),
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
