//! What is asked and who there is to do it: [`Tasks`] with their dependencies, and the [`Fleet`].
//!
//! Both are drawn before a run and shared, unchanged, by every pattern of a replication. Nothing here
//! knows messages, faults or patterns; a task's true work is readable only inside the crate, so that a
//! pattern outside it cannot peek.

mod discipline;
mod fleet;
pub(crate) mod forms;
mod number;
pub mod source;
mod tasks;

pub use discipline::Discipline;
pub use fleet::{AgentProfile, Fleet, FleetSpec, Role};
pub use forms::Shares;
pub use number::NumberDist;
pub use tasks::{DagError, Release, TaskCard, TaskList, TaskSpec, Tasks};
