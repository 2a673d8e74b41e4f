//! Things of a run that come and go: letters, errands, services. Events and queues name them in four bytes.
//!
//! Slots are used again, the one that was left last first, so that steady state allocates nothing and what is
//! there lies close together.

use crate::engine::prefetch_at;

/// Things by slot.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Slab<T> {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
    #[inline]
    pub(super) fn file(&mut self, thing: T) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(thing);
                slot
            }
            None => {
                self.slots.push(Some(thing));
                self.slots.len() as u32 - 1
            }
        }
    }
    #[inline]
    pub(super) fn get(&self, slot: u32) -> &T {
        self.slots[slot as usize].as_ref().expect("a thing is read before it is gone")
    }
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut T {
        self.slots[slot as usize].as_mut().expect("a thing is changed before it is gone")
    }
    /// What is in a slot, if anything is.
    #[inline]
    pub(super) fn peek(&self, slot: u32) -> Option<&T> {
        self.slots.get(slot as usize)?.as_ref()
    }
    #[inline]
    pub(super) fn take(&mut self, slot: u32) -> T {
        self.free.push(slot);
        self.slots[slot as usize].take().expect("a thing is taken once")
    }
    /// Asks for what is in a slot.
    #[inline]
    pub(super) fn foresee(&self, slot: u32) {
        prefetch_at(&self.slots, slot as usize);
    }
    /// How many things there are.
    pub(super) fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
