//! Logical messages per correct task, by phase.

use super::super::format::with_half_width;
use super::axis::reach;
use super::colour::phase;
use super::context;
use super::stacked::{Bar, Stacked};
use crate::experiment::{Comparison, PatternResult};
use crate::trace::Phase;

pub(super) fn messages(comparison: &Comparison) -> String {
    let bar = |pattern: &PatternResult| -> Bar<'static> {
        let total = pattern.summary("messages_per_task");
        let part = |phase: &Phase| pattern.summary(&format!("messages_per_task_{}", phase.name())).estimate;
        Bar {
            name: pattern.def.name,
            parts: Phase::ALL.iter().map(part).collect(),
            label: with_half_width(total, 3),
            total,
        }
    };
    // A pattern that cannot keep up sends many messages per task it completes: it must not set the scale.
    let totals = comparison.patterns.iter().map(|pattern| {
        let total = pattern.summary("messages_per_task");
        if total.high.is_finite() { total.high } else { total.estimate }
    });
    let limit = reach(totals, 5.0);
    Stacked {
        title: "Messages per correct task, by what they are for",
        below: &format!(
            "{}; logical messages, with the clients'; whiskers: 95 % interval",
            context(comparison)
        ),
        what: "logical messages per correct task",
        parts: Phase::ALL.iter().map(|&one| (one.name(), phase(one))).collect(),
        bars: comparison.patterns.iter().map(bar).collect(),
        limit,
    }
    .svg()
}
