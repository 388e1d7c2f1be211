//! `logrec serve`: follow files, take what is posted, watch the recordings of other processes; serve all.

use std::{
    os::fd::AsFd,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use anyhow::Context;
use clap::Args;
use logrec_core::{Ring, ring::Folder};
use logrec_decode::Origin;

use crate::{
    ask::set,
    capture::{Capture, end_pipe},
    config::Rings,
    follow::{Follower, LOOK_EVERY},
    rings::{self, Found},
    server,
    settings::{ServerArgs, Settings},
    signals,
};

const EXAMPLES: &str = "\
Examples:
  logrec serve /var/log/app/*.log
  logrec serve - < old.log                    what came from stdin
  logrec serve                                what applications record, and what programs post:
    curl -H 'Content-Type: application/json' -d '{\"message\":\"hello\",\"level\":\"ERROR\"}' \\
      http://127.0.0.1:5050/api/debug/logs

Files are followed by name, through rotation and truncation; of what a file holds already the last
64 MB are read. With several inputs each entry of a file has the attribute log.file.name.

Recordings are the files that applications with logrec in them keep their newest entries in, one a
process. All in the folder are served, those of dead processes too, as they come and go. The newest
10 dead ones of a service are kept, for 24 hours, and then removed.";

/// Serve log files, what programs post, and the recordings of processes alive and dead.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Log files to follow, - for stdin; a file need not be there yet
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Folder of recordings to serve [env: LOGREC_RINGS] [default: the user's own]
    ///
    /// The default is where applications record unless told otherwise: `logrec` in
    /// $XDG_RUNTIME_DIR, else in $XDG_STATE_HOME (~/.local/state). It need not be there yet.
    #[arg(long, value_name = "DIR")]
    rings: Option<PathBuf>,

    /// Serve no recordings
    #[arg(long, conflicts_with = "rings")]
    no_rings: bool,

    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&args.server)?;
    let ring = settings.ring();
    let files = if args.files.is_empty() { &settings.files } else { &args.files };
    let followers = followers(files, &ring, &settings)?;
    let (stop, stopped) = sync_channel(1);
    signals::on_end(stop, ()).context("cannot take signals")?;
    let rings = args.folder(&settings);
    let server =
        server::start(&settings, 0, Arc::clone(&ring), rings.clone()).map_err(server::refuse)?;
    if let Some(folder) = rings {
        watch(&folder, &settings)?;
    }
    settings.voice.say(&format!("{}; ask {}", what(files), server.logs_url()));
    let alive =
        if files.iter().any(|file| is_stdin(file)) { Some(read_stdin(ring)?) } else { None };
    if !followers.is_empty() {
        thread::Builder::new().name("logrec-files".to_owned()).spawn(move || follow(followers))?;
    }
    if let Some(path) = &args.server.port_file {
        server::write_port_file(path, server.address)?;
    }
    // The sender lives as long as the thread that takes signals: for ever.
    let _ = stopped.recv();
    drop(alive);
    server.stop();
    Ok(ExitCode::SUCCESS)
}

impl ServeArgs {
    /// The folder of recordings to serve, if any.
    fn folder(&self, settings: &Settings) -> Option<Folder> {
        if self.no_rings {
            return None;
        }
        let in_file = match &settings.rings {
            Some(Rings::Watched(false))
                if self.rings.is_none() && set("LOGREC_RINGS").is_none() =>
            {
                return None;
            }
            Some(Rings::Folder(path)) if set("LOGREC_RINGS").is_none() => Some(path.as_path()),
            Some(Rings::Folder(_) | Rings::Watched(_)) | None => None,
        };
        Some(rings::folder(self.rings.as_deref().or(in_file)))
    }
}

/// Says what is in the folder, and removes from it what is too old.
fn watch(folder: &Folder, settings: &Settings) -> anyhow::Result<()> {
    rings::keep_pruned(folder.clone()).context("cannot start a thread")?;
    let found = match rings::readable(folder) {
        Ok(()) => Found::in_folder(folder).summary(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "no recording yet; the folder is not there".to_owned()
        }
        Err(error) => format!("it cannot be read now ({error}); looking again"),
    };
    settings.voice.say(&format!("watching {}: {found}", folder.path().display()));
    Ok(())
}

fn is_stdin(path: &std::path::Path) -> bool {
    path.as_os_str() == "-"
}

fn what(files: &[PathBuf]) -> String {
    match files {
        [] => "serving what is posted".to_owned(),
        [one] if is_stdin(one) => "serving stdin".to_owned(),
        [one] => format!("following {}", one.display()),
        all => format!("following {} inputs", all.len()),
    }
}

fn followers(
    files: &[PathBuf],
    ring: &Arc<Ring>,
    settings: &Settings,
) -> anyhow::Result<Vec<Follower>> {
    let mut paths: Vec<&PathBuf> = Vec::new();
    for file in files {
        if !is_stdin(file) && !paths.contains(&file) {
            paths.push(file);
        }
    }
    let is_labelled = files.len() > 1;
    let follower =
        |path: &PathBuf| Follower::new(path.clone(), is_labelled, Arc::clone(ring), settings.voice);
    paths.into_iter().map(follower).collect()
}

fn follow(mut followers: Vec<Follower>) {
    loop {
        let mut more = false;
        for follower in &mut followers {
            more |= follower.look();
        }
        if !more {
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// Reads stdin into the ring until its end, or until what is returned is dropped.
fn read_stdin(ring: Arc<Ring>) -> anyhow::Result<std::os::fd::OwnedFd> {
    let input = rustix::stdio::stdin().try_clone_to_owned().context("stdin is closed")?;
    let (end, alive) = end_pipe().context("cannot make a pipe")?;
    let capture = Capture::new(input, None, Origin::File, ring);
    thread::Builder::new()
        .name("logrec-stdin".to_owned())
        .spawn(move || capture.run(end.as_fd()))?;
    Ok(alive)
}
