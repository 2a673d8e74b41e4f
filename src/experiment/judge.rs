//! Whether what was measured agrees with what a file expects of it.
//!
//! Every claim is judged on one 95 % interval, once, after the last replication: pass, fail, or unknown where
//! the interval is too wide to tell. Stopping is the business of `sequential`, which looks at widths
//! alone; a verdict that could stop the replications would be right too often by luck (model.md §5).
//!
//! A quantity is estimated as everywhere else: Student t over replications, ratios of sums for taxes, pairs
//! where two patterns are compared. A value that does not apply in some replication is no estimate of
//! anything, so that its expectation fails.

use super::result::{Run, tax_parts};
use crate::scenario::{Claim, Expectation, Statistic};
use crate::stats::LEVEL;
use crate::stats::interval::{Interval, t_interval, variance_interval};
use crate::stats::paired::{
    Paired, RatioData, jackknife_ratio, jackknife_ratio_difference, paired_difference, paired_log_ratio,
};

/// What an interval says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// The interval is too wide to tell.
    Unknown,
    /// It does not hold.
    Fail,
}

impl Verdict {
    /// The name used in results.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Unknown => "unknown",
            Verdict::Fail => "fail",
        }
    }

    /// The exit code of a command whose worst verdict this is.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Unknown => 4,
            Verdict::Fail => 1,
        }
    }

    /// The worst of many; pass for none.
    pub fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().max().unwrap_or(Verdict::Pass)
    }
}

/// An expectation with what was measured and what follows.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was expected.
    pub expectation: Expectation,
    /// What was measured.
    pub measured: Interval,
    /// What follows.
    pub verdict: Verdict,
    /// Why it does not pass, or what a reader of a pass must know; empty if there is nothing to say.
    pub reason: String,
}

/// What one replication contributes to an expectation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    value: Part,
    /// The same of the other pattern, where two are compared.
    versus: Option<Part>,
}

/// A value; of a tax the overhead, and the engaged capacity that it is a share of.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    value: f64,
    engaged: f64,
}

impl Reading {
    /// The reading of a plain number.
    pub fn of(value: f64) -> Reading {
        Reading { value: Part { value, engaged: f64::NAN }, versus: None }
    }

    /// The reading of one replication, from its run under each pattern; `None` if a pattern it needs is not
    /// among them.
    pub(super) fn take<'r>(
        expectation: &Expectation,
        run_of: impl Fn(&str) -> Option<&'r Run>,
    ) -> Option<Reading> {
        let value = part(expectation, run_of(expectation.pattern.as_deref()?)?);
        let versus = match &expectation.versus {
            Some((other, _)) => Some(part(expectation, run_of(other)?)),
            None => None,
        };
        Some(Reading { value, versus })
    }
}

fn part(expectation: &Expectation, run: &Run) -> Part {
    let plain = |value: f64| Part { value, engaged: f64::NAN };
    let metric = expectation.metric.as_str();
    if let Some((_, place)) = expectation.probe {
        return plain(run.probes.get(place).copied().unwrap_or(f64::NAN));
    }
    if let Some(class) = &expectation.class {
        let class = run.classes.iter().find(|numbers| numbers.name == *class);
        return plain(class.and_then(|numbers| numbers.get(metric)).unwrap_or(f64::NAN));
    }
    match tax_parts(&run.metrics, metric) {
        Some((overhead, rest)) if expectation.statistic == Statistic::Mean => {
            Part { value: overhead, engaged: overhead + rest }
        }
        Some(_) | None => plain(run.metrics.get(metric)),
    }
}

/// The estimate of an expectation's quantity with its 95 % interval.
pub fn estimate(expectation: &Expectation, readings: &[Reading]) -> Interval {
    let values: Vec<f64> = readings.iter().map(|reading| reading.value.value).collect();
    let engaged: Vec<f64> = readings.iter().map(|reading| reading.value.engaged).collect();
    let tax = engaged.iter().any(|engaged| !engaged.is_nan());
    let Some((_, ratio)) = &expectation.versus else {
        return match expectation.statistic {
            Statistic::Variance => variance_interval(&values, LEVEL),
            Statistic::Mean if tax => {
                jackknife_ratio(RatioData { numerator: &values, denominator: &engaged }, LEVEL)
            }
            Statistic::Mean => t_interval(&values, LEVEL),
        };
    };
    let other = |of: fn(Part) -> f64| -> Vec<f64> {
        readings.iter().map(|reading| reading.versus.map_or(f64::NAN, of)).collect()
    };
    let (others, other_engaged) = (other(|part| part.value), other(|part| part.engaged));
    if expectation.statistic == Statistic::Variance {
        let differences: Vec<f64> = values.iter().zip(&others).map(|(a, b)| a - b).collect();
        return variance_interval(&differences, LEVEL);
    }
    if *ratio {
        let shares = |values: &[f64], engaged: &[f64]| -> Vec<f64> {
            let share = |(value, engaged): (&f64, &f64)| if tax { value / engaged } else { *value };
            values.iter().zip(engaged).map(share).collect()
        };
        let (a, b) = (shares(&values, &engaged), shares(&others, &other_engaged));
        return interval_of(paired_log_ratio(&a, &b, LEVEL));
    }
    interval_of(if tax {
        let a = RatioData { numerator: &values, denominator: &engaged };
        let b = RatioData { numerator: &others, denominator: &other_engaged };
        jackknife_ratio_difference(a, b, LEVEL)
    } else {
        paired_difference(&values, &others, LEVEL)
    })
}

fn interval_of(paired: Paired) -> Interval {
    let Paired { n, skipped, estimate, low, high, .. } = paired;
    Interval { n, skipped, estimate, low, high }
}

/// Judges an expectation on the readings of all its replications.
pub fn judge(expectation: &Expectation, readings: &[Reading]) -> Judged {
    let measured = estimate(expectation, readings);
    let (verdict, reason) = verdict(expectation, measured);
    Judged { expectation: expectation.clone(), measured, verdict, reason }
}

impl Judged {
    /// An expectation that could not be measured.
    pub fn without_measurement(expectation: &Expectation, verdict: Verdict, reason: String) -> Judged {
        let nan = f64::NAN;
        let measured = Interval { n: 0, skipped: 0, estimate: nan, low: nan, high: nan };
        Judged { expectation: expectation.clone(), measured, verdict, reason }
    }
}

fn verdict(expectation: &Expectation, measured: Interval) -> (Verdict, String) {
    let Interval { n, skipped, estimate, .. } = measured;
    let metric = &expectation.metric;
    if n + skipped == 0 {
        return (Verdict::Unknown, "no replication was done".to_owned());
    }
    if skipped > 0 {
        let all = n + skipped;
        return (Verdict::Fail, format!("`{metric}` does not apply in {skipped} of {all} replications"));
    }
    if n == 1 && expectation.statistic == Statistic::Variance {
        return (Verdict::Unknown, "one replication has no variance".to_owned());
    }
    if estimate.is_nan() {
        return (Verdict::Fail, format!("the ratio of `{metric}` is undefined: a value is not above 0"));
    }
    // One run has no interval: it is judged as the value it is, where that can be judged at all.
    let (low, high) = if n == 1 { (estimate, estimate) } else { (measured.low, measured.high) };
    match expectation.claim {
        Claim::Equal { .. } if n == 1 => {
            (Verdict::Unknown, "one replication has no interval that could hold the reference".to_owned())
        }
        Claim::Equal { value, tolerance, reference_half_width } => {
            equal(Interval { low, high, ..measured }, value, tolerance, reference_half_width)
        }
        Claim::Within { value, by } => {
            let side = if high < value - by { "below" } else { "above" };
            let what = format!("{value} ± {by}");
            bounded((low, high), (Some(value - by), Some(value + by)), (&what, side), n)
        }
        Claim::Bounds { min, max, .. } => {
            let below = min.is_some_and(|min| high < min);
            let what = match (if below { min } else { max }, min) {
                (Some(bound), _) | (None, Some(bound)) => bound.to_string(),
                (None, None) => String::new(),
            };
            bounded((low, high), (min, max), (&what, if below { "below" } else { "above" }), n)
        }
    }
}

/// Equality: the reference lies in the interval, widened by the reference's own, and the interval is narrow
/// enough for that to mean something.
fn equal(measured: Interval, value: f64, tolerance: f64, reference_half_width: f64) -> (Verdict, String) {
    let Interval { estimate, low, high, .. } = measured;
    let reach = |end: f64| libm::hypot(end - estimate, reference_half_width);
    let inside = estimate - reach(low) <= value && value <= estimate + reach(high);
    let half = measured.half_width();
    if !inside {
        (Verdict::Fail, "the reference lies outside the interval".to_owned())
    } else if half <= tolerance {
        (Verdict::Pass, String::new())
    } else {
        let n = measured.n;
        let what =
            format!("after {n} replications the half-width {half:.4} is above the tolerance {tolerance:.4}");
        (Verdict::Unknown, what)
    }
}

/// Whether the interval lies within the bounds, outside, or on one of them.
fn bounded(
    (low, high): (f64, f64),
    (min, max): (Option<f64>, Option<f64>),
    (what, side): (&str, &str),
    n: usize,
) -> (Verdict, String) {
    let of_one = if n == 1 { "judged on one run" } else { "" };
    if min.is_none_or(|min| low >= min) && max.is_none_or(|max| high <= max) {
        (Verdict::Pass, of_one.to_owned())
    } else if min.is_some_and(|min| high < min) || max.is_some_and(|max| low > max) {
        let one = if n == 1 { " (one run)" } else { "" };
        (Verdict::Fail, format!("it lies {side} {what}{one}"))
    } else {
        (Verdict::Unknown, "the interval holds a bound: more replications would tell".to_owned())
    }
}

#[cfg(test)]
mod tests;
