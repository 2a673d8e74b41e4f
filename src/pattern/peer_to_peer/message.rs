//! What peers say to each other and to the directories, and what each message is for.

use crate::mechanism::contract_net::BidTerms;
use crate::relay::{RelayReply, RelayRequest};
use crate::sim::{Kind, Message, Size};
use crate::trace::{Output, Phase, Plane, TaskId};
use crate::work::Tasks;

/// A message of the pattern. `round` numbers the negotiations of one manager about one task, so that
/// answers to an earlier one are recognised.
#[derive(Clone, Copy, Debug)]
pub enum Msg {
    /// Agent to directory.
    Ask {
        /// Register or look up.
        request: RelayRequest,
        /// Whether this replaces peers that turned out to be gone, busy or too few.
        again: bool,
    },
    /// Directory to agent.
    Answer(RelayReply),
    /// Manager: who can do it? (FIPA: cfp)
    Call {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
        /// Only agents with at most this many tasks at hand shall bid.
        most: u16,
        /// Whether the task was with somebody before.
        again: bool,
    },
    /// Contractor: I can (propose).
    Bid {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
        /// On which terms; the latency is for the manager to measure.
        terms: BidTerms,
    },
    /// Contractor: I will not (refuse).
    Refuse {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
    },
    /// Manager: it is yours (accept-proposal).
    Award {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
    },
    /// Manager: it went elsewhere (reject-proposal).
    Reject {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
    },
    /// Contractor: I take it.
    Confirm {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
    },
    /// Contractor: I cannot, though I bid; or I give it back.
    Decline {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
    },
    /// Manager: what must be known to do it.
    Handover {
        /// The task.
        task: TaskId,
        /// The negotiation.
        round: u16,
    },
    /// Contractor: I still have it.
    Progress {
        /// The task.
        task: TaskId,
        /// Whether the context has not come.
        waiting: bool,
    },
    /// Contractor: it is done (inform).
    Outcome(Output),
    /// Manager: I have the result.
    Settled(TaskId),
    /// Manager: stop, it is with somebody else or done (cancel).
    Cancel(TaskId),
}

/// Position of `handover` in [`Msg::KINDS`]: what an agent pays for reading the context of its own task.
pub(super) const HANDOVER: usize = 12;

const fn kind(name: &'static str, phase: Phase, bytes: u32, about: &'static str) -> Kind {
    Kind { name, phase, plane: Plane::Harness, bytes, about }
}

impl Message for Msg {
    const KINDS: &'static [Kind] = &[
        kind("register", Phase::Discovery, 256, "an agent lists itself in its directory, or stays listed"),
        kind("lookup", Phase::Discovery, 128, "an agent asks a directory for peers: it knows too few"),
        kind("rediscover", Phase::Discovery, 128, "the same, because peers it knew are gone or busy"),
        kind("peers", Phase::Discovery, 448, "a directory names up to six peers"),
        kind("call", Phase::Negotiation, 512, "a manager calls for bids"),
        kind("recall", Phase::Recovery, 512, "the same, for a task whose holder fell silent or gave it back"),
        kind("bid", Phase::Negotiation, 160, "a contractor offers to do it"),
        kind("refuse", Phase::Negotiation, 64, "a contractor will not bid"),
        kind("award", Phase::Negotiation, 96, "the manager gives the task to a bidder"),
        kind("reject", Phase::Negotiation, 64, "the manager turns a bidder away"),
        kind("confirm", Phase::Negotiation, 64, "the bidder takes the task"),
        kind("decline", Phase::Negotiation, 64, "the bidder does not take the task, or gives it back"),
        Kind {
            name: "handover",
            phase: Phase::Context,
            plane: Plane::Cognition,
            bytes: 1_024,
            about: "the manager hands over scope and context; 4 bytes a token more",
        },
        kind("progress", Phase::Synchronisation, 96, "the contractor says that it still has the task"),
        kind("result", Phase::Synchronisation, 4_096, "the contractor hands in the output"),
        kind("settled", Phase::Synchronisation, 64, "the manager has the output"),
        kind("cancel", Phase::Recovery, 64, "the manager stops a contractor whose task went elsewhere"),
    ];

    fn kind(&self) -> usize {
        match self {
            Msg::Ask { request: RelayRequest::Lookup { .. }, again: false } => 1,
            Msg::Ask { request: RelayRequest::Lookup { .. }, again: true } => 2,
            Msg::Ask { .. } => 0,
            Msg::Answer(_) => 3,
            Msg::Call { again: false, .. } => 4,
            Msg::Call { again: true, .. } => 5,
            Msg::Bid { .. } => 6,
            Msg::Refuse { .. } => 7,
            Msg::Award { .. } => 8,
            Msg::Reject { .. } => 9,
            Msg::Confirm { .. } => 10,
            Msg::Decline { .. } => 11,
            Msg::Handover { .. } => HANDOVER,
            Msg::Progress { .. } => 13,
            Msg::Outcome(_) => 14,
            Msg::Settled(_) => 15,
            Msg::Cancel(_) => 16,
        }
    }

    fn task(&self) -> Option<TaskId> {
        match *self {
            Msg::Ask { .. } | Msg::Answer(_) => None,
            Msg::Call { task, .. }
            | Msg::Bid { task, .. }
            | Msg::Refuse { task, .. }
            | Msg::Award { task, .. }
            | Msg::Reject { task, .. }
            | Msg::Confirm { task, .. }
            | Msg::Decline { task, .. }
            | Msg::Handover { task, .. }
            | Msg::Progress { task, .. }
            | Msg::Settled(task)
            | Msg::Cancel(task) => Some(task),
            Msg::Outcome(output) => Some(output.task),
        }
    }

    fn size(&self, tasks: &Tasks) -> Size {
        let bytes = Self::KINDS[self.kind()].bytes;
        let tokens = match *self {
            Msg::Handover { task, .. } => tasks.card(task).context_tokens,
            Msg::Ask { .. }
            | Msg::Answer(_)
            | Msg::Call { .. }
            | Msg::Bid { .. }
            | Msg::Refuse { .. }
            | Msg::Award { .. }
            | Msg::Reject { .. }
            | Msg::Confirm { .. }
            | Msg::Decline { .. }
            | Msg::Progress { .. }
            | Msg::Outcome(_)
            | Msg::Settled(_)
            | Msg::Cancel(_) => 0,
        };
        Size { bytes: bytes.saturating_add(tokens.saturating_mul(4)), tokens }
    }
}
