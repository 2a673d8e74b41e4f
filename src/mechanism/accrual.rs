//! φ-accrual: how suspicious a silence is, instead of whether.
//!
//! Of Hayashibara et al. (SRDS 2004, eq. 2–4): φ(t) = −log₁₀ P(a gap is longer than t), with the gaps
//! between heartbeats taken as normal. Whoever acts at φ ≥ Φ is wrong in 10^−Φ of all gaps, and each
//! reader may choose its own Φ. The law is learnt from the latest gaps, or given.

use std::collections::VecDeque;

use crate::engine::{normal_cdf, normal_quantile};

/// The level of suspicion of one node.
#[derive(Clone, Debug)]
pub struct Accrual {
    window: usize,
    gaps: VecDeque<f64>,
    sum: f64,
    squares: f64,
}

impl Accrual {
    /// Learns from the latest `window` gaps. Panics if there cannot be two, from which spread is learnt.
    pub fn new(window: usize) -> Accrual {
        assert!(window >= 2, "one gap says nothing about their spread");
        Accrual { window, gaps: VecDeque::new(), sum: 0.0, squares: 0.0 }
    }

    /// A heartbeat came `gap` seconds after the one before.
    pub fn heard(&mut self, gap: f64) {
        if self.gaps.len() == self.window
            && let Some(oldest) = self.gaps.pop_front()
        {
            self.sum -= oldest;
            self.squares -= oldest * oldest;
        }
        self.gaps.push_back(gap);
        self.sum += gap;
        self.squares += gap * gap;
    }

    /// Mean and standard deviation \[s\] of the gaps learnt; `None` before two of them.
    pub fn law(&self) -> Option<(f64, f64)> {
        let count = self.gaps.len() as f64;
        let mean = self.sum / count;
        let variance = (self.squares - count * mean * mean) / (count - 1.0);
        (self.gaps.len() >= 2).then(|| (mean, libm::sqrt(variance.max(0.0))))
    }

    /// φ after `silence` seconds; `None` before two gaps were learnt.
    pub fn phi(&self, silence: f64) -> Option<f64> {
        self.law().map(|(mean, spread)| phi(mean, spread, silence))
    }
}

/// φ after `silence` seconds where gaps are normal with this `mean` and standard deviation \[s\].
pub fn phi(mean: f64, spread: f64, silence: f64) -> f64 {
    -libm::log10(normal_cdf((mean - silence) / spread))
}

/// The silence \[s\] at which φ reaches `threshold`: the fixed timeout that suspects at the same instant.
pub fn timeout(mean: f64, spread: f64, threshold: f64) -> f64 {
    mean - spread * normal_quantile(libm::exp10(-threshold))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-04 of the reference results: mean 1, standard deviation 0.1.
    #[test]
    fn thresholds_equal_the_published_timeouts() {
        for (threshold, expected) in
            [(1.0, 1.12816), (2.0, 1.23263), (3.0, 1.30902), (5.0, 1.42649), (8.0, 1.56120)]
        {
            let silence = timeout(1.0, 0.1, threshold);
            assert!((silence - expected).abs() < 1e-5, "{threshold}: {silence}");
            assert!((phi(1.0, 0.1, silence) - threshold).abs() < 1e-9);
        }
    }

    #[test]
    fn the_law_is_that_of_the_latest_gaps() {
        let mut accrual = Accrual::new(3);
        accrual.heard(9.0);
        assert_eq!(accrual.phi(1.0), None);
        [1.0, 2.0, 3.0].iter().for_each(|&gap| accrual.heard(gap));
        let (mean, spread) = accrual.law().unwrap();
        assert!((mean - 2.0).abs() < 1e-12 && (spread - 1.0).abs() < 1e-12, "{mean} {spread}");
        assert!((accrual.phi(2.0).unwrap() - std::f64::consts::LOG10_2).abs() < 1e-9);
    }
}
