//! The fault plan in action. Every fault says whether it changed its target's state.

use super::execution::{ExecutionState, Job};
use super::protocol::{Protocol, Seats, Status};
use super::served::Served;
use super::world::{Event, Firing, World};
use crate::engine::Agenda;
use crate::fault::{FaultKind, Group, Target};
use crate::net::Cut;
use crate::trace::{DownReason, DropReason, ExecutionId, Fate, NodeId, Observer, Plane, Record};
use crate::work::{Fleet, Role};

impl Seats {
    /// The nodes `target` names, once it is known who sits where.
    pub(super) fn struck(&self, target: &Target, fleet: &Fleet) -> Vec<NodeId> {
        match target {
            Target::Agent(index) => vec![fleet.agent(*index)],
            Target::Agents(indices) => indices.iter().map(|&index| fleet.agent(index)).collect(),
            Target::Relay(index) => vec![fleet.relay(*index)],
            Target::Authority { seat, otherwise } => match self.authority.len() {
                0 => vec![fleet.agent(*otherwise)],
                count => vec![self.authority[*seat as usize % count]],
            },
            Target::Network => Vec::new(),
        }
    }
}

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// An entry of the plan begins.
    pub(super) fn fault(&mut self, agenda: &mut Agenda<Event>, index: u32) {
        let setup = self.setup;
        let entry = &setup.faults.entries[index as usize];
        if P::ORACLE && !matches!(entry.kind, FaultKind::Crash | FaultKind::Leave | FaultKind::Pause) {
            self.firing[index as usize] = Firing::NotApplicable;
            return;
        }
        let mut fired = false;
        if let FaultKind::Partition { groups, one_way } = &entry.kind {
            fired = self.partition(agenda, index, groups, *one_way);
        } else {
            for node in self.seats.struck(&entry.target, &setup.fleet) {
                fired |= self.strike(agenda, node, &entry.kind);
            }
        }
        self.firing[index as usize] = if fired { Firing::Fired } else { Firing::Idle };
        if fired {
            self.emit(agenda, Record::Fault { index, on: true });
        }
        if let Some(until) = entry.until {
            agenda.at(until.max(agenda.now()), Event::Heal(index));
        }
    }

    /// An entry of the plan ends.
    pub(super) fn heal(&mut self, agenda: &mut Agenda<Event>, index: u32) {
        let setup = self.setup;
        let entry = &setup.faults.entries[index as usize];
        let mut ended = false;
        if let FaultKind::Partition { .. } = &entry.kind {
            self.conditions.heal(index);
            self.note_cuts(agenda);
            ended = true;
        } else {
            for node in self.seats.struck(&entry.target, &setup.fleet) {
                ended |= self.relieve(agenda, node, &entry.kind);
            }
        }
        // A fault that hit a node already down has fired if the node stayed down because of it.
        if ended && self.firing[index as usize] == Firing::Idle {
            self.firing[index as usize] = Firing::Fired;
        }
        if self.firing[index as usize] == Firing::Fired {
            self.emit(agenda, Record::Fault { index, on: false });
        }
    }

    /// Begins a fault at one node; says whether it changed the node's state.
    fn strike(&mut self, agenda: &mut Agenda<Event>, node: NodeId, kind: &FaultKind) -> bool {
        match *kind {
            FaultKind::Crash => self.take_down(agenda, node, DownReason::Crash),
            FaultKind::Leave => self.take_down(agenda, node, DownReason::Leave),
            FaultKind::Outage | FaultKind::Takeover => self.take_down(agenda, node, DownReason::Outage),
            FaultKind::Pause => self.pause(agenda, node),
            FaultKind::Slow { factor } => self.change_speed(agenda, node, factor),
            FaultKind::WrongOutput { probability } => {
                let before = self.nodes[node.index()].wrong;
                self.nodes[node.index()].wrong = before + (1.0 - before) * probability;
                probability > 0.0
            }
            FaultKind::Stall => self.stall(agenda, node),
            FaultKind::Partition { .. } => unreachable!("partitions strike the network"),
        }
    }

    /// Ends a fault at one node; says whether the node changed because of it.
    fn relieve(&mut self, agenda: &mut Agenda<Event>, node: NodeId, kind: &FaultKind) -> bool {
        match *kind {
            FaultKind::Crash | FaultKind::Leave | FaultKind::Outage | FaultKind::Takeover => {
                self.bring_up(agenda, node)
            }
            FaultKind::Pause => self.resume(agenda, node),
            FaultKind::Slow { factor } => self.change_speed(agenda, node, 1.0 / factor),
            FaultKind::WrongOutput { probability } => {
                let now = self.nodes[node.index()].wrong;
                // The inverse of the composition above; a certain fault restores the scenario's own rate.
                self.nodes[node.index()].wrong = if probability < 1.0 {
                    ((now - probability) / (1.0 - probability)).max(0.0)
                } else {
                    self.setup.work.error_rate
                };
                true
            }
            FaultKind::Stall => self.unstall(agenda, node),
            FaultKind::Partition { .. } => unreachable!("partitions strike the network"),
        }
    }

    fn take_down(&mut self, agenda: &mut Agenda<Event>, node: NodeId, why: DownReason) -> bool {
        self.nodes[node.index()].down += 1;
        if self.nodes[node.index()].down > 1 {
            return false;
        }
        self.lose_attention(agenda, node);
        self.nodes[node.index()].incarnation += 1;
        self.nodes[node.index()].deferred = None;
        self.nodes[node.index()].owes_start = false;
        let relay = self.role(node) == Role::Relay;
        if !relay || !self.setup.relay.durable {
            self.protocols[node.index()].on_crash();
        }
        if relay && !self.setup.relay.durable {
            self.lose_mailboxes(agenda, node);
        }
        self.emit(agenda, Record::Down { node, why });
        self.tell_oracle(agenda, node, Status::Lost);
        true
    }

    fn bring_up(&mut self, agenda: &mut Agenda<Event>, node: NodeId) -> bool {
        self.nodes[node.index()].down -= 1;
        if self.nodes[node.index()].down > 0 {
            return false;
        }
        if self.nodes[node.index()].paused > 0 {
            self.nodes[node.index()].owes_start = true;
            return true;
        }
        self.emit(agenda, Record::Up { node });
        self.call(agenda, node, |protocol, cx| protocol.on_start(cx));
        self.tell_oracle(agenda, node, Status::Up);
        true
    }

    /// Everything being served or waiting at `node` is lost.
    fn lose_attention(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let hung = self.nodes[node.index()].hung.take();
        if hung.is_some() {
            self.emit(agenda, Record::Stalled { node, on: false });
        }
        for plane in [Plane::Harness, Plane::Cognition] {
            let station = self.nodes[node.index()].station(plane);
            let served = std::mem::replace(&mut station.serving, Served::nobody());
            let served: Vec<_> = served.iter().map(|slot| self.services.take(slot)).collect();
            let waiting: Vec<Job> = station.drain().collect();
            for service in &served {
                if let Some(key) = service.completion {
                    agenda.cancel(key);
                }
                self.cease(agenda, node, plane, service.activity);
            }
            for job in served.into_iter().map(|service| service.job).chain(waiting) {
                match job {
                    Job::Letter(letter) => self.drop_letter(agenda, letter, DropReason::Crash),
                    // Its fate comes after its time has ceased: the ledger books what it has seen.
                    Job::Execution(execution) if hung == Some(execution) => {
                        self.bury(agenda, execution, Fate::Stall);
                    }
                    Job::Execution(execution) => self.bury(agenda, execution, Fate::Crash),
                    Job::Errand(slot) => {
                        self.errands.take(slot);
                    }
                    Job::Poll { .. } => {}
                }
            }
        }
    }

    fn pause(&mut self, agenda: &mut Agenda<Event>, node: NodeId) -> bool {
        self.nodes[node.index()].paused += 1;
        if self.nodes[node.index()].paused > 1 || self.nodes[node.index()].down > 0 {
            return false;
        }
        self.freeze(agenda, node);
        self.emit(agenda, Record::Down { node, why: DownReason::Pause });
        self.tell_oracle(agenda, node, Status::Frozen);
        true
    }

    fn resume(&mut self, agenda: &mut Agenda<Event>, node: NodeId) -> bool {
        self.nodes[node.index()].paused -= 1;
        if !self.nodes[node.index()].is_up() {
            return false;
        }
        self.emit(agenda, Record::Up { node });
        if std::mem::take(&mut self.nodes[node.index()].owes_start) {
            self.call(agenda, node, |protocol, cx| protocol.on_start(cx));
        }
        self.thaw(agenda, node);
        for then in self.nodes[node.index()].deferred.take().into_iter().flat_map(|timers| *timers) {
            self.call(agenda, node, |protocol, cx| protocol.on_timer(then, cx));
        }
        self.serve_waiting(agenda, node, Plane::Harness);
        self.serve_waiting(agenda, node, Plane::Cognition);
        self.watchdog(agenda, node);
        self.tell_oracle(agenda, node, Status::Up);
        true
    }

    fn change_speed(&mut self, agenda: &mut Agenda<Event>, node: NodeId, factor: f64) -> bool {
        let up = self.nodes[node.index()].is_up();
        if up {
            self.freeze(agenda, node);
        }
        let state = &mut self.nodes[node.index()];
        state.factor *= factor;
        // Healing multiplies by the inverse; what rounding leaves is put right.
        if (state.factor - 1.0).abs() < 1e-9 {
            state.factor = 1.0;
        }
        let factor_now = state.factor;
        state.pace = self.setup.fleet.speed(node) * factor_now;
        self.emit(agenda, Record::Speed { node, factor: factor_now as f32 });
        if up {
            self.thaw(agenda, node);
        }
        factor != 1.0
    }

    fn stall(&mut self, agenda: &mut Agenda<Event>, node: NodeId) -> bool {
        self.nodes[node.index()].stalls += 1;
        if let Some(execution) = self.executing(node) {
            self.hang(agenda, node, execution);
        }
        true
    }

    /// An execution being served at `node` makes no more progress; `node` goes silent, and whatever else its
    /// cognition serves stands still.
    pub(super) fn hang(&mut self, agenda: &mut Agenda<Event>, node: NodeId, execution: ExecutionId) {
        if self.nodes[node.index()].hung.is_some() {
            return;
        }
        self.halt(agenda, node, Plane::Cognition);
        self.nodes[node.index()].hung = Some(execution);
        self.executions[execution.index()].state = ExecutionState::Hung;
        self.emit(agenda, Record::Stalled { node, on: true });
    }

    /// The execution that hung at `node` is gone: what else its cognition served goes on, unless the fault
    /// lasts and strikes the next one.
    pub(super) fn hang_ends(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        self.nodes[node.index()].hung = None;
        self.emit(agenda, Record::Stalled { node, on: false });
        match self.executing(node) {
            Some(next) if self.nodes[node.index()].stalls > 0 => self.hang(agenda, node, next),
            _ => self.go_on(agenda, node, Plane::Cognition),
        }
    }

    /// The first of the executions being served at `node`.
    fn executing(&self, node: NodeId) -> Option<ExecutionId> {
        self.serving(node, Plane::Cognition).find_map(|service| match service.job {
            Job::Execution(execution) => Some(execution),
            Job::Letter(_) | Job::Errand(_) | Job::Poll { .. } => None,
        })
    }

    fn unstall(&mut self, agenda: &mut Agenda<Event>, node: NodeId) -> bool {
        self.nodes[node.index()].stalls -= 1;
        if self.nodes[node.index()].stalls > 0 {
            return false;
        }
        self.watchdog(agenda, node);
        true
    }

    /// Ends an execution that hangs for no fault any more. The watchdog is the agent's own: while the
    /// agent is frozen, so is its watchdog.
    fn watchdog(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let state = &self.nodes[node.index()];
        let Some(execution) = state.hung.filter(|_| state.is_up() && state.stalls == 0) else { return };
        self.kill(agenda, node, execution, Fate::Stall);
        self.report_hung(agenda, node, execution);
        self.serve_waiting(agenda, node, Plane::Cognition);
    }

    fn partition(&mut self, agenda: &mut Agenda<Event>, owner: u32, groups: &[Group], one_way: bool) -> bool {
        let fleet = &self.setup.fleet;
        let mut side = vec![0u8; fleet.len()];
        for (number, group) in groups.iter().enumerate() {
            let agents = group.agents.iter().map(|&index| fleet.agent(index));
            let relays = group.relays.iter().map(|&index| fleet.relay(index));
            let clients = group.clients.iter().map(|&index| fleet.client(index));
            for node in agents.chain(relays).chain(clients) {
                side[node.index()] = number as u8 + 1;
            }
        }
        let divides = side.iter().any(|&one| one != side[0]);
        self.conditions.cut(Cut { owner, side, one_way });
        self.note_cuts(agenda);
        divides
    }

    /// Records which agents no client can exchange messages with, where that changed.
    fn note_cuts(&mut self, agenda: &mut Agenda<Event>) {
        let fleet = &self.setup.fleet;
        let clients: Vec<NodeId> = (0..fleet.clients()).map(|index| fleet.client(index)).collect();
        for node in fleet.agent_nodes().map(NodeId) {
            let on = !clients.iter().any(|&client| self.conditions.connected(client, node));
            if self.nodes[node.index()].cut_off != on {
                self.nodes[node.index()].cut_off = on;
                self.emit(agenda, Record::CutOff { node, on });
            }
        }
    }

    fn tell_oracle(&mut self, agenda: &mut Agenda<Event>, node: NodeId, status: Status) {
        if P::ORACLE && self.role(node) == Role::Agent {
            let seat = self.setup.fleet.client(0);
            self.call(agenda, seat, |protocol, cx| protocol.on_status(node, status, cx));
        }
    }
}
