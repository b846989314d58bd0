//! Memory kept from one call to the next: touching fresh memory costs more than most work on it.
//!
//! What is kept is bounded, belongs to the process, never changes a result, and is given back by [`release`].

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

/// At most so many bytes wait for the next call: what is kept stands beside the results of this one.
const LIMIT: usize = 128 << 20;

/// Memory by the type of what stood in it, and how many bytes it is in all.
#[derive(Default)]
struct Pool {
    kept: HashMap<TypeId, Vec<Box<dyn Any + Send>>>,
    bytes: usize,
}

static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);

fn bytes<T>(memory: &Vec<T>) -> usize {
    memory.capacity() * size_of::<T>()
}

/// Memory that was kept, with what stood in it, for at least so many values. (Who finds the pool locked, also for ever,
/// after a fork in the wrong moment, does without it.)
pub(crate) fn take<T: Send + 'static>(least: usize) -> Option<Vec<T>> {
    let mut pool = POOL.try_lock().ok()?;
    let kept = pool.kept.get_mut(&TypeId::of::<T>())?;
    let fits =
        |memory: &Box<dyn Any + Send>| memory.downcast_ref().is_some_and(|memory: &Vec<T>| memory.len() >= least);
    // What is too small makes way, one at a time, for what is wanted now.
    let (place, large) = kept.iter().rposition(fits).map_or((kept.len().checked_sub(1)?, false), |place| (place, true));
    let memory = *kept.swap_remove(place).downcast::<Vec<T>>().ok()?;
    pool.bytes -= bytes(&memory);
    large.then_some(memory)
}

/// Keeps memory for the next call, as far as not enough is kept already.
pub(crate) fn give<T: Send + 'static>(mut memory: Vec<T>) {
    let Ok(mut pool) = POOL.try_lock() else { return };
    let most = LIMIT.saturating_sub(pool.bytes) / size_of::<T>().max(1);
    memory.truncate(most);
    memory.shrink_to(most);
    if memory.capacity() > 0 {
        pool.bytes += bytes(&memory);
        pool.kept.entry(TypeId::of::<T>()).or_default().push(Box::new(memory));
    }
}

/// Gives the kept memory back to the system; how many bytes it was.
pub fn release() -> usize {
    POOL.try_lock().map_or(0, |mut pool| std::mem::take(&mut *pool).bytes)
}
