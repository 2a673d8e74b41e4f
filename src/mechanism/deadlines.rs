//! What is due first, where nearly all waits are equally long.
//!
//! Leases of one length, or offers repeated after the same time, fall due in the order in which they were
//! set: a queue keeps them sorted for nothing, where a tree pays a search to set one and another to take it
//! back. Taking back is not even said here. Each id has at most one deadline that holds, its owner knows
//! which, and entries that no longer hold are dropped when they come to the front. A renewed lease leaves
//! one such entry behind for as long as it was to run.
//!
//! Waits that differ, or a clock set back, are allowed; such entries go to a heap of their own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::engine::Time;
use crate::trace::TaskId;

/// Deadlines of tasks. Ties are broken by task.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    in_order: VecDeque<(Time, TaskId)>,
    /// Those set with an earlier time than one before.
    others: BinaryHeap<Reverse<(Time, TaskId)>>,
}

impl Deadlines {
    /// `task` is due at `at`. What was set for it before holds no longer, which the owner must remember.
    pub fn set(&mut self, task: TaskId, at: Time) {
        let entry = (at, task);
        if self.in_order.back().is_none_or(|&last| last <= entry) {
            self.in_order.push_back(entry);
        } else {
            self.others.push(Reverse(entry));
        }
    }

    /// The first deadline that `holds`; those before it are forgotten.
    pub fn first(&mut self, holds: impl Fn(TaskId, Time) -> bool) -> Option<(Time, TaskId)> {
        loop {
            let first = self.peek()?;
            if holds(first.1, first.0) {
                return Some(first);
            }
            self.drop_first();
        }
    }

    /// The first entry, whether or not it holds.
    fn peek(&self) -> Option<(Time, TaskId)> {
        let other = self.others.peek().map(|&Reverse(entry)| entry);
        match (self.in_order.front().copied(), other) {
            (Some(next), Some(other)) => Some(next.min(other)),
            (next, other) => next.or(other),
        }
    }

    fn drop_first(&mut self) {
        let first = self.peek();
        if first.is_some() && self.in_order.front().copied() == first {
            self.in_order.pop_front();
        } else {
            self.others.pop();
        }
    }

    /// Nothing is due any more.
    pub fn clear(&mut self) {
        self.in_order.clear();
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Whatever is set, set anew and taken back, the first that holds is the least (time, task).
        #[test]
        fn agrees_with_the_definition(
            moves in prop::collection::vec((0u8..3, 0u32..8, 0u64..20, 0u64..5), 1..300)
        ) {
            let (mut deadlines, mut model, mut now) = (Deadlines::default(), BTreeMap::new(), 0);
            for (action, id, wait, passed) in moves {
                now += passed;
                let task = TaskId(id);
                match action {
                    // Half of them with the same wait, the others with any.
                    0 | 1 => {
                        let at = Time::from_secs(now + if action == 0 { 10 } else { wait });
                        model.insert(task, at);
                        deadlines.set(task, at);
                    }
                    _ => {
                        model.remove(&task);
                    }
                }
                let first = deadlines.first(|task, at| model.get(&task) == Some(&at));
                prop_assert_eq!(first, model.iter().map(|(&task, &at)| (at, task)).min());
            }
        }
    }
}
