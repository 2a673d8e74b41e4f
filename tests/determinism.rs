//! A run is a function of scenario, pattern, seed and replication, and of nothing else.
//!
//! The scenario is small and has everything in it: several sites with jitter and loss, skills, churn, a
//! partition, an outage, the death of whoever decides. `golden/fingerprints.txt` pins what each pattern
//! does on it, in debug and release builds alike; after a change that is meant to change runs,
//! `ANTHILL_BLESS=1 cargo test --release golden` writes the file anew.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anthill::engine::{EventId, Seed, Span, Time};
use anthill::experiment::{Seen, Verification, VerifyOptions, verify};
use anthill::pattern::{EventDriven, Hierarchical, Hybrid, Ideal, Independent, PATTERNS, PeerToPeer, Single};
use anthill::report::run_csv;
use anthill::scenario::Scenario;
use anthill::sim::{CxOf, PatternDef, Protocol, Seat, Seats, Setup, Submission, Work, WorkKind, run};
use anthill::trace::{
    Activity, DownReason, ExecutionId, Fingerprint, NodeId, Observer, Promise, Record, TaskId,
};
use anthill::work::Fleet;

use crate::canary::Nothing;
use crate::common;

const EVENTFUL: &str = r#"
[run]
horizon = "10min"
drain = "5min"
warmup = "1min"

[[agents]]
count = 40
speed = { lognormal = { median = 1, sigma = 0.3 } }
skill = "reader"
[[agents]]
count = 20
skill = "writer"

[network]
sites = ["eu", "us", "ap"]
weights = [3, 2, 1]
inter = "60ms"
jitter = { exponential = { mean = "3ms" } }
loss = 0.01

[work]
source = { poisson = { rate_per_s = 0.33 } }
duration = { exponential = { mean = "1min" } }
skills = { reader = 2, writer = 1 }
turn = "5s"
error_rate = 0.02

[costs]
cognition = "1s"

[faults.churn]
session = { exponential = { mean = "15min" } }
absence = { exponential = { mean = "1min" } }

[[faults.partition]]
at = "3min"
share = 0.2
for = "1min"

[[faults.relay_outage]]
at = "5min"
for = "30s"

[[faults.crash]]
at = "7min"
target = "authority"
restart_after = "30s"
"#;

const GOLDEN: &str = "tests/golden/fingerprints.txt";

fn eventful() -> Scenario {
    common::scenario(EVENTFUL)
}

#[test]
fn runs_have_their_golden_fingerprints() {
    let mut actual = String::from("# pattern replication fingerprint; see tests/determinism.rs\n");
    for replication in 0..2 {
        let setup = common::replication(&eventful(), replication);
        for def in PATTERNS {
            let outcome = (def.run)(&setup).unwrap_or_else(|error| panic!("{error}"));
            writeln!(actual, "{} {replication} {:016x}", def.name, outcome.fingerprint).expect("memory");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("ANTHILL_BLESS").is_some() {
        std::fs::write(&path, &actual).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        actual, golden,
        "runs differ from {GOLDEN}; if that is meant: ANTHILL_BLESS=1 cargo test --release golden"
    );
}

/// Twice in one process, from two readings of the same text: nothing is kept between runs.
#[test]
fn the_same_run_twice_is_the_same_run() {
    let (one, two) = (common::replication(&eventful(), 2), common::replication(&eventful(), 2));
    for def in PATTERNS {
        let [one, two] = [&one, &two].map(|setup| (def.run)(setup).unwrap_or_else(|error| panic!("{error}")));
        assert_eq!(one.fingerprint, two.fingerprint, "{}", def.name);
        assert_eq!(bits(one.metrics.values()), bits(two.metrics.values()), "{}", def.name);
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let compared = |threads| {
        common::compared(&eventful(), PATTERNS, 3, threads).unwrap_or_else(|error| panic!("{error}"))
    };
    let (one, two) = (compared(1), compared(2));
    for (one, two) in one.patterns.iter().zip(&two.patterns) {
        assert_eq!(one.runs.len(), 3, "{}", one.def.name);
        for (one, two) in one.runs.iter().zip(&two.runs) {
            assert_eq!((one.replication, one.fingerprint), (two.replication, two.fingerprint));
            assert_eq!(bits(one.metrics.values()), bits(two.metrics.values()));
        }
    }
    // Text tells one NaN from no other, which is what is wanted here.
    assert_eq!(format!("{:?}", one.paired), format!("{:?}", two.paired));
    assert_eq!(one.plans, two.plans);
}

/// Keeps a count between runs, as no protocol may: each run waits a little longer than the one before.
#[derive(Debug)]
struct Drifting;

static RUNS: AtomicU64 = AtomicU64::new(0);

impl Protocol for Drifting {
    const NAME: &'static str = "drifting";
    const ABOUT: &'static str = "differs from run to run";
    const GIVES_UP: &'static [Promise] = &[];
    type Params = anthill::pattern::single::Params;
    type Msg = Nothing;
    type Timer = TaskId;
    fn seats(_: &Self::Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Self::Params, fleet: &Fleet, _: &Seats, _: Submission) -> NodeId {
        fleet.agent(0)
    }
    fn sit(_: &Self::Params, _: &Seat<'_>) -> Drifting {
        Drifting
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        // Tasks before the twentieth are treated alike in every run.
        let wait = if task.0 < 20 { 0 } else { RUNS.fetch_add(1, Ordering::Relaxed) };
        cx.set_timer(Span::from_millis(wait), task);
    }
    fn on_timer(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        cx.work(task, task);
    }
    fn on_work(&mut self, done: Work, _: TaskId, cx: &mut CxOf<'_, Self>) {
        if let WorkKind::Executed(output) = done.kind {
            cx.settle(done.task, output);
        }
    }
}

fn verified(scenario: &Scenario, patterns: &[PatternDef], sample: usize) -> Verification {
    let options = VerifyOptions {
        patterns: patterns.to_vec(),
        replications: 3,
        sample,
        seed: Seed(1),
        threads: 2,
        row: |outcome, seed, replication| run_csv(outcome, seed.0, replication),
    };
    verify(scenario, &options, &|| ()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_sample_of_runs_repeats_on_other_numbers_of_threads() {
    let verified = verified(&eventful(), PATTERNS, 5);
    assert_eq!((verified.runs.len(), verified.threads), (5, [2, 1]));
    assert!(verified.mismatches.is_empty(), "{:?}", verified.mismatches);
    let addresses: Vec<_> = verified.runs.iter().map(|(address, _)| address).collect();
    assert!((1..5).all(|index| !addresses[..index].contains(&addresses[index])), "{addresses:?}");
}

/// What differs is the wait before task 20, and so the first record that differs is the first after its
/// submission was handled.
#[test]
fn a_protocol_that_differs_from_run_to_run_is_caught_at_its_first_differing_record() {
    let text = "[run]\nhorizon = \"10min\"\n[agents]\ncount = 2\n[work]\nduration = \"5s\"\n\
                source = { renewal = { interarrival = \"10s\" } }\n";
    let patterns = [PatternDef::of::<Drifting>(), common::pattern("ideal")];
    let scenario = common::scenario_with(text, &patterns);
    let verified = verified(&scenario, &patterns[..1], 2);
    assert_eq!(verified.mismatches.len(), 2);
    for mismatch in &verified.mismatches {
        assert_ne!(mismatch.fingerprints[0], mismatch.fingerprints[1]);
        let parting = mismatch.parting.as_ref().expect("two more runs differ, too");
        let [Some(one), Some(other)] = parting.first else { panic!("{parting:?}") };
        assert_ne!(one, other);
        let of_task_20 = |seen: &Seen| match seen.record {
            Record::Began { activity: Activity::Executing(execution), .. } => execution == ExecutionId(20),
            Record::Started { task, .. } => task == TaskId(20),
            _ => false,
        };
        assert!(of_task_20(&one) || of_task_20(&other), "{parting:?}");
        assert_eq!(parting.before.len(), 3, "{parting:?}");
    }
}

/// Floats compared as they are, so that NaN equals itself and −0 does not equal 0.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// One more agent that is never there: everybody else does the same things at the same times.
#[test]
fn an_agent_that_stays_down_changes_nobodys_draws() {
    let more = EVENTFUL.replacen("[[agents]]", "[[agents]]\npresent = false\nspeed = 2\n[[agents]]", 1);
    let (plain, more) = (common::setup(EVENTFUL), common::setup(&more));
    assert_eq!((plain.fleet.agents(), more.fleet.agents()), (60, 61));
    assert_eq!(format!("{:?}", plain.tasks), format!("{:?}", more.tasks));
    assert_eq!(plain.faults, more.faults);
    let watched: &[(&str, Watch)] = &[
        (Single::NAME, watch::<Single>),
        (Independent::NAME, watch::<Independent>),
        (Ideal::NAME, watch::<Ideal>),
        (Hierarchical::NAME, watch::<Hierarchical>),
        (PeerToPeer::NAME, watch::<PeerToPeer>),
        (EventDriven::NAME, watch::<EventDriven>),
        (Hybrid::NAME, watch::<Hybrid>),
    ];
    assert_eq!(
        watched.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        PATTERNS.iter().map(|def| def.name).collect::<Vec<_>>(),
        "every registered pattern is watched"
    );
    for (name, watch) in watched {
        let (plain, more) = (watch(&plain), watch(&more));
        assert!(!plain.accepted.is_empty(), "{name} does something");
        assert_eq!(plain.accepted, more.accepted, "{name}: other acceptances");
        assert_eq!((plain.absent, more.absent), (0, 1), "{name}");
        assert_eq!(plain.digest, more.digest, "{name}: other records");
    }
}

/// What a run did, the absence of agents aside.
#[derive(Default)]
struct Watched {
    accepted: Vec<(Time, TaskId, ExecutionId)>,
    digest: Fingerprint,
    absent: u32,
}

impl Observer for Watched {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        match *record {
            Record::Down { why: DownReason::Absent, .. } => self.absent += 1,
            Record::Accepted { task, execution, .. } => self.accepted.push((at, task, execution)),
            _ => {}
        }
        if !matches!(record, Record::Down { why: DownReason::Absent, .. }) {
            self.digest.observe(at, cause, record);
        }
    }
}

type Watch = fn(&Setup) -> Watched;

fn watch<P: Protocol>(setup: &Setup) -> Watched {
    run::<P, _>(setup, &P::Params::default(), Watched::default()).1
}
