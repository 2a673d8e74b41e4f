//! Where links keep order, letters of one pair are delivered in the order in which they were sent. Letters
//! that are lost on the way are no gap.
//!
//! A pair is remembered only while it has a letter under way, as in the transport itself.

use std::collections::BTreeMap;

use super::letters::{Letters, Sent};
use super::{Breach, Invariant, InvariantDef, Verdict};
use crate::engine::{EventId, Time};
use crate::net::Order;
use crate::trace::{LetterId, NodeId, Observer, Record};

pub(super) const DEF: InvariantDef = InvariantDef {
    name: "fifo",
    about: "letters of a pair arrive in the order they were sent, where links keep order",
    watch: |ground| {
        Box::new(Fifo {
            promised: ground.order == Order::Fifo,
            sent: 0,
            pairs: BTreeMap::new(),
            letters: Letters::default(),
            verdict: Verdict::default(),
        })
    },
};

#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    under_way: u32,
    /// Number of the latest letter delivered.
    latest: u64,
}

#[derive(Debug)]
struct Fifo {
    promised: bool,
    sent: u64,
    pairs: BTreeMap<(NodeId, NodeId), Pair>,
    /// The number of each letter in the order of sending.
    letters: Letters<u64>,
    verdict: Verdict,
}

impl Fifo {
    /// A letter is no longer under way; what is known of it and of its pair.
    fn arrives(&mut self, letter: LetterId) -> Option<(Sent<u64>, Pair)> {
        let sent = self.letters.take(letter)?;
        let pair = self.pairs.get_mut(&(sent.from, sent.to))?;
        pair.under_way -= 1;
        let known = *pair;
        if known.under_way == 0 {
            self.pairs.remove(&(sent.from, sent.to));
        }
        Some((sent, known))
    }
}

impl Observer for Fifo {
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        if !self.promised {
            return;
        }
        match *record {
            Record::Sent { letter, from, to, .. } => {
                self.sent += 1;
                self.pairs.entry((from, to)).or_default().under_way += 1;
                self.letters.file(letter, Sent { from, to, at, note: self.sent });
            }
            Record::Delivered { letter, .. } => {
                let Some((sent, pair)) = self.arrives(letter) else { return };
                if sent.note < pair.latest {
                    let what = || format!("a letter sent at {} was overtaken", sent.at);
                    self.verdict.broken(at, &[sent.from, sent.to], what);
                }
                if let Some(pair) = self.pairs.get_mut(&(sent.from, sent.to)) {
                    pair.latest = pair.latest.max(sent.note);
                }
            }
            Record::Dropped { letter, .. } => drop(self.arrives(letter)),
            _ => {}
        }
    }
}

impl Invariant for Fifo {
    fn breach(&self) -> Option<&Breach> {
        self.verdict.0.as_ref()
    }
}
