//! Entry: clients hand tasks over and repeat themselves until somebody takes charge.

use super::execution::ExecutionState;
use super::kinds::{ACKNOWLEDGE, SUBMIT};
use super::letters::Body;
use super::protocol::{Protocol, Submission};
use super::setup::OnDeadline;
use super::state::TaskLife;
use super::world::{Event, World};
use crate::engine::Agenda;
use crate::trace::{Ending, NodeId, Observer, Record, TaskId};
use crate::work::Release;

/// After so many doublings the wait for an acknowledgement grows no longer.
const LONGEST_WAIT: u32 = 3;
/// How many different waits there are.
pub(super) const WAITS: usize = LONGEST_WAIT as usize + 1;

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// Schedules the arrival of the first task from `task` on that has a time of its own.
    pub(super) fn await_arrival(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        let cards = self.setup.tasks.cards().get(task.index()..).unwrap_or_default();
        let next = cards.iter().find(|card| self.setup.tasks.release(card.id) == Release::Scheduled);
        if let Some(card) = next {
            agenda.at(card.arrival, Event::Arrive(card.id));
        }
    }

    /// A task arrives at its client at its own time, and the next one is awaited.
    pub(super) fn arrive(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        self.await_arrival(agenda, TaskId(task.0 + 1));
        // Nothing is known of it anywhere yet, so that each place is touched for the first time.
        self.foresee_task(TaskId(task.0.saturating_add(2)));
        self.comes(agenda, task);
    }

    /// A task arrives at its client.
    pub(super) fn comes(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        self.tasks[task.index()].life = TaskLife::Open;
        self.emit(agenda, Record::Arrived { task });
        if let Some(deadline) = self.setup.tasks.card(task).deadline
            && self.setup.work.on_deadline != OnDeadline::Late
        {
            agenda.after(deadline, Event::Deadline(task));
        }
        if self.tasks[task.index()].waits_for == 0 {
            self.submit(agenda, task);
        }
    }

    /// The client sends the task to the node the pattern names, and will ask again.
    pub(super) fn submit(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        let card = self.setup.tasks.card(task);
        let attempt = self.tasks[task.index()].attempt;
        let submission = Submission { task, origin: card.origin, skill: card.skill, attempt };
        let to = P::entry(self.params, &self.setup.fleet, self.seats, submission);
        let client = self.setup.fleet.client_at(card.origin).expect("every origin has its client");
        self.emit(agenda, Record::Submitted { task, to, attempt });
        if !P::ORACLE {
            self.expect_acknowledgement(agenda, task, attempt);
        }
        self.send_client(agenda, client, to, SUBMIT, Body::Submit { task });
    }

    /// The client will ask again unless `task` is acknowledged in time: twice as long with each try, up to 8
    /// times the timeout. All that wait equally long are asked for in the order of submission, so that a list
    /// for each wait and one event for each list serve them all.
    fn expect_acknowledgement(&mut self, agenda: &mut Agenda<Event>, task: TaskId, attempt: u32) {
        let doubled = attempt.min(LONGEST_WAIT);
        let due = agenda.now() + self.waits[doubled as usize];
        let list = &mut self.unacknowledged[doubled as usize];
        while let Some(&(_, first)) = list.front()
            && self.tasks[first.index()].acknowledged
        {
            list.pop_front();
        }
        list.push_back((due, task));
        if !std::mem::replace(&mut self.asks_again[doubled as usize], true) {
            agenda.at(due, Event::Overdue(doubled as u8));
        }
    }

    /// The time of the submissions that wait longest of those that wait this long is up, perhaps.
    pub(super) fn overdue(&mut self, agenda: &mut Agenda<Event>, doubled: u8) {
        let list = usize::from(doubled);
        // Its event is still taken for pending, so that what is submitted here again sets no other.
        while let Some(&(due, task)) = self.unacknowledged[list].front() {
            let state = &mut self.tasks[task.index()];
            let waits = state.life == TaskLife::Open && !state.acknowledged;
            if waits && due > agenda.now() {
                break;
            }
            self.unacknowledged[list].pop_front();
            if waits {
                state.attempt += 1;
                self.submit(agenda, task);
            }
        }
        self.asks_again[list] = !self.unacknowledged[list].is_empty();
        if let Some(&(due, _)) = self.unacknowledged[list].front() {
            agenda.at(due, Event::Overdue(doubled));
        }
    }

    /// A submission was handled at `node`: the pattern takes charge.
    pub(super) fn take_task(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        client: NodeId,
        task: TaskId,
    ) {
        self.emit(agenda, Record::Acknowledged { task, by: node });
        self.call(agenda, node, |protocol, cx| protocol.on_task(task, cx));
        self.send_client(agenda, node, client, ACKNOWLEDGE, Body::Acknowledge { task });
    }

    /// The acknowledgement reached the client.
    pub(super) fn acknowledged(&mut self, task: TaskId) {
        self.tasks[task.index()].acknowledged = true;
    }

    /// The deadline of a task passed.
    pub(super) fn deadline(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        let patient = self.setup.work.on_deadline == OnDeadline::Renege && self.was_begun(task);
        if self.tasks[task.index()].life != TaskLife::Open || patient {
            return;
        }
        self.end_task(agenda, task, Ending::Expired);
        if P::ORACLE {
            let oracle = self.setup.fleet.client(0);
            self.call(agenda, oracle, |protocol, cx| protocol.on_expired(task, cx));
        }
    }

    /// Whether an execution of `task` ever started.
    fn was_begun(&self, task: TaskId) -> bool {
        let mut walk = self.tasks[task.index()].last_execution;
        while let Some(id) = walk {
            let execution = &self.executions[id.index()];
            // One that was lost or withdrawn before it started has no fate.
            let started = match execution.state {
                ExecutionState::Queued => false,
                ExecutionState::Dead => execution.fate.is_some(),
                ExecutionState::Running | ExecutionState::Hung | ExecutionState::Finished => true,
            };
            if started {
                return true;
            }
            walk = execution.next_of_task;
        }
        false
    }

    /// `task` has ended; `answered` says whether it has an accepted output. What follows it is released, or
    /// skipped up to where the next job begins.
    pub(super) fn release_follower(&mut self, agenda: &mut Agenda<Event>, task: TaskId, answered: bool) {
        let mut before = task;
        while let Some(follower) = self.setup.tasks.follower(before) {
            if let Release::After { wait, fresh, .. } = self.setup.tasks.release(follower)
                && (answered || fresh)
            {
                // Jobs stop coming at the horizon; one that has come goes on, or no long one would be done.
                if !fresh || agenda.now() + wait < self.setup.clock.horizon {
                    self.open_tasks += 1;
                    agenda.after(wait, Event::Release(follower));
                }
                return;
            }
            before = follower;
        }
    }
}
