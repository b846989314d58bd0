//! Large buffers kept from one call to the next: touching fresh memory costs more than the work on it.
//!
//! The pool is bounded, belongs to the process, never changes a result, and is emptied by [`release`].

use std::{any::Any, sync::Mutex};

/// At most so many bytes wait for the next call.
const LIMIT: usize = 512 << 20;

/// What waits: the buffer, and its size in bytes.
static POOL: Mutex<Vec<(Box<dyn Any + Send>, usize)>> = Mutex::new(Vec::new());

/// A buffer of `len` elements whose contents mean nothing.
pub(super) fn take<T: Copy + Default + Send + 'static>(len: usize) -> Vec<T> {
    // Whoever finds the pool locked (also after a fork in the wrong moment) does without it.
    let found = POOL.try_lock().ok().and_then(|mut pool| {
        let place = pool.iter().rposition(|(buffer, _)| buffer.is::<Vec<T>>())?;
        pool.swap_remove(place).0.downcast::<Vec<T>>().ok()
    });
    let mut buffer = found.map_or_else(Vec::new, |buffer| *buffer);
    buffer.resize(len, T::default());
    buffer
}

/// Keeps a buffer for the next call, unless enough are kept already.
pub(super) fn give<T: Copy + Send + 'static>(buffer: Vec<T>) {
    let bytes = buffer.capacity() * size_of::<T>();
    if let Ok(mut pool) = POOL.try_lock()
        && pool.iter().map(|(_, bytes)| bytes).sum::<usize>() + bytes <= LIMIT
    {
        pool.push((Box::new(buffer), bytes));
    }
}

/// Gives the kept buffers back to the system; how many bytes they were.
pub fn release() -> usize {
    let Ok(mut pool) = POOL.lock() else { return 0 };
    let kept = std::mem::take(&mut *pool);
    kept.iter().map(|(_, bytes)| bytes).sum()
}
