//! Unsorted storage: events in the order in which they came, in chunks that are used again and again.
//!
//! A chunk is a vector that never grows. Filling a bucket moves no event that lies there already, and
//! emptying it hands its chunks back to the pool, so that nothing is allocated once a run has seen its
//! peak. Knows nothing of time: the order within a bucket is the order of arrival, which is all that
//! the first-in-first-out rule among equal times needs.

use super::Entry;

/// Events a chunk has room for. A power of two; 32 events of 24 bytes are twelve cache lines.
pub(super) const CHUNK: usize = 32;

/// Events in order of arrival.
pub(super) struct Bucket<E> {
    /// Chunks filled to the brim, oldest first.
    full: Vec<Vec<Entry<E>>>,
    /// The newest events. Without capacity until the first one comes.
    tail: Vec<Entry<E>>,
}

/// Chunks that wait to be used.
pub(super) struct Pool<E> {
    chunks: Vec<Vec<Entry<E>>>,
    /// Chunks ever made: those here and those in buckets.
    made: usize,
}

impl<E> Pool<E> {
    pub(super) const fn new() -> Pool<E> {
        Pool { chunks: Vec::new(), made: 0 }
    }

    /// Events that all chunks together have room for.
    pub(super) fn room(&self) -> usize {
        self.made * CHUNK
    }

    fn take(&mut self) -> Vec<Entry<E>> {
        if self.chunks.is_empty() {
            // Twice as many, like a vector: how many a peak takes depends a little on how it lies.
            let more = self.made.max(64);
            self.made += more;
            self.chunks.extend((0..more).map(|_| Vec::with_capacity(CHUNK)));
        }
        self.chunks.pop().expect("just filled")
    }

    pub(super) fn give(&mut self, chunk: Vec<Entry<E>>) {
        debug_assert!(chunk.is_empty() && chunk.capacity() == CHUNK, "what was borrowed comes back empty");
        self.chunks.push(chunk);
    }
}

impl<E> Bucket<E> {
    pub(super) const fn new() -> Bucket<E> {
        Bucket { full: Vec::new(), tail: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.full.len() * CHUNK + self.tail.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        // A chunk is fetched only for an event that comes at once, so a full one never lacks a tail.
        self.tail.is_empty()
    }

    /// Adds an event behind all others.
    #[inline(always)]
    pub(super) fn put(&mut self, entry: Entry<E>, pool: &mut Pool<E>) {
        if self.tail.len() == self.tail.capacity() {
            self.extend(pool);
        }
        self.tail.push(entry);
    }

    /// Makes room in the tail.
    #[cold]
    #[inline(never)]
    fn extend(&mut self, pool: &mut Pool<E>) {
        let filled = std::mem::replace(&mut self.tail, pool.take());
        if !filled.is_empty() {
            self.full.push(filled);
        }
    }

    /// Some of its events, which lie together.
    #[inline]
    pub(super) fn some(&self) -> Option<&[Entry<E>]> {
        (!self.is_empty()).then_some(&self.tail)
    }

    /// All chunks with events in them, oldest first.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[Entry<E>]> {
        self.full.iter().chain(std::iter::once(&self.tail)).map(Vec::as_slice)
    }

    /// Empties the bucket, oldest event first.
    #[inline(always)]
    pub(super) fn drain(&mut self, pool: &mut Pool<E>, mut each: impl FnMut(&mut Pool<E>, Entry<E>)) {
        self.drain_chunks(pool, |pool, chunk| chunk.drain(..).for_each(|entry| each(pool, entry)));
    }

    /// Empties the bucket, oldest chunk first; `each` must empty the chunk.
    #[inline(always)]
    pub(super) fn drain_chunks(
        &mut self,
        pool: &mut Pool<E>,
        mut each: impl FnMut(&mut Pool<E>, &mut Vec<Entry<E>>),
    ) {
        for mut chunk in self.full.drain(..) {
            each(pool, &mut chunk);
            pool.give(chunk);
        }
        if !self.tail.is_empty() {
            let mut chunk = std::mem::take(&mut self.tail);
            each(pool, &mut chunk);
            pool.give(chunk);
        }
    }

    /// Moves all chunks to `stack`, which is empty, the oldest one on top.
    pub(super) fn stack(&mut self, stack: &mut Vec<Vec<Entry<E>>>) {
        debug_assert!(stack.is_empty() && !self.tail.is_empty(), "one bucket at a time");
        stack.push(std::mem::take(&mut self.tail));
        stack.extend(self.full.drain(..).rev());
    }
}
