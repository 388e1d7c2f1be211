//! Named moments: `mark:NAME` wherever a time goes.
//!
//! Who investigates marks a moment, changes something, and asks for what came since. Marks lie beside
//! the recordings where there is a folder of them, in a file of lines, so that every process that
//! reads the folder knows them and they outlive all of them; else in memory.

use std::{
    fmt::Write as _,
    fs::{DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Seek, Write as _},
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use logrec_core::{Marks, Timestamp, shown};

/// Most marks kept; the oldest go first.
pub const MARKS_MAX: usize = 1000;
/// Longest name, in bytes.
pub const MARK_NAME_MAX: usize = 64;
/// Longest note, in bytes.
pub const MARK_NOTE_MAX: usize = 1000;
/// Its name in a folder of recordings.
const FILE: &str = "marks";
/// From this size on the file is written anew, with the marks that count.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A named moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it is called; letters, digits, `_`, `.` and `-`. A window is written FROM..TO: so no `..` is in it,
    /// and no `.` ends it.
    pub name: String,
    /// When it is.
    pub time: Timestamp,
    /// What it is about; may be empty.
    pub note: String,
}

/// A mark that cannot be set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MarkError {
    /// Of no or too many characters, or others than are allowed.
    #[error(
        "`name` is `{0}`; give 1 to {MARK_NAME_MAX} letters, digits, `_`, `.` or `-`, as in before-deploy, and no `..` or `.` at the end"
    )]
    Name(String),
    /// Too long.
    #[error("`note` has {0} bytes; give at most {MARK_NOTE_MAX}")]
    Note(usize),
    /// The file beside the recordings cannot be written.
    #[error("the mark cannot be kept beside the recordings: {0}")]
    Io(#[from] io::Error),
}

impl Mark {
    /// A mark, if its name and note can be kept.
    ///
    /// # Errors
    /// Says which cannot, and what would be right.
    pub fn new(name: &str, time: Timestamp, note: &str) -> Result<Self, MarkError> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        let is_range = name.contains("..") || name.ends_with('.');
        if name.is_empty() || name.len() > MARK_NAME_MAX || !name.chars().all(is_name) || is_range {
            return Err(MarkError::Name(shown(name)));
        }
        if note.len() > MARK_NOTE_MAX {
            return Err(MarkError::Note(note.len()));
        }
        Ok(Self { name: name.to_owned(), time, note: note.to_owned() })
    }
}

/// The marks there are. Setting one that exists moves it.
#[derive(Debug, Default)]
pub struct MarkList {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order they were set.
    marks: Vec<Mark>,
    file: Option<PathBuf>,
    /// The file that was read last, if it is not another by now. It is held open so that no other gets
    /// its number while we compare by that.
    seen: Option<File>,
    /// How much of it has been read.
    read: u64,
}

impl MarkList {
    /// Keeps marks in this folder from now on, with those that it holds.
    pub(crate) fn keep_in(&self, folder: &Path) {
        let mut state = self.state();
        state.file = Some(folder.join(FILE));
        state.forget();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a mark.
    ///
    /// # Errors
    /// When the file beside the recordings cannot be written, or does not give back what was; then it is not
    /// set.
    pub fn set(&self, mark: Mark) -> Result<(), MarkError> {
        let mut state = self.state();
        if state.file.is_some() {
            if let Err(error) = state.append(&mark) {
                // What there is, is in the file, if anywhere.
                state.forget();
                return Err(error.into());
            }
        } else {
            state.add(mark);
        }
        Ok(())
    }

    /// All marks, the last set first.
    #[must_use]
    pub fn all(&self) -> Vec<Mark> {
        let mut state = self.state();
        state.look();
        state.marks.iter().rev().cloned().collect()
    }
}

impl Marks for MarkList {
    fn time(&self, name: &str) -> Option<Timestamp> {
        self.all().into_iter().find(|mark| mark.name == name).map(|mark| mark.time)
    }

    fn names(&self) -> Vec<String> {
        self.all().into_iter().map(|mark| mark.name).collect()
    }
}

impl State {
    fn add(&mut self, mark: Mark) {
        self.marks.retain(|known| known.name != mark.name);
        if self.marks.len() == MARKS_MAX {
            self.marks.remove(0);
        }
        self.marks.push(mark);
    }

    /// As before anything was read.
    fn forget(&mut self) {
        (self.seen, self.read) = (None, 0);
        self.marks.clear();
    }

    /// Reads what was added to the file since; all of it where it was written anew. What cannot be
    /// read is no mark: a mark is a convenience, and no question fails for it.
    fn look(&mut self) {
        let Some(file) = self.file.as_ref().and_then(|path| File::open(path).ok()) else { return };
        let Ok(now) = file.metadata() else { return };
        let is_same = self.seen.as_ref().is_some_and(|seen| is_same_file(seen, &now));
        if !is_same || now.len() < self.read {
            self.forget();
        }
        while self.read < now.len() && self.look_on(&file) {}
        self.seen = Some(file);
    }

    /// Reads a piece of the file; whether it held anything whole.
    fn look_on(&mut self, mut file: &File) -> bool {
        let mut text = Vec::new();
        let piece = file.seek(io::SeekFrom::Start(self.read)).map(|_| file.take(FILE_BYTES_MAX));
        if piece.and_then(|mut piece| piece.read_to_end(&mut text)).is_err() {
            return false;
        }
        // A line that is being written is for the next look.
        let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        self.read += whole as u64;
        for line in String::from_utf8_lossy(&text[..whole]).lines() {
            if let Some(mark) = read_line(line) {
                self.add(mark);
            }
        }
        whole > 0
    }

    /// Writes a mark to the file, and reads it back.
    fn append(&mut self, mark: &Mark) -> io::Result<()> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        // Until all of it is read back no other process may add one.
        let _locked = self.write(&path, mark)?;
        self.look();
        // What others read is what counts.
        if self.marks.last() == Some(mark) {
            Ok(())
        } else {
            Err(io::Error::other("it is not there when read back"))
        }
    }

    /// The file, locked, with the mark behind all others.
    fn write(&mut self, path: &Path, mark: &Mark) -> io::Result<File> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = locked(path)?;
        let len = file.metadata()?.len();
        if len > FILE_BYTES_MAX {
            self.look();
            self.add(mark.clone());
            return self.replace(path, file);
        }
        let mut line = written_line(mark);
        let mut last = [0];
        // Who wrote last may not have come to the end of the line.
        if len > 0 && file.read_at(&mut last, len - 1)? == 1 && last != *b"\n" {
            line.insert(0, '\n');
        }
        (&file).write_all(line.as_bytes())?;
        Ok(file)
    }

    /// Another file in the place of the locked one, with the marks that count: who reads meanwhile has the
    /// one or the other, and knows that it is another.
    fn replace(&self, path: &Path, locked: File) -> io::Result<File> {
        let lines: String = self.marks.iter().map(written_line).collect();
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&new)?;
        file.lock()?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        drop(locked);
        Ok(file)
    }
}

/// Opens the file of marks, made if it is not there, and locks it: the one that lies there then, for
/// while we waited for the lock another may have taken its place.
fn locked(path: &Path) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).mode(0o600).open(path)?;
        file.lock()?;
        if std::fs::metadata(path).is_ok_and(|there| is_same_file(&file, &there)) {
            return Ok(file);
        }
    }
}

fn is_same_file(file: &File, other: &Metadata) -> bool {
    file.metadata().is_ok_and(|m| (m.dev(), m.ino()) == (other.dev(), other.ino()))
}

/// `NANOSECONDS TAB NAME TAB NOTE`, control characters of the note as Rust escapes them.
fn written_line(mark: &Mark) -> String {
    let mut line = format!("{}\t{}\t", mark.time.0, mark.name);
    for c in mark.note.chars() {
        if c.is_control() || c == '\\' {
            let _ = write!(line, "{}", c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

fn read_line(line: &str) -> Option<Mark> {
    let mut parts = line.splitn(3, '\t');
    let time = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let note = parts.next()?;
    let mut read = String::with_capacity(note.len());
    let mut chars = note.chars();
    while let Some(c) = chars.next() {
        read.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                c => c,
            },
            c => c,
        });
    }
    Mark::new(name, Timestamp(time), &read).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(name: &str, time: i64, note: &str) -> Mark {
        Mark::new(name, Timestamp(time), note).unwrap()
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let marks = MarkList::default();
        marks.set(mark("deploy", 5, "")).unwrap();
        marks.set(mark("fix", 7, "")).unwrap();
        marks.set(mark("deploy", 9, "again")).unwrap();
        assert_eq!(marks.time("deploy"), Some(Timestamp(9)));
        assert_eq!(marks.names(), ["deploy", "fix"]);
        assert_eq!(marks.time("nothing"), None);
        for n in 0..2000 {
            marks.set(mark(&format!("n{n}"), n, "")).unwrap();
        }
        assert_eq!(marks.all().len(), MARKS_MAX);
        assert_eq!(marks.names()[0], "n1999");
    }

    #[test]
    fn names_that_can_be_written_in_a_query() {
        for bad in ["", "a b", "a\"", "a)", "a\n", "a..b", "a.", &"x".repeat(65)] {
            assert!(matches!(Mark::new(bad, Timestamp(0), ""), Err(MarkError::Name(_))), "{bad}");
        }
        assert!(Mark::new("vör-dem_fix.2", Timestamp(0), "").is_ok());
        assert!(Mark::new("x", Timestamp(0), &"x".repeat(1001)).is_err());
    }

    #[test]
    fn two_readers_of_a_folder_know_each_others() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = [(); 2].map(|()| {
            let marks = MarkList::default();
            marks.keep_in(folder.path());
            marks
        });
        let note = "tab\there, line\nbreak, back\\slash, \u{7}, größe";
        one.set(mark("a", -5, note)).unwrap();
        assert_eq!(two.all(), [mark("a", -5, note)]);
        two.set(mark("b", 6, "")).unwrap();
        assert_eq!(one.names(), ["b", "a"]);
        // Lines that are none are passed over.
        let path = folder.path().join(FILE);
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"\xff\xff\nnonsense\n5\tno note\n7\tc\t\n8\tcut");
        std::fs::write(&path, text).unwrap();
        assert_eq!(one.names(), ["c", "b", "a"]);
    }

    #[test]
    fn the_file_is_written_anew_when_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = [(); 2].map(|()| {
            let marks = MarkList::default();
            marks.keep_in(folder.path());
            marks
        });
        let note = "x".repeat(MARK_NOTE_MAX);
        for n in 0..6000 {
            one.set(mark(&format!("n{}", n % 10), n, &note)).unwrap();
        }
        let len = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        assert!(len <= FILE_BYTES_MAX + 2000, "{len}");
        assert_eq!(one.all(), two.all());
        assert_eq!((one.all().len(), one.time("n9")), (10, Some(Timestamp(5999))));
    }

    #[test]
    fn a_line_that_was_cut_short_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "5\ta\t\n7\tcut").unwrap();
        let marks = MarkList::default();
        marks.keep_in(folder.path());
        marks.set(mark("b", 8, "whole")).unwrap();
        assert_eq!(marks.all(), [mark("b", 8, "whole"), mark("a", 5, "")]);
    }

    #[test]
    fn a_mark_that_is_not_kept_is_not_set() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.path().join(FILE)).unwrap();
        let marks = MarkList::default();
        marks.keep_in(folder.path());
        let error = marks.set(mark("a", 5, "")).unwrap_err();
        assert!(matches!(error, MarkError::Io(_)), "{error}");
        assert_eq!(marks.all(), []);
    }

    #[test]
    fn another_file_is_read_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let marks = MarkList::default();
        marks.keep_in(folder.path());
        marks.set(mark("a", 5, "")).unwrap();
        let new = folder.path().join("other");
        std::fs::write(&new, "6\tb\tlonger than the one before\n7\tc\t\n").unwrap();
        std::fs::rename(new, folder.path().join(FILE)).unwrap();
        assert_eq!(marks.names(), ["c", "b"]);
    }

    #[test]
    fn many_who_write_lose_none_while_the_file_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let note = "x".repeat(MARK_NOTE_MAX);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (folder, note) = (folder.path(), &note);
                scope.spawn(move || {
                    let marks = MarkList::default();
                    marks.keep_in(folder);
                    for n in 0..1500 {
                        marks.set(mark(&format!("w{writer}.{}", n % 10), n, note)).unwrap();
                    }
                });
            }
        });
        let marks = MarkList::default();
        marks.keep_in(folder.path());
        let mut all: Vec<(String, i64)> =
            marks.all().into_iter().map(|mark| (mark.name, mark.time.0)).collect();
        all.sort();
        let expected: Vec<(String, i64)> =
            (0..40).map(|i| (format!("w{}.{}", i / 10, i % 10), 1490 + i % 10)).collect();
        assert_eq!(all, expected);
        let len = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        assert!(len <= FILE_BYTES_MAX + 5000, "{len}");
    }
}
