//! Bringing the rows of one customer together.
//!
//! Rows are scattered by their id into partitions small enough for the cache, each chunk of rows into a block of
//! its own, so the order of rows within a partition never depends on threads. Each partition then numbers its
//! customers, sorts its rows by that number (counting sort, stable) and hands one customer's rows after the other
//! to a plain function ([`Fold`]), which may also take the rows as they stand. [`Layout`] decides partitions and
//! numbers.

use std::ops::{Deref, Range};

use rayon::prelude::*;

use super::{
    days::Days,
    money::Amount,
    numbers::find,
    partition::{Layout, partition_bits, places},
    read::{Log, Rows},
    reason::{Reason, Tally},
    scratch::{self, Piece},
    together::Together,
};
use crate::{
    Result,
    cancel::Cancel,
    ids::{Hashing, Ids, Key, text_of},
    parallel, prefetch,
};

/// What the measures need to know of one row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Record<K, A, O> {
    key: K,
    pub(super) time: i64,
    pub(super) amount: A,
    order: O,
}

/// The used rows of one chunk, grouped by partition, in row order within each.
struct Block<S> {
    records: S,
    discounted: Vec<bool>,
    /// Where each partition begins, and the end of the last.
    starts: Vec<u32>,
}

type RowBlock<'a, K, A, O> = Block<&'a [Record<K, A, O>]>;

impl<R, S: Deref<Target = [R]>> Block<S> {
    fn range(&self, partition: usize) -> Range<usize> {
        let at = |place: usize| self.starts.get(place).map_or(0, |start| *start as usize);
        at(partition)..at(partition + 1)
    }

    fn records(&self, partition: usize) -> &[R] {
        self.records.get(self.range(partition)).unwrap_or_default()
    }

    fn discounted(&self, partition: usize) -> &[bool] {
        self.discounted.get(self.range(partition)).unwrap_or_default()
    }
}

/// How many rows ahead a long text is asked for.
const SOON: usize = 32;

/// What becomes of the rows of each customer.
pub(super) trait Fold<A, O>: Sync {
    /// The customers of one partition.
    type Partial: Send;

    /// A partial result with room for at most so many customers.
    fn begin(&self, customers: usize) -> Self::Partial;

    /// Folds all rows of one customer, in row order; whether the customer belongs to the result.
    fn customer(&self, partial: &mut Self::Partial, worker: &mut Worker<O>, rows: &Purchases<'_, A, O>)
    -> Result<bool>;

    /// Folds all rows of a partition without bringing those of a customer together, every customer belonging to the
    /// result; whether it did.
    fn together<K: Copy>(&self, _: &mut Self::Partial, _: &mut Worker<O>, _: &Together<'_, K, A, O>) -> Result<bool> {
        Ok(false)
    }
}

/// Folds every customer's rows into a partial result per partition; `members` are ids that belong to the result even
/// without a row. `verdict` sees the reasons of all rows before the first fold.
pub(super) fn fold<K: Key, A: Amount, O: Key, F: Fold<A, O>>(
    log: &Log<'_>,
    members: &[K],
    ids: &Ids<'_>,
    cancel: &Cancel,
    mut verdict: impl FnMut(&Tally) -> Result<()>,
    fold: &F,
) -> Result<Vec<(Vec<K>, F::Partial)>> {
    let mut rooms = scratch::take(log.chunks.iter().map(|chunk| chunk.rows.len()));
    let pieces = scratch::pieces(&mut rooms);
    let scattered = Scattered::<K, A, O>::new(log, pieces, members, cancel)?;
    verdict(&scattered.tally)?;
    let results = scattered.fold(ids, cancel, fold)?;
    scratch::give(rooms);
    Ok(results)
}

/// The rows of a log, each chunk of them in the order of their partitions.
struct Scattered<'a, K, A, O> {
    blocks: Vec<RowBlock<'a, K, A, O>>,
    members: Vec<Block<Vec<K>>>,
    partitions: usize,
    layout: Layout,
    hashing: Hashing,
    tally: Tally,
    /// No row is earlier.
    earliest: i64,
}

impl<'a, K: Key, A: Amount, O: Key> Scattered<'a, K, A, O> {
    /// Each chunk's rows go into its own piece of room.
    fn new(log: &Log<'_>, pieces: Vec<Piece<'a, Record<K, A, O>>>, members: &[K], cancel: &Cancel) -> Result<Self> {
        let hashing = log.hashing;
        let layout = Layout::of::<K, A, O>(log, members, cancel)?;
        let partitions = 1 << partition_bits(log.rows.max(members.len()));
        let chunks = log.chunks.par_iter().zip(pieces);
        let blocks = parallel::map_each_with(chunks, cancel, Rows::<K, A, O>::default, |rows, (chunk, piece)| {
            log.rows(chunk, rows)?;
            let tally = Tally::of(&rows.reasons, chunk.first);
            let place = |key: &K| layout.partition(*key, hashing);
            let (places, starts) = if tally.get(Reason::Used).0 == rows.keys.len() {
                places(rows.keys.iter().map(place), partitions) // nearly every chunk
            } else {
                let place = |(key, reason): (&K, &Reason)| match reason {
                    Reason::Used => place(key),
                    _ => partitions as u32,
                };
                places(rows.keys.iter().zip(&rows.reasons).map(place), partitions)
            };
            let columns = rows.keys.iter().zip(&rows.times).zip(&rows.amounts).zip(&rows.orders);
            let records = columns.map(|(((key, time), amount), order)| Record {
                key: *key,
                time: *time,
                amount: *amount,
                order: *order,
            });
            let records = &*scratch::scatter(&places, &starts, records, piece);
            let discounted = match rows.discounted.as_slice() {
                [] => Vec::new(), // nobody asked
                flags => scratch::scattered(&places, &starts, flags.iter().copied()),
            };
            Ok((Block { records, discounted, starts }, tally, rows.earliest))
        })?;
        let mut tally = Tally::default();
        let mut earliest = i64::MAX;
        for (_, later, time) in &blocks {
            tally.merge(later);
            earliest = earliest.min(*time);
        }
        let blocks = blocks.into_iter().map(|(block, ..)| block).collect();
        let pieces: Vec<_> = members.chunks(parallel::CHUNK_ROWS).collect();
        let members = parallel::map_each(&pieces, cancel, |keys| {
            let (places, starts) = places(keys.iter().map(|key| layout.partition(*key, hashing)), partitions);
            let records = scratch::scattered(&places, &starts, keys.iter().copied());
            Ok(Block { records, discounted: Vec::new(), starts })
        })?;
        Ok(Self { blocks, members, partitions, layout, hashing, tally, earliest })
    }

    /// The rows of a partition, block by block; memory is asked for each while the one before is worked on.
    fn records(&self, partition: usize) -> impl Iterator<Item = &[Record<K, A, O>]> {
        let mut blocks = self.blocks.iter().map(move |block| block.records(partition)).peekable();
        std::iter::from_fn(move || {
            let records = blocks.next()?;
            blocks.peek().iter().for_each(|next| prefetch::slice(next));
            Some(records)
        })
    }

    fn fold<F: Fold<A, O>>(self, ids: &Ids<'_>, cancel: &Cancel, fold: &F) -> Result<Vec<(Vec<K>, F::Partial)>> {
        let partitions: Vec<usize> = (0..self.partitions).collect();
        parallel::map_each_with(&partitions, cancel, Bench::<K, A, O>::default, |bench, partition| {
            bench.number(&self, *partition, ids)?;
            let listed = bench.listed.iter().copied().chain(std::iter::repeat(false));
            // An id between others may be nobody's.
            let present: Vec<bool> = bench.ends.iter().zip(listed).map(|(rows, listed)| *rows > 0 || listed).collect();
            let customers = present.iter().filter(|present| **present).count();
            let mut partial = fold.begin(customers);
            let blocks = self.blocks.iter().map(|block| block.records(*partition)).collect();
            let together = Together {
                blocks,
                slots: &bench.slots,
                counts: &bench.ends,
                present: &present,
                earliest: self.earliest,
            };
            if fold.together(&mut partial, &mut bench.worker, &together)? {
                let kept = bench.keys.iter().zip(&present).filter(|(_, present)| **present).map(|(key, _)| *key);
                return Ok((kept.collect(), partial));
            }
            bench.sort(&self, *partition);
            let mut kept = Vec::with_capacity(customers);
            let mut start = 0;
            for ((key, end), present) in bench.keys.iter().zip(&bench.ends).zip(present) {
                let range = start..*end as usize;
                start = range.end;
                if !present {
                    continue;
                }
                let rows = Purchases {
                    times: bench.times.get(range.clone()).unwrap_or_default(),
                    amounts: bench.amounts.get(range.clone()).unwrap_or_default(),
                    orders: bench.orders.get(range.clone()).unwrap_or_default(),
                    discounted: bench.discounted.get(range).unwrap_or_default(),
                };
                if fold.customer(&mut partial, &mut bench.worker, &rows)? {
                    kept.push(*key);
                }
            }
            Ok((kept, partial))
        })
    }
}

/// All rows of one customer that are used, in row order.
pub(super) struct Purchases<'a, A, O> {
    pub(super) times: &'a [i64],
    pub(super) amounts: &'a [A],
    pub(super) orders: &'a [O],
    /// Empty when nobody asked about discounts.
    pub(super) discounted: &'a [bool],
}

/// Room for what a fold must sort.
pub(super) struct Worker<O> {
    pub(super) days: Days,
    pub(super) orders: Vec<(u64, O, bool)>,
    /// A bit per customer and day.
    pub(super) bits: Vec<u64>,
}

/// Room for one partition at a time, used again for the next.
struct Bench<K, A, O> {
    table: Vec<u32>,
    keys: Vec<K>,
    /// Rows per customer, then where the rows of each end.
    ends: Vec<u32>,
    /// Who belongs to the result even without a row; empty when nobody does.
    listed: Vec<bool>,
    /// The number of each row's customer, and of each member.
    slots: Vec<u32>,
    member_slots: Vec<u32>,
    times: Vec<i64>,
    amounts: Vec<A>,
    orders: Vec<O>,
    discounted: Vec<bool>,
    worker: Worker<O>,
}

impl<K, A, O> Default for Bench<K, A, O> {
    fn default() -> Self {
        Self {
            table: Vec::new(),
            keys: Vec::new(),
            ends: Vec::new(),
            listed: Vec::new(),
            slots: Vec::new(),
            member_slots: Vec::new(),
            times: Vec::new(),
            amounts: Vec::new(),
            orders: Vec::new(),
            discounted: Vec::new(),
            worker: Worker { days: Days::default(), orders: Vec::new(), bits: Vec::new() },
        }
    }
}

impl<K: Key, A: super::money::Amount, O: Key> Bench<K, A, O> {
    /// Gives every customer of the partition a number and counts their rows.
    fn number(&mut self, scattered: &Scattered<'_, K, A, O>, partition: usize, ids: &Ids<'_>) -> Result<()> {
        self.clear();
        if let Layout::Direct { first, shift } = scattered.layout {
            let first = first + ((partition as u64) << shift);
            self.number_directly(scattered, partition, first, 1 << shift);
            return Ok(());
        }
        // First by their words alone; then long texts, of which these hold a hash, are held against one another.
        self.number_by(scattered, partition, K::alike)?;
        if self.confuses(scattered, partition, ids) {
            self.number_by(scattered, partition, |known, key| known.same(key, ids))?;
        }
        Ok(())
    }

    fn number_by(
        &mut self,
        scattered: &Scattered<'_, K, A, O>,
        partition: usize,
        same: impl Fn(K, K) -> bool + Copy,
    ) -> Result<()> {
        self.clear();
        self.table.clear();
        self.table.resize(1024, 0);
        let hash = |key: K| key.hash(scattered.hashing);
        self.slots.reserve(scattered.blocks.iter().map(|block| block.records(partition).len()).sum());
        for records in scattered.records(partition) {
            for record in records {
                let slot = find(&mut self.table, &mut self.keys, record.key, hash, same)?;
                if slot as usize == self.ends.len() {
                    self.ends.push(0);
                }
                if let Some(count) = self.ends.get_mut(slot as usize) {
                    *count += 1;
                }
                self.slots.push(slot);
            }
        }
        for block in &scattered.members {
            for key in block.records(partition) {
                let slot = find(&mut self.table, &mut self.keys, *key, hash, same)?;
                self.list(slot as usize);
                self.member_slots.push(slot);
            }
        }
        self.ends.resize(self.keys.len(), 0);
        Ok(())
    }

    /// The same where ids from `first` on are their own numbers.
    fn number_directly(&mut self, scattered: &Scattered<'_, K, A, O>, partition: usize, first: u64, ids: usize) {
        self.keys.resize(ids, K::default());
        self.ends.resize(ids, 0);
        for records in scattered.records(partition) {
            for record in records {
                let slot = record.key.number().wrapping_sub(first);
                if let (Some(key), Some(count)) = (self.keys.get_mut(slot as usize), self.ends.get_mut(slot as usize)) {
                    *key = record.key;
                    *count += 1;
                }
                self.slots.push(slot as u32);
            }
        }
        for block in &scattered.members {
            for key in block.records(partition) {
                let slot = key.number().wrapping_sub(first) as usize;
                if let Some(place) = self.keys.get_mut(slot) {
                    *place = *key;
                }
                self.list(slot);
            }
        }
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.listed.clear();
        self.slots.clear();
        self.member_slots.clear();
    }

    /// Whether a number stands for different long texts that share a hash.
    fn confuses(&self, scattered: &Scattered<'_, K, A, O>, partition: usize, ids: &Ids<'_>) -> bool {
        if self.keys.iter().all(|key| key.long_row().is_none()) {
            return false;
        }
        let known: Vec<_> = self.keys.iter().map(|key| key.long_row().map(|row| ids.bytes(row))).collect();
        let differs = |text, slot: u32| known.get(slot as usize).is_some_and(|known| *known != text);
        let mut slots = self.slots.as_slice();
        for block in &scattered.blocks {
            let Some((numbers, rest)) = slots.split_at_checked(block.records(partition).len()) else { break };
            slots = rest;
            let rows = || block.records(partition).iter().map(|record| record.key.long_row());
            let Some(row) = rows().flatten().next() else { continue };
            let (first, column) = ids.part(row);
            // Texts lie all over the chunk.
            let text = |row: Option<usize>| Some(text_of(column, row? - first).unwrap_or_default());
            let soon = rows().skip(SOON).map(text).chain(std::iter::repeat(None));
            for ((row, soon), slot) in rows().zip(soon).zip(numbers) {
                soon.into_iter().for_each(prefetch::slice);
                if differs(text(row), *slot) {
                    return true;
                }
            }
        }
        let members = scattered.members.iter().flat_map(|block| block.records(partition));
        members.zip(&self.member_slots).any(|(key, slot)| differs(key.long_row().map(|row| ids.bytes(row)), *slot))
    }

    fn list(&mut self, slot: usize) {
        if self.listed.len() <= slot {
            self.listed.resize(slot + 1, false);
        }
        if let Some(listed) = self.listed.get_mut(slot) {
            *listed = true;
        }
    }

    /// Puts the rows of each customer together.
    fn sort(&mut self, scattered: &Scattered<'_, K, A, O>, partition: usize) {
        let mut sum = 0;
        for end in &mut self.ends {
            let count = *end;
            *end = sum; // where the customer's rows begin, until they are placed
            sum += count;
        }
        let rows = self.slots.len();
        self.times.resize(rows, 0);
        self.amounts.resize(rows, A::default());
        self.orders.resize(rows, O::default());
        let mut slots = self.slots.iter();
        let with_discount = scattered.blocks.iter().any(|block| !block.discounted.is_empty());
        self.discounted.resize(if with_discount { rows } else { 0 }, false);
        for block in &scattered.blocks {
            let flags = block.discounted(partition).iter().map(Some).chain(std::iter::repeat(None));
            for ((record, flag), slot) in block.records(partition).iter().zip(flags).zip(slots.by_ref()) {
                let Some(cursor) = self.ends.get_mut(*slot as usize) else { continue };
                let place = *cursor as usize;
                *cursor += 1;
                if let (Some(time), Some(amount), Some(order)) =
                    (self.times.get_mut(place), self.amounts.get_mut(place), self.orders.get_mut(place))
                {
                    *time = record.time;
                    *amount = record.amount;
                    *order = record.order;
                }
                if let (Some(flag), Some(target)) = (flag, self.discounted.get_mut(place)) {
                    *target = *flag;
                }
            }
        }
    }
}
