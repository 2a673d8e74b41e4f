//! Peer to peer: the agents find each other and agree, task by task, by contract net.
//!
//! Nobody is in charge. A client hands its task to an agent chosen by hash, which becomes the *manager* of
//! that task and of no other: it calls for bids, awards, watches the *contractor* and hands the result
//! in. The negotiation is the contract net (Smith, "The Contract Net Protocol", IEEE Trans. Computers
//! C-29(12), 1980) with the performatives of the FIPA Contract Net Interaction Protocol (SC00029H, 2002);
//! finding candidates is a directory lookup behind a cached, ageing view (Jelasity et al., ACM TOCS
//! 25(3), 2007), watching is a timeout detector (Chandra & Toueg, JACM 43(2), 1996).
//!
//! ```text
//! client   manager          directory        candidates (k)             phase
//!   │ submit ─▶│ lookup ─────────▶│               │                     discovery, if too few peers
//!   │          │◀───────── peers  │               │                     are known (else skipped)
//!   │          │ call ───────────────────────────▶│ × k                 negotiation
//!   │          │◀──────────────────── bid, refuse │ × k
//!   │          │ award ──────────────────────────▶│ × 1: earliest completion
//!   │          │ reject ─────────────────────────▶│ × other bids
//!   │          │◀──────────────── confirm, decline│
//!   │          │ handover (context tokens) ──────▶│                     context, on cognition
//!   │          │◀──────────────── progress … │     every 15 s           synchronisation
//!   │          │◀───────────────────────── result │
//!   │◀─settle──│ settled ────────────────────────▶│
//! ```
//!
//! With k bids from k peers and no fault: FIPA's 3k + 1 messages (k calls, k bids, an award, k − 1 rejects,
//! a result), and three more that a network which loses messages asks for: confirm, handover, settled.
//! A manager bids too, without messages, when a round of calls came to nothing (with `manager_bids` at
//! once); if it wins, the k peers cost 3k.
//!
//! *Who waits where.* In its first rounds a manager calls for agents that are free, so that a task waits
//! where it can still go anywhere; only when that fails does it accept a place in a bounded queue. When
//! nobody bids it backs off, asks a directory for other names and calls again.
//!
//! *What goes wrong.* A peer that does not answer is forgotten; a view grown thin is discovered anew. A
//! contractor silent for too long loses the task, which is called again. A manager that crashes forgets
//! its tasks, but contractors keep reporting: it learns again what it manages. One that does not come
//! back leaves its contractor with the result, who settles it alone after some tries.
//!
//! *What is given up.* Two agents can come to manage one task (the client's first submission was taken,
//! its acknowledgement lost), and a contractor behind a partition can finish what was called again;
//! nobody arbitrates, so a task may be settled twice. A manager that crashes before anyone confirmed
//! takes the task with it. What is not given up: no single node is needed, the directories included.

mod contractor;
mod finder;
mod manager;
mod message;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use self::contractor::{Duties, Offer};
use self::finder::Finder;
use self::manager::Deals;
pub use self::message::Msg;
use crate::engine::{Rng, Span, prefetch};
use crate::error::{Problem, Problems};
use crate::mechanism::{Backoff, PeerConfig, hash};
use crate::relay::{Relay, RelayConfig, RelayReply};
use crate::sim::{CxOf, Protocol, Seat, Seats, Submission, Work};
use crate::trace::{NodeId, Promise, TaskId};
use crate::work::{Fleet, Role};

/// The `[pattern.peer_to_peer]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Peers called to bid for a task (k).
    pub candidates: u16,
    /// Whether a manager bids for its own task from the first round on, not only after peers turned it
    /// down. Saves messages; a crash then takes manager and contractor at once, and the task with them.
    pub manager_bids: bool,
    /// Rounds in which only free agents are asked to bid, before a place in a queue will do.
    pub free_rounds: u16,
    /// Tasks an agent may have at hand when it bids for one more.
    pub max_queue: u16,
    /// Time for bids to come in.
    pub bid_deadline: Span,
    /// Time after which a lookup, an award or a result counts as unanswered.
    pub answer_timeout: Span,
    /// Time between two progress reports of a contractor.
    pub progress_every: Span,
    /// A contractor silent for this long loses the task.
    pub silence: Span,
    /// Times a result is sent to a manager that does not answer, before its contractor settles alone.
    pub result_tries: u32,
    /// Longest wait before calling again after the first call without a bid; doubles each time.
    pub retry_base: Span,
    /// Longest wait before any later call.
    pub retry_cap: Span,
    /// Most peers an agent remembers.
    pub cache_capacity: u16,
    /// A peer not heard of for this long is forgotten.
    pub cache_ttl: Span,
    /// A directory is asked when fewer suitable peers than this are known.
    pub cache_enough: u16,
    /// Peers asked for in one lookup; six to a message.
    pub lookup_size: u8,
    /// Time between two registrations of an agent in its directory.
    pub register_every: Span,
    /// A directory forgets who has not registered for this long.
    pub directory_ttl: Span,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            candidates: 8,
            manager_bids: false,
            free_rounds: 6,
            max_queue: 2,
            bid_deadline: Span::from_secs(2),
            answer_timeout: Span::from_secs(2),
            progress_every: Span::from_secs(15),
            silence: Span::from_secs(50),
            result_tries: 6,
            retry_base: Span::from_secs(1),
            retry_cap: Span::from_secs(20),
            cache_capacity: 32,
            cache_ttl: Span::from_secs(300),
            cache_enough: 8,
            lookup_size: 18,
            register_every: Span::from_secs(60),
            directory_ttl: Span::from_secs(150),
        }
    }
}

impl Params {
    fn retry(&self) -> Backoff {
        Backoff { base: self.retry_base, cap: self.retry_cap }
    }
    /// How an agent remembers its peers.
    fn view(&self) -> PeerConfig {
        PeerConfig { capacity: self.cache_capacity, ttl: self.cache_ttl, enough: self.cache_enough }
    }
}

/// The state of one node.
#[derive(Debug)]
pub struct PeerToPeer(Place);

#[derive(Debug)]
enum Place {
    Directory(Box<Directory>),
    Client,
    Agent(Box<Agent>),
}

/// A relay, and scratch space.
#[derive(Debug)]
struct Directory {
    relay: Relay,
    replies: Vec<(NodeId, RelayReply)>,
}

/// What a node reminds itself of.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Time to register again.
    Register,
    /// A lookup is unanswered.
    Lookup {
        /// Its number.
        token: u32,
    },
    /// A task that this agent manages is due.
    Deal {
        /// The task.
        task: TaskId,
    },
    /// A task that this agent was awarded is due.
    Duty {
        /// The task.
        task: TaskId,
    },
    /// The context of a task of its own was read.
    ContextRead {
        /// The task.
        task: TaskId,
    },
    /// An execution ended.
    Executed {
        /// The task.
        task: TaskId,
    },
}

/// An agent: manager of some tasks, contractor for others. All of it is volatile. There may be a million: the
/// parameters are kept once for all of them, and what only managers or only contractors need lies behind a
/// pointer.
#[derive(Debug)]
struct Agent {
    params: Arc<Params>,
    finder: Finder,
    /// The tasks it manages or managed.
    deals: Deals,
    /// The tasks it was awarded.
    duties: Duties,
    /// Its bids, oldest first.
    offers: SmallVec<[Offer; 1]>,
}

impl Agent {
    fn new(params: Arc<Params>, finder: Finder) -> Agent {
        Agent { params, finder, deals: Deals::default(), duties: Duties::default(), offers: SmallVec::new() }
    }

    fn register(&mut self, wait: Span, cx: &mut CxOf<'_, PeerToPeer>) {
        self.finder.register(self.load(), cx);
        cx.set_timer(wait, Timer::Register);
    }

    fn receive(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, PeerToPeer>) {
        match msg {
            Msg::Ask { .. } => {} // For directories.
            Msg::Answer(reply) => {
                let tasks = self.finder.found(reply, &self.params, cx);
                self.looked_up(&tasks, cx);
            }
            Msg::Call { task, round, most, again: _ } => self.called(from, task, round, most, cx),
            Msg::Bid { task, round, terms } => self.bid(from, (task, round), terms, cx),
            Msg::Refuse { task, round } => self.refused(from, task, round, cx),
            Msg::Award { task, round } => self.awarded(from, task, round, cx),
            Msg::Reject { task, round } => self.rejected(from, task, round, cx),
            Msg::Confirm { task, round } => self.confirm(from, task, round, cx),
            Msg::Decline { task, round } => self.declined(from, task, round, cx),
            Msg::Handover { task, round } => self.context_read(from, task, round, cx),
            Msg::Progress { task, waiting } => self.progress(from, task, waiting, cx),
            Msg::Outcome(output) => self.settle(output, from, cx),
            Msg::Settled(task) => self.delivered(task, cx),
            Msg::Cancel(task) => self.cancelled(from, task, cx),
        }
    }
}

impl Protocol for PeerToPeer {
    const NAME: &'static str = "peer_to_peer";
    const ABOUT: &'static str = "agents find each other through directories and award tasks by contract net";
    const GIVES_UP: &'static [Promise] = &[Promise::SettledOnce, Promise::NoTaskLost];
    /// Shared by all nodes of a run.
    type Params = Arc<Params>;
    type Msg = Msg;
    type Timer = Timer;

    fn check(params: &Arc<Params>, fleet: &Fleet) -> Result<(), Problems> {
        let mut problems = Problems::new();
        if fleet.relays() == 0 {
            let problem = Problem::new("peers find each other through relays, and there is none");
            problems.push(problem.remedy("give the scenario at least one relay"));
        }
        let mut demand = |holds: bool, key: &str, message: &str, remedy: &str| {
            if !holds {
                problems.push(Problem::new(message).key(key).remedy(remedy));
            }
        };
        demand(params.candidates > 0, "candidates", "nobody would be called", "call 1 or more");
        demand(params.lookup_size > 0, "lookup_size", "lookups would find nobody", "ask for 1 or more");
        demand(
            params.cache_capacity >= params.candidates.max(params.cache_enough),
            "cache_capacity",
            "fewer peers are remembered than `candidates` or `cache_enough`",
            "raise it to the larger of the two",
        );
        demand(params.cache_enough > 0, "cache_enough", "a directory would never be asked", "set 1 or more");
        let spans = [
            (params.bid_deadline, "bid_deadline"),
            (params.answer_timeout, "answer_timeout"),
            (params.progress_every, "progress_every"),
            (params.retry_base, "retry_base"),
            (params.cache_ttl, "cache_ttl"),
            (params.register_every, "register_every"),
        ];
        for (span, key) in spans {
            demand(!span.is_zero(), key, "must be longer than nothing", "give it a duration such as \"2s\"");
        }
        demand(
            params.retry_cap >= params.retry_base,
            "retry_cap",
            "is shorter than `retry_base`",
            "raise it, or lower `retry_base`",
        );
        demand(
            params.silence > params.progress_every,
            "silence",
            "every contractor would be thought dead between two progress reports",
            "set it to three times `progress_every`",
        );
        demand(
            params.directory_ttl > params.register_every,
            "directory_ttl",
            "agents would be forgotten between two registrations",
            "set it to two or three times `register_every`",
        );
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn seats(_: &Arc<Params>, _: &Fleet) -> Seats {
        Seats::default()
    }

    /// An agent by jump hash of (task, attempt): O(log agents), and an agent added that is not there moves
    /// no task.
    ///
    /// Where the hash meets an absent agent it goes on among those before it, as if the fleet ended
    /// there. With absent agents last the choice is uniform over the present ones.
    fn entry(_: &Arc<Params>, fleet: &Fleet, _: &Seats, submission: Submission) -> NodeId {
        let address = (u64::from(submission.task.0) << 32) | u64::from(submission.attempt);
        let key = TaskId(Rng::from_state(address).next_u64() as u32);
        let mut count = fleet.agents();
        while count > 0 {
            count = hash::partition(key, count);
            if fleet.profiles()[count as usize].present {
                return fleet.agent(count);
            }
        }
        fleet.present().next().expect("a fleet has a present agent")
    }

    fn sit(params: &Arc<Params>, seat: &Seat<'_>) -> PeerToPeer {
        PeerToPeer(match seat.fleet.role(seat.node) {
            Role::Relay => {
                let directory_ttl = Some(params.directory_ttl);
                let config = RelayConfig { directory_ttl, notify: false, ..RelayConfig::default() };
                Place::Directory(Box::new(Directory { relay: Relay::new(config), replies: Vec::new() }))
            }
            Role::Client => Place::Client,
            Role::Agent => {
                let home = Finder::home_of(seat.fleet.index_in_role(seat.node), seat.fleet);
                Place::Agent(Box::new(Agent::new(Arc::clone(params), Finder::new(home))))
            }
        })
    }

    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        if let Place::Agent(agent) = &mut self.0 {
            // The first interval is a random part of one: a fleet that starts together must not register
            // together for ever.
            let wait = agent.params.register_every.mul_f64(cx.rng().uniform());
            agent.register(wait, cx);
        }
    }

    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        if let Place::Agent(agent) = &mut self.0 {
            agent.submitted(task, cx);
        }
    }

    fn on_message(&mut self, from: NodeId, msg: Msg, cx: &mut CxOf<'_, Self>) {
        match &mut self.0 {
            Place::Agent(agent) => agent.receive(from, msg, cx),
            Place::Directory(directory) => {
                let Directory { relay, replies } = &mut **directory;
                if let Msg::Ask { request, .. } = msg {
                    relay.handle(cx.now(), from, request, replies);
                    replies.drain(..).for_each(|(to, reply)| cx.send(to, Msg::Answer(reply)));
                }
            }
            Place::Client => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut CxOf<'_, Self>) {
        let Place::Agent(agent) = &mut self.0 else { return };
        match timer {
            Timer::Register => agent.register(agent.params.register_every, cx),
            Timer::Lookup { token } => {
                let tasks = agent.finder.unanswered(token);
                agent.looked_up(&tasks, cx);
            }
            Timer::Deal { task } => agent.deal_due(task, cx),
            Timer::Duty { task } => agent.duty_due(task, cx),
            Timer::ContextRead { task } => agent.context_read(cx.me(), task, 0, cx),
            Timer::Executed { .. } => unreachable!("executions end in on_work"),
        }
    }

    fn on_work(&mut self, done: Work, _: Timer, cx: &mut CxOf<'_, Self>) {
        if let Place::Agent(agent) = &mut self.0 {
            agent.executed(done, cx);
        }
    }

    #[inline]
    fn foresee(&self, _: Option<NodeId>, _: Option<TaskId>) {
        if let Place::Agent(agent) = &self.0 {
            prefetch(&agent.params);
            prefetch(&agent.finder);
            prefetch(&agent.deals);
            prefetch(&agent.offers);
        }
    }

    #[inline]
    fn foresee_rest(&self) {
        if let Place::Agent(agent) = &self.0 {
            agent.finder.foresee();
            agent.deals.foresee();
            agent.duties.foresee();
        }
    }

    fn on_crash(&mut self) {
        match &mut self.0 {
            Place::Agent(agent) => {
                let params = Arc::clone(&agent.params);
                let finder = agent.finder.wiped();
                **agent = Agent::new(params, finder);
            }
            Place::Directory(directory) => directory.relay.wipe(),
            Place::Client => {}
        }
    }
}
