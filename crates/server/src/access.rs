//! Who may ask: the one middleware that stands before every route.
//!
//! A debug port on a developer's machine is in reach of every web page that developer visits. So
//! nothing is answered to a foreign `Host` (DNS rebinding), a foreign `Origin` or a request that the
//! browser itself says comes from another site; another port of localhost is another site. There is
//! no CORS header, so no page may send what is not a simple request, and what changes something is
//! none: `DELETE`, or `POST` of JSON.
//!
//! Elsewhere than on loopback nothing is served without a token.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use subtle::ConstantTimeEq;

use crate::http::{fail, is_health};

/// Longest request target, in bytes.
pub const TARGET_BYTES_MAX: usize = 16 << 10;

/// Most bytes of headers, together.
pub const HEADERS_BYTES_MAX: usize = 64 << 10;

/// Rules of access. The default: loopback names only, no token.
#[derive(Clone, Default)]
pub struct Access {
    token: Option<Arc<str>>,
    hosts: Vec<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "[secret]");
        f.debug_struct("Access").field("token", &token).field("hosts", &self.hosts).finish()
    }
}

/// Why an address is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Not loopback, and no token is set.
    #[error(
        "{0} can be reached from other machines; set a token to serve there, or bind 127.0.0.1"
    )]
    NeedsToken(SocketAddr),
    /// Another program listens there.
    #[error("{0} is taken by another program")]
    Taken(SocketAddr),
    /// The system refused for another reason.
    #[error("{0} cannot be bound: {1}")]
    Io(SocketAddr, #[source] std::io::Error),
}

impl Access {
    /// Asks every request for `Authorization: Bearer TOKEN`. An empty token is none.
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::trim).filter(|t| !t.is_empty()).map(Arc::from);
        self
    }

    /// Also answers requests whose `Host` is this name, whatever the port.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Whether this address may be served under these rules.
    ///
    /// # Errors
    /// [`BindError::NeedsToken`] when it is not loopback and there is no token.
    pub fn check_bind(&self, address: SocketAddr) -> Result<(), BindError> {
        if address.ip().is_loopback() || self.token.is_some() {
            Ok(())
        } else {
            Err(BindError::NeedsToken(address))
        }
    }

    /// What is wrong with a request, if anything.
    fn refuse(&self, request: &Request) -> Option<(StatusCode, String)> {
        let headers = request.headers();
        let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
        if target > TARGET_BYTES_MAX {
            let message = format!(
                "the request's URL is longer than {TARGET_BYTES_MAX} bytes; make it shorter"
            );
            return Some((StatusCode::URI_TOO_LONG, message));
        }
        let head_bytes: usize = headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
        if head_bytes > HEADERS_BYTES_MAX {
            let message = format!(
                "the request's headers are too large, {head_bytes} bytes; give at most {HEADERS_BYTES_MAX}"
            );
            return Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
        }
        let host = match self.host(request) {
            Ok(host) => host,
            Err(refusal) => return Some(refusal),
        };
        if let Some(refusal) = foreign_origin(headers, &host) {
            return Some(refusal);
        }
        if request.method() == Method::POST
            && let Some(refusal) = simple_content(headers)
        {
            return Some(refusal);
        }
        self.unauthorised(request)
    }

    /// The host that the request was sent to, with its port, if it is one of ours.
    fn host(&self, request: &Request) -> Result<String, (StatusCode, String)> {
        let mut values = request.headers().get_all(header::HOST).iter();
        let given = match (values.next(), values.next()) {
            (Some(host), None) => host.to_str().unwrap_or_default().to_ascii_lowercase(),
            (None, _) => request
                .uri()
                .authority()
                .map_or_else(String::new, |a| a.as_str().to_ascii_lowercase()),
            (Some(_), Some(_)) => String::new(),
        };
        if given.is_empty() {
            let message = "the request has no single Host header; send the host it is meant for";
            return Err((StatusCode::BAD_REQUEST, message.to_owned()));
        }
        // A target in absolute form names a host too, and would go before the header (RFC 9112, 3.2.2).
        let target = request.uri().authority().map(|a| a.as_str().to_ascii_lowercase());
        let others = target.is_some_and(|host| !self.is_ours(without_port(&host)));
        if self.is_ours(without_port(&given)) && !others {
            return Ok(given);
        }
        let message = format!(
            "host `{}` is not served here; use 127.0.0.1 or localhost, or allow the name with --allow-host",
            given.chars().take(80).collect::<String>()
        );
        Err((StatusCode::FORBIDDEN, message))
    }

    fn is_ours(&self, name: &str) -> bool {
        if name == "localhost" || self.hosts.iter().any(|host| host == name) {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        match bare.parse::<IpAddr>() {
            // 0.0.0.0 reaches loopback too, which pages have made use of.
            Ok(ip) if ip.is_unspecified() => false,
            // A name that a page rebinds is never an address, so with a token any address will do.
            Ok(ip) => ip.is_loopback() || self.token.is_some(),
            Err(_) => false,
        }
    }

    fn unauthorised(&self, request: &Request) -> Option<(StatusCode, String)> {
        let token = self.token.as_deref()?;
        if is_health(request.uri().path()) {
            return None;
        }
        let given =
            request.headers().get(header::AUTHORIZATION).map(axum::http::HeaderValue::as_bytes);
        let given = given.and_then(|value| {
            let (scheme, token) = value.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
        });
        match given {
            Some(given) if bool::from(given.ct_eq(token.as_bytes())) => None,
            _ => {
                let message = "a token is asked for here; send `Authorization: Bearer TOKEN`";
                Some((StatusCode::UNAUTHORIZED, message.to_owned()))
            }
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}

/// A request that a page of another origin sent, by what its browser says of it.
fn foreign_origin(headers: &HeaderMap, host: &str) -> Option<(StatusCode, String)> {
    let refusal = |what: &str| {
        let message = format!(
            "requests from other web pages are not answered ({what}); call from a program, or from a page of this server"
        );
        Some((StatusCode::FORBIDDEN, message))
    };
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if own != Some(host) {
            return refusal("Origin");
        }
    }
    for site in headers.get_all("sec-fetch-site") {
        if site != "same-origin" && site != "none" {
            return refusal("Sec-Fetch-Site");
        }
    }
    None
}

/// A POST that a page may send without asking first.
fn simple_content(headers: &HeaderMap) -> Option<(StatusCode, String)> {
    const ACCEPTED: [&str; 6] = [
        "application/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/jsonlines",
    ];
    let given = headers.get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap_or_default());
    let kind =
        given.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ACCEPTED.contains(&kind.as_str()) {
        return None;
    }
    let given = given.map_or_else(
        || "missing".to_owned(),
        |g| format!("`{}`", g.chars().take(80).collect::<String>()),
    );
    let message = format!(
        "the Content-Type is {given}; send application/json or application/x-ndjson (curl: -H 'Content-Type: application/json')"
    );
    Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// The middleware.
pub(crate) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.refuse(&request) {
        None => next.run(request).await,
        Some((status, message)) => {
            let mut response = fail(status, &message);
            if status == StatusCode::UNAUTHORIZED {
                let bearer = axum::http::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
            }
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(access: &Access, method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/api/debug/logs");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        access.refuse(&request).map_or(200, |(status, _)| status.as_u16())
    }

    #[test]
    fn hosts() {
        let access = Access::default().with_host("Dev.Example");
        for (host, status) in [
            ("localhost:5050", 200),
            ("LOCALHOST", 200),
            ("127.0.0.1:5050", 200),
            ("127.0.0.2:5050", 200),
            ("[::1]:5050", 200),
            ("128.0.0.1", 403),
            ("dev.example:80", 200),
            ("evil.example", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1.evil.example", 403),
            ("0.0.0.0:5050", 403),
            ("[::]:5050", 403),
            ("192.168.0.7", 403),
            ("", 400),
        ] {
            assert_eq!(ask(&access, "GET", &[("host", host)]), status, "{host}");
        }
        assert_eq!(ask(&access, "GET", &[]), 400);
        let host = ("host", "localhost");
        assert_eq!(ask(&access, "GET", &[host, host]), 400);
    }

    #[test]
    fn origins() {
        let host = ("host", "127.0.0.1:5050");
        let access = Access::default();
        for (name, value, status) in [
            ("origin", "http://127.0.0.1:5050", 200),
            ("origin", "http://localhost:5050", 403),
            ("origin", "http://127.0.0.1:3000", 403),
            ("origin", "https://evil.example", 403),
            ("origin", "null", 403),
            ("origin", "", 403),
            ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
        ] {
            assert_eq!(ask(&access, "GET", &[host, (name, value)]), status, "{name}: {value}");
        }
    }

    #[test]
    fn what_changes_something_is_no_simple_request() {
        let host = ("host", "localhost");
        let access = Access::default();
        for (kind, status) in [
            ("application/json", 200),
            ("Application/JSON; charset=utf-8", 200),
            ("application/x-ndjson", 200),
            ("text/plain", 415),
            ("application/x-www-form-urlencoded", 415),
            ("multipart/form-data; boundary=x", 415),
        ] {
            assert_eq!(ask(&access, "POST", &[host, ("content-type", kind)]), status, "{kind}");
        }
        assert_eq!(ask(&access, "POST", &[host]), 415);
    }

    #[test]
    fn tokens() {
        let access = Access::default().with_token(Some("s3cret\n"));
        let host = ("host", "10.1.2.3:5050");
        for (given, status) in [
            ("Bearer s3cret", 200),
            ("bearer s3cret", 200),
            ("Bearer s3cre", 401),
            ("Bearer s3crets", 401),
            ("Basic s3cret", 401),
            ("", 401),
        ] {
            assert_eq!(ask(&access, "GET", &[host, ("authorization", given)]), status, "{given}");
        }
        assert_eq!(ask(&access, "GET", &[host]), 401);
        let anywhere = "0.0.0.0:5050".parse().unwrap();
        assert!(access.check_bind(anywhere).is_ok());
        assert!(matches!(Access::default().check_bind(anywhere), Err(BindError::NeedsToken(_))));
        assert!(Access::default().with_token(Some(" ")).check_bind(anywhere).is_err());
        assert!(!format!("{access:?}").contains("s3cret"));
    }
}
