//! Asking for memory before it is needed.
//!
//! A large fleet's state does not fit into the caches, and events touch it at random places, so that a
//! simulation would spend most of its time waiting for memory, one line after the other. Whoever knows what
//! will be needed in a few events' time asks for it here and goes on: the line is there when it is used. This
//! changes no result, and no value is read.

use prefetch_index::prefetch_index;

/// Asks for the cache line in which `value` begins \[64 bytes on most machines\].
#[inline(always)]
pub fn prefetch<T>(value: &T) {
    prefetch_index(std::slice::from_ref(value), 0);
}

/// Asks for the cache line in which `values[index]` begins. An index past the end does no harm.
#[inline(always)]
pub fn prefetch_at<T>(values: &[T], index: usize) {
    prefetch_index(values, index);
}
