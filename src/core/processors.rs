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
        let processors = allowed(0)?;
        let places = Self { processors, threads: (0..threads).map(|_| 0.into()).collect() };
        (places.numbers().count() == threads).then_some(places)
    }

    /// To be called by each thread as it begins.
    pub fn enter(&self, index: usize) {
        if let Some(thread) = self.threads.get(index) {
            // SAFETY: it only gives a number.
            thread.store(unsafe { libc::gettid() }, std::sync::atomic::Ordering::Relaxed);
            self.part(index);
        }
    }

    /// Keeps each thread to its processor.
    pub fn apart(&self) {
        (0..self.threads.len()).for_each(|index| self.part(index));
    }

    /// Lets each thread go anywhere.
    pub fn anywhere(&self) {
        for index in 0..self.threads.len() {
            self.one(index).iter().for_each(|one| self.change(index, one, &self.processors));
        }
    }

    fn part(&self, index: usize) {
        self.one(index).iter().for_each(|one| self.change(index, &self.processors, one));
    }

    /// Changes where a thread may go, unless somebody else did: what they chose stays.
    fn change(&self, index: usize, from: &libc::cpu_set_t, to: &libc::cpu_set_t) {
        let thread = self.threads.get(index).map_or(0, |thread| thread.load(std::sync::atomic::Ordering::Relaxed));
        // SAFETY: both are sets.
        if thread > 0 && allowed(thread).is_some_and(|now| unsafe { libc::CPU_EQUAL(&now, from) }) {
            // SAFETY: the set has as many bytes, the thread is one of ours; refused, nothing changes.
            unsafe { libc::sched_setaffinity(thread, size_of::<libc::cpu_set_t>(), to) };
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

/// Where a thread may go; 0 is the calling one.
#[cfg(target_os = "linux")]
fn allowed(thread: i32) -> Option<libc::cpu_set_t> {
    // SAFETY: all zeros are a set, the empty one.
    let mut processors: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set has room for as many bytes.
    let found = unsafe { libc::sched_getaffinity(thread, size_of::<libc::cpu_set_t>(), &raw mut processors) };
    (found == 0).then_some(processors)
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::{atomic::Ordering, mpsc};

    use super::*;

    fn numbers(processors: libc::cpu_set_t) -> Vec<usize> {
        Places { processors, threads: Vec::new() }.numbers().collect()
    }

    #[test]
    fn threads_wake_apart_and_stay_where_others_bring_them() {
        let all = numbers(allowed(0).unwrap());
        assert!(Places::new(all.len() + 1).is_none());
        let places = Places::new(all.len()).unwrap();
        let now = || -> Vec<_> {
            let threads = places.threads.iter().map(|thread| thread.load(Ordering::Relaxed));
            threads.map(|thread| numbers(allowed(thread).unwrap())).collect()
        };
        std::thread::scope(|scope| {
            let (begun, begins) = mpsc::channel();
            let mut ends = Vec::new(); // dropped, also by a failure: then the threads end
            for index in 0..all.len() {
                let (end, ended) = mpsc::channel::<()>();
                let (places, begun) = (&places, begun.clone());
                ends.push(end);
                scope.spawn(move || {
                    places.enter(index);
                    begun.send(()).unwrap();
                    ended.recv().unwrap_err();
                });
            }
            begins.iter().take(all.len()).for_each(drop);
            let apart: Vec<_> = all.iter().map(|number| vec![*number]).collect();
            assert_eq!(now(), apart);
            places.anywhere();
            assert_eq!(now(), vec![all.clone(); all.len()]);
            places.apart();
            assert_eq!(now(), apart);
            // Somebody else brings the first to the last's processor.
            let first = places.threads[0].load(Ordering::Relaxed);
            let last = places.one(all.len() - 1).unwrap();
            // SAFETY: the set has as many bytes.
            unsafe { libc::sched_setaffinity(first, size_of::<libc::cpu_set_t>(), &raw const last) };
            let mut chosen = apart.clone();
            chosen[0].clone_from(&apart[all.len() - 1]);
            places.apart();
            assert_eq!(now(), chosen);
            if all.len() > 1 {
                places.anywhere();
                assert_eq!(now()[0], chosen[0]);
            }
        });
    }
}
