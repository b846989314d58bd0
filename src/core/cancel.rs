//! A flag that long work polls between chunks, so that Ctrl-C ends it within a second.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

/// Shared between the thread that waits (and may cancel) and the threads that work (and poll).
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// A flag nobody has raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop at its next check.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// `Err(Cancelled)` once the flag is raised. One relaxed load: call it once per chunk.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}
