//! An agent as worker: claim, agree, read, execute, hand in.
//!
//! ```text
//!            granted             context, or the relay's copy
//! claiming ─────────▶ scoping ──────────────────────────────▶ working ──▶ parcel ──▶ (gone)
//!    │ conflict         │ requester silent     ▲                │ output    until acknowledged
//!    ▼                  └──▶ asking the relay ─┘                │
//!  (free)                                                       └ lease lost to another: abandoned
//! ```
//!
//! At most one job at a time: whoever claims, prepares or executes is not free. Outputs under way are
//! parcels, kept until somebody takes them, and do not keep their worker from the next job.

use std::sync::Arc;

use smallvec::SmallVec;

use super::message::{CONTEXT, Msg};
use super::parcels::{Kept, Parcel, Parcels};
use super::{Params, Timer, skill_of};
use crate::engine::prefetch;
use crate::pattern::homes::Homes;
use crate::relay::Fence;
use crate::sim::{Cx, Effort, TimerId, Work, WorkKind};
use crate::trace::{ExecutionId, Fact, NodeId, Output, Phase, Plane, TaskId};

type HybridCx<'a> = Cx<'a, Msg, Timer>;

/// Offers remembered while a claim is under way; more would be stale before their turn comes.
const REMEMBERED: usize = 4;
/// Claims sent for one offer before it is given up.
const CLAIM_TRIES: u32 = 4;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Asked the relay for it; this is the number of repetitions.
    Claiming(u32),
    /// Asked the requester about it.
    Scoping,
    /// Asks the relay for its copy of the brief; this is the number of repetitions.
    Asking(u32),
    /// My own post: I read what I would have handed over.
    Reading,
    /// Executes it.
    Working(ExecutionId),
}

/// The task this agent is about.
#[derive(Clone, Copy, Debug)]
struct Job {
    task: TaskId,
    relay: NodeId,
    requester: Option<NodeId>,
    /// My grant, once there is one.
    fence: Option<Fence>,
    stage: Stage,
    /// Gives up waiting for an answer.
    patience: Option<TimerId>,
    /// Prolongs the lease.
    renewal: Option<TimerId>,
}

/// What one agent knows as worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) params: Arc<Params>,
    job: Option<Job>,
    offers: SmallVec<[(NodeId, TaskId); REMEMBERED]>,
    parcels: Vec<Kept>,
}

impl Worker {
    pub(super) fn new(params: Arc<Params>) -> Worker {
        Worker { params, job: None, offers: SmallVec::new(), parcels: Vec::new() }
    }

    /// Asks for all of it.
    #[inline]
    pub(super) fn foresee(&self) {
        prefetch(&self.params);
        prefetch(&self.job);
        prefetch(&self.offers);
        prefetch(&self.parcels);
    }

    pub(super) fn on_start(&mut self, cx: &mut HybridCx<'_>) {
        self.subscribe(None, cx);
        // The first refresh comes after a random part of the period, so that a fleet that starts at once
        // does not refresh at once for ever.
        let first = self.params.presence.mul_f64(cx.rng().uniform());
        cx.set_timer(first, Timer::Presence);
    }

    /// Tells again that I am there while I am free; who is busy renews its lease instead.
    pub(super) fn on_presence(&mut self, cx: &mut HybridCx<'_>) {
        if self.job.is_none() {
            self.subscribe(None, cx);
        }
        cx.set_timer(self.params.presence, Timer::Presence);
    }

    /// A relay offers `task`.
    pub(super) fn offered(&mut self, relay: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        match self.job {
            None => self.claim(relay, task, cx),
            Some(Job { stage: Stage::Claiming(_), task: current, .. }) => {
                let known = current == task || self.offers.contains(&(relay, task));
                if !known && self.offers.len() < REMEMBERED {
                    self.offers.push((relay, task));
                }
            }
            // The relay has an old view of me; who is busy lets the offer pass.
            Some(_) => {}
        }
    }

    fn claim(&mut self, relay: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        cx.send(relay, Msg::Claim { task });
        let patience = self.params.patience(0, cx);
        let patience = Some(cx.set_timer(patience, Timer::Claim(task)));
        let stage = Stage::Claiming(0);
        self.job = Some(Job { task, relay, requester: None, fence: None, stage, patience, renewal: None });
    }

    /// The relay did not answer a claim.
    pub(super) fn on_claim_unanswered(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        let Some(job) = self.job.as_mut().filter(|job| job.task == task) else { return };
        let Stage::Claiming(tries) = job.stage else { return };
        if tries + 1 >= CLAIM_TRIES {
            return self.leave_job(cx);
        }
        job.stage = Stage::Claiming(tries + 1);
        cx.send(job.relay, Msg::Claim { task });
        let patience = self.params.patience(tries + 1, cx);
        job.patience = Some(cx.set_timer(patience, Timer::Claim(task)));
    }

    /// `task` is mine.
    pub(super) fn granted(
        &mut self,
        relay: NodeId,
        task: TaskId,
        fence: Fence,
        requester: Option<NodeId>,
        cx: &mut HybridCx<'_>,
    ) {
        if self.parcels().contains(task) {
            return; // An answer to a repeated claim, overtaken by the work itself.
        }
        match &mut self.job {
            Some(job) if job.task == task && job.relay == relay => {
                let first = job.fence.replace(fence).is_none();
                job.requester = job.requester.or(requester);
                if first {
                    self.begin(cx);
                }
            }
            Some(_) => cx.send(relay, Msg::Release { task, fence }),
            // I had given up hope.
            None => {
                let stage = Stage::Claiming(0);
                let fence = Some(fence);
                let (patience, renewal) = (None, None);
                self.job = Some(Job { task, relay, requester, fence, stage, patience, renewal });
                self.begin(cx);
            }
        }
    }

    /// Somebody else holds `task`, says `relay`.
    pub(super) fn refused(&mut self, relay: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        if let Some(job) = self.job.filter(|job| job.task == task && job.relay == relay) {
            if job.fence.is_some() {
                cx.note(Fact::Stale(task)); // My lease ran out, and another has the task by now.
            }
            self.leave_job(cx);
        }
    }

    /// `task` is done or no longer wanted, says its relay or its requester.
    pub(super) fn gone(&mut self, from: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        self.parcels().taken(task, cx);
        let about = |job: Job| job.task == task && (job.relay == from || job.requester == Some(from));
        if self.job.is_some_and(about) {
            cx.note(Fact::Stale(task));
            self.leave_job(cx);
        }
    }

    /// The relay says that my lease is over. If nobody else took the task, I go on.
    pub(super) fn not_held(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        if let Some(job) = self.job.filter(|job| job.task == task && job.fence.is_some()) {
            cx.send(job.relay, Msg::Claim { task });
        }
    }

    /// The grant came: prolong it from now on, and ask the requester.
    fn begin(&mut self, cx: &mut HybridCx<'_>) {
        let job = self.job.as_mut().expect("a job begins when it is there");
        if let Some(patience) = job.patience.take() {
            cx.cancel(patience);
        }
        let (task, relay) = (job.task, job.relay);
        cx.note(Fact::AwaitsContext { task, holder: cx.me() });
        job.renewal = Some(cx.set_timer(self.params.renewal(), Timer::Renew(task)));
        match job.requester {
            Some(requester) if requester == cx.me() => {
                job.stage = Stage::Reading;
                let effort = Effort::Like { kind: CONTEXT, tokens: cx.task(task).context_tokens };
                cx.occupy(Plane::Cognition, Phase::Context, effort, Timer::Read(task));
            }
            Some(requester) => {
                job.stage = Stage::Scoping;
                let tokens = self.params.scope_tokens;
                cx.send(requester, Msg::Scope { task, at: relay, tokens });
                job.patience = Some(cx.set_timer(self.params.scope_timeout, Timer::Scope(task)));
            }
            None => self.ask_relay(0, cx),
        }
        self.offers.clear();
        self.subscribe(Some(relay), cx);
    }

    /// The requester did not answer, or knows nothing of the task: without agreement, then.
    pub(super) fn on_no_scope(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        if self.job.is_some_and(|job| job.task == task && job.stage == Stage::Scoping) {
            cx.note(Fact::Named("without_scope", 1));
            self.ask_relay(0, cx);
        }
    }

    fn ask_relay(&mut self, tries: u32, cx: &mut HybridCx<'_>) {
        let patience = self.params.patience(tries, cx);
        let job = self.job.as_mut().expect("who asks has a job");
        if let Some(patience) = job.patience.take() {
            cx.cancel(patience);
        }
        job.stage = Stage::Asking(tries);
        cx.send(job.relay, Msg::AskBrief { task: job.task });
        job.patience = Some(cx.set_timer(patience, Timer::Brief(job.task)));
    }

    /// The relay did not answer either.
    pub(super) fn on_brief_unanswered(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        if let Some(Job { stage: Stage::Asking(tries), .. }) = self.job.filter(|job| job.task == task) {
            self.ask_relay(tries + 1, cx);
        }
    }

    /// I have read what the task is about.
    pub(super) fn on_context(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        let Some(job) = self.job.as_mut().filter(|job| job.task == task) else { return };
        match job.stage {
            Stage::Scoping | Stage::Asking(_) | Stage::Reading => {
                if let Some(patience) = job.patience.take() {
                    cx.cancel(patience);
                }
                job.stage = Stage::Working(cx.work(task, Timer::Worked(task)));
            }
            // Both the requester and the relay answered in the end.
            Stage::Claiming(_) | Stage::Working(_) => {}
        }
    }

    /// An execution ended.
    pub(super) fn on_work(&mut self, done: Work, cx: &mut HybridCx<'_>) {
        let Some(job) = self.job.filter(|job| job.stage == Stage::Working(done.execution)) else { return };
        self.job = None;
        match done.kind {
            WorkKind::Executed(output) => self.pack(job, output, cx),
            WorkKind::Hung => {
                self.job = Some(job);
                if let Some(fence) = job.fence {
                    cx.send(job.relay, Msg::Release { task: done.task, fence });
                }
                self.leave_job(cx);
            }
            WorkKind::Verified { .. } => unreachable!("verifications are the requester's"),
        }
    }

    /// The work is done; what came out goes to whoever is next to see it.
    fn pack(&mut self, job: Job, output: Output, cx: &mut HybridCx<'_>) {
        let fence = job.fence.expect("who works has a grant");
        let Job { relay, requester, renewal, .. } = job;
        let reviewer = requester.filter(|_| self.params.verify);
        let parcel = Parcel { output, relay, requester, fence, reviewer, since: cx.now(), renewal };
        self.parcels().send(parcel, true, cx);
        // A result tells the relay that I am free; the others, or all of them, are told so.
        self.subscribe(reviewer.is_none().then_some(relay), cx);
    }

    /// The outputs under way.
    pub(super) fn parcels(&mut self) -> Parcels<'_> {
        Parcels { params: &self.params, kept: &mut self.parcels }
    }

    /// Whether I can take work.
    pub(super) fn is_free(&self) -> bool {
        self.job.is_none()
    }

    /// Time to prolong my lease, while I hold the task or my output is being verified.
    pub(super) fn on_renewal(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        let wait = self.params.renewal();
        match self.job.as_mut().filter(|job| job.task == task) {
            Some(job) => {
                let Some(fence) = job.fence else { return };
                cx.send(job.relay, Msg::Renew { task, fence });
                job.renewal = Some(cx.set_timer(wait, Timer::Renew(task)));
            }
            None => self.parcels().on_renewal(task, cx),
        }
    }

    /// Drops the job, and the execution if there is one; then looks for another.
    fn leave_job(&mut self, cx: &mut HybridCx<'_>) {
        let Some(job) = self.job.take() else { return };
        for timer in [job.patience, job.renewal].into_iter().flatten() {
            cx.cancel(timer);
        }
        if let Stage::Working(execution) = job.stage {
            cx.abandon(execution);
        }
        if job.fence.is_some() {
            self.subscribe(None, cx);
        }
        self.next_offer(cx);
    }

    fn next_offer(&mut self, cx: &mut HybridCx<'_>) {
        if !self.offers.is_empty() {
            let (relay, task) = self.offers.remove(0);
            self.claim(relay, task, cx);
        }
    }

    /// Tells the relays, except the one that knows, whether I am free.
    fn subscribe(&self, except: Option<NodeId>, cx: &mut HybridCx<'_>) {
        let (skill, free) = (skill_of(cx), self.is_free());
        for relay in Homes::new(self.params.homes, cx.fleet()).of(cx.me(), cx.fleet()) {
            if Some(relay) != except {
                cx.send(relay, Msg::Subscribe { skill, free });
            }
        }
    }
}
