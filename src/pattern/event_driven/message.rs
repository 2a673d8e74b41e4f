//! What relays and agents of the event-driven pattern say to each other.

use super::ClaimPolicy;
use crate::engine::Time;
use crate::relay::{Fence, LogEntry, Offset};
use crate::sim::{Kind, Message, Size};
use crate::trace::{Output, Phase, Plane, TaskId};
use crate::work::Tasks;

/// A few open entries, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page([Option<(TaskId, Offset)>; Page::CAPACITY]);

impl Page {
    /// Most entries in one page.
    pub const CAPACITY: usize = 4;

    /// The entries, oldest first.
    pub fn iter(self) -> impl Iterator<Item = (TaskId, Offset)> {
        self.0.into_iter().flatten()
    }
}

impl FromIterator<(TaskId, Offset)> for Page {
    /// The first [`Page::CAPACITY`] of them.
    fn from_iter<I: IntoIterator<Item = (TaskId, Offset)>>(entries: I) -> Page {
        let mut page = Page::default();
        page.0.iter_mut().zip(entries).for_each(|(place, entry)| *place = Some(entry));
        page
    }
}

/// The messages of the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventMessage {
    /// Agent: tell me what is posted.
    Subscribe {
        /// When I started: another time means that I lost what I had.
        since: Time,
        /// Whether I can take work now.
        free: bool,
    },
    /// Relay: you are subscribed.
    Welcome,
    /// Relay: this is open.
    Offer {
        /// The task.
        task: TaskId,
        /// The entry that says so.
        entry: Offset,
    },
    /// Agent: what is open?
    Fetch {
        /// When I started.
        since: Time,
    },
    /// Relay: this is open.
    Page(Page),
    /// Agent: I want this task.
    Claim {
        /// The task.
        task: TaskId,
        /// The entry by which it was open.
        seen: Offset,
    },
    /// Relay: the log has moved on.
    Refused {
        /// The task.
        task: TaskId,
        /// The entry that came first.
        by: LogEntry,
    },
    /// Relay: the task, with its content, is yours to execute.
    Run {
        /// The task.
        task: TaskId,
        /// Number of the grant.
        fence: Fence,
        /// Why: a granted claim, an assignment, a race.
        how: ClaimPolicy,
    },
    /// Agent: I have the assignment.
    Took {
        /// The task.
        task: TaskId,
    },
    /// Agent: I am at it.
    Renew {
        /// The task.
        task: TaskId,
        /// My grant.
        fence: Fence,
    },
    /// Relay: you need not go on with this.
    Stop {
        /// The task.
        task: TaskId,
    },
    /// Agent: I do not execute this.
    Release {
        /// The task.
        task: TaskId,
        /// My grant.
        fence: Fence,
    },
    /// Agent: here is what came out.
    Result {
        /// The output; names the task.
        output: Output,
        /// Whether I can take work now.
        free: bool,
    },
    /// Relay: the result is on the log, this one or an earlier one.
    Recorded {
        /// The task.
        task: TaskId,
    },
    /// Relay: I am back.
    Restarted,
}

/// Position in `KINDS` of what reading a task's content costs.
pub(super) const CONTEXT: usize = 17;

const fn kind(name: &'static str, phase: Phase, bytes: u32, about: &'static str) -> Kind {
    Kind { name, phase, plane: Plane::Harness, bytes, about }
}

impl Message for EventMessage {
    const KINDS: &'static [Kind] = &[
        kind("subscribe", Phase::Discovery, 128, "an agent asks to be told, or says that it still listens"),
        kind("welcome", Phase::Discovery, 64, "the relay has the subscription"),
        kind("offer", Phase::Assignment, 256, "the relay tells a free subscriber of an open task"),
        kind("fetch", Phase::Synchronisation, 64, "an agent polls the log"),
        kind("page", Phase::Synchronisation, 256, "open entries of the log"),
        kind("claim", Phase::Consensus, 96, "an agent wants a task it has read of"),
        kind("conflict", Phase::Consensus, 96, "the claim came too late"),
        kind("grant", Phase::Consensus, 512, "the claim was first; carries the task's content"),
        kind("assign", Phase::Assignment, 512, "the task belongs to the agent by hash; carries its content"),
        kind("entry", Phase::Assignment, 512, "a task to race for, with its content"),
        kind("took", Phase::Assignment, 64, "an agent confirms an assignment"),
        kind("renew", Phase::Synchronisation, 64, "an agent is still at its task"),
        kind("stop", Phase::Synchronisation, 64, "the agent's work on a task is no longer wanted"),
        kind("release", Phase::Recovery, 64, "an agent gives a task back"),
        kind("result", Phase::Synchronisation, 4_096, "an agent appends the output of a task"),
        kind("recorded", Phase::Synchronisation, 64, "the log has a result of the task"),
        kind("restarted", Phase::Recovery, 64, "a relay is back after an outage"),
        Kind {
            name: "context",
            phase: Phase::Context,
            plane: Plane::Cognition,
            bytes: 0,
            about: "reading a task's content; no message of its own, it comes with the task",
        },
    ];

    fn kind(&self) -> usize {
        match self {
            EventMessage::Subscribe { .. } => 0,
            EventMessage::Welcome => 1,
            EventMessage::Offer { .. } => 2,
            EventMessage::Fetch { .. } => 3,
            EventMessage::Page(_) => 4,
            EventMessage::Claim { .. } => 5,
            EventMessage::Refused { .. } => 6,
            EventMessage::Run { how: ClaimPolicy::Optimistic, .. } => 7,
            EventMessage::Run { how: ClaimPolicy::Partitioned, .. } => 8,
            EventMessage::Run { how: ClaimPolicy::Race, .. } => 9,
            EventMessage::Took { .. } => 10,
            EventMessage::Renew { .. } => 11,
            EventMessage::Stop { .. } => 12,
            EventMessage::Release { .. } => 13,
            EventMessage::Result { .. } => 14,
            EventMessage::Recorded { .. } => 15,
            EventMessage::Restarted => 16,
        }
    }

    fn task(&self) -> Option<TaskId> {
        match *self {
            EventMessage::Offer { task, .. }
            | EventMessage::Claim { task, .. }
            | EventMessage::Refused { task, .. }
            | EventMessage::Run { task, .. }
            | EventMessage::Took { task }
            | EventMessage::Renew { task, .. }
            | EventMessage::Stop { task }
            | EventMessage::Release { task, .. }
            | EventMessage::Recorded { task } => Some(task),
            EventMessage::Result { output, .. } => Some(output.task),
            EventMessage::Subscribe { .. }
            | EventMessage::Welcome
            | EventMessage::Fetch { .. }
            | EventMessage::Page(_)
            | EventMessage::Restarted => None,
        }
    }

    fn size(&self, tasks: &Tasks) -> Size {
        let bytes = Self::KINDS[self.kind()].bytes;
        match *self {
            EventMessage::Run { task, .. } => {
                // About four bytes of text a token.
                let tokens = tasks.card(task).context_tokens;
                Size { bytes: bytes.saturating_add(tokens.saturating_mul(4)), tokens }
            }
            EventMessage::Subscribe { .. }
            | EventMessage::Welcome
            | EventMessage::Offer { .. }
            | EventMessage::Fetch { .. }
            | EventMessage::Page(_)
            | EventMessage::Claim { .. }
            | EventMessage::Refused { .. }
            | EventMessage::Took { .. }
            | EventMessage::Renew { .. }
            | EventMessage::Stop { .. }
            | EventMessage::Release { .. }
            | EventMessage::Result { .. }
            | EventMessage::Recorded { .. }
            | EventMessage::Restarted => Size { bytes, tokens: 0 },
        }
    }
}
