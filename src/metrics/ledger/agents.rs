//! The state of one agent's attention and the time it spent in each.
//!
//! A plane that serves several jobs at once spends its time on all of them in equal parts.

use smallvec::SmallVec;

use crate::engine::Time;
use crate::trace::{Activity, ExecutionId, Phase, Plane};

/// The first that holds of: down, cognition busy, harness busy, free (model.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down,
    Busy(Plane),
    Free,
}

/// What a plane does, in the order it began.
pub(super) type Activities = SmallVec<[Activity; 1]>;

/// One agent's account \[ns\].
#[derive(Clone, Debug)]
pub(super) struct AgentTime {
    pub(super) down: bool,
    pub(super) cognition: Activities,
    pub(super) harness: Activities,
    /// Whether a plane began more than it can serve or ceased what it had not begun: time that is booked, but
    /// to the wrong state.
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
            cognition: Activities::new(),
            harness: Activities::new(),
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
    pub(super) fn plane(&mut self, plane: Plane) -> &mut Activities {
        match plane {
            Plane::Harness => &mut self.harness,
            Plane::Cognition => &mut self.cognition,
        }
    }

    fn state(&self) -> State {
        if self.down {
            State::Down
        } else if !self.cognition.is_empty() {
            State::Busy(Plane::Cognition)
        } else if !self.harness.is_empty() {
            State::Busy(Plane::Harness)
        } else {
            State::Free
        }
    }

    pub(super) fn is_free(&self) -> bool {
        self.state() == State::Free
    }

    /// Books `span` ns to the running state, in equal parts to what is done at once; the first gets what
    /// division leaves. `executed` hears of each execution, how long it had and how much of that its work
    /// would have taken at nominal speed.
    pub(super) fn close(&mut self, span: u64, mut executed: impl FnMut(ExecutionId, u64, u64)) {
        if !self.down && !self.cognition.is_empty() && !self.harness.is_empty() {
            self.overlap_ns += span;
        }
        let busy = match self.state() {
            State::Down => return self.down_ns += span,
            State::Free => return self.free_ns += span,
            State::Busy(Plane::Cognition) => &self.cognition,
            State::Busy(Plane::Harness) => &self.harness,
        };
        let count = busy.len() as u64;
        let (each, mut rest) = if count == 1 { (span, 0) } else { (span / count, span % count) };
        for activity in busy {
            let part = each + std::mem::take(&mut rest);
            match *activity {
                Activity::Verifying => self.verifying_ns += part,
                Activity::Coordinating(phase) => self.coordinating_ns[phase as usize] += part,
                Activity::Executing(execution) => {
                    self.executing_ns += part;
                    let nominal = (part as f64 * self.factor.min(1.0)).round() as u64;
                    executed(execution, part, nominal.min(part));
                }
            }
        }
    }

    pub(super) fn busy_ns(&self) -> u64 {
        self.executing_ns + self.verifying_ns + self.coordinating_ns.iter().sum::<u64>()
    }

    pub(super) fn total_ns(&self) -> u64 {
        self.down_ns + self.busy_ns() + self.free_ns
    }
}
