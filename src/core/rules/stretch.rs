//! The line of numbers cut at some of them.

use super::{
    ast::Constant,
    number::{Number, Units},
};

/// A stretch without its ends, or (both ends the same) a point.
pub(crate) type Stretch = (Option<Number>, Option<Number>);

/// Which of two numbers is smaller, exactly.
pub(crate) fn compare(a: Number, b: Number) -> std::cmp::Ordering {
    a.to_f64().total_cmp(&b.to_f64()).then_with(|| match b.units(0) {
        Units::Floor(units, true) => a.compare_units(units, 0).reverse(),
        _ => std::cmp::Ordering::Equal,
    })
}

/// The numbers among the constants, ascending.
pub(crate) fn points(constants: &[Constant]) -> Vec<Number> {
    let mut points: Vec<Number> = constants.iter().filter_map(as_number).collect();
    points.sort_by(|a, b| compare(*a, *b));
    points.dedup_by(|a, b| a.same_value(*b));
    points
}

/// Stretches and points by turns: (-inf, p0), p0, (p0, p1), p1, ... (pn, inf).
pub(crate) fn stretches(points: &[Number]) -> Vec<Stretch> {
    let mut found = Vec::with_capacity(2 * points.len() + 1);
    let mut before = None;
    for point in points {
        found.push((before, Some(*point)));
        found.push((Some(*point), Some(*point)));
        before = Some(*point);
    }
    found.push((before, None));
    found
}

pub(crate) fn as_number(constant: &Constant) -> Option<Number> {
    if let Constant::Number(number) = constant { Some(*number) } else { None }
}

/// Up to `count` whole units of a stretch, ascending.
pub(crate) fn units_within((low, high): Stretch, scale: i8, count: usize) -> Vec<i128> {
    let floor = |number: Number| match number.units(scale) {
        Units::Floor(floor, exact) => Some((floor, exact)),
        _ => None,
    };
    let count = count as i128;
    let range = match (low, high) {
        (None, None) => Some((0, count)),
        (Some(low), Some(high)) if low == high => floor(low).filter(|(_, exact)| *exact).map(|(at, _)| (at, at + 1)),
        (Some(low), None) => floor(low).map(|(low, _)| (low + 1, low + 1 + count)),
        (None, Some(high)) => {
            floor(high).map(|(high, exact)| (high + 1 - i128::from(exact), exact)).map(|(end, _)| (end - count, end))
        }
        (Some(low), Some(high)) => floor(low).zip(floor(high)).map(|((low, _), (high, exact))| {
            let end = high + 1 - i128::from(exact);
            (low + 1, end.min(low + 1 + count))
        }),
    };
    range.map_or_else(Vec::new, |(start, end)| (start..end).collect())
}

/// Up to `count` values of a stretch, ascending.
pub(crate) fn reals_within((low, high): (Option<f64>, Option<f64>), count: usize) -> Vec<f64> {
    let parts = (1..=count).map(|part| part as f64);
    let mut found: Vec<f64> = match (low, high) {
        (Some(low), Some(high)) if low == high => vec![low],
        (Some(low), Some(high)) => {
            let step = (high - low) / (count + 1) as f64;
            parts.map(|part| low + step * part).filter(|value| *value > low && *value < high).collect()
        }
        (None, Some(high)) => parts.rev().map(|part| high - high.abs().max(1.0) * part).collect(),
        (Some(low), None) => parts.map(|part| low + low.abs().max(1.0) * part).collect(),
        (None, None) => parts.map(|part| part - 1.0).collect(),
    };
    found.dedup();
    found.retain(|value| value.is_finite());
    found
}
