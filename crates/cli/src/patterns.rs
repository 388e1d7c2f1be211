//! `logrec patterns`: the message templates of what was recorded, and how they changed.

use std::{
    fs,
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_insight::miner::{Miner, Options};
use logrec_reader::{PatternsRequest, TOO_SLOW};

use crate::{
    ask::{Source, SourceArgs},
    error::{NOTHING, StdoutClosed},
    filters::{AnyMark, Filters, add, read, zoned_window},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec patterns                             what the log consists of
  logrec patterns --min-level WARNING --since 1h app.log
  logrec patterns --compare-to mark:deploy    what is new, gone, more or less since then
  logrec patterns --compare-to 1h..30m --since 30m
  logrec patterns --assign messages.txt       a pattern id a line, for measuring

Exit status: 0 fine, 1 nothing matched, 2 wrong usage, 3 failed.";

/// Show the templates of messages, with counts; compared with another window, what changed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PatternsArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    /// Compare with another window, FROM..TO, or with what was before a time or mark
    #[arg(long, value_name = "WINDOW", help_heading = "Output")]
    compare_to: Option<String>,

    /// Most patterns shown, 1 to 1000 [default: 20]
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

    /// Print the pattern id of each line of FILE, a message a line, and nothing else
    #[arg(long, value_name = "FILE", exclusive = true, help_heading = "Output")]
    assign: Option<PathBuf>,
}

pub(crate) fn run(args: &PatternsArgs) -> anyhow::Result<ExitCode> {
    if let Some(file) = &args.assign {
        return assign(file);
    }
    let zone = TimeZone::system();
    let mut params = args.filters.params(&zone)?;
    let compare_to = args.compare_to.as_deref().map(|window| zoned_window(window, &zone));
    add(&mut params, "compare_to", compare_to.as_deref());
    add(&mut params, "top", args.top.as_deref());
    add(&mut params, "max_tokens", args.max_tokens.as_deref());
    let is_terminal = std::io::stdout().is_terminal();
    let default = if args.json || !is_terminal { "json" } else { "text" };
    let format = args.format.as_deref().unwrap_or(default);
    add(&mut params, "format", Some(format));
    read(&params, &zone, &AnyMark, PatternsRequest::parse)?;
    let body = Source::open(&args.source)?.ask("logs/patterns", &params, |reader| {
        let request = read(&params, &zone, reader.marks(), PatternsRequest::parse)?;
        reader.patterns(&request).context(TOO_SLOW)
    })?;
    let is_empty = match format {
        "json" => body.windows(12).any(|part| part == b"\"patterns\":0"),
        _ => body.ends_with(b"nothing matched\n") || body.ends_with(b"nothing matched\n\n"),
    };
    show::page(body)?;
    Ok(if is_empty { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

/// The ids as they are when all has been read: what a line's pattern is depends on the others.
fn assign(path: &Path) -> anyhow::Result<ExitCode> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = || text.strip_suffix(b"\n").unwrap_or(&text).split(|byte| *byte == b'\n');
    let mut miner = Miner::new(Options::default());
    let handles: Vec<_> = lines().map(|line| miner.add(line)).collect();
    let patterns = miner.patterns();
    let ids: Vec<String> = patterns.iter().map(|pattern| format!("{}\n", pattern.id())).collect();
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let write = || -> std::io::Result<()> {
        for (line, handle) in lines().zip(handles) {
            match patterns.find(handle) {
                Some(at) => out.write_all(ids[at].as_bytes())?,
                None => writeln!(out, "{}", patterns.id_of(handle, line))?,
            }
        }
        out.flush()
    };
    match write() {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(StdoutClosed.into()),
        result => result.context("cannot write to stdout").map(|()| ExitCode::SUCCESS),
    }
}
