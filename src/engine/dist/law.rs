//! A law with its parameters worked out: drawing from it, and what is known about it in closed form.

use super::empirical::Empirical;
use super::ln::minus_ln;
use super::special::{expm1_over, gamma_p, invert, normal_cdf, normal_quantile, standard_normal};
use crate::engine::rng::Rng;
use crate::engine::time::Span;

/// A law of durations, ready to be drawn from. Made by [`Dist::law`](super::Dist::law).
///
/// Values are in seconds. A draw costs between 2 and 60 ns.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    kind: Kind,
}

/// The laws, by their parameters. Resolved laws are valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Constant(f64),
    Uniform {
        low: f64,
        high: f64,
    },
    Triangular {
        low: f64,
        mode: f64,
        high: f64,
    },
    Exponential {
        mean: f64,
    },
    /// `stage` is the mean of one stage.
    Erlang {
        stages: u32,
        stage: f64,
    },
    Gamma {
        shape: f64,
        scale: f64,
    },
    Lognormal {
        median: f64,
        sigma: f64,
    },
    Weibull {
        shape: f64,
        scale: f64,
    },
    /// `upper` is infinite and `tail` 0 without a bound; else `tail` is (scale ÷ upper)^shape.
    Pareto {
        shape: f64,
        scale: f64,
        upper: f64,
        tail: f64,
    },
    /// In rising order of means.
    Hyperexponential(Box<[Phase]>),
    Empirical(Empirical),
    /// In rising order.
    EmpiricalValues(Box<[f64]>),
    /// Whole numbers from 1, P(X > k) = (1 − 1 ÷ mean)^k; `decay` is the logarithm of the base.
    Geometric {
        mean: f64,
        decay: f64,
    },
}

/// One branch of a hyperexponential law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Phase {
    /// The weights of the phases up to and including this one.
    pub(super) upto: f64,
    pub(super) weight: f64,
    pub(super) mean: f64,
}

/// Factors of an Erlang draw multiplied before their logarithm is taken: each is 2⁻⁵³ or more, so their
/// product stays a normal number.
const FACTORS: u32 = 16;

impl Law {
    pub(super) fn new(kind: Kind) -> Law {
        Law { kind }
    }

    #[cfg(test)]
    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Always `value`.
    pub fn fixed(value: Span) -> Law {
        Law { kind: Kind::Constant(value.as_secs_f64()) }
    }

    /// Whole numbers from 1 with this mean, above 1: how often one tries until something of probability
    /// 1 ÷ mean happens.
    pub(crate) fn geometric(mean: f64) -> Law {
        Law { kind: Kind::Geometric { mean, decay: libm::log1p(-1.0 / mean) } }
    }

    /// One draw \[s\]: never negative, never NaN; of very heavy tails it may be infinite.
    ///
    /// Inversion of one uniform number, except that Erlang and hyperexponential draws take several and
    /// rise with each of them, and gamma draws are made by rejection (Marsaglia and Tsang, ACM TOMS
    /// 26(3), 2000). A constant takes none.
    #[inline]
    pub fn sample(&self, rng: &mut Rng) -> f64 {
        match &self.kind {
            Kind::Constant(value) => *value,
            Kind::Exponential { mean } => exponential(rng) * mean,
            Kind::Uniform { .. }
            | Kind::Triangular { .. }
            | Kind::Weibull { .. }
            | Kind::Pareto { .. }
            | Kind::Empirical(_)
            | Kind::EmpiricalValues(_)
            | Kind::Geometric { .. } => self.quantile(rng.uniform()),
            Kind::Lognormal { .. } | Kind::Erlang { .. } | Kind::Gamma { .. } | Kind::Hyperexponential(_) => {
                self.sample_otherwise(rng)
            }
        }
    }

    /// Draws once for each of `out`, in order, as [`Law::sample`] would. Draws of a law given by quantiles
    /// then run into each other, so that none waits for the one before.
    pub(crate) fn sample_each(&self, rng: &mut Rng, out: &mut [f64]) {
        match &self.kind {
            Kind::Empirical(law) => out.fill_with(|| law.quantile(rng.uniform())),
            _ => out.fill_with(|| self.sample(rng)),
        }
    }

    /// A draw of a law that is not drawn by one inversion. Apart, so that the common laws are small enough
    /// to be drawn in line.
    fn sample_otherwise(&self, rng: &mut Rng) -> f64 {
        match &self.kind {
            Kind::Lognormal { median, sigma } => median * libm::exp(sigma * standard_normal(rng)),
            Kind::Erlang { stages, stage } => erlang(*stages, rng) * stage,
            Kind::Gamma { shape, scale } => gamma(*shape, rng) * scale,
            Kind::Hyperexponential(phases) => {
                let u = rng.uniform();
                let phase = phases.iter().find(|phase| u < phase.upto).or(phases.last());
                exponential(rng) * phase.expect("a mixture has a phase").mean
            }
            Kind::Constant(_)
            | Kind::Exponential { .. }
            | Kind::Uniform { .. }
            | Kind::Triangular { .. }
            | Kind::Weibull { .. }
            | Kind::Pareto { .. }
            | Kind::Empirical(_)
            | Kind::EmpiricalValues(_)
            | Kind::Geometric { .. } => unreachable!("drawn by inversion"),
        }
    }

    /// One draw, to the nearest nanosecond, and at most [`Span::LONGEST`].
    #[inline]
    pub fn sample_span(&self, rng: &mut Rng) -> Span {
        Span::from_secs_f64(self.sample(rng)).min(Span::LONGEST)
    }

    /// The value if every draw is the same.
    pub fn constant(&self) -> Option<f64> {
        if let Kind::Constant(value) = &self.kind { Some(*value) } else { None }
    }

    /// The mean \[s\]; infinite where the integral diverges.
    pub fn mean(&self) -> f64 {
        match &self.kind {
            Kind::Constant(value) => *value,
            Kind::Uniform { low, high } => (low + high) / 2.0,
            Kind::Triangular { low, mode, high } => (low + mode + high) / 3.0,
            Kind::Exponential { mean } => *mean,
            Kind::Erlang { stages, stage } => f64::from(*stages) * stage,
            Kind::Gamma { shape, scale } => shape * scale,
            Kind::Lognormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Kind::Weibull { shape, scale } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Kind::Pareto { shape, scale, upper, tail } => {
                scale * pareto_moment(*shape, scale / upper, *tail, 1.0)
            }
            Kind::Hyperexponential(phases) => phases.iter().map(|phase| phase.weight * phase.mean).sum(),
            Kind::Empirical(law) => law.segments().map(|(weight, a, b)| weight * (a + b) / 2.0).sum(),
            Kind::EmpiricalValues(values) => values.iter().sum::<f64>() / values.len() as f64,
            Kind::Geometric { mean, .. } => *mean,
        }
    }

    /// The variance \[s²\]; infinite where the integral diverges, also where the mean does.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        match &self.kind {
            Kind::Constant(_) => 0.0,
            Kind::Uniform { low, high } => (high - low) * (high - low) / 12.0,
            Kind::Triangular { low, mode, high } => {
                let (left, right) = (mode - low, high - mode);
                (left * left + left * right + right * right) / 18.0
            }
            Kind::Exponential { mean } => mean * mean,
            Kind::Erlang { stages, stage } => f64::from(*stages) * stage * stage,
            Kind::Gamma { shape, scale } => shape * scale * scale,
            Kind::Lognormal { median: _, sigma } => mean * mean * libm::expm1(sigma * sigma),
            Kind::Weibull { shape, scale } => {
                let (first, second) = (libm::tgamma(1.0 + 1.0 / shape), libm::tgamma(1.0 + 2.0 / shape));
                if second.is_infinite() { f64::INFINITY } else { scale * scale * (second - first * first) }
            }
            Kind::Pareto { shape, scale, upper, tail } => {
                let second = scale * scale * pareto_moment(*shape, scale / upper, *tail, 2.0);
                if second.is_infinite() { f64::INFINITY } else { second - mean * mean }
            }
            Kind::Hyperexponential(phases) => {
                phases.iter().map(|phase| 2.0 * phase.weight * phase.mean * phase.mean).sum::<f64>()
                    - mean * mean
            }
            Kind::Empirical(law) => {
                let square = |(weight, a, b): (f64, f64, f64)| {
                    let (a, b) = (a - mean, b - mean);
                    weight * (a * a + a * b + b * b) / 3.0
                };
                law.segments().map(square).sum()
            }
            Kind::EmpiricalValues(values) => {
                values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
            }
            Kind::Geometric { mean, .. } => mean * (mean - 1.0),
        }
    }

    /// The squared coefficient of variation, variance ÷ mean²; 0 for a constant, infinite where the
    /// variance is.
    pub fn scv(&self) -> f64 {
        let (mean, variance) = (self.mean(), self.variance());
        if variance == 0.0 || variance.is_infinite() { variance } else { variance / (mean * mean) }
    }

    /// P(X ≤ `x`), `x` in seconds.
    pub fn cdf(&self, x: f64) -> f64 {
        if x < 0.0 {
            return 0.0;
        }
        match &self.kind {
            Kind::Constant(value) => f64::from(u8::from(x >= *value)),
            Kind::Uniform { low, high } => ((x - low) / (high - low)).clamp(0.0, 1.0),
            Kind::Triangular { low, mode, high } => {
                let (x, width) = (x.clamp(*low, *high), high - low);
                if x < *mode {
                    (x - low) * (x - low) / (width * (mode - low))
                } else if x < *high {
                    1.0 - (high - x) * (high - x) / (width * (high - mode))
                } else {
                    1.0
                }
            }
            Kind::Exponential { mean } => -libm::expm1(-x / mean),
            Kind::Erlang { stages, stage } => gamma_p(f64::from(*stages), x / stage),
            Kind::Gamma { shape, scale } => gamma_p(*shape, x / scale),
            Kind::Lognormal { median, sigma } => normal_cdf(libm::log(x / median) / sigma),
            Kind::Weibull { shape, scale } => -libm::expm1(-libm::pow(x / scale, *shape)),
            Kind::Pareto { shape, scale, upper, tail } => {
                let x = x.clamp(*scale, *upper);
                (1.0 - libm::pow(scale / x, *shape)) / (1.0 - tail)
            }
            Kind::Hyperexponential(phases) => {
                phases.iter().map(|phase| -phase.weight * libm::expm1(-x / phase.mean)).sum()
            }
            Kind::Empirical(law) => law.cdf(x),
            Kind::EmpiricalValues(values) => {
                values.partition_point(|&value| value <= x) as f64 / values.len() as f64
            }
            Kind::Geometric { decay, .. } => -libm::expm1(libm::floor(x) * decay),
        }
    }

    /// The least value \[s\] whose [`Law::cdf`] reaches `p`. Closed form, except that Erlang, gamma and
    /// hyperexponential laws are inverted by bisection (about 10 µs).
    ///
    /// # Panics
    /// If `p` is not a probability.
    pub fn quantile(&self, p: f64) -> f64 {
        assert!((0.0..=1.0).contains(&p), "{p} is not a probability");
        match &self.kind {
            Kind::Constant(value) => *value,
            Kind::Uniform { low, high } => low + (high - low) * p,
            Kind::Triangular { low, mode, high } => {
                let (left, width) = (mode - low, high - low);
                if p * width < left {
                    low + (p * width * left).sqrt()
                } else {
                    high - ((1.0 - p) * width * (high - mode)).sqrt()
                }
            }
            Kind::Exponential { mean } => exponential_quantile(p) * mean,
            Kind::Lognormal { median, sigma } => median * libm::exp(sigma * normal_quantile(p)),
            // By the slower logarithm: of draws that last for days a last digit is a nanosecond, which would
            // change what a seed means, and the power takes longer than either.
            Kind::Weibull { shape, scale } => scale * libm::pow(-libm::log1p(-p), 1.0 / shape),
            Kind::Pareto { shape, scale, upper, tail } => {
                // Rounding may carry the result past the bound.
                (scale * libm::pow(1.0 - p * (1.0 - tail), -1.0 / shape)).min(*upper)
            }
            Kind::Erlang { .. } | Kind::Gamma { .. } | Kind::Hyperexponential(_) => {
                invert(|x| self.cdf(x), p, self.mean())
            }
            Kind::Empirical(law) => law.quantile(p),
            Kind::EmpiricalValues(values) => {
                let rank = (p * values.len() as f64).ceil() as usize;
                values[rank.clamp(1, values.len()) - 1]
            }
            Kind::Geometric { decay, .. } => libm::ceil(libm::log1p(-p) / decay).max(1.0),
        }
    }
}

/// A draw of the exponential law with mean 1: its quantile at a uniform number.
#[inline]
fn exponential(rng: &mut Rng) -> f64 {
    // Exact, as uniform numbers are odd multiples of 2⁻⁵³.
    minus_ln(1.0 - rng.uniform())
}

/// The quantile of the exponential law with mean 1.
fn exponential_quantile(p: f64) -> f64 {
    let rest = 1.0 - p;
    if rest == 0.0 {
        return f64::INFINITY;
    }
    // What rounding took from the rest is all there is of a tiny p.
    minus_ln(rest) - ((1.0 - rest) - p) / rest
}

/// A draw of the Erlang law whose stages have mean 1: minus the logarithm of a product of uniforms.
fn erlang(stages: u32, rng: &mut Rng) -> f64 {
    let (mut left, mut sum) = (stages, 0.0);
    while left > 0 {
        let factors = left.min(FACTORS);
        // 1 − U, exact and never 0, so that the draw rises with each U.
        let product: f64 = (0..factors).map(|_| 1.0 - rng.uniform()).product();
        sum += minus_ln(product);
        left -= factors;
    }
    sum
}

/// A draw of the gamma law of scale 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000; §6 for shapes below 1).
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, rng) * libm::pow(rng.uniform(), 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = standard_normal(rng);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let (v, u, square) = (root * root * root, rng.uniform(), x * x);
        let squeezed = u < 1.0 - 0.0331 * square * square;
        if squeezed || libm::log(u) < 0.5 * square + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

/// The moment of order `k` of the Pareto law of scale 1 and bound 1 ÷ `ratio`; `tail` = ratio^shape.
fn pareto_moment(shape: f64, ratio: f64, tail: f64, k: f64) -> f64 {
    if ratio == 0.0 {
        return if shape > k { shape / (shape - k) } else { f64::INFINITY };
    }
    // (1 − ratio^(a − k)) ÷ (a − k), also at a = k and near it.
    shape * expm1_over(shape - k, libm::log(ratio)) / (1.0 - tail)
}
