//! The counter-examples of model.md §7, on whole runs: why the numbers are defined as they are.
//!
//! Two of them need no run and stand with the ledger: speed-weighting, and ten free agents and one task.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anthill::engine::{Span, Time};
use anthill::metrics::MetricSet;
use anthill::pattern::single;
use anthill::sim::{
    CxOf, Kind, Message, PatternDef, Protocol, Seat, Seats, Setup, Submission, Work, WorkKind, measure,
};
use anthill::trace::{Fact, NodeId, Phase, Plane, Promise, TaskId};
use anthill::work::Fleet;

use crate::common;

fn run(name: &str, setup: &Setup) -> MetricSet {
    (common::pattern(name).run)(setup).unwrap_or_else(|error| panic!("{error}")).metrics
}

fn assert_near(what: &str, actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual} is not {expected} ± {tolerance}");
}

/// c = 10, ρ = 0.9, hyperexponential work with squared coefficient of variation 4.
const VARIED: &str = r#"
[run]
horizon = "20000s"
drain = "5000s"
warmup = "0s"
finish = "settled"
[agents]
count = 10
[network]
intra = "0s"
[work]
source = { poisson = { rate_per_s = 0.9 } }
duration = { hyperexponential = { mean = "10s", scv = 4.0 } }
estimate = "exact"
"#;

/// Mean sojourn \[s\] where `servers` take the shortest waiting task first, without preemption: a world
/// of its own in which nothing costs anything.
fn shortest_job_first(setup: &Setup, servers: usize) -> f64 {
    let mut free: BinaryHeap<Reverse<Time>> = (0..servers).map(|_| Reverse(Time::ZERO)).collect();
    let mut waiting: BinaryHeap<Reverse<(Span, Time)>> = BinaryHeap::new();
    let mut arrivals = setup.tasks.cards().iter().peekable();
    let mut sum = 0.0;
    for _ in 0..setup.tasks.len() {
        let Reverse(mut now) = free.pop().expect("a server is never lost");
        if waiting.is_empty() {
            now = now.max(arrivals.peek().expect("a task is left").arrival);
        }
        while let Some(card) = arrivals.next_if(|card| card.arrival <= now) {
            waiting.push(Reverse((card.estimate, card.arrival)));
        }
        let Reverse((work, arrival)) = waiting.pop().expect("a task has arrived");
        sum += (now + work).since(arrival).as_secs_f64();
        free.push(Reverse(now + work));
    }
    sum / setup.tasks.len() as f64
}

/// Hence `ideal` is a reference and the price is measured against a bound: nobody beats that.
#[test]
fn shortest_job_first_beats_ideal() {
    let scenario = common::scenario(VARIED);
    let (mut ratios, mut prices) = (0.0, Vec::new());
    for number in 0..10 {
        let setup = common::replication(&scenario, number);
        let ideal = run("ideal", &setup);
        assert_eq!(ideal.get("settled_share"), 1.0);
        let ratio = shortest_job_first(&setup, 10) / ideal.get("sojourn_mean_s");
        assert!(ratio < 1.0, "replication {number}: {ratio}");
        ratios += ratio / 10.0;
        // All tasks are settled in both worlds, so that ∫ N dt is the sum of sojourns.
        prices.push(ratio * ideal.get("price"));
    }
    assert!((0.40..0.60).contains(&ratios), "shortest-job-first ÷ ideal = {ratios}");
    assert!(prices.iter().all(|&price| price >= 1.0), "{prices:?}");
}

/// A relay that tells everybody of every task, and names who is to do it.
#[derive(Debug)]
struct TownCrier {
    next: u32,
}

#[derive(Clone, Debug)]
struct Cry(TaskId, NodeId);

impl Message for Cry {
    const KINDS: &'static [Kind] = &[Kind {
        name: "cry",
        phase: Phase::Assignment,
        plane: Plane::Harness,
        bytes: 256,
        about: "hear ye",
    }];
    fn kind(&self) -> usize {
        0
    }
}

impl Protocol for TownCrier {
    const NAME: &'static str = "town_crier";
    const ABOUT: &'static str = "the relay tells everybody and decides everything";
    const GIVES_UP: &'static [Promise] = &[Promise::NoTaskLost, Promise::NoSinglePoint];
    type Params = single::Params;
    type Msg = Cry;
    type Timer = ();
    fn seats(_: &Self::Params, fleet: &Fleet) -> Seats {
        Seats { authority: vec![fleet.relay(0)], reserved: Vec::new() }
    }
    fn entry(_: &Self::Params, fleet: &Fleet, _: &Seats, _: Submission) -> NodeId {
        fleet.relay(0)
    }
    fn sit(_: &Self::Params, _: &Seat<'_>) -> Self {
        TownCrier { next: 0 }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        let to = cx.fleet().seat(self.next % cx.fleet().agents());
        self.next += 1;
        cx.note(Fact::Decided { task, to });
        for node in cx.fleet().present() {
            cx.send(node, Cry(task, to));
        }
    }
    fn on_message(&mut self, _: NodeId, Cry(task, to): Cry, cx: &mut CxOf<'_, Self>) {
        if to == cx.me() {
            cx.work(task, ());
        }
    }
    fn on_work(&mut self, done: Work, (): (), cx: &mut CxOf<'_, Self>) {
        if let WorkKind::Executed(output) = done.kind {
            cx.settle(done.task, output);
        }
    }
}

const BROADCAST: &str = r#"
[run]
horizon = "1h"
warmup = "0s"
[agents]
count = 1000
[work]
source = { renewal = { interarrival = "60s" } }
duration = "60s"
"#;

/// Equal work in messages says nothing about who decides. Hence deciders.
#[test]
fn a_broadcast_looks_decentralized_by_its_messages() {
    let crier = measure::<TownCrier>(&common::setup(BROADCAST)).expect("no invariant breaks").metrics;
    assert!(crier.get("messages_handled_gini") < 0.005, "{}", crier.get("messages_handled_gini"));
    assert_eq!((crier.get("decider_top1_share"), crier.get("deciders")), (1.0, 1.0));

    // The real thing decides as centrally: claims meet at one relay, whatever the agents agree among them.
    let hybrid = run("hybrid", &common::setup(BROADCAST));
    assert_eq!((hybrid.get("decider_top1_share"), hybrid.get("decider_nakamoto")), (1.0, 1.0));
}

/// Heartbeats that cost 1 % of the fleet, everything else free of charge; `gap` between two tasks of 60 s.
fn heartbeats(gap: &str) -> MetricSet {
    let text = format!(
        r#"
[run]
horizon = "1h"
drain = "1min"
warmup = "5min"
[agents]
count = 50
[relays]
price_per_hour = 0
[clients]
price_per_hour = 0
[network]
intra = "0s"
[work]
source = {{ renewal = {{ interarrival = "{gap}" }} }}
duration = "60s"
context_tokens = 0
[costs]
harness = "0s"
[costs.kinds.read_context]
time = "0s"
[costs.kinds.heartbeat]
time = "10ms"
[pattern.hierarchical]
heartbeat = "1s"
timeout = "10s"
"#
    );
    run("hierarchical", &common::setup(&text))
}

/// 49 workers, one heartbeat a second, 10 ms each: 0.49 of 50 agents. The same standing overhead is half
/// of what an idle fleet engages and next to nothing of a busy one's. Hence ρ stands beside every tax.
#[test]
fn standing_overhead_is_all_tax_where_nothing_is_asked() {
    let standing = 49.0 * 0.010 / 50.0;
    for (gap, load) in [("120s", 0.01), ("1.3333333s", 0.9)] {
        let metrics = heartbeats(gap);
        assert_near("load", metrics.get("load_rho"), load, 0.05 * load);
        assert_near("standing overhead", metrics.get("standing_overhead_share"), standing, 0.02 * standing);
        let expected = standing / (standing + load);
        assert_near(&format!("tax at load {load}"), metrics.get("tax_agents"), expected, 0.1 * expected);
    }
}

/// Ten agents, work of 10 s; `gap` between arrivals, cut off at `horizon`.
fn loaded(gap: &str, horizon: &str) -> String {
    format!(
        r#"
[run]
horizon = "{horizon}"
drain = "0s"
warmup = "0s"
[agents]
count = 10
[work]
source = {{ poisson = {{ mean_interarrival = "{gap}" }} }}
duration = "10s"
"#
    )
}

/// λ = 2, X = 1: mean sojourn ≈ (1 − X/λ)·H/2, so that twice the horizon is twice the sojourn: a number
/// about the experiment and not about the system. Hence `unstable` instead of latency.
#[test]
fn in_overload_the_sojourn_measures_the_horizon() {
    for (horizon, seconds) in [("20min", 1_200.0), ("40min", 2_400.0)] {
        let setup = common::setup(&loaded("500ms", horizon));
        let metrics = run("ideal", &setup);
        let (arrivals, throughput) = (setup.tasks.len() as f64 / seconds, metrics.get("throughput_per_s"));
        let artefact = (1.0 - throughput / arrivals) * seconds / 2.0;
        assert_near("mean sojourn", metrics.get("sojourn_mean_s"), artefact, 0.05 * artefact);
    }
    let ideal: [PatternDef; 1] = [common::pattern("ideal")];
    for (gap, unstable) in [("500ms", true), ("2s", false)] {
        let scenario = common::scenario(&loaded(gap, "20min"));
        let comparison = common::compared(&scenario, &ideal, 5, 2).unwrap_or_else(|error| panic!("{error}"));
        let result = comparison.pattern("ideal").expect("it took part");
        assert_eq!(result.unstable(), unstable, "{:?}", result.summary("backlog_slope_per_s"));
    }
}
