//! A worker: takes what it is assigned, reads the context, works, hands in until it is received.

use smallvec::SmallVec;

use super::message::READ_CONTEXT;
use super::{Hierarchical, Msg, Params, Timer};
use crate::engine::{Span, Time};
use crate::sim::{CxOf, Effort};
use crate::trace::{ExecutionId, Fact, NodeId, Output, Phase, Plane, TaskId};

/// What a worker does about one task.
#[derive(Clone, Copy, Debug)]
struct Held {
    task: TaskId,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Reading,
    Working(ExecutionId),
    /// Handed in, and again at this time.
    Done(Output, Time),
}

/// One of very many: it keeps of the parameters what it needs.
#[derive(Debug)]
pub(super) struct Worker {
    coordinator: NodeId,
    heartbeat: Span,
    result_timeout: Span,
    /// Whether assignments are to be accepted.
    accepts: bool,
    held: SmallVec<[Held; 1]>,
    /// Whether a reminder to hand in again is pending: one serves all that is held.
    reminded: bool,
}

impl Worker {
    pub(super) fn new(params: &Params, coordinator: NodeId) -> Worker {
        Worker {
            coordinator,
            heartbeat: params.heartbeat,
            result_timeout: params.result_timeout,
            accepts: !params.assign_timeout.is_zero(),
            held: SmallVec::new(),
            reminded: false,
        }
    }

    pub(super) fn start(&mut self, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(self.coordinator, Msg::Hello);
        if !self.heartbeat.is_zero() {
            // Workers start together; their heartbeats should not arrive together.
            let phase = self.heartbeat.mul_f64(cx.rng().uniform());
            cx.set_timer(phase, Timer::Heartbeat);
        }
    }

    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.reminded = false;
    }

    fn find(&mut self, task: TaskId) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.task == task)
    }

    /// `task` is held no longer. Gives back what was being done about it.
    fn drop(&mut self, task: TaskId) -> Option<Stage> {
        let index = self.held.iter().position(|held| held.task == task)?;
        Some(self.held.remove(index).stage)
    }

    pub(super) fn hear(&mut self, msg: Msg, cx: &mut CxOf<'_, Hierarchical>) {
        match msg {
            Msg::Assign(task) => {
                if self.accepts {
                    cx.send(self.coordinator, Msg::Accepted(task));
                }
                if self.find(task).is_none() {
                    self.held.push(Held { task, stage: Stage::Reading });
                    let holder = cx.me();
                    cx.note(Fact::AwaitsContext { task, holder });
                    let effort = Effort::Like { kind: READ_CONTEXT, tokens: cx.task(task).context_tokens };
                    cx.occupy(Plane::Cognition, Phase::Context, effort, Timer::Begin(task));
                }
            }
            Msg::Received(task) => {
                self.drop(task);
            }
            Msg::Cancel(task) => {
                if let Some(Stage::Working(execution)) = self.drop(task) {
                    cx.abandon(execution);
                }
            }
            Msg::RollCall => {
                cx.send(self.coordinator, Msg::Hello);
                for held in &self.held {
                    let report = match held.stage {
                        Stage::Reading | Stage::Working(_) => Msg::Holding(held.task),
                        Stage::Done(output, _) => Msg::Result(output),
                    };
                    cx.send(self.coordinator, report);
                }
            }
            Msg::Hello
            | Msg::Heartbeat
            | Msg::Accepted(_)
            | Msg::Result(_)
            | Msg::Failed(_)
            | Msg::Holding(_) => {
                unreachable!("only coordinators are told this")
            }
        }
    }

    pub(super) fn timer(&mut self, timer: Timer, cx: &mut CxOf<'_, Hierarchical>) {
        match timer {
            Timer::Heartbeat => {
                cx.send(self.coordinator, Msg::Heartbeat);
                cx.set_timer(self.heartbeat, Timer::Heartbeat);
            }
            Timer::Begin(task) => {
                // Cancelled while the context was being read: nothing is held any more.
                if let Some(held) = self.find(task) {
                    held.stage = Stage::Working(cx.work(task, Timer::Worked));
                }
            }
            Timer::Repeat => self.repeat(cx),
            Timer::Worked | Timer::Sweep | Timer::Unaccepted(_) | Timer::Decided(_) | Timer::Verified => {
                unreachable!("workers set no such timer")
            }
        }
    }

    /// Hands in again whatever was not received in time.
    fn repeat(&mut self, cx: &mut CxOf<'_, Hierarchical>) {
        self.reminded = false;
        let mut next = None;
        for held in &mut self.held {
            let Stage::Done(output, due) = &mut held.stage else { continue };
            if *due <= cx.now() {
                cx.send(self.coordinator, Msg::Result(*output));
                *due = cx.now() + self.result_timeout;
            }
            next = Some(next.map_or(*due, |next: Time| next.min(*due)));
        }
        if let Some(next) = next {
            self.remind(next.since(cx.now()), cx);
        }
    }

    fn remind(&mut self, wait: Span, cx: &mut CxOf<'_, Hierarchical>) {
        if !std::mem::replace(&mut self.reminded, true) {
            cx.set_timer(wait, Timer::Repeat);
        }
    }

    pub(super) fn finished(&mut self, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        if self.result_timeout.is_zero() {
            if self.drop(output.task).is_some() {
                cx.send(self.coordinator, Msg::Result(output));
            }
            return;
        }
        let due = cx.now() + self.result_timeout;
        if let Some(held) = self.find(output.task) {
            held.stage = Stage::Done(output, due);
            cx.send(self.coordinator, Msg::Result(output));
            self.remind(self.result_timeout, cx);
        }
    }

    pub(super) fn failed(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        self.drop(task);
        cx.send(self.coordinator, Msg::Failed(task));
    }
}
