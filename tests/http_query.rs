//! Asking precisely: the query language, marks, context, stories, facets, and what describes them.

use std::process::Output;

use serde_json::{Value as Json, json};

use crate::support::{Logrec, command};

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02x}")).collect()
}

/// A server with forty entries of several kinds, a second apart, the last one now.
fn served() -> Logrec {
    let logrec = Logrec::serve();
    let now = logrec_core::Timestamp::now().as_epoch_seconds();
    let entries: Vec<Json> = (0..40)
        .map(|i| {
            let level = ["DEBUG", "INFO", "WARNING", "ERROR"][i % 4];
            let mut entry = json!({
                "timestamp": now - 39.0 + i as f64, "level": level, "message": format!("Message {i} of room r{}", i % 3),
                "logger": if i % 2 == 0 { "backend.engine" } else { "backend.api" }, "line": 100 + i,
                "module": if i % 5 == 0 { "ws" } else { "game" }, "thread_name": "MainThread",
                "duration_ms": i * 10, "room": format!("r{}", i % 3),
            });
            if level == "ERROR" {
                entry["exception"] = "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in f\nKeyError: 'gold'".into();
            }
            entry
        })
        .collect();
    assert_eq!(logrec.post(json!(entries).to_string().as_bytes()).json()["accepted"], 40);
    logrec
}

fn cli(logrec: &Logrec, args: &[&str]) -> Output {
    let url = format!("http://{}", logrec.address);
    command().args(args).args(["--url", &url]).output().unwrap()
}

fn ids(answer: &Json) -> Vec<&str> {
    answer["data"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect()
}

/// However it is asked, it is one filter: parameters, the language, and flags choose the same entries.
#[test]
fn every_way_to_ask_gives_the_same_answer() {
    let logrec = served();
    for (params, flags, q, count) in [
        ("level=error,warning", &["--level", "error,warning"][..], "level=ERROR,WARNING", 20),
        ("min_level=WARNING", &["--min-level", "WARNING"], "level>=WARNING", 20),
        ("logger_filter=ENGINE", &["--logger", "ENGINE"], "logger:engine", 20),
        ("search=room%20R1", &["--search", "room R1"], "message:\"room r1\"", 13),
        (
            "regex=%5EMessage%20%5Cd%20",
            &["--regex", "^Message \\d "],
            "message~\"^Message \\\\d \"",
            10,
        ),
        ("module=ws", &["--module", "ws"], "module=ws", 8),
        ("line=105-110", &["--line", "105-110"], "line=105-110", 6),
        ("thread_name=MainThread", &["--thread-name", "MainThread"], "thread_name=MainThread", 40),
        ("attr.room=r2", &["--attr", "room=r2"], "room=r2", 13),
        (
            "min_level=INFO&logger_filter=api&attr.room=r0",
            &["--min-level", "INFO", "--logger", "api", "--attr", "room=r0"],
            "level>=INFO logger:api room=r0",
            7,
        ),
        (
            "since=20s&until=10s",
            &["--since", "20s", "--until", "10s"],
            "timestamp>=20s timestamp<=10s",
            10,
        ),
        ("search=nowhere", &["--search", "nowhere"], "message:nowhere", 0),
    ] {
        let by_params = logrec.get(&format!("/logs?limit=1000&{params}")).json();
        let by_q = logrec.get(&format!("/logs?limit=1000&q={}", encoded(q))).json();
        assert_eq!(by_params["count"], count, "{params}");
        assert_eq!(ids(&by_params), ids(&by_q), "{params} is not {q}");
        let by_flags = cli(&logrec, &[&["logs", "--json", "--limit", "1000"], flags].concat());
        let by_flags: Json = serde_json::from_slice(&by_flags.stdout).unwrap();
        assert_eq!(ids(&by_params), ids(&by_flags), "{flags:?} is not {params}");
        let by_cli_q = cli(&logrec, &["logs", "--json", "--limit", "1000", "-q", q]);
        assert_eq!(by_cli_q.status.code(), Some(i32::from(count == 0)));
        let by_cli_q: Json = serde_json::from_slice(&by_cli_q.stdout).unwrap();
        assert_eq!(ids(&by_params), ids(&by_cli_q), "{q} on the command line");
    }
    let both =
        logrec.get(&format!("/logs?level=ERROR&q={}", encoded("duration_ms>=300 -room=r0"))).json();
    assert_eq!(both["count"], 2);
    assert_eq!(both["filters_applied"]["q"], "duration_ms>=300 -room=r0");
}

#[test]
fn a_query_that_cannot_be_read_says_where_and_why() {
    let logrec = served();
    for (q, expected) in [
        ("level>=LOUD", "`q` cannot be read at character 8: `LOUD` is no level; write TRACE"),
        (
            "lvel=ERROR",
            "`q` cannot be read at character 1: `lvel` is no field; did you mean `level`?",
        ),
        (
            "room r1 OR",
            "`q` cannot be read at character 11: the query ends where a term is expected",
        ),
        (
            "timestamp>=mark:nothing",
            "`mark:nothing` names no mark; there is none yet; POST /marks sets one",
        ),
        (&"(".repeat(100), "nested deeper than 50"),
        (&"/a{200}/ ".repeat(20), "there are more than 16 patterns"),
    ] {
        let answer = logrec.get(&format!("/logs?q={}", encoded(q)));
        assert_eq!(answer.status, 422, "{q}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(expected), "{q}: {error}");
    }
}

#[test]
fn marks_are_times_and_outlive_the_server_beside_recordings() {
    let dir = tempfile::tempdir().unwrap();
    let rings = dir.path().join("rings");
    let args = ["--bind", "127.0.0.1:0", "--rings", rings.to_str().unwrap()];
    let logrec = Logrec::serve_with(&args, &[]);
    let mark = |logrec: &Logrec, body: Json| {
        logrec.request(
            "POST",
            "/api/debug/marks",
            &["content-type: application/json"],
            body.to_string().as_bytes(),
        )
    };
    logrec.post(br#"{"message":"before"}"#);
    let set = mark(&logrec, json!({"name": "fix", "note": "one line changed"}));
    assert_eq!((set.status, &set.json()["data"]["name"]), (200, &"fix".into()), "{}", set.text());
    logrec.post(br#"{"message":"after"}"#);
    assert_eq!(logrec.messages("?since=mark:fix"), ["after"]);
    assert_eq!(logrec.messages("?until=mark:fix"), ["before"]);
    assert_eq!(logrec.messages(&format!("?q={}", encoded("timestamp>=mark:fix"))), ["after"]);
    let old = mark(&logrec, json!({"name": "old", "time": "2026-01-02T03:04:05Z"}));
    assert_eq!(old.json()["data"]["timestamp"], 1_767_323_045.0);
    for (body, status, expected) in [
        (json!({"name": "two words"}), 422, "letters, digits"),
        (json!({"name": "x", "time": "soon"}), 422, "`soon` is no time"),
        (json!({"name": "x", "time": 1e300}), 422, "out of range"),
        (json!({"nam": "x"}), 422, "unknown field `nam`"),
        (json!(["x", "note"]), 422, "it is no object; give {"),
        (json!({"name": "a..b"}), 422, "no `..`"),
        (json!({}), 422, "missing field `name`"),
        (json!({"name": "x", "note": "y".repeat(2000)}), 422, "give at most 1000"),
    ] {
        let answer = mark(&logrec, body);
        assert_eq!(answer.status, status);
        assert!(answer.json()["error"].as_str().unwrap().contains(expected), "{}", answer.text());
    }
    let answer =
        logrec.request("POST", "/api/debug/marks", &["content-type: application/json"], b"{");
    assert_eq!(answer.status, 400);
    let answer = logrec.get("/logs?since=mark:fxi");
    assert!(answer.json()["error"].as_str().unwrap().contains("did you mean `mark:fix`?"));

    drop(logrec);
    let again = Logrec::serve_with(&args, &[]);
    let marks = again.get("/marks").json();
    assert_eq!(
        (&marks["count"], &marks["data"][1]["note"]),
        (&2.into(), &"one line changed".into())
    );
    assert_eq!(cli(&again, &["mark", "later", "--note", "by hand"]).status.code(), Some(0));
    let listed: Json = serde_json::from_slice(&cli(&again, &["mark"]).stdout).unwrap();
    assert_eq!(listed["data"][0]["name"], "later");
    // The same marks without a server.
    let read = command()
        .args(["logs", "--json", "--since", "mark:later", "--rings"])
        .arg(&rings)
        .output()
        .unwrap();
    assert_eq!(read.status.code(), Some(1), "{}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn context_story_and_fields() {
    let logrec = served();
    let error = &logrec.entries("?level=ERROR&limit=3")[2];
    let id = error["id"].as_str().unwrap();
    let around = logrec.get(&format!("/logs/context?id={id}&before=2&after=2")).json();
    assert_eq!((&around["count"], &around["data"][2]["id"]), (&5.into(), &error["id"]));
    let story = logrec.get(&format!("/logs/context?id={id}&mode=story&max_tokens=500"));
    assert!(story.body.len() <= 2000);
    let story = story.json();
    assert_eq!(story["data"]["occurrences"]["count"], 10);
    assert_eq!(story["data"]["stack"][0], "KeyError: 'gold'");
    let text = cli(&logrec, &["context", id, "--mode", "story", "--format", "text"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("# the same exception came 10 times"), "{text}");

    let gone = logrec.get("/logs/context?id=12-34");
    assert_eq!(gone.status, 404);
    assert!(
        gone.json()["error"]
            .as_str()
            .unwrap()
            .contains("`12-34` is of a recording that is not here")
    );
    assert_eq!(logrec.get("/logs/context").status, 422);
    let gone = cli(&logrec, &["context", "12-34"]);
    assert_eq!(gone.status.code(), Some(3));

    let fields = logrec.get("/logs/fields?min_level=WARNING").json();
    assert_eq!(fields["entries"], 20);
    assert_eq!(fields["data"]["level"]["values"][0], json!({"value": "ERROR", "count": 10}));
    assert_eq!(fields["data"]["attributes"]["room"]["distinct"], 3);
    let same = cli(&logrec, &["fields", "--min-level", "WARNING"]);
    let same: Json = serde_json::from_slice(&same.stdout).unwrap();
    assert_eq!(same["data"], fields["data"]);
    assert_eq!(cli(&logrec, &["fields", "--search", "nowhere"]).status.code(), Some(1));
}

/// What the whole log means, over HTTP and at the terminal, within budgets.
#[test]
fn digest_patterns_volume_and_trends() {
    let logrec = served();
    for endpoint in ["digest", "patterns", "volume", "trends"] {
        for format in ["json", "text", "markdown"] {
            let answer = logrec.get(&format!("/logs/{endpoint}?max_tokens=300&format={format}"));
            assert_eq!(answer.status, 200, "{endpoint} {format}: {}", answer.text());
            assert!(answer.body.len() <= 1200, "{endpoint} {format}: {} bytes", answer.body.len());
        }
        let by_cli = cli(&logrec, &[endpoint, "--json"]);
        assert_eq!(by_cli.status.code(), Some(0), "{}", String::from_utf8_lossy(&by_cli.stderr));
        let by_cli: Json = serde_json::from_slice(&by_cli.stdout).unwrap();
        assert_eq!(by_cli["success"], true, "{endpoint}");
        let wrong = logrec.get(&format!("/logs/{endpoint}?tops=3"));
        assert_eq!(wrong.status, 422, "{endpoint}: {}", wrong.text());
    }
    let patterns = logrec.get("/logs/patterns").json();
    assert_eq!((&patterns["patterns"], &patterns["data"][0]["count"]), (&1.into(), &40.into()));
    let volume = logrec.get("/logs/volume?by=attr.room&step=10s").json();
    assert_eq!(
        (&volume["entries"], volume["data"]["series"].as_array().unwrap().len()),
        (&40.into(), 3)
    );
    let trends = logrec.get("/logs/trends").json();
    let names: Vec<&str> =
        trends["data"].as_array().unwrap().iter().filter_map(|t| t["attribute"].as_str()).collect();
    assert_eq!(names, ["duration_ms"]);
    let digest = logrec.get("/logs/digest?format=text").text();
    assert!(digest.lines().any(|line| line.starts_with("anomalies: ")), "{digest}");
}

#[test]
fn folded_rows_name_what_they_stand_for() {
    let logrec = Logrec::serve();
    let body: String =
        (0..300).map(|i| format!("{{\"message\":\"request {i} took {i} ms\"}}\n")).collect();
    logrec.post(body.as_bytes());
    let answer = logrec.get("/logs?limit=300&fold=true").json();
    assert_eq!((&answer["count"], &answer["entries"]), (&1.into(), &300.into()));
    let names: Vec<&str> = answer["data"][0]["fold"]["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    let q = encoded(&format!("id={}", names.join(",")));
    assert_eq!(logrec.entries(&format!("?limit=1000&q={q}")).len(), 300);
    assert_eq!(logrec.entries(&format!("?limit=1000&q={q}%20took%20299")).len(), 1);
    let text = logrec.get("/logs?limit=300&fold=true&format=text").text();
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn the_api_describes_itself() {
    let logrec = Logrec::serve();
    let document = logrec.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/logs"]["get"]["parameters"].as_array().unwrap().len() > 25);
    let page = logrec.get("/docs");
    assert!(
        page.head.to_lowercase().contains("content-security-policy: default-src 'none'"),
        "{}",
        page.head
    );
    assert!(page.text().contains("<code>logger_filter</code>"));
    let llms =
        logrec.raw(b"GET /llms.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(llms.status, 200);
    // Every request that it names is answered.
    for path in llms.text().lines().filter_map(|line| line.strip_prefix("- GET /api/debug")) {
        let path = path.split(' ').next().unwrap();
        if !path.contains("ID") && !path.contains("CURSOR") && !path.contains("mark:") {
            assert_eq!(logrec.get(path).status, 200, "{path}");
        }
    }
}
