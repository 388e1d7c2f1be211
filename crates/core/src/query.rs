//! Asking: a [`Query`], and the [`Collector`] that answers it over any number of sources.
//!
//! A collector is shown every source in turn and keeps the `limit` entries that count, so that a
//! merge of many rings and files is no other thing than a scan of one. What it keeps are the bytes of
//! records, copied; nothing is decoded.
//!
//! Without `after` the *newest* `limit` matches by their own time are kept, exactly, however
//! disordered they arrived: chunks are visited latest first and the scan ends at the first that can
//! hold nothing newer. With `after` the *first* `limit` matches since the cursor in the order of
//! recording are kept, which is what makes a follower lossless.

use std::{
    cmp::Ordering,
    fmt,
    time::{Duration, Instant},
};

use crate::{
    Entry, EntryId, Filter, Level, Matcher, Position, Ring, RingId, Seq, Timestamp,
    cursor::{Cursor, Place},
    filter::Head,
    record::RecordRef,
    ring::{ChunkCopy, ChunkInfo, Kept, Slot, Snapshot},
};

/// How an answer is sorted. Which entries it holds does not depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// Which entries, how many, in what order.
#[derive(Clone, Debug)]
pub struct Query {
    /// The condition.
    pub filter: Filter,
    /// Most entries in the answer.
    pub limit: usize,
    /// How they are sorted.
    pub order: Order,
    /// Only what comes after this place; the answer then begins there.
    pub after: Option<Cursor>,
    /// Only what comes before this place.
    pub before: Option<Cursor>,
    /// When to give up, where records must be read. Checked between chunks; see
    /// [`Page::gave_up`].
    pub time_limit: Option<Duration>,
    /// Without `after`: the last `limit` by recording count, instead of the newest by their own time. Errors
    /// that are kept beyond their time are not among them.
    pub last_recorded: bool,
    /// For a follower: its answer ends where the records of its entries take more bytes than this
    /// together, behind the first entry at the earliest.
    pub bytes_max: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            limit: Self::DEFAULT_LIMIT,
            order: Order::default(),
            after: None,
            before: None,
            time_limit: None,
            last_recorded: false,
            bytes_max: usize::MAX,
        }
    }
}

impl Query {
    /// Entries in an answer unless asked for otherwise.
    pub const DEFAULT_LIMIT: usize = 100;
}

/// One entry of an answer.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// When it was recorded.
    pub observed: Timestamp,
    /// How severe.
    pub level: Level,
    /// The recording it is in.
    pub ring: RingId,
    /// Which entry of that.
    pub seq: Seq,
    /// The rest of it.
    pub record: RecordRef<'a>,
}

impl RowRef<'_> {
    /// Where it stands in the order of time.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { time: self.time, observed: self.observed, ring: self.ring, seq: self.seq }
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        EntryId { ring: self.ring, seq: self.seq }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_entry(&self) -> Entry {
        self.record.to_entry(self.time, self.level)
    }
}

/// What a query found, sorted as asked.
#[derive(Debug, Default)]
pub struct Page {
    rows: Vec<Row>,
    bytes: Vec<u8>,
    /// Whether more entries match than the limit let through.
    pub more: bool,
    /// Whether the time limit ended it: then not all was looked at.
    pub gave_up: bool,
    /// Entries recorded since `after` that were gone before they could be read; 0 without `after`.
    pub missed: u64,
    followed: Vec<Followed>,
    /// Where to go on reading in each source: with `after` behind the last row, else behind all that
    /// there was.
    pub end: Vec<(RingId, Position)>,
}

impl Page {
    /// Entries in the answer.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing matched.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Entries that a follower has missed when it goes on from these positions, which lie before
    /// [`end`](Self::end): exactly those recorded since `after` and before them that could not be read.
    #[must_use]
    pub fn missed_until(&self, read: &[(RingId, Position)]) -> u64 {
        let missed = |(id, position): &(RingId, Position)| {
            self.followed.iter().filter(|f| f.ring == *id).map(|f| f.missed(position)).sum::<u64>()
        };
        read.iter().map(missed).sum()
    }

    /// Bytes of their records, together.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The entries, sorted as asked.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = RowRef<'_>> + ExactSizeIterator {
        self.rows.iter().map(|row| RowRef {
            time: row.time,
            observed: row.observed,
            level: row.level,
            ring: row.ring,
            seq: row.seq,
            record: RecordRef::new(&self.bytes[row.start..row.start + row.len]),
        })
    }
}

/// What a follower has read of a ring: enough to say what it missed up to any place.
#[derive(Debug)]
struct Followed {
    ring: RingId,
    /// Of each lane, the first entry that was new.
    from: Vec<u64>,
    /// Runs of entries that were there: lane, first, end.
    there: Vec<(usize, u64, u64)>,
    /// Entries outside of those runs that were there: kept errors.
    kept: Vec<Seq>,
    /// Entries within them that were gone when they were read.
    gone: Vec<Seq>,
}

impl Followed {
    fn missed(&self, until: &Position) -> u64 {
        let before = |seq: &&Seq| seq.ordinal() < until.lane(seq.lane());
        let recorded: u64 = self
            .from
            .iter()
            .enumerate()
            .map(|(lane, from)| until.lane(lane).saturating_sub(*from))
            .fold(0, u64::saturating_add);
        let run =
            |&(lane, from, end): &(usize, u64, u64)| end.min(until.lane(lane)).saturating_sub(from);
        let there = self.there.iter().map(run).sum::<u64>()
            + self.kept.iter().filter(before).count() as u64;
        (recorded + self.gone.iter().filter(before).count() as u64).saturating_sub(there)
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    key: Key,
    time: Timestamp,
    observed: Timestamp,
    level: Level,
    ring: RingId,
    seq: Seq,
    start: usize,
    len: usize,
}

/// What room is made for with the first row: a usual answer, of usual entries.
const ROWS_EXPECTED: usize = 128;
const RECORD_BYTES_EXPECTED: usize = 384;

/// What rows compete by: by time (time, observed, ring, seq) or by recording (observed, when its
/// chunk was opened, ring, seq).
type Key = (i64, i64, u64, u64);

const fn key_of(place: &Place) -> Key {
    (place.time.0, place.observed.0, place.ring.0, place.seq.raw())
}

/// Which entries are kept when there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// The newest by time.
    Newest,
    /// The first by time after a place.
    FirstByTime,
    /// The first by recording.
    FirstRecorded,
    /// The last by recording.
    LastRecorded,
}

/// What is called with every entry that matches.
pub type Visitor<'q> = dyn FnMut(RowRef<'_>) + 'q;

/// Answers one query over the sources it is shown.
pub struct Collector<'q> {
    query: &'q Query,
    /// Where matches go in place of being kept.
    visitor: Option<&'q mut Visitor<'q>>,
    give_up_at: Option<Instant>,
    gave_up: bool,
    has_pattern: bool,
    matcher: Matcher,
    keep: Keep,
    rows: Vec<Row>,
    bytes: Vec<u8>,
    /// Once `limit` rows are there: the key a further row must beat.
    threshold: Option<Key>,
    /// One more than is asked for, to know whether there is more; fewer once the bytes are too many.
    most: usize,
    /// Whether bytes made it fewer.
    cut: bool,
    followed: Vec<Followed>,
    end: Vec<(RingId, Position)>,
    /// For a follower: the first entry of each lane that matched and was not kept.
    left_out: Vec<(RingId, Vec<u64>)>,
    copy: ChunkCopy,
}

impl fmt::Debug for Collector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("query", self.query).finish_non_exhaustive()
    }
}

impl<'q> Collector<'q> {
    /// Makes ready to call `visitor` with every entry that matches, whatever the query's limit, in no
    /// order. Keeps nothing: constant memory.
    #[must_use]
    pub fn visiting(query: &'q Query, visitor: &'q mut Visitor<'q>) -> Self {
        // What a visitor does may take longer than the looking.
        let give_up_at = give_up_at(query.time_limit);
        Self { visitor: Some(visitor), give_up_at, ..Self::new(query) }
    }

    /// Makes ready to answer.
    #[must_use]
    pub fn new(query: &'q Query) -> Self {
        let keep = match &query.after {
            None if query.last_recorded => Keep::LastRecorded,
            None => Keep::Newest,
            Some(cursor) if cursor.place.is_some() => Keep::FirstByTime,
            Some(_) => Keep::FirstRecorded,
        };
        let matcher = query.filter.compile();
        let limit = query.time_limit.filter(|_| !matcher.needs().nothing());
        Self {
            query,
            visitor: None,
            give_up_at: give_up_at(limit),
            has_pattern: query.filter.has_pattern(),
            gave_up: false,
            matcher,
            keep,
            rows: Vec::new(),
            bytes: Vec::new(),
            threshold: None,
            most: query.limit.saturating_add(1),
            cut: false,
            followed: Vec::new(),
            end: Vec::new(),
            left_out: Vec::new(),
            copy: ChunkCopy::default(),
        }
    }

    /// For a follower: only what was recorded up to this moment.
    ///
    /// Sources, and lanes of a ring, are looked at one after the other, so of two entries recorded one after
    /// the other the later may be seen where the earlier was not yet. With the latest
    /// [`Progress::observed`](crate::source::Progress) of all sources, asked before the first is
    /// shown, whatever was recorded before an entry in the answer is there, too.
    pub fn recorded_until(&mut self, observed: Timestamp) {
        if self.keep == Keep::FirstRecorded {
            self.threshold = Some((observed.0, i64::MAX, u64::MAX, u64::MAX));
        }
    }

    /// Looks through a ring. Takes no lock; O(chunks), and O(entries) of those chunks that levels and
    /// times cannot rule out.
    pub fn ring(&mut self, ring: &Ring) {
        self.ring_after(ring, &Position::default());
    }

    /// As [`ring`](Self::ring), with what lies before `cleared` hidden as if it were cleared.
    pub(crate) fn ring_after(&mut self, ring: &Ring, cleared: &Position) {
        // A reader that is put to sleep finds a small ring reused when it wakes; seldom twice.
        const TRIES: usize = 16;
        for attempt in 1..=TRIES {
            let snapshot = ring.snapshot_after(cleared);
            let whole = self.scan(ring.id(), &snapshot);
            // What was shown to a visitor cannot be taken back.
            let once = self.keep == Keep::FirstRecorded || self.visitor.is_some();
            if whole || once || attempt == TRIES {
                self.end.push((ring.id(), snapshot.end().clone()));
                return;
            }
            // Chunks were reused between the look and the reading. What took their place is newer.
            self.rows.retain(|row| row.ring != ring.id());
            self.set_threshold();
        }
    }

    /// Looks through a snapshot. False when chunks of it were reused before they could be read.
    fn scan(&mut self, id: RingId, snapshot: &Snapshot<'_>) -> bool {
        let from = read_of(id, self.query.after.as_ref());
        let mut chunks: Vec<&ChunkInfo> = snapshot
            .chunks()
            .iter()
            .filter(|c| c.visible() > 0 && c.first + c.count > from.lane(c.lane))
            .collect();
        match self.keep {
            Keep::Newest => chunks.sort_unstable_by_key(|c| std::cmp::Reverse(c.time_max)),
            Keep::FirstByTime => chunks.sort_unstable_by_key(|c| c.time_min),
            Keep::LastRecorded => chunks.sort_unstable_by_key(|c| std::cmp::Reverse(c.opened())),
            Keep::FirstRecorded => {
                chunks.sort_unstable_by_key(|c| c.opened());
                let from = snapshot.new_from(&from);
                let (there, kept, gone) = (Vec::new(), Vec::new(), Vec::new());
                self.followed.push(Followed { ring: id, from, there, kept, gone });
            }
        }
        let mut copy = std::mem::take(&mut self.copy);
        let mut whole = true;
        for info in chunks {
            if self.is_beyond(info) || self.is_out_of_time() {
                break;
            }
            if !self.may_match(id, info) {
                self.note_there(info);
                continue;
            }
            if let Some(first) = self.is_recorded_later(snapshot, info, &from) {
                self.leave_out(id, first);
                continue;
            }
            let read = self.chunk(id, snapshot, info, &from, &mut copy);
            if read {
                self.note_there(info);
            }
            whole &= read;
        }
        self.copy = copy;
        if self.keep != Keep::LastRecorded
            && let Some(kept) = Kept::of(snapshot)
        {
            self.kept(id, &kept, &from);
        }
        whole
    }

    /// Whether the time limit has passed.
    fn is_out_of_time(&mut self) -> bool {
        self.gave_up |= self.give_up_at.is_some_and(|then| Instant::now() >= then);
        self.gave_up
    }

    /// For a follower: the first new entry of a chunk, if it and with it all of the chunk was recorded later
    /// than what is kept already. So one that is far behind reads little more than what it is given.
    fn is_recorded_later(
        &self,
        snapshot: &Snapshot<'_>,
        info: &ChunkInfo,
        from: &Position,
    ) -> Option<Seq> {
        let threshold = self.threshold.filter(|_| self.keep == Keep::FirstRecorded)?;
        let first = info.visible_from.max(from.lane(info.lane));
        let slot = snapshot.slot(info, first);
        (slot.observed.0 > threshold.0 && snapshot.is_intact(info)).then_some(slot.seq)
    }

    /// For a follower: what is in sight of a chunk was there.
    fn note_there(&mut self, info: &ChunkInfo) {
        if let Some(followed) = self.followed.last_mut() {
            let from = info.visible_from.max(followed.from[info.lane]);
            followed.there.push((info.lane, from, info.first + info.count));
        }
    }

    /// Shows the errors that a ring has kept and no longer holds otherwise.
    fn kept(&mut self, id: RingId, kept: &Kept<'_>, from: &Position) {
        for (info, slot) in kept.slots() {
            if let Some(followed) = self.followed.last_mut().filter(|_| from.precedes(slot.seq)) {
                followed.kept.push(slot.seq);
            }
            if self.matcher.may_match(slot.time, slot.level) {
                self.slot(id, kept.snapshot(), info, slot, from);
            }
        }
    }

    /// Shows an entry that lies in no ring, as the record that a
    /// [`RecordWriter`](crate::record::RecordWriter) wrote. `observed` is its time too.
    pub fn record(
        &mut self,
        source: RingId,
        seq: Seq,
        time: Timestamp,
        level: Level,
        record: &[u8],
    ) {
        let place = Place { time, observed: time, ring: source, seq };
        // Sources without a clock of their own are read in the order they are in.
        let key = match self.keep {
            Keep::FirstRecorded | Keep::LastRecorded => (0, 0, source.0, seq.raw()),
            Keep::Newest | Keep::FirstByTime => key_of(&place),
        };
        let head = Head { id: EntryId { ring: source, seq }, time, level };
        // A clock read costs more than most entries do.
        let looks_at_the_clock = self.has_pattern || seq.ordinal().is_multiple_of(64);
        if looks_at_the_clock && self.is_out_of_time()
            || self.gave_up
            || !self.matcher.may_match(time, level)
            || !read_of(source, self.query.after.as_ref()).precedes(seq)
            || !self.in_bounds(&place)
            || !self.matcher.matches(&head, RecordRef::new(record))
        {
            return;
        }
        if let Some(visitor) = &mut self.visitor {
            let record = RecordRef::new(record);
            return visitor(RowRef { time, observed: time, level, ring: source, seq, record });
        }
        let row = Row {
            key,
            time,
            observed: time,
            level,
            ring: source,
            seq,
            start: self.bytes.len(),
            len: record.len(),
        };
        if self.beats(&row.key, source, seq) {
            self.bytes.extend_from_slice(record);
            self.push(row);
        }
    }

    /// Notes where a source that is no ring ends.
    pub fn source_end(&mut self, source: RingId, end: Position) {
        self.end.push((source, end));
    }

    /// Only where each source shown ends.
    #[must_use]
    pub fn into_end(self) -> Vec<(RingId, Position)> {
        self.end
    }

    /// The answer.
    #[must_use]
    pub fn finish(mut self) -> Page {
        let more = self.rows.len() > self.query.limit || self.cut;
        self.keep_best(self.query.limit);
        let cut = self.keep == Keep::FirstRecorded && self.trim_bytes();
        let more = more || cut;
        let descending = self.query.order == Order::Descending;
        // A key orders by time, or for a follower by recording, whatever rows compete by. Rows mostly
        // come sorted already.
        if descending {
            self.rows.sort_by_key(|row| std::cmp::Reverse(row.key));
        } else {
            self.rows.sort_by_key(|row| row.key);
        }
        let mut end = self.end;
        if self.keep == Keep::FirstRecorded {
            for (ring, lanes) in &self.left_out {
                for (_, position) in end.iter_mut().filter(|(id, _)| id == ring) {
                    for (next, left_out) in position.0.iter_mut().zip(lanes) {
                        *next = (*next).min(*left_out);
                    }
                }
            }
        }
        let followed = self.followed;
        let gave_up = self.gave_up;
        let mut page =
            Page { rows: self.rows, bytes: self.bytes, more, gave_up, missed: 0, followed, end };
        page.missed = page.missed_until(&page.end);
        page
    }

    /// Looks through a chunk. False when it was reused before it could be read.
    fn chunk(
        &mut self,
        id: RingId,
        snapshot: &Snapshot<'_>,
        info: &ChunkInfo,
        from: &Position,
        copy: &mut ChunkCopy,
    ) -> bool {
        let wanted = self.matcher.prefilter();
        if wanted.is_some_and(|(wanted, _)| !snapshot.chunk_may_contain(info, wanted)) {
            return snapshot.is_intact(info);
        }
        if !self.load(snapshot, info, copy) {
            return false;
        }
        if matches!(self.keep, Keep::Newest | Keep::LastRecorded) {
            copy.slots.reverse();
        }
        let mut whole = true;
        for slot in &copy.slots {
            whole &= self.slot(id, snapshot, info, slot, from);
        }
        whole || self.keep == Keep::FirstRecorded
    }

    /// Copies the slots that can match.
    fn load(&self, snapshot: &Snapshot<'_>, info: &ChunkInfo, copy: &mut ChunkCopy) -> bool {
        snapshot.load_if(info, copy, |time, level| self.matcher.may_match(time, level))
    }

    /// Looks at an entry whose level and time can match. False when it was gone.
    #[inline]
    fn slot(
        &mut self,
        id: RingId,
        snapshot: &Snapshot<'_>,
        info: &ChunkInfo,
        slot: &Slot,
        from: &Position,
    ) -> bool {
        // One entry may take a pattern as long as a chunk of them takes without.
        if !from.precedes(slot.seq) || self.has_pattern && self.is_out_of_time() {
            return true;
        }
        let place = Place { time: slot.time, observed: slot.observed, ring: id, seq: slot.seq };
        if !self.in_bounds(&place) {
            return true;
        }
        let key = match self.keep {
            Keep::FirstRecorded | Keep::LastRecorded => {
                (slot.observed.0, info.opened().cast_signed(), id.0, slot.seq.raw())
            }
            Keep::Newest | Keep::FirstByTime => key_of(&place),
        };
        if !self.beats(&key, id, slot.seq) {
            return true;
        }
        let start = self.bytes.len();
        let matches = self.read_if_it_matches(snapshot, id, info, slot);
        if !snapshot.is_intact(info) {
            // Overwritten while it was read, so what was seen of it counts for nothing.
            self.bytes.truncate(start);
            if let Some(followed) = self.followed.last_mut() {
                followed.gone.push(slot.seq);
            }
            return false;
        }
        if matches && let Some(visitor) = &mut self.visitor {
            let record = RecordRef::new(&self.bytes[start..]);
            let Slot { time, observed, level, seq, .. } = *slot;
            visitor(RowRef { time, observed, level, ring: id, seq, record });
            self.bytes.truncate(start);
        } else if matches {
            self.push(Row {
                key,
                time: slot.time,
                observed: slot.observed,
                level: slot.level,
                ring: id,
                seq: slot.seq,
                start,
                len: self.bytes.len() - start,
            });
        }
        true
    }

    /// Appends an entry's record to what is kept, if it matches.
    #[inline]
    fn read_if_it_matches(
        &mut self,
        snapshot: &Snapshot<'_>,
        ring: RingId,
        info: &ChunkInfo,
        slot: &Slot,
    ) -> bool {
        let wanted = self.matcher.prefilter();
        if wanted.is_some_and(|wanted| !snapshot.may_contain(info, slot, wanted)) {
            return false;
        }
        let start = self.bytes.len();
        if !self.matcher.needs().nothing() {
            snapshot.read_needed(info, slot, self.matcher.needs(), &mut self.bytes);
        }
        let record = RecordRef::new(&self.bytes[start..]);
        let id = EntryId { ring, seq: slot.seq };
        let head = Head { id, time: slot.time, level: slot.level };
        let matches = self.matcher.matches(&head, record);
        self.bytes.truncate(start);
        if matches {
            snapshot.read_record(info, slot, &mut self.bytes);
        }
        matches
    }

    /// Whether a chunk, and with it all that follow in the order of visiting, can hold no row that
    /// would be kept.
    fn is_beyond(&self, info: &ChunkInfo) -> bool {
        match (self.threshold, self.keep) {
            (Some(least), Keep::Newest) => info.time_max.0 < least.0,
            (Some(most), Keep::FirstByTime) => info.time_min.0 > most.0,
            _ => false,
        }
    }

    fn may_match(&self, ring: RingId, info: &ChunkInfo) -> bool {
        let ordinals = info.first..info.first + info.count;
        let holds = |id: &EntryId| {
            id.ring == ring && id.seq.lane() == info.lane && ordinals.contains(&id.seq.ordinal())
        };
        if self.matcher.ids().is_some_and(|ids| !ids.iter().any(holds)) {
            return false;
        }
        let before = self.query.before.as_ref().and_then(|c| c.place);
        let after = self.query.after.as_ref().and_then(|c| c.place);
        before.is_none_or(|place| info.time_min <= place.time)
            && after.is_none_or(|place| info.time_max >= place.time)
            && info.time_max >= self.matcher.since()
            && info.time_min <= self.matcher.until()
            && self.matcher.levels().iter().any(|level| info.may_hold(level))
    }

    fn in_bounds(&self, place: &Place) -> bool {
        let after = self.query.after.as_ref().and_then(|c| c.place.as_ref());
        let before = self.query.before.as_ref();
        after.is_none_or(|p| place > p)
            && before.is_none_or(|cursor| match &cursor.place {
                Some(p) => place < p,
                None => !read_of(place.ring, Some(cursor)).precedes(place.seq),
            })
    }

    /// Whether a row of this key would be kept; notes for a follower when not.
    fn beats(&mut self, key: &Key, ring: RingId, seq: Seq) -> bool {
        if self.visitor.is_some() {
            return true;
        }
        let Some(threshold) = &self.threshold else { return true };
        let beats = match self.keep {
            Keep::Newest | Keep::LastRecorded => key > threshold,
            Keep::FirstByTime | Keep::FirstRecorded => key < threshold,
        };
        if !beats {
            self.leave_out(ring, seq);
        }
        beats
    }

    fn leave_out(&mut self, ring: RingId, seq: Seq) {
        if self.keep != Keep::FirstRecorded {
            return;
        }
        let known = self.left_out.iter().position(|(id, _)| *id == ring);
        let at = known.unwrap_or_else(|| {
            self.left_out.push((ring, vec![u64::MAX; 32]));
            self.left_out.len() - 1
        });
        let first = &mut self.left_out[at].1[seq.lane()];
        *first = (*first).min(seq.ordinal());
    }

    fn push(&mut self, row: Row) {
        if self.rows.is_empty() {
            // One allocation where an answer is of usual size.
            self.rows.reserve(self.query.limit.min(ROWS_EXPECTED));
            self.bytes.reserve(self.query.limit.min(ROWS_EXPECTED) * RECORD_BYTES_EXPECTED);
        }
        self.rows.push(row);
        if self.keep == Keep::FirstRecorded && self.bytes.len() > self.bytes_most() {
            self.cut |= self.trim_bytes();
        } else if self.rows.len() == self.most {
            self.set_threshold();
        } else if self.rows.len() >= self.most.saturating_mul(2) {
            self.trim();
        }
    }

    /// Bytes that are held before some are let go: twice what is asked for, so that each is moved once.
    const fn bytes_most(&self) -> usize {
        self.query.bytes_max.saturating_mul(2)
    }

    /// Keeps only the first rows whose records take no more than is asked for together. Whether any had
    /// to go.
    fn trim_bytes(&mut self) -> bool {
        if self.bytes.len() <= self.query.bytes_max {
            return false;
        }
        self.rows.sort_unstable_by_key(|row| row.key);
        let mut bytes = 0;
        let mut fits = |row: &Row| {
            bytes += row.len;
            bytes <= self.query.bytes_max
        };
        let within = self.rows.iter().take_while(|row| fits(row)).count().max(1);
        let cut = within < self.rows.len();
        if cut {
            self.most = within;
        }
        self.trim();
        cut
    }

    /// Once there are enough rows, a further one must beat the last of them.
    fn set_threshold(&mut self) {
        let keys = self.rows.iter().map(|row| row.key);
        self.threshold = match self.keep {
            _ if self.rows.len() < self.most => None,
            Keep::Newest | Keep::LastRecorded => keys.min(),
            Keep::FirstByTime | Keep::FirstRecorded => keys.max(),
        };
    }

    /// Keeps the `most` rows that count, and their bytes only.
    fn trim(&mut self) {
        self.keep_best(self.most);
        let mut bytes = Vec::with_capacity(self.rows.iter().map(|r| r.len).sum());
        for row in &mut self.rows {
            let start = bytes.len();
            bytes.extend_from_slice(&self.bytes[row.start..row.start + row.len]);
            row.start = start;
        }
        self.bytes = bytes;
    }

    /// Keeps so many of the rows that count.
    fn keep_best(&mut self, limit: usize) {
        if self.rows.len() <= limit {
            return;
        }
        let newest = matches!(self.keep, Keep::Newest | Keep::LastRecorded);
        if let Some(last) = limit.checked_sub(1) {
            self.rows.select_nth_unstable_by(last, |a, b| {
                if newest { b.key.cmp(&a.key) } else { a.key.cmp(&b.key) }
            });
            self.threshold = Some(self.rows[last].key);
        }
        for row in self.rows.split_off(limit) {
            self.leave_out(row.ring, row.seq);
        }
    }
}

fn give_up_at(limit: Option<Duration>) -> Option<Instant> {
    limit.and_then(|limit| Instant::now().checked_add(limit))
}

/// What a cursor has read of a ring; nothing of one that it does not name.
fn read_of(ring: RingId, cursor: Option<&Cursor>) -> Position {
    cursor
        .and_then(|c| c.read.iter().find(|(id, _)| *id == ring))
        .map_or_else(Position::default, |(_, position)| position.clone())
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        key_of(self).cmp(&key_of(other))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ring {
    /// Answers a query over this ring alone.
    ///
    /// ```
    /// use logrec_core::{Entry, Level, Query, Ring, Timestamp};
    /// let ring = Ring::default();
    /// ring.push(&Entry::new(Timestamp::now(), Level::Info, "ready"));
    /// let page = ring.query(&Query::default());
    /// assert_eq!(page.rows().next().map(|row| row.record.message()), Some("ready"));
    /// ```
    #[must_use]
    pub fn query(&self, query: &Query) -> Page {
        let mut collector = Collector::new(query);
        collector.ring(self);
        collector.finish()
    }
}

#[cfg(test)]
#[path = "query/tests.rs"]
mod tests;
