//! Routes and what they share: JSON errors, headers, the query string.

mod body;
mod insight;
mod logs;
mod marks;
mod openapi;
pub(crate) mod query_string;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware,
    response::Response,
    routing::get,
};
use logrec_core::{Filter, Ring, Source};
use logrec_reader::{Reader, wire};
use tokio::sync::Semaphore;

use crate::{
    access::{self, Access},
    stream::{self, StreamOptions, Streams},
};

/// What the handlers work with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) reader: Reader,
    /// Where what is posted goes.
    pub(crate) ring: Arc<Ring>,
    access: Access,
    pub(crate) streams: Arc<Streams>,
}

/// Rings with more entries than this are searched off the threads that serve connections.
pub(crate) const INLINE_ENTRIES_MAX: u64 = 20_000;

impl App {
    /// Serves this ring, and nothing else yet, to loopback.
    #[must_use]
    pub fn new(ring: Arc<Ring>) -> Self {
        let reader = Reader::new([Arc::clone(&ring) as Arc<dyn Source>]);
        let streams = Arc::new(Streams::new(reader.clone(), StreamOptions::default()));
        Self { reader, ring, access: Access::default(), streams }
    }

    /// With other rules of access.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// With other bounds on live streams.
    #[must_use]
    pub fn with_streams(mut self, options: StreamOptions) -> Self {
        self.streams = Arc::new(Streams::new(self.reader.clone(), options));
        self
    }

    /// Ends all live streams, and takes no more: to be called where an application that nests the
    /// [`router`] begins to end, since it would wait for them. A [`Server`](crate::Server) does so by itself.
    pub fn end_streams(&self) {
        self.streams.end();
    }

    /// `GET /logs/stats` as JSON.
    #[must_use]
    pub fn stats_json(&self) -> Vec<u8> {
        self.reader.stats_json_with(&self.streams.followers())
    }

    /// Searches here when that is quick, else on a thread where it holds up no connection.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        cost: Cost,
        work: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Result<T, String> {
        if cost == Cost::Little && self.reader.entries_at_most() <= INLINE_ENTRIES_MAX {
            return Ok(work(&self.reader));
        }
        // The semaphore is never closed.
        let permit = SEARCHES.acquire().await.ok();
        let reader = self.reader.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&reader)
        });
        work.await.map_err(|e| format!("the search was given up: {e}"))
    }

    /// What answers; to add sources to.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }
}

/// What a search costs an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// To compare it.
    Little,
    /// To run a pattern over it, or to look at all of it.
    Much,
}

impl Cost {
    /// Of looking for what a filter lets through.
    pub(crate) fn of(filter: &Filter) -> Self {
        if filter.has_pattern() { Self::Much } else { Self::Little }
    }
}

/// Searches on threads of their own at a time; further ones wait.
static SEARCHES: Semaphore = Semaphore::const_new(8);

/// The API alone, to nest into an application: `app.nest("/api/debug", router(…))`.
pub fn router(app: App) -> Router {
    let access = app.access.clone();
    api(app).layer(middleware::from_fn_with_state(access, access::check))
}

/// All that logrec serves: the API under `/api/debug`, `/healthz` and `/llms.txt`.
pub fn app(app: App) -> Router {
    let access = app.access.clone();
    Router::new()
        .route("/healthz", get(healthz))
        .route("/llms.txt", get(llms))
        .nest("/api/debug", api(app))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(access, access::check))
}

fn api(app: App) -> Router {
    Router::new()
        .route("/logs", get(logs::get).post(logs::post).delete(logs::delete))
        .route("/logs/stats", get(stats))
        .route("/logs/context", get(insight::context))
        .route("/logs/fields", get(insight::fields))
        .route("/logs/patterns", get(insight::patterns))
        .route("/logs/volume", get(insight::volume))
        .route("/logs/trends", get(insight::trends))
        .route("/logs/digest", get(insight::digest))
        .route("/marks", get(marks::get).post(marks::post))
        .route("/openapi.json", get(openapi::json))
        .route("/docs", get(openapi::docs))
        .route("/logs/stream", get(stream::get))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

async fn stats(State(app): State<App>, uri: Uri) -> Response {
    match no_parameters(&uri) {
        Ok(()) => respond(StatusCode::OK, "application/json", app.stats_json()),
        Err(message) => fail(StatusCode::UNPROCESSABLE_ENTITY, &message),
    }
}

/// What takes no parameters says so.
fn no_parameters(uri: &Uri) -> Result<(), String> {
    match uri.query() {
        None | Some("") => Ok(()),
        Some(query) => {
            let name: String =
                query.split(['=', '&']).next().unwrap_or_default().chars().take(80).collect();
            Err(format!("`{name}` is no parameter here; this request takes none"))
        }
    }
}

pub(crate) fn is_health(path: &str) -> bool {
    path == "/healthz"
}

async fn healthz() -> Response {
    const BODY: &str = concat!(
        "{\"success\":true,\"status\":\"ok\",\"version\":\"",
        env!("CARGO_PKG_VERSION"),
        "\"}"
    );
    respond(StatusCode::OK, "application/json", BODY.as_bytes().to_vec())
}

/// How an assistant asks, as llmstxt.org has it.
async fn llms() -> Response {
    const TEXT: &[u8] = include_bytes!("llms.txt");
    respond(StatusCode::OK, "text/plain; charset=utf-8", TEXT.to_vec())
}

async fn not_found(OriginalUri(uri): OriginalUri) -> Response {
    let path: String = uri.path().chars().take(80).collect();
    let message = format!(
        "there is nothing at `{path}`; the logs are at /api/debug/logs, their figures at /api/debug/logs/stats, a live stream at /api/debug/logs/stream"
    );
    fail(StatusCode::NOT_FOUND, &message)
}

async fn method_not_allowed(method: axum::http::Method, uri: Uri) -> Response {
    let allowed = match uri.path() {
        path if path.ends_with("/logs") => "GET, POST or DELETE",
        path if path.ends_with("/marks") => "GET or POST",
        _ => "GET",
    };
    let message = format!("{method} is not answered here; use {allowed}");
    fail(StatusCode::METHOD_NOT_ALLOWED, &message)
}

/// A response with the headers that all have.
pub(crate) fn respond(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The one form of every failure.
pub(crate) fn fail(status: StatusCode, message: &str) -> Response {
    respond(status, "application/json", wire::error(message))
}

#[cfg(test)]
mod tests;
