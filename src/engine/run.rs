//! The run: a model, its agenda, and the loop that joins them.
//!
//! The loop is all there is to the kernel: take the next event, let the model react, until nothing is
//! pending or the model says stop. A run that ends at a time schedules an event there that stops it.

use std::fmt;

use super::agenda::Agenda;
use super::time::Time;

/// All state of a simulation, and how it reacts.
pub trait Model {
    /// What can happen.
    type Event;

    /// Reacts to `event`, which happens at [`agenda.now()`](Agenda::now). What follows from it is put on
    /// the agenda.
    fn handle(&mut self, event: Self::Event, agenda: &mut Agenda<Self::Event>);

    /// Is shown `event` some events before it fires, up to three times, so that the model can
    /// [ask for](super::prefetch) the state it will need and have it in the cache by then. It pays where
    /// much state is needed at random places; a model that leaves it out loses nothing.
    ///
    /// Nothing observable may follow from it: an event may be shown more than once, or not at all, and
    /// one that was shown may still be cancelled.
    #[inline(always)]
    fn foresee(&self, event: &Self::Event, ahead: Ahead) {
        let _ = (event, ahead);
    }
}

/// How long before it fires an event is shown to [`Model::foresee`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Some fifteen events: time enough to fetch what the event itself names.
    Far,
    /// Some five events: what was asked for before is there, and may be read to ask for what it names.
    Near,
    /// The same events again, when all of them were shown [`Ahead::Near`]: for what lies one step further on.
    Next,
}

/// A model with its agenda, ready to run.
pub struct Engine<M: Model> {
    model: M,
    agenda: Agenda<M::Event>,
}

/// How far a run got, and why no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The time of the last event fired.
    pub now: Time,
    /// Events fired since the engine was made.
    pub events: u64,
    /// What ended the run.
    pub why: StopReason,
}

/// What ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Nothing was pending any more.
    Exhausted,
    /// [`Agenda::stop`] was called.
    Stopped,
}

impl<M: Model> Engine<M> {
    /// `model` with an empty agenda at [`Time::ZERO`].
    pub fn new(model: M) -> Engine<M> {
        Engine { model, agenda: Agenda::new() }
    }

    /// The agenda, to put the first events on.
    pub fn agenda(&mut self) -> &mut Agenda<M::Event> {
        &mut self.agenda
    }

    /// Fires events until none is pending or the model stops the run. A stopped run goes on where it
    /// was when this is called again.
    pub fn run(&mut self) -> Stop {
        let why = loop {
            if self.agenda.take_stop() {
                break StopReason::Stopped;
            }
            self.agenda.foresee(|event, ahead| self.model.foresee(event, ahead));
            let Some(event) = self.agenda.fire() else { break StopReason::Exhausted };
            self.model.handle(event, &mut self.agenda);
        };
        Stop { now: self.agenda.now(), events: self.agenda.fired(), why }
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The model, to change it between runs.
    pub fn model_mut(&mut self) -> &mut M {
        &mut self.model
    }

    /// The model alone; what is pending is dropped.
    pub fn into_model(self) -> M {
        self.model
    }
}

impl<M: Model + fmt::Debug> fmt::Debug for Engine<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("model", &self.model).field("agenda", &self.agenda).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::agenda::{EventId, EventKey};
    use super::super::rng::Rng;
    use super::super::time::Span;
    use super::*;

    /// A car wash with one bay: cars queue, are washed one after the other, and drive off in a huff
    /// when they have waited too long.
    #[derive(Default)]
    struct CarWash {
        queue: Vec<(u32, EventKey)>,
        busy: bool,
        log: Vec<(u64, EventId, String)>,
    }

    enum Event {
        Arrive(u32),
        Washed(u32),
        LosePatience(u32),
        Close,
    }

    const WASH: Span = Span::from_secs(5);
    const PATIENCE: Span = Span::from_secs(7);

    impl Model for CarWash {
        type Event = Event;
        fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
            let what = match event {
                Event::Arrive(car) if self.busy => {
                    self.queue.push((car, agenda.after_keyed(PATIENCE, Event::LosePatience(car))));
                    format!("{car} queues")
                }
                Event::Arrive(car) => {
                    self.busy = true;
                    agenda.after(WASH, Event::Washed(car));
                    format!("{car} drives in")
                }
                Event::Washed(car) => {
                    self.busy = !self.queue.is_empty();
                    if self.busy {
                        let (next, patience) = self.queue.remove(0);
                        assert!(agenda.cancel(patience));
                        agenda.after(WASH, Event::Washed(next));
                    }
                    format!("{car} is clean")
                }
                Event::LosePatience(car) => {
                    self.queue.retain(|waiting| waiting.0 != car);
                    format!("{car} leaves")
                }
                Event::Close => {
                    agenda.stop();
                    "closed".to_owned()
                }
            };
            self.log.push((agenda.now().as_nanos() / 1_000_000_000, agenda.current(), what));
        }
    }

    #[test]
    fn a_car_wash_runs_stops_and_goes_on() {
        let mut wash = Engine::new(CarWash::default());
        for (car, second) in [(1, 0), (2, 1), (3, 2), (4, 11)] {
            wash.agenda().at(Time::from_secs(second), Event::Arrive(car));
        }
        wash.agenda().at(Time::from_secs(10), Event::Close);
        let stop = wash.run();
        assert_eq!(stop, Stop { now: Time::from_secs(10), events: 6, why: StopReason::Stopped });
        assert_eq!(wash.agenda().len(), 2, "car 4 and the washing of car 2 are still to come");
        let stop = wash.run();
        assert_eq!(stop, Stop { now: Time::from_secs(16), events: 9, why: StopReason::Exhausted });
        let log: Vec<_> = wash.into_model().log;
        let log: Vec<_> = log.iter().map(|(at, id, what)| (*at, id.0, what.as_str())).collect();
        let expected = [
            (0, 1, "1 drives in"),
            (1, 2, "2 queues"),
            (2, 3, "3 queues"),
            (5, 4, "1 is clean"),
            (9, 5, "3 leaves"),
            (10, 6, "closed"),
            (10, 7, "2 is clean"),
            (11, 8, "4 drives in"),
            (16, 9, "4 is clean"),
        ];
        assert_eq!(log, expected);
    }

    /// PHOLD as ROSS defines it (K-01 of the reference results).
    struct Phold {
        rng: Rng,
        remote: u64,
        horizon: Time,
    }

    const PROCESSES: u32 = 1_000;

    impl Phold {
        fn delay(&mut self) -> Span {
            Span::from_secs_f64(1.0 - libm::log(self.rng.uniform()))
        }
    }

    impl Model for Phold {
        type Event = u32;
        fn handle(&mut self, at: u32, agenda: &mut Agenda<u32>) {
            let to = if self.rng.chance(0.25) { self.rng.below(PROCESSES) } else { at };
            self.remote += u64::from(to != at);
            let when = agenda.now() + self.delay();
            if when <= self.horizon {
                agenda.at(when, to);
            }
        }
    }

    /// 1,000 processes, delay 1 + exp(1), 100 time units: the renewal theorem expects
    /// M(T/μ + (σ² − μ²)/2μ²) = 49,625 events with standard deviation 112.
    #[test]
    fn phold_fires_as_often_as_renewal_theory_says() {
        let model = Phold { rng: Rng::from_state(1), remote: 0, horizon: Time::from_secs(100) };
        let mut engine = Engine::new(model);
        for process in 0..PROCESSES {
            let delay = engine.model_mut().delay();
            engine.agenda().after(delay, process);
        }
        let stop = engine.run();
        assert_eq!(stop.why, StopReason::Exhausted);
        assert!((stop.events as f64 - 49_625.0).abs() < 4.0 * 112.0, "{stop:?}");
        let remote = engine.model().remote as f64 / stop.events as f64;
        let expected = 0.25 * (1.0 - 1.0 / f64::from(PROCESSES));
        assert!((remote - expected).abs() < 4.0 * 0.002, "{remote} went to another process");
    }
}
