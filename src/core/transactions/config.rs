//! What the caller asked for: the one JSON object that crosses from Python, and its checked form.

use jiff::{ToSpan, civil::Date};
use serde::Deserialize;

use crate::{Error, Result, config::choice};

/// The parameters of every table made from an order log, unchecked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The names of the batches' columns, in their order.
    pub names: Vec<String>,
    /// Which of them is the customer's id.
    pub customer_id: usize,
    /// Which of them is the time of the order.
    pub timestamp: usize,
    /// Which of them is the money.
    pub amount: usize,
    /// Which of them groups rows into orders; without one every purchase row is an order.
    #[serde(default)]
    pub order_id: Option<usize>,
    /// Which of them says that a row was discounted.
    #[serde(default)]
    pub discount: Option<usize>,
    /// A date, or "max".
    pub as_of: String,
    /// The time zone whose calendar counts, where timestamps know theirs.
    #[serde(default)]
    pub tz: Option<String>,
    /// How text says a date, in strftime directives; without it ISO 8601.
    #[serde(default)]
    pub date_format: Option<String>,
    /// "net", "exclude" or "error".
    pub returns: String,
    /// "keep" or "drop".
    pub duplicates: String,
    /// "raise" or "drop".
    pub invalid: String,
    /// Trailing windows such as "90D" and "12M" (`rfm_table` only).
    #[serde(default)]
    pub windows: Vec<String>,
    /// "D", "W" or "M" (`clv_table` only).
    #[serde(default)]
    pub unit: Option<String>,
}

impl Config {
    /// The name of a column.
    pub(super) fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("?", String::as_str)
    }

    /// Checks everything that can be checked without the data.
    pub(super) fn check(&self) -> Result<Terms> {
        let returns = choice(
            "returns",
            &self.returns,
            &[("net", Returns::Net), ("exclude", Returns::Exclude), ("error", Returns::Error)],
        )?;
        let windows = self.windows.iter().map(|text| Window::parse(text)).collect::<Result<Vec<_>>>()?;
        for (place, text) in self.windows.iter().enumerate() {
            if self.windows.iter().take(place).any(|other| other == text) {
                return Err(Error::parameter(format!("windows holds '{text}' twice; give each window once")));
            }
        }
        Ok(Terms {
            as_of: AsOf::parse(&self.as_of)?,
            returns,
            drop_duplicates: choice("duplicates", &self.duplicates, &[("keep", false), ("drop", true)])?,
            drop_invalid: choice("invalid", &self.invalid, &[("raise", false), ("drop", true)])?,
            windows,
            days_per_unit: match &self.unit {
                None => 1.0,
                Some(unit) => choice("unit", unit, &[("D", 1.0), ("W", 7.0), ("M", 365.25 / 12.0)])?,
            },
        })
    }
}

/// The checked parameters.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) as_of: AsOf,
    pub(super) returns: Returns,
    pub(super) drop_duplicates: bool,
    pub(super) drop_invalid: bool,
    pub(super) windows: Vec<Window>,
    pub(super) days_per_unit: f64,
}

/// What becomes of rows with an amount below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    Net,
    Exclude,
    Error,
}

/// The day up to which orders count, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AsOf {
    Day(Date),
    LastPurchase,
}

impl AsOf {
    fn parse(text: &str) -> Result<Self> {
        if text == "max" {
            return Ok(Self::LastPurchase);
        }
        let digits = text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        if text.len() == 10
            && digits
            && let Ok(date) = text.parse()
        {
            return Ok(Self::Day(date));
        }
        Err(Error::parameter(format!(
            "as_of is '{text}'; wanted a date such as '2026-06-30', without a time of day, or 'max'"
        )))
    }
}

/// A trailing window: so many days or calendar months up to `as_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Days(i32),
    Months(i32),
}

impl Window {
    fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::parameter(format!(
                "windows holds '{text}'; wanted a whole number of days such as '90D' or of months such as '12M', \
                 up to '36500D' or '1200M'"
            ))
        };
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        let length: i32 = number.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
        match unit {
            "D" if length <= 36_500 => Ok(Self::Days(length)),
            "M" if length <= 1_200 => Ok(Self::Months(length)),
            _ => Err(wrong()),
        }
    }

    /// The last day before the window that ends with `as_of` and is `times` windows long.
    pub(super) fn before(self, as_of: Date, times: i32) -> Result<i32> {
        let span = match self {
            Self::Days(days) => (days * times).days(),
            Self::Months(months) => (months * times).months(),
        };
        // jiff clamps to the end of a shorter month, in one step from as_of.
        as_of.checked_sub(span).map(day_number).map_err(|_| {
            Error::parameter(format!("as_of {as_of} is too early: its windows would begin before the calendar does"))
        })
    }
}

/// Days since 1970-01-01.
pub(super) fn day_number(date: Date) -> i32 {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    date.duration_since(EPOCH).as_hours().div_euclid(24) as i32
}

/// The date that many days after 1970-01-01.
pub(super) fn date_of(day: i32) -> Result<Date> {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    EPOCH.checked_add(day.days()).map_err(|_| Error::input("a day lies beyond the calendar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_count_back_in_one_step_and_clamp_to_the_month() {
        let as_of: Date = "2024-03-31".parse().unwrap();
        let day = |text: &str| day_number(text.parse().unwrap());
        assert_eq!(Window::parse("1M").unwrap().before(as_of, 1).unwrap(), day("2024-02-29"));
        assert_eq!(Window::parse("1M").unwrap().before(as_of, 2).unwrap(), day("2024-01-31"));
        assert_eq!(Window::parse("90D").unwrap().before(as_of, 1).unwrap(), day("2024-03-31") - 90);
        for wrong in ["", "D", "90", "90d", "0D", "-1D", "1.5M", "12Y", "９D", "99999D", "天"] {
            assert!(matches!(Window::parse(wrong), Err(Error::Parameter(_))), "{wrong}");
        }
    }

    #[test]
    fn as_of_is_a_date_and_nothing_else() {
        assert_eq!(AsOf::parse("max").unwrap(), AsOf::LastPurchase);
        assert!(AsOf::parse("2024-02-29").is_ok());
        for wrong in ["2023-02-29", "2024-2-9", "2024-02-29T00:00", "20240229", "MAX", "", "2024-02-29 "] {
            assert!(AsOf::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn day_numbers_round_trip() {
        for day in [-719_528, -1, 0, 1, 19_000, 106_000] {
            assert_eq!(day_number(date_of(day).unwrap()), day);
        }
    }
}
