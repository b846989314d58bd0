//! Numeric constants kept exactly as they are written, so that a column of integers or decimals is
//! never compared with a rounded number.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

/// `mantissa * 10^exponent`, without trailing zeros in the mantissa.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Number {
    mantissa: i128,
    exponent: i32,
    form: Form,
}

/// What a number is calculated with as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Form {
    /// Written without a point: as a 64-bit integer, where it fits one.
    Whole,
    /// Written with a point or an exponent: as a decimal, where 38 digits hold it.
    Decimal,
    /// A parameter that was a float: as a float64.
    Real,
}

/// The most digits of a decimal.
pub(crate) const MAX_DIGITS: i8 = 38;

/// Where a constant falls on a scale of whole units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// Below every unit an `i128` can count.
    Below,
    /// The largest whole unit not above the constant, and whether it is the constant.
    Floor(i128, bool),
    /// Above every unit an `i128` can count.
    Above,
}

impl Number {
    /// A whole number.
    #[must_use]
    pub fn whole(value: i128) -> Self {
        Self { mantissa: value, exponent: 0, form: Form::Whole }.reduced()
    }

    /// `units * 10^-scale`, a decimal.
    #[must_use]
    pub fn decimal(units: i128, scale: i8) -> Self {
        Self { mantissa: units, exponent: -i32::from(scale), form: Form::Decimal }.reduced()
    }

    /// A float64, calculated with as one; `None` where it is not finite.
    #[must_use]
    pub fn real(value: f64) -> Option<Self> {
        let shortest = Self::parse(&format!("{value:e}"))?;
        Some(Self { form: Form::Real, ..shortest })
    }

    /// Reads `12`, `1.50`, `.5`, `1e-3`; `None` for anything else, more than 38 digits, or a size beyond float64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (digits, power) = lower.split_once('e').unwrap_or((&lower, "0"));
        let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let fraction = fraction.trim_end_matches('0');
        if digits.len() < 1 + usize::from(digits.contains('.')) {
            return None;
        }
        let mut mantissa = 0i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = i128::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
            mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
        }
        let power: i32 = power.parse().ok()?;
        let exponent = power.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let form = if lower.contains(['.', 'e']) { Form::Decimal } else { Form::Whole };
        let number = Self { mantissa: if negative { -mantissa } else { mantissa }, exponent, form }.reduced();
        (number.to_f64().is_finite() && exponent > -400).then_some(number)
    }

    fn reduced(mut self) -> Self {
        while self.mantissa != 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent = self.exponent.saturating_add(1);
        }
        if self.mantissa == 0 {
            self.exponent = 0;
        }
        self
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    /// The nearest float64.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// The nearest float32.
    #[must_use]
    pub fn to_f32(self) -> f32 {
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f32::NAN)
    }

    /// The 64-bit integer it is calculated with as, if it is written as one.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        match self.units(0) {
            Units::Floor(value, true) if self.form == Form::Whole => value.try_into().ok(),
            _ => None,
        }
    }

    /// The decimal it is calculated with as, units and digits behind the point, if it is one.
    #[must_use]
    pub fn to_decimal(self) -> Option<(i128, i8)> {
        let scale = i8::try_from(-self.exponent.min(0)).ok().filter(|scale| *scale <= MAX_DIGITS)?;
        match self.units(scale) {
            Units::Floor(units, true) if self.form != Form::Real && fits(units) => Some((units, scale)),
            _ => None,
        }
    }

    /// Whether both are the same number, however written.
    #[must_use]
    pub fn same_value(self, other: Self) -> bool {
        (self.mantissa, self.exponent) == (other.mantissa, other.exponent)
    }

    /// How two numbers compare, exactly where they are decimals.
    #[must_use]
    pub fn order(self, other: Self) -> Option<Ordering> {
        match other.to_decimal() {
            Some((units, scale)) => Some(self.compare_units(units, scale).reverse()),
            None => self.to_f64().partial_cmp(&other.to_f64()),
        }
    }

    /// The constant counted in units of `10^-scale`.
    #[must_use]
    pub fn units(self, scale: i8) -> Units {
        let power = self.exponent.saturating_add(i32::from(scale));
        let factor = 10i128.checked_pow(power.unsigned_abs());
        if power >= 0 {
            match factor.and_then(|factor| self.mantissa.checked_mul(factor)) {
                Some(units) => Units::Floor(units, true),
                None if self.mantissa < 0 => Units::Below,
                None if self.mantissa > 0 => Units::Above,
                None => Units::Floor(0, true),
            }
        } else {
            match factor {
                Some(factor) => Units::Floor(self.mantissa.div_euclid(factor), self.mantissa.rem_euclid(factor) == 0),
                None => Units::Floor(if self.mantissa < 0 { -1 } else { 0 }, self.mantissa == 0),
            }
        }
    }

    /// How `units * 10^-scale` compares with this constant, exactly.
    #[must_use]
    pub fn compare_units(self, units: i128, scale: i8) -> Ordering {
        match self.units(scale) {
            Units::Below => Ordering::Greater,
            Units::Above => Ordering::Less,
            Units::Floor(floor, exact) => match units.cmp(&floor) {
                Ordering::Equal if !exact => Ordering::Less,
                other => other,
            },
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let places = usize::try_from(-i64::from(self.exponent)).unwrap_or(0);
        if self.exponent > 20 || places > 30 {
            return write!(f, "{sign}{digits}e{}", self.exponent);
        }
        if self.exponent >= 0 {
            let point = if self.form == Form::Whole { "" } else { ".0" };
            return write!(f, "{sign}{digits}{:0<1$}{point}", "", self.exponent as usize);
        }
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// Whether 38 digits hold a decimal's units.
pub(crate) fn fits(units: i128) -> bool {
    units.unsigned_abs() < 10u128.pow(MAX_DIGITS as u32)
}

/// `10^power`; `None` beyond an `i128`.
pub(crate) fn power_of_ten(power: i32) -> Option<i128> {
    10i128.checked_pow(u32::try_from(power).ok()?)
}

/// Units of `10^-from` counted in units of the finer `10^-to`; `None` beyond 38 digits.
pub(crate) fn rescale(units: i128, from: i8, to: i8) -> Option<i128> {
    units.checked_mul(power_of_ten(i32::from(to) - i32::from(from))?).filter(|units| fits(*units))
}

/// The nearest multiple of `10^dropped` to whole units, half away from zero.
pub(crate) fn round_units(units: i128, dropped: i32) -> i128 {
    let Some(step) = power_of_ten(dropped) else { return 0 };
    let rest = units % step;
    let up = rest.unsigned_abs() >= step.unsigned_abs().div_ceil(2);
    // Beyond an i128 by the way up: what is left is too large for a decimal in any case.
    (units - rest).saturating_add(if up { step * units.signum() } else { 0 })
}

/// A float rounded to some digits behind the point, half away from zero, by way of a multiplication, as SQL engines do.
pub(crate) fn round_real(value: f64, digits: i32) -> f64 {
    let factor = 10f64.powi(digits.abs());
    let rounded = if digits < 0 { (value / factor).round() * factor } else { (value * factor).round() / factor };
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_people_write() {
        for (text, shown) in [
            ("1.50", "1.5"),
            ("100", "100"),
            (".5", "0.5"),
            ("1e-3", "0.001"),
            ("0.0", "0.0"),
            ("20.", "20.0"),
            ("1E300", "1e300"),
        ] {
            assert_eq!(Number::parse(text).map(|number| number.to_string()).as_deref(), Some(shown));
        }
        for text in ["", ".", "1e400", "12a", "1.2.3", "999999999999999999999999999999999999999999"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn units_are_exact_beyond_float64() {
        let half = Number::parse("9007199254740992.5");
        assert_eq!(half.map(|number| number.compare_units(9_007_199_254_740_992, 0)), Some(Ordering::Less));
        assert_eq!(half.map(|number| number.compare_units(9_007_199_254_740_993, 0)), Some(Ordering::Greater));
        assert_eq!(Number::parse("-0.5").map(|number| number.units(0)), Some(Units::Floor(-1, false)));
        assert_eq!(Number::parse("0.1").map(|number| number.units(2)), Some(Units::Floor(10, true)));
    }
}
