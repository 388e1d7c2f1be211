//! Streams without the binary: nested in somebody's app, at their bounds, and sessions by hand. What goes
//! over the wire is in the black-box tests.

use std::{net::SocketAddr, sync::atomic::AtomicUsize};

use axum::{Router, http::Request};
use logrec_core::{Entry, Level, Ring, RingOptions};
use serde_json::Value as Json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};

use super::*;
use crate::{Access, Server, ServerOptions};
use futures_util::StreamExt;

type Client = WebSocketStream<TcpStream>;

fn push(ring: &Ring, message: impl Into<String>) {
    ring.push(&Entry::new(Timestamp::now(), Level::Info, message)).unwrap();
}

async fn open(address: SocketAddr, query: &str) -> Result<Client, tungstenite::Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/api/debug/logs/stream{query}");
    client_async(url, stream).await.map(|(client, _)| client)
}

async fn message(client: &mut Client) -> Json {
    let message = client.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

fn serve(app: App, connections_max: usize) -> Serving {
    let options = ServerOptions {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        connections_max,
        ..ServerOptions::default()
    };
    let server = Server::bind(options, &Access::default()).unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(server.run(crate::app(app), async { _ = stopped.await }));
    Serving { address, stop, done }
}

#[tokio::test]
async fn nested_in_an_app_that_axum_serves() {
    let ring = Arc::new(Ring::default());
    let app = App::new(Arc::clone(&ring));
    let nested = Router::new().nest("/api/debug", crate::router(app.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = app.clone();
    let served = tokio::spawn(async move {
        let ends = async move {
            let _ = stopped.await;
            ended.end_streams();
        };
        axum::serve(listener, nested).with_graceful_shutdown(ends).await.unwrap();
    });
    let mut client = open(address, "").await.unwrap();
    assert_eq!(message(&mut client).await["type"], "hello");
    push(&ring, "seen");
    assert_eq!(message(&mut client).await["data"][0]["message"], "seen");
    stop.send(()).unwrap();
    match client.next().await.unwrap().unwrap() {
        tungstenite::Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("{other:?}"),
    }
    drop(client);
    served.await.unwrap();
    assert_eq!(
        app.streams.enter("sse").unwrap_err(),
        "the server is ending; connect again when it is back"
    );
}

#[tokio::test]
async fn no_more_than_so_many() {
    let options = StreamOptions { streams_max: 2, ..StreamOptions::default() };
    let app = App::new(Arc::new(Ring::default())).with_streams(options);
    let serving = serve(app.clone(), 100);
    let first = open(serving.address, "").await.unwrap();
    let _second = open(serving.address, "").await.unwrap();
    match open(serving.address, "").await {
        Err(tungstenite::Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            let body: Json = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
            assert_eq!(body["success"], false);
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    while app.streams.followers().count > 1 {
        tokio::task::yield_now().await;
    }
    open(serving.address, "").await.unwrap();
}

#[tokio::test]
async fn a_stream_counts_as_a_connection() {
    let serving = serve(App::new(Arc::new(Ring::default())), 1);
    let mut client = open(serving.address, "").await.unwrap();
    message(&mut client).await;
    let mut other = TcpStream::connect(serving.address).await.unwrap();
    other
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let waited = timeout(Duration::from_millis(200), other.read_to_end(&mut answer)).await;
    assert!(waited.is_err(), "answered beside the one connection there may be");
    client.close(None).await.unwrap();
    other.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    serving.stop.send(()).unwrap();
    serving.done.await.unwrap();
}

#[tokio::test]
async fn who_reads_nothing_for_too_long_is_cut_off() {
    let options =
        StreamOptions { write_timeout: Duration::from_millis(100), ..StreamOptions::default() };
    let ring = Arc::new(Ring::new(RingOptions::with_max_entries(20_000)));
    let app = App::new(Arc::clone(&ring)).with_streams(options);
    let serving = serve(app.clone(), 100);
    let client = open(serving.address, "").await.unwrap();
    let text = "x".repeat(500);
    while app.streams.followers().count > 0 {
        push(&ring, &text);
        tokio::task::yield_now().await;
    }
    drop(client);
}

/// What benches/streams.rs does at 100,000 entries a second for 30 s, as fast as this machine lets it: the
/// writers wait for the fast client before they would lap it, and for nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_and_in_order_or_told() {
    const WRITERS: usize = 2;
    const EACH: usize = 75_000;
    const RING: usize = 50_000;
    let ring = Arc::new(Ring::new(RingOptions::with_max_entries(RING)));
    let serving = serve(App::new(Arc::clone(&ring)), 100);
    let fast = open(serving.address, "?fields=message").await.unwrap();
    let slow = open(serving.address, "?fields=message").await.unwrap();
    let read_by_fast = Arc::new(AtomicUsize::new(0));
    let written = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|w| {
            let (ring, read) = (Arc::clone(&ring), Arc::clone(&read_by_fast));
            std::thread::spawn(move || {
                for n in 0..EACH {
                    while n * WRITERS > read.load(Ordering::Relaxed) + RING * 4 / 5 {
                        // A pace, not a wait: the processors are the server's meanwhile.
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    push(&ring, format!("{w}:{n}"));
                }
            })
        })
        .collect();
    let follow = |mut client: Client, pause: Duration, read: Arc<AtomicUsize>| {
        let written = Arc::clone(&written);
        tokio::spawn(async move {
            let (mut got, mut missed, mut next) = (0, 0, [0; WRITERS]);
            while got + missed < WRITERS * EACH {
                let message = client.next().await.unwrap().unwrap();
                let text = message.to_text().unwrap();
                if text.starts_with("{\"type\":\"gap\"") {
                    let gap: Json = serde_json::from_str(text).unwrap();
                    missed += usize::try_from(gap["missed"].as_u64().unwrap()).unwrap();
                }
                for entry in text.split("{\"message\":\"").skip(1) {
                    let (w, n) = entry.split('"').next().unwrap().split_once(':').unwrap();
                    let (w, n): (usize, usize) = (w.parse().unwrap(), n.parse().unwrap());
                    assert!(n >= next[w], "{w}:{n} after {}", next[w]);
                    next[w] = n + 1;
                    got += 1;
                }
                read.store(got, Ordering::Relaxed);
                if !written.load(Ordering::Relaxed) {
                    tokio::time::sleep(pause).await;
                }
            }
            (got, missed)
        })
    };
    let fast = follow(fast, Duration::ZERO, read_by_fast);
    let slow = follow(slow, Duration::from_millis(500), Arc::default());
    let written_all = || writers.into_iter().for_each(|w| w.join().unwrap());
    tokio::task::spawn_blocking(written_all).await.unwrap();
    written.store(true, Ordering::Relaxed);
    assert_eq!(fast.await.unwrap(), (WRITERS * EACH, 0));
    let (got, missed) = slow.await.unwrap();
    assert_eq!(got + missed, WRITERS * EACH);
    assert!(missed > 0);
}

fn session(app: &App, query: &[(&str, &str)]) -> Session {
    let subscription =
        Subscription::parse(query.iter().copied(), &logrec_reader::Reader::default().times())
            .unwrap();
    let follower = Follower::new(app.reader(), subscription);
    let slot = app.streams.enter("websocket").unwrap();
    let heartbeat = app.streams.options.heartbeat;
    Session::new(app.reader().clone(), follower, slot, Form::Messages, heartbeat, None)
}

async fn said(session: &mut Session) -> Json {
    serde_json::from_slice(&session.next().await.unwrap()).unwrap()
}

/// Of a large ring, so that reads go on on threads of their own.
#[tokio::test]
async fn nothing_is_lost_or_said_twice_by_pauses_and_givings_up() {
    const ENTRIES: usize = 30_000;
    let ring = Arc::new(Ring::new(RingOptions::with_max_entries(ENTRIES)));
    let app = App::new(Arc::clone(&ring));
    let mut session = session(&app, &[]);
    assert_eq!(said(&mut session).await["type"], "hello");
    (0..ENTRIES).for_each(|n| push(&ring, n.to_string()));
    let (mut got, mut n) = (Vec::new(), 0_usize);
    while got.len() < ENTRIES {
        n += 1;
        if n.is_multiple_of(5) {
            session.receive(r#"{"type":"pause"}"#);
            let mut message = said(&mut session).await;
            assert_eq!(message["type"], "pause", "nothing that was read comes before");
            assert!(timeout(Duration::ZERO, session.next()).await.is_err());
            session.receive(r#"{"type":"resume"}"#);
            message = said(&mut session).await;
            assert_eq!(message["type"], "resume");
        }
        // Given up whenever it has to wait.
        let message = loop {
            match timeout(Duration::ZERO, session.next()).await {
                Ok(message) => break message.unwrap(),
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let message: Json = serde_json::from_slice(&message).unwrap();
        assert_eq!(message["type"], "entries");
        let entries = message["data"].as_array().unwrap();
        got.extend(
            entries.iter().map(|e| e["message"].as_str().unwrap().parse::<usize>().unwrap()),
        );
    }
    assert_eq!(got, (0..ENTRIES).collect::<Vec<_>>());
    let shown = &app.streams.followers().shown[0];
    assert_eq!((shown.sent, shown.missed), (ENTRIES as u64, 0));
}

#[tokio::test]
async fn answers_do_not_gather_for_who_does_not_read_them() {
    let app = App::new(Arc::new(Ring::default()));
    let mut session = session(&app, &[]);
    said(&mut session).await;
    let filter = format!(r#"{{"type":"filter","search":"{}"}}"#, "x".repeat(9000));
    let (mut heard, mut answered, mut most) = (0, 0, 0);
    while answered < 200 {
        while heard < 200 && session.has_room() {
            session.receive(&filter);
            heard += 1;
        }
        assert_eq!(said(&mut session).await["type"], "filter");
        answered += 1;
        most = most.max(session.pending.len());
    }
    assert_eq!((heard, most), (200, 0), "each is answered before the next is obeyed");
}

#[tokio::test]
async fn an_entry_is_never_divided_and_a_message_never_large() {
    let ring = Arc::new(Ring::new(RingOptions { max_bytes: 64 << 20, ..RingOptions::default() }));
    let app = App::new(Arc::clone(&ring));
    let mut session = session(&app, &[]);
    said(&mut session).await;
    // Six bytes of JSON a byte.
    (0..20).for_each(|_| push(&ring, "\u{1}".repeat(60_000)));
    let mut got = 0;
    while got < 20 {
        let bytes = session.next().await.unwrap();
        assert!(bytes.len() < 1 << 20, "{}", bytes.len());
        let message: Json = serde_json::from_slice(&bytes).unwrap();
        for entry in message["data"].as_array().unwrap() {
            assert_eq!(entry["message"].as_str().unwrap().len(), 60_000);
            got += 1;
        }
    }
}

#[tokio::test]
async fn who_speaks_websocket_himself_gets_the_session() {
    use tower::ServiceExt;
    let ring = Arc::new(Ring::default());
    push(&ring, "history");
    let router = crate::app(App::new(ring));
    let request = |target: &str| {
        Request::get(target)
            .header("host", "localhost")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .extension(Handover)
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let answer = router.clone().oneshot(request("/api/debug/logs/stream?tail=1")).await.unwrap();
    assert_eq!(answer.status(), 101);
    let handed = answer.extensions().get::<HandedOver>().unwrap();
    let mut session = handed.take().unwrap();
    assert!(handed.take().is_none());
    assert_eq!(said(&mut session).await["type"], "hello");
    assert_eq!(said(&mut session).await["data"][0]["message"], "history");
    let answer = router.oneshot(request("/api/debug/logs/stream?wait=1")).await.unwrap();
    assert_eq!(answer.status(), 422);
}
