//! What `World` knows of each node, task and timer.

use super::execution::Job;
use super::setup::Setup;
use super::station::Station;
use crate::engine::{Entity, EventKey, Key};
use crate::trace::{ExecutionId, NodeId, Plane};
use crate::work::Role;

/// A timer waiting to fire.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimerSlot<T> {
    pub(super) node: NodeId,
    pub(super) incarnation: u32,
    pub(super) key: EventKey,
    pub(super) then: T,
}

/// The choices a node's protocol makes at random.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices {
    pub(super) made: u64,
    pub(super) address: Entity,
}

/// One node's attention and condition.
///
/// A million of them are the memory of a run: what every letter asks for comes first, what only faults
/// touch last, and what most nodes never need lies behind a pointer.
#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) role: Role,
    /// How many faults hold it down (crash, leave, outage, absence).
    pub(super) down: u32,
    /// How many faults freeze it.
    pub(super) paused: u32,
    pub(super) hung: Option<ExecutionId>,
    /// Letters it sent, and the address of what is drawn for each.
    pub(super) sent: u64,
    pub(super) links: Entity,
    /// Services it began, and the address of what is drawn for each.
    pub(super) served: u64,
    pub(super) costs: Entity,
    pub(super) choices: Choices,
    /// Current speed: nominal × `factor`.
    pub(super) pace: f64,
    pub(super) harness: Station<Job>,
    pub(super) cognition: Station<Job>,
    pub(super) incarnation: u32,
    pub(super) stalls: u32,
    /// Current ÷ nominal speed.
    pub(super) factor: f64,
    pub(super) wrong: f64,
    pub(super) cut_off: bool,
    /// Came back from a crash while frozen: `on_start` is still owed.
    pub(super) owes_start: bool,
    /// Timers that fired while frozen; most nodes never have any.
    #[expect(clippy::box_collection, reason = "eight bytes for each of a million nodes instead of 24")]
    pub(super) deferred: Option<Box<Vec<T>>>,
}

impl<T> Node<T> {
    #[inline]
    pub(super) fn is_up(&self) -> bool {
        self.down == 0 && self.paused == 0
    }
    /// Whether a plane serves: the node is up and, for its cognition, nothing hangs there.
    #[inline]
    pub(super) fn serves(&self, plane: Plane) -> bool {
        self.is_up() && (plane == Plane::Harness || self.hung.is_none())
    }
    #[inline]
    pub(super) fn at(&self, plane: Plane) -> &Station<Job> {
        match plane {
            Plane::Harness => &self.harness,
            Plane::Cognition => &self.cognition,
        }
    }
    #[inline]
    pub(super) fn station(&mut self, plane: Plane) -> &mut Station<Job> {
        match plane {
            Plane::Harness => &mut self.harness,
            Plane::Cognition => &mut self.cognition,
        }
    }
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskLife {
    /// Not yet arrived.
    Future,
    /// Arrived, not ended.
    Open,
    /// An output was accepted.
    Accepted {
        /// The truth.
        correct: bool,
    },
    /// Failed, rejected or expired.
    Ended,
}

/// What `World` knows of one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskState {
    pub(super) life: TaskLife,
    pub(super) acknowledged: bool,
    pub(super) attempt: u32,
    pub(super) waits_for: u32,
    pub(super) last_execution: Option<ExecutionId>,
}

/// `node` as it is before the run; its draws are addressed under these keys.
pub(super) fn new_node<T>(setup: &Setup, node: NodeId, link: Key, cost: Key, choice: Key) -> Node<T> {
    let fleet = &setup.fleet;
    let address = fleet.address(node);
    let relay = &setup.relay;
    let (harness, cognition) = match (fleet.role(node), fleet.profile(node)) {
        (Role::Relay, _) => {
            (Station::new(relay.servers, relay.capacity, relay.discipline), Station::default())
        }
        (_, Some(agent)) => (
            Station::new(1, agent.inbox, agent.discipline),
            Station::new(agent.slots, None, agent.discipline),
        ),
        (_, None) => (Station::default(), Station::default()),
    };
    Node {
        role: fleet.role(node),
        down: u32::from(fleet.profile(node).is_some_and(|profile| !profile.present)),
        paused: 0,
        hung: None,
        sent: 0,
        links: link.entity(address),
        served: 0,
        costs: cost.entity(address),
        choices: Choices { made: 0, address: choice.entity(address) },
        pace: fleet.speed(node),
        harness,
        cognition,
        incarnation: 0,
        stalls: 0,
        factor: 1.0,
        wrong: setup.work.error_rate,
        cut_off: false,
        owes_start: false,
        deferred: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million nodes at this size are what a run of a million agents cannot do without.
    #[test]
    fn a_node_at_rest_takes_three_cache_lines() {
        let size = size_of::<Node<[u32; 4]>>();
        assert!(size <= 192, "a node takes {size} bytes");
    }
}
