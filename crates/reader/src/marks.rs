//! Named moments: `mark:NAME` wherever a time goes.
//!
//! Who investigates marks a moment, changes something, and asks for what came since. Marks lie beside
//! the recordings where there is a folder of them, in a file of lines, so that every process that
//! reads the folder knows them and they outlive all of them; else in memory.

use std::{
    fmt::Write as _,
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
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
    /// What it is called; letters, digits, `_`, `.` and `-`.
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
        "`name` is `{0}`; give 1 to {MARK_NAME_MAX} letters, digits, `_`, `.` or `-`, as in before-deploy"
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
        if name.is_empty() || name.len() > MARK_NAME_MAX || !name.chars().all(is_name) {
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
    /// How much of the file has been read, and of which.
    read: u64,
}

impl MarkList {
    /// Keeps marks in this folder from now on, with those that it holds.
    pub(crate) fn keep_in(&self, folder: &Path) {
        let mut state = self.state();
        state.file = Some(folder.join(FILE));
        state.read = 0;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a mark.
    ///
    /// # Errors
    /// When the file beside the recordings cannot be written; then it is not set.
    pub fn set(&self, mark: Mark) -> Result<(), MarkError> {
        let mut state = self.state();
        if state.file.is_some() {
            state.append(&mark)?;
            // What is read back is what counts.
            state.look();
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

    /// Reads what was added to the file since; all of it where it was written anew. What cannot be
    /// read is no mark: a mark is a convenience, and no question fails for it.
    fn look(&mut self) {
        let Some(path) = &self.file else { return };
        let Ok(mut file) = File::open(path) else { return };
        let len = file.metadata().map_or(0, |m| m.len());
        if len == self.read {
            return;
        }
        if len < self.read {
            (self.read, self.marks) = (0, Vec::new());
        }
        let mut text = Vec::new();
        let from = io::SeekFrom::Start(self.read);
        if file
            .seek(from)
            .and_then(|_| file.take(FILE_BYTES_MAX * 2).read_to_end(&mut text))
            .is_err()
        {
            return;
        }
        // A line that is being written is for the next look.
        let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        self.read += whole as u64;
        for line in String::from_utf8_lossy(&text[..whole]).lines() {
            if let Some(mark) = read_line(line) {
                self.add(mark);
            }
        }
    }

    fn append(&mut self, mark: &Mark) -> io::Result<()> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).mode(0o600).open(&path)?;
        file.lock()?;
        if file.metadata()?.len() > FILE_BYTES_MAX {
            self.look();
            self.add(mark.clone());
            let lines: String = self.marks.iter().map(written_line).collect();
            // In place, under the lock: another process may hold the file open.
            file.set_len(0)?;
            (&file).write_all(lines.as_bytes())?;
            self.read = 0;
            self.marks.clear();
            return Ok(());
        }
        (&file).write_all(written_line(mark).as_bytes())
    }
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
        for bad in ["", "a b", "a\"", "a)", "a\n", &"x".repeat(65)] {
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
}
