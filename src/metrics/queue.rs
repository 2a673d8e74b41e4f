//! The system as a queue: how many tasks are present, how many wait, who waited, who was turned away.
//!
//! Columns are over the window [warm-up, horizon]: time averages over the window itself, shares over the
//! tasks that arrived in it. A task is *present* from its arrival to its ending, however it ends, and
//! *waits* until an execution of it first starts. The same account is kept for every class of tasks
//! ([`ClassNumbers`]), which is how the stages of a network of queues are told apart, and for jobs, whose
//! sojourn is from the arrival of the first task to the acceptance of the last.

use std::cell::OnceCell;
use std::sync::Arc;

use super::spans::sorted_s;
use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Span, Time, prefetch_at};
use crate::stats::moments::mean;
use crate::stats::summary::quantile;
use crate::trace::{Ending, Observer, Record, TaskId};
use crate::work::Tasks;

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::neutral("arrival_rate_per_s", "tasks/s", "tasks that arrived in the window ÷ its length"),
    MetricDef::lower("tasks_present_mean", "tasks", "tasks arrived and not ended, time average (L)"),
    MetricDef::lower("tasks_waiting_mean", "tasks", "tasks present and never started, time average (Lq)"),
    MetricDef::lower("tasks_present_max", "tasks", "tasks present, largest number in the window"),
    MetricDef::lower(
        "waited_share",
        "share",
        "tasks not begun in the instant of their arrival ÷ tasks that were not rejected",
    ),
    MetricDef::lower("rejected_share", "share", "tasks rejected ÷ tasks arrived in the window"),
    MetricDef::lower("expired_share", "share", "tasks that expired ÷ tasks arrived in the window"),
    MetricDef::neutral(
        "little_gap_share",
        "share",
        "|∫ tasks present dt − Σ over tasks of their time in the window| ÷ ∫: 0 by Little's law (1961)",
    ),
    MetricDef::neutral(
        "departure_scv",
        "1",
        "squared coefficient of variation of the times between acceptances (1 for M/M/1: Burke 1956)",
    ),
    MetricDef::neutral(
        "departure_lag1_correlation",
        "1",
        "correlation of neighbouring times between acceptances (0 for M/M/1: Burke 1956)",
    ),
    MetricDef::lower(
        "job_sojourn_mean_s",
        "s",
        "arrival of a job's first task → acceptance of its last, mean over jobs that arrived in the window",
    ),
    MetricDef::lower("job_sojourn_p50_s", "s", "job sojourn, median over jobs"),
    MetricDef::lower("job_sojourn_p95_s", "s", "job sojourn, 95th percentile over jobs"),
    MetricDef::lower("job_sojourn_p99_s", "s", "job sojourn, 99th percentile over jobs"),
    MetricDef::higher("jobs_per_s", "jobs/s", "jobs answered in full in the window ÷ its length"),
];

/// The columns that exist for each class of tasks, under the names they have for all tasks together.
pub const CLASS_COLUMNS: [&str; 11] = [
    "arrival_rate_per_s",
    "throughput_per_s",
    "tasks_present_mean",
    "tasks_waiting_mean",
    "waited_share",
    "rejected_share",
    "expired_share",
    "decision_latency_mean_s",
    "sojourn_mean_s",
    "sojourn_p95_s",
    "sojourn_p99_s",
];

/// The numbers of one class, in the order of [`CLASS_COLUMNS`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClassNumbers {
    /// Its name.
    pub name: String,
    /// NaN where a number does not apply.
    pub values: [f64; CLASS_COLUMNS.len()],
}

impl ClassNumbers {
    /// The value of a column; `None` if classes have no such column.
    pub fn get(&self, metric: &str) -> Option<f64> {
        CLASS_COLUMNS.iter().position(|name| *name == metric).map(|index| self.values[index])
    }
}

/// What is known of a task: three instants, or [`NEVER`].
#[derive(Clone, Copy, Debug)]
struct Way {
    arrived: Time,
    begun: Time,
    /// Accepted, or ended otherwise.
    left: Time,
    ending: Option<Ending>,
}

/// An instant no run reaches.
const NEVER: Time = Time::MAX;

impl Way {
    const FUTURE: Way = Way { arrived: NEVER, begun: NEVER, left: NEVER, ending: None };

    fn accepted(&self) -> Option<Time> {
        (self.left != NEVER && self.ending.is_none()).then_some(self.left)
    }
}

/// A number that changes in time, and its integral over the window.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    number: u64,
    largest: u64,
    since: Time,
    /// ∫ number dt \[ns\].
    pub(super) area: u128,
}

/// One class of tasks, or all.
#[derive(Clone, Debug, Default)]
struct Account {
    present: Level,
    waiting: Level,
    accepted_in_window: u64,
}

/// One job.
#[derive(Clone, Copy, Debug, Default)]
struct Job {
    arrived: Option<Time>,
    /// Tasks present, or yet to come.
    left: u32,
    broken: bool,
    done: Option<Time>,
}

/// Follows the tasks of a run as customers of a queue.
#[derive(Clone, Debug)]
pub struct Queue {
    tasks: Arc<Tasks>,
    warmup: Time,
    horizon: Time,
    ways: Vec<Way>,
    all: Account,
    /// One for each class, where there are several: a single class is all there is.
    classes: Vec<Account>,
    /// Empty where every job is one task.
    jobs: Vec<Job>,
    departures: Departures,
    end: Option<Time>,
    numbers: OnceCell<Numbers>,
}

/// [`CLASS_COLUMNS`] of one class, or of all tasks, and the sojourns of its accepted tasks \[s\], in rising
/// order.
type Numbers = ([f64; CLASS_COLUMNS.len()], Vec<f64>);

/// Moments of the times between acceptances in the window \[s\].
#[derive(Clone, Debug, Default)]
struct Departures {
    last: Option<Time>,
    gaps: Vec<f64>,
}

impl Level {
    #[inline]
    pub(super) fn change(&mut self, at: Time, by: i64, window: (Time, Time)) {
        self.book(at, window);
        self.number = self.number.checked_add_signed(by).expect("nobody leaves who was not there");
        if window.0 <= at && at <= window.1 {
            self.largest = self.largest.max(self.number);
        }
    }
    #[inline]
    pub(super) fn book(&mut self, at: Time, (from, to): (Time, Time)) {
        let (start, stop) = (self.since.max(from), at.min(to));
        if start < stop {
            self.area += u128::from(self.number) * u128::from(stop.since(start).as_nanos());
            self.largest = self.largest.max(self.number);
        }
        self.since = at;
    }
}

impl Queue {
    /// Follows `tasks` over [`warmup`, `horizon`].
    pub fn new(tasks: Arc<Tasks>, warmup: Time, horizon: Time) -> Queue {
        let mut jobs: Vec<Job> = Vec::new();
        for card in tasks.cards() {
            if jobs.len() <= card.job as usize {
                jobs.resize(card.job as usize + 1, Job::default());
            }
            jobs[card.job as usize].left += 1;
        }
        if jobs.len() == tasks.len() && jobs.iter().all(|job| job.left == 1) {
            jobs = Vec::new();
        }
        Queue {
            warmup,
            horizon,
            ways: vec![Way::FUTURE; tasks.len()],
            all: Account::default(),
            classes: match tasks.classes().len() {
                1 => Vec::new(),
                several => vec![Account::default(); several],
            },
            jobs,
            departures: Departures::default(),
            tasks,
            end: None,
            numbers: OnceCell::new(),
        }
    }

    fn window(&self) -> (Time, Time) {
        (self.warmup, self.horizon)
    }

    /// Asks for what records of `task` will touch.
    #[inline]
    pub(crate) fn foresee_task(&self, task: TaskId) {
        prefetch_at(&self.ways, task.index());
    }

    /// Lets `change` alter the accounts a task enters: that of all and that of its class.
    #[inline]
    fn accounts(&mut self, task: TaskId, mut change: impl FnMut(&mut Account)) {
        change(&mut self.all);
        if !self.classes.is_empty() {
            change(&mut self.classes[self.tasks.card(task).class.index()]);
        }
    }

    fn arrives(&mut self, at: Time, task: TaskId) {
        let window = self.window();
        self.ways[task.index()].arrived = at;
        self.accounts(task, |account| {
            account.present.change(at, 1, window);
            account.waiting.change(at, 1, window);
        });
        if let Some(job) = self.job(task) {
            job.arrived = job.arrived.or(Some(at));
        }
    }

    fn begins(&mut self, at: Time, task: TaskId) {
        let window = self.window();
        let way = &mut self.ways[task.index()];
        if way.begun == NEVER && way.left == NEVER {
            way.begun = at;
            self.accounts(task, |account| account.waiting.change(at, -1, window));
        }
    }

    fn leaves(&mut self, at: Time, task: TaskId, ending: Option<Ending>) {
        let window = self.window();
        let way = &mut self.ways[task.index()];
        let waited = way.begun == NEVER;
        (way.left, way.ending) = (at, ending);
        self.accounts(task, |account| {
            account.present.change(at, -1, window);
            if waited {
                account.waiting.change(at, -1, window);
            }
            account.accepted_in_window += u64::from(ending.is_none() && window.0 <= at && at <= window.1);
        });
        if let Some(job) = self.job(task) {
            job.left -= 1;
            job.broken |= ending.is_some();
            if job.left == 0 && !job.broken {
                job.done = Some(at);
            }
        }
    }

    /// The job of a task; `None` where it is the task itself.
    fn job(&mut self, task: TaskId) -> Option<&mut Job> {
        self.jobs.get_mut(self.tasks.card(task).job as usize)
    }

    fn departs(&mut self, at: Time) {
        if at < self.warmup || at > self.horizon {
            return;
        }
        if let Some(last) = self.departures.last.replace(at) {
            self.departures.gaps.push(at.since(last).as_secs_f64());
        }
    }

    /// Writes the columns of [`DEFS`]. Panics before the end of the run.
    pub fn fill(&self, set: &mut MetricSet) {
        let (all, sojourns) = self.all_numbers();
        for (name, value) in CLASS_COLUMNS.iter().zip(*all) {
            if DEFS.iter().any(|def| def.name == *name) {
                set.set(name, value);
            }
        }
        set.set("tasks_present_max", self.all.present.largest as f64);
        set.set("little_gap_share", self.little_gap());
        let (scv, correlation) = serial(&self.departures.gaps);
        set.set("departure_scv", scv);
        set.set("departure_lag1_correlation", correlation);
        if self.jobs.is_empty() {
            self.fill_jobs(set, sojourns, self.all.accepted_in_window);
        } else {
            let (sojourns, done) = self.job_sojourns();
            self.fill_jobs(set, &sojourns, done);
        }
    }

    /// Sojourns of the jobs that arrived in the window \[s\], in rising order, and how many were done in it.
    fn job_sojourns(&self) -> (Vec<f64>, u64) {
        let mut sojourns: Vec<Span> = Vec::new();
        let mut done = 0_u64;
        for job in &self.jobs {
            let (Some(arrived), Some(ended)) = (job.arrived, job.done) else { continue };
            if self.warmup <= arrived && arrived <= self.horizon {
                sojourns.push(ended.since(arrived));
            }
            done += u64::from(self.warmup <= ended && ended <= self.horizon);
        }
        (sorted_s(sojourns), done)
    }

    fn fill_jobs(&self, set: &mut MetricSet, sojourns: &[f64], done: u64) {
        set.set("job_sojourn_mean_s", mean(sojourns));
        set.set("job_sojourn_p50_s", quantile(sojourns, 0.5));
        set.set("job_sojourn_p95_s", quantile(sojourns, 0.95));
        set.set("job_sojourn_p99_s", quantile(sojourns, 0.99));
        set.set("jobs_per_s", done as f64 / self.length_s());
    }

    /// The numbers of every class. Panics before the end of the run.
    pub fn classes(&self) -> Vec<ClassNumbers> {
        let names = self.tasks.classes();
        let values =
            |class| if names.len() == 1 { self.all_numbers().0 } else { self.numbers(Some(class)).0 };
        let numbers =
            |(class, name): (usize, &String)| ClassNumbers { name: name.clone(), values: values(class) };
        names.iter().enumerate().map(numbers).collect()
    }

    /// [`Queue::numbers`] of all tasks. Panics before the end of the run, after which they stay the same.
    fn all_numbers(&self) -> &Numbers {
        self.numbers.get_or_init(|| self.numbers(None))
    }

    /// Little's law without an approximation: the area under the number present against the times that
    /// single tasks spent in the window, each counted on its own way.
    fn little_gap(&self) -> f64 {
        let inside = |way: &Way| {
            let end = self.end.unwrap_or(self.horizon);
            let until = if way.left == NEVER { end } else { way.left }.min(self.horizon);
            // One that never arrived arrives after everything else.
            u128::from(until.saturating_since(way.arrived.max(self.warmup)).as_nanos())
        };
        let sum: u128 = self.ways.iter().map(inside).sum();
        let area = self.all.present.area;
        if area == 0 { sum as f64 } else { area.abs_diff(sum) as f64 / area as f64 }
    }

    fn length_s(&self) -> f64 {
        let end = self.end.expect("metrics are read after the run");
        end.min(self.horizon).saturating_since(self.warmup).as_secs_f64()
    }

    fn numbers(&self, class: Option<usize>) -> Numbers {
        let account = class.and_then(|class| self.classes.get(class)).unwrap_or(&self.all);
        let length = self.length_s();
        let (mut arrived, mut rejected, mut expired, mut waited) = (0_u64, 0_u64, 0_u64, 0_u64);
        let (mut waits, mut sojourns) = (Vec::new(), Vec::new());
        for (way, card) in self.ways.iter().zip(self.tasks.cards()) {
            let at = way.arrived;
            let other = class.is_some_and(|class| card.class.index() != class);
            if other || at < self.warmup || at > self.horizon {
                continue;
            }
            arrived += 1;
            rejected += u64::from(way.ending == Some(Ending::Rejected));
            expired += u64::from(way.ending == Some(Ending::Expired));
            waited += u64::from(way.ending != Some(Ending::Rejected) && way.begun != at);
            if way.begun != NEVER {
                waits.push(way.begun.since(at).as_secs_f64());
            }
            if let Some(accepted) = way.accepted() {
                sojourns.push(accepted.since(at));
            }
        }
        let sojourns = sorted_s(sojourns);
        let share = |part: u64, whole: u64| part as f64 / whole as f64;
        let columns = [
            arrived as f64 / length,
            account.accepted_in_window as f64 / length,
            account.present.area as f64 / 1e9 / length,
            account.waiting.area as f64 / 1e9 / length,
            share(waited, arrived - rejected),
            share(rejected, arrived),
            share(expired, arrived),
            mean(&waits),
            mean(&sojourns),
            quantile(&sojourns, 0.95),
            quantile(&sojourns, 0.99),
        ];
        (columns, sojourns)
    }
}

/// Squared coefficient of variation and lag-1 correlation of a sequence; NaN for fewer than three values.
fn serial(values: &[f64]) -> (f64, f64) {
    if values.len() < 3 {
        return (f64::NAN, f64::NAN);
    }
    let centre = mean(values);
    let square = |value: f64| (value - centre) * (value - centre);
    let sum: f64 = values.iter().map(|&value| square(value)).sum();
    let cross: f64 = values.windows(2).map(|pair| (pair[0] - centre) * (pair[1] - centre)).sum();
    (sum / values.len() as f64 / (centre * centre), cross / sum)
}

impl Observer for Queue {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Arrived { task } => self.arrives(at, task),
            Record::Started { task, .. } => self.begins(at, task),
            Record::Accepted { task, .. } => {
                self.departs(at);
                self.leaves(at, task, None);
            }
            Record::Ended { task, how } => self.leaves(at, task, Some(how)),
            Record::Finish => {
                let window = self.window();
                for account in std::iter::once(&mut self.all).chain(&mut self.classes) {
                    account.present.book(at, window);
                    account.waiting.book(at, window);
                }
                self.end = Some(at);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
