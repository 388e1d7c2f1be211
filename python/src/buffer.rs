//! [`Buffer`]: a ring with its reader and its router, as Python holds it.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwap;
use axum::Router;
use logrec_core::{Entry, Level, Ring, RingOptions, Source, Timestamp, Value, ring::Folder};
use logrec_decode::decode_ingest;
use logrec_server::{Access, App};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
    types::PyBytes,
};
use tokio::runtime::{Handle, Runtime};

use crate::{
    asgi,
    capture::{self, Settings},
    serve::Server,
    site::Sites,
    usual,
};

pyo3::create_exception!(
    logrec._core,
    ParameterError,
    PyValueError,
    "A filter that cannot be used: `parameter` names it, the text says what would be right."
);

/// Where a ring is recorded.
#[derive(Clone, Debug)]
struct Place {
    folder: PathBuf,
    service: String,
}

/// What a buffer was told.
#[derive(Clone, Debug)]
struct Config {
    options: RingOptions,
    /// In a file there, or in memory.
    place: Option<Place>,
    access: Access,
    has_token: bool,
    settings: Settings,
}

/// All that a process has of a buffer. A forked child makes itself another.
struct State {
    config: Config,
    /// Made when first needed, so that a child that logs nothing leaves no file.
    made: OnceLock<Made>,
    sites: Sites,
    runtime: OnceLock<Runtime>,
}

/// The ring, and what answers for it.
struct Made {
    ring: Arc<Ring>,
    app: App,
    router: Router,
}

impl State {
    fn new(config: Config) -> Self {
        Self { config, made: OnceLock::new(), sites: Sites::default(), runtime: OnceLock::new() }
    }

    fn make(&self, ring: Arc<Ring>) -> Made {
        let app = App::new(Arc::clone(&ring)).with_access(self.config.access.clone());
        if let Some(place) = &self.config.place {
            app.reader().watch(Folder::new(&place.folder));
        }
        Made { ring, router: logrec_server::app(app.clone()), app }
    }

    /// Where records go.
    fn to(&self) -> capture::To<'_> {
        capture::To { ring: &self.made().ring, settings: &self.config.settings, sites: &self.sites }
    }

    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let options = self.config.options;
            let ring = match &self.config.place {
                Some(place) => Ring::recording(&place.folder, &place.service, options),
                None => Ring::new(options),
            };
            self.make(Arc::new(ring))
        })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Its tasks may be about to call Python, which this thread may hold the lock of.
            runtime.shutdown_background();
        }
    }
}

/// The ring, its reader and its router.
#[pyclass(frozen, module = "logrec._core")]
pub(crate) struct Buffer {
    state: ArcSwap<State>,
}

impl Buffer {
    fn with_made<R>(&self, f: impl FnOnce(&Made) -> R) -> R {
        f(self.state.load().made())
    }

    /// The runtime that waits for what an answer in the event loop would wait for.
    fn runtime(&self) -> std::io::Result<Handle> {
        let state = self.state.load();
        if let Some(runtime) = state.runtime.get() {
            return Ok(runtime.handle().clone());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("logrec")
            .enable_all()
            .build()?;
        if let Err(second) = state.runtime.set(runtime) {
            second.shutdown_background();
        }
        state
            .runtime
            .get()
            .map(|runtime| runtime.handle().clone())
            .ok_or_else(|| std::io::Error::other("no runtime"))
    }

    /// Whether a peer may ask: as for a listener, elsewhere than on loopback only with a token.
    fn may_ask(&self, peer: Option<&str>) -> bool {
        let Some(address) = peer.and_then(|peer| peer.parse::<IpAddr>().ok()) else { return true };
        address.to_canonical().is_loopback() || self.state.load().config.has_token
    }
}

fn parameter_error(py: Python<'_>, error: logrec_reader::ParamError) -> PyErr {
    let raised = ParameterError::new_err(error.message);
    // Without the attribute it still says what is wrong.
    let _ = raised.value(py).setattr("parameter", error.name);
    raised
}

#[pymethods]
impl Buffer {
    #[new]
    #[pyo3(signature = (max_entries, max_bytes = None))]
    fn new(py: Python<'_>, max_entries: usize, max_bytes: Option<usize>) -> PyResult<Self> {
        capture::prepare(py)?;
        let mut options = RingOptions::with_max_entries(max_entries);
        options.max_bytes = max_bytes.unwrap_or(options.max_bytes);
        let config = Config {
            options,
            place: None,
            access: Access::default(),
            has_token: false,
            settings: Settings::default(),
        };
        Ok(Self { state: ArcSwap::from_pointee(State::new(config)) })
    }

    /// From now on: a ring in a file of `folder` (in memory when there is none to be had), stamped with
    /// `service`, read together with the recordings that are there. What was recorded before is copied.
    #[pyo3(signature = (folder, service, *, max_entries, max_bytes = None, keep_errors = 0, level = 0, own_paths = Vec::new(), token = None, hosts = Vec::new()))]
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    fn record_into(
        &self,
        py: Python<'_>,
        folder: Option<PathBuf>,
        service: String,
        max_entries: usize,
        max_bytes: Option<usize>,
        keep_errors: usize,
        level: i64,
        own_paths: Vec<String>,
        token: Option<&str>,
        hosts: Vec<String>,
    ) {
        py.detach(|| {
            let before = self.state.load_full();
            let mut options = RingOptions::with_max_entries(max_entries);
            options.max_bytes = max_bytes.unwrap_or(options.max_bytes);
            options.keep_errors = keep_errors;
            let access =
                hosts.into_iter().fold(Access::default().with_token(token), Access::with_host);
            let state = State::new(Config {
                options,
                place: folder.map(|folder| Place { folder, service: service.clone() }),
                access,
                has_token: token.is_some_and(|token| !token.trim().is_empty()),
                settings: Settings { service: Some(service), own_paths, level },
            });
            // Else the file is made with the first entry.
            if let Some(before) = before.made.get() {
                let made = state.made();
                let all = logrec_core::Query {
                    limit: usize::try_from(before.ring.max_entries()).unwrap_or(usize::MAX),
                    order: logrec_core::Order::Ascending,
                    ..logrec_core::Query::default()
                };
                for row in before.ring.query(&all).rows() {
                    made.ring.push(&row.to_entry());
                }
            }
            self.state.store(Arc::new(state));
        });
    }

    /// In a child after a fork: another ring, since one in a file belongs to the parent.
    fn after_fork(&self) {
        let before = self.state.load_full();
        let state = State::new(before.config.clone());
        if let (None, Some(made)) = (&state.config.place, before.made.get()) {
            // What the child has of the parent's memory is its own. The reader may be locked by a thread
            // that the child does not have.
            let _ = state.made.set(state.make(Arc::clone(&made.ring)));
        }
        // Never dropped here: its file is the parent's to end, its threads are not in this process.
        std::mem::forget(self.state.swap(Arc::new(state)));
        std::mem::forget(before);
    }

    /// Ends the recording in good order, where a process ends without its exit handlers. What is recorded
    /// after it is in another.
    fn end(&self) {
        let state = self.state.load();
        if state.config.place.is_some() && state.made.get().is_some() {
            let fresh = State::new(state.config.clone());
            drop(state);
            self.state.store(Arc::new(fresh));
        }
    }

    /// Records one `logging.LogRecord`.
    fn record(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        capture::record(self.state.load().to(), record)
    }

    /// What records into this buffer as it is now: to be asked for anew after each call that changes where it
    /// records (`record_into`, `after_fork`, `end`).
    fn recorder(&self) -> Recorder {
        Recorder { state: self.state.load_full() }
    }

    /// Records an entry that is a JSON object. What cannot be read is the message of an entry that says so.
    fn add_json(&self, json: &[u8], process: u64) {
        let state = self.state.load();
        let ring = &state.made().ring;
        let now = Timestamp::now();
        let (entries, problem) = match decode_ingest(json, now) {
            Ok(ingest) => (ingest.entries, ingest.problems.into_iter().next().map(|p| p.error)),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        for mut entry in entries {
            stamp(&mut entry, &state.config.settings, process);
            ring.push(&entry);
        }
        if let Some(problem) = problem {
            let mut entry = Entry::new(now, Level::Error, String::from_utf8_lossy(json));
            "logrec".clone_into(&mut entry.logger);
            entry
                .attributes
                .push(("logrec.problem".to_owned(), Value::Str(format!("not read: {problem}"))));
            stamp(&mut entry, &state.config.settings, process);
            ring.push(&entry);
        }
    }

    /// The answer of `GET /logs` as JSON, in bytes. `all` lifts the limit, `limit` sets one beyond HTTP's.
    #[pyo3(signature = (params, *, all = false, limit = None))]
    fn entries_json<'py>(
        &self,
        py: Python<'py>,
        params: Vec<(String, String)>,
        all: bool,
        limit: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let request = self.with_made(|made| made.app.reader().request(params));
        let mut request = request.map_err(|error| parameter_error(py, error))?;
        let json = py.detach(|| {
            self.with_made(|made| {
                let reader = made.app.reader();
                let most = usize::try_from(reader.entries_at_most()).unwrap_or(usize::MAX);
                if all {
                    request.query.limit = most;
                } else if let Some(limit) = limit {
                    request.query.limit = limit.min(most);
                }
                reader.answer(&request).render()
            })
        });
        Ok(PyBytes::new(py, &json))
    }

    /// The answer of `GET /logs/stats` as JSON, in bytes.
    fn stats_json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let json = py.detach(|| self.with_made(|made| made.app.stats_json()));
        PyBytes::new(py, &json)
    }

    /// Hides all entries there are; how many.
    fn clear(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.with_made(|made| made.app.reader().clear()))
    }

    /// Answers a request: `(status, headers, body)` where that can be done at once. Else an `Exchange`,
    /// and `deliver(status, headers, body, more)` is called from another thread for each piece; status
    /// and headers come with the first.
    #[expect(clippy::too_many_arguments, reason = "a request has so many parts")]
    fn handle<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &str,
        headers: asgi::Headers,
        body: Vec<u8>,
        peer: Option<&str>,
        deliver: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if !self.may_ask(peer) {
            return asgi::refuse(py, peer.unwrap_or_default());
        }
        let request = asgi::request(method, target, headers, body)?;
        let router = self.with_made(|made| made.router.clone());
        let runtime = self.runtime().map_err(|e| PyOSError::new_err(e.to_string()))?;
        asgi::handle(py, router, request, &runtime, deliver)
    }

    /// Opens a WebSocket for an ASGI server: an `Exchange`, and `deliver(status, headers, message, more)` is
    /// called from another thread, first with status 101, then for each message. Where it is refused,
    /// `(status, headers, body)`, or those by `deliver`.
    fn converse<'py>(
        &self,
        py: Python<'py>,
        target: &str,
        headers: asgi::Headers,
        peer: Option<&str>,
        deliver: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if !self.may_ask(peer) {
            return asgi::refuse(py, peer.unwrap_or_default());
        }
        let request = asgi::request("GET", target, headers, Vec::new())?;
        let router = self.with_made(|made| made.router.clone());
        let runtime = self.runtime().map_err(|e| PyOSError::new_err(e.to_string()))?;
        let exchange = asgi::converse(router, request, &runtime, deliver);
        Ok(Bound::new(py, exchange)?.into_any())
    }

    /// Serves the API. With `share` a port that is taken is no error: it is tried again until the process
    /// that has it ends.
    #[pyo3(signature = (host, port, *, share = false))]
    fn serve(&self, py: Python<'_>, host: &str, port: u16, share: bool) -> PyResult<Server> {
        let access = self.state.load().config.access.clone();
        let router = self.with_made(|made| made.router.clone());
        py.detach(|| Server::start(host, port, share, access, router)).map_err(PyOSError::new_err)
    }

    /// Entries of this process.
    fn __len__(&self) -> usize {
        self.with_made(|made| {
            usize::try_from(Source::stats(&*made.ring).entries).unwrap_or(usize::MAX)
        })
    }

    /// Most entries kept.
    #[getter]
    fn max_entries(&self) -> usize {
        self.state.load().config.options.max_entries
    }

    /// The file it is recorded in, if in one.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.with_made(|made| made.ring.path().map(std::path::Path::to_owned))
    }
}

/// The way of a log call into a buffer. It holds what it needs: a look at what a [`Buffer`] has just now is
/// two locked instructions, and one of them after the ring was written waits until that has reached the
/// memory, which takes as long as all the writing.
#[pyclass(frozen, module = "logrec._core")]
pub(crate) struct Recorder {
    state: Arc<State>,
}

#[pymethods]
impl Recorder {
    /// Records one `logging.LogRecord`, of which the caller has looked up what [`usual::record`] wants.
    #[pyo3(signature = (record, last, get_message, /))]
    fn record<'py>(
        &self,
        record: &Bound<'py, PyAny>,
        last: &Bound<'py, PyAny>,
        get_message: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        match usual::record(self.state.to(), record, last, get_message) {
            Some(()) => Ok(()),
            None => capture::record(self.state.to(), record),
        }
    }
}

fn stamp(entry: &mut Entry, settings: &Settings, process: u64) {
    if entry.service.is_none() {
        entry.service.clone_from(&settings.service);
    }
    if entry.process.is_none() && settings.service.is_some() {
        entry.process = Some(process);
    }
}

/// The folder of recordings, unless another is named.
#[pyfunction]
pub(crate) fn default_folder() -> PathBuf {
    Folder::default_path()
}
