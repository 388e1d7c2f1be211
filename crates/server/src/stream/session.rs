//! [`Session`]: what a stream says and understands, without the wire it goes over.
//!
//! Whoever carries it asks for the [`next`](Session::next) message when the last is sent, and hands on what
//! the client says ([`receive`](Session::receive)). It holds the messages of one read and so many unread
//! words of the client, and nothing that grows.

use std::{
    collections::VecDeque,
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use logrec_core::{Cursor, RowRef, Timestamp};
use logrec_reader::{Batch, Follower, Reader, Step, Subscription, messages};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{Slot, command::Command};
use crate::http::INLINE_ENTRIES_MAX;

/// Words of the client that are not obeyed yet.
const INBOX_MAX: usize = 16;
/// A message of entries is ended once it has so many bytes; an entry is never divided. Who reads 64 kB in the
/// time that a write may take is not cut off.
const MESSAGE_BYTES: usize = 64 << 10;
/// The `id` of an event is left out where it is longer, but for the last event of a read.
const ID_BYTES_MAX: usize = 256;
/// How soon an `EventSource` comes back, in milliseconds.
const RETRY_MS: u32 = 2000;

/// Reads of large rings that go on at once, over all streams; each has a thread meanwhile.
static READS: Semaphore = Semaphore::const_new(8);

/// In which form it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON objects, one a message.
    Messages,
    /// Server-sent events.
    Events,
}

/// One stream.
#[derive(Debug)]
pub struct Session {
    reader: Reader,
    reading: Reading,
    slot: Slot,
    form: Form,
    heartbeat: Duration,
    /// When something must have been said again.
    quiet_until: Instant,
    /// What is to be said next: the messages of one read, and answers to the client.
    pub(super) pending: VecDeque<Pending>,
    inbox: VecDeque<Result<Command, String>>,
    paused: bool,
    /// Whether the last read left something to read.
    behind: bool,
    /// Those who may end it.
    endings: Vec<watch::Receiver<bool>>,
}

/// Where the follower is.
#[derive(Debug)]
enum Reading {
    Here(Box<Follower>),
    /// On a thread where it holds up nobody.
    Away(JoinHandle<Read>),
    /// Its thread panicked.
    Lost,
}

type Read = (Box<Follower>, VecDeque<Pending>, bool);

#[derive(Debug)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    data: Option<Data>,
}

/// Of what was read, as against what answers the client.
#[derive(Debug)]
struct Data {
    /// Where to go on instead of saying it.
    before: Cursor,
    /// Up to where it tells.
    after: Cursor,
    entries: u64,
    missed: u64,
}

impl Session {
    pub(super) fn new(
        reader: Reader,
        follower: Follower,
        slot: Slot,
        form: Form,
        heartbeat: Duration,
        server: Option<watch::Receiver<bool>>,
    ) -> Self {
        let endings = server.into_iter().chain([slot.streams.ending.subscribe()]).collect();
        let heartbeat_ms = u64::try_from(heartbeat.as_millis()).unwrap_or(u64::MAX);
        let hello = messages::hello(follower.applied(), heartbeat_ms, follower.cursor());
        let bytes = match form {
            Form::Messages => hello,
            Form::Events => {
                let mut bytes = format!("retry: {RETRY_MS}\n").into_bytes();
                event(&mut bytes, "hello", Some(&follower.cursor().to_string()), &hello);
                bytes
            }
        };
        let mut session = Self {
            reader,
            reading: Reading::Here(Box::new(follower)),
            slot,
            form,
            heartbeat,
            quiet_until: Instant::now() + heartbeat,
            pending: VecDeque::from([Pending { bytes, data: None }]),
            inbox: VecDeque::new(),
            paused: false,
            behind: true,
            endings,
        };
        session.note_cursor();
        session
    }

    /// Whether [`receive`](Self::receive) may be called. While it may not, nothing should be read from the
    /// client; it may again once [`next`](Self::next) was waited for.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.inbox.len() < INBOX_MAX
    }

    /// What the client said: JSON, see docs/api.md. What cannot be understood is answered with an error, and
    /// the stream goes on.
    pub fn receive(&mut self, text: &str) {
        if self.has_room() {
            self.inbox.push_back(Command::parse(text));
        }
    }

    /// The next message: UTF-8, whole. `None` is the end of the stream: the server ends.
    ///
    /// Waits for as long as there is nothing to say. Nothing is lost when it is given up and called again.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if self.endings.iter().any(|ending| *ending.borrow()) {
                return None;
            }
            self.come_home().await?;
            // One after the other, so that no answers gather for a client that does not read them.
            if self.pending.iter().all(|pending| pending.data.is_some())
                && let Some(command) = self.inbox.pop_front()
            {
                self.obey(command);
                continue;
            }
            if let Some(pending) = self.pending.pop_front() {
                self.note(&pending);
                self.quiet_until = Instant::now() + self.heartbeat;
                return Some(pending.bytes);
            }
            let mut ticket = self.slot.streams.pulse.ticket();
            if !self.paused {
                self.read().await;
                if self.behind || !self.pending.is_empty() || !self.is_home() {
                    continue;
                }
            }
            let streams = &self.slot.streams;
            tokio::select! {
                () = any_ending(&mut self.endings) => return None,
                () = sleep_until(self.quiet_until) => self.say_heartbeat(),
                () = streams.pulse.beat(&mut ticket), if !self.paused => {}
            }
        }
    }

    const fn is_home(&self) -> bool {
        matches!(self.reading, Reading::Here(_))
    }

    /// Waits for a read under way.
    async fn come_home(&mut self) -> Option<()> {
        if let Reading::Away(task) = &mut self.reading {
            let done = task.await;
            self.reading = Reading::Lost;
            let (follower, pending, behind) = done.ok()?;
            self.reading = Reading::Here(follower);
            self.behind = behind;
            self.pending.extend(pending);
            self.note_cursor();
        }
        matches!(self.reading, Reading::Here(_)).then_some(())
    }

    /// Reads on. Who is far behind in a large ring, or runs a pattern, does so on a thread of its own.
    async fn read(&mut self) {
        let is_slow =
            matches!(&self.reading, Reading::Here(follower) if follower.filter().has_pattern());
        let large = is_slow || self.behind && self.reader.entries_at_most() > INLINE_ENTRIES_MAX;
        // The semaphore is never closed.
        let permit = if large { READS.acquire().await.ok() } else { None };
        let Reading::Here(mut follower) = std::mem::replace(&mut self.reading, Reading::Lost)
        else {
            return;
        };
        let (reader, form) = (self.reader.clone(), self.form);
        let work = move || {
            let before = follower.cursor().clone();
            let batch = follower.read(&reader);
            let pending = render(form, &batch, before, follower.cursor());
            (follower, pending, batch.has_more())
        };
        if permit.is_none() {
            let (follower, pending, behind) = work();
            (self.reading, self.pending, self.behind) = (Reading::Here(follower), pending, behind);
            self.note_cursor();
            return;
        }
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        self.reading = Reading::Away(task);
    }

    fn obey(&mut self, command: Result<Command, String>) {
        let kind = match command {
            Err(error) => return self.say(messages::error(&error)),
            Ok(Command::Filter(params)) => {
                return match Subscription::parse(params, &self.reader.times()) {
                    Err(error) => self.say(messages::error(&error.message)),
                    Ok(subscription) => self.filter(subscription),
                };
            }
            Ok(Command::Pause) => {
                self.paused = true;
                self.take_back();
                "pause"
            }
            Ok(Command::Resume) => {
                self.paused = false;
                self.behind = true;
                "resume"
            }
        };
        self.slot.figures.paused.store(self.paused, Ordering::Relaxed);
        if let Reading::Here(follower) = &self.reading {
            self.say(messages::done(kind, follower.applied(), follower.cursor()));
        }
    }

    fn filter(&mut self, subscription: Subscription) {
        self.take_back();
        if let Some(ms) = subscription.heartbeat_ms {
            self.heartbeat = Duration::from_millis(ms);
            self.quiet_until = self.quiet_until.min(Instant::now() + self.heartbeat);
        }
        let Reading::Here(mut follower) = std::mem::replace(&mut self.reading, Reading::Lost)
        else {
            return;
        };
        let (reader, looks_back) = (self.reader.clone(), subscription.has_start());
        let work = move || {
            follower.change(&reader, subscription);
            let done = messages::done("filter", follower.applied(), follower.cursor());
            (follower, VecDeque::from([Pending { bytes: done, data: None }]), true)
        };
        if looks_back && self.reader.entries_at_most() > INLINE_ENTRIES_MAX {
            self.reading = Reading::Away(tokio::task::spawn_blocking(work));
            return;
        }
        let (follower, done, behind) = work();
        self.reading = Reading::Here(follower);
        self.pending.extend(done);
        self.behind = behind;
        self.note_cursor();
    }

    /// What was read and is not said yet is read again, when it is wanted again.
    fn take_back(&mut self) {
        let first = self.pending.iter().find_map(|pending| pending.data.as_ref());
        if let (Some(first), Reading::Here(follower)) = (first, &mut self.reading) {
            follower.rewind(first.before.clone());
            self.behind = true;
        }
        self.pending.retain(|pending| pending.data.is_none());
    }

    fn say(&mut self, bytes: Vec<u8>) {
        self.pending.push_back(Pending { bytes, data: None });
    }

    fn say_heartbeat(&mut self) {
        let Reading::Here(follower) = &self.reading else { return };
        let bytes = match self.form {
            Form::Messages => messages::heartbeat(Timestamp::now(), follower.cursor()),
            // Without data it dispatches no event, but the client remembers the place.
            Form::Events => format!(": heartbeat\nid: {}\n\n", follower.cursor()).into_bytes(),
        };
        self.say(bytes);
    }

    /// For stats: what is said now.
    fn note(&self, pending: &Pending) {
        if let Some(data) = &pending.data {
            let figures = &self.slot.figures;
            figures.sent.fetch_add(data.entries, Ordering::Relaxed);
            figures.missed.fetch_add(data.missed, Ordering::Relaxed);
            *figures.cursor.lock().unwrap_or_else(PoisonError::into_inner) = data.after.clone();
        }
    }

    /// For stats: where it is, with nothing left to say.
    fn note_cursor(&mut self) {
        if let (true, Reading::Here(follower)) =
            (self.pending.iter().all(|p| p.data.is_none()), &self.reading)
        {
            let mut shown = self.slot.figures.cursor.lock().unwrap_or_else(PoisonError::into_inner);
            shown.clone_from(follower.cursor());
        }
    }
}

/// Ready when one of them says so, or is gone.
async fn any_ending(endings: &mut [watch::Receiver<bool>]) {
    match endings {
        [one] => _ = one.wait_for(|ends| *ends).await,
        [one, other] => tokio::select! {
            _ = one.wait_for(|ends| *ends) => {}
            _ = other.wait_for(|ends| *ends) => {}
        },
        _ => std::future::pending().await,
    }
}

/// What a read brought, as it is said.
fn render(form: Form, batch: &Batch, before: Cursor, end: &Cursor) -> VecDeque<Pending> {
    let mut writer =
        Writer { form, batch, pending: VecDeque::new(), bytes: Vec::new(), before, entries: 0 };
    if batch.gone > 0 {
        let note = messages::note(batch.gone);
        let cursor = writer.before.clone();
        writer.own("note", None, &note, &cursor, 0);
    }
    batch.each(|step, cursor| match step {
        Step::Gap { missed, before } => {
            writer.end(before);
            let gap = messages::gap(missed, cursor);
            writer.own("gap", Some(&cursor.to_string()), &gap, cursor, missed);
        }
        Step::Entry(row) => {
            writer.entry(&row, cursor, end);
            if writer.bytes.len() >= MESSAGE_BYTES {
                writer.end(cursor);
            }
        }
    });
    writer.end(end);
    writer.pending
}

/// Puts together messages.
struct Writer<'b> {
    form: Form,
    batch: &'b Batch,
    pending: VecDeque<Pending>,
    /// The message that is being written; empty when none is.
    bytes: Vec<u8>,
    /// The place before it.
    before: Cursor,
    entries: usize,
}

impl Writer<'_> {
    fn entry(&mut self, row: &RowRef<'_>, cursor: &Cursor, end: &Cursor) {
        match self.form {
            Form::Messages => {
                self.bytes.extend_from_slice(if self.entries == 0 {
                    messages::ENTRIES
                } else {
                    b","
                });
                self.batch.entry_json(&mut self.bytes, row);
            }
            Form::Events => {
                let id = cursor.to_string();
                if id.len() <= ID_BYTES_MAX || cursor == end {
                    self.bytes.extend_from_slice(b"id: ");
                    self.bytes.extend_from_slice(id.as_bytes());
                    self.bytes.push(b'\n');
                }
                self.bytes.extend_from_slice(b"data: ");
                self.batch.entry_json(&mut self.bytes, row);
                self.bytes.extend_from_slice(b"\n\n");
            }
        }
        self.entries += 1;
    }

    /// Ends the message of entries, if one is begun.
    fn end(&mut self, cursor: &Cursor) {
        if self.entries == 0 {
            return;
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        if self.form == Form::Messages {
            messages::end_entries(&mut bytes, self.entries, cursor);
        }
        let entries = std::mem::take(&mut self.entries) as u64;
        self.push(bytes, cursor, entries, 0);
    }

    /// A message of its own.
    fn own(&mut self, name: &str, id: Option<&str>, json: &[u8], cursor: &Cursor, missed: u64) {
        let mut bytes = Vec::new();
        match self.form {
            Form::Messages => bytes.extend_from_slice(json),
            Form::Events => event(&mut bytes, name, id, json),
        }
        self.push(bytes, cursor, 0, missed);
    }

    fn push(&mut self, bytes: Vec<u8>, cursor: &Cursor, entries: u64, missed: u64) {
        let before = std::mem::replace(&mut self.before, cursor.clone());
        let data = Some(Data { before, after: cursor.clone(), entries, missed });
        self.pending.push_back(Pending { bytes, data });
    }
}

/// Writes a named event.
fn event(out: &mut Vec<u8>, name: &str, id: Option<&str>, json: &[u8]) {
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
    out.extend_from_slice(json);
    out.extend_from_slice(b"\n\n");
}
