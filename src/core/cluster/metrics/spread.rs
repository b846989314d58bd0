//! Groups measured by their means: how wide each is, and how far apart they are.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{
    super::matrix::{Matrix, Real},
    codes::{Coding, Labels, coding, defined, groups},
};
use crate::{Result, cancel::Cancel, config::choice, parallel::map_chunks, vector::all_pass};

/// Rows in one task.
const CHUNK_ROWS: usize = 1 << 14;
/// Rows brought into one form at a time.
const BLOCK_ROWS: usize = 256;
/// Up to so many codes have sums of their own, even if some do not occur.
const FEW: usize = 1 << 12;
/// So many sums of one group stand side by side: neighbouring rows are often of one group, and one sum would wait for
/// the other.
const APART: usize = 2;

/// Calls a function with rows of so many values: of few dimensions the compiler makes straight code, where it knows how
/// many they are.
macro_rules! by_dims {
    ($points:ident, $dims:expr, $work:ident($($argument:expr),*)) => {
        match $dims {
            1 => $work($points.as_chunks::<1>().0, $($argument),*),
            2 => $work($points.as_chunks::<2>().0, $($argument),*),
            3 => $work($points.as_chunks::<3>().0, $($argument),*),
            4 => $work($points.as_chunks::<4>().0, $($argument),*),
            5 => $work($points.as_chunks::<5>().0, $($argument),*),
            6 => $work($points.as_chunks::<6>().0, $($argument),*),
            dims => $work($points.chunks_exact(dims), $($argument),*),
        }
    };
}

/// Groups of rows, measured from a point in the middle of all.
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
    let compact: Vec<i32>;
    let mut coding = coding(labels, rows)?;
    if coding.count > FEW {
        compact = groups(labels, rows)?.0.into_iter().map(|code| code as i32).collect();
        coding = Labels::Narrow(&compact).coding();
    }
    let origin = matrix.middle();
    let each = Each { matrix, coding: &coding, origin: &origin };
    let usable = AtomicBool::new(origin.iter().all(|mean| mean.abs() <= T::LARGEST.to_f64()));
    let totals = each.sum(dims + 1, cancel, |points, codes, sums| {
        if !all_pass(points, |value| value.abs() <= T::LARGEST.to_f64()) {
            usable.store(false, Relaxed);
        }
        by_dims!(points, dims, add(codes, sums, dims + 1));
    })?;
    if !usable.into_inner()
        && let Some(failure) = matrix.unusable(columns)
    {
        return Err(failure);
    }
    let (mut counts, mut means) = (Vec::new(), Vec::new());
    for total in totals.chunks_exact(dims + 1) {
        if let [total @ .., count] = total {
            means.extend(total.iter().map(|total| total / count)); // not read where the count is zero
            counts.push(*count);
        }
    }
    defined(counts.iter().filter(|count| **count > 0.0).count(), rows)?;
    let sums = each.sum(1, cancel, |points, codes, sums| {
        let mut squares = Vec::with_capacity(codes.len());
        by_dims!(points, dims, squares_from(codes, &means, &mut squares));
        for square in &mut squares {
            *square = of_square(*square); // several roots at a time
        }
        add(squares.as_chunks::<1>().0, codes, sums, 1);
    })?;
    let occurs = |width: usize| counts.iter().flat_map(move |count| std::iter::repeat_n(*count > 0.0, width));
    let kept = |values: &[f64], width| {
        values.iter().zip(occurs(width)).filter(|(_, occurs)| *occurs).map(|(value, _)| *value).collect()
    };
    let (means, sums) = (kept(&means, dims), kept(&sums, 1));
    counts.retain(|count| *count > 0.0);
    Ok(Spread { dims, rows, counts, means, sums })
}

/// The rows with their groups.
struct Each<'a, T> {
    matrix: &'a Matrix<'a, T>,
    coding: &'a Coding<'a>,
    origin: &'a [f64],
}

impl<T: Real> Each<'_, T> {
    /// Lets `work` add rows, measured from the origin, to the sums of their groups, `width` of them [`APART`] times; all
    /// are added in order of the rows.
    fn sum(&self, width: usize, cancel: &Cancel, work: impl Fn(&[f64], &[u32], &mut [f64]) + Sync) -> Result<Vec<f64>> {
        let len = self.coding.count * APART * width;
        // Never more sums than values.
        let partial = map_chunks(self.matrix.rows(), CHUNK_ROWS.max(len), cancel, |chunk| {
            let mut sums = vec![0.0; len];
            let (mut points, mut codes) = (Vec::with_capacity(BLOCK_ROWS * self.origin.len()), Vec::new());
            for first in chunk.clone().step_by(BLOCK_ROWS) {
                let rows = first..chunk.end.min(first + BLOCK_ROWS);
                self.matrix.points(rows.clone(), self.origin, &mut points);
                self.coding.codes(rows, &mut codes);
                work(&points, &codes, &mut sums);
            }
            Ok(sums)
        })?;
        let mut sums = vec![0.0; self.coding.count * width];
        for part in &partial {
            for (sums, apart) in sums.chunks_exact_mut(width).zip(part.chunks_exact(APART * width)) {
                for part in apart.chunks_exact(width) {
                    sums.iter_mut().zip(part).for_each(|(sum, more)| *sum += more);
                }
            }
        }
        Ok(sums)
    }
}

/// Adds the values of rows to the first sums of their groups, and the rows' number to the others.
#[allow(clippy::inline_always)] // into each number of dimensions
#[inline(always)]
fn add<R: AsRef<[f64]>>(rows: impl IntoIterator<Item = R>, codes: &[u32], sums: &mut [f64], width: usize) {
    for (place, (row, code)) in rows.into_iter().zip(codes).enumerate() {
        let (row, first) = (row.as_ref(), (*code as usize * APART + place % APART) * width);
        let own = sums.get_mut(first..first + width).and_then(|own| own.split_at_mut_checked(row.len()));
        if let Some((own, counts)) = own {
            own.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            for count in counts {
                *count += 1.0;
            }
        }
    }
}

/// Appends the squared distances of rows from their groups' means.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn squares_from<R: AsRef<[f64]>>(
    rows: impl IntoIterator<Item = R>,
    codes: &[u32],
    means: &[f64],
    squares: &mut Vec<f64>,
) {
    squares.extend(rows.into_iter().zip(codes).map(|(row, code)| {
        let row = row.as_ref();
        let mean = means.get(*code as usize * row.len()..).and_then(|means| means.get(..row.len())).unwrap_or(&[]);
        row.iter().zip(mean).map(|(value, mean)| (value - mean) * (value - mean)).sum::<f64>()
    }));
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
