//! Days and wall clocks: the dates, timestamps and intervals a rule writes, and adding one to the other.
//!
//! A date is a number of days since 1970-01-01, a timestamp a number of units of wall clock since then. The calendar
//! is the proleptic Gregorian one. A column that knows its time zone is read as the wall clock of that zone.

use std::fmt;

use serde::{Deserialize, Serialize};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Months and days to be added to a date. A year is twelve months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// Calendar months; a day beyond the month's end becomes its last day.
    pub months: i32,
    /// Days, counted after the months.
    pub days: i32,
}

impl Interval {
    /// Reads `3 months`, or `3` with `MONTH` behind the text; the error says what was wanted.
    pub(crate) fn parse(text: &str, unit: Option<&str>) -> Result<Self, String> {
        let wanted = "wanted a whole number of days, months or years, as in INTERVAL '3' MONTH or INTERVAL '3 months'";
        let mut words = text.split_whitespace().chain(unit);
        let (Some(count), Some(unit), None) = (words.next(), words.next(), words.next()) else {
            return Err(wanted.to_owned());
        };
        let count: i32 = count.parse().map_err(|_| wanted.to_owned())?;
        let months = |count: i32| Self { months: count, days: 0 };
        match unit.to_ascii_lowercase().as_str() {
            "day" | "days" => Ok(Self { months: 0, days: count }),
            "month" | "months" => Ok(months(count)),
            "year" | "years" => count.checked_mul(12).map(months).ok_or_else(|| format!("{count} years are too many")),
            _ => Err(wanted.to_owned()),
        }
    }

    /// The way back; `None` for the one interval that has none.
    pub(crate) fn negated(self) -> Option<Self> {
        Some(Self { months: self.months.checked_neg()?, days: self.days.checked_neg()? })
    }

    /// A day moved by the interval; `None` beyond the days a date can count.
    pub(crate) fn shift_day(self, day: i64) -> Option<i64> {
        let moved = if self.months == 0 {
            day
        } else {
            let (year, month, of_month) = civil(day);
            let months = year * 12 + month - 1 + i64::from(self.months);
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
            day_of(year, month, of_month.min(month_length(year, month)))
        };
        let moved = moved + i64::from(self.days);
        i32::try_from(moved).is_ok().then_some(moved)
    }

    /// A timestamp in units of `10^-scale` seconds moved by the interval; its time of day stays. `None` beyond the
    /// units 64 bits can count.
    pub(crate) fn shift_time(self, units: i128, scale: i8) -> Option<i128> {
        let per_day = units_per_day(scale);
        let day = i64::try_from(units.div_euclid(per_day)).ok()?;
        let moved = i128::from(self.shift_day(day)?) * per_day + units.rem_euclid(per_day);
        i64::try_from(moved).is_ok().then_some(moved)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.months, self.days) {
            (0, days) => write!(f, "INTERVAL '{days}' DAY"),
            (months, _) if months % 12 == 0 => write!(f, "INTERVAL '{}' YEAR", months / 12),
            (months, _) => write!(f, "INTERVAL '{months}' MONTH"),
        }
    }
}

/// How many units of `10^-scale` seconds make a day.
pub(crate) fn units_per_day(scale: i8) -> i128 {
    86_400 * 10i128.pow(scale.unsigned_abs().into())
}

/// `2026-06-30` as a day; years 1 to 9999.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let (&[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2], []) = text.as_bytes().split_first_chunk::<10>()? else {
        return None;
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let is_date = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= month_length(year, month);
    is_date.then(|| day_of(year, month, day) as i32)
}

/// `2026-06-30 12:00:00` as microseconds; seconds and their fraction (six digits) may be left out, and so may the time.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = i64::from(parse_date(date)?) * MICROS_PER_DAY;
    let Some((b' ' | b'T', time)) = rest.as_bytes().split_first() else { return rest.is_empty().then_some(midnight) };
    let (&[h1, h2, b':', n1, n2], rest) = time.split_first_chunk::<5>()? else { return None };
    let (hour, minute) = (number(&[h1, h2])?, number(&[n1, n2])?);
    let (second, micros) = match rest {
        [] => (0, 0),
        [b':', s1, s2] => (number(&[*s1, *s2])?, 0),
        [b':', s1, s2, b'.', fraction @ ..] if (1..=6).contains(&fraction.len()) => {
            (number(&[*s1, *s2])?, number(fraction)? * 10i64.pow(6 - fraction.len() as u32))
        }
        _ => return None,
    };
    (hour < 24 && minute < 60 && second < 60)
        .then(|| midnight + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// A day as ISO 8601 writes it.
pub(crate) fn date_text(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Microseconds of wall clock as `2026-06-30 12:00:00`, with a fraction where there is one.
pub(crate) fn timestamp_text(micros: i64) -> String {
    let (day, within) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    let (seconds, fraction) = (within / 1_000_000, within % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("{} {hour:02}:{minute:02}:{second:02}{fraction}", date_text(day))
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of a date (Hinnant, "chrono-compatible low-level date algorithms"; years begin in March there).
fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of month of a day (the same source).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (shifted.div_euclid(146_097) * 400 + year_of_era + next, month, day)
}

/// The name of a time zone, small enough to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    bytes: [u8; 47],
    len: u8,
}

impl Zone {
    /// `None` for a name longer than any zone has.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; 47];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { bytes, len: name.len() as u8 })
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.bytes.get(..self.len.into()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::new(&name).ok_or_else(|| format!("'{name}' is too long for a time zone"))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::Date};
    use proptest::prelude::*;

    use super::*;

    const EPOCH: Date = jiff::civil::date(1970, 1, 1);

    proptest! {
        /// Against jiff, which also goes to the month's last day.
        #[test]
        fn days_and_shifts_agree_with_jiff(day in -719_162i32..2_932_897, months in -30_000i32..30_000, days in -3_000_000i32..3_000_000) {
            let date = EPOCH.checked_add(day.days()).unwrap();
            prop_assert_eq!(date_text(day.into()), date.to_string());
            prop_assert_eq!(parse_date(&date.to_string()), Some(day));
            if let Ok(moved) = date.checked_add(months.months()).and_then(|date| date.checked_add(days.days())) {
                let expected = EPOCH.until(moved).unwrap().get_days();
                prop_assert_eq!(Interval { months, days }.shift_day(day.into()), Some(expected.into()));
            }
        }

        #[test]
        fn timestamps_read_back(micros in -62_135_596_800_000_000i64..253_402_300_800_000_000) {
            prop_assert_eq!(parse_timestamp(&timestamp_text(micros)), Some(micros));
        }
    }

    #[test]
    fn limits_are_kept() {
        let century = Interval { months: i32::MAX, days: 0 };
        assert_eq!(century.shift_day(0), None);
        assert_eq!(Interval { months: 0, days: 1 }.shift_day(i32::MAX.into()), None);
        assert_eq!(Interval { months: 12, days: 0 }.shift_time(i64::MAX.into(), 9), None);
        assert_eq!(
            Interval { months: 1, days: 0 }.shift_time(-1, 0),
            Interval { months: 1, days: 0 }.shift_time(-1, 0)
        );
        for text in ["2026-02-29", "2026-13-01", "0000-01-01", "2026-6-30", "2026-06-30 ", "２０２６-06-30", "tomorrow"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in ["2026-06-30 24:00", "2026-06-30 12", "2026-06-30 12:00:00.", "2026-06-30 12:00:00.1234567"] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
        assert_eq!(parse_timestamp("2026-06-30T12:00"), parse_timestamp("2026-06-30 12:00:00.0"));
    }
}
