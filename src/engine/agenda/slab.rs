//! Who may still be cancelled: a generational slab of marks.
//!
//! Only events scheduled with a key have a slot here. The event itself lies in the ladder, which cannot find
//! it; cancelling marks the slot, and the event stays behind as a tombstone until its turn comes or the
//! tombstones are swept out. Until then the slot is not used again.

use super::EventKey;

/// The slot of a pending event that has a key: its number plus one, or [`SlotId::NONE`]. Never zero, which
/// leaves the compiler a value that says "no event at all".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SlotId(std::num::NonZeroU32);

impl SlotId {
    /// That of events without a key.
    pub(super) const NONE: SlotId = SlotId(std::num::NonZeroU32::MAX);

    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The slots.
pub(super) struct Slab {
    pub(super) slots: Vec<Slot>,
    /// Head of the list of free slots.
    free: Option<SlotId>,
    /// Slots marked as cancelled.
    pub(super) cancelled: usize,
}

/// A place for one key, used again and again.
pub(super) struct Slot {
    /// How many keys to this slot are stale. A key of another generation means another event.
    pub(super) generation: u32,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Pending,
    Cancelled,
    Free { next: Option<SlotId> },
}

impl Slab {
    pub(super) const fn new() -> Slab {
        Slab { slots: Vec::new(), free: None, cancelled: 0 }
    }

    /// A slot for an event about to be scheduled, and the key to it.
    #[inline]
    pub(super) fn open(&mut self) -> (SlotId, EventKey) {
        if let Some(id) = self.free {
            let slot = &mut self.slots[id.index()];
            let Mark::Free { next } = std::mem::replace(&mut slot.mark, Mark::Pending) else {
                unreachable!("the list of free slots holds free slots")
            };
            self.free = next;
            return (id, EventKey { slot: id, generation: slot.generation });
        }
        let number = u32::try_from(self.slots.len() + 1).ok().and_then(std::num::NonZeroU32::new);
        let number = number.filter(|&number| SlotId(number) != SlotId::NONE);
        let id = SlotId(number.expect("fewer than 2³² − 1 events with a key are pending at once"));
        self.slots.push(Slot { generation: 0, mark: Mark::Pending });
        (id, EventKey { slot: id, generation: 0 })
    }

    /// Marks the event of `key` as cancelled, if it is pending.
    pub(super) fn cancel(&mut self, key: EventKey) -> bool {
        let Some(slot) = self.slots.get_mut(key.slot.index()) else { return false };
        if slot.generation != key.generation || slot.mark != Mark::Pending {
            return false;
        }
        slot.mark = Mark::Cancelled;
        slot.generation += 1;
        self.cancelled += 1;
        true
    }

    /// Whether the event of this slot was cancelled.
    pub(super) fn is_cancelled(&self, id: SlotId) -> bool {
        self.slots[id.index()].mark == Mark::Cancelled
    }

    /// Frees the slot of an event that leaves the ladder; tells whether it was still pending.
    #[inline]
    pub(super) fn close(&mut self, id: SlotId) -> bool {
        let slot = &mut self.slots[id.index()];
        let pending = match std::mem::replace(&mut slot.mark, Mark::Free { next: self.free }) {
            Mark::Pending => {
                slot.generation += 1;
                true
            }
            Mark::Cancelled => {
                self.cancelled -= 1;
                false
            }
            Mark::Free { .. } => unreachable!("an event leaves the ladder once"),
        };
        // A slot out of generations is retired, so that no key ever means two events.
        if slot.generation < u32::MAX {
            self.free = Some(id);
        }
        pending
    }
}
