//! C(t): the greatest speed all slots of all agents together can have, from fleet and fault plan alone.

use super::fastest_speed;
use crate::engine::Time;
use crate::fault::{FaultKind, FaultPlan, Target};
use crate::work::{AgentProfile, Fleet};

/// C(t), the greatest speeds of the agents that are up, as steps; and its integral.
#[derive(Clone, Debug)]
pub(super) struct Capacity {
    /// Beginning of each step \[s\]; the first is 0.
    since: Vec<f64>,
    /// C during the step.
    rate: Vec<f64>,
    /// ∫C dt before the step.
    before: Vec<f64>,
}

impl Capacity {
    pub(super) fn new(fleet: &Fleet, plan: &FaultPlan) -> Capacity {
        let mut rate: f64 =
            fleet.profiles().iter().filter(|agent| agent.present).map(AgentProfile::capacity).sum();
        let mut up = fleet.present().count() as i64;
        let mut capacity = Capacity { since: vec![0.0], rate: vec![rate], before: vec![0.0] };
        for step in steps(fleet, plan) {
            up += step.up;
            // Nobody up means no capacity at all, not what rounding left of it.
            rate = if up == 0 { 0.0 } else { (rate + step.speed).max(0.0) };
            let at = step.at.as_secs_f64();
            let before = capacity.done_by(at);
            capacity.since.push(at);
            capacity.rate.push(rate);
            capacity.before.push(before);
        }
        capacity
    }

    /// ∫C dt over [0, `at`] \[s at speed 1\].
    pub(super) fn done_by(&self, at: f64) -> f64 {
        let step = self.since.partition_point(|since| *since <= at) - 1;
        self.before[step] + self.rate[step] * (at - self.since[step])
    }

    /// The first time at which ∫C dt reaches `amount`; infinite if it never does.
    pub(super) fn time_of(&self, amount: f64) -> f64 {
        let step = self.before.partition_point(|before| *before < amount).max(1) - 1;
        if self.rate[step] > 0.0 {
            self.since[step] + (amount - self.before[step]) / self.rate[step]
        } else if amount <= self.before[step] {
            self.since[step]
        } else {
            f64::INFINITY
        }
    }
}

/// What an entry of the plan changes about the greatest speed an agent can have.
#[derive(Clone, Copy, Debug)]
enum Change {
    Down,
    Up,
    /// Multiplied by a factor above 1.
    Faster(f64),
    /// That factor is over.
    NoLonger(f64),
}

/// A change of C: by how much, and how many agents more are up.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: Time,
    speed: f64,
    up: i64,
}

/// All changes of C, in order of time. Overlapping outages of one agent are one outage.
fn steps(fleet: &Fleet, plan: &FaultPlan) -> Vec<Step> {
    let mut steps = Vec::new();
    for changes in changes(fleet, plan).chunk_by(|a, b| a.0 == b.0) {
        let nominal = fleet.profiles()[changes[0].0 as usize].capacity();
        let mut agent = AgentSpeed::default();
        let mut current = nominal;
        for &(_, at, change) in changes {
            agent.apply(change);
            let next = if agent.downs > 0 { 0.0 } else { nominal * agent.factor };
            let up = i64::from(next > 0.0) - i64::from(current > 0.0);
            if next != current {
                steps.push(Step { at, speed: next - current, up });
            }
            current = next;
        }
    }
    steps.sort_by_key(|step| step.at);
    steps
}

/// Highest speed a present agent can have at any time under `plan`, down or not.
pub(super) fn fastest_under(fleet: &Fleet, plan: &FaultPlan) -> f64 {
    let mut fastest = fastest_speed(fleet);
    for changes in changes(fleet, plan).chunk_by(|a, b| a.0 == b.0) {
        let nominal = fleet.profiles()[changes[0].0 as usize].speed;
        let mut agent = AgentSpeed::default();
        for &(_, _, change) in changes {
            agent.apply(change);
            fastest = fastest.max(nominal * agent.factor);
        }
    }
    fastest
}

/// One agent's speed-ups and outages while its changes are walked.
#[derive(Clone, Copy, Debug)]
struct AgentSpeed {
    downs: u32,
    boosts: u32,
    factor: f64,
}

impl Default for AgentSpeed {
    fn default() -> AgentSpeed {
        AgentSpeed { downs: 0, boosts: 0, factor: 1.0 }
    }
}

impl AgentSpeed {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Down => self.downs += 1,
            Change::Up => self.downs -= 1,
            Change::Faster(factor) => {
                self.boosts += 1;
                self.factor *= factor;
            }
            Change::NoLonger(factor) => {
                self.boosts -= 1;
                // The last one to end leaves no rounding behind.
                self.factor = if self.boosts == 0 { 1.0 } else { self.factor / factor };
            }
        }
    }
}

/// What the plan changes for each present agent, by agent and time.
///
/// Whom an `authority` fault strikes depends on the pattern. To remain a bound, an outage of unknown target
/// is not subtracted, a speed-up of unknown target is granted to everyone, and nothing is subtracted for
/// slowness and stalls.
fn changes(fleet: &Fleet, plan: &FaultPlan) -> Vec<(u32, Time, Change)> {
    let present = |agent: &&u32| fleet.profiles()[**agent as usize].present;
    let everyone: Vec<u32> = (0..fleet.agents()).collect();
    let mut changes = Vec::new();
    for entry in &plan.entries {
        let (begins, ends) = match entry.kind {
            FaultKind::Crash
            | FaultKind::Leave
            | FaultKind::Pause
            | FaultKind::Outage
            | FaultKind::Takeover => (Change::Down, Change::Up),
            FaultKind::Slow { factor } if factor > 1.0 => (Change::Faster(factor), Change::NoLonger(factor)),
            FaultKind::Slow { .. }
            | FaultKind::Partition { .. }
            | FaultKind::WrongOutput { .. }
            | FaultKind::Stall => continue,
        };
        let agents = match (&entry.target, begins) {
            (Target::Agent(agent), _) => std::slice::from_ref(agent),
            (Target::Agents(agents), _) => agents,
            (Target::Authority { .. }, Change::Faster(_)) => &everyone,
            (Target::Authority { .. } | Target::Relay(_) | Target::Network, _) => &[],
        };
        for &agent in agents.iter().filter(present) {
            changes.push((agent, entry.at, begins));
            changes.extend(entry.until.map(|until| (agent, until.max(entry.at), ends)));
        }
    }
    // Stable: what ends at the instant it began does so after it began.
    changes.sort_by_key(|&(agent, at, _)| (agent, at));
    changes
}
