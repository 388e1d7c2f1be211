//! uvicorn's access log: its records bear what their line says as five arguments, which are taken as they
//! are instead of reading the line. What it says of WebSockets goes to another logger, and is read only to
//! know logrec's own.

use logrec_core::record::RecordWriter;
use pyo3::{prelude::*, types::PyTuple};

/// The logger whose records [`Access`] reads.
pub(crate) const LOGGER: &str = "uvicorn.access";

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

/// A request that uvicorn's access log tells of, by the arguments of its record.
pub(crate) struct Access {
    client: String,
    method: String,
    target: String,
    version: String,
    status: i64,
}

impl Access {
    /// Of a record's arguments; `None` when they are not uvicorn's five.
    pub(crate) fn of(args: &Bound<'_, PyAny>) -> Option<Self> {
        let (client, method, target, version, status) = args.extract().ok()?;
        Some(Self { client, method, target, version, status })
    }

    fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    /// Whether the request went to one of these paths or below.
    pub(crate) fn is_own(&self, own: &[String]) -> bool {
        let (path, _) = self.path_and_query();
        is_below(path, own)
    }

    /// The names are those that `logrec-decode` gives to access lines: OpenTelemetry's.
    pub(crate) fn write(&self, writer: &mut RecordWriter<'_>) {
        let (address, port) = self.client.rsplit_once(':').unwrap_or((&self.client, ""));
        let texts = |writer: &mut RecordWriter<'_>, name: &str, text: &str| {
            if !text.is_empty() {
                writer.attribute_str(name, text);
            }
        };
        texts(writer, "client.address", address);
        if let Ok(port) = port.parse::<u16>() {
            writer.attribute_int("client.port", port.into());
        }
        texts(writer, "http.request.method", &self.method);
        let (path, query) = self.path_and_query();
        texts(writer, "url.path", path);
        texts(writer, "url.query", query);
        texts(writer, "network.protocol.version", &self.version);
        writer.attribute_int("http.response.status_code", self.status);
    }
}
