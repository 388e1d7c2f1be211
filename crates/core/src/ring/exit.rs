//! Marks recordings as ended in good order when the process exits.
//!
//! A ring behind a global subscriber is never dropped, so its end is marked by `atexit`, which runs on
//! `exit` and on return from `main`, and not on a kill, an abort or a fatal signal: just the difference
//! that is to be told. The mark is written through the file and not through the mapping, so that no
//! memory need outlive anything.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, Once, PoisonError},
};

use super::layout::header;
use crate::Timestamp;

/// Recordings of this process that are open, with the process that made them: a forked child must not
/// end its parent's.
static OPEN: Mutex<Vec<(u32, PathBuf)>> = Mutex::new(Vec::new());

pub(super) fn register(path: &Path) {
    static ONCE: Once = Once::new();
    ONCE.call_once(mark_at_exit);
    lock().push((std::process::id(), path.to_owned()));
}

/// Marks one recording now, if it is this process's and not that of one it was forked from.
pub(super) fn mark(path: &Path) {
    let own = std::process::id();
    let mut open = lock();
    let before = open.len();
    open.retain(|(pid, open)| open != path || *pid != own);
    if open.len() < before {
        write_mark(path);
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<(u32, PathBuf)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_mark(path: &Path) {
    // A recording that was removed needs no mark.
    if let Ok(file) = OpenOptions::new().write(true).open(path) {
        let now = Timestamp::now().0.max(1).to_ne_bytes();
        let _ = file.write_all_at(&now, (header::ENDED * 8) as u64);
    }
}

extern "C" fn at_exit() {
    // A thread may hold the list while the process exits; waiting for it could be for ever.
    if let Ok(open) = OPEN.try_lock() {
        let own = std::process::id();
        for (_, path) in open.iter().filter(|(pid, _)| *pid == own) {
            write_mark(path);
        }
    }
}

#[expect(unsafe_code, reason = "the C library's atexit is the only hook that exit runs")]
fn mark_at_exit() {
    // SAFETY: `at_exit` is an `extern "C"` function without arguments that does not unwind: it
    // allocates, locks without waiting and writes a file, none of which panics.
    let _ = unsafe { libc::atexit(at_exit) };
}
