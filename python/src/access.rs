//! Access logs of uvicorn, gunicorn and hypercorn: their records bear what the line says as arguments,
//! which are taken as they are instead of reading the line. What uvicorn says of WebSockets goes to another
//! logger, and is read only to know logrec's own.

use logrec_core::record::RecordWriter;
use pyo3::{
    prelude::*,
    types::{PyDict, PyInt, PyTuple},
};

/// Whether a logger's records are ones that [`Access`] may read.
pub(crate) fn is_logger(name: &str) -> bool {
    matches!(name, "uvicorn.access" | "gunicorn.access" | "hypercorn.access")
}

/// Where uvicorn tells of WebSockets.
pub(crate) const WEBSOCKET_LOGGER: &str = "uvicorn.error";

/// Whether a record of that logger tells of a WebSocket to one of these paths or below: an address, the
/// target, and where it was refused a status.
pub(crate) fn is_own_websocket(
    msg: &Bound<'_, PyAny>,
    args: &Bound<'_, PyAny>,
    own: &[String],
) -> bool {
    let is_websocket = msg
        .extract::<std::borrow::Cow<'_, str>>()
        .is_ok_and(|msg| msg.starts_with("%s - \"WebSocket %s\" "));
    is_websocket
        && args
            .cast::<PyTuple>()
            .ok()
            .and_then(|args| args.get_item(1).ok()?.extract::<String>().ok())
            .is_some_and(|target| is_below(target.split('?').next().unwrap_or_default(), own))
}

fn is_below(path: &str, own: &[String]) -> bool {
    own.iter().any(|own| {
        path.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// A request that an access log tells of. Empty texts and absent numbers are not known.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Access {
    client: String,
    method: String,
    path: String,
    query: String,
    version: String,
    status: Option<i64>,
    size: Option<i64>,
    referer: String,
    agent: String,
    micros: Option<i64>,
}

impl Access {
    /// Of a record's arguments; `None` when they are neither uvicorn's five nor atoms.
    pub(crate) fn of(args: &Bound<'_, PyAny>) -> Option<Self> {
        if let Ok(args) = args.cast::<PyTuple>() {
            return Self::of_five(args);
        }
        args.cast::<PyDict>().ok().map(Self::of_atoms)
    }

    /// uvicorn's: client, method, target, version, status.
    fn of_five(args: &Bound<'_, PyTuple>) -> Option<Self> {
        let (client, method, target, version, status): (_, _, String, _, _) =
            args.extract().ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        Some(Self { client, method, path, query, version, status, ..Self::default() })
    }

    /// gunicorn's and hypercorn's: a dict by the letters of Apache's log formats. It holds all headers
    /// and hypercorn's the whole environment too, of which nothing else may be taken. Its own
    /// `__getitem__` answers `-` for what it has not.
    fn of_atoms(atoms: &Bound<'_, PyDict>) -> Self {
        let get = |name| atoms.get_item(name).ok().flatten();
        let text = |name| {
            let text: Option<String> = get(name).and_then(|value| value.extract().ok());
            text.filter(|text| text != "-").unwrap_or_default()
        };
        let number = |name| {
            let value = get(name)?;
            if value.is_instance_of::<PyInt>() {
                return value.extract().ok();
            }
            value.extract::<&str>().ok()?.parse().ok()
        };
        let protocol = text("H");
        Self {
            client: text("h"),
            method: text("m"),
            path: text("U"),
            query: text("q"),
            version: protocol.strip_prefix("HTTP/").unwrap_or(&protocol).to_owned(),
            status: number("s"),
            size: number("B"),
            referer: text("f"),
            agent: text("a"),
            micros: number("D"),
        }
    }

    /// Whether the request went to one of these paths or below.
    pub(crate) fn is_own(&self, own: &[String]) -> bool {
        is_below(&self.path, own)
    }

    /// The names are those that `logrec-decode` gives to access lines: OpenTelemetry's.
    pub(crate) fn write(&self, writer: &mut RecordWriter<'_>) {
        let (address, port) = match self.client.rsplit_once(':') {
            Some((address, port)) if port.parse::<u16>().is_ok() => (address, port),
            _ => (self.client.as_str(), ""),
        };
        for (name, text) in [
            ("client.address", address),
            ("http.request.method", &self.method),
            ("url.path", &self.path),
            ("url.query", &self.query),
            ("network.protocol.version", &self.version),
            ("http.request.header.referer", &self.referer),
            ("user_agent.original", &self.agent),
        ] {
            if !text.is_empty() {
                writer.attribute_str(name, text);
            }
        }
        for (name, number) in [
            ("client.port", port.parse().ok()),
            ("http.response.status_code", self.status),
            ("http.response.body.size", self.size),
        ] {
            if let Some(number) = number {
                writer.attribute_int(name, number);
            }
        }
        if let Some(micros) = self.micros {
            // Exact: a request takes less than 2^53 µs.
            #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
            writer.attribute_float("duration_ms", micros as f64 / 1000.0);
        }
    }
}
