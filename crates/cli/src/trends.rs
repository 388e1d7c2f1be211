//! `logrec trends`: the numbers in what was recorded, over time, and where they shift.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::{TOO_SLOW, TrendsRequest};

use crate::{
    ask::{Source, SourceArgs},
    error::NOTHING,
    filters::{AnyMark, Filters, add, read},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec trends                               what became slower, larger or more, and when
  logrec trends --logger db --since 1h
  logrec trends --top 3 app.log

Exit status: 0 fine, 1 no numbers, 2 wrong usage, 3 failed.";

/// Show durations, sizes and other numbers over time, and where they shift.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrendsArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    /// Most numbers shown, 1 to 200 [default: 10]
    #[arg(long, value_name = "N", help_heading = "Output")]
    top: Option<String>,

    /// Keep the answer to so many tokens of four bytes
    #[arg(long, value_name = "N", help_heading = "Output")]
    max_tokens: Option<String>,

    /// json, text or markdown [default: text on a terminal, elsewhere json]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    format: Option<String>,

    /// The same as --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
}

pub(crate) fn run(args: &TrendsArgs) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let mut params = args.filters.params(&zone)?;
    add(&mut params, "top", args.top.as_deref());
    add(&mut params, "max_tokens", args.max_tokens.as_deref());
    let is_terminal = std::io::stdout().is_terminal();
    let default = if args.json || !is_terminal { "json" } else { "text" };
    let format = args.format.as_deref().unwrap_or(default);
    add(&mut params, "format", Some(format));
    read(&params, &zone, &AnyMark, TrendsRequest::parse)?;
    let body = Source::open(&args.source)?.ask("logs/trends", &params, |reader| {
        let request = read(&params, &zone, reader.marks(), TrendsRequest::parse)?;
        reader.trends(&request).context(TOO_SLOW)
    })?;
    let is_empty = match format {
        "json" => body.windows(11).any(|part| part == b"\"numbers\":0"),
        _ => {
            body.starts_with(b"# 0 numbers") || body.windows(11).any(|part| part == b"\n0 numbers,")
        }
    };
    show::page(body)?;
    Ok(if is_empty { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}
