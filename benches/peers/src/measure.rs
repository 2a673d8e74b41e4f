//! What a contestant reports: one line of JSON, its rate in seconds of CPU and not of the clock on the wall.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// CPU time of this process so far [s].
pub fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The hold model: how many processes, how many events to time, after a tenth as many untimed.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    pub pending: u32,
    pub events: u64,
    pub seed: u64,
}

impl Hold {
    /// Events fired before the clock is started, so that every process has moved and caches are warm.
    pub fn untimed(&self) -> u64 {
        u64::from(self.pending) + self.events / 10
    }
}

/// A timed part of a hold model.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub events: u64,
    pub cpu_s: f64,
    /// Simulated time that passed meanwhile [s]; each process fires once a second on average.
    pub simulated_s: f64,
}

impl Held {
    pub fn report(&self, contestant: &str, plan: &Hold) -> Value {
        json!({
            "work": "hold",
            "contestant": contestant,
            "pending": plan.pending,
            "events": self.events,
            "cpu_s": self.cpu_s,
            "per_cpu_s": self.events as f64 / self.cpu_s,
            "ns_per_event": self.cpu_s / self.events as f64 * 1e9,
            "events_per_process_s": self.events as f64 / self.simulated_s / f64::from(plan.pending),
        })
    }
}

/// Leader/worker: tasks arrive until the horizon, those from the warm-up on are measured, all are finished.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LeaderWorker {
    pub groups: u32,
    pub horizon_s: f64,
    pub warmup_s: f64,
    pub seed: u64,
}

/// What became of the tasks of a leader/worker run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Tasks whose client was notified.
    pub tasks: u64,
    /// Of these, measured.
    pub measured: u64,
    /// Sum over the measured of arrival → result handled by the coordinator [s].
    pub settled_s: f64,
    /// Sum over the measured of arrival → client notified [s].
    pub notified_s: f64,
    /// Events handled.
    pub events: u64,
}

impl Tally {
    /// A task that arrived at `arrived_s` and was settled at `settled_s` is known to its client `now_s`.
    pub fn notified(&mut self, plan: &LeaderWorker, arrived_s: f64, settled_s: f64, now_s: f64) {
        self.tasks += 1;
        if arrived_s >= plan.warmup_s {
            self.measured += 1;
            self.settled_s += settled_s - arrived_s;
            self.notified_s += now_s - arrived_s;
        }
    }

    pub fn add(&mut self, other: &Tally) {
        self.tasks += other.tasks;
        self.measured += other.measured;
        self.settled_s += other.settled_s;
        self.notified_s += other.notified_s;
        self.events += other.events;
    }

    pub fn report(&self, contestant: &str, plan: &LeaderWorker, cpu_s: f64) -> Value {
        json!({
            "work": "leader-worker",
            "contestant": contestant,
            "groups": plan.groups,
            "tasks": self.tasks,
            "events": self.events,
            "cpu_s": cpu_s,
            "per_cpu_s": self.tasks as f64 / cpu_s,
            "settled_s": self.settled_s / self.measured as f64,
            "sojourn_s": self.notified_s / self.measured as f64,
        })
    }
}
