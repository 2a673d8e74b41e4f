//! A small comparison made by hand, for the tests of this module.

use std::sync::Arc;

use crate::engine::{Span, Time};
use crate::experiment::{Comparison, PairedRow, PatternResult, REFERENCE, Run, Scale, Verdict};
use crate::fault::{Entry, FaultKind, FaultPlan, Group, Origin, Target};
use crate::metrics::MetricSet;
use crate::metrics::histogram::SojournHistogram;
use crate::metrics::series::{RunSeries, Window};
use crate::metrics::traffic::KindTraffic;
use crate::pattern::PATTERNS;
use crate::sim::{Kinds, Outcome, PatternDef, RunEnd, Seats};
use crate::stats::paired::Paired;
use crate::trace::Phase;

/// `names` of the registry, `replications` runs each; the tax falls in the order of the names.
pub(super) fn comparison(names: &[&str], replications: u32) -> Comparison {
    let patterns: Vec<PatternResult> = names
        .iter()
        .enumerate()
        .map(|(rank, name)| pattern(def(name), 0.1 * (names.len() - rank) as f64, replications))
        .collect();
    let paired = paired(&patterns);
    let plan = Arc::new(plan());
    Comparison {
        scenario: "sample".to_owned(),
        seed: 7,
        replications,
        completed: replications,
        reference: pattern(def("ideal"), 0.05, replications),
        fault_free: Vec::new(),
        plans: (0..replications).map(|_| Arc::clone(&plan)).collect(),
        repeats: Vec::new(),
        judged: Vec::new(),
        patterns,
        paired,
    }
}

/// One run of one pattern: replication 1 of a comparison of this pattern alone.
pub(super) fn outcome(name: &str) -> Outcome {
    let result = pattern(def(name), 0.1, 2);
    let run = result.runs[1].clone();
    Outcome {
        pattern: result.def.name,
        fingerprint: run.fingerprint,
        end: RunEnd {
            events: 1234,
            end: Time::from_secs(1200),
            kinds: Kinds(Vec::new()),
            firing: run.firing,
            violations: Vec::new(),
            cut_short: false,
            seats: Seats::default(),
        },
        metrics: run.metrics,
        sojourns: result.sojourns,
        classes: Vec::new(),
        probes: Vec::new(),
        series: run.series,
        kinds: result.kinds,
    }
}

fn def(name: &str) -> PatternDef {
    *PATTERNS.iter().find(|def| def.name == name).expect("a registered pattern")
}

fn pattern(def: PatternDef, tax: f64, replications: u32) -> PatternResult {
    let mut sojourns = SojournHistogram::new();
    for step in 1..200 {
        sojourns.record_s(f64::from(step) * f64::from(step) * 0.05);
    }
    let kind =
        |name, phase, messages| KindTraffic { name, phase, messages, bytes: 100 * messages, tokens: 0 };
    PatternResult {
        def,
        runs: (0..replications).map(|replication| run(tax, replication)).collect(),
        sojourns,
        kinds: vec![kind("submit", Phase::Assignment, 40), kind("claim", Phase::Consensus, 80)],
    }
}

fn run(tax: f64, replication: u32) -> Run {
    let mut metrics = MetricSet::default();
    let wobble = f64::from(replication) * 0.001;
    let tax = tax + wobble;
    for (name, value) in [
        ("events", 1234.0),
        ("load_rho", 0.7),
        ("standing_overhead_share", 0.004),
        ("tax_full", tax),
        ("tax_full_low", tax - 0.01),
        ("tax_full_high", tax + 0.01),
        ("tax_agents", tax - 0.01),
        ("tax_inconclusive", 0.0),
        ("overhead_ratio", tax / (1.0 - tax)),
        ("useful_capacity_s", 1000.0),
        ("infrastructure_capacity_s", 5.0),
        ("tax_search", tax * 0.5),
        ("tax_synchronisation", tax * 0.3),
        ("tax_context", tax * 0.2),
        ("tax_duplication", 0.0),
        ("tax_trust", 0.0),
        ("tax_recovery", 0.0),
        ("tax_other", 0.0),
        ("tax_infrastructure", 0.0),
        ("price", 1.2 + 0.01 * f64::from(replication)),
        ("settled_share", 0.98),
        ("goodput_per_s", 2.0 - tax),
        ("tasks_lost", 3.0),
        ("sojourn_p50_s", 280.0 + wobble),
        ("sojourn_p99_s", 900.0 + wobble),
        // No task waits at the median: what a logarithmic axis must bear.
        ("decision_latency_p50_s", 0.0),
        ("decision_latency_p99_s", 12.0 + wobble),
        ("messages_per_task", 9.5),
        ("messages_per_task_assignment", 6.0),
        ("messages_per_task_consensus", 3.5),
        ("money_per_correct_task", 0.21),
        ("decider_top1_share", 1.0),
        ("decider_effective_number", 1.0),
        ("decider_nakamoto", 1.0),
        ("backlog_slope_per_s", -0.001 + wobble),
        ("backlog_slope_low_per_s", -0.001),
    ] {
        metrics.set(name, value);
    }
    Run {
        replication,
        fingerprint: 1000 + u64::from(replication),
        metrics,
        series: series(),
        firing: Vec::new(),
        classes: Vec::new(),
        probes: Vec::new(),
    }
}

fn series() -> RunSeries {
    let window = |index: u32| Window { arrived: 10 + index % 7, accepted: 10, correct: 9, ended: 10 };
    let windows: Vec<Window> = (0..100).map(window).collect();
    let mut backlog = 0;
    let backlogs = windows.iter().map(|window| {
        backlog = backlog + u64::from(window.arrived) - u64::from(window.ended);
        backlog
    });
    RunSeries {
        window: Span::from_secs(10),
        warmup: Time::from_secs(100),
        horizon: Time::from_secs(900),
        backlog: backlogs.collect(),
        windows,
    }
}

fn plan() -> FaultPlan {
    let entry = |at, until: Option<u64>, kind, target, origin| Entry {
        at: Time::from_secs(at),
        until: until.map(Time::from_secs),
        kind,
        target,
        origin,
    };
    let groups = vec![Group { agents: vec![0], ..Group::default() }];
    let partition = FaultKind::Partition { groups, one_way: false };
    let authority = Target::Authority { seat: 0, otherwise: 1 };
    FaultPlan::new(vec![
        entry(300, Some(400), partition, Target::Network, Origin::Scheduled),
        entry(500, Some(560), FaultKind::Outage, Target::Relay(0), Origin::Scheduled),
        entry(530, Some(531), FaultKind::Leave, Target::Agent(2), Origin::Law),
        entry(570, None, FaultKind::Crash, authority, Origin::Scheduled),
    ])
}

/// Later names are better at everything.
fn paired(patterns: &[PatternResult]) -> Vec<PairedRow> {
    let found = |estimate: f64| Paired {
        n: patterns[0].runs.len(),
        skipped: 0,
        estimate,
        low: estimate - 0.01,
        high: estimate + 0.01,
        correlation: 0.9,
        p_value: 0.0005,
    };
    let mut rows = Vec::new();
    for (metric, scale, estimate) in [
        ("tax_full", Scale::Difference, -0.1),
        ("price", Scale::Ratio, 0.9),
        ("goodput_per_s", Scale::Difference, 0.1),
    ] {
        for (index, against) in patterns.iter().enumerate() {
            for pattern in &patterns[index + 1..] {
                let (pattern, against) = (pattern.def.name, against.def.name);
                let (p_holm, verdict) = (Some(0.001), Some(Verdict::Better));
                rows.push(PairedRow {
                    metric,
                    pattern,
                    against,
                    scale,
                    paired: found(estimate),
                    p_holm,
                    verdict,
                });
            }
        }
    }
    for pattern in patterns {
        for (metric, scale) in [("fault_tolerance", Scale::Ratio), ("availability", Scale::Value)] {
            let (pattern, against) = (pattern.def.name, REFERENCE);
            let paired = found(0.87);
            rows.push(PairedRow { metric, pattern, against, scale, paired, p_holm: None, verdict: None });
        }
    }
    rows
}
