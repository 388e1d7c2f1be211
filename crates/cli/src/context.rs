//! `logrec context`: what stands around an entry, or the story of an error.

use std::{io::IsTerminal, process::ExitCode};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use logrec_reader::ContextRequest;

use crate::{
    ask::{Source, SourceArgs},
    filters::{AnyMark, Filters, Params, add, read},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec context 8f2c01ab34-1c0               ten entries before and after that one
  logrec context 8f2c01ab34-1c0 --mode story  its stack distilled, what led to it, how often it came
  logrec context 8f2c01ab34-1c0 --before 30s --after 5 --same thread
  logrec context 8f2c01ab34-1c0 --rings       of what processes recorded, without a server

The id of an entry is the `id` of an answer: logrec logs --level ERROR --json --fields id,message

Exit status: 0 fine, 2 wrong usage, 3 failed, as when the entry is not there any more.";

/// Show what stands around an entry: before, after, or what led to an error.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ContextArgs {
    /// The entry, by the `id` of an answer
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    around: Around,

    #[command(flatten)]
    filters: Filters,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
struct Around {
    /// How many entries before it, or how long: 30s, 5m [default: 10]
    #[arg(long, value_name = "N|SPAN")]
    before: Option<String>,

    /// How many entries after it, or how long [default: 10, in a story 0]
    #[arg(long, value_name = "N|SPAN")]
    after: Option<String>,

    /// Only entries of the same logger, thread or trace, several with commas
    #[arg(long, value_name = "WHAT")]
    same: Option<String>,

    /// lines: what stands around it; story: what led to it
    #[arg(long, value_enum, default_value_t = Mode::Lines)]
    mode: Mode,

    /// Only these fields of an entry, with commas
    #[arg(long, value_name = "FIELDS")]
    fields: Option<String>,

    /// Keep the answer to so many tokens of four bytes
    #[arg(long, value_name = "N")]
    max_tokens: Option<String>,

    /// Show runs of near-identical entries as one
    #[arg(long)]
    fold: bool,

    /// json, ndjson, text or markdown [default: text on a terminal, elsewhere json]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Lines,
    Story,
}

pub(crate) fn run(args: &ContextArgs) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let around = &args.around;
    let mut params = Params::new();
    add(&mut params, "id", Some(&args.id));
    add(&mut params, "before", around.before.as_deref());
    add(&mut params, "after", around.after.as_deref());
    add(&mut params, "same", around.same.as_deref());
    add(&mut params, "mode", matches!(around.mode, Mode::Story).then_some("story"));
    add(&mut params, "fields", around.fields.as_deref());
    add(&mut params, "max_tokens", around.max_tokens.as_deref());
    add(&mut params, "fold", around.fold.then_some("true"));
    let is_terminal = std::io::stdout().is_terminal();
    let default = if args.around.json || !is_terminal { "json" } else { "text" };
    add(&mut params, "format", Some(around.format.as_deref().unwrap_or(default)));
    params.extend(args.filters.params(&zone)?);
    read(&params, &zone, &AnyMark, ContextRequest::parse)?;
    let source = Source::open(&args.source)?;
    let body = source.ask("logs/context", &params, |reader| {
        let request = read(&params, &zone, reader.marks(), ContextRequest::parse)?;
        Ok(reader.context(&request)?)
    })?;
    show::page(body)?;
    Ok(ExitCode::SUCCESS)
}
