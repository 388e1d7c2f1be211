//! `logrec digest`: what is wrong, since when, and what may have caused it.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::{DigestRequest, TOO_SLOW};

use crate::{
    ask::{Source, SourceArgs},
    filters::{AnyMark, Filters, add, read},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec digest                               what is wrong with the backend that logrec serves
  logrec digest --since 1h --max-tokens 500   of the last hour, in a few lines
  logrec digest app.log                       of a file
  logrec digest --json | jq .verdict

Exit status: 0 fine, whether or not something is wrong, 2 wrong usage, 3 failed.";

/// Say what is wrong, since when, and what may have caused it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    /// Keep the answer to so many tokens of four bytes [default: 2000]
    #[arg(long, value_name = "N", help_heading = "Output")]
    max_tokens: Option<String>,

    /// json, text or markdown [default: text]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    format: Option<String>,

    /// The same as --format json
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
}

pub(crate) fn run(args: &DigestArgs) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let mut params = args.filters.params(&zone)?;
    add(&mut params, "max_tokens", args.max_tokens.as_deref());
    let default = if args.json { "json" } else { "text" };
    add(&mut params, "format", Some(args.format.as_deref().unwrap_or(default)));
    read(&params, &zone, &AnyMark, DigestRequest::parse)?;
    let body = Source::open(&args.source)?.ask("logs/digest", &params, |reader| {
        let request = read(&params, &zone, reader.marks(), DigestRequest::parse)?;
        reader.digest(&request).context(TOO_SLOW)
    })?;
    show::page(body)?;
    Ok(ExitCode::SUCCESS)
}
