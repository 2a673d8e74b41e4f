//! What can happen, one variant each. Names follow model.md §§1–4.

use serde::{Deserialize, Serialize};

use super::ids::{ExecutionId, LetterId, NodeId, TaskId};
use crate::engine::Time;

/// What a message or a thought is for; splits `coordinating` (model.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Finding out who is there.
    Discovery,
    /// Giving a task to an agent.
    Assignment,
    /// Agreeing who and what: calls, bids, scope.
    Negotiation,
    /// Agreeing on one value among several deciders: claims, votes.
    Consensus,
    /// Keeping views current: heartbeats, progress, log reading, completion notices.
    Synchronisation,
    /// Handing over what a task needs to be understood.
    Context,
    /// Repairing after a fault.
    Recovery,
}

impl Phase {
    /// All phases, in ledger order.
    pub const ALL: [Phase; 7] = [
        Phase::Discovery,
        Phase::Assignment,
        Phase::Negotiation,
        Phase::Consensus,
        Phase::Synchronisation,
        Phase::Context,
        Phase::Recovery,
    ];
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Discovery => "discovery",
            Phase::Assignment => "assignment",
            Phase::Negotiation => "negotiation",
            Phase::Consensus => "consensus",
            Phase::Synchronisation => "synchronisation",
            Phase::Context => "context",
            Phase::Recovery => "recovery",
        }
    }
}

/// Which part of an agent's attention is taken (model.md §1).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    /// Mechanical handling: milliseconds.
    Harness,
    /// Thinking and executing: seconds.
    Cognition,
}

/// What occupies a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Executing a task.
    Executing(ExecutionId),
    /// Checking an output.
    Verifying,
    /// Handling a message or thinking about one.
    Coordinating(Phase),
}

/// Why a node is not taking part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DownReason {
    /// Stopped, volatile state lost.
    Crash,
    /// Frozen, state kept.
    Pause,
    /// Left the fleet (churn); volatile state lost.
    Leave,
    /// A relay out of service.
    Outage,
    /// Not yet joined.
    Absent,
}

/// Why a letter never reached a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Lost on the link.
    Loss,
    /// Sender and receiver were separated.
    Partition,
    /// The receiver was down on arrival.
    Down,
    /// The receiver crashed with the letter in its inbox.
    Crash,
    /// The receiver's inbox was full.
    Overflow,
    /// The sender had gone silent (stall).
    Silent,
}

impl DropReason {
    /// All reasons, in column order.
    pub const ALL: [DropReason; 6] = [
        DropReason::Loss,
        DropReason::Partition,
        DropReason::Down,
        DropReason::Crash,
        DropReason::Overflow,
        DropReason::Silent,
    ];
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            DropReason::Loss => "loss",
            DropReason::Partition => "partition",
            DropReason::Down => "down",
            DropReason::Crash => "crash",
            DropReason::Overflow => "overflow",
            DropReason::Silent => "silent",
        }
    }
}

/// What became of the time an execution took (model.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Its output was accepted and correct.
    Useful,
    /// Another execution of the task was accepted.
    Duplicate,
    /// Its agent crashed or left.
    Crash,
    /// Undone by a rollback.
    Rollback,
    /// Its output failed verification.
    Reject,
    /// Given up by its agent, or its task had ended.
    Abandon,
    /// Its agent hung.
    Stall,
    /// Accepted, and wrong.
    Defect,
    /// Not decided when the run ended.
    Unsettled,
}

impl Fate {
    /// All fates, in column order.
    pub const ALL: [Fate; 9] = [
        Fate::Useful,
        Fate::Duplicate,
        Fate::Crash,
        Fate::Rollback,
        Fate::Reject,
        Fate::Abandon,
        Fate::Stall,
        Fate::Defect,
        Fate::Unsettled,
    ];
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Fate::Useful => "useful",
            Fate::Duplicate => "duplicate",
            Fate::Crash => "crash",
            Fate::Rollback => "rollback",
            Fate::Reject => "reject",
            Fate::Abandon => "abandon",
            Fate::Stall => "stall",
            Fate::Defect => "defect",
            Fate::Unsettled => "unsettled",
        }
    }
}

/// How a task ended without an accepted output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The pattern gave up.
    Failed,
    /// The pattern refused it.
    Rejected,
    /// Its deadline passed and `on_deadline = "drop"`.
    Expired,
}

/// What a startable task waits for, in the order blocked time is attributed (model.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Its holder is down, silent or unreachable.
    Lost,
    /// Its holder waits for the context it needs.
    Context,
    /// Somebody holds it but has not started.
    Claimed,
    /// It is offered and nobody has it.
    Announced,
    /// The pattern has it in a queue.
    Queued,
    /// The pattern has not acknowledged it.
    Entry,
}

impl Stage {
    /// All stages, in the order blocked time is attributed.
    pub const ALL: [Stage; 6] =
        [Stage::Lost, Stage::Context, Stage::Claimed, Stage::Announced, Stage::Queued, Stage::Entry];
    /// The name used in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Lost => "lost",
            Stage::Context => "context",
            Stage::Claimed => "claimed",
            Stage::Announced => "announced",
            Stage::Queued => "queued",
            Stage::Entry => "entry",
        }
    }
}

/// What a pattern may tell the record about its protocol. Facts change no behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The task waits in a queue of this node.
    Queued(TaskId),
    /// The task is offered to others.
    Announced(TaskId),
    /// `holder` holds the task and has not started it.
    Claimed {
        /// The task.
        task: TaskId,
        /// Who holds it.
        holder: NodeId,
    },
    /// `holder` holds the task and waits for its context.
    AwaitsContext {
        /// The task.
        task: TaskId,
        /// Who holds it.
        holder: NodeId,
    },
    /// This node executed the linearization point that gave the task to `to`: the first write that made
    /// the choice final. Decides who counts as a decider (model.md §3, trilemma).
    Decided {
        /// The task.
        task: TaskId,
        /// The agent chosen.
        to: NodeId,
    },
    /// A claim was refused because another holds the task (HTTP 409).
    Conflict(TaskId),
    /// This node acted on a view that was out of date.
    Stale(TaskId),
    /// The task was offered again because its holder fell silent.
    Redelivered(TaskId),
    /// This node, which keeps the claims on the task, gives `holder` the sole right to it, or prolongs it.
    Leased {
        /// The task.
        task: TaskId,
        /// Who has the right.
        holder: NodeId,
        /// When it runs out; [`Time::MAX`] where it lasts until it is given back.
        until: Time,
    },
    /// The right this node gave to a task ended before its time: given back, or taken back.
    Freed(TaskId),
    /// This node begins to lead `shard`, in an era that no other node shares.
    Leads {
        /// Which share of the tasks; 0 where one leader has them all.
        shard: u32,
        /// The era's number; 0 for leaders appointed for good.
        term: u64,
    },
    /// This node appended an entry to its log.
    Appended {
        /// Where.
        offset: u32,
    },
    /// Anything a new pattern wants counted, by name.
    Named(&'static str, u64),
}

/// One thing that happened. `Copy` and small: a run emits millions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    /// The node takes part.
    Up {
        /// Who.
        node: NodeId,
    },
    /// The node stops taking part.
    Down {
        /// Who.
        node: NodeId,
        /// Why.
        why: DownReason,
    },
    /// The node's speed changed to `factor` × its nominal speed.
    Speed {
        /// Who.
        node: NodeId,
        /// Current ÷ nominal speed.
        factor: f32,
    },
    /// The node's execution hangs (`on`) or the hang is over.
    Stalled {
        /// Who.
        node: NodeId,
        /// Hangs or not.
        on: bool,
    },
    /// A partition separates `node` from its clients (`on`), or no longer does.
    CutOff {
        /// Who.
        node: NodeId,
        /// Separated or not.
        on: bool,
    },
    /// Entry `index` of the fault plan changed its target's state (`on`), or healed.
    Fault {
        /// Position in the plan.
        index: u32,
        /// Begins or heals.
        on: bool,
    },
    /// A task arrived at its client.
    Arrived {
        /// Which.
        task: TaskId,
    },
    /// A client sent a task to the pattern.
    Submitted {
        /// Which.
        task: TaskId,
        /// Where.
        to: NodeId,
        /// 0 for the first try.
        attempt: u32,
    },
    /// The pattern took charge of a task.
    Acknowledged {
        /// Which.
        task: TaskId,
        /// Who took it.
        by: NodeId,
    },
    /// A plane became occupied; one that serves several jobs at once begins each.
    Began {
        /// Whose.
        node: NodeId,
        /// Which plane.
        plane: Plane,
        /// By what.
        activity: Activity,
    },
    /// A plane was released by one of the jobs it serves, whether that is done or not.
    Ceased {
        /// Whose.
        node: NodeId,
        /// Which plane.
        plane: Plane,
        /// By what: the activity that began.
        activity: Activity,
    },
    /// An execution started for the first time.
    Started {
        /// Which attempt.
        execution: ExecutionId,
        /// At what.
        task: TaskId,
        /// By whom.
        node: NodeId,
    },
    /// An execution produced an output.
    Finished {
        /// Which attempt.
        execution: ExecutionId,
        /// At what.
        task: TaskId,
        /// The truth, hidden from nodes.
        correct: bool,
    },
    /// It is now known what an execution's time was good for.
    Fate {
        /// Which attempt.
        execution: ExecutionId,
        /// Its fate.
        fate: Fate,
    },
    /// The first settle of a task.
    Accepted {
        /// Which.
        task: TaskId,
        /// Whose output.
        execution: ExecutionId,
        /// The truth, hidden from nodes.
        correct: bool,
    },
    /// A later settle of a task that had one.
    DoubleSettle {
        /// Which.
        task: TaskId,
        /// Whose output.
        execution: ExecutionId,
    },
    /// A task ended without an accepted output.
    Ended {
        /// Which.
        task: TaskId,
        /// How.
        how: Ending,
    },
    /// A logical message left its sender.
    Sent {
        /// Number in the slab of letters.
        letter: LetterId,
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// Index into the run's kinds: 0 and 1 are the client protocol, then the pattern's.
        kind: u8,
        /// Bytes on the wire.
        bytes: u32,
        /// Tokens a model would read.
        tokens: u32,
    },
    /// A letter entered its receiver's inbox.
    Delivered {
        /// Which.
        letter: LetterId,
        /// Receiver.
        to: NodeId,
        /// Whether an earlier letter of the same pair was still under way.
        overtook: bool,
    },
    /// A letter will never be handled.
    Dropped {
        /// Which.
        letter: LetterId,
        /// Why.
        why: DropReason,
    },
    /// A letter's handling ended and its handler runs now.
    Handled {
        /// Which.
        letter: LetterId,
        /// By whom.
        node: NodeId,
    },
    /// A wire message of a transport: poll, reply.
    Wire {
        /// Sender.
        from: NodeId,
        /// Receiver.
        to: NodeId,
        /// Bytes.
        bytes: u32,
    },
    /// A pattern noted a fact.
    Noted {
        /// Who.
        node: NodeId,
        /// What.
        fact: Fact,
    },
    /// The run is over.
    Finish,
}
