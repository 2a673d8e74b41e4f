//! Offsets of a log are gapless: entry after entry, from 0, none twice. A keeper that lost its memory
//! begins again at 0.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::claims::forgets;
use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{Fact, NodeId, Observer, Record};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "log_gapless",
    about: "the offsets of a log are consecutive from 0",
    watch: |ground| {
        Box::new(Logs { ground: Rc::clone(ground), next: BTreeMap::new(), verdict: Verdict::default() })
    },
};

#[derive(Debug)]
struct Logs {
    ground: Rc<Ground>,
    /// The offset that comes next, by keeper.
    next: BTreeMap<NodeId, u32>,
    verdict: Verdict,
}

impl Observer for Logs {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Noted { node, fact: Fact::Appended { offset } } => {
                let next = self.next.entry(node).or_default();
                let expected = std::mem::replace(next, offset.wrapping_add(1));
                if offset != expected {
                    let what = || format!("appended at offset {offset}, and {expected} comes next");
                    self.verdict.broken(at, &[node], what);
                }
            }
            Record::Down { node, why } if forgets(&self.ground, node, why) => {
                self.next.remove(&node);
            }
            _ => {}
        }
    }
}

impl Invariant for Logs {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
