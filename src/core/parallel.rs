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
    ranges
        .into_par_iter()
        .map(|range| {
            cancel.check()?;
            work(range)
        })
        .collect()
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
