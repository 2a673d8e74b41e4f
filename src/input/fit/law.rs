//! The families of laws that are fitted, with what a fit needs to know of each.
//!
//! Not the laws that a run draws from: those of `engine` know durations only and have no densities.
//! [`Law::text`] writes a fitted law in the words that those are read from.

use crate::engine::Span;

/// A law with its parameters; times in seconds, or plain numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Law {
    Exponential {
        mean: f64,
    },
    Lognormal {
        median: f64,
        sigma: f64,
    },
    Weibull {
        shape: f64,
        scale: f64,
    },
    Pareto {
        shape: f64,
        scale: f64,
    },
    /// Pareto moved to start at 0. Scenario files have no such law; it is fitted for comparison.
    Lomax {
        shape: f64,
        scale: f64,
    },
    /// Two exponentials, each half of the mean.
    Hyperexponential {
        mean: f64,
        scv: f64,
    },
    /// Exponentials: the weight and the mean of each.
    Mixture(Vec<(f64, f64)>),
    /// Straight lines between quantiles: probability and value, from 0 to 1.
    Empirical(Vec<(f64, f64)>),
}

/// How numbers of a sample are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Plain,
}

impl Law {
    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        match self {
            Law::Exponential { .. } => "exponential",
            Law::Lognormal { .. } => "lognormal",
            Law::Weibull { .. } => "weibull",
            Law::Pareto { .. } => "pareto",
            Law::Lomax { .. } => "lomax",
            Law::Hyperexponential { .. } => "hyperexponential",
            Law::Mixture(_) => "mixture",
            Law::Empirical(_) => "empirical",
        }
    }

    /// Whether scenario files have this law.
    pub(super) fn is_scenario_law(&self) -> bool {
        !matches!(self, Law::Lomax { .. })
    }

    /// How many numbers were fitted.
    pub(super) fn parameters(&self) -> usize {
        match self {
            Law::Exponential { .. } => 1,
            Law::Lognormal { .. }
            | Law::Weibull { .. }
            | Law::Pareto { .. }
            | Law::Lomax { .. }
            | Law::Hyperexponential { .. } => 2,
            Law::Mixture(phases) => 2 * phases.len() - 1,
            Law::Empirical(points) => points.len(),
        }
    }

    /// P(X ≤ `x`) for `x` above 0.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        match self {
            Law::Exponential { mean } => -libm::expm1(-x / mean),
            Law::Lognormal { median, sigma } => {
                0.5 * libm::erfc(-libm::log(x / median) / (sigma * std::f64::consts::SQRT_2))
            }
            Law::Weibull { shape, scale } => -libm::expm1(-libm::pow(x / scale, *shape)),
            Law::Pareto { shape, scale } => {
                if x <= *scale {
                    0.0
                } else {
                    1.0 - libm::pow(scale / x, *shape)
                }
            }
            Law::Lomax { shape, scale } => -libm::expm1(-shape * libm::log1p(x / scale)),
            Law::Hyperexponential { mean, scv } => Law::Mixture(balanced(*mean, *scv)).cdf(x),
            Law::Mixture(phases) => {
                phases.iter().map(|(weight, mean)| -weight * libm::expm1(-x / mean)).sum()
            }
            Law::Empirical(points) => {
                let above = points.partition_point(|(_, value)| *value <= x);
                if above == 0 {
                    return 0.0;
                }
                let (p, low) = points[above - 1];
                points.get(above).map_or(1.0, |(next, high)| p + (next - p) * (x - low) / (high - low))
            }
        }
    }

    /// P(X < `x`): less than [`Law::cdf`] only where a table of quantiles says one value twice.
    pub(super) fn cdf_below(&self, x: f64) -> f64 {
        let Law::Empirical(points) = self else { return self.cdf(x) };
        match points.iter().find(|(_, value)| *value >= x) {
            Some((p, value)) if *value == x => *p,
            Some(_) | None => self.cdf(x),
        }
    }

    /// ln of the density at `x` above 0; `None` where the law has no likelihood to speak of.
    pub(super) fn ln_density(&self, x: f64) -> Option<f64> {
        let value = match self {
            Law::Exponential { mean } => -libm::log(*mean) - x / mean,
            Law::Lognormal { median, sigma } => {
                let z = libm::log(x / median) / sigma;
                -0.5 * z * z - libm::log(x * sigma * libm::sqrt(2.0 * std::f64::consts::PI))
            }
            Law::Weibull { shape, scale } => {
                let ln = libm::log(x / scale);
                libm::log(shape / scale) + (shape - 1.0) * ln - libm::exp(shape * ln)
            }
            Law::Pareto { shape, scale } => {
                if x < *scale {
                    return Some(f64::NEG_INFINITY);
                }
                libm::log(shape / scale) - (shape + 1.0) * libm::log(x / scale)
            }
            Law::Lomax { shape, scale } => libm::log(shape / scale) - (shape + 1.0) * libm::log1p(x / scale),
            Law::Hyperexponential { mean, scv } => return Law::Mixture(balanced(*mean, *scv)).ln_density(x),
            Law::Mixture(phases) => {
                libm::log(phases.iter().map(|(weight, mean)| weight / mean * libm::exp(-x / mean)).sum())
            }
            Law::Empirical(_) => return None,
        };
        Some(value)
    }

    /// The mean; infinite where the integral diverges.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Law::Exponential { mean } | Law::Hyperexponential { mean, .. } => *mean,
            Law::Lognormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Law::Weibull { shape, scale } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Law::Pareto { shape, scale } if *shape > 1.0 => scale * shape / (shape - 1.0),
            Law::Lomax { shape, scale } if *shape > 1.0 => scale / (shape - 1.0),
            Law::Pareto { .. } | Law::Lomax { .. } => f64::INFINITY,
            Law::Mixture(phases) => phases.iter().map(|(weight, mean)| weight * mean).sum(),
            Law::Empirical(points) => {
                points.windows(2).map(|w| (w[1].0 - w[0].0) * f64::midpoint(w[0].1, w[1].1)).sum()
            }
        }
    }

    /// One draw, for checks by simulation of laws of gaps; `uniform` gives numbers between 0 and 1.
    pub(super) fn sample(&self, uniform: &mut impl FnMut() -> f64) -> f64 {
        let exponential = |u: f64| -libm::log(u);
        match self {
            Law::Exponential { mean } => mean * exponential(uniform()),
            Law::Lognormal { median, sigma } => {
                // Box and Muller, 1958.
                let radius = libm::sqrt(2.0 * exponential(uniform()));
                median * libm::exp(sigma * radius * libm::cos(2.0 * std::f64::consts::PI * uniform()))
            }
            Law::Weibull { shape, scale } => scale * libm::pow(exponential(uniform()), 1.0 / shape),
            Law::Pareto { shape, scale } => scale * libm::pow(uniform(), -1.0 / shape),
            Law::Lomax { shape, scale } => scale * (libm::pow(uniform(), -1.0 / shape) - 1.0),
            Law::Hyperexponential { mean, scv } => Law::Mixture(balanced(*mean, *scv)).sample(uniform),
            Law::Mixture(phases) => {
                let mut left = uniform();
                let found = phases.iter().find(|(weight, _)| {
                    left -= weight;
                    left < 0.0
                });
                found.or(phases.last()).map_or(0.0, |(_, mean)| mean * exponential(uniform()))
            }
            Law::Empirical(points) => {
                let u = uniform();
                let above = points.partition_point(|(p, _)| *p < u).clamp(1, points.len() - 1);
                let ((p, low), (next, high)) = (points[above - 1], points[above]);
                low + (high - low) * (u - p) / (next - p)
            }
        }
    }

    /// The law as it will be printed: what is judged is what is used.
    pub(super) fn rounded(&self) -> Law {
        let r = |value: &f64| round_to(*value, DIGITS);
        let pairs = |pairs: &[(f64, f64)]| pairs.iter().map(|(a, b)| (r(a), r(b))).collect();
        match self {
            Law::Exponential { mean } => Law::Exponential { mean: r(mean) },
            Law::Lognormal { median, sigma } => Law::Lognormal { median: r(median), sigma: r(sigma) },
            Law::Weibull { shape, scale } => Law::Weibull { shape: r(shape), scale: r(scale) },
            Law::Pareto { shape, scale } => Law::Pareto { shape: r(shape), scale: r(scale) },
            Law::Lomax { shape, scale } => Law::Lomax { shape: r(shape), scale: r(scale) },
            Law::Hyperexponential { mean, scv } => Law::Hyperexponential { mean: r(mean), scv: r(scv) },
            Law::Mixture(phases) => Law::Mixture(pairs(phases)),
            Law::Empirical(points) => Law::Empirical(pairs(points)),
        }
    }

    /// The law as scenario files write it.
    pub(super) fn text(&self, unit: Unit) -> String {
        let v = |value: &f64| value_text(*value, unit);
        match self {
            Law::Exponential { mean } => format!("{{ exponential = {{ mean = {} }} }}", v(mean)),
            Law::Lognormal { median, sigma } => {
                format!("{{ lognormal = {{ median = {}, sigma = {sigma} }} }}", v(median))
            }
            Law::Weibull { shape, scale } => {
                format!("{{ weibull = {{ shape = {shape}, scale = {} }} }}", v(scale))
            }
            Law::Pareto { shape, scale } => {
                format!("{{ pareto = {{ shape = {shape}, scale = {} }} }}", v(scale))
            }
            Law::Lomax { shape, scale } => {
                format!("{{ lomax = {{ shape = {shape}, scale = {} }} }}", v(scale))
            }
            Law::Hyperexponential { mean, scv } => {
                let mean = v(mean);
                format!(
                    "{{ hyperexponential = {{ mean = {mean}, scv = {scv}, normalisation = \"balanced\" }} }}"
                )
            }
            Law::Mixture(phases) => {
                let weights: Vec<String> = phases.iter().map(|(weight, _)| weight.to_string()).collect();
                let means: Vec<String> = phases.iter().map(|(_, mean)| v(mean)).collect();
                let (weights, means) = (weights.join(", "), means.join(", "));
                format!("{{ mixture = {{ weights = [{weights}], means = [{means}] }} }}")
            }
            Law::Empirical(points) => {
                let points: Vec<String> =
                    points.iter().map(|(p, value)| format!("[{p}, {}]", v(value))).collect();
                format!("{{ empirical = {{ quantiles = [{}] }} }}", points.join(", "))
            }
        }
    }
}

/// The two phases of a hyperexponential law with balanced means (Tijms, "Stochastic Models", 1994,
/// appendix B).
fn balanced(mean: f64, scv: f64) -> Vec<(f64, f64)> {
    let p = 0.5 * (1.0 + libm::sqrt((scv - 1.0) / (scv + 1.0)));
    vec![(p, mean / (2.0 * p)), (1.0 - p, mean / (2.0 * (1.0 - p)))]
}

/// Significant digits of printed parameters: more than any of the samples can tell.
const DIGITS: i32 = 4;

/// `value` to `digits` significant digits. Through its decimal text, so that the result is the number
/// nearest to that text and prints short.
pub(super) fn round_to(value: f64, digits: i32) -> f64 {
    format!("{value:.*e}", (digits - 1).max(0) as usize).parse().unwrap_or(value)
}

/// `value` as scenario files write it: a plain number, or a quoted duration in a unit that suits it.
pub(super) fn value_text(value: f64, unit: Unit) -> String {
    if unit == Unit::Plain {
        return value.to_string();
    }
    let units = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)];
    let (name, size) = units.into_iter().find(|(_, size)| value >= *size).unwrap_or(("ns", 1e-9));
    let text = format!("{}{name}", round_to(value / size, DIGITS));
    debug_assert!(text.parse::<Span>().is_ok(), "{text} must be read back as a duration");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::near;

    fn all() -> Vec<Law> {
        vec![
            Law::Exponential { mean: 2.0 },
            Law::Lognormal { median: 1.5, sigma: 0.6 },
            Law::Weibull { shape: 0.7, scale: 2.0 },
            Law::Pareto { shape: 3.5, scale: 1.2 },
            Law::Lomax { shape: 3.5, scale: 4.0 },
            Law::Hyperexponential { mean: 2.0, scv: 4.0 },
            Law::Mixture(vec![(0.5, 0.1), (0.3, 1.0), (0.2, 10.0)]),
            Law::Empirical(vec![(0.0, 1.0), (0.5, 2.0), (1.0, 6.0)]),
        ]
    }

    /// The density integrates to the distribution function between two points, by Simpson's rule.
    #[test]
    fn densities_are_the_slopes_of_distribution_functions() {
        for law in all() {
            let (from, to, steps) = (1.3, 3.1, 200);
            let width = (to - from) / f64::from(steps);
            let Some(_) = law.ln_density(from) else { continue };
            let density = |i: i32| libm::exp(law.ln_density(from + width * f64::from(i)).unwrap());
            let weight = |i: i32| {
                if i == 0 || i == steps {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                }
            };
            let integral: f64 = (0..=steps).map(|i| weight(i) * density(i)).sum::<f64>() * width / 3.0;
            assert!(near(integral, law.cdf(to) - law.cdf(from), 1e-7), "{law:?}");
        }
    }

    #[test]
    fn draws_have_the_law_and_the_mean() {
        for law in all() {
            let mut rng = super::super::bursts::SplitMix(11);
            let n = 40_000;
            let draws: Vec<f64> = (0..n).map(|_| law.sample(&mut || rng.uniform())).collect();
            let ks = super::super::quality::ks(&draws, &law);
            assert!(ks < 1.95 / f64::from(n).sqrt(), "{law:?}: {ks} exceeds the 99.9 % point");
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            assert!(near(mean, law.mean(), 0.05), "{law:?}: {mean}");
        }
    }

    #[test]
    fn texts_are_what_scenarios_are_written_in() {
        let text = |law: &Law| law.rounded().text(Unit::Seconds);
        let weibull = Law::Weibull { shape: 0.480_01, scale: 14.37 * 3_600.0 };
        assert_eq!(text(&weibull), "{ weibull = { shape = 0.48, scale = \"14.37h\" } }");
        let hyper = Law::Hyperexponential { mean: 0.38965, scv: 172.96 };
        let want = "{ hyperexponential = { mean = \"389.6ms\", scv = 173, normalisation = \"balanced\" } }";
        assert_eq!(text(&hyper), want);
        let tokens = Law::Lognormal { median: 1469.04, sigma: 1.23456 };
        assert_eq!(tokens.rounded().text(Unit::Plain), "{ lognormal = { median = 1469, sigma = 1.235 } }");
        for law in all().iter().filter(|law| law.is_scenario_law()) {
            let table: toml::Table = format!("law = {}", law.text(Unit::Seconds)).parse().unwrap();
            assert!(table["law"].get(law.name()).is_some(), "{law:?}");
        }
    }

    #[test]
    fn durations_choose_their_unit() {
        let known =
            [(90_000.0, "1.042d"), (3_600.0, "1h"), (61.0, "1.017min"), (0.0639, "63.9ms"), (2.2e-5, "22us")];
        for (value, want) in known {
            assert_eq!(value_text(value, Unit::Seconds), format!("\"{want}\""));
        }
        assert_eq!(value_text(0.0, Unit::Seconds), "\"0ns\"");
    }
}
