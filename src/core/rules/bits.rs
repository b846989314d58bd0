//! From values to bits and back: comparisons of a column with a number, one bit per row, 64 rows to a word; and
//! labels from the bits that say which rows have which.
//!
//! Both have versions for AVX2 and AVX-512: the compiler finds no way of its own between bytes and bits, and this is
//! where a rule spends its time.

use super::program::Test;
use crate::vector::widest;
#[cfg(target_arch = "x86_64")]
use crate::vector::{Width, width};

/// A kind of value that is compared with a constant.
pub(crate) trait Compare: Copy + PartialOrd {
    /// A bit per value: is it greater than the constant, or equal to it?
    fn compare(values: &[Self], test: Test, constant: Self, words: &mut [u64]) {
        compare_each(values, test, constant, words);
    }
}

fn compare_each<T: Copy + PartialOrd>(values: &[T], test: Test, constant: T, words: &mut [u64]) {
    match test {
        Test::Greater => pack(values, words, |value| value > constant),
        Test::Equal => pack(values, words, |value| value == constant),
    }
}

impl Compare for u16 {}
impl Compare for u64 {}
impl Compare for i128 {}

widest! {
    /// One bit per pair of values.
    pub(crate) fn pack_pairs[T: Copy, F: Fn(T, T) -> bool](a: &[T], b: &[T], words: &mut [u64], test: F) = pack_both;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn pack_both<T: Copy, F: Fn(T, T) -> bool>(a: &[T], b: &[T], words: &mut [u64], test: F) {
    for ((word, a), b) in words.iter_mut().zip(a.chunks(64)).zip(b.chunks(64)) {
        *word = match (<&[T; 64]>::try_from(a), <&[T; 64]>::try_from(b)) {
            (Ok(a), Ok(b)) => both_bits(a, b, &test),
            _ => both_bits(a, b, &test),
        };
    }
}

#[allow(clippy::inline_always)] // into the loop over blocks
#[inline(always)]
fn both_bits<T: Copy>(a: &[T], b: &[T], test: impl Fn(T, T) -> bool) -> u64 {
    a.iter().zip(b).enumerate().fold(0, |bits, (row, (a, b))| bits | u64::from(test(*a, *b)) << row)
}

/// One bit per value.
#[inline]
pub(crate) fn pack<T: Copy>(values: &[T], words: &mut [u64], test: impl Fn(T) -> bool) {
    for (word, block) in words.iter_mut().zip(values.chunks(64)) {
        let mut bytes = [0u8; 64];
        if let Ok(block) = <&[T; 64]>::try_from(block) {
            for (byte, value) in bytes.iter_mut().zip(block) {
                *byte = u8::from(test(*value));
            }
        } else {
            for (byte, value) in bytes.iter_mut().zip(block) {
                *byte = u8::from(test(*value));
            }
        }
        *word = pack_bytes(&bytes);
    }
}

/// 64 bytes of 0 or 1 as 64 bits.
#[inline]
fn pack_bytes(bytes: &[u8; 64]) -> u64 {
    /// Multiplying brings byte i's bit to place 56 + i.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = bytes.as_chunks::<8>();
    eights
        .iter()
        .enumerate()
        .fold(0, |word, (index, eight)| word | (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (index * 8))
}

/// Each row's code from its binary digits (the lowest first, 64 rows to a word), counted from `base`.
pub(crate) fn spread<const WORDS: usize>(digits: &[[u64; WORDS]], base: i8, codes: &mut [i8]) {
    #[cfg(target_arch = "x86_64")]
    match width() {
        // SAFETY: the processor has AVX-512.
        Width::Avx512 => return unsafe { wide::spread_512(digits, base, codes) },
        // SAFETY: the processor has AVX2.
        Width::Avx2 => return unsafe { wide::spread(digits, base, codes) },
        Width::Plain => {}
    }
    spread_each(digits, base, codes);
}

fn spread_each<const WORDS: usize>(digits: &[[u64; WORDS]], base: i8, codes: &mut [i8]) {
    for (word, codes) in codes.chunks_mut(64).enumerate() {
        codes.fill(base);
        for (digit, words) in digits.iter().enumerate() {
            let bits = words.get(word).copied().unwrap_or(0);
            for (row, code) in codes.iter_mut().enumerate() {
                *code = code.wrapping_add(((bits >> row & 1) as i8) << digit);
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod wide {
    use super::Compare;
    impl Compare for i8 {}
    impl Compare for u8 {}
    impl Compare for i16 {}
    impl Compare for i32 {}
    impl Compare for u32 {}
    impl Compare for i64 {}
    impl Compare for f32 {}
    impl Compare for f64 {}
}

#[cfg(target_arch = "x86_64")]
mod wide {
    #[allow(clippy::wildcard_imports)] // the processor's own names
    use std::arch::x86_64::*;

    use super::{Compare, Test, Width, compare_each, width};

    /// Each word is copied to every byte, byte i keeps its bit i, and what is kept becomes the digit's value.
    #[target_feature(enable = "avx2")]
    pub(super) fn spread<const WORDS: usize>(digits: &[[u64; WORDS]], base: i8, codes: &mut [i8]) {
        const DIAGONAL: i64 = 0x8040_2010_0804_0201_u64 as i64;
        let diagonal = _mm256_set1_epi64x(DIAGONAL);
        let (twos, threes) = (0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
        let byte_of_row = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, twos, threes);
        for (half, codes) in codes.chunks_mut(32).enumerate() {
            let mut sum = _mm256_set1_epi8(base);
            for (digit, words) in digits.iter().enumerate() {
                let word = words.get(half / 2).copied().unwrap_or(0);
                let rows = _mm256_set1_epi32((word >> (half % 2 * 32)) as i32);
                let kept = _mm256_and_si256(_mm256_shuffle_epi8(rows, byte_of_row), diagonal);
                let value = _mm256_and_si256(_mm256_cmpeq_epi8(kept, diagonal), _mm256_set1_epi8(1 << digit));
                sum = _mm256_add_epi8(sum, value);
            }
            // SAFETY: both are 32 bytes in which every pattern of bits is a value.
            let bytes = unsafe { std::mem::transmute::<__m256i, [i8; 32]>(sum) };
            for (code, byte) in codes.iter_mut().zip(bytes) {
                *code = byte;
            }
        }
    }

    /// A word is a mask of its rows as it stands.
    #[target_feature(enable = "avx512bw")]
    pub(super) fn spread_512<const WORDS: usize>(digits: &[[u64; WORDS]], base: i8, codes: &mut [i8]) {
        let (blocks, rest) = codes.as_chunks_mut::<64>();
        let whole = blocks.len();
        for (place, codes) in blocks.iter_mut().enumerate() {
            let mut sum = _mm512_set1_epi8(base);
            for (digit, words) in digits.iter().enumerate() {
                let rows = words.get(place).copied().unwrap_or(0);
                sum = _mm512_mask_add_epi8(sum, rows, sum, _mm512_set1_epi8(1 << digit));
            }
            // SAFETY: both are 64 bytes in which every pattern of bits is a value.
            *codes = unsafe { std::mem::transmute::<__m512i, [i8; 64]>(sum) };
        }
        for (row, code) in rest.iter_mut().enumerate() {
            let digit = |(digit, words): (usize, &[u64; WORDS])| {
                ((words.get(whole).copied().unwrap_or(0) >> row & 1) as i8) << digit
            };
            *code = digits.iter().enumerate().map(digit).fold(base, i8::wrapping_add);
        }
    }

    /// A function that compares values with a constant, one register at a time: its name and instructions, how many
    /// values stand in which register, how two registers give a bit per value, and how these bits come into their word.
    macro_rules! all {
        ($name:ident, $feature:literal, $put:ident, $kind:ty, $lanes:literal, $register:ty, $greater:expr, $equal:expr) => {
            #[target_feature(enable = $feature)]
            fn $name(values: &[$kind], test: Test, constant: $kind, words: &mut [u64]) {
                let load = |piece: &[$kind; $lanes]| {
                    // SAFETY: both are of one size, and every pattern of bits is a value.
                    unsafe { std::mem::transmute_copy::<[$kind; $lanes], $register>(piece) }
                };
                let (blocks, rest) = values.as_chunks::<64>();
                let (whole, last) = words.split_at_mut(blocks.len().min(words.len()));
                let wanted = load(&[constant; $lanes]);
                for (word, block) in whole.iter_mut().zip(blocks) {
                    let (pieces, _) = block.as_chunks::<$lanes>();
                    *word = 0;
                    for (place, piece) in pieces.iter().enumerate() {
                        let found = match test {
                            Test::Greater => $greater(load(piece), wanted),
                            Test::Equal => $equal(load(piece), wanted),
                        };
                        $put::<_, $lanes>(word, place, found);
                    }
                }
                compare_each(rest, test, constant, last);
            }
        };
    }

    /// Bits of a number of their own move to their place.
    #[allow(clippy::inline_always)] // into the loop over registers
    #[inline(always)]
    fn shift<M: Into<u64>, const LANES: usize>(word: &mut u64, place: usize, found: M) {
        *word |= found.into() << (place * LANES);
    }

    /// A mask of as many bits as there are values is stored where it belongs: the processor does that from where the
    /// comparison leaves it, and the compiler, left to shift masks together, takes them apart into bytes first.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn store<M, const LANES: usize>(word: &mut u64, place: usize, found: M) {
        const { assert!(size_of::<M>() * 8 == LANES) };
        debug_assert!(place < 64 / LANES);
        // SAFETY: a word is 64 / LANES masks, of which the lowest bits are the first on this processor.
        unsafe { std::ptr::from_mut(word).cast::<M>().add(place).write(found) };
    }

    /// One kind of value: what `all` needs for AVX2, then for AVX-512.
    macro_rules! compare {
        ($kind:ty, [$($avx2:tt)*], [$($avx512:tt)*]) => {
            impl Compare for $kind {
                fn compare(values: &[Self], test: Test, constant: Self, words: &mut [u64]) {
                    all!(avx2, "avx2", shift, $kind, $($avx2)*);
                    all!(avx512, "avx512f,avx512bw,avx512dq", store, $kind, $($avx512)*);
                    match width() {
                        // SAFETY: the processor has what the function was compiled for.
                        Width::Avx512 => unsafe { avx512(values, test, constant, words) },
                        // SAFETY: the same.
                        Width::Avx2 => unsafe { avx2(values, test, constant, words) },
                        Width::Plain => compare_each(values, test, constant, words),
                    }
                }
            }
        };
    }

    compare!(
        f64,
        [
            4,
            __m256d,
            |a, b| doubles(_mm256_cmp_pd::<_CMP_GT_OQ>(a, b)),
            |a, b| doubles(_mm256_cmp_pd::<_CMP_EQ_OQ>(a, b))
        ],
        [8, __m512d, |a, b| _mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, b), |a, b| _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b)]
    );
    compare!(
        f32,
        [
            8,
            __m256,
            |a, b| singles(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b)),
            |a, b| singles(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b))
        ],
        [16, __m512, |a, b| _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), |a, b| _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b)]
    );
    compare!(
        i64,
        [4, __m256i, |a, b| eights(_mm256_cmpgt_epi64(a, b)), |a, b| eights(_mm256_cmpeq_epi64(a, b))],
        [8, __m512i, |a, b| _mm512_cmpgt_epi64_mask(a, b), |a, b| _mm512_cmpeq_epi64_mask(a, b)]
    );
    compare!(
        i32,
        [8, __m256i, |a, b| fours(_mm256_cmpgt_epi32(a, b)), |a, b| fours(_mm256_cmpeq_epi32(a, b))],
        [16, __m512i, |a, b| _mm512_cmpgt_epi32_mask(a, b), |a, b| _mm512_cmpeq_epi32_mask(a, b)]
    );
    compare!(
        u32,
        [8, __m256i, |a, b| fours(_mm256_cmpgt_epi32(turned(a), turned(b))), |a, b| fours(_mm256_cmpeq_epi32(a, b))],
        [16, __m512i, |a, b| _mm512_cmpgt_epu32_mask(a, b), |a, b| _mm512_cmpeq_epi32_mask(a, b)]
    );
    compare!(
        i16,
        [16, __m256i, |a, b| twos(_mm256_cmpgt_epi16(a, b)), |a, b| twos(_mm256_cmpeq_epi16(a, b))],
        [32, __m512i, |a, b| _mm512_cmpgt_epi16_mask(a, b), |a, b| _mm512_cmpeq_epi16_mask(a, b)]
    );
    compare!(
        i8,
        [32, __m256i, |a, b| ones(_mm256_cmpgt_epi8(a, b)), |a, b| ones(_mm256_cmpeq_epi8(a, b))],
        [64, __m512i, |a, b| _mm512_cmpgt_epi8_mask(a, b), |a, b| _mm512_cmpeq_epi8_mask(a, b)]
    );

    compare!(
        u8,
        [32, __m256i, |a, b| ones(_mm256_cmpgt_epi8(turned8(a), turned8(b))), |a, b| ones(_mm256_cmpeq_epi8(a, b))],
        [64, __m512i, |a, b| _mm512_cmpgt_epu8_mask(a, b), |a, b| _mm512_cmpeq_epi8_mask(a, b)]
    );

    /// The highest bit of each value.
    #[target_feature(enable = "avx2")]
    fn doubles(found: __m256d) -> u32 {
        _mm256_movemask_pd(found) as u32
    }

    #[target_feature(enable = "avx2")]
    fn singles(found: __m256) -> u32 {
        _mm256_movemask_ps(found) as u32
    }

    #[target_feature(enable = "avx2")]
    fn eights(found: __m256i) -> u32 {
        doubles(_mm256_castsi256_pd(found))
    }

    #[target_feature(enable = "avx2")]
    fn fours(found: __m256i) -> u32 {
        singles(_mm256_castsi256_ps(found))
    }

    #[target_feature(enable = "avx2")]
    fn twos(found: __m256i) -> u32 {
        let halves = (_mm256_castsi256_si128(found), _mm256_extracti128_si256::<1>(found));
        _mm_movemask_epi8(_mm_packs_epi16(halves.0, halves.1)) as u32
    }

    #[target_feature(enable = "avx2")]
    fn ones(found: __m256i) -> u32 {
        _mm256_movemask_epi8(found) as u32
    }

    #[target_feature(enable = "avx2")]
    fn turned8(values: __m256i) -> __m256i {
        _mm256_xor_si256(values, _mm256_set1_epi8(i8::MIN))
    }

    /// Natural numbers in the order of whole ones.
    #[target_feature(enable = "avx2")]
    fn turned(values: __m256i) -> __m256i {
        _mm256_xor_si256(values, _mm256_set1_epi32(i32::MIN))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vector::tests::on_every_width;

    fn agree<T: Compare + std::fmt::Debug>(values: &[T], constant: T) {
        for test in [Test::Greater, Test::Equal] {
            let mut plain = [7u64; 5];
            compare_each(values, test, constant, &mut plain);
            on_every_width(|| {
                let mut fast = [7u64; 5];
                T::compare(values, test, constant, &mut fast);
                assert_eq!(fast, plain, "{test:?} {constant:?} {values:?}");
            });
        }
    }

    proptest! {
        #[test]
        fn digits_spread_to_codes(digits in prop::collection::vec(any::<[u64; 4]>(), 0..8), base in -1i8..=0, rows in 0usize..=256) {
            let mut plain = vec![9i8; rows];
            spread_each(&digits, base, &mut plain);
            on_every_width(|| {
                let mut fast = vec![9i8; rows];
                spread(&digits, base, &mut fast);
                assert_eq!(fast, plain);
            });
        }

        #[test]
        fn pairs_agree_with_one_by_one(pairs in prop::collection::vec((-1.0..1.0, -1.0..1.0), 0..300)) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let mut plain = [0u64; 5];
            for (row, (a, b)) in a.iter().zip(&b).enumerate() {
                plain[row / 64] |= u64::from(a > b) << (row % 64);
            }
            on_every_width(|| {
                let mut fast = [0u64; 5];
                pack_pairs(&a, &b, &mut fast, |a, b| a > b);
                assert_eq!(fast, plain);
            });
        }

        #[test]
        fn every_kind_agrees_with_one_by_one(values in prop::collection::vec(-3i8..4, 0..300), constant in -3i8..4) {
            agree(&values, constant);
            agree(&values.iter().map(|value| i16::from(*value)).collect::<Vec<_>>(), constant.into());
            agree(&values.iter().map(|value| i32::from(*value)).collect::<Vec<_>>(), constant.into());
            agree(&values.iter().map(|value| i64::from(*value)).collect::<Vec<_>>(), constant.into());
            agree(&values.iter().map(|value| *value as u32).collect::<Vec<_>>(), constant as u32);
            agree(&values.iter().map(|value| *value as u8).collect::<Vec<_>>(), constant as u8);
            let odd = |value: i8| if value == 3 { f64::NAN } else { f64::from(value) / 2.0 };
            agree(&values.iter().map(|value| odd(*value)).collect::<Vec<_>>(), f64::from(constant) / 2.0);
            let odd = |value: i8| if value == 3 { f32::NAN } else { f32::from(value) / 2.0 };
            agree(&values.iter().map(|value| odd(*value)).collect::<Vec<_>>(), f32::from(constant) / 2.0);
        }
    }
}
