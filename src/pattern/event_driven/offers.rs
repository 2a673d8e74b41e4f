//! How an open task finds somebody: by announcement, by race, by hash, or by whoever becomes free.

use super::ClaimPolicy;
use super::broker::{Broker, EventCx, Nodes, Standing};
use super::message::EventMessage;
use crate::relay::EntryKind;
use crate::trace::{Fact, NodeId, TaskId};

impl Broker {
    pub(super) fn post(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        let card = cx.task(task);
        let client = cx.fleet().client_at(card.origin).unwrap_or(self.me);
        self.posts.post(task, client, card.skill);
        self.append(EntryKind::Posted, task, client, cx);
        self.slot(task).standing = Standing::Open;
        cx.note(Fact::Queued(task));
    }

    /// A task a relay without memory hears of from an agent is put back on the log.
    pub(super) fn adopt(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        if self.slot(task).standing == Standing::Unknown {
            self.post(task, cx);
        }
    }

    /// Looks for somebody for an open task.
    pub(super) fn place(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        match self.params.claims {
            ClaimPolicy::Partitioned => self.assign(task, cx),
            ClaimPolicy::Optimistic if self.pushes() => self.announce(task, cx),
            ClaimPolicy::Race if self.pushes() => self.call_racers(task, cx),
            ClaimPolicy::Optimistic | ClaimPolicy::Race => {}
        }
    }

    /// Offers an open task to free subscribers; it waits if there are none.
    pub(super) fn announce(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        let offer = EventMessage::Offer { task, entry: self.slot(task).last };
        let cap = Some(self.params.fan_out).filter(|&cap| cap > 0);
        let mut reached = false;
        let skill = self.posts.skill(task).flatten();
        self.subscriptions.broadcast(skill, cap, |node| {
            cx.send(node, offer);
            reached = true;
        });
        self.offered(task, reached, cx);
    }

    /// Notes whether somebody was told of `task`. If so nobody else is until it is due.
    pub(super) fn offered(&mut self, task: TaskId, reached: bool, cx: &mut EventCx<'_>) {
        self.posts.set_waiting(task, !reached);
        let due = reached.then(|| cx.now() + self.params.reoffer);
        let announced = std::mem::replace(&mut self.set_due(task, due).announced, reached);
        if announced != reached {
            cx.note(if reached { Fact::Announced(task) } else { Fact::Queued(task) });
        }
    }

    /// Lets free subscribers race for a task, up to the number of racers.
    pub(super) fn call_racers(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        let missing = self.params.racers.saturating_sub(self.slot(task).racers.len() as u32);
        let mut called = Nodes::new();
        let skill = self.posts.skill(task).flatten();
        self.subscriptions.broadcast(skill, Some(missing), |node| called.push(node));
        for node in called {
            self.enter(task, node, cx);
            self.run(node, task, cx);
        }
    }

    /// `node` races for `task`. The relay holds the lease, which any racer keeps alive.
    pub(super) fn enter(&mut self, task: TaskId, node: NodeId, cx: &mut EventCx<'_>) {
        if self.slot(task).standing == Standing::Open {
            self.hold(task, self.me, cx);
            cx.note(Fact::Announced(task));
        }
        self.slot(task).racers.push(node);
        self.known(node).held.push(task);
        self.subscriptions.set_free(node, false);
        let full = self.slot(task).racers.len() as u32 >= self.params.racers;
        self.posts.set_waiting(task, !full);
    }

    /// Gives an open task to its owner by hash; it waits if there is none, or a rebalance is due.
    pub(super) fn assign(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        if self.rebalance.is_some() {
            return;
        }
        let skill = self.posts.skill(task).flatten();
        if let Some(owner) = self.shares.owner(task, skill) {
            self.grant(owner, task, cx);
        }
    }

    /// Shares out all that waits.
    pub(super) fn share_out(&mut self, cx: &mut EventCx<'_>) {
        for task in self.slots.sorted() {
            if self.slot(task).standing == Standing::Open {
                self.assign(task, cx);
            }
        }
    }

    /// Nobody took up the offer, or the owner did not confirm.
    pub(super) fn repeat(&mut self, task: TaskId, cx: &mut EventCx<'_>) {
        match self.slot(task).standing {
            Standing::Open => self.place(task, cx),
            Standing::Held(owner) => {
                self.run(owner, task, cx);
                self.set_due(task, Some(cx.now() + self.params.reoffer));
            }
            Standing::Unknown | Standing::Done => {}
        }
    }

    /// `node` became free: offers it the oldest task that waits.
    pub(super) fn serve(&mut self, node: NodeId, cx: &mut EventCx<'_>) {
        if !self.pushes() {
            return;
        }
        let skill = cx.fleet().skill(node);
        match self.params.claims {
            ClaimPolicy::Optimistic => {
                let oldest = self.posts.waiting_for(skill).next();
                if let Some(task) = oldest {
                    cx.send(node, EventMessage::Offer { task, entry: self.slot(task).last });
                    self.offered(task, true, cx);
                }
            }
            ClaimPolicy::Race => self.serve_racer(node, cx),
            ClaimPolicy::Partitioned => {}
        }
    }

    pub(super) fn serve_racer(&mut self, node: NodeId, cx: &mut EventCx<'_>) {
        let skill = cx.fleet().skill(node);
        // One that gave a task back, or lost it, may find itself among its racers still.
        let slots = &self.slots;
        let races = |task: &TaskId| slots.get(*task).is_some_and(|slot| slot.racers.contains(&node));
        let next = self.posts.waiting_for(skill).find(|task| !races(task));
        if let Some(task) = next {
            self.enter(task, node, cx);
            self.run(node, task, cx);
        }
    }
}
