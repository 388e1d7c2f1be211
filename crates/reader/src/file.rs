//! A log file as a source: read and recognised anew for each question, in constant memory.
//!
//! For `logrec logs FILE`. A server follows its files into the ring instead. A question may read a source
//! several times, so what can be read once only (a pipe) must be kept first: see [`LogFile::of`].

use std::{
    fs::{File, Metadata},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::mpsc,
};

use logrec_core::{
    Collector, Entry, Position, Progress, RingId, RingStats, Seq, Source, SourceInfo, Timestamp,
    record::{RECORD_BYTES_MAX, RecordWriter},
};
use logrec_decode::{LineDecoder, Origin};

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;
/// Files of so many bytes are decoded in a thread of their own.
const THREAD_BYTES_MIN: u64 = 4 << 20;
/// Batches of a read's entries that are decoded and wait for being looked at.
const BATCHES_MAX: usize = 8;

/// A file of log lines, in any form that `logrec-decode` recognises. Times without a zone are read in
/// this machine's.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    /// The file itself where its path does not lead to it.
    held: Option<File>,
    id: RingId,
    /// What lines without a time of their own bear: when the file was last written.
    modified: Timestamp,
}

impl LogFile {
    /// Names a file. It is opened when read; that it can be is checked now.
    ///
    /// # Errors
    /// When it cannot be opened or is a folder.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        Ok(Self::new(path, None, &metadata))
    }

    /// A file that is held open and may have no path, such as a temporary one with what a pipe gave. It is
    /// called `name`, and read from its beginning wherever it stands.
    ///
    /// # Errors
    /// When the system does not tell of it.
    pub fn of(file: File, name: impl Into<PathBuf>) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self::new(name.into(), Some(file), &metadata))
    }

    fn new(path: PathBuf, held: Option<File>, metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|t| {
            let since = t.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_nanos()).ok().map(Timestamp)
        });
        // The same path has the same id in another process, so that cursors go on holding.
        let id = BuildHasherDefault::<DefaultHasher>::default().hash_one(&path);
        let modified = modified.unwrap_or_else(Timestamp::now);
        Self { path, held, id: RingId(id >> 24), modified }
    }

    /// Reads all of it. An error on the way ends it there: what was read counts.
    fn each(&self, see: impl FnMut(u64, &Entry)) {
        let len = |file: &File| file.metadata().map_or(0, |metadata| metadata.len());
        if let Some(file) = &self.held {
            self.each_of(FromStart { file, at: 0 }, len(file), see);
        } else if let Ok(file) = File::open(&self.path) {
            let len = len(&file);
            self.each_of(file, len, see);
        }
    }

    /// Of many bytes the lines are decoded in a thread of their own, a few batches ahead of `see`: the two
    /// take about as long.
    fn each_of(&self, bytes: impl Read + Send, len: u64, mut see: impl FnMut(u64, &Entry)) {
        let mut n = 0;
        let mut drain = |entries: &mut Vec<Entry>| {
            for entry in entries.drain(..) {
                see(n, &entry);
                n += 1;
            }
        };
        if len < THREAD_BYTES_MIN {
            self.decode(bytes, |mut entries| {
                drain(&mut entries);
                Some(entries)
            });
            return;
        }
        std::thread::scope(|scope| {
            let (sender, batches) = mpsc::sync_channel::<Vec<Entry>>(BATCHES_MAX);
            let decode =
                move || self.decode(bytes, |batch| sender.send(batch).ok().map(|()| Vec::new()));
            scope.spawn(decode);
            batches.into_iter().for_each(|mut batch| drain(&mut batch));
        });
    }

    /// Decodes in batches. Each is given to `give`, which gives back what to put the next in, or
    /// `None` to end it.
    fn decode(&self, bytes: impl Read, mut give: impl FnMut(Vec<Entry>) -> Option<Vec<Entry>>) {
        let mut decoder = LineDecoder::new(Origin::File).with_zone(jiff::tz::TimeZone::system());
        let mut entries = Vec::new();
        let mut bytes = BufReader::with_capacity(READ_BYTES, bytes);
        let mut buf = vec![0; READ_BYTES];
        while let Ok(len @ 1..) = bytes.read(&mut buf) {
            decoder.feed(&buf[..len], self.modified, &mut entries);
            let Some(next) = give(entries) else { return };
            entries = next;
        }
        decoder.finish(&mut entries);
        give(entries);
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has now.
    fn len(&self) -> u64 {
        let metadata = match &self.held {
            Some(file) => file.metadata(),
            None => std::fs::metadata(&self.path),
        };
        metadata.map_or(0, |m| m.len())
    }
}

/// Reads a file from its beginning by positions of its own: one that is held open has one place, and
/// may be read by several at once.
#[derive(Debug)]
struct FromStart<'f> {
    file: &'f File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.file.read_at(buf, self.at)?;
        self.at += len as u64;
        Ok(len)
    }
}

/// Entries of a file are numbered in one lane.
const fn seq(n: u64) -> Seq {
    Seq::new(0, n)
}

impl Source for LogFile {
    fn id(&self) -> RingId {
        self.id
    }

    fn info(&self) -> SourceInfo {
        SourceInfo::new("file", self.path.display().to_string())
    }

    fn scan(&self, collector: &mut Collector<'_>) {
        let mut record = Vec::new();
        let mut end = 0;
        self.each(|n, entry| {
            end = n + 1;
            let mut writer = RecordWriter::new(&mut record, RECORD_BYTES_MAX);
            writer.entry(entry);
            writer.finish();
            collector.record(self.id, seq(n), entry.timestamp, entry.level, &record);
        });
        collector.source_end(self.id, Position(vec![end]));
    }

    fn entries_at_most(&self) -> u64 {
        // A line has two bytes at the least.
        self.len() / 2
    }

    fn progress(&self) -> Progress {
        Progress { recorded: self.len(), observed: Timestamp(i64::MIN) }
    }

    fn stats(&self) -> RingStats {
        let mut stats = RingStats::default();
        self.each(|_, entry| {
            stats.entries += 1;
            stats.recorded += 1;
            stats.levels[usize::from(entry.level.index())] += 1;
            let t = entry.timestamp;
            stats.oldest = Some(stats.oldest.map_or(t, |oldest| oldest.min(t)));
            stats.newest = Some(stats.newest.map_or(t, |newest| newest.max(t)));
        });
        stats.max_entries = stats.entries;
        stats.bytes = self.len();
        stats.max_bytes = stats.bytes;
        stats
    }

    fn clear(&self) -> u64 {
        0
    }
}
