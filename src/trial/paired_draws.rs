//! What pairing does to the variance of a difference or a mean: common and antithetic random numbers.
//!
//! For exponential X = −a ln U and Y = −b ln U on the same U: Cov = ab, Var(X − Y) = (a − b)² instead of
//! a² + b². On U and 1 − U: Cov = ab(1 − π²/6) (Law, Simulation Modeling and Analysis, ch. 11).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Dist, Key};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::moments::{correlation, covariance, variance};

/// What drives the second draw of a pair, given the uniform number U of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Drive {
    /// The same U.
    #[default]
    Common,
    /// 1 − U.
    Antithetic,
    /// Another number.
    Independent,
}

/// Pairs of draws by inversion, one from each of two laws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairedDraws {
    /// Law of X.
    pub first: Dist,
    /// Law of Y.
    pub second: Dist,
    /// What drives Y. Default `"common"`.
    #[serde(default)]
    pub drive: Drive,
    /// Pairs a replication. Default 100000.
    #[serde(default = "pairs")]
    pub pairs: usize,
}

fn pairs() -> usize {
    100_000
}

impl Trial for PairedDraws {
    const NAME: &'static str = "paired_draws";
    const ABOUT: &'static str = "common and antithetic random numbers (Law, ch. 11)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("covariance", "s²", "Cov(X, Y) over the pairs"),
        MetricDef::neutral("correlation", "1", "Pearson correlation of X and Y"),
        MetricDef::neutral("difference_variance", "s²", "Var(X − Y)"),
        MetricDef::neutral("pair_mean_variance", "s²", "Var((X + Y)/2)"),
        MetricDef::neutral(
            "variance_ratio",
            "1",
            "(Var X + Var Y) / Var(X − Y): how many times fewer pairs do for a difference",
        ),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .law("first", &self.first)
            .law("second", &self.second)
            .at_least("pairs", self.pairs as f64, 2)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (first, second) = (self.first.law().expect("checked"), self.second.law().expect("checked"));
        let (mut rng, mut other) = (key.open(0, 0), key.open(1, 0));
        let (x, y): (Vec<f64>, Vec<f64>) = (0..self.pairs)
            .map(|_| {
                let u = rng.uniform();
                let v = match self.drive {
                    Drive::Common => u,
                    Drive::Antithetic => 1.0 - u,
                    Drive::Independent => other.uniform(),
                };
                (first.quantile(u), second.quantile(v))
            })
            .unzip();
        let both =
            |join: fn(f64, f64) -> f64| -> Vec<f64> { x.iter().zip(&y).map(|(&x, &y)| join(x, y)).collect() };
        let difference = variance(&both(|x, y| x - y));
        let mean = variance(&both(|x, y| (x + y) / 2.0));
        let apart = variance(&x) + variance(&y);
        vec![covariance(&x, &y), correlation(&x, &y), difference, mean, apart / difference]
    }
}
