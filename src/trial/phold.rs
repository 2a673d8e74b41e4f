//! PHOLD, the benchmark of parallel simulators, as ROSS defines it (models/phold).
//!
//! Every logical process holds some events. One that fires moves, with probability `remote`, to a process
//! drawn from all (the own one included), else it stays; it fires again after lookahead + delay. The events
//! are renewals: with gaps of mean μ and variance σ², M events fire about M(T/μ + (σ² − μ²)/2μ²) times in T.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::Limits;
use crate::engine::{Agenda, Dist, Engine, Key, Law, Model, Span, Time, mix};
use crate::error::Problems;
use crate::metrics::MetricDef;

/// Events that wander among logical processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Phold {
    /// Logical processes.
    pub processes: u32,
    /// Events that each of them starts with. Default 1.
    #[serde(default = "one")]
    pub events_each: u32,
    /// Probability that an event goes to a process drawn from all. Default 0.25.
    #[serde(default = "remote")]
    pub remote: f64,
    /// Law of the delay beyond the lookahead. Default: exponential with mean 1 s.
    #[serde(default = "delay")]
    pub delay: Dist,
    /// Least time between an event and its successor. Default 1 s.
    #[serde(default = "lookahead")]
    pub lookahead: Span,
    /// End of the run; events at later instants do not count.
    pub horizon: Span,
}

fn one() -> u32 {
    1
}
fn remote() -> f64 {
    0.25
}
fn delay() -> Dist {
    Dist::exponential(Span::from_secs(1))
}
fn lookahead() -> Span {
    Span::from_secs(1)
}

/// An event at this process, or the end of the run.
enum Event {
    At(u32),
    End,
}

/// The processes; each draws from its own addresses, so that one more of them changes nobody's draws.
struct Processes<'a> {
    phold: &'a Phold,
    law: Law,
    key: Key,
    /// Draws made so far, by process.
    drawn: Vec<u64>,
    /// Events that went to another process.
    left: u64,
    events: u64,
    digest: u64,
}

impl Processes<'_> {
    fn gap(&mut self, process: u32) -> Span {
        let drawn = &mut self.drawn[process as usize];
        *drawn += 1;
        self.phold.lookahead + self.law.sample_span(&mut self.key.open(u64::from(process), *drawn))
    }

    fn destination(&mut self, from: u32) -> u32 {
        let drawn = &mut self.drawn[from as usize];
        *drawn += 1;
        let mut rng = self.key.open(u64::from(from), *drawn);
        if rng.chance(self.phold.remote) { rng.below(self.phold.processes) } else { from }
    }
}

impl Model for Processes<'_> {
    type Event = Event;
    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        let Event::At(process) = event else { return agenda.stop() };
        self.events += 1;
        self.digest = mix(self.digest ^ mix(agenda.now().as_nanos()) ^ u64::from(process));
        let to = self.destination(process);
        self.left += u64::from(to != process);
        let gap = self.gap(process);
        agenda.after(gap, Event::At(to));
    }
}

/// One run: events fired, events that changed process, a digest of all (instant, process) in order.
fn simulate(phold: &Phold, key: Key, idle: u32) -> (u64, u64, u64) {
    let law = phold.delay.law().expect("checked");
    let drawn = vec![0; (phold.processes + idle) as usize];
    let processes = Processes { phold, law, key, drawn, left: 0, events: 0, digest: 0 };
    let mut engine = Engine::new(processes);
    for process in 0..phold.processes {
        for _ in 0..phold.events_each {
            let gap = engine.model_mut().gap(process);
            engine.agenda().after(gap, Event::At(process));
        }
    }
    engine.agenda().at(Time::ZERO + phold.horizon, Event::End);
    engine.run();
    let model = engine.into_model();
    (model.events, model.left, model.digest)
}

impl Trial for Phold {
    const NAME: &'static str = "phold";
    const ABOUT: &'static str = "PHOLD on the agenda, as ROSS defines it (renewal theory)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::neutral("events", "events", "events fired up to the horizon"),
        MetricDef::neutral("remote_share", "share", "events that went to another process ÷ events"),
        MetricDef::higher(
            "same_again_share",
            "share",
            "runs again (alike, on another thread, beside an idle process) that fire the same events in the \
             same order at the same instants ÷ 3",
        ),
    ];

    fn check(&self) -> Result<(), Problems> {
        let each = self.lookahead.as_secs_f64() + self.delay.law().map_or(0.0, |law| law.mean());
        Limits::new()
            .at_least("processes", self.processes, 1)
            .probability("remote", self.remote)
            .law("delay", &self.delay)
            .fits(each > 0.0, "lookahead", self.lookahead, "time must pass: above 0s, or a delay that is")
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let first = simulate(self, key, 0);
        let elsewhere = std::thread::scope(|scope| {
            scope.spawn(|| simulate(self, key, 0)).join().expect("a run does not panic")
        });
        let again = [simulate(self, key, 0), elsewhere, simulate(self, key, 1)];
        let same = again.iter().filter(|run| **run == first).count();
        let (events, left, _) = first;
        vec![events as f64, left as f64 / events as f64, same as f64 / again.len() as f64]
    }
}
