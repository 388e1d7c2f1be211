//! The parameters of `GET /logs` as flags.

use clap::Args;
use jiff::tz::TimeZone;
use logrec_core::{Filter, Marks, Times, Timestamp};
use logrec_reader::{ParamError, Request};

use crate::error::usage;

/// Names and values, as the query string has them.
pub(crate) type Params = Vec<(String, String)>;

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filters {
    /// Query: 'level>=WARNING logger:engine "timed out" -module:ws duration_ms>500 (a OR b)'
    #[arg(
        short,
        long = "q",
        value_name = "QUERY",
        visible_alias = "query",
        allow_hyphen_values = true
    )]
    q: Option<String>,

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

    /// Number of the thread
    #[arg(long, value_name = "N")]
    thread: Option<String>,

    /// Name of the thread
    #[arg(long, value_name = "NAME")]
    thread_name: Option<String>,

    /// Number of the process
    #[arg(long, value_name = "N")]
    process: Option<String>,

    /// Name of the service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Trace the entry belongs to
    #[arg(long, value_name = "ID")]
    trace_id: Option<String>,

    /// Span the entry belongs to
    #[arg(long, value_name = "ID")]
    span_id: Option<String>,

    /// Where to read: buffer, or auto, which has a store too where there is one
    #[arg(long, value_name = "WHERE")]
    source: Option<String>,

    /// An attribute is exactly this (repeatable)
    #[arg(long = "attr", value_name = "NAME=VALUE")]
    attributes: Vec<String>,
}

impl Filters {
    /// What was given. Times without a zone are in `zone`, and leave here with one.
    pub(crate) fn params(&self, zone: &TimeZone) -> anyhow::Result<Params> {
        let mut params = Params::new();
        add(&mut params, "q", self.q.as_deref().map(|q| zoned_query(q, zone)).as_deref());
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
            ("thread", &self.thread),
            ("thread_name", &self.thread_name),
            ("process", &self.process),
            ("service", &self.service),
            ("trace_id", &self.trace_id),
            ("span_id", &self.span_id),
            ("source", &self.source),
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

/// Which zone times are shown in, and written ones without a zone are meant in.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Zone {
    /// Times in UTC, not in this machine's zone
    #[arg(long)]
    utc: bool,

    /// Times in this zone, as Europe/Berlin
    #[arg(long, value_name = "ZONE", conflicts_with = "utc")]
    tz: Option<String>,
}

impl Zone {
    pub(crate) fn get(&self) -> anyhow::Result<TimeZone> {
        match &self.tz {
            _ if self.utc => Ok(TimeZone::UTC),
            None => Ok(TimeZone::system()),
            Some(name) => TimeZone::get(name).map_err(|_| {
                usage(format!("`--tz` is `{name}`, which is no time zone here; give a name as Europe/Berlin, or --utc"))
            }),
        }
    }
}

/// `--tz` where the answer is rendered by who has the entries, in UTC.
pub(crate) fn only_utc(zone: &Zone, format: &str) -> anyhow::Result<()> {
    match &zone.tz {
        Some(name) if matches!(format, "text" | "markdown") && zone.get()? != TimeZone::UTC => {
            Err(usage(format!(
                "`--tz` is `{name}`, but times in {format} are in UTC; leave it out and write times with their zone, or leave out --format and --max-tokens"
            )))
        }
        _ => Ok(()),
    }
}

/// A date and time of this place as one that a server elsewhere understands; all else as it is.
fn zoned(text: &str, zone: &TimeZone) -> String {
    Times::new(Timestamp::now(), zone).with_zone(text).unwrap_or_else(|| text.to_owned())
}

/// A window, `FROM..TO` or the time it ends at, as [`zoned`] has each.
pub(crate) fn zoned_window(text: &str, zone: &TimeZone) -> String {
    match text.split_once("..") {
        Some((from, to)) => format!("{}..{}", zoned(from, zone), zoned(to, zone)),
        None => zoned(text, zone),
    }
}

/// A query with times of this place as ones that a server elsewhere understands. One that cannot be read
/// stays as it is: the error is to speak of what was written.
fn zoned_query(text: &str, zone: &TimeZone) -> String {
    let times = Times::new(Timestamp::now(), zone).with_marks(&AnyMark);
    Filter::with_zones(text, &times).unwrap_or_else(|_| text.to_owned())
}

/// Marks of a server that is not asked yet: every name may be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyMark;

impl Marks for AnyMark {
    fn time(&self, _: &str) -> Option<Timestamp> {
        Some(Timestamp::now())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(crate) fn add(params: &mut Params, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        params.push((name.to_owned(), value.to_owned()));
    }
}

/// Reads parameters here, before anyone is asked.
pub(crate) fn check(
    params: &Params,
    zone: &TimeZone,
    marks: &dyn Marks,
) -> anyhow::Result<Request> {
    read(params, zone, marks, Request::parse)
}

/// Reads the parameters of any endpoint.
pub(crate) fn read<'p, R>(
    params: &'p Params,
    zone: &TimeZone,
    marks: &dyn Marks,
    parse: impl FnOnce(Vec<(&'p str, &'p str)>, &Times<'_>) -> Result<R, ParamError>,
) -> anyhow::Result<R> {
    let times = Times::new(Timestamp::now(), zone).with_marks(marks);
    let params = params.iter().map(|(name, value)| (&**name, &**value)).collect();
    parse(params, &times).map_err(|error| {
        // Said of the parameter; the user gave a flag.
        let flag = match &*error.name {
            "logger_filter" => "--logger".to_owned(),
            "id" => "ID".to_owned(),
            name => match name.strip_prefix("attr.") {
                Some(attribute) => format!("--attr {attribute}"),
                None => format!("--{}", name.replace('_', "-")),
            },
        };
        usage(error.message.replace(&format!("`{}`", error.name), &format!("`{flag}`")))
    })
}
