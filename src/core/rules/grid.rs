//! Combinations of values laid out as the columns of a batch, so that rules can be run on them as on rows.

use super::axis::{Axis, AxisValues};
use crate::column::{Batch, Bits, Column, OwnedText, Text, TextLayout, TimeUnit, Values};

/// The value of an axis in a cell: the last axis changes fastest.
pub(crate) fn place(axes: &[Axis], axis: usize, cell: usize) -> usize {
    let stride: usize = axes.iter().skip(axis + 1).map(|axis| axis.shown.len()).product();
    axes.get(axis).map_or(0, |axis| cell / stride.max(1) % axis.shown.len().max(1))
}

/// One column of the grid: its values, cell by cell, and which of them are present.
pub(crate) struct GridColumn {
    values: GridValues,
    present: Vec<u8>,
}

enum GridValues {
    Whole(Vec<i64>),
    Decimal(Vec<i128>, i8),
    Double(Vec<f64>),
    Single(Vec<f32>),
    Days(Vec<i32>),
    Times(Vec<i64>, TimeUnit),
    Text(Vec<i64>, Vec<u8>),
    Bool(Vec<u8>),
}

/// All cells as columns.
pub(crate) fn columns(axes: &[Axis], cells: usize) -> Vec<GridColumn> {
    let build = |(index, axis): (usize, &Axis)| {
        let places: Vec<usize> = (0..cells).map(|cell| place(axes, index, cell)).collect();
        column(&axis.values, &places)
    };
    axes.iter().enumerate().map(build).collect()
}

/// A column of these values, each cell's by its place.
pub(crate) fn column(values: &AxisValues, places: &[usize]) -> GridColumn {
    let (values, present) = match values {
        AxisValues::Units(values, None) => {
            let (units, present) = spread(values, places);
            (GridValues::Whole(units.into_iter().map(|units| units as i64).collect()), present)
        }
        AxisValues::Units(values, Some(scale)) => {
            let (units, present) = spread(values, places);
            (GridValues::Decimal(units, *scale), present)
        }
        AxisValues::Double(values) => {
            let (values, present) = spread(values, places);
            (GridValues::Double(values), present)
        }
        AxisValues::Single(values) => {
            let (values, present) = spread(values, places);
            (GridValues::Single(values), present)
        }
        AxisValues::Date(values) => {
            let (days, present) = spread(values, places);
            (GridValues::Days(days), present)
        }
        AxisValues::Timestamp(values, unit) => {
            let (times, present) = spread(values, places);
            (GridValues::Times(times, *unit), present)
        }
        AxisValues::Bool(values) => {
            let (flags, present) = spread(values, places);
            (GridValues::Bool(bits(flags.into_iter())), present)
        }
        AxisValues::Text(values) => {
            let (texts, present) = spread(values, places);
            let mut owned = OwnedText::new();
            for text in &texts {
                owned.push(text.as_bytes());
            }
            (GridValues::Text(owned.offsets, owned.bytes), present)
        }
    };
    GridColumn { values, present }
}

/// An axis's values at every cell, and which are present.
fn spread<T: Clone + Default>(values: &[Option<T>], places: &[usize]) -> (Vec<T>, Vec<u8>) {
    let cells = || places.iter().map(|place| values.get(*place).and_then(Option::as_ref));
    (cells().map(|cell| cell.cloned().unwrap_or_default()).collect(), bits(cells().map(|cell| cell.is_some())))
}

fn bits(flags: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, flag) in flags.enumerate() {
        if index % 8 == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(flag) << (index % 8);
        }
    }
    bytes
}

/// The grid as a batch.
pub(crate) fn batch(columns: &[GridColumn], cells: usize) -> Batch<'_> {
    fn borrow(column: &GridColumn, cells: usize) -> Column<'_> {
        let validity = Bits::new(&column.present, 0, cells);
        match &column.values {
            GridValues::Whole(values) => Column::Int64(Values { values, validity }),
            GridValues::Decimal(values, scale) => Column::Decimal(Values { values, validity }, *scale),
            GridValues::Double(values) => Column::Float64(Values { values, validity }),
            GridValues::Single(values) => Column::Float32(Values { values, validity }),
            GridValues::Days(values) => Column::Date(Values { values, validity }),
            GridValues::Times(values, unit) => Column::Timestamp(Values { values, validity }, *unit, None),
            GridValues::Text(offsets, bytes) => {
                Column::Text(Text { layout: TextLayout::Offsets64(offsets, bytes), validity })
            }
            GridValues::Bool(flags) => {
                Bits::new(flags, 0, cells).map_or(Column::Null(cells), |flags| Column::Bool(flags, validity))
            }
        }
    }
    columns.iter().map(|column| borrow(column, cells)).collect()
}
