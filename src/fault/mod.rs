//! Faults as plain data: who, what, from when until when.
//!
//! A [`FaultPlan`] is drawn before the run from its own stream, saved as `faults.json`, and is the same
//! for every pattern of a replication. This module must not know how a fault acts: `sim` applies it.

mod plan;

pub use plan::{Entry, FaultKind, FaultPlan, Group, Origin, Target};
