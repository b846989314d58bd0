//! Equal rows put together: customers with the same three scores are one point with a weight. 125 points take the
//! place of a million.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::super::matrix::{Matrix, Real};
use crate::{Result, cancel::Cancel};

/// Rows looked at before all are.
const SAMPLE: usize = 4096;
/// Fewer rows than this are grouped faster than they are put together.
const FEWEST: usize = 2 * SAMPLE;

/// The different rows, in the order of their first appearance.
pub(super) struct Distinct<T> {
    values: Vec<T>,
    /// The weight of the rows each stands for.
    pub(super) weights: Vec<f64>,
    /// Which of them each row is.
    pub(super) which: Vec<u32>,
}

impl<T: Real> Distinct<T> {
    pub(super) fn matrix(&self, columns: usize) -> Matrix<'_, T> {
        Matrix::of_rows(&self.values, columns)
    }
}

/// The different rows, if there are so few that working on them instead pays.
pub(super) fn distinct<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    cancel: &Cancel,
) -> Result<Option<Distinct<T>>> {
    let rows = matrix.rows();
    if rows < FEWEST {
        return Ok(None);
    }
    let sample = (0..SAMPLE).map(|index| index * (rows / SAMPLE));
    // Every other row of the sample new: then nearly every row of the whole may be.
    if collect(matrix, None, sample, SAMPLE / 2, cancel)?.is_none() {
        return Ok(None);
    }
    collect(matrix, weights, 0..rows, rows / 8, cancel)
}

/// The different ones among some rows, unless there are more than `most`.
fn collect<T: Real>(
    matrix: &Matrix<'_, T>,
    weights: Option<&[f64]>,
    rows: impl ExactSizeIterator<Item = usize>,
    most: usize,
    cancel: &Cancel,
) -> Result<Option<Distinct<T>>> {
    let columns = matrix.columns();
    let hasher = FixedState::with_seed(0);
    let mut found: Distinct<T> = Distinct { values: Vec::new(), weights: Vec::new(), which: Vec::new() };
    found.which.reserve(rows.len());
    let mut table: HashTable<(u64, u32)> = HashTable::new();
    let mut bits = vec![0u64; columns];
    for (index, row) in rows.enumerate() {
        if index % (1 << 16) == 0 {
            cancel.check()?;
        }
        bits.iter_mut().zip(matrix.row(row)).for_each(|(bits, value)| *bits = value.bits());
        let hash = hasher.hash_one(&bits);
        let next = found.weights.len();
        let same = |place: u32| {
            let own = found.values.get(place as usize * columns..).unwrap_or(&[]);
            own.iter().zip(&bits).all(|(value, bits)| value.bits() == *bits)
        };
        let place = match table.find(hash, |(other, place)| *other == hash && same(*place)) {
            Some((_, place)) => *place,
            None if next == most => return Ok(None),
            None => {
                table.insert_unique(hash, (hash, next as u32), |(hash, _)| *hash);
                found.values.extend(matrix.row(row));
                found.weights.push(0.0);
                next as u32
            }
        };
        if let Some(weight) = found.weights.get_mut(place as usize) {
            *weight += weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0));
        }
        found.which.push(place);
    }
    Ok(Some(found))
}
