//! The manager's side: from a client's submission to the accepted result.
//!
//! One [`Deal`] a task: seeking peers, negotiating, backing off, or waiting for whoever holds it. Deals are
//! soft state: a restarted manager knows none, and learns again which it has from the progress reports
//! of the contractors.

use smallvec::SmallVec;

use super::message::Msg;
use super::{Agent, PeerToPeer, Timer};
use crate::engine::{Span, Time, prefetch};
use crate::mechanism::contract_net::{Bid, BidTerms};
use crate::mechanism::{IdSet, Losers, Negotiation, Step, Table};
use crate::sim::{CxOf, TimerId};
use crate::trace::{Fact, NodeId, Output, TaskId};

/// Where a task of this manager is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A directory was asked for peers.
    Seeking,
    /// Calls or an award are out.
    Negotiating { called: Time },
    /// Nobody would take it; to be tried again.
    BackingOff,
    /// Somebody has it.
    Held { holder: NodeId, heard: Time, handed_over: Time, handovers: u32 },
}

/// A task that this agent manages.
#[derive(Clone, Debug)]
pub(super) struct Deal {
    round: u16,
    state: State,
    /// The last negotiation; late answers to it are still dealt with.
    negotiation: Option<Negotiation>,
    /// Negotiations in a row that came to nothing.
    failures: u32,
    /// Somebody held it before.
    again: bool,
    timer: Option<TimerId>,
}

impl Deal {
    fn new(state: State) -> Deal {
        Deal { round: 0, state, negotiation: None, failures: 0, again: false, timer: None }
    }
    fn held_by(holder: NodeId, now: Time) -> Deal {
        Deal::new(State::Held { holder, heard: now, handed_over: now, handovers: 0 })
    }
    /// Who holds the task or was offered it.
    fn holder(&self) -> Option<NodeId> {
        match self.state {
            State::Held { holder, .. } => Some(holder),
            State::Negotiating { .. } => self.negotiation.as_ref().and_then(Negotiation::awarded_to),
            State::Seeking | State::BackingOff => None,
        }
    }
    /// Replaces the one timer of a deal.
    fn arm(&mut self, task: TaskId, wait: Span, cx: &mut CxOf<'_, PeerToPeer>) {
        self.disarm(cx);
        self.timer = Some(cx.set_timer(wait, Timer::Deal { task }));
    }
    fn disarm(&mut self, cx: &mut CxOf<'_, PeerToPeer>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel(timer);
        }
    }
}

/// The deals of one manager. An agent that never had one has no books.
#[derive(Debug, Default)]
pub(super) struct Deals(Option<Box<Books>>);

#[derive(Debug, Default)]
struct Books {
    open: Table<TaskId, Deal>,
    /// The tasks managed to the end.
    settled: IdSet,
}

impl Deals {
    /// Asks for the books.
    #[inline]
    pub(super) fn foresee(&self) {
        if let Some(books) = &self.0 {
            prefetch(&books.open);
            prefetch(&books.settled);
        }
    }

    fn get(&self, task: TaskId) -> Option<&Deal> {
        self.0.as_ref()?.open.get(task)
    }
    fn get_mut(&mut self, task: TaskId) -> Option<&mut Deal> {
        self.0.as_mut()?.open.get_mut(task)
    }
    fn get_or_insert_with(&mut self, task: TaskId, deal: impl FnOnce() -> Deal) -> &mut Deal {
        let open = &mut self.0.get_or_insert_default().open;
        let (at, _) = open.find_or_insert_with(task, deal);
        &mut open[at]
    }
    fn is_settled(&self, task: TaskId) -> bool {
        self.0.as_ref().is_some_and(|books| books.settled.contains(task))
    }
    /// Says whether `task` was not settled before.
    fn settle(&mut self, task: TaskId) -> bool {
        self.0.get_or_insert_default().settled.insert(task)
    }
    fn close(&mut self, task: TaskId) -> Option<Deal> {
        self.0.as_mut()?.open.take(task)
    }
}

/// What a negotiation about eight candidates asks for, and what follows from the own answers.
type Steps = SmallVec<[Step; 24]>;

impl Agent {
    /// A client hands over `task`. Nothing if it is known here, in whatever role.
    pub(super) fn submitted(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let known = self.deals.get(task).is_some() || self.deals.is_settled(task);
        if !known && !self.duties.contains(task) {
            cx.note(Fact::Queued(task));
            self.deals.get_or_insert_with(task, || Deal::new(State::BackingOff));
            self.seek(task, cx);
        }
    }

    /// Looks for candidates and calls them, after a lookup where too few are known or none would do.
    fn seek(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(deal) = self.deals.get_mut(task) else { return };
        deal.disarm(cx);
        let skill = cx.task(task).skill;
        if deal.failures > 0 || self.finder.knows_too_few(&self.params, cx.now(), skill) {
            deal.state = State::Seeking;
            self.finder.look_up(task, deal.failures > 0 || deal.again, &self.params, cx);
        } else {
            self.call(task, cx);
        }
    }

    /// The lookup for `tasks` was answered, or will not be: whoever is known is called.
    pub(super) fn looked_up(&mut self, tasks: &[TaskId], cx: &mut CxOf<'_, PeerToPeer>) {
        for &task in tasks {
            if self.deals.get(task).is_some_and(|deal| deal.state == State::Seeking) {
                self.call(task, cx);
            }
        }
    }

    fn call(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(deal) = self.deals.get_mut(task) else { return };
        let mut candidates = SmallVec::<[NodeId; 16]>::new();
        self.finder.pick(cx.task(task).skill, &self.params, &mut candidates, cx);
        // Last, so that the calls are out when its own bid comes at once. A task that nobody else wants is
        // better done here than not at all.
        let bids_too = self.params.manager_bids || deal.failures > 0 || candidates.is_empty();
        candidates.extend(bids_too.then_some(cx.me()));
        deal.round = deal.round.wrapping_add(1);
        deal.state = State::Negotiating { called: cx.now() };
        let mut steps = Steps::new();
        deal.negotiation = Some(Negotiation::start(candidates, Losers::RejectedAtOnce, &mut steps));
        deal.arm(task, self.params.bid_deadline, cx);
        cx.note(Fact::Announced(task));
        self.take(steps, task, cx);
    }

    /// Feeds the negotiation about `task`, if there was one, and takes the steps that follow.
    fn negotiate(
        &mut self,
        task: TaskId,
        cx: &mut CxOf<'_, PeerToPeer>,
        input: impl FnOnce(&mut Negotiation, &mut Steps),
    ) {
        let mut steps = Steps::new();
        if let Some(negotiation) = self.deals.get_mut(task).and_then(|deal| deal.negotiation.as_mut()) {
            input(negotiation, &mut steps);
        }
        self.take(steps, task, cx);
    }

    /// Takes the steps of a negotiation, those included that follow from the own answers.
    fn take(&mut self, mut steps: Steps, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let mut next = 0;
        while let Some(&step) = steps.get(next) {
            next += 1;
            self.step(step, task, &mut steps, cx);
        }
    }

    fn step(&mut self, step: Step, task: TaskId, steps: &mut Steps, cx: &mut CxOf<'_, PeerToPeer>) {
        let me = cx.me();
        let Some(deal) = self.deals.get_mut(task) else { return };
        let (round, again, failures) = (deal.round, deal.again, deal.failures);
        let most = if failures < u32::from(self.params.free_rounds) { 0 } else { self.params.max_queue };
        match step {
            Step::Call(node) if node == me => {
                let terms = self.offer(me, task, most, cx);
                let Some(negotiation) = self.negotiation(task) else { return };
                match terms.and_then(Bid::estimate) {
                    Some(bid) => negotiation.bid(me, bid, steps),
                    None => negotiation.refuse(me, steps),
                }
            }
            Step::Call(node) => cx.send(node, Msg::Call { task, round, most, again }),
            Step::Accept(node) if node == me => {
                let accepted = self.accept(me, task, round, cx);
                let Some(negotiation) = self.negotiation(task) else { return };
                if accepted {
                    negotiation.confirm(me, steps);
                    self.confirmed(task, me, cx);
                    self.read_own_context(task, cx);
                } else {
                    negotiation.declined(me, steps);
                }
            }
            Step::Accept(node) => {
                deal.arm(task, self.params.answer_timeout, cx);
                cx.send(node, Msg::Award { task, round });
            }
            Step::Reject(node) if node == me => {}
            Step::Reject(node) => cx.send(node, Msg::Reject { task, round }),
            Step::Exhausted => {
                let wait = self.params.retry().delay(deal.failures, &mut cx.rng());
                deal.failures += 1;
                deal.state = State::BackingOff;
                deal.arm(task, wait, cx);
                cx.note(Fact::Queued(task));
            }
        }
    }

    fn negotiation(&mut self, task: TaskId) -> Option<&mut Negotiation> {
        self.deals.get_mut(task)?.negotiation.as_mut()
    }

    /// `holder` has the task: the choice is final unless it fails.
    fn confirmed(&mut self, task: TaskId, holder: NodeId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(deal) = self.deals.get_mut(task) else { return };
        cx.note(Fact::Decided { task, to: holder });
        cx.note(Fact::Leased { task, holder, until: Time::MAX });
        (deal.failures, deal.again) = (0, false);
        let now = cx.now();
        let remote = holder != cx.me();
        deal.state = State::Held { holder, heard: now, handed_over: now, handovers: u32::from(remote) };
        if remote {
            deal.arm(task, self.params.silence, cx);
            cx.send(holder, Msg::Handover { task, round: deal.round });
        } else {
            // Who executes its own task does not watch itself: both would end together.
            deal.disarm(cx);
        }
    }

    /// Whether an answer to negotiation `round` of `task` is still of interest.
    fn is_current(&self, task: TaskId, round: u16) -> bool {
        self.deals
            .get(task)
            .is_some_and(|deal| deal.round == round && matches!(deal.state, State::Negotiating { .. }))
    }

    pub(super) fn bid(
        &mut self,
        from: NodeId,
        (task, round): (TaskId, u16),
        terms: BidTerms,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        self.finder.heard_of(&self.params, cx.now(), from, cx.fleet());
        let current = self.deals.get(task).filter(|deal| deal.round == round && deal.negotiation.is_some());
        let Some(deal) = current else { return cx.send(from, Msg::Reject { task, round }) };
        let latency = match deal.state {
            // Call and bid went to and fro; so will award and context.
            State::Negotiating { called } => cx.now().since(called),
            State::Seeking | State::BackingOff | State::Held { .. } => Span::ZERO,
        };
        match Bid::estimate(BidTerms { latency, ..terms }) {
            Some(bid) => self.negotiate(task, cx, |negotiation, steps| negotiation.bid(from, bid, steps)),
            None => self.refused(from, task, round, cx),
        }
    }

    pub(super) fn refused(&mut self, from: NodeId, task: TaskId, round: u16, cx: &mut CxOf<'_, PeerToPeer>) {
        self.finder.heard_of(&self.params, cx.now(), from, cx.fleet());
        if self.is_current(task, round) {
            self.negotiate(task, cx, |negotiation, steps| negotiation.refuse(from, steps));
        }
    }

    pub(super) fn confirm(&mut self, from: NodeId, task: TaskId, round: u16, cx: &mut CxOf<'_, PeerToPeer>) {
        if !self.is_current(task, round) {
            if self.deals.get(task).and_then(Deal::holder) != Some(from) {
                cx.send(from, Msg::Cancel(task));
            }
            return;
        }
        self.negotiate(task, cx, |negotiation, steps| negotiation.confirm(from, steps));
        let sealed = self.negotiation(task).is_some_and(|negotiation| negotiation.is_confirmed());
        if sealed && self.deals.get(task).and_then(Deal::holder) == Some(from) {
            self.confirmed(task, from, cx);
        }
    }

    pub(super) fn declined(&mut self, from: NodeId, task: TaskId, round: u16, cx: &mut CxOf<'_, PeerToPeer>) {
        if self.is_current(task, round) {
            cx.note(Fact::Stale(task)); // The bid was true when it was made.
            self.negotiate(task, cx, |negotiation, steps| negotiation.declined(from, steps));
        } else {
            self.holder_gone(task, from, cx);
        }
    }

    /// `holder` gave `task` back or fell silent: it is offered again.
    pub(super) fn holder_gone(&mut self, task: TaskId, holder: NodeId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(deal) = self.deals.get_mut(task) else { return };
        let holds = matches!(deal.state, State::Held { holder: now, .. } if now == holder);
        if holds {
            deal.again = true;
            cx.note(Fact::Freed(task));
            cx.note(Fact::Redelivered(task));
            self.seek(task, cx);
        }
    }

    /// `from` says that it works on `task`, or waits for its context.
    pub(super) fn progress(
        &mut self,
        from: NodeId,
        task: TaskId,
        waiting: bool,
        cx: &mut CxOf<'_, PeerToPeer>,
    ) {
        let now = cx.now();
        self.finder.heard_of(&self.params, now, from, cx.fleet());
        if self.deals.is_settled(task) {
            return cx.send(from, Msg::Cancel(task));
        }
        let silence = self.params.silence;
        // Unknown: this manager lost its memory, and gets it back from its contractors.
        let deal = self.deals.get_or_insert_with(task, || {
            let mut deal = Deal::held_by(from, now);
            cx.note(Fact::Leased { task, holder: from, until: Time::MAX });
            deal.arm(task, silence, cx);
            deal
        });
        match &mut deal.state {
            State::Held { holder, heard, handed_over, handovers } if *holder == from => {
                *heard = now;
                // Handed over again only if it must be lost: the contractor may just not have read it yet.
                let patience = silence.mul_f64(f64::from(1u32 << (*handovers).min(16)));
                if waiting && (*handovers == 0 || now.since(*handed_over) > patience) {
                    (*handed_over, *handovers) = (now, *handovers + 1);
                    cx.send(from, Msg::Handover { task, round: deal.round });
                }
            }
            State::Held { .. } => cx.send(from, Msg::Cancel(task)),
            State::Seeking | State::BackingOff | State::Negotiating { .. } => {
                // Given up too early, and not yet with somebody else: it keeps the task.
                if let Some(other) = deal.holder().filter(|&other| other != from) {
                    cx.send(other, Msg::Cancel(task));
                }
                cx.note(Fact::Decided { task, to: from });
                cx.note(Fact::Leased { task, holder: from, until: Time::MAX });
                let round = deal.round;
                *deal = Deal { round, timer: deal.timer, ..Deal::held_by(from, now) };
                deal.arm(task, silence, cx);
            }
        }
    }

    /// Settles `output`, which `from` produced; the first output of a task counts.
    pub(super) fn settle(&mut self, output: Output, from: NodeId, cx: &mut CxOf<'_, PeerToPeer>) {
        let task = output.task;
        let remote = from != cx.me();
        if remote {
            self.finder.heard_of(&self.params, cx.now(), from, cx.fleet());
            cx.send(from, Msg::Settled(task));
        }
        if !self.deals.settle(task) {
            return;
        }
        cx.settle(task, output);
        let Some(mut deal) = self.deals.close(task) else { return };
        deal.disarm(cx);
        match deal.holder().filter(|&other| other != from) {
            Some(other) if other == cx.me() => self.drop_duty(task, cx),
            Some(other) => cx.send(other, Msg::Cancel(task)),
            None => {}
        }
    }

    /// Something about `task` took too long.
    pub(super) fn deal_due(&mut self, task: TaskId, cx: &mut CxOf<'_, PeerToPeer>) {
        let Some(deal) = self.deals.get_mut(task) else { return };
        deal.timer = None;
        match deal.state {
            State::Seeking => {}
            State::BackingOff => self.seek(task, cx),
            State::Negotiating { .. } => {
                let Some(negotiation) = &mut deal.negotiation else { return };
                match negotiation.awarded_to() {
                    None => {
                        for silent in negotiation.silent() {
                            self.finder.forget(silent);
                        }
                        self.negotiate(task, cx, Negotiation::deadline);
                    }
                    Some(awarded) => {
                        self.finder.forget(awarded);
                        cx.note(Fact::Stale(task));
                        self.negotiate(task, cx, |negotiation, steps| negotiation.declined(awarded, steps));
                    }
                }
            }
            State::Held { holder, heard, .. } => {
                let silent = cx.now().since(heard);
                if silent >= self.params.silence {
                    self.finder.forget(holder);
                    self.holder_gone(task, holder, cx);
                } else {
                    deal.arm(task, self.params.silence.saturating_sub(silent), cx);
                }
            }
        }
    }
}
