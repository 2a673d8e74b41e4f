//! Tasks that wait, oldest first, in one line for each skill they ask for.
//!
//! The oldest task somebody can do is next, not the oldest of all: a task whose specialists are busy does
//! not hold up the others. There are a handful of skills, so the lines are a short list; asking for the
//! next task when nothing waits costs one comparison.

use std::collections::VecDeque;

use crate::trace::{SkillId, TaskId};

/// One line: those that ask for `skill`, each with its number in the order of arrival.
#[derive(Clone, Debug)]
struct Line {
    skill: Option<SkillId>,
    waiting: VecDeque<(u64, TaskId)>,
}

/// The waiting tasks of one node.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    lines: Vec<Line>,
    waiting: usize,
    arrived: u64,
}

impl Lines {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// `task` waits behind all others.
    pub fn push(&mut self, task: TaskId, skill: Option<SkillId>) {
        self.arrived += 1;
        let ticket = (self.arrived, task);
        self.line(skill).push_back(ticket);
        self.waiting += 1;
    }

    /// `task` waits before all others; among those that were put first, the last one within its line and the
    /// lowest id between lines.
    pub fn push_first(&mut self, task: TaskId, skill: Option<SkillId>) {
        self.line(skill).push_front((0, task));
        self.waiting += 1;
    }

    /// Takes out the task that is next among those that ask for a `served` skill.
    pub fn next(&mut self, served: impl Fn(Option<SkillId>) -> bool) -> Option<(TaskId, Option<SkillId>)> {
        if self.is_empty() {
            return None;
        }
        let mut best: Option<((u64, TaskId), usize)> = None;
        for (index, line) in self.lines.iter().enumerate() {
            if let Some(&front) = line.waiting.front()
                && best.is_none_or(|(first, _)| front < first)
                && served(line.skill)
            {
                best = Some((front, index));
            }
        }
        let ((_, task), index) = best?;
        let line = &mut self.lines[index];
        line.waiting.pop_front();
        self.waiting -= 1;
        Some((task, line.skill))
    }

    /// `task` no longer waits. O(those that do).
    pub fn remove(&mut self, task: TaskId, skill: Option<SkillId>) {
        let line = self.line(skill);
        let before = line.len();
        line.retain(|&(_, waiting)| waiting != task);
        let gone = before - line.len();
        self.waiting -= gone;
    }

    /// Nothing waits any more.
    pub fn clear(&mut self) {
        *self = Lines::default();
    }

    fn line(&mut self, skill: Option<SkillId>) -> &mut VecDeque<(u64, TaskId)> {
        let index = self.lines.iter().position(|line| line.skill == skill).unwrap_or_else(|| {
            self.lines.push(Line { skill, waiting: VecDeque::new() });
            self.lines.len() - 1
        });
        &mut self.lines[index].waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    #[test]
    fn the_oldest_that_can_be_served_is_next() {
        let mut lines = Lines::default();
        for (task, skill) in [(5, skilled(1)), (9, None), (2, skilled(2)), (3, skilled(1))] {
            lines.push(TaskId(task), skill);
        }
        assert_eq!(lines.next(|skill| skill == skilled(2)), Some((TaskId(2), skilled(2))));
        assert_eq!(lines.next(|skill| skill == skilled(2)), None);
        lines.push_first(TaskId(8), skilled(2));
        lines.push_first(TaskId(7), None);
        let order: Vec<_> = std::iter::from_fn(|| lines.next(|_| true)).map(|(task, _)| task.0).collect();
        assert_eq!(order, [7, 8, 5, 9, 3]);
        assert!(lines.is_empty());
    }

    #[test]
    fn who_is_removed_is_not_served() {
        let mut lines = Lines::default();
        (0..4).for_each(|task| lines.push(TaskId(task), None));
        lines.remove(TaskId(0), None);
        lines.remove(TaskId(2), None);
        lines.remove(TaskId(2), skilled(1));
        assert_eq!(lines.next(|_| true), Some((TaskId(1), None)));
        lines.clear();
        assert!(lines.is_empty() && lines.next(|_| true).is_none());
    }
}
