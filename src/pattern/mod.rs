//! The patterns people choose between, one file each; every file opens by teaching its protocol.
//!
//! A pattern reacts to tasks, messages, timers and finished work, and emits commands; it must not know
//! the network, the faults, the metrics or the checks, and it counts nothing. To add one: write the file,
//! add its `mod` line and its entry in [`PATTERNS`].

pub mod event_driven;
pub mod hierarchical;
pub mod hybrid;
pub mod ideal;
pub mod independent;
pub mod peer_to_peer;
pub mod single;

mod homes;

#[cfg(test)]
mod disciplines;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

pub use event_driven::EventDriven;
pub use hierarchical::Hierarchical;
pub use hybrid::Hybrid;
pub use ideal::Ideal;
pub use independent::Independent;
pub use peer_to_peer::PeerToPeer;
pub use single::Single;

use crate::sim::PatternDef;

/// All patterns: the baselines first, then the four that people choose between.
pub const PATTERNS: &[PatternDef] = &[
    PatternDef::of::<Single>(),
    PatternDef::of::<Independent>(),
    PatternDef::of::<Ideal>(),
    PatternDef::of::<Hierarchical>(),
    PatternDef::of::<PeerToPeer>(),
    PatternDef::of::<EventDriven>(),
    PatternDef::of::<Hybrid>(),
];
