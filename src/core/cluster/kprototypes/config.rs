//! What the caller asks of k-prototypes, as it arrives and as it is once checked.

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
    /// What one category that differs costs; null for half the mean standard deviation of the columns of numbers.
    pub gamma: Value,
    /// The name of a [`Start`], in any case; none where the prototypes come with the call.
    pub init: Option<String>,
    /// How many runs, or "auto".
    pub n_init: Value,
    /// How many rounds at most.
    pub max_iter: Value,
    /// "size" for the largest cluster first, null for no order.
    pub label_order: Value,
    /// What every random number follows from.
    pub seed: u64,
    /// The names of the columns of numbers, where they have any.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// Where a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The rows nearest to values drawn column by column.
    Huang,
    /// Rows of common categories, far from each other: no chance in it.
    Cao,
    /// Any rows.
    Random,
    /// Prototypes that come with the call.
    Given,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) clusters: usize,
    pub(super) gamma: Option<f64>,
    pub(super) start: Start,
    pub(super) runs: usize,
    pub(super) max_iter: usize,
    pub(super) by_size: bool,
}

impl Config {
    pub(super) fn plan(&self) -> Result<Plan> {
        let starts = [("Huang", Start::Huang), ("Cao", Start::Cao), ("random", Start::Random)];
        let start = match &self.init {
            None => Start::Given,
            Some(init) => match starts.iter().find(|(word, _)| word.eq_ignore_ascii_case(init)) {
                Some((_, start)) => *start,
                None => choice("init", init, &starts)?,
            },
        };
        let given = (start == Start::Given).then_some("init gives the prototypes");
        let asked = match &self.n_init {
            Value::String(word) if word == "auto" => 10,
            other => count("n_init", other)?,
        };
        // Without chance in the start every run would be the same.
        let runs = if matches!(start, Start::Cao | Start::Given) { 1 } else { asked };
        let gamma = if self.gamma.is_null() { None } else { Some(not_negative("gamma", &self.gamma)?) };
        Ok(Plan {
            clusters: clusters("n_clusters", &self.n_clusters)?,
            gamma,
            start,
            runs,
            max_iter: count("max_iter", &self.max_iter)?,
            by_size: by_size(&self.label_order, given)?,
        })
    }
}
