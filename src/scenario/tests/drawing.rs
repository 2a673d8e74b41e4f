//! What is drawn from a scenario: the same for every pattern, untouched by absent agents.

use super::*;
use crate::engine::{Seed, Span};
use crate::fault::FaultPlan;
use crate::input::azure_llm;
use crate::sim::Setup;
use crate::trace::{SiteId, TaskId};
use crate::work::Discipline;

fn draw(scenario: &Scenario, replication: u32) -> Setup {
    scenario.instantiate(Seed(1), replication).unwrap_or_else(|error| panic!("{error}"))
}

fn load_rho(setup: &Setup) -> f64 {
    setup.tasks.total_work_s() / setup.fleet.capacity_until(setup.clock.horizon)
}

#[test]
fn stations_are_as_the_scenario_says() {
    let text = SMALL.replace("count = 5", "count = 5\nslots = 4\ndiscipline = \"sharing\"\ninbox = 7")
        + "[relays]\ndiscipline = \"lifo\"\n[costs.kinds.submit]\npriority = -2\n";
    let setup = draw(&good(&text), 0);
    let agent = setup.fleet.profiles()[3];
    assert_eq!((agent.slots, agent.discipline, agent.inbox), (4, Discipline::Sharing, Some(7)));
    assert_eq!(setup.relay.discipline, Discipline::Lifo);
    assert_eq!(setup.costs.kinds["submit"].priority, -2);
    // Four slots do the work of four agents.
    let plain = draw(&good(SMALL), 0);
    assert_eq!(load_rho(&setup), load_rho(&plain) / 4.0);
    assert_eq!(plain.fleet.profiles()[0].inbox, None);
}

const RICH: &str = "\
[run]
horizon = \"2h\"
[[agents]]
count = 60
speed = { lognormal = { median = 1, sigma = 0.3 } }
[relays]
count = 3
[network]
sites = [\"eu\", \"us\", \"ap\"]
weights = [3, 2, 1]
[work]
source = { poisson = { rate_per_s = 0.3 } }
duration = { exponential = { mean = \"2min\" } }
[faults.churn]
session = { exponential = { mean = \"30min\" } }
absence = \"5min\"
[[faults.crash]]
every = { exponential = { mean = \"20min\" } }
target = \"any\"
restart_after = \"1min\"
[[faults.partition]]
at = \"1h\"
share = 0.3
for = \"2min\"
[[faults.crash]]
at = \"90min\"
target = \"authority\"
";

/// Everything drawn, as text, the absent agents aside.
fn drawn(setup: &Setup) -> String {
    let present: Vec<_> = setup.fleet.profiles().iter().filter(|agent| agent.present).collect();
    let seats: Vec<_> = setup.fleet.seat_order().collect();
    format!("{:?} {present:?} {seats:?} {:?}", setup.tasks, setup.faults)
}

#[test]
fn a_replication_is_a_function_of_seed_and_number() {
    let scenario = good(RICH);
    assert_eq!(drawn(&draw(&scenario, 3)), drawn(&draw(&good(RICH), 3)));
    assert_ne!(drawn(&draw(&scenario, 3)), drawn(&draw(&scenario, 4)));
    let other = scenario.instantiate(Seed(2), 3).expect("drawn");
    assert_ne!(drawn(&draw(&scenario, 3)), drawn(&other));
}

/// Also where the absent group stands first in the file.
#[test]
fn agents_that_stay_down_change_no_draw() {
    let absent = "[[agents]]\ncount = 7\npresent = false\nskill = \"law\"\n\
                  speed = { uniform = { low = 1, high = 2 } }\n[[agents]]\ncount = 60";
    let more = RICH.replace("[[agents]]\ncount = 60", absent);
    let (plain, more) = (draw(&good(RICH), 0), draw(&good(&more), 0));
    assert_eq!((plain.fleet.agents(), more.fleet.agents()), (60, 67));
    assert_eq!(drawn(&plain), drawn(&more));
}

#[test]
fn nodes_are_spread_by_weight_at_every_number() {
    let setup = draw(&good(RICH), 0);
    let count = |agents: usize, site: u16| {
        setup.fleet.profiles()[..agents].iter().filter(|agent| agent.site == SiteId(site)).count()
    };
    assert_eq!([0, 1, 2].map(|site| count(60, site)), [30, 20, 10]);
    assert_eq!([0, 1, 2].map(|site| count(6, site)), [3, 2, 1]);
    assert_eq!(
        (0..3).map(|relay| setup.fleet.site(setup.fleet.relay(relay))).collect::<Vec<_>>(),
        [0, 1, 2].map(SiteId)
    );
    let origins = setup.tasks.cards().iter().filter(|card| card.origin == SiteId(0)).count();
    let share = origins as f64 / setup.tasks.len() as f64;
    assert!((share - 0.5).abs() < 0.05, "half of the tasks come from the first site: {share}");
}

#[test]
fn a_graph_of_steps_becomes_tasks_that_wait() {
    let text = "\
[run]
horizon = \"1h\"
[[agents]]
count = 4
skill = \"reader\"
[[agents]]
count = 2
skill = \"writer\"
[work.source.dag]
jobs = 100
steps = [
  { name = \"extract\", work = \"30s\", skill = \"reader\" },
  { name = \"analyse\", work = \"2min\", skill = \"reader\", after = [\"extract\"] },
  { name = \"format\", work = \"10s\", skill = \"writer\", after = [\"analyse\"], context_tokens = 500 },
]
";
    let setup = draw(&good(text), 0);
    assert_eq!(setup.tasks.len(), 300);
    assert_eq!(setup.tasks.predecessors(TaskId(5)).collect::<Vec<_>>(), [TaskId(4)]);
    let card = setup.tasks.card(TaskId(5));
    assert_eq!(
        (card.skill, card.context_tokens, card.estimate),
        (Some(crate::trace::SkillId(1)), 500, Span::from_secs(10))
    );
    assert_eq!(setup.tasks.card(TaskId(4)).estimate, Span::from_secs(120));
}

/// A saved plan is replayed as it is, in every replication, and must fit the fleet.
#[test]
fn a_saved_plan_is_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = draw(&good(RICH), 2).faults;
    plan.save(&folder.path().join("faults.json")).expect("written");
    let text =
        format!("{}[faults]\nplan = \"faults.json\"\n", RICH.split("[faults.churn]").next().expect("a head"));
    let origin =
        TextOrigin { name: "x.toml".to_owned(), stem: "x".to_owned(), folder: folder.path().to_owned() };
    let load = |text: &str| Scenario::from_text(text, &origin, &[], &KNOWN);
    let scenario = load(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((draw(&scenario, 0).faults, draw(&scenario, 5).faults), (plan.clone(), plan));
    let error = load(&text.replace("count = 60", "count = 6")).expect_err("too few agents").to_string();
    assert!(error.contains("faults.json:2: `[0]`") && error.contains("there is no agent"), "{error}");
    let error =
        load(&text.replace("[faults]", "[faults]\ncrash = { at = \"1h\" }")).expect_err("both").to_string();
    assert!(error.contains("a plan says all faults, but there are others: crash"), "{error}");
    assert_eq!(
        FaultPlan::load(&folder.path().join("absent.json")).map(|_| ()).expect_err("absent").exit_code(),
        2
    );
}

#[test]
fn a_matrix_file_gives_sites_by_its_nodes() {
    let folder = tempfile::tempdir().expect("a folder");
    let matrix = "0\t1\t80\t82\n1\t0\t84\t86\n80\t84\t0\t2\n82\t86\t2\t0\n";
    std::fs::write(folder.path().join("m.tsv"), matrix).expect("written");
    let origin =
        TextOrigin { name: "x.toml".to_owned(), stem: "x".to_owned(), folder: folder.path().to_owned() };
    let sites = "matrix = { file = \"m.tsv\", merge_below = \"5ms\" }";
    let text = SMALL.replace("sites = [\"eu\", \"us\"]", sites);
    let scenario = Scenario::from_text(&text, &origin, &[], &KNOWN).unwrap_or_else(|error| panic!("{error}"));
    let setup = draw(&scenario, 0);
    let sites = &setup.network.sites;
    assert_eq!((sites.len(), sites.name(SiteId(1))), (2, "site1"));
    // Half the mean of the round trips 80, 82, 84 and 86 ms.
    assert_eq!(sites.latency(SiteId(0), SiteId(1)), Span::from_micros(41_500));
    assert_eq!(sites.latency(SiteId(0), SiteId(0)), Span::from_micros(500));
    assert_eq!(setup.fleet.clients(), 2);
}

/// A trace gives every replication other arrivals, with the same tasks in another order.
#[test]
fn a_trace_is_turned_from_replication_to_replication() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |second: u32| {
        format!("2023-11-16 18:00:{:02}.0000000,{},{}\n", second % 60, 100 + second, 10 + second)
    };
    let rows: String = [0, 1, 2, 9, 10, 40].map(row).concat();
    let text = format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}");
    std::fs::write(folder.path().join("t.csv"), text).expect("written");
    let origin =
        TextOrigin { name: "x.toml".to_owned(), stem: "x".to_owned(), folder: folder.path().to_owned() };
    let source = "source = { trace = { azure_llm = \"t.csv\" } }\n\
                  model_calls = { calls = 1, ttft = \"1s\", per_token = \"100ms\" }";
    let text = SMALL.replace(
        "source = { poisson = { rate_per_s = 0.1 } }\nduration = { exponential = { mean = \"20s\" } }",
        source,
    );
    let scenario = Scenario::from_text(&text, &origin, &[], &KNOWN).unwrap_or_else(|error| panic!("{error}"));
    let works = |replication| -> Vec<Span> {
        let setup = draw(&scenario, replication);
        (0..6).map(|task| setup.tasks.work(TaskId(task))).collect()
    };
    // 1 s + (10 + second) × 0.1 s.
    let all = [0, 1, 2, 9, 10, 40].map(|second| Span::from_millis(2_000 + 100 * second));
    let orders: std::collections::BTreeSet<Vec<Span>> = (0..12).map(works).collect();
    assert!(orders.len() > 2, "replications differ");
    for mut order in orders {
        order.sort_unstable();
        assert_eq!(order, all);
    }
    let card = *draw(&scenario, 0).tasks.card(TaskId(0));
    // The mean generated tokens of the six rows are 10 + 62/6.
    assert!((card.estimate.as_secs_f64() - (2.0 + 6.2 / 6.0)).abs() < 1e-6 && card.context_tokens >= 100);
}

#[test]
fn the_flagship_loads_its_agents_as_intended() {
    let scenario = Scenario::load("flagship", &[], &KNOWN).unwrap_or_else(|error| panic!("{error}"));
    let setups: Vec<Setup> = (0..6).map(|replication| draw(&scenario, replication)).collect();
    let mean = |value: &dyn Fn(&Setup) -> f64| setups.iter().map(value).sum::<f64>() / 6.0;
    let (rho, tasks) = (mean(&load_rho), mean(&|setup| setup.tasks.len() as f64));
    assert!((0.6..0.85).contains(&rho), "ρ = {rho}");
    assert!((7_500.0..11_000.0).contains(&tasks), "{tasks} tasks");
}

#[test]
fn the_published_trace_drives_tasks_if_it_is_there() {
    let data = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    let path = azure_llm::DATASET.path(data);
    if !path.is_file() {
        eprintln!("SKIPPED: no real data at {}", path.display());
        return;
    }
    let source = format!("source = {{ trace = {{ azure_llm = \"{}\" }} }}", path.display());
    let text = SMALL.replace("source = { poisson = { rate_per_s = 0.1 } }", &source).replace("10min", "1h");
    let setup = draw(&good(&text), 0);
    assert_eq!(setup.tasks.len(), 8_819);
}
