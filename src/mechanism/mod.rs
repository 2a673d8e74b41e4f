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
//! | [`heartbeat`] | suspecting the silent, after a timeout |
//! | [`freshness`] | suspecting the late, with known quality of service (Chen's NFD-S) |
//! | [`accrual`] | how suspicious a silence is (φ) |
//! | [`backoff`] | retrying without synchronising |
//! | [`delivery`] | at-least-once delivery and telling duplicates |
//! | [`optimistic`] | committing only what nobody changed meanwhile |
//! | [`clock`] | what happened before what: Lamport, vector and dotted clocks |
//! | [`checkpoint`] | how often to save |
//! | [`hash`] | splitting tasks among nodes without talking |
//! | [`turns`] | who is next, fairly, when members come and go |
//! | [`lines`] | tasks that wait, oldest first, by skill |
//! | [`assignments`] | open tasks, and who has which |
//! | [`table`] | a map from ids, without an order |
//! | [`id_set`] | a compact set of task ids that only grows |
//! | [`deadlines`] | what is due first, where waits are equally long |
//! | [`ranks`] | a sorted set of dense numbers |
//! | [`places`] | numbering a share of the nodes |

pub mod accrual;
pub mod assignments;
pub mod backoff;
mod chain;
pub mod checkpoint;
pub mod clock;
pub mod contract_net;
pub mod deadlines;
pub mod delivery;
pub mod freshness;
pub mod hash;
pub mod heartbeat;
pub mod id_set;
pub mod lines;
pub mod optimistic;
pub mod peers;
pub mod pick;
pub mod places;
pub mod ranks;
pub mod table;
pub mod turns;

pub use accrual::Accrual;
pub use assignments::Assignments;
pub use backoff::{Backoff, Window};
pub use contract_net::{Bid, BidTerms, Losers, Negotiation, Step};
pub use deadlines::Deadlines;
pub use freshness::Freshness;
pub use hash::Ring;
pub use heartbeat::Heartbeats;
pub use id_set::IdSet;
pub use lines::Lines;
pub use peers::{PeerCache, PeerConfig};
pub use pick::{Policy, Workers};
pub use places::Places;
pub use ranks::Ranks;
pub use table::{Slot, Table};
pub use turns::Turns;
