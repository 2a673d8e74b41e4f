//! Open tasks, and who has which: a table by task.
//!
//! A coordinator asks two things. For each message: where is this task? When a worker is lost: what did
//! it have, in the order it was given? The first is answered without a search, and what is found once (a
//! [`Slot`]) need not be found again; nothing is allocated for a task in steady state. The second is rare,
//! and is answered by a search of what is open, so that a task touches no memory but its own.

use super::table::{Slot, Table};
use crate::trace::{NodeId, TaskId};

#[derive(Clone, Debug)]
struct Open<V> {
    worker: Option<NodeId>,
    /// How many assignments there were before this one.
    ordinal: u32,
    about: V,
}

/// The open tasks one node knows of, each with what it notes `about` it.
#[derive(Clone, Debug)]
pub struct Assignments<V> {
    tasks: Table<TaskId, Open<V>>,
    assigned: u32,
}

/// No open task.
impl<V> Default for Assignments<V> {
    fn default() -> Assignments<V> {
        Assignments { tasks: Table::default(), assigned: 0 }
    }
}

impl<V> Assignments<V> {
    /// Where `task` is, if it is open.
    pub fn find(&self, task: TaskId) -> Option<Slot> {
        self.tasks.find(task)
    }

    /// Opens `task` unless it is open, and says whether it was not.
    pub fn open(&mut self, task: TaskId, about: V) -> (Slot, bool) {
        self.tasks.find_or_insert_with(task, || Open { worker: None, ordinal: 0, about })
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
        let open = &mut self.tasks[slot];
        assert_eq!(open.worker, None, "a task is taken back before it is given to another");
        (open.worker, open.ordinal) = (Some(worker), self.assigned);
        self.assigned = self.assigned.checked_add(1).expect("fewer than 2^32 assignments a run");
    }

    /// Nobody has a task any more; says who had it.
    pub fn take_back(&mut self, slot: Slot) -> Option<NodeId> {
        self.tasks[slot].worker.take()
    }

    /// What `worker` has, in the order it was given. Looks at every open task.
    pub fn of(&self, worker: NodeId) -> Vec<(Slot, TaskId)> {
        let mut had: Vec<(u32, Slot, TaskId)> = self
            .tasks
            .slots()
            .filter(|(_, _, open)| open.worker == Some(worker))
            .map(|(slot, task, open)| (open.ordinal, slot, task))
            .collect();
        had.sort_unstable_by_key(|&(ordinal, ..)| ordinal);
        had.into_iter().map(|(_, slot, task)| (slot, task)).collect()
    }

    /// Asks for the place where `task` is, if it is open.
    #[inline]
    pub fn foresee(&self, task: TaskId) {
        self.tasks.foresee(task);
    }

    /// A task that nobody has is open no longer.
    pub fn close(&mut self, slot: Slot) -> V {
        let Open { worker, about, .. } = self.tasks.remove(slot);
        assert_eq!(worker, None, "a task is taken back before it is closed");
        about
    }
}

#[cfg(test)]
mod tests {
    use super::super::places::Places;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Each worker's list is what it was given and not relieved of, in that order.
        #[test]
        fn agrees_with_a_list_a_worker(moves in prop::collection::vec((0u8..4, 0u32..12, 0u32..4), 1..300)) {
            let places = Places::new(NodeId(2), 5);
            let mut open = Assignments::<u32>::default();
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
                    let had = open.of(places.node(place as u32));
                    prop_assert_eq!(&had.iter().map(|(_, task)| task.0).collect::<Vec<_>>(), list);
                    prop_assert!(had.iter().all(|&(slot, task)| open.find(task) == Some(slot)));
                }
            }
        }
    }
}
