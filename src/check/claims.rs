//! A claim is exclusive while it lasts: who keeps the claims on a task gives it to nobody else before the
//! lease has run out or was given back.
//!
//! The promise is that of one keeper (a relay, a coordinator, the manager of a contract), as its facts
//! tell it: `Leased` begins or prolongs a claim, `Freed` ends it early. Nothing is promised across keepers:
//! a client that heard nothing may hand its task to another one, which is what giving up `settled_once`
//! means. A keeper that lost its memory has forgotten its claims and makes no promise about them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{DownReason, Fact, NodeId, Observer, Record, TaskId};
use crate::work::Role;

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "claim_exclusive",
    about: "a keeper of claims gives a task to nobody else while a lease on it lasts",
    watch: |ground| {
        Box::new(Claims { ground: Rc::clone(ground), held: BTreeMap::new(), verdict: Verdict::default() })
    },
};

#[derive(Clone, Copy, Debug)]
struct Lease {
    holder: NodeId,
    until: Time,
}

#[derive(Debug)]
struct Claims {
    ground: Rc<Ground>,
    /// By keeper and task.
    held: BTreeMap<(NodeId, TaskId), Lease>,
    verdict: Verdict,
}

/// Whether a node that goes down for `why` loses what it keeps in memory.
pub(super) fn forgets(ground: &Ground, node: NodeId, why: DownReason) -> bool {
    match why {
        DownReason::Pause => false,
        DownReason::Crash | DownReason::Leave | DownReason::Outage | DownReason::Absent => {
            ground.fleet.role(node) != Role::Relay || !ground.durable
        }
    }
}

impl Observer for Claims {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Noted { node, fact: Fact::Leased { task, holder, until } } => {
                let before = self.held.insert((node, task), Lease { holder, until });
                if let Some(lease) = before.filter(|lease| lease.holder != holder && at < lease.until) {
                    let what = || {
                        let until = match lease.until {
                            Time::MAX => "until it gives it back".to_owned(),
                            until => format!("until {until}"),
                        };
                        format!(
                            "task {} was given to node {} while node {} has it {until}",
                            task.0, holder.0, lease.holder.0
                        )
                    };
                    self.verdict.broken(at, &[node], what);
                }
            }
            Record::Noted { node, fact: Fact::Freed(task) } => drop(self.held.remove(&(node, task))),
            Record::Down { node, why } if forgets(&self.ground, node, why) => {
                self.held.retain(|(keeper, _), _| *keeper != node);
            }
            _ => {}
        }
    }
}

impl Invariant for Claims {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
