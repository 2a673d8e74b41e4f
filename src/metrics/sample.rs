//! Small worlds and hand-written records for the tests of this module.

use crate::engine::{EventId, Span, Time};
use crate::trace::{ClassId, ExecutionId, Fact, NodeId, Observer, Record, SiteId, TaskId};
use crate::work::{AgentProfile, Fleet, FleetSpec, Release, TaskCard, TaskSpec, Tasks};

/// Tasks of (arrival, work) \[s\], independent.
pub(super) fn tasks(arrival_and_work: &[(u64, u64)]) -> Tasks {
    let specs = arrival_and_work.iter().map(|&(arrival, work)| task(arrival as f64, work as f64, &[], None));
    Tasks::new(specs.collect()).expect("independent tasks are a DAG")
}

/// One task \[s\].
pub(super) fn task(arrival: f64, work: f64, predecessors: &[u32], deadline: Option<u64>) -> TaskSpec {
    TaskSpec {
        card: TaskCard {
            id: TaskId(0),
            origin: SiteId(0),
            arrival: Time::ZERO + Span::from_secs_f64(arrival),
            context_tokens: 0,
            skill: None,
            class: ClassId(0),
            priority: 0,
            job: 0,
            deadline: deadline.map(Span::from_secs),
            value: 1.0,
            estimate: Span::from_secs_f64(work),
        },
        work: Span::from_secs_f64(work),
        work_tokens: 0,
        predecessors: predecessors.iter().map(|&id| TaskId(id)).collect(),
        release: Release::Scheduled,
    }
}

/// One relay (node 0), one client (node 1) and agents of these speeds (nodes 2, 3, …); a speed of 0 stands
/// for an absent agent that would be fast.
pub(super) fn fleet(speeds: &[f64]) -> Fleet {
    let agents = speeds.iter().map(|&speed| AgentProfile {
        speed: if speed > 0.0 { speed } else { 100.0 },
        price_per_hour: 0.0,
        present: speed > 0.0,
        ..AgentProfile::at(SiteId(0))
    });
    let present = (0u32..).zip(speeds).filter(|(_, speed)| **speed > 0.0);
    Fleet::new(FleetSpec {
        relay_sites: vec![SiteId(0)],
        client_sites: vec![SiteId(0)],
        agents: agents.collect(),
        seat_order: present.map(|(index, _)| index).collect(),
        ..FleetSpec::default()
    })
}

/// Shows records at whole seconds, each caused by an event of its own.
pub(super) fn show(observer: &mut impl Observer, records: &[(u64, Record)]) {
    for (cause, (at, record)) in (1..).zip(records) {
        observer.observe(Time::from_secs(*at), EventId(cause), record);
    }
}

pub(super) fn arrived(task: u32) -> Record {
    Record::Arrived { task: TaskId(task) }
}
pub(super) fn started(execution: u32, task: u32, node: u32) -> Record {
    Record::Started { execution: ExecutionId(execution), task: TaskId(task), node: NodeId(node) }
}
pub(super) fn accepted(task: u32, execution: u32, correct: bool) -> Record {
    Record::Accepted { task: TaskId(task), execution: ExecutionId(execution), correct }
}
pub(super) fn noted(node: u32, fact: Fact) -> Record {
    Record::Noted { node: NodeId(node), fact }
}
