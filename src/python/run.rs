//! The one way into the core: leave the interpreter, work on a thread pool, listen for Ctrl-C, come back
//! with a value or a Python exception. No other file detaches.

use std::{
    collections::HashMap,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock, Mutex, mpsc},
    time::Duration,
};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use xifen_core::{Error, Result, cancel::Cancel, processors::Places};

use crate::error;

/// How often the waiting thread asks Python whether Ctrl-C was pressed; a call that is asked about lasts.
const POLL: Duration = Duration::from_millis(100);

/// Threads, and where they wake.
#[derive(Clone)]
struct Workers {
    pool: Arc<ThreadPool>,
    places: Arc<Option<Places>>,
}

/// Runs `work` on the pool of `n_jobs` threads with the interpreter released.
///
/// The calling thread waits beside the pool, so that it alone talks to Python: signals reach only the
/// main thread, and the core needs to know nothing but a flag.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    n_jobs: Option<i64>,
    work: impl FnOnce(&Cancel) -> Result<T> + Send,
) -> PyResult<T> {
    let Workers { pool, places } = workers(n_jobs).map_err(|failure| error::to_python(py, failure))?;
    let cancel = Cancel::new();
    let mut interrupt = None;
    let outcome = py.detach(|| {
        let (sender, receiver) = mpsc::channel();
        let mut lasts = false;
        let outcome = pool.in_place_scope(|scope| {
            scope.spawn(|_| {
                let outcome = catch_unwind(AssertUnwindSafe(|| work(&cancel)));
                let _ = sender.send(outcome); // the receiver below outlives this task
            });
            scope.spawn(|_| ()); // wakes a second thread at once, not when the first has work for it
            loop {
                match receiver.recv_timeout(POLL) {
                    Ok(outcome) => return Some(outcome),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        if !lasts {
                            lasts = true;
                            places.iter().for_each(Places::anywhere);
                        }
                        // The method itself, which clippy wants here, is not general enough over lifetimes.
                        #[allow(clippy::redundant_closure_for_method_calls)]
                        if let Err(signal) = Python::attach(|py| py.check_signals()) {
                            interrupt = Some(signal);
                            cancel.cancel();
                        }
                    }
                }
            }
        });
        if lasts {
            places.iter().for_each(Places::apart);
        }
        outcome
    });
    if let Some(signal) = interrupt {
        return Err(signal);
    }
    match outcome {
        Some(Ok(result)) => result.map_err(|failure| error::to_python(py, failure)),
        Some(Err(panic)) => Err(error::internal(py, &panic_text(&*panic))),
        None => Err(error::internal(py, "a task ended without a result")),
    }
}

/// The pool of this process with that many threads.
///
/// Keyed by process: a forked child inherits the map but not the threads, so it must never use (or drop)
/// its parent's pools. A map that is locked at the moment of a fork stays locked in the child; then, as
/// under contention, the call gets a pool of its own.
fn workers(n_jobs: Option<i64>) -> Result<Workers> {
    type Pools = HashMap<(u32, usize), Workers>;
    static POOLS: Mutex<Option<Pools>> = Mutex::new(None);
    let key = (std::process::id(), threads(n_jobs)?);
    let Ok(mut pools) = POOLS.try_lock() else { return build(key.1) };
    let pools = pools.get_or_insert_default();
    if let Some(workers) = pools.get(&key) {
        return Ok(workers.clone());
    }
    let workers = build(key.1)?;
    pools.insert(key, workers.clone());
    Ok(workers)
}

fn build(threads: usize) -> Result<Workers> {
    let places = Arc::new(Places::new(threads));
    let own = Arc::clone(&places);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("xifen-{index}"))
        .start_handler(move |index| own.iter().for_each(|places| places.enter(index)))
        .build();
    match pool {
        Ok(pool) => Ok(Workers { pool: Arc::new(pool), places }),
        Err(failure) => {
            Err(Error::parameter(format!("n_jobs={threads}: the threads could not be started ({failure})")))
        }
    }
}

/// scikit-learn's reading of `n_jobs`, except that `None` means every processor this process may use.
fn threads(n_jobs: Option<i64>) -> Result<usize> {
    // Asked once: the answer stands in files of the system.
    static PROCESSORS: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    match n_jobs {
        None => Ok(*PROCESSORS),
        Some(0) => Err(Error::parameter("n_jobs is 0; give a positive number of threads, or None for all processors")),
        Some(count) if count > 1024 => {
            Err(Error::parameter(format!("n_jobs is {count}; more than 1024 threads are never started")))
        }
        Some(count) if count > 0 => Ok(count as usize),
        Some(count) => Ok((*PROCESSORS as i64).saturating_add(1).saturating_add(count).max(1) as usize),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}
