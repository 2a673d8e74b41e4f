//! The work as one state machine, for the contestants that keep all of it in one model.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{ARRIVALS_PER_S, LATENCY_S, SERVICE_S, WORK_S, WORKERS};
use crate::draw::Draw;
use crate::measure::{LeaderWorker, Tally};

/// A task under way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Task {
    arrived_s: f64,
    /// Set when its result has been handled.
    settled_s: f64,
    group: u32,
    /// Set when it is assigned; numbered through all groups.
    worker: u32,
}

/// What can happen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A task comes to the client of a group.
    Arrives { group: u32 },
    /// A submit reaches the coordinator.
    Submitted(Task),
    /// The coordinator of a group has served a letter.
    Served { group: u32 },
    /// An assignment reaches its worker.
    Assigned(Task),
    /// A worker is done with a task.
    Worked { worker: u32 },
    /// A result reaches the coordinator.
    Answered(Task),
    /// The client learns of the result.
    Notified(Task),
}

/// A kernel, as the model sees it.
pub trait Schedule {
    fn after(&mut self, wait_s: f64, event: Event);
}

/// Messages before a coordinator, the one in service first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Letter {
    Submit(Task),
    Result(Task),
}

/// Tasks before a worker, the one in execution first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Worker {
    outstanding: u32,
    queue: VecDeque<Task>,
}

/// All groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Groups {
    plan: LeaderWorker,
    draw: Draw,
    coordinators: Vec<VecDeque<Letter>>,
    workers: Vec<Worker>,
    pub tally: Tally,
}

impl Groups {
    pub fn new(plan: &LeaderWorker) -> Groups {
        Groups {
            plan: *plan,
            draw: Draw::new(plan.seed),
            coordinators: vec![VecDeque::new(); plan.groups as usize],
            workers: vec![Worker::default(); (plan.groups * WORKERS) as usize],
            tally: Tally::default(),
        }
    }

    /// The first arrival of each group.
    pub fn begin(&mut self, kernel: &mut impl Schedule) {
        for group in 0..self.plan.groups {
            self.await_arrival(0.0, group, kernel);
        }
    }

    pub fn handle(&mut self, now_s: f64, event: Event, kernel: &mut impl Schedule) {
        self.tally.events += 1;
        match event {
            Event::Arrives { group } => {
                let task = Task { arrived_s: now_s, settled_s: 0.0, group, worker: 0 };
                kernel.after(self.latency(), Event::Submitted(task));
                self.await_arrival(now_s, group, kernel);
            }
            Event::Submitted(task) => self.comes(task.group, Letter::Submit(task), kernel),
            Event::Answered(task) => self.comes(task.group, Letter::Result(task), kernel),
            Event::Served { group } => self.served(now_s, group, kernel),
            Event::Assigned(task) => {
                let queue = &mut self.workers[task.worker as usize].queue;
                queue.push_back(task);
                if queue.len() == 1 {
                    kernel.after(self.draw.exponential(WORK_S), Event::Worked { worker: task.worker });
                }
            }
            Event::Worked { worker } => {
                let queue = &mut self.workers[worker as usize].queue;
                let task = queue.pop_front().expect("a worker that is done had a task");
                if !queue.is_empty() {
                    kernel.after(self.draw.exponential(WORK_S), Event::Worked { worker });
                }
                kernel.after(self.latency(), Event::Answered(task));
            }
            Event::Notified(task) => self.tally.notified(&self.plan, task.arrived_s, task.settled_s, now_s),
        }
    }

    fn await_arrival(&mut self, now_s: f64, group: u32, kernel: &mut impl Schedule) {
        let wait_s = self.draw.exponential(1.0 / ARRIVALS_PER_S);
        if now_s + wait_s < self.plan.horizon_s {
            kernel.after(wait_s, Event::Arrives { group });
        }
    }

    fn latency(&mut self) -> f64 {
        self.draw.exponential(LATENCY_S)
    }

    fn comes(&mut self, group: u32, letter: Letter, kernel: &mut impl Schedule) {
        let queue = &mut self.coordinators[group as usize];
        queue.push_back(letter);
        if queue.len() == 1 {
            kernel.after(self.draw.exponential(SERVICE_S), Event::Served { group });
        }
    }

    fn served(&mut self, now_s: f64, group: u32, kernel: &mut impl Schedule) {
        let queue = &mut self.coordinators[group as usize];
        let letter = queue.pop_front().expect("a coordinator that served had a letter");
        if !queue.is_empty() {
            kernel.after(self.draw.exponential(SERVICE_S), Event::Served { group });
        }
        match letter {
            Letter::Submit(task) => {
                let worker = self.less_loaded(group);
                self.workers[worker as usize].outstanding += 1;
                kernel.after(self.latency(), Event::Assigned(Task { worker, ..task }));
            }
            Letter::Result(task) => {
                self.workers[task.worker as usize].outstanding -= 1;
                kernel.after(self.latency(), Event::Notified(Task { settled_s: now_s, ..task }));
            }
        }
    }

    fn less_loaded(&mut self, group: u32) -> u32 {
        let (one, other) = self.draw.two_below(WORKERS);
        let (one, other) = (group * WORKERS + one, group * WORKERS + other);
        let load = |worker: u32| self.workers[worker as usize].outstanding;
        if load(other) < load(one) { other } else { one }
    }
}
