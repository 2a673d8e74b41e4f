//! Partitioned nodes exchange nothing: a letter sent across a partition is never delivered, and none is
//! handed over while its last hop is cut. One that was under way when the cut came still arrives after it
//! heals, and a transport that keeps letters may hand them over then.
//!
//! Cuts are rebuilt from the fault plan and the records that say when its entries begin and heal, and not
//! from `net`, whose mistakes would be repeated.

use std::rc::Rc;

use super::letters::{Letters, Sent};
use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::fault::{FaultKind, Group};
use crate::trace::{NodeId, Observer, Record};
use crate::work::Fleet;

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "partition_silent",
    about: "nodes that a partition separates exchange nothing",
    watch: |ground| {
        Box::new(Partition {
            ground: Rc::clone(ground),
            cuts: Vec::new(),
            letters: Letters::default(),
            verdict: Verdict::default(),
        })
    },
};

#[derive(Debug)]
struct Partition {
    ground: Rc<Ground>,
    cuts: Vec<Cut>,
    /// Whether each letter was sent across a cut.
    letters: Letters<bool>,
    verdict: Verdict,
}

/// One partition in force.
#[derive(Debug)]
struct Cut {
    index: u32,
    one_way: bool,
    /// Number of each node's group, from 1; 0 for the rest.
    side: Vec<usize>,
}

impl Cut {
    fn new(index: u32, groups: &[Group], one_way: bool, fleet: &Fleet) -> Cut {
        let mut side = vec![0; fleet.len()];
        for (number, group) in (1..).zip(groups) {
            let agents = group.agents.iter().map(|&position| fleet.agent(position));
            let relays = group.relays.iter().map(|&position| fleet.relay(position));
            let clients = group.clients.iter().map(|&position| fleet.client(position));
            agents.chain(relays).chain(clients).for_each(|node| side[node.index()] = number);
        }
        Cut { index, one_way, side }
    }

    fn separates(&self, from: NodeId, to: NodeId) -> bool {
        let (from, to) = (self.side[from.index()], self.side[to.index()]);
        from != to && (!self.one_way || from != 0)
    }
}

impl Partition {
    fn fault(&mut self, index: u32, on: bool) {
        if let FaultKind::Partition { groups, one_way } = &self.ground.faults.entries[index as usize].kind {
            self.cuts.retain(|cut| cut.index != index);
            self.cuts.extend(on.then(|| Cut::new(index, groups, *one_way, &self.ground.fleet)));
        }
    }

    fn separated(&self, from: NodeId, to: NodeId) -> bool {
        self.cuts.iter().any(|cut| cut.separates(from, to))
    }
}

impl Observer for Partition {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Fault { index, on } => self.fault(index, on),
            Record::Sent { letter, from, to, .. } => {
                let across = self.separated(from, to);
                self.letters.file(letter, Sent { from, to, at, note: across });
            }
            Record::Delivered { letter, to, .. } => {
                let Some(Sent { from, at: sent, note: across, .. }) = self.letters.take(letter) else {
                    return;
                };
                let hop = self.ground.keeper(from, to).unwrap_or(from);
                if across || self.separated(hop, to) {
                    let what = || format!("a letter sent at {sent} crossed a partition");
                    self.verdict.broken(at, &[from, to], what);
                }
            }
            _ => {}
        }
    }
}

impl Invariant for Partition {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
