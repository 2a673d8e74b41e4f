//! A sorted set of dense numbers: put in, take out and "the first from here on" in three or four steps.
//!
//! A bit for each number, and above 64 of them a bit that says whether there is any, and so on: the tree
//! of van Emde Boas with words for nodes. Tasks that wait in the order of posting come and go in any
//! order; a B-tree of them splits, merges and allocates, this does not.

/// Some numbers. Memory: a bit and a sixty-third for each up to the highest.
#[derive(Clone, Debug, Default)]
pub struct Ranks {
    /// The bits of the numbers themselves, then those of the words below, up to one word.
    levels: Vec<Vec<u64>>,
    len: usize,
}

impl Ranks {
    /// How many numbers are in.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `number` in. Says whether it was not.
    pub fn insert(&mut self, number: u32) -> bool {
        self.make_room(number);
        let mut index = number as usize;
        for (level, words) in self.levels.iter_mut().enumerate() {
            let word = &mut words[index / 64];
            let before = *word;
            *word |= 1 << (index % 64);
            if level == 0 && before == *word {
                return false;
            }
            if before != 0 {
                break;
            }
            index /= 64;
        }
        self.len += 1;
        true
    }

    /// Takes `number` out. Says whether it was in.
    pub fn remove(&mut self, number: u32) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut index = number as usize;
        for (level, words) in self.levels.iter_mut().enumerate() {
            let Some(word) = words.get_mut(index / 64) else { return false };
            if *word >> (index % 64) & 1 == 0 {
                debug_assert_eq!(level, 0, "a word with a bit is known above");
                return false;
            }
            *word &= !(1 << (index % 64));
            if *word != 0 {
                break;
            }
            index /= 64;
        }
        self.len -= 1;
        true
    }

    /// The lowest number that is in and not below `from`.
    pub fn next(&self, from: u32) -> Option<u32> {
        let mut index = from as usize;
        // Up, until a word has a bit at or above; then down, always to the lowest bit.
        let mut level = 0;
        loop {
            let words = self.levels.get(level)?;
            let rest = words.get(index / 64).map_or(0, |word| word >> (index % 64));
            if rest != 0 {
                index += rest.trailing_zeros() as usize;
                break;
            }
            index = index / 64 + 1;
            level += 1;
        }
        while level > 0 {
            level -= 1;
            index = 64 * index + self.levels[level][index].trailing_zeros() as usize;
        }
        Some(index as u32)
    }

    /// The numbers in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let number = self.next(from?)?;
            from = number.checked_add(1);
            Some(number)
        })
    }

    /// Lets every level reach to `number`, and adds levels until the highest is one word.
    fn make_room(&mut self, number: u32) {
        let mut words = number as usize / 64 + 1;
        if self.levels.first().is_some_and(|level| level.len() >= words) {
            return;
        }
        for level in 0.. {
            if self.levels.len() == level {
                // What is in below must be known above from the start.
                let below = level.checked_sub(1).map(|below| &self.levels[below]);
                let mut bits = vec![0; words];
                for (index, _) in below.into_iter().flatten().enumerate().filter(|(_, word)| **word != 0) {
                    bits[index / 64] |= 1 << (index % 64);
                }
                self.levels.push(bits);
            } else if self.levels[level].len() < words {
                self.levels[level].resize(words, 0);
            }
            if words == 1 {
                return;
            }
            words = words.div_ceil(64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn levels_are_added_as_numbers_grow() {
        let mut ranks = Ranks::default();
        assert!(ranks.is_empty() && ranks.next(0).is_none() && !ranks.remove(5));
        for number in [3, 70, 5_000, 300_000, 20_000_000] {
            assert!(ranks.insert(number) && !ranks.insert(number));
        }
        assert_eq!(ranks.iter().collect::<Vec<_>>(), [3, 70, 5_000, 300_000, 20_000_000]);
        assert_eq!((ranks.len(), ranks.next(5_001), ranks.next(20_000_001)), (5, Some(300_000), None));
    }

    proptest! {
        /// Against a B-tree: members, their number, and the next one from anywhere.
        #[test]
        fn agrees_with_a_b_tree(
            moves in prop::collection::vec((0u8..3, 0u32..20_000, 0u32..70), 1..300)
        ) {
            let (mut ranks, mut model) = (Ranks::default(), BTreeSet::new());
            for (action, high, low) in moves {
                let number = if action == 2 { low } else { high };
                match action {
                    0 => prop_assert_eq!(ranks.insert(number), model.insert(number)),
                    _ => prop_assert_eq!(ranks.remove(number), model.remove(&number)),
                }
                if low < 35 {
                    prop_assert_eq!(ranks.insert(low), model.insert(low));
                }
                prop_assert_eq!(ranks.next(high), model.range(high..).next().copied());
                prop_assert_eq!(ranks.len(), model.len());
            }
            prop_assert!(ranks.iter().eq(model.iter().copied()));
        }
    }
}
