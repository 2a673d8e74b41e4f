//! Letters under way, filed in a slab so that events and queues carry four bytes.

use super::protocol::Message;
use crate::engine::prefetch_at;
use crate::trace::{LetterId, NodeId, TaskId};

/// What a letter says.
#[derive(Clone, Debug)]
pub(super) enum Body<M> {
    /// A client hands over a task.
    Submit { task: TaskId },
    /// The pattern took charge of it.
    Acknowledge { task: TaskId },
    /// The pattern's own.
    Protocol(M),
}

impl<M: Message> Body<M> {
    /// The task it concerns, if any.
    #[inline]
    pub(super) fn task(&self) -> Option<TaskId> {
        match self {
            Body::Submit { task } | Body::Acknowledge { task } => Some(*task),
            Body::Protocol(msg) => msg.task(),
        }
    }
}

/// An envelope and what is in it.
#[derive(Clone, Debug)]
pub(super) struct Letter<M> {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) kind: u8,
    pub(super) tokens: u32,
    pub(super) overtook: bool,
    pub(super) body: Body<M>,
}

/// The slab. Slots are used again, so steady state allocates nothing.
#[derive(Debug)]
pub(super) struct Letters<M> {
    slots: Vec<Option<Letter<M>>>,
    free: Vec<u32>,
}

impl<M> Letters<M> {
    pub(super) fn new() -> Letters<M> {
        Letters { slots: Vec::new(), free: Vec::new() }
    }
    #[inline]
    pub(super) fn file(&mut self, letter: Letter<M>) -> LetterId {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(letter);
                LetterId(slot)
            }
            None => {
                self.slots.push(Some(letter));
                LetterId(self.slots.len() as u32 - 1)
            }
        }
    }
    #[inline]
    pub(super) fn get(&self, id: LetterId) -> &Letter<M> {
        self.slots[id.index()].as_ref().expect("a letter is read before it is gone")
    }
    pub(super) fn get_mut(&mut self, id: LetterId) -> &mut Letter<M> {
        self.slots[id.index()].as_mut().expect("a letter is changed before it is gone")
    }
    /// A letter, unless it is gone.
    #[inline]
    pub(super) fn peek(&self, id: LetterId) -> Option<&Letter<M>> {
        self.slots.get(id.index())?.as_ref()
    }
    /// Asks for what a letter says.
    #[inline]
    pub(super) fn foresee(&self, id: LetterId) {
        prefetch_at(&self.slots, id.index());
    }
    #[inline]
    pub(super) fn take(&mut self, id: LetterId) -> Letter<M> {
        self.free.push(id.0);
        self.slots[id.index()].take().expect("a letter is taken once")
    }
    /// Letters that are neither handled nor dropped.
    pub(super) fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
