//! K-means: Lloyd's algorithm from k-means++ starts ([`fit`]), the cluster of further rows ([`predict`]) and their
//! distances to all centres ([`distances`]).

mod config;
mod distinct;
mod few;
mod lloyd;
mod minibatch;
mod place;
mod seed;

pub use config::{Config, Start};
pub use minibatch::{BatchClusters, BatchConfig, Moving, Placed, fit as fit_batches, partial as fit_batch};
pub use place::{distances, inertia, predict};

pub(super) use seed::Points;

use rayon::prelude::*;

use self::{
    config::Plan,
    lloyd::{Run, Settings},
};
use super::{
    distance::Label,
    matrix::{Matrix, Real},
    moments::mean,
    pack::Packed,
    parameters::check_sum,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    parallel::{CHUNK_ROWS, map_each},
    random::Random,
};

/// Fitted clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters<T> {
    /// One centre behind the other.
    pub centres: Vec<T>,
    /// What rows are measured from, so that differences stay exact far from zero.
    pub origin: Vec<T>,
    /// The cluster of each row.
    pub labels: Vec<i32>,
    /// The weighted sum of squared distances to the own centre.
    pub inertia: f64,
    /// How many rounds the best run took.
    pub rounds: usize,
    /// How many clusters have rows.
    pub found: usize,
}

/// Groups rows into `n_clusters` clusters so that the weighted squared distances to the clusters' means are small.
///
/// `starts` holds the centres of every run, one set behind the other, where the configuration says they are given.
pub fn fit<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    starts: Option<&Matrix<'_, T>>,
    config: &Config,
    cancel: &Cancel,
) -> Result<Clusters<T>> {
    let plan = config.plan()?;
    check_rows(matrix, plan.clusters)?;
    check_weights(weights, matrix.rows())?;
    let starts = starts.map(|starts| check_starts(starts, &plan, matrix.columns(), &config.columns)).transpose()?;
    let runs = |origin| Runs { plan: &plan, starts, origin, seed: config.seed, cancel };
    if let Some(few) = distinct::distinct(matrix, weights, cancel)? {
        let (means, variance) = matrix.moments(&config.columns, cancel)?;
        check_spread(matrix, variance)?;
        let origin: Vec<T> = means.iter().map(|mean| T::from_f64(*mean)).collect();
        let packed = Packed::new(&few.matrix(matrix.columns()), &origin, cancel)?;
        let points = Points { packed: &packed, weights: Some(&few.weights) };
        let clusters = runs(origin).best(points, plan.tol * variance)?;
        let label = |row: &u32| clusters.labels.get(*row as usize).copied().unwrap_or_default();
        return Ok(Clusters { labels: few.which.iter().map(label).collect(), ..clusters });
    }
    let (packed, origin, variances) = Packed::centred(matrix, &config.columns, cancel)?;
    check_spread(matrix, mean(&variances))?;
    runs(origin).best(Points { packed: &packed, weights }, plan.tol * mean(&variances))
}

/// What all runs of one fit share.
struct Runs<'a, T> {
    plan: &'a Plan,
    /// Given centres, measured from nothing.
    starts: Option<Vec<T>>,
    origin: Vec<T>,
    seed: u64,
    cancel: &'a Cancel,
}

impl<T: Real> Runs<'_, T> {
    /// The run with the smallest inertia; of equal ones the first.
    fn best(&self, points: Points<'_, T>, tol: f64) -> Result<Clusters<T>> {
        let settings = Settings { max_iter: self.plan.max_iter, tol, by_size: self.plan.by_size, origin: &self.origin };
        let run = |index: usize| lloyd::run(points, self.start(points, index)?, &settings, self.cancel);
        let better = |best: Option<Run<T>>, run: Run<T>| match best {
            Some(best) if run.inertia >= best.inertia => Some(best),
            _ => Some(run),
        };
        let indices: Vec<usize> = (0..self.plan.runs).collect();
        // Few points leave threads without work unless runs go side by side.
        let together =
            if points.packed.rows <= lloyd::points_per_piece(self.plan.clusters, points.packed.dims) { 64 } else { 1 };
        let mut best = None;
        for indices in indices.chunks(together) {
            best = map_each(indices, self.cancel, |index| run(*index))?.into_iter().fold(best, better);
        }
        let Some(Run { centres, mut labels, inertia, rounds }) = best else {
            return Err(Error::parameter("n_init is 0; wanted a whole number of at least 1"));
        };
        check_sum("inertia_", inertia)?;
        labels.truncate(points.packed.rows);
        let found = found(&labels, self.plan.clusters);
        let labels = labels.par_iter().with_min_len(CHUNK_ROWS).map(|label| i32::from(*label)).collect();
        Ok(Clusters { centres, origin: self.origin.clone(), labels, inertia, rounds, found })
    }

    /// Where run `index` starts.
    fn start(&self, points: Points<'_, T>, index: usize) -> Result<Vec<T>> {
        match &self.starts {
            Some(starts) => Ok(self.plan.given(starts, &self.origin, index)),
            None => self.plan.drawn(points, &mut Random::stream(self.seed, index as u64), self.cancel),
        }
    }
}

/// How many clusters have rows.
fn found(labels: &[Label], clusters: usize) -> usize {
    let mut missing: Vec<bool> = vec![true; clusters];
    let mut left = clusters;
    // Most rows know nothing new: until all have been seen, and that is soon.
    for label in labels {
        if left == 0 {
            break;
        }
        if let Some(missing) = missing.get_mut(usize::from(*label)) {
            left -= usize::from(std::mem::take(missing));
        }
    }
    clusters - left
}

/// One run with the settings of `KMeans` by default, for what starts from clusters: their centres, and the cluster of
/// each point (and as many more as fill the last block). `variance` is the mean of the columns' variances.
pub(super) fn one_run<T: Real>(
    points: Points<'_, T>,
    clusters: usize,
    variance: f64,
    random: &mut Random,
    cancel: &Cancel,
) -> Result<(Vec<T>, Vec<Label>)> {
    let origin = vec![T::default(); points.packed.dims];
    let settings = Settings { max_iter: 300, tol: 1e-4 * variance, by_size: false, origin: &origin };
    let run = lloyd::run(points, points.plus_plus(clusters, random, cancel)?, &settings, cancel)?;
    Ok((run.centres, run.labels))
}

impl Plan {
    /// The given centres of run `index`, measured from `origin`.
    fn given<T: Real>(&self, starts: &[T], origin: &[T], index: usize) -> Vec<T> {
        let size = self.clusters * origin.len();
        let given = starts.chunks_exact(size).nth(index).unwrap_or(&[]);
        given.iter().zip(origin.iter().cycle()).map(|(c, origin)| *c - *origin).collect()
    }

    /// Centres drawn from the points.
    fn drawn<T: Real>(&self, points: Points<'_, T>, random: &mut Random, cancel: &Cancel) -> Result<Vec<T>> {
        match self.start {
            Start::Random => Ok(points.random(self.clusters, random)),
            _ => points.plus_plus(self.clusters, random, cancel),
        }
    }
}

fn check_rows<T: Real>(matrix: &Matrix<'_, T>, clusters: usize) -> Result<()> {
    if matrix.rows() >= clusters {
        return Ok(());
    }
    Err(Error::input(format!(
        "n_samples={} is fewer than n_clusters={clusters}; give more rows, or ask for fewer clusters",
        matrix.rows()
    )))
}

/// Refuses rows that differ, but by so little that the squares of it are 0.
fn check_spread<T: Real>(matrix: &Matrix<'_, T>, variance: f64) -> Result<()> {
    if variance >= T::LEAST_VARIANCE || (1..matrix.rows()).all(|row| matrix.row(row).eq(matrix.row(0))) {
        return Ok(());
    }
    Err(Error::input(format!(
        "the rows differ by so little (their columns' mean variance is {variance:e}) that squared distances are lost to \
         rounding; multiply the columns by a power of ten"
    )))
}

pub(super) fn check_weights(weights: Option<&[f64]>, rows: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != rows {
        return Err(Error::input(format!(
            "sample_weight has {} values for {rows} rows; give one per row",
            weights.len()
        )));
    }
    if let Some((row, weight)) = weights.iter().enumerate().find(|(_, weight)| !(0.0..=1e150).contains(*weight)) {
        return Err(Error::input(format!(
            "sample_weight is {weight} in row {row}; wanted finite numbers of at least 0"
        )));
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(Error::input("sample_weight is zero in every row; at least one row must count"));
    }
    Ok(())
}

fn check_starts<T: Real>(starts: &Matrix<'_, T>, plan: &Plan, dims: usize, names: &[String]) -> Result<Vec<T>> {
    if starts.columns() != dims || starts.rows() != plan.clusters * plan.runs {
        return Err(Error::parameter(format!(
            "init has shape ({}, {}); wanted n_clusters={} centres of {dims} columns for each of {} runs",
            starts.rows(),
            starts.columns(),
            plan.clusters,
            plan.runs
        )));
    }
    let values = starts.to_rows();
    if !values.iter().all(|value| value.abs() <= T::LARGEST) {
        let what = starts.unusable(names).map_or_else(String::new, |failure| format!(": {failure}"));
        return Err(Error::parameter(format!("init cannot be used{what}")));
    }
    Ok(values)
}
