//! `logrec doctor`: what is captured, from where, and what is not, and why.
//!
//! For the moment when an answer is empty and nobody knows why. Every finding says what to do.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use jiff::tz::TimeZone;
use logrec_core::{Entry, Level, Timestamp, ring::Folder};
use logrec_decode::{LineDecoder, Origin};
use logrec_reader::{
    Reader,
    text::{Style, visible},
};
use serde_json::Value;

use crate::{
    ask::{SourceArgs, named, set},
    client::{Client, ClientError},
    config,
    rings::{self, Found},
    show, stats,
};

/// Lines shown that were not recognised.
const SAMPLES_MAX: usize = 3;
/// Characters shown of such a line.
const SAMPLE_CHARS_MAX: usize = 120;
/// Exit status when something is wrong.
const WRONG: u8 = 1;

const EXAMPLES: &str = "\
Examples:
  logrec doctor                               is there a server, and does it capture anything
  logrec doctor app.log                       how much of a file is recognised
  logrec doctor --rings                       which processes record, and how those that do not ended
  logrec doctor --url http://127.0.0.1:8000   an application that serves logrec's API itself

Exit status: 0 all is fine, 1 something is wrong, 2 wrong usage.";

/// Say what is captured, from where, and what is not, and why.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    source: SourceArgs,

    /// Times in UTC, not in this machine's zone
    #[arg(long)]
    utc: bool,
}

pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let style = show::style(&TimeZone::system(), args.utc);
    let source = &args.source;
    let mut report = Report::default();
    if let Some(named) = source.rings() {
        source.is_contradictory()?;
        folder(&mut report, &rings::folder(named), None, &style)?;
    } else if source.files.is_empty() || source.url.is_some() {
        let served = server(&mut report, &source.client()?, &style)?;
        if source.url.is_none() {
            folder(&mut report, &rings::folder(None), Some(&served), &style)?;
        }
    }
    for path in &source.files {
        if rings::is_recording(path) {
            recording(&mut report, path, &style)?;
        } else {
            file(&mut report, path);
        }
    }
    settings(&mut report);
    show::print(&report.out)?;
    Ok(if report.is_wrong { ExitCode::from(WRONG) } else { ExitCode::SUCCESS })
}

/// What was found, a line each.
#[derive(Debug, Default)]
struct Report {
    out: Vec<u8>,
    is_wrong: bool,
}

impl Report {
    fn line(&mut self, mark: &str, text: &str) {
        self.out.extend_from_slice(mark.as_bytes());
        visible(&mut self.out, text);
        self.out.push(b'\n');
    }

    fn head(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
        self.line("", text);
    }

    fn fine(&mut self, text: &str) {
        self.line("  ok     ", text);
    }

    /// Worth to know, but nothing that capturing suffers from now.
    fn warning(&mut self, text: &str) {
        self.line("  WARN   ", text);
    }

    fn wrong(&mut self, text: &str) {
        self.is_wrong = true;
        self.line("  WRONG  ", text);
    }

    fn note(&mut self, text: &str) {
        self.line("         ", text);
    }
}

/// Looks at a server; which recordings it serves.
fn server(report: &mut Report, client: &Client, style: &Style) -> anyhow::Result<Vec<PathBuf>> {
    report.head(&format!("Server {}", client.url()));
    let stats = match client.stats() {
        Ok(body) => serde_json::from_slice::<Value>(&body).unwrap_or_default(),
        Err(error) => {
            no_stats(report, &error);
            return Ok(Vec::new());
        }
    };
    let data = &stats["data"];
    if !data.is_object() {
        report.wrong("what answers here is not logrec; choose another address for it with --bind");
        return Ok(Vec::new());
    }
    report.fine(&format!("it answers{}", health(client)));
    sources(report, data, style)?;
    if data["total_entries"].as_u64() == Some(0) {
        empty(report, data);
    } else {
        for line in stats::figures(data, style).lines() {
            report.fine(line);
        }
        age(report, data);
    }
    losses(report, data);
    let names = rings::among(data).filter_map(|source| source["name"].as_str());
    Ok(names.map(PathBuf::from).collect())
}

/// What `/healthz` adds: an application that nests the API need not have it.
fn health(client: &Client) -> String {
    let body = client.health().ok();
    let health = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
    match health {
        None => ", as part of an application".to_owned(),
        Some(health) => {
            let version = health["version"].as_str().map(|v| format!(", version {v}"));
            let status = health["status"].as_str().unwrap_or("unknown");
            format!(", health {status}{}", version.unwrap_or_default())
        }
    }
}

fn no_stats(report: &mut Report, error: &ClientError) {
    report.wrong(&error.to_string());
    match error {
        ClientError::NoServer(_) => {
            report.note("or it listens elsewhere: `logrec run` says where on stderr; give --url");
        }
        ClientError::Foreign { .. } => {
            report.note("another program holds this port; choose one for logrec with --bind");
            report
                .note("an application that nests logrec's API elsewhere: give --url with the path");
        }
        ClientError::Refused { status: 401, .. } => {
            report.note("set LOGREC_TOKEN, or give --token-file");
        }
        ClientError::Refused { status: 404, .. } => {
            report.note("it may have the API under another path: give --url with the path");
        }
        ClientError::Refused { .. } | ClientError::Lost { .. } | ClientError::Url(_) => {}
    }
}

fn sources(report: &mut Report, data: &Value, style: &Style) -> anyhow::Result<()> {
    for source in rings::among(data) {
        process(report, source, style)?;
    }
    let sources = data["sources"].as_array().into_iter().flatten();
    for source in sources.filter(|source| !rings::is_source(source)) {
        let text = |name: &str| source[name].as_str().unwrap_or("?").to_owned();
        let number = |name: &str| source[name].as_u64().unwrap_or(0);
        report.fine(&format!(
            "source {} {}: {} entries, {} ever recorded",
            text("kind"),
            text("name"),
            number("total_entries"),
            number("recorded")
        ));
    }
    for (source, trouble) in stats::troubles(data) {
        report.warning(&format!("{source}: {trouble}"));
    }
    Ok(())
}

/// A recording: whose it is and how it stands. Of a process that did not end in good order also what
/// it said last.
fn process(report: &mut Report, source: &Value, style: &Style) -> anyhow::Result<()> {
    let line = format!("recording of {}", rings::line(source, style));
    if !rings::is_unclean(source) {
        report.fine(&line);
        return Ok(());
    }
    report.warning(&line);
    if source["total_entries"] != 0 {
        let last = rings::last_entries(source, style)?;
        last.iter().for_each(|entry| report.note(&format!("> {entry}")));
    }
    Ok(())
}

/// A folder of recordings: the one asked about, or, where a server was asked, what that does not serve.
fn folder(
    report: &mut Report,
    folder: &Folder,
    served: Option<&[PathBuf]>,
    style: &Style,
) -> anyhow::Result<()> {
    report.head(&format!("Recordings in {}", folder.path().display()));
    match rings::readable(folder) {
        Ok(()) => {}
        Err(error) if served.is_some() && error.kind() == std::io::ErrorKind::NotFound => {
            report.fine("the folder is not there: no application records into it");
            return Ok(());
        }
        Err(error) => {
            report.wrong(&format!("the folder cannot be read: {error}"));
            return Ok(());
        }
    }
    if is_open_to_others(folder) {
        report.wrong(
            "others may write to this folder, so no application records into it; make it 0700",
        );
    }
    let found = Found::in_folder(folder);
    let is_served = |path: &PathBuf| served.is_some_and(|served| served.contains(path));
    let mut unserved = 0;
    for path in folder.files().iter().filter(|path| !is_served(path)) {
        // Those that cannot be opened are named below.
        if let Ok(recording) = rings::open(path) {
            unserved += 1;
            sources(report, &figures_of(recording)?, style)?;
        }
    }
    for error in &found.refused {
        report.wrong(&error.to_string());
    }
    if found.recordings == 0 {
        report.fine("there is no recording in it");
    } else if unserved == 0 {
        report.fine(&format!("{}, all served by the server above", found.count()));
    } else if served.is_some() {
        report.note("no server was found that serves these; logrec serve does, logrec logs --rings reads them");
    }
    Ok(())
}

fn is_open_to_others(folder: &Folder) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder.path()).is_ok_and(|metadata| metadata.mode() & 0o022 != 0)
}

/// A recording that was named.
fn recording(report: &mut Report, path: &Path, style: &Style) -> anyhow::Result<()> {
    report.head(&format!("Recording {}", path.display()));
    let recording = match rings::open(path) {
        Ok(recording) => recording,
        Err(error) => {
            report.wrong(&error.to_string());
            return Ok(());
        }
    };
    let data = figures_of(recording)?;
    sources(report, &data, style)?;
    if data["total_entries"] == 0 {
        report.wrong("there is nothing in it");
    }
    losses(report, &data);
    Ok(())
}

/// The figures of one recording, as a server gives them.
fn figures_of(recording: Arc<logrec_core::ring::Recording>) -> anyhow::Result<Value> {
    let reader = Reader::new([recording as Arc<dyn logrec_core::Source>]);
    Ok(serde_json::from_slice::<Value>(&reader.stats_json())?["data"].take())
}

fn empty(report: &mut Report, data: &Value) {
    if data["recorded"].as_u64().unwrap_or(0) > 0 {
        report.wrong("the buffer is empty; it was cleared, and nothing was logged since");
        return;
    }
    report.wrong("nothing was captured yet. Likely reasons:");
    for reason in [
        "nothing was logged yet: do something in the application",
        "the level is too high: Python's root logger leaves out what is below WARNING",
        "the application writes to a file and not to its terminal: logrec serve FILE",
        "no handler or layer of logrec's is attached, or it was removed by a later logging setup",
        "the output is buffered: a Python program that prints into a pipe needs PYTHONUNBUFFERED=1",
    ] {
        report.note(&format!("- {reason}"));
    }
}

fn age(report: &mut Report, data: &Value) {
    let Some(newest) = data["newest_entry"].as_f64() else { return };
    let age_s = Timestamp::now().as_epoch_seconds() - newest;
    let text = match age_s {
        s if s < -60.0 => {
            "the newest entry lies in the future: a clock or a time zone is wrong".to_owned()
        }
        s if s < 7200.0 => format!("the newest entry is {} old", rings::age(newest)),
        _ => format!("the newest entry is {} old; is the application running?", rings::age(newest)),
    };
    if age_s < -60.0 { report.wrong(&text) } else { report.fine(&text) }
}

fn losses(report: &mut Report, data: &Value) {
    let number = |name: &str| data[name].as_u64().unwrap_or(0);
    let overwritten = number("recorded").saturating_sub(number("total_entries"));
    if overwritten > 0 && number("total_entries") > 0 {
        report.note(&format!(
            "{overwritten} older entries are gone (overwritten or cleared); --max-entries keeps more"
        ));
    }
    if number("dropped") > 0 {
        report.wrong(&format!("{} entries were dropped", number("dropped")));
    }
    if number("truncated") > 0 {
        report.note(&format!("{} entries were too large and were cut", number("truncated")));
    }
}

/// How well a file is understood.
#[derive(Debug, Default)]
struct Recognition {
    lines: u64,
    entries: u64,
    with_time: u64,
    traces: u64,
    unknown: u64,
    samples: Vec<String>,
}

impl Recognition {
    fn of(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(named(path))?;
        let arrival = Timestamp::now();
        let mut found = Self::default();
        let mut decoder = LineDecoder::new(Origin::File).with_zone(TimeZone::system());
        let mut entries = Vec::new();
        let mut buf = vec![0; 64 << 10];
        loop {
            let len = file.read(&mut buf)?;
            found.lines += buf[..len].iter().filter(|b| **b == b'\n').count() as u64;
            if len == 0 {
                decoder.finish(&mut entries);
            } else {
                decoder.feed(&buf[..len], arrival, &mut entries);
            }
            entries.drain(..).for_each(|entry| found.see(&entry, arrival));
            if len == 0 {
                return Ok(found);
            }
        }
    }

    /// What a line does not say has the default: the time of arrival, INFO, no logger.
    fn see(&mut self, entry: &Entry, arrival: Timestamp) {
        let has_time = entry.timestamp != arrival;
        let has_more =
            entry.level != Level::Info || !entry.logger.is_empty() || !entry.attributes.is_empty();
        let is_known = has_time || has_more;
        self.entries += 1;
        self.with_time += u64::from(has_time);
        self.traces += u64::from(entry.exception.is_some());
        if !is_known {
            self.unknown += 1;
            if self.samples.len() < SAMPLES_MAX {
                self.samples.push(entry.message.chars().take(SAMPLE_CHARS_MAX).collect());
            }
        }
    }
}

fn file(report: &mut Report, path: &Path) {
    report.head(&format!("File {}", path.display()));
    let found = match Recognition::of(path) {
        Ok(found) => found,
        Err(error) => return report.wrong(&format!("it cannot be read: {error}")),
    };
    if found.entries == 0 {
        return report.wrong("there is nothing in it");
    }
    let Recognition { lines, entries, with_time, traces, unknown, .. } = found;
    let known = entries - unknown;
    report.fine(&format!("{lines} lines are {entries} entries"));
    report.fine(&format!("{known} are in a known format, {with_time} have a time of their own"));
    if traces > 0 {
        report.fine(&format!("{traces} have a stack trace"));
    }
    if unknown == entries {
        report.wrong("no line is in a known format: all are INFO, at the time they arrive");
    } else if unknown > 0 {
        report.note(&format!(
            "{unknown} entries are in no known format, and INFO at the time they arrive:"
        ));
    }
    for sample in &found.samples {
        report.note(&format!("> {sample}"));
    }
}

/// Settings that act on the commands without being seen.
fn settings(report: &mut Report) {
    report.head("Settings");
    let mut is_any = false;
    let mut names: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("LOGREC_"))
        .collect();
    names.sort();
    for name in names {
        is_any = true;
        let value = if name == "LOGREC_TOKEN" { Some("(set)".to_owned()) } else { set(&name) };
        report.fine(&format!("{name}={}", value.unwrap_or_default()));
    }
    let path = set("LOGREC_CONFIG").map(PathBuf::from);
    let name = path.as_deref().unwrap_or(Path::new(config::DEFAULT_FILE));
    if path.is_some() || name.exists() {
        is_any = true;
        match config::Config::load(path.as_deref()) {
            Ok(_) => report.fine(&format!("settings file {}", name.display())),
            Err(error) => report.wrong(&format!("settings file: {error:#}")),
        }
    }
    if !is_any {
        report.fine("no LOGREC_* variable is set, and there is no logrec.toml here");
    }
}
