//! Serving an app where there is none: listener, accept loop, bounds on connections, graceful end.
//!
//! `axum::serve` cannot bound how long a head may take, and hyper answers a head it cannot parse with
//! an empty body. Both are mended here: the first by hyper's own timeout, the second by
//! [`plain::Stream`], which puts our JSON in place of that empty body. A connection that becomes a
//! WebSocket takes its stream along, and with it its place among the connections.

mod plain;

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use crate::{
    access::{Access, BindError},
    stream::Ending,
};

/// Where and under which bounds to serve.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Address and port; port 0 takes any free one. Default 127.0.0.1:5050.
    pub bind: SocketAddr,
    /// When the port is taken, try the next ones, up to so many. Default 0.
    pub next_ports: u16,
    /// Most connections at a time; further ones wait to be accepted. Default 1024.
    pub connections_max: usize,
    /// How long a request's head may take, and an idle connection stay. Default 30 s.
    pub head_timeout: Duration,
    /// How long requests under way may take once the end was asked for. Default 3 s.
    pub grace: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5050),
            next_ports: 0,
            connections_max: 1024,
            head_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(3),
        }
    }
}

/// A bound listener, ready to run.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: ServerOptions,
}

impl Server {
    /// Binds the address, if the rules of access let it be served. Must be called within a runtime.
    ///
    /// # Errors
    /// When it is not loopback and there is no token, when it is taken, when the system refuses.
    pub fn bind(options: ServerOptions, access: &Access) -> Result<Self, BindError> {
        access.check_bind(options.bind)?;
        let last = options.bind.port().saturating_add(options.next_ports);
        let mut address = options.bind;
        loop {
            match listen(address) {
                Ok(listener) => return Ok(Self { listener, options }),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    if address.port() >= last {
                        return Err(BindError::Taken(options.bind));
                    }
                    address.set_port(address.port() + 1);
                }
                Err(e) => return Err(BindError::Io(address, e)),
            }
        }
    }

    /// The address that was bound, with its port.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready, then ends live streams and lets requests under way end, within the
    /// grace time.
    pub async fn run(self, app: Router, shutdown: impl Future<Output = ()>) {
        let connections_max = u32::try_from(self.options.connections_max).unwrap_or(u32::MAX);
        let permits = Arc::new(Semaphore::new(connections_max as usize));
        let ending = watch::Sender::new(false);
        let app = app.layer(axum::Extension(Ending(ending.subscribe())));
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = async {
                // The semaphore is never closed.
                let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
                Some((self.accept().await, permit))
            };
            let (stream, permit) = tokio::select! {
                () = &mut shutdown => break,
                Some(accepted) = accepted => accepted,
            };
            tokio::spawn(self.connection(stream, permit, app.clone(), ending.subscribe()));
        }
        drop(self.listener);
        ending.send_replace(true);
        // A connection has its permit for as long as it is open, whatever became of it.
        let all = permits.acquire_many(connections_max);
        let _ = tokio::time::timeout(self.options.grace, all).await;
    }

    /// The next connection. When the system has no descriptors left, waits and tries again.
    async fn accept(&self) -> TcpStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(e) if is_of_the_peer(&e) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn connection(
        &self,
        stream: TcpStream,
        permit: OwnedSemaphorePermit,
        app: Router,
        mut ending: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        // Answers are written at once; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        limit_unsent(&stream);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.head_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(
                TokioIo::new(plain::Stream::new(stream, permit)),
                TowerToHyperService::new(app),
            )
            .with_upgrades();
        async move {
            let mut connection = pin!(connection);
            // What goes wrong on a connection concerns its peer alone.
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = ending.wait_for(|ends| *ends) => {}
            }
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Bytes that the system takes of us without being able to send them.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES_MAX: u32 = 64 << 10;

/// The system would take megabytes for a client that reads slowly, say nothing until a third of them is
/// read, and so have it look like one that does not read at all. And what lies there of a stream is
/// old by the time it is read.
fn limit_unsent(stream: &TcpStream) {
    // Without it a slow reader is cut off sooner.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = stream;
}

/// Largest head of a request that is read, in bytes: room for a search of 100 kB, so that it is
/// refused for what it is. What the access rules allow is less.
const HEAD_BYTES_MAX: usize = 128 << 10;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn is_of_the_peer(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
