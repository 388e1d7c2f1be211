//! [`Reader`]: the one type that answers, over any number of sources.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use jiff::tz::TimeZone;
use logrec_core::{
    Collector, Cursor, EntryId, Filter, Page, Query, RingId, RingStats, RowRef, Source, SourceInfo,
    Times, Timestamp, ring::Folder, source,
};

use crate::{
    answer::Answer,
    follow::Followers,
    marks::MarkList,
    params::{ParamError, Request},
    watched::Watched,
    wire,
};

/// Answers requests over the sources it was given. Cheap to clone; clones share the sources.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    sources: Arc<RwLock<Vec<Arc<dyn Source>>>>,
    watched: Arc<Mutex<Option<Watched>>>,
    marks: Arc<MarkList>,
}

impl Reader {
    /// A reader of these sources.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = Arc<dyn Source>>) -> Self {
        let sources = Arc::new(RwLock::new(sources.into_iter().collect()));
        Self { sources, ..Self::default() }
    }

    /// Adds a source: requests from now on see it.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// Also reads every recording in this folder, of processes alive and dead; those that come and go
    /// are noticed within a fifth of a second. A recording that is a source already is not read twice.
    /// Marks lie there too.
    pub fn watch(&self, folder: Folder) {
        self.marks.keep_in(folder.path());
        *self.watched() = Some(Watched::new(folder));
    }

    /// The named moments.
    #[must_use]
    pub fn marks(&self) -> &MarkList {
        &self.marks
    }

    /// How times are read that a client sends: from now back, without a zone as UTC, with these marks.
    #[must_use]
    pub fn times(&self) -> Times<'_> {
        static UTC: TimeZone = TimeZone::UTC;
        Times::new(Timestamp::now(), &UTC).with_marks(&*self.marks)
    }

    /// Reads the parameters of `GET /logs`.
    ///
    /// # Errors
    /// As [`Request::parse`].
    pub fn request<N: AsRef<str>, V: AsRef<str>>(
        &self,
        params: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Request, ParamError> {
        Request::parse(params, &self.times())
    }

    fn watched(&self) -> MutexGuard<'_, Option<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sources(&self) -> Vec<Arc<dyn Source>> {
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
        let (page, gone) = self.page(&request.query);
        Answer::new(request, page, gone)
    }

    /// What a query finds, and how many recordings its cursor names that are not here.
    ///
    /// A follower gets entries in the order they were recorded in: what was recorded before an entry
    /// it has got it has got, too, whatever lanes and sources they are in.
    pub(crate) fn page(&self, query: &Query) -> (Page, usize) {
        let sources = self.sources();
        let mut collector = Collector::new(query);
        // Sources without a clock of their own, as files, bound nothing.
        let latest = sources.iter().map(|source| source.progress().observed).max();
        if let Some(latest) = latest.filter(|t| query.after.is_some() && *t > Timestamp::MIN) {
            collector.recorded_until(latest);
        }
        for source in &sources {
            source.scan(&mut collector);
        }
        let read = query.after.iter().flat_map(|cursor| &cursor.read);
        let gone = read.filter(|(id, _)| sources.iter().all(|source| source.id() != *id)).count();
        (collector.finish(), gone)
    }

    /// A number that changes when there is something new: an entry in any source, or a source. Cheap.
    #[must_use]
    pub fn progress(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for source in self.sources() {
            (source.id(), source.progress().recorded).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Calls `visitor` with every entry that matches, whatever the query's limit, in no order. Whether
    /// all were looked at; otherwise the query's time limit ended it.
    pub fn visit(&self, query: &Query, visitor: &mut dyn FnMut(RowRef<'_>)) -> bool {
        let mut collector = Collector::visiting(query, visitor);
        for source in self.sources() {
            source.scan(&mut collector);
        }
        !collector.finish().gave_up
    }

    /// The page that holds this entry; an empty one if it is not there.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Page {
        let query = Query { filter: Filter::Ids(vec![id]), limit: 1, ..Query::default() };
        let mut collector = Collector::new(&query);
        for source in self.sources().iter().filter(|source| source.id() == id.ring) {
            source.scan(&mut collector);
        }
        collector.finish()
    }

    /// Whether this recording is among the sources.
    #[must_use]
    pub fn has(&self, recording: RingId) -> bool {
        self.sources().iter().any(|source| source.id() == recording)
    }

    /// The place behind all that there is now, for a follower who wants only what is new.
    #[must_use]
    pub fn end(&self) -> Cursor {
        let query = Query { limit: 0, after: Some(Cursor::default()), ..Query::default() };
        let mut collector = Collector::new(&query);
        for source in self.sources() {
            source.scan(&mut collector);
        }
        Cursor::read(collector.into_end())
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

    /// `GET /logs/stats` as JSON, where nobody follows.
    #[must_use]
    pub fn stats_json(&self) -> Vec<u8> {
        self.stats_json_with(&Followers::default())
    }

    /// `GET /logs/stats` as JSON, with the figures of those that follow.
    #[must_use]
    pub fn stats_json_with(&self, followers: &Followers) -> Vec<u8> {
        let sources = self.source_stats();
        let sum = source::sum(sources.iter().map(|(_, stats)| *stats));
        let end = if followers.shown.is_empty() { Cursor::default() } else { self.end() };
        let mut out = Vec::new();
        wire::stats(&mut out, &sum, &sources, followers, &end);
        out
    }

    /// Clears every source that can forget; how many entries that removed.
    pub fn clear(&self) -> u64 {
        self.sources().iter().map(|s| s.clear()).sum()
    }
}
