//! Experiments: many runs on identical tasks and faults, and what may be concluded from them.
//!
//! Replication k of every pattern shares tasks, agents, fault plan and site latencies (model.md §5), so
//! differences are paired. Runs are spread over threads and collected by (pattern, replication): the
//! numbers do not depend on how many threads there were. Nothing here prints.

mod compare;
mod paired;
mod result;
mod verify;

pub use compare::{CompareOptions, Progress, compare, run_one};
pub use paired::{PRIMARY, PairedRow, REFERENCE, Scale, Verdict};
pub use result::{Comparison, PatternResult, Run};
pub use verify::{Address, Mismatch, Parting, Seen, Verification, VerifyOptions, verify};
