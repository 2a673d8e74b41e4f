//! What must hold in every run, whatever the pattern and whatever goes wrong.
//!
//! Each invariant is an observer of the record stream in a file of its own. It rebuilds from the records
//! alone what it needs to know (who is down, which letters are under way, who leads) and compares it with
//! what was promised; it never asks `World`, whose mistakes it is there to find. It must not know any
//! pattern: a pattern that makes a promise about itself says so in facts.
//!
//! Invariants watch every run of the tests and, with `--check`, any other; a broken one fails the run like
//! a ledger that does not add up. [`INVARIANTS`] is the one list that runs, docs and tests walk.

mod causality;
mod claims;
mod delivery;
mod down;
mod fifo;
mod leader;
mod letters;
mod log;
mod partition;
mod presence;
mod settled;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::{EventId, Span, Time};
use crate::fault::FaultPlan;
use crate::net::transport::Transport;
use crate::net::{Order, Route, Sites};
use crate::trace::{NodeId, Observer, Promise, Record};
use crate::work::{Fleet, Tasks};

/// What an invariant may know beforehand: what was asked, what goes wrong, and what was promised.
#[derive(Debug)]
pub struct Ground {
    /// Who takes part.
    pub fleet: Arc<Fleet>,
    /// What is asked.
    pub tasks: Arc<Tasks>,
    /// What goes wrong.
    pub faults: Arc<FaultPlan>,
    /// Latency between sites.
    pub sites: Arc<Sites>,
    /// What links promise about order.
    pub order: Order,
    /// How letters travel.
    pub transport: Box<dyn Transport + Send>,
    /// Whether links may lose letters.
    pub lossy: bool,
    /// Whether relays remember after an outage.
    pub durable: bool,
    /// Whether the pattern is a reference that knows everything at once.
    pub oracle: bool,
    /// Promises the pattern does not make.
    pub gives_up: &'static [Promise],
}

impl Ground {
    /// The relay that keeps letters from `from` until `to` asks for them, if there is one.
    fn keeper(&self, from: NodeId, to: NodeId) -> Option<NodeId> {
        if from == to || self.oracle {
            return None;
        }
        match self.transport.route(to, &self.fleet) {
            Route::Direct => None,
            Route::Mailbox { relay } => Some(relay),
        }
    }

    /// The least time a letter takes.
    fn least_latency(&self, from: NodeId, to: NodeId) -> Span {
        if from == to || self.oracle {
            return Span::ZERO;
        }
        let hop = |from, to| self.sites.latency(self.fleet.site(from), self.fleet.site(to));
        match self.keeper(from, to) {
            None => hop(from, to),
            Some(relay) => hop(from, relay) + hop(relay, to),
        }
    }
}

/// How an invariant was broken for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// When.
    pub at: Time,
    /// By whom, or between whom.
    pub nodes: Vec<NodeId>,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}", self.at)?;
        for (index, node) in self.nodes.iter().enumerate() {
            write!(f, "{} node {}", if index == 0 { "," } else { " and" }, node.0)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The first breach of an invariant; later ones mostly follow from it.
#[derive(Clone, Debug, Default)]
struct Verdict(Option<Breach>);

impl Verdict {
    fn broken(&mut self, at: Time, nodes: &[NodeId], what: impl FnOnce() -> String) {
        if self.0.is_none() {
            self.0 = Some(Breach { at, nodes: nodes.to_vec(), what: what() });
        }
    }
}

/// Something that must always hold.
pub trait Invariant: Observer + fmt::Debug {
    /// How it was broken, if it was.
    fn breach(&self) -> Option<&Breach>;
}

/// An invariant as runs, docs and tests see it.
#[derive(Clone, Copy)]
pub struct InvariantDef {
    /// Name in messages; snake_case.
    pub name: &'static str,
    /// What must hold, in one line.
    pub about: &'static str,
    /// Begins to watch a run.
    pub watch: fn(&Rc<Ground>) -> Box<dyn Invariant>,
}

impl fmt::Debug for InvariantDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvariantDef").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All invariants.
pub const INVARIANTS: &[InvariantDef] = &[
    tasks::DEF,
    settled::DEF,
    claims::DEF,
    leader::DEF,
    log::DEF,
    partition::DEF,
    down::DEF,
    fifo::DEF,
    delivery::DEF,
    causality::DEF,
];

/// Every invariant, watching one run.
#[derive(Debug)]
pub struct Checks(Vec<(&'static str, Box<dyn Invariant>)>);

impl Checks {
    /// Begins to watch a run on `ground`.
    pub fn new(ground: &Rc<Ground>) -> Checks {
        Checks(INVARIANTS.iter().map(|def| (def.name, (def.watch)(ground))).collect())
    }
    /// One line for each broken invariant: its name, when, by whom, and what happened.
    pub fn broken(&self) -> Vec<String> {
        let breaches = self.0.iter().filter_map(|(name, invariant)| Some((name, invariant.breach()?)));
        breaches.map(|(name, breach)| format!("invariant `{name}` {breach}")).collect()
    }
}

impl Observer for Checks {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        for (_, invariant) in &mut self.0 {
            invariant.observe(at, cause, record);
        }
    }
}
