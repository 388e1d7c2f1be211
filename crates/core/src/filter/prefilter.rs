//! Which words of a ring hold a text: looked for where the bytes lie, 32 at a time, without copying
//! them.
//!
//! Two rare bytes of the needle are compared at their distance, as in memchr's packed-pair search (after
//! Muła's "SIMD-friendly algorithms for substring searching"); where both stand, the rest is compared.
//! Words are atomics, loaded as if one by one and relaxed, so that a writer racing the search is no data
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

    /// 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn is_in_wide(&self, words: &[AtomicU64]) -> bool {
        use std::arch::x86_64::{
            __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
            _mm256_set1_epi8,
        };
        /// Four words at once, as four relaxed loads would give them.
        #[target_feature(enable = "avx2")]
        #[inline]
        fn load(four: &[AtomicU64; 4]) -> __m256i {
            let block: __m256i;
            #[expect(
                unsafe_code,
                reason = "one load in place of four and three shuffles: twice as fast"
            )]
            // SAFETY: reads 32 bytes that `four` borrows, writes nothing, leaves stack and flags alone.
            // Others may store to the words meanwhile: in assembly that is no undefined behaviour but
            // what the processor does, which is to load each aligned word whole, old or new (Intel SDM
            // 9.1.1, AMD APM 7.3.2), just as a relaxed load of each.
            unsafe {
                std::arch::asm!(
                    "vmovdqu {block}, ymmword ptr [{four}]",
                    four = in(reg) four.as_ptr(),
                    block = lateout(ymm_reg) block,
                    options(nostack, preserves_flags, readonly),
                );
            }
            block
        }
        let [first, second] = [self.first, self.second].map(|byte| {
            let of = |b: u8| _mm256_set1_epi8(b.cast_signed());
            (of(byte.fold), of(byte.byte))
        });
        let hits = |block: __m256i, (fold, byte): (__m256i, __m256i)| {
            let equal = _mm256_cmpeq_epi8(_mm256_or_si256(block, fold), byte);
            u64::from(_mm256_movemask_epi8(equal).cast_unsigned())
        };
        let get = |word: &AtomicU64| word.load(Ordering::Relaxed).cast_signed();
        let mut before = (0, 0);
        let mut at = 0;
        let (blocks, rest) = words.as_chunks::<4>();
        for four in blocks {
            let block = load(four);
            let here = (hits(block, first), hits(block, second));
            // The second byte of a needle may lie in the block after that of its first.
            let both = before.0 & ((before.1 | here.1 << 32) >> self.distance);
            if both != 0 && self.is_at_any(words, at - 32, both) {
                return true;
            }
            before = here;
            at += 32;
        }
        let word = |i: usize| rest.get(i).map_or(0, get);
        let block = _mm256_set_epi64x(0, word(2), word(1), word(0));
        let here = (hits(block, first), hits(block, second));
        let both = before.0 & ((before.1 | here.1 << 32) >> self.distance);
        (both != 0 && self.is_at_any(words, at - 32, both))
            || self.is_at_any(words, at, here.0 & (here.1 >> self.distance))
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
        fn finds_what_contains_finds(needle in "[ab]{1,40}", text in "[abAB]{0,200}") {
            let lower = text.to_ascii_lowercase();
            let any_case = Prefilter::new(needle.as_bytes(), |b| b).unwrap();
            check(&any_case, text.as_bytes(), lower.contains(&needle))?;
            let exact = Prefilter::exact(needle.as_bytes(), |b| b).unwrap();
            check(&exact, text.as_bytes(), text.contains(&needle))?;
        }

        #[test]
        fn finds_a_needle_anywhere(needle in "[ -~]{1,40}", before in "\\PC{0,70}", after in "\\PC{0,40}", upper: bool) {
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
