//! The engine model that joins protocol, network, faults, work and relays, and emits the record stream.
//!
//! `World` owns all state of a run. The files beside this one are its chapters: `delivery` (letters),
//! `attention` (who serves what), `clients` (entry and deadlines), `settle` (executions, outputs, fates),
//! `faults` (the plan in action). It must not know any pattern, and no chapter may draw randomness
//! without an address.

use super::clients::WAITS;
use super::cx::{Command, Cx, Ids, Shared, TimerId};
use super::execution::{Errand, ErrandKind, Execution, Job};
use super::kinds::{Cost, Kinds, ResolvedKind, resolve_kinds};
use super::letters::Letter;
use super::protocol::{Protocol, Seat, Seats};
use super::setup::Setup;
use super::slab::Slab;
use super::state::{Node, TaskLife, TaskState, TimerSlot, new_node};
use super::station::{Class, Service};
use std::collections::VecDeque;

use crate::engine::{Agenda, Ahead, Engine, Key, Model, Purpose, Span, Time};
use crate::net::transport::{Overtaking, Transport};
use crate::net::{Conditions, Order};
use crate::trace::{DownReason, ExecutionId, LetterId, NodeId, Observer, Plane, Record, SiteId, TaskId};
use crate::work::{Release, Role};

/// What can be pending.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Begin,
    Arrive(TaskId),
    Release(TaskId),
    Overdue(u8),
    Deadline(TaskId),
    Deliver {
        letter: LetterId,
        to: NodeId,
    },
    Park(LetterId),
    /// A stretch of service ended: of anything but an execution.
    Done {
        node: NodeId,
        plane: Plane,
        ticket: u32,
    },
    /// A stretch of an execution ended, which says more of what will be needed than a ticket.
    Executed {
        node: NodeId,
        execution: ExecutionId,
    },
    Timer {
        slot: u32,
        node: NodeId,
    },
    Poll(NodeId),
    PollArrives {
        agent: NodeId,
    },
    Fault(u32),
    Heal(u32),
    End,
}

/// What became of one entry of the fault plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Firing {
    /// It had not begun when the run ended.
    NotReached,
    /// It changed nothing.
    Idle,
    /// It changed its target's state.
    Fired,
    /// The pattern has no such role, or is a reference that ignores this fault.
    NotApplicable,
}

/// A promise of the simulator or of the pattern that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Time,
    /// What.
    pub what: String,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// Events handled.
    pub events: u64,
    /// When it ended.
    pub end: Time,
    /// Message kinds, as records number them.
    pub kinds: Kinds,
    /// One for each entry of the fault plan.
    pub firing: Vec<Firing>,
    /// Broken promises; must be empty for the numbers to be used.
    pub violations: Vec<Violation>,
    /// Whether the last of them ended the run before its time, so that nothing else can be said of it.
    pub cut_short: bool,
    /// Who had a special role.
    pub seats: Seats,
}

/// The state of a run.
#[derive(Debug)]
pub(super) struct World<'a, P: Protocol, O> {
    pub(super) setup: &'a Setup,
    pub(super) seats: &'a Seats,
    pub(super) params: &'a P::Params,
    pub(super) observer: O,
    pub(super) kinds: Vec<ResolvedKind>,
    pub(super) protocols: Vec<P>,
    pub(super) nodes: Vec<Node<P::Timer>>,
    /// Where each node is: apart, because whoever sends asks it of receivers it need not know more of.
    pub(super) sites: Vec<SiteId>,
    pub(super) services: Slab<Service<Job>>,
    pub(super) letters: Slab<Letter<P::Msg>>,
    pub(super) errands: Slab<Errand<P::Timer>>,
    pub(super) executions: Vec<Execution<P::Timer>>,
    pub(super) tasks: Vec<TaskState>,
    /// Submissions that will be repeated unless they are acknowledged, by how often the wait was doubled, in
    /// the order in which their time is up; some of them are acknowledged by now.
    pub(super) unacknowledged: [VecDeque<(Time, TaskId)>; WAITS],
    /// Whether an event is pending for each list.
    pub(super) asks_again: [bool; WAITS],
    /// How long each waits.
    pub(super) waits: [Span; WAITS],
    pub(super) timers: Vec<Option<TimerSlot<P::Timer>>>,
    pub(super) ids: Ids,
    pub(super) conditions: Conditions,
    pub(super) transport: Box<dyn Transport + Send>,
    pub(super) overtaking: Overtaking,
    pub(super) keeps_order: bool,
    pub(super) jitter: Cost,
    pub(super) verify: Cost,
    pub(super) link_key: Key,
    pub(super) cost_key: Key,
    pub(super) output_key: Key,
    pub(super) choice_key: Key,
    pub(super) firing: Vec<Firing>,
    pub(super) violations: Vec<Violation>,
    pub(super) open_tasks: usize,
    pub(super) sent: u64,
    pub(super) gone: u64,
    /// There were too many letters at once; the run is about to end.
    pub(super) is_flooded: bool,
    /// Steps that take no time and were begun in this event; their planes are held meanwhile.
    pub(super) instants: VecDeque<(NodeId, Plane, Errand<P::Timer>)>,
    commands: Vec<Command<P::Msg, P::Timer>>,
}

/// Runs protocol `P` on `setup`, showing every record to `observer`.
///
/// `params` must have passed [`Protocol::check`]. The run reads no clock, environment or file.
pub fn run<P: Protocol, O: Observer>(setup: &Setup, params: &P::Params, observer: O) -> (RunEnd, O) {
    let seats = P::seats(params, &setup.fleet);
    let world = World::<P, O>::new(setup, &seats, params, observer);
    let mut engine = Engine::new(world);
    engine.agenda().at(Time::ZERO, Event::Begin);
    let stop = engine.run();
    let mut world = engine.into_model();
    world.check_letters(stop.now);
    let end = RunEnd {
        events: stop.events,
        end: stop.now,
        kinds: Kinds(world.kinds.iter().map(|kind| kind.kind).collect()),
        firing: world.firing,
        violations: world.violations,
        cut_short: world.is_flooded,
        seats: seats.clone(),
    };
    (end, world.observer)
}

/// Tasks that arrive at a time of their own; the others are counted when they are released.
fn scheduled_tasks(setup: &Setup) -> usize {
    let ids = setup.tasks.cards().iter().map(|card| card.id);
    ids.filter(|&task| setup.tasks.release(task) == Release::Scheduled).count()
}

impl<'a, P: Protocol, O: Observer> World<'a, P, O> {
    fn new(setup: &'a Setup, seats: &'a Seats, params: &'a P::Params, observer: O) -> Self {
        let fleet = &setup.fleet;
        let key = |purpose| setup.seed.key(setup.replication, purpose);
        let node_ids = (0..fleet.len() as u32).map(NodeId);
        let jitter = Cost::new(&setup.network.jitter);
        let (link_key, cost_key, choice_key) = (key(Purpose::Link), key(Purpose::Cost), key(Purpose::Choice));
        World {
            kinds: resolve_kinds::<P>(setup),
            protocols: node_ids
                .clone()
                .map(|node| P::sit(params, &Seat { node, fleet, seats, tasks: setup.tasks.len() }))
                .collect(),
            sites: node_ids.clone().map(|node| fleet.site(node)).collect(),
            nodes: node_ids.map(|node| new_node(setup, node, link_key, cost_key, choice_key)).collect(),
            services: Slab::new(),
            letters: Slab::new(),
            errands: Slab::new(),
            executions: Vec::with_capacity(setup.tasks.len()),
            tasks: setup
                .tasks
                .cards()
                .iter()
                .map(|card| TaskState {
                    life: TaskLife::Future,
                    acknowledged: false,
                    attempt: 0,
                    waits_for: setup.tasks.predecessors(card.id).count() as u32,
                    last_execution: None,
                })
                .collect(),
            unacknowledged: Default::default(),
            asks_again: [false; WAITS],
            waits: std::array::from_fn(|doubled| {
                setup.client.timeout.mul_f64(f64::from(1u32 << doubled)).min(Span::LONGEST)
            }),
            timers: Vec::new(),
            ids: Ids::default(),
            conditions: Conditions::default(),
            transport: setup.network.transport.build(fleet),
            overtaking: Overtaking::default(),
            keeps_order: jitter.draw_fixed().is_none() || setup.network.order == Order::Reorder,
            verify: Cost::new(&setup.work.verify),
            jitter,
            link_key,
            cost_key,
            output_key: key(Purpose::Output),
            choice_key,
            firing: vec![Firing::NotReached; setup.faults.entries.len()],
            violations: Vec::new(),
            open_tasks: scheduled_tasks(setup),
            sent: 0,
            gone: 0,
            is_flooded: false,
            instants: VecDeque::new(),
            commands: Vec::new(),
            setup,
            seats,
            params,
            observer,
        }
    }

    #[inline(always)]
    pub(super) fn emit(&mut self, agenda: &Agenda<Event>, record: Record) {
        self.observer.observe(agenda.now(), agenda.current(), &record);
    }

    pub(super) fn violate(&mut self, at: Time, what: String) {
        // One broken promise can repeat a million times; the first few say all there is to say.
        if self.violations.len() < 20 {
            self.violations.push(Violation { at, what });
        }
    }

    /// Runs a handler of `node` and carries out what it asked for.
    #[inline]
    pub(super) fn call(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        handler: impl FnOnce(&mut P, &mut Cx<'_, P::Msg, P::Timer>),
    ) {
        debug_assert!(self.commands.is_empty(), "handlers do not nest");
        let shared = Shared {
            fleet: &self.setup.fleet,
            tasks: &self.setup.tasks,
            seats: self.seats,
            choices: self.choice_key,
        };
        let mut cx = Cx {
            now: agenda.now(),
            me: node,
            shared,
            commands: &mut self.commands,
            ids: &mut self.ids,
            choice: &mut self.nodes[node.index()].choices,
        };
        handler(&mut self.protocols[node.index()], &mut cx);
        if !self.commands.is_empty() {
            self.carry_out_all(agenda, node);
        }
    }

    #[inline(never)]
    fn carry_out_all(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let mut commands = std::mem::take(&mut self.commands);
        for command in commands.drain(..) {
            self.carry_out(agenda, node, command);
        }
        self.commands = commands;
    }

    #[inline(always)]
    fn carry_out(&mut self, agenda: &mut Agenda<Event>, node: NodeId, command: Command<P::Msg, P::Timer>) {
        match command {
            Command::Send { to, msg } => self.send_message(agenda, node, to, msg),
            Command::Timer { id, wait, then } => self.start_timer(agenda, node, id, wait, then),
            Command::CancelTimer(id) => {
                if self.ids.is_last(id)
                    && let Some(slot) = self.end_timer(id.slot)
                {
                    agenda.cancel(slot.key);
                }
            }
            Command::Work { task, execution, then } => {
                self.start_execution(agenda, node, task, execution, then);
            }
            Command::Abandon(execution) => self.abandon(agenda, node, execution),
            Command::Verify { output, then } => {
                let effort = self.verifying(node);
                let priority = self.setup.tasks.card(output.task).priority;
                let errand = Errand { kind: ErrandKind::Verify(output), effort, priority, then };
                self.start_errand(agenda, node, Plane::Cognition, errand);
            }
            Command::Occupy { plane, phase, effort, then } => {
                let priority = self.effort_priority(effort);
                let effort = self.effort(node, effort);
                let errand = Errand { kind: ErrandKind::Occupy(phase), effort, priority, then };
                self.start_errand(agenda, node, plane, errand);
            }
            Command::Settle { task, output } => self.settle(agenda, task, output),
            Command::End { task, how } => self.end_task(agenda, task, how),
            Command::Note(fact) => self.emit(agenda, Record::Noted { node, fact }),
        }
    }

    fn start_errand(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        plane: Plane,
        errand: Errand<P::Timer>,
    ) {
        let state = &mut self.nodes[node.index()];
        let station = state.at(plane);
        if errand.effort.is_zero() && station.is_plain() && state.serves(plane) && station.is_idle() {
            state.station(plane).hold(true);
            self.record_step(agenda, node, plane, errand.kind);
            self.instants.push_back((node, plane, errand));
            return;
        }
        let slot = self.errands.file(errand);
        self.enqueue(agenda, node, plane, Job::Errand(slot), Class::Urgent);
    }

    /// Steps without effort that began in this event end with it, and the handlers of their ends run, each as
    /// an event of its own that needs no place on the agenda.
    #[inline]
    fn end_instants(&mut self, agenda: &mut Agenda<Event>) {
        while let Some((node, plane, errand)) = self.instants.pop_front() {
            agenda.step();
            self.nodes[node.index()].station(plane).hold(false);
            self.errand_ends(agenda, node, errand);
            self.serve_waiting(agenda, node, plane);
        }
    }

    fn start_timer(
        &mut self,
        agenda: &mut Agenda<Event>,
        node: NodeId,
        id: TimerId,
        wait: Span,
        then: P::Timer,
    ) {
        let key = agenda.after_keyed(wait, Event::Timer { slot: id.slot, node });
        let slot = TimerSlot { node, incarnation: self.nodes[node.index()].incarnation, key, then };
        if self.timers.len() <= id.slot as usize {
            self.timers.resize(id.slot as usize + 1, None);
        }
        self.timers[id.slot as usize] = Some(slot);
    }

    /// Frees the slot of a timer, if it is still waiting.
    #[inline]
    fn end_timer(&mut self, slot: u32) -> Option<TimerSlot<P::Timer>> {
        let timer = self.timers.get_mut(slot as usize)?.take()?;
        self.ids.free.push(slot);
        Some(timer)
    }

    fn timer_fires(&mut self, agenda: &mut Agenda<Event>, slot: u32) {
        let slot = self.end_timer(slot).expect("a cancelled timer's event is cancelled with it");
        let node = &mut self.nodes[slot.node.index()];
        if slot.incarnation != node.incarnation {
            return;
        }
        if node.paused > 0 {
            node.deferred.get_or_insert_default().push(slot.then);
        } else {
            self.call(agenda, slot.node, |protocol, cx| protocol.on_timer(slot.then, cx));
        }
    }

    fn begin(&mut self, agenda: &mut Agenda<Event>) {
        let setup = self.setup;
        agenda.at(setup.clock.end(), Event::End);
        for (index, entry) in setup.faults.entries.iter().enumerate() {
            agenda.at(entry.at, Event::Fault(index as u32));
        }
        for index in 0..setup.fleet.len() as u32 {
            let node = NodeId(index);
            if self.nodes[node.index()].down > 0 {
                self.emit(agenda, Record::Down { node, why: DownReason::Absent });
                continue;
            }
            if !P::ORACLE
                && let Some((first, _)) = self.transport.poll(node, &setup.fleet)
            {
                agenda.at(first, Event::Poll(node));
            }
            self.call(agenda, node, |protocol, cx| protocol.on_start(cx));
        }
        self.await_arrival(agenda, TaskId(0));
    }

    fn finish(&mut self, agenda: &mut Agenda<Event>) {
        self.book_unsettled(agenda);
        self.emit(agenda, Record::Finish);
        agenda.stop();
    }

    /// Ends the run early where the scenario asks for it and nothing is left to do.
    pub(super) fn one_task_ended(&mut self, agenda: &mut Agenda<Event>) {
        self.open_tasks -= 1;
        if self.open_tasks == 0 && self.setup.clock.finish == super::setup::Finish::Settled {
            agenda.at(agenda.now(), Event::End);
        }
    }

    /// Every letter was handled, dropped with a reason, or is still somewhere.
    fn check_letters(&mut self, at: Time) {
        let live = self.letters.live() as u64;
        if self.sent != self.gone + live {
            self.violate(
                at,
                format!("{} letters sent, but {} gone and {live} under way or waiting", self.sent, self.gone),
            );
        }
    }

    #[inline]
    pub(super) fn role(&self, node: NodeId) -> Role {
        self.nodes[node.index()].role
    }
}

impl<P: Protocol, O: Observer> Model for World<'_, P, O> {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        match event {
            Event::Begin => self.begin(agenda),
            Event::Arrive(task) => self.arrive(agenda, task),
            Event::Release(task) => self.comes(agenda, task),
            Event::Overdue(doubled) => self.overdue(agenda, doubled),
            Event::Deadline(task) => self.deadline(agenda, task),
            Event::Deliver { letter, .. } => self.deliver(agenda, letter),
            Event::Park(letter) => self.park(agenda, letter),
            Event::Done { node, plane, ticket } => self.done(agenda, node, plane, ticket),
            Event::Executed { node, execution } => self.executed(agenda, node, execution),
            Event::Timer { slot, .. } => self.timer_fires(agenda, slot),
            Event::Poll(node) => self.poll(agenda, node),
            Event::PollArrives { agent } => self.poll_arrives(agenda, agent),
            Event::Fault(index) => self.fault(agenda, index),
            Event::Heal(index) => self.heal(agenda, index),
            Event::End => self.finish(agenda),
        }
        self.end_instants(agenda);
    }

    #[inline]
    fn foresee(&self, event: &Event, ahead: Ahead) {
        match ahead {
            Ahead::Far => self.foresee_far(event),
            Ahead::Near => self.foresee_near(event),
            Ahead::Next => self.foresee_next(event),
        }
    }
}
