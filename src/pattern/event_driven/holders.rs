//! Who has a task: claims, leases, what becomes of them, and the result that ends it.

use super::ClaimPolicy;
use super::broker::{Broker, EventCx, Slot, Standing};
use super::message::EventMessage;
use crate::engine::Time;
use crate::relay::{Claim, EntryKind, Fence, Lapse, Offset, Resolution};
use crate::trace::{Fact, NodeId, Output, TaskId};

impl Broker {
    /// Writes `holder` down as the one who has `task`; says whether that is new.
    pub(super) fn hold(&mut self, task: TaskId, holder: NodeId, cx: &mut EventCx<'_>) -> bool {
        let lease = match self.params.claims {
            ClaimPolicy::Partitioned => None,
            ClaimPolicy::Optimistic | ClaimPolicy::Race => Some(self.params.lease),
        };
        let claim = self.claims.claim(self.lease_time(cx.now()), holder, task, lease);
        let Claim::Granted { fence, new } = claim else {
            unreachable!("task {} is open, or already {}'s", task.0, holder.0)
        };
        cx.note(Fact::Leased {
            task,
            holder,
            until: lease.map_or(Time::MAX, |lease| cx.now().saturating_add(lease)),
        });
        self.slot(task).fence = Some(fence);
        if new {
            self.slot(task).standing = Standing::Held(holder);
            self.append(EntryKind::Claimed, task, holder, cx);
            self.posts.set_waiting(task, false);
            self.set_due(task, None);
        }
        new
    }

    /// Gives an open task to `to`, or repeats that it has it.
    pub(super) fn grant(&mut self, to: NodeId, task: TaskId, cx: &mut EventCx<'_>) {
        if self.hold(task, to, cx) {
            self.known(to).held.push(task);
            self.slot(task).taken = false;
            self.subscriptions.set_free(to, false);
            cx.note(Fact::Decided { task, to });
            cx.note(Fact::Claimed { task, holder: to });
        }
        if self.params.claims != ClaimPolicy::Partitioned {
            self.run(to, task, cx);
        } else if self.pushes() {
            self.run(to, task, cx);
            self.set_due(task, Some(cx.now() + self.params.reoffer));
        }
    }

    pub(super) fn run(&mut self, to: NodeId, task: TaskId, cx: &mut EventCx<'_>) {
        let how = self.params.claims;
        let fence = self.slot(task).fence.expect("what is run was granted");
        cx.send(to, EventMessage::Run { task, fence, how });
    }

    pub(super) fn claim(&mut self, from: NodeId, task: TaskId, seen: Offset, cx: &mut EventCx<'_>) {
        self.adopt(task, cx);
        let Slot { standing, last, .. } = *self.slot(task);
        match standing {
            Standing::Open => {
                if seen != last {
                    // It changed hands since it was read, but nobody has it now.
                    cx.note(Fact::Stale(task));
                }
                self.grant(from, task, cx);
            }
            Standing::Held(holder) if holder == from => self.grant(from, task, cx),
            Standing::Held(_) | Standing::Done => {
                if standing != Standing::Done {
                    cx.note(Fact::Conflict(task));
                }
                let by = self.log.read(last, 1)[0];
                cx.send(from, EventMessage::Refused { task, by });
                self.serve(from, cx);
            }
            Standing::Unknown => unreachable!("it was adopted"),
        }
    }

    pub(super) fn took(&mut self, from: NodeId, task: TaskId) {
        if self.slot(task).standing == Standing::Held(from) {
            self.slot(task).taken = true;
            self.set_due(task, None);
        }
    }

    pub(super) fn renew(&mut self, from: NodeId, task: TaskId, fence: Fence, cx: &mut EventCx<'_>) {
        self.adopt(task, cx);
        let (lease, now) = (self.params.lease, self.lease_time(cx.now()));
        let standing = self.slot(task).standing;
        match standing {
            Standing::Held(me) if me == self.me => {
                if !self.slot(task).racers.contains(&from) {
                    self.enter(task, from, cx);
                }
                self.hold(task, me, cx);
            }
            Standing::Open if self.params.claims == ClaimPolicy::Race => self.enter(task, from, cx),
            Standing::Held(holder) if holder == from => {
                if self.claims.renew(now, from, task, fence, lease).is_some() {
                    cx.note(Fact::Leased { task, holder, until: cx.now().saturating_add(lease) });
                } else {
                    self.grant(from, task, cx);
                }
            }
            // It lapsed and nobody wanted it: who is at it goes on, under a new grant.
            Standing::Open => self.grant(from, task, cx),
            Standing::Held(_) | Standing::Done => {
                cx.note(Fact::Stale(task));
                cx.send(from, EventMessage::Stop { task });
            }
            Standing::Unknown => unreachable!("it was adopted"),
        }
    }

    pub(super) fn release(&mut self, from: NodeId, task: TaskId, fence: Fence, cx: &mut EventCx<'_>) {
        if self.slot(task).fence == Some(fence) && self.withdraw(task, from, cx) {
            self.reopen(task, from, cx);
            self.place(task, cx);
        }
    }

    /// `node` no longer has `task`; says whether nobody has it now.
    pub(super) fn withdraw(&mut self, task: TaskId, node: NodeId, cx: &mut EventCx<'_>) -> bool {
        let now = self.lease_time(cx.now());
        let me = self.me;
        self.known(node).held.retain(|held| *held != task);
        let racers_most = self.params.racers;
        let slot = self.slot(task);
        let holder = match slot.standing {
            Standing::Held(holder) if holder == me => {
                slot.racers.retain(|racer| *racer != node);
                if !slot.racers.is_empty() {
                    let full = slot.racers.len() as u32 >= racers_most;
                    self.posts.set_waiting(task, !full);
                    return false;
                }
                me
            }
            Standing::Held(holder) if holder == node => node,
            Standing::Unknown | Standing::Open | Standing::Held(_) | Standing::Done => return false,
        };
        let released = slot.fence.is_some_and(|fence| self.claims.release(now, holder, task, fence));
        debug_assert!(released, "slots and claims agree");
        if released {
            cx.note(Fact::Freed(task));
        }
        released
    }

    /// `task` is open again.
    pub(super) fn reopen(&mut self, task: TaskId, holder: NodeId, cx: &mut EventCx<'_>) {
        self.append(EntryKind::Released, task, holder, cx);
        self.set_due(task, None);
        self.posts.set_waiting(task, true);
        let slot = self.slot(task);
        (slot.standing, slot.announced, slot.taken) = (Standing::Open, false, false);
        cx.note(Fact::Queued(task));
    }

    pub(super) fn redeliver(&mut self, task: TaskId, holder: NodeId, cx: &mut EventCx<'_>) {
        cx.note(Fact::Redelivered(task));
        self.reopen(task, holder, cx);
        self.place(task, cx);
    }

    /// Takes tasks from holders whose lease ran out.
    pub(super) fn lapse(&mut self, cx: &mut EventCx<'_>) {
        let now = self.lease_time(cx.now());
        while let Some(Lapse { task, holder, .. }) = self.claims.expire(now) {
            for racer in std::mem::take(&mut self.slot(task).racers) {
                self.known(racer).held.retain(|held| *held != task);
            }
            if holder != self.me {
                self.known(holder).held.retain(|held| *held != task);
            }
            self.redeliver(task, holder, cx);
        }
    }

    pub(super) fn result(&mut self, from: NodeId, output: Output, free: bool, cx: &mut EventCx<'_>) {
        let task = output.task;
        self.adopt(task, cx);
        let earlier = self.claims.output(task);
        match self.claims.resolve(output, None) {
            Resolution::First => self.done(from, output, cx),
            Resolution::Repeated => {
                // The same output again is a repetition whose confirmation was lost; another is late.
                if earlier.is_none_or(|earlier| earlier.execution != output.execution) {
                    cx.note(Fact::Stale(task));
                }
            }
            Resolution::Fenced { .. } => unreachable!("results come without a fence"),
        }
        cx.send(from, EventMessage::Recorded { task });
        if free {
            self.free(from, cx);
            self.serve(from, cx);
        }
    }

    /// The first result of a task: it is settled here and now, and whoever else is at it may stop.
    pub(super) fn done(&mut self, from: NodeId, output: Output, cx: &mut EventCx<'_>) {
        let task = output.task;
        let mut others = std::mem::take(&mut self.slot(task).racers);
        if let Standing::Held(holder) = self.slot(task).standing
            && holder != self.me
        {
            others.push(holder);
        }
        if !others.contains(&from) || self.params.claims == ClaimPolicy::Race {
            // The claim did not choose this one; recording its result does.
            cx.note(Fact::Decided { task, to: from });
        }
        for node in others {
            self.known(node).held.retain(|held| *held != task);
            if node != from {
                cx.send(node, EventMessage::Stop { task });
            }
        }
        self.append(EntryKind::Done, task, from, cx);
        self.posts.set_waiting(task, false);
        self.set_due(task, None);
        self.slot(task).standing = Standing::Done;
        cx.settle(task, output);
    }
}
