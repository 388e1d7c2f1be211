//! `logrec stats`: figures of what is recorded.

use std::{fmt::Write as _, io::IsTerminal, process::ExitCode};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::text::{Style, visible};
use serde_json::Value;

use crate::{
    ask::{Source, SourceArgs},
    rings, show,
};

const EXAMPLES: &str = "\
Examples:
  logrec stats
  logrec stats app.log
  logrec stats --rings                        of every process that records: alive, or how it ended
  logrec stats --json | jq .data.level_counts";

/// Show how much is recorded, from when to when, and at which levels.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    source: SourceArgs,

    /// The published JSON, as elsewhere than on a terminal
    #[arg(long)]
    json: bool,

    /// Times in UTC, not in this machine's zone
    #[arg(long)]
    utc: bool,
}

pub(crate) fn run(args: &StatsArgs) -> anyhow::Result<ExitCode> {
    let body = Source::open(&args.source)?.stats()?;
    if args.json || !std::io::stdout().is_terminal() {
        show::print_lines(body)?;
    } else {
        let answer: Value =
            serde_json::from_slice(&body).context("the answer is none of logrec's")?;
        let style = show::style(&TimeZone::system(), args.utc);
        let mut out = figures(&answer["data"], &style);
        out.push_str(&recordings(&answer["data"], &style));
        let mut shown = Vec::new();
        for line in out.lines() {
            visible(&mut shown, line);
            shown.push(b'\n');
        }
        show::print(&shown)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The figures, for people.
pub(crate) fn figures(data: &Value, style: &Style) -> String {
    let number = |name: &str| data[name].as_u64().unwrap_or(0);
    let mut out = String::new();
    let entries = format!("{} of at most {}", number("total_entries"), number("max_size"));
    row(&mut out, "entries", &entries);
    for (label, name) in [("oldest", "oldest_entry"), ("newest", "newest_entry")] {
        if let Some(seconds) = data[name].as_f64() {
            row(&mut out, label, &show::time(seconds, style));
        }
    }
    row(&mut out, "levels", &levels(data));
    let bytes = format!("{} of at most {}", size(number("bytes")), size(number("max_bytes")));
    row(&mut out, "memory", &bytes);
    row(&mut out, "recorded", &number("recorded").to_string());
    for (label, name) in [("dropped", "dropped"), ("truncated", "truncated")] {
        if number(name) > 0 {
            row(&mut out, label, &number(name).to_string());
        }
    }
    out
}

/// The recordings, and what is wrong with any source, a line each.
fn recordings(data: &Value, style: &Style) -> String {
    let mut out = String::new();
    for source in rings::among(data) {
        row(&mut out, "recording", &rings::line(source, style));
    }
    for (source, trouble) in troubles(data) {
        row(&mut out, "WARNING", &format!("{source}: {trouble}"));
    }
    out
}

/// What is wrong with sources that go on all the same.
pub(crate) fn troubles(data: &Value) -> impl Iterator<Item = (String, &str)> {
    data["sources"].as_array().into_iter().flatten().filter_map(|source| {
        let text = |name: &str| source[name].as_str().unwrap_or("?");
        Some((format!("{} {}", text("kind"), text("name")), source["trouble"].as_str()?))
    })
}

fn row(out: &mut String, label: &str, text: &str) {
    let _ = writeln!(out, "{label:<10} {text}");
}

/// The levels that occur, with their counts.
pub(crate) fn levels(data: &Value) -> String {
    let counts = data["level_counts"].as_object();
    let known = counts.into_iter().flatten().filter(|(_, count)| count.as_u64() != Some(0));
    let shown: Vec<_> = known.map(|(level, count)| format!("{level} {count}")).collect();
    if shown.is_empty() { "none yet".to_owned() } else { shown.join(", ") }
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} kB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn recordings_and_troubles() {
        let data = json!({"sources": [
            {"kind": "ring", "name": "7f", "total_entries": 3, "trouble": "the disk is full"},
            {"kind": "recording", "name": "/r/a.ring", "service": "shop", "process": 47, "started": 0.5,
             "state": "running", "total_entries": 1, "newest_entry": null},
            {"kind": "recording", "name": "/r/b.ring", "service": "", "process": 48, "started": 1.0,
             "state": "ended: killed, crashed or lost power", "total_entries": 2, "newest_entry": 9.0},
            {"kind": "recording", "name": "/r/c.ring", "service": "shop", "process": 49, "started": 1.0,
             "state": "ended: exited", "ended": 2.25, "total_entries": 0, "newest_entry": null},
        ]});
        let shown = recordings(&data, &Style::default());
        let mut lines = shown.lines();
        let start = "started 1970-01-01T00:00:";
        for expected in [
            format!("recording  shop, process 47: running; {start}00.500Z; 1 entry"),
            format!(
                "recording  (no service), process 48: killed, crashed or lost power; {start}01.000Z; \
                 2 entries, the newest "
            ),
            format!(
                "recording  shop, process 49: exited 1970-01-01T00:00:02.250Z; {start}01.000Z; 0 entries"
            ),
            "WARNING    ring 7f: the disk is full".to_owned(),
        ] {
            let line = lines.next().unwrap();
            assert!(line.starts_with(&expected), "{line}");
        }
        let unclean: Vec<_> = rings::among(&data).map(rings::is_unclean).collect();
        assert_eq!(unclean, [false, true, false]);
    }
}
