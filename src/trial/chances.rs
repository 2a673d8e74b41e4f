//! Independent chances put together: votes, chains of steps, repeated attempts, kinds of failure, sides of a
//! partition, audits.
//!
//! Each trial plays the process out; theory is the binomial, the hypergeometric and the χ² law.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Dist, Key, Rng, Span};
use crate::error::Problems;
use crate::metrics::MetricDef;

fn rounds() -> u32 {
    10_000
}

/// Share of `rounds` rounds in which `holds`, each with its own stream.
fn share(rounds: u32, key: Key, mut holds: impl FnMut(&mut Rng) -> bool) -> f64 {
    let times = (0..rounds).filter(|&round| holds(&mut key.open(u64::from(round), 0))).count();
    times as f64 / f64::from(rounds)
}

/// Voters that are each right with the same probability, and a result that enough of them must share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Vote {
    /// Voters, or replicas of a task.
    pub voters: u32,
    /// Probability that one is right.
    pub right: f64,
    /// Right votes needed. Default: a strict majority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u32>,
    /// Votes a replication. Default 10000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

impl Trial for Vote {
    const NAME: &'static str = "vote";
    const ABOUT: &'static str = "majority and m-of-n voting of independent voters (Condorcet; Sarmenta 2002)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("right_share", "share", "votes with `needed` right voters or more ÷ votes"),
        MetricDef::lower("wrong_share", "share", "1 − right_share"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let needed = self.needed.unwrap_or(1);
        Limits::new()
            .at_least("voters", self.voters, 1)
            .probability("right", self.right)
            .fits((1..=self.voters).contains(&needed), "needed", needed, "from 1 to `voters`")
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let needed = self.needed.unwrap_or(self.voters / 2 + 1);
        let right = share(self.rounds, key, |rng| {
            (0..self.voters).filter(|_| rng.chance(self.right)).count() as u32 >= needed
        });
        vec![right, 1.0 - right]
    }
}

/// A chain of steps that must all succeed, tried several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepChain {
    /// Probability that a step succeeds.
    pub success: f64,
    /// Steps. Default 1.
    #[serde(default = "one")]
    pub steps: u32,
    /// Attempts at the chain (k). Default 1.
    #[serde(default = "one")]
    pub attempts: u32,
    /// Chains a replication. Default 10000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn one() -> u32 {
    1
}

impl Trial for StepChain {
    const NAME: &'static str = "step_chain";
    const ABOUT: &'static str = "reliability of dependent steps, pass@k and pass^k";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("chain_share", "share", "first attempts whose steps all succeed; p^m"),
        MetricDef::higher("pass_any_share", "share", "pass@k: some attempt succeeds; 1 − (1 − p^m)^k"),
        MetricDef::higher("pass_all_share", "share", "pass^k: every attempt succeeds; p^(mk)"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .probability("success", self.success)
            .at_least("attempts", self.attempts, 1)
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut counts = [0u32; 3];
        for round in 0..self.rounds {
            let passes = |attempt: u32| {
                let mut rng = key.open(u64::from(round), u64::from(attempt));
                (0..self.steps).all(|_| rng.chance(self.success))
            };
            let passed = (0..self.attempts).filter(|&attempt| passes(attempt)).count() as u32;
            counts[0] += u32::from(passes(0));
            counts[1] += u32::from(passed > 0);
            counts[2] += u32::from(passed == self.attempts);
        }
        counts.map(|count| f64::from(count) / f64::from(self.rounds)).to_vec()
    }
}

/// Draws among kinds of unequal weight, and whether they come as often as they should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WeightedKinds {
    /// Weight of each kind, in any unit; renormalised.
    pub weights: Vec<f64>,
    /// Kinds counted in `first_share`: so many from the front. Default 1.
    #[serde(default = "one_kind")]
    pub first: usize,
    /// Draws a replication. Default 100000.
    #[serde(default = "draws")]
    pub draws: u32,
    /// Significance level of the χ² test. Default 0.01.
    #[serde(default = "level")]
    pub level: f64,
}

fn one_kind() -> usize {
    1
}
fn draws() -> u32 {
    100_000
}
fn level() -> f64 {
    0.01
}

impl Trial for WeightedKinds {
    const NAME: &'static str = "weighted_kinds";
    const ABOUT: &'static str = "kinds drawn by weight, such as modes of failure (χ² test)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("chi_squared", "1", "Σ(observed − expected)²/expected; kinds − 1 on average"),
        MetricDef::neutral("p_value", "1", "P(χ² on kinds − 1 degrees is larger); uniform on (0, 1)"),
        MetricDef::lower("rejected_share", "share", "1 if p_value < `level`, else 0; `level` on average"),
        MetricDef::neutral("first_share", "share", "draws of the `first` kinds ÷ draws"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let sound = self.weights.len() >= 2 && self.weights.iter().all(|w| w.is_finite() && *w > 0.0);
        let first = (1..=self.weights.len()).contains(&self.first);
        Limits::new()
            .fits(sound, "weights", format!("{:?}", self.weights), "two weights above 0 or more")
            .fits(first, "first", self.first, "from 1 to the number of weights")
            .at_least("draws", self.draws, 1)
            .inside_one("level", self.level)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut rng = key.open(0, 0);
        let mut counts = vec![0u32; self.weights.len()];
        for _ in 0..self.draws {
            counts[rng.weighted(&self.weights)] += 1;
        }
        let total: f64 = self.weights.iter().sum();
        let squares = counts.iter().zip(&self.weights).map(|(&count, weight)| {
            let expected = f64::from(self.draws) * weight / total;
            (f64::from(count) - expected) * (f64::from(count) - expected) / expected
        });
        let chi_squared: f64 = squares.sum();
        // χ² on ν degrees is the gamma law of shape ν/2 and mean ν.
        let degrees = counts.len() as u32 - 1;
        let law = Dist::Gamma { shape: f64::from(degrees) / 2.0, mean: Span::from_secs(degrees.into()) };
        let p_value = 1.0 - law.cdf(chi_squared);
        let first: u32 = counts[..self.first].iter().sum();
        let rejected = f64::from(u8::from(p_value < self.level));
        vec![chi_squared, p_value, rejected, f64::from(first) / f64::from(self.draws)]
    }
}

/// A partition in which every agent takes a side by the toss of a coin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bipartition {
    /// Agents.
    pub agents: u32,
    /// Probability of the first side. Default 0.5.
    #[serde(default = "half")]
    pub side: f64,
    /// Partitions a replication. Default 10000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn half() -> f64 {
    0.5
}

impl Trial for Bipartition {
    const NAME: &'static str = "bipartition";
    const ABOUT: &'static str = "who keeps a majority in a random partition (binomial)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("majority_share", "share", "agents whose side is a strict majority ÷ agents"),
        MetricDef::higher(
            "quorate_share",
            "share",
            "partitions in which a side is a strict majority ÷ partitions",
        ),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("agents", self.agents, 1)
            .probability("side", self.side)
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut in_majority = 0u64;
        let quorate = share(self.rounds, key, |rng| {
            let one = (0..self.agents).filter(|_| rng.chance(self.side)).count() as u32;
            let larger = one.max(self.agents - one);
            let strict = 2 * larger > self.agents;
            in_majority += if strict { u64::from(larger) } else { 0 };
            strict
        });
        vec![in_majority as f64 / (f64::from(self.agents) * f64::from(self.rounds)), quorate]
    }
}

/// Which results an audit looks at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Audit {
    /// So many different ones.
    Sample(u32),
    /// Each with this probability.
    Rate(f64),
}

/// Results of which some are bad, and an audit that finds one of them or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpotCheck {
    /// Results.
    pub results: u32,
    /// Bad ones among them.
    pub bad: u32,
    /// Which are looked at.
    pub audit: Audit,
    /// Audits a replication. Default 10000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

impl Trial for SpotCheck {
    const NAME: &'static str = "spot_check";
    const ABOUT: &'static str = "audits that find a bad result (hypergeometric, binomial)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("detected_share", "share", "audits that find a bad result ÷ audits"),
        MetricDef::lower("audited_mean", "results", "results looked at"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let limits = Limits::new()
            .fits(self.bad <= self.results, "bad", self.bad, "no more than `results`")
            .at_least("rounds", self.rounds, 1);
        match self.audit {
            Audit::Sample(size) => {
                limits.fits(size <= self.results, "audit.sample", size, "no more than `results`")
            }
            Audit::Rate(rate) => limits.probability("audit.rate", rate),
        }
        .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut audited = 0u64;
        let mut results: Vec<bool> = (0..self.results).map(|result| result < self.bad).collect();
        let detected = share(self.rounds, key, |rng| match self.audit {
            Audit::Sample(size) => {
                audited += u64::from(size);
                rng.shuffle(&mut results);
                results[..size as usize].contains(&true)
            }
            Audit::Rate(rate) => {
                let looked = results.iter().filter(|_| rng.chance(rate));
                looked.fold(false, |found, bad| {
                    audited += 1;
                    found || *bad
                })
            }
        });
        vec![detected, audited as f64 / f64::from(self.rounds)]
    }
}
