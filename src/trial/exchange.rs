//! Numbered nodes that exchange messages: the least world in which a protocol's steps can be counted.
//!
//! Nothing is lost and nobody is busy; a message takes a draw of the latency, and that is all. Whoever
//! wants queues, faults and costs writes a pattern. Messages and channels are counted here, never by the
//! protocol.

use crate::engine::{Agenda, Engine, EventKey, Key, Law, Model, Span, Time};
use crate::metrics::channels::Channels;
use crate::trace::NodeId;

/// What all nodes of a protocol do; the implementor holds the state of every node.
pub(super) trait Protocol {
    /// What messages say.
    type Message;
    /// The first instant.
    fn start(&mut self, wire: &mut Wire<'_, Self::Message>);
    /// `to` receives a message.
    fn receive(&mut self, wire: &mut Wire<'_, Self::Message>, from: u32, to: u32, message: Self::Message);
    /// The timer that `node` set has run out.
    fn wake(&mut self, _wire: &mut Wire<'_, Self::Message>, _node: u32) {}
}

/// What a node can do.
pub(super) struct Wire<'a, M> {
    agenda: &'a mut Agenda<Event<M>>,
    post: &'a mut Post,
}

impl<M> Wire<'_, M> {
    /// The time.
    pub(super) fn now(&self) -> Time {
        self.agenda.now()
    }

    /// Sends a message.
    pub(super) fn send(&mut self, from: u32, to: u32, message: M) {
        let mut rng = self.post.key.open(self.post.messages, 0);
        self.post.messages += 1;
        self.post.channels.insert(NodeId(from), NodeId(to));
        let latency = self.post.latency.sample_span(&mut rng);
        self.agenda.after(latency, Event::Arrival { from, to, message });
    }

    /// Wakes `node` after `wait`, unless cancelled.
    pub(super) fn wake_after(&mut self, wait: Span, node: u32) -> EventKey {
        self.agenda.after_keyed(wait, Event::Timer { node })
    }

    /// Takes a timer back; one that has run out does not matter.
    pub(super) fn cancel(&mut self, timer: EventKey) {
        self.agenda.cancel(timer);
    }

    /// Ends the run.
    pub(super) fn stop(&mut self) {
        self.agenda.stop();
    }
}

/// What became of an exchange.
#[derive(Debug)]
pub(super) struct Ended<P> {
    /// The protocol with its final state.
    pub(super) protocol: P,
    /// Messages sent, to dead nodes too.
    pub(super) messages: u64,
    /// Pairs of nodes that exchanged a message.
    pub(super) channels: u64,
    /// The time of the last event \[s\].
    pub(super) took_s: f64,
}

/// Runs `protocol` until nothing is under way, or it stops.
pub(super) fn exchange<P: Protocol>(protocol: P, latency: &Law, key: Key) -> Ended<P> {
    let post = Post { latency: latency.clone(), key, messages: 0, channels: Channels::new() };
    let mut engine = Engine::new(World { protocol, post });
    engine.agenda().at(Time::ZERO, Event::Start);
    let took_s = engine.run().now.as_secs_f64();
    let World { protocol, post } = engine.into_model();
    Ended { protocol, messages: post.messages, channels: post.channels.len(), took_s }
}

enum Event<M> {
    Start,
    Arrival { from: u32, to: u32, message: M },
    Timer { node: u32 },
}

struct Post {
    latency: Law,
    key: Key,
    messages: u64,
    channels: Channels,
}

struct World<P> {
    protocol: P,
    post: Post,
}

impl<P: Protocol> Model for World<P> {
    type Event = Event<P::Message>;
    fn handle(&mut self, event: Self::Event, agenda: &mut Agenda<Self::Event>) {
        let mut wire = Wire { agenda, post: &mut self.post };
        match event {
            Event::Start => self.protocol.start(&mut wire),
            Event::Arrival { from, to, message } => self.protocol.receive(&mut wire, from, to, message),
            Event::Timer { node } => self.protocol.wake(&mut wire, node),
        }
    }
}
