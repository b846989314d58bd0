//! How far points are from the centres of their own clusters.

use super::{
    distance::{Label, Piece},
    matrix::{LANES, Real},
};
use crate::vector::widest;

/// Clusters whose centres stand in one table.
const TABLE: usize = 256;

/// Coordinates of centres by dimension and cluster, in tables that a label's last byte cannot leave: so the compiler
/// looks several up at once.
pub(super) struct Own<T> {
    tables: Vec<[T; TABLE]>,
    dims: usize,
}

impl<T: Real> Own<T> {
    pub(super) fn new(centres: &[T], dims: usize) -> Self {
        let mut tables = vec![[T::default(); TABLE]; (centres.len() / dims.max(1)).div_ceil(TABLE) * dims];
        for (cluster, centre) in centres.chunks_exact(dims.max(1)).enumerate() {
            for (table, coordinate) in tables.iter_mut().skip(cluster / TABLE * dims).zip(centre) {
                if let Some(slot) = table.get_mut(cluster % TABLE) {
                    *slot = *coordinate;
                }
            }
        }
        Self { tables, dims }
    }

    /// The squared distance of each point of a block to the centre of its label.
    #[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
    #[inline(always)]
    pub(super) fn squares(&self, block: &[[T; LANES]], labels: &[Label; LANES]) -> [f64; LANES] {
        let mut squares = [0.0; LANES];
        for (part, tables) in self.tables.chunks_exact(self.dims.max(1)).enumerate() {
            let mine = labels.map(|label| usize::from(label) / TABLE == part);
            for (lanes, table) in block.iter().zip(tables) {
                for (((square, value), label), mine) in squares.iter_mut().zip(lanes).zip(labels).zip(&mine) {
                    let apart = (*value - table.get(usize::from(*label as u8)).copied().unwrap_or_default()).to_f64();
                    *square += if *mine { apart * apart } else { 0.0 };
                }
            }
        }
        squares
    }
}

widest! {
    /// The weighted sum of a piece's squared distances to the centres of its labels.
    pub(super) fn inertia[T: Real](piece: &Piece<'_, T>, own: &Own<T>) -> f64 = inertia_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn inertia_each<T: Real>(piece: &Piece<'_, T>, own: &Own<T>) -> f64 {
    let (lanes, _) = piece.blocks.as_chunks::<LANES>();
    let (labels, _) = piece.labels.as_chunks::<LANES>();
    let mut sum = 0.0;
    for (index, (block, labels)) in lanes.chunks_exact(own.dims).zip(labels).enumerate() {
        let (first, squares) = (index * LANES, own.squares(block, labels));
        let squares = squares.iter().take(piece.rows.saturating_sub(first));
        sum += match piece.weights {
            None => squares.sum::<f64>(),
            Some(_) => squares.enumerate().map(|(lane, square)| square * piece.weight(first + lane)).sum(),
        };
    }
    sum
}
