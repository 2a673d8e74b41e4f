//! Runs repeat: the same setup gives the same records, whoever else looks on and on how many threads.
//!
//! One small run with everything in it (two sites, jitter, loss, a crash, a partition) is repeated plainly,
//! with one more agent that is never there, and on threads of several pools at once. Every repetition must
//! have the fingerprint of the first, the absence of that agent aside: every draw has an address, and
//! nothing is shared between runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use crate::engine::{Dist, EventId, Key, Law, Seed, Span, Time};
use crate::error::{Error, Problem, Problems};
use crate::fault::{Entry, FaultKind, FaultPlan, Group, Origin, Target};
use crate::metrics::MetricDef;
use crate::net::{Order, Sites, TransportKind};
use crate::pattern::PATTERNS;
use crate::sim::{
    ClientSetup, Clock, Costs, Finish, NetworkSetup, OnDeadline, PatternDef, RelaySetup, Setup, WorkSetup,
};
use crate::trace::{ClassId, DownReason, Fingerprint, Observer, Record, SiteId, TaskId};
use crate::work::{AgentProfile, Discipline, Fleet, FleetSpec, Release, TaskCard, TaskSpec, Tasks};

/// A small eventful run of `pattern`, again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Determinism {
    /// Name of the pattern.
    pub pattern: String,
    /// Agents. Default 12.
    #[serde(default = "agents")]
    pub agents: u32,
    /// Tasks, of 20 s each on average. Default 60.
    #[serde(default = "tasks")]
    pub tasks: u32,
    /// Threads of the pools; a repetition on each thread of each. Default [1, 2, 4].
    #[serde(default = "threads")]
    pub threads: Vec<u32>,
}

fn agents() -> u32 {
    12
}
fn tasks() -> u32 {
    60
}
fn threads() -> Vec<u32> {
    vec![1, 2, 4]
}

impl Trial for Determinism {
    const NAME: &'static str = "determinism";
    const ABOUT: &'static str =
        "runs repeat: again, with an idle agent more, on several threads (bit equality)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("equal_share", "share", "repetitions with the fingerprint of the first run ÷ all"),
        MetricDef::neutral("records", "records", "records of the run"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::new();
        if self.def().is_none() {
            let names: Vec<&str> = PATTERNS.iter().map(|def| def.name).collect();
            let problem = Problem::new(format!("there is no pattern `{}`", self.pattern)).key("pattern");
            problems.push(problem.remedy(format!("the patterns are: {}", names.join(", "))));
        }
        for (key, wrong, remedy) in [
            ("agents", self.agents < 4, "at least 4: one crashes, others are cut off"),
            ("tasks", self.tasks == 0, "at least 1"),
            ("threads", self.threads.iter().any(|count| !(1..=64).contains(count)), "from 1 to 64 each"),
        ] {
            if wrong {
                problems.push(Problem::new("too few or too many").key(key).remedy(remedy));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let def = self.def().expect("it was checked");
        let setup = |extra| self.setup(key, extra);
        let first = repeat(def, &setup(0));
        let mut same = vec![repeat(def, &setup(0)) == first, repeat(def, &setup(1)) == first];
        for &count in &self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(count as usize).build();
            // Without the threads nothing is known, which is not equality.
            let many = pool.map(|pool| pool.broadcast(|_| repeat(def, &setup(0)) == first));
            same.extend(many.unwrap_or_else(|_| vec![false]));
        }
        let equal = same.iter().filter(|&&same| same).count() as f64;
        vec![equal / same.len() as f64, first.map_or(f64::NAN, |(_, records)| records as f64)]
    }
}

/// Fingerprint and number of the records of a run, the absence of agents aside.
fn repeat(def: &PatternDef, setup: &Setup) -> Option<(u64, u64)> {
    let mut seen = Present::default();
    let ran: Result<_, Error> = (def.watch)(setup, &mut seen);
    ran.ok().map(|_| (seen.digest.value(), seen.records))
}

#[derive(Debug, Default)]
struct Present {
    digest: Fingerprint,
    records: u64,
}

impl Observer for Present {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        if !matches!(record, Record::Down { why: DownReason::Absent, .. }) {
            self.digest.observe(at, cause, record);
            self.records += 1;
        }
    }
}

impl Determinism {
    fn def(&self) -> Option<&'static PatternDef> {
        PATTERNS.iter().find(|def| def.name == self.pattern)
    }

    /// The run, with `extra` agents more that are never there. Its seed comes from `key`.
    fn setup(&self, key: Key, extra: u32) -> Setup {
        let exponential = |mean| Dist::exponential(mean).law().expect("an exponential law has a mean");
        let horizon = Time::ZERO + Span::from_secs(5 * u64::from(self.tasks));
        Setup {
            seed: Seed(key.open(0, 0).next_u64()),
            replication: 0,
            clock: Clock {
                horizon,
                drain: Span::from_secs(300),
                warmup: Time::ZERO,
                finish: Finish::Drained,
            },
            fleet: Arc::new(self.fleet(extra)),
            tasks: Arc::new(self.work(key)),
            faults: Arc::new(self.plan(horizon)),
            network: NetworkSetup {
                sites: Arc::new(two_sites()),
                jitter: exponential(Span::from_millis(3)),
                loss: 0.01,
                order: Order::Fifo,
                transport: TransportKind::Direct,
            },
            relay: RelaySetup {
                service: exponential(Span::from_micros(500)),
                servers: 1,
                capacity: None,
                discipline: Discipline::Fifo,
                durable: true,
            },
            costs: Arc::new(Costs {
                harness: exponential(Span::from_millis(1)),
                cognition: exponential(Span::from_secs(1)),
                cognition_per_token: Span::ZERO,
                kinds: BTreeMap::new(),
            }),
            client: ClientSetup { timeout: Span::from_secs(5) },
            work: WorkSetup {
                turn: Some(Span::from_secs(5)),
                error_rate: 0.05,
                verify: Law::fixed(Span::from_secs(1)),
                detection: 0.9,
                on_deadline: OnDeadline::Late,
            },
            probes: Arc::default(),
            checks: false,
            params: Arc::default(),
        }
    }

    fn fleet(&self, extra: u32) -> Fleet {
        let agent = |index: u32| AgentProfile {
            speed: 1.0 + f64::from(index % 3) / 4.0,
            present: index < self.agents,
            ..AgentProfile::at(SiteId((index % 2) as u16))
        };
        Fleet::new(FleetSpec {
            relay_sites: vec![SiteId(0), SiteId(1)],
            client_sites: vec![SiteId(0), SiteId(1)],
            agents: (0..self.agents + extra).map(agent).collect(),
            seat_order: (0..self.agents).rev().collect(),
            relay_price_per_hour: 1.0,
            client_price_per_hour: 1.0,
        })
    }

    fn work(&self, key: Key) -> Tasks {
        let task = |index: u32| {
            let mut rng = key.open(1, u64::from(index));
            let mean = Span::from_secs(20);
            let card = TaskCard {
                id: TaskId(index),
                origin: SiteId((index % 2) as u16),
                arrival: Time::ZERO + Span::from_secs(5 * u64::from(index)),
                context_tokens: 100,
                skill: None,
                class: ClassId(0),
                priority: 0,
                job: index,
                deadline: None,
                value: 1.0,
                estimate: mean,
            };
            let work = mean.mul_f64(-libm::log(rng.uniform()));
            TaskSpec { card, work, work_tokens: 0, predecessors: Vec::new(), release: Release::Scheduled }
        };
        Tasks::new((0..self.tasks).map(task).collect()).expect("no dependencies, no cycle")
    }

    /// Whoever decides crashes, and others are cut off.
    fn plan(&self, horizon: Time) -> FaultPlan {
        let part = |share: f64| Time::ZERO + horizon.since(Time::ZERO).mul_f64(share);
        let entry = |at: f64, until: f64, kind, target| Entry {
            at: part(at),
            until: Some(part(until)),
            kind,
            target,
            origin: Origin::Scheduled,
        };
        let groups = vec![Group { agents: (1..self.agents / 2).collect(), ..Group::default() }];
        FaultPlan::new(vec![
            entry(0.2, 0.3, FaultKind::Crash, Target::Authority { seat: 0, otherwise: 0 }),
            entry(0.5, 0.6, FaultKind::Partition { groups, one_way: false }, Target::Network),
        ])
    }
}

fn two_sites() -> Sites {
    let (near, far) = (Span::from_millis(1), Span::from_millis(40));
    Sites::new(vec!["one".to_owned(), "other".to_owned()], vec![vec![near, far], vec![far, near]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Purpose;

    /// K-05 for every pattern, and another seed is another run.
    #[test]
    fn every_pattern_repeats() {
        for def in PATTERNS {
            let trial = Determinism {
                pattern: def.name.to_owned(),
                agents: agents(),
                tasks: tasks(),
                threads: vec![2],
            };
            trial.check().expect("it makes sense");
            let key = |replication| Seed(1).key(replication, Purpose::Trial);
            let values = trial.run(key(0));
            assert_eq!(values[0], 1.0, "{}", def.name);
            assert!(values[1] > 300.0, "{}: {} records", def.name, values[1]);
            let of = |replication| repeat(def, &trial.setup(key(replication), 0));
            assert_ne!(of(0), of(1), "{}", def.name);
        }
    }
}
