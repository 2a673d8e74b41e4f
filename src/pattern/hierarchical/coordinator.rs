//! The coordinator: a queue, a table of workers, a table of open tasks, and a journal of settled ones.

use super::message::DECIDE;
use super::{Hierarchical, Msg, Params, Timer};
use crate::engine::{Span, Time};
use crate::mechanism::{Assignments, Heartbeats, IdSet, Lines, Places, Slot, Workers};
use crate::sim::{CxOf, Effort, Seat, TimerId};
use crate::trace::{Fact, NodeId, Output, Phase, Plane, SkillId, TaskId};
use crate::work::Fleet;

/// What a coordinator notes about an open task.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    /// Fires if the worker does not accept it.
    unaccepted: Option<TimerId>,
    verifying: bool,
}

#[derive(Debug)]
pub(super) struct Coordinator {
    params: Params,
    /// Its place among the coordinators.
    shard: u32,
    /// Its workers, as configured.
    team: Places,
    /// Open tasks it knows of, and who has them. None of them is settled.
    open: Assignments<Open>,
    /// Tasks without a worker.
    lines: Lines,
    workers: Workers,
    heartbeats: Heartbeats,
    /// The journal of what was settled. Survives a crash.
    settled: IdSet,
    /// Whether this is a restart.
    rebuilding: bool,
}

impl Coordinator {
    pub(super) fn new(params: &Params, seat: &Seat<'_>) -> Coordinator {
        let seats = &seat.seats.authority;
        let mine = seats.iter().position(|&node| node == seat.node).expect("a coordinator has a seat");
        // Agent i belongs to coordinator i mod k. The first one is this far from agent 0.
        let team = Places::new(seat.fleet.agent(mine as u32), seats.len() as u32);
        Coordinator {
            params: *params,
            shard: mine as u32,
            team,
            open: Assignments::default(),
            lines: Lines::default(),
            workers: Workers::new(params.policy, Some(params.worker_queue)).among(team),
            heartbeats: Heartbeats::new(params.timeout).among(team),
            settled: IdSet::default(),
            rebuilding: false,
        }
    }

    pub(super) fn forget(&mut self) {
        let Coordinator { params, team, .. } = *self;
        self.open = Assignments::default();
        self.lines.clear();
        self.workers = Workers::new(params.policy, Some(params.worker_queue)).among(team);
        self.heartbeats = Heartbeats::new(params.timeout).among(team);
        self.rebuilding = true;
    }

    pub(super) fn start(&mut self, cx: &mut CxOf<'_, Hierarchical>) {
        // Appointed for good: nobody else ever leads this shard.
        cx.note(Fact::Leads { shard: self.shard, term: 0 });
        if self.rebuilding {
            let (fleet, seats) = (cx.fleet(), cx.seats());
            let places = self.shard..fleet.agents();
            for worker in places.step_by(seats.authority.len()).map(|index| fleet.agent(index)) {
                if is_present(fleet, worker) && !super::coordinates(worker, seats) {
                    cx.send(worker, Msg::RollCall);
                }
            }
        }
        if self.watches() {
            cx.set_timer(self.params.timeout, Timer::Sweep);
        }
    }

    /// Whether silence means anything.
    fn watches(&self) -> bool {
        !self.params.heartbeat.is_zero()
    }

    /// A client submitted `task`.
    pub(super) fn take(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        if self.settled.contains(task) {
            return;
        }
        let (slot, true) = self.open.open(task, Open::default()) else { return };
        let skill = cx.task(task).skill;
        match self.params.decide {
            // The rule when there is no backlog: it is next, and somebody can do it.
            Plane::Harness if self.lines.is_empty() && self.workers.available(skill) > 0 => {
                cx.note(Fact::Queued(task));
                return self.give(slot, task, skill, cx);
            }
            Plane::Harness => self.enqueue(task, cx),
            Plane::Cognition => {
                cx.note(Fact::Queued(task));
                let effort = Effort::Like { kind: DECIDE, tokens: cx.task(task).context_tokens };
                cx.occupy(Plane::Cognition, Phase::Assignment, effort, Timer::Decided(task));
            }
        }
        self.dispatch(cx);
    }

    fn enqueue(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Queued(task));
        self.lines.push(task, cx.task(task).skill);
    }

    /// Puts a task whose worker is gone before all others: it has waited longest.
    fn enqueue_first(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Redelivered(task));
        cx.note(Fact::Queued(task));
        self.lines.push_first(task, cx.task(task).skill);
    }

    /// Gives waiting tasks to workers while both exist.
    fn dispatch(&mut self, cx: &mut CxOf<'_, Hierarchical>) {
        while let Some((task, skill)) = self.lines.next(|skill| self.workers.available(skill) > 0) {
            // Settled meanwhile by a worker wrongly taken for dead, or reported by one that has it.
            let Some(slot) = self.open.find(task) else { continue };
            if self.open.worker(slot).is_some() {
                continue;
            }
            self.give(slot, task, skill, cx);
        }
    }

    /// Gives a task to one of the workers that can do `skill`, of which there is one.
    fn give(&mut self, slot: Slot, task: TaskId, skill: Option<SkillId>, cx: &mut CxOf<'_, Hierarchical>) {
        let worker = self.workers.assign(skill, &mut cx.rng()).expect("one is available");
        self.open.assign(slot, worker);
        cx.note(Fact::Decided { task, to: worker });
        self.claimed(task, worker, cx);
        cx.send(worker, Msg::Assign(task));
        if !self.params.assign_timeout.is_zero() {
            let timer = cx.set_timer(self.params.assign_timeout, Timer::Unaccepted(task));
            self.open.about(slot).unaccepted = Some(timer);
        }
    }

    /// `worker` has `task` until it is said to have it no more.
    fn claimed(&self, task: TaskId, worker: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Claimed { task, holder: worker });
        cx.note(Fact::Leased { task, holder: worker, until: Time::MAX });
    }

    pub(super) fn hear(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Hierarchical>) {
        if let Msg::Hello = msg {
            return self.hello(from, cx);
        }
        if self.watches() {
            self.heartbeats.heard(cx.now(), from);
        }
        if self.workers.outstanding(from).is_none() {
            // Taken for dead, or forgotten in a crash: it must say what it holds before it gets more.
            cx.send(from, Msg::RollCall);
        }
        match msg {
            Msg::Heartbeat => {}
            Msg::Accepted(task) => self.accepted(from, task, cx),
            Msg::Result(output) => self.result(from, output, cx),
            Msg::Failed(task) => {
                if let Some(slot) = self.open.find(task)
                    && self.take_back(from, slot, task, cx)
                {
                    self.enqueue_first(task, cx);
                }
                self.dispatch(cx);
            }
            Msg::Holding(task) => self.holding(from, task, cx),
            Msg::Hello | Msg::Assign(_) | Msg::Received(_) | Msg::Cancel(_) | Msg::RollCall => {
                unreachable!("only workers are told this")
            }
        }
    }

    /// A worker registers. Whatever it had it no longer has; if it does, it says so right after.
    fn hello(&mut self, from: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        self.lose_worker(from, cx);
        if self.watches() {
            self.heartbeats.heard(cx.now(), from);
        }
        self.workers.join(from, cx.fleet().skill(from));
        self.dispatch(cx);
    }

    fn accepted(&mut self, from: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        if let Some(slot) = self.open.find(task)
            && self.open.worker(slot) == Some(from)
            && let Some(timer) = self.open.about(slot).unaccepted.take()
        {
            cx.cancel(timer);
        }
    }

    /// A worker that was forgotten, or taken for dead, reports a task.
    fn holding(&mut self, from: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        if self.settled.contains(task) {
            return cx.send(from, Msg::Cancel(task));
        }
        let (slot, _) = self.open.open(task, Open::default());
        match self.open.worker(slot) {
            None => {
                self.workers.give(from);
                self.open.assign(slot, from);
                self.claimed(task, from, cx);
                self.lines.remove(task, cx.task(task).skill);
            }
            Some(worker) if worker == from => {}
            Some(_) => cx.send(from, Msg::Cancel(task)),
        }
    }

    fn result(&mut self, from: NodeId, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        let task = output.task;
        if !self.params.result_timeout.is_zero() {
            cx.send(from, Msg::Received(task));
        }
        let found = self.open.find(task);
        if let Some(slot) = found {
            self.take_back(from, slot, task, cx);
        }
        if found.is_some() || !self.settled.contains(task) {
            if self.params.verify {
                let (slot, _) = self.open.open(task, Open::default());
                if !std::mem::replace(&mut self.open.about(slot).verifying, true) {
                    cx.verify(output, Timer::Verified);
                }
            } else {
                self.settle(found, output, cx);
            }
        }
        self.dispatch(cx);
    }

    pub(super) fn verified(&mut self, output: Output, passed: bool, cx: &mut CxOf<'_, Hierarchical>) {
        if self.settled.contains(output.task) {
            return;
        }
        let found = self.open.find(output.task);
        if passed {
            self.settle(found, output, cx);
        } else if let Some(slot) = found {
            self.open.about(slot).verifying = false;
            if self.open.worker(slot).is_none() {
                self.enqueue_first(output.task, cx);
            }
        }
        self.dispatch(cx);
    }

    /// The first answer counts; whoever else is at it may stop.
    fn settle(&mut self, found: Option<Slot>, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        self.settled.insert(output.task);
        cx.settle(output.task, output);
        let Some(slot) = found else { return };
        if let Some(worker) = self.open.worker(slot) {
            self.take_back(worker, slot, output.task, cx);
            cx.send(worker, Msg::Cancel(output.task));
        }
        self.open.close(slot);
    }

    /// `worker` no longer has `task`. Says whether it had it and nobody has it now.
    fn take_back(
        &mut self,
        worker: NodeId,
        slot: Slot,
        task: TaskId,
        cx: &mut CxOf<'_, Hierarchical>,
    ) -> bool {
        if self.open.worker(slot) != Some(worker) {
            return false;
        }
        self.open.take_back(slot);
        cx.note(Fact::Freed(task));
        if let Some(timer) = self.open.about(slot).unaccepted.take() {
            cx.cancel(timer);
        }
        self.workers.finish(worker);
        true
    }

    /// A worker is gone: its tasks are assigned again.
    fn lose_worker(&mut self, worker: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        if self.workers.outstanding(worker) != Some(0) {
            for (slot, task) in self.open.of(worker) {
                self.take_back(worker, slot, task, cx);
                self.enqueue_first(task, cx);
            }
        }
        self.workers.leave(worker);
        self.heartbeats.forget(worker);
    }

    pub(super) fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        task.into_iter().for_each(|task| self.open.foresee(task));
        if self.watches() {
            from.into_iter().for_each(|worker| self.heartbeats.foresee(worker));
        }
    }

    pub(super) fn timer(&mut self, timer: Timer, cx: &mut CxOf<'_, Hierarchical>) {
        match timer {
            Timer::Sweep => {
                while let Some(worker) = self.heartbeats.expired(cx.now()) {
                    self.lose_worker(worker, cx);
                }
                self.dispatch(cx);
                let next = self.heartbeats.next_expiry();
                let wait = next.map_or(self.params.timeout, |at| at.saturating_since(cx.now()));
                // A burst of silence is one sweep, not one for each worker.
                cx.set_timer(wait.max(Span::from_millis(100)), Timer::Sweep);
            }
            Timer::Unaccepted(task) => {
                let Some(slot) = self.open.find(task) else { return };
                self.open.about(slot).unaccepted = None;
                if let Some(worker) = self.open.worker(slot) {
                    // Nothing it is sent arrives: it gets no more until it is heard again.
                    self.lose_worker(worker, cx);
                }
                self.dispatch(cx);
            }
            Timer::Decided(task) => {
                if self.open.find(task).is_some() {
                    self.enqueue(task, cx);
                }
                self.dispatch(cx);
            }
            Timer::Heartbeat | Timer::Begin(_) | Timer::Worked | Timer::Repeat | Timer::Verified => {
                unreachable!("coordinators set no such timer")
            }
        }
    }
}

fn is_present(fleet: &Fleet, agent: NodeId) -> bool {
    fleet.profile(agent).is_some_and(|profile| profile.present)
}
