//! The components themselves: made from moments, kept positive definite, looked over, and put in the caller's terms.

use super::{
    config::Covariance,
    density::{Roots, Table},
    sweep::Moments,
};
use crate::math::cholesky::{cholesky, flat_column, invert_lower, times_transpose, transpose};

/// Weights, means, covariances and the upper triangles P of the precisions P Pᵀ, each in scikit-learn's shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    pub(super) weights: Vec<f64>,
    pub(super) means: Vec<f64>,
    pub(super) covariances: Vec<f64>,
    pub(super) roots: Vec<f64>,
    /// The components whose covariance was not positive definite until more than `reg_covar` was added.
    pub(super) raised: Vec<bool>,
}

/// What does not change from one round to the next.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) covariance: Covariance,
    pub(super) dims: usize,
    pub(super) components: usize,
    /// Added to every variance.
    pub(super) regular: f64,
    /// The variance of every column.
    pub(super) variances: Vec<f64>,
}

impl Frame {
    /// What the moments say, measured from one centre per component.
    pub(super) fn estimate(&self, moments: &Moments, centres: &[f64]) -> Model {
        let dims = self.dims;
        // As scikit-learn: a component that has lost all rows still divides by something.
        let weights: Vec<f64> = moments.weights.iter().map(|weight| weight + 10.0 * f64::EPSILON).collect();
        let each = || moments.firsts.chunks_exact(dims).zip(&weights);
        let steps: Vec<f64> = each().flat_map(|(first, weight)| first.iter().map(move |sum| sum / weight)).collect();
        let size = if self.covariance.axes() { dims } else { dims * dims };
        let seconds = moments.seconds.chunks_exact(size).zip(steps.chunks_exact(dims)).zip(&weights);
        let own: Vec<Vec<f64>> = seconds.map(|((sums, step), weight)| self.spread(sums, step, *weight)).collect();
        let (covariances, roots, raised) = self.regularised(&own, &weights);
        let total: f64 = weights.iter().sum();
        Model {
            means: centres.iter().zip(&steps).map(|(centre, step)| centre + step).collect(),
            weights: weights.iter().map(|weight| weight / total).collect(),
            covariances,
            roots,
            raised,
        }
    }

    /// One component's variances, or its covariance.
    fn spread(&self, sums: &[f64], step: &[f64], weight: f64) -> Vec<f64> {
        if self.covariance.axes() {
            return sums.iter().zip(step).map(|(sum, step)| (sum / weight - step * step).max(0.0)).collect();
        }
        let product = |place: usize| {
            let one = |place: usize| step.get(place).copied().unwrap_or(0.0);
            one(place / self.dims) * one(place % self.dims)
        };
        sums.iter().enumerate().map(|(place, sum)| sum / weight - product(place)).collect()
    }

    /// All covariances in their shape, with their roots.
    fn regularised(&self, own: &[Vec<f64>], weights: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<bool>) {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let all: Vec<Vec<f64>> = match self.covariance {
            Covariance::Full | Covariance::Diag => own.to_vec(),
            Covariance::Spherical => own.iter().map(|variances| vec![mean(variances)]).collect(),
            Covariance::Tied => {
                let total: f64 = weights.iter().sum();
                let mut tied = vec![0.0; self.dims * self.dims];
                for (own, weight) in own.iter().zip(weights) {
                    tied.iter_mut().zip(own).for_each(|(sum, value)| *sum += value * (weight / total));
                }
                vec![tied]
            }
        };
        let (mut covariances, mut roots, mut raised) = (Vec::new(), Vec::new(), Vec::new());
        for mut covariance in all {
            self.diagonal(&mut covariance).for_each(|variance| *variance += self.regular);
            let (root, more) = self.root(&mut covariance);
            covariances.extend(covariance);
            roots.extend(root);
            raised.push(more);
        }
        raised.resize(self.components, raised.first().copied().unwrap_or(false)); // a tied one is everyone's
        (covariances, roots, raised)
    }

    /// The variances in one covariance.
    fn diagonal<'a>(&self, covariance: &'a mut [f64]) -> impl Iterator<Item = &'a mut f64> + use<'a> {
        covariance.iter_mut().step_by(if self.covariance.axes() { 1 } else { self.dims + 1 })
    }

    /// The root of one covariance's inverse; where there is none, variances are raised until there is, and that is said.
    fn root(&self, covariance: &mut [f64]) -> (Vec<f64>, bool) {
        let found = |covariance: &[f64]| {
            if !self.covariance.axes() {
                return cholesky(covariance, self.dims)
                    .map(|lower| transpose(&invert_lower(&lower, self.dims), self.dims));
            }
            let usable = covariance.iter().all(|variance| *variance > 0.0 && variance.is_finite());
            usable.then(|| covariance.iter().map(|variance| 1.0 / variance.sqrt()).collect())
        };
        let mean = self.variances.iter().sum::<f64>() / self.dims as f64;
        let mut more = if mean > 0.0 { 1e-6 * mean } else { 1e-6 };
        for tries in 0..60 {
            if let Some(root) = found(covariance) {
                return (root, tries > 0);
            }
            self.diagonal(covariance).for_each(|variance| *variance += more);
            more *= 10.0;
        }
        covariance.fill(0.0); // not reached with numbers
        self.diagonal(covariance).for_each(|variance| *variance = 1.0);
        (covariance.to_vec(), true)
    }

    /// From precisions in the caller's shape: their roots, unless one is not positive definite.
    pub(super) fn roots_of(&self, precisions: &[f64]) -> Option<Vec<f64>> {
        if self.covariance.axes() {
            let usable = precisions.iter().all(|precision| *precision > 0.0 && precision.is_finite());
            return usable.then(|| precisions.iter().map(|precision| precision.sqrt()).collect());
        }
        let dims = self.dims;
        let mut roots = Vec::with_capacity(precisions.len());
        for precision in precisions.chunks_exact(dims * dims) {
            let turned = transpose(precision, dims);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-8 + 1e-5 * b.abs();
            if !precision.iter().zip(&turned).all(near) {
                return None;
            }
            // With rows and columns in reverse order a lower triangle is an upper one.
            let reversed: Vec<f64> = precision.iter().rev().copied().collect();
            roots.extend(cholesky(&reversed, dims)?.into_iter().rev());
        }
        Some(roots)
    }

    /// The precisions, in the shape of the covariances.
    pub(super) fn precisions(&self, roots: &[f64]) -> Vec<f64> {
        if self.covariance.axes() {
            return roots.iter().map(|root| root * root).collect();
        }
        roots.chunks_exact(self.dims * self.dims).flat_map(|root| times_transpose(root, self.dims)).collect()
    }

    /// How many numbers a covariance has.
    pub(super) fn covariance_len(&self) -> usize {
        let one = match self.covariance {
            Covariance::Full | Covariance::Tied => self.dims * self.dims,
            Covariance::Diag => self.dims,
            Covariance::Spherical => 1,
        };
        one * if self.covariance == Covariance::Tied { 1 } else { self.components }
    }

    /// The densities of components as the loops want them.
    pub(super) fn table(&self, weights: &[f64], means: &[f64], roots: &[f64]) -> Table {
        let dims = self.dims;
        let spread: Vec<f64> = match self.covariance {
            Covariance::Full | Covariance::Diag => roots.to_vec(),
            Covariance::Tied => roots.iter().copied().cycle().take(self.components * dims * dims).collect(),
            Covariance::Spherical => roots.iter().flat_map(|root| std::iter::repeat_n(*root, dims)).collect(),
        };
        let (size, step) = if self.covariance.axes() { (dims, 1) } else { (dims * dims, dims + 1) };
        let half = 0.5 * dims as f64 * std::f64::consts::TAU.ln();
        let height = |(weight, root): (&f64, &[f64])| {
            weight.ln() - half + root.iter().step_by(step).map(|root| root.ln()).sum::<f64>()
        };
        let heights = weights.iter().zip(spread.chunks_exact(size)).map(height).collect();
        let roots = if self.covariance.axes() { Roots::Axes(spread) } else { Roots::triangles(&spread, dims) };
        Table { dims, means: means.to_vec(), roots, heights }
    }

    /// Whether the moments of a component, measured from `centres`, lost digits because its mean lies elsewhere.
    pub(super) fn blurred(&self, model: &Model, centres: &[f64]) -> bool {
        let apart = |component: usize| {
            let own = component * self.dims..(component + 1) * self.dims;
            let means = model.means.get(own.clone()).unwrap_or(&[]).iter();
            means.zip(centres.get(own).unwrap_or(&[])).map(|(mean, centre)| (mean - centre).powi(2)).fold(0.0, f64::max)
        };
        (0..self.components).any(|component| apart(component) > 1e4 * self.least_variance(model, component))
    }

    fn least_variance(&self, model: &Model, component: usize) -> f64 {
        let one = self.covariance_len() / if self.covariance == Covariance::Tied { 1 } else { self.components };
        let own = if self.covariance == Covariance::Tied { 0 } else { component };
        let covariance = model.covariances.get(own * one..(own + 1) * one).unwrap_or(&[]);
        let step = if self.covariance.axes() { 1 } else { self.dims + 1 };
        covariance.iter().step_by(step).copied().fold(f64::INFINITY, f64::min)
    }

    /// The components that have collapsed: which, and in which column they are flat where one can be named.
    pub(super) fn collapsed(&self, model: &Model) -> Vec<(usize, Option<usize>)> {
        let one = self.covariance_len() / if self.covariance == Covariance::Tied { 1 } else { self.components };
        // Flat only by itself: not where regularisation is meant to say more, nor where the whole column is.
        let least = |column: usize| match self.variances.get(column) {
            Some(variance) if *variance > 0.0 => (4.0 * self.regular).min(1e-4 * variance),
            _ => -1.0,
        };
        let flat = |covariance: &[f64]| match self.covariance {
            Covariance::Full | Covariance::Tied => flat_column(covariance, self.dims, least).map(Some),
            Covariance::Diag => {
                covariance.iter().enumerate().position(|(column, value)| *value <= least(column)).map(Some)
            }
            Covariance::Spherical => {
                let most = (0..self.dims).map(least).fold(-1.0, f64::max);
                covariance.first().is_some_and(|value| *value <= most).then_some(None)
            }
        };
        let each = model.covariances.chunks_exact(one.max(1)).cycle().zip(&model.raised).enumerate();
        each.filter_map(|(component, (covariance, raised))| {
            flat(covariance).or(raised.then_some(None)).map(|column| (component, column))
        })
        .collect()
    }
}

impl Model {
    /// The components in falling order of weight; of equal ones the first stays first.
    pub(super) fn largest_first(&self, tied: bool) -> Self {
        let mut order: Vec<usize> = (0..self.weights.len()).collect();
        let weight = |component: &usize| self.weights.get(*component).copied().unwrap_or(0.0);
        order.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        let ordered = |values: &[f64]| -> Vec<f64> {
            let size = values.len() / order.len().max(1);
            let part = |component: &usize| values.get(component * size..(component + 1) * size).unwrap_or(&[]);
            order.iter().flat_map(part).copied().collect()
        };
        let shared = |values: &[f64]| if tied { values.to_vec() } else { ordered(values) };
        Self {
            weights: ordered(&self.weights),
            means: ordered(&self.means),
            covariances: shared(&self.covariances),
            roots: shared(&self.roots),
            raised: order.iter().map(|component| self.raised.get(*component).copied().unwrap_or(false)).collect(),
        }
    }
}
