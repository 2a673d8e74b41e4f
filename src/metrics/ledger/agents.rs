//! The state of one agent's attention and the time it spent in each.

use crate::engine::Time;
use crate::trace::{Activity, ExecutionId, Phase, Plane};

/// The first that holds of: down, cognition busy, harness busy, free (model.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Down,
    Executing(ExecutionId),
    Verifying,
    Coordinating(Phase),
    Free,
}

/// One agent's account \[ns\].
#[derive(Clone, Debug)]
pub(super) struct AgentTime {
    pub(super) down: bool,
    pub(super) cognition: Option<Activity>,
    pub(super) harness: Option<Activity>,
    /// Whether a plane was taken twice or released twice: time that is booked, but to the wrong state.
    pub(super) unpaired: bool,
    /// Current ÷ nominal speed.
    pub(super) factor: f64,
    /// When the running stretch began.
    pub(super) since: Time,
    pub(super) down_ns: u64,
    pub(super) executing_ns: u64,
    pub(super) verifying_ns: u64,
    pub(super) coordinating_ns: [u64; Phase::ALL.len()],
    pub(super) free_ns: u64,
    /// Harness busy under a busy cognition: outside the sum.
    pub(super) overlap_ns: u64,
}

impl Default for AgentTime {
    fn default() -> AgentTime {
        AgentTime {
            down: false,
            cognition: None,
            harness: None,
            unpaired: false,
            factor: 1.0,
            since: Time::ZERO,
            down_ns: 0,
            executing_ns: 0,
            verifying_ns: 0,
            coordinating_ns: [0; Phase::ALL.len()],
            free_ns: 0,
            overlap_ns: 0,
        }
    }
}

impl AgentTime {
    pub(super) fn plane(&mut self, plane: Plane) -> &mut Option<Activity> {
        match plane {
            Plane::Harness => &mut self.harness,
            Plane::Cognition => &mut self.cognition,
        }
    }

    pub(super) fn state(&self) -> State {
        if self.down {
            return State::Down;
        }
        match self.cognition.or(self.harness) {
            Some(Activity::Executing(execution)) => State::Executing(execution),
            Some(Activity::Verifying) => State::Verifying,
            Some(Activity::Coordinating(phase)) => State::Coordinating(phase),
            None => State::Free,
        }
    }

    /// Books `span` ns to the running state; for an execution says which, and how much of the span its
    /// work would have taken at nominal speed.
    pub(super) fn close(&mut self, span: u64) -> Option<(ExecutionId, u64)> {
        if !self.down && self.cognition.is_some() && self.harness.is_some() {
            self.overlap_ns += span;
        }
        match self.state() {
            State::Down => self.down_ns += span,
            State::Verifying => self.verifying_ns += span,
            State::Coordinating(phase) => self.coordinating_ns[phase as usize] += span,
            State::Free => self.free_ns += span,
            State::Executing(execution) => {
                self.executing_ns += span;
                let nominal = (span as f64 * self.factor.min(1.0)).round() as u64;
                return Some((execution, nominal.min(span)));
            }
        }
        None
    }

    pub(super) fn busy_ns(&self) -> u64 {
        self.executing_ns + self.verifying_ns + self.coordinating_ns.iter().sum::<u64>()
    }

    pub(super) fn total_ns(&self) -> u64 {
        self.down_ns + self.busy_ns() + self.free_ns
    }
}
