//! One-dimensional k-means, the true optimum: the clusters of sorted values are intervals, so dynamic programming
//! over cuts finds the best ones (Wang and Song 2011, "Ckmeans.1d.dp", The R Journal 3(2)), and because the best
//! cut never moves back, each row is filled by divide and conquer in O(d log d) for d distinct values.

use std::ops::Range;

use crate::{
    Error, Result,
    cancel::Cancel,
    measure::{Measure, Piece},
};

/// Below this many cells a row's halves are filled on one thread.
const ONE_THREAD: usize = 2048;
/// The table of cuts may have this many entries (1 GB).
const MOST_CELLS: usize = 1 << 28;

/// The inner edges: halfway between neighbouring cluster means, so a new value joins the nearest mean.
///
/// With fewer distinct values than bins every value is a cluster and the last edge is repeated: the highest value
/// still scores best. A single distinct value is every edge, and scores lowest.
pub(super) fn edges(measure: &Measure<'_>, pieces: &[Piece], n_bins: usize, cancel: &Cancel) -> Result<Vec<f64>> {
    let mut values = measure.present(pieces)?;
    cancel.check()?;
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, f64)> = Vec::new();
    for value in values {
        match distinct.last_mut() {
            Some((last, weight)) if *last == value => *weight += 1.0,
            _ => distinct.push((value + 0.0, 1.0)),
        }
    }
    let Some(&(lowest, _)) = distinct.first() else {
        return Err(measure.nothing());
    };
    let clusters = n_bins.min(distinct.len());
    if clusters.saturating_mul(distinct.len()) > MOST_CELLS {
        return Err(Error::input(format!(
            "column '{}' has {} distinct values, too many for strategy=\"kmeans\" with {n_bins} bins; \
             round the values, ask for fewer bins or use strategy=\"quantile\"",
            measure.name,
            distinct.len()
        )));
    }
    let starts = best_starts(&distinct, clusters, cancel)?;
    let mut edges: Vec<f64> = starts.iter().skip(1).filter_map(|&start| edge(&distinct, &starts, start)).collect();
    let last = edges.last().copied().unwrap_or(lowest);
    edges.resize(n_bins - 1, last);
    Ok(edges)
}

/// The edge below the cluster that begins at `start`.
fn edge(distinct: &[(f64, f64)], starts: &[usize], start: usize) -> Option<f64> {
    let position = starts.binary_search(&start).ok()?;
    let before = *starts.get(position.checked_sub(1)?)?;
    let end = starts.get(position + 1).copied().unwrap_or(distinct.len());
    let (low, high) = (mean(distinct.get(before..start)?), mean(distinct.get(start..end)?));
    let (below, above) = (distinct.get(start - 1)?.0, distinct.get(start)?.0);
    // Rounding must not carry the edge beyond the values it separates.
    Some((low / 2.0 + high / 2.0).clamp(below, above.next_down()))
}

fn mean(cluster: &[(f64, f64)]) -> f64 {
    let first = cluster.first().map_or(0.0, |value| value.0);
    let weight: f64 = cluster.iter().map(|value| value.1).sum();
    // Shares before the sum, and only the distance from the first value, so that nothing overflows.
    first + cluster.iter().map(|value| (value.0 - first) * (value.1 / weight)).sum::<f64>()
}

/// Where each of `clusters` clusters begins in the best partition; of equally good ones, the one with earlier cuts.
fn best_starts(distinct: &[(f64, f64)], clusters: usize, cancel: &Cancel) -> Result<Vec<usize>> {
    let costs = Costs::new(distinct);
    let len = distinct.len();
    let mut best: Vec<f64> = (0..len).map(|end| costs.of(0, end)).collect();
    let mut cuts: Vec<Vec<u32>> = Vec::with_capacity(clusters);
    for cluster in 1..clusters {
        cancel.check()?;
        let mut row = Row { best: vec![f64::INFINITY; len], cut: vec![0; len] };
        let (Some(row_best), Some(row_cut)) = (row.best.get_mut(cluster..), row.cut.get_mut(cluster..)) else { break };
        Fill { costs: &costs, before: &best, cancel }.stretch(row_best, row_cut, cluster, cluster..len)?;
        best = row.best;
        cuts.push(row.cut);
    }
    let mut starts = vec![0];
    let mut end = len - 1;
    for cut in cuts.iter().rev() {
        let start = cut.get(end).map_or(0, |&start| start as usize);
        starts.push(start);
        end = start.saturating_sub(1);
    }
    starts.sort_unstable();
    Ok(starts)
}

/// For every last value: the cost of the best partition up to it, and where its last cluster begins.
struct Row {
    best: Vec<f64>,
    cut: Vec<u32>,
}

/// What filling a row needs of the row before.
struct Fill<'a> {
    costs: &'a Costs,
    before: &'a [f64],
    cancel: &'a Cancel,
}

impl Fill<'_> {
    /// Fills a stretch of a row whose first element belongs to value `first`; the last cluster begins within `starts`.
    fn stretch(&self, best: &mut [f64], cut: &mut [u32], first: usize, starts: Range<usize>) -> Result<()> {
        let middle = best.len() / 2;
        let end = first + middle;
        let (mut lowest, mut found) = (f64::INFINITY, starts.start);
        let candidates = self.before.get(starts.start - 1..starts.end.min(end + 1) - 1).unwrap_or(&[]);
        for (start, before) in (starts.start..).zip(candidates) {
            let total = before + self.costs.of(start, end);
            if total < lowest {
                (lowest, found) = (total, start);
            }
        }
        let (best_left, best_right) = best.split_at_mut(middle);
        let (cut_left, cut_right) = cut.split_at_mut(middle);
        let (Some((best, best_right)), Some((cut, cut_right))) =
            (best_right.split_first_mut(), cut_right.split_first_mut())
        else {
            return Ok(()); // the stretch is empty
        };
        (*best, *cut) = (lowest, found as u32);
        let left = |best, cut| self.stretch(best, cut, first, starts.start..found + 1);
        let right = |best, cut| self.stretch(best, cut, end + 1, found..starts.end);
        if best_left.len() < ONE_THREAD {
            left(best_left, cut_left)?;
            return right(best_right, cut_right);
        }
        self.cancel.check()?;
        let (left, right) = rayon::join(|| left(best_left, cut_left), || right(best_right, cut_right));
        left.and(right)
    }
}

/// Sums of squared distances from the mean of any interval, by prefix sums.
///
/// Values are taken from the middle one and scaled to at most 1: squares of large, close values would drown their
/// differences, and squares of huge ones would overflow. Both leave the best cuts where they are.
struct Costs {
    /// Weight, weighted sum and weighted sum of squares of all values before.
    sums: Vec<(f64, f64, f64)>,
}

impl Costs {
    fn new(distinct: &[(f64, f64)]) -> Self {
        let middle = distinct.get(distinct.len() / 2).map_or(0.0, |value| value.0);
        let far = distinct.iter().map(|value| (value.0 / 2.0 - middle / 2.0).abs()).fold(0.0, f64::max);
        let (mut weights, mut values, mut squares) = (0.0, 0.0, 0.0);
        let mut sums = vec![(0.0, 0.0, 0.0)];
        for &(value, weight) in distinct {
            let value = if far > 0.0 { (value / 2.0 - middle / 2.0) / far } else { 0.0 };
            weights += weight;
            values += weight * value;
            squares += weight * value * value;
            sums.push((weights, values, squares));
        }
        Self { sums }
    }

    /// The cost of a cluster of the values `start..=end`.
    #[inline]
    fn of(&self, start: usize, end: usize) -> f64 {
        let (Some(from), Some(to)) = (self.sums.get(start), self.sums.get(end + 1)) else { return f64::INFINITY };
        let (weight, sum) = (to.0 - from.0, to.1 - from.1);
        ((to.2 - from.2) - sum * sum / weight).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(distinct: &[(f64, f64)]) -> f64 {
        let mean = mean(distinct);
        distinct.iter().map(|(value, weight)| weight * (value - mean).powi(2)).sum()
    }

    /// The least cost over every way to cut.
    fn brute_force(distinct: &[(f64, f64)], clusters: usize) -> f64 {
        if clusters == 1 {
            return cost(distinct);
        }
        (clusters - 1..distinct.len())
            .map(|start| brute_force(&distinct[..start], clusters - 1) + cost(&distinct[start..]))
            .fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn no_partition_is_better(
            values in prop::collection::btree_map(-200i32..200, 1u8..9, 1..11), clusters in 1usize..5,
            shift in prop_oneof![Just(0.0), Just(1e9)],
        ) {
            let distinct: Vec<_> = values.iter().map(|(&v, &w)| (f64::from(v) / 7.0 + shift, f64::from(w))).collect();
            let clusters = clusters.min(distinct.len());
            let starts = best_starts(&distinct, clusters, &Cancel::new()).unwrap();
            prop_assert_eq!(starts.len(), clusters);
            let ends = starts.iter().skip(1).copied().chain([distinct.len()]);
            let found: f64 = starts.iter().zip(ends).map(|(&start, end)| cost(&distinct[start..end])).sum();
            prop_assert!(found <= brute_force(&distinct, clusters) * (1.0 + 1e-6) + 1e-9);
        }
    }

    #[test]
    fn huge_values_do_not_overflow() {
        let distinct = [(-f64::MAX, 1.0), (-1.7e308, 1.0), (1.7e308, 1.0), (f64::MAX, 1.0)];
        assert_eq!(best_starts(&distinct, 2, &Cancel::new()).unwrap(), [0, 2]);
    }
}
