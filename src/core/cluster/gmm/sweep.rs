//! One pass over all rows: how much of each row belongs to each component, and the moments of the components by that.
//!
//! Rows are taken in tiles, and every loop runs over eight rows at once. Moments are measured from a centre per
//! component, so that squares do not cancel; chunks have sums of their own, added in the chunks' order.

use super::{
    super::{distance::Label, matrix::Real, pack::Packed},
    density::{Table, log_densities, soften},
    tile::{Aligned, EIGHTS, Eight, TILE_ROWS, Tile, load},
};
use crate::{
    Result,
    cancel::Cancel,
    parallel::{chunks, map_each_with},
    random::Random,
    vector::{Fused, widest_fused},
};

/// Chunks whose sums stand side by side before they are added.
const CHUNKS: usize = 64;
/// Sums of the products of two coordinates with four.
const BLOCK: usize = 8;

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
pub(super) struct Sweep<'a, T: Real> {
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
            for part in &parts {
                all.add(part);
            }
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
                let mut sum = f64::MIN_POSITIVE;
                for slot in &mut slots {
                    **slot = random.uniform();
                    sum += **slot;
                }
                for slot in slots {
                    *slot /= sum;
                }
            }
        }
    }
    0.0
}

widest_fused! {
    /// Adds first moments and squares, two sums per dimension, and the shares.
    fn add_squares[](rows: &[Eight], centre: &[f64], shares: &Tile, sums: &mut [Eight]) = add_squares_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
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
    use crate::{
        cluster::{gmm::density::Roots, matrix::Matrix},
        vector::tests::on_every_width,
    };

    /// The log densities of one row, by the definition.
    fn logs(row: &[f64], means: &[Vec<f64>], roots: &[f64], heights: &[f64], axes: bool) -> Vec<f64> {
        let dims = row.len();
        let one = |(component, mean): (usize, &Vec<f64>)| {
            let turned = (0..dims).map(|j| {
                let element = |i: usize| {
                    if axes {
                        f64::from(u8::from(i == j)) * roots[component * dims + j]
                    } else {
                        roots[(component * dims + i) * dims + j]
                    }
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
}
