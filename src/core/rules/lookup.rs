//! Rules over a few small integers (scores): decide every combination once, then look rows up.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{
    config::Checked,
    evaluate::Findings,
    program::Program,
    segment::{Choice, every_row},
};
use crate::{
    Result,
    cancel::Cancel,
    column::{Batch, Bits, Column, Values},
    pages::zeros,
    parallel::{CHUNK_ROWS, fill_chunks, map_chunks},
    vector::{extremes, widest},
};

/// Most combinations worth deciding.
const MAX_CELLS: usize = 1 << 14;
/// Rows per combination from which a table pays.
const ROWS_PER_CELL: usize = 4;

/// Rows per step: their places fit the nearest cache.
const PART: usize = 4096;

/// The smallest value of an integer column, how many places it takes in the table (the last is "missing").
struct Axis {
    low: i64,
    places: usize,
}

impl Axis {
    /// Whether these values have places on it.
    fn holds(&self, range: Option<(i64, i64)>) -> bool {
        let last = self.low.saturating_add(self.places as i64).saturating_sub(2);
        range.is_none_or(|(low, high)| low >= self.low && high <= last)
    }
}

/// The labels by way of a table, or `None` where the columns do not suit one.
pub(crate) fn labels(
    batches: &[Batch<'_>],
    checked: &Checked,
    program: &Program,
    cancel: &Cancel,
) -> Result<Option<Vec<i8>>> {
    let rows: usize = batches.iter().map(|batch| batch.first().map_or(0, Column::len)).sum();
    let mut columns = batches.iter().flatten();
    if program.calculates() || rows == 0 || columns.any(|column| !is_small_integer(column)) {
        return Ok(None);
    }
    let mut codes = zeros(rows);
    // The first rows nearly always hold every value; where they do not, all rows say which there are.
    for seen in [PART, usize::MAX] {
        let mut axes = Vec::with_capacity(checked.names.len());
        let mut cells = 1usize;
        for column in 0..checked.names.len() {
            let Some(axis) = axis(batches, column, seen, cancel)? else { return Ok(None) };
            cells = cells.saturating_mul(axis.places);
            axes.push(axis);
            if cells > MAX_CELLS || cells.saturating_mul(ROWS_PER_CELL) > rows {
                return Ok(None);
            }
        }
        let Some(decided) = decide_all(&axes, cells, program, cancel)? else { return Ok(None) };
        let mut table = [-1; MAX_CELLS];
        table.iter_mut().zip(decided).for_each(|(entry, code)| *entry = code);
        if look_up_all(batches, &axes, &table, &mut codes, cancel)? {
            return Ok(Some(codes));
        }
    }
    Ok(None)
}

/// Fills in each row's code; false as soon as a row holds what the axes do not.
fn look_up_all(
    batches: &[Batch<'_>],
    axes: &[Axis],
    table: &[i8; MAX_CELLS],
    codes: &mut [i8],
    cancel: &Cancel,
) -> Result<bool> {
    let beyond = AtomicBool::new(false);
    let mut rest = codes;
    for batch in batches {
        let (piece, later) = rest.split_at_mut(batch.first().map_or(0, Column::len));
        rest = later;
        fill_chunks(piece, CHUNK_ROWS, cancel, |start, piece| {
            let mut places = [0u16; PART];
            for (part, piece) in piece.chunks_mut(PART).enumerate() {
                let start = start + part * PART;
                let places = places.get_mut(..piece.len()).unwrap_or(&mut []);
                places.fill(0);
                let mut stride = 1;
                for (axis, column) in axes.iter().zip(batch) {
                    if !axis.holds(range(column, start, piece.len())) {
                        beyond.store(true, Relaxed);
                    }
                    add_places(column, start, axis, stride, places);
                    stride *= axis.places;
                }
                if beyond.load(Relaxed) {
                    return Ok(());
                }
                look_up(table, places, piece);
            }
            Ok(())
        })?;
    }
    Ok(!beyond.into_inner())
}

/// The label of every combination; `None` where one of them lies outside a domain, so that rows must be named.
fn decide_all(axes: &[Axis], cells: usize, program: &Program, cancel: &Cancel) -> Result<Option<Vec<i8>>> {
    let mut stride = 1;
    let columns: Vec<(Vec<i64>, Vec<u8>)> = axes
        .iter()
        .map(|axis| {
            let mut present = vec![0u8; cells.div_ceil(8)];
            let values = (0..cells).map(|cell| cell / stride % axis.places).collect::<Vec<_>>();
            for (cell, place) in values.iter().enumerate() {
                if let Some(byte) = present.get_mut(cell / 8) {
                    *byte |= u8::from(place + 1 < axis.places) << (cell % 8);
                }
            }
            stride *= axis.places;
            (values.into_iter().map(|place| axis.low.wrapping_add(place as i64)).collect(), present)
        })
        .collect();
    let batch: Batch<'_> = columns
        .iter()
        .map(|(values, present)| Column::Int64(Values { values, validity: Bits::new(present, 0, cells) }))
        .collect();
    let findings = Findings::default();
    let codes = every_row(&[batch], program, &Choice::of(program), &findings, cancel)?;
    Ok((findings.outside.into_inner() == u64::MAX).then_some(codes))
}

macro_rules! with_integers {
    ($column:expr, $values:ident => $work:expr, $other:expr) => {
        match $column {
            Column::Int8($values) => $work,
            Column::Int16($values) => $work,
            Column::Int32($values) => $work,
            Column::Int64($values) => $work,
            Column::UInt8($values) => $work,
            Column::UInt16($values) => $work,
            Column::UInt32($values) => $work,
            _ => $other,
        }
    };
}

fn is_small_integer(column: &Column<'_>) -> bool {
    with_integers!(column, _values => true, false)
}

/// The axis of a column's values, as far as its first rows of each batch show them.
fn axis(batches: &[Batch<'_>], column: usize, seen: usize, cancel: &Cancel) -> Result<Option<Axis>> {
    let mut all = None;
    for column in batches.iter().filter_map(|batch| batch.get(column)) {
        let pieces =
            map_chunks(column.len().min(seen), CHUNK_ROWS, cancel, |rows| Ok(range(column, rows.start, rows.len())))?;
        all = pieces.into_iter().fold(all, wider);
    }
    let Some((low, high)) = all else {
        return Ok(Some(Axis { low: 0, places: 1 })); // nothing but missing values
    };
    let places =
        high.checked_sub(low).and_then(|width| usize::try_from(width).ok()).and_then(|width| width.checked_add(2));
    Ok(places.map(|places| Axis { low, places }))
}

/// The smallest and largest of two ranges' values.
fn wider(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// The smallest and largest present value of some rows.
fn range(column: &Column<'_>, start: usize, rows: usize) -> Option<(i64, i64)> {
    with_integers!(column, values => range_of(values, start, rows), None)
}

fn range_of<T: Copy + Ord + Into<i64>>(values: &Values<'_, T>, start: usize, rows: usize) -> Option<(i64, i64)> {
    let piece = values.values.get(start..start + rows).unwrap_or(&[]);
    let Some(validity) = values.validity else { return extremes(piece) };
    let mut all = None;
    for (part, block) in piece.chunks(64).enumerate() {
        let word = validity.word(start + part * 64);
        let found = if word == !0 {
            extremes(block)
        } else {
            let present = block.iter().enumerate().filter(|(place, _)| word >> place & 1 == 1);
            present.map(|(_, value)| Some(((*value).into(), (*value).into()))).fold(None, wider)
        };
        all = wider(all, found);
    }
    all
}

/// Each row's code by its place in the table.
fn look_up(table: &[i8; MAX_CELLS], places: &[u16], codes: &mut [i8]) {
    for (code, place) in codes.iter_mut().zip(places) {
        // The remainder changes nothing; it spares looking whether the place is in the table.
        *code = table.get(usize::from(*place) % MAX_CELLS).copied().unwrap_or(-1);
    }
}

/// Adds each row's place on one axis to its place in the table.
fn add_places(column: &Column<'_>, start: usize, axis: &Axis, stride: usize, places: &mut [u16]) {
    with_integers!(column, values => add(values, start, axis, stride, places), ());
}

widest! {
    fn add[T: Copy + Into<i64>](values: &Values<'_, T>, start: usize, axis: &Axis, stride: usize, places: &mut [u16]) =
        add_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn add_each<T: Copy + Into<i64>>(values: &Values<'_, T>, start: usize, axis: &Axis, stride: usize, places: &mut [u16]) {
    let piece = values.values.get(start..start + places.len()).unwrap_or(&[]);
    let stride = stride as u16;
    let missing = (axis.places - 1) as u16 * stride;
    // Within the table every difference fits 16 bits, whatever the wrapping does outside it.
    let low = axis.low as u16;
    let place = |value: T| (value.into() as u16).wrapping_sub(low).wrapping_mul(stride);
    match values.validity {
        None => places.iter_mut().zip(piece).for_each(|(slot, value)| *slot = slot.wrapping_add(place(*value))),
        Some(validity) => {
            for (part, (slots, block)) in places.chunks_mut(64).zip(piece.chunks(64)).enumerate() {
                let word = validity.word(start + part * 64);
                if word == !0 {
                    slots.iter_mut().zip(block).for_each(|(slot, value)| *slot = slot.wrapping_add(place(*value)));
                } else {
                    for (index, (slot, value)) in slots.iter_mut().zip(block).enumerate() {
                        let here = if word >> index & 1 == 1 { place(*value) } else { missing };
                        *slot = slot.wrapping_add(here);
                    }
                }
            }
        }
    }
}
