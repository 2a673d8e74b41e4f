//! Tests of the lower bound: by hand, against an independent SRPT, and against real schedules.

use proptest::prelude::*;

use super::*;
use crate::fault::{Entry, FaultKind, Origin, Target};
use crate::metrics::sample::{self, accepted, arrived};
use crate::trace::{Ending, Record};

fn secs(secs: u64) -> Time {
    Time::from_secs(secs)
}
fn down(agent: u32, at: u64, until: Option<u64>) -> Entry {
    let (at, until) = (secs(at), until.map(secs));
    Entry { at, until, kind: FaultKind::Crash, target: Target::Agent(agent), origin: Origin::Scheduled }
}
fn plan(entries: Vec<Entry>) -> FaultPlan {
    FaultPlan::new(entries)
}
#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1.0), "got {actual}, expected {expected}");
}

/// Work 5, 3, 1 arriving at 0, 1, 2 on one agent: SRPT runs A, B, C, B, A: done at 9, 5, 3.
/// Sojourns 9 + 4 + 1 = 14; FIFO would have 5 + 7 + 7.
#[test]
fn one_server_is_shortest_remaining_first() {
    let tasks = sample::tasks(&[(0, 5), (1, 3), (2, 1)]);
    let fleet = sample::fleet(&[1.0]);
    close(lower_bound_task_seconds(&tasks, &fleet, &plan(vec![]), secs(100)), 14.0);
    // Cut at 4: one task for 1 s, two for 1 s, three for 1 s, two for 1 s.
    close(lower_bound_task_seconds(&tasks, &fleet, &plan(vec![]), secs(4)), 8.0);
    // At half the speed: A in [0, 1], B in [1, 2], C in [2, 4], B in [4, 9], A in [9, 18]: 18 + 8 + 2.
    let slow = sample::fleet(&[0.5]);
    close(lower_bound_task_seconds(&tasks, &slow, &plan(vec![]), secs(100)), 28.0);
}

/// Four agents and one task of 8 s: pooled it would take 2 s, but one agent needs 8.
#[test]
fn a_task_alone_takes_the_fastest_agent_its_time() {
    let tasks = sample::tasks(&[(1, 8)]);
    let none = plan(vec![]);
    close(lower_bound_task_seconds(&tasks, &sample::fleet(&[1.0; 4]), &none, secs(100)), 8.0);
    close(lower_bound_task_seconds(&tasks, &sample::fleet(&[1.0, 2.0, 1.0]), &none, secs(100)), 4.0);
    // An absent agent of speed 100 changes nothing.
    close(lower_bound_task_seconds(&tasks, &sample::fleet(&[1.0, 0.0]), &none, secs(100)), 8.0);
}

/// Two agents, work 4, 4, 4 at 0. N₁: done at 2, 4, 6; N₂: all at 4. Larger: 3 until 4, then 1 until 6.
#[test]
fn the_larger_count_is_taken_at_every_instant() {
    let tasks = sample::tasks(&[(0, 4), (0, 4), (0, 4)]);
    let bound = lower_bound_task_seconds(&tasks, &sample::fleet(&[1.0, 1.0]), &plan(vec![]), secs(100));
    close(bound, 3.0 * 4.0 + 2.0);
}

/// One agent is down in [2, 12]: a task of 5 s that arrives at 0 is done at 15.
#[test]
fn outages_take_capacity_away_once() {
    let tasks = sample::tasks(&[(0, 5)]);
    let fleet = sample::fleet(&[1.0]);
    let bound = |entries| lower_bound_task_seconds(&tasks, &fleet, &plan(entries), secs(100));
    close(bound(vec![down(0, 2, Some(12))]), 15.0);
    // Overlapping outages of one agent are one outage, whatever their kind.
    let mut pause = down(0, 3, Some(10));
    pause.kind = FaultKind::Pause;
    close(bound(vec![down(0, 2, Some(8)), pause, down(0, 10, Some(12))]), 15.0);
    close(bound(vec![down(0, 2, Some(12)), down(0, 4, Some(5))]), 15.0);
    // For good: the task stays until the end.
    close(bound(vec![down(0, 2, None)]), 100.0);
    // What need not strike an agent is not subtracted, and neither is what does not stop it.
    let mut other = down(0, 2, Some(12));
    other.target = Target::Authority { seat: 0, otherwise: 0 };
    close(bound(vec![other.clone()]), 5.0);
    other.target = Target::Relay(0);
    close(bound(vec![other.clone()]), 5.0);
    (other.target, other.kind) = (Target::Agents(vec![0]), FaultKind::Slow { factor: 0.1 });
    close(bound(vec![other]), 5.0);
}

/// Agents of speed 1 and 3; the fast one is down in [1, 3]. C = 4, 1, 4. Works 8 at 0 and 4 at 2:
/// pooled: 3 of the 8 are left at 2 and 2 at 3, done at 3.5; then the 4, done at 4.5.
/// Alone: 8/3 and 2 + 4/3. Larger: 1 until 2, 2 until 3.5, 1 until 4.5.
#[test]
fn capacity_is_piecewise_constant() {
    let tasks = sample::tasks(&[(0, 8), (2, 4)]);
    let fleet = sample::fleet(&[1.0, 3.0]);
    let bound = lower_bound_task_seconds(&tasks, &fleet, &plan(vec![down(1, 1, Some(3))]), secs(100));
    close(bound, 2.0 + 2.0 * 1.5 + 1.0);
}

/// Two tasks of 6 s on two agents; without faults N₁ falls at 3 and 6, N₂ at 6.
#[test]
fn a_factor_above_one_is_granted() {
    let tasks = sample::tasks(&[(0, 6), (0, 6)]);
    let fleet = sample::fleet(&[1.0, 1.0]);
    let boost = |at, until, target| Entry {
        kind: FaultKind::Slow { factor: 2.0 },
        target,
        ..down(0, at, Some(until))
    };
    let bound = |entries| lower_bound_task_seconds(&tasks, &fleet, &plan(entries), secs(100));
    close(bound(vec![]), 12.0);
    // N₂ with speed 2: both until 3. N₁: 6 by 1 + 4/3; 2 more by 3, 4 left at rate 2 until 5.
    close(bound(vec![boost(1, 3, Target::Agent(1))]), 2.0 * 3.0 + 2.0);
    // Whoever the authority is: both at speed 2 in [1, 3]. N₁: 6 by 2, 10 by 3, 12 by 4.
    close(bound(vec![boost(1, 3, Target::Authority { seat: 0, otherwise: 0 })]), 2.0 * 3.0 + 1.0);
    // Two that do not overlap do not multiply: the fastest has speed 2, not 4.
    let apart = vec![boost(20, 30, Target::Agent(0)), boost(40, 50, Target::Agent(0))];
    close(bound(apart), 2.0 * 3.0 + 3.0);
}

#[test]
fn predecessors_that_came_early_do_not_count_twice() {
    let spec = |arrival, work, before: &[u32]| sample::task(arrival, work, before, None);
    // Together: the chain 0 → 2 is 3 + 2 long, 1 → 2 is 5 + 2.
    let batch = Tasks::new(vec![spec(0.0, 3.0, &[]), spec(0.0, 5.0, &[]), spec(0.0, 2.0, &[0, 1])]).unwrap();
    assert_eq!(shortest_sojourns_s(&batch, 1.0), [3.0, 5.0, 7.0]);
    assert_eq!(shortest_sojourns_s(&batch, 2.0), [1.5, 2.5, 3.5]);
    // Apart: the first is long done when its successor arrives at 100.
    let apart =
        Tasks::new(vec![spec(0.0, 10.0, &[]), spec(100.0, 1.0, &[0]), spec(100.0, 4.0, &[1])]).unwrap();
    assert_eq!(shortest_sojourns_s(&apart, 1.0), [10.0, 1.0, 5.0]);
    let fleet = sample::fleet(&[1.0, 1.0]);
    close(lower_bound_task_seconds(&apart, &fleet, &plan(vec![]), secs(1000)), 16.0);
}

#[test]
fn a_batch_takes_at_least_its_work_and_its_longest_path() {
    let fleet = sample::fleet(&[1.0, 1.0]);
    let makespan = |tasks: &Tasks, entries| lower_bound_makespan_s(tasks, &fleet, &plan(entries));
    let wide = sample::tasks(&[(10, 4); 6]);
    close(makespan(&wide, vec![]), 12.0);
    close(makespan(&wide, vec![down(0, 0, Some(14))]), 14.0);
    assert_eq!(makespan(&wide, vec![down(0, 0, None), down(1, 11, None)]), f64::INFINITY);
    let chain = vec![sample::task(0.0, 4.0, &[], None), sample::task(0.0, 5.0, &[0], None)];
    close(makespan(&Tasks::new(chain).unwrap(), vec![]), 9.0);
    assert!(makespan(&sample::tasks(&[]), vec![]).is_nan());
    assert!(closed_batch(&wide) && !closed_batch(&sample::tasks(&[(0, 1), (1, 1)])));
}

/// The price of a run: one task done in 8 s instead of 4, one failed that could have been done in 4.
#[test]
fn the_price_counts_what_failed_until_the_end() {
    let tasks = sample::tasks(&[(0, 4), (0, 4)]);
    let fleet = sample::fleet(&[1.0, 1.0]);
    let mut counts = TaskCounts::new(&tasks, secs(0), secs(10), secs(20));
    let failed = Record::Ended { task: TaskId(1), how: Ending::Failed };
    sample::show(
        &mut counts,
        &[(0, arrived(0)), (0, arrived(1)), (1, failed), (8, accepted(0, 0, true)), (8, Record::Finish)],
    );
    let bound = Bound::new(&tasks, &fleet, &plan(vec![]), secs(20));
    let mut set = MetricSet::default();
    bound.fill(&counts, &mut set);
    assert_eq!((set.get("task_seconds"), set.get("task_seconds_bound")), (28.0, 8.0));
    assert_eq!((set.get("price"), set.get("price_makespan")), (3.5, 2.0));
}

/// An independent SRPT: one second at a time, whole work, one agent of speed 1.
fn srpt_second_by_second(tasks: &[(u64, u64)]) -> u64 {
    let mut left: Vec<u64> = tasks.iter().map(|task| task.1).collect();
    let mut area = 0;
    let mut now = 0;
    while left.iter().any(|work| *work > 0) {
        let present = |task: &usize| tasks[*task].0 <= now && left[*task] > 0;
        area += (0..tasks.len()).filter(present).count() as u64;
        if let Some(task) = (0..tasks.len()).filter(present).min_by_key(|task| left[*task]) {
            left[task] -= 1;
        }
        now += 1;
    }
    area
}

/// When an agent that is up outside `outage` and begins at `start` has done `work` at `speed`.
fn ends(start: f64, work: f64, speed: f64, outage: (f64, f64)) -> f64 {
    let start = if outage.0 <= start && start < outage.1 { outage.1 } else { start };
    let end = start + work / speed;
    if start < outage.0 && outage.0 < end { end + outage.1 - outage.0 } else { end }
}

/// FIFO on parallel agents, each with one outage in which it freezes: ∫N dt up to `end`.
fn fifo(tasks: &[(u64, u64)], agents: &[(f64, (u64, u64))], end: f64) -> f64 {
    let mut free = vec![0.0_f64; agents.len()];
    let mut area = 0.0;
    for &(arrival, work) in tasks {
        let done_by = |agent: usize| {
            let (speed, (from, until)) = agents[agent];
            ends(free[agent].max(arrival as f64), work as f64, speed, (from as f64, until as f64))
        };
        let agent = (0..agents.len()).min_by(|a, b| done_by(*a).total_cmp(&done_by(*b))).unwrap();
        free[agent] = done_by(agent);
        area += free[agent].min(end) - (arrival as f64).min(end);
    }
    area
}

prop_compose! {
    fn workload()(mut tasks in prop::collection::vec((0u64..60, 1u64..20), 1..25)) -> Vec<(u64, u64)> {
        tasks.sort_unstable();
        tasks
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn on_one_agent_the_bound_is_srpt_itself(work in workload()) {
        let bound = lower_bound_task_seconds(
            &sample::tasks(&work), &sample::fleet(&[1.0]), &plan(vec![]), secs(10_000),
        );
        prop_assert!((bound - srpt_second_by_second(&work) as f64).abs() < 1e-6);
    }

    #[test]
    fn no_schedule_with_outages_beats_the_bound(
        work in workload(),
        agents in prop::collection::vec((1u32..5, (0u64..50, 0u64..40)), 1..5),
        end in 1u64..400,
    ) {
        let agents: Vec<_> = agents
            .into_iter()
            .map(|(speed, (from, length))| (f64::from(speed) * 0.5, (from, from + length)))
            .collect();
        let speeds: Vec<f64> = agents.iter().map(|agent| agent.0).collect();
        let faults = (0..).zip(&agents).map(|(agent, (_, (from, until)))| down(agent, *from, Some(*until)));
        let (tasks, fleet, plan) = (sample::tasks(&work), sample::fleet(&speeds), plan(faults.collect()));
        let bound = lower_bound_task_seconds(&tasks, &fleet, &plan, secs(end));
        let reached = fifo(&work, &agents, end as f64);
        prop_assert!(bound <= reached + 1e-6, "bound {bound} above {reached}");
        // And it is no less than what every task needs by itself.
        let fastest = fastest_speed(&fleet);
        let in_system = |&(at, work): &(u64, u64)| {
            (at as f64 + work as f64 / fastest).min(end as f64) - (at as f64).min(end as f64)
        };
        let alone: f64 = work.iter().map(in_system).sum();
        prop_assert!(bound + 1e-6 >= alone);
    }
}

/// A thousand tasks of a microsecond, one after the other up to 5,000 s, each done at once: what was spent
/// is known, and the digits lost so far from the start of the clock must not make it too little. A
/// hundredth less would be.
#[test]
fn rounding_does_not_make_a_run_look_too_good() {
    let specs = (0..1_000).map(|number| {
        let arrival = 4.0 + 5.000_000_37 * f64::from(number);
        sample::task(arrival, 1e-6, &[], None)
    });
    let tasks = Tasks::new(specs.collect()).expect("no cycle");
    let bound = Bound::new(&tasks, &sample::fleet(&[1.0]), &plan(vec![]), secs(5_100));
    let spent = tasks.total_work_s();
    assert_ne!(bound.task_seconds, spent, "digits are lost");
    assert!(!bound.is_beaten_by(spent) && bound.is_beaten_by(0.99 * spent), "{bound:?}");
}
