//! How a process ended, as a shell tells it.

use rustix::process::WaitIdStatus;

/// The exit status to end with: the child's own, or 128 + n when signal n killed it.
pub(crate) fn exit_code(status: &WaitIdStatus) -> u8 {
    let code = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code & 0xff,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 255,
    };
    u8::try_from(code).unwrap_or(255)
}
