//! Tests of the account of tasks on hand-written runs.

use super::*;
use crate::metrics::sample::{self, accepted, noted, started};
use crate::trace::{ExecutionId, LetterId, NodeId};

fn secs(secs: u64) -> Time {
    Time::from_secs(secs)
}

fn counts(arrivals: &[u64], warmup: u64, horizon: u64, account: u64) -> TaskCounts {
    let tasks = sample::tasks(&arrivals.iter().map(|&at| (at, 1)).collect::<Vec<_>>());
    TaskCounts::new(&tasks, secs(warmup), secs(horizon), secs(account))
}

#[test]
fn every_task_is_counted_once_and_rates_are_of_the_window() {
    let mut counts = counts(&[0, 10, 20, 30, 40, 50, 60], 20, 70, 100);
    let arrive = |task| Record::Arrived { task: TaskId(task) };
    let fate = |execution, fate| Record::Fate { execution: ExecutionId(execution), fate };
    let end = |task, how| Record::Ended { task: TaskId(task), how };
    let acknowledge = |task| Record::Acknowledged { task: TaskId(task), by: NodeId(0) };
    sample::show(
        &mut counts,
        &[
            (0, arrive(0)),
            (5, started(0, 0, 1)),
            (10, accepted(0, 0, true)),
            (10, arrive(1)),
            (20, arrive(2)),
            (20, started(1, 1, 1)),
            (20, accepted(1, 1, true)),
            (30, arrive(3)),
            (40, arrive(4)),
            (45, started(2, 2, 1)),
            (45, started(3, 2, 2)),
            (50, accepted(2, 2, false)),
            (50, fate(3, Fate::Duplicate)),
            (50, Record::DoubleSettle { task: TaskId(2), execution: ExecutionId(3) }),
            (50, arrive(5)),
            (55, end(3, Ending::Failed)),
            (56, end(4, Ending::Expired)),
            (60, arrive(6)),
            (60, Record::Submitted { task: TaskId(6), to: NodeId(0), attempt: 0 }),
            (65, Record::Submitted { task: TaskId(6), to: NodeId(0), attempt: 1 }),
            (66, acknowledge(6)),
            (80, accepted(5, 4, true)),
            (90, Record::Finish),
        ],
    );
    assert_eq!(counts.violation(), None);
    let mut set = MetricSet::default();
    counts.fill(&mut set);
    let expected = [
        ("arrived", 7.0),
        ("completed", 4.0),
        ("completed_correct", 3.0),
        ("failed", 1.0),
        ("rejected", 0.0),
        ("expired", 1.0),
        ("open", 1.0),
        ("tasks_lost", 1.0),
        ("settled_share", 4.0 / 7.0),
        ("error_share", 1.0 / 4.0),
        // In [20, 70]: task 1 at 20 and the wrong task 2 at 50; not task 5 at 80.
        ("throughput_per_s", 2.0 / 50.0),
        ("goodput_per_s", 1.0 / 50.0),
        ("executions", 4.0),
        ("duplication_share", 0.25),
        ("submission_retries", 1.0),
        ("double_settles", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(set.get(name), value, "{name}");
    }
    assert!(set.get("makespan_s").is_nan(), "tasks are open");
    // Tasks 0 and 1 take 10 s each, task 5 takes 30; the others stay until 100: 80 + 70 + 60 + 40.
    assert_eq!(counts.task_seconds(), 50.0 + 250.0);
}

#[test]
fn facts_and_overtaking_are_counted() {
    let mut counts = counts(&[0], 0, 10, 10);
    let task = TaskId(0);
    let delivered = |overtook| Record::Delivered { letter: LetterId(0), to: NodeId(1), overtook };
    sample::show(
        &mut counts,
        &[
            (0, Record::Arrived { task }),
            (1, noted(1, Fact::Conflict(task))),
            (1, noted(1, Fact::Conflict(task))),
            (2, noted(1, Fact::Stale(task))),
            (2, noted(1, Fact::Queued(task))),
            (3, noted(1, Fact::Redelivered(task))),
            (4, delivered(true)),
            (4, delivered(false)),
            (9, Record::Finish),
        ],
    );
    let mut set = MetricSet::default();
    counts.fill(&mut set);
    for (name, value) in
        [("conflicts", 2.0), ("stale_decisions", 1.0), ("redeliveries", 1.0), ("out_of_order", 1.0)]
    {
        assert_eq!(set.get(name), value, "{name}");
    }
    assert!(set.get("error_share").is_nan() && set.get("duplication_share").is_nan());
}

#[test]
fn a_task_that_ends_twice_breaks_conservation() {
    for second in [accepted(0, 0, true), Record::Ended { task: TaskId(0), how: Ending::Failed }] {
        let mut counts = counts(&[0], 0, 10, 10);
        let arrived = Record::Arrived { task: TaskId(0) };
        sample::show(&mut counts, &[(0, arrived), (1, accepted(0, 0, true))]);
        assert_eq!(counts.violation(), None);
        sample::show(&mut counts, &[(2, second)]);
        assert!(counts.violation().is_some_and(|what| what.contains("1 tasks arrived")));
    }
}

#[test]
fn a_closed_batch_is_measured_to_its_end() {
    let mut counts = counts(&[0, 0], 0, 1, 100);
    sample::show(
        &mut counts,
        &[
            (0, Record::Arrived { task: TaskId(0) }),
            (0, Record::Arrived { task: TaskId(1) }),
            (20, accepted(0, 0, true)),
            (40, accepted(1, 1, true)),
            (40, Record::Finish),
        ],
    );
    let mut set = MetricSet::default();
    counts.fill(&mut set);
    assert_eq!((set.get("throughput_per_s"), set.get("makespan_s")), (2.0 / 40.0, 40.0));
    assert_eq!(counts.task_seconds(), 60.0);
}
