//! Three scores together: the cell a customer stands in, and the weighted mean.

use rayon::prelude::*;
use serde_json::Value;

use super::{Bins, Config, Scores, config::ColumnConfig, transform};
use crate::{Error, Result, cancel::Cancel, column::Batch, parallel::CHUNK_ROWS, vector::widest};

/// Rows put together at a time, in the nearest cache.
const PART: usize = 4096;

/// The scores of recency, frequency and monetary value, and what they make together.
#[derive(Debug, Clone, PartialEq)]
pub struct RfmScores {
    /// One per column, in the order of the configuration.
    pub scores: Vec<Scores>,
    /// Every row's place in `cells`; -1 where a score is missing.
    pub cell: Vec<i16>,
    /// Every row's weighted mean score; NaN where a score is missing.
    pub score: Vec<f64>,
    /// Every possible cell, "111" to "555", worst to best.
    pub cells: Vec<String>,
}

/// Scores three columns by bins found before and puts the scores together.
pub fn rfm(batches: &[Batch<'_>], config: &Config, bins: &[Bins], cancel: &Cancel) -> Result<RfmScores> {
    let weights = weights(&config.weights)?;
    let grid = Grid::new(&config.columns, bins, weights)?;
    let scores = transform(batches, config, bins, cancel)?;
    let [recency, frequency, monetary] = scores.as_slice() else {
        return Err(Error::parameter("RFM scores need three columns: recency, frequency and monetary"));
    };
    let axes = [recency, frequency, monetary];
    let mut cell = vec![0i16; recency.values.len()];
    let mut score = vec![0f64; recency.values.len()];
    let chunks = cell.par_chunks_mut(CHUNK_ROWS).zip(score.par_chunks_mut(CHUNK_ROWS)).enumerate();
    chunks.try_for_each(|(chunk, (cells, means))| {
        cancel.check()?;
        for (part, (cells, means)) in cells.chunks_mut(PART).zip(means.chunks_mut(PART)).enumerate() {
            let first = chunk * CHUNK_ROWS + part * PART;
            locate(&grid.steps, axes.map(|axis| axis.values.get(first..).unwrap_or(&[])), cells);
            for missing in axes.iter().filter_map(|axis| axis.missing.as_ref()?.get(first..)) {
                cells.iter_mut().zip(missing).for_each(|(cell, missing)| *cell = if *missing { -1 } else { *cell });
            }
            for (mean, cell) in means.iter_mut().zip(cells) {
                *mean = usize::try_from(*cell).ok().and_then(|cell| grid.means.get(cell)).copied().unwrap_or(f64::NAN);
            }
        }
        Ok(())
    })?;
    Ok(RfmScores { scores, cell, score, cells: grid.names })
}

/// Three weights, none negative and not all zero.
pub(super) fn weights(value: &Value) -> Result<[f64; 3]> {
    let wrong = || {
        Error::parameter(format!(
            "weights is {value}; wanted three numbers for recency, frequency and monetary, none negative and not all zero"
        ))
    };
    let list: Vec<f64> = value
        .as_array()
        .ok_or_else(wrong)?
        .iter()
        .map(|weight| weight.as_f64().ok_or_else(wrong))
        .collect::<Result<_>>()?;
    let weights: [f64; 3] = list.try_into().map_err(|_| wrong())?;
    let sum: f64 = weights.iter().sum();
    if weights.iter().any(|weight| *weight < 0.0) || sum <= 0.0 {
        return Err(wrong());
    }
    if !sum.is_finite() {
        return Err(Error::parameter(format!(
            "weights is {value}, which adds up to more than a float64 holds; divide them"
        )));
    }
    Ok(weights)
}

/// All combinations of three scores.
struct Grid {
    /// Per axis, what each score adds to the cell's number.
    steps: [Vec<(i8, i16)>; 3],
    means: Vec<f64>,
    names: Vec<String>,
}

impl Grid {
    fn new(columns: &[ColumnConfig], bins: &[Bins], weights: [f64; 3]) -> Result<Self> {
        let mut axes = Vec::with_capacity(3);
        for (column, bins) in columns.iter().zip(bins) {
            let mut axis = column.outputs(bins.edges.len() + 1)?.unwrap_or_default();
            let mut seen = [false; 256];
            axis.retain(|score| {
                seen.get_mut(usize::from(*score as u8)).is_some_and(|seen| !std::mem::replace(seen, true))
            });
            axes.push(axis);
        }
        let one_digit =
            axes.iter().flatten().all(|score| (0..=9).contains(score)) && bins.iter().all(|bins| bins.edges.len() < 9);
        let separator = if one_digit { "" } else { "-" };
        let [recency, frequency, monetary] = axes.as_slice() else {
            return Err(Error::parameter("RFM scores need three columns: recency, frequency and monetary"));
        };
        let sum: f64 = weights.iter().sum();
        let strides = [frequency.len() * monetary.len(), monetary.len(), 1];
        let steps = [(recency, 0), (frequency, 1), (monetary, 2)].map(|(axis, position)| {
            let stride: usize = strides.get(position).copied().unwrap_or(0);
            // At most 20 * 20 * 20 cells.
            axis.iter().enumerate().map(|(place, score)| (*score, (place * stride) as i16)).collect()
        });
        let mut grid = Self { steps, means: Vec::new(), names: Vec::new() };
        for r in recency {
            for f in frequency {
                for m in monetary {
                    let [wr, wf, wm] = weights;
                    grid.means.push((wr * f64::from(*r) + wf * f64::from(*f) + wm * f64::from(*m)) / sum);
                    grid.names.push(format!("{r}{separator}{f}{separator}{m}"));
                }
            }
        }
        Ok(grid)
    }
}

widest! {
    /// The cells of some rows by their scores.
    fn locate(steps: &[Vec<(i8, i16)>; 3], scores: [&[i8]; 3], cells: &mut [i16]) = locate_each;
}

/// Holds every score against every step instead of looking it up: the same for all rows, so many at once.
#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn locate_each(steps: &[Vec<(i8, i16)>; 3], scores: [&[i8]; 3], cells: &mut [i16]) {
    cells.fill(0);
    for (steps, scores) in steps.iter().zip(scores) {
        for (of, step) in steps {
            for (cell, score) in cells.iter_mut().zip(scores) {
                *cell += step & -i16::from(score == of); // an if would become a branch
            }
        }
    }
}
