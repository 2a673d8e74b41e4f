//! The ledger: where agent time goes (model.md §3).
//!
//! At every instant of the measured window each agent is in exactly one state: down, cognition busy
//! (executing, verifying, coordinating), harness busy, or free. Times are whole nanoseconds, and per agent
//! they sum to its lifetime exactly; [`Ledger::check`] says where they do not. An agent that does several
//! things at once divides its time among them equally. What executing was good for
//! is booked when its fate is known. Free time is split fleet-wide into *blocked* (a free agent and a
//! startable task that do not meet) and *idle*; see `blocked.rs`.

mod agents;
mod blocked;
mod columns;
mod matching;

use std::sync::Arc;

pub use columns::DEFS;

use agents::AgentTime;
use blocked::Blocked;

use super::MetricSet;
use crate::engine::{EventId, Time, prefetch_at};
use crate::trace::{Activity, ExecutionId, Fate, NodeId, Observer, Plane, Record, TaskId};
use crate::work::{Fleet, Role, Tasks};

/// Time one execution took inside the window.
#[derive(Clone, Copy, Debug, Default)]
struct Booking {
    agent: u32,
    nominal_ns: u64,
    slowed_ns: u64,
}

/// Totals by fate, in agent nanoseconds and in capacity-seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    pub(super) ns: u128,
    pub(super) capacity_s: f64,
}

impl Total {
    fn add(&mut self, ns: u64, speed: f64) {
        self.ns += u128::from(ns);
        self.capacity_s += ns as f64 * 1e-9 * speed;
    }
}

/// Folds records into the ledger of a run.
#[derive(Debug)]
pub struct Ledger {
    fleet: Arc<Fleet>,
    warmup: Time,
    first_agent: u32,
    agents: Vec<AgentTime>,
    executions: Vec<Booking>,
    fates: [Total; Fate::ALL.len()],
    slowed: Total,
    blocked: Blocked,
    /// Busy server time of relays \[ns\], by relay.
    relay_busy: Vec<(u64, u32, Time)>,
    relay_servers: u32,
    end: Time,
}

impl Ledger {
    /// An empty ledger for a run whose measured window opens at `warmup`.
    pub fn new(fleet: Arc<Fleet>, tasks: Arc<Tasks>, warmup: Time) -> Ledger {
        let first_agent = fleet.agent_nodes().start;
        Ledger {
            agents: fleet.profiles().iter().map(AgentTime::new).collect(),
            executions: Vec::with_capacity(tasks.len()),
            blocked: Blocked::new(&fleet, tasks, warmup),
            relay_busy: vec![(0, 0, Time::ZERO); fleet.relays() as usize],
            relay_servers: 1,
            fleet,
            warmup,
            first_agent,
            fates: Default::default(),
            slowed: Total::default(),
            end: Time::ZERO,
        }
    }

    /// The same ledger where relays have this many servers each; without, they have one.
    pub fn with_relay_servers(mut self, servers: u32) -> Ledger {
        self.relay_servers = servers;
        self
    }

    #[inline]
    fn agent(&self, node: NodeId) -> Option<usize> {
        node.0.checked_sub(self.first_agent).map(|index| index as usize)
    }

    /// Closes the running stretch of an agent and lets `change` alter its condition.
    #[inline]
    fn change(&mut self, now: Time, agent: usize, change: impl FnOnce(&mut AgentTime)) {
        let time = &mut self.agents[agent];
        let was_free = time.is_free();
        let span = now.saturating_since(time.since.max(self.warmup)).as_nanos();
        if span > 0 {
            time.close(span, |execution, part, nominal_ns| {
                let booking = &mut self.executions[execution.index()];
                booking.nominal_ns += nominal_ns;
                booking.slowed_ns += part - nominal_ns;
            });
        }
        time.since = now;
        change(time);
        let is_free = time.is_free();
        if was_free != is_free {
            self.blocked.agent_free(now, agent, is_free);
        }
    }

    fn began(&mut self, now: Time, node: NodeId, plane: Plane, activity: Activity) {
        match self.agent(node) {
            Some(agent) => self.change(now, agent, |time| time.began(plane, activity)),
            None => self.relay_load(now, node, 1),
        }
    }

    fn ceased(&mut self, now: Time, node: NodeId, plane: Plane, activity: Activity) {
        match self.agent(node) {
            Some(agent) => self.change(now, agent, |time| time.ceased(plane, activity)),
            None => self.relay_load(now, node, -1),
        }
    }

    fn relay_load(&mut self, now: Time, node: NodeId, step: i32) {
        if self.fleet.role(node) == Role::Relay {
            let (busy, load, since) = &mut self.relay_busy[node.index()];
            *busy += now.saturating_since((*since).max(self.warmup)).as_nanos()
                * u64::from((*load).min(self.relay_servers));
            *load = load.checked_add_signed(step).expect("a relay ceases what it began");
            *since = now;
        }
    }

    fn book(&mut self, execution: ExecutionId, fate: Fate) {
        let booking = std::mem::take(&mut self.executions[execution.index()]);
        let speed = self.fleet.profiles()[booking.agent as usize].speed;
        self.fates[fate as usize].add(booking.nominal_ns, speed);
        self.slowed.add(booking.slowed_ns, speed);
        // Time of this execution that is closed later (its agent was caught in the middle of a stretch)
        // is booked by the same agent: keep who it was.
        self.executions[execution.index()].agent = booking.agent;
    }

    fn finish(&mut self, now: Time) {
        self.end = now;
        for agent in 0..self.agents.len() {
            self.change(now, agent, |_| {});
        }
        for relay in 0..self.relay_busy.len() {
            self.relay_load(now, NodeId(relay as u32), 0);
        }
        self.blocked.finish(now);
    }

    /// Length of the measured window \[ns\].
    pub fn window_ns(&self) -> u64 {
        self.end.saturating_since(self.warmup).as_nanos()
    }

    /// Busy share of an agent's attention (either plane), or of a relay's servers, in the window.
    pub fn busy_share(&self, node: NodeId) -> f64 {
        let window = self.window_ns() as f64;
        match self.agent(node) {
            Some(agent) => self.agents[agent].busy_ns() as f64 / window,
            None if self.fleet.role(node) == Role::Relay => {
                self.relay_busy[node.index()].0 as f64 / (window * f64::from(self.relay_servers))
            }
            None => 0.0,
        }
    }

    /// What does not add up: empty in a correct run.
    pub fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let window = self.window_ns();
        let (mut free, mut executing) = (0_u128, 0_u128);
        for (index, time) in self.agents.iter().enumerate() {
            if time.total_ns() != window && wrong.len() < 5 {
                wrong.push(format!(
                    "ledger: agent {index} accounts for {} ns of a lifetime of {window} ns",
                    time.total_ns()
                ));
            }
            if time.unpaired && wrong.len() < 5 {
                wrong.push(format!(
                    "ledger: agent {index} began more than a plane serves, or ceased what it had not begun"
                ));
            }
            free += u128::from(time.free_ns);
            executing += u128::from(time.executing_ns);
        }
        let (blocked, idle) = self.blocked.matching.split_ns();
        if blocked + idle != free {
            wrong.push(format!("ledger: blocked {blocked} ns + idle {idle} ns are not the free {free} ns"));
        }
        let booked = self.fates.iter().map(|total| total.ns).sum::<u128>() + self.slowed.ns;
        if booked != executing {
            wrong.push(format!("ledger: {booked} ns booked by fate, {executing} ns spent executing"));
        }
        wrong
    }

    /// Fills this observer's columns.
    pub fn report(&self, metrics: &mut MetricSet) {
        columns::report(self, metrics);
    }
}

impl Ledger {
    /// Asks for what records of `node` will touch.
    #[inline]
    pub(crate) fn foresee(&self, node: NodeId) {
        if let Some(agent) = self.agent(node)
            && let Some(time) = self.agents.get(agent)
        {
            time.foresee();
            self.blocked.foresee(agent, node);
        }
    }

    /// Asks for what records of `task` will touch.
    #[inline]
    pub(crate) fn foresee_task(&self, task: TaskId) {
        self.blocked.foresee_task(task);
    }

    /// Asks for what the end of `execution` will touch.
    #[inline]
    pub(crate) fn foresee_execution(&self, execution: ExecutionId) {
        prefetch_at(&self.executions, execution.index());
        self.blocked.foresee_execution(execution);
    }
}

impl Observer for Ledger {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Began { node, plane, activity } => self.began(at, node, plane, activity),
            Record::Ceased { node, plane, activity } => self.ceased(at, node, plane, activity),
            Record::Up { node } => {
                if let Some(agent) = self.agent(node) {
                    self.change(at, agent, |time| time.down = false);
                }
                self.blocked.node_up(at, node, true, false);
            }
            Record::Down { node, why } => {
                if let Some(agent) = self.agent(node) {
                    self.change(at, agent, |time| time.down = true);
                }
                self.blocked.node_up(at, node, false, blocked::forgets(why));
            }
            Record::Speed { node, factor } => {
                if let Some(agent) = self.agent(node) {
                    self.change(at, agent, |time| time.factor = f64::from(factor));
                }
            }
            Record::Stalled { node, on } => self.blocked.silent(at, node, on),
            Record::CutOff { node, on } => self.blocked.cut_off(at, node, on),
            Record::Arrived { task } => self.blocked.arrived(at, task),
            Record::Acknowledged { task, by } => self.blocked.acknowledged(at, task, by),
            Record::Noted { node, fact } => self.blocked.noted(at, node, fact),
            Record::Started { execution, task, node } => {
                let agent = self.agent(node).expect("only agents execute");
                let booking = Booking { agent: agent as u32, ..Booking::default() };
                match self.executions.get_mut(execution.index()) {
                    Some(slot) => slot.agent = agent as u32,
                    None => self.executions.resize(execution.index() + 1, booking),
                }
                self.blocked.started(at, execution, task, node);
            }
            Record::Finished { execution, task, correct } => {
                self.blocked.stopped(at, execution);
                if correct {
                    self.blocked.correct_output(at, task);
                }
            }
            Record::Fate { execution, fate } => {
                self.blocked.stopped(at, execution);
                if fate == Fate::Unsettled {
                    // The run is over: the running stretch belongs to this execution.
                    let agent = self.executions[execution.index()].agent as usize;
                    self.change(at, agent, |_| {});
                }
                self.book(execution, fate);
            }
            Record::Accepted { task, .. } => self.blocked.settled(at, task),
            Record::Ended { task, how } => self.blocked.ended(at, task, how),
            Record::Finish => self.finish(at),
            Record::Fault { .. }
            | Record::Submitted { .. }
            | Record::DoubleSettle { .. }
            | Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Handled { .. }
            | Record::Wire { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
