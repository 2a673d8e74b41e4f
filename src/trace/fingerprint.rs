//! The digest of a run: a rolling 64-bit hash over every record with its time and cause.
//!
//! Two runs with equal fingerprints did the same things at the same times for the same reasons. It
//! detects accidents, not forgery: the mixing is a 128-bit multiply folded to 64 bits (the core step of
//! wyhash and its relatives), about 1 ns for two words.

use super::{Activity, Fact, Observer, Record, TaskId};
use crate::engine::{EventId, Time};

/// Folds records into a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    state: u64,
    /// Time and cause of the last record: those of one event share them, and they are folded in once.
    moment: (Time, EventId),
}

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint { state: 0x6A09_E667_F3BC_C908, moment: (Time::ZERO, EventId(0)) }
    }
}

impl Fingerprint {
    /// The digest so far.
    pub fn value(self) -> u64 {
        self.state
    }

    /// Folds in two words at once.
    #[inline(always)]
    fn pair(&mut self, one: u64, other: u64) {
        let product = u128::from(self.state ^ one) * u128::from(other ^ 0x9E37_79B9_7F4A_7C15);
        // Folding keeps the high half's avalanche; the constant keeps a zero product from being absorbing.
        self.state = (product as u64) ^ ((product >> 64) as u64) ^ 0xA54F_F53A_5F1D_36F1;
    }

    #[inline(always)]
    fn words(&mut self, words: &[u64]) {
        match *words {
            [one] => self.pair(one, 0),
            [one, two] => self.pair(one, two),
            [one, two, three] => {
                self.pair(one, two);
                self.pair(three, 0);
            }
            _ => unreachable!("a record is one to three words"),
        }
    }
}

impl Observer for Fingerprint {
    #[inline(always)]
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        if (at, cause) != self.moment {
            self.moment = (at, cause);
            self.pair(at.as_nanos(), cause.0);
        }
        words(record, |words| self.words(words));
    }
}

#[inline(always)]
fn pair(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}

/// The record as words: a tag and its variant's fields, each in bits of its own, so that two records with
/// the same words are the same. The tag says how many words follow.
#[inline(always)]
fn words(record: &Record, mut put: impl FnMut(&[u64])) {
    // A tag of 8 bits, up to 24 bits of small fields, and 32 of a larger one.
    let head = |tag: u64, small: u64, large: u32| (tag << 56) | (small << 32) | u64::from(large);
    match *record {
        Record::Up { node } => put(&[head(1, 0, node.0)]),
        Record::Down { node, why } => put(&[head(2, why as u64, node.0)]),
        Record::Speed { node, factor } => put(&[head(3, 0, node.0), u64::from(factor.to_bits())]),
        Record::Stalled { node, on } => put(&[head(4, u64::from(on), node.0)]),
        Record::CutOff { node, on } => put(&[head(5, u64::from(on), node.0)]),
        Record::Fault { index, on } => put(&[head(6, u64::from(on), index)]),
        Record::Arrived { task } => put(&[head(7, 0, task.0)]),
        Record::Submitted { task, to, attempt } => put(&[head(8, 0, task.0), pair(to.0, attempt)]),
        Record::Acknowledged { task, by } => put(&[head(9, 0, task.0), u64::from(by.0)]),
        Record::Began { node, plane, activity } => {
            put(&[head(10, plane as u64, node.0), activity_word(activity)]);
        }
        Record::Ceased { node, plane, activity } => {
            put(&[head(11, plane as u64, node.0), activity_word(activity)]);
        }
        Record::Started { execution, task, node } => put(&[head(12, 0, execution.0), pair(task.0, node.0)]),
        Record::Finished { execution, task, correct } => {
            put(&[head(13, u64::from(correct), execution.0), u64::from(task.0)])
        }
        Record::Fate { execution, fate } => put(&[head(14, fate as u64, execution.0)]),
        Record::Accepted { task, execution, correct } => {
            put(&[head(15, u64::from(correct), task.0), u64::from(execution.0)])
        }
        Record::DoubleSettle { task, execution } => put(&[head(16, 0, task.0), u64::from(execution.0)]),
        Record::Ended { task, how } => put(&[head(17, how as u64, task.0)]),
        Record::Sent { letter, from, to, kind, bytes, tokens } => {
            put(&[head(18, u64::from(kind), letter.0), pair(from.0, to.0), pair(bytes, tokens)])
        }
        Record::Delivered { letter, to, overtook } => {
            put(&[head(19, u64::from(overtook), letter.0), u64::from(to.0)])
        }
        Record::Dropped { letter, why } => put(&[head(20, why as u64, letter.0)]),
        Record::Handled { letter, node } => put(&[head(21, 0, letter.0), u64::from(node.0)]),
        Record::Wire { from, to, bytes } => put(&[head(22, 0, bytes), pair(from.0, to.0)]),
        Record::Noted { node, fact } => {
            let [kind, rest, more] = fact_words(fact);
            put(&[head(23, kind, node.0), rest, more]);
        }
        Record::Finish => put(&[head(24, 0, 0)]),
    }
}

#[inline(always)]
fn activity_word(activity: Activity) -> u64 {
    match activity {
        Activity::Executing(execution) => pair(1, execution.0),
        Activity::Verifying => pair(2, 0),
        Activity::Coordinating(phase) => pair(3, phase as u32),
    }
}

#[inline(always)]
fn fact_words(fact: Fact) -> [u64; 3] {
    let of = |kind: u64, task: TaskId| [kind, u64::from(task.0), 0];
    match fact {
        Fact::Queued(task) => of(1, task),
        Fact::Announced(task) => of(2, task),
        Fact::Claimed { task, holder } => [3, pair(task.0, holder.0), 0],
        Fact::AwaitsContext { task, holder } => [4, pair(task.0, holder.0), 0],
        Fact::Decided { task, to } => [5, pair(task.0, to.0), 0],
        Fact::Conflict(task) => of(6, task),
        Fact::Stale(task) => of(7, task),
        Fact::Redelivered(task) => of(8, task),
        Fact::Leased { task, holder, until } => [9, pair(task.0, holder.0), until.as_nanos()],
        Fact::Freed(task) => of(10, task),
        Fact::Leads { shard, term } => [11, u64::from(shard), term],
        Fact::Appended { offset } => [12, u64::from(offset), 0],
        Fact::Named(name, value) => {
            let mut digest = Fingerprint::default();
            name.bytes().for_each(|byte| digest.pair(u64::from(byte), 0));
            [13, digest.state, value]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{DownReason, DropReason, Ending, ExecutionId, Fate, LetterId, NodeId, Phase, Plane};

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

    /// Records of every variant, two by two different in one field alone.
    fn variants() -> Vec<Record> {
        let mut records = vec![Record::Finish];
        let (n, t, x, l) = (NodeId, TaskId, ExecutionId, LetterId);
        for i in 0..2 {
            let (on, correct, overtook) = (i == 1, i == 1, i == 1);
            let plane = [Plane::Harness, Plane::Cognition][i as usize];
            records.extend([
                Record::Up { node: n(i) },
                Record::Down { node: n(i), why: DownReason::Crash },
                Record::Down { node: n(i), why: DownReason::Pause },
                Record::Speed { node: n(i), factor: 1.0 },
                Record::Speed { node: n(i), factor: 0.5 },
                Record::Stalled { node: n(5), on },
                Record::CutOff { node: n(5), on },
                Record::Fault { index: 5, on },
                Record::Arrived { task: t(i) },
                Record::Submitted { task: t(i), to: n(0), attempt: 0 },
                Record::Submitted { task: t(5), to: n(i), attempt: 0 },
                Record::Submitted { task: t(5), to: n(5), attempt: i },
                Record::Acknowledged { task: t(i), by: n(5) },
                Record::Acknowledged { task: t(5), by: n(i) },
                Record::Began { node: n(i), plane: Plane::Harness, activity: Activity::Verifying },
                Record::Began { node: n(5), plane, activity: Activity::Verifying },
                Record::Began { node: n(5), plane, activity: Activity::Executing(x(i)) },
                Record::Began { node: n(i), plane, activity: Activity::Coordinating(Phase::ALL[2]) },
                Record::Began { node: n(i), plane, activity: Activity::Coordinating(Phase::ALL[3]) },
                Record::Ceased { node: n(5), plane, activity: Activity::Verifying },
                Record::Ceased { node: n(5), plane, activity: Activity::Executing(x(i)) },
                Record::Started { execution: x(i), task: t(5), node: n(5) },
                Record::Started { execution: x(5), task: t(i), node: n(5) },
                Record::Started { execution: x(5), task: t(5), node: n(i) },
                Record::Finished { execution: x(i), task: t(5), correct: false },
                Record::Finished { execution: x(5), task: t(i), correct: false },
                Record::Finished { execution: x(6), task: t(6), correct },
                Record::Fate { execution: x(i), fate: Fate::Useful },
                Record::Fate { execution: x(i), fate: Fate::Crash },
                Record::Accepted { task: t(i), execution: x(5), correct: false },
                Record::Accepted { task: t(5), execution: x(i), correct: false },
                Record::Accepted { task: t(6), execution: x(6), correct },
                Record::DoubleSettle { task: t(i), execution: x(5) },
                Record::DoubleSettle { task: t(5), execution: x(i) },
                Record::Ended { task: t(i), how: Ending::Failed },
                Record::Ended { task: t(i), how: Ending::Expired },
                Record::Delivered { letter: l(i), to: n(5), overtook },
                Record::Delivered { letter: l(5), to: n(i), overtook: false },
                Record::Dropped { letter: l(i), why: DropReason::Loss },
                Record::Dropped { letter: l(i), why: DropReason::Down },
                Record::Handled { letter: l(i), node: n(5) },
                Record::Handled { letter: l(5), node: n(i) },
                Record::Wire { from: n(i), to: n(5), bytes: 5 },
                Record::Wire { from: n(5), to: n(i), bytes: 5 },
                Record::Wire { from: n(6), to: n(6), bytes: i },
            ]);
            for field in 0..6 {
                let of = |number: u32| if number == field { i } else { 7 + field };
                let (from, to, kind) = (n(of(1)), n(of(2)), of(3) as u8);
                records.push(Record::Sent { letter: l(of(0)), from, to, kind, bytes: of(4), tokens: of(5) });
            }
            records.extend(facts(i).into_iter().map(|fact| Record::Noted { node: n(5), fact }));
            records.push(Record::Noted { node: n(i), fact: Fact::Conflict(t(9)) });
        }
        records
    }

    fn facts(i: u32) -> Vec<Fact> {
        let (task, other, node) = (TaskId(i), TaskId(5), NodeId(i));
        let until = Time::from_nanos(5);
        vec![
            Fact::Queued(task),
            Fact::Announced(task),
            Fact::Claimed { task, holder: NodeId(5) },
            Fact::Claimed { task: other, holder: node },
            Fact::AwaitsContext { task, holder: NodeId(5) },
            Fact::AwaitsContext { task: other, holder: node },
            Fact::Decided { task, to: NodeId(5) },
            Fact::Decided { task: other, to: node },
            Fact::Conflict(task),
            Fact::Stale(task),
            Fact::Redelivered(task),
            Fact::Leased { task, holder: NodeId(5), until },
            Fact::Leased { task: other, holder: node, until },
            Fact::Leased { task: other, holder: NodeId(5), until: Time::from_nanos(u64::from(i)) },
            Fact::Freed(task),
            Fact::Leads { shard: i, term: 5 },
            Fact::Leads { shard: 5, term: u64::from(i) },
            Fact::Appended { offset: i },
            Fact::Named(["this", "that"][i as usize], 5),
            Fact::Named("these", u64::from(i)),
        ]
    }

    /// Each field of each record is in the digest: no two of these records have the same.
    #[test]
    fn every_field_of_every_record_counts() {
        let records = variants();
        let mut digests: Vec<u64> = records.iter().map(|&record| digest(&[(1, 1, record)])).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), records.len(), "two records with one digest");
    }
}
