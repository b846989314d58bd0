//! Which rows belong together: the partition of an id, and rows put into the order of their partitions.

use super::{
    money::Amount,
    read::{Log, Rows},
    reason::Reason,
};
use crate::{
    Result,
    cancel::Cancel,
    ids::{Hashing, Key},
    parallel,
};

/// How many bits of the hash choose the partition: about 32,000 rows in each, so that one fits into the
/// second-level cache.
pub(super) fn partition_bits(rows: usize) -> u32 {
    (rows >> 15).next_power_of_two().trailing_zeros().min(10)
}

/// Which partition a customer belongs to, and what the number of a customer there is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layout {
    /// By the hash of the id; a hash table numbers the customers of a partition as they come.
    Hashed { bits: u32 },
    /// For whole numbers that lie close together: neighbours share a partition, and where an id stands among all
    /// possible ones is its number. Nothing to look up, and customers come out in order.
    Direct { first: u64, shift: u32 },
}

impl Layout {
    pub(super) fn of<K: Key, A: Amount, O: Key>(log: &Log<'_>, members: &[K], cancel: &Cancel) -> Result<Self> {
        let rows = log.rows.max(members.len());
        let bits = partition_bits(rows);
        let both = |(least, most): (u64, u64), (low, high): (u64, u64)| (least.min(low), most.max(high));
        let close = |(least, most): (u64, u64)| K::NUMERIC && most.saturating_sub(least) < 2 * rows as u64;
        let mut found = extent(members.iter().copied());
        // A look at the first rows tells most logs whose ids are spread.
        for chunks in [log.chunks.get(..1), log.chunks.get(1..)].into_iter().flatten() {
            if close(found) {
                let extents = parallel::map_each_with(chunks, cancel, Rows::<K, A, O>::default, |rows, chunk| {
                    log.keys(chunk, rows)?;
                    let used = rows.keys.iter().zip(&rows.reasons).filter(|(_, reason)| **reason == Reason::Used);
                    Ok(extent(used.map(|(key, _)| *key)))
                })?;
                found = extents.into_iter().fold(found, both);
            }
        }
        let (least, most) = found;
        if !close(found) || least > most {
            return Ok(Self::Hashed { bits });
        }
        let shift = (64 - (most - least).leading_zeros()).saturating_sub(bits);
        Ok(Self::Direct { first: least, shift })
    }

    #[inline]
    pub(super) fn partition<K: Key>(self, key: K, hashing: Hashing) -> u32 {
        match self {
            Self::Hashed { bits } => partition(key.hash(hashing), bits),
            Self::Direct { first, shift } => (key.number().wrapping_sub(first) >> shift) as u32,
        }
    }
}

/// The smallest and the largest number.
fn extent<K: Key>(keys: impl Iterator<Item = K>) -> (u64, u64) {
    keys.fold((u64::MAX, 0), |(least, most), key| (least.min(key.number()), most.max(key.number())))
}

/// The highest bits of a hash.
#[inline]
pub(super) fn partition(hash: u64, bits: u32) -> u32 {
    ((hash >> 1) >> (63 - bits)) as u32 // in two steps, because there may be 0 bits
}

/// The partition of each row, and where each partition begins when rows are put in their order, with the end of
/// the last. A row whose place is `partitions` goes nowhere.
pub(super) fn places(rows: impl Iterator<Item = u32>, partitions: usize) -> (Vec<u16>, Vec<u32>) {
    let mut starts = vec![0u32; partitions + 2];
    let counted = rows.map(|place| {
        if let Some(count) = starts.get_mut(place as usize + 1) {
            *count += 1;
        }
        place as u16
    });
    let places = counted.collect();
    starts.pop(); // those who go nowhere
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    (places, starts)
}
