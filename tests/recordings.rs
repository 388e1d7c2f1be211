//! Recordings: what processes keep in files is served, merged, and outlives them.
//!
//! Writers are this test binary started again (see [`writer`]), so that they can be killed. They are
//! told what to do a line at a time, and answer each line when it is done.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use logrec::{Entry, Level, LogBuffer, RingOptions, Timestamp};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{Logrec, command};

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Not a test of its own: what a writer does, told by its environment and its standard input.
#[test]
fn writer() {
    let Ok(folder) = std::env::var("RECORDINGS_FOLDER") else { return };
    let service = std::env::var("RECORDINGS_SERVICE").unwrap();
    let max_entries: usize = std::env::var("RECORDINGS_ENTRIES").unwrap().parse().unwrap();
    let max_bytes = RingOptions::default().max_bytes.max(max_entries * 320);
    let options = RingOptions { max_bytes, ..RingOptions::with_max_entries(max_entries) };
    let buffer = LogBuffer::recording_with(folder, &service, options);
    assert_eq!(buffer.trouble(), None);
    println!("\nready {}", buffer.ring().path().unwrap().display());
    let mut n = 0;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        match line.split_once(' ') {
            Some(("log", count)) => {
                let end = n + count.parse::<u64>().unwrap();
                for n in n..end {
                    let message = format!("{service} {n}");
                    buffer.push(&Entry::new(Timestamp::now(), Level::Info, message)).unwrap();
                }
                n = end;
            }
            Some(("say", text)) => {
                let entry = Entry::new(Timestamp::now(), Level::Error, text.to_owned());
                buffer.push(&entry).unwrap();
            }
            _ => panic!("`{line}` is no task"),
        }
        println!("done {}", buffer.stats().entries);
    }
}

/// A process that records; killed on drop.
struct Writer {
    child: Child,
    tasks: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    path: PathBuf,
}

impl Writer {
    fn start(folder: &Path, service: &str, max_entries: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "recordings::writer", "--nocapture", "--test-threads=1"])
            .env("RECORDINGS_FOLDER", folder)
            .env("RECORDINGS_SERVICE", service)
            .env("RECORDINGS_ENTRIES", max_entries.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tasks = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut writer = Self { child, tasks, answers, path: PathBuf::new() };
        writer.path = writer.answer("ready ").into();
        writer
    }

    fn process(&self) -> u64 {
        self.child.id().into()
    }

    fn tell(&mut self, task: &str) {
        writeln!(self.tasks.as_mut().unwrap(), "{task}").unwrap();
    }

    fn answer(&mut self, begins: &str) -> String {
        let mut lines = self.answers.by_ref().map(|line| line.unwrap());
        lines.find_map(|line| line.strip_prefix(begins).map(str::to_owned)).expect("it answers")
    }

    /// Does it; how many entries it then sees in its own buffer.
    fn do_it(&mut self, task: &str) -> u64 {
        self.tell(task);
        self.answer("done ").parse().unwrap()
    }

    fn log(&mut self, count: u64) -> u64 {
        self.do_it(&format!("log {count}"))
    }

    /// Lets it end in good order; its recording.
    fn end(mut self) -> PathBuf {
        drop(self.tasks.take());
        assert!(self.child.wait().unwrap().success());
        std::mem::take(&mut self.path)
    }

    /// `kill -9`; its recording.
    fn kill(mut self) -> PathBuf {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::take(&mut self.path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rings() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("rings");
    (dir, folder)
}

fn serve(folder: &Path) -> Logrec {
    Logrec::serve_with(&["--bind", "127.0.0.1:0", "--rings", folder.to_str().unwrap()], &[])
}

/// Runs the command; its exit status and standard output.
fn logrec(args: &[&str]) -> (i32, String) {
    let output = command().args(args).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn answer(logrec: &Logrec, query: &str) -> Json {
    let response = logrec.get(&format!("/logs?{query}"));
    let answer = response.json();
    assert_eq!(response.status, 200, "{answer}");
    answer
}

fn messages(answer: &Json) -> Vec<String> {
    let data = answer["data"].as_array().unwrap();
    data.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
}

fn numbered(service: &str, range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| format!("{service} {n}")).collect()
}

/// The recordings that stats show.
fn recordings(logrec: &Logrec) -> Vec<Json> {
    let mut data = logrec.get("/logs/stats").json()["data"].take();
    let Json::Array(sources) = data["sources"].take() else { panic!("no sources") };
    sources.into_iter().filter(|source| source["kind"] == "recording").collect()
}

/// Asks until it is so; how long that took.
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::yield_now();
    }
    begin.elapsed()
}

/// An entry as far as paging is about it.
#[derive(Deserialize)]
struct Row {
    timestamp: f64,
    message: String,
    process: u64,
    service: String,
}

#[derive(Deserialize)]
struct Rows {
    data: Vec<Row>,
    next_cursor: Option<String>,
}

/// All entries, newest first, as a client pages through them.
fn page_through(logrec: &Logrec) -> Vec<Row> {
    const QUERY: &str = "/logs?limit=1000&fields=timestamp,message,process,service";
    let mut all = Vec::new();
    let mut before = String::new();
    loop {
        let response = logrec.get(&format!("{QUERY}{before}"));
        let mut rows: Rows = serde_json::from_slice(&response.body).unwrap();
        all.append(&mut rows.data);
        match rows.next_cursor {
            Some(cursor) => before = format!("&before={cursor}"),
            None => return all,
        }
    }
}

#[test]
fn one_server_answers_for_four_processes() {
    const EACH: u64 = 100_000;
    const MAX_ENTRIES: usize = 100_000;
    let (_dir, folder) = rings();
    let names = ["a", "b", "c", "d"];
    let mut writers = names.map(|name| Writer::start(&folder, name, MAX_ENTRIES));
    writers.iter_mut().for_each(|writer| writer.tell(&format!("log {EACH}")));
    for writer in &mut writers {
        assert_eq!(writer.answer("done ").parse(), Ok(EACH), "its ring holds them all");
    }
    let of: HashMap<String, u64> =
        names.iter().zip(&writers).map(|(name, w)| ((*name).to_owned(), w.process())).collect();
    // Two live on, one ends in good order, one is killed.
    let [first, second, third, _fourth] = writers;
    first.end();
    second.kill();

    let logrec = serve(&folder);
    let begin = Instant::now();
    let rows = page_through(&logrec);
    let took = begin.elapsed();
    assert_eq!(rows.len() as u64, 4 * EACH);
    assert!(rows.windows(2).all(|w| w[0].timestamp >= w[1].timestamp), "not in order");
    // Each process's in its own order, from its last to its first: so each is there, and once.
    let mut next: HashMap<&str, u64> = names.into_iter().map(|name| (name, EACH)).collect();
    for row in &rows {
        let n = next.get_mut(&*row.service).unwrap();
        *n -= 1;
        assert_eq!(row.message, format!("{} {n}", row.service));
        assert_eq!(row.process, of[&row.service]);
    }
    assert!(took < Duration::from_secs(30), "{took:?} to page through");
    let stats = logrec.get("/logs/stats").json();
    assert_eq!(stats["data"]["total_entries"], 4 * EACH);
    let of_third = answer(&logrec, "service=c&limit=3&order=asc");
    assert_eq!(messages(&of_third), numbered("c", EACH - 3..EACH));
    assert_eq!(of_third["data"][0]["process"], third.process());
}

#[test]
fn how_a_process_ended_is_told() {
    let (_dir, folder) = rings();
    let dir = folder.to_str().unwrap();
    let mut killed = Writer::start(&folder, "shop", 100);
    let mut exited = Writer::start(&folder, "shop", 100);
    let mut alive = Writer::start(&folder, "shop", 100);
    killed.log(7);
    killed.do_it("say the last \u{1b}[31m words");
    exited.log(5);
    alive.log(3);
    let processes = [killed.process(), exited.process(), alive.process()];
    let (path, _) = (killed.kill(), exited.end());

    let logrec_ = serve(&folder);
    let entries = logrec_.entries("?limit=1000");
    let of = |process: u64| entries.iter().filter(|e| e["process"] == process).count();
    assert_eq!(processes.map(of), [8, 5, 3]);
    let sources = recordings(&logrec_);
    let source = |process: u64| sources.iter().find(|s| s["process"] == process).unwrap();
    let [killed, exited, running] = processes.map(source);
    assert_eq!(running["state"], "running");
    assert_eq!(killed["state"], "ended: killed, crashed or lost power");
    assert_eq!(exited["state"], "ended: exited");
    assert!(exited["ended"].as_f64() >= exited["started"].as_f64());
    assert_eq!(killed["total_entries"], 8);

    let url = format!("http://{}", logrec_.address);
    for args in [&["doctor", "--url", &url][..], &["doctor", "--rings", dir]] {
        let (code, said) = logrec(args);
        assert_eq!(code, 0, "{said}");
        for (process, how) in [
            (processes[0], "killed, crashed or lost power; started 2"),
            (processes[1], "exited 2"),
            (processes[2], "running; started 2"),
        ] {
            let begin = format!("recording of shop, process {process}: {how}");
            assert!(said.contains(&begin), "{begin}: {said}");
        }
        assert!(said.contains("; 8 entries, the newest "), "{said}");
        let last: Vec<_> = said.lines().filter(|line| line.contains("         > 2")).collect();
        assert_eq!(last.len(), 3, "{said}");
        assert!(last[1].ends_with(" INFO shop 6"), "{said}");
        assert!(last[2].ends_with(" ERROR the last \\x1b[31m words"), "{said}");
    }
    // The recording by itself.
    let path = path.to_str().unwrap();
    let (_, said) = logrec(&["doctor", path]);
    assert!(said.contains("killed, crashed or lost power"), "{said}");
    let (_, stats) = logrec(&["stats", path]);
    let stats: Json = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["data"]["level_counts"]["ERROR"], 1);
    assert_eq!(stats["data"]["sources"][0]["process"], processes[0]);
    let (code, logs) = logrec(&["logs", "--level", "ERROR", path]);
    let logs: Json = serde_json::from_str(&logs).unwrap();
    assert_eq!((code, messages(&logs)), (0, vec!["the last \u{1b}[31m words".to_owned()]));
}

#[test]
fn cursors_survive_a_restart_of_the_server() {
    let (_dir, folder) = rings();
    let mut writers = ["a", "b"].map(|name| Writer::start(&folder, name, 5000));
    for turn in 0..20 {
        writers[turn % 2].log(25);
    }
    let all: HashSet<String> =
        ["a", "b"].into_iter().flat_map(|name| numbered(name, 0..250)).collect();

    // Backwards: a page a server.
    let mut seen = Vec::new();
    let mut before = String::new();
    let mut cursor = None;
    loop {
        let answer = answer(&serve(&folder), &format!("limit=120{before}"));
        seen.extend(messages(&answer));
        cursor = cursor.or_else(|| answer["prev_cursor"].as_str().map(str::to_owned));
        match answer["next_cursor"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 500);
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), all);

    // Onwards: what is recorded while no server runs, by processes old and new; a page a server.
    let mut cursor = cursor.unwrap();
    writers[0].log(150);
    let [first, mut second] = writers;
    first.kill();
    let mut late = Writer::start(&folder, "late", 5000);
    late.log(130);
    second.log(70);
    let expected: HashSet<String> = numbered("a", 250..400)
        .into_iter()
        .chain(numbered("b", 250..320))
        .chain(numbered("late", 0..130))
        .collect();
    let mut seen = Vec::new();
    loop {
        let answer = answer(&serve(&folder), &format!("limit=100&order=asc&after={cursor}"));
        assert_eq!(answer["missed"], 0);
        let page = messages(&answer);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
        answer["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
    }
    assert_eq!(seen.len(), expected.len(), "a loss or a repeat");
    assert_eq!(seen.into_iter().collect::<HashSet<_>>(), expected);
    // And of what was overwritten before it could be read, the number.
    late.log(6000);
    let answer = answer(&serve(&folder), &format!("limit=1000&order=asc&after={cursor}"));
    assert_eq!(answer["missed"], 1000);
    assert_eq!(messages(&answer)[0], "late 1130");
}

#[test]
fn recordings_come_and_go_while_serving() {
    const SOON: Duration = Duration::from_secs(1);
    let (_dir, folder) = rings();
    // The folder is not there yet.
    let logrec = serve(&folder);
    let cursor = answer(&logrec, "limit=1")["prev_cursor"].as_str().unwrap().to_owned();
    assert_eq!(recordings(&logrec).len(), 0);
    let mut writer = Writer::start(&folder, "new", 100);
    writer.log(1);
    let begin = Instant::now();
    let new = answer(&logrec, &format!("after={cursor}&wait=10"));
    assert_eq!(messages(&new), ["new 0"]);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    fs::remove_file(&writer.path).unwrap();
    let took = until("its end", || recordings(&logrec).is_empty());
    assert!(took < SOON, "{took:?}");
    assert_eq!(logrec.entries("").len(), 0);
    assert_eq!(writer.log(1), 2, "the writer goes on");
}

#[test]
fn without_a_server_the_answer_is_the_same() {
    let (_dir, folder) = rings();
    let dir = folder.to_str().unwrap();
    let mut writers = ["a", "b", "c"].map(|name| Writer::start(&folder, name, 1000));
    for turn in 0..30 {
        writers[turn % 3].log(11);
    }
    writers[1].do_it("say no room left");
    let [first, second, _third] = writers;
    first.kill();
    second.end();
    let server = serve(&folder);
    let url = format!("http://{}", server.address);
    for filter in [
        &["--limit", "1000"][..],
        &["--service", "b", "--order", "asc"],
        &["--level", "ERROR"],
        &["--search", "ROOM", "--fields", "message,process,service"],
        &["--regex", "^a 1.$", "--limit", "3"],
        &["--format", "ndjson", "--limit", "7"],
        &["--format", "text"],
        &["--service", "nobody"],
    ] {
        let local = logrec(&[&["logs"], filter, &["--rings", dir]].concat());
        let over = logrec(&[&["logs"], filter, &["--url", &url]].concat());
        assert_eq!(local.0, over.0, "{filter:?}");
        assert_eq!(comparable(&local.1), comparable(&over.1), "{filter:?}");
    }
    // The default folder is what LOGREC_RINGS says.
    let mut by_default = command();
    by_default.args(["logs", "--rings", "--level", "ERROR"]).env("LOGREC_RINGS", dir);
    let by_default = by_default.output().unwrap();
    let named = logrec(&["logs", "--level", "ERROR", "--rings", dir]);
    assert_eq!(String::from_utf8(by_default.stdout).unwrap(), named.1);
    let (_, stats) = logrec(&["stats", "--rings", dir]);
    let stats: Json = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["data"]["total_entries"], 331);
    assert_eq!(stats["data"]["sources"].as_array().unwrap().len(), 3);
}

/// An answer without where to go on to new ones: a server has a ring of its own besides.
fn comparable(answer: &str) -> String {
    match serde_json::from_str::<Json>(answer) {
        Ok(mut answer) if answer.get("data").is_some() => {
            answer.as_object_mut().unwrap().remove("prev_cursor");
            answer.to_string()
        }
        _ => answer.to_owned(),
    }
}

#[test]
fn tail_follows_all_processes() {
    let (_dir, folder) = rings();
    let mut first = Writer::start(&folder, "first", 1000);
    first.log(20);
    let mut tail = command()
        .args(["tail", "--json", "-n", "2", "--rings", folder.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || {
        let entry: Json = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        entry["message"].as_str().unwrap().to_owned()
    };
    assert_eq!([next(), next()], ["first 18", "first 19"]);
    first.log(1);
    assert_eq!(next(), "first 20");
    let mut second = Writer::start(&folder, "second", 1000);
    second.log(1);
    assert_eq!(next(), "second 0");
    first.log(1);
    assert_eq!(next(), "first 21");
    second.log(1);
    second.kill();
    assert_eq!(next(), "second 1");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn a_damaged_recording_harms_no_other() {
    let (_dir, folder) = rings();
    let dir = folder.to_str().unwrap();
    let mut writers = ["a", "b", "c", "d"].map(|name| Writer::start(&folder, name, 1000));
    writers.iter_mut().for_each(|writer| _ = writer.log(100));
    let [a, b, c, _d] = writers;
    // One whose header is damaged, one whose end is missing, one that is none, one whose entries are
    // damaged; one good.
    let (a, b, c) = (a.kill(), b.kill(), c.end());
    let damage = |path: &Path, range: std::ops::Range<usize>| {
        let mut bytes = fs::read(path).unwrap();
        let end = range.end.min(bytes.len());
        bytes[range.start..end].fill(0xa5);
        fs::write(path, bytes).unwrap();
    };
    damage(&a, 16..64);
    fs::File::options().write(true).open(&b).unwrap().set_len(5000).unwrap();
    damage(&c, 4096..usize::MAX);
    fs::write(folder.join("none.ring"), "2026-01-02 03:04:05 INFO not a recording\n").unwrap();

    let server = serve(&folder);
    let mut of_d = messages(&answer(&server, "service=d&order=asc&limit=1000"));
    assert_eq!(of_d, numbered("d", 0..100));
    let (code, local) = logrec(&["logs", "--rings", dir, "--service", "d", "--limit", "1000"]);
    of_d.reverse();
    assert_eq!((code, messages(&serde_json::from_str(&local).unwrap())), (0, of_d));
    let (code, said) = logrec(&["doctor", "--rings", dir]);
    assert_eq!(code, 1, "{said}");
    for bad in [&a, &b, &folder.join("none.ring")] {
        let name = bad.file_name().unwrap().to_str().unwrap();
        let mut wrong = said.lines().filter(|line| line.starts_with("  WRONG"));
        assert!(wrong.any(|line| line.contains(name)), "{name}: {said}");
    }
    assert!(said.contains("recording of d, process"), "{said}");
    let told = command().args(["logs", "--rings", dir]).output().unwrap().stderr;
    let told = String::from_utf8(told).unwrap();
    assert_eq!(told.matches("left out: ").count(), 3, "{told}");
    let (code, _) = logrec(&["logs", a.to_str().unwrap()]);
    assert_eq!(code, 3);
}

#[test]
fn a_clear_is_for_the_readers_of_this_server() {
    let (_dir, folder) = rings();
    let mut alive = Writer::start(&folder, "alive", 1000);
    let mut dead = Writer::start(&folder, "dead", 1000);
    alive.log(10);
    dead.log(20);
    dead.kill();
    let server = serve(&folder);
    server.post(br#"{"message":"posted"}"#);
    let other = serve(&folder);
    assert_eq!(server.entries("?limit=1000").len(), 31);
    let cleared = server.delete().json();
    assert_eq!((&cleared["success"], &cleared["entries_removed"]), (&json!(true), &json!(31)));
    let data = server.get("/logs/stats").json()["data"].take();
    assert_eq!(data["total_entries"], 0);
    assert_eq!(data["oldest_entry"], Json::Null);
    assert!(data["level_counts"].as_object().unwrap().values().all(|count| count == 0), "{data}");
    assert_eq!(recordings(&server).len(), 2, "what there is, is still shown");
    assert_eq!(server.entries("").len(), 0);
    // The writer and another server see what they saw.
    assert_eq!(alive.log(2), 12);
    assert_eq!(other.entries("?limit=1000").len(), 32);
    // And what comes then is new.
    assert_eq!(messages(&answer(&server, "order=asc")), numbered("alive", 10..12));
}

#[test]
fn what_serve_says_of_its_folder() {
    let (dir, folder) = rings();
    let rings = folder.to_str().unwrap();
    let says = |args: &[&str], env: &[(&str, &str)], config: &str| {
        fs::write(dir.path().join("logrec.toml"), config).unwrap();
        let mut child = command()
            .args(["serve", "--bind", "127.0.0.1:0"])
            .args(args)
            .envs(env.iter().copied())
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap());
        let mut said = String::new();
        for line in lines {
            said.push_str(&line);
            if line.contains("; ask http://") {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        said
    };
    let absent = says(&["--rings", rings], &[], "");
    assert!(absent.contains(&format!("watching {rings}: no recording yet")), "{absent}");
    let mut writer = Writer::start(&folder, "a", 100);
    writer.log(1);
    Writer::start(&folder, "b", 100).kill();
    let two = format!("watching {rings}: 2 recordings, 1 running");
    let by_flag = says(&["--rings", rings], &[("LOGREC_RINGS", "elsewhere")], "");
    assert!(by_flag.contains(&two), "{by_flag}");
    let by_variable = says(&[], &[("LOGREC_RINGS", rings)], "rings = \"elsewhere\"\n");
    assert!(by_variable.contains(&two), "{by_variable}");
    let by_file = says(&[], &[("LOGREC_RINGS", "")], "rings = \"rings\"\n");
    assert!(by_file.contains(": 2 recordings, 1 running"), "{by_file}");
    let none = says(&["--no-rings"], &[("LOGREC_RINGS", rings)], "");
    assert!(!none.contains("watching"), "{none}");
    let none = says(&[], &[("LOGREC_RINGS", "")], "rings = false\n");
    assert!(!none.contains("watching"), "{none}");
    fs::write(dir.path().join("file"), "in the way").unwrap();
    let blocked = says(&["--rings", "file"], &[], "");
    assert!(blocked.contains("it cannot be read now"), "{blocked}");
}

#[test]
fn dead_recordings_that_are_too_many_are_removed() {
    let (_dir, folder) = rings();
    for _ in 0..10 {
        Writer::start(&folder, "often", 10).kill();
    }
    // One more, of which no writer takes notice: it comes from elsewhere.
    let other = tempfile::tempdir().unwrap();
    let more = Writer::start(other.path(), "often", 10).kill();
    fs::rename(&more, folder.join(more.file_name().unwrap())).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 11);
    let server = serve(&folder);
    assert_eq!(recordings(&server).len(), 10);
}

#[test]
fn sources_exclude_each_other() {
    let (_dir, folder) = rings();
    let dir = folder.to_str().unwrap();
    for (args, code, says) in [
        (&["logs", "app.log", "--rings", dir][..], 2, "FILE and --rings exclude each other"),
        (&["stats", "--url", "http://x", "--rings"], 2, "--url and --rings exclude each other"),
        (&["tail", "--rings", dir, "app.log"], 2, "FILE and --rings exclude each other"),
        (&["serve", "--rings", dir, "--no-rings"], 2, "cannot be used with"),
        (&["logs", "--rings", dir], 3, "cannot read the folder"),
        (&["logs", "--rings", "Cargo.toml"], 2, "which is no folder"),
        (&["logs", "--rings"], 1, "no recordings in /"),
    ] {
        let output = command().args(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
    }
}
