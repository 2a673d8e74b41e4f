//! What a folder of results says about how they came about.

use serde::Serialize;

/// The machine that ran it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Architecture.
    pub arch: String,
    /// Cores.
    pub cores: usize,
    /// Model of the processor, where known.
    pub cpu: Option<String>,
}

/// Everything about a command that is not in its results: they do not depend on it. Filled by `cli`, which
/// alone may read the clock and the environment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Manifest {
    /// Version of the program.
    pub version: String,
    /// Commit the program was built from, where known.
    pub parent_commit: Option<String>,
    /// The command line that makes the same numbers again.
    pub command: String,
    /// When it began, as RFC 3339 in UTC.
    pub started: String,
    /// How long it took \[s\].
    pub wall_time_s: f64,
    /// Threads used.
    pub threads: usize,
    /// Where it ran.
    pub machine: Machine,
    /// The scenario with every default visible.
    pub scenario: serde_json::Value,
    /// The presets it uses, with source, sample size and fit quality.
    pub presets: serde_json::Value,
}
