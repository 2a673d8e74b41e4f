//! Spreading work: probes of busy workers, owners on a ring, the slowest of many.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, share};
use crate::engine::{Dist, Key, Rng};
use crate::error::Problems;
use crate::mechanism::Ring;
use crate::metrics::MetricDef;
use crate::trace::NodeId;

fn rounds() -> u32 {
    100_000
}

/// A job of several tasks meets workers each of which is busy on its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeSampling {
    /// Tasks of a job.
    pub tasks: u32,
    /// Workers probed for each task.
    pub probes: u32,
    /// How likely a worker is busy.
    pub busy: f64,
    /// Jobs a replication. Default 100000.
    #[serde(default = "rounds")]
    pub jobs: u32,
}

impl ProbeSampling {
    fn idle(&self, rng: &mut Rng) -> bool {
        !rng.chance(self.busy)
    }
    /// Whether one of `probes` workers is idle, for each of the tasks.
    fn each_task(&self, rng: &mut Rng, probes: u32) -> bool {
        (0..self.tasks).all(|_| (0..probes).any(|_| self.idle(rng)))
    }
    /// Whether so many of all workers probed are idle as there are tasks.
    fn all_together(&self, rng: &mut Rng) -> bool {
        let probed = u64::from(self.tasks) * u64::from(self.probes);
        (0..probed).filter(|_| self.idle(rng)).count() >= self.tasks as usize
    }
}

impl Trial for ProbeSampling {
    const NAME: &'static str = "probe_sampling";
    const ABOUT: &'static str =
        "jobs that find all the idle workers they need: probing by task and by job (Sparrow 2013)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("no_wait_random", "share", "jobs without a busy worker, one drawn for each task"),
        MetricDef::higher("no_wait_per_task", "share", "… the best of the probes of each task"),
        MetricDef::higher("no_wait_batch", "share", "… the best of the probes of all tasks together"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("tasks", self.tasks, 1.0)
            .at_least("probes", self.probes, 1.0)
            .probability("busy", self.busy)
            .at_least("jobs", self.jobs, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let random = share(self.jobs, |job| self.each_task(&mut key.open(0, u64::from(job)), 1));
        let per_task = share(self.jobs, |job| self.each_task(&mut key.open(1, u64::from(job)), self.probes));
        let batch = share(self.jobs, |job| self.all_together(&mut key.open(2, u64::from(job))));
        vec![random, per_task, batch]
    }
}

/// Owners on a consistent-hash ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RingShares {
    /// Owners.
    pub owners: u32,
    /// Points of each on the ring.
    pub points: u32,
}

impl Trial for RingShares {
    const NAME: &'static str = "ring_shares";
    const ABOUT: &'static str = "how evenly a consistent-hash ring divides keys: shares are Beta(r, (n−1)r)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("share_scv", "", "variance of the owners' shares ÷ square of their mean"),
        MetricDef::lower("share_cv", "", "standard deviation of the owners' shares ÷ their mean"),
        MetricDef::higher("share_p005", "", "0.5 % quantile of the owners' shares ÷ their mean"),
        MetricDef::lower("share_p995", "", "99.5 % quantile of the owners' shares ÷ their mean"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new().at_least("owners", self.owners, 1.0).at_least("points", self.points, 1.0).done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        // A ring follows from the ids of its nodes, so that another ring needs other nodes.
        let first = key.open(0, 0).below(u32::MAX - self.owners);
        let ring = Ring::new((first..first + self.owners).map(NodeId), self.points);
        let mean = 1.0 / f64::from(self.owners);
        let mut shares: Vec<f64> = ring.shares().into_values().map(|share| share / mean).collect();
        shares.sort_by(f64::total_cmp);
        let squares: f64 = shares.iter().map(|share| (share - 1.0) * (share - 1.0)).sum();
        let scv = squares / f64::from(self.owners);
        let quantile = |p: f64| shares[(p * (f64::from(self.owners) - 1.0)).round() as usize];
        vec![scv, libm::sqrt(scv), quantile(0.005), quantile(0.995)]
    }
}

/// A request that waits for all of many parts, each of which is slow now and then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TailAtScale {
    /// Parts a request waits for.
    pub parts: u32,
    /// Copies asked for each part; the first answer counts. Default 1.
    #[serde(default = "one")]
    pub copies: u32,
    /// How long an answer takes.
    pub latency: Dist,
    /// A latency that only this share of answers exceeds is slow.
    pub slow_share: f64,
    /// Requests a replication. Default 10000.
    #[serde(default = "requests")]
    pub requests: u32,
}

fn one() -> u32 {
    1
}

fn requests() -> u32 {
    10_000
}

impl Trial for TailAtScale {
    const NAME: &'static str = "tail_at_scale";
    const ABOUT: &'static str =
        "requests that wait for a slow part: 1 − (1 − p^copies)^parts (Dean, Barroso 2013)";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::lower("slow_request_share", "share", "requests with a slow part ÷ requests")];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("parts", self.parts, 1.0)
            .at_least("copies", self.copies, 1.0)
            .law("latency", &self.latency)
            .probability("slow_share", self.slow_share)
            .at_least("requests", self.requests, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let law = self.latency.law().expect("the parameters were checked");
        let limit = law.quantile(1.0 - self.slow_share);
        vec![share(self.requests, |request| {
            let mut rng = key.open(u64::from(request), 0);
            (0..self.parts).any(|_| (0..self.copies).all(|_| law.sample(&mut rng) > limit))
        })]
    }
}
