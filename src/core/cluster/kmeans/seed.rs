//! Where k-means starts: greedy k-means++ (Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful
//! seeding"; several candidates per centre, the best one kept, as in scikit-learn), or random points.

use rayon::prelude::*;

use super::super::{
    distance::squares,
    matrix::{LANES, Real},
    pack::Packed,
};
use crate::{
    Result,
    cancel::Cancel,
    parallel::map_each_with,
    random::Random,
    vector::{Fused, widest_fused},
};

/// Points whose potentials are summed together: a draw looks at the sums first, then at the points of one cell.
const CELL: usize = 1024;
/// Cells in one task.
const CELLS: usize = 16;

/// Points to start from, and what each weighs (`None`: 1).
#[derive(Debug, Clone, Copy)]
pub(in crate::cluster) struct Points<'a, T: Real> {
    pub(in crate::cluster) packed: &'a Packed<T>,
    pub(in crate::cluster) weights: Option<&'a [f64]>,
}

impl<T: Real> Points<'_, T> {
    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0))
    }

    /// The first row at which the running sum of `mass` passes `goal`, among `rows`; rounding may leave it behind all
    /// of them, then it is the last one that has any mass.
    fn passing(rows: impl Iterator<Item = usize>, mass: impl Fn(usize) -> f64, goal: f64) -> usize {
        let (mut sum, mut last) = (0.0, 0);
        for row in rows {
            let mass = mass(row);
            if mass > 0.0 {
                last = row;
                sum += mass;
                if sum > goal {
                    break;
                }
            }
        }
        last
    }

    /// A row drawn by weight.
    fn draw(&self, random: &mut Random) -> usize {
        let rows = self.packed.rows;
        let Some(weights) = self.weights else { return random.below(rows) };
        let goal = random.uniform() * weights.iter().sum::<f64>();
        Self::passing(0..rows, |row| self.weight(row), goal)
    }

    /// `clusters` different rows drawn by weight; where fewer have any, the last one again.
    pub(in crate::cluster) fn random(&self, clusters: usize, random: &mut Random) -> Vec<T> {
        let mut left: Vec<f64> = (0..self.packed.rows).map(|row| self.weight(row)).collect();
        let mut total: f64 = left.iter().sum();
        let mut centres = Vec::with_capacity(clusters * self.packed.dims);
        let mut row = 0;
        for _ in 0..clusters {
            if total > 0.0 {
                let goal = random.uniform() * total;
                row = Self::passing(0..left.len(), |row| left.get(row).copied().unwrap_or(0.0), goal);
                if let Some(weight) = left.get_mut(row) {
                    total -= *weight;
                    *weight = 0.0;
                }
            }
            centres.extend(self.packed.point(row));
        }
        centres
    }

    /// `clusters` rows, each drawn by its weighted squared distance to those before it: of `2 + ln(clusters)` drawn,
    /// the one that leaves the least.
    pub(in crate::cluster) fn plus_plus(
        &self,
        clusters: usize,
        random: &mut Random,
        cancel: &Cancel,
    ) -> Result<Vec<T>> {
        let dims = self.packed.dims;
        let trials = 2 + (clusters as f64).ln() as usize;
        let mut closest = self.far_away();
        let mut last = self.draw(random);
        let mut centres = self.packed.point(last);
        let mut cells = self.pass(&mut closest, None, &centres, cancel)?;
        for _ in 1..clusters {
            let total: f64 = cells.iter().sum();
            let candidates: Vec<usize> =
                (0..trials).map(|_| self.far_from(&closest, &cells, last, random.uniform() * total)).collect();
            let points: Vec<T> = candidates.iter().flat_map(|&row| self.packed.point(row)).collect();
            let newest = centres.len() - dims;
            let potentials = self.pass(&mut closest, centres.get(newest..), &points, cancel)?;
            let left = |trial: usize| potentials.iter().skip(trial).step_by(trials);
            let sums = (0..trials).map(|trial| left(trial).sum::<f64>());
            let best = sums.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(trial, _)| trial);
            cells = left(best).copied().collect();
            last = candidates.get(best).copied().unwrap_or(last);
            centres.extend(self.packed.point(last));
        }
        Ok(centres)
    }

    /// The squared distance of each point to the nearest centre while there is none; lanes without a point are near.
    fn far_away(&self) -> Vec<T> {
        let mut closest = vec![T::INFINITY; self.packed.rows];
        closest.resize(self.packed.rows.next_multiple_of(LANES), T::default());
        closest
    }

    /// A row drawn by weighted squared distance; `closest` does not know the centre at row `last` yet, the sums do.
    fn far_from(&self, closest: &[T], cells: &[f64], last: usize, goal: f64) -> usize {
        let (mut before, mut cell) = (0.0, 0);
        for (index, sum) in cells.iter().enumerate().filter(|(_, sum)| **sum > 0.0) {
            cell = index;
            if before + sum > goal {
                break;
            }
            before += sum;
        }
        let centre = self.packed.point(last);
        let mass = |row: usize| {
            let apart = centre.iter().enumerate().map(|(dim, c)| (self.packed.get(row, dim) - *c).to_f64());
            let square = apart.map(|apart| apart * apart).sum::<f64>();
            closest.get(row).map_or(0.0, |closest| closest.to_f64().min(square)) * self.weight(row)
        };
        Self::passing(cell * CELL..((cell + 1) * CELL).min(self.packed.rows), mass, goal - before)
    }

    /// Lets `closest` know the newest centre, and sums per cell and candidate what would be left with that one.
    fn pass(&self, closest: &mut [T], newest: Option<&[T]>, candidates: &[T], cancel: &Cancel) -> Result<Vec<f64>> {
        let dims = self.packed.dims;
        let pieces = self.packed.values.par_chunks(CELLS * CELL * dims).zip(closest.par_chunks_mut(CELLS * CELL));
        let potentials = map_each_with(
            pieces.enumerate(),
            cancel,
            || (),
            |(), (index, (blocks, closest))| {
                let weights = self.weights.map(|weights| weights.get(index * CELLS * CELL..).unwrap_or(&[]));
                let mut potentials = Vec::with_capacity(CELLS * (candidates.len() / dims));
                for (cell, (blocks, closest)) in blocks.chunks(CELL * dims).zip(closest.chunks_mut(CELL)).enumerate() {
                    let weights = weights.map(|weights| weights.get(cell * CELL..).unwrap_or(&[]));
                    potentials_of(blocks, closest, weights, newest, candidates, dims, &mut potentials);
                }
                Ok(potentials)
            },
        )?;
        Ok(potentials.concat())
    }
}

widest_fused! {
    fn potentials_of[T: Real](
        blocks: &[T], closest: &mut [T], weights: Option<&[f64]>, newest: Option<&[T]>, candidates: &[T], dims: usize,
        potentials: &mut Vec<f64>
    ) = potentials_each;
}

#[allow(clippy::inline_always, clippy::too_many_arguments)] // only an inlined body is compiled for wide vectors
#[inline(always)]
fn potentials_each<T: Real, const F: bool>(
    fused: Fused<F>,
    blocks: &[T],
    closest: &mut [T],
    weights: Option<&[f64]>,
    newest: Option<&[T]>,
    candidates: &[T],
    dims: usize,
    potentials: &mut Vec<f64>,
) {
    let (lanes, _) = blocks.as_chunks::<LANES>();
    let (closest, _) = closest.as_chunks_mut::<LANES>();
    if let Some(newest) = newest {
        for (block, closest) in lanes.chunks_exact(dims).zip(closest.iter_mut()) {
            nearer(fused, block, newest, closest);
        }
    }
    for candidate in candidates.chunks_exact(dims) {
        let mut sums = [T::default(); LANES];
        let mut weighted = 0.0;
        for (index, (block, closest)) in lanes.chunks_exact(dims).zip(closest.iter()).enumerate() {
            let mut left = *closest;
            nearer(fused, block, candidate, &mut left);
            match weights {
                None => sums.iter_mut().zip(left).for_each(|(sum, left)| *sum += left),
                Some(weights) => {
                    let weights = weights.get(index * LANES..).unwrap_or(&[]);
                    weighted += left.iter().zip(weights).map(|(left, weight)| left.to_f64() * weight).sum::<f64>();
                }
            }
        }
        potentials.push(weighted + sums.iter().map(|sum| sum.to_f64()).sum::<f64>());
    }
}

/// The smaller of `closest` and the squared distance to a centre.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn nearer<T: Real, const F: bool>(fused: Fused<F>, block: &[[T; LANES]], centre: &[T], closest: &mut [T; LANES]) {
    for (closest, square) in closest.iter_mut().zip(squares(fused, block, centre)) {
        *closest = if square < *closest { square } else { *closest };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{cluster::matrix::Matrix, vector::tests::on_every_width};

    fn square(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    proptest! {
        // Whole numbers: every sum is exact, whatever the order and the width.
        #[test]
        fn what_would_be_left_is_summed_on_every_width(
            (rows, weights) in (1usize..5).prop_flat_map(|dims| (
                prop::collection::vec(prop::collection::vec((-9i32..9).prop_map(f64::from), dims), 4..60),
                prop::collection::vec((0i32..3).prop_map(f64::from), 60),
            )),
            weighted in any::<bool>(),
        ) {
            let dims = rows[0].len();
            let flat = rows.concat();
            let matrix = Matrix::new(&flat, rows.len(), dims, false).unwrap();
            let cancel = Cancel::new();
            let packed = Packed::new(&matrix, &vec![0.0; dims], &cancel).unwrap();
            let points = Points { packed: &packed, weights: weighted.then_some(&weights[..rows.len()]) };
            let left = |centres: &[usize]| -> f64 {
                let nearest = |row: &Vec<f64>| centres.iter().map(|c| square(row, &rows[*c])).fold(f64::INFINITY, f64::min);
                rows.iter().enumerate().map(|(place, row)| nearest(row) * points.weight(place)).sum()
            };
            on_every_width(|| {
                let mut closest = points.far_away();
                assert_eq!(points.pass(&mut closest, None, &rows[0], &cancel).unwrap().iter().sum::<f64>(), left(&[0]));
                let candidates = [rows[1].clone(), rows[2].clone()].concat();
                let found = points.pass(&mut closest, Some(&rows[0]), &candidates, &cancel).unwrap();
                assert_eq!(found, [left(&[0, 1]), left(&[0, 2])]);
            });
        }
    }

    #[test]
    fn rows_are_drawn_by_weight_and_never_without_any() {
        let values: Vec<f64> = (0..5000).map(f64::from).collect();
        let matrix = Matrix::new(&values, 5000, 1, false).unwrap();
        let packed = Packed::new(&matrix, &[0.0], &Cancel::new()).unwrap();
        let weights: Vec<f64> = (0..5000).map(|row| f64::from(row % 1000 == 7)).collect();
        let points = Points { packed: &packed, weights: Some(&weights) };
        for seed in 0..50 {
            let mut random = Random::stream(seed, 0);
            let mut centres = points.plus_plus(5, &mut random, &Cancel::new()).unwrap();
            centres.sort_by(f64::total_cmp);
            assert_eq!(centres, [7.0, 1007.0, 2007.0, 3007.0, 4007.0]);
            let mut centres = points.random(5, &mut random);
            centres.sort_by(f64::total_cmp);
            assert_eq!(centres, [7.0, 1007.0, 2007.0, 3007.0, 4007.0]);
        }
    }
}
