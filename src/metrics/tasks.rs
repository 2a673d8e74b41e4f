//! What became of the tasks: counts of the whole run, conserved, and rates over the measured window.
//!
//! `arrived = completed + failed + rejected + expired + open` is checked on every run: each task's state is
//! followed on its own and the counters are compared with it, so that a task accepted twice or ended after
//! it was accepted cannot hide. Counts are of the whole run; rates are over the *window*, from the warm-up
//! cut to the horizon (to the end of the run where it ends earlier, or where all tasks arrive at once and the
//! horizon says nothing).

use crate::engine::{EventId, Time};
use crate::trace::{Ending, Fact, Fate, Observer, Record, TaskId};
use crate::work::Tasks;

use super::bound::closed_batch;
use super::{MetricDef, MetricSet};

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::neutral("arrived", "tasks", "tasks that arrived at their clients"),
    MetricDef::higher("completed", "tasks", "tasks with an accepted output, right or wrong"),
    MetricDef::higher("completed_correct", "tasks", "tasks with an accepted output that is correct"),
    MetricDef::lower("failed", "tasks", "tasks the pattern gave up"),
    MetricDef::lower("rejected", "tasks", "tasks the pattern refused"),
    MetricDef::lower("expired", "tasks", "tasks dropped at their deadline"),
    MetricDef::lower("open", "tasks", "tasks without an ending when the run ended"),
    MetricDef::lower(
        "tasks_lost",
        "tasks",
        "tasks the pattern had acknowledged and that were open at the end",
    ),
    MetricDef::higher("settled_share", "share", "completed ÷ arrived"),
    MetricDef::lower("error_share", "share", "accepted wrong outputs ÷ accepted outputs"),
    MetricDef::higher("throughput_per_s", "tasks/s", "outputs accepted in the window ÷ its length"),
    MetricDef::higher("goodput_per_s", "tasks/s", "correct outputs accepted in the window ÷ its length"),
    MetricDef::lower("makespan_s", "s", "first arrival → last ending; undefined while a task is open"),
    MetricDef::neutral("executions", "executions", "attempts at tasks that were started"),
    MetricDef::lower("duplication_share", "share", "executions with fate `duplicate` ÷ executions"),
    MetricDef::lower("conflicts", "claims", "claims refused because another holds the task"),
    MetricDef::lower("stale_decisions", "decisions", "actions on a view that was out of date"),
    MetricDef::lower("redeliveries", "offers", "tasks offered again because their holder fell silent"),
    MetricDef::lower("out_of_order", "messages", "messages delivered before an earlier one of the same pair"),
    MetricDef::lower(
        "submission_retries",
        "submissions",
        "submissions repeated for want of an acknowledgement",
    ),
    MetricDef::lower("double_settles", "settles", "settles of tasks that had an accepted output"),
];

/// Where a task is in its life, as far as records say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Future,
    Open { acknowledged: bool },
    Ended,
}

/// Follows every task from its arrival to its ending.
#[derive(Clone, Debug)]
pub struct TaskCounts {
    warmup: Time,
    /// Rates count what happens up to here.
    until: Time,
    /// The account of task-seconds is closed here: `horizon + drain`.
    account: Time,
    life: Vec<Life>,
    arrived: u64,
    correct: u64,
    wrong: u64,
    ended: [u64; 3],
    in_window: [u64; 2],
    executions: u64,
    duplicates: u64,
    conflicts: u64,
    stale: u64,
    redelivered: u64,
    overtook: u64,
    retries: u64,
    double_settles: u64,
    /// Σ (account − arrival) − Σ (account − correct acceptance) \[ns\].
    task_nanos: i128,
    first_arrival: Option<Time>,
    last_ending: Time,
    end: Option<Time>,
}

impl TaskCounts {
    /// Follows `tasks`; rates are over [`warmup`, `horizon`], task-seconds up to `account`, the latest end of
    /// the run (`horizon + drain`).
    pub fn new(tasks: &Tasks, warmup: Time, horizon: Time, account: Time) -> TaskCounts {
        TaskCounts {
            warmup,
            until: if closed_batch(tasks) { Time::MAX } else { horizon },
            account,
            life: vec![Life::Future; tasks.len()],
            arrived: 0,
            correct: 0,
            wrong: 0,
            ended: [0; 3],
            in_window: [0; 2],
            executions: 0,
            duplicates: 0,
            conflicts: 0,
            stale: 0,
            redelivered: 0,
            overtook: 0,
            retries: 0,
            double_settles: 0,
            task_nanos: 0,
            first_arrival: None,
            last_ending: Time::ZERO,
            end: None,
        }
    }

    /// Tasks that arrived.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }
    /// Tasks with an accepted output that is correct.
    pub fn completed_correct(&self) -> u64 {
        self.correct
    }
    /// Tasks without an ending so far.
    pub fn open(&self) -> u64 {
        self.life.iter().filter(|life| matches!(life, Life::Open { .. })).count() as u64
    }
    /// ∫N dt \[task-seconds\]: N counts arrived tasks without a correct accepted result, up to the end of the
    /// account. Failed, rejected, expired and wrongly answered tasks stay in (model.md §3).
    pub fn task_seconds(&self) -> f64 {
        self.task_nanos as f64 / 1e9
    }
    /// First arrival → last ending \[s\]; NaN while a task is open, or without tasks.
    pub fn makespan_s(&self) -> f64 {
        match self.first_arrival {
            Some(first) if self.open() == 0 => self.last_ending.since(first).as_secs_f64(),
            Some(_) | None => f64::NAN,
        }
    }

    /// What is wrong with the account, if anything: every task must be counted exactly once.
    pub fn violation(&self) -> Option<String> {
        let [failed, rejected, expired] = self.ended;
        let (completed, open) = (self.correct + self.wrong, self.open());
        let sum = completed + failed + rejected + expired + open;
        (self.arrived != sum).then(|| {
            format!(
                "conservation: {} tasks arrived, but {completed} completed + {failed} failed \
                 + {rejected} rejected + {expired} expired + {open} open = {sum}",
                self.arrived
            )
        })
    }

    /// Writes the columns of [`DEFS`]. Panics before the end of the run.
    pub fn fill(&self, set: &mut MetricSet) {
        let end = self.end.expect("metrics are read after the run");
        let completed = self.correct + self.wrong;
        let window = end.min(self.until).saturating_since(self.warmup).as_secs_f64();
        let lost = self.life.iter().filter(|life| **life == (Life::Open { acknowledged: true })).count();
        let share = |part: u64, whole: u64| part as f64 / whole as f64;
        let counts = [
            ("arrived", self.arrived),
            ("completed", completed),
            ("completed_correct", self.correct),
            ("failed", self.ended[0]),
            ("rejected", self.ended[1]),
            ("expired", self.ended[2]),
            ("open", self.open()),
            ("tasks_lost", lost as u64),
            ("executions", self.executions),
            ("conflicts", self.conflicts),
            ("stale_decisions", self.stale),
            ("redeliveries", self.redelivered),
            ("out_of_order", self.overtook),
            ("submission_retries", self.retries),
            ("double_settles", self.double_settles),
        ];
        for (name, count) in counts {
            set.set(name, count as f64);
        }
        set.set("settled_share", share(completed, self.arrived));
        set.set("error_share", share(self.wrong, completed));
        set.set("duplication_share", share(self.duplicates, self.executions));
        set.set("makespan_s", self.makespan_s());
        if window > 0.0 {
            set.set("throughput_per_s", (self.in_window[0] + self.in_window[1]) as f64 / window);
            set.set("goodput_per_s", self.in_window[1] as f64 / window);
        }
    }

    fn arrives(&mut self, at: Time, task: TaskId) {
        self.arrived += 1;
        self.life[task.index()] = Life::Open { acknowledged: false };
        self.first_arrival = self.first_arrival.or(Some(at));
        self.task_nanos += i128::from(self.account.saturating_since(at).as_nanos());
    }

    fn accepted(&mut self, at: Time, task: TaskId, correct: bool) {
        if correct {
            self.correct += 1;
            self.task_nanos -= i128::from(self.account.saturating_since(at).as_nanos());
        } else {
            self.wrong += 1;
        }
        if self.warmup <= at && at <= self.until {
            self.in_window[usize::from(correct)] += 1;
        }
        self.ends(at, task);
    }

    fn ends(&mut self, at: Time, task: TaskId) {
        self.life[task.index()] = Life::Ended;
        self.last_ending = at;
    }

    fn noted(&mut self, fact: Fact) {
        match fact {
            Fact::Conflict(_) => self.conflicts += 1,
            Fact::Stale(_) => self.stale += 1,
            Fact::Redelivered(_) => self.redelivered += 1,
            Fact::Queued(_)
            | Fact::Announced(_)
            | Fact::Claimed { .. }
            | Fact::AwaitsContext { .. }
            | Fact::Decided { .. }
            | Fact::Leased { .. }
            | Fact::Freed(_)
            | Fact::Leads { .. }
            | Fact::Appended { .. }
            | Fact::Named(..) => {}
        }
    }
}

impl Observer for TaskCounts {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Arrived { task } => self.arrives(at, task),
            Record::Submitted { attempt, .. } => self.retries += u64::from(attempt > 0),
            Record::Acknowledged { task, .. } => {
                if let Life::Open { acknowledged } = &mut self.life[task.index()] {
                    *acknowledged = true;
                }
            }
            Record::Started { .. } => self.executions += 1,
            Record::Fate { fate, .. } => self.duplicates += u64::from(fate == Fate::Duplicate),
            Record::Accepted { task, correct, .. } => self.accepted(at, task, correct),
            Record::DoubleSettle { .. } => self.double_settles += 1,
            Record::Ended { task, how } => {
                let slot = match how {
                    Ending::Failed => 0,
                    Ending::Rejected => 1,
                    Ending::Expired => 2,
                };
                self.ended[slot] += 1;
                self.ends(at, task);
            }
            Record::Delivered { overtook, .. } => self.overtook += u64::from(overtook),
            Record::Noted { fact, .. } => self.noted(fact),
            Record::Finish => self.end = Some(at),
            Record::Up { .. }
            | Record::Down { .. }
            | Record::Speed { .. }
            | Record::Stalled { .. }
            | Record::CutOff { .. }
            | Record::Fault { .. }
            | Record::Began { .. }
            | Record::Ceased { .. }
            | Record::Finished { .. }
            | Record::Sent { .. }
            | Record::Dropped { .. }
            | Record::Handled { .. }
            | Record::Wire { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
