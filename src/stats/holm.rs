//! Verdicts over a family of comparisons: Holm's step-down correction.
//!
//! Three endpoints over all pattern pairs are dozens of tests; at 5 % each, a false one somewhere would be
//! the rule. Holm (Scandinavian Journal of Statistics 6, 1979) bounds the chance of *any* false verdict by
//! `alpha` under every kind of dependence, and is never weaker than Bonferroni.

/// Adjusted p-values, in the order given: compare each with the family's level directly.
///
/// A p-value of NaN (an undefined comparison) stays NaN and is never rejected, but still counts in the size
/// of the family: a comparison that was planned and could not be made must not make the others easier.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let family = p_values.len();
    let mut order: Vec<usize> = (0..family).filter(|&i| !p_values[i].is_nan()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![f64::NAN; family];
    let mut largest = 0.0_f64;
    for (step, &i) in order.iter().enumerate() {
        // Adjusted values must not decrease: a test is rejected only if all smaller ones are.
        largest = largest.max((family - step) as f64 * p_values[i]).min(1.0);
        adjusted[i] = largest;
    }
    adjusted
}

/// Which of the family's null hypotheses are rejected at family-wise level `alpha`.
pub fn holm_rejects(p_values: &[f64], alpha: f64) -> Vec<bool> {
    holm(p_values).into_iter().map(|p| p <= alpha).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// By hand: sorted .005·4, .01·3, .03·2, max(.04·1, .06).
    #[test]
    fn adjusted_values_are_the_hand_computed_ones() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (actual, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            close(*actual, expected, 1e-15);
        }
        assert_eq!(holm_rejects(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        // Bonferroni would refuse the second (.02·3 = .06); Holm asks .02·2 = .04.
        assert_eq!(holm_rejects(&[0.012, 0.02, 0.6], 0.05), [true, true, false]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn an_undefined_comparison_counts_in_the_family_and_is_never_rejected() {
        let adjusted = holm(&[0.02, f64::NAN, 0.5]);
        close(adjusted[0], 0.06, 1e-15);
        assert!(adjusted[1].is_nan());
        assert_eq!(holm_rejects(&[0.02, f64::NAN, 0.5], 0.05), [false, false, false]);
    }

    /// 20 true null hypotheses: some uncorrected test rejects in 64 % of families, Holm in 5 %.
    #[test]
    fn the_family_wise_error_is_at_most_alpha() {
        let mut sample = Sample(5);
        let (mut corrected, mut plain) = (0, 0);
        for _ in 0..4000 {
            let p = sample.many(20, Sample::uniform);
            corrected += usize::from(holm_rejects(&p, 0.05).contains(&true));
            plain += usize::from(p.iter().any(|&p| p <= 0.05));
        }
        // 1 − (1 − .05/20)^20 = .0488; four standard errors of 4000 families = .0137.
        close(f64::from(corrected as u32) / 4000.0, 0.0488, 0.0137);
        close(f64::from(plain as u32) / 4000.0, 0.6415, 0.031);
    }
}
