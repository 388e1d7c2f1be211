//! A pseudo-terminal for a child's output, so that it writes to us as it would to our terminal.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, OutputModes, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
};

/// Opens one: our side and the child's. What is written comes out unchanged, since it is our own
/// terminal that makes `\r\n` of `\n`.
pub(crate) fn open(terminal: impl AsFd) -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name, flags, Mode::empty())?;
    let mut modes = tcgetattr(&theirs)?;
    modes.output_modes.remove(OutputModes::OPOST);
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    copy_size(terminal, &ours);
    Ok((ours, theirs))
}

/// Gives a pseudo-terminal the size of a terminal, if that has one.
pub(crate) fn copy_size(terminal: impl AsFd, pty: impl AsFd) {
    if let Ok(size) = tcgetwinsize(terminal) {
        // A size that cannot be set leaves lines of another length, no more.
        let _ = tcsetwinsize(pty, size);
    }
}
