//! WebSocket (RFC 6455): the handshake, and a socket that carries a [`Session`].
//!
//! While a message is being written the client is still read: its pings and its close are noticed, a write
//! that lasts too long cuts it off. Of a flood of pings no more is read than was answered.

use std::{pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{HandedOver, Handover, Refusal, Session, has_token};

/// Longest message of a client, in bytes, and longest frame.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// What is read at once; clients say little.
const READ_BUFFER_BYTES: usize = 4096;
/// How long a close may take, and what is read and thrown away meanwhile.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);
const CLOSE_BYTES_MAX: usize = 1 << 20;

type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Sink = SplitSink<Socket, Message>;

/// Whether a request asks for an upgrade to a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
        && has_token(headers, header::CONNECTION, "upgrade")
}

/// A handshake that is in order.
pub(super) struct Handshake {
    accept: HeaderValue,
    speaker: Speaker,
}

/// Who speaks WebSocket on the connection.
enum Speaker {
    This(OnUpgrade),
    Caller,
}

impl Handshake {
    /// RFC 6455, section 4.2.1.
    pub(super) fn read(parts: &mut Parts) -> Result<Self, Refusal> {
        let bad = |message: &str| Err((StatusCode::BAD_REQUEST, message.to_owned()));
        if parts.method != Method::GET {
            return bad("a WebSocket is opened by GET");
        }
        let speaker = match parts.extensions.remove::<OnUpgrade>() {
            _ if parts.extensions.get::<Handover>().is_some() => Speaker::Caller,
            Some(upgrade) => Speaker::This(upgrade),
            None => return bad("this connection cannot become a WebSocket; use HTTP/1.1"),
        };
        if parts.headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return bad("the Sec-WebSocket-Version is not 13, the only one there is");
        }
        // 16 bytes in base64.
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY);
        let key = key.filter(|key| key.len() == 24 && key.as_bytes().ends_with(b"=="));
        let accept = key.map(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())));
        match accept {
            Some(Ok(accept)) => Ok(Self { accept, speaker }),
            _ => bad("the Sec-WebSocket-Key is not 16 bytes in base64"),
        }
    }

    /// The answer, behind which the session goes on.
    pub(super) fn answer(self, session: Session, write_timeout: Duration) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        match self.speaker {
            Speaker::Caller => {
                let session = HandedOver(Arc::new(std::sync::Mutex::new(Some(session))));
                response.extensions_mut().insert(session);
            }
            Speaker::This(upgrade) => {
                tokio::spawn(async move {
                    // A peer that is gone before the upgrade is nobody's concern.
                    if let Ok(upgraded) = upgrade.await {
                        run(TokioIo::new(upgraded), session, write_timeout).await;
                    }
                });
            }
        }
        response
    }
}

/// How a stream ends.
enum End {
    /// The peer is gone, or reads nothing.
    Gone,
    /// The peer closes: only to be answered.
    Closed,
    /// With this code, and these words.
    Close(CloseCode, &'static str),
}

async fn run(io: TokioIo<Upgraded>, session: Session, write_timeout: Duration) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        // What is to be sent is sent at once.
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (sink, stream) =
        WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await.split();
    let mut carrier = Carrier { out: Out::Idle(sink), stream, write_timeout };
    let end = carrier.carry(session).await;
    carrier.close(end).await;
}

struct Carrier {
    out: Out,
    stream: SplitStream<Socket>,
    write_timeout: Duration,
}

/// The writing half.
enum Out {
    Idle(Sink),
    /// Being written; gives back the sink unless that failed.
    Busy(Pin<Box<dyn Future<Output = Option<Sink>> + Send>>),
    Broken,
}

impl Out {
    /// Writes a message, or without one what else is to be written. What is being written already takes
    /// that along, so then there is nothing to do; a message is given only while nothing is.
    fn send(&mut self, message: Option<Message>, write_timeout: Duration) {
        let mut sink = match std::mem::replace(self, Self::Broken) {
            Self::Idle(sink) => sink,
            other => return *self = other,
        };
        *self = Self::Busy(Box::pin(async move {
            let sent = async {
                match message {
                    Some(message) => sink.send(message).await,
                    None => sink.flush().await,
                }
            };
            let sent = timeout(write_timeout, sent).await;
            matches!(sent, Ok(Ok(()))).then_some(sink)
        }));
    }

    /// Waits until what is being written is written; at once when nothing is.
    async fn done(&mut self) {
        if let Self::Busy(sending) = self {
            *self = sending.await.map_or(Self::Broken, Self::Idle);
        }
    }
}

impl Carrier {
    /// Carries messages in both directions, until one side ends. The session's place is free then.
    async fn carry(&mut self, mut session: Session) -> End {
        // A ping was read whose answer is not written yet.
        let mut pinged = false;
        loop {
            let idle = matches!(self.out, Out::Idle(_));
            tokio::select! {
                () = self.out.done(), if !idle => {
                    pinged = false;
                    if matches!(self.out, Out::Broken) {
                        return End::Gone;
                    }
                }
                incoming = self.stream.next(), if !pinged && session.has_room() => match incoming {
                    Some(Ok(Message::Text(text))) => session.receive(&text),
                    Some(Ok(Message::Ping(_))) => {
                        pinged = true;
                        self.out.send(None, self.write_timeout);
                    }
                    Some(Ok(Message::Binary(_))) => {
                        return End::Close(CloseCode::Unsupported, "messages are JSON text");
                    }
                    Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_))) => return End::Closed,
                    Some(Err(error)) => return end_of(&error),
                    None => return End::Gone,
                },
                message = session.next(), if idle => match message {
                    // Messages are UTF-8 by their making.
                    Some(bytes) => match String::from_utf8(bytes) {
                        Ok(text) => self.out.send(Some(text.into()), self.write_timeout),
                        Err(_) => return End::Close(CloseCode::Error, "a message was no text"),
                    },
                    None => return End::Close(CloseCode::Away, "the server ends"),
                },
            }
        }
    }

    /// Says why, and gives the peer a moment to read it: a connection that is closed over unread bytes is
    /// reset, and the peer would not learn what was wrong.
    async fn close(mut self, end: End) {
        // Bounded by the time that a write may take.
        self.out.done().await;
        let Out::Idle(mut sink) = self.out else { return };
        let said = async {
            match end {
                End::Gone => false,
                End::Closed => sink.close().await.is_ok(),
                End::Close(code, reason) => {
                    let frame = CloseFrame { code, reason: reason.into() };
                    sink.send(Message::Close(Some(frame))).await.is_ok()
                }
            }
        };
        if timeout(CLOSE_TIME_MAX, said).await != Ok(true) {
            return;
        }
        let Ok(mut socket) = sink.reunite(self.stream) else { return };
        let _ = timeout(CLOSE_TIME_MAX, drain(socket.get_mut())).await;
    }
}

/// Reads on until the peer has closed too.
async fn drain(io: &mut TokioIo<Upgraded>) {
    let mut waste = [0; 4096];
    let mut drained = 0;
    if io.shutdown().await.is_err() {
        return;
    }
    while drained < CLOSE_BYTES_MAX
        && let Ok(n @ 1..) = io.read(&mut waste).await
    {
        drained += n;
    }
}

fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::Size, "a message is longer than 64 kB"),
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "a message is no UTF-8"),
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "a frame is not as RFC 6455 has it"),
        _ => End::Gone,
    }
}
