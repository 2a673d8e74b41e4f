use super::super::sample::task;
use super::*;
use crate::trace::ExecutionId;

const fn secs(secs: u64) -> Time {
    Time::from_secs(secs)
}

/// Two tasks: one waits a second and takes two, the other is refused; then the window closes.
fn queue() -> Queue {
    queue_of([0, 0, 0])
}

/// The same with the job of each task.
fn queue_of(jobs: [u32; 3]) -> Queue {
    let mut tasks = vec![task(1.0, 2.0, &[], None), task(2.0, 1.0, &[], None), task(8.0, 1.0, &[], None)];
    tasks.iter_mut().zip(jobs).for_each(|(task, job)| task.card.job = job);
    let mut queue = Queue::new(Arc::new(Tasks::new(tasks).unwrap()), secs(0), secs(10));
    let execution = ExecutionId(0);
    let records = [
        (1, Record::Arrived { task: TaskId(0) }),
        (2, Record::Arrived { task: TaskId(1) }),
        (2, Record::Ended { task: TaskId(1), how: Ending::Rejected }),
        (2, Record::Started { execution, task: TaskId(0), node: crate::trace::NodeId(0) }),
        (4, Record::Accepted { task: TaskId(0), execution, correct: true }),
        (8, Record::Arrived { task: TaskId(2) }),
        (12, Record::Finish),
    ];
    for (at, record) in records {
        queue.observe(secs(at), EventId(0), &record);
    }
    queue
}

#[test]
fn presence_and_waiting_are_averaged_over_the_window() {
    let queue = queue();
    let mut set = MetricSet::default();
    queue.fill(&mut set);
    // Present: 1–4 and 8–10; waiting: 1–2 and 8–10; over ten seconds.
    assert_eq!(set.get("tasks_present_mean"), 0.5);
    assert_eq!(set.get("tasks_waiting_mean"), 0.3);
    assert_eq!(set.get("tasks_present_max"), 2.0);
    assert_eq!(set.get("arrival_rate_per_s"), 0.3);
    assert_eq!(set.get("rejected_share"), 1.0 / 3.0);
    assert_eq!(set.get("waited_share"), 1.0, "the refused task did not wait, the open one did");
    assert_eq!(set.get("little_gap_share"), 0.0);
    assert_eq!(queue.classes()[0].get("sojourn_mean_s"), Some(3.0));
    assert_eq!(queue.classes()[0].get("no_such_metric"), None);
}

#[test]
fn a_task_whose_way_is_lost_shows_as_a_gap_in_littles_law() {
    let mut queue = queue();
    queue.ways[0].left = secs(5);
    assert_eq!(queue.little_gap(), 1.0 / 5.0);
}

#[test]
fn memoryless_gaps_have_scv_one_and_no_memory() {
    let mut rng = crate::engine::Rng::from_state(4);
    let gaps: Vec<f64> = (0..100_000).map(|_| -libm::log(1.0 - rng.uniform())).collect();
    let (scv, correlation) = serial(&gaps);
    assert!((scv - 1.0).abs() < 0.03 && correlation.abs() < 0.01, "{scv} {correlation}");
}

/// Where every job is one task, and where there is one class, numbers are shared instead of counted twice;
/// they must be those that counting gives.
#[test]
fn jobs_of_one_task_are_the_tasks_and_the_only_class_is_all() {
    let queue = queue_of([0, 1, 2]);
    assert!(queue.jobs.is_empty() && queue_of([0, 0, 2]).jobs.len() == 3);
    let mut set = MetricSet::default();
    queue.fill(&mut set);
    assert_eq!((set.get("job_sojourn_mean_s"), set.get("jobs_per_s")), (3.0, 0.1));
    let class = queue.classes();
    assert_eq!(class[0].values.map(f64::to_bits), queue.numbers(Some(0)).0.map(f64::to_bits));
}
