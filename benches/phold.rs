//! PHOLD as ROSS defines it (models/phold; K-01 of the reference results): logical processes with one event
//! each; an event that fires goes to a process drawn from all with probability 0.25, else stays, and fires
//! again after a lookahead of 1 s and an exponential delay of mean 1 s. A run lasts 100 s, and costs what
//! setting it up costs, too.

// What criterion generates has no documentation.
#![allow(missing_docs)]

use anthill::engine::{Agenda, Ahead, Engine, Model, Rng, Span, StopReason, Time, prefetch_at};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const REMOTE: f64 = 0.25;
const LOOKAHEAD: Span = Span::from_secs(1);
const END: Time = Time::from_secs(100);

#[derive(Clone, Copy)]
enum Event {
    At(u32),
    End,
}

struct Phold {
    rng: Rng,
    /// Events fired, by process.
    fired: Vec<u32>,
}

impl Phold {
    fn delay(&mut self) -> Span {
        LOOKAHEAD + Span::from_secs_f64(-libm::log(self.rng.uniform()))
    }
}

impl Model for Phold {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, agenda: &mut Agenda<Event>) {
        let Event::At(process) = event else { return agenda.stop() };
        self.fired[process as usize] += 1;
        let remote = self.rng.chance(REMOTE);
        let to = if remote { self.rng.below(self.fired.len() as u32) } else { process };
        let delay = self.delay();
        agenda.after(delay, Event::At(to));
    }

    #[inline]
    fn foresee(&self, event: &Event, ahead: Ahead) {
        if let (Event::At(process), Ahead::Far) = (event, ahead) {
            prefetch_at(&self.fired, *process as usize);
        }
    }
}

fn engine(processes: u32) -> Engine<Phold> {
    let mut engine = Engine::new(Phold { rng: Rng::from_state(1), fired: vec![0; processes as usize] });
    for process in 0..processes {
        let delay = engine.model_mut().delay();
        engine.agenda().after(delay, Event::At(process));
    }
    engine.agenda().at(END, Event::End);
    engine
}

fn phold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("phold");
    for processes in [1_000, 10_000, 100_000] {
        let mut trial = engine(processes);
        let stop = trial.run();
        assert_eq!(stop.why, StopReason::Stopped);
        // The renewal theorem: with gaps of mean 2 and variance 1, 49.625 events a process and a variance
        // of 12.5.
        let expected = 49.625 * f64::from(processes);
        let deviation = (12.5 * f64::from(processes)).sqrt();
        assert!((stop.events as f64 - expected).abs() < 5.0 * deviation, "{stop:?}");
        group.throughput(Throughput::Elements(stop.events)).sample_size(10);
        group.bench_function(BenchmarkId::from_parameter(processes), |bencher| {
            bencher.iter_batched_ref(|| engine(processes), Engine::run, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, phold);
criterion_main!(benches);
