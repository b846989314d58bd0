//! From points in time to calendar days.
//!
//! A naive time is wall clock and never shifted. A time that knows its zone is shifted by the zone's offset
//! at that moment.

use jiff::tz::TimeZone;

use super::config::day_number;
pub(super) use crate::zone::zone;
use crate::{column::TimeUnit, zone::Offsets};

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

    /// Whether the wall clock differs from the times.
    pub(super) fn shifts(&self) -> bool {
        self.offsets.is_some()
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
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
}
