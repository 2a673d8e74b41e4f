//! Estimators: from a sample of numbers above zero to a law of each family.

use super::law::Law;
use super::quality::{moments, quantile};

/// Maximum likelihood: the mean.
pub(super) fn exponential(sample: &[f64]) -> Law {
    Law::Exponential { mean: moments(sample).0 }
}

/// Maximum likelihood: mean and standard deviation of the logarithms.
pub(super) fn lognormal(sample: &[f64]) -> Law {
    let logs: Vec<f64> = sample.iter().map(|x| libm::log(*x)).collect();
    let (mu, variance) = moments(&logs);
    Law::Lognormal { median: libm::exp(mu), sigma: libm::sqrt(variance) }
}

/// Maximum likelihood. The shape k solves Σ xᵏ ln x ÷ Σ xᵏ − 1/k = mean ln x, whose left side rises
/// with k (Cohen, Technometrics 7(4), 1965); the scale follows.
pub(super) fn weibull(sample: &[f64]) -> Law {
    // Logarithms relative to the largest value keep every power in (0, 1].
    let largest = sample.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let logs: Vec<f64> = sample.iter().map(|x| libm::log(x / largest)).collect();
    let mean_log = moments(&logs).0;
    let sums = |shape: f64| {
        logs.iter().fold((0.0, 0.0), |(powers, weighted), ln| {
            let power = libm::exp(shape * ln);
            (powers + power, weighted + power * ln)
        })
    };
    let excess = |shape: f64| {
        let (powers, weighted) = sums(shape);
        weighted / powers - 1.0 / shape - mean_log
    };
    let (mut low, mut high) = (1e-3, 1e3);
    for _ in 0..60 {
        let middle = libm::sqrt(low * high);
        if excess(middle) < 0.0 { low = middle } else { high = middle }
    }
    let shape = libm::sqrt(low * high);
    Law::Weibull { shape, scale: largest * libm::pow(sums(shape).0 / logs.len() as f64, 1.0 / shape) }
}

/// Maximum likelihood: the least value, and Hill's estimator over all of the sample.
pub(super) fn pareto(sample: &[f64]) -> Law {
    let scale = sample.iter().copied().fold(f64::INFINITY, f64::min);
    let logs: f64 = sample.iter().map(|x| libm::log(x / scale)).sum();
    Law::Pareto { shape: sample.len() as f64 / logs, scale }
}

/// Maximum likelihood over the profile of the scale: given it, the shape is n ÷ Σ ln(1 + x ÷ scale).
/// Golden-section search of the scale's logarithm (Kiefer, Proc. AMS 4(3), 1953).
pub(super) fn lomax(sample: &[f64]) -> Law {
    let n = sample.len() as f64;
    let shape = |scale: f64| n / sample.iter().map(|x| libm::log1p(x / scale)).sum::<f64>();
    let profile = |ln_scale: f64| {
        let scale = libm::exp(ln_scale);
        let shape = shape(scale);
        n * libm::log(shape / scale) - (shape + 1.0) * n / shape
    };
    let mean = moments(sample).0;
    let (mut low, mut high) = (libm::log(mean * 1e-6), libm::log(mean * 1e6));
    let golden = (libm::sqrt(5.0) - 1.0) / 2.0;
    for _ in 0..60 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if profile(a) > profile(b) { high = b } else { low = a }
    }
    let scale = libm::exp(f64::midpoint(low, high));
    Law::Lomax { shape: shape(scale), scale }
}

/// By moments: mean and squared coefficient of variation. `None` below an scv of 1, where no
/// hyperexponential law has them.
pub(super) fn hyperexponential(sample: &[f64]) -> Option<Law> {
    let (mean, variance) = moments(sample);
    let scv = variance / (mean * mean);
    (scv > 1.0).then_some(Law::Hyperexponential { mean, scv })
}

/// Maximum likelihood by expectation–maximisation (Dempster, Laird, Rubin, JRSS B 39(1), 1977): `phases`
/// exponentials, started from equal parts of the sorted sample.
pub(super) fn mixture(sample: &[f64], phases: usize) -> Law {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let start = |phase: usize| {
        let mean = quantile(&sorted, (phase as f64 + 0.5) / phases as f64);
        // The last phase starts in the tail, where long pauses are too few to be a part of their own.
        let mean = if phase + 1 == phases { quantile(&sorted, 0.999) } else { mean };
        (1.0 / phases as f64, mean)
    };
    let mut law: Vec<(f64, f64)> = (0..phases).map(start).collect();
    for _ in 0..500 {
        let mut sums = vec![(0.0, 0.0); phases];
        for x in sample {
            let parts: Vec<f64> = law.iter().map(|(w, mean)| w / mean * libm::exp(-x / mean)).collect();
            // Never 0: the longest phase reaches every value of the sample.
            let total = parts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            for ((weight, weighted), part) in sums.iter_mut().zip(&parts) {
                *weight += part / total;
                *weighted += x * part / total;
            }
        }
        let next = sums.iter().map(|(weight, weighted)| (weight / sample.len() as f64, weighted / weight));
        let next: Vec<(f64, f64)> = next.collect();
        let still = next.iter().zip(&law).all(|(a, b)| (a.1 / b.1 - 1.0).abs() < 1e-7);
        law = next;
        if still {
            break;
        }
    }
    law.sort_by(|a, b| a.1.total_cmp(&b.1));
    Law::Mixture(law)
}

/// Quantiles of a sample at `ps`, which run from 0 to 1.
///
/// The last value is not the largest of the sample, but what lets the last line keep the mean of the
/// values it stands for: a line to one extreme value would add to the mean of the law.
pub(super) fn empirical(sample: &[f64], ps: &[f64]) -> Law {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut points: Vec<(f64, f64)> = ps.iter().map(|p| (*p, quantile(&sorted, *p))).collect();
    if let [.., (_, low), (_, last)] = points.as_mut_slice() {
        let top: Vec<f64> = sorted.iter().copied().filter(|value| value > low).collect();
        if !top.is_empty() {
            *last = (2.0 * moments(&top).0 - *low).clamp(*low, *last);
        }
    }
    Law::Empirical(points)
}

#[cfg(test)]
mod tests {
    use super::super::bursts::SplitMix;
    use super::*;
    use crate::input::testing::near;

    fn draws(law: &Law, n: usize) -> Vec<f64> {
        let mut rng = SplitMix(5);
        (0..n).map(|_| law.sample(&mut || rng.uniform())).collect()
    }

    #[test]
    fn estimators_find_the_law_that_was_drawn_from() {
        let n = 40_000;
        let Law::Weibull { shape, scale } =
            weibull(&draws(&Law::Weibull { shape: 0.48, scale: 51_732.0 }, n))
        else {
            panic!()
        };
        assert!(near(shape, 0.48, 0.02) && near(scale, 51_732.0, 0.03), "{shape} {scale}");
        let Law::Lognormal { median, sigma } =
            lognormal(&draws(&Law::Lognormal { median: 13.0, sigma: 0.9 }, n))
        else {
            panic!()
        };
        assert!(near(median, 13.0, 0.02) && near(sigma, 0.9, 0.02));
        let Law::Pareto { shape, scale } = pareto(&draws(&Law::Pareto { shape: 1.5, scale: 2.0 }, n)) else {
            panic!()
        };
        assert!(near(shape, 1.5, 0.02) && near(scale, 2.0, 1e-3));
        let Law::Lomax { shape, scale } = lomax(&draws(&Law::Lomax { shape: 1.5, scale: 2.0 }, n)) else {
            panic!()
        };
        assert!(near(shape, 1.5, 0.06) && near(scale, 2.0, 0.08), "{shape} {scale}");
        let Law::Mixture(phases) = mixture(&draws(&Law::Mixture(vec![(0.8, 0.05), (0.2, 5.0)]), n), 2) else {
            panic!()
        };
        assert!(
            near(phases[0].1, 0.05, 0.03) && near(phases[1].1, 5.0, 0.04) && near(phases[1].0, 0.2, 0.03)
        );
        let hyper = Law::Hyperexponential { mean: 1.0, scv: 4.0 };
        let Some(Law::Hyperexponential { mean, scv }) = hyperexponential(&draws(&hyper, n)) else { panic!() };
        assert!(near(mean, 1.0, 0.03) && near(scv, 4.0, 0.1), "{mean} {scv}");
    }

    /// The likelihood of each estimate falls in every direction.
    #[test]
    fn estimates_are_at_the_top_of_the_likelihood() {
        let sample = draws(&Law::Weibull { shape: 0.8, scale: 3.0 }, 500);
        let ln = |law: &Law| sample.iter().map(|x| law.ln_density(*x).unwrap()).sum::<f64>();
        for estimate in [weibull(&sample), lomax(&sample), lognormal(&sample)] {
            let top = ln(&estimate);
            for (a, b) in [(1.02, 1.0), (0.98, 1.0), (1.0, 1.02), (1.0, 0.98)] {
                let moved = match estimate.clone() {
                    Law::Weibull { shape, scale } => Law::Weibull { shape: shape * a, scale: scale * b },
                    Law::Lomax { shape, scale } => Law::Lomax { shape: shape * a, scale: scale * b },
                    Law::Lognormal { median, sigma } => {
                        Law::Lognormal { median: median * a, sigma: sigma * b }
                    }
                    other => other,
                };
                assert!(ln(&moved) < top, "{moved:?} is likelier than {estimate:?}");
            }
        }
    }

    #[test]
    fn an_even_sample_has_no_hyperexponential_law() {
        assert_eq!(hyperexponential(&[1.0, 1.1, 0.9]), None);
    }

    #[test]
    fn a_table_has_the_quantiles_and_the_mean_of_its_last_line() {
        let of = |sample: &[f64]| empirical(sample, &[0.0, 0.5, 1.0]);
        assert_eq!(of(&[3.0, 1.0, 2.0]), Law::Empirical(vec![(0.0, 1.0), (0.5, 2.0), (1.0, 3.0)]));
        // 3, 3 and 9 lie above the median 2: their mean is 5, so that the line ends at 8.
        let uneven = of(&[2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 9.0]);
        assert_eq!(uneven, Law::Empirical(vec![(0.0, 2.0), (0.5, 2.0), (1.0, 8.0)]));
    }
}
