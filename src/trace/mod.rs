//! The one vocabulary of what happened: ids, [`Record`]s and who may watch them.
//!
//! Everything passes through `World`, which emits one stream of small `Copy` records. Metrics, checks,
//! the fingerprint and (later) the causal log are folds over that stream, written once and knowing no
//! pattern. Records carry the truth that only `World` knows (whether an output was correct); nodes never
//! see them.

mod fingerprint;
mod ids;
mod promise;
mod record;

pub use fingerprint::Fingerprint;
pub use ids::{ClassId, ExecutionId, LetterId, NodeId, Output, SiteId, SkillId, TaskId};
pub use promise::Promise;
pub use record::{Activity, DownReason, DropReason, Ending, Fact, Fate, Phase, Plane, Record, Stage};

use crate::engine::{EventId, Time};

/// Watches the record stream of a run.
///
/// `cause` is the ordinal of the event whose handling emitted the record, so the causal graph needs no
/// vector clocks. Observers compose: `()` watches nothing and `(A, B)` shows every record to both.
pub trait Observer {
    /// Takes note of one record, emitted at `at`.
    fn observe(&mut self, at: Time, cause: EventId, record: &Record);

    /// Records of `node` are to be expected in a few events' time, perhaps: whoever keeps a great deal of
    /// state may [ask for](crate::engine::prefetch) what they will touch. Nothing observable may follow.
    #[inline(always)]
    fn foresee(&self, node: NodeId) {
        let _ = node;
    }

    /// The same of a task.
    #[inline(always)]
    fn foresee_task(&self, task: TaskId) {
        let _ = task;
    }

    /// The same of an execution, which will end.
    #[inline(always)]
    fn foresee_execution(&self, execution: ExecutionId) {
        let _ = execution;
    }
}

impl Observer for () {
    fn observe(&mut self, _: Time, _: EventId, _: &Record) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        self.0.observe(at, cause, record);
        self.1.observe(at, cause, record);
    }
    fn foresee(&self, node: NodeId) {
        self.0.foresee(node);
        self.1.foresee(node);
    }
    fn foresee_task(&self, task: TaskId) {
        self.0.foresee_task(task);
        self.1.foresee_task(task);
    }
    fn foresee_execution(&self, execution: ExecutionId) {
        self.0.foresee_execution(execution);
        self.1.foresee_execution(execution);
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        (**self).observe(at, cause, record);
    }
    fn foresee(&self, node: NodeId) {
        (**self).foresee(node);
    }
    fn foresee_task(&self, task: TaskId) {
        (**self).foresee_task(task);
    }
    fn foresee_execution(&self, execution: ExecutionId) {
        (**self).foresee_execution(execution);
    }
}

impl<O: Observer> Observer for Option<O> {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        if let Some(observer) = self {
            observer.observe(at, cause, record);
        }
    }
    fn foresee(&self, node: NodeId) {
        self.iter().for_each(|observer| observer.foresee(node));
    }
    fn foresee_task(&self, task: TaskId) {
        self.iter().for_each(|observer| observer.foresee_task(task));
    }
    fn foresee_execution(&self, execution: ExecutionId) {
        self.iter().for_each(|observer| observer.foresee_execution(execution));
    }
}
