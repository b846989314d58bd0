//! The inner loop of selection: one block of values held against ascending thresholds.

use crate::vector::widest;

/// The cells between ascending thresholds, and which of them are to keep: cell `i` is what is above threshold `i - 1`
/// and not above threshold `i`.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) thresholds: Vec<f64>,
    /// One per threshold.
    pub(super) keep: Vec<bool>,
}

widest! {
    /// Adds to `above` how many values are above each threshold, and copies the values of the cells to keep.
    pub(super) fn sift(values: &[f64], cells: &Cells, above: &mut [usize], kept: &mut Vec<f64>) = sift_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn sift_each(values: &[f64], cells: &Cells, above: &mut [usize], kept: &mut Vec<f64>) {
    let (groups, rest) = values.as_chunks::<64>();
    let mut last = [f64::NAN; 64]; // NaN is above nothing
    last.iter_mut().zip(rest).for_each(|(slot, value)| *slot = *value);
    for group in groups.iter().chain([&last]) {
        let (mut before, mut wanted) = (0, 0);
        for ((threshold, keep), above) in cells.thresholds.iter().zip(&cells.keep).zip(above.iter_mut()) {
            let rows = rows_above(group, *threshold);
            *above += rows.count_ones() as usize;
            wanted |= if *keep { before & !rows } else { 0 };
            before = rows;
        }
        while wanted != 0 {
            kept.extend(group.get(wanted.trailing_zeros() as usize));
            wanted &= wanted - 1;
        }
    }
}

/// A bit per value: is it above the threshold?
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn rows_above(group: &[f64; 64], threshold: f64) -> u64 {
    group.iter().enumerate().fold(0, |rows, (row, value)| rows | u64::from(*value > threshold) << row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cuts::tests::{thresholds, values},
        vector::tests::on_every_width,
    };

    proptest! {
        #[test]
        fn cells_are_counted_and_kept(values in values(), thresholds in thresholds(), keep in prop::collection::vec(any::<bool>(), 9)) {
            let cell = |value: &f64| thresholds.iter().filter(|&threshold| value > threshold).count();
            let naive: Vec<usize> = (1..=thresholds.len()).map(|place| values.iter().filter(|&value| cell(value) >= place).count()).collect();
            let inside = |value: &&f64| (1..thresholds.len()).contains(&cell(value)) && keep[cell(value)];
            let naive_kept: Vec<f64> = values.iter().filter(inside).copied().collect();
            let cells = Cells { keep: keep[..thresholds.len()].to_vec(), thresholds };
            on_every_width(|| {
                let (mut above, mut kept) = (vec![0; cells.thresholds.len()], Vec::new());
                sift(&values, &cells, &mut above, &mut kept);
                assert_eq!(above, naive);
                assert_eq!(kept, naive_kept);
            });
        }
    }
}
