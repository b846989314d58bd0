//! Values that rules see, as numbers, as constants, and laid out as the values of an axis.

use super::{ast::Constant, axis::AxisValues, check::ColumnKind, interpret::Cell, moments, number::Number};

/// The nanosecond of a date or timestamp.
pub(super) fn moment_of(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Date(day) => Some(i128::from(*day) * moments::step(ColumnKind::Date)),
        Cell::Timestamp(units, digits) => Some(units * moments::step(ColumnKind::Timestamp(*digits, None))),
        _ => None,
    }
}

pub(super) fn as_kind(kind: Option<ColumnKind>, cell: Cell) -> Cell {
    match (kind, &cell) {
        (Some(ColumnKind::Double), cell) => number_of(cell).map_or(Cell::Missing, Cell::Real),
        _ => cell,
    }
}

pub(super) fn number_of(cell: &Cell) -> Option<f64> {
    Some(match cell {
        Cell::Whole(value) => *value as f64,
        Cell::Decimal(units, scale) => crate::measure::decimal(*units, *scale),
        Cell::Single(value) => f64::from(*value),
        Cell::Real(value) => *value,
        Cell::Constant(number) => number.to_f64(),
        // In days, so that a change of a date counts as so many days.
        time => moment_of(time)? as f64 / moments::step(ColumnKind::Date) as f64,
    })
}

/// A value as a rule would write it, to compare other columns with.
pub(super) fn constant_of(cell: &Cell) -> Option<Constant> {
    match cell {
        Cell::Text(text) => Some(Constant::Text(text.clone())),
        Cell::Single(value) => Number::parse(&format!("{:e}", f64::from(*value))).map(Constant::Number),
        Cell::Real(value) => Number::parse(&format!("{value:e}")).map(Constant::Number),
        Cell::Whole(value) => Some(Constant::Number(Number::whole(*value))),
        Cell::Decimal(units, scale) => Number::parse(&format!("{units}e{}", -i32::from(*scale))).map(Constant::Number),
        Cell::Date(day) => i32::try_from(*day).ok().map(Constant::Date),
        Cell::Timestamp(..) => i64::try_from(moment_of(cell)?.div_euclid(1_000)).ok().map(Constant::Timestamp),
        _ => None,
    }
}

/// Cells as the values of an axis.
pub(super) fn laid_out<'a>(kind: ColumnKind, cells: impl Iterator<Item = &'a Cell>) -> AxisValues {
    let units = |cell: &Cell| match cell {
        Cell::Whole(units) | Cell::Decimal(units, _) => Some(*units),
        _ => None,
    };
    match kind {
        ColumnKind::Whole => AxisValues::Units(cells.map(units).collect(), None),
        ColumnKind::Decimal(scale) => AxisValues::Units(cells.map(units).collect(), Some(scale)),
        ColumnKind::Double => AxisValues::Double(cells.map(number_of).collect()),
        ColumnKind::Single => AxisValues::Single(cells.map(|cell| number_of(cell).map(|value| value as f32)).collect()),
        ColumnKind::Text => {
            let text = |cell: &Cell| if let Cell::Text(text) = cell { Some(text.clone()) } else { None };
            AxisValues::Text(cells.map(text).collect())
        }
        ColumnKind::Bool | ColumnKind::Null => {
            let flag = |cell: &Cell| if let Cell::Bool(flag) = cell { Some(*flag) } else { None };
            AxisValues::Bool(cells.map(flag).collect())
        }
        ColumnKind::Date | ColumnKind::Timestamp(..) => {
            let found: Vec<Option<i128>> = cells.map(moment_of).collect();
            let step = moments::step(kind);
            match kind {
                ColumnKind::Timestamp(digits, _) => {
                    let units = |at: Option<i128>| i64::try_from(at?.div_euclid(step)).ok();
                    AxisValues::Timestamp(found.into_iter().map(units).collect(), moments::unit(digits))
                }
                _ => AxisValues::Date(found.into_iter().map(|at| i32::try_from(at?.div_euclid(step)).ok()).collect()),
            }
        }
    }
}
