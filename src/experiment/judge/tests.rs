//! Every form of claim, at and around its boundaries.

use super::Verdict::{Fail, Pass, Unknown};
use super::*;
use crate::scenario::Amount;

fn expecting(claim: Claim) -> Expectation {
    Expectation {
        label: "x".to_owned(),
        metric: "sojourn_mean_s".to_owned(),
        unit: "s",
        pattern: Some("ideal".to_owned()),
        class: None,
        probe: None,
        versus: None,
        statistic: Statistic::Mean,
        claim,
    }
}

fn readings(values: &[f64]) -> Vec<Reading> {
    values.iter().map(|&value| Reading::of(value)).collect()
}

fn judged(claim: Claim, values: &[f64]) -> (Verdict, String) {
    let judged = judge(&expecting(claim), &readings(values));
    (judged.verdict, judged.reason)
}

/// Mean 2.5, half-width t(3; 0.975) · √(5/3) / 2 = 2.054 3.
const FOUR: [f64; 4] = [1.0, 2.0, 3.0, 4.0];
const LOW: f64 = 2.5 - 2.054_3;
const HIGH: f64 = 2.5 + 2.054_3;

fn equal(value: f64, tolerance: f64, reference_half_width: f64) -> Claim {
    Claim::Equal { value, tolerance, reference_half_width }
}

#[test]
fn equality_needs_the_reference_inside_and_the_interval_narrow() {
    assert_eq!(judged(equal(3.0, 2.1, 0.0), &FOUR), (Pass, String::new()));
    assert_eq!(judged(equal(HIGH - 1e-3, 2.1, 0.0), &FOUR).0, Pass);
    let (verdict, reason) = judged(equal(HIGH + 1e-3, 2.1, 0.0), &FOUR);
    assert_eq!((verdict, reason.as_str()), (Fail, "the reference lies outside the interval"));
    assert_eq!(judged(equal(LOW - 1e-3, 0.1, 0.0), &FOUR).0, Fail, "outside is outside, however wide");
    let (verdict, reason) = judged(equal(3.0, 2.05, 0.0), &FOUR);
    assert_eq!(verdict, Unknown);
    assert_eq!(reason, "after 4 replications the half-width 2.0543 is above the tolerance 2.0500");
}

#[test]
fn a_reference_with_an_interval_of_its_own_widens_the_two() {
    // √(2.0543² + 1.5²) = 2.5436, and the tolerance still asks for the simulation's own half-width.
    assert_eq!(judged(equal(5.04, 2.1, 1.5), &FOUR).0, Pass);
    assert_eq!(judged(equal(5.05, 2.1, 1.5), &FOUR).0, Fail);
    assert_eq!(judged(equal(5.04, 2.0, 1.5), &FOUR).0, Unknown);
}

#[test]
fn nearness_needs_the_whole_interval() {
    let within = |value, by| Claim::Within { value, by };
    assert_eq!(judged(within(2.5, 2.055), &FOUR), (Pass, String::new()));
    assert_eq!(judged(within(2.5, 2.05), &FOUR).0, Unknown);
    let (verdict, reason) = judged(within(6.0, 1.0), &FOUR);
    assert_eq!((verdict, reason.as_str()), (Fail, "it lies below 6 ± 1"));
    assert_eq!(judged(within(-1.0, 1.0), &FOUR).1, "it lies above -1 ± 1");
    // Exact results have no width.
    assert_eq!(judged(within(7.0, 1e-9), &[7.0; 5]), (Pass, String::new()));
    assert_eq!(judged(within(7.0, 1e-9), &[7.0]).0, Pass);
    assert_eq!(judged(within(7.0, 1e-9), &[7.1; 5]).0, Fail);
}

#[test]
fn thresholds_are_passed_failed_or_undecided() {
    let bounds = |min, max| Claim::Bounds { min, max, half_width: None };
    assert_eq!(judged(bounds(None, Some(HIGH + 1e-3)), &FOUR).0, Pass);
    assert_eq!(judged(bounds(None, Some(HIGH - 1e-3)), &FOUR).0, Unknown);
    assert_eq!(
        judged(bounds(None, Some(LOW - 1e-3)), &FOUR),
        (Fail, format!("it lies above {}", LOW - 1e-3))
    );
    assert_eq!(judged(bounds(Some(LOW - 1e-3), None), &FOUR).0, Pass);
    assert_eq!(judged(bounds(Some(LOW + 1e-3), None), &FOUR).0, Unknown);
    assert_eq!(judged(bounds(Some(5.0), None), &FOUR), (Fail, "it lies below 5".to_owned()));
    assert_eq!(judged(bounds(Some(0.0), Some(5.0)), &FOUR).0, Pass);
    assert_eq!(judged(bounds(Some(5.0), Some(9.0)), &FOUR).1, "it lies below 5");
    assert_eq!(judged(bounds(Some(-9.0), Some(0.0)), &FOUR).1, "it lies above 0");
    // The half-width asked for decides when to stop, not what follows.
    let wide = Claim::Bounds { min: Some(0.0), max: None, half_width: Some(Amount::Absolute(0.1)) };
    assert_eq!(judged(wide, &FOUR).0, Pass);
}

#[test]
fn one_run_is_a_value_and_no_interval() {
    assert_eq!(judged(equal(7.0, 1.0, 0.0), &[7.0]).0, Unknown);
    let max = |max| Claim::Bounds { min: None, max: Some(max), half_width: None };
    assert_eq!(judged(max(7.5), &[7.0]), (Pass, "judged on one run".to_owned()));
    assert_eq!(judged(max(6.5), &[7.0]), (Fail, "it lies above 6.5 (one run)".to_owned()));
}

#[test]
fn what_does_not_apply_is_never_passed() {
    let nan = f64::NAN;
    for claim in [
        equal(1.0, 9.0, 0.0),
        Claim::Within { value: 1.0, by: 9.0 },
        Claim::Bounds { min: None, max: Some(9.0), half_width: None },
    ] {
        let (verdict, reason) = judged(claim, &[nan, nan]);
        assert_eq!(verdict, Fail);
        assert_eq!(reason, "`sojourn_mean_s` does not apply in 2 of 2 replications");
        assert_eq!(judged(claim, &[1.0, nan, 1.0]).0, Fail, "missing values are not missing at random");
        assert_eq!(judged(claim, &[]), (Unknown, "no replication was done".to_owned()));
    }
}

#[test]
fn a_variance_has_the_chi_square_interval() {
    let variance = |claim, values: &[f64]| {
        judge(&Expectation { statistic: Statistic::Variance, ..expecting(claim) }, &readings(values))
    };
    // 5/3 with 5 ÷ 9.348404 = 0.5349 and 5 ÷ 0.215795 = 23.170 as ends.
    let found = variance(equal(23.1, 12.0, 0.0), &FOUR);
    assert_eq!(found.verdict, Pass);
    assert!((found.measured.estimate - 5.0 / 3.0).abs() < 1e-12);
    assert_eq!(variance(equal(23.2, 12.0, 0.0), &FOUR).verdict, Fail);
    assert_eq!(variance(equal(0.5, 12.0, 0.0), &FOUR).verdict, Fail);
    assert_eq!(variance(Claim::Within { value: 1.0, by: 1.0 }, &[3.0]).verdict, Unknown);
}

#[test]
fn two_patterns_are_compared_in_pairs() {
    let pair = |value: f64, other: f64| {
        let part = |value| Part { value, engaged: f64::NAN };
        Reading { value: part(value), versus: Some(part(other)) }
    };
    let versus = |ratio| Expectation {
        versus: Some(("hybrid".to_owned(), ratio)),
        ..expecting(Claim::Within { value: 2.0, by: 1e-9 })
    };
    // Values that differ much, differences that do not.
    let readings = [pair(3.0, 1.0), pair(12.0, 10.0), pair(102.0, 100.0)];
    assert_eq!(judge(&versus(false), &readings).verdict, Pass);
    let doubled = [pair(3.0, 1.5), pair(14.0, 7.0), pair(2.0, 1.0)];
    assert_eq!(judge(&versus(true), &doubled).verdict, Pass);
    let undefined = [pair(3.0, 1.5), pair(0.0, 7.0)];
    assert_eq!(judge(&versus(true), &undefined).verdict, Fail);
}

/// A tax is a ratio of sums: 1 of 10 and 9 of 10 000 are not 5 %.
#[test]
fn a_tax_counts_replications_by_their_work() {
    let tax = |value, engaged| Reading { value: Part { value, engaged }, versus: None };
    let found = estimate(
        &expecting(Claim::Within { value: 0.0, by: 1.0 }),
        &[tax(1.0, 10.0), tax(9.0, 10_000.0), tax(5.0, 5_000.0)],
    );
    assert!((found.estimate - 15.0 / 15_010.0).abs() < 1e-12);
}

#[test]
fn the_worst_verdict_is_the_exit_code() {
    assert_eq!(Verdict::worst([]), Pass);
    assert_eq!(Verdict::worst([Pass, Unknown, Pass]).exit_code(), 4);
    assert_eq!(Verdict::worst([Unknown, Fail, Pass]).exit_code(), 1);
}
