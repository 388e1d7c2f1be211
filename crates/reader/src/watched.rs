//! A folder of recordings, looked at anew when it is asked for and some time has passed. No thread: a
//! reader that nobody asks costs nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use logrec_core::ring::{Folder, Recording};

/// How long what was found is taken to be all there is.
const FRESH_FOR: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Watched {
    folder: Folder,
    looked: Option<Instant>,
    open: BTreeMap<PathBuf, Arc<Recording>>,
    /// Files that are no recordings; not tried again while they are there.
    refused: BTreeSet<PathBuf>,
}

impl Watched {
    pub(crate) const fn new(folder: Folder) -> Self {
        Self { folder, looked: None, open: BTreeMap::new(), refused: BTreeSet::new() }
    }

    /// The recordings there are.
    pub(crate) fn recordings(&mut self) -> impl Iterator<Item = Arc<Recording>> {
        if self.looked.is_none_or(|then| then.elapsed() >= FRESH_FOR) {
            self.look();
            self.looked = Some(Instant::now());
        }
        self.open.values().cloned()
    }

    fn look(&mut self) {
        let files: BTreeSet<PathBuf> = self.folder.files().into_iter().collect();
        self.open.retain(|path, _| files.contains(path));
        self.refused.retain(|path| files.contains(path));
        for path in files {
            if self.open.contains_key(&path) || self.refused.contains(&path) {
                continue;
            }
            match Recording::open(&path) {
                Ok(recording) => _ = self.open.insert(path, Arc::new(recording)),
                Err(_) => _ = self.refused.insert(path),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use logrec_core::{Entry, Level, Ring, RingOptions, Source, Timestamp};

    use super::*;
    use crate::Reader;

    #[test]
    fn recordings_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let own = Arc::new(Ring::create(dir.path(), "own", RingOptions::default()).unwrap());
        let reader = Reader::new([Arc::clone(&own) as Arc<dyn Source>]);
        reader.watch(Folder::new(dir.path()));
        std::fs::write(dir.path().join("no.ring"), "nonsense").unwrap();
        own.push(&Entry::new(Timestamp(1), Level::Info, "own"));
        assert_eq!(reader.source_stats().len(), 1, "its own is not read twice");
        let other = Ring::create(dir.path(), "other", RingOptions::default()).unwrap();
        other.push(&Entry::new(Timestamp(2), Level::Info, "other"));
        let entries = || reader.source_stats().iter().map(|(_, s)| s.entries).sum::<u64>();
        while entries() < 2 {
            std::thread::yield_now();
        }
        let path = other.path().unwrap().to_owned();
        drop(other);
        assert_eq!(entries(), 2, "the dead are read too");
        std::fs::remove_file(path).unwrap();
        while entries() > 1 {
            std::thread::yield_now();
        }
    }
}
