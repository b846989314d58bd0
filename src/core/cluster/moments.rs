//! Means and variances of columns, from rows as they arrive or as they are packed.

use super::matrix::{LANES, Matrix, Real};
use crate::vector::widest;

/// Some rows' means, and the sums of squared distances from these.
pub(super) struct Moments {
    /// Whether no value is too large, infinite or missing.
    pub(super) usable: bool,
    rows: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

/// The means and variances of all parts' rows (Chan, Golub and `LeVeque`, 1979: no mean is ever squared).
pub(super) fn together(parts: &[Moments], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut means, mut squares, mut before) = (vec![0.0; columns], vec![0.0; columns], 0.0);
    for part in parts {
        let all = before + part.rows;
        let both = means.iter_mut().zip(&mut squares).zip(part.means.iter().zip(&part.squares));
        for ((mean, square), (part_mean, part_square)) in both {
            let apart = part_mean - *mean;
            *mean += apart * (part.rows / all);
            *square += part_square + apart * apart * (before * part.rows / all);
        }
        before = all;
    }
    (means, squares.iter().map(|square| square / before.max(1.0)).collect())
}

/// The mean of some values.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Blocks gathered at a time from rows as they arrive: they stay in the nearest cache.
const BLOCKS: usize = 16;

widest! {
    /// The moments of rows from `first` to `end`.
    pub(super) fn moments[T: Real](matrix: &Matrix<'_, T>, first: usize, end: usize) -> Moments = moments_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn moments_each<T: Real>(matrix: &Matrix<'_, T>, first: usize, end: usize) -> Moments {
    let dims = matrix.columns();
    let mut room = vec![[T::default(); LANES]; dims * BLOCKS];
    let mut gathered = Gathered::new(matrix.row(first).map(T::to_f64).collect());
    for start in (first..end).step_by(LANES * BLOCKS) {
        let rows = (end - start).min(LANES * BLOCKS);
        let blocks = room.get_mut(..rows.div_ceil(LANES) * dims).unwrap_or_default();
        for (index, block) in blocks.chunks_exact_mut(dims.max(1)).enumerate() {
            matrix.block(start + index * LANES, block);
        }
        gathered.add(blocks, rows);
    }
    gathered.moments()
}

widest! {
    /// The moments of so many rows that stand in blocks; what stands beyond them is overwritten.
    pub(super) fn moments_of_blocks[T: Real](blocks: &mut [T], rows: usize, dims: usize) -> Moments = moments_of;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn moments_of<T: Real>(blocks: &mut [T], rows: usize, dims: usize) -> Moments {
    let (blocks, _) = blocks.as_chunks_mut::<LANES>();
    let first = blocks.iter().take(dims).map(|lanes| lanes.first().map_or(0.0, |value| value.to_f64()));
    let mut gathered = Gathered::new(first.collect());
    gathered.add(blocks, rows);
    gathered.moments()
}

/// Sums and sums of squares, lane by lane.
struct Gathered {
    /// The first row, from which all are measured: little is lost for data far from zero.
    base: Vec<f64>,
    sums: Vec<([f64; LANES], [f64; LANES])>,
    rows: usize,
    usable: bool,
}

impl Gathered {
    fn new(base: Vec<f64>) -> Self {
        let sums = vec![([0.0; LANES], [0.0; LANES]); base.len()];
        Self { base, sums, rows: 0, usable: true }
    }

    /// Adds the first `rows` points of some blocks; the rest of the last becomes as the first row, and so adds nothing.
    #[allow(clippy::inline_always)] // the same
    #[inline(always)]
    fn add<T: Real>(&mut self, blocks: &mut [[T; LANES]], rows: usize) {
        self.rows += rows;
        let dims = self.base.len();
        for (lanes, base) in blocks.iter_mut().skip(rows / LANES * dims).zip(&self.base) {
            lanes.iter_mut().skip(rows % LANES).for_each(|value| *value = T::from_f64(*base));
        }
        for (dim, (all, base)) in self.sums.iter_mut().zip(&self.base).enumerate() {
            let ((mut sums, mut squares), mut usable) = (*all, true); // in registers
            for lanes in blocks.iter().skip(dim).step_by(dims) {
                for ((value, sum), square) in lanes.iter().zip(&mut sums).zip(&mut squares) {
                    usable &= value.abs() <= T::LARGEST;
                    let apart = value.to_f64() - base;
                    *sum += apart;
                    *square += apart * apart;
                }
            }
            *all = (sums, squares);
            self.usable &= usable;
        }
    }

    fn moments(self) -> Moments {
        let rows = self.rows as f64;
        let total = |lanes: &[f64; LANES]| lanes.iter().sum::<f64>();
        let means = self.sums.iter().zip(&self.base).map(|((sums, _), base)| base + total(sums) / rows).collect();
        let squares =
            self.sums.iter().map(|(sums, squares)| total(squares) - total(sums) * (total(sums) / rows)).collect();
        Moments { usable: self.usable, rows, means, squares }
    }
}
