//! What an event will need, asked for before it fires.
//!
//! The state of a large fleet lies in memory, not in the cache. An event names a node and a letter or an
//! execution, whose lines can be fetched some events ahead. When they are there, they name the task, which
//! comes next.

use super::protocol::Protocol;
use super::world::{Event, World};
use crate::engine::{prefetch, prefetch_at};
use crate::trace::{NodeId, Observer, Plane, TaskId};

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// Asks for what `event` names.
    #[inline]
    pub(super) fn foresee_far(&self, event: &Event) {
        match *event {
            Event::Deliver { letter, to } => {
                self.letters.foresee(letter.0);
                self.foresee_node(to);
            }
            Event::Done { node, .. } => self.foresee_node(node),
            Event::Executed { node, execution } => {
                prefetch_at(&self.executions, execution.index());
                self.observer.foresee_execution(execution);
                self.foresee_node(node);
            }
            Event::Timer { slot, node } => {
                prefetch_at(&self.timers, slot as usize);
                self.foresee_node(node);
            }
            _ => {}
        }
    }

    /// Asks for the task that what `event` names is about.
    #[inline]
    pub(super) fn foresee_near(&self, event: &Event) {
        match *event {
            Event::Deliver { letter, to } => {
                if let Some(letter) = self.letters.peek(letter.0) {
                    let task = letter.body.task();
                    if let Some(task) = task {
                        self.foresee_task(task);
                    }
                    if let Some(protocol) = self.protocols.get(to.index()) {
                        protocol.foresee(Some(letter.from), task);
                    }
                }
            }
            Event::Timer { node, .. } => {
                if let Some(protocol) = self.protocols.get(node.index()) {
                    protocol.foresee(None, None);
                }
            }
            Event::Executed { node, execution } => {
                if let Some(execution) = self.executions.get(execution.index()) {
                    self.foresee_task(execution.task);
                }
                self.foresee_service(node, Plane::Cognition);
            }
            Event::Done { node, plane, .. } => self.foresee_service(node, plane),
            _ => {}
        }
    }

    /// Asks for what lies behind what was asked for so far.
    #[inline]
    pub(super) fn foresee_next(&self, event: &Event) {
        match *event {
            Event::Deliver { to: node, .. } | Event::Timer { node, .. } => {
                if let Some(protocol) = self.protocols.get(node.index()) {
                    protocol.foresee_rest();
                }
            }
            _ => {}
        }
    }

    #[inline]
    pub(super) fn foresee_task(&self, task: TaskId) {
        prefetch_at(&self.tasks, task.index());
        self.setup.tasks.foresee(task);
        self.observer.foresee_task(task);
    }

    #[inline]
    fn foresee_service(&self, node: NodeId, plane: Plane) {
        if let Some(node) = self.nodes.get(node.index()) {
            node.at(plane).serving.foresee(&self.services);
        }
    }

    #[inline]
    fn foresee_node(&self, node: NodeId) {
        let index = node.index();
        if let (Some(state), Some(protocol)) = (self.nodes.get(index), self.protocols.get(index)) {
            prefetch(&state.role);
            prefetch(&state.links);
            prefetch(&state.harness);
            prefetch(&state.cognition);
            prefetch(&state.incarnation);
            prefetch(protocol);
        }
        self.observer.foresee(node);
    }
}
