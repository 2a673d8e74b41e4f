//! y = a·(x + offset)^b, fitted as a straight line through logarithms.
//!
//! Least squares of ln y on ln(x + offset): relative errors count alike, which suits quantities that span
//! decades. The interval of the exponent is Student's on n − 2 degrees of freedom.

use serde::Serialize;

use super::LEVEL;
use super::interval::Interval;
use super::moments::{covariance, mean, sum, variance};
use super::special::student_t_critical;

/// A fitted power law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PowerLaw {
    /// a, in the unit of y: the value where x + offset is 1.
    pub coefficient: f64,
    /// b with its 95 % interval; the ends are NaN with two points.
    pub exponent: Interval,
    /// What is added to x.
    pub offset: f64,
    /// Share of the variance of ln y that the line explains; NaN if y is constant.
    pub r_squared: f64,
}

impl PowerLaw {
    /// Fits (x, y) points. `None` unless two values of x + `offset` differ and all of them and of y are
    /// positive and finite.
    pub fn fit(points: &[(f64, f64)], offset: f64) -> Option<PowerLaw> {
        let sound = |value: f64| value.is_finite() && value > 0.0;
        if !points.iter().all(|&(x, y)| sound(x + offset) && sound(y)) {
            return None;
        }
        let logs = |of: &dyn Fn(&(f64, f64)) -> f64| -> Vec<f64> {
            points.iter().map(|point| libm::log(of(point))).collect()
        };
        let (xs, ys) = (logs(&|point| point.0 + offset), logs(&|point| point.1));
        let (n, spread) = (xs.len(), variance(&xs));
        if spread.is_nan() || spread <= 0.0 {
            return None;
        }
        let slope = covariance(&xs, &ys) / spread;
        let intercept = mean(&ys) - slope * mean(&xs);
        let residual = |(x, y): (&f64, &f64)| (y - intercept - slope * x) * (y - intercept - slope * x);
        let squares = sum(xs.iter().zip(&ys).map(residual));
        let freedom = n as f64 - 2.0;
        let half = if n > 2 {
            student_t_critical(LEVEL, freedom) * (squares / freedom / (spread * (n - 1) as f64)).sqrt()
        } else {
            f64::NAN
        };
        let total = variance(&ys) * (n - 1) as f64;
        Some(PowerLaw {
            coefficient: libm::exp(intercept),
            exponent: Interval { n, skipped: 0, estimate: slope, low: slope - half, high: slope + half },
            offset,
            r_squared: if total > 0.0 { 1.0 - squares / total } else { f64::NAN },
        })
    }

    /// The law at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.coefficient * libm::pow(x + self.offset, self.exponent.estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// A-02 of the reference results: T = 2.72(n + .5)^1.724.
    #[test]
    fn an_exact_law_is_found_again() {
        let points = [1.0, 3.0, 4.0, 6.0, 10.0].map(|n| (n, 2.72 * libm::pow(n + 0.5, 1.724)));
        let fit = PowerLaw::fit(&points, 0.5).expect("five sound points");
        close(fit.coefficient, 2.72, 1e-9);
        close(fit.exponent.estimate, 1.724, 1e-9);
        close(fit.exponent.half_width(), 0.0, 1e-6);
        close(fit.r_squared, 1.0, 1e-9);
        close(fit.at(6.0), 68.55, 0.005);
        assert!(PowerLaw::fit(&[(1.0, 1.0), (1.0, 2.0)], 0.0).is_none());
        assert!(PowerLaw::fit(&[(1.0, 1.0), (2.0, -2.0)], 0.0).is_none());
        assert!(PowerLaw::fit(&points[..2], 0.0).expect("two points").exponent.low.is_nan());
    }

    #[test]
    fn the_interval_of_the_exponent_covers() {
        let mut sample = Sample(32);
        let covered = (0..2000)
            .filter(|_| {
                let noisy = |n: u32| {
                    let x = f64::from(n);
                    (x, 3.0 * libm::pow(x, 1.5) * libm::exp(0.3 * sample.normal()))
                };
                let points: Vec<(f64, f64)> = (1..=12).map(noisy).collect();
                PowerLaw::fit(&points, 0.0).expect("sound points").exponent.contains(1.5)
            })
            .count();
        close(covered as f64 / 2000.0, 0.95, 0.02);
    }
}
