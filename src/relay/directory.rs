//! A directory of who is there: register, age, look up.
//!
//! Entries are kept alive by registering again and vanish `ttl` after the last time; until then the
//! directory returns nodes that may have left. That staleness is the point of modelling it.
//!
//! Lookups rotate: the node returned longest ago comes first, so that popular answers do not turn the
//! nodes with low ids into hot spots. With `choices` > 1 each place in the answer goes to the least
//! loaded of that many in line, by the load they last reported (which is as stale as they are).

use crate::engine::{Span, Time};
use crate::mechanism::{Slot, Table, Turns};
use crate::trace::{NodeId, SkillId};

#[derive(Clone, Copy, Debug, Default)]
struct Listing {
    seen: Time,
    load: u16,
}

/// Who registered, by skill class. Memory is for those who ever did.
#[derive(Clone, Debug)]
pub struct Directory {
    ttl: Option<Span>,
    choices: u8,
    /// Never removed; means something only while the node is in `turns`.
    listings: Table<NodeId, Listing>,
    /// Here a node goes by the slot of its listing, so that a directory of a few nodes is as short as that.
    turns: Turns,
    /// Scratch space of lookups: (load, place in line, node, slot).
    looked_at: Vec<(u16, u32, NodeId, NodeId)>,
    /// Scratch space of lookups: slots of entries met that are too old.
    aged: Vec<NodeId>,
}

impl Directory {
    /// Nobody listed. Entries live for `ttl` (for ever if `None`); each place in an answer goes to the
    /// least loaded of `choices` in line (0 counts as 1).
    pub fn new(ttl: Option<Span>, choices: u8) -> Directory {
        let (looked_at, aged) = (Vec::new(), Vec::new());
        Directory { ttl, choices, listings: Table::default(), turns: Turns::new(), looked_at, aged }
    }

    /// Lists `node`, or keeps it listed.
    pub fn register(&mut self, now: Time, node: NodeId, skill: Option<SkillId>, load: u16) {
        let (slot, _) = self.listings.find_or_insert_with(node, Listing::default);
        self.listings[slot] = Listing { seen: now, load };
        self.turns.join(NodeId(slot.number()), skill);
    }

    /// Takes `node` off the list. Says whether it was on it.
    pub fn deregister(&mut self, node: NodeId) -> bool {
        self.listings.find(node).is_some_and(|slot| self.turns.leave(NodeId(slot.number())))
    }

    /// Appends to `found` up to `k` distinct listed nodes with `skill` (any, if `None`), without `asker`.
    /// O(k · choices) plus the aged entries met, which are dropped for good.
    pub fn lookup(
        &mut self,
        now: Time,
        asker: NodeId,
        skill: Option<SkillId>,
        k: u8,
        found: &mut Vec<NodeId>,
    ) {
        let wanted = usize::from(k) * usize::from(self.choices.max(1));
        self.looked_at.clear();
        self.aged.clear();
        for (place, turn) in self.turns.iter(skill).enumerate() {
            if self.looked_at.len() == wanted {
                break;
            }
            let slot = Slot::numbered(turn.0);
            let (node, listing) = (self.listings.key(slot), self.listings[slot]);
            if self.ttl.is_some_and(|ttl| now.saturating_since(listing.seen) >= ttl) {
                self.aged.push(turn);
            } else if node != asker {
                self.looked_at.push((listing.load, place as u32, node, turn));
            }
        }
        // The asker keeps its place: asking must not make it harder to find.
        for &turn in &self.aged {
            self.turns.leave(turn);
        }
        for &(.., turn) in &self.looked_at {
            self.turns.serve(turn);
        }
        if self.choices > 1 {
            self.looked_at.sort_unstable();
        }
        found.extend(self.looked_at.iter().take(usize::from(k)).map(|&(_, _, node, _)| node));
    }

    /// How many nodes are listed with `skill`, the aged not yet dropped included.
    pub fn len(&self, skill: Option<SkillId>) -> u32 {
        self.turns.len(skill)
    }

    /// Whether nobody is listed with `skill`.
    pub fn is_empty(&self, skill: Option<SkillId>) -> bool {
        self.len(skill) == 0
    }

    /// Loses everything.
    pub fn wipe(&mut self) {
        *self = Directory::new(self.ttl, self.choices);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    fn lookup(directory: &mut Directory, now: u64, asker: u32, skill: Option<SkillId>, k: u8) -> Vec<u32> {
        let mut found = Vec::new();
        directory.lookup(Time::from_secs(now), NodeId(asker), skill, k, &mut found);
        found.into_iter().map(|node| node.0).collect()
    }

    fn listed(ttl: Option<Span>, choices: u8, loads: &[u16]) -> Directory {
        let mut directory = Directory::new(ttl, choices);
        for (id, &load) in loads.iter().enumerate() {
            directory.register(
                Time::from_secs(id as u64),
                NodeId(id as u32),
                Some(SkillId((id % 2) as u8)),
                load,
            );
        }
        directory
    }

    #[test]
    fn lookups_rotate_and_leave_out_the_asker() {
        let mut directory = listed(None, 1, &[0; 6]);
        assert_eq!(lookup(&mut directory, 9, 1, None, 3), [0, 2, 3]);
        assert_eq!(lookup(&mut directory, 9, 99, None, 3), [1, 4, 5], "the asker of before kept its turn");
        assert_eq!(lookup(&mut directory, 9, 0, skilled(0), 9), [2, 4]);
        assert!(lookup(&mut directory, 9, 0, skilled(5), 9).is_empty());
        assert!(directory.deregister(NodeId(2)) && !directory.deregister(NodeId(2)));
        assert_eq!(lookup(&mut directory, 9, 99, skilled(0), 9), [0, 4]);
    }

    #[test]
    fn entries_age_out_and_are_stale_until_then() {
        let mut directory = listed(Some(Span::from_secs(10)), 1, &[0; 4]); // node i seen at i s
        assert_eq!(lookup(&mut directory, 11, 99, None, 9), [2, 3]);
        assert_eq!(directory.len(None), 2);
        directory.register(Time::from_secs(12), NodeId(2), skilled(0), 0);
        assert_eq!(lookup(&mut directory, 13, 99, None, 9), [2]);
        assert!(lookup(&mut directory, 22, 99, None, 9).is_empty());
        assert!(directory.is_empty(None));
    }

    #[test]
    fn with_choices_the_least_loaded_in_line_are_returned() {
        let mut directory = listed(None, 2, &[5, 1, 4, 2, 0, 0]);
        assert_eq!(lookup(&mut directory, 9, 99, None, 2), [1, 3], "the best two of the first four");
        assert_eq!(lookup(&mut directory, 9, 99, None, 9), [4, 5, 1, 3, 2, 0], "distinct, even all at once");
    }
}
