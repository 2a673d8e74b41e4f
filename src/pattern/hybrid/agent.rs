//! An agent: requester of some tasks, worker on others, and what it hears goes to the one it concerns.

use std::sync::Arc;

use super::message::Msg;
use super::requester::Requester;
use super::worker::Worker;
use super::{Hybrid, Params, Timer};
use crate::sim::CxOf;
use crate::trace::NodeId;

/// An agent in its two roles. There may be a million: the parameters are kept once.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) params: Arc<Params>,
    pub(super) requester: Requester,
    pub(super) worker: Worker,
}

impl Agent {
    /// An agent that knows nothing yet.
    pub(super) fn new(params: Arc<Params>) -> Agent {
        let (requester, worker) = (Requester::new(Arc::clone(&params)), Worker::new(Arc::clone(&params)));
        Agent { params, requester, worker }
    }

    /// A message was handled.
    pub(super) fn hear(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Hybrid>) {
        let Agent { requester, worker, .. } = self;
        let free = worker.is_free();
        match msg {
            Msg::Posted { task, requester: first } => requester.posted(from, task, first, cx),
            Msg::Outcome { output } => requester.outcome(from, output.task, cx),
            Msg::Withdrawn { task } => requester.withdrawn(from, task, cx),
            Msg::Scope { task, at, .. } => requester.scope(from, task, at, cx),
            Msg::Deliver { output, fence, at } => requester.delivered(from, output, fence, at, cx),
            Msg::Reopened { task } => requester.confirmed(task),
            Msg::Offer { task, .. } => worker.offered(from, task, cx),
            Msg::Granted { task, fence, requester } => worker.granted(from, task, fence, requester, cx),
            Msg::Conflict { task } => worker.refused(from, task, cx),
            Msg::Gone { task } => worker.gone(from, task, cx),
            Msg::NotHeld { task } => worker.not_held(task, cx),
            // The time was spent reading it; the context follows.
            Msg::Agreed { .. } => {}
            Msg::Context { task } | Msg::Brief { task } => worker.on_context(task, cx),
            Msg::Unknown { task } => {
                worker.on_no_scope(task, cx);
                worker.parcels().on_no_review(task, free, cx);
            }
            Msg::Verdict { task, execution } => worker.parcels().reviewed(task, execution, cx),
            Msg::Resolved { task } => {
                worker.parcels().taken(task, cx);
                requester.confirmed(task);
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
        let Agent { requester, worker, .. } = self;
        let free = worker.is_free();
        match timer {
            Timer::Presence => worker.on_presence(cx),
            Timer::Claim(task) => worker.on_claim_unanswered(task, cx),
            Timer::Scope(task) => worker.on_no_scope(task, cx),
            Timer::Read(task) => worker.on_context(task, cx),
            Timer::Brief(task) => worker.on_brief_unanswered(task, cx),
            Timer::Renew(task) => worker.on_renewal(task, cx),
            Timer::Parcel(task) => worker.parcels().on_unanswered(task, free, cx),
            Timer::Post(task) => requester.on_repeat(task, cx),
            Timer::Withdraw(task) => requester.on_stray(task, cx),
            Timer::Verdict(task, execution) => requester.on_verdict_unconfirmed(task, execution, cx),
            Timer::Worked(_) | Timer::Checked(_) => unreachable!("work ends in on_work"),
            Timer::Lapse | Timer::Repeat(_) => unreachable!("this is for relays: {timer:?}"),
        }
    }
}
