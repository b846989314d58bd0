//! The sums that clusters' means are made of.

use super::matrix::{LANES, Real};

/// What the points that changed their cluster change in its sums.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    /// The weighted sum of the points of each cluster.
    pub(super) totals: Vec<f64>,
    /// Their weight.
    pub(super) weights: Vec<f64>,
    /// How many of them have a weight above zero.
    pub(super) counts: Vec<i64>,
    /// How many points changed their cluster.
    pub(super) moved: usize,
}

impl Sums {
    pub(super) fn new(clusters: usize, dims: usize) -> Self {
        Self { totals: vec![0.0; clusters * dims], weights: vec![0.0; clusters], counts: vec![0; clusters], moved: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.totals.fill(0.0);
        self.weights.fill(0.0);
        self.counts.fill(0);
        self.moved = 0;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.totals.iter_mut().zip(&other.totals).for_each(|(sum, more)| *sum += more);
        self.weights.iter_mut().zip(&other.weights).for_each(|(sum, more)| *sum += more);
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, more)| *sum += more);
        self.moved += other.moved;
    }

    /// Moves one point from a cluster into an empty one.
    pub(super) fn shift(&mut self, point: &[f64], weight: f64, from: usize, into: usize) {
        let dims = point.len();
        for (dim, value) in point.iter().enumerate() {
            if let Some(total) = self.totals.get_mut(from * dims + dim) {
                *total -= weight * value;
            }
            if let Some(total) = self.totals.get_mut(into * dims + dim) {
                *total = weight * value;
            }
        }
        for (cluster, sign) in [(from, -1), (into, 1)] {
            if let (Some(sum), Some(count)) = (self.weights.get_mut(cluster), self.counts.get_mut(cluster)) {
                *count += sign;
                *sum = if *count == 0 { 0.0 } else { *sum + f64::from(sign as i32) * weight };
            }
        }
    }

    /// Adds `weight` times the point in `lane` of a block to a cluster.
    #[allow(clippy::inline_always)] // the number of dimensions is known where it is called
    #[inline(always)]
    pub(super) fn put<T: Real>(&mut self, cluster: usize, block: &[[T; LANES]], lane: usize, weight: f64, count: i64) {
        let first = cluster * block.len();
        if let Some(totals) = self.totals.get_mut(first..first + block.len()) {
            for (total, lanes) in totals.iter_mut().zip(block) {
                *total += weight * lanes.get(lane).map_or(0.0, |value| value.to_f64());
            }
        }
        if let (Some(sum), Some(number)) = (self.weights.get_mut(cluster), self.counts.get_mut(cluster)) {
            *sum += weight;
            *number += count;
        }
    }
}
