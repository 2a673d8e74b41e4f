//! Stations against queueing theory: disciplines, slots and bounded inboxes, and what faults do to them.
//!
//! Cases of `../shared/validation/cases.md`: Q-15 (M/M/1/K), Q-40 (Cobham), Q-49 (processor sharing). The
//! station is a coordinator that handles submissions or a worker that executes; all other costs are nil.

use std::sync::Arc;

use super::laws::{check, column};
use super::testing::{fault, fleet_spec, play, poisson, setup_of, task};
use super::{Hierarchical, PATTERNS, hierarchical};
use crate::engine::{Dist, Law, Rng, Seed, Span, Time};
use crate::fault::{Entry, FaultKind, FaultPlan, Target};
use crate::metrics::MetricSet;
use crate::net::Sites;
use crate::sim::{KindCost, Outcome, Setup, measure};
use crate::trace::{ClassId, Plane};
use crate::work::{AgentProfile, Discipline, Fleet, TaskSpec, Tasks};

const TASKS: u32 = 12_000;
const REPLICATIONS: u64 = 8;

fn seconds(seconds: u64) -> Span {
    Span::from_secs(seconds)
}

/// One coordinator and one worker like `agent`, who do `specs`; nothing costs time but the tasks and
/// submissions of law `submit`.
fn setup(agent: AgentProfile, specs: Vec<TaskSpec>, submit: Law) -> Setup {
    let mut setup = setup_of(2, 0, specs);
    let fleet = crate::work::FleetSpec { agents: vec![agent; 2], ..fleet_spec(2, 0) };
    setup.fleet = Arc::new(Fleet::new(fleet));
    let mut costs = (*setup.costs).clone();
    costs.harness = Law::fixed(Span::ZERO);
    costs.cognition = Law::fixed(Span::ZERO);
    costs.cognition_per_token = Span::ZERO;
    let nil = Law::fixed(Span::ZERO);
    let cost = |plane, time| KindCost { plane, time: Some(time), per_token: Span::ZERO, priority: 0 };
    costs.kinds.insert("submit".to_owned(), cost(None, submit));
    // Results do not queue behind submissions.
    costs.kinds.insert("result".to_owned(), cost(Some(Plane::Cognition), nil));
    setup.costs = Arc::new(costs);
    setup.network.sites = Arc::new(Sites::single(Span::ZERO));
    setup.work.turn = None;
    // Nobody asks twice.
    setup.client.timeout = seconds(1_000_000_000);
    let warmup = setup.clock.horizon.as_nanos() / 10;
    setup.clock.warmup = Time::from_nanos(warmup);
    let params = serde_json::to_value(params()).unwrap();
    setup.params = Arc::new([("hierarchical".to_owned(), params)].into());
    setup
}

fn params() -> hierarchical::Params {
    hierarchical::Params {
        worker_queue: 1_000_000,
        heartbeat: Span::ZERO,
        assign_timeout: Span::ZERO,
        result_timeout: seconds(1_000_000),
        ..hierarchical::Params::default()
    }
}

fn agent(discipline: Discipline) -> AgentProfile {
    AgentProfile { discipline, ..AgentProfile::at(crate::trace::SiteId(0)) }
}

/// A coordinator like `agent` whose submissions come at `rate` a second and cost a time of law `service`.
fn coordinator(agent: AgentProfile, rate: f64, service: &Law) -> Vec<MetricSet> {
    let run = |seed| {
        let mut specs = poisson(1, TASKS, seconds(1), rate, 7_000 + seed);
        for spec in &mut specs {
            spec.work = Span::from_nanos(1);
        }
        let mut setup = Setup { seed: Seed(seed), ..setup(agent, specs, service.clone()) };
        // What the ledger says is of the whole run, to the end of the drain.
        setup.clock.drain = Span::ZERO;
        measure::<Hierarchical>(&setup).expect("no invariant breaks").metrics
    };
    (0..REPLICATIONS).map(run).collect()
}

/// A worker like `agent` whose tasks come at `rate` a second, the share `high` of them in class 1 with
/// priority 1, and take a time of law `service`.
fn worker(agent: AgentProfile, rate: f64, high: f64, service: &Law) -> Vec<Outcome> {
    let run = |seed| {
        let mut specs = poisson(1, TASKS, seconds(1), rate, 8_000 + seed);
        let mut rng = Rng::from_state(9_000 + seed);
        for spec in &mut specs {
            spec.work = service.sample_span(&mut rng).max(Span::from_nanos(1));
            let class = rng.uniform() < high;
            (spec.card.class, spec.card.priority) = (ClassId(u16::from(class)), i16::from(class));
        }
        let tasks = Tasks::new(specs.clone()).unwrap();
        let classes = vec!["data".to_owned(), "control".to_owned()];
        let mut setup = setup(agent, specs, Law::fixed(Span::ZERO));
        setup.tasks = Arc::new(tasks.with_classes(classes));
        measure::<Hierarchical>(&setup).expect("no invariant breaks")
    };
    (0..REPLICATIONS).map(run).collect()
}

fn values(runs: &[Outcome], metric: &str, class: Option<&str>) -> Vec<f64> {
    runs.iter().map(|run| run.value(metric, class).expect("a column")).collect()
}

fn exponential() -> Law {
    Dist::exponential(seconds(1)).law().unwrap()
}

/// Two exponentials with balanced means, mean 1 and squared coefficient of variation 4.
fn scattered(rng: &mut Rng) -> Span {
    let p = 0.5 * (1.0 + libm::sqrt(3.0 / 5.0));
    let rate = if rng.uniform() < p { 2.0 * p } else { 2.0 * (1.0 - p) };
    Span::from_secs_f64(-libm::log(rng.uniform()) / rate)
}

/// mean sojourn 1/(1 − ρ), whatever the law of service; L = ρ/(1 − ρ).
#[test]
fn a_sharing_coordinator_is_the_processor_sharing_queue() {
    for service in [exponential(), Law::fixed(seconds(1))] {
        let runs = coordinator(agent(Discipline::Sharing), 0.6, &service);
        check("sojourn", &column(&runs, "authority_sojourn_mean_s"), 2.5, 0.04);
        check("inbox", &column(&runs, "authority_inbox_mean"), 1.5, 0.05);
        check("busy", &column(&runs, "authority_busy_share"), 0.6, 0.02);
    }
}

/// K = 5, λ = 0.9: P(drop) = 0.126023, L = 2.19478; W = L/(λ(1 − P)).
#[test]
fn a_coordinator_with_a_bounded_inbox_is_the_mm1k_queue() {
    let bounded = AgentProfile { inbox: Some(5), ..agent(Discipline::Fifo) };
    let runs = coordinator(bounded, 0.9, &exponential());
    check("dropped", &column(&runs, "authority_drop_share"), 0.126_023, 0.04);
    check("inbox", &column(&runs, "authority_inbox_mean"), 2.194_78, 0.03);
    check("sojourn", &column(&runs, "authority_sojourn_mean_s"), 2.790_29, 0.03);
}

/// The order among equals does not change the mean: 1/(1 − ρ), first or last come first served.
#[test]
fn a_coordinator_that_takes_the_last_first_is_on_average_as_fast() {
    let runs = coordinator(agent(Discipline::Lifo), 0.6, &exponential());
    check("sojourn", &column(&runs, "authority_sojourn_mean_s"), 2.5, 0.05);
    let runs = worker(agent(Discipline::Lifo), 0.6, 0.0, &exponential());
    check("sojourn", &values(&runs, "sojourn_mean_s", None), 2.5, 0.05);
}

/// λ = 0.2 of control and 0.5 of data; Cobham: 0.875 and 2.916667 of waiting.
#[test]
fn priority_is_cobhams_head_of_the_line() {
    let runs = worker(agent(Discipline::Priority), 0.7, 2.0 / 7.0, &exponential());
    check("control", &values(&runs, "decision_latency_mean_s", Some("control")), 0.875, 0.05);
    check("data", &values(&runs, "decision_latency_mean_s", Some("data")), 2.916_667, 0.10);
}

/// The same arrivals, preemptive resume: T₁ = 1/(1 − ρ₁) = 1.25 and
/// T₂ = 1/(1 − ρ₁) + R/((1 − ρ₁)(1 − ρ₁ − ρ₂)) = 1.25 + 0.7/0.24, with R = (λ₁ + λ₂)E\[S²\]/2 = 0.7.
#[test]
fn preemptive_work_goes_on_with_what_is_left() {
    let runs = worker(agent(Discipline::Preemptive), 0.7, 2.0 / 7.0, &exponential());
    check("control", &values(&runs, "sojourn_mean_s", Some("control")), 1.25, 0.04);
    check("data", &values(&runs, "sojourn_mean_s", Some("data")), 4.166_667, 0.10);
}

/// Three slots are three servers: Erlang C with c = 3, λ = 2 waits 0.444444.
#[test]
fn slots_are_servers() {
    let slots = AgentProfile { slots: 3, ..agent(Discipline::Fifo) };
    let runs = worker(slots, 2.0, 0.0, &exponential());
    check("waiting", &values(&runs, "decision_latency_mean_s", None), 0.444_444, 0.10);
    check("load", &values(&runs, "load_rho", None), 1.0 / 3.0, 0.02);
}

/// An agent that does all its tasks at once: M/G/1-PS with work of squared coefficient of variation 4; its
/// time is that of the tasks, to the nanosecond (`measure` checks).
#[test]
fn executions_share_the_attention_of_an_agent() {
    let run = |seed| {
        let mut specs = poisson(1, TASKS, seconds(1), 0.6, 6_000 + seed);
        let mut rng = Rng::from_state(5_000 + seed);
        for spec in &mut specs {
            spec.work = scattered(&mut rng);
        }
        let mut setup = setup(agent(Discipline::Sharing), specs, Law::fixed(Span::ZERO));
        setup.clock.drain = Span::ZERO;
        measure::<Hierarchical>(&setup).expect("no invariant breaks").metrics
    };
    let runs: Vec<MetricSet> = (0..REPLICATIONS).map(run).collect();
    check("sojourn", &column(&runs, "sojourn_mean_s"), 2.5, 0.06);
    // The coordinator is half of the fleet and never executes.
    let executing: Vec<f64> = column(&runs, "utilisation").iter().map(|share| 2.0 * share).collect();
    check("utilisation", &executing, 0.6, 0.03);
}

/// Acceptances \[s\] by task of a worker like `agent` that gets tasks of (arrival, work, priority) \[s\].
fn accepted(agent: AgentProfile, tasks: &[(u64, u64, i16)], faults: Vec<Entry>) -> Vec<(u32, f64)> {
    let specs = tasks.iter().map(|&(arrival, work, priority)| {
        let mut spec = task(Time::from_secs(arrival), seconds(work));
        spec.card.priority = priority;
        spec
    });
    let mut setup = setup(agent, specs.collect(), Law::fixed(Span::ZERO));
    setup.faults = Arc::new(FaultPlan::new(faults));
    measure::<Hierarchical>(&setup).expect("no invariant breaks");
    let log = play::<Hierarchical>(&setup, &params());
    log.acceptances().iter().map(|(at, task, _)| (task.0, at.as_secs_f64())).collect()
}

/// Agent 0 has the seat of authority, agent 1 works.
fn strikes(kind: FaultKind, at: u64, until: u64) -> Vec<Entry> {
    vec![fault(at, Some(until), kind, Target::Agent(1))]
}

#[test]
fn a_pause_leaves_every_share_as_it_was() {
    let tasks = [(1, 10, 0), (5, 10, 0)];
    let sharing = agent(Discipline::Sharing);
    assert_eq!(accepted(sharing, &tasks, Vec::new()), [(0, 17.0), (1, 21.0)]);
    let paused = strikes(FaultKind::Pause, 7, 10);
    assert_eq!(accepted(sharing, &tasks, paused), [(0, 20.0), (1, 24.0)]);
    // At 7 s the first has 5 left and goes at a quarter, at 11 s 4 and goes at a half.
    let slow = strikes(FaultKind::Slow { factor: 0.5 }, 7, 11);
    assert_eq!(accepted(sharing, &tasks, slow), [(0, 19.0), (1, 23.0)]);
}

#[test]
fn what_gave_way_goes_on_and_a_pause_does_not_change_the_order() {
    let tasks = [(1, 10, 0), (5, 3, 1), (6, 1, 2), (6, 2, 1)];
    let preemptive = agent(Discipline::Preemptive);
    // 1–5 the first, 5–6 the second, 6–7 the third, 7–9 the second, 9–11 the fourth, 11–17 the first.
    let order = [(2, 7.0), (1, 9.0), (3, 11.0), (0, 17.0)];
    assert_eq!(accepted(preemptive, &tasks, Vec::new()), order);
    let paused = strikes(FaultKind::Pause, 2, 6);
    let order = [(2, 7.0), (1, 10.0), (3, 12.0), (0, 21.0)];
    assert_eq!(accepted(preemptive, &tasks, paused), order);
    let patient = [(0, 11.0), (2, 12.0), (1, 15.0), (3, 17.0)];
    assert_eq!(accepted(agent(Discipline::Priority), &tasks, Vec::new()), patient);
}

/// Three submissions of 2 s at 1 s, and results of 1 s that come a nanosecond after each is handled.
#[test]
fn kinds_of_messages_have_priorities() {
    let specs = || vec![task(Time::from_secs(1), Span::from_nanos(1)); 3];
    let accepted = |discipline| {
        let mut setup = setup(agent(discipline), specs(), Law::fixed(seconds(2)));
        let mut costs = (*setup.costs).clone();
        let time = Some(Law::fixed(seconds(1)));
        let result = KindCost { plane: None, time, per_token: Span::ZERO, priority: 1 };
        costs.kinds.insert("result".to_owned(), result);
        setup.costs = Arc::new(costs);
        let log = play::<Hierarchical>(&setup, &params());
        log.acceptances().iter().map(|(at, ..)| at.as_nanos()).collect::<Vec<_>>()
    };
    let (s, ns) = (1_000_000_000, 1);
    // 1–3–5–7 submissions, then results; the last submission is handled at 7 s.
    assert_eq!(accepted(Discipline::Fifo), [8 * s, 9 * s, 10 * s]);
    // 1–3–5 two submissions, 5–6 the first result, 6–7 the second, 7–9 the last submission.
    assert_eq!(accepted(Discipline::Priority), [6 * s, 7 * s, 10 * s + ns]);
    // Each result interrupts the submission that began a nanosecond before.
    assert_eq!(accepted(Discipline::Preemptive), [4 * s + ns, 7 * s + ns, 10 * s + ns]);
}

/// Two slots, turns of 5 s: a message for cognition is read at the first end of a turn.
#[test]
fn a_message_takes_the_first_turn_that_ends() {
    let slots = AgentProfile { slots: 2, ..agent(Discipline::Fifo) };
    let specs = [(1, 12), (3, 12), (6, 1)].map(|(at, work)| task(Time::from_secs(at), seconds(work)));
    let mut setup = setup(slots, specs.to_vec(), Law::fixed(Span::ZERO));
    setup.work.turn = Some(seconds(5));
    let mut costs = (*setup.costs).clone();
    let time = Some(Law::fixed(seconds(2)));
    let reading = KindCost { plane: None, time, per_token: Span::ZERO, priority: 0 };
    costs.kinds.insert("read_context".to_owned(), reading);
    setup.costs = Arc::new(costs);
    let log = play::<Hierarchical>(&setup, &params());
    let starts: Vec<f64> = log.starts().iter().map(|start| start.0.as_secs_f64()).collect();
    // Read 1–3 and 3–5 beside each other; the first turn ends at 8 s, the third context is read until 10 s,
    // and the first execution goes on before the third begins.
    assert_eq!(starts, [3.0, 5.0, 17.0]);
    let accepted: Vec<f64> = log.acceptances().iter().map(|one| one.0.as_secs_f64()).collect();
    assert_eq!(accepted, [17.0, 17.0, 18.0]);
}

/// The first execution hangs and is done again; the other stands still, and goes on, meanwhile.
#[test]
fn one_hang_stops_what_is_done_beside_it() {
    let slots = AgentProfile { slots: 2, ..agent(Discipline::Fifo) };
    let tasks = [(1, 10, 0), (2, 10, 0)];
    assert_eq!(accepted(slots, &tasks, Vec::new()), [(0, 11.0), (1, 12.0)]);
    let stalled = strikes(FaultKind::Stall, 4, 9);
    assert_eq!(accepted(slots, &tasks, stalled), [(1, 17.0), (0, 19.0)]);
    // Sharing, the second has done 1 by 4 s; from 9 s on it shares with the first, done again from its start.
    let stalled = strikes(FaultKind::Stall, 4, 9);
    assert_eq!(accepted(agent(Discipline::Sharing), &tasks, stalled), [(1, 27.0), (0, 28.0)]);
}

/// Whatever the pattern, the discipline and the fault, nothing is lost from the books.
#[test]
fn books_balance_under_every_discipline_and_fault() {
    use Discipline::{Fifo, Lifo, Preemptive, Priority, Sharing};
    let entries = vec![
        fault(60, Some(90), FaultKind::Pause, Target::Agents(vec![1, 2])),
        fault(100, Some(140), FaultKind::Stall, Target::Agents(vec![0, 3])),
        fault(130, Some(200), FaultKind::Slow { factor: 0.3 }, Target::Agents(vec![1, 3])),
        fault(150, Some(180), FaultKind::Crash, Target::Agents(vec![2, 3])),
        fault(220, Some(230), FaultKind::Outage, Target::Relay(0)),
        fault(240, Some(250), FaultKind::Pause, Target::Agents(vec![0, 1, 2, 3, 4])),
    ];
    for discipline in [Fifo, Lifo, Priority, Preemptive, Sharing] {
        let mut specs = poisson(5, 100, seconds(8), 0.9, 3);
        for (index, spec) in specs.iter_mut().enumerate() {
            spec.card.priority = (index % 3) as i16;
        }
        let mut setup = setup_of(5, 1, specs);
        let profile = AgentProfile { slots: 2, inbox: Some(20), ..agent(discipline) };
        let fleet = crate::work::FleetSpec { agents: vec![profile; 5], ..fleet_spec(5, 1) };
        setup.fleet = Arc::new(Fleet::new(fleet));
        setup.relay.discipline = discipline;
        setup.relay.capacity = Some(30);
        setup.faults = Arc::new(FaultPlan::new(entries.clone()));
        let crowded = hierarchical::Params { worker_queue: 4, ..hierarchical::Params::default() };
        let crowded = serde_json::to_value(crowded).unwrap();
        setup.params = Arc::new([("hierarchical".to_owned(), crowded)].into());
        for pattern in PATTERNS {
            if let Err(error) = (pattern.run)(&setup) {
                panic!("{} under {discipline:?}: {error}", pattern.name);
            }
        }
    }
}
