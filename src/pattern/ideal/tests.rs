//! Every queue discipline of the oracle against its closed form, cases of `../shared/validation/cases.md`.
//!
//! The reference must lie in the 99.9 % interval over replications, because a fixed seed is either always
//! inside or always outside; the interval itself must be narrow.

use std::sync::Arc;

use super::*;
use crate::engine::{Rng, Seed, Time};
use crate::fault::{Entry, FaultKind, FaultPlan, Origin, Target};
use crate::pattern::testing::{fault, poisson, setup_of, task, with_faults};
use crate::sim::{Outcome, Setup, measure};
use crate::stats::summary::Summary;
use crate::work::{TaskSpec, Tasks};

fn params(text: &str) -> Params {
    toml::from_str(text).expect(text)
}

fn with_params(mut setup: Setup, text: &str) -> Setup {
    let value = serde_json::to_value(params(text)).expect("plain data");
    setup.params = Arc::new([("ideal".to_owned(), value)].into());
    setup
}

fn run(setup: &Setup) -> Outcome {
    measure::<Ideal>(setup).expect("no invariant breaks")
}

/// An open queue with exponential work of mean 1 s; the first fifth is warm-up.
fn open(agents: u32, load: f64, tasks: u32, text: &str, seed: u64) -> Setup {
    let mut setup =
        with_params(setup_of(agents, 1, poisson(agents, tasks, Span::from_secs(1), load, seed)), text);
    setup.seed = Seed(seed);
    setup.clock.warmup = Time::ZERO + Span::from_nanos(setup.clock.horizon.as_nanos() / 5);
    setup
}

fn check(name: &str, values: &[f64], reference: f64, tolerance: f64) {
    let summary = Summary::at(values, 0.999);
    let inside = summary.low <= reference && reference <= summary.high;
    assert!(inside, "{name}: {reference} is not in {summary:?}");
    let half_width = Summary::of(values).half_width / reference;
    assert!(half_width <= tolerance, "{name}: half-width {half_width:.4} exceeds {tolerance}");
}

fn column(setups: impl Iterator<Item = Setup>, name: &str) -> Vec<f64> {
    setups.map(|setup| run(&setup).metrics.get(name)).collect()
}

fn sojourns(agents: u32, load: f64, tasks: u32, text: &str, runs: u64) -> Vec<f64> {
    column((0..runs).map(|seed| open(agents, load, tasks, text, 700 + seed)), "sojourn_mean_s")
}

/// L-12 (n = 4, ρ = 0.8) and L-13 (n = 10, ρ = 0.9): random is M/M/1, round robin E_n/M/1.
#[test]
fn splitting_at_random_is_mm1_and_round_robin_is_enm1() {
    let random = "queue = \"own\"\ndispatch = \"random\"";
    let robin = "queue = \"own\"\ndispatch = \"round_robin\"";
    check("L-12 random", &sojourns(4, 0.8, 30_000, random, 8), 5.0, 0.05);
    check("L-12 round robin", &sojourns(4, 0.8, 30_000, robin, 8), 3.267_38, 0.05);
    check("L-13 round robin", &sojourns(10, 0.9, 50_000, robin, 8), 5.660_28, 0.08);
}

/// L-02: 2.61406 in the limit of many agents, and about 4/n ÷ λ more at n (L-05: 2.3527 + 3.98/n tasks an
/// agent).
#[test]
fn two_choices_of_a_thousand_are_the_mean_field_limit() {
    let two = "queue = \"own\"\ndispatch = { shortest_of = { d = 2 } }";
    let mean = sojourns(1_000, 0.9, 150_000, two, 1)[0];
    assert!((mean / 2.618_5 - 1.0).abs() < 0.02, "{mean}");
}

/// L-05 at n = 10, with replacement: 2.8003 tasks an agent, a sojourn of 3.1114 s. Without replacement it is
/// shorter, and the shortest of all (M/M/10 is 1.66873, L-13) shorter still.
#[test]
fn choices_among_ten_are_the_published_simulation() {
    let of = |replacement| {
        format!("queue = \"own\"\ndispatch = {{ shortest_of = {{ d = 2, replacement = {replacement} }} }}")
    };
    let with = sojourns(10, 0.9, 40_000, &of(true), 6);
    check("L-05", &with, 3.111_4, 0.05);
    let without = Summary::of(&sojourns(10, 0.9, 40_000, &of(false), 6)).mean;
    let shortest =
        Summary::of(&sojourns(10, 0.9, 40_000, "queue = \"own\"\ndispatch = \"shortest\"", 6)).mean;
    assert!(1.668_73 < shortest && shortest < without && without < Summary::of(&with).mean);
}

/// L-10: n = 10, λ = 0.9: 2.40 ± 0.01.
#[test]
fn joining_an_idle_queue_first_is_the_published_simulation() {
    let idle = "queue = \"own\"\ndispatch = \"idle_first\"";
    check("L-10", &sojourns(10, 0.9, 60_000, idle, 12), 2.40, 0.05);
}

/// L-08: λ = 0.9, n = 1,000, one probe, victims with two tasks or more: 3.54138.
#[test]
fn stealing_is_the_mean_field_limit() {
    let steal = "queue = \"own\"\ndispatch = \"random\"\nsteal = { probes = 1, at_least = 2 }";
    let mean = sojourns(1_000, 0.9, 150_000, steal, 1)[0];
    assert!((mean / 3.541_38 - 1.0).abs() < 0.03, "{mean}");
}

/// M/M/1/5 at λ = 0.9. Q-16: M/M/1/8 at λ = 1.2. Q-18: Erlang B, c = 5, a = 3.
#[test]
fn a_bounded_system_rejects_what_the_closed_forms_say() {
    for (agents, load, capacity, rejected) in
        [(1, 0.9, 5, 0.126_023), (1, 1.2, 8, 0.206_733), (5, 0.6, 5, 0.110_054)]
    {
        let setups = (0..8).map(|seed| open(agents, load, 20_000, &format!("capacity = {capacity}"), seed));
        check("rejected", &column(setups, "rejected_share"), rejected, 0.08);
    }
}

/// a server that looks every 2 s when it found nothing: Wq = λE[S²]/2(1−ρ) + P/2 = 2 at λ = 0.5.
#[test]
fn a_polling_agent_is_the_queue_with_multiple_vacations() {
    check("Q-36", &sojourns(1, 0.5, 20_000, "poll = \"2s\"", 8), 3.0, 0.03);
    // E[V²]/2E[V] is 2 for an exponential interval of the same mean.
    let exponential = "poll = { exponential = { mean = \"2s\" } }";
    check("exponential", &sojourns(1, 0.5, 20_000, exponential, 8), 4.0, 0.03);
}

/// The order of service changes who waits, not how long on average; only its spread tells them apart.
#[test]
fn the_order_of_service_leaves_the_mean() {
    let mean = |order: &str| Summary::of(&sojourns(1, 0.7, 30_000, &format!("order = \"{order}\""), 4)).mean;
    let [fifo, lifo, random] = ["fifo", "lifo", "random"].map(mean);
    assert!(
        (lifo / fifo - 1.0).abs() < 0.005 && (random / fifo - 1.0).abs() < 0.005,
        "{fifo} {lifo} {random}"
    );
    let p99 = |order: &str| {
        column([open(1, 0.7, 30_000, &format!("order = \"{order}\""), 1)].into_iter(), "sojourn_p99_s")[0]
    };
    assert!(p99("fifo") < p99("random") && p99("random") < p99("lifo"));
}

/// Q-40 (Cobham): λ1 = 0.2 of priority 1, λ2 = 0.5 of priority 0: Wq1 = 0.875, Wq2 = 2.916667.
#[test]
fn priority_is_cobhams_formula() {
    let waits = (0..8).map(|seed| {
        let mut specs = poisson(1, 30_000, Span::from_secs(1), 0.7, 900 + seed);
        let mut rng = Rng::from_state(40 + seed);
        specs.iter_mut().for_each(|spec| spec.card.priority = i16::from(rng.chance(0.2 / 0.7)));
        let setup = with_params(setup_of(1, 1, specs), "order = \"priority\"");
        let log = crate::pattern::testing::play::<Ideal>(&setup, &params("order = \"priority\""));
        let mean = |priority: i16| {
            let ours = |task: &TaskId| setup.tasks.card(*task).priority == priority;
            let waits: Vec<f64> = log
                .starts()
                .into_iter()
                .filter(|(_, task, _)| ours(task))
                .map(|(at, task, _)| at.since(setup.tasks.card(task).arrival).as_secs_f64())
                .collect();
            waits.iter().sum::<f64>() / waits.len() as f64
        };
        (mean(1), mean(0))
    });
    let (high, low): (Vec<f64>, Vec<f64>) = waits.unzip();
    check("Wq1", &high, 0.875, 0.06);
    check("Wq2", &low, 2.916_667, 0.12);
}

/// `agent:0` is up and down in turn.
fn breakdowns(kind: &FaultKind, end: Time, seed: u64) -> Vec<Entry> {
    let mut rng = Rng::from_state(seed);
    let mut exponential = |mean: f64| Span::from_secs_f64(-mean * libm::log(rng.uniform()));
    let (mut at, mut entries) = (Time::ZERO + exponential(10.0), Vec::new());
    while at < end {
        let until = at + exponential(2.0);
        let (kind, target) = (kind.clone(), Target::Agent(0));
        entries.push(Entry { at, until: Some(until), kind, target, origin: Origin::Law });
        at = until + exponential(10.0);
    }
    entries
}

/// λ = 0.5, μ = 1, up exp(10), down exp(2), service resumes: W = 3.833333, with either queue. Under
/// crashes service is repeated with the same work, which takes longer.
#[test]
fn pauses_of_the_server_are_preemptive_resume_breakdowns() {
    let broken = |text: &str, kind: &FaultKind, seed: u64| {
        let setup = open(1, 0.5, 30_000, text, 330 + seed);
        let end = setup.clock.end();
        Setup { faults: Arc::new(FaultPlan::new(breakdowns(kind, end, seed))), ..setup }
    };
    for text in ["", "queue = \"own\"\ndispatch = \"random\""] {
        let setups = (0..8).map(|seed| broken(text, &FaultKind::Pause, seed));
        check("Q-33", &column(setups, "sojourn_mean_s"), 3.833_333, 0.04);
    }
    let crashed = run(&broken("", &FaultKind::Crash, 1)).metrics.get("sojourn_mean_s");
    assert!(crashed > 4.0, "{crashed}");
}

/// a task every 0.5 s, 0.25 s of service, the server paused for 60 s: 120 wait when it is back, and the
/// queue is empty 60 s later.
#[test]
fn a_backlog_grows_and_drains_as_worked_out_by_hand() {
    let quarter = Span::from_millis(250);
    let arrival = |index: u32| Time::from_secs(1) + quarter.mul_f64(2.0 * f64::from(index));
    let tasks: Vec<TaskSpec> = (0..800).map(|index| task(arrival(index), quarter)).collect();
    // Between two arrivals, and with no task in service.
    let at = Time::ZERO + Span::from_millis(100_400);
    let mut pause = fault(0, None, FaultKind::Pause, Target::Agent(0));
    (pause.at, pause.until) = (at, Some(at + Span::from_secs(60)));
    let mut setup = with_faults(setup_of(1, 0, tasks), vec![pause]);
    setup.probes = [0, 30, 60, 90, 119, 121].map(|secs| at + Span::from_secs(secs)).into();
    let outcome = run(&setup);
    assert_eq!(outcome.probes, [0.0, 60.0, 120.0, 60.0, 2.0, 0.0]);
    assert!(
        (outcome.metrics.get("agents_down_share") * (setup.clock.horizon.as_nanos() as f64) / 6e10 - 1.0)
            .abs()
            < 1e-9
    );
}

/// Crashed agents' tasks are given anew, paused ones keep theirs, and all are done in the end.
#[test]
fn own_queues_survive_crashes_and_pauses() {
    for text in [
        "queue = \"own\"\ndispatch = \"random\"\nsteal = { probes = 2, at_least = 2 }",
        "queue = \"own\"\ndispatch = \"shortest\"",
        "dispatch = \"round_robin\"\npoll = \"1s\"",
        "order = \"random\"\ndispatch = \"random\"",
    ] {
        let setup = open(4, 0.6, 2_000, text, 5);
        let mut faults =
            crate::pattern::testing::churn(4, Span::from_secs(60), Span::from_secs(10), setup.clock.end(), 9);
        let pauses = breakdowns(&FaultKind::Pause, setup.clock.end(), 6);
        faults.extend(pauses);
        let outcome = run(&Setup { faults: Arc::new(FaultPlan::new(faults)), ..setup });
        assert_eq!(outcome.metrics.get("settled_share"), 1.0, "{text}");
    }
}

#[test]
fn parameters_that_make_no_sense_together_are_refused() {
    for (text, key) in [
        ("queue = \"own\"", "dispatch"),
        ("dispatch = \"shortest\"", "dispatch"),
        ("queue = \"own\"\ndispatch = { shortest_of = { d = 0 } }", "dispatch.shortest_of.d"),
        ("queue = \"own\"\ndispatch = \"random\"\norder = \"lifo\"", "order"),
        ("queue = \"own\"\ndispatch = \"random\"\npoll = \"1s\"", "poll"),
        ("poll = \"0s\"", "poll"),
        ("steal = {}", "steal"),
        ("queue = \"own\"\ndispatch = \"random\"\nsteal = { at_least = 1 }", "steal.at_least"),
        ("capacity = 0", "capacity"),
    ] {
        let problems = params(text).problems();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.clone()).collect();
        assert_eq!(keys, [Some(key.to_owned())], "{text}");
    }
    assert!(params("").problems().is_empty());
}

/// Tasks with a skill go to agents that have it, whichever the discipline.
#[test]
fn skills_are_respected() {
    for text in [
        "queue = \"own\"\ndispatch = \"shortest\"",
        "queue = \"own\"\ndispatch = { shortest_of = { d = 3, replacement = false } }",
        "queue = \"own\"\ndispatch = \"random\"\nsteal = { at_least = 2 }",
        "queue = \"own\"\ndispatch = \"idle_first\"",
        "dispatch = \"random\"\norder = \"random\"",
    ] {
        let mut spec = crate::pattern::testing::fleet_spec(6, 0);
        spec.agents.iter_mut().enumerate().for_each(|(at, agent)| agent.skill = SkillId((at % 2) as u8));
        let fleet = Arc::new(Fleet::new(spec));
        let mut setup = open(6, 0.7, 600, text, 8);
        let mut specs = poisson(6, 600, Span::from_secs(1), 0.7, 8);
        for (index, spec) in specs.iter_mut().enumerate() {
            spec.card.skill = [None, Some(SkillId(0)), Some(SkillId(1))][index % 3];
        }
        setup.tasks = Arc::new(Tasks::new(specs).expect("no circle"));
        setup.fleet = Arc::clone(&fleet);
        let log = crate::pattern::testing::play::<Ideal>(&setup, &params(text));
        assert_eq!(log.accepted(), 600, "{text}");
        for (_, task, node) in log.starts() {
            assert!(fleet.can(node, setup.tasks.card(task).skill), "{text}");
        }
    }
}

/// A task that expires while it waits leaves every queue, and its place is free.
#[test]
fn what_expires_waits_no_longer() {
    for text in ["capacity = 2", "queue = \"own\"\ndispatch = \"random\"\ncapacity = 2", "order = \"random\""]
    {
        let mut specs: Vec<TaskSpec> =
            [1, 2, 7].map(|secs| task(Time::from_secs(secs), Span::from_secs(10))).into();
        // The second waits in vain; the third comes when it is gone, and is done at 21.
        specs[1].card.deadline = Some(Span::from_secs(3));
        let mut setup = with_params(setup_of(1, 0, specs), text);
        setup.work.on_deadline = crate::sim::OnDeadline::Drop;
        let log = crate::pattern::testing::play::<Ideal>(&setup, &params(text));
        let starts: Vec<_> = log.starts().into_iter().map(|(at, task, _)| (at, task)).collect();
        let expected = [(Time::from_secs(1), TaskId(0)), (Time::from_secs(11), TaskId(2))];
        assert_eq!(starts, expected, "{text}");
        assert_eq!(log.accepted(), 2, "{text}");
    }
}
