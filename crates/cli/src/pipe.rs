//! `logrec pipe`: record what comes through a pipe, and serve it.

use std::{
    os::fd::AsFd,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use anyhow::Context;
use clap::Args;
use logrec_core::Ring;
use logrec_decode::Origin;
use signal_hook::consts::SIGINT;

use crate::{
    capture::{Capture, Stream, end_pipe, own},
    run::{EVENTS_MAX, Event, wait_for_stop},
    server,
    settings::{ServerArgs, Settings},
    signals::{self, Signals},
};

const EXAMPLES: &str = "\
Examples:
  ./backend 2>&1 | logrec pipe
  kubectl logs -f deploy/api | logrec pipe --keep-serving > api.log

Ctrl-C ends the program before the pipe; logrec takes what it still says and ends with it, with
status 0. A second Ctrl-C ends logrec at once.";

/// Record what comes from stdin, pass it through to stdout, and serve it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PipeArgs {
    #[command(flatten)]
    server: ServerArgs,

    /// At the end of the input, go on serving what was recorded until Ctrl-C
    #[arg(long)]
    keep_serving: bool,
}

pub(crate) fn run(args: &PipeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.server)?;
    let ring = settings.ring();
    let server = server::start_for_recording(&settings, &args.server, &ring)?;
    if let Some(server) = &server {
        settings.voice.say(&format!("recording; ask {}", server.logs_url()));
    }
    let received = start(ring)?;
    let is_stopped = wait_for_end(&received);
    if let Some(server) = server {
        if args.keep_serving && !is_stopped {
            let url = server.logs_url();
            settings.voice.say(&format!("the input has ended; serving on at {url} until Ctrl-C"));
            wait_for_stop(&received);
        }
        server.stop();
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts to read stdin and to take signals; what comes of them.
fn start(ring: Arc<Ring>) -> anyhow::Result<Receiver<Event>> {
    let (events, received) = sync_channel(EVENTS_MAX);
    let (end, alive) = end_pipe().context("cannot make a pipe")?;
    let input = rustix::stdio::stdin().try_clone_to_owned().context("stdin is closed")?;
    let capture = Capture::new(input, Some(own(Stream::Stdout)), Origin::Stdout, ring);
    let at_end = events.clone();
    let is_open = Arc::new(AtomicBool::new(true));
    let open = Arc::clone(&is_open);
    let signals = Signals::ending().context("cannot take signals")?;
    thread::Builder::new().name("logrec-stdin".to_owned()).spawn(move || {
        capture.run(end.as_fd());
        open.store(false, Ordering::Relaxed);
        let _ = at_end.try_send(Event::StreamEnd);
    })?;
    thread::Builder::new().name("logrec-signals".to_owned()).spawn(move || {
        // Closing its side of the pipe tells the stream to end.
        let mut alive = Some(alive);
        watch(signals, &is_open, || {
            drop(alive.take());
            let _ = events.try_send(Event::Stop);
        });
    })?;
    Ok(received)
}

/// Waits for the end of the input, and says whether we were asked to end before. That closes the
/// input, whose end is then near; a second demand does not wait for it.
fn wait_for_end(events: &Receiver<Event>) -> bool {
    let mut is_stopped = false;
    while let Ok(Event::Stop) = events.recv() {
        if is_stopped {
            break;
        }
        is_stopped = true;
    }
    is_stopped
}

/// Calls `stop` for each signal that asks us, and not the program before the pipe, to end.
fn watch(signals: Signals, is_open: &AtomicBool, mut stop: impl FnMut()) {
    let mut is_interrupted = false;
    signals.each(|origin| {
        // From the terminal it reaches the program before the pipe too, whose last words we wait for.
        let is_shared = origin.signal == SIGINT && signals::is_of_terminal(&origin);
        if is_shared && !is_interrupted && is_open.load(Ordering::Relaxed) {
            is_interrupted = true;
        } else if signals::is_ending(origin.signal) {
            stop();
        }
    });
}
