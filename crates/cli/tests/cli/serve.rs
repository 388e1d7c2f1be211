use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

use crate::support::{Place, text};

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn numbered(range: std::ops::Range<u32>) -> String {
    range.map(|n| format!("line {n}\n")).collect()
}

fn expected(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("line {n}")).collect()
}

fn sorted(mut messages: Vec<String>) -> Vec<String> {
    messages.sort_by_key(|message| message.trim_start_matches("line ").parse::<u32>().unwrap());
    messages
}

#[test]
fn a_file_through_rename() {
    let place = Place::new();
    let log = place.write("app.log", numbered(0..10));
    let served = place.serve(&["serve", "app.log"]);
    served.wait_for(10);
    for turn in 1..4u32 {
        let from = turn * 10;
        append(&log, &numbered(from..from + 3));
        fs::rename(&log, place.path(&format!("app.log.{turn}"))).unwrap();
        // A writer that has not noticed yet, and the new file beside it.
        append(&place.path(&format!("app.log.{turn}")), &numbered(from + 3..from + 5));
        append(&log, &numbered(from + 5..from + 8));
        append(&place.path(&format!("app.log.{turn}")), &numbered(from + 8..from + 10));
        served.wait_for(from as usize + 10);
    }
    assert_eq!(sorted(served.messages()), expected(0..40));
    assert_eq!(served.stop().code(), Some(0));
}

#[test]
fn a_file_through_truncation() {
    let place = Place::new();
    let log = place.write("app.log", numbered(0..50));
    let served = place.serve(&["serve", "app.log"]);
    served.wait_for(50);
    // Shorter than before, and then longer than before.
    fs::copy(&log, place.path("app.log.1")).unwrap();
    fs::write(&log, numbered(50..55)).unwrap();
    served.wait_for(55);
    fs::write(&log, numbered(55..200)).unwrap();
    served.wait_for(200);
    fs::write(&log, "").unwrap();
    append(&log, &numbered(200..201));
    served.wait_for(201);
    assert_eq!(sorted(served.messages()), expected(0..201));
}

#[test]
fn a_file_that_comes_goes_and_comes_back() {
    let place = Place::new();
    let log = place.path("late.log");
    let served = place.serve(&["serve", "late.log"]);
    assert_eq!(served.messages(), [""; 0]);
    append(&log, &numbered(0..3));
    served.wait_for(3);
    append(&log, &numbered(3..4));
    served.wait_for(4);
    fs::remove_file(&log).unwrap();
    append(&log, &numbered(4..6));
    served.wait_for(6);
    // Moved away and back, it is the same file.
    fs::rename(&log, place.path("elsewhere")).unwrap();
    append(&place.path("elsewhere"), &numbered(6..8));
    served.wait_for(8);
    fs::rename(place.path("elsewhere"), &log).unwrap();
    append(&log, &numbered(8..10));
    served.wait_for(10);
    assert_eq!(sorted(served.messages()), expected(0..10));
}

#[test]
fn a_trace_is_one_entry_and_the_last_line_does_not_wait() {
    let place = Place::new();
    let log = place.write("app.log", "");
    let served = place.serve(&["serve", "app.log"]);
    let trace = "ERROR:app:failed\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nValueError: no\n";
    append(&log, trace);
    served.wait_for(1);
    let answer = served.get("/logs");
    assert_eq!(answer["count"], 1);
    assert_eq!(answer["data"][0]["message"], "failed");
    assert!(answer["data"][0]["exception"].as_str().unwrap().ends_with("ValueError: no"));
}

#[test]
fn several_inputs_and_what_is_posted() {
    let place = Place::new();
    place.write("a.log", "from a\n");
    place.write("b.log", "from b\n");
    let mut served = place.serve(&["serve", "a.log", "b.log", "-"]);
    served.child.stdin.take().unwrap().write_all(b"from stdin\n").unwrap();
    let url = format!("{}/api/debug/logs", served.url());
    let body = r#"{"message":"posted"}"#;
    ureq::post(url).header("Content-Type", "application/json").send(body).unwrap();
    let mut messages = served.wait_for(4);
    messages.sort();
    assert_eq!(messages, ["from a", "from b", "from stdin", "posted"]);
    let answer = served.get("/logs?attr.log.file.name=b.log");
    assert_eq!(answer["count"], 1);
    assert_eq!(answer["data"][0]["message"], "from b");
}

#[test]
fn flags_before_environment_before_file() {
    let place = Place::new();
    place.write("app.log", "hello\n");
    place.write("logrec.toml", "max_entries = 11\nfiles = [\"app.log\"]\nbind = \"127.0.0.1:1\"\n");
    for (env, flag, expected) in
        [(None, None, 11), (Some("22"), None, 22), (Some("22"), Some("33"), 33)]
    {
        let mut args = vec!["serve", "--bind", "0", "--port-file", "address"];
        args.extend(flag.map(|n| ["--max-entries", n]).into_iter().flatten());
        let _ = fs::remove_file(place.path("address"));
        let mut command = place.logrec(&args);
        command.envs(env.map(|n| ("LOGREC_MAX_ENTRIES", n)));
        let served = crate::support::Served::wait(command, &place.path("address"));
        assert_eq!(served.get("/logs/stats")["data"]["max_size"], expected);
        assert_eq!(served.wait_for(1), ["hello"]);
        assert_eq!(served.stop().code(), Some(0));
    }
}

#[test]
fn a_wrong_settings_file_is_named() {
    let place = Place::new();
    for (config, says) in [
        ("max_entries = 5\nmax_entris = 7\n", "logrec.toml:2: unknown field `max_entris`"),
        ("max_entries = 0\n", "`max_entries`"),
        ("max_bytes = \"many\"\n", "`many` is no size"),
        ("bind = \"nowhere:x\"\n", "`nowhere:x`"),
        ("bind = [\n", "logrec.toml:"),
    ] {
        place.write("logrec.toml", config);
        let output = place.output(&["serve"]);
        assert_eq!(output.status.code(), Some(2), "{config}");
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
    }
    let output = place.output(&["serve", "--config", "absent.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("cannot read absent.toml"));
}

#[test]
fn what_cannot_be_followed() {
    let place = Place::new();
    let output = place.output(&["serve", "--bind", "0", "."]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("no regular file"));
}
