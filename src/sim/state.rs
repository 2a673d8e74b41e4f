//! What `World` knows of each node, task and timer.

use super::execution::Job;
use super::setup::Setup;
use super::station::Station;
use crate::engine::EventKey;
use crate::net::transport::Overtaking;
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

/// One node's attention and condition.
#[derive(Debug)]
pub(super) struct Node<T> {
    /// How many faults hold it down (crash, leave, outage, absence).
    pub(super) down: u32,
    /// How many faults freeze it.
    pub(super) paused: u32,
    pub(super) incarnation: u32,
    /// Came back from a crash while frozen: `on_start` is still owed.
    pub(super) owes_start: bool,
    pub(super) speed: f64,
    /// Current ÷ nominal speed.
    pub(super) factor: f64,
    pub(super) stalls: u32,
    pub(super) hung: Option<ExecutionId>,
    pub(super) wrong: f64,
    pub(super) cut_off: bool,
    pub(super) harness: Station<Job>,
    pub(super) cognition: Station<Job>,
    pub(super) sent: u64,
    pub(super) served: u64,
    pub(super) choices: u64,
    /// Timers that fired while frozen.
    pub(super) deferred: Vec<T>,
    pub(super) overtaking: Overtaking,
}

impl<T> Node<T> {
    pub(super) fn is_up(&self) -> bool {
        self.down == 0 && self.paused == 0
    }
    /// Whether a plane serves: the node is up and, for its cognition, nothing hangs there.
    pub(super) fn serves(&self, plane: Plane) -> bool {
        self.is_up() && (plane == Plane::Harness || self.hung.is_none())
    }
    pub(super) fn at(&self, plane: Plane) -> &Station<Job> {
        match plane {
            Plane::Harness => &self.harness,
            Plane::Cognition => &self.cognition,
        }
    }
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
    pub(super) retry: Option<EventKey>,
    pub(super) waits_for: u32,
    pub(super) last_execution: Option<ExecutionId>,
}

/// `node` as it is before the run.
pub(super) fn new_node<T>(setup: &Setup, node: NodeId) -> Node<T> {
    let fleet = &setup.fleet;
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
        down: u32::from(fleet.profile(node).is_some_and(|profile| !profile.present)),
        paused: 0,
        incarnation: 0,
        owes_start: false,
        speed: fleet.speed(node),
        factor: 1.0,
        stalls: 0,
        hung: None,
        wrong: setup.work.error_rate,
        cut_off: false,
        harness,
        cognition,
        sent: 0,
        served: 0,
        choices: 0,
        deferred: Vec::new(),
        overtaking: Overtaking::default(),
    }
}
