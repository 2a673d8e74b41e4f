//! The state of one agent's attention and the time it spent in each.
//!
//! A plane that serves several jobs at once spends its time on all of them in equal parts.

use crate::engine::{Time, prefetch};
use crate::trace::{Activity, ExecutionId, Phase, Plane};
use crate::work::{AgentProfile, Discipline};

/// What a plane does, in the order it began: mostly nothing or one thing.
#[derive(Clone, Debug, Default)]
pub(super) struct Activities {
    first: Option<Activity>,
    /// Most agents never do two things at once on one plane.
    #[expect(clippy::box_collection, reason = "eight bytes for each of a million agents instead of 24")]
    others: Option<Box<Vec<Activity>>>,
}

impl Activities {
    #[inline]
    fn is_empty(&self) -> bool {
        self.first.is_none()
    }
    fn others(&self) -> &[Activity] {
        self.others.as_ref().map_or(&[], |others| others)
    }
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others().len()
    }
    /// What is done if it is one thing alone.
    #[inline]
    fn only(&self) -> Option<Activity> {
        if self.others.is_none() || self.others().is_empty() { self.first } else { None }
    }
    #[inline]
    fn push(&mut self, activity: Activity) {
        match self.first {
            None => self.first = Some(activity),
            Some(_) => self.others.get_or_insert_default().push(activity),
        }
    }
    /// Takes `activity` out; says whether it was there.
    #[inline]
    fn remove(&mut self, activity: Activity) -> bool {
        if self.others.is_none() && self.first == Some(activity) {
            self.first = None;
            return true;
        }
        self.remove_one_of_many(activity)
    }
    #[inline(never)]
    fn remove_one_of_many(&mut self, activity: Activity) -> bool {
        let Some(others) = &mut self.others else { return false };
        if self.first == Some(activity) {
            self.first = if others.is_empty() { None } else { Some(others.remove(0)) };
            return true;
        }
        let place = others.iter().position(|other| *other == activity);
        place.map(|place| others.remove(place)).is_some()
    }
}

/// One agent's account \[ns\]. What every change asks for comes first.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct AgentTime {
    /// When the running stretch began.
    pub(super) since: Time,
    pub(super) cognition: Activities,
    pub(super) harness: Activities,
    /// Most that the cognition serves at once.
    slots: u32,
    /// Whether every plane serves whatever is there, all at once.
    sharing: bool,
    pub(super) down: bool,
    /// Whether a plane began more than it can serve or ceased what it had not begun: time that is booked, but
    /// to the wrong state.
    pub(super) unpaired: bool,
    /// Current ÷ nominal speed.
    pub(super) factor: f64,
    pub(super) free_ns: u64,
    pub(super) executing_ns: u64,
    pub(super) coordinating_ns: [u64; Phase::ALL.len()],
    pub(super) verifying_ns: u64,
    pub(super) down_ns: u64,
    /// Harness busy under a busy cognition: outside the sum.
    pub(super) overlap_ns: u64,
}

impl AgentTime {
    /// Nothing booked yet for an agent of this `profile`, who is free.
    pub(super) fn new(profile: &AgentProfile) -> AgentTime {
        AgentTime {
            since: Time::ZERO,
            cognition: Activities::default(),
            harness: Activities::default(),
            slots: profile.slots,
            sharing: profile.discipline == Discipline::Sharing,
            down: false,
            unpaired: false,
            factor: 1.0,
            down_ns: 0,
            executing_ns: 0,
            verifying_ns: 0,
            coordinating_ns: [0; Phase::ALL.len()],
            free_ns: 0,
            overlap_ns: 0,
        }
    }

    #[inline]
    fn plane(&mut self, plane: Plane) -> &mut Activities {
        match plane {
            Plane::Harness => &mut self.harness,
            Plane::Cognition => &mut self.cognition,
        }
    }

    #[inline]
    pub(super) fn began(&mut self, plane: Plane, activity: Activity) {
        let most = match plane {
            _ if self.sharing => usize::MAX,
            Plane::Harness => 1,
            Plane::Cognition => self.slots as usize,
        };
        let busy = self.plane(plane);
        busy.push(activity);
        let unpaired = busy.len() > most;
        self.unpaired |= unpaired;
    }

    #[inline]
    pub(super) fn ceased(&mut self, plane: Plane, activity: Activity) {
        let known = self.plane(plane).remove(activity);
        self.unpaired |= !known;
    }

    /// Asks for all of it.
    #[inline]
    pub(super) fn foresee(&self) {
        prefetch(&self.since);
        prefetch(&self.executing_ns);
        prefetch(&self.overlap_ns);
    }

    #[inline]
    pub(super) fn is_free(&self) -> bool {
        !self.down && self.cognition.is_empty() && self.harness.is_empty()
    }

    /// Books `span` ns to the first that holds of: down, cognition busy, harness busy, free (model.md §3); in
    /// equal parts to what is done at once, and the first gets what division leaves. `executed` hears of each
    /// execution, how long it had and how much of that its work would have taken at nominal speed.
    #[inline]
    pub(super) fn close(&mut self, span: u64, executed: impl FnMut(ExecutionId, u64, u64)) {
        let plane = if self.down {
            self.down_ns += span;
            return;
        } else if !self.cognition.is_empty() {
            if !self.harness.is_empty() {
                self.overlap_ns += span;
            }
            Plane::Cognition
        } else if !self.harness.is_empty() {
            Plane::Harness
        } else {
            self.free_ns += span;
            return;
        };
        match self.plane(plane).only() {
            Some(only) => self.book(only, span, executed),
            None => self.divide(plane, span, executed),
        }
    }

    /// Books `span` ns to all that a plane does.
    fn divide(&mut self, plane: Plane, span: u64, mut executed: impl FnMut(ExecutionId, u64, u64)) {
        let busy = std::mem::take(self.plane(plane));
        let count = busy.len() as u64;
        let mut rest = span % count;
        for &activity in busy.first.iter().chain(busy.others()) {
            self.book(activity, span / count + std::mem::take(&mut rest), &mut executed);
        }
        *self.plane(plane) = busy;
    }

    #[inline]
    fn book(&mut self, activity: Activity, part: u64, mut executed: impl FnMut(ExecutionId, u64, u64)) {
        match activity {
            Activity::Verifying => self.verifying_ns += part,
            Activity::Coordinating(phase) => self.coordinating_ns[phase as usize] += part,
            Activity::Executing(execution) => {
                self.executing_ns += part;
                let nominal = if self.factor >= 1.0 {
                    part
                } else {
                    ((part as f64 * self.factor).round() as u64).min(part)
                };
                executed(execution, part, nominal);
            }
        }
    }

    pub(super) fn busy_ns(&self) -> u64 {
        self.executing_ns + self.verifying_ns + self.coordinating_ns.iter().sum::<u64>()
    }

    pub(super) fn total_ns(&self) -> u64 {
        self.down_ns + self.busy_ns() + self.free_ns
    }
}
