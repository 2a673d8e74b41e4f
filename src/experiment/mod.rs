//! Experiments: many runs on identical tasks and faults, and what may be concluded from them.
//!
//! Replication k of every pattern shares tasks, agents, fault plan and site latencies (model.md §5), so
//! differences are paired. Runs are spread over threads and collected by (pattern, replication): the
//! numbers do not depend on how many threads there were. What a file expects of them is judged in [`judge`];
//! [`validate`] does that for many files at once. Nothing here prints.

mod compare;
pub mod judge;
mod paired;
mod pool;
mod result;
mod sequential;
mod setups;
pub mod validate;
mod verify;

pub use compare::{CompareOptions, compare, judge_one, run_one};
pub use paired::{PRIMARY, PairedRow, REFERENCE, Scale, Verdict};
pub use pool::Progress;
pub use result::{Comparison, PatternResult, Run};
pub use verify::{Address, Mismatch, Parting, Seen, Verification, VerifyOptions, verify};
