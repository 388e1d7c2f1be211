//! `logrec volume`: how many entries over time, and what is out of the ordinary.

use std::{io::IsTerminal, process::ExitCode};

use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::VolumeRequest;

use crate::{
    ask::{Source, SourceArgs},
    error::NOTHING,
    filters::{AnyMark, Filters, add, read},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec volume                               by level, in sixty steps
  logrec volume --by logger --since 1h --step 1m
  logrec volume --by attr.room --level ERROR app.log

Exit status: 0 fine, 1 nothing matched, 2 wrong usage, 3 failed.";

/// Show how many entries came when, and spikes, drops and silences.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VolumeArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    /// Field whose values are told apart, as logger or attr.NAME [default: level]
    #[arg(long, value_name = "FIELD", help_heading = "Output")]
    by: Option<String>,

    /// How long a step is: 10s, 5m, 1h [default: a sixtieth of what there is]
    #[arg(long, value_name = "SPAN", help_heading = "Output")]
    step: Option<String>,

    /// Most values shown, 1 to 100 [default: 8]
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

pub(crate) fn run(args: &VolumeArgs) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let mut params = args.filters.params(&zone)?;
    add(&mut params, "by", args.by.as_deref());
    add(&mut params, "step", args.step.as_deref());
    add(&mut params, "top", args.top.as_deref());
    add(&mut params, "max_tokens", args.max_tokens.as_deref());
    let is_terminal = std::io::stdout().is_terminal();
    let default = if args.json || !is_terminal { "json" } else { "text" };
    let format = args.format.as_deref().unwrap_or(default);
    add(&mut params, "format", Some(format));
    read(&params, &zone, &AnyMark, VolumeRequest::parse)?;
    let body = Source::open(&args.source)?.ask("logs/volume", &params, |reader| {
        let request = read(&params, &zone, reader.marks(), VolumeRequest::parse)?;
        Ok(reader.volume(&request)?)
    })?;
    let is_empty = match format {
        "json" => body.windows(11).any(|part| part == b"\"entries\":0"),
        _ => {
            body.starts_with(b"# 0 entries")
                || body.windows(12).any(|part| part == b"\n0 entries, ")
        }
    };
    show::page(body)?;
    Ok(if is_empty { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}
