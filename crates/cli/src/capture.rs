//! A stream of output into the ring: passed on byte for byte first, then recognised.
//!
//! The stream ends at its end of file; or, since a grandchild may hold it open for ever, a short
//! while after its process has ended, when all that lay in it at that moment has been passed on; or
//! when nobody reads what is passed on: then it is closed, so that its writer sees what it would
//! have seen without us.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use logrec_core::{Entry, Ring, Timestamp};
use logrec_decode::{LineDecoder, Origin};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// Bytes read at a time; what a pipe holds.
const READ_BYTES: usize = 64 << 10;
/// An entry that may go on is given out after so long a quiet.
pub(crate) const QUIET: Duration = Duration::from_millis(150);
/// How long a stream may stay open after its process has ended.
const LINGER: Duration = Duration::from_millis(300);

/// One stream on its way into the ring.
#[derive(Debug)]
pub(crate) struct Capture {
    input: OwnedFd,
    /// Where what comes is passed on to.
    output: Option<BorrowedFd<'static>>,
    decoder: LineDecoder,
    ring: Arc<Ring>,
    entries: Vec<Entry>,
    /// What is pending has been flushed, and nothing came since.
    is_flushed: bool,
    linger: Option<Linger>,
}

/// The process has ended.
#[derive(Clone, Copy, Debug)]
struct Linger {
    until: Instant,
    /// Bytes that lay in the stream when it ended and must still be passed on.
    owed_bytes: u64,
}

enum Wake {
    Readable,
    Quiet,
    Over,
}

impl Capture {
    pub(crate) fn new(
        input: OwnedFd,
        output: Option<BorrowedFd<'static>>,
        origin: Origin,
        ring: Arc<Ring>,
    ) -> Self {
        Self {
            input,
            output,
            decoder: LineDecoder::new(origin).with_zone(TimeZone::system()),
            ring,
            entries: Vec::new(),
            is_flushed: true,
            linger: None,
        }
    }

    /// Reads until the stream ends. `ended` is the reading side of a pipe whose other side is closed
    /// when the process has ended.
    pub(crate) fn run(mut self, ended: BorrowedFd<'_>) {
        let mut buf = vec![0; READ_BYTES];
        loop {
            match self.wait(ended) {
                Wake::Over => break,
                Wake::Quiet => self.flush(),
                Wake::Readable => match rustix::io::read(&self.input, &mut buf) {
                    // A pseudo-terminal whose other side is closed has no end but this error.
                    Ok(0) | Err(Errno::IO) => break,
                    Ok(len) => {
                        let is_read = self.pass(&buf[..len]);
                        self.record(&buf[..len]);
                        if !is_read {
                            break;
                        }
                    }
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(_) => break,
                },
            }
        }
        drop(self.input);
        self.decoder.finish(&mut self.entries);
        push(&self.ring, &mut self.entries);
    }

    fn wait(&mut self, ended: BorrowedFd<'_>) -> Wake {
        loop {
            let now = Instant::now();
            if self.linger.is_some_and(|l| l.owed_bytes == 0 && now >= l.until) {
                return Wake::Over;
            }
            let is_waiting = self.decoder.is_pending() && !self.is_flushed;
            let timeout = match (is_waiting, self.linger) {
                (true, _) => Some(QUIET),
                (false, Some(linger)) => Some(linger.until.saturating_duration_since(now)),
                (false, None) => None,
            };
            let timeout = timeout.and_then(|t| Timespec::try_from(t).ok());
            let mut fds = [
                PollFd::new(&self.input, PollFlags::IN),
                // Asks for nothing: that the other side is closed is always told.
                PollFd::from_borrowed_fd(ended, PollFlags::empty()),
            ];
            let watched = if self.linger.is_some() { 1 } else { 2 };
            match poll(&mut fds[..watched], timeout.as_ref()) {
                Ok(0) if is_waiting => return Wake::Quiet,
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) if !fds[0].revents().is_empty() => return Wake::Readable,
                Ok(_) => self.begin_linger(),
                Err(_) => return Wake::Over,
            }
        }
    }

    fn begin_linger(&mut self) {
        let owed_bytes = rustix::io::ioctl_fionread(&self.input).unwrap_or(0);
        self.linger = Some(Linger { until: Instant::now() + LINGER, owed_bytes });
    }

    /// Passes bytes on; false when nobody reads them any more.
    fn pass(&mut self, bytes: &[u8]) -> bool {
        if let Some(linger) = &mut self.linger {
            linger.owed_bytes = linger.owed_bytes.saturating_sub(bytes.len() as u64);
        }
        self.output.is_none_or(|output| write_all(output, bytes).is_ok())
    }

    fn record(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes, Timestamp::now(), &mut self.entries);
        self.is_flushed = false;
        push(&self.ring, &mut self.entries);
    }

    fn flush(&mut self) {
        self.decoder.flush(&mut self.entries);
        self.is_flushed = true;
        push(&self.ring, &mut self.entries);
    }
}

/// Moves entries into the ring, which counts what it has no room for.
pub(crate) fn push(ring: &Ring, entries: &mut Vec<Entry>) {
    for entry in entries.drain(..) {
        let _ = ring.push(&entry);
    }
}

/// Writes all of it, whether or not the descriptor blocks.
pub(crate) fn write_all(output: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(output, bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut fds = [PollFd::from_borrowed_fd(output, PollFlags::OUT)];
                match poll(&mut fds, None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// Our own standard streams, which stay open as long as we live.
pub(crate) fn own(stream: Stream) -> BorrowedFd<'static> {
    match stream {
        Stream::Stdout => rustix::stdio::stdout(),
        Stream::Stderr => rustix::stdio::stderr(),
    }
}

/// Which of a process's output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(crate) const fn origin(self) -> Origin {
        match self {
            Self::Stdout => Origin::Stdout,
            Self::Stderr => Origin::Stderr,
        }
    }
}

/// A pipe of which one side is closed to say that something has ended.
pub(crate) fn end_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn an_open_stream_is_left_after_its_process_has_ended_and_loses_nothing() {
        let (input, writer) = end_pipe().unwrap();
        let (ended, process) = end_pipe().unwrap();
        let ring = Arc::new(Ring::default());
        let capture = Capture::new(input, None, Origin::Stdout, Arc::clone(&ring));
        write_all(writer.as_fd(), b"one\ntwo\nno newline").unwrap();
        drop(process);
        capture.run(ended.as_fd());
        assert_eq!(ring.stats().entries, 3);
        assert!(write_all(writer.as_fd(), b"late").is_err(), "the writer sees it closed");
    }
}
