//! The coordinator: a queue, a table of workers, a table of open tasks, and a journal of settled ones.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smallvec::SmallVec;

use super::message::DECIDE;
use super::{Hierarchical, Msg, Params, Timer};
use crate::engine::{Span, Time};
use crate::mechanism::{Heartbeats, Workers};
use crate::sim::{CxOf, Effort, Seat, TimerId};
use crate::trace::{Fact, NodeId, Output, Phase, Plane, SkillId, TaskId};

/// Where a coordinator has a task.
#[derive(Clone, Copy, Debug)]
struct Entry {
    worker: Option<NodeId>,
    unaccepted: Option<TimerId>,
    verifying: bool,
}

#[derive(Debug)]
pub(super) struct Coordinator {
    /// Open tasks it knows of.
    tasks: BTreeMap<TaskId, Entry>,
    /// Tasks without a worker, oldest first, by the skill they ask for.
    queues: BTreeMap<Option<SkillId>, VecDeque<(u64, TaskId)>>,
    queued: u64,
    workers: Workers,
    heartbeats: Heartbeats,
    /// Tasks of each worker.
    assigned: BTreeMap<NodeId, SmallVec<[TaskId; 2]>>,
    /// The journal of what was settled. Survives a crash.
    settled: BTreeSet<TaskId>,
    /// Whether this is a restart.
    rebuilding: bool,
    /// Its workers, as configured: whom to call when the roll is called.
    team: Vec<NodeId>,
}

impl Coordinator {
    pub(super) fn new(params: &Params, seat: &Seat<'_>) -> Coordinator {
        let seats = &seat.seats.authority;
        let mine = seats.iter().position(|&node| node == seat.node).expect("a coordinator has a seat");
        let team = seat.fleet.able(None).iter().copied().filter(|node| {
            seat.fleet.index_in_role(*node) as usize % seats.len() == mine && !seats.contains(node)
        });
        Coordinator {
            tasks: BTreeMap::new(),
            queues: BTreeMap::new(),
            queued: 0,
            workers: Workers::new(params.policy, Some(params.worker_queue)),
            heartbeats: Heartbeats::new(params.timeout),
            assigned: BTreeMap::new(),
            settled: BTreeSet::new(),
            rebuilding: false,
            team: team.collect(),
        }
    }

    pub(super) fn forget(&mut self, params: &Params) {
        self.tasks.clear();
        self.queues.clear();
        self.workers = Workers::new(params.policy, Some(params.worker_queue));
        self.heartbeats = Heartbeats::new(params.timeout);
        self.assigned.clear();
        self.rebuilding = true;
    }

    pub(super) fn start(&mut self, params: &Params, cx: &mut CxOf<'_, Hierarchical>) {
        let shard = cx.seats().authority.iter().position(|&node| node == cx.me());
        let shard = shard.expect("a coordinator has a seat") as u32;
        // Appointed for good: nobody else ever leads this shard.
        cx.note(Fact::Leads { shard, term: 0 });
        if self.rebuilding {
            for &worker in &self.team {
                cx.send(worker, Msg::RollCall);
            }
        }
        if !params.heartbeat.is_zero() {
            cx.set_timer(params.timeout, Timer::Sweep);
        }
    }

    /// A client submitted `task`.
    pub(super) fn take(&mut self, params: &Params, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        if self.settled.contains(&task) || self.tasks.contains_key(&task) {
            return;
        }
        self.tasks.insert(task, Entry { worker: None, unaccepted: None, verifying: false });
        match params.decide {
            Plane::Harness => self.enqueue(task, cx),
            Plane::Cognition => {
                cx.note(Fact::Queued(task));
                let effort = Effort::Like { kind: DECIDE, tokens: cx.task(task).context_tokens };
                cx.occupy(Plane::Cognition, Phase::Assignment, effort, Timer::Decided(task));
            }
        }
        self.dispatch(params, cx);
    }

    fn enqueue(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Queued(task));
        self.queued += 1;
        let entry = (self.queued, task);
        self.queues.entry(cx.task(task).skill).or_default().push_back(entry);
    }

    /// Puts a task whose worker is gone before all others: it has waited longest.
    fn enqueue_first(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        cx.note(Fact::Redelivered(task));
        cx.note(Fact::Queued(task));
        self.queues.entry(cx.task(task).skill).or_default().push_front((0, task));
    }

    /// Gives waiting tasks to workers while both exist.
    fn dispatch(&mut self, params: &Params, cx: &mut CxOf<'_, Hierarchical>) {
        loop {
            let next = self
                .queues
                .iter()
                .filter_map(|(&skill, queue)| Some((*queue.front()?, skill)))
                .filter(|&(_, skill)| self.workers.available(skill) > 0)
                .min();
            let Some(((_, task), skill)) = next else { return };
            self.queues.entry(skill).or_default().pop_front();
            // Settled meanwhile by a worker wrongly taken for dead.
            let Some(entry) = self.tasks.get_mut(&task) else { continue };
            let worker = self.workers.assign(skill, &mut cx.rng()).expect("one is available");
            entry.worker = Some(worker);
            self.assigned.entry(worker).or_default().push(task);
            cx.note(Fact::Decided { task, to: worker });
            cx.note(Fact::Claimed { task, holder: worker });
            cx.note(Fact::Leased { task, holder: worker, until: Time::MAX });
            cx.send(worker, Msg::Assign(task));
            if !params.assign_timeout.is_zero() {
                entry.unaccepted = Some(cx.set_timer(params.assign_timeout, Timer::Unaccepted(task)));
            }
        }
    }

    pub(super) fn hear(&mut self, params: &Params, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Hierarchical>) {
        if let Msg::Hello = msg {
            return self.hello(params, from, cx);
        }
        self.heartbeats.heard(cx.now(), from);
        if self.workers.outstanding(from).is_none() {
            // Taken for dead, or forgotten in a crash: it must say what it holds before it gets more.
            cx.send(from, Msg::RollCall);
        }
        match msg {
            Msg::Heartbeat => {}
            Msg::Accepted(task) => self.accepted(from, task, cx),
            Msg::Result(output) => self.result(params, from, output, cx),
            Msg::Failed(task) => {
                if self.take_back(from, task, cx) {
                    self.enqueue_first(task, cx);
                }
                self.dispatch(params, cx);
            }
            Msg::Holding(task) => self.holding(from, task, cx),
            Msg::Hello | Msg::Assign(_) | Msg::Received(_) | Msg::Cancel(_) | Msg::RollCall => {
                unreachable!("only workers are told this")
            }
        }
    }

    /// A worker registers. Whatever it had it no longer has; if it does, it says so right after.
    fn hello(&mut self, params: &Params, from: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        self.lose_worker(from, cx);
        self.heartbeats.heard(cx.now(), from);
        self.workers.join(from, cx.fleet().skill(from));
        self.dispatch(params, cx);
    }

    fn accepted(&mut self, from: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        let Some(entry) = self.tasks.get_mut(&task) else { return };
        if entry.worker == Some(from)
            && let Some(timer) = entry.unaccepted.take()
        {
            cx.cancel(timer);
        }
    }

    /// A worker that was forgotten, or taken for dead, reports a task.
    fn holding(&mut self, from: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        let taken =
            self.tasks.get(&task).is_some_and(|entry| entry.worker.is_some_and(|worker| worker != from));
        if taken || self.settled.contains(&task) {
            cx.send(from, Msg::Cancel(task));
            return;
        }
        let entry =
            self.tasks.entry(task).or_insert(Entry { worker: None, unaccepted: None, verifying: false });
        if entry.worker.replace(from).is_none() {
            self.workers.give(from);
            self.assigned.entry(from).or_default().push(task);
            cx.note(Fact::Claimed { task, holder: from });
            cx.note(Fact::Leased { task, holder: from, until: Time::MAX });
            let queue = self.queues.entry(cx.task(task).skill).or_default();
            queue.retain(|&(_, waiting)| waiting != task);
        }
    }

    fn result(&mut self, params: &Params, from: NodeId, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(from, Msg::Received(output.task));
        self.take_back(from, output.task, cx);
        if self.settled.contains(&output.task) {
            return self.dispatch(params, cx);
        }
        if params.verify {
            let entry = self.tasks.entry(output.task).or_insert(Entry {
                worker: None,
                unaccepted: None,
                verifying: false,
            });
            if !std::mem::replace(&mut entry.verifying, true) {
                cx.verify(output, Timer::Verified);
            }
        } else {
            self.settle(output, cx);
        }
        self.dispatch(params, cx);
    }

    pub(super) fn verified(
        &mut self,
        params: &Params,
        output: Output,
        passed: bool,
        cx: &mut CxOf<'_, Hierarchical>,
    ) {
        if self.settled.contains(&output.task) {
            return;
        }
        if passed {
            self.settle(output, cx);
        } else if let Some(entry) = self.tasks.get_mut(&output.task) {
            entry.verifying = false;
            if entry.worker.is_none() {
                self.enqueue_first(output.task, cx);
            }
        }
        self.dispatch(params, cx);
    }

    /// The first answer counts; whoever else is at it may stop.
    fn settle(&mut self, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        self.settled.insert(output.task);
        cx.settle(output.task, output);
        if let Some(worker) = self.tasks.get(&output.task).and_then(|entry| entry.worker) {
            self.take_back(worker, output.task, cx);
            cx.send(worker, Msg::Cancel(output.task));
        }
        self.tasks.remove(&output.task);
    }

    /// `worker` no longer has `task`. Says whether it had it and nobody has it now.
    fn take_back(&mut self, worker: NodeId, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) -> bool {
        let Some(entry) = self.tasks.get_mut(&task) else { return false };
        if entry.worker != Some(worker) {
            return false;
        }
        entry.worker = None;
        cx.note(Fact::Freed(task));
        if let Some(timer) = entry.unaccepted.take() {
            cx.cancel(timer);
        }
        self.workers.finish(worker);
        if let Some(tasks) = self.assigned.get_mut(&worker) {
            tasks.retain(|other| *other != task);
        }
        true
    }

    /// A worker is gone: its tasks are assigned again.
    fn lose_worker(&mut self, worker: NodeId, cx: &mut CxOf<'_, Hierarchical>) {
        for task in self.assigned.remove(&worker).unwrap_or_default() {
            if self.take_back(worker, task, cx) {
                self.enqueue_first(task, cx);
            }
        }
        self.workers.leave(worker);
        self.heartbeats.forget(worker);
    }

    pub(super) fn timer(&mut self, params: &Params, timer: Timer, cx: &mut CxOf<'_, Hierarchical>) {
        match timer {
            Timer::Sweep => {
                while let Some(worker) = self.heartbeats.expired(cx.now()) {
                    self.lose_worker(worker, cx);
                }
                self.dispatch(params, cx);
                let next = self.heartbeats.next_expiry();
                let wait = next.map_or(params.timeout, |at| at.saturating_since(cx.now()));
                // A burst of silence is one sweep, not one for each worker.
                cx.set_timer(wait.max(Span::from_millis(100)), Timer::Sweep);
            }
            Timer::Unaccepted(task) => {
                let Some(entry) = self.tasks.get_mut(&task) else { return };
                entry.unaccepted = None;
                if let Some(worker) = entry.worker {
                    // Nothing it is sent arrives: it gets no more until it is heard again.
                    self.lose_worker(worker, cx);
                }
                self.dispatch(params, cx);
            }
            Timer::Decided(task) => {
                if self.tasks.contains_key(&task) {
                    self.enqueue(task, cx);
                }
                self.dispatch(params, cx);
            }
            Timer::Heartbeat | Timer::Begin(_) | Timer::Worked | Timer::Repeat(_) | Timer::Verified => {
                unreachable!("coordinators set no such timer")
            }
        }
    }
}
