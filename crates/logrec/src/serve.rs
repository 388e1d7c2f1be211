//! The API over HTTP: nested into the program's own app, or served from a thread of its own.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    thread::JoinHandle,
};

use axum::Router;
pub use logrec_server::{Access, BindError};
use logrec_server::{Server, ServerOptions};
use tokio::sync::oneshot;

use crate::LogBuffer;

/// Why a buffer is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The text names no address.
    #[error("no address to serve on: {0}")]
    Address(#[source] io::Error),
    /// The address cannot be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system gives no thread or no runtime.
    #[error("no thread to serve from: {0}")]
    Thread(#[source] io::Error),
}

/// A server in a thread of its own. Goes on when this is dropped, until the process ends.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it; requests under way are answered first, within three seconds.
    pub fn stop(self) {
        // Either may have ended already.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

impl LogBuffer {
    /// The API as a router, to nest into any axum app:
    ///
    /// ```
    /// # let buffer = logrec::LogBuffer::new();
    /// let app: axum::Router = axum::Router::new();
    /// let app = app.nest("/api/debug", buffer.router());
    /// # let _ = app;
    /// ```
    ///
    /// It answers on loopback names only; see [`router_with`](Self::router_with).
    pub fn router(&self) -> Router {
        self.router_with(Access::default())
    }

    /// The API as a router, with other rules of who may ask: a token, further host names.
    pub fn router_with(&self, access: Access) -> Router {
        logrec_server::router(self.app().clone().with_access(access))
    }

    /// Ends the live streams of all routers of this buffer, and takes no more. To be called when the program's
    /// own app begins to end: axum waits for requests under way, and a stream is one that never ends.
    ///
    /// ```no_run
    /// # async fn run(listener: tokio::net::TcpListener, ctrl_c: tokio::sync::oneshot::Receiver<()>) {
    /// let buffer = logrec::LogBuffer::new();
    /// let app: axum::Router = axum::Router::new().nest("/api/debug", buffer.router());
    /// let ends = async move {
    ///     let _ = ctrl_c.await;
    ///     buffer.end_streams();
    /// };
    /// let _ = axum::serve(listener, app).with_graceful_shutdown(ends).await;
    /// # }
    /// ```
    pub fn end_streams(&self) {
        self.app().end_streams();
    }

    /// Serves the API from a thread of its own, at `/api/debug`. Returns once it listens.
    ///
    /// ```
    /// let buffer = logrec::LogBuffer::new();
    /// let serving = buffer.serve("127.0.0.1:0")?; // 127.0.0.1:5050 is where tools look
    /// println!("ask http://{}/api/debug/logs", serving.address());
    /// # Ok::<(), logrec::ServeError>(())
    /// ```
    ///
    /// # Errors
    /// When the address is taken, is none, or is not loopback (that needs a token; see
    /// [`serve_with`](Self::serve_with)).
    pub fn serve(&self, address: impl ToSocketAddrs) -> Result<Serving, ServeError> {
        self.serve_with(address, Access::default())
    }

    /// As [`serve`](Self::serve), with other rules of who may ask.
    ///
    /// # Errors
    /// As for [`serve`](Self::serve); with a token any address will do.
    pub fn serve_with(
        &self,
        address: impl ToSocketAddrs,
        access: Access,
    ) -> Result<Serving, ServeError> {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
        let mut addresses = address.to_socket_addrs().map_err(ServeError::Address)?;
        let bind = addresses.next().ok_or_else(|| ServeError::Address(none()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServeError::Thread)?;
        let server = {
            let _within = runtime.enter();
            Server::bind(ServerOptions { bind, ..ServerOptions::default() }, &access)?
        };
        let address = server.local_addr().map_err(ServeError::Address)?;
        let app = logrec_server::app(self.app().clone().with_access(access));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(server.run(app, async {
                // Dropped without a word it goes on for ever.
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            }));
        };
        let thread = std::thread::Builder::new().name("logrec".to_owned()).spawn(serve);
        Ok(Serving { address, stop, thread: thread.map_err(ServeError::Thread)? })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use logrec_core::{Entry, Level, Timestamp};

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn serves_from_a_thread_and_stops() {
        let buffer = LogBuffer::new();
        buffer.push(&Entry::new(Timestamp::now(), Level::Error, "found over HTTP"));
        let serving = buffer.serve("127.0.0.1:0").unwrap();
        let answer = get(serving.address(), "/api/debug/logs?level=error");
        assert!(answer.contains("found over HTTP"), "{answer}");
        let taken = buffer.serve(serving.address());
        assert!(matches!(taken, Err(ServeError::Bind(BindError::Taken(_)))), "{taken:?}");
        let address = serving.address();
        serving.stop();
        assert!(TcpStream::connect(address).is_err());
        assert!(matches!(
            buffer.serve("0.0.0.0:0"),
            Err(ServeError::Bind(BindError::NeedsToken(_)))
        ));
        assert!(matches!(buffer.serve("nonsense"), Err(ServeError::Address(_))));
    }

    #[test]
    fn goes_on_when_its_handle_is_dropped() {
        let buffer = LogBuffer::new();
        let address = buffer.serve("127.0.0.1:0").unwrap().address();
        assert!(get(address, "/healthz").contains("ok"));
    }
}
