//! Rows put down once in the order the loops over them like: blocks of [`LANES`] points, each dimension by dimension,
//! measured from a point in their middle, so that differences stay exact for data far from zero.

use rayon::prelude::*;

use super::{
    matrix::{LANES, Matrix, Real},
    moments::{moments_of_blocks, together},
};
use crate::{
    Result,
    cancel::Cancel,
    pages::Lines,
    parallel::{fill_chunks, map_each_with},
    vector::{all_pass, widest},
};

/// Points in blocks; what stands beyond the last point means nothing.
#[derive(Debug)]
pub(super) struct Packed<T: Real> {
    pub(super) values: Lines<T>,
    pub(super) rows: usize,
    pub(super) dims: usize,
}

impl<T: Real> Packed<T> {
    /// Every row of `matrix`, measured from `origin`.
    pub(super) fn new(matrix: &Matrix<'_, T>, origin: &[T], cancel: &Cancel) -> Result<Self> {
        let (rows, dims) = (matrix.rows(), matrix.columns());
        let points = points_per_chunk(dims);
        let mut values = Lines::new(rows.div_ceil(LANES) * LANES * dims);
        fill_chunks(&mut values, points * dims, cancel, |first, piece| {
            pack(matrix, first / dims, origin, piece);
            Ok(())
        })?;
        Ok(Self { values, rows, dims })
    }

    /// Every row of `matrix`, measured from a point in their middle, which is the second, and the columns' variances; a
    /// value that cannot be used is an error naming it.
    pub(super) fn centred(
        matrix: &Matrix<'_, T>,
        columns: &[String],
        cancel: &Cancel,
    ) -> Result<(Self, Vec<T>, Vec<f64>)> {
        let (rows, dims) = (matrix.rows(), matrix.columns());
        let origin: Vec<T> = matrix.middle().into_iter().map(T::from_f64).collect();
        let near = origin.iter().all(|mean| mean.abs() <= T::LARGEST);
        let points = points_per_chunk(dims);
        let mut values = Lines::new(rows.div_ceil(LANES) * LANES * dims);
        let pieces = values.par_chunks_mut(points * dims).enumerate();
        let parts = map_each_with(
            pieces,
            cancel,
            || (),
            |(), (index, piece)| {
                let first = index * points;
                pack(matrix, first, &origin, piece);
                let moments = moments_of_blocks(piece, (rows - first).min(points), dims);
                if !(near && moments.usable)
                    && let Some(failure) = matrix.unusable(columns)
                {
                    return Err(failure);
                }
                Ok(moments)
            },
        )?;
        let (_, variances) = together(&parts, dims);
        Ok((Self { values, rows, dims }, origin, variances))
    }

    /// One value.
    #[inline]
    pub(super) fn get(&self, row: usize, dim: usize) -> T {
        self.values.get((row / LANES * self.dims + dim) * LANES + row % LANES).copied().unwrap_or_default()
    }

    /// One point.
    pub(super) fn point(&self, row: usize) -> Vec<T> {
        (0..self.dims).map(|dim| self.get(row, dim)).collect()
    }
}

/// Points in one task of packing: about a megabyte.
fn points_per_chunk(dims: usize) -> usize {
    ((1 << 17) / dims.max(1)).next_multiple_of(LANES)
}

widest! {
    /// Fills blocks with the rows from `first` on.
    fn pack[T: Real](matrix: &Matrix<'_, T>, first: usize, origin: &[T], blocks: &mut [T]) = pack_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn pack_each<T: Real>(matrix: &Matrix<'_, T>, first: usize, origin: &[T], blocks: &mut [T]) {
    let (lanes, _) = blocks.as_chunks_mut::<LANES>();
    for (index, block) in lanes.chunks_exact_mut(origin.len().max(1)).enumerate() {
        matrix.block(first + index * LANES, block);
        for (lanes, origin) in block.iter_mut().zip(origin) {
            for value in lanes {
                *value = *value - *origin;
            }
        }
    }
}

/// Room for blocks of `step` rows, or of all rows where they are fewer.
pub(super) fn room_for<T: Real>(matrix: &Matrix<'_, T>, step: usize) -> Lines<T> {
    Lines::new(step.min(matrix.rows().next_multiple_of(LANES)) * matrix.columns())
}

/// As many rows from `first` on as there is room for, in blocks; or which of their values cannot be used.
pub(super) fn packed_piece<'a, T: Real>(
    matrix: &Matrix<'_, T>,
    first: usize,
    origin: &[T],
    room: &'a mut [T],
    columns: &[String],
) -> Result<&'a [T]> {
    let left = (matrix.rows() - first).next_multiple_of(LANES) * origin.len();
    let room_len = room.len();
    let blocks = room.get_mut(..left.min(room_len)).unwrap_or_default();
    pack(matrix, first, origin, blocks);
    if !all_pass(blocks, |value| value.abs() <= T::LARGEST)
        && let Some(failure) = matrix.unusable(columns)
    {
        return Err(failure);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::tests::on_every_width;

    #[test]
    fn both_orders_pack_alike() {
        for rows in [1, 15, 16, 17, 100] {
            let by_row: Vec<f64> = (0..rows * 3).map(|value| value as f64).collect();
            let by_column: Vec<f64> = (0..3).flat_map(|j| (0..rows).map(move |i| (i * 3 + j) as f64)).collect();
            let one = Matrix::new(&by_row, rows, 3, false).unwrap();
            let other = Matrix::new(&by_column, rows, 3, true).unwrap();
            on_every_width(|| {
                let packed = Packed::new(&one, &[1.0, 2.0, 3.0], &Cancel::new()).unwrap();
                let turned = Packed::new(&other, &[1.0, 2.0, 3.0], &Cancel::new()).unwrap();
                assert_eq!(*packed.values, *turned.values);
                for row in 0..rows {
                    let wanted: Vec<f64> =
                        one.row(row).zip([1.0, 2.0, 3.0]).map(|(value, origin)| value - origin).collect();
                    assert_eq!(packed.point(row), wanted);
                }
            });
        }
    }
}
