//! The patterns against queueing theory: closed forms that any correct world must reproduce.
//!
//! Cases of `../shared/validation/cases.md`, Q-03 (M/M/1), Q-05, Q-06 (M/M/c), Q-19, Q-20
//! (machine repairman). The reference must lie in the 95 % interval over replications, widened to 99.9 %
//! because a fixed seed is either always inside or always outside; half-widths are checked against the
//! published tolerance.

use std::sync::Arc;

use super::testing::{poisson, setup_of, task};
use super::{Hierarchical, Ideal, hierarchical};
use crate::engine::{Law, Rng, Seed, Span, Time};
use crate::metrics::MetricSet;
use crate::net::Sites;
use crate::sim::{KindCost, Setup, measure};
use crate::stats::summary::Summary;
use crate::work::Tasks;

/// An open M/M/c queue under `ideal`: Poisson arrivals at `load`·c, mean work 1 s.
fn queue(servers: u32, load: f64, tasks: u32, seed: u64) -> MetricSet {
    let tasks = poisson(servers, tasks, Span::from_secs(1), load, seed);
    let mut setup = setup_of(servers, 1, tasks);
    // The first tenth is warm-up; the drain settles what is open.
    setup.clock.warmup = Time::ZERO + Span::from_nanos(setup.clock.horizon.as_nanos() / 10);
    measure::<Ideal>(&setup).expect("no invariant breaks").metrics
}

pub(super) fn check(name: &str, values: &[f64], reference: f64, tolerance: f64) {
    let summary = Summary::at(values, 0.999);
    let inside = summary.low <= reference && reference <= summary.high;
    assert!(inside, "{name}: {reference} is not in {summary:?}");
    let half_width = Summary::of(values).half_width / reference;
    assert!(half_width <= tolerance, "{name}: half-width {half_width:.4} exceeds {tolerance}");
}

fn open_queue(servers: u32, load: f64, tasks: u32, replications: u64) -> Vec<MetricSet> {
    (0..replications).map(|seed| queue(servers, load, tasks, 1_000 * u64::from(servers) + seed)).collect()
}

pub(super) fn column(runs: &[MetricSet], name: &str) -> Vec<f64> {
    runs.iter().map(|run| run.get(name)).collect()
}

#[test]
fn ideal_with_one_agent_is_the_mm1_queue() {
    for (load, sojourn, p95, p99, tasks, tolerance) in [
        (0.5, 2.0, 5.991_465, 9.210_340, 20_000, 0.02),
        (0.8, 5.0, 14.978_661, 23.025_851, 60_000, 0.04),
        (0.9, 10.0, 29.957_323, 46.051_702, 120_000, 0.08),
    ] {
        let runs = open_queue(1, load, tasks, 10);
        check("mean sojourn", &column(&runs, "sojourn_mean_s"), sojourn, tolerance);
        check("p95 sojourn", &column(&runs, "sojourn_p95_s"), p95, 1.5 * tolerance);
        check("p99 sojourn", &column(&runs, "sojourn_p99_s"), p99, 2.0 * tolerance);
        // Waiting is decision latency, because an ideal assignment takes no time: Wq = W − 1.
        check("waiting", &column(&runs, "decision_latency_mean_s"), sojourn - 1.0, 2.0 * tolerance);
        check("throughput", &column(&runs, "throughput_per_s"), load, 0.02);
    }
}

/// Erlang C: P(wait) = 0.44444 at c = 3, λ = 2; 0.40918 at c = 10, λ = 8; Wq = C/(c − λ).
#[test]
fn ideal_with_many_agents_is_the_mmc_queue() {
    for (servers, load, waiting) in [(3, 2.0 / 3.0, 0.444_444), (10, 0.8, 0.204_590)] {
        let runs = open_queue(servers, load, 90_000, 10);
        check("waiting", &column(&runs, "decision_latency_mean_s"), waiting, 0.05);
        check("sojourn", &column(&runs, "sojourn_mean_s"), 1.0 + waiting, 0.02);
    }
}

/// A coordinator that every worker needs for an exponential second after an exponential ten: the closed
/// queue M/M/1//N, with a backlog of tasks that never runs dry.
fn repairman(workers: u32, seed: u64) -> MetricSet {
    let mut rng = Rng::from_state(99 + seed);
    let horizon = Time::from_secs(20_000);
    // A coordinator that never pauses assigns one task a second.
    let specs = (0..26_000).map(|_| {
        let think = Span::from_secs_f64(-10.0 * libm::log(rng.uniform()));
        task(Time::ZERO, think)
    });
    let specs: Vec<_> = specs
        .map(|mut spec| {
            spec.card.context_tokens = 0;
            spec
        })
        .collect();
    let base = setup_of(workers + 1, 0, vec![task(Time::ZERO, Span::from_secs(1))]);
    let mut costs = (*base.costs).clone();
    costs.harness = Law::fixed(Span::ZERO);
    let free =
        KindCost { plane: None, time: Some(Law::fixed(Span::ZERO)), per_token: Span::ZERO, priority: 0 };
    costs.kinds.insert("read_context".to_owned(), free.clone());
    let second = crate::engine::Dist::exponential(Span::from_secs(1)).law().unwrap();
    costs.kinds.insert("result".to_owned(), KindCost { time: Some(second), ..free });
    let mut setup = Setup {
        seed: Seed(seed),
        tasks: Arc::new(Tasks::new(specs).unwrap()),
        costs: Arc::new(costs),
        ..base
    };
    setup.clock.horizon = horizon;
    setup.clock.drain = Span::ZERO;
    setup.clock.warmup = Time::from_secs(1_000);
    setup.network.sites = Arc::new(Sites::single(Span::ZERO));
    let params = hierarchical::Params {
        heartbeat: Span::ZERO,
        assign_timeout: Span::ZERO,
        // The repetition of a result would come before its turn.
        result_timeout: Span::from_secs(86_400),
        ..hierarchical::Params::default()
    };
    let params = serde_json::to_value(params).unwrap();
    setup.params = Arc::new([("hierarchical".to_owned(), params)].into());
    measure::<Hierarchical>(&setup).expect("no invariant breaks").metrics
}

/// X = 0.785418 at N = 10; Q-20: X = 0.998131 at N = 20. Executing share of a worker = X·Z/N.
#[test]
fn a_coordinator_with_closed_loop_workers_is_the_machine_repairman() {
    for (workers, throughput) in [(10, 0.785_418), (20, 0.998_131)] {
        let runs: Vec<MetricSet> = (0..10).map(|seed| repairman(workers, seed)).collect();
        check("coordinator utilisation", &column(&runs, "authority_busy_share"), throughput, 0.01);
        // The coordinator is an agent too, and never executes.
        let executing: Vec<f64> =
            column(&runs, "utilisation").iter().map(|u| u * f64::from(workers + 1) / 10.0).collect();
        check("throughput", &executing, throughput, 0.01);
    }
}
