//! Dates and timestamps cut at the rules' own, all counted in nanoseconds.

use super::{
    ast::Constant,
    axis::{AxisValues, Group},
    check::ColumnKind,
};
use crate::column::TimeUnit;

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// The nanosecond a date or timestamp stands for.
pub(crate) fn moment(constant: &Constant) -> Option<i128> {
    match constant {
        Constant::Date(day) => Some(i128::from(*day) * NANOS_PER_DAY),
        Constant::Timestamp(micros) => Some(i128::from(*micros) * 1_000),
        _ => None,
    }
}

/// A date, or a timestamp with the digits a rule can write.
fn said(kind: ColumnKind, at: i128) -> String {
    match (kind, i32::try_from(at.div_euclid(NANOS_PER_DAY))) {
        (ColumnKind::Date, Ok(day)) => Constant::Date(day).to_string(),
        _ => Constant::Timestamp(at.div_euclid(1_000) as i64).to_string(),
    }
}

/// How many nanoseconds a unit of the column has.
pub(crate) fn step(kind: ColumnKind) -> i128 {
    match kind {
        ColumnKind::Timestamp(digits, _) => 10i128.pow(u32::from(9u8.saturating_sub(digits.unsigned_abs()))),
        _ => NANOS_PER_DAY,
    }
}

/// Every date or timestamp a rule names that the column can hold, and as many of each stretch between two of them as the
/// group has lines; what a stretch is called where it has only one.
pub(crate) fn cut(kind: ColumnKind, group: &Group) -> Vec<(Option<String>, i128)> {
    let mut points: Vec<(i128, &Constant)> =
        group.constants.iter().filter_map(|constant| Some((moment(constant)?, constant))).collect();
    points.sort_by_key(|(at, _)| *at);
    points.dedup_by_key(|(at, _)| *at);
    let (step, lines) = (step(kind), group.lines.max(1) as i128);
    let called = |name: String| (lines == 1).then_some(name);
    let mut found = Vec::new();
    for (place, (at, point)) in points.iter().enumerate() {
        let end = (at + step - 1).div_euclid(step);
        let (start, name) = match place.checked_sub(1).and_then(|before| points.get(before)) {
            None => (end - lines, format!("before {point}")),
            Some((low, before)) => {
                let start = low.div_euclid(step) + 1;
                (start.max(end.min(start)), format!("between {before} and {point}"))
            }
        };
        found.extend((start..end.min(start + lines)).map(|unit| (called(name.clone()), unit * step)));
        if at.rem_euclid(step) == 0 {
            found.push((Some(point.to_string()), *at));
        }
    }
    match points.last() {
        None => found.extend((0..lines).map(|unit| (called("present".to_owned()), unit * step))),
        Some((at, last)) => {
            let start = at.div_euclid(step) + 1;
            found.extend((start..start + lines).map(|unit| (called(format!("after {last}")), unit * step)));
        }
    }
    found
}

/// The unit with so many digits of a second.
pub(crate) fn unit(digits: i8) -> TimeUnit {
    match digits {
        0 => TimeUnit::Second,
        3 => TimeUnit::Millisecond,
        6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// Moments as the values of an axis, with what each is called, or as it reads.
pub(crate) fn axis(
    kind: ColumnKind,
    moments: impl Iterator<Item = (Option<String>, i128)>,
) -> (Vec<String>, AxisValues) {
    let unit = if let ColumnKind::Timestamp(digits, _) = kind { unit(digits) } else { TimeUnit::Nanosecond };
    let (mut shown, mut days, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for (name, at) in moments {
        let units = at.div_euclid(step(kind));
        match kind {
            ColumnKind::Date => days.extend(i32::try_from(units).ok().map(Some)),
            _ => times.extend(i64::try_from(units).ok().map(Some)),
        }
        if shown.len() < days.len().max(times.len()) {
            shown.push(name.unwrap_or_else(|| said(kind, at)));
        }
    }
    (shown, if kind == ColumnKind::Date { AxisValues::Date(days) } else { AxisValues::Timestamp(times, unit) })
}
