//! The contract of DESIGN 4.2, as a client sees it.

use serde_json::{Value as Json, json};

use crate::support::Logrec;

fn now() -> f64 {
    let now = logrec_core::Timestamp::now();
    now.as_epoch_seconds()
}

/// What the backend of the original design had logged when it was asked.
fn card_game() -> Logrec {
    let logrec = Logrec::serve();
    let at = |minutes: f64| now() - minutes * 60.0;
    let entries = json!([
        {"timestamp": at(90.0), "level": "CRITICAL", "logger": "backend.db", "message": "Pool exhausted long ago"},
        {"timestamp": at(45.0), "level": "ERROR", "logger": "backend.api.routes.ws", "message": "WebSocket lost, long ago"},
        {"timestamp": at(10.0), "level": "ERROR", "logger": "backend.api.routes.ws", "function": "websocket_endpoint",
         "line": 156, "message": "WebSocket connection refused for room abc123"},
        {"timestamp": at(9.0), "level": "WARNING", "logger": "backend.engine.game", "function": "validate_state",
         "message": "Player state mismatch detected in room xyz789"},
        {"timestamp": at(8.0), "level": "WARNING", "logger": "backend.api.services.performance",
         "message": "Slow: database query took 2.3s - consider optimization"},
        {"timestamp": at(7.0), "level": "CRITICAL", "logger": "backend.db", "message": "Pool exhausted"},
        {"timestamp": at(6.0), "level": "INFO", "logger": "backend.Engine.rooms", "message": "Room opened"},
    ]);
    assert_eq!(logrec.post(entries.to_string().as_bytes()).json()["accepted"], 7);
    logrec
}

#[test]
fn the_requests_of_the_original_design() {
    let logrec = card_game();
    let errors = logrec.get("/logs?level=ERROR&limit=50").json();
    assert_eq!(errors["success"], true);
    assert_eq!(errors["count"], 2);
    assert_eq!(errors["filters_applied"], json!({"level": "ERROR", "limit": 50}));
    assert_eq!(errors["data"][0]["message"], "WebSocket connection refused for room abc123");
    assert_eq!(errors["data"][0]["function"], "websocket_endpoint");
    assert_eq!(errors["data"][0]["line"], 156);

    let found = logrec.messages("?search=websocket&since_minutes=30");
    assert_eq!(found, ["WebSocket connection refused for room abc123"]);
    let both = logrec.messages("?search=websocket&level=ERROR&since_minutes=30");
    assert_eq!(both.len(), 1);
    let engine = logrec.messages("?logger_filter=engine&limit=100");
    assert_eq!(engine, ["Room opened", "Player state mismatch detected in room xyz789"]);
    assert_eq!(logrec.entries("?limit=200").len(), 7);
    let slow = logrec.messages("?logger_filter=performance&search=slow&since_minutes=60");
    assert_eq!(slow, ["Slow: database query took 2.3s - consider optimization"]);
    assert_eq!(logrec.messages("?level=CRITICAL&since_minutes=60"), ["Pool exhausted"]);
    let game = logrec.messages("?logger_filter=engine.game&level=WARNING&limit=50");
    assert_eq!(game, ["Player state mismatch detected in room xyz789"]);
}

#[test]
fn stats_and_clear() {
    let logrec = card_game();
    let stats = logrec.get("/logs/stats").json();
    assert_eq!(stats["success"], true);
    let data = &stats["data"];
    assert_eq!(data["total_entries"], 7);
    assert_eq!(data["max_size"], 2000);
    let counts = json!({"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 2, "CRITICAL": 2});
    assert_eq!(data["level_counts"], counts);
    let (oldest, newest) =
        (data["oldest_entry"].as_f64().unwrap(), data["newest_entry"].as_f64().unwrap());
    assert!((newest - oldest - 84.0 * 60.0).abs() < 1.0, "{oldest} {newest}");
    for key in ["bytes", "max_bytes", "dropped", "truncated"] {
        assert!(data[key].is_u64(), "{key}");
    }
    assert!(data["max_bytes"].as_u64().unwrap() <= 5_000_000);
    assert_eq!(data["sources"][0]["kind"], "ring");

    let cleared = logrec.delete();
    assert_eq!(cleared.status, 200);
    let expected = json!({"success": true, "message": "Log buffer cleared", "entries_removed": 7});
    assert_eq!(cleared.json(), expected);
    assert!(logrec.entries("").is_empty());
    assert_eq!(logrec.delete().json()["entries_removed"], 0);
    assert_eq!(logrec.get("/logs/stats").json()["data"]["oldest_entry"], Json::Null);
}

#[test]
fn an_entry_comes_back_as_it_was_sent() {
    let logrec = Logrec::serve();
    let mut entry = json!({
        "timestamp": 1_703_123_456.789_012, "level": "ERROR", "logger": "backend.engine.game",
        "message": "Failed to process \"player\" action\n\tünïcode 🎴 \u{0}", "module": "game",
        "function": "process_action", "line": 245, "thread": 140_234_567_890_u64,
        "thread_name": "MainThread", "exception": "Traceback (most recent call last):\nValueError: x",
        "file": "game.py", "process": 4711, "service": "cards", "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331", "attributes": {"room": "abc", "n": 1, "f": 0.5, "ok": true, "none": null, "deep": {"a": [1, "x"]}},
    });
    assert_eq!(logrec.post(entry.to_string().as_bytes()).json()["accepted"], 1);
    let mut back = logrec.entries("")[0].clone();
    let id = back.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().len() > 8);
    assert_eq!(back, entry);
    // Only message is needed; keys that are no field become attributes.
    logrec.delete();
    entry = json!({"message": "only this", "player": "ann"});
    logrec.post(entry.to_string().as_bytes());
    let back = &logrec.entries("")[0];
    assert_eq!((&back["level"], &back["attributes"]["player"]), (&json!("INFO"), &json!("ann")));
    assert!((back["timestamp"].as_f64().unwrap() - now()).abs() < 30.0);
    for absent in ["exception", "module", "line", "thread", "trace_id"] {
        assert!(back.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn the_buffer_keeps_the_newest_2000() {
    let logrec = Logrec::serve();
    let lines: String = (0..2500).map(|i| format!("{{\"message\":\"m{i}\"}}\n")).collect();
    let answer = logrec.request(
        "POST",
        "/api/debug/logs",
        &["content-type: application/x-ndjson"],
        lines.as_bytes(),
    );
    assert_eq!(answer.json()["accepted"], 2500);
    assert_eq!(logrec.get("/logs/stats").json()["data"]["total_entries"], 2000);
    assert_eq!(logrec.messages("?limit=1"), ["m2499"]);
    let oldest = logrec.messages("?limit=1000&order=asc");
    assert_eq!((oldest.len(), oldest[0].as_str(), oldest[999].as_str()), (1000, "m1500", "m2499"));
    assert_eq!(logrec.messages("?search=m499").len(), 0);
    assert_eq!(logrec.messages("?regex=^m5..$").len(), 100);
}

#[test]
fn cursors_and_long_poll() {
    let logrec = Logrec::serve();
    for i in 0..25 {
        logrec.post(json!({"message": format!("m{i}")}).to_string().as_bytes());
    }
    let first = logrec.get("/logs?limit=20").json();
    let next = first["next_cursor"].as_str().unwrap();
    assert_eq!(logrec.messages(&format!("?limit=20&before={next}")).len(), 5);
    let after = first["prev_cursor"].as_str().unwrap();
    let start = std::time::Instant::now();
    let nothing = logrec.get(&format!("/logs?after={after}&wait=0.2")).json();
    assert!(start.elapsed().as_millis() >= 200);
    assert_eq!((&nothing["count"], &nothing["missed"]), (&json!(0), &json!(0)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| logrec.get(&format!("/logs?after={after}&wait=60")).json());
        logrec.post(br#"{"message":"new"}"#);
        assert_eq!(waiting.join().unwrap()["data"][0]["message"], "new");
    });
}

#[test]
fn forms_and_budgets() {
    let logrec = card_game();
    let ndjson = logrec.get("/logs?format=ndjson");
    assert!(ndjson.head.contains("application/x-ndjson"));
    assert_eq!(ndjson.text().lines().count(), 7);
    for line in ndjson.text().lines() {
        serde_json::from_str::<Json>(line).unwrap();
    }
    let text = logrec.get("/logs?format=text&level=ERROR").text();
    assert_eq!(text.lines().count(), 2);
    assert!(
        text.contains(
            "ERROR    backend.api.routes.ws WebSocket connection refused for room abc123"
        )
    );
    let few = logrec.get("/logs?max_tokens=250");
    assert!(few.body.len() <= 1000);
    let few = few.json();
    assert_eq!(few["omitted"].as_u64().unwrap() + few["count"].as_u64().unwrap(), 7);
    let projected = logrec.get("/logs?fields=message,level&limit=1").json();
    assert_eq!(projected["data"][0].as_object().unwrap().len(), 2);
}

#[test]
fn a_long_poll_sits_out_a_flood_of_what_does_not_match() {
    let logrec = Logrec::serve();
    let batch: String =
        (0..20).map(|i| format!("{{\"message\":\"m{i}\",\"level\":\"DEBUG\"}}\n")).collect();
    let poll = |wait: &str| logrec.get(&format!("/logs?level=ERROR&wait={wait}")).json();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let start = std::time::Instant::now();
            (poll("1.5"), start.elapsed())
        });
        // Several times what the buffer holds.
        let mut posted = 0;
        while !waiting.is_finished() || posted < 5000 {
            logrec.post(batch.as_bytes());
            posted += 20;
            // Far fewer between two looks than the buffer holds.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let (nothing, took) = waiting.join().unwrap();
        assert!(took.as_millis() >= 1500, "{took:?}: {nothing}");
        assert_eq!((&nothing["count"], &nothing["missed"]), (&json!(0), &json!(0)), "{posted}");
    });
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| poll("60"));
        while !waiting.is_finished() {
            logrec.post(batch.as_bytes());
            logrec.post(br#"{"message":"it","level":"ERROR"}"#);
        }
        assert_eq!(waiting.join().unwrap()["data"][0]["message"], "it");
    });
}

#[test]
fn what_a_budget_cannot_hold_is_named_and_passed_over() {
    let logrec = Logrec::serve();
    logrec.post(br#"{"message":"first"}"#);
    logrec.post(json!({"message": "x".repeat(20_000)}).to_string().as_bytes());
    let id = logrec.entries("?limit=1")[0]["id"].as_str().unwrap().to_owned();
    logrec.post(br#"{"message":"last"}"#);
    let answer = logrec.get("/logs?max_tokens=250").json();
    let messages: Vec<_> =
        answer["data"].as_array().unwrap().iter().map(|e| &e["message"]).collect();
    assert_eq!(messages, ["last", "first"]);
    assert_eq!((&answer["omitted"], &answer["too_large"][0]["id"]), (&json!(1), &json!(id)));
    let text = logrec.get("/logs?max_tokens=250&format=text").text();
    assert!(text.contains(&format!("# {id} 200")) && text.contains("bytes does not fit"), "{text}");
    let mut after = "r".to_owned();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let answer = logrec.get(&format!("/logs?max_tokens=200&order=asc&after={after}")).json();
        seen.extend(answer["data"].as_array().unwrap().iter().map(|e| e["message"].clone()));
        answer["next_cursor"].as_str().unwrap().clone_into(&mut after);
    }
    assert_eq!(seen, ["first", "last"]);
}

#[test]
fn times_as_they_are_typed() {
    let logrec = Logrec::serve();
    logrec.post(br#"{"message":"it","timestamp":"2026-01-02T02:04:05.123456789Z"}"#);
    let time = logrec.entries("")[0]["timestamp"].to_string();
    for query in [
        format!("?until={time}"),
        format!("?since={time}&until={time}"),
        "?until=2026-01-02T02:04:05.123456Z".to_owned(),
        "?since=2026-01-02T03:04:05+01:00&until=2026-01-02T03:04:06+01:00".to_owned(),
    ] {
        assert_eq!(logrec.messages(&query), ["it"], "{query}");
    }
    assert!(logrec.messages("?until=2026-01-02T02:04:05.123455Z").is_empty());
    assert!(logrec.messages("?since=2026-01-02T03:04:06+01:00").is_empty());
}

#[test]
fn every_filter_narrows() {
    let logrec = Logrec::serve();
    logrec.post(
        json!([
            {"message": "a großer Ärger", "level": "ERROR", "module": "ws", "function": "f", "line": 245, "thread_name": "T1",
             "service": "s", "trace_id": "t1", "span_id": "s1", "timestamp": 1_700_000_000, "attributes": {"status": 500, "user": {"id": 7}}},
            {"message": "b", "level": "DEBUG", "module": "db", "line": 10, "timestamp": 1_700_000_100},
        ])
        .to_string()
        .as_bytes(),
    );
    for query in [
        "?level=error",
        "?level=ERROR,CRITICAL",
        "?min_level=warning",
        "?search=%C3%84RGER",
        "?search=GRO%C3%9F",
        "?regex=gro.er",
        "?module=ws",
        "?function=f",
        "?line=245",
        "?line=200-300",
        "?thread_name=T1",
        "?service=s",
        "?trace_id=t1",
        "?span_id=s1",
        "?attr.status=500",
        "?attr.user.id=7",
        "?until=1700000050",
        "?until=2023-11-14T22:13:30Z",
    ] {
        assert_eq!(logrec.messages(query), ["a großer Ärger"], "{query}");
    }
    for query in ["?since=1700000050", "?search=b&module=db", "?level=debug"] {
        assert_eq!(logrec.messages(query), ["b"], "{query}");
    }
    for query in ["?search=b&module=ws", "?since_minutes=5", "?attr.status=501", "?since=10m"] {
        assert!(logrec.messages(query).is_empty(), "{query}");
    }
}

#[test]
fn errors_outlive_a_flood_where_they_are_kept() {
    let logrec = Logrec::serve_with(
        &["--bind", "127.0.0.1:0", "--max-entries", "50", "--keep-errors", "10"],
        &[],
    );
    logrec.post(br#"{"message":"the one error","level":"ERROR"}"#);
    let id = logrec.entries("")[0]["id"].clone();
    let flood: String =
        (0..500).map(|i| format!("{{\"message\":\"m{i}\",\"level\":\"DEBUG\"}}\n")).collect();
    logrec.post(flood.as_bytes());
    let errors = logrec.entries("?level=ERROR");
    assert_eq!(
        (errors.len(), &errors[0]["message"], &errors[0]["id"]),
        (1, &json!("the one error"), &id)
    );
    let data = &logrec.get("/logs/stats").json()["data"];
    assert_eq!(
        (&data["total_entries"], &data["evicted"], &data["max_size"]),
        (&json!(51), &json!(450), &json!(60))
    );
    assert_eq!(logrec.delete().json()["entries_removed"], 51);
    assert!(logrec.entries("").is_empty());
}
