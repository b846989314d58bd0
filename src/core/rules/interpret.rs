//! Rules read one row at a time, straight from the tree: what `explain` tells people, and the oracle the
//! fast path is tested against.

use std::cmp::Ordering;

use super::{
    ast::{Comparison, Constant, Expr, Is, Kind, Operator},
    number::Number,
};
use crate::column::{Batch, Column};

/// A value as a rule sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Missing, or not known.
    Missing,
    /// True or false.
    Bool(bool),
    /// An integer.
    Whole(i128),
    /// A decimal: minor units and digits behind the point.
    Decimal(i128, i8),
    /// A 32-bit floating point column's value.
    Single(f32),
    /// A 64-bit floating point number.
    Real(f64),
    /// A number written in the rule.
    Constant(Number),
    /// Text.
    Text(String),
    /// A date or timestamp, which rules can only find present.
    Time,
}

/// The rows of one batch.
pub struct Rows<'a> {
    /// The columns' names.
    pub names: &'a [String],
    /// The columns.
    pub batch: &'a Batch<'a>,
}

impl Rows<'_> {
    /// The value of a column in a row.
    #[must_use]
    pub fn cell(&self, name: &str, row: usize) -> Cell {
        let column = self.names.iter().position(|known| known == name).and_then(|index| self.batch.get(index));
        column.and_then(|column| cell(column, row)).unwrap_or(Cell::Missing)
    }

    /// Whether the condition holds in a row; `None` is unknown.
    #[must_use]
    pub fn condition(&self, tree: &Expr, row: usize) -> Option<bool> {
        match &tree.kind {
            Kind::And(terms) => all(terms.iter().map(|term| self.condition(term, row))),
            Kind::Or(terms) => any(terms.iter().map(|term| self.condition(term, row))),
            Kind::Not(inner) => self.condition(inner, row).map(|value| !value),
            Kind::Compare(comparison, left, right) => {
                compare(*comparison, &self.value(left, row), &self.value(right, row))
            }
            Kind::In { value, list, negated } => {
                let value = self.value(value, row);
                any(list.iter().map(|member| compare(Comparison::Equal, &value, &self.value(member, row))))
                    .map(|found| found != *negated)
            }
            Kind::Between { value, low, high, negated } => {
                let value = self.value(value, row);
                let above = compare(Comparison::GreaterOrEqual, &value, &self.value(low, row));
                let below = compare(Comparison::LessOrEqual, &value, &self.value(high, row));
                all([above, below].into_iter()).map(|inside| inside != *negated)
            }
            Kind::Is { value, what, negated } => {
                let found = match what {
                    Is::Null => self.value(value, row) == Cell::Missing,
                    Is::True => self.condition(value, row) == Some(true),
                    Is::False => self.condition(value, row) == Some(false),
                };
                Some(found != *negated)
            }
            _ => match self.value(tree, row) {
                Cell::Bool(value) => Some(value),
                _ => None,
            },
        }
    }

    /// The value of any expression in a row.
    #[must_use]
    pub fn value(&self, tree: &Expr, row: usize) -> Cell {
        match &tree.kind {
            Kind::Column(name) => self.cell(name, row),
            Kind::Constant(Constant::Bool(value)) => Cell::Bool(*value),
            Kind::Constant(Constant::Number(number)) => Cell::Constant(*number),
            Kind::Constant(Constant::Text(text)) => Cell::Text(text.clone()),
            Kind::Parameter(_) => Cell::Missing,
            Kind::Negative(inner) => match self.value(inner, row) {
                Cell::Whole(value) => whole(-value),
                Cell::Decimal(units, scale) => Cell::Decimal(-units, scale),
                other => real(&other).map_or(Cell::Missing, |value| Cell::Real(-value)),
            },
            Kind::Arithmetic(first, rest) => rest.iter().fold(self.value(first, row), |left, (operator, next)| {
                calculate(*operator, &left, &self.value(next, row))
            }),
            _ => self.condition(tree, row).map_or(Cell::Missing, Cell::Bool),
        }
    }
}

fn all(mut terms: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    terms
        .try_fold(Some(true), |so_far, term| match term {
            Some(false) => Err(()),
            Some(true) => Ok(so_far),
            None => Ok(None),
        })
        .unwrap_or(Some(false))
}

fn any(terms: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(terms.map(|term| term.map(|value| !value))).map(|value| !value)
}

/// Integers beyond 64 bits count as missing.
fn whole(value: i128) -> Cell {
    if i64::try_from(value).is_ok() { Cell::Whole(value) } else { Cell::Missing }
}

fn real(cell: &Cell) -> Option<f64> {
    Some(match cell {
        Cell::Whole(value) => *value as f64,
        Cell::Decimal(units, scale) => decimal_to_f64(*units, *scale),
        Cell::Single(value) => f64::from(*value),
        Cell::Real(value) => *value,
        Cell::Constant(number) => number.to_f64(),
        _ => return None,
    })
}

/// The nearest float64 to a decimal, as a division by a power of ten.
#[must_use]
pub(crate) fn decimal_to_f64(units: i128, scale: i8) -> f64 {
    units as f64 / 10f64.powi(i32::from(scale))
}

fn integer(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Whole(value) => Some(*value),
        Cell::Constant(number) => number.to_i64().map(i128::from),
        _ => None,
    }
}

fn calculate(operator: Operator, left: &Cell, right: &Cell) -> Cell {
    if operator != Operator::Divide
        && let (Some(a), Some(b)) = (integer(left), integer(right))
    {
        let (Ok(a), Ok(b)) = (i64::try_from(a), i64::try_from(b)) else { return Cell::Missing };
        let (a, b) = (i128::from(a), i128::from(b));
        return match operator {
            Operator::Add => whole(a + b),
            Operator::Subtract => whole(a - b),
            Operator::Multiply => whole(a * b),
            Operator::Remainder if b != 0 => whole(a % b),
            _ => Cell::Missing,
        };
    }
    let (Some(a), Some(b)) = (real(left), real(right)) else { return Cell::Missing };
    let value = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide | Operator::Remainder if b == 0.0 => f64::NAN,
        Operator::Divide => a / b,
        Operator::Remainder => a % b,
    };
    if value.is_nan() { Cell::Missing } else { Cell::Real(value) }
}

fn compare(comparison: Comparison, left: &Cell, right: &Cell) -> Option<bool> {
    order(left, right).map(|order| comparison.holds(order))
}

fn order(left: &Cell, right: &Cell) -> Option<Ordering> {
    match (left, right) {
        (Cell::Bool(a), Cell::Bool(b)) => Some(a.cmp(b)),
        (Cell::Text(a), Cell::Text(b)) => Some(a.cmp(b)),
        (Cell::Constant(_), Cell::Whole(_) | Cell::Decimal(..) | Cell::Single(_)) => {
            order(right, left).map(Ordering::reverse)
        }
        (Cell::Whole(units), Cell::Constant(number)) => Some(number.compare_units(*units, 0)),
        (Cell::Decimal(units, scale), Cell::Constant(number)) => Some(number.compare_units(*units, *scale)),
        (Cell::Single(value), Cell::Constant(number)) => value.partial_cmp(&number.to_f32()),
        (Cell::Whole(_) | Cell::Decimal(..), Cell::Whole(_) | Cell::Decimal(..)) => {
            let ((a, s), (b, t)) = (units(left)?, units(right)?);
            Some(compare_decimals(a, s, b, t))
        }
        _ => real(left)?.partial_cmp(&real(right)?),
    }
}

fn units(cell: &Cell) -> Option<(i128, i8)> {
    match cell {
        Cell::Whole(value) => Some((*value, 0)),
        Cell::Decimal(units, scale) => Some((*units, *scale)),
        _ => None,
    }
}

/// Compares `a * 10^-s` with `b * 10^-t` exactly.
#[must_use]
pub(crate) fn compare_decimals(a: i128, s: i8, b: i128, t: i8) -> Ordering {
    if s > t {
        return compare_decimals(b, t, a, s).reverse();
    }
    let factor = 10i128.checked_pow((i32::from(t) - i32::from(s)).unsigned_abs());
    match factor.and_then(|factor| a.checked_mul(factor)) {
        Some(a) => a.cmp(&b),
        None => a.cmp(&0), // too large to be written with t digits: larger than any b of its sign
    }
}

/// The value of a row; `None` is missing.
fn cell(column: &Column<'_>, row: usize) -> Option<Cell> {
    Some(match column {
        Column::Null(_) => return None,
        Column::Bool(bits, validity) => {
            if validity.is_some_and(|validity| !validity.get(row)) {
                return None;
            }
            Cell::Bool(bits.get(row))
        }
        Column::Int8(values) => Cell::Whole(values.get(row)?.into()),
        Column::Int16(values) => Cell::Whole(values.get(row)?.into()),
        Column::Int32(values) => Cell::Whole(values.get(row)?.into()),
        Column::Int64(values) => Cell::Whole(values.get(row)?.into()),
        Column::UInt8(values) => Cell::Whole(values.get(row)?.into()),
        Column::UInt16(values) => Cell::Whole(values.get(row)?.into()),
        Column::UInt32(values) => Cell::Whole(values.get(row)?.into()),
        Column::UInt64(values) => Cell::Whole(values.get(row)?.into()),
        Column::Float32(values) => Cell::Single(values.get(row).filter(|value| !value.is_nan())?),
        Column::Float64(values) => Cell::Real(values.get(row).filter(|value| !value.is_nan())?),
        Column::Decimal(values, scale) => Cell::Decimal(values.get(row)?, *scale),
        Column::Text(text) => Cell::Text(text.get(row)?.to_owned()),
        Column::Dictionary(codes, text) => Cell::Text(text.get(codes.get(row)? as usize)?.to_owned()),
        Column::Date(values) => values.get(row).map(|_| Cell::Time)?,
        Column::Timestamp(values, ..) => values.get(row).map(|_| Cell::Time)?,
    })
}
