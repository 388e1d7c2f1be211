//! Signals: which of them we take, and which of those a child has not had already.

use std::{io, sync::mpsc::SyncSender, thread};

use rustix::process::Signal;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH},
    iterator::{SignalsInfo, exfiltrator::WithOrigin},
    low_level::siginfo::{Cause, Origin},
};

/// Signals passed on to a child, by their number.
const FORWARDED: [(i32, Signal); 7] = [
    (SIGINT, Signal::INT),
    (SIGTERM, Signal::TERM),
    (SIGHUP, Signal::HUP),
    (SIGQUIT, Signal::QUIT),
    (SIGUSR1, Signal::USR1),
    (SIGUSR2, Signal::USR2),
    (SIGWINCH, Signal::WINCH),
];
/// Signals that ask us to end.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that we take.
///
/// Whoever started us may have had us ignore some of them (`nohup`; a job in the background of a
/// script). A child inherits that, so [`late`](Self::late) must wait until it is there. From then on
/// what the terminal sends is ignored as it was, and what a process sends is taken.
#[derive(Debug)]
pub(crate) struct Signals {
    taken: SignalsInfo<WithOrigin>,
    ignored: u64,
}

impl Signals {
    /// Takes the signals to pass on to a child, those excepted that we are to ignore.
    pub(crate) fn forwarded() -> io::Result<Self> {
        let ignored = ignored();
        let early = FORWARDED.iter().map(|(number, _)| *number).filter(|n| !has(ignored, *n));
        Ok(Self { taken: SignalsInfo::new(early)?, ignored })
    }

    /// Takes the others too, once the child is there.
    pub(crate) fn late(&self) -> io::Result<()> {
        let late = FORWARDED.iter().map(|(number, _)| *number).filter(|n| has(self.ignored, *n));
        for number in late {
            self.taken.handle().add_signal(number)?;
        }
        Ok(())
    }

    /// Takes the signals that ask us to end, where there is no child.
    pub(crate) fn ending() -> io::Result<Self> {
        Ok(Self { taken: SignalsInfo::new(ENDING)?, ignored: ignored() })
    }

    /// Calls `see` for each signal that comes. Does not return.
    pub(crate) fn each(mut self, mut see: impl FnMut(Origin)) {
        for origin in &mut self.taken {
            if !has(self.ignored, origin.signal) || !is_of_terminal(&origin) {
                see(origin);
            }
        }
    }
}

const fn has(set: u64, signal: i32) -> bool {
    set >> (signal - 1) & 1 != 0
}

/// The set of ignored signals, signal n at bit n - 1; empty where the system does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// The signal of a number that we pass on.
pub(crate) fn named(number: i32) -> Option<Signal> {
    FORWARDED.iter().find(|(n, _)| *n == number).map(|(_, signal)| *signal)
}

/// Whether the signal, passed on to a child, asks for the end of both. SIGHUP may ask for no more than
/// that the child reads its settings anew.
pub(crate) const fn is_ending_both(signal: i32) -> bool {
    matches!(signal, SIGINT | SIGTERM)
}

/// Whether the signal asks us to end.
pub(crate) fn is_ending(signal: i32) -> bool {
    ENDING.contains(&signal)
}

/// Whether a process sent the signal to us. What the terminal sends (Ctrl-C, Ctrl-\, a closed
/// window) goes to the whole process group: the child has it already. So has it what it sent itself.
pub(crate) fn is_for_us_alone(origin: &Origin, child: i32) -> bool {
    !is_of_terminal(origin) && origin.process.is_none_or(|sender| sender.pid != child)
}

/// Whether the terminal sent the signal, as for Ctrl-C.
pub(crate) const fn is_of_terminal(origin: &Origin) -> bool {
    matches!(origin.cause, Cause::Kernel)
}

/// Sends `message` when a signal asks us to end. A second one, should the first not be enough, ends
/// us at once.
pub(crate) fn on_end<T: Send + Clone + 'static>(to: SyncSender<T>, message: T) -> io::Result<()> {
    let signals = Signals::ending()?;
    thread::Builder::new().name("logrec-signals".to_owned()).spawn(move || {
        let mut is_asked = false;
        signals.each(|origin| {
            if is_asked {
                let _ = signal_hook::low_level::emulate_default_handler(origin.signal);
            }
            is_asked = true;
            // Nobody receives any more: we are ending.
            let _ = to.try_send(message.clone());
        });
    })?;
    Ok(())
}
