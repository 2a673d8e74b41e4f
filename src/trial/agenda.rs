//! The agenda alone: the hold model, and cancellation under stress.
//!
//! Hold (Jones, CACM 29, 1986; Rönngren and Ayani, ACM TOMACS 7, 1997): N events pend; the first one is
//! taken and put back at its time + X. The clock then advances E\[X\]/N a hold, whatever the law.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Agenda, Engine, EventKey, Key, Model, Rng, Span, Time};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// The laws of Rönngren and Ayani, in units of `unit`; U is uniform on (0, 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Increment {
    /// Exponential, mean 1.
    Exponential,
    /// 2U: mean 1.
    Uniform,
    /// 0.95238 U, and 9.5238 more with probability 0.1: mean 1.42857.
    Bimodal,
    /// 1.5 √U: mean 1.
    Triangular,
    /// 0.9 + 0.2 U: mean 1.
    Biased,
}

impl Increment {
    fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Increment::Exponential => -libm::log(rng.uniform()),
            Increment::Uniform => 2.0 * rng.uniform(),
            Increment::Bimodal => 0.95238 * rng.uniform() + if rng.chance(0.1) { 9.5238 } else { 0.0 },
            Increment::Triangular => 1.5 * rng.uniform().sqrt(),
            Increment::Biased => 0.9 + 0.2 * rng.uniform(),
        }
    }

    fn mean(self) -> f64 {
        match self {
            Increment::Bimodal => 0.95238 / 2.0 + 0.95238,
            Increment::Exponential | Increment::Uniform | Increment::Triangular | Increment::Biased => 1.0,
        }
    }
}

/// Takes the first event and puts it back later, again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    /// Events pending.
    pub pending: u32,
    /// Law of X.
    pub increment: Increment,
    /// The time that 1 means. Default 1 s.
    #[serde(default = "second")]
    pub unit: Span,
    /// X is cut down to a multiple of this, which makes ties. Default 0 s: it is not.
    #[serde(default)]
    pub grain: Span,
    /// Holds before counting. Default: 20 for each pending event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<u64>,
    /// Holds counted. Default: 100 for each pending event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<u64>,
}

fn second() -> Span {
    Span::from_secs(1)
}

/// Watches the order of events: instants must not fall, and of one instant the first scheduled comes first.
#[derive(Default)]
struct Order {
    last: Option<(Time, u64)>,
    falls: u64,
    ties: u64,
    ties_broken: u64,
}

impl Order {
    fn note(&mut self, now: Time, scheduled: u64) {
        if let Some((then, before)) = self.last {
            self.falls += u64::from(now < then);
            self.ties += u64::from(now == then);
            self.ties_broken += u64::from(now == then && scheduled < before);
        }
        self.last = Some((now, scheduled));
    }
}

struct Holding<'a> {
    hold: &'a Hold,
    rng: Rng,
    scheduled: u64,
    left: u64,
    order: Order,
}

impl Holding<'_> {
    fn increment(&mut self) -> Span {
        let span = self.hold.unit.mul_f64(self.hold.increment.draw(&mut self.rng));
        match self.hold.grain.as_nanos() {
            0 => span,
            grain => Span::from_nanos(span.as_nanos() / grain * grain),
        }
    }

    fn schedule(&mut self, agenda: &mut Agenda<u64>) {
        let increment = self.increment();
        agenda.after(increment, self.scheduled);
        self.scheduled += 1;
    }
}

impl Model for Holding<'_> {
    /// How many events were scheduled before this one.
    type Event = u64;
    fn handle(&mut self, scheduled: u64, agenda: &mut Agenda<u64>) {
        self.order.note(agenda.now(), scheduled);
        self.schedule(agenda);
        self.left -= 1;
        if self.left == 0 {
            agenda.stop();
        }
    }
}

impl Trial for Hold {
    const NAME: &'static str = "hold";
    const ABOUT: &'static str = "the hold model of event sets (Jones 1986; Rönngren and Ayani 1997)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("advance_s", "s", "advance of the clock ÷ holds"),
        MetricDef::neutral("advance_ratio", "1", "the same ÷ (E[X] / pending): 1 in theory, without `grain`"),
        MetricDef::lower("falls", "events", "events that fired before the instant of their predecessor"),
        MetricDef::neutral("ties", "events", "events at the instant of their predecessor"),
        MetricDef::lower("ties_broken", "events", "ties where the later scheduled event fired first"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .at_least("pending", self.pending, 1)
            .positive("unit", self.unit.as_secs_f64())
            .at_least("holds", self.holds.unwrap_or(1) as f64, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let pending = u64::from(self.pending);
        let (settle, holds) = (self.settle.unwrap_or(20 * pending), self.holds.unwrap_or(100 * pending));
        let holding =
            Holding { hold: self, rng: key.open(0, 0), scheduled: 0, left: 0, order: Order::default() };
        let mut engine = Engine::new(holding);
        for event in 0..pending {
            let increment = engine.model_mut().increment();
            engine.agenda().after(increment, event);
        }
        engine.model_mut().scheduled = pending;
        if settle > 0 {
            engine.model_mut().left = settle;
            engine.run();
        }
        let start = engine.agenda().now();
        engine.model_mut().left = holds;
        let advance = engine.run().now.since(start).as_secs_f64() / holds as f64;
        let expected = self.increment.mean() * self.unit.as_secs_f64() / pending as f64;
        let Order { falls, ties, ties_broken, .. } = engine.into_model().order;
        vec![advance, advance / expected, falls as f64, ties as f64, ties_broken as f64]
    }
}

/// Schedules events at random instants, takes a share back, moves some to one common instant, fires the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancellation {
    /// Events scheduled a round.
    pub events: usize,
    /// Share of them cancelled before any fires, rounded to whole events.
    pub cancelled: f64,
    /// Of the others, how many are cancelled and scheduled again for one common instant. Default 0.
    #[serde(default)]
    pub ties: usize,
    /// Rounds on the same agenda, to see whether its memory grows. Default 2.
    #[serde(default = "two")]
    pub rounds: u32,
}

fn two() -> u32 {
    2
}

/// A round spreads its events over this long; ties stand at half of it.
const ROUND: Span = Span::from_secs(1000);

#[derive(Default)]
struct Firing {
    fired: u64,
    order: Order,
}

impl Model for Firing {
    type Event = u64;
    fn handle(&mut self, scheduled: u64, agenda: &mut Agenda<u64>) {
        self.fired += 1;
        self.order.note(agenda.now(), scheduled);
    }
}

impl Cancellation {
    fn cancelled(&self) -> usize {
        (self.events as f64 * self.cancelled).round() as usize
    }

    /// Fills the agenda for one round; `scheduled` numbers the events.
    fn fill(&self, agenda: &mut Agenda<u64>, scheduled: &mut u64, rng: &mut Rng) {
        let start = agenda.now();
        let mut put = |agenda: &mut Agenda<u64>, wait: Span| {
            *scheduled += 1;
            agenda.at_keyed(start + wait, *scheduled)
        };
        let mut keys: Vec<EventKey> =
            (0..self.events).map(|_| put(agenda, ROUND.mul_f64(rng.uniform()))).collect();
        rng.shuffle(&mut keys);
        let (cancelled, others) = keys.split_at(self.cancelled());
        for &key in cancelled.iter().chain(&others[..self.ties]) {
            assert!(agenda.cancel(key), "a pending event can be taken back");
            assert!(!agenda.cancel(key), "but only once");
        }
        for _ in 0..self.ties {
            put(agenda, ROUND.mul_f64(0.5));
        }
    }
}

impl Trial for Cancellation {
    const NAME: &'static str = "cancellation";
    const ABOUT: &'static str = "cancelling and rescheduling on the agenda (counts by definition)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("fired", "events", "events fired in the first round"),
        MetricDef::lower("falls", "events", "events that fired before the instant of their predecessor"),
        MetricDef::neutral("ties", "events", "events at the instant of their predecessor, all rounds"),
        MetricDef::lower("ties_broken", "events", "ties where the later scheduled event fired first"),
        MetricDef::lower("pending_left", "events", "events pending after the last round"),
        MetricDef::lower("room_grown", "events", "room of the agenda after the last round − after the first"),
    ];

    fn check(&self) -> Result<(), Problems> {
        let left = self.events - self.cancelled().min(self.events);
        Limits::new()
            .probability("cancelled", self.cancelled)
            .fits(self.ties <= left, "ties", self.ties, "no more than the events that are not cancelled")
            .at_least("rounds", self.rounds, 1)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let mut engine = Engine::new(Firing::default());
        let (mut scheduled, mut fired, mut room) = (0, 0, 0);
        for round in 0..self.rounds {
            self.fill(engine.agenda(), &mut scheduled, &mut key.open(u64::from(round), 0));
            engine.run();
            if round == 0 {
                (fired, room) = (engine.model().fired, engine.agenda().room());
            }
        }
        let (pending, grown) = (engine.agenda().len(), engine.agenda().room() - room);
        let Order { falls, ties, ties_broken, .. } = engine.into_model().order;
        let counts = [fired, falls, ties, ties_broken, pending as u64, grown as u64];
        counts.map(|count| count as f64).to_vec()
    }
}
