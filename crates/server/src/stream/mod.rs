//! Live streams: `GET /logs/stream`, as WebSocket or as server-sent events.
//!
//! | | |
//! | --- | --- |
//! | [`session`] | what a stream says and understands; knows no transport, so that an ASGI server can carry it too |
//! | [`command`] | what a client may say |
//! | [`pulse`] | waking those who wait |
//! | [`websocket`], [`sse`] | the two transports |
//!
//! The ring is the queue: a stream holds a cursor and the messages of one read, reads the next when the
//! socket has taken those, and tells exactly what was overwritten meanwhile.

mod command;
pub(crate) mod pulse;
mod session;
mod sse;
#[cfg(test)]
mod tests;
mod websocket;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::Response,
};
use logrec_core::{Cursor, Timestamp};
use logrec_reader::{
    Follower, FollowerInfo, Followers, HEARTBEAT_MS_DEFAULT, Reader, Subscription,
};
use tokio::sync::watch;

pub use session::Session;

use crate::http::{App, Cost, fail, query_string};
use pulse::Pulse;
use session::Form;

/// How many streams there may be, and how patient they are.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    /// Most streams at a time; a further one is answered with 503. Default 256.
    pub streams_max: usize,
    /// How long a stream says nothing unless its client asks otherwise. Default 15 s.
    pub heartbeat: Duration,
    /// How long a WebSocket's client may read nothing while there is something to read. Default 30 s.
    pub write_timeout: Duration,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            streams_max: 256,
            heartbeat: Duration::from_millis(HEARTBEAT_MS_DEFAULT),
            write_timeout: Duration::from_secs(30),
        }
    }
}

/// Followers that stats show; of the others it tells their number.
const SHOWN_MAX: usize = 64;

/// All streams of an app.
#[derive(Debug)]
pub(crate) struct Streams {
    options: StreamOptions,
    pub(crate) pulse: Pulse,
    open: Mutex<Open>,
    ending: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// In the order they came; `streams_max` at the most.
    all: BTreeMap<u64, Arc<Figures>>,
}

/// What stats say of a stream.
#[derive(Debug)]
struct Figures {
    kind: &'static str,
    started: Timestamp,
    sent: AtomicU64,
    missed: AtomicU64,
    paused: AtomicBool,
    cursor: Mutex<Cursor>,
}

/// A stream's place among those that may be; given back on drop.
#[derive(Debug)]
struct Slot {
    streams: Arc<Streams>,
    number: u64,
    figures: Arc<Figures>,
}

impl Streams {
    pub(crate) fn new(reader: Reader, options: StreamOptions) -> Self {
        let ending = watch::Sender::new(false);
        Self { options, pulse: Pulse::new(reader), open: Mutex::default(), ending }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all streams, those that are to come too.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// A place, if there is one.
    fn enter(self: &Arc<Self>, kind: &'static str) -> Result<Slot, String> {
        if *self.ending.borrow() {
            return Err("the server is ending; connect again when it is back".to_owned());
        }
        let mut open = self.open();
        let most = self.options.streams_max;
        if open.all.len() >= most {
            return Err(format!(
                "{most} streams are open, and no more are served at a time; close one, or poll with GET /logs?wait=30"
            ));
        }
        let figures = Arc::new(Figures {
            kind,
            started: Timestamp::now(),
            sent: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            cursor: Mutex::default(),
        });
        let number = open.next;
        open.next += 1;
        open.all.insert(number, Arc::clone(&figures));
        Ok(Slot { streams: Arc::clone(self), number, figures })
    }

    /// What stats say.
    pub(crate) fn followers(&self) -> Followers {
        let open = self.open();
        let shown = open.all.values().take(SHOWN_MAX).map(|figures| FollowerInfo {
            kind: figures.kind,
            started: figures.started,
            sent: figures.sent.load(Ordering::Relaxed),
            missed: figures.missed.load(Ordering::Relaxed),
            paused: figures.paused.load(Ordering::Relaxed),
            cursor: figures.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        });
        Followers { count: open.all.len(), shown: shown.collect() }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.streams.open().all.remove(&self.number);
    }
}

/// In a request's extensions: the WebSocket is spoken by who asks, as an ASGI server does. The answer to an
/// upgrade is then a 101 with a [`HandedOver`] in its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Handover;

/// A [`Session`] on its way to who asked with [`Handover`].
#[derive(Clone, Debug)]
pub struct HandedOver(Arc<Mutex<Option<Session>>>);

impl HandedOver {
    /// The session; `None` when it was taken already.
    #[must_use]
    pub fn take(&self) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Set once the server ends. In the extensions of each request that [`Server`](crate::Server) serves.
#[derive(Clone, Debug)]
pub(crate) struct Ending(pub(crate) watch::Receiver<bool>);

impl Ending {
    /// Whether the end has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins.
    pub(crate) async fn begins(&mut self) {
        // A sender that is gone has ended, too.
        let _ = self.0.wait_for(|ends| *ends).await;
    }
}

type Refusal = (StatusCode, String);

/// `GET /logs/stream`.
pub(crate) async fn get(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match answer(&app, &mut parts).await {
        Ok(response) => response,
        Err((status, message)) => fail(status, &message),
    }
}

async fn answer(app: &App, parts: &mut Parts) -> Result<Response, Refusal> {
    let subscription =
        subscription(app, parts).map_err(|message| (StatusCode::UNPROCESSABLE_ENTITY, message))?;
    let upgrades = websocket::is_asked_for(&parts.headers);
    if !upgrades && !sse::is_accepted(&parts.headers) {
        let message = "a stream is a WebSocket, or server-sent events; upgrade the connection, or accept text/event-stream";
        return Err((StatusCode::NOT_ACCEPTABLE, message.to_owned()));
    }
    let (kind, form) = if upgrades { ("websocket", Form::Messages) } else { ("sse", Form::Events) };
    let handshake = if upgrades { Some(websocket::Handshake::read(parts)?) } else { None };
    let slot =
        app.streams.enter(kind).map_err(|message| (StatusCode::SERVICE_UNAVAILABLE, message))?;
    let heartbeat =
        subscription.heartbeat_ms.map_or(app.streams.options.heartbeat, Duration::from_millis);
    let cost = Cost::of(subscription.filter());
    let follower = app
        .search(cost, move |reader| Follower::new(reader, subscription))
        .await
        .map_err(|message| (StatusCode::INTERNAL_SERVER_ERROR, message))?;
    let server = parts.extensions.get::<Ending>().map(|ending| ending.0.clone());
    let session = Session::new(app.reader().clone(), follower, slot, form, heartbeat, server);
    Ok(match handshake {
        Some(handshake) => handshake.answer(session, app.streams.options.write_timeout),
        None => sse::answer(session),
    })
}

/// What is asked for: the query string, and where a client that comes back goes on.
fn subscription(app: &App, parts: &Parts) -> Result<Subscription, String> {
    let params = query_string::parse(parts.uri.query().unwrap_or_default())?;
    let mut subscription =
        Subscription::parse(params, &app.reader().times()).map_err(|e| e.message)?;
    if let Some(cursor) = last_event_id(&parts.headers)? {
        subscription.resume(cursor);
    }
    Ok(subscription)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Cursor>, String> {
    let Some(id) = headers.get("last-event-id").filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let cursor = id.to_str().ok().and_then(|id| id.parse::<Cursor>().ok());
    match cursor.filter(|cursor| cursor.place.is_none()) {
        Some(cursor) => Ok(Some(cursor)),
        None => Err("the header Last-Event-ID is no `id` of a stream; leave it out to begin anew"
            .to_owned()),
    }
}

/// Whether a header that lists tokens has this one, in any case.
fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}
