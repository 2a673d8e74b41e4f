//! From what the user wrote to a law that can be drawn from: checks each parameter and derives the rest.

use std::fmt;

use super::empirical::{Empirical, Point};
use super::law::{Kind, Law, Phase};
use super::{Dist, Normalisation};
use crate::engine::time::Span;

/// Why a [`Dist`] is not a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistError {
    /// The parameter at fault, below the key of the law: `lognormal.sigma`.
    pub key: &'static str,
    /// What is wrong with it, and what to write instead.
    pub message: String,
}

impl fmt::Display for DistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.message)
    }
}
impl std::error::Error for DistError {}

/// More stages than this are slower to draw than they are worth.
const MOST_STAGES: u32 = 1_000;

/// Works out `dist`.
pub(super) fn resolve(dist: &Dist) -> Result<Law, DistError> {
    let kind = match dist {
        Dist::Constant(value) => Kind::Constant(value.as_secs_f64()),
        Dist::Uniform { low, high } => {
            if low >= high {
                return refuse("uniform.high", format!("must be above `low`, but {high} is not above {low}"));
            }
            Kind::Uniform { low: low.as_secs_f64(), high: high.as_secs_f64() }
        }
        Dist::Triangular { low, mode, high } => triangular(*low, *mode, *high)?,
        Dist::Exponential { mean } => Kind::Exponential { mean: above_zero("exponential.mean", *mean)? },
        Dist::Erlang { stages, mean } => {
            if !(1..=MOST_STAGES).contains(stages) {
                let remedy = "for more, write gamma = { shape, mean } with the number of stages as the shape";
                return refuse(
                    "erlang.stages",
                    format!("must be 1 to {MOST_STAGES}, not {stages}; {remedy}"),
                );
            }
            let stage = above_zero("erlang.mean", *mean)? / f64::from(*stages);
            Kind::Erlang { stages: *stages, stage }
        }
        Dist::Gamma { shape, mean } => {
            let shape = positive("gamma.shape", *shape)?;
            let scale = above_zero("gamma.mean", *mean)? / shape;
            Kind::Gamma { shape, scale: derived("gamma.shape", shape, scale)? }
        }
        Dist::Lognormal { median, mean, sigma } => lognormal(*median, *mean, *sigma)?,
        Dist::Weibull { shape, scale, mean } => weibull(*shape, *scale, *mean)?,
        Dist::Pareto { shape, scale, upper } => pareto(*shape, *scale, *upper)?,
        Dist::Hyperexponential { mean, scv, normalisation } => {
            hyperexponential(above_zero("hyperexponential.mean", *mean)?, *scv, *normalisation)?
        }
        Dist::Mixture { weights, means } => mixture(weights, means)?,
        Dist::Empirical { quantiles } => empirical(quantiles)?,
        Dist::EmpiricalValues(values) => {
            if values.is_empty() {
                return refuse("empirical_values", "needs at least one value".to_owned());
            }
            let mut values: Vec<f64> = values.iter().map(|value| value.as_secs_f64()).collect();
            values.sort_by(f64::total_cmp);
            Kind::EmpiricalValues(values.into())
        }
    };
    Ok(Law::new(kind))
}

fn refuse<T>(key: &'static str, message: String) -> Result<T, DistError> {
    Err(DistError { key, message })
}

fn positive(key: &'static str, value: f64) -> Result<f64, DistError> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    refuse(key, format!("must be a number above 0, not {value}"))
}

fn above_zero(key: &'static str, value: Span) -> Result<f64, DistError> {
    if value.is_zero() {
        return refuse(key, "must be above zero; for no time at all, write the law as \"0s\"".to_owned());
    }
    Ok(value.as_secs_f64())
}

/// A derived parameter leaves the range of numbers only where `value`, which it derives from, is absurd.
fn derived(key: &'static str, value: f64, parameter: f64) -> Result<f64, DistError> {
    if parameter.is_normal() {
        return Ok(parameter);
    }
    refuse(key, format!("{value} is too extreme: no draw of such a law is a meaningful duration"))
}

/// The one of two parameters that is given.
fn either(
    (key, a, b): (&'static str, &str, &str),
    first: Option<Span>,
    second: Option<Span>,
) -> Result<Span, DistError> {
    match (first, second) {
        (Some(value), None) | (None, Some(value)) => Ok(value),
        (None, None) => refuse(key, format!("needs `{a}` or `{b}`")),
        (Some(_), Some(_)) => {
            refuse(key, format!("takes `{a}` or `{b}`, not both: each follows from the other"))
        }
    }
}

fn triangular(low: Span, mode: Span, high: Span) -> Result<Kind, DistError> {
    if low >= high {
        return refuse("triangular.high", format!("must be above `low`, but {high} is not above {low}"));
    }
    if mode < low || high < mode {
        return refuse("triangular.mode", format!("must lie between {low} and {high}, but is {mode}"));
    }
    Ok(Kind::Triangular { low: low.as_secs_f64(), mode: mode.as_secs_f64(), high: high.as_secs_f64() })
}

fn lognormal(median: Option<Span>, mean: Option<Span>, sigma: f64) -> Result<Kind, DistError> {
    if !(sigma >= 0.0 && sigma.is_finite()) {
        return refuse("lognormal.sigma", format!("must be a number of 0 or more, not {sigma}"));
    }
    let given = either(("lognormal", "median", "mean"), median, mean)?;
    let median = match mean {
        None => above_zero("lognormal.median", given)?,
        Some(_) => above_zero("lognormal.mean", given)? * libm::exp(-sigma * sigma / 2.0),
    };
    let median = derived("lognormal.sigma", sigma, median)?;
    Ok(if sigma > 0.0 { Kind::Lognormal { median, sigma } } else { Kind::Constant(median) })
}

fn weibull(shape: f64, scale: Option<Span>, mean: Option<Span>) -> Result<Kind, DistError> {
    let shape = positive("weibull.shape", shape)?;
    let given = either(("weibull", "scale", "mean"), scale, mean)?;
    let scale = match mean {
        None => above_zero("weibull.scale", given)?,
        Some(_) => above_zero("weibull.mean", given)? / libm::tgamma(1.0 + 1.0 / shape),
    };
    Ok(Kind::Weibull { shape, scale: derived("weibull.shape", shape, scale)? })
}

fn pareto(shape: f64, scale: Span, upper: Option<Span>) -> Result<Kind, DistError> {
    let shape = positive("pareto.shape", shape)?;
    let least = above_zero("pareto.scale", scale)?;
    let Some(upper) = upper else {
        return Ok(Kind::Pareto { shape, scale: least, upper: f64::INFINITY, tail: 0.0 });
    };
    if upper <= scale {
        return refuse("pareto.upper", format!("must be above `scale`, but {upper} is not above {scale}"));
    }
    let upper = upper.as_secs_f64();
    let tail = libm::pow(least / upper, shape);
    derived("pareto.shape", shape, 1.0 - tail)?;
    Ok(Kind::Pareto { shape, scale: least, upper, tail })
}

/// The two phases of H₂ (Tijms, "Stochastic Models", 1994, appendix B).
fn hyperexponential(mean: f64, scv: f64, normalisation: Normalisation) -> Result<Kind, DistError> {
    if !(scv >= 1.0 && scv.is_finite()) {
        let remedy = "below 1, write gamma = { shape, mean } with shape = 1 ÷ scv";
        return refuse("hyperexponential.scv", format!("must be a number of 1 or more, not {scv}; {remedy}"));
    }
    let (weight, short, long) = match normalisation {
        Normalisation::Balanced => {
            // The rarer law is the longer one: its weight is found without cancellation.
            let root = ((scv - 1.0) / (scv + 1.0)).sqrt();
            let rare = 1.0 / ((scv + 1.0) * (1.0 + root));
            (1.0 - rare, mean / (2.0 * (1.0 - rare)), mean / (2.0 * rare))
        }
        Normalisation::Gamma => {
            let root = ((scv - 0.5) / (scv + 1.0)).sqrt();
            // 1 − root, without cancellation.
            let slow = 1.5 / ((scv + 1.0) * (1.0 + root));
            // The rates are 2(1 ± root) ÷ mean.
            (
                (1.0 + root) * (1.0 - 2.0 * slow) / (2.0 * root),
                mean / (2.0 * (1.0 + root)),
                mean / (2.0 * slow),
            )
        }
    };
    derived("hyperexponential.scv", scv, long)?;
    // At scv = 1 the gamma normalisation leaves one law only, and rounding may leave its weight at 1 + ε.
    let weight = weight.clamp(0.0, 1.0);
    Ok(phases(vec![(weight, short), (1.0 - weight, long)]))
}

fn mixture(weights: &[f64], means: &[Span]) -> Result<Kind, DistError> {
    if weights.is_empty() || weights.len() != means.len() {
        let (weights, means) = (weights.len(), means.len());
        return refuse(
            "mixture.weights",
            format!("{weights} weights for {means} means: each mean needs one"),
        );
    }
    let mut pairs = Vec::with_capacity(weights.len());
    for (&weight, &mean) in weights.iter().zip(means) {
        pairs.push((positive("mixture.weights", weight)?, above_zero("mixture.means", mean)?));
    }
    let sum: f64 = pairs.iter().map(|pair| pair.0).sum();
    derived("mixture.weights", sum, sum)?;
    Ok(phases(pairs.into_iter().map(|(weight, mean)| (weight / sum, mean)).collect()))
}

/// Sorts by mean, so that a draw rises with the number that picks its phase.
fn phases(mut pairs: Vec<(f64, f64)>) -> Kind {
    pairs.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut upto = 0.0;
    let phase = |(weight, mean)| {
        upto += weight;
        Phase { upto, weight, mean }
    };
    Kind::Hyperexponential(pairs.into_iter().map(phase).collect())
}

fn empirical(quantiles: &[(f64, Span)]) -> Result<Kind, DistError> {
    const KEY: &str = "empirical.quantiles";
    let (Some(first), Some(last)) = (quantiles.first(), quantiles.last()) else {
        return refuse(KEY, "needs at least the pairs [0, least] and [1, greatest]".to_owned());
    };
    if first.0 != 0.0 || last.0 != 1.0 {
        let remedy = "add [0, least] and [1, greatest], which say how far the tails reach";
        return refuse(KEY, format!("must go from 0 to 1, not from {} to {}; {remedy}", first.0, last.0));
    }
    for pair in quantiles.windows(2) {
        let ((p, value), (next, above)) = (pair[0], pair[1]);
        // Written so that NaN is refused too.
        let rises = p < next;
        if !rises || above < value {
            return refuse(KEY, format!("must rise, but [{next}, \"{above}\"] follows [{p}, \"{value}\"]"));
        }
    }
    let points = quantiles.iter().map(|&(p, value)| Point { p, value: value.as_secs_f64() });
    Ok(Kind::Empirical(Empirical::new(points.collect())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn nonsense_is_refused_by_name() {
        let cases = [
            (r#"{ uniform = { low = "2s", high = "2s" } }"#, "uniform.high", "2s is not above 2s"),
            (
                r#"{ triangular = { low = "1s", mode = "1s", high = "1s" } }"#,
                "triangular.high",
                "above `low`",
            ),
            (r#"{ triangular = { low = "1s", mode = "9s", high = "2s" } }"#, "triangular.mode", "but is 9s"),
            (r#"{ exponential = { mean = "0s" } }"#, "exponential.mean", "write the law as \"0s\""),
            (r#"{ erlang = { stages = 0, mean = "1s" } }"#, "erlang.stages", "1 to 1000, not 0"),
            (r#"{ erlang = { stages = 4000000000, mean = "1s" } }"#, "erlang.stages", "write gamma"),
            (r#"{ gamma = { shape = -1, mean = "1s" } }"#, "gamma.shape", "not -1"),
            (r#"{ gamma = { shape = nan, mean = "1s" } }"#, "gamma.shape", "not NaN"),
            (r#"{ lognormal = { sigma = 1 } }"#, "lognormal", "needs `median` or `mean`"),
            (r#"{ lognormal = { median = "1s", mean = "1s", sigma = 1 } }"#, "lognormal", "not both"),
            (r#"{ lognormal = { mean = "1s", sigma = inf } }"#, "lognormal.sigma", "not inf"),
            (r#"{ lognormal = { mean = "1s", sigma = 90 } }"#, "lognormal.sigma", "90 is too extreme"),
            (r#"{ weibull = { shape = 1 } }"#, "weibull", "needs `scale` or `mean`"),
            (r#"{ weibull = { shape = 1e-3, mean = "1s" } }"#, "weibull.shape", "too extreme"),
            (r#"{ pareto = { shape = 0, scale = "1s" } }"#, "pareto.shape", "not 0"),
            (
                r#"{ pareto = { shape = 1, scale = "2s", upper = "1s" } }"#,
                "pareto.upper",
                "1s is not above 2s",
            ),
            (
                r#"{ hyperexponential = { mean = "1s", scv = 0.5 } }"#,
                "hyperexponential.scv",
                "shape = 1 ÷ scv",
            ),
            (
                r#"{ mixture = { weights = [1, 2], means = ["1s"] } }"#,
                "mixture.weights",
                "2 weights for 1 means",
            ),
            (r#"{ mixture = { weights = [0], means = ["1s"] } }"#, "mixture.weights", "not 0"),
            (r#"{ empirical = { quantiles = [] } }"#, "empirical.quantiles", "at least"),
            (r#"{ empirical = { quantiles = [[0, "0s"], [0.9, "1s"]] } }"#, "empirical.quantiles", "to 0.9"),
            (
                r#"{ empirical = { quantiles = [[0, "2s"], [0.5, "1s"], [1, "3s"]] } }"#,
                "empirical.quantiles",
                "[0.5, \"1s\"] follows [0, \"2s\"]",
            ),
            (
                r#"{ empirical = { quantiles = [[0, "2s"], [nan, "2s"], [1, "3s"]] } }"#,
                "empirical.quantiles",
                "NaN",
            ),
            (r#"{ empirical_values = [] }"#, "empirical_values", "at least one"),
        ];
        for (text, key, message) in cases {
            let error = read(text).validate().expect_err(text);
            assert_eq!(error.key, key, "{text}: {error}");
            assert!(error.message.contains(message), "{text}: {error}");
        }
    }
}
