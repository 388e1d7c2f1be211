use std::{
    fs::OpenOptions,
    io::Write,
    net::TcpListener,
    process::{Child, Stdio},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Lines, Place, end, kill, text};

const LOG: &str = "\
2026-01-02 03:04:05,000 - app.engine - INFO - started
2026-01-02 03:04:06,000 - app.engine - WARNING - slow query id=7
2026-01-02 03:04:07,000 - app.ws - ERROR - refused
Traceback (most recent call last):
  File \"a.py\", line 1, in f
    g()
ValueError: no
2026-01-02 03:04:08,000 - app.ws - INFO - Ärger \u{1b}[31m
";

fn answer(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{e}: {}", text(bytes)))
}

/// An answer without what names a recording.
fn comparable(bytes: &[u8]) -> Value {
    let mut answer = answer(bytes);
    answer.as_object_mut().unwrap().retain(|key, _| !key.ends_with("_cursor"));
    for entry in answer["data"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("id");
    }
    answer
}

#[test]
fn a_file_and_a_server_give_the_same() {
    let place = Place::new();
    place.write("app.log", LOG);
    let served = place.serve(&["serve", "app.log"]);
    served.wait_for(4);
    let url = served.url();
    for filter in [
        &["--level", "error,WARNING"][..],
        &["--min-level", "WARNING"],
        &["--logger", "WS"],
        &["--search", "ärger"],
        &["--regex", "^(slow|refused)"],
        &["--limit", "2", "--order", "asc"],
        &["--since", "2026-01-02 03:04:06", "--until", "2026-01-02T03:04:07.5Z"],
        &["--fields", "message,level"],
        &["--attr", "id=7"],
        &["--max-tokens", "200"],
        &["--format", "json"],
    ] {
        let file = place.output(&[&["logs"], filter, &["app.log"]].concat());
        let server = place.output(&[&["logs"], filter, &["--url", &url]].concat());
        assert_eq!(file.status.code(), server.status.code(), "{filter:?}");
        assert_eq!(comparable(&file.stdout), comparable(&server.stdout), "{filter:?}");
    }
    for format in ["text", "markdown"] {
        let file = place.output(&["logs", "--format", format, "app.log"]);
        let server = place.output(&["logs", "--format", format, "--url", &url]);
        assert_eq!(text(&file.stdout), text(&server.stdout));
        assert!(!text(&file.stdout).contains('\x1b'));
    }
    let mut stats = [&["stats", "app.log"][..], &["stats", "--url", &url]]
        .map(|args| answer(&place.output(args).stdout)["data"]["level_counts"].take());
    assert_eq!(stats[0].take(), stats[1]);
}

#[test]
fn a_mark_can_be_set_by_another() {
    let place = Place::new();
    std::fs::create_dir(place.path("rings")).unwrap();
    let served = place.serve(&["serve"]);
    let url = served.url();
    for source in [&["--rings=rings"][..], &["--url", &url]] {
        let mark = |args: &[&str]| {
            let output = place.output(&[&["mark"], args, source].concat());
            (output.status.code(), text(&output.stderr))
        };
        assert_eq!(mark(&["dep", "--time", "2026-01-02T03:04:05.5Z"]), (Some(0), String::new()));
        assert_eq!(mark(&["before-fix", "--time", "mark:dep"]), (Some(0), String::new()));
        let (code, said) = mark(&["x", "--time", "mark:depp"]);
        assert_eq!(code, Some(2));
        assert!(said.contains("`mark:depp` names no mark; did you mean `mark:dep`?"), "{said}");
        let all = answer(&place.output(&[&["mark", "--json"], source].concat()).stdout);
        let time = |i: usize| {
            (
                all["data"][i]["name"].as_str().unwrap().to_owned(),
                all["data"][i]["timestamp"].as_f64(),
            )
        };
        assert_eq!(time(0), ("before-fix".to_owned(), Some(1_767_323_045.5)));
        assert_eq!(all["count"], 2);
    }
}

#[test]
fn times_without_a_zone_are_of_who_asks() {
    let place = Place::new();
    place.write("app.log", LOG);
    // In UTC; who asks is five hours behind.
    let served = place.serve(&["serve", "app.log"]);
    served.wait_for(4);
    let url = served.url();
    assert_eq!(
        place
            .output(&["mark", "early", "--time", "2026-01-02T03:04:05Z", "--url", &url])
            .status
            .code(),
        Some(0)
    );
    let ask = |args: &[&str]| {
        let mut command = place.logrec(&[args, &["--url", &url]].concat());
        let output = command.env("TZ", "America/New_York").output().unwrap();
        assert!(output.stderr.is_empty(), "{args:?}: {}", text(&output.stderr));
        answer(&output.stdout)
    };
    let local = "2026-01-01T22:04:06.5";
    let query = format!("timestamp>mark:early timestamp<{local}");
    assert_eq!(ask(&["logs", "-q", &query])["count"], 1);
    assert_eq!(ask(&["logs", "-q", &format!("timestamp>={local}")])["count"], 2);
    assert_eq!(ask(&["logs", "--until", local])["count"], 2);
    let compared = ask(&["patterns", "--compare-to", local]);
    assert_eq!((&compared["entries"], &compared["compared_to"]["entries"]), (&2.into(), &2.into()));
    let window = format!("2026-01-01T22:04:05..{local}");
    assert_eq!(ask(&["patterns", "--compare-to", &window])["compared_to"]["entries"], 2);
}

#[test]
fn on_a_terminal_rows_say_what_they_stand_for() {
    let place = Place::new();
    let line = |s: usize, rest: &str| {
        format!("{{\"time\":\"2026-01-02T03:04:0{s}Z\",\"level\":\"info\",{rest}}}\n")
    };
    let mut log: String = (0..3).map(|s| line(s, &format!("\"msg\":\"took {s} ms\""))).collect();
    log.push_str(&line(5, r#""msg":"ours","id":"mine-1","fold":{"count":7,"first":1,"last":2}"#));
    place.write("app.log", log);
    let shown = |args: &[&str]| {
        let args = [&["logs", "--utc", "app.log"], args].concat();
        let (mut child, ours) = crate::run::on_terminal(&place, &args);
        let mut lines = Lines::new(std::fs::File::from(ours));
        let footer =
            |line: &str| line.contains("# ") && (line.contains(" entr") || line.contains("row"));
        let mut all = Vec::new();
        while all.last().is_none_or(|line: &String| line.is_empty() || !footer(line)) {
            all.push(lines.next());
            assert!(all.len() < 20, "{all:?}");
        }
        assert_eq!(end(&mut child).code(), Some(0));
        all
    };
    let lines = shown(&["--fold"]);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines[1]
            .contains("# × 3 like this, 2026-01-02T03:04:00.000Z to 2026-01-02T03:04:02.000Z, id=")
    );
    assert!(lines[1].contains("~3"), "{lines:?}");
    assert!(
        lines[2].contains("ours") && lines[2].contains("id=mine-1") && lines[2].contains("fold={"),
        "{lines:?}"
    );
    assert!(lines[3].contains("# 2 rows, 4 entries"), "{lines:?}");
    let lines = shown(&["--search", "ours", "--fields", "message,id"]);
    assert!(lines[0].starts_with("ours ") && !lines[0].contains("mine-1"), "{lines:?}");
    assert!(lines[1].contains("# 1 entry"), "{lines:?}");
}

#[test]
fn exit_statuses() {
    let place = Place::new();
    place.write("app.log", LOG);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    for (args, code, says) in [
        (&["logs", "app.log"][..], 0, ""),
        (&["logs", "--level", "CRITICAL", "app.log"], 1, ""),
        (&["logs", "--level", "CRITICAL", "--format", "ndjson", "app.log"], 1, ""),
        (&["logs", "--level", "CRITICAL", "--format", "text", "app.log"], 1, ""),
        (&["logs", "--level", "LOUD", "app.log"], 2, "logrec: `--level` is `LOUD`; give TRACE"),
        (&["logs", "--limit", "1001", "app.log"], 2, "`--limit` is `1001`"),
        (&["logs", "--since-minutes=-5", "app.log"], 2, "`--since-minutes` is `-5`"),
        (&["logs", "--attr", "x", "app.log"], 2, "give NAME=VALUE"),
        (&["logs", "--nonsense"], 2, "unexpected argument"),
        (&["logs", "--process", "4242", "app.log"], 1, ""),
        (&["logs", "--thread", "7", "app.log"], 1, ""),
        (&["logs", "--source", "buffer", "app.log"], 0, ""),
        (&["logs", "--source", "store", "app.log"], 2, "`--source` is `store`"),
        (
            &["logs", "--tz", "Asia/Tokyo", "--format", "text", "app.log"],
            2,
            "times in text are in UTC",
        ),
        (&["logs", "--tz", "UTC", "--format", "text", "app.log"], 0, ""),
        (&["logs", "--tz", "Asia/Tokyo", "--json", "app.log"], 0, ""),
        (&["logs", "--url", "https://x", "--level", "INFO"], 2, "https is not spoken here"),
        (&["logs", "--url", "http://x", "app.log"], 2, "exclude each other"),
        (&["logs", "absent.log"], 3, "logrec: cannot read absent.log: No such file"),
        (&["logs", "--url", &url], 3, "start one with logrec run -- CMD"),
        (&["tail", "--url", &url], 3, "start one with logrec run -- CMD"),
        (&["tail", "--level", "LOUD", "app.log"], 2, "`--level`"),
        (&["stats", "absent.log"], 3, "absent.log"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["completions", "bash"], 0, ""),
        (&["--version"], 0, ""),
    ] {
        let output = place.output(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(says), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new();
    let line = "WARNING:app:something that is said over and over again\n";
    place.write("app.log", line.repeat(2000));
    let mut child = place
        .logrec(&["logs", "--limit", "1000", "--format", "ndjson", "app.log"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(end(&mut child).code(), Some(0));
    assert_eq!(crate::support::rest(child.stderr.as_mut().unwrap()), "");
}

#[test]
fn stdin_is_a_file_too() {
    let place = Place::new();
    let log = place.write("app.log", LOG);
    let mut command = place.logrec(&["logs", "--level", "ERROR", "-"]);
    let output = command.stdin(std::fs::File::open(log).unwrap()).output().unwrap();
    assert_eq!(answer(&output.stdout)["count"], 1);
}

/// What `logrec` says of what comes by a pipe, which can be read once.
fn piped(place: &Place, args: &[&str], input: &str) -> std::process::Output {
    let mut command = place.logrec(args);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn every_question_can_be_asked_of_a_pipe() {
    let place = Place::new();
    let file = place.write("app.log", LOG);
    for args in [
        &["logs"][..],
        &["logs", "--level", "ERROR"],
        &["patterns"],
        &["patterns", "--compare-to", "2026-01-02T03:04:07Z"],
        &["volume"],
        &["fields"],
    ] {
        let by_pipe = piped(&place, &[args, &["-"]].concat(), LOG);
        assert_eq!(by_pipe.status.code(), Some(0), "{args:?}: {}", text(&by_pipe.stderr));
        let mut of_file = place.logrec(&[args, &["-"]].concat());
        let of_file = of_file.stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
        assert_eq!(text(&by_pipe.stdout), text(&of_file.stdout), "{args:?}");
    }
    let stats = answer(&piped(&place, &["stats", "-"], LOG).stdout);
    assert_eq!(stats["data"]["total_entries"], 4);
    let logs = answer(&piped(&place, &["logs", "--level", "ERROR", "-"], LOG).stdout);
    let id = logs["data"][0]["id"].as_str().unwrap();
    for mode in ["lines", "story"] {
        let around = piped(&place, &["context", id, "--mode", mode, "-"], LOG);
        assert!(text(&around.stdout).contains("slow query"), "{mode}: {}", text(&around.stderr));
    }
}

#[test]
fn a_token_is_brought() {
    let place = Place::new();
    place.write("token", "s3cret\n");
    let served = place.serve(&["serve", "--token-file", "token"]);
    let url = served.url();
    let without = place.output(&["logs", "--url", &url]);
    assert_eq!(without.status.code(), Some(3));
    assert!(text(&without.stderr).contains("logrec: a token is asked for here"));
    let with = place.output(&["logs", "--url", &url, "--token-file", "token"]);
    assert_eq!(with.status.code(), Some(1), "{}", text(&with.stderr));
    let env =
        place.logrec(&["logs"]).env("LOGREC_URL", &url).env("LOGREC_TOKEN", "s3cret").output();
    assert_eq!(env.unwrap().status.code(), Some(1));
    let doctor =
        place.logrec(&["doctor", "--url", &url]).env("LOGREC_TOKEN", "s3cret").output().unwrap();
    let said = text(&doctor.stdout);
    assert!(said.contains("LOGREC_TOKEN=(set)") && !said.contains("s3cret"), "{said}");
}

fn tail(place: &Place, args: &[&str]) -> (Child, Lines<std::process::ChildStdout>) {
    let mut child = place
        .logrec(&[&["tail"], args].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Lines::new(child.stdout.take().unwrap());
    (child, lines)
}

fn message(line: &str) -> String {
    answer(line.as_bytes())["message"].as_str().unwrap().to_owned()
}

#[test]
fn tail_of_a_file() {
    let place = Place::new();
    let log = place.write("app.log", "one\ntwo\nthree\n");
    let (mut child, mut lines) = tail(&place, &["-n", "2", "app.log"]);
    assert_eq!([message(&lines.next()), message(&lines.next())], ["two", "three"]);
    let mut file = OpenOptions::new().append(true).open(log).unwrap();
    file.write_all(b"four\nERROR:app:five\n").unwrap();
    assert_eq!([message(&lines.next()), message(&lines.next())], ["four", "five"]);
    kill(&child, Signal::INT);
    assert_eq!(end(&mut child).code(), Some(0));
}

#[test]
fn tail_of_a_server_that_is_restarted() {
    let place = Place::new();
    let mut served = place.serve(&["serve", "-"]);
    let address = served.address.clone();
    let mut input = served.child.stdin.take().unwrap();
    input.write_all(b"ERROR:app:one\nINFO:app:quiet\n").unwrap();
    served.wait_for(2);
    let url = served.url();
    let (mut child, mut lines) = tail(&place, &["--level", "ERROR", "--url", &url]);
    assert_eq!(message(&lines.next()), "one");
    input.write_all(b"ERROR:app:two\nINFO:app:quiet\n").unwrap();
    assert_eq!(message(&lines.next()), "two");
    served.stop();
    let mut said = Lines::new(child.stderr.take().unwrap());
    assert!(said.next().contains("has gone; waiting for it to come back"));
    let command = place.logrec(&["serve", "-", "--bind", &address, "--port-file", "second"]);
    let mut again = crate::support::Served::wait(command, &place.path("second"));
    let mut input = again.child.stdin.take().unwrap();
    input.write_all(b"ERROR:app:three\n").unwrap();
    assert_eq!(message(&lines.next()), "three");
    kill(&child, Signal::TERM);
    assert_eq!(end(&mut child).code(), Some(0));
}

#[test]
fn doctor() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let none = place.output(&["doctor", "--url", &free.to_string()]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stdout).contains("WRONG  no server at"), "{}", text(&none.stdout));

    let served = place.serve(&["serve"]);
    let empty = place.output(&["doctor", "--url", &served.url()]);
    assert_eq!(empty.status.code(), Some(1));
    assert!(text(&empty.stdout).contains("PYTHONUNBUFFERED"), "{}", text(&empty.stdout));

    place.write("app.log", format!("{LOG}what is this\n"));
    let file = place.output(&["doctor", "app.log"]);
    let said = text(&file.stdout);
    assert_eq!(file.status.code(), Some(0), "{said}");
    for expected in [
        "9 lines are 5 entries",
        "4 are in a known format, 4 have a time of their own",
        "1 have a stack trace",
        "> what is this",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn doctor_names_a_stranger_on_the_port() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = std::io::Read::read(&mut stream, &mut request);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            );
        }
    });
    let output = place.output(&["doctor", "--url", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("not logrec"), "{}", text(&output.stdout));
}
