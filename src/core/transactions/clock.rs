//! From points in time to calendar days.
//!
//! A naive time is wall clock and never shifted. A time that knows its zone is shifted by the zone's offset
//! at that moment; all changes of the offset in the years we read are looked up once, so that a row costs a
//! table look-up.

use jiff::{Timestamp, tz::TimeZone};

use super::config::day_number;
use crate::{Error, Result, column::TimeUnit, did_you_mean};

/// The calendar years a timestamp may lie in: the whole years that fit into 64 bits of nanoseconds.
pub(super) const YEARS: std::ops::RangeInclusive<i16> = 1678..=2261;

/// The first day of [`YEARS`], 1678-01-01, and how many days they have.
pub(super) const FIRST_DAY: i32 = -106_650;
pub(super) const DAYS: usize = 213_301;

/// What one unit of a time column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A calendar day.
    Day,
    /// A part of a second.
    Part(TimeUnit),
}

/// Turns the times of one column into days since 1970-01-01.
#[derive(Debug)]
pub(super) struct Clock {
    unit: Unit,
    offsets: Option<Offsets>,
    /// The first local time of 1678 and of 2262.
    pub(super) earliest: i64,
    pub(super) beyond: i64,
}

impl Clock {
    /// A clock for times of `unit`, shown in `zone` where they are instants.
    pub(super) fn new(unit: Unit, zone: Option<&TimeZone>) -> Self {
        let first = |year| i64::from(day_number(jiff::civil::date(year, 1, 1)));
        let mut clock = Self { unit, offsets: None, earliest: 0, beyond: 0 };
        clock.earliest = clock.start_of(first(*YEARS.start()));
        clock.beyond = clock.start_of(first(*YEARS.end() + 1));
        if let (Some(zone), Unit::Part(part)) = (zone, unit) {
            clock.offsets = Offsets::new(zone, part, clock.earliest, clock.beyond);
        }
        clock
    }

    /// The first local time of a day.
    pub(super) fn start_of(&self, day: i64) -> i64 {
        match self.unit {
            Unit::Day => day,
            Unit::Part(part) => day.saturating_mul(part.per_day()),
        }
    }

    /// The wall clock at a point in time.
    #[inline]
    pub(super) fn local(&self, time: i64) -> i64 {
        match &self.offsets {
            None => time,
            Some(offsets) => time.saturating_add(offsets.at(time)),
        }
    }

    /// The calendar day of a point in time within [`YEARS`]; a constant divisor of a natural number costs a
    /// multiplication.
    #[inline]
    pub(super) fn day(&self, time: i64) -> i32 {
        let since = self.local(time).wrapping_sub(self.earliest) as u64;
        let days = match self.unit {
            Unit::Day => since,
            Unit::Part(TimeUnit::Second) => since / TimeUnit::Second.per_day() as u64,
            Unit::Part(TimeUnit::Millisecond) => since / TimeUnit::Millisecond.per_day() as u64,
            Unit::Part(TimeUnit::Microsecond) => since / TimeUnit::Microsecond.per_day() as u64,
            Unit::Part(TimeUnit::Nanosecond) => since / TimeUnit::Nanosecond.per_day() as u64,
        };
        days as i32 + FIRST_DAY
    }
}

/// The offsets of a zone from 1678 to 2261, with a table that leads a time to its place among them.
#[derive(Debug)]
struct Offsets {
    base: i64,
    shift: u32,
    buckets: Vec<u32>,
    /// Where each span of one offset ends, and that offset; the last span never ends.
    spans: Vec<(i64, i64)>,
}

impl Offsets {
    const BUCKETS: i64 = 1 << 13; // about 26 days each: seldom more than one change in one

    fn new(zone: &TimeZone, unit: TimeUnit, earliest: i64, beyond: i64) -> Option<Self> {
        let per_second = unit.per_second();
        let start = Timestamp::from_second(earliest.div_euclid(per_second) - 86_400 * 2).ok()?;
        let end = Timestamp::from_second(beyond.div_euclid(per_second) + 86_400 * 2).ok()?;
        let mut offset = i64::from(zone.to_offset(start).seconds()) * per_second;
        let mut spans = Vec::new();
        for change in zone.following(start).take_while(|change| change.timestamp() < end) {
            let next = i64::from(change.offset().seconds()) * per_second;
            if next != offset {
                spans.push((change.timestamp().as_second().saturating_mul(per_second), offset));
                offset = next;
            }
        }
        if spans.is_empty() && offset == 0 {
            return None;
        }
        spans.push((i64::MAX, offset));
        let width = (beyond.saturating_sub(earliest) as u64 / Self::BUCKETS as u64).next_power_of_two();
        let shift = width.trailing_zeros();
        let starts = (0..=Self::BUCKETS).map(|bucket| earliest.saturating_add(bucket << shift));
        let buckets = starts.map(|start| spans.partition_point(|(end, _)| *end <= start) as u32).collect();
        Some(Self { base: earliest, shift, buckets, spans })
    }

    #[inline]
    fn at(&self, time: i64) -> i64 {
        let bucket = (time.saturating_sub(self.base).max(0) >> self.shift).min(Self::BUCKETS) as usize;
        let first = self.buckets.get(bucket).copied().unwrap_or(0) as usize;
        let rest = self.spans.get(first..).unwrap_or_default();
        // Times before `base` are out of range whatever their offset is.
        rest.iter().find(|(end, _)| time < *end).map_or(0, |(_, offset)| *offset)
    }
}

/// The zone of a name such as "Asia/Shanghai", "UTC" or "+08:00"; `what` names the parameter or column at fault.
pub(super) fn zone(name: &str, what: &str) -> Result<TimeZone> {
    if let Some(offset) = fixed_offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(name).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|known| known.to_string()).collect();
        let near = did_you_mean(name, known.iter().map(String::as_str));
        Error::parameter(format!("{what} is '{name}', which is no time zone such as 'Asia/Shanghai'{near}"))
    })
}

/// "+08:00", "-0530" or "+08".
fn fixed_offset(name: &str) -> Option<jiff::tz::Offset> {
    let (sign, digits) = match name.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|character| *character != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
    (minutes < 60).then(|| jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_jiff_at_every_moment(
            second in -9_214_560_000i64..9_214_646_400,
            name in prop::sample::select(vec!["Asia/Shanghai", "America/St_Johns", "Pacific/Apia", "Europe/Berlin", "UTC", "+05:30"]),
        ) {
            let zone = zone(name, "tz").unwrap();
            let clock = Clock::new(Unit::Part(TimeUnit::Second), Some(&zone));
            let there = Timestamp::from_second(second).unwrap().to_zoned(zone);
            prop_assert_eq!(clock.day(second), day_number(there.date()));
        }
    }

    #[test]
    fn units_and_years() {
        let first = |year| day_number(jiff::civil::date(year, 1, 1));
        assert_eq!(FIRST_DAY, first(*YEARS.start()));
        assert_eq!(DAYS as i32, first(*YEARS.end() + 1) - FIRST_DAY);
        for (unit, per_day) in [(Unit::Day, 1), (Unit::Part(TimeUnit::Nanosecond), 86_400_000_000_000)] {
            let clock = Clock::new(unit, None);
            assert_eq!(clock.day(-1), -1);
            assert_eq!(clock.day(per_day * 3), 3);
            assert_eq!(clock.day(clock.earliest), -106_650);
            assert_eq!(clock.day(clock.beyond - 1), 106_650);
        }
    }

    #[test]
    fn unknown_zones_name_the_nearest() {
        let message = zone("Asia/Shanghia", "tz").unwrap_err().to_string();
        assert!(message.contains("did you mean 'Asia/Shanghai'"), "{message}");
        assert!(zone("+25:99", "tz").is_err());
    }
}
