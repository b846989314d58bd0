//! Weights by pairwise comparison, the analytic hierarchy process: Saaty (1977), "A scaling method for priorities in
//! hierarchical structures", Journal of Mathematical Psychology 15(3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// The mean consistency index of random matrices of 1 to 15 rows: Saaty (1980), "The Analytic Hierarchy Process",
/// McGraw-Hill, page 21.
const RANDOM_INDEX: [f64; 15] =
    [0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59];
/// The largest consistency ratio Saaty accepts.
const MOST_INCONSISTENT: f64 = 0.1;
/// How far a judgement times its reverse may be from 1: 0.33 may stand for a third, 0.17 for a sixth.
const ROUNDING: f64 = 0.05;

/// What the caller asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AhpConfig {
    /// What is compared.
    pub names: Vec<String>,
    /// Row i, column j: how many times as important i is as j. A number, or text such as "1/3"; null takes the
    /// reverse of its mirror image.
    pub matrix: Vec<Vec<Value>>,
    /// Whether inconsistent judgements are accepted.
    pub allow_inconsistent: bool,
}

/// Weights and how far the judgements contradict each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AhpWeights {
    /// One per name; they sum to 1.
    pub weights: Vec<f64>,
    /// The principal eigenvalue; as many as there are names when no judgement contradicts another.
    pub lambda_max: f64,
    /// `(lambda_max - n) / (n - 1)`.
    pub consistency_index: f64,
    /// The index by that of random judgements.
    pub consistency_ratio: f64,
}

impl AhpConfig {
    /// Who is compared with whom, for an error.
    fn pair(&self, row: usize, column: usize) -> String {
        let name = |place: usize| self.names.get(place).map_or("", String::as_str);
        format!("'{}' against '{}'", name(row), name(column))
    }

    /// Every judgement as a positive number, mirrored where only one side was given.
    fn judgements(&self) -> Result<Vec<Vec<f64>>> {
        let n = self.names.len();
        if !(1..=RANDOM_INDEX.len()).contains(&n) {
            return Err(Error::parameter(format!(
                "{n} indicators are compared; wanted 1 to {}: compare groups first, then within each",
                RANDOM_INDEX.len()
            )));
        }
        if self.matrix.len() != n || self.matrix.iter().any(|row| row.len() != n) {
            return Err(Error::parameter(format!(
                "the comparisons are no square of {n} by {n} judgements; wanted a row and a column for each of {}",
                self.names.join(", ")
            )));
        }
        let given = |row: usize, column: usize| -> Result<Option<f64>> {
            let value = self.matrix.get(row).and_then(|row| row.get(column)).unwrap_or(&Value::Null);
            if value.is_null() {
                return Ok(None);
            }
            number(value).map(Some).ok_or_else(|| {
                Error::parameter(format!(
                    "{} is {value}; wanted how many times as important it is: 1 to 9, or 1/9 to 1",
                    self.pair(row, column)
                ))
            })
        };
        let judged = |row: usize, column: usize| -> Result<f64> {
            match (given(row, column)?, given(column, row)?) {
                (None, None) if row == column => Ok(1.0),
                (None, None) => Err(Error::parameter(format!("nothing compares {}", self.pair(row, column)))),
                (Some(one), None) => Ok(one),
                (None, Some(other)) => Ok(1.0 / other),
                (Some(one), Some(other)) if (one * other - 1.0).abs() <= ROUNDING => Ok(one),
                (Some(one), Some(other)) => Err(Error::parameter(format!(
                    "{} is {one}, but the other way round it is {other}; wanted 1/{one}",
                    self.pair(row, column)
                ))),
            }
        };
        (0..n).map(|row| (0..n).map(|column| judged(row, column)).collect()).collect()
    }
}

/// A positive number, or a fraction as text.
fn number(value: &Value) -> Option<f64> {
    let read = match value.as_str() {
        None => value.as_f64()?,
        Some(text) => match text.split_once('/') {
            None => text.trim().parse().ok()?,
            Some((over, under)) => over.trim().parse::<f64>().ok()? / under.trim().parse::<f64>().ok()?,
        },
    };
    (read.is_finite() && read > 0.0).then_some(read)
}

/// The principal eigenvector of the judgements, and their consistency.
pub fn ahp_weights(config: &AhpConfig) -> Result<AhpWeights> {
    let matrix = config.judgements()?;
    let n = matrix.len();
    let mut weights = vec![1.0 / n as f64; n];
    let mut lambda_max = n as f64;
    // A positive matrix has one largest eigenvalue, and the power method always finds its vector.
    for _ in 0..10_000 {
        let product: Vec<f64> = matrix
            .iter()
            .map(|row| row.iter().zip(&weights).map(|(judgement, weight)| judgement * weight).sum())
            .collect();
        lambda_max = product.iter().sum();
        let next: Vec<f64> = product.iter().map(|value| value / lambda_max).collect();
        let moved = next.iter().zip(&weights).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
        weights = next;
        if moved < 1e-16 {
            break;
        }
    }
    let random = RANDOM_INDEX.get(n - 1).copied().unwrap_or_default();
    let consistency_index = if n < 3 { 0.0 } else { ((lambda_max - n as f64) / (n as f64 - 1.0)).max(0.0) };
    let consistency_ratio = if n < 3 { 0.0 } else { consistency_index / random };
    if consistency_ratio > MOST_INCONSISTENT && !config.allow_inconsistent {
        return Err(inconsistent(config, &matrix, &weights, consistency_ratio));
    }
    Ok(AhpWeights { weights, lambda_max, consistency_index, consistency_ratio })
}

/// The error that names the judgement furthest from what all the others imply.
fn inconsistent(config: &AhpConfig, matrix: &[Vec<f64>], weights: &[f64], ratio: f64) -> Error {
    let mut furthest = (0.0, String::new());
    for (row, (judgements, weight)) in matrix.iter().zip(weights).enumerate() {
        for (column, (judgement, other)) in judgements.iter().zip(weights).enumerate() {
            let implied = weight / other;
            let distance = (judgement / implied).ln().abs();
            // Of a judgement and its mirror image the one that is more than 1 reads better.
            if *judgement >= 1.0 && distance > furthest.0 {
                furthest = (
                    distance,
                    format!("{} is {judgement}, where all together imply {implied:.2}", config.pair(row, column)),
                );
            }
        }
    }
    Error::parameter(format!(
        "the comparisons contradict each other: their consistency ratio is {ratio:.3}, more than {MOST_INCONSISTENT}. Look \
         again at the one furthest from the others: {}. allow_inconsistent=True takes them as they are",
        furthest.1
    ))
}
