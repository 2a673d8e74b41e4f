//! Letters: an envelope, and what is in it.

use super::protocol::Message;
use crate::trace::{NodeId, TaskId};

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
