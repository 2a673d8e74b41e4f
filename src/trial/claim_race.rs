//! Agents that poll for work, and claim the same task because a claim takes time to be seen.
//!
//! N agents poll; a task appears at a random instant, and whoever polls before the first claim is visible
//! (δ after it was made) claims too. With period P and independent phases, l = δ/P, a task gets
//! 1 + N·l − l^N claims, and just one with probability (1−l)^N; with memoryless polls at rate r, x = rδ,
//! it is 1 + (N−1)(1−e^(−x)) and e^(−(N−1)x). The relay's claim table grants the first in any case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, exponential};
use crate::engine::{Agenda, Engine, Key, Model, Rng, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::relay::{Claim, Claims};
use crate::trace::{NodeId, TaskId};

/// More do not fit a machine; a slip of the pen asks for them.
const MOST_AGENTS: u32 = 1_000_000;

/// When agents poll.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Polling {
    /// Every `interval`, each agent in its own phase.
    #[default]
    Periodic,
    /// At random instants, `interval` apart on average.
    Poisson,
}

/// One task a round; `agents` poll until one claim is visible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimRace {
    /// Agents that poll.
    pub agents: u32,
    /// When. Default periodic.
    #[serde(default)]
    pub polling: Polling,
    /// Time between two polls of an agent; the mean if they are random.
    pub interval: Span,
    /// A claim is seen by others this long after it was made; up to `interval` if polls are periodic.
    pub visible_after: Span,
    /// Tasks a replication. Default 10000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn rounds() -> u32 {
    10_000
}

/// One task.
struct Race<'a> {
    setup: &'a ClaimRace,
    rng: Rng,
    claims: Claims,
    made: Vec<bool>,
    visible: Time,
    conflicts: u32,
}

impl Race<'_> {
    fn wait(&mut self, first: bool) -> Span {
        match self.setup.polling {
            Polling::Periodic if first => self.setup.interval.mul_f64(self.rng.uniform()),
            Polling::Periodic => self.setup.interval,
            Polling::Poisson => self.setup.interval.mul_f64(exponential(&mut self.rng)),
        }
    }
}

impl Model for Race<'_> {
    type Event = NodeId;

    fn handle(&mut self, agent: NodeId, agenda: &mut Agenda<NodeId>) {
        if agenda.now() >= self.visible {
            return agenda.stop();
        }
        if !std::mem::replace(&mut self.made[agent.index()], true) {
            match self.claims.claim(agenda.now(), agent, TaskId(0), None) {
                Claim::Granted { .. } => self.visible = agenda.now() + self.setup.visible_after,
                Claim::Conflict { .. } => self.conflicts += 1,
                Claim::Gone => unreachable!("nobody does the task"),
            }
        }
        let wait = self.wait(false);
        agenda.after(wait, agent);
    }
}

impl Trial for ClaimRace {
    const NAME: &'static str = "claim_race";
    const ABOUT: &'static str =
        "pollers that claim one task before the first claim is visible (order statistics)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("claimers_mean", "agents", "agents that claim a task, mean over tasks"),
        MetricDef::higher("single_claim_share", "share", "tasks that one agent alone claims ÷ tasks"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let patient = self.polling == Polling::Poisson || self.visible_after <= self.interval;
        Limits::new()
            .at_least("agents", self.agents, 1.0)
            .holds(
                self.agents <= MOST_AGENTS,
                "agents",
                "so many do not fit into memory",
                "at most a million",
            )
            .at_least("rounds", self.rounds, 1.0)
            .positive("interval", self.interval.as_secs_f64())
            .holds(patient, "visible_after", "an agent would poll twice", "at most `interval`")
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mut claimers, mut single) = (0u64, 0u32);
        for round in 0..self.rounds {
            let mut race = Race {
                setup: self,
                rng: key.open(u64::from(round), 0),
                claims: Claims::default(),
                made: vec![false; self.agents as usize],
                visible: Time::MAX,
                conflicts: 0,
            };
            let waits: Vec<Span> = (0..self.agents).map(|_| race.wait(true)).collect();
            let mut engine = Engine::new(race);
            for (agent, wait) in waits.into_iter().enumerate() {
                engine.agenda().after(wait, NodeId(agent as u32));
            }
            engine.run();
            claimers += 1 + u64::from(engine.model().conflicts);
            single += u32::from(engine.model().conflicts == 0);
        }
        let rounds = f64::from(self.rounds);
        vec![claimers as f64 / rounds, f64::from(single) / rounds]
    }
}
