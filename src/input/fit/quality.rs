//! How well a law describes a sample, and the choice of the best of several.

use super::law::Law;

/// A law beside the sample it was fitted to.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) law: Law,
    /// Kolmogorov–Smirnov distance.
    pub(super) ks: f64,
    /// Sum of ln densities; `None` for a table of quantiles.
    pub(super) log_likelihood: Option<f64>,
}

impl Candidate {
    /// Judges `law` in the digits it will be printed with.
    pub(super) fn new(law: &Law, sample: &[f64]) -> Candidate {
        let law = law.rounded();
        let log_likelihood = sample.iter().map(|x| law.ln_density(*x)).sum();
        Candidate { ks: ks(sample, &law), log_likelihood, law }
    }

    /// Akaike's information criterion (IEEE TAC 19(6), 1974): less is better.
    pub(super) fn aic(&self) -> Option<f64> {
        self.log_likelihood.map(|ln| 2.0 * self.law.parameters() as f64 - 2.0 * ln)
    }
}

/// The candidate with the least AIC among those that scenario files can write, and then the others.
pub(super) fn best_first(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let rank = |c: &Candidate| c.aic().filter(|aic| aic.is_finite()).unwrap_or(f64::INFINITY);
    candidates.sort_by(|a, b| {
        (!a.law.is_scenario_law()).cmp(&!b.law.is_scenario_law()).then(rank(a).total_cmp(&rank(b)))
    });
    candidates
}

/// The Kolmogorov–Smirnov distance between a sample and a law: the most that their distribution
/// functions differ, on both sides of each step. Equal values are one step.
pub(super) fn ks(sample: &[f64], law: &Law) -> f64 {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mut worst: f64 = 0.0;
    let mut start = 0;
    while start < sorted.len() {
        let end = start + sorted[start..].partition_point(|value| *value <= sorted[start]);
        let (below, at) = (law.cdf_below(sorted[start]), law.cdf(sorted[start]));
        worst = worst.max((below - start as f64 / n).abs()).max((end as f64 / n - at).abs());
        start = end;
    }
    worst
}

/// The Kolmogorov–Smirnov distance between two samples, each sorted.
pub(super) fn ks_of_sorted(a: &[f64], b: &[f64]) -> f64 {
    let share =
        |sorted: &[f64], x: f64| sorted.partition_point(|value| *value <= x) as f64 / sorted.len() as f64;
    let at = |x: &f64| (share(a, *x) - share(b, *x)).abs();
    a.iter().map(at).fold(0.0, f64::max)
}

/// Mean and variance (÷ n).
pub(super) fn moments(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    (mean, sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n)
}

/// Standard deviation ÷ mean.
pub(super) fn cv(sample: &[f64]) -> f64 {
    let (mean, variance) = moments(sample);
    libm::sqrt(variance) / mean
}

/// The `p` quantile of a sorted sample, between neighbours on a straight line (Hyndman and Fan, American
/// Statistician 50(4), 1996, type 7).
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// Pearson's correlation of the logarithms of pairs of numbers above zero.
pub(super) fn log_correlation(pairs: &[(f64, f64)]) -> f64 {
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(a, b)| (libm::log(*a), libm::log(*b))).unzip();
    let ((mean_a, var_a), (mean_b, var_b)) = (moments(&a), moments(&b));
    let covariance = a.iter().zip(&b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / a.len() as f64;
    covariance / libm::sqrt(var_a * var_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::near;

    #[test]
    fn the_distance_counts_both_sides_of_a_step_and_ties_once() {
        let uniform = Law::Empirical(vec![(0.0, 0.0), (1.0, 1.0)]);
        assert!(near(ks(&[0.5], &uniform), 0.5, 1e-12));
        assert!(near(ks(&[0.2, 0.2, 0.2, 0.9], &uniform), 0.55, 1e-12));
        let atom = Law::Empirical(vec![(0.0, 0.2), (0.75, 0.2), (1.0, 0.9)]);
        assert!(near(ks(&[0.2, 0.2, 0.2, 0.9], &atom), 0.25, 1e-12));
        assert!(near(ks_of_sorted(&[1.0, 2.0, 3.0, 4.0], &[2.5, 2.6, 5.0]), 0.5, 1e-12));
    }

    #[test]
    fn quantiles_and_moments_are_as_defined() {
        let sorted = [1.0, 2.0, 4.0, 9.0];
        assert_eq!([0.0, 0.5, 1.0].map(|p| quantile(&sorted, p)), [1.0, 3.0, 9.0]);
        assert_eq!(moments(&sorted), (4.0, 9.5));
        let pairs = [(1.0, 8.0), (2.0, 4.0), (4.0, 2.0)];
        assert!(near(log_correlation(&pairs), -1.0, 1e-12));
    }

    #[test]
    fn the_better_law_wins_unless_scenarios_lack_it() {
        let sample: Vec<f64> = (1..100).map(|i| -libm::log(f64::from(i) / 100.0)).collect();
        let of = |law: Law| Candidate::new(&law, &sample);
        let good = Law::Exponential { mean: 1.0 };
        let ranked = best_first(vec![
            of(Law::Lomax { shape: 1e6, scale: 1e6 }),
            of(Law::Pareto { shape: 1.0, scale: 1.0 }),
            of(good.clone()),
        ]);
        assert_eq!(ranked[0].law, good);
        assert_eq!(ranked[2].law.name(), "lomax");
    }
}
