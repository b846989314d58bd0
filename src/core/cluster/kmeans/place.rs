//! Rows held against the centres of a fitted model, a cache-sized piece at a time.

use rayon::prelude::*;

use super::{
    super::{
        distance::{Centres, Label, Piece, squares},
        matrix::{LANES, Matrix, Real},
        pack::{packed_piece, room_for},
        sums::Sums,
    },
    check_weights, lloyd,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    pages::{Lines, zeros},
    parallel::map_each_with,
    vector::{Fused, widest_fused},
};

/// The cluster of each row: the nearest of a fitted model's centres.
pub fn predict<T: Real>(
    matrix: &Matrix<'_, T>,
    centres: &Matrix<'_, T>,
    origin: &Matrix<'_, T>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<Vec<i32>> {
    let mut labels = zeros(matrix.rows());
    place(matrix, None, (centres, origin), columns, Some(&mut labels), false, cancel)?;
    Ok(labels)
}

/// The weighted sum of squared distances of rows to the nearest of a fitted model's centres.
pub fn inertia<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    centres: &Matrix<'_, T>,
    origin: &Matrix<'_, T>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<f64> {
    check_weights(weights, matrix.rows())?;
    place(matrix, weights, (centres, origin), columns, None, true, cancel)
}

/// The distance of each row to every centre, row after row.
pub fn distances<T: Real>(
    matrix: &Matrix<'_, T>,
    centres: &Matrix<'_, T>,
    origin: &Matrix<'_, T>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<Vec<T>> {
    let (origin, near) = near(matrix, centres, origin)?;
    let (dims, clusters) = (origin.len(), centres.rows());
    let mut out = zeros(matrix.rows() * clusters);
    let step = lloyd::points_per_piece(clusters, dims);
    let pieces = out.par_chunks_mut(step * clusters).enumerate();
    let room = || room_for(matrix, step);
    map_each_with(pieces, cancel, room, |room, (index, out)| {
        let blocks = packed_piece(matrix, index * step, &origin, room, columns)?;
        distances_to(blocks, &near, dims, out);
        Ok(())
    })?;
    Ok(out)
}

/// Labels rows where there is room for labels; the weighted sum of the squares of their distances, where asked for.
pub(super) fn place<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    (centres, origin): (&Matrix<'_, T>, &Matrix<'_, T>),
    columns: &[String],
    out: Option<&mut [i32]>,
    inertia: bool,
    cancel: &Cancel,
) -> Result<f64> {
    let (origin, near) = near(matrix, centres, origin)?;
    let each = Placing { matrix, weights, centres: &near, origin: &origin, columns, inertia, cancel };
    each.run(out)
}

struct Placing<'a, T> {
    matrix: &'a Matrix<'a, T>,
    weights: Option<&'a [f64]>,
    /// Measured from the origin.
    centres: &'a [T],
    origin: &'a [T],
    columns: &'a [String],
    inertia: bool,
    cancel: &'a Cancel,
}

impl<T: Real> Placing<'_, T> {
    fn run(&self, out: Option<&mut [i32]>) -> Result<f64> {
        let (rows, dims) = (self.matrix.rows(), self.origin.len());
        let step = lloyd::points_per_piece(self.centres.len() / dims, dims);
        let table = Centres::new(self.centres, dims);
        let room = || (room_for(self.matrix, step), vec![0; step]);
        let piece = |(room, labels): &mut (Lines<T>, Vec<Label>), index: usize, out: Option<&mut [i32]>| {
            let first = index * step;
            let blocks = packed_piece(self.matrix, first, self.origin, room, self.columns)?;
            let weights = self.weights.map(|weights| weights.get(first..).unwrap_or(&[]));
            let rows = (rows - first).min(step);
            let mut piece = Piece { blocks, labels, weights, rows, sums: Sums::default(), margins: &mut [] };
            piece.assign(&table, false);
            let inertia = if self.inertia { piece.inertia(self.centres, dims) } else { 0.0 };
            let labelled = out.into_iter().flatten().zip(labels);
            labelled.for_each(|(out, label)| *out = i32::from(*label));
            Ok(inertia)
        };
        let sums = match out {
            Some(out) => {
                map_each_with(out.par_chunks_mut(step).enumerate(), self.cancel, room, |room, (index, out)| {
                    piece(room, index, Some(out))
                })
            }
            None => map_each_with(0..rows.div_ceil(step), self.cancel, room, |room, index| piece(room, index, None)),
        }?;
        Ok(sums.iter().sum())
    }
}

widest_fused! {
    /// The distances of the points in blocks to every centre, point after point.
    fn distances_to[T: Real](blocks: &[T], centres: &[T], dims: usize, out: &mut [T]) = distances_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn distances_each<T: Real, const F: bool>(fused: Fused<F>, blocks: &[T], centres: &[T], dims: usize, out: &mut [T]) {
    let clusters = centres.len() / dims;
    let (lanes, _) = blocks.as_chunks::<LANES>();
    for (block, out) in lanes.chunks_exact(dims).zip(out.chunks_mut(LANES * clusters)) {
        for (cluster, centre) in centres.chunks_exact(dims).enumerate() {
            let squares = squares(fused, block, centre);
            for (out, square) in out.iter_mut().skip(cluster).step_by(clusters).zip(squares) {
                *out = square.sqrt();
            }
        }
    }
}

/// The origin, and the centres measured from it.
fn near<T: Real>(matrix: &Matrix<'_, T>, centres: &Matrix<'_, T>, origin: &Matrix<'_, T>) -> Result<(Vec<T>, Vec<T>)> {
    let dims = matrix.columns();
    if centres.columns() != dims || centres.rows() == 0 || origin.columns() != dims || origin.rows() != 1 {
        return Err(Error::input(format!(
            "cluster_centers_ has shape ({}, {}), which does not go with rows of {dims} columns; fit the model again",
            centres.rows(),
            centres.columns(),
        )));
    }
    let origin = origin.to_rows();
    let near = centres.to_rows().iter().zip(origin.iter().cycle()).map(|(c, origin)| *c - *origin).collect();
    Ok((origin, near))
}
