//! A worker: takes what it is assigned, reads the context, works, hands in until it is received.

use smallvec::SmallVec;

use super::message::READ_CONTEXT;
use super::{Hierarchical, Msg, Params, Timer};
use crate::sim::{CxOf, Effort};
use crate::trace::{ExecutionId, Fact, NodeId, Output, Phase, Plane, TaskId};

/// What a worker does about one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    task: TaskId,
    execution: Option<ExecutionId>,
    output: Option<Output>,
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) coordinator: NodeId,
    pub(super) held: SmallVec<[Held; 1]>,
}

impl Worker {
    pub(super) fn start(&mut self, params: &Params, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(self.coordinator, Msg::Hello);
        if !params.heartbeat.is_zero() {
            // Workers start together; their heartbeats should not arrive together.
            let phase = params.heartbeat.mul_f64(cx.rng().uniform());
            cx.set_timer(phase, Timer::Heartbeat);
        }
    }

    fn find(&mut self, task: TaskId) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.task == task)
    }

    pub(super) fn hear(&mut self, params: &Params, msg: Msg, cx: &mut CxOf<'_, Hierarchical>) {
        match msg {
            Msg::Assign(task) => {
                if !params.assign_timeout.is_zero() {
                    cx.send(self.coordinator, Msg::Accepted(task));
                }
                if self.find(task).is_none() {
                    self.held.push(Held { task, execution: None, output: None });
                    let holder = cx.me();
                    cx.note(Fact::AwaitsContext { task, holder });
                    let effort = Effort::Like { kind: READ_CONTEXT, tokens: cx.task(task).context_tokens };
                    cx.occupy(Plane::Cognition, Phase::Context, effort, Timer::Begin(task));
                }
            }
            Msg::Received(task) => self.held.retain(|held| held.task != task),
            Msg::Cancel(task) => {
                if let Some(execution) = self.find(task).and_then(|held| held.execution) {
                    cx.abandon(execution);
                }
                self.held.retain(|held| held.task != task);
            }
            Msg::RollCall => {
                cx.send(self.coordinator, Msg::Hello);
                for held in &self.held {
                    cx.send(self.coordinator, held.output.map_or(Msg::Holding(held.task), Msg::Result));
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

    pub(super) fn timer(&mut self, params: &Params, timer: Timer, cx: &mut CxOf<'_, Hierarchical>) {
        match timer {
            Timer::Heartbeat => {
                cx.send(self.coordinator, Msg::Heartbeat);
                cx.set_timer(params.heartbeat, Timer::Heartbeat);
            }
            Timer::Begin(task) => {
                // Cancelled while the context was being read: nothing is held any more.
                if let Some(held) = self.find(task) {
                    held.execution = Some(cx.work(task, Timer::Worked));
                }
            }
            Timer::Repeat(task) => {
                if let Some(output) = self.find(task).and_then(|held| held.output) {
                    self.hand_in(params, output, cx);
                }
            }
            Timer::Worked | Timer::Sweep | Timer::Unaccepted(_) | Timer::Decided(_) | Timer::Verified => {
                unreachable!("workers set no such timer")
            }
        }
    }

    fn hand_in(&self, params: &Params, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        cx.send(self.coordinator, Msg::Result(output));
        cx.set_timer(params.result_timeout, Timer::Repeat(output.task));
    }

    pub(super) fn finished(&mut self, params: &Params, output: Output, cx: &mut CxOf<'_, Hierarchical>) {
        if let Some(held) = self.find(output.task) {
            held.output = Some(output);
            self.hand_in(params, output, cx);
        }
    }

    pub(super) fn failed(&mut self, task: TaskId, cx: &mut CxOf<'_, Hierarchical>) {
        self.held.retain(|held| held.task != task);
        cx.send(self.coordinator, Msg::Failed(task));
    }
}
