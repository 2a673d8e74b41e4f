//! The kernel anybody writes first: a standard binary heap of (time, order of insertion, event).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Pending events and the clock [ns].
#[derive(Debug)]
pub struct Kernel<E> {
    now_ns: u64,
    scheduled: u64,
    heap: BinaryHeap<Reverse<Entry<E>>>,
}

impl<E> Default for Kernel<E> {
    fn default() -> Kernel<E> {
        Kernel::new()
    }
}

impl<E> Kernel<E> {
    pub fn new() -> Kernel<E> {
        Kernel { now_ns: 0, scheduled: 0, heap: BinaryHeap::new() }
    }

    pub fn now_s(&self) -> f64 {
        self.now_ns as f64 * 1e-9
    }

    pub fn after_s(&mut self, wait_s: f64, event: E) {
        let when_ns = self.now_ns + (wait_s * 1e9) as u64;
        self.heap.push(Reverse(Entry { when_ns, order: self.scheduled, event }));
        self.scheduled += 1;
    }

    pub fn fire(&mut self) -> Option<E> {
        let Reverse(entry) = self.heap.pop()?;
        self.now_ns = entry.when_ns;
        Some(entry.event)
    }
}

#[derive(Debug)]
struct Entry<E> {
    when_ns: u64,
    order: u64,
    event: E,
}

impl<E> Entry<E> {
    fn rank(&self) -> (u64, u64) {
        (self.when_ns, self.order)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Entry<E>) -> bool {
        self.rank() == other.rank()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Entry<E>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Entry<E>) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}
