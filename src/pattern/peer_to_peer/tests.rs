//! Peer to peer, driven through the whole world.

use std::sync::Arc;

use super::manager::Deal;
use super::*;
use crate::engine::{Dist, Law, Time};
use crate::fault::{FaultKind, Target};
use crate::pattern::testing::{
    self, Log, churn, fault, fleet_spec, partition, poisson, setup, setup_of, task, with_absent_agent,
    with_faults,
};
use crate::sim::{Message, Setup};
use crate::trace::{Fact, Record, SiteId, SkillId};

fn secs(secs: u64) -> Span {
    Span::from_secs(secs)
}

fn play(setup: &Setup, params: &Params) -> Log {
    testing::play::<PeerToPeer>(setup, &Arc::new(*params))
}

fn play_default(setup: &Setup) -> Log {
    play(setup, &Params::default())
}

/// One task of 200 s, and nobody bids for its own task: manager and contractor differ.
fn one_task() -> (Setup, Params) {
    let setup = setup_of(9, 1, vec![task(Time::from_secs(10), secs(200))]);
    (setup, Params { manager_bids: false, ..Params::default() })
}

/// Position of the agent to which the only task was submitted, and of the one that first executed it.
fn manager_and_contractor(setup: &Setup, log: &Log) -> (u32, u32) {
    let entry = |record: &(Time, Record)| match record.1 {
        Record::Submitted { to, .. } => Some(to),
        _ => None,
    };
    let manager = log.records.iter().find_map(entry).expect("the client submits");
    let index = |node| setup.fleet.index_in_role(node);
    (index(manager), index(log.starts()[0].2))
}

fn redelivered(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Redelivered(_)))
}

fn decided(log: &Log) -> usize {
    log.facts(|fact| matches!(fact, Fact::Decided { .. }))
}

#[test]
fn all_tasks_are_settled_once_without_faults() {
    let log = play_default(&setup(10, 2, 100, secs(30)));
    assert_eq!((log.accepted(), log.double_settles(), decided(&log)), (100, 0, 100));
    assert_eq!((log.sent("recall"), log.sent("cancel"), redelivered(&log)), (0, 0, 0));
    let latencies = log.decision_latencies();
    assert!(latencies[50] < 2.0, "half the agents are free: {} s", latencies[50]);
}

/// N-03 of the reference results: 3k + 1 messages of the contract net, and the three that the header
/// declares.
#[test]
fn one_task_costs_what_the_contract_net_says() {
    let (setup, base) = one_task();
    for k in 1..=8 {
        let params = Params { candidates: k, cache_enough: 1, ..base };
        let log = play(&setup, &params);
        let k = usize::from(k);
        let fipa = ["call", "bid", "award", "reject", "result"].map(|kind| log.sent(kind));
        assert_eq!(fipa, [k, k, 1, k - 1, 1]);
        assert_eq!(fipa.iter().sum::<usize>(), 3 * k + 1);
        let reliability = ["confirm", "handover", "settled"].map(|kind| log.sent(kind));
        assert_eq!(reliability, [1, 1, 1]);
        // Eight others in pages of six; 201.1 s with the contractor, a report each 15 s.
        let rest = ["lookup", "rediscover", "peers", "progress"].map(|kind| log.sent(kind));
        assert_eq!(rest, [1, 0, 2, 13]);
        assert_eq!(log.sent_by_pattern(), 3 * k + 1 + 3 + 16 + log.sent("register"));
        assert_eq!(log.accepted(), 1);
    }
}

#[test]
fn a_free_manager_keeps_its_task_and_the_others_cost_3k() {
    let (setup, params) = one_task();
    let log = play(&setup, &Params { manager_bids: true, ..params });
    let (manager, contractor) = manager_and_contractor(&setup, &log);
    assert_eq!(manager, contractor);
    assert_eq!(["call", "bid", "reject", "award", "result"].map(|kind| log.sent(kind)), [8, 8, 8, 0, 0]);
    // It reads the context all the same: 1 s and 100 tokens of 1 ms.
    let lookup_and_bids = log.starts()[0].0.since(Time::from_secs(10)).as_secs_f64();
    assert!(lookup_and_bids > 1.1 && lookup_and_bids < 1.2, "{lookup_and_bids}");
}

#[test]
fn a_manager_does_what_nobody_else_can() {
    let alone = setup_of(1, 1, vec![task(Time::from_secs(10), secs(200))]);
    assert_eq!(play_default(&alone).accepted(), 1);
    let mut spec = fleet_spec(9, 1);
    let (setup, params) = one_task();
    let (manager, _) = manager_and_contractor(&setup, &play(&setup, &params));
    spec.agents[manager as usize].skill = SkillId(1);
    let mut skilled = task(Time::from_secs(10), secs(200));
    skilled.card.skill = Some(SkillId(1));
    let setup = Setup { fleet: Arc::new(Fleet::new(spec)), ..setup_of(9, 1, vec![skilled]) };
    let log = play(&setup, &params);
    assert_eq!((log.accepted(), log.sent("call")), (1, 0));
}

#[test]
fn the_free_the_fast_and_the_skilled_are_preferred() {
    let mut spec = fleet_spec(9, 1);
    spec.agents[4].speed = 2.0;
    spec.agents[6].skill = SkillId(1);
    let (mut setup, params) = one_task();
    setup.fleet = Arc::new(Fleet::new(spec.clone()));
    let log = play(&setup, &params);
    assert_eq!(manager_and_contractor(&setup, &log).1, 4);
    let mut skilled = task(Time::from_secs(10), secs(200));
    skilled.card.skill = Some(SkillId(1));
    let tasks = vec![skilled.clone(), skilled];
    let setup = Setup { fleet: setup.fleet, ..setup_of(9, 1, tasks) };
    let log = play(&setup, &params);
    let starts = log.starts();
    assert_eq!(log.accepted(), 2, "the only one that can does both");
    assert!(starts.iter().all(|start| setup.fleet.index_in_role(start.2) == 6));
    assert!(starts[1].0.since(starts[0].0) < secs(240), "the second waited in its queue, not at its manager");
}

#[test]
fn a_crashed_contractor_is_replaced() {
    let (setup, params) = one_task();
    let (_, contractor) = manager_and_contractor(&setup, &play(&setup, &params));
    let crash = fault(100, None, FaultKind::Crash, Target::Agent(contractor));
    let log = play(&with_faults(setup, vec![crash]), &params);
    assert_eq!((log.accepted(), redelivered(&log), log.sent("call")), (1, 1, 8));
    // The manager forgot the silent one, has too few peers, and is told the dead one's name again: a
    // directory forgets after 150 s.
    assert_eq!((log.sent("rediscover"), log.sent("recall")), (1, 8));
    let again = log.starts()[1].0.since(Time::from_secs(100));
    // Its last report came less than 15 s before the crash.
    assert!(again > secs(35) && again < secs(54), "{again}");
    assert_eq!((log.starts().len(), decided(&log)), (2, 2));
}

#[test]
fn a_restarted_manager_learns_again_what_it_manages() {
    let (setup, params) = one_task();
    let (manager, _) = manager_and_contractor(&setup, &play(&setup, &params));
    let crash = |until| fault(100, until, FaultKind::Crash, Target::Agent(manager));
    let log = play(&with_faults(setup.clone(), vec![crash(Some(130))]), &params);
    assert_eq!((log.accepted(), log.double_settles(), log.starts().len()), (1, 0, 1));
    assert_eq!((log.sent("result"), log.sent("settled")), (1, 1));
    // One that stays away leaves its contractor with the result.
    let log = play(&with_faults(setup, vec![crash(None)]), &params);
    assert_eq!((log.accepted(), log.double_settles(), log.starts().len()), (1, 0, 1));
    assert_eq!((log.sent("result"), log.sent("settled")), (params.result_tries as usize, 0));
}

#[test]
fn a_manager_that_crashes_before_the_award_takes_its_task_along() {
    let (mut setup, params) = one_task();
    let (manager, _) = manager_and_contractor(&setup, &play(&setup, &params));
    // The call is out at 10.05 s; nothing comes back in time.
    setup.network.jitter = Law::fixed(Span::from_millis(400));
    let mut crash = fault(10, Some(60), FaultKind::Crash, Target::Agent(manager));
    crash.at = Time::from_secs(12);
    let log = play(&with_faults(setup, vec![crash]), &params);
    assert_eq!((log.accepted(), log.sent("call"), log.sent("award")), (0, 8, 0), "declared in GIVES_UP");
    assert!(PeerToPeer::GIVES_UP.contains(&Promise::NoTaskLost));
}

#[test]
fn a_short_partition_is_sat_out_and_a_long_one_is_worked_around() {
    let (setup, params) = one_task();
    let (_, contractor) = manager_and_contractor(&setup, &play(&setup, &params));
    let cut = |until| with_faults(setup.clone(), vec![partition(100, until, vec![contractor])]);
    let log = play(&cut(125), &params);
    assert_eq!((log.accepted(), redelivered(&log), log.starts().len()), (1, 0, 1));
    // Healed while both execute: the first is stopped when it is heard again.
    let log = play(&cut(190), &params);
    assert_eq!((log.accepted(), redelivered(&log), log.double_settles()), (1, 1, 0));
    assert_eq!((log.starts().len(), log.sent("cancel")), (2, 1));
    // Not healed before the first is done: it settles alone, and the second settles again.
    let log = play(&cut(700), &params);
    assert_eq!((log.accepted(), log.double_settles(), log.starts().len()), (1, 1, 2));
    assert!(PeerToPeer::GIVES_UP.contains(&Promise::SettledOnce));
}

#[test]
fn a_fleet_cut_in_two_settles_everything_after_it_heals() {
    let tasks = setup(20, 2, 200, secs(30));
    let log = play_default(&with_faults(tasks, vec![partition(100, 400, (0..10).collect())]));
    assert_eq!(log.accepted(), 200);
}

/// Calls and answers keep the known peers fresh, so that nobody needs a directory for a while.
#[test]
fn cached_peers_keep_working_while_the_directories_are_out() {
    let outage = |relay| fault(100, Some(500), FaultKind::Outage, Target::Relay(relay));
    let setup = with_faults(setup(10, 2, 300, secs(30)), vec![outage(0), outage(1)]);
    let log = play_default(&setup);
    assert_eq!(log.accepted(), 300);
    let during = |time: Time| time > Time::from_secs(100) && time < Time::from_secs(500);
    let settled = log.acceptances().iter().filter(|acceptance| during(acceptance.0)).count();
    let arrived = setup.tasks.cards().iter().filter(|card| during(card.arrival)).count();
    assert!(settled * 100 > arrived * 95, "{settled} settled of {arrived} that arrived during the outage");
    // With one directory out, the other is asked.
    let log = play_default(&with_faults(setup, vec![fault(0, None, FaultKind::Outage, Target::Relay(0))]));
    assert_eq!(log.accepted(), 300);
}

#[test]
fn nothing_is_lost_on_a_network_that_loses_messages() {
    let mut setup = setup(20, 2, 200, secs(30));
    setup.network.loss = 0.05;
    setup.network.jitter =
        Dist::Exponential { mean: Span::from_millis(50) }.law().expect("a mean above zero");
    setup.network.order = crate::net::Order::Reorder;
    let log = play_default(&setup);
    assert_eq!(log.accepted(), 200);
    assert!(
        log.sent("recall") > 0 || log.facts(|fact| matches!(fact, Fact::Stale(_))) > 0,
        "losses were felt"
    );
}

#[test]
fn when_all_are_busy_managers_back_off_and_queues_stay_bounded() {
    // 60 tasks at once for 6 agents: 10 each, 300 s of work; no storm of calls.
    let tasks = (0..60).map(|_| task(Time::from_secs(10), secs(30))).collect();
    let log = play_default(&setup_of(6, 1, tasks));
    assert_eq!(log.accepted(), 60);
    let last = log.acceptances().last().expect("60 of them").0;
    assert!(last < Time::from_secs(10 + 300 + 90), "close to the 300 s it takes at best: {last}");
    let calls = log.sent("call");
    // A round each 10 s on average, of five calls, while a task waits: 150 s on average.
    assert!(calls < 60 * 5 * 20, "{calls} calls");
}

#[test]
fn a_run_repeats_itself_and_an_absent_agent_changes_nothing() {
    let tasks = poisson(20, 100, secs(40), 0.7, 5);
    let faults = churn(20, secs(600), secs(60), Time::from_secs(600), 3);
    let setup = with_faults(setup_of(20, 2, tasks), faults);
    let log = play_default(&setup);
    assert_eq!(log.fingerprint, play_default(&setup).fingerprint);
    let more = play_default(&with_absent_agent(&setup));
    let down = |record: &&(Time, Record)| {
        !matches!(record.1, Record::Down { why: crate::trace::DownReason::Absent, .. })
    };
    let without: Vec<_> = more.records.iter().filter(down).collect();
    assert_eq!(without.len(), log.records.len());
    assert!(without.into_iter().zip(&log.records).all(|(one, other)| one == other));
}

#[test]
fn entries_are_even_move_with_each_attempt_and_skip_the_absent() {
    let mut spec = fleet_spec(10, 1);
    spec.agents[8].present = false;
    spec.agents[9].present = false;
    spec.seat_order.truncate(8);
    let fleet = Fleet::new(spec);
    let (params, seats) = (Arc::default(), Seats::default());
    let entry = |task, attempt| {
        let submission = Submission { task: TaskId(task), origin: SiteId(0), attempt, skill: None };
        fleet.index_in_role(PeerToPeer::entry(&params, &fleet, &seats, submission))
    };
    let mut counts = [0.0_f64; 8];
    (0..8_000).for_each(|task| counts[entry(task, 0) as usize] += 1.0);
    let chi2: f64 = counts.iter().map(|count| (count - 1_000.0) * (count - 1_000.0) / 1_000.0).sum();
    assert!(chi2 < 24.3, "99.9 % of 7 degrees of freedom: {counts:?}");
    let same = (0..8_000).filter(|&task| entry(task, 0) == entry(task, 1)).count();
    assert!((800..1_200).contains(&same), "one in eight meets the same agent: {same}");
}

#[test]
fn agents_ask_the_directory_of_their_site() {
    let mut spec = fleet_spec(4, 3);
    spec.relay_sites = vec![SiteId(0), SiteId(1), SiteId(0)];
    spec.agents[1].site = SiteId(1);
    spec.agents[3].site = SiteId(2);
    let fleet = Fleet::new(spec);
    assert_eq!([0, 1, 2, 3].map(|agent| Finder::home_of(agent, &fleet)), [0, 1, 0, 0]);
}

#[test]
fn parameters_are_checked_all_at_once_and_misspelt_keys_are_refused() {
    let fleet = Fleet::new(fleet_spec(3, 1));
    assert!(PeerToPeer::check(&Arc::default(), &fleet).is_ok());
    let wrong = Params { candidates: 0, silence: secs(10), cache_capacity: 2, ..Params::default() };
    let problems = PeerToPeer::check(&Arc::new(wrong), &Fleet::new(fleet_spec(3, 0))).unwrap_err();
    assert_eq!(problems.iter().count(), 4, "{problems}");
    let read = |text: &str| serde_json::from_str::<Params>(text);
    assert_eq!(read("{\"candidates\": 3}").unwrap(), Params { candidates: 3, ..Params::default() });
    assert!(read("{\"candidate\": 3}").is_err());
    assert_eq!(Msg::KINDS[message::HANDOVER].name, "handover");
}

/// Three of ten agents are struck for a while, whatever the turn and the transport: nothing hangs.
#[test]
fn every_kind_of_fault_is_lived_through() {
    let kinds = [
        FaultKind::Crash,
        FaultKind::Leave,
        FaultKind::Pause,
        FaultKind::Stall,
        FaultKind::Slow { factor: 0.1 },
        FaultKind::WrongOutput { probability: 0.5 },
    ];
    for kind in kinds {
        for turn in [None, Some(secs(5))] {
            let mut setup = setup(10, 2, 150, secs(30));
            setup.work.turn = turn;
            if turn.is_none() {
                setup.network.transport =
                    crate::net::TransportKind::Poll { interval: Span::from_millis(300) };
            }
            let strike = fault(60, Some(300), kind.clone(), Target::Agents(vec![1, 4, 7]));
            let log = play_default(&with_faults(setup, vec![strike]));
            let lost = 150 - log.accepted();
            assert!(lost <= 2, "{kind:?}: {lost} lost, where only a manager's crash may lose any");
        }
    }
}

/// 200 agents, 2,000 tasks, sessions of 1 h and absences of 5 min: what model.md calls churn.
#[test]
fn churn_is_survived() {
    let tasks = poisson(200, 2_000, secs(270), 0.7, 11);
    let end = tasks.last().expect("2,000 of them").card.arrival + secs(900);
    let faults = churn(200, secs(3_600), secs(300), end, 17);
    let churning = with_faults(setup_of(200, 5, tasks.clone()), faults);
    let (calm, churned) = (play_default(&setup_of(200, 5, tasks)), play_default(&churning));
    assert_eq!((calm.accepted(), calm.double_settles()), (2_000, 0));
    // Lost: those whose manager left while nobody held them. About 30 s of 3,600 s each: 17 expected.
    assert!(churned.accepted() >= 1_970, "{} of 2,000", churned.accepted());
    assert!(redelivered(&churned) > 100, "about 270 s of 3,600 s each: 150 expected");
    assert!(churned.double_settles() <= 5, "{} settled twice", churned.double_settles());
    let latencies = calm.decision_latencies();
    assert!(latencies[1_000] < 5.0, "median {} s", latencies[1_000]);
    println!("events: {} calm, {} with churn", calm.end.events, churned.end.events);
    assert!(churned.end.events < 800_000, "{} events", churned.end.events);
    let again = |log: &Log| log.sent("rediscover");
    assert!(again(&churned) > again(&calm), "departed peers are what rediscovery is for");
}

/// There may be a million of them. Besides, an agent has a view of up to `cache_capacity` peers at 20 bytes
/// each, and 230 bytes for each task it manages.
#[test]
fn an_agent_is_small() {
    let (agent, deal) = (size_of::<Agent>(), size_of::<Deal>());
    assert!(agent <= 128 && deal <= 232, "{agent} and {deal} bytes");
}
