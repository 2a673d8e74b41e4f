//! Letters under way, filed in a slab so that events and queues carry four bytes.

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
    /// Whom a letter is for; nobody if it is gone.
    #[inline]
    pub(super) fn receiver(&self, id: LetterId) -> NodeId {
        self.slots[id.index()].as_ref().map_or(NodeId(u32::MAX), |letter| letter.to)
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
