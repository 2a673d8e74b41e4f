//! Least-squares slope with its standard error: does a backlog grow, does a cost rise with size.

use serde::Serialize;

use super::interval::means_of_batches;
use super::moments::{covariance, mean, sum, variance};
use super::special::{student_t_critical, student_t_two_sided};

/// A straight line y = intercept + slope · x fitted by least squares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Slope {
    /// Points used.
    pub n: usize,
    /// Points left out because a coordinate was not finite.
    pub skipped: usize,
    /// Change of y per unit of x; NaN if all x are equal.
    pub slope: f64,
    /// y at x = 0.
    pub intercept: f64,
    /// Standard error of the slope; NaN below three points.
    pub standard_error: f64,
    /// Lower end of the slope's interval; above 0 means y grows.
    pub low: f64,
    /// Upper end of the slope's interval.
    pub high: f64,
    /// Two-sided p-value for slope 0.
    pub p_value: f64,
}

/// Least squares through (x, y) with a t interval on n − 2 degrees of freedom.
///
/// Assumes independent errors of equal variance. Values of one run over time are not independent: use
/// [`trend`].
///
/// # Panics
/// If the lengths differ.
pub fn least_squares(x: &[f64], y: &[f64], level: f64) -> Slope {
    assert_eq!(x.len(), y.len(), "paired samples have equal lengths");
    let points = x.iter().zip(y).filter(|(x, y)| x.is_finite() && y.is_finite());
    let (used_x, used_y): (Vec<f64>, Vec<f64>) = points.map(|(x, y)| (*x, *y)).unzip();
    let n = used_x.len();
    let spread = variance(&used_x);
    let slope = if spread > 0.0 { covariance(&used_x, &used_y) / spread } else { f64::NAN };
    let (mean_x, mean_y) = (mean(&used_x), mean(&used_y));
    let residuals = used_x.iter().zip(&used_y).map(|(x, y)| y - mean_y - slope * (x - mean_x));
    let squares = sum(residuals.map(|residual| residual * residual));
    let (standard_error, critical) = if n < 3 {
        (f64::NAN, f64::NAN)
    } else {
        let freedom = (n - 2) as f64;
        let error = (squares / freedom / (spread * (n - 1) as f64)).sqrt();
        (error, student_t_critical(level, freedom))
    };
    let half = critical * standard_error;
    let p_value = if standard_error > 0.0 {
        student_t_two_sided(slope / standard_error, (n - 2) as f64)
    } else if standard_error == 0.0 {
        if slope == 0.0 { 1.0 } else { 0.0 }
    } else {
        f64::NAN
    };
    Slope {
        n,
        skipped: x.len() - n,
        slope,
        intercept: mean_y - slope * mean_x,
        standard_error,
        low: slope - half,
        high: slope + half,
        p_value,
    }
}

/// Slope of an evenly spaced series, per step, from the means of `batches` equal consecutive parts.
///
/// Batching is what makes the errors nearly independent; choose batches many times longer than the memory of
/// the series (ten are customary), or a stable but slow queue is called growing. The interval belongs to one
/// run: across replications, take the mean of their slopes with [`super::summary::Summary`]. Undefined (NaN)
/// if a value is not finite or there are fewer values than batches.
pub fn trend(series: &[f64], batches: usize, level: f64) -> Slope {
    let means = means_of_batches(series, batches);
    let size = series.len().checked_div(batches).unwrap_or(0);
    let first = (series.len() - size * means.len()) as f64 + 0.5 * (size as f64 - 1.0);
    let centres: Vec<f64> = (0..means.len()).map(|batch| first + (batch * size) as f64).collect();
    if means.iter().all(|mean| mean.is_finite()) {
        least_squares(&centres, &means, level)
    } else {
        Slope { skipped: means.len(), ..least_squares(&[], &[], level) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// Anscombe, The American Statistician 27 (1973), first set: 3.00 + 0.500 x, standard error 0.118.
    #[test]
    fn anscombes_first_line_is_the_published_one() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let line = least_squares(&x, &y, 0.95);
        assert_eq!((line.n, line.skipped), (11, 0));
        close(line.slope, 0.500_09, 1e-5);
        close(line.intercept, 3.000_09, 1e-5);
        close(line.standard_error, 0.117_9, 5e-5);
        close(line.p_value, 0.002_17, 5e-6);
        close(line.high - line.low, 2.0 * 2.262_157 * line.standard_error, 1e-6);
    }

    #[test]
    fn exact_lines_and_undefined_ones() {
        let line = least_squares(&[1.0, 2.0, f64::NAN, 4.0], &[3.0, 5.0, 0.0, 9.0], 0.95);
        assert_eq!((line.n, line.skipped), (3, 1));
        close(line.slope, 2.0, 1e-14);
        close(line.intercept, 1.0, 1e-13);
        let flat = least_squares(&[1.0, 2.0, 3.0], &[7.0; 3], 0.95);
        assert_eq!((flat.slope, flat.low, flat.high, flat.p_value), (0.0, 0.0, 0.0, 1.0));
        assert!(least_squares(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], 0.95).slope.is_nan());
        let two = least_squares(&[0.0, 1.0], &[0.0, 3.0], 0.95);
        assert!(two.slope == 3.0 && two.standard_error.is_nan() && two.p_value.is_nan());
    }

    /// Backlog of M/M/1 sampled at customers: at ρ = 0.7 stable, at ρ = 1.25 it grows by 0.25 of work each.
    #[test]
    fn a_growing_backlog_is_told_from_a_stable_one() {
        let mut sample = Sample(15);
        let mut backlog = |rho: f64| {
            let mut work = 0.0_f64;
            let series = sample.many(20_000, |s| {
                work = (work + rho * s.exponential() - s.exponential()).max(0.0);
                work
            });
            trend(&series, 10, 0.95)
        };
        let growing = backlog(1.25);
        assert!(growing.low > 0.0);
        close(growing.slope, 0.25, 0.05);
        let false_alarms = (0..100).filter(|_| backlog(0.7).low > 0.0).count();
        // 2.5 of 100 expected; nine or more has probability 0.001.
        assert!(false_alarms <= 8, "{false_alarms} stable queues of 100 were called growing");
    }

    #[test]
    fn a_trend_is_per_step_and_needs_a_whole_series() {
        let series: Vec<f64> = (0..103).map(|i| 5.0 - 0.5 * f64::from(i)).collect();
        let line = trend(&series, 10, 0.95);
        close(line.slope, -0.5, 1e-12);
        close(line.intercept, 5.0, 1e-10);
        assert!(trend(&[1.0, f64::NAN, 2.0, 3.0], 2, 0.95).slope.is_nan());
        assert!(trend(&[1.0], 10, 0.95).slope.is_nan());
    }
}
