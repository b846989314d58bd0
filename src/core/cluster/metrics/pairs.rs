//! The distances of all rows to all groups, each pair of rows measured once for both of them: what
//! [`super::silhouette`] does row by row, in half the time. The room for sums grows with rows times groups.

use std::ops::Range;

use super::{
    super::{distance::squares, matrix::LANES},
    silhouette::Group,
};
use crate::{
    Result,
    cancel::Cancel,
    parallel::{chunks, map_each},
    vector::{Fused, widest_fused},
};

/// Rows of one group that are measured together; a multiple of the lanes.
const TILE_ROWS: usize = 256;

/// Some rows of one group.
struct Tile<'a> {
    group: usize,
    /// Their places among all rows, group after group.
    places: Range<usize>,
    blocks: &'a [f64],
}

impl Tile<'_> {
    /// The sums of the distances of these rows to those of the other, and of those to these.
    fn distances(&self, other: &Self, dims: usize) -> (Vec<f64>, Vec<f64>) {
        let mut points = vec![0.0; self.places.len() * dims];
        for (row, point) in points.chunks_exact_mut(dims).enumerate() {
            let values = self.blocks.iter().skip(row / LANES * dims * LANES + row % LANES).step_by(LANES);
            point.iter_mut().zip(values).for_each(|(slot, value)| *slot = *value);
        }
        let mut sums = vec![0.0; self.places.len()];
        let mut others = vec![[0.0; LANES]; other.places.len().div_ceil(LANES)];
        measure(&points, dims, other.blocks, other.places.len(), &mut sums, &mut others);
        (sums, others.into_flattened())
    }
}

/// The sum of every row's distances to every group: group after group, and in each all rows in the order of the groups.
pub(super) fn sums(groups: &[Group], dims: usize, cancel: &Cancel) -> Result<Vec<f64>> {
    let mut tiles = Vec::new();
    let mut rows = 0;
    for (number, group) in groups.iter().enumerate() {
        let blocks = group.blocks.chunks(TILE_ROWS * dims);
        for (part, blocks) in chunks(group.rows, TILE_ROWS).zip(blocks) {
            tiles.push(Tile { group: number, places: rows + part.start..rows + part.end, blocks });
        }
        rows += group.rows;
    }
    let mut sums = vec![0.0; rows * groups.len()];
    let mut add = |tile: &Tile<'_>, group: usize, more: &[f64]| {
        let places = group * rows + tile.places.start..group * rows + tile.places.end;
        sums.get_mut(places).unwrap_or_default().iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    };
    // Tiles stand in a ring: with those one step on, two steps on ... to half way round, every pair comes once, and in
    // every round a tile has two partners at most, so that sums are added in an order that no thread decides.
    for apart in 0..=tiles.len() / 2 {
        let first_half = 2 * apart == tiles.len();
        let pairs: Vec<_> = tiles.iter().zip(tiles.iter().cycle().skip(apart)).collect();
        let pairs = pairs.get(..if first_half { apart } else { tiles.len() }).unwrap_or_default();
        let found = map_each(pairs, cancel, |(tile, other)| Ok(tile.distances(other, dims)))?;
        for ((tile, other), (own, others)) in pairs.iter().zip(&found) {
            add(tile, other.group, own);
            if apart > 0 {
                add(other, tile.group, others);
            }
        }
    }
    Ok(sums)
}

widest_fused! {
    /// Adds the distances of points, one behind the other, and of `rows` points in blocks to the sums of both.
    fn measure[](
        points: &[f64], dims: usize, blocks: &[f64], rows: usize, sums: &mut [f64], others: &mut [[f64; LANES]],
    ) = measure_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn measure_each<const F: bool>(
    fused: Fused<F>,
    points: &[f64],
    dims: usize,
    blocks: &[f64],
    rows: usize,
    sums: &mut [f64],
    others: &mut [[f64; LANES]],
) {
    let (lanes, _) = blocks.as_chunks::<LANES>();
    for (point, total) in points.chunks_exact(dims).zip(sums) {
        let mut own = [0.0; LANES];
        let mut last = 0.0;
        for (index, (block, other)) in lanes.chunks_exact(dims).zip(others.iter_mut()).enumerate() {
            let apart = squares(fused, block, point).map(f64::sqrt);
            other.iter_mut().zip(apart).for_each(|(sum, apart)| *sum += apart);
            let used = rows - index * LANES;
            if used >= LANES {
                own.iter_mut().zip(apart).for_each(|(sum, apart)| *sum += apart);
            } else {
                last = apart.iter().take(used).sum();
            }
        }
        *total += last + own.iter().sum::<f64>();
    }
}
