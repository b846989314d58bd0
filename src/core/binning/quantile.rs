//! Exact quantiles of one column by selection: no sorting, no copy of the column.
//!
//! A sorted sample gives, for every quantile, a narrow bracket that holds it almost surely. One pass counts
//! the values between the brackets and keeps those inside; the order statistics are then picked from the
//! kept few (Floyd and Rivest 1975, "Expected time bounds for selection"). Should a bracket miss, the column
//! is sorted instead: the answer is exact and the same either way, only the time differs.

use rayon::prelude::*;

use super::count::{Cells, sift};
use crate::{
    Result,
    cancel::Cancel,
    measure::{Measure, Piece},
};

/// Columns up to this length are sorted at once.
const SMALL: usize = 1 << 15;
/// Sampled values; a bracket of four standard errors then holds about 3 % of the column.
const SAMPLE: usize = 1 << 14;
/// More inner edges than this are found by sorting: their brackets would cover most of the column.
const MOST_BRACKETS: usize = 31;

/// The inner edges of `n_bins` quantile bins, with pandas.qcut's probabilities (pandas 3).
pub(super) fn edges(measure: &Measure<'_>, pieces: &[Piece], n_bins: usize, cancel: &Cancel) -> Result<Vec<f64>> {
    let probabilities: Vec<f64> = (1..n_bins).map(|index| probability(index, n_bins)).collect();
    let mut previous = f64::NEG_INFINITY;
    let edges = at(measure, pieces, &probabilities, cancel)?.into_iter().map(|(below, above, share)| {
        previous = interpolate(below, above, share).max(previous); // rounding must not turn two edges around
        previous
    });
    Ok(edges.collect())
}

/// The median, the mean of the two middle values where their number is even.
pub(super) fn median(measure: &Measure<'_>, pieces: &[Piece], cancel: &Cancel) -> Result<f64> {
    let middle = at(measure, pieces, &[0.5], cancel)?;
    let (below, above) = middle.first().map_or((0.0, 0.0), |&(a, b, share)| if share == 0.0 { (a, a) } else { (a, b) });
    let sum = below + above;
    Ok(if sum.is_finite() { sum / 2.0 } else { below / 2.0 + above / 2.0 })
}

/// `index / n_bins` as pandas.qcut has it: moved up by one unit in the last place where it was rounded down so far
/// that `n_bins` times it is not `index`.
fn probability(index: usize, n_bins: usize) -> f64 {
    let (index, n_bins) = (index as f64, n_bins as f64);
    let probability = index * (1.0 / n_bins); // numpy.linspace multiplies by the step
    if n_bins * probability == index { probability } else { probability.next_up() }
}

/// `below + (above - below) * share`.
///
/// pandas writes the upper half as `above - (above - below) * (1 - share)`. The two differ by rounding only; where
/// that would put `above` itself into another bin, pandas' form decides.
fn interpolate(below: f64, above: f64, share: f64) -> f64 {
    let gap = above - below;
    if !gap.is_finite() {
        return below * (1.0 - share) + above * share;
    }
    let edge = below + gap * share;
    let theirs = if share < 0.5 { edge } else { above - gap * (1.0 - share) };
    if (edge < above) == (theirs < above) { edge } else { theirs }
}

/// For every probability the order statistics around `(n - 1) * p` and the share of the way between them.
fn at(measure: &Measure<'_>, pieces: &[Piece], probabilities: &[f64], cancel: &Cancel) -> Result<Vec<(f64, f64, f64)>> {
    let worth_selecting = measure.len() > SMALL && probabilities.len() <= MOST_BRACKETS;
    if worth_selecting
        && let Some(kept) = Kept::of(measure, pieces, probabilities, cancel)?
        && let Some(found) = around(kept.present, probabilities, |ranks| kept.pick(ranks))
    {
        return Ok(found);
    }
    let mut sorted = measure.present(pieces)?;
    cancel.check()?;
    sorted.par_sort_unstable_by(f64::total_cmp);
    let pick = |ranks: &[usize]| ranks.iter().map(|&rank| sorted.get(rank).copied()).collect();
    around(sorted.len(), probabilities, pick).ok_or_else(|| measure.nothing())
}

/// Turns probabilities into ranks, has `pick` find the values there, and puts them together.
fn around(
    present: usize,
    probabilities: &[f64],
    pick: impl FnOnce(&[usize]) -> Option<Vec<f64>>,
) -> Option<Vec<(f64, f64, f64)>> {
    let last = present.checked_sub(1)?;
    let positions: Vec<_> = probabilities.iter().map(|p| (last as f64 * p).min(last as f64)).collect();
    let mut ranks: Vec<_> =
        positions.iter().map(|h| *h as usize).flat_map(|rank| [rank, (rank + 1).min(last)]).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let values = pick(&ranks)?;
    let value = |rank: usize| values.get(ranks.binary_search(&rank).ok()?).copied();
    positions
        .into_iter()
        .map(|h| {
            let rank = h as usize;
            Some((value(rank)?, value((rank + 1).min(last))?, h - h.floor()))
        })
        .collect()
}

/// What one pass over the column leaves: how many values fall into each cell, and the values of the cells to keep,
/// which are those inside a bracket.
struct Kept {
    cells: Cells,
    /// Per cell; the first holds what is missing, the last what lies above every threshold.
    counts: Vec<usize>,
    values: Vec<f64>,
    present: usize,
}

impl Kept {
    /// `None` when the sample holds too little to go by.
    fn of(measure: &Measure<'_>, pieces: &[Piece], probabilities: &[f64], cancel: &Cancel) -> Result<Option<Self>> {
        let mut sample = measure.sample(SAMPLE);
        if sample.len() < SAMPLE / 16 {
            return Ok(None);
        }
        sample.sort_unstable_by(f64::total_cmp);
        let cells = brackets(&sample, probabilities);
        let parts: Vec<_> = pieces
            .par_iter()
            .map(|piece| {
                cancel.check()?;
                let (mut above, mut kept) = (vec![0; cells.thresholds.len()], Vec::with_capacity(piece.len() / 4));
                measure.blocks(piece, |block| sift(block, &cells, &mut above, &mut kept));
                Ok((above, kept))
            })
            .collect::<Result<_>>()?;
        let mut above = vec![0; cells.thresholds.len()];
        let mut values = Vec::with_capacity(parts.iter().map(|(_, values)| values.len()).sum());
        for (part, kept) in parts {
            above.iter_mut().zip(part).for_each(|(above, part)| *above += part);
            values.extend_from_slice(&kept);
        }
        // The first threshold is -infinity, so only NaN and -infinity are not above it; the last is the largest number.
        let (present, infinite) = (above.first().copied().unwrap_or(0), above.last().copied().unwrap_or(0));
        if infinite > 0 || present < measure.len() && values_hold_negative_infinity(measure, pieces) {
            return Err(measure.infinity(pieces));
        }
        let above_low = [measure.len()].into_iter().chain(above.iter().copied());
        let counts = above_low.zip(above.iter().copied().chain([0])).map(|(low, high)| low - high).collect();
        Ok(Some(Self { cells, counts, values, present }))
    }

    /// The values at ascending ranks; `None` when one of them was not kept.
    fn pick(mut self, ranks: &[usize]) -> Option<Vec<f64>> {
        // Kept cells stand in order, so behind one another they are sorted as far as it matters: a rank in the
        // column becomes a rank among the kept values by leaving out the cells that were not kept.
        let (mut first, mut left_out) = (0, 0);
        let mut picked = vec![0.0; ranks.len()];
        let mut wanted = Vec::with_capacity(ranks.len());
        for (cell, &count) in self.counts.iter().enumerate().skip(1) {
            let Some((&upto, &kept)) = self.cells.thresholds.get(cell).zip(self.cells.keep.get(cell)) else { break };
            let below = *self.cells.thresholds.get(cell - 1)?;
            let from = ranks.partition_point(|&rank| rank < first);
            let to = ranks.partition_point(|&rank| rank < first + count);
            if kept {
                wanted.extend((from..to).filter_map(|place| Some((ranks.get(place)? - left_out, place))));
            } else if from < to && upto.next_down() == below {
                picked.get_mut(from..to)?.fill(upto); // the cell is one value
            } else if from < to {
                return None;
            }
            first += count;
            left_out += if kept { 0 } else { count };
        }
        select(&mut self.values, &wanted, 0, &mut picked)?;
        Some(picked)
    }
}

fn values_hold_negative_infinity(measure: &Measure<'_>, pieces: &[Piece]) -> bool {
    pieces.par_iter().any(|piece| {
        let mut found = false;
        measure.blocks(piece, |block| found |= block.contains(&f64::NEG_INFINITY));
        found
    })
}

/// Cells from a sorted sample: those inside a bracket are to keep, unless they are of one value.
fn brackets(sample: &[f64], probabilities: &[f64]) -> Cells {
    let size = sample.len() as f64;
    let bracket = |p: &f64| {
        let margin = 4.0 * (size * p * (1.0 - p)).sqrt() + 2.0;
        let (low, high) = (size * p - margin, (size * p + margin) as usize);
        let low = if low < 0.0 { f64::NEG_INFINITY } else { sample.get(low as usize).copied().unwrap_or(f64::MAX) };
        (low, sample.get(high).copied().unwrap_or(f64::MAX))
    };
    let brackets: Vec<_> = probabilities.iter().map(bracket).collect();
    let mut thresholds = vec![f64::NEG_INFINITY, f64::MAX];
    for bound in brackets.iter().flat_map(|(low, high)| [*low, *high]) {
        thresholds.push(bound);
        let copies = sample.partition_point(|value| *value <= bound) - sample.partition_point(|value| *value < bound);
        if copies > 4 && bound > f64::MIN {
            thresholds.push(bound.next_down()); // a frequent value gets a cell of its own, which is counted, not kept
        }
    }
    thresholds.retain(|bound| !bound.is_nan());
    thresholds.sort_unstable_by(f64::total_cmp);
    thresholds.dedup();
    let mut below = f64::NEG_INFINITY;
    let keep = thresholds.iter().map(|&upto| {
        let low = std::mem::replace(&mut below, upto);
        upto.next_down() > low && brackets.iter().any(|bracket| bracket.0 <= low && upto <= bracket.1)
    });
    Cells { keep: keep.collect(), thresholds }
}

/// Writes the values that would stand at ascending ranks if `values` were sorted; `wanted` are ranks (counted from
/// `start`) and where in `picked` the value goes. The middle rank first: it cuts the work for the others in two.
fn select(values: &mut [f64], wanted: &[(usize, usize)], start: usize, picked: &mut [f64]) -> Option<()> {
    let (before, rest) = wanted.split_at_checked(wanted.len() / 2)?;
    let Some((&(rank, place), after)) = rest.split_first() else { return Some(()) };
    if rank - start >= values.len() {
        return None;
    }
    let (below, value, above) = values.select_nth_unstable_by(rank - start, f64::total_cmp);
    *picked.get_mut(place)? = *value;
    select(below, before, start, picked)?;
    select(above, after, rank + 1, picked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        column::{Batch, Column, Values},
        measure::{measure, pieces},
    };

    #[test]
    fn probabilities_are_those_of_pandas() {
        // numpy.linspace(0, 1, 11)[3] is 0.30000000000000004; ten times that is not 3, so qcut of pandas 3.1 moves it up.
        assert_eq!(probability(3, 10).to_bits(), 0.300_000_000_000_000_1_f64.to_bits());
        assert_eq!(probability(1, 5), 0.2);
        assert_eq!(probability(1, 2), 0.5);
    }

    /// The same quantiles from a sorted copy.
    fn naive(values: &[f64], n_bins: usize) -> Vec<f64> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        (1..n_bins)
            .map(|index| {
                let h = (sorted.len() - 1) as f64 * probability(index, n_bins);
                let low = h.floor() as usize;
                interpolate(sorted[low], sorted[(low + 1).min(sorted.len() - 1)], h - h.floor())
            })
            .collect()
    }

    /// Long enough for selection; the shape decides how many ties and gaps there are.
    fn long_column(shape: u8, seed: u64) -> Vec<f64> {
        let mut state = seed | 1;
        (0..50_000)
            .map(|row| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let unit = (state >> 11) as f64 / (1u64 << 53) as f64;
                match shape {
                    0 => unit,
                    1 => (unit * 6.0).floor(),
                    2 => (1.0 / (unit + 1e-9)).floor(),
                    3 => f64::from(row),
                    4 => {
                        if unit < 0.8 {
                            1.0
                        } else {
                            unit * 100.0
                        }
                    }
                    5 => {
                        if unit < 0.3 {
                            f64::NAN
                        } else {
                            -unit.ln() * 1e300
                        }
                    }
                    6 => {
                        if row % 3 == 0 {
                            -1e-320
                        } else {
                            4e-320 * unit
                        }
                    }
                    _ => 7.0,
                }
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn selection_equals_sorting(shape in 0u8..8, seed in any::<u64>(), n_bins in 2usize..32, cut in 0usize..50_000) {
            let values = long_column(shape, seed);
            let (front, back) = values.split_at(cut);
            let batches: Vec<Batch<'_>> =
                [front, back].map(|part| vec![Column::Float64(Values::dense(part))]).into();
            let measure = measure(&batches, 0, "x").unwrap();
            let found = edges(&measure, &pieces(&batches), n_bins, &Cancel::new()).unwrap();
            prop_assert_eq!(found, naive(&values, n_bins));
        }
    }
}
