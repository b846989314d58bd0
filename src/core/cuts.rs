//! Cuts of a measure, as people write them (`"< 50"`), and the inner loop that places values between them.

use serde_json::Value;

use crate::{Error, Result, vector::widest};

/// Ascending cuts; they may coincide.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cuts {
    /// One fewer than there are bins.
    pub(crate) edges: Vec<f64>,
    /// Per edge, whether a value equal to it lies in the upper bin (`x < edge` is lower) or in the lower one.
    pub(crate) left: Vec<bool>,
}

impl Cuts {
    /// Reads numbers (meaning `<=`) or texts such as `"< 50"`, in ascending order; `what` names them in an error.
    pub(crate) fn read(what: &str, cuts: &[Value]) -> Result<Self> {
        if cuts.is_empty() {
            return Err(Error::parameter(format!("{what} is empty; one edge makes two bins")));
        }
        let mut found = Self { edges: Vec::with_capacity(cuts.len()), left: Vec::with_capacity(cuts.len()) };
        let mut previous: Option<(f64, &Value)> = None;
        for value in cuts {
            let (edge, left) = cut(value).ok_or_else(|| {
                Error::parameter(format!(
                    "{what} holds {value}; wanted a finite number (x <= edge is lower) or text such as \"< 50\", \
                     \"<= 50\", \">= 50\" or \"> 50\""
                ))
            })?;
            found.edges.push(edge);
            found.left.push(left);
            let threshold = threshold(edge, left);
            if let Some((_, before)) = previous.filter(|(earlier, _)| *earlier > threshold) {
                return Err(Error::parameter(format!(
                    "{what} go down from {before} to {value}; wanted ascending edges, for a measure where low is good \
                     too: its scores turn round, not its edges"
                )));
            }
            previous = Some((threshold, value));
        }
        Ok(found)
    }

    /// The numbers a value must exceed to lie above each edge.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = f64> {
        self.edges.iter().zip(&self.left).map(|(&edge, &left)| threshold(edge, left))
    }
}

/// A cut and whether a value equal to it lies in the upper bin. `"< 50"` and `">= 50"` cut at the same place.
fn cut(value: &Value) -> Option<(f64, bool)> {
    let Some(text) = value.as_str() else { return value.as_f64().map(|edge| (edge, false)) };
    let text = text.trim();
    let (number, left) = if let Some(rest) = text.strip_prefix("<=").or(text.strip_prefix('≤')) {
        (rest, false)
    } else if let Some(rest) = text.strip_prefix(">=").or(text.strip_prefix('≥')) {
        (rest, true)
    } else if let Some(rest) = text.strip_prefix('<') {
        (rest, true)
    } else {
        (text.strip_prefix('>')?, false)
    };
    let edge: f64 = number.trim().parse().ok()?;
    edge.is_finite().then_some((edge, left))
}

/// The number a value must exceed to lie above the edge.
pub(crate) fn threshold(edge: f64, left: bool) -> f64 {
    if left { edge.next_down() } else { edge }
}

/// A place on a column's scale: what a value above the threshold has more than one below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) threshold: f64,
    pub(crate) more: i8,
}

widest! {
    /// `out[i]` = `lowest` and `more` of every step whose threshold is below `values[i]`; NaN is above none. Whether
    /// every value is finite.
    pub(crate) fn place(values: &[f64], lowest: i8, steps: &[Step], out: &mut [i8]) -> bool = place_each;
}

#[allow(clippy::inline_always)] // only an inlined body is compiled for the caller's instructions
#[inline(always)]
fn place_each(values: &[f64], lowest: i8, steps: &[Step], out: &mut [i8]) -> bool {
    const LANES: usize = 64; // so many that the compiler keeps to loops, which it turns into vectors
    let (groups, rest) = values.as_chunks::<LANES>();
    let (out_groups, out_rest) = out.split_at_mut(groups.len() * LANES);
    for (group, out) in groups.iter().zip(out_groups.as_chunks_mut::<LANES>().0) {
        let mut sums = [i64::from(lowest); LANES];
        for step in steps {
            let more = i64::from(step.more);
            for (sum, value) in sums.iter_mut().zip(group) {
                *sum += more & -i64::from(*value > step.threshold); // an if would become a branch
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum as i8;
        }
    }
    for (out, value) in out_rest.iter_mut().zip(rest) {
        let below = steps.iter().filter(|step| *value > step.threshold);
        *out = below.fold(lowest, |sum, step| sum.wrapping_add(step.more));
    }
    values.iter().fold(true, |all, value| all & value.is_finite()) // no early end: many values at once
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vector::tests::on_every_width;

    pub(crate) fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = prop_oneof![-3.0..3.0, Just(f64::NAN), Just(f64::INFINITY), Just(0.0), Just(1.0)];
        prop::collection::vec(value, 0..200)
    }

    pub(crate) fn thresholds() -> impl Strategy<Value = Vec<f64>> {
        let threshold = prop_oneof![-3.0..3.0, Just(0.0), Just(1.0), Just(f64::NEG_INFINITY), Just(f64::MAX)];
        prop::collection::vec(threshold, 0..9).prop_map(|mut thresholds| {
            thresholds.sort_by(f64::total_cmp);
            thresholds
        })
    }

    proptest! {
        #[test]
        fn a_place_is_a_look_up_by_the_thresholds_below(
            values in values(), thresholds in thresholds(), scores in prop::collection::vec(any::<i8>(), 10),
        ) {
            let below = |value: &f64| thresholds.iter().filter(|&threshold| value > threshold).count();
            let naive: Vec<i8> = values.iter().map(|value| scores[below(value)]).collect();
            let step = |(place, &threshold)| Step { threshold, more: i8::wrapping_sub(scores[place + 1], scores[place]) };
            let steps: Vec<Step> = thresholds.iter().enumerate().map(step).collect();
            on_every_width(|| {
                let mut out = vec![9; values.len()];
                assert_eq!(place(&values, scores[0], &steps, &mut out), values.iter().all(|value| value.is_finite()));
                assert_eq!(out, naive);
            });
        }
    }
}
