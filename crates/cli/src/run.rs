//! `logrec run`: start a command, record what it prints, serve it.
//!
//! The command must not notice: its bytes come out unchanged and at once, it has a terminal where we
//! have one, signals reach it once, and we exit as it did. We outlive it.

use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use anyhow::Context;
use clap::Args;
use logrec_core::Ring;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, kill_process, waitid};
use signal_hook::{consts::SIGWINCH, low_level::siginfo::Origin};

use crate::{
    capture::{Capture, Stream, end_pipe, own},
    error::with_code,
    outcome::exit_code,
    pty, server,
    settings::{ServerArgs, Settings},
    signals::{self, Signals},
};

const EXAMPLES: &str = "\
Examples:
  logrec run -- uvicorn main:app --reload
  logrec run --bind 6060 -- npm run dev
  logrec run --keep-serving -- pytest -x        ask about the run after it has ended

Then, from another terminal, or from an AI assistant:
  logrec logs --level ERROR
  curl 'http://127.0.0.1:5050/api/debug/logs?level=ERROR&limit=50'

A Python program that writes to a pipe holds its output back for kilobytes; set PYTHONUNBUFFERED=1
when its lines come late (logging to stderr does not need it).

Exit status: that of CMD; 128 + n when signal n ended it; 127 when there is no such command, 126
when it cannot be executed; 2 wrong usage; 3 when the chosen address cannot be had.";

/// Start a command, record what it prints to stdout and stderr, and serve that.
///
/// The output appears as it would without logrec, colours included. Signals and the exit status are
/// passed on. When port 5050 is taken and no other was chosen, the next free one is used.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true)]
    command: Vec<std::ffi::OsString>,

    #[command(flatten)]
    server: ServerArgs,

    /// When CMD has ended, go on serving what was recorded until Ctrl-C
    ///
    /// A SIGTERM or SIGINT that a process sends to logrec ends both.
    #[arg(long)]
    keep_serving: bool,
}

/// What the main thread waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A stream has ended.
    StreamEnd,
    /// We are asked to end.
    Stop,
}

/// Streams and signals, each with an event or two to tell.
pub(crate) const EVENTS_MAX: usize = 16;

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.server)?;
    let ring = settings.ring();
    let server = server::start_for_recording(&settings, &args.server, &ring)?;
    // Before the child is there, so that no signal is lost between.
    let signals = Signals::forwarded().context("cannot take signals")?;
    let (child, outputs) = spawn(&args.command)?;
    signals.late().context("cannot take signals")?;
    if let Some(server) = &server {
        settings.voice.say(&format!("recording; ask {}", server.logs_url()));
    }
    let recording = Recording::start(child, outputs, signals, &ring)?;
    let status = recording.wait(|events, streams, is_asked_to_end| {
        let stays = args.keep_serving && !is_asked_to_end;
        if let Some(server) = server.as_ref().filter(|_| stays) {
            let message =
                format!("CMD has ended; serving on at {} until Ctrl-C", server.logs_url());
            settings.voice.say(&message);
            wait_for_stop(events);
        } else {
            wait_for_streams(events, streams);
        }
    })?;
    if let Some(server) = server {
        server.stop();
    }
    Ok(ExitCode::from(exit_code(&status)))
}

/// Our side of a child's output.
#[derive(Debug)]
struct Output {
    stream: Stream,
    ours: OwnedFd,
    is_pty: bool,
}

/// Starts the command, its output leading to us.
fn spawn(words: &[std::ffi::OsString]) -> anyhow::Result<(Child, Vec<Output>)> {
    let (program, arguments) = words.split_first().context("there is no command")?;
    let (out, child_out) = output(Stream::Stdout).context("cannot make a pipe")?;
    let (err, child_err) = output(Stream::Stderr).context("cannot make a pipe")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::inherit()).stdout(child_out).stderr(child_err);
    // The child's sides go with `command`: as long as we held them, the streams would not end.
    match command.spawn() {
        Ok(child) => Ok((child, vec![out, err])),
        Err(error) => Err(cannot_start(&program.to_string_lossy(), &error)),
    }
}

fn cannot_start(program: &str, error: &io::Error) -> anyhow::Error {
    let there = program.contains('/') && std::path::Path::new(program).exists();
    match error.kind() {
        ErrorKind::NotFound if there => with_code(
            format!("cannot start `{program}`: the interpreter its first line names is not there"),
            127,
        ),
        ErrorKind::NotFound => with_code(format!("`{program}`: there is no such command"), 127),
        _ => with_code(format!("cannot start `{program}`: {error}"), 126),
    }
}

/// A pseudo-terminal where our own stream is a terminal, else a pipe.
fn output(stream: Stream) -> io::Result<(Output, OwnedFd)> {
    let own = own(stream);
    if rustix::termios::isatty(own)
        && let Ok((ours, theirs)) = pty::open(own)
    {
        return Ok((Output { stream, ours, is_pty: true }, theirs));
    }
    let (ours, theirs) = end_pipe()?;
    Ok((Output { stream, ours, is_pty: false }, theirs))
}

/// What the thread that takes signals and the one that waits for the child must agree on.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    /// The child has ended: its number is no more its own.
    is_over: bool,
    /// A process asked us to end, which we passed on to the child: then we do not outlive it by long.
    is_asked_to_end: bool,
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    life.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child under way, and the threads that look after it.
struct Recording {
    child: Child,
    pid: Pid,
    events: Receiver<Event>,
    streams: usize,
    /// Closed to tell the streams that the child has ended.
    alive: OwnedFd,
    life: Arc<Mutex<Life>>,
}

impl Recording {
    fn start(
        child: Child,
        outputs: Vec<Output>,
        signals: Signals,
        ring: &Arc<Ring>,
    ) -> anyhow::Result<Self> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.context("the child has no process id")?;
        let (events, received) = sync_channel(EVENTS_MAX);
        let life = Arc::new(Mutex::new(Life::default()));
        let (end, alive) = end_pipe()?;
        let end = Arc::new(end);
        let mut ptys = Vec::new();
        let streams = outputs.len();
        for output in outputs {
            if output.is_pty {
                ptys.push((output.stream, output.ours.try_clone()?));
            }
            start_capture(output, Arc::clone(ring), Arc::clone(&end), events.clone())?;
        }
        let forwarder = Forwarder { pid, life: Arc::clone(&life), ptys, events };
        thread::Builder::new()
            .name("logrec-signals".to_owned())
            .spawn(move || signals.each(|origin| forwarder.take(&origin)))?;
        Ok(Self { child, pid, events: received, streams, alive, life })
    }

    /// Waits for the child, then does `rest`, and says how the child ended.
    fn wait(
        mut self,
        rest: impl FnOnce(&Receiver<Event>, usize, bool),
    ) -> anyhow::Result<WaitIdStatus> {
        let status = loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.pid), options) {
                Ok(Some(status)) => break status,
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("cannot wait for the command"),
            }
        };
        // From here on nothing is sent to its number, which another process may be given.
        let is_asked_to_end = {
            let mut life = lock(&self.life);
            life.is_over = true;
            life.is_asked_to_end
        };
        self.child.wait().context("cannot wait for the command")?;
        drop(self.alive);
        rest(&self.events, self.streams, is_asked_to_end);
        Ok(status)
    }
}

fn start_capture(
    output: Output,
    ring: Arc<Ring>,
    end: Arc<OwnedFd>,
    events: SyncSender<Event>,
) -> io::Result<()> {
    let Output { stream, ours, .. } = output;
    let capture = Capture::new(ours, Some(own(stream)), stream.origin(), ring);
    let work = move || {
        capture.run(end.as_fd());
        // Nobody receives any more when we are ending.
        let _ = events.try_send(Event::StreamEnd);
    };
    thread::Builder::new().name(format!("logrec-{stream:?}").to_lowercase()).spawn(work)?;
    Ok(())
}

/// Waits until all streams have ended, or a signal asks us to end all the same.
pub(crate) fn wait_for_streams(events: &Receiver<Event>, streams: usize) {
    let mut open = streams;
    while open > 0 {
        match events.recv() {
            Ok(Event::StreamEnd) => open -= 1,
            Ok(Event::Stop) | Err(_) => break,
        }
    }
}

/// Waits until a signal asks us to end.
pub(crate) fn wait_for_stop(events: &Receiver<Event>) {
    while let Ok(Event::StreamEnd) = events.recv() {}
}

/// Passes signals on to the child as long as it lives; then they are meant for us.
struct Forwarder {
    pid: Pid,
    life: Arc<Mutex<Life>>,
    ptys: Vec<(Stream, OwnedFd)>,
    events: SyncSender<Event>,
}

impl Forwarder {
    fn take(&self, origin: &Origin) {
        let mut life = lock(&self.life);
        if life.is_over {
            if signals::is_ending(origin.signal) {
                let _ = self.events.try_send(Event::Stop);
            }
        } else if origin.signal == SIGWINCH {
            self.resize();
        } else if signals::is_for_us_alone(origin, self.pid.as_raw_nonzero().get()) {
            life.is_asked_to_end |= signals::is_ending_both(origin.signal);
            self.send(origin.signal);
        }
    }

    /// The child has been told by the terminal, but perhaps looked before the size was there.
    fn resize(&self) {
        for (stream, pty) in &self.ptys {
            pty::copy_size(own(*stream), pty);
        }
        if !self.ptys.is_empty() {
            self.send(SIGWINCH);
        }
    }

    fn send(&self, number: i32) {
        if let Some(signal) = signals::named(number) {
            // A child that has taken another user's identity may not be ours to signal.
            let _ = kill_process(self.pid, signal);
        }
    }
}
