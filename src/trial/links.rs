//! Links that delay, reorder, lose and are cut.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, exponential, mean, share};
use crate::engine::{Agenda, Dist, Engine, Key, Model, Rng, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::net::transport::Overtaking;
use crate::net::{Conditions, Cut, Order};
use crate::trace::NodeId;

fn rounds() -> u32 {
    10_000
}

/// Two messages of one sender to one receiver, on a link that keeps no order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OvertakingPair {
    /// Time between the two.
    pub gap: Span,
    /// How long each takes, apart from `constant`.
    pub delay: Dist,
    /// What both take in any case. Default 0.
    #[serde(default)]
    pub constant: Span,
    /// Pairs a replication. Default 10000.
    #[serde(default = "rounds")]
    pub pairs: u32,
}

impl Trial for OvertakingPair {
    const NAME: &'static str = "overtaking";
    const ABOUT: &'static str = "messages that arrive in another order: ½e^(−τ/m) for exponential delays";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::lower("overtake_share", "share", "pairs whose second message comes first ÷ pairs")];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().law("delay", &self.delay).at_least("pairs", self.pairs, 1.0).done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let law = self.delay.law().expect("the parameters were checked");
        vec![share(self.pairs, |pair| {
            let (mut link, pair_of_nodes) = (Overtaking::default(), (NodeId(0), NodeId(1)));
            let arrival = |link: &mut Overtaking, sent: Time, ordinal| {
                let delay = law.sample_span(&mut key.open(u64::from(pair), ordinal));
                link.admit(sent, pair_of_nodes, sent + self.constant + delay, Order::Reorder).1
            };
            arrival(&mut link, Time::ZERO, 0);
            arrival(&mut link, Time::ZERO + self.gap, 1)
        })]
    }
}

/// What becomes of messages that meet a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WhenCut {
    /// They are lost.
    Drop,
    /// The sender keeps them and sends them when the partition heals.
    Store,
}

/// A link with a steady flow of messages is cut for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CutLink {
    /// Messages a second, a Poisson process.
    pub rate_per_s: f64,
    /// How long the partition lasts.
    pub lasts: Span,
    /// What becomes of the messages meanwhile.
    pub mode: WhenCut,
    /// Partitions a replication. Default 1000.
    #[serde(default = "partitions")]
    pub partitions: u32,
}

fn partitions() -> u32 {
    1_000
}

const SENDER: NodeId = NodeId(0);
const RECEIVER: NodeId = NodeId(1);
const PARTITION: u32 = 0;

#[derive(Clone, Copy)]
enum Happens {
    Cut,
    Send,
    Heal,
}

/// One partition.
struct Flow<'a> {
    setup: &'a CutLink,
    rng: Rng,
    conditions: Conditions,
    stored: Vec<Time>,
    lost: u32,
    delays: Vec<f64>,
}

impl Flow<'_> {
    fn gap(&mut self) -> Span {
        Span::from_secs_f64(exponential(&mut self.rng) / self.setup.rate_per_s)
    }
}

impl Model for Flow<'_> {
    type Event = Happens;

    fn handle(&mut self, event: Happens, agenda: &mut Agenda<Happens>) {
        match event {
            Happens::Cut => {
                self.conditions.cut(Cut { owner: PARTITION, side: vec![0, 1], one_way: false });
                agenda.after(self.setup.lasts, Happens::Heal);
            }
            Happens::Send => {
                let gap = self.gap();
                agenda.after(gap, Happens::Send);
                if self.conditions.reachable(SENDER, RECEIVER) {
                    return;
                }
                match self.setup.mode {
                    WhenCut::Drop => self.lost += 1,
                    WhenCut::Store => self.stored.push(agenda.now()),
                }
            }
            Happens::Heal => {
                self.conditions.heal(PARTITION);
                let now = agenda.now();
                self.delays = self.stored.iter().map(|&sent| now.since(sent).as_secs_f64()).collect();
                agenda.stop();
            }
        }
    }
}

impl Trial for CutLink {
    const NAME: &'static str = "cut_link";
    const ABOUT: &'static str = "a partition drops messages, or stores them until it heals (Poisson)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("lost_mean", "messages", "messages lost to a partition, mean"),
        MetricDef::lower("backlog_mean", "messages", "messages stored when a partition heals, mean"),
        MetricDef::lower("extra_delay_mean_s", "s", "sent to partition healed, mean over stored messages"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("rate_per_s", self.rate_per_s)
            .at_least("partitions", self.partitions, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mut lost, mut backlog, mut delay) = (0u64, 0u64, 0.0);
        for partition in 0..self.partitions {
            let (rng, conditions) = (key.open(u64::from(partition), 0), Conditions::default());
            let (stored, delays) = (Vec::new(), Vec::new());
            let mut flow = Flow { setup: self, rng, conditions, stored, lost: 0, delays };
            let first = flow.gap();
            let mut engine = Engine::new(flow);
            engine.agenda().at(Time::ZERO, Happens::Cut);
            engine.agenda().after(first, Happens::Send);
            engine.run();
            let flow = engine.into_model();
            lost += u64::from(flow.lost);
            backlog += flow.delays.len() as u64;
            delay += flow.delays.iter().sum::<f64>();
        }
        let count = f64::from(self.partitions);
        vec![lost as f64 / count, backlog as f64 / count, delay / backlog as f64]
    }
}

/// Agents that work only while they reach a majority, themselves included, and partitions at random.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MinorityStall {
    /// Sizes of the sides of a partition; who is on which is drawn each time.
    pub sides: Vec<u32>,
    /// From the beginning of one partition to that of the next.
    pub period: Span,
    /// How long each lasts, at most `period`.
    pub lasts: Span,
    /// Partitions a replication. Default 1000.
    #[serde(default = "partitions")]
    pub partitions: u32,
}

impl Trial for MinorityStall {
    const NAME: &'static str = "minority_stall";
    const ABOUT: &'static str = "agents without a majority stall while a partition lasts";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("stalled_share", "share", "agent time without a majority in reach ÷ agent time"),
        MetricDef::higher(
            "majority_share",
            "share",
            "partitions in which some agent reaches a majority ÷ all",
        ),
    ];

    fn check(&self) -> Result<(), Problems> {
        let named = (1..=256).contains(&self.sides.len()) && self.sides.iter().all(|&side| side > 0);
        Limits::new()
            .holds(named, "sides", "a partition has sides", "1 to 256 sizes above 0, such as [3, 2]")
            .positive("period", self.period.as_secs_f64())
            .holds(self.lasts <= self.period, "lasts", "partitions would overlap", "at most `period`")
            .at_least("partitions", self.partitions, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let sides = self.sides.iter().zip(0u8..);
        let mut side: Vec<u8> = sides.flat_map(|(&size, side)| vec![side; size as usize]).collect();
        let agents = || (0..self.sides.iter().sum()).map(NodeId);
        let (mut stalled, mut with_majority) = (0.0, 0u32);
        for partition in 0..self.partitions {
            key.open(u64::from(partition), 0).shuffle(&mut side);
            let mut conditions = Conditions::default();
            conditions.cut(Cut { owner: partition, side: side.clone(), one_way: false });
            let reached = |one: NodeId| agents().filter(|&other| conditions.connected(one, other)).count();
            let stalls = agents().filter(|&agent| 2 * reached(agent) <= side.len()).count();
            stalled += stalls as f64 * self.lasts.as_secs_f64();
            with_majority += u32::from(stalls < side.len());
        }
        let partitions = f64::from(self.partitions);
        let agent_time = side.len() as f64 * partitions * self.period.as_secs_f64();
        vec![stalled / agent_time, f64::from(with_majority) / partitions]
    }
}

/// News that is pushed, and found by the next poll if the push is lost or late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PushAndPoll {
    /// How long a push takes.
    pub push_delay: Dist,
    /// How likely it is lost.
    pub push_loss: f64,
    /// Time between polls; the news comes at any time in between.
    pub poll_interval: Span,
    /// News a replication. Default 10000.
    #[serde(default = "rounds")]
    pub news: u32,
}

impl Trial for PushAndPoll {
    const NAME: &'static str = "push_and_poll";
    const ABOUT: &'static str =
        "news by push or by the next poll: (1−p)(d − d²/2P) + pP/2 for constant d < P";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::lower("latency_mean_s", "s", "news to knowing, mean over news")];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .law("push_delay", &self.push_delay)
            .probability("push_loss", self.push_loss)
            .positive("poll_interval", self.poll_interval.as_secs_f64())
            .at_least("news", self.news, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let law = self.push_delay.law().expect("the parameters were checked");
        let interval = self.poll_interval.as_secs_f64();
        vec![mean((0..self.news).map(|news| {
            let mut rng = key.open(u64::from(news), 0);
            let poll = interval * rng.uniform();
            if rng.chance(self.push_loss) { poll } else { law.sample(&mut rng).min(poll) }
        }))]
    }
}
