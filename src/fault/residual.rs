//! What is left of a session that is looked at in the middle.
//!
//! A stationary alternating process is, at any instant, within an interval that is likelier to be a long
//! one; what is left of it has the density (1 − F(x)) ÷ E\[X\] (equilibrium law of renewal theory; Cox,
//! "Renewal Theory", 1962, §5.2). Starting everyone at the beginning of a session instead would make the
//! first hour calmer than the rest.

use crate::engine::{Law, Rng, Span};

/// The equilibrium law of a [`Law`], as a table of its integrated tail.
#[derive(Clone, Debug)]
pub struct Residual {
    /// Values \[s\] and the integral of 1 − F up to them, rising.
    points: Vec<(f64, f64)>,
}

/// Equal steps of probability before the tail.
const STEPS: u32 = 1_024;
/// Tail points: 8 for each halving of 1 − F, down to 10⁻¹².
const TAIL: u32 = 240;

impl Residual {
    /// The equilibrium law of `law`, or `None` where it has none: its mean is infinite or zero.
    pub fn of(law: &Law) -> Option<Residual> {
        let mean = law.mean();
        if !(mean.is_finite() && mean > 0.0) {
            return None;
        }
        // Between two quantiles 1 − F falls by at most 1/1,024, or by 9 % of itself in the tail, so that
        // the trapezium rule is nearly exact, jumps included.
        let body = (0..STEPS).map(|step| 1.0 - f64::from(step) / f64::from(STEPS));
        let tail = (0..=TAIL).map(|step| libm::exp2(-f64::from(step) / 8.0) / f64::from(STEPS));
        let mut points: Vec<(f64, f64)> = vec![(0.0, 0.0)];
        let (mut x, mut above, mut integral) = (0.0, 1.0, 0.0);
        for survival in body.chain(tail) {
            let value = law.quantile(1.0 - survival);
            if !value.is_finite() {
                break;
            }
            if value > x {
                integral += (value - x) * (above + survival) / 2.0;
                points.push((value, integral));
            }
            (x, above) = (value.max(x), survival);
        }
        Some(Residual { points })
    }

    /// One draw, by inversion.
    pub fn sample_span(&self, rng: &mut Rng) -> Span {
        let total = self.points.last().expect("the table starts at zero").1;
        let wanted = rng.uniform() * total;
        let next = self.points.partition_point(|point| point.1 < wanted).clamp(1, self.points.len() - 1);
        let ((x, below), (y, above)) = (self.points[next - 1], self.points[next]);
        Span::from_secs_f64(x + (y - x) * (wanted - below) / (above - below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Dist;

    fn mean_of(dist: &Dist) -> f64 {
        let residual = Residual::of(&dist.law().expect("a law")).expect("a finite mean");
        let mut rng = Rng::from_state(1);
        (0..40_000).map(|_| residual.sample_span(&mut rng).as_secs_f64()).sum::<f64>() / 40_000.0
    }

    /// The mean of what is left is E\[X²\] ÷ 2 E\[X\].
    #[test]
    fn what_is_left_has_the_mean_of_renewal_theory() {
        let second = Span::from_secs(1);
        let laws = [
            Dist::Constant(Span::from_secs(10)),
            Dist::exponential(Span::from_secs(10)),
            Dist::Uniform { low: Span::from_secs(5), high: Span::from_secs(7) },
            Dist::Weibull { shape: 0.7, scale: None, mean: Some(Span::from_secs(10)) },
            Dist::Lognormal { median: Some(second), mean: None, sigma: 1.0 },
            Dist::EmpiricalValues(vec![second, Span::from_secs(2), Span::from_secs(30)]),
            Dist::Pareto { shape: 3.5, scale: second, upper: None },
        ];
        for dist in laws {
            let (mean, variance) = (dist.mean(), dist.variance());
            let expected = (variance + mean * mean) / (2.0 * mean);
            let got = mean_of(&dist);
            assert!((got / expected - 1.0).abs() < 0.04, "{dist:?}: {got}, expected {expected}");
        }
    }

    #[test]
    fn a_law_without_a_mean_has_no_equilibrium() {
        let law = Dist::Pareto { shape: 1.0, scale: Span::from_secs(1), upper: None }.law().expect("a law");
        assert!(Residual::of(&law).is_none());
        assert!(Residual::of(&Law::fixed(Span::ZERO)).is_none());
    }
}
