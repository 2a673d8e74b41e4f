//! Freshness points: a failure detector whose quality of service is known in advance.
//!
//! NFD-S of Chen, Toueg and Aguilera (IEEE ToC 51(5), 2002). Heartbeat i is sent at i·η; from its
//! *freshness point* τᵢ = i·η + δ to the next, the sender is trusted if heartbeat i or a later one has
//! come. A delayed heartbeat cannot postpone the verdict, as it does with a timeout counted from the
//! last receipt: a crash is suspected within δ + η, whatever the delays were. Clocks are synchronised.

use crate::engine::{Span, Time};

/// Trust in one sender.
#[derive(Clone, Debug)]
pub struct Freshness {
    interval: Span,
    shift: Span,
    newest: Option<u64>,
}

impl Freshness {
    /// Expects heartbeat i at i·`interval`, and is patient for `shift` more. Panics if `interval` is zero.
    pub fn new(interval: Span, shift: Span) -> Freshness {
        assert!(!interval.is_zero(), "heartbeats need time between them");
        Freshness { interval, shift, newest: None }
    }

    /// Heartbeat number `beat` came; the order does not matter.
    pub fn heard(&mut self, beat: u64) {
        self.newest = self.newest.max(Some(beat));
    }

    /// The latest heartbeat that must have come by `now`; `None` before the first freshness point.
    pub fn required(&self, now: Time) -> Option<u64> {
        let since = now.as_nanos().checked_sub(self.shift.as_nanos())?;
        Some(since / self.interval.as_nanos())
    }

    /// Whether the sender is trusted at `now`.
    pub fn trusts(&self, now: Time) -> bool {
        self.required(now).is_none_or(|beat| self.newest >= Some(beat))
    }

    /// When trust ends unless another heartbeat comes: the instant to set a timer for.
    pub fn trusted_until(&self) -> Time {
        let next = self.newest.map_or(0, |beat| beat + 1);
        Time::from_nanos(next * self.interval.as_nanos()) + self.shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_lasts_to_the_freshness_point_of_the_next_heartbeat() {
        let at = |millis| Time::ZERO + Span::from_millis(millis);
        let mut detector = Freshness::new(Span::from_secs(1), Span::from_millis(1_500));
        assert!(detector.trusts(at(1_499)) && !detector.trusts(at(1_500)), "heartbeat 0 is missing");
        detector.heard(2);
        detector.heard(0);
        assert_eq!(detector.trusted_until(), at(4_500));
        assert!(detector.trusts(at(4_499)) && !detector.trusts(at(4_500)));
    }
}
