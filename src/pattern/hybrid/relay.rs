//! The relay's seat: it orders claims, keeps posts until they are done, and settles.
//!
//! Book-keeping is [`Relay`]'s. This file adds what depends on time and on the record: who is offered
//! what when, when an offer is repeated, and what is noted. It reads no content.
//!
//! A post that waits is *under offer* from the moment it was sent to somebody until that offer is due to be
//! repeated. An agent that becomes free is offered the oldest post that is not under offer: without
//! that, everybody who becomes free would run for the same post.

use super::message::Msg;
use super::{Params, Timer};
use crate::engine::{Span, Time};
use crate::mechanism::{Heartbeats, Places, Table};
use crate::pattern::homes::Homes;
use crate::relay::{Fence, Relay, RelayConfig, RelayReply, RelayRequest};
use crate::sim::{Cx, Seat};
use crate::trace::{Fact, NodeId, Output, SkillId, TaskId};

type HybridCx<'a> = Cx<'a, Msg, Timer>;

/// How many waiting posts are looked at for one that is not under offer: a bound on the work for one
/// message, far above what is under offer at a time.
const LOOK_AT: usize = 64;

/// How far the offering of one task is.
#[derive(Clone, Copy, Debug, Default)]
struct Offering {
    /// A timer will repeat the offer.
    pending: bool,
    /// Repetitions so far.
    rounds: u32,
    /// Its requester took it to another relay.
    withdrawn: bool,
}

/// One relay.
#[derive(Debug)]
pub(super) struct RelaySeat {
    params: Params,
    relay: Relay,
    /// The agents it keeps in touch with.
    agents: Places,
    offerings: Table<TaskId, Offering>,
    heard: Heartbeats,
    /// How long this relay was out of service in all: its clock stands still meanwhile.
    lost: Span,
    /// When it last did anything.
    active: Time,
    /// Whether a timer is set for the next lease to run out.
    watching: bool,
    /// Scratch space.
    replies: Vec<(NodeId, RelayReply)>,
}

impl RelaySeat {
    pub(super) fn new(params: Params, seat: &Seat<'_>) -> RelaySeat {
        let agents = Homes::new(params.homes, seat.fleet).agents(seat.node, seat.fleet);
        RelaySeat {
            params,
            relay: Relay::new(RelayConfig::default()).among(agents),
            agents,
            offerings: Table::default(),
            heard: Heartbeats::new(params.silence()).among(agents),
            lost: Span::ZERO,
            active: Time::ZERO,
            watching: false,
            replies: Vec::new(),
        }
    }

    /// How far the offering of `task` is.
    fn offering(&mut self, task: TaskId) -> &mut Offering {
        let (at, _) = self.offerings.find_or_insert_with(task, Offering::default);
        &mut self.offerings[at]
    }

    fn is_withdrawn(&self, task: TaskId) -> bool {
        self.offerings.get(task).is_some_and(|offering| offering.withdrawn)
    }

    /// Begins, or is back after an outage. Leases do not run while nobody could renew them, so the clock
    /// goes on from where it stood.
    pub(super) fn on_start(&mut self, cx: &mut HybridCx<'_>) {
        self.lost += cx.now().since(self.active);
        self.active = cx.now();
        self.watching = false;
        self.watch_leases(cx);
        for task in self.offerings.sorted() {
            if self.offering(task).pending {
                let wait = self.params.rebroadcast.delay(0, &mut cx.rng());
                cx.set_timer(wait, Timer::Repeat(task));
            }
        }
    }

    /// Loses everything: its memory was volatile.
    pub(super) fn on_crash(&mut self) {
        self.relay.wipe();
        self.offerings.clear();
        self.heard = Heartbeats::new(self.params.silence()).among(self.agents);
    }

    /// Asks for what a message will touch.
    #[inline]
    pub(super) fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        from.into_iter().for_each(|agent| self.heard.foresee(agent));
        if let Some(task) = task {
            self.offerings.foresee(task);
            self.relay.foresee(task);
        }
    }

    pub(super) fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut HybridCx<'_>) {
        let now = self.clock(cx);
        let is_at_home = Homes::new(self.params.homes, cx.fleet()).knows(cx.me(), from, cx.fleet());
        if is_at_home {
            self.heard.heard(now, from);
        }
        match msg {
            Msg::Subscribe { skill, free } => self.subscribe(from, skill, free, cx),
            Msg::Post { task } => {
                let skill = cx.task(task).skill;
                self.ask(from, RelayRequest::Post { task, requester: from, skill }, cx);
            }
            Msg::Claim { task } => self.claim(from, task, cx),
            Msg::Renew { task, fence } => {
                self.ask(from, RelayRequest::Renew { task, fence, lease: self.params.lease }, cx);
            }
            Msg::Release { task, fence } => self.ask(from, RelayRequest::Release { task, fence }, cx),
            Msg::AskBrief { task } => self.brief(from, task, cx),
            Msg::Reject { task, holder, fence } => self.reject(from, task, holder, fence, cx),
            Msg::Result { output, requester, free, skill } => {
                self.result(from, output, requester, cx);
                if free && is_at_home {
                    self.subscribe(from, skill, true, cx);
                }
            }
            Msg::Withdraw { task } => self.withdraw(from, task, cx),
            Msg::Posted { .. }
            | Msg::Offer { .. }
            | Msg::Granted { .. }
            | Msg::Conflict { .. }
            | Msg::Gone { .. }
            | Msg::NotHeld { .. }
            | Msg::Scope { .. }
            | Msg::Agreed { .. }
            | Msg::Context { .. }
            | Msg::Unknown { .. }
            | Msg::Brief { .. }
            | Msg::Deliver { .. }
            | Msg::Verdict { .. }
            | Msg::Reopened { .. }
            | Msg::Resolved { .. }
            | Msg::Outcome { .. }
            | Msg::Withdrawn { .. } => unreachable!("nobody says this to a relay: {msg:?}"),
        }
        self.watch_leases(cx);
    }

    pub(super) fn on_timer(&mut self, timer: Timer, cx: &mut HybridCx<'_>) {
        match timer {
            Timer::Repeat(task) => self.on_repeat(task, cx),
            Timer::Lapse => self.on_lapse(cx),
            Timer::Presence
            | Timer::Claim(_)
            | Timer::Scope(_)
            | Timer::Read(_)
            | Timer::Brief(_)
            | Timer::Renew(_)
            | Timer::Worked(_)
            | Timer::Parcel(_)
            | Timer::Post(_)
            | Timer::Withdraw(_)
            | Timer::Checked(_)
            | Timer::Verdict(..) => unreachable!("this is for agents: {timer:?}"),
        }
    }

    /// An offer is to be repeated, if it was not taken.
    fn on_repeat(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        self.clock(cx);
        let offering = self.offering(task);
        offering.pending = false;
        offering.rounds += 1;
        self.offer(task, false, cx);
    }

    /// A lease may have run out.
    fn on_lapse(&mut self, cx: &mut HybridCx<'_>) {
        let now = self.clock(cx);
        self.watching = false;
        let mut replies = std::mem::take(&mut self.replies);
        self.relay.expire(now, &mut replies);
        self.answer(replies, None, cx);
        self.watch_leases(cx);
    }

    /// The time, without the time this relay was out of service.
    fn clock(&mut self, cx: &HybridCx<'_>) -> Time {
        self.active = cx.now();
        Time::ZERO + cx.now().since(Time::ZERO).saturating_sub(self.lost)
    }

    fn watch_leases(&mut self, cx: &mut HybridCx<'_>) {
        if self.watching {
            return;
        }
        let now = self.clock(cx);
        if let Some(next) = self.relay.next_expiry() {
            // Leases are equally long, so none granted later runs out earlier.
            self.watching = true;
            cx.set_timer(next.saturating_since(now), Timer::Lapse);
        }
    }

    /// Puts `request` to the book-keeper and sends what it answers.
    fn ask(&mut self, from: NodeId, request: RelayRequest, cx: &mut HybridCx<'_>) {
        let now = self.clock(cx);
        let mut replies = std::mem::take(&mut self.replies);
        self.relay.handle(now, from, request, &mut replies);
        self.answer(replies, Some(from), cx);
    }

    fn subscribe(&mut self, from: NodeId, skill: SkillId, free: bool, cx: &mut HybridCx<'_>) {
        self.ask(from, RelayRequest::Subscribe { skill: Some(skill), free }, cx);
        if free {
            self.offer_one(from, cx);
        }
    }

    fn claim(&mut self, from: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        if self.is_withdrawn(task) {
            return cx.send(from, Msg::Gone { task });
        }
        let now = self.clock(cx);
        let held = self.relay.claims().holder(now, task);
        self.ask(from, RelayRequest::Claim { task, lease: Some(self.params.lease) }, cx);
        if self.relay.claims().holder(now, task) == Some(from) {
            if held != Some(from) {
                // Here the order of arrival became the choice of a worker.
                cx.note(Fact::Decided { task, to: from });
                cx.note(Fact::Claimed { task, holder: from });
            }
            self.ask(from, RelayRequest::SetFree { free: false }, cx);
        } else {
            self.offer_one(from, cx);
        }
    }

    fn brief(&mut self, from: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        if self.relay.claims().output(task).is_some() || self.is_withdrawn(task) {
            cx.send(from, Msg::Gone { task });
        } else if self.relay.posts().requester(task).is_some() {
            cx.send(from, Msg::Brief { task });
        }
        // A post this relay lost with its memory comes again from its requester; until then the winner
        // asks again.
    }

    /// The first result of a task is the answer, whoever holds the claim by now.
    fn result(&mut self, from: NodeId, output: Output, requester: Option<NodeId>, cx: &mut HybridCx<'_>) {
        let task = output.task;
        if self.is_withdrawn(task) {
            return cx.send(from, Msg::Resolved { task });
        }
        let now = self.clock(cx);
        let holder = self.relay.claims().holder(now, task).filter(|&holder| holder != from);
        let first = self.relay.claims().output(task).is_none();
        if first {
            cx.settle(task, output);
        }
        self.ask(from, RelayRequest::Resolve { output, fence: None }, cx);
        if let Some(holder) = holder.filter(|_| first) {
            cx.send(holder, Msg::Gone { task });
        }
        if let Some(requester) = requester.filter(|_| self.relay.posts().requester(task).is_none()) {
            // It was posted elsewhere, or before this relay lost its memory.
            cx.send(requester, Msg::Outcome { output });
        }
    }

    fn reject(&mut self, from: NodeId, task: TaskId, holder: NodeId, fence: Fence, cx: &mut HybridCx<'_>) {
        // The holder's claim ends as if it had given it up; the answer goes to who rejected.
        self.ask(holder, RelayRequest::Release { task, fence }, cx);
        cx.send(from, Msg::Reopened { task });
    }

    fn withdraw(&mut self, from: NodeId, task: TaskId, cx: &mut HybridCx<'_>) {
        cx.send(from, Msg::Withdrawn { task });
        let done = self.relay.claims().output(task).is_some();
        if done || self.relay.posts().requester(task) != Some(from) {
            return;
        }
        self.offering(task).withdrawn = true;
        let now = self.clock(cx);
        match self.relay.claims().holder(now, task) {
            Some(holder) => cx.send(holder, Msg::Gone { task }),
            None => self.shelve(task),
        }
    }

    /// A withdrawn task must never be found waiting: its requester holds it for ever.
    fn shelve(&mut self, task: TaskId) {
        if let Some(requester) = self.relay.posts().requester(task) {
            let now = Time::ZERO; // Irrelevant to a claim without a lease on what nobody holds.
            let mut unheard = Vec::new();
            self.relay.handle(now, requester, RelayRequest::Claim { task, lease: None }, &mut unheard);
        }
    }

    /// Sends the book-keeper's answers. Where they reopened tasks, those are offered again.
    fn answer(
        &mut self,
        mut replies: Vec<(NodeId, RelayReply)>,
        asker: Option<NodeId>,
        cx: &mut HybridCx<'_>,
    ) {
        let mut again = smallvec::SmallVec::<[(TaskId, bool); 4]>::new();
        for (to, reply) in replies.drain(..) {
            match reply {
                RelayReply::Posted { task, first, requester } => {
                    cx.send(to, Msg::Posted { task, requester });
                    if first {
                        again.push((task, false));
                    }
                }
                RelayReply::Granted { task, fence, requester } => {
                    cx.note(Fact::Leased {
                        task,
                        holder: to,
                        until: cx.now().saturating_add(self.params.lease),
                    });
                    cx.send(to, Msg::Granted { task, fence, requester });
                }
                RelayReply::Conflict { task, .. } => {
                    cx.note(Fact::Conflict(task));
                    cx.send(to, Msg::Conflict { task });
                }
                RelayReply::Gone { task } => cx.send(to, Msg::Gone { task }),
                RelayReply::NotHeld { task } => cx.send(to, Msg::NotHeld { task }),
                RelayReply::Expired { task, .. } => {
                    // The holder fell silent: whatever it subscribed to, it is not there. If it is after
                    // all, this notice makes it claim again.
                    if asker != Some(to) {
                        self.relay.forget(to);
                        self.heard.forget(to);
                    }
                    cx.send(to, Msg::NotHeld { task });
                    self.offering(task).rounds = 0;
                    again.push((task, true));
                }
                RelayReply::Released { task } => {
                    cx.note(Fact::Freed(task));
                    again.push((task, false));
                }
                RelayReply::Resolved { task, .. } => cx.send(to, Msg::Resolved { task }),
                RelayReply::Outcome { output } => cx.send(to, Msg::Outcome { output }),
                // The holder hears only if its lease does not run on.
                RelayReply::Renewed { task, .. } => {
                    cx.note(Fact::Leased {
                        task,
                        holder: to,
                        until: cx.now().saturating_add(self.params.lease),
                    });
                }
                RelayReply::Found { .. }
                | RelayReply::Appended { .. }
                | RelayReply::Batch { .. }
                | RelayReply::Fenced { .. }
                | RelayReply::Offer { .. }
                | RelayReply::NoOffer
                | RelayReply::Event { .. } => unreachable!("not asked for: {reply:?}"),
            }
        }
        self.replies = replies;
        for (task, lapsed) in again {
            self.reopen(task, lapsed, cx);
        }
    }

    fn reopen(&mut self, task: TaskId, lapsed: bool, cx: &mut HybridCx<'_>) {
        if self.is_withdrawn(task) {
            return self.shelve(task);
        }
        if lapsed {
            cx.note(Fact::Redelivered(task));
        }
        self.offer(task, lapsed, cx);
    }

    /// Offers `task` to those whose turn it is, if it still waits for somebody.
    fn offer(&mut self, task: TaskId, again: bool, cx: &mut HybridCx<'_>) {
        let now = self.clock(cx);
        let Some(skill) = self.relay.posts().skill(task) else { return };
        let claims = self.relay.claims();
        if claims.holder(now, task).is_some() || claims.output(task).is_some() {
            return;
        }
        while let Some(silent) = self.heard.expired(now) {
            self.relay.forget(silent);
        }
        let mut replies = std::mem::take(&mut self.replies);
        self.relay.announce(task, skill, Some(self.params.fan_out), &mut replies);
        if replies.is_empty() {
            // Whoever becomes free is offered what waits; until then there is nobody to ask.
            cx.note(Fact::Queued(task));
        } else {
            cx.note(Fact::Announced(task));
            self.repeat_later(task, cx);
        }
        for (to, _) in replies.drain(..) {
            cx.send(to, Msg::Offer { task, again });
        }
        self.replies = replies;
    }

    /// Offers `to`, which has nothing to do, the oldest waiting post that is not under offer.
    fn offer_one(&mut self, to: NodeId, cx: &mut HybridCx<'_>) {
        let skill = cx.fleet().skill(to);
        let under_offer = |task| self.offerings.get(task).is_some_and(|offering| offering.pending);
        let found = self.relay.posts().waiting_for(skill).take(LOOK_AT).find(|&task| !under_offer(task));
        if let Some(task) = found {
            cx.note(Fact::Announced(task));
            cx.send(to, Msg::Offer { task, again: false });
            self.repeat_later(task, cx);
        }
    }

    fn repeat_later(&mut self, task: TaskId, cx: &mut HybridCx<'_>) {
        let rebroadcast = self.params.rebroadcast;
        let offering = self.offering(task);
        if !offering.pending {
            offering.pending = true;
            // No jitter: one relay does not collide with itself, and a repetition must not overtake claims.
            cx.set_timer(rebroadcast.ceiling(offering.rounds), Timer::Repeat(task));
        }
    }
}
