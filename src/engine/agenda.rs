//! The agenda: the simulation clock and the set of pending events.
//!
//! Events fire in the total order (time, order of insertion), so that ties never depend on the data
//! structure, the platform or luck. The caller sees keys, never positions: what keeps the order inside
//! may be replaced without anyone noticing.
//!
//! Inside: a [`ladder`] of buckets with the events themselves in them, 12 bytes for the time and the slot
//! beside each. Events that may be cancelled have a mark in a [`slab`]; a cancelled event stays where it is
//! as a tombstone and is skipped when its time comes. When tombstones outnumber pending events they are swept
//! out, so both the cost of a cancellation and the memory it leaves are O(1) amortised.

mod bottom;
mod bucket;
mod ladder;
mod rung;
mod slab;
#[cfg(test)]
mod tests;

use std::fmt;

use self::ladder::Ladder;
use self::slab::{Slab, SlotId};
use super::cache::prefetch_at;
use super::run::Ahead;
use super::time::{Span, Time};

/// The clock and the pending events of one run.
///
/// Only a [`Model`](super::Model) being run, and the code that sets the run up, hold one.
pub struct Agenda<E> {
    now: Time,
    fired: u64,
    /// Events ever scheduled.
    scheduled: u64,
    /// Events ever cancelled while they were pending.
    cancelled: u64,
    ladder: Ladder<E>,
    slab: Slab,
    stopping: bool,
}

/// Names one scheduled event, for [`Agenda::cancel`]. Once the event has fired or was cancelled the key
/// is stale: it stays harmless for ever, also when the storage it named is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventKey {
    slot: SlotId,
    generation: u32,
}

/// The ordinal of a fired event in its run: 1 for the first, 0 for "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

impl<E> Agenda<E> {
    /// An empty agenda at [`Time::ZERO`].
    pub fn new() -> Agenda<E> {
        Agenda {
            now: Time::ZERO,
            fired: 0,
            scheduled: 0,
            cancelled: 0,
            ladder: Ladder::new(),
            slab: Slab::new(),
            stopping: false,
        }
    }

    /// The simulated time: that of the firing event, or of the last one fired.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Schedules `event` for `when`. It fires after everything already scheduled for that instant.
    ///
    /// # Panics
    /// If `when` has passed: causes precede effects.
    #[track_caller]
    #[inline(always)]
    pub fn at(&mut self, when: Time, event: E) {
        self.put(when, SlotId::NONE, event);
    }

    /// Schedules `event` for the instant `wait` from now.
    ///
    /// # Panics
    /// If that instant overflows the clock (584 years).
    #[track_caller]
    #[inline(always)]
    pub fn after(&mut self, wait: Span, event: E) {
        self.at(self.now + wait, event);
    }

    /// Schedules `event` like [`Agenda::at`], and returns a key to take it back with. An event without a
    /// key is cheaper.
    ///
    /// # Panics
    /// If `when` has passed: causes precede effects.
    #[track_caller]
    #[inline]
    pub fn at_keyed(&mut self, when: Time, event: E) -> EventKey {
        self.check(when);
        let (slot, key) = self.slab.open();
        self.put(when, slot, event);
        key
    }

    /// Schedules `event` like [`Agenda::after`], and returns a key to take it back with.
    ///
    /// # Panics
    /// If that instant overflows the clock (584 years).
    #[track_caller]
    #[inline]
    pub fn after_keyed(&mut self, wait: Span, event: E) -> EventKey {
        self.at_keyed(self.now + wait, event)
    }

    /// Takes a pending event back: it will not fire. `false` if it has fired or was cancelled before.
    ///
    /// The event itself is dropped some time later, by its own time at the latest.
    pub fn cancel(&mut self, key: EventKey) -> bool {
        if !self.slab.cancel(key) {
            return false;
        }
        self.cancelled += 1;
        let tombstones = self.slab.cancelled;
        if tombstones > self.len() && tombstones > FEW_TOMBSTONES {
            self.sweep();
        }
        true
    }

    /// The event now firing, or the last one fired: the cause of whatever happens now.
    #[inline]
    pub fn current(&self) -> EventId {
        EventId(self.fired)
    }

    /// Counts what happens next, in the same instant, as an event of its own that was fired: for a model that
    /// knows what follows at once and need not schedule it.
    #[inline]
    pub fn step(&mut self) {
        self.fired += 1;
        self.scheduled += 1;
    }

    /// Ends the run as soon as the running handler returns. Pending events stay pending.
    #[inline]
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// How many events are pending.
    #[inline]
    pub fn len(&self) -> usize {
        (self.scheduled - self.fired - self.cancelled) as usize
    }

    /// Whether no event is pending.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events there is room for without asking for more memory, in whatever keeps them and in
    /// whatever marks them: neither grows with events cancelled or fired, only with events pending at once.
    pub fn room(&self) -> usize {
        self.slab.slots.len().max(self.ladder.room())
    }

    /// How many events have fired.
    #[inline]
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// Moves the clock to the next event and hands it over; `None` if nothing is pending.
    #[inline(always)]
    pub(super) fn fire(&mut self) -> Option<E> {
        loop {
            let entry = self.ladder.take()?;
            if entry.slot != SlotId::NONE && !self.slab.close(entry.slot) {
                continue;
            }
            debug_assert!(entry.when >= self.now.as_nanos(), "the ladder lost its order");
            self.now = Time::from_nanos(entry.when);
            self.fired += 1;
            return Some(entry.event);
        }
    }

    /// When the events that come next have just been sorted: shows them, [`Ahead::Near`], then those that
    /// come after them, [`Ahead::Far`], and then the first again, [`Ahead::Next`]. What is scheduled among
    /// events that are sorted already is not shown.
    #[inline(always)]
    pub(super) fn foresee(&mut self, mut show: impl FnMut(&E, Ahead)) {
        if !self.ladder.bottom().is_empty() {
            return;
        }
        self.ladder.refill();
        self.ladder.bottom().in_order().for_each(|entry| show(&entry.event, Ahead::Near));
        for entry in self.ladder.after_bottom() {
            prefetch_at(&self.slab.slots, entry.slot.index());
            show(&entry.event, Ahead::Far);
        }
        self.ladder.bottom().in_order().for_each(|entry| show(&entry.event, Ahead::Next));
    }

    /// Whether [`Agenda::stop`] was called since the last time this was asked.
    #[inline(always)]
    pub(super) fn take_stop(&mut self) -> bool {
        std::mem::take(&mut self.stopping)
    }
}

impl<E> Default for Agenda<E> {
    fn default() -> Agenda<E> {
        Agenda::new()
    }
}

impl<E> fmt::Debug for Agenda<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agenda")
            .field("now", &self.now)
            .field("fired", &self.fired)
            .field("pending", &self.len())
            .finish_non_exhaustive()
    }
}

/// So few tombstones are not worth a sweep.
const FEW_TOMBSTONES: usize = 64;

/// A pending event, or the tombstone of one: when, what, and its mark if it may be cancelled.
struct Entry<E> {
    /// \[ns since the start of the run\]
    when: u64,
    slot: SlotId,
    event: E,
}

impl<E> Agenda<E> {
    #[track_caller]
    #[inline(always)]
    fn check(&self, when: Time) {
        if when < self.now {
            past(when, self.now);
        }
    }

    #[track_caller]
    #[inline(always)]
    fn put(&mut self, when: Time, slot: SlotId, event: E) {
        self.check(when);
        self.scheduled += 1;
        self.ladder.put(Entry { when: when.as_nanos(), slot, event }, self.now.as_nanos());
    }

    /// Drops all tombstones.
    #[cold]
    fn sweep(&mut self) {
        let slab = &mut self.slab;
        self.ladder.retain(|entry| {
            entry.slot == SlotId::NONE || !slab.is_cancelled(entry.slot) || slab.close(entry.slot)
        });
        debug_assert_eq!(self.slab.cancelled, 0, "each tombstone lies in the ladder");
    }
}

#[track_caller]
#[cold]
#[inline(never)]
fn past(when: Time, now: Time) -> ! {
    panic!("an event at {when} would lie in the past: it is {now} already")
}
