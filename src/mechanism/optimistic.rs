//! Optimistic concurrency: read, compute, and commit only if nothing read has changed meanwhile.
//!
//! Backward validation of Kung and Robinson (ACM TODS 6(2), 1981), with a version per item, as in the
//! compare-and-swap of a relay's state. With r of D items read and one transaction writing w committed
//! in between, validation fails with probability 1 − C(D−r, w) ÷ C(D, w).

/// Items and how often each was written.
#[derive(Clone, Debug)]
pub struct Versions(Vec<u64>);

/// What a transaction has read.
#[derive(Clone, Debug, Default)]
pub struct ReadSet(Vec<(u32, u64)>);

impl Versions {
    /// `items` items, never written.
    pub fn new(items: u32) -> Versions {
        Versions(vec![0; items as usize])
    }
    /// Notes in `reads` that `item` was read. Panics if there is no such item.
    pub fn read(&self, item: u32, reads: &mut ReadSet) {
        reads.0.push((item, self.0[item as usize]));
    }
    /// Writes `writes` if nothing in `reads` was written since it was read. Panics as [`Versions::read`].
    pub fn commit(&mut self, reads: &ReadSet, writes: &[u32]) -> bool {
        let valid = reads.0.iter().all(|&(item, version)| self.0[item as usize] == version);
        if valid {
            writes.iter().for_each(|&item| self.0[item as usize] += 1);
        }
        valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_read_and_write_the_same_one_commits() {
        let mut items = Versions::new(3);
        let (mut one, mut other, mut apart) = (ReadSet::default(), ReadSet::default(), ReadSet::default());
        items.read(0, &mut one);
        items.read(0, &mut other);
        items.read(2, &mut apart);
        assert!(items.commit(&one, &[0, 1]) && !items.commit(&other, &[0, 1]) && items.commit(&apart, &[2]));
    }
}
