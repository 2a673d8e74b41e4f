//! Who receives broadcasts: subscribed, free, and able.
//!
//! A broadcast to everybody is a storm: with n agents, one event costs n messages, n handlings and n − 1
//! lost claims. A subscription therefore says what its owner can do and whether it is free, and only
//! free subscribers are kept in the line that broadcasts walk: one costs O(recipients), whatever the
//! size of the fleet. A cap on recipients takes those served longest ago, in turn.
//!
//! The relay believes what it was told: a subscriber that crashed is sent broadcasts until it returns.

use crate::mechanism::{Places, Turns};
use crate::trace::{NodeId, SkillId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subscription {
    Absent,
    Present { skill: Option<SkillId> },
}

/// The subscribers of one relay. Memory is for the places from the first to the last of them.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    places: Places,
    /// By place.
    table: Vec<Subscription>,
    free: Turns,
}

impl Subscriptions {
    /// Nobody yet, and nobody ever but who is among `places`. By default node ids must be dense.
    pub fn among(places: Places) -> Subscriptions {
        Subscriptions { places, table: Vec::new(), free: Turns::among(places) }
    }

    /// `node` subscribes, or says anew what it can do and whether it is free.
    pub fn subscribe(&mut self, node: NodeId, skill: Option<SkillId>, free: bool) {
        let place = self.places.of(node) as usize;
        if self.table.len() <= place {
            self.table.resize(place + 1, Subscription::Absent);
        }
        self.table[place] = Subscription::Present { skill };
        self.set_free(node, free);
    }

    /// `node` became free or busy. Says whether it is subscribed.
    pub fn set_free(&mut self, node: NodeId, free: bool) -> bool {
        match self.table.get(self.places.of(node) as usize) {
            Some(&Subscription::Present { skill }) => {
                if free {
                    self.free.join(node, skill);
                } else {
                    self.free.leave(node);
                }
                true
            }
            Some(Subscription::Absent) | None => false,
        }
    }

    /// `node` wants no more. Says whether it was subscribed.
    pub fn unsubscribe(&mut self, node: NodeId) -> bool {
        let was = self.set_free(node, false);
        if was {
            self.table[self.places.of(node) as usize] = Subscription::Absent;
        }
        was
    }

    /// The free subscribers that can do `skill` (everybody, if `None`), longest unserved first.
    pub fn subscribers(&self, skill: Option<SkillId>) -> impl Iterator<Item = NodeId> + '_ {
        self.free.iter(skill)
    }

    /// How many [`Subscriptions::subscribers`] would walk. O(1).
    pub fn free(&self, skill: Option<SkillId>) -> u32 {
        self.free.len(skill)
    }

    /// Calls `send` for the recipients of one broadcast: all that [`Subscriptions::subscribers`] names
    /// or, with a cap, the `at_most` of them whose turn it is.
    pub fn broadcast(&mut self, skill: Option<SkillId>, at_most: Option<u32>, mut send: impl FnMut(NodeId)) {
        // Serving all of them leaves the order as it is, so there is nothing to rotate.
        match at_most.filter(|&cap| cap < self.free.len(skill)) {
            None => self.free.iter(skill).for_each(send),
            Some(cap) => (0..cap).filter_map(|_| self.free.next(skill)).for_each(&mut send),
        }
    }

    /// Loses everything.
    pub fn wipe(&mut self) {
        *self = Subscriptions::among(self.places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    fn broadcast(
        subscriptions: &mut Subscriptions,
        skill: Option<SkillId>,
        at_most: Option<u32>,
    ) -> Vec<u32> {
        let mut sent = Vec::new();
        subscriptions.broadcast(skill, at_most, |node| sent.push(node.0));
        sent
    }

    #[test]
    fn only_the_free_and_able_are_reached() {
        let mut subscriptions = Subscriptions::default();
        for id in 0..6 {
            subscriptions.subscribe(NodeId(id), Some(SkillId((id % 2) as u8)), id != 3);
        }
        assert_eq!(broadcast(&mut subscriptions, skilled(1), None), [1, 5]);
        assert_eq!(broadcast(&mut subscriptions, None, None), [0, 1, 2, 4, 5]);
        assert!(subscriptions.set_free(NodeId(3), true) && subscriptions.set_free(NodeId(1), false));
        assert_eq!(broadcast(&mut subscriptions, skilled(1), None), [5, 3]);
        assert!(subscriptions.unsubscribe(NodeId(5)) && !subscriptions.unsubscribe(NodeId(5)));
        assert!(!subscriptions.set_free(NodeId(5), true) && !subscriptions.set_free(NodeId(77), true));
        subscriptions.subscribe(NodeId(0), skilled(1), true);
        assert_eq!(broadcast(&mut subscriptions, skilled(1), None), [3, 0]);
        assert_eq!(subscriptions.subscribers(skilled(1)).count(), subscriptions.free(skilled(1)) as usize);
        subscriptions.wipe();
        assert!(broadcast(&mut subscriptions, None, None).is_empty());
    }

    #[test]
    fn a_cap_serves_everybody_equally_often() {
        let mut subscriptions = Subscriptions::default();
        (0..10).for_each(|id| subscriptions.subscribe(NodeId(id), skilled(0), true));
        assert_eq!(broadcast(&mut subscriptions, skilled(0), Some(4)), [0, 1, 2, 3]);
        assert_eq!(broadcast(&mut subscriptions, None, Some(4)), [4, 5, 6, 7]);
        assert_eq!(broadcast(&mut subscriptions, skilled(0), Some(4)), [8, 9, 0, 1]);
        let mut counts = [0; 10];
        for _ in 0..100 {
            broadcast(&mut subscriptions, skilled(0), Some(3))
                .iter()
                .for_each(|&id| counts[id as usize] += 1);
        }
        assert_eq!(counts, [30; 10]);
        assert_eq!(broadcast(&mut subscriptions, None, Some(99)).len(), 10);
    }
}
