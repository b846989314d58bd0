//! Labels as dense codes: any whole numbers in, 0, 1, 2, ... out.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::{Error, Result, parallel::CHUNK_ROWS};

/// One label per row, as it arrives.
#[derive(Debug, Clone, Copy)]
pub enum Labels<'a> {
    /// Of 32 bits.
    Narrow(&'a [i32]),
    /// Of 64 bits.
    Wide(&'a [i64]),
}

/// The same as codes below `count`; some may not occur.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) of_row: Vec<u32>,
    pub(super) count: usize,
}

impl Labels<'_> {
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

    pub(super) fn codes(&self) -> Codes {
        match self {
            Self::Narrow(labels) => codes(labels),
            Self::Wide(labels) => codes(labels),
        }
    }
}

/// Labels near each other keep their distances, so that nothing has to be looked up.
fn codes<T: Copy + Into<i64> + Send + Sync>(labels: &[T]) -> Codes {
    let ends = labels.par_chunks(CHUNK_ROWS).map(|labels| {
        let values = labels.iter().map(|label| (*label).into());
        values.fold((i64::MAX, i64::MIN), |(low, high), value: i64| (low.min(value), high.max(value)))
    });
    let (low, high) = ends.reduce(|| (i64::MAX, i64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let range = high.wrapping_sub(low) as u64;
    if low <= high && range < labels.len().max(1024) as u64 {
        let of_row = labels.par_iter().with_min_len(CHUNK_ROWS).map(|label| ((*label).into() - low) as u32).collect();
        return Codes { of_row, count: range as usize + 1 };
    }
    let mut known: HashMap<i64, u32, foldhash::fast::FixedState> = HashMap::default();
    let of_row = labels
        .iter()
        .map(|label| {
            let next = known.len() as u32;
            *known.entry((*label).into()).or_insert(next)
        })
        .collect();
    Codes { of_row, count: known.len() }
}

impl Codes {
    /// Leaves out codes that do not occur; how often each of the others does.
    pub(super) fn compact(mut self) -> (Vec<u32>, Vec<usize>) {
        let mut counts = vec![0usize; self.count];
        for code in &self.of_row {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        if counts.contains(&0) {
            let mut next = 0;
            let renumbered: Vec<u32> = counts
                .iter()
                .map(|count| {
                    let number = next;
                    next += u32::from(*count > 0);
                    number
                })
                .collect();
            for code in &mut self.of_row {
                *code = renumbered.get(*code as usize).copied().unwrap_or(*code);
            }
            counts.retain(|count| *count > 0);
        }
        (self.of_row, counts)
    }
}

/// The codes of a grouping whose quality can be measured: at least two groups, and fewer than rows.
pub(super) fn groups(labels: Labels<'_>, rows: usize) -> Result<(Vec<u32>, Vec<usize>)> {
    if labels.len() != rows {
        return Err(Error::input(format!("there are {} labels for {rows} rows; give one per row", labels.len())));
    }
    let (codes, counts) = labels.codes().compact();
    if counts.len() < 2 || counts.len() >= rows {
        return Err(Error::input(format!(
            "labels name {} groups of {rows} rows; the score is defined for 2 to n_samples - 1 groups",
            counts.len()
        )));
    }
    Ok((codes, counts))
}
