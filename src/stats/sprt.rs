//! Wald's sequential probability ratio test of a rate: decide as soon as the evidence suffices.
//!
//! Wald, Sequential Analysis (1947): add up log likelihood ratios and stop at ln((1 − β)/α) or ln(β/(1 − α)).
//! The errors are then at most about α and β, and no test with such errors needs fewer observations
//! on average.

use serde::Serialize;

/// What the observations so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Not enough to tell.
    Continue,
    /// The rate is the lower one.
    Null,
    /// The rate is the higher one.
    Alternative,
}

/// A running test of rate `p0` against the higher rate `p1`.
#[derive(Clone, Copy, Debug)]
pub struct Sprt {
    hit: f64,
    miss: f64,
    lower: f64,
    upper: f64,
    sum: f64,
    observations: u64,
}

impl Sprt {
    /// Before the first observation; `alpha` and `beta` are the accepted errors under `p0` and under `p1`.
    ///
    /// # Panics
    /// Unless 0 < p0 < p1 < 1, both errors are positive and alpha + beta < 1.
    pub fn new(p0: f64, p1: f64, alpha: f64, beta: f64) -> Sprt {
        assert!(0.0 < p0 && p0 < p1 && p1 < 1.0, "no rates to tell apart: {p0} and {p1}");
        assert!(alpha > 0.0 && beta > 0.0 && alpha + beta < 1.0, "no errors to test with: {alpha}, {beta}");
        Sprt {
            hit: libm::log(p1 / p0),
            miss: libm::log((1.0 - p1) / (1.0 - p0)),
            lower: libm::log(beta / (1.0 - alpha)),
            upper: libm::log((1.0 - beta) / alpha),
            sum: 0.0,
            observations: 0,
        }
    }

    /// Takes one observation: whether the event whose rate is tested occurred. Ignored once decided.
    pub fn observe(&mut self, hit: bool) -> Decision {
        if self.decision() == Decision::Continue {
            self.observations += 1;
            self.sum += if hit { self.hit } else { self.miss };
        }
        self.decision()
    }

    /// Where the test stands.
    pub fn decision(&self) -> Decision {
        if self.sum >= self.upper {
            Decision::Alternative
        } else if self.sum <= self.lower {
            Decision::Null
        } else {
            Decision::Continue
        }
    }

    /// Observations taken.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Log likelihood ratios that decide for the lower and for the higher rate.
    pub fn bounds(&self) -> (f64, f64) {
        (self.lower, self.upper)
    }

    /// Wald's approximation of the mean number of observations at the true rate `p`, overshoot neglected.
    ///
    /// Exact errors α at p0 and β at p1 are assumed; at another rate the probability of deciding for p1 comes
    /// from E\[e^(hΛ)\] = 1. NaN at the one rate where Λ has no drift.
    pub fn wald_mean(&self, p: f64) -> f64 {
        let drift = p * self.hit + (1.0 - p) * self.miss;
        let moment = |h: f64| p * libm::exp(h * self.hit) + (1.0 - p) * libm::exp(h * self.miss) - 1.0;
        // The root other than 0 lies on the side against the drift, and is 1 at p0 and −1 at p1.
        let side = if drift < 0.0 { 1.0 } else { -1.0 };
        let mut far = side;
        while moment(far) < 0.0 && far.abs() < 1e6 {
            far *= 2.0;
        }
        let mut near = 0.0;
        for _ in 0..200 {
            let middle = 0.5 * (near + far);
            if moment(middle) < 0.0 { near = middle } else { far = middle }
        }
        let (up, low) = (libm::exp(far * self.upper), libm::exp(far * self.lower));
        let alternative = (1.0 - low) / (up - low);
        (alternative * self.upper + (1.0 - alternative) * self.lower) / drift
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// S-07 of the reference results, with overshoot: 30.567 and 22.610, errors .0319 and .0446.
    #[test]
    fn the_test_decides_as_simulated_elsewhere_and_nearly_as_wald_says() {
        let mut sample = Sample(31);
        let fresh = Sprt::new(0.05, 0.2, 0.05, 0.05);
        close(fresh.bounds().1, 2.944_439, 1e-6);
        close(fresh.wald_mean(0.05), 28.209, 1e-2);
        close(fresh.wald_mean(0.2), 18.959, 1e-2);
        for (truth, mean, wrong) in [(0.05, 30.567, 0.0319), (0.2, 22.610, 0.0446)] {
            let (mut taken, mut errors) = (0, 0u32);
            for _ in 0..20_000 {
                let mut test = fresh;
                while test.observe(sample.uniform() < truth) == Decision::Continue {}
                taken += test.observations();
                errors += u32::from((test.decision() == Decision::Alternative) != (truth > 0.1));
            }
            close(taken as f64 / 20_000.0, mean, 0.6);
            close(f64::from(errors) / 20_000.0, wrong, 0.006);
        }
    }
}
