//! K-prototypes, and k-modes where there are no numbers ([`fit`]); the cluster of further rows ([`predict`]) and what
//! they cost with every prototype ([`costs`]).
//!
//! Huang (1998), "Extensions to the k-means algorithm for clustering large data sets with categorical values", Data
//! Mining and Knowledge Discovery 2(3).

mod config;
mod exchange;
mod points;
mod rounds;
mod start;
mod sums;

use rayon::prelude::*;

use self::{
    config::Plan,
    points::{Code, Piece, Points, Prototypes, assign, costs_with, narrow},
    rounds::Run,
    start::Everyone,
    sums::Space,
};
pub use self::{
    config::{Config, Start},
    points::Mixed,
};
use super::{distance::Label, kmeans::check_weights, matrix::LANES, parameters::check_sum};
use crate::{
    Error, Result,
    cancel::Cancel,
    parallel::{map_each, map_each_with},
    random::Random,
};

/// Rows in one task of placing.
const CHUNK_ROWS: usize = 1 << 14;

/// Fitted clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// The numbers of one prototype behind the other's.
    pub means: Vec<f64>,
    /// The codes of one prototype behind the other's; -1 for a category that no row has.
    pub modes: Vec<i32>,
    /// The cluster of each row.
    pub labels: Vec<i32>,
    /// The weighted sum of what rows cost with their prototypes.
    pub cost: f64,
    /// What a category that differs costs.
    pub gamma: f64,
    /// How many rounds the best run took.
    pub rounds: usize,
    /// How many clusters have rows.
    pub found: usize,
}

/// Groups rows into `n_clusters` clusters so that what the rows cost with their prototypes is little in sum.
///
/// `starts` holds the prototypes a run starts from, where the configuration says they are given; its codes are those
/// of the rows.
pub fn fit(
    rows: &Mixed<'_>,
    weights: Option<&[f64]>,
    starts: Option<&Mixed<'_>>,
    config: &Config,
    cancel: &Cancel,
) -> Result<Clusters> {
    let plan = config.plan()?;
    if rows.rows() < plan.clusters {
        return Err(Error::input(format!(
            "n_samples={} is fewer than n_clusters={}; give more rows, or ask for fewer clusters",
            rows.rows(),
            plan.clusters
        )));
    }
    check_weights(weights, rows.rows())?;
    if let Some(starts) = starts {
        check_shape(starts, rows, "init")?;
        if starts.rows() != plan.clusters {
            return Err(Error::parameter(format!(
                "init has {} rows; wanted n_clusters={}, one prototype each",
                starts.rows(),
                plan.clusters
            )));
        }
    }
    if narrow(&rows.categories()) {
        best::<u16>(rows, weights, starts, &plan, config, cancel)
    } else {
        best::<u32>(rows, weights, starts, &plan, config, cancel)
    }
}

/// The run that costs least; of equal ones the first.
fn best<C: Code>(
    rows: &Mixed<'_>,
    weights: Option<&[f64]>,
    starts: Option<&Mixed<'_>>,
    plan: &Plan,
    config: &Config,
    cancel: &Cancel,
) -> Result<Clusters> {
    let points = Points::<C>::new(rows, &config.columns, cancel)?;
    let space = Space::new(&points, weights, &rows.categories());
    let everyone = Everyone::new(&space, cancel)?;
    let gamma = plan.gamma.unwrap_or_else(|| everyone.gamma());
    let given = starts.map(|starts| {
        Points::<C>::new(starts, &config.columns, cancel)
            .map(|_| Prototypes::of(starts, gamma))
            .map_err(|failure| Error::parameter(format!("init cannot be used: {failure}")))
    });
    let given = given.transpose()?;
    let run = |index: &usize| {
        let random = &mut Random::stream(config.seed, *index as u64);
        let start = match &given {
            Some(given) => given.clone(),
            None => start::drawn(&space, &everyone, (plan.clusters, plan.start, gamma), random, cancel)?,
        };
        rounds::run(&space, start, plan.max_iter, plan.by_size, cancel)
    };
    let better = |best: Option<Run<C>>, run: Run<C>| match best {
        Some(best) if run.cost >= best.cost => Some(best),
        _ => Some(run),
    };
    // Part of a run is the work of one thread, so runs go side by side: as many as memory likes.
    let together = ((1 << 23) / points.rows).clamp(2, 64);
    let indices: Vec<usize> = (0..plan.runs).collect();
    let mut best = None;
    for indices in indices.chunks(together) {
        best = map_each(indices, cancel, run)?.into_iter().fold(best, better);
    }
    let Some(Run { prototypes, mut labels, cost, rounds }) = best else {
        return Err(Error::parameter("n_init is 0; wanted a whole number of at least 1"));
    };
    check_sum("cost_", cost)?;
    labels.truncate(points.rows);
    let mut seen = vec![false; plan.clusters];
    for label in &labels {
        if let Some(seen) = seen.get_mut(usize::from(*label)) {
            *seen = true;
        }
    }
    let mode = |code: &C| if *code == C::NO_MODE { -1 } else { code.index() as i32 };
    Ok(Clusters {
        means: prototypes.each.iter().flat_map(|row| row.numbers.iter().copied()).collect(),
        modes: prototypes.each.iter().flat_map(|row| row.codes.iter().map(mode)).collect(),
        labels: labels.iter().map(|label| i32::from(*label)).collect(),
        cost,
        gamma,
        rounds,
        found: seen.iter().filter(|seen| **seen).count(),
    })
}

/// The cluster of each row: that of the prototype it costs least with, the first of equal ones.
///
/// `names` are the names of the columns of numbers, where they have any.
pub fn predict(
    rows: &Mixed<'_>,
    prototypes: &Mixed<'_>,
    gamma: f64,
    names: &[String],
    cancel: &Cancel,
) -> Result<Vec<i32>> {
    let mut labels = vec![0; rows.rows()];
    let work = |piece: Piece<'_, u32>, prototypes: &Prototypes<u32>, out: &mut [i32]| {
        let mut own: Vec<Label> = vec![0; piece.rows.next_multiple_of(LANES)];
        let mut least = vec![0.0; own.len()];
        assign(piece, prototypes, &mut own, &mut least);
        out.iter_mut().zip(own).for_each(|(out, label)| *out = i32::from(label));
    };
    place(rows, prototypes, gamma, names, &mut labels, 1, work, cancel)?;
    Ok(labels)
}

/// What each row costs with every prototype, row after row.
pub fn costs(
    rows: &Mixed<'_>,
    prototypes: &Mixed<'_>,
    gamma: f64,
    names: &[String],
    cancel: &Cancel,
) -> Result<Vec<f64>> {
    let clusters = prototypes.rows();
    let mut out = vec![0.0; rows.rows() * clusters];
    let work = |piece: Piece<'_, u32>, prototypes: &Prototypes<u32>, out: &mut [f64]| {
        let mut costs = vec![0.0; piece.rows.next_multiple_of(LANES)];
        for (cluster, prototype) in prototypes.each.iter().enumerate() {
            costs_with(piece, prototype, gamma, &mut costs);
            out.iter_mut().skip(cluster).step_by(clusters).zip(&costs).for_each(|(out, cost)| *out = *cost);
        }
    };
    place(rows, prototypes, gamma, names, &mut out, clusters, work, cancel)?;
    Ok(out)
}

/// Holds rows against prototypes, piece by piece; `out` has `width` places per row.
#[allow(clippy::too_many_arguments)] // what both have in common
fn place<T: Send>(
    rows: &Mixed<'_>,
    prototypes: &Mixed<'_>,
    gamma: f64,
    names: &[String],
    out: &mut [T],
    width: usize,
    work: impl Fn(Piece<'_, u32>, &Prototypes<u32>, &mut [T]) + Sync,
    cancel: &Cancel,
) -> Result<()> {
    check_shape(prototypes, rows, "cluster_centroids_")?;
    let points = Points::<u32>::new(rows, names, cancel)?;
    let prototypes = Prototypes::of(prototypes, gamma);
    let pieces = out.par_chunks_mut(CHUNK_ROWS * width).enumerate();
    map_each_with(
        pieces,
        cancel,
        || (),
        |(), (index, out)| {
            work(points.piece(index * CHUNK_ROWS, CHUNK_ROWS), &prototypes, out);
            Ok(())
        },
    )?;
    Ok(())
}

fn check_shape(prototypes: &Mixed<'_>, rows: &Mixed<'_>, what: &str) -> Result<()> {
    let shape = |mixed: &Mixed<'_>| (mixed.dims(), mixed.columns());
    if shape(prototypes) == shape(rows) && prototypes.rows() > 0 {
        return Ok(());
    }
    let ((dims, columns), (own_dims, own_columns)) = (shape(prototypes), shape(rows));
    Err(Error::input(format!(
        "{what} has {} rows of {dims} numbers and {columns} categories, which do not go with rows of {own_dims} \
         numbers and {own_columns} categories",
        prototypes.rows()
    )))
}
