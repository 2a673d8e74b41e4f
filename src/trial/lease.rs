//! Leases: how long a dead holder blocks, and what staying the holder costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, exponential, mean};
use crate::engine::{Key, Rng, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::relay::{Claim, Claims};
use crate::trace::{NodeId, TaskId};

const HOLDER: NodeId = NodeId(0);
const TASK: TaskId = TaskId(0);

/// A holder that renews its lease until it crashes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaseBlock {
    /// How long a grant or a renewal lasts.
    pub lease: Span,
    /// Time between renewals, below `lease`; the crash is uniform in between.
    pub renew_every: Span,
    /// Crashes a replication. Default 10000.
    #[serde(default = "crashes")]
    pub crashes: u32,
}

fn crashes() -> u32 {
    10_000
}

impl LeaseBlock {
    /// Time \[s\] from the crash until the task is free, found by a rival who claims it then.
    fn blocked(&self, mut rng: Rng) -> f64 {
        let mut claims = Claims::default();
        let Claim::Granted { fence, .. } = claims.claim(Time::ZERO, HOLDER, TASK, Some(self.lease)) else {
            unreachable!("nobody else holds it")
        };
        let renewals = rng.below(4);
        let mut now = Time::ZERO;
        for _ in 0..renewals {
            now += self.renew_every;
            claims.renew(now, HOLDER, TASK, fence, self.lease).expect("it is renewed in time");
        }
        let crash = now + self.renew_every.mul_f64(rng.uniform());
        let free = claims.next_expiry().expect("the lease ends some time");
        let rival = claims.claim(free, NodeId(1), TASK, Some(self.lease));
        assert!(matches!(rival, Claim::Granted { new: true, .. }), "the task is free when the lease is over");
        free.since(crash).as_secs_f64()
    }
}

impl Trial for LeaseBlock {
    const NAME: &'static str = "lease_block";
    const ABOUT: &'static str = "how long the lease of a dead holder blocks: uniform on (L − renewal, L]";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("blocked_mean_s", "s", "crash of the holder to the end of its lease, mean"),
        MetricDef::lower("blocked_min_s", "s", "crash of the holder to the end of its lease, least"),
        MetricDef::lower("blocked_max_s", "s", "crash of the holder to the end of its lease, greatest"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("renew_every", self.renew_every.as_secs_f64())
            .holds(self.renew_every < self.lease, "renew_every", "the lease runs out first", "below `lease`")
            .at_least("crashes", self.crashes, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let blocked: Vec<f64> =
            (0..self.crashes).map(|crash| self.blocked(key.open(u64::from(crash), 0))).collect();
        let least = blocked.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = blocked.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        vec![mean(blocked), least, greatest]
    }
}

/// A client that reads at random instants and extends its lease when a read finds it over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaseTraffic {
    /// Reads a second, a Poisson process.
    pub reads_per_s: f64,
    /// How long a lease lasts; zero: every read asks.
    pub term: Span,
    /// Reads a replication. Default 10000.
    #[serde(default = "reads")]
    pub reads: u32,
}

fn reads() -> u32 {
    10_000
}

impl Trial for LeaseTraffic {
    const NAME: &'static str = "lease_traffic";
    const ABOUT: &'static str =
        "lease extensions of a reading client: 1/(1 + R·t) of reads (Gray and Cheriton 1989)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("extension_share", "share", "reads that extend the lease first ÷ reads"),
        MetricDef::lower("extensions_per_s", "1/s", "extensions ÷ time"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().positive("reads_per_s", self.reads_per_s).at_least("reads", self.reads, 1.0).done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mut rng, mut claims) = (key.open(0, 0), Claims::default());
        let (mut now, mut extensions) = (Time::ZERO, 0u64);
        for _ in 0..self.reads {
            now += Span::from_secs_f64(exponential(&mut rng) / self.reads_per_s);
            if claims.holder(now, TASK).is_none() {
                claims.claim(now, HOLDER, TASK, Some(self.term));
                extensions += 1;
            }
        }
        let extensions = extensions as f64;
        vec![extensions / f64::from(self.reads), extensions / now.as_secs_f64()]
    }
}
