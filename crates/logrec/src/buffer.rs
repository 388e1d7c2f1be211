//! [`LogBuffer`]: the handle a program holds.

use std::sync::Arc;

use logrec_core::{
    Entry, Query, Ring, RingOptions, RingStats, Seq, Timestamp, record::RecordWriter,
};

use crate::LogrecLayer;

/// The newest entries a program logged, in bounded memory. Cheap to clone; clones share the entries.
///
/// ```
/// use logrec::{Entry, Level, LogBuffer, Timestamp};
/// let buffer = LogBuffer::new();
/// buffer.push(&Entry::new(Timestamp::now(), Level::Info, "started"));
/// assert_eq!(buffer.stats().entries, 1);
/// assert_eq!(buffer.clear(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct LogBuffer {
    ring: Arc<Ring>,
    service: Option<Arc<str>>,
    process: Option<u64>,
    /// What answers over HTTP, made when it is first wanted.
    #[cfg(feature = "server")]
    app: Arc<std::sync::OnceLock<logrec_server::App>>,
}

impl Default for LogBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl LogBuffer {
    /// A buffer of [`DEFAULT_MAX_ENTRIES`](crate::DEFAULT_MAX_ENTRIES) (2000) entries in at most 4 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(RingOptions::default())
    }

    /// A buffer of another size.
    #[must_use]
    pub fn with_options(options: RingOptions) -> Self {
        Self::of(Ring::new(options))
    }

    /// A buffer that is recorded into a file of its own in `folder`, so that the entries outlive the
    /// process, whatever ends it, and `logrec serve` shows them while it lives. Entries are stamped with
    /// `service` and the process's number.
    ///
    /// The folder is made 0700 if it is not there; [`Folder::default_path`](crate::Folder::default_path)
    /// is where `logrec serve` looks unless told otherwise. When the file cannot be made (a full disk, a
    /// folder that may not be written) the buffer is in memory as any other, standard error is told once,
    /// and [`LogBuffer::trouble`] says why.
    #[must_use]
    pub fn recording(folder: impl AsRef<std::path::Path>, service: &str) -> Self {
        Self::recording_with(folder, service, RingOptions::default())
    }

    /// As [`LogBuffer::recording`], of another size.
    #[must_use]
    pub fn recording_with(
        folder: impl AsRef<std::path::Path>,
        service: &str,
        options: RingOptions,
    ) -> Self {
        let process = Some(std::process::id().into());
        Self { process, ..Self::of(Ring::recording(folder.as_ref(), service, options)) }
            .service(service)
    }

    fn of(ring: Ring) -> Self {
        Self {
            ring: Arc::new(ring),
            service: None,
            process: None,
            #[cfg(feature = "server")]
            app: Arc::default(),
        }
    }

    #[cfg(feature = "server")]
    pub(crate) fn app(&self) -> &logrec_server::App {
        self.app.get_or_init(|| logrec_server::App::new(Arc::clone(&self.ring)))
    }

    /// Why the entries are in memory only, where [`LogBuffer::recording`] was to put them into a file.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.ring.trouble()
    }

    /// This buffer, stamping entries that name no service of their own with `name`. Layers and
    /// loggers made before are not changed, nor are entries recorded before.
    #[must_use]
    pub fn service(self, name: impl Into<Arc<str>>) -> Self {
        Self { service: Some(name.into()), ..self }
    }

    /// A layer that records every event it is shown into this buffer. Give it a filter with
    /// `Layer::with_filter`, or none: what it costs an application is in `docs/benchmarks.md`.
    #[must_use]
    pub fn layer(&self) -> LogrecLayer {
        LogrecLayer::new(self.clone())
    }

    /// The ring the entries are in.
    #[must_use]
    pub const fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Records an entry that is made already. Never waits, never fails; see [`Ring::push`].
    pub fn push(&self, entry: &Entry) -> Option<Seq> {
        let observed = Timestamp::now();
        self.ring.record(entry.timestamp, observed, entry.level, |writer| {
            writer.entry(entry);
            self.stamp_unless(writer, entry.service.is_some(), entry.process.is_some());
        })
    }

    /// The entries that a query asks for: the newest [`Query::limit`] that match, in its order.
    ///
    /// ```
    /// use logrec::{Entry, Filter, Level, LevelSet, LogBuffer, Query, Timestamp};
    /// let buffer = LogBuffer::new();
    /// for level in Level::ALL {
    ///     buffer.push(&Entry::new(Timestamp::now(), level, "said"));
    /// }
    /// let filter = Filter::Levels(LevelSet::at_least(Level::Warning));
    /// let entries = buffer.entries(&Query { filter, limit: 2, ..Query::default() });
    /// let levels: Vec<_> = entries.iter().map(|entry| entry.level).collect();
    /// assert_eq!(levels, [Level::Critical, Level::Error]);
    /// ```
    ///
    /// Copies each entry; [`Ring::query`] on [`LogBuffer::ring`] lends them, with their names and
    /// cursors. Writers do not wait meanwhile.
    #[must_use]
    pub fn entries(&self, query: &Query) -> Vec<Entry> {
        self.ring.query(query).rows().map(|row| row.to_entry()).collect()
    }

    /// Figures at this moment.
    #[must_use]
    pub fn stats(&self) -> RingStats {
        self.ring.stats()
    }

    /// Removes all entries, and says how many there were.
    #[expect(clippy::must_use_candidate, reason = "the count is often of no interest")]
    pub fn clear(&self) -> u64 {
        self.ring.clear()
    }

    /// Writes what every entry of this buffer bears.
    #[inline]
    pub(crate) fn stamp(&self, writer: &mut RecordWriter<'_>) {
        self.stamp_unless(writer, false, false);
    }

    #[inline]
    fn stamp_unless(&self, writer: &mut RecordWriter<'_>, service: bool, process: bool) {
        if let (Some(name), false) = (&self.service, service) {
            writer.service(name);
        }
        if let (Some(id), false) = (self.process, process) {
            writer.process(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use logrec_core::Level;

    use super::*;
    use crate::testing::entries;

    #[test]
    fn clones_share_entries_and_service_stamps_those_without_one() {
        let plain = LogBuffer::new();
        let stamped = plain.clone().service("shop");
        let mut entry = Entry::new(Timestamp(5), Level::Error, "one");
        plain.push(&entry);
        stamped.push(&entry);
        entry.service = Some("other".into());
        stamped.push(&entry);
        let services: Vec<_> = entries(&plain).into_iter().map(|e| e.service).collect();
        assert_eq!(services, [None, Some("shop".into()), Some("other".into())]);
        assert_eq!(entries(&stamped)[1].timestamp, Timestamp(5));
        assert_eq!(plain.clear(), 3);
        assert_eq!(stamped.stats().entries, 0);
    }

    #[test]
    fn options_bound_the_buffer() {
        let buffer = LogBuffer::with_options(RingOptions::with_max_entries(3));
        for n in 0..10 {
            buffer.push(&Entry::new(Timestamp(n), Level::Info, n.to_string()));
        }
        let messages: Vec<_> = entries(&buffer).into_iter().map(|e| e.message).collect();
        assert_eq!(messages, ["7", "8", "9"]);
        assert_eq!(LogBuffer::default().stats().max_entries, 2000);
    }

    #[test]
    fn a_recording_is_in_a_file_or_says_why_not() {
        let dir = tempfile::tempdir().unwrap();
        let buffer = LogBuffer::recording(dir.path().join("rings"), "shop");
        assert_eq!(buffer.trouble(), None);
        buffer.push(&Entry::new(Timestamp(5), Level::Error, "one"));
        let path = buffer.ring().path().unwrap().to_owned();
        drop(buffer);
        let recording = logrec_core::ring::Recording::open(path).unwrap();
        let page = recording.ring().query(&Query::default());
        let entry = page.rows().next().unwrap().to_entry();
        let own = u64::from(std::process::id());
        assert_eq!((entry.service.as_deref(), entry.process), (Some("shop"), Some(own)));

        std::fs::write(dir.path().join("file"), "in the way").unwrap();
        let buffer = LogBuffer::recording(dir.path().join("file"), "shop");
        assert!(buffer.trouble().unwrap().contains("cannot hold recordings"));
        buffer.push(&Entry::new(Timestamp(5), Level::Error, "kept in memory"));
        assert_eq!(buffer.stats().entries, 1);
    }
}
