//! Who is there: subscriptions, polls, and agents that went silent, restarted or came back.

use smallvec::SmallVec;

use super::ClaimPolicy;
use super::broker::{Broker, EventCx, Standing};
use super::message::{EventMessage, Page};
use crate::engine::Time;
use crate::relay::Offset;
use crate::trace::{Fact, NodeId, TaskId};

impl Broker {
    pub(super) fn heard(&mut self, node: NodeId, cx: &mut EventCx<'_>) {
        if self.watch.heard(cx.now(), node) {
            for task in self.lost.take(node).unwrap_or_default() {
                if self.slot(task).standing != Standing::Held(node) {
                    cx.note(Fact::Stale(task));
                    cx.send(node, EventMessage::Stop { task });
                }
            }
        }
    }

    /// Takes note of who `node` is. If it restarted, what it had is open again.
    pub(super) fn meet(&mut self, node: NodeId, since: Time, cx: &mut EventCx<'_>) {
        let known = self.known(node);
        if known.since.is_some_and(|latest| since < latest) {
            return; // Sent before the restart, overtaken by what was sent after it.
        }
        if known.since.replace(since).is_some_and(|before| before < since) {
            let held = std::mem::take(&mut known.held);
            self.lost.take(node);
            for task in held {
                if self.withdraw(task, node, cx) {
                    self.redeliver(task, node, cx);
                }
            }
        }
        if self.params.claims == ClaimPolicy::Partitioned {
            let skill = cx.fleet().skill(node);
            if self.shares.join(node, skill) && self.posts.waiting() > 0 && self.rebalance.is_none() {
                // Waits for others to join as well, so that the first does not get everything.
                self.rebalance = Some(cx.now() + self.params.reoffer);
            }
        }
    }

    /// `node` can take work.
    pub(super) fn free(&mut self, node: NodeId, cx: &EventCx<'_>) {
        if self.pushes() && self.params.claims != ClaimPolicy::Partitioned {
            self.subscriptions.subscribe(node, cx.fleet().skill(node), true);
        }
    }

    pub(super) fn subscribe(&mut self, from: NodeId, since: Time, free: bool, cx: &mut EventCx<'_>) {
        self.meet(from, since, cx);
        if free {
            cx.send(from, EventMessage::Welcome);
            self.free(from, cx);
            self.serve(from, cx);
        } else {
            self.subscriptions.set_free(from, false);
        }
    }

    pub(super) fn fetch(&mut self, from: NodeId, since: Time, cx: &mut EventCx<'_>) {
        self.meet(from, since, cx);
        let mut page = Page::default();
        match self.params.claims {
            ClaimPolicy::Optimistic => {
                let skill = cx.fleet().skill(from);
                let slots = &self.slots;
                let last = |task| slots.get(task).map_or_else(Offset::default, |slot| slot.last);
                page = self.posts.waiting_for(skill).map(|task| (task, last(task))).collect();
                for (task, _) in page.iter() {
                    if !std::mem::replace(&mut self.slot(task).announced, true) {
                        cx.note(Fact::Announced(task));
                    }
                }
            }
            ClaimPolicy::Race => self.serve_racer(from, cx),
            ClaimPolicy::Partitioned => {
                let slots = &self.slots;
                let held = &self.known[self.agents.of(from) as usize].held;
                let untaken = |task: &TaskId| slots.get(*task).is_some_and(|slot| !slot.taken);
                let new = held.iter().copied().filter(untaken);
                let new: SmallVec<[TaskId; Page::CAPACITY]> = new.take(Page::CAPACITY).collect();
                for task in new {
                    self.run(from, task, cx);
                }
            }
        }
        cx.send(from, EventMessage::Page(page));
    }

    /// `node` was not heard of for too long.
    pub(super) fn silent(&mut self, node: NodeId, cx: &mut EventCx<'_>) {
        self.subscriptions.unsubscribe(node);
        if !self.shares.leave(node) {
            return;
        }
        let held = std::mem::take(&mut self.known(node).held);
        for &task in &held {
            if self.withdraw(task, node, cx) {
                self.redeliver(task, node, cx);
            }
        }
        if !held.is_empty() {
            let (at, _) = self.lost.find_or_insert_with(node, Vec::new);
            self.lost[at].extend(held);
        }
    }
}
