//! The coordination tax by kind.

use super::super::format::{in_percent, with_half_width};
use super::super::table::inconclusive;
use super::colour::KINDS;
use super::context;
use super::stacked::{Bar, Stacked};
use crate::experiment::{Comparison, PatternResult};

pub(super) fn tax(comparison: &Comparison) -> String {
    let bar = |pattern: &PatternResult| -> Bar<'static> {
        let total = in_percent(pattern.summary("tax_full"));
        let unit = if inconclusive(pattern) { " % (inconclusive)" } else { " %" };
        Bar {
            name: pattern.def.name,
            parts: KINDS.iter().map(|(metric, ..)| 100.0 * pattern.summary(metric).estimate).collect(),
            label: with_half_width(total, 3) + unit,
            total,
        }
    };
    let doubt = if comparison.patterns.iter().any(inconclusive) {
        "; inconclusive: unsettled work leaves over 5 points open"
    } else {
        ""
    };
    Stacked {
        title: "Coordination tax: where engaged capacity goes that is not correct work",
        below: &format!("{}; whiskers: 95 % interval{doubt}", context(comparison)),
        what: "tax [% of engaged capacity]",
        parts: KINDS.iter().map(|&(_, name, colour)| (name, colour)).collect(),
        bars: comparison.patterns.iter().map(bar).collect(),
        limit: 100.0,
    }
    .svg()
}
