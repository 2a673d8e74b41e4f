//! Trust in agents that may cheat: a stake that deters, a test that decides, a rating that forgets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::Key;
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::moments::Running;
use crate::stats::sprt::{Decision, Sprt};

/// A cheat gains something unless an audit finds it, and then loses its stake instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Deterrence {
    /// Gain of a cheat that goes unnoticed.
    pub gain: f64,
    /// Probability that a cheat is audited, and then found.
    pub audited: f64,
    /// Stake lost when found. Default: the break-even stake, `gain`·(1 − q)/q.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stake: Option<f64>,
    /// Cheats a replication. Default 10000.
    #[serde(default = "cheats")]
    pub cheats: u32,
}

fn cheats() -> u32 {
    10_000
}

impl Deterrence {
    fn break_even(&self) -> f64 {
        self.gain * (1.0 - self.audited) / self.audited
    }
}

impl Trial for Deterrence {
    const NAME: &'static str = "deterrence";
    const ABOUT: &'static str = "the stake at which cheating stops paying (expected value)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("profit_mean", "gain", "mean profit of a cheat; (1 − q)·gain − q·stake"),
        MetricDef::neutral("break_even_stake", "gain", "gain·(1 − q)/q"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let sound = self.audited > 0.0 && self.audited <= 1.0;
        Limits::new()
            .at_least("gain", self.gain, 0)
            .fits(
                sound,
                "audited",
                self.audited,
                "above 0, at most 1: what is never audited pays at any stake",
            )
            .at_least("stake", self.stake.unwrap_or(0.0), 0)
            .at_least("cheats", self.cheats, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let stake = self.stake.unwrap_or(self.break_even());
        let mut profit = Running::default();
        for cheat in 0..self.cheats {
            let found = key.open(u64::from(cheat), 0).chance(self.audited);
            profit.push(if found { -stake } else { self.gain });
        }
        vec![profit.mean(), self.break_even()]
    }
}

/// Wald's sequential test of an agent's rate of bad results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SequentialTest {
    /// Rate of bad results of a good agent (hypothesis 0).
    pub good: f64,
    /// Rate of bad results of a bad agent (hypothesis 1), above `good`.
    pub bad: f64,
    /// Accepted probability of rejecting a good agent. Default 0.05.
    #[serde(default = "error")]
    pub alpha: f64,
    /// Accepted probability of accepting a bad agent. Default 0.05.
    #[serde(default = "error")]
    pub beta: f64,
    /// The true rate. Default: `good`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<f64>,
    /// Tests a replication. Default 10000.
    #[serde(default = "cheats")]
    pub tests: u32,
}

fn error() -> f64 {
    0.05
}

impl SequentialTest {
    fn test(&self) -> Sprt {
        Sprt::new(self.good, self.bad, self.alpha, self.beta)
    }
}

impl Trial for SequentialTest {
    const NAME: &'static str = "sequential_test";
    const ABOUT: &'static str = "the sequential probability ratio test of a rate (Wald 1947)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("observations_mean", "results", "mean number of results until a decision"),
        MetricDef::neutral("rejected_share", "share", "tests that take the agent for bad ÷ tests"),
        MetricDef::neutral("accepted_share", "share", "tests that take the agent for good ÷ tests"),
        MetricDef::neutral("upper_bound", "1", "log likelihood ratio that rejects, ln((1 − β)/α)"),
        MetricDef::neutral("lower_bound", "1", "log likelihood ratio that accepts, ln(β/(1 − α))"),
        MetricDef::neutral("wald_mean", "results", "Wald's approximation of the mean, without overshoot"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let errors = self.alpha + self.beta < 1.0;
        Limits::new()
            .inside_one("good", self.good)
            .inside_one("bad", self.bad)
            .fits(self.bad > self.good, "bad", self.bad, "above `good`")
            .inside_one("alpha", self.alpha)
            .inside_one("beta", self.beta)
            .fits(errors, "beta", self.beta, "below 1 − `alpha`")
            .probability("truth", self.truth.unwrap_or(self.good))
            .at_least("tests", self.tests, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let truth = self.truth.unwrap_or(self.good);
        let (mut observations, mut rejected) = (0u64, 0u32);
        for test in 0..self.tests {
            let (mut rng, mut sprt) = (key.open(u64::from(test), 0), self.test());
            while sprt.observe(rng.chance(truth)) == Decision::Continue {}
            observations += sprt.observations();
            rejected += u32::from(sprt.decision() == Decision::Alternative);
        }
        let (tests, sprt) = (f64::from(self.tests), self.test());
        let share = f64::from(rejected) / tests;
        let (lower, upper) = sprt.bounds();
        vec![observations as f64 / tests, share, 1.0 - share, upper, lower, sprt.wald_mean(truth)]
    }
}

/// A rating from good and bad results, (prior + Σ weights of good) ÷ (priors + Σ weights of all).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BetaRating {
    /// Pseudo-counts of good and bad results before the first. Default \[1, 1\].
    #[serde(default = "prior")]
    pub prior: [f64; 2],
    /// Factor on all earlier results with each new one; 1 forgets nothing. Default 1.
    #[serde(default = "remembers")]
    pub memory: f64,
    /// Results that are rated first: so many good ones. Default 0.
    #[serde(default)]
    pub good: u32,
    /// And so many bad ones. Default 0.
    #[serde(default)]
    pub bad: u32,
    /// Then so many drawn. Default 0.
    #[serde(default)]
    pub drawn: u32,
    /// Probability that a drawn one is good. Default 0.5.
    #[serde(default = "half")]
    pub success: f64,
    /// Drawn results before the rating is averaged. Default 0.
    #[serde(default)]
    pub settle: u32,
}

fn prior() -> [f64; 2] {
    [1.0, 1.0]
}
fn remembers() -> f64 {
    1.0
}
fn half() -> f64 {
    0.5
}

impl Trial for BetaRating {
    const NAME: &'static str = "beta_rating";
    const ABOUT: &'static str = "the beta reputation with forgetting (Jøsang and Ismail 2002)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("rating", "share", "the rating after the last result"),
        MetricDef::neutral(
            "rating_mean",
            "share",
            "mean rating over drawn results after `settle`; none without",
        ),
        MetricDef::neutral("weight", "results", "Σ weights of all results at the end, priors apart"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let sound = self.prior.iter().all(|prior| prior.is_finite() && *prior > 0.0);
        Limits::new()
            .fits(sound, "prior", format!("{:?}", self.prior), "two numbers above 0")
            .fits(self.memory > 0.0 && self.memory <= 1.0, "memory", self.memory, "above 0, at most 1")
            .probability("success", self.success)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut weights = [0.0; 2];
        let mut rate = |good: bool| {
            weights = weights.map(|weight| weight * self.memory);
            weights[usize::from(!good)] += 1.0;
            let [good, bad] = [weights[0] + self.prior[0], weights[1] + self.prior[1]];
            (good / (good + bad), weights[0] + weights[1])
        };
        let mut last = (self.prior[0] / (self.prior[0] + self.prior[1]), 0.0);
        (0..self.good).for_each(|_| last = rate(true));
        (0..self.bad).for_each(|_| last = rate(false));
        let (mut rng, mut ratings) = (key.open(0, 0), Running::default());
        for drawn in 0..self.drawn {
            last = rate(rng.chance(self.success));
            if drawn >= self.settle {
                ratings.push(last.0);
            }
        }
        vec![last.0, ratings.mean(), last.1]
    }
}
