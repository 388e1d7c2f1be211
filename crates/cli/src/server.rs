//! The server in the background: a thread with a small runtime of its own.

use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::Context;
use logrec_core::{Ring, ring::Folder};
use logrec_server::{App, BindError, Server, ServerOptions};
use tokio::sync::oneshot;

use crate::settings::{ServerArgs, Settings};

/// Threads that serve connections.
const WORKERS: usize = 2;
/// Ports tried after the default one.
const NEXT_PORTS: u16 = 50;
/// How long requests under way may take at the end: a long poll sees its last entries.
const GRACE: Duration = Duration::from_millis(250);

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Lets requests under way end, and ends.
    pub(crate) fn stop(self) {
        // The server may have gone already; and that it panicked was said when it did.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }

    /// The address to ask.
    pub(crate) fn logs_url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        format!("http://{address}/api/debug/logs")
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("cannot start the server: {0}")]
    Io(#[from] io::Error),
}

/// Starts to serve the ring, and the recordings in a folder. When the user chose no address, the next free port will do.
pub(crate) fn start(
    settings: &Settings,
    next_ports: u16,
    ring: Arc<Ring>,
    rings: Option<Folder>,
) -> Result<Running, StartError> {
    let options = ServerOptions {
        bind: settings.bind,
        next_ports: if settings.bind_is_chosen { 0 } else { next_ports },
        grace: GRACE,
        ..ServerOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("logrec-server")
        .enable_all()
        .build()?;
    let server = {
        let _within = runtime.enter();
        Server::bind(options, &settings.access)?
    };
    let address = server.local_addr()?;
    let app = App::new(ring).with_access(settings.access.clone());
    if let Some(folder) = rings {
        app.reader().watch(folder);
    }
    let router = logrec_server::app(app);
    let (stop, stopped) = oneshot::channel();
    let serve = move || {
        // That the sender is gone says stop, too.
        runtime.block_on(server.run(router, async { _ = stopped.await }));
        // A search under way is not waited for.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name("logrec-server".to_owned()).spawn(serve)?;
    Ok(Running { address, stop, thread })
}

/// Serves what is being recorded, or says why not: recording goes on all the same unless the user
/// chose the address.
pub(crate) fn start_for_recording(
    settings: &Settings,
    args: &ServerArgs,
    ring: &Arc<Ring>,
) -> anyhow::Result<Option<Running>> {
    let running = match start(settings, NEXT_PORTS, Arc::clone(ring), None) {
        Ok(running) => running,
        Err(StartError::Bind(error)) if !settings.bind_is_chosen => {
            settings.voice.say(&format!(
                "NOT SERVING: {error}, and so are the {NEXT_PORTS} ports after it (choose one with --bind); going on without"
            ));
            return Ok(None);
        }
        Err(error) => return Err(refuse(error)),
    };
    if !settings.bind_is_chosen && running.address.port() != settings.bind.port() {
        settings.voice.say(&format!(
            "PORT {} IS TAKEN by another program; serving on port {} instead (choose with --bind)",
            settings.bind.port(),
            running.address.port()
        ));
    }
    if let Some(path) = &args.port_file {
        write_port_file(path, running.address)?;
    }
    Ok(Some(running))
}

/// What is said when the chosen address cannot be had.
pub(crate) fn refuse(error: StartError) -> anyhow::Error {
    match error {
        StartError::Bind(BindError::Taken(address)) => anyhow::anyhow!(
            "{address} is taken by another program; choose another address with --bind (LOGREC_BIND), or --bind 0 for any free port"
        ),
        StartError::Bind(error @ BindError::NeedsToken(_)) => {
            anyhow::anyhow!("{error} (--token-file or LOGREC_TOKEN; --bind)")
        }
        StartError::Bind(error) => anyhow::anyhow!("{error} (--bind, LOGREC_BIND)"),
        error @ StartError::Io(_) => error.into(),
    }
}

/// Writes `host:port` to a file, which is there whole or not at all.
pub(crate) fn write_port_file(path: &Path, address: SocketAddr) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let written =
        fs::write(&temporary, format!("{address}\n")).and_then(|()| fs::rename(&temporary, path));
    written.with_context(|| format!("cannot write the port file {}", path.display()))
}
