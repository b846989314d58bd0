//! Labels as dense codes: any whole numbers in, 0, 1, 2, ... out.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::{
    Error, Result,
    parallel::CHUNK_ROWS,
    vector::{all_pass, extremes},
};

/// One label per row, as it arrives.
#[derive(Debug, Clone, Copy)]
pub enum Labels<'a> {
    /// Of 32 bits.
    Narrow(&'a [i32]),
    /// Of 64 bits.
    Wide(&'a [i64]),
}

/// How labels become codes below `count`; some codes may not occur.
#[derive(Debug)]
pub(super) struct Coding<'a> {
    labels: Labels<'a>,
    numbers: Numbers,
    pub(super) count: usize,
}

/// Labels near each other keep their distances, so that nothing has to be looked up.
#[derive(Debug)]
enum Numbers {
    From(i64),
    Known(HashMap<i64, u32, foldhash::fast::FixedState>),
}

impl<'a> Labels<'a> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(labels) => labels.len(),
            Self::Wide(labels) => labels.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn coding(self) -> Coding<'a> {
        let (numbers, count) = match self {
            Self::Narrow(labels) => numbers(labels),
            Self::Wide(labels) => numbers(labels),
        };
        Coding { labels: self, numbers, count }
    }

    /// The coding that the first rows ask for; others may have labels that it has no code for ([`Coding::knows`]).
    pub(super) fn guess(self) -> Coding<'a> {
        let start = match self {
            Self::Narrow(labels) => Self::Narrow(labels.get(..GUESSED).unwrap_or(labels)),
            Self::Wide(labels) => Self::Wide(labels.get(..GUESSED).unwrap_or(labels)),
        };
        let start = start.coding();
        if matches!(start.numbers, Numbers::Known(_)) { self.coding() } else { Coding { labels: self, ..start } }
    }
}

/// So many rows are looked at for a guess.
const GUESSED: usize = 1 << 12;

fn numbers<T: Copy + Ord + Into<i64> + Sync>(labels: &[T]) -> (Numbers, usize) {
    let ends = labels.par_chunks(CHUNK_ROWS).filter_map(extremes);
    let (low, high) = ends.reduce(|| (i64::MAX, i64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let range = high.wrapping_sub(low) as u64;
    if low <= high && range < labels.len().max(1024) as u64 {
        return (Numbers::From(low), range as usize + 1);
    }
    let mut known = HashMap::default();
    for label in labels {
        let next = known.len() as u32;
        known.entry((*label).into()).or_insert(next);
    }
    let count = known.len();
    (Numbers::Known(known), count)
}

impl Coding<'_> {
    /// Whether this coding has codes for the labels of some rows.
    pub(super) fn knows(&self, rows: Range<usize>) -> bool {
        let Numbers::From(low) = self.numbers else { return true };
        let known = |label: i64| (label.wrapping_sub(low) as u64) < self.count as u64;
        match self.labels {
            Labels::Narrow(labels) => all_pass(labels.get(rows).unwrap_or(&[]), |label| known(label.into())),
            Labels::Wide(labels) => all_pass(labels.get(rows).unwrap_or(&[]), known),
        }
    }

    /// Puts the codes of some rows into `out`.
    pub(super) fn codes(&self, rows: Range<usize>, out: &mut Vec<u32>) {
        fn put<T: Copy + Into<i64>>(labels: Option<&[T]>, numbers: &Numbers, out: &mut Vec<u32>) {
            let labels = labels.unwrap_or(&[]).iter().map(|label| (*label).into());
            match numbers {
                Numbers::From(low) => out.extend(labels.map(|label| (label - low) as u32)),
                Numbers::Known(known) => out.extend(labels.map(|label| known.get(&label).copied().unwrap_or(0))),
            }
        }
        out.clear();
        match self.labels {
            Labels::Narrow(labels) => put(labels.get(rows), &self.numbers, out),
            Labels::Wide(labels) => put(labels.get(rows), &self.numbers, out),
        }
    }
}

/// Leaves out codes that do not occur; how often each of the others does.
fn compact(mut codes: Vec<u32>, count: usize) -> (Vec<u32>, Vec<usize>) {
    let mut counts = vec![0usize; count];
    for code in &codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    if counts.contains(&0) {
        let mut next = 0;
        let number = |count: &usize| {
            let number = next;
            next += u32::from(*count > 0);
            number
        };
        let renumbered: Vec<u32> = counts.iter().map(number).collect();
        for code in &mut codes {
            *code = renumbered.get(*code as usize).copied().unwrap_or(*code);
        }
        counts.retain(|count| *count > 0);
    }
    (codes, counts)
}

/// How the labels of so many rows become codes.
pub(super) fn coding(labels: Labels<'_>, rows: usize) -> Result<Coding<'_>> {
    if labels.len() != rows {
        return Err(Error::input(format!("there are {} labels for {rows} rows; give one per row", labels.len())));
    }
    Ok(labels.coding())
}

/// Whether the quality of so many groups can be measured: at least two, and fewer than rows.
pub(super) fn defined(groups: usize, rows: usize) -> Result<()> {
    if groups < 2 || groups >= rows {
        return Err(Error::input(format!(
            "labels name {groups} groups of {rows} rows; the score is defined for 2 to n_samples - 1 groups"
        )));
    }
    Ok(())
}

/// The codes of a grouping whose quality can be measured, every one of which occurs, and how often.
pub(super) fn groups(labels: Labels<'_>, rows: usize) -> Result<(Vec<u32>, Vec<usize>)> {
    let coding = coding(labels, rows)?;
    let mut codes = Vec::with_capacity(rows);
    coding.codes(0..rows, &mut codes);
    let (codes, counts) = compact(codes, coding.count);
    defined(counts.len(), rows)?;
    Ok((codes, counts))
}
