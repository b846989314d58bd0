//! Amounts: floats that are summed exactly, or decimals in minor units.

use std::ops::Range;

use super::reason::Reason;
use crate::{
    Error, Result,
    column::Column,
    ids::mark_missing,
    math::sum::{Sum, exact_sum},
    measure::decimal,
};

/// How amounts are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyKind {
    /// Floats; whole numbers too, each rounded to a float as `math.fsum` does.
    Float,
    /// Minor units, so many digits of them behind the point.
    Decimal(i8),
}

impl MoneyKind {
    /// The kind of a column, or an error that says what amounts may be.
    pub(super) fn of(column: &Column<'_>, name: &str) -> Result<Self> {
        match column {
            Column::Decimal(_, scale) => Ok(Self::Decimal(*scale)),
            Column::Bool(..) | Column::Text(_) | Column::Dictionary(..) | Column::Date(_) | Column::Timestamp(..) => {
                Err(Error::input(format!("column '{name}' holds {}; wanted numbers: convert it first", column.kind())))
            }
            _ => Ok(Self::Float),
        }
    }

    /// How many digits stand behind the point of minor units.
    pub(super) fn scale(self) -> i8 {
        match self {
            Self::Float => 0,
            Self::Decimal(scale) => scale,
        }
    }
}

/// Money that can be added exactly.
pub(super) trait Amount: Copy + Default + PartialEq + Send + Sync + 'static {
    /// Appends the amounts of some rows and marks those that are missing or infinite.
    fn read(column: &Column<'_>, range: Range<usize>, reasons: &mut [Reason], amounts: &mut Vec<Self>);

    /// Whether it is below zero.
    fn is_return(self) -> bool;

    /// The same amount with the other sign.
    fn negated(self) -> Self;

    /// A sum on its way.
    type Sum: Default + Clone;

    fn add(sum: &mut Self::Sum, term: Self);

    /// Adds a sum of other terms.
    fn merge(sum: &mut Self::Sum, other: &Self::Sum);

    /// The sum of `terms`, all of which were added, rounded once; `None` beyond what the kind holds.
    fn finish(sum: &Self::Sum, terms: impl Iterator<Item = Self> + Clone) -> Option<Self>;

    /// The sum, rounded once, whatever the order; `None` beyond what the kind holds.
    #[inline]
    fn total(terms: impl Iterator<Item = Self> + Clone) -> Option<Self> {
        let mut sum = Self::Sum::default();
        for term in terms.clone() {
            Self::add(&mut sum, term);
        }
        Self::finish(&sum, terms)
    }

    /// The amount as a float, `scale` digits of a decimal standing behind the point.
    fn to_float(self, scale: i8) -> f64;

    /// A column of amounts.
    fn column(amounts: Vec<Self>, scale: i8) -> Amounts;
}

/// A column of amounts, to go back to the caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Amounts {
    /// Floats.
    Float(Vec<f64>),
    /// Minor units and the digits of them behind the point.
    Decimal(Vec<i128>, i8),
}

impl Amount for f64 {
    fn read(column: &Column<'_>, range: Range<usize>, reasons: &mut [Reason], amounts: &mut Vec<Self>) {
        macro_rules! widen {
            ($column:expr) => {{
                mark_missing($column.validity, range.clone(), Reason::MissingAmount, reasons);
                amounts.extend($column.values.get(range).unwrap_or_default().iter().map(|amount| *amount as f64));
            }};
        }
        #[allow(clippy::cast_lossless)] // one macro for the widths that lose and those that do not
        match column {
            Column::Int8(column) => widen!(column),
            Column::Int16(column) => widen!(column),
            Column::Int32(column) => widen!(column),
            Column::Int64(column) => widen!(column),
            Column::UInt8(column) => widen!(column),
            Column::UInt16(column) => widen!(column),
            Column::UInt32(column) => widen!(column),
            Column::UInt64(column) => widen!(column),
            Column::Float32(column) => widen!(column),
            Column::Float64(column) => widen!(column),
            _ => {}
        }
        // Without an early exit the compiler checks several amounts at a time.
        if amounts.iter().fold(true, |finite, amount| finite & amount.is_finite()) {
            return;
        }
        for (amount, reason) in amounts.iter().zip(reasons) {
            let found = match amount {
                amount if amount.is_nan() => Reason::MissingAmount,
                amount if amount.is_infinite() => Reason::NonFiniteAmount,
                _ => Reason::Used,
            };
            *reason = (*reason).min(found);
        }
    }

    #[inline]
    fn is_return(self) -> bool {
        self < 0.0
    }

    fn negated(self) -> Self {
        0.0 - self // not -self: nothing returned is 0.0, never -0.0
    }

    type Sum = Sum;

    #[inline]
    fn add(sum: &mut Sum, term: Self) {
        sum.add(term);
    }

    #[inline]
    fn merge(sum: &mut Sum, other: &Sum) {
        sum.merge(other);
    }

    #[inline]
    fn finish(sum: &Sum, terms: impl Iterator<Item = Self> + Clone) -> Option<Self> {
        Some(sum.total().unwrap_or_else(|| exact_sum(terms))).filter(|total| total.is_finite())
    }

    fn to_float(self, _: i8) -> f64 {
        self
    }

    fn column(amounts: Vec<Self>, _: i8) -> Amounts {
        Amounts::Float(amounts)
    }
}

/// The largest number of 38 digits, which is what a decimal128 holds.
const LARGEST: i128 = 10i128.pow(38) - 1;

impl Amount for i128 {
    fn read(column: &Column<'_>, range: Range<usize>, reasons: &mut [Reason], amounts: &mut Vec<Self>) {
        if let Column::Decimal(column, _) = column {
            mark_missing(column.validity, range.clone(), Reason::MissingAmount, reasons);
            amounts.extend_from_slice(column.values.get(range).unwrap_or_default());
        }
    }

    #[inline]
    fn is_return(self) -> bool {
        self < 0
    }

    fn negated(self) -> Self {
        self.wrapping_neg() // |self| has at most 38 digits
    }

    /// The sum modulo 2^128 and how often it wrapped: exact whatever the order.
    type Sum = (Self, i64);

    #[inline]
    fn add((sum, wraps): &mut Self::Sum, term: Self) {
        let (next, wrapped) = sum.overflowing_add(term);
        *sum = next;
        *wraps += i64::from(wrapped) * if term < 0 { -1 } else { 1 };
    }

    fn merge(sum: &mut Self::Sum, (other, wraps): &Self::Sum) {
        Self::add(sum, *other);
        sum.1 += wraps;
    }

    fn finish((sum, wraps): &Self::Sum, _: impl Iterator<Item = Self> + Clone) -> Option<Self> {
        Some(*sum).filter(|sum| *wraps == 0 && (-LARGEST..=LARGEST).contains(sum))
    }

    fn to_float(self, scale: i8) -> f64 {
        decimal(self, scale)
    }

    fn column(amounts: Vec<Self>, scale: i8) -> Amounts {
        Amounts::Decimal(amounts, scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_totals_are_exact_in_any_order_and_know_their_limit() {
        let big = LARGEST;
        assert_eq!(i128::total([big, big, -big, -big, 7].into_iter()), Some(7));
        assert_eq!(i128::total([-big, -big, big, big, -7].into_iter()), Some(-7));
        assert_eq!(i128::total([big, 1].into_iter()), None);
        assert_eq!(i128::total([big, big].into_iter()), None);
        assert_eq!(i128::total([].into_iter()), Some(0));
    }

    #[test]
    fn float_totals_know_their_limit() {
        assert_eq!(f64::total([f64::MAX, f64::MAX, -f64::MAX].into_iter()), Some(f64::MAX));
        assert_eq!(f64::total([f64::MAX, f64::MAX].into_iter()), None);
    }
}
