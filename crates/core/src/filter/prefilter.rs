//! Which words of a ring hold a text: looked for where the bytes lie, 128 at a time, without copying
//! them.
//!
//! Two rare bytes of the needle are compared at their distance, as in memchr's packed-pair search (after
//! Muła's "SIMD-friendly algorithms for substring searching"); where both stand, the rest is compared.
//! Words are atomics, loaded relaxed or in assembly, so that a writer racing the search is no data
//! race; what it makes of the answer is the caller's to check.
//!
//! The answer is about the words alone: a needle that lies across two entries, or in another field than
//! was asked for, is found too. Whoever asks looks closer then.

use std::sync::atomic::{AtomicU64, Ordering};

/// A text to look for in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefilter {
    /// In lower case where case does not matter.
    needle: Box<[u8]>,
    any_case: bool,
    /// Where in the needle the first of the two rare bytes stands.
    first_at: usize,
    first: Byte,
    second: Byte,
    /// From the first to the second, 0 to 15; 0 for a needle of one byte.
    distance: u32,
    /// Whether this processor has AVX2.
    wide: bool,
}

/// Where in a record the text is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Message,
    Record,
}

/// A byte, and what is added to a text's bytes before they are compared: letters are compared in lower
/// case where case does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Byte {
    byte: u8,
    fold: u8,
}

impl Byte {
    const fn new(byte: u8, any_case: bool) -> Self {
        let fold = if any_case && byte.is_ascii_alphabetic() { 0x20 } else { 0 };
        Self { byte: byte | fold, fold }
    }
}

impl Prefilter {
    /// For a needle of ASCII in any case; `rank` says how common a byte is, rarest least. `None` for an
    /// empty one.
    pub(super) fn new(needle: &[u8], rank: impl Fn(u8) -> u8) -> Option<Self> {
        Self::of(needle.to_ascii_lowercase(), true, rank)
    }

    /// For a needle of any bytes, as they are.
    pub(super) fn exact(needle: &[u8], rank: impl Fn(u8) -> u8) -> Option<Self> {
        Self::of(needle.to_vec(), false, rank)
    }

    fn of(needle: Vec<u8>, any_case: bool, rank: impl Fn(u8) -> u8) -> Option<Self> {
        let near = |i: usize| i.saturating_sub(15)..(i + 16).min(needle.len());
        let rarest = (0..needle.len()).min_by_key(|&i| rank(needle[i]))?;
        let other = near(rarest)
            .filter(|&i| needle[i] != needle[rarest])
            .min_by_key(|&i| rank(needle[i]))
            .unwrap_or(rarest);
        let (from, to) = (rarest.min(other), rarest.max(other));
        Some(Self {
            first_at: from,
            first: Byte::new(needle[from], any_case),
            second: Byte::new(needle[to], any_case),
            distance: u32::try_from(to - from).ok()?,
            wide: has_wide(),
            needle: needle.into(),
            any_case,
        })
    }

    /// Whether the needle lies in these words. Never says no wrongly.
    #[inline]
    pub(crate) fn is_in(&self, words: &[AtomicU64]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.wide {
            #[expect(unsafe_code, reason = "instructions that not every processor has")]
            // SAFETY: `wide` is set only where AVX2 was found.
            return unsafe { self.is_in_wide(words) };
        }
        self.is_in_words(words)
    }

    /// 128 bytes at a time, then 32.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn is_in_wide(&self, words: &[AtomicU64]) -> bool {
        use std::arch::x86_64::{
            __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256,
            _mm256_set1_epi8,
        };
        /// A byte to look for: what folds its case, and itself, 32 times each.
        #[derive(Clone, Copy)]
        struct Wanted(__m256i, __m256i);
        // Functions, not closures: those the compiler leaves out of line here, at a third of the speed.
        #[target_feature(enable = "avx2")]
        #[inline]
        fn wanted(byte: Byte) -> Wanted {
            let of = |b: u8| _mm256_set1_epi8(b.cast_signed());
            Wanted(of(byte.fold), of(byte.byte))
        }
        #[target_feature(enable = "avx2")]
        #[inline]
        fn equal(block: __m256i, Wanted(fold, byte): Wanted) -> __m256i {
            _mm256_cmpeq_epi8(_mm256_or_si256(block, fold), byte)
        }
        #[target_feature(enable = "avx2")]
        #[inline]
        fn bits(equal: __m256i) -> u64 {
            u64::from(_mm256_movemask_epi8(equal).cast_unsigned())
        }
        /// Where the first byte stands, from byte `at` on, and the second at its distance.
        #[target_feature(enable = "avx2")]
        #[inline]
        fn pair(
            window: &[AtomicU64; WINDOW],
            at: usize,
            distance: usize,
            [first, second]: [Wanted; 2],
        ) -> __m256i {
            let here = equal(wide::load(window, at), first);
            _mm256_and_si256(here, equal(wide::load(window, at + distance), second))
        }
        let (first, second) = (wanted(self.first), wanted(self.second));
        // As it is; so that the compiler knows it, too, and checks nothing in the loops.
        let distance = (self.distance & 15) as usize;
        let mut done = 0;
        while let Some(window) = words[done..].first_chunk::<WINDOW>() {
            wide::prefetch(window);
            let both = [
                pair(window, 0, distance, [first, second]),
                pair(window, 32, distance, [first, second]),
                pair(window, 64, distance, [first, second]),
                pair(window, 96, distance, [first, second]),
            ];
            let any = _mm256_or_si256(
                _mm256_or_si256(both[0], both[1]),
                _mm256_or_si256(both[2], both[3]),
            );
            if bits(any) != 0 {
                for (i, &both) in both.iter().enumerate() {
                    if self.is_at_any(words, done * 8 + i * 32, bits(both)) {
                        return true;
                    }
                }
            }
            done += 16;
        }
        while let Some(window) = words[done..].first_chunk::<6>() {
            let here = bits(equal(wide::load(window, 0), first));
            let both = here & bits(equal(wide::load(window, distance), second));
            if both != 0 && self.is_at_any(words, done * 8, both) {
                return true;
            }
            done += 4;
        }
        // Less than 48 bytes are left, and no second byte lies behind the last: two blocks of 32, of which the
        // second begins at most eight bytes after the first, hold every pair that may be there.
        let Some(last) = words.len().checked_sub(4) else {
            return self.is_in_words(words);
        };
        [done.min(last), last].iter().any(|&at| {
            words[at..].first_chunk::<4>().is_some_and(|window| {
                let block = wide::load(window, 0);
                let both = bits(equal(block, first)) & bits(equal(block, second)) >> distance;
                both != 0 && self.is_at_any(words, at * 8, both)
            })
        })
    }

    /// Eight bytes at a time, on any processor.
    fn is_in_words(&self, words: &[AtomicU64]) -> bool {
        // Bits of the last three words: a distance of up to 15 reaches into the second next.
        let (mut firsts, mut seconds) = (0u32, 0u32);
        let all = words.iter().map(|w| w.load(Ordering::Relaxed)).chain([0, 0]);
        for (i, word) in all.enumerate() {
            firsts = firsts >> 8 | eight(self.first, word) << 16;
            seconds = seconds >> 8 | eight(self.second, word) << 16;
            let both = firsts & 0xff & (seconds >> self.distance);
            if both != 0 && self.is_at_any(words, (i - 2) * 8, both.into()) {
                return true;
            }
        }
        false
    }

    /// Whether the needle's first rare byte stands at `at` and one of these bits, and all others around
    /// it.
    #[cold]
    fn is_at_any(&self, words: &[AtomicU64], at: usize, mut bits: u64) -> bool {
        while bits != 0 {
            if self.is_at(words, at + bits.trailing_zeros() as usize) {
                return true;
            }
            bits &= bits - 1;
        }
        false
    }

    fn is_at(&self, words: &[AtomicU64], first: usize) -> bool {
        let Some(start) = first.checked_sub(self.first_at) else { return false };
        self.needle.iter().enumerate().all(|(i, wanted)| {
            let at = start + i;
            words.get(at / 8).is_some_and(|word| {
                let byte = word.load(Ordering::Relaxed).to_ne_bytes()[at % 8];
                *wanted == if self.any_case { byte.to_ascii_lowercase() } else { byte }
            })
        })
    }
}

/// Words that one round of the wide search looks at: 128 bytes, and those that a second byte may lie in.
#[cfg(target_arch = "x86_64")]
const WINDOW: usize = 18;

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::{
        arch::{asm, x86_64::__m256i},
        sync::atomic::AtomicU64,
    };

    use super::WINDOW;

    /// How far ahead of the search memory is asked for: without, the processor's own reading ahead stops at
    /// every page, and a large ring is looked through at 0.7 times the speed. 2 kB ahead is too late.
    const AHEAD: usize = 4096;

    /// The 32 bytes from byte `at` on.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn load<const N: usize>(window: &[AtomicU64; N], at: usize) -> __m256i {
        assert!(at + 32 <= N * 8);
        let block: __m256i;
        #[expect(unsafe_code, reason = "one load in place of many and their shuffles")]
        // SAFETY: reads 32 bytes that `window` borrows (asserted), writes nothing, leaves stack and flags
        // alone. Others may store to the words meanwhile: in assembly that is no undefined behaviour but
        // what the processor does, which is to load each byte as it was or as it is now. A mixture is for
        // the caller to throw away, who sees that the chunk was reused.
        unsafe {
            asm!(
                "vmovdqu {block}, ymmword ptr [{from} + {at}]",
                from = in(reg) window.as_ptr(),
                at = in(reg) at,
                block = lateout(ymm_reg) block,
                options(nostack, preserves_flags, readonly),
            );
        }
        block
    }

    /// Has the memory of a later window brought near.
    #[inline]
    pub(super) fn prefetch(window: &[AtomicU64; WINDOW]) {
        #[expect(unsafe_code, reason = "a hint that the standard library offers only as unsafe")]
        // SAFETY: a prefetch of any address, mapped or not, loads nothing that the program sees and
        // faults never (Intel SDM, PREFETCHh; AMD APM, PREFETCHlevel).
        unsafe {
            asm!(
                "prefetcht0 [{from} + {ahead}]",
                "prefetcht0 [{from} + {ahead} + 64]",
                from = in(reg) window.as_ptr(),
                ahead = const AHEAD,
                options(nostack, preserves_flags, readonly),
            );
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_wide() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
const fn has_wide() -> bool {
    false
}

/// Which of eight bytes are this one. Exact, unlike Mycroft's shorter test: the sum cannot carry over.
fn eight(byte: Byte, word: u64) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const SEVENS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let word = word | (ONES * u64::from(byte.fold));
    let differs = word ^ (ONES * u64::from(byte.byte));
    let zero = !(((differs & SEVENS) + SEVENS) | differs | SEVENS);
    // The eight high bits to the eight lowest.
    u32::try_from((zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &[u8]) -> Vec<AtomicU64> {
        let word = |eight: &[u8]| {
            let mut buf = [0; 8];
            buf[..eight.len()].copy_from_slice(eight);
            AtomicU64::new(u64::from_ne_bytes(buf))
        };
        text.chunks(8).map(word).collect()
    }

    fn check(prefilter: &Prefilter, text: &[u8], expected: bool) -> Result<(), TestCaseError> {
        prop_assert_eq!(prefilter.is_in(&words(text)), expected);
        prop_assert_eq!(prefilter.is_in_words(&words(text)), expected);
        Ok(())
    }

    proptest! {
        #[test]
        fn finds_what_contains_finds(needle in "[ab]{1,40}", text in "[abAB]{0,500}") {
            let lower = text.to_ascii_lowercase();
            let any_case = Prefilter::new(needle.as_bytes(), |b| b).unwrap();
            check(&any_case, text.as_bytes(), lower.contains(&needle))?;
            let exact = Prefilter::exact(needle.as_bytes(), |b| b).unwrap();
            check(&exact, text.as_bytes(), text.contains(&needle))?;
        }

        #[test]
        fn finds_a_needle_anywhere(needle in "[ -~]{1,40}", before in "\\PC{0,200}", after in "\\PC{0,100}", upper: bool) {
            let there = if upper { needle.to_ascii_uppercase() } else { needle.to_ascii_lowercase() };
            let text = format!("{before}{there}{after}");
            check(&Prefilter::new(needle.as_bytes(), |b| b).unwrap(), text.as_bytes(), true)?;
            check(&Prefilter::exact(there.as_bytes(), |b| b).unwrap(), text.as_bytes(), true)?;
        }

        #[test]
        fn eight_bytes_are_compared_exactly(word: u64, byte: u8, any_case: bool) {
            let byte = Byte::new(byte, any_case);
            let is = |i: &usize| word.to_le_bytes()[*i] | byte.fold == byte.byte;
            prop_assert_eq!(eight(byte, word), (0..8usize).filter(is).map(|i| 1 << i).sum());
        }
    }
}
