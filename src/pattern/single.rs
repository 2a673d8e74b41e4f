//! `single`: one agent does everything. No messages, no coordination, no help.
//!
//! The baseline of the multi-agent literature (arXiv 2512.08296): whatever a team adds or costs is
//! measured against what one agent alone would have done. The agent is the first in the replication's
//! seat order; every client submits to it, and it works through its tasks in the order they came.
//!
//! A crash loses what it had acknowledged and not finished: nobody else knew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sim::{CxOf, Kind, Message, Protocol, Seat, Seats, Submission, Work, WorkKind};
use crate::trace::{Fact, NodeId, Promise, TaskId};
use crate::work::Fleet;

/// There is nothing to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {}

/// Nothing is ever said.
#[derive(Clone, Debug)]
pub enum Never {}

impl Message for Never {
    const KINDS: &'static [Kind] = &[];
    fn kind(&self) -> usize {
        match *self {}
    }
}

/// What to do when an execution ends.
#[derive(Clone, Copy, Debug)]
pub struct Worked;

/// A node that executes whatever is submitted to it.
#[derive(Debug, Default)]
pub(super) struct Executor {
    taken: std::collections::BTreeSet<TaskId>,
}

impl Executor {
    /// Takes a task once, however often it is submitted.
    pub(super) fn take<M: Message>(&mut self, task: TaskId, cx: &mut crate::sim::Cx<'_, M, Worked>) {
        if self.taken.insert(task) {
            let me = cx.me();
            cx.note(Fact::Decided { task, to: me });
            cx.note(Fact::Claimed { task, holder: me });
            cx.work(task, Worked);
        }
    }
    /// Settles what was finished; takes up again what hung.
    pub(super) fn finished<M: Message>(&mut self, done: Work, cx: &mut crate::sim::Cx<'_, M, Worked>) {
        match done.kind {
            WorkKind::Executed(output) => cx.settle(done.task, output),
            WorkKind::Hung => {
                cx.work(done.task, Worked);
            }
            WorkKind::Verified { .. } => unreachable!("nothing is verified here"),
        }
    }
    pub(super) fn forget(&mut self) {
        self.taken.clear();
    }
}

/// One node of the pattern.
#[derive(Debug)]
pub struct Single(Executor);

impl Protocol for Single {
    const NAME: &'static str = "single";
    const ABOUT: &'static str = "one agent does everything; no messages";
    // A crash between settling and a repeated submission makes it do, and settle, the task again.
    const GIVES_UP: &'static [Promise] = &[Promise::SettledOnce, Promise::NoTaskLost, Promise::NoSinglePoint];
    type Params = Params;
    type Msg = Never;
    type Timer = Worked;

    fn seats(_: &Params, fleet: &Fleet) -> Seats {
        let seat = fleet.seat_order().next().expect("a fleet has a present agent");
        Seats { authority: vec![seat], reserved: Vec::new() }
    }
    fn entry(_: &Params, _: &Fleet, seats: &Seats, _: Submission) -> NodeId {
        seats.authority[0]
    }
    fn sit(_: &Params, _: &Seat<'_>) -> Single {
        Single(Executor::default())
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
