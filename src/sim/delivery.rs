//! Letters: sending, the way there, the inbox.

use super::execution::Job;
use super::letters::{Body, Letter};
use super::protocol::{Message, Protocol};
use super::station::Class;
use super::world::{Event, World};
use crate::engine::{Agenda, Span, Time};
use crate::net::{Route, TransportKind};
use crate::trace::{DropReason, LetterId, NodeId, Observer, Plane, Record};
use crate::work::Role;

/// Letters at a time, at most: ten for each of a million agents, and a gigabyte.
const MOST_LETTERS: u32 = if cfg!(test) { 100_000 } else { 10_000_000 };

impl<P: Protocol, O: Observer> World<'_, P, O> {
    /// Sends a message of the pattern.
    pub(super) fn send_message(&mut self, agenda: &mut Agenda<Event>, from: NodeId, to: NodeId, msg: P::Msg) {
        let kind = (super::kinds::CLIENT_KINDS.len() + msg.kind()) as u8;
        let size = msg.size(&self.setup.tasks);
        self.post(agenda, from, to, kind, size.bytes, size.tokens, Body::Protocol(msg));
    }

    /// Sends a message of the client protocol.
    pub(super) fn send_client(
        &mut self,
        agenda: &mut Agenda<Event>,
        from: NodeId,
        to: NodeId,
        kind: u8,
        body: Body<P::Msg>,
    ) {
        let bytes = self.kinds[usize::from(kind)].kind.bytes;
        self.post(agenda, from, to, kind, bytes, 0, body);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an envelope, used once")]
    #[inline]
    fn post(
        &mut self,
        agenda: &mut Agenda<Event>,
        from: NodeId,
        to: NodeId,
        kind: u8,
        bytes: u32,
        tokens: u32,
        body: Body<P::Msg>,
    ) {
        let letter = LetterId(self.letters.file(Letter { from, to, kind, tokens, overtook: false, body }));
        self.sent += 1;
        if letter.0 >= MOST_LETTERS {
            self.flooded(agenda);
        }
        self.emit(agenda, Record::Sent { letter, from, to, kind, bytes, tokens });
        let sender = &mut self.nodes[from.index()];
        if sender.hung.is_some() {
            return self.drop_letter(agenda, letter, DropReason::Silent);
        }
        let ordinal = sender.sent;
        sender.sent += 1;
        if from == to || P::ORACLE {
            agenda.at(agenda.now(), Event::Deliver { letter, to });
            return;
        }
        let address = sender.links;
        let (mut jitter, loss) = (self.jitter.draw_fixed(), self.setup.network.loss);
        let mut lost = false;
        if jitter.is_none() || loss > 0.0 {
            let mut rng = self.link_key.stream(address, ordinal);
            // Loss is drawn first, so that switching it on does not move the jitter of what arrives.
            if loss > 0.0 {
                lost = rng.chance(loss);
            } else {
                rng.skip();
            }
            jitter = jitter.or_else(|| Some(self.jitter.sample(&mut rng)));
        }
        if lost {
            return self.drop_letter(agenda, letter, DropReason::Loss);
        }
        if !self.conditions.reachable(from, to) {
            return self.drop_letter(agenda, letter, DropReason::Partition);
        }
        let (stop, event) = match self.route(to) {
            Route::Direct => (to, Event::Deliver { letter, to }),
            Route::Mailbox { relay } => (relay, Event::Park(letter)),
        };
        let arrives = self.arrival(agenda.now(), from, stop, jitter.unwrap_or(Span::ZERO));
        let arrives = self.keep_order(agenda.now(), letter, (from, stop), arrives);
        agenda.at(arrives, event);
    }

    /// More letters wait than any fleet could ever handle: the run ends here and is of no use.
    #[cold]
    fn flooded(&mut self, agenda: &mut Agenda<Event>) {
        if !std::mem::replace(&mut self.is_flooded, true) {
            let what = format!(
                "{MOST_LETTERS} messages are under way or waiting: nodes get more than they can handle; \
                 lengthen intervals and timeouts, lower [costs], or add nodes"
            );
            self.violate(agenda.now(), what);
            agenda.at(agenda.now(), Event::End);
        }
    }

    /// Which way a letter to `to` goes.
    #[inline]
    fn route(&self, to: NodeId) -> Route {
        match self.setup.network.transport {
            TransportKind::Direct => Route::Direct,
            TransportKind::Poll { .. } => self.transport.route(to, &self.setup.fleet),
        }
    }

    #[inline]
    fn arrival(&self, now: Time, from: NodeId, to: NodeId, jitter: Span) -> Time {
        let (from, to) = (self.sites[from.index()], self.sites[to.index()]);
        now + self.setup.network.sites.latency(from, to) + jitter
    }

    #[inline]
    fn keep_order(&mut self, now: Time, letter: LetterId, pair: (NodeId, NodeId), arrives: Time) -> Time {
        if !self.keeps_order {
            return arrives;
        }
        let (arrives, overtook) = self.overtaking.admit(now, pair, arrives, self.setup.network.order);
        if overtook {
            self.letters.get_mut(letter.0).overtook = true;
        }
        arrives
    }

    #[cold]
    pub(super) fn drop_letter(&mut self, agenda: &Agenda<Event>, letter: LetterId, why: DropReason) {
        self.letters.take(letter.0);
        self.gone += 1;
        self.emit(agenda, Record::Dropped { letter, why });
    }

    /// The letter reached its receiver: into the inbox, unless something is in the way.
    #[inline]
    pub(super) fn deliver(&mut self, agenda: &mut Agenda<Event>, letter: LetterId) {
        let (from, to, kind, tokens, overtook) = {
            let letter = self.letters.get(letter.0);
            (letter.from, letter.to, usize::from(letter.kind), letter.tokens, letter.overtook)
        };
        if !P::ORACLE && !self.conditions.whole() && !self.conditions.reachable(self.last_hop(from, to), to) {
            return self.drop_letter(agenda, letter, DropReason::Partition);
        }
        let node = &self.nodes[to.index()];
        if node.down > 0 {
            return self.drop_letter(agenda, letter, DropReason::Down);
        }
        let kind = &self.kinds[kind];
        let plane = match node.role {
            Role::Relay | Role::Client => Plane::Harness,
            Role::Agent => kind.plane,
        };
        // Handled in the instant it arrives: no cost and nobody before it.
        let instantly = node.role == Role::Client
            || (kind.cost(node.role).is_zero()
                && (tokens == 0 || kind.per_token.is_zero())
                && node.is_up()
                && node.at(plane).is_idle());
        if !instantly && !P::ORACLE && !node.at(plane).has_room() {
            return self.drop_letter(agenda, letter, DropReason::Overflow);
        }
        self.emit(agenda, Record::Delivered { letter, to, overtook });
        if instantly {
            self.handle_letter(agenda, to, letter);
        } else {
            self.enqueue(agenda, to, plane, Job::Letter(letter), Class::Urgent);
        }
    }

    /// Who hands the letter to `to`: its sender, or the relay that kept it.
    fn last_hop(&self, from: NodeId, to: NodeId) -> NodeId {
        match self.route(to) {
            Route::Direct => from,
            Route::Mailbox { .. } if from == to => from,
            Route::Mailbox { relay } => relay,
        }
    }

    /// The handling of a letter ended: its handler runs.
    #[inline]
    pub(super) fn handle_letter(&mut self, agenda: &mut Agenda<Event>, node: NodeId, letter: LetterId) {
        self.emit(agenda, Record::Handled { letter, node });
        self.gone += 1;
        let Letter { from, body, .. } = self.letters.take(letter.0);
        match body {
            Body::Protocol(msg) => self.call(agenda, node, |protocol, cx| protocol.on_message(from, msg, cx)),
            Body::Submit { task } => self.take_task(agenda, node, from, task),
            Body::Acknowledge { task } => self.acknowledged(task),
        }
    }

    /// A letter reached the mailbox of its receiver. Mailboxes belong to the relay and survive its outage
    /// only if it is durable; while it is out nothing can be put there.
    pub(super) fn park(&mut self, agenda: &mut Agenda<Event>, letter: LetterId) {
        let (from, to) = {
            let letter = self.letters.get(letter.0);
            (letter.from, letter.to)
        };
        let Route::Mailbox { relay } = self.route(to) else {
            unreachable!("only mailbox routes park letters")
        };
        if self.nodes[relay.index()].down > 0 {
            return self.drop_letter(agenda, letter, DropReason::Down);
        }
        if !self.conditions.reachable(from, relay) {
            return self.drop_letter(agenda, letter, DropReason::Partition);
        }
        self.transport.park(to, letter);
    }

    /// A volatile relay lost its mailboxes.
    pub(super) fn lose_mailboxes(&mut self, agenda: &mut Agenda<Event>, relay: NodeId) {
        let mut letters = Vec::new();
        for agent in self.setup.fleet.agent_nodes().map(NodeId) {
            if self.route(agent) == (Route::Mailbox { relay }) {
                self.transport.collect(agent, &mut letters);
            }
        }
        for letter in letters {
            self.drop_letter(agenda, letter, DropReason::Crash);
        }
    }

    /// An agent asks for its letters: it composes the poll on its harness.
    pub(super) fn poll(&mut self, agenda: &mut Agenda<Event>, node: NodeId) {
        let Some((_, interval)) = self.transport.poll(node, &self.setup.fleet) else {
            unreachable!("only polling transports schedule polls")
        };
        agenda.after(interval, Event::Poll(node));
        if self.nodes[node.index()].is_up() && self.nodes[node.index()].hung.is_none() {
            self.enqueue(agenda, node, Plane::Harness, Job::Poll { agent: node }, Class::Urgent);
        }
    }

    /// The poll is composed, or answered; `at` says by whom.
    pub(super) fn poll_handled(&mut self, agenda: &mut Agenda<Event>, at: NodeId, agent: NodeId) {
        let Route::Mailbox { relay } = self.route(agent) else {
            unreachable!("only mailbox routes are polled")
        };
        let bytes = self.transport.wire_bytes();
        if at == agent {
            self.emit(agenda, Record::Wire { from: agent, to: relay, bytes });
            let arrives = self.arrival(agenda.now(), agent, relay, Span::ZERO);
            agenda.at(arrives, Event::PollArrives { agent });
            return;
        }
        self.emit(agenda, Record::Wire { from: relay, to: agent, bytes });
        if !self.conditions.reachable(relay, agent) {
            return;
        }
        let arrives = self.arrival(agenda.now(), relay, agent, Span::ZERO);
        let mut letters = Vec::new();
        self.transport.collect(agent, &mut letters);
        for letter in letters {
            agenda.at(arrives, Event::Deliver { letter, to: agent });
        }
    }

    /// A poll reached the relay.
    pub(super) fn poll_arrives(&mut self, agenda: &mut Agenda<Event>, agent: NodeId) {
        let Route::Mailbox { relay } = self.route(agent) else {
            unreachable!("only mailbox routes are polled")
        };
        let node = &self.nodes[relay.index()];
        if node.down == 0 && self.conditions.reachable(agent, relay) && node.harness.has_room() {
            self.enqueue(agenda, relay, Plane::Harness, Job::Poll { agent }, Class::Urgent);
        }
    }
}
