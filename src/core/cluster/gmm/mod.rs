//! Gaussian mixtures by expectation and maximisation ([`fit`]), and rows held against a fitted one ([`predict`],
//! [`probabilities`], [`log_likelihoods`]).
//!
//! Dempster, Laird and Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".

mod config;
mod density;
mod model;
mod place;
mod sweep;
mod tile;

pub use config::{Config, Covariance, Start};
pub use place::{Components, log_likelihoods, predict, probabilities};

use self::{
    config::Plan,
    model::{Frame, Model},
    sweep::{Moments, Shares, Sweep},
    tile::TILE_ROWS,
};
use super::{
    kmeans::{self, Points},
    matrix::{Matrix, Real},
    pack::Packed,
};
use crate::{Error, Result, cancel::Cancel, parallel::map_each, random::Random};

/// A fitted mixture; arrays have scikit-learn's shapes, one value behind the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture<T> {
    /// The share of each component.
    pub weights: Vec<T>,
    /// One mean behind the other.
    pub means: Vec<T>,
    /// Covariances or variances.
    pub covariances: Vec<T>,
    /// Their inverses.
    pub precisions: Vec<T>,
    /// The upper triangles P of the inverses P Pᵀ.
    pub precisions_cholesky: Vec<T>,
    /// Whether the best run came to rest.
    pub converged: bool,
    /// Its rounds.
    pub rounds: usize,
    /// The mean log-likelihood of a row before its last step.
    pub lower_bound: f64,
    /// The component of each row, where they were asked for.
    pub labels: Option<Vec<i32>>,
    /// A sentence about components that have collapsed, if any has.
    pub collapsed: Option<String>,
}

/// What the caller says a run starts from, in the shapes of [`Mixture`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// The share of each component.
    pub weights: Option<&'a [f64]>,
    /// One mean behind the other.
    pub means: Option<&'a [f64]>,
    /// Inverses of covariances or variances.
    pub precisions: Option<&'a [f64]>,
}

/// Finds the components under which rows are most likely.
pub fn fit<T: Real>(matrix: &Matrix<'_, T>, given: Given<'_>, config: &Config, cancel: &Cancel) -> Result<Mixture<T>> {
    let plan = config.plan(given.weights.is_some() || given.means.is_some() || given.precisions.is_some())?;
    check_rows(matrix.rows(), plan.components)?;
    let (means, variances) = matrix.means_and_variances(&config.columns, cancel)?;
    let origin: Vec<T> = means.iter().map(|mean| T::from_f64(*mean)).collect();
    let frame = Frame {
        covariance: plan.covariance,
        dims: matrix.columns(),
        components: plan.components,
        regular: plan.regular,
        variances,
    };
    let roots = check_given(given, &frame)?;
    let packed = Packed::new(matrix, &origin, cancel)?;
    let sweep = Sweep { packed: &packed, components: plan.components, axes: plan.covariance.axes(), cancel };
    let from = |mean: (&f64, &T)| mean.0 - mean.1.to_f64();
    let means = given.means.map(|means| means.iter().zip(origin.iter().cycle()).map(from).collect());
    let given = Fixed { weights: given.weights.map(<[f64]>::to_vec), means, roots };
    let best = Runs { plan: &plan, frame: &frame, sweep, given, seed: config.seed }.best()?;
    let model = if plan.by_size { best.model.largest_first(plan.covariance == Covariance::Tied) } else { best.model };
    finish(matrix, &origin, &frame, &model, (best.bound, best.rounds, best.converged), config, cancel)
}

/// What stays as the caller gave it when a run starts; means are measured from the origin.
#[derive(Debug)]
struct Fixed {
    weights: Option<Vec<f64>>,
    means: Option<Vec<f64>>,
    roots: Option<Vec<f64>>,
}

/// What all runs of one fit share.
struct Runs<'a, T: Real> {
    plan: &'a Plan,
    frame: &'a Frame,
    sweep: Sweep<'a, T>,
    given: Fixed,
    seed: u64,
}

/// How one run ended.
struct Run {
    model: Model,
    bound: f64,
    rounds: usize,
    converged: bool,
}

impl<T: Real> Runs<'_, T> {
    /// The run with the highest likelihood; of equal ones the first.
    fn best(&self) -> Result<Run> {
        let whole = self.given.weights.is_some() && self.given.means.is_some() && self.given.roots.is_some();
        // Nothing is left to chance: all runs are the same.
        let indices: Vec<usize> = (0..if whole { 1 } else { self.plan.runs }).collect();
        // Few rows leave threads without work unless runs go side by side.
        let few = self.sweep.packed.rows <= sweep::rows_per_chunk(self.plan.components, self.frame.dims);
        let better = |best: Option<Run>, run: Run| match best {
            Some(best) if run.bound <= best.bound => Some(best),
            _ => Some(run),
        };
        let mut best = None;
        for indices in indices.chunks(if few { 64 } else { 1 }) {
            best = map_each(indices, self.sweep.cancel, |index| self.run(*index))?.into_iter().fold(best, better);
        }
        best.ok_or_else(|| Error::parameter("n_init is 0; wanted a whole number of at least 1"))
    }

    fn run(&self, index: usize) -> Result<Run> {
        let mut model = self.start(index)?;
        let (mut bound, mut rounds) = (f64::NEG_INFINITY, 0);
        loop {
            let table = self.frame.table(&model.weights, &model.means, &model.roots);
            let moments = self.sweep.moments(Shares::Model(&table), &model.means)?;
            let next = self.estimate(Shares::Model(&table), &moments, &model.means)?;
            let before = std::mem::replace(&mut bound, moments.log_likelihood / self.sweep.packed.rows as f64);
            model = next;
            rounds += 1;
            let converged = (bound - before).abs() < self.plan.tol;
            if converged || rounds == self.plan.max_iter {
                return Ok(Run { model, bound, rounds, converged });
            }
        }
    }

    /// What the moments say; where means lie far from what they were measured from, they are measured again from there.
    fn estimate(&self, shares: Shares<'_>, moments: &Moments, centres: &[f64]) -> Result<Model> {
        let model = self.frame.estimate(moments, centres);
        if !self.frame.blurred(&model, centres) {
            return Ok(model);
        }
        Ok(self.frame.estimate(&self.sweep.moments(shares, &model.means)?, &model.means))
    }

    /// Where run `index` starts.
    fn start(&self, index: usize) -> Result<Model> {
        let Fixed { weights, means, roots } = &self.given;
        if let (Some(weights), Some(means), Some(roots)) = (weights, means, roots) {
            let raised = vec![false; self.plan.components];
            let (weights, means, roots) = (weights.clone(), means.clone(), roots.clone());
            return Ok(Model { weights, means, covariances: Vec::new(), roots, raised });
        }
        let drawn = self.drawn(index)?;
        Ok(Model {
            weights: weights.clone().unwrap_or(drawn.weights),
            means: means.clone().unwrap_or(drawn.means),
            roots: roots.clone().unwrap_or(drawn.roots),
            ..drawn
        })
    }

    fn drawn(&self, index: usize) -> Result<Model> {
        let Sweep { packed, components, cancel, .. } = self.sweep;
        let points = Points { packed, weights: None };
        let random = &mut Random::stream(self.seed, index as u64);
        let wide = |centres: Vec<T>| -> Vec<f64> { centres.into_iter().map(T::to_f64).collect() };
        let rows = match self.plan.start {
            Start::KMeans => {
                let variance = self.frame.variances.iter().sum::<f64>() / self.frame.dims as f64;
                let (centres, labels) = kmeans::one_run(points, components, variance, random, cancel)?;
                let (centres, shares) = (wide(centres), Shares::Labels(&labels));
                return self.estimate(shares, &self.sweep.moments(shares, &centres)?, &centres);
            }
            Start::Random => {
                // Streams of their own: one per tile, behind those of all runs.
                let tiles = packed.rows.div_ceil(TILE_ROWS);
                let shares = Shares::Random(self.seed, (self.plan.runs + index * tiles) as u64);
                let centres = vec![0.0; components * self.frame.dims];
                return self.estimate(shares, &self.sweep.moments(shares, &centres)?, &centres);
            }
            Start::PlusPlus => wide(points.plus_plus(components, random, cancel)?),
            Start::Rows => wide(points.random(components, random)),
        };
        // As scikit-learn: one row is each component's own, and no other is anyone's.
        let mut moments = Moments::new(components, self.frame.dims, self.sweep.axes);
        moments.weights.fill(1.0);
        let model = self.frame.estimate(&moments, &rows);
        Ok(Model { weights: vec![1.0 / packed.rows as f64; components], ..model })
    }
}

/// Rounds to the caller's kind of number, and says all else from what that left.
fn finish<T: Real>(
    matrix: &Matrix<'_, T>,
    origin: &[T],
    frame: &Frame,
    model: &Model,
    (lower_bound, rounds, converged): (f64, usize, bool),
    config: &Config,
    cancel: &Cancel,
) -> Result<Mixture<T>> {
    let narrow = |values: &[f64]| -> Vec<T> { values.iter().map(|value| T::from_f64(*value)).collect() };
    let wide = |values: &[T]| -> Vec<f64> { values.iter().map(|value| value.to_f64()).collect() };
    let means: Vec<f64> = model.means.iter().zip(origin.iter().cycle()).map(|(mean, o)| mean + o.to_f64()).collect();
    let mut mixture = Mixture {
        weights: narrow(&model.weights),
        means: narrow(&means),
        covariances: narrow(&model.covariances),
        precisions: narrow(&frame.precisions(&model.roots)),
        precisions_cholesky: narrow(&model.roots),
        converged,
        rounds,
        lower_bound,
        labels: None,
        collapsed: sentence(&frame.collapsed(model), frame, &config.columns),
    };
    if config.labels {
        let (weights, means) = (wide(&mixture.weights), wide(&mixture.means));
        let precisions_cholesky = wide(&mixture.precisions_cholesky);
        let covariance = frame.covariance;
        let components =
            Components { weights: &weights, means: &means, precisions_cholesky: &precisions_cholesky, covariance };
        mixture.labels = Some(predict(matrix, components, &config.columns, cancel)?);
    }
    Ok(mixture)
}

/// What there is to say about components that have collapsed.
fn sentence(collapsed: &[(usize, Option<usize>)], frame: &Frame, columns: &[String]) -> Option<String> {
    let (_, column) = collapsed.first()?;
    let numbers: Vec<String> = collapsed.iter().map(|(component, _)| component.to_string()).collect();
    let (who, have) = match numbers.split_last()? {
        (last, []) => (format!("component {last}"), "has"),
        (last, others) => (format!("components {} and {last}", others.join(", ")), "have"),
    };
    let place = column.map_or_else(String::new, |column| {
        let name = columns.get(column).map_or_else(|| format!("column {column}"), |name| format!("column '{name}'"));
        format!(" in {name}, which hardly varies there beyond what other columns say,")
    });
    Some(format!(
        "{who} {have} collapsed{place} onto tied rows: only reg_covar={:e} or a little more keeps the density finite, so \
         the likelihood says little; ask for fewer components, a larger reg_covar or covariance_type='tied', or leave \
         tied columns out",
        frame.regular
    ))
}

fn check_rows(rows: usize, components: usize) -> Result<()> {
    if rows < 2 {
        return Err(Error::input(format!("n_samples={rows} is fewer than 2; one row has no spread: give more rows")));
    }
    if rows < components {
        return Err(Error::input(format!(
            "n_samples={rows} is fewer than n_components={components}; give more rows, or ask for fewer components"
        )));
    }
    Ok(())
}

/// The roots of given precisions; what is given and cannot be used is an error.
fn check_given(given: Given<'_>, frame: &Frame) -> Result<Option<Vec<f64>>> {
    let size = |name: &str, values: Option<&[f64]>, wanted: usize| match values {
        Some(values) if values.len() != wanted => Err(Error::parameter(format!(
            "{name} has {} numbers; wanted {wanted} for {} components and {} columns",
            values.len(),
            frame.components,
            frame.dims
        ))),
        _ => Ok(()),
    };
    size("weights_init", given.weights, frame.components)?;
    size("means_init", given.means, frame.components * frame.dims)?;
    size("precisions_init", given.precisions, frame.covariance_len())?;
    if let Some(weights) = given.weights {
        let sum: f64 = weights.iter().sum();
        if !weights.iter().all(|weight| (0.0..=1.0).contains(weight)) || (sum - 1.0).abs() > 1e-6 {
            return Err(Error::parameter(format!(
                "weights_init is {weights:?}; wanted numbers from 0 to 1 that add up to 1"
            )));
        }
    }
    if let Some(mean) =
        given.means.and_then(|means| means.iter().find(|mean| mean.is_nan() || mean.abs() > f64::LARGEST))
    {
        return Err(Error::parameter(format!("means_init holds {mean}; wanted numbers whose squares are numbers")));
    }
    let Some(precisions) = given.precisions else { return Ok(None) };
    let roots = frame.roots_of(precisions).ok_or_else(|| {
        Error::parameter(if frame.covariance.axes() {
            "precisions_init holds a number that is not positive; wanted inverse variances"
        } else {
            "precisions_init is not symmetric and positive definite; wanted inverse covariances"
        })
    })?;
    Ok(Some(roots))
}
