//! Output of the reading commands: bytes as they are, or entries for people.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write},
    process::{Command, Stdio},
};

use anyhow::Context;
use jiff::tz::TimeZone;
use logrec_core::{
    Entry, EntryId, RingId, RowRef, Seq, Timestamp,
    record::{RECORD_BYTES_MAX, RecordRef, RecordWriter},
};
use logrec_decode::decode_ingest;
use logrec_reader::{
    Shape,
    text::{Style, styled_line, visible},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::StdoutClosed;

/// Writes to stdout, all of it now.
pub(crate) fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(StdoutClosed.into()),
        result => result.context("cannot write to stdout"),
    }
}

/// Prints what a person reads: through `$PAGER` where there is one and stdout is a terminal.
///
/// Without settings of its own `less` ends at once where all fits on the screen, and shows colours.
pub(crate) fn page(mut body: Vec<u8>) -> anyhow::Result<()> {
    if body.last().is_some_and(|last| *last != b'\n') {
        body.push(b'\n');
    }
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let Some(pager) = pager.filter(|_| std::io::stdout().is_terminal()) else {
        return print(&body);
    };
    let mut command = Command::new("sh");
    command.args(["-c", &pager]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return print(&body) };
    if let Some(mut stdin) = child.stdin.take() {
        // A pager may be left before the end.
        let _ = stdin.write_all(&body);
    }
    let status = child.wait().context("cannot wait for $PAGER")?;
    // sh: there is no such command. Better unpaged than not at all.
    if status.code() == Some(127) { print(&body) } else { Ok(()) }
}

/// Prints an answer, its last line ended.
pub(crate) fn print_lines(mut body: Vec<u8>) -> anyhow::Result<()> {
    if body.last().is_some_and(|last| *last != b'\n') {
        body.push(b'\n');
    }
    print(&body)
}

/// The published answer to a question, as far as people are shown it.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    pub(crate) data: &'a RawValue,
    pub(crate) count: usize,
    /// How many entries the rows stand for, where they are folded.
    pub(crate) entries: Option<usize>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) prev_cursor: Option<String>,
    #[serde(default)]
    pub(crate) missed: u64,
    #[serde(default)]
    pub(crate) omitted: u64,
}

impl<'a> Page<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(body).context("the answer is none of logrec's")
    }

    /// The rows, as values again.
    fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let items: Vec<BTreeMap<String, &RawValue>> = serde_json::from_str(self.data.get())?;
        items.into_iter().map(Row::read).collect()
    }

    /// The entries, an object a line.
    pub(crate) fn ndjson(&self) -> anyhow::Result<Vec<u8>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.data.get())?;
        let mut out = Vec::with_capacity(self.data.get().len() + items.len());
        for item in items {
            out.extend_from_slice(item.get().as_bytes());
            out.push(b'\n');
        }
        Ok(out)
    }

    /// The entries, for people.
    pub(crate) fn lines(&self, shape: &Shape, style: &Style) -> anyhow::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut record = Vec::new();
        for Row { id, entry, fold } in self.rows()? {
            let mut writer = RecordWriter::new(&mut record, RECORD_BYTES_MAX);
            writer.entry(&entry);
            writer.finish();
            let row = RowRef {
                time: entry.timestamp,
                observed: entry.timestamp,
                level: entry.level,
                ring: id.ring,
                seq: id.seq,
                record: RecordRef::new(&record),
            };
            styled_line(&mut out, &row, shape, style);
            if let Some(fold) = fold {
                note(&mut out, &fold.told(style), style);
            }
        }
        Ok(out)
    }
}

/// Of an answer without names.
const NO_ID: EntryId = EntryId { ring: RingId(0), seq: Seq::from_raw(0) };

/// What an answer has of an entry, or of a run of several.
#[derive(Debug)]
struct Row {
    id: EntryId,
    entry: Entry,
    fold: Option<Fold>,
}

impl Row {
    /// Reads the members of a row's object. Its name, and what it stands for, are no fields of what was
    /// logged; attributes that are called like them are, and lie deeper.
    fn read(mut members: BTreeMap<String, &RawValue>) -> anyhow::Result<Self> {
        let id = members.remove("id").map(|id| serde_json::from_str::<String>(id.get()));
        let id = id.transpose()?.and_then(|id| id.parse().ok()).unwrap_or(NO_ID);
        let fold = members.remove("fold").map(|fold| serde_json::from_str(fold.get()));
        let logged = serde_json::to_vec(&members)?;
        let ingest = decode_ingest(&logged, Timestamp::now());
        let entry = ingest.ok().and_then(|mut ingest| ingest.entries.pop());
        let entry = entry.context("the answer's entries cannot be read")?;
        Ok(Self { id, entry, fold: fold.transpose()? })
    }
}

/// What a folded row stands for.
#[derive(Debug, Deserialize)]
struct Fold {
    count: u64,
    first: f64,
    last: f64,
    #[serde(default)]
    ids: Vec<String>,
}

impl Fold {
    fn told(&self, style: &Style) -> String {
        let [first, last] = [self.first, self.last].map(|seconds| time(seconds, style));
        let (count, ids) = (self.count, self.ids.join(","));
        format!("× {count} like this, {first} to {last}, id={ids}")
    }
}

/// How this terminal is written to.
pub(crate) fn style(zone: &TimeZone, utc: bool) -> Style {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    Style { colour: choice != anstream::ColorChoice::Never, zone: (!utc).then(|| zone.clone()) }
}

/// A line of our own among those of others: dim where there are colours.
pub(crate) fn note(out: &mut Vec<u8>, text: &str, style: &Style) {
    let (begin, end) = if style.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    out.extend_from_slice(begin.as_bytes());
    out.extend_from_slice(b"# ");
    visible(out, text);
    out.extend_from_slice(end.as_bytes());
    out.push(b'\n');
}

/// A time for people, in the style's zone.
pub(crate) fn time(seconds: f64, style: &Style) -> String {
    let Ok(time) = Timestamp::from_epoch_seconds(seconds) else { return seconds.to_string() };
    match &style.zone {
        None => format!("{:.3}", time.to_jiff()),
        Some(zone) => {
            let local = time.to_jiff().to_zoned_datetime(zone.clone());
            local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
        }
    }
}
