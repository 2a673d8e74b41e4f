//! MSER-5 on a series: given value by value, or as a decaying transient on top of a swing and noise.
//!
//! White, Cobb and Spratt 2000: the cut minimises Σ(y − ȳ)² ÷ (m − d)² over means of five, d ≤ m/2.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Key, standard_normal};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::warmup::mser5;

/// Where the warm-up of a series ends. `values`, or
/// x_i = start·2^(−i/half_life) \[i < until\] + swing·(−1)^⌊i/swing_length⌋ + noise·Z_i, i < length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WarmUp {
    /// The series itself; the formula below is then not used. Default: none.
    #[serde(default)]
    pub values: Vec<f64>,
    /// Values in the series. Default 500.
    #[serde(default = "length")]
    pub length: usize,
    /// The transient at i = 0. Default 0: none.
    #[serde(default)]
    pub start: f64,
    /// Values after which the transient has halved. Default 5.
    #[serde(default = "five")]
    pub half_life: f64,
    /// The transient is 0 from this value on. Default: it never is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<usize>,
    /// Height of the swing. Default 0: none.
    #[serde(default)]
    pub swing: f64,
    /// Values before the swing changes its sign. Default 5.
    #[serde(default = "block")]
    pub swing_length: usize,
    /// Standard deviation of independent normal noise. Default 0: none.
    #[serde(default)]
    pub noise: f64,
}

fn length() -> usize {
    500
}
fn five() -> f64 {
    5.0
}
fn block() -> usize {
    5
}

impl WarmUp {
    fn series(&self, key: Key) -> Vec<f64> {
        if !self.values.is_empty() {
            return self.values.clone();
        }
        let mut rng = key.open(0, 0);
        let mut value = |i: usize| {
            let under_way = self.until.is_none_or(|until| i < until);
            let transient =
                if under_way { self.start * libm::exp2(-(i as f64) / self.half_life) } else { 0.0 };
            let sign = if (i / self.swing_length).is_multiple_of(2) { 1.0 } else { -1.0 };
            let noise = if self.noise > 0.0 { self.noise * standard_normal(&mut rng) } else { 0.0 };
            transient + sign * self.swing + noise
        };
        (0..self.length).map(&mut value).collect()
    }
}

impl Trial for WarmUp {
    const NAME: &'static str = "warm_up";
    const ABOUT: &'static str = "where MSER-5 cuts a series (White, Cobb and Spratt 2000)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("truncation", "values", "values dropped from the front, a multiple of five"),
        MetricDef::neutral("statistic", "1", "Σ(y − ȳ)² ÷ (m − d)² at the cut, the least of all"),
        MetricDef::neutral("settled", "1", "1 if the cut is not the last one allowed, else 0"),
        MetricDef::neutral("kept_mean", "1", "mean of the values kept"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let finite = self.values.iter().all(|value| value.is_finite());
        let count = if self.values.is_empty() { self.length } else { self.values.len() };
        Limits::new()
            .fits(finite, "values", "a value that is not finite", "finite numbers")
            .at_least(if self.values.is_empty() { "length" } else { "values" }, count as f64, 10)
            .fits(self.start.is_finite(), "start", self.start, "a finite number")
            .positive("half_life", self.half_life)
            .fits(self.swing.is_finite(), "swing", self.swing, "a finite number")
            .at_least("swing_length", self.swing_length as f64, 1)
            .at_least("noise", self.noise, 0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let series = self.series(key);
        let cut = mser5(&series).expect("ten finite values or more, as checked");
        let kept = &series[cut.observations..];
        let mean = crate::stats::moments::mean(kept);
        vec![cut.observations as f64, cut.statistic, f64::from(u8::from(cut.settled)), mean]
    }
}
