//! What the nodes of `hybrid` say to each other: one table of kinds, in the order of a task's life.
//!
//! Only what needs thought is on the cognition plane: agreeing on the scope, and reading what was handed
//! over. The relay is a machine; whatever reaches it costs its service time.

use crate::relay::Fence;
use crate::sim::{Kind, Message, Size};
use crate::trace::{ExecutionId, NodeId, Output, Phase, Plane, SkillId, TaskId};
use crate::work::Tasks;

/// A message of the pattern `hybrid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Msg {
    /// Agent to relay: I am here, and can or cannot take work now.
    Subscribe {
        /// My skill class.
        skill: SkillId,
        /// Whether I can take work.
        free: bool,
    },
    /// Requester to relay: this is to be done, with all one needs to know. Repeated until answered.
    Post {
        /// The task.
        task: TaskId,
    },
    /// Relay to requester: it is on the book.
    Posted {
        /// The task.
        task: TaskId,
        /// Who posted it first: the result goes there.
        requester: NodeId,
    },
    /// Relay to free subscribers: who wants it?
    Offer {
        /// The task.
        task: TaskId,
        /// Whether it was somebody's who fell silent.
        again: bool,
    },
    /// Agent to relay: I want it.
    Claim {
        /// The task.
        task: TaskId,
    },
    /// Relay to the first: it is yours for the length of a lease.
    Granted {
        /// The task.
        task: TaskId,
        /// Number of the grant.
        fence: Fence,
        /// Whom to talk to; nobody, if the relay forgot.
        requester: Option<NodeId>,
    },
    /// Relay to the others: somebody has it (HTTP 409).
    Conflict {
        /// The task.
        task: TaskId,
    },
    /// It is done, or no longer wanted (HTTP 410).
    Gone {
        /// The task.
        task: TaskId,
    },
    /// Holder to relay: I still work on it.
    Renew {
        /// The task.
        task: TaskId,
        /// Number of the grant.
        fence: Fence,
    },
    /// Relay to a former holder: you do not hold it, or no longer.
    NotHeld {
        /// The task.
        task: TaskId,
    },
    /// Holder to relay: I give it back.
    Release {
        /// The task.
        task: TaskId,
        /// Number of the grant.
        fence: Fence,
    },
    /// Winner to requester: this is how I understand the task. Do you agree?
    Scope {
        /// The task.
        task: TaskId,
        /// The relay that granted it.
        at: NodeId,
        /// Length of the proposal \[tokens\].
        tokens: u32,
    },
    /// Requester to winner: agreed, with corrections.
    Agreed {
        /// The task.
        task: TaskId,
        /// Length of the answer \[tokens\].
        tokens: u32,
    },
    /// Requester to winner: all one needs to know. As long as the task's context.
    Context {
        /// The task.
        task: TaskId,
    },
    /// Requester to winner: I know nothing of it (any more).
    Unknown {
        /// The task.
        task: TaskId,
    },
    /// Winner to relay: the requester is silent, send me what the post says.
    AskBrief {
        /// The task.
        task: TaskId,
    },
    /// Relay to winner: what the post says. As long as the task's context.
    Brief {
        /// The task.
        task: TaskId,
    },
    /// Winner to requester, where results are verified: this came out.
    Deliver {
        /// What came out.
        output: Output,
        /// Number of the grant it was made under.
        fence: Fence,
        /// The relay that granted the task.
        at: NodeId,
    },
    /// Requester to winner: your output was checked.
    Verdict {
        /// The task.
        task: TaskId,
        /// The execution whose output was checked.
        execution: ExecutionId,
    },
    /// Requester to relay: the holder's output is wrong, offer the task again. Repeated until answered.
    Reject {
        /// The task.
        task: TaskId,
        /// Whose output.
        holder: NodeId,
        /// Number of the grant it was made under.
        fence: Fence,
    },
    /// Relay to requester: so it is.
    Reopened {
        /// The task.
        task: TaskId,
    },
    /// Winner (or approving requester) to relay: this is the result. Repeated until answered.
    Result {
        /// What came out.
        output: Output,
        /// Who asked for it, should this relay not know.
        requester: Option<NodeId>,
        /// Whether the sender can take work again.
        free: bool,
        /// The sender's skill class.
        skill: SkillId,
    },
    /// Relay to the sender of a result: the task is done.
    Resolved {
        /// The task.
        task: TaskId,
    },
    /// Relay to requester: the task is done, and this is the result.
    Outcome {
        /// What came out.
        output: Output,
    },
    /// Requester to a relay it gave up on: another relay has my post, drop yours.
    Withdraw {
        /// The task.
        task: TaskId,
    },
    /// Relay to requester: dropped.
    Withdrawn {
        /// The task.
        task: TaskId,
    },
}

const fn kind(name: &'static str, phase: Phase, plane: Plane, bytes: u32, about: &'static str) -> Kind {
    Kind { name, phase, plane, bytes, about }
}

use Phase::{Assignment, Consensus, Context, Discovery, Negotiation, Recovery, Synchronisation};
use Plane::{Cognition, Harness};

/// Position of `context` in [`Message::KINDS`]: what a winner that is its own requester reads.
pub(super) const CONTEXT: usize = 14;

/// Bytes of a token of text.
const BYTES_PER_TOKEN: u32 = 4;

impl Message for Msg {
    const KINDS: &'static [Kind] = &[
        kind("subscribe", Discovery, Harness, 96, "an agent is there, and free or busy"),
        kind("post", Assignment, Harness, 1_024, "a requester posts a task at a relay, brief included"),
        kind("posted", Assignment, Harness, 96, "the relay has the post"),
        kind("offer", Assignment, Harness, 256, "the relay offers a post to free subscribers"),
        kind("reoffer", Recovery, Harness, 256, "the relay offers what a silent holder had"),
        kind("claim", Consensus, Harness, 96, "an agent wants a task"),
        kind("granted", Consensus, Harness, 128, "the first claim wins"),
        kind("conflict", Consensus, Harness, 96, "a later claim is refused (409)"),
        kind("gone", Consensus, Harness, 96, "the task is done or no longer wanted (410)"),
        kind("renew", Synchronisation, Harness, 96, "the holder prolongs its lease"),
        kind("not_held", Recovery, Harness, 96, "the lease is over"),
        kind("release", Recovery, Harness, 96, "the holder gives a task back"),
        kind("scope", Negotiation, Cognition, 256, "the winner proposes the scope to the requester"),
        kind("agreed", Negotiation, Cognition, 256, "the requester agrees on the scope"),
        kind("context", Context, Cognition, 256, "the requester hands over the task's context"),
        kind("unknown", Negotiation, Harness, 96, "the requester lost the task it is asked about"),
        kind("ask_brief", Recovery, Harness, 96, "the winner asks the relay instead of the requester"),
        kind("brief", Context, Cognition, 256, "the relay sends its copy of the brief"),
        kind("deliver", Synchronisation, Harness, 4_096, "the winner sends an output to be verified"),
        kind("verdict", Synchronisation, Harness, 128, "the requester has checked the output"),
        kind("reject", Consensus, Harness, 128, "the requester has a wrong output's task offered again"),
        kind("reopened", Consensus, Harness, 96, "the relay offers the task again"),
        kind("result", Synchronisation, Harness, 4_096, "a result reaches the relay, which settles"),
        kind("resolved", Synchronisation, Harness, 96, "the relay has a result of the task"),
        kind("outcome", Synchronisation, Harness, 4_096, "the relay notifies the requester"),
        kind("withdraw", Recovery, Harness, 96, "the requester drops a post that has moved elsewhere"),
        kind("withdrawn", Recovery, Harness, 96, "the relay dropped the post"),
    ];

    fn kind(&self) -> usize {
        match self {
            Msg::Subscribe { .. } => 0,
            Msg::Post { .. } => 1,
            Msg::Posted { .. } => 2,
            Msg::Offer { again: false, .. } => 3,
            Msg::Offer { again: true, .. } => 4,
            Msg::Claim { .. } => 5,
            Msg::Granted { .. } => 6,
            Msg::Conflict { .. } => 7,
            Msg::Gone { .. } => 8,
            Msg::Renew { .. } => 9,
            Msg::NotHeld { .. } => 10,
            Msg::Release { .. } => 11,
            Msg::Scope { .. } => 12,
            Msg::Agreed { .. } => 13,
            Msg::Context { .. } => CONTEXT,
            Msg::Unknown { .. } => 15,
            Msg::AskBrief { .. } => 16,
            Msg::Brief { .. } => 17,
            Msg::Deliver { .. } => 18,
            Msg::Verdict { .. } => 19,
            Msg::Reject { .. } => 20,
            Msg::Reopened { .. } => 21,
            Msg::Result { .. } => 22,
            Msg::Resolved { .. } => 23,
            Msg::Outcome { .. } => 24,
            Msg::Withdraw { .. } => 25,
            Msg::Withdrawn { .. } => 26,
        }
    }

    fn task(&self) -> Option<TaskId> {
        match *self {
            Msg::Subscribe { .. } => None,
            Msg::Post { task }
            | Msg::Posted { task, .. }
            | Msg::Offer { task, .. }
            | Msg::Claim { task }
            | Msg::Granted { task, .. }
            | Msg::Conflict { task }
            | Msg::Gone { task }
            | Msg::Renew { task, .. }
            | Msg::NotHeld { task }
            | Msg::Release { task, .. }
            | Msg::Scope { task, .. }
            | Msg::Agreed { task, .. }
            | Msg::Context { task }
            | Msg::Unknown { task }
            | Msg::AskBrief { task }
            | Msg::Brief { task }
            | Msg::Verdict { task, .. }
            | Msg::Reject { task, .. }
            | Msg::Reopened { task }
            | Msg::Resolved { task }
            | Msg::Withdraw { task }
            | Msg::Withdrawn { task } => Some(task),
            Msg::Deliver { output, .. } | Msg::Result { output, .. } | Msg::Outcome { output } => {
                Some(output.task)
            }
        }
    }

    fn size(&self, tasks: &Tasks) -> Size {
        let bytes = Self::KINDS[self.kind()].bytes;
        // The relay keeps the brief without reading it: a post has its length on the wire only.
        let (mut written, mut read) = (0, 0);
        if let Msg::Post { task } = *self {
            written = tasks.card(task).context_tokens;
        } else if let Msg::Context { task } | Msg::Brief { task } = *self {
            read = tasks.card(task).context_tokens;
        } else if let Msg::Scope { tokens, .. } | Msg::Agreed { tokens, .. } = *self {
            read = tokens;
        }
        written = written.max(read);
        Size { bytes: bytes.saturating_add(written.saturating_mul(BYTES_PER_TOKEN)), tokens: read }
    }
}
