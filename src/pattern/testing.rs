//! What the tests of all patterns share: small setups, fault plans written by hand, and a log of records.
//!
//! Everything is constant and round (one site 10 ms across, harness 1 ms, cognition 1 s, relay 0.5 ms), so
//! that a test can say when a thing must have happened. Tests change the fields they care about.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::Checks;
use crate::engine::{EventId, Law, Rng, Seed, Span, Time};
use crate::fault::{Entry, FaultKind, FaultPlan, Group, Origin, Target};
use crate::net::{Order, Sites, TransportKind};
use crate::sim::{
    ClientSetup, Clock, Costs, NetworkSetup, OnDeadline, Protocol, RelaySetup, RunEnd, Setup, WorkSetup,
    ground, run,
};
use crate::trace::{ClassId, ExecutionId, Fact, Fingerprint, NodeId, Observer, Record, SiteId, TaskId};
use crate::work::{AgentProfile, Discipline, Fleet, FleetSpec, Release, TaskCard, TaskSpec, Tasks};

/// `agents` of speed 1 and skill 0, `relays`, one client, and `tasks` of `work` each that arrive evenly
/// from 1 s on and load the agents by one half.
pub(crate) fn setup(agents: u32, relays: u32, tasks: u32, work: Span) -> Setup {
    let spacing = work.mul_f64(2.0 / f64::from(agents));
    let arrival = |index: u32| Time::from_secs(1) + spacing.mul_f64(f64::from(index));
    setup_of(agents, relays, (0..tasks).map(|index| task(arrival(index), work)).collect())
}

/// The same, with these tasks; sorted by arrival.
pub(crate) fn setup_of(agents: u32, relays: u32, mut tasks: Vec<TaskSpec>) -> Setup {
    tasks.sort_by_key(|task| task.card.arrival);
    let horizon = tasks.last().map_or(Time::from_secs(1), |task| task.card.arrival);
    let longest = tasks.iter().map(|task| task.work).max().unwrap_or(Span::ZERO);
    Setup {
        seed: Seed(1),
        replication: 0,
        clock: Clock {
            horizon,
            drain: longest.mul_f64(10.0) + Span::from_secs(900),
            warmup: Time::ZERO,
            finish: crate::sim::Finish::Drained,
        },
        fleet: Arc::new(Fleet::new(fleet_spec(agents, relays))),
        tasks: Arc::new(Tasks::new(tasks).expect("no dependencies, no cycle")),
        faults: Arc::new(FaultPlan::default()),
        network: NetworkSetup {
            sites: Arc::new(Sites::single(Span::from_millis(10))),
            jitter: Law::fixed(Span::ZERO),
            loss: 0.0,
            order: Order::Fifo,
            transport: TransportKind::Direct,
        },
        relay: RelaySetup {
            service: Law::fixed(Span::from_micros(500)),
            servers: 1,
            capacity: None,
            discipline: Discipline::Fifo,
            durable: false,
        },
        costs: Arc::new(Costs {
            harness: Law::fixed(Span::from_millis(1)),
            cognition: Law::fixed(Span::from_secs(1)),
            cognition_per_token: Span::from_millis(1),
            kinds: BTreeMap::new(),
        }),
        client: ClientSetup { timeout: Span::from_secs(5) },
        work: WorkSetup {
            turn: Some(Span::from_secs(5)),
            error_rate: 0.0,
            verify: Law::fixed(Span::from_secs(2)),
            detection: 1.0,
            on_deadline: OnDeadline::Late,
        },
        probes: Arc::default(),
        checks: true,
        params: Arc::new(BTreeMap::new()),
    }
}

/// A fleet of `agents` present agents at one site, to be changed before `Fleet::new`.
pub(crate) fn fleet_spec(agents: u32, relays: u32) -> FleetSpec {
    FleetSpec {
        relay_sites: vec![SiteId(0); relays as usize],
        client_sites: vec![SiteId(0)],
        agents: vec![AgentProfile::at(SiteId(0)); agents as usize],
        seat_order: (0..agents).collect(),
        relay_price_per_hour: 1.0,
        client_price_per_hour: 1.0,
    }
}

/// A task of `work` that arrives at `arrival`, estimated rightly, with 100 tokens of context.
pub(crate) fn task(arrival: Time, work: Span) -> TaskSpec {
    TaskSpec {
        card: TaskCard {
            id: TaskId(0),
            origin: SiteId(0),
            arrival,
            context_tokens: 100,
            skill: None,
            class: ClassId(0),
            priority: 0,
            job: 0,
            deadline: None,
            value: 1.0,
            estimate: work,
        },
        work,
        work_tokens: 0,
        predecessors: Vec::new(),
        release: Release::Scheduled,
    }
}

/// `tasks` of exponential work (mean `work`), a Poisson stream from 1 s on that loads `agents` by `load`;
/// all estimated at the mean.
pub(crate) fn poisson(agents: u32, tasks: u32, work: Span, load: f64, seed: u64) -> Vec<TaskSpec> {
    let mut rng = Rng::from_state(seed);
    let mut exponential = |mean: Span| mean.mul_f64(-libm::log(rng.uniform()));
    let mut now = Time::from_secs(1);
    let gap = work.mul_f64(1.0 / (load * f64::from(agents)));
    (0..tasks)
        .map(|_| {
            now += exponential(gap);
            let mut spec = task(now, exponential(work));
            spec.card.estimate = work;
            spec
        })
        .collect()
}

/// The same setup, in which `entries` go wrong.
pub(crate) fn with_faults(setup: Setup, entries: Vec<Entry>) -> Setup {
    Setup { faults: Arc::new(FaultPlan::new(entries)), ..setup }
}

/// The same setup with one more agent that is never there.
pub(crate) fn with_absent_agent(setup: &Setup) -> Setup {
    let fleet = &setup.fleet;
    let mut agents = fleet.profiles().to_vec();
    agents.push(AgentProfile { present: false, ..agents[0] });
    let spec = FleetSpec {
        relay_sites: (0..fleet.relays()).map(|index| fleet.site(fleet.relay(index))).collect(),
        client_sites: (0..fleet.clients()).map(|index| fleet.site(fleet.client(index))).collect(),
        agents,
        seat_order: fleet.seat_order().map(|node| fleet.index_in_role(node)).collect(),
        relay_price_per_hour: fleet.relay_price_per_hour(),
        client_price_per_hour: fleet.client_price_per_hour(),
    };
    Setup { fleet: Arc::new(Fleet::new(spec)), ..setup.clone() }
}

/// `kind` strikes `target` from `at` on \[s\], until `until` \[s\] if it heals.
pub(crate) fn fault(at: u64, until: Option<u64>, kind: FaultKind, target: Target) -> Entry {
    Entry {
        at: Time::from_secs(at),
        until: until.map(Time::from_secs),
        kind,
        target,
        origin: Origin::Scheduled,
    }
}

/// `agents` are cut off from everybody else from `at` to `until` \[s\].
pub(crate) fn partition(at: u64, until: u64, agents: Vec<u32>) -> Entry {
    let groups = vec![Group { agents, ..Group::default() }];
    fault(at, Some(until), FaultKind::Partition { groups, one_way: false }, Target::Network)
}

/// Every agent stays for exponential sessions and is away for exponential absences, until `end`.
pub(crate) fn churn(agents: u32, session: Span, absence: Span, end: Time, seed: u64) -> Vec<Entry> {
    let mut rng = Rng::from_state(seed);
    let mut exponential = |mean: Span| mean.mul_f64(-libm::log(rng.uniform()));
    let mut entries = Vec::new();
    for agent in 0..agents {
        let mut at = Time::ZERO + exponential(session);
        while at < end {
            let until = at + exponential(absence);
            let (kind, target) = (FaultKind::Leave, Target::Agent(agent));
            entries.push(Entry { at, until: Some(until), kind, target, origin: Origin::Law });
            at = until + exponential(session);
        }
    }
    entries
}

/// Everything that happened in a run.
#[derive(Debug)]
pub(crate) struct Log {
    /// The records, in order.
    pub(crate) records: Vec<(Time, Record)>,
    /// Their digest.
    pub(crate) fingerprint: u64,
    /// How the run ended.
    pub(crate) end: RunEnd,
}

#[derive(Default)]
struct Collector(Vec<(Time, Record)>, Fingerprint);

impl Observer for Collector {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        self.0.push((at, *record));
        self.1.observe(at, cause, record);
    }
}

/// Runs `P` and keeps everything. Fails where a promise was broken or an unheard-of thing happened.
pub(crate) fn play<P: Protocol>(setup: &Setup, params: &P::Params) -> Log {
    P::check(params, &setup.fleet).expect("the parameters make sense");
    let checks = Checks::new(&ground::<P>(setup));
    let (end, (collector, checks)) = run::<P, _>(setup, params, (Collector::default(), checks));
    assert_eq!(end.violations, [], "promises of {}", P::NAME);
    assert_eq!(checks.broken(), Vec::<String>::new(), "invariants under {}", P::NAME);
    Log { records: collector.0, fingerprint: collector.1.value(), end }
}

impl Log {
    /// How many messages of kind `name` were sent.
    pub(crate) fn sent(&self, name: &str) -> usize {
        let number = self.end.kinds.0.iter().position(|kind| kind.name == name).expect("such a kind exists");
        self.count(|record| matches!(record, Record::Sent { kind, .. } if usize::from(*kind) == number))
    }
    /// How many messages the pattern sent, those of the client protocol aside.
    pub(crate) fn sent_by_pattern(&self) -> usize {
        self.count(|record| matches!(record, Record::Sent { kind, .. } if *kind >= 2))
    }
    /// How many records satisfy `test`.
    pub(crate) fn count(&self, test: impl Fn(&Record) -> bool) -> usize {
        self.records.iter().filter(|(_, record)| test(record)).count()
    }
    /// How many facts satisfy `test`.
    pub(crate) fn facts(&self, test: impl Fn(&Fact) -> bool) -> usize {
        self.count(|record| matches!(record, Record::Noted { fact, .. } if test(fact)))
    }
    /// How many tasks were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.count(|record| matches!(record, Record::Accepted { .. }))
    }
    /// How often a task that had an answer was settled again.
    pub(crate) fn double_settles(&self) -> usize {
        self.count(|record| matches!(record, Record::DoubleSettle { .. }))
    }
    /// When each task was accepted, and by which execution; in order of acceptance.
    pub(crate) fn acceptances(&self) -> Vec<(Time, TaskId, ExecutionId)> {
        let accepted = |(at, record): &(Time, Record)| match *record {
            Record::Accepted { task, execution, .. } => Some((*at, task, execution)),
            _ => None,
        };
        self.records.iter().filter_map(accepted).collect()
    }
    /// When each execution started, at which task, by whom; in order.
    pub(crate) fn starts(&self) -> Vec<(Time, TaskId, NodeId)> {
        let started = |(at, record): &(Time, Record)| match *record {
            Record::Started { task, node, .. } => Some((*at, task, node)),
            _ => None,
        };
        self.records.iter().filter_map(started).collect()
    }
    /// Decision latencies \[s\], in order: from arrival to the start of the accepted execution.
    pub(crate) fn decision_latencies(&self) -> Vec<f64> {
        let (mut arrived, mut started) = (BTreeMap::new(), BTreeMap::new());
        let mut latencies = Vec::new();
        for (at, record) in &self.records {
            match *record {
                Record::Arrived { task } => drop(arrived.insert(task, *at)),
                Record::Started { execution, .. } => drop(started.insert(execution, *at)),
                Record::Accepted { task, execution, .. } => {
                    latencies.push(started[&execution].since(arrived[&task]).as_secs_f64());
                }
                _ => {}
            }
        }
        latencies.sort_unstable_by(f64::total_cmp);
        latencies
    }
}
