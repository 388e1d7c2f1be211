//! The `logrec` command: capture what a process logs and let people and assistants ask.
//!
//! This file parses and dispatches; one file holds one command. What they share: [`settings`] and
//! [`server`] (the commands that serve), [`capture`] and [`follow`] (bytes into the ring), [`ask`]
//! (the reading commands' source), [`rings`] (recordings, their folder) and [`show`] (output).

mod ask;
mod capture;
mod client;
mod completions;
mod config;
mod context;
mod digest;
mod doctor;
mod error;
mod fields;
mod filters;
mod follow;
mod logs;
mod mark;
mod outcome;
mod patterns;
mod pipe;
mod pty;
mod rings;
mod run;
mod say;
mod serve;
mod server;
mod settings;
mod show;
mod signals;
mod stats;
mod tail;
mod trends;
mod volume;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const ABOUT: &str =
    "The flight recorder of a backend: captures what it logs, and answers questions about it.";

const EXAMPLES: &str = "\
Examples:
  logrec run -- uvicorn main:app              record a backend, and serve its log
  logrec logs --level ERROR --since 15m       what failed lately
  logrec tail --min-level WARNING             what goes wrong, as it happens
  curl 'http://127.0.0.1:5050/api/debug/logs?search=websocket'

Exit status: 0 fine, 1 nothing matched, 2 wrong usage, 3 failed.";

#[derive(Debug, Parser)]
#[command(name = "logrec", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Pipe(pipe::PipeArgs),
    Serve(serve::ServeArgs),
    Digest(digest::DigestArgs),
    Logs(logs::LogsArgs),
    Tail(tail::TailArgs),
    Context(context::ContextArgs),
    Patterns(patterns::PatternsArgs),
    Volume(volume::VolumeArgs),
    Trends(trends::TrendsArgs),
    Fields(fields::FieldsArgs),
    Mark(mark::MarkArgs),
    Stats(stats::StatsArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Pipe(args) => pipe::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Digest(args) => digest::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Context(args) => context::run(&args),
        Command::Patterns(args) => patterns::run(&args),
        Command::Volume(args) => volume::run(&args),
        Command::Trends(args) => trends::run(&args),
        Command::Fields(args) => fields::run(&args),
        Command::Mark(args) => mark::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    result.unwrap_or_else(|error| error::report(&error))
}
