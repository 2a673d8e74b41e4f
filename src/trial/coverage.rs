//! How often an interval covers what it is meant for, and when a sequential estimate stops.
//!
//! An interval at 95 % must contain the truth in 95 % of experiments (exactly so for t on normal values).
//! A sequential estimate to relative precision r of values with squared coefficient of variation c² stops
//! near n = c²(z/r)², and covers a little less than asked (Chow and Robbins 1965).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Dist, Key, Rng, normal_quantile, standard_normal};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::LEVEL;
use crate::stats::interval::{Interval, batch_means, log_t_interval, quantile_interval, t_interval};
use crate::stats::special::student_t_critical;
use crate::stats::stopping::{Progress, Rule, Sequential};

/// Where the values of an experiment come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Values {
    /// Standard normal, independent.
    Normal,
    /// Exponential with mean 1, independent.
    Exponential,
    /// exp(σZ), independent: median 1, mean exp(σ²/2).
    Lognormal {
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// x' = φx + Z, started in equilibrium: mean 0, correlated.
    Autoregressive {
        /// Correlation of neighbours, in (−1, 1).
        phi: f64,
    },
}

/// Which interval is put to the test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Method {
    /// Student t for the mean.
    #[default]
    T,
    /// Student t on logarithms for the geometric mean; lognormal and exponential values only.
    LogT,
    /// Order statistics for a quantile.
    Quantile {
        /// Which quantile, in (0, 1).
        p: f64,
    },
    /// Batch means for the mean of a series.
    BatchMeans {
        /// Equal batches.
        batches: usize,
    },
}

/// Experiments of `size` values each; counts the intervals that contain the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IntervalCoverage {
    /// Values per experiment.
    pub size: usize,
    /// Law of the values. Default `"normal"`.
    #[serde(default = "normal")]
    pub values: Values,
    /// The interval. Default `"t"`.
    #[serde(default)]
    pub method: Method,
    /// Confidence level. Default 0.95.
    #[serde(default = "level")]
    pub level: f64,
    /// Experiments a replication. Default 1000.
    #[serde(default = "thousand")]
    pub experiments: u32,
}

fn normal() -> Values {
    Values::Normal
}
fn level() -> f64 {
    LEVEL
}
fn thousand() -> u32 {
    1000
}

/// −∫ ln(−ln u) du: the mean logarithm of an exponential value is minus this.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

impl Values {
    fn draw(self, count: usize, rng: &mut Rng) -> Vec<f64> {
        let mut state = match self {
            Values::Autoregressive { phi } => standard_normal(rng) / (1.0 - phi * phi).sqrt(),
            Values::Normal | Values::Exponential | Values::Lognormal { .. } => 0.0,
        };
        let mut next = || match self {
            Values::Normal => standard_normal(rng),
            Values::Exponential => -libm::log(rng.uniform()),
            Values::Lognormal { sigma } => libm::exp(sigma * standard_normal(rng)),
            Values::Autoregressive { phi } => {
                state = phi * state + standard_normal(rng);
                state
            }
        };
        (0..count).map(|_| next()).collect()
    }

    fn mean(self) -> f64 {
        match self {
            Values::Normal | Values::Autoregressive { .. } => 0.0,
            Values::Exponential => 1.0,
            Values::Lognormal { sigma } => libm::exp(sigma * sigma / 2.0),
        }
    }

    fn quantile(self, p: f64) -> f64 {
        match self {
            Values::Normal => normal_quantile(p),
            Values::Exponential => -libm::log1p(-p),
            Values::Lognormal { sigma } => libm::exp(sigma * normal_quantile(p)),
            Values::Autoregressive { phi } => normal_quantile(p) / (1.0 - phi * phi).sqrt(),
        }
    }

    fn geometric_mean(self) -> f64 {
        match self {
            Values::Exponential => libm::exp(-EULER_GAMMA),
            Values::Lognormal { .. } => 1.0,
            Values::Normal | Values::Autoregressive { .. } => f64::NAN,
        }
    }
}

impl IntervalCoverage {
    fn interval(&self, values: &[f64]) -> Interval {
        match self.method {
            Method::T => t_interval(values, self.level),
            Method::LogT => log_t_interval(values, self.level),
            Method::Quantile { p } => quantile_interval(values, p, self.level),
            Method::BatchMeans { batches } => batch_means(values, batches, self.level).interval,
        }
    }

    fn truth(&self) -> f64 {
        match self.method {
            Method::T | Method::BatchMeans { .. } => self.values.mean(),
            Method::LogT => self.values.geometric_mean(),
            Method::Quantile { p } => self.values.quantile(p),
        }
    }

    /// Values, or batches, that Student's factor counts; a quantile has none.
    fn counted(&self) -> Option<usize> {
        match self.method {
            Method::T | Method::LogT => Some(self.size),
            Method::BatchMeans { batches } => Some(batches),
            Method::Quantile { .. } => None,
        }
    }
}

impl Trial for IntervalCoverage {
    const NAME: &'static str = "interval_coverage";
    const ABOUT: &'static str = "how often a confidence interval contains the truth";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("coverage_share", "share", "intervals that contain the truth ÷ experiments"),
        MetricDef::neutral("half_width_mean", "1", "mean half-width of the intervals"),
        MetricDef::neutral("t_quantile", "1", "Student's two-sided factor used, level as given"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let limits = Limits::new()
            .at_least("size", self.size as f64, 2)
            .inside_one("level", self.level)
            .at_least("experiments", self.experiments, 1);
        let limits = match self.values {
            Values::Normal | Values::Exponential => limits,
            Values::Lognormal { sigma } => limits.positive("values.lognormal.sigma", sigma),
            Values::Autoregressive { phi } => {
                let key = "values.autoregressive.phi";
                limits.fits(phi.abs() < 1.0, key, phi, "between −1 and 1, both excluded")
            }
        };
        match self.method {
            Method::T => limits,
            Method::LogT => {
                let sound = self.truth().is_finite();
                limits.fits(
                    sound,
                    "method",
                    "log_t",
                    "exponential or lognormal `values`: others have no logarithm",
                )
            }
            Method::Quantile { p } => limits.inside_one("method.quantile.p", p),
            Method::BatchMeans { batches } => {
                let sound = (2..=self.size).contains(&batches);
                limits.fits(sound, "method.batch_means.batches", batches, "from 2 to `size`")
            }
        }
        .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let truth = self.truth();
        let (mut covered, mut half_widths) = (0u32, 0.0);
        for experiment in 0..self.experiments {
            let values = self.values.draw(self.size, &mut key.open(u64::from(experiment), 0));
            let interval = self.interval(&values);
            covered += u32::from(interval.contains(truth));
            half_widths += interval.half_width();
        }
        let experiments = f64::from(self.experiments);
        let factor = self.counted().map_or(f64::NAN, |n| student_t_critical(self.level, (n - 1) as f64));
        vec![f64::from(covered) / experiments, half_widths / experiments, factor]
    }
}

/// Takes values of `law` until their mean is known to `relative`, again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SequentialStopping {
    /// Law of the values.
    pub law: Dist,
    /// Half-width ÷ mean to reach.
    pub relative: f64,
    /// Values before the rule is first asked. Default 30.
    #[serde(default = "thirty")]
    pub minimum: usize,
    /// Values after which to stop in any case. Default 1000000.
    #[serde(default = "million")]
    pub maximum: usize,
    /// Confidence level. Default 0.95.
    #[serde(default = "level")]
    pub level: f64,
    /// Estimates a replication. Default 1000.
    #[serde(default = "thousand")]
    pub estimates: u32,
}

fn thirty() -> usize {
    30
}
fn million() -> usize {
    1_000_000
}

impl Trial for SequentialStopping {
    const NAME: &'static str = "sequential_stopping";
    const ABOUT: &'static str = "stopping at a relative precision (Chow and Robbins 1965)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("stopped_after_mean", "values", "mean number of values taken"),
        MetricDef::neutral(
            "coverage_share",
            "share",
            "final intervals that contain the true mean ÷ estimates",
        ),
        MetricDef::neutral("precise_share", "share", "estimates stopped by their precision ÷ estimates"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .law("law", &self.law)
            .positive("relative", self.relative)
            .at_least("minimum", self.minimum as f64, 2)
            .at_least("maximum", self.maximum as f64, self.minimum as f64)
            .inside_one("level", self.level)
            .at_least("estimates", self.estimates, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let SequentialStopping { relative, minimum, maximum, level, .. } = *self;
        let law = self.law.law().expect("checked");
        let truth = law.mean();
        let (mut taken, mut covered, mut precise) = (0.0, 0u32, 0u32);
        for estimate in 0..self.estimates {
            let mut rng = key.open(u64::from(estimate), 0);
            let mut running = Sequential::new(Rule { relative, absolute: 0.0, minimum, maximum, level });
            while running.push(law.sample(&mut rng)) == Progress::Continue {}
            taken += running.n() as f64;
            covered += u32::from((running.mean() - truth).abs() <= running.half_width());
            precise += u32::from(running.progress() == Progress::Precise);
        }
        let estimates = f64::from(self.estimates);
        vec![taken / estimates, f64::from(covered) / estimates, f64::from(precise) / estimates]
    }
}
