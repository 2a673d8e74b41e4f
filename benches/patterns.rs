//! Events a second of each pattern on the flagship, with every metric and check on.

use anthill::engine::Seed;
use anthill::pattern::PATTERNS;
use anthill::scenario::{Known, Scenario};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn patterns(criterion: &mut Criterion) {
    let known = Known { patterns: PATTERNS, trials: anthill::trial::TRIALS };
    let scenario = Scenario::load("flagship", &[], &known).expect("the embedded flagship is valid");
    let setup = scenario.instantiate(Seed(1), 0).expect("the embedded flagship can be drawn");
    let mut group = criterion.benchmark_group("patterns");
    group.sample_size(10);
    for pattern in PATTERNS {
        let events = (pattern.run)(&setup).expect("no invariant breaks").end.events;
        group.throughput(Throughput::Elements(events));
        group.bench_function(BenchmarkId::from_parameter(pattern.name), |bencher| {
            bencher.iter(|| (pattern.run)(&setup));
        });
    }
    group.finish();
}

criterion_group!(benches, patterns);
criterion_main!(benches);
