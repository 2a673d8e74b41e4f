//! `hybrid` when something goes wrong: who dies, what is lost, and how long it takes to notice.

use super::*;

/// F-06 of the reference results: with renewals every third of the lease L, a dead holder blocks its task
/// for between 2L/3 and L.
#[test]
fn the_task_of_a_crashed_winner_is_offered_again() {
    let healthy = one_task(5, 1, 100);
    let (started, _, winner) = play(&healthy, &Params::default()).starts()[0];
    let at = secs(started) as u64 + 50;
    let setup = with_faults(healthy.clone(), vec![crash(&healthy, winner, at, None)]);
    let log = play(&setup, &Params::default());
    assert_eq!((redelivered(&log), log.accepted(), fates(&log, Fate::Crash)), (1, 1, 1));
    assert!(log.sent("reoffer") >= 1);
    let waited = secs(log.starts()[1].0) - at as f64;
    assert!((60.0..90.0 + 5.0).contains(&waited), "waited {waited} s");
    assert_ne!(log.starts()[1].2, winner);
}

#[test]
fn a_hung_winner_loses_its_lease_and_says_so_when_it_is_back() {
    let healthy = one_task(5, 1, 100);
    let (_, _, winner) = play(&healthy, &Params::default()).starts()[0];
    let stall = fault(30, Some(600), FaultKind::Stall, Target::Agent(agent_of(&healthy, winner)));
    let log = play(&with_faults(healthy, vec![stall]), &Params::default());
    assert_eq!((redelivered(&log), log.accepted(), log.double_settles()), (1, 1, 0));
    assert_eq!(fates(&log, Fate::Stall), 1);
}

/// The relay has the brief: the winner goes ahead without agreement after `scope_timeout`.
#[test]
fn a_crashed_requester_does_not_take_its_task_along() {
    let healthy = one_task(5, 1, 50);
    let requester = requester_of(&healthy, TaskId(0));
    let mut crash = crash(&healthy, requester, 1, None);
    crash.at += Span::from_millis(60); // The winner has its grant (54 ms) and no answer.
    let log = play(&with_faults(healthy, vec![crash]), &Params::default());
    assert_eq!((log.accepted(), named(&log, "without_scope"), log.sent("brief")), (1, 1, 1));
    // Granted at 54 ms; 60 s later it asks: 10.5 there, 10 back, 1,100 to read.
    assert!((secs(log.starts()[0].0) - (1.054 + 60.0 + 0.0105 + 0.010 + 1.1)).abs() < 1e-9);
}

#[test]
fn a_requester_that_is_back_says_that_it_knows_nothing() {
    let healthy = one_task(5, 1, 50);
    let mut crash = crash(&healthy, requester_of(&healthy, TaskId(0)), 1, None);
    crash.at += Span::from_millis(50);
    crash.until = Some(crash.at + Span::from_millis(5));
    let log = play(&with_faults(healthy, vec![crash]), &Params::default());
    assert_eq!((log.accepted(), log.sent("unknown"), log.sent("brief")), (1, 1, 1));
    assert!(secs(log.starts()[0].0) < 10.0, "without waiting for `scope_timeout`");
}

/// What `GIVES_UP` says: between acknowledgement and post, a task is its requester's alone.
#[test]
fn a_requester_that_crashes_before_it_could_post_loses_the_task() {
    let healthy = one_task(5, 1, 10);
    let outage = fault(0, Some(60), FaultKind::Outage, Target::Relay(0));
    let crash = crash(&healthy, requester_of(&healthy, TaskId(0)), 30, Some(10));
    assert_eq!(play(&with_faults(healthy.clone(), vec![outage.clone()]), &Params::default()).accepted(), 1);
    let log = play(&with_faults(healthy, vec![outage, crash]), &Params::default());
    assert_eq!((log.count(|r| matches!(r, Record::Acknowledged { .. })), log.accepted()), (1, 0));
    assert!(Hybrid::GIVES_UP.contains(&Promise::NoTaskLost));
}

/// A durable relay keeps its book, and leases stand still while nobody could renew them.
#[test]
fn an_outage_of_a_durable_relay_delays_and_loses_nothing() {
    let outage = fault(200, Some(500), FaultKind::Outage, Target::Authority { seat: 0, otherwise: 0 });
    let log = play(&with_faults(busy(20, 300, 0.6), vec![outage]), &Params::default());
    assert_eq!((log.accepted(), log.double_settles(), redelivered(&log)), (300, 0, 0));
    let during = |&(at, _, _): &(Time, _, _)| (201.0..499.0).contains(&secs(at));
    assert_eq!(
        log.acceptances().iter().filter(|&accepted| during(accepted)).count(),
        0,
        "it is a single point"
    );
    assert!(log.sent("post") > 300, "posts were repeated");
}

#[test]
fn a_relay_that_lost_its_memory_learns_from_holders_and_requesters() {
    let outage = fault(200, Some(260), FaultKind::Outage, Target::Relay(0));
    let mut setup = with_faults(busy(20, 300, 0.6), vec![outage]);
    setup.relay.durable = false;
    let log = play(&setup, &Params::default());
    assert_eq!(log.accepted(), 300);
    assert!(log.sent("not_held") > 0, "holders are told, and claim again");
    assert_eq!(fates(&log, Fate::Abandon) + fates(&log, Fate::Duplicate), 0, "no work is lost");
}

/// Cut off for longer than its lease, the winner loses the task; healed, it hears so and stops.
#[test]
fn a_winner_that_was_cut_off_is_refused_when_it_is_back() {
    let healthy = one_task(5, 1, 300);
    let (_, _, winner) = play(&healthy, &Params::default()).starts()[0];
    let others_first = vec![cut_off(20, 200, vec![agent_of(&healthy, winner)])];
    let log = play(&with_faults(healthy.clone(), others_first), &Params::default());
    assert_eq!((log.accepted(), log.double_settles(), redelivered(&log), log.starts().len()), (1, 0, 1, 2));
    assert_eq!(log.facts(|fact| matches!(fact, Fact::Stale(_))), 1);
    assert_eq!(fates(&log, Fate::Abandon), 1);
    // A short one costs nothing: one renewal may be lost.
    let short = vec![cut_off(20, 55, vec![agent_of(&healthy, winner)])];
    let log = play(&with_faults(healthy, short), &Params::default());
    assert_eq!((redelivered(&log), log.starts().len()), (0, 1));
}

/// The first result counts, even that of a holder whose lease ran out; the present one is told at once.
#[test]
fn a_result_of_an_outlived_claim_counts_if_it_is_the_first() {
    let healthy = one_task(5, 1, 100);
    let (_, _, winner) = play(&healthy, &Params::default()).starts()[0];
    let cut = vec![cut_off(20, 130, vec![agent_of(&healthy, winner)])];
    let log = play(&with_faults(healthy, cut), &Params::default());
    assert_eq!((log.accepted(), log.double_settles(), redelivered(&log), log.starts().len()), (1, 0, 1, 2));
    assert!((130.0..165.0).contains(&secs(log.acceptances()[0].0)), "{:?}", log.acceptances());
    assert_eq!(fates(&log, Fate::Duplicate), 1, "the second execution is stopped");
}

#[test]
fn messages_may_be_lost() {
    let mut setup = busy(20, 200, 0.6);
    setup.network.loss = 0.05;
    let log = play(&setup, &Params::default());
    assert_eq!((log.accepted(), log.double_settles()), (200, 0));
}

#[test]
fn an_output_whose_requester_died_is_handed_in_unverified() {
    let healthy = one_task(5, 1, 50);
    let crash = crash(&healthy, requester_of(&healthy, TaskId(0)), 30, None);
    let log = play(&with_faults(healthy, vec![crash]), &Params { verify: true, ..Params::default() });
    assert_eq!(
        (log.accepted(), named(&log, "unverified"), redelivered(&log), log.starts().len()),
        (1, 1, 0, 1)
    );
}

/// With a second relay an outage does not stop the others: the post moves, and the first relay drops its.
#[test]
fn a_second_relay_takes_over_from_one_that_is_out() {
    let tasks = poisson(20, 200, Span::from_secs(60), 0.5, 5);
    let healthy = durable(setup_of(20, 2, tasks));
    let sound = play(&healthy, &Params::default());
    assert_eq!((sound.accepted(), sound.double_settles(), sound.sent("withdraw")), (200, 0, 0));
    let by = |log: &Log, relay: u32| {
        log.count(|r| matches!(r, Record::Noted { node, fact: Fact::Decided { .. } } if node.0 == relay))
    };
    assert!(by(&sound, 0) > 60 && by(&sound, 1) > 60, "tasks are split between them");
    let outage = fault(200, Some(900), FaultKind::Outage, Target::Relay(0));
    let log = play(&with_faults(healthy, vec![outage]), &Params::default());
    assert_eq!((log.accepted(), log.double_settles()), (200, 0));
    let during = |&&(at, _, _): &&(Time, TaskId, ExecutionId)| (300.0..900.0).contains(&secs(at));
    assert!(log.acceptances().iter().filter(during).count() > 50, "work goes on");
    assert!(log.sent("withdraw") > 0);
}

#[test]
fn churn_and_partitions_leave_nothing_open() {
    let setup = busy(40, 400, 0.5);
    let end = setup.clock.horizon;
    let mut faults = churn(40, Span::from_secs(600), Span::from_secs(60), end, 3);
    faults.push(cut_off(300, 420, (0..15).collect()));
    faults.push(fault(500, Some(560), FaultKind::Outage, Target::Relay(0)));
    let log = play(&with_faults(setup, faults), &Params::default());
    // A requester may leave with a task it could not post during the outage, as GIVES_UP says.
    assert!(log.accepted() >= 395, "{} of 400", log.accepted());
    assert_eq!(log.double_settles(), 0);
    assert!(redelivered(&log) > 5);
}

#[test]
fn a_client_whose_entry_is_down_finds_another() {
    let healthy = one_task(5, 1, 10);
    let crash = crash(&healthy, requester_of(&healthy, TaskId(0)), 0, None);
    let log = play(&with_faults(healthy, vec![crash]), &Params::default());
    assert_eq!((log.accepted(), log.sent("submit")), (1, 2));
}

/// Whatever happens around one durable relay: no task is settled twice, and one that is not settled was
/// with a requester that crashed before it could post.
#[test]
fn random_faults_settle_nothing_twice_and_lose_only_what_was_not_posted() {
    for seed in 0..40 {
        let mut rng = Rng::from_state(seed);
        let agents = 3 + rng.below(15);
        let work = Span::from_secs(20 + u64::from(rng.below(100)));
        let load = 0.2 + 0.9 * rng.uniform();
        let mut setup = durable(setup_of(agents, 1, poisson(agents, 60, work, load, seed)));
        setup.network.loss = if rng.chance(0.4) { 0.05 } else { 0.0 };
        let horizon = secs(setup.clock.horizon) as u32 + 1;
        let mut crashes = false;
        let faults = (0..rng.below(6)).map(|_| {
            let (at, agent) = (u64::from(rng.below(horizon)), rng.below(agents));
            let until = at + 1 + u64::from(rng.below(200));
            let target = Target::Agent(agent);
            let (kind, target) = match rng.below(6) {
                0 => (FaultKind::Crash, target),
                1 => (FaultKind::Stall, target),
                2 => (FaultKind::Pause, target),
                3 => (FaultKind::Slow { factor: 0.3 }, target),
                4 => (FaultKind::Outage, Target::Relay(0)),
                _ => return cut_off(at, until, (0..=agent).collect()),
            };
            crashes |= kind == FaultKind::Crash;
            fault(at, Some(until), kind, target)
        });
        let faults = faults.collect();
        let params = Params { verify: rng.chance(0.5), ..Params::default() };
        let log = play(&with_faults(setup, faults), &params);
        assert_eq!(log.double_settles(), 0, "seed {seed}");
        for task in (0..60).map(TaskId) {
            let settled = log.acceptances().iter().any(|&(_, accepted, _)| accepted == task);
            let relay_saw_it = |record: &Record| match *record {
                Record::Noted { node: NodeId(0), fact: Fact::Queued(on) | Fact::Announced(on) } => on == task,
                _ => false,
            };
            assert!(settled || (crashes && log.count(relay_saw_it) == 0), "seed {seed} lost {task:?}");
        }
        assert!(log.end.events < 60 * 900, "seed {seed}: {} events", log.end.events);
    }
}
