//! All a run needs to know before it begins. Plain data; drawn by `scenario`, shared between patterns.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::{Law, Seed, Span, Time};
use crate::fault::FaultPlan;
use crate::net::{Order, Sites, TransportKind};
use crate::trace::Plane;
use crate::work::{Discipline, Fleet, Tasks};

/// When a run is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// At `horizon + drain`, whatever is open.
    #[default]
    Drained,
    /// As soon as every task has ended, at the latest at `horizon + drain`: for closed batches.
    Settled,
}

/// The run's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Arrivals stop here.
    pub horizon: Time,
    /// Time after the horizon for open tasks to end.
    pub drain: Span,
    /// Measurement starts here.
    pub warmup: Time,
    /// When the run is over.
    pub finish: Finish,
}

impl Clock {
    /// The latest end of the run.
    pub fn end(&self) -> Time {
        self.horizon + self.drain
    }
}

/// Links and transport.
#[derive(Clone, Debug)]
pub struct NetworkSetup {
    /// Latency between sites.
    pub sites: Arc<Sites>,
    /// Added to each message's latency.
    pub jitter: Law,
    /// Probability that a message is lost.
    pub loss: f64,
    /// Whether letters of one pair may overtake each other.
    pub order: Order,
    /// How letters travel.
    pub transport: TransportKind,
}

/// How relays serve.
#[derive(Clone, Debug)]
pub struct RelaySetup {
    /// Time to handle one message.
    pub service: Law,
    /// Messages handled at the same time.
    pub servers: u32,
    /// Messages waiting or in service; more are dropped.
    pub capacity: Option<u32>,
    /// Order in which messages are handled.
    pub discipline: Discipline,
    /// Whether state survives an outage.
    pub durable: bool,
}

/// How long a message kind occupies its receiver, where it differs from the default.
#[derive(Clone, Debug)]
pub struct KindCost {
    /// Plane at an agent; `None` keeps the kind's own.
    pub plane: Option<Plane>,
    /// Handling time at speed 1; `None` keeps the default of the plane.
    pub time: Option<Law>,
    /// Added for each token of the message \[time at speed 1\].
    pub per_token: Span,
    /// Priority where the discipline is `priority` or `preemptive`; higher first.
    pub priority: i16,
}

/// Handling times.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Default of the harness plane.
    pub harness: Law,
    /// Default of the cognition plane.
    pub cognition: Law,
    /// Added for each token on the cognition plane, unless a kind says otherwise.
    pub cognition_per_token: Span,
    /// By kind name.
    pub kinds: BTreeMap<String, KindCost>,
}

/// How clients behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSetup {
    /// Time after which an unacknowledged submission is repeated; doubles with each try, up to 8 ×.
    pub timeout: Span,
}

/// What happens when a deadline passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDeadline {
    /// A late answer is accepted and counted as a deadline miss.
    #[default]
    Late,
    /// The task expires.
    Drop,
    /// The task expires unless an execution of it was begun; one that was begun may end late, and counts as
    /// a deadline miss if it does.
    Renege,
}

/// How work is done.
#[derive(Clone, Debug)]
pub struct WorkSetup {
    /// One model call \[time at speed 1\]: messages for cognition are taken between two. `None`: a task is
    /// one turn.
    pub turn: Option<Span>,
    /// Probability that an output is wrong.
    pub error_rate: f64,
    /// Time to verify an output.
    pub verify: Law,
    /// Probability that verifying a wrong output reveals it. Correct outputs always pass.
    pub detection: f64,
    /// What happens when a deadline passes.
    pub on_deadline: OnDeadline,
}

/// Everything about one run but the pattern's code.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Master seed.
    pub seed: Seed,
    /// Which replication.
    pub replication: u32,
    /// The calendar.
    pub clock: Clock,
    /// Who takes part.
    pub fleet: Arc<Fleet>,
    /// What is asked.
    pub tasks: Arc<Tasks>,
    /// What goes wrong.
    pub faults: Arc<FaultPlan>,
    /// Links and transport.
    pub network: NetworkSetup,
    /// How relays serve.
    pub relay: RelaySetup,
    /// Handling times.
    pub costs: Arc<Costs>,
    /// How clients behave.
    pub client: ClientSetup,
    /// How work is done.
    pub work: WorkSetup,
    /// Instants at which the tasks present are counted, in any order.
    pub probes: Arc<[Time]>,
    /// Whether every invariant watches the run; in builds with debug assertions they always do.
    pub checks: bool,
    /// The tables `[pattern.NAME]`, as JSON objects by pattern name.
    pub params: Arc<BTreeMap<String, serde_json::Value>>,
}

impl Setup {
    /// The same fleet, network and costs with no arrivals and no faults, measured over `window` from the
    /// start.
    pub fn without_tasks_and_faults(&self, window: Span) -> Setup {
        let tasks = Tasks::new(Vec::new()).expect("no tasks, no cycle");
        Setup {
            tasks: Arc::new(tasks),
            faults: Arc::default(),
            clock: Clock {
                horizon: Time::ZERO + window,
                drain: Span::ZERO,
                warmup: Time::ZERO,
                finish: Finish::Drained,
            },
            ..self.clone()
        }
    }
    /// The same run with nothing going wrong.
    pub fn without_faults(&self) -> Setup {
        Setup { faults: Arc::default(), ..self.clone() }
    }
}
