//! Random samples for the tests of this module, which may use nothing else of ours.

/// A SplitMix64 stream (Steele, Lea, Flood, OOPSLA 2014).
pub(super) struct Sample(pub(super) u64);

impl Sample {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Uniform in the open interval (0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Exponential with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// Standard normal (Box and Muller 1958, the cosine half).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// `n` draws of `law`.
    pub(super) fn many(&mut self, n: usize, mut law: impl FnMut(&mut Self) -> f64) -> Vec<f64> {
        (0..n).map(|_| law(self)).collect()
    }
}

/// Asserts `|actual − expected| ≤ tolerance`, saying both.
#[track_caller]
pub(super) fn close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "got {actual}, expected {expected} ± {tolerance}");
}
