//! Calculated numbers over a chunk of rows: 64-bit integers while everything is whole, float64 otherwise.

use std::{cmp::Ordering, ops::Range, sync::atomic};

use super::{
    ast::Operator,
    bits::pack,
    evaluate::{Evaluator, WORDS, piece},
    interpret::{compare_decimals, decimal_to_f64},
    number::Number,
    program::{Formula, Literal, Test},
};
use crate::column::Column;

/// A value per row, or one for all.
pub(crate) enum Numbers {
    Constant(Number),
    Whole(Vec<i64>),
    /// Natural numbers of 64 bits, or decimals: units and digits behind the point.
    Wide(Vec<i128>, Option<i8>),
    Real(Vec<f64>),
}

/// Compares two formulas; `present` loses the rows where a side is missing.
#[expect(clippy::too_many_arguments, reason = "a node's inputs and outputs, passed once")]
pub(crate) fn compare(
    on: &Evaluator<'_>,
    left: &Formula,
    right: &Formula,
    test: Test,
    rows: &Range<usize>,
    done: &[u64],
    yes: &mut [u64],
    present: &mut [u64; WORDS],
) {
    let a = value(on, left, rows, done, present);
    let b = value(on, right, rows, done, present);
    let wanted = if test == Test::Equal { Ordering::Equal } else { Ordering::Greater };
    let len = rows.len();
    match (&a, &b) {
        (Numbers::Whole(a), Numbers::Whole(b)) if test == Test::Equal => pairs(a, b, yes, |a, b| a == b),
        (Numbers::Whole(a), Numbers::Whole(b)) => pairs(a, b, yes, |a, b| a > b),
        (Numbers::Whole(a), Numbers::Constant(b)) => pack(a, yes, |a| b.compare_units(a.into(), 0) == wanted),
        (Numbers::Constant(a), Numbers::Whole(b)) => pack(b, yes, |b| a.compare_units(b.into(), 0).reverse() == wanted),
        (Numbers::Wide(a, scale), Numbers::Constant(b)) => {
            pack(a, yes, |a| b.compare_units(a, scale.unwrap_or(0)) == wanted);
        }
        (Numbers::Constant(a), Numbers::Wide(b, scale)) => {
            pack(b, yes, |b| a.compare_units(b, scale.unwrap_or(0)).reverse() == wanted);
        }
        (Numbers::Whole(_) | Numbers::Wide(..), Numbers::Whole(_) | Numbers::Wide(..)) => {
            let ((a, s), (b, t)) = (wide(a), wide(b));
            pairs(&a, &b, yes, |a, b| compare_decimals(a, s, b, t) == wanted);
        }
        _ => {
            let (a, b) = (real(a, len), real(b, len));
            match test {
                Test::Equal => pairs(&a, &b, yes, |a, b| a == b),
                Test::Greater => pairs(&a, &b, yes, |a, b| a > b),
            }
        }
    }
}

fn pairs<T: Copy>(a: &[T], b: &[T], yes: &mut [u64], test: impl Fn(T, T) -> bool) {
    for ((word, a), b) in yes.iter_mut().zip(a.chunks(64)).zip(b.chunks(64)) {
        *word = a.iter().zip(b).enumerate().fold(0, |word, (place, (a, b))| word | u64::from(test(*a, *b)) << place);
    }
}

fn wide(numbers: Numbers) -> (Vec<i128>, i8) {
    match numbers {
        Numbers::Whole(values) => (values.into_iter().map(i128::from).collect(), 0),
        Numbers::Wide(values, scale) => (values, scale.unwrap_or(0)),
        Numbers::Constant(_) | Numbers::Real(_) => (Vec::new(), 0), // never asked for
    }
}

fn real(numbers: Numbers, len: usize) -> Vec<f64> {
    match numbers {
        Numbers::Constant(number) => vec![number.to_f64(); len],
        Numbers::Whole(values) => values.into_iter().map(|value| value as f64).collect(),
        Numbers::Wide(values, scale) => {
            values.into_iter().map(|units| decimal_to_f64(units, scale.unwrap_or(0))).collect()
        }
        Numbers::Real(values) => values,
    }
}

/// The values of a formula; `present` loses the rows where it is missing.
pub(crate) fn value(
    on: &Evaluator<'_>,
    formula: &Formula,
    rows: &Range<usize>,
    done: &[u64],
    present: &mut [u64],
) -> Numbers {
    match formula {
        Formula::Constant(number) => Numbers::Constant(*number),
        Formula::Column { column, missing } => {
            let start = Literal { node: *missing, negated: false }.node * 2 * WORDS + WORDS;
            let valid = done.get(start..start + WORDS).unwrap_or(&[]);
            present.iter_mut().zip(valid).for_each(|(present, valid)| *present &= valid);
            column_values(on.batch.get(*column), rows)
        }
        Formula::Negative(inner) => match value(on, inner, rows, done, present) {
            Numbers::Constant(number) => Numbers::Constant(number.negated()),
            Numbers::Whole(values) => {
                Numbers::Whole(checked(on, &values, &values, present, |value, _| Some(value.checked_neg())))
            }
            Numbers::Wide(units, Some(scale)) => {
                Numbers::Wide(units.into_iter().map(|units| -units).collect(), Some(scale))
            }
            Numbers::Wide(units, None) => Numbers::Whole(narrow(on, &units, present, |units| -units)),
            Numbers::Real(values) => Numbers::Real(values.into_iter().map(|value| -value).collect()),
        },
        Formula::Chain(first, rest) => {
            let mut so_far = value(on, first, rows, done, present);
            for (operator, next) in rest {
                let next = value(on, next, rows, done, present);
                so_far = calculate(on, *operator, so_far, next, rows.len(), present);
            }
            so_far
        }
    }
}

fn column_values(column: Option<&Column<'_>>, rows: &Range<usize>) -> Numbers {
    fn whole<T: Copy + Into<i64>>(values: &[T]) -> Numbers {
        Numbers::Whole(values.iter().map(|value| (*value).into()).collect())
    }
    match column {
        Some(Column::Int8(values)) => whole(piece(values, rows)),
        Some(Column::Int16(values)) => whole(piece(values, rows)),
        Some(Column::Int32(values)) => whole(piece(values, rows)),
        Some(Column::Int64(values)) => whole(piece(values, rows)),
        Some(Column::UInt8(values)) => whole(piece(values, rows)),
        Some(Column::UInt16(values)) => whole(piece(values, rows)),
        Some(Column::UInt32(values)) => whole(piece(values, rows)),
        Some(Column::UInt64(values)) => {
            Numbers::Wide(piece(values, rows).iter().map(|value| (*value).into()).collect(), None)
        }
        Some(Column::Decimal(values, scale)) => Numbers::Wide(piece(values, rows).to_vec(), Some(*scale)),
        Some(Column::Float32(values)) => {
            Numbers::Real(piece(values, rows).iter().map(|value| f64::from(*value)).collect())
        }
        Some(Column::Float64(values)) => Numbers::Real(piece(values, rows).to_vec()),
        _ => Numbers::Real(vec![f64::NAN; rows.len()]),
    }
}

fn calculate(
    on: &Evaluator<'_>,
    operator: Operator,
    left: Numbers,
    right: Numbers,
    len: usize,
    present: &mut [u64],
) -> Numbers {
    if operator != Operator::Divide && is_whole(&left) && is_whole(&right) {
        let (a, b) = (whole(on, left, len, present), whole(on, right, len, present));
        return Numbers::Whole(match operator {
            Operator::Add => checked(on, &a, &b, present, |a, b| Some(a.checked_add(b))),
            Operator::Subtract => checked(on, &a, &b, present, |a, b| Some(a.checked_sub(b))),
            Operator::Multiply => checked(on, &a, &b, present, |a, b| Some(a.checked_mul(b))),
            _ => checked(on, &a, &b, present, |a, b| (b != 0).then(|| Some(a.wrapping_rem(b)))),
        });
    }
    let (mut a, b) = (real(left, len), real(right, len));
    for (a, b) in a.iter_mut().zip(&b) {
        *a = match operator {
            Operator::Add => *a + b,
            Operator::Subtract => *a - b,
            Operator::Multiply => *a * b,
            _ if *b == 0.0 => f64::NAN,
            Operator::Divide => *a / b,
            Operator::Remainder => *a % b,
        };
    }
    let mut known = [0; WORDS];
    pack(&a, &mut known, |value| !value.is_nan());
    present.iter_mut().zip(known).for_each(|(present, known)| *present &= known);
    Numbers::Real(a)
}

fn is_whole(numbers: &Numbers) -> bool {
    match numbers {
        Numbers::Constant(number) => number.to_i64().is_some(),
        Numbers::Whole(_) | Numbers::Wide(_, None) => true,
        Numbers::Wide(_, Some(_)) | Numbers::Real(_) => false,
    }
}

fn whole(on: &Evaluator<'_>, numbers: Numbers, len: usize, present: &mut [u64]) -> Vec<i64> {
    match numbers {
        Numbers::Constant(number) => vec![number.to_i64().unwrap_or(0); len],
        Numbers::Whole(values) => values,
        Numbers::Wide(units, _) => narrow(on, &units, present, |units| units),
        Numbers::Real(_) => Vec::new(), // never asked for
    }
}

fn narrow(on: &Evaluator<'_>, units: &[i128], present: &mut [u64], change: impl Fn(i128) -> i128) -> Vec<i64> {
    checked(on, units, units, present, |units, _| Some(i64::try_from(change(units)).ok()))
}

/// Applies `change` where both sides are present: `None` is missing, `Some(None)` an overflow, which is counted.
fn checked<T: Copy>(
    on: &Evaluator<'_>,
    a: &[T],
    b: &[T],
    present: &mut [u64],
    change: impl Fn(T, T) -> Option<Option<i64>>,
) -> Vec<i64> {
    let mut out = Vec::with_capacity(a.len());
    let mut overflows = 0u64;
    for ((word, a), b) in present.iter_mut().zip(a.chunks(64)).zip(b.chunks(64)) {
        for (place, (a, b)) in a.iter().zip(b).enumerate() {
            let changed = change(*a, *b);
            overflows += u64::from(changed == Some(None)) & (*word >> place);
            let value = changed.flatten();
            *word &= !(u64::from(value.is_none()) << place);
            out.push(value.unwrap_or(0));
        }
    }
    if overflows > 0 {
        on.findings.overflows.fetch_add(overflows, atomic::Ordering::Relaxed);
    }
    out
}
