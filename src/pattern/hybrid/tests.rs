//! `hybrid` on small setups: one site 10 ms across, harness 1 ms, cognition 1 s + 1 ms a token, relay 0.5 ms.

use std::sync::Arc;

use super::*;
use crate::engine::Time;
use crate::fault::{FaultKind, Target};
use crate::pattern::testing::{
    Log, churn, fault, fleet_spec, partition as cut_off, play as run_of, poisson, setup, setup_of, task,
    with_absent_agent, with_faults,
};
use crate::relay::Fence;
use crate::sim::{Message, Setup};
use crate::trace::{Fact, Fate, Output, Record, SkillId};
use crate::work::TaskSpec;

mod faults;

fn play(setup: &Setup, params: &Params) -> Log {
    run_of::<Hybrid>(setup, &Arc::new(*params))
}
fn durable(mut setup: Setup) -> Setup {
    setup.relay.durable = true;
    setup
}
/// `agents`, `relays` with durable memory, and one task of `work` seconds that arrives after a second.
fn one_task(agents: u32, relays: u32, work: u64) -> Setup {
    durable(setup(agents, relays, 1, Span::from_secs(work)))
}
fn busy(agents: u32, tasks: u32, load: f64) -> Setup {
    durable(setup_of(agents, 1, poisson(agents, tasks, Span::from_secs(60), load, 5)))
}
fn agent_of(setup: &Setup, node: NodeId) -> u32 {
    setup.fleet.index_in_role(node)
}
fn requester_of(setup: &Setup, task: TaskId) -> NodeId {
    let submission = Submission {
        task,
        origin: setup.tasks.card(task).origin,
        attempt: 0,
        skill: setup.tasks.card(task).skill,
    };
    Hybrid::entry(&Arc::default(), &setup.fleet, &Seats::default(), submission)
}
fn redelivered(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Redelivered(_)))
}
fn conflicts(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Conflict(_)))
}
fn named(log: &Log, name: &str) -> usize {
    log.facts(|fact| matches!(fact, Fact::Named(this, 1) if *this == name))
}
fn fates(log: &Log, wanted: Fate) -> usize {
    log.count(|record| matches!(record, Record::Fate { fate, .. } if *fate == wanted))
}
fn secs(time: Time) -> f64 {
    time.as_secs_f64()
}
/// Whom a crash of agent `node` at `at` \[s\], for `length`, strikes.
fn crash(setup: &Setup, node: NodeId, at: u64, length: Option<u64>) -> crate::fault::Entry {
    fault(at, length.map(|length| at + length), FaultKind::Crash, Target::Agent(agent_of(setup, node)))
}

/// One task, four free agents: every message is accounted for, and so is every millisecond.
#[test]
fn one_task_costs_exactly_these_messages() {
    let setup = one_task(4, 1, 10);
    let log = play(&setup, &Params::default());
    let (started, task, winner) = log.starts()[0];
    assert_ne!(winner, requester_of(&setup, task), "this test is about two agents");
    for (kind, count) in [
        ("submit", 1),
        ("acknowledge", 1),
        ("post", 1),
        ("posted", 1),
        ("offer", 4),
        ("claim", 4),
        ("granted", 1),
        ("conflict", 3),
        ("scope", 1),
        ("agreed", 1),
        ("context", 1),
        ("result", 1),
        ("resolved", 1),
        ("outcome", 1),
    ] {
        assert_eq!(log.sent(kind), count, "{kind}");
    }
    assert_eq!(log.sent_by_pattern(), 20 + log.sent("subscribe"), "and nothing else");
    assert_eq!(conflicts(&log), 3);
    // Harness 1 ms, relay 0.5 ms, link 10 ms: submit 11, post 10.5, offer 11, claim 10.5, granted 11;
    // scope 10 + 1,400; agreed 10 + 1,400; context 1,100.
    assert!((secs(started) - 1.0 - 3.974).abs() < 1e-9, "{started:?}");
    assert!((secs(log.acceptances()[0].0) - (secs(started) + 10.0 + 0.0105)).abs() < 1e-9);
    let decision = Record::Noted { node: NodeId(0), fact: Fact::Decided { task, to: winner } };
    assert_eq!(log.count(|record| *record == decision), 1, "the relay decides");
}

#[test]
fn a_cap_on_the_broadcast_caps_the_conflicts() {
    for fan_out in [1, 3, 8] {
        let setup = durable(setup(12, 1, 30, Span::from_secs(40)));
        let log = play(&setup, &Params { fan_out, ..Params::default() });
        assert_eq!(log.accepted(), 30);
        assert!(log.sent("offer") <= 30 * fan_out as usize);
        assert!(conflicts(&log) <= 30 * (fan_out as usize - 1), "{} conflicts", conflicts(&log));
        assert!(fan_out == 1 || conflicts(&log) > 0);
        assert_eq!(log.sent("conflict"), conflicts(&log));
    }
}

/// A requester that wins its own post reads it, and negotiates with nobody.
#[test]
fn who_wins_its_own_post_talks_to_nobody() {
    let setup = one_task(1, 1, 10);
    let log = play(&setup, &Params::default());
    assert_eq!((log.accepted(), log.sent("scope"), log.sent("context"), log.sent("conflict")), (1, 0, 0, 0));
    // submit 11, post 10.5, offer 11 (behind `posted`: 1 more), claim 10.5, granted 11; reading 1,100.
    assert!((secs(log.starts()[0].0) - 1.0 - 1.155).abs() < 1e-9, "{:?}", log.starts());
}

#[test]
fn all_tasks_are_settled_once_where_nothing_goes_wrong() {
    for load in [0.3, 0.9] {
        let log = play(&busy(20, 300, load), &Params::default());
        assert_eq!((log.accepted(), log.double_settles(), redelivered(&log)), (300, 0, 0));
        assert_eq!(log.starts().len(), 300, "and executed once");
        assert_eq!((log.sent("not_held"), log.sent("ask_brief")), (0, 0));
    }
}

/// In overload nobody is free to be offered anything: whoever becomes free is offered the oldest post,
/// and hardly a claim is in vain.
#[test]
fn in_overload_the_oldest_post_goes_to_whoever_becomes_free() {
    let tasks: Vec<TaskSpec> = (0..60).map(|_| task(Time::from_secs(1), Span::from_secs(30))).collect();
    let setup = durable(setup_of(6, 1, tasks));
    let log = play(&setup, &Params::default());
    assert_eq!((log.accepted(), log.starts().len()), (60, 60));
    assert!(conflicts(&log) < 60, "{} conflicts", conflicts(&log));
    let end = secs(log.acceptances()[59].0);
    assert!(end < 1.0 + 10.0 * (30.0 + 4.0 * 3.0 + 5.0), "ten rounds of work and talk take {end} s");
}

#[test]
fn wrong_outputs_are_rejected_where_requesters_verify() {
    let mut setup = busy(20, 200, 0.4);
    setup.work.error_rate = 0.3;
    let wrong = |log: &Log| log.count(|record| matches!(record, Record::Accepted { correct: false, .. }));
    let trusting = play(&setup, &Params::default());
    assert!((30..=90).contains(&wrong(&trusting)), "30 % of 200");
    let verifying = play(&setup, &Params { verify: true, ..Params::default() });
    assert_eq!((verifying.accepted(), wrong(&verifying), verifying.double_settles()), (200, 0, 0));
    // Each task takes 1 / 0.7 executions; the standard deviation of their sum over 200 tasks is 11.
    let executions = verifying.starts().len();
    assert!((252..=320).contains(&executions), "{executions} executions");
    assert_eq!(fates(&verifying, Fate::Reject), executions - 200);
    assert_eq!(verifying.sent("reject"), executions - 200);
    assert_eq!((named(&verifying, "unverified"), redelivered(&verifying)), (0, 0));
}

#[test]
fn runs_repeat_and_an_absent_agent_changes_nothing() {
    let mut faults = churn(10, Span::from_secs(300), Span::from_secs(60), Time::from_secs(1_000), 3);
    faults.push(fault(300, Some(360), FaultKind::Outage, Target::Relay(0)));
    let setup = with_faults(busy(10, 80, 0.6), faults);
    let params = Params { verify: true, ..Params::default() };
    let first = play(&setup, &params);
    assert_eq!(first.fingerprint, play(&setup, &params).fingerprint);
    let calm = busy(10, 80, 0.6);
    let (with, without) = (play(&with_absent_agent(&calm), &params), play(&calm, &params));
    let but_for_its_absence = |log: &Log| {
        let absent = |record: &Record| matches!(record, Record::Down { .. });
        log.records.iter().filter(|(_, record)| !absent(record)).copied().collect::<Vec<_>>()
    };
    assert_eq!(but_for_its_absence(&with), but_for_its_absence(&without));
}

/// A fleet of 300 and 3,000 tasks: a task costs a bounded number of messages, whatever the fleet.
#[test]
fn a_fleet_of_three_hundred_needs_few_messages_a_task() {
    let setup = durable(setup_of(300, 1, poisson(300, 3_000, Span::from_secs(60), 0.7, 9)));
    let log = play(&setup, &Params::default());
    assert_eq!((log.accepted(), log.double_settles()), (3_000, 0));
    let of_tasks = (log.sent_by_pattern() - log.sent("subscribe")) as f64 / 3_000.0;
    // Post, posted, granted, scope, agreed, context, result, resolved, outcome: 9; six times offer and claim,
    // five conflicts: 17; a renewal every 30 s of 60 s and of talking; and a few repeated offers.
    assert!((26.0..32.0).contains(&of_tasks), "{of_tasks} messages a task");
    assert!(log.end.events < 500_000, "{} events", log.end.events);
}

#[test]
fn entries_are_even_and_attempts_differ() {
    let mut counts = [0u32; 10];
    for task in (0..10_000).map(TaskId) {
        counts[entry_position(task, 0, 10) as usize] += 1;
        for attempt in 0..6 {
            assert_ne!(entry_position(task, attempt, 10), entry_position(task, attempt + 1, 10));
        }
        assert_eq!(entry_position(task, 3, 1), 0);
    }
    // χ² of 10 cells; 27.9 is the 99.9 % point of 9 degrees of freedom.
    let chi2: f64 =
        counts.iter().map(|&c| (f64::from(c) - 1_000.0) * (f64::from(c) - 1_000.0) / 1_000.0).sum();
    assert!(chi2 < 27.9, "{counts:?}");
}

#[test]
fn only_the_able_are_asked() {
    let mut spec = fleet_spec(6, 1);
    for (index, agent) in spec.agents.iter_mut().enumerate() {
        agent.skill = SkillId((index % 2) as u8);
    }
    let mut tasks: Vec<TaskSpec> = poisson(6, 40, Span::from_secs(30), 0.5, 2);
    tasks.iter_mut().for_each(|task| task.card.skill = Some(SkillId(1)));
    let setup = Setup { fleet: Arc::new(Fleet::new(spec)), ..durable(setup_of(6, 1, tasks)) };
    let log = play(&setup, &Params::default());
    assert_eq!(log.accepted(), 40);
    assert!(log.starts().iter().all(|&(_, _, node)| setup.fleet.skill(node) == Some(SkillId(1))));
}

#[test]
fn nonsense_is_refused_all_at_once() {
    let params = Params { fan_out: 0, lease: Span::from_secs(1), watch: Span::ZERO, ..Params::default() };
    let problems = Hybrid::check(&Arc::new(params), &Fleet::new(fleet_spec(2, 0))).unwrap_err();
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.clone().unwrap_or_default()).collect();
    assert_eq!(keys, ["", "fan_out", "watch", "lease"]);
    assert_eq!(toml::from_str::<Params>("").unwrap(), Params::default());
    assert!(toml::from_str::<Params>("fanout = 3").is_err());
}

/// `kind` and `KINDS` are two lists; this is what keeps them one.
#[test]
fn every_message_is_of_the_kind_it_names() {
    let (task, fence) = (TaskId(0), Fence::new(1).unwrap());
    let output = Output { task, execution: ExecutionId(0), digest: 0 };
    let (node, skill, free) = (NodeId(0), SkillId(0), true);
    let execution = output.execution;
    let all = [
        Msg::Subscribe { skill, free },
        Msg::Post { task },
        Msg::Posted { task, requester: node },
        Msg::Offer { task, again: false },
        Msg::Offer { task, again: true },
        Msg::Claim { task },
        Msg::Granted { task, fence, requester: None },
        Msg::Conflict { task },
        Msg::Gone { task },
        Msg::Renew { task, fence },
        Msg::NotHeld { task },
        Msg::Release { task, fence },
        Msg::Scope { task, at: node, tokens: 1 },
        Msg::Agreed { task, tokens: 1 },
        Msg::Context { task },
        Msg::Unknown { task },
        Msg::AskBrief { task },
        Msg::Brief { task },
        Msg::Deliver { output, fence, at: node },
        Msg::Verdict { task, execution },
        Msg::Reject { task, holder: node, fence },
        Msg::Reopened { task },
        Msg::Result { output, requester: None, free, skill },
        Msg::Resolved { task },
        Msg::Outcome { output },
        Msg::Withdraw { task },
        Msg::Withdrawn { task },
    ];
    assert_eq!(all.len(), Msg::KINDS.len());
    for (position, msg) in all.iter().enumerate() {
        assert_eq!(msg.kind(), position, "{msg:?}");
        let words = format!("{msg:?}").split(' ').next().unwrap_or_default().to_lowercase();
        let name = Msg::KINDS[position].name.replace("reoffer", "offer").replace('_', "");
        assert_eq!(name, words);
    }
    assert_eq!(Msg::KINDS[message::CONTEXT].name, "context");
    assert!(size_of::<Msg>() <= 40, "{} bytes", size_of::<Msg>());
}

/// There may be a million of them.
#[test]
fn an_agent_is_small() {
    let size = size_of::<Agent>();
    assert!(size <= 176, "{size} bytes");
}

/// With `homes = 1` each of three relays has a third of the agents, and all is done all the same.
#[test]
fn relays_share_the_agents() {
    let setup = setup(12, 3, 60, Span::from_secs(20));
    let all = play(&setup, &Params::default());
    let one = play(&setup, &Params { homes: 1, ..Params::default() });
    assert_eq!((all.accepted(), one.accepted()), (60, 60));
    assert!(3 * one.sent("subscribe") < 2 * all.sent("subscribe"), "each agent tells one relay, not three");
}
