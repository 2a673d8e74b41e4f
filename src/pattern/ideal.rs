//! `ideal`: an oracle that knows everything at once and coordinates for nothing. A reference, not a bound.
//!
//! It is the laboratory of queueing theory: the queue discipline is whichever its table names, and messages
//! take no time and cost nothing, so that what is measured is the queue alone.
//!
//! With a `central` queue, the default, tasks queue in the order in which they could start; each goes to the
//! fastest free agent that has its skill, the lowest id among equals, in the instant both exist. On
//! homogeneous independent tasks that is the M/G/c queue (Kleinrock, *Queueing Systems* vol. 1, 1975; Erlang
//! C for exponential work). With `own` queues a task goes to an agent at once and waits there: at random
//! (M/G/1), round robin (E_n/G/1), the shortest of some or of all (Vvedenskaya, Dobrushin & Karpelevich,
//! 1996; Mitzenmacher, IEEE TPDS 12(10), 2001), an idle one first (Lu et al., Performance Evaluation 68(11),
//! 2011), or moved by stealing (Mitzenmacher, SPAA 1998). Its tests compare all of these with closed forms.
//!
//! A crash sends an agent's tasks back to the front of the central queue, from where they are given anew; a
//! paused agent keeps its tasks and gets no more; all other faults pass it by.
//!
//! Shortest-job-first beats it where work varies a lot (model.md §7), so ratios to `ideal` may be below 1;
//! the bound is `metrics::bound`.
//!
//! The oracle sits at the first client, which never fails.

mod params;
mod team;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::{BTreeMap, VecDeque};

pub use params::{Dispatch, Order, Params, Queue, Steal};

use self::team::Team;
use self::waiting::Waiting;
use crate::engine::{Law, Span};
use crate::error::{Problem, Problems};
use crate::sim::{CxOf, Kind, Message, Protocol, Seat, Seats, Status, Submission, Work, WorkKind};
use crate::trace::{Ending, ExecutionId, Fact, NodeId, Output, Phase, Plane, Promise, SkillId, TaskId};
use crate::work::{Discipline, Fleet};

/// Orders and answers; they take no time.
#[derive(Clone, Copy, Debug)]
pub enum Msg {
    /// Do this.
    Assign(TaskId),
    /// Done.
    Result(Output),
    /// It hung; I am free again.
    Failed(TaskId),
    /// Do not do this after all.
    Withdraw(TaskId),
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
        Kind {
            name: "ideal_withdraw",
            phase: Phase::Assignment,
            plane: Plane::Harness,
            bytes: 0,
            about: "the oracle takes a task back that waits at an agent; free and instantaneous",
        },
    ];
    fn kind(&self) -> usize {
        match self {
            Msg::Assign(_) => 0,
            Msg::Result(_) | Msg::Failed(_) => 1,
            Msg::Withdraw(_) => 2,
        }
    }
    fn task(&self) -> Option<TaskId> {
        match self {
            Msg::Assign(task) | Msg::Failed(task) | Msg::Withdraw(task) => Some(*task),
            Msg::Result(output) => Some(output.task),
        }
    }
}

/// What an oracle or an agent is called back for.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// An execution ended.
    Worked,
    /// An agent looks for a task, unless it went down since.
    Look {
        /// Which agent.
        node: NodeId,
        /// How often it had gone down when the interval began.
        lapses: u32,
    },
}

/// What the oracle knows and does; `None` of it at anybody else.
#[derive(Debug)]
struct Oracle {
    steal: Option<Steal>,
    poll: Option<Law>,
    capacity: Option<u32>,
    waiting: Waiting,
    team: Team,
    /// Tasks in the system, by the skill they ask for.
    inside: BTreeMap<Option<SkillId>, u32>,
    /// By task: whether it has left.
    left: Vec<bool>,
    /// By node: how often it went down. Keeps a look that was planned before from being taken.
    lapses: Vec<u32>,
}

/// An agent that looks without pause would never end looking.
const SHORTEST_LOOK: Span = Span::from_micros(1);

impl Oracle {
    fn new(params: &Params, seat: &Seat<'_>) -> Oracle {
        let poll = params.poll.as_ref().map(|law| law.law().expect("checked"));
        Oracle {
            steal: params.steal,
            capacity: params.capacity,
            waiting: Waiting::new(params.order, seat.tasks),
            team: Team::new(params, seat),
            poll,
            inside: BTreeMap::new(),
            left: vec![false; seat.tasks],
            lapses: vec![0; seat.fleet.len()],
        }
    }

    fn arrived(&mut self, task: TaskId, cx: &mut CxOf<'_, Ideal>) {
        let inside = self.inside.entry(cx.task(task).skill).or_default();
        if self.capacity.is_some_and(|capacity| *inside >= capacity) {
            self.left[task.index()] = true;
            return cx.end(task, Ending::Rejected);
        }
        *inside += 1;
        cx.note(Fact::Queued(task));
        self.queue(task, cx);
        self.dispatch(cx);
    }

    fn queue(&mut self, task: TaskId, cx: &CxOf<'_, Ideal>) {
        let card = cx.task(task);
        self.waiting.push(task, card.skill, card.priority);
    }

    /// Gives tasks away as long as somebody can take one.
    fn dispatch(&mut self, cx: &mut CxOf<'_, Ideal>) {
        while let Some(task) = self.waiting.next(|skill| self.team.any(skill), || cx.rng()) {
            if !self.left[task.index()] {
                let skill = cx.task(task).skill;
                let node = self.team.choose(skill, || cx.rng()).expect("somebody can take it");
                self.give(node, task, cx);
            }
        }
    }

    fn give(&mut self, node: NodeId, task: TaskId, cx: &mut CxOf<'_, Ideal>) {
        self.team.give(node, task);
        cx.note(Fact::Decided { task, to: node });
        cx.send(node, Msg::Assign(task));
    }

    /// `task` left the system; says whether it had not before.
    fn leaves(&mut self, task: TaskId, cx: &CxOf<'_, Ideal>) -> bool {
        let first = !std::mem::replace(&mut self.left[task.index()], true);
        if first && let Some(inside) = self.inside.get_mut(&cx.task(task).skill) {
            *inside -= 1;
        }
        first
    }

    /// `node` has one task less. If it gave the task back by crashing, nothing changes.
    fn released(&mut self, node: NodeId, task: TaskId, cx: &mut CxOf<'_, Ideal>) {
        if self.team.take(node, task) && self.team.is_up(node) {
            if self.team.hand(node).is_empty() {
                self.steal(node, cx);
            }
            self.look(node, cx);
        }
        self.dispatch(cx);
    }

    /// `thief` has nothing to do and takes the task that has waited longest from the first agent it finds
    /// with enough of them.
    fn steal(&mut self, thief: NodeId, cx: &mut CxOf<'_, Ideal>) {
        let Some(Steal { probes, at_least }) = self.steal else { return };
        let mut rng = cx.rng();
        for _ in 0..probes {
            let Some(victim) = self.team.other(thief, &mut rng) else { return };
            if self.team.hand(victim).len() >= at_least as usize
                && let Some(task) = self.team.waits_at(victim)
            {
                self.team.take(victim, task);
                cx.send(victim, Msg::Withdraw(task));
                return self.give(thief, task, cx);
            }
        }
    }

    /// Under `poll`: `node`, which is up, takes a task if one waits, and else comes again.
    fn look(&mut self, node: NodeId, cx: &mut CxOf<'_, Ideal>) {
        let Some(interval) = &self.poll else { return };
        let interval = interval.clone();
        self.team.set_looks(node, true);
        self.dispatch(cx);
        self.team.set_looks(node, false);
        if self.team.hand(node).is_empty() {
            let lapses = self.lapses[node.index()];
            let wait = interval.sample_span(&mut cx.rng()).max(SHORTEST_LOOK);
            cx.set_timer(wait, Then::Look { node, lapses });
        }
    }

    /// `task` leaves unanswered. One that waits in an agent's own queue is taken from there; what a central
    /// queue has given out is being worked on, and ends as it ends.
    fn expired(&mut self, task: TaskId, cx: &mut CxOf<'_, Ideal>) {
        if !self.leaves(task, cx) {
            return;
        }
        let card = cx.task(task);
        self.waiting.remove(task, card.skill, card.priority);
        if let Some(node) = self.team.queue_of(task) {
            cx.send(node, Msg::Withdraw(task));
            self.released(node, task, cx);
        }
    }

    fn status(&mut self, node: NodeId, status: Status, cx: &mut CxOf<'_, Ideal>) {
        self.team.set_up(node, status == Status::Up);
        match status {
            Status::Up => {
                if self.team.hand(node).is_empty() {
                    self.look(node, cx);
                }
            }
            // A paused agent keeps its tasks; one that crashed gives them back.
            Status::Frozen => self.lapses[node.index()] += 1,
            Status::Lost => {
                self.lapses[node.index()] += 1;
                for task in self.team.take_all(node) {
                    cx.note(Fact::Queued(task));
                    self.queue(task, cx);
                }
            }
        }
        self.dispatch(cx);
    }
}

/// The oracle, or an agent that does as it is told.
#[derive(Debug)]
pub struct Ideal {
    oracle: Option<Box<Oracle>>,
    seat: NodeId,
    /// What an agent holds.
    executions: VecDeque<(TaskId, ExecutionId)>,
}

impl Ideal {
    fn oracle(&mut self) -> &mut Oracle {
        self.oracle.as_mut().expect("only the oracle is told")
    }
    fn forget(&mut self, task: TaskId) -> Option<ExecutionId> {
        let place = self.executions.iter().position(|(other, _)| *other == task)?;
        self.executions.remove(place).map(|(_, execution)| execution)
    }
}

impl Protocol for Ideal {
    const NAME: &'static str = "ideal";
    const ABOUT: &'static str = "reference: an oracle assigns at once and for nothing (M/G/c)";
    const GIVES_UP: &'static [Promise] = &[];
    const ORACLE: bool = true;
    type Params = Params;
    type Msg = Msg;
    type Timer = Then;

    fn check(params: &Params, fleet: &Fleet) -> Result<(), Problems> {
        let mut problems = params.problems();
        let in_order = |node| fleet.profile(node).is_none_or(|agent| agent.discipline == Discipline::Fifo);
        if params.steal.is_some() && !fleet.present().all(in_order) {
            let message = "which task of an agent waits is known only where they are served in order";
            problems.push(Problem::new(message).key("steal").remedy("delete it, or let agents be \"fifo\""));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
    fn seats(_: &Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Params, fleet: &Fleet, _: &Seats, _: Submission) -> NodeId {
        fleet.client(0)
    }
    fn sit(params: &Params, seat: &Seat<'_>) -> Ideal {
        let first = seat.fleet.client(0);
        let oracle = (seat.node == first).then(|| Box::new(Oracle::new(params, seat)));
        Ideal { oracle, seat: first, executions: VecDeque::new() }
    }
    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        if let Some(oracle) = &mut self.oracle
            && oracle.poll.is_some()
        {
            cx.fleet().present().for_each(|node| oracle.look(node, cx));
        }
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        self.oracle().arrived(task, cx);
    }
    fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Self>) {
        match msg {
            Msg::Assign(task) => {
                let execution = cx.work(task, Then::Worked);
                self.executions.push_back((task, execution));
            }
            Msg::Withdraw(task) => {
                if let Some(execution) = self.forget(task) {
                    cx.abandon(execution);
                }
            }
            Msg::Result(output) => {
                let oracle = self.oracle();
                // An agent may finish in the very instant in which it crashes and its task is requeued.
                if oracle.leaves(output.task, cx) {
                    cx.settle(output.task, output);
                }
                oracle.released(from, output.task, cx);
            }
            Msg::Failed(task) => {
                let oracle = self.oracle();
                oracle.queue(task, cx);
                oracle.released(from, task, cx);
            }
        }
    }
    fn on_timer(&mut self, then: Then, cx: &mut CxOf<'_, Self>) {
        let Then::Look { node, lapses } = then else { return };
        let oracle = self.oracle();
        if oracle.lapses[node.index()] == lapses {
            oracle.look(node, cx);
        }
    }
    fn on_work(&mut self, done: Work, _: Then, cx: &mut CxOf<'_, Self>) {
        self.forget(done.task);
        match done.kind {
            WorkKind::Executed(output) => cx.send(self.seat, Msg::Result(output)),
            WorkKind::Hung => cx.send(self.seat, Msg::Failed(done.task)),
            WorkKind::Verified { .. } => unreachable!("the oracle needs no verification"),
        }
    }
    fn on_crash(&mut self) {
        self.executions.clear();
    }
    fn on_status(&mut self, node: NodeId, status: Status, cx: &mut CxOf<'_, Self>) {
        self.oracle().status(node, status, cx);
    }
    fn on_expired(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        self.oracle().expired(task, cx);
    }
}
