//! Open tasks, and who has which: a table by task through which runs a list for each worker.
//!
//! A coordinator asks two things. For each message: where is this task? When a worker is lost: what did
//! it have, in the order it was given? Both are answered without a search, nothing is allocated for a task
//! in steady state, and what is found once (a [`Slot`]) need not be found again.

use super::chain::{Ends, Links};
use super::places::Places;
use super::table::{Slot, Table};
use crate::trace::{NodeId, TaskId};

#[derive(Clone, Debug)]
struct Open<V> {
    worker: Option<NodeId>,
    about: V,
}

/// The open tasks one node knows of, each with what it notes `about` it.
#[derive(Clone, Debug)]
pub struct Assignments<V> {
    tasks: Table<TaskId, Open<V>>,
    /// The tasks of each worker, by slot, oldest assignment first.
    links: Links,
    /// By the worker's place.
    lists: Vec<Ends>,
    places: Places,
}

impl<V> Assignments<V> {
    /// No open task; the workers sit at `places`.
    pub fn new(places: Places) -> Assignments<V> {
        Assignments { tasks: Table::default(), links: Links::default(), lists: Vec::new(), places }
    }

    /// Where `task` is, if it is open.
    pub fn find(&self, task: TaskId) -> Option<Slot> {
        self.tasks.find(task)
    }

    /// Opens `task` unless it is open, and says whether it was not.
    pub fn open(&mut self, task: TaskId, about: V) -> (Slot, bool) {
        self.tasks.find_or_insert_with(task, || Open { worker: None, about })
    }

    /// What is noted about a task.
    pub fn about(&mut self, slot: Slot) -> &mut V {
        &mut self.tasks[slot].about
    }

    /// Who has a task.
    pub fn worker(&self, slot: Slot) -> Option<NodeId> {
        self.tasks[slot].worker
    }

    /// `worker` has a task that nobody had.
    pub fn assign(&mut self, slot: Slot, worker: NodeId) {
        let before = self.tasks[slot].worker.replace(worker);
        assert_eq!(before, None, "a task is taken back before it is given to another");
        let place = self.places.of(worker) as usize;
        if self.lists.len() <= place {
            self.lists.resize(place + 1, Ends::default());
        }
        self.links.push_back(&mut self.lists[place], slot.number());
    }

    /// Nobody has a task any more; says who had it.
    pub fn take_back(&mut self, slot: Slot) -> Option<NodeId> {
        let worker = self.tasks[slot].worker.take()?;
        self.links.remove(&mut self.lists[self.places.of(worker) as usize], slot.number());
        Some(worker)
    }

    /// The task that `worker` has had for longest.
    pub fn first_of(&self, worker: NodeId) -> Option<(Slot, TaskId)> {
        let slot = Slot::numbered(self.lists.get(self.places.of(worker) as usize)?.first()?);
        Some((slot, self.tasks.key(slot)))
    }

    /// A task that nobody has is open no longer.
    pub fn close(&mut self, slot: Slot) -> V {
        let Open { worker, about } = self.tasks.remove(slot);
        assert_eq!(worker, None, "a task is taken back before it is closed");
        about
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Each worker's list is what it was given and not relieved of, in that order.
        #[test]
        fn agrees_with_a_list_a_worker(moves in prop::collection::vec((0u8..4, 0u32..12, 0u32..4), 1..300)) {
            let places = Places::new(NodeId(2), 5);
            let mut open = Assignments::<u32>::new(places);
            let (mut model, mut lists) = (BTreeMap::new(), vec![Vec::new(); 4]);
            for (action, id, place) in moves {
                let (task, worker) = (TaskId(id), places.node(place));
                let found = open.find(task);
                prop_assert_eq!(found.is_some(), model.contains_key(&id));
                match (action, found) {
                    (0, _) => {
                        prop_assert_eq!(open.open(task, id).1, found.is_none());
                        model.entry(id).or_insert(None);
                    }
                    (1, Some(slot)) if model[&id].is_none() => {
                        open.assign(slot, worker);
                        model.insert(id, Some(place));
                        lists[place as usize].push(id);
                    }
                    (2, Some(slot)) => {
                        let had = model.insert(id, None).flatten();
                        prop_assert_eq!(open.take_back(slot), had.map(|place| places.node(place)));
                        lists.iter_mut().for_each(|list| list.retain(|&other| other != id));
                    }
                    (3, Some(slot)) if model[&id].is_none() => {
                        prop_assert_eq!(open.close(slot), id);
                        model.remove(&id);
                    }
                    _ => {}
                }
                for (place, list) in lists.iter().enumerate() {
                    let first = open.first_of(places.node(place as u32)).map(|(_, task)| task.0);
                    prop_assert_eq!(first, list.first().copied());
                }
            }
        }
    }
}
