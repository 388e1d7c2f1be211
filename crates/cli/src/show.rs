//! Output of the reading commands: bytes as they are, or entries for people.

use std::{
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

    /// The entries with their names, as values again.
    fn entries(&self) -> anyhow::Result<Vec<(EntryId, Entry)>> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let ingest = decode_ingest(self.data.get().as_bytes(), Timestamp::now())
            .context("the answer's entries cannot be read")?;
        let named = ingest.entries.into_iter().map(|mut entry| {
            // The name of an entry is no field of what was logged, and so became an attribute.
            let at = entry.attributes.iter().position(|(name, _)| name == "id");
            let id = at.map(|at| entry.attributes.remove(at).1);
            let id = id.as_ref().and_then(|id| id.as_str()?.parse().ok()).unwrap_or(NO_ID);
            (id, entry)
        });
        Ok(named.collect())
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
        for (id, mut entry) in self.entries()? {
            // As its name, what a row stands for is no attribute of what was logged.
            let at = entry.attributes.iter().position(|(name, _)| name == "fold");
            let fold = at.map(|at| entry.attributes.remove(at).1);
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
                note(&mut out, &folded(&fold, style), style);
            }
        }
        Ok(out)
    }
}

/// Of an answer without names.
const NO_ID: EntryId = EntryId { ring: RingId(0), seq: Seq::from_raw(0) };

/// What a folded row stands for.
fn folded(fold: &logrec_core::Value, style: &Style) -> String {
    let logrec_core::Value::Map(items) = fold else { return String::new() };
    let number = |key: &str| items.iter().find(|(k, _)| k == key).and_then(|(_, v)| v.as_f64());
    let time = |key| time(number(key).unwrap_or_default(), style);
    format!(
        "× {} like this, {} to {}",
        number("count").unwrap_or_default(),
        time("first"),
        time("last")
    )
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
