//! How fast each pattern runs, with every metric on: events a second, and tasks a second.
//!
//! Events compare the simulator with itself; tasks compare it with others, whose events are of another
//! kind, and patterns with each other, as they need unequally many for the same work. `cargo bench --bench
//! patterns` measures events of the flagship and tasks of `leader-worker`; `-- table` prints both side by
//! side for either, medians of runs taken in rotation.

// A bench measures the clock on the wall; the simulation knows nothing of it.
#![allow(clippy::disallowed_types)]
#![allow(missing_docs)]

use std::time::Instant;

use anthill::engine::Seed;
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario};
use anthill::sim::{PatternDef, Setup};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Runs of each pattern for a table.
const TURNS: usize = 5;

fn setup(scenario: &str) -> Setup {
    let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
    let scenario = Scenario::load(scenario, &[], &known).expect("embedded scenarios are valid");
    scenario.instantiate(Seed(1), 0).expect("embedded scenarios can be drawn")
}

fn events(pattern: &PatternDef, setup: &Setup) -> u64 {
    (pattern.run)(setup).expect("no invariant breaks").end.events
}

fn of_flagship(criterion: &mut Criterion) {
    let setup = setup("flagship");
    let mut group = criterion.benchmark_group("patterns");
    group.sample_size(10);
    for pattern in PATTERNS {
        group.throughput(Throughput::Elements(events(pattern, &setup)));
        group.bench_function(BenchmarkId::from_parameter(pattern.name), |bencher| {
            bencher.iter(|| (pattern.run)(&setup));
        });
    }
    group.finish();
}

fn of_leader_worker(criterion: &mut Criterion) {
    let setup = setup("leader-worker");
    let pattern = PATTERNS.iter().find(|def| def.name == "hierarchical").expect("a registered pattern");
    let mut group = criterion.benchmark_group("leader_worker/tasks");
    group.sample_size(10).throughput(Throughput::Elements(setup.tasks.len() as u64));
    group.bench_function(pattern.name, |bencher| bencher.iter(|| (pattern.run)(&setup)));
    group.finish();
}

fn table() {
    let (flagship, leader_worker) = (setup("flagship"), setup("leader-worker"));
    let mut rows: Vec<(&str, &PatternDef, &Setup, Vec<f64>)> =
        PATTERNS.iter().map(|pattern| ("flagship", pattern, &flagship, Vec::new())).collect();
    let hierarchical = PATTERNS.iter().find(|def| def.name == "hierarchical").expect("a registered pattern");
    rows.push(("leader-worker", hierarchical, &leader_worker, Vec::new()));
    for _ in 0..TURNS {
        for (_, pattern, setup, seconds) in &mut rows {
            let start = Instant::now();
            events(pattern, setup);
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!("| scenario | pattern | events | tasks | ns an event | M events a second | tasks a second |");
    println!("|---|---|--:|--:|--:|--:|--:|");
    for (scenario, pattern, setup, mut seconds) in rows {
        seconds.sort_by(f64::total_cmp);
        let median = seconds[TURNS / 2];
        let (events, tasks) = (events(pattern, setup), setup.tasks.len());
        let (each, millions) = (1e9 * median / events as f64, events as f64 / median / 1e6);
        let rate = tasks as f64 / median;
        println!(
            "| {scenario} | {} | {events} | {tasks} | {each:.0} | {millions:.2} | {rate:.0} |",
            pattern.name
        );
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "table") {
        return table();
    }
    let mut criterion = Criterion::default().configure_from_args();
    of_flagship(&mut criterion);
    of_leader_worker(&mut criterion);
    criterion.final_summary();
}
