//! Canaries: a stream of records that keeps every invariant, and for each invariant streams that break it
//! and no other. A guard never seen to fail is no guard.

use std::rc::Rc;
use std::sync::Arc;

use super::*;
use crate::engine::Span;
use crate::fault::{Entry, FaultKind, Group, Origin, Target};
use crate::net::TransportKind;
use crate::trace::{
    Activity, ClassId, DownReason, DropReason, Ending, ExecutionId, Fact, Fate, LetterId, Phase, Plane,
    SiteId, TaskId,
};
use crate::work::{AgentProfile, FleetSpec, Release, TaskCard, TaskSpec};

/// Relay 0, client 1, agents 2 and 3.
const RELAY: NodeId = NodeId(0);
const CLIENT: NodeId = NodeId(1);
const A: NodeId = NodeId(2);
const B: NodeId = NodeId(3);
const LETTER: LetterId = LetterId(0);
const TASK: TaskId = TaskId(0);
const NEXT: TaskId = TaskId(1);

fn fleet() -> Fleet {
    Fleet::new(FleetSpec {
        relay_sites: vec![SiteId(0)],
        client_sites: vec![SiteId(0)],
        agents: vec![AgentProfile::at(SiteId(0)); 2],
        seat_order: vec![0, 1],
        ..FleetSpec::default()
    })
}

/// Task 0 arrives after 1 s; task 1 at the same time, and may begin when task 0 has ended.
fn tasks() -> Tasks {
    let spec = |predecessors| TaskSpec {
        card: TaskCard {
            id: TASK,
            origin: SiteId(0),
            arrival: Time::from_secs(1),
            context_tokens: 0,
            skill: None,
            class: ClassId(0),
            priority: 0,
            job: 0,
            deadline: None,
            value: 1.0,
            estimate: Span::from_secs(1),
        },
        work: Span::from_secs(1),
        work_tokens: 0,
        predecessors,
        release: Release::Scheduled,
    };
    Tasks::new(vec![spec(vec![]), spec(vec![TASK])]).expect("no cycle")
}

/// Messages take 10 ms; entry 0 of the plan cuts agent A off. `change` makes other ground.
fn ground(change: impl FnOnce(&mut Ground)) -> Rc<Ground> {
    let groups = vec![Group { agents: vec![0], ..Group::default() }];
    let cut = Entry {
        at: Time::from_secs(50),
        until: None,
        kind: FaultKind::Partition { groups, one_way: false },
        target: Target::Network,
        origin: Origin::Scheduled,
    };
    let fleet = Arc::new(fleet());
    let mut ground = Ground {
        transport: TransportKind::Direct.build(&fleet),
        fleet,
        tasks: Arc::new(tasks()),
        faults: Arc::new(FaultPlan::new(vec![cut])),
        sites: Arc::new(Sites::single(Span::from_millis(10))),
        order: Order::Fifo,
        lossy: false,
        durable: false,
        oracle: false,
        gives_up: &[],
    };
    change(&mut ground);
    Rc::new(ground)
}

/// Names of the invariants that `stream` breaks; a record a second, each with a cause of its own.
fn broken_on(ground: &Rc<Ground>, stream: &[Record]) -> Vec<String> {
    let mut checks = Checks::new(ground);
    for (second, record) in (1..).zip(stream) {
        checks.observe(Time::from_secs(second), EventId(second), record);
    }
    let name = |line: String| line.split('`').nth(1).expect("a line names its invariant").to_owned();
    checks.broken().into_iter().map(name).collect()
}

fn broken(stream: &[Record]) -> Vec<String> {
    broken_on(&ground(|_| ()), stream)
}

fn sent(from: NodeId, to: NodeId) -> Record {
    Record::Sent { letter: LETTER, from, to, kind: 2, bytes: 10, tokens: 0 }
}

fn delivered(to: NodeId) -> Record {
    Record::Delivered { letter: LETTER, to, overtook: false }
}

fn handled(node: NodeId) -> Record {
    Record::Handled { letter: LETTER, node }
}

fn noted(node: NodeId, fact: Fact) -> Record {
    Record::Noted { node, fact }
}

fn leased(holder: NodeId, until: u64) -> Record {
    noted(RELAY, Fact::Leased { task: TASK, holder, until: Time::from_secs(until) })
}

const ARRIVED: Record = Record::Arrived { task: TASK };
const STARTED: Record = Record::Started { execution: ExecutionId(0), task: TASK, node: A };
const FINISHED: Record = Record::Finished { execution: ExecutionId(0), task: TASK, correct: true };
const ACCEPTED: Record = Record::Accepted { task: TASK, execution: ExecutionId(0), correct: true };
const FATE: Record = Record::Fate { execution: ExecutionId(0), fate: Fate::Useful };

/// All that may go wrong without breaking anything.
#[test]
fn an_honest_stream_breaks_nothing() {
    let stream = [
        ARRIVED,
        Record::Arrived { task: NEXT },
        Record::Submitted { task: TASK, to: A, attempt: 0 },
        sent(CLIENT, A),
        delivered(A),
        handled(A),
        Record::Acknowledged { task: TASK, by: A },
        noted(RELAY, Fact::Leads { shard: 0, term: 0 }),
        noted(RELAY, Fact::Appended { offset: 0 }),
        noted(RELAY, Fact::Appended { offset: 1 }),
        leased(A, 12),
        leased(A, 13),
        STARTED,
        leased(B, 30), // At 14 s, after the lease of A.
        FINISHED,
        ACCEPTED,
        FATE,
        Record::Submitted { task: NEXT, to: B, attempt: 0 },
        Record::Ended { task: NEXT, how: Ending::Failed },
        // The relay forgets its log and its claims; who is down is sent letters that are dropped.
        Record::Down { node: RELAY, why: DownReason::Outage },
        sent(A, RELAY),
        Record::Dropped { letter: LETTER, why: DropReason::Down },
        Record::Up { node: RELAY },
        noted(RELAY, Fact::Appended { offset: 0 }),
        leased(A, 90),
        noted(RELAY, Fact::Freed(TASK)),
        leased(B, 90),
        // Cut off while a letter is in the inbox, and healed.
        sent(A, B),
        delivered(B),
        Record::Fault { index: 0, on: true },
        handled(B),
        sent(A, B),
        Record::Dropped { letter: LETTER, why: DropReason::Partition },
        Record::Fault { index: 0, on: false },
        sent(A, B),
        delivered(B),
        Record::Down { node: B, why: DownReason::Crash },
        Record::Finish,
    ];
    assert_eq!(broken(&stream), Vec::<String>::new());
}

type Canary = (&'static str, Vec<Record>);

fn canaries_about_tasks() -> Vec<Canary> {
    let held = |why| {
        vec![leased(A, 90), Record::Down { node: RELAY, why }, Record::Up { node: RELAY }, leased(B, 90)]
    };
    vec![
        ("tasks_conserved", vec![ARRIVED, ARRIVED]),
        ("tasks_conserved", vec![STARTED]),
        ("tasks_conserved", vec![ARRIVED, STARTED, STARTED]),
        ("tasks_conserved", vec![ARRIVED, STARTED, ACCEPTED]),
        ("tasks_conserved", vec![ARRIVED, STARTED, FINISHED, FINISHED]),
        ("tasks_conserved", vec![ARRIVED, STARTED, FATE, FATE]),
        (
            "tasks_conserved",
            vec![ARRIVED, STARTED, FINISHED, ACCEPTED, Record::Ended { task: TASK, how: Ending::Failed }],
        ),
        ("tasks_conserved", vec![ARRIVED, Record::Finish]),
        ("settled_once", vec![Record::DoubleSettle { task: TASK, execution: ExecutionId(0) }]),
        ("claim_exclusive", vec![leased(A, 90), leased(B, 90)]),
        ("claim_exclusive", held(DownReason::Pause)),
        (
            "one_leader",
            vec![noted(A, Fact::Leads { shard: 1, term: 7 }), noted(B, Fact::Leads { shard: 1, term: 7 })],
        ),
        ("log_gapless", vec![noted(RELAY, Fact::Appended { offset: 1 })]),
    ]
}

fn canaries_about_nodes_and_letters() -> Vec<Canary> {
    let down = Record::Down { node: A, why: DownReason::Pause };
    let cut = Record::Fault { index: 0, on: true };
    vec![
        (
            "log_gapless",
            vec![noted(RELAY, Fact::Appended { offset: 0 }), noted(RELAY, Fact::Appended { offset: 0 })],
        ),
        ("partition_silent", vec![cut, sent(B, A), delivered(A), handled(A)]),
        ("partition_silent", vec![sent(CLIENT, A), cut, delivered(A), handled(A)]),
        ("partition_silent", vec![cut, sent(B, A), Record::Fault { index: 0, on: false }, delivered(A)]),
        ("down_is_idle", vec![down, sent(A, B)]),
        ("down_is_idle", vec![sent(B, A), delivered(A), down, handled(A)]),
        ("down_is_idle", vec![down, noted(A, Fact::Queued(TASK))]),
        ("down_is_idle", vec![down, Record::Wire { from: A, to: RELAY, bytes: 64 }]),
        ("down_is_idle", vec![ARRIVED, down, STARTED]),
        ("down_is_idle", vec![ARRIVED, STARTED, down, FINISHED]),
        ("down_is_idle", vec![ARRIVED, down, Record::Acknowledged { task: TASK, by: A }]),
        (
            "down_is_idle",
            vec![
                down,
                Record::Began {
                    node: A,
                    plane: Plane::Harness,
                    activity: Activity::Coordinating(Phase::Assignment),
                },
            ],
        ),
        ("delivery", vec![delivered(A)]),
        ("delivery", vec![sent(B, A), delivered(A), delivered(A)]),
        ("delivery", vec![sent(B, A), delivered(B)]),
        ("delivery", vec![sent(B, A), handled(A)]),
        ("delivery", vec![sent(B, A), sent(A, B)]),
        ("delivery", vec![Record::Dropped { letter: LETTER, why: DropReason::Down }]),
        (
            "causality",
            vec![
                ARRIVED,
                Record::Arrived { task: NEXT },
                Record::Submitted { task: NEXT, to: A, attempt: 0 },
            ],
        ),
    ]
}

#[test]
fn every_invariant_has_its_canary() {
    let mut canaries = canaries_about_tasks();
    canaries.extend(canaries_about_nodes_and_letters());
    for (name, stream) in &canaries {
        let found = broken(stream);
        assert!(found.iter().any(|found| found == name), "{name} sings not, but {found:?}: {stream:?}");
        assert!(found.len() == 1 || *name == "delivery", "{name}, and {found:?} as well: {stream:?}");
    }
    let sung = |def: &InvariantDef| canaries.iter().any(|(name, _)| *name == def.name) || def.name == "fifo";
    assert!(INVARIANTS.iter().all(sung), "an invariant without a canary");
}

/// Each reason for a loss must be there: without it the letter is simply gone.
#[test]
fn a_letter_is_dropped_for_a_reason() {
    for why in DropReason::ALL {
        let plain = ground(|ground| ground.faults = Arc::default());
        let found = broken_on(&plain, &[sent(B, A), Record::Dropped { letter: LETTER, why }]);
        assert_eq!(found.is_empty(), why == DropReason::Overflow, "{why:?}: {found:?}");
    }
    let lossy = ground(|ground| ground.lossy = true);
    let stream = [sent(B, A), Record::Dropped { letter: LETTER, why: DropReason::Loss }];
    assert_eq!(broken_on(&lossy, &stream), Vec::<String>::new());
    let hung = [Record::Stalled { node: B, on: true }, sent(B, A)];
    let silent = Record::Dropped { letter: LETTER, why: DropReason::Silent };
    assert_eq!(broken(&[hung[0], hung[1], silent]), Vec::<String>::new());
    // A mailbox may be lost with its relay, or cut off from its owner while it fills.
    let stores = ground(|ground| {
        ground.transport = TransportKind::Poll { interval: Span::from_secs(1) }.build(&ground.fleet);
    });
    let crash = Record::Dropped { letter: LETTER, why: DropReason::Crash };
    assert_eq!(broken_on(&stores, &[sent(B, A), crash]), Vec::<String>::new());
    let kept = [Record::Fault { index: 0, on: true }, sent(B, A), delivered(A)];
    assert_eq!(broken_on(&stores, &kept), ["partition_silent"]);
}

#[test]
fn order_is_checked_where_it_is_promised() {
    let letter = |number| LetterId(number);
    let send = |number| Record::Sent { letter: letter(number), from: A, to: B, kind: 2, bytes: 1, tokens: 0 };
    let arrive = |number| Record::Delivered { letter: letter(number), to: B, overtook: false };
    let overtaken = [send(0), send(1), send(2), arrive(1), arrive(0), arrive(2)];
    assert_eq!(broken(&overtaken), ["fifo"]);
    assert_eq!(broken_on(&ground(|ground| ground.order = Order::Reorder), &overtaken), Vec::<String>::new());
    let mut lossy = overtaken.to_vec();
    lossy[4] = Record::Dropped { letter: letter(0), why: DropReason::Down };
    lossy.insert(4, Record::Down { node: B, why: DownReason::Crash });
    let found = broken(&lossy);
    assert!(!found.contains(&"fifo".to_owned()), "what is lost is no gap: {found:?}");
}

#[test]
fn promises_given_up_and_memory_that_lasts_are_told_apart() {
    let again = [Record::DoubleSettle { task: TASK, execution: ExecutionId(0) }];
    let forgiving = ground(|ground| ground.gives_up = &[Promise::SettledOnce]);
    assert_eq!(broken_on(&forgiving, &again), Vec::<String>::new());
    let outage = [Record::Down { node: RELAY, why: DownReason::Outage }, Record::Up { node: RELAY }];
    let append = noted(RELAY, Fact::Appended { offset: 0 });
    let durable = ground(|ground| ground.durable = true);
    let stream = [append, outage[0], outage[1], append];
    assert_eq!((broken(&stream), broken_on(&durable, &stream)), (vec![], vec!["log_gapless".to_owned()]));
    let stream = [leased(A, 90), outage[0], outage[1], leased(B, 90)];
    assert_eq!((broken(&stream), broken_on(&durable, &stream)), (vec![], vec!["claim_exclusive".to_owned()]));
}

#[test]
fn time_causes_and_light_are_checked() {
    let stream = |records: &[(u64, u64, Record)]| {
        let mut checks = Checks::new(&ground(|_| ()));
        for (millis, cause, record) in records {
            checks.observe(Time::from_nanos(millis * 1_000_000), EventId(*cause), record);
        }
        checks.broken()
    };
    let up = Record::Up { node: A };
    assert_eq!(stream(&[(1, 1, up), (1, 1, up), (1, 2, up), (5, 3, up)]), Vec::<String>::new());
    for wrong in [[(5, 1, up), (4, 2, up)], [(5, 2, up), (6, 1, up)], [(5, 1, up), (6, 1, up)]] {
        assert!(stream(&wrong)[0].contains("invariant `causality`"), "{wrong:?}");
    }
    assert_eq!(stream(&[(1, 1, sent(A, B)), (11, 2, delivered(B))]), Vec::<String>::new());
    let faster = stream(&[(1, 1, sent(A, B)), (10, 2, delivered(B))]);
    let told = "invariant `causality` at 10ms, node 2 and node 3: a letter sent at 1ms arrived before 10ms";
    assert!(faster[0].starts_with(told), "{faster:?}");
    let oneself = stream(&[(1, 1, sent(A, A)), (1, 2, delivered(A))]);
    assert_eq!(oneself, Vec::<String>::new(), "nothing travels");
}
