//! Raft elections after the leader's crash, message by message (Ongaro, dissertation 2014, ch. 9).
//!
//! Survivors wait for heartbeats; whose timeout ends first asks for votes. Votes split if too many time out
//! within one latency l of each other: with timeouts uniform over a range of 1 and s survivors of n,
//! P(split) = P(Bin(s, l) ≥ c − 1), c = s − ⌊n/2⌋ + 1. The first of s timeouts ends after 1/(s + 1)
//! on average.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::exchange::{Protocol, Wire, exchange};
use super::tools::Limits;
use crate::engine::{Dist, EventKey, Key, Law, Rng, Span};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::summary::percentiles;

/// Elections from the crash of a leader until another one has a majority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RaftElection {
    /// Servers of the cluster, crashed ones included (n).
    pub servers: u32,
    /// Servers that live (s), a majority at least.
    pub alive: u32,
    /// Of those, servers whose log is too short to win votes, though they stand. Default 0.
    #[serde(default)]
    pub ineligible: u32,
    /// Law of election timeouts.
    pub timeout: Dist,
    /// Law of the latency of a message.
    pub latency: Dist,
    /// Time between heartbeats: the crash is uniform between two, which restarted all timers at once.
    /// Default 0 s: all timers start at the crash.
    #[serde(default)]
    pub heartbeat: Span,
    /// Reported: the share of first timeouts within this time beyond the least possible one. Default 0 s.
    #[serde(default)]
    pub within: Span,
    /// Elections a replication. Default 10000.
    #[serde(default = "elections")]
    pub elections: u32,
}

fn elections() -> u32 {
    10_000
}

/// Terms after which an election is given up: only where every vote splits does it come to that.
const TERMS_MAX: u32 = 10_000;

#[derive(Clone, Copy)]
enum Message {
    RequestVote { term: u32 },
    Vote { term: u32 },
}

#[derive(Clone, Copy, Default)]
struct Server {
    term: u32,
    votes: u32,
    timer: Option<EventKey>,
}

struct Cluster<'a> {
    trial: &'a RaftElection,
    timeout: &'a Law,
    rng: Rng,
    servers: Vec<Server>,
    /// How long before the crash all timers started.
    age: Span,
    first_timeout: Option<f64>,
    /// Term and time of the first server with a majority.
    elected: Option<(u32, f64)>,
}

impl Cluster<'_> {
    fn restart_timer(&mut self, wire: &mut Wire<'_, Message>, server: u32, age: Span) {
        if let Some(timer) = self.servers[server as usize].timer.take() {
            wire.cancel(timer);
        }
        let wait = self.timeout.sample_span(&mut self.rng).saturating_sub(age);
        self.servers[server as usize].timer = Some(wire.wake_after(wait, server));
    }

    /// Ineligible servers come first, so that the others' draws do not depend on how many there are.
    fn eligible(&self, server: u32) -> bool {
        server >= self.trial.ineligible
    }
}

impl Protocol for Cluster<'_> {
    type Message = Message;

    fn start(&mut self, wire: &mut Wire<'_, Message>) {
        (0..self.trial.alive).for_each(|server| self.restart_timer(wire, server, self.age));
    }

    fn receive(&mut self, wire: &mut Wire<'_, Message>, from: u32, to: u32, message: Message) {
        if to >= self.trial.alive {
            return;
        }
        let standing = self.servers[to as usize];
        match message {
            // A later term always moves a server on, but only a log as good as its own earns the vote and
            // a fresh timer.
            Message::RequestVote { term } if term > standing.term => {
                self.servers[to as usize].term = term;
                self.servers[to as usize].votes = 0;
                if self.eligible(from) || !self.eligible(to) {
                    self.restart_timer(wire, to, Span::ZERO);
                    wire.send(to, from, Message::Vote { term });
                }
            }
            Message::Vote { term } if term == standing.term && standing.votes > 0 => {
                self.servers[to as usize].votes += 1;
                if standing.votes + 1 > self.trial.servers / 2 {
                    self.elected = Some((term, wire.now().as_secs_f64()));
                    wire.stop();
                }
            }
            // A vote is given once a term, and votes for a past term are worth nothing.
            Message::RequestVote { .. } | Message::Vote { .. } => {}
        }
    }

    fn wake(&mut self, wire: &mut Wire<'_, Message>, server: u32) {
        self.first_timeout.get_or_insert(wire.now().as_secs_f64());
        let candidate = &mut self.servers[server as usize];
        candidate.term += 1;
        candidate.votes = 1;
        let term = candidate.term;
        if term > TERMS_MAX {
            return wire.stop();
        }
        for other in (0..self.trial.servers).filter(|&other| other != server) {
            wire.send(server, other, Message::RequestVote { term });
        }
        if self.trial.servers == 1 {
            self.elected = Some((term, wire.now().as_secs_f64()));
            return wire.stop();
        }
        self.restart_timer(wire, server, Span::ZERO);
    }
}

impl Trial for RaftElection {
    const NAME: &'static str = "raft_election";
    const ABOUT: &'static str = "split votes and duration of Raft elections (Ongaro 2014, ch. 9)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("split_share", "share", "elections that needed more than one term ÷ elections"),
        MetricDef::lower("first_timeout_mean_s", "s", "mean time from the crash to the first timeout"),
        MetricDef::neutral(
            "first_timeout_within_share",
            "share",
            "first timeouts at most `within` after the least timeout possible ÷ elections",
        ),
        MetricDef::lower(
            "election_mean_s",
            "s",
            "mean time from the crash to a majority; none if one never came",
        ),
        MetricDef::lower("election_p50_s", "s", "median of the same"),
        MetricDef::lower("election_p90_s", "s", "0.9-quantile of the same"),
        MetricDef::lower("election_p999_s", "s", "0.999-quantile of the same"),
        MetricDef::lower("messages_mean", "messages", "messages of an election, to crashed servers too"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let majority = self.servers / 2 + 1;
        let alive = (majority..=self.servers).contains(&self.alive);
        let shortest = self.timeout.law().map_or(0.0, |law| law.quantile(0.0));
        let heartbeat = self.heartbeat.as_secs_f64() <= shortest;
        Limits::new()
            .at_least("servers", self.servers, 1)
            .fits(alive, "alive", self.alive, format!("a majority, {majority}, to `servers`"))
            .fits(self.ineligible < self.alive.max(1), "ineligible", self.ineligible, "fewer than `alive`")
            .law("timeout", &self.timeout)
            .law("latency", &self.latency)
            .fits(heartbeat, "heartbeat", self.heartbeat, "no longer than the shortest timeout")
            .at_least("elections", self.elections, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (timeout, latency) = (self.timeout.law().expect("checked"), self.latency.law().expect("checked"));
        let early = timeout.quantile(0.0) + self.within.as_secs_f64();
        let (mut splits, mut within, mut messages) = (0u32, 0u32, 0);
        let (mut first_timeouts, mut times) = (0.0, Vec::with_capacity(self.elections as usize));
        for election in 0..self.elections {
            let key = key.within(u64::from(election));
            let mut rng = key.open(0, 1);
            let age = self.heartbeat.mul_f64(rng.uniform());
            let servers = vec![Server::default(); self.alive as usize];
            let cluster = Cluster {
                trial: self,
                timeout: &timeout,
                rng,
                servers,
                age,
                first_timeout: None,
                elected: None,
            };
            let ended = exchange(cluster, &latency, key);
            let (term, time) = ended.protocol.elected.unwrap_or((TERMS_MAX, f64::NAN));
            let first = ended.protocol.first_timeout.expect("nobody is elected without a timeout");
            splits += u32::from(term > 1);
            within += u32::from(first + age.as_secs_f64() <= early);
            first_timeouts += first;
            messages += ended.messages;
            times.push(time);
        }
        let elections = f64::from(self.elections);
        let quantiles = percentiles(&times, &[0.5, 0.9, 0.999]);
        let mean = crate::stats::moments::mean(&times);
        let (split, within) = (f64::from(splits) / elections, f64::from(within) / elections);
        let (first, messages) = (first_timeouts / elections, messages as f64 / elections);
        vec![split, first, within, mean, quantiles[0], quantiles[1], quantiles[2], messages]
    }
}
