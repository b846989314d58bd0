//! Groups measured by their means: how wide each is, and how far apart they are.

use super::{
    super::matrix::{Matrix, Real},
    codes::{Labels, groups},
};
use crate::{Result, cancel::Cancel, config::choice, parallel::map_chunks};

/// Rows in one task.
const CHUNK_ROWS: usize = 1 << 14;
/// Rows brought into one form at a time.
const BLOCK_ROWS: usize = 256;

/// Groups of rows, measured from the mean of all.
struct Spread {
    dims: usize,
    rows: usize,
    counts: Vec<f64>,
    /// One behind the other.
    means: Vec<f64>,
    /// The sum over a group's rows of what was asked for.
    sums: Vec<f64>,
}

/// Sums `of_square`, applied to each row's squared distance from its group's mean, by group.
fn spread<T: Real>(
    matrix: &Matrix<'_, T>,
    labels: Labels<'_>,
    columns: &[String],
    of_square: impl Fn(f64) -> f64 + Sync,
    cancel: &Cancel,
) -> Result<Spread> {
    let (rows, dims) = (matrix.rows(), matrix.columns());
    let (codes, counts) = groups(labels, rows)?;
    let (origin, _) = matrix.moments(columns, cancel)?;
    let counts: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
    let totals = each_row(matrix, &codes, &origin, counts.len() * dims, cancel, |sums, code, row| {
        let own = sums.get_mut(code * dims..).unwrap_or_default();
        own.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    })?;
    let means: Vec<f64> = totals
        .chunks_exact(dims)
        .zip(&counts)
        .flat_map(|(totals, count)| totals.iter().map(move |total| total / count))
        .collect();
    let sums = each_row(matrix, &codes, &origin, counts.len(), cancel, |sums, code, row| {
        let mean = means.get(code * dims..).unwrap_or(&[]);
        let square = row.iter().zip(mean).map(|(value, mean)| (value - mean) * (value - mean)).sum();
        if let Some(sum) = sums.get_mut(code) {
            *sum += of_square(square);
        }
    })?;
    Ok(Spread { dims, rows, counts, means, sums })
}

/// Lets `work` add each row, measured from `origin`, to sums of its chunk; the chunks' sums are added in order.
fn each_row<T: Real>(
    matrix: &Matrix<'_, T>,
    codes: &[u32],
    origin: &[f64],
    len: usize,
    cancel: &Cancel,
    work: impl Fn(&mut [f64], usize, &[f64]) + Sync,
) -> Result<Vec<f64>> {
    let dims = origin.len();
    let partial = map_chunks(matrix.rows(), CHUNK_ROWS, cancel, |chunk| {
        let mut sums = vec![0.0; len];
        let mut points = Vec::with_capacity(BLOCK_ROWS * dims);
        for first in chunk.clone().step_by(BLOCK_ROWS) {
            let rows = first..chunk.end.min(first + BLOCK_ROWS);
            matrix.points(rows.clone(), origin, &mut points);
            for (row, code) in points.chunks_exact(dims).zip(codes.get(rows).unwrap_or_default()) {
                work(&mut sums, *code as usize, row);
            }
        }
        Ok(sums)
    })?;
    let mut sums = vec![0.0; len];
    for part in &partial {
        sums.iter_mut().zip(part).for_each(|(sum, more)| *sum += more);
    }
    Ok(sums)
}

/// A quality of groups that their means tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpreadScore {
    /// See [`davies_bouldin`].
    DaviesBouldin,
    /// See [`calinski_harabasz`].
    CalinskiHarabasz,
}

impl SpreadScore {
    /// The one of that name.
    pub fn named(word: &str) -> Result<Self> {
        choice("score", word, &[("davies_bouldin", Self::DaviesBouldin), ("calinski_harabasz", Self::CalinskiHarabasz)])
    }

    /// The score of a grouping.
    pub fn of<T: Real>(
        self,
        matrix: &Matrix<'_, T>,
        labels: Labels<'_>,
        columns: &[String],
        cancel: &Cancel,
    ) -> Result<f64> {
        match self {
            Self::DaviesBouldin => davies_bouldin(matrix, labels, columns, cancel),
            Self::CalinskiHarabasz => calinski_harabasz(matrix, labels, columns, cancel),
        }
    }
}

/// Calinski and Harabasz (1974): how much farther apart groups are than they are wide; more is better.
pub fn calinski_harabasz<T: Real>(
    matrix: &Matrix<'_, T>,
    labels: Labels<'_>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<f64> {
    let spread = spread(matrix, labels, columns, |square| square, cancel)?;
    let within: f64 = spread.sums.iter().sum();
    // The mean of all rows is the origin, but for rounding; the groups' means say what it is.
    let all: Vec<f64> = (0..spread.dims)
        .map(|dim| {
            let means = spread.means.iter().skip(dim).step_by(spread.dims);
            means.zip(&spread.counts).map(|(mean, count)| mean * count).sum::<f64>() / spread.rows as f64
        })
        .collect();
    let between: f64 = spread
        .means
        .chunks_exact(spread.dims)
        .zip(&spread.counts)
        .map(|(mean, count)| count * square(mean, &all))
        .sum();
    let groups = spread.counts.len() as f64;
    Ok(if within == 0.0 { 1.0 } else { between * (spread.rows as f64 - groups) / (within * (groups - 1.0)) })
}

/// Davies and Bouldin (1979): the mean likeness of each group to the one most like it; less is better.
pub fn davies_bouldin<T: Real>(
    matrix: &Matrix<'_, T>,
    labels: Labels<'_>,
    columns: &[String],
    cancel: &Cancel,
) -> Result<f64> {
    let spread = spread(matrix, labels, columns, f64::sqrt, cancel)?;
    let widths: Vec<f64> = spread.sums.iter().zip(&spread.counts).map(|(sum, count)| sum / count).collect();
    let groups: Vec<(&[f64], f64)> = spread.means.chunks_exact(spread.dims).zip(widths).collect();
    // Groups of equal rows, or all in one place, have no likeness to measure: scikit-learn's tolerance of 1e-8.
    let mut apart_at_all = false;
    let mut worst = vec![0.0f64; groups.len()];
    for ((mean, width), worst) in groups.iter().zip(&mut worst) {
        for (other, other_width) in &groups {
            let apart = square(mean, other).sqrt();
            apart_at_all |= apart > 1e-8;
            if apart > 0.0 {
                *worst = worst.max((width + other_width) / apart);
            }
        }
    }
    if !apart_at_all || groups.iter().all(|(_, width)| *width <= 1e-8) {
        return Ok(0.0);
    }
    Ok(worst.iter().sum::<f64>() / worst.len() as f64)
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
