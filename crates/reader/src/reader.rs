//! [`Reader`]: the one type that answers, over any number of sources.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use logrec_core::{Collector, Query, RingId, RingStats, Source, SourceInfo, ring::Folder, source};

use crate::{answer::Answer, params::Request, watched::Watched, wire};

/// Answers requests over the sources it was given. Cheap to clone; clones share the sources.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    sources: Arc<RwLock<Vec<Arc<dyn Source>>>>,
    watched: Arc<Mutex<Option<Watched>>>,
}

impl Reader {
    /// A reader of these sources.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = Arc<dyn Source>>) -> Self {
        let sources = Arc::new(RwLock::new(sources.into_iter().collect()));
        Self { sources, watched: Arc::default() }
    }

    /// Adds a source: requests from now on see it.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// Also reads every recording in this folder, of processes alive and dead; those that come and go
    /// are noticed within a fifth of a second. A recording that is a source already is not read twice.
    pub fn watch(&self, folder: Folder) {
        *self.watched() = Some(Watched::new(folder));
    }

    fn watched(&self) -> MutexGuard<'_, Option<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sources(&self) -> Vec<Arc<dyn Source>> {
        let mut all = self.sources.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watched) = &mut *self.watched() {
            let own: Vec<RingId> = all.iter().map(|source| source.id()).collect();
            let found = watched.recordings().filter(|recording| !own.contains(&recording.id()));
            all.extend(found.map(|recording| recording as Arc<dyn Source>));
        }
        all
    }

    /// Answers a request. Waits for nothing: waiting for something new is the surface's business.
    #[must_use]
    pub fn answer<'r>(&self, request: &'r Request) -> Answer<'r> {
        let sources = self.sources();
        let mut collector = Collector::new(&request.query);
        for source in &sources {
            source.scan(&mut collector);
        }
        let read = request.query.after.iter().flat_map(|cursor| &cursor.read);
        let gone = read.filter(|(id, _)| sources.iter().all(|source| source.id() != *id)).count();
        Answer::new(request, collector.finish(), gone)
    }

    /// The place behind all that there is now, for a follower who wants only what is new.
    #[must_use]
    pub fn end(&self) -> logrec_core::Cursor {
        let query =
            Query { limit: 0, after: Some(logrec_core::Cursor::default()), ..Query::default() };
        let mut collector = Collector::new(&query);
        for source in self.sources() {
            source.scan(&mut collector);
        }
        logrec_core::Cursor::read(collector.into_end())
    }

    /// An upper bound on the entries that an answer looks through; cheap.
    #[must_use]
    pub fn entries_at_most(&self) -> u64 {
        self.sources().iter().map(|s| s.entries_at_most()).sum()
    }

    /// Figures of each source.
    #[must_use]
    pub fn source_stats(&self) -> Vec<(SourceInfo, RingStats)> {
        self.sources().iter().map(|s| (s.info(), s.stats())).collect()
    }

    /// `GET /logs/stats` as JSON.
    #[must_use]
    pub fn stats_json(&self) -> Vec<u8> {
        let sources = self.source_stats();
        let sum = source::sum(sources.iter().map(|(_, stats)| *stats));
        let mut out = Vec::new();
        wire::stats(&mut out, &sum, &sources);
        out
    }

    /// Clears every source that can forget; how many entries that removed.
    pub fn clear(&self) -> u64 {
        self.sources().iter().map(|s| s.clear()).sum()
    }
}
