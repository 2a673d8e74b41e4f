//! The digest of a run: a rolling 64-bit hash over every record with its time and cause.
//!
//! Two runs with equal fingerprints did the same things at the same times for the same reasons. It
//! detects accidents, not forgery: the mixing is a 128-bit multiply folded to 64 bits (the core step of
//! wyhash and its relatives), about 1 ns a word.

use super::{Activity, Fact, Observer, Record};
use crate::engine::{EventId, Time};

/// Folds records into a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint(0x6A09_E667_F3BC_C908)
    }
}

impl Fingerprint {
    /// The digest so far.
    pub fn value(self) -> u64 {
        self.0
    }

    fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        // Folding keeps the high half's avalanche; the rotation keeps a zero product from being absorbing.
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ 0xA54F_F53A_5F1D_36F1;
    }
}

impl Observer for Fingerprint {
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        self.word(at.as_nanos());
        self.word(cause.0);
        let [a, b] = words(record);
        self.word(a);
        self.word(b);
    }
}

fn pair(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}

/// A record as two words: a tag in the top byte of the first, then its fields.
fn words(record: &Record) -> [u64; 2] {
    let tagged = |tag: u64, rest: u64| (tag << 56) ^ rest;
    match *record {
        Record::Up { node } => [tagged(1, u64::from(node.0)), 0],
        Record::Down { node, why } => [tagged(2, u64::from(node.0)), why as u64],
        Record::Speed { node, factor } => [tagged(3, u64::from(node.0)), u64::from(factor.to_bits())],
        Record::Stalled { node, on } => [tagged(4, u64::from(node.0)), u64::from(on)],
        Record::CutOff { node, on } => [tagged(5, u64::from(node.0)), u64::from(on)],
        Record::Fault { index, on } => [tagged(6, u64::from(index)), u64::from(on)],
        Record::Arrived { task } => [tagged(7, u64::from(task.0)), 0],
        Record::Submitted { task, to, attempt } => [tagged(8, u64::from(task.0)), pair(to.0, attempt)],
        Record::Acknowledged { task, by } => [tagged(9, u64::from(task.0)), u64::from(by.0)],
        Record::Began { node, plane, activity } => {
            let what = match activity {
                Activity::Executing(execution) => pair(1, execution.0),
                Activity::Verifying => pair(2, 0),
                Activity::Coordinating(phase) => pair(3, phase as u32),
            };
            [tagged(10, pair(plane as u32, node.0)), what]
        }
        Record::Ceased { node, plane, activity: _ } => [tagged(11, pair(plane as u32, node.0)), 0],
        Record::Started { execution, task, node } => {
            [tagged(12, u64::from(execution.0)), pair(task.0, node.0)]
        }
        Record::Finished { execution, task, correct } => {
            [tagged(13, u64::from(execution.0)), pair(task.0, u32::from(correct))]
        }
        Record::Fate { execution, fate } => [tagged(14, u64::from(execution.0)), fate as u64],
        Record::Accepted { task, execution, correct } => {
            [tagged(15, u64::from(task.0)), pair(execution.0, u32::from(correct))]
        }
        Record::DoubleSettle { task, execution } => [tagged(16, u64::from(task.0)), u64::from(execution.0)],
        Record::Ended { task, how } => [tagged(17, u64::from(task.0)), how as u64],
        Record::Sent { letter: _, from, to, kind, bytes, tokens } => {
            [tagged(18, pair(from.0, to.0)) ^ (u64::from(kind) << 48), pair(bytes, tokens)]
        }
        Record::Delivered { letter, to, overtook } => {
            [tagged(19, pair(u32::from(overtook), to.0)), u64::from(letter.0)]
        }
        Record::Dropped { letter, why } => [tagged(20, why as u64), u64::from(letter.0)],
        Record::Handled { letter, node } => [tagged(21, u64::from(node.0)), u64::from(letter.0)],
        Record::Wire { from, to, bytes } => [tagged(22, u64::from(bytes)), pair(from.0, to.0)],
        Record::Noted { node, fact } => {
            let [kind, rest] = fact_words(fact);
            [tagged(23, pair(kind as u32, node.0)), rest]
        }
        Record::Finish => [tagged(24, 0), 0],
    }
}

fn fact_words(fact: Fact) -> [u64; 2] {
    match fact {
        Fact::Queued(task) => [1, u64::from(task.0)],
        Fact::Announced(task) => [2, u64::from(task.0)],
        Fact::Claimed { task, holder } => [3, pair(task.0, holder.0)],
        Fact::AwaitsContext { task, holder } => [4, pair(task.0, holder.0)],
        Fact::Decided { task, to } => [5, pair(task.0, to.0)],
        Fact::Conflict(task) => [6, u64::from(task.0)],
        Fact::Stale(task) => [7, u64::from(task.0)],
        Fact::Redelivered(task) => [8, u64::from(task.0)],
        Fact::Named(name, value) => {
            let mut digest = Fingerprint::default();
            for byte in name.bytes() {
                digest.word(u64::from(byte));
            }
            [9, digest.0 ^ value]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{NodeId, TaskId};

    fn digest(records: &[(u64, u64, Record)]) -> u64 {
        let mut fingerprint = Fingerprint::default();
        for (at, cause, record) in records {
            fingerprint.observe(Time::from_nanos(*at), EventId(*cause), record);
        }
        fingerprint.value()
    }

    #[test]
    fn time_cause_order_and_content_all_count() {
        let a = Record::Arrived { task: TaskId(1) };
        let b = Record::Up { node: NodeId(1) };
        let base = digest(&[(1, 1, a), (2, 2, b)]);
        assert_eq!(base, digest(&[(1, 1, a), (2, 2, b)]));
        for other in [
            digest(&[(2, 1, a), (2, 2, b)]),
            digest(&[(1, 2, a), (2, 2, b)]),
            digest(&[(2, 2, b), (1, 1, a)]),
            digest(&[(1, 1, Record::Arrived { task: TaskId(2) }), (2, 2, b)]),
            digest(&[(1, 1, a)]),
        ] {
            assert_ne!(base, other);
        }
    }
}
