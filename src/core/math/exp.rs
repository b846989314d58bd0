//! The exponential as a loop can have it: without branches or calls, so that eight run at once.

use crate::vector::Fused;

/// Below this the result is 0: it would soon be too small for a normal number.
const LOWEST: f64 = -708.0;
/// Adding this leaves a whole number in the last bits: 1.5 * 2^52.
const WHOLE: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; a whole number below 2^20 times the first is exact (fdlibm).
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// 1/13!, 1/12!, ..., 1/2!: where |r| <= ln(2)/2 the terms left out are below 5e-18.
const TAYLOR: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

/// e to the power of `x`, for `x` up to 700, within one unit in the last place; 0 below -708 and for NaN.
#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
pub(crate) fn exp<const F: bool>(fused: Fused<F>, x: f64) -> f64 {
    let used = if x > LOWEST { x } else { LOWEST };
    let shifted = fused.mul_add(used, std::f64::consts::LOG2_E, WHOLE);
    let twos = shifted - WHOLE;
    let [high, low] = LN_2;
    let r = fused.mul_add(twos, -low, fused.mul_add(twos, -high, used));
    // e^r = 1 + (r + r^2 (1/2! + r/3! + ...)): the large terms are added last.
    let mut tail = 0.0;
    for term in TAYLOR {
        tail = fused.mul_add(tail, r, term);
    }
    let power = 1.0 + fused.mul_add(r * r, tail, r);
    // The last bits of `shifted` are the whole number; 1023 is the exponent's zero.
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x > LOWEST { power * scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many units in the last place two positive numbers are apart.
    fn apart(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    fn check(x: f64) {
        assert!(apart(exp(Fused::<true>, x), x.exp()) <= 1, "{x:e}");
        assert!(apart(exp(Fused::<false>, x), x.exp()) <= 1, "{x:e}");
    }

    #[test]
    fn ends_and_whole_powers() {
        assert_eq!(exp(Fused::<true>, 0.0), 1.0);
        assert_eq!(exp(Fused::<false>, -0.0), 1.0);
        for x in [LOWEST, -1e3, -1e300, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(exp(Fused::<true>, x), 0.0);
        }
        for power in -1020..1000 {
            let x = f64::from(power) * std::f64::consts::LN_2;
            for x in [x, x.next_up(), x.next_down(), x + 0.5 * std::f64::consts::LN_2] {
                check(x);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn within_one_unit_of_the_library(x in -707.9..700.0f64, small in -1.0..1.0f64) {
            check(x);
            check(small);
            check(small * 1e-9);
        }
    }
}
