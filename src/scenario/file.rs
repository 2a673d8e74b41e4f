//! What a scenario file may say: one type a table, every key with its unit and its default.
//!
//! These types are what `anthill schema` prints and what the manifest records. Reading is lenient about
//! values (`resolve` judges them) and strict about names: an unknown key is an error everywhere. Enums
//! are externally tagged, because only then does an error point at the key that is wrong.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::expect::{CaseSpec, ExpectSpec, VariantSpec};
use super::network::NetworkSpec;
use super::work::WorkSpec;
use crate::engine::{Dist, Span};
use crate::fault::FaultSpec;
use crate::sim::Finish;
use crate::trace::Plane;
use crate::work::forms::one_or_many;
use crate::work::{Discipline, NumberDist, Shares};

/// A scenario: who works where, what is asked, what goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioFile {
    /// Name of the scenario and of its output folder. Default: the file's name without `.toml`.
    pub name: String,
    /// What it asks, in one sentence. Default: empty.
    pub about: String,
    /// The calendar, and what to compare.
    pub run: RunSpec,
    /// Who executes tasks: one group (`[agents]`) or several (`[[agents]]`). Required.
    #[serde(deserialize_with = "one_or_many")]
    pub agents: Vec<AgentGroup>,
    /// Infrastructure present under every pattern.
    pub relays: RelaySpec,
    /// Who asks; stands outside the fleet and never fails.
    pub clients: ClientSpec,
    /// Places, links and transport.
    pub network: NetworkSpec,
    /// What is asked. Required.
    pub work: WorkSpec,
    /// How long it takes to handle a message.
    pub costs: CostSpec,
    /// What goes wrong. Default: nothing.
    pub faults: FaultSpec,
    /// Parameters of patterns by name; see `anthill patterns NAME`.
    pub pattern: BTreeMap<String, serde_json::Value>,
    /// What the file says about itself as a case of `anthill validate`.
    #[serde(skip_serializing_if = "is_default")]
    pub case: CaseSpec,
    /// What must come out. Default: nothing is judged.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<ExpectSpec>,
    /// The same with other numbers, for `anthill validate`. Default: none.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub variant: Vec<VariantSpec>,
    /// An experiment on one mechanism alone, by name, in place of agents and work. Default: none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trial: BTreeMap<String, serde_json::Value>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The calendar of a run, and what to compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSpec {
    /// Arrivals stop here. Default "1h".
    pub horizon: Span,
    /// Time after the horizon for open tasks to end. Default: a quarter of the horizon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Span>,
    /// Measurement starts here; random faults too. Default: a twelfth of the horizon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Span>,
    /// When a run is over: "drained" at the end of the drain, "settled" as soon as every task has ended.
    /// Default "drained".
    pub finish: Finish,
    /// Master seed. Default 1.
    pub seed: u64,
    /// Replications of each pattern. Default 20.
    pub replications: u32,
    /// Replications after which to stop, where an expectation asks for a half-width that is not reached
    /// yet. Default: `replications`, so that there are never more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replications: Option<u32>,
    /// Patterns to compare. Default: all that are registered.
    pub patterns: Vec<String>,
}

impl Default for RunSpec {
    fn default() -> RunSpec {
        RunSpec {
            horizon: Span::from_secs(3_600),
            drain: None,
            warmup: None,
            finish: Finish::Drained,
            seed: 1,
            replications: 20,
            max_replications: None,
            patterns: Vec::new(),
        }
    }
}

impl RunSpec {
    /// Time after the horizon, by default a quarter of it.
    pub fn drain(&self) -> Span {
        self.drain.unwrap_or(Span::from_nanos(self.horizon.as_nanos() / 4))
    }
    /// The most replications, by default as many as there are at the least.
    pub fn max_replications(&self) -> u32 {
        self.max_replications.unwrap_or(self.replications).max(self.replications)
    }
    /// Start of the measurement, by default a twelfth of the horizon.
    pub fn warmup(&self) -> Span {
        self.warmup.unwrap_or(Span::from_nanos(self.horizon.as_nanos() / 12))
    }
}

/// Agents that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentGroup {
    /// How many. Default 1.
    pub count: u32,
    /// Work done per unit of time, 1 being nominal: a number, or a law drawn for each agent. Default 1.
    pub speed: NumberDist,
    /// Their one skill class. Default "general".
    pub skill: String,
    /// Executions one of them serves at once, each at full speed; under "sharing" more share as many servers.
    /// A pattern must give it as many to fill them (`worker_queue` of hierarchical). Default 1.
    pub slots: u32,
    /// Order in which messages, and executions, are served: "fifo", "lifo", "priority", "preemptive" or
    /// "sharing". Priorities are those of `[costs.kinds]` and of the tasks. Default "fifo".
    pub discipline: Discipline,
    /// Messages (and steps of its own) waiting or in service on the harness of one of them; more messages are
    /// dropped. 0 is no bound. Default 0.
    pub inbox: u32,
    /// Price of having one for an hour \[money\]. Default 1.
    pub price_per_hour: f64,
    /// Price of a thousand tokens read or written \[money\]. Default 0.
    pub price_per_kilotoken: f64,
    /// Sites they are spread over, evenly or by shares. Default: all, by the weights of `[network]`.
    pub sites: Shares,
    /// Whether they take part; absent agents stay down throughout and are numbered last. Default true.
    pub present: bool,
}

impl Default for AgentGroup {
    fn default() -> AgentGroup {
        AgentGroup {
            count: 1,
            speed: NumberDist::Constant(1.0),
            skill: "general".to_owned(),
            slots: 1,
            discipline: Discipline::Fifo,
            inbox: 0,
            price_per_hour: 1.0,
            price_per_kilotoken: 0.0,
            sites: Shares::default(),
            present: true,
        }
    }
}

/// Relays: directory, event log, claim table, broadcast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RelaySpec {
    /// How many. Default 1.
    pub count: u32,
    /// Sites they are spread over. Default: all, in turn.
    pub sites: Shares,
    /// Law of the time to handle one message. Default "0.5ms".
    pub service: Dist,
    /// Messages handled at the same time. Default 1.
    pub servers: u32,
    /// Messages waiting or in service; more are dropped. 0 is no bound. Default 10000.
    pub capacity: u32,
    /// Order in which messages are handled: "fifo", "lifo", "priority", "preemptive" or "sharing". Default
    /// "fifo".
    pub discipline: Discipline,
    /// Whether state survives an outage. Default true.
    pub durable: bool,
    /// Price of one for an hour \[money\]. Default 1.
    pub price_per_hour: f64,
}

impl Default for RelaySpec {
    fn default() -> RelaySpec {
        RelaySpec {
            count: 1,
            sites: Shares::default(),
            service: Dist::Constant(Span::from_micros(500)),
            servers: 1,
            capacity: 10_000,
            discipline: Discipline::Fifo,
            durable: true,
            price_per_hour: 1.0,
        }
    }
}

/// Clients: one at each of their sites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSpec {
    /// Sites where somebody asks, with their shares of the tasks. Default: all, by the weights of
    /// `[network]`.
    pub sites: Shares,
    /// Time after which an unacknowledged submission is repeated; doubles with each try. Default "10s".
    pub timeout: Span,
    /// Price of a client's node for an hour \[money\]. Default 1.
    pub price_per_hour: f64,
}

impl Default for ClientSpec {
    fn default() -> ClientSpec {
        ClientSpec { sites: Shares::default(), timeout: Span::from_secs(10), price_per_hour: 1.0 }
    }
}

/// How long it takes to handle a message, at speed 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CostSpec {
    /// Law for messages on the harness plane. Default "1ms".
    pub harness: Dist,
    /// Law for messages on the cognition plane. Default "3s".
    pub cognition: Dist,
    /// Added for each token of a message on the cognition plane. Default "0s".
    pub cognition_per_token: Span,
    /// Kinds of messages that differ, by name.
    pub kinds: BTreeMap<String, KindSpec>,
}

impl Default for CostSpec {
    fn default() -> CostSpec {
        CostSpec {
            harness: Dist::Constant(Span::from_millis(1)),
            cognition: Dist::Constant(Span::from_secs(3)),
            cognition_per_token: Span::ZERO,
            kinds: BTreeMap::new(),
        }
    }
}

/// How one kind of message differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KindSpec {
    /// Plane it occupies at an agent. Default: the kind's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plane: Option<Plane>,
    /// Law of its handling time. Default: that of the plane; at relays, that of `[relays]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Dist>,
    /// Added for each token of the message; takes the place of `cognition_per_token`. Default "0s".
    pub per_token: Span,
    /// Priority where the discipline is "priority" or "preemptive"; higher goes first. Default 0.
    pub priority: i16,
}
