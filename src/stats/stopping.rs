//! When to stop replicating: at a relative precision, never at a verdict.
//!
//! The rule of Chow and Robbins (Annals of Mathematical Statistics 36, 1965): go on until the half-width is
//! at most a given part of the mean. It looks at the width of the interval alone. Stopping as soon as zero is
//! outside it ("peeking") rejects true null hypotheses in 20–29 % of cases instead of 5 % (model.md §5).
//!
//! Values are taken in replication order, so the answer does not depend on how many threads produced them:
//! replications that were computed past the stop are simply not taken.

use serde::Serialize;

use super::LEVEL;
use super::moments::Running;
use super::special::normal_quantile;
use super::summary::half_width;

/// The precision asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// Half-width ÷ |mean| to reach; 0.05 is five percent.
    pub relative: f64,
    /// Half-width that is precise enough whatever the mean is; 0 switches it off. Needed for metrics near 0.
    pub absolute: f64,
    /// Values before the rule is first asked. A small sample is often deceptively even: 10 at the least.
    pub minimum: usize,
    /// Replications after which to stop in any case.
    pub maximum: usize,
    /// Confidence level in (0, 1).
    pub level: f64,
}

/// Where a sequential estimate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Not precise yet: take another replication.
    Continue,
    /// The half-width asked for is reached.
    Precise,
    /// The maximum is reached without that precision; the interval is honest, only wider than asked.
    Exhausted,
}

impl Rule {
    /// Five percent of the mean at 95 %, from 30 to 10,000 replications.
    pub const FIVE_PERCENT: Rule =
        Rule { relative: 0.05, absolute: 0.0, minimum: 30, maximum: 10_000, level: LEVEL };

    /// The rule for an estimate made elsewhere, such as a paired difference: only the half-width can stop it.
    ///
    /// `n` counts the values behind it. A half-width of NaN is never precise.
    pub fn judge(&self, n: usize, estimate: f64, half_width: f64) -> Progress {
        let wanted = (self.relative * estimate.abs()).max(self.absolute);
        if n >= self.minimum && half_width <= wanted {
            Progress::Precise
        } else if n >= self.maximum {
            Progress::Exhausted
        } else {
            Progress::Continue
        }
    }
}

/// The rule applied to one metric, value by value. Once it has stopped it takes no more.
#[derive(Clone, Copy, Debug)]
pub struct Sequential {
    rule: Rule,
    running: Running,
    offered: usize,
    progress: Progress,
    normal: f64,
}

impl Sequential {
    /// Before the first value.
    pub fn new(rule: Rule) -> Sequential {
        let normal = normal_quantile(0.5 * (1.0 + rule.level));
        let progress = if rule.maximum == 0 { Progress::Exhausted } else { Progress::Continue };
        Sequential { rule, running: Running::default(), offered: 0, progress, normal }
    }

    /// Takes the next replication's value, unless stopped. A non-finite one counts towards the maximum only.
    pub fn push(&mut self, value: f64) -> Progress {
        if self.progress != Progress::Continue {
            return self.progress;
        }
        self.offered += 1;
        if value.is_finite() {
            self.running.push(value);
        }
        if self.running.n() >= self.rule.minimum && self.may_be_precise() {
            self.progress = self.rule.judge(self.running.n(), self.mean(), self.half_width());
        }
        if self.progress == Progress::Continue && self.offered >= self.rule.maximum {
            self.progress = Progress::Exhausted;
        }
        self.progress
    }

    /// Where it stands.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Finite values taken.
    pub fn n(&self) -> usize {
        self.running.n()
    }

    /// Replications taken, those without a finite value included.
    pub fn offered(&self) -> usize {
        self.offered
    }

    /// Mean of the values taken; NaN before the first.
    pub fn mean(&self) -> f64 {
        self.running.mean()
    }

    /// Student-t half-width of the mean; NaN below two values.
    pub fn half_width(&self) -> f64 {
        half_width(self.n(), self.running.variance().sqrt(), self.rule.level)
    }

    /// Student's factor is never below the normal one, so most checks need no t quantile.
    fn may_be_precise(&self) -> bool {
        let least = self.normal * (self.running.variance() / self.n() as f64).sqrt();
        least <= (self.rule.relative * self.mean().abs()).max(self.rule.absolute)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// V-11 of the reference results: exponential values to 5 %: n ≈ (1.96/.05)² = 1537, coverage near .948.
    #[test]
    fn exponential_values_need_about_1537() {
        let mut sample = Sample(17);
        let (mut taken, mut covered) = (0, 0);
        const RUNS: usize = 600;
        for _ in 0..RUNS {
            let mut sequential = Sequential::new(Rule::FIVE_PERCENT);
            while sequential.push(sample.exponential()) == Progress::Continue {}
            assert_eq!(sequential.progress(), Progress::Precise);
            assert!(sequential.half_width() <= 0.05 * sequential.mean());
            taken += sequential.n();
            covered += usize::from((sequential.mean() - 1.0).abs() <= sequential.half_width());
        }
        close(taken as f64 / RUNS as f64, 1537.0, 154.0);
        close(covered as f64 / RUNS as f64, 0.948, 0.036);
    }

    #[test]
    fn the_state_machine_minds_its_limits() {
        let rule = Rule { minimum: 4, maximum: 6, ..Rule::FIVE_PERCENT };
        let mut even = Sequential::new(rule);
        let progress: Vec<Progress> = (0..5).map(|_| even.push(3.0)).collect();
        use Progress::{Continue, Exhausted, Precise};
        assert_eq!(progress, [Continue, Continue, Continue, Precise, Precise]);
        assert_eq!((even.n(), even.mean(), even.half_width()), (4, 3.0, 0.0));

        let mut wild = Sequential::new(rule);
        let progress: Vec<Progress> =
            [1.0, -9.0, f64::NAN, 5.0, 40.0, 2.0, 3.0].map(|x| wild.push(x)).to_vec();
        assert_eq!(progress, [Continue, Continue, Continue, Continue, Continue, Exhausted, Exhausted]);
        assert_eq!((wild.n(), wild.offered()), (5, 6));
        assert_eq!(Sequential::new(Rule { maximum: 0, ..rule }).push(1.0), Exhausted);
    }

    #[test]
    fn a_metric_near_zero_stops_on_its_absolute_width() {
        let rule = Rule { absolute: 0.5, minimum: 10, ..Rule::FIVE_PERCENT };
        assert_eq!(rule.judge(20, 0.0, 0.4), Progress::Precise);
        assert_eq!(rule.judge(20, 0.0, 0.6), Progress::Continue);
        assert_eq!(rule.judge(9, 0.0, 0.1), Progress::Continue);
        assert_eq!(rule.judge(20, 100.0, 4.9), Progress::Precise);
        assert_eq!(rule.judge(20, 100.0, f64::NAN), Progress::Continue);
        assert_eq!(rule.judge(10_000, 1.0, 9.0), Progress::Exhausted);
    }
}
