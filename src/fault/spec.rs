//! The table `[faults]`: what is to go wrong, as scenario files write it.
//!
//! A fault with `at` is scheduled: it must fire in every run, or the run fails. One with `every` is a
//! random law: it strikes again and again from the end of the warm-up on, and must fire at least once
//! in a comparison. So is one with `mtbf` and `mttr`, under which each target on its own goes down and up
//! in turn, whatever it is doing: the breakdowns of queueing theory (White & Christie, 1958).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::target::TargetSpec;
use crate::engine::{Dist, Span, Time};
use crate::work::forms::one_or_many;

/// What is to go wrong. Empty: nothing. Each list may hold one table or several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FaultSpec {
    /// A saved plan (`faults.json`) to replay instead of everything below, relative to the scenario's
    /// folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Nodes stop, lose volatile state and inbox, and may restart.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub crash: Vec<Crash>,
    /// Nodes freeze and keep their state.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub pause: Vec<Pause>,
    /// Nodes slow down (grey failure).
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub slow: Vec<Slow>,
    /// The network splits.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub partition: Vec<Partition>,
    /// Relays go out of service.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub relay_outage: Vec<Outage>,
    /// Agents produce wrong outputs.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub wrong_output: Vec<WrongOutput>,
    /// Agents hang in an execution and go silent.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub stall: Vec<Stall>,
    /// Agents leave and return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub churn: Option<Churn>,
}

impl FaultSpec {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == FaultSpec::default()
    }

    /// Kinds asked for as random laws, by the names of [`FaultKind::name`](super::FaultKind::name): each
    /// must fire at least once in a comparison, also one whose first strike came after the end.
    pub fn laws(&self) -> Vec<&'static str> {
        let lists = [
            ("crash", self.crash.iter().any(|fault| fault.every.is_some() || fault.mtbf.is_some())),
            ("pause", self.pause.iter().any(|fault| fault.every.is_some() || fault.mtbf.is_some())),
            ("slow", self.slow.iter().any(|fault| fault.every.is_some() || fault.mtbf.is_some())),
            ("partition", self.partition.iter().any(|fault| fault.every.is_some())),
            ("relay_outage", self.relay_outage.iter().any(|fault| fault.mtbf.is_some())),
            ("wrong_output", self.wrong_output.iter().any(|fault| fault.every.is_some())),
            ("stall", self.stall.iter().any(|fault| fault.every.is_some())),
            ("leave", self.churn.is_some()),
        ];
        lists.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name).collect()
    }
}

/// When a fault begins, borrowed from the two keys that say it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When<'a> {
    /// Once.
    At(Time),
    /// Again and again, with these gaps between two beginnings.
    Every(&'a Dist),
    /// Up and down in turn, each target on its own.
    Alternating {
        /// Time up.
        up: &'a Dist,
        /// Time down.
        down: &'a Dist,
        /// When the first time up begins. `None`: at the end of the warm-up.
        from: Option<Time>,
    },
}

macro_rules! fault {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident : $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// When it begins, once. Needs `at` or `every`, not both.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub at: Option<Time>,
            /// Law of the time between two beginnings: it strikes again and again, after the warm-up.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub every: Option<Dist>,
            $($(#[$attr])* pub $field: $type,)*
        }

        impl $name {
            /// When it begins; `None` unless exactly one of `at` and `every` is given.
            pub fn when(&self) -> Option<When<'_>> {
                match (self.at, &self.every) {
                    (Some(at), None) => Some(When::At(at)),
                    (None, Some(every)) => Some(When::Every(every)),
                    (None, None) | (Some(_), Some(_)) => None,
                }
            }
        }
    };
}

/// Faults that also come as up and down in turn.
macro_rules! alternating_fault {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident : $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// When it begins, once. Needs `at`, or `every`, or `mtbf` and `mttr`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub at: Option<Time>,
            /// Law of the time between two beginnings: it strikes again and again, after the warm-up.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub every: Option<Dist>,
            /// Law of the time up before each target fails (mean time between failures). Each node that
            /// `target` names fails on its own; `any` names every agent and every relay.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub mtbf: Option<Dist>,
            /// Law of the time down (mean time to repair). With `mtbf`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub mttr: Option<Dist>,
            /// When the first time up begins, with `mtbf`. Default: at the end of the warm-up.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub from: Option<Time>,
            $($(#[$attr])* pub $field: $type,)*
        }

        impl $name {
            /// When it begins; `None` unless exactly one of the three ways to say it is given in full.
            pub fn when(&self) -> Option<When<'_>> {
                match (self.at, &self.every, &self.mtbf, &self.mttr) {
                    (Some(at), None, None, None) => Some(When::At(at)),
                    (None, Some(every), None, None) => Some(When::Every(every)),
                    (None, None, Some(up), Some(down)) => {
                        Some(When::Alternating { up, down, from: self.from })
                    }
                    _ => None,
                }
            }
        }
    };
}

alternating_fault! {
    /// Nodes stop, and may restart.
    Crash {
        /// Whom it strikes. Default "any".
        #[serde(default = "any")]
        target: TargetSpec,
        /// Law of the time until the restart, with `at` or `every`. Default: never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_after: Option<Dist>,
    }
}
alternating_fault! {
    /// Nodes freeze and keep their state.
    Pause {
        /// Whom it strikes. Default "any".
        #[serde(default = "any")]
        target: TargetSpec,
        /// Law of how long it lasts. With `at` or `every`.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Dist>,
    }
}
alternating_fault! {
    /// Nodes slow down.
    Slow {
        /// Whom it strikes. Default "any".
        #[serde(default = "any")]
        target: TargetSpec,
        /// New speed ÷ nominal speed, above 0 and not 1.
        factor: f64,
        /// Law of how long it lasts. With `at` or `every`.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Dist>,
    }
}
fault! {
    /// The network splits. Needs `share` or `sites`, not both.
    Partition {
        /// Share of the agents split off from everyone else, in (0, 1).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share: Option<f64>,
        /// The sides, as lists of sites; sites named nowhere form one more side.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sites: Option<Vec<Vec<String>>>,
        /// Whether only messages *from* the sides named are lost. Default false.
        #[serde(default)]
        one_way: bool,
        /// Law of how long it lasts.
        #[serde(rename = "for")]
        lasts: Dist,
    }
}
fault! {
    /// Agents produce wrong outputs.
    WrongOutput {
        /// Whom it strikes: agents only. Default "any".
        #[serde(default = "any")]
        target: TargetSpec,
        /// Probability that an output produced meanwhile is wrong, in (0, 1].
        probability: f64,
        /// Law of how long it lasts. Default: until the end.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Dist>,
    }
}
fault! {
    /// Agents hang in an execution and go silent.
    Stall {
        /// Whom it strikes: agents only. Default "any".
        #[serde(default = "any")]
        target: TargetSpec,
        /// Law of how long it lasts, until the agent's own watchdog ends it. Default: until the end.
        #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
        lasts: Option<Dist>,
    }
}

/// Relays go out of service: once, with `at` and `for`, or again and again, with `mtbf` and `mttr`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outage {
    /// Which relay, by position. Default: each one, on its own with `mtbf`, all at once with `at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<u32>,
    /// When it begins, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Law of how long it lasts.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Dist>,
    /// Law of the time in service before an outage (mean time between failures).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtbf: Option<Dist>,
    /// Law of the time out of service (mean time to repair).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mttr: Option<Dist>,
    /// When the first time in service begins, with `mtbf`. Default: at the end of the warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// The relay is a pair of units, of which one serves and the other stands by; `mtbf` and `mttr` are then
    /// those of a unit. Default: it is one unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<Standby>,
}

/// A second unit for a relay. Units fail whether they serve or not, and one crew repairs them one after the
/// other. When the serving unit fails, the other takes over, unless the first is repaired before that; when
/// the other fails meanwhile, or is down already, the first one repaired serves at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standby {
    /// Law of the time from the failure of the serving unit until the other serves.
    pub takeover: Dist,
}

/// Agents leave and return, each on its own: sessions and absences alternate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Law of how long an agent stays.
    pub session: Dist,
    /// Law of how long it is away.
    pub absence: Dist,
    /// Measured time ÷ simulated time; 24 squeezes a day into an hour. Default 1.
    #[serde(default = "one")]
    pub compression: f64,
    /// When it begins. Default: at the end of the warm-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Span>,
    /// In which state agents are when it begins. Default "stationary".
    #[serde(default)]
    pub start: ChurnStart,
}

/// In which state agents are when churn begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChurnStart {
    /// As after a long time: some away at once, each somewhere within a session or an absence.
    #[default]
    Stationary,
    /// All there, each somewhere within a session.
    Present,
}

fn any() -> TargetSpec {
    TargetSpec::Any
}
fn one() -> f64 {
    1.0
}
