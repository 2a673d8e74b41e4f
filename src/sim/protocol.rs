//! What a pattern author writes: one [`Protocol`] and its [`Message`].

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cx::CxOf;
use crate::error::Problems;
use crate::trace::{ExecutionId, NodeId, Output, Phase, Plane, Promise, SiteId, SkillId, TaskId};
use crate::work::{Fleet, Tasks};

/// A kind of message: what it is for and what it occupies. Durations come from the scenario's `[costs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Name, as used in `[costs]` and in traffic tables; snake_case.
    pub name: &'static str,
    /// What it is for.
    pub phase: Phase,
    /// The plane its handling occupies at an agent, unless `[costs]` moves it.
    pub plane: Plane,
    /// Size of an ordinary message of this kind \[bytes\].
    pub bytes: u32,
    /// One line for `anthill patterns NAME`.
    pub about: &'static str,
}

/// Size of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// On the wire \[bytes\].
    pub bytes: u32,
    /// Read by a model, where a model reads it \[tokens\].
    pub tokens: u32,
}

/// What the nodes of a pattern say to each other.
pub trait Message: Clone + Debug {
    /// All kinds, in a fixed order.
    const KINDS: &'static [Kind];
    /// Position of this message's kind in [`Message::KINDS`].
    fn kind(&self) -> usize;
    /// The task it concerns, if any.
    fn task(&self) -> Option<TaskId> {
        None
    }
    /// Its size; by default that of its kind, and no tokens.
    fn size(&self, tasks: &Tasks) -> Size {
        let _ = tasks;
        Size { bytes: Self::KINDS[self.kind()].bytes, tokens: 0 }
    }
}

/// Where a client is about to submit a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The task; a hash of it spreads tasks over many entries.
    pub task: TaskId,
    /// Site of the client.
    pub origin: SiteId,
    /// Skill class the task asks for.
    pub skill: Option<SkillId>,
    /// 0 for the first try; one more after each timeout.
    pub attempt: u32,
}

/// Which nodes take which special role in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Nodes whose word decides; `authority` faults strike these. Empty where every agent decides.
    pub authority: Vec<NodeId>,
    /// Agents that only coordinate and do not execute (coordinators): the pattern's own use.
    pub reserved: Vec<NodeId>,
}

/// One node's place when it sits down.
#[derive(Clone, Copy, Debug)]
pub struct Seat<'a> {
    /// Whose.
    pub node: NodeId,
    /// Everyone who may take part.
    pub fleet: &'a Fleet,
    /// Who has a special role.
    pub seats: &'a Seats,
    /// How many tasks the run has at most (for tables indexed by task).
    pub tasks: usize,
}

/// An agent's condition, as told to an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Taking part, again.
    Up,
    /// Frozen with its state.
    Frozen,
    /// Gone, and its state with it.
    Lost,
}

/// What ended when [`Protocol::on_work`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// An execution produced this output.
    Executed(Output),
    /// An execution hung and was killed by the agent's own watchdog; there is no output.
    Hung,
    /// A verification ended with this verdict.
    Verified {
        /// What was checked.
        output: Output,
        /// Whether it passed.
        passed: bool,
    },
}

/// An execution or a verification of mine that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The task it was about.
    pub task: TaskId,
    /// The execution that ended, or whose output was verified.
    pub execution: ExecutionId,
    /// How it ended.
    pub kind: WorkKind,
}

/// A coordination pattern: the state of one node and its reactions.
///
/// A handler must not know why a message is missing, count anything, or look past its `Cx`. See the
/// crate's front page for a whole pattern in under 100 lines.
pub trait Protocol: Sized {
    /// Name in scenarios, columns and plots; snake_case.
    const NAME: &'static str;
    /// One line for `anthill patterns`.
    const ABOUT: &'static str;
    /// Promises it does not make: declared, printed, not failed.
    const GIVES_UP: &'static [Promise];
    /// A reference with an oracle: zero latency and cost, and only crashes, pauses and churn touch it.
    const ORACLE: bool = false;
    /// The `[pattern.NAME]` table: units, defaults and docs.
    type Params: Debug + Clone + Serialize + DeserializeOwned + Default + JsonSchema;
    /// What its nodes say.
    type Msg: Message;
    /// What it reminds itself of. `Copy`: a timer carries an address, not a payload.
    type Timer: Copy + Debug;

    /// Whether `params` make sense for `fleet`; keys in problems are relative to the table.
    ///
    /// # Errors
    /// All that is wrong.
    fn check(params: &Self::Params, fleet: &Fleet) -> Result<(), Problems> {
        let _ = (params, fleet);
        Ok(())
    }
    /// Who takes which role.
    fn seats(params: &Self::Params, fleet: &Fleet) -> Seats;
    /// Where a client submits.
    fn entry(params: &Self::Params, fleet: &Fleet, seats: &Seats, submission: Submission) -> NodeId;
    /// One node's state, as it sits down.
    fn sit(params: &Self::Params, seat: &Seat<'_>) -> Self;
    /// The run begins, or the node is back after a crash, an outage or an absence.
    fn on_start(&mut self, cx: &mut CxOf<'_, Self>) {
        let _ = cx;
    }
    /// A client submitted `task` here. Idempotent: the client repeats itself until acknowledged.
    fn on_task(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>);
    /// The handling of `msg` has ended.
    fn on_message(&mut self, from: NodeId, msg: Self::Msg, cx: &mut CxOf<'_, Self>) {
        let _ = (from, msg, cx);
    }
    /// A timer fired, or an occupation ended.
    fn on_timer(&mut self, timer: Self::Timer, cx: &mut CxOf<'_, Self>) {
        let _ = (timer, cx);
    }
    /// An execution or a verification of mine ended.
    fn on_work(&mut self, done: Work, then: Self::Timer, cx: &mut CxOf<'_, Self>) {
        let _ = (done, then, cx);
    }
    /// A message of `from` about `task` will arrive in a few events' time, or a timer of mine fire (`None`),
    /// perhaps: whoever keeps a great deal of state may [ask for](crate::engine::prefetch) what the handler
    /// will touch. Nothing observable may follow from it.
    #[inline]
    fn foresee(&self, from: Option<NodeId>, task: Option<TaskId>) {
        let _ = (from, task);
    }
    /// Right after [`Protocol::foresee`] was called for all events that come next: what was asked for there
    /// is at hand, and says where the rest is. It pays where state lies behind two pointers.
    #[inline]
    fn foresee_rest(&self) {}
    /// Volatile state is lost; `on_start` follows when the node is back.
    fn on_crash(&mut self) {}
    /// Oracles only: a task left the system before it was answered. Called at the first client.
    fn on_expired(&mut self, task: TaskId, cx: &mut CxOf<'_, Self>) {
        let _ = (task, cx);
    }
    /// Oracles only: the condition of an agent changed. Called at the first client.
    fn on_status(&mut self, node: NodeId, status: Status, cx: &mut CxOf<'_, Self>) {
        let _ = (node, status, cx);
    }
}
