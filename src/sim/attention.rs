//! Attention: who serves what, for how long, and what happens when a stretch of service ends.
//!
//! Effort is time at speed 1; a stretch of service lasts effort ÷ current speed. Whatever changes the speed
//! — a fault, or one more to share a server with — ends the stretch and begins another with what is left.

use smallvec::SmallVec;

use super::execution::{Errand, ErrandKind, ExecutionState, Job};
use super::protocol::{Protocol, Work, WorkKind};
use super::station::{Class, Service, WHOLE, Waiting};
use super::world::{Event, World};
use crate::engine::{Agenda, Span, Time};
use crate::trace::{Activity, ExecutionId, NodeId, Observer, Output, Plane, Record};

/// How long `effort` takes at `rate`, at most [`Span::LONGEST`]. Rounds up, so that no work is done for
/// nothing.
#[inline]
fn stretch(effort: Span, rate: f64) -> Span {
    if rate == 1.0 {
        return effort;
    }
    Span::from_nanos((effort.as_nanos() as f64 / rate).ceil() as u64).min(Span::LONGEST)
}

/// How much of `planned` is done after `elapsed` at `rate`.
fn progress(elapsed: Span, rate: f64, planned: Span) -> Span {
    if rate == 1.0 { elapsed.min(planned) } else { elapsed.mul_f64(rate).min(planned) }
}

/// What happens when a stretch of service of `job` ends.
#[inline]
fn completes(job: Job, node: NodeId, plane: Plane, ticket: u32) -> Event {
    match job {
        Job::Execution(execution) => Event::Executed { node, execution },
        Job::Letter(_) | Job::Errand(_) | Job::Poll { .. } => Event::Done { node, plane, ticket },
    }
}

impl Service<Job> {
    /// Ends this stretch, which went at `rate`. Without a completion it stands still already.
    fn stand_still(&mut self, agenda: &mut Agenda<Event>, rate: f64) {
        if let Some(key) = self.completion.take() {
            agenda.cancel(key);
            let done = progress(agenda.now().since(self.since), rate, self.planned);
            self.left -= done;
            self.planned -= done;
        }
    }

    /// The same job, waiting for a server to do what is `left`.
    fn waiting(&self, left: Span) -> Waiting<Job> {
        Waiting { job: self.job, class: self.class, priority: self.priority, left }
    }
}

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// How fast each of the jobs in service goes.
    fn rate(&self, node: NodeId, plane: Plane) -> f64 {
        let node = &self.nodes[node.index()];
        let station = node.at(plane);
        node.pace * station.share(station.serving.len())
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
        let state = &self.nodes[node.index()];
        let (station, serves) = (state.at(plane), state.serves(plane));
        let priority = if station.heeds_priorities() { self.priority(job) } else { 0 };
        let waiting = Waiting { job, class, priority, left: WHOLE };
        if serves && station.is_idle() {
            return self.serve(agenda, node, plane, waiting);
        }
        let station = self.nodes[node.index()].station(plane);
        let preemptive = station.is_preemptive();
        station.push(waiting);
        if serves && preemptive {
            self.serve_waiting(agenda, node, plane);
        }
        if serves && plane == Plane::Cognition && class == Class::Urgent {
            self.interrupt_at_turn(agenda, node);
        }
    }

    /// Records a step that takes no time: it begins and ceases in one instant.
    pub(super) fn record_step(
        &mut self,
        agenda: &Agenda<Event>,
        node: NodeId,
        plane: Plane,
        kind: ErrandKind,
    ) {
        let activity = kind.activity();
        self.emit(agenda, Record::Began { node, plane, activity });
        self.emit(agenda, Record::Ceased { node, plane, activity });
    }

    /// Begins to serve a job on a free server.
    fn serve(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, waiting: Waiting<Job>) {
        let Waiting { job, class, priority, left } = waiting;
        let (left, activity) = match left {
            WHOLE => self.size_up(node, job),
            left => (left, self.activity(job)),
        };
        if let Job::Execution(execution) = job {
            self.execution_begins(agenda, node, execution);
        }
        self.emit(agenda, Record::Began { node, plane, activity });
        let now = agenda.now();
        let shared = self.nodes[node.index()].at(plane).is_shared();
        let shares_change = shared && {
            let services = self.nodes[node.index()].at(plane).serving.len();
            self.halt_to_share(agenda, node, plane, services + 1)
        };
        let state = &mut self.nodes[node.index()];
        let hangs = state.stalls > 0 && matches!(job, Job::Execution(_));
        let pace = state.pace;
        let station = state.station(plane);
        debug_assert!(station.has_free_server(), "a job begins on a free server");
        let ticket = station.next_ticket();
        let (mut ends, mut completion) = (Time::MAX, None);
        if !hangs && !shares_change {
            ends = now + stretch(left, pace * station.share(station.serving.len() + 1));
            completion = Some(agenda.at_keyed(ends, completes(job, node, plane, ticket)));
        }
        let (planned, since) = (left, now);
        station.serving.push(self.services.file(Service {
            job,
            activity,
            class,
            priority,
            ticket,
            left,
            planned,
            since,
            ends,
            completion,
        }));
        if let Job::Execution(execution) = job
            && hangs
        {
            self.hang(agenda, node, execution);
        } else if shares_change {
            self.go_on(agenda, node, plane);
        }
    }

    /// Schedules the completion of a stretch that begins now.
    fn schedule(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, slot: u32) {
        let rate = self.rate(node, plane);
        let service = self.services.get_mut(slot);
        service.since = agenda.now();
        service.ends = agenda.now() + stretch(service.planned, rate);
        let completes = completes(service.job, node, plane, service.ticket);
        service.completion = Some(agenda.at_keyed(service.ends, completes));
    }

    /// What a plane serves, in the order it began.
    #[inline]
    pub(super) fn serving(&self, node: NodeId, plane: Plane) -> impl Iterator<Item = &Service<Job>> {
        self.nodes[node.index()].at(plane).serving.iter().map(|slot| self.services.get(slot))
    }

    /// Ends every stretch of service at a plane: what is being served stays there and stands still.
    pub(super) fn halt(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane) {
        let rate = self.rate(node, plane);
        for slot in self.nodes[node.index()].at(plane).serving.iter() {
            self.services.get_mut(slot).stand_still(agenda, rate);
        }
    }

    /// Halts a plane if its jobs will get another share of its servers once there are `services`; says so.
    fn halt_to_share(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        plane: Plane,
        services: usize,
    ) -> bool {
        let station = self.nodes[node.index()].at(plane);
        let changes = station.share(station.serving.len()) != station.share(services);
        if changes {
            self.halt(agenda, node, plane);
        }
        changes
    }

    /// Whatever stands still at a plane goes on, at the current speed and share, if the plane serves.
    pub(super) fn go_on(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane) {
        if !self.nodes[node.index()].serves(plane) {
            return;
        }
        let slots: SmallVec<[u32; 4]> = self.nodes[node.index()].at(plane).serving.iter().collect();
        for slot in slots {
            if self.services.get(slot).completion.is_none() {
                self.schedule(agenda, node, plane, slot);
            }
        }
    }

    /// Freezes all service of `node`.
    pub(super) fn freeze(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        self.halt(agenda, node, Plane::Harness);
        self.halt(agenda, node, Plane::Cognition);
    }

    /// Resumes all service of `node` at its current speed.
    pub(super) fn thaw(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        self.go_on(agenda, node, Plane::Harness);
        self.go_on(agenda, node, Plane::Cognition);
    }

    /// Takes a service off its server; the others get their new share.
    #[inline]
    fn take_off(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        plane: Plane,
        ticket: u32,
    ) -> Service<Job> {
        let station = self.nodes[node.index()].station(plane);
        if station.is_shared() {
            return self.take_off_shared(agenda, node, plane, ticket);
        }
        let service =
            station.release(&mut self.services, ticket).expect("a completion is cancelled with its service");
        self.cease(agenda, node, plane, service.activity);
        service
    }

    fn take_off_shared(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        plane: Plane,
        ticket: u32,
    ) -> Service<Job> {
        let services = self.nodes[node.index()].at(plane).serving.len();
        let shares_change = self.halt_to_share(agenda, node, plane, services - 1);
        let station = self.nodes[node.index()].station(plane);
        let service =
            station.release(&mut self.services, ticket).expect("a completion is cancelled with its service");
        if shares_change {
            self.go_on(agenda, node, plane);
        }
        self.cease(agenda, node, plane, service.activity);
        service
    }

    /// Records that a plane no longer does this.
    #[inline]
    pub(super) fn cease(&mut self, agenda: &Agenda<Event>, node: NodeId, plane: Plane, activity: Activity) {
        self.emit(agenda, Record::Ceased { node, plane, activity });
    }

    /// Serves what waits, as long as there is a free server or one that gives way.
    pub(super) fn serve_waiting(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane) {
        loop {
            let state = &mut self.nodes[node.index()];
            if !state.serves(plane) {
                return;
            }
            let station = state.station(plane);
            if !station.has_free_server() {
                let Some(ticket) = station.gives_way(&self.services, agenda.now()) else { return };
                self.set_aside(agenda, node, plane, ticket);
            }
            let station = self.nodes[node.index()].station(plane);
            let plain = station.is_plain();
            let Some(waiting) = station.pop() else { return };
            if let Job::Errand(slot) = waiting.job
                && plain
                && self.errands.get(slot).effort.is_zero()
            {
                let errand = self.errands.take(slot);
                self.record_step(agenda, node, plane, errand.kind);
                agenda.step();
                self.errand_ends(agenda, node, errand);
            } else {
                self.serve(agenda, node, plane, waiting);
            }
        }
    }

    /// What is being served gives way; it will go on with what is left of it.
    fn set_aside(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, ticket: u32) {
        let rate = self.rate(node, plane);
        let mut service = self.take_off(agenda, node, plane, ticket);
        service.stand_still(agenda, rate);
        self.nodes[node.index()].station(plane).put_back(service.waiting(service.left));
    }

    /// Something urgent waits behind executions: it is taken at the first turn boundary of one of them.
    fn interrupt_at_turn(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let Some(turn) = self.setup.work.turn else { return };
        let rate = self.rate(node, Plane::Cognition);
        let mut first: Option<(Time, Span, u32)> = None;
        for slot in self.nodes[node.index()].cognition.serving.iter() {
            let service = self.services.get(slot);
            let Job::Execution(execution) = service.job else { continue };
            if service.planned < service.left || service.completion.is_none() {
                continue; // A boundary is already set, or the execution hangs.
            }
            let done_now = progress(agenda.now().since(service.since), rate, service.planned);
            let total = self.setup.tasks.work(self.executions[execution.index()].task);
            let done_before = total - service.left;
            let turns = (done_before + done_now).as_nanos() / turn.as_nanos() + 1;
            let boundary = Span::from_nanos(turns.saturating_mul(turn.as_nanos()));
            if boundary < total {
                let planned = boundary - done_before;
                let ends = (service.since + stretch(planned, rate)).max(agenda.now());
                if first.is_none_or(|(earliest, ..)| ends < earliest) {
                    first = Some((ends, planned, slot));
                }
            }
        }
        let Some((ends, planned, slot)) = first else { return };
        let service = self.services.get_mut(slot);
        (service.planned, service.ends) = (planned, ends);
        if let Some(key) = service.completion.take() {
            agenda.cancel(key);
        }
        let done = completes(service.job, node, Plane::Cognition, service.ticket);
        service.completion = Some(agenda.at_keyed(ends, done));
    }

    /// A stretch of service ended that was no execution's.
    #[inline]
    pub(super) fn done(&mut self, agenda: &mut Agenda<Event>, node: NodeId, plane: Plane, ticket: u32) {
        let service = self.take_off(agenda, node, plane, ticket);
        match service.job {
            Job::Letter(letter) => self.handle_letter(agenda, node, letter),
            Job::Errand(slot) => {
                let errand = self.errands.take(slot);
                self.errand_ends(agenda, node, errand);
            }
            Job::Poll { agent } => self.poll_handled(agenda, node, agent),
            Job::Execution(_) => unreachable!("an execution has an event of its own"),
        }
        self.serve_waiting(agenda, node, plane);
    }

    /// A stretch of service of `execution` ended.
    #[inline]
    pub(super) fn executed(&mut self, agenda: &mut Agenda<Event>, node: NodeId, execution: ExecutionId) {
        let service =
            self.serving(node, Plane::Cognition).find(|service| service.job == Job::Execution(execution));
        let ticket = service.expect("a completion is cancelled with its service").ticket;
        let service = self.take_off(agenda, node, Plane::Cognition, ticket);
        let left = service.left - service.planned;
        if left.is_zero() {
            self.execution_ends(agenda, node, execution);
        } else {
            self.nodes[node.index()].cognition.put_back(service.waiting(left));
        }
        self.serve_waiting(agenda, node, Plane::Cognition);
    }

    pub(super) fn errand_ends(&mut self, agenda: &mut Agenda<Event>, node: NodeId, errand: Errand<P::Timer>) {
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

    /// Ends the service of `execution` at `node`, wherever it stands; says whether it was there.
    pub(super) fn remove_execution(&mut self, agenda: &mut Agenda<Event>, node: NodeId, job: Job) -> bool {
        let service = self.serving(node, Plane::Cognition).find(|service| service.job == job);
        let Some(ticket) = service.map(|service| service.ticket) else {
            return self.nodes[node.index()].cognition.remove_waiting(job);
        };
        if let Some(key) = self.take_off(agenda, node, Plane::Cognition, ticket).completion {
            agenda.cancel(key);
        }
        true
    }

    /// An execution is taken up, for the first time or again after a turn boundary.
    fn execution_begins(&mut self, agenda: &mut Agenda<Event>, node: NodeId, execution: ExecutionId) {
        let state = &mut self.executions[execution.index()];
        if state.state == ExecutionState::Queued {
            state.state = ExecutionState::Running;
            let task = state.task;
            self.emit(agenda, Record::Started { execution, task, node });
        }
    }

    /// Reports an execution that hung and was killed.
    pub(super) fn report_hung(&mut self, agenda: &mut Agenda<Event>, node: NodeId, execution: ExecutionId) {
        let state = self.executions[execution.index()];
        let work = Work { task: state.task, execution, kind: WorkKind::Hung };
        self.call(agenda, node, |protocol, cx| protocol.on_work(work, state.then, cx));
    }
}
