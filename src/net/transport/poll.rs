//! Letters to an agent wait in a mailbox at its relay until it asks.
//!
//! The polling tax: an idle agent still asks every interval, each poll costs its harness and the relay a
//! handling, and a letter waits half an interval on average. Polls of different agents are spread evenly
//! over the interval, by agent number, as clients with a random phase would be.

use super::{Route, Transport};
use crate::engine::{Span, Time};
use crate::trace::{LetterId, NodeId};
use crate::work::{Fleet, Role};

/// Mailboxes and the polling interval.
#[derive(Clone, Debug)]
pub struct Poll {
    interval: Span,
    mailboxes: Vec<Vec<LetterId>>,
}

impl Poll {
    /// Empty mailboxes for every node of `fleet`.
    pub fn new(interval: Span, fleet: &Fleet) -> Poll {
        Poll { interval, mailboxes: vec![Vec::new(); fleet.len()] }
    }

    fn relay(to: NodeId, fleet: &Fleet) -> NodeId {
        fleet.relay(fleet.index_in_role(to) % fleet.relays())
    }
}

impl Transport for Poll {
    fn route(&self, to: NodeId, fleet: &Fleet) -> Route {
        match fleet.role(to) {
            Role::Agent => Route::Mailbox { relay: Poll::relay(to, fleet) },
            Role::Relay | Role::Client => Route::Direct,
        }
    }
    fn poll(&self, node: NodeId, fleet: &Fleet) -> Option<(Time, Span)> {
        if fleet.role(node) != Role::Agent {
            return None;
        }
        // A golden-ratio sequence: evenly spread for any number of agents, and agent i's phase does not
        // depend on how many others there are.
        let turn = u64::from(fleet.index_in_role(node)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let phase = (u128::from(turn) * u128::from(self.interval.as_nanos())) >> 64;
        Some((Time::from_nanos(phase as u64), self.interval))
    }
    fn park(&mut self, to: NodeId, letter: LetterId) {
        self.mailboxes[to.index()].push(letter);
    }
    fn collect(&mut self, to: NodeId, into: &mut Vec<LetterId>) {
        into.append(&mut self.mailboxes[to.index()]);
    }
    fn waiting(&self) -> usize {
        self.mailboxes.iter().map(Vec::len).sum()
    }
}
