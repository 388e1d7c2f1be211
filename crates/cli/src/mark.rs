//! `logrec mark`: names a moment, or lists those that have a name.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_core::{Times, Timestamp};
use logrec_reader::{Mark, Reader, text::visible, wire};
use serde_json::{Value, json};

use crate::{
    ask::{Source, SourceArgs},
    client::ClientError,
    error::{NOTHING, usage},
    filters::{AnyMark, Params},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec mark before-fix                      now is `before-fix`
  logrec mark deploy --note 'v1.4' --time 10m
  logrec logs --since mark:before-fix         what came since
  logrec mark                                 the moments that have a name

With a folder of recordings marks lie beside them, and outlive every process; else they are the server's.

Exit status: 0 fine, 1 no marks, 2 wrong usage, 3 failed.";

/// Name a moment, to ask for what came since by mark:NAME wherever a time goes.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MarkArgs {
    /// What the moment is called: letters, digits, _ . -; without a name the marks are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// What it is about
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,

    /// When, as --since takes it [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    time: Option<String>,

    #[command(flatten)]
    source: SourceArgs,

    /// The published JSON, as elsewhere than on a terminal
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(crate) fn run(args: &MarkArgs) -> anyhow::Result<ExitCode> {
    if !args.source.files.is_empty() {
        return Err(usage("log files have no marks; give --rings or --url, or one NAME alone"));
    }
    let source = Source::open(&args.source)?;
    match &args.name {
        Some(name) => set(args, &source, name),
        None => list(args, &source),
    }
}

fn set(args: &MarkArgs, source: &Source, name: &str) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let now = Timestamp::now();
    let times = match source {
        Source::Local(reader) => Times::new(now, &zone).with_marks(reader.marks()),
        Source::Server(_) => Times::new(now, &zone).with_marks(&AnyMark),
    };
    let time = match &args.time {
        None => now,
        Some(text) => {
            times.parse(text).map_err(|e| usage(format!("`--time` cannot be used: {e}")))?
        }
    };
    let note = args.note.as_deref().unwrap_or_default();
    let mark = Mark::new(name, time, note).map_err(|e| usage(e.to_string()))?;
    match source {
        Source::Local(reader) => reader.marks().set(mark)?,
        Source::Server(client) => {
            // Which moment a mark is, the server knows.
            let by_mark = args.time.as_deref().filter(|text| text.trim().starts_with("mark:"));
            let time = by_mark.map_or_else(|| time.to_string(), str::to_owned);
            let mut body = json!({ "name": mark.name, "time": time });
            if !mark.note.is_empty() {
                body["note"] = mark.note.into();
            }
            client.set_mark(&body).map_err(ClientError::into_failure)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &MarkArgs, source: &Source) -> anyhow::Result<ExitCode> {
    let local = |reader: &Reader| Ok(wire::marks(&reader.marks().all()));
    let body = source.ask("marks", &Params::new(), local)?;
    let answer: Value = serde_json::from_slice(&body).context("the answer is none of logrec's")?;
    if args.json || !std::io::stdout().is_terminal() {
        show::print_lines(body)?;
    } else {
        let style = show::style(&TimeZone::system(), false);
        let mut out = Vec::new();
        for mark in answer["data"].as_array().into_iter().flatten() {
            let time = show::time(mark["timestamp"].as_f64().unwrap_or_default(), &style);
            let text = |key: &str| mark[key].as_str().unwrap_or_default();
            let line = format!("{time}  {}  {}", text("name"), text("note"));
            visible(&mut out, line.trim_end());
            out.push(b'\n');
        }
        show::print(&out)?;
    }
    let is_empty = answer["count"] == 0;
    Ok(if is_empty { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}
