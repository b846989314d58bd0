//! How dense components are at the rows of a tile, and what that makes of a row's membership.

use super::tile::{Aligned, Eight, TILE_ROWS, Tile};
use crate::{
    math::exp::exp,
    vector::{Fused, widest_fused},
};

/// Stands for a density so small that it is none; its own differences are still numbers.
const NONE: f64 = -1e300;
/// The densities of components as the loops want them.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) dims: usize,
    /// One mean behind the other.
    pub(super) means: Vec<f64>,
    pub(super) roots: Roots,
    /// The logarithm of each component's weighted density at its mean.
    pub(super) heights: Vec<f64>,
}

/// The roots P of the precisions P Pᵀ.
#[derive(Debug)]
pub(super) enum Roots {
    /// The diagonals, one behind the other.
    Axes(Vec<f64>),
    /// Upper triangles, four columns at a time: for each row that is not zero in them, four elements.
    Triangles(Vec<[f64; 4]>),
}

impl Roots {
    /// Square matrices, row after row, as [`Roots::Triangles`].
    pub(super) fn triangles(matrices: &[f64], dims: usize) -> Self {
        let mut fours = Vec::new();
        for matrix in matrices.chunks_exact(dims * dims) {
            for first in (0..dims).step_by(4) {
                for row in matrix.chunks_exact(dims).take(first + 4) {
                    let mut four = [0.0; 4];
                    four.iter_mut().zip(row.iter().skip(first)).for_each(|(slot, value)| *slot = *value);
                    fours.push(four);
                }
            }
        }
        Self::Triangles(fours)
    }
}

widest_fused! {
    /// The logarithm of the weighted density of each component at each row of a tile. `apart` is room for eight rows.
    pub(super) fn log_densities[](table: &Table, rows: &[Eight], apart: &mut [Eight], logs: &mut [Tile]) = log_densities_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn log_densities_each<const F: bool>(
    fused: Fused<F>,
    table: &Table,
    rows: &[Eight],
    apart: &mut [Eight],
    logs: &mut [Tile],
) {
    let dims = table.dims;
    let own = table.means.chunks_exact(dims).zip(&table.heights).zip(logs).enumerate();
    for (component, ((mean, height), logs)) in own {
        let (logs, _) = logs.as_chunks_mut::<8>();
        match &table.roots {
            Roots::Axes(roots) => {
                let root = roots.get(component * dims..(component + 1) * dims).unwrap_or(&[]);
                for (row, log) in rows.chunks_exact(dims).zip(logs) {
                    let mut square = [0.0; 8];
                    for ((values, mean), root) in row.iter().zip(mean).zip(root) {
                        for (square, value) in square.iter_mut().zip(values.iter()) {
                            let apart = (value - mean) * root;
                            *square = fused.mul_add(apart, apart, *square);
                        }
                    }
                    *log = log_density(fused, *height, square);
                }
            }
            Roots::Triangles(roots) => {
                let size = roots.len() / table.heights.len();
                let root = roots.get(component * size..(component + 1) * size).unwrap_or(&[]);
                let apart = apart.get_mut(..dims).unwrap_or(&mut []);
                for (row, log) in rows.chunks_exact(dims).zip(logs) {
                    for ((apart, values), mean) in apart.iter_mut().zip(row).zip(mean) {
                        apart.iter_mut().zip(values.iter()).for_each(|(apart, value)| *apart = value - mean);
                    }
                    *log = log_density(fused, *height, square(fused, apart, root));
                }
            }
        }
    }
}

/// The squared length of eight rows times a triangle.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn square<const F: bool>(fused: Fused<F>, apart: &[Eight], mut root: &[[f64; 4]]) -> [f64; 8] {
    let mut square = [0.0; 8];
    let mut rows = 0;
    while !root.is_empty() {
        rows = (rows + 4).min(apart.len());
        let (four, rest) = root.split_at(rows.min(root.len()));
        root = rest;
        let mut turned = [[0.0; 8]; 4];
        for (values, elements) in apart.iter().zip(four) {
            for (turned, element) in turned.iter_mut().zip(elements) {
                for (turned, value) in turned.iter_mut().zip(values.iter()) {
                    *turned = fused.mul_add(*value, *element, *turned);
                }
            }
        }
        for turned in turned {
            for (square, turned) in square.iter_mut().zip(turned) {
                *square = fused.mul_add(turned, turned, *square);
            }
        }
    }
    square
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn log_density<const F: bool>(fused: Fused<F>, height: f64, square: [f64; 8]) -> [f64; 8] {
    square.map(|square| {
        let log = fused.mul_add(square, -0.5, height);
        if log > NONE { log } else { NONE }
    })
}

widest_fused! {
    /// Turns logarithms of densities into shares that add up to one in each row (log-sum-exp), none beyond the last
    /// row; gives the logarithm of the density of all rows together, and where there is room of each.
    pub(super) fn soften[](logs: &mut [Tile], rows: usize, each: Option<&mut Tile>) -> f64 = soften_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn soften_each<const F: bool>(fused: Fused<F>, logs: &mut [Tile], rows: usize, each: Option<&mut Tile>) -> f64 {
    let mut tops = Aligned([NONE; TILE_ROWS]);
    for logs in &*logs {
        tops.iter_mut().zip(logs.iter()).for_each(|(top, log)| *top = if log > top { *log } else { *top });
    }
    let mut sums = Tile::ZERO;
    for logs in &mut *logs {
        for ((log, top), sum) in logs.iter_mut().zip(tops.iter()).zip(sums.iter_mut()) {
            *log = exp(fused, *log - top);
            *sum += *log;
        }
    }
    tops.iter_mut().zip(sums.iter_mut()).skip(rows).for_each(|(top, sum)| (*top, *sum) = (0.0, 1.0));
    if let Some(each) = each {
        each.iter_mut().zip(tops.iter()).zip(sums.iter()).for_each(|((each, top), sum)| *each = top + sum.ln());
    }
    // One logarithm for 32 rows: a sum is at most the number of components, so their product is a number.
    let (mut total, mut products) = ([0.0; 8], [1.0; 8]);
    for (tops, sums) in tops.as_chunks::<8>().0.iter().zip(sums.as_chunks::<8>().0) {
        total.iter_mut().zip(tops).for_each(|(total, top)| *total += top);
        products.iter_mut().zip(sums).for_each(|(product, sum)| *product *= sum);
    }
    sums.iter_mut().for_each(|sum| *sum = 1.0 / *sum);
    sums.iter_mut().skip(rows).for_each(|sum| *sum = 0.0);
    for logs in logs {
        logs.iter_mut().zip(sums.iter()).for_each(|(log, sum)| *log *= sum);
    }
    total.iter().sum::<f64>() + products.iter().map(|product| product.ln()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_beyond_all_densities_leaves_numbers() {
        let mut tiles = vec![Aligned([NONE; TILE_ROWS]); 3];
        let total = soften(&mut tiles, 1, None);
        assert_eq!(total, NONE);
        assert!((tiles[0][0] - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(tiles[0][1], 0.0);
    }
}
