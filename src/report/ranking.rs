//! What the verdicts on a primary endpoint say together: who is better than whom.
//!
//! The verdicts are about pairs, and "not distinguished" is not transitive: a ≈ b and b ≈ c do not give
//! a ≈ c. The ranking therefore is a chain, best first, with what the chain would say wrongly beside it.

use crate::experiment::{Comparison, PRIMARY, Verdict};

/// The ranking of the patterns by one primary endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// The metric.
    pub metric: &'static str,
    /// Best first, such as `ideal < hybrid ≈ event_driven < hierarchical`.
    pub chain: String,
    /// Pairs about which the chain alone would mislead, one phrase each.
    pub exceptions: Vec<String>,
    /// Pairs of patterns.
    pub pairs: usize,
    /// Pairs that the data do not distinguish.
    pub undecided: usize,
}

/// Verdict on `a` against `b`, turned round where the row is about `b` against `a`.
fn verdict(comparison: &Comparison, metric: &str, a: &str, b: &str) -> Verdict {
    let rows = comparison.paired.iter().filter(|row| row.metric == metric);
    for row in rows {
        let Some(verdict) = row.verdict else { continue };
        if (row.pattern, row.against) == (a, b) {
            return verdict;
        }
        if (row.pattern, row.against) == (b, a) {
            return match verdict {
                Verdict::Better => Verdict::Worse,
                Verdict::Worse => Verdict::Better,
                Verdict::Undecided => Verdict::Undecided,
            };
        }
    }
    Verdict::Undecided
}

/// One ranking for each primary endpoint. Empty for fewer than two patterns.
pub fn rankings(comparison: &Comparison) -> Vec<Ranking> {
    if comparison.patterns.len() < 2 {
        return Vec::new();
    }
    PRIMARY.iter().map(|metric| ranking(comparison, metric)).collect()
}

fn ranking(comparison: &Comparison, metric: &'static str) -> Ranking {
    let higher_is_better = metric == "goodput_per_s";
    let names: Vec<&str> = comparison.patterns.iter().map(|pattern| pattern.def.name).collect();
    let of = |a: &str, b: &str| verdict(comparison, metric, a, b);
    let mut order: Vec<(i64, f64, &str)> = comparison
        .patterns
        .iter()
        .map(|pattern| {
            let name = pattern.def.name;
            let score = names.iter().filter(|other| **other != name).map(|other| match of(name, other) {
                Verdict::Better => -1,
                Verdict::Worse => 1,
                Verdict::Undecided => 0,
            });
            let estimate = pattern.summary(metric).estimate;
            (score.sum(), if higher_is_better { -estimate } else { estimate }, name)
        })
        .collect();
    // Ties in wins minus losses go by the estimate; an undefined one comes last (NaN sorts above all).
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let order: Vec<&str> = order.into_iter().map(|(_, _, name)| name).collect();

    let better = if higher_is_better { ">" } else { "<" };
    let decided: Vec<bool> = order.windows(2).map(|pair| of(pair[0], pair[1]) == Verdict::Better).collect();
    let mut chain = order[0].to_owned();
    for (name, decided) in order[1..].iter().zip(&decided) {
        chain.push_str(&format!(" {} {name}", if *decided { better } else { "≈" }));
    }
    let (mut exceptions, mut pairs, mut undecided) = (Vec::new(), 0, 0);
    for (first, a) in order.iter().enumerate() {
        for (second, b) in order.iter().enumerate().skip(first + 1) {
            let expected = decided[first..second].contains(&true);
            let found = of(a, b);
            pairs += 1;
            undecided += usize::from(found == Verdict::Undecided);
            match (found, expected) {
                (Verdict::Better, true) | (Verdict::Undecided, false) => {}
                (Verdict::Better, false) => exceptions.push((a, better, b)),
                (Verdict::Undecided, true) => exceptions.push((a, "≈", b)),
                (Verdict::Worse, _) => exceptions.push((b, better, a)),
            }
        }
    }
    let exceptions = grouped(&exceptions);
    Ranking { metric, chain, exceptions, pairs, undecided }
}

/// `a < b`, `a < c` as `a < b and c`.
fn grouped(exceptions: &[(&&str, &str, &&str)]) -> Vec<String> {
    let mut groups: Vec<((&str, &str), String)> = Vec::new();
    for (a, relation, b) in exceptions {
        match groups.iter_mut().find(|(key, _)| *key == (**a, *relation)) {
            Some((_, phrase)) => phrase.push_str(&format!(" and {b}")),
            None => groups.push(((**a, *relation), format!("{a} {relation} {b}"))),
        }
    }
    groups.into_iter().map(|(_, phrase)| phrase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn set(comparison: &mut Comparison, pattern: &str, against: &str, verdict: Verdict) {
        let mut rows = comparison.paired.iter_mut();
        let row = rows
            .find(|row| row.metric == "tax_full" && row.pattern == pattern && row.against == against)
            .expect("the sample has every pair");
        row.verdict = Some(verdict);
    }

    #[test]
    fn a_chain_is_best_first_and_says_where_it_would_mislead() {
        let mut comparison = sample::comparison(&["hierarchical", "event_driven", "hybrid"], 3);
        let tax = &rankings(&comparison)[0];
        assert_eq!(tax.chain, "hybrid < event_driven < hierarchical");
        assert_eq!((tax.pairs, tax.undecided, tax.exceptions.len()), (3, 0, 0));
        // a ≈ b, b ≈ c, a < c.
        set(&mut comparison, "event_driven", "hierarchical", Verdict::Undecided);
        set(&mut comparison, "hybrid", "event_driven", Verdict::Undecided);
        let tax = &rankings(&comparison)[0];
        assert_eq!(tax.chain, "hybrid ≈ event_driven ≈ hierarchical");
        assert_eq!(tax.exceptions, ["hybrid < hierarchical"]);
        assert_eq!(tax.undecided, 2);
    }

    #[test]
    fn more_goodput_is_better() {
        let comparison = sample::comparison(&["hierarchical", "hybrid"], 3);
        assert_eq!(rankings(&comparison)[2].chain, "hybrid > hierarchical");
        assert!(rankings(&sample::comparison(&["hybrid"], 3)).is_empty());
    }
}
