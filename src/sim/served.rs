//! What a station serves: four bytes a service in the station, which in a large fleet mostly serves nothing.
//! The services of all stations are in one slab.

use super::slab::Slab;
use super::station::Service;

/// No service.
const NONE: u32 = u32::MAX;

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
    /// The slot of the service with this `ticket`.
    #[inline]
    pub(super) fn find<J>(&self, services: &Slab<Service<J>>, ticket: u32) -> Option<u32> {
        if self.others.is_none() {
            return (services.peek(self.first)?.ticket == ticket).then_some(self.first);
        }
        self.iter().find(|&slot| services.get(slot).ticket == ticket)
    }
    /// Asks for the first service.
    #[inline]
    pub(super) fn foresee<J>(&self, services: &Slab<Service<J>>) {
        services.foresee(self.first);
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
