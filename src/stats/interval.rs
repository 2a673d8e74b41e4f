//! Intervals for one sample or one long run: plain t, t on logarithms, order statistics, batch means.

use serde::Serialize;

use super::moments::{correlation, finite, mean, sum, variance};
use super::special::{binomial_cdf, chi_square_quantile, normal_quantile};
use super::summary::{half_width, quantile};

/// An estimate with a two-sided confidence interval, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Values used.
    pub n: usize,
    /// Non-finite values left out.
    pub skipped: usize,
    /// The point estimate; NaN if undefined.
    pub estimate: f64,
    /// Lower end; NaN if undefined.
    pub low: f64,
    /// Upper end; NaN if undefined.
    pub high: f64,
}

impl Interval {
    /// Half the width, which for an interval that is not symmetric is not the distance to either end.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Whether `value` lies within, ends included. Never, if the interval is undefined.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Applies an increasing function to estimate and ends, as when leaving the logarithmic scale.
    pub fn map(self, increasing: impl Fn(f64) -> f64) -> Interval {
        Interval {
            estimate: increasing(self.estimate),
            low: increasing(self.low),
            high: increasing(self.high),
            ..self
        }
    }
}

/// Mean with a Student-t interval. Exact for normal values.
pub fn t_interval(values: &[f64], level: f64) -> Interval {
    let used = finite(values);
    let (n, estimate) = (used.len(), mean(&used));
    let half = half_width(n, variance(&used).sqrt(), level);
    Interval { n, skipped: values.len() - n, estimate, low: estimate - half, high: estimate + half }
}

/// **Geometric** mean with a t interval taken on the logarithms. Exact for lognormal values.
///
/// This is another quantity than the mean (for lognormal values it is the median): use it for "a typical
/// replication", never for totals. Undefined (NaN) if a finite value is ≤ 0, which has no logarithm;
/// leaving such values out would inflate the estimate.
pub fn log_t_interval(values: &[f64], level: f64) -> Interval {
    // The logarithm of a negative value is NaN and would be skipped like a missing one: mark it apart.
    if values.iter().any(|value| value.is_finite() && *value <= 0.0) {
        let n = finite(values).len();
        let undefined = f64::NAN;
        return Interval {
            n,
            skipped: values.len() - n,
            estimate: undefined,
            low: undefined,
            high: undefined,
        };
    }
    let logs: Vec<f64> = values.iter().map(|value| libm::log(*value)).collect();
    t_interval(&logs, level).map(libm::exp)
}

/// The `p`-quantile of the population with an interval between two order statistics.
///
/// Exact for every continuous law: the number of values below the quantile is binomial (David and Nagaraja,
/// Order Statistics, 3rd ed., §7.1). Tails of (1 − level)/2 each; an end that no order statistic can serve is
/// infinite, as for p = 0.99 from 100 values. Values must be independent: replications, or one per task only
/// if tasks do not share a queue. The estimate is [`quantile`], type 7.
pub fn quantile_interval(values: &[f64], p: f64, level: f64) -> Interval {
    let mut sorted = finite(values);
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let skipped = values.len() - n;
    if n == 0 || !(p > 0.0 && p < 1.0) {
        return Interval { n, skipped, estimate: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    let (low, high) = quantile_ranks(n, p, level);
    Interval {
        n,
        skipped,
        estimate: quantile(&sorted, p),
        low: low.map_or(f64::NEG_INFINITY, |rank| sorted[rank - 1]),
        high: high.map_or(f64::INFINITY, |rank| sorted[rank - 1]),
    }
}

/// Ranks (from 1) of the order statistics that bound the `p`-quantile of `n` values; `None`: no such rank.
pub fn quantile_ranks(n: usize, p: f64, level: f64) -> (Option<usize>, Option<usize>) {
    let tail = 0.5 * (1.0 - level);
    // Smallest count k in 0..=n with P(B ≤ k) > bound; the distribution function increases with k.
    let first_above = |bound: f64| {
        let (mut low, mut high) = (0, n);
        while low < high {
            let middle = (low + high) / 2;
            if binomial_cdf(middle, n, p) > bound {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    };
    // The lower end fails if fewer than its rank lie below: P(B ≤ rank − 1) ≤ tail.
    let low = first_above(tail);
    // The upper end fails if at least its rank lie below: P(B ≥ rank) ≤ tail. The slack keeps a tie a tie.
    let high = first_above(1.0 - tail - 1e-14) + 1;
    ((low >= 1).then_some(low), (high <= n).then_some(high))
}

/// Variance (divisor n − 1) with a χ² interval. Exact for normal values; for others it is too narrow or too
/// wide as their tails are heavier or lighter. Undefined (NaN) below two values.
pub fn variance_interval(values: &[f64], level: f64) -> Interval {
    let used = finite(values);
    let (n, estimate) = (used.len(), variance(&used));
    let skipped = values.len() - n;
    if n < 2 {
        return Interval { n, skipped, estimate: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    let (df, tail) = ((n - 1) as f64, 0.5 * (1.0 - level));
    let end = |p: f64| df * estimate / chi_square_quantile(p, df);
    Interval { n, skipped, estimate, low: end(1.0 - tail), high: end(tail) }
}

/// The probability behind `hits` out of `n` independent trials, with the interval of Wilson (Journal of the
/// American Statistical Association 22, 1927), which keeps within [0, 1]. Undefined (NaN) for n = 0.
pub fn share_interval(hits: usize, n: usize, level: f64) -> Interval {
    let (count, z) = (n as f64, normal_quantile(0.5 * (1.0 + level)));
    let share = hits as f64 / count;
    let shrink = 1.0 + z * z / count;
    let middle = (share + 0.5 * z * z / count) / shrink;
    let half = z / shrink * (share * (1.0 - share) / count + 0.25 * z * z / (count * count)).sqrt();
    Interval { n, skipped: 0, estimate: share, low: middle - half, high: middle + half }
}

/// The mean of a stationary series with an interval from the means of consecutive batches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BatchMeans {
    /// Mean over the values used, with a t interval over batches; `n` counts batches.
    pub interval: Interval,
    /// Values per batch.
    pub batch_size: usize,
    /// Values dropped at the front so that all batches are equal.
    pub dropped: usize,
    /// Correlation of successive batch means: well above 0 means the batches are too short to be trusted.
    pub lag1: f64,
    /// Estimate of lim n·Var(mean of n values): what a longer run divides by its length.
    pub asymptotic_variance: f64,
}

/// Batch means (Law, Simulation Modeling and Analysis, 5th ed., §9.5.3): 20 to 30 batches are customary.
///
/// The remainder is dropped at the front, where the warm-up was. A non-finite value makes all of it NaN,
/// since a series cannot skip a position; so do fewer than two batches or fewer values than batches.
pub fn batch_means(series: &[f64], batches: usize, level: f64) -> BatchMeans {
    let means = means_of_batches(series, batches);
    let batch_size = series.len().checked_div(batches).unwrap_or(0);
    let interval = if means.iter().all(|mean| mean.is_finite()) {
        t_interval(&means, level)
    } else {
        Interval { n: means.len(), skipped: 0, estimate: f64::NAN, low: f64::NAN, high: f64::NAN }
    };
    let lag1 = if means.len() < 3 { f64::NAN } else { correlation(&means[1..], &means[..means.len() - 1]) };
    BatchMeans {
        interval,
        batch_size,
        dropped: series.len() - batch_size * batches,
        lag1,
        asymptotic_variance: variance(&means) * batch_size as f64,
    }
}

/// Means of `batches` equal consecutive parts of `series`, the remainder dropped at the front.
///
/// Empty if there are fewer than two batches, or fewer values than batches.
pub fn means_of_batches(series: &[f64], batches: usize) -> Vec<f64> {
    if batches < 2 || series.len() < batches {
        return Vec::new();
    }
    let size = series.len() / batches;
    let kept = &series[series.len() - size * batches..];
    kept.chunks_exact(size).map(|batch| sum(batch.iter().copied()) / size as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    #[test]
    fn the_variance_of_normal_values_is_covered_in_95_of_100() {
        let mut sample = Sample(31);
        let covered = (0..4_000).filter(|_| {
            let values = sample.many(20, |s| 3.0 * s.normal());
            variance_interval(&values, 0.95).contains(9.0)
        });
        close(covered.count() as f64 / 4e3, 0.95, 0.0135);
        // 4 values of variance 5/3: 3 · 5/3 ÷ χ²(3; 0.975) = 5 ÷ 9.348404, and ÷ χ²(3; 0.025) = 5 ÷ 0.215795.
        let interval = variance_interval(&[1.0, 2.0, 3.0, 4.0], 0.95);
        close(interval.low, 0.534_851, 1e-5);
        close(interval.high, 23.170_1, 1e-3);
        assert!(variance_interval(&[1.0], 0.95).estimate.is_nan());
    }

    /// Wilson's interval for 95 of 100: 0.8882 to 0.9785 (Agresti and Coull 1998 give the formula).
    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        let interval = share_interval(95, 100, 0.95);
        close(interval.low, 0.888_2, 1e-4);
        close(interval.high, 0.978_5, 1e-4);
        let all = share_interval(40, 40, 0.95);
        assert!(all.high <= 1.0 + 1e-12 && all.low < 1.0);
        assert!(share_interval(0, 0, 0.95).low.is_nan());
    }

    /// model.md §5: 20 lognormal values, σ = 1. Plain t is meant for the mean e^½, log-t for the median 1.
    #[test]
    fn plain_t_undercovers_on_lognormal_data_and_log_t_does_not() {
        let mut sample = Sample(2);
        let (mut plain, mut logarithmic) = (0u32, 0u32);
        for _ in 0..10_000 {
            let values = sample.many(20, |s| libm::exp(s.normal()));
            plain += u32::from(t_interval(&values, 0.95).contains(libm::exp(0.5)));
            logarithmic += u32::from(log_t_interval(&values, 0.95).contains(1.0));
        }
        close(f64::from(plain) / 1e4, 0.87, 0.015);
        close(f64::from(logarithmic) / 1e4, 0.95, 0.0085);
    }

    #[test]
    fn the_geometric_mean_of_powers_of_two_is_exact() {
        let interval = log_t_interval(&[1.0, 2.0, 4.0, f64::NAN], 0.95);
        assert_eq!((interval.n, interval.skipped), (3, 1));
        close(interval.estimate, 2.0, 1e-15);
        // sd of log₂ is 1; t_{.975,2}/√3 = 2.484138.
        close(interval.high, libm::pow(2.0, 1.0 + 2.484_138), 1e-5);
        close(interval.low * interval.high, 4.0, 1e-12);
        assert!(log_t_interval(&[1.0, 0.0, 2.0], 0.95).estimate.is_nan());
        assert!(log_t_interval(&[1.0, -1.0, 2.0], 0.95).low.is_nan());
    }

    /// Published ranks for the median at 95 %: 2 and 9 of 10, 6 and 15 of 20 (binomial tables).
    #[test]
    fn ranks_of_the_median_are_the_published_ones() {
        assert_eq!(quantile_ranks(10, 0.5, 0.95), (Some(2), Some(9)));
        assert_eq!(quantile_ranks(20, 0.5, 0.95), (Some(6), Some(15)));
        assert_eq!(quantile_ranks(5, 0.5, 0.95), (None, None));
        // .99^n ≤ .025 from n = 368 on.
        assert_eq!(quantile_ranks(367, 0.99, 0.95).1, None);
        assert_eq!(quantile_ranks(368, 0.99, 0.95).1, Some(368));
        let interval = quantile_interval(&[5.0, 3.0, 1.0], 0.5, 0.95);
        assert_eq!((interval.estimate, interval.low, interval.high), (3.0, f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn quantile_intervals_cover_on_skewed_data() {
        let mut sample = Sample(4);
        let truth = -libm::log(0.1);
        let covered = (0..4000)
            .filter(|_| quantile_interval(&sample.many(100, Sample::exponential), 0.9, 0.95).contains(truth))
            .count();
        // P(5 ≤ above ≤ 16) for Binomial(100, .1) lies between .95 and .98 by discreteness.
        let share = covered as f64 / 4000.0;
        assert!((0.94..=0.985).contains(&share), "covered {share}");
    }

    /// AR(1) x' = φx + z has asymptotic variance 1/(1 − φ)²: 25 for φ = 0.8, against Var(x) = 2.8.
    #[test]
    fn batch_means_cover_on_correlated_data_where_plain_t_does_not() {
        let mut sample = Sample(6);
        let (mut batched, mut plain, mut asymptotic) = (0, 0, 0.0);
        const RUNS: usize = 600;
        for _ in 0..RUNS {
            let mut state = sample.normal() / 0.6;
            let series = sample.many(4000, |s| {
                state = 0.8 * state + s.normal();
                state
            });
            let means = batch_means(&series, 20, 0.95);
            assert_eq!((means.batch_size, means.dropped), (200, 0));
            batched += usize::from(means.interval.contains(0.0));
            plain += usize::from(t_interval(&series, 0.95).contains(0.0));
            asymptotic += means.asymptotic_variance / RUNS as f64;
        }
        close(batched as f64 / RUNS as f64, 0.945, 0.036);
        assert!(plain < RUNS * 6 / 10, "plain t covered {plain} of {RUNS}");
        // Batches of 200 see 1 − 2φ/(1 − φ²)/200 of it: 24.4.
        close(asymptotic, 24.4, 1.3);
    }

    /// V-02 of the reference results: M/M/1 at ρ = ½, waits of successive customers: σ² = 29 (Whitt 1989).
    #[test]
    fn batch_means_find_the_asymptotic_variance_of_the_queue() {
        let mut sample = Sample(8);
        let mut wait = 0.0_f64;
        let waits = sample.many(2_000_000, |s| {
            wait = (wait + s.exponential() - 2.0 * s.exponential()).max(0.0);
            wait
        });
        let means = batch_means(&waits, 2000, 0.95);
        close(means.asymptotic_variance, 29.0, 2.9);
        assert!(means.interval.contains(1.0), "mean wait is 1: {means:?}");
        close(means.lag1, 0.0, 0.07);
        // 1.96 √(29 / 2e6): the half-width that the theory promises.
        close(means.interval.half_width(), 0.007_46, 0.000_4);
    }

    #[test]
    fn a_series_with_a_hole_or_too_short_is_undefined() {
        assert!(batch_means(&[1.0, 2.0, f64::NAN, 4.0], 2, 0.95).interval.estimate.is_nan());
        assert!(batch_means(&[1.0], 2, 0.95).interval.estimate.is_nan());
        assert!(batch_means(&[1.0, 2.0], 0, 0.95).interval.low.is_nan());
        let means = batch_means(&[9.0, 1.0, 3.0, 5.0, 7.0], 2, 0.95);
        assert_eq!((means.interval.estimate, means.dropped, means.interval.n), (4.0, 1, 2));
    }
}
