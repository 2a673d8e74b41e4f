//! Attention: who serves what, for how long, and what happens when a stretch of service ends.
//!
//! Effort is time at speed 1; a stretch of service lasts effort ÷ current speed. A fault that changes the
//! speed ends the stretch and begins another with what is left.

use super::cx::Effort;
use super::execution::{ErrandKind, ExecutionState, Job};
use super::kinds::CLIENT_KINDS;
use super::protocol::{Protocol, Work, WorkKind};
use super::setup::Setup;
use super::station::{Class, Service};
use super::world::{Event, World};
use crate::engine::{Agenda, Span};
use crate::trace::{Activity, NodeId, Observer, Output, Phase, Plane, Record};
use crate::work::Role;

/// How long `effort` takes at `rate`. Rounds up, so that no work is done for nothing.
fn stretch(effort: Span, rate: f64) -> Span {
    if rate == 1.0 { effort } else { Span::from_nanos((effort.as_nanos() as f64 / rate).ceil() as u64) }
}

/// How much of `planned` is done after `elapsed` at `rate`.
fn progress(elapsed: Span, rate: f64, planned: Span) -> Span {
    if rate == 1.0 { elapsed.min(planned) } else { elapsed.mul_f64(rate).min(planned) }
}

impl<P: Protocol, O: Observer> World<'_, P, O> {
    fn rate(&self, node: NodeId) -> f64 {
        let node = &self.nodes[node.index()];
        node.speed * node.factor
    }

    /// The ordinal of the next service at `node`, which addresses its cost.
    pub(super) fn next_service(&mut self, node: NodeId) -> u64 {
        let node = &mut self.nodes[node.index()];
        node.served += 1;
        node.served
    }

    /// What `effort` amounts to at speed 1.
    pub(super) fn effort(&mut self, node: NodeId, plane: Plane, effort: Effort) -> Span {
        match effort {
            Effort::Time(span) => span,
            Effort::Like { kind, tokens } => {
                let _ = plane;
                self.handling(node, CLIENT_KINDS.len() + kind, tokens)
            }
        }
    }

    fn handling(&mut self, node: NodeId, kind: usize, tokens: u32) -> Span {
        let ordinal = self.next_service(node);
        let fleet = &self.setup.fleet;
        let (key, address) = (self.cost_key, fleet.address(node));
        let kind = &self.kinds[kind];
        let cost = match fleet.role(node) {
            Role::Relay => &kind.at_relay,
            Role::Client | Role::Agent => &kind.at_agent,
        };
        let base = cost.draw(|| key.open(address, ordinal));
        if tokens == 0 { base } else { base + kind.per_token.mul_f64(f64::from(tokens)) }
    }

    fn poll_cost(setup: &Setup) -> Span {
        Span::from_secs_f64(setup.costs.harness.mean())
    }

    fn job_effort(&mut self, node: NodeId, job: Job) -> Span {
        match job {
            Job::Letter(letter) => {
                let (kind, tokens) = {
                    let letter = self.letters.get(letter);
                    (usize::from(letter.kind), letter.tokens)
                };
                self.handling(node, kind, tokens)
            }
            Job::Execution(execution) => self.executions[execution.index()].left,
            Job::Errand(slot) => self.errands.get(slot).effort,
            Job::Poll { .. } => match self.role(node) {
                Role::Relay => {
                    let ordinal = self.next_service(node);
                    let key = self.cost_key;
                    self.setup
                        .relay
                        .service
                        .sample_span(&mut key.open(self.setup.fleet.address(node), ordinal))
                }
                Role::Client | Role::Agent => Self::poll_cost(self.setup),
            },
        }
    }

    fn activity(&self, job: Job) -> Activity {
        match job {
            Job::Letter(letter) => {
                let kind = usize::from(self.letters.get(letter).kind);
                Activity::Coordinating(self.kinds[kind].kind.phase)
            }
            Job::Execution(execution) => Activity::Executing(execution),
            Job::Errand(slot) => match self.errands.get(slot).kind {
                ErrandKind::Occupy(phase) => Activity::Coordinating(phase),
                ErrandKind::Verify(_) => Activity::Verifying,
            },
            Job::Poll { .. } => Activity::Coordinating(Phase::Synchronisation),
        }
    }

    /// Puts a job before a plane of `node`; it begins at once if nobody is before it.
    pub(super) fn enqueue(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        plane: Plane,
        job: Job,
        class: Class,
    ) {
        let up = self.nodes[node.index()].is_up();
        let station = self.nodes[node.index()].station(plane);
        if up && station.is_idle() {
            return self.serve(agenda, node, plane, job);
        }
        station.push(job, class);
        if up && plane == Plane::Cognition && class == Class::Urgent {
            self.interrupt_at_turn(agenda, node);
        }
    }

    /// Begins to serve `job` on a free server.
    fn serve(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, job: Job) {
        let left = self.job_effort(node, job);
        let activity = self.activity(job);
        if let Job::Execution(execution) = job {
            self.execution_begins(agenda, node, execution);
        }
        self.emit(agenda, Record::Began { node, plane, activity });
        let now = agenda.now();
        let station = self.nodes[node.index()].station(plane);
        let ticket = station.ticket();
        let service = Service { job, ticket, left, planned: left, since: now, completion: None };
        station.serving.push(service);
        if let Job::Execution(execution) = job
            && self.nodes[node.index()].stalls > 0
        {
            return self.hang(agenda, node, execution);
        }
        self.schedule(agenda, node, plane, ticket);
    }

    /// Schedules the completion of a stretch that begins now.
    fn schedule(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, ticket: u32) {
        let rate = self.rate(node);
        let station = self.nodes[node.index()].station(plane);
        let service = station
            .serving
            .iter_mut()
            .find(|service| service.ticket == ticket)
            .expect("a stretch is scheduled while it is served");
        service.since = agenda.now();
        let wait = stretch(service.planned, rate);
        service.completion = Some(agenda.after(wait, Event::Done { node, plane, ticket }));
    }

    /// Serves what waits, as long as there is a free server.
    pub(super) fn serve_waiting(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane) {
        while self.nodes[node.index()].is_up() {
            let station = self.nodes[node.index()].station(plane);
            if !station.has_free_server() {
                return;
            }
            let Some(job) = station.pop() else { return };
            self.serve(agenda, node, plane, job);
        }
    }

    /// Something urgent waits behind an execution: it is taken at the next turn boundary.
    fn interrupt_at_turn(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let Some(turn) = self.setup.work.turn else { return };
        let rate = self.rate(node);
        let state = &mut self.nodes[node.index()];
        let Some(service) = state.cognition.serving.first_mut() else { return };
        let Job::Execution(execution) = service.job else { return };
        if service.planned < service.left || service.completion.is_none() {
            return; // A boundary is already set, or the execution hangs.
        }
        let done_now = progress(agenda.now().since(service.since), rate, service.planned);
        let total = self.setup.tasks.work(self.executions[execution.index()].task);
        let done_before = total - service.left;
        let turns = (done_before + done_now).as_nanos() / turn.as_nanos() + 1;
        let boundary = Span::from_nanos(turns.saturating_mul(turn.as_nanos()));
        if boundary >= total {
            return;
        }
        service.planned = boundary - done_before;
        let (ticket, end) = (service.ticket, service.since + stretch(service.planned, rate));
        if let Some(key) = service.completion.take() {
            agenda.cancel(key);
        }
        let end = end.max(agenda.now());
        service.completion = Some(agenda.at(end, Event::Done { node, plane: Plane::Cognition, ticket }));
    }

    /// A stretch of service ended.
    pub(super) fn done(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, ticket: u32) {
        let service = self.nodes[node.index()]
            .station(plane)
            .release(ticket)
            .expect("a completion is cancelled with its service");
        self.emit(agenda, Record::Ceased { node, plane });
        match service.job {
            Job::Letter(letter) => self.handle_letter(agenda, node, letter),
            Job::Execution(execution) => {
                let left = service.left - service.planned;
                self.executions[execution.index()].left = left;
                if left.is_zero() {
                    self.execution_ends(agenda, node, execution);
                } else {
                    self.nodes[node.index()].cognition.push_front(service.job);
                }
            }
            Job::Errand(slot) => self.errand_ends(agenda, node, slot),
            Job::Poll { agent } => self.poll_handled(agenda, node, agent),
        }
        self.serve_waiting(agenda, node, plane);
    }

    fn errand_ends(&mut self, agenda: &mut Agenda<Event>, node: NodeId, slot: u32) {
        let errand = self.errands.take(slot);
        match errand.kind {
            ErrandKind::Occupy(_) => {
                self.call(agenda, node, |protocol, cx| protocol.on_timer(errand.then, cx));
            }
            ErrandKind::Verify(output) => {
                let passed = self.verdict(agenda, node, output);
                let work = Work {
                    task: output.task,
                    execution: output.execution,
                    kind: WorkKind::Verified { output, passed },
                };
                self.call(agenda, node, |protocol, cx| protocol.on_work(work, errand.then, cx));
            }
        }
    }

    /// Whether `output` passes a verification by `node`: correct ones always, wrong ones by chance.
    fn verdict(&mut self, agenda: &mut Agenda<Event>, node: NodeId, output: Output) -> bool {
        let passed = self.executions[output.execution.index()].correct || {
            let address = (self.setup.fleet.address(node) << 32) | u64::from(output.execution.0);
            let key = self.setup.seed.key(self.setup.replication, crate::engine::Purpose::Verify);
            !key.open(address, u64::from(output.task.0)).chance(self.setup.work.detection)
        };
        if !passed {
            self.reject(agenda, output.execution);
        }
        passed
    }

    /// Freezes all service of `node`.
    pub(super) fn freeze(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let rate = self.rate(node);
        for plane in [Plane::Harness, Plane::Cognition] {
            for service in &mut self.nodes[node.index()].station(plane).serving {
                // A hung service has no completion and makes no progress.
                if let Some(key) = service.completion.take() {
                    agenda.cancel(key);
                    let done = progress(agenda.now().since(service.since), rate, service.planned);
                    service.left -= done;
                    service.planned -= done;
                }
            }
        }
        self.note_progress(node);
    }

    /// Resumes all service of `node` at its current speed.
    pub(super) fn thaw(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        for plane in [Plane::Harness, Plane::Cognition] {
            let tickets: smallvec::SmallVec<[u32; 4]> = self.nodes[node.index()]
                .station(plane)
                .serving
                .iter()
                .map(|service| service.ticket)
                .collect();
            for ticket in tickets {
                if !self.is_hung(node, plane, ticket) {
                    self.schedule(agenda, node, plane, ticket);
                }
            }
        }
    }

    fn is_hung(&self, node: NodeId, plane: Plane, ticket: u32) -> bool {
        let node = &self.nodes[node.index()];
        plane == Plane::Cognition
            && node.hung.is_some()
            && node.cognition.serving.iter().any(|service| service.ticket == ticket)
    }

    /// Writes the progress of a frozen execution back to it.
    fn note_progress(&mut self, node: NodeId) {
        for service in &self.nodes[node.index()].cognition.serving {
            if let Job::Execution(execution) = service.job {
                self.executions[execution.index()].left = service.left;
            }
        }
    }

    /// Ends the service of `execution` at `node`, wherever it stands; says whether it was there.
    pub(super) fn remove_execution(&mut self, agenda: &mut Agenda<Event>, node: NodeId, job: Job) -> bool {
        let state = &mut self.nodes[node.index()];
        let ticket = state.cognition.serving.iter().find(|service| service.job == job).map(|s| s.ticket);
        let Some(ticket) = ticket else { return state.cognition.remove_waiting(job) };
        let service = state.cognition.release(ticket).expect("found a line above");
        if let Some(key) = service.completion {
            agenda.cancel(key);
        }
        self.emit(agenda, Record::Ceased { node, plane: Plane::Cognition });
        true
    }

    /// An execution is taken up, for the first time or again after a turn boundary.
    fn execution_begins(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        execution: crate::trace::ExecutionId,
    ) {
        let state = &mut self.executions[execution.index()];
        if state.state == ExecutionState::Queued {
            state.state = ExecutionState::Running;
            let task = state.task;
            self.emit(agenda, Record::Started { execution, task, node });
        }
    }

    /// Reports an execution that hung and was killed.
    pub(super) fn report_hung(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        execution: crate::trace::ExecutionId,
    ) {
        let state = self.executions[execution.index()];
        let work = Work { task: state.task, execution, kind: WorkKind::Hung };
        self.call(agenda, node, |protocol, cx| protocol.on_work(work, state.then, cx));
    }
}
