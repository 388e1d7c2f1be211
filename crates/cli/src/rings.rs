//! Recordings: the rings that applications keep in files, one a process, in a folder.
//!
//! What is shared by the commands that read them: which files they are, which folder is meant, and what
//! is said about one. The folder itself is `logrec-core`'s and the reading `logrec-reader`'s.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context;
use jiff::tz::TimeZone;
use logrec_core::{
    Timestamp,
    ring::{End, Folder, OpenError, Recording},
};
use logrec_reader::{Reader, text::Style};
use serde_json::Value;

use crate::{
    error::{FAILED, usage, with_code},
    filters::{AnyMark, check},
    say::say,
    show,
};

/// What a recording begins with, of whatever version.
const MAGIC: &[u8] = b"logrec\0";
/// How often dead recordings that are too old or too many are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Last entries shown of a process that did not end in good order.
const LAST_ENTRIES: &str = "3";

/// Whether a file that was named is a recording, by its name or by what it begins with. Of what can be
/// read only once, such as a pipe, nothing is read.
pub(crate) fn is_recording(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut head = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    (read.is_ok() && head == MAGIC) || path.extension().is_some_and(|ending| ending == "ring")
}

pub(crate) fn open(path: &Path) -> anyhow::Result<Arc<Recording>> {
    Recording::open(path).map(Arc::new).map_err(|error| with_code(error.to_string(), FAILED))
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) recordings: usize,
    pub(crate) running: usize,
    /// Files that are named as recordings and are none.
    pub(crate) refused: Vec<OpenError>,
}

impl Found {
    pub(crate) fn in_folder(folder: &Folder) -> Self {
        let mut found = Self::default();
        for path in folder.files() {
            match Recording::open(path) {
                Ok(recording) => {
                    found.recordings += 1;
                    found.running += usize::from(recording.end() == End::Running);
                }
                Err(error) => found.refused.push(error),
            }
        }
        found
    }

    /// How many there are, and how many files are none, for people.
    pub(crate) fn summary(&self) -> String {
        let count = self.count();
        match self.refused.len() {
            0 => count,
            1 => format!("{count}; 1 file cannot be read as one (logrec doctor names it)"),
            n => format!("{count}; {n} files cannot be read as one (logrec doctor names them)"),
        }
    }

    /// How many there are, for people.
    pub(crate) fn count(&self) -> String {
        let mut text = match self.recordings {
            0 => "no recording yet".to_owned(),
            1 => "1 recording".to_owned(),
            n => format!("{n} recordings"),
        };
        if self.recordings > 0 {
            let _ = write!(text, ", {} running", self.running);
        }
        text
    }
}

/// The folder that `--rings` names, or the default one; by its whole path, since stats show its files to
/// those who ask from elsewhere.
pub(crate) fn folder(named: Option<&Path>) -> Folder {
    let path = named.map_or_else(Folder::default_path, Path::to_owned);
    Folder::new(std::path::absolute(&path).unwrap_or(path))
}

/// Whether there is a folder that can be read.
pub(crate) fn readable(folder: &Folder) -> io::Result<()> {
    std::fs::read_dir(folder.path()).map(drop)
}

/// A reader of all recordings in the folder that `--rings` names; what it leaves out is said. A folder
/// that may yet come (`may_come`) need not be there.
pub(crate) fn reader(named: Option<&Path>, may_come: bool) -> anyhow::Result<Reader> {
    let folder = folder(named);
    match readable(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(usage(format!(
                "`--rings` is `{}`, which is no folder; a single recording is read as a FILE",
                folder.path().display()
            )));
        }
        Err(error) if named.is_some() && !may_come => {
            return Err(error)
                .with_context(|| format!("cannot read the folder {}", folder.path().display()));
        }
        Err(error) => say(&format!("no recordings in {}: {error}", folder.path().display())),
        Ok(()) => {
            for error in Found::in_folder(&folder).refused {
                say(&format!("left out: {error}"));
            }
        }
    }
    let reader = Reader::default();
    reader.watch(folder);
    Ok(reader)
}

/// Removes what is too old or too many, now and from time to time.
pub(crate) fn keep_pruned(folder: Folder) -> io::Result<()> {
    folder.prune(Timestamp::now());
    let work = move || {
        loop {
            thread::sleep(PRUNE_EVERY);
            folder.prune(Timestamp::now());
        }
    };
    thread::Builder::new().name("logrec-prune".to_owned()).spawn(work).map(drop)
}

/// The recordings among the sources of `GET /logs/stats`.
pub(crate) fn among(data: &Value) -> impl Iterator<Item = &Value> {
    data["sources"].as_array().into_iter().flatten().filter(|source| is_source(source))
}

/// Whether a source is a recording.
pub(crate) fn is_source(source: &Value) -> bool {
    source["kind"] == "recording"
}

/// Whether its process was killed, crashed, or went down with the machine.
pub(crate) fn is_unclean(source: &Value) -> bool {
    let state = source["state"].as_str();
    state.is_some_and(|state| state != "running" && source["ended"].is_null())
}

/// A recording among the sources of `GET /logs/stats` in one line: whose it is, how it stands, what is
/// in it.
pub(crate) fn line(source: &Value, style: &Style) -> String {
    let service = source["service"].as_str().filter(|name| !name.is_empty());
    let mut line = service.unwrap_or("(no service)").to_owned();
    if let Some(process) = source["process"].as_u64() {
        let _ = write!(line, ", process {process}");
    }
    let state = source["state"].as_str().unwrap_or("unknown");
    let _ = write!(line, ": {}", state.strip_prefix("ended: ").unwrap_or(state));
    if let Some(ended) = source["ended"].as_f64() {
        let _ = write!(line, " {}", show::time(ended, style));
    }
    if let Some(started) = source["started"].as_f64() {
        let _ = write!(line, "; started {}", show::time(started, style));
    }
    let entries = source["total_entries"].as_u64().unwrap_or(0);
    let _ = write!(line, "; {entries} {}", if entries == 1 { "entry" } else { "entries" });
    if let Some(newest) = source["newest_entry"].as_f64() {
        let _ = write!(line, ", the newest {} old", age(newest));
    }
    line
}

/// How long ago that was, for people.
pub(crate) fn age(seconds: f64) -> String {
    match Timestamp::now().as_epoch_seconds() - seconds {
        s if s < 120.0 => format!("{:.0} s", s.max(0.0)),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// The last entries of a recording, oldest first: time, level and message. None where the recording
/// cannot be read from here, or is no more that of this process.
pub(crate) fn last_entries(source: &Value, style: &Style) -> anyhow::Result<Vec<String>> {
    let Some(path) = source["name"].as_str().map(PathBuf::from) else { return Ok(Vec::new()) };
    let Ok(recording) = Recording::open(path) else { return Ok(Vec::new()) };
    if source["process"].as_u64() != Some(recording.process()) {
        return Ok(Vec::new());
    }
    let params = [("limit", LAST_ENTRIES), ("order", "asc")];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let request = check(&params, &TimeZone::UTC, &AnyMark)?;
    let reader = Reader::new([Arc::new(recording) as Arc<dyn logrec_core::Source>]);
    let answer = reader.answer(&request);
    let lines = answer.page().rows().map(|row| {
        let time = show::time(row.time.as_epoch_seconds(), style);
        format!("{time} {} {}", row.level.name(), row.record.message())
    });
    Ok(lines.collect())
}
