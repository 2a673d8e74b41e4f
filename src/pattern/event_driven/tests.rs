//! What the pattern promises, checked on small worlds: one site 10 ms across, harness 1 ms, relay 0.5 ms.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::engine::Time;
use crate::fault::{FaultKind, Group, Target};
use crate::pattern::testing::{
    self, Log, churn, fault, partition, poisson, setup, setup_of, task, with_absent_agent, with_faults,
};
use crate::sim::Setup;
use crate::trace::{Fact, Fate, Record};

const POLICIES: [ClaimPolicy; 3] = [ClaimPolicy::Optimistic, ClaimPolicy::Partitioned, ClaimPolicy::Race];
const POLLING: Learn = Learn::Polling { interval: Span::from_secs(5) };

fn params(claims: ClaimPolicy) -> Params {
    Params { claims, ..Params::default() }
}

fn play(setup: &Setup, params: &Params) -> Log {
    testing::play::<EventDriven>(setup, &Arc::new(params.clone()))
}

fn all() -> impl Iterator<Item = Params> {
    let modes = [Learn::Subscription, POLLING];
    POLICIES.into_iter().flat_map(move |claims| modes.map(|learn| Params { learn, ..params(claims) }))
}

fn durable(mut setup: Setup) -> Setup {
    setup.relay.durable = true;
    setup
}

fn run(setup: &Setup, params: &Params) -> Log {
    let log = play(setup, params);
    assert_eq!(log.double_settles(), 0, "one durable relay settles once: {params:?}");
    log
}

fn seconds(count: u64) -> Span {
    Span::from_secs(count)
}

fn fates(log: &Log, fate: Fate) -> usize {
    log.count(|record| matches!(record, Record::Fate { fate: booked, .. } if *booked == fate))
}

fn conflicts(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Conflict(_)))
}

fn redelivered(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Redelivered(_)))
}

fn stale(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Stale(_)))
}

#[test]
fn everything_is_done_under_every_policy_and_both_ways_of_learning() {
    for params in all() {
        for relays in [1, 3] {
            let setup = setup(8, relays, 60, seconds(20));
            let log = run(&setup, &params);
            assert_eq!((log.accepted(), redelivered(&log)), (60, 0), "{relays} relays, {params:?}");
            if params.claims != ClaimPolicy::Race {
                assert_eq!(log.starts().len(), 60, "each is executed once: {relays} relays, {params:?}");
            }
            let again = run(&setup, &params);
            assert_eq!(log.fingerprint, again.fingerprint, "{params:?}");
        }
    }
}

/// Each task is decided once, by the relay: the grant, the assignment, or the recording of the first
/// result.
#[test]
fn the_relay_decides_once_for_the_agent_whose_result_is_accepted() {
    for params in all() {
        let log = run(&setup(8, 1, 40, seconds(20)), &params);
        let (mut chosen, mut executor) = (BTreeMap::new(), BTreeMap::new());
        let mut accepted = 0;
        for (_, record) in &log.records {
            match *record {
                Record::Noted { node, fact: Fact::Decided { task, to } } => {
                    assert_eq!(node, NodeId(0));
                    assert_eq!(chosen.insert(task, to), None, "{params:?}");
                }
                Record::Started { execution, node, .. } => drop(executor.insert(execution, node)),
                Record::Accepted { task, execution, .. } => {
                    assert_eq!(chosen[&task], executor[&execution]);
                    accepted += 1;
                }
                _ => {}
            }
        }
        assert_eq!((chosen.len(), accepted), (40, 40));
    }
}

/// One task, eight free agents. Submit 10 ms, relay 0.5 ms; offer 10 ms, harness 1 ms; claim 10 ms, relay
/// 0.5 ms for each claim, of which the first is the winner's; grant 10 ms, harness 1 ms; reading 100
/// tokens 1.1 s: 1.143 s. All others conflict.
#[test]
fn the_fan_out_races_for_the_claim_and_one_wins() {
    for (fan_out, offers) in [(1, 1), (5, 5), (8, 8), (0, 8)] {
        let setup = setup_of(8, 1, vec![task(Time::from_secs(5), seconds(20))]);
        let log = run(&setup, &Params { fan_out, ..Params::default() });
        assert_eq!(
            (log.sent("offer"), log.sent("claim"), log.sent("conflict")),
            (offers, offers, offers - 1)
        );
        assert_eq!((conflicts(&log), stale(&log), log.starts().len()), (offers - 1, 0, 1));
        assert_eq!(log.decision_latencies(), [1.143]);
    }
}

/// Ten tasks in the instant when four agents are free: offers kept during a claim go stale, and the
/// backlog drains one offer a result.
#[test]
fn a_backlog_drains_without_conflicts() {
    let tasks = (0..200).map(|_| task(Time::from_secs(5), seconds(20))).collect();
    let log = run(&setup_of(4, 1, tasks), &Params::default());
    assert_eq!(log.accepted(), 200);
    assert!(stale(&log) > 0, "kept offers are out of date");
    // 4 agents × 4 kept offers at the beginning; nothing after, when each result brings one offer.
    assert!(conflicts(&log) <= 4 * 5, "{} conflicts", conflicts(&log));
    // 50 rounds of 20 s work and 1.1 s reading, and 45 ms on the way.
    let end = log.acceptances().last().expect("all were accepted").0.as_secs_f64();
    assert!((end - 5.0 - 50.0 * 21.15).abs() < 5.0, "ended at {end} s");
}

#[test]
fn pollers_read_the_same_entries_and_conflict() {
    let tasks = (0..30).map(|_| task(Time::from_secs(30), seconds(60))).collect();
    let setup = setup_of(30, 1, tasks);
    let log = run(&setup, &Params { learn: POLLING, ..Params::default() });
    assert_eq!((log.accepted(), log.sent("offer")), (30, 0));
    assert!(conflicts(&log) > 0, "polls within a round trip of each other read the same oldest entries");
    // A free agent asks every 5 s: 30 of them, spread evenly, all have read within 5 s of the arrival.
    let last = log.starts().last().expect("all started").0;
    assert!(last < Time::from_secs(30) + seconds(7), "last start at {last}");
}

#[test]
fn racers_duplicate_and_the_losers_stop() {
    for (learn, racers) in [(Learn::Subscription, 3), (POLLING, 3), (Learn::Subscription, 1)] {
        let tasks = (0..20).map(|index| task(Time::from_secs(10 + 100 * index), seconds(20))).collect();
        let params = Params { learn, racers, ..params(ClaimPolicy::Race) };
        let log = run(&setup_of(9, 1, tasks), &params);
        let racers = racers as usize;
        assert_eq!((log.accepted(), log.starts().len()), (20, 20 * racers), "{learn:?}");
        assert_eq!(fates(&log, Fate::Useful), 20);
        assert_eq!(fates(&log, Fate::Duplicate), 20 * (racers - 1), "the losers' time was wasted");
        assert_eq!((conflicts(&log), log.sent("claim")), (0, 0));
        assert_eq!(log.sent("stop"), 20 * (racers - 1));
    }
}

/// Two racers of speeds 1 and 1/2: the slow one is stopped when the fast one is done, one way (10.5 ms
/// and handling) later, not when it would have been done itself.
#[test]
fn a_loser_is_free_as_soon_as_it_hears() {
    let slow = fault(1, None, FaultKind::Slow { factor: 0.5 }, Target::Agent(1));
    let tasks = vec![task(Time::from_secs(10), seconds(100)), task(Time::from_secs(130), seconds(10))];
    let setup = with_faults(setup_of(2, 1, tasks), vec![slow]);
    let log = run(&setup, &params(ClaimPolicy::Race));
    assert_eq!((log.starts().len(), fates(&log, Fate::Duplicate)), (4, 2));
    // Reading 100 tokens takes the slow one 2.2 s.
    assert!(log.starts().iter().all(|start| start.0 < Time::from_secs(133)), "{:?}", log.starts());
}

/// A claimant that dies holds its task for at most a lease; the survivors get it then.
#[test]
fn a_crashed_claimant_loses_its_task() {
    for params in all() {
        let setup = setup_of(3, 1, vec![task(Time::from_secs(30), seconds(60))]);
        let calm = run(&setup, &params);
        let struck: Vec<u32> = calm.starts().iter().map(|start| setup.fleet.index_in_role(start.2)).collect();
        let crashes = struck.iter().map(|&agent| fault(50, None, FaultKind::Crash, Target::Agent(agent)));
        let log = run(&with_faults(setup.clone(), crashes.collect()), &params);
        assert_eq!((log.accepted(), redelivered(&log)), (1, 1), "{params:?}");
        let restart = log.starts().last().expect("it started twice").0;
        let bound = Time::from_secs(50) + params.lease + seconds(10);
        assert!(Time::from_secs(65) < restart && restart < bound, "{params:?}: {restart}");
    }
}

/// A restarted agent says since when it is there: the relay need not wait for the lease.
#[test]
fn a_restarted_claimant_gives_its_task_back_at_once() {
    for params in all().filter(|params| params.claims != ClaimPolicy::Race) {
        let setup = setup_of(1, 1, vec![task(Time::from_secs(30), seconds(60))]);
        let crash = fault(50, Some(51), FaultKind::Crash, Target::Agent(0));
        let log = run(&with_faults(setup, vec![crash]), &params);
        assert_eq!((log.accepted(), redelivered(&log)), (1, 1), "{params:?}");
        let restart = log.starts().last().expect("it started twice").0;
        assert!(restart < Time::from_secs(51) + seconds(9), "{params:?}: {restart}");
    }
}

/// A stalled agent falls silent with its claim; later it is told that nobody waits for it.
#[test]
fn a_stalled_claimant_loses_its_task() {
    for claims in POLICIES {
        let setup = setup_of(3, 1, vec![task(Time::from_secs(30), seconds(100))]);
        let calm = run(&setup, &params(claims));
        let struck: Vec<u32> = calm.starts().iter().map(|start| setup.fleet.index_in_role(start.2)).collect();
        let stalls = struck.iter().map(|&agent| fault(50, Some(400), FaultKind::Stall, Target::Agent(agent)));
        let log = run(&with_faults(setup, stalls.collect()), &params(claims));
        assert_eq!((log.accepted(), redelivered(&log)), (1, 1), "{claims:?}");
        assert!(log.acceptances()[0].0 < Time::from_secs(50 + 45 + 110), "{claims:?}");
    }
}

/// What a durable relay knows survives its outage; agents finish meanwhile and deliver when it is back.
#[test]
fn a_durable_relay_loses_nothing_in_an_outage() {
    for params in all() {
        let outage = fault(100, Some(220), FaultKind::Outage, Target::Relay(0));
        let log = run(&with_faults(durable(setup(8, 1, 100, seconds(30))), vec![outage]), &params);
        assert_eq!((log.accepted(), fates(&log, Fate::Crash)), (100, 0), "{params:?}");
        assert_eq!(redelivered(&log), 0, "leases stand still while nobody can renew: {params:?}");
        if params.claims != ClaimPolicy::Race {
            assert_eq!(log.starts().len(), 100, "nothing is executed twice: {params:?}");
        }
    }
}

/// A volatile relay may lose what nobody had claimed, and nothing else.
#[test]
fn a_volatile_relay_is_rebuilt_by_claims_and_results() {
    for claims in [ClaimPolicy::Optimistic, ClaimPolicy::Race] {
        let tasks = (0..8).map(|_| task(Time::from_secs(60), seconds(100))).collect();
        let outage = fault(100, Some(120), FaultKind::Outage, Target::Relay(0));
        let log = play(&with_faults(setup_of(8, 1, tasks), vec![outage]), &params(claims));
        let started: BTreeSet<TaskId> = log.starts().iter().map(|start| start.1).collect();
        assert!(log.accepted() >= started.len() && log.accepted() >= 4, "{claims:?}: {}", log.accepted());
    }
}

/// 200 idle agents and a durable relay that returns: all call at once, or in the order of their draws.
#[test]
fn a_returning_relay_is_stampeded_only_if_asked_for() {
    let busiest_second = |reconnect_spread| {
        let outage = fault(100, Some(130), FaultKind::Outage, Target::Relay(0));
        let setup = setup_of(200, 1, vec![task(Time::from_secs(300), seconds(1))]);
        let setup = with_faults(durable(setup), vec![outage]);
        let log = run(&setup, &Params { reconnect_spread, ..Params::default() });
        let mut calls = [0; 60];
        for (at, record) in &log.records {
            let second = at.as_secs_f64() as usize;
            if matches!(record, Record::Sent { to: NodeId(0), .. }) && (130..190).contains(&second) {
                calls[second - 130] += 1;
            }
        }
        calls.into_iter().max().expect("a minute has seconds")
    };
    assert!(busiest_second(Span::ZERO) >= 200);
    assert!(busiest_second(seconds(10)) < 60, "about 20 a second");
}

#[test]
fn a_partition_heals() {
    for params in all() {
        let setup = durable(setup(8, 1, 80, seconds(30)));
        let log = run(&with_faults(setup, vec![partition(60, 200, vec![0, 1, 2])]), &params);
        assert_eq!(log.accepted(), 80, "{params:?}");
        // Those cut off work again after it healed.
        let starts = log.starts();
        let late = starts.iter().filter(|start| start.0 > Time::from_secs(215));
        let back: BTreeSet<NodeId> = late.map(|start| start.2).collect();
        assert_eq!(back.len(), 8, "{params:?}");
    }
}

/// The relay's words are lost for two seconds, the grant among them: the claim is repeated after its
/// time-out, and the same grant is given again.
#[test]
fn a_lost_grant_is_given_again() {
    let relay = Group { relays: vec![0], ..Group::default() };
    let mute = FaultKind::Partition { groups: vec![relay], one_way: true };
    // Relay 29.9855 s, agent 29.9965 s, relay again 30.007 s: the offer gets through, the grant does not.
    let arrival = Time::ZERO + Span::from_millis(29_975);
    let setup = setup_of(1, 1, vec![task(arrival, seconds(60))]);
    let log = run(&with_faults(setup, vec![fault(30, Some(32), mute, Target::Network)]), &Params::default());
    assert_eq!((log.sent("claim"), log.sent("grant"), conflicts(&log)), (2, 2, 0));
    // 29.9965 s + 3 s + 10 ms, 0.5 ms, 10 ms, 1 ms, and 1.1 s reading.
    assert_eq!(log.starts()[0].0, Time::ZERO + Span::from_micros(34_118_000));
}

/// The only agent is cut off for longer than its lease and goes on working. When it is heard again nobody
/// else has the task, and it gets another grant instead of being stopped.
#[test]
fn who_comes_back_to_an_open_task_keeps_it() {
    let setup = durable(setup_of(1, 1, vec![task(Time::from_secs(30), seconds(300))]));
    let log = run(&with_faults(setup, vec![partition(60, 150, vec![0])]), &Params::default());
    assert_eq!((log.starts().len(), redelivered(&log), fates(&log, Fate::Useful)), (1, 1, 1));
    assert_eq!((log.sent("grant"), log.sent("stop")), (2, 0));
}

/// Two logs: while one is out, clients go to the other and agents work for it.
#[test]
fn with_two_relays_the_other_one_carries_on() {
    for params in all() {
        let outage = fault(50, Some(400), FaultKind::Outage, Target::Relay(0));
        let setup = with_faults(durable(setup(6, 2, 60, seconds(20))), vec![outage]);
        let log = play(&setup, &params);
        assert_eq!(log.accepted(), 60, "{params:?}");
        let meanwhile = |at: &Time| Time::from_secs(100) < *at && *at < Time::from_secs(400);
        let accepted = log.acceptances().iter().filter(|(at, ..)| meanwhile(at)).count();
        assert!(accepted > 20, "{accepted} meanwhile: {params:?}");
    }
}

#[test]
fn lost_messages_are_repeated() {
    for params in all() {
        let mut setup = durable(setup(8, 1, 80, seconds(20)));
        setup.network.loss = 0.2;
        let log = run(&setup, &params);
        assert_eq!(log.accepted(), 80, "{params:?}");
    }
}

/// Agents and the relay freeze for longer than a lease, and act on what they knew before.
#[test]
fn the_frozen_act_on_old_views_and_nothing_breaks() {
    for params in all() {
        let freeze = |at, target| fault(at, Some(at + 90), FaultKind::Pause, target);
        let faults = vec![freeze(60, Target::Agents(vec![0, 1, 2])), freeze(250, Target::Relay(0))];
        let log = run(&with_faults(durable(setup(8, 1, 80, seconds(40))), faults), &params);
        assert_eq!(log.accepted(), 80, "{params:?}");
        if params.claims != ClaimPolicy::Race {
            assert!(redelivered(&log) > 0 && stale(&log) > 0, "{params:?}");
        }
    }
}

#[test]
fn messages_may_overtake_each_other() {
    for params in all() {
        let mut setup = durable(setup(8, 1, 80, seconds(20)));
        setup.network.jitter = crate::engine::Dist::Exponential { mean: seconds(1) }.law().expect("a law");
        setup.network.order = crate::net::Order::Reorder;
        let faults = churn(8, seconds(200), seconds(20), setup.clock.horizon, 5);
        let log = run(&with_faults(setup, faults), &params);
        assert_eq!(log.accepted(), 80, "{params:?}");
    }
}

/// Skills are respected, by every policy.
#[test]
fn only_the_able_are_asked() {
    for params in all() {
        let mut spec = testing::fleet_spec(6, 1);
        (0..6).for_each(|index| spec.agents[index].skill = crate::trace::SkillId((index % 3) as u8));
        let tasks = (0..30).map(|index| {
            let mut task = task(Time::from_secs(5 + index), seconds(5));
            task.card.skill = Some(crate::trace::SkillId((index % 3) as u8));
            task
        });
        let mut setup = setup_of(6, 1, tasks.collect());
        setup.fleet = std::sync::Arc::new(Fleet::new(spec));
        let log = run(&setup, &params);
        assert_eq!(log.accepted(), 30, "{params:?}");
        for (_, task, node) in log.starts() {
            assert!(setup.fleet.can(node, setup.tasks.card(task).skill), "{params:?}");
        }
    }
}

#[test]
fn an_agent_that_is_never_there_changes_nothing() {
    for params in all() {
        let setup = setup(6, 2, 40, seconds(20));
        let extra = with_absent_agent(&setup);
        // The absent agent is recorded as absent; nothing else may differ.
        let records = |log: Log| {
            let known = |record: &Record| !matches!(record, Record::Down { .. });
            log.records.into_iter().filter(|(_, record)| known(record)).collect::<Vec<_>>()
        };
        assert_eq!(records(run(&setup, &params)), records(run(&extra, &params)), "{params:?}");
    }
}

/// 300 agents, 3,000 tasks of 60 s, churn. Events of a task, at two a message (arrival, end of handling):
/// submission and answer 4, eight offers, claims and answers 48, eight renewals 16, result and answer 4,
/// reading and execution 2, timers 10; redeliveries add under a tenth: 92. Besides, each agent says a word
/// and is answered at its interval: 5 events with the timer.
#[test]
fn the_cost_of_a_task_is_bounded() {
    for params in all() {
        // Racers double the load.
        let load = if params.claims == ClaimPolicy::Race { 0.4 } else { 0.8 };
        let tasks = poisson(300, 3_000, seconds(60), load, 7);
        let mut setup = durable(setup_of(300, 1, tasks));
        setup.clock.drain = seconds(3_000);
        let faults = churn(300, seconds(1_800), seconds(120), setup.clock.horizon, 3);
        let duration = setup.clock.end().as_secs_f64();
        let log = run(&with_faults(setup, faults), &params);
        assert_eq!(log.accepted(), 3_000, "{params:?}");
        let interval = match (params.learn, params.claims) {
            (Learn::Polling { .. }, _) => 5.0,
            (Learn::Subscription, ClaimPolicy::Partitioned) => 15.0,
            (Learn::Subscription, ClaimPolicy::Optimistic | ClaimPolicy::Race) => 60.0,
        };
        let bound = 92.0 + duration / interval * 5.0 * 300.0 / 3_000.0;
        let events = log.end.events as f64 / 3_000.0;
        assert!(events < bound, "{events} events a task, not below {bound}: {params:?}");
    }
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let fleet = Fleet::new(testing::fleet_spec(2, 1));
    let keys = |params: &Params, fleet: &Fleet| match EventDriven::check(&Arc::new(params.clone()), fleet) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| problem.key.clone().unwrap_or_default()).collect(),
    };
    assert_eq!(keys(&Params::default(), &fleet), Vec::<String>::new());
    let zero = Params { lease: Span::ZERO, racers: 0, ..Params::default() };
    assert_eq!(keys(&zero, &fleet), ["lease", "racers"]);
    let slow = Learn::Polling { interval: seconds(40) };
    assert_eq!(
        keys(&Params { learn: slow, ..params(ClaimPolicy::Partitioned) }, &fleet),
        ["learn.polling.interval"]
    );
    let alone = Fleet::new(testing::fleet_spec(2, 0));
    assert_eq!(keys(&Params::default(), &alone), [""]);
    let text = r#"{ "claims": "race", "learn": { "polling": { "interval": "5s" } }, "racers": 3 }"#;
    let read: Params = serde_json::from_str(text).expect("documented spelling");
    assert_eq!((read.claims, read.learn, read.racers), (ClaimPolicy::Race, POLLING, 3));
    assert!(serde_json::from_str::<Params>(r#"{ "fanout": 3 }"#).is_err());
}

/// There may be a million of them.
#[test]
fn an_agent_is_small() {
    let size = size_of::<Worker>();
    assert!(size <= 176, "{size} bytes");
}

/// With `homes = 1` each of three relays has a third of the agents, and all is done all the same.
#[test]
fn relays_share_the_agents() {
    for claims in POLICIES {
        let setup = setup(12, 3, 60, Span::from_secs(20));
        let params = Params { claims, ..Params::default() };
        let all = play(&setup, &params);
        let one = play(&setup, &Params { homes: 1, ..params });
        assert_eq!((all.accepted(), one.accepted()), (60, 60), "{claims:?}");
        assert!(2 * one.sent("welcome") < all.sent("welcome"), "{claims:?}: one relay answers, not three");
    }
}
