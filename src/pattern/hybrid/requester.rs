//! An agent as requester: post, explain, verify, and know when it is done.
//!
//! A request is kept until its outcome is known. Until the relay has the post it is repeated, at the
//! next relay after [`TRIES_PER_RELAY`] tries; from then on it is repeated now and then, which asks for an
//! outcome whose notice was lost and restores what a relay with volatile memory forgot.
//!
//! A relay that did not answer may have the post all the same (a *stray*): it is told to drop it until it
//! answers, and whoever won the task there is told the same. A task that somebody works on is not posted
//! elsewhere for want of its relay: the worker finds another relay for its result by itself.

use smallvec::SmallVec;

use super::message::Msg;
use super::{Params, TRIES_PER_RELAY, Timer, next_relay, skill_of};
use crate::mechanism::Table;
use crate::mechanism::hash::partition;
use crate::relay::Fence;
use crate::sim::{Cx, TimerId, Work, WorkKind};
use crate::trace::{ExecutionId, Fact, NodeId, Output, TaskId};

type HybridCx<'a> = Cx<'a, Msg, Timer>;

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Not yet on a relay's book; this is the number of repetitions.
    Posting(u32),
    /// On the book.
    Posted,
    /// Answered; kept for the sake of strays.
    Done,
}

/// An output being verified, or whose verdict the relay has not confirmed.
#[derive(Clone, Copy, Debug)]
struct Review {
    output: Output,
    holder: NodeId,
    fence: Fence,
    at: NodeId,
    /// The verdict, once there is one.
    passed: Option<bool>,
    tries: u32,
}

/// A task that was submitted here, until its outcome is known.
#[derive(Debug)]
pub(super) struct Request {
    relay: NodeId,
    progress: Progress,
    /// Repeats the post.
    repeat: TimerId,
    strays: SmallVec<[NodeId; 2]>,
    /// Times the strays were told, while a timer is set to tell them again.
    told: Option<u32>,
    /// Whether I agreed with somebody who works on it, so that it need not be posted elsewhere.
    agreed: bool,
    review: Option<Review>,
    /// The last execution whose output failed.
    rejected: Option<ExecutionId>,
}

/// What one agent knows as requester.
pub(super) type Requests = Table<TaskId, Request>;

/// The same with what it needs to act.
#[derive(Debug)]
pub(super) struct Requester<'a> {
    pub(super) params: &'a Params,
    pub(super) requests: &'a mut Requests,
}

impl Requester<'_> {
    /// A client submitted `task` to me.
    pub(super) fn on_task(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        if self.requests.contains(task) {
            return;
        }
        cx.note(Fact::Queued(task));
        let relay = cx.fleet().relay(partition(task, cx.fleet().relays()));
        cx.send(relay, Msg::Post { task });
        let patience = self.params.patience(0, cx);
        let repeat = cx.set_timer(patience, Timer::Post(task));
        self.requests.insert(task, Request::new(relay, repeat));
    }

    /// No answer to a post, or time to ask again.
    pub(super) fn on_repeat(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        let Some(request) = self.requests.get_mut(task) else { return };
        let tries = match request.progress {
            Progress::Posting(tries) => tries + 1,
            Progress::Posted | Progress::Done => 0,
        };
        if request.progress == Progress::Done {
            return; // Only strays keep it.
        }
        if tries > 0 && tries.is_multiple_of(TRIES_PER_RELAY) && !request.agreed {
            request.move_to(next_relay(request.relay, self.params, cx.fleet()));
        }
        request.progress = Progress::Posting(tries);
        cx.send(request.relay, Msg::Post { task });
        let patience = self.params.patience(tries, cx);
        request.repeat = cx.set_timer(patience, Timer::Post(task));
    }

    /// Tells strays again, until they answer.
    pub(super) fn on_stray(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        if let Some(request) = self.requests.get_mut(task) {
            let told = request.told.take().unwrap_or_default();
            request.withdraw_strays(self.params, task, told, cx);
        }
    }

    /// `relay` has the post, as `requester`'s.
    pub(super) fn posted(&mut self, relay: NodeId, task: TaskId, requester: NodeId, cx: &mut HybridCx<'_>) {
        let Some(request) = self.requests.get_mut(task) else { return };
        if !matches!(request.progress, Progress::Posting(_)) {
            if relay != request.relay {
                cx.send(relay, Msg::Withdraw { task });
            }
            return;
        }
        if requester != cx.me() {
            // The client had submitted it elsewhere before, and it is that requester's to follow up.
            self.forget(task, cx);
            return;
        }
        // It may be one I had given up on; the one I asked since may have the post too.
        request.move_to(relay);
        request.progress = Progress::Posted;
        cx.cancel(request.repeat);
        request.repeat = cx.set_timer(self.params.watch, Timer::Post(task));
        request.withdraw_strays(self.params, task, 0, cx);
    }

    /// `task` is done, says `relay`.
    pub(super) fn outcome(&mut self, relay: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        let Some(request) = self.requests.get_mut(task) else { return };
        request.move_to(relay);
        if request.strays.is_empty() {
            return self.forget(task, cx);
        }
        request.progress = Progress::Done;
        cx.cancel(request.repeat);
        request.withdraw_strays(self.params, task, 0, cx);
    }

    /// `relay` dropped the post.
    pub(super) fn withdrawn(&mut self, relay: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        let Some(request) = self.requests.get_mut(task) else { return };
        request.strays.retain(|stray| *stray != relay);
        if request.strays.is_empty() && request.progress == Progress::Done {
            self.forget(task, cx);
        }
    }

    /// `winner`, granted the task by relay `at`, wants to agree on it.
    pub(super) fn scope(&mut self, winner: NodeId, task: TaskId, at: NodeId, cx: &mut HybridCx<'_>) {
        match self.requests.get_mut(task) {
            None => cx.send(winner, Msg::Unknown { task }),
            Some(request) if request.has_moved_from(at) => {
                cx.send(winner, Msg::Gone { task });
                cx.send(at, Msg::Withdraw { task });
            }
            Some(request) => {
                request.agreed = true;
                cx.send(winner, Msg::Agreed { task, tokens: self.params.scope_tokens });
                cx.send(winner, Msg::Context { task });
            }
        }
    }

    /// `holder` has an output for me to verify.
    pub(super) fn delivered(
        &mut self,
        holder: NodeId,
        output: Output,
        fence: Fence,
        at: NodeId,
        cx: &mut HybridCx<'_>,
    ) {
        let (task, execution) = (output.task, output.execution);
        let Some(request) = self.requests.get_mut(task) else {
            return cx.send(holder, Msg::Unknown { task });
        };
        if request.has_moved_from(at) {
            return cx.send(holder, Msg::Gone { task });
        }
        let known = request.review.filter(|review| review.output.execution == execution);
        if request.rejected == Some(execution) || known.is_some_and(|review| review.passed.is_some()) {
            cx.send(holder, Msg::Verdict { task, execution });
        } else if request.review.is_none() {
            request.review = Some(Review { output, holder, fence, at, passed: None, tries: 0 });
            cx.verify(output, Timer::Checked(task));
        }
    }

    /// A verification ended.
    pub(super) fn on_work(&mut self, done: Work, cx: &mut HybridCx<'_>) {
        let WorkKind::Verified { passed, .. } = done.kind else {
            unreachable!("executions are the worker's");
        };
        let Some(request) = self.requests.get_mut(done.task) else { return };
        let Some(review) = &mut request.review else { return };
        if review.output.execution != done.execution {
            return;
        }
        review.passed = Some(passed);
        if !passed {
            request.rejected = Some(done.execution);
            request.agreed = false;
        }
        cx.send(review.holder, Msg::Verdict { task: done.task, execution: done.execution });
        self.on_verdict_unconfirmed(done.task, done.execution, cx);
    }

    /// Tells the relay of a verdict, once more.
    pub(super) fn on_verdict_unconfirmed(
        &mut self,
        task: TaskId,
        execution: ExecutionId,
        cx: &mut HybridCx<'_>,
    ) {
        let Some(request) = self.requests.get_mut(task) else { return };
        let Some(review) = &mut request.review else { return };
        if review.output.execution != execution {
            return;
        }
        let Review { output, holder, fence, at, .. } = *review;
        match review.passed {
            None => return,
            Some(true) => {
                let skill = skill_of(cx);
                if review.tries > 0 && review.tries.is_multiple_of(TRIES_PER_RELAY) {
                    review.at = next_relay(at, self.params, cx.fleet());
                }
                let at = review.at;
                cx.send(at, Msg::Result { output, requester: Some(cx.me()), free: false, skill });
            }
            Some(false) => cx.send(at, Msg::Reject { task, holder, fence }),
        }
        let patience = self.params.patience(review.tries, cx);
        cx.set_timer(patience, Timer::Verdict(task, output.execution));
        review.tries += 1;
    }

    /// The relay acted on my verdict.
    pub(super) fn confirmed(&mut self, task: TaskId) {
        if let Some(request) = self.requests.get_mut(task) {
            request.review = request.review.filter(|review| review.passed.is_none());
        }
    }

    fn forget(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        if let Some(request) = self.requests.take(task) {
            cx.cancel(request.repeat);
        }
    }
}

impl Request {
    fn new(relay: NodeId, repeat: TimerId) -> Request {
        let (progress, strays) = (Progress::Posting(0), SmallVec::new());
        Request { relay, progress, repeat, strays, told: None, agreed: false, review: None, rejected: None }
    }

    /// From now on `relay` is the one that counts; the one before may still have the post.
    fn move_to(&mut self, relay: NodeId) {
        let before = std::mem::replace(&mut self.relay, relay);
        self.strays.retain(|stray| *stray != relay);
        if before != relay {
            self.strays.push(before);
        }
    }

    fn withdraw_strays(&mut self, params: &Params, task: TaskId, told: u32, cx: &mut HybridCx<'_>) {
        if self.strays.is_empty() || self.told.is_some() {
            return;
        }
        for &stray in &self.strays {
            cx.send(stray, Msg::Withdraw { task });
        }
        let patience = params.patience(told, cx);
        cx.set_timer(patience, Timer::Withdraw(task));
        self.told = Some(told + 1);
    }

    /// Whether who was granted the task by relay `at` comes in vain.
    fn has_moved_from(&self, at: NodeId) -> bool {
        match self.progress {
            Progress::Done => true,
            Progress::Posted => self.relay != at,
            Progress::Posting(_) => false,
        }
    }
}
