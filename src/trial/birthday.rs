//! Random identifiers that collide: the birthday problem.
//!
//! P(any two of k identifiers from a space of n are equal) = 1 − Π (1 − i/n), i < k (exact product).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use crate::engine::Key;
use crate::error::{Problem, Problems};
use crate::metrics::MetricDef;

/// `ids` identifiers are drawn from `space`, again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Birthday {
    /// Identifiers drawn.
    pub ids: u32,
    /// Different identifiers there are.
    pub space: u64,
    /// Draws a replication. Default 10000.
    #[serde(default = "rounds")]
    pub rounds: u32,
}

fn rounds() -> u32 {
    10_000
}

impl Trial for Birthday {
    const NAME: &'static str = "birthday";
    const ABOUT: &'static str = "random identifiers that collide (exact product)";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::lower("collision_share", "share", "draws in which two identifiers are equal ÷ draws")];

    fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::new();
        if self.space == 0 {
            problems.push(Problem::new("nothing to draw from").key("space").remedy("at least 1"));
        }
        if self.rounds == 0 {
            problems.push(Problem::new("no draws").key("rounds").remedy("at least 1"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let collides = |round: u32| {
            let (mut rng, mut seen) = (key.open(u64::from(round), 0), BTreeSet::new());
            (0..self.ids).any(|_| !seen.insert((rng.uniform() * self.space as f64) as u64))
        };
        let collisions = (0..self.rounds).filter(|&round| collides(round)).count();
        vec![collisions as f64 / f64::from(self.rounds)]
    }
}
