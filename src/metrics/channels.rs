//! The set of pairs of nodes that exchanged a message: no n² memory, no hashing of unknown order.
//!
//! An open-addressing table whose entry covers one lower node and a block of 64 higher ones, a bit each: a
//! hub with a thousand neighbours is sixteen entries, a full mesh of a thousand nodes fits the cache, and
//! sparse pairs cost 16 bytes each. Only the count is ever read, so iteration order cannot reach a result.

use crate::engine::{mix, prefetch_at};
use crate::trace::NodeId;

/// Distinct unordered pairs of different nodes.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    /// (key + 1, bits); a key of 0 marks a free slot. The length is a power of two.
    slots: Vec<(u64, u64)>,
    used: usize,
    pairs: u64,
    /// Pairs that are still to be entered. Each is looked up in another place in memory, so that some are
    /// asked for before the first is needed.
    pending: [(u64, u64); PENDING],
    waiting: usize,
}

/// How many lines of memory are fetched at once: about what a core can.
const PENDING: usize = 8;

impl Channels {
    pub(crate) fn new() -> Channels {
        Channels { slots: vec![(0, 0); 1024], used: 0, pairs: 0, pending: [(0, 0); PENDING], waiting: 0 }
    }

    /// How many pairs it holds. Cheap once all are [entered](Channels::settle).
    pub(crate) fn len(&self) -> u64 {
        if self.waiting == 0 {
            return self.pairs;
        }
        let mut all = self.clone();
        all.settle();
        all.pairs
    }

    /// Adds the pair of `a` and `b`, in either order; a node is no channel to itself.
    #[inline]
    pub(crate) fn insert(&mut self, a: NodeId, b: NodeId) {
        if a == b {
            return;
        }
        let (low, high) = (a.min(b).0, a.max(b).0);
        let key = ((u64::from(low) << 32) | u64::from(high >> 6)) + 1;
        let bit = 1u64 << (high & 63);
        prefetch_at(&self.slots, self.home(key));
        self.pending[self.waiting % PENDING] = (key, bit);
        self.waiting += 1;
        if self.waiting == PENDING {
            self.settle();
        }
    }

    /// Enters what is pending.
    #[inline(never)]
    pub(crate) fn settle(&mut self) {
        for (key, bit) in self.pending.into_iter().take(std::mem::take(&mut self.waiting)) {
            self.enter(key, bit);
        }
    }

    fn enter(&mut self, key: u64, bit: u64) {
        let slot = self.slot_of(key);
        let entry = &mut self.slots[slot];
        if entry.1 & bit != 0 {
            return;
        }
        self.pairs += 1;
        let fresh = entry.0 == 0;
        *entry = (key, entry.1 | bit);
        if fresh {
            self.used += 1;
            if self.used * 4 > self.slots.len() * 3 {
                self.grow();
            }
        }
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        mix(key) as usize & (self.slots.len() - 1)
    }

    /// Where `key` is, or would be: linear probing, at most three quarters full.
    fn slot_of(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(key);
        while self.slots[slot].0 != 0 && self.slots[slot].0 != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); self.slots.len() * 2];
        for entry in std::mem::replace(&mut self.slots, larger) {
            if entry.0 != 0 {
                let slot = self.slot_of(entry.0);
                self.slots[slot] = entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::Rng;

    #[test]
    fn pairs_are_counted_once_in_either_order() {
        let mut channels = Channels::new();
        for (a, b) in
            [(0, 1), (1, 0), (0, 0), (5, 5), (0, 64), (64, 0), (0, 63), (u32::MAX, 0), (u32::MAX, 7)]
        {
            channels.insert(NodeId(a), NodeId(b));
        }
        assert_eq!(channels.len(), 5);
    }

    #[test]
    fn a_full_mesh_has_n_times_n_minus_one_half() {
        let mut channels = Channels::new();
        for a in 0..400 {
            (0..400).for_each(|b| channels.insert(NodeId(a), NodeId(b)));
        }
        channels.settle();
        assert_eq!(channels.len(), 400 * 399 / 2);
    }

    #[test]
    fn it_agrees_with_an_ordered_set_while_it_grows() {
        let (mut channels, mut set, mut rng) = (Channels::new(), BTreeSet::new(), Rng::from_state(7));
        for step in 0..30_000 {
            let (a, b) = (rng.below(100_000), rng.below(if step % 2 == 0 { 200 } else { 100_000 }));
            channels.insert(NodeId(a), NodeId(b));
            if a != b {
                set.insert((a.min(b), a.max(b)));
            }
            if step % 5_000 == 0 {
                assert_eq!(channels.len(), set.len() as u64);
            }
        }
        channels.settle();
        assert_eq!(channels.len(), set.len() as u64);
    }
}
