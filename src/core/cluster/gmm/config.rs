//! What the caller asks of a mixture, as it arrives and as it is once checked.

use serde::Deserialize;
use serde_json::Value;

use super::super::parameters::{by_size, clusters, count, not_negative};
use crate::{Result, config::choice};

/// What the caller asks for, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many components.
    pub n_components: Value,
    /// The name of a [`Covariance`].
    pub covariance_type: String,
    /// A round that changes the mean log-likelihood by less is the last.
    pub tol: Value,
    /// Added to every variance.
    pub reg_covar: Value,
    /// How many rounds at most.
    pub max_iter: Value,
    /// How many runs.
    pub n_init: Value,
    /// The name of a [`Start`].
    pub init_params: String,
    /// "size" for the largest component first, null for no order.
    pub label_order: Value,
    /// What every random number follows from.
    pub seed: u64,
    /// Whether the component of each row is wanted.
    pub labels: bool,
    /// The columns' names, where they have any.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// What components may differ in, and where they may lean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariance {
    /// Each has its own covariance.
    Full,
    /// All share one.
    Tied,
    /// Each has its own variances, and no covariances.
    Diag,
    /// Each has one variance.
    Spherical,
}

impl Covariance {
    /// By its name in Python.
    pub fn named(name: &str) -> Result<Self> {
        let known = [("full", Self::Full), ("tied", Self::Tied), ("diag", Self::Diag), ("spherical", Self::Spherical)];
        choice("covariance_type", name, &known)
    }

    /// Whether only variances are of interest.
    pub(super) fn axes(self) -> bool {
        matches!(self, Self::Diag | Self::Spherical)
    }
}

/// Where a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the clusters of k-means.
    KMeans,
    /// From rows far from each other.
    PlusPlus,
    /// Every row belongs to every component by chance.
    Random,
    /// From any rows.
    Rows,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) components: usize,
    pub(super) covariance: Covariance,
    pub(super) tol: f64,
    pub(super) regular: f64,
    pub(super) max_iter: usize,
    pub(super) runs: usize,
    pub(super) start: Start,
    pub(super) by_size: bool,
}

impl Config {
    pub(super) fn plan(&self, given: bool) -> Result<Plan> {
        let given = given.then_some("weights_init, means_init or precisions_init give components");
        let starts = [
            ("kmeans", Start::KMeans),
            ("k-means++", Start::PlusPlus),
            ("random", Start::Random),
            ("random_from_data", Start::Rows),
        ];
        Ok(Plan {
            components: clusters("n_components", &self.n_components)?,
            covariance: Covariance::named(&self.covariance_type)?,
            tol: not_negative("tol", &self.tol)?,
            regular: not_negative("reg_covar", &self.reg_covar)?,
            max_iter: count("max_iter", &self.max_iter)?,
            runs: count("n_init", &self.n_init)?,
            start: choice("init_params", &self.init_params, &starts)?,
            by_size: by_size(&self.label_order, given)?,
        })
    }
}
