//! An agent: requester of some tasks, worker on others, and what it hears goes to the one it concerns.

use std::sync::Arc;

use super::message::Msg;
use super::requester::{Requester, Requests};
use super::worker::Worker;
use super::{Hybrid, Params, Timer};
use crate::engine::prefetch;
use crate::sim::CxOf;
use crate::trace::NodeId;

/// An agent in its two roles. There may be a million: the parameters are kept once for all of
/// them, and each has one pointer to them.
#[derive(Debug)]
pub(super) struct Agent {
    requests: Requests,
    pub(super) worker: Worker,
}

impl Agent {
    /// An agent that knows nothing yet.
    pub(super) fn new(params: Arc<Params>) -> Agent {
        Agent { requests: Requests::default(), worker: Worker::new(params) }
    }

    /// What is left of it when it loses its memory.
    pub(super) fn wiped(&self) -> Agent {
        Agent::new(Arc::clone(&self.worker.params))
    }

    /// The agent as requester.
    pub(super) fn requester(&mut self) -> Requester<'_> {
        Requester { params: &self.worker.params, requests: &mut self.requests }
    }

    /// Asks for all of it.
    #[inline]
    pub(super) fn foresee(&self) {
        prefetch(&self.requests);
        self.worker.foresee();
    }

    /// A message was handled.
    pub(super) fn hear(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Hybrid>) {
        let free = self.worker.is_free();
        match msg {
            Msg::Posted { task, requester: first } => self.requester().posted(from, task, first, cx),
            Msg::Outcome { output } => self.requester().outcome(from, output.task, cx),
            Msg::Withdrawn { task } => self.requester().withdrawn(from, task, cx),
            Msg::Scope { task, at, .. } => self.requester().scope(from, task, at, cx),
            Msg::Deliver { output, fence, at } => self.requester().delivered(from, output, fence, at, cx),
            Msg::Reopened { task } => self.requester().confirmed(task),
            Msg::Offer { task, .. } => self.worker.offered(from, task, cx),
            Msg::Granted { task, fence, requester } => self.worker.granted(from, task, fence, requester, cx),
            Msg::Conflict { task } => self.worker.refused(from, task, cx),
            Msg::Gone { task } => self.worker.gone(from, task, cx),
            Msg::NotHeld { task } => self.worker.not_held(task, cx),
            // The time was spent reading it; the context follows.
            Msg::Agreed { .. } => {}
            Msg::Context { task } | Msg::Brief { task } => self.worker.on_context(task, cx),
            Msg::Unknown { task } => {
                self.worker.on_no_scope(task, cx);
                self.worker.parcels().on_no_review(task, free, cx);
            }
            Msg::Verdict { task, execution } => self.worker.parcels().reviewed(task, execution, cx),
            Msg::Resolved { task } => {
                self.worker.parcels().taken(task, cx);
                self.requester().confirmed(task);
            }
            Msg::Subscribe { .. }
            | Msg::Post { .. }
            | Msg::Claim { .. }
            | Msg::Renew { .. }
            | Msg::Release { .. }
            | Msg::AskBrief { .. }
            | Msg::Reject { .. }
            | Msg::Result { .. }
            | Msg::Withdraw { .. } => unreachable!("this is for relays: {msg:?}"),
        }
    }

    /// A timer fired.
    pub(super) fn remind(&mut self, timer: Timer, cx: &mut CxOf<'_, Hybrid>) {
        let free = self.worker.is_free();
        match timer {
            Timer::Presence => self.worker.on_presence(cx),
            Timer::Claim(task) => self.worker.on_claim_unanswered(task, cx),
            Timer::Scope(task) => self.worker.on_no_scope(task, cx),
            Timer::Read(task) => self.worker.on_context(task, cx),
            Timer::Brief(task) => self.worker.on_brief_unanswered(task, cx),
            Timer::Renew(task) => self.worker.on_renewal(task, cx),
            Timer::Parcel(task) => self.worker.parcels().on_unanswered(task, free, cx),
            Timer::Post(task) => self.requester().on_repeat(task, cx),
            Timer::Withdraw(task) => self.requester().on_stray(task, cx),
            Timer::Verdict(task, execution) => self.requester().on_verdict_unconfirmed(task, execution, cx),
            Timer::Worked(_) | Timer::Checked(_) => unreachable!("work ends in on_work"),
            Timer::Lapse | Timer::Repeat(_) => unreachable!("this is for relays: {timer:?}"),
        }
    }
}
