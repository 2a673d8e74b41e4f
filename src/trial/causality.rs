//! Clocks and replicas: what metadata weigh, what a read may miss, what must be merged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, distinct, exponential, mean, share};
use crate::engine::Key;
use crate::error::Problems;
use crate::mechanism::clock::{Causality, DottedVersion, Lamport, VectorClock};
use crate::metrics::MetricDef;
use crate::trace::NodeId;

fn rounds() -> u32 {
    10_000
}

/// Every node writes and tells the next, twice round, so that all is known everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockBytes {
    /// Nodes that write.
    pub nodes: u32,
}

impl Trial for ClockBytes {
    const NAME: &'static str = "clock_bytes";
    const ABOUT: &'static str = "bytes a message carries for its place in causal order (Charron-Bost 1991)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("lamport_bytes", "B", "Lamport clock: a counter of 8 bytes"),
        MetricDef::lower("vector_bytes", "B", "vector clock: 16 bytes for each node known to have written"),
        MetricDef::lower("dotted_bytes", "B", "dotted version: a vector clock and one entry more"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().at_least("nodes", self.nodes, 1.0).done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let (mut lamport, mut vector) = (Lamport::default(), VectorClock::default());
        for node in (0..2 * self.nodes).map(|turn| NodeId(turn % self.nodes)) {
            let sent = lamport.tick();
            vector.tick(node);
            lamport.receive(sent);
        }
        let version = DottedVersion::new(NodeId(0), &vector, vector.clone());
        [lamport.wire_bytes(), vector.wire_bytes(), version.wire_bytes()].map(|bytes| bytes as f64).to_vec()
    }
}

/// Writes to some replicas, chosen each time, and reads from some; nothing spreads by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StaleReads {
    /// Replicas, N.
    pub replicas: u32,
    /// Replicas a read asks, R; the newest answer counts.
    pub read_quorum: u32,
    /// Replicas a write reaches, W.
    pub write_quorum: u32,
    /// A read is good if it returns one of this many latest versions, k.
    pub versions: u32,
    /// Reads a replication, each after one more write. Default 10000.
    #[serde(default = "rounds")]
    pub reads: u32,
}

impl Trial for StaleReads {
    const NAME: &'static str = "stale_reads";
    const ABOUT: &'static str =
        "partial quorums: reads within k versions, 1 − (C(N−W,R)/C(N,R))^k (Bailis 2012)";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::higher("fresh_share", "share", "reads that return one of the latest versions ÷ reads")];

    fn check(&self) -> Result<(), Problems> {
        let fits = |quorum| (1..=self.replicas).contains(&quorum);
        Limits::new()
            .at_least("replicas", self.replicas, 1.0)
            .holds(fits(self.read_quorum), "read_quorum", "no such quorum", "1 to `replicas`")
            .holds(fits(self.write_quorum), "write_quorum", "no such quorum", "1 to `replicas`")
            .at_least("versions", self.versions, 1.0)
            .at_least("reads", self.reads, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut stored = vec![0; self.replicas as usize];
        let mut latest = 0;
        let mut write = |stored: &mut Vec<u32>| {
            latest += 1;
            let mut rng = key.open(0, u64::from(latest));
            for replica in distinct(&mut rng, self.replicas, self.write_quorum) {
                stored[replica as usize] = latest;
            }
            latest
        };
        // As many writes first as count as fresh: a replica never written is then stale.
        for _ in 1..self.versions {
            write(&mut stored);
        }
        vec![share(self.reads, |read| {
            let latest = write(&mut stored);
            let asked = distinct(&mut key.open(1, u64::from(read)), self.replicas, self.read_quorum);
            let newest = asked.into_iter().map(|replica| stored[replica as usize]).max().unwrap_or(0);
            latest - newest < self.versions
        })]
    }
}

/// Replicas that write on their own and learn of each other at every sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Siblings {
    /// Replicas.
    pub replicas: u32,
    /// Writes between two syncs of all replicas together, mean of a Poisson law.
    pub writes: f64,
    /// Syncs a replication. Default 10000.
    #[serde(default = "rounds")]
    pub syncs: u32,
}

impl Trial for Siblings {
    const NAME: &'static str = "siblings";
    const ABOUT: &'static str = "versions to merge when replicas that wrote on their own sync (Poisson)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("several_writes_share", "share", "syncs after two writes or more ÷ syncs"),
        MetricDef::lower("conflict_share", "share", "syncs that find concurrent versions ÷ syncs"),
        MetricDef::lower("versions_mean", "versions", "versions a sync finds that none other replaces, mean"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("replicas", self.replicas, 1.0)
            .positive("writes", self.writes)
            .at_least("syncs", self.syncs, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut known = VectorClock::default();
        let (mut several, mut conflicts, mut versions) = (0u32, 0u32, Vec::new());
        for sync in 0..self.syncs {
            let mut rng = key.open(u64::from(sync), 0);
            let mut replicas = vec![known.clone(); self.replicas as usize];
            let (mut writes, mut at) = (0, exponential(&mut rng));
            while at < self.writes {
                let replica = rng.below(self.replicas);
                replicas[replica as usize].tick(NodeId(replica));
                writes += 1;
                at += exponential(&mut rng);
            }
            // What another covers is no version of its own; of equal ones the first stands for all.
            let replaced = |place: usize, one: &VectorClock| {
                replicas.iter().enumerate().any(|(other, clock)| match one.compare(clock) {
                    Causality::Before => true,
                    Causality::Equal => other < place,
                    Causality::After | Causality::Concurrent => false,
                })
            };
            let current = replicas.iter().enumerate().filter(|(place, one)| !replaced(*place, one)).count();
            several += u32::from(writes >= 2);
            conflicts += u32::from(current >= 2);
            versions.push(current as f64);
            replicas.iter().for_each(|clock| known.merge(clock));
        }
        let syncs = f64::from(self.syncs);
        vec![f64::from(several) / syncs, f64::from(conflicts) / syncs, mean(versions)]
    }
}
