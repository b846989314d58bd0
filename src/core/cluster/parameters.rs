//! The parameters clusterers share, checked in one place.

use serde_json::Value;

use super::distance::MOST_CLUSTERS;
use crate::{Error, Result};

/// A whole number of at least 1.
pub(super) fn count(parameter: &str, value: &Value) -> Result<usize> {
    value
        .as_u64()
        .filter(|count| *count > 0)
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| Error::parameter(format!("{parameter} is {value}; wanted a whole number of at least 1")))
}

/// A number of at least 0.
pub(super) fn not_negative(parameter: &str, value: &Value) -> Result<f64> {
    value
        .as_f64()
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| Error::parameter(format!("{parameter} is {value}; wanted a number of at least 0")))
}

/// Refuses a sum of squares that is no number any more.
pub(super) fn check_sum(what: &str, sum: f64) -> Result<()> {
    if sum.is_finite() {
        return Ok(());
    }
    Err(Error::input(format!(
        "{what} is more than any number: squared distances times weights (and gamma) add up beyond 1e308; divide the \
         columns, sample_weight or gamma by a power of ten"
    )))
}

/// How many clusters.
pub(super) fn clusters(parameter: &str, value: &Value) -> Result<usize> {
    match count(parameter, value)? {
        clusters if clusters > MOST_CLUSTERS => {
            Err(Error::parameter(format!("{parameter} is {clusters}; wanted at most {MOST_CLUSTERS}")))
        }
        clusters => Ok(clusters),
    }
}

/// Whether `label_order` asks for the largest cluster first, which cannot be where `given` says what has an order of
/// its own.
pub(super) fn by_size(label_order: &Value, given: Option<&str>) -> Result<bool> {
    match (label_order, given) {
        (Value::Null, _) => Ok(false),
        (Value::String(word), None) if word == "size" => Ok(true),
        (Value::String(word), Some(given)) if word == "size" => Err(Error::parameter(format!(
            "label_order is 'size', but {given} in an order of their own; leave one of them out"
        ))),
        (other, _) => Err(Error::parameter(format!("label_order is {other}; wanted None or 'size'"))),
    }
}
