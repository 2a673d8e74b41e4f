//! Outputs under way: kept by their worker until the relay, or the requester that verifies them, has them.
//!
//! A parcel goes to its reviewer, if somebody is to verify it, and otherwise to the relay, again and again
//! until it is taken. It does not keep its worker from the next job.

use super::message::Msg;
use super::{Params, TRIES_PER_RELAY, Timer, next_relay, skill_of};
use crate::engine::Time;
use crate::relay::Fence;
use crate::sim::{Cx, TimerId};
use crate::trace::{ExecutionId, Fact, NodeId, Output, TaskId};

/// An output nobody has taken yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel {
    pub(super) output: Output,
    /// Where it is to be settled.
    pub(super) relay: NodeId,
    pub(super) requester: Option<NodeId>,
    pub(super) fence: Fence,
    /// Who is to verify it; the relay takes it as it is if nobody is.
    pub(super) reviewer: Option<NodeId>,
    /// When it was made.
    pub(super) since: Time,
    /// Prolongs the lease while it is under review.
    pub(super) renewal: Option<TimerId>,
}

/// A parcel of a worker that keeps it.
#[derive(Debug)]
pub(super) struct Kept {
    parcel: Parcel,
    tries: u32,
    /// Sends it again.
    patience: Option<TimerId>,
}

/// The parcels of one worker, at most one a task, with what it needs to send them.
#[derive(Debug)]
pub(super) struct Parcels<'a> {
    pub(super) params: &'a Params,
    pub(super) kept: &'a mut Vec<Kept>,
}

impl Parcels<'_> {
    pub(super) fn contains(&self, task: TaskId) -> bool {
        self.position(task).is_some()
    }

    fn position(&self, task: TaskId) -> Option<usize> {
        self.kept.iter().position(|kept| kept.parcel.output.task == task)
    }

    /// Sends a new parcel. `free`: whether the worker can take work; so in all that follows.
    pub(super) fn send(&mut self, parcel: Parcel, free: bool, cx: &mut Cx<'_, Msg, Timer>) {
        self.taken(parcel.output.task, cx);
        if self.kept.len() == self.kept.capacity() {
            // Nearly always there is one at a time, and there may be a million of these lists.
            self.kept.reserve_exact(self.kept.len().max(1));
        }
        self.kept.push(Kept { parcel, tries: 0, patience: None });
        self.hand_in(self.kept.len() - 1, free, cx);
    }

    /// Sends a parcel on its way, once more.
    fn hand_in(&mut self, index: usize, free: bool, cx: &mut Cx<'_, Msg, Timer>) {
        let Kept { parcel, tries, patience } = &mut self.kept[index];
        let unreviewed = parcel.reviewer.is_none();
        if unreviewed && *tries > 0 && tries.is_multiple_of(TRIES_PER_RELAY) {
            parcel.relay = next_relay(parcel.relay, self.params, cx.fleet());
        }
        // Without a review to wait for, nothing depends on the lease any more: the first result counts.
        for timer in [patience.take(), parcel.renewal.take_if(|_| unreviewed)].into_iter().flatten() {
            cx.cancel(timer);
        }
        let Parcel { output, relay, requester, fence, reviewer, .. } = *parcel;
        match reviewer {
            Some(reviewer) => cx.send(reviewer, Msg::Deliver { output, fence, at: relay }),
            None => cx.send(relay, Msg::Result { output, requester, free, skill: skill_of(cx) }),
        }
        let wait = self.params.patience(*tries, cx);
        *patience = Some(cx.set_timer(wait, Timer::Parcel(output.task)));
        *tries += 1;
    }

    /// Nobody took the parcel of `task` yet.
    pub(super) fn on_unanswered(&mut self, task: TaskId, free: bool, cx: &mut Cx<'_, Msg, Timer>) {
        let Some(index) = self.position(task) else { return };
        let parcel = self.kept[index].parcel;
        if parcel.reviewer.is_some() && cx.now().since(parcel.since) >= self.params.verify_timeout {
            self.on_no_review(task, free, cx);
        } else {
            self.hand_in(index, free, cx);
        }
    }

    /// The requester will not verify the output: the relay takes it as it is.
    pub(super) fn on_no_review(&mut self, task: TaskId, free: bool, cx: &mut Cx<'_, Msg, Timer>) {
        let Some(index) = self.position(task) else { return };
        if self.kept[index].parcel.reviewer.take().is_some() {
            cx.note(Fact::Named("unverified", 1));
            self.kept[index].tries = 0;
            self.hand_in(index, free, cx);
        }
    }

    /// The requester has checked an output: what follows is between it and the relay.
    pub(super) fn reviewed(&mut self, task: TaskId, execution: ExecutionId, cx: &mut Cx<'_, Msg, Timer>) {
        if self.kept.iter().any(|kept| kept.parcel.output.execution == execution) {
            self.taken(task, cx);
        }
    }

    /// Somebody has the output of `task`, or nobody wants it.
    pub(super) fn taken(&mut self, task: TaskId, cx: &mut Cx<'_, Msg, Timer>) {
        if let Some(index) = self.position(task) {
            let Kept { parcel, patience, .. } = self.kept.swap_remove(index);
            for timer in [patience, parcel.renewal].into_iter().flatten() {
                cx.cancel(timer);
            }
        }
    }

    /// Prolongs the lease of an output under review.
    pub(super) fn on_renewal(&mut self, task: TaskId, cx: &mut Cx<'_, Msg, Timer>) {
        let Some(index) = self.position(task) else { return };
        let parcel = &mut self.kept[index].parcel;
        cx.send(parcel.relay, Msg::Renew { task, fence: parcel.fence });
        parcel.renewal = Some(cx.set_timer(self.params.renewal(), Timer::Renew(task)));
    }
}
