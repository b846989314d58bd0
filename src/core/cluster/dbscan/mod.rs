//! DBSCAN (Ester, Kriegel, Sander and Xu 1996): a row with enough neighbours within eps is core; core rows that are
//! neighbours hang together and make a cluster; other neighbours of core rows are its border; what is left is noise.
//!
//! The kernel is ours. linfa's DBSCAN over a grid of ours (`tests/rust/linfa_grid.rs`) finds the same labels, but asks for
//! the neighbours of one row after the other, each list whole, on one thread and without an end to it when somebody
//! presses Ctrl-C: several times our processor time in 3 columns and more in 5.
//! `cargo run --release --example dbscan` prints both.

mod dense;
mod join;
mod number;
mod tree;

use serde::Deserialize;
use serde_json::Value;

use self::tree::{Lanes, Tree};
use super::{
    matrix::{LANES, Matrix, Real},
    parameters::{by_size, count},
};
use crate::{Error, Result, cancel::Cancel, parallel::fill_chunks};

/// Rows read by one task.
const CHUNK_ROWS: usize = 1 << 14;

/// Squares of smaller numbers lose digits, squares of larger ones overflow.
const EPS: std::ops::RangeInclusive<f64> = 1e-140..=1e140;

/// What the caller asks for, not yet checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How far neighbours are apart at most.
    pub eps: Value,
    /// How many neighbours (or how much weight of them) make a row core, itself included.
    pub min_samples: Value,
    /// "size" for the largest cluster first, null for the order of their first core rows.
    pub label_order: Value,
    /// The columns' names, where they have any.
    #[serde(default)]
    pub columns: Vec<String>,
}

impl Config {
    fn eps(&self) -> Result<f64> {
        self.eps.as_f64().filter(|eps| EPS.contains(eps)).ok_or_else(|| {
            Error::parameter(format!(
                "eps is {}; wanted a number above 0, of a size whose square is a number: {:e} to {:e}",
                self.eps,
                EPS.start(),
                EPS.end()
            ))
        })
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Density {
    /// The cluster of each row, -1 for noise.
    pub labels: Vec<i32>,
    /// The core rows, in order.
    pub cores: Vec<i64>,
}

/// Groups rows by density. A weight below zero keeps its neighbours from being core.
pub fn fit<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    config: &Config,
    cancel: &Cancel,
) -> Result<Density> {
    let (eps, enough) = (config.eps()?, count("min_samples", &config.min_samples)?);
    let by_size = by_size(&config.label_order, None)?;
    check_weights(weights, matrix.rows())?;
    let points = points(matrix, &config.columns, cancel)?;
    let limit = eps * eps;
    let tree = Tree::new(&points, matrix.columns(), cancel)?;
    drop(points);
    let cores = dense::cores(&tree, limit, enough as u64, weights, cancel)?;
    let sets = join::join(&tree, &cores, limit, cancel)?;
    let mut labels = number::labels(&tree, &cores, &sets, limit, cancel)?;
    if by_size {
        number::by_size(&mut labels, weights);
    }
    Ok(Density { labels, cores: core_rows(&tree, &cores) })
}

/// The rows of core points, in order.
fn core_rows(tree: &Tree, cores: &[Lanes]) -> Vec<i64> {
    let lanes = |(leaf, lanes): (usize, &Lanes)| tree::bits(*lanes).map(move |lane| leaf * LANES + lane);
    let points = cores.iter().enumerate().flat_map(lanes);
    let mut rows: Vec<i64> = points.filter_map(|point| tree.rows.get(point)).map(|row| i64::from(*row)).collect();
    rows.sort_unstable();
    rows
}

/// All values as float64, row after row.
fn points<T: Real>(matrix: &Matrix<'_, T>, names: &[String], cancel: &Cancel) -> Result<Vec<f64>> {
    let (rows, dims) = (matrix.rows(), matrix.columns());
    if rows == 0 || dims == 0 || rows >= u32::MAX as usize {
        return Err(Error::input(format!(
            "the data have {rows} rows and {dims} columns; wanted at least one of each, and fewer than 2^32 rows"
        )));
    }
    let mut points = vec![0.0; rows * dims];
    fill_chunks(&mut points, CHUNK_ROWS * dims, cancel, |first, points| {
        let mut finite = true;
        for (row, point) in (first / dims..).zip(points.chunks_exact_mut(dims)) {
            for (slot, value) in point.iter_mut().zip(matrix.row(row)) {
                *slot = value.to_f64();
                finite &= slot.is_finite();
            }
        }
        if finite { Ok(()) } else { Err(matrix.not_finite(names)) }
    })?;
    Ok(points)
}

fn check_weights(weights: Option<&[f64]>, rows: usize) -> Result<()> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != rows {
        return Err(Error::input(format!(
            "sample_weight has {} values for {rows} rows; give one per row",
            weights.len()
        )));
    }
    if let Some((row, weight)) = weights.iter().enumerate().find(|(_, weight)| !(-1e150..=1e150).contains(*weight)) {
        return Err(Error::input(format!(
            "sample_weight is {weight} in row {row}; wanted finite numbers, none beyond 1e150"
        )));
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(Error::input("sample_weight is zero in every row; at least one row must count"));
    }
    Ok(())
}
