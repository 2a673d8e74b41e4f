//! Logical clocks: what happened before what, and what it costs to say so.
//!
//! A Lamport clock (CACM 21(7), 1978) orders causes before effects in eight bytes, but cannot tell that
//! two events are concurrent. A vector clock (Fidge 1988, Mattern 1989) can, for one entry per node that
//! ever wrote; no smaller one can (Charron-Bost, IPL 39(1), 1991). A dotted version vector (Preguiça et
//! al., PODC 2012) adds the one event itself, so that a server can keep siblings of many clients apart.

use std::collections::BTreeMap;

use crate::trace::NodeId;

/// Bytes of a counter on the wire.
pub const COUNTER_BYTES: u64 = 8;
/// Bytes of a node's id with its counter on the wire.
pub const ENTRY_BYTES: u64 = 8 + COUNTER_BYTES;

/// A Lamport clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lamport(u64);

impl Lamport {
    /// Something happens here: the time it happens at.
    pub fn tick(&mut self) -> Lamport {
        self.0 += 1;
        *self
    }
    /// A message of time `sent` comes in.
    pub fn receive(&mut self, sent: Lamport) {
        self.0 = self.0.max(sent.0) + 1;
    }
    /// Bytes on the wire.
    pub fn wire_bytes(self) -> u64 {
        COUNTER_BYTES
    }
}

/// How two events are related.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Causality {
    /// They are the same.
    Equal,
    /// The first happened before the second.
    Before,
    /// The first happened after the second.
    After,
    /// Neither knows of the other.
    Concurrent,
}

/// A vector clock: how many events of each node are known. Nodes without events have no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VectorClock(BTreeMap<NodeId, u64>);

impl VectorClock {
    /// Something happens at `node`.
    pub fn tick(&mut self, node: NodeId) {
        *self.0.entry(node).or_default() += 1;
    }
    /// How many events of `node` are known.
    pub fn events(&self, node: NodeId) -> u64 {
        self.0.get(&node).copied().unwrap_or_default()
    }
    /// Learns what `other` knows.
    pub fn merge(&mut self, other: &VectorClock) {
        for (&node, &events) in &other.0 {
            let known = self.0.entry(node).or_default();
            *known = events.max(*known);
        }
    }
    /// How this is related to `other`.
    pub fn compare(&self, other: &VectorClock) -> Causality {
        let covers = |one: &VectorClock, two: &VectorClock| {
            two.0.iter().all(|(&node, &events)| one.events(node) >= events)
        };
        match (covers(self, other), covers(other, self)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::After,
            (false, true) => Causality::Before,
            (false, false) => Causality::Concurrent,
        }
    }
    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.0.len() as u64 * ENTRY_BYTES
    }
}

/// One event, and all that was known when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DottedVersion {
    /// Where it happened, and as which event there.
    pub dot: (NodeId, u64),
    /// What was known before.
    pub context: VectorClock,
}

impl DottedVersion {
    /// The next event at `node`, by one who knows `context`; `seen` is all that `node` has seen.
    pub fn new(node: NodeId, seen: &VectorClock, context: VectorClock) -> DottedVersion {
        DottedVersion { dot: (node, seen.events(node) + 1), context }
    }
    /// Whether this was known to whoever made `other`, which thus replaces it.
    pub fn precedes(&self, other: &DottedVersion) -> bool {
        other.context.events(self.dot.0) >= self.dot.1
    }
    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.context.wire_bytes() + ENTRY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    #[test]
    fn a_vector_clock_tells_before_from_concurrent_and_a_lamport_clock_does_not() {
        let (mut at_a, mut at_b) = (VectorClock::default(), VectorClock::default());
        let (mut lamport_a, mut lamport_b) = (Lamport::default(), Lamport::default());
        at_a.tick(A);
        at_b.tick(B);
        assert_eq!(at_a.compare(&at_b), Causality::Concurrent);
        assert_eq!(lamport_a.tick(), lamport_b.tick());
        at_b.merge(&at_a);
        at_b.tick(B);
        lamport_b.receive(lamport_a);
        assert_eq!((at_a.compare(&at_b), at_b.compare(&at_a)), (Causality::Before, Causality::After));
        assert_eq!(at_a.compare(&at_a.clone()), Causality::Equal);
        assert!(lamport_a < lamport_b);
        assert_eq!((at_b.events(A), at_b.events(B), at_b.wire_bytes()), (1, 2, 32));
    }

    /// Two clients write through the same server without knowing of each other: siblings.
    #[test]
    fn a_dot_keeps_siblings_of_one_server_apart() {
        let mut seen = VectorClock::default();
        let first = DottedVersion::new(A, &seen, VectorClock::default());
        seen.tick(A);
        let sibling = DottedVersion::new(A, &seen, VectorClock::default());
        let heir = DottedVersion::new(A, &seen, seen.clone());
        assert!(!first.precedes(&sibling) && !sibling.precedes(&first) && first.precedes(&heir));
        assert_eq!(heir.wire_bytes(), 32);
    }
}
