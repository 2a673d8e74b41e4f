//! A node that is down does nothing: between `Down` and `Up` it sends, handles, begins, starts, finishes,
//! acknowledges and notes nothing. That holds for frozen nodes as for dead ones; only letters may reach
//! the inbox of a frozen one.

use super::presence::Presence;
use super::{Breach, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{ExecutionId, NodeId, Observer, Record};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "down_is_idle",
    about: "a node that is down does nothing",
    watch: |_| Box::new(Down::default()),
};

#[derive(Debug, Default)]
struct Down {
    presence: Presence,
    /// Who runs each execution.
    runs_on: Vec<Option<NodeId>>,
    verdict: Verdict,
}

impl Down {
    fn acts(&mut self, at: Time, node: NodeId, doing: &str) {
        if let Some(why) = self.presence.down(node) {
            self.verdict.broken(at, &[node], || format!("it {doing} while it is down ({why:?})"));
        }
    }

    fn starts(&mut self, execution: ExecutionId, node: NodeId) {
        if self.runs_on.len() <= execution.index() {
            self.runs_on.resize(execution.index() + 1, None);
        }
        self.runs_on[execution.index()] = Some(node);
    }
}

impl Observer for Down {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        self.presence.observe(record);
        match *record {
            Record::Sent { from, .. } => self.acts(at, from, "sent a letter"),
            Record::Wire { from, .. } => self.acts(at, from, "sent a wire message"),
            Record::Handled { node, .. } => self.acts(at, node, "handled a letter"),
            Record::Acknowledged { by, .. } => self.acts(at, by, "acknowledged a task"),
            Record::Began { node, .. } => self.acts(at, node, "began something"),
            Record::Noted { node, .. } => self.acts(at, node, "noted something"),
            Record::Started { execution, node, .. } => {
                self.starts(execution, node);
                self.acts(at, node, "started an execution");
            }
            Record::Finished { execution, .. } => {
                if let Some(node) = self.runs_on.get(execution.index()).copied().flatten() {
                    self.acts(at, node, "finished an execution");
                }
            }
            _ => {}
        }
    }
}

impl Invariant for Down {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
