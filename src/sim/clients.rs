//! Entry: clients hand tasks over and repeat themselves until somebody takes charge.

use super::kinds::{ACKNOWLEDGE, SUBMIT};
use super::letters::Body;
use super::protocol::{Protocol, Submission};
use super::setup::OnDeadline;
use super::state::TaskLife;
use super::world::{Event, World};
use crate::engine::Agenda;
use crate::trace::{Ending, NodeId, Observer, Record, TaskId};

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// A task arrives at its client.
    pub(super) fn arrive(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        let next = TaskId(task.0 + 1);
        if next.index() < self.tasks.len() {
            agenda.at(self.setup.tasks.card(next).arrival, Event::Arrive(next));
        }
        self.tasks[task.index()].life = TaskLife::Open;
        self.emit(agenda, Record::Arrived { task });
        if let Some(deadline) = self.setup.tasks.card(task).deadline
            && self.setup.work.on_deadline == OnDeadline::Drop
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
            let wait = self.setup.client.timeout.mul_f64(f64::from(1u32 << attempt.min(3)));
            self.tasks[task.index()].retry = Some(agenda.after(wait, Event::Retry(task)));
        }
        self.send_client(agenda, client, to, SUBMIT, Body::Submit { task });
    }

    /// No acknowledgement came in time.
    pub(super) fn retry(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        let state = &mut self.tasks[task.index()];
        state.retry = None;
        if state.life == TaskLife::Open && !state.acknowledged {
            state.attempt += 1;
            self.submit(agenda, task);
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
    pub(super) fn acknowledged(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        let state = &mut self.tasks[task.index()];
        state.acknowledged = true;
        if let Some(retry) = state.retry.take() {
            agenda.cancel(retry);
        }
    }

    /// The deadline of a task passed.
    pub(super) fn deadline(&mut self, agenda: &mut Agenda<Event>, task: TaskId) {
        self.end_task(agenda, task, Ending::Expired);
    }
}
