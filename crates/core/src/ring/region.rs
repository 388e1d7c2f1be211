//! The memory of a ring: a slice of atomic words, all of it reserved when made.
//!
//! Everything shared is an `AtomicU64`, read and written relaxed, so that a reader racing a writer
//! is no data race but a stale copy that the protocol then throws away. The rest of the ring is
//! safe code over this slice.

use std::sync::atomic::{AtomicU64, Ordering};

/// A ring's words. Untouched pages cost address space only.
#[derive(Debug)]
pub(super) struct Region {
    words: Box<[AtomicU64]>,
}

impl Region {
    /// Zeroed anonymous memory.
    #[expect(unsafe_code, reason = "zeroed memory without touching it")]
    pub(super) fn anonymous(words: usize) -> Self {
        let words = Box::<[AtomicU64]>::new_zeroed_slice(words);
        // SAFETY: an AtomicU64 has the layout of a u64, for which all bits zero is a valid value.
        Self { words: unsafe { words.assume_init() } }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    #[inline]
    pub(super) fn at(&self, word: usize) -> &AtomicU64 {
        &self.words[word]
    }

    #[inline]
    pub(super) fn get(&self, word: usize) -> u64 {
        self.words[word].load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set(&self, word: usize, value: u64) {
        self.words[word].store(value, Ordering::Relaxed);
    }

    /// Writes `bytes` from `word` on, the last word filled up with zeros.
    #[inline]
    pub(super) fn write(&self, word: usize, bytes: &[u8]) {
        let to = &self.words[word..word + bytes.len().div_ceil(8)];
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

    /// The `N` bytes from `word` on; `N` is a multiple of 8.
    #[inline]
    pub(super) fn load<const N: usize>(&self, word: usize) -> [u8; N] {
        let mut out = [0; N];
        for (word, eight) in self.words[word..word + N / 8].iter().zip(out.chunks_exact_mut(8)) {
            eight.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        out
    }

    /// Appends `len` bytes from `word` on to `out`.
    #[inline]
    pub(super) fn read(&self, word: usize, len: usize, out: &mut Vec<u8>) {
        let from = &self.words[word..word + len.div_ceil(8)];
        let start = out.len();
        out.resize(start + from.len() * 8, 0);
        for (word, eight) in from.iter().zip(out[start..].chunks_exact_mut(8)) {
            eight.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        out.truncate(start + len);
    }
}
