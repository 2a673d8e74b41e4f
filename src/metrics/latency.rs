//! How long tasks take: decision latency, sojourn, slowdown, fairness, deadlines.
//!
//! All of it is about the tasks that arrived in [warm-up, horizon]. *Decision latency* is arrival → start of
//! the accepted execution; *sojourn* is arrival → accepted. A task still open when the run ends enters the
//! sojourns with the time it has waited, is counted in `sojourn_open_tasks`, and makes every sojourn figure
//! a lower bound. Failed, rejected and expired tasks have no sojourn; they show in the counts of `tasks` and,
//! where they had a deadline, as misses here.
//!
//! Percentiles are exact (one integer per task is kept) and interpolate as
//! [`crate::stats::summary::quantile`] says. The histogram is for pooling replications in plots.

use std::sync::Arc;

use super::bound::{fastest_speed, shortest_sojourns_s};
use super::histogram::SojournHistogram;
use super::spans::sorted_s;
use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Span, Time, prefetch_at};
use crate::stats::concentration::jain;
use crate::stats::moments::mean;
use crate::stats::sort::sorted;
use crate::stats::summary::quantile;
use crate::trace::{ExecutionId, Observer, Record, TaskId};
use crate::work::{Fleet, Tasks};

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::lower("decision_latency_mean_s", "s", "arrival → start of the accepted execution, mean"),
    MetricDef::lower("decision_latency_p50_s", "s", "decision latency, median over tasks"),
    MetricDef::lower("decision_latency_p90_s", "s", "decision latency, 90th percentile over tasks"),
    MetricDef::lower("decision_latency_p95_s", "s", "decision latency, 95th percentile over tasks"),
    MetricDef::lower("decision_latency_p99_s", "s", "decision latency, 99th percentile over tasks"),
    MetricDef::lower("decision_latency_max_s", "s", "decision latency, largest"),
    MetricDef::lower("sojourn_mean_s", "s", "arrival → accepted, mean; open tasks enter as end − arrival"),
    MetricDef::lower("sojourn_p50_s", "s", "sojourn, median over tasks"),
    MetricDef::lower("sojourn_p90_s", "s", "sojourn, 90th percentile over tasks"),
    MetricDef::lower("sojourn_p95_s", "s", "sojourn, 95th percentile over tasks"),
    MetricDef::lower("sojourn_p99_s", "s", "sojourn, 99th percentile over tasks"),
    MetricDef::lower("sojourn_max_s", "s", "sojourn, largest"),
    MetricDef::neutral("sojourn_tasks", "tasks", "tasks that enter the sojourns"),
    MetricDef::lower(
        "sojourn_open_tasks",
        "tasks",
        "of these, open at the end: above 0, sojourns are lower bounds",
    ),
    MetricDef::lower(
        "slowdown_mean",
        "1",
        "sojourn ÷ the shortest possible (alone on the fastest agent, after its predecessors), mean",
    ),
    MetricDef::lower("slowdown_p99", "1", "slowdown, 99th percentile over tasks"),
    MetricDef::higher(
        "slowdown_fairness",
        "1",
        "Jain's index of the slowdowns (DEC TR-301, 1984): 1 if all tasks are slowed alike",
    ),
    MetricDef::lower(
        "deadline_misses",
        "tasks",
        "tasks whose deadline passed without an accepted output: late, expired, failed, rejected or open",
    ),
    MetricDef::lower(
        "deadline_miss_share",
        "share",
        "deadline_misses ÷ tasks whose deadline passed or was met",
    ),
];

/// Not yet accepted, nor ended otherwise.
const OPEN: u64 = u64::MAX;
/// Failed, rejected or expired.
const ENDED: u64 = u64::MAX - 1;

/// The way of one task \[ns\].
#[derive(Clone, Copy, Debug)]
struct Way {
    /// When it arrived, or [`OPEN`].
    arrived: u64,
    /// When its accepted execution started.
    decided: u64,
    /// When it was accepted, or [`OPEN`] or [`ENDED`].
    accepted: u64,
}

/// Follows each task's way from arrival to acceptance.
#[derive(Clone, Debug)]
pub struct Latency {
    tasks: Arc<Tasks>,
    fastest: f64,
    warmup: Time,
    horizon: Time,
    /// By task.
    ways: Vec<Way>,
    /// Start of each execution \[ns\].
    started: Vec<u64>,
    end: Option<Time>,
}

impl Latency {
    /// Follows `tasks` on `fleet`; figures are of those that arrive in [`warmup`, `horizon`].
    pub fn new(tasks: Arc<Tasks>, fleet: &Fleet, warmup: Time, horizon: Time) -> Latency {
        let count = tasks.len();
        Latency {
            fastest: fastest_speed(fleet),
            warmup,
            horizon,
            ways: vec![Way { arrived: OPEN, decided: OPEN, accepted: OPEN }; count],
            started: Vec::with_capacity(count + count / 4),
            tasks,
            end: None,
        }
    }

    /// Writes the columns of [`DEFS`]. Panics before the end of the run.
    pub fn fill(&self, set: &mut MetricSet) {
        const DECISION: [&str; 6] = [
            "decision_latency_mean_s",
            "decision_latency_p50_s",
            "decision_latency_p90_s",
            "decision_latency_p95_s",
            "decision_latency_p99_s",
            "decision_latency_max_s",
        ];
        const SOJOURN: [&str; 6] = [
            "sojourn_mean_s",
            "sojourn_p50_s",
            "sojourn_p90_s",
            "sojourn_p95_s",
            "sojourn_p99_s",
            "sojourn_max_s",
        ];
        let end = self.end();
        let decisions = self.measured(end).filter_map(|task| self.decision_latency(task));
        fill_distribution(set, DECISION, decisions.collect());
        let sojourns: Vec<Span> = self.sojourns(end).collect();
        set.set("sojourn_tasks", sojourns.len() as f64);
        let open = self.measured(end).filter(|task| self.ways[task.index()].accepted == OPEN).count();
        set.set("sojourn_open_tasks", open as f64);
        fill_distribution(set, SOJOURN, sojourns);
        let slowdowns = sorted(self.slowdowns(end));
        set.set("slowdown_mean", mean(&slowdowns));
        set.set("slowdown_p99", quantile(&slowdowns, 0.99));
        set.set("slowdown_fairness", jain(&slowdowns));
        let (misses, due) = self.deadlines(end);
        set.set("deadline_misses", misses as f64);
        set.set("deadline_miss_share", misses as f64 / due as f64);
    }

    /// Sojourns of the measured tasks \[s\], in order of arrival. Panics before the end of the run.
    pub fn sojourns_s(&self) -> Vec<f64> {
        self.sojourns(self.end()).map(Span::as_secs_f64).collect()
    }

    /// The same as a histogram, for pooling replications. Panics before the end of the run.
    pub fn histogram(&self) -> SojournHistogram {
        let mut histogram = SojournHistogram::new();
        self.sojourns(self.end()).for_each(|sojourn| histogram.record_s(sojourn.as_secs_f64()));
        histogram
    }

    fn end(&self) -> Time {
        self.end.expect("metrics are read after the run")
    }

    /// The tasks that arrived in the window, in order.
    fn measured(&self, end: Time) -> impl Iterator<Item = TaskId> {
        let window = self.warmup.as_nanos()..=self.horizon.min(end).as_nanos();
        let arrived = self.ways.iter().map(|way| way.arrived).enumerate();
        arrived.filter(move |(_, at)| window.contains(at)).map(|(task, _)| TaskId(task as u32))
    }

    fn arrival(&self, task: TaskId) -> Time {
        Time::from_nanos(self.ways[task.index()].arrived)
    }

    fn sojourns(&self, end: Time) -> impl Iterator<Item = Span> {
        self.measured(end).filter_map(move |task| self.sojourn(task, end))
    }

    fn decision_latency(&self, task: TaskId) -> Option<Span> {
        let decided = self.ways[task.index()].decided;
        (decided < ENDED).then(|| self.since_arrival(task, decided))
    }

    fn sojourn(&self, task: TaskId, end: Time) -> Option<Span> {
        match self.ways[task.index()].accepted {
            ENDED => None,
            OPEN => Some(self.since_arrival(task, end.as_nanos())),
            accepted => Some(self.since_arrival(task, accepted)),
        }
    }

    fn since_arrival(&self, task: TaskId, nanos: u64) -> Span {
        Time::from_nanos(nanos).since(self.arrival(task))
    }

    /// Slowdowns of the measured tasks; tasks of no work have none.
    fn slowdowns(&self, end: Time) -> Vec<f64> {
        let shortest = shortest_sojourns_s(&self.tasks, self.fastest);
        self.measured(end)
            .filter(|task| shortest[task.index()] > 0.0)
            .filter_map(|task| Some(self.sojourn(task, end)?.as_secs_f64() / shortest[task.index()]))
            .collect()
    }

    /// Deadlines missed, and deadlines whose outcome is known when the run ends.
    fn deadlines(&self, end: Time) -> (u64, u64) {
        let (mut misses, mut due) = (0, 0);
        for task in self.measured(end) {
            let Some(deadline) = self.tasks.card(task).deadline else { continue };
            let deadline = self.arrival(task) + deadline;
            let accepted = self.ways[task.index()].accepted;
            let met = accepted < ENDED && accepted <= deadline.as_nanos();
            let missed = !met && (accepted != OPEN || deadline <= end);
            misses += u64::from(missed);
            due += u64::from(met || missed);
        }
        (misses, due)
    }

    /// Asks for what records of `task` will touch.
    #[inline]
    pub(crate) fn foresee_task(&self, task: TaskId) {
        prefetch_at(&self.ways, task.index());
    }

    /// Asks for what the end of `execution` will touch.
    #[inline]
    pub(crate) fn foresee_execution(&self, execution: ExecutionId) {
        prefetch_at(&self.started, execution.index());
    }

    fn starts(&mut self, execution: ExecutionId, at: Time) {
        if self.started.len() <= execution.index() {
            self.started.resize(execution.index() + 1, OPEN);
        }
        self.started[execution.index()] = at.as_nanos();
    }
}

impl Observer for Latency {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Arrived { task } => self.ways[task.index()].arrived = at.as_nanos(),
            Record::Started { execution, .. } => self.starts(execution, at),
            Record::Accepted { task, execution, .. } => {
                let started = self.started.get(execution.index()).copied();
                let way = &mut self.ways[task.index()];
                (way.accepted, way.decided) = (at.as_nanos(), started.unwrap_or(OPEN));
            }
            Record::Ended { task, .. } => self.ways[task.index()].accepted = ENDED,
            Record::Finish => self.end = Some(at),
            Record::Up { .. }
            | Record::Down { .. }
            | Record::Speed { .. }
            | Record::Stalled { .. }
            | Record::CutOff { .. }
            | Record::Fault { .. }
            | Record::Submitted { .. }
            | Record::Acknowledged { .. }
            | Record::Began { .. }
            | Record::Ceased { .. }
            | Record::Finished { .. }
            | Record::Fate { .. }
            | Record::DoubleSettle { .. }
            | Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Handled { .. }
            | Record::Wire { .. }
            | Record::Noted { .. } => {}
        }
    }
}

/// Mean, p50, p90, p95, p99 and maximum; all NaN for no values.
fn fill_distribution(set: &mut MetricSet, names: [&str; 6], values: Vec<Span>) {
    let values = sorted_s(values);
    set.set(names[0], mean(&values));
    for (name, p) in names[1..].iter().zip([0.50, 0.90, 0.95, 0.99, 1.0]) {
        set.set(name, quantile(&values, p));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::{self, accepted, started};
    use crate::trace::Ending;

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    fn filled(latency: &Latency) -> MetricSet {
        let mut set = MetricSet::default();
        latency.fill(&mut set);
        set
    }

    /// Tasks arrive at 0, 10, 20, 30, 40, 50; the first is before the warm-up, the last after the horizon.
    #[test]
    fn latencies_are_of_the_tasks_of_the_window() {
        let tasks = sample::tasks(&[(0, 4), (10, 4), (20, 8), (30, 4), (40, 4), (50, 4)]);
        let mut latency = Latency::new(Arc::new(tasks), &sample::fleet(&[1.0, 2.0, 0.0]), secs(10), secs(45));
        let failed = Record::Ended { task: TaskId(3), how: Ending::Failed };
        sample::show(
            &mut latency,
            &[0, 1, 2, 3, 4, 5].map(|task| (u64::from(task) * 10, sample::arrived(task))),
        );
        sample::show(
            &mut latency,
            &[
                (0, started(0, 0, 2)),
                (9, accepted(0, 0, true)),
                (11, started(2, 1, 2)),
                (13, started(1, 1, 3)),
                (16, accepted(1, 1, true)),
                (26, started(3, 2, 2)),
                (30, accepted(2, 3, false)),
                (35, failed),
                (60, started(4, 5, 2)),
                (64, accepted(5, 4, true)),
                (100, Record::Finish),
            ],
        );
        let set = filled(&latency);
        // Task 1: 3 s and 6 s; task 2: 6 s and 10 s; task 3 failed; task 4 is open for 60 s.
        assert_eq!(latency.sojourns_s(), [6.0, 10.0, 60.0]);
        let expected = [
            ("decision_latency_mean_s", 4.5),
            ("decision_latency_p50_s", 4.5),
            ("decision_latency_max_s", 6.0),
            ("sojourn_mean_s", 76.0 / 3.0),
            ("sojourn_p50_s", 10.0),
            ("sojourn_p90_s", 50.0),
            ("sojourn_max_s", 60.0),
            ("sojourn_tasks", 3.0),
            ("sojourn_open_tasks", 1.0),
            // The fastest present agent has speed 2: slowdowns 6/2, 10/4, 60/2.
            ("slowdown_mean", 35.5 / 3.0),
            ("deadline_misses", 0.0),
        ];
        for (name, value) in expected {
            assert!((set.get(name) - value).abs() < 1e-12, "{name}: {}", set.get(name));
        }
        let squares = 3.0 * 3.0 + 2.5 * 2.5 + 30.0 * 30.0;
        assert!((set.get("slowdown_fairness") - 35.5 * 35.5 / (3.0 * squares)).abs() < 1e-12);
        assert!((set.get("slowdown_p99") - (3.0 + 0.98 * 27.0)).abs() < 1e-12);
        assert!(set.get("deadline_miss_share").is_nan());
    }

    #[test]
    fn a_deadline_is_missed_by_being_late_ended_or_open() {
        let specs =
            [10, 10, 10, 10, 90, 90].map(|deadline| sample::task(0.0, 1.0, &[], Some(deadline))).to_vec();
        let tasks = Arc::new(Tasks::new(specs).unwrap());
        let mut latency = Latency::new(tasks, &sample::fleet(&[1.0]), secs(0), secs(5));
        sample::show(&mut latency, &[0, 1, 2, 3, 4, 5].map(|task| (0, sample::arrived(task))));
        let ended = |task, how| Record::Ended { task: TaskId(task), how };
        let records = [
            (10, accepted(0, 0, true)),
            (10, ended(1, Ending::Expired)),
            (10, ended(2, Ending::Rejected)),
            (11, accepted(3, 1, true)),
        ];
        sample::show(&mut latency, &records);
        // Tasks 4 and 5 are open: at second 20 nobody knows, at second 90 they are misses.
        let mut early = latency.clone();
        sample::show(&mut early, &[(20, Record::Finish)]);
        let set = filled(&early);
        assert_eq!((set.get("deadline_misses"), set.get("deadline_miss_share")), (3.0, 0.75));
        sample::show(&mut latency, &[(90, Record::Finish)]);
        let set = filled(&latency);
        assert_eq!((set.get("deadline_misses"), set.get("deadline_miss_share")), (5.0, 5.0 / 6.0));
    }

    #[test]
    fn without_tasks_nothing_is_defined() {
        let mut latency =
            Latency::new(Arc::new(sample::tasks(&[])), &sample::fleet(&[1.0]), secs(0), secs(5));
        sample::show(&mut latency, &[(9, Record::Finish)]);
        let set = filled(&latency);
        assert!(set.get("sojourn_mean_s").is_nan() && set.get("sojourn_p99_s").is_nan());
        assert!(set.get("slowdown_fairness").is_nan());
        assert_eq!(set.get("sojourn_open_tasks"), 0.0);
    }
}
