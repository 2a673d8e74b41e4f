//! The price of coordination and the lower bound it is measured against (model.md §3). Pure: no observer.
//!
//! N(t) counts the tasks that have arrived and have no correct accepted result. No schedule, however it is
//! coordinated, can keep N(t) below either of
//!
//! - N₁(t): the tasks left by *shortest remaining processing time* on one pooled server that has the speeds
//!   of all agents which are up, with skills, network and precedence relaxed. Any schedule on several agents
//!   can be imitated by sharing the pooled server, and SRPT minimises the number in system at every instant
//!   on every sample path (Schrage, Operations Research 16, 1968), whatever the common rate does over time.
//! - N₂(t): the tasks that could not be done yet even if each had the fastest agent to itself from its
//!   arrival on, after its predecessors.
//!
//! Hence ∫N dt ≥ ∫max(N₁, N₂) dt on every run, and the **price** is their ratio, ≥ 1. Both integrals go to
//! one fixed end, `horizon + drain`, even if a run may stop earlier: a pattern that fails all its tasks at
//! once would otherwise shorten its own account.
//!
//! For tasks with predecessors, N₂ uses the earliest possible completion `e = max(arrival, e of every
//! predecessor) + work ÷ fastest`. For tasks that arrive together this is arrival + longest path; for tasks
//! that arrive apart the longest path would count work that can be done before the arrival, and would not be
//! a bound.
//!
//! C is nominal: a `slow` fault takes nothing away, but one with a factor above 1 adds what it grants.
//! **Accuracy:** seconds in `f64`; a run that meets the bound exactly may show a price of 1 − 10⁻⁹.

mod capacity;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use self::capacity::{Capacity, fastest_under};
use super::tasks::TaskCounts;
use super::{MetricDef, MetricSet};
use crate::engine::{Span, Time};
use crate::fault::FaultPlan;
use crate::stats::sort::sorted;
use crate::trace::TaskId;
use crate::work::{Fleet, Tasks};

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::lower(
        "price",
        "1",
        "price of coordination: task_seconds ÷ task_seconds_bound, ≥ 1 (model.md §3); not for closed loops",
    ),
    MetricDef::lower(
        "task_seconds",
        "tasks·s",
        "∫N dt to horizon + drain; N = arrived tasks without a correct accepted result",
    ),
    MetricDef::neutral(
        "task_seconds_bound",
        "tasks·s",
        "∫max(N₁, N₂) dt: N₁ SRPT on one pooled server, N₂ every task alone on the fastest agent",
    ),
    MetricDef::lower(
        "price_makespan",
        "1",
        "makespan ÷ its bound max(Σ work ÷ C, critical path ÷ fastest); only where all tasks arrive at once",
    ),
    MetricDef::neutral(
        "makespan_bound_s",
        "s",
        "earliest time after the first arrival by which all work can be done, pooled and along every path",
    ),
];

/// What no schedule of a replication can beat. The same for every pattern: compute it once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// ∫max(N₁, N₂) dt up to the end \[task-seconds\].
    pub task_seconds: f64,
    /// Shortest makespan from the first arrival \[s\]; infinite if the work can never be done, NaN without
    /// tasks.
    pub makespan_s: f64,
    /// What rounding may have added to `task_seconds` \[task-seconds\].
    pub rounding: f64,
    /// Whether all tasks arrive at once, so that a makespan is the natural measure.
    pub closed_batch: bool,
}

impl Bound {
    /// The bound for `tasks` on `fleet` under `plan`, up to `end` (the clock's `horizon + drain`).
    /// Where tasks arrive when others have ended, arrivals depend on the pattern; nothing bounds them: NaN.
    pub fn new(tasks: &Tasks, fleet: &Fleet, plan: &FaultPlan, end: Time) -> Bound {
        if tasks.has_releases() {
            return Bound {
                task_seconds: f64::NAN,
                makespan_s: f64::NAN,
                rounding: 0.0,
                closed_batch: false,
            };
        }
        Bound {
            task_seconds: lower_bound_task_seconds(tasks, fleet, plan, end),
            makespan_s: lower_bound_makespan_s(tasks, fleet, plan),
            // Each task's arrival and completion are rounded to the digits of the end of the run.
            rounding: 4.0 * tasks.len() as f64 * f64::EPSILON * end.as_secs_f64(),
            closed_batch: closed_batch(tasks),
        }
    }

    /// Whether a run that spent so much \[task-seconds\] would have done what no schedule can: never, unless
    /// something was counted wrongly.
    pub fn is_beaten_by(&self, spent: f64) -> bool {
        spent < self.task_seconds * (1.0 - 1e-9) - self.rounding
    }

    /// Writes the columns of [`DEFS`] for a run whose tasks `counts` has followed to its end.
    pub fn fill(&self, counts: &TaskCounts, set: &mut MetricSet) {
        let spent = counts.task_seconds();
        set.set("task_seconds", spent);
        set.set("task_seconds_bound", self.task_seconds);
        set.set("price", spent / self.task_seconds);
        set.set("makespan_bound_s", self.makespan_s);
        if self.closed_batch {
            set.set("price_makespan", counts.makespan_s() / self.makespan_s);
        }
    }
}

/// Whether all tasks arrive at the same instant.
pub fn closed_batch(tasks: &Tasks) -> bool {
    match (tasks.cards().first(), tasks.cards().last()) {
        (Some(first), Some(last)) => !tasks.has_releases() && first.arrival == last.arrival,
        (None, _) | (_, None) => false,
    }
}

/// Highest nominal speed of a present agent.
pub fn fastest_speed(fleet: &Fleet) -> f64 {
    fleet.present().map(|agent| fleet.speed(agent)).fold(0.0, f64::max)
}

/// Shortest sojourn each task could have \[s\]: alone on the fastest agent, after its predecessors.
///
/// Equals longest path ÷ fastest speed for tasks that arrive together.
pub fn shortest_sojourns_s(tasks: &Tasks, fastest: f64) -> Vec<f64> {
    let earliest = earliest_completions_s(tasks, fastest);
    tasks.cards().iter().zip(earliest).map(|(card, done)| done - card.arrival.as_secs_f64()).collect()
}

/// ∫max(N₁, N₂) dt over [0, `end`] \[task-seconds\]; see the module. O((tasks + faults) log).
pub fn lower_bound_task_seconds(tasks: &Tasks, fleet: &Fleet, plan: &FaultPlan, end: Time) -> f64 {
    let end = end.as_secs_f64();
    let arrivals: Vec<f64> = tasks.cards().iter().map(|card| card.arrival.as_secs_f64()).collect();
    let pooled = srpt_completions(tasks, &Capacity::new(fleet, plan));
    let alone = sorted(earliest_completions_s(tasks, fastest_under(fleet, plan)));
    integral_of_larger(&arrivals, &pooled, &alone, end)
}

/// Shortest time from the first arrival until all tasks can be done \[s\]; see [`Bound::makespan_s`].
pub fn lower_bound_makespan_s(tasks: &Tasks, fleet: &Fleet, plan: &FaultPlan) -> f64 {
    let Some(first) = tasks.cards().first() else { return f64::NAN };
    let start = first.arrival.as_secs_f64();
    let capacity = Capacity::new(fleet, plan);
    let total = tasks.total_work_s();
    let pooled = capacity.time_of(capacity.done_by(start) + total);
    let along_paths =
        earliest_completions_s(tasks, fastest_under(fleet, plan)).into_iter().fold(start, f64::max);
    pooled.max(along_paths) - start
}

/// When each task could be done at the earliest \[s\]: Kahn's order over the dependency graph.
fn earliest_completions_s(tasks: &Tasks, fastest: f64) -> Vec<f64> {
    let alone = |work: Span| work.as_secs_f64() / fastest;
    let arrivals = tasks.cards().iter().map(|card| card.arrival.as_secs_f64());
    if !tasks.has_dependencies() {
        return arrivals.zip(tasks.cards()).map(|(at, card)| at + alone(tasks.work(card.id))).collect();
    }
    let mut earliest: Vec<f64> = arrivals.collect();
    let mut waits_for: Vec<usize> =
        tasks.cards().iter().map(|card| tasks.predecessors(card.id).count()).collect();
    let mut ready: Vec<TaskId> =
        tasks.cards().iter().map(|card| card.id).filter(|id| waits_for[id.index()] == 0).collect();
    let mut placed = 0;
    while let Some(task) = ready.pop() {
        placed += 1;
        earliest[task.index()] += alone(tasks.work(task));
        let done = earliest[task.index()];
        for successor in tasks.successors(task) {
            let start = &mut earliest[successor.index()];
            *start = start.max(done);
            waits_for[successor.index()] -= 1;
            if waits_for[successor.index()] == 0 {
                ready.push(successor);
            }
        }
    }
    assert_eq!(placed, tasks.len(), "tasks are a DAG by construction");
    earliest
}

/// Completion times of SRPT on the pooled server, in order; infinite where capacity runs out.
///
/// In units of capacity already offered the pooled server has rate 1, so the queue is simulated there and
/// each completion is carried back to the clock.
fn srpt_completions(tasks: &Tasks, capacity: &Capacity) -> Vec<f64> {
    let mut left: BinaryHeap<Reverse<Work>> = BinaryHeap::new();
    let mut offered = 0.0;
    let mut completions = Vec::with_capacity(tasks.len());
    let mut run_until = |limit: f64, offered: &mut f64, left: &mut BinaryHeap<Reverse<Work>>| {
        while let Some(mut shortest) = left.peek_mut() {
            let Reverse(Work(work)) = *shortest;
            if *offered + work > limit {
                // Shrinking the smallest keeps it the smallest.
                *shortest = Reverse(Work((work - (limit - *offered)).max(0.0)));
                break;
            }
            *offered += work;
            completions.push(capacity.time_of(*offered));
            std::collections::binary_heap::PeekMut::pop(shortest);
        }
        *offered = limit;
    };
    for card in tasks.cards() {
        run_until(capacity.done_by(card.arrival.as_secs_f64()), &mut offered, &mut left);
        left.push(Reverse(Work(tasks.work(card.id).as_secs_f64())));
    }
    run_until(f64::INFINITY, &mut offered, &mut left);
    completions
}

/// ∫max(N₁, N₂) dt over [0, end]: both counts rise at `arrivals`, N₁ falls at `pooled`, N₂ at `alone`.
fn integral_of_larger(arrivals: &[f64], pooled: &[f64], alone: &[f64], end: f64) -> f64 {
    let (mut arrived, mut by_pool, mut by_one) = (0, 0, 0);
    let mut now = 0.0;
    let mut area = 0.0;
    let at = |list: &[f64], index: usize| list.get(index).copied().unwrap_or(f64::INFINITY);
    loop {
        let next = at(arrivals, arrived).min(at(pooled, by_pool)).min(at(alone, by_one)).min(end);
        let larger = arrived.saturating_sub(by_pool).max(arrived.saturating_sub(by_one));
        area += larger as f64 * (next - now).max(0.0);
        now = next;
        if now >= end {
            return area;
        }
        // Arrivals first: a task of no work comes and goes in one instant.
        if at(arrivals, arrived) <= now {
            arrived += 1;
        } else if at(pooled, by_pool) <= now {
            by_pool += 1;
        } else {
            by_one += 1;
        }
    }
}

/// Work left \[s at speed 1\], ordered; never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Work(f64);
impl Eq for Work {}
impl PartialOrd for Work {
    fn partial_cmp(&self, other: &Work) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Work {
    fn cmp(&self, other: &Work) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests;
