//! Moves envelopes and never opens them: places and their distances, conditions, transports.
//!
//! Nothing is stored per pair of nodes, so a million agents cost a million entries, not 10¹². The module
//! must not know messages, patterns or faults: a partition is a list of sides, whoever asked for it.

mod conditions;
mod sites;
pub mod transport;

pub use conditions::{Conditions, Cut};
pub use sites::Sites;
pub use transport::{Order, Route, Transport, TransportKind};
