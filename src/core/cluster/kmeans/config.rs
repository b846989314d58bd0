//! What the caller asks of k-means, as it arrives and as it is once checked.

use serde::Deserialize;
use serde_json::Value;

use super::super::parameters::{by_size, clusters, count, not_negative};
use crate::{Result, config::choice};

/// What the caller asks for, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many clusters.
    pub n_clusters: Value,
    /// The name of a [`Start`]; none where the centres come with the call.
    pub init: Option<String>,
    /// How many runs, or "auto".
    pub n_init: Value,
    /// How many rounds at most.
    pub max_iter: Value,
    /// The way of all centres within which a round is the last, squared and relative to the columns' mean variance.
    pub tol: Value,
    /// "size" for the largest cluster first, null for no order.
    pub label_order: Value,
    /// What every random number follows from.
    pub seed: u64,
    /// The columns' names, where they have any.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// Where a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Rows far from each other.
    PlusPlus,
    /// Any rows.
    Random,
    /// Centres that come with the call, one set per run.
    Given,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) clusters: usize,
    pub(super) start: Start,
    pub(super) runs: usize,
    pub(super) max_iter: usize,
    pub(super) tol: f64,
    pub(super) by_size: bool,
}

impl Config {
    pub(super) fn plan(&self) -> Result<Plan> {
        let starts = [("k-means++", Start::PlusPlus), ("random", Start::Random)];
        let start = self.init.as_ref().map_or(Ok(Start::Given), |init| choice("init", init, &starts))?;
        let given = (start == Start::Given).then_some("init gives the centres");
        let runs = match &self.n_init {
            Value::String(word) if word == "auto" => {
                if start == Start::Random {
                    10
                } else {
                    1
                }
            }
            other => count("n_init", other)?,
        };
        Ok(Plan {
            clusters: clusters("n_clusters", &self.n_clusters)?,
            start,
            runs,
            max_iter: count("max_iter", &self.max_iter)?,
            tol: not_negative("tol", &self.tol)?,
            by_size: by_size(&self.label_order, given)?,
        })
    }
}
