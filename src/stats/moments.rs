//! Sums, means, variances and correlations that do not depend on platform or thread.
//!
//! Everything is summed in index order with Neumaier's compensation, so a result is a function of the slice
//! alone and a million small values do not drown in a large one.

/// Compensated sum in index order (Neumaier, ZAMM 54, 1974). 0 for no values.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut total = 0.0_f64;
    let mut lost = 0.0_f64;
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    // An infinite or NaN total has a NaN correction that would hide an honest infinity.
    if total.is_finite() { total + lost } else { total }
}

/// Arithmetic mean; NaN for no values.
pub fn mean(values: &[f64]) -> f64 {
    sum(values.iter().copied()) / values.len() as f64
}

/// Unbiased sample variance (divisor n − 1), two passes; NaN below two values.
///
/// Values that are all equal have variance exactly 0, whatever their mean rounds to.
pub fn variance(values: &[f64]) -> f64 {
    covariance(values, values)
}

/// Unbiased sample covariance (divisor n − 1) of `a[i]` with `b[i]`; NaN below two pairs.
///
/// # Panics
/// If the lengths differ: pairing is the caller's promise.
pub fn covariance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "paired samples have equal lengths");
    if a.len() < 2 {
        return f64::NAN;
    }
    if constant(a) || constant(b) {
        return 0.0;
    }
    let (mean_a, mean_b) = (mean(a), mean(b));
    sum(a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b))) / (a.len() - 1) as f64
}

/// Pearson correlation in [−1, 1]; NaN below two pairs or if either side is constant.
///
/// # Panics
/// If the lengths differ.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let scale = (variance(a) * variance(b)).sqrt();
    if scale > 0.0 { (covariance(a, b) / scale).clamp(-1.0, 1.0) } else { f64::NAN }
}

/// The finite values, in order.
pub fn finite(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

/// Mean and variance of values that arrive one by one, without keeping them (Welford, Technometrics 4, 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Running {
    n: usize,
    mean: f64,
    squares: f64,
}

impl Running {
    /// Takes one finite value.
    pub fn push(&mut self, value: f64) {
        debug_assert!(value.is_finite(), "a running mean never recovers from {value}");
        self.n += 1;
        let before = value - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (value - self.mean);
    }

    /// How many values were taken.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Their mean; NaN before the first.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { f64::NAN } else { self.mean }
    }

    /// Their variance (divisor n − 1); NaN before the second.
    pub fn variance(&self) -> f64 {
        if self.n < 2 { f64::NAN } else { self.squares / (self.n - 1) as f64 }
    }

    /// Sum of squared deviations from the mean; 0 before the first value.
    pub fn squares(&self) -> f64 {
        self.squares
    }
}

/// Whether no value differs from the first. Rounding of the mean would otherwise leave a variance near 1e−34.
fn constant(values: &[f64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    #[test]
    fn a_compensated_sum_keeps_what_plain_addition_loses() {
        let values = [1.0, 1e100, 1.0, -1e100];
        assert_eq!(sum(values), 2.0);
        assert_eq!(values.iter().sum::<f64>(), 0.0, "otherwise this test shows nothing");
        assert_eq!(sum([f64::INFINITY, 1.0]), f64::INFINITY);
    }

    #[test]
    fn moments_of_small_samples_are_the_hand_computed_ones() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), 5.0);
        close(variance(&values), 32.0 / 7.0, 1e-15);
        assert_eq!(covariance(&[1.0, 2.0, 3.0], &[2.0, 4.0, 9.0]), 3.5);
        close(correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0, 1e-15);
        assert_eq!(variance(&[0.1; 7]), 0.0);
        assert!(correlation(&[0.1; 7], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).is_nan());
        assert!(variance(&[1.0]).is_nan() && mean(&[]).is_nan());
    }

    #[test]
    fn the_running_moments_agree_with_two_passes() {
        let mut sample = Sample(3);
        let values = sample.many(1000, |s| 1e6 + s.normal());
        let mut running = Running::default();
        assert!(running.mean().is_nan() && running.variance().is_nan());
        values.iter().for_each(|&value| running.push(value));
        close(running.mean(), mean(&values), 1e-8);
        close(running.variance(), variance(&values), 1e-8);
    }
}
