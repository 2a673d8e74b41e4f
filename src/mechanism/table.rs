//! A map from ids to values: one probe a look-up, memory for what it holds, and no order to see.
//!
//! A node at scale knows a thousandth of the tasks, so a vector indexed by task id would cost each of a
//! thousand coordinators the whole workload; a B-tree costs a walk of several nodes for every message.
//! Here a power of two of buckets is probed linearly (Knuth, TAOCP 3, 6.4), at most half of them full.
//! The hash is Fibonacci's: consecutive ids, which is what tasks and nodes have, hardly ever meet.
//!
//! Values live in slots of their own and stay where they are until removed. So whoever has found an
//! entry keeps its [`Slot`] instead of looking it up again, and lists can be threaded through slots.
//!
//! An agent of a million has one or two tasks at a time: up to eight entries are searched one by one, without
//! buckets, and room is made for one, two, four, eight.
//!
//! Deliberately absent: iteration in the order of buckets or slots, which must not reach a result. There
//! is [`Table::sorted`], and [`Table::unordered`] for counting and adding up.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use crate::engine::prefetch_at;
use crate::trace::{NodeId, TaskId};

/// What a table is keyed by: an id below 2³² − 1.
pub trait Key: Copy + Eq {
    /// Its number.
    fn number(self) -> u32;
    /// The id with this number.
    fn numbered(number: u32) -> Self;
}

impl Key for TaskId {
    fn number(self) -> u32 {
        self.0
    }
    fn numbered(number: u32) -> TaskId {
        TaskId(number)
    }
}

impl Key for NodeId {
    fn number(self) -> u32 {
        self.0
    }
    fn numbered(number: u32) -> NodeId {
        NodeId(number)
    }
}

/// Where an entry is kept, until it is removed; another entry may then get the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

impl Slot {
    /// Its number: dense, so that vectors and lists can be indexed by it.
    pub fn number(self) -> u32 {
        self.0
    }
    /// The slot with this number.
    pub fn numbered(number: u32) -> Slot {
        Slot(number)
    }
}

/// The slot that is nowhere: an empty bucket, the end of the list of free slots.
const NOWHERE: u32 = u32::MAX;
/// Most entries that are searched without buckets.
const FEW: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    key: u32,
    slot: u32,
}

const EMPTY: Bucket = Bucket { key: 0, slot: NOWHERE };

#[derive(Clone, Debug)]
enum Entry<V> {
    Free { next: u32 },
    Used { key: u32, value: V },
}

/// The entries, by key.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    /// A power of two of them; none as long as there are few entries.
    buckets: Box<[Bucket]>,
    entries: Vec<Entry<V>>,
    free: u32,
    len: u32,
    keys: PhantomData<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Table<K, V> {
        Table { buckets: Box::default(), entries: Vec::new(), free: NOWHERE, len: 0, keys: PhantomData }
    }
}

impl<K: Key, V> Table<K, V> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the entry of `key` is.
    pub fn find(&self, key: K) -> Option<Slot> {
        let number = key.number();
        let slot =
            if self.buckets.is_empty() { self.search(number) } else { self.buckets[self.probe(number)].slot };
        (slot != NOWHERE).then_some(Slot(slot))
    }

    /// Whether `key` has an entry.
    pub fn contains(&self, key: K) -> bool {
        self.find(key).is_some()
    }

    /// The value of `key`.
    pub fn get(&self, key: K) -> Option<&V> {
        self.find(key).map(|slot| &self[slot])
    }

    /// The value of `key`.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.find(key).map(|slot| &mut self[slot])
    }

    /// The key of the entry in `slot`.
    pub fn key(&self, slot: Slot) -> K {
        match &self.entries[slot.0 as usize] {
            Entry::Used { key, .. } => K::numbered(*key),
            Entry::Free { .. } => unreachable!("the entry was removed"),
        }
    }

    /// The entry of `key`, and whether it is new: made by `value` unless there was one.
    pub fn find_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> (Slot, bool) {
        let number = key.number();
        debug_assert_ne!(number, NOWHERE, "ids are below 2^32 - 1");
        let few = self.buckets.is_empty();
        if if few { self.len() == FEW } else { self.buckets.len() < 2 * (self.len() + 1) } {
            self.grow();
        }
        if self.buckets.is_empty() {
            match self.search(number) {
                NOWHERE => (Slot(self.keep(number, value())), true),
                slot => (Slot(slot), false),
            }
        } else {
            let at = self.probe(number);
            match self.buckets[at].slot {
                NOWHERE => {
                    let slot = self.keep(number, value());
                    self.buckets[at] = Bucket { key: number, slot };
                    (Slot(slot), true)
                }
                slot => (Slot(slot), false),
            }
        }
    }

    /// Puts a new entry in a free slot, or a new one.
    fn keep(&mut self, key: u32, value: V) -> u32 {
        self.len += 1;
        let entry = Entry::Used { key, value };
        if self.free == NOWHERE {
            if self.entries.len() == self.entries.capacity() {
                self.entries.reserve_exact(self.entries.len().max(1));
            }
            self.entries.push(entry);
            return self.entries.len() as u32 - 1;
        }
        let slot = self.free;
        match std::mem::replace(&mut self.entries[slot as usize], entry) {
            Entry::Free { next } => self.free = next,
            Entry::Used { .. } => unreachable!("a slot in use is not in the list of free ones"),
        }
        slot
    }

    /// Makes `value` the value of `key`, and gives back the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let mut value = Some(value);
        let (slot, _) = self.find_or_insert_with(key, || value.take().expect("it is made once"));
        value.map(|value| std::mem::replace(&mut self[slot], value))
    }

    /// Removes the entry in `slot`.
    pub fn remove(&mut self, slot: Slot) -> V {
        let entry = std::mem::replace(&mut self.entries[slot.0 as usize], Entry::Free { next: self.free });
        let Entry::Used { key, value } = entry else { unreachable!("the entry was removed before") };
        self.free = slot.0;
        self.len -= 1;
        if !self.buckets.is_empty() {
            let at = self.probe(key);
            self.close_gap(at);
        }
        value
    }

    /// Removes the entry of `key`.
    pub fn take(&mut self, key: K) -> Option<V> {
        self.find(key).map(|slot| self.remove(slot))
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        *self = Table::default();
    }

    /// The entries in an order that must not reach a result: for counting and adding up.
    pub fn unordered(&self) -> impl Iterator<Item = (K, &V)> {
        self.slots().map(|(_, key, value)| (key, value))
    }

    /// The keys in ascending order. O(n log n).
    pub fn sorted(&self) -> Vec<K>
    where
        K: Ord,
    {
        let mut keys: Vec<K> = self.unordered().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys
    }

    /// Everything, slot by slot: for who sorts or counts it.
    pub(super) fn slots(&self) -> impl Iterator<Item = (Slot, K, &V)> {
        self.entries.iter().zip(0..).filter_map(|(entry, slot)| match entry {
            Entry::Used { key, value } => Some((Slot(slot), K::numbered(*key), value)),
            Entry::Free { .. } => None,
        })
    }

    /// Asks for the place where `key` is looked for first.
    #[inline]
    pub fn foresee(&self, key: K) {
        if let Some(mask) = self.buckets.len().checked_sub(1) {
            prefetch_at(&self.buckets, home(key.number(), mask));
        }
    }

    /// The slot of `key` where there are no buckets.
    fn search(&self, wanted: u32) -> u32 {
        let is_it = |entry: &Entry<V>| matches!(entry, Entry::Used { key, .. } if *key == wanted);
        self.entries.iter().position(is_it).map_or(NOWHERE, |slot| slot as u32)
    }

    /// The bucket of `key`, or the empty one where it would be.
    fn probe(&self, key: u32) -> usize {
        let mask = self.buckets.len() - 1;
        let mut at = home(key, mask);
        loop {
            let bucket = self.buckets[at & mask];
            if bucket.slot == NOWHERE || bucket.key == key {
                return at & mask;
            }
            at += 1;
        }
    }

    /// Empties the bucket `gap` and moves back those that were pushed beyond it, so that a search may
    /// always end at an empty bucket: there are no tombstones that would pile up.
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.buckets.len() - 1;
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let bucket = self.buckets[at];
            if bucket.slot == NOWHERE {
                break;
            }
            // It may move into the gap if its home is not between gap and here.
            if (at.wrapping_sub(home(bucket.key, mask)) & mask) >= (at.wrapping_sub(gap) & mask) {
                self.buckets[gap] = bucket;
                gap = at;
            }
        }
        self.buckets[gap] = EMPTY;
    }

    /// Makes buckets, twice as many as there are or the first ones: at least two for each entry.
    #[cold]
    fn grow(&mut self) {
        let size = (2 * self.buckets.len()).max(4 * FEW);
        self.buckets = vec![EMPTY; size].into_boxed_slice();
        for slot in 0..self.entries.len() {
            if let Entry::Used { key, .. } = self.entries[slot] {
                let at = self.probe(key);
                self.buckets[at] = Bucket { key, slot: slot as u32 };
            }
        }
    }
}

/// The bucket a key belongs to: the high bits of its product with 2³² ÷ golden ratio.
fn home(key: u32, mask: usize) -> usize {
    let product = u64::from(key.wrapping_mul(0x9E37_79B9));
    // The high bits of 32, as many as the mask has, without a shift that depends on them.
    ((product * (mask as u64 + 1)) >> 32) as usize
}

impl<K: Key, V> Index<Slot> for Table<K, V> {
    type Output = V;
    fn index(&self, slot: Slot) -> &V {
        match &self.entries[slot.0 as usize] {
            Entry::Used { value, .. } => value,
            Entry::Free { .. } => unreachable!("the entry was removed"),
        }
    }
}

impl<K: Key, V> IndexMut<Slot> for Table<K, V> {
    fn index_mut(&mut self, slot: Slot) -> &mut V {
        match &mut self.entries[slot.0 as usize] {
            Entry::Used { value, .. } => value,
            Entry::Free { .. } => unreachable!("the entry was removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn slots_stay_and_are_used_again() {
        let mut table = Table::<TaskId, &str>::default();
        assert!(table.is_empty() && table.find(TaskId(3)).is_none());
        let (three, new) = table.find_or_insert_with(TaskId(3), || "three");
        assert!(new && table.find_or_insert_with(TaskId(3), || "other") == (three, false));
        (100..200).for_each(|id| assert_eq!(table.insert(TaskId(id), "many"), None));
        assert_eq!((table[three], table.key(three), table.len()), ("three", TaskId(3), 101));
        assert_eq!(table.remove(three), "three");
        assert_eq!(table.find_or_insert_with(TaskId(7), || "seven"), (three, true));
        assert_eq!((table.get(TaskId(3)), table.get(TaskId(7))), (None, Some(&"seven")));
        assert_eq!(table.insert(TaskId(7), "again"), Some("seven"));
        table.clear();
        assert_eq!((table.len(), table.find(TaskId(7))), (0, None));
    }

    #[test]
    fn consecutive_ids_hardly_meet() {
        let mut table = Table::<NodeId, ()>::default();
        (5_000..9_000).for_each(|id| assert!(table.insert(NodeId(id), ()).is_none()));
        let mask = table.buckets.len() - 1;
        let pushed = (0..=mask).filter(|&at| {
            let bucket = table.buckets[at];
            bucket.slot != NOWHERE && home(bucket.key, mask) != at
        });
        assert!(pushed.count() < 400, "one in ten is not where it belongs");
    }

    proptest! {
        /// Whatever comes and goes, it holds what a B-tree holds, with few entries and with many. Keys are
        /// drawn to meet: from a small range, and far apart.
        #[test]
        fn agrees_with_a_b_tree(
            moves in prop::collection::vec((0u8..4, 0u32..40, 0u32..3), 1..400)
        ) {
            let (mut table, mut model) = (Table::<TaskId, usize>::default(), BTreeMap::new());
            for (count, (action, low, high)) in moves.into_iter().enumerate() {
                let key = TaskId(low + (high << 30));
                match action {
                    0 => prop_assert_eq!(table.insert(key, count), model.insert(key, count)),
                    1 => {
                        let (slot, new) = table.find_or_insert_with(key, || count);
                        prop_assert_eq!(new, !model.contains_key(&key));
                        prop_assert_eq!(table[slot], *model.entry(key).or_insert(count));
                        prop_assert_eq!(table.key(slot), key);
                    }
                    2 => prop_assert_eq!(table.take(key), model.remove(&key)),
                    _ => prop_assert_eq!(table.get_mut(key).copied(), model.get(&key).copied()),
                }
                prop_assert_eq!(table.len(), model.len());
            }
            prop_assert_eq!(table.sorted(), model.keys().copied().collect::<Vec<_>>());
            let sum: usize = table.unordered().map(|(_, value)| value).sum();
            prop_assert_eq!(sum, model.values().sum::<usize>());
            for (&key, value) in &model {
                prop_assert_eq!(table.get(key), Some(value));
            }
        }
    }
}
