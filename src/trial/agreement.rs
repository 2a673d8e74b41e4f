//! Agreement among replicas that live: what a decision costs in messages and time.
//!
//! A quorum round (Raft, Multi-Paxos): 2 messages per follower, latency an order statistic of round trips.
//! Two-phase commit (Gray 1978): 4 messages per participant, two round trips, commits if nobody votes no.
//! PBFT (Castro and Liskov, OSDI 1999), n = 3f + 1: 1 + (n − 1) + (n − 1)² + n(n − 1) + n messages a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::exchange::{Protocol, Wire, exchange};
use super::tools::Limits;
use crate::engine::{Dist, Key, Rng, Span};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// A leader asks its followers and waits for so many of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuorumRound {
    /// Followers asked: n − 1 of n nodes.
    pub followers: u32,
    /// Replies waited for. Default: ⌊(followers + 1)/2⌋, a majority together with the leader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u32>,
    /// Law of one one-way leg.
    pub leg: Dist,
    /// Followers reply; else the round ends with the `needed`-th delivery. Default true.
    #[serde(default = "yes")]
    pub replies: bool,
    /// Rounds a replication. Default 10000.
    #[serde(default = "ten_thousand")]
    pub rounds: u32,
}

fn yes() -> bool {
    true
}
fn ten_thousand() -> u32 {
    10_000
}

/// The leader of a round, the coordinator of a transaction, the client of a request; others follow it.
const FIRST: u32 = 0;

struct Quorum {
    followers: u32,
    needed: u32,
    replies: bool,
    reached: u32,
    latency_s: f64,
}

impl Protocol for Quorum {
    /// Whether it is a reply.
    type Message = bool;

    fn start(&mut self, wire: &mut Wire<'_, bool>) {
        (1..=self.followers).for_each(|follower| wire.send(FIRST, follower, false));
    }

    fn receive(&mut self, wire: &mut Wire<'_, bool>, _: u32, to: u32, reply: bool) {
        if self.replies && !reply {
            return wire.send(to, FIRST, true);
        }
        self.reached += 1;
        if self.reached == self.needed {
            self.latency_s = wire.now().as_secs_f64();
        }
    }
}

impl QuorumRound {
    fn needed(&self) -> u32 {
        self.needed.unwrap_or(self.followers.div_ceil(2))
    }
}

impl Trial for QuorumRound {
    const NAME: &'static str = "quorum_round";
    const ABOUT: &'static str = "messages and latency of a leader's round to a quorum (order statistics)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("latency_mean_s", "s", "mean time until `needed` followers have answered"),
        MetricDef::lower("messages_mean", "messages", "messages of a round, late replies included"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let needed = self.needed();
        let sound = (1..=self.followers).contains(&needed);
        Limits::new()
            .at_least("followers", self.followers, 1)
            .fits(sound, "needed", needed, "from 1 to `followers`")
            .law("leg", &self.leg)
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let law = self.leg.law().expect("checked");
        let (mut latency, mut messages) = (0.0, 0);
        for round in 0..self.rounds {
            let QuorumRound { followers, replies, .. } = *self;
            let quorum = Quorum { followers, needed: self.needed(), replies, reached: 0, latency_s: 0.0 };
            let ended = exchange(quorum, &law, key.within(u64::from(round)));
            latency += ended.protocol.latency_s;
            messages += ended.messages;
        }
        let rounds = f64::from(self.rounds);
        vec![latency / rounds, messages as f64 / rounds]
    }
}

/// A coordinator commits a transaction if all participants vote for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TwoPhaseCommit {
    /// Participants.
    pub participants: u32,
    /// Probability that one votes no. Default 0.
    #[serde(default)]
    pub votes_no: f64,
    /// Law of the latency of a message. Default 10 ms.
    #[serde(default = "latency")]
    pub latency: Dist,
    /// Transactions a replication. Default 10000.
    #[serde(default = "ten_thousand")]
    pub transactions: u32,
}

fn latency() -> Dist {
    Dist::Constant(Span::from_millis(10))
}

enum Phase {
    Prepare,
    Vote(bool),
    /// Commit or abort; participants acknowledge either.
    Decision,
    Acknowledge,
}

struct Transaction {
    participants: u32,
    votes_no: f64,
    rng: Rng,
    votes: u32,
    commits: bool,
}

impl Protocol for Transaction {
    type Message = Phase;

    fn start(&mut self, wire: &mut Wire<'_, Phase>) {
        (1..=self.participants).for_each(|node| wire.send(FIRST, node, Phase::Prepare));
    }

    fn receive(&mut self, wire: &mut Wire<'_, Phase>, _: u32, to: u32, phase: Phase) {
        match phase {
            Phase::Prepare => wire.send(to, FIRST, Phase::Vote(!self.rng.chance(self.votes_no))),
            Phase::Vote(yes) => {
                self.votes += 1;
                self.commits &= yes;
                if self.votes == self.participants {
                    (1..=self.participants).for_each(|node| wire.send(FIRST, node, Phase::Decision));
                }
            }
            Phase::Decision => wire.send(to, FIRST, Phase::Acknowledge),
            Phase::Acknowledge => {}
        }
    }
}

impl Trial for TwoPhaseCommit {
    const NAME: &'static str = "two_phase_commit";
    const ABOUT: &'static str = "messages, latency and outcome of two-phase commit (Gray 1978)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower(
            "messages_mean",
            "messages",
            "prepare, vote, decision, acknowledgement: 4 per participant",
        ),
        MetricDef::lower("latency_mean_s", "s", "mean time until the last acknowledgement"),
        MetricDef::higher("committed_share", "share", "transactions committed ÷ transactions"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("participants", self.participants, 1)
            .probability("votes_no", self.votes_no)
            .law("latency", &self.latency)
            .at_least("transactions", self.transactions, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let law = self.latency.law().expect("checked");
        let (mut messages, mut latency, mut committed) = (0, 0.0, 0u32);
        for transaction in 0..self.transactions {
            let key = key.within(u64::from(transaction));
            let TwoPhaseCommit { participants, votes_no, .. } = *self;
            let rng = key.open(0, 1);
            let ended =
                exchange(Transaction { participants, votes_no, rng, votes: 0, commits: true }, &law, key);
            messages += ended.messages;
            latency += ended.took_s;
            committed += u32::from(ended.protocol.commits);
        }
        let transactions = f64::from(self.transactions);
        vec![messages as f64 / transactions, latency / transactions, f64::from(committed) / transactions]
    }
}

/// One request to 3f + 1 replicas in the normal case, the client sending to the primary alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pbft {
    /// Replicas that may be faulty (f).
    pub faulty_max: u32,
    /// Backups that say nothing. Default 0; up to f of them are tolerated.
    #[serde(default)]
    pub silent: u32,
    /// Latency of a message. Default 10 ms.
    #[serde(default = "hop")]
    pub hop: Span,
}

fn hop() -> Span {
    Span::from_millis(10)
}

#[derive(Clone, Copy, PartialEq)]
enum Vote {
    Request,
    PrePrepare,
    Prepare,
    Commit,
    Reply,
}

#[derive(Clone, Default)]
struct Replica {
    accepted: bool,
    prepares: u32,
    commits: u32,
    prepared: bool,
    committed: bool,
}

struct Request {
    pbft: Pbft,
    /// By number from 1, the primary; 0 is the client.
    replicas: Vec<Replica>,
    replies: u32,
    answered_s: f64,
}

impl Request {
    fn count(&self) -> u32 {
        3 * self.pbft.faulty_max + 1
    }

    fn multicast(&self, wire: &mut Wire<'_, Vote>, from: u32, vote: Vote) {
        (1..=self.count()).filter(|&to| to != from).for_each(|to| wire.send(from, to, vote));
    }

    /// Moves `node` on as far as what it has heard allows; own votes count.
    fn advance(&mut self, wire: &mut Wire<'_, Vote>, node: u32) {
        let f = self.pbft.faulty_max;
        let replica = &mut self.replicas[node as usize];
        if replica.accepted && !replica.prepared && replica.prepares >= 2 * f {
            replica.prepared = true;
            replica.commits += 1;
            self.multicast(wire, node, Vote::Commit);
        }
        let replica = &mut self.replicas[node as usize];
        if replica.prepared && !replica.committed && replica.commits > 2 * f {
            replica.committed = true;
            wire.send(node, FIRST, Vote::Reply);
        }
    }
}

impl Protocol for Request {
    type Message = Vote;

    fn start(&mut self, wire: &mut Wire<'_, Vote>) {
        wire.send(FIRST, 1, Vote::Request);
    }

    fn receive(&mut self, wire: &mut Wire<'_, Vote>, _: u32, to: u32, vote: Vote) {
        if to > self.count() - self.pbft.silent {
            return;
        }
        let replica = &mut self.replicas[to as usize];
        match vote {
            Vote::Request => {
                replica.accepted = true;
                self.multicast(wire, to, Vote::PrePrepare);
            }
            Vote::PrePrepare => {
                replica.accepted = true;
                // The pre-prepare stands for the primary's prepare, which it never sends.
                replica.prepares += 1;
                self.multicast(wire, to, Vote::Prepare);
            }
            Vote::Prepare => replica.prepares += 1,
            Vote::Commit => replica.commits += 1,
            Vote::Reply => {
                self.replies += 1;
                if self.replies == self.pbft.faulty_max + 1 {
                    self.answered_s = wire.now().as_secs_f64();
                }
                return;
            }
        }
        self.advance(wire, to);
    }
}

impl Trial for Pbft {
    const NAME: &'static str = "pbft";
    const ABOUT: &'static str = "messages and latency of a PBFT request (Castro and Liskov 1999)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("messages", "messages", "request, pre-prepare, prepare, commit and reply, all told"),
        MetricDef::lower("latency_s", "s", "time until f + 1 replies: five hops; none if they never come"),
        MetricDef::neutral("replies", "messages", "replies to the client"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .fits(self.faulty_max <= 100, "faulty_max", self.faulty_max, "at most 100: messages grow as f²")
            .fits(self.silent <= 3 * self.faulty_max, "silent", self.silent, "no more than the 3f backups")
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let replicas = vec![Replica::default(); 3 * self.faulty_max as usize + 2];
        let request = Request { pbft: self.clone(), replicas, replies: 0, answered_s: f64::NAN };
        let ended = exchange(request, &crate::engine::Law::fixed(self.hop), key);
        vec![ended.messages as f64, ended.protocol.answered_s, f64::from(ended.protocol.replies)]
    }
}
