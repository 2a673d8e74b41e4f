//! The coordinator at work, and each way it can fail.

use super::*;
use crate::engine::{Span, Time};
use crate::fault::{FaultKind, Target};
use crate::mechanism::Policy;
use crate::pattern::testing::{
    churn, fault, partition, play, poisson, setup, setup_of, with_absent_agent, with_faults,
};
use crate::trace::{Fact, NodeId, Plane, Record};

fn quiet() -> Params {
    Params { heartbeat: Span::ZERO, ..Params::default() }
}

#[test]
fn one_task_takes_four_messages() {
    let log = play::<Hierarchical>(&setup(4, 1, 1, Span::from_secs(30)), &quiet());
    let counts = ["hello", "assign", "accepted", "result", "received", "cancel"].map(|name| log.sent(name));
    assert_eq!(counts, [3, 1, 1, 1, 1, 0]);
    assert_eq!(log.accepted(), 1);
    // submit 10 ms + 1 ms, assign 10 + 1, reading 100 tokens of context 1 s + 0.1 s.
    assert!((log.decision_latencies()[0] - 1.122).abs() < 1e-9, "{:?}", log.decision_latencies());
}

#[test]
fn all_is_settled_under_every_policy_and_queue() {
    for policy in [Policy::RoundRobin, Policy::Random, Policy::LeastLoaded, Policy::PowerOfD { d: 2 }] {
        for worker_queue in [1, 3] {
            let params = Params { policy, worker_queue, ..Params::default() };
            let log = play::<Hierarchical>(&setup(9, 1, 60, Span::from_secs(20)), &params);
            assert_eq!(log.accepted(), 60, "{policy:?} {worker_queue}");
        }
    }
}

#[test]
fn a_crashed_worker_is_replaced() {
    let setup = with_faults(
        setup(3, 1, 2, Span::from_secs(100)),
        vec![
            fault(40, None, FaultKind::Crash, Target::Agent(1)),
            fault(40, None, FaultKind::Crash, Target::Agent(2)),
        ],
    );
    let mut both_down = setup.clone();
    let log = play::<Hierarchical>(&both_down, &Params::default());
    assert_eq!(log.accepted(), 0, "nobody is left to work");
    both_down.faults = std::sync::Arc::new(crate::fault::FaultPlan::new(vec![fault(
        40,
        None,
        FaultKind::Crash,
        Target::Agent(1),
    )]));
    let log = play::<Hierarchical>(&both_down, &Params::default());
    assert_eq!(log.accepted(), 2);
    assert_eq!(log.facts(|fact| matches!(fact, Fact::Redelivered(_))), 1);
}

#[test]
fn a_dead_coordinator_halts_the_system_until_it_is_back() {
    let crash = fault(60, Some(160), FaultKind::Crash, Target::Authority { seat: 0, otherwise: 0 });
    let setup = with_faults(setup(6, 1, 40, Span::from_secs(30)), vec![crash]);
    let log = play::<Hierarchical>(&setup, &Params::default());
    let halted = |at: Time| at > Time::from_secs(62) && at < Time::from_secs(160);
    assert_eq!(log.acceptances().iter().filter(|(at, ..)| halted(*at)).count(), 0);
    assert!(log.sent("roll_call") >= 5 && log.sent("holding") + log.sent("result") > 5);
    // Tasks that were queued when it died may be lost; all others come through.
    assert!(log.accepted() >= 35, "{}", log.accepted());
    assert_eq!(log.double_settles(), 0);
}

/// Submit, acknowledge, assign, result: what remains when nobody confirms anything.
#[test]
fn without_confirmations_a_task_is_four_messages() {
    let params = Params { assign_timeout: Span::ZERO, result_timeout: Span::ZERO, ..quiet() };
    let log = play::<Hierarchical>(&setup(4, 1, 20, Span::from_secs(20)), &params);
    assert_eq!(log.accepted(), 20);
    let messages = ["submit", "acknowledge", "assign", "result"].map(|kind| log.sent(kind));
    assert_eq!(messages, [20; 4]);
    assert_eq!(log.sent("accepted") + log.sent("received"), 0);
}

#[test]
fn a_worker_wrongly_taken_for_dead_gives_up_what_others_do() {
    let setup = with_faults(setup(4, 1, 3, Span::from_secs(300)), vec![partition(20, 120, vec![1])]);
    let log = play::<Hierarchical>(&setup, &Params::default());
    assert_eq!(log.accepted(), 3);
    assert!(log.sent("cancel") >= 1, "the first holder is told to stop");
    assert_eq!(log.double_settles(), 0);
}

#[test]
fn two_coordinators_share_the_tasks_and_the_workers() {
    let params = Params { coordinators: 2, ..Params::default() };
    let log = play::<Hierarchical>(&setup(10, 1, 80, Span::from_secs(20)), &params);
    assert_eq!(log.accepted(), 80);
    let deciders: std::collections::BTreeSet<NodeId> = log
        .records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Noted { node, fact: Fact::Decided { .. } } => Some(*node),
            _ => None,
        })
        .collect();
    assert_eq!(deciders.len(), 2);
}

#[test]
fn a_thinking_coordinator_decides_one_at_a_time() {
    let params = Params { decide: Plane::Cognition, ..quiet() };
    let mut batch = setup(8, 1, 5, Span::from_secs(30));
    let specs = (0..5).map(|_| crate::pattern::testing::task(Time::from_secs(1), Span::from_secs(30)));
    batch.tasks = std::sync::Arc::new(crate::work::Tasks::new(specs.collect()).unwrap());
    let log = play::<Hierarchical>(&batch, &params);
    let latencies = log.decision_latencies();
    // Each decision is 1 s + 100 tokens at 1 ms, so the fifth waits for five of them.
    for (index, latency) in latencies.iter().enumerate() {
        let expected = 1.1 * (index + 1) as f64 + 1.122;
        assert!((latency - expected).abs() < 0.01, "{index}: {latency} is not {expected}");
    }
}

#[test]
fn a_wrong_output_that_is_detected_is_done_again() {
    let mut setup = setup(5, 1, 30, Span::from_secs(20));
    setup.work.error_rate = 0.4;
    let params = Params { verify: true, ..Params::default() };
    let log = play::<Hierarchical>(&setup, &params);
    assert_eq!(log.accepted(), 30);
    let wrong = log.count(|record| matches!(record, Record::Accepted { correct: false, .. }));
    assert_eq!(wrong, 0, "verification reveals every wrong output");
    assert!(log.count(|record| matches!(record, Record::Finished { correct: false, .. })) > 5);
}

#[test]
fn churn_loses_no_settled_task_and_repeats_itself() {
    let tasks = poisson(40, 300, Span::from_secs(60), 0.6, 7);
    let setup = setup_of(40, 1, tasks);
    let end = setup.clock.horizon;
    let setup = with_faults(setup, churn(40, Span::from_secs(900), Span::from_secs(90), end, 3));
    let log = play::<Hierarchical>(&setup, &Params::default());
    assert_eq!(log.double_settles(), 0);
    assert!(log.accepted() > 250, "{}", log.accepted());
    assert_eq!(log.fingerprint, play::<Hierarchical>(&setup, &Params::default()).fingerprint);
}

#[test]
fn an_absent_agent_changes_nothing() {
    let setup = setup(12, 1, 100, Span::from_secs(20));
    let plain = play::<Hierarchical>(&setup, &Params::default());
    let with_absent = play::<Hierarchical>(&with_absent_agent(&setup), &Params::default());
    assert_eq!(plain.acceptances(), with_absent.acceptances());
    // The absent agent adds its own record that it is not there, and nothing else.
    assert_eq!(with_absent.records.len(), plain.records.len() + 1);
}

#[test]
fn nonsense_is_refused_all_at_once() {
    let fleet = &setup(3, 1, 1, Span::from_secs(1)).fleet;
    let params = Params {
        coordinators: 3,
        worker_queue: 0,
        timeout: Span::from_secs(1),
        policy: Policy::PowerOfD { d: 0 },
        ..Params::default()
    };
    let problems = Hierarchical::check(&params, fleet).unwrap_err();
    let keys: Vec<_> = problems.iter().filter_map(|problem| problem.key.as_deref()).collect();
    assert_eq!(keys, ["coordinators", "worker_queue", "timeout", "policy.power_of_d.d"]);
}

/// There may be a million of them; with what one holds for a task or two beside it.
#[test]
fn a_worker_is_small() {
    let size = size_of::<Hierarchical>();
    assert!(size <= 104, "{size} bytes");
}

/// Heartbeats that come faster than they are handled would fill the memory.
#[test]
fn a_flood_of_messages_ends_the_run() {
    let mut flooded = setup(4, 1, 1, Span::from_secs(30));
    let params = Params { heartbeat: Span::from_micros(1), ..Params::default() };
    let value = serde_json::to_value(params).expect("parameters are plain data");
    flooded.params = std::sync::Arc::new([("hierarchical".to_owned(), value)].into());
    let error = crate::sim::measure::<Hierarchical>(&flooded).expect_err("nobody handles a million a second");
    let text = error.to_string();
    assert!(text.contains("100000 messages are under way or waiting"), "{text}");
    assert_eq!(text.lines().count(), 2, "nothing else is said of a run cut short: {text}");
}
