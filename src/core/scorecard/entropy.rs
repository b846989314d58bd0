//! Weights by entropy: an indicator that tells customers apart weighs more. Shannon (1948); Hwang and Yoon (1981),
//! "Multiple Attribute Decision Making", section 3.

use rayon::prelude::*;
use serde::Deserialize;

use crate::{
    Error, Result,
    cancel::Cancel,
    column::Batch,
    math::sum::exact_sum,
    measure::{self, Piece},
};

/// How values become comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Each value as a share of its column's sum.
    Share,
    /// From 0 (worst) to 1 (best) first, then shares.
    Range,
}

/// What the caller asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntropyConfig {
    /// The columns, in the order of the frame that comes with it.
    pub columns: Vec<String>,
    /// Per column whether low values are good.
    pub descending: Vec<bool>,
    /// How values become comparable.
    pub scale: Scale,
}

/// One weight per column; they sum to 1. Rows in which a value is missing are left out.
pub fn entropy_weights(batches: &[Batch<'_>], config: &EntropyConfig, cancel: &Cancel) -> Result<Vec<f64>> {
    let pieces = measure::pieces(batches);
    let columns = config.columns.iter().enumerate();
    let columns =
        columns.map(|(position, name)| values(batches, position, name, &pieces)).collect::<Result<Vec<_>>>()?;
    let rows = columns.first().map_or(0, Vec::len);
    let complete: Vec<bool> = (0..rows)
        .map(|row| columns.iter().all(|column| column.get(row).is_some_and(|value| !value.is_nan())))
        .collect();
    let count = complete.iter().filter(|complete| **complete).count();
    if count < 2 {
        return Err(Error::input(format!(
            "{count} of {rows} rows have a value in every column; entropy weights need at least 2"
        )));
    }
    let diversities: Vec<Result<f64>> = columns
        .par_iter()
        .zip(config.columns.par_iter().zip(&config.descending))
        .map(|(column, (name, descending))| {
            cancel.check()?;
            diversity(name, column, &complete, count, config.scale, *descending)
        })
        .collect();
    let diversities = diversities.into_iter().collect::<Result<Vec<_>>>()?;
    let sum = exact_sum(diversities.iter().copied());
    if sum <= 0.0 {
        return Err(Error::input(
            "no column tells one row from another: every value of each is the same; choose other columns, or give \
             weights by hand",
        ));
    }
    Ok(diversities.iter().map(|diversity| diversity / sum).collect())
}

fn values(batches: &[Batch<'_>], position: usize, name: &str, pieces: &[Piece]) -> Result<Vec<f64>> {
    let measure = measure::measure(batches, position, name)?;
    let mut values = Vec::with_capacity(measure.len());
    for piece in pieces {
        measure.blocks(piece, |block| values.extend_from_slice(block));
    }
    if values.iter().any(|value| value.is_infinite()) { Err(measure.infinity(pieces)) } else { Ok(values) }
}

/// 1 minus the entropy of a column's shares: 0 where all values are the same.
fn diversity(
    name: &str,
    column: &[f64],
    complete: &[bool],
    count: usize,
    scale: Scale,
    descending: bool,
) -> Result<f64> {
    let rows = || column.iter().zip(complete).filter(|(_, complete)| **complete).map(|(value, _)| *value);
    let (low, high) =
        rows().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if scale == Scale::Share && low < 0.0 {
        let row = column.iter().position(|value| *value == low).unwrap_or_default();
        return Err(Error::input(format!(
            "column '{name}' is {low} in row {row}; shares of a sum need values of 0 or more: use scale=\"range\""
        )));
    }
    if low == high {
        return Ok(0.0);
    }
    let width = high - low;
    let placed = |value: f64| match (scale, descending) {
        (Scale::Share, _) => value,
        (Scale::Range, false) => (value - low) / width,
        (Scale::Range, true) => (high - value) / width,
    };
    let sum = exact_sum(rows().map(placed));
    if !width.is_finite() || !sum.is_finite() {
        return Err(Error::input(format!(
            "the values of column '{name}' are too large to sum; give them in another unit"
        )));
    }
    let term = |value: f64| {
        let share = placed(value) / sum;
        if share > 0.0 { share * share.ln() } else { 0.0 }
    };
    let entropy = -exact_sum(rows().map(term)) / (count as f64).ln();
    Ok((1.0 - entropy).max(0.0))
}
