//! Rings in files: a recording that outlives its process, and that others read while it is written.
//!
//! One file a process, in a folder of the user's alone. The file is the ring's region as it stands
//! (see [`layout`](super::layout)), mapped by the writer and by every reader. While its process lives
//! the file is locked (`flock`), which the system undoes however the process ends; a mark in the header
//! says whether that was in good order.

use std::{
    cmp::Reverse,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::AtomicU32},
    time::Duration,
};

use rustix::fs::{FallocateFlags, OFlags, fallocate};

use super::{
    Position, Ring, RingId, RingOptions, RingStats, exit,
    layout::{BYTE_ORDER, Geometry, MAGIC, header, is_other_version},
    region::Region,
};
use crate::{Collector, NS_PER_S, Progress, Source, SourceInfo, Timestamp};

/// Ending of a recording's name.
const ENDING: &str = "ring";
/// Dead recordings of one service that are kept.
const KEPT_PER_SERVICE: usize = 10;
/// Words of the largest page that systems have.
const PAGE_WORDS: usize = (64 << 10) / 8;
/// How long a dead recording is kept.
const KEPT_FOR_NS: i64 = 24 * 3600 * NS_PER_S;
/// Most recordings that a folder is read for.
const RECORDINGS_MAX: usize = 1000;

/// Why a recording cannot be made. The application goes on without a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The folder cannot be made, or is open to others.
    #[error("the folder `{path}` cannot hold recordings: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be made: a full disk, a folder that may not be written.
    #[error("the recording `{path}` cannot be made: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a file cannot be read as a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refused.
    #[error("`{path}` cannot be read: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no recording, one of another version or byte order, or one whose header is damaged.
    #[error("`{path}` is no recording of this version of logrec: {why}", path = path.display())]
    NotARecording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// The file behind a ring that is being written.
#[derive(Debug)]
pub(super) struct Recorded {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Drop for Recorded {
    fn drop(&mut self) {
        exit::mark(&self.path);
    }
}

impl Ring {
    /// Makes a ring in a file of its own in `folder`, which is made 0700 if it is not there. All of the
    /// file's space is allocated now, so that a disk that fills up later harms nothing.
    ///
    /// # Errors
    /// When folder or file cannot be made. A caller then records into [`Ring::new`].
    pub fn create(folder: &Path, service: &str, options: RingOptions) -> Result<Self, CreateError> {
        let of_folder = |source| CreateError::Folder { path: folder.to_owned(), source };
        own_folder(folder).map_err(of_folder)?;
        Folder::new(folder).prune(Timestamp::now());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let geometry =
            Geometry::new(options.max_entries.max(1) as u64, options.max_bytes, processors);
        let name = format!("{}-{}-{:010x}", plain(service), std::process::id(), super::random_id());
        // Readers see it under its name once its header is whole.
        let unfinished = folder.join(format!("{name}.new"));
        let path = folder.join(format!("{name}.{ENDING}"));
        let made = Self::create_file(&unfinished, geometry, &options, service)
            .and_then(|made| fs::rename(&unfinished, &path).map(|()| made));
        let (mut ring, file) = made.map_err(|source| {
            let _ = fs::remove_file(&unfinished);
            CreateError::File { path: path.clone(), source }
        })?;
        exit::register(&path);
        ring.file = Some(Recorded { path, _file: file });
        Ok(ring)
    }

    fn create_file(
        path: &Path,
        geometry: Geometry,
        options: &RingOptions,
        service: &str,
    ) -> io::Result<(Self, File)> {
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        file.try_lock()?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let kept = options
            .for_errors()
            .map(|kept| (Geometry::new(kept.max_entries as u64, kept.max_bytes, processors), kept));
        // A mapping begins at a page.
        let errors_at = geometry.words().next_multiple_of(PAGE_WORDS);
        let words = kept.map_or(geometry.words(), |(kept, _)| errors_at + kept.words());
        let bytes = (words * 8) as u64;
        match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            // Some file systems cannot; there a disk that fills up ends the process.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(bytes)?,
            allocated => allocated?,
        }
        let region = Region::mapped(&file, true)?;
        for (i, word) in boot_id().into_iter().enumerate() {
            region.set(header::BOOT_ID + i, word);
        }
        let name = &service[..service.floor_char_boundary(header::SERVICE_BYTES_MAX)];
        region.set(header::SERVICE_LEN, name.len() as u64);
        region.write(header::SERVICE, name.as_bytes());
        let mut ring = Self::in_region(region, geometry, options.max_entry_bytes);
        if let Some((geometry, options)) = kept {
            let region = Region::mapped_from(&file, errors_at as u64, true)?;
            let errors = Self::in_region(region, geometry, options.max_entry_bytes);
            ring.region.set(header::ERRORS_AT, errors_at as u64);
            ring.errors = Some(Box::new(errors));
        }
        Ok((ring, file))
    }

    /// Where it is recorded; `None` for a ring in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|recorded| recorded.path.as_path())
    }
}

/// Makes the folder if need be, 0700. One that others may write to is refused; files are 0600 anyway.
fn own_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let metadata = fs::metadata(folder)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others may write to it; make it 0700",
        ));
    }
    Ok(())
}

/// A service's name as part of a file's.
fn plain(service: &str) -> String {
    let plain: String = service
        .chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '_' })
        .collect();
    if plain.trim_matches('.').is_empty() { "app".to_owned() } else { plain }
}

/// Two words that differ from one start of the machine to the next.
fn boot_id() -> [u64; 2] {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).collect();
    let half = |range: std::ops::Range<usize>| {
        digits.get(range).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)
    };
    [half(0..16), half(16..32)]
}

/// How a recording stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its process lives.
    Running,
    /// Its process exited in good order, then.
    Clean(Timestamp),
    /// Its process was killed, aborted, or went down with the machine.
    Unclean,
}

/// A recording, opened for reading: of a process that lives, or of one that is dead.
#[derive(Debug)]
pub struct Recording {
    ring: Ring,
    path: PathBuf,
    file: File,
    id: RingId,
    service: String,
    /// What was there when a reader cleared it: hidden from then on, from this reader's users.
    cleared: Mutex<Position>,
}

impl Recording {
    /// Opens a file. What it holds is not trusted: a damaged one reads as less, or as none.
    ///
    /// # Errors
    /// When it cannot be read, or its header is none of ours.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let path = path.into();
        let of_io = |source| OpenError::Io { path: path.clone(), source };
        // A pipe of that name must not hold its reader up.
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let open = OpenOptions::new().read(true).custom_flags(nonblocking).open(&path);
        let file = open.map_err(of_io)?;
        if !file.metadata().map_err(of_io)?.is_file() {
            return Err(OpenError::NotARecording { path, why: "it is no regular file" });
        }
        let region = match Region::mapped(&file, false) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(OpenError::NotARecording { path, why: "it is empty or too short" });
            }
            mapped => mapped.map_err(of_io)?,
        };
        let geometry = match check_header(&region) {
            Ok(geometry) => geometry,
            Err(why) => return Err(OpenError::NotARecording { path, why }),
        };
        let len = (region.get(header::SERVICE_LEN) as usize).min(header::SERVICE_BYTES_MAX);
        let mut service = Vec::new();
        region.read(header::SERVICE, len, &mut service);
        let service = String::from_utf8_lossy(&service).into_owned();
        let max_entry_bytes = region.get(header::MAX_ENTRY_BYTES) as usize;
        let errors = Self::open_errors(&file, region.get(header::ERRORS_AT));
        let ring = Ring {
            region,
            geometry,
            max_entry_bytes,
            file: None,
            trouble: None,
            errors,
            process: AtomicU32::default(),
        };
        Ok(Self { id: ring.id(), ring, path, file, service, cleared: Mutex::default() })
    }

    /// The ring of kept errors behind the main one. A damaged one is none.
    fn open_errors(file: &File, at: u64) -> Option<Box<Ring>> {
        let region = (at > 0).then(|| Region::mapped_from(file, at, false).ok()).flatten()?;
        let geometry = check_header(&region).ok()?;
        let max_entry_bytes = region.get(header::MAX_ENTRY_BYTES) as usize;
        let ring = Ring {
            region,
            geometry,
            max_entry_bytes,
            file: None,
            trouble: None,
            errors: None,
            process: AtomicU32::default(),
        };
        Some(Box::new(ring))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the service that recorded it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Number of the process that recorded it.
    #[must_use]
    pub fn process(&self) -> u64 {
        self.ring.region.get(header::PROCESS)
    }

    /// When recording began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        Timestamp(self.ring.region.get(header::STARTED).cast_signed())
    }

    /// Whether its process lives, and if not, how it ended. Asks the system.
    #[must_use]
    pub fn end(&self) -> End {
        match self.file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => return End::Running,
            Ok(()) => _ = self.file.unlock(),
            Err(TryLockError::Error(_)) => {}
        }
        match self.ring.region.get(header::ENDED).cast_signed() {
            0 => End::Unclean,
            then => End::Clean(Timestamp(then)),
        }
    }

    /// The ring, which may only be read.
    #[must_use]
    pub const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Whether all of the file is still there. Memory beyond the end of a file that was cut short must
    /// not be touched: it would end this process. Asked before each use, which leaves the time between;
    /// see [`region`](super::region).
    fn is_whole(&self) -> bool {
        let bytes = (self.ring.geometry.words() * 8) as u64;
        let errors = self.ring.errors.as_ref().map_or(0, |errors| {
            let at = self.ring.geometry.words().next_multiple_of(PAGE_WORDS);
            ((at + errors.geometry.words()) * 8) as u64
        });
        self.file.metadata().is_ok_and(|metadata| metadata.len() >= bytes.max(errors))
    }

    fn cleared(&self) -> Position {
        self.cleared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn check_header(region: &Region) -> Result<Geometry, &'static str> {
    if region.len() < super::layout::HEADER_WORDS {
        return Err("it is too short");
    }
    match region.get(header::MAGIC) {
        MAGIC => {}
        word if is_other_version(word) => return Err("another version of logrec made it"),
        _ => return Err("it does not begin as one"),
    }
    if region.get(header::BYTE_ORDER) != BYTE_ORDER {
        return Err("it was written on a machine of the other byte order");
    }
    Geometry::of_header(|word| region.get(word), region.len())
        .ok_or("its header is damaged, or its end is missing")
}

impl Source for Recording {
    fn id(&self) -> RingId {
        self.id
    }

    fn info(&self) -> SourceInfo {
        let whole = self.is_whole();
        SourceInfo {
            service: Some(self.service.clone()),
            process: whole.then(|| self.process()),
            started: whole.then(|| self.started()),
            end: whole.then(|| self.end()),
            trouble: (!whole).then(|| "the file was cut short; nothing of it is read".to_owned()),
            ..SourceInfo::new("recording", self.path.display().to_string())
        }
    }

    fn scan(&self, collector: &mut Collector<'_>) {
        if self.is_whole() {
            collector.ring_after(&self.ring, &self.cleared());
        }
    }

    fn entries_at_most(&self) -> u64 {
        self.ring.max_entries()
    }

    fn progress(&self) -> Progress {
        if self.is_whole() {
            self.ring.progress()
        } else {
            Progress { recorded: 0, observed: Timestamp(i64::MIN) }
        }
    }

    fn stats(&self) -> RingStats {
        if self.is_whole() { self.ring.stats_after(&self.cleared()) } else { RingStats::default() }
    }

    fn clear(&self) -> u64 {
        if !self.is_whole() {
            return 0;
        }
        let mut cleared = self.cleared.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = self.ring.snapshot_after(&cleared);
        *cleared = snapshot.end().clone();
        snapshot.entries() + super::kept::Kept::of(&snapshot).map_or(0, |kept| kept.entries())
    }
}

/// A folder of recordings.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Names a folder; it need not be there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder that is used unless another is named: `LOGREC_RINGS`, else `logrec` in the user's
    /// runtime folder, else in the user's state folder, else one of the user's in the temporary one.
    #[must_use]
    pub fn default_path() -> PathBuf {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(rings) = set("LOGREC_RINGS") {
            return rings;
        }
        if let Some(runtime) = set("XDG_RUNTIME_DIR").filter(|path| path.is_dir()) {
            return runtime.join("logrec");
        }
        let state =
            set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
        state.map_or_else(
            || {
                let user = rustix::process::geteuid().as_raw();
                std::env::temp_dir().join(format!("logrec-{user}"))
            },
            |state| state.join("logrec"),
        )
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Files in it that are named as recordings, sorted by name. Empty when there is no folder.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
            .take(RECORDINGS_MAX)
            .collect();
        files.sort_unstable();
        files
    }

    /// Removes dead recordings that are too old or too many; see the constants above. Those that
    /// cannot be read as recordings stay.
    pub fn prune(&self, now: Timestamp) {
        let mut dead: Vec<(String, Reverse<Timestamp>, PathBuf)> = Vec::new();
        for path in self.files() {
            let Ok(recording) = Recording::open(&path) else { continue };
            let last = match recording.end() {
                End::Running => continue,
                End::Clean(then) => then,
                End::Unclean => {
                    recording.ring.stats().newest.unwrap_or_else(|| recording.started())
                }
            };
            dead.push((recording.service, Reverse(last), path));
        }
        dead.sort_unstable();
        let mut same = 0;
        for i in 0..dead.len() {
            let (service, Reverse(last), path) = &dead[i];
            same = if i > 0 && dead[i - 1].0 == *service { same + 1 } else { 0 };
            if same >= KEPT_PER_SERVICE || now.0.saturating_sub(last.0) > KEPT_FOR_NS {
                // Another process may have removed it just now.
                let _ = fs::remove_file(path);
            }
        }
        self.remove_unfinished(now);
    }

    /// Removes what a process left that was killed while it made a recording.
    fn remove_unfinished(&self, now: Timestamp) {
        const MINUTE: Duration = Duration::from_secs(60);
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        for entry in entries.flatten().take(RECORDINGS_MAX) {
            let path = entry.path();
            let old = entry.metadata().ok().is_some_and(|metadata| {
                now.0 / NS_PER_S - metadata.mtime() > MINUTE.as_secs().cast_signed()
            });
            if old && path.extension().is_some_and(|ending| ending == "new") {
                let _ = fs::remove_file(path);
            }
        }
    }
}
