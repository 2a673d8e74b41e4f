//! The ladder: what keeps pending events in the order of their times.
//!
//! Far-off events need no order among each other, only a rough place. A ladder queue (Tang, Goh and Thng,
//! ACM TOMACS 15(3), 2005) keeps them in [rungs](super::rung) of buckets, each rung finer than the one
//! above and inside its current bucket. When the sorted `bottom` runs dry, the next bucket is sorted into
//! it, or, if that bucket is crowded, spread over a rung of its own. Each event is moved a bounded number of
//! times, whatever the law of delays, because every rung chooses its own width from the events it gets.
//!
//! Equal times stay in order of arrival without numbering them: events of one instant always lie in the
//! same container, containers are filled at the end and emptied from the front, and sorting is stable.
//!
//! While few events are pending there are no rungs: the bottom alone holds all of them.

use super::Entry;
use super::bottom::Bottom;
use super::bucket::{Bucket, Pool};
use super::rung::{Expect, Rung, Taken};

/// A bucket with more events than this is spread over a rung; with fewer it is sorted.
const CROWDED: usize = 40;

/// More events than this are not kept sorted by insertion.
const MOST_SORTED: usize = 96;

/// Pending events by time, first in first out among equal times.
pub(super) struct Ladder<E> {
    /// The next events.
    bottom: Bottom<E>,
    /// Later events: the coarsest rung first. Each holds the instants from its frontier to that of the
    /// rung before it, the first one all others.
    rungs: Vec<Rung<E>>,
    /// If the bottom is of one instant: chunks of that same instant that follow it, the next one last.
    crowd: Vec<Vec<Entry<E>>>,
    /// The bucket being emptied; empty between calls.
    hand: Bucket<E>,
    pool: Pool<E>,
    /// Rungs to use again.
    spare: Vec<Rung<E>>,
}

impl<E> Ladder<E> {
    pub(super) fn new() -> Ladder<E> {
        Ladder {
            bottom: Bottom::new(),
            rungs: Vec::new(),
            crowd: Vec::new(),
            hand: Bucket::new(),
            pool: Pool::new(),
            spare: Vec::new(),
        }
    }

    /// Adds an event. Nothing may have been taken that lies after it.
    #[inline(always)]
    pub(super) fn put(&mut self, entry: Entry<E>, now: u64) {
        for rung in &mut self.rungs {
            if entry.when >= rung.frontier {
                return rung.put(entry, &mut self.pool);
            }
        }
        self.sort_in(entry, now);
    }

    /// Takes the first event.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Entry<E>> {
        if self.bottom.is_empty() {
            self.refill();
        }
        self.bottom.take()
    }

    /// The next events as far as they are sorted.
    #[inline(always)]
    pub(super) fn bottom(&self) -> &Bottom<E> {
        &self.bottom
    }

    /// Some of the events that come after those of the bottom, in no order; none where that is hard to say.
    #[inline(always)]
    pub(super) fn after_bottom(&self) -> impl Iterator<Item = &Entry<E>> {
        self.rungs.last().into_iter().flat_map(Rung::next_bucket)
    }

    /// Events there is room for.
    pub(super) fn room(&self) -> usize {
        self.pool.room() + self.bottom.room()
    }

    /// Adds an event among the next ones.
    #[inline(never)]
    fn sort_in(&mut self, entry: Entry<E>, now: u64) {
        debug_assert!(self.crowd.is_empty(), "events of the bottom's instant go to its bucket");
        if let Err(far) = self.bottom.insert(entry, now) {
            self.hand.put(far, &mut self.pool);
            self.spread(Expect::More);
        } else if self.bottom.len() > MOST_SORTED {
            self.bottom.empty_into(&mut self.hand, &mut self.pool);
            self.spread(Expect::More);
        }
    }

    /// Sorts the next bucket into the bottom, which is empty.
    #[inline(never)]
    pub(super) fn refill(&mut self) {
        debug_assert!(self.bottom.is_empty(), "what is sorted comes first");
        if let Some(chunk) = self.crowd.pop() {
            return self.lower(chunk);
        }
        while let Some(rung) = self.rungs.last_mut() {
            let taken = rung.take(&mut self.hand, &mut self.pool);
            if let Taken::Last(_) | Taken::Nothing = taken {
                self.spare.extend(self.rungs.pop());
            }
            match taken {
                Taken::Nothing => {}
                Taken::Moment => {
                    self.hand.stack(&mut self.crowd);
                    return self.refill();
                }
                Taken::Bucket(begin) | Taken::Last(begin) => {
                    let few = self.hand.len() <= CROWDED;
                    if few && self.bottom.fill(begin, &mut self.hand, &mut self.pool) {
                        return;
                    }
                    let last = matches!(taken, Taken::Last(_));
                    self.spread(if last { Expect::More } else { Expect::These });
                }
            }
        }
    }

    /// Makes a chunk of one instant the bottom.
    fn lower(&mut self, mut chunk: Vec<Entry<E>>) {
        self.bottom.fill_equal(&mut chunk);
        self.pool.give(chunk);
    }

    /// Spreads what is in hand over a new rung, the finest.
    fn spread(&mut self, expect: Expect) {
        let mut rung = self.spare.pop().unwrap_or_else(Rung::new);
        rung.lay(expect, &mut self.hand, &mut self.pool);
        self.rungs.push(rung);
        debug_assert!(self.rungs.len() <= 2 * u64::BITS as usize, "each rung is finer than the one above");
    }

    /// Drops the events that `keep` refuses.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Entry<E>) -> bool) {
        self.bottom.retain(&mut keep);
        for mut chunk in std::mem::take(&mut self.crowd) {
            chunk.retain(&mut keep);
            if chunk.is_empty() {
                self.pool.give(chunk);
            } else {
                self.crowd.push(chunk);
            }
        }
        let mut old = Bucket::new();
        for bucket in self.rungs.iter_mut().flat_map(Rung::open_buckets) {
            if bucket.is_empty() {
                continue;
            }
            std::mem::swap(&mut old, bucket);
            old.drain(&mut self.pool, |pool, entry| {
                if keep(&entry) {
                    bucket.put(entry, pool);
                }
            });
        }
    }
}
