//! Rows of numbers as they arrive: one borrowed slice, row after row or column after column.

use std::{
    fmt::{Debug, LowerExp},
    ops::{Add, AddAssign, Mul, Range, Sub},
};

use super::moments::{mean, moments, together};
use crate::{Error, Result, cancel::Cancel, parallel::map_chunks, vector::Fused};

/// Points that stand side by side, dimension by dimension: two or one of the widest registers.
pub(crate) const LANES: usize = 16;
/// Rows looked at by one task when nothing but reading is done.
const CHUNK_ROWS: usize = 1 << 14;

/// float32 or float64.
pub trait Real:
    Copy
    + Default
    + Debug
    + LowerExp
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + 'static
{
    /// A whole number as wide, so that one mask serves both.
    type Index: Copy + Default + Send + Sync + From<u8> + AddAssign + 'static;
    /// Beyond every number.
    const INFINITY: Self;
    /// Whether two blocks of points are worked on at once: one alone does not keep the processor busy.
    const PAIRED: bool;
    /// Values beyond this have squares whose sums may overflow.
    const LARGEST: Self;
    /// Half the distance from 1 to the next number.
    const UNIT: f64;
    /// Columns of a smaller variance differ by what has no square.
    const LEAST_VARIANCE: f64;

    /// `self * by + more`, rounded once.
    #[must_use]
    fn fused(self, by: Self, more: Self) -> Self;
    /// Without its sign.
    #[must_use]
    fn abs(self) -> Self;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The nearest number of this kind.
    fn from_f64(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    /// The index as a cluster's number.
    fn place(index: Self::Index) -> u16;
    /// The bits, all zeros the same.
    fn bits(self) -> u64;
}

macro_rules! real {
    ($kind:ty, $index:ty, $paired:literal, $largest:literal, $least:literal) => {
        #[allow(clippy::cast_lossless, clippy::inline_always)] // only inlined bodies are compiled for wide vectors
        impl Real for $kind {
            type Index = $index;
            const INFINITY: Self = <$kind>::INFINITY;
            const PAIRED: bool = $paired;
            const LARGEST: Self = $largest;
            const UNIT: f64 = <$kind>::EPSILON as f64 / 2.0;
            const LEAST_VARIANCE: f64 = $least;

            #[inline(always)]
            fn fused(self, by: Self, more: Self) -> Self {
                self.mul_add(by, more)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$kind>::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$kind>::sqrt(self)
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $kind
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn place(index: Self::Index) -> u16 {
                index as u16
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                (self + 0.0).to_bits().into()
            }
        }
    };
}

real!(f32, u32, true, 1e15, 1e-30);
real!(f64, u64, false, 1e140, 1e-280);

/// `a * b + c`.
#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
pub(super) fn mul_add<T: Real, const F: bool>(_: Fused<F>, a: T, b: T, c: T) -> T {
    if F { a.fused(b, c) } else { a * b + c }
}

/// The lanes that are flagged, in order; mostly there are none or few.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
pub(super) fn flagged(flags: [bool; LANES]) -> impl Iterator<Item = usize> {
    let mut bits = flags.iter().enumerate().fold(0_u32, |bits, (lane, flag)| bits | u32::from(*flag) << lane);
    std::iter::from_fn(move || {
        let lane = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            lane
        })
    })
}

/// A borrowed table of numbers.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    by_column: bool,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// Borrows `rows * columns` values, row after row or (`by_column`) column after column; `None` when there are not
    /// so many.
    #[must_use]
    pub fn new(values: &'a [T], rows: usize, columns: usize, by_column: bool) -> Option<Self> {
        (rows.checked_mul(columns)? == values.len()).then_some(Self { values, rows, columns, by_column })
    }

    /// Borrows rows of so many columns, one behind the other.
    pub(super) fn of_rows(values: &'a [T], columns: usize) -> Self {
        Self { values, rows: values.len() / columns.max(1), columns, by_column: false }
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One value; zero beyond the end.
    #[inline]
    pub(super) fn get(&self, row: usize, column: usize) -> T {
        let place = if self.by_column { column * self.rows + row } else { row * self.columns + column };
        self.values.get(place).copied().unwrap_or_default()
    }

    /// The values of one row.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = T> {
        (0..self.columns).map(move |column| self.get(row, column))
    }

    /// All values, row after row.
    pub(super) fn to_rows(self) -> Vec<T> {
        (0..self.rows).flat_map(|row| self.row(row).collect::<Vec<_>>()).collect()
    }

    /// Puts some rows one behind the other, measured from `origin`.
    pub(super) fn points(&self, rows: Range<usize>, origin: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.resize(rows.len() * self.columns, 0.0);
        if self.by_column {
            let columns = self.values.chunks_exact(self.rows.max(1)).zip(origin).enumerate();
            for (place, (column, origin)) in columns {
                let slots = out.iter_mut().skip(place).step_by(self.columns);
                let values = column.get(rows.clone()).unwrap_or_default();
                slots.zip(values).for_each(|(slot, value)| *slot = value.to_f64() - origin);
            }
            return;
        }
        let values = self.values.get(rows.start * self.columns..rows.end * self.columns).unwrap_or_default();
        // Several rows at a time: long loops are what the compiler makes vectors of.
        let origins = origin.repeat(LANES);
        for (slots, values) in out.chunks_mut(origins.len().max(1)).zip(values.chunks(origins.len().max(1))) {
            let values = slots.iter_mut().zip(values).zip(&origins);
            values.for_each(|((slot, value), origin)| *slot = value.to_f64() - origin);
        }
    }

    /// Puts the rows from `first` on side by side, one group of lanes per column; zeros beyond the last row.
    #[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
    #[inline(always)]
    pub(super) fn block(&self, first: usize, block: &mut [[T; LANES]]) {
        let rows = first..(first + LANES).min(self.rows);
        if self.by_column {
            for (lanes, column) in block.iter_mut().zip(self.values.chunks_exact(self.rows.max(1))) {
                let values = column.get(rows.clone()).unwrap_or(&[]);
                if let Some(whole) = values.first_chunk() {
                    *lanes = *whole;
                } else {
                    *lanes = [T::default(); LANES];
                    lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane = *value);
                }
            }
            return;
        }
        if rows.len() < LANES {
            block.fill([T::default(); LANES]);
        }
        let values = self.values.get(rows.start * self.columns..rows.end * self.columns).unwrap_or(&[]);
        // Of few columns the compiler makes shuffles, where it knows how many they are.
        match self.columns {
            1 if turn::<T, 1>(values, block) => return,
            2 if turn::<T, 2>(values, block) => return,
            3 if turn::<T, 3>(values, block) => return,
            4 if turn::<T, 4>(values, block) => return,
            5 if turn::<T, 5>(values, block) => return,
            6 if turn::<T, 6>(values, block) => return,
            _ => {}
        }
        // Of more columns some at a time; the last of these may stand there already.
        if self.columns > SOME && rows.len() == LANES {
            for first in (0..self.columns).step_by(SOME).map(|first| first.min(self.columns - SOME)) {
                turn_some(values, self.columns, first, block);
            }
            return;
        }
        for (lane, row) in values.chunks_exact(self.columns.max(1)).enumerate() {
            for (lanes, value) in block.iter_mut().zip(row) {
                if let Some(slot) = lanes.get_mut(lane) {
                    *slot = *value;
                }
            }
        }
    }

    /// The mean of every column, and the mean of the columns' variances; a value that cannot be used is an error
    /// naming it.
    pub(super) fn moments(&self, names: &[String], cancel: &Cancel) -> Result<(Vec<f64>, f64)> {
        let (means, variances) = self.means_and_variances(names, cancel)?;
        Ok((means, mean(&variances)))
    }

    /// The mean and the variance of every column; a value that cannot be used is an error naming it.
    pub(super) fn means_and_variances(&self, names: &[String], cancel: &Cancel) -> Result<(Vec<f64>, Vec<f64>)> {
        let parts = map_chunks(self.rows, CHUNK_ROWS, cancel, |rows| Ok(moments(self, rows.start, rows.end)))?;
        if !parts.iter().all(|part| part.usable)
            && let Some(failure) = self.unusable(names)
        {
            return Err(failure);
        }
        Ok(together(&parts, self.columns))
    }

    /// A point in the middle of the rows, the median of some of them: differences from it stay exact for data far from
    /// zero, also where a few are far away.
    pub(super) fn middle(&self) -> Vec<f64> {
        const SOME: usize = 1 << 8;
        let step = self.rows.div_ceil(SOME).max(1);
        let median = |column| {
            let mut some: Vec<f64> = (0..self.rows).step_by(step).map(|row| self.get(row, column).to_f64()).collect();
            let half = some.len() / 2;
            if some.is_empty() { 0.0 } else { *some.select_nth_unstable_by(half, f64::total_cmp).1 }
        };
        (0..self.columns).map(median).collect()
    }

    /// The error that names the first value that cannot be used, if there is one.
    pub(super) fn unusable(&self, names: &[String]) -> Option<Error> {
        self.first_beyond(T::LARGEST.to_f64(), names)
    }

    /// The error that names the first value that is no finite number.
    pub(super) fn not_finite(&self, names: &[String]) -> Error {
        self.first_beyond(f64::MAX, names).unwrap_or_else(|| Error::input("a value is not finite"))
    }

    fn first_beyond(&self, largest: f64, names: &[String]) -> Option<Error> {
        for row in 0..self.rows {
            for (column, value) in self.row(row).enumerate() {
                if value.abs().to_f64() <= largest {
                    continue;
                }
                let place =
                    names.get(column).map_or_else(|| format!("column {column}"), |name| format!("column '{name}'"));
                return Some(Error::input(if value.to_f64().is_nan() {
                    format!(
                        "{place} is missing (NaN) in row {row}; fill missing values or drop their rows before clustering"
                    )
                } else if value.to_f64().is_infinite() {
                    format!("{place} is infinite (inf) in row {row}; infinity is never data: correct or drop the row")
                } else {
                    format!(
                        "{place} is {value:e} in row {row}; squares of values beyond {:e} overflow: divide the column first",
                        T::from_f64(largest)
                    )
                }));
            }
        }
        None
    }
}

/// Puts `LANES` rows of so many columns side by side; `false` where there are fewer rows.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn turn<T: Real, const COLUMNS: usize>(values: &[T], block: &mut [[T; LANES]]) -> bool {
    let (rows, _) = values.as_chunks::<COLUMNS>();
    let (Some(rows), Some(block)) = (rows.first_chunk::<LANES>(), block.first_chunk_mut::<COLUMNS>()) else {
        return false;
    };
    for (lane, row) in rows.iter().enumerate() {
        for (lanes, value) in block.iter_mut().zip(row) {
            if let Some(slot) = lanes.get_mut(lane) {
                *slot = *value;
            }
        }
    }
    true
}

/// So many columns are turned at a time where they are many.
const SOME: usize = 4;

/// Puts `SOME` columns of `LANES` rows side by side.
#[allow(clippy::inline_always)] // the same
#[inline(always)]
fn turn_some<T: Real>(values: &[T], columns: usize, first: usize, block: &mut [[T; LANES]]) {
    let mut turned = [[T::default(); LANES]; SOME];
    for (lane, row) in values.chunks_exact(columns).enumerate().take(LANES) {
        let Some(row) = row.get(first..).and_then(|row| row.first_chunk::<SOME>()) else { return };
        for (lanes, value) in turned.iter_mut().zip(row) {
            if let Some(slot) = lanes.get_mut(lane) {
                *slot = *value;
            }
        }
    }
    if let Some(block) = block.get_mut(first..first + SOME) {
        block.copy_from_slice(&turned);
    }
}
