//! Rules read one row at a time, straight from the tree: what `explain` tells people, and the oracle the
//! fast path is tested against.

use std::{cell::RefCell, cmp::Ordering};

use super::{
    ast::{Comparison, Constant, Expr, Function, Is, Kind, Operator},
    calendar::units_per_day,
    check::{digits_of_second, round_digits},
    config::Checked,
    number::{self, Number},
    order::dependency_order,
    pattern::like,
    types::Type,
};
use crate::{
    column::{Batch, Column, TimeUnit},
    measure::decimal,
    zone::zone,
};

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
    /// Days since 1970-01-01.
    Date(i64),
    /// Wall clock since 1970-01-01: units and digits of a second behind the point.
    Timestamp(i128, i8),
}

/// The rows of one batch.
pub struct Rows<'a> {
    checked: &'a Checked,
    batch: &'a Batch<'a>,
    /// What the rules say of one row, as far as rules refer to one another.
    rules: RefCell<(usize, Vec<Option<bool>>)>,
}

impl<'a> Rows<'a> {
    /// The rows of a batch, whose columns are those the rules were checked with.
    #[must_use]
    pub fn new(checked: &'a Checked, batch: &'a Batch<'a>) -> Self {
        Self { checked, batch, rules: RefCell::new((usize::MAX, Vec::new())) }
    }

    /// The value of a column in a row.
    #[must_use]
    pub fn cell(&self, name: &str, row: usize) -> Cell {
        let column = self.checked.names.iter().position(|known| known == name).and_then(|index| self.batch.get(index));
        column.and_then(|column| cell(column, row)).unwrap_or(Cell::Missing)
    }

    /// What another rule says of a row: all rules are read once, each behind those it refers to.
    fn rule(&self, label: &str, row: usize) -> Option<bool> {
        let rules = &self.checked.rules;
        if self.rules.borrow().0 != row {
            *self.rules.borrow_mut() = (row, vec![None; rules.len()]);
            for place in dependency_order(rules).unwrap_or_default() {
                let holds = rules.get(place).and_then(|rule| self.condition(&rule.condition, row));
                if let Some(known) = self.rules.borrow_mut().1.get_mut(place) {
                    *known = holds;
                }
            }
        }
        let place = rules.iter().position(|rule| rule.label == label)?;
        self.rules.borrow().1.get(place).copied().flatten()
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
            Kind::Like { value, pattern, escape, negated } => match (self.value(value, row), &pattern.kind) {
                (Cell::Text(text), Kind::Constant(Constant::Text(pattern))) => {
                    Some(like(pattern, *escape, &text) != *negated)
                }
                _ => None,
            },
            Kind::Is { value, what, negated } => {
                let found = match what {
                    Is::Null => self.value(value, row) == Cell::Missing,
                    Is::True => self.condition(value, row) == Some(true),
                    Is::False => self.condition(value, row) == Some(false),
                };
                Some(found != *negated)
            }
            Kind::Rule(label) => self.rule(label, row),
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
            Kind::Constant(constant) => match constant {
                Constant::Bool(value) => Cell::Bool(*value),
                Constant::Number(number) => Cell::Constant(*number),
                Constant::Text(text) => Cell::Text(text.clone()),
                Constant::Date(day) => Cell::Date((*day).into()),
                Constant::Timestamp(micros) => Cell::Timestamp((*micros).into(), 6),
                Constant::Interval(_) | Constant::Null => Cell::Missing,
            },
            Kind::Parameter(_) => Cell::Missing,
            Kind::Case { operand, branches, otherwise } => {
                let operand = operand.as_ref().map(|operand| self.value(operand, row));
                let taken = branches.iter().find(|(when, _)| match &operand {
                    Some(operand) => compare(Comparison::Equal, operand, &self.value(when, row)) == Some(true),
                    None => self.condition(when, row) == Some(true),
                });
                let result = taken.map(|(_, then)| then).or(otherwise.as_deref());
                let value = result.map_or(Cell::Missing, |result| self.value(result, row));
                convert(value, self.checked.type_of(tree))
            }
            Kind::Call(function, arguments) => self.call(*function, arguments, tree, row),
            Kind::Join(terms) => {
                let texts = terms.iter().map(|term| match self.value(term, row) {
                    Cell::Text(text) => Some(text),
                    _ => None,
                });
                texts.collect::<Option<String>>().map_or(Cell::Missing, Cell::Text)
            }
            Kind::Negative(inner) => match plain(self.value(inner, row)) {
                Cell::Whole(value) => whole(-value),
                Cell::Decimal(units, scale) => Cell::Decimal(-units, scale),
                other => real(&other).map_or(Cell::Missing, |value| Cell::Real(-value)),
            },
            Kind::Arithmetic(first, rest) => {
                let mut so_far = plain(self.value(first, row));
                for (operator, next) in rest {
                    so_far = if let Kind::Constant(Constant::Interval(interval)) = next.kind {
                        let interval = if *operator == Operator::Add { Some(interval) } else { interval.negated() };
                        match (so_far, interval) {
                            (Cell::Date(day), Some(by)) => by.shift_day(day).map_or(Cell::Missing, Cell::Date),
                            (Cell::Timestamp(units, scale), Some(by)) => {
                                by.shift_time(units, scale).map_or(Cell::Missing, |moved| Cell::Timestamp(moved, scale))
                            }
                            _ => Cell::Missing,
                        }
                    } else {
                        calculate(*operator, &so_far, &plain(self.value(next, row)))
                    };
                }
                so_far
            }
            _ => self.condition(tree, row).map_or(Cell::Missing, Cell::Bool),
        }
    }

    fn call(&self, function: Function, arguments: &[Expr], tree: &Expr, row: usize) -> Cell {
        let to = self.checked.type_of(tree);
        let mut values = arguments.iter().map(|argument| self.value(argument, row));
        match function {
            Function::Coalesce => convert(values.find(|value| *value != Cell::Missing).unwrap_or(Cell::Missing), to),
            Function::NullIf => {
                let (value, other) = (values.next().unwrap_or(Cell::Missing), values.next().unwrap_or(Cell::Missing));
                let equal = compare(Comparison::Equal, &value, &other) == Some(true);
                if equal { Cell::Missing } else { convert(value, to) }
            }
            Function::Least | Function::Greatest => {
                let wanted = if function == Function::Least { Ordering::Less } else { Ordering::Greater };
                let present = values.map(|value| convert(value, to)).filter(|value| *value != Cell::Missing);
                let extreme =
                    present.reduce(|best, next| if order(&next, &best) == Some(wanted) { next } else { best });
                extreme.unwrap_or(Cell::Missing)
            }
            Function::Abs => match plain(values.next().unwrap_or(Cell::Missing)) {
                Cell::Whole(value) => whole(value.abs()),
                Cell::Decimal(units, scale) => Cell::Decimal(units.abs(), scale),
                other => real(&other).map_or(Cell::Missing, |value| Cell::Real(value.abs())),
            },
            Function::Round => {
                let digits = round_digits(arguments).unwrap_or(0);
                match plain(values.next().unwrap_or(Cell::Missing)) {
                    Cell::Whole(value) if digits >= 0 => whole(value),
                    Cell::Whole(value) => whole(number::round_units(value, -i32::from(digits))),
                    Cell::Decimal(units, scale) => {
                        let rounded = number::round_units(units, (i32::from(scale) - i32::from(digits)).max(0));
                        exact(rounded, scale, scale).map_or(Cell::Missing, |cell| convert(cell, to))
                    }
                    other => {
                        real(&other).map_or(Cell::Missing, |value| Cell::Real(number::round_real(value, digits.into())))
                    }
                }
            }
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

fn exact(units: i128, from: i8, to: i8) -> Option<Cell> {
    number::rescale(units, from, to).map(|units| Cell::Decimal(units, to))
}

/// A number as it is calculated with, not compared.
fn plain(cell: Cell) -> Cell {
    match cell {
        Cell::Constant(number) => match (number.to_i64(), number.to_decimal()) {
            (Some(value), _) => Cell::Whole(value.into()),
            (None, Some((units, scale))) => Cell::Decimal(units, scale),
            (None, None) => Cell::Real(number.to_f64()),
        },
        Cell::Single(value) => Cell::Real(value.into()),
        other => other,
    }
}

/// The same value as one of the wanted type.
fn convert(cell: Cell, to: Type) -> Cell {
    match (plain(cell), to) {
        (Cell::Whole(value), Type::Decimal(scale)) => exact(value, 0, scale).unwrap_or(Cell::Missing),
        // Fewer digits are asked for by ROUND alone, when the last ones are zero.
        (Cell::Decimal(units, from), Type::Decimal(scale)) if scale < from => {
            let step = number::power_of_ten(i32::from(from) - i32::from(scale));
            step.map_or(Cell::Missing, |step| Cell::Decimal(units / step, scale))
        }
        (Cell::Decimal(units, from), Type::Decimal(scale)) => exact(units, from, scale).unwrap_or(Cell::Missing),
        (Cell::Date(day), Type::Timestamp(scale)) => Cell::Timestamp(i128::from(day) * units_per_day(scale), scale),
        (Cell::Timestamp(units, from), Type::Timestamp(scale)) => {
            let factor = number::power_of_ten(i32::from(scale) - i32::from(from));
            factor.map_or(Cell::Missing, |factor| Cell::Timestamp(units * factor, scale))
        }
        (number, Type::Real) => real(&number).map_or(Cell::Missing, Cell::Real),
        (same, _) => same,
    }
}

fn real(cell: &Cell) -> Option<f64> {
    Some(match cell {
        Cell::Whole(value) => *value as f64,
        Cell::Decimal(units, scale) => decimal(*units, *scale),
        Cell::Single(value) => f64::from(*value),
        Cell::Real(value) => *value,
        Cell::Constant(number) => number.to_f64(),
        _ => return None,
    })
}

/// The calendar day of a date or timestamp.
fn day(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Date(day) => Some((*day).into()),
        Cell::Timestamp(units, scale) => Some(units.div_euclid(units_per_day(*scale))),
        _ => None,
    }
}

fn calculate(operator: Operator, left: &Cell, right: &Cell) -> Cell {
    if let (Cell::Whole(a), Cell::Whole(b)) = (left, right)
        && operator != Operator::Divide
    {
        let (Ok(a), Ok(b)) = (i64::try_from(*a), i64::try_from(*b)) else { return Cell::Missing };
        let (a, b) = (i128::from(a), i128::from(b));
        return match operator {
            Operator::Add => whole(a + b),
            Operator::Subtract => whole(a - b),
            Operator::Multiply => whole(a * b),
            Operator::Remainder if b != 0 => whole(a % b),
            _ => Cell::Missing,
        };
    }
    if let (Some(a), Some(b)) = (day(left), day(right)) {
        return whole(a - b);
    }
    let kind = |cell: &Cell| match cell {
        Cell::Whole(_) => Type::Whole,
        Cell::Decimal(_, scale) => Type::Decimal(*scale),
        _ => Type::Real,
    };
    if let (Some((a, s)), Some((b, t))) = (units(left), units(right))
        && let Some(Type::Decimal(scale)) = kind(left).calculated(operator, kind(right))
    {
        let result = if operator == Operator::Multiply {
            a.checked_mul(b).filter(|units| number::fits(*units))
        } else {
            number::rescale(a, s, scale).zip(number::rescale(b, t, scale)).and_then(|(a, b)| match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                _ => a.checked_rem(b),
            })
        };
        return result.filter(|units| number::fits(*units)).map_or(Cell::Missing, |units| Cell::Decimal(units, scale));
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
        (Cell::Date(a), Cell::Date(b)) => Some(a.cmp(b)),
        (Cell::Date(_) | Cell::Timestamp(..), Cell::Date(_) | Cell::Timestamp(..)) => {
            let both = [left, right].map(|cell| match convert(cell.clone(), Type::Timestamp(9)) {
                Cell::Timestamp(units, _) => Some(units),
                _ => None,
            });
            let [Some(a), Some(b)] = both else { return None };
            Some(a.cmp(&b))
        }
        (Cell::Constant(a), Cell::Constant(b)) => a.order(*b),
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
        Column::Dictionary(codes, text) => Cell::Text(text.get(codes.get(row)?)?.to_owned()),
        Column::Date(values) => Cell::Date(values.get(row)?.into()),
        Column::Timestamp(values, unit, zone) => wall_clock(values.get(row)?, *unit, *zone),
    })
}

/// A point in time as the wall clock of its column's zone.
fn wall_clock(time: i64, unit: TimeUnit, name: Option<&str>) -> Cell {
    let moment = jiff::Timestamp::from_second(time.div_euclid(unit.per_second())).ok();
    let offset = name
        .and_then(|name| zone(name, "zone").ok())
        .zip(moment)
        .map_or(0, |(zone, moment)| i128::from(zone.to_offset(moment).seconds()));
    Cell::Timestamp(i128::from(time) + offset * i128::from(unit.per_second()), digits_of_second(unit))
}
