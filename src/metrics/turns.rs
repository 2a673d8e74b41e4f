//! Turns: model calls, as the multi-agent literature counts them (arXiv 2512.08296).
//!
//! A turn is one occupation of a mind: each `[work] turn` of an execution (at least one), each message or
//! step handled on the cognition plane, each verification.

use std::sync::Arc;

use super::{MetricDef, MetricSet};
use crate::engine::{EventId, Span, Time};
use crate::trace::{Activity, Observer, Plane, Record};
use crate::work::Tasks;

/// Columns of this file.
pub const DEFS: &[MetricDef] = &[
    MetricDef::neutral(
        "turns",
        "turns",
        "model calls, whole run: turns of finished executions, cognition messages, verifications",
    ),
    MetricDef::lower("message_density", "messages/turn", "logical messages / turns (arXiv 2512.08296)"),
];

/// Overhead \[%\] of a team against a single agent, in turns or any other count: (team ÷ single − 1)·100.
///
/// The definition of arXiv 2512.08296v2, Table 5: the ratio minus one, not the ratio.
pub fn overhead_percent(team: f64, single: f64) -> f64 {
    (team / single - 1.0) * 100.0
}

/// Success for each turn a single agent would have spent: success ÷ (team ÷ single) (arXiv 2512.08296v2).
pub fn efficiency(success: f64, team: f64, single: f64) -> f64 {
    success / (team / single)
}

/// Counts turns.
#[derive(Debug)]
pub struct Turns {
    tasks: Arc<Tasks>,
    turn: Option<Span>,
    turns: u64,
    messages: u64,
}

impl Turns {
    /// No turns yet; an execution has one for each `turn` of its work, or one in all.
    pub fn new(tasks: Arc<Tasks>, turn: Option<Span>) -> Turns {
        Turns { tasks, turn, turns: 0, messages: 0 }
    }
    /// Fills this observer's columns.
    pub fn fill(&self, metrics: &mut MetricSet) {
        metrics.set("turns", self.turns as f64);
        if self.turns > 0 {
            metrics.set("message_density", self.messages as f64 / self.turns as f64);
        }
    }
}

impl Observer for Turns {
    #[inline(always)]
    fn observe(&mut self, _: Time, _: EventId, record: &Record) {
        match *record {
            Record::Sent { .. } => self.messages += 1,
            Record::Finished { task, .. } => {
                let work = self.tasks.work(task).as_nanos();
                self.turns += self.turn.map_or(1, |turn| work.div_ceil(turn.as_nanos()).max(1));
            }
            Record::Began { plane: Plane::Cognition, activity, .. } => {
                self.turns += u64::from(!matches!(activity, Activity::Executing(_)));
            }
            _ => {}
        }
    }
}
