//! Scheduled faults of which one must be without effect, because another holds its target down all the while.
//!
//! Only what is certain before anything is drawn is refused here: named targets and fixed lengths. The rest
//! is found in the run, which then names both.

use super::resolve::Checker;
use crate::engine::{Dist, Time};
use crate::fault::{FaultSpec, TargetSpec};

/// A scheduled fault that takes a named node down.
struct Downtime {
    key: String,
    target: TargetSpec,
    from: Time,
    /// `None`: for good.
    until: Option<Time>,
    /// A crash ends a pause, and so is felt by a paused node.
    pause: bool,
}

impl Downtime {
    /// Whether `other` can change nothing, since its target is down because of this one.
    fn hides(&self, other: &Downtime) -> bool {
        let within = match (self.until, other.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => others <= own,
        };
        self.target == other.target && self.from <= other.from && within && (other.pause || !self.pause)
    }
}

impl Checker<'_> {
    /// Refuses scheduled faults that cannot change anything.
    pub(super) fn overlaps(&mut self) {
        let downtimes = downtimes(&self.file.faults);
        for (place, one) in downtimes.iter().enumerate() {
            let mut others = downtimes.iter().enumerate().filter(|(other, _)| *other != place);
            // Of two equal ones the later in the file is refused.
            let hidden = others.find(|(other, two)| two.hides(one) && (*other < place || !one.hides(two)));
            if let Some((_, two)) = hidden {
                let message = format!(
                    "it changes nothing: `{}` holds {} down from {} on, all the while",
                    two.key, two.target, two.from
                );
                self.refuse(&format!("{}.at", one.key), message, "move or shorten one of the two");
            }
        }
    }
}

fn downtimes(faults: &FaultSpec) -> Vec<Downtime> {
    let mut downtimes = Vec::new();
    let mut add = |key: String, target, at: Option<Time>, lasts: Option<&Dist>, pause| {
        let fixed = lasts.map(|law| law.law().ok().and_then(|law| law.constant()));
        let named = matches!(target, TargetSpec::Agent(_) | TargetSpec::Relay(_));
        if let (Some(from), true) = (at, named && fixed != Some(None)) {
            let until = fixed.flatten().map(|s| from + crate::engine::Span::from_secs_f64(s));
            downtimes.push(Downtime { key, target, from, until, pause });
        }
    };
    for (index, crash) in faults.crash.iter().enumerate() {
        let lasts = crash.restart_after.as_ref();
        add(format!("faults.crash.{index}"), crash.target, crash.at, lasts, false);
    }
    for (index, pause) in faults.pause.iter().enumerate() {
        add(format!("faults.pause.{index}"), pause.target, pause.at, pause.lasts.as_ref(), true);
    }
    for (index, outage) in faults.relay_outage.iter().enumerate() {
        if let Some(relay) = outage.relay {
            let (key, target) = (format!("faults.relay_outage.{index}"), TargetSpec::Relay(relay));
            add(key, target, outage.at, outage.lasts.as_ref(), false);
        }
    }
    downtimes
}
