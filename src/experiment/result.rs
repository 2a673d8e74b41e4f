//! What a comparison yields. Plain data that reports render.

use std::sync::Arc;

use super::judge::Judged;
use super::paired::PairedRow;
use crate::fault::FaultPlan;
use crate::metrics::histogram::SojournHistogram;
use crate::metrics::queue::ClassNumbers;
use crate::metrics::series::RunSeries;
use crate::metrics::traffic::KindTraffic;
use crate::metrics::{self, MetricSet};
use crate::sim::{Firing, Outcome, PatternDef};
use crate::stats::LEVEL;
use crate::stats::interval::Interval;
use crate::stats::paired::{RatioData, jackknife_ratio};
use crate::stats::summary::Summary;

/// One run of one pattern.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which replication.
    pub replication: u32,
    /// Digest of everything that happened.
    pub fingerprint: u64,
    /// Every metric.
    pub metrics: MetricSet,
    /// Counts by window.
    pub series: RunSeries,
    /// What became of each entry of the replication's fault plan.
    pub firing: Vec<Firing>,
    /// Numbers of each class of tasks.
    pub classes: Vec<ClassNumbers>,
    /// Tasks present at the instants that expectations ask for.
    pub probes: Vec<f64>,
}

impl Run {
    /// What a comparison keeps of an outcome.
    pub(super) fn of(replication: u32, outcome: Outcome) -> Run {
        Run {
            replication,
            fingerprint: outcome.fingerprint,
            metrics: outcome.metrics,
            series: outcome.series,
            firing: outcome.end.firing,
            classes: outcome.classes,
            probes: outcome.probes,
        }
    }
}

/// All runs of one pattern.
#[derive(Clone, Debug)]
pub struct PatternResult {
    /// The pattern.
    pub def: PatternDef,
    /// Its runs, by replication.
    pub runs: Vec<Run>,
    /// Sojourn times pooled over replications.
    pub sojourns: SojournHistogram,
    /// Messages by kind, summed over replications.
    pub kinds: Vec<KindTraffic>,
}

impl PatternResult {
    pub(super) fn new(def: PatternDef) -> PatternResult {
        PatternResult { def, runs: Vec::new(), sojourns: SojournHistogram::new(), kinds: Vec::new() }
    }

    pub(super) fn push(&mut self, replication: u32, mut outcome: Outcome) {
        self.sojourns.merge(&outcome.sojourns);
        if self.kinds.is_empty() {
            self.kinds = std::mem::take(&mut outcome.kinds);
        } else {
            for (sum, kind) in self.kinds.iter_mut().zip(&outcome.kinds) {
                sum.messages += kind.messages;
                sum.bytes += kind.bytes;
                sum.tokens += kind.tokens;
            }
        }
        self.runs.push(Run::of(replication, outcome));
    }

    /// Values of a metric, by replication. Panics if no metric has this name.
    pub fn values(&self, metric: &str) -> Vec<f64> {
        let position = metrics::position(metric).unwrap_or_else(|| panic!("no metric is called `{metric}`"));
        self.runs.iter().map(|run| run.metrics.values()[position]).collect()
    }

    /// Mean and 95 % interval of a metric: Student t over replications; for taxes the jackknifed ratio of
    /// sums, so that a replication counts by its work.
    pub fn summary(&self, metric: &str) -> Interval {
        if let Some((overhead, useful)) = self.tax_parts(metric) {
            let engaged: Vec<f64> = overhead.iter().zip(&useful).map(|(o, u)| o + u).collect();
            return jackknife_ratio(RatioData { numerator: &overhead, denominator: &engaged }, LEVEL);
        }
        let Summary { n, skipped, mean, low, high, .. } = Summary::of(&self.values(metric));
        Interval { n, skipped, estimate: mean, low, high }
    }

    /// Overhead and the rest of engaged capacity behind the taxes, by replication: `tax_full`, `tax_agents`
    /// and each kind, so that the kinds add up to `tax_full`. Of no runs, two empty lists.
    pub(super) fn tax_parts(&self, metric: &str) -> Option<(Vec<f64>, Vec<f64>)> {
        self.runs
            .iter()
            .map(|run| tax_parts(&run.metrics, metric))
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.into_iter().unzip())
    }

    /// Whether the backlog grows: the 95 % interval of its slope lies above 0 (over replications, or over
    /// batches of the run where there is only one), and it grows by a share of what arrives that matters.
    /// Latencies of an unstable system are artefacts of the horizon (model.md §7).
    pub fn unstable(&self) -> bool {
        let slope = self.summary("backlog_slope_per_s");
        let low = if slope.n > 1 { slope.low } else { self.summary("backlog_slope_low_per_s").estimate };
        low > 0.0 && slope.estimate > MATERIAL_GROWTH * self.arrivals_per_s()
    }

    /// Arrivals a second in [warm-up, horizon], over all replications.
    fn arrivals_per_s(&self) -> f64 {
        let (mut arrived, mut seconds) = (0.0, 0.0);
        for run in &self.runs {
            let measured = run.series.measured();
            seconds += measured.len() as f64 * run.series.window.as_secs_f64();
            let windows = measured.filter_map(|window| run.series.windows.get(window));
            arrived += windows.map(|window| f64::from(window.arrived)).sum::<f64>();
        }
        if seconds > 0.0 { arrived / seconds } else { 0.0 }
    }
}

/// Overhead and the rest of engaged capacity behind a tax in one run; `None` if `metric` is no tax.
pub(super) fn tax_parts(metrics: &MetricSet, metric: &str) -> Option<(f64, f64)> {
    let of = |metric: &str| metrics.get(metric);
    match metric {
        "tax_full" => Some((of("useful_capacity_s") * of("overhead_ratio"), of("useful_capacity_s"))),
        "tax_agents" => {
            let (useful, nodes) = (of("useful_capacity_s"), of("infrastructure_capacity_s"));
            Some((useful * of("overhead_ratio") - nodes, useful))
        }
        "tax_search"
        | "tax_synchronisation"
        | "tax_context"
        | "tax_duplication"
        | "tax_trust"
        | "tax_recovery"
        | "tax_other"
        | "tax_infrastructure" => {
            let engaged = of("useful_capacity_s") * (1.0 + of("overhead_ratio"));
            let share = of(metric);
            Some((engaged * share, engaged * (1.0 - share)))
        }
        _ => None,
    }
}

/// A backlog that gains less than this share of the arrivals is not called unstable: tasks lost to faults
/// stay in it for ever, and a fault in the second half of a run tilts it.
const MATERIAL_GROWTH: f64 = 0.05;

/// Everything a comparison found.
#[derive(Debug)]
pub struct Comparison {
    /// Name of the scenario.
    pub scenario: String,
    /// Master seed.
    pub seed: u64,
    /// Replications asked for: those of the file, and more where an expectation asked for more.
    pub replications: u32,
    /// Replications completed by every pattern: all results are over these.
    pub completed: u32,
    /// One for each pattern compared, in the order asked for.
    pub patterns: Vec<PatternResult>,
    /// The oracle without faults, on the same replications: the reference of the trilemma.
    pub reference: PatternResult,
    /// The same patterns without faults, if asked for.
    pub fault_free: Vec<PatternResult>,
    /// Differences between patterns.
    pub paired: Vec<PairedRow>,
    /// The fault plan of each replication.
    pub plans: Vec<Arc<FaultPlan>>,
    /// Pairs of replications of one pattern that came out bit-equal though they should differ.
    pub repeats: Vec<(String, u32, u32)>,
    /// What the scenario expects of the patterns compared. Expectations about others are not among them.
    pub judged: Vec<Judged>,
}

impl Comparison {
    /// The result of the pattern called `name`.
    pub fn pattern(&self, name: &str) -> Option<&PatternResult> {
        self.patterns.iter().find(|pattern| pattern.def.name == name)
    }
    /// Whether every run asked for was done.
    pub fn is_complete(&self) -> bool {
        self.completed == self.replications
    }
}
