//! Asks memory for what is needed soon, so that it works while others are worked on.

/// Bytes that memory gives at a time.
pub(crate) const LINE: usize = 64;

/// Asks for the line of an address, whether or not anything stands there.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn line(address: usize) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    // Into the second cache: the first is full of what is worked on.
    // SAFETY: it reads nothing, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(std::ptr::without_provenance(address)) }
}

/// No other processor has a stable instruction for it.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn line(_: usize) {}

/// Asks for all of a slice.
#[inline]
pub(crate) fn slice<T>(values: &[T]) {
    let range = values.as_ptr_range();
    (range.start.addr()..range.end.addr()).step_by(LINE).for_each(line);
}
