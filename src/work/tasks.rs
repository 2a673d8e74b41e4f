//! Tasks and the graph of what must be done before what.

use std::fmt;

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::engine::{Span, Time, prefetch_at};
use crate::trace::{ClassId, SiteId, SkillId, TaskId};

/// What a pattern may know of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskCard {
    /// Which task.
    pub id: TaskId,
    /// Site of the client that asks.
    pub origin: SiteId,
    /// When it arrived at its client.
    pub arrival: Time,
    /// Tokens that must be read to understand it.
    pub context_tokens: u32,
    /// Skill class it needs; any agent will do where it is `None`.
    pub skill: Option<SkillId>,
    /// Kind of request, or stage of a job; numbers are reported for each.
    pub class: ClassId,
    /// A task of higher priority goes before one of lower, wherever a queue keeps priorities. 0 is usual.
    pub priority: i16,
    /// The job it is a part of; tasks of one job share the number.
    pub job: u32,
    /// Time after its arrival by which it should be settled.
    pub deadline: Option<Span>,
    /// Worth of a correct answer \[money\].
    pub value: f32,
    /// What the client believes the work to be \[time at speed 1\].
    pub estimate: Span,
}

/// When a task arrives at its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// At the arrival on its card.
    #[default]
    Scheduled,
    /// When another task has ended, and then so long after. The arrival on its card is the earliest
    /// possible. A job that has not begun at the horizon never does.
    After {
        /// The task before it; no other follows the same one.
        task: TaskId,
        /// Time between the two: thinking, in a closed loop.
        wait: Span,
        /// Whether a new job begins here. One that does is released however the task before it ended; a
        /// later step of a job whose earlier step was not answered is skipped, with the rest of the job.
        fresh: bool,
    },
}

/// One task as drawn from a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSpec {
    /// What patterns see. Its `id` is overwritten by position.
    pub card: TaskCard,
    /// True work \[time at speed 1\].
    pub work: Span,
    /// Tokens a model reads and writes in doing the work (for money).
    pub work_tokens: u32,
    /// Positions of the tasks that must be accepted first.
    pub predecessors: Vec<TaskId>,
    /// When it arrives.
    pub release: Release,
}

/// All tasks of a replication, in order of arrival.
#[derive(Debug)]
pub struct Tasks {
    cards: Vec<TaskCard>,
    work: Vec<Span>,
    work_tokens: Vec<u32>,
    /// The dependency graph, where there is one: node index = task id.
    graph: Option<DiGraph<(), ()>>,
    /// By task, up to the last that is not scheduled.
    releases: Vec<Release>,
    /// By task, the one released when it has ended; empty where none is.
    followers: Vec<Option<TaskId>>,
    classes: Vec<String>,
}

/// Why the predecessors do not form a DAG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DagError {
    /// A task waits, directly or not, for itself.
    Cycle(TaskId),
    /// A task names a predecessor that does not exist.
    Unknown {
        /// The task.
        task: TaskId,
        /// The name that leads nowhere.
        predecessor: TaskId,
    },
}

impl fmt::Display for DagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DagError::Cycle(task) => write!(f, "task {} waits for itself", task.0),
            DagError::Unknown { task, predecessor } => {
                write!(f, "task {} waits for task {}, which does not exist", task.0, predecessor.0)
            }
        }
    }
}
impl std::error::Error for DagError {}

/// Tasks on their way to become [`Tasks`], in columns: what most tasks do not have takes no room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskList {
    cards: Vec<TaskCard>,
    work: Vec<Span>,
    work_tokens: Vec<u32>,
    /// Which task waits for which, in order of the former.
    waits: Vec<(TaskId, TaskId)>,
    /// By task, up to the last that is not scheduled; [`Release::Scheduled`] from there on.
    releases: Vec<Release>,
}

impl TaskList {
    /// An empty list with room for `count` tasks.
    pub fn with_capacity(count: usize) -> TaskList {
        TaskList {
            cards: Vec::with_capacity(count),
            work: Vec::with_capacity(count),
            work_tokens: Vec::with_capacity(count),
            waits: Vec::new(),
            releases: Vec::new(),
        }
    }

    /// Adds the next task.
    ///
    /// # Panics
    /// If it arrives before the one added last: sources sort.
    pub fn push(&mut self, spec: TaskSpec) {
        let TaskSpec { card, work, work_tokens, predecessors, release } = spec;
        let ordered = self.cards.last().is_none_or(|last| last.arrival <= card.arrival);
        assert!(ordered, "tasks come in order of arrival");
        let id = TaskId(self.cards.len() as u32);
        self.cards.push(TaskCard { id, ..card });
        self.work.push(work);
        self.work_tokens.push(work_tokens);
        self.waits.extend(predecessors.into_iter().map(|predecessor| (id, predecessor)));
        if release != Release::Scheduled {
            self.releases.resize(id.index(), Release::Scheduled);
            self.releases.push(release);
        }
    }

    /// The dependency graph, if any task waits for another.
    fn graph(&self) -> Result<Option<DiGraph<(), ()>>, DagError> {
        if self.waits.is_empty() {
            return Ok(None);
        }
        let mut graph = DiGraph::with_capacity(self.cards.len(), self.waits.len());
        for _ in &self.cards {
            graph.add_node(());
        }
        for &(task, predecessor) in &self.waits {
            if predecessor.index() >= self.cards.len() {
                return Err(DagError::Unknown { task, predecessor });
            }
            graph.update_edge(NodeIndex::new(predecessor.index()), NodeIndex::new(task.index()), ());
        }
        match toposort(&graph, None) {
            Ok(_) => Ok(Some(graph)),
            Err(cycle) => Err(DagError::Cycle(TaskId(cycle.node_id().index() as u32))),
        }
    }

    /// By task, the one released when it has ended; empty where none is.
    fn followers(&self) -> Vec<Option<TaskId>> {
        if self.releases.is_empty() {
            return Vec::new();
        }
        let mut followers = vec![None; self.cards.len()];
        for (index, release) in self.releases.iter().enumerate() {
            if let Release::After { task, .. } = *release {
                let follower = &mut followers[task.index()];
                assert!(follower.is_none(), "one task follows another");
                assert!(task.index() < index, "a task follows one that can end before it");
                *follower = Some(TaskId(index as u32));
            }
        }
        followers
    }
}

impl FromIterator<TaskSpec> for TaskList {
    fn from_iter<I: IntoIterator<Item = TaskSpec>>(specs: I) -> TaskList {
        let specs = specs.into_iter();
        let mut list = TaskList::with_capacity(specs.size_hint().0);
        specs.for_each(|spec| list.push(spec));
        list
    }
}

impl Tasks {
    /// Puts `specs` in order. Arrivals must not decrease (panics: sources sort).
    ///
    /// # Errors
    /// If predecessors are unknown or form a cycle.
    pub fn new(specs: Vec<TaskSpec>) -> Result<Tasks, DagError> {
        Tasks::of(specs.into_iter().collect())
    }

    /// The tasks of a list.
    ///
    /// # Errors
    /// If predecessors are unknown or form a cycle.
    pub fn of(list: TaskList) -> Result<Tasks, DagError> {
        let (graph, followers) = (list.graph()?, list.followers());
        let TaskList { cards, work, work_tokens, waits: _, releases } = list;
        Ok(Tasks { cards, work, work_tokens, graph, releases, followers, classes: vec!["task".to_owned()] })
    }

    /// The same with the names of the classes, by [`ClassId`].
    #[must_use]
    pub fn with_classes(self, classes: Vec<String>) -> Tasks {
        assert!(
            self.cards.iter().all(|card| card.class.index() < classes.len()),
            "every task is of a class with a name"
        );
        Tasks { classes, ..self }
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.cards.len()
    }
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }
    /// What patterns may know of `task`.
    pub fn card(&self, task: TaskId) -> &TaskCard {
        &self.cards[task.index()]
    }
    /// All cards, in order of arrival.
    pub fn cards(&self) -> &[TaskCard] {
        &self.cards
    }
    /// Asks for what is known of a task.
    #[inline]
    pub(crate) fn foresee(&self, task: TaskId) {
        prefetch_at(&self.cards, task.index());
        prefetch_at(&self.work, task.index());
    }
    /// True work of `task` \[time at speed 1\].
    pub(crate) fn work(&self, task: TaskId) -> Span {
        self.work[task.index()]
    }
    /// Tokens a model reads and writes in doing `task`.
    pub(crate) fn work_tokens(&self, task: TaskId) -> u32 {
        self.work_tokens[task.index()]
    }
    /// Sum of all true work \[s at speed 1\]: more than fits the clock, if there are very many tasks.
    pub(crate) fn total_work_s(&self) -> f64 {
        self.work.iter().map(|work| u128::from(work.as_nanos())).sum::<u128>() as f64 / 1e9
    }
    /// Names of the classes, by [`ClassId`]: at least one.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }
    /// When `task` arrives.
    pub fn release(&self, task: TaskId) -> Release {
        self.releases.get(task.index()).copied().unwrap_or_default()
    }
    /// The task that is released when `task` has ended.
    pub fn follower(&self, task: TaskId) -> Option<TaskId> {
        self.followers.get(task.index()).copied().flatten()
    }
    /// Whether customers come back when they have been answered: how much arrives is the pattern's doing.
    pub fn is_closed_loop(&self) -> bool {
        self.releases.iter().any(|release| matches!(release, Release::After { fresh: true, .. }))
    }
    /// Whether any task arrives when another has ended: stages of a job, or a closed loop.
    pub fn has_releases(&self) -> bool {
        !self.releases.is_empty()
    }
    /// Whether any task has a predecessor.
    pub fn has_dependencies(&self) -> bool {
        self.graph.is_some()
    }
    /// The tasks that must be accepted before `task` is submitted.
    pub fn predecessors(&self, task: TaskId) -> impl Iterator<Item = TaskId> {
        self.neighbours(task, petgraph::Direction::Incoming)
    }
    /// The tasks that wait for `task`.
    pub fn successors(&self, task: TaskId) -> impl Iterator<Item = TaskId> {
        self.neighbours(task, petgraph::Direction::Outgoing)
    }

    fn neighbours(&self, task: TaskId, direction: petgraph::Direction) -> impl Iterator<Item = TaskId> {
        self.graph
            .iter()
            .flat_map(move |graph| graph.neighbors_directed(NodeIndex::new(task.index()), direction))
            .map(|node| TaskId(node.index() as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(work: u64, predecessors: &[u32]) -> TaskSpec {
        TaskSpec {
            card: TaskCard {
                id: TaskId(0),
                origin: SiteId(0),
                arrival: Time::ZERO,
                context_tokens: 0,
                skill: None,
                class: ClassId(0),
                priority: 0,
                job: 0,
                deadline: None,
                value: 1.0,
                estimate: Span::from_secs(work),
            },
            work: Span::from_secs(work),
            work_tokens: 0,
            predecessors: predecessors.iter().map(|&id| TaskId(id)).collect(),
            release: Release::Scheduled,
        }
    }

    #[test]
    fn dependencies_run_both_ways() {
        let tasks = Tasks::new(vec![task(3, &[]), task(5, &[]), task(2, &[0, 1]), task(1, &[2])]).unwrap();
        assert_eq!(tasks.successors(TaskId(0)).collect::<Vec<_>>(), [TaskId(2)]);
        let mut before: Vec<_> = tasks.predecessors(TaskId(2)).collect();
        before.sort();
        assert_eq!(before, [TaskId(0), TaskId(1)]);
        assert_eq!(tasks.total_work_s(), 11.0);
    }

    #[test]
    fn cycles_and_dangling_predecessors_are_refused() {
        assert!(matches!(Tasks::new(vec![task(1, &[1]), task(1, &[0])]), Err(DagError::Cycle(_))));
        assert_eq!(
            Tasks::new(vec![task(1, &[7])]).unwrap_err(),
            DagError::Unknown { task: TaskId(0), predecessor: TaskId(7) }
        );
    }
}
