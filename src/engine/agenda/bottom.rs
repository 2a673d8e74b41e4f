//! The bottom rung: the next events, in order.
//!
//! Only eight bytes an event are sorted: the time since a base, and the place of the event, which stays where
//! it is. Up to sixteen of them go through a sorting network, which has no branch to mispredict.

use super::Entry;
use super::bucket::{Bucket, Pool};

/// The next events.
pub(super) struct Bottom<E> {
    /// The next event last.
    order: Vec<Rank>,
    /// Where the events lie; those taken are gone.
    entries: Vec<Option<Entry<E>>>,
    /// Times are counted from here \[ns\].
    base: u64,
    /// A place that was vacated last.
    vacant: u8,
}

/// When and where, turned upside down so that the greatest one comes first: !((time − base) · 256 + place).
type Rank = u64;

/// Bits of a [`Rank`] that say where.
const PLACE_BITS: u32 = 8;

/// Times from the base to this many nanoseconds after it (2.3 years) have a rank.
pub(super) const REACH: u64 = 1 << (u64::BITS - PLACE_BITS);

/// Events at more places than this do not fit.
const PLACES: usize = 1 << PLACE_BITS;

fn place_of(rank: Rank) -> usize {
    (!rank as usize) & (PLACES - 1)
}

impl<E> Bottom<E> {
    pub(super) fn new() -> Bottom<E> {
        Bottom { order: Vec::new(), entries: Vec::with_capacity(PLACES), base: 0, vacant: 0 }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn room(&self) -> usize {
        self.entries.capacity()
    }

    /// Takes the first event.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Entry<E>> {
        let place = place_of(self.order.pop()?);
        self.vacant = place as u8;
        let entry = self.entries[place].take();
        debug_assert!(entry.is_some(), "each rank has its event");
        entry
    }

    /// Its events, the next one first. Cannot fail, so that asking for nothing costs nothing.
    #[inline(always)]
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Entry<E>> {
        self.order.iter().rev().filter_map(|&rank| self.entries.get(place_of(rank))?.as_ref())
    }

    /// Fills the empty bottom with the events of `hand`, none of them before `base`. False, and nothing
    /// is changed, if they lie too far apart.
    pub(super) fn fill(&mut self, base: u64, hand: &mut Bucket<E>, pool: &mut Pool<E>) -> bool {
        debug_assert!(self.is_empty() && hand.len() <= PLACES, "a bucket small enough to sort");
        self.entries.clear();
        self.base = base;
        let mut distances = 0;
        let (order, entries) = (&mut self.order, &mut self.entries);
        hand.drain_chunks(pool, |_, chunk| {
            order.extend(chunk.iter().zip(entries.len() as u64..).map(|(entry, place)| {
                let distance = entry.when - base;
                distances |= distance;
                !(distance << PLACE_BITS | place)
            }));
            entries.extend(chunk.drain(..).map(Some));
        });
        if distances >= REACH {
            self.order.clear();
            self.entries.drain(..).flatten().for_each(|entry| hand.put(entry, pool));
            return false;
        }
        sort(&mut self.order);
        true
    }

    /// Fills the empty bottom with events of one instant, in order.
    pub(super) fn fill_equal(&mut self, chunk: &mut Vec<Entry<E>>) {
        debug_assert!(self.is_empty() && chunk.len() <= PLACES, "a chunk fits");
        self.entries.clear();
        self.base = chunk.first().map_or(0, |entry| entry.when);
        self.order.extend((0..chunk.len() as u64).rev().map(|place| !place));
        self.entries.extend(chunk.drain(..).map(Some));
    }

    /// Sorts an event in, behind those of the same instant. Gives it back if it lies too far ahead.
    #[inline(always)]
    pub(super) fn insert(&mut self, entry: Entry<E>, now: u64) -> Result<(), Entry<E>> {
        if self.order.is_empty() {
            self.base = now;
        }
        debug_assert!(entry.when >= self.base, "nothing is scheduled before what was sorted");
        let distance = entry.when - self.base;
        if distance >= REACH {
            return Err(entry);
        }
        let latest = !(distance << PLACE_BITS | (PLACES as u64 - 1));
        let place = self.place();
        self.entries[place] = Some(entry);
        let rank = !(distance << PLACE_BITS | place as u64);
        let mut gap = self.order.len();
        self.order.push(rank);
        while gap > 0 && self.order[gap - 1] >= latest {
            self.order[gap] = self.order[gap - 1];
            gap -= 1;
        }
        self.order[gap] = rank;
        Ok(())
    }

    /// A place that is free.
    #[inline(always)]
    fn place(&mut self) -> usize {
        match self.entries.get(usize::from(self.vacant)) {
            Some(None) => usize::from(self.vacant),
            _ => self.new_place(),
        }
    }

    fn new_place(&mut self) -> usize {
        if self.entries.len() == PLACES {
            self.close_up();
        }
        self.entries.push(None);
        self.entries.len() - 1
    }

    /// Moves the events together, so that no place is vacant.
    fn close_up(&mut self) {
        let mut entries = Vec::with_capacity(PLACES);
        for rank in &mut self.order {
            let place = place_of(*rank);
            *rank = !((!*rank >> PLACE_BITS) << PLACE_BITS | entries.len() as u64);
            entries.push(self.entries[place].take());
        }
        debug_assert!(entries.len() < PLACES, "there are more places than events in the bottom");
        self.entries = entries;
    }

    /// Moves all events to `hand`, in order.
    pub(super) fn empty_into(&mut self, hand: &mut Bucket<E>, pool: &mut Pool<E>) {
        while let Some(entry) = self.take() {
            hand.put(entry, pool);
        }
    }

    /// Drops the events that `keep` refuses.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Entry<E>) -> bool) {
        let entries = &mut self.entries;
        self.order.retain(|&rank| {
            let entry = &mut entries[place_of(rank)];
            let kept = entry.as_ref().is_some_and(&mut keep);
            if !kept {
                *entry = None;
            }
            kept
        });
    }
}

/// Sorts upwards.
fn sort(ranks: &mut [Rank]) {
    match ranks.len() {
        0 | 1 => {}
        2..=8 => padded(ranks, network_8),
        9..=16 => padded(ranks, |ranks: &mut [Rank; 16]| network_16(ranks)),
        _ => ranks.sort_unstable(),
    }
}

/// Sorts with a network of width `N`; what is missing counts as the greatest.
#[inline(always)]
fn padded<const N: usize>(ranks: &mut [Rank], network: impl Fn(&mut [Rank; N])) {
    let mut wires = [Rank::MAX; N];
    wires[..ranks.len()].copy_from_slice(ranks);
    network(&mut wires);
    ranks.copy_from_slice(&wires[..ranks.len()]);
}

/// Puts the lesser of each pair on its first wire.
macro_rules! exchange {
    ($wires:ident: $($low:literal $high:literal),+ $(,)?) => {
        $(
            let (one, other) = ($wires[$low], $wires[$high]);
            $wires[$low] = one.min(other);
            $wires[$high] = one.max(other);
        )+
    };
}

/// Batcher's odd–even merge sort of 8 (AFIPS 1968): 19 exchanges.
#[inline(always)]
fn network_8(wires: &mut [Rank; 8]) {
    exchange!(wires: 0 1, 2 3, 4 5, 6 7, 0 2, 1 3, 4 6, 5 7, 1 2, 5 6);
    exchange!(wires: 0 4, 1 5, 2 6, 3 7, 2 4, 3 5, 1 2, 3 4, 5 6);
}

/// Batcher's odd–even merge sort of 16: 63 exchanges.
#[inline(always)]
fn network_16(wires: &mut [Rank; 16]) {
    exchange!(wires: 0 1, 2 3, 4 5, 6 7, 0 2, 1 3, 4 6, 5 7, 1 2, 5 6);
    exchange!(wires: 0 4, 1 5, 2 6, 3 7, 2 4, 3 5, 1 2, 3 4, 5 6);
    exchange!(wires: 8 9, 10 11, 12 13, 14 15, 8 10, 9 11, 12 14, 13 15, 9 10, 13 14);
    exchange!(wires: 8 12, 9 13, 10 14, 11 15, 10 12, 11 13, 9 10, 11 12, 13 14);
    exchange!(wires: 0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15);
    exchange!(wires: 4 8, 5 9, 6 10, 7 11, 2 4, 3 5, 6 8, 7 9, 10 12, 11 13);
    exchange!(wires: 1 2, 3 4, 5 6, 7 8, 9 10, 11 12, 13 14);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rng::Rng;

    #[test]
    fn every_width_is_sorted() {
        let mut rng = Rng::from_state(1);
        for width in 0..40 {
            for _ in 0..200 {
                let mut ranks: Vec<Rank> = (0..width).map(|_| u64::from(rng.below(20)) << 60).collect();
                let mut expected = ranks.clone();
                expected.sort_unstable();
                sort(&mut ranks);
                assert_eq!(ranks, expected);
            }
        }
    }

    /// A network that sorts all sequences of zeros and ones sorts everything (Knuth, TAOCP 3, 5.3.4).
    #[test]
    fn the_networks_sort_zeros_and_ones() {
        for bits in 0..1u32 << 16 {
            let mut wires = [0; 16].map(|_: u32| 0);
            for (place, wire) in wires.iter_mut().enumerate() {
                *wire = u64::from(bits >> place & 1);
            }
            let mut eight: [Rank; 8] = wires[..8].try_into().expect("eight of them");
            network_16(&mut wires);
            network_8(&mut eight);
            assert!(wires.is_sorted() && eight.is_sorted(), "{bits:b}");
        }
    }
}
