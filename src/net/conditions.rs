//! Which nodes can reach each other right now. Sparse: a healthy network holds nothing.

use crate::trace::NodeId;

/// One partition in force.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Whose it is, for healing.
    pub owner: u32,
    /// Side of each node, by number; 0 is the rest.
    pub side: Vec<u8>,
    /// Only messages from a side other than 0 to another side are lost.
    pub one_way: bool,
}

impl Cut {
    fn blocks(&self, from: NodeId, to: NodeId) -> bool {
        let (from, to) = (self.side[from.index()], self.side[to.index()]);
        from != to && (!self.one_way || from != 0)
    }
}

/// The partitions in force.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    cuts: Vec<Cut>,
}

impl Conditions {
    /// Puts `cut` in force.
    pub fn cut(&mut self, cut: Cut) {
        self.cuts.push(cut);
    }
    /// Ends the partition of `owner`.
    pub fn heal(&mut self, owner: u32) {
        self.cuts.retain(|cut| cut.owner != owner);
    }
    /// Whether a message from `from` can reach `to`.
    pub fn reachable(&self, from: NodeId, to: NodeId) -> bool {
        !self.cuts.iter().any(|cut| cut.blocks(from, to))
    }
    /// Whether both directions work.
    pub fn connected(&self, one: NodeId, other: NodeId) -> bool {
        self.cuts.is_empty() || (self.reachable(one, other) && self.reachable(other, one))
    }
    /// Whether no partition is in force.
    pub fn whole(&self) -> bool {
        self.cuts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_blocks_across_sides_until_it_heals_and_a_one_way_cut_blocks_one_way() {
        let (a, b) = (NodeId(0), NodeId(1));
        let mut conditions = Conditions::default();
        conditions.cut(Cut { owner: 1, side: vec![1, 0], one_way: true });
        assert!(!conditions.reachable(a, b) && conditions.reachable(b, a) && !conditions.connected(a, b));
        conditions.cut(Cut { owner: 2, side: vec![1, 0], one_way: false });
        assert!(!conditions.reachable(b, a));
        conditions.heal(2);
        conditions.heal(1);
        assert!(conditions.whole() && conditions.connected(a, b));
    }
}
