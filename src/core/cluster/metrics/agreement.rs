//! Two groupings of the same rows held against each other, by how often each pair of labels occurs.

use hashbrown::HashMap;

use super::codes::{Coding, Labels};
use crate::{
    Error, Result,
    cancel::Cancel,
    config::choice,
    parallel::{chunks, map_each_with},
};

/// So many pairs of labels have a place each in a table; more are looked up.
const MOST_PLACES: usize = 1 << 16;
/// So many counts of the same pair are kept side by side.
const APART: usize = 4;
/// Rows counted by one task.
const CHUNK_ROWS: usize = 1 << 16;

/// How often each pair of labels occurs, and each label alone.
struct Contingency {
    /// (first label, second label, rows), only those that occur.
    pairs: Vec<(usize, usize, u64)>,
    firsts: Vec<u64>,
    seconds: Vec<u64>,
    rows: u64,
}

fn contingency(first: Labels<'_>, second: Labels<'_>, cancel: &Cancel) -> Result<Contingency> {
    if first.len() != second.len() {
        return Err(Error::input(format!(
            "labels_true has {} rows and labels_pred {}; both must label the same rows",
            first.len(),
            second.len()
        )));
    }
    let rows = first.len();
    // Which labels there are, the first rows nearly always tell.
    let mut codings = (first.guess(), second.guess());
    let mut pairs = counted(&codings.0, &codings.1, rows, cancel)?;
    if pairs.is_none() {
        codings = (first.coding(), second.coding());
        pairs = counted(&codings.0, &codings.1, rows, cancel)?;
    }
    let (first, second) = codings;
    let pairs = match pairs {
        Some(pairs) => pairs,
        None => looked_up(&first, &second, rows, cancel)?,
    };
    let alone = |count: usize, which: fn(&(usize, usize, u64)) -> usize| {
        let mut sums = vec![0; count];
        for pair in &pairs {
            if let Some(sum) = sums.get_mut(which(pair)) {
                *sum += pair.2;
            }
        }
        sums
    };
    let (firsts, seconds) = (alone(first.count, |pair| pair.0), alone(second.count, |pair| pair.1));
    Ok(Contingency { pairs, firsts, seconds, rows: rows as u64 })
}

/// The pairs that occur, counted in a table with a place for each; `None` where it would be too large, or a label has no
/// code.
fn counted(
    first: &Coding<'_>,
    second: &Coding<'_>,
    rows: usize,
    cancel: &Cancel,
) -> Result<Option<Vec<(usize, usize, u64)>>> {
    let places = first.count.saturating_mul(second.count);
    if places > MOST_PLACES {
        return Ok(None);
    }
    let room = || (Vec::new(), Vec::new());
    let tables = map_each_with(chunks(rows, CHUNK_ROWS).collect::<Vec<_>>(), cancel, room, |(a, b), rows| {
        if !(first.knows(rows.clone()) && second.knows(rows.clone())) {
            return Ok(None);
        }
        first.codes(rows.clone(), a);
        second.codes(rows, b);
        // Neighbouring rows are counted apart: often their labels are the same, and one count would wait for the other.
        let mut table = vec![[0u32; APART]; places];
        for (place, (a, b)) in a.iter().zip(b).enumerate() {
            let counts = table.get_mut(*a as usize * second.count + *b as usize);
            if let Some(count) = counts.and_then(|counts| counts.get_mut(place % APART)) {
                *count += 1;
            }
        }
        Ok(Some(table.iter().map(|counts| counts.iter().sum()).collect::<Vec<u32>>()))
    })?;
    let Some(tables) = tables.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
    let count = |place: usize| tables.iter().filter_map(|table| table.get(place)).map(|count| u64::from(*count)).sum();
    let all = (0..places).map(|place| (place / second.count, place % second.count, count(place)));
    Ok(Some(all.filter(|pair| pair.2 > 0).collect()))
}

/// The same for any labels.
fn looked_up(
    first: &Coding<'_>,
    second: &Coding<'_>,
    rows: usize,
    cancel: &Cancel,
) -> Result<Vec<(usize, usize, u64)>> {
    let mut table: HashMap<(u32, u32), u64, foldhash::fast::FixedState> = HashMap::default();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for rows in chunks(rows, CHUNK_ROWS) {
        cancel.check()?;
        first.codes(rows.clone(), &mut a);
        second.codes(rows, &mut b);
        a.iter().zip(&b).for_each(|(a, b)| *table.entry((*a, *b)).or_default() += 1);
    }
    let mut pairs: Vec<_> = table.into_iter().map(|((a, b), count)| (a as usize, b as usize, count)).collect();
    pairs.sort_unstable();
    Ok(pairs)
}

/// The adjusted Rand index: 1 for equal groupings, about 0 for unrelated ones.
pub fn adjusted_rand(first: Labels<'_>, second: Labels<'_>, cancel: &Cancel) -> Result<f64> {
    let table = contingency(first, second, cancel)?;
    // Whole numbers to the end: exact for any number of rows below 2^31.
    let squares = |counts: &[u64]| counts.iter().map(|count| i128::from(*count).pow(2)).sum::<i128>();
    let same: i128 = table.pairs.iter().map(|pair| i128::from(pair.2).pow(2)).sum();
    let (same_first, same_second, rows) = (squares(&table.firsts), squares(&table.seconds), i128::from(table.rows));
    let both = same - rows;
    let (only_first, only_second) = (same_first - same, same_second - same);
    let neither = rows * rows - only_first - only_second - same;
    if only_first == 0 && only_second == 0 {
        return Ok(1.0);
    }
    let above = both * neither - only_first * only_second;
    let below = (both + only_second) * (only_second + neither) + (both + only_first) * (only_first + neither);
    Ok(2.0 * above as f64 / below as f64)
}

/// What mutual information is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// The mean of both entropies.
    Arithmetic,
    /// The root of their product.
    Geometric,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
}

impl Average {
    /// The one of that name.
    pub fn named(word: &str) -> Result<Self> {
        let words =
            [("arithmetic", Self::Arithmetic), ("geometric", Self::Geometric), ("min", Self::Min), ("max", Self::Max)];
        choice("average_method", word, &words)
    }
}

/// Mutual information divided by an average of the entropies: 1 for equal groupings, 0 for independent ones.
pub fn normalized_mutual_info(first: Labels<'_>, second: Labels<'_>, average: Average, cancel: &Cancel) -> Result<f64> {
    let table = contingency(first, second, cancel)?;
    let occurring = |counts: &[u64]| counts.iter().filter(|count| **count > 0).count();
    if occurring(&table.firsts) <= 1 && occurring(&table.seconds) <= 1 {
        return Ok(1.0); // one group each: nothing differs
    }
    let rows = table.rows as f64;
    let entropy = |counts: &[u64]| {
        let shares = counts.iter().filter(|count| **count > 0).map(|count| *count as f64 / rows);
        -shares.map(|share| share * share.ln()).sum::<f64>()
    };
    let information: f64 = table
        .pairs
        .iter()
        .map(|&(a, b, count)| {
            let alone = |counts: &[u64], label: usize| counts.get(label).copied().unwrap_or(1) as f64;
            let count = count as f64;
            count / rows * (count * rows / (alone(&table.firsts, a) * alone(&table.seconds, b))).ln()
        })
        .sum();
    if information <= f64::EPSILON {
        return Ok(0.0);
    }
    let (a, b) = (entropy(&table.firsts), entropy(&table.seconds));
    let average = match average {
        Average::Arithmetic => f64::midpoint(a, b),
        Average::Geometric => (a * b).sqrt(),
        Average::Min => a.min(b),
        Average::Max => a.max(b),
    };
    Ok(information / average)
}
