//! Who may ask: hosts, origins, tokens, and where logrec will not listen.

use std::process::Stdio;

use crate::support::{Logrec, command};

const ROUTES: [(&str, &str); 6] = [
    ("GET", "/api/debug/logs"),
    ("POST", "/api/debug/logs"),
    ("DELETE", "/api/debug/logs"),
    ("GET", "/api/debug/logs/stats"),
    ("GET", "/healthz"),
    ("GET", "/nothing/here"),
];

#[test]
fn a_web_page_learns_and_changes_nothing() {
    let logrec = Logrec::serve();
    logrec.post(br#"{"message":"secret"}"#);
    let port = logrec.address.port();
    let own = format!("host: 127.0.0.1:{port}");
    for (method, path) in ROUTES {
        for headers in [
            "host: evil.example".to_owned(),
            format!("host: evil.example:{port}"),
            format!("host: 0.0.0.0:{port}"),
            format!("host: 127.0.0.1.evil.example:{port}"),
            format!("{own}\r\norigin: https://evil.example"),
            format!("{own}\r\norigin: http://127.0.0.1:{}", port.wrapping_add(1)),
            format!("{own}\r\norigin: null"),
            format!("{own}\r\nsec-fetch-site: cross-site"),
            format!("{own}\r\nsec-fetch-site: same-site"),
        ] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\n{headers}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
            );
            let response = logrec.raw(request.as_bytes());
            assert_eq!(response.status, 403, "{method} {path} {headers}");
            assert!(!response.text().contains("secret"));
            assert!(!response.head.to_lowercase().contains("access-control"), "{}", response.head);
        }
    }
    let absolute = format!(
        "GET http://evil.example/api/debug/logs HTTP/1.1\r\n{own}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(logrec.raw(absolute.as_bytes()).status, 403);
    assert_eq!(logrec.messages(""), ["secret"]);
    let own_page = format!("origin: http://127.0.0.1:{port}");
    assert_eq!(logrec.request("GET", "/api/debug/logs", &[&own_page], b"").status, 200);
    // A preflight gets no permission.
    let preflight =
        logrec.request("OPTIONS", "/api/debug/logs", &["origin: https://evil.example"], b"");
    assert_eq!(preflight.status, 403);
}

#[test]
fn with_a_token_nothing_is_answered_without_it() {
    let logrec = Logrec::serve_with(&["--bind", "127.0.0.1:0"], &[("LOGREC_TOKEN", "s3cret")]);
    for (method, path) in ROUTES.into_iter().filter(|(_, path)| *path != "/healthz") {
        let json = "content-type: application/json";
        let response = logrec.request(method, path, &[json], b"{}");
        assert_eq!(response.status, 401, "{method} {path}");
        let wrong = logrec.request(method, path, &[json, "authorization: Bearer wrong"], b"{}");
        assert_eq!(wrong.status, 401);
    }
    let right = logrec.request("GET", "/api/debug/logs", &["authorization: Bearer s3cret"], b"");
    assert_eq!(right.status, 200);
    assert_eq!(logrec.request("GET", "/healthz", &[], b"").status, 200);
}

#[test]
fn elsewhere_than_on_loopback_only_with_a_token() {
    let run = |token: Option<&str>| {
        let mut command = command();
        command.args(["serve", "--bind", "0.0.0.0:0"]).stdin(Stdio::null());
        if let Some(token) = token {
            command.env("LOGREC_TOKEN", token);
        }
        command
    };
    let refused = run(None).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(said.contains("token"), "{said}");
    let logrec = Logrec::serve_with(&["--bind", "0.0.0.0:0"], &[("LOGREC_TOKEN", "s3cret")]);
    let port = logrec.address.port();
    let request = format!(
        "GET /api/debug/logs HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer s3cret\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(logrec.raw(request.as_bytes()).status, 200);
}
