//! Time zones: how far a wall clock is from UTC at a moment. All changes of the offset in the years we read are looked
//! up once, so that a row costs a table look-up.

use jiff::{Timestamp, tz::TimeZone};

use crate::{Error, Result, column::TimeUnit, did_you_mean};

/// The offsets of a zone between two times, with a table that leads a time to its place among them.
#[derive(Debug)]
pub(crate) struct Offsets {
    base: i64,
    shift: u32,
    buckets: Vec<u32>,
    /// Where each span of one offset ends, and that offset; the last span never ends.
    spans: Vec<(i64, i64)>,
}

impl Offsets {
    const BUCKETS: i64 = 1 << 13; // about 26 days each: seldom more than one change in one

    /// `None` where the wall clock is UTC throughout. Before `earliest` and beyond `beyond` (in units) the first and the
    /// last offset stay.
    pub(crate) fn new(zone: &TimeZone, unit: TimeUnit, earliest: i64, beyond: i64) -> Option<Self> {
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

    /// The span of one offset a time lies in: its end, and what is added to make it wall clock.
    #[inline]
    fn span(&self, time: i64) -> (i64, i64) {
        let bucket = (time.saturating_sub(self.base).max(0) >> self.shift).min(Self::BUCKETS) as usize;
        let first = self.buckets.get(bucket).copied().unwrap_or(0) as usize;
        let rest = self.spans.get(first..).unwrap_or_default();
        rest.iter().find(|(end, _)| time < *end).or(rest.last()).copied().unwrap_or_default()
    }

    /// What is added to a time to make it wall clock.
    #[inline]
    pub(crate) fn at(&self, time: i64) -> i64 {
        self.span(time).1
    }

    /// Times as wall clock.
    pub(crate) fn wall(&self, times: &[i64]) -> Vec<i64> {
        let (low, high) =
            times.iter().fold((i64::MAX, i64::MIN), |(low, high), time| (low.min(*time), high.max(*time)));
        let (first, last) = (self.span(low), self.span(high));
        if first == last {
            return times.iter().map(|time| time.wrapping_add(first.1)).collect();
        }
        times.iter().map(|time| time.saturating_add(self.at(*time))).collect()
    }
}

/// The zone of a name such as "Asia/Shanghai", "UTC" or "+08:00"; `what` names the parameter or column at fault.
pub(crate) fn zone(name: &str, what: &str) -> Result<TimeZone> {
    if let Some(offset) = fixed_offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(name).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|known| known.to_string()).collect();
        let near = did_you_mean(name, known.iter().map(String::as_str));
        Error::parameter(format!("{what} is '{name}', which is no time zone such as 'Asia/Shanghai'{near}"))
    })
}

/// By how many seconds the wall clock of "+08:00" and its like is ahead of UTC; `None` for the name of a place.
pub(crate) fn fixed_seconds(name: &str) -> Option<i32> {
    fixed_offset(name).map(jiff::tz::Offset::seconds)
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
    (hours < 24 && minutes < 60).then(|| jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_zones_name_the_nearest() {
        let message = zone("Asia/Shanghia", "tz").unwrap_err().to_string();
        assert!(message.contains("did you mean 'Asia/Shanghai'"), "{message}");
        assert!(zone("+23:59", "tz").is_ok());
        for name in ["+24:00", "-25:00", "+08:60"] {
            assert!(zone(name, "tz").is_err(), "{name}");
        }
    }
}
