//! Whether letters of one pair may overtake each other.
//!
//! Keeping order needs the latest arrival of each pair with a letter under way, not of each pair that
//! exists: entries of letters that have arrived are forgotten.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Time;
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

/// The latest arrival under way from one sender to each receiver.
#[derive(Clone, Debug, Default)]
pub struct Overtaking {
    latest: BTreeMap<NodeId, Time>,
    prune_at: usize,
}

impl Overtaking {
    /// Arrival time of a letter sent now to `to` that would arrive at `arrives`, and whether it overtakes.
    pub fn admit(&mut self, now: Time, to: NodeId, arrives: Time, order: Order) -> (Time, bool) {
        if self.latest.len() >= self.prune_at {
            self.latest.retain(|_, arrival| *arrival > now);
            self.prune_at = 2 * self.latest.len() + 8;
        }
        let latest = self.latest.entry(to).or_insert(arrives);
        let overtakes = arrives < *latest;
        *latest = arrives.max(*latest);
        match order {
            Order::Fifo => (*latest, false),
            Order::Reorder => (arrives, overtakes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifo_delays_the_faster_letter_and_reorder_counts_it() {
        let (now, to) = (Time::ZERO, NodeId(3));
        let mut links = Overtaking::default();
        assert_eq!(links.admit(now, to, Time::from_secs(5), Order::Fifo), (Time::from_secs(5), false));
        assert_eq!(links.admit(now, to, Time::from_secs(2), Order::Fifo), (Time::from_secs(5), false));
        assert_eq!(links.admit(now, to, Time::from_secs(2), Order::Reorder), (Time::from_secs(2), true));
        assert!(!links.admit(now, NodeId(4), Time::from_secs(2), Order::Reorder).1);
    }

    #[test]
    fn only_letters_under_way_are_remembered() {
        let mut links = Overtaking::default();
        for second in 0..10_000 {
            let now = Time::from_secs(second);
            links.admit(now, NodeId(second as u32), Time::from_secs(second + 1), Order::Fifo);
        }
        assert!(links.latest.len() < 16, "{} pairs kept", links.latest.len());
    }
}
