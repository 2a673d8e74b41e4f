//! Selecting the best of k systems: the constants of two procedures, and how often they select correctly.
//!
//! Kim and Nelson, ACM TOMACS 11 (2001): η = ½[(2α/(k − 1))^(−2/(n₀ − 1)) − 1]. Rinott, Communications
//! in Statistics A7 (1978): h from an integral. Both promise P(correct) ≥ 1 − α where the best leads by
//! δ or more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Key, standard_normal};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::stats::moments::mean;
use crate::stats::selection::{KimNelson, kn_eta, largest_mean, rinott_h, rinott_sample_size};

/// Normal systems of which the last is better than all others by `lead`: the least favourable configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Systems to select from.
    pub systems: usize,
    /// Replications of each before anything is decided (n₀).
    pub first_stage: usize,
    /// Accepted probability of a wrong selection. Default 0.05.
    #[serde(default = "alpha")]
    pub alpha: f64,
    /// Indifference zone δ. Default 1.
    #[serde(default = "one")]
    pub delta: f64,
    /// How much better the best system's mean is. Default: `delta`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<f64>,
    /// Standard deviation of every system. Default 1.
    #[serde(default = "one")]
    pub sd: f64,
    /// Selections a replication, by each procedure; 0 gives the constants alone. Default 200.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn alpha() -> f64 {
    0.05
}
fn one() -> f64 {
    1.0
}
fn rounds() -> u32 {
    200
}

/// Replications of one system after which KN gives up; far above what any sound parameters need.
const MAXIMUM: usize = 1_000_000;

impl Selection {
    /// Observation number `replication` of `system`.
    fn observe(&self, key: Key, system: usize, replication: usize) -> f64 {
        let lead = if system + 1 == self.systems { self.lead.unwrap_or(self.delta) } else { 0.0 };
        lead + self.sd * standard_normal(&mut key.open(system as u64, replication as u64))
    }

    /// The system that Rinott's two stages select, and replications spent.
    fn rinott(&self, key: Key, h: f64) -> (usize, usize) {
        let (mut means, mut spent) = (Vec::with_capacity(self.systems), 0);
        for system in 0..self.systems {
            let mut values: Vec<f64> = (0..self.first_stage).map(|k| self.observe(key, system, k)).collect();
            let wanted = rinott_sample_size(&values, h, self.delta);
            values.extend((self.first_stage..wanted).map(|k| self.observe(key, system, k)));
            spent += values.len();
            means.push(vec![mean(&values)]);
        }
        (largest_mean(&means).expect("there are systems"), spent)
    }
}

impl Trial for Selection {
    const NAME: &'static str = "selection";
    const ABOUT: &'static str = "the best of k systems: KN (Kim and Nelson 2001) and Rinott (1978)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("kn_eta", "1", "η of procedure KN, ½[(2α/(k − 1))^(−2/(n₀ − 1)) − 1]"),
        MetricDef::neutral("rinott_h", "1", "Rinott's constant h for P(correct) = 1 − α"),
        MetricDef::higher("kn_correct_share", "share", "selections of the best system by KN ÷ rounds"),
        MetricDef::higher(
            "rinott_correct_share",
            "share",
            "selections of the best system by Rinott ÷ rounds",
        ),
        MetricDef::lower(
            "kn_spent_mean",
            "replications",
            "replications of all systems by KN, mean over rounds",
        ),
        MetricDef::lower("rinott_spent_mean", "replications", "the same by Rinott"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let most = 1.0 - 1.0 / self.systems.max(2) as f64;
        let sound = self.alpha > 0.0 && self.alpha < most;
        Limits::new()
            .at_least("systems", self.systems as f64, 2)
            .at_least("first_stage", self.first_stage as f64, 3)
            .fits(sound, "alpha", self.alpha, "above 0 and below 1 − 1/systems: chance alone does as well")
            .positive("delta", self.delta)
            .at_least("lead", self.lead.unwrap_or(0.0), 0)
            .positive("sd", self.sd)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let Selection { systems, first_stage, alpha, delta, .. } = *self;
        let (eta, h) = (kn_eta(systems, first_stage, alpha), rinott_h(systems, first_stage, 1.0 - alpha));
        let kn = KimNelson { delta, alpha, first_stage, maximum: MAXIMUM };
        let best = systems - 1;
        let (mut correct, mut spent) = ([0u32; 2], [0usize; 2]);
        for round in 0..self.rounds {
            // Both procedures see the same observations, which makes them comparable.
            let key = key.within(u64::from(round));
            let mut observe = |system, replication| self.observe(key, system, replication);
            let by_kn = kn.select(systems, &mut observe).expect("normal values are finite");
            let (by_rinott, spent_by_rinott) = self.rinott(key, h);
            correct[0] += u32::from(by_kn.best == best);
            correct[1] += u32::from(by_rinott == best);
            spent[0] += by_kn.replications.iter().sum::<usize>();
            spent[1] += spent_by_rinott;
        }
        let rounds = f64::from(self.rounds);
        let share = |count: u32| if self.rounds == 0 { f64::NAN } else { f64::from(count) / rounds };
        let each = |total: usize| if self.rounds == 0 { f64::NAN } else { total as f64 / rounds };
        vec![eta, h, share(correct[0]), share(correct[1]), each(spent[0]), each(spent[1])]
    }
}
