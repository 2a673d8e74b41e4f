//! Metrics of multi-agent systems recomputed from what a paper reports: overhead, efficiency, changes of
//! score, and the growth of turns with the team (arXiv 2512.08296).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Key, standard_normal};
use crate::error::Problems;
use crate::metrics::MetricDef;
use crate::metrics::turns::{efficiency, overhead_percent};
use crate::stats::power_law::PowerLaw;

/// Turns and success of a team against a single agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TurnOverhead {
    /// Mean turns of the team.
    pub turns: f64,
    /// Mean turns of the single agent.
    pub single_turns: f64,
    /// Success rate of the team. Default 1.
    #[serde(default = "certain")]
    pub success: f64,
}

fn certain() -> f64 {
    1.0
}

impl Trial for TurnOverhead {
    const NAME: &'static str = "turn_overhead";
    const ABOUT: &'static str = "overhead and efficiency from turns (arXiv 2512.08296v2)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("overhead_percent", "%", "(turns / turns of the single agent − 1) · 100"),
        MetricDef::higher("efficiency", "share", "success / (turns / turns of the single agent)"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("turns", self.turns)
            .positive("single_turns", self.single_turns)
            .probability("success", self.success)
            .done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        let TurnOverhead { turns, single_turns, success } = *self;
        vec![overhead_percent(turns, single_turns), efficiency(success, turns, single_turns)]
    }
}

/// A score before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RelativeChange {
    /// Before.
    pub from: f64,
    /// After.
    pub to: f64,
}

impl Trial for RelativeChange {
    const NAME: &'static str = "relative_change";
    const ABOUT: &'static str = "relative changes of scores, as papers report them";
    const METRICS: &'static [MetricDef] =
        &[MetricDef::neutral("change_percent", "%", "(to / from − 1) · 100")];

    fn check(&self) -> Result<(), Problems> {
        let finite = self.to.is_finite();
        Limits::new().positive("from", self.from).fits(finite, "to", self.to, "a finite number").done()
    }

    fn run(&self, _: Key) -> Vec<f64> {
        vec![overhead_percent(self.to, self.from)]
    }
}

/// A power law through given points, or through points drawn around one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PowerLawFit {
    /// Values of x.
    pub sizes: Vec<f64>,
    /// Values of y. Default: drawn, as follows.
    #[serde(default)]
    pub values: Vec<f64>,
    /// What is added to x. Default 0.
    #[serde(default)]
    pub offset: f64,
    /// Drawn y = coefficient·(x + offset)^exponent·e^(noise·Z). Default 1.
    #[serde(default = "certain")]
    pub coefficient: f64,
    /// See `coefficient`. Default 1.
    #[serde(default = "certain")]
    pub exponent: f64,
    /// See `coefficient`. Default 0.
    #[serde(default)]
    pub noise: f64,
    /// Where to evaluate the fitted law. Default 1.
    #[serde(default = "certain")]
    pub at: f64,
}

impl PowerLawFit {
    fn points(&self, key: Key) -> Vec<(f64, f64)> {
        let drawn = |(index, &x): (usize, &f64)| {
            let noise = libm::exp(self.noise * standard_normal(&mut key.open(index as u64, 0)));
            (x, self.coefficient * libm::pow(x + self.offset, self.exponent) * noise)
        };
        if self.values.is_empty() {
            self.sizes.iter().enumerate().map(drawn).collect()
        } else {
            self.sizes.iter().copied().zip(self.values.iter().copied()).collect()
        }
    }
}

impl Trial for PowerLawFit {
    const NAME: &'static str = "power_law_fit";
    const ABOUT: &'static str = "a power law fitted through logarithms, as turns against team size";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("exponent", "1", "slope of ln y on ln(x + offset)"),
        MetricDef::neutral("exponent_low", "1", "lower end of its 95 % interval; none with two points"),
        MetricDef::neutral("exponent_high", "1", "upper end of its 95 % interval; none with two points"),
        MetricDef::neutral("coefficient", "y", "the law where x + offset is 1"),
        MetricDef::neutral("r_squared", "share", "variance of ln y explained"),
        MetricDef::neutral("value", "y", "the law at x = `at`"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let given = &self.values;
        let paired = given.is_empty() || given.len() == self.sizes.len();
        let sound = |value: f64| value.is_finite() && value > 0.0;
        let differ = self.sizes.iter().any(|size| *size != self.sizes[0]);
        let sizes = differ && self.sizes.iter().all(|size| sound(size + self.offset));
        Limits::new()
            .fits(sizes, "sizes", format!("{:?}", self.sizes), "two different ones, above 0 with `offset`")
            .fits(paired, "values", given.len(), format!("{} of them, one for each size", self.sizes.len()))
            .fits(given.iter().all(|&y| sound(y)), "values", format!("{given:?}"), "numbers above 0")
            .positive("coefficient", self.coefficient)
            .fits(self.exponent.is_finite(), "exponent", self.exponent, "a finite number")
            .at_least("noise", self.noise, 0)
            .positive("at", self.at + self.offset)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let fit = PowerLaw::fit(&self.points(key), self.offset).expect("checked");
        let exponent = fit.exponent;
        vec![exponent.estimate, exponent.low, exponent.high, fit.coefficient, fit.r_squared, fit.at(self.at)]
    }
}
