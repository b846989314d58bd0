//! Where the threads of a pool wake.
//!
//! Threads that rest are kept to a processor each: woken freely, they may be queued one behind the other on the same
//! processor, for longer than many a call takes. A call that lasts lets them go where the system wants them.

/// The threads of a pool, and the processors they may use.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub struct Places {
    processors: libc::cpu_set_t,
    /// What the system calls each thread; 0 before it has begun.
    threads: Vec<std::sync::atomic::AtomicI32>,
}

#[cfg(target_os = "linux")]
impl Places {
    /// For so many threads; none where there are not as many processors, or more than a set can name.
    #[must_use]
    pub fn new(threads: usize) -> Option<Self> {
        // SAFETY: all zeros are a set, the empty one.
        let mut processors: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the set has room for as many bytes, and 0 is the calling thread.
        if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut processors) } != 0 {
            return None;
        }
        let places = Self { processors, threads: (0..threads).map(|_| 0.into()).collect() };
        (places.numbers().count() == threads).then_some(places)
    }

    /// To be called by each thread as it begins.
    pub fn enter(&self, index: usize) {
        if let Some(thread) = self.threads.get(index) {
            // SAFETY: it only gives a number.
            thread.store(unsafe { libc::gettid() }, std::sync::atomic::Ordering::Relaxed);
            self.keep(index, self.one(index));
        }
    }

    /// Keeps each thread to its processor.
    pub fn apart(&self) {
        (0..self.threads.len()).for_each(|index| self.keep(index, self.one(index)));
    }

    /// Lets each thread go anywhere.
    pub fn anywhere(&self) {
        (0..self.threads.len()).for_each(|index| self.keep(index, Some(self.processors)));
    }

    fn keep(&self, index: usize, processors: Option<libc::cpu_set_t>) {
        let thread = self.threads.get(index).map_or(0, |thread| thread.load(std::sync::atomic::Ordering::Relaxed));
        if let (Some(processors), 1..) = (processors, thread) {
            // SAFETY: the set has as many bytes, the thread is one of ours; refused, nothing changes.
            unsafe { libc::sched_setaffinity(thread, size_of::<libc::cpu_set_t>(), &raw const processors) };
        }
    }

    fn one(&self, index: usize) -> Option<libc::cpu_set_t> {
        let number = self.numbers().nth(index)?;
        // SAFETY: all zeros are a set, and the number is one of another's.
        unsafe {
            let mut one: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(number, &mut one);
            Some(one)
        }
    }

    fn numbers(&self) -> impl Iterator<Item = usize> {
        // SAFETY: no number is beyond the set.
        (0..libc::CPU_SETSIZE as usize).filter(|number| unsafe { libc::CPU_ISSET(*number, &self.processors) })
    }
}

/// Other systems place threads themselves.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub struct Places;

#[cfg(not(target_os = "linux"))]
impl Places {
    /// None.
    #[must_use]
    pub fn new(_: usize) -> Option<Self> {
        None
    }

    /// Nothing.
    pub fn enter(&self, _: usize) {}

    /// Nothing.
    pub fn apart(&self) {}

    /// Nothing.
    pub fn anywhere(&self) {}
}
