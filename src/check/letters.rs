//! Letters as the records tell of them: who sent what to whom when, and whether it is in an inbox.
//!
//! Letter numbers are used again once a letter is gone, so that this holds no more than is under way.

use crate::engine::Time;
use crate::trace::{LetterId, NodeId};

/// One letter that was sent and is neither handled nor dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent<T> {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) at: Time,
    /// What an invariant remembers of it.
    pub(super) note: T,
}

/// The letters under way, by number.
#[derive(Debug)]
pub(super) struct Letters<T>(Vec<Option<Sent<T>>>);

impl<T> Default for Letters<T> {
    fn default() -> Letters<T> {
        Letters(Vec::new())
    }
}

impl<T> Letters<T> {
    /// Files a letter; gives back what had its number, which should be nothing.
    pub(super) fn file(&mut self, id: LetterId, sent: Sent<T>) -> Option<Sent<T>> {
        if self.0.len() <= id.index() {
            self.0.resize_with(id.index() + 1, || None);
        }
        self.0[id.index()].replace(sent)
    }
    pub(super) fn get_mut(&mut self, id: LetterId) -> Option<&mut Sent<T>> {
        self.0.get_mut(id.index())?.as_mut()
    }
    pub(super) fn take(&mut self, id: LetterId) -> Option<Sent<T>> {
        self.0.get_mut(id.index())?.take()
    }
}
