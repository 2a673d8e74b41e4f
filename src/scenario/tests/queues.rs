//! Scenario files against queueing theory: what the language says of work is what the world does.
//!
//! Cases of `../shared/validation/cases.md`, on `ideal`, which adds nothing of its own. As in
//! `pattern/laws.rs` the reference must lie in the 99.9 % interval over replications of a fixed seed, and
//! the 95 % half-width within a tolerance, so that a test can fail.

use super::*;
use crate::engine::{Seed, Time};
use crate::sim::{Outcome, PatternDef};
use crate::stats::summary::Summary;
use crate::trace::ClassId;
use crate::work::Release;

fn pattern(name: &str) -> &'static PatternDef {
    PATTERNS.iter().find(|def| def.name == name).expect("it is registered")
}

fn runs(text: &str, replications: u32) -> Vec<Outcome> {
    let scenario = good(text);
    let run = |replication| {
        let setup = scenario.instantiate(Seed(7), replication).expect("a setup");
        (pattern("ideal").run)(&setup).expect("no invariant breaks")
    };
    (0..replications).map(run).collect()
}

/// Checks (metric, class, reference) with a half-width of at most `tolerance` × reference.
fn check(runs: &[Outcome], tolerance: f64, expected: &[(&str, Option<&str>, f64)]) {
    for &(metric, class, reference) in expected {
        let values: Vec<f64> = runs.iter().map(|run| run.value(metric, class).expect("it exists")).collect();
        let summary = Summary::at(&values, 0.999);
        let inside = summary.low <= reference && reference <= summary.high;
        assert!(inside, "{metric} {class:?}: {reference} is not in {summary:?}");
        let half_width = Summary::of(&values).half_width / reference;
        assert!(
            half_width <= tolerance,
            "{metric} {class:?}: half-width {half_width:.4} exceeds {tolerance}"
        );
    }
}

/// M/M/1//N, ten customers who think for ten seconds and need the one agent for one.
#[test]
fn a_closed_loop_is_the_machine_repairman() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"5000s\"
warmup = \"200s\"
drain = \"100s\"
[agents]
count = 1
[work]
duration = { exponential = { mean = \"1s\" } }
[work.source.route]
customers = 10
think = { exponential = { mean = \"10s\" } }
";
    let runs = runs(text, 10);
    let expected =
        [("throughput_per_s", 0.785_418), ("sojourn_mean_s", 2.732_08), ("tasks_present_mean", 2.145_82)];
    check(&runs, 0.05, &expected.map(|(metric, value)| (metric, None, value)));
    let first = &runs[0].metrics;
    assert!(first.get("price").is_nan() && first.get("load_rho").is_nan(), "the pattern makes its own load");
    assert!(first.get("job_sojourn_mean_s") == first.get("sojourn_mean_s"), "a job is one task");
}

/// an open Jackson network whose reviewer sends a quarter of the work back.
#[test]
fn rework_is_a_jackson_network() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"12000s\"
warmup = \"1000s\"
drain = \"1000s\"
[[agents]]
count = 1
skill = \"planner\"
[[agents]]
count = 1
skill = \"worker\"
[[agents]]
count = 1
skill = \"reviewer\"
[work.source.route]
arrivals = { poisson = { rate_per_s = 0.6 } }
[[work.source.route.stages]]
name = \"plan\"
skill = \"planner\"
work = { exponential = { mean = \"500ms\" } }
[[work.source.route.stages]]
name = \"work\"
skill = \"worker\"
work = { exponential = { mean = \"800ms\" } }
[[work.source.route.stages]]
name = \"review\"
skill = \"reviewer\"
work = { exponential = { mean = \"666666667ns\" } }
next = { work = 0.25, done = 0.75 }
";
    let runs = runs(text, 10);
    check(
        &runs,
        0.06,
        &[
            ("tasks_present_mean", Some("plan"), 0.428_57),
            ("tasks_present_mean", Some("work"), 1.777_78),
            ("tasks_present_mean", Some("review"), 1.142_86),
            ("arrival_rate_per_s", Some("work"), 0.8),
            ("job_sojourn_mean_s", None, 5.582_01),
            ("jobs_per_s", None, 0.6),
        ],
    );
}

/// exact mean value analysis of five customers, thinking for four seconds, at two single servers.
#[test]
fn a_closed_network_is_what_mean_value_analysis_says() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"6000s\"
warmup = \"300s\"
drain = \"100s\"
[[agents]]
count = 1
skill = \"agent\"
[[agents]]
count = 1
skill = \"relay\"
[work.source.route]
customers = 5
think = { exponential = { mean = \"4s\" } }
[[work.source.route.stages]]
name = \"agent\"
skill = \"agent\"
work = { exponential = { mean = \"1s\" } }
[[work.source.route.stages]]
name = \"relay\"
skill = \"relay\"
work = { exponential = { mean = \"500ms\" } }
";
    let runs = runs(text, 10);
    check(
        &runs,
        0.05,
        &[
            ("jobs_per_s", None, 0.737_707),
            ("job_sojourn_mean_s", None, 2.777_755),
            ("tasks_present_mean", Some("agent"), 1.529_71),
            ("tasks_present_mean", Some("relay"), 0.519_46),
        ],
    );
}

/// Erlang-A, patience exponential with mean 2 s.
#[test]
fn patience_is_erlang_a() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"1500s\"
warmup = \"100s\"
drain = \"30s\"
[agents]
count = 10
[work]
source = { poisson = { rate_per_s = 10 } }
duration = { exponential = { mean = \"1s\" } }
deadline = { exponential = { mean = \"2s\" } }
on_deadline = \"renege\"
";
    let runs = runs(text, 10);
    check(
        &runs,
        0.06,
        &[
            ("expired_share", None, 0.103_913),
            ("tasks_waiting_mean", None, 2.078_26),
            ("waited_share", None, 0.619_66),
        ],
    );
}

/// Each job expires at its first stage a second after it arrived; four seconds later the customer asks again.
#[test]
fn the_rest_of_a_refused_job_is_skipped_and_the_customer_thinks_again() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"20s\"
finish = \"settled\"
[agents]
count = 1
[work]
deadline = \"1s\"
on_deadline = \"drop\"
duration = \"2s\"
[work.source.route]
customers = 1
think = \"4s\"
stages = [{ name = \"a\" }, { name = \"b\" }]
";
    let run = runs(text, 1).remove(0);
    // At 4, 9, 14 and 19 s; the job due at 24 s is after the horizon, and nothing is left to wait for.
    let counts = ["arrived", "expired", "completed", "open"].map(|name| run.metrics.get(name));
    assert_eq!(counts, [4.0, 4.0, 0.0, 0.0]);
    assert_eq!(run.end.end, Time::from_secs(20));
    assert!(run.value("sojourn_mean_s", Some("b")).expect("a class").is_nan());
}

/// What has begun when its deadline passes is done, though late; what has not leaves.
#[test]
fn only_those_who_still_wait_lose_patience() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"20s\"
drain = \"1min\"
warmup = \"0s\"
[agents]
count = 1
[work]
source = { batch = { tasks = 3 } }
deadline = \"4s\"
on_deadline = \"renege\"
duration = \"3s\"
";
    let run = runs(text, 1).remove(0);
    let counts = ["completed", "expired", "deadline_misses"].map(|name| run.metrics.get(name));
    assert_eq!(counts, [2.0, 1.0, 2.0], "the second begins at 3 s and ends at 6 s; the third leaves at 4 s");
    assert_eq!(run.metrics.get("makespan_s"), 6.0);
}

#[test]
fn classes_have_their_own_laws_and_change_no_other_draw() {
    let extra = "\
[[work.classes]]
name = \"chat\"
share = 3
priority = 2
[[work.classes]]
name = \"batch\"
duration = \"9min\"
deadline = \"1h\"
";
    let plain = good(SMALL).instantiate(Seed(3), 0).expect("a setup");
    let classed = good(&format!("{SMALL}{extra}")).instantiate(Seed(3), 0).expect("a setup");
    assert_eq!(classed.tasks.classes(), ["chat", "batch"]);
    assert_eq!(plain.tasks.classes(), ["task"]);
    assert!(plain.tasks.cards().iter().enumerate().all(|(job, card)| card.job == job as u32));
    let mut chats = 0;
    for (one, other) in plain.tasks.cards().iter().zip(classed.tasks.cards()) {
        assert_eq!((one.arrival, one.origin, one.job), (other.arrival, other.origin, other.job));
        if other.class == ClassId(0) {
            chats += 1;
            assert_eq!(plain.tasks.work(one.id), classed.tasks.work(other.id));
            assert_eq!((other.priority, other.deadline), (2, None));
        } else {
            assert_eq!(classed.tasks.work(other.id).as_secs_f64(), 540.0);
            assert_eq!((other.priority, other.deadline.map(|span| span.as_secs_f64())), (0, Some(3_600.0)));
        }
    }
    let share = f64::from(chats) / classed.tasks.len() as f64;
    assert!((share - 0.75).abs() < 0.2, "three quarters of about 60: {share}");
    let rows = "source = { tasks = [{ class = \"batch\" }, { class = \"chat\", at = \"1s\" }] }";
    let text = SMALL.replace("source = { poisson = { rate_per_s = 0.1 } }", rows);
    let listed = good(&format!("{text}{extra}")).instantiate(Seed(3), 0).expect("a setup");
    let classes: Vec<ClassId> = listed.tasks.cards().iter().map(|card| card.class).collect();
    assert_eq!(classes, [ClassId(1), ClassId(0)]);
    assert_eq!(listed.tasks.release(crate::trace::TaskId(0)), Release::Scheduled);
}

/// Every pattern serves a closed loop with rework to its end, and the customers' own pace bounds it.
#[test]
fn every_pattern_serves_a_closed_loop() {
    let text = "\
[run]
patterns = [\"ideal\"]
horizon = \"10min\"
drain = \"10min\"
finish = \"settled\"
warmup = \"1min\"
[agents]
count = 6
[relays]
count = 1
[work]
duration = { exponential = { mean = \"5s\" } }
[work.source.route]
customers = 4
think = { exponential = { mean = \"20s\" } }
stages = [{ name = \"draft\" }, { name = \"check\", next = { draft = 0.3, done = 0.7 } }]
";
    let scenario = good(text);
    let setup = scenario.instantiate(Seed(5), 0).expect("a setup");
    for def in PATTERNS {
        let run = (def.run)(&setup).unwrap_or_else(|error| panic!("{}: {error}", def.name));
        let get = |name| run.metrics.get(name);
        assert!(get("arrived") > 20.0, "{}: {} tasks", def.name, get("arrived"));
        assert_eq!(get("open"), 0.0, "{}", def.name);
        assert!(run.end.end < Time::from_secs(1_000), "{}: nobody waits for jobs that never come", def.name);
        assert!(get("tasks_present_max") <= 4.0, "{}: a customer has one task at a time", def.name);
    }
}
