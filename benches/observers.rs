//! What each observer of a measured run costs, on records of a real run.
//!
//! `PatternDef::watch` records the stream once; it is then shown to each observer alone, from a fresh start
//! to the end, and to all of them. In a run `World` knows which record it emits and the choice among them
//! is made by the compiler; here it is made at run time, as the row "none" shows, which only walks along
//! the stream.
//!
//! `cargo bench --bench observers` measures them with criterion on `hybrid`. `cargo bench --bench observers
//! -- table hierarchical` prints a table for a pattern: nanoseconds a record and an event, medians of turns
//! taken in rotation, and bytes of the observer itself.

// A bench measures the clock on the wall; the simulation knows nothing of it.
#![allow(clippy::disallowed_types)]
#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anthill::engine::{EventId, Seed, Time};
use anthill::metrics::availability::Availability;
use anthill::metrics::decentralization::Decentralization;
use anthill::metrics::inbox::Inboxes;
use anthill::metrics::latency::Latency;
use anthill::metrics::ledger::Ledger;
use anthill::metrics::money::Money;
use anthill::metrics::probes::Probes;
use anthill::metrics::queue::Queue;
use anthill::metrics::series::{Series, WINDOW};
use anthill::metrics::tasks::TaskCounts;
use anthill::metrics::traffic::Traffic;
use anthill::metrics::turns::Turns;
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario, TextOrigin};
use anthill::sim::{RunEnd, Setup};
use anthill::trace::{Fingerprint, Observer, Record};
use criterion::{BatchSize, Criterion, Throughput};

/// The records of a run, in order.
struct Stream {
    setup: Setup,
    end: RunEnd,
    records: Vec<(Time, EventId, Record)>,
}

/// Keeps every record.
struct Recorder(Vec<(Time, EventId, Record)>);

impl Observer for Recorder {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        self.0.push((at, cause, *record));
    }
}

impl Stream {
    fn of(pattern: &str, horizon: &str) -> Stream {
        let origin = TextOrigin { name: "workload.toml".into(), stem: "workload".into(), folder: ".".into() };
        let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
        let sets = [format!("run.horizon={horizon}")];
        let text = include_str!("workload.toml");
        let scenario = Scenario::from_text(text, &origin, &sets, &known).expect("a valid scenario");
        let setup = scenario.instantiate(Seed(1), 0).expect("it can be drawn");
        let def = PATTERNS.iter().find(|def| def.name == pattern);
        let def = def.unwrap_or_else(|| panic!("there is no pattern {pattern}"));
        let mut kept = Recorder(Vec::new());
        let end = (def.watch)(&setup, &mut kept).expect("parameters fit");
        Stream { setup, end, records: kept.0 }
    }

    fn show(&self, observer: &mut impl Observer) {
        for (at, cause, record) in &self.records {
            observer.observe(*at, *cause, record);
        }
    }
}

/// An observer as this bench sees it.
struct Bench {
    name: &'static str,
    /// Of the value itself, without its tables \[bytes\].
    bytes: usize,
    /// Shows it the whole stream, and returns the time that took \[ns\]; making it is not counted.
    turn: fn(&Stream) -> f64,
    /// Has criterion measure it.
    group: fn(&Stream, &mut Criterion),
}

/// One entry for each observer: how a measured run makes it.
macro_rules! observers {
    ($($name:literal, $type:ty, $make:expr;)*) => {
        const OBSERVERS: &[Bench] = &[$(Bench {
            name: $name,
            bytes: std::mem::size_of::<$type>(),
            turn: |stream| turn::<$type>(stream, $make),
            group: |stream, criterion| group::<$type>($name, stream, criterion, $make),
        }),*];
    };
}

observers! {
    "none", (), |_| ();
    "fingerprint", Fingerprint, |_| Fingerprint::default();
    "ledger", Ledger, ledger;
    "latency", Latency, latency;
    "tasks", TaskCounts, counts;
    "traffic", Traffic, traffic;
    "deciders", Decentralization, deciders;
    "series", Series, series;
    "money", Money, money;
    "turns", Turns, turns;
    "queue", Queue, queue;
    "probes", Probes, probes;
    "inboxes", Inboxes, inboxes;
    "availability", Availability, availability;
    "all", All, all;
}

type All = (
    (Fingerprint, (Ledger, (Latency, TaskCounts))),
    ((Traffic, (Decentralization, (Series, Money))), (Turns, (Queue, (Probes, (Inboxes, Availability))))),
);

fn all(stream: &Stream) -> All {
    (
        (Fingerprint::default(), (ledger(stream), (latency(stream), counts(stream)))),
        (
            (traffic(stream), (deciders(stream), (series(stream), money(stream)))),
            (turns(stream), (queue(stream), (probes(stream), (inboxes(stream), availability(stream))))),
        ),
    )
}

fn ledger(Stream { setup, .. }: &Stream) -> Ledger {
    let ledger = Ledger::new(Arc::clone(&setup.fleet), Arc::clone(&setup.tasks), setup.clock.warmup);
    ledger.with_relay_servers(setup.relay.servers)
}
fn latency(Stream { setup, .. }: &Stream) -> Latency {
    Latency::new(Arc::clone(&setup.tasks), &setup.fleet, setup.clock.warmup, setup.clock.horizon)
}
fn counts(Stream { setup, .. }: &Stream) -> TaskCounts {
    TaskCounts::new(&setup.tasks, setup.clock.warmup, setup.clock.horizon, setup.clock.end())
}
fn traffic(Stream { setup, end, .. }: &Stream) -> Traffic {
    let kinds = end.kinds.0.iter().map(|kind| (kind.name, kind.phase)).collect();
    Traffic::new(&setup.fleet, kinds, setup.clock.warmup)
}
fn deciders(Stream { setup, .. }: &Stream) -> Decentralization {
    Decentralization::new(&setup.tasks, &setup.fleet, setup.clock.warmup)
}
fn series(Stream { setup, .. }: &Stream) -> Series {
    Series::new(WINDOW, setup.clock.warmup, setup.clock.horizon, &[])
}
fn money(Stream { setup, .. }: &Stream) -> Money {
    Money::new(Arc::clone(&setup.fleet), Arc::clone(&setup.tasks))
}
fn turns(Stream { setup, .. }: &Stream) -> Turns {
    Turns::new(Arc::clone(&setup.tasks), setup.work.turn)
}
fn queue(Stream { setup, .. }: &Stream) -> Queue {
    Queue::new(Arc::clone(&setup.tasks), setup.clock.warmup, setup.clock.horizon)
}
fn probes(Stream { setup, .. }: &Stream) -> Probes {
    Probes::new(&setup.probes)
}
fn inboxes(Stream { setup, end, .. }: &Stream) -> Inboxes {
    Inboxes::new(&setup.fleet, &end.seats.authority, setup.clock.warmup, setup.clock.horizon)
}
fn availability(Stream { setup, .. }: &Stream) -> Availability {
    let (fleet, faults) = (Arc::clone(&setup.fleet), Arc::clone(&setup.faults));
    Availability::new(fleet, faults, setup.clock.warmup, setup.clock.horizon)
}

fn turn<O: Observer>(stream: &Stream, make: impl Fn(&Stream) -> O) -> f64 {
    let mut observer = make(stream);
    let start = Instant::now();
    stream.show(&mut observer);
    let nanoseconds = start.elapsed().as_nanos() as f64;
    black_box(&observer);
    nanoseconds
}

fn group<O: Observer>(name: &str, stream: &Stream, criterion: &mut Criterion, make: impl Fn(&Stream) -> O) {
    let mut group = criterion.benchmark_group("observers");
    group.throughput(Throughput::Elements(stream.records.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(|| make(stream), |one| stream.show(one), BatchSize::LargeInput);
    });
    group.finish();
}

fn table(pattern: &str) {
    let stream = Stream::of(pattern, "8h");
    let (records, events) = (stream.records.len() as f64, stream.end.events as f64);
    println!("{pattern}: {records} records of {events} events; a record has {} bytes\n", size_of::<Record>());
    let mut costs: Vec<Vec<f64>> = vec![Vec::new(); OBSERVERS.len()];
    for _ in 0..21 {
        for (observer, costs) in OBSERVERS.iter().zip(&mut costs) {
            costs.push((observer.turn)(&stream));
        }
    }
    println!("| observer | ns a record | ns an event | bytes |");
    println!("|---|--:|--:|--:|");
    for (observer, mut costs) in OBSERVERS.iter().zip(costs) {
        costs.sort_by(f64::total_cmp);
        let median = costs[costs.len() / 2];
        let (each, event) = (median / records, median / events);
        println!("| {} | {each:.2} | {event:.2} | {} |", observer.name, observer.bytes);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "table") {
        return table(arguments.get(1).map_or("hybrid", String::as_str));
    }
    let stream = Stream::of("hybrid", "2h");
    let mut criterion = Criterion::default().configure_from_args();
    for observer in OBSERVERS {
        (observer.group)(&stream, &mut criterion);
    }
    criterion.final_summary();
}
