//! `independent`: tasks are split over the agents by a hash at arrival; no communication after.
//!
//! The other baseline of the multi-agent literature: all the hands, none of the coordination. It is a
//! random split, so each agent is a queue of its own: at load ρ with exponential work a task waits
//! ρ/(1 − ρ) work times even while others are free (M/M/1), and an agent that leaves takes its tasks
//! with it.
//!
//! The hash takes the task alone: a client that repeats itself asks the same agent again, because nobody
//! could tell it that another has taken over.

use crate::mechanism::hash::partition;
use crate::sim::{CxOf, Protocol, Seat, Seats, Submission, Work};
use crate::trace::{NodeId, Promise, TaskId};
use crate::work::Fleet;

use super::single::{Executor, Never, Params, Worked};

/// One node of the pattern.
#[derive(Debug)]
pub struct Independent(Executor);

impl Protocol for Independent {
    const NAME: &'static str = "independent";
    const ABOUT: &'static str = "tasks split over the agents by hash at arrival; no communication after";
    const GIVES_UP: &'static [Promise] = &[Promise::SettledOnce, Promise::NoTaskLost];
    type Params = Params;
    type Msg = Never;
    type Timer = Worked;

    fn seats(_: &Params, _: &Fleet) -> Seats {
        Seats::default()
    }
    fn entry(_: &Params, fleet: &Fleet, _: &Seats, submission: Submission) -> NodeId {
        // Only agents of the right skill count; the draw is among present agents, so that one that never
        // joins takes nobody's task.
        let able = fleet.able(submission.skill);
        able[partition(submission.task, able.len() as u32) as usize]
    }
    fn sit(_: &Params, _: &Seat<'_>) -> Independent {
        Independent(Executor::default())
    }
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        self.0.take(task, cx);
    }
    fn on_work(&mut self, done: Work, _: Worked, cx: &mut CxOf<'_, Self>) {
        self.0.finished(done, cx);
    }
    fn on_crash(&mut self) {
        self.0.forget();
    }
}
