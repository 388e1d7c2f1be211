use std::{
    fs::{self, File},
    io::Write,
    net::TcpListener,
    os::fd::OwnedFd,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags},
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::support::{Lines, Place, end, kill, messages, rest, text, until};

const RUN: [&str; 5] = ["run", "--quiet", "--bind", "0", "--"];

fn words<'a>(first: &[&'a str], then: &[&'a str]) -> Vec<&'a str> {
    [first, then].concat()
}

#[test]
fn it_exits_as_the_command_does() {
    let place = Place::new();
    for (script, code) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
    ] {
        let output = place.output(&words(&RUN, &["sh", "-c", script]));
        assert_eq!(output.status.code(), Some(code), "{script}");
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn a_command_that_cannot_be_started() {
    let place = Place::new();
    place.write("plain", "text");
    place.write("script", "#!/nowhere/interpreter\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(place.path("script"), executable).unwrap();
    for (program, code, says) in [
        ("no-such-command", 127, "`no-such-command`: there is no such command"),
        ("./plain", 126, "cannot start `./plain`: Permission denied"),
        ("./script", 127, "interpreter"),
    ] {
        let output = place.output(&words(&RUN, &[program]));
        assert_eq!(output.status.code(), Some(code), "{program}");
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
    }
}

#[test]
fn every_byte_passes_and_is_recorded() {
    let place = Place::new();
    let mut bytes: Vec<u8> =
        (0..2_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    bytes.extend(b"\r\n\0\xff last, without newline");
    place.write("bytes", &bytes);
    let output = place.output(&words(&RUN, &["sh", "-c", "cat bytes; cat bytes >&2"]));
    assert!(output.stdout == bytes, "stdout has changed");
    assert!(output.stderr == bytes, "stderr has changed");

    let served = place.serve(&[
        "run",
        "--keep-serving",
        "sh",
        "-c",
        "echo out; echo ERROR:app:err >&2; printf last",
    ]);
    let answer = until("the entries", || {
        Some(served.get("/logs?limit=10")).filter(|answer| answer["count"] == 3)
    });
    let mut got = messages(&answer);
    got.sort();
    assert_eq!(got, ["err", "last", "out"]);
    assert_eq!(served.stop().code(), Some(0));
}

#[test]
fn what_is_printed_appears_at_once() {
    let place = Place::new();
    let command = words(&RUN, &["sh", "-c", "printf prompt; read answer; echo $answer"]);
    let mut child =
        place.logrec(&command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut prompt = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut prompt).unwrap();
    assert_eq!(&prompt, b"prompt");
    child.stdin.take().unwrap().write_all(b"yes\n").unwrap();
    assert_eq!(rest(child.stdout.as_mut().unwrap()), "yes\n");
    assert_eq!(end(&mut child).code(), Some(0));
}

/// Tells each signal that it gets; ends with 9. It waits without a child, which a signal to the whole
/// group would end, and on nothing.
const TELLS: &str = "for s in INT TERM HUP QUIT USR2; do trap \"echo $s\" $s; done; \
    trap 'exit 9' USR1; mkfifo nothing; exec 3<>nothing; echo ready; while :; do read x <&3; done";

#[test]
fn a_signal_from_a_process_reaches_the_command_once() {
    let place = Place::new();
    let mut child =
        place.logrec(&words(&RUN, &["sh", "-c", TELLS])).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = Lines::new(child.stdout.take().unwrap());
    assert_eq!(lines.next(), "ready");
    for (signal, name) in [
        (Signal::TERM, "TERM"),
        (Signal::INT, "INT"),
        (Signal::HUP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR2, "USR2"),
    ] {
        kill(&child, signal);
        assert_eq!(lines.next(), name);
    }
    kill(&child, Signal::USR1);
    assert_eq!(lines.next(), "", "no signal came twice");
    assert_eq!(end(&mut child).code(), Some(9));
}

/// Runs `logrec` on a pseudo-terminal of its own, in a session of its own.
pub(crate) fn on_terminal(place: &Place, args: &[&str]) -> (Child, OwnedFd) {
    session(place, &[&[env!("CARGO_BIN_EXE_logrec")], args].concat())
}

/// Runs a command on a pseudo-terminal of its own, in a session of its own.
fn session(place: &Place, words: &[&str]) -> (Child, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    tcsetwinsize(&ours, Winsize { ws_row: 33, ws_col: 111, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name, flags, Mode::empty()).unwrap();
    let side = || theirs.try_clone().unwrap();
    let words = [&["--ctty"], words].concat();
    let child = place
        .command("setsid", &words)
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .unwrap();
    (child, ours)
}

#[test]
fn on_a_terminal_the_command_has_one() {
    let place = Place::new();
    let script = "test -t 0 && test -t 1 && test -t 2 && echo terminals; stty size <&1; \
        printf '\\033[31mred\\033[0m\\tend\\n'";
    let (mut child, ours) = on_terminal(&place, &words(&RUN, &["sh", "-c", script]));
    let mut lines = Lines::new(File::from(ours));
    assert_eq!(lines.next(), "terminals");
    assert_eq!(lines.next(), "33 111");
    assert_eq!(lines.next(), "\x1b[31mred\x1b[0m\tend");
    assert_eq!(end(&mut child).code(), Some(0));
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let place = Place::new();
    let (mut child, ours) = on_terminal(&place, &words(&RUN, &["sh", "-c", TELLS]));
    let mut keyboard = File::from(ours.try_clone().unwrap());
    let mut lines = Lines::new(File::from(ours));
    lines.find("ready");
    keyboard.write_all(b"\x03").unwrap();
    lines.find("INT");
    keyboard.write_all(b"\x1c").unwrap();
    lines.find("QUIT");
    kill(&child, Signal::USR1);
    assert_eq!(lines.next(), "", "no signal came twice");
    assert_eq!(end(&mut child).code(), Some(9));
}

#[test]
fn when_nobody_reads_the_command_learns_it() {
    let place = Place::new();
    let mut child = place.logrec(&words(&RUN, &["yes"])).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = Lines::new(child.stdout.take().unwrap());
    assert_eq!(lines.next(), "y");
    drop(lines);
    assert_eq!(end(&mut child).code(), Some(128 + 13));
}

#[test]
fn what_a_command_leaves_behind_does_not_hold_us() {
    let place = Place::new();
    let begun = Instant::now();
    let output = place.output(&words(&RUN, &["sh", "-c", "sleep 8 & echo done"]));
    assert_eq!(text(&output.stdout), "done\n");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_slow_reader_gets_all_after_the_command_has_ended() {
    let place = Place::new();
    let mut child = place
        .logrec(&words(&RUN, &["sh", "-c", "head -c 100000 /dev/zero; touch ended"]))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    until("the command's end", || place.path("ended").exists().then_some(()));
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(rest(child.stdout.as_mut().unwrap()).len(), 100_000);
    assert_eq!(end(&mut child).code(), Some(0));
}

#[test]
fn a_chosen_port_that_is_taken_is_an_error() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (flag, env) in [(Some(&*port), None), (None, Some(&*port))] {
        let mut args = vec!["run"];
        args.extend(flag.map(|port| ["--bind", port]).into_iter().flatten());
        args.extend(["touch", "started"]);
        let mut command = place.logrec(&args);
        command.envs(env.map(|port| ("LOGREC_BIND", port)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let said = text(&output.stderr);
        assert!(
            said.contains(&format!("127.0.0.1:{port} is taken")) && said.contains("--bind"),
            "{said}"
        );
        assert!(!place.path("started").exists());
    }
}

#[test]
fn the_default_port_taken_is_loud_and_no_error() {
    let place = Place::new();
    // Ours, or already another's.
    let _taken = TcpListener::bind("127.0.0.1:5050");
    let output = place.output(&["run", "--port-file", "address", "touch", "started"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stderr);
    assert!(
        said.contains("logrec: PORT 5050 IS TAKEN by another program; serving on port 50"),
        "{said}"
    );
    let address = fs::read_to_string(place.path("address")).unwrap();
    assert!(address.starts_with("127.0.0.1:50") && !address.contains(":5050\n"), "{address}");
    assert!(
        said.contains(&format!("recording; ask http://{}/api/debug/logs", address.trim())),
        "{said}"
    );
    assert!(place.path("started").exists());
}

#[test]
fn elsewhere_than_on_loopback_only_with_a_token() {
    let place = Place::new();
    let output = place.output(&["run", "--bind", "0.0.0.0:0", "true"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("set a token"), "{}", text(&output.stderr));
    place.write("token", "s3cret\n");
    let output = place.output(&["run", "--bind", "0.0.0.0:0", "--token-file", "token", "true"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = place.output(&["run", "--bind", "nonsense:port", "true"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[test]
fn pipe_passes_on_and_ends_with_its_input() {
    let place = Place::new();
    let mut child = place
        .logrec(&["pipe", "--bind", "0", "--port-file", "address"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let address = until("the port file", || fs::read_to_string(place.path("address")).ok());
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"WARNING:app:slow\npart\xff\0").unwrap();
    let answer = until("the entry", || {
        Some(crate::support::get(address.trim(), "/logs")).filter(|answer| answer["count"] == 1)
    });
    assert_eq!(answer["data"][0]["level"], "WARNING");
    drop(input);
    let mut out = Vec::new();
    std::io::Read::read_to_end(child.stdout.as_mut().unwrap(), &mut out).unwrap();
    assert_eq!(out, b"WARNING:app:slow\npart\xff\0");
    assert_eq!(end(&mut child).code(), Some(0));
}

#[test]
fn pipe_ends_when_asked_while_its_input_stays_open() {
    let place = Place::new();
    let served = place.serve(&["pipe"]);
    assert_eq!(served.stop().code(), Some(0));
}

#[test]
fn keep_serving_outlives_the_command_but_not_a_request_to_end() {
    let place = Place::new();
    let mut served = place.serve(&["run", "--keep-serving", "sh", "-c", "echo bye; exit 5"]);
    let mut said = Lines::new(served.child.stderr.take().unwrap());
    said.find("CMD has ended; serving on at");
    assert_eq!(served.wait_for(1), ["bye"]);
    assert_eq!(served.stop().code(), Some(5));

    let script = "trap 'echo last words; exit 6' TERM; mkfifo f; exec 3<>f; echo ready; read x <&3";
    let mut served = place.serve(&["run", "--keep-serving", "sh", "-c", script]);
    let mut lines = Lines::new(served.child.stdout.take().unwrap());
    assert_eq!(lines.next(), "ready");
    served.kill(Signal::TERM);
    assert_eq!(lines.next(), "last words");
    assert_eq!(end(&mut served.child).code(), Some(6));
}

#[test]
fn flags_before_the_command_are_ours_and_after_it_its_own() {
    let place = Place::new();
    let output = place.output(&["run", "--nonsense", "true"]);
    assert_eq!(output.status.code(), Some(2));
    let output = place.output(&["run", "-q", "--bind", "0", "echo", "-q", "--bind", "--", "x"]);
    assert_eq!(text(&output.stdout), "-q --bind -- x\n");
}

#[test]
fn a_resized_terminal_reaches_the_command() {
    let place = Place::new();
    let script = "trap 'stty size <&1' WINCH; trap 'exit 9' USR1; mkfifo nothing; exec 3<>nothing; \
        echo ready; while :; do read x <&3; done";
    let (mut child, ours) = on_terminal(&place, &words(&RUN, &["sh", "-c", script]));
    let terminal = ours.try_clone().unwrap();
    let mut lines = Lines::new(File::from(ours));
    lines.find("ready");
    tcsetwinsize(&terminal, Winsize { ws_row: 20, ws_col: 50, ws_xpixel: 0, ws_ypixel: 0 })
        .unwrap();
    lines.find("20 50");
    kill(&child, Signal::USR1);
    assert_eq!(end(&mut child).code(), Some(9));
}

#[test]
fn what_we_are_to_ignore_the_command_ignores() {
    let place = Place::new();
    let script = format!(
        "trap '' HUP; exec {} run -q --bind 0 sh -c 'kill -HUP $$; echo survived'",
        env!("CARGO_BIN_EXE_logrec")
    );
    let output = place.command("sh", &["-c", &script]).output().unwrap();
    assert_eq!(text(&output.stdout), "survived\n");
}

#[test]
fn pipe_takes_the_last_words_of_what_ctrl_c_ends() {
    let place = Place::new();
    place.write(
        "backend",
        "trap 'echo last words; exit' INT; mkfifo nothing; exec 3<>nothing; echo ready; read x <&3",
    );
    let script = format!(
        "trap : INT; sh backend | {} pipe -q --bind 0; echo status $?",
        env!("CARGO_BIN_EXE_logrec")
    );
    let (mut child, ours) = session(&place, &["sh", "-c", &script]);
    let mut keyboard = File::from(ours.try_clone().unwrap());
    let mut lines = Lines::new(File::from(ours));
    lines.find("ready");
    keyboard.write_all(b"\x03").unwrap();
    lines.find("last words");
    assert_eq!(lines.find("status"), "status 0");
    assert_eq!(end(&mut child).code(), Some(0));
}
