//! A log file into the ring, as it grows: through rotation, truncation, removal and return.
//!
//! Files are looked at ten times a second, by name and by content; nothing is asked of the system
//! that a network file system could not answer. What each kind of change looks like:
//!
//! - *renamed, and made anew*: the name leads to another file. The old one is read on for a while,
//!   since its writer may not have noticed yet; the new one is read from its start.
//! - *truncated* (`copytruncate`): it is shorter than what was read, or its first bytes have
//!   changed. It is read from its start.
//! - *not there*: what is open is read on, and the name is looked for until it is back.
//!
//! Not seen is what comes and goes between two looks: of a file renamed twice within a tenth of a
//! second, the one in the middle.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use logrec_core::{Entry, NS_PER_S, Ring, Timestamp, Value};
use logrec_decode::{LineDecoder, Origin};

use crate::{
    capture::{self, QUIET},
    say::Voice,
};

/// How often a file is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Of a file that is there already so much is read, from its end.
const EXISTING_BYTES_MAX: u64 = 64 << 20;
/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;
/// First bytes of a file by which it is known again.
const HEAD_BYTES_MAX: usize = 128;
/// How long a file that has lost its name is read on after its last line.
const RETIRED_FOR: Duration = Duration::from_secs(10);
/// Most files read on that have lost their name.
const RETIRED_MAX: usize = 8;
/// The attribute that names an entry's file, as OpenTelemetry has it.
const FILE_NAME: &str = "log.file.name";

/// Follows one file by its name.
#[derive(Debug)]
pub(crate) struct Follower {
    path: PathBuf,
    /// What its entries are marked with.
    label: Option<String>,
    ring: Arc<Ring>,
    voice: Voice,
    current: Option<Tail>,
    retired: Vec<Tail>,
    entries: Vec<Entry>,
    buf: Vec<u8>,
    /// What was last said of a file that cannot be opened.
    complaint: Option<String>,
    has_looked: bool,
}

impl Follower {
    /// # Errors
    /// When it is there and can be no log file.
    pub(crate) fn new(
        path: PathBuf,
        is_labelled: bool,
        ring: Arc<Ring>,
        voice: Voice,
    ) -> anyhow::Result<Self> {
        if let Ok(metadata) = std::fs::metadata(&path)
            && !metadata.is_file()
        {
            anyhow::bail!(
                "{} is no regular file; give a log file, or - to read stdin",
                path.display()
            );
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Self {
            label: name.filter(|_| is_labelled),
            path,
            ring,
            voice,
            current: None,
            retired: Vec::new(),
            entries: Vec::new(),
            buf: vec![0; READ_BYTES],
            complaint: None,
            has_looked: false,
        })
    }

    /// Looks once, and reads a piece of what is new; true when there may be more at once.
    pub(crate) fn look(&mut self) -> bool {
        let mut more = false;
        for tail in &mut self.retired {
            more |= tail.read(&mut self.buf, &mut self.entries);
        }
        self.retire_old();
        let was_read =
            self.current.as_mut().is_some_and(|t| t.read(&mut self.buf, &mut self.entries));
        more |= was_read;
        if !was_read {
            more |= self.find();
        }
        self.push();
        more
    }

    /// Gives out what is held back in case a line goes on.
    pub(crate) fn flush(&mut self) {
        for tail in self.retired.iter_mut().chain(&mut self.current) {
            tail.decoder.flush(&mut self.entries);
        }
        self.push();
    }

    fn push(&mut self) {
        if let Some(label) = &self.label {
            for entry in &mut self.entries {
                entry.attributes.push((FILE_NAME.to_owned(), Value::Str(label.clone())));
            }
        }
        capture::push(&self.ring, &mut self.entries);
    }

    /// Ends what has lost its name and been quiet for long.
    fn retire_old(&mut self) {
        let entries = &mut self.entries;
        self.retired.retain_mut(|tail| {
            let stays = tail.last_data.elapsed() < RETIRED_FOR;
            if !stays {
                tail.decoder.finish(entries);
            }
            stays
        });
    }

    /// Sees where the name leads now; true when there is something new to read.
    fn find(&mut self) -> bool {
        match std::fs::metadata(&self.path) {
            Ok(metadata) if self.current.as_ref().is_some_and(|t| t.id == id(&metadata)) => false,
            Ok(_) => self.open(),
            Err(error) => {
                self.complain(&error);
                self.drop_removed();
                false
            }
        }
    }

    fn open(&mut self) -> bool {
        // What is there when we come may be long; what comes later is all new.
        let existing_max = if self.has_looked { u64::MAX } else { EXISTING_BYTES_MAX };
        match Tail::open(&self.path, existing_max) {
            Ok(tail) if self.current.as_ref().is_some_and(|t| t.id == tail.id) => false,
            Ok(tail) => {
                self.has_looked = true;
                self.complaint = None;
                if let Some(mut old) = self.current.replace(tail) {
                    old.last_data = Instant::now();
                    self.retired.push(old);
                    if self.retired.len() > RETIRED_MAX {
                        self.retired.remove(0).decoder.finish(&mut self.entries);
                    }
                }
                true
            }
            Err(error) => {
                self.complain(&error);
                false
            }
        }
    }

    /// Says once why the file is not read.
    fn complain(&mut self, error: &io::Error) {
        self.has_looked = true;
        let path = self.path.display();
        let complaint = match (error.kind(), &self.current) {
            (io::ErrorKind::NotFound, None) => {
                format!("{path} is not there yet; waiting for it")
            }
            (io::ErrorKind::NotFound, Some(_)) => {
                format!("{path} has gone; waiting for it to come back")
            }
            _ => format!("{path} cannot be opened: {error}; trying again"),
        };
        if self.complaint.is_none() {
            self.voice.say(&complaint);
            self.complaint = Some(complaint);
        }
    }

    /// Closes a file that was removed, once it is quiet, so that its space can be freed.
    fn drop_removed(&mut self) {
        let is_over = self.current.as_ref().is_some_and(|tail| {
            tail.last_data.elapsed() >= RETIRED_FOR
                && tail.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
        });
        if is_over && let Some(mut tail) = self.current.take() {
            tail.decoder.finish(&mut self.entries);
        }
    }
}

/// Device and number of a file: it stays the same when renamed, and while it is open no other file
/// has it.
fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// An open file, read up to some place.
#[derive(Debug)]
struct Tail {
    file: File,
    id: (u64, u64),
    offset: u64,
    /// Bytes up to here were written before we came, at about the time the file was last changed.
    existing: u64,
    modified: Timestamp,
    /// The first bytes of the file.
    head: Vec<u8>,
    /// Size and time of change when it was last looked at.
    seen: (u64, i64, i64),
    /// A line has begun before the place where we began.
    skips_line: bool,
    /// The file was cut by its writer's back, who goes on writing where it was: what lies between
    /// reads as NUL.
    skips_nul: bool,
    decoder: LineDecoder,
    last_data: Instant,
    is_flushed: bool,
}

impl Tail {
    fn open(path: &Path, existing_max: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let offset = metadata.len().saturating_sub(existing_max);
        let mut head = vec![0; HEAD_BYTES_MAX];
        let len = if offset > 0 { file.read_at(&mut head, 0)? } else { 0 };
        head.truncate(len);
        // One byte back: where a line ends there, the next is whole.
        let (offset, skips_line) = (offset.saturating_sub(1), offset > 0);
        Ok(Self {
            id: id(&metadata),
            offset,
            existing: metadata.len(),
            modified: Timestamp(
                metadata.mtime().saturating_mul(NS_PER_S).saturating_add(metadata.mtime_nsec()),
            ),
            head,
            seen: (0, 0, 0),
            skips_line,
            skips_nul: false,
            decoder: LineDecoder::new(Origin::File).with_zone(TimeZone::system()),
            last_data: Instant::now(),
            is_flushed: true,
            file,
        })
    }

    /// Reads a piece of what is new; true when there was something. An error is as nothing new: the
    /// next look may fare better.
    fn read(&mut self, buf: &mut [u8], out: &mut Vec<Entry>) -> bool {
        let len = self.read_piece(buf, out).unwrap_or(0);
        if len == 0 {
            if self.decoder.is_pending() && !self.is_flushed && self.last_data.elapsed() >= QUIET {
                self.decoder.flush(out);
                self.is_flushed = true;
            }
            return false;
        }
        self.feed(&buf[..len], out);
        true
    }

    fn read_piece(&mut self, buf: &mut [u8], out: &mut Vec<Entry>) -> io::Result<usize> {
        let metadata = self.file.metadata()?;
        let seen = (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        if seen == self.seen && metadata.len() == self.offset {
            return Ok(0);
        }
        self.seen = seen;
        if metadata.len() < self.offset || self.head_has_changed()? {
            self.restart(out);
        }
        let len = self.file.read_at(buf, self.offset)?;
        self.offset += len as u64;
        self.note_head(&buf[..len]);
        Ok(len)
    }

    fn head_has_changed(&self) -> io::Result<bool> {
        let mut now = [0; HEAD_BYTES_MAX];
        let now = &mut now[..self.head.len()];
        match self.file.read_exact_at(now, 0) {
            Ok(()) => Ok(now != &*self.head),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Keeps the first bytes of the file, which are those of `bytes` when it was read from its start.
    fn note_head(&mut self, bytes: &[u8]) {
        let start = self.offset - bytes.len() as u64;
        if start == self.head.len() as u64 {
            let room = HEAD_BYTES_MAX - self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// The file was truncated: it begins anew.
    fn restart(&mut self, out: &mut Vec<Entry>) {
        self.decoder.finish(out);
        self.offset = 0;
        self.existing = 0;
        self.head.clear();
        self.skips_line = false;
        self.skips_nul = true;
    }

    fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<Entry>) {
        let is_existing = self.offset <= self.existing;
        self.last_data = Instant::now();
        self.is_flushed = false;
        if self.skips_line {
            let Some(end) = bytes.iter().position(|b| *b == b'\n') else { return };
            self.skips_line = false;
            bytes = &bytes[end + 1..];
        }
        if self.skips_nul {
            let Some(start) = bytes.iter().position(|b| *b != 0) else { return };
            self.skips_nul = false;
            bytes = &bytes[start..];
        }
        let arrival = if is_existing { self.modified } else { Timestamp::now() };
        self.decoder.feed(bytes, arrival, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_begins_at_a_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "aaaa\nbbbb\ncccc\n").unwrap();
        for (existing_max, expected) in [
            (99, &["aaaa", "bbbb", "cccc"][..]),
            (15, &["aaaa", "bbbb", "cccc"]),
            (14, &["bbbb", "cccc"]),
            (10, &["bbbb", "cccc"]),
            (9, &["cccc"]),
            (1, &[]),
            (0, &[]),
        ] {
            let mut tail = Tail::open(&path, existing_max).unwrap();
            let mut entries = Vec::new();
            while tail.read(&mut [0; 3], &mut entries) {}
            tail.decoder.finish(&mut entries);
            let messages: Vec<_> = entries.iter().map(|entry| &*entry.message).collect();
            assert_eq!(messages, expected, "{existing_max}");
        }
    }

    #[test]
    fn a_hole_left_by_truncation_is_no_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "before\n").unwrap();
        let mut tail = Tail::open(&path, 99).unwrap();
        let mut entries = Vec::new();
        while tail.read(&mut [0; 64], &mut entries) {}
        // The writer goes on at its own place after another has cut the file.
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(b"after\n", 7).unwrap();
        while tail.read(&mut [0; 4], &mut entries) {}
        tail.decoder.finish(&mut entries);
        let messages: Vec<_> = entries.iter().map(|entry| &*entry.message).collect();
        assert_eq!(messages, ["before", "after"]);
    }
}
