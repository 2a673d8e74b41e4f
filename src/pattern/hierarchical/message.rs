//! What coordinator and workers say, and what they remind themselves of.

use crate::sim::{Kind, Message, Size};
use crate::trace::{Output, Phase, Plane, TaskId};
use crate::work::Tasks;

/// What coordinator and workers say.
#[derive(Clone, Copy, Debug)]
pub enum Msg {
    /// Worker: I am here and hold nothing.
    Hello,
    /// Worker: I am alive.
    Heartbeat,
    /// Coordinator: do this.
    Assign(TaskId),
    /// Worker: I will.
    Accepted(TaskId),
    /// Worker: done.
    Result(Output),
    /// Coordinator: I have your result.
    Received(TaskId),
    /// Worker: my execution hung and was killed.
    Failed(TaskId),
    /// Coordinator: somebody else does this; stop.
    Cancel(TaskId),
    /// Coordinator: I forgot who you are and what you hold.
    RollCall,
    /// Worker: I hold this.
    Holding(TaskId),
}

const ASSIGN: usize = 2;
/// Kinds that name a cost of thinking and are never sent.
pub(super) const READ_CONTEXT: usize = 10;
pub(super) const DECIDE: usize = 11;

const fn kind(name: &'static str, phase: Phase, bytes: u32, about: &'static str) -> Kind {
    Kind { name, phase, plane: Plane::Harness, bytes, about }
}

impl Message for Msg {
    const KINDS: &'static [Kind] = &[
        kind("hello", Phase::Discovery, 128, "a worker registers with its coordinator"),
        kind("heartbeat", Phase::Synchronisation, 64, "a worker says it is alive"),
        kind("assign", Phase::Assignment, 1_024, "the coordinator gives a task, with its context"),
        kind("accepted", Phase::Assignment, 64, "a worker takes a task on"),
        kind("result", Phase::Synchronisation, 2_048, "a worker hands in an output"),
        kind("received", Phase::Synchronisation, 64, "the coordinator has the output"),
        kind("task_failed", Phase::Recovery, 128, "a worker's execution hung and was killed"),
        kind("cancel", Phase::Recovery, 64, "the coordinator tells a worker to stop"),
        kind("roll_call", Phase::Recovery, 64, "a coordinator that forgot asks who holds what"),
        kind("holding", Phase::Recovery, 96, "a worker reports a task it holds"),
        Kind {
            name: "read_context",
            phase: Phase::Context,
            plane: Plane::Cognition,
            bytes: 0,
            about: "a worker reads the context of an assigned task (a cost, not a message)",
        },
        Kind {
            name: "decide",
            phase: Phase::Assignment,
            plane: Plane::Cognition,
            bytes: 0,
            about: "a coordinator thinks about an assignment (a cost, not a message)",
        },
    ];

    fn kind(&self) -> usize {
        match self {
            Msg::Hello => 0,
            Msg::Heartbeat => 1,
            Msg::Assign(_) => ASSIGN,
            Msg::Accepted(_) => 3,
            Msg::Result(_) => 4,
            Msg::Received(_) => 5,
            Msg::Failed(_) => 6,
            Msg::Cancel(_) => 7,
            Msg::RollCall => 8,
            Msg::Holding(_) => 9,
        }
    }
    fn task(&self) -> Option<TaskId> {
        match self {
            Msg::Hello | Msg::Heartbeat | Msg::RollCall => None,
            Msg::Result(output) => Some(output.task),
            Msg::Assign(task)
            | Msg::Accepted(task)
            | Msg::Received(task)
            | Msg::Failed(task)
            | Msg::Cancel(task)
            | Msg::Holding(task) => Some(*task),
        }
    }
    fn size(&self, tasks: &Tasks) -> Size {
        let bytes = Self::KINDS[self.kind()].bytes;
        match self {
            // Four bytes a token, the usual rule of thumb for English text.
            Msg::Assign(task) => Size { bytes: bytes + 4 * tasks.card(*task).context_tokens, tokens: 0 },
            _ => Size { bytes, tokens: 0 },
        }
    }
}

/// What nodes remind themselves of.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Worker: time for a heartbeat.
    Heartbeat,
    /// Worker: the context is read, the work can begin.
    Begin(TaskId),
    /// Worker: the execution ended.
    Worked,
    /// Worker: were the results received?
    Repeat,
    /// Coordinator: who has been silent for too long?
    Sweep,
    /// Coordinator: was the assignment accepted?
    Unaccepted(TaskId),
    /// Coordinator: the decision is made.
    Decided(TaskId),
    /// Coordinator: the output is verified.
    Verified,
}
