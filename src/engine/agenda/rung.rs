//! One rung of the ladder: a stretch of time cut into buckets of equal width.
//!
//! Widths are powers of two, so that finding a bucket is a subtraction and a shift. The last bucket has no
//! end: it takes whatever lies beyond the others, up to where the rung above goes on. A rung therefore
//! holds every instant from its frontier on, and a few far-off events need not widen its buckets.

use super::Entry;
use super::bottom::REACH;
use super::bucket::{Bucket, Pool};

/// Most buckets of a rung. The headers and the open ends of so many stay in the second-level cache.
const MOST_BUCKETS: u64 = 2048;

/// What the events of a new rung are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// Those of one bucket, and few will join them.
    These,
    /// Those beyond all buckets; more will come than there are.
    More,
}

impl Expect {
    /// Events aimed at a bucket, of those there are.
    const fn events_a_bucket(self) -> u64 {
        match self {
            Expect::These => 8,
            Expect::More => 2,
        }
    }
}

/// A rung spans at most this many times the mean distance of its events from the first of them.
const MEANS_SPANNED: u64 = 4;

/// Buckets with no more events than this between them are taken together.
const FEW: usize = 8;

/// A stretch of time in buckets. Those before `current` have been emptied.
pub(super) struct Rung<E> {
    /// First instant of bucket 0 \[ns\].
    start: u64,
    /// Binary logarithm of the width of a bucket \[ns\].
    shift: u32,
    /// The bucket without end.
    last: u64,
    current: usize,
    /// First instant that the rung still holds \[ns\].
    pub(super) frontier: u64,
    buckets: Vec<Bucket<E>>,
}

/// What was taken from a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A bucket that begins at this instant \[ns\]; later ones follow.
    Bucket(u64),
    /// All events of one instant; more of them may come.
    Moment,
    /// The last bucket, which begins at this instant \[ns\]: the rung is used up.
    Last(u64),
    /// Nothing: it was used up.
    Nothing,
}

impl<E> Rung<E> {
    pub(super) const fn new() -> Rung<E> {
        Rung { start: 0, shift: 0, last: 0, current: 0, frontier: 0, buckets: Vec::new() }
    }

    /// Lays the rung out for what `hand` holds, and moves it in.
    pub(super) fn lay(&mut self, expect: Expect, hand: &mut Bucket<E>, pool: &mut Pool<E>) {
        let count = hand.len() as u64;
        let (mut first, mut latest, mut sum) = (u64::MAX, 0, 0u128);
        for entry in hand.chunks().flatten() {
            first = first.min(entry.when);
            latest = latest.max(entry.when);
            sum += u128::from(entry.when);
        }
        let mean = (sum / u128::from(count)) as u64 - first;
        let span = (latest - first).min(mean.saturating_mul(MEANS_SPANNED));
        let wanted = (count / expect.events_a_bucket()).clamp(4, MOST_BUCKETS).next_power_of_two();
        // The least width with which `wanted` buckets reach over the span.
        self.shift = u64::BITS - (span / wanted).leading_zeros();
        self.start = first;
        // No bucket starts beyond the end of the clock.
        self.last = ((span >> self.shift) + 1).min((u64::MAX - first) >> self.shift);
        self.current = 0;
        self.frontier = first;
        let buckets = self.last as usize + 1;
        if self.buckets.len() < buckets {
            self.buckets.resize_with(buckets, Bucket::new);
        }
        hand.drain(pool, |pool, entry| self.put(entry, pool));
    }

    /// Adds an event at or after the frontier.
    #[inline(always)]
    pub(super) fn put(&mut self, entry: Entry<E>, pool: &mut Pool<E>) {
        debug_assert!(entry.when >= self.frontier, "a bucket of the past is closed");
        let place = ((entry.when - self.start) >> self.shift).min(self.last);
        self.buckets[place as usize].put(entry, pool);
    }

    /// Moves the first bucket that is not empty into `hand`, which is; and those behind it, as long as all of
    /// them together are few.
    pub(super) fn take(&mut self, hand: &mut Bucket<E>, pool: &mut Pool<E>) -> Taken {
        debug_assert!(hand.is_empty(), "one bucket at a time");
        let last = self.last as usize;
        let rest = &self.buckets[self.current..=last];
        let Some(skipped) = rest.iter().position(|bucket| !bucket.is_empty()) else { return Taken::Nothing };
        self.current += skipped;
        std::mem::swap(hand, &mut self.buckets[self.current]);
        let begin = self.start + ((self.current as u64) << self.shift);
        // The last instant of the clock has nothing beyond it.
        if self.shift == 0 && self.current < last || begin == u64::MAX {
            // A bucket of one instant stays open: what is scheduled for it while its events fire comes
            // after them, and need not be sorted in.
            self.frontier = begin;
            return Taken::Moment;
        }
        if self.current == last {
            return Taken::Last(begin);
        }
        self.current += 1;
        // What is taken together is sorted together, and must not lie too far apart for that.
        let within = (self.current as u64 - 1).saturating_add(REACH >> self.shift).min(self.last) as usize;
        while self.current < within && self.buckets[self.current].len() + hand.len() <= FEW {
            self.buckets[self.current].drain(pool, |pool, entry| hand.put(entry, pool));
            self.current += 1;
        }
        self.frontier = self.start + ((self.current as u64) << self.shift);
        Taken::Bucket(begin)
    }

    /// Events of the bucket that comes next, as many as lie together; not of the last one, which has no end.
    #[inline]
    pub(super) fn next_bucket(&self) -> &[Entry<E>] {
        let rest = self.buckets.get(self.current..self.last as usize).unwrap_or_default();
        rest.iter().find_map(Bucket::some).unwrap_or_default()
    }

    /// Every bucket that may hold events.
    pub(super) fn open_buckets(&mut self) -> &mut [Bucket<E>] {
        &mut self.buckets[self.current..=self.last as usize]
    }
}
