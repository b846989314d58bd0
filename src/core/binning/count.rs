//! The one inner loop of this room: how many thresholds stand below a value.

/// `out[i] = #{t in thresholds : values[i] > t}`, 0 for NaN; at most 255 thresholds.
pub(super) fn count_below(values: &[f64], thresholds: &[f64], out: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
            // SAFETY: the processor has what the function was compiled for.
            return unsafe { count_avx512(values, thresholds, out) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the same.
            return unsafe { count_avx2(values, thresholds, out) };
        }
    }
    count(values, thresholds, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn count_avx512(values: &[f64], thresholds: &[f64], out: &mut [u8]) {
    count(values, thresholds, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn count_avx2(values: &[f64], thresholds: &[f64], out: &mut [u8]) {
    count(values, thresholds, out);
}

/// Values worked on together: their counts stay in vector registers.
const LANES: usize = 32;

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn count(values: &[f64], thresholds: &[f64], out: &mut [u8]) {
    let (groups, rest) = values.as_chunks::<LANES>();
    let (out_groups, out_rest) = out.split_at_mut(groups.len() * LANES);
    for (group, out) in groups.iter().zip(out_groups.as_chunks_mut::<LANES>().0) {
        let mut counts = [0u64; LANES];
        for &threshold in thresholds {
            for (count, value) in counts.iter_mut().zip(group) {
                *count += u64::from(*value > threshold);
            }
        }
        for (out, count) in out.iter_mut().zip(counts) {
            *out = count as u8;
        }
    }
    for (out, value) in out_rest.iter_mut().zip(rest) {
        *out = thresholds.iter().map(|threshold| u8::from(value > threshold)).sum();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_version_counts_alike(
            values in prop::collection::vec(prop_oneof![-3.0..3.0, Just(f64::NAN), Just(0.0), Just(1.0)], 0..200),
            thresholds in prop::collection::vec(prop_oneof![-3.0..3.0, Just(0.0), Just(1.0)], 0..9),
        ) {
            let naive: Vec<u8> =
                values.iter().map(|value| thresholds.iter().filter(|&threshold| value > threshold).count() as u8).collect();
            let mut out = vec![9; values.len()];
            count(&values, &thresholds, &mut out);
            prop_assert_eq!(&out, &naive);
            count_below(&values, &thresholds, &mut out);
            prop_assert_eq!(&out, &naive);
        }
    }
}
