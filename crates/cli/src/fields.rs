//! `logrec fields`: which values fields have, with counts.

use std::{fmt::Write as _, io::IsTerminal, process::ExitCode};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::{FacetsRequest, TOO_SLOW, text::visible};
use serde_json::{Map, Value};

use crate::{
    ask::{Source, SourceArgs},
    error::NOTHING,
    filters::{AnyMark, Filters, add, read},
    show,
};

const EXAMPLES: &str = "\
Examples:
  logrec fields                               levels, loggers, modules, services, attributes
  logrec fields --fields logger,attr.room --level ERROR
  logrec fields --top 3 --since 15m app.log
  logrec fields --json | jq .data.logger.values

Exit status: 0 fine, 1 nothing matched, 2 wrong usage, 3 failed.";

/// Show which values the fields of the entries that match have, and how often.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FieldsArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    /// Which fields to count, with commas; attributes for all of those, attr.NAME for one
    #[arg(long, value_name = "FIELDS", help_heading = "Output")]
    fields: Option<String>,

    /// Most values shown of a field, 1 to 100 [default: 10]
    #[arg(long, value_name = "N", help_heading = "Output")]
    top: Option<String>,

    /// Keep the JSON answer to so many tokens of four bytes
    #[arg(long, value_name = "N", help_heading = "Output")]
    max_tokens: Option<String>,

    /// The published JSON, as elsewhere than on a terminal
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(crate) fn run(args: &FieldsArgs) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let mut params = args.filters.params(&zone)?;
    add(&mut params, "fields", args.fields.as_deref());
    add(&mut params, "top", args.top.as_deref());
    add(&mut params, "max_tokens", args.max_tokens.as_deref());
    read(&params, &zone, &AnyMark, FacetsRequest::parse)?;
    let body = Source::open(&args.source)?.ask("logs/fields", &params, |reader| {
        let request = read(&params, &zone, reader.marks(), FacetsRequest::parse)?;
        reader.facets(&request).context(TOO_SLOW)
    })?;
    let answer: Value = serde_json::from_slice(&body).context("the answer is none of logrec's")?;
    if args.json || !std::io::stdout().is_terminal() {
        show::print_lines(body)?;
    } else {
        show::page(table(&answer["data"]))?;
    }
    let is_empty = answer["entries"] == 0;
    Ok(if is_empty { ExitCode::from(NOTHING) } else { ExitCode::SUCCESS })
}

/// A field a paragraph: its name, then its values with their counts.
fn table(data: &Value) -> Vec<u8> {
    let mut text = String::new();
    let no_fields = Map::new();
    for (name, field) in data.as_object().unwrap_or(&no_fields) {
        if name == "attributes" {
            for (name, field) in field.as_object().unwrap_or(&no_fields) {
                paragraph(&mut text, &format!("attr.{name}"), field);
            }
        } else {
            paragraph(&mut text, name, field);
        }
    }
    let mut out = Vec::new();
    for line in text.lines() {
        visible(&mut out, line);
        out.push(b'\n');
    }
    out
}

fn paragraph(text: &mut String, name: &str, field: &Value) {
    let number = |key: &str| field[key].as_u64().unwrap_or_default();
    let at_least = if field["complete"] == false { "at least " } else { "" };
    let (entries, distinct) = (number("entries"), number("distinct"));
    let _ = writeln!(text, "{name}  ({at_least}{distinct} values in {entries} entries)");
    for value in field["values"].as_array().into_iter().flatten() {
        let shown = value["value"].as_str().unwrap_or_default().replace(['\n', '\r'], " ");
        let _ = writeln!(text, "  {:>8}  {shown}", value["count"].as_u64().unwrap_or_default());
    }
    if number("other") > 0 {
        let _ = writeln!(text, "  {:>8}  others", number("other"));
    }
}
