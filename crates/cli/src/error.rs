//! Failures to messages and exit statuses.

use std::process::ExitCode;

use crate::say;

/// Exit status when nothing matched.
pub(crate) const NOTHING: u8 = 1;
/// Exit status of wrong usage.
pub(crate) const USAGE: u8 = 2;
/// Exit status of a failure.
pub(crate) const FAILED: u8 = 3;

/// A failure with an exit status of its own; any other has [`FAILED`].
#[derive(Debug)]
struct Failure {
    message: String,
    code: u8,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Nobody reads our stdout any more, as when `head` has seen enough: no failure.
#[derive(Debug)]
pub(crate) struct StdoutClosed;

impl std::fmt::Display for StdoutClosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stdout is closed")
    }
}

impl std::error::Error for StdoutClosed {}

/// The user asked for what cannot be.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    with_code(message, USAGE)
}

pub(crate) fn with_code(message: impl Into<String>, code: u8) -> anyhow::Error {
    anyhow::Error::new(Failure { message: message.into(), code })
}

/// Says what went wrong, and gives the status to exit with.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if error.downcast_ref::<StdoutClosed>().is_some() {
        return ExitCode::SUCCESS;
    }
    say::say(&format!("{error:#}"));
    ExitCode::from(error.downcast_ref::<Failure>().map_or(FAILED, |failure| failure.code))
}
