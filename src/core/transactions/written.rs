//! Dates written as text: ISO 8601 extended form, or any form the caller describes.

use jiff::fmt::strtime::BrokenDownTime;

use crate::{Error, Result};

/// One point in time as it was written, in microseconds: wall clock, and its offset from UTC in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) local: i64,
    pub(super) offset: Option<i32>,
}

/// Why a text is no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoTime {
    /// It is written in another way.
    Otherwise,
    /// It is written as wanted, but no calendar has its day, or no clock its time.
    Impossible,
}

pub(super) type Reading = std::result::Result<Written, NoTime>;

/// Refuses a format that reads no day, by what it makes of a day it wrote itself.
pub(super) fn check_format(format: &str) -> Result<()> {
    const MOMENT: i128 = 1_709_228_730_123_456_789; // 2024-02-29T17:45:30.123456789Z
    let wanted = "for example %d/%m/%Y for 31/12/2024 or %Y%m%d for 20241231";
    let day = jiff::Timestamp::from_nanosecond(MOMENT).map(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC));
    let written = day.and_then(|day| BrokenDownTime::from(&day).to_string(format));
    let parts = written.and_then(|written| BrokenDownTime::parse(format, written));
    // A zone's name would be read and forgotten.
    let Some(parts) = parts.ok().filter(|parts| parts.iana_time_zone().is_none()) else {
        return Err(Error::parameter(format!(
            "date_format='{format}' has a directive that reads no dates; wanted those of strptime, {wanted}"
        )));
    };
    let why = match (parts.timestamp(), parts.to_datetime(), parts.to_date()) {
        (Some(_), ..) | (_, Ok(_), _) => return Ok(()),
        (_, _, Ok(_)) => "reads parts of a time without the larger ones; give all from %H on, or none".to_owned(),
        _ => format!("names no day; wanted a year, a month and a day, {wanted}"),
    };
    Err(Error::parameter(format!("date_format='{format}' {why}")))
}

/// Whether a text gives a year of two digits where the format reads one of four.
pub(super) fn has_short_year(text: &str, format: &str) -> bool {
    let year = BrokenDownTime::parse(format, text).ok().and_then(|parts| parts.year());
    format.contains("%Y") && year.is_some_and(|year| year < 100)
}

/// A date in the caller's own form.
pub(super) fn described(text: &[u8], format: &str) -> Reading {
    let parts = BrokenDownTime::parse(format, text).map_err(|_| NoTime::Otherwise)?;
    if let Some(moment) = parts.timestamp() {
        return Ok(Written { local: moment.as_microsecond(), offset: Some(0) });
    }
    let time = parts.to_datetime().map_err(|_| NoTime::Impossible)?;
    let day = i64::from(super::config::day_number(time.date()));
    let within = time.time().duration_since(jiff::civil::Time::midnight()).as_micros() as i64;
    Ok(Written { local: day * 86_400_000_000 + within, offset: parts.offset().map(jiff::tz::Offset::seconds) })
}

/// ISO 8601, extended form: a date, then perhaps a time, then perhaps an offset.
pub(super) fn iso(text: &[u8]) -> Reading {
    if let Some(fields) = Fields::of(text) {
        return fields.written().ok_or(NoTime::Impossible);
    }
    let year = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let too_late = (5..=6).contains(&year) && text.get(year - 4..).and_then(Fields::of).is_some();
    Err(if too_late { NoTime::Impossible } else { NoTime::Otherwise })
}

/// The numbers of a date, whatever they are.
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    offset: Option<(u8, i64, i64)>,
}

impl Fields {
    #[inline]
    fn of(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else { return None };
        let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
        let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
        let mut fields = Self { year, month, day, hour: 0, minute: 0, second: 0, micros: 0, offset: None };
        let Some((b'T' | b' ', time)) = rest.split_first() else { return rest.is_empty().then_some(fields) };
        let (clock, mut rest) = time.split_at_checked(5)?;
        let [h1, h2, b':', n1, n2] = *clock else { return None };
        (fields.hour, fields.minute) = (pair(h1, h2)?, pair(n1, n2)?);
        if let [b':', s1, s2, after @ ..] = rest {
            fields.second = pair(*s1, *s2)?;
            rest = after;
            if let [b'.', after @ ..] = rest {
                let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let (fraction, after) = after.split_at_checked(digits)?;
                if digits == 0 || digits > 9 {
                    return None;
                }
                let six = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
                fields.micros = six.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')); // beyond: cut off
                rest = after;
            }
        }
        fields.offset = match *rest {
            [] => None,
            [b'Z'] => Some((b'+', 0, 0)),
            [sign @ (b'+' | b'-'), h1, h2] => Some((sign, pair(h1, h2)?, 0)),
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => Some((sign, pair(h1, h2)?, pair(m1, m2)?)),
            _ => return None,
        };
        Some(fields)
    }

    #[inline]
    fn written(self) -> Option<Written> {
        let day = days_from_civil(self.year, self.month, self.day)?;
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let offset = match self.offset {
            None => None,
            Some((sign, hours, minutes)) => Some(offset(sign, hours, minutes)?),
        };
        let second = (self.hour * 60 + self.minute) * 60 + self.second;
        Some(Written { local: day * 86_400_000_000 + second * 1_000_000 + self.micros, offset })
    }
}

fn offset(sign: u8, hours: i64, minutes: i64) -> Option<i32> {
    let seconds = (hours * 60 + minutes) * 60;
    (hours < 24 && minutes < 60).then_some((if sign == b'-' { -seconds } else { seconds }) as i32)
}

#[inline]
fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn iso_agrees_with_jiff(second in -62_135_596_800i64..253_402_300_799, micro in 0i64..1_000_000) {
            let stamp = jiff::Timestamp::from_microsecond(second * 1_000_000 + micro).unwrap();
            let text = format!("{stamp:.6}");
            let written = iso(text.as_bytes()).unwrap();
            prop_assert_eq!(written, Written { local: second * 1_000_000 + micro, offset: Some(0) });
        }
    }

    #[test]
    fn iso_forms() {
        let at = |text: &str| iso(text.as_bytes()).ok().map(|written| (written.local, written.offset));
        let day = 19_737 * 86_400_000_000; // 2024-01-15
        assert_eq!(at("2024-01-15"), Some((day, None)));
        assert_eq!(at("2024-01-15T09:30"), Some((day + 34_200_000_000, None)));
        assert_eq!(at("2024-01-15 09:30:01.5"), Some((day + 34_201_500_000, None)));
        assert_eq!(at("2024-01-15T09:30:01.123456789+08:00"), Some((day + 34_201_123_456, Some(28_800))));
        assert_eq!(at("2024-01-15T09:30-03"), Some((day + 34_200_000_000, Some(-10_800))));
        for wrong in [
            "",
            "2024",
            "2024-1-5",
            "20240115",
            "01/02/2024",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-01-15T",
            "2024-01-15T24:00",
            "2024-01-15T09:60",
            "2024-01-15T09:30:60",
            "2024-01-15T09:30:00.",
            "2024-01-15x",
            "2024-01-15T09:30:00+8:00",
            "10000-01-01",
            "二〇二四-01-15",
            "2024-01-15T09",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_and_times_that_never_were_are_told_from_other_texts() {
        let impossible = [
            "2024-02-30",
            "2024-13-01",
            "10000-01-01",
            "10000-01-01T09:30",
            "2023-02-29 10:00:00Z",
            "2024-01-15T09:60",
        ];
        for text in impossible {
            assert_eq!(iso(text.as_bytes()), Err(NoTime::Impossible), "{text}");
        }
        for text in ["soon", "", "2024-1-5", "2024-02-30 soon", "01/02/2024", "1234567-01-01"] {
            assert_eq!(iso(text.as_bytes()), Err(NoTime::Otherwise), "{text}");
        }
        assert_eq!(described(b"30/02/2024", "%d/%m/%Y"), Err(NoTime::Impossible));
        assert_eq!(described(b"2024-02-30", "%d/%m/%Y"), Err(NoTime::Otherwise));
    }

    #[test]
    fn formats_without_a_day_are_refused() {
        for format in [
            "%d/%m/%Y",
            "%Y%m%d",
            "%Y-%j",
            "%G-W%V-%u",
            "%s",
            "%d %b %y, %I:%M %p",
            "%FT%T%z",
            "%F %H:%M:%S%.f",
            "%Y年%m月%d日",
        ] {
            assert!(check_format(format).is_ok(), "{format}");
        }
        for (format, said) in [
            ("%Y-%m", "no day"),
            ("%H:%M", "no day"),
            ("%Y", "no day"),
            ("", "no day"),
            ("%F %M", "without the larger ones"),
            ("%F%.f", "without the larger ones"),
            ("%F %N", "without the larger ones"),
            ("%E", "directive"),
            ("%F %Q", "directive"),
            ("%", "directive"),
        ] {
            let Err(Error::Parameter(text)) = check_format(format) else { panic!("{format}") };
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn described_forms() {
        let at = |text: &str, format: &str| described(text.as_bytes(), format).map(|written| written.local);
        assert_eq!(at("19970101", "%Y%m%d"), Ok(9_862 * 86_400_000_000));
        assert_eq!(at("15/01/2024 09:30", "%d/%m/%Y %H:%M"), Ok(19_737 * 86_400_000_000 + 34_200_000_000));
        assert_eq!(at("01/15/2024", "%d/%m/%Y"), Err(NoTime::Otherwise));
        assert_eq!(at("1705276800", "%s"), Ok(19_737 * 86_400_000_000));
    }
}
