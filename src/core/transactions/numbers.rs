//! Numbers for keys as they come: an open-addressing table of numbers plus one.

use crate::{Error, Result};

/// A table of fewer entries stays in the second-level cache, and may be so empty that hardly a key meets another.
const SMALL: usize = 1 << 16;

/// The number of a key; new keys get the next one. `table` has a power of two of entries, all 0 at first.
#[allow(clippy::inline_always)] // into the loop over rows
#[inline(always)]
pub(super) fn find<K: Copy>(
    table: &mut Vec<u32>,
    keys: &mut Vec<K>,
    key: K,
    hash: impl Fn(K) -> u64,
    same: impl Fn(K, K) -> bool,
) -> Result<u32> {
    let place = hash(key) as usize & (table.len() - 1);
    // Most rows find their customer at first sight.
    let slot = table.get(place).copied().unwrap_or(0).wrapping_sub(1);
    if keys.get(slot as usize).is_some_and(|known| same(*known, key)) {
        return Ok(slot);
    }
    search(table, keys, key, place, hash, same)
}

#[inline(never)]
fn search<K: Copy>(
    table: &mut Vec<u32>,
    keys: &mut Vec<K>,
    key: K,
    mut place: usize,
    hash: impl Fn(K) -> u64,
    same: impl Fn(K, K) -> bool,
) -> Result<u32> {
    let mask = table.len() - 1;
    loop {
        let entry = table.get_mut(place).ok_or_else(too_many)?;
        if *entry == 0 {
            *entry = u32::try_from(keys.len() + 1).map_err(|_| too_many())?;
            keys.push(key);
            let slot = *entry - 1;
            if keys.len() * if table.len() < SMALL { 8 } else { 2 } > table.len() {
                grow(table, keys, hash);
            }
            return Ok(slot);
        }
        if keys.get(*entry as usize - 1).is_some_and(|known| same(*known, key)) {
            return Ok(*entry - 1);
        }
        place = (place + 1) & mask;
    }
}

#[cold]
fn grow<K: Copy>(table: &mut Vec<u32>, keys: &[K], hash: impl Fn(K) -> u64) {
    let size = table.len() * 4;
    table.clear();
    table.resize(size, 0);
    for (slot, key) in keys.iter().enumerate() {
        let mut place = hash(*key) as usize & (size - 1);
        while let Some(entry) = table.get_mut(place) {
            if *entry == 0 {
                *entry = slot as u32 + 1;
                break;
            }
            place = (place + 1) & (size - 1);
        }
    }
}

fn too_many() -> Error {
    Error::input("the log has more customers than one call can number")
}
