//! Who decides, and how evenly: concentration of shares over nodes.
//!
//! Each function takes one amount per node (decisions taken, messages handled) and normalises it. Nodes
//! with 0 matter to [`gini`] and [`jain`] (the fleet they are counted in), not to the others. With a negative
//! or non-finite amount, or a total of 0, the result is undefined: NaN, or 0 nodes for [`nakamoto`].

use super::moments::sum;

/// Gini coefficient: 0 if all are equal, 1 − 1/n if one has everything (Gini 1912; no n/(n − 1) correction).
pub fn gini(amounts: &[f64]) -> f64 {
    let (Some(total), n) = (total(amounts), amounts.len()) else { return f64::NAN };
    let mut sorted = amounts.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ranked = sum(sorted.iter().enumerate().map(|(i, x)| (2.0 * i as f64 + 1.0 - n as f64) * x));
    ranked / (n as f64 * total)
}

/// Herfindahl–Hirschman index: Σ share², from 1/n (equal) to 1 (one has everything).
pub fn hhi(amounts: &[f64]) -> f64 {
    let Some(total) = total(amounts) else { return f64::NAN };
    sum(amounts.iter().map(|x| (x / total) * (x / total)))
}

/// 1/HHI: how many equal nodes would be as concentrated as these (Laakso and Taagepera 1979).
pub fn effective_number(amounts: &[f64]) -> f64 {
    1.0 / hhi(amounts)
}

/// Fewest nodes that together hold *more* than `share` (0.5: a majority) of the total.
///
/// Srinivasan and Lee, "Quantifying decentralization" (2017). At exactly `share` nobody is in control yet:
/// four equal nodes give 3 at 0.5. 0 if undefined; all nodes with a positive amount if `share` ≥ 1.
pub fn nakamoto(amounts: &[f64], share: f64) -> usize {
    let Some(total) = total(amounts) else { return 0 };
    // Twelve equal nodes must tie at six, though neither side of the comparison is exact.
    let needed = share * total * (1.0 + 1e-12);
    let sorted = descending(amounts);
    let mut held = 0.0;
    for (taken, amount) in sorted.iter().enumerate() {
        if held > needed || *amount == 0.0 {
            return taken;
        }
        held += amount;
    }
    sorted.len()
}

/// Share of the total held by the `count` largest; with 1, the leader's.
pub fn top_share(amounts: &[f64], count: usize) -> f64 {
    let Some(total) = total(amounts) else { return f64::NAN };
    (sum(descending(amounts).into_iter().take(count)) / total).min(1.0)
}

/// Jain's fairness index (Σx)² ÷ (n Σx²): 1 if all are equal, 1/n if one has everything.
///
/// Jain, Chiu, Hawe, DEC TR-301 (1984).
pub fn jain(amounts: &[f64]) -> f64 {
    effective_number(amounts) / amounts.len() as f64
}

/// The total, if the amounts are ones that shares can be taken of.
fn total(amounts: &[f64]) -> Option<f64> {
    let valid = amounts.iter().all(|x| x.is_finite() && *x >= 0.0);
    let total = sum(amounts.iter().copied());
    (valid && total > 0.0 && total.is_finite()).then_some(total)
}

fn descending(amounts: &[f64]) -> Vec<f64> {
    let mut sorted = amounts.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted
}

#[cfg(test)]
mod tests {
    use super::super::sample::close;
    use super::*;

    /// By hand for 1, 2, 3, 4: Gini = (−3 −2 +3 +12)/(4·10); HHI = 30/100.
    #[test]
    fn indices_of_one_two_three_four_are_the_hand_computed_ones() {
        let amounts = [3.0, 1.0, 4.0, 2.0];
        close(gini(&amounts), 0.25, 1e-15);
        close(hhi(&amounts), 0.30, 1e-15);
        close(effective_number(&amounts), 10.0 / 3.0, 1e-14);
        close(jain(&amounts), 100.0 / 120.0, 1e-15);
        close(top_share(&amounts, 1), 0.4, 1e-15);
        close(top_share(&amounts, 2), 0.7, 1e-15);
        assert_eq!(top_share(&amounts, 9), 1.0);
        assert_eq!(nakamoto(&amounts, 0.5), 2);
        assert_eq!(nakamoto(&amounts, 0.7), 3);
    }

    /// model.md §7: one relay decides everything beside 1,000 agents.
    #[test]
    fn the_extremes_are_equality_and_dictatorship() {
        let equal = [2.5; 8];
        close(gini(&equal), 0.0, 1e-15);
        close(hhi(&equal), 0.125, 1e-15);
        close(jain(&equal), 1.0, 1e-15);
        let mut relay = vec![0.0; 1001];
        relay[400] = 17.0;
        close(gini(&relay), 1.0 - 1.0 / 1001.0, 1e-12);
        assert_eq!((hhi(&relay), effective_number(&relay), top_share(&relay, 1)), (1.0, 1.0, 1.0));
        assert_eq!((nakamoto(&relay, 0.5), nakamoto(&relay, 1.0)), (1, 1));
        close(jain(&relay), 1.0 / 1001.0, 1e-15);
    }

    #[test]
    fn exactly_half_is_not_a_majority() {
        assert_eq!(nakamoto(&[0.25; 4], 0.5), 3);
        // Six times 0.7, added up, is rounded to above half of twelve times 0.7.
        assert_eq!(nakamoto(&[0.7; 12], 0.5), 7);
        assert_eq!(nakamoto(&[0.1; 10], 0.5), 6);
        assert_eq!(nakamoto(&[1.0, 1.0], 0.5), 2);
    }

    #[test]
    fn amounts_without_shares_are_undefined() {
        for amounts in [&[][..], &[0.0, 0.0], &[1.0, -1.0, 3.0], &[1.0, f64::NAN], &[f64::INFINITY, 1.0]] {
            assert!(gini(amounts).is_nan() && hhi(amounts).is_nan() && jain(amounts).is_nan());
            assert!(top_share(amounts, 1).is_nan() && effective_number(amounts).is_nan());
            assert_eq!(nakamoto(amounts, 0.5), 0);
        }
    }
}
