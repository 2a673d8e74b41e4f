//! Faults as plain data: who, what, from when until when.
//!
//! A [`FaultPlan`] is drawn before the run from its own stream, saved as `faults.json`, and is the same
//! for every pattern of a replication. [`FaultSpec`] is the table `[faults]` it is drawn from. This
//! module must not know how a fault acts: `sim` applies it.

mod churn;
mod draw;
mod file;
mod plan;
mod residual;
mod spec;
mod standby;
mod target;

pub use draw::{Scope, draw};
pub use plan::{Entry, FaultKind, FaultPlan, Group, Origin, Target};
pub use residual::Residual;
pub use spec::{
    Churn, ChurnStart, Crash, FaultSpec, Outage, Partition, Pause, Slow, Stall, Standby, When, WrongOutput,
};
pub use target::TargetSpec;
