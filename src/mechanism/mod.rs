//! Parts of protocols: pure state machines that a pattern composes.
//!
//! Every type here is told the time and handed its random stream; none sends, waits, measures or knows
//! which pattern uses it. That keeps each one testable against its published law without a simulated
//! world, and lets two patterns share a mechanism so that a comparison between them is about the
//! protocols, not about two implementations of a worker table.
//!
//! | file | mechanism |
//! |---|---|
//! | [`contract_net`] | call for bids, bids, award (Smith 1980; FIPA SC00029H) |
//! | [`peers`] | a cached, ageing list of peers |
//! | [`pick`] | which worker gets the next task: round robin, random, least loaded, power of d |
//! | [`heartbeat`] | suspecting the silent |
//! | [`backoff`] | retrying without synchronising |
//! | [`hash`] | splitting tasks among nodes without talking |
//! | [`turns`] | who is next, fairly, when members come and go |

pub mod backoff;
mod chain;
pub mod contract_net;
pub mod hash;
pub mod heartbeat;
pub mod peers;
pub mod pick;
pub mod turns;

pub use backoff::Backoff;
pub use contract_net::{Bid, BidTerms, Losers, Negotiation, Step};
pub use hash::Ring;
pub use heartbeat::Heartbeats;
pub use peers::{PeerCache, PeerConfig};
pub use pick::{Policy, Workers};
pub use turns::Turns;
