//! Hand-written record sequences with exact answers, among them the counter-examples of model.md §7.

use std::sync::Arc;

use super::*;
use crate::engine::Span;
use crate::trace::{ClassId, ExecutionId, Phase, SiteId, SkillId, TaskId};
use crate::work::{AgentProfile, FleetSpec, Release, TaskCard, TaskSpec};

fn fleet(speeds: &[f64], skills: &[u8]) -> Arc<Fleet> {
    let agents: Vec<AgentProfile> = speeds
        .iter()
        .zip(skills)
        .map(|(&speed, &skill)| AgentProfile { speed, skill: SkillId(skill), ..AgentProfile::at(SiteId(0)) })
        .collect();
    let seat_order = (0..agents.len() as u32).collect();
    let spec = FleetSpec { client_sites: vec![SiteId(0)], agents, seat_order, ..FleetSpec::default() };
    Arc::new(Fleet::new(spec))
}

fn tasks(count: usize, work_s: f64, skill: Option<u8>) -> Arc<Tasks> {
    let spec = TaskSpec {
        card: TaskCard {
            id: TaskId(0),
            origin: SiteId(0),
            arrival: Time::ZERO,
            context_tokens: 0,
            skill: skill.map(SkillId),
            class: ClassId(0),
            priority: 0,
            job: 0,
            deadline: None,
            value: 1.0,
            estimate: Span::ZERO,
        },
        work: Span::from_secs_f64(work_s),
        work_tokens: 0,
        predecessors: Vec::new(),
        release: Release::Scheduled,
    };
    Arc::new(Tasks::new(vec![spec; count]).unwrap())
}

/// Agent `index`: node 0 is the client.
fn agent(index: u32) -> NodeId {
    NodeId(index + 1)
}

struct Script {
    ledger: Ledger,
}

impl Script {
    fn new(speeds: &[f64], tasks: Arc<Tasks>) -> Script {
        Script { ledger: Ledger::new(fleet(speeds, &vec![0; speeds.len()]), tasks, Time::ZERO) }
    }
    fn at(mut self, seconds: f64, record: Record) -> Script {
        let at = Time::ZERO + Span::from_secs_f64(seconds);
        self.ledger.observe(at, EventId(0), &record);
        self
    }
    fn executes(self, from: f64, to: f64, node: u32, task: u32, execution: u32, fate: Fate) -> Script {
        let (node, task, execution) = (agent(node), TaskId(task), ExecutionId(execution));
        let activity = Activity::Executing(execution);
        self.at(from, Record::Started { execution, task, node })
            .at(from, Record::Began { node, plane: Plane::Cognition, activity })
            .at(to, Record::Ceased { node, plane: Plane::Cognition, activity })
            .at(to, Record::Finished { execution, task, correct: fate == Fate::Useful })
            .at(to, Record::Accepted { task, execution, correct: fate == Fate::Useful })
            .at(to, Record::Fate { execution, fate })
    }
    fn end(self, seconds: f64) -> MetricSet {
        let script = self.at(seconds, Record::Finish);
        assert_eq!(script.ledger.check(), Vec::<String>::new());
        let mut metrics = MetricSet::default();
        script.ledger.report(&mut metrics);
        metrics
    }
}

fn near(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
}

/// §7: one second blocked per task of work 1 is tax 50 % at speed 1 and 9 % at speed 0.1.
#[test]
fn blocked_time_is_weighed_by_speed() {
    for (speed, expected) in [(1.0, 0.5), (0.1, 1.0 / 11.0)] {
        let metrics = Script::new(&[speed], tasks(1, 1.0, None))
            .at(0.0, Record::Arrived { task: TaskId(0) })
            .executes(1.0, 1.0 + 1.0 / speed, 0, 0, 0, Fate::Useful)
            .end(1.0 + 1.0 / speed);
        near(metrics.get("tax_agents"), expected);
        near(metrics.get("useful_capacity_s"), 1.0);
        near(metrics.get("blocked_entry_capacity_s"), speed);
    }
}

/// §7: ten free agents and one task are one blocked and nine idle.
#[test]
fn one_task_blocks_one_agent() {
    let metrics =
        Script::new(&[1.0; 10], tasks(1, 1.0, None)).at(0.0, Record::Arrived { task: TaskId(0) }).end(7.0);
    near(metrics.get("blocked_entry_capacity_s"), 7.0);
    near(metrics.get("idle_capacity_s"), 63.0);
}

/// §7: heartbeats that cost 1 % of a fleet's time are tax 50 % at load 0.01 and 1.1 % at load 0.9.
#[test]
fn standing_overhead_weighs_on_a_lightly_loaded_fleet() {
    for (load, expected) in [(0.01, 0.5), (0.9, 1.0 / 91.0)] {
        let heartbeat = Activity::Coordinating(Phase::Synchronisation);
        let metrics = Script::new(&[1.0], tasks(1, load, None))
            .at(0.0, Record::Began { node: agent(0), plane: Plane::Harness, activity: heartbeat })
            .at(0.01, Record::Ceased { node: agent(0), plane: Plane::Harness, activity: heartbeat })
            .at(0.01, Record::Arrived { task: TaskId(0) })
            .executes(0.01, 0.01 + load, 0, 0, 0, Fate::Useful)
            .end(1.0);
        near(metrics.get("tax_agents"), expected);
        near(metrics.get("tax_synchronisation") * (metrics.get("overhead_ratio") + 1.0), 0.01 / load);
    }
}

/// An agent without the skill asked for is idle, one with it is blocked; a task that asks for none takes
/// whoever is left.
#[test]
fn matching_respects_skills() {
    let fleet = fleet(&[1.0, 1.0, 1.0], &[0, 0, 1]);
    let mut ledger = Ledger::new(fleet, tasks(2, 1.0, Some(1)), Time::ZERO);
    for task in 0..2 {
        ledger.observe(Time::ZERO, EventId(0), &Record::Arrived { task: TaskId(task) });
    }
    ledger.observe(Time::from_secs(1), EventId(0), &Record::Finish);
    assert_eq!(ledger.blocked.matching.split_ns(), (1_000_000_000, 2_000_000_000));
}

/// What a crashed holder held is lost until somebody takes it up; a paused one keeps it.
#[test]
fn the_stage_of_a_task_follows_its_holder() {
    use crate::trace::{DownReason, Fact};
    let task = TaskId(0);
    let claimed = |holder| Record::Noted { node: holder, fact: Fact::Claimed { task, holder } };
    let metrics = Script::new(&[1.0; 3], tasks(1, 1.0, None))
        .at(0.0, Record::Arrived { task })
        .at(1.0, Record::Acknowledged { task, by: agent(0) })
        .at(2.0, claimed(agent(1)))
        .at(4.0, Record::Down { node: agent(1), why: DownReason::Crash })
        .at(7.0, Record::Up { node: agent(1) })
        .at(8.0, claimed(agent(2)))
        .at(13.0, Record::Down { node: agent(2), why: DownReason::Pause })
        .at(19.0, Record::Up { node: agent(2) })
        .end(26.0);
    near(metrics.get("blocked_entry_capacity_s"), 1.0);
    near(metrics.get("blocked_queued_capacity_s"), 1.0);
    near(metrics.get("blocked_claimed_capacity_s"), 2.0 + 5.0 + 7.0);
    near(metrics.get("blocked_lost_capacity_s"), 4.0 + 6.0);
}

/// Cognition busy hides the harness; what the harness did meanwhile is outside the sum.
#[test]
fn harness_work_under_cognition_is_overlap() {
    let node = agent(0);
    let claim = Activity::Coordinating(Phase::Consensus);
    let metrics = Script::new(&[1.0], tasks(1, 10.0, None))
        .at(2.0, Record::Began { node, plane: Plane::Harness, activity: claim })
        .at(5.0, Record::Ceased { node, plane: Plane::Harness, activity: claim })
        .end(5.0);
    near(metrics.get("coordinating_consensus_capacity_s"), 3.0);
    near(metrics.get("harness_overlap_capacity_s"), 0.0);
    let execution = Activity::Executing(ExecutionId(0));
    let metrics = Script::new(&[1.0], tasks(1, 10.0, None))
        .at(0.0, Record::Arrived { task: TaskId(0) })
        .at(0.0, Record::Started { execution: ExecutionId(0), task: TaskId(0), node })
        .at(0.0, Record::Began { node, plane: Plane::Cognition, activity: execution })
        .at(2.0, Record::Began { node, plane: Plane::Harness, activity: claim })
        .at(5.0, Record::Ceased { node, plane: Plane::Harness, activity: claim })
        .at(10.0, Record::Fate { execution: ExecutionId(0), fate: Fate::Unsettled })
        .end(10.0);
    near(metrics.get("coordinating_consensus_capacity_s"), 0.0);
    near(metrics.get("harness_overlap_capacity_s"), 3.0);
    near(metrics.get("unsettled_capacity_s"), 10.0);
}

/// Three executions at once divide 10 ns as 4, 3 and 3; what ends first takes what it was given, and the rest
/// divide what follows.
#[test]
fn what_is_done_at_once_divides_the_time() {
    let node = agent(0);
    let profile = AgentProfile { slots: 3, ..AgentProfile::at(SiteId(0)) };
    let spec = FleetSpec { client_sites: vec![SiteId(0)], agents: vec![profile], ..FleetSpec::default() };
    let fleet = Arc::new(Fleet::new(FleetSpec { seat_order: vec![0], ..spec }));
    let mut ledger = Ledger::new(fleet, tasks(3, 1.0, None), Time::ZERO);
    let mut see = |ns: u64, record| ledger.observe(Time::from_nanos(ns), EventId(0), &record);
    let plane = Plane::Cognition;
    for index in 0..3 {
        let (execution, task) = (ExecutionId(index), TaskId(index));
        see(0, Record::Arrived { task });
        see(0, Record::Started { execution, task, node });
        see(0, Record::Began { node, plane, activity: Activity::Executing(execution) });
    }
    let fates = [Fate::Useful, Fate::Duplicate, Fate::Abandon];
    for (index, ns, fate) in [(1, 10, fates[0]), (0, 20, fates[1]), (2, 26, fates[2])] {
        let execution = ExecutionId(index);
        see(ns, Record::Ceased { node, plane, activity: Activity::Executing(execution) });
        see(ns, Record::Fate { execution, fate });
    }
    see(30, Record::Finish);
    assert_eq!(ledger.check(), Vec::<String>::new());
    let booked = fates.map(|fate| ledger.fates[fate as usize].ns);
    assert_eq!(booked, [3, 4 + 5, 3 + 5 + 6]);
}

/// An agent with one slot cannot do two things at once, and what never began cannot end.
#[test]
fn more_than_a_plane_serves_is_caught() {
    let node = agent(0);
    let activity = Activity::Verifying;
    let began = Record::Began { node, plane: Plane::Cognition, activity };
    let ceased = Record::Ceased { node, plane: Plane::Cognition, activity };
    for (records, caught) in [([began, ceased], false), ([began, began], true), ([ceased, began], true)] {
        let mut ledger = Ledger::new(fleet(&[1.0], &[0]), tasks(1, 1.0, None), Time::ZERO);
        for record in records {
            ledger.observe(Time::from_secs(1), EventId(0), &record);
        }
        ledger.observe(Time::from_secs(2), EventId(0), &Record::Finish);
        assert_eq!(ledger.check().iter().any(|what| what.contains("more than a plane serves")), caught);
    }
}

/// At half speed, half of the time is the fault's: neither useful nor tax.
#[test]
fn a_slow_fault_is_not_tax() {
    let node = agent(0);
    let metrics = Script::new(&[1.0], tasks(1, 3.0, None))
        .at(0.0, Record::Arrived { task: TaskId(0) })
        .at(0.0, Record::Speed { node, factor: 0.5 })
        .executes(0.0, 6.0, 0, 0, 0, Fate::Useful)
        .end(6.0);
    near(metrics.get("useful_capacity_s"), 3.0);
    near(metrics.get("slowed_capacity_s"), 3.0);
    near(metrics.get("tax_agents"), 0.0);
}

/// Only the measured window counts, also in the middle of an execution.
#[test]
fn time_before_the_warm_up_is_not_measured() {
    let mut script = Script::new(&[1.0], tasks(1, 4.0, None));
    script.ledger = Ledger::new(fleet(&[1.0], &[0]), tasks(1, 4.0, None), Time::from_secs(3));
    let metrics = script
        .at(0.0, Record::Arrived { task: TaskId(0) })
        .executes(1.0, 5.0, 0, 0, 0, Fate::Useful)
        .end(10.0);
    near(metrics.get("useful_capacity_s"), 2.0);
    near(metrics.get("idle_capacity_s"), 5.0);
}

/// A world that leaks agent time is caught: here a release without the record of it.
#[test]
fn a_leak_of_agent_time_is_caught() {
    let mut ledger = Ledger::new(fleet(&[1.0], &[0]), tasks(1, 1.0, None), Time::ZERO);
    let node = agent(0);
    let execution = ExecutionId(0);
    for (second, record) in [
        (0, Record::Arrived { task: TaskId(0) }),
        (0, Record::Started { execution, task: TaskId(0), node }),
        (0, Record::Began { node, plane: Plane::Cognition, activity: Activity::Executing(execution) }),
        (1, Record::Fate { execution, fate: Fate::Useful }),
        (2, Record::Finish),
    ] {
        ledger.observe(Time::from_secs(second), EventId(0), &record);
    }
    assert!(ledger.check().iter().any(|what| what.contains("booked by fate")), "{:?}", ledger.check());
}
