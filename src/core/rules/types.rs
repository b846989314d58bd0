//! What values an expression gives, known before any row is read.
//!
//! | operation | gives |
//! |---|---|
//! | whole `+ - * %` whole | a whole number of 64 bits; missing, and counted, beyond them |
//! | decimal `+ - %` decimal or whole | a decimal with the digits of the longer one; missing, and counted, beyond 38 digits |
//! | decimal `*` decimal or whole | a decimal with the digits of both behind the point; a float where they are over 38 |
//! | anything with a float, and every `/` | a float64 |
//! | date or timestamp `+ -` interval | the same; missing, and counted, beyond what its kind can count |
//! | date or timestamp `-` date or timestamp | the calendar days between them, a whole number |
//!
//! Several values that stand for one (CASE, COALESCE, LEAST ...) give a float if one is a float, else a decimal if one is
//! a decimal; a timestamp if one is a timestamp. A number a rule writes with a point is a decimal.

use super::{
    ast::{Constant, Operator},
    check::ColumnKind,
    number::{MAX_DIGITS, Number},
};

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    /// Nothing but missing values.
    Missing,
    Bool,
    /// An integer of 64 bits.
    Whole,
    /// So many digits behind the point.
    Decimal(i8),
    /// A float64.
    Real,
    Text,
    /// Days.
    Date,
    /// Wall clock in units of `10^-scale` seconds.
    Timestamp(i8),
    Interval,
}

impl Type {
    pub(crate) fn of_column(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Null => Self::Missing,
            ColumnKind::Bool => Self::Bool,
            ColumnKind::Whole => Self::Whole,
            ColumnKind::Decimal(scale) => Self::Decimal(scale),
            ColumnKind::Single | ColumnKind::Double => Self::Real,
            ColumnKind::Text => Self::Text,
            ColumnKind::Date => Self::Date,
            ColumnKind::Timestamp(scale, _) => Self::Timestamp(scale),
        }
    }

    pub(crate) fn of_constant(constant: &Constant) -> Self {
        match constant {
            Constant::Bool(_) => Self::Bool,
            Constant::Number(number) => Self::of_number(*number),
            Constant::Text(_) => Self::Text,
            Constant::Date(_) => Self::Date,
            Constant::Timestamp(_) => Self::Timestamp(6),
            Constant::Interval(_) => Self::Interval,
            Constant::Null => Self::Missing,
        }
    }

    pub(crate) fn of_number(number: Number) -> Self {
        if number.to_i64().is_some() {
            return Self::Whole;
        }
        number.to_decimal().map_or(Self::Real, |(_, scale)| Self::Decimal(scale))
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Decimal(_) | Self::Real)
    }

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp(_))
    }

    /// What stands for a value of either; `None` where nothing can.
    pub(crate) fn common(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (a, b) if a == b => a,
            (Self::Missing, known) | (known, Self::Missing) => known,
            (Self::Real, b) if b.is_number() => Self::Real,
            (a, Self::Real) if a.is_number() => Self::Real,
            (Self::Decimal(a), Self::Decimal(b)) => Self::Decimal(a.max(b)),
            (Self::Decimal(scale), Self::Whole) | (Self::Whole, Self::Decimal(scale)) => Self::Decimal(scale.max(0)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Self::Timestamp(a.max(b)),
            (Self::Timestamp(scale), Self::Date) | (Self::Date, Self::Timestamp(scale)) => Self::Timestamp(scale),
            _ => return None,
        })
    }

    /// What a calculation gives; `None` where it has no meaning.
    pub(crate) fn calculated(self, operator: Operator, other: Self) -> Option<Self> {
        use Operator as O;
        Some(match (self, operator, other) {
            (time, O::Add | O::Subtract, Self::Interval) if time.is_time() || time == Self::Missing => time,
            (a, O::Subtract, b) if a.is_time() && (b.is_time() || b == Self::Missing) => Self::Whole,
            (Self::Missing, O::Subtract, b) if b.is_time() => Self::Whole,
            (Self::Missing, _, b) if b.is_number() || b == Self::Missing => Self::Missing,
            (a, _, Self::Missing) if a.is_number() => Self::Missing,
            (a, O::Divide, b) if a.is_number() && b.is_number() => Self::Real,
            (Self::Decimal(_) | Self::Whole, O::Multiply, Self::Decimal(_) | Self::Whole) => {
                let digits = i16::from(self.scale()) + i16::from(other.scale());
                match (self, other) {
                    (Self::Whole, Self::Whole) => Self::Whole,
                    _ if digits > i16::from(MAX_DIGITS) => Self::Real,
                    _ => Self::Decimal(digits as i8),
                }
            }
            (a, _, b) if a.is_number() && b.is_number() => a.common(b)?,
            _ => return None,
        })
    }

    /// What ROUND to so many digits gives.
    pub(crate) fn rounded(self, digits: i8) -> Self {
        match self {
            Self::Decimal(scale) => Self::Decimal(scale.min(digits.max(0))),
            other => other,
        }
    }

    /// Digits behind the point, or of a second.
    pub(crate) fn scale(self) -> i8 {
        match self {
            Self::Decimal(scale) | Self::Timestamp(scale) => scale,
            _ => 0,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "a missing value",
            Self::Bool => "true or false",
            Self::Whole | Self::Decimal(_) | Self::Real => "a number",
            Self::Text => "text",
            Self::Date => "a date",
            Self::Timestamp(_) => "a timestamp",
            Self::Interval => "an interval",
        }
    }
}
