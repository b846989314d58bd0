//! Work cut into chunks whose size never depends on the number of threads, with results in chunk order:
//! that is what makes one thread and eight give the same bits.

use std::ops::Range;

use rayon::prelude::*;

use crate::{Result, cancel::Cancel};

/// Rows per task where a kernel has no reason for another number: about one cache-sized piece of a few columns.
pub const CHUNK_ROWS: usize = 1 << 16;

/// The ranges `0..chunk, chunk..2 * chunk, ...` that cover `0..len`.
#[must_use]
pub fn chunks(len: usize, chunk: usize) -> impl ExactSizeIterator<Item = Range<usize>> + Clone {
    (0..len.div_ceil(chunk)).map(move |index| index * chunk..((index + 1) * chunk).min(len))
}

/// Applies `work` to every chunk of `0..len` on the current rayon pool; results come in chunk order.
pub fn map_chunks<T: Send>(
    len: usize,
    chunk: usize,
    cancel: &Cancel,
    work: impl Fn(Range<usize>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let ranges: Vec<_> = chunks(len, chunk).collect();
    map_each(&ranges, cancel, |range| work(range.clone()))
}

/// Applies `work` to every item on the current rayon pool; results come in the items' order, and of several
/// errors the first item's is the one returned.
pub fn map_each<I: Sync, T: Send>(
    items: &[I],
    cancel: &Cancel,
    work: impl Fn(&I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    map_each_with(items, cancel, || (), |(), item| work(item))
}

/// The same with room to work in, made by `room` now and then and used for many items.
pub fn map_each_with<I: Send, R, T: Send>(
    items: impl IntoParallelIterator<Item = I, Iter: IndexedParallelIterator>,
    cancel: &Cancel,
    room: impl Fn() -> R + Sync + Send,
    work: impl Fn(&mut R, I) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let results: Vec<Result<T>> = items
        .into_par_iter()
        .map_init(room, |room, item| {
            cancel.check()?;
            work(room, item)
        })
        .collect();
    results.into_iter().collect()
}

/// Lets `work` change every item, in parallel.
pub fn for_each_mut<I: Send>(
    items: &mut [I],
    cancel: &Cancel,
    work: impl Fn(&mut I) -> Result<()> + Sync,
) -> Result<()> {
    items.par_iter_mut().try_for_each(|item| {
        cancel.check()?;
        work(item)
    })
}

/// Cuts one slice into `&mut` pieces of `chunk` elements and fills them in parallel; `work` gets each piece's first index.
pub fn fill_chunks<T: Send>(
    output: &mut [T],
    chunk: usize,
    cancel: &Cancel,
    work: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    output.par_chunks_mut(chunk).enumerate().try_for_each(|(index, piece)| {
        cancel.check()?;
        work(index * chunk, piece)
    })
}
