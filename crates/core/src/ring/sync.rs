//! What threads share memory through: the standard library, or loom where it checks the ring (see
//! `models.rs` beside this file).

pub(super) use std::sync::atomic::AtomicU64 as StdAtomicU64;

#[cfg(not(all(loom, test)))]
pub(super) use std::{
    hint::spin_loop,
    sync::atomic::{AtomicU64, Ordering, fence},
    thread::yield_now,
    thread_local,
};

#[cfg(all(loom, test))]
pub(super) use for_loom::*;

#[cfg(all(loom, test))]
mod for_loom {
    use loom::sync::{Condvar, atomic};
    pub(in crate::ring) use loom::{
        hint::spin_loop,
        sync::atomic::{Ordering, fence},
        thread::yield_now,
    };

    /// Loom's does not know `const { … }`.
    macro_rules! locals {
        ($($(#[$attribute:meta])* $vis:vis static $name:ident: $t:ty = const { $init:expr };)*) => {
            loom::thread_local! { $($(#[$attribute])* $vis static $name: $t = $init;)* }
        };
    }
    pub(in crate::ring) use locals as thread_local;

    /// A word of loom's.
    ///
    /// Of all that have read a word loom 0.7 keeps in mind only the last. Where a thread reads a word and
    /// then writes it, as a writer does with its counts, loom forgets that a reader came before, and
    /// never tries the writer first. So each read begins with a notification that nobody waits for: it
    /// has no effect on memory, and loom tries those on one object in every order.
    #[derive(Debug)]
    pub(in crate::ring) struct AtomicU64 {
        word: atomic::AtomicU64,
        read: Condvar,
    }

    impl AtomicU64 {
        pub(in crate::ring) fn new(value: u64) -> Self {
            Self { word: atomic::AtomicU64::new(value), read: Condvar::new() }
        }

        pub(in crate::ring) fn load(&self, order: Ordering) -> u64 {
            self.read.notify_one();
            self.word.load(order)
        }

        pub(in crate::ring) fn store(&self, value: u64, order: Ordering) {
            self.word.store(value, order);
        }

        pub(in crate::ring) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
            self.word.fetch_add(value, order)
        }

        pub(in crate::ring) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.word.compare_exchange(current, new, success, failure)
        }
    }
}
