//! Exact points: decimals in, whole units of one common scale within, one rounding to float64 on the way out.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{Error, Result};

/// Digits `rust_decimal` holds without rounding.
const DIGITS: usize = 28;

/// Reads a number, or text that is one; exactly, so `0.1` is a tenth. Only what a float has beyond 28 places is rounded.
pub(super) fn decimal(what: &str, value: &Value) -> Result<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_string(),
        other => return Err(Error::parameter(format!("{what} is {other}; wanted a number"))),
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
    let read = if digits.trim_start_matches('0').len() > DIGITS {
        None
    } else if mantissa.len() == text.len() {
        Decimal::from_str_exact(&text).ok()
    } else {
        Decimal::from_scientific(&text).ok()
    };
    let tiny = || value.as_f64().filter(|number| number.abs() < 1.0).and_then(|number| number.to_string().parse().ok());
    read.or_else(tiny)
        .map(|number| number.normalize())
        .ok_or_else(|| Error::parameter(format!("{what} is {value}; wanted a number of at most {DIGITS} digits")))
}

/// Numbers that are whole multiples of `10^-scale`: their sums are sums of integers.
pub(super) struct Units {
    scale: u32,
}

/// One indicator's points, weighted: the digits and how many of them stand behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Product {
    mantissa: i128,
    scale: u32,
}

impl Product {
    pub(super) fn of(weight: Decimal, points: Decimal) -> Option<Self> {
        let mantissa = weight.mantissa().checked_mul(points.mantissa())?;
        Some(Self { mantissa, scale: weight.scale() + points.scale() })
    }
}

impl Units {
    /// The coarsest unit all products are whole multiples of.
    pub(super) fn of<'a>(products: impl IntoIterator<Item = &'a Product>) -> Self {
        Self { scale: products.into_iter().map(|product| product.scale).max().unwrap_or(0) }
    }

    /// The product in these units; `None` when it is beyond what a sum could hold.
    pub(super) fn count(&self, product: Product) -> Option<i128> {
        let factor = 10i128.checked_pow(self.scale - product.scale)?;
        product.mantissa.checked_mul(factor).filter(|units| units.unsigned_abs() < 1 << 100)
    }

    /// How many units make one point when sums are divided by `divisor`; `None` when too many do.
    pub(super) fn per_point(&self, divisor: Decimal) -> Option<u128> {
        let factor = 10u128.checked_pow(self.scale.checked_sub(divisor.scale())?)?;
        factor.checked_mul(divisor.mantissa().unsigned_abs()).filter(|&units| units < 1 << 120)
    }
}

/// The float64 nearest to `numerator / denominator`, half to even; the denominator is not 0 and below 2^120.
#[inline]
pub(super) fn ratio(numerator: i128, denominator: u128) -> f64 {
    const EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
    if numerator.unsigned_abs() <= EXACT && denominator <= EXACT {
        return numerator as f64 / denominator as f64; // both are exact, so one division rounds once
    }
    let magnitude = divide(numerator.unsigned_abs(), denominator);
    if numerator < 0 { -magnitude } else { magnitude }
}

/// Long division in base 2, a machine word of digits at a time, until 64 digits are known; the rest only breaks ties.
fn divide(numerator: u128, denominator: u128) -> f64 {
    let (mut quotient, mut rest) = (numerator / denominator, numerator % denominator);
    let mut places = 0i32;
    while rest != 0 && quotient < 1 << 64 {
        // `rest` is below the denominator, so neither it nor the quotient loses a bit.
        let shift = denominator.leading_zeros().min(quotient.leading_zeros()).min(64);
        if shift == 0 {
            break;
        }
        rest <<= shift;
        quotient = (quotient << shift) | (rest / denominator);
        rest %= denominator;
        places += shift as i32;
    }
    let sticky = u128::from(rest != 0);
    (quotient | sticky) as f64 * 2f64.powi(-places)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_texts_are_read_exactly() {
        for (value, wanted) in [
            (json!(5), "5"),
            (json!(0.1), "0.1"),
            (json!("12.50"), "12.5"),
            (json!(1e-7), "0.0000001"),
            (json!("-2.5E1"), "-25"),
            (json!(1.234_567_890_123_456_7e-15), "0.0000000000000012345678901235"),
        ] {
            assert_eq!(decimal("points", &value).unwrap().to_string(), wanted);
        }
        for value in [json!(true), json!(null), json!("ten"), json!(1e40), json!("1".repeat(40)), json!("nan")] {
            assert!(decimal("points", &value).unwrap_err().to_string().starts_with("points is "), "{value}");
        }
    }

    proptest! {
        #[test]
        fn the_ratio_is_correctly_rounded(numerator in -(1i128 << 105)..1i128 << 105, power in 0u32..36) {
            // Decimal text is parsed correctly rounded by the standard library.
            let wanted: f64 = format!("{numerator}e-{power}").parse().unwrap();
            prop_assert_eq!(ratio(numerator, 10u128.pow(power)), wanted);
        }

        #[test]
        fn small_ratios_too(numerator in -1000i128..1000, power in 15u32..36) {
            let wanted: f64 = format!("{numerator}e-{power}").parse().unwrap();
            prop_assert_eq!(ratio(numerator, 10u128.pow(power)), wanted);
        }
    }
}
