//! Fresh memory for large results. Touching it costs more than most work on it, page by page; so it is asked for in
//! one piece where results stand side by side, and in pages as large as the system has them.

use std::ops::{Deref, DerefMut, Range};

use crate::kept;

/// Zeros that cost nothing until they are written, if `T`'s default is made of zero bytes.
pub(crate) fn zeros<T: Copy + Default>(len: usize) -> Vec<T> {
    let mut room = vec![T::default(); len];
    ask_for_large(&mut room);
    room
}

/// Room in which anything may stand, and which begins where a line of the processor's cache does: a register as wide as
/// a line would be read from two of them elsewhere, at half the speed. It is kept for the next call.
#[derive(Debug)]
pub(crate) struct Lines<T: Send + 'static> {
    room: Vec<T>,
    values: Range<usize>,
}

impl<T: Copy + Default + Send + 'static> Lines<T> {
    pub(crate) fn new(len: usize) -> Self {
        const LINE: usize = 64;
        let wanted = len + LINE / size_of::<T>().max(1);
        let room: Vec<T> = kept::take(wanted).unwrap_or_else(|| zeros(wanted));
        let first = room.as_ptr().align_offset(LINE).min(room.len() - len);
        Self { room, values: first..first + len }
    }
}

impl<T: Send + 'static> Drop for Lines<T> {
    fn drop(&mut self) {
        kept::give(std::mem::take(&mut self.room));
    }
}

impl<T: Send + 'static> Deref for Lines<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.room.get(self.values.clone()).unwrap_or(&[])
    }
}

impl<T: Send + 'static> DerefMut for Lines<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.room.get_mut(self.values.clone()).unwrap_or(&mut [])
    }
}

/// Asks for large pages under values, or under room for them.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for_large<T>(room: &mut [T]) {
    const LARGE: usize = 2 << 20;
    let start = room.as_mut_ptr().addr().next_multiple_of(LARGE);
    let end = room.as_mut_ptr().addr() + size_of_val(room);
    if start + LARGE <= end {
        // SAFETY: whole pages inside memory that is ours; advice about pages changes nothing that stands in them.
        // Advice that is refused costs time only.
        unsafe { libc::madvise(start as *mut libc::c_void, (end - start) / LARGE * LARGE, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn ask_for_large<T>(_: &mut [T]) {}
