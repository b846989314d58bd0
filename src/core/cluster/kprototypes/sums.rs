//! What the rows of each cluster come to: their weight, their numbers and how often each category occurs; and the
//! prototypes that follow from it.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    super::{distance::Label, matrix::LANES},
    points::{Code, Piece, Points, Prototypes, Row},
};
use crate::{Result, cancel::Cancel, parallel::map_each_with};

/// Rows per task, where tallies are small.
const PIECE_ROWS: usize = 1 << 14;
/// How many tallies all tasks together may keep.
const MOST_TALLIES: usize = 1 << 23;

/// Points, and what each weighs (`None`: 1).
#[derive(Debug, Clone)]
pub(super) struct Space<'a, C> {
    pub(super) points: &'a Points<C>,
    pub(super) weights: Option<&'a [f64]>,
    /// Where the tallies of each column stand.
    pub(super) columns: Vec<Range<usize>>,
}

impl<'a, C: Code> Space<'a, C> {
    pub(super) fn new(points: &'a Points<C>, weights: Option<&'a [f64]>, categories: &[usize]) -> Self {
        let mut end = 0;
        let columns = categories.iter().map(|count| {
            end += count;
            end - count..end
        });
        Self { points, weights, columns: columns.collect() }
    }

    /// How many categories all columns have together.
    pub(super) fn width(&self) -> usize {
        self.columns.last().map_or(0, |last| last.end)
    }

    #[inline]
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0))
    }

    /// Rows per task when every task keeps tallies of its own: whatever the number of threads.
    fn rows_per_piece(&self, clusters: usize) -> usize {
        let pieces = (MOST_TALLIES / (clusters * self.width()).max(1)).clamp(1, 256);
        self.points.rows.div_ceil(pieces).max(PIECE_ROWS).next_multiple_of(LANES)
    }

    /// Lets `work` see every piece of the points with its labels and costs, and adds up what each piece comes to.
    pub(super) fn sums(
        &self,
        prototypes: &Prototypes<C>,
        labels: &mut [Label],
        least: &mut [f64],
        work: impl Fn(Piece<'_, C>, &mut [Label], &mut [f64]) -> usize + Sync,
        cancel: &Cancel,
    ) -> Result<Sums> {
        let step = self.rows_per_piece(prototypes.each.len());
        let pieces = labels.par_chunks_mut(step).zip(least.par_chunks_mut(step)).enumerate();
        let none = || Sums::new(prototypes.each.len(), self.points.dims, self.width());
        let each = map_each_with(
            pieces,
            cancel,
            || (),
            |(), (index, (labels, least))| {
                let mut sums = none();
                let piece = self.points.piece(index * step, step);
                sums.moved = work(piece, labels, least);
                sums.add_piece(self, piece, labels, index * step, prototypes);
                Ok(sums)
            },
        )?;
        let mut sums = none();
        for piece in &each {
            sums.add(piece);
        }
        Ok(sums)
    }
}

/// What clusters come to.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    /// Their weight.
    pub(super) weights: Vec<f64>,
    /// How many of their rows have a weight above zero.
    pub(super) counts: Vec<u64>,
    /// The weighted sums of the ways from the prototype's numbers to the rows': so nothing is lost far from zero.
    totals: Vec<f64>,
    /// The weight of each category, column after column, cluster after cluster.
    pub(super) tallies: Vec<f64>,
    /// How many rows changed their cluster.
    pub(super) moved: usize,
}

impl Sums {
    fn new(clusters: usize, dims: usize, width: usize) -> Self {
        Self {
            weights: vec![0.0; clusters],
            counts: vec![0; clusters],
            totals: vec![0.0; clusters * dims],
            tallies: vec![0.0; clusters * width],
            moved: 0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(sum, more)| *sum += more);
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, more)| *sum += more);
        self.totals.iter_mut().zip(&other.totals).for_each(|(sum, more)| *sum += more);
        self.tallies.iter_mut().zip(&other.tallies).for_each(|(sum, more)| *sum += more);
        self.moved += other.moved;
    }

    fn add_piece<C: Code>(
        &mut self,
        space: &Space<'_, C>,
        piece: Piece<'_, C>,
        labels: &[Label],
        first: usize,
        prototypes: &Prototypes<C>,
    ) {
        let (dims, width) = (space.points.dims, space.width());
        for (index, ((numbers, codes), labels)) in piece.blocks().zip(labels.chunks(LANES)).enumerate() {
            let rows = piece.rows - index * LANES;
            for (lane, label) in labels.iter().map(|label| usize::from(*label)).enumerate().take(rows) {
                let weight = space.weight(first + index * LANES + lane);
                if let (Some(sum), Some(count)) = (self.weights.get_mut(label), self.counts.get_mut(label)) {
                    *sum += weight;
                    *count += u64::from(weight > 0.0);
                }
                let base = prototypes.each.get(label).map_or(&[][..], |prototype| &prototype.numbers);
                let totals = self.totals.get_mut(label * dims..).unwrap_or_default();
                for ((total, lanes), base) in totals.iter_mut().zip(numbers).zip(base) {
                    *total += weight * (lanes.get(lane).copied().unwrap_or(0.0) - base);
                }
                let tallies = self.tallies.get_mut(label * width..).unwrap_or_default();
                for (lanes, column) in codes.iter().zip(&space.columns) {
                    let code = lanes.get(lane).map_or(0, |code| code.index());
                    if let Some(tally) = tallies.get_mut(column.start + code) {
                        *tally += weight;
                    }
                }
            }
        }
    }

    /// Takes one row out of its cluster and makes it the only one of an empty cluster, its prototype too.
    pub(super) fn found<C: Code>(
        &mut self,
        space: &Space<'_, C>,
        prototypes: &mut Prototypes<C>,
        row: usize,
        (from, into): (usize, usize),
    ) {
        let (dims, width) = (space.points.dims, space.width());
        let (weight, values) = (space.weight(row), space.points.row(row));
        let base = prototypes.each.get(from).map_or(&[][..], |prototype| &prototype.numbers);
        let totals = self.totals.get_mut(from * dims..).unwrap_or_default();
        for ((total, value), base) in totals.iter_mut().zip(&values.numbers).zip(base) {
            *total -= weight * (value - base);
        }
        for (cluster, weight) in [(from, -weight), (into, weight)] {
            let places = values.codes.iter().zip(&space.columns).map(|(code, column)| column.start + code.index());
            for place in places {
                if let Some(tally) = self.tallies.get_mut(cluster * width + place) {
                    *tally += weight;
                }
            }
            if let (Some(sum), Some(count)) = (self.weights.get_mut(cluster), self.counts.get_mut(cluster)) {
                *sum += weight;
                *count = if weight > 0.0 { *count + 1 } else { *count - 1 };
            }
        }
        self.moved += 1;
        if let Some(prototype) = prototypes.each.get_mut(into) {
            *prototype = values;
        }
    }

    /// Moves prototypes to the means and modes of their clusters. A mode changes only to a category that weighs more;
    /// of equal ones to the first. Prototypes without a row stay.
    pub(super) fn update<C: Code>(&self, space: &Space<'_, C>, prototypes: &mut Prototypes<C>) {
        let (dims, width) = (space.points.dims, space.width());
        for (cluster, prototype) in prototypes.each.iter_mut().enumerate() {
            let weight = self.weights.get(cluster).copied().unwrap_or(0.0);
            if self.counts.get(cluster).is_none_or(|count| *count == 0) {
                continue;
            }
            let totals = self.totals.get(cluster * dims..).unwrap_or(&[]);
            prototype.numbers.iter_mut().zip(totals).for_each(|(number, total)| *number += total / weight);
            let tallies = self.tallies.get(cluster * width..(cluster + 1) * width).unwrap_or(&[]);
            update_modes(prototype, tallies, &space.columns);
        }
    }
}

fn update_modes<C: Code>(prototype: &mut Row<C>, tallies: &[f64], columns: &[Range<usize>]) {
    for (mode, column) in prototype.codes.iter_mut().zip(columns) {
        let tallies = tallies.get(column.clone()).unwrap_or(&[]);
        let mut most = tallies.get(mode.index()).copied().unwrap_or(-1.0);
        for (code, tally) in tallies.iter().enumerate() {
            if *tally > most {
                most = *tally;
                *mode = C::new(code);
            }
        }
    }
}
