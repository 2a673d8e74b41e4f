//! Every observer of a measured run, and the way a record takes to those it concerns.
//!
//! `World` knows at each place where it emits a record which one it is. [`Observers::observe`] is inlined
//! there, so that the choice of the record is made by the compiler; behind it stands one function for each
//! frequent record. In that function the record is known, so of all the observers' `match`es only the arms
//! for it remain: each observer decides alone what concerns it, and nothing is asked at run time. A new
//! observer is one more field and one more line in `show`.

use std::sync::Arc;

use super::setup::Setup;
use super::world::RunEnd;
use crate::engine::{EventId, Time};
use crate::fault::Origin;
use crate::metrics::MetricSet;
use crate::metrics::availability::Availability;
use crate::metrics::decentralization::Decentralization;
use crate::metrics::inbox::Inboxes;
use crate::metrics::latency::Latency;
use crate::metrics::ledger::Ledger;
use crate::metrics::money::Money;
use crate::metrics::probes::Probes;
use crate::metrics::queue::Queue;
use crate::metrics::series::{Series, WINDOW};
use crate::metrics::tasks::TaskCounts;
use crate::metrics::traffic::Traffic;
use crate::metrics::turns::Turns;
use crate::trace::{
    Activity, ExecutionId, Fact, Fate, Fingerprint, LetterId, NodeId, Observer, Phase, Plane, Record, TaskId,
};

/// Every observer of a measured run.
pub(super) struct Observers {
    pub(super) fingerprint: Fingerprint,
    pub(super) ledger: Ledger,
    pub(super) latency: Latency,
    pub(super) counts: TaskCounts,
    pub(super) traffic: Traffic,
    deciders: Decentralization,
    pub(super) series: Series,
    money: Money,
    turns: Turns,
    pub(super) queue: Queue,
    pub(super) probes: Probes,
    inboxes: Inboxes,
    availability: Availability,
}

impl Observers {
    /// Observers of a run on `setup` whose messages are of these `kinds` and whose seats of authority are
    /// `authority`.
    pub(super) fn new(setup: &Setup, kinds: Vec<(&'static str, Phase)>, authority: &[NodeId]) -> Observers {
        let (fleet, tasks, faults) = (&setup.fleet, &setup.tasks, &setup.faults);
        let (warmup, horizon) = (setup.clock.warmup, setup.clock.horizon);
        // Recovery is asked of faults somebody scheduled, not of each of a thousand departures.
        let recovers: Vec<bool> =
            faults.entries.iter().map(|entry| entry.origin == Origin::Scheduled).collect();
        Observers {
            fingerprint: Fingerprint::default(),
            ledger: Ledger::new(Arc::clone(fleet), Arc::clone(tasks), warmup)
                .with_relay_servers(setup.relay.servers),
            latency: Latency::new(Arc::clone(tasks), fleet, warmup, horizon),
            counts: TaskCounts::new(tasks, warmup, horizon, setup.clock.end()),
            traffic: Traffic::new(fleet, kinds, warmup),
            deciders: Decentralization::new(tasks, fleet, warmup),
            series: Series::new(WINDOW, warmup, horizon, &recovers),
            money: Money::new(Arc::clone(fleet), Arc::clone(tasks)),
            turns: Turns::new(Arc::clone(tasks), setup.work.turn),
            queue: Queue::new(Arc::clone(tasks), warmup, horizon),
            probes: Probes::new(&setup.probes),
            inboxes: Inboxes::new(fleet, authority, warmup, horizon),
            availability: Availability::new(Arc::clone(fleet), Arc::clone(faults), warmup, horizon),
        }
    }

    /// Writes the columns of every observer that has some.
    pub(super) fn fill(&self, end: &RunEnd, metrics: &mut MetricSet) {
        self.ledger.report(metrics);
        self.latency.fill(metrics);
        self.counts.fill(metrics);
        self.traffic.fill(metrics);
        self.deciders.fill(metrics);
        self.series.fill(metrics);
        self.money.fill(metrics);
        self.turns.fill(metrics);
        self.queue.fill(metrics);
        self.inboxes.fill(&end.seats.authority, metrics);
        self.availability.fill(metrics);
    }

    #[inline(always)]
    fn show(&mut self, at: Time, cause: EventId, record: Record) {
        self.fingerprint.observe(at, cause, &record);
        self.ledger.observe(at, cause, &record);
        self.latency.observe(at, cause, &record);
        self.counts.observe(at, cause, &record);
        self.traffic.observe(at, cause, &record);
        self.deciders.observe(at, cause, &record);
        self.series.observe(at, cause, &record);
        self.money.observe(at, cause, &record);
        self.turns.observe(at, cause, &record);
        self.queue.observe(at, cause, &record);
        self.probes.observe(at, cause, &record);
        self.inboxes.observe(at, cause, &record);
        self.availability.observe(at, cause, &record);
    }
}

/// A function for each of these records, which shows it to all observers.
macro_rules! shown {
    ($($name:ident($($field:ident: $type:ty),*) => $record:expr;)*) => {
        impl Observers {
            $(
                #[inline(never)]
                #[allow(clippy::too_many_arguments, reason = "the fields of a record, as `World` knows them")]
                fn $name(&mut self, at: Time, cause: EventId, $($field: $type),*) {
                    self.show(at, cause, $record);
                }
            )*
        }
    };
}

shown! {
    arrived(task: TaskId) => Record::Arrived { task };
    submitted(task: TaskId, to: NodeId, attempt: u32) => Record::Submitted { task, to, attempt };
    acknowledged(task: TaskId, by: NodeId) => Record::Acknowledged { task, by };
    began(node: NodeId, plane: Plane, activity: Activity) => Record::Began { node, plane, activity };
    ceased(node: NodeId, plane: Plane, activity: Activity) => Record::Ceased { node, plane, activity };
    started(execution: ExecutionId, task: TaskId, node: NodeId) => Record::Started { execution, task, node };
    finished(execution: ExecutionId, task: TaskId, correct: bool) =>
        Record::Finished { execution, task, correct };
    fate(execution: ExecutionId, fate: Fate) => Record::Fate { execution, fate };
    accepted(task: TaskId, execution: ExecutionId, correct: bool) =>
        Record::Accepted { task, execution, correct };
    sent(letter: LetterId, from: NodeId, to: NodeId, kind: u8, bytes: u32, tokens: u32) =>
        Record::Sent { letter, from, to, kind, bytes, tokens };
    delivered(letter: LetterId, to: NodeId, overtook: bool) => Record::Delivered { letter, to, overtook };
    handled(letter: LetterId, node: NodeId) => Record::Handled { letter, node };
    queued(node: NodeId, task: TaskId) => Record::Noted { node, fact: Fact::Queued(task) };
    claimed(node: NodeId, task: TaskId, holder: NodeId) =>
        Record::Noted { node, fact: Fact::Claimed { task, holder } };
    awaits_context(node: NodeId, task: TaskId, holder: NodeId) =>
        Record::Noted { node, fact: Fact::AwaitsContext { task, holder } };
    decided(node: NodeId, task: TaskId, to: NodeId) =>
        Record::Noted { node, fact: Fact::Decided { task, to } };
    leased(node: NodeId, task: TaskId, holder: NodeId, until: Time) =>
        Record::Noted { node, fact: Fact::Leased { task, holder, until } };
    freed(node: NodeId, task: TaskId) => Record::Noted { node, fact: Fact::Freed(task) };
    // Whatever is rare finds its way at run time.
    other(record: &Record) => *record;
}

impl Observers {
    fn noted(&mut self, at: Time, cause: EventId, node: NodeId, fact: Fact) {
        match fact {
            Fact::Queued(task) => self.queued(at, cause, node, task),
            Fact::Claimed { task, holder } => self.claimed(at, cause, node, task, holder),
            Fact::AwaitsContext { task, holder } => self.awaits_context(at, cause, node, task, holder),
            Fact::Decided { task, to } => self.decided(at, cause, node, task, to),
            Fact::Leased { task, holder, until } => self.leased(at, cause, node, task, holder, until),
            Fact::Freed(task) => self.freed(at, cause, node, task),
            Fact::Announced(_)
            | Fact::Conflict(_)
            | Fact::Stale(_)
            | Fact::Redelivered(_)
            | Fact::Leads { .. }
            | Fact::Appended { .. }
            | Fact::Named(..) => self.other(at, cause, &Record::Noted { node, fact }),
        }
    }
}

impl Observer for Observers {
    #[inline(always)]
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        match *record {
            Record::Arrived { task } => self.arrived(at, cause, task),
            Record::Submitted { task, to, attempt } => self.submitted(at, cause, task, to, attempt),
            Record::Acknowledged { task, by } => self.acknowledged(at, cause, task, by),
            Record::Began { node, plane, activity } => self.began(at, cause, node, plane, activity),
            Record::Ceased { node, plane, activity } => self.ceased(at, cause, node, plane, activity),
            Record::Started { execution, task, node } => self.started(at, cause, execution, task, node),
            Record::Finished { execution, task, correct } => {
                self.finished(at, cause, execution, task, correct);
            }
            Record::Fate { execution, fate } => self.fate(at, cause, execution, fate),
            Record::Accepted { task, execution, correct } => {
                self.accepted(at, cause, task, execution, correct);
            }
            Record::Sent { letter, from, to, kind, bytes, tokens } => {
                self.sent(at, cause, letter, from, to, kind, bytes, tokens);
            }
            Record::Delivered { letter, to, overtook } => self.delivered(at, cause, letter, to, overtook),
            Record::Handled { letter, node } => self.handled(at, cause, letter, node),
            Record::Noted { node, fact } => self.noted(at, cause, node, fact),
            Record::Up { .. }
            | Record::Down { .. }
            | Record::Speed { .. }
            | Record::Stalled { .. }
            | Record::CutOff { .. }
            | Record::Fault { .. }
            | Record::DoubleSettle { .. }
            | Record::Ended { .. }
            | Record::Dropped { .. }
            | Record::Wire { .. }
            | Record::Finish => self.other(at, cause, record),
        }
    }

    #[inline]
    fn foresee(&self, node: NodeId) {
        self.ledger.foresee(node);
        self.traffic.foresee(node);
        self.inboxes.foresee(node);
    }

    #[inline]
    fn foresee_task(&self, task: TaskId) {
        self.ledger.foresee_task(task);
        self.latency.foresee_task(task);
        self.deciders.foresee_task(task);
        self.queue.foresee_task(task);
    }

    #[inline]
    fn foresee_execution(&self, execution: ExecutionId) {
        self.ledger.foresee_execution(execution);
        self.latency.foresee_execution(execution);
        self.deciders.foresee_execution(execution);
    }
}
