//! Who talks to whom: channels, messages and hops of one round of updates, simulated message by message;
//! and two ways to sum a vector over all agents.
//!
//! All-to-all needs n(n − 1)/2 channels and n(n − 1) messages (Brooks 1975); a tree, of which a star is the
//! flattest, n − 1 and 2(n − 1): results up, the whole down; a ring n and n: each tells its neighbour.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::exchange::{Protocol, Wire, exchange};
use super::tools::Limits;
use crate::engine::{Key, Law, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Shape {
    /// Everyone tells everyone.
    AllToAll,
    /// Everyone tells the first, which tells everyone.
    Star,
    /// Each tells the next, and the last the first.
    Ring,
    /// Results go up a tree filled level by level, the whole comes down.
    Tree {
        /// Children of an inner node.
        arity: u32,
    },
}

/// One round of updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Topology {
    /// Agents.
    pub agents: u32,
    /// Who talks to whom.
    pub shape: Shape,
    /// Latency of a hop. Default 10 ms.
    #[serde(default = "hop")]
    pub hop: Span,
}

fn hop() -> Span {
    Span::from_millis(10)
}

impl Topology {
    /// Children of an inner node, if this is a tree.
    fn arity(&self) -> Option<u32> {
        match self.shape {
            Shape::AllToAll | Shape::Ring => None,
            Shape::Star => Some(self.agents.max(2) - 1),
            Shape::Tree { arity } => Some(arity),
        }
    }
}

struct Round {
    topology: Topology,
    /// Messages from below still missing, by node.
    missing: Vec<u32>,
    /// Hops of the longest way that a message took.
    hops: u32,
    /// When the root of a tree had all results.
    whole_at: Option<Time>,
}

/// What a message carries, and the hops that it completes.
#[derive(Clone, Copy)]
enum Update {
    /// A result, on its way up or to a peer.
    Result,
    /// The whole, on its way down a tree.
    Whole { hops: u32 },
}

impl Round {
    fn children(&self, node: u32, arity: u32) -> std::ops::Range<u32> {
        let first = u64::from(node) * u64::from(arity) + 1;
        let bound = |child: u64| child.min(u64::from(self.topology.agents)) as u32;
        bound(first)..bound(first + u64::from(arity))
    }

    fn tell_children(&self, wire: &mut Wire<'_, Update>, node: u32, arity: u32, hops: u32) {
        for child in self.children(node, arity) {
            wire.send(node, child, Update::Whole { hops });
        }
    }

    /// `node` has all results from below: they go up, or from the root the whole goes down.
    fn complete(&mut self, wire: &mut Wire<'_, Update>, node: u32, arity: u32) {
        if node > 0 {
            wire.send(node, (node - 1) / arity, Update::Result);
        } else {
            self.whole_at = Some(wire.now());
            self.tell_children(wire, node, arity, 1);
        }
    }
}

impl Protocol for Round {
    type Message = Update;

    fn start(&mut self, wire: &mut Wire<'_, Update>) {
        let n = self.topology.agents;
        for node in 0..n {
            match self.topology.arity() {
                Some(arity) => {
                    let children = self.children(node, arity).len() as u32;
                    self.missing[node as usize] = children;
                    if children == 0 {
                        self.complete(wire, node, arity);
                    }
                }
                None if self.topology.shape == Shape::AllToAll => {
                    (0..n).filter(|&to| to != node).for_each(|to| wire.send(node, to, Update::Result));
                }
                None if n > 1 => wire.send(node, (node + 1) % n, Update::Result),
                None => {}
            }
        }
    }

    fn receive(&mut self, wire: &mut Wire<'_, Update>, _: u32, to: u32, update: Update) {
        match (self.topology.arity(), update) {
            (Some(arity), Update::Result) => {
                self.missing[to as usize] -= 1;
                if self.missing[to as usize] == 0 {
                    self.complete(wire, to, arity);
                }
            }
            (Some(arity), Update::Whole { hops }) => {
                self.hops = self.hops.max(hops);
                self.tell_children(wire, to, arity, hops + 1);
            }
            (None, _) => self.hops = self.hops.max(1),
        }
    }
}

impl Trial for Topology {
    const NAME: &'static str = "topology";
    const ABOUT: &'static str =
        "channels, messages and hops of a round of updates, by topology (Brooks 1975)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("channels", "pairs", "pairs of agents that exchanged a message"),
        MetricDef::lower(
            "messages",
            "messages",
            "messages of the round: in a tree results up and the whole down",
        ),
        MetricDef::neutral("levels", "levels", "levels of the tree, the root's included; 1 more than `hops`"),
        MetricDef::lower("hops", "hops", "hops from the sender (in a tree: the root) to the last receiver"),
        MetricDef::lower("broadcast_s", "s", "time from that send to the last delivery"),
        MetricDef::lower("round_s", "s", "time from the start to the last delivery"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let sound = !matches!(self.shape, Shape::Tree { arity: 0 });
        Limits::new()
            .at_least("agents", self.agents, 1)
            .fits(self.agents <= 20_000, "agents", self.agents, "at most 20000: every message is simulated")
            .fits(sound, "shape.tree.arity", 0, "at least 1")
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let missing = vec![0; self.agents as usize];
        let round = Round { topology: self.clone(), missing, hops: 0, whole_at: None };
        let ended = exchange(round, &Law::fixed(self.hop), key);
        let hops = f64::from(ended.protocol.hops);
        let whole_at = ended.protocol.whole_at.unwrap_or(Time::ZERO).as_secs_f64();
        let (channels, messages) = (ended.channels as f64, ended.messages as f64);
        vec![channels, messages, hops + 1.0, hops, ended.took_s - whole_at, ended.took_s]
    }
}

/// How the sums get everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Algorithm {
    /// The vector in n chunks: each goes round summing up, then round again complete.
    Ring,
    /// Pairs, pairs of pairs …: the whole vector to the first agent, and back the same way.
    Tree,
}

/// Every agent ends with the sum of all agents' vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AllReduce {
    /// Agents.
    pub agents: u32,
    /// How.
    pub algorithm: Algorithm,
}

/// A vector of one number per agent at every agent; agents send in steps, all at once.
struct Vectors {
    values: Vec<Vec<u64>>,
    steps: u64,
    messages: u64,
}

impl Vectors {
    /// One step of simultaneous messages (from, to, chunks), each added to the receiver's or in its place.
    fn step(&mut self, sends: &[(usize, usize, std::ops::Range<usize>)], add: bool) {
        let parts: Vec<Vec<u64>> =
            sends.iter().map(|(from, _, chunks)| self.values[*from][chunks.clone()].to_vec()).collect();
        for ((_, to, chunks), part) in sends.iter().zip(parts) {
            for (value, sent) in self.values[*to][chunks.clone()].iter_mut().zip(part) {
                *value = if add { *value + sent } else { sent };
            }
        }
        self.steps += 1;
        self.messages += sends.len() as u64;
    }

    fn ring(&mut self, n: usize) {
        for (round, add) in [(0, true), (1, false)] {
            for step in 0..n - 1 {
                let chunk = |node: usize| (node + round + n - step) % n;
                let send = |node: usize| (node, (node + 1) % n, chunk(node)..chunk(node) + 1);
                self.step(&(0..n).map(send).collect::<Vec<_>>(), add);
            }
        }
    }

    fn tree(&mut self, n: usize) {
        let distances: Vec<usize> =
            std::iter::successors(Some(1), |d| Some(d * 2)).take_while(|&d| d < n).collect();
        let pairs = |distance: usize| (0..n - distance).step_by(2 * distance);
        for &d in &distances {
            self.step(&pairs(d).map(|node| (node + d, node, 0..n)).collect::<Vec<_>>(), true);
        }
        for &d in distances.iter().rev() {
            self.step(&pairs(d).map(|node| (node, node + d, 0..n)).collect::<Vec<_>>(), false);
        }
    }
}

impl Trial for AllReduce {
    const NAME: &'static str = "all_reduce";
    const ABOUT: &'static str = "steps and messages of summing a vector over all agents";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("steps", "steps", "steps in which all send at once: 2(n − 1) or 2⌈log₂ n⌉"),
        MetricDef::lower("messages", "messages", "messages: 2n(n − 1) of a chunk, or 2(n − 1) of all"),
        MetricDef::higher("correct_share", "share", "agents that end with the sum ÷ agents"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let sound = (1..=1000).contains(&self.agents);
        Limits::new().fits(sound, "agents", self.agents, "from 1 to 1000").done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let n = self.agents as usize;
        let value = |agent: usize, chunk: usize| key.open(agent as u64, chunk as u64).next_u64() >> 16;
        let values: Vec<Vec<u64>> = (0..n).map(|a| (0..n).map(|c| value(a, c)).collect()).collect();
        let sums: Vec<u64> = (0..n).map(|chunk| values.iter().map(|own| own[chunk]).sum()).collect();
        let mut vectors = Vectors { values, steps: 0, messages: 0 };
        match self.algorithm {
            Algorithm::Ring => vectors.ring(n),
            Algorithm::Tree => vectors.tree(n),
        }
        let correct = vectors.values.iter().filter(|own| **own == sums).count();
        vec![vectors.steps as f64, vectors.messages as f64, correct as f64 / n as f64]
    }
}
