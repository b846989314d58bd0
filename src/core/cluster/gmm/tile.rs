//! Rows in the form the loops over them like: tiles of them, eight rows side by side.

use std::ops::{Deref, DerefMut};

use super::super::matrix::{LANES, Real};
use crate::vector::widest;

/// Numbers that begin where a cache line does: a load of eight then never touches two lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Aligned<const N: usize>(pub(super) [f64; N]);

impl<const N: usize> Aligned<N> {
    pub(super) const ZERO: Self = Self([0.0; N]);
}

impl<const N: usize> Deref for Aligned<N> {
    type Target = [f64; N];

    fn deref(&self) -> &[f64; N] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Aligned<N> {
    fn deref_mut(&mut self) -> &mut [f64; N] {
        &mut self.0
    }
}

/// Eight rows side by side.
pub(super) type Eight = Aligned<8>;
/// Rows in a tile: small enough for a first-level cache, and enough to keep sums in registers for a while.
pub(super) const TILE_ROWS: usize = 256;
/// Groups of eight rows in a tile.
pub(super) const EIGHTS: usize = TILE_ROWS / 8;
/// One number per row of a tile.
pub(super) type Tile = Aligned<TILE_ROWS>;

widest! {
    /// Fills a tile from blocks of points; zeros beyond the last block.
    pub(super) fn load[T: Real](blocks: &[T], dims: usize, rows: &mut [Eight]) = load_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn load_each<T: Real>(blocks: &[T], dims: usize, rows: &mut [Eight]) {
    let (lanes, _) = blocks.as_chunks::<LANES>();
    let mut blocks = lanes.chunks_exact(dims);
    for two in rows.chunks_exact_mut(2 * dims) {
        let Some(block) = blocks.next() else {
            two.fill(Eight::ZERO);
            continue;
        };
        let (one, other) = two.split_at_mut(dims);
        for ((lanes, one), other) in block.iter().zip(one).zip(other) {
            one.iter_mut().chain(other.iter_mut()).zip(lanes).for_each(|(slot, value)| *slot = value.to_f64());
        }
    }
}
