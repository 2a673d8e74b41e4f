//! Gossip: telling somebody at random, again and again.
//!
//! Rumours and anti-entropy are those of Demers et al. (PODC 1987). In synchronous cycles a rumour contact
//! counts as useless only if the other knew before the cycle, and a useful one resets the counter: with
//! any other reading their table 1 does not come out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, distinct, exponential, mean};
use crate::engine::{Key, Rng, standard_normal};
use crate::error::Problems;
use crate::metrics::MetricDef;

fn rounds() -> u32 {
    100
}

/// Somebody of `0..nodes` other than `one`.
fn other(one: u32, nodes: u32, rng: &mut Rng) -> u32 {
    let drawn = rng.below(nodes - 1);
    drawn + u32::from(drawn >= one)
}

/// When a node that met someone who knew loses interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Interest {
    /// With probability 1 ÷ k.
    Coin,
    /// At the k-th time in a row.
    Counter,
}

/// Who acts when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Timing {
    /// One node after the other, at random.
    Sequential,
    /// All interested at once, cycle by cycle.
    Cycles,
}

/// One node has a rumour; those interested push it to others at random until they lose interest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rumor {
    /// Nodes.
    pub nodes: u32,
    /// How persistent they are.
    pub k: u32,
    /// When one loses interest.
    pub interest: Interest,
    /// Who acts when.
    pub timing: Timing,
    /// Rumours a replication. Default 100.
    #[serde(default = "rounds")]
    pub rumors: u32,
}

impl Rumor {
    /// Share that never hears, contacts a node, and the last cycle in which somebody hears.
    fn spread(&self, mut rng: Rng) -> [f64; 3] {
        let mut knows = vec![false; self.nodes as usize];
        knows[0] = true;
        let (mut active, mut contacts, mut cycle, mut last) = (vec![(0, 0)], 0u64, 0u32, 0);
        while !active.is_empty() {
            cycle += 1;
            let acting = match self.timing {
                Timing::Cycles => std::mem::take(&mut active),
                Timing::Sequential => vec![active.swap_remove(rng.below(active.len() as u32) as usize)],
            };
            let mut heard = Vec::new();
            for (node, useless) in acting {
                let target = other(node, self.nodes, &mut rng);
                contacts += 1;
                if knows[target as usize] {
                    let stays = match self.interest {
                        Interest::Coin => !rng.chance(1.0 / f64::from(self.k)),
                        Interest::Counter => useless + 1 < self.k,
                    };
                    active.extend(stays.then_some((node, useless + 1)));
                } else {
                    heard.push(target);
                    active.push((node, 0));
                }
            }
            // Who hears in this cycle acts from the next one on, and is no useless contact in this one.
            for target in heard {
                if !std::mem::replace(&mut knows[target as usize], true) {
                    active.push((target, 0));
                    last = cycle;
                }
            }
        }
        let missed = knows.iter().filter(|knows| !**knows).count();
        let nodes = f64::from(self.nodes);
        [missed as f64 / nodes, contacts as f64 / nodes, f64::from(last)]
    }
}

impl Trial for Rumor {
    const NAME: &'static str = "rumor";
    const ABOUT: &'static str =
        "rumour mongering by push with feedback: residue, traffic, delay (Demers et al. 1987)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("residue_share", "share", "nodes that never hear ÷ nodes, mean over rumours"),
        MetricDef::lower("contacts_per_node", "messages", "contacts ÷ nodes, mean over rumours"),
        MetricDef::lower(
            "last_cycle_mean",
            "cycles",
            "cycle (contact, if sequential) in which the last hears, mean",
        ),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("nodes", self.nodes, 2.0)
            .at_least("k", self.k, 1.0)
            .at_least("rumors", self.rumors, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let all: Vec<_> = (0..self.rumors).map(|rumor| self.spread(key.open(u64::from(rumor), 0))).collect();
        (0..3).map(|column| mean(all.iter().map(|values| values[column]))).collect()
    }
}

/// Who asks whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    /// Those that have an update send it.
    Push,
    /// Those that lack it ask for it.
    Pull,
}

/// Everybody compares with one node of all (itself included) in each cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AntiEntropy {
    /// Nodes.
    pub nodes: u32,
    /// Nodes that lack the update at first.
    pub missing: u32,
    /// Who asks whom.
    pub direction: Direction,
    /// Cycles until it is counted. Default 1.
    #[serde(default = "one")]
    pub cycles: u32,
    /// Updates a replication. Default 100.
    #[serde(default = "rounds")]
    pub updates: u32,
}

fn one() -> u32 {
    1
}

impl Trial for AntiEntropy {
    const NAME: &'static str = "anti_entropy";
    const ABOUT: &'static str =
        "nodes still without an update: pull p², push p(1−1/n)^(n(1−p)) (Demers et al. 1987)";
    const METRICS: &'static [MetricDef] = &[MetricDef::lower(
        "missing_share",
        "share",
        "nodes that still lack the update ÷ nodes, mean over updates",
    )];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("nodes", self.nodes, 1.0)
            .holds(self.missing <= self.nodes, "missing", "more than there are", "at most `nodes`")
            .at_least("updates", self.updates, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        vec![mean((0..self.updates).map(|update| {
            let mut rng = key.open(u64::from(update), 0);
            let mut has: Vec<bool> = (0..self.nodes).map(|node| node >= self.missing).collect();
            for _ in 0..self.cycles {
                let before = has.clone();
                for node in 0..before.len() {
                    let target = rng.below(self.nodes) as usize;
                    match self.direction {
                        Direction::Push if before[node] => has[target] = true,
                        Direction::Pull if before[target] => has[node] = true,
                        Direction::Push | Direction::Pull => {}
                    }
                }
            }
            has.iter().filter(|has| !**has).count() as f64 / f64::from(self.nodes)
        }))]
    }
}

/// All that know tell one other node in each round, until all know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PushRounds {
    /// Nodes.
    pub nodes: u32,
    /// Broadcasts a replication. Default 100.
    #[serde(default = "rounds")]
    pub broadcasts: u32,
}

impl Trial for PushRounds {
    const NAME: &'static str = "push_rounds";
    const ABOUT: &'static str =
        "rounds of push until all know: log₂ n + ln n + O(1) (Frieze and Grimmett, Pittel)";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::lower("rounds_mean", "rounds", "rounds until all know, mean over broadcasts")];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().at_least("nodes", self.nodes, 2.0).at_least("broadcasts", self.broadcasts, 1.0).done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        vec![mean((0..self.broadcasts).map(|broadcast| {
            let mut rng = key.open(u64::from(broadcast), 0);
            let (mut knows, mut informed) = (vec![false; self.nodes as usize], vec![0]);
            knows[0] = true;
            let mut rounds = 0u32;
            while informed.len() < knows.len() {
                rounds += 1;
                for index in 0..informed.len() {
                    let target = other(informed[index], self.nodes, &mut rng);
                    if !std::mem::replace(&mut knows[target as usize], true) {
                        informed.push(target);
                    }
                }
            }
            f64::from(rounds)
        }))]
    }
}

/// Everybody who hears tells some others once, and is silent from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InfectAndDie {
    /// Nodes.
    pub nodes: u32,
    /// Different others each tells: exactly so many, or on average if `poisson`.
    pub fanout: f64,
    /// Whether the number is drawn from a Poisson law. Default false.
    #[serde(default)]
    pub poisson: bool,
    /// Broadcasts a replication. Default 100.
    #[serde(default = "rounds")]
    pub broadcasts: u32,
}

/// A broadcast that reaches less of all has not taken off.
const TAKE_OFF: f64 = 0.1;

impl InfectAndDie {
    fn fanout(&self, rng: &mut Rng) -> u32 {
        if !self.poisson {
            return self.fanout as u32;
        }
        let (mut count, mut at) = (0, exponential(rng));
        while at < self.fanout {
            count += 1;
            at += exponential(rng);
        }
        count
    }

    fn reach(&self, mut rng: Rng) -> f64 {
        let (mut knows, mut heard) = (vec![false; self.nodes as usize], vec![0]);
        knows[0] = true;
        let mut next = 0;
        while let Some(&node) = heard.get(next) {
            next += 1;
            let fanout = self.fanout(&mut rng).min(self.nodes - 1);
            for drawn in distinct(&mut rng, self.nodes - 1, fanout) {
                let target = drawn + u32::from(drawn >= node);
                if !std::mem::replace(&mut knows[target as usize], true) {
                    heard.push(target);
                }
            }
        }
        heard.len() as f64 / f64::from(self.nodes)
    }
}

impl Trial for InfectAndDie {
    const NAME: &'static str = "infect_and_die";
    const ABOUT: &'static str =
        "telling a few others once: reach R = 1 − e^(−fR); all with exp(−e^(−c)) for f = ln n + c";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher(
            "reach_mean",
            "share",
            "nodes reached ÷ nodes, mean over broadcasts that reach 10 %",
        ),
        MetricDef::higher("atomic_share", "share", "broadcasts that reach all ÷ broadcasts"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let whole = self.poisson || self.fanout.fract() == 0.0;
        Limits::new()
            .at_least("nodes", self.nodes, 2.0)
            .at_least("fanout", self.fanout, 0.0)
            .holds(whole, "fanout", "nobody tells a part of a node", "a whole number, or `poisson = true`")
            .at_least("broadcasts", self.broadcasts, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let reach: Vec<f64> =
            (0..self.broadcasts).map(|broadcast| self.reach(key.open(u64::from(broadcast), 0))).collect();
        let all = reach.iter().filter(|&&reach| reach == 1.0).count();
        let taken_off = reach.into_iter().filter(|&reach| reach >= TAKE_OFF);
        vec![mean(taken_off), all as f64 / f64::from(self.broadcasts)]
    }
}

/// Who exchanges with whom in a cycle of averaging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pairs {
    /// As many random pairs as there are nodes.
    Random,
    /// Two perfect matchings: everybody exchanges exactly twice.
    Matchings,
    /// Everybody in turn, with a random other.
    Sequential,
}

/// Pairs of nodes replace their values by the mean of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Averaging {
    /// Nodes; even, for matchings.
    pub nodes: u32,
    /// Who exchanges with whom.
    pub pairs: Pairs,
    /// Cycles, each from new values. Default 100.
    #[serde(default = "rounds")]
    pub cycles: u32,
}

impl Averaging {
    fn pairs(&self, rng: &mut Rng) -> Vec<(u32, u32)> {
        match self.pairs {
            Pairs::Sequential => (0..self.nodes).map(|one| (one, other(one, self.nodes, rng))).collect(),
            Pairs::Random => (0..self.nodes)
                .map(|_| {
                    let one = rng.below(self.nodes);
                    (one, other(one, self.nodes, rng))
                })
                .collect(),
            Pairs::Matchings => {
                let mut pairs = Vec::new();
                for _ in 0..2 {
                    let mut order: Vec<u32> = (0..self.nodes).collect();
                    rng.shuffle(&mut order);
                    pairs.extend(order.chunks_exact(2).map(|pair| (pair[0], pair[1])));
                }
                pairs
            }
        }
    }
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>() / (values.len() as f64 - 1.0)
}

impl Trial for Averaging {
    const NAME: &'static str = "averaging";
    const ABOUT: &'static str =
        "gossip averaging: what a cycle leaves of the variance (Jelasity et al. 2005)";
    const METRICS: &'static [MetricDef] = &[MetricDef::lower(
        "variance_factor",
        "",
        "variance after a cycle ÷ before, ratio of sums over cycles",
    )];

    fn check(&self) -> Result<(), Problems> {
        let paired = self.pairs != Pairs::Matchings || self.nodes.is_multiple_of(2);
        Limits::new()
            .at_least("nodes", self.nodes, 2.0)
            .holds(paired, "nodes", "one would have no partner", "an even number")
            .at_least("cycles", self.cycles, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mut before, mut after) = (0.0, 0.0);
        for cycle in 0..self.cycles {
            let mut rng = key.open(u64::from(cycle), 0);
            let mut values: Vec<f64> = (0..self.nodes).map(|_| standard_normal(&mut rng)).collect();
            before += variance(&values);
            for (one, other) in self.pairs(&mut rng) {
                let middle = 0.5 * (values[one as usize] + values[other as usize]);
                values[one as usize] = middle;
                values[other as usize] = middle;
            }
            after += variance(&values);
        }
        vec![after / before]
    }
}
