//! Tasks are events on a log; agents react to it. Nobody is in charge but the order of the log.
//!
//! A relay keeps an append-only log (Kreps, "The Log", 2013): `Posted`, `Claimed`, `Released`, `Done`. A
//! client submits to a relay, which appends `Posted`. Agents learn of it, take the task, and append the
//! result; the first result is the answer. Agents never speak to each other.
//!
//! ```text
//! client ─ submit ─▶ relay ─ offer ─▶ fan_out free agents of the right skill    (or: agents poll)
//!                    relay ◀─ claim ─ each of them: "as of entry 17 it was open"
//!                    relay ─ grant, with the content ─▶ the first   relay ─ conflict ─▶ the others
//!                    relay ◀─ renew ─ the holder, three times a lease
//!                    relay ◀─ result ─ the holder, until recorded;  relay settles
//! ```
//!
//! How a task finds its agent is the claim policy:
//!
//! - **optimistic** — read, act, and let the append decide: a claim cites the entry it has read and is
//!   refused if the log has moved on, the backward validation of optimistic concurrency control (Kung &
//!   Robinson, ACM TODS 6(2), 1981). Refused claims are *conflicts*; claims on entries kept for a while
//!   and overtaken meanwhile are *stale*.
//! - **partitioned** — each task belongs to one live subscriber by hash, as partitions belong to the
//!   members of a Kafka consumer group (Kreps, Narkhede & Rao, NetDB 2011): no claims, no conflicts, and
//!   no balance. Assignments stick: a newcomer gets new tasks and those without an owner.
//! - **race** — up to `racers` agents begin at once; the first result wins and the others stop when they
//!   hear of it. Replication against stragglers (Dean & Barroso, CACM 56(2), 2013), paid in duplicates.
//!
//! Whoever takes a task and falls silent loses it: a claim is a lease (Gray & Cheriton, SOSP 1989) that
//! lapses unless renewed, and the entry is *redelivered*. That makes execution at-least-once; a late
//! result of an outlived claim still counts if it is the first, and the later holder is told to stop.
//!
//! What is lost on the way is covered by repetition at its sender: claims, subscriptions and results by
//! the agent (time-out plus jittered back-off), offers and assignments by the relay. A relay that
//! returns from an outage says so to the subscribers it remembers, which reconnect spread over
//! `reconnect_spread`; with `"0s"` they stampede. Leases do not run while their relay is out.
//!
//! # What it gives up
//! - `no_single_point`: always with one relay. With several, each is a log of its own: tasks on the one
//!   that is out wait for its return.
//! - `no_task_lost`: kept by a durable relay. A volatile one forgets the tasks nobody had claimed; claims
//!   and results under way rebuild the rest.
//! - `settled_once`: kept by one durable relay under every policy. Given up if a volatile relay forgets
//!   that a result was recorded, and with several relays if a client that heard nothing submits to
//!   the next one: two logs then hold the task.

mod broker;
mod holders;
mod links;
mod members;
mod message;
mod offers;
mod shares;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::broker::Broker;
pub use self::message::{EventMessage, Page};
use self::worker::Worker;
use crate::engine::Span;
use crate::error::{Problem, Problems};
use crate::mechanism::{Backoff, hash};
use crate::pattern::homes::Homes;
use crate::sim::{CxOf, Protocol, Seat, Seats, Submission, Work};
use crate::trace::{NodeId, Promise, TaskId};
use crate::work::{Fleet, Role};

/// How a task finds its agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimPolicy {
    /// Agents claim what they read; the log's order decides.
    #[default]
    Optimistic,
    /// Each task belongs to one live subscriber by hash.
    Partitioned,
    /// Several agents execute at once; the first result wins.
    Race,
}

/// How agents learn what is on the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Learn {
    /// The relay tells subscribers.
    #[default]
    Subscription,
    /// Agents ask, again and again.
    Polling {
        /// Time between two polls of a free agent.
        interval: Span,
    },
}

/// `[pattern.event_driven]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// How a task finds its agent: `"optimistic"`, `"partitioned"` or `"race"`.
    pub claims: ClaimPolicy,
    /// How agents learn: `"subscription"`, or `{ polling = { interval = "5s" } }`.
    pub learn: Learn,
    /// Relays an agent keeps in touch with; 0: all. With fewer, relays share the agents as they share the
    /// tasks, and none needs to know everybody: there are relays ÷ `homes`
    /// groups, rounded down, each with agents of its own. Default 0.
    pub homes: u32,
    /// Most agents one offer goes to, those served longest ago first; 0: all that are free and able.
    /// Optimistic claims under subscription only.
    pub fan_out: u32,
    /// Most agents that execute one task at the same time. Race only.
    pub racers: u32,
    /// A claim lapses after this long without a renewal; renewed three times as often. Under
    /// `partitioned`, a subscriber silent for this long loses its tasks.
    pub lease: Span,
    /// An offer nobody took up, or an assignment nobody confirmed, is repeated after this long.
    pub reoffer: Span,
    /// A free subscriber repeats its subscription this often, and is forgotten after three times as long.
    pub refresh: Span,
    /// An agent waits this long for an answer before it begins to back off.
    pub timeout: Span,
    /// Wait before an unanswered request is repeated, on top of `timeout`; drawn with full jitter.
    pub backoff: Backoff,
    /// Agents reconnect to a returning relay spread evenly over this long; `"0s"`: all at once.
    pub reconnect_spread: Span,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            claims: ClaimPolicy::Optimistic,
            learn: Learn::Subscription,
            homes: 0,
            fan_out: 8,
            racers: 2,
            lease: Span::from_secs(45),
            reoffer: Span::from_secs(2),
            refresh: Span::from_secs(60),
            timeout: Span::from_secs(3),
            backoff: Backoff { base: Span::from_secs(1), cap: Span::from_secs(30) },
            reconnect_spread: Span::from_secs(10),
        }
    }
}

/// What a node of this pattern reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTimer {
    /// Relay: a lease, an offer or a subscriber may be due.
    Tick,
    /// Agent: time to subscribe or poll at this relay.
    Link(NodeId),
    /// Agent: a relay is back and my turn to reconnect has come.
    Reconnect(NodeId),
    /// Agent: my claim was not answered.
    Claim,
    /// Agent: the content of my task is read.
    Read {
        /// Which reading; a task given up meanwhile has another number.
        ticket: u32,
    },
    /// Agent: my execution ended.
    Executed,
    /// Agent: time to renew my claim.
    Renew,
    /// Agent: the result of this task was not confirmed.
    Resend(TaskId),
}

/// One node of the pattern; see the [module](self).
#[derive(Debug)]
pub struct EventDriven(Node);

#[derive(Debug)]
enum Node {
    Relay(Box<Broker>),
    Agent(Box<Worker>),
    Client,
}

impl Protocol for EventDriven {
    const NAME: &'static str = "event_driven";
    const ABOUT: &'static str = "tasks are events on a relay's log; agents react and the log's order decides";
    const GIVES_UP: &'static [Promise] = &[Promise::SettledOnce, Promise::NoTaskLost, Promise::NoSinglePoint];
    /// Shared by all nodes of a run.
    type Params = Arc<Params>;
    type Msg = EventMessage;
    type Timer = EventTimer;

    fn check(params: &Arc<Params>, fleet: &Fleet) -> Result<(), Problems> {
        let mut problems = Problems::new();
        if fleet.relays() == 0 {
            let problem = Problem::new("the log needs a relay to be kept at, and the scenario has none");
            problems.push(problem.remedy("add at least one relay"));
        }
        let mut positive = |key: &str, span: Span| {
            if span.is_zero() {
                problems.push(Problem::new("must be longer than 0s").key(key));
            }
        };
        positive("lease", params.lease);
        positive("reoffer", params.reoffer);
        positive("refresh", params.refresh);
        positive("timeout", params.timeout);
        if let Learn::Polling { interval } = params.learn {
            positive("learn.polling.interval", interval);
            if params.claims == ClaimPolicy::Partitioned && interval.as_nanos() > params.lease.as_nanos() / 2
            {
                let message = format!("{interval} between polls lets a lease of {} run out", params.lease);
                let problem = Problem::new(message).key("learn.polling.interval");
                problems.push(problem.remedy("poll at least twice a lease"));
            }
        }
        if params.racers == 0 {
            problems.push(Problem::new("a race needs at least one agent").key("racers"));
        }
        Homes::problem(params.homes, fleet).into_iter().for_each(|problem| problems.push(problem));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn seats(_: &Arc<Params>, fleet: &Fleet) -> Seats {
        let authority = (0..fleet.relays()).map(|index| fleet.relay(index)).collect();
        Seats { authority, reserved: Vec::new() }
    }

    fn entry(_: &Arc<Params>, fleet: &Fleet, _: &Seats, submission: Submission) -> NodeId {
        let relays = fleet.relays();
        let home = hash::partition(submission.task, relays);
        fleet.relay((home + submission.attempt % relays) % relays)
    }

    fn sit(params: &Arc<Params>, seat: &Seat<'_>) -> EventDriven {
        EventDriven(match seat.fleet.role(seat.node) {
            Role::Relay => Node::Relay(Box::new(Broker::new(params, seat))),
            Role::Agent => Node::Agent(Box::new(Worker::new(params, seat))),
            Role::Client => Node::Client,
        })
    }

    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(broker) => broker.start(cx),
            Node::Agent(worker) => worker.start(cx),
            Node::Client => {}
        }
    }

    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(broker) => broker.submitted(task, cx),
            Node::Agent(_) | Node::Client => unreachable!("entry names relays only"),
        }
    }

    fn on_message(&mut self, from: NodeId, msg: EventMessage, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(broker) => broker.receive(from, msg, cx),
            Node::Agent(worker) => worker.receive(from, msg, cx),
            Node::Client => unreachable!("nobody writes to clients"),
        }
    }

    fn on_timer(&mut self, timer: EventTimer, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(broker) => broker.tick(cx),
            Node::Agent(worker) => worker.wake(timer, cx),
            Node::Client => {}
        }
    }

    fn on_work(&mut self, done: Work, _: EventTimer, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Agent(worker) => worker.executed(done, cx),
            Node::Relay(_) | Node::Client => unreachable!("only agents execute"),
        }
    }

    #[inline]
    fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        match &self.0 {
            Node::Relay(broker) => broker.foresee(from, task),
            Node::Agent(worker) => worker.foresee(),
            Node::Client => {}
        }
    }

    fn on_crash(&mut self) {
        match &mut self.0 {
            Node::Relay(broker) => broker.wipe(),
            Node::Agent(worker) => worker.wipe(),
            Node::Client => {}
        }
    }
}
