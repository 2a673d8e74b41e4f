//! Heartbeats: suspecting whoever has been silent for too long.
//!
//! The timeout detector of Chandra & Toueg (JACM 43(2), 1996): a node not heard from for `timeout` is
//! *suspected*, wrongly so if it was only slow, and trusted again when heard. It is complete (the dead
//! are suspected) but not accurate: silence does not say why.
//!
//! With beats every η, delay d and timeout T a crash is suspected between T + d − η and T + d later.
//! All timeouts being equal, nodes expire in the order they were last heard: a list in that order makes
//! hearing O(1) and asking for the expired O(expired), whatever the number of nodes watched.

use super::chain::{Ends, Links};
use super::places::Places;
use crate::engine::{Span, Time, prefetch_at};
use crate::trace::NodeId;

/// When a node was last heard, if it is trusted; otherwise a time at which nobody is. Eight bytes, not the
/// sixteen of an enum: relays keep one for each agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watch(Time);

impl Watch {
    const UNKNOWN: Watch = Watch(Time::MAX);
    const SUSPECTED: Watch = Watch(Time::from_nanos(u64::MAX - 1));

    fn heard(self) -> Option<Time> {
        (self != Watch::UNKNOWN && self != Watch::SUSPECTED).then_some(self.0)
    }
}

/// Last-heard times of many nodes, with one timeout for all. Memory is for the places from the first to
/// the last of them.
#[derive(Clone, Debug)]
pub struct Heartbeats {
    timeout: Span,
    places: Places,
    /// By place.
    watch: Vec<Watch>,
    trusted: Ends,
    links: Links,
}

impl Heartbeats {
    /// Watches nobody yet; a node silent for `timeout` will be suspected. Node ids must be dense, or
    /// [`Heartbeats::among`] say how they are not.
    pub fn new(timeout: Span) -> Heartbeats {
        let (places, watch) = (Places::default(), Vec::new());
        Heartbeats { timeout, places, watch, trusted: Ends::default(), links: Links::default() }
    }

    /// The same, of nodes that are all among `places`. Panics if it watches somebody already.
    pub fn among(self, places: Places) -> Heartbeats {
        assert!(self.watch.is_empty(), "who is watched keeps its place");
        Heartbeats { places, ..self }
    }

    /// `node` was heard from, or is watched from now on. True if it was suspected until now.
    /// `now` must not go back between calls.
    pub fn heard(&mut self, now: Time, node: NodeId) -> bool {
        let place = self.places.of(node);
        let seat = place as usize;
        if self.watch.len() <= seat {
            self.watch.resize(seat + 1, Watch::UNKNOWN);
        }
        debug_assert!(Watch(now).heard().is_some(), "nobody is heard at the end of time");
        let before = std::mem::replace(&mut self.watch[seat], Watch(now));
        if let Some(heard) = before.heard() {
            debug_assert!(heard <= now, "time goes forward");
            self.links.remove(&mut self.trusted, place);
        }
        self.links.push_back(&mut self.trusted, place);
        before == Watch::SUSPECTED
    }

    /// Asks for what hearing from `node` will touch, if it is watched.
    #[inline]
    pub fn foresee(&self, node: NodeId) {
        let place = self.places.guess(node);
        prefetch_at(&self.watch, place as usize);
        self.links.foresee(place);
    }

    /// Stops watching `node`: it said good-bye, or its place was taken.
    pub fn forget(&mut self, node: NodeId) {
        let place = self.places.of(node);
        let Some(watch) = self.watch.get_mut(place as usize) else { return };
        if std::mem::replace(watch, Watch::UNKNOWN).heard().is_some() {
            self.links.remove(&mut self.trusted, place);
        }
    }

    /// Suspects and returns one node last heard `timeout` ago or earlier, the longest silent first; call
    /// until `None`. Each silence is reported once.
    pub fn expired(&mut self, now: Time) -> Option<NodeId> {
        let place = self.trusted.first()?;
        if self.next_expiry()? > now {
            return None;
        }
        self.links.remove(&mut self.trusted, place);
        self.watch[place as usize] = Watch::SUSPECTED;
        Some(self.places.node(place))
    }

    /// When the next node will be suspected unless heard before: the instant to set a timer for.
    pub fn next_expiry(&self) -> Option<Time> {
        let heard = self.watch[self.trusted.first()? as usize].heard();
        Some(heard.expect("the list holds trusted nodes only") + self.timeout)
    }

    /// Whether `node` is watched and suspected.
    pub fn is_suspected(&self, node: NodeId) -> bool {
        self.watch.get(self.places.of(node) as usize) == Some(&Watch::SUSPECTED)
    }

    /// Whether `node` is watched and not suspected.
    pub fn is_trusted(&self, node: NodeId) -> bool {
        self.watch.get(self.places.of(node) as usize).is_some_and(|watch| watch.heard().is_some())
    }

    /// How many nodes are trusted now.
    pub fn trusted(&self) -> u32 {
        self.trusted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    /// F-01 of the reference results: η = 1 s, T = 3 s, d = 0.1 s, crash uniform in a period: detection
    /// uniform on (2.1, 3.1] s, mean 2.6 s. Walks the crash over every millisecond of a period.
    #[test]
    fn a_crash_is_suspected_after_the_published_time() {
        let mut delays = Vec::new();
        for crash in 10_000..11_000 {
            let mut detector = Heartbeats::new(Span::from_secs(3));
            for sent in (0..=crash).step_by(1_000) {
                assert_eq!(detector.expired(at(sent + 100)), None);
                detector.heard(at(sent + 100), NodeId(0));
            }
            let suspected = detector.next_expiry().unwrap();
            assert_eq!(detector.expired(Time::from_nanos(suspected.as_nanos() - 1)), None);
            assert_eq!(detector.expired(suspected), Some(NodeId(0)));
            delays.push(suspected.since(at(crash)).as_nanos() / 1_000_000);
        }
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&2_101), Some(&3_100)));
        assert_eq!(delays.iter().sum::<u64>() as f64 / 1_000.0, 2_600.5);
    }

    #[test]
    fn the_suspected_can_return_and_the_forgotten_stay_silent() {
        let mut detector = Heartbeats::new(Span::from_secs(1));
        assert!(!detector.heard(at(0), NodeId(0)));
        assert!(!detector.heard(at(0), NodeId(1)));
        detector.forget(NodeId(1));
        assert_eq!(detector.expired(at(1_000)), Some(NodeId(0)));
        assert_eq!(detector.expired(at(9_000)), None, "each silence is told once, and 1 was forgotten");
        assert!(detector.is_suspected(NodeId(0)) && !detector.is_suspected(NodeId(1)));
        assert!(detector.heard(at(9_000), NodeId(0)), "it was suspected wrongly");
        assert_eq!((detector.trusted(), detector.next_expiry()), (1, Some(at(10_000))));
    }

    proptest! {
        /// The list agrees with the definition: suspected = watched and silent for the timeout.
        #[test]
        fn agrees_with_the_definition(beats in prop::collection::vec((0u32..6, 0u64..40), 1..200)) {
            let timeout = Span::from_millis(50);
            let mut detector = Heartbeats::new(timeout);
            let (mut now, mut last) = (0, [None::<u64>; 6]);
            for (node, wait) in beats {
                now += wait;
                while let Some(expired) = detector.expired(at(now)) {
                    prop_assert!(at(last[expired.0 as usize].unwrap()) + timeout <= at(now));
                }
                for id in 0..6u32 {
                    let silent = last[id as usize].is_some_and(|heard| at(heard) + timeout <= at(now));
                    prop_assert_eq!(detector.is_suspected(NodeId(id)), silent);
                }
                detector.heard(at(now), NodeId(node));
                last[node as usize] = Some(now);
            }
        }
    }
}
