//! What is said: logical and wire messages, bytes, tokens, by phase and per correct task.
//!
//! *Logical* messages are those a pattern or the client protocol sends; *wire* messages are what a transport
//! adds (polls and their answers). Everything is counted from the warm-up cut to the end of the run, and "per
//! task" means per task correctly completed in that time: a pattern that answers nothing right has an
//! undefined cost per task, not a small one.
//!
//! The *branching factor* is messages sent by a handler of a message ÷ messages handled. Sustained at 1 or
//! above it is a storm: each message causes at least another.

use super::channels::Channels;
use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Time, prefetch_at};
use crate::stats::concentration::gini;
use crate::trace::{DropReason, NodeId, Observer, Phase, Record};
use crate::work::{Fleet, Role};

/// Columns this file fills.
pub const DEFS: &[MetricDef] = &[
    MetricDef::lower("messages", "messages", "logical messages sent"),
    MetricDef::lower("messages_handled", "messages", "logical messages whose handler ran"),
    MetricDef::lower("wire_messages", "messages", "messages of the transport: polls and their answers"),
    MetricDef::lower("message_bytes", "bytes", "bytes of logical messages"),
    MetricDef::lower("wire_bytes", "bytes", "bytes of wire messages"),
    MetricDef::lower("message_tokens", "tokens", "tokens in messages, as a model would read them"),
    MetricDef::lower("messages_per_task", "messages/task", "logical messages ÷ correct tasks"),
    MetricDef::lower("wire_messages_per_task", "messages/task", "wire messages ÷ correct tasks"),
    MetricDef::lower("bytes_per_task", "bytes/task", "(message_bytes + wire_bytes) ÷ correct tasks"),
    MetricDef::lower("tokens_per_task", "tokens/task", "message_tokens ÷ correct tasks"),
    MetricDef::lower(
        "messages_per_task_discovery",
        "messages/task",
        "logical messages that find out who is there",
    ),
    MetricDef::lower(
        "messages_per_task_assignment",
        "messages/task",
        "logical messages that give tasks to agents",
    ),
    MetricDef::lower(
        "messages_per_task_negotiation",
        "messages/task",
        "logical messages that agree who and what",
    ),
    MetricDef::lower(
        "messages_per_task_consensus",
        "messages/task",
        "logical messages that settle one value: claims",
    ),
    MetricDef::lower(
        "messages_per_task_synchronisation",
        "messages/task",
        "logical messages that keep views current",
    ),
    MetricDef::lower("messages_per_task_context", "messages/task", "logical messages that hand over context"),
    MetricDef::lower(
        "messages_per_task_recovery",
        "messages/task",
        "logical messages that repair after a fault",
    ),
    MetricDef::lower("dropped_loss", "messages", "messages lost on a link"),
    MetricDef::lower("dropped_partition", "messages", "messages between separated nodes"),
    MetricDef::lower("dropped_down", "messages", "messages whose receiver was down on arrival"),
    MetricDef::lower("dropped_crash", "messages", "messages lost in the inbox of a node that crashed"),
    MetricDef::lower("dropped_overflow", "messages", "messages that found the inbox full"),
    MetricDef::lower("dropped_silent", "messages", "messages a stalled sender never sent"),
    MetricDef::lower(
        "branching_factor",
        "1",
        "messages sent in handling a message ÷ messages handled; ≥ 1 is a storm",
    ),
    MetricDef::lower("channels", "pairs", "unordered pairs of different nodes with a logical message"),
    MetricDef::lower(
        "channels_share",
        "share",
        "channels ÷ n(n−1)/2, n = relays, clients and present agents",
    ),
    MetricDef::lower("messages_handled_gini", "1", "Gini of messages handled over relays and present agents"),
];

/// Column of each phase, in the order of [`Phase::ALL`].
const PER_PHASE: [&str; 7] = [
    "messages_per_task_discovery",
    "messages_per_task_assignment",
    "messages_per_task_negotiation",
    "messages_per_task_consensus",
    "messages_per_task_synchronisation",
    "messages_per_task_context",
    "messages_per_task_recovery",
];

/// Column of each reason, in the order of [`DropReason::ALL`].
const PER_REASON: [&str; 6] = [
    "dropped_loss",
    "dropped_partition",
    "dropped_down",
    "dropped_crash",
    "dropped_overflow",
    "dropped_silent",
];

/// Logical traffic of one kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindTraffic {
    /// Name of the kind.
    pub name: &'static str,
    /// What it is for.
    pub phase: Phase,
    /// Messages sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their tokens.
    pub tokens: u64,
}

/// Counts messages.
#[derive(Clone, Debug)]
pub struct Traffic {
    warmup: Time,
    kinds: Vec<KindTraffic>,
    /// Messages handled, by node.
    handled: Vec<u64>,
    /// Nodes among which concentration is measured: relays and present agents.
    ranked: Vec<NodeId>,
    nodes: u64,
    dropped: [u64; 6],
    wire: [u64; 2],
    channels: Channels,
    /// The event that last handled a message: what is sent in it was caused by that message.
    handling: Option<EventId>,
    caused: u64,
    correct: u64,
}

impl Traffic {
    /// Counts what nodes of `fleet` say from `warmup` on. `kinds` are (name, phase) by the number records
    /// carry: the client protocol's two, then the pattern's.
    pub fn new(fleet: &Fleet, kinds: Vec<(&'static str, Phase)>, warmup: Time) -> Traffic {
        let nodes = (0..fleet.len() as u32).map(NodeId);
        let takes_part = |node: &NodeId| fleet.profile(*node).is_none_or(|agent| agent.present);
        let empty = |(name, phase)| KindTraffic { name, phase, messages: 0, bytes: 0, tokens: 0 };
        Traffic {
            warmup,
            kinds: kinds.into_iter().map(empty).collect(),
            handled: vec![0; fleet.len()],
            ranked: nodes
                .clone()
                .filter(takes_part)
                .filter(|&node| fleet.role(node) != Role::Client)
                .collect(),
            nodes: nodes.filter(takes_part).count() as u64,
            dropped: [0; 6],
            wire: [0; 2],
            channels: Channels::new(),
            handling: None,
            caused: 0,
            correct: 0,
        }
    }

    /// Traffic of each kind, by number.
    pub fn kinds(&self) -> &[KindTraffic] {
        &self.kinds
    }

    /// Writes the columns of [`DEFS`].
    pub fn fill(&self, set: &mut MetricSet) {
        let total = |of: fn(&KindTraffic) -> u64| self.kinds.iter().map(of).sum::<u64>() as f64;
        let (messages, bytes, tokens) =
            (total(|kind| kind.messages), total(|kind| kind.bytes), total(|kind| kind.tokens));
        let handled: u64 = self.handled.iter().sum();
        let [wire_messages, wire_bytes] = self.wire.map(|count| count as f64);
        let correct = self.correct as f64;
        let per_task = |count: f64| if self.correct > 0 { count / correct } else { f64::NAN };
        set.set("messages", messages);
        set.set("messages_handled", handled as f64);
        set.set("wire_messages", wire_messages);
        set.set("message_bytes", bytes);
        set.set("wire_bytes", wire_bytes);
        set.set("message_tokens", tokens);
        set.set("messages_per_task", per_task(messages));
        set.set("wire_messages_per_task", per_task(wire_messages));
        set.set("bytes_per_task", per_task(bytes + wire_bytes));
        set.set("tokens_per_task", per_task(tokens));
        for (phase, name) in Phase::ALL.into_iter().zip(PER_PHASE) {
            let of_phase = self.kinds.iter().filter(|kind| kind.phase == phase);
            set.set(name, per_task(of_phase.map(|kind| kind.messages).sum::<u64>() as f64));
        }
        for (count, name) in self.dropped.into_iter().zip(PER_REASON) {
            set.set(name, count as f64);
        }
        set.set("branching_factor", self.caused as f64 / handled as f64);
        set.set("channels", self.channels.len() as f64);
        set.set("channels_share", self.channels.len() as f64 / (self.nodes * (self.nodes - 1) / 2) as f64);
        let ranked: Vec<f64> = self.ranked.iter().map(|node| self.handled[node.index()] as f64).collect();
        set.set("messages_handled_gini", gini(&ranked));
    }
}

impl Traffic {
    /// Asks for what records of `node` will touch.
    #[inline]
    pub(crate) fn foresee(&self, node: NodeId) {
        prefetch_at(&self.handled, node.index());
    }
}

impl Observer for Traffic {
    #[inline(always)]
    fn observe(&mut self, at: Time, cause: EventId, record: &Record) {
        if at < self.warmup {
            return;
        }
        match *record {
            Record::Sent { from, to, kind, bytes, tokens, .. } => {
                let kind = &mut self.kinds[usize::from(kind)];
                kind.messages += 1;
                kind.bytes += u64::from(bytes);
                kind.tokens += u64::from(tokens);
                self.caused += u64::from(self.handling == Some(cause));
                self.channels.insert(from, to);
            }
            Record::Finish => self.channels.settle(),
            Record::Handled { node, .. } => {
                self.handled[node.index()] += 1;
                self.handling = Some(cause);
            }
            Record::Dropped { why, .. } => self.dropped[why as usize] += 1,
            Record::Wire { bytes, .. } => {
                self.wire[0] += 1;
                self.wire[1] += u64::from(bytes);
            }
            Record::Accepted { correct, .. } => self.correct += u64::from(correct),
            Record::Up { .. }
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
            | Record::Started { .. }
            | Record::Finished { .. }
            | Record::Fate { .. }
            | Record::DoubleSettle { .. }
            | Record::Ended { .. }
            | Record::Delivered { .. }
            | Record::Noted { .. } => {}
        }
    }
}

// `Dropped` indexes by discriminant: the order of the columns is that of the variants.
const _: () = {
    let mut index = 0;
    while index < DropReason::ALL.len() {
        assert!(DropReason::ALL[index] as usize == index);
        index += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::{self, accepted};
    use crate::trace::LetterId;

    const KINDS: [(&str, Phase); 3] =
        [("submit", Phase::Assignment), ("acknowledge", Phase::Assignment), ("claim", Phase::Consensus)];

    fn sent(from: u32, to: u32, kind: u8, bytes: u32, tokens: u32) -> Record {
        Record::Sent { letter: LetterId(0), from: NodeId(from), to: NodeId(to), kind, bytes, tokens }
    }
    fn handled(node: u32) -> Record {
        Record::Handled { letter: LetterId(0), node: NodeId(node) }
    }
    fn dropped(why: DropReason) -> Record {
        Record::Dropped { letter: LetterId(0), why }
    }
    fn filled(traffic: &Traffic) -> MetricSet {
        let mut set = MetricSet::default();
        traffic.fill(&mut set);
        set
    }

    /// Nodes: relay 0, client 1, agents 2 and 3; agent 4 is absent.
    #[test]
    fn messages_bytes_and_tokens_are_per_correct_task_and_phase() {
        let fleet = sample::fleet(&[1.0, 1.0, 0.0]);
        let mut traffic = Traffic::new(&fleet, KINDS.to_vec(), Time::from_secs(5));
        sample::show(
            &mut traffic,
            &[
                (4, sent(2, 3, 2, 999, 999)),
                (4, accepted(9, 9, true)),
                (5, sent(1, 0, 0, 1000, 0)),
                (6, sent(0, 1, 1, 50, 0)),
                (7, sent(2, 0, 2, 25, 10)),
                (7, sent(2, 2, 2, 25, 10)),
                (8, Record::Wire { from: NodeId(3), to: NodeId(0), bytes: 40 }),
                (8, Record::Wire { from: NodeId(0), to: NodeId(3), bytes: 60 }),
                (9, accepted(0, 0, true)),
                (9, accepted(1, 1, true)),
                (9, accepted(2, 2, false)),
                (9, dropped(DropReason::Loss)),
                (9, dropped(DropReason::Silent)),
                (9, dropped(DropReason::Silent)),
            ],
        );
        let set = filled(&traffic);
        let expected = [
            ("messages", 4.0),
            ("wire_messages", 2.0),
            ("message_bytes", 1100.0),
            ("wire_bytes", 100.0),
            ("message_tokens", 20.0),
            ("messages_per_task", 2.0),
            ("wire_messages_per_task", 1.0),
            ("bytes_per_task", 600.0),
            ("tokens_per_task", 10.0),
            ("messages_per_task_assignment", 1.0),
            ("messages_per_task_consensus", 1.0),
            ("messages_per_task_context", 0.0),
            ("dropped_loss", 1.0),
            ("dropped_silent", 2.0),
            ("dropped_partition", 0.0),
            // 0–1 and 0–2, of the six pairs of four nodes that take part.
            ("channels", 2.0),
            ("channels_share", 2.0 / 6.0),
        ];
        for (name, value) in expected {
            assert_eq!(set.get(name), value, "{name}");
        }
        let claim = traffic.kinds()[2];
        assert_eq!((claim.name, claim.messages, claim.bytes, claim.tokens), ("claim", 2, 50, 20));
    }

    /// Event 1 handles a message and sends two; event 2 sends one on a timer; event 3 handles and is silent.
    #[test]
    fn branching_counts_what_the_handling_of_a_message_sent() {
        let mut traffic = Traffic::new(&sample::fleet(&[1.0]), KINDS.to_vec(), Time::ZERO);
        for (cause, record) in [
            (1, handled(0)),
            (1, sent(0, 2, 2, 1, 0)),
            (1, sent(0, 1, 1, 1, 0)),
            (2, sent(2, 0, 2, 1, 0)),
            (3, handled(2)),
        ] {
            traffic.observe(Time::from_secs(1), EventId(cause), &record);
        }
        let set = filled(&traffic);
        assert_eq!((set.get("branching_factor"), set.get("messages_handled")), (1.0, 2.0));
        // Over relay and agent; the client is nobody's coordinator.
        assert_eq!(set.get("messages_handled_gini"), 0.0);
        assert!(set.get("messages_per_task").is_nan());
    }

    #[test]
    fn a_hub_that_handles_everything_is_concentrated() {
        let mut traffic = Traffic::new(&sample::fleet(&[1.0; 9]), KINDS.to_vec(), Time::ZERO);
        let records: Vec<_> = (0..20).map(|second| (second, handled(0))).collect();
        sample::show(&mut traffic, &records);
        assert!((filled(&traffic).get("messages_handled_gini") - 0.9).abs() < 1e-12);
    }
}
