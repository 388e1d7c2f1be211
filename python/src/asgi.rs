//! A request of an ASGI application to the Rust router and its answer back.
//!
//! What is answered at once (all but long polls, streams and searches of large rings) is answered within the
//! call. The rest goes on in a runtime of its own and is delivered piece by piece, by a function that
//! Python gives; so many pieces under way and no more until Python says that it has sent one.
//!
//! A WebSocket is spoken by the ASGI server: the router hands over the [`Session`] behind it, whose messages
//! are delivered as pieces are.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, Response, Uri},
};
use http_body_util::BodyExt;
use logrec_reader::wire;
use logrec_server::{HandedOver, Handover, Session};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
    task::AbortHandle,
};
use tower::ServiceExt;

/// Pieces of one answer that wait to be sent.
const PIECES_MAX: usize = 8;
/// Messages of one WebSocket that wait to be sent; they are larger.
const MESSAGES_MAX: usize = 2;
/// Messages of a client that wait to be heard.
const HEARD_MAX: usize = 16;

pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// An answer that is not there yet.
#[pyclass(frozen, module = "logrec._core")]
pub(crate) struct Exchange {
    permits: Arc<Semaphore>,
    task: AbortHandle,
    /// What the client of a WebSocket says goes here.
    heard: Option<mpsc::Sender<String>>,
}

#[pymethods]
impl Exchange {
    /// The client of a WebSocket says this. False: not now, try again in a moment.
    fn receive(&self, text: String) -> bool {
        match self.heard.as_ref().map(|heard| heard.try_send(text)) {
            Some(Err(mpsc::error::TrySendError::Full(_))) => false,
            // Nobody listens any more.
            Some(Ok(()) | Err(mpsc::error::TrySendError::Closed(_))) | None => true,
        }
    }

    /// One piece was sent: the next may come.
    fn sent(&self) {
        self.permits.add_permits(1);
    }

    /// Nobody waits any more.
    fn cancel(&self) {
        self.task.abort();
    }
}

struct Answer {
    status: u16,
    headers: Headers,
    body: Vec<u8>,
}

/// What another machine is told where no token is asked for.
pub(crate) fn refuse<'py>(py: Python<'py>, peer: &str) -> PyResult<Bound<'py, PyAny>> {
    let message = format!(
        "{peer} is another machine; set a token (logrec.install(token=…), LOGREC_TOKEN) to answer others than this one"
    );
    let json = (b"content-type".to_vec(), b"application/json".to_vec());
    Answer { status: 403, headers: vec![json], body: wire::error(&message) }.into_python(py)
}

/// The answer, or an [`Exchange`] that it comes by.
pub(crate) fn handle<'py>(
    py: Python<'py>,
    router: Router,
    request: Request<Body>,
    runtime: &Handle,
    deliver: Py<PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let permits = Arc::new(Semaphore::new(PIECES_MAX));
    let later = Arc::clone(&permits);
    let first = py.detach(move || {
        let _within = runtime.enter();
        let mut response = Box::pin(async move {
            match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        });
        let mut context = Context::from_waker(Waker::noop());
        match response.as_mut().poll(&mut context) {
            Poll::Ready(response) => at_once(response).map_err(|response| {
                runtime.spawn(send(std::future::ready(response), deliver, later))
            }),
            Poll::Pending => Err(runtime.spawn(send(response, deliver, later))),
        }
    });
    match first {
        Ok(answer) => answer.into_python(py),
        Err(task) => {
            let exchange = Exchange { permits, task: task.abort_handle(), heard: None };
            Ok(Bound::new(py, exchange)?.into_any())
        }
    }
}

/// Opens a WebSocket, or says why not: delivered as an answer is. The first piece of an open one has status
/// 101, each further one is a message; one that no more follows is the end.
pub(crate) fn converse(
    router: Router,
    mut request: Request<Body>,
    runtime: &Handle,
    deliver: Py<PyAny>,
) -> Exchange {
    // What the server has dealt with already.
    let headers = request.headers_mut();
    headers.insert("connection", HeaderValue::from_static("upgrade"));
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
    headers.insert("sec-websocket-key", HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA=="));
    request.extensions_mut().insert(Handover);
    let permits = Arc::new(Semaphore::new(MESSAGES_MAX));
    let (heard, hears) = mpsc::channel(HEARD_MAX);
    let later = Arc::clone(&permits);
    let task = runtime.spawn(async move {
        let response = match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        match response.extensions().get::<HandedOver>().and_then(HandedOver::take) {
            Some(session) => carry(session, deliver, later, hears).await,
            None => send(std::future::ready(response), deliver, later).await,
        }
    });
    Exchange { permits, task: task.abort_handle(), heard: Some(heard) }
}

/// Carries a session's messages in both directions, until it ends or Python takes no more.
async fn carry(
    mut session: Session,
    deliver: Py<PyAny>,
    permits: Arc<Semaphore>,
    mut hears: mpsc::Receiver<String>,
) {
    let mut head = Some(101);
    let mut may_send = false;
    loop {
        tokio::select! {
            permit = permits.acquire(), if !may_send => {
                let Ok(permit) = permit else { return };
                permit.forget();
                may_send = true;
                if let Some(status) = head.take() {
                    may_send = false;
                    if !deliver_piece(&deliver, Some((status, &Headers::new())), b"", true) {
                        return;
                    }
                }
            }
            text = hears.recv(), if session.has_room() => match text {
                Some(text) => session.receive(&text),
                None => return,
            },
            message = session.next(), if may_send => {
                may_send = false;
                let more = message.is_some();
                let delivered = deliver_piece(&deliver, None, &message.unwrap_or_default(), more);
                if !delivered || !more {
                    return;
                }
            }
        }
    }
}

/// Calls Python. False when it takes no more; while the interpreter ends nothing is delivered.
fn deliver_piece(
    deliver: &Py<PyAny>,
    head: Option<(u16, &Headers)>,
    piece: &[u8],
    more: bool,
) -> bool {
    let delivered = Python::try_attach(|py| {
        let (status, headers) = match head {
            Some((status, headers)) => (Some(status), Some(python_headers(py, headers))),
            None => (None, None),
        };
        deliver.call1(py, (status, headers, PyBytes::new(py, piece), more)).is_ok()
    });
    delivered == Some(true)
}

impl Answer {
    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let headers = python_headers(py, &self.headers);
        let answer = (self.status, headers, PyBytes::new(py, &self.body)).into_pyobject(py)?;
        Ok(answer.into_any())
    }
}

fn python_headers<'py>(
    py: Python<'py>,
    headers: &Headers,
) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    headers.iter().map(|(n, v)| (PyBytes::new(py, n), PyBytes::new(py, v))).collect()
}

pub(crate) fn request(
    method: &str,
    target: &str,
    headers: Headers,
    body: Vec<u8>,
) -> PyResult<Request<Body>> {
    let wrong =
        |what: &str, e: &dyn std::fmt::Display| PyValueError::new_err(format!("{what}: {e}"));
    let method = Method::from_bytes(method.as_bytes()).map_err(|e| wrong("method", &e))?;
    let uri: Uri = target.parse().map_err(|e| wrong("target", &e))?;
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(&name).map_err(|e| wrong("header", &e))?;
        let value = HeaderValue::from_bytes(&value).map_err(|e| wrong("header", &e))?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

fn headers_of(response: &Response<Body>) -> Headers {
    let headers = response.headers().iter();
    headers.map(|(n, v)| (n.as_str().as_bytes().to_vec(), v.as_bytes().to_vec())).collect()
}

/// The whole answer, where its body is there already.
#[expect(clippy::result_large_err, reason = "handed on, not propagated")]
fn at_once(response: Response<Body>) -> Result<Answer, Response<Body>> {
    use axum::body::HttpBody;
    if response.body().size_hint().exact().is_none() {
        return Err(response);
    }
    let (status, headers) = (response.status().as_u16(), headers_of(&response));
    let (parts, body) = response.into_parts();
    let mut context = Context::from_waker(Waker::noop());
    match pin!(body.collect()).poll(&mut context) {
        Poll::Ready(Ok(body)) => Ok(Answer { status, headers, body: body.to_bytes().into() }),
        // A body of a known size that is not there: none of ours.
        Poll::Ready(Err(_)) | Poll::Pending => Err(Response::from_parts(parts, Body::empty())),
    }
}

/// Delivers an answer piece by piece. Ends when Python takes no more.
async fn send(
    response: impl Future<Output = Response<Body>> + Send,
    deliver: Py<PyAny>,
    permits: Arc<Semaphore>,
) {
    let response = response.await;
    let mut head = Some((response.status().as_u16(), headers_of(&response)));
    let mut body = response.into_body();
    loop {
        let frame = body.frame().await;
        let (piece, more) = match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => (data, true),
                Err(_) => continue,
            },
            Some(Err(_)) | None => (axum::body::Bytes::new(), false),
        };
        let Ok(permit) = permits.acquire().await else { return };
        permit.forget();
        let first = head.take();
        let first = first.as_ref().map(|(status, headers)| (*status, headers));
        let delivered = deliver_piece(&deliver, first, &piece, more);
        if !more || !delivered {
            return;
        }
    }
}
