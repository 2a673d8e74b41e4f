//! Tasks are conserved: each arrives at most once, is executed and answered only after that, and ends at
//! most once; each execution belongs to one task, starts once, finishes at most once and has one fate.
//!
//! What is scheduled to arrive before the run is over has arrived; what is released by other tasks may not.

use std::rc::Rc;

use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{ExecutionId, NodeId, Observer, Record, TaskId};
use crate::work::Release;

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "tasks_conserved",
    about: "each task arrives and ends at most once, and nothing is done for one that is not there",
    watch: |ground| {
        Box::new(Conserved {
            ground: Rc::clone(ground),
            lives: vec![Life::Future; ground.tasks.len()],
            executions: Vec::new(),
            verdict: Verdict::default(),
        })
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Future,
    Open,
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    task: TaskId,
    node: NodeId,
    finished: bool,
    booked: bool,
}

#[derive(Debug)]
struct Conserved {
    ground: Rc<Ground>,
    lives: Vec<Life>,
    executions: Vec<Option<Attempt>>,
    verdict: Verdict,
}

impl Conserved {
    fn attempt(&mut self, execution: ExecutionId) -> Option<&mut Attempt> {
        self.executions.get_mut(execution.index())?.as_mut()
    }

    fn started(&mut self, at: Time, execution: ExecutionId, task: TaskId, node: NodeId) {
        if self.executions.len() <= execution.index() {
            self.executions.resize(execution.index() + 1, None);
        }
        let attempt = Attempt { task, node, finished: false, booked: false };
        let before = self.executions[execution.index()].replace(attempt);
        if before.is_some() {
            self.verdict.broken(at, &[node], || format!("execution {} started twice", execution.0));
        }
        if self.lives[task.index()] == Life::Future {
            self.verdict.broken(at, &[node], || format!("task {} was started before it arrived", task.0));
        }
    }

    fn finished(&mut self, at: Time, execution: ExecutionId, task: TaskId) {
        let Some(attempt) = self.attempt(execution) else {
            let what = || format!("execution {} finished and never started", execution.0);
            return self.verdict.broken(at, &[], what);
        };
        let (node, wrong) = (attempt.node, attempt.finished || attempt.task != task);
        attempt.finished = true;
        if wrong {
            let what = || format!("execution {} finished twice, or at another task", execution.0);
            self.verdict.broken(at, &[node], what);
        }
    }

    fn booked(&mut self, at: Time, execution: ExecutionId) {
        let before = self.attempt(execution).map(|attempt| std::mem::replace(&mut attempt.booked, true));
        match before {
            None => self.verdict.broken(at, &[], || format!("execution {} never started", execution.0)),
            Some(true) => {
                self.verdict.broken(at, &[], || format!("execution {} has two fates", execution.0));
            }
            Some(false) => {}
        }
    }

    fn answered(&mut self, at: Time, task: TaskId, execution: ExecutionId) {
        let attempt = self.attempt(execution).copied();
        if attempt.is_none_or(|attempt| !attempt.finished || attempt.task != task) {
            let what =
                || format!("task {} was answered by execution {}: no such output", task.0, execution.0);
            self.verdict.broken(at, &[], what);
        }
    }

    fn ended(&mut self, at: Time, task: TaskId) {
        let before = std::mem::replace(&mut self.lives[task.index()], Life::Ended);
        if before != Life::Open {
            let what = || format!("task {} ended while it was {before:?}", task.0);
            self.verdict.broken(at, &[], what);
        }
    }

    fn finish(&mut self, at: Time) {
        let due = |card: &&crate::work::TaskCard| {
            self.ground.tasks.release(card.id) == Release::Scheduled && card.arrival < at
        };
        let missing = |card: &&crate::work::TaskCard| self.lives[card.id.index()] == Life::Future;
        if let Some(card) = self.ground.tasks.cards().iter().filter(due).find(missing) {
            self.verdict.broken(at, &[], || format!("task {} never arrived", card.id.0));
        }
    }
}

impl Observer for Conserved {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Arrived { task } => {
                let before = std::mem::replace(&mut self.lives[task.index()], Life::Open);
                if before != Life::Future {
                    self.verdict.broken(at, &[], || format!("task {} arrived twice", task.0));
                }
            }
            Record::Submitted { task, to: node, .. } | Record::Acknowledged { task, by: node }
                if self.lives[task.index()] == Life::Future =>
            {
                let what = || format!("task {} was handed over before it arrived", task.0);
                self.verdict.broken(at, &[node], what);
            }
            Record::Started { execution, task, node } => self.started(at, execution, task, node),
            Record::Finished { execution, task, .. } => self.finished(at, execution, task),
            Record::Fate { execution, .. } => self.booked(at, execution),
            Record::Accepted { task, execution, .. } => {
                self.answered(at, task, execution);
                self.ended(at, task);
            }
            Record::Ended { task, .. } => self.ended(at, task),
            Record::Finish => self.finish(at),
            _ => {}
        }
    }
}

impl Invariant for Conserved {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
