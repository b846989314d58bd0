//! Calculated values over a chunk of rows. Whole numbers are integers of 64 bits, decimals units of 128; a date is a
//! whole number of days, a timestamp a decimal of seconds.

use std::{borrow::Cow, cmp::Ordering, ops::Range, sync::atomic};

use super::{
    ast::Operator,
    bits::{Compare, pack_pairs},
    calculate::Formula,
    calendar::units_per_day,
    check::digits_of_second,
    choose,
    evaluate::{Evaluator, ROWS, clear_nan, compare_piece, literal_of, piece},
    interpret::compare_decimals,
    number::{self, Number, Units},
    program::{Literal, Test},
    texts::{self, Texts},
    types::Type,
};
use crate::{
    column::Column,
    measure::decimal,
    vector::{all_pass, widest},
};

/// The values of a node for one chunk.
#[derive(Debug, Default)]
pub(crate) enum Values<'a> {
    /// Not calculated, or missing in every row.
    #[default]
    Nothing,
    Numbers(Numbers<'a>),
    Texts(Texts<'a>),
}

/// A value per row, or one for all.
#[derive(Debug, Clone)]
pub(crate) enum Numbers<'a> {
    Constant(Number),
    Whole(Cow<'a, [i64]>),
    /// Natural numbers of 64 bits, or decimals: units and digits behind the point.
    Wide(Cow<'a, [i128]>, Option<i8>),
    Real(Cow<'a, [f64]>),
}

/// Where a calculation stands.
pub(crate) struct Place<'s, 'a> {
    pub(crate) on: &'s Evaluator<'a>,
    pub(crate) rows: &'s Range<usize>,
    /// The bits of the nodes before.
    pub(crate) done: &'s [u64],
    /// The values of the nodes before.
    pub(crate) values: &'s [Values<'a>],
    /// The columns that are narrowed.
    pub(crate) shorts: &'s [[i16; ROWS]],
}

impl<'s, 'a> Place<'s, 'a> {
    /// The rows in which a literal is true.
    pub(crate) fn rows_of(&self, literal: Literal) -> &'s [u64] {
        literal_of(self.done, literal).0
    }

    /// The rows in which a node has a value.
    pub(crate) fn known(&self, node: usize) -> &'s [u64] {
        self.rows_of(Literal { node, negated: false })
    }

    pub(crate) fn node(&self, node: usize) -> &'s Values<'a> {
        self.values.get(node).unwrap_or(&Values::Nothing)
    }

    /// A node's numbers; `present` loses the rows where they are missing.
    fn numbers(&self, node: usize, present: &mut [u64]) -> Numbers<'a> {
        self.narrow(node, present);
        match self.node(node) {
            Values::Numbers(numbers) => numbers.clone(),
            _ => Numbers::Whole(vec![0; self.rows.len()].into()),
        }
    }

    /// `present` loses the rows where a node is missing.
    pub(crate) fn narrow(&self, node: usize, present: &mut [u64]) {
        present.iter_mut().zip(self.known(node)).for_each(|(present, known)| *present &= known);
    }

    fn overflowed(&self, rows: u64) {
        if rows > 0 {
            self.on.findings.overflows.fetch_add(rows, atomic::Ordering::Relaxed);
        }
    }
}

/// The values of a formula; `present` loses the rows where it is missing.
pub(crate) fn evaluate<'a>(at: &Place<'_, 'a>, formula: &'a Formula, present: &mut [u64]) -> Values<'a> {
    let len = at.rows.len();
    Values::Numbers(match formula {
        Formula::Column { column, missing } => {
            let valid = at.rows_of(Literal { node: *missing, negated: true });
            present.iter_mut().zip(valid).for_each(|(present, valid)| *present &= valid);
            return column_values(at, *column);
        }
        Formula::Number(number) => Numbers::Constant(*number),
        Formula::Text(text) => return Values::Texts(Texts::Constant(text)),
        Formula::Nothing => {
            present.fill(0);
            return Values::Nothing;
        }
        Formula::Negative(value) => match at.numbers(*value, present) {
            Numbers::Constant(number) => Numbers::Constant(number.negated()),
            Numbers::Wide(units, Some(scale)) => Numbers::Wide(units.iter().map(|units| -units).collect(), Some(scale)),
            Numbers::Real(values) => Numbers::Real(values.iter().map(|value| -value).collect()),
            other => whole_change(at, &other, len, present, |value| i64::try_from(-value).ok()),
        },
        Formula::Absolute(value) => match each(at.numbers(*value, present), len) {
            Numbers::Wide(units, Some(scale)) => {
                Numbers::Wide(units.iter().map(|units| units.abs()).collect(), Some(scale))
            }
            Numbers::Real(values) => Numbers::Real(values.iter().map(|value| value.abs()).collect()),
            other => whole_change(at, &other, len, present, |value| i64::try_from(value.abs()).ok()),
        },
        Formula::Round(value, digits) => round(at, each(at.numbers(*value, present), len), *digits, present),
        Formula::Chain(first, rest) => {
            let mut so_far = at.numbers(*first, present);
            for (operator, next) in rest {
                let next = at.numbers(*next, present);
                so_far = calculate(at, *operator, &so_far, &next, len, present);
            }
            so_far
        }
        Formula::Cast { value, from, to } => cast(at, at.numbers(*value, present), *from, *to, present),
        Formula::Shift(value, by) => match each(at.numbers(*value, present), len) {
            Numbers::Wide(units, Some(scale)) => {
                let moved = checked(at, &units, &units, present, |units, _| Some(by.shift_time(units, scale)));
                Numbers::Wide(moved.into(), Some(scale))
            }
            other => {
                let days = whole(at, &other, len, present);
                Numbers::Whole(checked(at, &days, &days, present, |day, _| Some(by.shift_day(day))).into())
            }
        },
        Formula::Join(nodes) => return Values::Texts(texts::join(at, nodes, present)),
        Formula::Choose(branches) => return choose::choose(at, branches, present),
        Formula::Extreme { greatest, values } => return choose::extreme(at, *greatest, values, present),
    })
}

fn column_values<'a>(at: &Place<'_, 'a>, column: usize) -> Values<'a> {
    fn wider<'a, T: Copy + Into<i64>>(values: &[T]) -> Numbers<'a> {
        Numbers::Whole(values.iter().map(|value| (*value).into()).collect())
    }
    let rows = at.rows;
    let widened = |times: &[i64]| times.iter().map(|time| i128::from(*time)).collect();
    Values::Numbers(match at.on.batch.get(column) {
        Some(Column::Int8(values)) => wider(piece(values, rows)),
        Some(Column::Int16(values)) => wider(piece(values, rows)),
        Some(Column::Int32(values) | Column::Date(values)) => wider(piece(values, rows)),
        Some(Column::Int64(values)) => Numbers::Whole(piece(values, rows).into()),
        Some(Column::UInt8(values)) => wider(piece(values, rows)),
        Some(Column::UInt16(values)) => wider(piece(values, rows)),
        Some(Column::UInt32(values)) => wider(piece(values, rows)),
        Some(Column::UInt64(values)) => {
            Numbers::Wide(piece(values, rows).iter().map(|value| (*value).into()).collect(), None)
        }
        Some(Column::Decimal(values, scale)) => Numbers::Wide(piece(values, rows).into(), Some(*scale)),
        Some(Column::Float32(values)) => {
            Numbers::Real(piece(values, rows).iter().map(|value| f64::from(*value)).collect())
        }
        Some(Column::Float64(values)) => Numbers::Real(piece(values, rows).into()),
        Some(Column::Timestamp(values, unit, _)) => {
            Numbers::Wide(widened(&at.on.wall_clock(column, piece(values, rows))), Some(digits_of_second(*unit)))
        }
        Some(Column::Text(text)) => return Values::Texts(Texts::Column(text, rows.start)),
        Some(Column::Dictionary(codes, text)) => return Values::Texts(Texts::Dictionary(codes, text, rows.start)),
        Some(Column::Bool(..) | Column::Null(_)) | None => return Values::Nothing,
    })
}

/// A constant as one value per row.
fn each(numbers: Numbers<'_>, len: usize) -> Numbers<'_> {
    let Numbers::Constant(number) = numbers else { return numbers };
    match (number.to_i64(), number.to_decimal()) {
        (Some(value), _) => Numbers::Whole(vec![value; len].into()),
        (None, Some((units, scale))) => Numbers::Wide(vec![units; len].into(), Some(scale)),
        (None, None) => Numbers::Real(vec![number.to_f64(); len].into()),
    }
}

fn kind_of(numbers: &Numbers<'_>) -> Type {
    match numbers {
        Numbers::Constant(number) => Type::of_number(*number),
        Numbers::Whole(_) | Numbers::Wide(_, None) => Type::Whole,
        Numbers::Wide(_, Some(scale)) => Type::Decimal(*scale),
        Numbers::Real(_) => Type::Real,
    }
}

/// Units, wherever a number is exact.
pub(super) fn wide<'n>(numbers: &'n Numbers<'_>, len: usize) -> (Cow<'n, [i128]>, i8) {
    match numbers {
        Numbers::Constant(number) => {
            number.to_decimal().map_or((Cow::default(), 0), |(units, scale)| (vec![units; len].into(), scale))
        }
        Numbers::Whole(values) => (values.iter().map(|value| i128::from(*value)).collect(), 0),
        Numbers::Wide(values, scale) => (Cow::Borrowed(values), scale.unwrap_or(0)),
        Numbers::Real(_) => (Cow::default(), 0), // never asked for
    }
}

pub(super) fn real<'n>(numbers: &'n Numbers<'_>, len: usize) -> Cow<'n, [f64]> {
    match numbers {
        Numbers::Constant(number) => vec![number.to_f64(); len].into(),
        Numbers::Whole(values) => values.iter().map(|value| *value as f64).collect(),
        Numbers::Wide(values, scale) => values.iter().map(|units| decimal(*units, scale.unwrap_or(0))).collect(),
        Numbers::Real(values) => Cow::Borrowed(values),
    }
}

/// Integers of 64 bits; natural numbers beyond them are missing.
fn whole<'n>(at: &Place<'_, '_>, numbers: &'n Numbers<'_>, len: usize, present: &mut [u64]) -> Cow<'n, [i64]> {
    match numbers {
        Numbers::Constant(number) => vec![number.to_i64().unwrap_or(0); len].into(),
        Numbers::Whole(values) => Cow::Borrowed(values),
        Numbers::Wide(units, _) => {
            checked(at, units, units, present, |units, _| Some(i64::try_from(units).ok())).into()
        }
        Numbers::Real(_) => Cow::default(), // never asked for
    }
}

fn whole_change<'a>(
    at: &Place<'_, '_>,
    numbers: &Numbers<'_>,
    len: usize,
    present: &mut [u64],
    change: impl Fn(i128) -> Option<i64>,
) -> Numbers<'a> {
    let (units, _) = wide(numbers, len);
    Numbers::Whole(checked(at, &units, &units, present, |units, _| Some(change(units))).into())
}

fn round<'a>(at: &Place<'_, '_>, numbers: Numbers<'a>, digits: i8, present: &mut [u64]) -> Numbers<'a> {
    let digits = i32::from(digits);
    match numbers {
        Numbers::Real(values) => Numbers::Real(values.iter().map(|value| number::round_real(*value, digits)).collect()),
        Numbers::Wide(units, Some(scale)) => {
            let kept = i32::from(scale).min(digits.max(0));
            let step = number::power_of_ten(i32::from(scale) - kept).unwrap_or(1);
            let dropped = (i32::from(scale) - digits).max(0);
            let rounded = checked(at, &units, &units, present, |units, _| {
                let rounded = number::round_units(units, dropped);
                Some(Some(rounded).filter(|units| number::fits(*units)).map(|units| units / step))
            });
            Numbers::Wide(rounded.into(), Some(kept as i8))
        }
        other => whole_change(at, &other, at.rows.len(), present, |value| {
            i64::try_from(number::round_units(value, (-digits).max(0))).ok()
        }),
    }
}

fn cast<'a>(at: &Place<'_, '_>, numbers: Numbers<'a>, from: Type, to: Type, present: &mut [u64]) -> Numbers<'a> {
    let len = at.rows.len();
    match (from, to) {
        (_, Type::Real) => Numbers::Real(real(&numbers, len).into_owned().into()),
        (Type::Date, Type::Timestamp(scale)) => {
            let (days, _) = wide(&numbers, len);
            Numbers::Wide(days.iter().map(|day| day * units_per_day(scale)).collect(), Some(scale))
        }
        (Type::Timestamp(_), Type::Date) => {
            let (units, scale) = wide(&numbers, len);
            let per_day = units_per_day(scale);
            Numbers::Whole(units.iter().map(|units| units.div_euclid(per_day) as i64).collect())
        }
        (_, Type::Decimal(scale) | Type::Timestamp(scale)) => {
            let (units, from) = wide(&numbers, len);
            let rescaled = checked(at, &units, &units, present, |units, _| Some(number::rescale(units, from, scale)));
            Numbers::Wide(rescaled.into(), Some(scale))
        }
        _ => each(numbers, len),
    }
}

fn calculate<'a>(
    at: &Place<'_, '_>,
    operator: Operator,
    left: &Numbers<'_>,
    right: &Numbers<'_>,
    len: usize,
    present: &mut [u64],
) -> Numbers<'a> {
    match kind_of(left).calculated(operator, kind_of(right)) {
        Some(Type::Whole) => {
            let a = whole(at, left, len, present);
            let b = whole(at, right, len, present);
            let result = match operator {
                Operator::Add => checked(at, &a, &b, present, |a, b| Some(a.checked_add(b))),
                Operator::Subtract => checked(at, &a, &b, present, |a, b| Some(a.checked_sub(b))),
                Operator::Multiply => checked(at, &a, &b, present, |a, b| Some(a.checked_mul(b))),
                _ => checked(at, &a, &b, present, |a, b| (b != 0).then(|| Some(a.wrapping_rem(b)))),
            };
            Numbers::Whole(result.into())
        }
        Some(Type::Decimal(scale)) => {
            let ((a, s), (b, t)) = (wide(left, len), wide(right, len));
            let fits = |units: &i128| number::fits(*units);
            let both = |a, b| number::rescale(a, s, scale).zip(number::rescale(b, t, scale));
            let result = match operator {
                Operator::Multiply => checked(at, &a, &b, present, |a, b| Some(a.checked_mul(b).filter(fits))),
                Operator::Add => checked(at, &a, &b, present, |a, b| {
                    Some(both(a, b).and_then(|(a, b)| a.checked_add(b).filter(fits)))
                }),
                Operator::Subtract => checked(at, &a, &b, present, |a, b| {
                    Some(both(a, b).and_then(|(a, b)| a.checked_sub(b).filter(fits)))
                }),
                _ => checked(at, &a, &b, present, |a, b| {
                    (b != 0).then(|| both(a, b).and_then(|(a, b)| a.checked_rem(b)))
                }),
            };
            Numbers::Wide(result.into(), Some(scale))
        }
        _ => {
            let (a, b) = (real(left, len), real(right, len));
            let result = match operator {
                Operator::Add => pairs(&a, &b, |a, b| a + b),
                Operator::Subtract => pairs(&a, &b, |a, b| a - b),
                Operator::Multiply => pairs(&a, &b, |a, b| a * b),
                Operator::Divide => pairs(&a, &b, |a, b| if b == 0.0 { f64::NAN } else { a / b }),
                Operator::Remainder => pairs(&a, &b, |a, b| if b == 0.0 { f64::NAN } else { a % b }),
            };
            if !all_pass(&result, |value: f64| !value.is_nan()) {
                clear_nan(&result, f64::NEG_INFINITY, present);
            }
            Numbers::Real(result.into())
        }
    }
}

widest! {
    /// A number for each pair of numbers.
    fn pairs[F: Fn(f64, f64) -> f64](a: &[f64], b: &[f64], change: F) -> Vec<f64> = pair_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn pair_each<F: Fn(f64, f64) -> f64>(a: &[f64], b: &[f64], change: F) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| change(*a, *b)).collect()
}

/// Applies `change` where both sides are present: `None` is missing, `Some(None)` an overflow, which is counted.
fn checked<T: Copy, R: Copy + Default>(
    at: &Place<'_, '_>,
    a: &[T],
    b: &[T],
    present: &mut [u64],
    change: impl Fn(T, T) -> Option<Option<R>>,
) -> Vec<R> {
    let mut out = Vec::with_capacity(a.len());
    let mut overflows = 0u64;
    for ((word, a), b) in present.iter_mut().zip(a.chunks(64)).zip(b.chunks(64)) {
        for (place, (a, b)) in a.iter().zip(b).enumerate() {
            let changed = change(*a, *b);
            overflows += u64::from(matches!(changed, Some(None))) & (*word >> place);
            let value = changed.flatten();
            *word &= !(u64::from(value.is_none()) << place);
            out.push(value.unwrap_or_default());
        }
    }
    at.overflowed(overflows);
    out
}

/// Compares the values of two nodes, wherever both are present.
pub(crate) fn compare(at: &Place<'_, '_>, left: usize, right: usize, test: Test, yes: &mut [u64]) {
    let (a, b) = match (at.node(left), at.node(right)) {
        (Values::Numbers(a), Values::Numbers(b)) => (a, b),
        (Values::Texts(a), Values::Texts(b)) => return texts::compare(a, b, at.rows.len(), test, yes),
        _ => return yes.fill(0),
    };
    let wanted = if test == Test::Equal { Ordering::Equal } else { Ordering::Greater };
    let len = at.rows.len();
    match (a, b) {
        (Numbers::Whole(a), Numbers::Whole(b)) if test == Test::Equal => pack_pairs(a, b, yes, |a, b| a == b),
        (Numbers::Whole(a), Numbers::Whole(b)) => pack_pairs(a, b, yes, |a, b| a > b),
        (Numbers::Constant(a), Numbers::Constant(b)) => yes.fill(if a.order(*b) == Some(wanted) { !0 } else { 0 }),
        (Numbers::Whole(a), Numbers::Constant(b)) => against(a, 0, *b, test, false, yes),
        (Numbers::Constant(a), Numbers::Whole(b)) => against(b, 0, *a, test, true, yes),
        (Numbers::Wide(a, scale), Numbers::Constant(b)) => against(a, scale.unwrap_or(0), *b, test, false, yes),
        (Numbers::Constant(a), Numbers::Wide(b, scale)) => against(b, scale.unwrap_or(0), *a, test, true, yes),
        (Numbers::Real(a), Numbers::Constant(b)) => f64::compare(a, test, b.to_f64(), yes),
        (Numbers::Whole(_) | Numbers::Wide(..), Numbers::Whole(_) | Numbers::Wide(..)) => {
            let ((a, s), (b, t)) = (wide(a, len), wide(b, len));
            if s == t {
                return pack_pairs(&a, &b, yes, |a, b| a.cmp(&b) == wanted);
            }
            pack_pairs(&a, &b, yes, |a, b| compare_decimals(a, s, b, t) == wanted);
        }
        _ => {
            let (a, b) = (real(a, len), real(b, len));
            match test {
                Test::Equal => pack_pairs(&a, &b, yes, |a, b| a == b),
                Test::Greater => pack_pairs(&a, &b, yes, |a, b| a > b),
            }
        }
    }
}

/// Compares whole units with a number; `turned` where the number stands on the left.
fn against<T>(values: &[T], scale: i8, number: Number, test: Test, turned: bool, yes: &mut [u64])
where
    T: Compare + TryFrom<i128>,
{
    // The largest unit not above the number, and the smallest not below it.
    let (floor, ceiling) = match number.units(scale) {
        Units::Below => (i128::MIN, i128::MIN),
        Units::Floor(floor, exact) => (floor, floor.saturating_add(i128::from(!exact))),
        Units::Above => (i128::MAX, i128::MAX),
    };
    match test {
        Test::Equal if floor == ceiling => compare_piece(values, test, floor, yes),
        Test::Equal => yes.fill(0),
        Test::Greater if turned => {
            compare_piece(values, test, ceiling.saturating_sub(1), yes);
            for word in yes {
                *word = !*word;
            }
        }
        Test::Greater => compare_piece(values, test, floor, yes),
    }
}
