//! What the caller asks of k-means, as it arrives and as it is once checked.

use serde::Deserialize;
use serde_json::Value;

use super::super::distance::MOST_CLUSTERS;
use crate::{Error, Result, error::choice};

/// What the caller asks for, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many clusters.
    pub n_clusters: Value,
    /// The name of a [`Start`].
    pub init: String,
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
    /// Reads the JSON the binding hands over.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|failure| Error::parameter(format!("the configuration is wrong: {failure}")))
    }

    pub(super) fn plan(&self) -> Result<Plan> {
        let start = choice(
            "init",
            &self.init,
            &[("k-means++", Start::PlusPlus), ("random", Start::Random), ("given", Start::Given)],
        )?;
        let by_size = match &self.label_order {
            Value::Null => false,
            Value::String(word) if word == "size" && start == Start::Given => {
                return Err(Error::parameter(
                    "label_order is 'size', but init gives the centres in an order of its own; leave one of them out",
                ));
            }
            Value::String(word) if word == "size" => true,
            other => return Err(Error::parameter(format!("label_order is {other}; wanted None or 'size'"))),
        };
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
        let clusters = count("n_clusters", &self.n_clusters)?;
        if clusters > MOST_CLUSTERS {
            return Err(Error::parameter(format!("n_clusters is {clusters}; wanted at most {MOST_CLUSTERS}")));
        }
        Ok(Plan {
            clusters,
            start,
            runs,
            max_iter: count("max_iter", &self.max_iter)?,
            tol: not_negative("tol", &self.tol)?,
            by_size,
        })
    }
}

/// A whole number of at least 1.
pub(in crate::cluster) fn count(parameter: &str, value: &Value) -> Result<usize> {
    value
        .as_u64()
        .filter(|count| *count > 0)
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| Error::parameter(format!("{parameter} is {value}; wanted a whole number of at least 1")))
}

/// A number of at least 0.
pub(in crate::cluster) fn not_negative(parameter: &str, value: &Value) -> Result<f64> {
    value
        .as_f64()
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| Error::parameter(format!("{parameter} is {value}; wanted a number of at least 0")))
}
