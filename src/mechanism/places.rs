//! Numbering a share of the nodes: those at regular distances, without a table.
//!
//! Tables indexed by node id are the fastest there are, and fine as long as one node watches everybody.
//! With a thousand coordinators each of them would take memory for all nodes, a thousand times over. Teams
//! are therefore taken in steps (agent i belongs to coordinator i mod k), and a table is indexed by the
//! place in the team, which follows from the id. Order is kept: who has the lower id has the lower place.

use crate::trace::NodeId;

/// The nodes `first`, `first + step`, `first + 2·step`, …; by default all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    first: u32,
    step: u32,
}

impl Default for Places {
    fn default() -> Places {
        Places { first: 0, step: 1 }
    }
}

impl Places {
    /// Every `step`th node from `first` on. Panics if `step` is 0.
    pub fn new(first: NodeId, step: u32) -> Places {
        assert!(step > 0, "places are apart");
        Places { first: first.0, step }
    }

    /// The place of `node`, which must be one of them.
    pub fn of(self, node: NodeId) -> u32 {
        let distance = node.0 - self.first;
        if self.step == 1 {
            return distance;
        }
        debug_assert_eq!(distance % self.step, 0, "{node:?} is not among {self:?}");
        distance / self.step
    }

    /// [`Places::of`] of a node that may not be among them, and then has a place of no meaning.
    pub(super) fn guess(self, node: NodeId) -> u32 {
        let distance = node.0.wrapping_sub(self.first);
        if self.step == 1 { distance } else { distance / self.step }
    }

    /// Who is at `place`.
    pub fn node(self, place: u32) -> NodeId {
        NodeId(self.first + place * self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_dense_and_keep_the_order() {
        let places = Places::new(NodeId(7), 3);
        assert_eq!([7, 10, 13].map(|id| places.of(NodeId(id))), [0, 1, 2]);
        assert!((0..50).all(|place| places.of(places.node(place)) == place));
        assert_eq!(Places::default().of(NodeId(9)), 9);
    }
}
