//! Rows moved one at a time, each where it lowers the cost of the whole grouping most, means and modes following at
//! once (Hartigan 1975, "Clustering algorithms", chapter 4, here with modes beside the means).
//!
//! A row that leaves takes its part of the mean with it, and one that comes may make its category the mode: so a move
//! can pay although the row's own prototype is the nearest, and what no move improves is also settled for rounds of
//! all rows at once, but not the other way round (Telgarsky and Vattani 2010, "Hartigan's method: k-means clustering
//! without Voronoi").

use std::ops::Range;

use super::{
    super::{
        distance::Label,
        matrix::{LANES, mul_add},
    },
    points::{Code, Prototypes, Row, apart},
    sums::{Space, Sums},
};
use crate::{
    Result,
    cancel::Cancel,
    parallel::{chunks, map_chunks},
    vector::{Fused, widest_fused},
};

/// Clusters side by side: one of the widest registers.
const SIDE: usize = 8;
/// One value for each of [`SIDE`] clusters.
type Side = [f64; SIDE];
/// Columns with more categories are not searched for a new mode whenever one loses a row; what a row saves by leaving
/// is then the least it may save.
const MOST_SEARCHED: usize = 1024;
/// Rows that are held against the clusters as they were before the first of them.
const CHUNK_ROWS: usize = 1 << 14;
/// Rows in one task.
const PIECE_ROWS: usize = 1 << 11;
/// A move must save this share of what the row costs, so that rounding cannot send rows round in circles.
const LEAST_SAVING: f64 = 1e-12;
/// A row beside which the rest of its cluster weighs less than this share stays: what it would save is as little, and
/// of the rest nothing but rounding would be left.
const LEAST_REST: f64 = 1e-12;

/// Goes through all rows once; how many of them moved.
pub(super) fn pass<C: Code>(
    space: &Space<'_, C>,
    state: &mut State,
    labels: &mut [Label],
    cancel: &Cancel,
) -> Result<usize> {
    let heaviest = space.weights.map_or(1.0, |weights| weights.iter().copied().fold(0.0, f64::max));
    let mut moved = 0;
    for rows in chunks(space.points.rows, CHUNK_ROWS) {
        // Most rows stay, and bounds tell of most of them, side by side; the others are asked in turn.
        let (bounds, own) = (state.bounds(space, heaviest), labels.get(rows.clone()).unwrap_or_default());
        let restless = map_chunks(rows.len(), PIECE_ROWS, cancel, |piece| {
            let (first, own) = (rows.start + piece.start, own.get(piece).unwrap_or_default());
            Ok(restless(space, &bounds, state.gamma, first, own))
        })?;
        moved += settle(space, state, &restless.concat(), labels);
    }
    Ok(moved)
}

/// Clusters as they are after the last move.
pub(super) struct State {
    gamma: f64,
    dims: usize,
    /// How many groups of [`SIDE`] clusters.
    groups: usize,
    /// Infinite where no cluster is.
    closed: Vec<Side>,
    counts: Vec<u64>,
    weights: Vec<Side>,
    /// Per group and dimension.
    means: Vec<Side>,
    /// Per category of every column, and group: the category's weight in each cluster.
    tallies: Vec<Side>,
    /// Per column and group: the weight of each cluster's mode.
    tops: Vec<Side>,
    /// Per column and cluster.
    modes: Vec<Mode>,
}

/// The mode of a column in a cluster.
#[derive(Clone, Copy, Default)]
struct Mode {
    code: usize,
    /// The weight of the next category.
    second: f64,
}

impl State {
    pub(super) fn new<C: Code>(space: &Space<'_, C>, prototypes: &Prototypes<C>, sums: &Sums) -> Self {
        let clusters = prototypes.each.len();
        let (dims, width, groups) = (space.points.dims, space.width(), clusters.div_ceil(SIDE));
        let columns = space.points.columns;
        let none = |many: usize| vec![[0.0; SIDE]; many];
        let mut state = Self {
            gamma: prototypes.gamma,
            dims,
            groups,
            closed: vec![[f64::INFINITY; SIDE]; groups],
            counts: sums.counts.clone(),
            weights: none(groups),
            means: none(groups * dims),
            tallies: none(width * groups),
            tops: none(columns * groups),
            modes: vec![Mode::default(); columns * clusters],
        };
        for (cluster, (prototype, weight)) in prototypes.each.iter().zip(&sums.weights).enumerate() {
            put(&mut state.closed, cluster / SIDE, cluster, 0.0);
            put(&mut state.weights, cluster / SIDE, cluster, *weight);
            for (dim, mean) in prototype.numbers.iter().enumerate() {
                put(&mut state.means, cluster / SIDE * dims + dim, cluster, *mean);
            }
            let tallies = sums.tallies.iter().skip(cluster * width).take(width);
            for (place, tally) in tallies.enumerate() {
                put(&mut state.tallies, place * groups + cluster / SIDE, cluster, *tally);
            }
            for (column, places) in space.columns.iter().enumerate() {
                state.search(column, places, cluster);
            }
        }
        state
    }

    /// What rows of up to this weight may come to in each cluster.
    fn bounds<C: Code>(&self, space: &Space<'_, C>, heaviest: f64) -> Vec<Bounds<C>> {
        let bounds = (0..self.clusters()).map(|cluster| {
            let sum = get(&self.weights, cluster / SIDE, cluster);
            let columns = 0..space.points.columns;
            let mode = |column| self.modes.get(column * self.clusters() + cluster).copied().unwrap_or_default();
            let top = |column| get(&self.tops, column * self.groups + cluster / SIDE, cluster);
            let tied = columns.clone().filter(|column| mode(*column).second + heaviest > top(*column)).count();
            Bounds {
                prototype: Row {
                    numbers: (0..self.dims).map(|dim| self.mean(dim, cluster)).collect(),
                    codes: columns.map(|column| C::new(mode(column).code)).collect(),
                },
                comes: sum / (sum + heaviest),
                leaves: if sum > heaviest { sum / (sum - heaviest) } else { f64::MAX },
                tied: self.gamma * tied as f64,
            }
        });
        bounds.collect()
    }

    fn clusters(&self) -> usize {
        self.counts.len()
    }

    /// Finds the mode of a column in a cluster, and the weight of the next category.
    fn search(&mut self, column: usize, places: &Range<usize>, cluster: usize) {
        let (mut mode, mut top) = (Mode { code: 0, second: 0.0 }, -1.0);
        for code in 0..places.len() {
            let tally = self.tally(places.start + code, cluster);
            if tally > top {
                mode = Mode { code, second: f64::max(top, 0.0) };
                top = tally;
            } else if tally > mode.second {
                mode.second = tally;
            }
        }
        let place = column * self.groups + cluster / SIDE;
        put(&mut self.tops, place, cluster, top.max(0.0));
        let place = column * self.clusters() + cluster;
        if let Some(slot) = self.modes.get_mut(place) {
            *slot = mode;
        }
    }

    #[inline]
    fn tally(&self, place: usize, cluster: usize) -> f64 {
        get(&self.tallies, place * self.groups + cluster / SIDE, cluster)
    }

    /// What the columns cost less when a row leaves its cluster.
    #[inline]
    fn saved(&self, codes: &[usize], columns: &[Range<usize>], cluster: usize, weight: f64) -> f64 {
        let mut saved = 0.0;
        for (column, (code, places)) in codes.iter().zip(columns).enumerate() {
            let mode = self.modes.get(column * self.clusters() + cluster).copied().unwrap_or_default();
            let top = get(&self.tops, column * self.groups + cluster / SIDE, cluster);
            saved += if places.len() > MOST_SEARCHED {
                let others = self.tally(places.start + mode.code, cluster);
                if *code != mode.code && self.tally(places.start + code, cluster) <= others { weight } else { 0.0 }
            } else if *code == mode.code {
                weight - f64::min(weight, top - mode.second)
            } else {
                weight
            };
        }
        saved
    }

    /// The squared distance of a row to a cluster's mean.
    #[inline]
    fn square(&self, numbers: &[f64], cluster: usize) -> f64 {
        let apart = numbers.iter().enumerate().map(|(dim, number)| number - self.mean(dim, cluster));
        apart.map(|apart| apart * apart).sum()
    }

    #[inline]
    fn mean(&self, dim: usize, cluster: usize) -> f64 {
        get(&self.means, cluster / SIDE * self.dims + dim, cluster)
    }

    /// Takes a row from one cluster into another.
    fn shift(
        &mut self,
        (numbers, codes): (&[f64], &[usize]),
        columns: &[Range<usize>],
        weight: f64,
        from: usize,
        into: usize,
    ) {
        for (cluster, weight) in [(from, -weight), (into, weight)] {
            let group = cluster / SIDE;
            let sum = get(&self.weights, group, cluster) + weight;
            put(&mut self.weights, group, cluster, sum);
            if let Some(count) = self.counts.get_mut(cluster) {
                *count = if weight > 0.0 { *count + 1 } else { *count - 1 };
            }
            for (dim, number) in numbers.iter().enumerate() {
                let place = group * self.dims + dim;
                let mean = get(&self.means, place, cluster);
                put(&mut self.means, place, cluster, mean + weight * (number - mean) / sum);
            }
            for (column, (code, places)) in codes.iter().zip(columns).enumerate() {
                self.count(column, *code, places, weight, cluster);
            }
        }
    }

    /// Counts a category of a column once more, or (by a weight below zero) no longer, in a cluster.
    fn count(&mut self, column: usize, code: usize, places: &Range<usize>, weight: f64, cluster: usize) {
        let place = (places.start + code) * self.groups + cluster / SIDE;
        let before = get(&self.tallies, place, cluster);
        let tally = before + weight;
        put(&mut self.tallies, place, cluster, tally);
        let top_place = column * self.groups + cluster / SIDE;
        let top = get(&self.tops, top_place, cluster);
        let mode_place = column * self.clusters() + cluster;
        let Some(mode) = self.modes.get_mut(mode_place) else { return };
        if weight < 0.0 {
            if places.len() <= MOST_SEARCHED && before >= mode.second {
                self.search(column, places, cluster);
            }
        } else if tally > top {
            if code != mode.code {
                *mode = Mode { code, second: top };
            }
            put(&mut self.tops, top_place, cluster, tally);
        } else if code != mode.code && tally > mode.second {
            mode.second = tally;
        }
    }
}

#[inline]
fn get(sides: &[Side], place: usize, cluster: usize) -> f64 {
    sides.get(place).and_then(|side| side.get(cluster % SIDE)).copied().unwrap_or(0.0)
}

#[inline]
fn put(sides: &mut [Side], place: usize, cluster: usize, value: f64) {
    if let Some(slot) = sides.get_mut(place).and_then(|side| side.get_mut(cluster % SIDE)) {
        *slot = value;
    }
}

/// What a row costs a cluster at least when it comes, and saves it at most when it leaves, per unit of weight.
struct Bounds<C> {
    prototype: Row<C>,
    /// Times the squared distance to the mean.
    comes: f64,
    leaves: f64,
    /// What columns whose mode one row may change could make of it.
    tied: f64,
}

widest_fused! {
    /// Which rows from `first` (the first of a block) on, that have these labels, may be better off elsewhere.
    fn restless[C: Code](
        space: &Space<'_, C>, bounds: &[Bounds<C>], gamma: f64, first: usize, labels: &[Label]
    ) -> Vec<usize> = restless_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn restless_each<C: Code, const F: bool>(
    fused: Fused<F>,
    space: &Space<'_, C>,
    bounds: &[Bounds<C>],
    gamma: f64,
    first: usize,
    labels: &[Label],
) -> Vec<usize> {
    let mut found = Vec::new();
    let piece = space.points.piece(first, labels.len());
    for (index, ((numbers, codes), labels)) in piece.blocks().zip(labels.chunks(LANES)).enumerate() {
        let mut own = [u64::MAX; LANES];
        own.iter_mut().zip(labels).for_each(|(own, label)| *own = u64::from(*label));
        let (mut least, mut most) = ([f64::INFINITY; LANES], [0.0; LANES]);
        for (cluster, bounds) in (0u64..).zip(bounds) {
            let (squares, unlike) = apart(fused, numbers, codes, &bounds.prototype);
            let lanes = least.iter_mut().zip(&mut most).zip(own);
            for (((least, most), own), (square, unlike)) in lanes.zip(squares.into_iter().zip(unlike)) {
                let comes = mul_add(fused, square, bounds.comes, gamma * unlike - bounds.tied);
                let leaves = mul_add(fused, square, bounds.leaves, gamma * unlike + bounds.tied);
                let here = own == cluster;
                *most = if here { leaves } else { *most };
                *least = if !here && comes < *least { comes } else { *least };
            }
        }
        let mut moves = [false; LANES];
        moves.iter_mut().zip(least.iter().zip(&most)).for_each(|(moves, (least, most))| *moves = least < most);
        if moves != [false; LANES] {
            found.extend(
                moves.iter().enumerate().filter(|(_, moves)| **moves).map(|(lane, _)| first + index * LANES + lane),
            );
        }
    }
    found
}

widest_fused! {
    /// Moves those of these rows that had better be elsewhere, one after the other; how many did.
    fn settle[C: Code](space: &Space<'_, C>, state: &mut State, rows: &[usize], labels: &mut [Label]) -> usize
        = settle_each;
}

#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn settle_each<C: Code, const F: bool>(
    fused: Fused<F>,
    space: &Space<'_, C>,
    state: &mut State,
    rows: &[usize],
    labels: &mut [Label],
) -> usize {
    let mut moved = 0;
    let mut row = Values::new(space);
    for index in rows {
        let Some(label) = labels.get_mut(*index) else { continue };
        let own = usize::from(*label);
        if let Some(into) = row.read(space, *index).better(fused, space, state, own) {
            state.shift((&row.numbers, &row.codes), &space.columns, row.weight, own, into);
            *label = into as Label;
            moved += 1;
        }
    }
    moved
}

/// What a row holds.
struct Values {
    numbers: Vec<f64>,
    codes: Vec<usize>,
    weight: f64,
}

impl Values {
    fn new<C: Code>(space: &Space<'_, C>) -> Self {
        Self { numbers: vec![0.0; space.points.dims], codes: vec![0; space.points.columns], weight: 0.0 }
    }

    #[allow(clippy::inline_always)] // the same
    #[inline(always)]
    fn read<C: Code>(&mut self, space: &Space<'_, C>, row: usize) -> &Self {
        let points = space.points;
        let place = |width: usize| row / LANES * width * LANES + row % LANES;
        let numbers = points.numbers.get(place(points.dims)..).unwrap_or_default();
        self.numbers.iter_mut().zip(numbers.iter().step_by(LANES)).for_each(|(own, number)| *own = *number);
        let codes = points.codes.get(place(points.columns)..).unwrap_or_default();
        self.codes.iter_mut().zip(codes.iter().step_by(LANES)).for_each(|(own, code)| *own = code.index());
        self.weight = space.weight(row);
        self
    }

    /// The cluster in which the row would lower the cost of the whole grouping most, if there is one.
    #[allow(clippy::inline_always)] // the same
    #[inline(always)]
    fn better<C: Code, const F: bool>(
        &self,
        fused: Fused<F>,
        space: &Space<'_, C>,
        state: &State,
        own: usize,
    ) -> Option<usize> {
        let Self { numbers, codes, weight } = self;
        if *weight == 0.0 || state.counts.get(own).is_none_or(|count| *count < 2) {
            return None;
        }
        let sum = get(&state.weights, own / SIDE, own);
        if sum - weight <= LEAST_REST * sum {
            return None;
        }
        let gain = weight * sum / (sum - weight) * state.square(numbers, own)
            + state.gamma * state.saved(codes, &space.columns, own, *weight);
        let (cost, into) = cheapest(fused, state, (numbers, codes), &space.columns, *weight, own);
        (cost < gain * (1.0 - LEAST_SAVING)).then_some(into)
    }
}

/// Which other cluster a row makes least dearer, and by how much; the first of equal ones.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn cheapest<const F: bool>(
    fused: Fused<F>,
    state: &State,
    (numbers, codes): (&[f64], &[usize]),
    columns: &[Range<usize>],
    weight: f64,
    own: usize,
) -> (f64, usize) {
    let mut best = (f64::INFINITY, own);
    for (group, (closed, weights)) in state.closed.iter().zip(&state.weights).enumerate() {
        let mut squares = [0.0; SIDE];
        for (means, number) in state.means.iter().skip(group * state.dims).zip(numbers) {
            for (square, mean) in squares.iter_mut().zip(means) {
                let apart = number - mean;
                *square = mul_add(fused, apart, apart, *square);
            }
        }
        let mut unlike = [0.0; SIDE];
        for (column, (code, places)) in codes.iter().zip(columns).enumerate() {
            let tallies = state.tallies.get((places.start + code) * state.groups + group);
            let tops = state.tops.get(column * state.groups + group);
            let (Some(tallies), Some(tops)) = (tallies, tops) else { continue };
            for ((unlike, tally), top) in unlike.iter_mut().zip(tallies).zip(tops) {
                let more = weight - (top - tally); // in this order a small weight counts beside a large one
                *unlike += weight - if more > 0.0 { more } else { 0.0 };
            }
        }
        let mut costs = *closed;
        for (((cost, square), unlike), sum) in costs.iter_mut().zip(squares).zip(unlike).zip(weights) {
            *cost = mul_add(fused, state.gamma, unlike, mul_add(fused, square, weight * sum / (sum + weight), *cost));
        }
        if let Some(cost) = (own / SIDE == group).then(|| costs.get_mut(own % SIDE)).flatten() {
            *cost = f64::INFINITY;
        }
        let cost = least(costs);
        if cost < best.0 {
            let lane = costs.iter().position(|each| *each == cost).unwrap_or(0);
            best = (cost, group * SIDE + lane);
        }
    }
    best
}

/// The least of some values, two halves at a time.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn least(mut side: Side) -> f64 {
    for half in [SIDE / 2, SIDE / 4, SIDE / 8] {
        let (low, high) = side.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            *low = if *high < *low { *high } else { *low };
        }
    }
    side[0]
}
