//! Work 2, leader/worker, in groups side by side that share nothing.
//!
//! ```text
//! client ──submit──▶ coordinator ──assign──▶ worker ──result──▶ coordinator ──notify──▶ client
//! ```
//!
//! Tasks arrive at each group as a Poisson stream. The coordinator serves submits and results first come,
//! first served; a submit goes to the less loaded, by tasks outstanding, of two different random workers of
//! the group. Workers queue first come, first served. Every message travels on its own: they may overtake.

mod heap;
mod model;
mod nexosim_each;
mod nexosim_one;
mod simcore_each;
mod simcore_one;

use crate::measure::{LeaderWorker, Tally};

/// What is simulated; `scenarios/leader-worker.toml` says the same in anthill's words.
pub const WORKERS: u32 = 1_000;
pub const ARRIVALS_PER_S: f64 = 8_000.0;
pub const SERVICE_S: f64 = 50e-6;
pub const WORK_S: f64 = 0.1;
pub const LATENCY_S: f64 = 1e-3;

/// Contestants by name, each with its CPU time [s]; `race.py` takes the fastest variant of a peer.
pub const CONTESTANTS: &[(&str, fn(&LeaderWorker) -> (Tally, f64))] = &[
    ("heap", heap::run),
    ("simcore-one", simcore_one::run),
    ("simcore-each", simcore_each::run),
    ("nexosim-one", nexosim_one::run),
    ("nexosim-each", nexosim_each::run),
];
