//! A forked child whose parent's threads held locks of the ring goes on recording: they are not there to
//! free them.

#![expect(unsafe_code, reason = "fork is what is tested")]

use std::sync::atomic::{AtomicBool, Ordering};

use logrec_core::{Entry, Level, Ring, RingOptions, Timestamp};

/// Entries a child records; returned as its exit status.
const EACH: i32 = 40;

#[test]
fn a_child_frees_what_its_parents_threads_held() {
    let ring = Ring::new(RingOptions { max_bytes: 1, ..RingOptions::default() });
    let entry = Entry::new(Timestamp::now(), Level::Info, "m".repeat(3000));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    ring.push(&entry);
                }
            });
        }
        // Whichever locks are held at the moment of a fork: of forty moments some are bad ones.
        for _ in 0..40 {
            // SAFETY: the child calls nothing that needs another thread of the parent: it pushes into
            // memory of its own and exits at once, without running destructors.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let recorded = (0..EACH).filter(|_| ring.push(&entry).is_some()).count();
                // SAFETY: as above.
                unsafe { libc::_exit(i32::try_from(recorded).unwrap_or(0)) };
            }
            let mut status = 0;
            // SAFETY: `status` is a place for an int; the child is ours.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(libc::WEXITSTATUS(status), EACH);
        }
        done.store(true, Ordering::Relaxed);
    });
}
