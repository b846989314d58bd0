//! Rows held against the components of a fitted mixture.

use rayon::prelude::*;

use super::{
    super::{
        matrix::{Matrix, Real},
        pack::{packed_piece, room_for},
    },
    config::Covariance,
    density::{Table, log_densities, soften},
    model::Frame,
    sweep::rows_per_chunk,
    tile::{Eight, TILE_ROWS, Tile, load},
};
use crate::{Error, Result, cancel::Cancel, parallel::map_each_with};

/// A fitted mixture, in the shapes Python keeps it in, one value behind the other.
#[derive(Debug, Clone, Copy)]
pub struct Components<'a> {
    /// One per component.
    pub weights: &'a [f64],
    /// One mean behind the other.
    pub means: &'a [f64],
    /// Of the shape that goes with the covariances.
    pub precisions_cholesky: &'a [f64],
    /// Of what kind these are.
    pub covariance: Covariance,
}

impl Components<'_> {
    fn table(&self, dims: usize) -> Result<Table> {
        let components = self.weights.len();
        let variances = Vec::new();
        let frame = Frame { covariance: self.covariance, dims, components, regular: 0.0, variances };
        let fits = components > 0
            && self.means.len() == components * dims
            && self.precisions_cholesky.len() == frame.covariance_len();
        if !fits {
            return Err(Error::input(format!(
                "weights_, means_ and precisions_cholesky_ have {components}, {} and {} values, which do not go with \
                 each other, covariance_type and rows of {dims} columns; fit the model again",
                self.means.len(),
                self.precisions_cholesky.len(),
            )));
        }
        Ok(frame.table(self.weights, self.means, self.precisions_cholesky))
    }
}

/// The component each row most likely belongs to; of equally likely ones the first.
pub fn predict<T: Real>(
    matrix: &Matrix<'_, T>,
    components: Components<'_>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<Vec<i32>> {
    let mut labels = vec![0; matrix.rows()];
    fill(matrix, components, columns, &mut labels, 1, cancel, |logs, out| {
        let mut best = [f64::NEG_INFINITY; TILE_ROWS];
        for (component, logs) in logs.iter().enumerate() {
            for ((best, label), log) in best.iter_mut().zip(&mut *out).zip(logs.iter()) {
                let better = log > best;
                *best = if better { *log } else { *best };
                *label = if better { component as i32 } else { *label };
            }
        }
    })?;
    Ok(labels)
}

/// How likely each row belongs to each component, row after row.
pub fn probabilities<T: Real>(
    matrix: &Matrix<'_, T>,
    components: Components<'_>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<Vec<T>> {
    let width = components.weights.len().max(1);
    let mut out = vec![T::default(); matrix.rows() * width];
    fill(matrix, components, columns, &mut out, width, cancel, |logs, out| {
        soften(logs, TILE_ROWS, None);
        for (component, shares) in logs.iter().enumerate() {
            let slots = out.iter_mut().skip(component).step_by(width);
            slots.zip(shares.iter()).for_each(|(slot, share)| *slot = T::from_f64(*share));
        }
    })?;
    Ok(out)
}

/// The logarithm of the density at each row.
pub fn log_likelihoods<T: Real>(
    matrix: &Matrix<'_, T>,
    components: Components<'_>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<Vec<T>> {
    let mut out = vec![T::default(); matrix.rows()];
    fill(matrix, components, columns, &mut out, 1, cancel, |logs, out| {
        let mut each = Tile::ZERO;
        soften(logs, TILE_ROWS, Some(&mut each));
        out.iter_mut().zip(each.iter()).for_each(|(slot, log)| *slot = T::from_f64(*log));
    })?;
    Ok(out)
}

/// Gives `tell` the log densities of tile after tile, with the `width` places per row it is to fill.
fn fill<T: Real, O: Send>(
    matrix: &Matrix<'_, T>,
    components: Components<'_>,
    columns: &[String],
    out: &mut [O],
    width: usize,
    cancel: &Cancel,
    tell: impl Fn(&mut [Tile], &mut [O]) + Sync,
) -> Result<()> {
    let dims = matrix.columns();
    let table = components.table(dims)?;
    let origin = vec![T::default(); dims];
    let step = rows_per_chunk(components.weights.len(), dims);
    let room = || {
        let (rows, apart): (Vec<Eight>, Vec<Eight>) =
            (vec![Eight::ZERO; TILE_ROWS / 8 * dims], vec![Eight::ZERO; dims]);
        let logs = vec![Tile::ZERO; components.weights.len()];
        (room_for(matrix, step), rows, apart, logs)
    };
    map_each_with(out.par_chunks_mut(step * width).enumerate(), cancel, room, |room, (index, out)| {
        let (packed, rows, apart, logs) = room;
        let blocks = packed_piece(matrix, index * step, &origin, packed, columns)?;
        for (out, blocks) in out.chunks_mut(TILE_ROWS * width).zip(blocks.chunks(TILE_ROWS * dims)) {
            load(blocks, dims, rows);
            log_densities(&table, rows, apart, logs);
            tell(logs, out);
        }
        Ok(())
    })?;
    Ok(())
}
