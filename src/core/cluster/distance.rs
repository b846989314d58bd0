//! The nearest centre of each point: of `|x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x.c)` only the bracket depends on the
//! centre, so the smallest bracket wins; of equal ones the first centre's.

use super::{
    inertia::{Own, inertia},
    matrix::{LANES, Real, flagged, mul_add},
    second::Second,
    sums::Sums,
};
use crate::vector::{Fused, widest_fused};

/// A cluster's number.
pub(super) type Label = u16;

/// How many clusters have a number.
pub(super) const MOST_CLUSTERS: usize = 1 << 16;

/// Centres as the loops want them: two by two, half the squared length of each before its negated coordinates.
#[derive(Debug)]
pub(super) struct Centres<T> {
    pairs: Vec<[T; 2]>,
    dims: usize,
}

impl<T: Real> Centres<T> {
    /// From one centre behind the other.
    pub(super) fn new(centres: &[T], dims: usize) -> Self {
        let half = |centre: &[T]| T::from_f64(centre.iter().map(|c| c.to_f64() * c.to_f64()).sum::<f64>() / 2.0);
        let mut pairs = Vec::with_capacity(centres.len().div_ceil(2 * dims) * (dims + 1));
        for pair in centres.chunks(2 * dims) {
            let (one, other) = pair.split_at(dims.min(pair.len()));
            // A centre that is not there is farther than all that are.
            pairs.push([half(one), if other.is_empty() { T::INFINITY } else { half(other) }]);
            let other = other.iter().copied().chain(std::iter::repeat(T::default()));
            pairs.extend(one.iter().zip(other).map(|(a, b)| [T::default() - *a, T::default() - b]));
        }
        Self { pairs, dims }
    }
}

/// The number of dimensions where it is known when compiling, else 0: small loops unroll and points stay in registers.
#[derive(Clone, Copy)]
struct Known<const D: usize>;

/// Calls a function with the number of dimensions known where it is small.
macro_rules! known {
    ($dims:expr, $known:ident => $call:expr) => {
        known!($dims, $known => $call; 1 2 3 4 5 6)
    };
    ($dims:expr, $known:ident => $call:expr; $($small:literal)*) => {
        match $dims {
            $($small => {
                let $known = Known::<$small>;
                $call
            })*
            _ => {
                let $known = Known::<0>;
                $call
            }
        }
    };
}
/// A piece of the points, with its own part of labels and weights (`None`: each weighs 1).
#[derive(Debug)]
pub(super) struct Piece<'a, T> {
    pub(super) blocks: &'a [T],
    /// One per point, and as many more as fill the last block.
    pub(super) labels: &'a mut [Label],
    pub(super) weights: Option<&'a [f64]>,
    pub(super) rows: usize,
    pub(super) sums: Sums,
    /// By how much each point's second nearest centre is farther than its nearest; empty where nobody asks.
    pub(super) margins: &'a mut [f32],
}

impl<T: Real> Piece<'_, T> {
    /// Labels every point with its nearest centre; with `track` the sums tell what changed by that.
    pub(super) fn assign(&mut self, centres: &Centres<T>, track: bool) {
        let nothing = Second::<false>::default();
        known!(centres.dims, dims => assign(dims, nothing, self, centres, track));
    }

    /// The same with each point's margin.
    pub(super) fn assign_and_measure(&mut self, centres: &Centres<T>, track: bool, second: Second<true>) {
        known!(centres.dims, dims => assign(dims, second, self, centres, track));
    }

    /// The sums of all points, by their labels; how many of them moved stays.
    pub(super) fn sum_up(&mut self, dims: usize) {
        let moved = std::mem::take(&mut self.sums.moved);
        self.sums.clear();
        self.sums.moved = moved;
        known!(dims, known => sum_up(known, self, dims));
    }

    /// The weighted sum of squared distances to the centres of the labels.
    pub(super) fn inertia(&self, centres: &[T], dims: usize) -> f64 {
        inertia(self, &Own::new(centres, dims))
    }

    /// What a point weighs.
    pub(super) fn weight(&self, row: usize) -> f64 {
        weight(self.weights, row)
    }

    /// One point.
    pub(super) fn point(&self, row: usize, dims: usize) -> Vec<f64> {
        let first = row / LANES * dims * LANES + row % LANES;
        self.blocks.iter().skip(first).step_by(LANES).take(dims).map(|value| value.to_f64()).collect()
    }

    /// The squared distance of each point to the centre of its label.
    pub(super) fn distances(&self, centres: &[T], dims: usize) -> impl Iterator<Item = f64> {
        let own = Own::new(centres, dims);
        let (lanes, _) = self.blocks.as_chunks::<LANES>();
        let (labels, _) = self.labels.as_chunks::<LANES>();
        let labelled = lanes.chunks_exact(dims).zip(labels);
        labelled.flat_map(move |(block, labels)| own.squares(block, labels)).take(self.rows)
    }
}

#[inline]
fn weight(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0))
}

widest_fused! {
    fn assign[T: Real, const D: usize, const S: bool](
        known: Known<D>, second: Second<S>, piece: &mut Piece<'_, T>, centres: &Centres<T>, track: bool
    ) = assign_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn assign_each<T: Real, const F: bool, const D: usize, const S: bool>(
    fused: Fused<F>,
    _: Known<D>,
    second: Second<S>,
    piece: &mut Piece<'_, T>,
    centres: &Centres<T>,
    track: bool,
) {
    let dims = if D == 0 { centres.dims } else { D };
    piece.sums.clear();
    let (lanes, _) = piece.blocks.as_chunks::<LANES>();
    let (labels, _) = piece.labels.as_chunks_mut::<LANES>();
    let (margins, _) = piece.margins.as_chunks_mut::<LANES>();
    let mut changes =
        Changes::<S> { weights: piece.weights, rows: piece.rows, sums: &mut piece.sums, margins, second, track };
    let step = if T::PAIRED { 2 } else { 1 };
    // There may be more labels than points.
    for (index, (blocks, labels)) in lanes.chunks(step * dims).zip(labels.chunks_mut(step)).enumerate() {
        let index = index * step;
        match (blocks.split_at_checked(dims), labels) {
            (Some((first, second)), [one, other]) if second.len() == dims => {
                let [a, b] = nearest_of_two::<T, F, S>(fused, [first, second], centres, dims);
                changes.settle(fused, index, first, one, a);
                changes.settle(fused, index + 1, second, other, b);
            }
            (_, [one, ..]) => {
                let nearest = nearest::<T, F, S>(fused, blocks, centres, dims);
                changes.settle(fused, index, blocks, one, nearest);
            }
            _ => {}
        }
    }
}

/// What becomes of the nearest centres.
struct Changes<'a, const S: bool> {
    weights: Option<&'a [f64]>,
    rows: usize,
    sums: &'a mut Sums,
    margins: &'a mut [[f32; LANES]],
    second: Second<S>,
    track: bool,
}

impl<const S: bool> Changes<'_, S> {
    /// Labels the points of one block; the sums are told of those that move.
    #[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
    #[inline(always)]
    fn settle<T: Real, const F: bool>(
        &mut self,
        fused: Fused<F>,
        index: usize,
        block: &[[T; LANES]],
        labels: &mut [Label; LANES],
        nearest: Nearest<T, S>,
    ) {
        if S && let Some(margins) = self.margins.get_mut(index) {
            *margins = self.second.margins(fused, block, &nearest);
        }
        let mut new = [0; LANES];
        new.iter_mut().zip(nearest.place).for_each(|(new, index)| *new = T::place(index));
        if self.track && new != *labels {
            let rows = self.rows.saturating_sub(index * LANES);
            let changed = std::array::from_fn(|lane| lane < rows && labels.get(lane) != new.get(lane));
            for lane in flagged(changed) {
                let Some((old, new)) = labels.get(lane).zip(new.get(lane)) else { break };
                let weight = weight(self.weights, index * LANES + lane);
                let count = i64::from(weight > 0.0);
                self.sums.put(usize::from(*old), block, lane, -weight, -count);
                self.sums.put(usize::from(*new), block, lane, weight, count);
                self.sums.moved += 1;
            }
        }
        *labels = new;
    }
}

fn sum_up<T: Real, const D: usize>(_: Known<D>, piece: &mut Piece<'_, T>, dims: usize) {
    let dims = if D == 0 { dims } else { D };
    let (lanes, _) = piece.blocks.as_chunks::<LANES>();
    for (index, (block, labels)) in lanes.chunks_exact(dims).zip(piece.labels.chunks(LANES)).enumerate() {
        let rows = piece.rows.saturating_sub(index * LANES);
        for (lane, label) in labels.iter().take(rows).enumerate() {
            let weight = weight(piece.weights, index * LANES + lane);
            piece.sums.put(usize::from(*label), block, lane, weight, i64::from(weight > 0.0));
        }
    }
}

/// The nearest centre so far of each point of a block, its bracket and, where sought, that of the second nearest.
#[derive(Clone, Copy)]
pub(super) struct Nearest<T: Real, const S: bool> {
    pub(super) bracket: [T; LANES],
    place: [T::Index; LANES],
    pub(super) second: [T; LANES],
}

impl<T: Real, const S: bool> Nearest<T, S> {
    #[allow(clippy::inline_always)] // the same
    #[inline(always)]
    fn new() -> Self {
        Self { bracket: [T::INFINITY; LANES], place: [T::Index::default(); LANES], second: [T::INFINITY; LANES] }
    }

    /// Takes the nearer of two centres where it is nearer than all before.
    #[allow(clippy::inline_always)] // the same
    #[inline(always)]
    fn update(&mut self, brackets: ([T; LANES], [T; LANES]), places: (T::Index, T::Index)) {
        let Self { bracket, place, second } = self;
        let all = bracket.iter_mut().zip(place).zip(second).zip(brackets.0).zip(brackets.1);
        for ((((best, place), second), one), other) in all {
            let (nearer, farther, which) = if other < one { (other, one, places.1) } else { (one, other, places.0) };
            let better = nearer < *best;
            if S {
                *second = least(*second, least(farther, if better { *best } else { nearer }));
            }
            *best = if better { nearer } else { *best };
            *place = if better { which } else { *place };
        }
    }
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn least<T: Real>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

/// Adds one coordinate of a block's points times that of a centre.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn add_product<T: Real, const F: bool>(fused: Fused<F>, sums: &mut [T; LANES], values: &[T; LANES], coordinate: T) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = mul_add(fused, *value, coordinate, *sum);
    }
}

/// Which centre is nearest to each point of a block.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn nearest<T: Real, const F: bool, const S: bool>(
    fused: Fused<F>,
    block: &[[T; LANES]],
    centres: &Centres<T>,
    dims: usize,
) -> Nearest<T, S> {
    let mut nearest = Nearest::new();
    let (mut even, mut odd) = (T::Index::from(0), T::Index::from(1));
    for pair in centres.pairs.chunks_exact(dims + 1) {
        let Some(([half, other_half], coordinates)) = pair.split_first() else { break };
        let (mut one, mut other) = ([*half; LANES], [*other_half; LANES]);
        for (values, [c, other_c]) in block.iter().zip(coordinates) {
            add_product(fused, &mut one, values, *c);
            add_product(fused, &mut other, values, *other_c);
        }
        nearest.update((one, other), (even, odd));
        even += T::Index::from(2);
        odd += T::Index::from(2);
    }
    nearest
}

/// The same of two blocks at once. (As arrays of blocks the compiler would not keep them in registers.)
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn nearest_of_two<T: Real, const F: bool, const S: bool>(
    fused: Fused<F>,
    blocks: [&[[T; LANES]]; 2],
    centres: &Centres<T>,
    dims: usize,
) -> [Nearest<T, S>; 2] {
    let [a, b] = blocks;
    let (mut nearest_a, mut nearest_b) = (Nearest::new(), Nearest::new());
    let (mut even, mut odd) = (T::Index::from(0), T::Index::from(1));
    for pair in centres.pairs.chunks_exact(dims + 1) {
        let Some(([half, other_half], coordinates)) = pair.split_first() else { break };
        let (mut one_a, mut other_a) = ([*half; LANES], [*other_half; LANES]);
        let (mut one_b, mut other_b) = (one_a, other_a);
        for ((a, b), [c, other_c]) in a.iter().zip(b).zip(coordinates) {
            add_product(fused, &mut one_a, a, *c);
            add_product(fused, &mut other_a, a, *other_c);
            add_product(fused, &mut one_b, b, *c);
            add_product(fused, &mut other_b, b, *other_c);
        }
        nearest_a.update((one_a, other_a), (even, odd));
        nearest_b.update((one_b, other_b), (even, odd));
        even += T::Index::from(2);
        odd += T::Index::from(2);
    }
    [nearest_a, nearest_b]
}

/// The squared distances of the points of a block to one centre.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
pub(super) fn squares<T: Real, const F: bool>(fused: Fused<F>, block: &[[T; LANES]], centre: &[T]) -> [T; LANES] {
    let mut squares = [T::default(); LANES];
    for (values, c) in block.iter().zip(centre) {
        for (square, value) in squares.iter_mut().zip(values) {
            let apart = *value - *c;
            *square = mul_add(fused, apart, apart, *square);
        }
    }
    squares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cancel::Cancel,
        cluster::{matrix::Matrix, pack::Packed},
        vector::tests::on_every_width,
    };

    /// What one piece makes of points, the slow way: the first nearest centre by the definition.
    fn oracle(points: &[Vec<f64>], centres: &[Vec<f64>]) -> Vec<usize> {
        let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let nearest = |point: &Vec<f64>| {
            let squares: Vec<f64> = centres.iter().map(|centre| square(point, centre)).collect();
            (0..centres.len()).fold(0, |best, next| if squares[next] < squares[best] { next } else { best })
        };
        points.iter().map(nearest).collect()
    }

    fn check<T: Real>(points: &[Vec<f64>], centres: &[Vec<f64>], weights: Option<&[f64]>) {
        let dims = centres[0].len();
        let flat = |rows: &[Vec<f64>]| rows.iter().flatten().map(|value| T::from_f64(*value)).collect::<Vec<T>>();
        let values = flat(points);
        let matrix = Matrix::new(&values, points.len(), dims, false).unwrap();
        let packed = Packed::new(&matrix, &vec![T::default(); dims], &Cancel::new()).unwrap();
        let table = Centres::new(&flat(centres), dims);
        let wanted = oracle(points, centres);
        let mut labels = vec![0; points.len().next_multiple_of(LANES) + LANES]; // predict's room is larger than its last piece
        let sums = Sums::new(centres.len(), dims);
        let mut piece =
            Piece { blocks: &packed.values, labels: &mut labels, weights, rows: points.len(), sums, margins: &mut [] };
        // From labels that are all 0, the changes must lead to the sums of the labels found.
        piece.sum_up(dims);
        let mut changed = piece.sums.clone();
        piece.assign(&table, true);
        changed.add(&piece.sums);
        let found: Vec<usize> = piece.labels.iter().take(points.len()).map(|label| usize::from(*label)).collect();
        assert_eq!(found, wanted);
        assert_eq!(changed.moved, wanted.iter().filter(|label| **label != 0).count());
        piece.sum_up(dims);
        assert_eq!(
            (&changed.totals, &changed.weights, &changed.counts),
            (&piece.sums.totals, &piece.sums.weights, &piece.sums.counts)
        );
        let inertia: f64 = points
            .iter()
            .zip(&wanted)
            .enumerate()
            .map(|(row, (point, label))| {
                let square = point.iter().zip(&centres[*label]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
                square * weights.map_or(1.0, |weights| weights[row])
            })
            .sum();
        assert_eq!(piece.inertia(&flat(centres), dims), inertia);
    }

    proptest! {
        // Whole numbers: every product and sum is exact, so every width must find the same, ties included.
        #[test]
        fn every_width_and_kind_finds_the_first_nearest_centre(
            (points, centres, weights) in (1usize..12).prop_flat_map(|dims| {
                let row = prop::collection::vec((-8i32..8).prop_map(f64::from), dims);
                (
                    prop::collection::vec(row.clone(), 1..70),
                    prop::collection::vec(row, 1..9),
                    prop::collection::vec((0i32..3).prop_map(f64::from), 70),
                )
            })
        ) {
            on_every_width(|| {
                check::<f64>(&points, &centres, None);
                check::<f64>(&points, &centres, Some(&weights));
                check::<f32>(&points, &centres, Some(&weights));
            });
        }
    }

    #[test]
    fn three_hundred_clusters_have_numbers() {
        let points: Vec<Vec<f64>> = (0..1000).map(|value| vec![f64::from(value)]).collect();
        let centres: Vec<Vec<f64>> = (0..300).map(|value| vec![f64::from(value) * 3.0]).collect();
        on_every_width(|| check::<f64>(&points, &centres, None));
    }
}
