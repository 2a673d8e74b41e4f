//! Tasks nobody has yet: one line for each skill asked for, and which task is next in all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::params::Order;
use crate::engine::Rng;
use crate::trace::{SkillId, TaskId};

/// A waiting task's place: smaller is sooner.
type Place = (i32, i64);

/// The central queue. Every operation takes logarithmic time.
#[derive(Debug)]
pub(super) struct Waiting {
    order: Order,
    lines: BTreeMap<Option<SkillId>, Line>,
    /// By task: the number of its first arrival here, which it keeps when it comes back; 0 before.
    numbers: Vec<u32>,
    last_number: u32,
}

/// Tasks that ask for the same skill: in order of place, or in any order if one is drawn at random.
#[derive(Debug, Default)]
struct Line {
    sorted: BTreeSet<(Place, TaskId)>,
    bag: Vec<TaskId>,
}

impl Line {
    fn len(&self) -> u32 {
        (self.sorted.len() + self.bag.len()) as u32
    }
}

impl Waiting {
    /// Nobody waits of `tasks` there will be at most.
    pub(super) fn new(order: Order, tasks: usize) -> Waiting {
        Waiting { order, lines: BTreeMap::new(), numbers: vec![0; tasks], last_number: 0 }
    }

    /// `task` waits, again perhaps.
    pub(super) fn push(&mut self, task: TaskId, skill: Option<SkillId>, priority: i16) {
        let number = &mut self.numbers[task.index()];
        if *number == 0 {
            self.last_number += 1;
            *number = self.last_number;
        }
        let place = self.place(task, priority);
        let line = self.lines.entry(skill).or_default();
        match place {
            Some(place) => drop(line.sorted.insert((place, task))),
            None => line.bag.push(task),
        }
    }

    /// `task` waits no longer; nothing happens if it did not.
    pub(super) fn remove(&mut self, task: TaskId, skill: Option<SkillId>, priority: i16) {
        let place = self.place(task, priority);
        let Some(line) = self.lines.get_mut(&skill) else { return };
        match place {
            Some(place) => drop(line.sorted.remove(&(place, task))),
            // Where the next is drawn at random, nobody can have a place: this one is looked for.
            None => line.bag.retain(|&other| other != task),
        }
    }

    /// Takes out the next task among those whose skill somebody `able` has.
    pub(super) fn next(
        &mut self,
        able: impl Fn(Option<SkillId>) -> bool,
        rng: impl FnOnce() -> Rng,
    ) -> Option<TaskId> {
        if self.order == Order::Random {
            return self.draw(able, rng);
        }
        let able_lines = self.lines.iter_mut().filter(|(_, line)| line.len() > 0);
        able_lines
            .filter(|(skill, _)| able(**skill))
            .map(|(_, line)| line)
            .min_by_key(|line| line.sorted.first().map(|first| first.0))?
            .sorted
            .pop_first()
            .map(|(_, task)| task)
    }

    fn draw(&mut self, able: impl Fn(Option<SkillId>) -> bool, rng: impl FnOnce() -> Rng) -> Option<TaskId> {
        let able = |skill: &Option<SkillId>, line: &Line| line.len() > 0 && able(*skill);
        let total: u32 = self.lines.iter().filter(|(skill, line)| able(skill, line)).map(|l| l.1.len()).sum();
        if total == 0 {
            return None;
        }
        let mut index = rng().below(total);
        for line in self.lines.iter_mut().filter(|(skill, line)| able(skill, line)).map(|line| line.1) {
            if index < line.len() {
                return Some(line.bag.swap_remove(index as usize));
            }
            index -= line.len();
        }
        unreachable!("the index is below the number waiting")
    }

    fn place(&self, task: TaskId, priority: i16) -> Option<Place> {
        let number = i64::from(self.numbers[task.index()]);
        match self.order {
            Order::Fifo => Some((0, number)),
            Order::Lifo => Some((0, -number)),
            Order::Priority => Some((-i32::from(priority), number)),
            Order::Random => None,
        }
    }
}
