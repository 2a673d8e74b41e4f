//! A pattern written outside the crate is as good as one within: it is the example of the front page.

use anthill::pattern::PATTERNS;
use anthill::sim::{PatternDef, measure};

use crate::common;

#[allow(dead_code)]
#[path = "../examples/hot_potato.rs"]
mod hot_potato;

use hot_potato::HotPotato;

const SOURCE: &str = include_str!("../examples/hot_potato.rs");

const CALM: &str = r#"
[run]
horizon = "2h"
[agents]
count = 30
[work]
source = { poisson = { rate_per_s = 0.07 } }
duration = { exponential = { mean = "5min" } }
"#;

/// From its parameters to its last brace.
#[test]
fn a_pattern_takes_less_than_a_hundred_lines() {
    let from = SOURCE.find("/// The table `[pattern.hot_potato]`").expect("it begins with its parameters");
    let to = SOURCE.find("/// 50 agents").expect("it ends where the scenario begins");
    let lines = SOURCE[from..to].trim_end().lines().count();
    assert!(lines < 100, "{lines} lines");
}

/// Random walks to a free agent wait far less than a random split does, a little more than an oracle, and
/// never longer for being allowed more throws than they need.
#[test]
fn it_does_what_it_says() {
    let text = |throws: u32| format!("{CALM}[pattern.hot_potato]\nthrows = {throws}\n");
    let patterns = [PATTERNS, &[PatternDef::of::<HotPotato>()]].concat();
    let setup = |throws| common::replication(&common::scenario_with(&text(throws), &patterns), 0);
    let outcome = measure::<HotPotato>(&setup(10)).expect("no promise is broken");
    let waiting = |of: &anthill::sim::Outcome| of.metrics.get("decision_latency_mean_s");
    let run = |name: &str| (common::pattern(name).run)(&setup(10)).expect("no promise is broken");
    let (oracle, split) = (run("ideal"), run("independent"));
    let [least, ours, most] = [&oracle, &outcome, &split].map(waiting);
    assert!(least < ours && ours < most / 5.0, "waiting {least}, {ours} and {most} s");
    assert_eq!(outcome.metrics.get("settled_share"), 1.0);

    // At load 0.7 a throw misses with probability near 0.7: 0.7 + 0.7² + … + 0.7¹⁰ ≈ 2.3 throws a task.
    let thrown = outcome.kinds.iter().find(|kind| kind.name == "throw").expect("its kind is known");
    let throws = thrown.messages as f64 / setup(10).tasks.len() as f64;
    assert!((1.2..3.5).contains(&throws), "{throws} throws a task");

    // Never thrown is split by hash: the same hash as `independent`, to the nanosecond.
    let kept = measure::<HotPotato>(&setup(0)).expect("no promise is broken");
    assert_eq!(waiting(&kept), waiting(&split));
}

/// It stands in a comparison like any other, with faults, pairs and verdicts.
#[test]
fn it_is_compared_with_the_others() {
    let text = format!("{CALM}[faults.crash]\nevery = \"10min\"\nrestart_after = \"2min\"\n");
    let patterns = [PatternDef::of::<HotPotato>(), common::pattern("hierarchical")];
    let known = [PATTERNS, &patterns[..1]].concat();
    let scenario = common::scenario_with(&text, &known);
    let comparison = common::compared(&scenario, &patterns, 4, 2).expect("no invariant breaks");
    let ours = comparison.pattern("hot_potato").expect("it took part");
    assert_eq!(ours.runs.len(), 4);
    // It gives up that no task is lost, and crashes see to it; the coordinator keeps its word.
    assert!(ours.values("tasks_lost").iter().sum::<f64>() > 0.0);
    let row = comparison.paired.iter().find(|row| row.metric == "goodput_per_s");
    let row = row.expect("a primary endpoint is compared");
    assert_eq!((row.pattern, row.against), ("hierarchical", "hot_potato"));
    assert!(row.verdict.is_some() && row.paired.n == 4);
}
