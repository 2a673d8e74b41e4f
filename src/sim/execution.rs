//! Executions and other jobs of cognition: what is being done, how much is left, what it was good for.

use crate::engine::Span;
use crate::trace::{Activity, ExecutionId, Fate, LetterId, NodeId, Output, Phase, TaskId};

/// What a station serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Handling a letter.
    Letter(LetterId),
    /// Executing a task.
    Execution(ExecutionId),
    /// Thinking, composing or verifying; details in the slab.
    Errand(u32),
    /// Handling a wire message: an agent composes a poll, a relay answers one.
    Poll { agent: NodeId },
}

/// Thinking, composing or verifying.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand<T> {
    pub(super) kind: ErrandKind,
    pub(super) effort: Span,
    pub(super) priority: i16,
    pub(super) then: T,
}

/// Which errand.
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrandKind {
    Occupy(Phase),
    Verify(Output),
}

impl ErrandKind {
    /// What records call it.
    #[inline]
    pub(super) fn activity(&self) -> Activity {
        match *self {
            ErrandKind::Occupy(phase) => Activity::Coordinating(phase),
            ErrandKind::Verify(_) => Activity::Verifying,
        }
    }
}

/// How far an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExecutionState {
    /// Waiting for its agent's cognition for the first time.
    Queued,
    /// Being served, or interrupted at a turn boundary.
    Running,
    /// Hung by a stall.
    Hung,
    /// Its output exists; its fate may still be open.
    Finished,
    /// Crashed, abandoned or killed.
    Dead,
}

/// One attempt at a task by one agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Execution<T> {
    pub(super) task: TaskId,
    pub(super) node: NodeId,
    /// Which attempt of this agent at this task, from 0.
    pub(super) attempt: u32,
    /// Incarnation of the agent that began it.
    pub(super) incarnation: u32,
    pub(super) then: T,
    pub(super) state: ExecutionState,
    pub(super) correct: bool,
    pub(super) digest: u64,
    pub(super) fate: Option<Fate>,
    /// Next execution of the same task, for walking them when one is accepted.
    pub(super) next_of_task: Option<ExecutionId>,
}
