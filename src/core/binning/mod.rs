//! From a measure to a few ordered bins: find edges once ([`fit`]), place values by them ever after
//! ([`transform`]), and put three scores together ([`rfm`]).

mod config;
mod count;
mod kmeans;
mod quantile;
mod rfm;

use rayon::prelude::*;

pub use config::{ColumnConfig, Config, Strategy};
pub use rfm::{RfmScores, rfm};

use self::config::Plan;
use crate::{
    Result,
    cancel::Cancel,
    column::Batch,
    cuts::{Step, place, threshold},
    math::sum::{Sum, exact_sum},
    measure::{self, Measure, Piece},
};

/// The inner edges of one column's bins, ascending; they may coincide.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bins {
    /// One fewer than there are bins.
    pub edges: Vec<f64>,
    /// Per edge, whether a value equal to it lies in the upper bin (`x < edge` is lower) or, as usual, in the
    /// lower one (`x <= edge` is lower).
    pub left: Vec<bool>,
}

/// One small number per row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores {
    /// The score, or for a column with labels which of them; what stands in a missing row is the worst bin's.
    pub values: Vec<i8>,
    /// Which rows are missing; `None` when none is.
    pub missing: Option<Vec<bool>>,
}

/// Finds the bins of every column.
pub fn fit(batches: &[Batch<'_>], config: &Config, cancel: &Cancel) -> Result<Vec<Bins>> {
    if !config.weights.is_null() {
        rfm::weights(&config.weights)?;
    }
    let pieces = measure::pieces(batches);
    let plans: Vec<_> = config.columns.iter().map(|column| column.plan(config.most_bins)).collect::<Result<_>>()?;
    let measures = measures(batches, config)?;
    // Collected one by one, so that the error is the first column's and not that of the fastest thread.
    let bins: Vec<Result<Bins>> = measures
        .par_iter()
        .zip(plans)
        .zip(&config.columns)
        .map(|((measure, plan), column)| match plan {
            Plan::Given(bins) => Ok(bins),
            Plan::Learned(strategy, n_bins) => {
                let edges = learn(measure, &pieces, strategy, n_bins, cancel)?;
                // The mean and the median are good enough: a value equal to them lies on the good side.
                let left = matches!(strategy, Strategy::Mean | Strategy::Median) && !column.descending;
                Ok(Bins { left: vec![left; edges.len()], edges })
            }
        })
        .collect();
    bins.into_iter().collect()
}

fn measures<'a>(batches: &'a [Batch<'a>], config: &'a Config) -> Result<Vec<Measure<'a>>> {
    let columns = config.columns.iter().enumerate();
    columns.map(|(position, column)| measure::measure(batches, position, &column.name)).collect()
}

fn learn(
    measure: &Measure<'_>,
    pieces: &[Piece],
    strategy: Strategy,
    n_bins: usize,
    cancel: &Cancel,
) -> Result<Vec<f64>> {
    match strategy {
        Strategy::Quantile => quantile::edges(measure, pieces, n_bins, cancel),
        Strategy::Uniform => uniform(measure, pieces, n_bins),
        Strategy::Kmeans => kmeans::edges(measure, pieces, n_bins, cancel),
        Strategy::Mean => Ok(vec![mean(measure, pieces)?]),
        Strategy::Median => Ok(vec![quantile::median(measure, pieces, cancel)?]),
    }
}

/// The smallest and the largest value.
fn extremes(measure: &Measure<'_>, present: &[f64]) -> Result<(f64, f64)> {
    if present.is_empty() {
        return Err(measure.nothing());
    }
    Ok(present.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value))))
}

/// Edges at equal distances, as numpy.linspace has them.
fn uniform(measure: &Measure<'_>, pieces: &[Piece], n_bins: usize) -> Result<Vec<f64>> {
    let (low, high) = extremes(measure, &measure.present(pieces)?)?;
    let step = (high - low) / n_bins as f64;
    let edge = |index: usize| {
        if step.is_finite() {
            return index as f64 * step + low;
        }
        let share = index as f64 / n_bins as f64;
        low * (1.0 - share) + high * share
    };
    Ok((1..n_bins).map(|index| edge(index).clamp(low, high)).collect())
}

/// The exactly summed mean, within the values' range whatever the rounding.
fn mean(measure: &Measure<'_>, pieces: &[Piece]) -> Result<f64> {
    let present = measure.present(pieces)?;
    let (low, high) = extremes(measure, &present)?;
    let mut sum = Sum::default();
    for &value in &present {
        sum.add(value);
    }
    let total = sum.total().unwrap_or_else(|| exact_sum(present.iter().copied()));
    let count = present.len() as f64;
    let mean = if total.is_finite() {
        total / count
    } else {
        let unit = 2f64.powi(64);
        exact_sum(present.iter().map(|value| value / unit)) / count * unit
    };
    Ok(mean.clamp(low, high) + 0.0)
}

/// Scores every row of every column by bins found before.
pub fn transform(batches: &[Batch<'_>], config: &Config, bins: &[Bins], cancel: &Cancel) -> Result<Vec<Scores>> {
    let pieces = measure::pieces(batches);
    let measures = measures(batches, config)?;
    let rulers: Vec<_> =
        config.columns.iter().zip(bins).map(|(column, bins)| Ruler::new(column, bins)).collect::<Result<_>>()?;
    let scores: Vec<Result<Scores>> =
        measures.par_iter().zip(&rulers).map(|(measure, ruler)| ruler.scores(measure, &pieces, cancel)).collect();
    scores.into_iter().collect()
}

/// One column's edges and scores, ready to be held against values.
struct Ruler {
    lowest: i8,
    steps: Vec<Step>,
}

impl Ruler {
    fn new(column: &ColumnConfig, bins: &Bins) -> Result<Self> {
        let n_bins = bins.edges.len() + 1;
        let mut scores = column.outputs(n_bins)?.unwrap_or_else(|| (0..n_bins).map(|code| code as i8).collect());
        if column.descending {
            scores.reverse();
        }
        let more = scores.iter().zip(scores.iter().skip(1)).map(|(below, above)| above.wrapping_sub(*below));
        let thresholds = bins.edges.iter().zip(&bins.left).map(|(&edge, &left)| threshold(edge, left));
        let steps = thresholds.zip(more).map(|(threshold, more)| Step { threshold, more }).collect();
        Ok(Self { lowest: scores.first().copied().unwrap_or(0), steps })
    }

    fn scores(&self, measure: &Measure<'_>, pieces: &[Piece], cancel: &Cancel) -> Result<Scores> {
        let mut values = vec![0i8; measure.len()];
        let finite =
            each_block(measure, pieces, &mut values, cancel, |block, out| place(block, self.lowest, &self.steps, out))?;
        if finite {
            return Ok(Scores { values, missing: None });
        }
        let mut missing = vec![false; measure.len()];
        let numbers = each_block(measure, pieces, &mut missing, cancel, |block, out| {
            out.iter_mut().zip(block).for_each(|(out, value)| *out = value.is_nan());
            !block.iter().any(|value| value.is_infinite())
        })?;
        if numbers { Ok(Scores { values, missing: Some(missing) }) } else { Err(measure.infinity(pieces)) }
    }
}

/// Has `work` fill every block's part of a row-long slice; whether it said yes to all of them.
fn each_block<T: Send>(
    measure: &Measure<'_>,
    pieces: &[Piece],
    output: &mut [T],
    cancel: &Cancel,
    work: impl Fn(&[f64], &mut [T]) -> bool + Sync,
) -> Result<bool> {
    let answers = measure::split(output, pieces).into_par_iter().map(|(piece, mut out)| {
        cancel.check()?;
        let mut all = true;
        measure.blocks(piece, |block| {
            if let Some((front, rest)) = std::mem::take(&mut out).split_at_mut_checked(block.len()) {
                all &= work(block, front);
                out = rest;
            }
        });
        Ok(all)
    });
    answers.try_reduce(|| true, |a, b| Ok(a && b))
}
