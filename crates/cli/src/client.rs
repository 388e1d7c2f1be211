//! Asking a logrec server over HTTP.

use std::{io, time::Duration};

use serde::Deserialize;

use crate::{
    error::{FAILED, USAGE, with_code},
    filters::Params,
};

/// Where a server is unless told otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:5050";
/// Where a server has its API.
const PREFIX: &str = "/api/debug";
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take; more than the longest wait for something new.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A server that can be asked.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    /// Scheme, host and port.
    origin: String,
    /// Path of the API.
    prefix: String,
    token: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Nothing listens there.
    #[error("no server at {0}; start one with logrec run -- CMD")]
    NoServer(String),
    /// Something listened, and then did not answer.
    #[error("{url} does not answer: {reason}")]
    Lost { url: String, reason: String },
    /// The server says what is wrong.
    #[error("{message}")]
    Refused { status: u16, message: String },
    /// What answers is no logrec.
    #[error("{url} is answered by something that is not logrec (status {status})")]
    Foreign { url: String, status: u16 },
    /// The address cannot be used at all.
    #[error("{0}")]
    Url(String),
}

impl ClientError {
    /// Whether asking again later may help.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::NoServer(_) | Self::Lost { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
            Self::Foreign { .. } | Self::Url(_) => false,
        }
    }

    pub(crate) fn into_failure(self) -> anyhow::Error {
        let code = match self {
            Self::Refused { status: 422, .. } | Self::Url(_) => USAGE,
            _ => FAILED,
        };
        with_code(self.to_string(), code)
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Client {
    /// A client of `http://HOST:PORT`, with the path of the API where it is not `/api/debug`.
    pub(crate) fn new(url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let rest = match url.split_once("://") {
            Some(("http", rest)) => rest,
            None => url,
            Some((scheme, _)) => {
                return Err(ClientError::Url(format!(
                    "`--url` is `{url}`, but {scheme} is not spoken here; give http://HOST:PORT"
                )));
            }
        };
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if host.is_empty() || path.contains(['?', '#']) {
            let message = format!("`--url` is `{url}`; give http://HOST:PORT");
            return Err(ClientError::Url(message));
        }
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/logs").unwrap_or(path);
        let prefix = if path.is_empty() { PREFIX } else { path };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A proxy of the environment is for the world outside, not for a debug port.
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        Ok(Self {
            agent: config.into(),
            origin: format!("http://{host}"),
            prefix: prefix.to_owned(),
            token,
        })
    }

    /// The server's address, for people.
    pub(crate) fn url(&self) -> &str {
        &self.origin
    }

    /// `GET /logs`.
    pub(crate) fn logs(&self, params: &Params) -> Result<Vec<u8>, ClientError> {
        self.get(&format!("{}/logs", self.prefix), params)
    }

    /// `GET /logs/stats`.
    pub(crate) fn stats(&self) -> Result<Vec<u8>, ClientError> {
        self.get(&format!("{}/logs/stats", self.prefix), &Params::new())
    }

    /// `GET` of another endpoint of the API, as `logs/context`.
    pub(crate) fn ask(&self, endpoint: &str, params: &Params) -> Result<Vec<u8>, ClientError> {
        self.get(&format!("{}/{endpoint}", self.prefix), params)
    }

    /// `POST /marks`.
    pub(crate) fn set_mark(&self, body: &serde_json::Value) -> Result<Vec<u8>, ClientError> {
        let mut request = self
            .agent
            .post(format!("{}{}/marks", self.origin, self.prefix))
            .header("Content-Type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request.send(body.to_string()).map_err(|error| self.lost(&error))?;
        self.body(response)
    }

    /// `GET /healthz`.
    pub(crate) fn health(&self) -> Result<Vec<u8>, ClientError> {
        self.get("/healthz", &Params::new())
    }

    fn get(&self, path: &str, params: &Params) -> Result<Vec<u8>, ClientError> {
        let mut request = self.agent.get(format!("{}{path}", self.origin));
        for (name, value) in params {
            request = request.query(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request.call().map_err(|error| self.lost(&error))?;
        self.body(response)
    }

    /// The body of an answer, or what it says went wrong.
    fn body(&self, mut response: ureq::http::Response<ureq::Body>) -> Result<Vec<u8>, ClientError> {
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(|error| self.lost(&error))?;
        if status == 200 {
            return Ok(body);
        }
        Err(match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) => ClientError::Refused { status, message: refusal.error },
            Err(_) => ClientError::Foreign { url: self.origin.clone(), status },
        })
    }

    fn lost(&self, error: &ureq::Error) -> ClientError {
        let url = self.origin.clone();
        match error {
            ureq::Error::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
                ClientError::NoServer(url)
            }
            ureq::Error::ConnectionFailed => ClientError::NoServer(url),
            ureq::Error::HostNotFound => {
                ClientError::Lost { url, reason: "there is no such host".to_owned() }
            }
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                ClientError::Url(format!("`--url` is `{url}`: {error}; give http://HOST:PORT"))
            }
            other => ClientError::Lost { url, reason: other.to_string() },
        }
    }
}
