//! Hybrid: a relay decides who, the agents talk about what.
//!
//! The protocol of agent networks such as ANTS. A relay is lightweight infrastructure (subscriptions, a
//! broadcast and a table of claims, no intelligence); everything that needs understanding travels directly
//! between the two agents concerned:
//!
//! ```text
//! client     requester          relay            agents           winner
//!   │ submit    │                 │                 │                │
//!   ├──────────▶│ post (brief)    │                 │                │
//!   │◀──────────┼────────────────▶│ offer (fan_out) │                │
//!   │    ack    │◀────────────────┼────────────────▶│                │
//!   │           │     posted      │◀────────────────┤ claim          │
//!   │           │                 ├────────────────▶│ conflict (409) │
//!   │           │                 ├─────────────────┼───────────────▶│ granted (lease, fence)
//!   │           │◀────────────────┼─────────────────┼────────────────┤ scope        (cognition)
//!   │           ├─────────────────┼─────────────────┼───────────────▶│ agreed       (cognition)
//!   │           ├─────────────────┼─────────────────┼───────────────▶│ context      (cognition)
//!   │           │                 │◀── renew ───────┼────────────────┤ … works …
//!   │           │                 │◀────────────────┼────────────────┤ result
//!   │           │◀── outcome ─────┤ settles ────────┼───────────────▶│ resolved, free again
//! ```
//!
//! 1. *Entry.* A client submits to an agent found by hash of the task; a repeated submission goes to another
//!    one, since a hash does not know who is up. That agent is the task's *requester*, besides its own work.
//! 2. *Claim.* The relay broadcasts a post to at most `fan_out` subscribers that said they are free and
//!    able, longest unserved first. The first claim wins; the order of arrival at the relay is the decision.
//!    A post that nobody claims is offered again with back-off; whoever becomes free is offered the oldest.
//! 3. *Scope.* The requester answers on its cognition, between two turns of its own work: the price of
//!    talking to somebody who is busy. Winner and requester both read.
//! 4. *Result.* The relay accepts the first result and notifies the requester. With `verify` the result
//!    goes to the requester first, which checks it on its cognition (trust tax); what fails is offered again.
//!
//! What goes wrong:
//!
//! | fault | what happens |
//! |---|---|
//! | winner dies, is cut off, hangs | its lease runs out; the relay offers the task again (redelivery) |
//! | winner only seemed dead | it claims again; refused, it drops its work; a finished output still counts |
//! | requester dies | after `scope_timeout` the winner takes the brief from the relay's copy and goes ahead |
//! | relay out | posts, claims and results are repeated with back-off and full jitter; leases stand still |
//! | relay lost its memory | holders claim again, requesters post again every `watch` |
//! | one of several relays out | posts and results go to the next one; the first post is withdrawn later |
//!
//! Not promised (see [`Hybrid::GIVES_UP`]):
//! - *no task lost*: a client is acknowledged when its requester has the task, and it is safe only when
//!   the relay has the post. A requester that crashes in between takes it along: a round trip normally, the
//!   whole outage if the relay is out.
//! - *no single point*: with one relay nothing is claimed or settled while it is out.
//! - *settled once*: holds with one durable relay, whose claim table orders all results. A relay that lost
//!   its memory, or a second relay standing in for one that is cut off, can settle a task again.
//!
//! Claims and leases: Gray & Cheriton, SOSP 1989. Direct agreement between the two concerned: Smith, IEEE
//! Trans. Computers 29(12), 1980.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::homes::Homes;
use crate::engine::{Rng, Span};
use crate::error::{Problem, Problems};
use crate::mechanism::Backoff;
use crate::mechanism::hash::partition;
use crate::sim::{CxOf, Protocol, Seat, Seats, Submission, Work, WorkKind};
use crate::trace::{ExecutionId, NodeId, Promise, SkillId, TaskId};
use crate::work::{Fleet, Role};

mod agent;
mod message;
mod parcels;
mod relay;
mod requester;
mod worker;

use agent::Agent;
pub use message::Msg;
use relay::RelaySeat;

/// Requests sent to one relay in vain before the next one is tried, where there are several.
const TRIES_PER_RELAY: u32 = 3;

/// `[pattern.hybrid]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Relays an agent subscribes to; 0: all. With fewer, relays share the agents as they share the tasks,
    /// and none needs to know everybody: there are relays ÷ `homes`
    /// groups, rounded down, each with agents of its own. Default 0.
    pub homes: u32,
    /// Most agents one offer goes to. More: claimed sooner, at the price of as many conflicts. Default 6.
    pub fan_out: u32,
    /// A claim lapses this long after it was granted or renewed. Holders renew three times as often.
    /// Default 90 s.
    pub lease: Span,
    /// Wait before an offer nobody took is repeated; doubles each time, up to `cap`. Default 5 s, 60 s.
    pub rebroadcast: Backoff,
    /// A free agent tells the relays that it is there this often; after three silent periods it is forgotten.
    /// Default 60 s.
    pub presence: Span,
    /// A request unanswered for this long, and for a back-off of `retry` on top, is repeated.
    /// Default 3 s.
    pub reply_timeout: Span,
    /// Random part of the wait before a repetition (full jitter). Default 1 s, 30 s.
    pub retry: Backoff,
    /// A winner waits this long for its requester, then goes ahead with the relay's copy of the brief.
    /// Default 60 s.
    pub scope_timeout: Span,
    /// Length of a scope proposal, and of the answer to it \[tokens\]. Default 400.
    pub scope_tokens: u32,
    /// A requester without the outcome posts again this often. Default 300 s.
    pub watch: Span,
    /// Whether the requester verifies results before the relay settles. Default false.
    pub verify: bool,
    /// A winner waits this long for its output to be verified, then hands it in unverified.
    /// Default 300 s.
    pub verify_timeout: Span,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            homes: 0,
            fan_out: 6,
            lease: Span::from_secs(90),
            rebroadcast: Backoff { base: Span::from_secs(5), cap: Span::from_secs(60) },
            presence: Span::from_secs(60),
            reply_timeout: Span::from_secs(3),
            retry: Backoff { base: Span::from_secs(1), cap: Span::from_secs(30) },
            scope_timeout: Span::from_secs(60),
            scope_tokens: 400,
            watch: Span::from_secs(300),
            verify: false,
            verify_timeout: Span::from_secs(300),
        }
    }
}

impl Params {
    /// Time between two renewals of a lease: one of them may be lost.
    fn renewal(&self) -> Span {
        self.lease.mul_f64(1.0 / 3.0)
    }
    /// How long to wait for the answer to try number `tries`, from 0.
    fn patience(&self, tries: u32, cx: &mut CxOf<'_, Hybrid>) -> Span {
        self.reply_timeout + self.retry.delay(tries, &mut cx.rng())
    }
    /// Who was silent for this long is not there.
    fn silence(&self) -> Span {
        self.presence.mul_f64(3.0)
    }
}

/// What nodes of the pattern remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Relay: a lease may have run out.
    Lapse,
    /// Relay: repeat an offer.
    Repeat(TaskId),
    /// Agent: tell the relays that I am there.
    Presence,
    /// Worker: no answer to a claim.
    Claim(TaskId),
    /// Worker: no answer from the requester.
    Scope(TaskId),
    /// Worker: I have read my own post.
    Read(TaskId),
    /// Worker: no answer from the relay about the brief.
    Brief(TaskId),
    /// Worker: prolong a lease.
    Renew(TaskId),
    /// Worker: an execution ended.
    Worked(TaskId),
    /// Worker: nobody took my output.
    Parcel(TaskId),
    /// Requester: post again.
    Post(TaskId),
    /// Requester: a relay has not yet dropped a post that moved elsewhere.
    Withdraw(TaskId),
    /// Requester: a verification ended.
    Checked(TaskId),
    /// Requester: no answer to the verdict on this execution.
    Verdict(TaskId, ExecutionId),
}

/// One node of the pattern `hybrid`.
#[derive(Debug)]
pub struct Hybrid(Node);

/// By role.
#[derive(Debug)]
enum Node {
    Relay(Box<RelaySeat>),
    Client,
    Agent(Box<Agent>),
}

impl Protocol for Hybrid {
    const NAME: &'static str = "hybrid";
    const ABOUT: &'static str = "ANTS: agents claim at a relay, first wins, and talk to each other directly";
    const GIVES_UP: &'static [Promise] = &[Promise::SettledOnce, Promise::NoTaskLost, Promise::NoSinglePoint];
    /// Shared by all nodes of a run.
    type Params = Arc<Params>;
    type Msg = Msg;
    type Timer = Timer;

    fn check(params: &Arc<Params>, fleet: &Fleet) -> Result<(), Problems> {
        let mut problems = Problems::new();
        if fleet.relays() == 0 {
            let problem = Problem::new("`hybrid` claims at a relay, and there is none");
            problems.push(problem.remedy("give the scenario at least one relay"));
        }
        if params.fan_out == 0 {
            let problem = Problem::new("an offer to nobody is never taken").key("fan_out");
            problems.push(problem.remedy("1 or more"));
        }
        for (key, span) in [
            ("lease", params.lease),
            ("presence", params.presence),
            ("reply_timeout", params.reply_timeout),
            ("scope_timeout", params.scope_timeout),
            ("watch", params.watch),
            ("rebroadcast.base", params.rebroadcast.base),
            ("rebroadcast.cap", params.rebroadcast.cap),
        ] {
            if span.is_zero() {
                problems.push(Problem::new("must be longer than nothing").key(key));
            }
        }
        if params.lease <= params.reply_timeout {
            let message = format!(
                "a claim would lapse ({}) before its holder repeats itself ({})",
                params.lease, params.reply_timeout
            );
            problems.push(Problem::new(message).key("lease").remedy("several times `reply_timeout`"));
        }
        Homes::problem(params.homes, fleet).into_iter().for_each(|problem| problems.push(problem));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn seats(_: &Arc<Params>, fleet: &Fleet) -> Seats {
        Seats {
            authority: (0..fleet.relays()).map(|index| fleet.relay(index)).collect(),
            reserved: Vec::new(),
        }
    }

    fn entry(_: &Arc<Params>, fleet: &Fleet, _: &Seats, submission: Submission) -> NodeId {
        fleet.seat(entry_position(submission.task, submission.attempt, fleet.able(None).len() as u32))
    }

    fn sit(params: &Arc<Params>, seat: &Seat<'_>) -> Hybrid {
        Hybrid(match seat.fleet.role(seat.node) {
            Role::Relay => Node::Relay(Box::new(RelaySeat::new(**params, seat))),
            Role::Client => Node::Client,
            Role::Agent => Node::Agent(Box::new(Agent::new(Arc::clone(params)))),
        })
    }

    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(relay) => relay.on_start(cx),
            Node::Client => {}
            Node::Agent(agent) => agent.worker.on_start(cx),
        }
    }

    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(_) | Node::Client => unreachable!("clients submit to agents"),
            Node::Agent(agent) => agent.requester().on_task(task, cx),
        }
    }

    fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(relay) => relay.on_message(from, msg, cx),
            Node::Client => unreachable!("nobody writes to a client: {msg:?}"),
            Node::Agent(agent) => agent.hear(from, msg, cx),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Node::Relay(relay) => relay.on_timer(timer, cx),
            Node::Client => unreachable!("a client sets no timer: {timer:?}"),
            Node::Agent(agent) => agent.remind(timer, cx),
        }
    }

    fn on_work(&mut self, done: Work, _: Timer, cx: &mut CxOf<'_, Self>) {
        match (&mut self.0, done.kind) {
            (Node::Relay(_) | Node::Client, _) => unreachable!("only agents work"),
            (Node::Agent(agent), WorkKind::Verified { .. }) => agent.requester().on_work(done, cx),
            (Node::Agent(agent), WorkKind::Executed(_) | WorkKind::Hung) => agent.worker.on_work(done, cx),
        }
    }

    #[inline]
    fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        match &self.0 {
            Node::Relay(relay) => relay.foresee(from, task),
            Node::Client => {}
            Node::Agent(agent) => agent.foresee(),
        }
    }

    fn on_crash(&mut self) {
        match &mut self.0 {
            Node::Relay(relay) => relay.on_crash(),
            Node::Client => {}
            Node::Agent(agent) => **agent = agent.wiped(),
        }
    }
}

/// Which of `agents` present agents is asked at `attempt`: the first by jump hash, the others in steps that
/// differ from task to task, so that the tasks of a dead agent do not all meet again at the next one.
/// Two attempts in a row never meet the same agent, if there are two.
fn entry_position(task: TaskId, attempt: u32, agents: u32) -> u32 {
    let first = partition(task, agents);
    if attempt == 0 || agents == 1 {
        return first;
    }
    let step = 1 + Rng::from_state(u64::from(task.0)).below(agents - 1);
    ((u64::from(first) + u64::from(attempt) * u64::from(step)) % u64::from(agents)) as u32
}

fn skill_of(cx: &CxOf<'_, Hybrid>) -> SkillId {
    cx.fleet().skill(cx.me()).expect("an agent has a skill")
}

/// The relay after `relay` among those that know the same agents.
fn next_relay(relay: NodeId, params: &Params, fleet: &Fleet) -> NodeId {
    Homes::new(params.homes, fleet).next(relay)
}

#[cfg(test)]
mod tests;
