//! Choosing the best of k configurations with a stated probability of being right.
//!
//! Both procedures assume normal outputs (means of replications nearly are) and guarantee
//! P(the best is selected) ≥ 1 − α whenever it is better than every other by at least `delta`, the
//! *indifference zone*: the smallest difference worth knowing. Larger values are better; negate costs.
//!
//! - [`KimNelson`]: fully sequential; drops losers as soon as they are out; made for common random numbers.
//! - [`rinott_h`]: two stages, independent systems; run a first stage, then [`rinott_sample_size`] of each.

use serde::Serialize;

use super::moments::{mean, variance};
use super::special::normal_cdf;

/// The fully sequential procedure KN of Kim and Nelson, ACM TOMACS 11 (2001), with c = 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KimNelson {
    /// Indifference zone in the unit of the observations, above 0.
    pub delta: f64,
    /// Accepted probability of a wrong selection, in (0, 1 − 1/k).
    pub alpha: f64,
    /// Replications of every system before the first is dropped, at least 2; 10 to 20 are customary.
    pub first_stage: usize,
    /// Replications after which the sample leader is taken without the guarantee.
    pub maximum: usize,
}

/// What a selection came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Selection {
    /// Index of the selected system.
    pub best: usize,
    /// False if the maximum was reached first: then `best` is only the leader of those left.
    pub guaranteed: bool,
    /// Replications spent on each system.
    pub replications: Vec<usize>,
    /// Mean of each system over its replications.
    pub means: Vec<f64>,
}

/// η of procedure KN for `k` systems: ½[(2α/(k − 1))^(−2/(n₀ − 1)) − 1]. NaN if `k` or `first_stage` < 2.
pub fn kn_eta(k: usize, first_stage: usize, alpha: f64) -> f64 {
    if k < 2 || first_stage < 2 {
        return f64::NAN;
    }
    let base = 2.0 * alpha / (k - 1) as f64;
    0.5 * (libm::pow(base, -2.0 / (first_stage - 1) as f64) - 1.0)
}

impl KimNelson {
    /// Runs the procedure on `systems` systems; `observe(system, replication)` is asked in replication order.
    ///
    /// With common random numbers, replication k of all systems shares its randomness and fewer are needed.
    /// `None` if there is no system, or if an observation is not finite: nothing can be guaranteed then.
    ///
    /// # Panics
    /// If `delta` or `alpha` is not positive or `first_stage` is below 2.
    pub fn select(&self, systems: usize, observe: &mut dyn FnMut(usize, usize) -> f64) -> Option<Selection> {
        assert!(self.delta > 0.0 && self.alpha > 0.0 && self.first_stage >= 2, "not a procedure: {self:?}");
        let mut history: Vec<Vec<f64>> = Vec::with_capacity(systems);
        for system in 0..systems {
            let values: Vec<f64> = (0..self.first_stage).map(|k| observe(system, k)).collect();
            if values.iter().any(|value| !value.is_finite()) {
                return None;
            }
            history.push(values);
        }
        let reach = Reach::new(self, &history);
        let mut sums: Vec<f64> = history.iter().map(|values| values.iter().sum()).collect();
        let mut replications = vec![self.first_stage; systems];
        let mut alive: Vec<usize> = (0..systems).collect();
        let mut taken = self.first_stage;
        loop {
            alive = reach.survivors(&alive, &sums, taken);
            if alive.len() <= 1 || taken >= self.maximum {
                break;
            }
            for &system in &alive {
                let value = observe(system, taken);
                if !value.is_finite() {
                    return None;
                }
                sums[system] += value;
                replications[system] += 1;
            }
            taken += 1;
        }
        // All alive have equally many replications, so that sums rank them; ties go to the lower index.
        let best = alive
            .iter()
            .copied()
            .reduce(|best, other| if sums[other] > sums[best] { other } else { best })?;
        let means = sums.iter().zip(&replications).map(|(sum, n)| sum / *n as f64).collect();
        Some(Selection { best, guaranteed: alive.len() == 1, replications, means })
    }
}

/// How far behind a system may be and still stay: the triangular continuation region of KN.
struct Reach {
    delta: f64,
    h_squared: f64,
    /// First-stage variance of the difference of systems i and j, at `i * systems + j`.
    variances: Vec<f64>,
    systems: usize,
}

impl Reach {
    fn new(options: &KimNelson, history: &[Vec<f64>]) -> Reach {
        let systems = history.len();
        let n0 = options.first_stage;
        let mut variances = Vec::with_capacity(systems * systems);
        for a in history {
            for b in history {
                let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
                variances.push(variance(&differences));
            }
        }
        let h_squared = 2.0 * kn_eta(systems, n0, options.alpha) * (n0 - 1) as f64;
        Reach { delta: options.delta, h_squared, variances, systems }
    }

    /// Those of `alive` whose sum is behind nobody's by more than the region's width after `taken` values.
    fn survivors(&self, alive: &[usize], sums: &[f64], taken: usize) -> Vec<usize> {
        let stays = |i: usize| {
            alive.iter().all(|&other| {
                let variance = self.variances[i * self.systems + other];
                let scaled = self.h_squared * variance / (self.delta * self.delta);
                let width = (0.5 * self.delta * (scaled - taken as f64)).max(0.0);
                other == i || sums[i] >= sums[other] - width
            })
        };
        alive.iter().copied().filter(|&i| stays(i)).collect()
    }
}

/// Rinott's constant h for `k` systems, a first stage of `first_stage` and P(correct selection) = `p`.
///
/// Rinott, Communications in Statistics A7 (1978): with ν = n₀ − 1, X and Y χ² on ν degrees, h solves
/// E_Y[ E_X[ Φ(h / √(ν(1/X + 1/Y))) ]^(k−1) ] = p. Integrated numerically to about 1e−6. NaN unless `k` ≥ 2,
/// `first_stage` ≥ 3 and `p` lies between 1/2^(k−1) and 1.
pub fn rinott_h(k: usize, first_stage: usize, p: f64) -> f64 {
    let least = libm::pow(0.5, k as f64 - 1.0);
    if k < 2 || first_stage < 3 || !(p > least && p < 1.0) {
        return f64::NAN;
    }
    let nu = (first_stage - 1) as f64;
    let nodes = chi_nodes(nu);
    let others = (k - 1) as f64;
    let correct = |h: f64| -> f64 {
        nodes
            .iter()
            .map(|(y, weight_y)| {
                let inner: f64 = nodes
                    .iter()
                    .map(|(x, weight_x)| weight_x * normal_cdf(h * x * y / libm::sqrt(nu * (x * x + y * y))))
                    .sum();
                weight_y * libm::pow(inner, others)
            })
            .sum()
    };
    let (mut low, mut high) = (0.0, 1.0);
    while correct(high) < p && high < 1e6 {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-8 * high {
        let middle = 0.5 * (low + high);
        if correct(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Replications that Rinott's second stage brings a system to, given its first stage: max(n₀, ⌈(h·s/δ)²⌉).
///
/// The system with the largest mean over all of its replications is then selected. NaN variance (below two
/// values) gives the first stage's size.
pub fn rinott_sample_size(first_stage: &[f64], h: f64, delta: f64) -> usize {
    let root = h / delta;
    let wanted = (root * root * variance(first_stage)).ceil();
    // A float-to-integer cast saturates and turns NaN into 0.
    first_stage.len().max(wanted as usize)
}

/// Index of the largest mean, the lowest of equals; `None` without systems. The last step of Rinott.
pub fn largest_mean(systems: &[Vec<f64>]) -> Option<usize> {
    let means: Vec<f64> = systems.iter().map(|values| mean(values)).collect();
    (0..means.len()).reduce(|best, other| if means[other] > means[best] { other } else { best })
}

/// Nodes and weights for the χ distribution (root of χ²) on `nu` degrees: smooth at 0 where χ² is not.
///
/// The trapezoidal rule converges faster than any power for a bell that ends within the range; the weights
/// are scaled to sum to 1.
fn chi_nodes(nu: f64) -> Vec<(f64, f64)> {
    const COUNT: usize = 120;
    let (from, to) = ((libm::sqrt(nu) - 6.0).max(0.0), libm::sqrt(nu) + 6.0);
    let step = (to - from) / COUNT as f64;
    let mode = libm::sqrt((nu - 1.0).max(0.25));
    let ln_density = |x: f64| (nu - 1.0) * libm::log(x) - 0.5 * x * x;
    let raw: Vec<(f64, f64)> = (1..=COUNT)
        .map(|i| from + i as f64 * step)
        .map(|x| (x, libm::exp(ln_density(x) - ln_density(mode))))
        .collect();
    let total: f64 = raw.iter().map(|(_, weight)| weight).sum();
    raw.into_iter().map(|(x, weight)| (x, weight / total)).filter(|(_, weight)| *weight > 1e-16).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// V-09 of the reference results.
    #[test]
    fn the_constants_are_the_published_ones() {
        close(kn_eta(2, 10, 0.05), 0.334_050, 1e-6);
        close(kn_eta(5, 10, 0.05), 0.634_967, 1e-6);
        close(kn_eta(10, 20, 0.05), 0.302_934, 1e-6);
        close(rinott_h(2, 20, 0.95), 2.452, 1e-3);
        close(rinott_h(10, 20, 0.95), 3.875, 1e-3);
        assert!(
            kn_eta(1, 10, 0.05).is_nan() && rinott_h(2, 2, 0.95).is_nan() && rinott_h(2, 20, 0.4).is_nan()
        );
    }

    /// For many degrees of freedom h tends to the known-variance constant √2 · z_p of two systems.
    #[test]
    fn rinotts_constant_has_its_normal_limit() {
        close(rinott_h(2, 100_001, 0.95), 1.644_853_6 * std::f64::consts::SQRT_2, 1e-4);
    }

    /// The least favourable case: one system better by delta exactly, all others equal.
    #[test]
    fn kim_and_nelson_select_correctly_as_often_as_promised() {
        let mut sample = Sample(18);
        let options = KimNelson { delta: 0.5, alpha: 0.05, first_stage: 10, maximum: 100_000 };
        const RUNS: usize = 1500;
        let (mut correct, mut spent) = (0, 0);
        for _ in 0..RUNS {
            let selection = options
                .select(5, &mut |system, _| sample.normal() + if system == 3 { 0.5 } else { 0.0 })
                .expect("finite observations");
            assert!(selection.guaranteed);
            correct += usize::from(selection.best == 3);
            spent += selection.replications.iter().sum::<usize>();
        }
        let share = correct as f64 / RUNS as f64;
        assert!(share >= 0.95 - 4.0 * (0.95_f64 * 0.05 / RUNS as f64).sqrt(), "correct in {share}");
        assert!(spent > RUNS * 50, "no selection without the first stage");
    }

    #[test]
    fn common_random_numbers_make_kim_and_nelson_cheaper() {
        let options = KimNelson { delta: 0.5, alpha: 0.05, first_stage: 10, maximum: 100_000 };
        let spend = |shared: f64| -> usize {
            let mut sample = Sample(19);
            let common = sample.many(4000, Sample::normal);
            let own = (1.0 - shared * shared).sqrt();
            let mut observe = |system: usize, replication: usize| {
                shared * common[replication] + own * sample.normal() + if system == 0 { 0.5 } else { 0.0 }
            };
            let selection = options.select(4, &mut observe).expect("finite observations");
            selection.replications.iter().sum()
        };
        assert!(spend(0.95) * 2 < spend(0.0), "{} against {}", spend(0.95), spend(0.0));
    }

    #[test]
    fn rinott_selects_correctly_as_often_as_promised() {
        let mut sample = Sample(20);
        let (n0, delta) = (10, 0.5);
        let h = rinott_h(3, n0, 0.95);
        const RUNS: usize = 1500;
        let correct = (0..RUNS)
            .filter(|_| {
                let systems: Vec<Vec<f64>> = [0.0, delta, 0.0]
                    .iter()
                    .map(|mean| {
                        let mut values = sample.many(n0, |s| mean + s.normal());
                        let more = rinott_sample_size(&values, h, delta) - n0;
                        values.extend(sample.many(more, |s| mean + s.normal()));
                        values
                    })
                    .collect();
                largest_mean(&systems) == Some(1)
            })
            .count();
        let share = correct as f64 / RUNS as f64;
        assert!(share >= 0.95 - 4.0 * (0.95_f64 * 0.05 / RUNS as f64).sqrt(), "correct in {share}");
        assert!(share < 0.995, "far above the promise: h is too large");
    }

    #[test]
    fn selections_without_an_answer_say_so() {
        let options = KimNelson { delta: 0.1, alpha: 0.05, first_stage: 3, maximum: 5 };
        assert_eq!(options.select(0, &mut |_, _| 1.0), None);
        assert_eq!(options.select(2, &mut |_, _| f64::NAN), None);
        let mut sample = Sample(21);
        let cut_short = options.select(2, &mut |_, _| sample.normal()).expect("finite");
        assert!(!cut_short.guaranteed && cut_short.replications == [5, 5]);
        let alone = options.select(1, &mut |_, _| 2.0).expect("finite");
        assert_eq!((alone.best, alone.guaranteed), (0, true));
        assert_eq!(rinott_sample_size(&[1.0], 3.0, 0.1), 1);
    }
}
