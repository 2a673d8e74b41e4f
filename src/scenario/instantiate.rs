//! From a valid scenario to the setup of one replication: everything that is drawn before a run.
//!
//! Tasks are addressed by their number, agents by theirs, faults by their law; nothing here depends on
//! the pattern, so that all patterns of a replication get the same. An absent agent is numbered after
//! all present ones and takes part in no choice: adding one changes no draw.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Scenario;
use super::file::{AgentGroup, CostSpec};
use super::work::{ClassSpec, ModelCalls};
use crate::engine::{Dist, Law, Purpose, Seed, Span, Time};
use crate::error::{Error, Problem};
use crate::fault::{self, Scope};
use crate::sim::{
    ClientSetup, Clock, Costs, KindCost, NetworkSetup, OnDeadline, RelaySetup, Setup, WorkSetup,
};
use crate::trace::{ClassId, SiteId, SkillId};
use crate::work::source::{Bounds, Calls, Laws, Named, Source, Stage, Step, TaskLaws, TaskRow, WorkLaw};
use crate::work::{AgentProfile, Fleet, FleetSpec, NumberDist, Shares, Tasks};

/// Slower agents than this would never end; a law with a tail towards zero asks for them.
const LEAST_SPEED: f64 = 0.01;

/// The groups in the order in which agents are numbered: those that are present first.
pub(super) fn numbered(groups: &[AgentGroup]) -> impl Iterator<Item = &AgentGroup> {
    groups.iter().filter(|group| group.present).chain(groups.iter().filter(|group| !group.present))
}

/// A law that was found valid.
fn law(dist: &Dist) -> Law {
    dist.law().expect("resolve has judged every law")
}

/// A law of numbers that was found valid.
fn number(dist: &NumberDist) -> Law {
    dist.law().expect("resolve has judged every law")
}

impl Scenario {
    /// Draws replication `replication` under the master seed `seed`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the tasks do not form a graph without circles.
    pub fn instantiate(&self, seed: Seed, replication: u32) -> Result<Setup, Error> {
        let file = &self.file;
        let fleet = Arc::new(self.fleet(seed, replication));
        let clock = Clock {
            horizon: Time::ZERO + file.run.horizon,
            drain: file.run.drain(),
            warmup: Time::ZERO + file.run.warmup(),
            finish: file.run.finish,
        };
        let faults = match &self.plan {
            Some(plan) => Arc::clone(plan),
            None => {
                let key = seed.key(replication, Purpose::Fault);
                let (from, end) = (clock.warmup, clock.end());
                let scope = Scope { fleet: &fleet, sites: &self.sites, from, end, key };
                Arc::new(fault::draw(&file.faults, &scope))
            }
        };
        Ok(Setup {
            seed,
            replication,
            clock,
            tasks: Arc::new(self.tasks(seed, replication, &fleet)?),
            faults,
            network: NetworkSetup {
                sites: Arc::clone(&self.sites),
                jitter: law(&file.network.jitter),
                loss: file.network.loss,
                order: file.network.order,
                transport: file.network.transport,
            },
            relay: RelaySetup {
                service: law(&file.relays.service),
                servers: file.relays.servers,
                capacity: Some(file.relays.capacity).filter(|capacity| *capacity > 0),
                discipline: file.relays.discipline,
                durable: file.relays.durable,
            },
            costs: Arc::new(costs(&file.costs)),
            client: ClientSetup { timeout: file.clients.timeout },
            work: WorkSetup {
                turn: file.work.turn,
                error_rate: file.work.error_rate,
                verify: law(&file.work.verify),
                detection: file.work.detection,
                on_deadline: file.work.on_deadline,
            },
            probes: self.probes(),
            checks: self.checks,
            params: Arc::new(file.pattern.clone()),
            fleet,
        })
    }

    /// The instants that expectations ask for, by their places.
    fn probes(&self) -> Arc<[Time]> {
        let mut probes: Vec<(usize, Span)> = self
            .expectations
            .iter()
            .filter_map(|expected| expected.probe)
            .map(|(at, place)| (place, at))
            .collect();
        probes.sort_unstable();
        probes.dedup();
        probes.into_iter().map(|(_, at)| Time::ZERO + at).collect()
    }

    /// Who takes part in a replication.
    pub(super) fn fleet(&self, seed: Seed, replication: u32) -> Fleet {
        let file = &self.file;
        let agent_key = seed.key(replication, Purpose::Agent);
        let count = numbered(&file.agents).map(|group| group.count as usize).sum();
        let mut agents = Vec::with_capacity(count);
        for group in numbered(&file.agents) {
            let speed = number(&group.speed);
            let skill = self.skill(&group.skill);
            for site in spread(&self.sites_of(&group.sites, &self.weights), group.count) {
                let entity = agents.len() as u64;
                let speed = speed.sample(&mut agent_key.open(entity, 0)).max(LEAST_SPEED);
                agents.push(AgentProfile {
                    site,
                    speed,
                    skill,
                    slots: group.slots,
                    discipline: group.discipline,
                    inbox: Some(group.inbox).filter(|inbox| *inbox > 0),
                    price_per_hour: group.price_per_hour,
                    price_per_kilotoken: group.price_per_kilotoken,
                    present: group.present,
                });
            }
        }
        let seat_key = seed.key(replication, Purpose::Seat);
        let present = agents.iter().filter(|agent| agent.present).count() as u32;
        let mut seat_order: Vec<u32> = (0..present).collect();
        // Each agent draws its own place, so that nobody's depends on how many there are.
        seat_order.sort_by_cached_key(|&agent| (seat_key.open(u64::from(agent), 0).next_u64(), agent));
        let relay_sites = self.sites_of(&file.relays.sites, &vec![1.0; self.sites.len()]);
        Fleet::new(FleetSpec {
            relay_sites: spread(&relay_sites, file.relays.count),
            client_sites: self.origins().into_iter().map(|origin| origin.0).collect(),
            agents,
            seat_order,
            relay_price_per_hour: file.relays.price_per_hour,
            client_price_per_hour: file.clients.price_per_hour,
        })
    }

    fn skill(&self, name: &str) -> SkillId {
        let index = self.skills.iter().position(|other| other == name);
        SkillId(index.expect("resolve has judged every skill") as u8)
    }

    fn site(&self, name: &str) -> SiteId {
        let index = (0..self.sites.len()).find(|&site| self.sites.name(SiteId(site as u16)) == name);
        SiteId(index.expect("resolve has judged every site") as u16)
    }

    /// Sites with their shares; those of `weights` where none are named.
    fn sites_of(&self, shares: &Shares, weights: &[f64]) -> Vec<(SiteId, f64)> {
        if shares.0.is_empty() {
            return weights.iter().enumerate().map(|(site, weight)| (SiteId(site as u16), *weight)).collect();
        }
        shares.0.iter().map(|(name, share)| (self.site(name), *share)).collect()
    }

    /// Sites of clients with their shares of the tasks.
    fn origins(&self) -> Vec<(SiteId, f64)> {
        self.sites_of(&self.file.clients.sites, &self.weights)
    }

    fn tasks(&self, seed: Seed, replication: u32, fleet: &Fleet) -> Result<Tasks, Error> {
        let source = self.file.work.source.as_ref().expect("resolve has asked for a source");
        let horizon = Time::ZERO + self.file.run.horizon;
        let arrivals = source.arrivals(horizon, &self.rows, seed.key(replication, Purpose::Arrival));
        let base = self.task_laws();
        let (names, parts) = self.classes(source, &base);
        let shares: Vec<f64> = self.file.work.classes.iter().map(|class| class.share).collect();
        let laws = Laws { base: &base, parts: &parts, shares: &shares };
        let named = |row: &TaskRow| Named {
            skill: row.skill.as_deref().map(|name| self.skill(name)),
            origin: row.origin.as_deref().map(|name| self.site(name)),
            class: row
                .class
                .as_ref()
                .and_then(|name| names.iter().position(|other| other == name))
                .map(class),
        };
        let expires = self.file.work.on_deadline != OnDeadline::Late;
        let bounds = Bounds { horizon, fastest: self.fastest(fleet), expires };
        let key = seed.key(replication, Purpose::Task);
        let list = source.tasks(&arrivals, laws, key, bounds, named);
        let tasks = Tasks::of(list).map_err(|error| {
            let problem = Problem::new(error.to_string()).key("work.source");
            Error::from(problem.remedy("remove one `after` of the circle"))
        })?;
        Ok(tasks.with_classes(names))
    }

    /// The highest speed any agent may ever have: grey failures can have factors above 1.
    fn fastest(&self, fleet: &Fleet) -> f64 {
        let nominal = fleet.present().map(|agent| fleet.speed(agent)).fold(LEAST_SPEED, f64::max);
        self.file.faults.slow.iter().map(|slow| slow.factor).fold(1.0, f64::max) * nominal
    }

    /// Names and laws of the classes: steps, stages or those of `[[work.classes]]`. One class called "task"
    /// needs no laws of its own.
    fn classes(&self, source: &Source, base: &TaskLaws) -> (Vec<String>, Vec<TaskLaws>) {
        let differ: Vec<Differs<'_>> = match source {
            Source::Dag(dag) => dag.steps.iter().map(Differs::from).collect(),
            Source::Route(route) => route.stages.iter().map(Differs::from).collect(),
            Source::Poisson(_)
            | Source::Renewal(_)
            | Source::Mmpp(_)
            | Source::Bursts(_)
            | Source::Batch(_)
            | Source::Trace(_)
            | Source::Tasks(_) => self.file.work.classes.iter().map(Differs::from).collect(),
        };
        if differ.is_empty() {
            return (vec!["task".to_owned()], Vec::new());
        }
        let part = |(index, differs): (usize, &Differs<'_>)| {
            (differs.name.to_owned(), self.part_laws(base, class(index), differs))
        };
        differ.iter().enumerate().map(part).unzip()
    }

    /// The laws of `[work]`.
    fn task_laws(&self) -> TaskLaws {
        let work = &self.file.work;
        let (task_work, mean_s) = match (&work.duration, &work.model_calls) {
            (Some(duration), _) => {
                let law = law(duration);
                let mean = law.mean();
                (WorkLaw::Duration(law), mean)
            }
            (None, Some(calls)) => self.calls(calls),
            // Each step or each task says its own.
            (None, None) => (WorkLaw::Duration(Law::fixed(Span::ZERO)), 0.0),
        };
        TaskLaws {
            class: ClassId(0),
            priority: 0,
            work: task_work,
            mean_work: Span::from_secs_f64(mean_s).min(Span::LONGEST),
            estimate: work.estimate,
            context_tokens: work.context_tokens.as_ref().map(number),
            work_tokens: number(&work.work_tokens),
            skills: work.skills.0.iter().map(|(name, share)| (self.skill(name), *share)).collect(),
            origins: self.origins(),
            deadline: work.deadline.as_ref().map(law),
            value: number(&work.value),
        }
    }

    /// The law of model calls, and the mean work of a task \[s\].
    fn calls(&self, spec: &ModelCalls) -> (WorkLaw, f64) {
        let calls = Calls {
            calls: number(&spec.calls),
            ttft: law(&spec.ttft),
            per_token: law(&spec.per_token),
            generated_tokens: number(&spec.generated_tokens),
            context_tokens: number(&spec.context_tokens),
            recording: Arc::clone(&self.rows),
        };
        let generated = if self.rows.is_empty() {
            calls.generated_tokens.mean()
        } else {
            let sum: f64 = self.rows.iter().map(|row| f64::from(row.1.generated_tokens)).sum();
            sum / self.rows.len() as f64
        };
        let mean = calls.calls.mean() * (calls.ttft.mean() + generated * calls.per_token.mean());
        (WorkLaw::Calls(Box::new(calls)), mean)
    }

    /// The laws of one class: those of `[work]`, unless it says otherwise.
    fn part_laws(&self, base: &TaskLaws, class: ClassId, differs: &Differs<'_>) -> TaskLaws {
        let mut laws = TaskLaws { class, priority: differs.priority, ..base.clone() };
        if let Some(work) = differs.work {
            let law = law(work);
            laws.mean_work = Span::from_secs_f64(law.mean()).min(Span::LONGEST);
            laws.work = WorkLaw::Duration(law);
        }
        if let Some(skill) = differs.skill {
            laws.skills = vec![(self.skill(skill), 1.0)];
        }
        if let Some(tokens) = differs.context_tokens {
            laws.context_tokens = Some(number(tokens));
        }
        if let Some(deadline) = differs.deadline {
            laws.deadline = Some(law(deadline));
        }
        laws
    }
}

/// What a class says for itself.
struct Differs<'a> {
    name: &'a str,
    work: Option<&'a Dist>,
    skill: Option<&'a String>,
    priority: i16,
    context_tokens: Option<&'a NumberDist>,
    deadline: Option<&'a Dist>,
}

impl<'a> From<&'a Step> for Differs<'a> {
    fn from(step: &'a Step) -> Differs<'a> {
        let Step { name, work, skill, priority, context_tokens, after: _ } = step;
        let (work, skill, context_tokens) = (work.as_ref(), skill.as_ref(), context_tokens.as_ref());
        Differs { name, work, skill, priority: *priority, context_tokens, deadline: None }
    }
}

impl<'a> From<&'a Stage> for Differs<'a> {
    fn from(stage: &'a Stage) -> Differs<'a> {
        let Stage { name, work, skill, priority, context_tokens, next: _ } = stage;
        let (work, skill, context_tokens) = (work.as_ref(), skill.as_ref(), context_tokens.as_ref());
        Differs { name, work, skill, priority: *priority, context_tokens, deadline: None }
    }
}

impl<'a> From<&'a ClassSpec> for Differs<'a> {
    fn from(spec: &'a ClassSpec) -> Differs<'a> {
        let ClassSpec { name, share: _, priority, duration, skill, deadline } = spec;
        let (work, skill, deadline) = (duration.as_ref(), skill.as_ref(), deadline.as_ref());
        Differs { name, work, skill, priority: *priority, context_tokens: None, deadline }
    }
}

fn class(index: usize) -> ClassId {
    ClassId(u16::try_from(index).expect("resolve has counted the classes"))
}

/// Places `count` nodes one after the other, each where the share of nodes lags most behind the share
/// asked for: evenly at every number, so that one more node moves nobody.
fn spread(shares: &[(SiteId, f64)], count: u32) -> Vec<SiteId> {
    let total: f64 = shares.iter().map(|share| share.1).sum();
    let mut owed = vec![0.0; shares.len()];
    let mut places = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let mut most = 0;
        for (index, (_, share)) in shares.iter().enumerate() {
            owed[index] += share / total;
            if owed[index] > owed[most] + 1e-9 {
                most = index;
            }
        }
        owed[most] -= 1.0;
        places.push(shares[most].0);
    }
    places
}

fn costs(spec: &CostSpec) -> Costs {
    let kind = |(name, kind): (&String, &super::file::KindSpec)| {
        let time = kind.time.as_ref().map(law);
        let cost = KindCost { plane: kind.plane, time, per_token: kind.per_token, priority: kind.priority };
        (name.clone(), cost)
    };
    Costs {
        harness: law(&spec.harness),
        cognition: law(&spec.cognition),
        cognition_per_token: spec.cognition_per_token,
        kinds: spec.kinds.iter().map(kind).collect::<BTreeMap<_, _>>(),
    }
}
