//! The contractor's side: bidding, taking awards, executing, handing results in.
//!
//! A bid reserves nothing. An agent that took other work after its bid declines the award, so that an
//! estimate is never silently wrong; the manager then turns to the next best.

use smallvec::SmallVec;

use super::message::{HANDOVER, Msg};
use super::{Agent, PeerToPeer, Timer};
use crate::engine::{Span, Time, prefetch};
use crate::mechanism::Table;
use crate::mechanism::contract_net::BidTerms;
use crate::sim::{CxOf, Effort, TimerId, Work, WorkKind};
use crate::trace::{ExecutionId, Fact, NodeId, Output, Phase, Plane, TaskId};

/// Bids that are remembered; the oldest makes room. Forgetting one only makes its award be declined
/// where the agent is not free.
const OFFERS: usize = 64;

/// What was true when an agent bid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    task: TaskId,
    manager: NodeId,
    load: u16,
}

/// How far a task is that this agent was awarded.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The context has not been read.
    AwaitsContext,
    /// In execution, or in line for it.
    Working(ExecutionId),
    /// Done; the manager has not said that it knows.
    Delivering { output: Output, tries: u32 },
}

/// A task that this agent was awarded.
#[derive(Clone, Copy, Debug)]
struct Duty {
    manager: NodeId,
    round: u16,
    stage: Stage,
    /// Awarded then; later, idle and without context since then.
    since: Time,
    timer: Option<TimerId>,
}

impl Duty {
    fn is_delivering(&self) -> bool {
        matches!(self.stage, Stage::Delivering { .. })
    }
}

/// The duties of one contractor. An agent that never had one has no desk.
#[derive(Debug, Default)]
pub(super) struct Duties(Option<Box<Desk>>);

#[derive(Debug, Default)]
struct Desk {
    open: Table<TaskId, Duty>,
    /// The task in execution, and since when.
    running: Option<TaskId>,
    since: Time,
    /// The tasks in line for execution.
    in_line: SmallVec<[TaskId; 4]>,
}

impl Duties {
    /// Asks for the desk.
    #[inline]
    pub(super) fn foresee(&self) {
        if let Some(desk) = &self.0 {
            prefetch(&desk.open);
            prefetch(&desk.running);
        }
    }

    pub(super) fn contains(&self, task: TaskId) -> bool {
        self.get(task).is_some()
    }
    fn get(&self, task: TaskId) -> Option<&Duty> {
        self.0.as_ref()?.open.get(task)
    }
    fn get_mut(&mut self, task: TaskId) -> Option<&mut Duty> {
        self.0.as_mut()?.open.get_mut(task)
    }
    fn set(&mut self, task: TaskId, duty: Duty) {
        self.0.get_or_insert_default().open.insert(task, duty);
    }
    fn take(&mut self, task: TaskId) -> Option<Duty> {
        self.0.as_mut()?.open.take(task)
    }
    /// The tasks that are not done, in no order.
    fn at_hand(&self) -> impl Iterator<Item = TaskId> {
        let all = self.0.iter().flat_map(|desk| desk.open.unordered());
        all.filter(|(_, duty)| !duty.is_delivering()).map(|(task, _)| task)
    }
    /// The task in execution, and since when.
    fn running(&self) -> Option<(TaskId, Time)> {
        let desk = self.0.as_ref()?;
        desk.running.map(|task| (task, desk.since))
    }
    /// `task` begins, unless one is in execution.
    fn begin(&mut self, task: TaskId, now: Time) {
        let desk = self.0.get_or_insert_default();
        match desk.running {
            None => (desk.running, desk.since) = (Some(task), now),
            Some(_) => desk.in_line.push(task),
        }
    }
    /// `task` needs the cognition no longer: the next in line begins.
    fn end(&mut self, task: TaskId, now: Time) {
        let Some(desk) = &mut self.0 else { return };
        if desk.running == Some(task) {
            let next = (!desk.in_line.is_empty()).then(|| desk.in_line.remove(0));
            (desk.running, desk.since) = (next, now);
        } else {
            desk.in_line.retain(|waiting| *waiting != task);
        }
    }
}

impl Agent {
    /// Tasks at hand: awarded, and not done.
    pub(super) fn load(&self) -> u16 {
        self.duties.at_hand().count().min(usize::from(u16::MAX)) as u16
    }

    /// The terms on which this agent would do `task`, if it has at most `most` tasks at hand.
    pub(super) fn offer(
        &mut self,
        manager: NodeId,
        task: TaskId,
        most: u16,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) -> Option<BidTerms> {
        let load = self.load();
        let skilled = cx.fleet().can(cx.me(), cx.task(task).skill);
        if !skilled || load > most || self.duties.contains(task) {
            return None;
        }
        if self.offers.len() == OFFERS {
            self.offers.remove(0);
        }
        self.offers.push(Offer { task, manager, load });
        let work = self.expected(task, cx);
        let mut queued: Span = self.duties.at_hand().map(|other| self.expected(other, cx)).sum();
        if let Some((running, since)) = self.duties.running() {
            // Of heavy-tailed work, what has outrun its estimate is expected to run on: count a quarter.
            let whole = self.expected(running, cx);
            let done = cx.now().since(since).min(whole.mul_f64(0.75));
            queued = queued.saturating_sub(done);
        }
        Some(BidTerms { queued, work, latency: Span::ZERO, skilled })
    }

    fn expected(&self, task: TaskId, cx: &CxOf<'_, PeerToPeer>) -> Span {
        cx.task(task).estimate.mul_f64(1.0 / cx.fleet().speed(cx.me()))
    }

    /// Takes the award of `task` unless the bid no longer holds. Says whether it did.
    pub(super) fn accept(
        &mut self,
        manager: NodeId,
        task: TaskId,
        round: u16,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) -> bool {
        let offered = self.forget_offer(manager, task).map_or(0, |offer| offer.load);
        if let Some(duty) = self.duties.get_mut(task) {
            duty.round = round;
            return duty.manager == manager; // The award was repeated, or another manager has the task too.
        }
        if self.load() > offered {
            return false;
        }
        cx.note(Fact::AwaitsContext { task, holder: cx.me() });
        // Who manages its own task reports to nobody.
        let remote = manager != cx.me();
        let timer = remote.then(|| cx.set_timer(self.params.progress_every, Timer::Duty { task }));
        let duty = Duty { manager, round, stage: Stage::AwaitsContext, since: cx.now(), timer };
        self.duties.set(task, duty);
        true
    }

    fn forget_offer(&mut self, manager: NodeId, task: TaskId) -> Option<Offer> {
        let at = self.offers.iter().position(|offer| (offer.manager, offer.task) == (manager, task))?;
        Some(self.offers.remove(at))
    }

    pub(super) fn called(
        &mut self,
        manager: NodeId,
        task: TaskId,
        round: u16,
        most: u16,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        self.finder.heard_of(&self.params, cx.now(), manager, cx.fleet());
        if let Some(duty) = self.duties.get(task).filter(|duty| duty.manager == manager) {
            // The manager believed this agent dead.
            return Self::report(task, duty, cx);
        }
        let answer = match self.offer(manager, task, most, cx) {
            Some(terms) => Msg::Bid { task, round, terms },
            None => Msg::Refuse { task, round },
        };
        cx.send(manager, answer);
    }

    fn report(task: TaskId, duty: &Duty, cx: &mut CxOf<'_, PeerToPeer>) {
        let message = match duty.stage {
            Stage::AwaitsContext => Msg::Progress { task, waiting: true },
            Stage::Working(_) => Msg::Progress { task, waiting: false },
            Stage::Delivering { output, .. } => Msg::Outcome(output),
        };
        cx.send(duty.manager, message);
    }

    pub(super) fn awarded(
        &mut self,
        manager: NodeId,
        task: TaskId,
        round: u16,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        let accepted = self.accept(manager, task, round, cx);
        let answer = if accepted { Msg::Confirm { task, round } } else { Msg::Decline { task, round } };
        cx.send(manager, answer);
    }

    pub(super) fn rejected(
        &mut self,
        manager: NodeId,
        task: TaskId,
        round: u16,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        self.forget_offer(manager, task);
        if self.duties.get(task).is_some_and(|duty| duty.manager == manager && duty.round == round) {
            self.drop_duty(task, cx);
        }
    }

    pub(super) fn cancelled(&mut self, manager: NodeId, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        if self.duties.get(task).is_some_and(|duty| duty.manager == manager) {
            self.drop_duty(task, cx);
        }
    }

    /// Works no longer at `task`. An output that exists is still handed in: it may be the first.
    pub(super) fn drop_duty(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(duty) = self.duties.get(task).copied() else { return };
        match duty.stage {
            Stage::Delivering { .. } => return,
            Stage::Working(execution) => {
                cx.abandon(execution);
                self.duties.end(task, cx.now());
            }
            Stage::AwaitsContext => {}
        }
        self.release(task, cx);
    }

    fn release(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        if let Some(timer) = self.duties.take(task).and_then(|duty| duty.timer) {
            cx.cancel(timer);
        }
    }

    /// The context of a task that this agent manages itself is read like any other.
    pub(super) fn read_own_context(&self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let effort = Effort::Like { kind: HANDOVER, tokens: cx.task(task).context_tokens };
        cx.occupy(Plane::Cognition, Phase::Context, effort, Timer::ContextRead { task });
    }

    /// The context of `task` was read: it is in line for execution.
    pub(super) fn context_read(
        &mut self,
        manager: NodeId,
        task: TaskId,
        round: u16,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        let Some(duty) = self.duties.get_mut(task).filter(|duty| duty.manager == manager) else {
            // Given up for want of it, or lost in a crash.
            if manager != cx.me() {
                cx.send(manager, Msg::Decline { task, round });
            }
            return;
        };
        match duty.stage {
            Stage::AwaitsContext => {
                cx.note(Fact::Claimed { task, holder: cx.me() });
                duty.stage = Stage::Working(cx.work(task, Timer::Executed { task }));
                self.duties.begin(task, cx.now());
            }
            // Sent twice.
            Stage::Working(_) | Stage::Delivering { .. } => {}
        }
    }

    pub(super) fn executed(&mut self, done: Work, cx: &mut CxOf<'_, PeerToPeer>) {
        let task = done.task;
        self.duties.end(task, cx.now());
        let Some(duty) = self.duties.get(task).copied() else { return };
        let remote = duty.manager != cx.me();
        match done.kind {
            WorkKind::Executed(output) if remote => {
                cx.send(duty.manager, Msg::Outcome(output));
                let stage = Stage::Delivering { output, tries: 1 };
                self.rearm_duty(task, Duty { stage, ..duty }, self.params.answer_timeout, cx);
            }
            WorkKind::Executed(output) => {
                self.release(task, cx);
                self.settle(output, cx.me(), cx);
            }
            // The watchdog killed it.
            WorkKind::Hung => {
                self.release(task, cx);
                if remote {
                    cx.send(duty.manager, Msg::Decline { task, round: duty.round });
                } else {
                    self.holder_gone(task, cx.me(), cx);
                }
            }
            WorkKind::Verified { .. } => unreachable!("this pattern verifies nothing"),
        }
    }

    fn rearm_duty(&mut self, task: TaskId, mut duty: Duty, wait: Span, cx: &mut CxOf<'_, PeerToPeer>) {
        if let Some(timer) = duty.timer {
            cx.cancel(timer);
        }
        duty.timer = Some(cx.set_timer(wait, Timer::Duty { task }));
        self.duties.set(task, duty);
    }

    /// The manager has the result.
    pub(super) fn delivered(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        if self.duties.get(task).is_some_and(Duty::is_delivering) {
            self.release(task, cx);
        }
    }

    /// Time to tell the manager of `task` something.
    pub(super) fn duty_due(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(mut duty) = self.duties.get(task).copied() else { return };
        match duty.stage {
            Stage::Delivering { output, tries } if tries >= self.params.result_tries => {
                // The manager is gone. Better settled twice than not at all.
                self.release(task, cx);
                cx.settle(task, output);
            }
            Stage::Delivering { output, tries } => {
                cx.send(duty.manager, Msg::Outcome(output));
                let wait = self.params.answer_timeout + self.params.retry().delay(tries, &mut cx.rng());
                duty.stage = Stage::Delivering { output, tries: tries + 1 };
                self.rearm_duty(task, duty, wait, cx);
            }
            Stage::AwaitsContext | Stage::Working(_) => {
                if self.duties.running().is_some() {
                    duty.since = cx.now(); // The context may be in the inbox, behind the task in execution.
                }
                let idle = cx.now().since(duty.since);
                if matches!(duty.stage, Stage::AwaitsContext) && idle > self.params.silence {
                    self.release(task, cx);
                    return cx.send(duty.manager, Msg::Decline { task, round: duty.round });
                }
                Self::report(task, &duty, cx);
                self.rearm_duty(task, duty, self.params.progress_every, cx);
            }
        }
    }
}
