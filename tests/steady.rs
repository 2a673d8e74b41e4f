//! A run asks for no memory per event once it is going: slabs, rings and tables are used again.
//!
//! Each pattern runs for two hours and for four, with nothing going wrong, and the additional allocations are
//! set against the additional events. What is asked for once, to begin with or to report, cancels out; a
//! vector that doubles asks once more for twice the run, which is nothing beside half a million events. What
//! remains is what events ask for.
//!
//! It is a test crate of its own because an allocator that counts counts for a whole program.

use std::alloc::System;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Mutex;

use anthill::engine::{EventId, Seed, Time};
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario, TextOrigin};
use anthill::sim::{PatternDef, Setup};
use anthill::trace::{Observer, Record};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The counters are the program's, so one test at a time.
static COUNTING: Mutex<()> = Mutex::new(());

/// Most allocations in a thousand events: of engine, world and protocol, and with every observer of a
/// measured run. They may only fall: whoever needs a higher one looks for a buffer to keep instead. The
/// baselines have few events for each task, and queues that reach a new length now and then.
const LIMITS: &[(&str, f64, f64)] = &[
    ("single", 42.0, 43.0),
    ("independent", 32.0, 33.0),
    ("ideal", 21.0, 22.0),
    ("hierarchical", 0.0, 0.0),
    ("peer_to_peer", 1.3, 1.4),
    ("event_driven", 0.2, 0.3),
    ("hybrid", 1.7, 1.7),
];

/// What happened between two counts.
#[derive(Clone, Copy)]
struct Count {
    allocations: usize,
    events: u64,
}

fn setup(horizon: &str) -> Setup {
    let origin = TextOrigin { name: "workload.toml".into(), stem: "workload".into(), folder: ".".into() };
    let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
    let sets = [format!("run.horizon={horizon}")];
    let scenario = Scenario::from_text(include_str!("../benches/workload.toml"), &origin, &sets, &known);
    scenario.and_then(|scenario| scenario.instantiate(Seed(1), 0)).unwrap_or_else(|error| panic!("{error}"))
}

/// Allocations in a thousand events that `run`, which returns how many events there were, needs for two hours
/// more.
fn per_thousand_events(run: impl Fn(&Setup) -> u64) -> f64 {
    let [short, long] = ["2h", "4h"].map(|horizon| {
        let setup = setup(horizon);
        let region = Region::new(&INSTRUMENTED_SYSTEM);
        let events = run(&setup);
        let change = region.change();
        Count { allocations: change.allocations + change.reallocations, events }
    });
    assert!(long.events > short.events + short.events / 2, "twice the run has about twice the events");
    let allocations = long.allocations as f64 - short.allocations as f64;
    1_000.0 * allocations / (long.events - short.events) as f64
}

/// Engine, world and protocol.
fn bare(pattern: &PatternDef) -> f64 {
    per_thousand_events(|setup| (pattern.watch)(setup, &mut ()).expect("parameters fit").events)
}

/// A run as it is always measured.
#[cfg(not(debug_assertions))]
fn measured(pattern: &PatternDef) -> f64 {
    per_thousand_events(|setup| (pattern.run)(setup).expect("no promise is broken").end.events)
}

fn limits(pattern: &PatternDef) -> (f64, f64) {
    let known = LIMITS.iter().find(|(name, ..)| *name == pattern.name);
    let &(_, bare, measured) = known.unwrap_or_else(|| panic!("{} has a limit", pattern.name));
    (bare, measured)
}

/// Says what was measured, and fails with all that is above its limit.
fn judge(what: &str, measure: fn(&PatternDef) -> f64, limit: fn(&PatternDef) -> f64) {
    let _one_at_a_time = COUNTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut above = String::new();
    for pattern in PATTERNS {
        let (found, most) = (measure(pattern), limit(pattern));
        eprintln!("{:13} {what}: {found:8.3} allocations in 1,000 events, at most {most}", pattern.name);
        if found > most {
            let _ =
                writeln!(above, "{}: {found:.3} allocations in 1,000 events, at most {most}", pattern.name);
        }
    }
    assert!(above.is_empty(), "{what}:\n{above}");
}

#[test]
fn engine_world_and_patterns_allocate_nothing_per_event() {
    judge("bare", bare, |pattern| limits(pattern).0);
}

/// In builds with debug assertions every invariant watches a measured run, and invariants may allocate.
#[test]
#[cfg(not(debug_assertions))]
fn observers_of_a_measured_run_allocate_nothing_per_event() {
    judge("measured", measured, |pattern| limits(pattern).1);
}

/// Puts each record into a box of its own, and throws it away.
struct Boxes;

impl Observer for Boxes {
    fn observe(&mut self, _: Time, _: EventId, record: &Record) {
        drop(black_box(Box::new(*record)));
    }
}

#[test]
fn an_allocation_per_event_would_be_noticed() {
    let _one_at_a_time = COUNTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for pattern in PATTERNS {
        let watched = |setup: &Setup| (pattern.watch)(setup, &mut Boxes).expect("parameters fit").events;
        let found = per_thousand_events(watched);
        let (bare, measured) = limits(pattern);
        assert!(found > bare.max(measured) + 100.0, "{}: only {found}", pattern.name);
    }
}
