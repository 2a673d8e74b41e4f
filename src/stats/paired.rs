//! Pattern a against pattern b on the same replications: paired differences, ratios, and ratios of sums.
//!
//! Element k of both slices is replication k: same tasks, agents and faults (common random numbers), so that
//! what they share cancels. The correlation achieved is reported; near 0, pairing bought nothing. A pair with
//! a non-finite member is left out whole and counted in `skipped`.
//!
//! All p-values are two-sided for "no difference" and belong into [`super::holm::holm`] when they carry
//! verdicts.

use serde::Serialize;

use super::interval::Interval;
use super::moments::{correlation, mean, sum, variance};
use super::special::{student_t_critical, student_t_two_sided};

/// A paired comparison of a with b.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Pairs used.
    pub n: usize,
    /// Pairs left out because a member was not finite.
    pub skipped: usize,
    /// a − b, or a ÷ b for [`paired_log_ratio`]; NaN if undefined.
    pub estimate: f64,
    /// Lower end of the interval; NaN below two pairs.
    pub low: f64,
    /// Upper end of the interval; NaN below two pairs.
    pub high: f64,
    /// Correlation of a with b over pairs; NaN below two pairs or if either is constant.
    pub correlation: f64,
    /// Two-sided Student-t p-value; NaN below two pairs, 1 if a and b agree in every pair.
    pub p_value: f64,
}

impl Paired {
    const fn undefined(n: usize, skipped: usize) -> Paired {
        let nan = f64::NAN;
        Paired { n, skipped, estimate: nan, low: nan, high: nan, correlation: nan, p_value: nan }
    }

    /// Half the width of the interval; of a ratio's interval, which is not symmetric, not the way to an end.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

/// Mean of aₖ − bₖ with a paired-t interval. Same unit as the values.
///
/// # Panics
/// If the lengths differ.
pub fn paired_difference(a: &[f64], b: &[f64], level: f64) -> Paired {
    let (kept, skipped) = complete([a, b]);
    let [a, b] = kept;
    difference(&a, &b, skipped, level)
}

/// Geometric mean of aₖ ÷ bₖ: exp of the paired difference of logarithms, interval transformed back.
///
/// The right scale for prices and latencies, which multiply: 2 and ½ are equally far from "no difference",
/// which is 1. Undefined if a finite pair has a member ≤ 0, since leaving it out would choose the answer.
///
/// # Panics
/// If the lengths differ.
pub fn paired_log_ratio(a: &[f64], b: &[f64], level: f64) -> Paired {
    let ([a, b], skipped) = complete([a, b]);
    if a.iter().chain(&b).any(|value| *value <= 0.0) {
        return Paired::undefined(a.len(), skipped);
    }
    let logs = |values: &[f64]| -> Vec<f64> { values.iter().map(|value| libm::log(*value)).collect() };
    let logged = difference(&logs(&a), &logs(&b), skipped, level);
    Paired {
        estimate: libm::exp(logged.estimate),
        low: libm::exp(logged.low),
        high: libm::exp(logged.high),
        ..logged
    }
}

/// One ratio of sums over replications: numerator and denominator of replication k, as in overhead ÷ useful.
#[derive(Clone, Copy, Debug)]
pub struct RatioData<'a> {
    /// Numerator per replication.
    pub numerator: &'a [f64],
    /// Denominator per replication.
    pub denominator: &'a [f64],
}

/// Σ numerator ÷ Σ denominator with a jackknife interval over replications.
///
/// The estimate is the plain ratio of sums, the number that tables print; its variance is the jackknife's,
/// (n − 1)/n · Σ(θ₍ᵢ₎ − θ̄)² (Efron and Tibshirani 1993, eq. 11.5), with t on n − 1 degrees of freedom.
/// Undefined (NaN) if the denominators sum to 0, the interval also if they do with one left out.
///
/// # Panics
/// If the lengths differ.
pub fn jackknife_ratio(data: RatioData<'_>, level: f64) -> Interval {
    let ([numerator, denominator], skipped) = complete([data.numerator, data.denominator]);
    let n = numerator.len();
    let estimate = ratio(sum(numerator.iter().copied()), sum(denominator.iter().copied()));
    let left_out = leave_one_out(&numerator, &denominator);
    let half = critical(n, level) * jackknife_error(&left_out);
    Interval { n, skipped, estimate, low: estimate - half, high: estimate + half }
}

/// Difference of two ratios of sums, a − b, with a jackknife over the replications they share.
///
/// Leaving replication k out of both at once lets what they share cancel, as pairing does for means; with
/// constant denominators it is exactly [`paired_difference`]. The correlation is that of the two ratios'
/// leave-one-out values. Sources and undefined cases as in [`jackknife_ratio`].
///
/// # Panics
/// If the lengths differ.
pub fn jackknife_ratio_difference(a: RatioData<'_>, b: RatioData<'_>, level: f64) -> Paired {
    let ([num_a, den_a, num_b, den_b], skipped) =
        complete([a.numerator, a.denominator, b.numerator, b.denominator]);
    let n = num_a.len();
    let total = |values: &[f64]| sum(values.iter().copied());
    let estimate = ratio(total(&num_a), total(&den_a)) - ratio(total(&num_b), total(&den_b));
    let (left_a, left_b) = (leave_one_out(&num_a, &den_a), leave_one_out(&num_b, &den_b));
    let differences: Vec<f64> = left_a.iter().zip(&left_b).map(|(a, b)| a - b).collect();
    let error = jackknife_error(&differences);
    let half = critical(n, level) * error;
    Paired {
        n,
        skipped,
        estimate,
        low: estimate - half,
        high: estimate + half,
        correlation: correlation(&left_a, &left_b),
        p_value: p_value(estimate, error, n),
    }
}

/// The paired-t comparison of complete pairs.
fn difference(a: &[f64], b: &[f64], skipped: usize, level: f64) -> Paired {
    let n = a.len();
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let estimate = mean(&differences);
    let error = (variance(&differences) / n as f64).sqrt();
    let half = critical(n, level) * error;
    Paired {
        n,
        skipped,
        estimate,
        low: estimate - half,
        high: estimate + half,
        correlation: correlation(a, b),
        p_value: p_value(estimate, error, n),
    }
}

/// The columns without the rows that have a non-finite member, and how many rows that were.
fn complete<const COLUMNS: usize>(columns: [&[f64]; COLUMNS]) -> ([Vec<f64>; COLUMNS], usize) {
    let rows = columns[0].len();
    assert!(columns.iter().all(|column| column.len() == rows), "paired samples have equal lengths");
    let whole: Vec<usize> =
        (0..rows).filter(|&k| columns.iter().all(|column| column[k].is_finite())).collect();
    let skipped = rows - whole.len();
    (columns.map(|column| whole.iter().map(|&k| column[k]).collect()), skipped)
}

/// Ratio of sums with each replication left out in turn; empty below two.
fn leave_one_out(numerator: &[f64], denominator: &[f64]) -> Vec<f64> {
    if numerator.len() < 2 {
        return Vec::new();
    }
    let (top, bottom) = (sum(numerator.iter().copied()), sum(denominator.iter().copied()));
    numerator.iter().zip(denominator).map(|(num, den)| ratio(top - num, bottom - den)).collect()
}

/// Standard error from leave-one-out values: √((n − 1)/n · Σ(θ₍ᵢ₎ − θ̄)²), which is (n − 1)/√n of their sd.
fn jackknife_error(left_out: &[f64]) -> f64 {
    let n = left_out.len() as f64;
    (n - 1.0) * (variance(left_out) / n).sqrt()
}

/// Division that is undefined, not infinite, for a denominator of 0.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { f64::NAN } else { numerator / denominator }
}

fn critical(n: usize, level: f64) -> f64 {
    if n < 2 { f64::NAN } else { student_t_critical(level, (n - 1) as f64) }
}

fn p_value(estimate: f64, error: f64, n: usize) -> f64 {
    if n < 2 || estimate.is_nan() || error.is_nan() {
        f64::NAN
    } else if error == 0.0 {
        // Every pair says the same: no difference for certain, or a difference for certain.
        if estimate == 0.0 { 1.0 } else { 0.0 }
    } else {
        student_t_two_sided(estimate / error, (n - 1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, close};
    use super::*;

    /// Student's own data (Biometrika 6, 1908): hours of sleep gained by ten patients under two drugs.
    const SLEEP_A: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const SLEEP_B: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];

    /// R documents t = 4.0621 on 9 degrees, p = 0.002833, interval 0.7001142 to 2.4598858.
    #[test]
    fn the_sleep_data_give_the_published_answer() {
        let paired = paired_difference(&SLEEP_A, &SLEEP_B, 0.95);
        assert_eq!((paired.n, paired.skipped), (10, 0));
        close(paired.estimate, 1.58, 1e-12);
        close(paired.low, 0.700_114_2, 1e-6);
        close(paired.high, 2.459_885_8, 1e-6);
        close(paired.p_value, 0.002_833, 1e-6);
        close(paired.correlation, 0.795_170_2, 1e-6);
        let reversed = paired_difference(&SLEEP_B, &SLEEP_A, 0.95);
        assert_eq!((reversed.estimate, reversed.p_value), (-paired.estimate, paired.p_value));
    }

    #[test]
    fn a_log_ratio_is_symmetric_about_one_and_scale_free() {
        let a = [2.0, 8.0, 4.0, 16.0];
        let b = [1.0, 1.0, 4.0, 1.0];
        let paired = paired_log_ratio(&a, &b, 0.95);
        close(paired.estimate, 4.0, 1e-12);
        let inverse = paired_log_ratio(&b, &a, 0.95);
        close(paired.low * inverse.high, 1.0, 1e-12);
        close(paired.p_value, inverse.p_value, 1e-12);
        let scaled = paired_log_ratio(&a.map(|x| 7.0 * x), &b, 0.95);
        close(scaled.high, 7.0 * paired.high, 1e-9);
        assert!(paired_log_ratio(&[1.0, 0.0, 2.0], &[1.0; 3], 0.95).estimate.is_nan());
    }

    #[test]
    fn incomplete_pairs_are_left_out_whole() {
        let nan = f64::NAN;
        let paired = paired_difference(&[1.0, nan, 5.0, 4.0], &[0.0, 1.0, 2.0, f64::INFINITY], 0.95);
        assert_eq!((paired.n, paired.skipped, paired.estimate), (2, 2, 2.0));
        let one = paired_difference(&[1.0], &[0.5], 0.95);
        assert_eq!(one.estimate, 0.5);
        assert!(one.low.is_nan() && one.p_value.is_nan() && one.correlation.is_nan());
        assert!(paired_difference(&[], &[], 0.95).estimate.is_nan());
        let same = paired_difference(&SLEEP_A, &SLEEP_A, 0.95);
        assert_eq!((same.estimate, same.low, same.high, same.p_value), (0.0, 0.0, 0.0, 1.0));
        let shifted = paired_difference(&[3.0, 4.0, 5.0], &[1.0, 2.0, 3.0], 0.95);
        assert_eq!((shifted.estimate, shifted.p_value), (2.0, 0.0));
    }

    /// V-07 of the reference results: two exponential servers of means 1 and 1.2 driven by the same uniforms.
    #[test]
    fn common_random_numbers_cut_the_variance_61_times() {
        let mut sample = Sample(12);
        let n = 40_000;
        let u = sample.many(n, Sample::exponential);
        let v = sample.many(n, Sample::exponential);
        let faster: Vec<f64> = u.iter().map(|x| 1.2 * x).collect();
        let other: Vec<f64> = v.iter().map(|x| 1.2 * x).collect();
        let common = paired_difference(&u, &faster, 0.95);
        let independent = paired_difference(&u, &other, 0.95);
        close(common.correlation, 1.0, 1e-12);
        close(independent.correlation, 0.0, 0.02);
        let spread = |paired: &Paired| paired.half_width() / 1.96 * (n as f64).sqrt();
        close(spread(&common) * spread(&common), 0.04, 0.003);
        close(spread(&independent) * spread(&independent), 2.44, 0.15);
        assert!(common.low <= -0.2 && -0.2 <= common.high);
    }

    #[test]
    fn with_constant_denominators_the_jackknife_is_the_paired_t() {
        let ones = [1.0; 10];
        let a = RatioData { numerator: &SLEEP_A, denominator: &ones };
        let b = RatioData { numerator: &SLEEP_B, denominator: &ones };
        let (jack, plain) =
            (jackknife_ratio_difference(a, b, 0.95), paired_difference(&SLEEP_A, &SLEEP_B, 0.95));
        close(jack.estimate, plain.estimate, 1e-12);
        close(jack.low, plain.low, 1e-12);
        close(jack.p_value, plain.p_value, 1e-12);
        close(jack.correlation, plain.correlation, 1e-12);
    }

    /// By hand: (1+2+6)/(2+2+4) = 9/8; leaving one out: 8/6, 7/6, 3/4, mean 13/12.
    #[test]
    fn the_jackknife_of_three_replications_is_the_hand_computed_one() {
        let data = RatioData { numerator: &[1.0, 2.0, 6.0], denominator: &[2.0, 2.0, 4.0] };
        let interval = jackknife_ratio(data, 0.95);
        assert_eq!((interval.n, interval.estimate), (3, 1.125));
        // Deviations 3/12, 1/12, −4/12: squares sum to 26/144; × 2/3 = 13/108.
        close(interval.half_width(), 4.302_652_73 * libm::sqrt(13.0 / 108.0), 1e-7);
        assert!(
            jackknife_ratio(RatioData { numerator: &[1.0, 2.0], denominator: &[0.0, 0.0] }, 0.95)
                .low
                .is_nan()
        );
        let lonely = jackknife_ratio(RatioData { numerator: &[1.0, 2.0], denominator: &[0.0, 4.0] }, 0.95);
        assert!(lonely.estimate == 0.75 && lonely.low.is_nan());
    }

    /// Shared load makes both ratios move together; the interval must cover the true difference 0.05.
    #[test]
    fn the_jackknife_covers_a_difference_of_taxes() {
        let mut sample = Sample(14);
        let (mut covered, mut correlated) = (0, 0.0);
        const RUNS: usize = 3000;
        for _ in 0..RUNS {
            let useful = sample.many(20, |s| 1.0 + s.exponential());
            let friction = sample.many(20, |s| libm::exp(0.5 * s.normal() - 0.125));
            let overhead = |share: f64, sample: &mut Sample| -> Vec<f64> {
                let noisy = |(u, f): (&f64, &f64)| u * f * share * (1.0 + 0.1 * sample.normal());
                useful.iter().zip(&friction).map(noisy).collect()
            };
            let (a, b) = (overhead(0.25, &mut sample), overhead(0.20, &mut sample));
            let paired = jackknife_ratio_difference(
                RatioData { numerator: &a, denominator: &useful },
                RatioData { numerator: &b, denominator: &useful },
                0.95,
            );
            covered += usize::from(paired.low <= 0.05 && 0.05 <= paired.high);
            correlated += paired.correlation / RUNS as f64;
        }
        close(covered as f64 / RUNS as f64, 0.94, 0.02);
        assert!(correlated > 0.9, "correlation {correlated}");
    }
}
