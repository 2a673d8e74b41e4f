//! The agenda: the simulation clock and the set of pending events.
//!
//! Events fire in the total order (time, order of insertion), so that ties never depend on the data
//! structure, the platform or luck. The caller sees keys, never positions: what keeps the order inside
//! may be replaced without anyone noticing.
//!
//! Inside: a 4-ary implicit heap (LaMarca and Ladner, ACM JEA 1, 1996) of 24-byte entries, which is what
//! moves when the heap sifts, over a slab that holds the events, which stay where they are. A cancelled
//! event is dropped at once and its slot is free at once; its heap entry stays behind as a tombstone,
//! known by the generation that no longer matches. When tombstones outnumber pending events the heap is
//! rebuilt without them, so both the cost of a cancellation and the memory it leaves are O(1) amortised.

#[cfg(test)]
mod tests;

use std::fmt;

use super::time::{Span, Time};

/// The clock and the pending events of one run.
///
/// Only a [`Model`](super::Model) being run, and the code that sets the run up, hold one.
pub struct Agenda<E> {
    now: Time,
    fired: u64,
    /// Events ever scheduled: the tie-breaker of the next one.
    scheduled: u64,
    /// Pending events. The heap holds these and the tombstones.
    pending: usize,
    heap: Vec<Entry>,
    slots: Vec<Slot<E>>,
    /// Head of the list of free slots, [`NO_SLOT`] if there is none.
    free: u32,
    stopping: bool,
}

/// Names one scheduled event, for [`Agenda::cancel`]. Once the event has fired or was cancelled the key
/// is stale: it stays harmless for ever, also when the storage it named is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventKey {
    slot: u32,
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
            pending: 0,
            heap: Vec::new(),
            slots: Vec::new(),
            free: NO_SLOT,
            stopping: false,
        }
    }

    /// The simulated time: that of the firing event, or of the last one fired.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Schedules `event` for `when`. It fires after everything already scheduled for that instant.
    ///
    /// # Panics
    /// If `when` has passed: causes precede effects.
    #[track_caller]
    pub fn at(&mut self, when: Time, event: E) -> EventKey {
        assert!(when >= self.now, "an event at {when} would lie in the past: it is {} already", self.now);
        let key = self.store(event);
        let order = self.scheduled;
        self.scheduled += 1;
        self.heap.push(Entry { when, order, key });
        self.sift_up(self.heap.len() - 1);
        key
    }

    /// The same as [`Agenda::at`], and gives the key of the event.
    #[track_caller]
    pub fn at_keyed(&mut self, when: Time, event: E) -> EventKey {
        self.at(when, event)
    }

    /// The same as [`Agenda::after`], and gives the key of the event.
    #[track_caller]
    pub fn after_keyed(&mut self, wait: Span, event: E) -> EventKey {
        self.at(self.now + wait, event)
    }

    /// Schedules `event` for the instant `wait` from now.
    ///
    /// # Panics
    /// If that instant overflows the clock (584 years).
    #[track_caller]
    pub fn after(&mut self, wait: Span, event: E) -> EventKey {
        self.at(self.now + wait, event)
    }

    /// Takes a pending event back, and returns it; `None` if it has fired or was cancelled before.
    pub fn cancel(&mut self, key: EventKey) -> Option<E> {
        let event = self.take(key)?;
        let tombstones = self.heap.len() - self.pending;
        if tombstones > self.pending && tombstones > FEW_TOMBSTONES {
            self.bury();
        }
        Some(event)
    }

    /// The event now firing, or the last one fired: the cause of whatever happens now.
    pub fn current(&self) -> EventId {
        EventId(self.fired)
    }

    /// Ends the run as soon as the running handler returns. Pending events stay pending.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.pending
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// How many events there is room for without asking for more memory, in whatever keeps them and in
    /// whatever orders them: neither grows with events cancelled or fired, only with events pending at once.
    pub fn room(&self) -> usize {
        self.slots.len().max(self.heap.len())
    }

    /// How many events have fired.
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// Moves the clock to the next event and hands it over; `None` if nothing is pending.
    pub(super) fn fire(&mut self) -> Option<E> {
        while let Some(entry) = self.pop() {
            if let Some(event) = self.take(entry.key) {
                debug_assert!(entry.when >= self.now, "the heap lost its order");
                self.now = entry.when;
                self.fired += 1;
                return Some(event);
            }
        }
        debug_assert_eq!(self.pending, 0, "a pending event lost its heap entry");
        None
    }

    /// Whether [`Agenda::stop`] was called since the last time this was asked.
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
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

/// The end of the list of free slots; no slot has this number.
const NO_SLOT: u32 = u32::MAX;

/// So few tombstones are not worth a rebuilding.
const FEW_TOMBSTONES: usize = 64;

/// Children of a heap node. Four halve the depth of a binary heap, and four entries of 24 bytes lie in
/// two or three adjacent cache lines.
const ARITY: usize = 4;

/// A place for one event, used again and again.
struct Slot<E> {
    /// How often the slot was emptied. A key or an entry of another generation means another event.
    generation: u32,
    content: Content<E>,
}

enum Content<E> {
    Pending(E),
    Free { next: u32 },
}

impl<E> Agenda<E> {
    /// Puts `event` into a free slot, or a new one.
    fn store(&mut self, event: E) -> EventKey {
        self.pending += 1;
        let content = Content::Pending(event);
        let slot = self.free;
        if slot == NO_SLOT {
            let slot = u32::try_from(self.slots.len()).ok().filter(|&slot| slot != NO_SLOT);
            let slot = slot.expect("fewer than 2³² − 1 events are pending at once");
            self.slots.push(Slot { generation: 0, content });
            return EventKey { slot, generation: 0 };
        }
        let reused = &mut self.slots[slot as usize];
        let Content::Free { next } = std::mem::replace(&mut reused.content, content) else {
            unreachable!("the list of free slots holds free slots")
        };
        self.free = next;
        EventKey { slot, generation: reused.generation }
    }

    /// Empties the slot of `key` if it still holds that event.
    fn take(&mut self, key: EventKey) -> Option<E> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        match std::mem::replace(&mut slot.content, Content::Free { next: self.free }) {
            Content::Pending(event) => {
                self.pending -= 1;
                slot.generation += 1;
                // A slot out of generations is retired, so that no key ever means two events.
                if slot.generation < u32::MAX {
                    self.free = key.slot;
                }
                Some(event)
            }
            // Only a key of another agenda gets here: ours move on with the generation.
            free @ Content::Free { .. } => {
                slot.content = free;
                None
            }
        }
    }
}

/// One line of the heap: when, the tie-breaker, and which event.
#[derive(Clone, Copy)]
struct Entry {
    when: Time,
    order: u64,
    key: EventKey,
}

impl Entry {
    /// One integer to compare, which compiles to no branch.
    fn rank(&self) -> u128 {
        u128::from(self.when.as_nanos()) << 64 | u128::from(self.order)
    }
}

impl<E> Agenda<E> {
    /// Takes the first entry, tombstone or not.
    fn pop(&mut self) -> Option<Entry> {
        let last = self.heap.pop()?;
        let Some(first) = self.heap.first_mut() else { return Some(last) };
        let first = std::mem::replace(first, last);
        self.sift_down(0);
        Some(first)
    }

    /// Rebuilds the heap without tombstones, in O(n) (Floyd, CACM 7(12), 1964).
    fn bury(&mut self) {
        let slots = &self.slots;
        self.heap.retain(|entry| slots[entry.key.slot as usize].generation == entry.key.generation);
        debug_assert_eq!(self.heap.len(), self.pending, "each pending event has one entry");
        for node in (0..self.heap.len().div_ceil(ARITY)).rev() {
            self.sift_down(node);
        }
    }

    fn sift_up(&mut self, mut node: usize) {
        let entry = self.heap[node];
        while node > 0 {
            let parent = (node - 1) / ARITY;
            if self.heap[parent].rank() <= entry.rank() {
                break;
            }
            self.heap[node] = self.heap[parent];
            node = parent;
        }
        self.heap[node] = entry;
    }

    fn sift_down(&mut self, mut node: usize) {
        let Some(&entry) = self.heap.get(node) else { return };
        loop {
            let first = node * ARITY + 1;
            let children = first..(first + ARITY).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child].rank()) else { break };
            if entry.rank() <= self.heap[least].rank() {
                break;
            }
            self.heap[node] = self.heap[least];
            node = least;
        }
        self.heap[node] = entry;
    }
}
