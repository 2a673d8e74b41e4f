//! The hold model: n pending events, each of which re-schedules itself after a random delay. The cost of
//! one event through the public `Model` and `Agenda`, random draw included.

use std::hint::black_box;

use anthill::engine::{Agenda, Dist, Engine, Law, Model, Rng, Span, Time};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

struct Hold {
    law: Law,
    rng: Rng,
    left: u64,
}

impl Model for Hold {
    type Event = u64;
    fn handle(&mut self, process: u64, agenda: &mut Agenda<u64>) {
        let wait = self.law.sample_span(&mut self.rng);
        agenda.after(wait, black_box(process));
        self.left -= 1;
        if self.left == 0 {
            agenda.stop();
        }
    }
}

fn hold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hold");
    for pending in [1_000u64, 10_000, 100_000, 1_000_000] {
        let law = Dist::exponential(Span::from_secs(1)).law().expect("a mean above zero");
        let mut engine = Engine::new(Hold { law, rng: Rng::from_state(1), left: u64::MAX });
        for process in 0..pending {
            let at = Time::from_nanos(process * 1_000_000_000 / pending);
            engine.agenda().at(at, process);
        }
        let events = 100_000;
        group.throughput(Throughput::Elements(events)).sample_size(20);
        group.bench_function(BenchmarkId::from_parameter(pending), |bencher| {
            bencher.iter(|| {
                engine.model_mut().left = events;
                engine.run()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hold);
criterion_main!(benches);
