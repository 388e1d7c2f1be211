//! `logrec stats`: figures of what is recorded.

use std::{fmt::Write as _, io::IsTerminal, process::ExitCode};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::text::Style;
use serde_json::Value;

use crate::{
    ask::{Source, SourceArgs},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec stats
  logrec stats app.log
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
        show::print(figures(&answer["data"], &style).as_bytes())?;
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
