//! The parameters of `GET /logs` as flags.

use clap::Args;
use jiff::tz::TimeZone;
use logrec_core::Timestamp;
use logrec_reader::Request;

use crate::error::usage;

/// Names and values, as the query string has them.
pub(crate) type Params = Vec<(String, String)>;

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filters {
    /// Exactly this level, or several with commas: ERROR,CRITICAL
    #[arg(short, long, value_name = "LEVEL")]
    level: Option<String>,

    /// This level and above
    #[arg(short, long, value_name = "LEVEL")]
    min_level: Option<String>,

    /// Logger contains this, in any case
    #[arg(long, value_name = "TEXT", visible_alias = "logger-filter", alias = "logger_filter")]
    logger: Option<String>,

    /// Message contains this, in any case
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    search: Option<String>,

    /// Message matches this regular expression; (?i) for any case
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    regex: Option<String>,

    /// From then on: 15m, 2h, 1d ago; a date and time; seconds since the epoch
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,

    /// Until then, in the same forms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,

    /// The last so many minutes
    #[arg(long, value_name = "MINUTES")]
    since_minutes: Option<String>,

    /// Module of the code
    #[arg(long, value_name = "NAME")]
    module: Option<String>,

    /// Function of the code
    #[arg(long, value_name = "NAME")]
    function: Option<String>,

    /// Source file of the code
    #[arg(long, value_name = "NAME")]
    file: Option<String>,

    /// Line of the code: 245, or 200-300
    #[arg(long, value_name = "N")]
    line: Option<String>,

    /// Name of the thread
    #[arg(long, value_name = "NAME")]
    thread_name: Option<String>,

    /// Name of the service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Trace the entry belongs to
    #[arg(long, value_name = "ID")]
    trace_id: Option<String>,

    /// Span the entry belongs to
    #[arg(long, value_name = "ID")]
    span_id: Option<String>,

    /// An attribute is exactly this (repeatable)
    #[arg(long = "attr", value_name = "NAME=VALUE")]
    attributes: Vec<String>,
}

impl Filters {
    /// What was given. Times without a zone are in `zone`, and leave here with one.
    pub(crate) fn params(&self, zone: &TimeZone) -> anyhow::Result<Params> {
        let mut params = Params::new();
        let plain = [
            ("level", &self.level),
            ("min_level", &self.min_level),
            ("logger_filter", &self.logger),
            ("search", &self.search),
            ("regex", &self.regex),
            ("since_minutes", &self.since_minutes),
            ("module", &self.module),
            ("function", &self.function),
            ("file", &self.file),
            ("line", &self.line),
            ("thread_name", &self.thread_name),
            ("service", &self.service),
            ("trace_id", &self.trace_id),
            ("span_id", &self.span_id),
        ];
        for (name, value) in plain {
            add(&mut params, name, value.as_deref());
        }
        for (name, value) in [("since", &self.since), ("until", &self.until)] {
            add(&mut params, name, value.as_deref().map(|text| zoned(text, zone)).as_deref());
        }
        for attribute in &self.attributes {
            let (name, value) = attribute
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| usage(format!("`--attr` is `{attribute}`; give NAME=VALUE")))?;
            params.push((format!("attr.{name}"), value.to_owned()));
        }
        Ok(params)
    }
}

/// A date and time of this place as one that a server elsewhere understands; all else as it is.
fn zoned(text: &str, zone: &TimeZone) -> String {
    match text.trim().parse::<jiff::civil::DateTime>() {
        Ok(_) => Timestamp::parse(text, Timestamp::now(), zone)
            .map_or_else(|_| text.to_owned(), |time| time.to_string()),
        Err(_) => text.to_owned(),
    }
}

pub(crate) fn add(params: &mut Params, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        params.push((name.to_owned(), value.to_owned()));
    }
}

/// Reads parameters here, before anyone is asked.
pub(crate) fn check(params: &Params, zone: &TimeZone) -> anyhow::Result<Request> {
    let params = params.iter().map(|(name, value)| (name, value));
    Request::parse(params, Timestamp::now(), zone).map_err(|error| {
        // Said of the parameter; the user gave a flag.
        let flag = match &*error.name {
            "logger_filter" => "--logger".to_owned(),
            name => match name.strip_prefix("attr.") {
                Some(attribute) => format!("--attr {attribute}"),
                None => format!("--{}", name.replace('_', "-")),
            },
        };
        usage(error.message.replace(&format!("`{}`", error.name), &format!("`{flag}`")))
    })
}
