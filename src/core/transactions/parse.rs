//! Dates written as text: ISO 8601 extended form, or any form the caller describes.

use std::ops::Range;

use jiff::fmt::strtime::BrokenDownTime;

use super::read::{MISSING, NEVER};
use crate::{Error, Result, cancel::Cancel, column::Column, ids::text_of, parallel};

/// One point in time as it was written, in microseconds: wall clock, and its offset from UTC in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    local: i64,
    offset: Option<i32>,
}

/// The times of a column of text: microseconds, instants when an offset is known.
pub(super) struct Parsed {
    pub(super) batches: Vec<Vec<i64>>,
    /// The one offset all rows have, where rows have one.
    pub(super) offset: Option<i32>,
    pub(super) aware: bool,
}

/// What one chunk met, by row.
#[derive(Default, Clone, Copy)]
struct Met {
    naive: Option<usize>,
    aware: Option<(usize, i32)>,
    other: Option<(usize, i32)>,
}

impl Met {
    fn add(&mut self, row: usize, offset: Option<i32>) {
        match (offset, self.aware) {
            (None, _) => self.naive = self.naive.or(Some(row)),
            (Some(offset), None) => self.aware = Some((row, offset)),
            (Some(offset), Some((_, first))) if offset != first => self.other = self.other.or(Some((row, offset))),
            _ => {}
        }
    }
}

/// Reads a column of text, or of whole numbers such as 20240115 when a format is given. Text that is no date is an
/// error, or (`lenient`) a time that is not there, or one before every calendar where only its numbers are wrong; a
/// column without any date is an error in any case.
pub(super) fn times(
    columns: &[&Column<'_>],
    name: &str,
    format: Option<&str>,
    zone_given: bool,
    lenient: bool,
    cancel: &Cancel,
) -> Result<Parsed> {
    let mut met = Met::default();
    let mut batches = Vec::with_capacity(columns.len());
    let mut first_row = 0;
    let mut refused = None;
    for column in columns {
        let pieces = parallel::map_chunks(column.len(), parallel::CHUNK_ROWS, cancel, |rows| {
            read(column, rows, first_row, name, format, lenient)
        })?;
        let mut times = Vec::with_capacity(column.len());
        for (piece, seen, unreadable) in pieces {
            times.extend_from_slice(&piece);
            refused = refused.or(unreadable);
            if let Some(row) = seen.naive {
                met.add(row, None);
            }
            for (row, offset) in seen.aware.into_iter().chain(seen.other) {
                met.add(row, Some(offset));
            }
        }
        batches.push(times);
        first_row += column.len();
    }
    if let (Some(refused), None, None) = (refused, met.naive, met.aware) {
        return Err(refused);
    }
    if let (Some(naive), Some((aware, _))) = (met.naive, met.aware) {
        return Err(Error::input(format!(
            "column '{name}' mixes times with an offset from UTC (row {aware}) and without one (row {naive}); \
             write all of them one way"
        )));
    }
    if let (Some((row, _)), false) = (met.other, zone_given) {
        return Err(Error::input(format!(
            "column '{name}' changes its offset from UTC in row {row}; say with tz= in which time zone its days are meant"
        )));
    }
    Ok(Parsed { batches, offset: met.aware.map(|(_, offset)| offset), aware: met.aware.is_some() })
}

fn read(
    column: &Column<'_>,
    rows: Range<usize>,
    first_row: usize,
    name: &str,
    format: Option<&str>,
    lenient: bool,
) -> Result<(Vec<i64>, Met, Option<Error>)> {
    let mut met = Met::default();
    let mut refused = None;
    let mut times = Vec::with_capacity(rows.len());
    let mut memo = Memo::new();
    for row in rows {
        let digits;
        let text = match whole_number(column, row) {
            Some(number) => {
                digits = number.to_string();
                Some(digits.as_bytes())
            }
            None => text_of(column, row),
        };
        let Some(text) = text else {
            times.push(MISSING);
            continue;
        };
        let written = match format {
            None => iso(text),
            Some(format) => memo.read(text, format),
        };
        let Some(written) = written else {
            let never = names_no_day(text, format);
            let failure = unreadable(name, first_row + row, text, format, never);
            if !lenient {
                return Err(failure);
            }
            refused = refused.or(Some(failure));
            times.push(if never { NEVER } else { MISSING });
            continue;
        };
        met.add(first_row + row, written.offset);
        times.push(written.local - i64::from(written.offset.unwrap_or(0)) * 1_000_000);
    }
    Ok((times, met, refused))
}

/// The value of a row in a column of numbers, where it is whole.
pub(super) fn whole_number(column: &Column<'_>, row: usize) -> Option<i64> {
    match column {
        Column::Int8(values) => values.get(row).map(i64::from),
        Column::Int16(values) => values.get(row).map(i64::from),
        Column::Int32(values) => values.get(row).map(i64::from),
        Column::Int64(values) => values.get(row),
        Column::UInt32(values) => values.get(row).map(i64::from),
        Column::UInt64(values) => values.get(row).and_then(|value| i64::try_from(value).ok()),
        Column::Float64(values) => values.get(row).filter(|value| value.fract() == 0.0).map(|value| value as i64),
        _ => None,
    }
}

/// Whether a text that cannot be read is written as wanted, but its numbers are no day and time: 2024-02-30, or a
/// year of five digits.
fn names_no_day(text: &[u8], format: Option<&str>) -> bool {
    if let Some(format) = format {
        // A format without a day reads any text and tells no date: that is no fault of the text.
        return BrokenDownTime::parse(format, text)
            .is_ok_and(|parts| parts.year().is_some() && parts.month().is_some() && parts.day().is_some());
    }
    let date = text.split(|byte| matches!(byte, b'T' | b' ')).next().unwrap_or_default();
    let lengths: Vec<_> = date.split(|byte| *byte == b'-').map(<[u8]>::len).collect();
    let numbers = date.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    numbers
        && matches!(lengths[..], [4..=6, 2, 2])
        && iso(&[b"2024-01-01", text.get(date.len()..).unwrap_or_default()].concat()).is_some()
}

fn unreadable(name: &str, row: usize, text: &[u8], format: Option<&str>, never: bool) -> Error {
    let text: String = String::from_utf8_lossy(text).chars().take(60).collect();
    if never {
        return Error::input(format!(
            "column '{name}' holds '{text}' in row {row}, a day that the calendar does not have (its years are 0 to 9999); \
             repair it, or leave such rows out with invalid='drop'"
        ));
    }
    Error::input(match format {
        None => format!(
            "column '{name}' holds '{text}' in row {row}, which is no ISO 8601 date such as 2024-01-15 or \
             2024-01-15T09:30:00; say how it is written, for example date_format='%d/%m/%Y'"
        ),
        Some(format) => format!(
            "column '{name}' holds '{text}' in row {row}, which date_format='{format}' does not read; wanted the directives \
             of strptime in the order of the text, for example %d/%m/%Y for 31/12/2024 or %Y%m%d for 20241231"
        ),
    })
}

/// The last few texts and what they meant: dates repeat, and strptime is slow.
struct Memo(Vec<(Vec<u8>, Written)>);

impl Memo {
    const ENTRIES: usize = 256;

    fn new() -> Self {
        Self(vec![(Vec::new(), Written { local: 0, offset: None }); Self::ENTRIES])
    }

    fn read(&mut self, text: &[u8], format: &str) -> Option<Written> {
        let place = text.iter().fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let Some(entry) = self.0.get_mut(place % Self::ENTRIES) else { return described(text, format) };
        if entry.0 != text || text.is_empty() {
            *entry = (text.to_vec(), described(text, format)?);
        }
        Some(entry.1)
    }
}

/// A date in the caller's own form.
fn described(text: &[u8], format: &str) -> Option<Written> {
    let parts = BrokenDownTime::parse(format, text).ok()?;
    let time = parts.to_datetime().ok()?;
    let day = i64::from(super::config::day_number(time.date()));
    let within = time.time().duration_since(jiff::civil::Time::midnight()).as_micros() as i64;
    Some(Written { local: day * 86_400_000_000 + within, offset: parts.offset().map(jiff::tz::Offset::seconds) })
}

/// ISO 8601, extended form: a date, then perhaps a time, then perhaps an offset.
pub(super) fn iso(text: &[u8]) -> Option<Written> {
    let (date, rest) = text.split_at_checked(10)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else { return None };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let day = days_from_civil(year, pair(m1, m2)?, pair(d1, d2)?)?;
    let midnight = day * 86_400_000_000;
    let Some((b'T' | b' ', time)) = rest.split_first() else {
        return rest.is_empty().then_some(Written { local: midnight, offset: None });
    };
    let (clock, mut rest) = time.split_at_checked(5)?;
    let [h1, h2, b':', n1, n2] = *clock else { return None };
    let (hour, minute) = (pair(h1, h2)?, pair(n1, n2)?);
    let mut second = 0;
    let mut micros = 0;
    if let [b':', s1, s2, after @ ..] = rest {
        second = pair(*s1, *s2)?;
        rest = after;
        if let [b'.', after @ ..] = rest {
            let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, after) = after.split_at_checked(digits)?;
            if digits == 0 || digits > 9 {
                return None;
            }
            let six = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
            micros = six.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')); // beyond microseconds: cut off
            rest = after;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match *rest {
        [] => None,
        [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2] => Some(offset(sign, pair(h1, h2)?, 0)?),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => Some(offset(sign, pair(h1, h2)?, pair(m1, m2)?)?),
        _ => return None,
    };
    let local = midnight + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
    Some(Written { local, offset })
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
        let at = |text: &str| iso(text.as_bytes()).map(|written| (written.local, written.offset));
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
    fn days_that_never_were_are_told_from_other_texts() {
        for never in ["2024-02-30", "2024-13-01", "10000-01-01", "10000-01-01T09:30", "2023-02-29 10:00:00Z"] {
            assert!(iso(never.as_bytes()).is_none() && names_no_day(never.as_bytes(), None), "{never}");
        }
        for other in ["soon", "", "2024-1-5", "2024-02-30 soon", "01/02/2024", "2024-01-15T09:60"] {
            assert!(iso(other.as_bytes()).is_none() && !names_no_day(other.as_bytes(), None), "{other}");
        }
        assert!(names_no_day(b"30/02/2024", Some("%d/%m/%Y")));
        assert!(!names_no_day(b"2024-02-30", Some("%d/%m/%Y")));
        assert!(!names_no_day(b"2024-01", Some("%Y-%m")) && !names_no_day(b"10:00", Some("%H:%M")));
    }

    #[test]
    fn described_forms() {
        let at = |text: &str, format: &str| described(text.as_bytes(), format).map(|written| written.local);
        assert_eq!(at("19970101", "%Y%m%d"), Some(9_862 * 86_400_000_000));
        assert_eq!(at("15/01/2024 09:30", "%d/%m/%Y %H:%M"), Some(19_737 * 86_400_000_000 + 34_200_000_000));
        assert!(at("01/15/2024", "%d/%m/%Y").is_none());
    }
}
