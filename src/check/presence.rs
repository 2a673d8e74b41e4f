//! Who takes part, as the records tell of it.

use crate::trace::{DownReason, NodeId, Record};

/// The nodes that do not take part, and why.
#[derive(Debug, Default)]
pub(super) struct Presence(Vec<Option<DownReason>>);

impl Presence {
    pub(super) fn observe(&mut self, record: &Record) {
        let (node, why) = match *record {
            Record::Up { node } => (node, None),
            Record::Down { node, why } => (node, Some(why)),
            _ => return,
        };
        if self.0.len() <= node.index() {
            self.0.resize(node.index() + 1, None);
        }
        self.0[node.index()] = why;
    }
    /// Why `node` does not take part; `None` if it does.
    pub(super) fn down(&self, node: NodeId) -> Option<DownReason> {
        self.0.get(node.index()).copied().flatten()
    }
}
