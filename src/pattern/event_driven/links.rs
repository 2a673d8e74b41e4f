//! How an agent stays in touch with its relays: subscribing or polling, results until they are confirmed,
//! and coming back after an outage.

use smallvec::SmallVec;

use super::message::EventMessage;
use super::worker::{EventCx, Job, Unrecorded, Worker};
use super::{ClaimPolicy, EventTimer, Learn};
use crate::engine::Span;
use crate::trace::{NodeId, TaskId};

impl Worker {
    pub(super) fn partitioned(&self) -> bool {
        self.params.claims == ClaimPolicy::Partitioned
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.job, Job::Reading { .. } | Job::Working { .. })
    }

    /// Whether relays should hear from me in regular intervals. A busy agent wants no news, unless its
    /// word is what keeps its share of the tasks.
    pub(super) fn listens(&self) -> bool {
        self.partitioned() || !self.is_busy()
    }

    /// Time between two words to a relay that answers.
    pub(super) fn interval(&self) -> Span {
        match self.params.learn {
            Learn::Polling { interval } => interval,
            Learn::Subscription if self.partitioned() => self.params.lease.mul_f64(1.0 / 3.0),
            Learn::Subscription => self.params.refresh,
        }
    }

    /// `timeout` and a jittered back-off.
    pub(super) fn patience(&self, attempt: u32, cx: &mut EventCx<'_>) -> Span {
        let rest =
            if attempt == 0 { Span::ZERO } else { self.params.backoff.delay(attempt - 1, &mut cx.rng()) };
        self.params.timeout + rest
    }

    pub(super) fn set_link_timer(&mut self, relay: NodeId, wait: Span, cx: &mut EventCx<'_>) {
        let timer = cx.set_timer(wait, EventTimer::Link(relay));
        if let Some(before) = self.link(relay).timer.replace(timer) {
            cx.cancel(before);
        }
    }

    /// Subscribes to `relay`, or polls it; again and again until it answers.
    pub(super) fn connect(&mut self, relay: NodeId, cx: &mut EventCx<'_>) {
        let (since, free) = (self.since, !self.is_busy());
        let polls = self.params.learn != Learn::Subscription;
        cx.send(
            relay,
            if polls { EventMessage::Fetch { since } } else { EventMessage::Subscribe { since, free } },
        );
        let attempt = self.link(relay).attempt;
        // Nobody answers a busy subscriber.
        let wait = if polls || free { self.patience(attempt, cx) } else { self.interval() };
        self.link(relay).attempt = attempt.saturating_add(u32::from(polls || free));
        self.set_link_timer(relay, wait, cx);
    }

    pub(super) fn connect_all(&mut self, except: Option<NodeId>, cx: &mut EventCx<'_>) {
        for relay in self.relays().filter(|relay| Some(*relay) != except) {
            self.connect(relay, cx);
        }
    }

    /// `relay` has heard me: the next word is due in an interval. The first interval has a random
    /// length, so that agents that started together do not call together for ever.
    pub(super) fn answered(&mut self, relay: NodeId, cx: &mut EventCx<'_>) {
        let interval = self.interval();
        let link = self.link(relay);
        link.attempt = 0;
        let wait = if std::mem::replace(&mut link.met, true) {
            interval
        } else {
            interval.mul_f64(cx.rng().uniform())
        };
        if self.listens() {
            self.set_link_timer(relay, wait, cx);
        }
    }

    pub(super) fn restarted(&mut self, relay: NodeId, cx: &mut EventCx<'_>) {
        if std::mem::replace(&mut self.link(relay).reconnecting, true) {
            return;
        }
        let wait = self.params.reconnect_spread.mul_f64(cx.rng().uniform());
        cx.set_timer(wait, EventTimer::Reconnect(relay));
    }

    /// My turn after an outage: whatever `relay` should know of me, now.
    pub(super) fn reconnect(&mut self, relay: NodeId, cx: &mut EventCx<'_>) {
        self.link(relay).reconnecting = false;
        let unrecorded = self.outbox.iter().filter(|result| result.relay == relay);
        for task in unrecorded.map(|result| result.output.task).collect::<SmallVec<[TaskId; 4]>>() {
            self.resend(task, cx);
        }
        if self.job.order().is_some_and(|order| order.relay == relay) {
            self.renew(cx);
        }
        self.link(relay).attempt = 0;
        if self.listens() {
            self.connect(relay, cx);
        }
    }

    /// Busy: relays other than the task's own must be told, and none is called meanwhile.
    pub(super) fn hang_up(&mut self, relay: NodeId, cx: &mut EventCx<'_>) {
        for other in self.relays() {
            if let Some(timer) = self.link(other).timer.take() {
                cx.cancel(timer);
            }
            if other != relay && self.params.learn == Learn::Subscription {
                cx.send(other, EventMessage::Subscribe { since: self.since, free: false });
            }
        }
    }

    /// Free again. The relay that gets the result learns it from that.
    pub(super) fn listen_again(&mut self, relay: NodeId, cx: &mut EventCx<'_>) {
        let told = (self.params.learn == Learn::Subscription).then_some(relay);
        self.connect_all(told, cx);
        if told.is_some() {
            self.set_link_timer(relay, self.interval(), cx);
        }
    }

    /// Sends the result at `index` of the outbox, and will again until it is confirmed.
    pub(super) fn deliver(&mut self, index: usize, free: bool, cx: &mut EventCx<'_>) {
        let Unrecorded { relay, output, attempt, .. } = self.outbox[index];
        cx.send(relay, EventMessage::Result { output, free });
        let wait = self.patience(attempt, cx);
        let timer = cx.set_timer(wait, EventTimer::Resend(output.task));
        let result = &mut self.outbox[index];
        result.attempt = attempt.saturating_add(1);
        if let Some(before) = result.timer.replace(timer) {
            cx.cancel(before);
        }
    }

    pub(super) fn resend(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        if let Some(index) = self.outbox.iter().position(|result| result.output.task == task) {
            self.deliver(index, !self.is_busy(), cx);
        }
    }

    pub(super) fn recorded(&mut self, relay: NodeId, task: TaskId, cx: &mut EventCx<'_>) {
        let is_it = |result: &Unrecorded| (result.relay, result.output.task) == (relay, task);
        if let Some(index) = self.outbox.iter().position(is_it) {
            let timer = self.outbox.remove(index).timer;
            timer.into_iter().for_each(|timer| cx.cancel(timer));
        }
    }
}
