//! A set of task ids that only grows, for at most about four bytes an id and one bit where ids are dense.
//!
//! A journal of what was settled must keep every task for ever. One coordinator alone settles all
//! tasks, and a bit a task is best; one of a thousand settles every thousandth, and a bit for each task
//! there is would cost more than a list of its own. So ids are split in pages of 2¹⁶, and each page is a
//! sorted list of 16-bit rests while it is sparse and a bitmap when it is dense, as in Roaring bitmaps
//! (Chambi, Lemire, Kaser & Godin, Software: Practice and Experience 46(5), 2016). A set of few ids is one
//! sorted list. Tasks are settled roughly in the order of their ids, so lists grow at their ends.

use smallvec::SmallVec;

use crate::trace::TaskId;

/// Ids in one page.
const PAGE: usize = 1 << 16;
/// Most ids a list may have: as a bitmap they take no more.
const LONGEST_LIST: usize = PAGE / 16;

#[derive(Clone, Debug)]
enum Page {
    /// Sorted.
    List(Vec<u16>),
    Bitmap(Box<[u64]>),
}

impl Page {
    fn contains(&self, rest: u16) -> bool {
        match self {
            Page::List(list) => list.binary_search(&rest).is_ok(),
            Page::Bitmap(words) => words[usize::from(rest) / 64] >> (rest % 64) & 1 == 1,
        }
    }

    fn insert(&mut self, rest: u16) -> bool {
        match self {
            Page::List(list) => {
                let Err(at) = list.binary_search(&rest) else { return false };
                list.insert(at, rest);
                if list.len() > LONGEST_LIST {
                    *self = Page::bitmap(list);
                }
                true
            }
            Page::Bitmap(words) => {
                let word = &mut words[usize::from(rest) / 64];
                let bit = 1 << (rest % 64);
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
        }
    }

    fn bitmap(list: &[u16]) -> Page {
        let mut words = vec![0; PAGE / 64].into_boxed_slice();
        for &rest in list {
            words[usize::from(rest) / 64] |= 1 << (rest % 64);
        }
        Page::Bitmap(words)
    }
}

/// Some tasks.
#[derive(Clone, Debug)]
pub struct IdSet(Ids);

#[derive(Clone, Debug)]
enum Ids {
    /// Sorted. Where there are few, even a page with one id in it would be a waste, and where there are very
    /// few, so would be an allocation.
    Few(SmallVec<[TaskId; 4]>),
    Pages(Vec<Page>),
}

impl Default for IdSet {
    fn default() -> IdSet {
        IdSet(Ids::Few(SmallVec::new()))
    }
}

impl IdSet {
    /// Whether `task` is in.
    pub fn contains(&self, task: TaskId) -> bool {
        match &self.0 {
            // Most that are asked for are newer than all that are in.
            Ids::Few(ids) => ids.last().is_some_and(|&last| task <= last) && ids.binary_search(&task).is_ok(),
            Ids::Pages(pages) => {
                pages.get(task.index() / PAGE).is_some_and(|page| page.contains(task.0 as u16))
            }
        }
    }

    /// Puts `task` in. Says whether it was not.
    pub fn insert(&mut self, task: TaskId) -> bool {
        match &mut self.0 {
            Ids::Few(ids) => {
                let Err(at) = ids.binary_search(&task) else { return false };
                ids.insert(at, task);
                if ids.len() > LONGEST_LIST {
                    let mut pages = Vec::new();
                    ids.iter().for_each(|&id| {
                        page(&mut pages, id).insert(id.0 as u16);
                    });
                    self.0 = Ids::Pages(pages);
                }
                true
            }
            Ids::Pages(pages) => page(pages, task).insert(task.0 as u16),
        }
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        *self = IdSet::default();
    }
}

/// The page of `task`.
fn page(pages: &mut Vec<Page>, task: TaskId) -> &mut Page {
    let index = task.index() / PAGE;
    if pages.len() <= index {
        pages.resize(index + 1, Page::List(Vec::new()));
    }
    &mut pages[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_dense_page_becomes_a_bitmap_and_keeps_what_it_has() {
        let mut set = IdSet::default();
        for id in (0..20_000).rev().step_by(3) {
            assert!(set.insert(TaskId(id + 65_000)));
        }
        assert!(matches!(&set.0, Ids::Pages(pages) if matches!(pages[..], [Page::List(_), Page::Bitmap(_)])));
        assert!((0..90_000).all(|id| {
            let put_in = (65_000..85_000).contains(&id) && (84_999 - id) % 3 == 0;
            set.contains(TaskId(id)) == put_in
        }));
        assert!(!set.insert(TaskId(84_999)) && !set.contains(TaskId(u32::MAX)));
        set.clear();
        assert!(!set.contains(TaskId(84_999)));
    }

    proptest! {
        /// Page borders, repetitions and dense stretches: the same members as in a B-tree.
        #[test]
        fn agrees_with_a_b_tree(
            starts in prop::collection::vec((0u32..200_000, 1u32..3_000, 1u32..4), 1..8)
        ) {
            let (mut set, mut model) = (IdSet::default(), BTreeSet::new());
            for (start, count, step) in starts {
                for task in (start..start + count * step).step_by(step as usize).map(TaskId) {
                    prop_assert_eq!(set.insert(task), model.insert(task));
                }
                for task in (start..start + 100).map(TaskId) {
                    prop_assert_eq!(set.contains(task), model.contains(&task));
                }
            }
            prop_assert!(model.iter().all(|&task| set.contains(task)));
        }
    }
}
