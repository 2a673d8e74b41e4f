//! At most one node leads a shard in a term. Terms tell the eras of one leader from those of the next, so
//! that two nodes may believe to lead at the same time, in different terms, but never in the same one.
//!
//! A node says `Leads` when it begins to act for a shard. The leader of a term may say so again, after a
//! restart. Coordinators that are appointed for good lead in term 0.

use std::collections::BTreeMap;

use super::{Breach, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::trace::{Fact, NodeId, Observer, Record};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "one_leader",
    about: "at most one node leads a shard in a term",
    watch: |_| Box::new(Leaders::default()),
};

#[derive(Debug, Default)]
struct Leaders {
    /// By shard and term.
    leaders: BTreeMap<(u32, u64), NodeId>,
    verdict: Verdict,
}

impl Observer for Leaders {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        if let Record::Noted { node, fact: Fact::Leads { shard, term } } = *record {
            let first = *self.leaders.entry((shard, term)).or_insert(node);
            if first != node {
                let what = || format!("both lead shard {shard} in term {term}");
                self.verdict.broken(at, &[first, node], what);
            }
        }
    }
}

impl Invariant for Leaders {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
