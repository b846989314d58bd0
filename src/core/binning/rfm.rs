//! Three scores together: the cell a customer stands in, and the weighted mean.

use serde_json::Value;

use super::{Bins, Config, Scores, config::ColumnConfig, transform};
use crate::{
    Error, Result,
    cancel::Cancel,
    column::Batch,
    parallel::{CHUNK_ROWS, fill_chunks},
};

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
    let missing =
        |row: usize| axes.iter().any(|axis| axis.missing.as_ref().is_some_and(|rows| rows.get(row) == Some(&true)));
    let some_missing = axes.iter().any(|axis| axis.missing.is_some());
    let mut cell = vec![0i16; recency.values.len()];
    fill_chunks(&mut cell, CHUNK_ROWS, cancel, |first, out| {
        let [recency, frequency, monetary] = axes.map(|axis| axis.values.get(first..).unwrap_or(&[]));
        for (((out, r), f), m) in out.iter_mut().zip(recency).zip(frequency).zip(monetary) {
            *out = grid.cell(*r, *f, *m);
        }
        if some_missing {
            let rows = out.iter_mut().enumerate().filter(|(row, _)| missing(first + row));
            rows.for_each(|(_, out)| *out = -1);
        }
        Ok(())
    })?;
    let mut score = vec![0f64; cell.len()];
    fill_chunks(&mut score, CHUNK_ROWS, cancel, |first, out| {
        for (out, cell) in out.iter_mut().zip(cell.get(first..).unwrap_or(&[])) {
            *out = usize::try_from(*cell).ok().and_then(|cell| grid.means.get(cell)).copied().unwrap_or(f64::NAN);
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
    if weights.iter().any(|weight| *weight < 0.0) || sum <= 0.0 || !sum.is_finite() {
        Err(wrong())
    } else {
        Ok(weights)
    }
}

/// All combinations of three scores.
struct Grid {
    /// Per axis, what a score adds to the cell's number; looked up by the score's byte.
    steps: [[i16; 256]; 3],
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
        let mut grid = Self { steps: [[0; 256]; 3], means: Vec::new(), names: Vec::new() };
        let strides = [frequency.len() * monetary.len(), monetary.len(), 1];
        for ((steps, axis), stride) in grid.steps.iter_mut().zip(&axes).zip(strides) {
            for (place, score) in axis.iter().enumerate() {
                if let Some(step) = steps.get_mut(usize::from(*score as u8)) {
                    *step = (place * stride) as i16; // at most 20 * 20 * 20 cells
                }
            }
        }
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

    #[inline]
    fn cell(&self, recency: i8, frequency: i8, monetary: i8) -> i16 {
        let [r, f, m] = &self.steps;
        let step = |steps: &[i16; 256], score: i8| steps.get(usize::from(score as u8)).copied().unwrap_or(0);
        step(r, recency) + step(f, frequency) + step(m, monetary)
    }
}
