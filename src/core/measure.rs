//! One column of a frame as float64 blocks in which NaN is the one way to be missing.
//!
//! The rooms that cut measures read them here, so that a cut means the same in all of them and nothing else
//! knows column kinds, validity or batches. A dense float64 column is borrowed; any other kind is converted a cache-sized block at a time.
//! Whole numbers beyond 2^53 are rounded like any conversion to float64; rounding keeps the order, so an
//! order statistic of the rounded values is the rounded order statistic.

use std::ops::Range;

use crate::{
    Error, Result,
    column::{Batch, Bits, Column, Values},
    parallel::{CHUNK_ROWS, chunks},
    vector::widest,
};

/// Rows converted at a time: 32 KB of float64, the size of a first-level cache.
pub(crate) const BLOCK_ROWS: usize = 4096;

/// One column through all batches.
pub(crate) struct Measure<'a> {
    pub(crate) name: &'a str,
    batches: Vec<&'a Column<'a>>,
}

/// A piece of work: rows of one batch.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Which batch.
    pub(crate) batch: usize,
    /// Which rows of it.
    pub(crate) rows: Range<usize>,
}

impl Piece {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Every row of the frame in pieces of fixed size, in order.
pub(crate) fn pieces(batches: &[Batch<'_>]) -> Vec<Piece> {
    let rows = batches.iter().map(|batch| batch.first().map_or(0, Column::len));
    rows.enumerate().flat_map(|(batch, len)| chunks(len, CHUNK_ROWS).map(move |rows| Piece { batch, rows })).collect()
}

/// Cuts one row-long slice into the pieces' parts.
pub(crate) fn split<'a, 'b, T>(mut output: &'a mut [T], pieces: &'b [Piece]) -> Vec<(&'b Piece, &'a mut [T])> {
    let cut = |piece: &'b Piece| {
        let (front, rest) = std::mem::take(&mut output).split_at_mut_checked(piece.len())?;
        output = rest;
        Some((piece, front))
    };
    pieces.iter().filter_map(cut).collect()
}

/// The column at `position` of every batch, if it holds numbers.
pub(crate) fn measure<'a>(batches: &'a [Batch<'a>], position: usize, name: &'a str) -> Result<Measure<'a>> {
    let batches: Vec<_> = batches.iter().filter_map(|batch| batch.get(position)).collect();
    for column in &batches {
        if matches!(
            column,
            Column::Bool(..) | Column::Text(_) | Column::Dictionary(..) | Column::Date(_) | Column::Timestamp(..)
        ) {
            let kind = column.kind();
            return Err(Error::input(format!(
                "column '{name}' holds {kind}; wanted numbers: convert it, or leave it out"
            )));
        }
    }
    Ok(Measure { name, batches })
}

impl Measure<'_> {
    /// How many rows, missing ones included.
    pub(crate) fn len(&self) -> usize {
        self.batches.iter().map(|column| column.len()).sum()
    }

    /// Gives `work` the rows of `piece`, block by block.
    pub(crate) fn blocks(&self, piece: &Piece, mut work: impl FnMut(&[f64])) {
        let Some(column) = self.batches.get(piece.batch) else { return };
        if let Column::Float64(Values { values, validity: None }) = column {
            for block in values.get(piece.rows.clone()).unwrap_or(&[]).chunks(BLOCK_ROWS) {
                work(block);
            }
            return;
        }
        let mut scratch = Vec::with_capacity(BLOCK_ROWS.min(piece.len()));
        for start in piece.rows.clone().step_by(BLOCK_ROWS) {
            scratch.clear();
            convert(column, start..(start + BLOCK_ROWS).min(piece.rows.end), &mut scratch);
            work(&scratch);
        }
    }

    /// The values that are not missing; infinity is an error.
    pub(crate) fn present(&self, pieces: &[Piece]) -> Result<Vec<f64>> {
        let mut present: Vec<f64> = Vec::with_capacity(self.len());
        for piece in pieces {
            self.blocks(piece, |block| present.extend(block.iter().filter(|value| !value.is_nan())));
        }
        if present.iter().any(|value| value.is_infinite()) {
            return Err(self.infinity(pieces));
        }
        Ok(present)
    }

    /// About `wanted` values from all over the column, missing ones left out: the rows depend on its length alone.
    pub(crate) fn sample(&self, wanted: usize) -> Vec<f64> {
        let stride = (self.len() / wanted).max(1);
        let mut sample = Vec::with_capacity(wanted + 1);
        for column in &self.batches {
            for (index, start) in (0..column.len()).step_by(stride).enumerate() {
                // A jittered grid: a fixed stride would fall in step with periodic data.
                let jitter = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
                let row = (start + jitter as usize % stride).min(column.len() - 1);
                convert(column, row..row + 1, &mut sample);
            }
        }
        sample.retain(|value| !value.is_nan());
        sample
    }

    /// The error of a column without values.
    pub(crate) fn nothing(&self) -> Error {
        let what = if self.len() == 0 { "the frame has no rows" } else { "every row is missing" };
        Error::input(format!(
            "column '{}' has no value to learn edges from: {what}; give edges=, or other data",
            self.name
        ))
    }

    /// The error that names the first infinite row.
    pub(crate) fn infinity(&self, pieces: &[Piece]) -> Error {
        let (mut row, mut found) = (0, None);
        for piece in pieces {
            self.blocks(piece, |block| {
                let place = || block.iter().position(|value| value.is_infinite());
                found = found.or_else(|| place().map(|place| row + place));
                row += block.len();
            });
        }
        let row = found.map_or_else(String::new, |row| format!(" in row {row}"));
        Error::input(format!(
            "column '{}' holds infinity{row}; infinity is never data: correct it, or make it missing",
            self.name
        ))
    }
}

/// Appends rows as float64, NaN where one is missing.
fn convert(column: &Column<'_>, rows: Range<usize>, out: &mut Vec<f64>) {
    match column {
        Column::Int8(column) => append(column, rows, out, f64::from),
        Column::Int16(column) => append(column, rows, out, f64::from),
        Column::Int32(column) => append(column, rows, out, f64::from),
        Column::Int64(column) => append(column, rows, out, |value| value as f64),
        Column::UInt8(column) => append(column, rows, out, f64::from),
        Column::UInt16(column) => append(column, rows, out, f64::from),
        Column::UInt32(column) => append(column, rows, out, f64::from),
        Column::UInt64(column) => append(column, rows, out, |value| value as f64),
        Column::Float32(column) => append(column, rows, out, f64::from),
        Column::Float64(column) => append(column, rows, out, |value| value),
        Column::Decimal(column, scale) => append(column, rows, out, |units| decimal(units, *scale)),
        // Kinds that hold no number never get past `measure`.
        _ => out.resize(out.len() + rows.len(), f64::NAN),
    }
}

fn append<T: Copy>(column: &Values<'_, T>, rows: Range<usize>, out: &mut Vec<f64>, convert: impl Fn(T) -> f64) {
    let first = out.len();
    append_all(column.values.get(rows.clone()).unwrap_or(&[]), convert, out);
    if let Some(bits) = column.validity {
        blank(bits, rows.start, out.get_mut(first..).unwrap_or(&mut []));
    }
}

widest! {
    fn append_all[T: Copy, F: Fn(T) -> f64](values: &[T], convert: F, out: &mut Vec<f64>) = append_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn append_each<T: Copy, F: Fn(T) -> f64>(values: &[T], convert: F, out: &mut Vec<f64>) {
    out.extend(values.iter().map(|&value| convert(value)));
}

/// Writes NaN where the bit of a row is not set.
fn blank(bits: Bits<'_>, start: usize, values: &mut [f64]) {
    for (index, group) in values.chunks_mut(64).enumerate() {
        let word = bits.word(start + index * 64);
        if word == u64::MAX {
            continue;
        }
        for (place, value) in group.iter_mut().enumerate() {
            if word >> place & 1 == 0 {
                *value = f64::NAN;
            }
        }
    }
}

/// The float64 nearest to `units / 10^scale`.
pub(crate) fn decimal(units: i128, scale: i8) -> f64 {
    // Both operands are exact in float64, so one division rounds once.
    if units.unsigned_abs() < 1 << 53 && (0..=22).contains(&scale) {
        return units as f64 / 10f64.powi(i32::from(scale));
    }
    format!("{units}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_once() {
        assert_eq!(decimal(1999, 2), 19.99);
        assert_eq!(decimal(5, -2), 500.0);
        assert_eq!(decimal(123_456_789_012_345_678_901, 20), 1.234_567_890_123_456_8);
    }

    #[test]
    fn missing_rows_read_as_nan_whatever_the_offset() {
        let values: Vec<i32> = (0..200).collect();
        let bytes = [0b0101_0101u8; 30];
        let bits = Bits::new(&bytes, 3, 200).unwrap();
        let column = Column::Int32(Values { values: &values, validity: Some(bits) });
        let mut out = Vec::new();
        convert(&column, 70..170, &mut out);
        for (value, row) in out.iter().zip(70..170) {
            assert_eq!(value.is_nan(), !bits.get(row));
            assert!(value.is_nan() || *value == row as f64);
        }
    }
}
