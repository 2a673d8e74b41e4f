//! Time to recover: from the healing of a fault until the backlog is back where it was.
//!
//! For each fault that counts (the caller's mask: scheduled ones, or long ones) and that healed during the
//! run: the *threshold* is the larger of the backlog at its onset and the mean backlog before the onset (from
//! the warm-up cut on; from the start where the fault comes earlier). The recovery time runs from the heal
//! to the first instant at which the backlog is at or below the threshold; it is 0 where the heal finds it
//! there. The mean is part of the threshold because a fault that strikes in a lucky moment,
//! with nothing in the
//! system, would otherwise never be recovered from at high load.
//!
//! A fault not recovered from when the run ends is *censored*: it enters with end − heal, and is counted.
//! A fault that never heals has no recovery time. So has one whose onset changed nothing (its target was
//! already down): the fault that took the target down is measured.

use crate::engine::{Span, Time};

/// Where one fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not begun, or not to be measured.
    Quiet,
    /// Begun, not healed.
    Active { threshold: u64 },
    /// Healed, and the backlog is above the threshold.
    Waiting { threshold: u64, healed: Time },
    /// Recovered this long after the heal.
    Recovered(Span),
}

/// What the recoveries of a run add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecoverySummary {
    /// Faults measured: they count, began, and healed.
    pub faults: usize,
    /// Of these, not recovered from when the run ended.
    pub censored: usize,
    /// Mean recovery time \[s\], censored ones included as lower bounds; NaN without faults.
    pub mean_s: f64,
    /// Longest recovery time \[s\], likewise.
    pub max_s: f64,
}

/// Follows faults and the backlog.
#[derive(Clone, Debug)]
pub(super) struct Recovery {
    counts: Vec<bool>,
    stages: Vec<Stage>,
    waiting: Vec<u32>,
    /// No waiting fault has a threshold above this.
    highest: u64,
}

impl Recovery {
    /// Measures the entries of the plan for which `counts` is true.
    pub(super) fn new(counts: &[bool]) -> Recovery {
        let stages = vec![Stage::Quiet; counts.len()];
        Recovery { counts: counts.to_vec(), stages, waiting: Vec::with_capacity(counts.len()), highest: 0 }
    }

    /// Entry `index` changed its target's state; `mean` is the mean backlog so far.
    pub(super) fn begins(&mut self, index: u32, backlog: u64, mean: f64) {
        if self.counts.get(index as usize) == Some(&true) {
            // The backlog is whole: it is at or below the mean if it is at or below its whole part.
            let threshold = backlog.max(mean.floor() as u64);
            self.stages[index as usize] = Stage::Active { threshold };
        }
    }

    /// Entry `index` healed.
    pub(super) fn heals(&mut self, index: u32, at: Time, backlog: u64) {
        let Some(stage) = self.stages.get_mut(index as usize) else { return };
        let Stage::Active { threshold } = *stage else { return };
        if backlog <= threshold {
            *stage = Stage::Recovered(Span::ZERO);
        } else {
            *stage = Stage::Waiting { threshold, healed: at };
            self.waiting.push(index);
            self.highest = self.highest.max(threshold);
        }
    }

    /// The backlog fell to `backlog`.
    pub(super) fn falls(&mut self, at: Time, backlog: u64) {
        if self.waiting.is_empty() || backlog > self.highest {
            return;
        }
        self.highest = 0;
        let (stages, highest) = (&mut self.stages, &mut self.highest);
        self.waiting.retain(|&index| match stages[index as usize] {
            Stage::Waiting { threshold, healed } if backlog <= threshold => {
                stages[index as usize] = Stage::Recovered(at.since(healed));
                false
            }
            Stage::Waiting { threshold, .. } => {
                *highest = (*highest).max(threshold);
                true
            }
            Stage::Quiet | Stage::Active { .. } | Stage::Recovered(_) => false,
        });
    }

    /// What it adds up to when the run ends at `end`.
    pub(super) fn summary(&self, end: Time) -> RecoverySummary {
        let mut summary = RecoverySummary { faults: 0, censored: 0, mean_s: 0.0, max_s: f64::NAN };
        for stage in &self.stages {
            let time = match *stage {
                Stage::Quiet | Stage::Active { .. } => continue,
                Stage::Recovered(time) => time,
                Stage::Waiting { healed, .. } => {
                    summary.censored += 1;
                    end.since(healed)
                }
            };
            summary.faults += 1;
            summary.mean_s += time.as_secs_f64();
            summary.max_s = summary.max_s.max(time.as_secs_f64());
        }
        summary.mean_s /= summary.faults as f64;
        summary
    }
}
