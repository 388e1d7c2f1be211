//! Black-box tests of the `logrec` command: the built binary, port 0, a folder of its own each.
//!
//! - [`run`]: `logrec run` and `logrec pipe`: bytes, signals, terminals, ports, exit statuses
//! - [`serve`]: files followed through rotation, settings and their precedence
//! - [`read`]: `logs`, `tail`, `stats`, `doctor`, on files and on servers
//! - [`help`]: `--help` of every command, word for word

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod help;
mod read;
mod run;
mod serve;
mod support;
