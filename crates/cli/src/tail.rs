//! `logrec tail`: the last entries, then what is new, as it comes.

use std::{
    io::IsTerminal,
    process::ExitCode,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_core::{Ring, RingOptions};
use logrec_reader::{Reader, Shape, text::Style};

use crate::{
    ask::SourceArgs,
    client::{Client, ClientError},
    error::usage,
    filters::{AnyMark, Filters, Params, Zone, add, check},
    follow::{Follower, LOOK_EVERY},
    rings,
    say::{Voice, say},
    show::{self, Page},
    signals,
};

/// Entries asked for at a time.
const BATCH: &str = "1000";
/// How long a server is asked to wait for something new, in seconds.
const WAIT_S: &str = "30";
/// How long until a server that has gone is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// Entries of files kept to search for the last ones.
const FILE_ENTRIES_MAX: usize = 100_000;

const EXAMPLES: &str = "\
Examples:
  logrec tail                                 the last 10 entries of the server, and what follows
  logrec tail -n 0 --min-level ERROR
  logrec tail --logger engine app.log worker.log
  logrec tail --rings                         what all processes record, without a server
  logrec tail --json | jq .message

When the server is restarted, tail waits for it and goes on. Ctrl-C ends it, with status 0.";

/// Show the last entries that match, then new ones as they come.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    filters: Filters,

    /// Entries to begin with, 0 to 1000
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(0..=1000), help_heading = "Output")]
    lines: u16,

    /// Follow, which it does anyway
    #[arg(short, long, hide = true)]
    follow: bool,

    /// Only these fields of an entry, with commas
    #[arg(long, value_name = "FIELDS", help_heading = "Output")]
    fields: Option<String>,

    /// A JSON object a line, as elsewhere than on a terminal
    #[arg(long, help_heading = "Output")]
    json: bool,

    #[command(flatten)]
    zone: Zone,
}

pub(crate) fn run(args: &TailArgs) -> anyhow::Result<ExitCode> {
    // For the fingers of those who come from tail(1).
    let _ = args.follow;
    let zone = args.zone.get()?;
    let mut filters = args.filters.params(&zone)?;
    let is_json = args.json || !std::io::stdout().is_terminal();
    add(&mut filters, "fields", args.fields.as_deref());
    let shape = check(&filters, &zone, &AnyMark)?.shape;
    if !is_json {
        filters.retain(|(name, _)| name != "fields");
    }
    let style = show::style(&zone, zone == TimeZone::UTC);
    let source = open(args, &zone)?;
    let tail = Tail { source, filters, lines: args.lines, is_json, shape, style };
    // Whichever is first: what ends the work, or the signal that does.
    let (done, ended) = sync_channel::<Option<anyhow::Error>>(2);
    on_signal(done.clone())?;
    thread::Builder::new().name("logrec-tail".to_owned()).spawn(move || {
        // Without end but for a failure.
        let _ = done.try_send(tail.run().err());
    })?;
    match ended.recv() {
        Ok(Some(error)) => Err(error),
        Ok(None) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

fn on_signal(done: SyncSender<Option<anyhow::Error>>) -> anyhow::Result<()> {
    let (stop, stopped) = sync_channel(1);
    signals::on_end(stop, ()).context("cannot take signals")?;
    thread::Builder::new().name("logrec-end".to_owned()).spawn(move || {
        if stopped.recv().is_ok() {
            let _ = done.try_send(None);
        }
    })?;
    Ok(())
}

fn open(args: &TailArgs, zone: &TimeZone) -> anyhow::Result<Source> {
    args.source.is_contradictory()?;
    if let Some(named) = args.source.rings() {
        let reader = rings::reader(named, true)?;
        return Ok(Source::Local(Local { followers: Vec::new(), reader, zone: zone.clone() }));
    }
    if args.source.files.is_empty() {
        return Ok(Source::Server(args.source.client()?));
    }
    if args.source.files.iter().any(|file| file.as_os_str() == "-") {
        return Err(usage("stdin cannot be followed; use CMD | logrec pipe, or logrec logs -"));
    }
    let ring = Arc::new(Ring::new(RingOptions::with_max_entries(FILE_ENTRIES_MAX)));
    let is_labelled = args.source.files.len() > 1;
    let voice = Voice { quiet: false };
    let reader = Reader::new([Arc::clone(&ring) as Arc<dyn logrec_core::Source>]);
    let mut followers = Vec::new();
    for path in &args.source.files {
        if rings::is_recording(path) {
            reader.add(rings::open(path)?);
        } else {
            let ring = Arc::clone(&ring);
            followers.push(Follower::new(path.clone(), is_labelled, ring, voice)?);
        }
    }
    Ok(Source::Local(Local { followers, reader, zone: zone.clone() }))
}

/// What is followed.
#[derive(Debug)]
enum Source {
    Server(Client),
    Local(Local),
}

/// Recordings, and files that are followed into a ring of our own.
#[derive(Debug)]
struct Local {
    followers: Vec<Follower>,
    reader: Reader,
    zone: TimeZone,
}

impl Local {
    /// Looks at each file once; true when there may be more at once.
    fn look(&mut self) -> bool {
        self.followers.iter_mut().fold(false, |more, follower| follower.look() | more)
    }

    /// What is new. Only when all that was read is given out more is read, so that none is lost.
    fn next(&mut self, params: &Params) -> anyhow::Result<Vec<u8>> {
        let request = check(params, &self.zone, self.reader.marks())?;
        let answer = self.reader.answer(&request);
        if answer.page().is_empty() {
            let body = answer.render();
            if !self.look() {
                thread::sleep(LOOK_EVERY);
            }
            return Ok(body);
        }
        Ok(answer.render())
    }

    fn answer(&self, params: &Params) -> anyhow::Result<Vec<u8>> {
        let request = check(params, &self.zone, self.reader.marks())?;
        Ok(self.reader.answer(&request).render())
    }
}

impl Source {
    /// The answer to what is asked first.
    fn first(&mut self, params: &Params) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Server(client) => client.logs(params).map_err(ClientError::into_failure),
            Self::Local(local) => {
                while local.look() {}
                local.followers.iter_mut().for_each(Follower::flush);
                local.answer(params)
            }
        }
    }

    /// What is new; waits until there is something, or for a while.
    fn next(&mut self, params: &Params) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Server(client) => {
                let mut params = params.clone();
                add(&mut params, "wait", Some(WAIT_S));
                patiently(client, &params)
            }
            Self::Local(local) => local.next(params),
        }
    }
}

/// Asks until there is an answer; says once that there is none.
fn patiently(client: &Client, params: &Params) -> anyhow::Result<Vec<u8>> {
    let mut is_told = false;
    loop {
        match client.logs(params) {
            Ok(body) => {
                if is_told {
                    say(&format!("{} is back", client.url()));
                }
                return Ok(body);
            }
            Err(error) if error.may_pass() => {
                if !is_told {
                    say(&format!("{} has gone; waiting for it to come back", client.url()));
                    is_told = true;
                }
                thread::sleep(RETRY);
            }
            Err(error) => return Err(error.into_failure()),
        }
    }
}

#[derive(Debug)]
struct Tail {
    source: Source,
    filters: Params,
    lines: u16,
    is_json: bool,
    shape: Shape,
    style: Style,
}

impl Tail {
    fn run(mut self) -> anyhow::Result<()> {
        let mut params = self.filters.clone();
        // A limit is at least 1; of none to begin with only the cursor is taken.
        add(&mut params, "limit", Some(&self.lines.max(1).to_string()));
        add(&mut params, "order", Some("asc"));
        let body = self.source.first(&params)?;
        let page = Page::parse(&body)?;
        if self.lines > 0 {
            self.print(&page)?;
        }
        let mut cursor =
            page.prev_cursor.context("the server's answer has no cursor to go on from")?;
        loop {
            let mut params = self.filters.clone();
            add(&mut params, "limit", Some(BATCH));
            add(&mut params, "order", Some("asc"));
            add(&mut params, "after", Some(&cursor));
            let body = self.source.next(&params)?;
            let page = Page::parse(&body)?;
            self.print(&page)?;
            cursor = page.next_cursor.context("the server's answer has no cursor to go on from")?;
        }
    }

    fn print(&self, page: &Page<'_>) -> anyhow::Result<()> {
        if page.missed > 0 {
            say(&format!("{} entries were overwritten before they could be read", page.missed));
        }
        let out = if self.is_json { page.ndjson()? } else { page.lines(&self.shape, &self.style)? };
        if out.is_empty() { Ok(()) } else { show::print(&out) }
    }
}
