//! K-means on small random batches (Sculley 2010, "Web-scale k-means clustering", WWW): each step moves the centres
//! towards the means of one batch, the less the more rows they have seen. Steps and stopping rules are scikit-learn's.

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        distance::Centres,
        matrix::{Matrix, Real},
        pack::Packed,
        parameters::{check_sum, count, not_negative},
        sums::Sums,
    },
    Clusters, check_rows, check_spread, check_starts, check_weights,
    config::{Config, Plan},
    lloyd::{self, largest_first},
    place::place,
    seed::Points,
};
use crate::{
    Error, Result,
    cancel::Cancel,
    pages::zeros,
    parallel::{for_each_mut, map_each},
    random::Random,
};

/// What the caller asks for beyond what all k-means have, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// What all k-means have.
    pub kmeans: Config,
    /// Rows per step.
    pub batch_size: Value,
    /// Rows the start is chosen from; null for three batches.
    pub init_size: Value,
    /// After so many steps without a better inertia the last one is done; null for never.
    pub max_no_improvement: Value,
    /// Centres that have seen less than this share of what the largest has start again at a random row.
    pub reassignment_ratio: Value,
    /// Whether rows are labelled in the end.
    pub compute_labels: bool,
}

/// The same, checked against the number of rows.
struct BatchPlan {
    kmeans: Plan,
    batch: usize,
    init_rows: usize,
    patience: Option<usize>,
    ratio: f64,
}

impl BatchConfig {
    fn plan(&self, rows: usize) -> Result<BatchPlan> {
        let kmeans = self.kmeans.plan()?;
        let batch = count("batch_size", &self.batch_size)?.min(rows);
        let init_rows = match &self.init_size {
            Value::Null => 3 * batch,
            given => count("init_size", given)?,
        };
        let init_rows = if init_rows < kmeans.clusters { 3 * kmeans.clusters } else { init_rows }.min(rows);
        let patience = match &self.max_no_improvement {
            Value::Null => None,
            given => Some(given.as_u64().ok_or_else(|| {
                Error::parameter(format!("max_no_improvement is {given}; wanted a whole number of at least 0, or None"))
            })? as usize),
        };
        let ratio = not_negative("reassignment_ratio", &self.reassignment_ratio)?;
        if ratio > 1.0 {
            return Err(Error::parameter(format!(
                "reassignment_ratio is {ratio}; wanted at most 1, as much as the centre that has seen most"
            )));
        }
        Ok(BatchPlan { kmeans, batch, init_rows, patience, ratio })
    }
}

/// Centres on their way.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving<T> {
    /// One behind the other, in the caller's coordinates.
    pub centres: Vec<T>,
    /// What rows are measured from.
    pub origin: Vec<T>,
    /// The weight each centre has seen.
    pub seen: Vec<f64>,
    /// Rows seen since centres were last looked over.
    pub since: usize,
}

/// The cluster of each row, and the inertia.
pub type Placed = (Vec<i32>, f64);

/// Fitted clusters, and how they came about.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchClusters<T> {
    /// The clusters; without labels where none were asked for.
    pub clusters: Clusters<T>,
    /// The weight each centre has seen.
    pub seen: Vec<f64>,
    /// How many batches.
    pub steps: usize,
}

/// Rows drawn with replacement, by weight.
struct Draw<'a, T> {
    matrix: &'a Matrix<'a, T>,
    origin: &'a [T],
    /// Running sums of the weights; none where all rows weigh the same.
    running: Vec<f64>,
    cancel: &'a Cancel,
}

impl<T: Real> Draw<'_, T> {
    fn row(&self, random: &mut Random) -> usize {
        let Some(total) = self.running.last() else { return random.below(self.matrix.rows()) };
        let goal = random.uniform() * total;
        self.running.partition_point(|sum| *sum <= goal).min(self.matrix.rows() - 1)
    }

    fn pack(&self, rows: impl Iterator<Item = usize>) -> Result<Packed<T>> {
        let values: Vec<T> = rows.flat_map(|row| self.matrix.row(row)).collect();
        Packed::new(&Matrix::of_rows(&values, self.origin.len()), self.origin, self.cancel)
    }

    fn batch(&self, size: usize, random: &mut Random) -> Result<Packed<T>> {
        self.pack((0..size).map(|_| self.row(random)))
    }
}

/// Groups rows by k-means on batches.
pub fn fit<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    starts: Option<&Matrix<'_, T>>,
    config: &BatchConfig,
    cancel: &Cancel,
) -> Result<BatchClusters<T>> {
    let rows = matrix.rows();
    let plan = config.plan(rows)?;
    check_rows(matrix, plan.kmeans.clusters)?;
    check_weights(weights, rows)?;
    let columns = &config.kmeans.columns;
    let starts = starts.map(|starts| check_starts(starts, &plan.kmeans, matrix.columns(), columns)).transpose()?;
    let (means, variance) = matrix.moments(columns, cancel)?;
    check_spread(matrix, variance)?;
    let tol = plan.kmeans.tol * variance;
    let origin: Vec<T> = means.into_iter().map(T::from_f64).collect();
    let mut total = 0.0;
    let running = weights.unwrap_or(&[]).iter().map(|weight| {
        total += weight;
        total
    });
    let draw = Draw { matrix, origin: &origin, running: running.collect(), cancel };
    let mut random = Random::stream(config.kmeans.seed, u64::MAX);
    let mut centres = first_centres(&draw, weights, starts.as_deref(), &plan, config.kmeans.seed, cancel)?;
    let clusters = plan.kmeans.clusters;
    let mut seen = vec![0.0; clusters];
    let mut since = 0;
    let most = (plan.kmeans.max_iter as u128 * rows as u128 / plan.batch as u128).max(1) as usize;
    let (mut steps, mut smooth, mut best, mut waited) = (0, None, f64::INFINITY, 0);
    while steps < most {
        let batch = draw.batch(plan.batch, &mut random)?;
        let before = centres.clone();
        // Drawn by weight, the batch's rows count alike.
        let points = Points { packed: &batch, weights: None };
        let inertia = step(points, &mut centres, &mut seen, cancel)? / plan.batch as f64;
        if due(&seen, &mut since, plan.batch) {
            restart(&batch, &mut centres, &mut seen, plan.ratio, &mut random);
        }
        steps += 1;
        if steps == 1 {
            continue; // what the start is worth, not a step
        }
        let share = (plan.batch as f64 * 2.0 / (rows as f64 + 1.0)).min(1.0);
        let now = smooth.map_or(inertia, |smooth: f64| smooth * (1.0 - share) + inertia * share);
        smooth = Some(now);
        let way: f64 = centres.iter().zip(&before).map(|(a, b)| (a.to_f64() - b.to_f64()).powi(2)).sum();
        if tol > 0.0 && way <= tol {
            break;
        }
        waited = if now < best { 0 } else { waited + 1 };
        best = best.min(now);
        if plan.patience.is_some_and(|patience| waited >= patience) {
            break;
        }
    }
    let mut centres = outside(&centres, &origin);
    if plan.kmeans.by_size {
        let (labels, _) = labelled(matrix, weights, &centres, &origin, columns, cancel)?;
        let mut sizes = vec![0.0; clusters];
        for (row, label) in labels.iter().enumerate() {
            if let Some(size) = sizes.get_mut(*label as usize) {
                *size += weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0));
            }
        }
        centres = largest_first(&centres, &sizes, origin.len());
        seen = largest_first(&seen, &sizes, 1);
    }
    let (labels, inertia) = if config.compute_labels {
        labelled(matrix, weights, &centres, &origin, columns, cancel)?
    } else {
        (Vec::new(), smooth.unwrap_or(0.0) * weights.map_or(rows as f64, |weights| weights.iter().sum()))
    };
    check_sum("inertia_", inertia)?;
    let rounds = (steps * plan.batch).div_ceil(rows);
    let found = seen.iter().filter(|seen| **seen > 0.0).count();
    let clusters = Clusters { centres, origin, labels, inertia, rounds, found };
    Ok(BatchClusters { clusters, seen, steps })
}

/// The best of `n_init` starts, each from rows of its own, by its inertia on yet other rows.
fn first_centres<T: Real>(
    draw: &Draw<'_, T>,
    weights: Option<&[f64]>,
    starts: Option<&[T]>,
    plan: &BatchPlan,
    seed: u64,
    cancel: &Cancel,
) -> Result<Vec<T>> {
    let rows = draw.matrix.rows();
    let sample = |random: &mut Random| -> Result<(Packed<T>, Option<Vec<f64>>)> {
        let chosen: Vec<usize> = (0..plan.init_rows).map(|_| random.below(rows)).collect();
        let own = |weights: &[f64]| chosen.iter().filter_map(|row| weights.get(*row).copied()).collect::<Vec<_>>();
        Ok((draw.pack(chosen.iter().copied())?, weights.map(own)))
    };
    let (trial, trial_weights) = sample(&mut Random::stream(seed, u64::MAX - 1))?;
    let mut best = None;
    for index in 0..plan.kmeans.runs {
        let mut random = Random::stream(seed, index as u64);
        let centres = if let Some(starts) = starts {
            plan.kmeans.given(starts, draw.origin, index)
        } else {
            let (rows, weights) = sample(&mut random)?;
            let points = Points { packed: &rows, weights: weights.as_deref() };
            plan.kmeans.drawn(points, &mut random, cancel)?
        };
        let points = Points { packed: &trial, weights: trial_weights.as_deref() };
        let inertia = if plan.kmeans.runs > 1 { inertia_of(points, &centres, cancel)? } else { 0.0 };
        if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
            best = Some((inertia, centres));
        }
    }
    Ok(best.map(|(_, centres)| centres).unwrap_or_default())
}

fn inertia_of<T: Real>(points: Points<'_, T>, centres: &[T], cancel: &Cancel) -> Result<f64> {
    step(points, &mut centres.to_vec(), &mut vec![0.0; centres.len() / points.packed.dims], cancel)
}

/// Moves each centre to the mean of all the weight it has seen, this batch included; the batch's inertia before that.
fn step<T: Real>(points: Points<'_, T>, centres: &mut [T], seen: &mut [f64], cancel: &Cancel) -> Result<f64> {
    let dims = points.packed.dims;
    let clusters = seen.len();
    let mut labels = vec![0; points.packed.values.len() / dims];
    let mut pieces = lloyd::pieces(points, &mut labels, clusters);
    let table = Centres::new(centres, dims);
    for_each_mut(&mut pieces, cancel, |piece| {
        piece.assign(&table, false);
        piece.sum_up(dims);
        Ok(())
    })?;
    let inertia = map_each(&pieces, cancel, |piece| Ok(piece.inertia(centres, dims)))?.iter().sum();
    let mut sums = Sums::new(clusters, dims);
    for piece in &pieces {
        sums.add(&piece.sums);
    }
    let moves = centres.chunks_exact_mut(dims).zip(sums.totals.chunks_exact(dims)).zip(&sums.weights).zip(seen);
    for (((centre, totals), weight), seen) in moves.filter(|(((_, _), weight), _)| **weight > 0.0) {
        let all = *seen + weight;
        for (c, total) in centre.iter_mut().zip(totals) {
            *c = T::from_f64((c.to_f64() * *seen + total) / all);
        }
        *seen = all;
    }
    Ok(inertia)
}

/// Whether centres are to be looked over: one has seen nothing, or ten rows per cluster have gone by.
fn due(seen: &[f64], since: &mut usize, batch: usize) -> bool {
    *since += batch;
    let due = seen.contains(&0.0) || *since >= 10 * seen.len();
    if due {
        *since = 0;
    }
    due
}

/// Puts centres that have seen less than `ratio` of what the largest has on random rows of the batch.
fn restart<T: Real>(batch: &Packed<T>, centres: &mut [T], seen: &mut [f64], ratio: f64, random: &mut Random) {
    let most = seen.iter().copied().fold(0.0, f64::max);
    let mut poor: Vec<usize> =
        seen.iter().enumerate().filter(|(_, seen)| **seen < ratio * most).map(|(cluster, _)| cluster).collect();
    let weight = |cluster: &usize| seen.get(*cluster).copied().unwrap_or(0.0);
    poor.sort_by(|a, b| weight(a).total_cmp(&weight(b)));
    poor.truncate(batch.rows / 2);
    if poor.is_empty() {
        return;
    }
    let rich = seen.iter().enumerate().filter(|(cluster, _)| !poor.contains(cluster));
    let least = rich.map(|(_, seen)| *seen).fold(f64::INFINITY, f64::min);
    let mut rows: Vec<usize> = (0..batch.rows).collect();
    for cluster in poor {
        let row = rows.swap_remove(random.below(rows.len()));
        if let Some(centre) = centres.chunks_exact_mut(batch.dims).nth(cluster) {
            centre.copy_from_slice(&batch.point(row));
        }
        // Not so little that it would start again at once.
        if let Some(seen) = seen.get_mut(cluster) {
            *seen = least;
        }
    }
}

fn labelled<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    centres: &[T],
    origin: &[T],
    columns: &[String],
    cancel: &Cancel,
) -> Result<Placed> {
    let mut labels = zeros(matrix.rows());
    let model = (Matrix::of_rows(centres, origin.len()), Matrix::of_rows(origin, origin.len()));
    let inertia = place(matrix, weights, (&model.0, &model.1), columns, Some(&mut labels), true, cancel)?;
    Ok((labels, inertia))
}

fn outside<T: Real>(centres: &[T], origin: &[T]) -> Vec<T> {
    centres.iter().zip(origin.iter().cycle()).map(|(c, origin)| *c + *origin).collect()
}

/// One step on rows that are the batch; `before` is what the last one left, none for the first. Then the cluster of
/// each row and the inertia, where labels are asked for.
pub fn partial<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    starts: Option<&Matrix<'_, T>>,
    before: Option<Moving<T>>,
    steps: u64,
    config: &BatchConfig,
    cancel: &Cancel,
) -> Result<(Moving<T>, Option<Placed>)> {
    let plan = config.plan(matrix.rows())?;
    if plan.kmeans.by_size {
        return Err(Error::parameter(
            "label_order is 'size', which partial_fit cannot keep to; leave it out, or call fit",
        ));
    }
    check_weights(weights, matrix.rows())?;
    let columns = &config.kmeans.columns;
    let (means, _) = matrix.moments(columns, cancel)?;
    let mut random = Random::stream(config.kmeans.seed, u64::MAX - steps);
    let mut moving = if let Some(before) = before {
        before
    } else {
        check_rows(matrix, plan.kmeans.clusters)?;
        let starts = starts.map(|starts| check_starts(starts, &plan.kmeans, matrix.columns(), columns)).transpose()?;
        let origin: Vec<T> = means.into_iter().map(T::from_f64).collect();
        let draw = Draw { matrix, origin: &origin, running: Vec::new(), cancel };
        let centres = first_centres(&draw, weights, starts.as_deref(), &plan, config.kmeans.seed, cancel)?;
        let centres = outside(&centres, &origin);
        Moving { centres, origin, seen: vec![0.0; plan.kmeans.clusters], since: 0 }
    };
    let packed = Packed::new(matrix, &moving.origin, cancel)?;
    let inside = moving.centres.iter().zip(moving.origin.iter().cycle()).map(|(c, origin)| *c - *origin);
    let mut centres: Vec<T> = inside.collect();
    step(Points { packed: &packed, weights }, &mut centres, &mut moving.seen, cancel)?;
    if due(&moving.seen, &mut moving.since, matrix.rows()) {
        restart(&packed, &mut centres, &mut moving.seen, plan.ratio, &mut random);
    }
    moving.centres = outside(&centres, &moving.origin);
    let wanted = config.compute_labels;
    let labels = wanted.then(|| labelled(matrix, weights, &moving.centres, &moving.origin, columns, cancel));
    Ok((moving, labels.transpose()?))
}
