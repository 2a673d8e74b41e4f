//! How a letter gets from one node to another, below the patterns.
//!
//! A [`Transport`] says which way a letter goes; `sim` carries it out, because going somewhere costs
//! attention there. Sessions and mailboxes live here and nowhere else, and the wire messages a transport
//! adds (polls, replies) are counted apart from logical ones.
//!
//! | transport | a letter to an agent |
//! |---|---|
//! | `direct` | arrives after the latency |
//! | `poll` | waits at the relay of the agent until the agent asks for its letters |
//!
//! `push`, `queue` and `dual` fit the same trait: a route is either an arrival or a wait at a relay.

mod direct;
mod order;
mod poll;

use serde::{Deserialize, Serialize};

pub use direct::Direct;
pub use order::{Order, Overtaking};
pub use poll::Poll;

use crate::engine::{Span, Time};
use crate::trace::{LetterId, NodeId};
use crate::work::Fleet;

/// Which way a letter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Straight to the receiver.
    Direct,
    /// To the mailbox the receiver keeps at this relay.
    Mailbox {
        /// Where the mailbox is.
        relay: NodeId,
    },
}

/// The behaviour of a transport. Pure: latency, faults and costs are applied by `sim`.
pub trait Transport: std::fmt::Debug {
    /// Which way a letter to `to` goes.
    fn route(&self, to: NodeId, fleet: &Fleet) -> Route;
    /// How often `node` asks for its letters, and when for the first time; `None` if it need not.
    fn poll(&self, node: NodeId, fleet: &Fleet) -> Option<(Time, Span)>;
    /// A letter reached the mailbox of `to`.
    fn park(&mut self, to: NodeId, letter: LetterId);
    /// Takes all letters waiting for `to`, oldest first, into `into`.
    fn collect(&mut self, to: NodeId, into: &mut Vec<LetterId>);
    /// How many letters wait in mailboxes.
    fn waiting(&self) -> usize;
    /// Bytes of a wire message.
    fn wire_bytes(&self) -> u32 {
        64
    }
}

/// A transport as named in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TransportKind {
    /// A letter arrives after the latency.
    #[default]
    Direct,
    /// Agents ask their relay for letters.
    Poll {
        /// Time between two polls of an agent.
        interval: Span,
    },
}

impl TransportKind {
    /// The transport itself, for a fleet.
    pub fn build(self, fleet: &Fleet) -> Box<dyn Transport + Send> {
        match self {
            TransportKind::Direct => Box::new(Direct),
            TransportKind::Poll { interval } => Box::new(Poll::new(interval, fleet)),
        }
    }
}
