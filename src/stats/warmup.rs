//! Where a run's warm-up ends: MSER-5.
//!
//! White, Cobb and Spratt, "A comparison of five steady-state truncation heuristics for simulation", Winter
//! Simulation Conference 2000: average the series in fives, then cut where the standard error of what is left
//! is smallest. Dropping biased values lowers it; dropping good ones raises it.
//!
//! For a comparison, the cut must be one for all patterns (model.md §1): take the latest, or run MSER-5 on
//! the series averaged over replications, and fix that.

use serde::Serialize;

use super::moments::Running;

/// Values averaged into one before the rule is applied: the 5 of MSER-5.
const BATCH: usize = 5;

/// The result of MSER-5.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Truncation {
    /// Values to drop from the front, a multiple of five.
    pub observations: usize,
    /// Σ(y − ȳ)² ÷ (m − d)² of the means kept: the squared standard error that was minimised.
    pub statistic: f64,
    /// False if the minimum lies on the last cut allowed: the run is probably too short to have settled.
    pub settled: bool,
}

/// MSER-5 over a series in time order, with cuts up to half of it.
///
/// Incomplete last batches are ignored; of equal minima the earliest counts. `None` below two batches (ten
/// values) or if a value is not finite, since a series cannot skip a position.
pub fn mser5(series: &[f64]) -> Option<Truncation> {
    if series.len() < 2 * BATCH || series.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let means: Vec<f64> =
        series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let last_cut = means.len() / 2;
    let mut kept = Running::default();
    let mut best = (f64::INFINITY, last_cut);
    // From the back, so that each suffix costs one step.
    for (cut, mean) in means.iter().enumerate().rev() {
        kept.push(*mean);
        let count = kept.n() as f64;
        let statistic = kept.squares() / (count * count);
        if cut <= last_cut && statistic <= best.0 {
            best = (statistic, cut);
        }
    }
    let (statistic, cut) = best;
    Some(Truncation { observations: BATCH * cut, statistic, settled: cut < last_cut })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// V-05 of the reference results.
    #[test]
    fn the_reference_series_is_cut_after_15_values() {
        let series: Vec<f64> = (0..500)
            .map(|i| {
                let transient = if i < 50 { 10.0 * libm::pow(2.0, -f64::from(i) / 5.0) } else { 0.0 };
                transient + if (i / 5) % 2 == 0 { 1.0 } else { -1.0 }
            })
            .collect();
        let truncation = mser5(&series).expect("500 finite values");
        assert_eq!((truncation.observations, truncation.settled), (15, true));
        close(truncation.statistic, 0.010_302_578_187, 1e-12);
    }

    #[test]
    fn a_step_is_cut_exactly_and_a_ramp_never_settles() {
        let step: Vec<f64> = (0..200).map(|i| if i < 40 { 9.0 } else { 1.0 }).collect();
        assert_eq!(mser5(&step), Some(Truncation { observations: 40, statistic: 0.0, settled: true }));
        let ramp: Vec<f64> = (0..200).map(f64::from).collect();
        let truncation = mser5(&ramp).expect("200 finite values");
        assert_eq!((truncation.observations, truncation.settled), (100, false));
        assert_eq!(mser5(&[1.0; 9]), None);
        assert_eq!(mser5(&[f64::NAN; 50]), None);
    }

    /// AR(1) runs started ten standard deviations away: 0.3 of bias in 2,000 values, hardly any after.
    #[test]
    fn the_cut_removes_the_bias_of_a_bad_start() {
        let mut sample = Sample(16);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        const RUNS: usize = 400;
        let (mut whole, mut kept) = (0.0, 0.0);
        for _ in 0..RUNS {
            let mut state = 30.0;
            let series = sample.many(2000, |s| {
                state = 0.95 * state + s.normal();
                state
            });
            let cut = mser5(&series).expect("2000 finite values").observations;
            whole += mean(&series) / RUNS as f64;
            kept += mean(&series[cut..]) / RUNS as f64;
        }
        // Bias 30 · .95/(.05 · 2000) = .285; standard error of either average 20/√(2000 · 400) = .022.
        close(whole, 0.285, 0.09);
        close(kept, 0.0, 0.09);
    }
}
