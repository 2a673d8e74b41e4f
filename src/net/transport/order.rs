//! Whether letters of one pair may overtake each other.
//!
//! Keeping order needs the latest arrival of each pair with a letter under way, not of each pair that
//! exists: entries of letters that have arrived are forgotten. One table serves all senders, so that a node
//! that sends nothing costs nothing.

use serde::{Deserialize, Serialize};

use crate::engine::{Time, mix};
use crate::trace::NodeId;

/// What links do to order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// A letter never overtakes an earlier one of the same pair (a TCP connection).
    #[default]
    Fifo,
    /// Each letter takes its own time; overtaking is counted.
    Reorder,
}

/// The latest arrival under way from each sender to each receiver.
///
/// An open-addressing table with linear probing. It is never walked to produce anything, so that the order
/// of its slots cannot reach a result.
#[derive(Clone, Debug)]
pub struct Overtaking {
    /// At most half of them taken; the length is a power of two.
    slots: Vec<Slot>,
    taken: usize,
    /// The room of the slots before the last clean-up, used again for the next.
    spare: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    pair: u64,
    latest: Time,
}

/// No pair: nobody sends to itself over a link.
const FREE: Slot = Slot { pair: u64::MAX, latest: Time::ZERO };

/// Slots of a table that knows nothing.
const SMALLEST: usize = 16;
/// The largest table that is kept for the next time: a larger one is made anew after as many letters again.
const LARGEST_SPARE: usize = 1 << 16;

impl Default for Overtaking {
    fn default() -> Overtaking {
        Overtaking { slots: vec![FREE; SMALLEST], taken: 0, spare: Vec::new() }
    }
}

impl Overtaking {
    /// Arrival time of a letter sent now by `from` to `to` that would arrive at `arrives`, and whether it
    /// overtakes.
    #[inline]
    pub fn admit(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        arrives: Time,
        order: Order,
    ) -> (Time, bool) {
        if self.taken * 2 >= self.slots.len() {
            self.forget(now);
        }
        let pair = (u64::from(from.0) << 32) | u64::from(to.0);
        let place = self.place(pair);
        let slot = &mut self.slots[place];
        if slot.pair != pair {
            *slot = Slot { pair, latest: arrives };
            self.taken += 1;
            return (arrives, false);
        }
        let overtakes = arrives < slot.latest;
        slot.latest = arrives.max(slot.latest);
        match order {
            Order::Fifo => (slot.latest, false),
            Order::Reorder => (arrives, overtakes),
        }
    }

    /// Where `pair` is, or would be.
    #[inline]
    fn place(&self, pair: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = mix(pair) as usize & mask;
        while self.slots[place].pair != pair && self.slots[place].pair != FREE.pair {
            place = (place + 1) & mask;
        }
        place
    }

    /// Forgets the pairs whose letters have arrived; afterwards a quarter of the slots is taken at most.
    fn forget(&mut self, now: Time) {
        let live = self.slots.iter().filter(|slot| slot.latest > now).count();
        let length = (live * 4).next_power_of_two().max(SMALLEST);
        self.spare.clear();
        self.spare.resize(length, FREE);
        std::mem::swap(&mut self.slots, &mut self.spare);
        for index in 0..self.spare.len() {
            let slot = self.spare[index];
            if slot.latest > now {
                let place = self.place(slot.pair);
                self.slots[place] = slot;
            }
        }
        self.taken = live;
        if self.spare.len() > LARGEST_SPARE {
            self.spare = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifo_delays_the_faster_letter_and_reorder_counts_it() {
        let (now, pair) = (Time::ZERO, (NodeId(7), NodeId(3)));
        let mut links = Overtaking::default();
        assert_eq!(links.admit(now, pair, Time::from_secs(5), Order::Fifo), (Time::from_secs(5), false));
        assert_eq!(links.admit(now, pair, Time::from_secs(2), Order::Fifo), (Time::from_secs(5), false));
        assert_eq!(links.admit(now, pair, Time::from_secs(2), Order::Reorder), (Time::from_secs(2), true));
        for other in [(NodeId(7), NodeId(4)), (NodeId(3), NodeId(7))] {
            assert!(!links.admit(now, other, Time::from_secs(2), Order::Reorder).1);
        }
    }

    #[test]
    fn only_letters_under_way_are_remembered() {
        let mut links = Overtaking::default();
        for second in 0..10_000 {
            let (now, pair) = (Time::from_secs(second), (NodeId(second as u32), NodeId(0)));
            links.admit(now, pair, Time::from_secs(second + 1), Order::Fifo);
        }
        assert!(links.slots.len() <= SMALLEST, "{} slots", links.slots.len());
    }

    /// Against the definition, with pairs that come and go and a table that grows and shrinks.
    #[test]
    fn it_agrees_with_a_map_of_all_pairs() {
        let mut rng = crate::engine::Rng::from_state(5);
        let (mut links, mut latest) = (Overtaking::default(), std::collections::BTreeMap::new());
        for step in 0..20_000_u64 {
            let now = Time::from_nanos(step * 10);
            let reach = if step % 4_000 < 2_000 { 5_000 } else { 100 };
            let pair = (NodeId(rng.below(30)), NodeId(rng.below(60)));
            let arrives = Time::from_nanos(now.as_nanos() + u64::from(rng.below(reach)));
            let order = if step % 2 == 0 { Order::Fifo } else { Order::Reorder };
            let before = latest.get(&pair).copied().unwrap_or(Time::ZERO);
            let expected = match order {
                Order::Fifo => (arrives.max(before), false),
                Order::Reorder => (arrives, arrives < before),
            };
            assert_eq!(links.admit(now, pair, arrives, order), expected, "step {step}");
            latest.insert(pair, arrives.max(before));
        }
    }
}
