//! Large buffers kept from one call to the next: touching fresh memory costs more than the work on it.
//!
//! The pool is bounded, belongs to the process, never changes a result, and is emptied by [`release`].

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

/// At most so many bytes wait for the next call.
const LIMIT: usize = 64 << 20;

/// Buffers by the type of their elements, and how many bytes they are in all.
#[derive(Default)]
struct Pool {
    kept: HashMap<TypeId, Vec<Box<dyn Any + Send>>>,
    bytes: usize,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

fn bytes<T>(buffer: &Vec<T>) -> usize {
    buffer.capacity() * size_of::<T>()
}

/// A buffer of `len` elements whose contents mean nothing.
pub(super) fn take<T: Copy + Default + Send + 'static>(len: usize) -> Vec<T> {
    // Whoever finds the pool locked (also for ever, after a fork in the wrong moment) does without it.
    let found = POOL.try_lock().ok().and_then(|mut pool| {
        let buffer = pool.kept.get_mut(&TypeId::of::<T>())?.pop()?.downcast::<Vec<T>>().ok()?;
        pool.bytes -= bytes(&buffer);
        Some(*buffer)
    });
    let mut buffer = found.unwrap_or_default();
    buffer.resize(len, T::default());
    buffer
}

/// Keeps a buffer for the next call, unless enough are kept already.
pub(super) fn give<T: Copy + Send + 'static>(buffer: Vec<T>) {
    let size = bytes(&buffer);
    if let Ok(mut pool) = POOL.try_lock()
        && pool.bytes + size <= LIMIT
    {
        pool.bytes += size;
        pool.kept.entry(TypeId::of::<T>()).or_default().push(Box::new(buffer));
    }
}

/// Gives the kept buffers back to the system; how many bytes they were.
pub fn release() -> usize {
    POOL.try_lock().map_or(0, |mut pool| std::mem::take(&mut *pool).bytes)
}
