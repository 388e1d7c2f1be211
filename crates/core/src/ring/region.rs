//! The memory of a ring: a slice of atomic words, anonymous or a mapped file.
//!
//! Everything shared is an `AtomicU64`, read and written relaxed, so that a reader racing a writer is
//! no data race but a stale copy that the protocol then throws away; between processes too, where the
//! same words are mapped twice. The rest of the ring is safe code over this slice.
//!
//! # Safety argument, for all of this module
//!
//! `words` points to `len` consecutive, 8-byte aligned words that stay mapped as long as `memory`
//! lives, which is as long as the `Region`. They are only ever reached through `&[AtomicU64]`; any bit
//! pattern is a valid `AtomicU64`. A mapping that may not be written is never written: `writable` is
//! asserted where words are stored. What the argument cannot cover: a file that somebody truncates
//! while it is mapped. Its pages are then gone, and touching them ends the process with SIGBUS; files
//! are therefore created 0600 in a 0700 folder, and their length is checked when they are mapped.

#![expect(unsafe_code, reason = "memory that processes share; see the module's safety argument")]

use std::{fs::File, io, ptr::NonNull, slice};

use memmap2::{MmapOptions, MmapRaw};

use super::sync::{AtomicU64, Ordering, StdAtomicU64};

/// A ring's words. Untouched pages cost address space only.
#[derive(Debug)]
pub(super) struct Region {
    words: NonNull<AtomicU64>,
    len: usize,
    writable: bool,
    /// Keeps the words alive.
    _memory: Memory,
}

#[derive(Debug)]
enum Memory {
    Owned(#[expect(dead_code, reason = "owned, never looked at")] Box<[AtomicU64]>),
    Mapped(#[expect(dead_code, reason = "owned, never looked at")] MmapRaw),
}

// SAFETY: the words are atomics in memory that belongs to no thread.
unsafe impl Send for Region {}
// SAFETY: as above; `&Region` gives out `&AtomicU64` only.
unsafe impl Sync for Region {}

impl Region {
    /// Zeroed anonymous memory.
    pub(super) fn anonymous(words: usize) -> Self {
        #[cfg(not(all(loom, test)))]
        // SAFETY: an AtomicU64 has the layout of a u64, for which all bits zero is a valid value.
        let mut boxed = unsafe { Box::<[AtomicU64]>::new_zeroed_slice(words).assume_init() };
        #[cfg(all(loom, test))]
        let mut boxed: Box<[AtomicU64]> = (0..words).map(|_| AtomicU64::new(0)).collect();
        // Moving the box below does not move what it points to.
        let words = NonNull::from(&mut *boxed).cast();
        Self { words, len: boxed.len(), writable: true, _memory: Memory::Owned(boxed) }
    }

    /// A file's words, shared with every process that maps it.
    pub(super) fn mapped(file: &File, writable: bool) -> io::Result<Self> {
        Self::mapped_from(file, 0, writable)
    }

    /// A file's words from one on, which must begin a page.
    pub(super) fn mapped_from(file: &File, from: u64, writable: bool) -> io::Result<Self> {
        if cfg!(all(loom, test)) {
            // A file holds no words of loom's.
            return Err(io::ErrorKind::Unsupported.into());
        }
        let words = (file.metadata()?.len() / 8).saturating_sub(from);
        let len = usize::try_from(words).map_err(io::Error::other)?;
        if len == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty"));
        }
        let mut options = MmapOptions::new();
        options.len(len * 8).offset(from.saturating_mul(8));
        let map =
            if writable { options.map_raw(file)? } else { options.map_raw_read_only(file)? };
        // Pages are aligned to far more than eight bytes.
        let words = NonNull::new(map.as_mut_ptr().cast::<AtomicU64>())
            .ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { words, len, writable, _memory: Memory::Mapped(map) })
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: see the module.
        unsafe { slice::from_raw_parts(self.words.as_ptr(), self.len) }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether words may be stored. Whoever stores asks first; storing all the same panics in a
    /// debug build and ends the process in any other.
    pub(super) const fn writable(&self) -> bool {
        self.writable
    }

    #[inline]
    pub(super) fn at(&self, word: usize) -> &AtomicU64 {
        &self.words()[word]
    }

    #[inline]
    pub(super) fn get(&self, word: usize) -> u64 {
        self.words()[word].load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set(&self, word: usize, value: u64) {
        debug_assert!(self.writable, "storing into a read-only mapping");
        self.words()[word].store(value, Ordering::Relaxed);
    }

    /// Writes `bytes` from `word` on, the last word filled up with zeros.
    #[inline]
    pub(super) fn write(&self, word: usize, bytes: &[u8]) {
        debug_assert!(self.writable, "storing into a read-only mapping");
        let to = &self.words()[word..word + bytes.len().div_ceil(8)];
        let mut eights = bytes.chunks_exact(8);
        for (word, eight) in to.iter().zip(&mut eights) {
            let mut buf = [0; 8];
            buf.copy_from_slice(eight);
            word.store(u64::from_ne_bytes(buf), Ordering::Relaxed);
        }
        let rest = eights.remainder();
        if let (false, Some(last)) = (rest.is_empty(), to.last()) {
            let mut buf = [0; 8];
            buf[..rest.len()].copy_from_slice(rest);
            last.store(u64::from_ne_bytes(buf), Ordering::Relaxed);
        }
    }

    /// Consecutive words, to be looked through where they lie.
    #[inline]
    pub(super) fn slice(&self, word: usize, count: usize) -> &[AtomicU64] {
        &self.words()[word..word + count]
    }

    /// The same for the search, which is not part of what loom checks.
    #[inline]
    pub(super) fn searched(&self, word: usize, count: usize) -> &[StdAtomicU64] {
        #[cfg(not(all(loom, test)))]
        return self.slice(word, count);
        #[cfg(all(loom, test))]
        unreachable!("no model searches, as here {count} words at {word}");
    }

    /// The `N` bytes from `word` on; `N` is a multiple of 8.
    #[inline]
    pub(super) fn load<const N: usize>(&self, word: usize) -> [u8; N] {
        let mut out = [0; N];
        for (word, eight) in self.words()[word..word + N / 8].iter().zip(out.chunks_exact_mut(8)) {
            eight.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        out
    }

    /// Appends `len` bytes from `word` on to `out`.
    #[inline]
    pub(super) fn read(&self, word: usize, len: usize, out: &mut Vec<u8>) {
        let from = &self.words()[word..word + len.div_ceil(8)];
        let start = out.len();
        out.resize(start + from.len() * 8, 0);
        for (word, eight) in from.iter().zip(out[start..].chunks_exact_mut(8)) {
            eight.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        out.truncate(start + len);
    }
}
