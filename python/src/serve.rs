//! The API from a thread of its own. The thread never takes the interpreter's lock, so it answers
//! while that is held, and while the event loop is blocked.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use axum::Router;
use logrec_server::{Access, BindError, Server as Listener, ServerOptions};
use pyo3::prelude::*;
use tokio::sync::oneshot;

/// How often a port that another process of this application serves is tried again.
const TRY_AGAIN_EVERY: Duration = Duration::from_millis(500);

/// A server in a thread of its own. Goes on when this is dropped.
#[pyclass(frozen, module = "logrec._core")]
pub(crate) struct Server {
    address: SocketAddr,
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

#[pymethods]
impl Server {
    /// `http://HOST:PORT`.
    #[getter]
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port it listens on.
    #[getter]
    const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends it; requests under way are answered first, within three seconds.
    fn stop(&self, py: Python<'_>) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            py.detach(|| {
                // Either may have ended already.
                let _ = stop.send(());
                let _ = thread.join();
            });
        }
    }
}

impl Server {
    /// Listens, and serves from a thread. With `share` a port that is taken is tried again until it is free.
    ///
    /// # Errors
    /// What cannot be had, and what would do.
    pub(crate) fn start(
        host: &str,
        port: u16,
        share: bool,
        access: Access,
        router: Router,
    ) -> Result<Self, String> {
        let bind = (host, port).to_socket_addrs().map_err(|e| format!("`{host}`: {e}"))?.next();
        let bind = bind.ok_or_else(|| format!("`{host}` has no address"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| e.to_string())?;
        let options = ServerOptions { bind, ..ServerOptions::default() };
        let first = {
            let _within = runtime.enter();
            match Listener::bind(options.clone(), &access) {
                Ok(listener) => Some(listener),
                Err(BindError::Taken(_)) if share => None,
                Err(error) => return Err(error.to_string()),
            }
        };
        let address = first.as_ref().map_or(Ok(bind), Listener::local_addr);
        let address = address.map_err(|e| e.to_string())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move || {
            runtime.block_on(async move {
                let mut stopped = Box::pin(async {
                    // Dropped without a word it goes on for ever.
                    if stopped.await.is_err() {
                        std::future::pending::<()>().await;
                    }
                });
                let listener = match first {
                    Some(listener) => listener,
                    None => tokio::select! {
                        () = &mut stopped => return,
                        listener = bind_later(options, access) => listener,
                    },
                };
                listener.run(router, stopped).await;
            });
        };
        let thread = std::thread::Builder::new().name("logrec".to_owned()).spawn(work);
        let thread = thread.map_err(|e| e.to_string())?;
        Ok(Self { address, running: Mutex::new(Some((stop, thread))) })
    }
}

async fn bind_later(options: ServerOptions, access: Access) -> Listener {
    loop {
        tokio::time::sleep(TRY_AGAIN_EVERY).await;
        if let Ok(listener) = Listener::bind(options.clone(), &access) {
            return listener;
        }
    }
}
