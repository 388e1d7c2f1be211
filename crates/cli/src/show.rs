//! Output of the reading commands: bytes as they are, or entries for people.

use std::io::Write;

use anyhow::Context;
use jiff::tz::TimeZone;
use logrec_core::{
    Entry, RingId, RowRef, Seq, Timestamp,
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
    fn entries(&self) -> anyhow::Result<Vec<(RingId, Seq, Entry)>> {
        if self.count == 0 {
            return Ok(Vec::new());
        }
        let ingest = decode_ingest(self.data.get().as_bytes(), Timestamp::now())
            .context("the answer's entries cannot be read")?;
        let named = ingest.entries.into_iter().map(|mut entry| {
            // The name of an entry is no field of what was logged, and so became an attribute.
            let at = entry.attributes.iter().position(|(name, _)| name == "id");
            let id = at.map(|at| entry.attributes.remove(at).1);
            let (ring, seq) = id.as_ref().and_then(|id| parse_id(id.as_str()?)).unwrap_or_default();
            (RingId(ring), Seq::from_raw(seq), entry)
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
        for (ring, seq, entry) in self.entries()? {
            let mut writer = RecordWriter::new(&mut record, RECORD_BYTES_MAX);
            writer.entry(&entry);
            writer.finish();
            let row = RowRef {
                time: entry.timestamp,
                observed: entry.timestamp,
                level: entry.level,
                ring,
                seq,
                record: RecordRef::new(&record),
            };
            styled_line(&mut out, &row, shape, style);
        }
        Ok(out)
    }
}

/// The two numbers of an entry's name.
fn parse_id(id: &str) -> Option<(u64, u64)> {
    let (ring, seq) = id.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    number(ring).zip(number(seq))
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
