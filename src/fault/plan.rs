//! The plan: entries in order of time, each naming its target by role and position.

use serde::{Deserialize, Serialize};

use crate::engine::Time;

/// Where an entry comes from; decides how strictly "it fired" is demanded (model.md §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Asked for at a given time: must fire in every run.
    Scheduled,
    /// Drawn from a random law: the law must fire at least once in a comparison.
    Law,
}

/// Whom a fault strikes, by role and position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One agent.
    Agent(u32),
    /// Several agents at once.
    Agents(Vec<u32>),
    /// One relay.
    Relay(u32),
    /// Whoever decides: position `seat` among the pattern's seats of authority (modulo their number), or
    /// agent `otherwise` where the pattern has none.
    Authority {
        /// Position among the seats of authority.
        seat: u32,
        /// Agent struck where no seat decides.
        otherwise: u32,
    },
    /// Nobody in particular: the network.
    Network,
}

/// One side of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// Agents on this side.
    pub agents: Vec<u32>,
    /// Relays on this side.
    pub relays: Vec<u32>,
    /// Clients on this side.
    pub clients: Vec<u32>,
}

/// What happens to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Stops, loses volatile state and inbox; restarts when the entry ends.
    Crash,
    /// Leaves the fleet and returns when the entry ends; like a crash, told apart in the ledger.
    Leave,
    /// Freezes with its state.
    Pause,
    /// Speed is multiplied by `factor` (grey failure: below 1).
    Slow {
        /// New speed ÷ nominal speed.
        factor: f64,
    },
    /// Relay out of service.
    Outage,
    /// Relay out of service since its standby began to take over; counts as an outage.
    Takeover,
    /// Nodes of different groups exchange nothing; who is in no group belongs to the rest.
    Partition {
        /// The sides, the rest aside.
        groups: Vec<Group>,
        /// Only messages *from* the groups are lost.
        one_way: bool,
    },
    /// Outputs are wrong with this probability.
    WrongOutput {
        /// Probability that an output produced meanwhile is wrong.
        probability: f64,
    },
    /// The next execution hangs and the agent goes silent, until the entry ends.
    Stall,
}

impl FaultKind {
    /// Whether its target takes no part while it lasts.
    pub fn takes_down(&self) -> bool {
        match self {
            FaultKind::Crash
            | FaultKind::Leave
            | FaultKind::Pause
            | FaultKind::Outage
            | FaultKind::Takeover => true,
            FaultKind::Slow { .. }
            | FaultKind::Partition { .. }
            | FaultKind::WrongOutput { .. }
            | FaultKind::Stall => false,
        }
    }
    /// The name used in scenarios, tables and plots.
    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Leave => "leave",
            FaultKind::Pause => "pause",
            FaultKind::Slow { .. } => "slow",
            FaultKind::Outage | FaultKind::Takeover => "relay_outage",
            FaultKind::Partition { .. } => "partition",
            FaultKind::WrongOutput { .. } => "wrong_output",
            FaultKind::Stall => "stall",
        }
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it begins.
    pub at: Time,
    /// When it heals; never, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What happens.
    pub kind: FaultKind,
    /// To whom.
    pub target: Target,
    /// Asked for, or drawn from a law.
    pub origin: Origin,
}

/// All faults of a replication, in order of their beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    /// The entries. Kept in order of `at`.
    pub entries: Vec<Entry>,
}

impl FaultPlan {
    /// Puts `entries` in order of time; equal times keep their order.
    pub fn new(mut entries: Vec<Entry>) -> FaultPlan {
        entries.sort_by_key(|entry| entry.at);
        FaultPlan { entries }
    }
    /// Whether nothing goes wrong.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
