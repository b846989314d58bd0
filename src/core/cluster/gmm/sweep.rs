//! One pass over all rows: how much of each row belongs to each component, and the moments of the components by that.
//!
//! Rows are taken in tiles, and every loop runs over eight rows at once. Moments are measured from a centre per
//! component, so that squares do not cancel; chunks have sums of their own, added in the chunks' order.

use std::ops::{Deref, DerefMut};

use super::super::{
    distance::Label,
    matrix::{LANES, Real},
    pack::Packed,
};
use crate::{
    Result,
    cancel::Cancel,
    math::exp::exp,
    parallel::{chunks, map_each_with},
    random::Random,
    vector::{Fused, widest, widest_fused},
};

/// Numbers that begin where a cache line does: a load of eight then never touches two lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Aligned<const N: usize>([f64; N]);

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
const EIGHTS: usize = TILE_ROWS / 8;
/// One number per row of a tile.
pub(super) type Tile = Aligned<TILE_ROWS>;
/// Chunks whose sums stand side by side before they are added.
const CHUNKS: usize = 64;
/// Stands for a density so small that it is none; its own differences are still numbers.
const NONE: f64 = -1e300;
/// Sums of the products of two coordinates with four.
const BLOCK: usize = 8;

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

/// Who says how much of a row belongs to a component.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shares<'a> {
    /// The densities.
    Model(&'a Table),
    /// Each row belongs to one component.
    Labels(&'a [Label]),
    /// Chance: one stream per tile, from a stream number on.
    Random(u64, u64),
}

/// Weighted sums over rows, per component, of what they are apart from its centre.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    pub(super) weights: Vec<f64>,
    /// `dims` per component.
    pub(super) firsts: Vec<f64>,
    /// Squares per dimension, or the products of all pairs of dimensions, row after row.
    pub(super) seconds: Vec<f64>,
    /// The logarithm of the density of all rows together.
    pub(super) log_likelihood: f64,
}

impl Moments {
    pub(super) fn new(components: usize, dims: usize, axes: bool) -> Self {
        Self {
            weights: vec![0.0; components],
            firsts: vec![0.0; components * dims],
            seconds: vec![0.0; components * dims * if axes { 1 } else { dims }],
            log_likelihood: 0.0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(sum, more)| *sum += more);
        self.firsts.iter_mut().zip(&other.firsts).for_each(|(sum, more)| *sum += more);
        self.seconds.iter_mut().zip(&other.seconds).for_each(|(sum, more)| *sum += more);
        self.log_likelihood += other.log_likelihood;
    }
}

/// What all passes of a fit share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep<'a, T> {
    pub(super) packed: &'a Packed<T>,
    pub(super) components: usize,
    /// Whether only squares are wanted, not products of different dimensions.
    pub(super) axes: bool,
    pub(super) cancel: &'a Cancel,
}

impl<T: Real> Sweep<'_, T> {
    /// The moments of all rows, measured from one centre per component.
    pub(super) fn moments(&self, shares: Shares<'_>, centres: &[f64]) -> Result<Moments> {
        let dims = self.packed.dims;
        let mut all = Moments::new(self.components, dims, self.axes);
        let ranges: Vec<_> = chunks(self.packed.rows, rows_per_chunk(self.components, dims)).collect();
        for ranges in ranges.chunks(CHUNKS) {
            let room = || Room::new(self.components, dims, self.axes);
            let parts = map_each_with(ranges, self.cancel, room, |room, range| {
                room.sums.fill(Eight::ZERO);
                let mut log_likelihood = 0.0;
                for first in range.clone().step_by(TILE_ROWS) {
                    let rows = (range.end - first).min(TILE_ROWS);
                    load(self.packed.values.get(first * dims..).unwrap_or(&[]), dims, &mut room.rows);
                    log_likelihood += share(shares, first, rows, room);
                    let own = room.shares.iter().zip(centres.chunks_exact(dims));
                    let sums = room.sums.chunks_exact_mut(sums_per_component(dims, self.axes));
                    for ((shares, centre), sums) in own.zip(sums) {
                        if self.axes {
                            add_squares(&room.rows, centre, shares, sums);
                        } else {
                            add_products(&room.rows, centre, shares, (&mut room.apart, &mut room.weighted), sums);
                        }
                    }
                }
                Ok(room.gather(dims, self.axes, log_likelihood))
            })?;
            parts.iter().for_each(|part| all.add(part));
        }
        Ok(all)
    }
}

/// Rows in one task, whatever the number of threads: some milliseconds of work.
pub(super) fn rows_per_chunk(components: usize, dims: usize) -> usize {
    ((1 << 22) / (components * dims * (dims + 8)).max(1)).clamp(1 << 10, 1 << 14).next_multiple_of(TILE_ROWS)
}

/// Sums of eight rows each that a component keeps.
fn sums_per_component(dims: usize, axes: bool) -> usize {
    if axes { 2 * dims + 1 } else { (0..=dims / 2).map(|pair| (2 * pair + 1) / 4 + 1).sum::<usize>() * BLOCK }
}

/// Coordinates and a one, filled up to whole groups of four.
fn width(dims: usize) -> usize {
    (dims + 1).next_multiple_of(4)
}

/// Groups of eight rows whose products are added together: what they are apart, and that weighted, stay in a
/// first-level cache while block after block runs over them.
fn eights_at_once(dims: usize) -> usize {
    (192 / width(dims)).clamp(4, EIGHTS)
}

/// What one task works with.
struct Room {
    /// Eight rows after eight rows, dimension by dimension.
    rows: Vec<Eight>,
    /// Per component, how much of each row belongs to it.
    shares: Vec<Tile>,
    /// What rows are apart from a centre, then a one, then zeros that fill a group of four; and the same, weighted.
    apart: Vec<Eight>,
    weighted: Vec<Eight>,
    sums: Vec<Eight>,
}

impl Room {
    fn new(components: usize, dims: usize, axes: bool) -> Self {
        let wide = width(dims);
        let mut apart = vec![Eight::ZERO; if axes { 0 } else { eights_at_once(dims) * wide }];
        apart.iter_mut().skip(dims).step_by(wide).for_each(|ones| **ones = [1.0; 8]);
        Self {
            rows: vec![Eight::ZERO; EIGHTS * dims],
            shares: vec![Tile::ZERO; components],
            weighted: vec![Eight::ZERO; apart.len()],
            apart,
            sums: vec![Eight::ZERO; components * sums_per_component(dims, axes)],
        }
    }

    /// The sums of eight rows each put together.
    fn gather(&self, dims: usize, axes: bool, log_likelihood: f64) -> Moments {
        let mut all = Moments::new(self.shares.len(), dims, axes);
        all.log_likelihood = log_likelihood;
        let own = all.weights.iter_mut().zip(all.firsts.chunks_exact_mut(dims));
        let own = own.zip(all.seconds.chunks_exact_mut(if axes { dims } else { dims * dims }));
        for (((weight, first), second), sums) in own.zip(self.sums.chunks_exact(sums_per_component(dims, axes))) {
            let mut sums = sums.iter().map(|eight| eight.iter().sum::<f64>());
            if axes {
                first.iter_mut().zip(second).for_each(|(first, second)| {
                    *first = sums.next().unwrap_or(0.0);
                    *second = sums.next().unwrap_or(0.0);
                });
                *weight = sums.next().unwrap_or(0.0);
                continue;
            }
            for pair in 0..=dims / 2 {
                for four in 0..=(2 * pair + 1) / 4 {
                    for (row, column) in (0..2).flat_map(|a| (0..4).map(move |b| (2 * pair + a, 4 * four + b))) {
                        let sum = sums.next().unwrap_or(0.0);
                        let slot = match (row == dims, column == dims) {
                            (true, true) => Some(&mut *weight),
                            (true, false) => first.get_mut(column),
                            _ if row < dims && column <= row => second.get_mut(row * dims + column),
                            _ => None,
                        };
                        if let Some(slot) = slot {
                            *slot = sum;
                        }
                    }
                }
            }
            for row in 0..dims {
                for column in 0..row {
                    let value = second.get(row * dims + column).copied().unwrap_or(0.0);
                    if let Some(slot) = second.get_mut(column * dims + row) {
                        *slot = value;
                    }
                }
            }
        }
        all
    }
}

/// Fills the shares of a tile's rows, none beyond its end; says how likely its rows are.
fn share(shares: Shares<'_>, first: usize, rows: usize, room: &mut Room) -> f64 {
    match shares {
        Shares::Model(table) => {
            log_densities(table, &room.rows, &mut room.weighted, &mut room.shares);
            return soften(&mut room.shares, rows, None);
        }
        Shares::Labels(labels) => {
            room.shares.iter_mut().for_each(|tile| tile.fill(0.0));
            for (row, label) in labels.iter().skip(first).take(rows).enumerate() {
                if let Some(slot) = room.shares.get_mut(usize::from(*label)).and_then(|tile| tile.get_mut(row)) {
                    *slot = 1.0;
                }
            }
        }
        Shares::Random(seed, stream) => {
            let mut random = Random::stream(seed, stream + (first / TILE_ROWS) as u64);
            room.shares.iter_mut().for_each(|tile| tile.fill(0.0));
            for row in 0..rows {
                let mut slots: Vec<_> = room.shares.iter_mut().filter_map(|tile| tile.get_mut(row)).collect();
                slots.iter_mut().for_each(|slot| **slot = random.uniform());
                let sum: f64 = slots.iter().map(|slot| **slot).sum();
                slots.into_iter().for_each(|slot| *slot /= sum.max(f64::MIN_POSITIVE));
            }
        }
    }
    0.0
}

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

widest_fused! {
    /// The logarithm of the weighted density of each component at each row of a tile. `apart` is room for eight rows.
    pub(super) fn log_densities[](table: &Table, rows: &[Eight], apart: &mut [Eight], logs: &mut [Tile]) = log_densities_each;
}

#[allow(clippy::inline_always)] // the same
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

widest_fused! {
    /// Adds first moments and squares, two sums per dimension, and the shares.
    fn add_squares[](rows: &[Eight], centre: &[f64], shares: &Tile, sums: &mut [Eight]) = add_squares_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn add_squares_each<const F: bool>(fused: Fused<F>, rows: &[Eight], centre: &[f64], shares: &Tile, sums: &mut [Eight]) {
    let (shares, _) = shares.as_chunks::<8>();
    let dims = centre.len();
    let (pairs, rest) = sums.as_chunks_mut::<2>();
    for (dim, (centre, pair)) in centre.iter().zip(pairs).enumerate() {
        let [mut first, mut second] = pair.map(|sums| sums.0);
        for (share, values) in shares.iter().zip(rows.iter().skip(dim).step_by(dims)) {
            for (((first, second), share), value) in first.iter_mut().zip(&mut second).zip(share).zip(values.iter()) {
                let apart = value - centre;
                let weighted = share * apart;
                *first += weighted;
                *second = fused.mul_add(weighted, apart, *second);
            }
        }
        *pair = [Aligned(first), Aligned(second)];
    }
    for weight in rest {
        for share in shares {
            weight.iter_mut().zip(share).for_each(|(weight, share)| *weight += share);
        }
    }
}

widest_fused! {
    /// Adds the products of all pairs of coordinates, of which the last is a one: that makes first moments and the
    /// sum of the shares, too.
    fn add_products[](
        rows: &[Eight], centre: &[f64], shares: &Tile, room: (&mut [Eight], &mut [Eight]), sums: &mut [Eight]
    ) = add_products_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn add_products_each<const F: bool>(
    fused: Fused<F>,
    rows: &[Eight],
    centre: &[f64],
    shares: &Tile,
    (apart, weighted): (&mut [Eight], &mut [Eight]),
    sums: &mut [Eight],
) {
    let (shares, _) = shares.as_chunks::<8>();
    let dims = centre.len();
    let wide = width(dims);
    let step = eights_at_once(dims);
    for (rows, shares) in rows.chunks(step * dims).zip(shares.chunks(step)) {
        let eights = apart.chunks_exact_mut(wide).zip(weighted.chunks_exact_mut(wide));
        for (((apart, weighted), row), share) in eights.zip(rows.chunks_exact(dims)).zip(shares) {
            for (((apart, weighted), values), centre) in apart.iter_mut().zip(&mut *weighted).zip(row).zip(centre) {
                let lanes = apart.iter_mut().zip(weighted.iter_mut()).zip(values.iter()).zip(share);
                for (((apart, weighted), value), share) in lanes {
                    *apart = value - centre;
                    *weighted = *apart * share;
                }
            }
            if let Some(last) = weighted.get_mut(dims) {
                **last = *share;
            }
        }
        let used = shares.len() * wide;
        add_blocks(fused, dims, apart.get(..used).unwrap_or(&[]), weighted.get(..used).unwrap_or(&[]), sums);
    }
}

/// Adds the products of what `apart` and `weighted` hold, block by block.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn add_blocks<const F: bool>(fused: Fused<F>, dims: usize, apart: &[Eight], weighted: &[Eight], sums: &mut [Eight]) {
    let wide = width(dims);
    let (mut blocks, _) = sums.as_chunks_mut::<BLOCK>();
    for pair in 0..=dims / 2 {
        let (own, rest) = blocks.split_at_mut(((2 * pair + 1) / 4 + 1).min(blocks.len()));
        blocks = rest;
        for (four, block) in own.iter_mut().enumerate() {
            let mut sums = block.map(|sums| sums.0);
            for (apart, weighted) in apart.chunks_exact(wide).zip(weighted.chunks_exact(wide)) {
                let two = weighted.get(2 * pair..).and_then(<[Eight]>::first_chunk::<2>);
                let fours = apart.get(4 * four..).and_then(<[Eight]>::first_chunk::<4>);
                let (Some(two), Some(fours)) = (two, fours) else { break };
                for (sums, left) in sums.as_chunks_mut::<4>().0.iter_mut().zip(two) {
                    for (sums, right) in sums.iter_mut().zip(fours) {
                        for ((sum, left), right) in sums.iter_mut().zip(left.iter()).zip(right.iter()) {
                            *sum = fused.mul_add(*left, *right, *sum);
                        }
                    }
                }
            }
            *block = sums.map(Aligned);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{cluster::matrix::Matrix, vector::tests::on_every_width};

    /// The log densities of one row, by the definition.
    fn logs(row: &[f64], means: &[Vec<f64>], roots: &[f64], heights: &[f64], axes: bool) -> Vec<f64> {
        let dims = row.len();
        let one = |(component, mean): (usize, &Vec<f64>)| {
            let turned = (0..dims).map(|j| {
                let element = |i: usize| match axes {
                    true => f64::from(u8::from(i == j)) * roots[component * dims + j],
                    false => roots[(component * dims + i) * dims + j],
                };
                (0..dims).map(|i| (row[i] - mean[i]) * element(i)).sum::<f64>()
            });
            heights[component] - 0.5 * turned.map(|turned| turned * turned).sum::<f64>()
        };
        means.iter().enumerate().map(one).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-10 * (1.0 + b.abs())
    }

    fn check(rows: &[Vec<f64>], means: &[Vec<f64>], elements: &[f64], axes: bool) {
        let (dims, components) = (rows[0].len(), means.len());
        let flat = rows.concat();
        let matrix = Matrix::new(&flat, rows.len(), dims, false).unwrap();
        let cancel = Cancel::new();
        let packed = Packed::new(&matrix, &vec![0.0; dims], &cancel).unwrap();
        let mut roots = elements[..components * dims * if axes { 1 } else { dims }].to_vec();
        if !axes {
            for (place, root) in roots.iter_mut().enumerate() {
                if place / dims % dims > place % dims {
                    *root = 0.0;
                }
            }
        }
        let heights = elements[..components].to_vec();
        let table = Table {
            dims,
            means: means.concat(),
            roots: if axes { Roots::Axes(roots.clone()) } else { Roots::triangles(&roots, dims) },
            heights: heights.clone(),
        };
        let centres: Vec<f64> = means.concat().iter().map(|mean| mean + 0.5).collect();
        let mut wanted = Moments::new(components, dims, axes);
        for row in rows {
            let logs = logs(row, means, &roots, &heights, axes);
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logs.iter().map(|log| (log - top).exp()).sum();
            wanted.log_likelihood += top + sum.ln();
            for (component, log) in logs.iter().enumerate() {
                let share = (log - top).exp() / sum;
                wanted.weights[component] += share;
                for i in 0..dims {
                    let apart = |i: usize| row[i] - centres[component * dims + i];
                    wanted.firsts[component * dims + i] += share * apart(i);
                    if axes {
                        wanted.seconds[component * dims + i] += share * apart(i) * apart(i);
                        continue;
                    }
                    for j in 0..dims {
                        wanted.seconds[(component * dims + i) * dims + j] += share * apart(i) * apart(j);
                    }
                }
            }
        }
        on_every_width(|| {
            let sweep = Sweep { packed: &packed, components, axes, cancel: &cancel };
            let found = sweep.moments(Shares::Model(&table), &centres).unwrap();
            assert!(close(found.log_likelihood, wanted.log_likelihood));
            for (found, wanted) in
                [(&found.weights, &wanted.weights), (&found.firsts, &wanted.firsts), (&found.seconds, &wanted.seconds)]
            {
                assert!(found.iter().zip(wanted).all(|(found, wanted)| close(*found, *wanted)), "{found:?} {wanted:?}");
            }
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_width_sums_what_the_definition_says(
            (rows, means, elements) in (1usize..10, 1usize..5).prop_flat_map(|(dims, components)| (
                prop::collection::vec(prop::collection::vec(-3.0..3.0f64, dims), 1..600),
                prop::collection::vec(prop::collection::vec(-2.0..2.0f64, dims), components),
                prop::collection::vec(0.1..1.5f64, components * dims * dims),
            ))
        ) {
            check(&rows, &means, &elements, false);
            check(&rows, &means, &elements, true);
        }
    }

    #[test]
    fn a_row_beyond_all_densities_leaves_numbers() {
        let mut tiles = vec![Aligned([NONE; TILE_ROWS]); 3];
        let total = soften(&mut tiles, 1, None);
        assert_eq!(total, NONE);
        assert!((tiles[0][0] - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(tiles[0][1], 0.0);
    }
}
