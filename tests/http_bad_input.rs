//! Rubbish in: each answered with a JSON error of the right status that says what would be right.

use crate::support::{Logrec, Response};

/// A failure, in the one form all have, whose text contains `needle`.
fn assert_refused(response: &Response, status: u16, needle: &str) {
    let answer = response.json();
    assert_eq!(response.status, status, "{answer}");
    assert_eq!(answer["success"], false, "{answer}");
    assert!(
        response.head.to_lowercase().contains("content-type: application/json"),
        "{}",
        response.head
    );
    let error = answer["error"].as_str().unwrap();
    assert!(
        error.to_lowercase().contains(&needle.to_lowercase()),
        "{needle:?} is not in {error:?}"
    );
    assert!(error.len() < 600, "{error}");
}

fn assert_goes_on(logrec: &Logrec) {
    assert_eq!(logrec.request("GET", "/healthz", &[], b"").status, 200);
    assert_eq!(logrec.get("/logs/stats").status, 200);
}

#[test]
fn parameters() {
    let logrec = Logrec::serve();
    let long = format!("?search={}", "x".repeat(12_000));
    let limit = "give a whole number from 1 to 1000";
    let minutes = "give a number of minutes from 0";
    for (query, needle) in [
        ("?limit=0", limit),
        ("?limit=-1", limit),
        ("?limit=1001", limit),
        ("?limit=abc", limit),
        ("?limit=1e3", limit),
        ("?limit=", limit),
        ("?limit", limit),
        ("?level=LOUD", "`level` is `LOUD`; give TRACE, DEBUG"),
        ("?since_minutes=-5", minutes),
        ("?since_minutes=NaN", minutes),
        ("?since_minutes=1e300", minutes),
        ("?since_minutes=", minutes),
        ("?limt=5", "`limt` is no parameter; did you mean `limit`?"),
        ("?limit=5&limit=6", "`limit` is given twice"),
        ("?search=%zz", "`search` cannot be read: a `%`"),
        ("?search=%ff", "no UTF-8"),
        ("?search=%", "two hexadecimal digits"),
        ("?search=%00", "NUL"),
        ("?regex=(", "`regex` cannot be used"),
        ("?regex=(a%7B1000%7D)%7B1000%7D", "too large once compiled"),
        ("?since=tomorrow", "is no time; give RFC 3339"),
        ("?after=nonsense", "no cursor"),
        ("?fields=", "`fields` is empty; name one"),
        ("?format=xml", "give json, ndjson, text or markdown"),
        ("?max_tokens=1", "from 200"),
        (&long, "`search` has 12000 bytes; give at most 10000"),
    ] {
        assert_refused(&logrec.get(&format!("/logs{query}")), 422, needle);
    }
    assert_refused(&logrec.get("/logs/stats?level=ERROR"), 422, "takes none");
    assert_goes_on(&logrec);
}

#[test]
fn urls_too_long_to_read() {
    let logrec = Logrec::serve();
    // The first is refused by us, the others before a handler is reached.
    for bytes in [20_000, 100_000] {
        let response = logrec.get(&format!("/logs?search={}", "x".repeat(bytes)));
        assert_refused(&response, 414, "16384");
    }
    let response = logrec.get(&format!("/logs?search={}", "x".repeat(300_000)));
    match response.status {
        414 => assert_refused(&response, 414, "16384"),
        _ => assert_refused(&response, 431, "too large"),
    }
    let header = format!("x-long: {}", "y".repeat(700_000));
    assert_refused(&logrec.request("GET", "/healthz", &[&header], b""), 431, "too large");
    let many = "x-many: 1\r\n".repeat(150);
    assert_refused(&logrec.request("GET", "/healthz", &[many.trim_end()], b""), 431, "100 headers");
    assert_goes_on(&logrec);
}

#[test]
fn paths_methods_and_heads() {
    let logrec = Logrec::serve();
    assert_refused(&logrec.get("/log"), 404, "there is nothing at `/api/debug/log`");
    assert_refused(&logrec.get("/logs/"), 404, "/api/debug/logs");
    assert_refused(&logrec.request("GET", "/", &[], b""), 404, "/api/debug/logs");
    let json = "content-type: application/json";
    assert_refused(
        &logrec.request("PUT", "/api/debug/logs", &[json], b"{}"),
        405,
        "GET, POST or DELETE",
    );
    assert_refused(&logrec.request("DELETE", "/api/debug/logs/stats", &[], b""), 405, "use GET");
    assert_refused(&logrec.request("POST", "/healthz", &[json], b"{}"), 405, "use GET");
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        assert_refused(&logrec.raw(garbage), 400, "HTTP/1.1");
    }
    assert_goes_on(&logrec);
}

#[test]
fn bodies() {
    let logrec = Logrec::serve();
    assert_refused(&logrec.post(b""), 400, "empty");
    assert_refused(&logrec.post(b"{\"message\":\"trunca"), 400, "the body cannot be read:");
    assert_refused(&logrec.post(b"[{\"message\":\"a\"},"), 400, "the body cannot be read:");
    assert_refused(&logrec.post(b"42"), 400, "`42`; give a JSON object");
    assert_refused(&logrec.post(b"\"text\""), 400, "`\"text\"`; give a JSON object");
    assert_refused(&logrec.post(b"nonsense"), 400, "the body is no JSON");
    let empty = logrec.post(b" [] ");
    assert_eq!(empty.status, 200);
    let nothing = r#"{"success":true,"accepted":0,"rejected":0,"errors":[]}"#;
    assert_eq!(empty.text(), nothing);
    let json = "content-type: application/json";
    let packed =
        |how: &str| logrec.request("POST", "/api/debug/logs", &[json, how], br#"{"message":"x"}"#);
    assert_refused(&packed("content-encoding: gzip"), 415, "Content-Encoding is `gzip`");
    assert_eq!(packed("content-encoding: identity").status, 200);
    let durable =
        logrec.request("POST", "/api/debug/logs?durable=true", &[json], br#"{"message":"x"}"#);
    assert_refused(&durable, 422, "no store is configured, so nothing can be durable");
    let post = |body: &str| logrec.post(body.as_bytes());
    assert_refused(&post(r#"{"level":"INFO"}"#), 422, "no item");
    assert_refused(&post(r#"{"message":"x","level":"LOUD"}"#), 422, "no item");
    assert_refused(&post(r#"{"message":"x","n":1e400}"#), 422, "no item");
    let nested = |depth: usize| {
        format!("{{\"message\":\"x\",\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth))
    };
    assert_eq!(post(&nested(100)).status, 200);
    assert_refused(&post(&nested(100_000)), 422, "no item");
    let why = post(&nested(100_000)).json()["errors"][0]["error"].to_string();
    assert!(why.contains("128"), "{why}");
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(20 << 20));
    assert_refused(&post(&large), 413, "larger than 16777216 bytes");
    for kind in
        ["content-type: text/plain", "content-type: application/x-www-form-urlencoded", "x-none: 1"]
    {
        let response = logrec.request("POST", "/api/debug/logs", &[kind], br#"{"message":"x"}"#);
        assert_refused(&response, 415, "application/json");
    }
    assert_goes_on(&logrec);
}

#[test]
fn good_lines_of_a_bad_batch_are_kept() {
    let logrec = Logrec::serve();
    let body = "{\"message\":\"one\"}\n{\"message\":\"broken\n\n{\"message\":\"three\"}\r\n[]\n{\"message\":5,\"level\":\"warn\"}\n";
    let response = logrec.request(
        "POST",
        "/api/debug/logs",
        &["content-type: application/x-ndjson"],
        body.as_bytes(),
    );
    assert_eq!(response.status, 200);
    let answer = response.json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&3.into(), &2.into()), "{answer}");
    let at: Vec<_> =
        answer["errors"].as_array().unwrap().iter().map(|e| e["index"].as_u64().unwrap()).collect();
    assert_eq!(at, [1, 3]);
    assert_eq!(logrec.messages("?order=asc"), ["one", "three", "5"]);
    // The first twenty errors are told, all are counted.
    let answer = logrec.post(b"[1]").json();
    assert_eq!(answer["rejected"], 1);
    let many = format!("[{}1]", "1,".repeat(99));
    let answer = logrec.post(many.as_bytes()).json();
    assert_eq!(
        (answer["rejected"].as_u64(), answer["errors"].as_array().unwrap().len()),
        (Some(100), 20)
    );
}

#[test]
fn an_entry_beyond_the_bound_is_cut_and_marked() {
    let logrec = Logrec::serve();
    let body = format!("{{\"message\":\"{}\"}}", "é".repeat(500_000));
    assert_eq!(logrec.post(body.as_bytes()).status, 200);
    let entry = &logrec.entries("")[0];
    let message = entry["message"].as_str().unwrap();
    assert!(message.len() > 200_000 && message.chars().all(|c| c == 'é'));
    let cut = entry["attributes"]["logrec.cut_bytes"].as_u64().unwrap();
    assert_eq!(cut + message.len() as u64, 1_000_000);
    assert_eq!(logrec.get("/logs/stats").json()["data"]["truncated"], 1);
}
