//! `ideal`: an oracle that knows everything at once and coordinates for nothing. A reference, not a bound.
//!
//! Tasks queue in the order in which they could start; each goes to the fastest free agent that has its
//! skill, the lowest id among equals, in the instant both exist. Messages take no time and cost nothing.
//! A crash sends the task back to the front of the queue; all other faults pass it by. On homogeneous
//! independent tasks it is the M/G/c queue (Kleinrock, *Queueing Systems* vol. 1, 1975; Erlang C for
//! exponential work), which is what its tests compare it with.
//!
//! Shortest-job-first beats it where work varies a lot (model.md §7), so ratios to `ideal` may be below 1;
//! the bound is `metrics::bound`.
//!
//! The oracle sits at the first client, which never fails.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sim::{CxOf, Kind, Message, Protocol, Seat, Seats, Status, Submission, Work, WorkKind};
use crate::trace::{Fact, NodeId, Output, Phase, Plane, Promise, SkillId, TaskId};
use crate::work::Fleet;

/// There is nothing to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// Orders and answers; they take no time.
#[derive(Clone, Copy, Debug)]
pub enum Msg {
    /// Do this.
    Assign(TaskId),
    /// Done.
    Result(Output),
    /// It hung; I am free again.
    Failed(TaskId),
}

impl Message for Msg {
    const KINDS: &'static [Kind] = &[
        Kind {
            name: "ideal_assign",
            phase: Phase::Assignment,
            plane: Plane::Harness,
            bytes: 0,
            about: "the oracle gives a task to an agent; free and instantaneous",
        },
        Kind {
            name: "ideal_result",
            phase: Phase::Assignment,
            plane: Plane::Harness,
            bytes: 0,
            about: "the agent is done; free and instantaneous",
        },
    ];
    fn kind(&self) -> usize {
        match self {
            Msg::Assign(_) => 0,
            Msg::Result(_) | Msg::Failed(_) => 1,
        }
    }
    fn task(&self) -> Option<TaskId> {
        match self {
            Msg::Assign(task) | Msg::Failed(task) => Some(*task),
            Msg::Result(output) => Some(output.task),
        }
    }
}

/// An agent as the oracle orders them: fastest first, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    /// Speed in millionths, negated so that the fastest sorts first.
    slowness: i64,
    node: NodeId,
}

/// What the oracle knows.
#[derive(Debug, Default)]
struct Oracle {
    /// Waiting tasks by the order in which they became startable; a requeued one keeps its place.
    queues: BTreeMap<Option<SkillId>, BTreeSet<(u64, TaskId)>>,
    order: BTreeMap<TaskId, u64>,
    next_order: u64,
    free: BTreeMap<SkillId, BTreeSet<Ranked>>,
    doing: BTreeMap<NodeId, TaskId>,
    settled: BTreeSet<TaskId>,
}

impl Oracle {
    fn free(&mut self, node: NodeId, fleet: &Fleet) {
        let skill = fleet.skill(node).expect("only agents are free");
        self.free.entry(skill).or_default().insert(ranked(node, fleet));
    }
    fn not_free(&mut self, node: NodeId, fleet: &Fleet) {
        let skill = fleet.skill(node).expect("only agents are free");
        if let Some(free) = self.free.get_mut(&skill) {
            free.remove(&ranked(node, fleet));
        }
    }
    fn queue(&mut self, task: TaskId, skill: Option<SkillId>) {
        let next = &mut self.next_order;
        let place = *self.order.entry(task).or_insert_with(|| {
            *next += 1;
            *next
        });
        self.queues.entry(skill).or_default().insert((place, task));
    }
    /// The fastest free agent that can do `skill`.
    fn fastest(&self, skill: Option<SkillId>) -> Option<NodeId> {
        match skill {
            Some(skill) => self.free.get(&skill)?.first().map(|ranked| ranked.node),
            None => self.free.values().filter_map(BTreeSet::first).min().map(|ranked| ranked.node),
        }
    }
    /// The oldest waiting task for which somebody is free, and who.
    fn next_pair(&self) -> Option<((u64, TaskId), Option<SkillId>, NodeId)> {
        self.queues
            .iter()
            .filter_map(|(&skill, queue)| Some((*queue.first()?, skill, self.fastest(skill)?)))
            .min_by_key(|(first, ..)| *first)
    }
}

fn ranked(node: NodeId, fleet: &Fleet) -> Ranked {
    Ranked { slowness: -((fleet.speed(node) * 1e6).round() as i64), node }
}

/// The oracle, or an agent that does as it is told.
#[derive(Debug)]
pub struct Ideal {
    oracle: Oracle,
    seat: NodeId,
}

impl Ideal {
    fn dispatch(&mut self, cx: &mut CxOf<'_, Self>) {
        while let Some((first, skill, node)) = self.oracle.next_pair() {
            self.oracle.queues.entry(skill).or_default().remove(&first);
            if self.oracle.settled.contains(&first.1) {
                continue;
            }
            self.oracle.not_free(node, cx.fleet());
            self.oracle.doing.insert(node, first.1);
            cx.note(Fact::Decided { task: first.1, to: node });
            cx.send(node, Msg::Assign(first.1));
        }
    }
}

impl Protocol for Ideal {
    const NAME: &'static str = "ideal";
    const ABOUT: &'static str = "reference: an oracle assigns at once and for nothing (M/G/c)";
    const GIVES_UP: &'static [Promise] = &[];
    const ORACLE: bool = true;
    type Params = Params;
    type Msg = Msg;
    type Timer = ();

    fn seats(_: &Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Params, fleet: &Fleet, _: &Seats, _: Submission) -> NodeId {
        fleet.client(0)
    }
    fn sit(_: &Params, seat: &Seat<'_>) -> Ideal {
        let mut oracle = Oracle::default();
        let first = seat.fleet.client(0);
        if seat.node == first {
            for node in seat.fleet.present() {
                oracle.free(node, seat.fleet);
            }
        }
        Ideal { oracle, seat: first }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        let me = cx.me();
        cx.note(Fact::Queued(task));
        debug_assert_eq!(me, self.seat, "clients submit to the oracle");
        self.oracle.queue(task, cx.task(task).skill);
        self.dispatch(cx);
    }
    fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Self>) {
        match msg {
            Msg::Assign(task) => {
                cx.work(task, ());
            }
            Msg::Result(output) => {
                self.released(from, cx);
                // An agent may finish in the very instant in which it crashes and its task is requeued.
                if self.oracle.settled.insert(output.task) {
                    cx.settle(output.task, output);
                }
                self.dispatch(cx);
            }
            Msg::Failed(task) => {
                self.released(from, cx);
                self.oracle.queue(task, cx.task(task).skill);
                self.dispatch(cx);
            }
        }
    }
    fn on_work(&mut self, done: Work, (): (), cx: &mut CxOf<'_, Self>) {
        match done.kind {
            WorkKind::Executed(output) => cx.send(self.seat, Msg::Result(output)),
            WorkKind::Hung => cx.send(self.seat, Msg::Failed(done.task)),
            WorkKind::Verified { .. } => unreachable!("the oracle needs no verification"),
        }
    }
    fn on_expired(&mut self, task: TaskId, _: &mut CxOf<'_, Self>) {
        // Whoever works on it finishes; whoever would, does not begin.
        self.oracle.settled.insert(task);
    }
    fn on_status(&mut self, node: NodeId, status: Status, cx: &mut CxOf<'_, Self>) {
        match status {
            Status::Up => {
                if !self.oracle.doing.contains_key(&node) {
                    self.oracle.free(node, cx.fleet());
                }
            }
            // A paused agent keeps its task; one that crashed gives it back.
            Status::Frozen => self.oracle.not_free(node, cx.fleet()),
            Status::Lost => {
                self.oracle.not_free(node, cx.fleet());
                if let Some(task) = self.oracle.doing.remove(&node) {
                    cx.note(Fact::Queued(task));
                    self.oracle.queue(task, cx.task(task).skill);
                }
            }
        }
        self.dispatch(cx);
    }
}

impl Ideal {
    /// `node` is free again, unless it gave its task back by crashing.
    fn released(&mut self, node: NodeId, cx: &mut CxOf<'_, Self>) {
        if self.oracle.doing.remove(&node).is_some() {
            self.oracle.free(node, cx.fleet());
        }
    }
}
