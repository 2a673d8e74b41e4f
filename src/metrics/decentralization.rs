//! Who decides which agent gets a task, and how concentrated that is (model.md §3, trilemma).
//!
//! A decision belongs to the node that executed the *linearization point* of the accepted execution's claim
//! or award: a log relay, a coordinator, an awarding peer, or the worker itself. Patterns note it as
//! [`Fact::Decided`]; the latest note that names the executing agent counts. Where none does, the executing
//! agent is credited and `decisions_unattributed` says how often. Counted are tasks accepted from the warm-up
//! cut on; all nodes can decide, relays and clients included.

use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Time, prefetch_at};
use crate::stats::concentration::{effective_number, nakamoto, top_share};
use crate::trace::{ExecutionId, Fact, NodeId, Observer, Record, TaskId};
use crate::work::{Fleet, Tasks};

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::higher("deciders", "nodes", "nodes that decided at least one accepted execution"),
    MetricDef::lower("decider_top1_share", "share", "share of decisions taken by the node that took most"),
    MetricDef::higher(
        "decider_nakamoto",
        "nodes",
        "fewest nodes that together took more than half of the decisions (Srinivasan and Lee, 2017)",
    ),
    MetricDef::higher("decider_effective_number", "nodes", "1 ÷ Σ share² of decisions (1/HHI)"),
    MetricDef::neutral(
        "decisions_unattributed",
        "decisions",
        "accepted executions no node noted as decided; credited to the executing agent",
    ),
];

/// End of a list of notes.
const NONE: u32 = u32::MAX;
/// No node: the execution was never seen to start, or nobody noted anything.
const NOBODY: NodeId = NodeId(u32::MAX);

/// One note: `by` chose `to`.
#[derive(Clone, Copy, Debug)]
struct Note {
    to: NodeId,
    by: NodeId,
    /// The note of the same task before this one, in `earlier`.
    before: u32,
}

/// Credits decisions to nodes.
#[derive(Clone, Debug)]
pub struct Decentralization {
    warmup: Time,
    /// Latest note of each task.
    latest: Vec<Note>,
    /// Notes that are the latest no longer: few, as most tasks are decided once.
    earlier: Vec<Note>,
    /// Who runs each execution.
    executor: Vec<NodeId>,
    decisions: Vec<u64>,
    unattributed: u64,
}

impl Decentralization {
    /// Credits the decisions behind `tasks` accepted from `warmup` on to the nodes of `fleet`.
    pub fn new(tasks: &Tasks, fleet: &Fleet, warmup: Time) -> Decentralization {
        let count = tasks.len();
        Decentralization {
            warmup,
            latest: vec![Note { to: NOBODY, by: NOBODY, before: NONE }; count],
            earlier: Vec::new(),
            executor: Vec::with_capacity(count + count / 4),
            decisions: vec![0; fleet.len()],
            unattributed: 0,
        }
    }

    /// Decisions by node.
    pub fn decisions(&self) -> &[u64] {
        &self.decisions
    }

    /// Writes the columns of [`DEFS`]; without a decision the shares are undefined.
    pub fn fill(&self, set: &mut MetricSet) {
        let decisions: Vec<f64> = self.decisions.iter().map(|&count| count as f64).collect();
        let deciders = decisions.iter().filter(|count| **count > 0.0).count();
        set.set("deciders", deciders as f64);
        set.set("decider_top1_share", top_share(&decisions, 1));
        if deciders > 0 {
            set.set("decider_nakamoto", nakamoto(&decisions, 0.5) as f64);
        }
        set.set("decider_effective_number", effective_number(&decisions));
        set.set("decisions_unattributed", self.unattributed as f64);
    }

    fn decided(&mut self, task: TaskId, to: NodeId, by: NodeId) {
        let latest = &mut self.latest[task.index()];
        let mut before = NONE;
        if latest.to != NOBODY {
            before = self.earlier.len() as u32;
            self.earlier.push(*latest);
        }
        *latest = Note { to, by, before };
    }

    fn starts(&mut self, execution: ExecutionId, node: NodeId) {
        if self.executor.len() <= execution.index() {
            self.executor.resize(execution.index() + 1, NOBODY);
        }
        self.executor[execution.index()] = node;
    }

    fn accepted(&mut self, task: TaskId, execution: ExecutionId) {
        let Some(&executor) = self.executor.get(execution.index()) else { return };
        if executor == NOBODY {
            return;
        }
        let mut note = self.latest[task.index()];
        loop {
            if note.to == executor {
                self.decisions[note.by.index()] += 1;
                return;
            }
            match self.earlier.get(note.before as usize) {
                Some(&before) => note = before,
                None => break,
            }
        }
        self.decisions[executor.index()] += 1;
        self.unattributed += 1;
    }
}

impl Decentralization {
    /// Asks for what records of `task` will touch.
    #[inline]
    pub(crate) fn foresee_task(&self, task: TaskId) {
        prefetch_at(&self.latest, task.index());
    }

    /// Asks for what the end of `execution` will touch.
    #[inline]
    pub(crate) fn foresee_execution(&self, execution: ExecutionId) {
        prefetch_at(&self.executor, execution.index());
    }
}

impl Observer for Decentralization {
    #[inline(always)]
    fn observe(&mut self, at: Time, _: EventId, record: &Record) {
        match *record {
            Record::Noted { node, fact: Fact::Decided { task, to } } => self.decided(task, to, node),
            Record::Started { execution, node, .. } => self.starts(execution, node),
            Record::Accepted { task, execution, .. } if at >= self.warmup => self.accepted(task, execution),
            Record::Accepted { .. }
            | Record::Noted { .. }
            | Record::Up { .. }
            | Record::Down { .. }
            | Record::Speed { .. }
            | Record::Stalled { .. }
            | Record::CutOff { .. }
            | Record::Fault { .. }
            | Record::Arrived { .. }
            | Record::Submitted { .. }
            | Record::Acknowledged { .. }
            | Record::Began { .. }
            | Record::Ceased { .. }
            | Record::Finished { .. }
            | Record::Fate { .. }
            | Record::DoubleSettle { .. }
            | Record::Ended { .. }
            | Record::Sent { .. }
            | Record::Delivered { .. }
            | Record::Dropped { .. }
            | Record::Handled { .. }
            | Record::Wire { .. }
            | Record::Finish => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::{self, accepted, noted, started};

    fn decided(by: u32, task: u32, to: u32) -> Record {
        noted(by, Fact::Decided { task: TaskId(task), to: NodeId(to) })
    }

    fn observed(tasks: usize, warmup: u64, records: &[(u64, Record)]) -> (Decentralization, MetricSet) {
        let tasks = sample::tasks(&vec![(0, 1); tasks]);
        let warmup = Time::from_secs(warmup);
        let mut metric = Decentralization::new(&tasks, &sample::fleet(&[1.0; 4]), warmup);
        sample::show(&mut metric, records);
        let mut set = MetricSet::default();
        metric.fill(&mut set);
        (metric, set)
    }

    /// Task 0: relay 0 chose agent 2, then agent 3, then peer 5 chose agent 2 again; agent 2 was accepted.
    #[test]
    fn the_latest_note_that_names_the_executor_counts() {
        let records = [
            (1, decided(0, 0, 2)),
            (2, decided(0, 0, 3)),
            (3, decided(5, 0, 2)),
            (4, started(0, 0, 3)),
            (4, started(1, 0, 2)),
            (5, accepted(0, 1, true)),
            // Task 1 was given to agent 4, but agent 3 did it on its own account.
            (6, decided(0, 1, 4)),
            (7, started(2, 1, 3)),
            (8, accepted(1, 2, false)),
        ];
        let (metric, set) = observed(2, 0, &records);
        assert_eq!(metric.decisions(), [0, 0, 0, 1, 0, 1]);
        assert_eq!((set.get("decisions_unattributed"), set.get("deciders")), (1.0, 2.0));
    }

    #[test]
    fn a_relay_that_decides_all_but_one_is_the_hub() {
        let mut records = vec![(0, decided(0, 0, 2)), (0, started(0, 0, 2)), (1, accepted(0, 0, true))];
        for task in 1..5 {
            let by = if task == 4 { 2 } else { 0 };
            records.push((2, decided(by, task, 3)));
            records.push((3, started(task, task, 3)));
            records.push((4, accepted(task, task, true)));
        }
        // Task 0 falls before the warm-up cut: relay 3 of 4, agent 1 of 4.
        let (_, set) = observed(5, 2, &records);
        let expected = [
            ("deciders", 2.0),
            ("decider_top1_share", 0.75),
            ("decider_nakamoto", 1.0),
            ("decider_effective_number", 1.6),
            ("decisions_unattributed", 0.0),
        ];
        for (name, value) in expected {
            assert_eq!(set.get(name), value, "{name}");
        }
    }

    #[test]
    fn without_decisions_shares_are_undefined() {
        let (_, set) = observed(1, 0, &[(1, decided(0, 0, 2))]);
        assert_eq!(set.get("deciders"), 0.0);
        assert!(set.get("decider_top1_share").is_nan() && set.get("decider_nakamoto").is_nan());
    }
}
