//! Executions, outputs and what they were good for.

use super::execution::{Execution, ExecutionState, Job};
use super::protocol::{Protocol, Work, WorkKind};
use super::state::TaskLife;
use super::station::Class;
use super::world::{Event, World};
use crate::engine::Agenda;
use crate::engine::mix;
use crate::trace::{Ending, ExecutionId, Fate, NodeId, Observer, Output, Plane, Promise, Record, TaskId};
use crate::work::{Release, Role};

impl<P: Protocol, O: Observer> World<'_, P, O> {
    pub(super) fn start_execution(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        task: TaskId,
        id: ExecutionId,
        then: P::Timer,
    ) {
        assert!(self.role(node) == Role::Agent, "only agents execute: {} asked node {} to", P::NAME, node.0);
        assert_eq!(id.index(), self.executions.len(), "executions are numbered in the order of commands");
        let last = self.tasks[task.index()].last_execution;
        let mut attempt = 0;
        let mut walk = last;
        while let Some(other) = walk {
            let other = &self.executions[other.index()];
            attempt += u32::from(other.node == node);
            walk = other.next_of_task;
        }
        self.executions.push(Execution {
            task,
            node,
            attempt,
            incarnation: self.nodes[node.index()].incarnation,
            then,
            state: ExecutionState::Queued,
            correct: false,
            digest: 0,
            fate: None,
            next_of_task: last,
        });
        self.tasks[task.index()].last_execution = Some(id);
        self.enqueue(agenda, node, Plane::Cognition, Job::Execution(id), Class::Normal);
    }

    /// An execution did all its work: its output exists.
    pub(super) fn execution_ends(&mut self, agenda: &mut Agenda<Event>, node: NodeId, id: ExecutionId) {
        let state = self.executions[id.index()];
        let task = state.task;
        let wrong = self.nodes[node.index()].wrong;
        let address = (u64::from(task.0) << 32) | u64::from(self.setup.fleet.index_in_role(node));
        let mut rng = self.output_key.open(address, u64::from(state.attempt));
        let own = if wrong > 0.0 {
            !rng.chance(wrong)
        } else {
            rng.skip();
            true
        };
        let earlier_step = match self.setup.tasks.release(task) {
            Release::After { task, fresh: false, .. } => Some(task),
            Release::After { fresh: true, .. } | Release::Scheduled => None,
        };
        let inputs = self.setup.tasks.predecessors(task).chain(earlier_step).all(|predecessor| {
            self.tasks[predecessor.index()].life == (TaskLife::Accepted { correct: true })
        });
        let correct = own && inputs;
        // Correct outputs of a task agree; wrong ones differ from them and from each other.
        let digest = mix(u64::from(task.0)) ^ if correct { 0 } else { rng.next_u64() | 1 };
        let entry = &mut self.executions[id.index()];
        (entry.state, entry.correct, entry.digest) = (ExecutionState::Finished, correct, digest);
        self.emit(agenda, Record::Finished { execution: id, task, correct });
        match self.tasks[task.index()].life {
            TaskLife::Accepted { .. } => self.book(agenda, id, Fate::Duplicate),
            TaskLife::Ended => self.book(agenda, id, Fate::Abandon),
            TaskLife::Future | TaskLife::Open => {}
        }
        let output = Output { task, execution: id, digest };
        let work = Work { task, execution: id, kind: WorkKind::Executed(output) };
        self.call(agenda, node, |protocol, cx| protocol.on_work(work, state.then, cx));
    }

    /// The first settle of a task is accepted; a later one breaks a promise, unless it was given up.
    pub(super) fn settle(&mut self, agenda: &mut Agenda<Event>, task: TaskId, output: Output) {
        assert_eq!(task, output.task, "{} settles a task with another's output", P::NAME);
        let execution = output.execution;
        match self.tasks[task.index()].life {
            TaskLife::Open => self.accept(agenda, task, execution),
            TaskLife::Accepted { .. } => {
                self.emit(agenda, Record::DoubleSettle { task, execution });
                self.book(agenda, execution, Fate::Duplicate);
                if !P::GIVES_UP.contains(&Promise::SettledOnce) {
                    let what = format!(
                        "double_settle: task {} settled again by execution {}; {} promises settled_once",
                        task.0,
                        execution.0,
                        P::NAME
                    );
                    self.violate(agenda.now(), what);
                }
            }
            TaskLife::Ended => self.book(agenda, execution, Fate::Abandon),
            TaskLife::Future => {
                self.violate(agenda.now(), format!("task {} was settled before it arrived", task.0));
            }
        }
    }

    fn accept(&mut self, agenda: &mut Agenda<Event>, task: TaskId, accepted: ExecutionId) {
        let state = self.executions[accepted.index()];
        if state.state != ExecutionState::Finished || state.task != task {
            let what = format!("task {} was settled with an output that does not exist", task.0);
            return self.violate(agenda.now(), what);
        }
        let correct = state.correct;
        self.tasks[task.index()].life = TaskLife::Accepted { correct };
        self.emit(agenda, Record::Accepted { task, execution: accepted, correct });
        self.book(agenda, accepted, if correct { Fate::Useful } else { Fate::Defect });
        let mut walk = self.tasks[task.index()].last_execution;
        while let Some(id) = walk {
            let other = self.executions[id.index()];
            walk = other.next_of_task;
            if id != accepted && other.state == ExecutionState::Finished {
                // An output that went down with its agent was lost to the crash, not to a duplicate.
                let lost = other.incarnation != self.nodes[other.node.index()].incarnation;
                self.book(agenda, id, if lost { Fate::Crash } else { Fate::Duplicate });
            }
        }
        self.release_successors(agenda, task);
        self.release_follower(agenda, task, true);
        self.one_task_ended(agenda);
    }

    fn release_successors(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        if !self.setup.tasks.has_dependencies() {
            return;
        }
        let successors: smallvec::SmallVec<[TaskId; 8]> = self.setup.tasks.successors(task).collect();
        for successor in successors {
            let state = &mut self.tasks[successor.index()];
            state.waits_for -= 1;
            if state.waits_for == 0 && state.life == TaskLife::Open {
                self.submit(agenda, successor);
            }
        }
    }

    pub(super) fn end_task(&mut self, agenda: &mut Agenda<Event>, task: TaskId, how: Ending) {
        if self.tasks[task.index()].life != TaskLife::Open {
            return;
        }
        self.tasks[task.index()].life = TaskLife::Ended;
        self.emit(agenda, Record::Ended { task, how });
        let mut walk = self.tasks[task.index()].last_execution;
        while let Some(id) = walk {
            let other = self.executions[id.index()];
            walk = other.next_of_task;
            if other.state == ExecutionState::Finished {
                self.book(agenda, id, Fate::Abandon);
            }
        }
        self.release_follower(agenda, task, false);
        self.one_task_ended(agenda);
    }

    /// Books the fate of an execution, once.
    pub(super) fn book(&mut self, agenda: &Agenda<Event>, execution: ExecutionId, fate: Fate) {
        let state = &mut self.executions[execution.index()];
        if state.fate.is_none() {
            state.fate = Some(fate);
            self.emit(agenda, Record::Fate { execution, fate });
        }
    }

    /// A verification failed.
    pub(super) fn reject(&mut self, agenda: &Agenda<Event>, execution: ExecutionId) {
        self.book(agenda, execution, Fate::Reject);
    }

    pub(super) fn abandon(&mut self, agenda: &mut Agenda<Event>, node: NodeId, execution: ExecutionId) {
        let Some(state) = self.executions.get(execution.index()).copied() else { return };
        if state.node != node || matches!(state.state, ExecutionState::Finished | ExecutionState::Dead) {
            return;
        }
        let fate = match self.tasks[state.task.index()].life {
            TaskLife::Accepted { .. } => Fate::Duplicate,
            TaskLife::Future | TaskLife::Open | TaskLife::Ended => Fate::Abandon,
        };
        self.kill(agenda, node, execution, fate);
        self.serve_waiting(agenda, node, Plane::Cognition);
    }

    /// Ends an execution without an output. Its queue place or service is given up.
    pub(super) fn kill(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        execution: ExecutionId,
        fate: Fate,
    ) {
        self.remove_execution(agenda, node, Job::Execution(execution));
        if self.nodes[node.index()].hung == Some(execution) {
            self.hang_ends(agenda, node);
        }
        self.bury(agenda, execution, fate);
    }

    /// Marks an execution dead and books its fate, if it ever started.
    pub(super) fn bury(&mut self, agenda: &Agenda<Event>, execution: ExecutionId, fate: Fate) {
        let started = self.executions[execution.index()].state != ExecutionState::Queued;
        self.executions[execution.index()].state = ExecutionState::Dead;
        if started {
            self.book(agenda, execution, fate);
        }
    }

    /// The run is over: whatever has no fate stays unsettled.
    pub(super) fn book_unsettled(&mut self, agenda: &Agenda<Event>) {
        for index in 0..self.executions.len() {
            let state = self.executions[index];
            if matches!(
                state.state,
                ExecutionState::Running | ExecutionState::Hung | ExecutionState::Finished
            ) {
                self.book(agenda, ExecutionId(index as u32), Fate::Unsettled);
            }
        }
    }
}
