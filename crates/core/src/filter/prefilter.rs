//! Which words of a ring can hold a text: two of its bytes at their distance, looked for where the
//! bytes lie, 32 at a time, without copying them.
//!
//! Says "perhaps" where a needle is, and now and then where it is not; whoever asks looks closer then.
//! The idea is that of memchr's generic packed-pair search (Muła's "SIMD-friendly algorithms for
//! substring searching"), on atomic words: they are loaded one by one, relaxed, and put together in a
//! register, so that a writer racing the search is no data race.

use std::sync::atomic::{AtomicU64, Ordering};

/// Two bytes of a needle, in either case, and how far apart they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefilter {
    first: Byte,
    second: Byte,
    /// 0 to 15; 0 for a needle of one byte.
    distance: u32,
    /// Whether this processor has AVX2.
    wide: bool,
}

/// A byte after folding: letters are compared in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Byte {
    lower: u8,
    fold: u8,
}

impl Byte {
    const fn new(byte: u8) -> Self {
        let fold = if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
        Self { lower: byte | fold, fold }
    }
}

impl Prefilter {
    /// For a needle of ASCII, not empty; `rank` says how common a byte is, rarest least.
    pub(super) fn new(needle: &[u8], rank: impl Fn(u8) -> u8) -> Option<Self> {
        let near = |i: usize| i.saturating_sub(15)..(i + 16).min(needle.len());
        let rarest = (0..needle.len()).min_by_key(|&i| rank(needle[i]))?;
        let other = near(rarest)
            .filter(|&i| needle[i] != needle[rarest])
            .min_by_key(|&i| rank(needle[i]))
            .unwrap_or(rarest);
        let (from, to) = (rarest.min(other), rarest.max(other));
        Some(Self {
            first: Byte::new(needle[from]),
            second: Byte::new(needle[to]),
            distance: u32::try_from(to - from).ok()?,
            wide: has_wide(),
        })
    }

    /// Whether the needle may lie in these words. Never says no wrongly.
    #[inline]
    pub(crate) fn may_be_in(&self, words: &[AtomicU64]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.wide {
            #[expect(unsafe_code, reason = "instructions that not every processor has")]
            // SAFETY: `wide` is set only where AVX2 was found.
            return unsafe { self.may_be_in_wide(words) };
        }
        self.may_be_in_words(words)
    }

    /// 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn may_be_in_wide(&self, words: &[AtomicU64]) -> bool {
        use std::arch::x86_64::{
            __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
            _mm256_set1_epi8,
        };
        let [first, second] = [self.first, self.second].map(|byte| {
            let of = |b: u8| _mm256_set1_epi8(b.cast_signed());
            (of(byte.fold), of(byte.lower))
        });
        let hits = |block: __m256i, (fold, lower): (__m256i, __m256i)| {
            let equal = _mm256_cmpeq_epi8(_mm256_or_si256(block, fold), lower);
            u64::from(_mm256_movemask_epi8(equal).cast_unsigned())
        };
        let mut before = (0, 0);
        for four in words.chunks(4) {
            let load =
                |i: usize| four.get(i).map_or(0, |w| w.load(Ordering::Relaxed).cast_signed());
            let block = _mm256_set_epi64x(load(3), load(2), load(1), load(0));
            let here = (hits(block, first), hits(block, second));
            // The second byte of a needle may lie in the block after that of its first.
            if before.0 & ((before.1 | here.1 << 32) >> self.distance) != 0 {
                return true;
            }
            before = here;
        }
        before.0 & (before.1 >> self.distance) != 0
    }

    /// Eight bytes at a time, on any processor.
    fn may_be_in_words(&self, words: &[AtomicU64]) -> bool {
        // Bits of the last three words: a distance of up to 15 reaches into the second next.
        let (mut firsts, mut seconds) = (0u32, 0u32);
        for word in words.iter().map(|w| w.load(Ordering::Relaxed)).chain([0, 0]) {
            firsts = firsts >> 8 | eight(self.first, word) << 16;
            seconds = seconds >> 8 | eight(self.second, word) << 16;
            if firsts & 0xff & (seconds >> self.distance) != 0 {
                return true;
            }
        }
        false
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
    let differs = word ^ (ONES * u64::from(byte.lower));
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

    proptest! {
        #[test]
        fn never_says_no_wrongly(needle in "[ -~]{1,40}", before in "\\PC{0,40}", after in "\\PC{0,40}", upper: bool) {
            let prefilter = Prefilter::new(needle.as_bytes(), |b| b).unwrap();
            let there = if upper { needle.to_ascii_uppercase() } else { needle.to_ascii_lowercase() };
            let text = format!("{before}{there}{after}");
            prop_assert!(prefilter.may_be_in(&words(text.as_bytes())));
            prop_assert!(prefilter.may_be_in_words(&words(text.as_bytes())));
        }

        #[test]
        fn says_no_where_a_byte_is_missing(needle in "[a-m]{1,20}", text in "[N-Zn-z0-9 ]{0,200}") {
            let prefilter = Prefilter::new(needle.as_bytes(), |b| b).unwrap();
            prop_assert!(!prefilter.may_be_in(&words(text.as_bytes())));
            prop_assert!(!prefilter.may_be_in_words(&words(text.as_bytes())));
        }

        #[test]
        fn eight_bytes_are_compared_exactly(word: u64, byte: u8) {
            let byte = Byte::new(byte);
            let expected = (0..8usize).filter(|i| word.to_le_bytes()[*i] | byte.fold == byte.lower).map(|i| 1 << i).sum();
            prop_assert_eq!(eight(byte, word), expected);
        }
    }
}
