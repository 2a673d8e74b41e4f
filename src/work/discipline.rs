//! In which order a station serves what waits for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which order a station serves what waits for it. Priorities are whole numbers, higher before lower.
///
/// Whatever the discipline, an agent's cognition takes messages and thoughts before executions, at the end
/// of a turn; the discipline orders each of the two among themselves. Under `preemptive` executions give way
/// to them at once, under `sharing` nothing waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    /// First come, first served.
    #[default]
    Fifo,
    /// Last come, first served; what is being served is not interrupted.
    Lifo,
    /// Highest priority first, first come first served within one; what is being served is not
    /// interrupted (head of the line: Cobham, Operations Research 2, 1954).
    Priority,
    /// The same, but what is being served gives way to what has a higher priority, and goes on later
    /// with what is left of it (preemptive resume).
    Preemptive,
    /// Everything present is served at once, n jobs at servers ÷ n each and none faster than one server
    /// serves (egalitarian processor sharing: Kleinrock, J. ACM 14(2), 1967).
    Sharing,
}
