//! Doubly linked lists threaded through dense ids: constant-time append and removal, no allocation per
//! operation.
//!
//! The links live in one vector indexed by id and the ends are kept apart, so that many disjoint lists
//! (one per skill class) share one vector. Whether an id is in a list is the owner's to know.

use crate::engine::prefetch_at;

/// The id that no node has: the end of a list.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

/// The links of every id; an id is in at most one list threaded through the same `Links`.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(Vec<Link>);

/// The two ends of one list, and its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    head: u32,
    tail: u32,
    len: u32,
}

impl Default for Ends {
    fn default() -> Ends {
        Ends { head: NONE, tail: NONE, len: 0 }
    }
}

impl Ends {
    /// The first id.
    pub(super) fn first(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }
    /// How many ids the list holds.
    pub(super) fn len(&self) -> u32 {
        self.len
    }
}

impl Links {
    /// Asks for the links of `id`.
    #[inline]
    pub(super) fn foresee(&self, id: u32) {
        prefetch_at(&self.0, id as usize);
    }

    /// Appends `id`, which must be in no list of these links.
    pub(super) fn push_back(&mut self, ends: &mut Ends, id: u32) {
        debug_assert_ne!(id, NONE, "the last u32 marks the end of a list");
        if self.0.len() <= id as usize {
            self.0.resize(id as usize + 1, Link { prev: NONE, next: NONE });
        }
        self.0[id as usize] = Link { prev: ends.tail, next: NONE };
        if ends.tail == NONE {
            ends.head = id;
        } else {
            self.0[ends.tail as usize].next = id;
        }
        ends.tail = id;
        ends.len += 1;
    }

    /// Takes `id` out of the list with these `ends`, which must contain it.
    pub(super) fn remove(&mut self, ends: &mut Ends, id: u32) {
        debug_assert!(ends.len > 0, "nothing can be removed from an empty list");
        let Link { prev, next } = self.0[id as usize];
        if prev == NONE {
            ends.head = next;
        } else {
            self.0[prev as usize].next = next;
        }
        if next == NONE {
            ends.tail = prev;
        } else {
            self.0[next as usize].prev = prev;
        }
        ends.len -= 1;
    }

    /// The list from its head on.
    pub(super) fn iter(&self, ends: Ends) -> impl Iterator<Item = u32> + '_ {
        let step = |id: u32| (id != NONE).then_some(id);
        std::iter::successors(step(ends.head), move |&id| step(self.0[id as usize].next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_share_links_and_stay_in_order() {
        let (mut links, mut odd, mut even) = (Links::default(), Ends::default(), Ends::default());
        for id in 0..10 {
            links.push_back(if id % 2 == 0 { &mut even } else { &mut odd }, id);
        }
        for id in [0, 4, 8] {
            links.remove(&mut even, id); // head, middle and tail
        }
        assert_eq!(links.iter(even).collect::<Vec<_>>(), [2, 6]);
        assert_eq!(links.iter(odd).collect::<Vec<_>>(), [1, 3, 5, 7, 9]);
        links.remove(&mut even, 2);
        links.remove(&mut even, 6);
        assert_eq!((even.first(), even.len(), odd.len()), (None, 0, 5));
        links.push_back(&mut even, 4);
        assert_eq!(links.iter(even).collect::<Vec<_>>(), [4]);
    }
}
