//! Delivery as the transport promises it: a letter is delivered at most once, to its addressee, handled at
//! most once, by it, and only after it was delivered; or it is dropped, for a reason that was there.
//!
//! | reason | must be so |
//! |---|---|
//! | loss | links lose letters |
//! | partition | the plan has one |
//! | down | the receiver, or the relay that keeps its letters, is down |
//! | crash | the letter was in an inbox, or kept by a transport that stores |
//! | overflow | it was not yet in the inbox |
//! | silent | the sender hangs |

use std::rc::Rc;

use super::letters::{Letters, Sent};
use super::presence::Presence;
use super::{Breach, Ground, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::fault::FaultKind;
use crate::trace::{DropReason, LetterId, NodeId, Observer, Record};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "delivery",
    about: "a letter is delivered and handled at most once, by its addressee, or dropped for a reason",
    watch: |ground| {
        let partition = |kind: &FaultKind| matches!(kind, FaultKind::Partition { .. });
        Box::new(Delivery {
            partitions: ground.faults.entries.iter().any(|entry| partition(&entry.kind)),
            ground: Rc::clone(ground),
            presence: Presence::default(),
            hung: Vec::new(),
            letters: Letters::default(),
            verdict: Verdict::default(),
        })
    },
};

#[derive(Debug)]
struct Delivery {
    ground: Rc<Ground>,
    partitions: bool,
    presence: Presence,
    /// Nodes that hang.
    hung: Vec<NodeId>,
    /// Whether each letter was delivered.
    letters: Letters<bool>,
    verdict: Verdict,
}

impl Delivery {
    fn sent(&mut self, at: Time, letter: LetterId, from: NodeId, to: NodeId) {
        if self.letters.file(letter, Sent { from, to, at, note: false }).is_some() {
            let what = || format!("letter {} was sent while another of its number is under way", letter.0);
            self.verdict.broken(at, &[from], what);
        }
    }

    fn delivered(&mut self, at: Time, letter: LetterId, to: NodeId) {
        let Some(sent) = self.letters.get_mut(letter) else {
            let what = || format!("letter {} was delivered, and is not under way", letter.0);
            return self.verdict.broken(at, &[to], what);
        };
        let (again, addressee) = (std::mem::replace(&mut sent.note, true), sent.to);
        if again || addressee != to {
            let what = || format!("letter {} to node {} was delivered twice, or here", letter.0, addressee.0);
            self.verdict.broken(at, &[to], what);
        }
    }

    fn handled(&mut self, at: Time, letter: LetterId, node: NodeId) {
        let sent = self.letters.take(letter);
        if sent.is_none_or(|sent| !sent.note || sent.to != node) {
            let what = || format!("letter {} was handled and not delivered here", letter.0);
            self.verdict.broken(at, &[node], what);
        }
    }

    fn dropped(&mut self, at: Time, letter: LetterId, why: DropReason) {
        let Some(Sent { from, to, note: delivered, .. }) = self.letters.take(letter) else {
            let what = || format!("letter {} was dropped, and is not under way", letter.0);
            return self.verdict.broken(at, &[], what);
        };
        let keeper = self.ground.keeper(from, to);
        let is_down = |node: NodeId| self.presence.down(node).is_some();
        let justified = match why {
            DropReason::Loss => self.ground.lossy && !delivered,
            DropReason::Partition => self.partitions && !delivered,
            DropReason::Down => !delivered && (is_down(to) || keeper.is_some_and(is_down)),
            DropReason::Crash => delivered || keeper.is_some(),
            DropReason::Overflow => !delivered,
            DropReason::Silent => !delivered && self.hung.contains(&from),
        };
        if !justified {
            let what = || format!("letter {} was dropped without a reason for `{}`", letter.0, why.name());
            self.verdict.broken(at, &[from, to], what);
        }
    }
}

impl Observer for Delivery {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        self.presence.observe(record);
        match *record {
            Record::Stalled { node, on } => {
                self.hung.retain(|&other| other != node);
                self.hung.extend(on.then_some(node));
            }
            Record::Sent { letter, from, to, .. } => self.sent(at, letter, from, to),
            Record::Delivered { letter, to, .. } => self.delivered(at, letter, to),
            Record::Handled { letter, node } => self.handled(at, letter, node),
            Record::Dropped { letter, why } => self.dropped(at, letter, why),
            _ => {}
        }
    }
}

impl Invariant for Delivery {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
