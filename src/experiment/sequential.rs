//! How many replications there are, where an expectation asks for a half-width.
//!
//! Replications come in batches, each a quarter of those there are, until every half-width asked for is
//! reached or the budget is spent. The rule sees widths and nothing else (Chow and Robbins 1965; model.md
//! §5), and the batches follow from the numbers alone, so that threads and their order change nothing.

use super::judge::{Reading, estimate};
use crate::scenario::{Amount, Claim, Expectation};
use crate::stats::LEVEL;
use crate::stats::stopping::{Progress, Rule};

/// The precision that an expectation asks for, if it does.
fn rule(expectation: &Expectation) -> Option<Rule> {
    let (relative, absolute) = match expectation.claim {
        Claim::Equal { tolerance, .. } => (0.0, tolerance),
        Claim::Bounds { half_width: Some(Amount::Absolute(absolute)), .. } => (0.0, absolute),
        Claim::Bounds { half_width: Some(Amount::Share(share)), .. } => (share, 0.0),
        Claim::Bounds { half_width: None, .. } | Claim::Within { .. } => return None,
    };
    Some(Rule { relative, absolute, minimum: 2, maximum: usize::MAX, level: LEVEL })
}

/// Whether the readings are as precise as the expectation asks. A value that is undefined in some
/// replication never will be, and more replications would not help it.
pub(super) fn precise(expectation: &Expectation, readings: &[Reading]) -> bool {
    let Some(rule) = rule(expectation) else { return true };
    let measured = estimate(expectation, readings);
    let hopeless = measured.skipped > 0 || (measured.n > 1 && measured.estimate.is_nan());
    hopeless || rule.judge(measured.n, measured.estimate, measured.half_width()) == Progress::Precise
}

/// How many replications there must be after `done`, up to `budget`; `None` if the budget is spent.
pub(super) fn next(done: u32, budget: u32) -> Option<u32> {
    (done < budget).then(|| done.saturating_add((done / 4).max(2)).min(budget))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Statistic;

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

    #[test]
    fn batches_grow_by_a_quarter_up_to_the_budget() {
        let mut asked = vec![20];
        while let Some(more) = next(*asked.last().expect("some"), 50) {
            asked.push(more);
        }
        assert_eq!(asked, [20, 25, 31, 38, 47, 50]);
        assert_eq!((next(1, 9), next(9, 9), next(20, 9)), (Some(3), None, None));
    }

    /// t(3; 0.975) = 3.182446 and s = √(5/3): the half-width of 1, 2, 3, 4 is 2.0542.
    #[test]
    fn the_half_width_decides_and_nothing_else() {
        let values = readings(&[1.0, 2.0, 3.0, 4.0]);
        for (tolerance, enough) in [(2.06, true), (2.05, false)] {
            // Wherever the reference lies, inside the interval or far out.
            for value in [2.5, 99.0] {
                let claim = Claim::Equal { value, tolerance, reference_half_width: 0.0 };
                assert_eq!(precise(&expecting(claim), &values), enough);
            }
        }
        let bounds = |half_width| Claim::Bounds { min: None, max: Some(2.5), half_width };
        assert!(precise(&expecting(bounds(None)), &values));
        assert!(precise(&expecting(bounds(Some(Amount::Share(0.83)))), &values));
        assert!(!precise(&expecting(bounds(Some(Amount::Share(0.82)))), &values));
        assert!(precise(&expecting(Claim::Within { value: 2.5, by: 0.001 }), &values));
    }

    #[test]
    fn what_is_undefined_is_not_waited_for() {
        let claim = Claim::Equal { value: 1.0, tolerance: 0.1, reference_half_width: 0.0 };
        assert!(precise(&expecting(claim), &readings(&[1.0, f64::NAN, 9.0])));
        assert!(!precise(&expecting(claim), &readings(&[1.0])), "one more may do");
    }
}
