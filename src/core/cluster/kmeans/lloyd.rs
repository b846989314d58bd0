//! Lloyd's rounds: label every point, move every centre to the mean of its points, until nothing moves.
//!
//! From one round to the next only the points that changed their cluster change the sums; now and then the sums are
//! made anew, so that rounding cannot add up. Every piece of points has sums of its own, added in the pieces' order.
//! Where most points are safe where they are, rounds go over the few others ([`few`]).

use super::super::{
    distance::{Centres, Label, Piece},
    matrix::{LANES, Real},
    second::Second,
    sums::Sums,
};
use super::{
    few::{self, Part, Reach},
    seed::Points,
};
use crate::{
    Result,
    cancel::Cancel,
    pages::Lines,
    parallel::{for_each_mut, map_each, map_each_with},
};

/// After so many rounds over all points it is asked first whether a few would do.
const FIRST: usize = 3;
/// And only where a cluster has so many points or more, in the mean.
const POINTS: usize = 160;

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
        margins: &mut [],
    };
    blocks.enumerate().map(piece).collect()
}

/// Runs from `centres`. The labels are those of the centres it ends with, as predicting the same points gives them.
pub(super) fn run<T: Real>(
    points: Points<'_, T>,
    centres: Vec<T>,
    settings: &Settings<'_, T>,
    cancel: &Cancel,
) -> Result<Run<T>> {
    let dims = points.packed.dims;
    let clusters = centres.len() / dims;
    let mut labels = vec![0; points.packed.rows.next_multiple_of(LANES)];
    let mut margins = Lines::new(labels.len());
    let mut pieces = pieces(points, &mut labels, clusters);
    let step = points_per_piece(clusters, dims);
    pieces.iter_mut().zip(margins.chunks_mut(step)).for_each(|(piece, margins)| piece.margins = margins);
    let mut rounds = Rounds::new(centres, dims, settings, cancel);
    // Of many clusters the distances between centres alone would cost more than is to be gained.
    let (mut ask, mut pause) = (if clusters > points.packed.rows / POINTS { usize::MAX } else { FIRST }, 4);
    loop {
        let second = (rounds.number >= ask).then(|| Second::new(&rounds.centres, dims));
        rounds.label_all(&mut pieces, second)?;
        if rounds.advance(&pieces)? {
            break;
        }
        let Some(second) = second else { continue };
        let Some(reach) = Reach::choose(&pieces, &rounds.steps, second.farthest(), dims) else {
            ask = rounds.number + pause;
            pause *= 2;
            continue;
        };
        let places = few::movable(&pieces, &reach, cancel)?;
        let mut room = few::room(&places, dims);
        let mut parts = few::gather(&pieces, places, dims, &mut room, cancel)?;
        let ended = rounds.go_over(&mut parts, reach)?;
        pieces.iter_mut().zip(&parts).for_each(|(piece, part)| part.put_back(piece));
        if ended {
            break;
        }
        pause = 2;
    }
    let Rounds { mut centres, sums, number, .. } = rounds;
    if settings.by_size {
        centres = largest_first(&centres, &sums.weights, dims);
    }
    let inertia = finish(&mut pieces, &mut centres, settings.origin, cancel)?;
    drop(pieces);
    Ok(Run { centres, labels, inertia, rounds: number })
}

/// Where the rounds stand.
struct Rounds<'a, T> {
    centres: Vec<T>,
    dims: usize,
    /// How many have been.
    number: usize,
    sums: Sums,
    /// How many points have moved since the centres did.
    moved: usize,
    /// How often points have changed the sums since these were made anew, and the most points of each cluster since.
    changes: usize,
    most: Vec<i64>,
    /// How far each centre and the one of the others that moved most have moved together, in the last round.
    steps: Vec<f64>,
    settings: &'a Settings<'a, T>,
    cancel: &'a Cancel,
}

impl<'a, T: Real> Rounds<'a, T> {
    fn new(centres: Vec<T>, dims: usize, settings: &'a Settings<'a, T>, cancel: &'a Cancel) -> Self {
        let clusters = centres.len() / dims;
        let sums = Sums::new(clusters, dims);
        let (most, steps) = (vec![0; clusters], vec![0.0; clusters]);
        Self { centres, dims, number: 0, sums, moved: 0, changes: usize::MAX, most, steps, settings, cancel }
    }

    /// Labels all points, with their margins where the `second` nearest centre is asked for, too.
    fn label_all(&mut self, pieces: &mut [Piece<'_, T>], second: Option<Second<true>>) -> Result<()> {
        let rows = pieces.iter().map(|piece| piece.rows).sum();
        let anew = self.changes >= rows || self.worn();
        self.label(pieces, second, anew)?;
        if !anew && self.worn() {
            for_each_mut(pieces, self.cancel, |piece| {
                piece.sum_up(self.dims);
                Ok(())
            })?;
            self.gather(pieces, true);
        }
        Ok(())
    }

    fn label(&mut self, pieces: &mut [Piece<'_, T>], second: Option<Second<true>>, anew: bool) -> Result<()> {
        let (table, track) = (Centres::new(&self.centres, self.dims), self.number > 0);
        for_each_mut(pieces, self.cancel, |piece| {
            match second {
                Some(second) => piece.assign_and_measure(&table, track, second),
                None => piece.assign(&table, track),
            }
            if anew {
                piece.sum_up(self.dims);
            }
            Ok(())
        })?;
        self.moved += pieces.iter().map(|piece| piece.sums.moved).sum::<usize>();
        self.gather(pieces, anew);
        Ok(())
    }

    /// Adds the pieces' sums to those of all points, or makes these anew from them.
    fn gather(&mut self, pieces: &[Piece<'_, T>], anew: bool) {
        if anew {
            self.sums.clear();
            self.most.fill(0);
            self.changes = 0;
        }
        for piece in pieces {
            self.sums.add(&piece.sums);
            self.changes += if anew { 0 } else { piece.sums.moved };
        }
        self.most.iter_mut().zip(&self.sums.counts).for_each(|(most, count)| *most = *count.max(most));
    }

    /// Whether a cluster lost so many points since the sums were made anew that the rounding of those that left shows.
    fn worn(&self) -> bool {
        self.sums.counts.iter().zip(&self.most).any(|(count, most)| 32 * count < *most)
    }

    /// Moves the centres; whether that was the last time.
    fn advance(&mut self, pieces: &[Piece<'_, T>]) -> Result<bool> {
        let next = means(&self.sums, pieces, &self.centres, self.dims, self.cancel)?;
        let square = |(a, b): (&T, &T)| (a.to_f64() - b.to_f64()).powi(2);
        let pairs = next.chunks_exact(self.dims).zip(self.centres.chunks_exact(self.dims));
        let squares: Vec<f64> = pairs.map(|(a, b)| a.iter().zip(b).map(square).sum()).collect();
        let settled = self.number > 0 && self.moved == 0;
        self.centres = next;
        self.number += 1;
        self.moved = 0;
        self.steps = together(&squares);
        Ok(settled || squares.iter().sum::<f64>() <= self.settings.tol || self.number == self.settings.max_iter)
    }

    /// Goes on over parts of the points while the others are within reach; whether that was the end of all rounds.
    fn go_over(&mut self, parts: &mut [Part<'_, T>], mut reach: Reach) -> Result<bool> {
        let clusters = self.most.len();
        let mut pieces: Vec<_> = parts.iter_mut().map(|part| part.piece(clusters, self.dims)).collect();
        loop {
            self.label(&mut pieces, None, false)?;
            // The next round, over all points, finds the same labels and can do more about it.
            if self.worn() || self.sums.counts.contains(&0) {
                return Ok(false);
            }
            if self.advance(&pieces)? {
                return Ok(true);
            }
            if !reach.holds(&self.steps) {
                return Ok(false);
            }
        }
    }
}

/// How far each centre and the one of the others that moved most moved together.
fn together(squares: &[f64]) -> Vec<f64> {
    let steps: Vec<f64> = squares.iter().map(|square| square.sqrt()).collect();
    let mut longest = steps.clone();
    longest.sort_by(|a, b| b.total_cmp(a));
    let at = |place: usize| longest.get(place).copied().unwrap_or(0.0);
    steps.iter().map(|step| step + if *step < at(0) { at(0) } else { at(1) }).collect()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        cluster::{matrix::Matrix, pack::Packed},
        random::Random,
    };

    /// Overlapping groups in which nothing is tied.
    fn overlapping<T: Real>(rows: usize, dims: usize, clusters: usize, seed: u64) -> (Packed<T>, Vec<T>) {
        let mut random = Random::stream(seed, 0);
        let mut normal = || (0..4).map(|_| random.uniform() - 0.5).sum::<f64>();
        let groups: Vec<f64> = (0..clusters * dims).map(|_| normal() * 2.0).collect();
        let rows_of = (0..rows).flat_map(|row| groups.chunks(dims).nth(row % clusters).unwrap());
        let values: Vec<T> = rows_of.map(|group| T::from_f64(group + normal())).collect();
        let matrix = Matrix::new(&values, rows, dims, false).unwrap();
        (Packed::new(&matrix, &vec![T::default(); dims], &Cancel::new()).unwrap(), values[..clusters * dims].to_vec())
    }

    /// Rounds over all points until `ends` says so: their labels, and where they stand.
    fn over_all<'a, T: Real>(
        points: Points<'_, T>,
        centres: &[T],
        settings: &'a Settings<'a, T>,
        cancel: &'a Cancel,
        ends: impl Fn(&Rounds<'a, T>, bool) -> bool,
    ) -> (Vec<Label>, Rounds<'a, T>) {
        let dims = points.packed.dims;
        let mut labels = vec![0; points.packed.rows.next_multiple_of(LANES)];
        let mut pieces = pieces(points, &mut labels, centres.len() / dims);
        let mut rounds = Rounds::new(centres.to_vec(), dims, settings, cancel);
        loop {
            rounds.label_all(&mut pieces, None).unwrap();
            let last = rounds.advance(&pieces).unwrap();
            if ends(&rounds, last) {
                break;
            }
        }
        drop(pieces);
        labels.truncate(points.packed.rows);
        (labels, rounds)
    }

    /// Goes over few points after `before` rounds, and compares with going over all.
    fn check<T: Real>(
        rows: usize,
        dims: usize,
        clusters: usize,
        seed: u64,
        before: usize,
        further: f64,
        weighted: bool,
    ) {
        let (packed, start) = overlapping::<T>(rows, dims, clusters, seed);
        let weights: Vec<f64> = (0..rows).map(|row| (row % 3) as f64).collect();
        let points = Points { packed: &packed, weights: weighted.then_some(&weights[..]) };
        let origin = vec![T::default(); dims];
        let settings = Settings { max_iter: 300, tol: 0.0, by_size: false, origin: &origin };
        let cancel = Cancel::new();
        let mut labels = vec![0; rows.next_multiple_of(LANES)];
        let mut margins = vec![0.0; labels.len()];
        let mut pieces = pieces(points, &mut labels, clusters);
        let step = points_per_piece(clusters, dims);
        pieces.iter_mut().zip(margins.chunks_mut(step)).for_each(|(piece, margins)| piece.margins = margins);
        let mut rounds = Rounds::new(start.clone(), dims, &settings, &cancel);
        for _ in 0..before {
            rounds.label_all(&mut pieces, None).unwrap();
            if rounds.advance(&pieces).unwrap() {
                return;
            }
        }
        let second = Second::new(&rounds.centres, dims);
        rounds.label_all(&mut pieces, Some(second)).unwrap();
        if rounds.advance(&pieces).unwrap() {
            return;
        }
        let Some(reach) = Reach::of(&rounds.steps, further, second.farthest()) else { return };
        let places = few::movable(&pieces, &reach, &cancel).unwrap();
        let mut room = few::room(&places, dims);
        let mut parts = few::gather(&pieces, places, dims, &mut room, &cancel).unwrap();
        let ended = rounds.go_over(&mut parts, reach).unwrap();
        pieces.iter_mut().zip(&parts).for_each(|(piece, part)| part.put_back(piece));
        drop(pieces);
        labels.truncate(rows);

        // Where points were left to go over all of them again, the labels are those of the round to come.
        let number = rounds.number + usize::from(rounds.moved > 0);
        let (wanted, by_all) = over_all(points, &start, &settings, &cancel, |all, last| {
            assert!(all.number <= number && (!last || all.number == number));
            all.number == number
        });
        assert_eq!(labels, wanted);
        if rounds.moved == 0 {
            assert_eq!((&rounds.sums.counts, ended), (&by_all.sums.counts, ended));
            for (found, wanted) in rounds.centres.iter().zip(&by_all.centres) {
                assert!((found.to_f64() - wanted.to_f64()).abs() < 1e-5);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_few_points_go_where_all_would(
            rows in 20usize..3000, dims in 1usize..9, clusters in 2usize..9, seed in any::<u64>(), before in 0usize..8,
            further in prop_oneof![1.0..4.0, 4.0..40.0], weighted in any::<bool>(),
        ) {
            check::<f64>(rows, dims, clusters, seed, before, further, weighted);
            check::<f32>(rows, dims, clusters, seed, before, further, weighted);
        }
    }

    #[test]
    fn a_run_goes_over_few_points_and_ends_where_all_would_have() {
        let (packed, start) = overlapping::<f64>(20_000, 3, 5, 7);
        let points = Points { packed: &packed, weights: None };
        let settings = Settings { max_iter: 300, tol: 0.0, by_size: false, origin: &[0.0; 3] };
        let cancel = Cancel::new();
        let found = run(points, start.clone(), &settings, &cancel).unwrap();
        let (wanted, by_all) = over_all(points, &start, &settings, &cancel, |_, last| last);
        assert_eq!((&found.labels[..20_000], found.rounds), (&wanted[..], by_all.number));
        assert!(found.rounds > 10);
    }
}
