//! Differences between patterns on identical replications, and the verdicts they allow (model.md §5).

use super::result::{PatternResult, Run};
use crate::metrics::series::availability;
use crate::stats::LEVEL;
use crate::stats::holm::holm;
use crate::stats::interval::t_interval;
use crate::stats::paired::{
    Paired, RatioData, jackknife_ratio_difference, paired_difference, paired_log_ratio,
};

/// The endpoints that carry verdicts; everything else is descriptive.
pub const PRIMARY: [&str; 3] = ["tax_full", "price", "goodput_per_s"];

/// What `against` says where a pattern is compared with the oracle without faults.
pub const REFERENCE: &str = "ideal_fault_free";

/// Descriptive metrics that are compared pattern against pattern.
const DESCRIPTIVE: [&str; 9] = [
    "tax_agents",
    "decision_latency_p50_s",
    "decision_latency_p99_s",
    "sojourn_mean_s",
    "sojourn_p99_s",
    "messages_per_task",
    "money_per_correct_task",
    "decider_top1_share",
    "tasks_lost",
];

/// How two patterns are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// pattern − against.
    Difference,
    /// pattern ÷ against.
    Ratio,
    /// The pattern's own value, on the replications it shares with the reference.
    Value,
}

impl Scale {
    /// The name used in `paired.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Difference => "difference",
            Scale::Ratio => "ratio",
            Scale::Value => "value",
        }
    }
}

/// What a primary endpoint allows to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pattern is better.
    Better,
    /// The pattern is worse.
    Worse,
    /// The interval, corrected for the number of pairs, does not exclude equality.
    Undecided,
}

impl Verdict {
    /// The name used in `paired.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Undecided => "undecided",
        }
    }
}

/// One row of `paired.csv`.
#[derive(Clone, Debug)]
pub struct PairedRow {
    /// The metric.
    pub metric: &'static str,
    /// The pattern.
    pub pattern: &'static str,
    /// The other pattern, or [`REFERENCE`].
    pub against: &'static str,
    /// Whether estimate and interval are a difference, a ratio or a value.
    pub scale: Scale,
    /// Estimate, interval, correlation achieved, two-sided p.
    pub paired: Paired,
    /// p after Holm's correction over pattern pairs; primary endpoints only.
    pub p_holm: Option<f64>,
    /// Primary endpoints only.
    pub verdict: Option<Verdict>,
}

/// All rows, primary endpoints first.
pub(super) fn paired_rows(patterns: &[PatternResult], reference: &PatternResult) -> Vec<PairedRow> {
    let mut rows = Vec::new();
    for metric in PRIMARY {
        rows.extend(with_verdicts(pairs(patterns, metric), metric));
    }
    for metric in DESCRIPTIVE {
        rows.extend(pairs(patterns, metric));
    }
    for pattern in patterns {
        rows.extend(against_reference(pattern, reference));
        if let Some(single) = patterns.iter().find(|other| other.def.name == "single")
            && pattern.def.name != "single"
        {
            rows.extend(against_single(pattern, single));
        }
    }
    rows
}

fn scale_of(metric: &str) -> Scale {
    match metric {
        "price"
        | "decision_latency_p50_s"
        | "decision_latency_p99_s"
        | "sojourn_mean_s"
        | "sojourn_p99_s"
        | "messages_per_task"
        | "money_per_correct_task" => Scale::Ratio,
        _ => Scale::Difference,
    }
}

fn pairs(patterns: &[PatternResult], metric: &'static str) -> Vec<PairedRow> {
    let mut rows = Vec::new();
    for (index, against) in patterns.iter().enumerate() {
        for pattern in &patterns[index + 1..] {
            let scale = scale_of(metric);
            let paired = match (pattern.tax_parts(metric), against.tax_parts(metric)) {
                (Some(a), Some(b)) => tax_difference(&a, &b),
                _ => {
                    let (a, b) = (pattern.values(metric), against.values(metric));
                    match scale {
                        Scale::Ratio => paired_log_ratio(&a, &b, LEVEL),
                        Scale::Difference | Scale::Value => paired_difference(&a, &b, LEVEL),
                    }
                }
            };
            let (pattern, against) = (pattern.def.name, against.def.name);
            rows.push(PairedRow { metric, pattern, against, scale, paired, p_holm: None, verdict: None });
        }
    }
    rows
}

fn tax_difference(a: &(Vec<f64>, Vec<f64>), b: &(Vec<f64>, Vec<f64>)) -> Paired {
    let engaged = |(overhead, useful): &(Vec<f64>, Vec<f64>)| -> Vec<f64> {
        overhead.iter().zip(useful).map(|(o, u)| o + u).collect()
    };
    let (engaged_a, engaged_b) = (engaged(a), engaged(b));
    jackknife_ratio_difference(
        RatioData { numerator: &a.0, denominator: &engaged_a },
        RatioData { numerator: &b.0, denominator: &engaged_b },
        LEVEL,
    )
}

fn with_verdicts(mut rows: Vec<PairedRow>, metric: &str) -> Vec<PairedRow> {
    let p_values: Vec<f64> = rows.iter().map(|row| row.paired.p_value).collect();
    let lower_is_better = metric != "goodput_per_s";
    for (row, adjusted) in rows.iter_mut().zip(holm(&p_values)) {
        let neutral = if row.scale == Scale::Ratio { 1.0 } else { 0.0 };
        row.p_holm = Some(adjusted);
        row.verdict = Some(if adjusted.is_nan() || adjusted >= 1.0 - LEVEL {
            Verdict::Undecided
        } else if (row.paired.estimate < neutral) == lower_is_better {
            Verdict::Better
        } else {
            Verdict::Worse
        });
    }
    rows
}

/// The trilemma's fault tolerance: goodput and availability relative to the oracle without faults.
fn against_reference(pattern: &PatternResult, reference: &PatternResult) -> Vec<PairedRow> {
    let goodput =
        paired_log_ratio(&pattern.values("goodput_per_s"), &reference.values("goodput_per_s"), LEVEL);
    let both = pattern.runs.iter().zip(&reference.runs);
    let shares: Vec<f64> =
        both.map(|(run, ideal): (&Run, &Run)| availability(&run.series, &ideal.series)).collect();
    let interval = t_interval(&shares, LEVEL);
    let available = Paired {
        n: interval.n,
        skipped: interval.skipped,
        estimate: interval.estimate,
        low: interval.low,
        high: interval.high,
        correlation: f64::NAN,
        p_value: f64::NAN,
    };
    let row = |metric, scale, paired| PairedRow {
        metric,
        pattern: pattern.def.name,
        against: REFERENCE,
        scale,
        paired,
        p_holm: None,
        verdict: None,
    };
    vec![
        row("fault_tolerance", Scale::Ratio, goodput),
        row("availability", Scale::Value, available),
        row(
            "sojourn_mean_s",
            Scale::Ratio,
            paired_log_ratio(&pattern.values("sojourn_mean_s"), &reference.values("sojourn_mean_s"), LEVEL),
        ),
    ]
}

/// The multi-agent literature's measures against one agent (arXiv 2512.08296): overhead_turns =
/// turns/turns_single − 1, efficiency = success ÷ (turns/turns_single), error_amplification = error rate ÷
/// error rate of `single`.
fn against_single(pattern: &PatternResult, single: &PatternResult) -> Vec<PairedRow> {
    let per_task = |result: &PatternResult| -> Vec<f64> {
        result
            .values("turns")
            .iter()
            .zip(result.values("completed"))
            .map(|(turns, done)| turns / done)
            .collect()
    };
    let (ours, theirs) = (per_task(pattern), per_task(single));
    let turns = paired_log_ratio(&ours, &theirs, LEVEL);
    let overhead =
        Paired { estimate: turns.estimate - 1.0, low: turns.low - 1.0, high: turns.high - 1.0, ..turns };
    let efficiency: Vec<f64> = pattern
        .values("settled_share")
        .iter()
        .zip(pattern.values("error_share"))
        .zip(ours.iter().zip(&theirs))
        .map(|((settled, wrong), (ours, theirs))| settled * (1.0 - wrong) / (ours / theirs))
        .collect();
    let interval = t_interval(&efficiency, LEVEL);
    let efficiency = Paired {
        n: interval.n,
        skipped: interval.skipped,
        estimate: interval.estimate,
        low: interval.low,
        high: interval.high,
        correlation: f64::NAN,
        p_value: f64::NAN,
    };
    let row = |metric, scale, paired| PairedRow {
        metric,
        pattern: pattern.def.name,
        against: single.def.name,
        scale,
        paired,
        p_holm: None,
        verdict: None,
    };
    vec![
        row("overhead_turns", Scale::Value, overhead),
        row("efficiency", Scale::Value, efficiency),
        row(
            "error_amplification",
            Scale::Ratio,
            paired_log_ratio(&pattern.values("error_share"), &single.values("error_share"), LEVEL),
        ),
    ]
}
