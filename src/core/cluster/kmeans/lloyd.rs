//! Lloyd's rounds: label every point, move every centre to the mean of its points, until nothing moves.
//!
//! From one round to the next only the points that changed their cluster change the sums; now and then the sums are
//! made anew, so that rounding cannot add up. Every piece of points has sums of its own, added in the pieces' order.

use super::super::{
    distance::{Centres, Label, Piece, Sums},
    matrix::{LANES, Real},
};
use super::seed::Points;
use crate::{
    Result,
    cancel::Cancel,
    parallel::{for_each_mut, map_each, map_each_with},
};

/// So many rounds may change the sums before they are made anew.
const ROUNDS: usize = 32;

/// When rounds end, and how their result is put.
#[derive(Debug)]
pub(super) struct Settings<'a, T> {
    pub(super) max_iter: usize,
    /// The squared way of all centres within which a round is the last.
    pub(super) tol: f64,
    /// Whether the largest cluster becomes the first.
    pub(super) by_size: bool,
    /// What points are measured from.
    pub(super) origin: &'a [T],
}

/// How one run ended.
#[derive(Debug)]
pub(super) struct Run<T> {
    /// In the caller's coordinates.
    pub(super) centres: Vec<T>,
    /// One per point, and as many more as fill the last block.
    pub(super) labels: Vec<Label>,
    pub(super) inertia: f64,
    pub(super) rounds: usize,
}

/// Points per task, whatever the number of threads: enough work, and small enough for a second-level cache.
pub(super) fn points_per_piece(clusters: usize, dims: usize) -> usize {
    ((1 << 20) / (clusters * dims).max(1)).clamp(1 << 10, 1 << 14).next_multiple_of(LANES)
}

/// Cuts points and labels into pieces.
pub(super) fn pieces<'a, T: Real>(
    points: Points<'a, T>,
    labels: &'a mut [Label],
    clusters: usize,
) -> Vec<Piece<'a, T>> {
    let dims = points.packed.dims;
    let step = points_per_piece(clusters, dims);
    let blocks = points.packed.values.chunks(step * dims).zip(labels.chunks_mut(step));
    let piece = |(index, (blocks, labels)): (usize, (&'a [T], &'a mut [Label]))| Piece {
        blocks,
        rows: (points.packed.rows - index * step).min(step),
        weights: points.weights.map(|weights| weights.get(index * step..).unwrap_or(&[])),
        labels,
        sums: Sums::new(clusters, dims),
    };
    blocks.enumerate().map(piece).collect()
}

/// Runs from `centres`. The labels are those of the centres it ends with, as predicting the same points gives them.
pub(super) fn run<T: Real>(
    points: Points<'_, T>,
    mut centres: Vec<T>,
    settings: &Settings<'_, T>,
    cancel: &Cancel,
) -> Result<Run<T>> {
    let dims = points.packed.dims;
    let clusters = centres.len() / dims;
    let mut labels = vec![0; points.packed.rows.next_multiple_of(LANES)];
    let mut pieces = pieces(points, &mut labels, clusters);
    let mut sums = Sums::new(clusters, dims);
    let mut rounds = 0;
    loop {
        let anew = rounds % ROUNDS == 0;
        let table = Centres::new(&centres, dims);
        for_each_mut(&mut pieces, cancel, |piece| {
            piece.assign(&table, rounds > 0);
            if anew {
                piece.sum_up(dims);
            }
            Ok(())
        })?;
        gather(&mut sums, &pieces, anew);
        let settled = rounds > 0 && sums.moved == 0;
        let mut next = means(&sums, &pieces, &centres, dims, cancel)?;
        let way: f64 = next.iter().zip(&centres).map(|(a, b)| (a.to_f64() - b.to_f64()).powi(2)).sum();
        rounds += 1;
        let last = settled || way <= settings.tol || rounds == settings.max_iter;
        // A cluster that lost nearly all of its points has the rounding of those that left.
        if last && !anew {
            for_each_mut(&mut pieces, cancel, |piece| {
                piece.sum_up(dims);
                Ok(())
            })?;
            gather(&mut sums, &pieces, true);
            next = means(&sums, &pieces, &centres, dims, cancel)?;
        }
        centres = next;
        if last {
            break;
        }
    }
    if settings.by_size {
        centres = largest_first(&centres, &sums.weights, dims);
    }
    let inertia = finish(&mut pieces, &mut centres, settings.origin, cancel)?;
    drop(pieces);
    Ok(Run { centres, labels, inertia, rounds })
}

/// Adds the pieces' sums to those of all points, or makes these anew from them.
fn gather<T>(sums: &mut Sums, pieces: &[Piece<'_, T>], anew: bool) {
    if anew {
        sums.clear();
    }
    sums.moved = 0;
    for piece in pieces {
        sums.add(&piece.sums);
    }
}

/// The mean of each cluster's points. One without points moves to the point farthest from its centre, which leaves its
/// own cluster; when all points lie on centres, to where the largest cluster is.
fn means<T: Real>(sums: &Sums, pieces: &[Piece<'_, T>], centres: &[T], dims: usize, cancel: &Cancel) -> Result<Vec<T>> {
    let numbered = sums.counts.iter().enumerate();
    let empty: Vec<usize> = numbered.filter(|(_, count)| **count == 0).map(|(cluster, _)| cluster).collect();
    if empty.is_empty() {
        return Ok(divide(sums, dims));
    }
    let mut sums = sums.clone();
    for (cluster, far) in empty.iter().zip(farthest(pieces, centres, dims, empty.len(), cancel)?) {
        sums.shift(&far.point, far.weight, far.cluster, *cluster);
    }
    Ok(divide(&sums, dims))
}

fn divide<T: Real>(sums: &Sums, dims: usize) -> Vec<T> {
    let heaviest = sums.weights.iter().enumerate().fold(0, |best, (cluster, weight)| {
        if sums.weights.get(best).is_some_and(|most| weight > most) { cluster } else { best }
    });
    let mean = |cluster: usize| {
        let used = if sums.counts.get(cluster).is_some_and(|count| *count > 0) { cluster } else { heaviest };
        let weight = sums.weights.get(used).copied().unwrap_or(1.0);
        let totals = sums.totals.get(used * dims..(used + 1) * dims).unwrap_or(&[]);
        totals.iter().map(move |total| T::from_f64(total / weight))
    };
    (0..sums.counts.len()).flat_map(mean).collect()
}

/// A point that may become a centre.
struct Far {
    square: f64,
    point: Vec<f64>,
    weight: f64,
    cluster: usize,
}

/// The `count` points farthest from their centres, the farthest first; of equally far ones the first.
fn farthest<T: Real>(
    pieces: &[Piece<'_, T>],
    centres: &[T],
    dims: usize,
    count: usize,
    cancel: &Cancel,
) -> Result<Vec<Far>> {
    let each = map_each(pieces, cancel, |piece| {
        let mut far: Vec<(f64, usize)> = piece
            .distances(centres, dims)
            .enumerate()
            .filter(|(row, square)| *square > 0.0 && piece.weight(*row) > 0.0)
            .map(|(row, square)| (square, row))
            .collect();
        far.sort_by(|a, b| b.0.total_cmp(&a.0));
        far.truncate(count);
        let far = far.into_iter().map(|(square, row)| Far {
            square,
            point: piece.point(row, dims),
            weight: piece.weight(row),
            cluster: piece.labels.get(row).map_or(0, |label| usize::from(*label)),
        });
        Ok(far.collect::<Vec<_>>())
    })?;
    let mut far: Vec<Far> = each.into_iter().flatten().collect();
    far.sort_by(|a, b| b.square.total_cmp(&a.square));
    far.truncate(count);
    Ok(far)
}

/// The centres in falling order of their clusters' weight; of equally heavy ones the first stays first.
pub(super) fn largest_first<T: Real>(centres: &[T], weights: &[f64], dims: usize) -> Vec<T> {
    let mut order: Vec<(&[T], f64)> = centres.chunks_exact(dims).zip(weights.iter().copied()).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    order.into_iter().flat_map(|(centre, _)| centre.iter().copied()).collect()
}

/// Puts centres in the caller's coordinates, labels every point by what rounding left of them, and sums the squares.
fn finish<T: Real>(pieces: &mut [Piece<'_, T>], centres: &mut [T], origin: &[T], cancel: &Cancel) -> Result<f64> {
    let dims = origin.len();
    for centre in centres.chunks_exact_mut(dims) {
        centre.iter_mut().zip(origin).for_each(|(c, origin)| *c += *origin);
    }
    let near: Vec<T> = centres.iter().zip(origin.iter().cycle()).map(|(c, origin)| *c - *origin).collect();
    let table = Centres::new(&near, dims);
    let each = map_each_with(
        pieces,
        cancel,
        || (),
        |(), piece| {
            piece.assign(&table, false);
            Ok(piece.inertia(&near, dims))
        },
    )?;
    Ok(each.iter().sum())
}
