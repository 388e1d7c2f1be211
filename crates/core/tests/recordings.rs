//! Rings in files: what outlives its process, who may read it, and how it ended.
//!
//! Writers are this test binary started again (see [`child`]), so that they can be killed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::exit, reason = "how a process ends is what is tested")]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use logrec_core::{
    Collector, Cursor, Entry, Level, Order, Query, Ring, RingOptions, Source, Timestamp,
    ring::{CreateError, End, Folder, OpenError, Recording},
};

/// A message that proves by itself that it is whole.
fn message(n: u64) -> String {
    format!("{n}:{}", "0123456789abcdef".repeat(usize::try_from(n % 40).unwrap()))
}

fn number_of(text: &str) -> u64 {
    let n = text.split(':').next().unwrap().parse().unwrap();
    assert_eq!(text, message(n), "torn");
    n
}

fn push(ring: &Ring, n: u64) {
    let process = Some(std::process::id().into());
    let entry = Entry { process, ..Entry::new(Timestamp::now(), Level::Info, message(n)) };
    ring.push(&entry).unwrap();
}

fn push_until_killed(ring: &Ring, first: u64) {
    let mut n = first;
    loop {
        push(ring, n);
        n += 1;
    }
}

/// Not a test of its own: what a child process does, told by its environment.
#[test]
fn child() {
    let Ok(task) = std::env::var("RECORDINGS_CHILD") else { return };
    let folder = PathBuf::from(std::env::var("RECORDINGS_FOLDER").unwrap());
    let entries: usize = std::env::var("RECORDINGS_ENTRIES").unwrap().parse().unwrap();
    let ring = Ring::create(&folder, "child", RingOptions::with_max_entries(entries)).unwrap();
    println!("\nready {}", ring.path().unwrap().display());
    match task.as_str() {
        "forever" => {
            let ring = Arc::new(ring);
            for thread in 1..3u64 {
                let ring = Arc::clone(&ring);
                std::thread::spawn(move || push_until_killed(&ring, thread << 40));
            }
            push_until_killed(&ring, 0);
        }
        "count" => (0..entries as u64).for_each(|n| push(&ring, n)),
        // As a ring behind a global subscriber: never dropped.
        "exit" => {
            push(&ring, 1);
            std::mem::forget(ring);
            std::process::exit(3);
        }
        "abort" => {
            push(&ring, 1);
            std::process::abort();
        }
        _ => panic!("no such task"),
    }
}

/// Starts a child and waits until its ring is there.
fn start(task: &str, folder: &Path, entries: usize) -> (Child, PathBuf) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("RECORDINGS_CHILD", task)
        .env("RECORDINGS_FOLDER", folder)
        .env("RECORDINGS_ENTRIES", entries.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let path = lines.find_map(|line| line.unwrap().strip_prefix("ready ").map(PathBuf::from));
    std::thread::spawn(move || lines.for_each(drop));
    (child, path.unwrap())
}

fn all_numbers(recording: &Recording) -> Vec<u64> {
    let query = Query {
        limit: usize::MAX,
        order: Order::Ascending,
        after: Some(Cursor::default()),
        ..Query::default()
    };
    let mut collector = Collector::new(&query);
    recording.scan(&mut collector);
    collector.finish().rows().map(|row| number_of(row.record.message())).collect()
}

#[test]
fn a_hundred_kills_in_mid_flight() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..100u32 {
        let folder = dir.path().join(round.to_string());
        let (mut child, path) = start("forever", &folder, 300);
        let recording = Recording::open(&path).unwrap();
        // Each round lets it come further before it dies, from its first entries to many laps.
        let enough = 1 + u64::from(round) * 40;
        while recording.stats().recorded < enough {
            std::hint::spin_loop();
        }
        assert_eq!(recording.end(), End::Running);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(recording.end(), End::Unclean);
        let again = Recording::open(&path).unwrap();
        let stats = again.stats();
        assert!(stats.recorded >= enough, "{stats:?}");
        let mut numbers = all_numbers(&again);
        assert_eq!(numbers.len() as u64, stats.entries);
        assert_eq!(stats.entries, stats.recorded.min(300), "round {round}: {stats:?}");
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len() as u64, stats.entries, "an entry twice");
        // Of each thread the newest in a row: nothing in between is missing.
        for thread in 0..3u64 {
            let own: Vec<u64> = numbers.iter().copied().filter(|n| n >> 40 == thread).collect();
            assert!(own.windows(2).all(|w| w[1] == w[0] + 1), "round {round}: a gap");
        }
    }
}

#[test]
fn four_processes_answer_as_one() {
    const EACH: usize = 100_000;
    let dir = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..4).map(|_| start("count", dir.path(), EACH)).collect();
    for (mut child, _) in children {
        assert!(child.wait().unwrap().success());
    }
    let files = Folder::new(dir.path()).files();
    let recordings: Vec<_> = files.into_iter().map(|f| Recording::open(f).unwrap()).collect();
    assert_eq!(recordings.len(), 4);
    let query = Query { limit: usize::MAX, order: Order::Ascending, ..Query::default() };
    let mut collector = Collector::new(&query);
    for recording in &recordings {
        assert!(matches!(recording.end(), End::Clean(_)));
        recording.scan(&mut collector);
    }
    let page = collector.finish();
    assert_eq!(page.len(), 4 * EACH);
    assert!(page.rows().zip(page.rows().skip(1)).all(|(a, b)| a.time <= b.time), "not in order");
    let mut seen: Vec<_> = page
        .rows()
        .map(|row| (row.to_entry().process.unwrap(), number_of(row.record.message())))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 4 * EACH, "an entry twice");
}

#[test]
fn how_a_process_ended_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (task, clean) in [("exit", true), ("abort", false), ("count", true)] {
        let (mut child, path) = start(task, dir.path(), 10);
        child.wait().unwrap();
        let recording = Recording::open(path).unwrap();
        assert_eq!(matches!(recording.end(), End::Clean(_)), clean, "{task}");
        assert_eq!((recording.service(), recording.process()), ("child", u64::from(child.id())));
        assert!(recording.stats().entries > 0);
    }
}

#[test]
fn a_reader_clears_for_itself() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::create(dir.path(), "app", RingOptions::default()).unwrap();
    let recording = Recording::open(ring.path().unwrap()).unwrap();
    (0..10).for_each(|n| push(&ring, n));
    assert_eq!(recording.clear(), 10);
    assert_eq!((recording.stats().entries, ring.stats().entries), (0, 10));
    push(&ring, 10);
    assert_eq!(all_numbers(&recording), [10]);
    assert_eq!(ring.clear(), 11);
    assert_eq!(recording.stats().entries, 0);
    // Nothing can be stored through a reader.
    assert!(recording.ring().push(&Entry::default()).is_none());
    assert_eq!(recording.ring().clear(), 0);
}

#[test]
fn kept_errors_are_recorded_too() {
    let dir = tempfile::tempdir().unwrap();
    let options = RingOptions { keep_errors: 5, ..RingOptions::with_max_entries(10) };
    let ring = Ring::create(dir.path(), "app", options).unwrap();
    let recording = Recording::open(ring.path().unwrap()).unwrap();
    ring.push(&Entry::new(Timestamp(1), Level::Error, message(999)));
    (0..100).for_each(|n| push(&ring, n));
    drop(ring);
    for recording in [Recording::open(recording.path()).unwrap(), recording] {
        assert_eq!(all_numbers(&recording), [&[999][..], &(90..100).collect::<Vec<_>>()].concat());
        assert_eq!((recording.stats().entries, recording.stats().evicted), (11, 90));
        assert_eq!(recording.clear(), 11);
        assert_eq!(recording.stats().entries, 0);
    }
}

#[test]
fn folders_and_files_are_the_users_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    let ring = Ring::create(&folder, "../../evil name", RingOptions::default()).unwrap();
    let path = ring.path().unwrap();
    assert_eq!(path.parent(), Some(folder.as_path()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(path)), (0o700, 0o600));
    let open = dir.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Ring::create(&open, "app", RingOptions::default());
    assert!(matches!(refused, Err(CreateError::Folder { .. })), "{refused:?}");
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let refused = Ring::create(&file, "app", RingOptions::default());
    assert!(matches!(refused, Err(CreateError::Folder { .. })));
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // More than any disk has: what the system says is what it says of a full one.
    let options = RingOptions { max_bytes: 1 << 46, ..RingOptions::default() };
    let refused = Ring::create(dir.path(), "app", options);
    assert!(matches!(refused, Err(CreateError::File { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_removed_file_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::create(dir.path(), "app", RingOptions::default()).unwrap();
    let recording = Recording::open(ring.path().unwrap()).unwrap();
    fs::remove_file(ring.path().unwrap()).unwrap();
    (0..100).for_each(|n| push(&ring, n));
    assert_eq!(all_numbers(&recording).len(), 100);
    drop(ring);
}

#[test]
fn a_file_cut_short_under_its_reader_reads_as_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::create(dir.path(), "app", RingOptions::default()).unwrap();
    push(&ring, 1);
    let path = ring.path().unwrap().to_owned();
    drop(ring);
    let recording = Recording::open(&path).unwrap();
    fs::write(&path, "").unwrap();
    assert_eq!(recording.stats().entries, 0);
    assert!(all_numbers(&recording).is_empty());
    assert_eq!(recording.clear(), 0);
    assert!(recording.info().trouble.is_some());
}

#[test]
fn a_pipe_named_as_a_recording_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.ring");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(matches!(Recording::open(&path), Err(OpenError::NotARecording { .. })));
    Folder::new(dir.path()).prune(Timestamp::now());
    drop(Ring::create(dir.path(), "app", RingOptions::default()).unwrap());
}

#[test]
fn dead_recordings_are_kept_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path());
    let alive = Ring::create(dir.path(), "app", RingOptions::default()).unwrap();
    for n in 0..15 {
        let ring = Ring::create(dir.path(), "app", RingOptions::default()).unwrap();
        push(&ring, n);
    }
    drop(Ring::create(dir.path(), "other", RingOptions::default()).unwrap());
    fs::write(dir.path().join("no.ring"), "not ours").unwrap();
    folder.prune(Timestamp::now());
    assert_eq!(folder.files().len(), 1 + 10 + 1 + 1);
    folder.prune(Timestamp(Timestamp::now().0 + 25 * 3600 * 1_000_000_000));
    let left = folder.files();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.contains(&alive.path().unwrap().to_owned()));
}

#[test]
fn what_is_no_recording_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.ring");
    for (bytes, why) in [
        (&b""[..], "empty"),
        (b"short", "too short"),
        (&[7; 5000][..], "does not begin"),
        (&[&b"logrec\x00\x01"[..], &[0; 5000]].concat(), "another version"),
        (&[7; 100], "too short"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = Recording::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::NotARecording { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(matches!(Recording::open(dir.path()), Err(OpenError::NotARecording { .. })));
    assert!(matches!(Recording::open(dir.path().join("none")), Err(OpenError::Io { .. })));
}
