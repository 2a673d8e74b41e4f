//! The post book: who asked for which task first, and which posted tasks still wait for someone.
//!
//! Posting is idempotent by task: a requester that heard no answer posts again, possibly through another
//! node, and must not create the task twice. The first requester is kept, and results go to it.
//!
//! The book also answers "what waits for someone like me, oldest first": without that a task whose
//! broadcast reached nobody free would wait for the next broadcast even when agents become free.

use crate::mechanism::{Ranks, Slot, Table};
use crate::trace::{NodeId, SkillId, TaskId};

/// One posted task.
#[derive(Clone, Copy, Debug)]
struct Post {
    requester: NodeId,
    skill: Option<SkillId>,
    /// How many were posted before it.
    ordinal: u32,
}

/// The posts of one relay. Memory is for the tasks that were posted here.
#[derive(Clone, Debug, Default)]
pub struct Posts {
    book: Table<TaskId, Post>,
    /// In the order of posting.
    posted: Vec<TaskId>,
    /// By class (0: no skill needed), what waits, by ordinal.
    waiting: Vec<Ranks>,
}

fn class(skill: Option<SkillId>) -> usize {
    skill.map_or(0, |skill| skill.index() + 1)
}

impl Posts {
    /// Asks for where what is known of `task` is looked for.
    #[inline]
    pub(crate) fn foresee(&self, task: TaskId) {
        self.book.foresee(task);
    }

    /// Enters `task`, waiting, unless it is there. Gives back whether it is new, and its requester.
    pub fn post(&mut self, task: TaskId, requester: NodeId, skill: Option<SkillId>) -> (bool, NodeId) {
        let ordinal = self.posted.len() as u32;
        let (at, new) = self.book.find_or_insert_with(task, || Post { requester, skill, ordinal });
        if new {
            self.posted.push(task);
            self.wait(at, true);
        }
        (new, self.book[at].requester)
    }

    /// Who posted `task` first, if anybody did.
    pub fn requester(&self, task: TaskId) -> Option<NodeId> {
        self.book.get(task).map(|post| post.requester)
    }

    /// The skill class that `task` was posted with; the outer `None` if it was not posted.
    pub fn skill(&self, task: TaskId) -> Option<Option<SkillId>> {
        self.book.get(task).map(|post| post.skill)
    }

    /// `task` waits for someone from now on, or no longer does. Nothing if it was not posted.
    /// A task that waits again has its old place in the line.
    pub fn set_waiting(&mut self, task: TaskId, waiting: bool) {
        if let Some(at) = self.book.find(task) {
            self.wait(at, waiting);
        }
    }

    fn wait(&mut self, at: Slot, waiting: bool) {
        let Post { skill, ordinal, .. } = self.book[at];
        let class = class(skill);
        if self.waiting.len() <= class {
            self.waiting.resize(class + 1, Ranks::default());
        }
        if waiting {
            self.waiting[class].insert(ordinal);
        } else {
            self.waiting[class].remove(ordinal);
        }
    }

    /// The waiting tasks that an agent of class `skill` can do, oldest first: those that need this skill
    /// and those that need none.
    pub fn waiting_for(&self, skill: Option<SkillId>) -> impl Iterator<Item = TaskId> + '_ {
        let line = |class: usize, from: u32| self.waiting.get(class).and_then(|ranks| ranks.next(from));
        let own = skill.map(|skill| class(Some(skill)));
        let mut next = [own.and_then(|own| line(own, 0)), line(0, 0)];
        std::iter::from_fn(move || {
            let oldest = next.into_iter().flatten().min()?;
            let after = oldest + 1;
            if next[0] == Some(oldest) {
                next[0] = own.and_then(|own| line(own, after));
            } else {
                next[1] = line(0, after);
            }
            Some(self.posted[oldest as usize])
        })
    }

    /// How many posted tasks wait for someone.
    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(Ranks::len).sum()
    }

    /// Loses everything.
    pub fn wipe(&mut self) {
        *self = Posts::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skilled(class: u8) -> Option<SkillId> {
        Some(SkillId(class))
    }

    #[test]
    fn the_first_requester_is_kept() {
        let mut posts = Posts::default();
        assert_eq!(posts.post(TaskId(4), NodeId(7), skilled(1)), (true, NodeId(7)));
        assert_eq!(posts.post(TaskId(4), NodeId(8), None), (false, NodeId(7)));
        assert_eq!((posts.requester(TaskId(4)), posts.skill(TaskId(4))), (Some(NodeId(7)), Some(skilled(1))));
        assert_eq!(
            (posts.requester(TaskId(3)), posts.requester(TaskId(99)), posts.waiting()),
            (None, None, 1)
        );
    }

    #[test]
    fn the_oldest_suitable_task_comes_first_and_keeps_its_place() {
        let mut posts = Posts::default();
        for (task, skill) in [(9, skilled(1)), (3, None), (5, skilled(2)), (1, skilled(1)), (0, None)] {
            posts.post(TaskId(task), NodeId(0), skill);
        }
        let waiting = |posts: &Posts, skill| posts.waiting_for(skill).map(|task| task.0).collect::<Vec<_>>();
        assert_eq!(waiting(&posts, skilled(1)), [9, 3, 1, 0]);
        assert_eq!(waiting(&posts, None), [3, 0]);
        assert_eq!(waiting(&posts, skilled(7)), [3, 0]);
        posts.set_waiting(TaskId(9), false);
        posts.set_waiting(TaskId(3), false);
        posts.set_waiting(TaskId(77), true);
        assert_eq!((waiting(&posts, skilled(1)), posts.waiting()), (vec![1, 0], 3));
        posts.set_waiting(TaskId(9), true);
        assert_eq!(waiting(&posts, skilled(1)), [9, 1, 0]);
    }
}
