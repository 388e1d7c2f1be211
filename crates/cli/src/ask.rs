//! Where the reading commands read: files, a folder of recordings, or a server.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;
use logrec_reader::{LogFile, Reader, TOO_SLOW};

use crate::{
    client::{Client, DEFAULT_URL},
    error::usage,
    filters::{AnyMark, Params, check},
    rings, settings,
};

#[derive(Args, Debug)]
#[command(next_help_heading = "Source")]
pub(crate) struct SourceArgs {
    /// Log files or recordings to read, - for stdin; without any a server is asked
    #[arg(value_name = "FILE", help_heading = "Arguments")]
    pub(crate) files: Vec<PathBuf>,

    /// Server to ask [env: LOGREC_URL] [default: http://127.0.0.1:5050]
    ///
    /// Of an application that has logrec's API elsewhere than at /api/debug, give the path too.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Read the recordings in DIR, of processes alive and dead, without a server
    ///
    /// Without DIR those in the folder that applications record into unless told otherwise:
    /// LOGREC_RINGS, else `logrec` in $XDG_RUNTIME_DIR, else in $XDG_STATE_HOME (~/.local/state).
    #[arg(long, value_name = "DIR")]
    #[expect(clippy::option_option, reason = "a flag with an optional value")]
    rings: Option<Option<PathBuf>>,

    /// File with the token the server asks for [env: LOGREC_TOKEN, LOGREC_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl SourceArgs {
    /// The server to ask, whether or not files are named.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let token = settings::token(self.token_file.as_deref(), None)?;
        let url = self.url.clone().or_else(|| set("LOGREC_URL"));
        Client::new(url.as_deref().unwrap_or(DEFAULT_URL), token)
            .map_err(crate::client::ClientError::into_failure)
    }

    pub(crate) fn is_contradictory(&self) -> anyhow::Result<()> {
        let excluding = match (&self.url, &*self.files, &self.rings) {
            (Some(_), [_, ..], _) => "FILE and --url",
            (_, [_, ..], Some(_)) => "FILE and --rings",
            (Some(_), _, Some(_)) => "--url and --rings",
            _ => return Ok(()),
        };
        Err(usage(format!("{excluding} exclude each other; give one of them")))
    }

    /// Whether a folder of recordings is asked for, and which one was named.
    pub(crate) fn rings(&self) -> Option<Option<&Path>> {
        self.rings.as_ref().map(Option::as_deref)
    }
}

/// An environment variable that is set and not empty.
pub(crate) fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What answers.
#[derive(Debug)]
pub(crate) enum Source {
    /// Files or recordings, read here.
    Local(Reader),
    Server(Client),
}

impl Source {
    pub(crate) fn open(args: &SourceArgs) -> anyhow::Result<Self> {
        args.is_contradictory()?;
        if let Some(named) = args.rings() {
            return Ok(Self::Local(rings::reader(named, false)?));
        }
        if args.files.is_empty() {
            return Ok(Self::Server(args.client()?));
        }
        let reader = Reader::default();
        for path in &args.files {
            if rings::is_recording(path) {
                reader.add(rings::open(path)?);
                continue;
            }
            let file = if is_stdin(path) { stdin() } else { LogFile::open(path) };
            let file = file.with_context(|| format!("cannot read {}", path.display()))?;
            reader.add(Arc::new(file));
        }
        Ok(Self::Local(reader))
    }

    /// The answer of `GET /logs`, from wherever.
    pub(crate) fn logs(&self, params: &Params, zone: &TimeZone) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Local(reader) => {
                let request = check(params, zone, reader.marks())?;
                let answer = reader.answer(&request);
                anyhow::ensure!(!answer.gave_up(), TOO_SLOW);
                Ok(answer.render())
            }
            Self::Server(client) => {
                check(params, zone, &AnyMark)?;
                client.logs(params).map_err(crate::client::ClientError::into_failure)
            }
        }
    }

    /// The answer of an endpoint, from wherever; `local` gives it of what is read here.
    pub(crate) fn ask(
        &self,
        endpoint: &str,
        params: &Params,
        local: impl FnOnce(&Reader) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Local(reader) => local(reader),
            Self::Server(client) => {
                client.ask(endpoint, params).map_err(crate::client::ClientError::into_failure)
            }
        }
    }

    /// The answer of `GET /logs/stats`.
    pub(crate) fn stats(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Local(reader) => Ok(reader.stats_json()),
            Self::Server(client) => {
                client.stats().map_err(crate::client::ClientError::into_failure)
            }
        }
    }
}

/// What stdin is called as a file.
const STDIN: &str = "/dev/stdin";

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// `-` is stdin.
pub(crate) fn named(path: &Path) -> &Path {
    if is_stdin(path) { Path::new(STDIN) } else { path }
}

/// Stdin as a file that can be read as often as a question takes. What comes by a pipe goes to a temporary
/// file first, which has no name and is gone with this process: a log may be larger than memory.
fn stdin() -> io::Result<LogFile> {
    let mut stdin = io::stdin().lock();
    if rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&stdin)?.st_mode).is_file() {
        return LogFile::open(STDIN);
    }
    let mut kept: File = tempfile::tempfile()?;
    io::copy(&mut stdin, &mut kept)?;
    LogFile::of(kept, STDIN)
}
