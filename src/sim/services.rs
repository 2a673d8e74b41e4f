//! What is being served: one slab for all stations of a run.
//!
//! Most stations of a large fleet serve nothing at most times, so that a station holds four bytes for a
//! service, and the services that there are lie close together.

use super::station::Service;
use crate::engine::prefetch_at;

/// No service.
const NONE: u32 = u32::MAX;

/// The services of all stations.
#[derive(Debug)]
pub(super) struct Services<J> {
    slots: Vec<Service<J>>,
    /// Slots whose service has ended; what is in them means nothing.
    free: Vec<u32>,
}

impl<J: Copy> Services<J> {
    pub(super) fn new() -> Services<J> {
        Services { slots: Vec::new(), free: Vec::new() }
    }
    #[inline]
    pub(super) fn file(&mut self, service: Service<J>) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = service;
                slot
            }
            None => {
                self.slots.push(service);
                self.slots.len() as u32 - 1
            }
        }
    }
    #[inline]
    pub(super) fn get(&self, slot: u32) -> &Service<J> {
        &self.slots[slot as usize]
    }
    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Service<J> {
        &mut self.slots[slot as usize]
    }
    #[inline]
    pub(super) fn take(&mut self, slot: u32) -> Service<J> {
        self.free.push(slot);
        self.slots[slot as usize]
    }
    /// The slot of the one of `served` with this `ticket`.
    #[inline]
    pub(super) fn find(&self, served: &Served, ticket: u32) -> Option<u32> {
        if served.others.is_none() {
            return (self.slots.get(served.first as usize)?.ticket == ticket).then_some(served.first);
        }
        served.iter().find(|&slot| self.get(slot).ticket == ticket)
    }
    /// Asks for the first service of a station.
    #[inline]
    pub(super) fn foresee(&self, served: &Served) {
        prefetch_at(&self.slots, served.first as usize);
    }
}

/// The slots of a station's services, in the order in which they began.
#[derive(Debug)]
pub(super) struct Served {
    first: u32,
    /// Stations with one server never have any.
    #[expect(clippy::box_collection, reason = "eight bytes for each of a million stations instead of 24")]
    others: Option<Box<Vec<u32>>>,
}

impl Served {
    pub(super) const fn nobody() -> Served {
        Served { first: NONE, others: None }
    }
    #[inline]
    fn others(&self) -> &[u32] {
        self.others.as_ref().map_or(&[], |others| others)
    }
    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.first != NONE) + self.others().len()
    }
    #[inline]
    pub(super) fn push(&mut self, slot: u32) {
        match self.first {
            NONE => self.first = slot,
            _ => self.others.get_or_insert_default().push(slot),
        }
    }
    #[inline]
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let first = (self.first != NONE).then_some(self.first);
        first.into_iter().chain(self.others().iter().copied())
    }
    /// Takes out the service in this slot, which is one of the station's.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        if self.others.is_none() {
            debug_assert_eq!(self.first, slot, "the station gives this service");
            self.first = NONE;
        } else {
            self.remove_one_of_many(slot);
        }
    }
    #[inline(never)]
    fn remove_one_of_many(&mut self, slot: u32) {
        let others = self.others.get_or_insert_default();
        if self.first == slot {
            self.first = if others.is_empty() { NONE } else { others.remove(0) };
        } else {
            let index =
                others.iter().position(|&other| other == slot).expect("the station gives this service");
            others.remove(index);
        }
    }
}
