//! `logrec logs`: the entries that match.

use std::{io::IsTerminal, process::ExitCode};

use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::text::Style;

use crate::{
    ask::{Source, SourceArgs},
    error::NOTHING,
    filters::{AnyMark, Filters, Params, Zone, add, check, only_utc},
    show::{self, Page},
};

const EXAMPLES: &str = "\
Examples:
  logrec logs --level ERROR,CRITICAL --since 15m
  logrec logs --search websocket --logger engine --limit 20
  logrec logs -q 'level>=WARNING -logger:ws duration_ms>500'
  logrec logs --attr status=500 --fields timestamp,message,attributes
  logrec logs --min-level WARNING /var/log/app.log
  logrec logs --rings --service shop          what its processes recorded, alive or dead
  logrec logs --json --limit 5 | jq '.data[].message'
  kubectl logs deploy/api | logrec logs --level ERROR -

A limit keeps the newest. On a terminal the newest comes last, elsewhere first (--order), and what is
shown goes through $PAGER where that is set.

Exit status: 0 fine, 1 nothing matched, 2 wrong usage, 3 failed.";

/// Show the entries that match, of a server, of files or of recordings.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
struct Output {
    /// Most entries shown, 1 to 1000; the newest are kept [default: 100]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<String>,

    /// desc: newest first; asc: oldest first
    #[arg(long, value_name = "ORDER")]
    order: Option<String>,

    /// What comes after this cursor of an answer
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,

    /// What comes before this cursor of an answer
    #[arg(long, value_name = "CURSOR")]
    before: Option<String>,

    /// Only these fields of an entry, with commas
    #[arg(long, value_name = "FIELDS")]
    fields: Option<String>,

    /// Keep the answer to so many tokens of four bytes
    #[arg(long, value_name = "N")]
    max_tokens: Option<String>,

    /// json, ndjson, text or markdown [default: lines in colour on a terminal, elsewhere json]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Show runs of near-identical entries as one
    #[arg(long)]
    fold: bool,

    #[command(flatten)]
    zone: Zone,
}

impl Output {
    /// The format of the answer; `None` is ours, for people.
    fn format(&self) -> Option<&str> {
        let is_terminal = std::io::stdout().is_terminal();
        match &self.format {
            Some(format) => Some(format),
            None if self.json || !is_terminal => Some("json"),
            // Who counts tokens wants what is counted.
            None if self.max_tokens.is_some() => Some("text"),
            None => None,
        }
    }

    fn add_to(&self, params: &mut Params) {
        let is_for_people = self.format.is_none() && !self.json && std::io::stdout().is_terminal();
        let order = self.order.as_deref().or(is_for_people.then_some("asc"));
        add(params, "limit", self.limit.as_deref());
        add(params, "order", order);
        add(params, "after", self.after.as_deref());
        add(params, "before", self.before.as_deref());
        add(params, "max_tokens", self.max_tokens.as_deref());
        add(params, "format", self.format());
        add(params, "fields", self.fields.as_deref());
        add(params, "fold", self.fold.then_some("true"));
    }
}

pub(crate) fn run(args: &LogsArgs) -> anyhow::Result<ExitCode> {
    let zone = args.output.zone.get()?;
    only_utc(&args.output.zone, args.output.format().unwrap_or_default())?;
    let mut params = args.filters.params(&zone)?;
    args.output.add_to(&mut params);
    let request = check(&params, &zone, &AnyMark)?;
    let source = Source::open(&args.source)?;
    let Some(format) = args.output.format() else {
        // Fields are chosen here: an entry without a message would be none to us.
        params.retain(|(name, _)| name != "fields");
        let body = source.logs(&params, &zone)?;
        let page = Page::parse(&body)?;
        let style = show::style(&zone, zone == TimeZone::UTC);
        let mut out = page.lines(&request.shape, &style)?;
        footer(&mut out, &page, args.output.after.is_some(), &style);
        show::page(out)?;
        return Ok(exit_code(page.count == 0 && page.omitted == 0));
    };
    let body = source.logs(&params, &zone)?;
    let is_empty = is_empty(format, &body)?;
    show::page(body)?;
    Ok(exit_code(is_empty))
}

fn exit_code(is_empty: bool) -> ExitCode {
    if is_empty { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS }
}

fn is_empty(format: &str, body: &[u8]) -> anyhow::Result<bool> {
    Ok(match format {
        "json" => {
            let page = Page::parse(body)?;
            page.count == 0 && page.omitted == 0
        }
        "ndjson" => body.is_empty(),
        _ => body.ends_with(b"# nothing matched\n"),
    })
}

/// How many were shown, and how to see more.
fn footer(out: &mut Vec<u8>, page: &Page<'_>, is_onwards: bool, style: &Style) {
    if page.missed > 0 {
        let missed = format!("{} were overwritten before they could be read", page.missed);
        show::note(out, &missed, style);
    }
    let number = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let entries = match (page.count, page.entries) {
        (0, _) => "nothing matched".to_owned(),
        (count, None) => number(count, "entry", "entries"),
        (count, Some(entries)) => {
            let entries = number(entries, "entry", "entries");
            format!("{}, {entries}", number(count, "row", "rows"))
        }
    };
    let more = match (&page.next_cursor, is_onwards) {
        (Some(cursor), false) => format!("; there are older ones: --before {cursor}"),
        (Some(cursor), true) => format!("; go on with --after {cursor}"),
        (None, _) => String::new(),
    };
    show::note(out, &format!("{entries}{more}"), style);
}
