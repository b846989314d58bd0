//! Whole numbers that several tests ask, narrowed to 16 bits once: four times as many stand in a register, and a column
//! is read from memory once, however many tests it has.

use std::ops::Range;

use super::{
    evaluate::{ROWS, piece},
    program::{Node, Program},
};
use crate::{
    column::{Batch, Column},
    vector::widest,
};

/// Tests of a column from which narrowing pays.
const SEVERAL: usize = 2;

/// A constant whose comparisons come out the same when the values are brought to the nearest number of 16 bits: none
/// of these is at an end, where they gather.
pub(crate) fn constant(units: i128) -> Option<i16> {
    i16::try_from(units).ok().filter(|short| *short > i16::MIN && *short < i16::MAX)
}

/// For each column of a batch, where its narrowed values stand, if it is to have some.
pub(crate) fn places(program: &Program, batch: &Batch<'_>) -> Vec<Option<usize>> {
    let mut count = 0;
    let places = batch.iter().enumerate().map(|(place, column)| {
        let asks = |node: &&Node| match node {
            Node::Units { column, units, .. } => *column == place && constant(*units).is_some(),
            _ => false,
        };
        let several = matches!(column, Column::Int64(_)) && program.nodes.iter().filter(asks).count() >= SEVERAL;
        several.then(|| {
            count += 1;
            count - 1
        })
    });
    places.collect()
}

/// Narrows the rows of each column that has a place.
pub(crate) fn fill(places: &[Option<usize>], batch: &Batch<'_>, rows: &Range<usize>, shorts: &mut Vec<[i16; ROWS]>) {
    shorts.resize(places.iter().flatten().count(), [0; ROWS]);
    for (column, place) in batch.iter().zip(places) {
        if let (Column::Int64(values), Some(shorts)) = (column, place.and_then(|place| shorts.get_mut(place))) {
            narrow(piece(values, rows), shorts);
        }
    }
}

widest! {
    fn narrow(values: &[i64], shorts: &mut [i16; ROWS]) = narrow_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn narrow_each(values: &[i64], shorts: &mut [i16; ROWS]) {
    for (short, value) in shorts.iter_mut().zip(values) {
        *short = (*value).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::{bits::Compare, program::Test},
        vector::tests::on_every_width,
    };

    #[test]
    fn narrowed_values_compare_as_they_did() {
        let ends = [i64::MIN, i64::from(i16::MIN), -1, 0, 1, i64::from(i16::MAX), i64::MAX];
        let near = |end: i64| (-2..=2).map(move |step| end.saturating_add(step));
        let values: Vec<i64> = ends.into_iter().flat_map(near).collect();
        on_every_width(|| {
            let mut shorts = [0; ROWS];
            narrow(&values, &mut shorts);
            for wanted in &values {
                let Some(short) = constant((*wanted).into()) else { continue };
                for test in [Test::Greater, Test::Equal] {
                    let (mut wide, mut narrow) = ([0], [0]);
                    i64::compare(&values, test, *wanted, &mut wide);
                    i16::compare(&shorts[..values.len()], test, short, &mut narrow);
                    assert_eq!(narrow, wide, "{test:?} {wanted}");
                }
            }
        });
        assert_eq!([-32_768, -32_767, 32_766, 32_767].map(constant), [None, Some(-32_767), Some(32_766), None]);
    }
}
