//! Splitting tasks among nodes without talking: everyone computes the same owner from the task's id.
//!
//! What matters is what happens when the set of nodes changes: `hash mod n` moves nearly every task,
//! these move only the tasks of the node that left (or those the newcomer gets, 1/n of them).
//!
//! | function | owner | cost | memory |
//! |---|---|--:|--:|
//! | [`rendezvous`] | highest random weight: argmax of hash(task, node) | O(n) | none |
//! | [`Ring`] | consistent hashing: the next point clockwise | O(log(n·points)) | 16 B a point |
//! | [`partition`] | jump hash: numbered partitions, changes at the end only | O(log n) | none |
//!
//! Sources, in this order: Thaler & Ravishankar, IEEE/ACM ToN 6(1), 1998; Karger et al., STOC 1997;
//! Lamping & Veach, arXiv 1406.2294 (2014).
//!
//! Balance: rendezvous and jump are as even as random throws. On a ring of n nodes the share of a node
//! is Beta(r, (n−1)·r) for r points, hence σ/μ ≈ 1/√r: one point a node is badly uneven.

use std::collections::BTreeMap;

use crate::engine::Rng;
use crate::trace::{NodeId, TaskId};

/// A well-mixed 64-bit hash of two words.
fn hash(left: u64, right: u64) -> u64 {
    Rng::from_state(Rng::from_state(left).next_u64() ^ right).next_u64()
}

/// The node of `nodes` with the highest weight for `task`, or `None` if there is no node. The order of
/// `nodes` does not matter; equal weights go to the lower id.
pub fn rendezvous(task: TaskId, nodes: impl IntoIterator<Item = NodeId>) -> Option<NodeId> {
    let weight = |node: NodeId| hash(u64::from(task.0), u64::from(node.0));
    nodes.into_iter().max_by_key(|&node| (weight(node), std::cmp::Reverse(node)))
}

/// Which of the partitions `0..count` holds `task`. Panics if `count` is 0.
///
/// With one partition more, each task stays or moves to the new one: the last jump of a task below
/// `count` is found by skipping, from one jump to the next, as far as a uniform draw says.
pub fn partition(task: TaskId, count: u32) -> u32 {
    assert!(count > 0, "a task needs a partition to go to");
    let mut rng = Rng::from_state(hash(u64::from(task.0), 0x7061_7274));
    let mut last = 0u32;
    loop {
        // After a jump to `last`, the next jump is to j or beyond with probability (last + 1) / j.
        let next = (f64::from(last) + 1.0) / rng.uniform();
        if next >= f64::from(count) {
            return last;
        }
        last = next as u32;
    }
}

/// A consistent-hash ring.
#[derive(Clone, Debug)]
pub struct Ring {
    points_per_node: u32,
    /// Sorted by position.
    points: Vec<(u64, NodeId)>,
}

impl Ring {
    /// A ring of `nodes` with `points_per_node` points each (100 gives shares within about ±25 %).
    /// Panics if `points_per_node` is 0.
    pub fn new(nodes: impl IntoIterator<Item = NodeId>, points_per_node: u32) -> Ring {
        assert!(points_per_node > 0, "a node without points owns nothing");
        let mut points: Vec<_> =
            nodes.into_iter().flat_map(|node| Ring::points_of(node, points_per_node)).collect();
        points.sort_unstable();
        points.dedup();
        Ring { points_per_node, points }
    }

    /// Adds `node`; it takes over about 1/n of the tasks. Nothing changes if it is there already.
    pub fn add(&mut self, node: NodeId) {
        self.points.extend(Ring::points_of(node, self.points_per_node));
        self.points.sort_unstable();
        self.points.dedup();
    }

    /// Removes `node`; its tasks go to the owners of the next points, all others stay.
    pub fn remove(&mut self, node: NodeId) {
        self.points.retain(|&(_, owner)| owner != node);
    }

    /// The node that owns `task`, or `None` if the ring is empty.
    pub fn owner(&self, task: TaskId) -> Option<NodeId> {
        let position = hash(u64::from(task.0), 0x7269_6e67);
        let at = self.points.partition_point(|&(point, _)| point < position);
        self.points.get(at).or_else(|| self.points.first()).map(|&(_, node)| node)
    }

    /// The part of all positions that each node owns, by node; they add up to 1.
    pub fn shares(&self) -> BTreeMap<NodeId, f64> {
        let mut shares = BTreeMap::new();
        let Some(&(mut before, only)) = self.points.last() else { return shares };
        if self.points.len() == 1 {
            return BTreeMap::from([(only, 1.0)]);
        }
        for &(point, node) in &self.points {
            let arc = point.wrapping_sub(before) as f64 / 18_446_744_073_709_551_616.0;
            *shares.entry(node).or_default() += arc;
            before = point;
        }
        shares
    }

    fn points_of(node: NodeId, points_per_node: u32) -> impl Iterator<Item = (u64, NodeId)> {
        (0..points_per_node).map(move |point| (hash(u64::from(node.0) << 32 | u64::from(point), 1), node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASKS: u32 = 20_000;

    fn shares(owners: impl Iterator<Item = u32>, nodes: usize) -> Vec<f64> {
        let mut counts = vec![0.0; nodes];
        owners.for_each(|owner| counts[owner as usize] += 1.0);
        counts
    }

    /// χ² of 10 equal cells; 27.9 is the 99.9 % point of 9 degrees of freedom.
    fn chi2(counts: &[f64]) -> f64 {
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        counts.iter().map(|count| (count - mean) * (count - mean) / mean).sum()
    }

    #[test]
    fn rendezvous_and_partitions_are_even() {
        let nodes = || (0..10).map(NodeId);
        let owners = (0..TASKS).map(|task| rendezvous(TaskId(task), nodes()).unwrap().0);
        assert!(chi2(&shares(owners, 10)) < 27.9);
        let owners = (0..TASKS).map(|task| partition(TaskId(task), 10));
        assert!(chi2(&shares(owners, 10)) < 27.9);
    }

    #[test]
    fn a_node_more_or_less_moves_only_its_own_tasks() {
        let without = |gone: u32| (0..11).map(NodeId).filter(move |node| node.0 != gone);
        let ring_all = Ring::new((0..11).map(NodeId), 50);
        let mut ring_less = ring_all.clone();
        ring_less.remove(NodeId(4));
        let mut moved = [0u32; 3];
        for task in (0..TASKS).map(TaskId) {
            let (all, less) = (rendezvous(task, (0..11).map(NodeId)), rendezvous(task, without(4)));
            assert!(all == less || all == Some(NodeId(4)));
            moved[0] += u32::from(all != less);
            let (all, less) = (ring_all.owner(task), ring_less.owner(task));
            assert!(all == less || all == Some(NodeId(4)));
            moved[1] += u32::from(all != less);
            let (less, all) = (partition(task, 10), partition(task, 11));
            assert!(all == less || all == 10);
            moved[2] += u32::from(all != less);
        }
        let fair = f64::from(TASKS) / 11.0;
        assert!((f64::from(moved[0]) - fair).abs() < 4.0 * libm::sqrt(fair), "{moved:?} of {fair}");
        assert!((f64::from(moved[2]) - fair).abs() < 4.0 * libm::sqrt(fair), "{moved:?} of {fair}");
        assert!((f64::from(moved[1]) / fair - 1.0).abs() < 0.6, "{moved:?} of {fair}");
        ring_less.add(NodeId(4));
        assert_eq!(ring_less.points, ring_all.points);
        ring_less.add(NodeId(4));
        assert_eq!(ring_less.points, ring_all.points, "adding twice is adding once");
    }

    #[test]
    fn nobody_owns_what_nobody_is_there_for() {
        assert_eq!(rendezvous(TaskId(1), []), None);
        assert_eq!(Ring::new([], 3).owner(TaskId(1)), None);
    }

    /// L-20 of the reference results: σ/μ of shares of 1000 owners with r points: .9990, .3161, .09995.
    /// Shares are arc lengths, measured exactly from the points.
    #[test]
    fn ring_shares_spread_as_the_beta_law_says() {
        for (points, expected, within) in [(1, 0.9990, 0.12), (10, 0.3161, 0.03), (100, 0.09995, 0.009)] {
            let ring = Ring::new((0..1000).map(NodeId), points);
            let share: Vec<f64> = ring.shares().into_values().collect();
            assert!((share.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let variance =
                share.iter().map(|s| (s * 1000.0 - 1.0) * (s * 1000.0 - 1.0)).sum::<f64>() / 1000.0;
            let spread = libm::sqrt(variance);
            assert!((spread - expected).abs() < within, "{points} points: {spread} instead of {expected}");
        }
    }
}
